/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Hours: whether the configuration keeps background jobs from running at this time of day. */
#include "config.h"

#include "platform/hours.h"

#include "base/log.h"

#include <errno.h>
#include <glib-unix.h>
#include <sys/timerfd.h>
#include <unistd.h>

/* Nobody tells when the time zone of the machine is changed. */
#define LONGEST_WAIT (3600 * (gint64) G_USEC_PER_SEC)

struct _TfdHours
{
  TfdEngine *engine;
  const TfdConfig *config;
  int timer;        /* -1: none */
  guint source;     /* of the timer */
  gboolean told;    /* FALSE: the engine is told in any case */
  gboolean blocked; /* as the engine knows it, with … */
  gint64 until;
};

/* Unlike g_time_zone_new_local () this sees that /etc/localtime is another one now. */
static GTimeZone *
local_zone (void)
{
  GTimeZone *zone = g_time_zone_new_identifier (g_getenv ("TZ"));

  return zone != NULL ? zone : g_time_zone_new_utc ();
}

/* Wakes up at @time of the wall clock, or when that is set. 0: never. */
static void
arm (TfdHours *self, gint64 time)
{
  struct itimerspec spec = { .it_value = { .tv_sec = time / G_USEC_PER_SEC,
                                           .tv_nsec = time % G_USEC_PER_SEC * 1000 } };

  if (self->timer >= 0 &&
      timerfd_settime (self->timer, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &spec, NULL) < 0)
    tfd_warning ("setting the timer of blocked hours: %s", g_strerror (errno));
}

static void
look (TfdHours *self)
{
  g_autoptr (GTimeZone) zone = local_zone ();
  gint64 now = g_get_real_time ();
  gint64 until = 0;
  gboolean blocked = tfd_calendar_is_blocked (self->config->blocked_hours, now, zone, &until);

  arm (self, until != 0 ? MIN (until, now + LONGEST_WAIT) : 0);
  if (self->told && blocked == self->blocked && until == self->until)
    return;
  self->told = TRUE;
  self->blocked = blocked;
  self->until = until;
  tfd_debug (TFD_LOG_PLAN, "hours: background jobs are %s", blocked ? "blocked" : "allowed");
  tfd_engine_set_blocked_hours (self->engine, blocked, until);
}

static gboolean
timer_cb (int fd, GIOCondition condition G_GNUC_UNUSED, gpointer user_data)
{
  guint64 expirations;

  /* ECANCELED: the wall clock was set, which is a reason to look as well */
  if (read (fd, &expirations, sizeof expirations) < 0 && errno == EAGAIN)
    return G_SOURCE_CONTINUE;
  look (user_data);
  return G_SOURCE_CONTINUE;
}

TfdHours *
tfd_hours_watch (TfdEngine *engine, const TfdConfig *config)
{
  TfdHours *self = g_new0 (TfdHours, 1);

  self->engine = engine;
  self->config = config;
  self->timer = timerfd_create (CLOCK_REALTIME, TFD_NONBLOCK | TFD_CLOEXEC);
  if (self->timer < 0)
    tfd_warning ("no timer for blocked hours: %s", g_strerror (errno));
  else
    self->source = g_unix_fd_add (self->timer, G_IO_IN, timer_cb, self);
  look (self);
  return self;
}

void
tfd_hours_reload (TfdHours *self)
{
  self->told = FALSE;
  look (self);
}

void
tfd_hours_free (TfdHours *self)
{
  g_clear_handle_id (&self->source, g_source_remove);
  if (self->timer >= 0)
    close (self->timer);
  g_free (self);
}
