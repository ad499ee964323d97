/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Tests of Complete when all goes well, step by step. */
#include "engine-fixture.h"

static TfdTombstone *
load_tombstone (EngineFixture *self)
{
  const TfdTombstoneFilter filter = { .files = TRUE };
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) rows = tfd_store_load_tombstones (self->store, ALICE, &filter, &error);

  g_assert_no_error (error);
  g_assert_cmpuint (rows->len, ==, 1);
  return g_ptr_array_steal_index (rows, 0);
}

static void
assert_paths (GVariant *files, const char *expected)
{
  g_autofree char *text = g_variant_print (files, FALSE);

  g_assert_cmpstr (text, ==, expected);
}

ENGINE_TEST (test_whole)
{
  TfdJob *job = engine_create_done (self, "a", 2, 2, NULL);
  g_autofree char *id = g_strdup (tfd_job_id (job));

  engine_complete (self, job, "{}");
  engine_assert_asked (self, "Verify", "0 1");
  engine_assert_option (self, "Verify", "overwrite", "'replace'");
  engine_assert_file_value (self, "Verify", 0, "state", "'transferred'");
  engine_assert_file_value (self, "Verify", 0, "part", "{'done': <true>}");
  g_assert_cmpint (tfd_job_record (job)->operation, ==, TFD_OPERATION_NONE);
  tfd_signal_log_assert (self->log, "");

  engine_answer_each (self, "Verify", "ok");
  engine_assert_asked (self, "Finalize", "0 1");
  engine_assert_option (self, "Finalize", "overwrite", "'replace'");
  engine_assert_option (self, "Finalize", "recovering", "false");
  engine_assert_option (self, "Finalize", "keep-newer", "false");
  tfd_signal_log_assert (self->log, "a is transferred (completing)");

  engine_answer_each (self, "Finalize", "renamed");
  engine_assert_requests (self, "");
  tfd_signal_log_assert (self->log,
                         "a is acknowledged\na removed completed\na outcome completed kept 0 1");
  g_autoptr (TfdTombstone) tombstone = load_tombstone (self);
  g_assert_cmpstr (tombstone->id, ==, id);
  g_assert_cmpint (tombstone->result, ==, TFD_RESULT_COMPLETED);
  g_assert_cmpuint (tombstone->kept_count, ==, 2);
  g_assert_cmpuint (tombstone->discarded_count, ==, 0);
  assert_paths (tombstone->kept, "[(0, '/home/a/0'), (1, '/home/a/1')]");
  g_assert_cmpuint (engine_count_rows (self, "jobs"), ==, 0);
}

ENGINE_TEST (test_partial)
{
  TfdJob *job = engine_create_done (self, "a", 4, 2, NULL);

  engine_complete (self, job, "{}");
  engine_assert_asked (self, "Verify", "0 1");
  engine_answer_each (self, "Verify", "ok");
  engine_assert_asked (self, "Finalize", "0 1");
  /* nothing unfinished is deleted before every finished file is in place */
  engine_answer_each (self, "Finalize", "renamed");
  engine_assert_asked (self, "Discard", "2 3");
  engine_assert_requests (self, "Discard");
  engine_answer (self, "Discard", "([],)");
  tfd_signal_log_assert (self->log, "a is suspended (completing)\na is acknowledged\n"
                                    "a removed partial\na outcome partial kept 0 1 discarded 2 3");
  g_autoptr (TfdTombstone) tombstone = load_tombstone (self);
  g_assert_cmpint (tombstone->result, ==, TFD_RESULT_PARTIAL);
  assert_paths (tombstone->discarded, "[(2, '/home/a/2'), (3, '/home/a/3')]");
}

ENGINE_TEST (test_empty)
{
  TfdJob *job = engine_create (self, "a", 0, FALSE, NULL);

  engine_complete (self, job, "{}");
  engine_assert_requests (self, "");
  tfd_signal_log_assert_has (self->log, "a is acknowledged\na removed completed\n"
                                        "a outcome completed");
}

ENGINE_TEST (test_nothing_finished)
{
  TfdJob *job = engine_create (self, "a", 2, FALSE, NULL);

  /* never handed to a worker: there is nothing to delete */
  engine_complete (self, job, "{}");
  engine_assert_requests (self, "");
  tfd_signal_log_assert_has (self->log, "a removed partial\na outcome partial discarded 0 1");
}

ENGINE_TEST (test_nothing_finished_but_begun)
{
  guint64 run;
  TfdJob *job = engine_create_running (self, "a", 2, NULL, &run);

  engine_complete (self, job, "{}");
  engine_answer (self, "Stop", "([],)");
  engine_assert_asked (self, "Discard", "0 1");
  engine_answer (self, "Discard", "([],)");
  tfd_signal_log_assert_has (self->log, "a removed partial\na outcome partial discarded 0 1");
}

ENGINE_TEST (test_require_all)
{
  TfdJob *job = engine_create_done (self, "a", 3, 2, NULL);
  TfdJob *whole = engine_create_done (self, "b", 1, 1, NULL);

  engine_complete (self, job, "{'require-all': <true>}");
  engine_assert_requests (self, "");
  assert_job (job, "suspended");
  tfd_signal_log_assert (self->log, "a outcome NotTransferred");
  g_assert_false (tfd_engine_is_busy (self->engine, job));

  engine_complete (self, whole, "{'require-all': <true>}");
  engine_answer_each (self, "Verify", "ok");
  engine_answer_each (self, "Finalize", "renamed");
  tfd_signal_log_assert_has (self->log, "b outcome completed kept 0");
}

/* A refusal does not stop what runs. */
ENGINE_TEST (test_require_all_running)
{
  guint64 run;
  TfdJob *job = engine_create_running (self, "a", 1, NULL, &run);

  engine_complete (self, job, "{'require-all': <true>}");
  engine_assert_requests (self, "");
  assert_job (job, "connecting");
  tfd_signal_log_assert (self->log, "a outcome NotTransferred");
}

/* The worker lets go first; what it still tells counts. */
ENGINE_TEST (test_running)
{
  guint64 run;
  TfdJob *job = engine_create_running (self, "a", 3, NULL, &run);

  engine_done (self, run, 0);
  engine_complete (self, job, "{}");
  engine_assert_requests (self, "Stop");
  engine_done (self, run, 1);
  engine_answer (self, "Stop", "([(2, {'position': <uint64 5>})],)");
  engine_assert_asked (self, "Verify", "0 1");
  engine_answer_each (self, "Verify", "ok");
  engine_answer_each (self, "Finalize", "renamed");
  engine_assert_asked (self, "Discard", "2");
  engine_assert_file_value (self, "Discard", 2, "part", "{'position': <uint64 5>}");
  engine_answer (self, "Discard", "([],)");
  tfd_signal_log_assert_has (self->log, "a outcome partial kept 0 1 discarded 2");
}

/* The last file comes in the last moment: told as transferred, and completed. */
ENGINE_TEST (test_running_last)
{
  guint64 run;
  TfdJob *job = engine_create_running (self, "a", 1, NULL, &run);

  engine_complete (self, job, "{}");
  engine_done (self, run, 0);
  engine_answer (self, "Stop", "([],)");
  engine_answer_each (self, "Verify", "ok");
  engine_answer_each (self, "Finalize", "renamed");
  tfd_signal_log_assert_has (self->log, "a transferred\na is acknowledged\na removed completed\n"
                                        "a outcome completed kept 0");
}

/* The worker dies instead of stopping: its successor goes on. */
ENGINE_TEST (test_running_lost)
{
  guint64 run;
  TfdJob *job = engine_create_running (self, "a", 2, NULL, &run);

  engine_done (self, run, 0);
  engine_complete (self, job, "{}");
  engine_lose (self);
  engine_assert_requests (self, "Verify");
  engine_answer_each (self, "Verify", "ok");
  engine_answer_each (self, "Finalize", "renamed");
  engine_answer (self, "Discard", "([],)");
  tfd_signal_log_assert_has (self->log, "a outcome partial kept 0 discarded 1");
}

/* Before the worker was asked to begin at all. */
ENGINE_TEST (test_about_to_start)
{
  TfdJob *job = engine_try_create (self, ALICE, "a", 1, TRUE, NULL, NULL);

  engine_complete (self, job, "{}");
  engine_assert_requests (self, "Discard");
  engine_answer (self, "Discard", "([],)");
  tfd_signal_log_assert_has (self->log, "a outcome partial discarded 0");
}

ENGINE_TEST (test_batches)
{
  TfdJob *job = engine_create (self, "a", 4500, TRUE, NULL);
  guint64 run = engine_take_start (self);
  guint verified = 0, renamed = 0;

  for (guint first = 0; first < 2500; first += 500)
    {
      GVariantBuilder builder;
      g_autofree char *requests = NULL;

      g_variant_builder_init (&builder, G_VARIANT_TYPE ("a(uta{sv})"));
      for (guint i = first; i < first + 500; i++)
        g_variant_builder_add (&builder, "(uta{sv})", i, G_GUINT64_CONSTANT (1), NULL);
      tfd_fake_transport_news (self->transport, ALICE, "FilesDone",
                               g_variant_new ("(ta(uta{sv}))", run, &builder));
      engine_settle (self);
      requests = tfd_fake_transport_list (self->transport);
      if (g_str_equal (requests, "AddFiles"))
        engine_answer (self, "AddFiles", "()");
    }
  engine_complete (self, job, "{}");
  engine_answer (self, "Stop", "([],)");
  for (; verified < 5; verified++)
    engine_answer_each (self, "Verify", "ok");
  for (; renamed < 3; renamed++)
    engine_answer_each (self, "Finalize", "renamed");
  for (guint i = 0; i < 2; i++)
    engine_answer (self, "Discard", "([],)");
  g_assert_true (tfd_job_state_is_final (tfd_job_record (job)->state));
  tfd_signal_log_clear (self->log);
}

/* A batch that is in place is so for ever: it is committed before the next is asked for. */
ENGINE_TEST (test_batch_is_durable)
{
  TfdJob *job = engine_create_done (self, "a", 3, 3, NULL);

  engine_complete (self, job, "{}");
  engine_answer_each (self, "Verify", "ok");
  engine_answer (self, "Finalize", "([(0, 'renamed', {}), (1, 'renamed', {})],)");
  engine_assert_asked (self, "Finalize", "2");
  engine_restart (self);
  job = engine_find (self, "a");
  assert_file (job, 0, "completed");
  assert_file (job, 1, "completed");
  assert_file (job, 2, "transferred");
  engine_assert_requests (self, "Verify");
  engine_answer_each (self, "Verify", "ok");
  engine_assert_asked (self, "Finalize", "2");
  engine_answer_each (self, "Finalize", "renamed");
  tfd_signal_log_clear (self->log);
}

/* ---- afterwards ---- */

ENGINE_TEST (test_lingers)
{
  TfdJob *job = engine_create (self, "a", 0, FALSE, NULL);
  g_autofree char *id = g_strdup (tfd_job_id (job));

  engine_complete (self, job, "{}");
  engine_advance (self, 5 * SECOND - 1);
  g_assert_true (tfd_engine_get_job (self->engine, id) == job);
  assert_job (job, "acknowledged");
  tfd_signal_log_clear (self->log);
  engine_complete (self, job, "{}");
  engine_cancel (self, job);
  tfd_signal_log_assert (self->log, "a outcome InvalidState\na outcome InvalidState");
  engine_advance (self, 1);
  g_assert_null (tfd_engine_get_job (self->engine, id));
}

/* The end is committed with the tombstone, before anybody hears of it. */
ENGINE_TEST (test_end_is_durable)
{
  TfdJob *job = engine_create_done (self, "a", 1, 1, NULL);

  engine_complete (self, job, "{}");
  engine_answer_each (self, "Verify", "ok");
  engine_answer_each (self, "Finalize", "renamed");
  tfd_signal_log_assert_has (self->log, "a outcome completed kept 0");
  engine_restart (self);
  g_assert_cmpuint (engine_count_rows (self, "jobs"), ==, 0);
  g_assert_cmpuint (engine_count_rows (self, "files"), ==, 0);
  g_assert_cmpuint (engine_count_rows (self, "events"), ==, 0);
  g_autoptr (TfdTombstone) tombstone = load_tombstone (self);
  g_assert_cmpuint (tombstone->kept_count, ==, 1);
}

/* The error with which a job ended is in its tombstone. */
ENGINE_TEST (test_error)
{
  guint64 run;
  TfdJob *job = engine_create_running (self, "a", 2, NULL, &run);

  engine_done (self, run, 0);
  engine_failed (self, run, 1, "{'name': <'org.transferd.Transfer1.Error.HttpStatus'>}");
  engine_answer (self, "Stop", "([],)");
  engine_complete (self, job, "{}");
  engine_answer_each (self, "Verify", "ok");
  engine_answer_each (self, "Finalize", "renamed");
  engine_answer (self, "Discard", "([],)");
  tfd_signal_log_assert_has (self->log, "a removed partial\na outcome partial kept 0 discarded 1");
  g_autoptr (TfdTombstone) tombstone = load_tombstone (self);
  g_assert_cmpstr (tombstone->error_name, ==, "org.transferd.Transfer1.Error.HttpStatus");
}

/* ---- AutoComplete ---- */

ENGINE_TEST (test_auto)
{
  guint64 run;

  engine_create_running (self, "a", 1, "{'AutoComplete': <true>}", &run);
  engine_done (self, run, 0);
  engine_answer (self, "Stop", "([],)");
  engine_answer_each (self, "Verify", "ok");
  engine_assert_option (self, "Finalize", "keep-newer", "true");
  engine_assert_option (self, "Finalize", "overwrite", "'replace'");
  engine_answer_each (self, "Finalize", "renamed");
  tfd_signal_log_assert (self->log, "a is transferred\na transferred\na is transferred "
                                    "(completing)\na is acknowledged\na removed completed");
}

/* It waits for the destination, and is not lost by a restart. */
ENGINE_TEST (test_auto_unavailable)
{
  guint64 run;
  TfdJob *job = engine_create_running (self, "a", 1, "{'AutoComplete': <true>}", &run);

  engine_done (self, run, 0);
  engine_answer (self, "Stop", "([],)");
  for (guint i = 0; i < 3; i++)
    {
      engine_answer_each (self, "Verify", "unavailable");
      assert_job (job, "transferred");
      engine_assert_requests (self, "");
      tfd_engine_mounts_changed (self->engine);
      engine_settle (self);
    }
  engine_restart (self);
  engine_answer_each (self, "Verify", "ok");
  engine_answer_each (self, "Finalize", "renamed");
  tfd_signal_log_assert_has (self->log, "a transferred\na removed completed");
}

/* What is newer than what was fetched stays; the job stays, too. */
ENGINE_TEST (test_auto_newer)
{
  guint64 run;
  TfdJob *job = engine_create_running (self, "a", 1, "{'AutoComplete': <true>}", &run);

  engine_done (self, run, 0);
  engine_answer (self, "Stop", "([],)");
  engine_answer_each (self, "Verify", "ok");
  engine_answer (self, "Finalize", "([(0, 'failed', {'message': <'newer'>})],)");
  assert_job (job, "transferred");
  engine_assert_requests (self, "");
  /* no mount makes it older, but who knows */
  tfd_engine_mounts_changed (self->engine);
  engine_settle (self);
  engine_assert_requests (self, "");
  engine_advance (self, 3600 * SECOND);
  tfd_engine_mounts_changed (self->engine);
  engine_settle (self);
  engine_answer (self, "Verify", "([(0, 'ok', {})],)");
  engine_answer (self, "Finalize", "([(0, 'failed', {'message': <'newer'>})],)");
  /* the owner may decide otherwise */
  engine_complete (self, job, "{}");
  engine_answer_each (self, "Verify", "ok");
  engine_assert_option (self, "Finalize", "keep-newer", "false");
  engine_answer_each (self, "Finalize", "renamed");
  tfd_signal_log_assert_has (self->log, "a removed completed\na outcome completed kept 0");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ENGINE_ADD ("/engine/complete/whole", test_whole);
  ENGINE_ADD ("/engine/complete/partial", test_partial);
  ENGINE_ADD ("/engine/complete/empty", test_empty);
  ENGINE_ADD ("/engine/complete/nothing-finished", test_nothing_finished);
  ENGINE_ADD ("/engine/complete/nothing-finished-but-begun", test_nothing_finished_but_begun);
  ENGINE_ADD ("/engine/complete/require-all", test_require_all);
  ENGINE_ADD ("/engine/complete/require-all-running", test_require_all_running);
  ENGINE_ADD ("/engine/complete/running", test_running);
  ENGINE_ADD ("/engine/complete/running-last", test_running_last);
  ENGINE_ADD ("/engine/complete/running-lost", test_running_lost);
  ENGINE_ADD ("/engine/complete/about-to-start", test_about_to_start);
  ENGINE_ADD ("/engine/complete/batches", test_batches);
  ENGINE_ADD ("/engine/complete/batch-is-durable", test_batch_is_durable);
  ENGINE_ADD ("/engine/complete/lingers", test_lingers);
  ENGINE_ADD ("/engine/complete/end-is-durable", test_end_is_durable);
  ENGINE_ADD ("/engine/complete/error", test_error);
  ENGINE_ADD ("/engine/auto-complete/plain", test_auto);
  ENGINE_ADD ("/engine/auto-complete/unavailable", test_auto_unavailable);
  ENGINE_ADD ("/engine/auto-complete/newer", test_auto_newer);
  return g_test_run ();
}
