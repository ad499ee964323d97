/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Lessons: what the simulation of months found, each as small as it can be. */
#include "engine-fixture.h"

#include "engine/engine-private.h"

#define DAY (24 * 3600 * SECOND)

static gint64
idle_time (EngineFixture *self, TfdJob *job)
{
  return tfd_clock_now_boot (TFD_CLOCK (self->clock)) - tfd_job_record (job)->last_activity;
}

/* Days of one boot are added to those of the boots before, however many there were. */
ENGINE_TEST (test_inactivity_adds_up)
{
  TfdJob *job = engine_create (self, "a", 1, FALSE, NULL);

  for (guint boot = 1; boot <= 5; boot++)
    {
      engine_advance (self, 10 * DAY);
      engine_crash (self);
      tfd_fake_clock_reboot (self->clock, 20 * SECOND);
      engine_start (self);
      engine_settle (self);
      job = engine_find (self, "a");
      g_assert_cmpint (idle_time (self, job), >, boot * (10 * DAY - 2 * 3600 * SECOND));
      g_assert_cmpint (idle_time (self, job), <=, boot * 10 * DAY + 60 * SECOND);
    }
  tfd_signal_log_clear (self->log);
}

/* Between a stop and its answer the job waits, and says so. */
ENGINE_TEST (test_stopping_is_explained)
{
  guint64 run;
  TfdJob *job = engine_create_running (self, "a", 1, NULL, &run);
  g_autoptr (GPtrArray) conditions = NULL;

  tfd_engine_set_remote_name (self->engine, job, 0, "http://elsewhere/a", NULL);
  engine_settle (self);
  assert_job (job, "queued");
  conditions = tfd_job_explain (job, TFD_CLOCK (self->clock));
  g_assert_cmpuint (conditions->len, ==, 1);
  g_assert_cmpstr (((TfdCondition *) conditions->pdata[0])->code, ==, "slot");
  OK (tfd_engine_suspend (self->engine, job, error));
  engine_settle (self);
  engine_answer (self, "Stop", "([],)");
  tfd_signal_log_clear (self->log);
}

/* A file is at work as long as there is a run, not as long as a row says so. */
ENGINE_TEST (test_stored_file_is_not_at_work)
{
  g_autoptr (GPtrArray) rows = NULL;
  guint64 run;
  TfdJob *job = engine_create_running (self, "a", 1, NULL, &run);

  engine_connected (self, run);
  engine_progress (self, run, 0, 10, 100);
  assert_file (job, 0, "transferring");
  g_autofree char *part =
      g_strdup_printf ("(%" G_GUINT64_FORMAT ", [(uint32 0, {'x': <1>})])", run);
  engine_news (self, "Parts", "(ta(ua{sv}))", part);
  rows = tfd_store_load_files (self->store, tfd_job_id (job), NULL);
  g_assert_cmpint (((TfdFileRecord *) rows->pdata[0])->state, ==, TFD_FILE_STATE_WAITING);
  engine_crash (self);
  engine_start (self);
  engine_settle (self);
  tfd_fake_transport_abandon (self->transport);
  tfd_signal_log_clear (self->log);
}

/* What cannot be stored takes the job from its worker, and whoever sees it as running is told. */
ENGINE_TEST (test_put_back_is_told)
{
  guint64 run;
  TfdJob *job = engine_create_running (self, "a", 2, NULL, &run);

  engine_connected (self, run);
  tfd_signal_log_assert (self->log, "a is transferring");
  self->failing_commits = 1;
  engine_done (self, run, 0);
  assert_job (job, "queued");
  tfd_signal_log_assert (self->log, "warning\na is queued");
  OK (tfd_engine_suspend (self->engine, job, error));
  engine_settle (self);
  engine_answer (self, "Stop", "([],)");
  tfd_signal_log_clear (self->log);
}

/* Once what came from elsewhere is there, a job needs no network for the rest. */
ENGINE_TEST (test_rest_is_local)
{
  guint64 run;
  TfdJob *job = engine_create_running (self, "a", 2, NULL, &run);
  TfdErrorCode codes[TFD_MAX_CONDITIONS];

  OK (tfd_engine_set_remote_name (self->engine, job, 1, "http://localhost/a", error));
  engine_settle (self);
  tfd_engine_set_network (self->engine, FALSE, FALSE);
  g_assert_cmpuint (tfd_engine_judge (self->engine, job, codes), ==, 1);
  engine_done (self, run, 0);
  g_assert_cmpuint (tfd_engine_judge (self->engine, job, codes), ==, 0);
  OK (tfd_engine_suspend (self->engine, job, error));
  engine_settle (self);
  engine_answer (self, "Stop", "([],)");
  tfd_signal_log_clear (self->log);
}

/* A worker that died before it could tell of its temporary leaves it to be deleted later. */
ENGINE_TEST (test_unrecorded_is_left_over)
{
  guint64 run;
  TfdJob *job = engine_create_running (self, "a", 1, NULL, &run);

  OK (tfd_engine_suspend (self->engine, job, error));
  engine_settle (self);
  engine_answer (self, "Stop", "([],)");
  engine_cancel (self, job);
  for (guint i = 0; i < 10 && tfd_fake_transport_count (self->transport) > 0; i++)
    {
      engine_fail (self, "Discard", G_IO_ERROR_CONNECTION_CLOSED);
      engine_advance (self, 40 * SECOND);
    }
  g_assert_cmpuint (engine_count_rows (self, "jobs"), ==, 0);
  g_assert_cmpuint (engine_count_rows (self, "leftovers"), ==, 1);
  tfd_signal_log_clear (self->log);
}

/* A file that was rejected is needed again if that cannot be stored: it is not deleted before. */
ENGINE_TEST (test_rejected_is_kept_until_stored)
{
  TfdJob *job = engine_create_done (self, "a", 1, 1, NULL);

  self->failing_commits = 1;
  OK (tfd_engine_set_validation_state (self->engine, job, 0, FALSE, error));
  tfd_engine_mounts_changed (self->engine);
  engine_assert_requests (self, "");
  engine_settle (self);
  engine_assert_requests (self, "");
  assert_job (job, "transferred");
  tfd_signal_log_clear (self->log);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ENGINE_ADD ("/engine/lessons/inactivity-adds-up-over-boots", test_inactivity_adds_up);
  ENGINE_ADD ("/engine/lessons/stopping-is-explained", test_stopping_is_explained);
  ENGINE_ADD ("/engine/lessons/stored-file-is-not-at-work", test_stored_file_is_not_at_work);
  ENGINE_ADD ("/engine/lessons/put-back-is-told", test_put_back_is_told);
  ENGINE_ADD ("/engine/lessons/rest-is-local", test_rest_is_local);
  ENGINE_ADD ("/engine/lessons/unrecorded-is-left-over", test_unrecorded_is_left_over);
  ENGINE_ADD ("/engine/lessons/rejected-is-kept-until-stored", test_rejected_is_kept_until_stored);
  return g_test_run ();
}
