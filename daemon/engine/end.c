/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* End: the last commit of a job: its row goes, its tombstone comes, and then it is told. */
#include "config.h"

#include "engine/work-private.h"

#define LINGER (5 * (gint64) TFD_USEC_PER_SEC)

/* ---- the end ---- */

typedef struct
{
  TfdEngine *engine;
  TfdJob *job; /* (owned) */
} Ended;

static void
ended_free (gpointer data)
{
  Ended *ended = data;

  tfd_job_unref (ended->job);
  g_free (ended);
}

static void
forget_cb (gpointer data)
{
  Ended *ended = data;

  tfd_engine_remove_job (ended->engine, ended->job);
}

/* The object stays readable for five seconds: a client that asks again hears InvalidState. */
static void
linger (TfdEngine *self, TfdJob *job)
{
  Ended *ended = g_new (Ended, 1);

  *ended = (Ended){ self, tfd_job_ref (job) };
  job->ended = TRUE;
  tfd_engine_retire_job (self, job);
  tfd_clock_add_alarm (self->clock, tfd_clock_now_boot (self->clock) + LINGER, forget_cb, ended,
                       ended_free);
}

static void
ended_cb (const GError *error, gpointer data)
{
  TfdWork *work = data;
  TfdJob *job = work->job;
  TfdOwner owner = tfd_job_owner (job);

  if (error == NULL)
    {
      if (tfd_job_has_attached (job))
        tfd_engine_detach (work->engine, &owner, job);
      linger (work->engine, job);
      tfd_engine_sweep_later (work->engine);
      if (work->func != NULL)
        work->func (job, work->outcome, NULL, work->data);
      tfd_work_free (work);
      return;
    }
  /* what is recorded says that the work goes on, so it does */
  work->pauses = MAX (work->pauses, 1);
  tfd_work_answer_and_go_on (work, error);
}

static void
count_outcome (TfdWork *work)
{
  GPtrArray *files = work->job->files;
  TfdOutcome *outcome = work->outcome;
  g_autoptr (GHashTable) moved = g_hash_table_new (NULL, NULL);
  GHashTableIter iter;
  const char *path;

  g_array_set_size (outcome->kept, 0);
  g_array_set_size (outcome->discarded, 0);
  g_ptr_array_set_size (outcome->undeleted, 0);
  for (guint m = 0; m < outcome->moved->len; m++)
    g_hash_table_add (moved, GUINT_TO_POINTER (g_array_index (outcome->moved, guint32, m)));
  for (guint32 i = 0; i < files->len; i++)
    {
      const TfdFileRecord *file = files->pdata[i];

      if (!tfd_work_receives (work, file))
        continue;
      if (file->state != TFD_FILE_STATE_COMPLETED)
        g_array_append_val (outcome->discarded, i);
      else if (!g_hash_table_contains (moved, GUINT_TO_POINTER (i)))
        g_array_append_val (outcome->kept, i);
    }
  g_hash_table_iter_init (&iter, work->undeleted);
  while (g_hash_table_iter_next (&iter, NULL, (gpointer *) &path))
    g_ptr_array_add (outcome->undeleted, g_strdup (path));

  if (work->kind == TFD_OPERATION_CANCELLING)
    outcome->result = work->expired ? TFD_RESULT_EXPIRED : TFD_RESULT_CANCELLED;
  else
    outcome->result = outcome->discarded->len > 0 ? TFD_RESULT_PARTIAL : TFD_RESULT_COMPLETED;
}

/* Row, tombstone and leftovers change in one commit. Of a user that is gone nothing stays: there is
 * nobody to tell, and the next one with the same number must not hear of it. */
static gboolean
write_end (TfdWork *work, GError **error)
{
  TfdEngine *self = work->engine;
  TfdJob *job = work->job;
  g_autoptr (TfdTombstone) tombstone =
      tfd_outcome_to_tombstone (work->outcome, job, tfd_clock_now_real (self->clock));
  GHashTableIter iter;
  gpointer index;

  if (job->record->gone_since != 0)
    return tfd_engine_delete_job (self, job, error);
  g_hash_table_iter_init (&iter, work->undeleted);
  while (g_hash_table_iter_next (&iter, &index, NULL))
    if (!tfd_engine_add_leftover (self, job, tfd_work_file (work, GPOINTER_TO_UINT (index)), error))
      return FALSE;
  if (!tfd_engine_add_sessions (self, job, error))
    return FALSE;
  return tfd_engine_add_tombstone (self, tombstone, error) &&
         tfd_engine_delete_job (self, job, error);
}

void
tfd_work_end (TfdWork *work)
{
  TfdEngine *self = work->engine;
  TfdJob *job = work->job;
  g_autoptr (GError) error = NULL;
  TfdLogJob log;

  count_outcome (work);
  g_clear_pointer (&job->record->operation_options, g_variant_unref);
  tfd_work_set_operation (work, TFD_OPERATION_NONE);
  tfd_engine_apply (
      self, job, work->kind == TFD_OPERATION_CANCELLING ? TFD_EVENT_CANCELLED : TFD_EVENT_COMPLETED,
      TFD_GUARD_NONE, NULL, NULL);
  if (!write_end (work, &error))
    tfd_engine_doom (self, error);
  tfd_engine_tell_removed (self, job, work->outcome->result);
  log = tfd_job_log (job);
  tfd_log (G_LOG_LEVEL_INFO, TFD_MESSAGE_JOB_ENDED, &log, "ended: %s",
           tfd_enum_to_string (TFD_TYPE_RESULT, work->outcome->result));
  tfd_outbox_add (self->outbox, ended_cb, work, NULL);
}
