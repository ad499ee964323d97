/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Tests of jobs that send: what of them is recorded, shown and asked for, and what each call means
 * in each state. */
#include "engine-fixture.h"

#include "engine/engine-private.h"

#include <string.h>

static const TfdJobState open_states[] = {
  TFD_JOB_STATE_SUSPENDED,    TFD_JOB_STATE_QUEUED,          TFD_JOB_STATE_CONNECTING,
  TFD_JOB_STATE_TRANSFERRING, TFD_JOB_STATE_TRANSIENT_ERROR, TFD_JOB_STATE_ERROR,
  TFD_JOB_STATE_TRANSFERRED,
};

static const TfdJobType types[] = { TFD_JOB_TYPE_UPLOAD, TFD_JOB_TYPE_UPLOAD_REPLY };

/* ---- files ---- */

/* The reply has a row, which nobody has added and nobody is shown. */
ENGINE_TEST (test_reply_row)
{
  g_autoptr (GPtrArray) shown = NULL, none = NULL;
  TfdJob *job;

  self->type = TFD_JOB_TYPE_UPLOAD_REPLY;
  job = engine_create (self, "a", 1, FALSE, NULL);
  g_assert_cmpuint (engine_count_rows (self, "files"), ==, 2);
  g_assert_cmpuint (tfd_job_record (job)->files_total, ==, 1);
  engine_restart (self);
  job = engine_find (self, "a");
  shown = tfd_engine_list_files (self->engine, job, 0, 0, NULL);
  none = tfd_engine_list_files (self->engine, job, 1, 5, NULL);
  g_assert_cmpuint (shown->len, ==, 1);
  g_assert_cmpuint (none->len, ==, 0);
  OK (tfd_job_files (job, self->store, error) != NULL);
  g_assert_cmpuint (tfd_job_record (job)->files_total, ==, 1);
  g_assert_cmpstr (engine_file (job, 1)->path, ==, "/home/a/0.reply");
  g_assert_cmpstr (engine_file (job, 1)->url, ==, "");
  g_clear_pointer (&shown, g_ptr_array_unref);
  shown = tfd_engine_list_files (self->engine, job, 0, 7, NULL);
  g_assert_cmpuint (shown->len, ==, 1);
}

ENGINE_TEST (test_too_many)
{
  guint32 index;
  TfdJob *job;

  self->type = TFD_JOB_TYPE_UPLOAD_REPLY;
  FAILS (engine_try_create (self, ALICE, "a", 2, FALSE, NULL, error) != NULL,
         TFD_ERROR_TOO_MANY_FILES);
  job = engine_create (self, "a", 0, FALSE, NULL);
  FAILS (engine_add_files (self, job, 0, 2, &index, error), TFD_ERROR_TOO_MANY_FILES);
  OK (engine_add_files (self, job, 0, 1, &index, error));
  g_assert_cmpuint (index, ==, 0);
  FAILS (engine_add_files (self, job, 1, 1, &index, error), TFD_ERROR_TOO_MANY_FILES);
  engine_settle (self);
  g_assert_cmpuint (engine_count_rows (self, "files"), ==, 2);

  self->type = TFD_JOB_TYPE_UPLOAD;
  job = engine_create (self, "b", 2, FALSE, NULL);
  OK (engine_add_files (self, job, 2, 3, &index, error));
  engine_settle (self);
  g_assert_cmpuint (tfd_job_record (job)->files_total, ==, 5);
}

static TfdJob *
add_file (EngineFixture *self, const char *properties, const char *path, GError **error)
{
  g_autoptr (GPtrArray) specs =
      g_ptr_array_new_with_free_func ((GDestroyNotify) tfd_file_spec_free);
  g_autoptr (GVariant) options =
      g_variant_ref_sink (g_variant_new_parsed ("{'mode': <uint32 384>}"));
  TfdFileSpec *spec =
      tfd_file_spec_new (TFD_JOB_TYPE_UPLOAD_REPLY, "http://host/x", path, options, error);
  TfdJob *job = engine_create (self, "a", 0, FALSE, properties);
  guint32 index;

  g_assert_nonnull (spec);
  g_ptr_array_add (specs, spec);
  return tfd_engine_add_files (self->engine, job, specs, NULL, NULL, &index, error) ? job : NULL;
}

/* Where the reply goes must be possible, and is not where the file is. */
ENGINE_TEST (test_reply_name)
{
  g_autofree char *long_path = g_strdup_printf ("/%0250d", 7);
  TfdJob *job;

  self->type = TFD_JOB_TYPE_UPLOAD_REPLY;
  FAILS (add_file (self, NULL, long_path, error) != NULL, TFD_ERROR_INVALID_PATH);
  FAILS (add_file (self, "{'ReplyFileName': <'/x'>}", "/x", error) != NULL,
         TFD_ERROR_DUPLICATE_DESTINATION);
  OK (add_file (self, "{'ReplyFileName': <'/answer'>}", long_path, error) != NULL);
  OK ((job = add_file (self, NULL, "/b/x", error)) != NULL);
  OK (tfd_job_files (job, self->store, error) != NULL);
  g_assert_cmpstr (engine_file (job, 1)->path, ==, "/b/x.reply");
  /* what is said of the mode is said of the reply */
  g_assert_null (engine_file (job, 0)->options);
  g_assert_cmpuint (g_variant_n_children (engine_file (job, 1)->options), ==, 1);
  engine_settle (self);
}

/* A job that is created with a reply that cannot be has not been created, and nobody else suffers.
 */
ENGINE_TEST (test_create_with_bad_reply)
{
  self->type = TFD_JOB_TYPE_UPLOAD_REPLY;
  OK (engine_try_create (self, BOB, "b", 1, FALSE, NULL, error) != NULL);
  FAILS (engine_try_create (self, ALICE, "a", 1, TRUE, "{'ReplyFileName': <'/home/a/0'>}", error) !=
             NULL,
         TFD_ERROR_DUPLICATE_DESTINATION);
  engine_settle (self);
  g_assert_cmpuint (engine_count_rows (self, "jobs"), ==, 1);
  tfd_signal_log_assert (self->log, "b added");
}

/* ---- what a worker sees before ---- */

typedef struct
{
  gboolean called;
  GHashTable *found; /* (owned) */
  GError *error;     /* (owned) */
} Answer;

static void
answer_clear (Answer *answer)
{
  g_clear_pointer (&answer->found, g_hash_table_unref);
  g_clear_error (&answer->error);
  answer->called = FALSE;
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Answer, answer_clear)

static void
probed_cb (GObject *source, GAsyncResult *result, gpointer data)
{
  Answer *answer = data;

  answer->called = TRUE;
  answer->found = tfd_engine_probe_finish (TFD_ENGINE (source), result, &answer->error);
}

static void
probe (EngineFixture *self, GPtrArray *specs, Answer *answer)
{
  const TfdOwner owner = { ALICE, "alice", NULL };
  g_autoptr (TfdJobProperties) properties = tfd_job_properties_new ();

  answer_clear (answer);
  tfd_engine_probe_async (self->engine, &owner, self->type, properties, specs, probed_cb, answer);
  engine_settle (self);
}

/* Files that are sent are looked at themselves, and never from memory: they may be others now. */
ENGINE_TEST (test_probe)
{
  g_autoptr (GPtrArray) specs = engine_specs ("a", 0, 2);
  g_auto (Answer) answer = { 0 };
  guint32 index;
  TfdJob *job;

  self->type = TFD_JOB_TYPE_UPLOAD;
  for (guint i = 0; i < 2; i++)
    {
      probe (self, specs, &answer);
      engine_assert_requests (self, "ProbeSources");
      engine_answer (self, "ProbeSources",
                     "([([byte 0x78], 1000, '', ''), ([byte 0x79], 24, '', '')],)");
      g_assert_no_error (answer.error);
      g_assert_cmpuint (g_hash_table_size (answer.found), ==, 2);
    }
  job = engine_create (self, "a", 0, FALSE, NULL);
  g_assert_cmpuint (tfd_job_record (job)->bytes_total, ==, 0);
  OK (tfd_engine_add_files (self->engine, job, specs, answer.found, NULL, &index, error));
  g_assert_cmpuint (tfd_job_record (job)->bytes_total, ==, 1024);
  engine_settle (self);
  engine_restart (self);
  job = engine_find (self, "a");
  g_assert_cmpuint (tfd_job_record (job)->bytes_total, ==, 1024);
  OK (tfd_engine_resume (self->engine, job, error));
  engine_settle (self);
  engine_assert_file_value (self, "Start", 0, "directory", "x");
  engine_assert_file_value (self, "Start", 1, "directory", "y");
  engine_assert_file_value (self, "Start", 1, "total", "24");
  g_assert_cmpuint (tfd_job_record (job)->bytes_total, ==, 1024);
  engine_take_start (self);
  /* one of a size that is not known makes the sum unknown */
  OK (engine_add_files (self, job, 2, 1, &index, error));
  g_assert_cmpuint (tfd_job_record (job)->bytes_total, ==, TFD_SIZE_UNKNOWN);
  engine_settle (self);
  engine_answer (self, "AddFiles", "()");
}

/* The directory of the reply is looked at as that of any file that arrives. */
ENGINE_TEST (test_probe_reply)
{
  g_autoptr (GPtrArray) specs = engine_specs ("a", 0, 1);
  g_auto (Answer) answer = { 0 };
  guint32 index;
  TfdJob *job;

  self->type = TFD_JOB_TYPE_UPLOAD_REPLY;
  probe (self, specs, &answer);
  engine_answer (self, "ProbeSources", "([([byte 0x78], 1000, '', '')],)");
  g_assert_false (answer.called);
  engine_answer (self, "Probe", "([([byte 0x64], '', '')],)");
  g_assert_true (answer.called);
  job = engine_create (self, "a", 0, FALSE, NULL);
  OK (tfd_engine_add_files (self->engine, job, specs, answer.found, NULL, &index, error));
  g_assert_cmpuint (tfd_job_record (job)->bytes_total, ==, 1000);
  OK (tfd_job_files (job, self->store, error) != NULL);
  g_assert_cmpmem (g_bytes_get_data (engine_file (job, 1)->directory, NULL), 1, "d", 1);
  engine_settle (self);
}

ENGINE_TEST (test_probe_refused)
{
  static const struct
  {
    const char *answer;
    int code;
  } cases[] = {
    { "([(@ay [], 0, 'org.transferd.Transfer1.Error.InvalidPath', 'x')],)",
      TFD_ERROR_INVALID_PATH },
    { "([(@ay [], 0, 'org.transferd.Transfer1.Error.FileAccessDenied', 'x')],)",
      TFD_ERROR_FILE_ACCESS_DENIED },
    { "([(@ay [], 0, 'org.transferd.Transfer1.Error.CommitFailed', 'x')],)",
      TFD_ERROR_INVALID_PATH },
  };
  g_autoptr (GPtrArray) specs = engine_specs ("a", 0, 1);
  g_auto (Answer) answer = { 0 };

  self->type = TFD_JOB_TYPE_UPLOAD;
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      probe (self, specs, &answer);
      engine_answer (self, "ProbeSources", cases[i].answer);
      g_assert_error (answer.error, TFD_ERROR, cases[i].code);
      g_assert_nonnull (strstr (answer.error->message, "/home/a/0"));
    }
  /* no worker in time: the file is looked at when its turn comes */
  probe (self, specs, &answer);
  engine_fail (self, "ProbeSources", G_IO_ERROR_TIMED_OUT);
  g_assert_no_error (answer.error);
  g_assert_cmpuint (g_hash_table_size (answer.found), ==, 0);
}

/* ---- runs ---- */

ENGINE_TEST (test_start)
{
  self->type = TFD_JOB_TYPE_UPLOAD;
  engine_create (self, "a", 2, TRUE, "{'UploadProtocol': <'tus'>}");
  engine_assert_asked (self, "Start", "0 1");
  engine_assert_option (self, "Start", "type", "'upload'");
  engine_assert_option (self, "Start", "upload-protocol", "'tus'");
  engine_assert_file_value (self, "Start", 0, "reply", "");
  engine_take_start (self);
}

/* The reply is not handed over by itself, but with the file that it answers. */
ENGINE_TEST (test_start_reply)
{
  g_autoptr (GVariant) files = NULL, dict = NULL, reply = NULL, path = NULL;
  const char *state;

  self->type = TFD_JOB_TYPE_UPLOAD_REPLY;
  engine_create (self, "a", 1, TRUE, NULL);
  engine_assert_asked (self, "Start", "0");
  engine_assert_option (self, "Start", "type", "'upload-reply'");
  engine_assert_option (self, "Start", "upload-protocol", "'auto'");
  files = g_variant_get_child_value (tfd_fake_transport_peek (self->transport, "Start"), 3);
  g_variant_get_child (files, 0, "(u@a{sv})", NULL, &dict);
  reply = g_variant_lookup_value (dict, "reply", G_VARIANT_TYPE_VARDICT);
  g_assert_nonnull (reply);
  g_assert_true (g_variant_lookup (reply, "path", "@ay", &path));
  g_assert_true (g_variant_lookup (reply, "state", "&s", &state));
  g_assert_cmpmem (g_variant_get_data (path), g_variant_get_size (path), "/home/a/0.reply", 15);
  g_assert_cmpstr (state, ==, "waiting");
  engine_take_start (self);
}

static void
assert_progress (EngineFixture *self, TfdJob *job, guint64 sent, guint64 received, guint64 of)
{
  guint64 transferred, total;

  tfd_engine_get_reply_progress (self->engine, job, &transferred, &total);
  g_assert_cmpuint (tfd_job_record (job)->bytes_transferred, ==, sent);
  g_assert_cmpuint (transferred, ==, received);
  g_assert_cmpuint (total, ==, of);
}

/* What is sent and what comes back are counted apart; what the server has not got is taken back. */
ENGINE_TEST (test_progress)
{
  guint64 run;
  TfdJob *job;

  self->type = TFD_JOB_TYPE_UPLOAD_REPLY;
  job = engine_create_running (self, "a", 1, NULL, &run);
  assert_progress (self, job, 0, 0, TFD_SIZE_UNKNOWN);
  engine_progress (self, run, 0, 60, 100);
  assert_job (job, "transferring");
  assert_progress (self, job, 60, 0, TFD_SIZE_UNKNOWN);
  g_assert_cmpuint (tfd_job_record (job)->bytes_total, ==, 100);
  engine_progress (self, run, 0, 10, 100);
  assert_progress (self, job, 10, 0, TFD_SIZE_UNKNOWN);
  engine_progress (self, run, 0, 100, 100);
  engine_progress (self, run, 1, 5, 7);
  assert_progress (self, job, 100, 5, 7);
  g_assert_cmpuint (tfd_job_record (job)->bytes_total, ==, 100);
  g_assert_cmpuint (tfd_job_record (job)->files_total, ==, 1);
  /* another run, another service */
  engine_restart (self);
  job = engine_find (self, "a");
  engine_take_start (self);
  g_assert_cmpuint (tfd_job_record (job)->files_total, ==, 1);
}

/* Bytes of the reply are a sign of life, too. */
ENGINE_TEST (test_reply_is_progress)
{
  guint64 run;
  TfdJob *job;

  self->type = TFD_JOB_TYPE_UPLOAD_REPLY;
  job = engine_create_running (self, "a", 1, NULL, &run);
  engine_progress (self, run, 1, 5, 7);
  assert_job (job, "transferring");
  g_assert_cmpint (tfd_job_record (job)->last_activity, ==,
                   tfd_clock_now_boot (TFD_CLOCK (self->clock)));
}

/* The job is done when both halves are; no worker can say otherwise. */
ENGINE_TEST (test_done)
{
  guint64 run;
  TfdJob *job;

  self->type = TFD_JOB_TYPE_UPLOAD_REPLY;
  job = engine_create_running (self, "a", 1, "{'NotifyFiles': <true>}", &run);
  engine_done (self, run, 0);
  assert_job (job, "connecting");
  assert_file (job, 0, "waiting");
  engine_done (self, run, 1);
  assert_file (job, 1, "transferred");
  g_assert_cmpuint (tfd_job_record (job)->files_transferred, ==, 0);
  tfd_signal_log_assert (self->log, "");
  engine_done (self, run, 0);
  assert_job (job, "transferred");
  assert_progress (self, job, 100, 100, 100);
  tfd_signal_log_assert (self->log, "a is transferred\na files 0\na transferred");
  engine_answer (self, "Stop", "([],)");
}

ENGINE_TEST (test_done_at_once)
{
  g_autofree char *text = NULL;
  guint64 run;
  TfdJob *job;

  self->type = TFD_JOB_TYPE_UPLOAD_REPLY;
  job = engine_create_running (self, "a", 1, NULL, &run);
  text = g_strdup_printf ("(%" G_GUINT64_FORMAT ", [(1, 0, {}), (0, 100, {})])", run);
  engine_news (self, "FilesDone", "(ta(uta{sv}))", text);
  assert_job (job, "transferred");
  assert_progress (self, job, 100, 0, 0);
  engine_answer (self, "Stop", "([],)");
}

/* Events of the log that only uploads have; a temporary is nothing that a source has. */
ENGINE_TEST (test_events)
{
  static const char *const kinds[] = { "protocol", "session-lost", "part-missing", "part-replaced",
                                       "nonsense" };
  g_autoptr (GPtrArray) events = NULL;
  GString *seen = g_string_new (NULL);
  guint64 run;
  TfdJob *job;

  self->type = TFD_JOB_TYPE_UPLOAD;
  job = engine_create_running (self, "a", 1, NULL, &run);
  for (gsize i = 0; i < G_N_ELEMENTS (kinds); i++)
    {
      g_autofree char *text =
          g_strdup_printf ("(%" G_GUINT64_FORMAT ", 0, '%s', {'reason': <'x'>})", run, kinds[i]);

      engine_news (self, "Event", "(tusa{sv})", text);
    }
  assert_job (job, "connecting");
  assert_file (job, 0, "waiting");
  events = tfd_store_load_events (self->store, tfd_job_id (job), 2, NULL);
  for (guint i = 0; i < events->len; i++)
    g_string_append_printf (seen, "%s ", ((TfdEventRow *) events->pdata[i])->kind);
  g_assert_cmpstr (seen->str, ==, "protocol session-lost ");
  g_string_free (seen, TRUE);
}

/* A file that is sent in a way that cannot be continued keeps its place from its first moment; one
 * that can be continued does not. */
ENGINE_TEST (test_resumable)
{
  g_autofree char *text = NULL;
  gint64 now = tfd_clock_now_boot (TFD_CLOCK (self->clock));
  guint64 run;
  TfdJob *job;

  self->type = TFD_JOB_TYPE_UPLOAD;
  job = engine_create_running (self, "a", 1, NULL, &run);
  engine_progress (self, run, 0, 0, 100);
  g_assert_false (tfd_job_is_resumable (job, now));
  text = g_strdup_printf ("(%" G_GUINT64_FORMAT ", [(0, {'validator': <'x'>})])", run);
  engine_news (self, "Parts", "(ta(ua{sv}))", text);
  g_assert_true (tfd_job_is_resumable (job, now));
}

/* ---- failures ---- */

ENGINE_TEST (test_local_file_changed)
{
  for (gsize i = 0; i < G_N_ELEMENTS (types); i++)
    {
      g_autofree char *name = g_strdup_printf ("%u", (guint) i);
      guint64 run;
      TfdJob *job;

      self->type = types[i];
      job = engine_create_in (self, name, TFD_JOB_STATE_ERROR, &run);
      g_assert_cmpint (tfd_job_record (job)->failure.code, ==, TFD_ERROR_LOCAL_FILE_CHANGED);
      g_assert_cmpint (tfd_job_record (job)->failure.context, ==, TFD_ERROR_CONTEXT_LOCAL_FILE);
      assert_file (job, 0, "error");
      OK (tfd_engine_resume (self->engine, job, error));
      engine_settle (self);
      engine_assert_asked (self, "Start", "0");
      engine_take_start (self);
    }
}

/* Which half has failed is clear from the index and from the words. */
ENGINE_TEST (test_reply_fails)
{
  g_autoptr (GPtrArray) events = NULL;
  guint32 file = 9;
  guint64 run;
  TfdJob *job;

  self->type = TFD_JOB_TYPE_UPLOAD_REPLY;
  job = engine_create_running (self, "a", 1, NULL, &run);
  engine_progress (self, run, 0, 100, 100);
  engine_failed (self, run, 1,
                 "{'name': <'org.transferd.Transfer1.Error.InsufficientSpace'>,"
                 " 'context': <'local-file'>, 'message': <'full'>, 'transient': <false>}");
  assert_job (job, "error");
  assert_file (job, 0, "transferring");
  assert_file (job, 1, "error");
  g_assert_cmpuint (tfd_job_record (job)->failure.file, ==, 1);
  g_assert_nonnull (strstr (tfd_job_record (job)->failure.message, "reply"));
  events = tfd_store_load_events (self->store, tfd_job_id (job), 1, NULL);
  g_assert_true (
      g_variant_lookup (((TfdEventRow *) events->pdata[0])->details, "file", "u", &file));
  g_assert_cmpuint (file, ==, 0);
  engine_answer (self, "Stop", "([],)");
  assert_file (job, 0, "waiting");
  OK (tfd_engine_resume (self->engine, job, error));
  engine_settle (self);
  assert_file (job, 1, "waiting");
  engine_assert_asked (self, "Start", "0");
  engine_take_start (self);
}

/* ---- calls × states ---- */

/* Ends a job that was made in @state, whatever it takes. */
static void
end_job (EngineFixture *self, TfdJob *job, TfdJobState state)
{
  engine_cancel (self, job);
  if (tfd_job_state_is_running (state))
    engine_answer (self, "Stop", "([],)");
  if (self->type == TFD_JOB_TYPE_UPLOAD_REPLY && state != TFD_JOB_STATE_SUSPENDED)
    engine_answer (self, "Discard", "([],)");
  assert_job (job, "cancelled");
  engine_assert_requests (self, "");
  tfd_signal_log_clear (self->log);
  engine_advance (self, 60 * SECOND);
}

/* Complete is for what is all there; what is not is left as it is. */
ENGINE_TEST (test_complete_states)
{
  for (gsize t = 0; t < G_N_ELEMENTS (types); t++)
    for (gsize s = 0; s < G_N_ELEMENTS (open_states); s++)
      {
        g_autofree char *name = g_strdup_printf ("%u%u", (guint) t, (guint) s);
        g_autofree char *refused = g_strdup_printf ("%s outcome InvalidState", name);
        g_autofree char *done = g_strdup_printf (
            "%s outcome completed%s", name, types[t] == TFD_JOB_TYPE_UPLOAD_REPLY ? " kept 1" : "");
        guint64 run;
        TfdJob *job;

        self->type = types[t];
        job = engine_create_in (self, name, open_states[s], &run);
        engine_complete (self, job, "{}");
        if (open_states[s] != TFD_JOB_STATE_TRANSFERRED)
          {
            g_assert_cmpint (tfd_job_record (job)->state, ==, open_states[s]);
            tfd_signal_log_assert (self->log, refused);
            engine_assert_requests (self, "");
            end_job (self, job, open_states[s]);
          }
        else if (types[t] == TFD_JOB_TYPE_UPLOAD)
          tfd_signal_log_assert_has (self->log, done);
        else
          {
            engine_assert_asked (self, "Verify", "1");
            engine_answer_each (self, "Verify", "ok");
            engine_assert_asked (self, "Finalize", "1");
            engine_answer_each (self, "Finalize", "renamed");
            tfd_signal_log_assert_has (self->log, done);
          }
        engine_assert_requests (self, "");
        tfd_signal_log_clear (self->log);
        engine_advance (self, 60 * SECOND);
      }
  g_assert_cmpuint (engine_count_rows (self, "jobs"), ==, 0);
}

/* What BITS does not have for uploads. */
ENGINE_TEST (test_not_for_uploads)
{
  for (gsize t = 0; t < G_N_ELEMENTS (types); t++)
    for (gsize s = 0; s < G_N_ELEMENTS (open_states); s++)
      {
        g_autofree char *name = g_strdup_printf ("%u%u", (guint) t, (guint) s);
        guint32 changed;
        guint64 run;
        TfdJob *job;

        self->type = types[t];
        job = engine_create_in (self, name, open_states[s], &run);
        FAILS (tfd_engine_set_remote_name (self->engine, job, 0, "http://host/y", error),
               TFD_ERROR_NOT_SUPPORTED);
        FAILS (tfd_engine_replace_remote_prefix (self->engine, job, "http:", "https:", &changed,
                                                 error),
               TFD_ERROR_NOT_SUPPORTED);
        FAILS (tfd_engine_set_validation_state (self->engine, job, 0, FALSE, error),
               TFD_ERROR_NOT_SUPPORTED);
        g_assert_cmpint (tfd_job_record (job)->state, ==, open_states[s]);
        end_job (self, job, open_states[s]);
      }
}

/* After a restart a job is where it was; what ran waits for its turn. */
ENGINE_TEST (test_restart)
{
  for (gsize t = 0; t < G_N_ELEMENTS (types); t++)
    for (gsize s = 0; s < G_N_ELEMENTS (open_states); s++)
      {
        g_autofree char *name = g_strdup_printf ("%u%u", (guint) t, (guint) s);
        gboolean runs =
            open_states[s] == TFD_JOB_STATE_QUEUED || tfd_job_state_is_running (open_states[s]);
        guint64 run;
        TfdJob *job;

        self->type = types[t];
        engine_create_in (self, name, open_states[s], &run);
        engine_restart (self);
        job = engine_find (self, name);
        g_assert_cmpuint (tfd_job_record (job)->files_total, ==, 1);
        if (runs)
          engine_take_start (self);
        else
          g_assert_cmpint (tfd_job_record (job)->state, ==, open_states[s]);
        g_assert_cmpuint (tfd_job_record (job)->files_transferred, ==,
                          open_states[s] == TFD_JOB_STATE_TRANSFERRED);
        end_job (self, job, runs ? TFD_JOB_STATE_CONNECTING : open_states[s]);
      }
  g_assert_cmpuint (engine_count_rows (self, "jobs"), ==, 0);
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
  ADD ("/engine/upload/reply-row", test_reply_row);
  ADD ("/engine/upload/too-many", test_too_many);
  ADD ("/engine/upload/reply-name", test_reply_name);
  ADD ("/engine/upload/create-with-bad-reply", test_create_with_bad_reply);
  ADD ("/engine/upload/probe", test_probe);
  ADD ("/engine/upload/probe/reply", test_probe_reply);
  ADD ("/engine/upload/probe/refused", test_probe_refused);
  ADD ("/engine/upload/start", test_start);
  ADD ("/engine/upload/start/reply", test_start_reply);
  ADD ("/engine/upload/progress", test_progress);
  ADD ("/engine/upload/progress/reply", test_reply_is_progress);
  ADD ("/engine/upload/done", test_done);
  ADD ("/engine/upload/done/at-once", test_done_at_once);
  ADD ("/engine/upload/events", test_events);
  ADD ("/engine/upload/resumable", test_resumable);
  ADD ("/engine/upload/local-file-changed", test_local_file_changed);
  ADD ("/engine/upload/reply-fails", test_reply_fails);
  ADD ("/engine/upload/states/complete", test_complete_states);
  ADD ("/engine/upload/states/not-for-uploads", test_not_for_uploads);
  ADD ("/engine/upload/states/restart", test_restart);
  return g_test_run ();
}
