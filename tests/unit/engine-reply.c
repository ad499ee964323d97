/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Tests of the reply to an upload: where it goes, what becomes of it when it is lost, and how its
 * bytes are had before Complete. */
#include "engine-fixture.h"

#include "engine/engine-private.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static gboolean
set_name (EngineFixture *self, TfdJob *job, const char *name, GError **error)
{
  g_autofree char *text = g_strdup_printf ("{'ReplyFileName': <'%s'>}", name);

  return engine_set_properties (self, job, text, error);
}

static void
give_part (EngineFixture *self, guint64 run, guint index, const char *part)
{
  g_autofree char *text = g_strdup_printf ("(%" G_GUINT64_FORMAT ", [(%u, %s)])", run, index, part);

  engine_news (self, "Parts", "(ta(ua{sv}))", text);
}

static TfdJob *
create_in (EngineFixture *self, TfdJobState state, guint64 *run)
{
  self->type = TFD_JOB_TYPE_UPLOAD_REPLY;
  return engine_create_in (self, "a", state, run);
}

/* What is sent to this machine needs no network, though nobody knows yet where the reply is. */
ENGINE_TEST (test_needs_no_network)
{
  guint64 run;
  TfdJob *job = create_in (self, TFD_JOB_STATE_SUSPENDED, &run);

  OK (tfd_job_files (job, self->store, error) != NULL);
  g_free (engine_file (job, 0)->url);
  engine_file (job, 0)->url = g_strdup ("http://localhost/a");
  job->local_known = FALSE;
  tfd_engine_set_network (self->engine, FALSE, FALSE);
  OK (tfd_engine_resume (self->engine, job, error));
  engine_settle (self);
  g_assert_cmpint (tfd_job_record (job)->state, !=, TFD_JOB_STATE_TRANSIENT_ERROR);
  engine_answer (self, "Start", "()");
}

/* ---- ReplyFileName ---- */

ENGINE_TEST (test_name)
{
  guint64 run;
  TfdJob *job = create_in (self, TFD_JOB_STATE_SUSPENDED, &run);

  OK (set_name (self, job, "/x/answer", error));
  engine_restart (self);
  job = engine_find (self, "a");
  OK (tfd_job_files (job, self->store, error) != NULL);
  g_assert_cmpstr (engine_file (job, 1)->path, ==, "/home/a/0.reply");
  OK (set_name (self, job, "/x/answer", error));
  engine_settle (self);
  engine_restart (self);
  job = engine_find (self, "a");
  OK (tfd_job_files (job, self->store, error) != NULL);
  g_assert_cmpstr (engine_file (job, 1)->path, ==, "/x/answer");
  g_assert_cmpstr (tfd_job_record (job)->properties->reply_file_name, ==, "/x/answer");
  FAILS (set_name (self, job, "/home/a/0", error), TFD_ERROR_DUPLICATE_DESTINATION);
  FAILS (set_name (self, job, "answer", error), TFD_ERROR_INVALID_PATH);
  g_assert_cmpstr (engine_file (job, 1)->path, ==, "/x/answer");
  OK (set_name (self, job, "", error));
  g_assert_cmpstr (engine_file (job, 1)->path, ==, "/home/a/0.reply");
  engine_settle (self);
}

/* Before there is a file the name is only remembered. */
ENGINE_TEST (test_name_before_file)
{
  TfdJob *job;
  guint32 index;

  self->type = TFD_JOB_TYPE_UPLOAD_REPLY;
  job = engine_create (self, "a", 0, FALSE, NULL);
  OK (set_name (self, job, "/x/answer", error));
  OK (engine_add_files (self, job, 0, 1, &index, error));
  OK (tfd_job_files (job, self->store, error) != NULL);
  g_assert_cmpstr (engine_file (job, 1)->path, ==, "/x/answer");
  engine_settle (self);
}

/* A directory that was looked at is not that of the new name. */
ENGINE_TEST (test_name_forgets_directory)
{
  guint64 run;
  TfdJob *job = create_in (self, TFD_JOB_STATE_SUSPENDED, &run);

  OK (tfd_job_files (job, self->store, error) != NULL);
  engine_file (job, 1)->directory = g_bytes_new_static ("d", 1);
  OK (set_name (self, job, "/x/answer", error));
  g_assert_null (engine_file (job, 1)->directory);
  engine_settle (self);
}

/* Once the reply has begun, wherever the job is by then, it stays where it is. */
ENGINE_TEST (test_name_too_late)
{
  guint64 run;
  TfdJob *job = create_in (self, TFD_JOB_STATE_TRANSFERRING, &run);

  give_part (self, run, 0, "{'validator': <'v'>}");
  give_part (self, run, 1, "{'x': <1>}");
  FAILS (set_name (self, job, "/x/answer", error), TFD_ERROR_INVALID_STATE);
  OK (set_name (self, job, "", error));
  OK (tfd_engine_suspend (self->engine, job, error));
  engine_settle (self);
  engine_answer (self, "Stop", "([],)");
  FAILS (set_name (self, job, "/x/answer", error), TFD_ERROR_INVALID_STATE);
  g_assert_cmpstr (engine_file (job, 1)->path, ==, "/home/a/0.reply");
}

/* A worker that may be about to begin the reply begins it elsewhere; what it has made where it was
 * to go before is deleted, and what it says of it until it stops is not believed. */
ENGINE_TEST (test_name_in_hand)
{
  guint64 run;
  TfdJob *job = create_in (self, TFD_JOB_STATE_TRANSFERRING, &run);

  give_part (self, run, 0, "{'validator': <'v'>}");
  engine_progress (self, run, 0, 50, 100);
  OK (set_name (self, job, "/x/answer", error));
  engine_settle (self);
  assert_job (job, "queued");
  g_assert_cmpstr (engine_file (job, 1)->path, ==, "/x/answer");
  g_assert_cmpuint (engine_count_rows (self, "leftovers"), ==, 1);
  engine_progress (self, run, 1, 5, 5);
  give_part (self, run, 1, "{'old': <1>}");
  engine_done (self, run, 1);
  engine_done (self, run, 0);
  assert_job (job, "queued");
  engine_answer (self, "Stop", "([(1, {'old': <1>}), (0, {'validator': <'w'>})],)");
  g_assert_null (engine_file (job, 1)->part);
  assert_file (job, 1, "waiting");
  engine_assert_asked (self, "Discard", "1");
  engine_assert_file_value (self, "Discard", 1, "path", "/home/a/0.reply");
  engine_assert_file_value (self, "Discard", 1, "attempt", "0");
  engine_answer (self, "Discard", "([],)");
  engine_assert_file_value (self, "Start", 0, "part", "{'validator': <'w'>}");
  g_assert_cmpuint (engine_file (job, 1)->attempt, ==, 1);
  engine_take_start (self);
}

/* What cannot be continued is not sent twice for a name. */
ENGINE_TEST (test_name_not_resumable)
{
  guint64 run;
  TfdJob *job = create_in (self, TFD_JOB_STATE_TRANSFERRING, &run);

  engine_progress (self, run, 0, 50, 100);
  FAILS (set_name (self, job, "/x/answer", error), TFD_ERROR_INVALID_STATE);
  assert_job (job, "transferring");
  g_assert_cmpstr (tfd_job_record (job)->properties->reply_file_name, ==, "");
}

/* ---- lost ---- */

/* What is gone before Complete is fetched again; a server has it no more, so the file is sent again
 * for it. */
ENGINE_TEST (test_missing_at_complete)
{
  guint64 run;
  TfdJob *job = create_in (self, TFD_JOB_STATE_TRANSFERRED, &run);

  engine_complete (self, job, "{}");
  engine_answer (self, "Verify", "([(1, 'missing', {})],)");
  tfd_signal_log_assert_has (self->log, "a is suspended\na outcome CommitFailed");
  assert_job (job, "suspended");
  assert_file (job, 0, "waiting");
  assert_file (job, 1, "missing");
  g_assert_cmpuint (tfd_job_record (job)->files_transferred, ==, 0);
  g_assert_cmpuint (tfd_job_record (job)->failure.file, ==, 1);
  engine_complete (self, job, "{}");
  tfd_signal_log_assert_has (self->log, "a outcome InvalidState");
  OK (tfd_engine_resume (self->engine, job, error));
  engine_settle (self);
  engine_assert_file_value (self, "Start", 0, "part", "");
  g_assert_cmpuint (engine_file (job, 1)->attempt, ==, 1);
  run = engine_take_start (self);
  engine_done (self, run, 1);
  engine_done (self, run, 0);
  assert_job (job, "transferred");
  engine_answer (self, "Stop", "([],)");
}

/* While the upload is still open the reply alone is fetched again. */
ENGINE_TEST (test_missing_on_the_way)
{
  g_autofree char *text = NULL;
  guint64 run;
  TfdJob *job = create_in (self, TFD_JOB_STATE_TRANSFERRING, &run);

  give_part (self, run, 0, "{'validator': <'v'>}");
  give_part (self, run, 1, "{'x': <1>}");
  engine_progress (self, run, 1, 5, 9);
  text = g_strdup_printf ("(%" G_GUINT64_FORMAT ", 1, 'part-missing', {})", run);
  engine_news (self, "Event", "(tusa{sv})", text);
  assert_job (job, "suspended");
  assert_file (job, 1, "missing");
  engine_answer (self, "Stop", "([],)");
  OK (tfd_engine_resume (self->engine, job, error));
  engine_settle (self);
  engine_assert_file_value (self, "Start", 0, "part", "{'validator': <'v'>}");
  assert_file (job, 1, "waiting");
  g_assert_null (engine_file (job, 1)->part);
  engine_take_start (self);
}

/* Something else stands under the name of the temporary: the reply goes under another. */
ENGINE_TEST (test_replaced)
{
  g_autofree char *text = NULL;
  guint64 run;
  TfdJob *job = create_in (self, TFD_JOB_STATE_TRANSFERRING, &run);

  text = g_strdup_printf ("(%" G_GUINT64_FORMAT ", 1, 'part-replaced', {})", run);
  engine_news (self, "Event", "(tusa{sv})", text);
  assert_job (job, "queued");
  g_assert_cmpuint (engine_file (job, 1)->attempt, ==, 1);
  /* nothing is fetched under the old name any more, whatever the worker says as it stops */
  engine_answer (self, "Stop", "([(0, {'validator': <'w'>})],)");
  engine_assert_file_value (self, "Start", 0, "part", "{'validator': <'w'>}");
  engine_take_start (self);
  assert_job (job, "connecting");
}

/* A rename that fails keeps the job, and Complete can be repeated. */
ENGINE_TEST (test_commit_fails)
{
  guint64 run;
  TfdJob *job = create_in (self, TFD_JOB_STATE_TRANSFERRED, &run);

  engine_complete (self, job, "{}");
  engine_answer_each (self, "Verify", "ok");
  engine_answer (self, "Finalize", "([(1, 'failed', {'message': <'a directory is there'>})],)");
  assert_job (job, "transferred");
  tfd_signal_log_assert_has (self->log, "a outcome CommitFailed");
  engine_complete (self, job, "{'overwrite': <'keep-both'>}");
  engine_answer (self, "Verify", "([(1, 'ok', {'target': <[byte 0x2f, 0x7a]>})],)");
  engine_answer_each (self, "Finalize", "renamed");
  tfd_signal_log_assert_has (self->log, "a outcome completed kept 1");
}

/* What the history says of it: one file, by the index of the one that the owner knows. */
ENGINE_TEST (test_tombstone)
{
  TfdTombstoneFilter filter = { .files = TRUE };
  g_autoptr (GPtrArray) rows = NULL;
  g_autofree char *kept = NULL;
  const TfdTombstone *row;
  guint64 run;
  TfdJob *job = create_in (self, TFD_JOB_STATE_TRANSFERRED, &run);

  engine_complete (self, job, "{}");
  engine_answer_each (self, "Verify", "ok");
  engine_answer_each (self, "Finalize", "renamed");
  rows = tfd_store_load_tombstones (self->store, ALICE, &filter, NULL);
  g_assert_cmpuint (rows->len, ==, 1);
  row = rows->pdata[0];
  g_assert_cmpint (row->result, ==, TFD_RESULT_COMPLETED);
  g_assert_cmpuint (row->kept_count, ==, 1);
  g_assert_cmpuint (row->discarded_count, ==, 0);
  kept = g_variant_print (row->kept, FALSE);
  g_assert_cmpstr (kept, ==, "[(0, '/home/a/0.reply')]");
}

/* ---- its bytes ---- */

typedef struct
{
  gboolean called;
  GVariant *bytes; /* (owned) */
  int fd;
  GError *error; /* (owned) */
} Answer;

static void
answer_clear (Answer *answer)
{
  g_clear_pointer (&answer->bytes, g_variant_unref);
  g_clear_error (&answer->error);
  if (answer->fd > 0)
    close (answer->fd);
  *answer = (Answer){ 0 };
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Answer, answer_clear)

static void
read_cb (GObject *source, GAsyncResult *result, gpointer data)
{
  Answer *answer = data;

  answer->called = TRUE;
  answer->bytes = tfd_engine_read_reply_finish (TFD_ENGINE (source), result, &answer->error);
}

static void
opened_cb (GObject *source, GAsyncResult *result, gpointer data)
{
  Answer *answer = data;

  answer->called = TRUE;
  answer->fd = tfd_engine_open_temporary_finish (TFD_ENGINE (source), result, &answer->error);
}

static void
read_reply (EngineFixture *self, TfdJob *job, guint64 most, Answer *answer)
{
  answer_clear (answer);
  tfd_engine_read_reply_async (self->engine, job, most, read_cb, answer);
  engine_settle (self);
}

static void
open_reply (EngineFixture *self, TfdJob *job, Answer *answer)
{
  answer_clear (answer);
  tfd_engine_open_reply_async (self->engine, job, opened_cb, answer);
  engine_settle (self);
}

ENGINE_TEST (test_bytes)
{
  const guint8 bytes[101] = { 0 };
  guint64 run;
  TfdJob *job = create_in (self, TFD_JOB_STATE_TRANSFERRED, &run);
  g_auto (Answer) answer = { 0 };
  g_autoptr (GUnixFDList) fds = NULL;
  int fd;

  read_reply (self, job, 100, &answer);
  engine_answer (self, "ReadPart", "(b'yes',)");
  g_assert_no_error (answer.error);
  g_assert_cmpmem (g_variant_get_data (answer.bytes), g_variant_get_size (answer.bytes), "yes", 4);
  /* 100 bytes have come: nobody is asked */
  read_reply (self, job, 99, &answer);
  g_assert_error (answer.error, TFD_ERROR, TFD_ERROR_TOO_LARGE);
  /* a worker that does not keep to that */
  read_reply (self, job, 100, &answer);
  tfd_fake_transport_answer (
      self->transport, "ReadPart",
      g_variant_new ("(@ay)", g_variant_new_fixed_array (G_VARIANT_TYPE_BYTE, bytes, 101, 1)));
  engine_settle (self);
  g_assert_error (answer.error, TFD_ERROR, TFD_ERROR_TOO_LARGE);
  read_reply (self, job, 100, &answer);
  tfd_fake_transport_refuse (self->transport, "ReadPart",
                             "org.transferd.Transfer1.Error.FileAccessDenied", "x");
  engine_settle (self);
  g_assert_error (answer.error, TFD_ERROR, TFD_ERROR_FILE_ACCESS_DENIED);

  open_reply (self, job, &answer);
  fd = open ("/dev/null", O_RDONLY | O_CLOEXEC);
  fds = g_unix_fd_list_new_from_array (&fd, 1);
  tfd_fake_transport_answer_with_fds (self->transport, "OpenPart", g_variant_new ("(h)", 0), fds);
  engine_settle (self);
  g_assert_no_error (answer.error);
  g_assert_cmpint (answer.fd, >, 0);
}

ENGINE_TEST (test_bytes_states)
{
  /* the queued one last: it goes on when others may */
  static const TfdJobState states[] = {
    TFD_JOB_STATE_SUSPENDED,       TFD_JOB_STATE_CONNECTING, TFD_JOB_STATE_TRANSFERRING,
    TFD_JOB_STATE_TRANSIENT_ERROR, TFD_JOB_STATE_ERROR,      TFD_JOB_STATE_QUEUED,
  };
  g_auto (Answer) answer = { 0 };
  guint64 run;

  self->config->background_jobs = self->config->background_jobs_per_user = 100;
  for (gsize i = 0; i < G_N_ELEMENTS (states); i++)
    {
      TfdJob *job = create_in (self, states[i], &run);

      read_reply (self, job, 100, &answer);
      g_assert_error (answer.error, TFD_ERROR, TFD_ERROR_INVALID_STATE);
      open_reply (self, job, &answer);
      g_assert_error (answer.error, TFD_ERROR, TFD_ERROR_INVALID_STATE);
    }
}

/* Other jobs have none. */
ENGINE_TEST (test_bytes_types)
{
  g_auto (Answer) answer = { 0 };
  guint64 run;

  for (guint type = TFD_JOB_TYPE_DOWNLOAD; type <= TFD_JOB_TYPE_UPLOAD; type++)
    {
      TfdJob *job;

      self->type = type;
      job = engine_create_in (self, "b", TFD_JOB_STATE_TRANSFERRED, &run);
      read_reply (self, job, 100, &answer);
      g_assert_error (answer.error, TFD_ERROR, TFD_ERROR_NOT_SUPPORTED);
      open_reply (self, job, &answer);
      g_assert_error (answer.error, TFD_ERROR, TFD_ERROR_NOT_SUPPORTED);
    }
}

/* OpenTemporary is for what has been added and arrives. */
ENGINE_TEST (test_no_temporary)
{
  g_auto (Answer) answer = { 0 };
  guint64 run;
  TfdJob *job = create_in (self, TFD_JOB_STATE_TRANSFERRED, &run);

  tfd_engine_open_temporary_async (self->engine, job, 0, opened_cb, &answer);
  engine_settle (self);
  g_assert_error (answer.error, TFD_ERROR, TFD_ERROR_NOT_SUPPORTED);
  answer_clear (&answer);
  tfd_engine_open_temporary_async (self->engine, job, 1, opened_cb, &answer);
  engine_settle (self);
  g_assert_error (answer.error, TFD_ERROR, TFD_ERROR_INVALID_ARGS);
}

/* What is told is asserted where it matters here. */
static void
tear_down (EngineFixture *self, gconstpointer data)
{
  engine_settle (self);
  tfd_signal_log_clear (self->log);
  engine_tear_down (self, data);
}

#define ADD(path, function)                                                                        \
  g_test_add (path, EngineFixture, NULL, engine_set_up, function, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("/engine/reply/needs-no-network", test_needs_no_network);
  ADD ("/engine/reply/name", test_name);
  ADD ("/engine/reply/name/before-file", test_name_before_file);
  ADD ("/engine/reply/name/forgets-directory", test_name_forgets_directory);
  ADD ("/engine/reply/name/too-late", test_name_too_late);
  ADD ("/engine/reply/name/in-hand", test_name_in_hand);
  ADD ("/engine/reply/name/not-resumable", test_name_not_resumable);
  ADD ("/engine/reply/missing/at-complete", test_missing_at_complete);
  ADD ("/engine/reply/missing/on-the-way", test_missing_on_the_way);
  ADD ("/engine/reply/replaced", test_replaced);
  ADD ("/engine/reply/commit-fails", test_commit_fails);
  ADD ("/engine/reply/tombstone", test_tombstone);
  ADD ("/engine/reply/bytes", test_bytes);
  ADD ("/engine/reply/bytes/states", test_bytes_states);
  ADD ("/engine/reply/bytes/types", test_bytes_types);
  ADD ("/engine/reply/no-temporary", test_no_temporary);
  return g_test_run ();
}
