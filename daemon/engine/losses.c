/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Losses: what the end of a worker process means. It is no error of the job: files start again at
 * once, then more and more slowly; only a file that takes its worker along again and again stops
 * its job. */
#include "config.h"

#include "common/retry.h"
#include "engine/engine-private.h"

#define LOSS_WINDOW (60 * (gint64) TFD_USEC_PER_SEC)
#define LOSSES_TRANSIENT 3
#define LOSSES_FATAL 10

static TfdLoss *
loss_of (TfdJob *job, gpointer index)
{
  TfdLoss *loss;

  if (job->losses == NULL)
    job->losses = g_hash_table_new_full (NULL, NULL, NULL, g_free);
  loss = g_hash_table_lookup (job->losses, index);
  if (loss == NULL)
    {
      loss = g_new0 (TfdLoss, 1);
      g_hash_table_insert (job->losses, index, loss);
    }
  return loss;
}

/* The files that ran, as far as is known. A worker that died before it told anything (@silent) was
 * at work on the first that it was given: files are begun in their order. */
static GHashTable *
files_that_ran (TfdJob *job, gboolean silent)
{
  if (g_hash_table_size (job->run->active) > 0 || !silent)
    return g_hash_table_ref (job->run->active);

  g_autoptr (GHashTable) first = g_hash_table_new (NULL, NULL);
  for (guint32 i = 0; job->files != NULL && i < job->run->next_file && i < job->files->len; i++)
    if (((TfdFileRecord *) job->files->pdata[i])->state == TFD_FILE_STATE_WAITING)
      {
        g_hash_table_add (first, GUINT_TO_POINTER (i));
        break;
      }
  return g_steal_pointer (&first);
}

/* Counts the loss against the files that ran; returns the largest counts among them, and the file
 * that was lost most often. */
static void
count_losses (
    TfdJob *job, gboolean silent, gint64 now, guint32 *recent, guint32 *all, guint32 *file)
{
  g_autoptr (GHashTable) files = files_that_ran (job, silent);
  GHashTableIter iter;
  gpointer index;

  *recent = *all = 0;
  *file = G_MAXUINT32;
  g_hash_table_iter_init (&iter, files);
  while (g_hash_table_iter_next (&iter, &index, NULL))
    {
      TfdLoss *loss = loss_of (job, index);

      if (now - loss->first > LOSS_WINDOW)
        {
          loss->first = now;
          loss->recent = 0;
        }
      loss->recent++;
      if (++loss->count > *all)
        *file = GPOINTER_TO_UINT (index);
      *recent = MAX (*recent, loss->recent);
      *all = MAX (*all, loss->count);
    }
}

static void
lose_run (TfdEngine *self, TfdJob *job, gboolean silent, gint64 now)
{
  g_auto (TfdFailure) failure = { .code = TFD_ERROR_WORKER_LOST,
                                  .context = TFD_ERROR_CONTEXT_QUEUE_MANAGER,
                                  .file = G_MAXUINT32 };
  gint64 served = job->last_served;
  guint32 recent, all;

  count_losses (job, silent, now, &recent, &all, &failure.file);
  failure.transient = all < LOSSES_FATAL;
  failure.message = g_strdup_printf ("the worker process ended unexpectedly %u times while this "
                                     "file was transferred",
                                     all);
  tfd_engine_drop_run (self, job);
  job->last_served = served;
  if (!tfd_job_state_is_running (job->record->state) || job->work != NULL)
    return;
  if (all >= LOSSES_FATAL)
    tfd_engine_apply (self, job, TFD_EVENT_FATAL_ERROR, TFD_GUARD_NONE, &failure, NULL);
  else if (recent >= LOSSES_TRANSIENT)
    tfd_engine_apply (self, job, TFD_EVENT_TRANSIENT_ERROR, TFD_GUARD_UNCOUNTED, &failure, NULL);
  else
    tfd_engine_apply (self, job, TFD_EVENT_WORKER_LOST, TFD_GUARD_NONE, NULL, NULL);
}

/* The jobs of @uid that have a run (element-type TfdJob): what happens next changes the table. */
static GPtrArray *
running_jobs (TfdEngine *self, guint32 uid)
{
  GPtrArray *jobs = g_ptr_array_new_with_free_func ((GDestroyNotify) tfd_job_unref);
  GHashTableIter iter;
  TfdJob *job;

  g_hash_table_iter_init (&iter, self->runs);
  while (g_hash_table_iter_next (&iter, NULL, (gpointer *) &job))
    if (job->record->owner_uid == uid)
      g_ptr_array_add (jobs, tfd_job_ref (job));
  return jobs;
}

static void
lost_cb (TfdTransport *transport G_GNUC_UNUSED, guint uid, gpointer user_data)
{
  TfdEngine *self = TFD_ENGINE (user_data);
  TfdWorkerState *worker = tfd_engine_worker_state (self, uid);
  g_autoptr (GPtrArray) jobs = running_jobs (self, uid);
  gint64 now = tfd_clock_now_boot (self->clock);
  gboolean silent = TRUE;

  worker->losses = now - worker->last_loss > LOSS_WINDOW ? 1 : worker->losses + 1;
  worker->last_loss = now;
  worker->not_before = now + (gint64) tfd_retry_worker_delay (worker->losses);
  tfd_log (G_LOG_LEVEL_MESSAGE, TFD_MESSAGE_WORKER_LOST, NULL,
           "the worker of user %u ended unexpectedly; its files start again", uid);
  for (guint i = 0; i < jobs->len; i++)
    silent &= g_hash_table_size (((TfdJob *) jobs->pdata[i])->run->active) == 0;
  for (guint i = 0; i < jobs->len; i++)
    lose_run (self, jobs->pdata[i], silent, now);
  tfd_engine_plan_later (self);
}

/* Nothing of the user may run: what was just handed over comes back, and says why it waits. */
static void
stuck_cb (TfdTransport *transport G_GNUC_UNUSED, guint uid, gboolean stuck, gpointer user_data)
{
  TfdEngine *self = TFD_ENGINE (user_data);
  g_autoptr (GPtrArray) jobs = running_jobs (self, uid);

  tfd_engine_worker_state (self, uid)->stuck = stuck;
  for (guint i = 0; stuck && i < jobs->len; i++)
    {
      tfd_engine_drop_run (self, jobs->pdata[i]);
      tfd_engine_apply (self, jobs->pdata[i], TFD_EVENT_WORKER_LOST, TFD_GUARD_NONE, NULL, NULL);
    }
  tfd_engine_plan_later (self);
}

void
tfd_engine_connect_losses (TfdEngine *self)
{
  g_signal_connect (self->transport, "lost", G_CALLBACK (lost_cb), self);
  g_signal_connect (self->transport, "stuck", G_CALLBACK (stuck_cb), self);
}
