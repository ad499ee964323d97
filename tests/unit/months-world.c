/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Months, the world: chance, time, the conditions, and the life of the service. */
#include "months.h"

#include "store/statement.h"

#include <string.h>

/* ---- chance ---- */

gboolean
months_happens (Months *self, guint in)
{
  return g_rand_int_range (self->rand, 0, (gint32) in) == 0;
}

guint
months_pick (Months *self, guint n)
{
  return (guint) g_rand_int_range (self->rand, 0, (gint32) n);
}

gint64
months_span (Months *self, gint64 least, gint64 most)
{
  guint doublings = 0;
  gint64 from;

  while (least << doublings < most)
    doublings++;
  from = least << months_pick (self, doublings);
  return from + (gint64) (g_rand_double (self->rand) * (double) (MIN (2 * from, most) - from));
}

gint64
months_now (Months *self)
{
  return tfd_clock_now_boot (TFD_CLOCK (self->fixture->clock));
}

User *
months_user (Months *self, guint32 uid)
{
  for (guint i = 0; i < N_USERS; i++)
    if (self->users[i].uid == uid)
      return &self->users[i];
  g_error ("there is no user %u", uid);
}

/* ---- conditions ---- */

void
months_tell_hours (Months *self)
{
  g_autoptr (GTimeZone) zone = g_time_zone_new_utc ();
  gint64 real = tfd_clock_now_real (TFD_CLOCK (self->fixture->clock));
  gint64 until = 0;

  self->hours_blocked =
      tfd_calendar_is_blocked (self->fixture->config->blocked_hours, real, zone, &until);
  self->hours_until = until != 0 ? months_now (self) + until - real : G_MAXINT64;
  tfd_engine_set_blocked_hours (self->fixture->engine, self->hours_blocked, until);
}

void
months_tell_conditions (Months *self)
{
  TfdEngine *engine = self->fixture->engine;

  months_tell_hours (self);
  tfd_engine_set_network (engine, self->link && !self->portal, self->metered);
  tfd_engine_set_power (engine, self->power_saver, self->on_battery);
  tfd_engine_set_log_ons (engine, self->log_ons);
  for (guint i = 0; i < N_USERS; i++)
    tfd_engine_set_session (engine, self->users[i].uid, self->users[i].session);
}

/* ---- the life of the service ---- */

static int
commit_cb (gpointer data)
{
  Months *self = data;

  if (self->dying)
    return 1;
  if (self->fixture->failing_commits > 0 || self->disk_full)
    {
      if (self->fixture->failing_commits > 0)
        self->fixture->failing_commits--;
      return 1;
    }
  /* what would follow this commit never happens */
  if (self->lives_left > 0 && --self->lives_left == 0)
    self->dying = TRUE;
  return 0;
}

static void
prepare (Months *self)
{
  sqlite3_commit_hook (self->fixture->store->db, commit_cb, self);
  self->hurried = FALSE;
  /* so that Complete of a few files takes many requests, most often */
  if (!months_happens (self, 4))
    self->fixture->engine->most_at_once = 1 + months_pick (self, 3);
  months_watch (self);
}

static void
move_clock (Months *self, gint64 span)
{
  tfd_fake_clock_advance (self->fixture->clock, span);
  self->true_time += span;
  self->counted_time += span;
}

/* Calls that hold the engine come to their end, though nobody hears of it and nothing is stored. */
static void
let_go_of_engine (Months *self)
{
  static const char *const methods[] = { "Probe", "Checkpoint" };
  gboolean dying = self->dying;

  self->dying = TRUE;
  for (guint i = 0; i < G_N_ELEMENTS (methods); i++)
    for (;;)
      {
        g_autofree char *list = tfd_fake_transport_list (self->fixture->transport);

        if (strstr (list, methods[i]) == NULL)
          break;
        tfd_fake_transport_fail (self->fixture->transport, methods[i],
                                 G_IO_ERROR_CONNECTION_CLOSED);
      }
  while (g_main_context_iteration (NULL, FALSE))
    ;
  self->dying = dying;
}

void
months_stop (Months *self)
{
  for (guint i = 0; i < N_USERS; i++)
    {
      months_kill_workers (self, &self->users[i]);
      self->users[i].stuck = FALSE;
      self->users[i].ready = 0;
    }
  let_go_of_engine (self);
  months_forget_calls (self);
  engine_crash (self->fixture);
  self->fixture->failing_commits = 0;
  self->disk_full = FALSE;
  self->lives_left = 0;
  self->deaths++;
}

void
months_start (Months *self)
{
  gboolean cut_short = self->dying;

  self->dying = FALSE;
  self->slept = 0;
  engine_start (self->fixture);
  prepare (self);
  months_check_start (self, cut_short);
  months_tell_conditions (self);
}

void
months_crash (Months *self, gint64 down)
{
  months_stop (self);
  move_clock (self, down);
  months_start (self);
}

/* Only the service dies here, never the disk: nothing has to be synced. */
static void
hurry (Months *self)
{
  if (!self->hurried)
    self->hurried = sqlite3_exec (self->fixture->store->db, "PRAGMA synchronous = OFF", NULL, NULL,
                                  NULL) == SQLITE_OK;
}

void
months_rest (Months *self)
{
  do
    {
      engine_settle (self->fixture);
      if (self->dying)
        {
          months_crash (self, months_span (self, SECOND / 10, MINUTE));
          engine_settle (self->fixture);
        }
    }
  while (months_serve (self));
  hurry (self);
  months_check (self);
  tfd_signal_log_clear (self->fixture->log);
}

void
months_pass (Months *self, gint64 span)
{
  gint64 until = months_now (self) + span;

  for (;;)
    {
      gint64 next;

      months_rest (self);
      if (self->hours_until <= months_now (self))
        months_tell_conditions (self);
      next = MIN (tfd_fake_clock_next_alarm (self->fixture->clock), months_next_work (self));
      next = MIN (next, self->hours_until);
      if (next >= until)
        break;
      move_clock (self, MAX (next - months_now (self), 0));
      months_transfer (self);
    }
  move_clock (self, MAX (until - months_now (self), 0));
  months_rest (self);
}

/* ---- beginning and end ---- */

Months *
months_new (EngineFixture *fixture, guint32 seed)
{
  static const User users[N_USERS] = { { .uid = ALICE, .name = "alice" },
                                       { .uid = BOB, .name = "bob" },
                                       { .uid = 1002, .name = "carol" },
                                       { .uid = 0, .name = "root" } };
  Months *self = g_new0 (Months, 1);

  self->fixture = fixture;
  self->rand = g_rand_new_with_seed (seed);
  g_random_set_seed (seed);
  for (guint i = 0; i < N_USERS; i++)
    self->users[i] = users[i];
  self->accounts = g_ptr_array_new_with_free_func (months_account_free);
  self->by_id = g_hash_table_new (g_str_hash, g_str_equal);
  self->calls = g_hash_table_new_full (NULL, NULL, months_call_free, NULL);
  self->parts = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, months_part_free);
  self->finals = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  self->renamed = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  self->runs = g_hash_table_new_full (g_int64_hash, g_int64_equal, NULL, months_run_free);
  self->walks = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  self->link = self->synced = TRUE;
  self->hours_until = G_MAXINT64;
  self->epoch = tfd_clock_now_real (TFD_CLOCK (fixture->clock));
  prepare (self);
  months_tell_conditions (self);
  months_rest (self);
  return self;
}

void
months_free (Months *self)
{
  g_rand_free (self->rand);
  g_hash_table_unref (self->calls);
  g_hash_table_unref (self->by_id);
  g_ptr_array_unref (self->accounts);
  g_hash_table_unref (self->parts);
  g_hash_table_unref (self->finals);
  g_hash_table_unref (self->renamed);
  g_hash_table_unref (self->runs);
  g_hash_table_unref (self->walks);
  g_free (self);
}
