/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Tests of the change of a job's owner: whole, or not at all. */
#include "engine-fixture.h"

#include <string.h>

static const TfdOwner bob = { .uid = BOB, .name = "bob" };
static const TfdOwner root = { .uid = 0, .name = "root" };

static void
taken_cb (TfdJob *job, const GError *error, gpointer data)
{
  EngineFixture *self = data;

  if (error == NULL)
    tfd_signal_log_add (self->log, "%s taken", engine_name_of (job));
  else
    tfd_signal_log_add (self->log, "%s not taken: %s", engine_name_of (job),
                        engine_short_name ((TfdErrorCode) error->code));
}

static void
take (EngineFixture *self, TfdJob *job, const TfdOwner *owner)
{
  tfd_signal_log_clear (self->log);
  tfd_engine_take_ownership (self->engine, job, owner, NULL, taken_cb, self);
  engine_settle (self);
}

static void
assert_owner (TfdJob *job, guint32 uid, const char *name)
{
  g_assert_cmpuint (tfd_job_uid (job), ==, uid);
  g_assert_cmpstr (tfd_job_record (job)->owner_name, ==, name);
}

/* After a restart. */
static TfdJob *
find (EngineFixture *self, const char *id)
{
  TfdJob *job;

  engine_restart (self);
  job = tfd_engine_get_job (self->engine, id);
  g_assert_nonnull (job);
  return job;
}

/* A job of which nothing has arrived needs nobody's leave. */
ENGINE_TEST (test_empty)
{
  TfdJob *job = engine_create (self, "a", 0, FALSE, NULL);
  g_autofree char *id = g_strdup (tfd_job_id (job));

  take (self, job, &bob);
  tfd_signal_log_assert (self->log, "a taken");
  assert_owner (job, BOB, "bob");
  assert_owner (find (self, id), BOB, "bob");
  tfd_signal_log_clear (self->log);
}

ENGINE_TEST (test_secrets_go)
{
  TfdJob *job = engine_create (self, "a", 1, FALSE,
                               "{'Headers': <[('X-Secret', 'x')]>, 'HeadersWriteOnly': <true>,"
                               " 'NotifyApplication': <'org.example.App'>, 'NotifyFiles': <true>,"
                               " 'NotifyInterval': <uint64 1000000>, 'Description': <'d'>}");
  g_autofree char *id = g_strdup (tfd_job_id (job));
  const TfdJobProperties *properties;

  OK (tfd_engine_set_credentials (self->engine, job, "server", "basic", "u", "p", error));
  take (self, job, &bob);
  properties = tfd_job_record (find (self, id))->properties;
  g_assert_null (properties->credentials);
  g_assert_null (properties->headers);
  g_assert_false (properties->headers_write_only);
  g_assert_cmpstr (properties->notify_application, ==, "");
  g_assert_false (properties->notify_files);
  g_assert_cmpuint (properties->notify_interval, ==, 500000);
  g_assert_cmpstr (properties->description, ==, "d");
  tfd_signal_log_clear (self->log);
}

static TfdJob *
create_with_parts (EngineFixture *self, guint64 *run)
{
  TfdJob *job = engine_create_running (self, "a", 2, NULL, run);
  g_autofree char *parts =
      g_strdup_printf ("(%" G_GUINT64_FORMAT ", [(0, {'x': <1>}), (1, {'x': <2>})])", *run);

  engine_connected (self, *run);
  engine_news (self, "Parts", "(ta(ua{sv}))", parts);
  engine_progress (self, *run, 0, 10, 100);
  return job;
}

/* One that runs is stopped, its new owner's worker copies what is there, and its old owner's
 * deletes what was copied. */
ENGINE_TEST (test_running)
{
  guint64 run;
  TfdJob *job = create_with_parts (self, &run);

  take (self, job, &bob);
  engine_assert_requests (self, "Stop");
  assert_owner (job, ALICE, "alice");
  engine_answer (self, "Stop", "([],)");
  engine_assert_asked (self, "Adopt", "0 1");
  g_assert_cmpstr (tfd_fake_transport_peek_owner (self->transport, "Adopt"), ==, "bob");
  g_assert_cmpuint (engine_count_rows (self, "leftovers"), ==, 2);
  engine_answer (self, "Adopt", "([(0, 'copied', {'part': <{'x': <7>}>}), (1, 'ok', {})],)");
  tfd_signal_log_assert (self->log, "a is suspended\na taken");
  assert_owner (job, BOB, "bob");
  g_assert_cmpuint (engine_file (job, 0)->attempt, ==, 1);
  g_assert_cmpuint (engine_file (job, 1)->attempt, ==, 0);
  engine_assert_asked (self, "Discard", "0");
  engine_assert_file_value (self, "Discard", 0, "attempt", "0");
  g_assert_cmpstr (tfd_fake_transport_peek_owner (self->transport, "Discard"), ==, "alice");
  engine_answer (self, "Discard", "([],)");
  g_assert_cmpuint (engine_count_rows (self, "leftovers"), ==, 0);

  OK (tfd_engine_resume (self->engine, job, error));
  engine_settle (self);
  engine_assert_file_value (self, "Start", 0, "attempt", "1");
  engine_assert_file_value (self, "Start", 0, "part", "{'x': <7>}");
  g_assert_cmpstr (tfd_fake_transport_peek_owner (self->transport, "Start"), ==, "bob");
  engine_take_start (self);
  tfd_signal_log_clear (self->log);
}

/* A crash cuts off a change, and nobody deletes what it may have copied: when another one copies
 * the same, that is the job's. */
ENGINE_TEST (test_promised_twice)
{
  guint64 run;
  TfdJob *job = create_with_parts (self, &run);
  g_autofree char *id = g_strdup (tfd_job_id (job));

  OK (tfd_engine_suspend (self->engine, job, error));
  engine_settle (self);
  engine_answer (self, "Stop", "([],)");
  take (self, job, &bob);
  engine_assert_asked (self, "Adopt", "0 1");
  job = find (self, id);
  engine_assert_asked (self, "Discard", "0 1");
  engine_fail (self, "Discard", G_IO_ERROR_CONNECTION_CLOSED);

  take (self, job, &bob);
  engine_answer (self, "Adopt", "([(0, 'copied', {'part': <{'x': <7>}>}), (1, 'ok', {})],)");
  tfd_signal_log_assert (self->log, "a taken");
  g_assert_cmpuint (engine_file (job, 0)->attempt, ==, 1);
  engine_assert_requests (self, "Discard Discard");
  for (guint i = 0; i < 2; i++)
    {
      gboolean old =
          g_str_equal (tfd_fake_transport_peek_owner (self->transport, "Discard"), "alice");

      engine_assert_asked (self, "Discard", old ? "0" : "1");
      engine_assert_file_value (self, "Discard", old ? 0 : 1, "attempt", old ? "0" : "1");
      engine_answer (self, "Discard", "([],)");
    }
  tfd_engine_mounts_changed (self->engine);
  engine_assert_requests (self, "");

  /* what is recorded of it goes with the job */
  engine_cancel (self, job);
  engine_answer (self, "Discard", "([],)");
  tfd_engine_mounts_changed (self->engine);
  engine_answer (self, "Discard", "([],)");
  g_assert_cmpuint (engine_count_rows (self, "leftovers"), ==, 0);
  tfd_signal_log_clear (self->log);
}

/* What a worker of the old owner began, and nobody heard of, is not the new one's to delete. */
ENGINE_TEST (test_unrecorded)
{
  guint64 run;
  TfdJob *job = engine_create_running (self, "a", 2, NULL, &run);
  g_autofree char *id = g_strdup (tfd_job_id (job));

  self->config->background_jobs = 0;
  job = find (self, id);
  take (self, job, &bob);
  tfd_signal_log_assert_has (self->log, "a taken");
  engine_assert_asked (self, "Discard", "0 1");
  engine_assert_file_value (self, "Discard", 1, "attempt", "0");
  g_assert_cmpstr (tfd_fake_transport_peek_owner (self->transport, "Discard"), ==, "alice");
  engine_answer (self, "Discard", "([],)");
  g_assert_cmpuint (engine_count_rows (self, "leftovers"), ==, 0);

  engine_cancel (self, find (self, id));
  g_assert_cmpstr (tfd_fake_transport_peek_owner (self->transport, "Discard"), ==, "bob");
  engine_assert_file_value (self, "Discard", 1, "attempt", "1");
  engine_answer (self, "Discard", "([],)");
  tfd_signal_log_clear (self->log);
}

/* Refused: it runs on as if nobody had asked. */
ENGINE_TEST (test_refused)
{
  guint64 run;
  TfdJob *job = create_with_parts (self, &run);

  take (self, job, &bob);
  engine_answer (self, "Stop", "([],)");
  tfd_fake_transport_refuse (self->transport, "Adopt",
                             tfd_error_code_to_name (TFD_ERROR_FILE_ACCESS_DENIED), "no");
  engine_settle (self);
  tfd_signal_log_assert_has (self->log, "a not taken: FileAccessDenied");
  assert_owner (job, ALICE, "alice");
  /* what may have been copied is gone before anything else happens to it */
  engine_assert_asked (self, "Discard", "0 1");
  g_assert_cmpstr (tfd_fake_transport_peek_owner (self->transport, "Discard"), ==, "bob");
  engine_answer (self, "Discard", "([],)");
  engine_advance (self, SECOND);
  engine_take_start (self);
  assert_job (job, "connecting");
  g_assert_cmpuint (engine_count_rows (self, "leftovers"), ==, 0);
  tfd_signal_log_clear (self->log);
}

ENGINE_TEST (test_worker_lost)
{
  guint64 run;
  TfdJob *job = create_with_parts (self, &run);

  take (self, job, &bob);
  engine_answer (self, "Stop", "([],)");
  engine_fail (self, "Adopt", G_IO_ERROR_CONNECTION_CLOSED);
  tfd_signal_log_assert_has (self->log, "a not taken: WorkerLost");
  assert_owner (job, ALICE, "alice");
  engine_answer (self, "Discard", "([],)");
  engine_advance (self, SECOND);
  engine_take_start (self);
  tfd_signal_log_clear (self->log);
}

/* The service dies while the worker copies: the job is its old owner's, and the copies go. */
ENGINE_TEST (test_crash)
{
  guint64 run;
  TfdJob *job = create_with_parts (self, &run);

  take (self, job, &bob);
  engine_answer (self, "Stop", "([],)");
  engine_assert_asked (self, "Adopt", "0 1");
  engine_restart (self);
  job = engine_find (self, "a");
  assert_owner (job, ALICE, "alice");
  assert_job (job, "connecting");
  engine_assert_asked (self, "Discard", "0 1");
  engine_assert_file_value (self, "Discard", 0, "attempt", "1");
  g_assert_cmpstr (tfd_fake_transport_peek_owner (self->transport, "Discard"), ==, "bob");
  engine_answer (self, "Discard", "([],)");
  engine_take_start (self);
  tfd_signal_log_clear (self->log);
}

/* The change cannot be recorded: it never was, and its limits are as they were. */
ENGINE_TEST (test_commit_fails)
{
  g_autoptr (GError) refused = NULL;
  guint64 run;
  TfdJob *job = create_with_parts (self, &run);

  self->config->max_jobs_per_user = 1;
  take (self, job, &bob);
  engine_answer (self, "Stop", "([],)");
  engine_fail_writes (self, "jobs", FALSE);
  engine_answer (self, "Adopt", "([(0, 'copied', {'part': <{'x': <7>}>}), (1, 'ok', {})],)");
  tfd_signal_log_assert_has (self->log, "a not taken: StorageFailed");
  engine_mend_writes (self);
  assert_owner (job, ALICE, "alice");
  g_assert_cmpuint (engine_file (job, 0)->attempt, ==, 0);
  engine_answer (self, "Discard", "([],)");
  g_assert_nonnull (engine_try_create (self, BOB, "b", 0, FALSE, NULL, &refused));
  g_assert_null (engine_try_create (self, ALICE, "c", 0, FALSE, NULL, NULL));
  engine_advance (self, 2 * SECOND);
  engine_take_start (self);
  tfd_signal_log_clear (self->log);
}

/* The new owner's limit is the one that counts; the old owner has room again. */
ENGINE_TEST (test_limits)
{
  g_autoptr (GError) error = NULL;
  TfdJob *first = engine_create (self, "a", 0, FALSE, NULL);
  TfdJob *second = engine_create (self, "b", 0, FALSE, NULL);

  self->config->max_jobs_per_user = 2;
  g_assert_null (engine_try_create (self, ALICE, "c", 0, FALSE, NULL, NULL));
  self->config->max_jobs_per_user = 1;
  take (self, first, &bob);
  tfd_signal_log_assert (self->log, "a taken");
  take (self, second, &bob);
  tfd_signal_log_assert (self->log, "b not taken: TooManyJobsPerUser");
  take (self, second, &root);
  tfd_signal_log_assert (self->log, "b taken");
  g_assert_nonnull (engine_try_create (self, ALICE, "d", 0, FALSE, NULL, &error));
  g_assert_null (engine_try_create (self, BOB, "e", 0, FALSE, NULL, NULL));
  /* what root has takes nothing from the others */
  self->config->max_jobs_per_machine = 3;
  self->config->max_jobs_per_user = 3;
  g_assert_nonnull (engine_try_create (self, BOB, "f", 0, FALSE, NULL, NULL));
  g_assert_null (engine_try_create (self, BOB, "g", 0, FALSE, NULL, NULL));
  engine_settle (self);
  tfd_signal_log_clear (self->log);
}

/* Whoever calls meanwhile waits; a job that has ended is nobody's any more. */
ENGINE_TEST (test_busy_and_over)
{
  guint64 run;
  TfdJob *job = create_with_parts (self, &run);

  take (self, job, &bob);
  g_assert_true (tfd_engine_is_busy (self->engine, job));
  engine_answer (self, "Stop", "([],)");
  engine_answer (self, "Adopt", "([(0, 'ok', {}), (1, 'absent', {})],)");
  g_assert_false (tfd_engine_is_busy (self->engine, job));
  engine_cancel (self, job);
  engine_answer (self, "Discard", "([],)");
  take (self, job, &root);
  tfd_signal_log_assert (self->log, "a not taken: InvalidState");
  tfd_signal_log_clear (self->log);
}

/* The files that are sent must be readable for the new owner. */
ENGINE_TEST (test_upload)
{
  TfdJob *job;

  self->type = TFD_JOB_TYPE_UPLOAD;
  job = engine_create (self, "a", 2, FALSE, NULL);
  take (self, job, &bob);
  engine_assert_asked (self, "Adopt", "0 1");
  engine_assert_option (self, "Adopt", "type", "'upload'");
  g_assert_cmpuint (engine_count_rows (self, "leftovers"), ==, 0);
  engine_answer (self, "Adopt", "([(0, 'ok', {}), (1, 'ok', {})],)");
  assert_owner (job, BOB, "bob");
  tfd_signal_log_clear (self->log);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ENGINE_ADD ("/engine/ownership/empty", test_empty);
  ENGINE_ADD ("/engine/ownership/secrets-go", test_secrets_go);
  ENGINE_ADD ("/engine/ownership/running", test_running);
  ENGINE_ADD ("/engine/ownership/promised-twice", test_promised_twice);
  ENGINE_ADD ("/engine/ownership/unrecorded", test_unrecorded);
  ENGINE_ADD ("/engine/ownership/refused", test_refused);
  ENGINE_ADD ("/engine/ownership/worker-lost", test_worker_lost);
  ENGINE_ADD ("/engine/ownership/crash", test_crash);
  ENGINE_ADD ("/engine/ownership/commit-fails", test_commit_fails);
  ENGINE_ADD ("/engine/ownership/limits", test_limits);
  ENGINE_ADD ("/engine/ownership/busy-and-over", test_busy_and_over);
  ENGINE_ADD ("/engine/ownership/upload", test_upload);
  return g_test_run ();
}
