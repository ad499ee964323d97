/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Jobs of a client: made, and found. */
#include "config.h"
#include "client/libtransfer/private.h"

#include "common/names.h"

static const TransferMethod method_create_job = { TFD_MANAGER_INTERFACE, "CreateJob", "(o)",
                                                  TRANSFER_CALL_NO_TIMEOUT };
static const TransferMethod method_get_job = { TFD_MANAGER_INTERFACE, "GetJob", "(o)",
                                               TRANSFER_CALL_REPEATABLE };

/* Creation: CreateJob with the first files, AddFiles with the others, Resume, GetAll. */
typedef struct
{
  TransferJob *job; /* (owned) (nullable) */
  GVariant *rest;   /* (owned) (nullable) a(ssa{sv}) not given to CreateJob */
  gboolean start;   /* resume after the rest is added */
  GError *error;    /* (owned) (nullable) why the job is being cancelled */
} Creation;

static void
creation_free (Creation *creation)
{
  g_clear_object (&creation->job);
  g_clear_pointer (&creation->rest, g_variant_unref);
  g_clear_error (&creation->error);
  g_free (creation);
}

static void
creation_watched_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = G_TASK (user_data);
  Creation *creation = g_task_get_task_data (task);

  /* the job is there; if its properties cannot be read, the caller has it all the same */
  transfer_job_watch_finish (TRANSFER_JOB (source), result, NULL);
  g_task_return_pointer (task, g_steal_pointer (&creation->job), g_object_unref);
}

static void
creation_undone_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = G_TASK (user_data);
  Creation *creation = g_task_get_task_data (task);

  if (!transfer_job_cancel_finish (TRANSFER_JOB (source), result, NULL, NULL, NULL))
    g_prefix_error (&creation->error, "job %s could not be filled and could not be cancelled: ",
                    transfer_job_get_id (creation->job));
  g_task_return_error (task, g_steal_pointer (&creation->error));
}

static void
undo_creation (GTask *task, GError *error)
{
  Creation *creation = g_task_get_task_data (task);

  creation->error = error;
  transfer_job_cancel_async (creation->job, NULL, NULL, creation_undone_cb, task);
}

static void
creation_resumed_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = G_TASK (user_data);
  TransferJob *job = TRANSFER_JOB (source);
  GCancellable *cancellable = g_task_get_cancellable (task);
  GError *error = NULL;

  if (!transfer_job_resume_finish (job, result, &error))
    undo_creation (g_steal_pointer (&task), error);
  else
    transfer_job_watch_async (job, cancellable, creation_watched_cb, g_steal_pointer (&task));
}

static void
creation_filled_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = G_TASK (user_data);
  Creation *creation = g_task_get_task_data (task);
  TransferJob *job = TRANSFER_JOB (source);
  GCancellable *cancellable = g_task_get_cancellable (task);
  GError *error = NULL;

  if (!transfer_job_add_files_finish (job, result, NULL, &error))
    undo_creation (g_steal_pointer (&task), error);
  else if (creation->start)
    transfer_job_resume_async (job, cancellable, creation_resumed_cb, g_steal_pointer (&task));
  else
    transfer_job_watch_async (job, cancellable, creation_watched_cb, g_steal_pointer (&task));
}

static void
created_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = G_TASK (user_data);
  Creation *creation = g_task_get_task_data (task);
  TransferClient *client = TRANSFER_CLIENT (source);
  GCancellable *cancellable = g_task_get_cancellable (task);
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) reply = _transfer_call_finish (client, result, NULL, &error);
  const char *path;

  if (reply == NULL)
    {
      g_task_return_error (task, g_steal_pointer (&error));
      return;
    }
  g_variant_get (reply, "(&o)", &path);
  creation->job = _transfer_job_new (client, path, NULL);
  if (creation->rest != NULL)
    transfer_job_add_files_async (creation->job, creation->rest, cancellable, creation_filled_cb,
                                  g_steal_pointer (&task));
  else
    transfer_job_watch_async (creation->job, cancellable, creation_watched_cb,
                              g_steal_pointer (&task));
}

/* All entries of @calls after the first, in one a(ssa{sv}); NULL when there is only one. */
static GVariant *
join_rest (GPtrArray *calls)
{
  GVariantBuilder builder;

  if (calls->len < 2)
    return NULL;
  g_variant_builder_init (&builder, G_VARIANT_TYPE ("a(ssa{sv})"));
  for (guint i = 1; i < calls->len; i++)
    {
      GVariantIter iter;
      GVariant *entry;

      g_variant_iter_init (&iter, g_ptr_array_index (calls, i));
      while ((entry = g_variant_iter_next_value (&iter)) != NULL)
        {
          g_variant_builder_add_value (&builder, entry);
          g_variant_unref (entry);
        }
    }
  return g_variant_ref_sink (g_variant_builder_end (&builder));
}

/* The options of CreateJob with what does not fit taken out into @creation. */
static GVariant *
prepare_options (Creation *creation, TransferJobType type, GVariant *options)
{
  g_autoptr (GVariant) sunk = options != NULL ? g_variant_ref_sink (options) : NULL;
  g_autoptr (GVariant) files = NULL;
  g_auto (GVariantDict) dict;

  g_variant_dict_init (&dict, sunk);
  files = g_variant_dict_lookup_value (&dict, "files", G_VARIANT_TYPE ("a(ssa{sv})"));
  if (files != NULL && g_variant_n_children (files) > 0)
    {
      g_autoptr (GPtrArray) calls = _transfer_files_split (files, type);

      creation->rest = join_rest (calls);
      g_variant_dict_insert_value (&dict, "files", g_ptr_array_index (calls, 0));
    }
  if (creation->rest != NULL && g_variant_dict_lookup (&dict, "start", "b", &creation->start))
    g_variant_dict_remove (&dict, "start");
  return g_variant_dict_end (&dict);
}

void
transfer_client_create_job_async (TransferClient *client,
                                  const char *display_name,
                                  TransferJobType type,
                                  GVariant *options,
                                  GCancellable *cancellable,
                                  GAsyncReadyCallback callback,
                                  gpointer user_data)
{
  GTask *task;
  Creation *creation;

  g_return_if_fail (TRANSFER_IS_CLIENT (client));
  g_return_if_fail (display_name != NULL);

  task = g_task_new (client, cancellable, callback, user_data);
  g_task_set_source_tag (task, TRANSFER_TAG (transfer_client_create_job_async));
  creation = g_new0 (Creation, 1);
  g_task_set_task_data (task, creation, (GDestroyNotify) creation_free);
  _transfer_call_async (client, TFD_MANAGER_PATH, &method_create_job,
                        g_variant_new ("(ss@a{sv})", display_name,
                                       transfer_job_type_to_string (type),
                                       prepare_options (creation, type, options)),
                        cancellable, created_cb, task);
}

TransferJob *
transfer_client_create_job_finish (TransferClient *client, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, client), NULL);
  return g_task_propagate_pointer (G_TASK (result), error);
}

static void
found_watched_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = G_TASK (user_data);
  g_autoptr (GError) error = NULL;

  if (!transfer_job_watch_finish (TRANSFER_JOB (source), result, &error))
    g_task_return_error (task, g_steal_pointer (&error));
  else
    g_task_return_pointer (task, g_object_ref (source), g_object_unref);
}

static void
found_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = G_TASK (user_data);
  TransferClient *client = TRANSFER_CLIENT (source);
  GCancellable *cancellable = g_task_get_cancellable (task);
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) reply = _transfer_call_finish (client, result, NULL, &error);
  const char *path;

  if (reply == NULL)
    {
      g_task_return_error (task, g_steal_pointer (&error));
      return;
    }
  g_variant_get (reply, "(&o)", &path);
  g_autoptr (TransferJob) job = _transfer_job_new (client, path, NULL);
  transfer_job_watch_async (job, cancellable, found_watched_cb, g_steal_pointer (&task));
}

void
transfer_client_get_job_async (TransferClient *client,
                               const char *id,
                               GCancellable *cancellable,
                               GAsyncReadyCallback callback,
                               gpointer user_data)
{
  GTask *task;

  g_return_if_fail (TRANSFER_IS_CLIENT (client));
  g_return_if_fail (id != NULL);
  task = g_task_new (client, cancellable, callback, user_data);
  g_task_set_source_tag (task, TRANSFER_TAG (transfer_client_get_job_async));
  _transfer_call_async (client, TFD_MANAGER_PATH, &method_get_job, g_variant_new ("(s)", id),
                        cancellable, found_cb, task);
}

TransferJob *
transfer_client_get_job_finish (TransferClient *client, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, client), NULL);
  return g_task_propagate_pointer (G_TASK (result), error);
}
