/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Tests of Complete when the worker says that something is wrong, or says nonsense, or nothing. */
#include "engine-fixture.h"

/* @method is asked for once more after each of @count losses, and what it waits for is longer each
 * time. */
static void
fail_often (EngineFixture *self, const char *method, guint count)
{
  static const gint64 pauses[] = { 0, 1, 5, 30, 30 };

  for (guint i = 0; i < count; i++)
    {
      engine_fail (self, method, G_IO_ERROR_CONNECTION_CLOSED);
      if (pauses[i] > 0)
        {
          engine_assert_requests (self, "");
          engine_advance (self, pauses[i] * SECOND - 1);
          engine_assert_requests (self, "");
          engine_advance (self, 1);
        }
      if (g_str_equal (method, "Finalize"))
        {
          /* a new worker is shown the job's own files first */
          engine_assert_option (self, "Verify", "recovering", "true");
          engine_answer_each (self, "Verify", "ok");
        }
      engine_assert_requests (self, method);
    }
}

static TfdJob *
begin (EngineFixture *self, guint n_files, guint n_done, const char *options)
{
  TfdJob *job = engine_create_done (self, "a", n_files, n_done, NULL);

  engine_complete (self, job, options);
  return job;
}

/* The job can be completed after all: files up to @n_done that are not in place are renamed. */
static void
complete_again (EngineFixture *self, TfdJob *job, const char *renamed)
{
  g_assert_false (tfd_engine_is_busy (self->engine, job));
  engine_assert_requests (self, "");
  engine_complete (self, job, "{}");
  engine_answer_each (self, "Verify", "ok");
  engine_assert_asked (self, "Finalize", renamed);
  engine_answer_each (self, "Finalize", "renamed");
}

/* ---- Verify ---- */

/* A temporary that is gone, or is not ours: nothing is renamed, the file is fetched again. */
static void
check_missing (EngineFixture *self, const char *status)
{
  g_autofree char *answer =
      g_strdup_printf ("([(0, 'ok', {}), (1, '%s', {'message': <'x'>})],)", status);
  TfdJob *job = begin (self, 2, 2, "{}");
  guint64 run;

  engine_answer (self, "Verify", answer);
  engine_assert_requests (self, "");
  assert_job (job, "suspended");
  assert_file (job, 0, "transferred");
  assert_file (job, 1, "missing");
  g_assert_cmpuint (tfd_job_record (job)->files_transferred, ==, 1);
  g_assert_cmpuint (tfd_job_record (job)->bytes_transferred, ==, 100);
  g_assert_cmpint (tfd_job_record (job)->operation, ==, TFD_OPERATION_NONE);
  tfd_signal_log_assert (self->log, "a is suspended\na outcome CommitFailed");

  OK (tfd_engine_resume (self->engine, job, error));
  engine_settle (self);
  engine_assert_asked (self, "Start", "1");
  engine_assert_file_value (self, "Start", 1, "attempt", "1");
  engine_assert_file_value (self, "Start", 1, "part", "");
  run = engine_take_start (self);
  engine_done (self, run, 1);
  engine_answer (self, "Stop", "([],)");
  complete_again (self, job, "0 1");
  tfd_signal_log_assert_has (self->log, "a transferred\na outcome completed kept 0 1");
}

ENGINE_TEST (test_verify_missing) { check_missing (self, "missing"); }

ENGINE_TEST (test_verify_foreign) { check_missing (self, "foreign"); }

/* A status that this version does not know is no permission to go on. */
ENGINE_TEST (test_verify_unknown) { check_missing (self, "nonsense"); }

/* Not mounted is not gone. */
ENGINE_TEST (test_verify_unavailable)
{
  TfdJob *job = begin (self, 2, 2, "{}");

  engine_answer (self, "Verify", "([(0, 'ok', {}), (1, 'unavailable', {})],)");
  assert_job (job, "transferred");
  assert_file (job, 0, "transferred");
  assert_file (job, 1, "transferred");
  tfd_signal_log_assert_has (self->log, "a outcome CommitFailed");
  /* the caller knows: nothing happens behind its back */
  tfd_engine_mounts_changed (self->engine);
  engine_restart (self);
  engine_assert_requests (self, "");
  complete_again (self, engine_find (self, "a"), "0 1");
  tfd_signal_log_assert_has (self->log, "a outcome completed kept 0 1");
}

ENGINE_TEST (test_verify_unavailable_partial)
{
  TfdJob *job = begin (self, 2, 1, "{}");

  engine_answer_each (self, "Verify", "unavailable");
  assert_job (job, "suspended");
  tfd_signal_log_assert_has (self->log, "a outcome CommitFailed");
  complete_again (self, job, "0");
  engine_answer (self, "Discard", "([],)");
  tfd_signal_log_assert_has (self->log, "a outcome partial kept 0 discarded 1");
}

ENGINE_TEST (test_verify_fails)
{
  TfdJob *job = begin (self, 1, 1, "{}");

  fail_often (self, "Verify", 4);
  engine_answer_each (self, "Verify", "ok");
  engine_answer_each (self, "Finalize", "renamed");
  tfd_signal_log_assert_has (self->log, "a outcome completed kept 0");

  job = begin (self, 1, 1, "{}");
  fail_often (self, "Verify", 4);
  engine_fail (self, "Verify", G_IO_ERROR_CONNECTION_CLOSED);
  engine_assert_requests (self, "");
  assert_job (job, "transferred");
  tfd_signal_log_assert_has (self->log, "a outcome CommitFailed");
  complete_again (self, job, "0");
  tfd_signal_log_clear (self->log);
}

/* Nothing was committed, so nothing has happened: a job that ran runs on. */
ENGINE_TEST (test_verify_fails_running)
{
  guint64 run;
  TfdJob *job = engine_create_running (self, "a", 2, NULL, &run);

  engine_done (self, run, 0);
  for (guint i = 0; i < 2; i++)
    {
      engine_complete (self, job, "{}");
      engine_answer (self, "Stop", "([],)");
      if (i == 0)
        engine_answer_each (self, "Verify", "unavailable");
      else
        {
          fail_often (self, "Verify", 4);
          engine_fail (self, "Verify", G_IO_ERROR_CONNECTION_CLOSED);
        }
      tfd_signal_log_assert_has (self->log, "a is queued\na outcome CommitFailed");
      assert_job (job, "connecting");
      engine_assert_asked (self, "Start", "1");
      engine_take_start (self);
    }
  tfd_signal_log_clear (self->log);
}

/* Answers about files that were not asked about, twice, or about none. */
ENGINE_TEST (test_verify_nonsense)
{
  TfdJob *job = begin (self, 2, 1, "{}");

  engine_answer (self, "Verify",
                 "([(1, 'missing', {}), (7, 'missing', {}), (4294967295, 'ok', {}),"
                 " (0, 'ok', {'target': <b'x'>, 'message': <1>}), (0, 'ok', {})],)");
  engine_assert_asked (self, "Finalize", "0");
  engine_assert_file_value (self, "Finalize", 0, "target", "");
  engine_answer_each (self, "Finalize", "renamed");
  engine_answer (self, "Discard", "([],)");
  g_assert_true (tfd_job_state_is_final (tfd_job_record (job)->state));

  job = begin (self, 1, 1, "{}");
  engine_answer (self, "Verify", "([],)");
  engine_answer_each (self, "Finalize", "renamed");
  g_assert_true (tfd_job_state_is_final (tfd_job_record (job)->state));
  tfd_signal_log_clear (self->log);
}

/* A Complete whose answer was lost had done its work: the next one finds the file in its place. */
ENGINE_TEST (test_verify_in_place)
{
  begin (self, 2, 2, "{}");
  engine_answer (self, "Verify", "([(0, 'in-place', {}), (1, 'ok', {})],)");
  engine_assert_asked (self, "Finalize", "1");
  engine_answer_each (self, "Finalize", "renamed");
  tfd_signal_log_assert_has (self->log, "a outcome completed kept 0 1");
}

/* ---- Finalize ---- */

/* A rename that fails keeps the job; Complete can be repeated and skips what is in place. */
ENGINE_TEST (test_finalize_failed)
{
  TfdJob *job = begin (self, 3, 3, "{}");

  engine_answer_each (self, "Verify", "ok");
  engine_answer (self, "Finalize",
                 "([(0, 'renamed', {}), (1, 'failed', {'message': <'x'>,"
                 " 'error': <'org.transferd.Transfer1.Error.CommitFailed'>})],)");
  assert_job (job, "transferred");
  assert_file (job, 0, "completed");
  assert_file (job, 1, "transferred");
  g_assert_cmpint (tfd_job_record (job)->operation, ==, TFD_OPERATION_NONE);
  tfd_signal_log_assert_has (self->log, "a outcome CommitFailed");

  engine_restart (self);
  job = engine_find (self, "a");
  engine_assert_requests (self, "");
  assert_job (job, "transferred");
  engine_complete (self, job, "{}");
  engine_assert_asked (self, "Verify", "0 1 2");
  engine_answer_each (self, "Verify", "ok");
  engine_assert_asked (self, "Finalize", "1 2");
  engine_answer_each (self, "Finalize", "renamed");
  tfd_signal_log_assert_has (self->log, "a outcome completed kept 0 1 2");
}

/* Nothing unfinished is deleted when a rename fails. */
ENGINE_TEST (test_finalize_failed_partial)
{
  TfdJob *job = begin (self, 3, 2, "{}");

  engine_answer_each (self, "Verify", "ok");
  engine_answer (self, "Finalize", "([(0, 'renamed', {}), (1, 'failed', {})],)");
  engine_assert_requests (self, "");
  assert_job (job, "suspended");
  tfd_signal_log_assert_has (self->log, "a outcome CommitFailed");
  OK (tfd_engine_resume (self->engine, job, error));
  engine_settle (self);
  engine_assert_asked (self, "Start", "2");
  engine_take_start (self);
  tfd_signal_log_clear (self->log);
}

/* A verdict that this version does not know is a failure. */
ENGINE_TEST (test_finalize_unknown)
{
  TfdJob *job = begin (self, 1, 1, "{}");

  engine_answer_each (self, "Verify", "ok");
  engine_answer_each (self, "Finalize", "nonsense");
  assert_job (job, "transferred");
  assert_file (job, 0, "transferred");
  tfd_signal_log_assert_has (self->log, "a outcome CommitFailed");
  complete_again (self, job, "0");
  tfd_signal_log_clear (self->log);
}

ENGINE_TEST (test_finalize_empty)
{
  TfdJob *job = begin (self, 1, 1, "{}");

  engine_answer_each (self, "Verify", "ok");
  engine_answer (self, "Finalize", "([],)");
  tfd_signal_log_assert_has (self->log, "a outcome CommitFailed");
  complete_again (self, job, "0");
  tfd_signal_log_clear (self->log);
}

/* A worker that speaks of other files only is not asked for ever. */
ENGINE_TEST (test_finalize_nonsense)
{
  TfdJob *job = begin (self, 2, 1, "{}");

  engine_answer_each (self, "Verify", "ok");
  engine_answer (self, "Finalize", "([(1, 'renamed', {}), (7, 'renamed', {})],)");
  engine_assert_requests (self, "");
  assert_job (job, "suspended");
  assert_file (job, 1, "waiting");
  tfd_signal_log_assert_has (self->log, "a outcome CommitFailed");
}

/* Files that were renamed one after the other are named by the first and the last. */
ENGINE_TEST (test_finalize_several)
{
  TfdJob *job = begin (self, 6, 5, "{}");

  engine_answer (self, "Verify", "([],)");
  engine_assert_asked (self, "Finalize", "0 1 2 3 4");
  engine_answer (self, "Finalize", "([(0, 'renamed', {'last': <uint32 2>})],)");
  engine_assert_asked (self, "Finalize", "3 4");
  assert_file (job, 2, "completed");
  assert_file (job, 3, "transferred");

  /* what is committed is there after a crash */
  engine_fail (self, "Finalize", G_IO_ERROR_CONNECTION_CLOSED);
  engine_restart (self);
  job = engine_find (self, "a");
  assert_file (job, 0, "completed");
  assert_file (job, 2, "completed");
  assert_file (job, 3, "transferred");
  engine_answer (self, "Verify", "([],)");
  engine_assert_asked (self, "Finalize", "3 4");
  engine_answer (self, "Finalize", "([(3, 'moved', {}), (4, 'renamed', {'last': <uint32 4>})],)");
  engine_assert_asked (self, "Discard", "5");
  engine_answer (self, "Discard", "([],)");
  tfd_signal_log_assert_has (self->log, "a removed partial");
}

/* Of what it was not asked for a worker can say what it likes. */
ENGINE_TEST (test_finalize_too_many)
{
  static const char *const last[] = { "1", "2", "7", "4294967295" };

  for (gsize i = 0; i < G_N_ELEMENTS (last); i++)
    {
      g_autofree char *answer =
          g_strdup_printf ("([(0, 'renamed', {'last': <uint32 %s>})],)", last[i]);
      TfdJob *job = begin (self, 3, 2, "{}");

      engine_answer (self, "Verify", "([],)");
      engine_answer (self, "Finalize", answer);
      assert_file (job, 1, "completed");
      assert_file (job, 2, "waiting");
      engine_assert_asked (self, "Discard", "2");
      engine_answer (self, "Discard", "([],)");
      tfd_signal_log_assert_has (self->log, "a outcome partial kept 0 1 discarded 2");
      tfd_signal_log_clear (self->log);
      engine_advance (self, 10 * SECOND);
    }
}

/* Who names none of what it was asked for has renamed nothing, and is not asked for ever. */
ENGINE_TEST (test_finalize_backwards)
{
  TfdJob *job = begin (self, 3, 3, "{}");

  engine_answer (self, "Verify", "([],)");
  engine_answer (self, "Finalize", "([(2, 'renamed', {'last': <uint32 0>})],)");
  engine_assert_requests (self, "");
  assert_job (job, "transferred");
  assert_file (job, 2, "transferred");
  tfd_signal_log_assert_has (self->log, "a outcome CommitFailed");
}

ENGINE_TEST (test_finalize_moved)
{
  begin (self, 2, 2, "{}");
  engine_answer_each (self, "Verify", "ok");
  engine_answer (self, "Finalize", "([(0, 'moved', {}), (1, 'renamed', {})],)");
  tfd_signal_log_assert_has (self->log, "a outcome completed kept 1 moved 0");
}

/* A worker that dies while it renames: its successor judges what it left behind. */
ENGINE_TEST (test_finalize_fails)
{
  TfdJob *job = begin (self, 1, 1, "{}");

  engine_answer_each (self, "Verify", "ok");
  engine_assert_option (self, "Finalize", "recovering", "false");
  fail_often (self, "Finalize", 4);
  engine_assert_option (self, "Finalize", "recovering", "true");
  engine_answer_each (self, "Finalize", "renamed");
  tfd_signal_log_assert_has (self->log, "a outcome completed kept 0");

  job = begin (self, 1, 1, "{}");
  engine_answer_each (self, "Verify", "ok");
  fail_often (self, "Finalize", 4);
  engine_fail (self, "Finalize", G_IO_ERROR_CONNECTION_CLOSED);
  engine_assert_requests (self, "");
  assert_job (job, "transferred");
  tfd_signal_log_assert_has (self->log, "a outcome CommitFailed");
  /* it is not known what was renamed: a temporary that is gone need not be lost */
  engine_complete (self, job, "{}");
  engine_answer_each (self, "Verify", "ok");
  engine_answer_each (self, "Finalize", "renamed");
  tfd_signal_log_clear (self->log);
}

/* With nobody waiting for the answer there is nobody who would ask again: it goes on. */
ENGINE_TEST (test_finalize_fails_for_long)
{
  guint64 run;
  TfdJob *job = engine_create_running (self, "a", 1, "{'AutoComplete': <true>}", &run);

  engine_done (self, run, 0);
  engine_answer (self, "Stop", "([],)");
  engine_answer_each (self, "Verify", "ok");
  for (guint i = 0; i < 50; i++)
    {
      engine_fail (self, "Finalize", G_IO_ERROR_CONNECTION_CLOSED);
      if (i == 30)
        engine_restart (self);
      engine_advance (self, 30 * SECOND);
      engine_answer_each (self, "Verify", "ok");
      engine_assert_requests (self, "Finalize");
    }
  job = engine_find (self, "a");
  g_assert_true (tfd_engine_is_busy (self->engine, job));
  engine_answer_each (self, "Finalize", "renamed");
  tfd_signal_log_assert_has (self->log, "a is acknowledged\na removed completed");
}

/* The caller was told of the failure, so nothing is done behind its back when a mount comes. */
ENGINE_TEST (test_finalize_unavailable)
{
  TfdJob *job = begin (self, 1, 1, "{}");

  engine_answer_each (self, "Verify", "ok");
  fail_often (self, "Finalize", 1);
  engine_answer (self, "Finalize",
                 "([(0, 'failed', {'error':"
                 " <'org.transferd.Transfer1.Error.DestinationUnavailable'>})],)");
  tfd_signal_log_assert_has (self->log, "a outcome CommitFailed");
  tfd_engine_mounts_changed (self->engine);
  engine_restart (self);
  engine_assert_requests (self, "");
  job = engine_find (self, "a");
  assert_job (job, "transferred");
  complete_again (self, job, "0");
  tfd_signal_log_clear (self->log);
}

/* ---- keep-both ---- */

/* The name is chosen, committed, and only then used. */
ENGINE_TEST (test_keep_both)
{
  begin (self, 1, 1, "{'overwrite': <'keep-both'>}");
  engine_assert_option (self, "Verify", "overwrite", "'keep-both'");
  engine_answer (self, "Verify", "([(0, 'ok', {'target': <[byte 0x2f, 0x78]>})],)");
  engine_assert_file_value (self, "Finalize", 0, "target", "/x");
  engine_restart (self);
  /* the chosen name is remembered, so that what was renamed to it is known to be ours */
  engine_assert_requests (self, "Finalize");
  engine_assert_option (self, "Finalize", "overwrite", "'keep-both'");
  engine_assert_option (self, "Finalize", "recovering", "true");
  engine_assert_file_value (self, "Finalize", 0, "target", "/x");
  engine_answer_each (self, "Finalize", "renamed");
  tfd_signal_log_clear (self->log);
}

/* Somebody took the name: another one, as often as needed, but not for ever. */
ENGINE_TEST (test_keep_both_taken)
{
  TfdJob *job = begin (self, 2, 2, "{'overwrite': <'keep-both'>}");
  guint tries = 0;

  engine_answer (self, "Verify",
                 "([(0, 'ok', {'target': <[byte 0x2f, 0x78]>}),"
                 " (1, 'ok', {'target': <[byte 0x2f, 0x79]>})],)");
  engine_answer (self, "Finalize", "([(0, 'renamed', {}), (1, 'taken', {})],)");
  assert_file (job, 0, "completed");
  engine_answer (self, "Verify", "([(1, 'ok', {'target': <[byte 0x2f, 0x7a]>})],)");
  engine_assert_asked (self, "Finalize", "1");
  engine_assert_file_value (self, "Finalize", 1, "target", "/z");
  for (; tfd_engine_is_busy (self->engine, job); tries++)
    {
      g_assert_cmpuint (tries, <, 200);
      engine_answer_each (self, "Finalize", "taken");
      if (tfd_engine_is_busy (self->engine, job))
        engine_answer (self, "Verify", "([(1, 'ok', {'target': <[byte 0x2f, 0x7a]>})],)");
    }
  assert_job (job, "transferred");
  tfd_signal_log_assert_has (self->log, "a outcome CommitFailed");
  /* another Complete chooses anew, unless the file got the name after all */
  engine_complete (self, job, "{'overwrite': <'keep-both'>}");
  engine_assert_file_value (self, "Verify", 1, "target", "/z");
  engine_answer (self, "Verify", "([(1, 'ok', {'target': <[byte 0x2f, 0x77]>})],)");
  engine_assert_file_value (self, "Finalize", 1, "target", "/w");
  engine_answer_each (self, "Finalize", "renamed");
  tfd_signal_log_assert_has (self->log, "a outcome completed kept 0 1");
}

/* A name that was chosen for a Complete that failed is none for another that wants no such names.
 */
ENGINE_TEST (test_keep_both_no_more)
{
  TfdJob *job = begin (self, 2, 2, "{'overwrite': <'keep-both'>}");

  engine_answer (self, "Verify",
                 "([(0, 'ok', {'target': <[byte 0x2f, 0x78]>}),"
                 " (1, 'ok', {'target': <[byte 0x2f, 0x79]>})],)");
  engine_answer (self, "Finalize", "([(0, 'failed', {})],)");
  tfd_signal_log_assert_has (self->log, "a outcome CommitFailed");

  engine_complete (self, job, "{}");
  /* shown to the worker, which may find the file under it */
  engine_assert_file_value (self, "Verify", 0, "target", "/x");
  engine_answer (self, "Verify", "([(1, 'in-place', {})],)");
  engine_assert_asked (self, "Finalize", "0");
  engine_assert_file_value (self, "Finalize", 0, "target", "");
  engine_restart (self);
  job = engine_find (self, "a");
  engine_answer (self, "Verify", "([],)");
  engine_assert_file_value (self, "Finalize", 0, "target", "");
  engine_answer_each (self, "Finalize", "renamed");
  tfd_signal_log_clear (self->log);
}

/* Names are for keep-both only. */
ENGINE_TEST (test_target_unwanted)
{
  begin (self, 1, 1, "{'overwrite': <'fail'>}");
  engine_answer (self, "Verify", "([(0, 'ok', {'target': <[byte 0x2f, 0x78]>})],)");
  engine_assert_option (self, "Finalize", "overwrite", "'fail'");
  engine_assert_file_value (self, "Finalize", 0, "target", "");
  engine_answer_each (self, "Finalize", "renamed");
  tfd_signal_log_clear (self->log);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ENGINE_ADD ("/engine/complete/verify/missing", test_verify_missing);
  ENGINE_ADD ("/engine/complete/verify/foreign", test_verify_foreign);
  ENGINE_ADD ("/engine/complete/verify/unknown", test_verify_unknown);
  ENGINE_ADD ("/engine/complete/verify/unavailable", test_verify_unavailable);
  ENGINE_ADD ("/engine/complete/verify/unavailable-partial", test_verify_unavailable_partial);
  ENGINE_ADD ("/engine/complete/verify/fails", test_verify_fails);
  ENGINE_ADD ("/engine/complete/verify/fails-running", test_verify_fails_running);
  ENGINE_ADD ("/engine/complete/verify/nonsense", test_verify_nonsense);
  ENGINE_ADD ("/engine/complete/verify/in-place", test_verify_in_place);
  ENGINE_ADD ("/engine/complete/finalize/failed", test_finalize_failed);
  ENGINE_ADD ("/engine/complete/finalize/failed-partial", test_finalize_failed_partial);
  ENGINE_ADD ("/engine/complete/finalize/unknown", test_finalize_unknown);
  ENGINE_ADD ("/engine/complete/finalize/empty", test_finalize_empty);
  ENGINE_ADD ("/engine/complete/finalize/nonsense", test_finalize_nonsense);
  ENGINE_ADD ("/engine/complete/finalize/several", test_finalize_several);
  ENGINE_ADD ("/engine/complete/finalize/too-many", test_finalize_too_many);
  ENGINE_ADD ("/engine/complete/finalize/backwards", test_finalize_backwards);
  ENGINE_ADD ("/engine/complete/finalize/moved", test_finalize_moved);
  ENGINE_ADD ("/engine/complete/finalize/fails", test_finalize_fails);
  ENGINE_ADD ("/engine/complete/finalize/fails-for-long", test_finalize_fails_for_long);
  ENGINE_ADD ("/engine/complete/finalize/unavailable", test_finalize_unavailable);
  ENGINE_ADD ("/engine/complete/keep-both/chosen", test_keep_both);
  ENGINE_ADD ("/engine/complete/keep-both/taken", test_keep_both_taken);
  ENGINE_ADD ("/engine/complete/keep-both/no-more", test_keep_both_no_more);
  ENGINE_ADD ("/engine/complete/keep-both/unwanted", test_target_unwanted);
  return g_test_run ();
}
