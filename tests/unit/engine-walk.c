/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Tests of Complete with more than one request under way: the first failure ends it all the same,
 * and nobody hears of it before the worker has answered the rest. */
#include "engine-fixture.h"

/* Four requests of Verify; of Finalize three: 500, 1,000, 300. */
#define FILES 1800
#define LOOKS 4

static TfdJob *
create_named (EngineFixture *self, const char *name)
{
  TfdJob *job = engine_create (self, name, FILES, TRUE, NULL);
  guint64 run = engine_take_start (self);
  GVariantBuilder builder;

  g_variant_builder_init (&builder, G_VARIANT_TYPE ("a(uta{sv})"));
  for (guint i = 0; i < FILES; i++)
    g_variant_builder_add (&builder, "(uta{sv})", i, G_GUINT64_CONSTANT (1), NULL);
  tfd_fake_transport_news (self->transport, ALICE, "FilesDone",
                           g_variant_new ("(ta(uta{sv}))", run, &builder));
  engine_settle (self);
  engine_answer (self, "Stop", "([],)");
  assert_job (job, "transferred");
  tfd_signal_log_clear (self->log);
  return job;
}

static TfdJob *
create_done (EngineFixture *self)
{
  return create_named (self, "a");
}

/* Three at a time. */
static void
verify_all (EngineFixture *self)
{
  static const char *const asked[] = { "Verify", "Verify Verify", "Verify Verify Verify" };

  for (guint i = LOOKS; i > 0; i--)
    {
      engine_assert_requests (self, asked[MIN (i, 3) - 1]);
      engine_answer_each (self, "Verify", "ok");
    }
}

/* All of them are asked about, and two requests to rename are under way. */
static TfdJob *
begin (EngineFixture *self)
{
  TfdJob *job = create_done (self);

  engine_complete (self, job, "{}");
  verify_all (self);
  engine_assert_requests (self, "Finalize Finalize");
  tfd_signal_log_assert (self->log, "a is transferred (completing)");
  return job;
}

static guint
count_state (TfdJob *job, TfdFileState state)
{
  guint n = 0;

  for (guint i = 0; i < FILES; i++)
    n += engine_file (job, i)->state == state;
  return n;
}

static void
assert_in_place (TfdJob *job, guint n)
{
  g_assert_cmpuint (count_state (job, TFD_FILE_STATE_COMPLETED), ==, n);
  g_assert_cmpuint (count_state (job, TFD_FILE_STATE_TRANSFERRED), ==, FILES - n);
}

static void
assert_step (EngineFixture *self, const char *walk, const char *step)
{
  engine_assert_option (self, "Finalize", "walk", walk);
  engine_assert_option (self, "Finalize", "step", step);
}

static void
assert_ended (EngineFixture *self)
{
  engine_assert_requests (self, "");
  tfd_signal_log_assert_has (self->log, "a is acknowledged\na removed completed");
  tfd_signal_log_clear (self->log);
}

/* The next is sent when what the one before the last has done is on the disk. */
ENGINE_TEST (test_ahead)
{
  TfdJob *job = begin (self);

  assert_step (self, "1", "0");
  engine_answer_each (self, "Finalize", "renamed");
  assert_in_place (job, 500);
  engine_assert_requests (self, "Finalize Finalize");
  assert_step (self, "1", "1");
  engine_answer_each (self, "Finalize", "renamed");
  engine_assert_requests (self, "Finalize");
  assert_step (self, "1", "2");
  engine_answer_each (self, "Finalize", "renamed");
  assert_ended (self);
}

/* The last answers come together: the end is recorded after what is before it. */
ENGINE_TEST (test_at_once)
{
  begin (self);
  engine_answer_each (self, "Finalize", "renamed");
  tfd_fake_transport_answer_text (self->transport, "Finalize",
                                  "([(500, 'renamed', {'last': <uint32 1499>})],)");
  tfd_fake_transport_answer_text (self->transport, "Finalize",
                                  "([(1500, 'renamed', {'last': <uint32 1799>})],)");
  engine_settle (self);
  assert_ended (self);
}

/* The same, and the first of the two commits fails: the end must not be told. */
ENGINE_TEST (test_at_once_and_commit_fails)
{
  TfdJob *job = begin (self);

  engine_answer_each (self, "Finalize", "renamed");
  tfd_signal_log_clear (self->log);
  self->failing_commits = 1;
  tfd_fake_transport_answer_text (self->transport, "Finalize",
                                  "([(500, 'renamed', {'last': <uint32 1499>})],)");
  tfd_fake_transport_answer_text (self->transport, "Finalize",
                                  "([(1500, 'renamed', {'last': <uint32 1799>})],)");
  engine_settle (self);
  tfd_signal_log_assert_has (self->log, "warning\na outcome StorageFailed");
  assert_in_place (job, 500);
  verify_all (self);
  for (guint i = 0; i < 2; i++)
    engine_answer_each (self, "Finalize", "renamed");
  assert_ended (self);
}

/* The first failure stops the walk: the worker does nothing about the second request, and when it
 * has said so the caller hears of the failure. */
ENGINE_TEST (test_failure)
{
  TfdJob *job = begin (self);

  tfd_signal_log_clear (self->log);
  engine_answer (self, "Finalize",
                 "([(0, 'renamed', {'last': <uint32 9>}), (10, 'failed', {'message': <'x'>})],)");
  engine_assert_requests (self, "Finalize");
  g_assert_true (tfd_engine_is_busy (self->engine, job));
  tfd_signal_log_assert (self->log, "");
  engine_answer (self, "Finalize", "([],)");
  engine_assert_requests (self, "");
  tfd_signal_log_assert_has (self->log, "a outcome CommitFailed");
  assert_job (job, "transferred");
  assert_in_place (job, 10);
  g_assert_false (tfd_engine_is_busy (self->engine, job));

  /* what is in place is shown to the worker, and a new walk begins */
  engine_complete (self, job, "{}");
  verify_all (self);
  engine_assert_file_value (self, "Finalize", 10, "state", "'transferred'");
  assert_step (self, "1", "0");
  for (guint i = 0; i < 3; i++)
    engine_answer_each (self, "Finalize", "renamed");
  assert_ended (self);
}

/* A worker that goes on all the same: what it says does not count, what it has done is found. */
ENGINE_TEST (test_failure_and_goes_on)
{
  TfdJob *job = begin (self);

  engine_answer (self, "Finalize", "([(0, 'failed', {'message': <'x'>})],)");
  engine_answer_each (self, "Finalize", "renamed");
  tfd_signal_log_assert_has (self->log, "a outcome CommitFailed");
  assert_in_place (job, 0);
  engine_complete (self, job, "{}");
  for (guint i = 0; i < LOOKS; i++)
    engine_answer_each (self, "Verify", i == 1 ? "in-place" : "ok");
  for (guint i = 0; i < 2; i++)
    engine_answer_each (self, "Finalize", "renamed");
  assert_ended (self);
}

/* A request says that something is wrong while nothing was heard of the one before it. */
ENGINE_TEST (test_second_fails_first)
{
  TfdJob *job = create_done (self);

  engine_complete (self, job, "{}");
  engine_answer (self, "Verify", "([(3, 'unavailable', {})],)");
  engine_assert_requests (self, "Verify Verify");
  /* whatever the others say */
  for (guint i = 0; i < 2; i++)
    {
      tfd_signal_log_assert (self->log, "");
      engine_answer_each (self, "Verify", "missing");
    }
  engine_assert_requests (self, "");
  tfd_signal_log_assert_has (self->log, "a outcome CommitFailed");
  assert_job (job, "transferred");
  assert_in_place (job, 0);
}

/* What the worker has done by the first request cannot be recorded: the second is done when that is
 * heard. Both are found in place afterwards. */
ENGINE_TEST (test_commit_fails)
{
  TfdJob *job = begin (self);

  tfd_signal_log_clear (self->log);
  self->failing_commits = 1;
  engine_answer_each (self, "Finalize", "renamed");
  engine_assert_requests (self, "Finalize");
  tfd_signal_log_assert (self->log, "warning");
  assert_in_place (job, 0);
  engine_answer_each (self, "Finalize", "renamed");
  tfd_signal_log_assert_has (self->log, "a outcome StorageFailed");
  assert_in_place (job, 0);

  engine_assert_option (self, "Verify", "recovering", "true");
  for (guint i = 0; i < LOOKS; i++)
    engine_answer_each (self, "Verify", i < 3 ? "in-place" : "ok");
  assert_in_place (job, 1500);
  engine_assert_requests (self, "Finalize");
  assert_step (self, "2", "0");
  engine_assert_option (self, "Finalize", "recovering", "true");
  engine_answer_each (self, "Finalize", "renamed");
  assert_ended (self);
}

/* The service dies with both done and none recorded. */
ENGINE_TEST (test_crash)
{
  TfdJob *job = begin (self);

  engine_restart (self);
  job = engine_find (self, "a");
  assert_in_place (job, 0);
  tfd_signal_log_clear (self->log);
  engine_assert_option (self, "Verify", "recovering", "true");
  for (guint i = 0; i < LOOKS; i++)
    engine_answer_each (self, "Verify", i == 0 ? "in-place" : "missing");
  /* Finalize is asked about the others, knowing that */
  assert_in_place (job, 500);
  engine_assert_option (self, "Finalize", "recovering", "true");
  engine_answer_each (self, "Finalize", "moved");
  engine_answer_each (self, "Finalize", "renamed");
  assert_ended (self);
}

/* The worker dies: both requests fail, and it counts once. */
ENGINE_TEST (test_worker_lost)
{
  TfdJob *job = begin (self);

  engine_answer_each (self, "Finalize", "renamed");
  engine_fail (self, "Finalize", G_IO_ERROR_CONNECTION_CLOSED);
  engine_assert_requests (self, "Finalize");
  engine_fail (self, "Finalize", G_IO_ERROR_CONNECTION_CLOSED);
  g_assert_true (tfd_engine_is_busy (self->engine, job));
  engine_assert_option (self, "Verify", "recovering", "true");
  for (guint i = 0; i < LOOKS; i++)
    engine_answer_each (self, "Verify", "ok");
  assert_step (self, "2", "0");
  for (guint i = 0; i < 2; i++)
    engine_fail (self, "Finalize", G_IO_ERROR_CONNECTION_CLOSED);
  engine_assert_requests (self, "");
  engine_advance (self, SECOND - 1);
  engine_assert_requests (self, "");
  engine_advance (self, 1);
  verify_all (self);
  assert_step (self, "3", "0");
  for (guint i = 0; i < 2; i++)
    engine_answer_each (self, "Finalize", "renamed");
  assert_ended (self);
}

/* A name is taken: another is chosen when the second request is out of the way. */
ENGINE_TEST (test_taken)
{
  TfdJob *job = create_done (self);

  engine_complete (self, job, "{'overwrite': <'keep-both'>}");
  for (guint i = 0; i < LOOKS; i++)
    engine_answer_each (self, "Verify", "ok");
  engine_answer (self, "Finalize", "([(0, 'renamed', {}), (1, 'taken', {})],)");
  engine_assert_requests (self, "Finalize");
  engine_answer (self, "Finalize", "([],)");
  engine_assert_option (self, "Verify", "overwrite", "'keep-both'");
  engine_assert_file_value (self, "Verify", 1, "state", "'transferred'");
  engine_answer_each (self, "Verify", "ok");
  engine_answer_each (self, "Verify", "ok");
  engine_answer_each (self, "Verify", "ok");
  engine_answer_each (self, "Verify", "ok");
  assert_step (self, "2", "0");
  for (guint i = 0; i < 3; i++)
    engine_answer_each (self, "Finalize", "renamed");
  assert_ended (self);
}

/* A worker leaves files out without a word: they are not unfinished ones, which go at the end. */
ENGINE_TEST (test_left_out)
{
  TfdJob *job = begin (self);

  engine_answer (self, "Finalize", "([(0, 'renamed', {})],)");
  engine_answer (self, "Finalize", "([(500, 'renamed', {'last': <uint32 5000>})],)");
  engine_answer (self, "Finalize", "([(1799, 'renamed', {})],)");
  assert_in_place (job, 1002);
  engine_assert_requests (self, "Finalize");
  assert_step (self, "1", "3");
  engine_answer_each (self, "Finalize", "renamed");
  assert_ended (self);
}

/* A worker took the place of one that had done all it was asked for: it does not know what that
 * was, and does nothing. Nobody hears of it. */
ENGINE_TEST (test_refused)
{
  TfdJob *job = begin (self);

  engine_answer_each (self, "Finalize", "renamed");
  tfd_signal_log_clear (self->log);
  engine_answer (self, "Finalize", "([],)");
  engine_answer (self, "Finalize", "([],)");
  assert_in_place (job, 500);
  tfd_signal_log_assert (self->log, "");
  engine_assert_option (self, "Verify", "recovering", "true");
  verify_all (self);
  assert_step (self, "2", "0");
  for (guint i = 0; i < 2; i++)
    engine_answer_each (self, "Finalize", "renamed");
  assert_ended (self);
}

/* Of the first request of a walk that would be no reason. */
ENGINE_TEST (test_nothing_renamed)
{
  TfdJob *job = begin (self);

  tfd_signal_log_clear (self->log);
  engine_answer (self, "Finalize", "([],)");
  engine_answer (self, "Finalize", "([],)");
  engine_assert_requests (self, "");
  tfd_signal_log_assert_has (self->log, "a outcome CommitFailed");
  assert_in_place (job, 0);
}

/* Files are missing, and the service dies before it has looked at all: Complete fails all the same,
 * and does not discard them. */
ENGINE_TEST (test_missing_and_crash)
{
  TfdJob *job = create_done (self);

  engine_complete (self, job, "{}");
  engine_answer (self, "Verify", "([(3, 'missing', {})],)");
  engine_restart (self);
  job = engine_find (self, "a");
  assert_job (job, "transferred");
  engine_complete (self, job, "{}");
  assert_file (job, 3, "missing");
  tfd_signal_log_clear (self->log);
  for (guint i = 0; i < LOOKS; i++)
    engine_answer_each (self, "Verify", "ok");
  engine_assert_requests (self, "");
  tfd_signal_log_assert_has (self->log, "a outcome CommitFailed");
  assert_job (job, "suspended");
  g_assert_false (tfd_engine_is_busy (self->engine, job));
}

/* Both answers come together, the second is @answer; what both have done cannot be recorded. */
static TfdJob *
lose_commit (EngineFixture *self, const char *options, const char *answer)
{
  TfdJob *job = create_done (self);

  engine_complete (self, job, options);
  for (guint i = 0; i < LOOKS; i++)
    engine_answer_each (self, "Verify", "ok");
  tfd_signal_log_clear (self->log);
  self->failing_commits = 1;
  tfd_fake_transport_answer_text (self->transport, "Finalize",
                                  "([(0, 'renamed', {'last': <uint32 499>})],)");
  tfd_fake_transport_answer_text (self->transport, "Finalize", answer);
  engine_settle (self);
  tfd_signal_log_assert_has (self->log, "warning\na outcome StorageFailed");
  assert_in_place (job, 0);
  g_assert_true (tfd_engine_is_busy (self->engine, job));
  engine_assert_option (self, "Verify", "recovering", "true");
  tfd_signal_log_clear (self->log);
  for (guint i = 0; i < LOOKS; i++)
    engine_answer_each (self, "Verify", i == 0 ? "in-place" : "ok");
  assert_in_place (job, 500);
  return job;
}

/* What is in place is not forgotten for a failure behind it. */
ENGINE_TEST (test_failure_and_commit_fails)
{
  TfdJob *job = lose_commit (self, "{}", "([(500, 'failed', {'message': <'x'>})],)");

  engine_answer (self, "Finalize", "([(500, 'failed', {'message': <'x'>})],)");
  engine_answer (self, "Finalize", "([],)");
  tfd_signal_log_assert (self->log, "a is transferred");
  assert_in_place (job, 500);
  g_assert_false (tfd_engine_is_busy (self->engine, job));
}

/* The same when only one has answered, and the failure is in its answer. */
ENGINE_TEST (test_failure_behind_others_and_commit_fails)
{
  TfdJob *job = create_done (self);

  engine_complete (self, job, "{}");
  for (guint i = 0; i < LOOKS; i++)
    engine_answer_each (self, "Verify", "ok");
  tfd_signal_log_clear (self->log);
  self->failing_commits = 1;
  engine_answer (self, "Finalize",
                 "([(0, 'renamed', {'last': <uint32 9>}), (10, 'failed', {'message': <'x'>})],)");
  engine_answer (self, "Finalize", "([],)");
  tfd_signal_log_assert_has (self->log, "a outcome StorageFailed");
  assert_in_place (job, 0);
  engine_assert_option (self, "Verify", "recovering", "true");
  for (guint i = 0; i < LOOKS; i++)
    engine_answer_each (self, "Verify", i == 0 ? "in-place" : "ok");
  assert_in_place (job, 500);
  for (guint i = 0; i < 2; i++)
    engine_answer_each (self, "Finalize", "renamed");
  assert_ended (self);
}

/* Nor for a name that was taken. */
ENGINE_TEST (test_taken_and_commit_fails)
{
  lose_commit (self, "{'overwrite': <'keep-both'>}", "([(500, 'taken', {})],)");
  for (guint i = 0; i < 2; i++)
    engine_answer_each (self, "Finalize", "renamed");
  assert_ended (self);
}

/* The same when only one has answered. */
ENGINE_TEST (test_taken_behind_others_and_commit_fails)
{
  TfdJob *job = create_done (self);

  engine_complete (self, job, "{'overwrite': <'keep-both'>}");
  for (guint i = 0; i < LOOKS; i++)
    engine_answer_each (self, "Verify", "ok");
  tfd_signal_log_clear (self->log);
  self->failing_commits = 1;
  engine_answer (self, "Finalize", "([(0, 'renamed', {'last': <uint32 9>}), (10, 'taken', {})],)");
  tfd_signal_log_assert (self->log, "warning");
  assert_in_place (job, 0);
  engine_answer (self, "Finalize", "([],)");
  tfd_signal_log_assert_has (self->log, "a outcome StorageFailed");
  engine_assert_option (self, "Verify", "recovering", "true");
  for (guint i = 0; i < LOOKS; i++)
    engine_answer_each (self, "Verify", i == 0 ? "in-place" : "ok");
  for (guint i = 0; i < 2; i++)
    engine_answer_each (self, "Finalize", "renamed");
  assert_ended (self);
}

/* What is kept of it names all files, as if a builder had made it. */
static void
check_names (EngineFixture *self, const char *name)
{
  const TfdTombstoneFilter filter = { .files = TRUE };
  TfdJob *job = create_named (self, name);
  g_autoptr (GVariant) expected = NULL;
  g_autoptr (GPtrArray) rows = NULL;
  GVariantBuilder builder;

  g_variant_builder_init (&builder, G_VARIANT_TYPE ("a(us)"));
  for (guint i = 0; i < FILES; i++)
    g_variant_builder_add (&builder, "(us)", i, engine_file (job, i)->path);
  expected = g_variant_ref_sink (g_variant_builder_end (&builder));
  engine_complete (self, job, "{}");
  verify_all (self);
  for (guint i = 0; i < 3; i++)
    engine_answer_each (self, "Finalize", "renamed");
  tfd_signal_log_clear (self->log);

  rows = tfd_store_load_tombstones (self->store, ALICE, &filter, NULL);
  TfdTombstone *tombstone = rows->pdata[0];
  g_assert_true (g_variant_is_normal_form (tombstone->kept));
  g_assert_true (g_variant_equal (tombstone->kept, expected));
  g_assert_cmpuint (tombstone->kept_count, ==, FILES);
}

ENGINE_TEST (test_names)
{
  check_names (self, "a");
  /* more than 64 KiB */
  check_names (self,
               "a-name-with-which-the-paths-of-all-these-files-become-rather-long-all-in-all");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ENGINE_ADD ("/engine/walk/ahead", test_ahead);
  ENGINE_ADD ("/engine/walk/at-once", test_at_once);
  ENGINE_ADD ("/engine/walk/at-once-and-commit-fails", test_at_once_and_commit_fails);
  ENGINE_ADD ("/engine/walk/failure", test_failure);
  ENGINE_ADD ("/engine/walk/failure-and-goes-on", test_failure_and_goes_on);
  ENGINE_ADD ("/engine/walk/second-fails-first", test_second_fails_first);
  ENGINE_ADD ("/engine/walk/commit-fails", test_commit_fails);
  ENGINE_ADD ("/engine/walk/crash", test_crash);
  ENGINE_ADD ("/engine/walk/worker-lost", test_worker_lost);
  ENGINE_ADD ("/engine/walk/taken", test_taken);
  ENGINE_ADD ("/engine/walk/left-out", test_left_out);
  ENGINE_ADD ("/engine/walk/refused", test_refused);
  ENGINE_ADD ("/engine/walk/nothing-renamed", test_nothing_renamed);
  ENGINE_ADD ("/engine/walk/missing-and-crash", test_missing_and_crash);
  ENGINE_ADD ("/engine/walk/failure-and-commit-fails", test_failure_and_commit_fails);
  ENGINE_ADD ("/engine/walk/failure-behind-others-and-commit-fails",
              test_failure_behind_others_and_commit_fails);
  ENGINE_ADD ("/engine/walk/taken-and-commit-fails", test_taken_and_commit_fails);
  ENGINE_ADD ("/engine/walk/taken-behind-others-and-commit-fails",
              test_taken_behind_others_and_commit_fails);
  ENGINE_ADD ("/engine/walk/names", test_names);
  return g_test_run ();
}
