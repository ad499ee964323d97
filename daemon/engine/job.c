/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Job: the model of one job: its row, its files, its counters. */
#include "config.h"

#include "engine/engine-private.h"

/* No size or position of a file is believed beyond this: sums of 200,000 of them stay in 64 bits.
 */
#define MAX_BELIEVED (G_GUINT64_CONSTANT (1) << 45)

#define RATE_PERIOD (G_GINT64_CONSTANT (1000000))

typedef struct
{
  TfdFreeFunc func;
  gpointer data;
  GDestroyNotify destroy;
} Waiting;

TfdJob *
tfd_job_new (TfdEngine *engine, TfdJobRecord *record, guint64 order)
{
  TfdJob *job = g_new0 (TfdJob, 1);

  g_ref_count_init (&job->refs);
  job->engine = engine;
  job->record = record;
  job->order = order;
  g_queue_init (&job->waiting);
  return job;
}

TfdJob *
tfd_job_ref (TfdJob *job)
{
  g_ref_count_inc (&job->refs);
  return job;
}

static void
waiting_free (Waiting *waiting)
{
  if (waiting->destroy != NULL)
    waiting->destroy (waiting->data);
  g_free (waiting);
}

void
tfd_job_unref (TfdJob *job)
{
  if (!g_ref_count_dec (&job->refs))
    return;
  g_queue_clear_full (&job->waiting, (GDestroyNotify) waiting_free);
  g_clear_pointer (&job->files, g_ptr_array_unref);
  g_clear_pointer (&job->losses, g_hash_table_unref);
  g_clear_pointer (&job->run, tfd_run_free);
  tfd_job_record_free (job->record);
  g_free (job);
}

const char *
tfd_job_id (const TfdJob *job)
{
  return job->record->id;
}

guint32
tfd_job_uid (const TfdJob *job)
{
  return job->record->owner_uid;
}

TfdOwner
tfd_job_owner (const TfdJob *job)
{
  return (TfdOwner){ job->record->owner_uid, job->record->owner_name, job->record->sandbox };
}

const TfdJobRecord *
tfd_job_record (const TfdJob *job)
{
  return job->record;
}

guint64
tfd_job_rate (const TfdJob *job)
{
  return job->record->state == TFD_JOB_STATE_TRANSFERRING ? job->rate : 0;
}

gint64
tfd_job_next_retry (const TfdJob *job, TfdClock *clock)
{
  if (job->record->state != TFD_JOB_STATE_TRANSIENT_ERROR || job->record->retry_at == 0)
    return 0;
  return tfd_clock_now_real (clock) + job->record->retry_at - tfd_clock_now_boot (clock);
}

TfdGuards
tfd_job_guards (const TfdJob *job)
{
  const TfdJobRecord *record = job->record;
  TfdGuards guards = TFD_GUARD_NONE;

  if (record->files_total > 0)
    guards |= TFD_GUARD_HAS_FILES;
  if (record->files_total > 0 && record->files_transferred == record->files_total)
    guards |= TFD_GUARD_ALL_TRANSFERRED;
  if (record->failure.context != TFD_ERROR_CONTEXT_NONE && record->retry_at == 0)
    guards |= TFD_GUARD_EVENT_DRIVEN;
  if (record->properties->no_progress_timeout < record->properties->minimum_retry_delay)
    guards |= TFD_GUARD_NO_RETRY;
  return guards;
}

/* Of a job of many files the one that has just begun may begin again: or files that cannot be
 * continued would keep a slot for as long as there are any. */
#define JUST_BEGUN_MSEC 1000

/* What the worker said of the temporary: with a validator the rest can be asked for later, when it
 * is known how much that is. */
static gboolean
file_is_resumable (const TfdJob *job, guint32 index, guint32 age)
{
  const TfdFileRecord *file =
      job->files != NULL && index < job->files->len ? job->files->pdata[index] : NULL;
  g_autoptr (GVariant) validator =
      file == NULL || file->part == NULL
          ? NULL
          : g_variant_lookup_value (file->part, "validator", G_VARIANT_TYPE_STRING);

  if (file == NULL || (validator != NULL && file->total != TFD_SIZE_UNKNOWN &&
                       !job->record->properties->dynamic_content))
    return TRUE;
  /* what is sent may be at the server before any of it is confirmed, and must not come twice */
  return tfd_file_direction (job->record->type, index) == TFD_DIRECTION_RECEIVE &&
         (file->transferred == 0 || (job->run->done > 0 && age < JUST_BEGUN_MSEC));
}

gboolean
tfd_job_is_resumable (const TfdJob *job, gint64 now)
{
  GHashTableIter iter;
  gpointer index, since;

  if (job->run == NULL)
    return TRUE;
  g_hash_table_iter_init (&iter, job->run->active);
  while (g_hash_table_iter_next (&iter, &index, &since))
    if (!file_is_resumable (job, GPOINTER_TO_UINT (index),
                            (guint32) (now / 1000) - GPOINTER_TO_UINT (since)))
      return FALSE;
  return TRUE;
}

gboolean
tfd_job_is_reply (const TfdJob *job, const TfdFileRecord *file)
{
  return tfd_file_is_reply (job->record->type, file->index);
}

gboolean
tfd_file_is_finished (const TfdFileRecord *file)
{
  return file->state == TFD_FILE_STATE_TRANSFERRED || file->state == TFD_FILE_STATE_COMPLETED;
}

TfdFileRecord *
tfd_job_file (const TfdJob *job, guint32 index)
{
  return job->files != NULL && index < job->files->len ? job->files->pdata[index] : NULL;
}

/* The numbers of a job are of the files that its owner has added. */
static gboolean
file_counts (const TfdJob *job, const TfdFileRecord *file)
{
  return !tfd_job_is_reply (job, file);
}

void
tfd_job_recount (TfdJob *job)
{
  TfdJobRecord *record = job->record;
  guint64 total = 0;

  record->files_total = 0;
  record->files_transferred = 0;
  record->bytes_transferred = 0;
  job->sizes_unknown = 0;
  for (guint i = 0; i < job->files->len; i++)
    {
      const TfdFileRecord *file = job->files->pdata[i];

      if (!file_counts (job, file))
        continue;
      record->files_total++;
      record->files_transferred += tfd_file_is_finished (file);
      record->bytes_transferred += file->transferred;
      if (file->total == TFD_SIZE_UNKNOWN)
        job->sizes_unknown++;
      else
        total += file->total;
    }
  record->bytes_total = job->sizes_unknown > 0 ? TFD_SIZE_UNKNOWN : total;
}

GPtrArray *
tfd_job_files (TfdJob *job, TfdStore *store, GError **error)
{
  if (job->files == NULL)
    {
      job->files = tfd_store_load_files (store, job->record->id, error);
      if (job->files != NULL)
        tfd_job_recount (job);
    }
  return job->files;
}

/* The sum of the known sizes, from the files: only needed when the last unknown size became known.
 */
static guint64
sum_of_sizes (TfdJob *job)
{
  guint64 sum = 0;

  for (guint i = 0; i < job->files->len; i++)
    if (file_counts (job, job->files->pdata[i]))
      sum += ((const TfdFileRecord *) job->files->pdata[i])->total;
  return sum;
}

guint64
tfd_believed_size (guint64 size)
{
  return size == TFD_SIZE_UNKNOWN ? size : MIN (size, MAX_BELIEVED);
}

void
tfd_job_set_file_progress (TfdJob *job, TfdFileRecord *file, guint64 transferred, guint64 total)
{
  TfdJobRecord *record = job->record;
  guint64 old_total = file->total;

  total = tfd_believed_size (total);
  transferred = MIN (transferred, MIN (total, MAX_BELIEVED));
  if (!file_counts (job, file))
    {
      file->transferred = transferred;
      file->total = total;
      return;
    }

  record->bytes_transferred = record->bytes_transferred - file->transferred + transferred;
  file->transferred = transferred;
  if (total == old_total)
    return;

  file->total = total;
  if (old_total == TFD_SIZE_UNKNOWN)
    job->sizes_unknown--;
  if (total == TFD_SIZE_UNKNOWN)
    job->sizes_unknown++;
  if (job->sizes_unknown > 0)
    record->bytes_total = TFD_SIZE_UNKNOWN;
  else if (old_total == TFD_SIZE_UNKNOWN)
    record->bytes_total = sum_of_sizes (job);
  else
    record->bytes_total = record->bytes_total - old_total + total;
}

void
tfd_job_set_file_state (TfdJob *job, TfdFileRecord *file, TfdFileState state)
{
  gboolean was_finished = tfd_file_is_finished (file);

  file->state = state;
  if (tfd_file_is_finished (file) == was_finished)
    return;
  if (file_counts (job, file))
    job->record->files_transferred += was_finished ? -1u : 1u;
  /* what is left to fetch is not the same any more */
  job->local_known = FALSE;
}

void
tfd_job_sample_rate (TfdJob *job, guint64 bytes, gint64 now)
{
  gint64 span = now - job->rate_time;

  if (job->rate_time == 0)
    {
      job->rate_time = now;
      job->rate_bytes = bytes;
      return;
    }
  job->rate_bytes += bytes;
  if (span < RATE_PERIOD)
    return;

  /* half the new second, half the past: calm enough to read, quick enough to believe */
  guint64 fresh = (guint64) ((double) job->rate_bytes * TFD_USEC_PER_SEC / span);
  job->rate = job->rate == 0 ? fresh : (job->rate + fresh) / 2;
  job->rate_time = now;
  job->rate_bytes = 0;
}

void
tfd_job_reset_rate (TfdJob *job)
{
  tfd_clock_remove_alarm (job->engine->clock, job->rate_alarm);
  job->rate_alarm = 0;
  job->rate = 0;
  job->rate_time = 0;
  job->rate_bytes = 0;
}

gboolean
tfd_engine_is_busy (TfdEngine *self G_GNUC_UNUSED, TfdJob *job)
{
  return job->work != NULL;
}

void
tfd_engine_when_free (TfdEngine *self G_GNUC_UNUSED,
                      TfdJob *job,
                      TfdFreeFunc func,
                      gpointer data,
                      GDestroyNotify destroy)
{
  Waiting *waiting = g_new (Waiting, 1);

  *waiting = (Waiting){ func, data, destroy };
  g_queue_push_tail (&job->waiting, waiting);
}

void
tfd_job_serve_waiting (TfdJob *job)
{
  while (job->work == NULL && !g_queue_is_empty (&job->waiting))
    {
      Waiting *waiting = g_queue_pop_head (&job->waiting);

      waiting->func (job, waiting->data);
      waiting_free (waiting);
    }
}

GPtrArray *
tfd_job_peek_files (TfdJob *job)
{
  return job->files;
}
