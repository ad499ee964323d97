/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Write behind: a large file is written in a thread while more of it comes in. Past the page cache
 * a write takes as long as the disk takes. */
#include "config.h"
#include "worker/download-private.h"

#include "worker/buffer.h"

typedef struct
{
  TfdDownload *self; /* (owned) */
  guint serial;      /* of the request whose body it came with */
  guint8 *buffer;    /* (owned) (nullable) */
  gsize count;
} Write;

static void
write_free (Write *write)
{
  if (write->buffer != NULL)
    tfd_buffer_give_large (write->buffer);
  g_object_unref (write->self);
  g_free (write);
}

/* A checkpoint that was asked for before the bytes were on their way to the disk. */
static void
checkpoint_if_asked (TfdDownload *self)
{
  if (!self->asked || self->queued > 0)
    return;

  self->asked = FALSE;
  if (self->phase == TFD_PHASE_BODY && !self->checkpointing &&
      self->part->length > self->checkpoint_length)
    tfd_download_work_checkpoint (self);
}

/* Either this ends the body, or there is room again in it. */
static void
give_back (TfdDownload *self, Write *write)
{
  if (self->body != NULL && write->serial == self->serial)
    tfd_body_give_back (self->body, g_steal_pointer (&write->buffer));
}

static void
written_cb (gsize written, const TfdFailure *failure, gpointer user_data)
{
  Write *write = user_data;
  TfdDownload *self = write->self;

  self->part->length += written;
  self->queued -= write->count;

  if (self->phase == TFD_PHASE_BODY)
    {
      if (tfd_download_wrote (self, failure))
        give_back (self, write);
    }
  else
    self->client->progressed (TFD_TRANSFER (self), self->user_data);
  checkpoint_if_asked (self);
  tfd_download_work_ended (self);
  write_free (write);
}

void
tfd_download_write_behind (TfdDownload *self, guint8 *buffer, gsize start, gsize count)
{
  guint64 offset = self->part->length + self->queued;
  Write *write = g_new0 (Write, 1);

  if (self->writer == NULL)
    self->writer = tfd_writer_new (self->tools->writers, self->part);
  write->self = g_object_ref (self);
  write->serial = self->serial;
  write->buffer = buffer;
  write->count = count;
  self->pending++;
  self->queued += count;

  tfd_writer_write (self->writer, offset, buffer + start, count, written_cb, write);
}
