/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Write behind: a large file is written in a thread while more of it comes in. Past the page cache
 * a write takes as long as the disk takes. */
#include "config.h"
#include "worker/download-private.h"

#include "worker/buffer.h"

typedef struct
{
  TfdDownload *self; /* (owned) only looked at in the main loop */
  TfdPart *part;     /* (owned) */
  guint serial;      /* of the request whose body it came with */
  guint8 *buffer;    /* (owned) */
  gsize start;
  gsize count;
  guint64 offset;
  gsize written;
  TfdFailure failure;
} Write;

static void write_next (TfdDownload *self);

static void
write_free (Write *write)
{
  TfdDownload *self = write->self;

  self->queued -= write->count;
  if (write->buffer != NULL)
    tfd_buffer_give_large (write->buffer);
  tfd_failure_clear (&write->failure);
  tfd_part_unref (write->part);
  g_free (write);
  g_object_unref (self);
}

static void
write_work (gpointer data)
{
  Write *write = data;

  write->written = tfd_part_write_at (write->part, write->offset, write->buffer + write->start,
                                      write->count, &write->failure);
}

/* What comes after bytes that are missing is of no use. */
static void
drop_rest (TfdDownload *self)
{
  Write *write;

  while ((write = g_queue_pop_head (&self->writes)) != NULL)
    {
      self->pending--;
      write_free (write);
    }
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
write_done (gpointer data)
{
  Write *write = data;
  g_autoptr (TfdDownload) self = g_object_ref (write->self);
  gboolean failed = write->written < write->count;

  g_queue_pop_head (&self->writes);
  self->part->length += write->written;
  if (failed)
    drop_rest (self);
  else
    write_next (self);
  self->queued -= write->count;
  write->count = 0;

  if (self->phase == TFD_PHASE_BODY)
    {
      if (tfd_download_wrote (self, &write->failure))
        give_back (self, write);
    }
  else
    self->client->progressed (TFD_TRANSFER (self), self->user_data);
  checkpoint_if_asked (self);
  tfd_download_work_ended (self);
  write_free (write);
}

static void
write_next (TfdDownload *self)
{
  Write *write = g_queue_peek_head (&self->writes);

  if (write == NULL)
    return;
  write->offset = self->part->length;
  tfd_pool_push (self->tools->writers, write_work, write_done, write);
}

void
tfd_download_write_behind (TfdDownload *self, guint8 *buffer, gsize start, gsize count)
{
  Write *write = g_new0 (Write, 1);

  write->self = g_object_ref (self);
  write->part = tfd_part_ref (self->part);
  write->serial = self->serial;
  write->buffer = buffer;
  write->start = start;
  write->count = count;
  self->pending++;
  self->queued += count;

  g_queue_push_tail (&self->writes, write);
  if (self->writes.length == 1)
    write_next (self);
}
