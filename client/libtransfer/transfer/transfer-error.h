/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Errors of calls and of transfers. */
#pragma once

#include <transfer/transfer-enums.h>

G_BEGIN_DECLS

/**
 * TransferError:
 * @TRANSFER_ERROR_NOT_FOUND: there is no such job, or it is not yours
 * @TRANSFER_ERROR_INVALID_STATE: the job cannot do this in its present state
 * @TRANSFER_ERROR_EMPTY: the job has no files, or none that is left to transfer
 * @TRANSFER_ERROR_TOO_MANY_FILES: more files than one call may carry
 * @TRANSFER_ERROR_TOO_MANY_JOBS_PER_USER: the limit of jobs of a user
 * @TRANSFER_ERROR_TOO_MANY_JOBS_PER_MACHINE: the limit of jobs of the machine
 * @TRANSFER_ERROR_TOO_MANY_FILES_IN_JOB: the limit of files of a job
 * @TRANSFER_ERROR_TOO_MANY_RANGES_IN_FILE: the limit of ranges of a file
 * @TRANSFER_ERROR_INVALID_RANGE: a range that the file does not have
 * @TRANSFER_ERROR_OVERLAPPING_RANGES: two ranges of a file overlap
 * @TRANSFER_ERROR_STRING_TOO_LONG: a string is longer than allowed
 * @TRANSFER_ERROR_INVALID_URL: the URL is malformed or of a scheme that is not supported
 * @TRANSFER_ERROR_INVALID_PATH: the local path is malformed, or its directory does not exist
 * @TRANSFER_ERROR_DUPLICATE_DESTINATION: two files of the job have one destination
 * @TRANSFER_ERROR_COMMIT_FAILED: a file could not be put in place; the job is still there
 * @TRANSFER_ERROR_NOT_TRANSFERRED: all files were required, and not all have arrived
 * @TRANSFER_ERROR_READ_ONLY_AFTER_RESUME: the property cannot change after the job was started
 * @TRANSFER_ERROR_READ_ONLY_AFTER_ADD_FILE: the property cannot change after files were added
 * @TRANSFER_ERROR_DOWNLOAD_ONLY: only downloads have this
 * @TRANSFER_ERROR_NOT_COMPATIBLE: two options contradict each other
 * @TRANSFER_ERROR_TOO_LARGE: the data are larger than the call can carry
 * @TRANSFER_ERROR_SANDBOXED: a program in a sandbox may not do this; it adds files with
 * transfer_job_add_file_fd(), in directories that it has opened
 * @TRANSFER_ERROR_STORAGE_FAILED: the service could not write its database
 * @TRANSFER_ERROR_INVALID_PROXY: the proxy is malformed
 * @TRANSFER_ERROR_ACCESS_DENIED: not authorised
 * @TRANSFER_ERROR_INTERACTIVE_AUTHORIZATION_REQUIRED: authentication is needed, and was not allowed
 * to happen
 * @TRANSFER_ERROR_INVALID_ARGS: an argument is wrong
 * @TRANSFER_ERROR_NOT_SUPPORTED: this version of the service cannot do this
 * @TRANSFER_ERROR_LIMITS_EXCEEDED: too many calls at a time
 * @TRANSFER_ERROR_NETWORK_DISCONNECTED: there is no network
 * @TRANSFER_ERROR_NAME_NOT_RESOLVED: the name of the server has no address
 * @TRANSFER_ERROR_CONNECTION_FAILED: the server could not be reached
 * @TRANSFER_ERROR_CONNECTION_LOST: the connection broke
 * @TRANSFER_ERROR_TIMED_OUT: the server did not answer in time
 * @TRANSFER_ERROR_HTTP_STATUS: the server answered with an error
 * @TRANSFER_ERROR_AUTHENTICATION_REQUIRED: the server wants to know who asks
 * @TRANSFER_ERROR_PROXY_AUTHENTICATION_REQUIRED: the proxy wants to know who asks
 * @TRANSFER_ERROR_CERTIFICATE_INVALID: the certificate of the server is not trusted
 * @TRANSFER_ERROR_TOO_MANY_REDIRECTS: the server redirects without end
 * @TRANSFER_ERROR_REDIRECT_REFUSED: a redirection is not allowed
 * @TRANSFER_ERROR_MISSING_FILE_SIZE: the server does not say how long the file is
 * @TRANSFER_ERROR_INSUFFICIENT_RANGE_SUPPORT: the server cannot send parts of a file
 * @TRANSFER_ERROR_INVALID_SERVER_RESPONSE: the server answered nonsense
 * @TRANSFER_ERROR_REMOTE_FILE_CHANGED: the file on the server changed meanwhile
 * @TRANSFER_ERROR_LOCAL_FILE_CHANGED: the local file changed meanwhile
 * @TRANSFER_ERROR_FILE_ACCESS_DENIED: no permission to use the local file
 * @TRANSFER_ERROR_FILE_MISSING: the local file is not there
 * @TRANSFER_ERROR_DESTINATION_UNAVAILABLE: the directory of the file is not there now, perhaps not
 * mounted
 * @TRANSFER_ERROR_INSUFFICIENT_SPACE: the disk is full
 * @TRANSFER_ERROR_DIGEST_MISMATCH: the data are not those that were expected
 * @TRANSFER_ERROR_VALIDATION_FAILED: the application found the data wrong
 * @TRANSFER_ERROR_MAXIMUM_SIZE_EXCEEDED: the file is larger than the job allows
 * @TRANSFER_ERROR_MAXIMUM_DOWNLOAD_TIME: the job took longer than it allows
 * @TRANSFER_ERROR_NO_PROGRESS: no data came for as long as the job allows
 * @TRANSFER_ERROR_BLOCKED_BY_POLICY: the administrator does not allow transfers now
 * @TRANSFER_ERROR_BLOCKED_BY_COST: the network costs money
 * @TRANSFER_ERROR_BLOCKED_BY_POWER: the machine saves power
 * @TRANSFER_ERROR_OWNER_NOT_LOGGED_IN: the owner is not logged in
 * @TRANSFER_ERROR_OWNER_GONE: the owner has no account any more
 * @TRANSFER_ERROR_WORKER_LOST: the process that transfers died again and again
 * @TRANSFER_ERROR_PROTOCOL_MISMATCH: the server speaks another upload protocol
 *
 * Why a call or a transfer failed. The first ones are of calls, those from
 * %TRANSFER_ERROR_NETWORK_DISCONNECTED on of transfers.
 */
typedef enum
{
  TRANSFER_ERROR_NOT_FOUND,
  TRANSFER_ERROR_INVALID_STATE,
  TRANSFER_ERROR_EMPTY,
  TRANSFER_ERROR_TOO_MANY_FILES,
  TRANSFER_ERROR_TOO_MANY_JOBS_PER_USER,
  TRANSFER_ERROR_TOO_MANY_JOBS_PER_MACHINE,
  TRANSFER_ERROR_TOO_MANY_FILES_IN_JOB,
  TRANSFER_ERROR_TOO_MANY_RANGES_IN_FILE,
  TRANSFER_ERROR_INVALID_RANGE,
  TRANSFER_ERROR_OVERLAPPING_RANGES,
  TRANSFER_ERROR_STRING_TOO_LONG,
  TRANSFER_ERROR_INVALID_URL,
  TRANSFER_ERROR_INVALID_PATH,
  TRANSFER_ERROR_DUPLICATE_DESTINATION,
  TRANSFER_ERROR_COMMIT_FAILED,
  TRANSFER_ERROR_NOT_TRANSFERRED,
  TRANSFER_ERROR_READ_ONLY_AFTER_RESUME,
  TRANSFER_ERROR_READ_ONLY_AFTER_ADD_FILE,
  TRANSFER_ERROR_DOWNLOAD_ONLY,
  TRANSFER_ERROR_NOT_COMPATIBLE,
  TRANSFER_ERROR_TOO_LARGE,
  TRANSFER_ERROR_SANDBOXED,
  TRANSFER_ERROR_STORAGE_FAILED,
  TRANSFER_ERROR_INVALID_PROXY,
  TRANSFER_ERROR_ACCESS_DENIED,
  TRANSFER_ERROR_INTERACTIVE_AUTHORIZATION_REQUIRED,
  TRANSFER_ERROR_INVALID_ARGS,
  TRANSFER_ERROR_NOT_SUPPORTED,
  TRANSFER_ERROR_LIMITS_EXCEEDED,
  TRANSFER_ERROR_NETWORK_DISCONNECTED,
  TRANSFER_ERROR_NAME_NOT_RESOLVED,
  TRANSFER_ERROR_CONNECTION_FAILED,
  TRANSFER_ERROR_CONNECTION_LOST,
  TRANSFER_ERROR_TIMED_OUT,
  TRANSFER_ERROR_HTTP_STATUS,
  TRANSFER_ERROR_AUTHENTICATION_REQUIRED,
  TRANSFER_ERROR_PROXY_AUTHENTICATION_REQUIRED,
  TRANSFER_ERROR_CERTIFICATE_INVALID,
  TRANSFER_ERROR_TOO_MANY_REDIRECTS,
  TRANSFER_ERROR_REDIRECT_REFUSED,
  TRANSFER_ERROR_MISSING_FILE_SIZE,
  TRANSFER_ERROR_INSUFFICIENT_RANGE_SUPPORT,
  TRANSFER_ERROR_INVALID_SERVER_RESPONSE,
  TRANSFER_ERROR_REMOTE_FILE_CHANGED,
  TRANSFER_ERROR_LOCAL_FILE_CHANGED,
  TRANSFER_ERROR_FILE_ACCESS_DENIED,
  TRANSFER_ERROR_FILE_MISSING,
  TRANSFER_ERROR_DESTINATION_UNAVAILABLE,
  TRANSFER_ERROR_INSUFFICIENT_SPACE,
  TRANSFER_ERROR_DIGEST_MISMATCH,
  TRANSFER_ERROR_VALIDATION_FAILED,
  TRANSFER_ERROR_MAXIMUM_SIZE_EXCEEDED,
  TRANSFER_ERROR_MAXIMUM_DOWNLOAD_TIME,
  TRANSFER_ERROR_NO_PROGRESS,
  TRANSFER_ERROR_BLOCKED_BY_POLICY,
  TRANSFER_ERROR_BLOCKED_BY_COST,
  TRANSFER_ERROR_BLOCKED_BY_POWER,
  TRANSFER_ERROR_OWNER_NOT_LOGGED_IN,
  TRANSFER_ERROR_OWNER_GONE,
  TRANSFER_ERROR_WORKER_LOST,
  TRANSFER_ERROR_PROTOCOL_MISMATCH,
} TransferError;

/**
 * TRANSFER_ERROR:
 *
 * The domain of the errors of the service. Errors of the bus itself (the service is not there, …)
 * stay in the domain G_DBUS_ERROR.
 */
#define TRANSFER_ERROR (transfer_error_quark ())
#define TRANSFER_TYPE_ERROR (transfer_error_get_type ())

TRANSFER_API GQuark transfer_error_quark (void);
TRANSFER_API GType transfer_error_get_type (void);

/**
 * transfer_error_to_name:
 * @error: an error
 *
 * Returns: the full D-Bus name of @error
 */
TRANSFER_API const char *transfer_error_to_name (TransferError error);

/**
 * transfer_error_from_name:
 * @name: a full D-Bus error name
 * @error: (out) (optional): where to put the error
 *
 * Returns: %TRUE when @name is one of the service's
 */
TRANSFER_API gboolean transfer_error_from_name (const char *name, TransferError *error);

/**
 * transfer_error_describe:
 * @error: an error
 *
 * Returns: one sentence for people
 */
TRANSFER_API const char *transfer_error_describe (TransferError error);

G_END_DECLS
