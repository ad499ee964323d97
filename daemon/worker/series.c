/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Series: requests of a job that are made before those ahead of them are answered. */
#include "config.h"
#include "worker/series.h"

typedef struct
{
  guint32 walk, step;
  gpointer request;
} Entry;

struct _TfdSeries
{
  grefcount references;
  GQueue waiting; /* (owned) of (owned) Entry */
  gboolean busy;
  gboolean broken;    /* one of the present walk has failed */
  guint32 walk, next; /* the present walk, and the step that may come */
};

TfdSeries *
tfd_series_new (void)
{
  TfdSeries *self = g_new0 (TfdSeries, 1);

  g_ref_count_init (&self->references);
  g_queue_init (&self->waiting);
  self->broken = TRUE;
  return self;
}

TfdSeries *
tfd_series_ref (TfdSeries *self)
{
  g_ref_count_inc (&self->references);
  return self;
}

void
tfd_series_unref (TfdSeries *self)
{
  if (!g_ref_count_dec (&self->references))
    return;
  g_queue_clear_full (&self->waiting, g_free);
  g_free (self);
}

void
tfd_series_add (TfdSeries *self, guint32 walk, guint32 step, gpointer request)
{
  Entry *entry = g_new (Entry, 1);

  *entry = (Entry){ walk, step, request };
  g_queue_push_tail (&self->waiting, entry);
}

/* A walk begins with its first step. A worker that was started in the middle of one does not know
 * what the worker before it has done. */
static gboolean
accepts (TfdSeries *self, const Entry *entry)
{
  if (entry->step == 0)
    {
      self->walk = entry->walk;
      self->next = 0;
      self->broken = FALSE;
    }
  if (self->broken || entry->walk != self->walk || entry->step != self->next)
    return FALSE;
  self->next++;
  return TRUE;
}

gpointer
tfd_series_take (TfdSeries *self, gboolean *refused)
{
  g_autofree Entry *entry = self->busy ? NULL : g_queue_pop_head (&self->waiting);

  if (entry == NULL)
    return NULL;
  self->busy = accepts (self, entry);
  *refused = !self->busy;
  return entry->request;
}

void
tfd_series_done (TfdSeries *self, gboolean failed)
{
  self->busy = FALSE;
  self->broken |= failed;
}
