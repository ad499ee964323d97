/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Upload send: writes a body to its connection past libsoup, which would carry it there in pieces
 * of 8 KiB: by sendfile () where nobody has to see the bytes, else in large pieces. libsoup has
 * written the head of the request when it asks for the body, and reads the answer when that is at
 * its end: what it has written itself it does not count. */
#include "config.h"
#include "worker/upload-body-private.h"

#include "worker/failure.h"

#include <errno.h>
#include <fcntl.h>
#include <gio/gnetworking.h>
#include <poll.h>

/* So much without a word to the main loop, and so long (milliseconds) is the thread kept waiting
 * for a server that reads slower than we write; then the main loop waits. */
#define STEP_BYTES (G_GUINT64_CONSTANT (16) << 20)
#define STEP_MSEC 2

/* In one go: others use the processor, too. */
#define PIECE (1 << 20)

typedef struct
{
  TfdUploadBody *body;       /* (not owned) the task has it */
  TfdUploadRead *read;       /* (owned) */
  GCancellable *cancellable; /* (owned) (nullable) */
  gulong cancelled;
  guint64 count; /* written in this step */
  int error_number;
} Send;

static void go_on (Send *send);

static void
send_free (Send *send)
{
  if (send->cancelled != 0)
    g_cancellable_disconnect (send->cancellable, send->cancelled);
  g_clear_object (&send->cancellable);
  g_object_unref (send->read->task);
  g_free (send->read);
  g_free (send);
}

/* @error (transfer full) (nullable) */
static void
end (Send *send, GError *error)
{
  GTask *task = send->read->task;

  if (error != NULL)
    g_task_return_error (task, error);
  else
    g_task_return_int (task, 0);
  send_free (send);
}

static void
tell (Send *send, guint64 count)
{
  if (count > 0 && send->body->sent != NULL)
    send->body->sent (count, send->body->sent_data);
}

static gboolean
writable_cb (G_GNUC_UNUSED GObject *stream, gpointer user_data)
{
  go_on (user_data);
  return G_SOURCE_REMOVE;
}

static void
wait_for_server (Send *send)
{
  GOutputStream *out = g_io_stream_get_output_stream (send->body->connection);
  g_autoptr (GSource) source =
      g_pollable_output_stream_create_source (G_POLLABLE_OUTPUT_STREAM (out), send->cancellable);

  g_source_set_callback (source, G_SOURCE_FUNC (writable_cb), send, NULL);
  g_source_attach (source, g_main_context_get_thread_default ());
}

/* --- by the kernel --- */

static void
step_work (gpointer data)
{
  Send *send = data;
  TfdUploadBody *body = send->body;

  while (send->count < MIN (body->left, STEP_BYTES))
    {
      struct pollfd ready = { .fd = body->fd, .events = POLLOUT };
      gssize n = tfd_upload_file_send (body->file, body->next + send->count, body->fd,
                                       (gsize) MIN (body->left - send->count, PIECE));

      if (n > 0)
        send->count += (guint64) n;
      else if (n < 0 && errno == EAGAIN && poll (&ready, 1, STEP_MSEC) > 0)
        continue;
      else
        {
          send->error_number = n == 0 ? ENODATA : errno;
          return;
        }
    }
}

static void
step_done (gpointer data)
{
  Send *send = data;
  TfdUploadBody *body = send->body;
  guint64 count = send->count;
  int error_number = send->error_number;

  send->count = 0;
  send->error_number = 0;
  body->next += count;
  body->left -= count;
  tell (send, count);

  if (error_number == EAGAIN && !g_cancellable_is_cancelled (send->cancellable))
    {
      wait_for_server (send);
      return;
    }
  /* Not from this file system, or a file that has become shorter: reading it says so. */
  if (error_number == EINVAL || error_number == ENOSYS || error_number == EOPNOTSUPP ||
      error_number == ENODATA || error_number == EIO)
    {
      close (body->fd);
      body->fd = -1;
    }
  else if (error_number != 0 && error_number != EAGAIN && error_number != EINTR)
    {
      end (send, g_error_new (G_IO_ERROR, g_io_error_from_errno (error_number), "sending: %s",
                              g_strerror (error_number)));
      return;
    }
  go_on (send);
}

/* --- piece by piece --- */

static void
fill_work (gpointer data)
{
  tfd_upload_body_fill (((Send *) data)->body);
}

static void
fill_done (gpointer data)
{
  Send *send = data;
  TfdUploadBody *body = send->body;
  GError *error = NULL;

  body->reading = FALSE;
  if (body->filled == 0 && body->failure.context != TFD_ERROR_CONTEXT_NONE)
    {
      tfd_failure_to_error (&body->failure, &error);
      end (send, error);
      return;
    }
  go_on (send);
}

/* TRUE while there may be more to write at once. */
static gboolean
write_some (Send *send)
{
  TfdUploadBody *body = send->body;
  GOutputStream *out = g_io_stream_get_output_stream (body->connection);
  GError *error = NULL;
  gssize n = g_pollable_output_stream_write_nonblocking (G_POLLABLE_OUTPUT_STREAM (out),
                                                         body->buffer + body->start, body->filled,
                                                         send->cancellable, &error);

  if (n < 0 && g_error_matches (error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK))
    {
      g_error_free (error);
      wait_for_server (send);
      return FALSE;
    }
  if (n < 0)
    {
      end (send, error);
      return FALSE;
    }

  body->start += (gsize) n;
  body->filled -= (gsize) n;
  tell (send, (guint64) n);
  return TRUE;
}

static void
go_on (Send *send)
{
  TfdUploadBody *body = send->body;

  if (g_cancellable_is_cancelled (send->cancellable))
    {
      end (send, g_error_new_literal (G_IO_ERROR, G_IO_ERROR_CANCELLED, "cancelled"));
      return;
    }
  while (body->filled > 0)
    if (!write_some (send))
      return;

  if (body->left == 0)
    {
      end (send, NULL);
    }
  else if (body->fd >= 0)
    {
      tfd_pool_push (body->pool, step_work, step_done, send);
    }
  else
    {
      body->reading = TRUE;
      tfd_pool_push (body->pool, fill_work, fill_done, send);
    }
}

/* The thread may write to a descriptor of its own when the connection has been closed long since.
 */
static void
cancelled_cb (G_GNUC_UNUSED GCancellable *cancellable, gpointer user_data)
{
  const Send *send = user_data;

  if (send->body->fd >= 0)
    shutdown (send->body->fd, SHUT_RDWR);
}

void
tfd_upload_body_send (TfdUploadBody *body, TfdUploadRead *read)
{
  GCancellable *cancellable = g_task_get_cancellable (read->task);
  Send *send = g_new0 (Send, 1);

  send->body = body;
  send->read = read;
  if (cancellable != NULL)
    {
      send->cancellable = g_object_ref (cancellable);
      send->cancelled = g_cancellable_connect (cancellable, G_CALLBACK (cancelled_cb), send, NULL);
    }
  go_on (send);
}

void
tfd_upload_body_connect (TfdUploadBody *body,
                         GIOStream *connection,
                         TfdUploadBodySent sent,
                         gpointer user_data)
{
  GOutputStream *out = g_io_stream_get_output_stream (connection);

  if (!G_IS_POLLABLE_OUTPUT_STREAM (out) ||
      !g_pollable_output_stream_can_poll (G_POLLABLE_OUTPUT_STREAM (out)))
    return;

  body->connection = g_object_ref (connection);
  body->sent = sent;
  body->sent_data = user_data;
  if (G_IS_SOCKET_CONNECTION (connection))
    {
      GSocket *socket = g_socket_connection_get_socket (G_SOCKET_CONNECTION (connection));

      body->fd = fcntl (g_socket_get_fd (socket), F_DUPFD_CLOEXEC, 3);
    }
}
