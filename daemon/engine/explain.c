/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Explain: says in words why a job does not run. */
#include "config.h"

#include "engine/engine-private.h"

/* Some newer lines of the event log may be of other kinds. */
#define EVENTS_TO_LOOK_AT 16

void
tfd_condition_free (TfdCondition *condition)
{
  g_free (condition->code);
  g_free (condition->text);
  g_free (condition);
}

/* What is being explained. */
typedef struct
{
  GPtrArray *conditions;
  const TfdJob *job;
  TfdClock *clock;
  gint64 since; /* epoch: when the job came into its state, 0 = nobody asks */
} Explanation;

static void
add (Explanation *self, const char *code, const char *text, gint64 since, gint64 next_check)
{
  TfdCondition *condition = g_new (TfdCondition, 1);

  *condition = (TfdCondition){ g_strdup (code), g_strdup (text), since, next_check };
  g_ptr_array_add (self->conditions, condition);
}

/* The event log knows when the job came into its state; ModificationTime is newer when a property
 * was changed since. */
static gint64
state_since (const TfdJob *job)
{
  const TfdJobRecord *record = job->record;
  const char *state = tfd_enum_to_string (TFD_TYPE_JOB_STATE, record->state);
  g_autoptr (GPtrArray) rows =
      tfd_store_load_events (job->engine->store, record->id, EVENTS_TO_LOOK_AT, NULL);

  for (guint i = rows != NULL ? rows->len : 0; i > 0; i--)
    {
      const TfdEventRow *row = rows->pdata[i - 1];
      const char *to;

      if (g_str_equal (row->kind, "state") && g_variant_lookup (row->details, "to", "&s", &to))
        return g_str_equal (to, state) ? row->time : record->modification_time;
    }
  return record->state == TFD_JOB_STATE_SUSPENDED ? record->creation_time
                                                  : record->modification_time;
}

static const char *
describe_wait (TfdWait wait)
{
  static const char *const texts[] = {
    [TFD_WAIT_NONE] = "it is about to start",
    [TFD_WAIT_SLOT] = "it waits for its turn: as many background jobs run as may run at a time",
    [TFD_WAIT_HIGHER_PRIORITY] = "it waits until no job of higher priority wants to run",
    [TFD_WAIT_RETRY_DELAY] = "it waits for its next try; Resume tries at once",
    [TFD_WAIT_WORKER_STARTING] =
        "the worker process of its owner ended unexpectedly and is started again in a moment",
    [TFD_WAIT_OWNER] = "RunWhen says to wait until the owner is logged on",
    [TFD_WAIT_WORKER_STUCK] =
        "an earlier worker process of its owner hangs; nothing may be written until it has ended",
  };

  return texts[wait];
}

static void
explain_failure (Explanation *self)
{
  const TfdJobRecord *record = self->job->record;
  const char *message =
      record->failure.message != NULL ? record->failure.message : "no reason is known";
  gint64 next = record->failure.code == TFD_ERROR_BLOCKED_BY_POLICY
                    ? self->job->engine->blocked_until
                    : tfd_job_next_retry (self->job, self->clock);

  add (self, tfd_error_code_to_name (record->failure.code), message, self->since, next);
  if (record->state == TFD_JOB_STATE_TRANSIENT_ERROR && record->retry_at != 0)
    add (self, "retry-delay", describe_wait (TFD_WAIT_RETRY_DELAY), self->since, next);
}

/* Every condition of the world that would keep the job from running, whatever its error is. */
static void
explain_conditions (Explanation *self)
{
  TfdErrorCode codes[TFD_MAX_CONDITIONS];
  const TfdJob *job = self->job;
  TfdEngine *engine = job->engine;
  guint n = tfd_engine_judge (engine, (TfdJob *) job, codes);

  for (guint i = 0; i < n; i++)
    if (job->record->failure.context == TFD_ERROR_CONTEXT_NONE ||
        job->record->failure.code != codes[i])
      add (self, tfd_error_code_to_name (codes[i]), tfd_engine_describe_condition (job, codes[i]),
           tfd_engine_condition_since (engine, job, codes[i]),
           codes[i] == TFD_ERROR_BLOCKED_BY_POLICY ? engine->blocked_until : 0);
}

static void
explain_wait (Explanation *self)
{
  const TfdJob *job = self->job;
  gint64 start = 0;

  if (job->wait == TFD_WAIT_NONE || job->wait == TFD_WAIT_OWNER)
    return;
  if (job->wait == TFD_WAIT_WORKER_STARTING)
    start = tfd_clock_now_real (self->clock) - tfd_clock_now_boot (self->clock) +
            tfd_engine_worker_state (job->engine, job->record->owner_uid)->not_before;
  add (self, tfd_enum_to_string (TFD_TYPE_WAIT, job->wait), describe_wait (job->wait),
       job->wait_since, start);
}

static void
explain_suspended (Explanation *self)
{
  const TfdJobRecord *record = self->job->record;

  if (record->operation == TFD_OPERATION_NONE)
    add (self, "suspended", "it is suspended until Resume is called", self->since, 0);
  if (record->gone_since != 0)
    add (self, tfd_error_code_to_name (TFD_ERROR_OWNER_GONE),
         tfd_conditions_describe (TFD_ERROR_OWNER_GONE),
         tfd_engine_condition_since (self->job->engine, self->job, TFD_ERROR_OWNER_GONE), 0);
  if (record->failure.context != TFD_ERROR_CONTEXT_NONE)
    explain_failure (self);
  if (record->files_total == 0)
    add (self, "no-files", "it has no files yet", record->creation_time, 0);
}

static GPtrArray *
explain (const TfdJob *job, TfdClock *clock, gint64 since)
{
  Explanation self = {
    .conditions = g_ptr_array_new_with_free_func ((GDestroyNotify) tfd_condition_free),
    .job = job,
    .clock = clock,
    .since = since,
  };

  switch (job->record->state)
    {
    case TFD_JOB_STATE_SUSPENDED:
      explain_suspended (&self);
      break;
    case TFD_JOB_STATE_QUEUED:
      explain_conditions (&self);
      explain_wait (&self);
      /* it gave up its slot, and its worker is not done with it yet */
      if (self.conditions->len == 0 && job->run != NULL)
        add (&self, "slot", "its last run is just ending", since, 0);
      break;
    case TFD_JOB_STATE_TRANSIENT_ERROR:
      explain_failure (&self);
      explain_conditions (&self);
      break;
    case TFD_JOB_STATE_ERROR:
      explain_failure (&self);
      break;
    case TFD_JOB_STATE_CONNECTING:
    case TFD_JOB_STATE_TRANSFERRING:
    case TFD_JOB_STATE_TRANSFERRED:
    case TFD_JOB_STATE_ACKNOWLEDGED:
    case TFD_JOB_STATE_CANCELLED:
    default:
      break;
    }
  return self.conditions;
}

GPtrArray *
tfd_job_explain (const TfdJob *job, TfdClock *clock)
{
  return explain (job, clock, state_since (job));
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
  conditions = explain (job, clock, 0);
  if (conditions->len > 0)
    return g_strdup (((TfdCondition *) conditions->pdata[0])->text);
  return g_strdup (texts[job->record->state]);
}
