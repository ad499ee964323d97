/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Log-in: the credentials of a job. */
#include "config.h"
#include "client/libtransfer/private.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "common/names.h"

/* The pipe is read once: not to be repeated. */
static const TransferMethod method_set_credentials = { TFD_JOB_INTERFACE, "SetCredentials", "()",
                                                       TRANSFER_CALL_NONE };
static const TransferMethod method_remove_credentials = { TFD_JOB_INTERFACE, "RemoveCredentials",
                                                          "(b)", TRANSFER_CALL_NONE };

/* A pipe with @password in it, which is gone with the descriptor: no message carries it. A pipe
 * takes 64 KiB without a reader, more than a password may have. (transfer full) */
static GUnixFDList *
put_into_pipe (const char *password, GError **error)
{
  gsize length = strlen (password);
  int ends[2];
  gssize written;

  if (pipe2 (ends, O_CLOEXEC | O_NONBLOCK) < 0)
    {
      g_set_error (error, G_IO_ERROR, g_io_error_from_errno (errno), "no pipe: %s",
                   g_strerror (errno));
      return NULL;
    }
  written = length > 0 ? write (ends[1], password, length) : 0;
  g_close (ends[1], NULL);
  if (written == (gssize) length)
    return g_unix_fd_list_new_from_array (ends, 1);
  g_close (ends[0], NULL);
  g_set_error (error, TRANSFER_ERROR, TRANSFER_ERROR_STRING_TOO_LONG, "the password is too long");
  return NULL;
}

void
transfer_job_set_credentials_async (TransferJob *job,
                                    const char *target,
                                    const char *scheme,
                                    const char *user,
                                    const char *password,
                                    GCancellable *cancellable,
                                    GAsyncReadyCallback callback,
                                    gpointer user_data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GUnixFDList) fds = NULL;
  GVariantDict options;

  g_return_if_fail (TRANSFER_IS_JOB (job));
  g_return_if_fail (target != NULL && scheme != NULL && user != NULL && password != NULL);
  fds = put_into_pipe (password, &error);
  if (fds == NULL)
    {
      g_task_report_error (job, callback, user_data,
                           TRANSFER_TAG (transfer_job_set_credentials_async),
                           g_steal_pointer (&error));
      return;
    }
  g_variant_dict_init (&options, NULL);
  g_variant_dict_insert (&options, "fd", "h", 0);
  _transfer_job_call (
      job, &method_set_credentials,
      g_variant_new ("(ssss@a{sv})", target, scheme, user, "", g_variant_dict_end (&options)), fds,
      TRANSFER_TAG (transfer_job_set_credentials_async), cancellable, callback, user_data);
}

gboolean
transfer_job_set_credentials_finish (TransferJob *job, GAsyncResult *result, GError **error)
{
  g_autoptr (GVariant) reply = _transfer_job_finish (job, result, FALSE, error);

  return reply != NULL;
}

void
transfer_job_remove_credentials_async (TransferJob *job,
                                       const char *target,
                                       const char *scheme,
                                       GCancellable *cancellable,
                                       GAsyncReadyCallback callback,
                                       gpointer user_data)
{
  g_return_if_fail (TRANSFER_IS_JOB (job));
  g_return_if_fail (target != NULL && scheme != NULL);
  _transfer_job_call (job, &method_remove_credentials, g_variant_new ("(ss)", target, scheme), NULL,
                      TRANSFER_TAG (transfer_job_remove_credentials_async), cancellable, callback,
                      user_data);
}

gboolean
transfer_job_remove_credentials_finish (TransferJob *job,
                                        GAsyncResult *result,
                                        gboolean *removed,
                                        GError **error)
{
  g_autoptr (GVariant) reply = _transfer_job_finish (job, result, TRUE, error);

  if (reply != NULL && removed != NULL)
    *removed = g_variant_get_boolean (reply);
  return reply != NULL;
}
