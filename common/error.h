/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Errors: the one enumeration of failures of calls and of transfers. The nick is the last part of
 * the D-Bus error name. */
#pragma once

#include "common/enums.h"

G_BEGIN_DECLS

#define TFD_ERROR (tfd_error_quark ())
GQuark tfd_error_quark (void);

#define TFD_TYPE_ERROR_CODE (tfd_error_code_get_type ())
GType tfd_error_code_get_type (void);

typedef enum
{
  /* of calls */
  TFD_ERROR_NOT_FOUND, /* "NotFound" */
  TFD_ERROR_INVALID_STATE,
  TFD_ERROR_EMPTY,
  TFD_ERROR_TOO_MANY_FILES,
  TFD_ERROR_TOO_MANY_JOBS_PER_USER,
  TFD_ERROR_TOO_MANY_JOBS_PER_MACHINE,
  TFD_ERROR_TOO_MANY_FILES_IN_JOB,
  TFD_ERROR_TOO_MANY_RANGES_IN_FILE,
  TFD_ERROR_INVALID_RANGE,
  TFD_ERROR_OVERLAPPING_RANGES,
  TFD_ERROR_STRING_TOO_LONG,
  TFD_ERROR_INVALID_URL,
  TFD_ERROR_INVALID_PATH,
  TFD_ERROR_DUPLICATE_DESTINATION,
  TFD_ERROR_COMMIT_FAILED,
  TFD_ERROR_NOT_TRANSFERRED,
  TFD_ERROR_READ_ONLY_AFTER_RESUME,
  TFD_ERROR_READ_ONLY_AFTER_ADD_FILE, /* "ReadOnlyAfterAddFile" */
  TFD_ERROR_DOWNLOAD_ONLY,
  TFD_ERROR_NOT_COMPATIBLE,
  TFD_ERROR_TOO_LARGE,
  TFD_ERROR_SANDBOXED,
  TFD_ERROR_STORAGE_FAILED,
  TFD_ERROR_INVALID_PROXY,
  /* standard ones: their full names are org.freedesktop.DBus.Error.<nick> */
  TFD_ERROR_ACCESS_DENIED,
  TFD_ERROR_INTERACTIVE_AUTHORIZATION_REQUIRED,
  TFD_ERROR_INVALID_ARGS,
  TFD_ERROR_NOT_SUPPORTED,
  TFD_ERROR_LIMITS_EXCEEDED,
  /* of transfers */
  TFD_ERROR_NETWORK_DISCONNECTED,
  TFD_ERROR_NAME_NOT_RESOLVED,
  TFD_ERROR_CONNECTION_FAILED,
  TFD_ERROR_CONNECTION_LOST,
  TFD_ERROR_TIMED_OUT,
  TFD_ERROR_HTTP_STATUS,
  TFD_ERROR_AUTHENTICATION_REQUIRED,
  TFD_ERROR_PROXY_AUTHENTICATION_REQUIRED,
  TFD_ERROR_CERTIFICATE_INVALID,
  TFD_ERROR_TOO_MANY_REDIRECTS,
  TFD_ERROR_REDIRECT_REFUSED,
  TFD_ERROR_MISSING_FILE_SIZE,
  TFD_ERROR_INSUFFICIENT_RANGE_SUPPORT,
  TFD_ERROR_INVALID_SERVER_RESPONSE,
  TFD_ERROR_REMOTE_FILE_CHANGED,
  TFD_ERROR_LOCAL_FILE_CHANGED,
  TFD_ERROR_FILE_ACCESS_DENIED,
  TFD_ERROR_FILE_MISSING,
  TFD_ERROR_DESTINATION_UNAVAILABLE,
  TFD_ERROR_INSUFFICIENT_SPACE,
  TFD_ERROR_DIGEST_MISMATCH,
  TFD_ERROR_VALIDATION_FAILED,
  TFD_ERROR_MAXIMUM_SIZE_EXCEEDED,
  TFD_ERROR_MAXIMUM_DOWNLOAD_TIME,
  TFD_ERROR_NO_PROGRESS,
  TFD_ERROR_BLOCKED_BY_POLICY,
  TFD_ERROR_BLOCKED_BY_COST,
  TFD_ERROR_BLOCKED_BY_POWER,
  TFD_ERROR_OWNER_NOT_LOGGED_IN,
  TFD_ERROR_OWNER_GONE,
  TFD_ERROR_WORKER_LOST,
  TFD_ERROR_PROTOCOL_MISMATCH,
  TFD_N_ERRORS,
} TfdErrorCode;

/* The full D-Bus error name of @code, e.g. "org.transferd.Transfer1.Error.NotFound". */
const char *tfd_error_code_to_name (TfdErrorCode code);

/* Reads a full D-Bus error name; FALSE when it is none of ours. */
gboolean tfd_error_code_from_name (const char *name, TfdErrorCode *code);

/* One sentence for people about @code, for DescribeError (untranslated; may be marked N_()). */
const char *tfd_error_code_describe (TfdErrorCode code);

/* TRUE when a job that meets @code goes on by itself. HTTP_STATUS depends on the status: FALSE. */
gboolean tfd_error_code_is_transient (TfdErrorCode code);

/* TRUE when meeting @code raises ErrorCount (waits for the network, a mount, a policy do not). */
gboolean tfd_error_code_is_counted (TfdErrorCode code);

/* What went wrong with a transfer: the value of property Error. */
typedef struct
{
  TfdErrorCode code;
  TfdErrorContext context; /* NONE = there is no error */
  gboolean transient;
  guint32 file;        /* index, or G_MAXUINT32 when it is not about one file */
  guint32 http_status; /* 0 = none */
  guint64 retry_after; /* microseconds asked for by the server, 0 = not asked */
  char *message;       /* (owned) for people */
} TfdFailure;

void tfd_failure_clear (TfdFailure *failure);
void tfd_failure_copy (const TfdFailure *from, TfdFailure *to);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (TfdFailure, tfd_failure_clear)

G_END_DECLS
