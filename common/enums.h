/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Enumerations: every one that crosses the bus or the database. The nick of a value is its string
 * on the bus, in the database and on the command line: this is the one table. */
#pragma once

#include <glib-object.h>

G_BEGIN_DECLS

typedef enum
{
  TFD_JOB_TYPE_DOWNLOAD, /* "download" */
  TFD_JOB_TYPE_UPLOAD,
  TFD_JOB_TYPE_UPLOAD_REPLY,
} TfdJobType;

typedef enum
{
  TFD_JOB_STATE_SUSPENDED,
  TFD_JOB_STATE_QUEUED,
  TFD_JOB_STATE_CONNECTING,
  TFD_JOB_STATE_TRANSFERRING,
  TFD_JOB_STATE_TRANSIENT_ERROR,
  TFD_JOB_STATE_ERROR,
  TFD_JOB_STATE_TRANSFERRED,
  TFD_JOB_STATE_ACKNOWLEDGED,
  TFD_JOB_STATE_CANCELLED,
} TfdJobState;
#define TFD_N_JOB_STATES (TFD_JOB_STATE_CANCELLED + 1)

typedef enum
{
  TFD_FILE_STATE_WAITING,
  TFD_FILE_STATE_TRANSFERRING,
  TFD_FILE_STATE_TRANSFERRED,
  TFD_FILE_STATE_COMPLETED,
  TFD_FILE_STATE_MISSING,
  TFD_FILE_STATE_ERROR,
} TfdFileState;

typedef enum
{
  TFD_PRIORITY_NORMAL,
  TFD_PRIORITY_FOREGROUND,
  TFD_PRIORITY_HIGH,
  TFD_PRIORITY_LOW,
} TfdPriority;

typedef enum
{
  TFD_TRANSFER_POLICY_STANDARD,
  TFD_TRANSFER_POLICY_ALWAYS,
  TFD_TRANSFER_POLICY_NOT_ROAMING,
  TFD_TRANSFER_POLICY_NO_SURCHARGE,
  TFD_TRANSFER_POLICY_UNRESTRICTED,
} TfdTransferPolicy;

typedef enum
{
  TFD_RUN_WHEN_ALWAYS,
  TFD_RUN_WHEN_LOGGED_IN,
  TFD_RUN_WHEN_LINGERING,
} TfdRunWhen;

typedef enum
{
  TFD_UPLOAD_PROTOCOL_AUTO,
  TFD_UPLOAD_PROTOCOL_PUT,
  TFD_UPLOAD_PROTOCOL_POST,
  TFD_UPLOAD_PROTOCOL_TUS,
  TFD_UPLOAD_PROTOCOL_RESUMABLE,
  TFD_UPLOAD_PROTOCOL_BITS,
} TfdUploadProtocol;

typedef enum
{
  TFD_REDIRECT_POLICY_ALLOW,
  TFD_REDIRECT_POLICY_REPORT,
  TFD_REDIRECT_POLICY_REFUSE,
} TfdRedirectPolicy;

typedef enum
{
  TFD_PROXY_MODE_SYSTEM,
  TFD_PROXY_MODE_NONE,
  TFD_PROXY_MODE_OVERRIDE,
  TFD_PROXY_MODE_AUTO,
} TfdProxyMode;

typedef enum
{
  TFD_ERROR_CONTEXT_NONE,
  TFD_ERROR_CONTEXT_UNKNOWN,
  TFD_ERROR_CONTEXT_QUEUE_MANAGER,
  TFD_ERROR_CONTEXT_LOCAL_FILE,
  TFD_ERROR_CONTEXT_REMOTE_FILE,
  TFD_ERROR_CONTEXT_TRANSPORT,
  TFD_ERROR_CONTEXT_REMOTE_APPLICATION,
} TfdErrorContext;

/* The work in progress that property Operation shows. */
typedef enum
{
  TFD_OPERATION_NONE,       /* "" */
  TFD_OPERATION_COMPLETING, /* "completing" */
  TFD_OPERATION_CANCELLING, /* "cancelling" */
} TfdOperation;

/* How a job ended: argument of JobRemoved, result of Complete and Cancel, column of tombstones. */
typedef enum
{
  TFD_RESULT_COMPLETED,
  TFD_RESULT_PARTIAL,
  TFD_RESULT_CANCELLED,
  TFD_RESULT_EXPIRED,
} TfdResult;

typedef enum
{
  TFD_OVERWRITE_REPLACE,
  TFD_OVERWRITE_FAIL,
  TFD_OVERWRITE_KEEP_BOTH, /* "keep-both" */
} TfdOverwrite;

/* Which way the bytes of a file go. */
typedef enum
{
  TFD_DIRECTION_RECEIVE,
  TFD_DIRECTION_SEND,
} TfdDirection;

#define TFD_TYPE_JOB_TYPE (tfd_job_type_get_type ())
#define TFD_TYPE_JOB_STATE (tfd_job_state_get_type ())
#define TFD_TYPE_FILE_STATE (tfd_file_state_get_type ())
#define TFD_TYPE_PRIORITY (tfd_priority_get_type ())
#define TFD_TYPE_TRANSFER_POLICY (tfd_transfer_policy_get_type ())
#define TFD_TYPE_RUN_WHEN (tfd_run_when_get_type ())
#define TFD_TYPE_UPLOAD_PROTOCOL (tfd_upload_protocol_get_type ())
#define TFD_TYPE_REDIRECT_POLICY (tfd_redirect_policy_get_type ())
#define TFD_TYPE_PROXY_MODE (tfd_proxy_mode_get_type ())
#define TFD_TYPE_ERROR_CONTEXT (tfd_error_context_get_type ())
#define TFD_TYPE_OPERATION (tfd_operation_get_type ())
#define TFD_TYPE_RESULT (tfd_result_get_type ())
#define TFD_TYPE_OVERWRITE (tfd_overwrite_get_type ())

GType tfd_job_type_get_type (void);
GType tfd_job_state_get_type (void);
GType tfd_file_state_get_type (void);
GType tfd_priority_get_type (void);
GType tfd_transfer_policy_get_type (void);
GType tfd_run_when_get_type (void);
GType tfd_upload_protocol_get_type (void);
GType tfd_redirect_policy_get_type (void);
GType tfd_proxy_mode_get_type (void);
GType tfd_error_context_get_type (void);
GType tfd_operation_get_type (void);
GType tfd_result_get_type (void);
GType tfd_overwrite_get_type (void);

/* The string of @value in enumeration @type (one of the TFD_TYPE_… above); which must exist. */
const char *tfd_enum_to_string (GType type, int value);

/* Reads @string as a value of @type into @value; FALSE and @value untouched when there is none. */
gboolean tfd_enum_from_string (GType type, const char *string, int *value);

/* TRUE for acknowledged and cancelled, the states that no event leaves. */
gboolean tfd_job_state_is_final (TfdJobState state);

/* TRUE for connecting and transferring, the states in which a worker has the job. */
gboolean tfd_job_state_is_running (TfdJobState state);

/* Which way the bytes of file @index of a job of @type go: those of a reply come back behind the
 * one file that is sent. */
TfdDirection tfd_file_direction (TfdJobType type, guint32 index);

/* Row @index of a job of @type is the reply to an upload: a file like any other that is received,
 * but none that the owner has added. */
gboolean tfd_file_is_reply (TfdJobType type, guint32 index);

/* The index by which the owner knows row @index: a reply is that of the file that it answers. */
guint32 tfd_file_shown_index (TfdJobType type, guint32 index);

G_END_DECLS
