/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* The part of bench-client that is a client of other download managers: as quick as that of ours,
 * so that it is they who are compared. */
#include "bench/caller.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
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

void
add_to_aria2 (const char *port, guint64 count)
{
  int fd = connect_to_port (port);
  double begin = now ();

  for (guint64 i = 0; i < count; i++)
    {
      g_autofree char *body =
          g_strdup_printf ("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"aria2.addUri\","
                           "\"params\":[[\"http://127.0.0.1:9/%" G_GUINT64_FORMAT "\"]]}",
                           i);
      g_autofree char *request = g_strdup_printf (
          "POST /jsonrpc HTTP/1.1\r\nHost: 127.0.0.1\r\n"
          "Content-Type: application/json\r\nContent-Length: %" G_GSIZE_FORMAT "\r\n\r\n%s",
          strlen (body), body);

      if (write (fd, request, strlen (request)) != (gssize) strlen (request))
        die ("asking");
      if (!read_answer (fd))
        {
          g_printerr ("bench-client: aria2 does not take a URI\n");
          exit (1);
        }
    }
  g_print ("{\"seconds\": %.6f}\n", now () - begin);
  close (fd);
}

void
add_to_lomiri (guint64 count)
{
  double begin = now ();

  for (guint64 i = 0; i < count; i++)
    {
      g_autofree char *url = g_strdup_printf ("http://127.0.0.1:9/%" G_GUINT64_FORMAT, i);
      GError *error = NULL;
      GVariant *reply = g_dbus_connection_call_sync (
          bus, "com.lomiri.applications.Downloader", "/", "com.lomiri.applications.DownloadManager",
          "createDownload",
          g_variant_new ("((sss@a{sv}@a{ss}))", url, "", "",
                         g_variant_new_array (G_VARIANT_TYPE ("{sv}"), NULL, 0),
                         g_variant_new_array (G_VARIANT_TYPE ("{ss}"), NULL, 0)),
          NULL, G_DBUS_CALL_FLAGS_NONE, G_MAXINT, NULL, &error);

      check (error);
      g_variant_unref (reply);
    }
  g_print ("{\"seconds\": %.6f}\n", now () - begin);
}
