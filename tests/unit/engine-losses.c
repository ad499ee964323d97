/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Tests of workers that end unexpectedly: files start again at once, then more slowly, and a file
 * that takes its worker along again and again stops its job. */
#include "engine-fixture.h"

/* The worker dies while file 0 is transferred. */
static void
lose_while_running (EngineFixture *self, guint64 run)
{
  engine_progress (self, run, 0, 1, 100);
  engine_lose (self);
}

ENGINE_TEST (test_at_once)
{
  guint64 run;
  TfdJob *job = engine_create_running (self, "a", 1, NULL, &run);

  engine_lose (self);
  assert_job (job, "connecting");
  g_assert_cmpuint (engine_take_start (self), >, run);
  g_assert_cmpuint (tfd_job_record (job)->error_count, ==, 0);
  tfd_signal_log_assert (self->log, "a is queued\na is connecting");
}

/* Then after 1, 5, 30 and 30 seconds, as long as it gets no answer; each time it was at work on
 * another file. */
ENGINE_TEST (test_delays)
{
  static const gint64 seconds[] = { 0, 1, 5, 30, 30 };
  guint64 run;
  TfdJob *job = engine_create_running (self, "a", 5, NULL, &run);

  for (guint i = 0; i < G_N_ELEMENTS (seconds); i++)
    {
      if (i > 0)
        engine_done (self, run, i - 1);
      engine_lose (self);
      if (seconds[i] > 0)
        {
          engine_advance (self, seconds[i] * SECOND - 1);
          assert_job (job, "queued");
          engine_assert_requests (self, "");
          engine_advance (self, 1);
        }
      run = engine_take_start (self);
    }
  tfd_signal_log_clear (self->log);
}

/* A worker that got an answer was a good one. */
ENGINE_TEST (test_answer_resets)
{
  guint64 run;
  TfdJob *job = engine_create_running (self, "a", 5, NULL, &run);

  for (guint i = 0; i < 5; i++)
    {
      engine_connected (self, run);
      if (i > 0)
        engine_done (self, run, i - 1);
      engine_lose (self);
      assert_job (job, "connecting");
      run = engine_take_start (self);
    }
  tfd_signal_log_clear (self->log);
}

/* After a minute without a loss it counts anew. */
ENGINE_TEST (test_minute_resets)
{
  guint64 run;
  TfdJob *job = engine_create_running (self, "a", 1, NULL, &run);

  for (guint i = 0; i < 3; i++)
    {
      engine_lose (self);
      assert_job (job, "connecting");
      engine_take_start (self);
      engine_advance (self, 61 * SECOND);
    }
  tfd_signal_log_clear (self->log);
}

/* One user's worker is nobody else's. */
ENGINE_TEST (test_other_user)
{
  guint64 run;
  TfdJob *job;

  engine_create_running (self, "a", 1, NULL, &run);
  job = engine_try_create (self, BOB, "b", 1, TRUE, NULL, NULL);
  engine_settle (self);
  engine_take_start (self);
  tfd_signal_log_clear (self->log);
  engine_lose (self);
  assert_job (job, "connecting");
  tfd_signal_log_assert (self->log, "a is queued\na is connecting");
  engine_take_start (self);
}

/* All jobs of the user start again. */
ENGINE_TEST (test_all_jobs)
{
  guint64 run;

  self->config->background_jobs = self->config->background_jobs_per_user = 4;
  for (char name[] = "a"; name[0] <= 'c'; name[0]++)
    engine_create_running (self, name, 1, NULL, &run);
  engine_lose (self);
  engine_assert_requests (self, "Start Start Start");
  for (guint i = 0; i < 3; i++)
    engine_take_start (self);
  tfd_signal_log_clear (self->log);
}

/* The third time within a minute with the same file: its job waits, the others run on. */
ENGINE_TEST (test_third)
{
  guint64 run, other;
  TfdJob *job = engine_create_running (self, "a", 1, NULL, &run);
  TfdJob *good = engine_create_running (self, "b", 1, NULL, &other);

  for (guint i = 0; i < 2; i++)
    {
      lose_while_running (self, run);
      engine_advance (self, 5 * SECOND);
      run = engine_take_start (self);
      other = engine_take_start (self);
      assert_job (job, "connecting");
    }
  lose_while_running (self, run);
  assert_job (job, "transient-error");
  g_assert_cmpint (tfd_job_record (job)->failure.code, ==, TFD_ERROR_WORKER_LOST);
  g_assert_cmpuint (tfd_job_record (job)->failure.file, ==, 0);
  g_assert_cmpuint (tfd_job_record (job)->error_count, ==, 0);
  engine_advance (self, 5 * SECOND);
  assert_job (good, "connecting");
  engine_take_start (self);
  tfd_signal_log_clear (self->log);
}

/* Three times in three minutes is bad luck. */
ENGINE_TEST (test_slow_losses)
{
  guint64 run;
  TfdJob *job = engine_create_running (self, "a", 1, NULL, &run);

  for (guint i = 0; i < 5; i++)
    {
      lose_while_running (self, run);
      engine_advance (self, 61 * SECOND);
      assert_job (job, "connecting");
      run = engine_take_start (self);
    }
  tfd_signal_log_clear (self->log);
}

/* The tenth time, however slow. */
ENGINE_TEST (test_tenth)
{
  guint64 run;
  TfdJob *job = engine_create_running (self, "a", 2, NULL, &run);

  for (guint i = 0; i < 9; i++)
    {
      lose_while_running (self, run);
      engine_advance (self, 61 * SECOND);
      assert_job (job, "connecting");
      run = engine_take_start (self);
    }
  tfd_signal_log_clear (self->log);
  lose_while_running (self, run);
  assert_job (job, "error");
  g_assert_cmpint (tfd_job_record (job)->failure.code, ==, TFD_ERROR_WORKER_LOST);
  tfd_signal_log_assert_has (self->log, "a is error\na failed WorkerLost");

  /* the owner thinks better of it */
  OK (tfd_engine_resume (self->engine, job, error));
  engine_advance (self, 30 * SECOND);
  run = engine_take_start (self);
  lose_while_running (self, run);
  engine_advance (self, 30 * SECOND);
  assert_job (job, "connecting");
  engine_take_start (self);
  tfd_signal_log_clear (self->log);
}

/* A file that arrives is forgiven. */
ENGINE_TEST (test_forgiven)
{
  guint64 run;
  TfdJob *job = engine_create_running (self, "a", 2, NULL, &run);

  for (guint i = 0; i < 2; i++)
    {
      lose_while_running (self, run);
      engine_advance (self, 5 * SECOND);
      run = engine_take_start (self);
    }
  engine_done (self, run, 0);
  engine_lose (self);
  engine_advance (self, 5 * SECOND);
  assert_job (job, "connecting");
  engine_take_start (self);
  tfd_signal_log_clear (self->log);
}

/* The loss comes while the job is stopped: it stays as it was told to be. */
ENGINE_TEST (test_while_stopping)
{
  guint64 run;
  TfdJob *job = engine_create_running (self, "a", 1, NULL, &run);

  OK (tfd_engine_suspend (self->engine, job, error));
  engine_settle (self);
  engine_lose (self);
  assert_job (job, "suspended");
  tfd_signal_log_assert (self->log, "a is suspended");
  OK (tfd_engine_resume (self->engine, job, error));
  engine_advance (self, SECOND);
  g_assert_cmpuint (engine_take_start (self), >, run);
  tfd_signal_log_clear (self->log);
}

/* Without a job that runs nothing is to be done. */
ENGINE_TEST (test_idle)
{
  engine_lose (self);
  engine_assert_requests (self, "");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ENGINE_ADD ("/engine/lost/at-once", test_at_once);
  ENGINE_ADD ("/engine/lost/delays", test_delays);
  ENGINE_ADD ("/engine/lost/answer-resets", test_answer_resets);
  ENGINE_ADD ("/engine/lost/minute-resets", test_minute_resets);
  ENGINE_ADD ("/engine/lost/other-user", test_other_user);
  ENGINE_ADD ("/engine/lost/all-jobs", test_all_jobs);
  ENGINE_ADD ("/engine/lost/third", test_third);
  ENGINE_ADD ("/engine/lost/slow", test_slow_losses);
  ENGINE_ADD ("/engine/lost/tenth", test_tenth);
  ENGINE_ADD ("/engine/lost/forgiven", test_forgiven);
  ENGINE_ADD ("/engine/lost/while-stopping", test_while_stopping);
  ENGINE_ADD ("/engine/lost/idle", test_idle);
  return g_test_run ();
}
