/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Mounts: what waits for a destination tries again when something is mounted, and not more often
 * than is good for the machine. */
#include "config.h"

#include "engine/engine-private.h"

/* People plug in a few things at a time; containers and automounters change mounts all day. */
#define TRIES_AT_ONCE 5
#define TRY_SPACING (60 * (gint64) TFD_USEC_PER_SEC)

/* Whether the destination of a job that waits for it came back only its worker can see. */
void
tfd_engine_try_destination (TfdEngine *self, TfdJob *job)
{
  const TfdJobRecord *record = job->record;

  if (job->work != NULL)
    return;
  if (tfd_job_awaits_destination (job))
    tfd_engine_roll_forward (self, job);
  else if (record->state == TFD_JOB_STATE_TRANSFERRED && record->properties->auto_complete)
    {
      if (tfd_clock_now_boot (self->clock) >= job->auto_complete_after)
        tfd_engine_auto_complete (self, job);
    }
  else if (record->state == TFD_JOB_STATE_TRANSIENT_ERROR &&
           record->failure.code == TFD_ERROR_DESTINATION_UNAVAILABLE)
    tfd_engine_apply (self, job, TFD_EVENT_DESTINATION_BACK, TFD_GUARD_NONE, NULL, NULL);
}

static void
try_all (TfdEngine *self)
{
  g_autoptr (GPtrArray) jobs = g_ptr_array_new_with_free_func ((GDestroyNotify) tfd_job_unref);

  for (GSequenceIter *iter = g_sequence_get_begin_iter (self->order);
       !g_sequence_iter_is_end (iter); iter = g_sequence_iter_next (iter))
    g_ptr_array_add (jobs, tfd_job_ref (g_sequence_get (iter)));
  for (guint i = 0; i < jobs->len; i++)
    tfd_engine_try_destination (self, jobs->pdata[i]);
  tfd_engine_try_leftovers (self);
}

static void
try_later_cb (gpointer user_data)
{
  TfdEngine *self = user_data;

  self->mounts_alarm = 0;
  tfd_engine_mounts_changed (self);
}

void
tfd_engine_mounts_changed (TfdEngine *self)
{
  gint64 now = tfd_clock_now_boot (self->clock);
  gint64 due = self->mounts_tried - (TRIES_AT_ONCE - 1) * TRY_SPACING;

  if (self->mounts_alarm != 0)
    return;
  if (now < due)
    {
      self->mounts_alarm = tfd_clock_add_alarm (self->clock, due, try_later_cb, self, NULL);
      return;
    }
  self->mounts_tried = MAX (self->mounts_tried, now) + TRY_SPACING;
  try_all (self);
}
