/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Outbox: what may be told or done only after the commit of the change it speaks of. */
#include "config.h"

#include "engine/outbox.h"

#include "base/log.h"

/* A commit costs about as much as handling twenty calls: after this many nobody should wait. */
#define CALLS_PER_COMMIT 64

typedef struct
{
  TfdOutboxFunc func;
  gpointer data;
  GDestroyNotify destroy;
} Item;

struct _TfdOutbox
{
  TfdStore *store; /* (owned by the creator) */
  TfdSettledFunc settled;
  gpointer data;
  GQueue items; /* (element-type Item) */
  guint source_id;
  guint calls;
  gboolean flushing;
  GError *doom; /* (owned) (nullable) why the open transaction must not be committed */
};

TfdOutbox *
tfd_outbox_new (TfdStore *store, TfdSettledFunc settled, gpointer data)
{
  TfdOutbox *outbox = g_new0 (TfdOutbox, 1);

  outbox->store = store;
  outbox->settled = settled;
  outbox->data = data;
  g_queue_init (&outbox->items);
  return outbox;
}

static void
item_free (Item *item)
{
  if (item->destroy != NULL)
    item->destroy (item->data);
  g_free (item);
}

void
tfd_outbox_free (TfdOutbox *outbox)
{
  g_clear_handle_id (&outbox->source_id, g_source_remove);
  g_clear_error (&outbox->doom);
  g_queue_clear_full (&outbox->items, (GDestroyNotify) item_free);
  g_free (outbox);
}

static gboolean
commit (TfdOutbox *outbox, GError **error)
{
  if (outbox->doom != NULL)
    {
      g_propagate_error (error, g_steal_pointer (&outbox->doom));
      return FALSE;
    }
  return !tfd_store_in_transaction (outbox->store) || tfd_store_commit (outbox->store, error);
}

/* Functions that are called may add others: those belong to the next batch. */
static void
flush_once (TfdOutbox *outbox)
{
  g_autoptr (GError) error = NULL;
  GQueue batch = outbox->items;

  g_queue_init (&outbox->items);
  outbox->calls = 0;
  if (!commit (outbox, &error))
    {
      tfd_log (G_LOG_LEVEL_WARNING, TFD_MESSAGE_STORAGE_FAILED, NULL,
               "cannot commit to the database: %s", error->message);
      tfd_store_rollback (outbox->store);
    }
  outbox->settled (error, outbox->data);

  for (Item *item = g_queue_pop_head (&batch); item != NULL; item = g_queue_pop_head (&batch))
    {
      item->func (error, item->data);
      item_free (item);
    }
}

static gboolean
flush_cb (gpointer user_data)
{
  TfdOutbox *outbox = user_data;

  outbox->source_id = 0;
  tfd_outbox_flush (outbox);
  return G_SOURCE_REMOVE;
}

/* GDBus hands out calls at the default priority: one step below it is "when no call waits". */
static void
flush_later (TfdOutbox *outbox)
{
  if (outbox->source_id == 0)
    outbox->source_id = g_idle_add_full (G_PRIORITY_DEFAULT + 1, flush_cb, outbox, NULL);
}

void
tfd_outbox_add (TfdOutbox *outbox, TfdOutboxFunc func, gpointer data, GDestroyNotify destroy)
{
  Item *item = g_new (Item, 1);

  *item = (Item){ func, data, destroy };
  g_queue_push_tail (&outbox->items, item);
  flush_later (outbox);
}

void
tfd_outbox_wake (TfdOutbox *outbox)
{
  flush_later (outbox);
}

void
tfd_outbox_count_call (TfdOutbox *outbox)
{
  flush_later (outbox);
  if (++outbox->calls >= CALLS_PER_COMMIT)
    tfd_outbox_flush (outbox);
}

void
tfd_outbox_doom (TfdOutbox *outbox, const GError *error)
{
  if (outbox->doom == NULL)
    outbox->doom = g_error_copy (error);
  flush_later (outbox);
}

gboolean
tfd_outbox_is_empty (TfdOutbox *outbox)
{
  return g_queue_is_empty (&outbox->items) && !outbox->flushing &&
         !tfd_store_in_transaction (outbox->store);
}

void
tfd_outbox_flush (TfdOutbox *outbox)
{
  if (outbox->flushing)
    return;
  outbox->flushing = TRUE;
  flush_once (outbox);
  outbox->flushing = FALSE;
  if (!g_queue_is_empty (&outbox->items) || tfd_store_in_transaction (outbox->store))
    flush_later (outbox);
}
