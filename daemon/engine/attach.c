/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Attach: directories, and files that are sent, that programs hand in as descriptors. They are for
 * the owner's worker, which looks at them and keeps them: nobody here reads, opens or waits for
 * what somebody else has opened. */
#include "config.h"

#include "engine/attach-private.h"

#include "common/url.h"

#include <unistd.h>

/* A worker that is lost has looked at nothing: the next one is asked, once. */
#define TRIES 2

void
tfd_attachment_free (TfdAttachment *attachment)
{
  tfd_job_unref (attachment->job);
  g_free ((char *) attachment->owner.name);
  g_object_unref (attachment->fds);
  g_clear_pointer (&attachment->specs, g_ptr_array_unref);
  g_clear_pointer (&attachment->known, g_ptr_array_unref);
  g_free (attachment);
}

TfdAttachment *
tfd_attachment_new (TfdJob *job, int fd)
{
  TfdAttachment *attachment = g_new0 (TfdAttachment, 1);
  TfdOwner owner = tfd_job_owner (job);

  attachment->job = tfd_job_ref (job);
  attachment->owner.uid = owner.uid;
  attachment->owner.name = g_strdup (owner.name);
  attachment->fds = g_unix_fd_list_new_from_array (&fd, 1);
  return attachment;
}

GError *
tfd_attachment_refusal (const GError *error)
{
  TfdErrorCode code = TFD_ERROR_INVALID_PATH;

  if (error->domain != TFD_ERROR)
    return g_error_new (TFD_ERROR, TFD_ERROR_FILE_ACCESS_DENIED,
                        "nobody could look at the descriptor: %s", error->message);
  if (error->code == TFD_ERROR_FILE_ACCESS_DENIED || error->code == TFD_ERROR_INVALID_ARGS ||
      error->code == TFD_ERROR_LIMITS_EXCEEDED)
    code = (TfdErrorCode) error->code;
  return g_error_new_literal (TFD_ERROR, code, error->message);
}

gboolean
tfd_attachment_may_try_again (TfdAttachment *attachment, const GError *error)
{
  return g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CONNECTION_CLOSED) &&
         ++attachment->tries < TRIES;
}

void
tfd_attachment_let_go_if_late (TfdEngine *self, TfdAttachment *attachment)
{
  if (attachment->job->ended || tfd_job_uid (attachment->job) != attachment->owner.uid)
    tfd_engine_detach (self, &attachment->owner, attachment->job);
}

char *
tfd_attachment_read_path (GVariant *bytes, const char *name)
{
  gsize length;
  const char *data = g_variant_get_fixed_array (bytes, &length, 1);
  g_autofree char *directory = g_strndup (data != NULL ? data : "", length);
  g_autofree char *path = NULL;

  if (*directory != '/' || strlen (directory) != length)
    return NULL;
  path = *name == '\0'
             ? g_strdup (directory)
             : g_strconcat (g_str_equal (directory, "/") ? "" : directory, "/", name, NULL);
  return tfd_path_check (path, NULL) ? g_steal_pointer (&path) : NULL;
}

static gboolean
take_file (GHashTable *found,
           TfdFileSpec *spec,
           GVariant *directory,
           GVariant *identity,
           GVariant *row,
           GError **error)
{
  g_autoptr (GVariant) own = g_variant_get_child_value (row, 0);
  g_autofree char *path = tfd_attachment_read_path (directory, spec->path);
  const char *name, *message;
  TfdErrorCode code = TFD_ERROR_INVALID_PATH;
  guint64 size;

  g_variant_get (row, "(@ayt&s&s)", NULL, &size, &name, &message);
  if (*name != '\0')
    {
      tfd_error_code_from_name (name, &code);
      g_set_error (error, TFD_ERROR,
                   code == TFD_ERROR_FILE_ACCESS_DENIED ? code : TFD_ERROR_INVALID_PATH, "%.1024s",
                   message);
      return FALSE;
    }
  if (path == NULL)
    {
      g_set_error (error, TFD_ERROR, TFD_ERROR_INVALID_PATH,
                   "‘%s’ in the directory that was handed in has a path that cannot be used",
                   spec->path);
      return FALSE;
    }
  if (*spec->path != '\0')
    spec->attached_to = g_bytes_new (g_variant_get_data (identity), g_variant_get_size (identity));
  g_free (spec->path);
  spec->path = g_steal_pointer (&path);
  tfd_found_add (found, spec->path, own, size);
  return TRUE;
}

/* Fills the specs in. */
static GHashTable *
take_answer (TfdAttachment *attachment, GVariant *answer, GError **error)
{
  g_autoptr (GHashTable) found = tfd_found_new ();
  g_autoptr (GVariant) directory = g_variant_get_child_value (answer, 0);
  g_autoptr (GVariant) identity = g_variant_get_child_value (answer, 1);
  g_autoptr (GVariant) rows = g_variant_get_child_value (answer, 2);
  g_autofree char *path = NULL;

  if (g_variant_n_children (rows) != attachment->specs->len ||
      g_variant_get_size (identity) > TFD_MAX_PART / 2)
    {
      g_set_error_literal (error, TFD_ERROR, TFD_ERROR_INVALID_PATH,
                           "the worker says too little, or too much, of the descriptor");
      return NULL;
    }
  for (guint i = 0; i < attachment->specs->len; i++)
    {
      g_autoptr (GVariant) row = g_variant_get_child_value (rows, i);

      if (!take_file (found, attachment->specs->pdata[i], directory, identity, row, error))
        return NULL;
    }
  path = g_path_get_dirname (((TfdFileSpec *) attachment->specs->pdata[0])->path);
  if (!attachment->file)
    tfd_found_add (found, path, identity, TFD_SIZE_UNKNOWN);
  return g_steal_pointer (&found);
}

static void send_attach (TfdEngine *self, GTask *task);

static void
attached_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = G_TASK (user_data);
  TfdEngine *self = g_task_get_source_object (task);
  TfdAttachment *attachment = g_task_get_task_data (task);
  GError *error = NULL;
  g_autoptr (GVariant) answer =
      tfd_transport_request_finish (TFD_TRANSPORT (source), result, NULL, &error);
  GHashTable *found;

  if (answer == NULL && tfd_attachment_may_try_again (attachment, error))
    {
      g_error_free (error);
      send_attach (self, g_steal_pointer (&task));
      return;
    }
  if (answer == NULL)
    {
      g_task_return_error (task, tfd_attachment_refusal (error));
      g_error_free (error);
      return;
    }
  attachment->job->attached = TRUE;
  tfd_attachment_let_go_if_late (self, attachment);
  found = take_answer (attachment, answer, &error);
  if (found != NULL)
    g_task_return_pointer (task, found, (GDestroyNotify) g_hash_table_unref);
  else
    g_task_return_error (task, error);
}

/* Takes @task. */
static void
send_attach (TfdEngine *self, GTask *task)
{
  TfdAttachment *attachment = g_task_get_task_data (task);
  const TfdJobRecord *record = attachment->job->record;
  GVariantBuilder names;

  g_variant_builder_init (&names, G_VARIANT_TYPE ("aay"));
  for (guint i = 0; i < attachment->specs->len; i++)
    {
      const char *name = ((const TfdFileSpec *) attachment->specs->pdata[i])->path;

      g_variant_builder_add_value (
          &names, g_variant_new_fixed_array (G_VARIANT_TYPE_BYTE, name, strlen (name), 1));
    }
  tfd_transport_request_with_fds_async (
      self->transport, &attachment->owner, "Attach",
      g_variant_new ("(shsaay)", record->id, 0,
                     tfd_enum_to_string (TFD_TYPE_JOB_TYPE, (int) record->type), &names),
      attachment->fds, attached_cb, task);
}

void
tfd_engine_attach_async (TfdEngine *self,
                         TfdJob *job,
                         int fd,
                         GPtrArray *specs,
                         GAsyncReadyCallback callback,
                         gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (self, NULL, callback, user_data);
  TfdAttachment *attachment = tfd_attachment_new (job, fd);

  attachment->specs = g_ptr_array_ref (specs);
  attachment->file = *((const TfdFileSpec *) specs->pdata[0])->path == '\0';
  g_task_set_name (task, "attach");
  g_task_set_task_data (task, attachment, (GDestroyNotify) tfd_attachment_free);
  if (attachment->file && job->record->type == TFD_JOB_TYPE_UPLOAD_REPLY &&
      job->record->properties->reply_file_name[0] == '\0')
    g_task_return_new_error (task, TFD_ERROR, TFD_ERROR_INVALID_ARGS,
                             "the reply needs a place: hand in the directory of the file, and its "
                             "name, or set ReplyFileName");
  else
    send_attach (self, g_steal_pointer (&task));
}

GHashTable *
tfd_engine_attach_finish (TfdEngine *self G_GNUC_UNUSED, GAsyncResult *result, GError **error)
{
  return g_task_propagate_pointer (G_TASK (result), error);
}

gboolean
tfd_job_has_attached (const TfdJob *job)
{
  if (job->attached)
    return TRUE;
  for (guint i = 0; job->files != NULL && i < job->files->len; i++)
    if (((const TfdFileRecord *) job->files->pdata[i])->attached)
      return TRUE;
  return FALSE;
}

void
tfd_engine_detach (TfdEngine *self, const TfdOwner *owner, TfdJob *job)
{
  /* nobody waits for the answer: without a worker nothing is kept */
  tfd_transport_request_async (self->transport, owner, "Detach",
                               g_variant_new ("(s)", job->record->id), NULL, NULL);
}
