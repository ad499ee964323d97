/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Reply: what a server answered to an upload. */
#include "config.h"
#include "client/libtransfer/private.h"

#include "common/names.h"

static const TransferMethod method_get_reply_data = { TFD_JOB_INTERFACE, "GetReplyData", "(ay)",
                                                      TRANSFER_CALL_REPEATABLE };
static const TransferMethod method_open_reply = { TFD_JOB_INTERFACE, "OpenReply", "(h)",
                                                  TRANSFER_CALL_REPEATABLE };

void
transfer_job_get_reply_data_async (TransferJob *job,
                                   GCancellable *cancellable,
                                   GAsyncReadyCallback callback,
                                   gpointer user_data)
{
  g_return_if_fail (TRANSFER_IS_JOB (job));
  _transfer_job_call (job, &method_get_reply_data, NULL, NULL,
                      TRANSFER_TAG (transfer_job_get_reply_data_async), cancellable, callback,
                      user_data);
}

GBytes *
transfer_job_get_reply_data_finish (TransferJob *job, GAsyncResult *result, GError **error)
{
  g_autoptr (GVariant) reply = _transfer_job_finish (job, result, TRUE, error);

  return reply != NULL ? g_variant_get_data_as_bytes (reply) : NULL;
}

void
transfer_job_open_reply_async (TransferJob *job,
                               GCancellable *cancellable,
                               GAsyncReadyCallback callback,
                               gpointer user_data)
{
  g_return_if_fail (TRANSFER_IS_JOB (job));
  _transfer_job_call (job, &method_open_reply, NULL, NULL,
                      TRANSFER_TAG (transfer_job_open_reply_async), cancellable, callback,
                      user_data);
}

int
transfer_job_open_reply_finish (TransferJob *job, GAsyncResult *result, GError **error)
{
  return _transfer_job_finish_fd (job, result, error);
}
