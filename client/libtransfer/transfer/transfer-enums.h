/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Enumerations: their values are the strings of the D-Bus interface. */
#pragma once

#include <glib-object.h>

G_BEGIN_DECLS

#ifndef TRANSFER_API
#define TRANSFER_API __attribute__ ((visibility ("default"))) extern
#endif

/**
 * TransferJobType:
 * @TRANSFER_JOB_TYPE_UNKNOWN: a type that this version of the library does not know
 * @TRANSFER_JOB_TYPE_DOWNLOAD: server to file
 * @TRANSFER_JOB_TYPE_UPLOAD: file to server
 * @TRANSFER_JOB_TYPE_UPLOAD_REPLY: file to server, with the answer kept
 *
 * What a job does.
 */
typedef enum
{
  TRANSFER_JOB_TYPE_UNKNOWN = -1,
  TRANSFER_JOB_TYPE_DOWNLOAD,
  TRANSFER_JOB_TYPE_UPLOAD,
  TRANSFER_JOB_TYPE_UPLOAD_REPLY,
} TransferJobType;

/**
 * TransferJobState:
 * @TRANSFER_JOB_STATE_UNKNOWN: a state that this version of the library does not know
 * @TRANSFER_JOB_STATE_SUSPENDED: waits for somebody to resume it
 * @TRANSFER_JOB_STATE_QUEUED: waits for its turn
 * @TRANSFER_JOB_STATE_CONNECTING: asks the server
 * @TRANSFER_JOB_STATE_TRANSFERRING: data flows
 * @TRANSFER_JOB_STATE_TRANSIENT_ERROR: failed, and will be tried again by itself
 * @TRANSFER_JOB_STATE_ERROR: failed, and waits for somebody to resume or cancel it
 * @TRANSFER_JOB_STATE_TRANSFERRED: all files have arrived and wait to be completed
 * @TRANSFER_JOB_STATE_ACKNOWLEDGED: completed, the end of the job
 * @TRANSFER_JOB_STATE_CANCELLED: cancelled, the end of the job
 *
 * Where a job is in its life.
 */
typedef enum
{
  TRANSFER_JOB_STATE_UNKNOWN = -1,
  TRANSFER_JOB_STATE_SUSPENDED,
  TRANSFER_JOB_STATE_QUEUED,
  TRANSFER_JOB_STATE_CONNECTING,
  TRANSFER_JOB_STATE_TRANSFERRING,
  TRANSFER_JOB_STATE_TRANSIENT_ERROR,
  TRANSFER_JOB_STATE_ERROR,
  TRANSFER_JOB_STATE_TRANSFERRED,
  TRANSFER_JOB_STATE_ACKNOWLEDGED,
  TRANSFER_JOB_STATE_CANCELLED,
} TransferJobState;

/**
 * TransferFileState:
 * @TRANSFER_FILE_STATE_UNKNOWN: a state that this version of the library does not know
 * @TRANSFER_FILE_STATE_WAITING: not begun, or waits for more
 * @TRANSFER_FILE_STATE_TRANSFERRING: data flows
 * @TRANSFER_FILE_STATE_TRANSFERRED: arrived, under its temporary name
 * @TRANSFER_FILE_STATE_COMPLETED: in place, under its final name
 * @TRANSFER_FILE_STATE_MISSING: had arrived, and its temporary has vanished
 * @TRANSFER_FILE_STATE_ERROR: failed
 *
 * Where a file of a job is.
 */
typedef enum
{
  TRANSFER_FILE_STATE_UNKNOWN = -1,
  TRANSFER_FILE_STATE_WAITING,
  TRANSFER_FILE_STATE_TRANSFERRING,
  TRANSFER_FILE_STATE_TRANSFERRED,
  TRANSFER_FILE_STATE_COMPLETED,
  TRANSFER_FILE_STATE_MISSING,
  TRANSFER_FILE_STATE_ERROR,
} TransferFileState;

/**
 * TransferPriority:
 * @TRANSFER_PRIORITY_UNKNOWN: a priority that this version of the library does not know
 * @TRANSFER_PRIORITY_NORMAL: in the background
 * @TRANSFER_PRIORITY_FOREGROUND: somebody is waiting for it
 * @TRANSFER_PRIORITY_HIGH: in the background, before the others
 * @TRANSFER_PRIORITY_LOW: in the background, after the others
 *
 * How important a job is.
 */
typedef enum
{
  TRANSFER_PRIORITY_UNKNOWN = -1,
  TRANSFER_PRIORITY_NORMAL,
  TRANSFER_PRIORITY_FOREGROUND,
  TRANSFER_PRIORITY_HIGH,
  TRANSFER_PRIORITY_LOW,
} TransferPriority;

/**
 * TransferResult:
 * @TRANSFER_RESULT_UNKNOWN: a result that this version of the library does not know
 * @TRANSFER_RESULT_COMPLETED: every file is in place
 * @TRANSFER_RESULT_PARTIAL: the files that had arrived are in place, the others were given up
 * @TRANSFER_RESULT_CANCELLED: nothing was kept
 * @TRANSFER_RESULT_EXPIRED: nobody had touched the job for its inactivity time-out
 *
 * How a job ended.
 */
typedef enum
{
  TRANSFER_RESULT_UNKNOWN = -1,
  TRANSFER_RESULT_COMPLETED,
  TRANSFER_RESULT_PARTIAL,
  TRANSFER_RESULT_CANCELLED,
  TRANSFER_RESULT_EXPIRED,
} TransferResult;

#define TRANSFER_TYPE_JOB_TYPE (transfer_job_type_get_type ())
#define TRANSFER_TYPE_JOB_STATE (transfer_job_state_get_type ())
#define TRANSFER_TYPE_FILE_STATE (transfer_file_state_get_type ())
#define TRANSFER_TYPE_PRIORITY (transfer_priority_get_type ())
#define TRANSFER_TYPE_RESULT (transfer_result_get_type ())

TRANSFER_API GType transfer_job_type_get_type (void);
TRANSFER_API GType transfer_job_state_get_type (void);
TRANSFER_API GType transfer_file_state_get_type (void);
TRANSFER_API GType transfer_priority_get_type (void);
TRANSFER_API GType transfer_result_get_type (void);

/**
 * transfer_job_type_to_string:
 * @type: a type
 *
 * Returns: the string of @type on the bus
 */
TRANSFER_API const char *transfer_job_type_to_string (TransferJobType type);

/**
 * transfer_job_state_to_string:
 * @state: a state
 *
 * Returns: the string of @state on the bus
 */
TRANSFER_API const char *transfer_job_state_to_string (TransferJobState state);

/**
 * transfer_job_state_is_final:
 * @state: a state
 *
 * Returns: %TRUE when the job is over
 */
TRANSFER_API gboolean transfer_job_state_is_final (TransferJobState state);

/**
 * transfer_file_state_to_string:
 * @state: a state
 *
 * Returns: the string of @state on the bus
 */
TRANSFER_API const char *transfer_file_state_to_string (TransferFileState state);

/**
 * transfer_priority_to_string:
 * @priority: a priority
 *
 * Returns: the string of @priority on the bus
 */
TRANSFER_API const char *transfer_priority_to_string (TransferPriority priority);

/**
 * transfer_result_to_string:
 * @result: a result
 *
 * Returns: the string of @result on the bus
 */
TRANSFER_API const char *transfer_result_to_string (TransferResult result);

G_END_DECLS
