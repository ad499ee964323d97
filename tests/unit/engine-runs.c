/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Tests of runs: how jobs are handed to workers, fed, and taken back. */
#include "engine-fixture.h"

#include "common/names.h"

/* Files @first … @last are on disk, told in one message. */
static void
done_range (EngineFixture *self, guint64 run, guint first, guint last)
{
  GVariantBuilder builder;

  g_variant_builder_init (&builder, G_VARIANT_TYPE ("a(uta{sv})"));
  for (guint i = first; i <= last; i++)
    g_variant_builder_add (&builder, "(uta{sv})", i, G_GUINT64_CONSTANT (100), NULL);
  tfd_fake_transport_news (self->transport, ALICE, "FilesDone",
                           g_variant_new ("(ta(uta{sv}))", run, &builder));
  engine_settle (self);
}

static guint
count_asked (EngineFixture *self, const char *method)
{
  GVariant *parameters = tfd_fake_transport_peek (self->transport, method);
  g_autoptr (GVariant) files =
      g_variant_get_child_value (parameters, g_variant_n_children (parameters) - 1);

  return (guint) g_variant_n_children (files);
}

/* ---- start ---- */

/* Start is sent when the new state is durable, with all that the worker needs. */
ENGINE_TEST (test_start)
{
  TfdJob *job;
  const char *id;

  self->config->umask = 027;
  self->config->keep_free = 4096;
  job = engine_create (self, "a", 1, TRUE,
                       "{'MaximumSize': <uint64 500>, 'DynamicContent': <true>,"
                       " 'RedirectPolicy': <'refuse'>}");
  engine_assert_requests (self, "Start");
  g_variant_get_child (tfd_fake_transport_peek (self->transport, "Start"), 1, "&s", &id);
  g_assert_cmpstr (id, ==, tfd_job_id (job));
  g_assert_cmpstr (tfd_fake_transport_peek_owner (self->transport, "Start"), ==, "alice");
  engine_assert_option (self, "Start", "foreground", "false");
  engine_assert_option (self, "Start", "dynamic-content", "true");
  engine_assert_option (self, "Start", "high-performance", "false");
  engine_assert_option (self, "Start", "redirect-policy", "'refuse'");
  engine_assert_option (self, "Start", "allow-downgrade", "false");
  engine_assert_option (self, "Start", "maximum-size", "500");
  engine_assert_option (self, "Start", "umask", "23");
  engine_assert_option (self, "Start", "keep-free", "4096");
  engine_assert_file_value (self, "Start", 0, "url", "'http://host/a/0'");
  engine_assert_file_value (self, "Start", 0, "path", "/home/a/0");
  engine_assert_file_value (self, "Start", 0, "state", "'waiting'");
  engine_assert_file_value (self, "Start", 0, "attempt", "0");
  engine_assert_file_value (self, "Start", 0, "part", "");
  engine_take_start (self);
  tfd_signal_log_clear (self->log);
}

/* No number is used twice, not even by the next life of the service. */
ENGINE_TEST (test_numbers)
{
  guint64 first, second;
  TfdJob *job = engine_create_running (self, "a", 1, NULL, &first);

  OK (tfd_engine_suspend (self->engine, job, error));
  engine_settle (self);
  engine_answer (self, "Stop", "([],)");
  OK (tfd_engine_resume (self->engine, job, error));
  engine_settle (self);
  second = engine_take_start (self);
  g_assert_cmpuint (second, >, first);
  engine_advance (self, SECOND);
  engine_restart (self);
  g_assert_cmpuint (engine_take_start (self), >, second);
  tfd_signal_log_clear (self->log);
}

/* A worker that refuses a run: the job tries again later. */
ENGINE_TEST (test_start_refused)
{
  TfdJob *job = engine_create (self, "a", 1, TRUE, NULL);

  engine_fail (self, "Start", G_IO_ERROR_FAILED);
  assert_job (job, "transient-error");
  g_assert_cmpint (tfd_job_record (job)->failure.code, ==, TFD_ERROR_WORKER_LOST);
  g_assert_cmpuint (tfd_job_record (job)->error_count, ==, 0);
  engine_answer (self, "Stop", "([],)");
  engine_advance (self, 700 * SECOND);
  assert_job (job, "connecting");
  engine_take_start (self);
  tfd_signal_log_assert_has (self->log, "warning\na is transient-error\na is connecting");
}

/* ---- work ahead ---- */

ENGINE_TEST (test_batches)
{
  guint64 run;
  TfdJob *job = engine_create (self, "a", 10000, TRUE, NULL);

  g_assert_cmpuint (count_asked (self, "Start"), ==, 4096);
  run = engine_take_start (self);
  done_range (self, run, 0, 2046);
  engine_assert_requests (self, "");
  done_range (self, run, 2047, 2047);
  g_assert_cmpuint (count_asked (self, "AddFiles"), ==, 2048);
  engine_assert_file_value (self, "AddFiles", 4096, "url", "'http://host/a/4096'");
  engine_answer (self, "AddFiles", "()");
  done_range (self, run, 2048, 6143);
  g_assert_cmpuint (count_asked (self, "AddFiles"), ==, 3856);
  engine_answer (self, "AddFiles", "()");
  done_range (self, run, 6144, 9998);
  engine_assert_requests (self, "");
  assert_job (job, "transferring");
  done_range (self, run, 9999, 9999);
  assert_job (job, "transferred");
  engine_answer (self, "Stop", "([],)");
  tfd_signal_log_clear (self->log);
}

/* Only what is missing is handed over. */
ENGINE_TEST (test_rest)
{
  TfdJob *job = engine_create_done (self, "a", 4, 2, NULL);

  OK (tfd_engine_resume (self->engine, job, error));
  engine_settle (self);
  engine_assert_asked (self, "Start", "2 3");
  engine_take_start (self);
  tfd_signal_log_clear (self->log);
}

/* MaximumSize is for the job: a run may only receive the rest. */
ENGINE_TEST (test_rest_of_size)
{
  TfdJob *job = engine_create_done (self, "a", 3, 2, "{'MaximumSize': <uint64 500>}");

  OK (tfd_engine_resume (self->engine, job, error));
  engine_settle (self);
  engine_assert_option (self, "Start", "maximum-size", "300");
  engine_take_start (self);
  tfd_signal_log_clear (self->log);
}

/* A file that is half there may have to be fetched anew: only whole files are taken off. */
ENGINE_TEST (test_rest_of_size_with_half_a_file)
{
  guint64 run;
  TfdJob *job = engine_create_running (self, "a", 2, "{'MaximumSize': <uint64 500>}", &run);

  engine_done (self, run, 0);
  engine_progress (self, run, 1, 150, 200);
  OK (tfd_engine_suspend (self->engine, job, error));
  engine_settle (self);
  engine_answer (self, "Stop", "([],)");
  OK (tfd_engine_resume (self->engine, job, error));
  engine_settle (self);
  engine_assert_option (self, "Start", "maximum-size", "400");
  engine_take_start (self);
  tfd_signal_log_clear (self->log);
}

/* ---- stop ---- */

/* What a worker tells before it has let go counts; failures are of no interest any more. */
ENGINE_TEST (test_news_while_stopping)
{
  guint64 run;
  TfdJob *job = engine_create_running (self, "a", 3, NULL, &run);

  OK (tfd_engine_suspend (self->engine, job, error));
  engine_settle (self);
  engine_done (self, run, 0);
  engine_progress (self, run, 1, 40, 100);
  assert_file (job, 1, "transferring");
  engine_failed (self, run, 2, "{'name': <'org.transferd.Transfer1.Error.HttpStatus'>}");
  assert_job (job, "suspended");
  assert_file (job, 0, "transferred");
  g_assert_cmpuint (tfd_job_record (job)->bytes_transferred, ==, 140);
  g_assert_cmpint (tfd_job_record (job)->failure.context, ==, TFD_ERROR_CONTEXT_NONE);
  engine_answer (self, "Stop", "([(1, {'position': <uint64 40>})],)");

  /* now it has */
  engine_done (self, run, 1);
  engine_progress (self, run, 2, 40, 100);
  assert_file (job, 1, "waiting");
  g_assert_cmpuint (tfd_job_record (job)->bytes_transferred, ==, 140);
  tfd_signal_log_clear (self->log);
}

/* The last file may come while the job is stopped: it is transferred, whatever else was meant. */
ENGINE_TEST (test_last_file_while_stopping)
{
  guint64 run;
  TfdJob *job = engine_create_running (self, "a", 1, NULL, &run);

  OK (tfd_engine_suspend (self->engine, job, error));
  engine_settle (self);
  engine_done (self, run, 0);
  engine_answer (self, "Stop", "([],)");
  assert_job (job, "transferred");
  tfd_signal_log_assert (self->log, "a is suspended\na is transferred\na transferred");
}

ENGINE_TEST (test_news_of_old_run)
{
  guint64 old, run;
  TfdJob *job = engine_create_running (self, "a", 1, NULL, &old);

  OK (tfd_engine_suspend (self->engine, job, error));
  OK (tfd_engine_resume (self->engine, job, error));
  engine_settle (self);
  engine_answer (self, "Stop", "([],)");
  run = engine_take_start (self);
  engine_connected (self, old);
  engine_done (self, old, 0);
  engine_failed (self, old, 0, "{}");
  assert_job (job, "connecting");
  assert_file (job, 0, "waiting");
  engine_done (self, run, 0);
  engine_answer (self, "Stop", "([],)");
  assert_job (job, "transferred");
  tfd_signal_log_clear (self->log);
}

/* A worker that dies instead of an answer has let go as well. */
ENGINE_TEST (test_stop_unanswered)
{
  guint64 run;
  TfdJob *job = engine_create_running (self, "a", 1, NULL, &run);

  OK (tfd_engine_suspend (self->engine, job, error));
  engine_settle (self);
  engine_fail (self, "Stop", G_IO_ERROR_CONNECTION_CLOSED);
  OK (tfd_engine_resume (self->engine, job, error));
  engine_settle (self);
  g_assert_cmpuint (engine_take_start (self), >, run);
  assert_job (job, "connecting");
  tfd_signal_log_clear (self->log);
}

/* A slot is free when the worker has let go, not before: never two writers. */
ENGINE_TEST (test_slot_while_stopping)
{
  guint64 run;
  TfdJob *first, *second;

  self->config->background_jobs = 1;
  first = engine_create_running (self, "a", 1, NULL, &run);
  second = engine_create (self, "b", 1, TRUE, NULL);
  OK (tfd_engine_suspend (self->engine, first, error));
  engine_settle (self);
  assert_job (second, "queued");
  engine_answer (self, "Stop", "([],)");
  assert_job (second, "connecting");
  engine_take_start (self);
  tfd_signal_log_clear (self->log);
}

/* ---- stuck ---- */

ENGINE_TEST (test_stuck)
{
  TfdJob *job;

  tfd_transport_emit_stuck (TFD_TRANSPORT (self->transport), ALICE, TRUE);
  job = engine_create (self, "a", 1, TRUE, NULL);
  assert_job (job, "queued");
  engine_advance (self, 1000 * SECOND);
  assert_job (job, "queued");
  tfd_transport_emit_stuck (TFD_TRANSPORT (self->transport), ALICE, FALSE);
  engine_settle (self);
  assert_job (job, "connecting");
  engine_take_start (self);
  tfd_signal_log_clear (self->log);
}

/* What was just handed over comes back. */
ENGINE_TEST (test_stuck_running)
{
  TfdJob *job = engine_create (self, "a", 1, TRUE, NULL);

  tfd_transport_emit_stuck (TFD_TRANSPORT (self->transport), ALICE, TRUE);
  engine_settle (self);
  assert_job (job, "queued");
  engine_fail (self, "Start", G_IO_ERROR_CONNECTION_CLOSED);
  assert_job (job, "queued");
  tfd_transport_emit_stuck (TFD_TRANSPORT (self->transport), ALICE, FALSE);
  engine_settle (self);
  assert_job (job, "connecting");
  engine_take_start (self);
  tfd_signal_log_clear (self->log);
}

/* Others are not concerned. */
ENGINE_TEST (test_stuck_other)
{
  TfdJob *job;

  tfd_transport_emit_stuck (TFD_TRANSPORT (self->transport), BOB, TRUE);
  job = engine_create (self, "a", 1, TRUE, NULL);
  assert_job (job, "connecting");
  engine_take_start (self);
  tfd_signal_log_clear (self->log);
}

/* ---- the whole way ---- */

ENGINE_TEST (test_way)
{
  TfdJob *job = engine_create (self, "a", 2, TRUE, "{'NotifyFiles': <true>}");
  const TfdJobRecord *record = tfd_job_record (job);
  guint64 run = engine_take_start (self);

  engine_connected (self, run);
  g_assert_cmpuint (record->bytes_total, ==, TFD_SIZE_UNKNOWN);
  engine_progress (self, run, 0, 50, 100);
  g_assert_cmpuint (record->bytes_transferred, ==, 50);
  g_assert_cmpuint (record->bytes_total, ==, TFD_SIZE_UNKNOWN);
  engine_done (self, run, 0);
  g_assert_cmpuint (record->files_transferred, ==, 1);
  engine_progress (self, run, 1, 0, 100);
  g_assert_cmpuint (record->bytes_total, ==, 200);
  engine_advance (self, SECOND);
  engine_done (self, run, 1);
  g_assert_cmpuint (record->bytes_transferred, ==, 200);
  g_assert_cmpint (record->completion_time, ==, 1700000001 * SECOND);
  engine_answer (self, "Stop", "([],)");
  tfd_signal_log_assert (self->log, "a added\na is queued\na is connecting\na is transferring\n"
                                    "a files 0\na is transferred\na files 1\na transferred");
  engine_restart (self);
  job = engine_find (self, "a");
  assert_job (job, "transferred");
  g_assert_cmpuint (tfd_job_record (job)->bytes_transferred, ==, 200);
  g_assert_cmpint (tfd_job_record (job)->completion_time, ==, 1700000001 * SECOND);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ENGINE_ADD ("/engine/run/start", test_start);
  ENGINE_ADD ("/engine/run/numbers", test_numbers);
  ENGINE_ADD ("/engine/run/refused", test_start_refused);
  ENGINE_ADD ("/engine/run/batches", test_batches);
  ENGINE_ADD ("/engine/run/rest", test_rest);
  ENGINE_ADD ("/engine/run/rest-of-size", test_rest_of_size);
  ENGINE_ADD ("/engine/run/rest-of-size-with-half-a-file", test_rest_of_size_with_half_a_file);
  ENGINE_ADD ("/engine/run/way", test_way);
  ENGINE_ADD ("/engine/stop/news", test_news_while_stopping);
  ENGINE_ADD ("/engine/stop/last-file", test_last_file_while_stopping);
  ENGINE_ADD ("/engine/stop/old-run", test_news_of_old_run);
  ENGINE_ADD ("/engine/stop/unanswered", test_stop_unanswered);
  ENGINE_ADD ("/engine/stop/slot", test_slot_while_stopping);
  ENGINE_ADD ("/engine/stuck/queued", test_stuck);
  ENGINE_ADD ("/engine/stuck/running", test_stuck_running);
  ENGINE_ADD ("/engine/stuck/other", test_stuck_other);
  return g_test_run ();
}
