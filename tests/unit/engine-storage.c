/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Tests of a database that cannot be written: whoever waited for the commit hears so, nothing is
 * told or done, and the model is what the database says. */
#include "engine-fixture.h"

#include "engine/engine-private.h"

static void
reply_cb (const GError *error, gpointer data)
{
  tfd_signal_log_add (data, "reply%s", error != NULL ? " failed" : "");
}

/* As the bus does with the reply to a call that was done. */
static void
hold_reply (EngineFixture *self)
{
  tfd_outbox_add (tfd_engine_get_outbox (self->engine), reply_cb, self->log, NULL);
}

/* ---- calls ---- */

ENGINE_TEST (test_create)
{
  self->failing_commits = 1;
  g_assert_nonnull (engine_try_create (self, ALICE, "a", 2, FALSE, NULL, NULL));
  hold_reply (self);
  g_assert_nonnull (engine_try_create (self, ALICE, "b", 2, TRUE, NULL, NULL));
  hold_reply (self);
  engine_settle (self);
  tfd_signal_log_assert (self->log, "warning\nreply failed\nreply failed");
  g_assert_null (engine_find (self, "a"));
  g_assert_null (engine_find (self, "b"));
  g_assert_cmpuint (engine_count_rows (self, "jobs"), ==, 0);
  engine_assert_requests (self, "");
}

/* A worker never hears of a file that there is not. */
ENGINE_TEST (test_add_running)
{
  guint64 run;
  TfdJob *job = engine_create_running (self, "a", 1, NULL, &run);
  g_autoptr (GPtrArray) specs = engine_specs ("a", 1, 1);
  g_autoptr (GPtrArray) others = engine_specs ("b", 1, 1);
  g_autofree char *requests = NULL;
  guint32 first;

  self->failing_commits = 1;
  OK (tfd_engine_add_files (self->engine, job, specs, NULL, NULL, &first, error));
  engine_settle (self);
  requests = tfd_fake_transport_list (self->transport);
  g_assert_null (strstr (requests, "AddFiles"));
  OK (tfd_engine_add_files (self->engine, job, others, NULL, NULL, &first, error));
  engine_settle (self);
  if (g_str_equal (requests, "Stop"))
    {
      engine_answer (self, "Stop", "([],)");
      engine_advance (self, SECOND);
      engine_assert_asked (self, "Start", "0 1");
      engine_assert_file_value (self, "Start", 1, "url", "'http://host/b/1'");
      engine_take_start (self);
    }
  else
    {
      engine_assert_asked (self, "AddFiles", "1");
      engine_assert_file_value (self, "AddFiles", 1, "url", "'http://host/b/1'");
      engine_answer (self, "AddFiles", "()");
    }
  tfd_signal_log_clear (self->log);
}

/* The limits are judged on what is there. */
ENGINE_TEST (test_limits)
{
  self->config->max_jobs_per_user = 1;
  self->failing_commits = 1;
  OK (engine_try_create (self, ALICE, "a", 0, FALSE, NULL, error) != NULL);
  FAILS (engine_try_create (self, ALICE, "b", 0, FALSE, NULL, error) != NULL,
         TFD_ERROR_TOO_MANY_JOBS_PER_USER);
  engine_settle (self);
  OK (engine_try_create (self, ALICE, "c", 0, FALSE, NULL, error) != NULL);
  engine_settle (self);
  tfd_signal_log_assert (self->log, "warning\nc added");
}

ENGINE_TEST (test_add)
{
  TfdJob *job = engine_create (self, "a", 2, FALSE, NULL);
  g_autoptr (GPtrArray) last = engine_specs ("a", 2, 3);
  guint32 first;

  for (guint files_in_memory = 0; files_in_memory < 2; files_in_memory++)
    {
      g_autoptr (GPtrArray) specs = engine_specs ("a", 2, 3);

      self->failing_commits = 1;
      OK (tfd_engine_add_files (self->engine, job, specs, NULL, NULL, &first, error));
      g_assert_cmpuint (first, ==, 2);
      engine_settle (self);
      g_assert_cmpuint (tfd_job_record (job)->files_total, ==, 2);
      tfd_job_files (job, self->store, NULL);
    }
  OK (tfd_engine_add_files (self->engine, job, last, NULL, NULL, &first, error));
  g_assert_cmpuint (first, ==, 2);
  engine_settle (self);
  g_assert_cmpuint (tfd_job_record (job)->files_total, ==, 5);
  g_assert_cmpuint (engine_count_rows (self, "files"), ==, 5);
  tfd_signal_log_clear (self->log);
}

ENGINE_TEST (test_resume)
{
  TfdJob *job = engine_create (self, "a", 1, FALSE, NULL);

  tfd_signal_log_clear (self->log);
  self->failing_commits = 1;
  OK (tfd_engine_resume (self->engine, job, error));
  hold_reply (self);
  engine_settle (self);
  assert_job (job, "suspended");
  g_assert_false (tfd_job_record (job)->resumed);
  engine_assert_requests (self, "");
  tfd_signal_log_assert (self->log, "warning\nreply failed");
}

/* The worker keeps the job, or gets it back. */
ENGINE_TEST (test_suspend)
{
  guint64 run;
  TfdJob *job = engine_create_running (self, "a", 1, NULL, &run);
  g_autofree char *requests = NULL;

  self->failing_commits = 1;
  OK (tfd_engine_suspend (self->engine, job, error));
  hold_reply (self);
  engine_advance (self, 10 * SECOND);
  requests = tfd_fake_transport_list (self->transport);
  if (g_str_equal (requests, "Stop"))
    {
      engine_answer (self, "Stop", "([],)");
      engine_advance (self, 10 * SECOND);
      run = engine_take_start (self);
    }
  engine_done (self, run, 0);
  engine_answer (self, "Stop", "([],)");
  assert_job (job, "transferred");
  tfd_signal_log_assert_has (self->log, "warning\nreply failed\na transferred");
}

ENGINE_TEST (test_properties)
{
  TfdJob *job = engine_create (self, "a", 0, FALSE, NULL);
  g_autoptr (GVariant) changes =
      g_variant_ref_sink (g_variant_new_parsed ("{'Description': <'x'>}"));

  self->failing_commits = 1;
  OK (tfd_engine_set_properties (self->engine, job, changes, error));
  g_assert_cmpstr (tfd_job_record (job)->properties->description, ==, "x");
  engine_settle (self);
  g_assert_cmpstr (tfd_job_record (job)->properties->description, ==, "");
  tfd_signal_log_clear (self->log);
}

/* A call that cannot write its part spoils the whole commit, and nothing of it stays. */
static void
check_write_fails (EngineFixture *self, const char *table, gboolean wholly)
{
  TfdJob *job = engine_create (self, "a", 1, FALSE, NULL);

  tfd_signal_log_clear (self->log);
  OK (engine_try_create (self, ALICE, "b", 0, FALSE, NULL, error) != NULL);
  hold_reply (self);
  engine_fail_writes (self, table, wholly);
  FAILS (engine_try_create (self, ALICE, "c", 1, FALSE, NULL, error) != NULL,
         TFD_ERROR_STORAGE_FAILED);
  engine_mend_writes (self);
  engine_settle (self);
  tfd_signal_log_assert (self->log, "warning\nreply failed");
  g_assert_cmpuint (engine_count_rows (self, "jobs"), ==, 1);
  g_assert_true (engine_find (self, "a") == job);
  OK (engine_try_create (self, ALICE, "d", 1, FALSE, NULL, error) != NULL);
  engine_settle (self);
  tfd_signal_log_assert (self->log, "d added");
}

ENGINE_TEST (test_write_job) { check_write_fails (self, "jobs", FALSE); }

ENGINE_TEST (test_write_file) { check_write_fails (self, "files", FALSE); }

ENGINE_TEST (test_write_wholly) { check_write_fails (self, "files", TRUE); }

/* ---- runs ---- */

/* A start that cannot be recorded does not happen. */
ENGINE_TEST (test_start)
{
  TfdJob *job = engine_create (self, "a", 1, FALSE, NULL);

  OK (tfd_engine_resume (self->engine, job, error));
  tfd_outbox_flush (tfd_engine_get_outbox (self->engine));
  self->failing_commits = 1;
  engine_settle (self);
  assert_job (job, "queued");
  engine_assert_requests (self, "");
  engine_advance (self, 10 * SECOND);
  assert_job (job, "connecting");
  engine_take_start (self);
  tfd_signal_log_clear (self->log);
}

/* While the disk is full the service neither burns time nor fills the log. */
ENGINE_TEST (test_full_for_long)
{
  TfdJob *job = engine_create (self, "a", 1, FALSE, NULL);
  guint left;

  OK (tfd_engine_resume (self->engine, job, error));
  tfd_outbox_flush (tfd_engine_get_outbox (self->engine));
  self->failing_commits = left = 1000;
  engine_settle (self);
  engine_advance (self, 60 * SECOND);
  g_assert_cmpuint (left - self->failing_commits, <=, 61);
  self->failing_commits = 0;
  engine_advance (self, 10 * SECOND);
  assert_job (job, "connecting");
  engine_take_start (self);
  tfd_signal_log_clear (self->log);
}

/* What a worker told is lost: the files are handed over once more. */
ENGINE_TEST (test_files_done)
{
  guint64 run;
  TfdJob *job = engine_create_running (self, "a", 2, NULL, &run);

  engine_connected (self, run);
  self->failing_commits = 1;
  engine_done (self, run, 0);
  engine_advance (self, 10 * SECOND);
  g_assert_cmpuint (tfd_job_record (job)->files_transferred, ==, 0);
  engine_assert_requests (self, "Stop");
  engine_done (self, run, 1);
  engine_answer (self, "Stop", "([(0, {'x': <1>})],)");
  engine_advance (self, 10 * SECOND);
  engine_assert_asked (self, "Start", "0");
  engine_assert_file_value (self, "Start", 0, "part", "{'x': <1>}");
  run = engine_take_start (self);
  engine_done (self, run, 0);
  engine_answer (self, "Stop", "([],)");
  assert_job (job, "transferred");
  tfd_signal_log_assert_has (self->log, "warning\na transferred");
}

/* … also when that was the last one. */
ENGINE_TEST (test_last_file_done)
{
  guint64 run;
  TfdJob *job = engine_create_running (self, "a", 1, NULL, &run);

  self->failing_commits = 1;
  engine_done (self, run, 0);
  engine_advance (self, 10 * SECOND);
  engine_answer (self, "Stop", "([],)");
  engine_advance (self, 10 * SECOND);
  run = engine_take_start (self);
  engine_done (self, run, 0);
  engine_answer (self, "Stop", "([],)");
  assert_job (job, "transferred");
  engine_restart (self);
  assert_job (engine_find (self, "a"), "transferred");
  tfd_signal_log_clear (self->log);
}

/* Another job is not touched by what was undone. */
ENGINE_TEST (test_other_job)
{
  guint64 run;
  TfdJob *job = engine_create_running (self, "a", 1, NULL, &run);

  self->failing_commits = 1;
  engine_try_create (self, ALICE, "b", 0, FALSE, NULL, NULL);
  engine_settle (self);
  engine_assert_requests (self, "");
  engine_done (self, run, 0);
  engine_answer (self, "Stop", "([],)");
  assert_job (job, "transferred");
  tfd_signal_log_assert (self->log, "warning\na is transferred\na transferred");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ENGINE_ADD ("/engine/storage/create", test_create);
  ENGINE_ADD ("/engine/storage/limits", test_limits);
  ENGINE_ADD ("/engine/storage/add", test_add);
  ENGINE_ADD ("/engine/storage/add-running", test_add_running);
  ENGINE_ADD ("/engine/storage/resume", test_resume);
  ENGINE_ADD ("/engine/storage/suspend", test_suspend);
  ENGINE_ADD ("/engine/storage/properties", test_properties);
  ENGINE_ADD ("/engine/storage/write/job", test_write_job);
  ENGINE_ADD ("/engine/storage/write/file", test_write_file);
  ENGINE_ADD ("/engine/storage/write/wholly", test_write_wholly);
  ENGINE_ADD ("/engine/storage/start", test_start);
  ENGINE_ADD ("/engine/storage/full-for-long", test_full_for_long);
  ENGINE_ADD ("/engine/storage/files-done", test_files_done);
  ENGINE_ADD ("/engine/storage/last-file-done", test_last_file_done);
  ENGINE_ADD ("/engine/storage/other-job", test_other_job);
  return g_test_run ();
}
