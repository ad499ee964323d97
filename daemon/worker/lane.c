/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Lane: many small files on a connection that libsoup has made. */
#include "config.h"
#include "worker/lane.h"

#include "worker/body.h"
#include "worker/lane-head.h"

#include <string.h>

#define BUFFER_SIZE (2 * TFD_LANE_MAX_HEAD)

/* Seconds that an unused lane is kept, as libsoup keeps connections. */
#define KEEP_ALIVE 15

/* More that nobody uses are not kept: libsoup takes them for used, and would let others wait. */
#define MAX_FREE 64

/* Servers of which it is remembered that their answers are out of the ordinary. */
#define MAX_ODD 64

struct _TfdLanes
{
  GQueue free;     /* (owned) (element-type TfdLane) the last that was given back first */
  GHashTable *odd; /* (owned) origins whose answers are not for lanes */
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

static gboolean readable_cb (GObject *stream, gpointer user_data);

static void
arm (TfdLane *lane)
{
  if (lane->source != NULL)
    return;
  lane->source = g_pollable_input_stream_create_source (lane->stream, NULL);
  g_source_set_callback (lane->source, G_SOURCE_FUNC (readable_cb), lane, NULL);
  /* Else GLib takes the descriptor out of what is polled while it is called, and puts it back, with
   * a call of the kernel for each of that. */
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

TfdLanes *
tfd_lanes_new (void)
{
  TfdLanes *lanes = g_new0 (TfdLanes, 1);

  g_queue_init (&lanes->free);
  lanes->odd = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);

  return lanes;
}

void
tfd_lanes_free (TfdLanes *lanes)
{
  g_clear_handle_id (&lanes->timer, g_source_remove);
  g_queue_clear_full (&lanes->free, (GDestroyNotify) tfd_lane_drop);
  g_hash_table_unref (lanes->odd);
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

static gboolean
readable_cb (G_GNUC_UNUSED GObject *stream, gpointer user_data)
{
  TfdLane *lane = user_data;
  TfdLaneHeadState state;
  gboolean ended = FALSE;
  TfdLaneHead head;

  /* Nobody asked: it was closed, or the server says what cannot be understood. */
  if (lane->answered == NULL)
    {
      if (!fill (lane, &ended) && !ended)
        return G_SOURCE_CONTINUE;
      g_queue_remove (&lane->lanes->free, lane);
      tfd_lane_drop (lane);
      return G_SOURCE_REMOVE;
    }

  if (!fill (lane, &ended) && !ended)
    return G_SOURCE_CONTINUE;
  g_ref_count_inc (&lane->refs);
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

static void
event_cb (G_GNUC_UNUSED SoupMessage *message,
          GSocketClientEvent event,
          GIOStream *connection,
          gpointer user_data)
{
  if (event == G_SOCKET_CLIENT_COMPLETE)
    g_set_object ((GIOStream **) user_data, connection);
}

gulong
tfd_lane_propose (SoupMessage *message, GIOStream **connection)
{
  return g_signal_connect (message, "network-event", G_CALLBACK (event_cb), connection);
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

  return soup_message_headers_get_one (asked, "Host") != NULL && strchr (origin, '@') == NULL &&
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
              GIOStream *connection,
              GCancellable *cancellable)
{
  g_autofree char *origin = g_strndup (url, origin_length (url));
  TfdLane *lane;

  if (tfd_login_has_credentials (login) || !may_be_lane (lanes, origin, message) ||
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
  lane->connection = g_object_ref (connection);
  lane->buffer = g_malloc (BUFFER_SIZE);

  return lane;
}
