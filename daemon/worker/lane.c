/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Lane: many small files on a connection that libsoup has made. */
#include "config.h"
#include "worker/lane.h"

#include "worker/body.h"
#include "worker/lane-head.h"

#include <glib-unix.h>
#include <string.h>

#define BUFFER_SIZE (2 * TFD_LANE_MAX_HEAD)

/* Seconds that an unused lane is kept, as libsoup keeps connections. */
#define KEEP_ALIVE 15

/* More that nobody uses are not kept: libsoup takes them for used, and would let others wait. */
#define MAX_FREE 64

/* Servers of which it is remembered that their answers are out of the ordinary. */
#define MAX_ODD 64

/* Connections from which on those that are gone are forgotten. */
#define MANY_MADE 256

struct _TfdLanes
{
  GQueue free;      /* (owned) (element-type TfdLane) the last that was given back first */
  GHashTable *odd;  /* (owned) origins whose answers are not for lanes */
  GHashTable *made; /* (owned) (element-type guint64 GWeakRef) connections of libsoup, by its ids */
  guint timer;
};

struct _TfdLane
{
  grefcount refs;
  TfdLanes *lanes;              /* (not owned) */
  char *origin;                 /* (owned) scheme to port, as it stands in the URL */
  TfdLogin *login;              /* (owned) whose header fields these are: */
  char *fields;                 /* (owned) of each request */
  SoupMessage *message;         /* (owned) what libsoup asked: it thinks that it still reads */
  GCancellable *cancellable;    /* (owned) of that */
  GInputStream *body;           /* (owned) of that */
  GPollableInputStream *stream; /* (not owned) what lies below it */
  GIOStream *connection;        /* (owned) */
  int fd;                       /* (not owned) of the socket */
  GSource *source;              /* (owned) (nullable) what comes is read here */
  gboolean spent;               /* nothing can be asked on it any more */
  gint64 since;                 /* that it is free */
  TfdLaneAnswered answered;     /* (nullable) who waits */
  gpointer user_data;
  gsize filled;
  guint8 *buffer; /* (owned) */
};

static gsize
origin_length (const char *url)
{
  const char *authority = strstr (url, "://");

  return authority != NULL ? (gsize) (authority + 3 - url) + strcspn (authority + 3, "/?#") : 0;
}

static gboolean
has_origin (const TfdLane *lane, const char *url)
{
  gsize length = origin_length (url);

  return strncmp (lane->origin, url, length) == 0 && lane->origin[length] == '\0';
}

static gboolean readable_cb (int fd, GIOCondition condition, gpointer user_data);

/* What comes is read until there is nothing more, so that the socket tells of the next. The source
 * of the stream would be three, one above the other, and GLib takes those out of what is polled
 * while it calls them, and puts them back, with a call of the kernel for each of that. */
static void
arm (TfdLane *lane)
{
  if (lane->source != NULL)
    return;
  lane->source = g_unix_fd_source_new (lane->fd, G_IO_IN);
  g_source_set_callback (lane->source, G_SOURCE_FUNC (readable_cb), lane, NULL);
  g_source_set_can_recurse (lane->source, TRUE);
  g_source_attach (lane->source, g_main_context_get_thread_default ());
}

static void
disarm (TfdLane *lane)
{
  if (lane->source == NULL)
    return;
  g_source_destroy (lane->source);
  g_clear_pointer (&lane->source, g_source_unref);
}

static void
lane_unref (TfdLane *lane)
{
  if (!g_ref_count_dec (&lane->refs))
    return;

  g_object_unref (lane->body);
  g_object_unref (lane->message);
  g_object_unref (lane->cancellable);
  g_object_unref (lane->connection);
  tfd_login_unref (lane->login);
  g_free (lane->origin);
  g_free (lane->fields);
  g_free (lane->buffer);
  g_free (lane);
}

void
tfd_lane_drop (TfdLane *lane)
{
  disarm (lane);
  lane->answered = NULL;
  lane->spent = TRUE;
  tfd_body_drop_stream (lane->body);
  g_cancellable_cancel (lane->cancellable);
  lane_unref (lane);
}

/* Those that are free */

static gboolean
timer_cb (gpointer user_data)
{
  TfdLanes *lanes = user_data;
  gint64 now = g_get_monotonic_time ();
  TfdLane *oldest;

  while ((oldest = g_queue_peek_tail (&lanes->free)) != NULL &&
         now - oldest->since >= KEEP_ALIVE * G_USEC_PER_SEC)
    tfd_lane_drop (g_queue_pop_tail (&lanes->free));
  if (oldest != NULL)
    return G_SOURCE_CONTINUE;

  lanes->timer = 0;
  return G_SOURCE_REMOVE;
}

void
tfd_lane_give_back (TfdLane *lane)
{
  TfdLanes *lanes = lane->lanes;

  lane->answered = NULL;
  if (lane->spent)
    {
      tfd_lane_drop (lane);
      return;
    }
  arm (lane);
  lane->since = g_get_monotonic_time ();
  g_queue_push_head (&lanes->free, lane);
  if (g_queue_get_length (&lanes->free) > MAX_FREE)
    tfd_lane_drop (g_queue_pop_tail (&lanes->free));
  if (lanes->timer == 0)
    lanes->timer = g_timeout_add_seconds (KEEP_ALIVE, timer_cb, lanes);
}

/* (nullable) */
static GList *
find (TfdLanes *lanes, const char *url, TfdLogin *login)
{
  for (GList *l = lanes->free.head; l != NULL; l = l->next)
    if (has_origin (l->data, url) && tfd_login_is_same (((TfdLane *) l->data)->login, login))
      return l;

  return NULL;
}

gboolean
tfd_lanes_have (TfdLanes *lanes, const char *url, TfdLogin *login)
{
  return find (lanes, url, login) != NULL;
}

TfdLane *
tfd_lanes_take (TfdLanes *lanes, const char *url, TfdLogin *login)
{
  GList *link = find (lanes, url, login);
  TfdLane *lane = link != NULL ? link->data : NULL;

  if (link != NULL)
    g_queue_delete_link (&lanes->free, link);
  return lane;
}

void
tfd_lanes_make_room (TfdLanes *lanes, const char *url)
{
  for (GList *l = lanes->free.tail; l != NULL; l = l->prev)
    if (has_origin (l->data, url))
      {
        tfd_lane_drop (l->data);
        g_queue_delete_link (&lanes->free, l);
        return;
      }
}

static void
weak_ref_free (GWeakRef *ref)
{
  g_weak_ref_clear (ref);
  g_free (ref);
}

TfdLanes *
tfd_lanes_new (void)
{
  TfdLanes *lanes = g_new0 (TfdLanes, 1);

  g_queue_init (&lanes->free);
  lanes->odd = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  lanes->made =
      g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, (GDestroyNotify) weak_ref_free);

  return lanes;
}

void
tfd_lanes_free (TfdLanes *lanes)
{
  g_clear_handle_id (&lanes->timer, g_source_remove);
  g_queue_clear_full (&lanes->free, (GDestroyNotify) tfd_lane_drop);
  g_hash_table_unref (lanes->odd);
  g_hash_table_unref (lanes->made);
  g_free (lanes);
}

/* Answers */

static void
answer (TfdLane *lane, const TfdLaneAnswer *what)
{
  TfdLaneAnswered answered = lane->answered;

  lane->answered = NULL;
  answered (what, lane->user_data);
}

static void
refuse (TfdLanes *lanes, const char *origin)
{
  if (g_hash_table_size (lanes->odd) < MAX_ODD)
    g_hash_table_add (lanes->odd, g_strdup (origin));
}

static void
take_head (TfdLane *lane, const TfdLaneHead *head)
{
  TfdLaneAnswer what = {
    head->status, head->reason, head->headers, lane->buffer + head->size, lane->filled - head->size,
    head->length
  };

  if (head->last || what.count > what.length)
    lane->spent = TRUE;
  what.count = MIN (what.count, what.length);
  answer (lane, &what);
}

/* Reads what there is. FALSE: nothing, or the connection has ended (then @ended). */
static gboolean
fill (TfdLane *lane, gboolean *ended)
{
  g_autoptr (GError) error = NULL;
  gssize n = g_pollable_input_stream_read_nonblocking (lane->stream, lane->buffer + lane->filled,
                                                       BUFFER_SIZE - lane->filled, NULL, &error);

  *ended = n == 0 || (n < 0 && !g_error_matches (error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK));
  if (n > 0)
    lane->filled += (gsize) n;

  return n > 0;
}

/* Nobody asked: it was closed, or the server says what cannot be understood. FALSE: neither. */
static gboolean
dropped_unasked (TfdLane *lane)
{
  gboolean ended;

  if (!fill (lane, &ended) && !ended)
    return FALSE;
  g_queue_remove (&lane->lanes->free, lane);
  tfd_lane_drop (lane);

  return TRUE;
}

/* TRUE: the next read may tell more. */
static gboolean
read_head (TfdLane *lane)
{
  gboolean ended = FALSE, more = fill (lane, &ended);
  TfdLaneHeadState state;
  TfdLaneHead head;

  if (!more && !ended)
    return FALSE;
  state = tfd_lane_head_parse (lane->buffer, lane->filled, &head);
  if (state == TFD_LANE_HEAD_WHOLE)
    take_head (lane, &head);
  else if (state == TFD_LANE_HEAD_ODD || ended)
    {
      if (state == TFD_LANE_HEAD_ODD)
        refuse (lane->lanes, lane->origin);
      answer (lane, NULL);
    }
  tfd_lane_head_clear (&head);

  return more && state == TFD_LANE_HEAD_MORE;
}

static gboolean
readable_cb (G_GNUC_UNUSED int fd, G_GNUC_UNUSED GIOCondition condition, gpointer user_data)
{
  TfdLane *lane = user_data;

  if (lane->answered == NULL)
    return dropped_unasked (lane) ? G_SOURCE_REMOVE : G_SOURCE_CONTINUE;

  g_ref_count_inc (&lane->refs);
  while (read_head (lane))
    ;
  lane_unref (lane);

  return G_SOURCE_CONTINUE;
}

/* Questions */

gboolean
tfd_lane_ask (TfdLane *lane, const char *url, TfdLaneAnswered answered, gpointer user_data)
{
  /* as libsoup reads it, so that the same is asked */
  g_autoptr (GUri) uri = g_uri_parse (url, SOUP_HTTP_URI_FLAGS, NULL);
  GOutputStream *out = g_io_stream_get_output_stream (lane->connection);
  const char *path = uri != NULL ? g_uri_get_path (uri) : "";
  const char *query = uri != NULL ? g_uri_get_query (uri) : NULL;
  g_autofree char *request =
      g_strconcat ("GET ", path[0] != '\0' ? path : "/", query != NULL ? "?" : "",
                   query != NULL ? query : "", " HTTP/1.1\r\n", lane->fields, NULL);
  gsize length = strlen (request);
  gboolean ended;

  /* What follows the last answer is not the beginning of the next, and a stream that has it
   * already, decrypted, would not tell. */
  lane->filled = 0;
  if (fill (lane, &ended) || ended)
    return FALSE;

  /* it is shorter than any buffer of a connection on which nothing else is under way */
  if (uri == NULL || lane->spent ||
      g_pollable_output_stream_write_nonblocking (G_POLLABLE_OUTPUT_STREAM (out), request, length,
                                                  NULL, NULL) != (gssize) length)
    return FALSE;

  lane->answered = answered;
  lane->user_data = user_data;
  arm (lane);

  return TRUE;
}

GPollableInputStream *
tfd_lane_get_stream (TfdLane *lane)
{
  disarm (lane);

  return lane->stream;
}

/* The first */

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

/* The stream of the connection with what was read together with the head: below the one that tells
 * libsoup of the end, and the one that knows where that is. */
static GInputStream *
below (GInputStream *stream)
{
  for (guint i = 0; i < 2 && G_IS_FILTER_INPUT_STREAM (stream); i++)
    stream = g_filter_input_stream_get_base_stream (G_FILTER_INPUT_STREAM (stream));

  return stream;
}

static gboolean
may_be_lane (TfdLanes *lanes, const char *origin, SoupMessage *message)
{
  SoupMessageHeaders *asked = soup_message_get_request_headers (message);
  SoupMessageHeaders *headers = soup_message_get_response_headers (message);
  guint64 length;

  return soup_message_headers_get_one (asked, "Host") != NULL &&
         soup_message_headers_get_one (asked, "Range") == NULL && strchr (origin, '@') == NULL &&
         g_str_is_ascii (origin) && g_hash_table_size (lanes->odd) < MAX_ODD &&
         !g_hash_table_contains (lanes->odd, origin) &&
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
  g_autofree char *origin = g_strndup (url, origin_length (url));
  g_autoptr (GIOStream) connection = connection_of (lanes, message);
  int fd = connection != NULL ? socket_of (connection) : -1;
  TfdLane *lane;

  if (fd < 0 || tfd_login_has_credentials (login) || !may_be_lane (lanes, origin, message) ||
      !G_IS_POLLABLE_INPUT_STREAM (below (stream)) || !is_above (below (stream), connection))
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
  lane->stream = G_POLLABLE_INPUT_STREAM (below (stream));
  lane->connection = g_steal_pointer (&connection);
  lane->fd = fd;
  lane->buffer = g_malloc (BUFFER_SIZE);

  return lane;
}
