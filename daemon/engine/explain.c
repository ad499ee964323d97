/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Explain: says in words why a job does not run. */
#include "config.h"

#include "engine/engine-private.h"

void
tfd_condition_free (TfdCondition *condition)
{
  g_free (condition->code);
  g_free (condition->text);
  g_free (condition);
}

static void
add (GPtrArray *conditions, const char *code, char *text, gint64 since, gint64 next_check)
{
  TfdCondition *condition = g_new (TfdCondition, 1);

  *condition = (TfdCondition){ g_strdup (code), text, since, next_check };
  g_ptr_array_add (conditions, condition);
}

static const char *
describe_wait (TfdWait wait)
{
  static const char *const texts[] = {
    [TFD_WAIT_NONE] = "it is about to start",
    [TFD_WAIT_SLOT] = "as many background jobs run as are allowed at a time",
    [TFD_WAIT_HIGHER_PRIORITY] = "jobs of higher priority go first",
    [TFD_WAIT_RETRY_DELAY] = "it waits until it is tried again",
    [TFD_WAIT_WORKER_STARTING] = "its worker process ended unexpectedly and is started again soon",
    [TFD_WAIT_OWNER] = "RunWhen says to wait until the owner is logged on",
    [TFD_WAIT_WORKER_STUCK] =
        "an earlier worker process hangs in the kernel; nothing may write before it has ended",
  };

  return texts[wait];
}

static void
explain_failure (GPtrArray *conditions, const TfdJob *job, TfdClock *clock)
{
  const TfdJobRecord *record = job->record;
  const char *message =
      record->failure.message != NULL ? record->failure.message : "no reason is known";

  gint64 next = record->failure.code == TFD_ERROR_BLOCKED_BY_POLICY
                    ? job->engine->blocked_until
                    : tfd_job_next_retry (job, clock);

  add (conditions, tfd_error_code_to_name (record->failure.code), g_strdup (message),
       record->modification_time, next);
  if (record->state == TFD_JOB_STATE_TRANSIENT_ERROR && record->retry_at != 0)
    add (conditions, "retry-delay", g_strdup ("it is tried again when the retry delay is over"),
         record->modification_time, tfd_job_next_retry (job, clock));
}

/* Every condition of the world that would keep the job from running, whatever its error is. */
static void
explain_conditions (GPtrArray *conditions, const TfdJob *job)
{
  TfdErrorCode codes[TFD_MAX_CONDITIONS];
  TfdEngine *engine = job->engine;
  guint n = tfd_engine_judge (engine, (TfdJob *) job, codes);

  for (guint i = 0; i < n; i++)
    if (job->record->failure.context == TFD_ERROR_CONTEXT_NONE ||
        job->record->failure.code != codes[i])
      add (conditions, tfd_error_code_to_name (codes[i]),
           g_strdup (tfd_conditions_describe (codes[i])), 0,
           codes[i] == TFD_ERROR_BLOCKED_BY_POLICY ? engine->blocked_until : 0);
}

GPtrArray *
tfd_job_explain (const TfdJob *job, TfdClock *clock)
{
  GPtrArray *conditions = g_ptr_array_new_with_free_func ((GDestroyNotify) tfd_condition_free);
  const TfdJobRecord *record = job->record;

  switch (record->state)
    {
    case TFD_JOB_STATE_SUSPENDED:
      if (record->operation == TFD_OPERATION_NONE)
        add (conditions, "suspended", g_strdup ("it is suspended: call Resume"),
             record->modification_time, 0);
      if (record->failure.context != TFD_ERROR_CONTEXT_NONE)
        explain_failure (conditions, job, clock);
      if (record->files_total == 0)
        add (conditions, "no-files", g_strdup ("it has no files"), record->creation_time, 0);
      break;
    case TFD_JOB_STATE_QUEUED:
      explain_conditions (conditions, job);
      if (job->wait != TFD_WAIT_NONE && job->wait != TFD_WAIT_OWNER)
        add (conditions, tfd_enum_to_string (TFD_TYPE_WAIT, job->wait),
             g_strdup (describe_wait (job->wait)), job->wait_since, 0);
      /* it gave up its slot, and its worker is not done with it yet */
      if (conditions->len == 0 && job->run != NULL)
        add (conditions, "slot", g_strdup ("its last run is just ending"),
             record->modification_time, 0);
      break;
    case TFD_JOB_STATE_TRANSIENT_ERROR:
      explain_failure (conditions, job, clock);
      explain_conditions (conditions, job);
      break;
    case TFD_JOB_STATE_ERROR:
      explain_failure (conditions, job, clock);
      break;
    case TFD_JOB_STATE_CONNECTING:
    case TFD_JOB_STATE_TRANSFERRING:
    case TFD_JOB_STATE_TRANSFERRED:
    case TFD_JOB_STATE_ACKNOWLEDGED:
    case TFD_JOB_STATE_CANCELLED:
    default:
      break;
    }
  return conditions;
}

char *
tfd_job_status_text (const TfdJob *job, TfdClock *clock)
{
  static const char *const texts[TFD_N_JOB_STATES] = {
    [TFD_JOB_STATE_SUSPENDED] = "suspended",
    [TFD_JOB_STATE_QUEUED] = "about to start",
    [TFD_JOB_STATE_CONNECTING] = "connecting",
    [TFD_JOB_STATE_TRANSFERRING] = "transferring",
    [TFD_JOB_STATE_TRANSIENT_ERROR] = "waiting for another try",
    [TFD_JOB_STATE_ERROR] = "failed",
    [TFD_JOB_STATE_TRANSFERRED] = "transferred: call Complete or Cancel",
    [TFD_JOB_STATE_ACKNOWLEDGED] = "completed",
    [TFD_JOB_STATE_CANCELLED] = "cancelled",
  };
  g_autoptr (GPtrArray) conditions = NULL;

  if (job->record->operation != TFD_OPERATION_NONE)
    return g_strdup (tfd_enum_to_string (TFD_TYPE_OPERATION, job->record->operation));
  conditions = tfd_job_explain (job, clock);
  if (conditions->len > 0)
    return g_strdup (((TfdCondition *) conditions->pdata[0])->text);
  return g_strdup (texts[job->record->state]);
}
