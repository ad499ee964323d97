/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Reading and filling a job: its properties, its files in pages, files to add in portions. */
#include "config.h"
#include "client/libtransfer/private.h"

#include "common/enums.h"
#include "common/names.h"

static const TransferMethod method_get_all = { "org.freedesktop.DBus.Properties", "GetAll",
                                               "(a{sv})", TRANSFER_CALL_REPEATABLE };
static const TransferMethod method_list_files = { TFD_JOB_INTERFACE, "ListFiles",
                                                  "(a(ussttsa{sv}))", TRANSFER_CALL_REPEATABLE };
static const TransferMethod method_add_files = { TFD_JOB_INTERFACE, "AddFiles", "(u)",
                                                 TRANSFER_CALL_NO_TIMEOUT };
static const TransferMethod method_add_files_at = { TFD_JOB_INTERFACE, "AddFilesAt", "(u)",
                                                    TRANSFER_CALL_NO_TIMEOUT };

static void
ended_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = G_TASK (user_data);
  TransferJob *job = g_task_get_source_object (task);
  g_autoptr (GVariant) rows = NULL;
  g_autoptr (GVariant) row = NULL;
  const char *name = "";

  rows = transfer_client_get_job_history_finish (TRANSFER_CLIENT (source), result, NULL);
  if (rows != NULL && g_variant_n_children (rows) > 0)
    {
      g_variant_get_child (rows, 0, "(&s@a{sv})", NULL, &row);
      g_variant_lookup (row, "result", "&s", &name);
    }
  _transfer_job_tell_removed (job, _transfer_enum_from_string (TFD_TYPE_RESULT, name));
  g_task_return_new_error (task, TRANSFER_ERROR, TRANSFER_ERROR_NOT_FOUND, "the job is over");
}

static void
refreshed_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = G_TASK (user_data);
  TransferJob *job = g_task_get_source_object (task);
  TransferClient *client = TRANSFER_CLIENT (source);
  GCancellable *cancellable = g_task_get_cancellable (task);
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) reply = _transfer_call_finish (client, result, NULL, &error);
  g_autoptr (GVariant) values = NULL;

  if (reply != NULL)
    {
      g_variant_get (reply, "(@a{sv})", &values);
      _transfer_job_merge (job, values, TRUE);
      g_task_return_boolean (task, TRUE);
    }
  else if (g_error_matches (error, TRANSFER_ERROR, TRANSFER_ERROR_NOT_FOUND) &&
           transfer_job_is_watched (job))
    /* it ended while nobody told us: the history knows how */
    transfer_client_get_job_history_async (client, _transfer_history_filter (job), cancellable,
                                           ended_cb, g_steal_pointer (&task));
  else
    g_task_return_error (task, g_steal_pointer (&error));
}

GVariant *
_transfer_history_filter (TransferJob *job)
{
  const char *ids[] = { transfer_job_get_id (job), NULL };
  GVariantDict dict;

  g_variant_dict_init (&dict, NULL);
  g_variant_dict_insert (&dict, "ids", "^as", ids);
  g_variant_dict_insert (&dict, "files", "b", TRUE);
  return g_variant_dict_end (&dict);
}

void
transfer_job_refresh_async (TransferJob *job,
                            GCancellable *cancellable,
                            GAsyncReadyCallback callback,
                            gpointer user_data)
{
  GTask *task;

  g_return_if_fail (TRANSFER_IS_JOB (job));
  task = g_task_new (job, cancellable, callback, user_data);
  g_task_set_source_tag (task, TRANSFER_TAG (transfer_job_refresh_async));
  _transfer_call_async (transfer_job_get_client (job), transfer_job_get_object_path (job),
                        &method_get_all, g_variant_new ("(s)", TFD_JOB_INTERFACE), cancellable,
                        refreshed_cb, task);
}

gboolean
transfer_job_refresh_finish (TransferJob *job, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, job), FALSE);
  return g_task_propagate_boolean (G_TASK (result), error);
}

static void
watched_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = G_TASK (user_data);
  g_autoptr (GError) error = NULL;

  if (transfer_job_refresh_finish (TRANSFER_JOB (source), result, &error))
    {
      g_task_return_boolean (task, TRUE);
      return;
    }
  _transfer_job_set_watched (TRANSFER_JOB (source), FALSE);
  g_task_return_error (task, g_steal_pointer (&error));
}

void
transfer_job_watch_async (TransferJob *job,
                          GCancellable *cancellable,
                          GAsyncReadyCallback callback,
                          gpointer user_data)
{
  GTask *task;

  g_return_if_fail (TRANSFER_IS_JOB (job));
  task = g_task_new (job, cancellable, callback, user_data);
  g_task_set_source_tag (task, TRANSFER_TAG (transfer_job_watch_async));
  /* reading all properties is what makes the service send changes of the job */
  _transfer_job_set_watched (job, TRUE);
  transfer_job_refresh_async (job, cancellable, watched_cb, task);
}

gboolean
transfer_job_watch_finish (TransferJob *job, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, job), FALSE);
  return g_task_propagate_boolean (G_TASK (result), error);
}

static void ask_files (GTask *task);

static void
files_page_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = G_TASK (user_data);
  GPtrArray *files = g_task_get_task_data (task);
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) reply =
      _transfer_call_finish (TRANSFER_CLIENT (source), result, NULL, &error);
  g_autoptr (GVariant) rows = NULL;

  if (reply == NULL)
    {
      g_task_return_error (task, g_steal_pointer (&error));
      return;
    }
  g_variant_get (reply, "(@a(ussttsa{sv}))", &rows);
  _transfer_files_read (rows, files);
  if (g_variant_n_children (rows) > 0)
    ask_files (g_steal_pointer (&task));
  else
    g_task_return_pointer (task, g_ptr_array_ref (files), (GDestroyNotify) g_ptr_array_unref);
}

/* Asks for the files after those that we have. Takes @task. */
static void
ask_files (GTask *task)
{
  TransferJob *job = g_task_get_source_object (task);
  GPtrArray *files = g_task_get_task_data (task);
  guint first = 0;

  if (files->len > 0)
    first = ((TransferFile *) g_ptr_array_index (files, files->len - 1))->index + 1;
  _transfer_call_async (transfer_job_get_client (job), transfer_job_get_object_path (job),
                        &method_list_files, g_variant_new ("(uu)", first, 0),
                        g_task_get_cancellable (task), files_page_cb, task);
}

void
transfer_job_list_files_async (TransferJob *job,
                               GCancellable *cancellable,
                               GAsyncReadyCallback callback,
                               gpointer user_data)
{
  GTask *task;

  g_return_if_fail (TRANSFER_IS_JOB (job));
  task = g_task_new (job, cancellable, callback, user_data);
  g_task_set_source_tag (task, TRANSFER_TAG (transfer_job_list_files_async));
  g_task_set_task_data (task, g_ptr_array_new_with_free_func ((GDestroyNotify) transfer_file_free),
                        (GDestroyNotify) g_ptr_array_unref);
  ask_files (task);
}

GPtrArray *
transfer_job_list_files_finish (TransferJob *job, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, job), NULL);
  return g_task_propagate_pointer (G_TASK (result), error);
}

/* Portions of files on their way. */
typedef struct
{
  GPtrArray *calls; /* (owned) (element-type GVariant) */
  GUnixFDList *fds; /* (owned) (nullable) the directory that they are in */
  guint next;       /* the call to make next */
  guint32 first;    /* number of the first file added */
} Addition;

static void
addition_free (Addition *addition)
{
  g_ptr_array_unref (addition->calls);
  g_clear_object (&addition->fds);
  g_free (addition);
}

static void add_portion (GTask *task);

static void
added_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = G_TASK (user_data);
  Addition *addition = g_task_get_task_data (task);
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) reply =
      _transfer_call_finish (TRANSFER_CLIENT (source), result, NULL, &error);
  guint32 first;

  if (reply == NULL)
    {
      g_task_return_error (task, g_steal_pointer (&error));
      return;
    }
  g_variant_get (reply, "(u)", &first);
  if (addition->next++ == 0)
    addition->first = first;
  if (addition->next < addition->calls->len)
    add_portion (g_steal_pointer (&task));
  else
    g_task_return_boolean (task, TRUE);
}

/* Takes @task. */
static void
add_portion (GTask *task)
{
  TransferJob *job = g_task_get_source_object (task);
  Addition *addition = g_task_get_task_data (task);
  GVariant *files = g_ptr_array_index (addition->calls, addition->next);

  _transfer_call_with_fds_async (transfer_job_get_client (job), transfer_job_get_object_path (job),
                                 addition->fds != NULL ? &method_add_files_at : &method_add_files,
                                 addition->fds != NULL ? g_variant_new ("(h@a(ssa{sv}))", 0, files)
                                                       : g_variant_new ("(@a(ssa{sv}))", files),
                                 addition->fds, g_task_get_cancellable (task), added_cb, task);
}

/* Takes @task and @fds (nullable). */
static void
add_all (GTask *task, GVariant *files, GUnixFDList *fds)
{
  TransferJob *job = g_task_get_source_object (task);
  g_autoptr (GVariant) sunk = g_variant_ref_sink (files);
  Addition *addition = g_new0 (Addition, 1);

  addition->calls = _transfer_files_split (sunk, transfer_job_get_job_type (job));
  addition->fds = fds;
  g_task_set_task_data (task, addition, (GDestroyNotify) addition_free);
  add_portion (task);
}

void
transfer_job_add_files_async (TransferJob *job,
                              GVariant *files,
                              GCancellable *cancellable,
                              GAsyncReadyCallback callback,
                              gpointer user_data)
{
  GTask *task;

  g_return_if_fail (TRANSFER_IS_JOB (job));
  g_return_if_fail (g_variant_is_of_type (files, G_VARIANT_TYPE ("a(ssa{sv})")));
  task = g_task_new (job, cancellable, callback, user_data);
  g_task_set_source_tag (task, TRANSFER_TAG (transfer_job_add_files_async));
  add_all (task, files, NULL);
}

void
transfer_job_add_files_at_async (TransferJob *job,
                                 int directory,
                                 GVariant *files,
                                 GCancellable *cancellable,
                                 GAsyncReadyCallback callback,
                                 gpointer user_data)
{
  g_autoptr (GError) error = NULL;
  GUnixFDList *fds;
  GTask *task;

  g_return_if_fail (TRANSFER_IS_JOB (job));
  g_return_if_fail (g_variant_is_of_type (files, G_VARIANT_TYPE ("a(ssa{sv})")));
  task = g_task_new (job, cancellable, callback, user_data);
  g_task_set_source_tag (task, TRANSFER_TAG (transfer_job_add_files_at_async));
  fds = _transfer_fd_list (directory, &error);
  if (fds != NULL)
    {
      add_all (task, files, fds);
      return;
    }
  g_variant_unref (g_variant_ref_sink (files));
  g_task_return_error (task, g_steal_pointer (&error));
  g_object_unref (task);
}

gboolean
transfer_job_add_files_at_finish (TransferJob *job,
                                  GAsyncResult *result,
                                  guint *first,
                                  GError **error)
{
  return transfer_job_add_files_finish (job, result, first, error);
}

gboolean
transfer_job_add_files_finish (TransferJob *job, GAsyncResult *result, guint *first, GError **error)
{
  Addition *addition = g_task_get_task_data (G_TASK (result));

  g_return_val_if_fail (g_task_is_valid (result, job), FALSE);
  if (first != NULL)
    *first = addition != NULL ? addition->first : 0;
  return g_task_propagate_boolean (G_TASK (result), error);
}

void
transfer_job_add_file_async (TransferJob *job,
                             const char *remote_url,
                             const char *local_path,
                             GVariant *options,
                             GCancellable *cancellable,
                             GAsyncReadyCallback callback,
                             gpointer user_data)
{
  GVariant *entry = transfer_file_entry (remote_url, local_path, options);

  transfer_job_add_files_async (job, g_variant_new_array (NULL, &entry, 1), cancellable, callback,
                                user_data);
}

gboolean
transfer_job_add_file_finish (TransferJob *job, GAsyncResult *result, guint *index, GError **error)
{
  return transfer_job_add_files_finish (job, result, index, error);
}
