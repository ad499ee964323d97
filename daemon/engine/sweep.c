/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Sweep: the rows of jobs with many files are deleted after their end has been told, a few at a
 * time: whoever ended the job needs not wait for it, and nobody else either. */
#include "config.h"

#include "base/log.h"
#include "engine/engine-private.h"

/* So many take a millisecond, with nothing else to do: not more than a commit. */
#define ROWS_AT_A_TIME 256

/* Between two turns others have theirs; deleting stays faster than adding is. */
#define PAUSE (5 * (gint64) TFD_USEC_PER_SEC / 1000)
#define PAUSE_AFTER_FAILURE (60 * (gint64) TFD_USEC_PER_SEC)

static void sweep_cb (gpointer user_data);

static guint
rows_at_a_time (const TfdEngine *self)
{
  return MIN (ROWS_AT_A_TIME, self->most_at_once);
}

static void
sweep_in (TfdEngine *self, gint64 pause)
{
  if (self->sweep_alarm == 0)
    self->sweep_alarm = tfd_clock_add_alarm (self->clock, tfd_clock_now_boot (self->clock) + pause,
                                             sweep_cb, self, NULL);
}

static void
swept_cb (const GError *error, gpointer user_data)
{
  TfdEngine *self = user_data;

  self->sweep_fails = error != NULL;
  self->sweep_due |= self->sweep_fails;
  if (self->sweep_due)
    sweep_in (self, error != NULL ? PAUSE_AFTER_FAILURE : PAUSE);
}

static void
sweep_cb (gpointer user_data)
{
  TfdEngine *self = user_data;
  g_autoptr (GError) error = NULL;

  self->sweep_alarm = 0;
  if (tfd_store_sweep (self->store, rows_at_a_time (self), &self->sweep_due, &error))
    {
      tfd_outbox_add (self->outbox, swept_cb, self, NULL);
      return;
    }
  tfd_warning ("cannot tidy the database: %s", error->message);
  self->sweep_due = self->sweep_fails = TRUE;
  sweep_in (self, PAUSE_AFTER_FAILURE);
  tfd_outbox_wake (self->outbox);
}

gboolean
tfd_engine_is_sweeping (TfdEngine *self)
{
  return self->sweep_alarm != 0 && !self->sweep_fails;
}

gboolean
tfd_engine_delete_job (TfdEngine *self, TfdJob *job, GError **error)
{
  const TfdJobRecord *record = job->record;

  if (record->files_total <= rows_at_a_time (self))
    return tfd_store_delete_job (self->store, record->id, error);
  self->sweep_due = TRUE;
  return tfd_store_retire_job (self->store, record->id, error);
}

void
tfd_engine_sweep_later (TfdEngine *self)
{
  if (self->sweep_due)
    sweep_in (self, PAUSE);
}

void
tfd_engine_sweep_rest (TfdEngine *self)
{
  g_autoptr (GError) error = NULL;

  if (!tfd_store_needs_sweep (self->store, &self->sweep_due, &error))
    tfd_warning ("cannot tidy the database: %s", error->message);
  tfd_engine_sweep_later (self);
}
