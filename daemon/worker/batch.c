/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Batch: many small pieces of work for a thread. */
#include "config.h"
#include "worker/batch.h"

/* So many are worth waking a thread, … */
#define ENOUGH 32

/* … and fewer wait so long. */
#define WAIT_MSEC 2

typedef struct
{
  TfdPoolFunc work;
  TfdPoolFunc done;
  gpointer data;
} Piece;

struct _TfdBatch
{
  TfdPool *pool; /* (not owned) */
  GArray *next;  /* (owned) (element-type Piece) what is collected */
  GArray *begun; /* (owned) (nullable) (element-type Piece) what a thread has */
  gboolean due;  /* what is collected follows that at once */
  guint timer;
};

static void begin (TfdBatch *batch);

static void
begun_work (gpointer data)
{
  const TfdBatch *batch = data;

  for (guint i = 0; i < batch->begun->len; i++)
    {
      const Piece *piece = &g_array_index (batch->begun, Piece, i);

      piece->work (piece->data);
    }
}

static void
begun_done (gpointer data)
{
  TfdBatch *batch = data;
  g_autoptr (GArray) begun = g_steal_pointer (&batch->begun);

  if (batch->due || batch->next->len >= ENOUGH)
    begin (batch);
  for (guint i = 0; i < begun->len; i++)
    {
      const Piece *piece = &g_array_index (begun, Piece, i);

      piece->done (piece->data);
    }
}

static void
begin (TfdBatch *batch)
{
  g_clear_handle_id (&batch->timer, g_source_remove);
  batch->due = batch->begun != NULL;
  if (batch->due || batch->next->len == 0)
    return;

  batch->begun = g_steal_pointer (&batch->next);
  batch->next = g_array_new (FALSE, FALSE, sizeof (Piece));
  tfd_pool_push (batch->pool, begun_work, begun_done, batch);
}

static gboolean
timer_cb (gpointer user_data)
{
  TfdBatch *batch = user_data;

  batch->timer = 0;
  begin (batch);

  return G_SOURCE_REMOVE;
}

void
tfd_batch_push (TfdBatch *batch, TfdPoolFunc work, TfdPoolFunc done, gpointer data, gboolean last)
{
  const Piece piece = { work, done, data };

  g_array_append_val (batch->next, piece);
  if (last || (batch->next->len >= ENOUGH && batch->begun == NULL))
    begin (batch);
  else if (batch->timer == 0 && !batch->due)
    batch->timer = g_timeout_add (WAIT_MSEC, timer_cb, batch);
}

TfdBatch *
tfd_batch_new (TfdPool *pool)
{
  TfdBatch *batch = g_new0 (TfdBatch, 1);

  batch->pool = pool;
  batch->next = g_array_new (FALSE, FALSE, sizeof (Piece));

  return batch;
}

void
tfd_batch_free (TfdBatch *batch)
{
  g_assert (batch->begun == NULL && batch->next->len == 0);
  g_clear_handle_id (&batch->timer, g_source_remove);
  g_array_unref (batch->next);
  g_free (batch);
}
