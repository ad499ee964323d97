/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* TransferJob: one job, as it was last heard of, and what can be done with it. */
#pragma once

#include <transfer/transfer-client.h>
#include <transfer/transfer-file.h>

G_BEGIN_DECLS

/**
 * TransferJob:
 *
 * A job of the service.
 *
 * Its getters answer at once from what the service last said; strings are valid until the job
 * changes next. A job that is watched follows the service and emits TransferJob::changed. When the
 * service was restarted underneath, it is read again; when it ended meanwhile, TransferJob::removed
 * tells how.
 */
#define TRANSFER_TYPE_JOB (transfer_job_get_type ())
TRANSFER_API
G_DECLARE_FINAL_TYPE (TransferJob, transfer_job, TRANSFER, JOB, GObject)

/**
 * transfer_job_get_client:
 * @job: a job
 *
 * Returns: (transfer none): the client it came from
 */
TRANSFER_API TransferClient *transfer_job_get_client (TransferJob *job);

/**
 * transfer_job_get_id:
 * @job: a job
 *
 * Returns: its id, 32 hexadecimal digits
 */
TRANSFER_API const char *transfer_job_get_id (TransferJob *job);

/**
 * transfer_job_get_object_path:
 * @job: a job
 *
 * Returns: its D-Bus object path
 */
TRANSFER_API const char *transfer_job_get_object_path (TransferJob *job);

/**
 * transfer_job_is_watched:
 * @job: a job
 *
 * Returns: %TRUE when it follows the service
 */
TRANSFER_API gboolean transfer_job_is_watched (TransferJob *job);

/**
 * transfer_job_is_ended:
 * @job: a job
 *
 * Returns: %TRUE when the job is over
 */
TRANSFER_API gboolean transfer_job_is_ended (TransferJob *job);

/**
 * transfer_job_get_result:
 * @job: a job
 *
 * Returns: how it ended, %TRANSFER_RESULT_UNKNOWN before
 */
TRANSFER_API TransferResult transfer_job_get_result (TransferJob *job);

/**
 * transfer_job_get_job_type:
 * @job: a job
 *
 * Returns: what it does
 */
TRANSFER_API TransferJobType transfer_job_get_job_type (TransferJob *job);

/**
 * transfer_job_get_state:
 * @job: a job
 *
 * Returns: where it is in its life
 */
TRANSFER_API TransferJobState transfer_job_get_state (TransferJob *job);

/**
 * transfer_job_get_priority:
 * @job: a job
 *
 * Returns: how important it is
 */
TRANSFER_API TransferPriority transfer_job_get_priority (TransferJob *job);

/**
 * transfer_job_get_display_name:
 * @job: a job
 *
 * Returns: its name
 */
TRANSFER_API const char *transfer_job_get_display_name (TransferJob *job);

/**
 * transfer_job_get_description:
 * @job: a job
 *
 * Returns: its description
 */
TRANSFER_API const char *transfer_job_get_description (TransferJob *job);

/**
 * transfer_job_get_status_text:
 * @job: a job
 *
 * Returns: one line for people about what it does or waits for
 */
TRANSFER_API const char *transfer_job_get_status_text (TransferJob *job);

/**
 * transfer_job_get_operation:
 * @job: a job
 *
 * Returns: `completing`, `cancelling`, or empty
 */
TRANSFER_API const char *transfer_job_get_operation (TransferJob *job);

/**
 * transfer_job_get_bytes_total:
 * @job: a job
 *
 * Returns: the size of all files, or %TRANSFER_SIZE_UNKNOWN
 */
TRANSFER_API guint64 transfer_job_get_bytes_total (TransferJob *job);

/**
 * transfer_job_get_bytes_transferred:
 * @job: a job
 *
 * Returns: how much has arrived
 */
TRANSFER_API guint64 transfer_job_get_bytes_transferred (TransferJob *job);

/**
 * transfer_job_get_bytes_per_second:
 * @job: a job
 *
 * Returns: how fast it is
 */
TRANSFER_API guint64 transfer_job_get_bytes_per_second (TransferJob *job);

/**
 * transfer_job_get_files_total:
 * @job: a job
 *
 * Returns: how many files it has
 */
TRANSFER_API guint transfer_job_get_files_total (TransferJob *job);

/**
 * transfer_job_get_files_transferred:
 * @job: a job
 *
 * Returns: how many of them have arrived
 */
TRANSFER_API guint transfer_job_get_files_transferred (TransferJob *job);

/**
 * transfer_job_get_error_count:
 * @job: a job
 *
 * Returns: how often it failed
 */
TRANSFER_API guint transfer_job_get_error_count (TransferJob *job);

/**
 * transfer_job_get_creation_time:
 * @job: a job
 *
 * Returns: when it was made, microseconds since the epoch
 */
TRANSFER_API guint64 transfer_job_get_creation_time (TransferJob *job);

/**
 * transfer_job_get_next_retry_time:
 * @job: a job
 *
 * Returns: when it will be tried again, microseconds since the epoch, 0 when not
 */
TRANSFER_API guint64 transfer_job_get_next_retry_time (TransferJob *job);

/**
 * transfer_job_dup_error:
 * @job: a job
 *
 * Returns: (transfer full) (nullable): why it failed, or %NULL
 */
TRANSFER_API GError *transfer_job_dup_error (TransferJob *job);

/**
 * transfer_job_dup_value:
 * @job: a job
 * @name: the D-Bus name of a property, such as `Priority`
 *
 * Returns: (transfer full) (nullable): its value, or %NULL when it is not known
 */
TRANSFER_API GVariant *transfer_job_dup_value (TransferJob *job, const char *name);

/**
 * transfer_job_dup_values:
 * @job: a job
 *
 * Returns: (transfer full): an `a{sv}` of all that is known
 */
TRANSFER_API GVariant *transfer_job_dup_values (TransferJob *job);

G_END_DECLS

#include <transfer/transfer-job-calls.h>
