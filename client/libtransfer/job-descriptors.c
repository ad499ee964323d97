/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Descriptors: what a program has opened, for the files of a job. */
#include "config.h"
#include "client/libtransfer/private.h"

#include "common/names.h"

static const TransferMethod method_add_file_fd = { TFD_JOB_INTERFACE, "AddFileFd", "(u)",
                                                   TRANSFER_CALL_NO_TIMEOUT };
static const TransferMethod method_attach_directory = { TFD_JOB_INTERFACE, "AttachDirectory", "(u)",
                                                        TRANSFER_CALL_NO_TIMEOUT };

GUnixFDList *
_transfer_fd_list (int fd, GError **error)
{
  g_autoptr (GUnixFDList) fds = g_unix_fd_list_new ();

  return g_unix_fd_list_append (fds, fd, error) >= 0 ? g_steal_pointer (&fds) : NULL;
}

static gboolean
finish_number (TransferJob *job, GAsyncResult *result, guint *number, GError **error)
{
  g_autoptr (GVariant) value = _transfer_job_finish (job, result, TRUE, error);

  if (value == NULL)
    return FALSE;
  if (number != NULL)
    *number = g_variant_get_uint32 (value);
  return TRUE;
}

/* The parameters of AddFileFd. (transfer floating) */
static GVariant *
describe (TransferJob *job, const char *remote_url, const char *name, GVariant *options)
{
  GVariant *entry = transfer_file_entry (remote_url, name, options);
  g_autoptr (GVariant) files = g_variant_ref_sink (g_variant_new_array (NULL, &entry, 1));
  g_autoptr (GPtrArray) calls = _transfer_files_split (files, transfer_job_get_job_type (job));
  g_autoptr (GVariant) row = g_variant_get_child_value (calls->pdata[0], 0);
  g_autoptr (GVariant) more = g_variant_get_child_value (row, 2);
  const char *url, *shown;

  g_variant_get (row, "(&s&s@a{sv})", &url, &shown, NULL);
  return g_variant_new ("(shs@a{sv})", url, 0, shown, more);
}

void
transfer_job_add_file_fd_async (TransferJob *job,
                                const char *remote_url,
                                int directory,
                                const char *name,
                                GVariant *options,
                                GCancellable *cancellable,
                                GAsyncReadyCallback callback,
                                gpointer user_data)
{
  g_autoptr (GVariant) parameters = NULL;
  g_autoptr (GUnixFDList) fds = NULL;
  g_autoptr (GError) error = NULL;
  gpointer tag = TRANSFER_TAG (transfer_job_add_file_fd_async);

  g_return_if_fail (TRANSFER_IS_JOB (job));
  g_return_if_fail (remote_url != NULL && name != NULL);
  parameters = g_variant_ref_sink (describe (job, remote_url, name, options));
  fds = _transfer_fd_list (directory, &error);
  if (fds == NULL)
    g_task_report_error (job, callback, user_data, tag, g_steal_pointer (&error));
  else
    _transfer_job_call (job, &method_add_file_fd, parameters, fds, tag, cancellable, callback,
                        user_data);
}

gboolean
transfer_job_add_file_fd_finish (TransferJob *job,
                                 GAsyncResult *result,
                                 guint *index,
                                 GError **error)
{
  return finish_number (job, result, index, error);
}

void
transfer_job_attach_directory_async (TransferJob *job,
                                     guint file,
                                     int directory,
                                     GCancellable *cancellable,
                                     GAsyncReadyCallback callback,
                                     gpointer user_data)
{
  g_autoptr (GUnixFDList) fds = NULL;
  g_autoptr (GError) error = NULL;
  gpointer tag = TRANSFER_TAG (transfer_job_attach_directory_async);

  g_return_if_fail (TRANSFER_IS_JOB (job));
  fds = _transfer_fd_list (directory, &error);
  if (fds == NULL)
    g_task_report_error (job, callback, user_data, tag, g_steal_pointer (&error));
  else
    _transfer_job_call (job, &method_attach_directory, g_variant_new ("(uh)", file, 0), fds, tag,
                        cancellable, callback, user_data);
}

gboolean
transfer_job_attach_directory_finish (TransferJob *job,
                                      GAsyncResult *result,
                                      guint *changed,
                                      GError **error)
{
  return finish_number (job, result, changed, error);
}
