/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Writer: writes a part in a thread, one write after the other. */
#include "config.h"
#include "worker/writer.h"

#include "worker/failure.h"

/* References are those of the main loop; one of them stands for the thread. */
struct _TfdWriter
{
  TfdPool *pool;        /* (not owned) */
  TfdPart *part;        /* (owned) */
  GAsyncQueue *waiting; /* (owned) (element-type Write) */
  gboolean running;     /* a thread takes what waits; under the lock of the queue */
  gboolean failed;      /* of the thread */
};

typedef struct
{
  TfdWriter *writer; /* (owned) */
  guint64 offset;
  const guint8 *data; /* (not owned) */
  gsize count;
  gsize written;
  TfdFailure failure;
  TfdWriterDone done;
  gpointer user_data;
} Write;

static void
writer_clear (gpointer data)
{
  TfdWriter *writer = data;

  g_async_queue_unref (writer->waiting);
  tfd_part_unref (writer->part);
}

void
tfd_writer_unref (TfdWriter *writer)
{
  g_rc_box_release_full (writer, writer_clear);
}

TfdWriter *
tfd_writer_new (TfdPool *pool, TfdPart *part)
{
  TfdWriter *writer = g_rc_box_new0 (TfdWriter);

  writer->pool = pool;
  writer->part = tfd_part_ref (part);
  writer->waiting = g_async_queue_new ();

  return writer;
}

static void
write_told (gpointer data)
{
  Write *write = data;

  write->done (write->written, &write->failure, write->user_data);
  tfd_failure_clear (&write->failure);
  tfd_writer_unref (write->writer);
  g_free (write);
}

/* (nullable) In the thread: NULL is its end, and the next that comes needs another. */
static Write *
take_next (TfdWriter *writer)
{
  Write *write;

  g_async_queue_lock (writer->waiting);
  write = g_async_queue_try_pop_unlocked (writer->waiting);
  writer->running = write != NULL;
  g_async_queue_unlock (writer->waiting);

  return write;
}

static void
writer_work (gpointer data)
{
  TfdWriter *writer = data;
  Write *write;

  while ((write = take_next (writer)) != NULL)
    {
      if (!writer->failed)
        write->written = tfd_part_write_at (writer->part, write->offset, write->data, write->count,
                                            &write->failure);
      writer->failed |= write->written < write->count;
      tfd_pool_tell (writer->pool, write_told, write);
    }
}

static void
writer_done (gpointer data)
{
  tfd_writer_unref (data);
}

/* TRUE: no thread is at it. */
static gboolean
put_last (TfdWriter *writer, Write *write)
{
  gboolean running;

  g_async_queue_lock (writer->waiting);
  g_async_queue_push_unlocked (writer->waiting, write);
  running = writer->running;
  writer->running = TRUE;
  g_async_queue_unlock (writer->waiting);

  return !running;
}

void
tfd_writer_write (TfdWriter *writer,
                  guint64 offset,
                  const guint8 *data,
                  gsize count,
                  TfdWriterDone done,
                  gpointer user_data)
{
  Write *write = g_new0 (Write, 1);

  write->writer = g_rc_box_acquire (writer);
  write->offset = offset;
  write->data = data;
  write->count = count;
  write->done = done;
  write->user_data = user_data;

  if (put_last (writer, write))
    tfd_pool_push (writer->pool, writer_work, writer_done, g_rc_box_acquire (writer));
}
