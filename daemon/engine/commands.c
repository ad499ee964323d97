/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Commands: what owners ask for: create, add, suspend, resume, change. Each is decided at once, on
 * the model with everything that came before in it; the reply waits for the commit. */
#include "config.h"

#include "common/url.h"
#include "engine/engine-private.h"
#include "engine/limits.h"

static gboolean
check_file_limits (TfdJobType type, guint32 present, guint32 more, GError **error)
{
  if (type == TFD_JOB_TYPE_UPLOAD_REPLY && (guint64) present + more > 1)
    {
      g_set_error_literal (error, TFD_ERROR, TFD_ERROR_TOO_MANY_FILES,
                           "a job of type ‘upload-reply’ has one file: use a job for each");
      return FALSE;
    }
  if (more > TFD_MAX_FILES_PER_CALL)
    {
      g_set_error (error, TFD_ERROR, TFD_ERROR_TOO_MANY_FILES,
                   "%u files in one call, at most %u are allowed: use several calls", more,
                   TFD_MAX_FILES_PER_CALL);
      return FALSE;
    }
  return TRUE;
}

/* The file can be added, as far as the job is concerned. */
static gboolean
check_files (TfdJobType type,
             const TfdJobProperties *properties,
             guint32 present,
             GPtrArray *specs,
             GError **error)
{
  const char *source;

  if (!check_file_limits (type, present, specs->len, error))
    return FALSE;
  if (type != TFD_JOB_TYPE_UPLOAD_REPLY || specs->len == 0)
    return TRUE;
  source = ((const TfdFileSpec *) specs->pdata[0])->path;
  /* where a descriptor leads to is not known before the worker has looked */
  return *source != '/' || tfd_reply_check (properties, source, error);
}

/* What was seen of the file if it is sent, or of its directory if it is received. */
static const TfdFound *
look_up_found (GHashTable *found, TfdDirection direction, const char *path)
{
  g_autofree char *directory = direction == TFD_DIRECTION_SEND ? NULL : g_path_get_dirname (path);

  return g_hash_table_lookup (found, directory != NULL ? directory : path);
}

static void
note_found (const TfdJobRecord *record, GPtrArray *files, GHashTable *found)
{
  const TfdFileRecord *before = NULL;
  const TfdFound *seen = NULL;

  for (guint i = 0; i < files->len; i++)
    {
      TfdFileRecord *file = files->pdata[i];
      TfdDirection direction = tfd_file_direction (record->type, file->index);

      /* many are in one directory */
      if (before == NULL || direction == TFD_DIRECTION_SEND ||
          !tfd_path_same_directory (before->path, file->path))
        seen = look_up_found (found, direction, file->path);
      before = direction == TFD_DIRECTION_RECEIVE ? file : NULL;
      if (seen == NULL)
        continue;
      file->directory = g_bytes_ref (seen->identity);
      file->total = tfd_believed_size (seen->size);
    }
}

/* A file that is sent has an identity of its own: that of its directory is one of the options. */
static GVariant *
options_from_spec (const TfdJobRecord *record, const TfdFileSpec *spec)
{
  /* what is said of the mode is said of the reply */
  gboolean reply = record->type == TFD_JOB_TYPE_UPLOAD_REPLY;
  g_auto (GVariantDict) dict = G_VARIANT_DICT_INIT (reply ? NULL : spec->options);

  if (spec->attached_to == NULL || record->type == TFD_JOB_TYPE_DOWNLOAD)
    return spec->options != NULL && !reply ? g_variant_ref (spec->options) : NULL;
  g_variant_dict_insert_value (
      &dict, TFD_KEY_ATTACHED_TO,
      g_variant_new_from_bytes (G_VARIANT_TYPE_BYTESTRING, spec->attached_to, TRUE));
  return g_variant_ref_sink (g_variant_dict_end (&dict));
}

/* The files of @specs, from index @first on, and the one that takes the reply. Takes the strings of
 * @specs. */
static GPtrArray *
files_from_specs (const TfdJobRecord *record, GPtrArray *specs, GHashTable *found)
{
  GPtrArray *files = g_ptr_array_new_full (specs->len + 1, (GDestroyNotify) tfd_file_record_free);
  gboolean reply = record->type == TFD_JOB_TYPE_UPLOAD_REPLY && specs->len > 0;
  TfdFileRecord *last = reply ? tfd_reply_file_new (record->properties, specs->pdata[0]) : NULL;

  for (guint i = 0; i < specs->len; i++)
    {
      TfdFileSpec *spec = specs->pdata[i];
      TfdFileRecord *file = tfd_file_record_new ();

      file->index = record->files_total + i;
      file->options = options_from_spec (record, spec);
      file->url = g_steal_pointer (&spec->url);
      file->path = g_steal_pointer (&spec->path);
      file->attached = spec->attached;
      g_ptr_array_add (files, file);
    }
  if (last != NULL)
    g_ptr_array_add (files, last);
  if (found != NULL)
    note_found (record, files, found);
  return files;
}

/* The sum of the sizes is known as long as each of them is. */
static void
count_files (TfdJob *job, GPtrArray *files)
{
  TfdJobRecord *record = job->record;

  for (guint i = 0; i < files->len; i++)
    {
      const TfdFileRecord *file = files->pdata[i];

      if (tfd_file_is_reply (record->type, file->index))
        continue;
      record->files_total++;
      if (file->total == TFD_SIZE_UNKNOWN)
        record->bytes_total = TFD_SIZE_UNKNOWN;
      else if (record->bytes_total != TFD_SIZE_UNKNOWN)
        record->bytes_total += file->total;
      if (job->files != NULL && file->total == TFD_SIZE_UNKNOWN)
        job->sizes_unknown++;
    }
}

/* Writes the files first: a path that is in the job already is found by the database. */
static gboolean
append_files (TfdEngine *self, TfdJob *job, GPtrArray *specs, GHashTable *found, GError **error)
{
  g_autoptr (GPtrArray) files = files_from_specs (job->record, specs, found);
  TfdJobRecord *record = job->record;
  g_autoptr (GError) local_error = NULL;

  tfd_engine_touch (self, job);
  if (!tfd_store_insert_files (self->store, record->id, files, &local_error))
    {
      if (g_error_matches (local_error, TFD_ERROR, TFD_ERROR_STORAGE_FAILED))
        tfd_engine_doom (self, local_error);
      g_propagate_error (error, g_steal_pointer (&local_error));
      return FALSE;
    }

  count_files (job, files);
  job->local_known = FALSE;
  if (job->files != NULL)
    g_ptr_array_extend_and_steal (job->files, g_steal_pointer (&files));
  return TRUE;
}

/* A new job with its files, each row written once; those of one that starts are kept. */
static gboolean
insert_job (TfdEngine *self,
            TfdJob *job,
            GPtrArray *specs,
            GHashTable *found,
            gboolean start,
            GError **error)
{
  gboolean has_files = specs != NULL && specs->len > 0;
  g_autoptr (GPtrArray) files = has_files ? files_from_specs (job->record, specs, found) : NULL;

  if (has_files)
    count_files (job, files);
  tfd_engine_touch (self, job);
  if (!tfd_store_insert_job (self->store, job->record, error) ||
      /* a duplicate in one call is found before this point: only the storage can fail here */
      (has_files && !tfd_store_insert_files (self->store, job->record->id, files, error)))
    {
      tfd_engine_doom (self, *error);
      return FALSE;
    }
  tfd_engine_log_event (self, job, "created", NULL);
  if (start)
    {
      job->files = g_steal_pointer (&files);
      tfd_job_recount (job);
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
  g_free (record->sandbox);
  record->sandbox = g_strdup (owner->sandbox != NULL ? owner->sandbox : "");
  record->creation_time = record->modification_time = tfd_clock_now_real (self->clock);
  record->last_activity = tfd_clock_now_boot (self->clock);
  record->boot_id = g_strdup (tfd_clock_boot_id (self->clock));
  return record;
}

TfdJob *
tfd_engine_create_job (TfdEngine *self,
                       const TfdOwner *owner,
                       TfdJobType type,
                       TfdJobProperties *properties,
                       GPtrArray *files,
                       GHashTable *found,
                       gboolean start,
                       const TfdReservation *reservation,
                       GError **error)
{
  g_autoptr (TfdJobProperties) owned = properties;
  g_autoptr (TfdReservation) here = NULL;
  g_autoptr (TfdJob) job = NULL;
  gboolean has_files = files != NULL && files->len > 0;

  if (start && !has_files)
    {
      g_set_error_literal (error, TFD_ERROR, TFD_ERROR_EMPTY,
                           "‘start’ without ‘files’: there is nothing to start");
      return NULL;
    }
  if (reservation == NULL)
    reservation = here =
        tfd_reservation_new_job (self, owner->uid, type, has_files ? files->len : 0);
  if (!tfd_reservation_check (reservation, error) ||
      (has_files && !check_files (type, properties, 0, files, error)) ||
      !tfd_engine_check_stored (self, owner->uid,
                                TFD_STORED_PER_JOB + tfd_engine_size_of_files (files), error))
    return NULL;

  job = tfd_job_new (self, new_record (self, owner, type, g_steal_pointer (&owned)),
                     ++self->last_order);
  job->record->counts = tfd_reservation_counts (reservation);
  if (!insert_job (self, job, files, found, start, error))
    return NULL;
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
tfd_engine_check_add_files (TfdEngine *self, TfdJob *job, guint n_files, GError **error)
{
  return tfd_engine_check (self, job, TFD_EVENT_ADD_FILE, error) &&
         check_file_limits (job->record->type, job->record->files_total, n_files, error);
}

gboolean
tfd_engine_add_files (TfdEngine *self,
                      TfdJob *job,
                      GPtrArray *files,
                      GHashTable *found,
                      const TfdReservation *reservation,
                      guint32 *first,
                      GError **error)
{
  g_autoptr (TfdReservation) here = NULL;

  if (reservation == NULL)
    reservation = here = tfd_reservation_new_files (self, job, files->len);
  if (!tfd_engine_check (self, job, TFD_EVENT_ADD_FILE, error) ||
      !check_files (job->record->type, job->record->properties, job->record->files_total, files,
                    error) ||
      !tfd_reservation_check (reservation, error) ||
      !tfd_engine_check_stored (self, tfd_job_uid (job), tfd_engine_size_of_files (files), error))
    return FALSE;

  *first = job->record->files_total;
  if (!append_files (self, job, files, found, error))
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
  gboolean again = FALSE;
  TfdLife life = TFD_LIFE_NEW;

  if (!tfd_engine_check (self, job, TFD_EVENT_SET_PROPERTY, error))
    return FALSE;
  if (job->record->resumed)
    life |= TFD_LIFE_RESUMED;
  if (job->record->files_total > 0)
    life |= TFD_LIFE_HAS_FILES;
  if (!tfd_engine_check_reply_name (self, job, changes, error) ||
      !tfd_engine_check_stored (self, tfd_job_uid (job), g_variant_get_size (changes), error) ||
      !tfd_job_properties_apply (job->record->properties, job->record->type, changes, FALSE, life,
                                 error) ||
      !tfd_engine_move_reply (self, job, &again, error))
    return FALSE;
  if (!tfd_engine_apply (self, job, again ? TFD_EVENT_SET_REMOTE_NAME : TFD_EVENT_SET_PROPERTY,
                         TFD_GUARD_NONE, NULL, error))
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
  guint32 total = job->record->files_total;
  GPtrArray *rows;

  /* a reply, which comes behind the others, is not one that anybody added */
  count = first >= total ? 0 : count == 0 ? total - first : MIN (count, total - first);
  if (count == 0)
    return g_ptr_array_new ();
  if (job->files == NULL)
    return tfd_store_load_file_range (self->store, job->record->id, first, count, error);

  rows = g_ptr_array_new ();
  for (guint64 i = first; i < job->files->len && i < (guint64) first + count; i++)
    g_ptr_array_add (rows, job->files->pdata[i]);
  return rows;
}
