/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Tests of what the service takes up when it starts: jobs in every state, another boot, and
 * Completes that a crash interrupted. */
#include "engine-fixture.h"

#define UNAVAILABLE                                                                                \
  "([(0, 'failed', {'error': <'org.transferd.Transfer1.Error.DestinationUnavailable'>})],)"

/* ---- states ---- */

ENGINE_TEST (test_suspended)
{
  engine_create_done (self, "a", 2, 1, NULL);
  engine_restart (self);
  assert_job (engine_find (self, "a"), "suspended");
  engine_assert_requests (self, "");
}

ENGINE_TEST (test_queued)
{
  engine_create (self, "a", 1, TRUE, NULL);
  engine_restart (self);
  assert_job (engine_find (self, "a"), "connecting");
  engine_take_start (self);
  tfd_signal_log_clear (self->log);
}

ENGINE_TEST (test_transferring)
{
  guint64 run;
  TfdJob *job = engine_create_running (self, "a", 2, NULL, &run);

  engine_done (self, run, 0);
  engine_progress (self, run, 1, 10, 100);
  assert_job (job, "transferring");
  engine_restart (self);
  job = engine_find (self, "a");
  assert_job (job, "connecting");
  engine_assert_asked (self, "Start", "1");
  engine_take_start (self);
  tfd_signal_log_clear (self->log);
}

/* In the order of their creation. */
ENGINE_TEST (test_order)
{
  static const char *const names[] = { "a", "b", "c", "d", "e" };

  self->config->background_jobs = self->config->background_jobs_per_user = 1;
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    engine_create (self, names[i], 1, TRUE, NULL);
  engine_restart (self);
  tfd_signal_log_clear (self->log);
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    {
      guint64 run = engine_take_start (self);

      assert_job (engine_find (self, names[i]), "connecting");
      engine_done (self, run, 0);
      engine_answer (self, "Stop", "([],)");
    }
  tfd_signal_log_clear (self->log);
}

static TfdJob *
fail_job (EngineFixture *self, const char *properties, const char *details)
{
  guint64 run;
  TfdJob *job = engine_create_running (self, "a", 1, properties, &run);

  engine_failed (self, run, 0, details);
  engine_answer (self, "Stop", "([],)");
  tfd_signal_log_clear (self->log);
  return job;
}

/* The deadline of the retry still holds. */
ENGINE_TEST (test_transient)
{
  TfdJob *job = fail_job (self, NULL,
                          "{'name': <'org.transferd.Transfer1.Error.TimedOut'>,"
                          " 'transient': <true>, 'message': <'oh'>}");
  gint64 at = tfd_job_record (job)->retry_at;

  engine_advance (self, 100 * SECOND);
  engine_restart (self);
  job = engine_find (self, "a");
  assert_job (job, "transient-error");
  g_assert_cmpint (tfd_job_record (job)->retry_at, ==, at);
  g_assert_cmpint (tfd_job_record (job)->failure.code, ==, TFD_ERROR_TIMED_OUT);
  g_assert_cmpstr (tfd_job_record (job)->failure.message, ==, "oh");
  engine_advance (self, at - tfd_clock_now_boot (TFD_CLOCK (self->clock)) - 1);
  engine_assert_requests (self, "");
  engine_advance (self, 1);
  engine_take_start (self);
  tfd_signal_log_clear (self->log);
}

ENGINE_TEST (test_error)
{
  TfdJob *job = fail_job (self, NULL, "{'name': <'org.transferd.Transfer1.Error.HttpStatus'>}");

  engine_restart (self);
  job = engine_find (self, "a");
  assert_job (job, "error");
  g_assert_cmpint (tfd_job_record (job)->failure.code, ==, TFD_ERROR_HTTP_STATUS);
  g_assert_cmpuint (tfd_job_record (job)->error_count, ==, 1);
  engine_assert_requests (self, "");
}

/* JobTransferred is told once: a restart is no news. */
ENGINE_TEST (test_transferred)
{
  engine_create_done (self, "a", 1, 1, NULL);
  engine_restart (self);
  assert_job (engine_find (self, "a"), "transferred");
  engine_assert_requests (self, "");
  tfd_signal_log_assert (self->log, "");
}

/* ---- another boot ---- */

static void
reboot (EngineFixture *self, gint64 boot_time)
{
  engine_crash (self);
  tfd_fake_clock_reboot (self->clock, boot_time);
  engine_start (self);
  engine_settle (self);
}

/* The clock of the boot, which begins somewhere else in each. */
static gint64
now_boot (EngineFixture *self)
{
  return tfd_clock_now_boot (TFD_CLOCK (self->clock));
}

/* What was left of the wait when it began, which was noted, is left after the boot: late rather
 * than early. */
ENGINE_TEST (test_reboot_transient)
{
  TfdJob *job =
      fail_job (self, "{'MinimumRetryDelay': <uint64 20000000>}", "{'transient': <true>}");
  gint64 wait = tfd_job_record (job)->retry_at - now_boot (self);

  engine_advance (self, 10 * SECOND);
  reboot (self, 5 * SECOND);
  job = engine_find (self, "a");
  assert_job (job, "transient-error");
  g_assert_cmpint (tfd_job_record (job)->retry_at, ==, 5 * SECOND + wait);
  engine_advance (self, wait - 1);
  engine_assert_requests (self, "");
  engine_advance (self, 1);
  engine_take_start (self);
  tfd_signal_log_clear (self->log);
}

/* The same when the new boot is past the old deadline. */
ENGINE_TEST (test_reboot_later)
{
  fail_job (self, "{'MinimumRetryDelay': <uint64 20000000>}", "{'transient': <true>}");
  reboot (self, 100000 * SECOND);
  assert_job (engine_find (self, "a"), "transient-error");
  engine_advance (self, 20 * SECOND - 1);
  engine_assert_requests (self, "");
  engine_advance (self, 3 * SECOND);
  engine_take_start (self);
  tfd_signal_log_clear (self->log);
}

/* A second start in the new boot does not begin the wait once more. */
ENGINE_TEST (test_reboot_and_restart)
{
  TfdJob *job =
      fail_job (self, "{'MinimumRetryDelay': <uint64 20000000>}", "{'transient': <true>}");
  gint64 wait = tfd_job_record (job)->retry_at - now_boot (self);

  reboot (self, 5 * SECOND);
  engine_advance (self, 10 * SECOND);
  engine_restart (self);
  g_assert_cmpint (tfd_job_record (engine_find (self, "a"))->retry_at, ==, 5 * SECOND + wait);
  engine_advance (self, wait - 10 * SECOND);
  engine_take_start (self);
  tfd_signal_log_clear (self->log);
}

/* A machine that is switched on every day comes to the end of a wait that is longer than a day. */
ENGINE_TEST (test_reboot_daily)
{
  TfdJob *job = fail_job (self, NULL,
                          "{'transient': <true>, 'retry-after': <uint64 86400000000>,"
                          " 'name': <'org.transferd.Transfer1.Error.HttpStatus'>}");

  for (guint day = 0; day < 3; day++)
    {
      assert_job (job, "transient-error");
      engine_advance (self, 8 * 3600 * SECOND - 1);
      if (day < 2)
        reboot (self, 5 * SECOND);
      job = engine_find (self, "a");
    }
  /* what was not noted in time is waited for once more, an hour each boot at most */
  engine_assert_requests (self, "");
  engine_advance (self, 2 * 3600 * SECOND + 1);
  engine_take_start (self);
  tfd_signal_log_clear (self->log);
}

ENGINE_TEST (test_reboot_no_progress)
{
  TfdJob *job = fail_job (self,
                          "{'MinimumRetryDelay': <uint64 20000000>,"
                          " 'NoProgressTimeout': <uint64 30000000>}",
                          "{'transient': <true>}");

  reboot (self, 90000 * SECOND);
  job = engine_find (self, "a");
  assert_job (job, "transient-error");
  engine_advance (self, tfd_job_record (job)->retry_at - now_boot (self));
  guint64 run = engine_take_start (self);
  engine_failed (self, run, 0, "{'transient': <true>}");
  engine_answer (self, "Stop", "([],)");
  engine_advance (self, 10 * SECOND);
  assert_job (job, "error");
  tfd_signal_log_clear (self->log);
}

/* ---- interrupted Completes ---- */

/* Before the intent is committed nothing has happened. */
ENGINE_TEST (test_before_intent)
{
  TfdJob *job = engine_create_done (self, "a", 2, 2, NULL);

  engine_complete (self, job, "{}");
  engine_assert_requests (self, "Verify");
  engine_restart (self);
  assert_job (engine_find (self, "a"), "transferred");
  g_assert_cmpint (tfd_job_record (engine_find (self, "a"))->operation, ==, TFD_OPERATION_NONE);
  engine_assert_requests (self, "");
}

/* A job that ran when Complete stopped it runs on. */
ENGINE_TEST (test_before_intent_running)
{
  guint64 run;
  TfdJob *job = engine_create_running (self, "a", 2, NULL, &run);

  engine_done (self, run, 0);
  engine_complete (self, job, "{}");
  engine_answer (self, "Stop", "([],)");
  engine_assert_requests (self, "Verify");
  engine_restart (self);
  assert_job (engine_find (self, "a"), "connecting");
  engine_assert_asked (self, "Start", "1");
  engine_take_start (self);
  tfd_signal_log_clear (self->log);
}

/* After it the service rolls forward by itself, with the options of the call. */
ENGINE_TEST (test_after_intent)
{
  TfdJob *job = engine_create_done (self, "a", 3, 2, NULL);

  engine_complete (self, job, "{'overwrite': <'fail'>}");
  engine_answer_each (self, "Verify", "ok");
  engine_assert_requests (self, "Finalize");
  for (guint i = 0; i < 3; i++)
    {
      engine_restart (self);
      job = engine_find (self, "a");
      g_assert_cmpint (tfd_job_record (job)->operation, ==, TFD_OPERATION_COMPLETING);
      g_assert_true (tfd_engine_is_busy (self->engine, job));
      engine_assert_requests (self, "Verify");
      /* a temporary that is gone may have been renamed */
      engine_answer_each (self, "Verify", "missing");
      engine_assert_asked (self, "Finalize", "0 1");
      engine_assert_option (self, "Finalize", "recovering", "true");
      engine_assert_option (self, "Finalize", "overwrite", "'fail'");
    }
  engine_answer (self, "Finalize", "([(0, 'renamed', {}), (1, 'moved', {})],)");
  engine_restart (self);
  engine_answer_each (self, "Verify", "ok");
  engine_assert_asked (self, "Discard", "2");
  engine_answer (self, "Discard", "([],)");
  tfd_signal_log_assert_has (self->log, "a is acknowledged\na removed partial");

  /* what was moved is not kept, even when that was learnt in an earlier life */
  g_autoptr (GPtrArray) rows = tfd_store_load_tombstones (self->store, ALICE, NULL, NULL);
  g_assert_cmpuint (((TfdTombstone *) rows->pdata[0])->kept_count, ==, 1);
  g_assert_cmpuint (((TfdTombstone *) rows->pdata[0])->discarded_count, ==, 1);
}

/* A rename that fails now: the job stays, as it would have with a caller. */
ENGINE_TEST (test_roll_forward_fails)
{
  TfdJob *job = engine_create_done (self, "a", 1, 1, NULL);

  engine_complete (self, job, "{}");
  engine_answer_each (self, "Verify", "ok");
  engine_restart (self);
  engine_answer_each (self, "Verify", "ok");
  engine_answer_each (self, "Finalize", "failed");
  job = engine_find (self, "a");
  assert_job (job, "transferred");
  g_assert_cmpint (tfd_job_record (job)->operation, ==, TFD_OPERATION_NONE);
  tfd_engine_mounts_changed (self->engine);
  engine_restart (self);
  engine_assert_requests (self, "");
  tfd_signal_log_clear (self->log);
}

/* ---- … whose destination is away ---- */

/* A job whose Complete was interrupted, and cannot go on as nothing is mounted. */
static TfdJob *
await_destination (EngineFixture *self, guint n_files, guint n_done, const char *options)
{
  TfdJob *job = engine_create_done (self, "a", n_files, n_done, NULL);

  engine_complete (self, job, options);
  engine_answer_each (self, "Verify", "ok");
  engine_restart (self);
  engine_answer_each (self, "Verify", "unavailable");
  engine_answer (self, "Finalize", UNAVAILABLE);
  engine_assert_requests (self, "");
  job = engine_find (self, "a");
  g_assert_false (tfd_engine_is_busy (self->engine, job));
  g_assert_cmpint (tfd_job_record (job)->operation, ==, TFD_OPERATION_NONE);
  tfd_signal_log_clear (self->log);
  return job;
}

/* Any mount may be the one, and most are not. It is still a Complete that a crash interrupted. */
ENGINE_TEST (test_destination_back)
{
  TfdJob *job = await_destination (self, 1, 1, "{'overwrite': <'fail'>}");

  for (guint i = 0; i < 3; i++)
    {
      if (i == 1)
        engine_restart (self);
      else
        tfd_engine_mounts_changed (self->engine);
      engine_settle (self);
      job = engine_find (self, "a");
      g_assert_true (tfd_engine_is_busy (self->engine, job));
      engine_answer_each (self, "Verify", "unavailable");
      engine_assert_option (self, "Finalize", "recovering", "true");
      engine_assert_option (self, "Finalize", "overwrite", "'fail'");
      engine_answer (self, "Finalize", UNAVAILABLE);
      assert_job (job, "transferred");
      assert_file (job, 0, "transferred");
    }
  tfd_engine_mounts_changed (self->engine);
  engine_settle (self);
  /* it had been renamed before the crash, and moved since */
  engine_answer_each (self, "Verify", "missing");
  engine_answer_each (self, "Finalize", "moved");
  tfd_signal_log_assert_has (self->log, "a removed completed");
}

/* The owner went on with the job: what was asked for once is not done behind their back. */
ENGINE_TEST (test_destination_resumed)
{
  TfdJob *job = await_destination (self, 2, 1, "{}");
  guint64 run;

  assert_job (job, "suspended");
  OK (tfd_engine_resume (self->engine, job, error));
  engine_settle (self);
  run = engine_take_start (self);
  tfd_engine_mounts_changed (self->engine);
  engine_settle (self);
  engine_assert_requests (self, "");
  engine_done (self, run, 1);
  engine_answer (self, "Stop", "([],)");
  assert_job (job, "transferred");
  tfd_engine_mounts_changed (self->engine);
  engine_restart (self);
  engine_assert_requests (self, "");
  tfd_signal_log_clear (self->log);
}

ENGINE_TEST (test_destination_file_added)
{
  TfdJob *job = await_destination (self, 1, 1, "{}");
  g_autoptr (GPtrArray) specs = engine_specs ("a", 1, 1);
  guint32 first;

  OK (tfd_engine_add_files (self->engine, job, specs, NULL, NULL, &first, error));
  tfd_engine_mounts_changed (self->engine);
  engine_settle (self);
  engine_assert_requests (self, "");
}

ENGINE_TEST (test_destination_cancelled)
{
  TfdJob *job = await_destination (self, 1, 1, "{}");

  engine_cancel (self, job);
  engine_answer (self, "Discard", "([(0, [byte 0x2f], 'x')],)");
  tfd_signal_log_assert_has (self->log, "a removed cancelled");
  tfd_engine_mounts_changed (self->engine);
  engine_settle (self);
  engine_answer (self, "Discard", "([],)");
}

/* Completed by hand, which fails: now the caller knows. */
ENGINE_TEST (test_destination_completed)
{
  TfdJob *job = await_destination (self, 1, 1, "{}");

  engine_complete (self, job, "{}");
  engine_answer_each (self, "Verify", "unavailable");
  tfd_signal_log_assert_has (self->log, "a outcome CommitFailed");
  tfd_engine_mounts_changed (self->engine);
  engine_restart (self);
  engine_assert_requests (self, "");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ENGINE_ADD ("/engine/restart/suspended", test_suspended);
  ENGINE_ADD ("/engine/restart/queued", test_queued);
  ENGINE_ADD ("/engine/restart/transferring", test_transferring);
  ENGINE_ADD ("/engine/restart/order", test_order);
  ENGINE_ADD ("/engine/restart/transient-error", test_transient);
  ENGINE_ADD ("/engine/restart/error", test_error);
  ENGINE_ADD ("/engine/restart/transferred", test_transferred);
  ENGINE_ADD ("/engine/reboot/transient-error", test_reboot_transient);
  ENGINE_ADD ("/engine/reboot/later", test_reboot_later);
  ENGINE_ADD ("/engine/reboot/and-restart", test_reboot_and_restart);
  ENGINE_ADD ("/engine/reboot/daily", test_reboot_daily);
  ENGINE_ADD ("/engine/reboot/no-progress", test_reboot_no_progress);
  ENGINE_ADD ("/engine/recover/before-intent", test_before_intent);
  ENGINE_ADD ("/engine/recover/before-intent-running", test_before_intent_running);
  ENGINE_ADD ("/engine/recover/after-intent", test_after_intent);
  ENGINE_ADD ("/engine/recover/fails", test_roll_forward_fails);
  ENGINE_ADD ("/engine/recover/destination/back", test_destination_back);
  ENGINE_ADD ("/engine/recover/destination/resumed", test_destination_resumed);
  ENGINE_ADD ("/engine/recover/destination/file-added", test_destination_file_added);
  ENGINE_ADD ("/engine/recover/destination/cancelled", test_destination_cancelled);
  ENGINE_ADD ("/engine/recover/destination/completed", test_destination_completed);
  return g_test_run ();
}
