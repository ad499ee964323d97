/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* The part of bench-client that is a client of other download managers: as quick as that of ours,
 * so that it is they who are compared. */
#include "bench/caller.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void
die (const char *what)
{
  g_printerr ("bench-client: %s: %s\n", what, g_strerror (errno));
  exit (1);
}

static int
connect_to_port (const char *port)
{
  struct sockaddr_in address = { .sin_family = AF_INET,
                                 .sin_addr.s_addr = htonl (INADDR_LOOPBACK) };
  int fd = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;

  address.sin_port = htons ((guint16) g_ascii_strtoull (port, NULL, 10));
  if (fd < 0 || connect (fd, (struct sockaddr *) &address, sizeof address) < 0)
    die ("connecting");
  setsockopt (fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);

  return fd;
}

/* Reads one answer; whether it is a result. */
static gboolean
read_answer (int fd)
{
  char answer[8192];
  gsize length = 0;
  const char *body = NULL, *field;

  do
    {
      gssize n = read (fd, answer + length, sizeof answer - 1 - length);

      if (n <= 0)
        die ("reading an answer");
      length += (gsize) n;
      answer[length] = '\0';
      body = strstr (answer, "\r\n\r\n");
      field = strstr (answer, "Content-Length: ");
    }
  while (body == NULL || field == NULL ||
         (gsize) (answer + length - body - 4) <
             g_ascii_strtoull (field + strlen ("Content-Length: "), NULL, 10));

  return strstr (body, "\"result\"") != NULL;
}

static void
ask_aria2 (int fd, guint64 number)
{
  g_autofree char *body =
      g_strdup_printf ("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"aria2.addUri\","
                       "\"params\":[[\"http://127.0.0.1:9/%" G_GUINT64_FORMAT "\"]]}",
                       number);
  g_autofree char *request = g_strdup_printf (
      "POST /jsonrpc HTTP/1.1\r\nHost: 127.0.0.1\r\n"
      "Content-Type: application/json\r\nContent-Length: %" G_GSIZE_FORMAT "\r\n\r\n%s",
      strlen (body), body);

  if (write (fd, request, strlen (request)) != (gssize) strlen (request))
    die ("asking");
}

/* Waits for answers, and counts them: the next question goes where one came from. */
static guint64
serve (GArray *fds, guint64 *asked, guint64 count)
{
  guint64 answered = 0;

  if (poll ((struct pollfd *) (gpointer) fds->data, fds->len, -1) < 0)
    die ("waiting");
  for (guint i = 0; i < fds->len; i++)
    {
      const struct pollfd *one = &g_array_index (fds, struct pollfd, i);

      if (one->revents == 0)
        continue;
      if (!read_answer (one->fd))
        {
          g_printerr ("bench-client: aria2 does not take a URI\n");
          exit (1);
        }
      answered++;
      if (*asked < count)
        ask_aria2 (one->fd, (*asked)++);
    }

  return answered;
}

void
add_to_aria2 (const char *port, guint64 count)
{
  g_autoptr (GArray) fds = g_array_new (FALSE, FALSE, sizeof (struct pollfd));
  guint64 asked = MIN (count, (guint64) bench_options.clients), answered = 0;
  double begin;

  for (guint64 i = 0; i < asked; i++)
    {
      struct pollfd one = { .fd = connect_to_port (port), .events = POLLIN };

      g_array_append_val (fds, one);
    }
  begin = now ();
  for (guint i = 0; i < fds->len; i++)
    ask_aria2 (g_array_index (fds, struct pollfd, i).fd, i);
  while (answered < count)
    answered += serve (fds, &asked, count);
  g_print ("{\"seconds\": %.6f}\n", now () - begin);
  for (guint i = 0; i < fds->len; i++)
    close (g_array_index (fds, struct pollfd, i).fd);
}

static void
begin_download (BenchCall *one)
{
  g_autofree char *url = g_strdup_printf ("http://127.0.0.1:9/%u", one->number);

  g_dbus_connection_call (one->connection, "com.lomiri.applications.Downloader", "/",
                          "com.lomiri.applications.DownloadManager", "createDownload",
                          g_variant_new ("((sss@a{sv}@a{ss}))", url, "", "",
                                         g_variant_new_array (G_VARIANT_TYPE ("{sv}"), NULL, 0),
                                         g_variant_new_array (G_VARIANT_TYPE ("{ss}"), NULL, 0)),
                          NULL, G_DBUS_CALL_FLAGS_NONE, G_MAXINT, NULL, call_done, one);
}

void
add_to_lomiri (guint64 count)
{
  keep_calling ((guint) count, begin_download);
}
