/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Tests of what is handed in as descriptors: what the worker is asked and told, and what is
 * believed of its answers. */
#include "engine-fixture.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* Byte strings in the text form have a NUL at their end, which those of a worker have not. */
static GVariant *
bytes (const char *text)
{
  return g_variant_new_fixed_array (G_VARIANT_TYPE_BYTE, text, strlen (text), 1);
}

typedef struct
{
  gboolean called;
  GHashTable *found;    /* (owned) */
  TfdFoundAgain *again; /* (owned) */
  GError *error;        /* (owned) */
} Answer;

static void
answer_clear (Answer *answer)
{
  g_clear_pointer (&answer->found, g_hash_table_unref);
  g_clear_pointer (&answer->again, tfd_found_again_free);
  g_clear_error (&answer->error);
  *answer = (Answer){ 0 };
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Answer, answer_clear)

static void
attached_cb (GObject *source, GAsyncResult *result, gpointer data)
{
  Answer *answer = data;

  answer->called = TRUE;
  answer->found = tfd_engine_attach_finish (TFD_ENGINE (source), result, &answer->error);
}

static void
found_again_cb (GObject *source, GAsyncResult *result, gpointer data)
{
  Answer *answer = data;

  answer->called = TRUE;
  answer->again = tfd_engine_find_again_finish (TFD_ENGINE (source), result, &answer->error);
}

static int
some_descriptor (void)
{
  int fd = open ("/dev/null", O_RDONLY | O_CLOEXEC);

  g_assert_cmpint (fd, >=, 0);
  return fd;
}

/* Hands in something for files @names, separated by blanks; "" is the file itself. */
static GPtrArray *
attach (EngineFixture *self, TfdJob *job, const char *names, Answer *answer)
{
  GPtrArray *specs = g_ptr_array_new_with_free_func ((GDestroyNotify) tfd_file_spec_free);
  g_auto (GStrv) list = g_strsplit (*names == '\0' ? "-" : names, " ", -1);

  answer_clear (answer);
  for (guint i = 0; list[i] != NULL; i++)
    {
      TfdFileSpec *spec = tfd_file_spec_new_at (tfd_job_record (job)->type, "http://host/x",
                                                *names == '\0' ? "" : list[i], NULL, NULL);

      g_assert_nonnull (spec);
      g_ptr_array_add (specs, spec);
    }
  tfd_engine_attach_async (self->engine, job, some_descriptor (), specs, attached_cb, answer);
  engine_settle (self);
  return specs;
}

static void
find_again (EngineFixture *self, TfdJob *job, guint32 index, Answer *answer)
{
  answer_clear (answer);
  tfd_engine_find_again_async (self->engine, job, index, some_descriptor (), found_again_cb,
                               answer);
  engine_settle (self);
}

/* The worker says that it is @path, known by @identity, with @count rows of @own identity. */
static void
say_attached (
    EngineFixture *self, const char *path, const char *identity, guint count, const char *own)
{
  GVariantBuilder rows;

  g_variant_builder_init (&rows, G_VARIANT_TYPE ("a(aytss)"));
  for (guint i = 0; i < count; i++)
    g_variant_builder_add (&rows, "(@aytss)", bytes (own), *own ? (guint64) 100 : G_MAXUINT64, "",
                           "");
  tfd_fake_transport_answer (
      self->transport, "Attach",
      g_variant_new ("(@ay@aya(aytss))", bytes (path), bytes (identity), &rows));
  engine_settle (self);
}

static void
say_again (EngineFixture *self, const char *path, const char *same)
{
  g_autoptr (GVariant) indices = g_variant_parse (G_VARIANT_TYPE ("au"), same, NULL, NULL, NULL);

  tfd_fake_transport_answer (self->transport, "AttachAgain",
                             g_variant_new ("(@ay@au)", bytes (path), indices));
  engine_settle (self);
}

static void
ignore_cb (GObject *source, GAsyncResult *result, gpointer data G_GNUC_UNUSED)
{
  g_assert_cmpint (tfd_engine_open_temporary_finish (TFD_ENGINE (source), result, NULL), ==, -1);
}

/* Has the files of @job read: somebody asks for one that it has not. */
static void
load (EngineFixture *self, TfdJob *job)
{
  tfd_engine_open_temporary_async (self->engine, job, 1000, ignore_cb, NULL);
  engine_settle (self);
}

/* Hands in @path, known by @identity, for @names, and adds them. */
static void
add_at (EngineFixture *self, TfdJob *job, const char *path, const char *identity, const char *names)
{
  gboolean send = tfd_job_record (job)->type != TFD_JOB_TYPE_DOWNLOAD;
  g_auto (Answer) answer = { 0 };
  g_autoptr (GPtrArray) specs = attach (self, job, names, &answer);
  guint32 first;

  say_attached (self, path, identity, specs->len, send ? "own" : "");
  g_assert_no_error (answer.error);
  OK (tfd_engine_add_files (self->engine, job, specs, answer.found, NULL, &first, error));
  engine_settle (self);
  load (self, job);
}

static void
assert_path (TfdJob *job, guint index, const char *path)
{
  g_assert_cmpstr (engine_file (job, index)->path, ==, path);
}

static TfdJob *
new_job (EngineFixture *self, TfdJobType type)
{
  self->type = type;
  return engine_create (self, "a", 0, FALSE, NULL);
}

static void
taken_cb (TfdJob *job G_GNUC_UNUSED, const GError *error, gpointer data G_GNUC_UNUSED)
{
  g_assert_no_error (error);
}

ENGINE_TEST (test_attach)
{
  TfdJob *job = new_job (self, TFD_JOB_TYPE_DOWNLOAD);
  g_auto (Answer) answer = { 0 };
  g_autoptr (GPtrArray) specs = attach (self, job, "x y", &answer);
  GVariant *asked = tfd_fake_transport_peek (self->transport, "Attach");
  GUnixFDList *fds = tfd_fake_transport_peek_fds (self->transport, "Attach");
  g_autofree char *text = g_variant_print (asked, TRUE);
  guint32 first;

  g_assert_nonnull (strstr (text, tfd_job_id (job)));
  g_assert_nonnull (strstr (text, "handle 0, 'download', [[byte 0x78], [0x79]]"));
  g_assert_cmpint (g_unix_fd_list_get_length (fds), ==, 1);
  say_attached (self, "/place", "dir-1", 2, "");
  g_assert_no_error (answer.error);
  OK (tfd_engine_add_files (self->engine, job, specs, answer.found, NULL, &first, error));
  load (self, job);
  g_assert_cmpuint (first, ==, 0);
  assert_path (job, 0, "/place/x");
  assert_path (job, 1, "/place/y");
  g_assert_true (engine_file (job, 1)->attached);
  g_assert_cmpmem (g_bytes_get_data (engine_file (job, 0)->directory, NULL), 5, "dir-1", 5);

  /* the worker is told at each start, and after the next life of the service, too */
  engine_restart (self);
  job = engine_find (self, "a");
  OK (tfd_engine_resume (self->engine, job, error));
  engine_settle (self);
  engine_assert_file_value (self, "Start", 1, "attached", "true");
  engine_take_start (self);
  engine_cancel (self, job);
  engine_answer (self, "Stop", "(@a(ua{sv}) [],)");
  engine_answer (self, "Discard", "(@a(uays) [],)");
  engine_assert_requests (self, "Detach");
  engine_answer (self, "Detach", "()");
}

ENGINE_TEST (test_root_directory)
{
  TfdJob *job = new_job (self, TFD_JOB_TYPE_DOWNLOAD);

  add_at (self, job, "/", "dir-1", "x");
  assert_path (job, 0, "/x");
  g_assert_nonnull (engine_file (job, 0)->directory);
}

ENGINE_TEST (test_nothing_to_detach)
{
  TfdJob *job = engine_create (self, "a", 1, FALSE, NULL);

  engine_cancel (self, job);
  engine_assert_requests (self, "");
}

static const struct
{
  const char *said;
  TfdErrorCode code;
} refusals[] = {
  { "org.transferd.Transfer1.Error.InvalidPath", TFD_ERROR_INVALID_PATH },
  { "org.transferd.Transfer1.Error.FileAccessDenied", TFD_ERROR_FILE_ACCESS_DENIED },
  { "org.freedesktop.DBus.Error.LimitsExceeded", TFD_ERROR_LIMITS_EXCEEDED },
  { "org.freedesktop.DBus.Error.InvalidArgs", TFD_ERROR_INVALID_ARGS },
  /* what is none of its business */
  { "org.transferd.Transfer1.Error.TooManyJobsPerUser", TFD_ERROR_INVALID_PATH },
  { "org.example.Nonsense", TFD_ERROR_INVALID_PATH },
};

ENGINE_TEST (test_refused)
{
  TfdJob *job = new_job (self, TFD_JOB_TYPE_DOWNLOAD);

  for (guint i = 0; i < G_N_ELEMENTS (refusals); i++)
    {
      g_auto (Answer) answer = { 0 };
      g_autoptr (GPtrArray) specs = attach (self, job, "x", &answer);

      tfd_fake_transport_refuse (self->transport, "Attach", refusals[i].said, "no");
      engine_settle (self);
      g_assert_error (answer.error, TFD_ERROR, (int) refusals[i].code);
    }
}

/* Once more, and no more. */
ENGINE_TEST (test_worker_lost)
{
  TfdJob *job = new_job (self, TFD_JOB_TYPE_DOWNLOAD);
  g_auto (Answer) answer = { 0 };
  g_autoptr (GPtrArray) specs = attach (self, job, "x", &answer);

  engine_fail (self, "Attach", G_IO_ERROR_CONNECTION_CLOSED);
  g_assert_false (answer.called);
  g_assert_nonnull (tfd_fake_transport_peek_fds (self->transport, "Attach"));
  engine_fail (self, "Attach", G_IO_ERROR_CONNECTION_CLOSED);
  g_assert_error (answer.error, TFD_ERROR, TFD_ERROR_FILE_ACCESS_DENIED);

  g_clear_pointer (&specs, g_ptr_array_unref);
  specs = attach (self, job, "x", &answer);
  engine_fail (self, "Attach", G_IO_ERROR_TIMED_OUT);
  g_assert_error (answer.error, TFD_ERROR, TFD_ERROR_FILE_ACCESS_DENIED);
}

ENGINE_TEST (test_bad_answers)
{
  static const char *const paths[] = { "place", "/place/", "/a/../b", "/a\nb", "", "/a//b" };
  TfdJob *job = new_job (self, TFD_JOB_TYPE_DOWNLOAD);
  g_autofree char *much = g_strnfill (TFD_MAX_PART, 'x');
  g_auto (Answer) answer = { 0 };
  g_autoptr (GPtrArray) specs = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (paths); i++)
    {
      g_clear_pointer (&specs, g_ptr_array_unref);
      specs = attach (self, job, "x", &answer);
      say_attached (self, paths[i], "dir-1", 1, "");
      g_assert_error (answer.error, TFD_ERROR, TFD_ERROR_INVALID_PATH);
    }
  for (guint count = 0; count < 4; count++)
    {
      g_clear_pointer (&specs, g_ptr_array_unref);
      specs = attach (self, job, "x y", &answer);
      say_attached (self, "/place", "dir-1", count, "");
      if (count == 2)
        g_assert_no_error (answer.error);
      else
        g_assert_error (answer.error, TFD_ERROR, TFD_ERROR_INVALID_PATH);
    }
  g_clear_pointer (&specs, g_ptr_array_unref);
  specs = attach (self, job, "x", &answer);
  say_attached (self, "/place", much, 1, "");
  g_assert_error (answer.error, TFD_ERROR, TFD_ERROR_INVALID_PATH);
}

/* What came too late is let go at once. */
ENGINE_TEST (test_ended_meanwhile)
{
  TfdJob *job = new_job (self, TFD_JOB_TYPE_DOWNLOAD);
  g_auto (Answer) answer = { 0 };
  g_autoptr (GPtrArray) specs = attach (self, job, "x", &answer);
  guint32 first;

  engine_cancel (self, job);
  say_attached (self, "/place", "dir-1", 1, "");
  engine_assert_requests (self, "Detach");
  FAILS (tfd_engine_add_files (self->engine, job, specs, answer.found, NULL, &first, error),
         TFD_ERROR_INVALID_STATE);
  engine_answer (self, "Detach", "()");
}

/* Who has the job no more keeps nothing open for it. */
ENGINE_TEST (test_taken_over)
{
  static const TfdOwner bob = { .uid = BOB, .name = "bob" };
  TfdJob *job = new_job (self, TFD_JOB_TYPE_DOWNLOAD);
  g_auto (Answer) answer = { 0 };
  g_autoptr (GPtrArray) specs = NULL;

  add_at (self, job, "/place", "dir-1", "x");
  specs = attach (self, job, "y", &answer);
  tfd_engine_take_ownership (self->engine, job, &bob, NULL, taken_cb, NULL);
  engine_settle (self);
  g_assert_cmpuint (tfd_job_uid (job), ==, BOB);
  /* one that is told of it before it answers is told again */
  while (tfd_fake_transport_count (self->transport) > 1)
    engine_answer (self, "Detach", "()");
  say_attached (self, "/place", "dir-1", 1, "");
  g_assert_cmpstr (tfd_fake_transport_peek_owner (self->transport, "Detach"), ==, "alice");
  engine_answer (self, "Detach", "()");
}

ENGINE_TEST (test_upload)
{
  TfdJob *job = new_job (self, TFD_JOB_TYPE_UPLOAD);

  add_at (self, job, "/place", "dir-1", "x");
  add_at (self, job, "/elsewhere/y", "own", "");
  assert_path (job, 0, "/place/x");
  assert_path (job, 1, "/elsewhere/y");
  g_assert_cmpuint (engine_file (job, 1)->total, ==, 100);
  OK (tfd_engine_resume (self->engine, job, error));
  engine_settle (self);
  engine_assert_file_value (self, "Start", 0, "attached", "true");
  engine_assert_file_value (self, "Start", 0, "options",
                            "{'attached-to': <[byte 0x64, 0x69, 0x72, 0x2d, 0x31]>}");
  engine_assert_file_value (self, "Start", 1, "attached", "true");
  engine_assert_file_value (self, "Start", 1, "directory", "own");
  tfd_fake_transport_abandon (self->transport);
}

ENGINE_TEST (test_reply)
{
  TfdJob *job = new_job (self, TFD_JOB_TYPE_UPLOAD_REPLY);
  g_auto (Answer) answer = { 0 };
  g_autoptr (GPtrArray) specs = attach (self, job, "", &answer);

  /* nobody is asked: it has no place */
  g_assert_error (answer.error, TFD_ERROR, TFD_ERROR_INVALID_ARGS);
  engine_assert_requests (self, "");

  add_at (self, job, "/place", "dir-1", "x");
  assert_path (job, 1, "/place/x.reply");
  g_assert_true (engine_file (job, 1)->attached);
  g_assert_cmpmem (g_bytes_get_data (engine_file (job, 1)->directory, NULL), 5, "dir-1", 5);
  g_assert_null (engine_file (job, 1)->options == NULL
                     ? NULL
                     : g_variant_lookup_value (engine_file (job, 1)->options, "attached-to", NULL));
}

ENGINE_TEST (test_reply_elsewhere)
{
  TfdJob *job = new_job (self, TFD_JOB_TYPE_UPLOAD_REPLY);

  OK (engine_set_properties (self, job, "{'ReplyFileName': <'/replies/r'>}", error));
  add_at (self, job, "/place/x", "own", "");
  assert_path (job, 0, "/place/x");
  assert_path (job, 1, "/replies/r");
  g_assert_false (engine_file (job, 1)->attached);
}

ENGINE_TEST (test_again)
{
  TfdJob *job = new_job (self, TFD_JOB_TYPE_DOWNLOAD);
  g_auto (Answer) answer = { 0 };
  g_autofree char *asked = NULL;
  guint32 changed, first;

  add_at (self, job, "/place", "dir-1", "x");
  add_at (self, job, "/other", "dir-2", "y");
  add_at (self, job, "/place", "dir-3", "z");
  OK (engine_add_files (self, job, 10, 1, &first, error));
  find_again (self, job, 1, &answer);
  asked = g_variant_print (tfd_fake_transport_peek (self->transport, "AttachAgain"), FALSE);
  /* that of the file comes first, then the others, each once */
  g_assert_nonnull (strstr (asked,
                            "[[0x64, 0x69, 0x72, 0x2d, 0x32], [0x64, 0x69, 0x72, 0x2d, 0x31], "
                            "[0x64, 0x69, 0x72, 0x2d, 0x33]]"));
  say_again (self, "/new", "[0, 2, 7]");
  g_assert_no_error (answer.error);
  OK (tfd_engine_attach_again (self->engine, job, answer.again, &changed, error));
  g_assert_cmpuint (changed, ==, 2);
  assert_path (job, 0, "/place/x");
  assert_path (job, 1, "/new/y");
  assert_path (job, 2, "/new/z");
  engine_settle (self);

  engine_restart (self);
  job = engine_find (self, "a");
  OK (tfd_engine_resume (self->engine, job, error));
  assert_path (job, 1, "/new/y");
  engine_settle (self);
  tfd_fake_transport_abandon (self->transport);
}

ENGINE_TEST (test_again_refused)
{
  TfdJob *job = new_job (self, TFD_JOB_TYPE_DOWNLOAD);
  g_auto (Answer) answer = { 0 };
  guint32 changed, first;

  add_at (self, job, "/place", "dir-1", "x");
  add_at (self, job, "/other", "dir-2", "x");
  OK (engine_add_files (self, job, 10, 1, &first, error));

  find_again (self, job, 2, &answer);
  g_assert_error (answer.error, TFD_ERROR, TFD_ERROR_INVALID_STATE);
  find_again (self, job, 3, &answer);
  g_assert_error (answer.error, TFD_ERROR, TFD_ERROR_INVALID_ARGS);

  find_again (self, job, 0, &answer);
  say_again (self, "/place", "[]");
  g_assert_error (answer.error, TFD_ERROR, TFD_ERROR_INVALID_PATH);
  /* it is the other one */
  find_again (self, job, 0, &answer);
  say_again (self, "/place", "[1]");
  g_assert_error (answer.error, TFD_ERROR, TFD_ERROR_INVALID_PATH);
  find_again (self, job, 0, &answer);
  say_again (self, "place", "[0]");
  g_assert_error (answer.error, TFD_ERROR, TFD_ERROR_INVALID_PATH);

  /* two would be one */
  find_again (self, job, 0, &answer);
  say_again (self, "/other", "[0]");
  FAILS (tfd_engine_attach_again (self->engine, job, answer.again, &changed, error),
         TFD_ERROR_DUPLICATE_DESTINATION);
  find_again (self, job, 0, &answer);
  say_again (self, "/both", "[0, 1]");
  FAILS (tfd_engine_attach_again (self->engine, job, answer.again, &changed, error),
         TFD_ERROR_DUPLICATE_DESTINATION);
  assert_path (job, 0, "/place/x");
  assert_path (job, 1, "/other/x");
}

/* A job that waits for its directory goes on, without its owner's doing. */
ENGINE_TEST (test_again_goes_on)
{
  TfdJob *job = new_job (self, TFD_JOB_TYPE_DOWNLOAD);
  g_auto (Answer) answer = { 0 };
  guint32 changed;
  guint64 run;

  add_at (self, job, "/place", "dir-1", "x");
  OK (tfd_engine_resume (self->engine, job, error));
  engine_settle (self);
  run = engine_take_start (self);
  engine_failed (self, run, 0,
                 "{'name': <'org.transferd.Transfer1.Error.DestinationUnavailable'>, "
                 "'context': <'local-file'>, 'message': <'gone'>, 'transient': <true>}");
  engine_answer (self, "Stop", "(@a(ua{sv}) [],)");
  assert_job (job, "transient-error");
  find_again (self, job, 0, &answer);
  say_again (self, "/new", "[0]");
  OK (tfd_engine_attach_again (self->engine, job, answer.again, &changed, error));
  engine_settle (self);
  assert_job (job, "connecting");
  tfd_fake_transport_abandon (self->transport);
}

ENGINE_TEST (test_again_a_file)
{
  TfdJob *job = new_job (self, TFD_JOB_TYPE_UPLOAD);
  g_auto (Answer) answer = { 0 };
  guint32 changed;

  add_at (self, job, "/place/x", "own", "");
  add_at (self, job, "/place", "dir-1", "y");
  find_again (self, job, 0, &answer);
  say_again (self, "/new/z", "[0]");
  OK (tfd_engine_attach_again (self->engine, job, answer.again, &changed, error));
  g_assert_cmpuint (changed, ==, 1);
  assert_path (job, 0, "/new/z");
  assert_path (job, 1, "/place/y");
}

/* What is told is not what these are about. */
static void
forget_and_tear_down (EngineFixture *self, gconstpointer data)
{
  tfd_signal_log_clear (self->log);
  engine_tear_down (self, data);
}

#define ADD(path, function)                                                                        \
  g_test_add (path, EngineFixture, NULL, engine_set_up, function, forget_and_tear_down)

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);

  ADD ("/engine/attach/attach", test_attach);
  ADD ("/engine/attach/root-directory", test_root_directory);
  ADD ("/engine/attach/nothing-to-detach", test_nothing_to_detach);
  ADD ("/engine/attach/refused", test_refused);
  ADD ("/engine/attach/worker-lost", test_worker_lost);
  ADD ("/engine/attach/bad-answers", test_bad_answers);
  ADD ("/engine/attach/ended-meanwhile", test_ended_meanwhile);
  ADD ("/engine/attach/taken-over", test_taken_over);
  ADD ("/engine/attach/upload", test_upload);
  ADD ("/engine/attach/reply", test_reply);
  ADD ("/engine/attach/reply-elsewhere", test_reply_elsewhere);
  ADD ("/engine/attach/again", test_again);
  ADD ("/engine/attach/again-refused", test_again_refused);
  ADD ("/engine/attach/again-goes-on", test_again_goes_on);
  ADD ("/engine/attach/again-a-file", test_again_a_file);

  return g_test_run ();
}
