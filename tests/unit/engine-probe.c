/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Tests of the looks that the owner's worker takes: at directories before files are accepted, and
 * into temporaries. */
#include "engine-fixture.h"

#include <fcntl.h>
#include <unistd.h>

/* What a probe or an open gave. */
typedef struct
{
  gboolean called;
  GHashTable *found; /* (owned) */
  int fd;
  GError *error; /* (owned) */
} Answer;

static void
answer_clear (Answer *answer)
{
  g_clear_pointer (&answer->found, g_hash_table_unref);
  g_clear_error (&answer->error);
  if (answer->fd > 0)
    close (answer->fd);
  *answer = (Answer){ 0 };
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Answer, answer_clear)

static void
probed_cb (GObject *source, GAsyncResult *result, gpointer data)
{
  Answer *answer = data;

  answer->called = TRUE;
  answer->found = tfd_engine_probe_finish (TFD_ENGINE (source), result, &answer->error);
}

/* Probes for files at @paths, separated by blanks. */
static void
probe (EngineFixture *self, guint32 uid, const char *paths, Answer *answer)
{
  const TfdOwner owner = { uid, uid == ALICE ? "alice" : "bob", NULL };
  g_autoptr (GPtrArray) specs =
      g_ptr_array_new_with_free_func ((GDestroyNotify) tfd_file_spec_free);
  g_auto (GStrv) list = g_strsplit (paths, " ", -1);

  answer_clear (answer);
  for (guint i = 0; list[i] != NULL; i++)
    g_ptr_array_add (
        specs, tfd_file_spec_new (TFD_JOB_TYPE_DOWNLOAD, "http://host/x", list[i], NULL, NULL));
  tfd_engine_probe_async (self->engine, &owner, TFD_JOB_TYPE_DOWNLOAD, NULL, specs, probed_cb,
                          answer);
  engine_settle (self);
}

static gboolean
is_known (EngineFixture *self, guint32 uid, TfdJobType type, const char *paths)
{
  g_autoptr (GPtrArray) specs =
      g_ptr_array_new_with_free_func ((GDestroyNotify) tfd_file_spec_free);
  g_auto (GStrv) list = g_strsplit (paths, " ", -1);

  for (guint i = 0; list[i] != NULL; i++)
    g_ptr_array_add (specs, tfd_file_spec_new (type, "http://host/x", list[i], NULL, NULL));
  return tfd_engine_probe_is_known (self->engine, uid, type, specs);
}

static void
assert_found (const Answer *answer, const char *directory, const char *identity)
{
  const TfdFound *found = g_hash_table_lookup (answer->found, directory);

  g_assert_nonnull (found);
  g_assert_cmpmem (g_bytes_get_data (found->identity, NULL), g_bytes_get_size (found->identity),
                   identity, strlen (identity));
}

/* Each directory is asked about once. */
ENGINE_TEST (test_distinct)
{
  g_auto (Answer) answer = { 0 };
  g_autofree char *asked = NULL;

  probe (self, ALICE, "/a/1 /b/1 /a/2 /b/2 /1", &answer);
  g_assert_false (answer.called);
  asked = g_variant_print (tfd_fake_transport_peek (self->transport, "Probe"), FALSE);
  g_assert_cmpstr (asked, ==, "([[0x2f, 0x61], [0x2f, 0x62], [0x2f]],)");
  g_assert_cmpstr (tfd_fake_transport_peek_owner (self->transport, "Probe"), ==, "alice");
  engine_answer (self, "Probe",
                 "([([byte 0x78], '', ''), ([byte 0x79], '', ''), ([byte 0x7a], '', '')],)");
  g_assert_no_error (answer.error);
  assert_found (&answer, "/a", "x");
  assert_found (&answer, "/b", "y");
  assert_found (&answer, "/", "z");
}

/* What was seen is believed for ten seconds, for this user. */
ENGINE_TEST (test_cache)
{
  g_auto (Answer) answer = { 0 };

  g_assert_false (is_known (self, ALICE, TFD_JOB_TYPE_DOWNLOAD, "/a/1"));
  probe (self, ALICE, "/a/1", &answer);
  engine_answer (self, "Probe", "([([byte 0x78], '', '')],)");
  engine_advance (self, 10 * SECOND - 1);
  g_assert_true (is_known (self, ALICE, TFD_JOB_TYPE_DOWNLOAD, "/a/2 /a/3"));
  g_assert_false (is_known (self, BOB, TFD_JOB_TYPE_DOWNLOAD, "/a/2"));
  g_assert_false (is_known (self, ALICE, TFD_JOB_TYPE_DOWNLOAD, "/a/2 /b/2"));
  g_assert_false (is_known (self, ALICE, TFD_JOB_TYPE_DOWNLOAD, "/a/b/2"));
  /* a file that is to be sent is looked at itself */
  g_assert_false (is_known (self, ALICE, TFD_JOB_TYPE_UPLOAD, "/a/2"));
  /* that it may be used, not which one it was: it may be another by the same name now */
  probe (self, ALICE, "/a/2", &answer);
  g_assert_true (answer.called);
  g_assert_cmpuint (g_hash_table_size (answer.found), ==, 0);
  probe (self, ALICE, "/a/2 /b/2", &answer);
  engine_answer (self, "Probe", "([([byte 0x79], '', '')],)");
  g_assert_cmpuint (g_hash_table_size (answer.found), ==, 1);
  assert_found (&answer, "/b", "y");
  probe (self, BOB, "/a/1", &answer);
  engine_answer (self, "Probe", "([([byte 0x7a], '', '')],)");
  assert_found (&answer, "/a", "z");
  engine_advance (self, 1);
  g_assert_false (is_known (self, ALICE, TFD_JOB_TYPE_DOWNLOAD, "/a/2"));
  probe (self, ALICE, "/a/2", &answer);
  engine_answer (self, "Probe", "([([byte 0x77], '', '')],)");
  assert_found (&answer, "/a", "w");
}

ENGINE_TEST (test_refused)
{
  static const struct
  {
    const char *answer;
    TfdErrorCode code;
  } cases[] = {
    { "([(@ay [], 'org.transferd.Transfer1.Error.InvalidPath', 'x')],)", TFD_ERROR_INVALID_PATH },
    { "([(@ay [], 'org.transferd.Transfer1.Error.FileAccessDenied', 'x')],)",
      TFD_ERROR_FILE_ACCESS_DENIED },
    { "([(@ay [], 'org.transferd.Transfer1.Error.NotFound', 'x')],)", TFD_ERROR_INVALID_PATH },
    { "([(@ay [], 'nonsense', 'x')],)", TFD_ERROR_INVALID_PATH },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_auto (Answer) answer = { 0 };

      /* a refusal is not remembered */
      probe (self, ALICE, "/a/1", &answer);
      engine_answer (self, "Probe", cases[i].answer);
      g_assert_error (answer.error, TFD_ERROR, (int) cases[i].code);
      g_assert_nonnull (strstr (answer.error->message, "/a"));
    }
}

/* Without a worker the files are accepted, and looked at when they start. */
ENGINE_TEST (test_no_worker)
{
  g_auto (Answer) answer = { 0 };

  probe (self, ALICE, "/a/1", &answer);
  engine_fail (self, "Probe", G_IO_ERROR_TIMED_OUT);
  g_assert_no_error (answer.error);
  g_assert_cmpuint (g_hash_table_size (answer.found), ==, 0);
}

/* Too few answers, too many, or absurd ones. */
ENGINE_TEST (test_nonsense)
{
  g_auto (Answer) answer = { 0 };
  g_autoptr (GString) large = g_string_new ("([([byte 1");

  probe (self, ALICE, "/a/1 /b/1", &answer);
  engine_answer (self, "Probe", "([([byte 0x78], '', '')],)");
  g_assert_cmpuint (g_hash_table_size (answer.found), ==, 1);
  probe (self, ALICE, "/b/1", &answer);
  engine_answer (self, "Probe",
                 "([([byte 0x78], '', ''), (@ay [], 'org.transferd.Transfer1.Error.InvalidPath',"
                 " 'x')],)");
  g_assert_no_error (answer.error);
  for (guint i = 0; i < TFD_MAX_PART; i++)
    g_string_append (large, ",1");
  g_string_append (large, "], '', '')],)");
  probe (self, ALICE, "/c/1", &answer);
  engine_answer (self, "Probe", large->str);
  g_assert_no_error (answer.error);
  g_assert_cmpuint (g_hash_table_size (answer.found), ==, 0);
}

/* What was seen goes with the file. */
ENGINE_TEST (test_identity)
{
  const TfdOwner owner = { ALICE, "alice", NULL };
  g_autoptr (GPtrArray) specs = engine_specs ("a", 0, 1);
  g_auto (Answer) answer = { 0 };
  g_autoptr (GError) error = NULL;

  probe (self, ALICE, "/home/a/0", &answer);
  engine_answer (self, "Probe", "([([byte 0x78], '', '')],)");
  tfd_engine_create_job (self->engine, &owner, TFD_JOB_TYPE_DOWNLOAD, tfd_job_properties_new (),
                         specs, answer.found, TRUE, NULL, &error);
  g_assert_no_error (error);
  engine_settle (self);
  engine_restart (self);
  engine_assert_file_value (self, "Start", 0, "directory", "x");
  engine_take_start (self);
  tfd_signal_log_clear (self->log);
}

/* ---- OpenTemporary ---- */

static void
opened_cb (GObject *source, GAsyncResult *result, gpointer data)
{
  Answer *answer = data;

  answer->called = TRUE;
  answer->fd = tfd_engine_open_temporary_finish (TFD_ENGINE (source), result, &answer->error);
}

static void
open_temporary (EngineFixture *self, TfdJob *job, guint32 file, Answer *answer)
{
  answer_clear (answer);
  tfd_engine_open_temporary_async (self->engine, job, file, opened_cb, answer);
  engine_settle (self);
}

ENGINE_TEST (test_open)
{
  TfdJob *job = engine_create (self, "a", 2, FALSE, NULL);
  g_autoptr (GUnixFDList) fds = g_unix_fd_list_new ();
  g_auto (Answer) answer = { 0 };
  int fd = open ("/dev/null", O_RDONLY | O_CLOEXEC);

  g_unix_fd_list_append (fds, fd, NULL);
  close (fd);
  open_temporary (self, job, 1, &answer);
  tfd_fake_transport_answer_with_fds (self->transport, "OpenPart", g_variant_new ("(h)", 0), fds);
  engine_settle (self);
  g_assert_no_error (answer.error);
  g_assert_cmpint (answer.fd, >=, 0);
  g_assert_cmpint (fcntl (answer.fd, F_GETFD) & FD_CLOEXEC, !=, 0);
  tfd_signal_log_clear (self->log);
}

ENGINE_TEST (test_open_fails)
{
  TfdJob *job = engine_create (self, "a", 1, FALSE, NULL);
  g_auto (Answer) answer = { 0 };

  open_temporary (self, job, 1, &answer);
  g_assert_error (answer.error, TFD_ERROR, TFD_ERROR_INVALID_ARGS);
  open_temporary (self, job, 0, &answer);
  engine_fail (self, "OpenPart", G_IO_ERROR_FAILED);
  g_assert_error (answer.error, TFD_ERROR, TFD_ERROR_FILE_MISSING);
  /* an answer without what it speaks of */
  open_temporary (self, job, 0, &answer);
  engine_answer (self, "OpenPart", "(handle 5,)");
  g_assert_error (answer.error, TFD_ERROR, TFD_ERROR_FILE_MISSING);
  engine_cancel (self, job);
  open_temporary (self, job, 0, &answer);
  g_assert_error (answer.error, TFD_ERROR, TFD_ERROR_INVALID_STATE);
  tfd_signal_log_clear (self->log);
}

/* What a worker answers is told, as far as it may be true, in words that people read. */
ENGINE_TEST (test_open_refused)
{
  static const struct
  {
    const char *name;
    TfdErrorCode code;
  } cases[] = {
    { "org.transferd.Transfer1.Error.FileAccessDenied", TFD_ERROR_FILE_ACCESS_DENIED },
    { "org.transferd.Transfer1.Error.DestinationUnavailable", TFD_ERROR_DESTINATION_UNAVAILABLE },
    { "org.transferd.Transfer1.Error.FileMissing", TFD_ERROR_FILE_MISSING },
    { "org.transferd.Transfer1.Error.NotFound", TFD_ERROR_FILE_MISSING },
    { "org.example.Nonsense", TFD_ERROR_FILE_MISSING },
  };
  TfdJob *job = engine_create (self, "a", 1, FALSE, NULL);
  g_autofree char *words = g_strnfill (100000, 'x');

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_auto (Answer) answer = { 0 };

      open_temporary (self, job, 0, &answer);
      tfd_fake_transport_refuse (self->transport, "OpenPart", cases[i].name, words);
      engine_settle (self);
      g_assert_error (answer.error, TFD_ERROR, (int) cases[i].code);
      g_assert_null (strstr (answer.error->message, "GDBus"));
      g_assert_cmpuint (strlen (answer.error->message), <, 2000);
    }
  tfd_signal_log_clear (self->log);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ENGINE_ADD ("/engine/probe/distinct", test_distinct);
  ENGINE_ADD ("/engine/probe/cache", test_cache);
  ENGINE_ADD ("/engine/probe/refused", test_refused);
  ENGINE_ADD ("/engine/probe/no-worker", test_no_worker);
  ENGINE_ADD ("/engine/probe/nonsense", test_nonsense);
  ENGINE_ADD ("/engine/probe/identity", test_identity);
  ENGINE_ADD ("/engine/open-temporary/opened", test_open);
  ENGINE_ADD ("/engine/open-temporary/fails", test_open_fails);
  ENGINE_ADD ("/engine/open-temporary/refused", test_open_refused);
  return g_test_run ();
}
