/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Schedule: takes the snapshot for the plan, carries it out, and wakes up when time changes it. */
#include "config.h"

#include "engine/engine-private.h"

/* Events come in bursts: one plan serves all of a burst. The time between two grows with what a
 * plan costs, so that a short queue does not wait and a long one takes a tenth of the time at most.
 */
#define PLAN_SPACING_PER_JOB 10
#define PLAN_SPACING_MOST (G_GINT64_CONSTANT (50000))

/* A full disk stays full for a while: what could not be recorded is not tried again at once. */
#define STORAGE_PAUSE (G_GINT64_CONSTANT (1000000))

TfdWorkerState *
tfd_engine_worker_state (TfdEngine *self, guint32 uid)
{
  TfdWorkerState *state = g_hash_table_lookup (self->workers, GUINT_TO_POINTER (uid));

  if (state == NULL)
    {
      state = g_new0 (TfdWorkerState, 1);
      g_hash_table_insert (self->workers, GUINT_TO_POINTER (uid), state);
    }
  return state;
}

static TfdPlanJob
snapshot_job (TfdEngine *self, TfdJob *job, gboolean away)
{
  const TfdWorkerState *worker = tfd_engine_worker_state (self, job->record->owner_uid);

  return (TfdPlanJob){
    .order = job->order,
    .uid = job->record->owner_uid,
    .priority = job->record->properties->priority,
    .running = job->run != NULL,
    .stopping =
        job->run != NULL && (job->run->stopping || !tfd_job_state_is_running (job->record->state)),
    .resumable = tfd_job_is_resumable (job, self->last_plan),
    .slice_start = job->run != NULL ? job->run->began : 0,
    .last_served = job->last_served,
    .user_served = worker->served,
    .not_before = worker->not_before,
    .not_before_why = TFD_WAIT_WORKER_STARTING,
    .blocked = worker->stuck || away,
    .blocked_why = worker->stuck ? TFD_WAIT_WORKER_STUCK : TFD_WAIT_OWNER,
    .job = job,
  };
}

static void
carry_out (TfdEngine *self, const TfdPlanJob *planned)
{
  TfdJob *job = planned->job;

  if (job->wait != planned->wait)
    {
      TfdLogJob log = tfd_job_log (job);

      job->wait = planned->wait;
      job->wait_since = tfd_clock_now_real (self->clock);
      tfd_job_debug (TFD_LOG_PLAN, &log, "waits: %s",
                     tfd_enum_to_string (TFD_TYPE_WAIT, job->wait));
      tfd_engine_tell_changed (self, job, TFD_CHANGED_STATE);
    }
  if (job->run != NULL)
    job->run->overdue = planned->overdue;
  if (planned->start)
    tfd_engine_start_run (self, job);
  else if (planned->stop != TFD_STOP_NO)
    tfd_engine_apply (
        self, job, planned->stop == TFD_STOP_PREEMPTED ? TFD_EVENT_PREEMPTED : TFD_EVENT_SLICE_OVER,
        TFD_GUARD_NONE, NULL, NULL);
}

static void plan_alarm_cb (gpointer user_data);

/* What is due by now happens, and what may run is added to @jobs (of TfdPlanJob). Returns the boot
 * time at which something is due next. */
static gint64
look_at_jobs (TfdEngine *self, GArray *jobs, gint64 now)
{
  g_autoptr (GPtrArray) live = g_ptr_array_new ();
  gint64 next = tfd_engine_check_inactivity (self, now);

  /* a copy: what happens to a job may take it from the list */
  for (GSequenceIter *iter = g_sequence_get_begin_iter (self->live); !g_sequence_iter_is_end (iter);
       iter = g_sequence_iter_next (iter))
    g_ptr_array_add (live, g_sequence_get (iter));
  for (guint i = 0; i < live->len; i++)
    {
      TfdJob *job = live->pdata[i];
      gboolean away;
      TfdPlanJob entry;

      next = MIN (next, tfd_engine_check_timers (self, job, now));
      away = tfd_engine_check_conditions (self, job);
      /* whoever has a run has its slot until the run has ended, whatever becomes of the job */
      if (job->run == NULL && (job->work != NULL || job->record->state != TFD_JOB_STATE_QUEUED))
        continue;
      entry = snapshot_job (self, job, away);
      g_array_append_val (jobs, entry);
    }
  return next;
}

static void
plan_now (TfdEngine *self)
{
  g_autoptr (GArray) jobs = g_array_new (FALSE, FALSE, sizeof (TfdPlanJob));
  const TfdPlanLimits limits = { (guint) self->config->background_jobs,
                                 (guint) self->config->background_jobs_per_user,
                                 (gint64) self->config->time_slice };
  gint64 now = tfd_clock_now_boot (self->clock);
  gint64 next, next_plan;

  self->last_plan = now;
  next = look_at_jobs (self, jobs, now);
  next_plan = tfd_plan_compute ((TfdPlanJob *) (gpointer) jobs->data, jobs->len, &limits, now);
  if (next_plan != 0)
    next = MIN (next, next_plan);
  for (guint i = 0; i < jobs->len; i++)
    carry_out (self, &g_array_index (jobs, TfdPlanJob, i));

  tfd_clock_remove_alarm (self->clock, self->alarm);
  self->alarm =
      next == G_MAXINT64 ? 0 : tfd_clock_add_alarm (self->clock, next, plan_alarm_cb, self, NULL);
}

static void
plan_alarm_cb (gpointer user_data)
{
  TfdEngine *self = user_data;

  self->alarm = 0;
  tfd_engine_plan_later (self);
}

void
tfd_engine_pause_plan (TfdEngine *self)
{
  g_clear_handle_id (&self->plan_source, g_source_remove);
  tfd_clock_remove_alarm (self->clock, self->alarm);
  self->alarm = tfd_clock_add_alarm (self->clock, tfd_clock_now_boot (self->clock) + STORAGE_PAUSE,
                                     plan_alarm_cb, self, NULL);
}

static gboolean
plan_idle_cb (gpointer user_data)
{
  TfdEngine *self = user_data;

  self->plan_source = 0;
  plan_now (self);
  return G_SOURCE_REMOVE;
}

static gint64
plan_spacing (const TfdEngine *self)
{
  return MIN (g_sequence_get_length (self->live) * PLAN_SPACING_PER_JOB, PLAN_SPACING_MOST);
}

void
tfd_engine_plan_later (TfdEngine *self)
{
  gint64 since = tfd_clock_now_boot (self->clock) - self->last_plan;
  gint64 spacing;

  if (self->plan_source != 0)
    return;
  /* below the priority of the commit: a plan is made on what is already durable */
  spacing = plan_spacing (self);
  if (since >= spacing)
    self->plan_source = g_idle_add_full (G_PRIORITY_DEFAULT + 2, plan_idle_cb, self, NULL);
  else
    self->plan_source = g_timeout_add_full (
        G_PRIORITY_DEFAULT + 2, (guint) ((spacing - since) / 1000 + 1), plan_idle_cb, self, NULL);
}
