/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Months, the faults: what happens to the machine, its clock, its network, its people and disks. */
#include "months.h"

/* ---- clocks ---- */

static void
set_wall_clock (Months *self, gint64 error)
{
  tfd_fake_clock_set_real (self->fixture->clock, self->epoch + self->true_time + error);
}

static void
change_clock (Months *self)
{
  if (self->synced)
    {
      self->synced = FALSE;
      tfd_fake_clock_set_synchronised (self->fixture->clock, FALSE);
      if (months_happens (self, 2))
        set_wall_clock (self, (gint64) (g_rand_double_range (self->rand, -20, 20) * (double) DAY));
    }
  else
    {
      self->synced = TRUE;
      self->synced_since = self->true_time;
      set_wall_clock (self, 0);
      tfd_fake_clock_set_synchronised (self->fixture->clock, TRUE);
    }
}

/* It is written down every hour what time it is, with a full disk every other, but not by one who
 * sleeps: what comes after that may be forgotten. */
static gint64
not_noted (Months *self)
{
  return 2 * HOUR + (months_now (self) - self->woke < 2 * HOUR ? self->slept : 0);
}

/* When the clock was right as the time was noted, and is right again, the time between counts, up
 * to a week. */
static void
reboot (Months *self)
{
  gint64 off = months_span (self, MINUTE, 14 * DAY);
  gboolean was_right = self->synced && self->true_time - self->synced_since > not_noted (self);

  self->counted_time -= not_noted (self);
  months_stop (self);
  self->boots++;
  self->true_time += off;
  tfd_fake_clock_reboot (self->fixture->clock, months_span (self, SECOND, MINUTE));
  set_wall_clock (self, 0);
  if (self->synced && months_happens (self, 4))
    change_clock (self);
  if (was_right && self->synced)
    self->counted_time += MIN (off, 7 * DAY);
  self->hours_until = G_MAXINT64;
  months_start (self);
}

static void
sleep_and_wake (Months *self)
{
  gint64 span = months_span (self, MINUTE, 2 * DAY);

  if (months_happens (self, 2))
    {
      tfd_engine_checkpoint_async (self->fixture->engine, NULL, NULL);
      months_rest (self);
    }
  self->slept = not_noted (self) - 2 * HOUR + span;
  self->woke = months_now (self) + span;
  tfd_fake_clock_sleep (self->fixture->clock, span);
  self->true_time += span;
  self->counted_time += span;
  months_rest (self);
}

/* With nothing to do it leaves, and is started again within a day. */
static void
leave (Months *self)
{
  months_pass (self, MINUTE);
  if (!tfd_engine_is_idle (self->fixture->engine) || g_hash_table_size (self->calls) > 0)
    return;
  months_crash (self, months_span (self, SECOND, DAY));
}

/* ---- conditions ---- */

static void
configure (Months *self, const char *key, const char *text)
{
  for (const TfdConfigKey *k = tfd_config_table (); k->key != NULL; k++)
    if (g_str_equal (k->key, key))
      g_assert_true (tfd_config_set (self->fixture->config, k, text, NULL));
}

static void
reconfigure (Months *self)
{
  static const struct
  {
    const char *key;
    const char *values[4];
  } settings[] = {
    { "BackgroundJobs", { "1", "2", "4", "8" } },
    { "BackgroundJobsPerUser", { "1", "2", "4", "2" } },
    { "TimeSlice", { "30s", "60s", "5min", "1h" } },
    { "PowerSaverBlocks", { "yes", "no", "yes", "no" } },
    { "BatteryBlocks", { "yes", "no", "no", "no" } },
    { "BlockedHours", { "", "Mon..Fri 08:00-17:00", "22:00-06:00", "" } },
    { "EventsPerJob", { "20", "200", "50", "5" } },
    { "MaxJobsPerUser", { "3", "60", "60", "6" } },
    { "HistoryTime", { "7d", "7d", "7d", "7d" } },
  };
  guint i = months_pick (self, G_N_ELEMENTS (settings));

  configure (self, settings[i].key, settings[i].values[months_pick (self, 4)]);
  /* what the watch of the hours does on reload; it has the engine look at everything else */
  months_tell_hours (self);
}

static void
toggle (gboolean *value)
{
  *value = !*value;
}

static void
change_place (Months *self)
{
  toggle (&self->absent[months_pick (self, N_PLACES)]);
  tfd_engine_mounts_changed (self->fixture->engine);
}

static void
change_session (Months *self)
{
  User *user = &self->users[months_pick (self, N_USERS)];

  user->session = months_pick (self, 3);
  /* a home that is mounted with the log-on */
  if (user->uid == ALICE)
    self->absent[0] = user->session != TFD_SESSION_ACTIVE && months_happens (self, 2);
}

static void
change_world (Months *self)
{
  switch (months_pick (self, 11))
    {
    case 0:
    case 1:
      toggle (&self->link);
      break;
    case 2:
      toggle (&self->portal);
      break;
    case 3:
      toggle (&self->metered);
      break;
    case 4:
      toggle (&self->power_saver);
      break;
    case 5:
      toggle (&self->on_battery);
      break;
    case 6:
      self->log_ons = months_pick (self, 3);
      break;
    case 7:
      change_session (self);
      break;
    case 8:
      change_place (self);
      break;
    case 9:
      toggle (&self->down[2]);
      break;
    default:
      reconfigure (self);
      break;
    }
  months_tell_conditions (self);
}

/* ---- faults ---- */

static void
hang_worker (Months *self, User *user)
{
  user->stuck = !user->stuck;
  if (user->stuck)
    {
      months_kill_workers (self, user);
      tfd_fake_transport_lose (self->fixture->transport, user->uid);
    }
  tfd_transport_emit_stuck (TFD_TRANSPORT (self->fixture->transport), user->uid, user->stuck);
}

static void
lose_worker (Months *self, User *user)
{
  if (user->stuck)
    return;
  months_kill_workers (self, user);
  tfd_fake_transport_lose (self->fixture->transport, user->uid);
}

/* Not for long: the service tries again every second. */
static void
fill_disk (Months *self)
{
  self->disk_full = TRUE;
  months_operate (self);
  months_pass (self, months_span (self, SECOND, MINUTE));
  self->disk_full = FALSE;
}

static void
break_something (Months *self)
{
  User *user = &self->users[months_pick (self, N_USERS)];

  switch (months_pick (self, 12))
    {
    case 0:
    case 1:
    case 2:
      lose_worker (self, user);
      break;
    case 3:
      hang_worker (self, user);
      break;
    case 4:
      months_crash (self, months_span (self, SECOND / 100, MINUTE));
      break;
    case 5:
    case 6:
      self->lives_left = 1 + months_pick (self, 5);
      break;
    case 7:
    case 8:
      self->fixture->failing_commits = 1 + months_pick (self, 2);
      break;
    case 9:
      fill_disk (self);
      break;
    case 10:
      months_meddle (self);
      break;
    default:
      change_clock (self);
      break;
    }
}

void
months_strike (Months *self)
{
  if (months_happens (self, 30))
    reboot (self);
  else if (months_happens (self, 15))
    sleep_and_wake (self);
  else if (months_happens (self, 8))
    leave (self);
  else if (months_happens (self, 2))
    break_something (self);
  else
    change_world (self);
}

void
months_calm (Months *self)
{
  self->calm = TRUE;
  self->link = TRUE;
  self->log_ons = TFD_LOG_ONS_KNOWN;
  self->portal = self->metered = self->power_saver = self->on_battery = FALSE;
  for (guint i = 0; i < N_PLACES; i++)
    self->absent[i] = FALSE;
  for (guint i = 0; i < N_USERS; i++)
    {
      self->users[i].session = TFD_SESSION_ACTIVE;
      if (self->users[i].stuck)
        hang_worker (self, &self->users[i]);
    }
  if (!self->synced)
    change_clock (self);
  self->disk_full = FALSE;
  self->lives_left = self->fixture->failing_commits = 0;
  configure (self, "BlockedHours", "");
  months_tell_conditions (self);
  tfd_engine_mounts_changed (self->fixture->engine);
  months_rest (self);
}
