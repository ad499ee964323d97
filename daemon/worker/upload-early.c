/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Upload early: an answer that a server gives before it has read the whole request. */
#include "config.h"
#include "worker/upload-early.h"

#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define MAX_HEAD (32 * 1024)

struct _TfdUploadEarly
{
  SoupMessage *message; /* (owned) */
  gulong handler;
  gboolean fresh;
  int fd;                /* our own, of the connection; -1 while there is none that can be read */
  GIOStream *connection; /* (owned) (nullable) the last that was made */
  guint64 id;            /* of the connection that it became, 0 = not known yet */
};

static void
forget_fd (TfdUploadEarly *early)
{
  if (early->fd >= 0)
    close (early->fd);
  early->fd = -1;
}

/* The connection is closed as soon as writing fails, and what has arrived with it: a descriptor of
 * our own outlives that. */
static void
event_cb (G_GNUC_UNUSED SoupMessage *message,
          GSocketClientEvent event,
          GIOStream *connection,
          gpointer user_data)
{
  TfdUploadEarly *early = user_data;

  if (event == G_SOCKET_CLIENT_CONNECTED && G_IS_SOCKET_CONNECTION (connection))
    {
      GSocket *socket = g_socket_connection_get_socket (G_SOCKET_CONNECTION (connection));

      forget_fd (early);
      early->fresh = TRUE;
      early->fd = fcntl (g_socket_get_fd (socket), F_DUPFD_CLOEXEC, 3);
    }
  else if (event == G_SOCKET_CLIENT_TLS_HANDSHAKING)
    forget_fd (early);
  else if (event == G_SOCKET_CLIENT_COMPLETE)
    {
      g_set_object (&early->connection, connection);
      early->id = 0;
    }
}

TfdUploadEarly *
tfd_upload_early_new (SoupMessage *message)
{
  TfdUploadEarly *early = g_new0 (TfdUploadEarly, 1);

  early->message = g_object_ref (message);
  early->fd = -1;
  early->handler = g_signal_connect (message, "network-event", G_CALLBACK (event_cb), early);

  return early;
}

void
tfd_upload_early_free (TfdUploadEarly *early)
{
  g_signal_handler_disconnect (early->message, early->handler);
  g_object_unref (early->message);
  forget_fd (early);
  g_clear_object (&early->connection);
  g_free (early);
}

gboolean
tfd_upload_early_is_fresh (const TfdUploadEarly *early)
{
  return early->fresh;
}

GIOStream *
tfd_upload_early_get_connection (TfdUploadEarly *early)
{
  guint64 id = soup_message_get_connection_id (early->message);

  if (early->connection == NULL || id == 0)
    return NULL;
  if (early->id == 0)
    early->id = id;

  return early->id == id ? early->connection : NULL;
}

/* Reads one head; the number of its bytes, 0 when it is not complete or makes no sense. */
static gsize
read_head (const char *data, gsize length, guint *status, char **reason, SoupMessageHeaders *fields)
{
  const char *end = memmem (data, length, "\r\n\r\n", 4);
  SoupHTTPVersion version;

  if (end == NULL ||
      !soup_headers_parse_response (data, (int) (end + 2 - data), fields, &version, status, reason))
    return 0;

  return (gsize) (end + 4 - data);
}

gboolean
tfd_upload_early_look (TfdUploadEarly *early,
                       guint *status,
                       char **reason,
                       SoupMessageHeaders **fields)
{
  g_autofree char *head = NULL;
  gssize length;
  gsize at = 0;

  if (early->fd < 0)
    return FALSE;
  head = g_malloc (MAX_HEAD);
  length = recv (early->fd, head, MAX_HEAD, MSG_PEEK | MSG_DONTWAIT);

  while (length > 0 && at < (gsize) length)
    {
      g_autoptr (SoupMessageHeaders) found =
          soup_message_headers_new (SOUP_MESSAGE_HEADERS_RESPONSE);
      g_autofree char *phrase = NULL;
      gsize used = read_head (head + at, (gsize) length - at, status, &phrase, found);

      if (used == 0)
        return FALSE;
      at += used;
      if (*status >= 100 && *status <= 199)
        continue;

      /* A server that is content may well go on reading. */
      if (*status <= 299)
        return FALSE;
      *reason = g_steal_pointer (&phrase);
      *fields = g_steal_pointer (&found);
      return TRUE;
    }

  return FALSE;
}
