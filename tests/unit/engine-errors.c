/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Tests of failures of transfers: which wait and for how long, and which stop the job. */
#include "engine-fixture.h"

#define DELAY (20 * SECOND)
#define SOON "'MinimumRetryDelay': <uint64 20000000>"

#define TRANSIENT(name, more)                                                                      \
  "{'name': <'org.transferd.Transfer1.Error." name "'>, 'context': <'transport'>,"                 \
  " 'transient': <true>, 'message': <'oh'>" more "}"
#define FATAL(name)                                                                                \
  "{'name': <'org.transferd.Transfer1.Error." name "'>, 'context': <'remote-file'>,"               \
  " 'http-status': <uint32 404>, 'message': <'oh'>}"

/* The run fails as @details say and is over; the time until the next try. */
static gint64
fail_run (EngineFixture *self, TfdJob *job, guint64 run, const char *details)
{
  const TfdJobRecord *record = tfd_job_record (job);

  engine_failed (self, run, 0, details);
  engine_answer (self, "Stop", "([],)");
  return record->retry_at == 0 ? 0
                               : record->retry_at - tfd_clock_now_boot (TFD_CLOCK (self->clock));
}

ENGINE_TEST (test_transient)
{
  guint64 run;
  TfdJob *job = engine_create_running (self, "a", 1, "{" SOON "}", &run);
  const TfdJobRecord *record = tfd_job_record (job);
  gint64 wait = fail_run (self, job, run, TRANSIENT ("ConnectionFailed", ""));

  assert_job (job, "transient-error");
  assert_file (job, 0, "waiting");
  g_assert_cmpint (record->failure.code, ==, TFD_ERROR_CONNECTION_FAILED);
  g_assert_cmpint (record->failure.context, ==, TFD_ERROR_CONTEXT_TRANSPORT);
  g_assert_cmpstr (record->failure.message, ==, "oh");
  g_assert_cmpuint (record->failure.file, ==, 0);
  g_assert_cmpuint (record->error_count, ==, 1);
  g_assert_cmpint (wait, >=, DELAY);
  g_assert_cmpint (wait, <=, DELAY * 11 / 10);
  g_assert_cmpint (tfd_job_next_retry (job, TFD_CLOCK (self->clock)), ==,
                   tfd_clock_now_real (TFD_CLOCK (self->clock)) + wait);
  /* never JobError */
  tfd_signal_log_assert (self->log, "a is transient-error");

  engine_advance (self, wait - 1);
  engine_assert_requests (self, "");
  engine_advance (self, 1);
  assert_job (job, "connecting");
  g_assert_cmpint (record->failure.code, ==, TFD_ERROR_CONNECTION_FAILED);
  run = engine_take_start (self);
  engine_connected (self, run);
  g_assert_cmpint (record->failure.context, ==, TFD_ERROR_CONTEXT_NONE);
  tfd_signal_log_clear (self->log);
}

/* It waits longer and longer, up to four times, until bytes come. */
ENGINE_TEST (test_back_off)
{
  static const gint64 factors[] = { 1, 2, 4, 4, 4 };
  guint64 run;
  TfdJob *job = engine_create_running (self, "a", 1, "{" SOON "}", &run);

  for (guint i = 0; i < G_N_ELEMENTS (factors); i++)
    {
      gint64 wait = fail_run (self, job, run, TRANSIENT ("TimedOut", ""));

      g_assert_cmpint (wait, >=, MAX (factors[i] * DELAY * 9 / 10, DELAY));
      g_assert_cmpint (wait, <=, factors[i] * DELAY * 11 / 10);
      engine_advance (self, wait);
      run = engine_take_start (self);
      /* an answer alone is no progress */
      engine_connected (self, run);
    }
  engine_progress (self, run, 0, 1, 100);
  g_assert_cmpint (fail_run (self, job, run, TRANSIENT ("TimedOut", "")), <=, DELAY * 11 / 10);
  g_assert_cmpuint (tfd_job_record (job)->error_count, ==, 6);
  tfd_signal_log_clear (self->log);
}

ENGINE_TEST (test_retry_after)
{
  guint64 run;
  TfdJob *job = engine_create_running (self, "a", 1, "{" SOON "}", &run);
  gint64 wait =
      fail_run (self, job, run, TRANSIENT ("HttpStatus", ", 'retry-after': <uint64 3600000000>"));

  g_assert_cmpint (wait, ==, 3600 * SECOND);
  engine_advance (self, wait);
  run = engine_take_start (self);
  /* nobody is made to wait for ever */
  wait = fail_run (self, job, run,
                   TRANSIENT ("HttpStatus", ", 'retry-after': <uint64 18446744073709551615>"));
  g_assert_cmpint (wait, ==, 24 * 3600 * SECOND);
  engine_advance (self, wait);
  run = engine_take_start (self);
  wait = fail_run (self, job, run, TRANSIENT ("HttpStatus", ", 'retry-after': <uint64 1>"));
  g_assert_cmpint (wait, >=, DELAY);
  tfd_signal_log_clear (self->log);
}

/* Waits for a mount are no errors of the job. */
ENGINE_TEST (test_uncounted)
{
  guint64 run;
  TfdJob *job = engine_create_running (self, "a", 1, "{" SOON "}", &run);

  fail_run (self, job, run, TRANSIENT ("DestinationUnavailable", ""));
  assert_job (job, "transient-error");
  g_assert_cmpuint (tfd_job_record (job)->error_count, ==, 0);
  tfd_engine_mounts_changed (self->engine);
  engine_settle (self);
  assert_job (job, "connecting");
  engine_take_start (self);
  tfd_signal_log_clear (self->log);
}

/* A mount says nothing about a server. */
ENGINE_TEST (test_mount_and_server)
{
  guint64 run;
  TfdJob *job = engine_create_running (self, "a", 1, "{" SOON "}", &run);

  fail_run (self, job, run, TRANSIENT ("ConnectionFailed", ""));
  tfd_engine_mounts_changed (self->engine);
  engine_settle (self);
  assert_job (job, "transient-error");
  tfd_signal_log_clear (self->log);
}

ENGINE_TEST (test_resume_at_once)
{
  guint64 run;
  TfdJob *job = engine_create_running (self, "a", 1, "{" SOON "}", &run);

  fail_run (self, job, run, TRANSIENT ("ConnectionFailed", ""));
  OK (tfd_engine_resume (self->engine, job, error));
  engine_settle (self);
  assert_job (job, "connecting");
  run = engine_take_start (self);
  g_assert_cmpint (fail_run (self, job, run, TRANSIENT ("ConnectionFailed", "")), <=,
                   DELAY * 11 / 10);
  tfd_signal_log_clear (self->log);
}

ENGINE_TEST (test_suspend_ends_waiting)
{
  guint64 run;
  TfdJob *job = engine_create_running (self, "a", 1, "{" SOON "}", &run);

  fail_run (self, job, run, TRANSIENT ("ConnectionFailed", ""));
  OK (tfd_engine_suspend (self->engine, job, error));
  engine_advance (self, 10 * DELAY);
  assert_job (job, "suspended");
  g_assert_cmpint (tfd_job_record (job)->failure.context, ==, TFD_ERROR_CONTEXT_NONE);
  g_assert_cmpint (tfd_job_next_retry (job, TFD_CLOCK (self->clock)), ==, 0);
  tfd_signal_log_clear (self->log);
}

/* The wall clock is set: nothing goes off by that. */
ENGINE_TEST (test_wall_clock)
{
  guint64 run;
  TfdJob *job = engine_create_running (self, "a", 1, "{" SOON "}", &run);
  gint64 wait = fail_run (self, job, run, TRANSIENT ("ConnectionFailed", ""));

  tfd_fake_clock_set_real (self->clock, 1900000000 * SECOND);
  engine_settle (self);
  assert_job (job, "transient-error");
  g_assert_cmpint (tfd_job_next_retry (job, TFD_CLOCK (self->clock)), ==,
                   1900000000 * SECOND + wait);
  tfd_fake_clock_set_real (self->clock, 1 * SECOND);
  engine_advance (self, wait);
  assert_job (job, "connecting");
  engine_take_start (self);
  tfd_signal_log_clear (self->log);
}

/* ---- no progress ---- */

ENGINE_TEST (test_no_progress)
{
  guint64 run;
  TfdJob *job = engine_create_running (self, "a", 1,
                                       "{" SOON ", 'NoProgressTimeout': <uint64 50000000>}", &run);
  gint64 wait = fail_run (self, job, run, TRANSIENT ("ConnectionFailed", ""));

  engine_advance (self, wait);
  run = engine_take_start (self);
  /* the second wait would end after the time is over */
  fail_run (self, job, run, TRANSIENT ("TimedOut", ""));
  engine_advance (self, 50 * SECOND - wait - 1);
  assert_job (job, "transient-error");
  engine_advance (self, 1);
  assert_job (job, "error");
  g_assert_cmpint (tfd_job_record (job)->failure.code, ==, TFD_ERROR_NO_PROGRESS);
  g_assert_cmpint (tfd_job_record (job)->failure.context, ==, TFD_ERROR_CONTEXT_QUEUE_MANAGER);
  g_assert_nonnull (strstr (tfd_job_record (job)->failure.message, "oh"));
  tfd_signal_log_assert_has (self->log, "a is error\na failed NoProgress");
}

ENGINE_TEST (test_progress_counts)
{
  guint64 run;
  TfdJob *job = engine_create_running (self, "a", 1,
                                       "{" SOON ", 'NoProgressTimeout': <uint64 50000000>}", &run);

  for (guint i = 0; i < 5; i++)
    {
      gint64 wait = fail_run (self, job, run, TRANSIENT ("ConnectionLost", ""));

      engine_advance (self, wait);
      assert_job (job, "connecting");
      run = engine_take_start (self);
      engine_progress (self, run, 0, i + 1, 100);
    }
  tfd_signal_log_clear (self->log);
}

/* A job that may not wait as long as the next try takes does not try. */
ENGINE_TEST (test_no_retry)
{
  guint64 run;
  TfdJob *job = engine_create_running (self, "a", 1,
                                       "{" SOON ", 'NoProgressTimeout': <uint64 19000000>}", &run);

  g_assert_cmpint (fail_run (self, job, run, TRANSIENT ("ConnectionLost", "")), ==, 0);
  assert_job (job, "error");
  g_assert_cmpuint (tfd_job_record (job)->error_count, ==, 1);
  tfd_signal_log_assert (self->log, "a is error\na failed ConnectionLost");
}

/* ---- fatal ---- */

ENGINE_TEST (test_fatal)
{
  guint64 run;
  TfdJob *job = engine_create_running (self, "a", 2, NULL, &run);
  const TfdJobRecord *record = tfd_job_record (job);

  engine_connected (self, run);
  g_assert_cmpint (fail_run (self, job, run, FATAL ("HttpStatus")), ==, 0);
  assert_job (job, "error");
  assert_file (job, 0, "error");
  assert_file (job, 1, "waiting");
  g_assert_cmpuint (record->failure.http_status, ==, 404);
  g_assert_cmpuint (record->error_count, ==, 1);
  tfd_signal_log_assert (self->log, "a is transferring\na is error\na failed HttpStatus");

  engine_advance (self, 90000 * SECOND);
  assert_job (job, "error");
  OK (tfd_engine_suspend (self->engine, job, error));
  assert_job (job, "error");
  OK (tfd_engine_resume (self->engine, job, error));
  engine_settle (self);
  engine_assert_asked (self, "Start", "0 1");
  run = engine_take_start (self);
  /* once per entry */
  fail_run (self, job, run, FATAL ("HttpStatus"));
  tfd_signal_log_assert (self->log,
                         "a is queued\na is connecting\na is error\na failed HttpStatus");
}

/* Two files of a run may fail before it is stopped: one entry, one signal. */
ENGINE_TEST (test_fatal_twice)
{
  guint64 run;
  TfdJob *job = engine_create_running (self, "a", 2, NULL, &run);

  engine_failed (self, run, 0, FATAL ("HttpStatus"));
  engine_failed (self, run, 1, FATAL ("DigestMismatch"));
  engine_answer (self, "Stop", "([],)");
  assert_job (job, "error");
  tfd_signal_log_assert (self->log, "a is error\na failed HttpStatus");
}

/* The other file is worse. */
ENGINE_TEST (test_fatal_after_transient)
{
  guint64 run;
  TfdJob *job = engine_create_running (self, "a", 2, NULL, &run);

  engine_failed (self, run, 0, TRANSIENT ("ConnectionLost", ""));
  engine_failed (self, run, 1, FATAL ("HttpStatus"));
  engine_answer (self, "Stop", "([],)");
  assert_job (job, "error");
  g_assert_cmpint (tfd_job_next_retry (job, TFD_CLOCK (self->clock)), ==, 0);
  tfd_signal_log_assert (self->log, "a is transient-error\na is error\na failed HttpStatus");
}

/* A worker names its failure; what it may not say becomes something harmless. */
ENGINE_TEST (test_names)
{
  static const struct
  {
    const char *details;
    TfdErrorCode code;
    TfdErrorContext context;
  } cases[] = {
    { "{}", TFD_ERROR_INVALID_SERVER_RESPONSE, TFD_ERROR_CONTEXT_UNKNOWN },
    { "{'name': <'nonsense'>, 'context': <'nonsense'>}", TFD_ERROR_INVALID_SERVER_RESPONSE,
      TFD_ERROR_CONTEXT_UNKNOWN },
    { "{'name': <7>, 'context': <7>, 'message': <7>, 'transient': <'yes'>}",
      TFD_ERROR_INVALID_SERVER_RESPONSE, TFD_ERROR_CONTEXT_UNKNOWN },
    { "{'name': <'org.transferd.Transfer1.Error.NotFound'>}", TFD_ERROR_INVALID_SERVER_RESPONSE,
      TFD_ERROR_CONTEXT_UNKNOWN },
    { "{'name': <'org.freedesktop.DBus.Error.AccessDenied'>}", TFD_ERROR_INVALID_SERVER_RESPONSE,
      TFD_ERROR_CONTEXT_UNKNOWN },
    { "{'name': <'org.transferd.Transfer1.Error.InsufficientSpace'>, 'context': <'none'>}",
      TFD_ERROR_INSUFFICIENT_SPACE, TFD_ERROR_CONTEXT_UNKNOWN },
    { "{'name': <'org.transferd.Transfer1.Error.FileAccessDenied'>, 'context': <'local-file'>}",
      TFD_ERROR_FILE_ACCESS_DENIED, TFD_ERROR_CONTEXT_LOCAL_FILE },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      guint64 run;
      TfdJob *job = engine_create_running (self, "a", 1, NULL, &run);

      fail_run (self, job, run, cases[i].details);
      assert_job (job, "error");
      g_assert_cmpint (tfd_job_record (job)->failure.code, ==, cases[i].code);
      g_assert_cmpint (tfd_job_record (job)->failure.context, ==, cases[i].context);
      tfd_signal_log_clear (self->log);
    }
}

ENGINE_TEST (test_long_message)
{
  guint64 run;
  TfdJob *job = engine_create_running (self, "a", 1, NULL, &run);
  g_autofree char *filler = g_strnfill (1023, 'x');
  g_autofree char *details = g_strdup_printf ("{'message': <'%sü%s'>}", filler, filler);

  fail_run (self, job, run, details);
  g_assert_true (g_utf8_validate (tfd_job_record (job)->failure.message, -1, NULL));
  g_assert_cmpuint (strlen (tfd_job_record (job)->failure.message), <=, 1030);
  tfd_signal_log_clear (self->log);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ENGINE_ADD ("/engine/transient/plain", test_transient);
  ENGINE_ADD ("/engine/transient/back-off", test_back_off);
  ENGINE_ADD ("/engine/transient/retry-after", test_retry_after);
  ENGINE_ADD ("/engine/transient/uncounted", test_uncounted);
  ENGINE_ADD ("/engine/transient/mount-and-server", test_mount_and_server);
  ENGINE_ADD ("/engine/transient/resume", test_resume_at_once);
  ENGINE_ADD ("/engine/transient/suspend", test_suspend_ends_waiting);
  ENGINE_ADD ("/engine/transient/wall-clock", test_wall_clock);
  ENGINE_ADD ("/engine/no-progress/times-out", test_no_progress);
  ENGINE_ADD ("/engine/no-progress/bytes-count", test_progress_counts);
  ENGINE_ADD ("/engine/no-progress/no-retry", test_no_retry);
  ENGINE_ADD ("/engine/fatal/plain", test_fatal);
  ENGINE_ADD ("/engine/fatal/twice", test_fatal_twice);
  ENGINE_ADD ("/engine/fatal/after-transient", test_fatal_after_transient);
  ENGINE_ADD ("/engine/fatal/names", test_names);
  ENGINE_ADD ("/engine/fatal/long-message", test_long_message);
  return g_test_run ();
}
