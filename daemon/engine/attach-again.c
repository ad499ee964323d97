/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Attach again: what was handed in and is lost with a worker is handed in once more, perhaps at
 * another place. The worker says whether it is the same; the files of the job follow it there. */
#include "config.h"

#include "engine/attach-private.h"

#include "common/url.h"

void
tfd_found_again_free (TfdFoundAgain *found)
{
  g_ptr_array_unref (found->identities);
  g_free (found->path);
  g_free (found);
}

/* By what the place of @file is known that was handed in; NULL when none was. *own: it is the file
 * itself. */
static GBytes *
place_of (const TfdJob *job, const TfdFileRecord *file, gboolean *own)
{
  g_autoptr (GVariant) directory = NULL;

  *own = FALSE;
  if (!file->attached)
    return NULL;
  if (tfd_file_direction (job->record->type, file->index) == TFD_DIRECTION_RECEIVE)
    return file->directory != NULL ? g_bytes_ref (file->directory) : NULL;
  if (file->options != NULL)
    directory =
        g_variant_lookup_value (file->options, TFD_KEY_ATTACHED_TO, G_VARIANT_TYPE_BYTESTRING);
  if (directory != NULL)
    return g_variant_get_data_as_bytes (directory);
  *own = TRUE;
  return file->directory != NULL ? g_bytes_ref (file->directory) : NULL;
}

/* What @first is in, or is, and the other places of the job: the same directory is known by another
 * identity after another boot. */
static GPtrArray *
places_of (const TfdJob *job, const TfdFileRecord *first, gboolean *own)
{
  g_autoptr (GHashTable) seen =
      g_hash_table_new_full (g_bytes_hash, g_bytes_equal, (GDestroyNotify) g_bytes_unref, NULL);
  GPtrArray *places = g_ptr_array_new_with_free_func ((GDestroyNotify) g_bytes_unref);
  GBytes *place = place_of (job, first, own);

  if (place == NULL)
    return places;
  g_ptr_array_add (places, place);
  g_hash_table_add (seen, g_bytes_ref (place));
  for (guint i = 0; !*own && i < job->files->len; i++)
    {
      gboolean other_own;

      place = place_of (job, job->files->pdata[i], &other_own);
      if (place == NULL)
        continue;
      if (!other_own && !g_hash_table_contains (seen, place))
        {
          g_hash_table_add (seen, g_bytes_ref (place));
          g_ptr_array_add (places, g_bytes_ref (place));
        }
      g_bytes_unref (place);
    }
  return places;
}

static TfdFoundAgain *
take_found (TfdAttachment *attachment, GVariant *answer, GError **error)
{
  g_autoptr (TfdFoundAgain) found = g_new0 (TfdFoundAgain, 1);
  g_autoptr (GVariant) bytes = g_variant_get_child_value (answer, 0);
  g_autoptr (GVariantIter) same = NULL;
  guint32 index;

  found->file = attachment->file;
  found->identities = g_ptr_array_new_with_free_func ((GDestroyNotify) g_bytes_unref);
  g_variant_get_child (answer, 1, "au", &same);
  while (g_variant_iter_next (same, "u", &index))
    if (index < attachment->known->len)
      g_ptr_array_add (found->identities, g_bytes_ref (attachment->known->pdata[index]));
  if (found->identities->len == 0 ||
      !g_bytes_equal (found->identities->pdata[0], attachment->known->pdata[0]))
    {
      g_set_error_literal (error, TFD_ERROR, TFD_ERROR_INVALID_PATH,
                           found->file ? "it is not the file that was handed in before"
                                       : "it is not the directory that was handed in before");
      return NULL;
    }
  found->path = g_variant_get_size (bytes) == 1 && !found->file
                    ? g_strdup ("/")
                    : tfd_attachment_read_path (bytes, "");
  if (found->path != NULL)
    return g_steal_pointer (&found);
  g_set_error_literal (error, TFD_ERROR, TFD_ERROR_INVALID_PATH,
                       "what was handed in has a path that cannot be used");
  return NULL;
}

static void send_again (TfdEngine *self, GTask *task);

static void
found_again_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = G_TASK (user_data);
  TfdEngine *self = g_task_get_source_object (task);
  TfdAttachment *attachment = g_task_get_task_data (task);
  GError *error = NULL;
  g_autoptr (GVariant) answer =
      tfd_transport_request_finish (TFD_TRANSPORT (source), result, NULL, &error);
  TfdFoundAgain *found;

  if (answer == NULL && tfd_attachment_may_try_again (attachment, error))
    {
      g_error_free (error);
      send_again (self, g_steal_pointer (&task));
      return;
    }
  if (answer == NULL)
    {
      g_task_return_error (task, tfd_attachment_refusal (error));
      g_error_free (error);
      return;
    }
  tfd_attachment_let_go_if_late (self, attachment);
  found = take_found (attachment, answer, &error);
  if (found != NULL)
    g_task_return_pointer (task, found, (GDestroyNotify) tfd_found_again_free);
  else
    g_task_return_error (task, error);
}

/* Takes @task. */
static void
send_again (TfdEngine *self, GTask *task)
{
  TfdAttachment *attachment = g_task_get_task_data (task);
  GVariantBuilder known;

  g_variant_builder_init (&known, G_VARIANT_TYPE ("aay"));
  for (guint i = 0; i < attachment->known->len; i++)
    g_variant_builder_add_value (
        &known,
        g_variant_new_from_bytes (G_VARIANT_TYPE_BYTESTRING, attachment->known->pdata[i], TRUE));
  tfd_transport_request_with_fds_async (
      self->transport, &attachment->owner, "AttachAgain",
      g_variant_new ("(shaay)", attachment->job->record->id, 0, &known), attachment->fds,
      found_again_cb, task);
}

void
tfd_engine_find_again_async (TfdEngine *self,
                             TfdJob *job,
                             guint32 index,
                             int fd,
                             GAsyncReadyCallback callback,
                             gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (self, NULL, callback, user_data);
  TfdAttachment *attachment = tfd_attachment_new (job, fd);
  GError *error = NULL;

  g_task_set_name (task, "attach again");
  g_task_set_task_data (task, attachment, (GDestroyNotify) tfd_attachment_free);
  if (!tfd_engine_check (self, job, TFD_EVENT_SET_PROPERTY, &error) ||
      tfd_job_files (job, self->store, &error) == NULL)
    {
      g_task_return_error (task, error);
      return;
    }
  if (index >= job->record->files_total || index >= job->files->len)
    {
      g_task_return_new_error (task, TFD_ERROR, TFD_ERROR_INVALID_ARGS,
                               "the job has no file %u: it has %u", index,
                               job->record->files_total);
      return;
    }
  attachment->known = places_of (job, job->files->pdata[index], &attachment->file);
  if (attachment->known->len == 0)
    g_task_return_new_error (task, TFD_ERROR, TFD_ERROR_INVALID_STATE,
                             "file %u was added by its path: nothing was handed in for it", index);
  else
    send_again (self, g_steal_pointer (&task));
}

TfdFoundAgain *
tfd_engine_find_again_finish (TfdEngine *self G_GNUC_UNUSED, GAsyncResult *result, GError **error)
{
  return g_task_propagate_pointer (G_TASK (result), error);
}

static gboolean
is_there (const TfdJob *job, const TfdFileRecord *file, const TfdFoundAgain *found)
{
  gboolean own;
  g_autoptr (GBytes) place = place_of (job, file, &own);

  for (guint i = 0; place != NULL && own == found->file && i < found->identities->len; i++)
    if (g_bytes_equal (place, found->identities->pdata[i]))
      return TRUE;
  return FALSE;
}

static char *
moved_path (const char *path, const TfdFoundAgain *found)
{
  return found->file ? g_strdup (found->path)
                     : g_strconcat (g_str_equal (found->path, "/") ? "" : found->path,
                                    strrchr (path, '/'), NULL);
}

/* Where each file will be, by index; NULL when two would be at the same place. */
static GPtrArray *
new_paths (const TfdJob *job, const TfdFoundAgain *found, GError **error)
{
  g_autoptr (GPtrArray) paths = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GHashTable) seen = g_hash_table_new (g_str_hash, g_str_equal);

  for (guint i = 0; i < job->files->len; i++)
    {
      const TfdFileRecord *file = job->files->pdata[i];
      char *path =
          is_there (job, file, found) ? moved_path (file->path, found) : g_strdup (file->path);

      g_ptr_array_add (paths, path);
      if (!tfd_path_check (path, error))
        return NULL;
      if (g_hash_table_add (seen, path))
        continue;
      g_set_error (error, TFD_ERROR, TFD_ERROR_DUPLICATE_DESTINATION,
                   "file %u would be where another file of the job is", i);
      return NULL;
    }
  return g_steal_pointer (&paths);
}

static void
there_cb (const GError *error, gpointer data)
{
  TfdJob *job = data;

  if (error == NULL && !job->ended)
    tfd_engine_try_destination (job->engine, job);
}

/* @file is at @path. FALSE when that could not be recorded. */
static gboolean
move_file (
    TfdEngine *self, TfdJob *job, TfdFileRecord *file, const char *path, const TfdFoundAgain *found)
{
  if (g_str_equal (file->path, path))
    return TRUE;
  if (file->target != NULL)
    {
      char *target = moved_path (file->target, found);

      g_free (file->target);
      file->target = target;
    }
  g_free (file->path);
  file->path = g_strdup (path);
  return tfd_engine_save_file (self, job, file);
}

gboolean
tfd_engine_attach_again (
    TfdEngine *self, TfdJob *job, const TfdFoundAgain *found, guint32 *changed, GError **error)
{
  g_autoptr (GPtrArray) paths = NULL;

  *changed = 0;
  if (!tfd_engine_check (self, job, TFD_EVENT_SET_PROPERTY, error) ||
      tfd_job_files (job, self->store, error) == NULL)
    return FALSE;
  paths = new_paths (job, found, error);
  if (paths == NULL)
    return FALSE;

  for (guint i = 0; i < job->files->len; i++)
    {
      TfdFileRecord *file = job->files->pdata[i];

      if (!is_there (job, file, found))
        continue;
      /* a reply is none of those that anybody counts */
      if (!tfd_job_is_reply (job, file))
        (*changed)++;
      if (!move_file (self, job, file, paths->pdata[i], found))
        break;
    }
  if (!tfd_engine_apply (self, job, TFD_EVENT_SET_PROPERTY, TFD_GUARD_NONE, NULL, error))
    return FALSE;
  tfd_engine_tell_changed (self, job, TFD_CHANGED_TIMES);
  /* the worker is told of places that are recorded */
  tfd_outbox_add (self->outbox, there_cb, tfd_job_ref (job), (GDestroyNotify) tfd_job_unref);
  return TRUE;
}
