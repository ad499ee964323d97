/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Methods of a job that are one call each. */
#include "config.h"
#include "client/libtransfer/private.h"

#include "common/names.h"

static const TransferMethod method_suspend = { TFD_JOB_INTERFACE, "Suspend", "()",
                                               TRANSFER_CALL_REPEATABLE };
static const TransferMethod method_resume = { TFD_JOB_INTERFACE, "Resume", "()",
                                              TRANSFER_CALL_REPEATABLE };
static const TransferMethod method_take_ownership = {
  TFD_JOB_INTERFACE, "TakeOwnership", "()", TRANSFER_CALL_REPEATABLE | TRANSFER_CALL_NO_TIMEOUT
};
static const TransferMethod method_set_properties = { TFD_JOB_INTERFACE, "SetProperties", "()",
                                                      TRANSFER_CALL_REPEATABLE };
static const TransferMethod method_get_events = { TFD_JOB_INTERFACE, "GetEvents", "(a(tsa{sv}))",
                                                  TRANSFER_CALL_REPEATABLE };
static const TransferMethod method_explain = { TFD_JOB_INTERFACE, "Explain", "(aa{sv})",
                                               TRANSFER_CALL_REPEATABLE };
static const TransferMethod method_open_temporary = { TFD_JOB_INTERFACE, "OpenTemporary", "(h)",
                                                      TRANSFER_CALL_REPEATABLE };

/* One call; the task of the caller returns its reply, with descriptors as task data. */
static void
called_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = G_TASK (user_data);
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) reply = NULL;
  GUnixFDList *fds = NULL;

  reply = _transfer_call_finish (TRANSFER_CLIENT (source), result, &fds, &error);
  if (fds != NULL)
    g_task_set_task_data (task, fds, g_object_unref);
  if (reply == NULL)
    g_task_return_error (task, g_steal_pointer (&error));
  else
    g_task_return_pointer (task, g_steal_pointer (&reply), (GDestroyNotify) g_variant_unref);
}

void
_transfer_job_call (TransferJob *job,
                    const TransferMethod *method,
                    GVariant *parameters,
                    GUnixFDList *fds,
                    gpointer tag,
                    GCancellable *cancellable,
                    GAsyncReadyCallback callback,
                    gpointer user_data)
{
  GTask *task = g_task_new (job, cancellable, callback, user_data);

  g_task_set_source_tag (task, tag);
  _transfer_call_with_fds_async (transfer_job_get_client (job), transfer_job_get_object_path (job),
                                 method, parameters, fds, cancellable, called_cb, task);
}

static void
call (TransferJob *job,
      const TransferMethod *method,
      GVariant *parameters,
      gpointer tag,
      GCancellable *cancellable,
      GAsyncReadyCallback callback,
      gpointer user_data)
{
  _transfer_job_call (job, method, parameters, NULL, tag, cancellable, callback, user_data);
}

GVariant *
_transfer_job_finish (TransferJob *job, GAsyncResult *result, gboolean unpack, GError **error)
{
  g_autoptr (GVariant) reply = NULL;

  g_return_val_if_fail (g_task_is_valid (result, job), NULL);
  reply = g_task_propagate_pointer (G_TASK (result), error);
  if (reply == NULL || !unpack)
    return g_steal_pointer (&reply);
  return g_variant_get_child_value (reply, 0);
}

int
_transfer_job_finish_fd (TransferJob *job, GAsyncResult *result, GError **error)
{
  g_autoptr (GVariant) handle = _transfer_job_finish (job, result, TRUE, error);
  GUnixFDList *fds = g_task_get_task_data (G_TASK (result));

  if (handle == NULL)
    return -1;
  if (fds == NULL)
    {
      g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, "the answer has no descriptor");
      return -1;
    }
  return g_unix_fd_list_get (fds, g_variant_get_handle (handle), error);
}

static gboolean
finish_empty (TransferJob *job, GAsyncResult *result, GError **error)
{
  g_autoptr (GVariant) reply = _transfer_job_finish (job, result, FALSE, error);

  return reply != NULL;
}

void
transfer_job_suspend_async (TransferJob *job,
                            GCancellable *cancellable,
                            GAsyncReadyCallback callback,
                            gpointer user_data)
{
  g_return_if_fail (TRANSFER_IS_JOB (job));
  call (job, &method_suspend, NULL, TRANSFER_TAG (transfer_job_suspend_async), cancellable,
        callback, user_data);
}

gboolean
transfer_job_suspend_finish (TransferJob *job, GAsyncResult *result, GError **error)
{
  return finish_empty (job, result, error);
}

void
transfer_job_resume_async (TransferJob *job,
                           GCancellable *cancellable,
                           GAsyncReadyCallback callback,
                           gpointer user_data)
{
  g_return_if_fail (TRANSFER_IS_JOB (job));
  call (job, &method_resume, NULL, TRANSFER_TAG (transfer_job_resume_async), cancellable, callback,
        user_data);
}

gboolean
transfer_job_resume_finish (TransferJob *job, GAsyncResult *result, GError **error)
{
  return finish_empty (job, result, error);
}

void
transfer_job_take_ownership_async (TransferJob *job,
                                   GCancellable *cancellable,
                                   GAsyncReadyCallback callback,
                                   gpointer user_data)
{
  g_return_if_fail (TRANSFER_IS_JOB (job));
  call (job, &method_take_ownership, g_variant_new ("(a{sv})", NULL),
        TRANSFER_TAG (transfer_job_take_ownership_async), cancellable, callback, user_data);
}

gboolean
transfer_job_take_ownership_finish (TransferJob *job, GAsyncResult *result, GError **error)
{
  return finish_empty (job, result, error);
}

void
transfer_job_set_properties_async (TransferJob *job,
                                   GVariant *properties,
                                   GCancellable *cancellable,
                                   GAsyncReadyCallback callback,
                                   gpointer user_data)
{
  g_return_if_fail (TRANSFER_IS_JOB (job));
  call (job, &method_set_properties, g_variant_new ("(@a{sv})", properties),
        TRANSFER_TAG (transfer_job_set_properties_async), cancellable, callback, user_data);
}

gboolean
transfer_job_set_properties_finish (TransferJob *job, GAsyncResult *result, GError **error)
{
  return finish_empty (job, result, error);
}

void
transfer_job_get_events_async (TransferJob *job,
                               guint limit,
                               GCancellable *cancellable,
                               GAsyncReadyCallback callback,
                               gpointer user_data)
{
  g_return_if_fail (TRANSFER_IS_JOB (job));
  call (job, &method_get_events, g_variant_new ("(u)", limit),
        TRANSFER_TAG (transfer_job_get_events_async), cancellable, callback, user_data);
}

GVariant *
transfer_job_get_events_finish (TransferJob *job, GAsyncResult *result, GError **error)
{
  return _transfer_job_finish (job, result, TRUE, error);
}

void
transfer_job_explain_async (TransferJob *job,
                            GCancellable *cancellable,
                            GAsyncReadyCallback callback,
                            gpointer user_data)
{
  g_return_if_fail (TRANSFER_IS_JOB (job));
  call (job, &method_explain, NULL, TRANSFER_TAG (transfer_job_explain_async), cancellable,
        callback, user_data);
}

GVariant *
transfer_job_explain_finish (TransferJob *job, GAsyncResult *result, GError **error)
{
  return _transfer_job_finish (job, result, TRUE, error);
}

void
transfer_job_open_temporary_async (TransferJob *job,
                                   guint file,
                                   GCancellable *cancellable,
                                   GAsyncReadyCallback callback,
                                   gpointer user_data)
{
  g_return_if_fail (TRANSFER_IS_JOB (job));
  call (job, &method_open_temporary, g_variant_new ("(u)", file),
        TRANSFER_TAG (transfer_job_open_temporary_async), cancellable, callback, user_data);
}

int
transfer_job_open_temporary_finish (TransferJob *job, GAsyncResult *result, GError **error)
{
  return _transfer_job_finish_fd (job, result, error);
}

void
transfer_job_call_async (TransferJob *job,
                         const char *method,
                         GVariant *parameters,
                         GCancellable *cancellable,
                         GAsyncReadyCallback callback,
                         gpointer user_data)
{
  TransferMethod *described;
  GTask *task;

  g_return_if_fail (TRANSFER_IS_JOB (job));
  g_return_if_fail (method != NULL);
  task = g_task_new (job, cancellable, callback, user_data);
  g_task_set_source_tag (task, TRANSFER_TAG (transfer_job_call_async));
  described = g_new0 (TransferMethod, 1);
  described->interface = TFD_JOB_INTERFACE;
  described->method = g_intern_string (method);
  g_object_set_data_full (G_OBJECT (task), "method", described, g_free);
  _transfer_call_async (transfer_job_get_client (job), transfer_job_get_object_path (job),
                        described, parameters, cancellable, called_cb, task);
}

GVariant *
transfer_job_call_finish (TransferJob *job, GAsyncResult *result, GError **error)
{
  return _transfer_job_finish (job, result, FALSE, error);
}
