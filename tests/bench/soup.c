/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* The least that many small files cost whoever receives them by libsoup: eight requests at a time
 * in one thread, each body written to its file, one sync of the file system at the end. No
 * temporaries, no records, no checks, nobody who is told.
 *
 *     bench-soup ROWS     URL, tab, path */
#include <libsoup/soup.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define AT_A_TIME 8
#define BUFFER (64 * 1024)

typedef struct
{
  const char *path;
  SoupMessage *message;
  GInputStream *body;
  int fd;
} Get;

static SoupSession *session;
static char **rows;
static guint under_way;
static char buffer[BUFFER];

static void begin_next (void);

static void
die (const char *what, const char *why)
{
  g_printerr ("bench-soup: %s: %s\n", what, why);
  exit (1);
}

static void
end (Get *get)
{
  g_input_stream_close (get->body, NULL, NULL);
  g_object_unref (get->body);
  g_object_unref (get->message);
  close (get->fd);
  g_free (get);
  under_way--;
  begin_next ();
}

/* All that is there; TRUE when that was all of it. */
static gboolean
take (Get *get)
{
  while (TRUE)
    {
      g_autoptr (GError) error = NULL;
      gssize n = g_pollable_input_stream_read_nonblocking (G_POLLABLE_INPUT_STREAM (get->body),
                                                           buffer, BUFFER, NULL, &error);

      if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK))
        return FALSE;
      if (error != NULL)
        die (get->path, error->message);
      if (n == 0)
        return TRUE;
      if (write (get->fd, buffer, (gsize) n) != n)
        die (get->path, g_strerror (errno));
    }
}

static gboolean
readable_cb (G_GNUC_UNUSED GObject *body, gpointer user_data)
{
  Get *get = user_data;

  if (!take (get))
    return G_SOURCE_CONTINUE;
  end (get);
  return G_SOURCE_REMOVE;
}

static void
sent_cb (G_GNUC_UNUSED GObject *source, GAsyncResult *result, gpointer user_data)
{
  Get *get = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GSource) readable = NULL;

  get->body = soup_session_send_finish (session, result, &error);
  if (get->body == NULL)
    die (get->path, error->message);
  if (soup_message_get_status (get->message) != SOUP_STATUS_OK)
    die (get->path, soup_message_get_reason_phrase (get->message));
  get->fd = open (get->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
  if (get->fd < 0)
    die (get->path, g_strerror (errno));
  if (take (get))
    {
      end (get);
      return;
    }
  readable = g_pollable_input_stream_create_source (G_POLLABLE_INPUT_STREAM (get->body), NULL);
  g_source_set_callback (readable, G_SOURCE_FUNC (readable_cb), get, NULL);
  g_source_attach (readable, NULL);
}

static void
begin_next (void)
{
  char *tab = *rows != NULL ? strchr (*rows, '\t') : NULL;
  Get *get;

  if (tab == NULL)
    return;
  *tab = '\0';
  get = g_new0 (Get, 1);
  get->message = soup_message_new (SOUP_METHOD_GET, *rows++);
  get->path = tab + 1;
  under_way++;
  soup_session_send_async (session, get->message, G_PRIORITY_DEFAULT, NULL, sent_cb, get);
}

static void
sync_file_system (const char *path)
{
  int fd = open (path, O_RDONLY | O_CLOEXEC);

  if (fd < 0 || syncfs (fd) < 0)
    die (path, g_strerror (errno));
}

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *text = NULL;
  g_auto (GStrv) lines = NULL;
  const char *first;

  if (argc != 2)
    {
      g_printerr ("usage: bench-soup ROWS\n");
      return 2;
    }
  if (!g_file_get_contents (argv[1], &text, NULL, &error))
    die (argv[1], error->message);

  /* as the service: HTTP/1.1 alone, and nothing that looks at bodies */
  g_setenv ("SOUP_FORCE_HTTP1", "1", TRUE);
  session = g_object_new (SOUP_TYPE_SESSION, "max-conns", AT_A_TIME, "max-conns-per-host",
                          AT_A_TIME, "proxy-resolver", NULL, NULL);
  soup_session_remove_feature_by_type (session, SOUP_TYPE_CONTENT_DECODER);
  soup_session_remove_feature_by_type (session, SOUP_TYPE_CONTENT_SNIFFER);

  rows = lines = g_strsplit (text, "\n", -1);
  first = strchr (lines[0], '\t');
  first = first != NULL ? first + 1 : "";
  for (guint i = 0; i < AT_A_TIME; i++)
    begin_next ();
  while (under_way > 0)
    g_main_context_iteration (NULL, TRUE);
  sync_file_system (first);

  return 0;
}
