/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Runs of the worker with a file that is large enough to be written past the page cache, by a
 * thread, while more of it comes in. */
#include "config.h"

#include "common/names.h"
#include "tests/lib/file-limit.h"
#include "tests/lib/packed-rows.h"
#include "worker/body.h"
#include "worker/buffer.h"
#include "worker/failure.h"
#include "worker/record.h"
#include "worker/runs.h"
#include "worker/session.h"

#include <gio/gio.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#define JOB "0123456789abcdef0123456789abcdef"
#define SIZE ((guint64) 10 * TFD_BUFFER_LARGE + 1234)

/* Where an answer ends, or stands still: no multiple of anything, neither within nor behind what
 * fits into the buffers. */
#define NEAR ((guint64) TFD_BUFFER_LARGE / 2 + 77)
#define FAR ((guint64) TFD_BUFFER_LARGE * 3 / 2 + 4095)

#define DEADLINE_SECONDS 120

typedef struct
{
  GSocketService *service;
  guint16 port;
  guint8 *content;
  GMutex mutex;
  GCond released;
  gboolean release;
  char *path;
  TfdRuns *runs;
  gboolean late;
  GVariant *record;  /* (owned) (nullable) of the file */
  GVariant *failure; /* (owned) (nullable) */
  GVariant *stopped; /* (owned) (nullable) */
  gboolean done;
  guint64 present;
} Fixture;

/* --- the server --- */

/* /cut/N sends up to byte N and closes the connection, /stall/N waits there until it is released,
 * both only if that is asked for from before N; /all sends all. */
static gboolean
answer (Fixture *fixture, GOutputStream *out, const char *path, guint64 first)
{
  guint64 at =
      strrchr (path, '/') != path ? g_ascii_strtoull (strrchr (path, '/') + 1, NULL, 10) : SIZE;
  gboolean stalls = g_str_has_prefix (path, "/stall");
  g_autofree char *range =
      first > 0 ? g_strdup_printf ("Content-Range: bytes %" G_GUINT64_FORMAT "-%" G_GUINT64_FORMAT
                                   "/%" G_GUINT64_FORMAT "\r\n",
                                   first, SIZE - 1, SIZE)
                : g_strdup ("");
  g_autofree char *head = g_strdup_printf (
      "HTTP/1.1 %s\r\n%sContent-Length: %" G_GUINT64_FORMAT "\r\nETag: \"1\"\r\n\r\n",
      first > 0 ? "206 Partial Content" : "200 OK", range, SIZE - first);

  if (at <= first)
    at = SIZE;
  if (!g_output_stream_write_all (out, head, strlen (head), NULL, NULL, NULL) ||
      !g_output_stream_write_all (out, fixture->content + first, at - first, NULL, NULL, NULL))
    return FALSE;
  if (stalls && at < SIZE)
    {
      g_mutex_lock (&fixture->mutex);
      while (!fixture->release)
        g_cond_wait (&fixture->released, &fixture->mutex);
      g_mutex_unlock (&fixture->mutex);
    }

  return at == SIZE;
}

static gboolean
run_cb (G_GNUC_UNUSED GThreadedSocketService *service,
        GSocketConnection *connection,
        G_GNUC_UNUSED GObject *source,
        gpointer user_data)
{
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
      open = answer (user_data, out, words[1], first);
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
  g_autoptr (GVariant) owner = g_variant_ref_sink (runs);
  Fixture *fixture = user_data;

  for (gsize i = 0; i < g_variant_n_children (owner); i++)
    {
      g_autoptr (GVariantIter) files = NULL;
      guint64 present;

      g_variant_get_child (owner, i, "(ta(utt))", NULL, &files);
      while (g_variant_iter_next (files, "(utt)", NULL, &present, NULL))
        fixture->present = present;
    }
}

static void
set_record (Fixture *fixture, GVariant *record)
{
  g_clear_pointer (&fixture->record, g_variant_unref);
  fixture->record = record;
}

static void
take_parts (Fixture *fixture, GVariant *parts)
{
  GVariant *record;

  for (gsize i = 0; i < g_variant_n_children (parts); i++)
    {
      g_variant_get_child (parts, i, "(u@a{sv})", NULL, &record);
      set_record (fixture, record);
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
  g_autoptr (GVariant) owner = g_variant_ref_sink (tfd_unpack_rows_done (files));
  Fixture *fixture = user_data;
  GVariant *record;

  g_variant_get_child (owner, 0, "(ut@a{sv})", NULL, &fixture->present, &record);
  set_record (fixture, record);
  fixture->done = TRUE;
}

static void
failed_cb (G_GNUC_UNUSED guint64 run,
           G_GNUC_UNUSED guint32 file,
           GVariant *error,
           gpointer user_data)
{
  ((Fixture *) user_data)->failure = g_variant_ref_sink (error);
}

static void
event_cb (G_GNUC_UNUSED guint64 run,
          G_GNUC_UNUSED guint32 file,
          const char *kind,
          G_GNUC_UNUSED GVariant *details,
          G_GNUC_UNUSED gpointer user_data)
{
  g_error ("unexpected event %s", kind);
}

static void
idle_cb (G_GNUC_UNUSED gpointer user_data)
{
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
  static guint8 *content; /* of all tests: threads of the server may read it after the end of one */

  g_mutex_init (&fixture->mutex);
  g_cond_init (&fixture->released);
  if (content == NULL)
    {
      content = g_malloc (SIZE);
      for (gsize i = 0; i < SIZE; i++)
        content[i] = (guint8) ((i * 31 + i / 4096 + i / 65536 * 7) & 0xff);
    }
  fixture->content = content;

  fixture->service = g_threaded_socket_service_new (100);
  g_assert_true (g_socket_listener_add_address (G_SOCKET_LISTENER (fixture->service), address,
                                                G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_TCP, NULL,
                                                &bound, NULL));
  fixture->port = g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (bound));
  g_signal_connect (fixture->service, "run", G_CALLBACK (run_cb), fixture);
  g_socket_service_start (fixture->service);

  fixture->path = g_dir_make_tmp ("worker-large-XXXXXX", NULL);
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
  g_clear_pointer (&fixture->record, g_variant_unref);
  g_clear_pointer (&fixture->failure, g_variant_unref);
  g_clear_pointer (&fixture->stopped, g_variant_unref);
}

static void
start (Fixture *fixture, guint64 run, const char *url, const char *options)
{
  g_autofree char *full = g_strdup_printf ("http://127.0.0.1:%u%s", fixture->port, url);
  g_autofree char *path = g_build_filename (fixture->path, "final", NULL);
  g_autoptr (GVariant) dictionary = g_variant_ref_sink (g_variant_new_parsed (options));
  g_autoptr (GVariant) files = NULL;
  g_autoptr (GError) error = NULL;
  GVariant *one;
  GVariantDict dict;

  g_variant_dict_init (&dict, NULL);
  g_variant_dict_insert (&dict, "url", "s", full);
  g_variant_dict_insert_value (&dict, "path", tfd_path_to_variant (path));
  if (fixture->record != NULL)
    g_variant_dict_insert_value (&dict, "part", fixture->record);
  one = g_variant_new ("(u@a{sv})", 0, g_variant_dict_end (&dict));
  files = g_variant_ref_sink (g_variant_new_array (NULL, &one, 1));

  g_clear_pointer (&fixture->failure, g_variant_unref);
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

static void
assert_failure (Fixture *fixture, TfdErrorCode code)
{
  const char *name;

  g_assert_nonnull (fixture->failure);
  g_assert_true (g_variant_lookup (fixture->failure, "name", "&s", &name));
  g_assert_cmpstr (name, ==, tfd_error_code_to_name (code));
}

/* So many bytes are there, they are the right ones, and they are known to be on the disk. */
static void
assert_present (Fixture *fixture, guint64 size)
{
  g_autofree char *name = tfd_part_name (JOB, 0, 0);
  g_autofree char *path = g_build_filename (fixture->path, name, NULL);
  g_autofree char *content = NULL;
  g_autoptr (TfdRecord) record = NULL;
  gsize length;

  g_assert_true (g_file_get_contents (path, &content, &length, NULL));
  g_assert_cmpuint (length, ==, size);
  g_assert_true (memcmp (content, fixture->content, length) == 0);
  g_assert_cmpuint (fixture->present, ==, size);
  g_assert_nonnull (fixture->record);
  record = tfd_record_parse (fixture->record);
  g_assert_nonnull (record);
  g_assert_cmpuint (record->checkpoint, ==, size);
}

static void
assert_all (Fixture *fixture, guint64 run)
{
  wait_until (fixture, fixture->done || fixture->failure != NULL);
  g_assert_null (fixture->failure);
  assert_present (fixture, SIZE);
  stop (fixture, run);
}

/* --- tests --- */

/* data: the options of the run. */
static void
test_whole (Fixture *fixture, gconstpointer data)
{
  start (fixture, 1, "/all", data);
  assert_all (fixture, 1);
}

/* The end comes while buffers are being written. data: where. */
static void
test_cut (Fixture *fixture, gconstpointer data)
{
  guint64 at = GPOINTER_TO_SIZE (data);
  g_autofree char *url = g_strdup_printf ("/cut/%" G_GUINT64_FORMAT, at);

  start (fixture, 1, url, "@a{sv} {}");
  wait_until (fixture, fixture->failure != NULL || fixture->done);
  assert_failure (fixture, TFD_ERROR_CONNECTION_LOST);
  assert_present (fixture, at);

  start (fixture, 2, url, "@a{sv} {}");
  assert_all (fixture, 2);
}

/* data: where the server stands still. */
static void
test_stop (Fixture *fixture, gconstpointer data)
{
  guint64 at = GPOINTER_TO_SIZE (data);
  g_autofree char *url = g_strdup_printf ("/stall/%" G_GUINT64_FORMAT, at);

  start (fixture, 1, url, "@a{sv} {}");
  wait_until (fixture, fixture->present == at);
  stop (fixture, 1);
  assert_present (fixture, at);

  release (fixture);
  start (fixture, 2, url, "@a{sv} {}");
  assert_all (fixture, 2);
}

/* Stopped in the middle of everything: whatever is there by then is kept, and continued. */
static void
test_stop_often (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
  guint64 before = 0;

  for (guint64 run = 1; !fixture->done; run++)
    {
      start (fixture, run, "/all", "@a{sv} {}");
      wait_until (fixture, fixture->present > before || fixture->done);
      stop (fixture, run);
      before = fixture->present;
      assert_present (fixture, before);
    }
  g_assert_cmpuint (before, ==, SIZE);
}

static void
checkpointed_cb (gpointer user_data)
{
  *(gboolean *) user_data = TRUE;
}

/* What is on its way to the disk when a checkpoint is asked for is in it. */
static void
test_checkpoint (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
  g_autofree char *url = g_strdup_printf ("/stall/%" G_GUINT64_FORMAT, FAR);
  gboolean checkpointed = FALSE;

  start (fixture, 1, url, "@a{sv} {}");
  wait_until (fixture, fixture->present == FAR);
  tfd_runs_checkpoint (fixture->runs, checkpointed_cb, &checkpointed);
  wait_until (fixture, checkpointed);
  assert_present (fixture, FAR);

  stop (fixture, 1);
}

/* The disk takes no more, which is found in a thread. */
static void
test_no_room (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
  const guint64 room = (guint64) TFD_BUFFER_LARGE * 5 / 2 + 8192;
  rlim_t before;

  before = tfd_file_limit_set (room);
  start (fixture, 1, "/all", "@a{sv} {}");
  wait_until (fixture, fixture->failure != NULL || fixture->done);
  g_assert_nonnull (fixture->failure);
  tfd_file_limit_set (before);
  assert_present (fixture, room);

  start (fixture, 2, "/all", "@a{sv} {}");
  assert_all (fixture, 2);
}

/* --- a slow disk --- */

typedef struct
{
  guint8 *buffer; /* (owned) (nullable) handed over */
  gboolean ended;
} Slow;

static gboolean
slow_write_cb (G_GNUC_UNUSED const void *data,
               G_GNUC_UNUSED gsize count,
               G_GNUC_UNUSED gpointer user_data)
{
  g_assert_not_reached ();
}

static gboolean
slow_hand_over_cb (guint8 *buffer,
                   G_GNUC_UNUSED gsize start,
                   G_GNUC_UNUSED gsize count,
                   gpointer user_data)
{
  ((Slow *) user_data)->buffer = buffer;
  return TRUE;
}

static void
slow_end_cb (const GError *error, gpointer user_data)
{
  g_assert_no_error (error);
  ((Slow *) user_data)->ended = TRUE;
}

/* All has come, and only the disk is waited for: it is not the server that is silent. */
static void
test_slow_disk (void)
{
  Slow slow = { 0 };
  TfdBody *body;
  gint64 before;
  int ends[2];

  g_assert_cmpint (pipe (ends), ==, 0);
  g_assert_cmpint (write (ends[1], "x", 1), ==, 1);
  close (ends[1]);
  body = tfd_body_new_for_fd (ends[0], slow_write_cb, slow_end_cb, &slow);
  g_assert_true (tfd_body_enlarge (body, 0, slow_hand_over_cb));
  while (slow.buffer == NULL)
    g_main_context_iteration (NULL, TRUE);
  before = g_get_monotonic_time ();
  g_assert_cmpint (tfd_body_get_last_read (body), >=, before);
  g_assert_false (slow.ended);

  tfd_body_give_back (body, slow.buffer);
  g_assert_true (slow.ended);
  tfd_body_free (body);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  tfd_session_prepare_process ();

#define ADD(name, function, data) g_test_add (name, Fixture, data, set_up, function, tear_down)
  ADD ("/worker/large/whole/background", test_whole, "@a{sv} {}");
  ADD ("/worker/large/whole/foreground", test_whole, "{'foreground': <true>}");
  ADD ("/worker/large/cut/near", test_cut, GSIZE_TO_POINTER (NEAR));
  ADD ("/worker/large/cut/far", test_cut, GSIZE_TO_POINTER (FAR));
  ADD ("/worker/large/stop/near", test_stop, GSIZE_TO_POINTER (NEAR));
  ADD ("/worker/large/stop/far", test_stop, GSIZE_TO_POINTER (FAR));
  ADD ("/worker/large/stop/often", test_stop_often, NULL);
  ADD ("/worker/large/checkpoint", test_checkpoint, NULL);
  ADD ("/worker/large/no-room", test_no_room, NULL);
  g_test_add_func ("/worker/large/slow-disk", test_slow_disk);

  return g_test_run ();
}
