/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Commands: what owners ask for: create, add, suspend, resume, change. Each is decided at once, on
 * the model with everything that came before in it; the reply waits for the commit. */
#include "config.h"

#include "engine/engine-private.h"

static gboolean
check_job_limits (TfdEngine *self, guint32 uid, GError **error)
{
  guint of_user = tfd_engine_worker_state (self, uid)->counted;

  /* the administrator is never refused, and takes nothing from the others' budget */
  if (uid == 0)
    return TRUE;
  if (of_user >= self->config->max_jobs_per_user)
    {
      g_set_error (error, TFD_ERROR, TFD_ERROR_TOO_MANY_JOBS_PER_USER,
                   "you have %u jobs, MaxJobsPerUser allows %" G_GUINT64_FORMAT
                   ": complete or cancel some",
                   of_user, self->config->max_jobs_per_user);
      return FALSE;
    }
  if (self->counted >= self->config->max_jobs_per_machine)
    {
      g_set_error (error, TFD_ERROR, TFD_ERROR_TOO_MANY_JOBS_PER_MACHINE,
                   "there are %u jobs, MaxJobsPerMachine allows %" G_GUINT64_FORMAT, self->counted,
                   self->config->max_jobs_per_machine);
      return FALSE;
    }
  return TRUE;
}

static gboolean
check_file_limits (TfdEngine *self, guint32 present, guint32 more, GError **error)
{
  if (more > TFD_MAX_FILES_PER_CALL)
    {
      g_set_error (error, TFD_ERROR, TFD_ERROR_TOO_MANY_FILES,
                   "%u files in one call, at most %u are allowed: use several calls", more,
                   TFD_MAX_FILES_PER_CALL);
      return FALSE;
    }
  if ((guint64) present + more > self->config->max_files_per_job)
    {
      g_set_error (error, TFD_ERROR, TFD_ERROR_TOO_MANY_FILES_IN_JOB,
                   "the job would have %" G_GUINT64_FORMAT
                   " files, MaxFilesPerJob allows %" G_GUINT64_FORMAT,
                   (guint64) present + more, self->config->max_files_per_job);
      return FALSE;
    }
  return TRUE;
}

static TfdFileRecord *
file_from_spec (const TfdFileSpec *spec, guint32 index, GHashTable *directories)
{
  TfdFileRecord *file = tfd_file_record_new ();
  g_autofree char *directory = g_path_get_dirname (spec->path);
  GBytes *identity = directories == NULL ? NULL : g_hash_table_lookup (directories, directory);

  file->index = index;
  file->url = g_strdup (spec->url);
  file->path = g_strdup (spec->path);
  file->options = spec->options != NULL ? g_variant_ref (spec->options) : NULL;
  file->directory = identity != NULL ? g_bytes_ref (identity) : NULL;
  return file;
}

/* Writes the files first: a path that is in the job already is found by the database. */
static gboolean
append_files (
    TfdEngine *self, TfdJob *job, GPtrArray *specs, GHashTable *directories, GError **error)
{
  g_autoptr (GPtrArray) files =
      g_ptr_array_new_with_free_func ((GDestroyNotify) tfd_file_record_free);
  TfdJobRecord *record = job->record;
  g_autoptr (GError) local_error = NULL;

  for (guint i = 0; i < specs->len; i++)
    g_ptr_array_add (files, file_from_spec (specs->pdata[i], record->files_total + i, directories));
  tfd_engine_touch (self, job);
  if (!tfd_store_insert_files (self->store, record->id, files, &local_error))
    {
      if (g_error_matches (local_error, TFD_ERROR, TFD_ERROR_STORAGE_FAILED))
        tfd_engine_doom (self, local_error);
      g_propagate_error (error, g_steal_pointer (&local_error));
      return FALSE;
    }

  record->files_total += files->len;
  record->bytes_total = TFD_SIZE_UNKNOWN;
  job->local_known = FALSE;
  if (job->files != NULL)
    {
      job->sizes_unknown += files->len;
      g_ptr_array_extend_and_steal (job->files, g_steal_pointer (&files));
    }
  return TRUE;
}

static TfdJobRecord *
new_record (TfdEngine *self, const TfdOwner *owner, TfdJobType type, TfdJobProperties *properties)
{
  TfdJobRecord *record = tfd_job_record_new ();

  g_clear_pointer (&record->properties, tfd_job_properties_free);
  record->properties = properties;
  record->id = tfd_job_id_new ();
  record->type = type;
  record->state = TFD_JOB_STATE_SUSPENDED;
  record->owner_uid = owner->uid;
  record->owner_name = g_strdup (owner->name);
  record->creation_time = record->modification_time = tfd_clock_now_real (self->clock);
  record->last_activity = tfd_clock_now_boot (self->clock);
  record->boot_id = g_strdup (tfd_clock_boot_id (self->clock));
  record->counts = owner->uid != 0;
  return record;
}

TfdJob *
tfd_engine_create_job (TfdEngine *self,
                       const TfdOwner *owner,
                       TfdJobType type,
                       TfdJobProperties *properties,
                       GPtrArray *files,
                       GHashTable *directories,
                       gboolean start,
                       GError **error)
{
  g_autoptr (TfdJobProperties) owned = properties;
  g_autoptr (TfdJob) job = NULL;
  gboolean has_files = files != NULL && files->len > 0;

  if (type != TFD_JOB_TYPE_DOWNLOAD)
    {
      g_set_error (error, TFD_ERROR, TFD_ERROR_NOT_SUPPORTED,
                   "jobs of type ‘%s’ are not supported by this version",
                   tfd_enum_to_string (TFD_TYPE_JOB_TYPE, type));
      return NULL;
    }
  if (start && !has_files)
    {
      g_set_error_literal (error, TFD_ERROR, TFD_ERROR_EMPTY,
                           "‘start’ without ‘files’: there is nothing to start");
      return NULL;
    }
  if (!check_job_limits (self, owner->uid, error) ||
      (has_files && !check_file_limits (self, 0, files->len, error)))
    return NULL;

  job = tfd_job_new (self, new_record (self, owner, type, g_steal_pointer (&owned)),
                     ++self->last_order);
  tfd_engine_touch (self, job);
  if (!tfd_store_insert_job (self->store, job->record, error))
    {
      tfd_engine_doom (self, *error);
      return NULL;
    }
  if (has_files && !append_files (self, job, files, directories, error))
    {
      /* a duplicate in one call is found before this point: only the storage can fail here */
      tfd_engine_doom (self, *error);
      return NULL;
    }
  tfd_engine_log_event (self, job, "created", NULL);
  if (has_files || start)
    tfd_engine_save_job (self, job, NULL);
  tfd_engine_insert_job (self, tfd_job_ref (job));
  tfd_engine_tell_added (self, job);
  /* it will not be forgotten that it is not used; when there is an alarm it comes before */
  if (self->alarm == 0)
    tfd_engine_plan_later (self);
  if (start && !tfd_engine_resume (self, job, error))
    {
      tfd_engine_doom (self, *error);
      return NULL;
    }
  return job; /* the engine's reference keeps it */
}

/* A Complete that a crash interrupted may wait for its destination to be mounted. Who goes on with
 * the job does not want its unfinished files discarded then. */
static void
forget_complete (TfdJob *job)
{
  if (tfd_job_awaits_destination (job))
    g_clear_pointer (&job->record->operation_options, g_variant_unref);
}

static void
feed_cb (const GError *error, gpointer data)
{
  TfdJob *job = data;

  if (error == NULL)
    tfd_engine_feed_run (job->engine, job);
}

gboolean
tfd_engine_add_files (TfdEngine *self,
                      TfdJob *job,
                      GPtrArray *files,
                      GHashTable *directories,
                      guint32 *first,
                      GError **error)
{
  if (!tfd_engine_check (self, job, TFD_EVENT_ADD_FILE, error) ||
      !check_file_limits (self, job->record->files_total, files->len, error))
    return FALSE;

  *first = job->record->files_total;
  if (!append_files (self, job, files, directories, error))
    return FALSE;
  forget_complete (job);
  if (!tfd_engine_apply (self, job, TFD_EVENT_ADD_FILE, TFD_GUARD_NONE, NULL, error))
    return FALSE;
  tfd_engine_tell_changed (self, job, TFD_CHANGED_PROGRESS | TFD_CHANGED_TIMES);
  /* the worker may fetch only what is recorded */
  tfd_outbox_add (self->outbox, feed_cb, tfd_job_ref (job), (GDestroyNotify) tfd_job_unref);
  return TRUE;
}

gboolean
tfd_engine_suspend (TfdEngine *self, TfdJob *job, GError **error)
{
  return tfd_engine_apply (self, job, TFD_EVENT_SUSPEND, TFD_GUARD_NONE, NULL, error);
}

/* What failed or is gone is fetched again: a missing one under a new name, as something that is not
 * ours may stand under the old one. */
static void
revive_files (TfdEngine *self, TfdJob *job)
{
  for (guint i = 0; i < job->files->len; i++)
    {
      TfdFileRecord *file = job->files->pdata[i];

      if (file->state == TFD_FILE_STATE_MISSING)
        {
          file->attempt++;
          g_clear_pointer (&file->part, g_variant_unref);
        }
      else if (file->state != TFD_FILE_STATE_ERROR)
        continue;
      tfd_job_set_file_state (job, file, TFD_FILE_STATE_WAITING);
      tfd_engine_save_file (self, job, file);
    }
}

gboolean
tfd_engine_resume (TfdEngine *self, TfdJob *job, GError **error)
{
  if (!tfd_engine_check (self, job, TFD_EVENT_RESUME, error))
    return FALSE;
  if (tfd_job_files (job, self->store, error) == NULL)
    return FALSE;
  revive_files (self, job);
  forget_complete (job);
  job->record->resumed = TRUE;
  g_clear_pointer (&job->losses, g_hash_table_unref);
  return tfd_engine_apply (self, job, TFD_EVENT_RESUME, TFD_GUARD_NONE, NULL, error);
}

static void
auto_complete_cb (const GError *error, gpointer data)
{
  TfdJob *job = data;

  if (error == NULL && job->record->properties->auto_complete)
    tfd_engine_auto_complete (job->engine, job);
}

gboolean
tfd_engine_set_properties (TfdEngine *self, TfdJob *job, GVariant *changes, GError **error)
{
  gboolean auto_complete = job->record->properties->auto_complete;
  TfdLife life = TFD_LIFE_NEW;

  if (!tfd_engine_check (self, job, TFD_EVENT_SET_PROPERTY, error))
    return FALSE;
  if (job->record->resumed)
    life |= TFD_LIFE_RESUMED;
  if (job->record->files_total > 0)
    life |= TFD_LIFE_HAS_FILES;
  if (!tfd_job_properties_apply (job->record->properties, job->record->type, changes, FALSE, life,
                                 error))
    return FALSE;
  if (!tfd_engine_apply (self, job, TFD_EVENT_SET_PROPERTY, TFD_GUARD_NONE, NULL, error))
    return FALSE;
  tfd_engine_tell_changed (self, job, TFD_CHANGED_PROPERTIES | TFD_CHANGED_TIMES);
  tfd_engine_configure_run_later (self, job);
  /* a job that waited for its owner has just been told to go on without */
  if (!auto_complete && job->record->properties->auto_complete)
    tfd_outbox_add (self->outbox, auto_complete_cb, tfd_job_ref (job),
                    (GDestroyNotify) tfd_job_unref);
  return TRUE;
}

GPtrArray *
tfd_engine_list_files (TfdEngine *self, TfdJob *job, guint32 first, guint32 count, GError **error)
{
  GPtrArray *rows;

  if (job->files == NULL)
    return tfd_store_load_file_range (self->store, job->record->id, first, count, error);

  rows = g_ptr_array_new ();
  for (guint64 i = first; i < job->files->len && (count == 0 || i < (guint64) first + count); i++)
    g_ptr_array_add (rows, job->files->pdata[i]);
  return rows;
}
