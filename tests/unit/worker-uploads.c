/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Uploads of the worker against a server in a thread that takes and answers as it is told. */
#include "config.h"

#include "common/names.h"
#include "tests/lib/packed-rows.h"
#include "worker/failure.h"
#include "worker/runs.h"
#include "worker/session.h"
#include "worker/upload-source.h"

#include <fcntl.h>
#include <gio/gio.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define JOB "0123456789abcdef0123456789abcdef"
#define SIZE (3 * 1024 * 1024 + 17)
#define CUT (1024 * 1024)
#define REPLY "the reply"
#define DEADLINE_SECONDS 30

typedef struct
{
  /* the server */
  GSocketService *service;
  guint16 port;
  GMutex mutex;
  GCond released;
  gboolean release;     /* ends all standing still */
  guint serving;        /* requests */
  GString *log;         /* methods and paths, with what else matters */
  GByteArray *received; /* the body of the last request */
  guint64 bytes;        /* of all bodies */
  char *fields;         /* of the last request with a body */
  /* the worker */
  guint8 *content;
  char *path;
  char *source;
  TfdRuns *runs;
  gboolean late;
  gboolean idle;
  GHashTable *parts; /* index to record */
  gboolean hold;     /* commits */
  guint64 committing;
  GString *done;    /* indices and sizes, in order */
  guint64 progress; /* of the source */
  GVariant *failure;
  guint32 failed_file;
  GString *events;
  GVariant *stopped;
  GVariant *ended;
} Fixture;

/* --- the server --- */

typedef struct
{
  Fixture *fixture;
  GDataInputStream *in;
  GOutputStream *out;
  GSocket *socket;
  char *method;
  char *path;
  guint64 length;
  gboolean expects;
} Request;

static gboolean
say (Request *request, const char *text)
{
  return g_output_stream_write_all (request->out, text, strlen (text), NULL, NULL, NULL);
}

static void
stand_still (Fixture *fixture)
{
  g_mutex_lock (&fixture->mutex);
  while (!fixture->release)
    g_cond_wait (&fixture->released, &fixture->mutex);
  g_mutex_unlock (&fixture->mutex);
}

/* Takes at most @most bytes of the body; FALSE when there were fewer. */
static gboolean
take_body (Request *request, guint64 most)
{
  Fixture *fixture = request->fixture;
  g_autofree guint8 *buffer = g_malloc (65536);
  guint64 left = MIN (most, request->length);

  if (request->expects && request->length > 0)
    say (request, "HTTP/1.1 100 Continue\r\n\r\n");
  while (left > 0)
    {
      gssize n =
          g_input_stream_read (G_INPUT_STREAM (request->in), buffer, MIN (left, 65536), NULL, NULL);

      if (n <= 0)
        return FALSE;
      left -= (guint64) n;
      g_mutex_lock (&fixture->mutex);
      fixture->bytes += (guint64) n;
      g_byte_array_append (fixture->received, buffer, (guint) n);
      g_mutex_unlock (&fixture->mutex);
    }

  return TRUE;
}

static gboolean
no_content (Request *request, const char *status, const char *fields)
{
  g_autofree char *text =
      g_strdup_printf ("HTTP/1.1 %s\r\n%sContent-Length: 0\r\n\r\n", status, fields);

  return say (request, text);
}

/* The connection ends with a reset: what was not read is lost. */
static gboolean
reset (Request *request)
{
  struct linger linger = { .l_onoff = 1, .l_linger = 0 };

  setsockopt (g_socket_get_fd (request->socket), SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
  return FALSE;
}

static gboolean
answer_digest (Request *request, gboolean right)
{
  Fixture *fixture = request->fixture;
  g_autoptr (GChecksum) checksum = g_checksum_new (G_CHECKSUM_SHA256);
  g_autofree char *digest = NULL;
  g_autofree char *field = NULL;

  take_body (request, G_MAXUINT64);
  g_checksum_update (checksum, fixture->received->data, fixture->received->len - (right ? 0 : 1));
  digest = tfd_checksum_to_base64 (checksum, G_CHECKSUM_SHA256);
  field = g_strdup_printf ("Repr-Digest: sha-512=:AAAA:, sha-256=:%s:\r\n", digest);

  return no_content (request, "201 Created", field);
}

/* As much of tus as one upload in one piece needs. */
static gboolean
answer_tus (Request *request)
{
  g_autofree char *fields = NULL;

  if (g_str_equal (request->method, "POST"))
    return no_content (request, "201 Created", "Tus-Resumable: 1.0.0\r\nLocation: /tus/1\r\n");
  if (g_str_equal (request->method, "OPTIONS"))
    return no_content (request, "204 No Content",
                       "Tus-Resumable: 1.0.0\r\nTus-Version: 1.0.0\r\nTus-Extension: creation\r\n");
  if (!take_body (request, G_MAXUINT64))
    return FALSE;
  fields = g_strdup_printf ("Tus-Resumable: 1.0.0\r\nUpload-Offset: %" G_GUINT64_FORMAT "\r\n",
                            request->length);
  return no_content (request, "204 No Content", fields);
}

/* Answers; FALSE: the connection is closed. */
static gboolean
answer (Request *request, guint number)
{
  const char *path = request->path;
  gboolean first = number == 0;

  if (g_str_has_prefix (path, "/tus"))
    return answer_tus (request);
  if (g_str_has_prefix (path, "/ok"))
    return take_body (request, G_MAXUINT64) && no_content (request, "201 Created", "");
  if (g_str_equal (path, "/auth"))
    return no_content (request, "401 Unauthorized", "WWW-Authenticate: Basic realm=\"x\"\r\n") &&
           FALSE;
  if (g_str_equal (path, "/large"))
    {
      /* Reads a little, says what it has to say, and closes with most of the body unread. */
      request->expects = FALSE;
      take_body (request, 1000);
      return no_content (request, "413 Content Too Large", "") && reset (request);
    }
  if (g_str_equal (path, "/large-still"))
    {
      take_body (request, 1000);
      no_content (request, "413 Content Too Large", "");
      stand_still (request->fixture);
      return FALSE;
    }
  if (g_str_equal (path, "/reset"))
    {
      if (!first)
        return take_body (request, G_MAXUINT64) && no_content (request, "201 Created", "");
      take_body (request, CUT);
      return reset (request);
    }
  if (g_str_equal (path, "/stall"))
    {
      take_body (request, first ? CUT : G_MAXUINT64);
      if (first)
        stand_still (request->fixture);
      return !first && no_content (request, "201 Created", "");
    }
  if (g_str_equal (path, "/mute"))
    {
      request->expects = FALSE;
      return take_body (request, G_MAXUINT64) && no_content (request, "201 Created", "");
    }
  if (g_str_equal (path, "/417"))
    return request->expects
               ? no_content (request, "417 Expectation Failed", "") && FALSE
               : take_body (request, G_MAXUINT64) && no_content (request, "201 Created", "");
  if (g_str_equal (path, "/500") || g_str_equal (path, "/503"))
    return take_body (request, G_MAXUINT64) &&
           no_content (request, path[3] == '0' ? "500 Oops" : "503 Busy", "Retry-After: 7\r\n");
  if (g_str_equal (path, "/silent"))
    return take_body (request, G_MAXUINT64) && FALSE;
  if (g_str_equal (path, "/moved"))
    return no_content (request, "307 Temporary Redirect", "Location: /ok\r\n");
  if (g_str_equal (path, "/loop"))
    return no_content (request, "308 Permanent Redirect", "Location: /loop\r\n");
  if (g_str_equal (path, "/found"))
    return no_content (request, "302 Found", "Location: /ok\r\n");
  if (g_str_equal (path, "/see"))
    return take_body (request, G_MAXUINT64) &&
           no_content (request, "303 See Other", "Location: /reply-url\r\n");
  if (g_str_equal (path, "/reply-url"))
    return say (request, "HTTP/1.1 200 OK\r\nETag: \"1\"\r\nContent-Length: 9\r\n\r\n" REPLY);
  if (g_str_equal (path, "/reply"))
    return take_body (request, G_MAXUINT64) &&
           say (request, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n" REPLY);
  if (g_str_equal (path, "/reply-cut"))
    return take_body (request, G_MAXUINT64) &&
           say (request, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nthe") && FALSE;
  if (g_str_equal (path, "/digest"))
    return answer_digest (request, TRUE);
  if (g_str_equal (path, "/digest-wrong"))
    return answer_digest (request, FALSE);
  if (g_str_equal (path, "/shrink"))
    {
      take_body (request, CUT);
      g_assert_no_errno (truncate (request->fixture->source, CUT + 5));
      /* All of it may have been on its way by then. */
      request->expects = FALSE;
      take_body (request, request->length - CUT);
      return no_content (request, "201 Created", "");
    }
  if (g_str_equal (path, "/touch"))
    {
      take_body (request, G_MAXUINT64);
      g_assert_true (g_file_set_contents (request->fixture->source, "x", 1, NULL));
      return no_content (request, "201 Created", "");
    }

  return no_content (request, "404 Not Found", "");
}

static gboolean
read_request (Request *request)
{
  g_autofree char *line = g_data_input_stream_read_line (request->in, NULL, NULL, NULL);
  g_auto (GStrv) words = line != NULL ? g_strsplit (line, " ", 3) : NULL;
  g_autoptr (GString) fields = g_string_new (NULL);

  if (words == NULL || g_strv_length (words) != 3)
    return FALSE;
  request->method = g_strdup (words[0]);
  request->path = g_strdup (words[1]);
  request->length = 0;
  request->expects = FALSE;
  for (;;)
    {
      g_autofree char *field = g_data_input_stream_read_line (request->in, NULL, NULL, NULL);

      if (field == NULL || field[0] == '\0')
        break;
      g_string_append_printf (fields, "%s\n", field);
      if (g_ascii_strncasecmp (field, "Content-Length: ", 16) == 0)
        request->length = g_ascii_strtoull (field + 16, NULL, 10);
      if (g_ascii_strcasecmp (field, "Expect: 100-continue") == 0)
        request->expects = TRUE;
    }

  g_mutex_lock (&request->fixture->mutex);
  g_string_append_printf (request->fixture->log, "%s %s%s\n", request->method, request->path,
                          request->expects ? " ?" : "");
  g_byte_array_set_size (request->fixture->received, 0);
  g_free (request->fixture->fields);
  request->fixture->fields = g_string_free (g_steal_pointer (&fields), FALSE);
  g_mutex_unlock (&request->fixture->mutex);

  return TRUE;
}

/* How often the path was asked for before. */
static guint
count_requests (Fixture *fixture, const char *path)
{
  g_auto (GStrv) lines = g_strsplit (fixture->log->str, "\n", -1);
  guint count = 0;

  for (char **line = lines; *line != NULL; line++)
    {
      g_auto (GStrv) words = g_strsplit (*line, " ", -1);

      count += words[0] != NULL && words[1] != NULL && g_str_equal (words[1], path);
    }

  return count;
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
  Request request = {
    .fixture = fixture,
    .in = in,
    .out = g_io_stream_get_output_stream (G_IO_STREAM (connection)),
    .socket = g_socket_connection_get_socket (connection),
  };
  gboolean open = TRUE;

  g_data_input_stream_set_newline_type (in, G_DATA_STREAM_NEWLINE_TYPE_CR_LF);
  while (open && read_request (&request))
    {
      guint number;

      g_mutex_lock (&fixture->mutex);
      number = count_requests (fixture, request.path) - 1;
      fixture->serving++;
      g_mutex_unlock (&fixture->mutex);
      open = answer (&request, number);
      g_mutex_lock (&fixture->mutex);
      fixture->serving--;
      g_mutex_unlock (&fixture->mutex);
      g_clear_pointer (&request.method, g_free);
      g_clear_pointer (&request.path, g_free);
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
connected_cb (G_GNUC_UNUSED guint64 run, G_GNUC_UNUSED gpointer user_data)
{
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
    if (index == 0)
      fixture->progress = present;
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
commit_cb (guint64 run, guint32 file, GVariant *part, gpointer user_data)
{
  Fixture *fixture = user_data;

  g_hash_table_insert (fixture->parts, GUINT_TO_POINTER (file), g_variant_ref_sink (part));
  fixture->committing = run;
  if (!fixture->hold)
    tfd_runs_committed (fixture->runs, run, file);
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
      g_string_append_printf (fixture->done, "%u:%" G_GUINT64_FORMAT " ", index, size);
      g_hash_table_insert (fixture->parts, GUINT_TO_POINTER (index), record);
    }
  g_string_append_c (fixture->done, '/');
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
  .commit = commit_cb,
  .files_done = files_done_cb,
  .failed = failed_cb,
  .event = event_cb,
  .idle = idle_cb,
};

/* --- the fixture --- */

static void
write_source (Fixture *fixture, gsize size)
{
  g_assert_true (
      g_file_set_contents (fixture->source, (const char *) fixture->content, (gssize) size, NULL));
}

static void
set_up (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
  g_autoptr (GInetAddress) loopback = g_inet_address_new_loopback (G_SOCKET_FAMILY_IPV4);
  g_autoptr (GSocketAddress) address = g_inet_socket_address_new (loopback, 0);
  g_autoptr (GSocketAddress) bound = NULL;

  g_mutex_init (&fixture->mutex);
  g_cond_init (&fixture->released);
  fixture->log = g_string_new (NULL);
  fixture->received = g_byte_array_new ();
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

  fixture->path = g_dir_make_tmp ("worker-uploads-XXXXXX", NULL);
  fixture->source = g_build_filename (fixture->path, "source", NULL);
  write_source (fixture, SIZE);
  fixture->parts =
      g_hash_table_new_full (g_direct_hash, g_direct_equal, NULL, (GDestroyNotify) g_variant_unref);
  fixture->done = g_string_new (NULL);
  fixture->events = g_string_new (NULL);
  fixture->runs = tfd_runs_new (&news, fixture);
}

static void
wait_for_server (Fixture *fixture)
{
  guint serving;

  do
    {
      g_mutex_lock (&fixture->mutex);
      serving = fixture->serving;
      g_mutex_unlock (&fixture->mutex);
      g_thread_yield ();
    }
  while (serving > 0);
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
  wait_for_server (fixture);

  while ((name = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *path = g_build_filename (fixture->path, name, NULL);

      g_remove (path);
    }
  g_rmdir (fixture->path);
  g_free (fixture->path);
  g_free (fixture->source);
  g_free (fixture->fields);
  g_hash_table_unref (fixture->parts);
  g_string_free (fixture->done, TRUE);
  g_clear_pointer (&fixture->failure, g_variant_unref);
  g_clear_pointer (&fixture->stopped, g_variant_unref);
  g_clear_pointer (&fixture->ended, g_variant_unref);
  g_string_free (fixture->events, TRUE);
  g_string_free (fixture->log, TRUE);
  g_byte_array_unref (fixture->received);
  g_free (fixture->content);
}

static GVariant *
identity (Fixture *fixture)
{
  g_autoptr (GVariant) probe = g_variant_ref_sink (tfd_upload_file_probe (fixture->source));

  return g_variant_get_child_value (probe, 0);
}

static void
add_part (Fixture *fixture, GVariantDict *dict, guint32 index)
{
  GVariant *part = g_hash_table_lookup (fixture->parts, GUINT_TO_POINTER (index));

  if (part != NULL)
    g_variant_dict_insert_value (dict, "part", part);
}

static GVariant *
file (Fixture *fixture, const char *url, gboolean reply, GVariant *source)
{
  g_autofree char *full = g_strdup_printf ("http://127.0.0.1:%u%s", fixture->port, url);
  GVariantDict dict;

  g_variant_dict_init (&dict, NULL);
  g_variant_dict_insert (&dict, "url", "s", full);
  g_variant_dict_insert_value (&dict, "path", tfd_path_to_variant (fixture->source));
  if (source != NULL)
    g_variant_dict_insert_value (&dict, "directory", source);
  add_part (fixture, &dict, 0);
  if (reply)
    {
      g_autofree char *path = g_strconcat (fixture->source, ".reply", NULL);
      GVariantDict inner;

      g_variant_dict_init (&inner, NULL);
      g_variant_dict_insert_value (&inner, "path", tfd_path_to_variant (path));
      add_part (fixture, &inner, 1);
      g_variant_dict_insert_value (&dict, "reply", g_variant_dict_end (&inner));
    }

  return g_variant_new ("(u@a{sv})", 0, g_variant_dict_end (&dict));
}

static void
start_file (Fixture *fixture, guint64 run, GVariant *one, const char *protocol, gboolean reply)
{
  g_autoptr (GVariant) files = g_variant_ref_sink (g_variant_new_array (NULL, &one, 1));
  g_autoptr (GVariant) options =
      g_variant_ref_sink (g_variant_new_parsed ("@a{sv} {'type': <%s>, 'upload-protocol': <%s>}",
                                                reply ? "upload-reply" : "upload", protocol));
  g_autoptr (GError) error = NULL;

  fixture->idle = FALSE;
  g_clear_pointer (&fixture->failure, g_variant_unref);
  tfd_runs_start (fixture->runs, run, JOB, options, files, &error);
  g_assert_no_error (error);
}

static void
start (Fixture *fixture, guint64 run, const char *url, const char *protocol, gboolean reply)
{
  start_file (fixture, run, file (fixture, url, reply, NULL), protocol, reply);
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

/* Starts it, waits until it is done or has failed, and ends the run. */
static void
upload (Fixture *fixture, guint64 run, const char *url, const char *protocol, gboolean reply)
{
  start (fixture, run, url, protocol, reply);
  wait_until (fixture, fixture->done->len > 0 || fixture->failure != NULL);
  stop (fixture, run);
}

/* As if it was another job. */
static void
start_over (Fixture *fixture)
{
  g_string_truncate (fixture->done, 0);
  g_hash_table_remove_all (fixture->parts);
}

static void
assert_done (Fixture *fixture, const char *expected)
{
  if (fixture->failure != NULL)
    {
      g_autofree char *text = g_variant_print (fixture->failure, FALSE);
      g_test_message ("%s", text);
    }
  g_assert_null (fixture->failure);
  g_assert_cmpstr (fixture->done->str, ==, expected);
}

static void
assert_sent (Fixture *fixture)
{
  wait_for_server (fixture);
  g_assert_cmpmem (fixture->received->data, fixture->received->len, fixture->content, SIZE);
}

static void
assert_failure (Fixture *fixture, TfdErrorCode code, gboolean transient)
{
  const char *name;
  gboolean is_transient;

  g_assert_cmpstr (fixture->done->str, ==, "");
  g_assert_nonnull (fixture->failure);
  g_assert_true (g_variant_lookup (fixture->failure, "name", "&s", &name));
  g_assert_cmpstr (name, ==, tfd_error_code_to_name (code));
  g_assert_true (g_variant_lookup (fixture->failure, "transient", "b", &is_transient));
  g_assert_cmpint (is_transient, ==, transient);
}

static guint32
http_status (Fixture *fixture)
{
  guint32 status = 0;

  g_variant_lookup (fixture->failure, "http-status", "u", &status);
  return status;
}

static gboolean
recorded (Fixture *fixture, const char *key)
{
  GVariant *record = g_hash_table_lookup (fixture->parts, GUINT_TO_POINTER (0));
  g_autoptr (GVariant) value = record != NULL ? g_variant_lookup_value (record, key, NULL) : NULL;

  return value != NULL;
}

static void
assert_reply (Fixture *fixture, const char *expected)
{
  g_autofree char *name = tfd_part_name (JOB, 1, 0);
  g_autofree char *path = g_build_filename (fixture->path, name, NULL);
  g_autofree char *content = NULL;

  g_assert_true (g_file_get_contents (path, &content, NULL, NULL));
  g_assert_cmpstr (content, ==, expected);
}

/* --- tests --- */

static void
test_whole (Fixture *fixture, gconstpointer data)
{
  const char *protocol = data;
  gboolean post = g_str_equal (protocol, "post");

  upload (fixture, 1, "/ok", protocol, FALSE);
  assert_done (fixture, "0:3145745 /");
  assert_sent (fixture);
  g_assert_cmpstr (fixture->log->str, ==, post ? "POST /ok ?\n" : "PUT /ok ?\n");
  g_assert_cmpuint (fixture->bytes, ==, SIZE);
  g_assert_nonnull (strstr (fixture->fields, "\nContent-Length: 3145745\n"));
  g_assert_nonnull (strstr (fixture->fields, "Repr-Digest: sha-256=:"));
  g_assert_cmpint (strstr (fixture->fields, "Idempotency-Key: \"" JOB "-0\"") != NULL, ==, post);
  g_assert_false (recorded (fixture, "session"));
}

static void
test_auto (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
  upload (fixture, 1, "/ok", "auto", FALSE);
  assert_done (fixture, "0:3145745 /");
  assert_sent (fixture);
  g_assert_cmpstr (fixture->log->str, ==, "OPTIONS /ok\nPUT /ok ?\n");
  g_assert_cmpstr (fixture->events->str, ==, "protocol ");

  /* The same server is not asked again. */
  g_string_truncate (fixture->log, 0);
  start_over (fixture);
  upload (fixture, 2, "/ok2", "auto", FALSE);
  assert_done (fixture, "0:3145745 /");
  g_assert_cmpstr (fixture->log->str, ==, "PUT /ok2 ?\n");
  g_assert_cmpstr (fixture->events->str, ==, "protocol protocol ");
}

static void
test_empty (Fixture *fixture, gconstpointer data)
{
  write_source (fixture, 0);
  upload (fixture, 1, "/ok", data, FALSE);
  assert_done (fixture, "0:0 /");
  g_assert_nonnull (strstr (fixture->fields, "\nContent-Length: 0\n"));
  g_assert_null (strchr (fixture->log->str, '?'));
}

static void
test_refused_before_body (Fixture *fixture, gconstpointer data)
{
  upload (fixture, 1, "/auth", data, FALSE);
  assert_failure (fixture, TFD_ERROR_AUTHENTICATION_REQUIRED, FALSE);
  wait_for_server (fixture);
  g_assert_cmpuint (fixture->bytes, ==, 0);
}

/* The server has answered and does not read on, or has gone. */
static void
test_early_answer (Fixture *fixture, gconstpointer data)
{
  upload (fixture, 1, data, "put", FALSE);
  assert_failure (fixture, TFD_ERROR_TOO_LARGE, FALSE);
  g_assert_cmpuint (http_status (fixture), ==, 413);
}

static void
test_reset_put (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
  upload (fixture, 1, "/reset", "put", FALSE);
  assert_failure (fixture, TFD_ERROR_CONNECTION_LOST, TRUE);
  g_assert_cmpuint (fixture->progress, ==, 0);
  g_assert_false (recorded (fixture, "validator"));
  upload (fixture, 2, "/reset", "put", FALSE);
  assert_done (fixture, "0:3145745 /");
  assert_sent (fixture);
}

/* Not repeated unasked; whoever resumes has been told. */
static void
test_reset_post (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
  upload (fixture, 1, "/reset", "post", FALSE);
  assert_failure (fixture, TFD_ERROR_CONNECTION_LOST, FALSE);
  g_assert_cmpuint (count_requests (fixture, "/reset"), ==, 1);
  upload (fixture, 2, "/reset", "post", FALSE);
  assert_done (fixture, "0:3145745 /");
  assert_sent (fixture);
}

/* As if the worker had been killed: the record knows that bytes were sent. */
static void
test_interrupted_post (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
  start (fixture, 1, "/stall", "post", FALSE);
  wait_until (fixture, fixture->progress >= CUT);
  stop (fixture, 1);
  g_assert_true (recorded (fixture, "begun"));
  release (fixture);
  upload (fixture, 2, "/stall", "post", FALSE);
  assert_failure (fixture, TFD_ERROR_CONNECTION_LOST, FALSE);
  g_assert_cmpuint (count_requests (fixture, "/stall"), ==, 1);
  upload (fixture, 3, "/stall", "post", FALSE);
  assert_done (fixture, "0:3145745 /");
}

/* Not a byte goes out before it is on the disk that one will. */
static void
test_committed (Fixture *fixture, gconstpointer data)
{
  gsize size = GPOINTER_TO_SIZE (data);

  write_source (fixture, size);
  fixture->hold = TRUE;
  start (fixture, 1, "/ok", "post", FALSE);
  wait_until (fixture, fixture->committing != 0);
  g_assert_true (recorded (fixture, "begun"));
  g_assert_cmpuint (fixture->bytes, ==, 0);
  if (size == 0)
    g_assert_cmpuint (count_requests (fixture, "/ok"), ==, 0);
  tfd_runs_committed (fixture->runs, 7, 0);
  tfd_runs_committed (fixture->runs, 1, 7);
  g_assert_cmpstr (fixture->done->str, ==, "");
  tfd_runs_committed (fixture->runs, 1, 0);
  wait_until (fixture, fixture->done->len > 0);
  stop (fixture, 1);
  g_assert_cmpuint (fixture->bytes, ==, size);
}

/* Bytes go to a session only when it is on the disk which one that is: who forgets it begins anew,
 * and the server may refuse what it has already. */
static void
test_session_committed (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
  write_source (fixture, 1000);
  fixture->hold = TRUE;
  start (fixture, 1, "/tus", "tus", FALSE);
  wait_until (fixture, fixture->committing != 0);
  g_assert_true (recorded (fixture, "session"));
  g_assert_false (recorded (fixture, "begun"));
  g_assert_cmpuint (count_requests (fixture, "/tus/1"), ==, 0);
  tfd_runs_committed (fixture->runs, 1, 0);
  wait_until (fixture, fixture->done->len > 0);
  stop (fixture, 1);
  g_assert_cmpuint (count_requests (fixture, "/tus/1"), ==, 1);
  g_assert_cmpuint (fixture->bytes, ==, 1000);
}

/* The worker is told to stop while it waits. */
static void
test_stopped_before_commit (Fixture *fixture, gconstpointer data)
{
  gsize size = GPOINTER_TO_SIZE (data);

  write_source (fixture, size);
  fixture->hold = TRUE;
  start (fixture, 1, "/ok", "post", FALSE);
  wait_until (fixture, fixture->committing != 0);
  stop (fixture, 1);
  g_assert_cmpuint (fixture->bytes, ==, 0);
  g_assert_false (recorded (fixture, "begun"));
  fixture->hold = FALSE;
  upload (fixture, 2, "/ok", "post", FALSE);
  g_assert_cmpuint (fixture->bytes, ==, size);
  g_assert_nonnull (strstr (fixture->done->str, "0:"));
}

/* Nobody was there to take anything: it is tried again. */
static void
test_nobody_listens (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GInetAddress) here = g_inet_address_new_loopback (G_SOCKET_FAMILY_IPV4);
  g_autoptr (GSocketAddress) any = g_inet_socket_address_new (here, 0);
  g_autoptr (GSocketAddress) address = NULL;
  g_autoptr (GSocket) deaf = g_socket_new (G_SOCKET_FAMILY_IPV4, G_SOCKET_TYPE_STREAM, 0, NULL);

  g_assert_true (g_socket_bind (deaf, any, FALSE, NULL));
  address = g_socket_get_local_address (deaf, NULL);
  fixture->port = g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (address));
  write_source (fixture, GPOINTER_TO_SIZE (data));
  upload (fixture, 1, "/ok", "post", FALSE);
  assert_failure (fixture, TFD_ERROR_CONNECTION_FAILED, TRUE);
  g_assert_false (recorded (fixture, "begun"));
}

static void
test_interrupted_put (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
  start (fixture, 1, "/stall", "put", FALSE);
  wait_until (fixture, fixture->progress >= CUT);
  stop (fixture, 1);
  release (fixture);
  upload (fixture, 2, "/stall", "put", FALSE);
  assert_done (fixture, "0:3145745 /");
  assert_sent (fixture);
}

static void
test_no_continue (Fixture *fixture, gconstpointer data)
{
  upload (fixture, 1, "/mute", data, FALSE);
  assert_done (fixture, "0:3145745 /");
  assert_sent (fixture);
  start_over (fixture);
  upload (fixture, 2, "/417", data, FALSE);
  assert_done (fixture, "0:3145745 /");
  assert_sent (fixture);
  g_assert_nonnull (strstr (fixture->log->str, "/417 ?\n"));
  g_assert_nonnull (strstr (fixture->log->str, "/417\n"));
}

static void
test_server_error (Fixture *fixture, gconstpointer data)
{
  gboolean post = g_str_equal (data, "post");

  upload (fixture, 1, "/500", data, FALSE);
  assert_failure (fixture, TFD_ERROR_HTTP_STATUS, !post);
  upload (fixture, 2, "/503", data, FALSE);
  assert_failure (fixture, TFD_ERROR_HTTP_STATUS, TRUE);
  upload (fixture, 3, "/silent", data, FALSE);
  assert_failure (fixture, TFD_ERROR_CONNECTION_LOST, !post);
  upload (fixture, 4, "/none", data, FALSE);
  assert_failure (fixture, TFD_ERROR_HTTP_STATUS, FALSE);
}

static void
test_redirect (Fixture *fixture, gconstpointer data)
{
  upload (fixture, 1, "/moved", data, FALSE);
  assert_done (fixture, "0:3145745 /");
  assert_sent (fixture);
  g_assert_cmpuint (fixture->bytes, ==, SIZE);
  g_assert_cmpstr (fixture->events->str, ==, "redirected ");
  start_over (fixture);
  upload (fixture, 2, "/loop", data, FALSE);
  assert_failure (fixture, TFD_ERROR_TOO_MANY_REDIRECTS, FALSE);
  upload (fixture, 3, "/found", data, FALSE);
  assert_failure (fixture, TFD_ERROR_HTTP_STATUS, FALSE);
}

static void
test_digest (Fixture *fixture, gconstpointer data)
{
  upload (fixture, 1, "/digest", "put", FALSE);
  assert_done (fixture, "0:3145745 /");
  start_over (fixture);
  upload (fixture, 2, "/digest-wrong", "put", FALSE);
  assert_failure (fixture, TFD_ERROR_DIGEST_MISMATCH, FALSE);
  (void) data;
}

static void
test_changed (Fixture *fixture, gconstpointer data)
{
  upload (fixture, 1, data, "put", FALSE);
  assert_failure (fixture, TFD_ERROR_LOCAL_FILE_CHANGED, FALSE);
}

/* Between AddFile and the start; replaced by another file with the same content. */
static void
test_other_source (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
  g_autoptr (GVariant) before = identity (fixture);

  write_source (fixture, SIZE);
  start_file (fixture, 1, file (fixture, "/ok", FALSE, before), "put", FALSE);
  wait_until (fixture, fixture->failure != NULL);
  assert_failure (fixture, TFD_ERROR_LOCAL_FILE_CHANGED, FALSE);
  stop (fixture, 1);
  g_assert_cmpstr (fixture->log->str, ==, "");
}

static void
test_no_source (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
  unlink (fixture->source);
  upload (fixture, 1, "/ok", "put", FALSE);
  assert_failure (fixture, TFD_ERROR_FILE_MISSING, FALSE);
  g_assert_no_errno (mkfifo (fixture->source, 0600));
  upload (fixture, 2, "/ok", "put", FALSE);
  assert_failure (fixture, TFD_ERROR_FILE_ACCESS_DENIED, FALSE);
}

static void
test_probe (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
  const char *paths[] = { fixture->source, fixture->path, "/nowhere/at/all", "source" };

  for (guint i = 0; i < G_N_ELEMENTS (paths); i++)
    {
      g_autoptr (GVariant) probe = g_variant_ref_sink (tfd_upload_file_probe (paths[i]));
      g_autoptr (GVariant) found = NULL;
      const char *name, *message;
      guint64 size;

      g_variant_get (probe, "(@ayt&s&s)", &found, &size, &name, &message);
      g_assert_cmpint (name[0] == '\0', ==, i == 0);
      g_assert_cmpint (message[0] == '\0', ==, i == 0);
      g_assert_cmpint (g_variant_get_size (found) > 0, ==, i == 0);
      if (i == 0)
        g_assert_cmpuint (size, ==, SIZE);
    }
}

static void
test_reply_body (Fixture *fixture, gconstpointer data)
{
  upload (fixture, 1, "/reply", data, TRUE);
  assert_done (fixture, "1:9 0:3145745 /");
  assert_reply (fixture, REPLY);
  assert_sent (fixture);
}

static void
test_reply_empty (Fixture *fixture, gconstpointer data)
{
  upload (fixture, 1, "/ok", data, TRUE);
  assert_done (fixture, "1:0 0:3145745 /");
  assert_reply (fixture, "");
}

static void
test_reply_cut (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
  upload (fixture, 1, "/reply-cut", "put", TRUE);
  assert_failure (fixture, TFD_ERROR_CONNECTION_LOST, TRUE);
  g_assert_cmpuint (fixture->failed_file, ==, 1);
}

static void
test_reply_url (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
  upload (fixture, 1, "/see", "post", TRUE);
  assert_done (fixture, "1:9 0:3145745 /");
  assert_reply (fixture, REPLY);
  g_assert_cmpstr (fixture->log->str, ==, "POST /see ?\nGET /reply-url\n");
}

static void
ended_cb (GVariant *results, gpointer user_data)
{
  ((Fixture *) user_data)->ended = g_variant_ref_sink (results);
}

static void
end_session (Fixture *fixture, const char *url, const char *part)
{
  g_autofree char *full = g_strdup_printf ("http://127.0.0.1:%u%s", fixture->port, url);
  GVariant *one = g_variant_new_parsed (
      "(uint32 0, {'url': <%s>, 'path': <%@ay>, 'part': <%@a{sv}>, 'total': <uint64 10>})", full,
      tfd_path_to_variant ("/source"), g_variant_new_parsed (part));
  g_autoptr (GVariant) files = g_variant_ref_sink (g_variant_new_array (NULL, &one, 1));
  g_autoptr (GVariant) options = g_variant_ref_sink (g_variant_new ("a{sv}", NULL));
  g_autoptr (GError) error = NULL;

  g_clear_pointer (&fixture->ended, g_variant_unref);
  tfd_runs_end_sessions (fixture->runs, options, files, ended_cb, fixture, &error);
  g_assert_no_error (error);
  wait_until (fixture, fixture->ended != NULL);
}

static void
assert_ended (Fixture *fixture, const char *expected)
{
  const char *result;

  g_assert_cmpuint (g_variant_n_children (fixture->ended), ==, 1);
  g_variant_get_child (fixture->ended, 0, "(u&s&s)", NULL, &result, NULL);
  g_assert_cmpstr (result, ==, expected);
}

static void
test_end_sessions (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
  const char *part = "@a{sv} {'source': <b'x'>, 'protocol': <'bits'>, 'session': <'{1}'>}";

  end_session (fixture, "/ok", part);
  assert_ended (fixture, "ended");
  g_assert_cmpstr (fixture->log->str, ==, "BITS_POST /ok\n");
  g_assert_nonnull (strstr (fixture->fields, "BITS-Packet-Type: Cancel-Session"));
  end_session (fixture, "/503", part);
  assert_ended (fixture, "again");
  end_session (fixture, "/none", part);
  assert_ended (fixture, "ended");

  g_socket_service_stop (fixture->service);
  g_socket_listener_close (G_SOCKET_LISTENER (fixture->service));
  end_session (fixture, "/ok", part);
  assert_ended (fixture, "again");
  end_session (fixture, "/ok", "@a{sv} {'source': <b'x'>, 'protocol': <'put'>}");
  assert_ended (fixture, "ended");
}

#define add(path, data, function)                                                                  \
  g_test_add ("/worker/uploads/" path, Fixture, data, set_up, function, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  signal (SIGPIPE, SIG_IGN);
  umask (0);
  tfd_session_prepare_process ();

  add ("whole/put", "put", test_whole);
  add ("whole/post", "post", test_whole);
  add ("auto", NULL, test_auto);
  add ("empty/put", "put", test_empty);
  add ("empty/post", "post", test_empty);
  add ("refused-before-body/put", "put", test_refused_before_body);
  add ("refused-before-body/post", "post", test_refused_before_body);
  add ("early-answer/gone", "/large", test_early_answer);
  add ("early-answer/still", "/large-still", test_early_answer);
  add ("reset/put", NULL, test_reset_put);
  add ("reset/post", NULL, test_reset_post);
  add ("interrupted/put", NULL, test_interrupted_put);
  add ("interrupted/post", NULL, test_interrupted_post);
  add ("committed/large", GSIZE_TO_POINTER (SIZE), test_committed);
  add ("committed/small", GSIZE_TO_POINTER (1000), test_committed);
  add ("committed/empty", GSIZE_TO_POINTER (0), test_committed);
  add ("committed/session", NULL, test_session_committed);
  add ("stopped-before-commit/large", GSIZE_TO_POINTER (SIZE), test_stopped_before_commit);
  add ("stopped-before-commit/small", GSIZE_TO_POINTER (1000), test_stopped_before_commit);
  add ("stopped-before-commit/empty", GSIZE_TO_POINTER (0), test_stopped_before_commit);
  add ("nobody-listens/large", GSIZE_TO_POINTER (SIZE), test_nobody_listens);
  add ("nobody-listens/small", GSIZE_TO_POINTER (1000), test_nobody_listens);
  add ("nobody-listens/empty", GSIZE_TO_POINTER (0), test_nobody_listens);
  add ("no-continue/put", "put", test_no_continue);
  add ("server-error/put", "put", test_server_error);
  add ("server-error/post", "post", test_server_error);
  add ("redirect/put", "put", test_redirect);
  add ("redirect/post", "post", test_redirect);
  add ("digest", NULL, test_digest);
  add ("changed/shorter", "/shrink", test_changed);
  add ("changed/replaced", "/touch", test_changed);
  add ("changed/other", NULL, test_other_source);
  add ("no-source", NULL, test_no_source);
  add ("probe", NULL, test_probe);
  add ("reply/body", "put", test_reply_body);
  add ("reply/body-post", "post", test_reply_body);
  add ("reply/empty", "put", test_reply_empty);
  add ("reply/cut", NULL, test_reply_cut);
  add ("reply/url", NULL, test_reply_url);
  add ("end-sessions", NULL, test_end_sessions);

  return g_test_run ();
}
