/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Tests of what owners ask the engine for: create, add, read. */
#include "engine-fixture.h"

/* ---- create ---- */

ENGINE_TEST (test_create)
{
  TfdJob *job = engine_try_create (self, ALICE, "a", 0, FALSE, NULL, NULL);
  const TfdJobRecord *record = tfd_job_record (job);

  tfd_signal_log_assert (self->log, "");
  engine_settle (self);
  tfd_signal_log_assert (self->log, "a added");
  assert_job (job, "suspended");
  g_assert_true (tfd_engine_get_job (self->engine, tfd_job_id (job)) == job);
  g_assert_cmpuint (tfd_job_uid (job), ==, ALICE);
  g_assert_cmpstr (tfd_job_owner (job).name, ==, "alice");
  g_assert_cmpint (record->creation_time, ==, 1700000000 * SECOND);
  g_assert_cmpint (record->modification_time, ==, record->creation_time);
  g_assert_cmpuint (record->files_total, ==, 0);
  engine_assert_requests (self, "");
}

ENGINE_TEST (test_create_survives)
{
  TfdJob *job = engine_create (self, "a", 3, FALSE, "{'Priority': <'high'>}");
  g_autofree char *id = g_strdup (tfd_job_id (job));

  engine_restart (self);
  job = tfd_engine_get_job (self->engine, id);
  assert_job (job, "suspended");
  g_assert_cmpuint (tfd_job_record (job)->files_total, ==, 3);
  g_assert_cmpint (tfd_job_record (job)->properties->priority, ==, TFD_PRIORITY_HIGH);
  tfd_signal_log_assert (self->log, "a added");
}

ENGINE_TEST (test_create_uncommitted)
{
  g_assert_nonnull (engine_try_create (self, ALICE, "a", 3, FALSE, NULL, NULL));
  engine_restart (self);
  g_assert_null (engine_find (self, "a"));
  g_assert_cmpuint (engine_count_rows (self, "jobs"), ==, 0);
}

/* Create, fill and start in one step. */
ENGINE_TEST (test_create_and_start)
{
  TfdJob *job = engine_create (self, "a", 2, TRUE, NULL);

  tfd_signal_log_assert (self->log, "a added\na is queued\na is connecting");
  assert_job (job, "connecting");
  engine_assert_asked (self, "Start", "0 1");
  engine_take_start (self);
}

ENGINE_TEST (test_create_start_empty)
{
  FAILS (engine_try_create (self, ALICE, "a", 0, TRUE, NULL, error) != NULL, TFD_ERROR_EMPTY);
  engine_settle (self);
  g_assert_cmpuint (engine_count_rows (self, "jobs"), ==, 0);
}

ENGINE_TEST (test_create_upload)
{
  TfdJob *job;

  self->type = TFD_JOB_TYPE_UPLOAD;
  job = engine_create (self, "a", 3, FALSE, NULL);
  g_assert_cmpint (tfd_job_record (job)->type, ==, TFD_JOB_TYPE_UPLOAD);
  g_assert_cmpuint (tfd_job_record (job)->files_total, ==, 3);
  g_assert_cmpuint (engine_count_rows (self, "files"), ==, 3);
  tfd_signal_log_assert (self->log, "a added");
}

/* ---- limits ---- */

ENGINE_TEST (test_limit_user)
{
  self->config->max_jobs_per_user = 2;
  self->config->max_jobs_per_machine = 2;
  engine_create (self, "a", 0, FALSE, NULL);
  /* the second is not committed yet when the third is judged */
  OK (engine_try_create (self, ALICE, "b", 0, FALSE, NULL, error) != NULL);
  FAILS (engine_try_create (self, ALICE, "c", 0, FALSE, NULL, error) != NULL,
         TFD_ERROR_TOO_MANY_JOBS_PER_USER);
  FAILS (engine_try_create (self, BOB, "c", 0, FALSE, NULL, error) != NULL,
         TFD_ERROR_TOO_MANY_JOBS_PER_MACHINE);
  engine_settle (self);
  g_assert_cmpuint (engine_count_rows (self, "jobs"), ==, 2);
  tfd_signal_log_assert (self->log, "a added\nb added");
}

/* The administrator is never refused, and takes nothing from the others. */
ENGINE_TEST (test_limit_root)
{
  self->config->max_jobs_per_user = self->config->max_jobs_per_machine = 1;
  OK (engine_try_create (self, 0, "a", 0, FALSE, NULL, error) != NULL);
  OK (engine_try_create (self, 0, "b", 0, FALSE, NULL, error) != NULL);
  OK (engine_try_create (self, ALICE, "c", 0, FALSE, NULL, error) != NULL);
  OK (engine_try_create (self, 0, "d", 0, FALSE, NULL, error) != NULL);
  FAILS (engine_try_create (self, BOB, "e", 0, FALSE, NULL, error) != NULL,
         TFD_ERROR_TOO_MANY_JOBS_PER_MACHINE);
  engine_settle (self);
  tfd_signal_log_clear (self->log);
}

/* Limits free up at Complete and Cancel. */
ENGINE_TEST (test_limit_frees)
{
  TfdJob *job;

  self->config->max_jobs_per_user = 1;
  job = engine_create (self, "a", 0, FALSE, NULL);
  engine_complete (self, job, "{}");
  job = engine_create (self, "b", 0, FALSE, NULL);
  engine_cancel (self, job);
  engine_create (self, "c", 0, FALSE, NULL);
  FAILS (engine_try_create (self, ALICE, "d", 0, FALSE, NULL, error) != NULL,
         TFD_ERROR_TOO_MANY_JOBS_PER_USER);
  tfd_signal_log_assert_has (self->log, "a outcome completed\nb outcome cancelled\nc added");
}

ENGINE_TEST (test_limit_files)
{
  guint32 first = 0;
  TfdJob *job;

  self->config->max_files_per_job = 5;
  FAILS (engine_try_create (self, ALICE, "a", 6, FALSE, NULL, error) != NULL,
         TFD_ERROR_TOO_MANY_FILES_IN_JOB);
  job = engine_create (self, "a", 3, FALSE, NULL);
  FAILS (engine_add_files (self, job, 3, 3, &first, error), TFD_ERROR_TOO_MANY_FILES_IN_JOB);
  OK (engine_add_files (self, job, 3, 2, &first, error));
  g_assert_cmpuint (first, ==, 3);
  FAILS (engine_add_files (self, job, 5, 1, &first, error), TFD_ERROR_TOO_MANY_FILES_IN_JOB);
  engine_settle (self);
  g_assert_cmpuint (engine_count_rows (self, "files"), ==, 5);
  tfd_signal_log_clear (self->log);
}

/* ---- add ---- */

/* Calls that share a commit are judged on what came before them. */
ENGINE_TEST (test_add_indices)
{
  TfdJob *job = engine_try_create (self, ALICE, "a", 0, FALSE, NULL, NULL);
  guint32 first = 99;

  for (guint i = 0; i < 5; i++)
    {
      OK (engine_add_files (self, job, i * 2, 2, &first, error));
      g_assert_cmpuint (first, ==, i * 2);
    }
  engine_settle (self);
  g_assert_cmpuint (tfd_job_record (job)->files_total, ==, 10);
  engine_restart (self);
  g_assert_cmpuint (tfd_job_record (engine_find (self, "a"))->files_total, ==, 10);
  tfd_signal_log_clear (self->log);
}

ENGINE_TEST (test_add_duplicate)
{
  TfdJob *job = engine_create (self, "a", 3, FALSE, NULL);
  guint32 first = 0;

  FAILS (engine_add_files (self, job, 3, 0, &first, error) &&
             engine_add_files (self, job, 2, 2, &first, error),
         TFD_ERROR_DUPLICATE_DESTINATION);
  /* what shares the commit with the refused call is kept */
  OK (engine_add_files (self, job, 7, 1, &first, error));
  g_assert_cmpuint (first, ==, 3);
  engine_settle (self);
  g_assert_cmpuint (tfd_job_record (job)->files_total, ==, 4);
  g_assert_cmpuint (engine_count_rows (self, "files"), ==, 4);
  tfd_signal_log_clear (self->log);
}

/* Two jobs may name one destination. */
ENGINE_TEST (test_add_same_path_elsewhere)
{
  engine_create (self, "a", 1, FALSE, NULL);
  engine_create (self, "a", 1, FALSE, NULL);
  g_assert_cmpuint (engine_count_rows (self, "files"), ==, 2);
  tfd_signal_log_clear (self->log);
}

ENGINE_TEST (test_add_while_running)
{
  guint64 run;
  guint32 first;
  TfdJob *job = engine_create_running (self, "a", 1, NULL, &run);

  OK (engine_add_files (self, job, 1, 2, &first, error));
  engine_settle (self);
  engine_assert_asked (self, "AddFiles", "1 2");
  engine_answer (self, "AddFiles", "()");
  engine_done (self, run, 0);
  engine_done (self, run, 1);
  assert_job (job, "transferring");
  engine_done (self, run, 2);
  assert_job (job, "transferred");
  engine_answer (self, "Stop", "([],)");
  tfd_signal_log_clear (self->log);
}

ENGINE_TEST (test_add_to_transferred)
{
  TfdJob *job = engine_create_done (self, "a", 1, 1, NULL);
  guint32 first;

  OK (engine_add_files (self, job, 1, 1, &first, error));
  engine_settle (self);
  assert_job (job, "transferred");
  OK (tfd_engine_resume (self->engine, job, error));
  engine_settle (self);
  engine_assert_asked (self, "Start", "1");
  guint64 run = engine_take_start (self);
  engine_done (self, run, 1);
  engine_answer (self, "Stop", "([],)");
  tfd_signal_log_assert (self->log,
                         "a is queued\na is connecting\na is transferred\na transferred");
}

ENGINE_TEST (test_add_after_end)
{
  TfdJob *job = engine_create (self, "a", 0, FALSE, NULL);
  guint32 first;

  engine_cancel (self, job);
  FAILS (engine_add_files (self, job, 0, 1, &first, error), TFD_ERROR_INVALID_STATE);
  FAILS (tfd_engine_resume (self->engine, job, error), TFD_ERROR_INVALID_STATE);
  FAILS (tfd_engine_suspend (self->engine, job, error), TFD_ERROR_INVALID_STATE);
  FAILS (engine_set_properties (self, job, "{'Description': <'x'>}", error),
         TFD_ERROR_INVALID_STATE);
  tfd_signal_log_clear (self->log);
}

/* ---- reading ---- */

static gboolean
collect (TfdJob *job, gpointer data)
{
  g_string_append (data, tfd_job_record (job)->properties->display_name);
  return TRUE;
}

ENGINE_TEST (test_foreach)
{
  g_autoptr (GString) names = g_string_new (NULL);
  TfdJob *b;

  engine_create (self, "a", 0, FALSE, NULL);
  b = engine_create (self, "b", 0, FALSE, NULL);
  engine_try_create (self, BOB, "x", 0, FALSE, NULL, NULL);
  engine_create (self, "c", 0, FALSE, NULL);
  tfd_engine_foreach_job (self->engine, ALICE, NULL, collect, names);
  g_assert_cmpstr (names->str, ==, "abc");
  tfd_engine_foreach_job (self->engine, ALICE, tfd_job_id (b), collect, names);
  g_assert_cmpstr (names->str, ==, "abcc");
  engine_cancel (self, b);
  tfd_engine_foreach_job (self->engine, ALICE, NULL, collect, names);
  g_assert_cmpstr (names->str, ==, "abccac");
  tfd_signal_log_clear (self->log);
}

ENGINE_TEST (test_list_files)
{
  TfdJob *job = engine_create (self, "a", 5, FALSE, NULL);
  static const struct
  {
    guint32 first, count, expected;
  } cases[] = {
    { 0, 0, 5 }, { 1, 2, 2 }, { 4, 9, 1 }, { 5, 0, 0 }, { G_MAXUINT32, G_MAXUINT32, 0 }
  };

  for (guint in_memory = 0; in_memory < 2; in_memory++)
    {
      for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
        {
          g_autoptr (GPtrArray) rows =
              tfd_engine_list_files (self->engine, job, cases[i].first, cases[i].count, NULL);

          g_assert_cmpuint (rows->len, ==, cases[i].expected);
          if (rows->len > 0)
            g_assert_cmpuint (((TfdFileRecord *) rows->pdata[0])->index, ==, cases[i].first);
        }
      OK (tfd_engine_resume (self->engine, job, error));
      OK (tfd_engine_suspend (self->engine, job, error));
      engine_settle (self);
      g_assert_nonnull (tfd_job_peek_files (job));
    }
  tfd_signal_log_clear (self->log);
}

ENGINE_TEST (test_count)
{
  guint jobs, running;
  guint64 rate, run;

  engine_create (self, "a", 0, FALSE, NULL);
  engine_create_running (self, "b", 1, NULL, &run);
  engine_progress (self, run, 0, 10, 10000);
  engine_advance (self, SECOND);
  engine_progress (self, run, 0, 1010, 10000);
  tfd_engine_count (self->engine, ALICE, NULL, &jobs, &running, &rate);
  g_assert_cmpuint (jobs, ==, 2);
  g_assert_cmpuint (running, ==, 1);
  g_assert_cmpuint (rate, >=, 1000);
  g_assert_cmpuint (rate, <=, 1010);
  tfd_engine_count (self->engine, BOB, NULL, &jobs, &running, &rate);
  g_assert_cmpuint (jobs + running + rate, ==, 0);
  tfd_signal_log_clear (self->log);
}

static void
network_cb (TfdEngine *engine G_GNUC_UNUSED, TfdSignalLog *log)
{
  tfd_signal_log_add (log, "network");
}

ENGINE_TEST (test_network)
{
  g_signal_connect (self->engine, "network-changed", G_CALLBACK (network_cb), self->log);
  tfd_engine_set_network (self->engine, FALSE, FALSE);
  tfd_engine_set_network (self->engine, FALSE, FALSE);
  g_assert_false (tfd_engine_is_online (self->engine));
  tfd_engine_set_network (self->engine, TRUE, TRUE);
  g_assert_true (tfd_engine_is_metered (self->engine));
  tfd_signal_log_assert (self->log, "network\nnetwork");
}

/* Files of a job that rests are not kept in memory; they are asked for as ever. */
ENGINE_TEST (test_files_forgotten)
{
  guint64 run;
  TfdJob *done = engine_create_done (self, "a", 3, 2, NULL);
  TfdJob *running = engine_create_running (self, "b", 2, NULL, &run);
  g_autoptr (GPtrArray) files = NULL;
  guint64 bytes;

  engine_progress (self, run, 0, 10, 100);
  bytes = tfd_job_record (done)->bytes_transferred;
  engine_advance (self, 50 * SECOND);
  OK (tfd_engine_set_validation_state (self->engine, done, 0, TRUE, error));
  engine_advance (self, 50 * SECOND);
  g_assert_nonnull (tfd_job_peek_files (done));
  engine_advance (self, 10 * SECOND);
  g_assert_null (tfd_job_peek_files (done));
  g_assert_nonnull (tfd_job_peek_files (running));
  files = tfd_engine_list_files (self->engine, done, 0, 0, NULL);
  g_assert_cmpuint (files->len, ==, 3);
  g_assert_true (tfd_file_is_validated (files->pdata[0]));
  g_assert_cmpuint (tfd_job_record (done)->bytes_transferred, ==, bytes);
  engine_complete (self, done, "{}");
  engine_assert_asked (self, "Verify", "0 1");
  engine_answer_each (self, "Verify", "ok");
  engine_answer_each (self, "Finalize", "renamed");
  engine_answer (self, "Discard", "([],)");
  assert_job (done, "acknowledged");

  /* what was being fetched waits again, also for those who read the database */
  OK (tfd_engine_suspend (self->engine, running, error));
  engine_settle (self);
  engine_answer (self, "Stop", "([],)");
  engine_advance (self, 61 * SECOND);
  g_assert_null (tfd_job_peek_files (running));
  g_clear_pointer (&files, g_ptr_array_unref);
  files = tfd_engine_list_files (self->engine, running, 0, 0, NULL);
  g_assert_cmpint (((TfdFileRecord *) files->pdata[0])->state, ==, TFD_FILE_STATE_WAITING);
  g_assert_cmpuint (((TfdFileRecord *) files->pdata[0])->transferred, ==, 10);
  tfd_signal_log_clear (self->log);
}

/* Nor are those of a job that waits: they are read again when it runs, and are what they were. */
ENGINE_TEST (test_waiting_files_forgotten)
{
  guint64 run;
  TfdJob *waiting = engine_create_running (self, "a", 3, NULL, &run);
  TfdJob *queued;

  engine_progress (self, run, 0, 10, 100);
  engine_done (self, run, 1);
  tfd_engine_set_network (self->engine, FALSE, FALSE);
  engine_settle (self);
  engine_answer (self, "Stop", "([],)");
  assert_job (waiting, "transient-error");
  engine_advance (self, 61 * SECOND);
  g_assert_null (tfd_job_peek_files (waiting));
  tfd_engine_set_network (self->engine, TRUE, FALSE);
  engine_settle (self);
  assert_job (waiting, "connecting");
  g_assert_cmpuint (tfd_job_record (waiting)->files_transferred, ==, 1);
  engine_assert_asked (self, "Start", "0 2");
  run = engine_take_start (self);
  engine_done (self, run, 0);
  engine_done (self, run, 2);
  engine_answer (self, "Stop", "([],)");
  assert_job (waiting, "transferred");

  tfd_engine_set_log_ons (self->engine, TFD_LOG_ONS_KNOWN);
  queued = engine_create (self, "b", 2, TRUE, "{'RunWhen': <'logged-in'>}");
  engine_advance (self, 61 * SECOND);
  assert_job (queued, "queued");
  g_assert_null (tfd_job_peek_files (queued));
  tfd_engine_set_session (self->engine, ALICE, TFD_SESSION_ACTIVE);
  engine_settle (self);
  engine_assert_asked (self, "Start", "0 1");
  engine_take_start (self);
  tfd_signal_log_clear (self->log);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ENGINE_ADD ("/engine/create/plain", test_create);
  ENGINE_ADD ("/engine/create/survives", test_create_survives);
  ENGINE_ADD ("/engine/create/uncommitted", test_create_uncommitted);
  ENGINE_ADD ("/engine/create/and-start", test_create_and_start);
  ENGINE_ADD ("/engine/create/start-empty", test_create_start_empty);
  ENGINE_ADD ("/engine/create/upload", test_create_upload);
  ENGINE_ADD ("/engine/limits/jobs", test_limit_user);
  ENGINE_ADD ("/engine/limits/administrator", test_limit_root);
  ENGINE_ADD ("/engine/limits/free-up", test_limit_frees);
  ENGINE_ADD ("/engine/limits/files", test_limit_files);
  ENGINE_ADD ("/engine/add/indices", test_add_indices);
  ENGINE_ADD ("/engine/add/duplicate", test_add_duplicate);
  ENGINE_ADD ("/engine/add/same-path-elsewhere", test_add_same_path_elsewhere);
  ENGINE_ADD ("/engine/add/while-running", test_add_while_running);
  ENGINE_ADD ("/engine/add/to-transferred", test_add_to_transferred);
  ENGINE_ADD ("/engine/add/after-end", test_add_after_end);
  ENGINE_ADD ("/engine/read/foreach", test_foreach);
  ENGINE_ADD ("/engine/read/list-files", test_list_files);
  ENGINE_ADD ("/engine/read/count", test_count);
  ENGINE_ADD ("/engine/read/network", test_network);
  ENGINE_ADD ("/engine/read/files-forgotten", test_files_forgotten);
  ENGINE_ADD ("/engine/read/waiting-files-forgotten", test_waiting_files_forgotten);
  return g_test_run ();
}
