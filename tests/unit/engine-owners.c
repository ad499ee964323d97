/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Tests of jobs whose user is gone: held, given back, given up. */
#include "engine-fixture.h"

#define DAY (24 * 3600 * SECOND)

static gboolean
count_cb (TfdJob *job G_GNUC_UNUSED, gpointer data)
{
  (*(guint *) data)++;
  return TRUE;
}

static guint
count_jobs (EngineFixture *self, guint32 uid)
{
  guint jobs = 0;

  tfd_engine_foreach_job (self->engine, uid, NULL, count_cb, &jobs);
  return jobs;
}

static void
note (EngineFixture *self, const char *name)
{
  tfd_engine_note_owner (self->engine, ALICE, name);
  engine_settle (self);
}

static TfdJob *
create_secret (EngineFixture *self, guint64 *run)
{
  TfdJob *job = engine_create_running (self, "a", 1, NULL, run);

  OK (tfd_engine_set_credentials (self->engine, job, "server", "basic", "u", "p", error));
  engine_settle (self);
  engine_answer (self, "Configure", "()");
  tfd_signal_log_clear (self->log);
  return job;
}

/* The same person as ever. */
ENGINE_TEST (test_same)
{
  guint64 run;
  TfdJob *job = create_secret (self, &run);

  note (self, "alice");
  g_assert_cmpint (tfd_job_record (job)->gone_since, ==, 0);
  g_assert_nonnull (tfd_job_record (job)->properties->credentials);
  assert_job (job, "connecting");
}

/* The number has become another person's: the job stops, and is nobody's. */
ENGINE_TEST (test_another)
{
  guint64 run;
  TfdJob *job = create_secret (self, &run);

  g_assert_cmpuint (count_jobs (self, ALICE), ==, 1);
  note (self, "carol");
  engine_answer (self, "Stop", "([],)");
  tfd_signal_log_assert (self->log, "a is transient-error");
  g_assert_cmpint (tfd_job_record (job)->failure.code, ==, TFD_ERROR_OWNER_GONE);
  g_assert_cmpint (tfd_job_record (job)->gone_since, !=, 0);
  g_assert_null (tfd_job_record (job)->properties->credentials);
  g_assert_cmpuint (count_jobs (self, ALICE), ==, 0);
  g_assert_cmpuint (count_jobs (self, TFD_ALL_USERS), ==, 1);

  /* no restart of the service changes that */
  engine_restart (self);
  g_assert_cmpuint (count_jobs (self, ALICE), ==, 0);
  engine_advance (self, DAY);
  engine_assert_requests (self, "");
}

/* Its places are free for the next one with the number. */
ENGINE_TEST (test_places)
{
  self->config->max_jobs_per_user = 1;
  engine_create (self, "a", 0, FALSE, NULL);
  note (self, "carol");
  g_assert_nonnull (engine_try_create (self, ALICE, "b", 0, FALSE, NULL, NULL));
  g_assert_null (engine_try_create (self, ALICE, "c", 0, FALSE, NULL, NULL));
  engine_settle (self);
  tfd_signal_log_clear (self->log);
}

/* Who comes back finds the job as it was, and it goes on. */
ENGINE_TEST (test_back)
{
  guint64 run;
  TfdJob *job = create_secret (self, &run);

  note (self, NULL);
  engine_answer (self, "Stop", "([],)");
  assert_job (job, "transient-error");
  engine_advance (self, 6 * DAY);
  note (self, "alice");
  engine_advance (self, SECOND);
  g_assert_cmpint (tfd_job_record (job)->gone_since, ==, 0);
  g_assert_cmpuint (count_jobs (self, ALICE), ==, 1);
  engine_take_start (self);
  assert_job (job, "connecting");
  tfd_signal_log_clear (self->log);
}

/* A suspended one is held, too; Resume of an administrator starts nothing. */
ENGINE_TEST (test_suspended)
{
  TfdJob *job = engine_create (self, "a", 1, FALSE, NULL);

  note (self, NULL);
  assert_job (job, "suspended");
  g_assert_cmpint (tfd_job_record (job)->gone_since, !=, 0);
  OK (tfd_engine_resume (self->engine, job, error));
  engine_settle (self);
  assert_job (job, "transient-error");
  engine_assert_requests (self, "");
  tfd_signal_log_clear (self->log);
}

/* After a week it goes; nothing is asked of anybody, and nothing remains. */
ENGINE_TEST (test_given_up)
{
  guint64 run;
  TfdJob *job = create_secret (self, &run);
  g_autofree char *parts = g_strdup_printf ("(%" G_GUINT64_FORMAT ", [(0, {'x': <1>})])", run);

  engine_news (self, "Parts", "(ta(ua{sv}))", parts);
  note (self, "carol");
  engine_answer (self, "Stop", "([],)");
  tfd_signal_log_clear (self->log);
  engine_advance (self, 7 * DAY - SECOND);
  note (self, "carol");
  g_assert_false (tfd_job_state_is_final (tfd_job_record (job)->state));
  /* only who was asked about just now is known to be gone still */
  engine_advance (self, DAY);
  g_assert_false (tfd_job_state_is_final (tfd_job_record (job)->state));
  note (self, "carol");
  engine_assert_requests (self, "");
  tfd_signal_log_assert (self->log, "a is suspended (cancelling)\na is cancelled\n"
                                    "a removed cancelled");
  g_assert_cmpuint (engine_count_rows (self, "jobs"), ==, 0);
  g_assert_cmpuint (engine_count_rows (self, "leftovers"), ==, 0);
  g_assert_cmpuint (engine_count_rows (self, "tombstones"), ==, 0);
}

/* A clock that was far off when the user was missed, and is right by now, makes no week of a
 * minute.
 */
ENGINE_TEST (test_given_up_by_the_clock)
{
  TfdJob *job = engine_create (self, "a", 1, FALSE, NULL);
  g_autofree char *id = g_strdup (tfd_job_id (job));

  tfd_fake_clock_set_synchronised (self->clock, FALSE);
  note (self, NULL);
  tfd_fake_clock_set_synchronised (self->clock, TRUE);
  tfd_fake_clock_set_real (self->clock, 1800000000 * SECOND);
  engine_advance (self, 60 * SECOND);
  engine_restart (self);
  note (self, NULL);
  job = tfd_engine_get_job (self->engine, id);
  assert_job (job, "suspended");
  g_assert_cmpint (tfd_job_record (job)->gone_since, >, 0);
  /* from now on it counts */
  engine_advance (self, 4 * DAY);
  engine_restart (self);
  note (self, NULL);
  assert_job (tfd_engine_get_job (self->engine, id), "suspended");
  engine_advance (self, 3 * DAY);
  note (self, NULL);
  g_assert_cmpuint (engine_count_rows (self, "jobs"), ==, 0);
  tfd_signal_log_clear (self->log);
}

/* What is kept of jobs that have ended goes with the person. */
ENGINE_TEST (test_history)
{
  TfdJob *job = engine_create (self, "a", 0, FALSE, NULL);

  note (self, "alice");
  engine_cancel (self, job);
  g_assert_cmpuint (engine_count_rows (self, "tombstones"), ==, 1);
  note (self, NULL);
  note (self, "alice");
  g_assert_cmpuint (engine_count_rows (self, "tombstones"), ==, 1);
  engine_restart (self);
  note (self, "carol");
  g_assert_cmpuint (engine_count_rows (self, "tombstones"), ==, 0);
  tfd_signal_log_clear (self->log);
}

static void
taken_cb (TfdJob *job G_GNUC_UNUSED, const GError *error, gpointer data G_GNUC_UNUSED)
{
  g_assert_no_error (error);
}

/* An administrator takes it over: it goes on as that user's. */
ENGINE_TEST (test_taken)
{
  const TfdOwner bob = { .uid = BOB, .name = "bob" };
  TfdJob *job = engine_create (self, "a", 0, FALSE, NULL);

  note (self, "carol");
  tfd_engine_take_ownership (self->engine, job, &bob, NULL, taken_cb, NULL);
  engine_settle (self);
  g_assert_cmpint (tfd_job_record (job)->gone_since, ==, 0);
  g_assert_cmpuint (count_jobs (self, BOB), ==, 1);
  note (self, "alice");
  g_assert_cmpuint (count_jobs (self, BOB), ==, 1);
  g_assert_cmpuint (count_jobs (self, ALICE), ==, 0);
  tfd_signal_log_clear (self->log);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ENGINE_ADD ("/engine/owners/same", test_same);
  ENGINE_ADD ("/engine/owners/another", test_another);
  ENGINE_ADD ("/engine/owners/places", test_places);
  ENGINE_ADD ("/engine/owners/back", test_back);
  ENGINE_ADD ("/engine/owners/suspended", test_suspended);
  ENGINE_ADD ("/engine/owners/given-up", test_given_up);
  ENGINE_ADD ("/engine/owners/given-up-by-the-clock", test_given_up_by_the_clock);
  ENGINE_ADD ("/engine/owners/history", test_history);
  ENGINE_ADD ("/engine/owners/taken", test_taken);
  return g_test_run ();
}
