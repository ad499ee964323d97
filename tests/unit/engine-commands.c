/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Tests of what owners ask the engine for: create, add, suspend, resume, change. */
#include "engine-fixture.h"

static gboolean
add_files (
    EngineFixture *self, TfdJob *job, guint first, guint count, guint32 *index, GError **error)
{
  g_autoptr (GPtrArray) specs =
      engine_specs (tfd_job_record (job)->properties->display_name, first, count);

  return tfd_engine_add_files (self->engine, job, specs, NULL, index, error);
}

static gboolean
set (EngineFixture *self, TfdJob *job, const char *text, GError **error)
{
  g_autoptr (GVariant) changes = g_variant_parse (G_VARIANT_TYPE_VARDICT, text, NULL, NULL, NULL);

  g_assert_nonnull (changes);
  return tfd_engine_set_properties (self->engine, job, changes, error);
}

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
  const TfdOwner owner = { ALICE, "alice" };

  FAILS (tfd_engine_create_job (self->engine, &owner, TFD_JOB_TYPE_UPLOAD,
                                tfd_job_properties_new (), NULL, NULL, FALSE, error) != NULL,
         TFD_ERROR_NOT_SUPPORTED);
  engine_settle (self);
  g_assert_cmpuint (engine_count_rows (self, "jobs"), ==, 0);
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
  FAILS (add_files (self, job, 3, 3, &first, error), TFD_ERROR_TOO_MANY_FILES_IN_JOB);
  OK (add_files (self, job, 3, 2, &first, error));
  g_assert_cmpuint (first, ==, 3);
  FAILS (add_files (self, job, 5, 1, &first, error), TFD_ERROR_TOO_MANY_FILES_IN_JOB);
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
      OK (add_files (self, job, i * 2, 2, &first, error));
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

  FAILS (add_files (self, job, 3, 0, &first, error) && add_files (self, job, 2, 2, &first, error),
         TFD_ERROR_DUPLICATE_DESTINATION);
  /* what shares the commit with the refused call is kept */
  OK (add_files (self, job, 7, 1, &first, error));
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

  OK (add_files (self, job, 1, 2, &first, error));
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

  OK (add_files (self, job, 1, 1, &first, error));
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
  FAILS (add_files (self, job, 0, 1, &first, error), TFD_ERROR_INVALID_STATE);
  FAILS (tfd_engine_resume (self->engine, job, error), TFD_ERROR_INVALID_STATE);
  FAILS (tfd_engine_suspend (self->engine, job, error), TFD_ERROR_INVALID_STATE);
  FAILS (set (self, job, "{'Description': <'x'>}", error), TFD_ERROR_INVALID_STATE);
  tfd_signal_log_clear (self->log);
}

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
  g_assert_cmpint (tfd_job_record (job)->modification_time, ==, modified);
  engine_assert_requests (self, "");
  tfd_signal_log_assert (self->log, "");
}

/* ---- properties ---- */

ENGINE_TEST (test_set_properties)
{
  TfdJob *job = engine_create (self, "a", 1, FALSE, NULL);

  OK (set (self, job, "{'Description': <'x'>, 'MinimumRetryDelay': <uint64 7000000>}", error));
  engine_restart (self);
  job = engine_find (self, "a");
  g_assert_cmpstr (tfd_job_record (job)->properties->description, ==, "");
  OK (set (self, job, "{'Description': <'x'>, 'MinimumRetryDelay': <uint64 7000000>}", error));
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

  FAILS (set (self, job, "{'Description': <'x'>, 'Nonsense': <1>}", error), TFD_ERROR_INVALID_ARGS);
  engine_settle (self);
  g_assert_cmpstr (tfd_job_record (job)->properties->description, ==, "");
  tfd_signal_log_clear (self->log);
}

/* What is fixed after the first file or the first Resume stays so over a restart. */
ENGINE_TEST (test_set_read_only)
{
  TfdJob *job = engine_create (self, "a", 0, FALSE, NULL);
  guint32 first;

  OK (set (self, job, "{'HighPerformance': <true>}", error));
  OK (add_files (self, job, 0, 1, &first, error));
  FAILS (set (self, job, "{'HighPerformance': <false>}", error),
         TFD_ERROR_READ_ONLY_AFTER_ADD_FILE);
  OK (set (self, job, "{'MaximumSize': <uint64 100>}", error));
  OK (tfd_engine_resume (self->engine, job, error));
  OK (tfd_engine_suspend (self->engine, job, error));
  engine_settle (self);
  for (guint life = 0; life < 2; life++)
    {
      FAILS (set (self, job, "{'MaximumSize': <uint64 200>}", error),
             TFD_ERROR_READ_ONLY_AFTER_RESUME);
      FAILS (set (self, job, "{'Description': <'x'>, 'DynamicContent': <true>}", error),
             TFD_ERROR_READ_ONLY_AFTER_RESUME);
      g_assert_cmpstr (tfd_job_record (job)->properties->description, ==, "");
      OK (set (self, job, "{'MaximumSize': <uint64 100>}", error));
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
  OK (set (self, third, "{'Priority': <'high'>}", error));
  engine_settle (self);
  engine_done (self, run, 0);
  engine_answer (self, "Stop", "([],)");
  assert_job (first, "transferred");
  assert_job (second, "queued");
  assert_job (third, "connecting");
  engine_take_start (self);
  OK (set (self, second, "{'Priority': <'foreground'>}", error));
  engine_settle (self);
  assert_job (second, "connecting");
  engine_take_start (self);
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
  tfd_engine_count (self->engine, ALICE, &jobs, &running, &rate);
  g_assert_cmpuint (jobs, ==, 2);
  g_assert_cmpuint (running, ==, 1);
  g_assert_cmpuint (rate, >=, 1000);
  g_assert_cmpuint (rate, <=, 1010);
  tfd_engine_count (self->engine, BOB, &jobs, &running, &rate);
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
  ENGINE_ADD ("/engine/read/foreach", test_foreach);
  ENGINE_ADD ("/engine/read/list-files", test_list_files);
  ENGINE_ADD ("/engine/read/count", test_count);
  ENGINE_ADD ("/engine/read/network", test_network);
  return g_test_run ();
}
