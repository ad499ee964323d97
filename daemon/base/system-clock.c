/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* System clock: CLOCK_BOOTTIME and one timerfd, set to the first alarm. Time-outs of GLib stand
 * still while the machine sleeps; a timerfd of CLOCK_BOOTTIME does not, and needs no polling. */
#include "base/alarms.h"
#include "base/clock.h"

#include <errno.h>
#include <gio/gio.h>
#include <glib-unix.h>
#include <string.h>
#include <sys/timerfd.h>
#include <sys/timex.h>
#include <time.h>
#include <unistd.h>

#define BOOT_ID_FILE "/proc/sys/kernel/random/boot_id"

struct _TfdSystemClock
{
  GObject parent;

  char *boot_id;
  int timer;         /* -1 = none */
  gint64 armed;      /* what the timer is set to, G_MAXINT64 = nothing */
  GSource *source;   /* (owned) of the timer */
  TfdAlarms *alarms; /* (owned) */
};

static void tfd_system_clock_iface_init (TfdClockInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (TfdSystemClock,
                               tfd_system_clock,
                               G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (TFD_TYPE_CLOCK, tfd_system_clock_iface_init))

static gint64
read_clock (clockid_t clock)
{
  struct timespec now;

  int result = clock_gettime (clock, &now);
  g_assert (result == 0); /* both clocks exist in every kernel that we run on */
  return (gint64) now.tv_sec * G_USEC_PER_SEC + now.tv_nsec / 1000;
}

static gint64
now_boot (TfdClock *clock G_GNUC_UNUSED)
{
  return read_clock (CLOCK_BOOTTIME);
}

static gint64
now_real (TfdClock *clock G_GNUC_UNUSED)
{
  return read_clock (CLOCK_REALTIME);
}

static const char *
boot_id (TfdClock *clock)
{
  return TFD_SYSTEM_CLOCK (clock)->boot_id;
}

static gboolean
is_synchronised (TfdClock *clock G_GNUC_UNUSED)
{
  struct timex state = { .modes = 0 };

  return adjtimex (&state) >= 0 && !(state.status & STA_UNSYNC);
}

/* Sets the timer to the first alarm. */
static void
arm (TfdSystemClock *self)
{
  gint64 next = tfd_alarms_next (self->alarms);
  if (next == self->armed)
    return;

  struct itimerspec spec = { 0 };
  if (next != G_MAXINT64)
    {
      /* all zero would mean "never" */
      gint64 time = MAX (next, 1);
      spec.it_value.tv_sec = time / G_USEC_PER_SEC;
      spec.it_value.tv_nsec = (time % G_USEC_PER_SEC) * 1000;
    }

  if (timerfd_settime (self->timer, TFD_TIMER_ABSTIME, &spec, NULL) != 0)
    g_critical ("setting a timer: %s", g_strerror (errno));
  self->armed = next;
}

static gboolean
timer_cb (int fd, GIOCondition condition G_GNUC_UNUSED, gpointer user_data)
{
  g_autoptr (TfdSystemClock) self = g_object_ref (user_data);
  guint64 expirations = 0;

  /* EAGAIN: the timer was set anew after the main loop saw it */
  if (read (fd, &expirations, sizeof expirations) < 0 && errno != EAGAIN && errno != EINTR)
    g_critical ("reading a timer: %s", g_strerror (errno));

  /* alarms that are added by the callbacks wait for the next turn: they cannot starve the loop */
  gint64 now = read_clock (CLOCK_BOOTTIME);
  guint64 before = tfd_alarms_next_id (self->alarms);
  while (tfd_alarms_fire_one (self->alarms, now, before))
    ;

  self->armed = G_MAXINT64;
  arm (self);
  return G_SOURCE_CONTINUE;
}

static guint64
add_alarm (TfdClock *clock,
           gint64 boot_time,
           TfdAlarmFunc func,
           gpointer user_data,
           GDestroyNotify destroy)
{
  TfdSystemClock *self = TFD_SYSTEM_CLOCK (clock);

  guint64 alarm = tfd_alarms_add (self->alarms, boot_time, func, user_data, destroy);
  arm (self);
  return alarm;
}

static void
remove_alarm (TfdClock *clock, guint64 alarm)
{
  TfdSystemClock *self = TFD_SYSTEM_CLOCK (clock);

  tfd_alarms_remove (self->alarms, alarm);
  arm (self);
}

static void
tfd_system_clock_iface_init (TfdClockInterface *iface)
{
  iface->now_boot = now_boot;
  iface->now_real = now_real;
  iface->boot_id = boot_id;
  iface->is_synchronised = is_synchronised;
  iface->add_alarm = add_alarm;
  iface->remove_alarm = remove_alarm;
}

static void
tfd_system_clock_finalize (GObject *object)
{
  TfdSystemClock *self = TFD_SYSTEM_CLOCK (object);

  if (self->source != NULL)
    g_source_destroy (self->source);
  g_clear_pointer (&self->source, g_source_unref);
  g_clear_pointer (&self->alarms, tfd_alarms_free);
  if (self->timer >= 0)
    close (self->timer);
  g_free (self->boot_id);

  G_OBJECT_CLASS (tfd_system_clock_parent_class)->finalize (object);
}

static void
tfd_system_clock_class_init (TfdSystemClockClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = tfd_system_clock_finalize;
}

static void
tfd_system_clock_init (TfdSystemClock *self)
{
  self->timer = -1;
  self->armed = G_MAXINT64;
  self->alarms = tfd_alarms_new ();
}

/* The boot id as 32 hexadecimal digits. */
static char *
read_boot_id (GError **error)
{
  g_autofree char *text = NULL;

  if (!g_file_get_contents (BOOT_ID_FILE, &text, NULL, error))
    return NULL;

  g_auto (GStrv) parts = g_strsplit (g_strstrip (text), "-", -1);
  char *id = g_strjoinv ("", parts);
  if (strlen (id) == 32)
    return id;

  g_free (id);
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, "‘%s’ is no boot id", BOOT_ID_FILE);
  return NULL;
}

TfdClock *
tfd_system_clock_new (GError **error)
{
  g_autoptr (TfdSystemClock) self = g_object_new (TFD_TYPE_SYSTEM_CLOCK, NULL);

  self->boot_id = read_boot_id (error);
  if (self->boot_id == NULL)
    return NULL;

  self->timer = timerfd_create (CLOCK_BOOTTIME, TFD_NONBLOCK | TFD_CLOEXEC);
  if (self->timer < 0)
    {
      int saved = errno;
      g_set_error (error, G_IO_ERROR, g_io_error_from_errno (saved), "making a timer: %s",
                   g_strerror (saved));
      return NULL;
    }

  g_autoptr (GMainContext) context = g_main_context_ref_thread_default ();
  self->source = g_unix_fd_source_new (self->timer, G_IO_IN);
  g_source_set_callback (self->source, G_SOURCE_FUNC (timer_cb), self, NULL);
  g_source_set_static_name (self->source, "transferd alarms");
  g_source_attach (self->source, context);
  return TFD_CLOCK (g_steal_pointer (&self));
}
