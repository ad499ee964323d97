/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Leftovers: temporaries that could not be deleted when their job ended, mostly because their
 * directory was not mounted. They are tried again until they are gone. */
#include "config.h"

#include "engine/work-private.h"

#define DAY (24 * 3600 * (gint64) TFD_USEC_PER_SEC)
#define ROWS_PER_REQUEST 1000
#define GIVE_UP (90 * DAY)

gboolean
tfd_engine_add_leftover (TfdEngine *self, TfdJob *job, const TfdFileRecord *file, GError **error)
{
  g_autoptr (TfdLeftover) leftover = tfd_leftover_new ();

  leftover->owner_uid = job->record->owner_uid;
  leftover->owner_name = g_strdup (job->record->owner_name);
  leftover->job_id = g_strdup (job->record->id);
  leftover->index = file->index;
  leftover->attempt = file->attempt;
  leftover->path = g_strdup (file->path);
  leftover->part = file->part != NULL ? g_variant_ref (file->part) : NULL;
  leftover->directory = file->directory != NULL ? g_bytes_ref (file->directory) : NULL;
  leftover->attached = file->attached;
  leftover->created = leftover->last_try = tfd_clock_now_real (self->clock);
  tfd_engine_count_leftover (self, leftover);
  return tfd_store_add_leftover (self->store, leftover, error);
}

/* Leftovers of one job in one request. */
typedef struct
{
  TfdEngine *engine;
  GPtrArray *rows; /* (owned) of TfdLeftover */
} Attempt;

static void
attempt_free (Attempt *attempt)
{
  g_ptr_array_unref (attempt->rows);
  g_free (attempt);
}

static gboolean
is_undeleted (GVariant *answer, guint32 index)
{
  g_autoptr (GVariantIter) iter = NULL;
  GVariant *path;
  guint32 i;

  g_variant_get (answer, "(a(uays))", &iter);
  while (g_variant_iter_next (iter, "(u@ay&s)", &i, &path, NULL))
    {
      g_variant_unref (path);
      if (i == index)
        return TRUE;
    }
  return FALSE;
}

static void
attempted_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Attempt *attempt = user_data;
  TfdEngine *self = attempt->engine;
  g_autoptr (GVariant) answer =
      tfd_transport_request_finish (TFD_TRANSPORT (source), result, NULL, NULL);
  gboolean ok = TRUE;

  for (guint i = 0; answer != NULL && ok && i < attempt->rows->len; i++)
    {
      const TfdLeftover *row = attempt->rows->pdata[i];

      if (is_undeleted (answer, row->index))
        ok =
            tfd_store_touch_leftover (self->store, row->id, tfd_clock_now_real (self->clock), NULL);
      else
        ok = tfd_store_remove_leftover (self->store, row->id, NULL);
    }
  tfd_outbox_wake (self->outbox);
  attempt_free (attempt);
}

static void
try_job (TfdEngine *self, GPtrArray *rows)
{
  const TfdLeftover *first = rows->pdata[0];
  const TfdOwner owner = { first->owner_uid, first->owner_name, NULL };
  Attempt *attempt = g_new (Attempt, 1);

  *attempt = (Attempt){ self, g_ptr_array_ref (rows) };
  tfd_transport_request_async (
      self->transport, &owner, "Discard",
      g_variant_new ("(s@ay)", first->job_id, tfd_request_leftovers (rows)), attempted_cb, attempt);
}

static void
daily_cb (gpointer user_data)
{
  TfdEngine *self = user_data;

  self->leftover_alarm = 0;
  tfd_engine_try_leftovers (self);
}

static void
try_after_commit_cb (const GError *error G_GNUC_UNUSED, gpointer data)
{
  TfdEngine *self = data;

  self->leftovers_wait = FALSE;
  tfd_engine_try_leftovers (self);
}

void
tfd_engine_try_leftovers_later (TfdEngine *self)
{
  if (!self->leftovers_wait)
    tfd_outbox_add (self->outbox, try_after_commit_cb, self, NULL);
  self->leftovers_wait = TRUE;
}

/* TRUE = rows may be read that are not recorded yet, and whose temporaries would still be needed if
 * they never were: they are tried after the commit. */
static gboolean
must_wait (TfdEngine *self)
{
  if (!tfd_store_in_transaction (self->store))
    return FALSE;
  tfd_engine_try_leftovers_later (self);
  return TRUE;
}

/* The job is just changing its owner, and what is recorded as left over may be what it goes on
 * with; or it does so, after a change that was cut off had promised to delete it. */
static gboolean
is_in_use (TfdEngine *self, const TfdLeftover *row)
{
  TfdJob *job = tfd_engine_get_job (self, row->job_id);
  GPtrArray *files;

  if (job == NULL || tfd_job_state_is_final (job->record->state))
    return FALSE;
  if (job->work != NULL && job->work->kind == TFD_OPERATION_NONE)
    return TRUE;
  files = tfd_job_files (job, self->store, NULL);
  tfd_engine_forget_files_later (self, job);
  return files == NULL ||
         (row->index < files->len &&
          ((const TfdFileRecord *) files->pdata[row->index])->attempt == row->attempt);
}

/* A job that has changed its owner may have left something of each. */
static char *
key_of (const TfdLeftover *row)
{
  return g_strdup_printf ("%u:%s:%s", row->owner_uid, row->owner_name, row->job_id);
}

void
tfd_engine_try_leftovers (TfdEngine *self)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) rows = NULL;
  g_autoptr (GHashTable) jobs =
      g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify) g_ptr_array_unref);
  gint64 now = tfd_clock_now_real (self->clock);
  GHashTableIter iter;
  GPtrArray *of_job;

  if (must_wait (self))
    return;
  rows = tfd_store_load_leftovers (self->store, TFD_LEFTOVER_FILE, G_MAXUINT32, NULL);
  if (rows != NULL)
    g_ptr_array_set_free_func (rows, NULL);
  for (guint i = 0; rows != NULL && i < rows->len; i++)
    {
      TfdLeftover *row = rows->pdata[i];
      g_autofree char *key = key_of (row);

      if (row->created < now - GIVE_UP || is_in_use (self, row))
        {
          tfd_leftover_free (row);
          continue;
        }
      of_job = g_hash_table_lookup (jobs, key);
      if (of_job != NULL && of_job->len >= ROWS_PER_REQUEST)
        {
          try_job (self, of_job);
          of_job = NULL;
        }
      if (of_job == NULL)
        {
          of_job = g_ptr_array_new_with_free_func ((GDestroyNotify) tfd_leftover_free);
          g_hash_table_replace (jobs, g_steal_pointer (&key), of_job);
        }
      g_ptr_array_add (of_job, row);
    }
  g_hash_table_iter_init (&iter, jobs);
  while (g_hash_table_iter_next (&iter, NULL, (gpointer *) &of_job))
    try_job (self, of_job);

  /* after the requests: they must not speak of what is not recorded yet */
  if (!tfd_store_prune_leftovers (self->store, now - GIVE_UP, NULL, &error) ||
      !tfd_store_prune_tombstones (self->store, now - (gint64) self->config->history_time, NULL,
                                   &error))
    tfd_warning ("cannot tidy the database: %s", error->message);
  tfd_outbox_wake (self->outbox);

  tfd_clock_remove_alarm (self->clock, self->leftover_alarm);
  self->leftover_alarm = tfd_clock_add_alarm (self->clock, tfd_clock_now_boot (self->clock) + DAY,
                                              daily_cb, self, NULL);
}
