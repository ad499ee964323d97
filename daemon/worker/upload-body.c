/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Upload body: a range of the source as the stream that libsoup sends. */
#include "config.h"
#include "worker/upload-body-private.h"

#include "worker/failure.h"

#include <string.h>
#include <unistd.h>

G_DEFINE_FINAL_TYPE (TfdUploadBody, tfd_upload_body, G_TYPE_INPUT_STREAM)

static void
tfd_upload_body_finalize (GObject *object)
{
  TfdUploadBody *self = TFD_UPLOAD_BODY (object);

  g_clear_pointer (&self->file, tfd_upload_file_unref);
  g_clear_object (&self->connection);
  if (self->fd >= 0)
    close (self->fd);
  tfd_failure_clear (&self->failure);
  g_free (self->buffer);

  G_OBJECT_CLASS (tfd_upload_body_parent_class)->finalize (object);
}

void
tfd_upload_body_fill (TfdUploadBody *self)
{
  gsize count = (gsize) MIN (self->left, TFD_UPLOAD_BUFFER_SIZE);

  if (self->buffer == NULL)
    self->buffer = g_malloc (TFD_UPLOAD_BUFFER_SIZE);
  self->start = self->filled = 0;
  if (!tfd_upload_file_read (self->file, self->next, self->buffer, count, &self->failure))
    return;
  self->filled = count;
  self->next += count;
  self->left -= count;
}

/* From the buffer; -1 and @error when it could not be filled. */
static gssize
take (TfdUploadBody *self, gpointer data, gsize count, GError **error)
{
  count = MIN (count, self->filled);
  if (count == 0 && self->failure.context != TFD_ERROR_CONTEXT_NONE)
    {
      tfd_failure_to_error (&self->failure, error);
      return -1;
    }

  if (count > 0)
    memcpy (data, self->buffer + self->start, count);
  self->start += count;
  self->filled -= count;

  return (gssize) count;
}

static gssize
read_fn (GInputStream *stream,
         void *buffer,
         gsize count,
         G_GNUC_UNUSED GCancellable *cancellable,
         GError **error)
{
  TfdUploadBody *self = TFD_UPLOAD_BODY (stream);

  if (self->filled == 0 && self->left > 0)
    tfd_upload_body_fill (self);

  return take (self, buffer, count, error);
}

static void
return_read (GTask *task, TfdUploadBody *self, gpointer data, gsize count)
{
  GError *error = NULL;
  gssize n = take (self, data, count, &error);

  if (n >= 0)
    g_task_return_int (task, n);
  else
    g_task_return_error (task, error);
}

static void
fill_work (gpointer data)
{
  tfd_upload_body_fill (g_task_get_source_object (((TfdUploadRead *) data)->task));
}

static void
fill_done (gpointer data)
{
  TfdUploadRead *read = data;
  TfdUploadBody *self = g_task_get_source_object (read->task);

  self->reading = FALSE;
  /* Who has given up waiting has freed what was to be filled. */
  if (!g_task_return_error_if_cancelled (read->task))
    return_read (read->task, self, read->data, read->count);
  g_object_unref (read->task);
  g_free (read);
}

static void
start_read (TfdUploadBody *self, TfdUploadRead *read)
{
  if (self->connection != NULL)
    {
      tfd_upload_body_send (self, read);
      return;
    }
  self->reading = TRUE;
  tfd_pool_push (self->pool, fill_work, fill_done, read);
}

static void
read_async (GInputStream *stream,
            void *buffer,
            gsize count,
            int priority,
            GCancellable *cancellable,
            GAsyncReadyCallback callback,
            gpointer user_data)
{
  TfdUploadBody *self = TFD_UPLOAD_BODY (stream);
  g_autoptr (GTask) task = g_task_new (stream, cancellable, callback, user_data);
  TfdUploadRead *read;

  g_task_set_priority (task, priority);
  if (self->filled > 0 || self->left == 0)
    {
      return_read (task, self, buffer, count);
      return;
    }

  read = g_new0 (TfdUploadRead, 1);
  read->task = g_steal_pointer (&task);
  read->data = buffer;
  read->count = count;
  if (!self->held)
    {
      start_read (self, read);
      return;
    }
  self->waiting = read;
  self->wanted (self->wanted_data);
}

static gssize
read_finish (G_GNUC_UNUSED GInputStream *stream, GAsyncResult *result, GError **error)
{
  return g_task_propagate_int (G_TASK (result), error);
}

/* There is nothing to close that a thread would be needed for. */
static void
close_async (GInputStream *stream,
             int priority,
             GCancellable *cancellable,
             GAsyncReadyCallback callback,
             gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (stream, cancellable, callback, user_data);

  g_task_set_priority (task, priority);
  g_task_return_boolean (task, TRUE);
}

static gboolean
close_finish (G_GNUC_UNUSED GInputStream *stream, GAsyncResult *result, GError **error)
{
  return g_task_propagate_boolean (G_TASK (result), error);
}

static void
tfd_upload_body_class_init (TfdUploadBodyClass *klass)
{
  GInputStreamClass *stream_class = G_INPUT_STREAM_CLASS (klass);

  G_OBJECT_CLASS (klass)->finalize = tfd_upload_body_finalize;
  stream_class->read_fn = read_fn;
  stream_class->read_async = read_async;
  stream_class->read_finish = read_finish;
  stream_class->close_async = close_async;
  stream_class->close_finish = close_finish;
}

static void
tfd_upload_body_init (TfdUploadBody *self)
{
  self->fd = -1;
}

TfdUploadBody *
tfd_upload_body_new (TfdUploadFile *file, TfdPool *pool, guint64 first, guint64 length)
{
  TfdUploadBody *self = g_object_new (TFD_TYPE_UPLOAD_BODY, NULL);

  self->file = tfd_upload_file_ref (file);
  self->pool = pool;
  self->next = first;
  self->left = length;

  return self;
}

void
tfd_upload_body_hold (TfdUploadBody *body, TfdUploadBodyWanted wanted, gpointer user_data)
{
  body->held = TRUE;
  body->wanted = wanted;
  body->wanted_data = user_data;
}

void
tfd_upload_body_release (TfdUploadBody *body)
{
  body->held = FALSE;
  if (body->waiting != NULL)
    start_read (body, g_steal_pointer (&body->waiting));
}

void
tfd_upload_body_forget (TfdUploadBody *body)
{
  body->sent = NULL;
}

gboolean
tfd_upload_body_is_reading (TfdUploadBody *body)
{
  return body->reading;
}

const TfdFailure *
tfd_upload_body_get_failure (TfdUploadBody *body)
{
  return !body->reading && body->failure.context != TFD_ERROR_CONTEXT_NONE ? &body->failure : NULL;
}
