/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Files: those of a job are in memory while it runs, and while its owner asks about them one after
 * the other. A job may have hundreds of thousands, and wait for its turn, or its Complete, for
 * months. */
#include "config.h"

#include "base/memory.h"
#include "engine/engine-private.h"

/* They are forgotten when nothing was asked about them for so long. */
#define USE (60 * (gint64) TFD_USEC_PER_SEC)

static gboolean
may_forget (const TfdJob *job)
{
  TfdJobState state = job->record->state;

  return job->files != NULL && job->run == NULL && job->work == NULL && !job->ended &&
         !tfd_job_state_is_running (state) && !tfd_job_state_is_final (state);
}

static void
forget_cb (gpointer user_data)
{
  TfdEngine *self = user_data;
  gint64 now = tfd_clock_now_boot (self->clock);
  gint64 next = G_MAXINT64;
  gboolean forgotten = FALSE;

  self->files_alarm = 0;
  for (GSequenceIter *iter = g_sequence_get_begin_iter (self->order);
       !g_sequence_iter_is_end (iter); iter = g_sequence_iter_next (iter))
    {
      TfdJob *job = g_sequence_get (iter);

      if (!may_forget (job))
        continue;
      if (now < job->files_used + USE)
        {
          next = MIN (next, job->files_used + USE);
          continue;
        }
      g_clear_pointer (&job->files, g_ptr_array_unref);
      forgotten = TRUE;
    }
  if (forgotten)
    {
      tfd_store_release_memory (self->store);
      tfd_memory_give_back ();
    }
  if (next != G_MAXINT64)
    self->files_alarm = tfd_clock_add_alarm (self->clock, next, forget_cb, self, NULL);
}

void
tfd_engine_forget_files_later (TfdEngine *self, TfdJob *job)
{
  if (!may_forget (job))
    return;
  job->files_used = tfd_clock_now_boot (self->clock);
  if (self->files_alarm == 0)
    self->files_alarm =
        tfd_clock_add_alarm (self->clock, job->files_used + USE, forget_cb, self, NULL);
}
