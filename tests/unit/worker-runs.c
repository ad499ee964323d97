/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Runs of the worker against a server in a thread that answers byte by byte as it is told. */
#include "config.h"

#include "common/names.h"
#include "tests/lib/packed-rows.h"
#include "worker/failure.h"
#include "worker/record.h"
#include "worker/runs.h"
#include "worker/session.h"

#include <gio/gio.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>

#define JOB "0123456789abcdef0123456789abcdef"
#define SIZE (3 * 1024 * 1024)
#define CUT (1024 * 1024)
#define DEADLINE_SECONDS 120

typedef struct
{
  /* the server */
  GSocketService *service;
  guint16 port;
  guint8 *content;
  GMutex mutex;
  GCond released;
  gboolean release; /* ends all standing still */
  guint requests;   /* so far */
  guint serving;    /* now, and at most */
  guint serving_peak;
  /* the worker */
  char *path;
  TfdRuns *runs;
  gboolean late;
  gboolean idle;
  guint connected;
  GHashTable *parts; /* index to record */
  GHashTable *done;  /* index to size */
  GHashTable *bytes; /* index to bytes present */
  GVariant *failure;
  guint32 failed_file;
  GString *events;
  GVariant *stopped;
} Fixture;

/* --- the server --- */

static gboolean
send_bytes (GOutputStream *out, gconstpointer data, gsize count)
{
  return g_output_stream_write_all (out, data, count, NULL, NULL, NULL);
}

static gboolean
send_text (GOutputStream *out, const char *text)
{
  return send_bytes (out, text, strlen (text));
}

static void
stand_still (Fixture *fixture)
{
  g_mutex_lock (&fixture->mutex);
  while (!fixture->release)
    g_cond_wait (&fixture->released, &fixture->mutex);
  g_mutex_unlock (&fixture->mutex);
}

/* As a good server does. */
static gboolean
send_properly (Fixture *fixture, GOutputStream *out, guint64 first, const char *etag, gsize most)
{
  g_autofree char *head =
      first > 0 ? g_strdup_printf ("HTTP/1.1 206 Partial Content\r\nContent-Range: bytes "
                                   "%" G_GUINT64_FORMAT "-%d/%d\r\nContent-Length: "
                                   "%" G_GUINT64_FORMAT "\r\nETag: %s\r\n\r\n",
                                   first, SIZE - 1, SIZE, SIZE - first, etag)
                : g_strdup_printf ("HTTP/1.1 200 OK\r\nContent-Length: %d\r\nETag: %s\r\n"
                                   "Last-Modified: Mon, 02 Jan 2023 03:04:05 GMT\r\n\r\n",
                                   SIZE, etag);

  return send_text (out, head) &&
         send_bytes (out, fixture->content + first, MIN (SIZE - first, most));
}

static gboolean
send_chunks (Fixture *fixture, GOutputStream *out, gsize count)
{
  send_text (out, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nETag: \"1\"\r\n\r\n");
  for (gsize at = 0; at < count; at += CUT / 2)
    {
      g_autofree char *size = g_strdup_printf ("%x\r\n", CUT / 2);

      if (!send_text (out, size) || !send_bytes (out, fixture->content + at, CUT / 2) ||
          !send_text (out, "\r\n"))
        return FALSE;
    }

  return TRUE;
}

/* Answers; FALSE: the connection is closed. */
static gboolean
answer (Fixture *fixture, GOutputStream *out, const char *path, guint64 first)
{
  if (g_str_equal (path, "/good"))
    return send_properly (fixture, out, first, "\"1\"", SIZE);
  if (g_str_equal (path, "/cut"))
    return send_properly (fixture, out, first, "\"1\"", first > 0 ? SIZE : CUT) && first > 0;
  if (g_str_equal (path, "/chunked"))
    return send_chunks (fixture, out, SIZE) && send_text (out, "0\r\n\r\n");
  if (g_str_equal (path, "/chunked-cut"))
    {
      if (first > 0)
        return send_properly (fixture, out, first, "\"1\"", SIZE);
      send_chunks (fixture, out, CUT);
      return FALSE;
    }
  if (g_str_equal (path, "/close"))
    {
      send_text (out, "HTTP/1.0 200 OK\r\n\r\n");
      send_bytes (out, fixture->content, SIZE);
      return FALSE;
    }
  if (g_str_equal (path, "/changed"))
    {
      /* From the second request on another file, which ignores ranges. */
      if (first > 0)
        memset (fixture->content, 'z', SIZE);
      return send_properly (fixture, out, 0, first > 0 ? "\"2\"" : "\"1\"",
                            first > 0 ? SIZE : CUT) &&
             first > 0;
    }
  if (g_str_equal (path, "/splice"))
    {
      /* Insists on the rest of another file. */
      if (first > 0)
        memset (fixture->content, 'z', SIZE);
      return send_properly (fixture, out, first, first > 0 ? "\"2\"" : "\"1\"",
                            first > 0 ? SIZE : CUT) &&
             first > 0;
    }
  if (g_str_equal (path, "/stall"))
    {
      send_properly (fixture, out, first, "\"1\"", first > 0 ? SIZE : CUT);
      if (first == 0)
        stand_still (fixture);
      return first > 0;
    }
  if (g_str_equal (path, "/wait"))
    {
      stand_still (fixture);
      return send_properly (fixture, out, first, "\"1\"", SIZE);
    }
  if (g_str_equal (path, "/empty"))
    return send_text (out, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  if (g_str_equal (path, "/busy"))
    return send_text (out, "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 7\r\n"
                           "Content-Length: 0\r\n\r\n");
  if (g_str_equal (path, "/redirect"))
    return send_text (out, "HTTP/1.1 302 Found\r\nLocation: /good\r\nContent-Length: 0\r\n\r\n");
  if (g_str_equal (path, "/loop"))
    return send_text (out, "HTTP/1.1 302 Found\r\nLocation: /loop\r\nContent-Length: 0\r\n\r\n");

  return send_text (out, "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
}

static gboolean
run_cb (G_GNUC_UNUSED GThreadedSocketService *service,
        GSocketConnection *connection,
        G_GNUC_UNUSED GObject *source,
        gpointer user_data)
{
  Fixture *fixture = user_data;
  g_autoptr (GDataInputStream) in =
      g_data_input_stream_new (g_io_stream_get_input_stream (G_IO_STREAM (connection)));
  GOutputStream *out = g_io_stream_get_output_stream (G_IO_STREAM (connection));
  gboolean open = TRUE;

  g_data_input_stream_set_newline_type (in, G_DATA_STREAM_NEWLINE_TYPE_CR_LF);
  while (open)
    {
      g_autofree char *line = g_data_input_stream_read_line (in, NULL, NULL, NULL);
      g_auto (GStrv) words = line != NULL ? g_strsplit (line, " ", 3) : NULL;
      guint64 first = 0;

      if (words == NULL || g_strv_length (words) != 3)
        break;
      for (;;)
        {
          g_autofree char *field = g_data_input_stream_read_line (in, NULL, NULL, NULL);

          if (field == NULL || field[0] == '\0')
            break;
          if (g_ascii_strncasecmp (field, "Range: bytes=", 13) == 0)
            first = g_ascii_strtoull (field + 13, NULL, 10);
        }

      g_mutex_lock (&fixture->mutex);
      fixture->requests++;
      fixture->serving++;
      fixture->serving_peak = MAX (fixture->serving_peak, fixture->serving);
      g_mutex_unlock (&fixture->mutex);
      open = answer (fixture, out, words[1], first);
      g_mutex_lock (&fixture->mutex);
      fixture->serving--;
      g_mutex_unlock (&fixture->mutex);
    }

  return TRUE;
}

static void
release (Fixture *fixture)
{
  g_mutex_lock (&fixture->mutex);
  fixture->release = TRUE;
  g_cond_broadcast (&fixture->released);
  g_mutex_unlock (&fixture->mutex);
}

/* --- news --- */

static void
connected_cb (G_GNUC_UNUSED guint64 run, gpointer user_data)
{
  ((Fixture *) user_data)->connected++;
}

static void
progress_cb (GVariant *runs, gpointer user_data)
{
  Fixture *fixture = user_data;
  g_autoptr (GVariant) owner = g_variant_ref_sink (runs);
  g_autoptr (GVariantIter) files = NULL;
  guint64 present;
  guint32 index;

  g_variant_get_child (owner, 0, "(ta(utt))", NULL, &files);
  while (g_variant_iter_next (files, "(utt)", &index, &present, NULL))
    g_hash_table_insert (fixture->bytes, GUINT_TO_POINTER (index), GSIZE_TO_POINTER (present));
}

static void
take_parts (Fixture *fixture, GVariant *parts)
{
  GVariantIter iter;
  GVariant *record;
  guint32 index;

  g_variant_iter_init (&iter, parts);
  while (g_variant_iter_next (&iter, "(u@a{sv})", &index, &record))
    {
      g_assert_cmpuint (g_variant_get_size (record), <=, 4096);
      g_hash_table_insert (fixture->parts, GUINT_TO_POINTER (index), record);
    }
}

static void
parts_cb (G_GNUC_UNUSED guint64 run, GVariant *parts, gpointer user_data)
{
  g_autoptr (GVariant) owner = g_variant_ref_sink (parts);

  take_parts (user_data, owner);
}

static void
files_done_cb (G_GNUC_UNUSED guint64 run, GVariant *files, gpointer user_data)
{
  Fixture *fixture = user_data;
  g_autoptr (GVariant) owner = g_variant_ref_sink (tfd_unpack_rows_done (files));
  GVariantIter iter;
  GVariant *record;
  guint64 size;
  guint32 index;

  g_variant_iter_init (&iter, owner);
  while (g_variant_iter_next (&iter, "(ut@a{sv})", &index, &size, &record))
    {
      g_assert_true (g_hash_table_insert (fixture->done, GUINT_TO_POINTER (index + 1),
                                          GSIZE_TO_POINTER (size)));
      g_hash_table_insert (fixture->parts, GUINT_TO_POINTER (index), record);
    }
}

static void
failed_cb (G_GNUC_UNUSED guint64 run, guint32 file, GVariant *error, gpointer user_data)
{
  Fixture *fixture = user_data;

  g_assert_null (fixture->failure);
  fixture->failure = g_variant_ref_sink (error);
  fixture->failed_file = file;
}

static void
event_cb (G_GNUC_UNUSED guint64 run,
          G_GNUC_UNUSED guint32 file,
          const char *kind,
          GVariant *details,
          gpointer user_data)
{
  g_variant_unref (g_variant_ref_sink (details));
  g_string_append_printf (((Fixture *) user_data)->events, "%s ", kind);
}

static void
idle_cb (gpointer user_data)
{
  ((Fixture *) user_data)->idle = TRUE;
}

static const TfdNews news = {
  .connected = connected_cb,
  .progress = progress_cb,
  .parts = parts_cb,
  .files_done = files_done_cb,
  .failed = failed_cb,
  .event = event_cb,
  .idle = idle_cb,
};

/* --- the fixture --- */

static void
set_up (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
  g_autoptr (GInetAddress) loopback = g_inet_address_new_loopback (G_SOCKET_FAMILY_IPV4);
  g_autoptr (GSocketAddress) address = g_inet_socket_address_new (loopback, 0);
  g_autoptr (GSocketAddress) bound = NULL;

  g_mutex_init (&fixture->mutex);
  g_cond_init (&fixture->released);
  fixture->content = g_malloc (SIZE);
  for (gsize i = 0; i < SIZE; i++)
    fixture->content[i] = (guint8) ((i * 31 + i / 4096) & 0x7f);

  fixture->service = g_threaded_socket_service_new (100);
  g_assert_true (g_socket_listener_add_address (G_SOCKET_LISTENER (fixture->service), address,
                                                G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_TCP, NULL,
                                                &bound, NULL));
  fixture->port = g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (bound));
  g_signal_connect (fixture->service, "run", G_CALLBACK (run_cb), fixture);
  g_socket_service_start (fixture->service);

  fixture->path = g_dir_make_tmp ("worker-runs-XXXXXX", NULL);
  fixture->parts =
      g_hash_table_new_full (g_direct_hash, g_direct_equal, NULL, (GDestroyNotify) g_variant_unref);
  fixture->done = g_hash_table_new (g_direct_hash, g_direct_equal);
  fixture->bytes = g_hash_table_new (g_direct_hash, g_direct_equal);
  fixture->events = g_string_new (NULL);
  fixture->runs = tfd_runs_new (&news, fixture);
}

static void
tear_down (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
  g_autoptr (GDir) dir = g_dir_open (fixture->path, 0, NULL);
  const char *name;

  release (fixture);
  tfd_runs_free (fixture->runs);
  g_socket_service_stop (fixture->service);
  g_socket_listener_close (G_SOCKET_LISTENER (fixture->service));
  g_object_unref (fixture->service);

  while ((name = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *path = g_build_filename (fixture->path, name, NULL);

      g_remove (path);
    }
  g_rmdir (fixture->path);
  g_free (fixture->path);
  g_hash_table_unref (fixture->parts);
  g_hash_table_unref (fixture->done);
  g_hash_table_unref (fixture->bytes);
  g_clear_pointer (&fixture->failure, g_variant_unref);
  g_clear_pointer (&fixture->stopped, g_variant_unref);
  g_string_free (fixture->events, TRUE);

  /* Threads of the server may still read the content: wait for them. */
  for (;;)
    {
      guint serving;

      g_mutex_lock (&fixture->mutex);
      serving = fixture->serving;
      g_mutex_unlock (&fixture->mutex);
      if (serving == 0)
        break;
      g_thread_yield ();
    }
  g_free (fixture->content);
}

static GVariant *
file (Fixture *fixture, guint32 index, const char *url, const char *extra)
{
  g_autofree char *full = url[0] == '/'
                              ? g_strdup_printf ("http://127.0.0.1:%u%s", fixture->port, url)
                              : g_strdup (url);
  g_autofree char *path = g_strdup_printf ("%s/final-%u", fixture->path, index);
  g_autoptr (GVariant) given =
      g_variant_ref_sink (g_variant_new_parsed (extra != NULL ? extra : "@a{sv} {}"));
  GVariant *part = g_hash_table_lookup (fixture->parts, GUINT_TO_POINTER (index));
  g_auto (GVariantDict) dict = G_VARIANT_DICT_INIT (given);

  g_variant_dict_insert (&dict, "url", "s", full);
  g_variant_dict_insert_value (&dict, "path", tfd_path_to_variant (path));
  if (part != NULL)
    g_variant_dict_insert_value (&dict, "part", part);

  return g_variant_new ("(u@a{sv})", index, g_variant_dict_end (&dict));
}

static void
start (Fixture *fixture, guint64 run, GVariant *one, const char *options)
{
  g_autoptr (GVariant) files = g_variant_ref_sink (g_variant_new_array (NULL, &one, 1));
  g_autoptr (GVariant) dictionary =
      g_variant_ref_sink (g_variant_new_parsed (options != NULL ? options : "@a{sv} {}"));
  g_autoptr (GError) error = NULL;

  fixture->idle = FALSE;
  tfd_runs_start (fixture->runs, run, JOB, dictionary, files, &error);
  g_assert_no_error (error);
}

static gboolean
late_cb (gpointer user_data)
{
  ((Fixture *) user_data)->late = TRUE;
  return G_SOURCE_REMOVE;
}

#define wait_until(fixture, condition)                                                             \
  G_STMT_START                                                                                     \
  {                                                                                                \
    guint deadline_ = g_timeout_add_seconds (DEADLINE_SECONDS, late_cb, fixture);                  \
    while (!(condition) && !(fixture)->late)                                                       \
      g_main_context_iteration (NULL, TRUE);                                                       \
    g_assert_true (condition);                                                                     \
    g_source_remove (deadline_);                                                                   \
  }                                                                                                \
  G_STMT_END

static void
stopped_cb (GVariant *parts, gpointer user_data)
{
  Fixture *fixture = user_data;

  g_clear_pointer (&fixture->stopped, g_variant_unref);
  fixture->stopped = g_variant_ref_sink (parts);
  take_parts (fixture, fixture->stopped);
}

static void
stop (Fixture *fixture, guint64 run)
{
  g_clear_pointer (&fixture->stopped, g_variant_unref);
  tfd_runs_stop (fixture->runs, run, stopped_cb, fixture);
  wait_until (fixture, fixture->stopped != NULL);
}

static guint
n_done (Fixture *fixture)
{
  return g_hash_table_size (fixture->done);
}

static void
assert_failure (Fixture *fixture, TfdErrorCode code)
{
  const char *name;

  g_assert_nonnull (fixture->failure);
  g_assert_true (g_variant_lookup (fixture->failure, "name", "&s", &name));
  g_assert_cmpstr (name, ==, tfd_error_code_to_name (code));
}

static void
forget_failure (Fixture *fixture)
{
  g_clear_pointer (&fixture->failure, g_variant_unref);
}

static void
assert_content (Fixture *fixture, guint32 index, guint32 attempt, gsize size)
{
  g_autofree char *name = tfd_part_name (JOB, index, attempt);
  g_autofree char *path = g_build_filename (fixture->path, name, NULL);
  g_autofree char *content = NULL;
  gsize length;

  g_assert_true (g_file_get_contents (path, &content, &length, NULL));
  g_assert_cmpmem (content, length, fixture->content, size);
}

static guint64
checkpoint_of (Fixture *fixture, guint32 index)
{
  GVariant *part = g_hash_table_lookup (fixture->parts, GUINT_TO_POINTER (index));
  g_autoptr (TfdRecord) record = part != NULL ? tfd_record_parse (part) : NULL;

  g_assert_nonnull (record);
  return record->checkpoint;
}

/* --- tests --- */

/* data: the path. */
static void
test_whole (Fixture *fixture, gconstpointer data)
{
  start (fixture, 1, file (fixture, 0, data, NULL), NULL);
  wait_until (fixture, n_done (fixture) == 1 || fixture->failure != NULL);
  g_assert_null (fixture->failure);
  /* what is done quickly has connected, too */
  g_assert_cmpuint (fixture->connected, <=, 1);
  g_assert_cmpuint (checkpoint_of (fixture, 0), ==, SIZE);
  assert_content (fixture, 0, 0, SIZE);
  stop (fixture, 1);
  g_assert_cmpuint (g_variant_n_children (fixture->stopped), ==, 0);
  g_assert_true (fixture->idle);
}

static void
test_empty (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
  start (fixture, 1, file (fixture, 0, "/empty", NULL), NULL);
  wait_until (fixture, n_done (fixture) == 1);
  assert_content (fixture, 0, 0, 0);
  stop (fixture, 1);
}

/* data: the path of an answer that is cut after its first part. */
static void
test_resume (Fixture *fixture, gconstpointer data)
{
  start (fixture, 1, file (fixture, 0, data, NULL), NULL);
  wait_until (fixture, fixture->failure != NULL || n_done (fixture) > 0);
  assert_failure (fixture, TFD_ERROR_CONNECTION_LOST);
  g_assert_cmpuint (checkpoint_of (fixture, 0), ==, CUT);
  g_assert_true (fixture->idle);
  g_assert_cmpuint (GPOINTER_TO_SIZE (g_hash_table_lookup (fixture->bytes, NULL)), ==, CUT);

  /* A run that has failed is unknown. */
  stop (fixture, 1);
  g_assert_cmpuint (g_variant_n_children (fixture->stopped), ==, 0);

  forget_failure (fixture);
  start (fixture, 2, file (fixture, 0, data, NULL), NULL);
  wait_until (fixture, n_done (fixture) == 1 || fixture->failure != NULL);
  g_assert_null (fixture->failure);
  assert_content (fixture, 0, 0, SIZE);
  g_assert_cmpstr (fixture->events->str, ==, "");
  stop (fixture, 2);
}

/* data: the path of a file that is another one when it is asked for again. */
static void
test_changed (Fixture *fixture, gconstpointer data)
{
  start (fixture, 1, file (fixture, 0, data, NULL), NULL);
  wait_until (fixture, fixture->failure != NULL);
  forget_failure (fixture);
  start (fixture, 2, file (fixture, 0, data, NULL), NULL);
  if (g_str_equal (data, "/splice"))
    {
      /* It is asked again from the start, and cut again: nothing of the two files is mixed. */
      wait_until (fixture, fixture->failure != NULL);
      assert_content (fixture, 0, 0, CUT);
    }
  else
    {
      wait_until (fixture, n_done (fixture) == 1 || fixture->failure != NULL);
      g_assert_null (fixture->failure);
      assert_content (fixture, 0, 0, SIZE);
      stop (fixture, 2);
    }
  g_assert_cmpstr (fixture->events->str, ==, "restarted ");
}

static void
test_another_boot (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
  g_autoptr (TfdRecord) record = NULL;

  start (fixture, 1, file (fixture, 0, "/cut", NULL), NULL);
  wait_until (fixture, fixture->failure != NULL);
  forget_failure (fixture);

  /* After a power cut only the checkpoint counts. */
  record = tfd_record_parse (g_hash_table_lookup (fixture->parts, NULL));
  g_free (record->boot);
  record->boot = g_strdup ("another");
  record->checkpoint = 1000;
  g_hash_table_insert (fixture->parts, NULL, g_variant_ref_sink (tfd_record_to_variant (record)));

  start (fixture, 2, file (fixture, 0, "/stall", NULL), NULL);
  wait_until (fixture, n_done (fixture) == 1 || fixture->failure != NULL);
  g_assert_null (fixture->failure);
  assert_content (fixture, 0, 0, SIZE);
  stop (fixture, 2);
}

static void
test_stop (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
  start (fixture, 1, file (fixture, 0, "/stall", NULL), NULL);
  wait_until (fixture, g_hash_table_lookup (fixture->bytes, NULL) == GSIZE_TO_POINTER (CUT));
  stop (fixture, 1);
  g_assert_cmpuint (g_variant_n_children (fixture->stopped), ==, 1);
  g_assert_cmpuint (checkpoint_of (fixture, 0), ==, CUT);
  assert_content (fixture, 0, 0, CUT);

  start (fixture, 2, file (fixture, 0, "/stall", NULL), NULL);
  wait_until (fixture, n_done (fixture) == 1);
  assert_content (fixture, 0, 0, SIZE);
  stop (fixture, 2);
}

static void
test_stop_before_the_answer (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
  start (fixture, 1, file (fixture, 0, "/wait", NULL), NULL);
  wait_until (fixture, fixture->requests == 1);
  stop (fixture, 1);
  g_assert_cmpuint (fixture->connected, ==, 0);
  g_assert_cmpuint (g_variant_n_children (fixture->stopped), ==, 1);
  assert_content (fixture, 0, 0, 0);
}

static void
test_status (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
  guint64 retry_after = 0;
  guint32 status = 0;
  gboolean transient = FALSE;

  start (fixture, 1, file (fixture, 5, "/busy", NULL), NULL);
  wait_until (fixture, fixture->failure != NULL);
  assert_failure (fixture, TFD_ERROR_HTTP_STATUS);
  g_assert_cmpuint (fixture->failed_file, ==, 5);
  g_assert_true (g_variant_lookup (fixture->failure, "http-status", "u", &status));
  g_assert_true (g_variant_lookup (fixture->failure, "retry-after", "t", &retry_after));
  g_assert_true (g_variant_lookup (fixture->failure, "transient", "b", &transient));
  g_assert_cmpuint (status, ==, 503);
  g_assert_cmpuint (retry_after, ==, 7 * TFD_USEC_PER_SEC);
  g_assert_true (transient);
}

/* One file fails: the others stop with what they have, told before the failure. */
static void
test_failure_stops_all (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
  g_autoptr (GVariant) more = NULL;
  GVariant *one;

  start (fixture, 1, file (fixture, 0, "/stall", NULL), NULL);
  wait_until (fixture, g_hash_table_lookup (fixture->bytes, NULL) == GSIZE_TO_POINTER (CUT));
  one = file (fixture, 1, "/absent", NULL);
  more = g_variant_ref_sink (g_variant_new_array (NULL, &one, 1));
  g_assert_true (tfd_runs_add_files (fixture->runs, 1, more, NULL));
  wait_until (fixture, fixture->failure != NULL);
  g_assert_cmpuint (fixture->failed_file, ==, 1);
  g_assert_cmpuint (checkpoint_of (fixture, 0), ==, CUT);
  g_assert_true (tfd_runs_is_idle (fixture->runs));
  assert_content (fixture, 0, 0, CUT);
}

static void
test_redirect (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
  start (fixture, 1, file (fixture, 0, "/redirect", NULL), NULL);
  wait_until (fixture, n_done (fixture) == 1);
  g_assert_cmpstr (fixture->events->str, ==, "redirected ");
  assert_content (fixture, 0, 0, SIZE);
  stop (fixture, 1);

  start (fixture, 2, file (fixture, 1, "/redirect", NULL), "{'redirect-policy': <'refuse'>}");
  wait_until (fixture, fixture->failure != NULL);
  assert_failure (fixture, TFD_ERROR_REDIRECT_REFUSED);
  forget_failure (fixture);

  start (fixture, 3, file (fixture, 2, "/loop", NULL), NULL);
  wait_until (fixture, fixture->failure != NULL);
  assert_failure (fixture, TFD_ERROR_TOO_MANY_REDIRECTS);
}

static void
test_limits (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
  const struct
  {
    const char *path;
    const char *extra;
    const char *options;
    TfdErrorCode code;
  } cases[] = {
    { "/good", NULL, "{'maximum-size': <@t 1000>}", TFD_ERROR_MAXIMUM_SIZE_EXCEEDED },
    { "/chunked", NULL, "{'maximum-size': <@t 1000>}", TFD_ERROR_MAXIMUM_SIZE_EXCEEDED },
    { "/good", "{'options': <{'size': <@t 1000>}>}", NULL, TFD_ERROR_INVALID_SERVER_RESPONSE },
    { "/chunked", "{'options': <{'size': <@t 1000>}>}", NULL, TFD_ERROR_INVALID_SERVER_RESPONSE },
    { "/close", "{'options': <{'size': <@t 9999999>}>}", NULL, TFD_ERROR_INVALID_SERVER_RESPONSE },
    { "/good", "{'options': <{'digest': <'md5:00'>}>}", NULL, TFD_ERROR_DIGEST_MISMATCH },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_test_message ("case %u", i);
      start (fixture, i, file (fixture, i, cases[i].path, cases[i].extra), cases[i].options);
      wait_until (fixture, fixture->failure != NULL || n_done (fixture) > 0);
      assert_failure (fixture, cases[i].code);
      forget_failure (fixture);
    }

  /* Bytes with a wrong digest are no start for the next try. */
  assert_content (fixture, G_N_ELEMENTS (cases) - 1, 0, 0);
}

static void
test_replaced (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
  g_autofree char *name = tfd_part_name (JOB, 0, 0);
  g_autofree char *path = g_build_filename (fixture->path, name, NULL);
  g_autoptr (GVariant) more = NULL;
  GVariant *one;

  g_assert_cmpint (mkfifo (path, 0600), ==, 0);
  start (fixture, 1, file (fixture, 0, "/good", NULL), NULL);
  wait_until (fixture, fixture->events->len > 0);
  g_assert_cmpstr (fixture->events->str, ==, "part-replaced ");
  g_assert_null (fixture->failure);

  /* The run waits for the file to be handed in again. */
  one = file (fixture, 0, "/good", "{'attempt': <@u 1>}");
  more = g_variant_ref_sink (g_variant_new_array (NULL, &one, 1));
  g_assert_true (tfd_runs_add_files (fixture->runs, 1, more, NULL));
  wait_until (fixture, n_done (fixture) == 1);
  assert_content (fixture, 0, 1, SIZE);
  g_assert_true (g_file_test (path, G_FILE_TEST_EXISTS));
  stop (fixture, 1);
}

/* The background leaves one to the foreground. */
static void
test_connections (Fixture *fixture, gconstpointer data)
{
  gboolean foreground = GPOINTER_TO_INT (data);
  guint most = foreground ? 6 : 5;
  g_autoptr (GVariant) files = NULL;
  g_autoptr (GVariant) options =
      g_variant_ref_sink (g_variant_new_parsed ("{'foreground': <%b>}", foreground));
  GVariantBuilder builder = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE ("a(ua{sv})"));

  for (guint i = 0; i < 20; i++)
    g_variant_builder_add_value (&builder, file (fixture, i, "/wait", NULL));
  files = g_variant_ref_sink (g_variant_builder_end (&builder));
  g_assert_true (tfd_runs_start (fixture->runs, 1, JOB, options, files, NULL));
  wait_until (fixture, fixture->serving_peak == most);
  release (fixture);
  wait_until (fixture, n_done (fixture) == 20);
  g_assert_cmpuint (fixture->serving_peak, ==, most);
  for (guint i = 0; i < 20; i++)
    assert_content (fixture, i, 0, SIZE);
  stop (fixture, 1);
}

/* Never two writers. */
static void
test_one_run_for_a_job (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
  g_autoptr (GVariant) options = g_variant_ref_sink (g_variant_new ("a{sv}", NULL));
  g_autoptr (GVariant) files = NULL;
  g_autoptr (GError) error = NULL;
  GVariant *twice[2];

  start (fixture, 1, file (fixture, 0, "/wait", NULL), NULL);
  twice[0] = file (fixture, 0, "/good", NULL);
  twice[1] = file (fixture, 0, "/good", NULL);
  files = g_variant_ref_sink (g_variant_new_array (NULL, twice, 2));
  g_assert_false (tfd_runs_start (fixture->runs, 2, JOB, options, files, &error));
  g_assert_error (error, TFD_ERROR, TFD_ERROR_INVALID_STATE);
  g_assert_true (tfd_runs_add_files (fixture->runs, 1, files, NULL));
  wait_until (fixture, fixture->requests == 1);
  release (fixture);
  wait_until (fixture, n_done (fixture) == 1);
  g_assert_cmpuint (fixture->requests, ==, 1);
  stop (fixture, 1);
  stop (fixture, 99);
  g_assert_cmpuint (g_variant_n_children (fixture->stopped), ==, 0);
}

static void
test_file_url (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
  g_autofree char *path = g_build_filename (fixture->path, "source", NULL);
  g_autofree char *url = g_filename_to_uri (path, NULL, NULL);
  g_autofree char *directory_url = g_filename_to_uri (fixture->path, NULL, NULL);

  g_assert_true (g_file_set_contents (path, (const char *) fixture->content, SIZE, NULL));
  start (fixture, 1, file (fixture, 0, url, NULL), NULL);
  wait_until (fixture, n_done (fixture) == 1 || fixture->failure != NULL);
  g_assert_null (fixture->failure);
  assert_content (fixture, 0, 0, SIZE);
  stop (fixture, 1);

  start (fixture, 2, file (fixture, 1, directory_url, NULL), NULL);
  wait_until (fixture, fixture->failure != NULL);
  assert_failure (fixture, TFD_ERROR_FILE_ACCESS_DENIED);
  forget_failure (fixture);

  g_remove (path);
  start (fixture, 3, file (fixture, 2, url, NULL), NULL);
  wait_until (fixture, fixture->failure != NULL);
  assert_failure (fixture, TFD_ERROR_FILE_MISSING);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  tfd_session_prepare_process ();

#define ADD(name, function, data) g_test_add (name, Fixture, data, set_up, function, tear_down)
  ADD ("/worker/runs/whole/length", test_whole, "/good");
  ADD ("/worker/runs/whole/chunked", test_whole, "/chunked");
  ADD ("/worker/runs/whole/close", test_whole, "/close");
  ADD ("/worker/runs/empty", test_empty, NULL);
  ADD ("/worker/runs/resume/cut", test_resume, "/cut");
  ADD ("/worker/runs/resume/cut-between-chunks", test_resume, "/chunked-cut");
  ADD ("/worker/runs/resume/another-boot", test_another_boot, NULL);
  ADD ("/worker/runs/changed/whole", test_changed, "/changed");
  ADD ("/worker/runs/changed/splice", test_changed, "/splice");
  ADD ("/worker/runs/stop/half-way", test_stop, NULL);
  ADD ("/worker/runs/stop/before-the-answer", test_stop_before_the_answer, NULL);
  ADD ("/worker/runs/status", test_status, NULL);
  ADD ("/worker/runs/failure-stops-all", test_failure_stops_all, NULL);
  ADD ("/worker/runs/redirect", test_redirect, NULL);
  ADD ("/worker/runs/limits", test_limits, NULL);
  ADD ("/worker/runs/replaced", test_replaced, NULL);
  ADD ("/worker/runs/connections/foreground", test_connections, GINT_TO_POINTER (TRUE));
  ADD ("/worker/runs/connections/background", test_connections, GINT_TO_POINTER (FALSE));
  ADD ("/worker/runs/one-for-a-job", test_one_run_for_a_job, NULL);
  ADD ("/worker/runs/file-url", test_file_url, NULL);

  return g_test_run ();
}
