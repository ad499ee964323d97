/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* The least that many small files cost whoever promises that they survive a crash and appear
 * together: rows of a job in SQLite before the first byte, a temporary for each file, one sync of
 * the file system, a record of each; then a look at each temporary, its rename, the directory on
 * the disk, and the end of the rows. One thread, GIO's connections, no bus, no other process, none
 * of the checks of an answer.
 *
 *     bench-durable ROWS DATABASE     URL, tab, path; a copy of a database of the service with one
 * job
 *
 * Prints the seconds until all were received, and until all had their names. */
#include "bench/rows.h"

#include <gio/gio.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* As the service: so many connections to a server, so many files of a Complete at a time. */
#define AT_A_TIME 6
#define BATCH 1000
#define BUFFER (64 * 1024)

typedef struct
{
  GIOStream *connection; /* (owned) */
  GPollableInputStream *input;
  guint index; /* of the file that comes */
  gsize head;  /* bytes; 0 = not whole yet */
  gsize total; /* of head and body */
  gsize filled;
  char buffer[BUFFER];
} Lane;

static char **urls;
static char **names; /* of the files in their directory */
static int directory;
static guint count, next, under_way;

static void
die (const char *what, const char *why)
{
  g_printerr ("bench-durable: %s: %s\n", what, why);
  exit (1);
}

static void
check (gboolean done, const char *what)
{
  if (!done)
    die (what, g_strerror (errno));
}

static char *
part_of (guint index)
{
  return g_strdup_printf (".transferd-bench-%u.part", index);
}

static gboolean
ask (Lane *lane)
{
  g_autoptr (GUri) uri = NULL;
  g_autofree char *request = NULL;
  g_autoptr (GError) error = NULL;

  if (next == count)
    return FALSE;
  lane->index = next++;
  lane->head = lane->filled = 0;
  uri = g_uri_parse (urls[lane->index], G_URI_FLAGS_NONE, &error);
  if (uri == NULL)
    die (urls[lane->index], error->message);
  request = g_strdup_printf ("GET %s HTTP/1.1\r\nHost: %s:%d\r\nAccept-Encoding: identity\r\n\r\n",
                             g_uri_get_path (uri), g_uri_get_host (uri), g_uri_get_port (uri));
  if (!g_output_stream_write_all (g_io_stream_get_output_stream (lane->connection), request,
                                  strlen (request), NULL, NULL, &error))
    die (urls[lane->index], error->message);
  return TRUE;
}

/* TRUE when the answer is whole. */
static gboolean
take (Lane *lane)
{
  const char *end, *length;

  if (lane->head == 0)
    {
      end = memmem (lane->buffer, lane->filled, "\r\n\r\n", 4);
      if (end == NULL)
        return FALSE;
      length = g_strstr_len (lane->buffer, end - lane->buffer, "Content-Length: ");
      if (!g_str_has_prefix (lane->buffer, "HTTP/1.1 200 ") || length == NULL)
        die (urls[lane->index], "not an answer that this program can read");
      lane->head = (gsize) (end + 4 - lane->buffer);
      lane->total = lane->head + g_ascii_strtoull (strchr (length, ' '), NULL, 10);
      if (lane->total > BUFFER)
        die (urls[lane->index], "too large for this program");
    }
  return lane->filled >= lane->total;
}

static void
store (Lane *lane)
{
  g_autofree char *part = part_of (lane->index);
  gsize size = lane->total - lane->head;
  int fd = openat (directory, part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

  check (fd >= 0 && write (fd, lane->buffer + lane->head, size) == (gssize) size, part);
  close (fd);
}

static gboolean
readable_cb (GObject *input, gpointer user_data)
{
  Lane *lane = user_data;
  g_autoptr (GError) error = NULL;
  gssize n;

  while ((n = g_pollable_input_stream_read_nonblocking (G_POLLABLE_INPUT_STREAM (input),
                                                        lane->buffer + lane->filled,
                                                        BUFFER - lane->filled, NULL, &error)) > 0)
    {
      lane->filled += (gsize) n;
      if (!take (lane))
        continue;
      store (lane);
      if (ask (lane))
        continue;
      under_way--;
      return G_SOURCE_REMOVE;
    }
  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK))
    return G_SOURCE_CONTINUE;
  die (urls[lane->index], error != NULL ? error->message : "the server closed the connection");
  return G_SOURCE_REMOVE;
}

static void
open_lane (void)
{
  g_autoptr (GSocketClient) client = g_socket_client_new ();
  g_autoptr (GUri) uri = g_uri_parse (urls[0], G_URI_FLAGS_NONE, NULL);
  g_autoptr (GSource) readable = NULL;
  g_autoptr (GError) error = NULL;
  Lane *lane = g_new0 (Lane, 1);

  if (uri == NULL)
    die (urls[0], "not a URL");
  g_socket_client_set_enable_proxy (client, FALSE);
  g_socket_client_set_tls (client, g_str_equal (g_uri_get_scheme (uri), "https"));
  lane->connection = G_IO_STREAM (g_socket_client_connect_to_host (
      client, g_uri_get_host (uri), (guint16) g_uri_get_port (uri), NULL, &error));
  if (lane->connection == NULL)
    die (urls[0], error->message);
  lane->input = G_POLLABLE_INPUT_STREAM (g_io_stream_get_input_stream (lane->connection));
  if (!ask (lane))
    return;
  under_way++;
  readable = g_pollable_input_stream_create_source (lane->input, NULL);
  g_source_set_callback (readable, G_SOURCE_FUNC (readable_cb), lane, NULL);
  g_source_attach (readable, NULL);
}

static void
look_at_each (void)
{
  for (guint i = 0; i < count; i++)
    {
      g_autofree char *part = part_of (i);
      struct statx st;

      check (statx (directory, part, AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS, &st) == 0, part);
    }
}

static void
name_each (BenchRows *rows)
{
  for (guint first = 0; first < count; first += BATCH)
    {
      guint end = MIN (first + BATCH, count);

      for (guint i = first; i < end; i++)
        {
          g_autofree char *part = part_of (i);

          check (renameat (directory, part, directory, names[i]) == 0, names[i]);
        }
      bench_rows_set_completed (rows, first, end);
    }
}

static void
read_rows (const char *name)
{
  g_autofree char *text = NULL, *common = NULL;
  g_autoptr (GError) error = NULL;
  g_auto (GStrv) lines = NULL;

  if (!g_file_get_contents (name, &text, NULL, &error))
    die (name, error->message);
  lines = g_strsplit (text, "\n", -1);
  urls = g_new0 (char *, g_strv_length (lines) + 1);
  names = g_new0 (char *, g_strv_length (lines) + 1);
  for (guint i = 0; lines[i] != NULL && *lines[i] != '\0'; i++)
    {
      char *tab = strchr (lines[i], '\t');

      if (tab == NULL)
        die (name, "not a list of URLs and paths");
      urls[count] = g_strndup (lines[i], (gsize) (tab - lines[i]));
      names[count++] = g_path_get_basename (tab + 1);
    }
  if (count == 0)
    die (name, "nothing to do");
  common = g_path_get_dirname (strchr (lines[0], '\t') + 1);
  directory = open (common, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  check (directory >= 0, common);
}

static double
seconds_since (gint64 begin)
{
  return (double) (g_get_monotonic_time () - begin) / G_USEC_PER_SEC;
}

int
main (int argc, char **argv)
{
  BenchRows *rows;
  gint64 begin;
  double received;

  if (argc != 3)
    {
      g_printerr ("usage: bench-durable ROWS DATABASE\n");
      return 2;
    }
  read_rows (argv[1]);
  rows = bench_rows_open (argv[2]);
  bench_rows_add_job (rows);

  begin = g_get_monotonic_time ();
  bench_rows_add_files (rows, count);
  for (guint i = 0; i < AT_A_TIME; i++)
    open_lane ();
  while (under_way > 0)
    g_main_context_iteration (NULL, TRUE);
  check (syncfs (directory) == 0, argv[1]);
  bench_rows_set_transferred (rows, count);
  received = seconds_since (begin);

  look_at_each ();
  name_each (rows);
  check (fsync (directory) == 0, argv[1]);
  bench_rows_end_job (rows);
  g_print ("{\"transferred\": %.6f, \"wall\": %.6f}\n", received, seconds_since (begin));

  return 0;
}
