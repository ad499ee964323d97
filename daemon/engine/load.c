/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Load: takes up the jobs where an earlier life of the service left them. */
#include "config.h"

#include "engine/engine-private.h"

/* The job goes on without: a server that wants to know who asks will say so. */
static void
tell_lost_secrets (TfdEngine *self, TfdJob *job)
{
  TfdLogJob log = tfd_job_log (job);

  job->record->secrets_lost = FALSE;
  tfd_log (G_LOG_LEVEL_WARNING, TFD_MESSAGE_SECRETS_LOST, &log,
           "job %s: its credentials and write-only headers were sealed with another key, or are "
           "damaged: they are gone",
           job->record->id);
  tfd_engine_log_event (self, job, "secrets-lost", NULL);
  tfd_engine_save_job (self, job, NULL);
}

static void
take_up (TfdEngine *self, TfdJob *job)
{
  TfdJobRecord *record = job->record;

  /* nothing could be recorded, and it goes on as after any commit that failed */
  if (job->work != NULL)
    return;
  if (record->operation != TFD_OPERATION_NONE || tfd_job_awaits_destination (job))
    tfd_engine_roll_forward (self, job);
  else
    {
      tfd_engine_apply (self, job, TFD_EVENT_RESTARTED, TFD_GUARD_NONE, NULL, NULL);
      if (record->properties->auto_complete)
        tfd_engine_auto_complete (self, job);
    }
}

gboolean
tfd_engine_load (TfdEngine *self, GError **error)
{
  g_autoptr (GPtrArray) records = tfd_store_load_jobs (self->store, error);
  g_autoptr (GPtrArray) jobs = g_ptr_array_new_with_free_func ((GDestroyNotify) tfd_job_unref);

  if (records == NULL)
    return FALSE;
  tfd_engine_begin_world (self);
  g_ptr_array_set_free_func (records, NULL);
  for (guint i = 0; i < records->len; i++)
    {
      TfdJob *job = tfd_job_new (self, records->pdata[i], ++self->last_order);

      tfd_engine_insert_job (self, job);
      tfd_engine_adopt_times (self, job);
      tfd_engine_adopt_owner (self, job);
      if (job->record->secrets_lost)
        tell_lost_secrets (self, job);
      g_ptr_array_add (jobs, tfd_job_ref (job));
    }
  tfd_engine_mark_time (self);
  /* what is taken up is recorded before anybody is asked to act on it */
  tfd_outbox_flush (self->outbox);
  for (guint i = 0; i < jobs->len; i++)
    take_up (self, jobs->pdata[i]);
  tfd_outbox_flush (self->outbox);
  tfd_engine_try_leftovers (self);
  tfd_engine_end_sessions (self, TRUE);
  tfd_engine_sweep_rest (self);
  tfd_engine_plan_later (self);
  return TRUE;
}
