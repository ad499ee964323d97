/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Effects: carries out what the state table says, on the model; whatever leaves the daemon waits in
 * the outbox. */
#include "config.h"

#include "common/retry.h"
#include "engine/engine-private.h"

static void
touch_times (TfdEngine *self, TfdJob *job, TfdStep step, TfdJobState from)
{
  TfdJobRecord *record = job->record;

  if (step.effects & TFD_EFFECT_MODIFIED || step.next != from)
    record->modification_time = tfd_clock_now_real (self->clock);
  /* what the environment does with a job does not keep it alive: or one that fails for ever would
     never go */
  if (step.effects & TFD_EFFECT_MODIFIED)
    record->last_activity = tfd_clock_now_boot (self->clock);
}

/* Ten years: sums stay far from where they would turn negative. */
#define LONGEST_DELAY (G_GUINT64_CONSTANT (315360000) * TFD_USEC_PER_SEC)

static void
arm_retry (TfdEngine *self, TfdJobRecord *record)
{
  gint64 now = tfd_clock_now_boot (self->clock);
  guint64 delay;

  record->retry_attempt++;
  delay = tfd_retry_delay (record->properties->minimum_retry_delay, record->retry_attempt,
                           record->failure.retry_after, g_random_double ());
  record->retry_at = now + (gint64) MIN (delay, LONGEST_DELAY);
  if (record->no_progress_since == 0)
    record->no_progress_since = now;
  /* what is left of the wait after a boot is counted from the last note */
  tfd_engine_mark_time (self);
}

static void
stop_after_commit_cb (const GError *error, gpointer data)
{
  TfdJob *job = data;
  TfdEngine *engine = job->engine;

  if (error == NULL && job->run != NULL && !tfd_job_state_is_running (job->record->state))
    tfd_engine_stop_run (engine, job, NULL, NULL);
}

static void
leave_run (TfdEngine *self, TfdJob *job)
{
  tfd_job_reset_rate (job);
  if (job->run != NULL)
    tfd_outbox_add (self->outbox, stop_after_commit_cb, tfd_job_ref (job),
                    (GDestroyNotify) tfd_job_unref);
}

static void
auto_complete_cb (const GError *error, gpointer data)
{
  TfdJob *job = data;

  if (error == NULL)
    tfd_engine_auto_complete (job->engine, job);
}

static void
log_to_journal (TfdJob *job, TfdStep step)
{
  TfdLogJob log = tfd_job_log (job);

  if (step.effects & TFD_EFFECT_TELL_TRANSFERRED)
    tfd_log (G_LOG_LEVEL_INFO, TFD_MESSAGE_JOB_TRANSFERRED, &log, "all %u files transferred",
             job->record->files_total);
  if (step.effects & TFD_EFFECT_TELL_ERROR)
    tfd_log (G_LOG_LEVEL_INFO, TFD_MESSAGE_JOB_ERROR, &log, "failed: %s",
             tfd_error_code_to_name (job->record->failure.code));
}

void
tfd_engine_execute (
    TfdEngine *self, TfdJob *job, TfdStep step, TfdJobState from, const TfdFailure *failure)
{
  TfdJobRecord *record = job->record;

  touch_times (self, job, step, from);
  if (step.effects & TFD_EFFECT_SET_ERROR && failure != NULL)
    {
      tfd_failure_clear (&record->failure);
      tfd_failure_copy (failure, &record->failure);
    }
  if (step.effects & TFD_EFFECT_CLEAR_ERROR)
    tfd_failure_clear (&record->failure);
  if (step.effects & TFD_EFFECT_COUNT_ERROR)
    record->error_count++;
  tfd_job_account_time (job, tfd_clock_now_boot (self->clock));
  if (step.effects & TFD_EFFECT_RESET_TIMES)
    {
      record->active_time = 0;
      record->no_progress_since = 0;
      record->retry_attempt = 0;
    }
  if (step.effects & TFD_EFFECT_DISARM_RETRY)
    record->retry_at = 0;
  if (step.effects & TFD_EFFECT_ARM_RETRY)
    arm_retry (self, record);
  if (step.effects & TFD_EFFECT_TELL_TRANSFERRED)
    {
      record->completion_time = tfd_clock_now_real (self->clock);
      if (record->properties->auto_complete)
        tfd_outbox_add (self->outbox, auto_complete_cb, tfd_job_ref (job),
                        (GDestroyNotify) tfd_job_unref);
    }
  if (!tfd_job_state_is_running (step.next))
    leave_run (self, job);
  log_to_journal (job, step);

  /* a transient error or a stop may have freed a slot: planning again is always right, but for
   * what changes of a job that neither runs nor waits */
  if (from != step.next || job->live != NULL)
    tfd_engine_plan_later (self);
}
