/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Timers: what becomes of a job when nothing happens. All of them run on the clock of the boot,
 * which goes on while the machine sleeps and is deaf to changes of the wall clock. */
#include "config.h"

#include "engine/engine-private.h"

#include <stdio.h>

/* How often it is written down what time it is, for the start after the next boot, and how long
 * jobs have been running. */
#define MARK_INTERVAL (3600 * (gint64) TFD_USEC_PER_SEC)

/* A boot may count as much as this for JobInactivityTimeout, whatever the wall clock says. */
#define MAX_BOOT_GAP (7 * 24 * 3600 * (gint64) TFD_USEC_PER_SEC)

/* A job that is due but busy is looked at again after so long. */
#define INACTIVITY_SPACING (60 * (gint64) TFD_USEC_PER_SEC)

#define NEVER G_MAXINT64

static gint64
after (gint64 start, guint64 span)
{
  return span < (guint64) (NEVER - MAX (start, 0)) ? start + (gint64) span : NEVER;
}

static void
fire (TfdEngine *self, TfdJob *job, TfdEvent event, TfdErrorCode code, char *message)
{
  g_auto (TfdFailure) failure = { .code = code,
                                  .context = TFD_ERROR_CONTEXT_QUEUE_MANAGER,
                                  .file = G_MAXUINT32,
                                  .message = message };

  tfd_engine_apply (self, job, event, TFD_GUARD_NONE, &failure, NULL);
}

static gint64
check_waiting (TfdEngine *self, TfdJob *job, gint64 now)
{
  TfdJobRecord *record = job->record;
  gint64 deadline =
      record->no_progress_since == 0
          ? NEVER
          : after (record->no_progress_since, record->properties->no_progress_timeout);

  if (now >= deadline)
    {
      fire (self, job, TFD_EVENT_NO_PROGRESS, TFD_ERROR_NO_PROGRESS,
            g_strdup_printf ("no progress for as long as NoProgressTimeout allows; the last error "
                             "was: %s",
                             record->failure.message != NULL ? record->failure.message : "none"));
      return NEVER;
    }
  if (record->retry_at == 0)
    return deadline;
  if (now < record->retry_at)
    return MIN (deadline, record->retry_at);
  tfd_engine_apply (self, job, TFD_EVENT_RETRY_DUE, TFD_GUARD_NONE, NULL, NULL);
  return NEVER;
}

guint64
tfd_job_maximum_download_time (const TfdJob *job)
{
  guint64 own = job->record->properties->maximum_download_time;

  return own != 0 ? own : job->engine->config->maximum_download_time;
}

static gint64
check_running (TfdEngine *self, TfdJob *job, gint64 now)
{
  TfdJobRecord *record = job->record;
  gint64 deadline;

  tfd_job_account_time (job, now);
  deadline = after (now - (gint64) record->active_time, tfd_job_maximum_download_time (job));
  if (now < deadline)
    return deadline;
  fire (self, job, TFD_EVENT_MAXIMUM_DOWNLOAD_TIME, TFD_ERROR_MAXIMUM_DOWNLOAD_TIME,
        g_strdup ("the job has been active for as long as MaximumDownloadTime allows; Resume "
                  "counts anew"));
  return NEVER;
}

gint64
tfd_engine_check_timers (TfdEngine *self, TfdJob *job, gint64 now)
{
  if (job->work != NULL)
    return NEVER;
  if (job->record->state == TFD_JOB_STATE_TRANSIENT_ERROR)
    return check_waiting (self, job, now);
  return tfd_job_state_is_running (job->record->state) ? check_running (self, job, now) : NEVER;
}

static gint64
inactive_at (const TfdEngine *self, const TfdJob *job)
{
  return after (job->record->last_activity, self->config->job_inactivity_timeout);
}

void
tfd_engine_expect_inactivity (TfdEngine *self, const TfdJob *job)
{
  self->inactive_at = MIN (self->inactive_at, inactive_at (self, job));
}

gint64
tfd_engine_check_inactivity (TfdEngine *self, gint64 now)
{
  /* whatever a job does makes it younger: none is due before the first of them was */
  if (now < self->inactive_at)
    return self->inactive_at;
  self->inactive_at = NEVER;
  for (GSequenceIter *iter = g_sequence_get_begin_iter (self->order);
       !g_sequence_iter_is_end (iter); iter = g_sequence_iter_next (iter))
    {
      TfdJob *job = g_sequence_get (iter);
      gint64 due = inactive_at (self, job);

      if (now >= due && job->work == NULL && !tfd_job_state_is_running (job->record->state))
        tfd_engine_expire (self, job);
      else
        self->inactive_at = MIN (self->inactive_at, MAX (due, now + INACTIVITY_SPACING));
    }
  return self->inactive_at;
}

void
tfd_job_account_time (TfdJob *job, gint64 now)
{
  gboolean running = tfd_job_state_is_running (job->record->state);

  if (job->active_since != 0 && now > job->active_since)
    job->record->active_time += (guint64) (now - job->active_since);
  job->active_since = running ? now : 0;
}

/* ---- from boot to boot ---- */

/* A transfer of which nobody hears is recorded all the same: its time counts. */
static void
save_running_jobs (TfdEngine *self)
{
  GHashTableIter iter;
  TfdJob *job;

  g_hash_table_iter_init (&iter, self->runs);
  while (g_hash_table_iter_next (&iter, NULL, (gpointer *) &job))
    if (!job->ended && tfd_job_state_is_running (job->record->state))
      tfd_engine_save_job (self, job, NULL);
}

static void
mark_cb (gpointer user_data)
{
  TfdEngine *self = user_data;

  self->mark_alarm = 0;
  tfd_engine_mark_time (self);
  save_running_jobs (self);
}

void
tfd_engine_mark_time (TfdEngine *self)
{
  g_autofree char *mark =
      g_strdup_printf ("%s %" G_GINT64_FORMAT " %" G_GINT64_FORMAT " %d",
                       tfd_clock_boot_id (self->clock), tfd_clock_now_boot (self->clock),
                       tfd_clock_now_real (self->clock), tfd_clock_is_synchronised (self->clock));
  g_autoptr (GError) error = NULL;

  if (!tfd_store_set_meta (self->store, "time-mark", mark, &error))
    tfd_warning ("cannot note the time: %s", error->message);
  tfd_outbox_wake (self->outbox);
  tfd_clock_remove_alarm (self->clock, self->mark_alarm);
  self->mark_alarm = tfd_clock_add_alarm (
      self->clock, tfd_clock_now_boot (self->clock) + MARK_INTERVAL, mark_cb, self, NULL);
}

/* The last time that an earlier boot noted. */
typedef struct
{
  char boot_id[64];
  gint64 boot, real;
  int synchronised;
} Mark;

static gboolean
read_mark (TfdEngine *self, Mark *mark)
{
  g_autofree char *text = NULL;

  return tfd_store_get_meta (self->store, "time-mark", &text, NULL) && text != NULL &&
         sscanf (text, "%63s %" G_GINT64_FORMAT " %" G_GINT64_FORMAT " %d", mark->boot_id,
                 &mark->boot, &mark->real, &mark->synchronised) == 4;
}

/* How long nobody has touched the job by now: never more than is certain. The time was noted at
 * some moment of the other boot, and the job may have been used after that. */
static gint64
age_of (TfdEngine *self, const TfdJobRecord *record, const Mark *mark)
{
  gint64 since_mark = 0;

  if (g_strcmp0 (record->boot_id, mark->boot_id) != 0)
    return 0;
  if (mark->synchronised && tfd_clock_is_synchronised (self->clock))
    since_mark = CLAMP (tfd_clock_now_real (self->clock) - mark->real, 0, MAX_BOOT_GAP);
  return MAX (mark->boot - record->last_activity + since_mark, 0);
}

/* What was left of the wait when the other boot last noted the time. It did so when the wait began,
 * if not later: this is never more than all of it. Not known: all of it. */
static guint64
rest_of_wait (const TfdJobRecord *record, const Mark *mark)
{
  if (g_strcmp0 (record->boot_id, mark->boot_id) == 0)
    return (guint64) MAX (record->retry_at - mark->boot, 0);
  return MAX (record->properties->minimum_retry_delay, record->failure.retry_after);
}

/* How long there had been no progress by then. */
static gint64
time_without_progress (const TfdJobRecord *record, const Mark *mark)
{
  return g_strcmp0 (record->boot_id, mark->boot_id) == 0
             ? MAX (mark->boot - record->no_progress_since, 0)
             : 0;
}

/* No time of an earlier boot may look like none at all. */
static gint64
not_zero (gint64 time)
{
  return time != 0 ? time : -1;
}

gboolean
tfd_engine_convert_times (TfdEngine *self, TfdJobRecord *record)
{
  gint64 now = tfd_clock_now_boot (self->clock);
  Mark mark = { 0 };

  if (g_strcmp0 (record->boot_id, tfd_clock_boot_id (self->clock)) == 0)
    return FALSE;
  if (!read_mark (self, &mark))
    mark = (Mark){ 0 };
  if (record->retry_at != 0)
    record->retry_at = MIN (after (now, rest_of_wait (record, &mark)), NEVER / 2);
  if (record->no_progress_since != 0)
    record->no_progress_since = not_zero (now - time_without_progress (record, &mark));
  record->last_activity = now - age_of (self, record, &mark);
  g_free (record->boot_id);
  record->boot_id = g_strdup (tfd_clock_boot_id (self->clock));
  return TRUE;
}

void
tfd_engine_adopt_times (TfdEngine *self, TfdJob *job)
{
  gboolean converted = tfd_engine_convert_times (self, job->record);

  /* not every byte that came was recorded: the last may have come just now */
  if (tfd_job_state_is_running (job->record->state))
    job->record->last_activity = tfd_clock_now_boot (self->clock);
  if (converted)
    tfd_engine_save_job (self, job, NULL);
}
