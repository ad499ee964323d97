/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Tests of what owners say of remote files: SetRemoteName, ReplaceRemotePrefix, SetValidationState.
 */
#include "engine-fixture.h"

#define RENAME(index, url) tfd_engine_set_remote_name (self->engine, job, index, url, error)
#define VALIDATE(index, valid)                                                                     \
  tfd_engine_set_validation_state (self->engine, job, index, valid, error)

#define assert_url(job, index, expected)                                                           \
  g_assert_cmpstr (engine_file (job, index)->url, ==, expected)

/* ---- SetRemoteName ---- */

ENGINE_TEST (test_rename_suspended)
{
  TfdJob *job = engine_create (self, "a", 2, FALSE, NULL);

  OK (RENAME (1, "https://elsewhere/x"));
  engine_settle (self);
  engine_restart (self);
  job = engine_find (self, "a");
  OK (tfd_engine_resume (self->engine, job, error));
  engine_settle (self);
  engine_assert_file_value (self, "Start", 0, "url", "'http://host/a/0'");
  engine_assert_file_value (self, "Start", 1, "url", "'https://elsewhere/x'");
  engine_take_start (self);
  tfd_signal_log_clear (self->log);
}

ENGINE_TEST (test_rename_refused)
{
  TfdJob *job = engine_create (self, "a", 1, FALSE, NULL);

  FAILS (RENAME (1, "http://host/x"), TFD_ERROR_INVALID_ARGS);
  FAILS (RENAME (0, "ftp://host/x"), TFD_ERROR_INVALID_URL);
  FAILS (RENAME (0, ""), TFD_ERROR_INVALID_URL);
  assert_url (job, 0, "http://host/a/0");
  engine_cancel (self, job);
  engine_settle (self);
  FAILS (RENAME (0, "http://host/x"), TFD_ERROR_INVALID_STATE);
  FAILS (VALIDATE (0, TRUE), TFD_ERROR_INVALID_STATE);
  tfd_signal_log_clear (self->log);
}

/* The worker is told by a new start; what it had is handed over again. */
ENGINE_TEST (test_rename_running)
{
  guint64 run;
  TfdJob *job = engine_create_running (self, "a", 2, NULL, &run);

  engine_connected (self, run);
  engine_progress (self, run, 0, 40, 100);
  tfd_signal_log_clear (self->log);
  OK (RENAME (0, "http://other/0"));
  engine_settle (self);
  engine_answer (self, "Stop", "([(0, {'validator': <'x'>})],)");
  engine_settle (self);
  engine_assert_file_value (self, "Start", 0, "url", "'http://other/0'");
  g_assert_cmpuint (tfd_job_record (job)->bytes_transferred, ==, 40);
  engine_take_start (self);
  assert_job (job, "connecting");
  tfd_signal_log_assert (self->log, "a is queued\na is connecting");
}

/* What the old name still fails for is of no interest; what still arrives is. */
ENGINE_TEST (test_rename_and_late_news)
{
  guint64 run;
  TfdJob *job = engine_create_running (self, "a", 3, NULL, &run);
  g_autofree char *redirected = g_strdup_printf (
      "(%" G_GUINT64_FORMAT ", 0, 'redirected', {'report': <true>, 'url': <'http://evil/'>})", run);

  OK (RENAME (0, "http://other/0"));
  engine_failed (self, run, 0,
                 "{'name': <'org.transferd.Transfer1.Error.HttpStatus'>, 'http-status': <uint32 "
                 "404>}");
  engine_news (self, "Event", "(tusa{sv})", redirected);
  engine_done (self, run, 1);
  assert_job (job, "queued");
  assert_file (job, 0, "waiting");
  assert_file (job, 1, "transferred");
  assert_url (job, 0, "http://other/0");
  engine_answer (self, "Stop", "([],)");
  engine_settle (self);
  engine_assert_asked (self, "Start", "0 2");
  engine_take_start (self);
  tfd_signal_log_clear (self->log);
}

/* Of a finished file the name changes and nothing else, in whatever state the job is. */
ENGINE_TEST (test_rename_finished)
{
  guint64 run;
  TfdJob *job = engine_create_running (self, "a", 2, NULL, &run);

  engine_done (self, run, 0);
  tfd_signal_log_clear (self->log);
  OK (RENAME (0, "http://other/0"));
  engine_settle (self);
  engine_assert_requests (self, "");
  assert_job (job, "transferring");
  engine_done (self, run, 1);
  engine_answer (self, "Stop", "([],)");
  assert_job (job, "transferred");
  OK (RENAME (1, "http://other/1"));
  engine_settle (self);
  engine_assert_requests (self, "");
  assert_job (job, "transferred");
  assert_url (job, 0, "http://other/0");
  assert_url (job, 1, "http://other/1");
  tfd_signal_log_clear (self->log);
}

ENGINE_TEST (test_rename_to_the_same)
{
  guint64 run;
  TfdJob *job = engine_create_running (self, "a", 1, NULL, &run);

  OK (RENAME (0, "http://host/a/0"));
  engine_settle (self);
  engine_assert_requests (self, "");
  assert_job (job, "connecting");
}

/* ---- ReplaceRemotePrefix ---- */

static guint32
replace (EngineFixture *self, TfdJob *job, const char *prefix, const char *replacement)
{
  guint32 changed = 77;

  OK (tfd_engine_replace_remote_prefix (self->engine, job, prefix, replacement, &changed, error));
  return changed;
}

ENGINE_TEST (test_prefix)
{
  TfdJob *job = engine_create (self, "a", 12, FALSE, NULL);

  g_assert_cmpuint (replace (self, job, "http://host/a/1", "https://other/b/1"), ==, 3);
  assert_url (job, 0, "http://host/a/0");
  assert_url (job, 1, "https://other/b/1");
  assert_url (job, 11, "https://other/b/11");
  g_assert_cmpuint (replace (self, job, "http://HOST/", "http://other/"), ==, 0);
  g_assert_cmpuint (replace (self, job, "http://", "https://"), ==, 9);
  engine_settle (self);
  engine_restart (self);
  job = engine_find (self, "a");
  g_assert_cmpuint (replace (self, job, "https://host/", "https://host/"), ==, 9);
  assert_url (job, 0, "https://host/a/0");
  tfd_signal_log_clear (self->log);
}

ENGINE_TEST (test_prefix_refused)
{
  TfdJob *job = engine_create (self, "a", 2, FALSE, NULL);
  guint32 changed;

  OK (RENAME (0, "http://x"));
  FAILS (tfd_engine_replace_remote_prefix (self->engine, job, "http://", "ftp://", &changed, error),
         TFD_ERROR_INVALID_URL);
  FAILS (tfd_engine_replace_remote_prefix (self->engine, job, "", "http://", &changed, error),
         TFD_ERROR_INVALID_ARGS);
  /* one of them is no URL any more: all stay */
  FAILS (
      tfd_engine_replace_remote_prefix (self->engine, job, "http://x", "http://", &changed, error),
      TFD_ERROR_INVALID_URL);
  assert_url (job, 0, "http://x");
  assert_url (job, 1, "http://host/a/1");
  tfd_signal_log_clear (self->log);
}

ENGINE_TEST (test_prefix_running)
{
  guint64 run;
  TfdJob *job = engine_create_running (self, "a", 3, NULL, &run);

  engine_done (self, run, 0);
  g_assert_cmpuint (replace (self, job, "http://host/a/0", "http://other/0"), ==, 1);
  engine_settle (self);
  engine_assert_requests (self, "");
  g_assert_cmpuint (replace (self, job, "http://host/", "http://other/"), ==, 2);
  engine_settle (self);
  engine_answer (self, "Stop", "([],)");
  engine_settle (self);
  engine_assert_file_value (self, "Start", 2, "url", "'http://other/a/2'");
  engine_take_start (self);
  tfd_signal_log_clear (self->log);
}

/* ---- SetValidationState ---- */

ENGINE_TEST (test_valid)
{
  TfdJob *job = engine_create_done (self, "a", 2, 1, NULL);

  OK (VALIDATE (0, TRUE));
  FAILS (VALIDATE (1, TRUE), TFD_ERROR_INVALID_STATE);
  FAILS (VALIDATE (1, FALSE), TFD_ERROR_INVALID_STATE);
  FAILS (VALIDATE (2, TRUE), TFD_ERROR_INVALID_ARGS);
  engine_settle (self);
  engine_restart (self);
  job = engine_find (self, "a");
  OK (tfd_engine_resume (self->engine, job, error));
  engine_settle (self);
  engine_take_start (self);
  g_assert_true (tfd_file_is_validated (engine_file (job, 0)));
  g_assert_false (tfd_file_is_validated (engine_file (job, 1)));
  tfd_signal_log_clear (self->log);
}

/* Its temporary goes, and Resume fetches the file under another name. */
ENGINE_TEST (test_invalid)
{
  TfdJob *job = engine_create_done (self, "a", 2, 2, NULL);

  tfd_signal_log_clear (self->log);
  OK (VALIDATE (0, TRUE));
  OK (VALIDATE (0, FALSE));
  engine_settle (self);
  tfd_signal_log_assert (self->log, "a is error\na failed ValidationFailed");
  g_assert_cmpint (tfd_job_record (job)->failure.context, ==, TFD_ERROR_CONTEXT_REMOTE_FILE);
  g_assert_cmpuint (tfd_job_record (job)->failure.file, ==, 0);
  g_assert_cmpuint (tfd_job_record (job)->files_transferred, ==, 1);
  g_assert_cmpuint (tfd_job_record (job)->bytes_transferred, ==, 100);
  g_assert_false (tfd_file_is_validated (engine_file (job, 0)));
  engine_assert_file_value (self, "Discard", 0, "attempt", "0");
  engine_answer (self, "Discard", "([],)");
  FAILS (VALIDATE (0, FALSE), TFD_ERROR_INVALID_STATE);

  OK (tfd_engine_resume (self->engine, job, error));
  engine_settle (self);
  engine_assert_asked (self, "Start", "0");
  engine_assert_file_value (self, "Start", 0, "attempt", "1");
  engine_assert_file_value (self, "Start", 0, "part", "");
  engine_take_start (self);
  tfd_signal_log_clear (self->log);
}

/* The temporary goes even if its worker and the service die in between. */
ENGINE_TEST (test_invalid_survives)
{
  TfdJob *job = engine_create_done (self, "a", 1, 1, NULL);

  OK (VALIDATE (0, FALSE));
  engine_settle (self);
  engine_fail (self, "Discard", G_IO_ERROR_CONNECTION_CLOSED);
  engine_restart (self);
  engine_assert_file_value (self, "Discard", 0, "attempt", "0");
  engine_answer (self, "Discard", "([],)");
  assert_job (engine_find (self, "a"), "error");
  tfd_signal_log_clear (self->log);
}

/* The other files of a job that runs stop, too. */
ENGINE_TEST (test_invalid_running)
{
  guint64 run;
  TfdJob *job = engine_create_running (self, "a", 2, NULL, &run);

  engine_done (self, run, 0);
  tfd_signal_log_clear (self->log);
  OK (VALIDATE (0, FALSE));
  engine_settle (self);
  engine_answer (self, "Stop", "([],)");
  engine_answer (self, "Discard", "([],)");
  assert_job (job, "error");
  assert_file (job, 1, "waiting");
  tfd_signal_log_assert (self->log, "a is error\na failed ValidationFailed");
}

/* Files that are in place are out of reach. */
ENGINE_TEST (test_in_place)
{
  TfdJob *job = engine_create_done (self, "a", 1, 1, NULL);

  engine_file (job, 0)->state = TFD_FILE_STATE_COMPLETED;
  FAILS (VALIDATE (0, FALSE), TFD_ERROR_INVALID_STATE);
  OK (VALIDATE (0, TRUE));
  tfd_signal_log_clear (self->log);
}

ENGINE_TEST (test_storage_fails)
{
  TfdJob *job = engine_create_done (self, "a", 1, 1, NULL);

  engine_fail_writes (self, "leftovers", FALSE);
  FAILS (VALIDATE (0, FALSE), TFD_ERROR_STORAGE_FAILED);
  engine_settle (self);
  engine_mend_writes (self);
  assert_job (job, "transferred");
  engine_assert_requests (self, "");
  tfd_signal_log_clear (self->log);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ENGINE_ADD ("/engine/rename/suspended", test_rename_suspended);
  ENGINE_ADD ("/engine/rename/refused", test_rename_refused);
  ENGINE_ADD ("/engine/rename/running", test_rename_running);
  ENGINE_ADD ("/engine/rename/late-news", test_rename_and_late_news);
  ENGINE_ADD ("/engine/rename/finished", test_rename_finished);
  ENGINE_ADD ("/engine/rename/same", test_rename_to_the_same);
  ENGINE_ADD ("/engine/prefix/some", test_prefix);
  ENGINE_ADD ("/engine/prefix/refused", test_prefix_refused);
  ENGINE_ADD ("/engine/prefix/running", test_prefix_running);
  ENGINE_ADD ("/engine/validation/valid", test_valid);
  ENGINE_ADD ("/engine/validation/invalid", test_invalid);
  ENGINE_ADD ("/engine/validation/invalid-survives", test_invalid_survives);
  ENGINE_ADD ("/engine/validation/invalid-running", test_invalid_running);
  ENGINE_ADD ("/engine/validation/in-place", test_in_place);
  ENGINE_ADD ("/engine/validation/storage-fails", test_storage_fails);
  return g_test_run ();
}
