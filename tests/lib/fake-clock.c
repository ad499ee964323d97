/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Fake clock: time stands still until the test moves it. */
#include "fake-clock.h"

#include "base/alarms.h"

struct _TfdFakeClock
{
  GObject parent;

  gint64 boot_time;
  gint64 real_time;
  guint boots;
  char *boot_id; /* (owned) */
  gboolean unsynchronised;
  TfdAlarms *alarms; /* (owned) */
};

static void tfd_fake_clock_iface_init (TfdClockInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (TfdFakeClock,
                               tfd_fake_clock,
                               G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (TFD_TYPE_CLOCK, tfd_fake_clock_iface_init))

static gint64
now_boot (TfdClock *clock)
{
  return TFD_FAKE_CLOCK (clock)->boot_time;
}

static gint64
now_real (TfdClock *clock)
{
  return TFD_FAKE_CLOCK (clock)->real_time;
}

static const char *
boot_id (TfdClock *clock)
{
  return TFD_FAKE_CLOCK (clock)->boot_id;
}

static gboolean
is_synchronised (TfdClock *clock)
{
  return !TFD_FAKE_CLOCK (clock)->unsynchronised;
}

static guint64
add_alarm (TfdClock *clock,
           gint64 boot_time,
           TfdAlarmFunc func,
           gpointer user_data,
           GDestroyNotify destroy)
{
  return tfd_alarms_add (TFD_FAKE_CLOCK (clock)->alarms, boot_time, func, user_data, destroy);
}

static void
remove_alarm (TfdClock *clock, guint64 alarm)
{
  tfd_alarms_remove (TFD_FAKE_CLOCK (clock)->alarms, alarm);
}

static void
tfd_fake_clock_iface_init (TfdClockInterface *iface)
{
  iface->now_boot = now_boot;
  iface->now_real = now_real;
  iface->boot_id = boot_id;
  iface->is_synchronised = is_synchronised;
  iface->add_alarm = add_alarm;
  iface->remove_alarm = remove_alarm;
}

static void
tfd_fake_clock_finalize (GObject *object)
{
  TfdFakeClock *self = TFD_FAKE_CLOCK (object);

  g_assert_cmpuint (tfd_alarms_count (self->alarms), ==, 0);
  tfd_alarms_free (self->alarms);
  g_free (self->boot_id);

  G_OBJECT_CLASS (tfd_fake_clock_parent_class)->finalize (object);
}

static void
tfd_fake_clock_class_init (TfdFakeClockClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = tfd_fake_clock_finalize;
}

static void
tfd_fake_clock_init (TfdFakeClock *self)
{
  self->alarms = tfd_alarms_new ();
}

TfdFakeClock *
tfd_fake_clock_new (gint64 boot_time, gint64 real_time)
{
  g_assert_cmpint (boot_time, >, 0);
  g_assert_cmpint (real_time, >, 0);

  TfdFakeClock *self = g_object_new (TFD_TYPE_FAKE_CLOCK, NULL);
  self->boot_time = boot_time;
  self->real_time = real_time;
  self->boot_id = g_strdup_printf ("%032x", self->boots);
  return self;
}

static void
move_to (TfdFakeClock *self, gint64 boot_time)
{
  if (boot_time <= self->boot_time)
    return;
  self->real_time += boot_time - self->boot_time;
  self->boot_time = boot_time;
}

void
tfd_fake_clock_advance (TfdFakeClock *self, gint64 span)
{
  gint64 until = self->boot_time + span;

  g_assert_cmpint (span, >=, 0);
  g_object_ref (self); /* a callback may drop the last reference */
  while (tfd_alarms_next (self->alarms) <= until)
    {
      move_to (self, tfd_alarms_next (self->alarms));
      tfd_alarms_fire_one (self->alarms, self->boot_time, G_MAXUINT64);
    }
  move_to (self, until);
  g_object_unref (self);
}

void
tfd_fake_clock_sleep (TfdFakeClock *self, gint64 span)
{
  g_assert_cmpint (span, >=, 0);
  move_to (self, self->boot_time + span);
}

gboolean
tfd_fake_clock_advance_to_alarm (TfdFakeClock *self)
{
  gint64 next = tfd_alarms_next (self->alarms);

  if (next == G_MAXINT64)
    return FALSE;
  tfd_fake_clock_advance (self, MAX (next - self->boot_time, 0));
  return TRUE;
}

void
tfd_fake_clock_set_real (TfdFakeClock *self, gint64 real_time)
{
  self->real_time = real_time;
}

void
tfd_fake_clock_reboot (TfdFakeClock *self, gint64 boot_time)
{
  g_assert_cmpuint (tfd_alarms_count (self->alarms), ==, 0);
  g_assert_cmpint (boot_time, >, 0);

  self->boot_time = boot_time;
  g_free (self->boot_id);
  self->boot_id = g_strdup_printf ("%032x", ++self->boots);
}

guint
tfd_fake_clock_count_alarms (TfdFakeClock *self)
{
  return tfd_alarms_count (self->alarms);
}

gint64
tfd_fake_clock_next_alarm (TfdFakeClock *self)
{
  return tfd_alarms_next (self->alarms);
}

void
tfd_fake_clock_forget_alarms (TfdFakeClock *self)
{
  tfd_alarms_free (self->alarms);
  self->alarms = tfd_alarms_new ();
}

void
tfd_fake_clock_set_synchronised (TfdFakeClock *self, gboolean synchronised)
{
  self->unsynchronised = !synchronised;
}
