/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Errors: names, descriptions and classes of every failure, one table. */
#include "config.h"

#include "common/error.h"

#include "common/names.h"

#include <gio/gio.h>
#include <string.h>

/* the name of a quark with dashes would not survive clang-format */
G_DEFINE_QUARK (tfd_error, tfd_error)

typedef enum
{
  CALL = 0,           /* of a call: never a reason to wait */
  FATAL = 0,          /* of a transfer: somebody must do something */
  STANDARD = 1 << 0,  /* D-Bus has a name for it */
  TRANSIENT = 1 << 1, /* the job goes on by itself */
  UNCOUNTED = 1 << 2, /* a wait, not a failure: ErrorCount stays */
} Flags;

typedef struct
{
  const char *nick;
  Flags flags;
  const char *text;
} Info;

static const Info infos[TFD_N_ERRORS] = {
  [TFD_ERROR_NOT_FOUND] = { "NotFound", CALL, "There is no such job." },
  [TFD_ERROR_INVALID_STATE] = { "InvalidState", CALL,
                                "This cannot be done in the present state of the job." },
  [TFD_ERROR_EMPTY] = { "Empty", CALL, "The job has no file that is still to be transferred." },
  [TFD_ERROR_TOO_MANY_FILES] = { "TooManyFiles", CALL,
                                 "A job of this type cannot hold another file." },
  [TFD_ERROR_TOO_MANY_JOBS_PER_USER] = { "TooManyJobsPerUser", CALL,
                                         "The user has as many jobs as are allowed." },
  [TFD_ERROR_TOO_MANY_JOBS_PER_MACHINE] = { "TooManyJobsPerMachine", CALL,
                                            "The machine has as many jobs as are allowed." },
  [TFD_ERROR_TOO_MANY_FILES_IN_JOB] = { "TooManyFilesInJob", CALL,
                                        "The job has as many files as are allowed." },
  [TFD_ERROR_TOO_MANY_RANGES_IN_FILE] = { "TooManyRangesInFile", CALL,
                                          "The file has more ranges than are allowed." },
  [TFD_ERROR_INVALID_RANGE] = { "InvalidRange", CALL,
                                "A requested range is empty or lies outside the file." },
  [TFD_ERROR_OVERLAPPING_RANGES] = { "OverlappingRanges", CALL,
                                     "The ranges of a file must not overlap." },
  [TFD_ERROR_STRING_TOO_LONG] = { "StringTooLong", CALL, "A text is too long." },
  [TFD_ERROR_INVALID_URL] = { "InvalidUrl", CALL, "The URL cannot be used." },
  [TFD_ERROR_INVALID_PATH] = { "InvalidPath", CALL, "The local path cannot be used." },
  [TFD_ERROR_DUPLICATE_DESTINATION] = { "DuplicateDestination", CALL,
                                        "Two files of a job cannot have the same local path." },
  [TFD_ERROR_COMMIT_FAILED] = { "CommitFailed", CALL,
                                "Not every file could be moved to its final place; the job is "
                                "kept, and Complete can be called again." },
  [TFD_ERROR_NOT_TRANSFERRED] = { "NotTransferred", CALL,
                                  "Not everything has been transferred yet." },
  [TFD_ERROR_READ_ONLY_AFTER_RESUME] = { "ReadOnlyAfterResume", CALL,
                                         "The property cannot change once the job was started." },
  [TFD_ERROR_READ_ONLY_AFTER_ADD_FILE] = { "ReadOnlyAfterAddFile", CALL,
                                           "The property cannot change once the job has files." },
  [TFD_ERROR_DOWNLOAD_ONLY] = { "DownloadOnly", CALL, "This is for downloads only." },
  [TFD_ERROR_NOT_COMPATIBLE] = { "NotCompatible", CALL, "These settings cannot be used together." },
  [TFD_ERROR_TOO_LARGE] = { "TooLarge", CALL, "The data are larger than is allowed." },
  [TFD_ERROR_SANDBOXED] = { "Sandboxed", CALL,
                            "A program in a sandbox may not do this; files are added by "
                            "AddFileFd or AddFilesAt, with a directory that it has opened." },
  [TFD_ERROR_STORAGE_FAILED] = { "StorageFailed", CALL,
                                 "The service could not save the change; nothing was changed." },
  [TFD_ERROR_INVALID_PROXY] = { "InvalidProxy", CALL, "The proxy settings are invalid." },

  [TFD_ERROR_ACCESS_DENIED] = { "AccessDenied", STANDARD, "This is not permitted." },
  [TFD_ERROR_INTERACTIVE_AUTHORIZATION_REQUIRED] = { "InteractiveAuthorizationRequired", STANDARD,
                                                     "Somebody must give permission first." },
  [TFD_ERROR_INVALID_ARGS] = { "InvalidArgs", STANDARD, "An argument is invalid." },
  [TFD_ERROR_NOT_SUPPORTED] = { "NotSupported", STANDARD, "This is not supported." },
  [TFD_ERROR_LIMITS_EXCEEDED] = { "LimitsExceeded", STANDARD, "A limit would be exceeded." },

  [TFD_ERROR_NETWORK_DISCONNECTED] = { "NetworkDisconnected", TRANSIENT | UNCOUNTED,
                                       "There is no network connection." },
  [TFD_ERROR_NAME_NOT_RESOLVED] = { "NameNotResolved", TRANSIENT,
                                    "The name of the server could not be resolved." },
  [TFD_ERROR_CONNECTION_FAILED] = { "ConnectionFailed", TRANSIENT,
                                    "The server could not be reached." },
  [TFD_ERROR_CONNECTION_LOST] = { "ConnectionLost", TRANSIENT,
                                  "The connection to the server broke." },
  [TFD_ERROR_TIMED_OUT] = { "TimedOut", TRANSIENT, "The server did not answer in time." },
  [TFD_ERROR_HTTP_STATUS] = { "HttpStatus", FATAL,
                              "The server answered with an error; the HTTP status says which." },
  [TFD_ERROR_AUTHENTICATION_REQUIRED] = { "AuthenticationRequired", FATAL,
                                          "The server wants a user name and a password." },
  [TFD_ERROR_PROXY_AUTHENTICATION_REQUIRED] = { "ProxyAuthenticationRequired", FATAL,
                                                "The proxy wants a user name and a password." },
  [TFD_ERROR_CERTIFICATE_INVALID] = { "CertificateInvalid", FATAL,
                                      "The certificate of the server is not trusted." },
  [TFD_ERROR_TOO_MANY_REDIRECTS] = { "TooManyRedirects", FATAL,
                                     "The server redirects again and again." },
  [TFD_ERROR_REDIRECT_REFUSED] = { "RedirectRefused", FATAL,
                                   "The server redirects where the job may not go." },
  [TFD_ERROR_MISSING_FILE_SIZE] = { "MissingFileSize", FATAL,
                                    "The server does not say how large the file is." },
  [TFD_ERROR_INSUFFICIENT_RANGE_SUPPORT] = { "InsufficientRangeSupport", FATAL,
                                             "The server cannot send parts of the file." },
  [TFD_ERROR_INVALID_SERVER_RESPONSE] = { "InvalidServerResponse", FATAL,
                                          "The answer of the server makes no sense." },
  [TFD_ERROR_REMOTE_FILE_CHANGED] = { "RemoteFileChanged", FATAL,
                                      "The file on the server changed during the transfer." },
  [TFD_ERROR_LOCAL_FILE_CHANGED] = { "LocalFileChanged", FATAL,
                                     "The local file changed during the transfer." },
  [TFD_ERROR_FILE_ACCESS_DENIED] = { "FileAccessDenied", FATAL,
                                     "A local file or directory cannot be used." },
  [TFD_ERROR_FILE_MISSING] = { "FileMissing", FATAL,
                               "Data that had been transferred are not there any more." },
  [TFD_ERROR_DESTINATION_UNAVAILABLE] = { "DestinationUnavailable", TRANSIENT | UNCOUNTED,
                                          "The local directory is not available at present." },
  [TFD_ERROR_INSUFFICIENT_SPACE] = { "InsufficientSpace", FATAL, "There is not enough space." },
  [TFD_ERROR_DIGEST_MISMATCH] = { "DigestMismatch", FATAL,
                                  "The file does not have the expected digest." },
  [TFD_ERROR_VALIDATION_FAILED] = { "ValidationFailed", FATAL,
                                    "The application rejected the file." },
  [TFD_ERROR_MAXIMUM_SIZE_EXCEEDED] = { "MaximumSizeExceeded", FATAL,
                                        "The job is larger than its maximum size." },
  [TFD_ERROR_MAXIMUM_DOWNLOAD_TIME] = { "MaximumDownloadTime", FATAL,
                                        "The job has used up its time for transferring." },
  [TFD_ERROR_NO_PROGRESS] = { "NoProgress", FATAL, "The job made no progress for too long." },
  [TFD_ERROR_BLOCKED_BY_POLICY] = { "BlockedByPolicy", TRANSIENT | UNCOUNTED,
                                    "The administrator allows no transfers at present." },
  [TFD_ERROR_BLOCKED_BY_COST] = { "BlockedByCost", TRANSIENT | UNCOUNTED,
                                  "The network connection is too expensive for this job." },
  [TFD_ERROR_BLOCKED_BY_POWER] = { "BlockedByPower", TRANSIENT | UNCOUNTED,
                                   "The machine is saving power." },
  [TFD_ERROR_OWNER_NOT_LOGGED_IN] = { "OwnerNotLoggedIn", TRANSIENT | UNCOUNTED,
                                      "The owner of the job is not logged in." },
  [TFD_ERROR_OWNER_GONE] = { "OwnerGone", FATAL, "The owner of the job does not exist any more." },
  [TFD_ERROR_WORKER_LOST] = { "WorkerLost", TRANSIENT | UNCOUNTED,
                              "The process that transfers the files ended unexpectedly." },
  [TFD_ERROR_PROTOCOL_MISMATCH] = { "ProtocolMismatch", FATAL,
                                    "The server does not speak the protocol of the job." },
};

/* The enumeration type is made of the table, so that no name stands in two places. The name of a
 * value is its nick as well: nobody asks for the C identifier. */
GType
tfd_error_code_get_type (void)
{
  static gsize once = 0;

  if (g_once_init_enter (&once))
    {
      static GEnumValue values[TFD_N_ERRORS + 1];
      for (int i = 0; i < TFD_N_ERRORS; i++)
        values[i] = (GEnumValue){ i, infos[i].nick, infos[i].nick };
      g_once_init_leave (&once, g_enum_register_static ("TfdErrorCode", values));
    }
  return once;
}

static const Info *
info_of (TfdErrorCode code)
{
  g_assert ((int) code >= 0 && code < TFD_N_ERRORS);
  return &infos[code];
}

const char *
tfd_error_code_to_name (TfdErrorCode code)
{
  static gsize once = 0;
  static char *names[TFD_N_ERRORS];

  if (g_once_init_enter (&once))
    {
      for (int i = 0; i < TFD_N_ERRORS; i++)
        {
          gboolean standard = (infos[i].flags & STANDARD) != 0;
          names[i] = g_strconcat (standard ? TFD_STANDARD_ERROR_PREFIX : TFD_ERROR_PREFIX,
                                  infos[i].nick, NULL);
        }
      g_once_init_leave (&once, 1);
    }
  g_assert ((int) code >= 0 && code < TFD_N_ERRORS);
  return names[code];
}

gboolean
tfd_error_code_from_name (const char *name, TfdErrorCode *code)
{
  g_return_val_if_fail (name != NULL, FALSE);

  for (int i = 0; i < TFD_N_ERRORS; i++)
    if (g_str_equal (name, tfd_error_code_to_name (i)))
      {
        if (code != NULL)
          *code = i;
        return TRUE;
      }
  return FALSE;
}

const char *
tfd_error_code_describe (TfdErrorCode code)
{
  return info_of (code)->text;
}

gboolean
tfd_error_code_is_transient (TfdErrorCode code)
{
  return (info_of (code)->flags & TRANSIENT) != 0;
}

gboolean
tfd_error_code_is_counted (TfdErrorCode code)
{
  return (info_of (code)->flags & UNCOUNTED) == 0;
}

void
tfd_failure_clear (TfdFailure *failure)
{
  g_free (failure->message);
  *failure = (TfdFailure){ .context = TFD_ERROR_CONTEXT_NONE, .file = G_MAXUINT32 };
}

void
tfd_failure_copy (const TfdFailure *from, TfdFailure *to)
{
  if (from == to)
    return;
  tfd_failure_clear (to);
  *to = *from;
  to->message = g_strdup (from->message);
}
