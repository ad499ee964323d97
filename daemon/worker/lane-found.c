/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Lane: how one comes about: libsoup makes a connection, and an answer on it is ordinary. */
#include "config.h"
#include "worker/lane-private.h"

#include "worker/body.h"

#include <string.h>

/* Connections from which on those that are gone are forgotten. */
#define MANY_MADE 256

static gboolean
is_gone (G_GNUC_UNUSED gpointer id, gpointer ref, G_GNUC_UNUSED gpointer user_data)
{
  g_autoptr (GObject) connection = g_weak_ref_get (ref);

  return connection == NULL;
}

static void
event_cb (SoupMessage *message, GSocketClientEvent event, GIOStream *connection, gpointer user_data)
{
  guint64 id = soup_message_get_connection_id (message);
  GHashTable *made = user_data;
  GWeakRef *ref;

  if (event != G_SOCKET_CLIENT_COMPLETE)
    return;
  if (g_hash_table_size (made) >= MANY_MADE)
    g_hash_table_foreach_remove (made, is_gone, NULL);
  ref = g_new0 (GWeakRef, 1);
  g_weak_ref_init (ref, connection);
  g_hash_table_replace (made, g_memdup2 (&id, sizeof id), ref);
}

static void
forget (gpointer made, G_GNUC_UNUSED GClosure *closure)
{
  g_hash_table_unref (made);
}

void
tfd_lanes_watch (TfdLanes *lanes, SoupMessage *message)
{
  g_signal_connect_data (message, "network-event", G_CALLBACK (event_cb),
                         g_hash_table_ref (lanes->made), forget, 0);
}

/* (nullable) (transfer full) What @message was asked on. */
static GIOStream *
connection_of (TfdLanes *lanes, SoupMessage *message)
{
  guint64 id = soup_message_get_connection_id (message);
  GWeakRef *ref = g_hash_table_lookup (lanes->made, &id);

  return ref != NULL ? g_weak_ref_get (ref) : NULL;
}

static void
add_field (const char *name, const char *value, gpointer user_data)
{
  g_string_append_printf (user_data, "%s: %s\r\n", name, value);
}

/* What libsoup has sent, Host and Connection included. */
static char *
fields_of (SoupMessage *message)
{
  GString *fields = g_string_new (NULL);

  soup_message_headers_foreach (soup_message_get_request_headers (message), add_field, fields);
  g_string_append (fields, "\r\n");

  return g_string_free (fields, FALSE);
}

/* -1: there is none that is known. */
static int
socket_of (GIOStream *connection)
{
  g_autoptr (GIOStream) base = NULL;

  if (G_IS_TLS_CONNECTION (connection))
    g_object_get (connection, "base-io-stream", &base, NULL);
  else
    base = g_object_ref (connection);

  return G_IS_SOCKET_CONNECTION (base)
             ? g_socket_get_fd (g_socket_connection_get_socket (G_SOCKET_CONNECTION (base)))
             : -1;
}

/* The connection is the one on which it was answered. */
static gboolean
is_above (GInputStream *stream, GIOStream *connection)
{
  return G_IS_FILTER_INPUT_STREAM (stream) &&
         g_filter_input_stream_get_base_stream (G_FILTER_INPUT_STREAM (stream)) ==
             g_io_stream_get_input_stream (connection);
}

static gboolean
may_be_lane (TfdLanes *lanes, const char *origin, SoupMessage *message)
{
  SoupMessageHeaders *asked = soup_message_get_request_headers (message);
  SoupMessageHeaders *headers = soup_message_get_response_headers (message);
  guint64 length;

  return soup_message_headers_get_one (asked, "Host") != NULL &&
         soup_message_headers_get_one (asked, "Range") == NULL && strchr (origin, '@') == NULL &&
         g_str_is_ascii (origin) && !tfd_lanes_refused (lanes, origin) &&
         soup_message_get_status (message) == SOUP_STATUS_OK &&
         tfd_lane_head_is_ordinary (headers, &length) &&
         tfd_lane_head_stays_open (headers, soup_message_get_http_version (message));
}

TfdLane *
tfd_lane_new (TfdLanes *lanes,
              const char *url,
              TfdLogin *login,
              SoupMessage *message,
              GInputStream *stream,
              GCancellable *cancellable)
{
  g_autofree char *origin = g_strndup (url, tfd_lane_origin_length (url));
  g_autoptr (GIOStream) connection = connection_of (lanes, message);
  GInputStream *below = tfd_body_below_decoder (stream);
  int fd = connection != NULL ? socket_of (connection) : -1;
  TfdLane *lane;

  if (fd < 0 || tfd_login_has_credentials (login) || !may_be_lane (lanes, origin, message) ||
      !G_IS_POLLABLE_INPUT_STREAM (below) || !is_above (below, connection))
    return NULL;

  lane = g_new0 (TfdLane, 1);
  g_ref_count_init (&lane->refs);
  lane->lanes = lanes;
  lane->origin = g_steal_pointer (&origin);
  lane->login = tfd_login_ref (login);
  lane->fields = fields_of (message);
  lane->message = g_object_ref (message);
  lane->cancellable = g_object_ref (cancellable);
  lane->body = g_object_ref (stream);
  lane->stream = G_POLLABLE_INPUT_STREAM (below);
  lane->connection = g_steal_pointer (&connection);
  lane->fd = fd;
  lane->buffer = g_malloc (TFD_LANE_BUFFER);

  return lane;
}
