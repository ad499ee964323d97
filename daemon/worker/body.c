/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Body: reads what a server sends into large buffers without blocking. */
#include "config.h"
#include "worker/body.h"

#include "common/error.h"
#include "worker/buffer.h"
#include "worker/chunked.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* Below this a pause of the server is no reason to write. */
#define WRITE_FROM (64 * 1024)

/* So many bytes in one go, then the other files have their turn. */
#define TURN_BYTES (4 * TFD_BUFFER_SIZE)

/* What the larger kind of buffers is aligned to. */
#define ALIGNMENT 4096

struct _TfdBody
{
  GInputStream *stream;           /* (owned) (nullable) as libsoup gave it */
  GPollableInputStream *pollable; /* (not owned) what is read: the stream or what lies below it */
  int fd;
  gboolean chunked;
  gboolean counted; /* it has so many bytes left: */
  guint64 left;
  gboolean ended;
  TfdChunked decoder;
  GSource *source;  /* (owned) (nullable) none while all buffers are handed over, and at the end */
  gboolean waiting; /* it is that of the stream */
  guint8 *buffer;   /* (owned) (nullable) what is being filled: none while all are handed over */
  guint8 *other;    /* (owned) (nullable) the one after it, of two large ones */
  guint handed;     /* large ones that are handed over */
  gsize size;
  gsize write_from; /* a pause of the server is a reason to write from so many bytes on */
  gsize start;      /* where in the buffer the bytes begin: not 0 in a large one only */
  gsize filled;
  gint64 last_read;
  TfdBodyWrite write;
  TfdBodyHandOver hand_over; /* (nullable) instead: the buffers are large */
  TfdBodyEnd end;
  gpointer user_data;
  gboolean over; /* the end waits for what is handed over */
  GError *error; /* (owned) (nullable) what it was */
};

static gssize
read_some (TfdBody *body, GError **error)
{
  gsize room = body->size - body->start - body->filled;
  guint8 *at = body->buffer + body->start + body->filled;
  gssize n;

  if (body->counted && body->left == 0)
    return 0;
  if (body->counted)
    room = (gsize) MIN (room, body->left);
  if (body->pollable != NULL)
    {
      n = g_pollable_input_stream_read_nonblocking (body->pollable, at, room, NULL, error);
    }
  else
    {
      do
        n = read (body->fd, at, room);
      while (n < 0 && errno == EINTR);
      if (n < 0)
        g_set_error (error, G_IO_ERROR, g_io_error_from_errno (errno), "reading: %s",
                     g_strerror (errno));
    }

  if (n > 0 && body->counted)
    body->left -= (guint64) n;
  if (n <= 0 || !body->chunked)
    return n;

  n = tfd_chunked_decode (&body->decoder, at, (gsize) n);
  if (n < 0)
    g_set_error_literal (error, TFD_ERROR, TFD_ERROR_INVALID_SERVER_RESPONSE,
                         "the server sent chunks that make no sense");
  else if (n == 0)
    n = G_MAXSSIZE; /* only framing: go on */

  return n;
}

gboolean
tfd_body_flush (TfdBody *body)
{
  guint8 *buffer = body->buffer;
  gsize start = body->start;
  gsize count = body->filled;

  if (count == 0)
    return TRUE;

  body->filled = 0;
  if (body->hand_over == NULL)
    return body->write (buffer + start, count, body->user_data);

  body->buffer = g_steal_pointer (&body->other);
  body->start = (start + count) % ALIGNMENT;
  body->handed++;
  return body->hand_over (buffer, start, count, body->user_data);
}

static void
disarm (TfdBody *body)
{
  if (body->source == NULL)
    return;
  g_source_destroy (body->source);
  g_clear_pointer (&body->source, g_source_unref);
}

static void
finish (TfdBody *body, const GError *error)
{
  disarm (body);
  if (!tfd_body_flush (body))
    return;

  body->ended = error == NULL;
  if (body->handed > 0)
    {
      body->over = TRUE;
      body->error = error != NULL ? g_error_copy (error) : NULL;
      return;
    }
  body->end (error, body->user_data);
}

/* One read; TRUE while there may be more at once. */
static gboolean
step (TfdBody *body, gboolean *blocked)
{
  g_autoptr (GError) error = NULL;
  gssize n = read_some (body, &error);

  *blocked = FALSE;
  if (n < 0 && g_error_matches (error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK))
    {
      *blocked = TRUE;
      return FALSE;
    }
  if (n == 0 && ((body->chunked && !tfd_chunked_is_complete (&body->decoder)) || body->left > 0))
    {
      g_set_error_literal (&error, G_IO_ERROR, G_IO_ERROR_PARTIAL_INPUT,
                           "the connection was closed before the end");
      n = -1;
    }
  if (n <= 0)
    {
      finish (body, error);
      return FALSE;
    }

  body->last_read = g_get_monotonic_time ();
  if (n != G_MAXSSIZE)
    body->filled += (gsize) n;
  if ((body->chunked && tfd_chunked_is_complete (&body->decoder)) ||
      (body->counted && body->left == 0))
    {
      finish (body, NULL);
      return FALSE;
    }

  return TRUE;
}

static gboolean turn_cb (gpointer user_data);

static gboolean
readable_cb (G_GNUC_UNUSED GObject *pollable, gpointer user_data)
{
  return turn_cb (user_data);
}

/* Waits for the server, or just for the other files to have their turn. Only a read that would have
 * blocked says that there is something to wait for: after the last byte of a body of known length
 * nothing more comes, and the end is not seen before the next read. */
static void
arm (TfdBody *body, gboolean waiting)
{
  disarm (body);
  body->waiting = waiting;
  if (waiting)
    {
      body->source = g_pollable_input_stream_create_source (body->pollable, NULL);
      g_source_set_callback (body->source, G_SOURCE_FUNC (readable_cb), body, NULL);
      g_source_set_can_recurse (body->source, TRUE); /* cheaper: see lane.c */
    }
  else
    {
      body->source = g_idle_source_new ();
      g_source_set_priority (body->source, G_PRIORITY_DEFAULT);
      g_source_set_callback (body->source, turn_cb, body, NULL);
    }
  g_source_attach (body->source, g_main_context_get_thread_default ());
}

static gboolean
go_on (TfdBody *body, gboolean waiting)
{
  if (body->waiting == waiting)
    return G_SOURCE_CONTINUE;

  arm (body, waiting);
  return G_SOURCE_REMOVE;
}

static gboolean
turn_cb (gpointer user_data)
{
  TfdBody *body = user_data;

  for (gsize read = 0; read < TURN_BYTES; read += body->size)
    {
      gboolean blocked;

      if (body->buffer == NULL)
        {
          disarm (body);
          return G_SOURCE_REMOVE;
        }
      while (body->start + body->filled < body->size)
        {
          if (step (body, &blocked))
            continue;
          if (!blocked)
            return G_SOURCE_REMOVE;
          if (body->filled >= body->write_from && !tfd_body_flush (body))
            return G_SOURCE_REMOVE;
          return go_on (body, TRUE);
        }
      if (!tfd_body_flush (body))
        return G_SOURCE_REMOVE;
    }

  return go_on (body, FALSE);
}

static TfdBody *
body_new (TfdBodyWrite write, TfdBodyEnd end, gpointer user_data)
{
  TfdBody *body = g_new0 (TfdBody, 1);

  body->fd = -1;
  body->write = write;
  body->end = end;
  body->user_data = user_data;
  body->buffer = tfd_buffer_take ();
  body->size = TFD_BUFFER_SIZE;
  body->write_from = WRITE_FROM;
  body->last_read = g_get_monotonic_time ();

  return body;
}

GInputStream *
tfd_body_below_decoder (GInputStream *stream)
{
  for (guint i = 0; i < 2 && G_IS_FILTER_INPUT_STREAM (stream); i++)
    stream = g_filter_input_stream_get_base_stream (G_FILTER_INPUT_STREAM (stream));

  return stream;
}

TfdBody *
tfd_body_new (
    GInputStream *stream, gboolean chunked, TfdBodyWrite write, TfdBodyEnd end, gpointer user_data)
{
  TfdBody *body = body_new (write, end, user_data);

  body->stream = g_object_ref (stream);
  body->chunked = chunked;
  body->pollable = G_POLLABLE_INPUT_STREAM (chunked ? tfd_body_below_decoder (stream) : stream);
  arm (body, FALSE);

  return body;
}

TfdBody *
tfd_body_new_of_length (GPollableInputStream *stream,
                        guint64 length,
                        const guint8 *data,
                        gsize count,
                        TfdBodyWrite write,
                        TfdBodyEnd end,
                        gpointer user_data)
{
  TfdBody *body = body_new (write, end, user_data);

  g_assert (count <= body->size && count <= length);
  body->pollable = stream;
  body->counted = TRUE;
  body->left = length - count;
  body->filled = count;
  if (count > 0)
    memcpy (body->buffer, data, count);
  arm (body, FALSE);

  return body;
}

TfdBody *
tfd_body_new_for_fd (int fd, TfdBodyWrite write, TfdBodyEnd end, gpointer user_data)
{
  TfdBody *body = body_new (write, end, user_data);

  body->fd = fd;
  arm (body, FALSE);

  return body;
}

gboolean
tfd_body_enlarge (TfdBody *body, guint64 offset, TfdBodyHandOver hand_over)
{
  guint8 *first = tfd_buffer_take_large ();
  guint8 *second = tfd_buffer_take_large ();

  if (first == NULL || second == NULL)
    {
      g_clear_pointer (&first, tfd_buffer_give_large);
      g_clear_pointer (&second, tfd_buffer_give_large);
      return FALSE;
    }

  tfd_buffer_give (body->buffer);
  body->buffer = first;
  body->other = second;
  body->hand_over = hand_over;
  body->size = TFD_BUFFER_LARGE;
  body->write_from = TFD_BUFFER_LARGE;
  body->start = (gsize) (offset % ALIGNMENT);

  return TRUE;
}

void
tfd_body_give_back (TfdBody *body, guint8 *buffer)
{
  g_autoptr (GError) error = NULL;

  body->handed--;
  if (body->buffer == NULL)
    body->buffer = buffer;
  else
    body->other = buffer;

  /* While the disk was waited for the server had no chance. */
  body->last_read = g_get_monotonic_time ();
  error = body->handed == 0 ? g_steal_pointer (&body->error) : NULL;
  if (body->over && body->handed == 0)
    body->end (error, body->user_data);
  else if (!body->over && body->source == NULL)
    arm (body, FALSE);
}

gboolean
tfd_body_has_handed_over (TfdBody *body)
{
  return body->handed > 0;
}

void
tfd_body_drop_stream (GInputStream *stream)
{
  g_autoptr (GCancellable) cancelled = g_cancellable_new ();

  /* An ordinary close would read the rest first. */
  g_cancellable_cancel (cancelled);
  g_input_stream_close (stream, cancelled, NULL);
}

void
tfd_body_free (TfdBody *body)
{
  disarm (body);
  if (body->stream != NULL)
    {
      if (body->ended && !body->chunked)
        g_input_stream_close (body->stream, NULL, NULL);
      else
        tfd_body_drop_stream (body->stream);
      g_object_unref (body->stream);
    }
  if (body->fd >= 0)
    close (body->fd);
  if (body->hand_over == NULL)
    tfd_buffer_give (body->buffer);
  else
    {
      g_clear_pointer (&body->buffer, tfd_buffer_give_large);
      g_clear_pointer (&body->other, tfd_buffer_give_large);
    }
  g_clear_error (&body->error);
  g_free (body);
}

gint64
tfd_body_get_last_read (TfdBody *body)
{
  /* With all buffers handed over, or all bytes there, it is not the server that is waited for. */
  return body->buffer != NULL && !body->over ? body->last_read : g_get_monotonic_time ();
}
