/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Lane: many small files on a connection that libsoup has made: asking, and what is answered. */
#include "config.h"
#include "worker/lane-private.h"

#include "worker/body.h"

#include <glib-unix.h>
#include <string.h>

static gboolean readable_cb (int fd, GIOCondition condition, gpointer user_data);

/* What comes is read until there is nothing more, so that the socket tells of the next. The source
 * of the stream would be three, one above the other, and GLib takes those out of what is polled
 * while it calls them, and puts them back, with a call of the kernel for each of that. */
void
tfd_lane_arm (TfdLane *lane)
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

/* Answers */

static void
answer (TfdLane *lane, const TfdLaneAnswer *what)
{
  TfdLaneAnswered answered = lane->answered;

  lane->answered = NULL;
  answered (what, lane->user_data);
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
  gssize n = g_pollable_input_stream_read_nonblocking (
      lane->stream, lane->buffer + lane->filled, TFD_LANE_BUFFER - lane->filled, NULL, &error);

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
        tfd_lanes_refuse (lane->lanes, lane->origin);
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
  tfd_lane_arm (lane);

  return TRUE;
}

GPollableInputStream *
tfd_lane_get_stream (TfdLane *lane)
{
  disarm (lane);

  return lane->stream;
}
