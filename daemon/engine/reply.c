/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Reply: what a server says to an upload. It is a file of the job like one that is downloaded, in
 * the row behind that of the file that is sent; here is what is different about it. */
#include "config.h"

#include "common/url.h"
#include "engine/engine-private.h"

TfdFileRecord *
tfd_reply_file_new (const TfdJobProperties *properties, const TfdFileSpec *spec)
{
  TfdFileRecord *file = tfd_file_record_new ();

  file->index = 1;
  file->url = g_strdup (""); /* the server says where it is */
  file->path = tfd_reply_path (properties, spec->path);
  file->options = spec->options != NULL ? g_variant_ref (spec->options) : NULL;
  /* beside what is sent it is in the directory that was handed in */
  file->attached = spec->attached && properties->reply_file_name[0] == '\0';
  return file;
}

static gboolean
check_path (const char *path, const char *source, GError **error)
{
  if (!tfd_path_check (path, error))
    {
      g_prefix_error (error, "the reply, which goes to ‘ReplyFileName’ or beside the file: ");
      return FALSE;
    }
  if (!g_str_equal (path, source))
    return TRUE;
  g_set_error_literal (error, TFD_ERROR, TFD_ERROR_DUPLICATE_DESTINATION,
                       "the reply would replace the file that is sent");
  return FALSE;
}

gboolean
tfd_reply_check (const TfdJobProperties *properties, const char *source, GError **error)
{
  g_autofree char *path = tfd_reply_path (properties, source);

  return check_path (path, source, error);
}

/* The row of the reply; NULL when there is none (yet), or the files cannot be read. */
static TfdFileRecord *
find_reply (TfdEngine *self, TfdJob *job, GError **error)
{
  if (job->record->type != TFD_JOB_TYPE_UPLOAD_REPLY || job->record->files_total == 0 ||
      tfd_job_files (job, self->store, error) == NULL || job->files->len < 2)
    return NULL;
  return job->files->pdata[1];
}

/* ---- ReplyFileName ---- */

/* The worker has the file that the reply answers. */
static gboolean
is_in_hand (const TfdJob *job)
{
  return job->run != NULL && job->run->next_file > 0;
}

gboolean
tfd_engine_check_reply_name (TfdEngine *self, TfdJob *job, GVariant *changes, GError **error)
{
  g_autoptr (GError) local_error = NULL;
  const char *source, *name = NULL;
  g_autofree char *path = NULL;
  TfdFileRecord *reply;

  if (!g_variant_lookup (changes, "ReplyFileName", "&s", &name) ||
      g_str_equal (name, job->record->properties->reply_file_name))
    return TRUE;
  reply = find_reply (self, job, &local_error);
  if (local_error != NULL)
    {
      g_propagate_error (error, g_steal_pointer (&local_error));
      return FALSE;
    }
  if (reply == NULL)
    return TRUE;
  if (reply->part != NULL || reply->state != TFD_FILE_STATE_WAITING ||
      (is_in_hand (job) && !tfd_job_is_resumable (job, tfd_clock_now_boot (self->clock))))
    {
      g_set_error_literal (error, TFD_ERROR, TFD_ERROR_INVALID_STATE,
                           reply->part != NULL || reply->state != TFD_FILE_STATE_WAITING
                               ? "the reply has begun to arrive"
                               : "the file is being sent, which would have to begin anew: suspend "
                                 "the job first");
      return FALSE;
    }
  source = ((const TfdFileRecord *) job->files->pdata[0])->path;
  path = *name != '\0' ? g_strdup (name) : g_strconcat (source, ".reply", NULL);
  /* whether it is a path at all is for the property to say */
  return (*name != '\0' && !tfd_path_check (name, NULL)) || check_path (path, source, error);
}

gboolean
tfd_engine_move_reply (TfdEngine *self, TfdJob *job, gboolean *again, GError **error)
{
  g_autofree char *path = NULL;
  TfdFileRecord *reply;

  *again = FALSE;
  /* what is not in memory has not been asked for: the name did not change */
  reply = job->files != NULL ? find_reply (self, job, NULL) : NULL;
  if (reply == NULL || job->work != NULL)
    return TRUE;
  path = tfd_reply_path (job->record->properties,
                         ((const TfdFileRecord *) job->files->pdata[0])->path);
  if (g_str_equal (path, reply->path))
    return TRUE;
  if (is_in_hand (job))
    {
      /* the worker may have begun where it was to go before */
      if (!tfd_engine_abandon_part (self, job, reply, error))
        return FALSE;
      job->run->outdated = TRUE;
      *again = TRUE;
    }
  g_free (reply->path);
  reply->path = g_steal_pointer (&path);
  g_clear_pointer (&reply->directory, g_bytes_unref);
  return tfd_engine_save_file (self, job, reply);
}

/* ---- what has arrived ---- */

void
tfd_engine_get_reply_progress (TfdEngine *self, TfdJob *job, guint64 *transferred, guint64 *total)
{
  g_autoptr (GPtrArray) rows = NULL;
  const TfdFileRecord *reply = NULL;

  *transferred = 0;
  *total = job->record->type == TFD_JOB_TYPE_UPLOAD_REPLY ? TFD_SIZE_UNKNOWN : 0;
  if (job->record->type != TFD_JOB_TYPE_UPLOAD_REPLY)
    return;
  if (job->files != NULL)
    reply = job->files->len > 1 ? job->files->pdata[1] : NULL;
  else if (!job->ended)
    {
      rows = tfd_store_load_file_range (self->store, job->record->id, 1, 1, NULL);
      reply = rows != NULL && rows->len > 0 ? rows->pdata[0] : NULL;
    }
  if (reply == NULL)
    return;
  *transferred = reply->transferred;
  *total = reply->total;
}

/* Asks the worker for the reply by @method, whose answer @callback gets. */
static void
ask_for_reply (TfdEngine *self,
               TfdJob *job,
               const char *method,
               guint64 most,
               GAsyncReadyCallback callback,
               GTask *task)
{
  TfdOwner owner = tfd_job_owner (job);
  g_autoptr (GVariant) record = NULL;
  GError *error = NULL;
  TfdFileRecord *reply;
  GVariant *dict;

  if (job->record->type != TFD_JOB_TYPE_UPLOAD_REPLY)
    {
      g_task_return_new_error (task, TFD_ERROR, TFD_ERROR_NOT_SUPPORTED,
                               "only jobs of type ‘upload-reply’ have a reply");
      return;
    }
  reply = find_reply (self, job, &error);
  if (error != NULL || reply == NULL || job->record->state != TFD_JOB_STATE_TRANSFERRED)
    {
      if (error != NULL)
        g_task_return_error (task, error);
      else
        g_task_return_new_error (task, TFD_ERROR, TFD_ERROR_INVALID_STATE,
                                 "the reply has not arrived: the job is %s",
                                 tfd_enum_to_string (TFD_TYPE_JOB_STATE, job->record->state));
      return;
    }
  if (reply->transferred > most)
    {
      g_task_return_new_error (task, TFD_ERROR, TFD_ERROR_TOO_LARGE,
                               "the reply has %" G_GUINT64_FORMAT
                               " bytes, more than %" G_GUINT64_FORMAT ": use OpenReply",
                               reply->transferred, most);
      return;
    }
  record = g_variant_ref_sink (tfd_request_file (reply));
  dict = g_variant_get_child_value (record, 1);
  tfd_transport_request_async (self->transport, &owner, method,
                               most == G_MAXUINT64
                                   ? g_variant_new ("(su@a{sv})", job->record->id, 1, dict)
                                   : g_variant_new ("(su@a{sv}t)", job->record->id, 1, dict, most),
                               callback, g_object_ref (task));
  g_variant_unref (dict);
}

static void
read_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = G_TASK (user_data);
  const guint64 *most = g_task_get_task_data (task);
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) answer =
      tfd_transport_request_finish (TFD_TRANSPORT (source), result, NULL, &error);
  g_autoptr (GVariant) bytes = answer != NULL ? g_variant_get_child_value (answer, 0) : NULL;

  if (bytes != NULL && g_variant_get_size (bytes) <= *most)
    g_task_return_pointer (task, g_steal_pointer (&bytes), (GDestroyNotify) g_variant_unref);
  else if (bytes != NULL)
    g_task_return_new_error (task, TFD_ERROR, TFD_ERROR_TOO_LARGE, "the reply is too large");
  else
    g_task_return_new_error (task, TFD_ERROR, tfd_open_error_code (error),
                             "the reply cannot be read: %s", error->message);
}

void
tfd_engine_read_reply_async (
    TfdEngine *self, TfdJob *job, guint64 most, GAsyncReadyCallback callback, gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (self, NULL, callback, user_data);

  g_task_set_name (task, "read reply");
  g_task_set_task_data (task, g_memdup2 (&most, sizeof most), g_free);
  ask_for_reply (self, job, "ReadPart", most, read_cb, task);
}

GVariant *
tfd_engine_read_reply_finish (TfdEngine *self G_GNUC_UNUSED, GAsyncResult *result, GError **error)
{
  return g_task_propagate_pointer (G_TASK (result), error);
}

void
tfd_engine_open_reply_async (TfdEngine *self,
                             TfdJob *job,
                             GAsyncReadyCallback callback,
                             gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (self, NULL, callback, user_data);

  g_task_set_name (task, "open reply");
  ask_for_reply (self, job, "OpenPart", G_MAXUINT64, tfd_part_opened_cb, task);
}
