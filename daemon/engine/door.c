/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Door: the only one through which an event reaches a job: asked of the state table, carried out,
 * recorded, told. */
#include "config.h"

#include "engine/engine-private.h"

static gboolean
verdict_to_error (TfdVerdict verdict, TfdJob *job, TfdEvent event, GError **error)
{
  switch (verdict)
    {
    case TFD_VERDICT_INVALID_STATE:
      g_set_error (error, TFD_ERROR, TFD_ERROR_INVALID_STATE, "%s is not possible: the job is %s",
                   tfd_enum_to_string (TFD_TYPE_EVENT, event),
                   tfd_enum_to_string (TFD_TYPE_JOB_STATE, job->record->state));
      return FALSE;
    case TFD_VERDICT_EMPTY:
      g_set_error (error, TFD_ERROR, TFD_ERROR_EMPTY,
                   job->record->files_total == 0
                       ? "the job has no files: add one first"
                       : "every file of the job is transferred: call Complete or Cancel");
      return FALSE;
    case TFD_VERDICT_OK:
    case TFD_VERDICT_IGNORED:
    default:
      return TRUE;
    }
}

static TfdStep
step_of (TfdJob *job, TfdEvent event, TfdGuards more)
{
  return tfd_state_step (job->record->type, job->record->state, event, tfd_job_guards (job) | more);
}

gboolean
tfd_engine_check (TfdEngine *self G_GNUC_UNUSED, TfdJob *job, TfdEvent event, GError **error)
{
  return verdict_to_error (step_of (job, event, TFD_GUARD_NONE).verdict, job, event, error);
}

static GVariant *
describe_step (TfdJob *job, TfdJobState from, TfdEvent event, const TfdFailure *failure)
{
  TfdJobState to = job->record->state;
  g_auto (GVariantDict) details = G_VARIANT_DICT_INIT (NULL);

  g_variant_dict_insert (&details, "from", "s", tfd_enum_to_string (TFD_TYPE_JOB_STATE, from));
  g_variant_dict_insert (&details, "to", "s", tfd_enum_to_string (TFD_TYPE_JOB_STATE, to));
  g_variant_dict_insert (&details, "event", "s", tfd_enum_to_string (TFD_TYPE_EVENT, event));
  if (failure != NULL)
    {
      g_variant_dict_insert (&details, "error", "s", tfd_error_code_to_name (failure->code));
      g_variant_dict_insert (&details, "message", "s",
                             failure->message != NULL ? failure->message : "");
      if (failure->file != G_MAXUINT32)
        g_variant_dict_insert (&details, "file", "u",
                               tfd_file_shown_index (job->record->type, failure->file));
      if (failure->http_status != 0)
        g_variant_dict_insert (&details, "http-status", "u", failure->http_status);
    }
  return g_variant_dict_end (&details);
}

/* State and error belong into one signal: whoever sees the one wants the other. */
static TfdChanged
changed_by (TfdStep step, TfdJobState from)
{
  const TfdEffects on_error = TFD_EFFECT_SET_ERROR | TFD_EFFECT_CLEAR_ERROR |
                              TFD_EFFECT_COUNT_ERROR | TFD_EFFECT_ARM_RETRY |
                              TFD_EFFECT_DISARM_RETRY;
  TfdChanged changed = 0;

  if (from != step.next)
    changed |= TFD_CHANGED_STATE | TFD_CHANGED_TIMES | TFD_CHANGED_PROGRESS;
  if (step.effects & on_error)
    changed |= TFD_CHANGED_ERROR;
  if (step.effects & TFD_EFFECT_MODIFIED)
    changed |= TFD_CHANGED_TIMES;
  return changed;
}

/* What was running runs on, whoever else waits. */
static gboolean
keeps_its_place (TfdEvent event)
{
  return event == TFD_EVENT_RESTARTED || event == TFD_EVENT_WORKER_LOST;
}

/* There may be many jobs at a start: those that go on as they are recorded are not written again.
 */
static gboolean
is_recorded (TfdEvent event, TfdStep step, TfdJobState from)
{
  return event == TFD_EVENT_RESTARTED && step.next == from;
}

gboolean
tfd_engine_apply (TfdEngine *self,
                  TfdJob *job,
                  TfdEvent event,
                  TfdGuards more,
                  const TfdFailure *failure,
                  GError **error)
{
  TfdJobState from = job->record->state;
  TfdStep step = step_of (job, event, more);

  if (step.verdict != TFD_VERDICT_OK)
    return verdict_to_error (step.verdict, job, event, error);

  job->record->state = step.next;
  tfd_engine_update_live (self, job);
  /* whoever comes anew stands behind those that wait already */
  if (step.next == TFD_JOB_STATE_QUEUED && from != step.next && !keeps_its_place (event))
    job->last_served = tfd_clock_now_boot (self->clock);
  tfd_engine_execute (self, job, step, from, failure);
  if (!is_recorded (event, step, from) && !tfd_engine_save_job (self, job, error))
    return FALSE;
  if (from != step.next)
    tfd_engine_log_event (self, job, "state", describe_step (job, from, event, failure));
  if (changed_by (step, from) != 0)
    tfd_engine_tell_changed (self, job, changed_by (step, from));
  if (step.effects & TFD_EFFECT_TELL_TRANSFERRED)
    tfd_engine_tell_transferred (self, job);
  if (step.effects & TFD_EFFECT_TELL_ERROR)
    tfd_engine_tell_error (self, job);
  return TRUE;
}
