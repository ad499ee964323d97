/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Tests of what owners do with a job: suspend, resume, change its properties. */
#include "engine-fixture.h"

/* ---- suspend and resume ---- */

ENGINE_TEST (test_resume_without_files)
{
  TfdJob *job = engine_create (self, "a", 0, FALSE, NULL);

  FAILS (tfd_engine_resume (self->engine, job, error), TFD_ERROR_EMPTY);
  assert_job (job, "suspended");
  tfd_signal_log_clear (self->log);
}

ENGINE_TEST (test_resume_transferred)
{
  TfdJob *job = engine_create_done (self, "a", 2, 2, NULL);

  FAILS (tfd_engine_resume (self->engine, job, error), TFD_ERROR_EMPTY);
  OK (tfd_engine_suspend (self->engine, job, error));
  assert_job (job, "transferred");
}

ENGINE_TEST (test_suspend_queued)
{
  TfdJob *job = engine_try_create (self, ALICE, "a", 1, TRUE, NULL, NULL);

  OK (tfd_engine_suspend (self->engine, job, error));
  engine_settle (self);
  assert_job (job, "suspended");
  engine_assert_requests (self, "");
  tfd_signal_log_assert (self->log, "a added\na is suspended");
}

ENGINE_TEST (test_suspend_running)
{
  guint64 run;
  TfdJob *job = engine_create_running (self, "a", 1, NULL, &run);

  engine_progress (self, run, 0, 10, 100);
  OK (tfd_engine_suspend (self->engine, job, error));
  /* the worker is told only when the state is durable */
  engine_assert_requests (self, "");
  engine_settle (self);
  engine_assert_requests (self, "Stop");
  engine_answer (self, "Stop", "([(0, {'position': <uint64 10>})],)");
  assert_job (job, "suspended");
  g_assert_cmpuint (tfd_job_record (job)->bytes_transferred, ==, 10);
  engine_restart (self);
  OK (tfd_engine_resume (self->engine, engine_find (self, "a"), error));
  engine_settle (self);
  engine_assert_file_value (self, "Start", 0, "part", "{'position': <uint64 10>}");
  engine_take_start (self);
  tfd_signal_log_clear (self->log);
}

/* Resumed before the worker has let go: one run follows the other. */
ENGINE_TEST (test_resume_while_stopping)
{
  guint64 run;
  TfdJob *job = engine_create_running (self, "a", 1, NULL, &run);

  OK (tfd_engine_suspend (self->engine, job, error));
  engine_settle (self);
  OK (tfd_engine_resume (self->engine, job, error));
  engine_settle (self);
  assert_job (job, "queued");
  engine_assert_requests (self, "Stop");
  engine_answer (self, "Stop", "([],)");
  engine_assert_requests (self, "Start");
  g_assert_cmpuint (engine_take_start (self), >, run);
  assert_job (job, "connecting");
  tfd_signal_log_clear (self->log);
}

/* In one turn: nothing happened, but the worker may have begun. */
ENGINE_TEST (test_suspend_resume_at_once)
{
  guint64 run;
  TfdJob *job = engine_create_running (self, "a", 1, NULL, &run);

  OK (tfd_engine_suspend (self->engine, job, error));
  OK (tfd_engine_resume (self->engine, job, error));
  engine_settle (self);
  engine_answer (self, "Stop", "([],)");
  assert_job (job, "connecting");
  engine_take_start (self);
  tfd_signal_log_clear (self->log);
}

ENGINE_TEST (test_resume_running)
{
  guint64 run;
  TfdJob *job = engine_create_running (self, "a", 1, NULL, &run);
  gint64 modified = tfd_job_record (job)->modification_time;

  engine_advance (self, SECOND);
  OK (tfd_engine_resume (self->engine, job, error));
  engine_settle (self);
  assert_job (job, "connecting");
  g_assert_cmpint (tfd_job_record (job)->modification_time, ==, modified + SECOND);
  engine_assert_requests (self, "");
  tfd_signal_log_assert (self->log, "");
}

/* ---- properties ---- */

ENGINE_TEST (test_set_properties)
{
  TfdJob *job = engine_create (self, "a", 1, FALSE, NULL);

  OK (engine_set_properties (
      self, job, "{'Description': <'x'>, 'MinimumRetryDelay': <uint64 7000000>}", error));
  engine_restart (self);
  job = engine_find (self, "a");
  g_assert_cmpstr (tfd_job_record (job)->properties->description, ==, "");
  OK (engine_set_properties (
      self, job, "{'Description': <'x'>, 'MinimumRetryDelay': <uint64 7000000>}", error));
  engine_settle (self);
  engine_restart (self);
  job = engine_find (self, "a");
  g_assert_cmpstr (tfd_job_record (job)->properties->description, ==, "x");
  g_assert_cmpuint (tfd_job_record (job)->properties->minimum_retry_delay, ==, 7 * SECOND);
  tfd_signal_log_clear (self->log);
}

/* All or nothing: a bad value leaves the good ones out, too. */
ENGINE_TEST (test_set_properties_bad)
{
  TfdJob *job = engine_create (self, "a", 0, FALSE, NULL);

  FAILS (engine_set_properties (self, job, "{'Description': <'x'>, 'Nonsense': <1>}", error),
         TFD_ERROR_INVALID_ARGS);
  engine_settle (self);
  g_assert_cmpstr (tfd_job_record (job)->properties->description, ==, "");
  tfd_signal_log_clear (self->log);
}

/* What is fixed after the first file or the first Resume stays so over a restart. */
ENGINE_TEST (test_set_read_only)
{
  TfdJob *job = engine_create (self, "a", 0, FALSE, NULL);
  guint32 first;

  OK (engine_set_properties (self, job, "{'HighPerformance': <true>}", error));
  OK (engine_add_files (self, job, 0, 1, &first, error));
  FAILS (engine_set_properties (self, job, "{'HighPerformance': <false>}", error),
         TFD_ERROR_READ_ONLY_AFTER_ADD_FILE);
  OK (engine_set_properties (self, job, "{'MaximumSize': <uint64 100>}", error));
  OK (tfd_engine_resume (self->engine, job, error));
  OK (tfd_engine_suspend (self->engine, job, error));
  engine_settle (self);
  for (guint life = 0; life < 2; life++)
    {
      FAILS (engine_set_properties (self, job, "{'MaximumSize': <uint64 200>}", error),
             TFD_ERROR_READ_ONLY_AFTER_RESUME);
      FAILS (engine_set_properties (self, job, "{'Description': <'x'>, 'DynamicContent': <true>}",
                                    error),
             TFD_ERROR_READ_ONLY_AFTER_RESUME);
      g_assert_cmpstr (tfd_job_record (job)->properties->description, ==, "");
      OK (engine_set_properties (self, job, "{'MaximumSize': <uint64 100>}", error));
      engine_restart (self);
      job = engine_find (self, "a");
    }
  tfd_signal_log_clear (self->log);
}

/* A job that is raised goes first. */
ENGINE_TEST (test_set_priority)
{
  guint64 run;
  TfdJob *first, *second, *third;

  self->config->background_jobs = self->config->background_jobs_per_user = 1;
  first = engine_create_running (self, "a", 1, NULL, &run);
  second = engine_create (self, "b", 1, TRUE, NULL);
  third = engine_create (self, "c", 1, TRUE, NULL);
  OK (engine_set_properties (self, third, "{'Priority': <'high'>}", error));
  engine_settle (self);
  engine_done (self, run, 0);
  engine_answer (self, "Stop", "([],)");
  assert_job (first, "transferred");
  assert_job (second, "queued");
  assert_job (third, "connecting");
  engine_take_start (self);
  OK (engine_set_properties (self, second, "{'Priority': <'foreground'>}", error));
  engine_settle (self);
  assert_job (second, "connecting");
  engine_take_start (self);
  tfd_signal_log_clear (self->log);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ENGINE_ADD ("/engine/resume/without-files", test_resume_without_files);
  ENGINE_ADD ("/engine/resume/transferred", test_resume_transferred);
  ENGINE_ADD ("/engine/resume/while-stopping", test_resume_while_stopping);
  ENGINE_ADD ("/engine/resume/running", test_resume_running);
  ENGINE_ADD ("/engine/suspend/queued", test_suspend_queued);
  ENGINE_ADD ("/engine/suspend/running", test_suspend_running);
  ENGINE_ADD ("/engine/suspend/and-resume", test_suspend_resume_at_once);
  ENGINE_ADD ("/engine/properties/set", test_set_properties);
  ENGINE_ADD ("/engine/properties/bad", test_set_properties_bad);
  ENGINE_ADD ("/engine/properties/read-only", test_set_read_only);
  ENGINE_ADD ("/engine/properties/priority", test_set_priority);
  return g_test_run ();
}
