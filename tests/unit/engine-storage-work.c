/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Tests of Complete and Cancel on a database that cannot be written: what is recorded happens, what
 * is not recorded does not, and the caller hears the truth. */
#include "engine-fixture.h"

/* The intent cannot be recorded: nothing has happened. */
ENGINE_TEST (test_intent)
{
  TfdJob *job = engine_create_done (self, "a", 2, 1, NULL);

  engine_complete (self, job, "{}");
  self->failing_commits = 1;
  engine_answer_each (self, "Verify", "ok");
  engine_assert_requests (self, "");
  assert_job (job, "suspended");
  g_assert_false (tfd_engine_is_busy (self->engine, job));
  tfd_signal_log_assert (self->log, "warning\na outcome StorageFailed");

  self->failing_commits = 1;
  engine_cancel (self, job);
  engine_assert_requests (self, "");
  assert_job (job, "suspended");
  tfd_signal_log_assert (self->log, "warning\na outcome StorageFailed");
}

/* A job that was taken from its worker for that runs on. */
ENGINE_TEST (test_intent_running)
{
  guint64 run;
  TfdJob *job = engine_create_running (self, "a", 1, NULL, &run);

  self->failing_commits = 2;
  engine_cancel (self, job);
  engine_answer (self, "Stop", "([],)");
  self->failing_commits = 0;
  engine_advance (self, 10 * SECOND);
  tfd_signal_log_assert_has (self->log, "warning\na outcome StorageFailed");
  assert_job (job, "connecting");
  engine_take_start (self);
  tfd_signal_log_clear (self->log);
}

/* The files are in place: what is recorded says that they are on their way. */
ENGINE_TEST (test_batch)
{
  TfdJob *job = engine_create_done (self, "a", 2, 2, NULL);

  engine_complete (self, job, "{}");
  engine_answer_each (self, "Verify", "ok");
  self->failing_commits = 1;
  engine_answer (self, "Finalize", "([(0, 'renamed', {})],)");
  assert_file (job, 0, "transferred");
  tfd_signal_log_assert_has (self->log, "warning\na outcome StorageFailed");
  engine_assert_asked (self, "Verify", "0 1");
  engine_assert_option (self, "Verify", "recovering", "true");
  engine_answer_each (self, "Verify", "ok");
  engine_assert_asked (self, "Finalize", "0 1");
  engine_assert_option (self, "Finalize", "recovering", "true");
  engine_answer_each (self, "Finalize", "renamed");
  tfd_signal_log_assert (self->log, "a is acknowledged\na removed completed");
}

/* Not even that it failed can be recorded: what is recorded says that it goes on, so it does. */
ENGINE_TEST (test_failure)
{
  TfdJob *job = engine_create_done (self, "a", 2, 2, NULL);

  engine_complete (self, job, "{}");
  engine_answer_each (self, "Verify", "ok");
  self->failing_commits = 1;
  engine_answer (self, "Finalize", "([(0, 'failed', {'message': <'x'>})],)");
  tfd_signal_log_assert_has (self->log, "warning\na outcome StorageFailed");
  g_assert_true (tfd_engine_is_busy (self->engine, job));
  engine_advance (self, SECOND);
  engine_answer_each (self, "Verify", "ok");
  engine_answer_each (self, "Finalize", "renamed");
  tfd_signal_log_assert (self->log, "a is acknowledged\na removed completed");
}

/* The service may end while it waits to try again. */
ENGINE_TEST (test_end_and_crash)
{
  TfdJob *job = engine_create_done (self, "a", 1, 1, NULL);

  engine_complete (self, job, "{}");
  engine_answer_each (self, "Verify", "ok");
  self->failing_commits = 1;
  engine_answer_each (self, "Finalize", "renamed");
  engine_assert_requests (self, "");
  assert_file (job, 0, "transferred");
  engine_restart (self);
  engine_answer_each (self, "Verify", "in-place");
  tfd_signal_log_assert_has (self->log, "a is acknowledged\na removed completed");
}

/* When all is in place the job ends in the same commit: what is undone with it is judged anew. */
ENGINE_TEST (test_last_batch)
{
  TfdJob *job = engine_create_done (self, "a", 3, 3, NULL);

  engine_complete (self, job, "{}");
  engine_answer_each (self, "Verify", "ok");
  self->failing_commits = 2;
  engine_answer (self, "Finalize", "([(0, 'renamed', {'last': <uint32 2>})],)");
  tfd_signal_log_assert_has (self->log, "warning\na outcome StorageFailed");
  g_assert_true (tfd_engine_is_busy (self->engine, job));
  g_assert_cmpuint (engine_count_rows (self, "tombstones"), ==, 0);
  assert_file (job, 2, "transferred");
  engine_advance (self, SECOND);
  engine_assert_option (self, "Verify", "recovering", "true");
  /* one of them was deleted meanwhile, and the commit fails once more */
  engine_answer (self, "Verify",
                 "([(0, 'in-place', {}), (1, 'missing', {}), (2, 'in-place', {})],)");
  engine_assert_requests (self, "");
  engine_advance (self, 30 * SECOND);
  engine_answer (self, "Verify",
                 "([(0, 'in-place', {}), (1, 'missing', {}), (2, 'in-place', {})],)");
  engine_assert_asked (self, "Finalize", "1");
  engine_answer (self, "Finalize", "([(1, 'moved', {})],)");
  tfd_signal_log_assert_has (self->log, "a is acknowledged\na removed completed");
  g_assert_cmpuint (engine_count_rows (self, "tombstones"), ==, 1);
}

/* The end cannot be recorded: the caller hears that, and it is tried again. */
ENGINE_TEST (test_end)
{
  TfdJob *job = engine_create_done (self, "a", 2, 1, NULL);

  engine_complete (self, job, "{}");
  engine_answer_each (self, "Verify", "ok");
  engine_answer_each (self, "Finalize", "renamed");
  self->failing_commits = 1;
  engine_answer (self, "Discard", "([(1, [byte 0x2f, 0x78], 'x')],)");
  tfd_signal_log_assert (self->log,
                         "a is suspended (completing)\nwarning\na outcome StorageFailed");
  g_assert_true (tfd_engine_is_busy (self->engine, job));
  g_assert_cmpuint (engine_count_rows (self, "tombstones"), ==, 0);
  engine_assert_requests (self, "");
  engine_advance (self, SECOND);
  engine_answer_each (self, "Verify", "ok");
  engine_answer (self, "Discard", "([(1, [byte 0x2f, 0x78], 'x')],)");
  tfd_signal_log_assert (self->log, "a is acknowledged\na removed partial");

  g_autoptr (GPtrArray) rows = tfd_store_load_tombstones (self->store, ALICE, NULL, NULL);
  g_assert_cmpuint (rows->len, ==, 1);
  g_assert_cmpuint (g_strv_length (((TfdTombstone *) rows->pdata[0])->undeleted), ==, 1);
  g_assert_cmpuint (engine_count_rows (self, "leftovers"), ==, 1);
}

/* The commit fails in which a file was noted as missing, between two questions. */
ENGINE_TEST (test_verify)
{
  TfdJob *job = engine_create (self, "a", 1500, TRUE, NULL);
  guint64 run = engine_take_start (self);
  GVariantBuilder builder;

  g_variant_builder_init (&builder, G_VARIANT_TYPE ("a(uta{sv})"));
  for (guint i = 0; i < 1500; i++)
    g_variant_builder_add (&builder, "(uta{sv})", i, G_GUINT64_CONSTANT (1), NULL);
  tfd_fake_transport_news (self->transport, ALICE, "FilesDone",
                           g_variant_new ("(ta(uta{sv}))", run, &builder));
  engine_settle (self);
  engine_answer (self, "Stop", "([],)");
  engine_complete (self, job, "{}");
  self->failing_commits = 1;
  engine_answer_each (self, "Verify", "missing");
  engine_answer_each (self, "Verify", "ok");
  engine_answer_each (self, "Verify", "ok");
  engine_assert_requests (self, "");
  g_assert_false (tfd_engine_is_busy (self->engine, job));
  tfd_signal_log_assert_has (self->log, "warning\na outcome CommitFailed");
  assert_file (job, 0, "transferred");
  engine_complete (self, job, "{}");
  for (guint i = 0; i < 3; i++)
    engine_answer_each (self, "Verify", "ok");
  engine_answer_each (self, "Finalize", "renamed");
  engine_answer_each (self, "Finalize", "renamed");
  tfd_signal_log_clear (self->log);
}

/* A worker that is about to do what cannot be done twice goes on when it is on the disk, and only
 * then. */
ENGINE_TEST (test_commit)
{
  guint64 run;
  TfdJob *job = engine_create_running (self, "a", 1, NULL, &run);
  g_autofree char *text = g_strdup_printf ("(%" G_GUINT64_FORMAT ", 0, {'begun': <true>})", run);

  engine_news (self, "Commit", "(tua{sv})", text);
  g_autofree char *expected = g_strdup_printf ("(uint64 %" G_GUINT64_FORMAT ", uint32 0)", run);
  g_autofree char *printed =
      g_variant_print (tfd_fake_transport_peek (self->transport, "Committed"), TRUE);
  g_assert_cmpstr (printed, ==, expected);
  g_assert_nonnull (engine_file (job, 0)->part);
  engine_answer (self, "Committed", "()");

  self->failing_commits = 1;
  engine_news (self, "Commit", "(tua{sv})", text);
  engine_assert_requests (self, "Stop");
  engine_answer (self, "Stop", "([],)");
  engine_take_start (self);
  tfd_signal_log_clear (self->log);
}

ENGINE_TEST (test_cancel_end)
{
  TfdJob *job = engine_create_done (self, "a", 1, 1, NULL);

  engine_cancel (self, job);
  self->failing_commits = 3;
  engine_answer (self, "Discard", "([],)");
  tfd_signal_log_assert_has (self->log, "warning\na outcome StorageFailed");
  for (guint i = 0; i < 3; i++)
    {
      static const guint pauses[] = { 1, 5, 30 };

      engine_advance (self, pauses[i] * SECOND - 1);
      engine_assert_requests (self, "");
      engine_advance (self, 1);
      engine_answer (self, "Discard", "([],)");
    }
  tfd_signal_log_assert_has (self->log, "warning\nwarning\na removed cancelled");
}

/* What was left over and is deleted now may be asked for twice. */
ENGINE_TEST (test_leftovers)
{
  TfdJob *job = engine_create_done (self, "a", 1, 1, NULL);

  engine_cancel (self, job);
  engine_answer (self, "Discard", "([(0, [byte 0x2f], 'x')],)");
  tfd_engine_mounts_changed (self->engine);
  engine_settle (self);
  self->failing_commits = 1;
  engine_answer (self, "Discard", "([],)");
  g_assert_cmpuint (engine_count_rows (self, "leftovers"), ==, 1);
  tfd_engine_mounts_changed (self->engine);
  engine_settle (self);
  engine_answer (self, "Discard", "([],)");
  g_assert_cmpuint (engine_count_rows (self, "leftovers"), ==, 0);
  tfd_signal_log_clear (self->log);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ENGINE_ADD ("/engine/storage/commit", test_commit);
  ENGINE_ADD ("/engine/storage/intent", test_intent);
  ENGINE_ADD ("/engine/storage/intent-running", test_intent_running);
  ENGINE_ADD ("/engine/storage/batch", test_batch);
  ENGINE_ADD ("/engine/storage/failure", test_failure);
  ENGINE_ADD ("/engine/storage/end-and-crash", test_end_and_crash);
  ENGINE_ADD ("/engine/storage/last-batch", test_last_batch);
  ENGINE_ADD ("/engine/storage/end", test_end);
  ENGINE_ADD ("/engine/storage/verify", test_verify);
  ENGINE_ADD ("/engine/storage/cancel-end", test_cancel_end);
  ENGINE_ADD ("/engine/storage/leftovers", test_leftovers);
  return g_test_run ();
}
