/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Body: reads what a server sends into large buffers without blocking. */
#include "config.h"
#include "worker/body.h"

#include "common/error.h"
#include "worker/chunked.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#define BUFFER_SIZE (256 * 1024)

/* Below this a pause of the server is no reason to write. */
#define WRITE_FROM (64 * 1024)

/* So many buffers in one go, then the other files have their turn. */
#define TURN_BUFFERS 4

/* The larger kind, and what it is aligned to. */
#define LARGE_BUFFER_SIZE (1024 * 1024)
#define ALIGNMENT 4096

/* Emptied buffers kept for the next file. */
#define SPARE_BUFFERS 8

struct _TfdBody
{
  GInputStream *stream;           /* (owned) (nullable) as libsoup gave it */
  GPollableInputStream *pollable; /* (not owned) what is read: the stream or what lies below it */
  int fd;
  gboolean chunked;
  gboolean ended;
  TfdChunked decoder;
  GSource *source;  /* (owned) */
  gboolean waiting; /* it is that of the stream */
  guint8 *buffer;
  gsize size;
  gsize write_from; /* a pause of the server is a reason to write from so many bytes on */
  gsize start;      /* where in the buffer the bytes begin: not 0 in a large one only */
  gsize filled;
  gint64 last_read;
  TfdBodyWrite write;
  TfdBodyEnd end;
  gpointer user_data;
};

static guint8 *spare[SPARE_BUFFERS];
static guint n_spare;

static guint8 *
take_buffer (void)
{
  return n_spare > 0 ? spare[--n_spare] : g_malloc (BUFFER_SIZE);
}

static void
give_buffer (guint8 *buffer, gsize size)
{
  if (size != BUFFER_SIZE)
    free (buffer);
  else if (n_spare < SPARE_BUFFERS)
    spare[n_spare++] = buffer;
  else
    g_free (buffer);
}

static gssize
read_some (TfdBody *body, GError **error)
{
  gsize room = body->size - body->start - body->filled;
  guint8 *at = body->buffer + body->start + body->filled;
  gssize n;

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
  const guint8 *data = body->buffer + body->start;
  gsize count = body->filled;

  body->filled = 0;
  if (body->size == LARGE_BUFFER_SIZE)
    body->start = (body->start + count) % ALIGNMENT;
  return count == 0 || body->write (data, count, body->user_data);
}

static void
finish (TfdBody *body, const GError *error)
{
  g_source_destroy (body->source);
  if (!tfd_body_flush (body))
    return;

  body->ended = error == NULL;
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
  if (n == 0 && body->chunked && !tfd_chunked_is_complete (&body->decoder))
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
  if (body->chunked && tfd_chunked_is_complete (&body->decoder))
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
  if (body->source != NULL)
    {
      g_source_destroy (body->source);
      g_source_unref (body->source);
    }
  body->waiting = waiting;
  if (waiting)
    {
      body->source = g_pollable_input_stream_create_source (body->pollable, NULL);
      g_source_set_callback (body->source, G_SOURCE_FUNC (readable_cb), body, NULL);
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

  for (guint i = 0; i < TURN_BUFFERS; i++)
    {
      gboolean blocked;

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
  body->buffer = take_buffer ();
  body->size = BUFFER_SIZE;
  body->write_from = WRITE_FROM;
  body->last_read = g_get_monotonic_time ();

  return body;
}

/* The stream below libsoup's decoder, which starts with what was read together with the headers. */
static GInputStream *
below_decoder (GInputStream *stream)
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
  body->pollable = G_POLLABLE_INPUT_STREAM (chunked ? below_decoder (stream) : stream);
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

void
tfd_body_align (TfdBody *body, guint64 offset)
{
  guint8 *buffer = aligned_alloc (ALIGNMENT, LARGE_BUFFER_SIZE);

  if (buffer == NULL)
    return;

  give_buffer (body->buffer, body->size);
  body->buffer = buffer;
  body->size = LARGE_BUFFER_SIZE;
  body->write_from = LARGE_BUFFER_SIZE;
  body->start = (gsize) (offset % ALIGNMENT);
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
  g_source_destroy (body->source);
  g_source_unref (body->source);
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
  give_buffer (body->buffer, body->size);
  g_free (body);
}

gint64
tfd_body_get_last_read (TfdBody *body)
{
  return body->last_read;
}
