/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Again: a Complete or Cancel that cannot go on now goes on later. What is committed is rolled
 * forward however long it takes; only whoever waits for the answer hears, after a while, that it
 * does not come. */
#include "config.h"

#include "common/retry.h"
#include "engine/work-private.h"

static void
go_on_cb (gpointer data)
{
  TfdWork *work = data;
  g_autoptr (GError) error = NULL;

  work->alarm = 0;
  work->cursor = 0;
  work->recovering = work->intent;
  g_hash_table_remove_all (work->undeleted);
  if (tfd_job_files (work->job, work->engine->store, &error) == NULL)
    tfd_work_again (work);
  else if (work->kind != TFD_OPERATION_CANCELLING)
    /* a new worker has to be shown the job's own files before it renames others */
    tfd_work_verify (work);
  else if (work->intent)
    tfd_work_discard_next (work);
  else
    tfd_work_commit_intent (work);
}

void
tfd_work_again (TfdWork *work)
{
  TfdClock *clock = work->engine->clock;

  work->alarm = tfd_clock_add_alarm (
      clock, tfd_clock_now_boot (clock) + (gint64) tfd_retry_worker_delay (++work->pauses),
      go_on_cb, work, NULL);
}

gboolean
tfd_work_may_try_again (TfdWork *work)
{
  return work->pauses < TFD_WORK_PAUSES || (work->intent && work->func == NULL);
}

void
tfd_engine_forget_alarms (TfdEngine *self)
{
  GHashTableIter iter;
  TfdJob *job;

  g_hash_table_iter_init (&iter, self->jobs);
  while (g_hash_table_iter_next (&iter, NULL, (gpointer *) &job))
    {
      tfd_job_reset_rate (job);
      if (job->work != NULL && job->work->alarm != 0)
        {
          TfdWork *work = g_steal_pointer (&job->work);

          tfd_clock_remove_alarm (self->clock, work->alarm);
          g_clear_error (&work->halt_error);
          g_hash_table_unref (work->undeleted);
          tfd_outcome_free (work->outcome);
          g_free (work);
          /* the table has a reference, too */
          tfd_job_unref (job);
        }
    }
}

void
tfd_work_answer_and_go_on (TfdWork *work, const GError *error)
{
  if (work->func != NULL)
    work->func (work->job, NULL, error, work->data);
  work->func = NULL;
  tfd_work_again (work);
}
