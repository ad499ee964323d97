/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Errors of the library: those of common/error.h under a public domain. */
#include "config.h"
#include "transfer/transfer-error.h"

#include "client/libtransfer/private.h"
#include "common/error.h"

#include <string.h>

#define SAME(X) G_STATIC_ASSERT ((int) TRANSFER_ERROR_##X == (int) TFD_ERROR_##X)
SAME (NOT_FOUND);
SAME (INVALID_STATE);
SAME (EMPTY);
SAME (TOO_MANY_FILES);
SAME (TOO_MANY_JOBS_PER_USER);
SAME (TOO_MANY_JOBS_PER_MACHINE);
SAME (TOO_MANY_FILES_IN_JOB);
SAME (TOO_MANY_RANGES_IN_FILE);
SAME (INVALID_RANGE);
SAME (OVERLAPPING_RANGES);
SAME (STRING_TOO_LONG);
SAME (INVALID_URL);
SAME (INVALID_PATH);
SAME (DUPLICATE_DESTINATION);
SAME (COMMIT_FAILED);
SAME (NOT_TRANSFERRED);
SAME (READ_ONLY_AFTER_RESUME);
SAME (READ_ONLY_AFTER_ADD_FILE);
SAME (DOWNLOAD_ONLY);
SAME (NOT_COMPATIBLE);
SAME (TOO_LARGE);
SAME (SANDBOXED);
SAME (STORAGE_FAILED);
SAME (INVALID_PROXY);
SAME (ACCESS_DENIED);
SAME (INTERACTIVE_AUTHORIZATION_REQUIRED);
SAME (INVALID_ARGS);
SAME (NOT_SUPPORTED);
SAME (LIMITS_EXCEEDED);
SAME (NETWORK_DISCONNECTED);
SAME (NAME_NOT_RESOLVED);
SAME (CONNECTION_FAILED);
SAME (CONNECTION_LOST);
SAME (TIMED_OUT);
SAME (HTTP_STATUS);
SAME (AUTHENTICATION_REQUIRED);
SAME (PROXY_AUTHENTICATION_REQUIRED);
SAME (CERTIFICATE_INVALID);
SAME (TOO_MANY_REDIRECTS);
SAME (REDIRECT_REFUSED);
SAME (MISSING_FILE_SIZE);
SAME (INSUFFICIENT_RANGE_SUPPORT);
SAME (INVALID_SERVER_RESPONSE);
SAME (REMOTE_FILE_CHANGED);
SAME (LOCAL_FILE_CHANGED);
SAME (FILE_ACCESS_DENIED);
SAME (FILE_MISSING);
SAME (DESTINATION_UNAVAILABLE);
SAME (INSUFFICIENT_SPACE);
SAME (DIGEST_MISMATCH);
SAME (VALIDATION_FAILED);
SAME (MAXIMUM_SIZE_EXCEEDED);
SAME (MAXIMUM_DOWNLOAD_TIME);
SAME (NO_PROGRESS);
SAME (BLOCKED_BY_POLICY);
SAME (BLOCKED_BY_COST);
SAME (BLOCKED_BY_POWER);
SAME (OWNER_NOT_LOGGED_IN);
SAME (OWNER_GONE);
SAME (WORKER_LOST);
SAME (PROTOCOL_MISMATCH);
G_STATIC_ASSERT ((int) TRANSFER_ERROR_PROTOCOL_MISMATCH + 1 == (int) TFD_N_ERRORS);

/* clang-format off */
G_DEFINE_QUARK (transfer-error-quark, transfer_error)
/* clang-format on */

/* "not-found" for "NotFound": what bindings expect of a nick. */
static const char *
make_nick (const char *name)
{
  g_autoptr (GString) nick = g_string_new (NULL);

  for (; *name != '\0'; name++)
    {
      if (g_ascii_isupper (*name) && nick->len > 0)
        g_string_append_c (nick, '-');
      g_string_append_c (nick, g_ascii_tolower (*name));
    }
  return g_intern_string (nick->str);
}

static const char *
make_value_name (const char *nick)
{
  g_autofree char *upper = g_ascii_strup (nick, -1);
  g_autofree char *name = g_strconcat ("TRANSFER_ERROR_", g_strdelimit (upper, "-", '_'), NULL);

  return g_intern_string (name);
}

GType
transfer_error_get_type (void)
{
  static gsize once = 0;

  if (g_once_init_enter (&once))
    {
      static GEnumValue values[TFD_N_ERRORS + 1];

      for (int i = 0; i < TFD_N_ERRORS; i++)
        {
          const char *nick = make_nick (strrchr (tfd_error_code_to_name (i), '.') + 1);

          values[i] = (GEnumValue){ i, make_value_name (nick), nick };
        }
      g_once_init_leave (&once, g_enum_register_static ("TransferError", values));
    }
  return once;
}

const char *
transfer_error_to_name (TransferError error)
{
  return tfd_error_code_to_name ((TfdErrorCode) error);
}

gboolean
transfer_error_from_name (const char *name, TransferError *error)
{
  TfdErrorCode code;

  if (name == NULL || !tfd_error_code_from_name (name, &code))
    return FALSE;
  if (error != NULL)
    *error = (TransferError) code;
  return TRUE;
}

const char *
transfer_error_describe (TransferError error)
{
  return tfd_error_code_describe ((TfdErrorCode) error);
}

void
_transfer_error_translate (GError *error)
{
  g_autofree char *name = g_dbus_error_get_remote_error (error);
  TfdErrorCode code;

  if (name == NULL)
    return;
  g_dbus_error_strip_remote_error (error);
  if (!tfd_error_code_from_name (name, &code))
    return;
  error->domain = TRANSFER_ERROR;
  error->code = (int) code;
}

gboolean
_transfer_error_is_lost_reply (const GError *error)
{
  return g_error_matches (error, G_DBUS_ERROR, G_DBUS_ERROR_NO_REPLY);
}

gboolean
_transfer_error_is_absent_service (const GError *error)
{
  if (error->domain != G_DBUS_ERROR)
    return FALSE;
  switch (error->code)
    {
    case G_DBUS_ERROR_SERVICE_UNKNOWN:
    case G_DBUS_ERROR_NAME_HAS_NO_OWNER:
    case G_DBUS_ERROR_SPAWN_EXEC_FAILED:
    case G_DBUS_ERROR_SPAWN_FORK_FAILED:
    case G_DBUS_ERROR_SPAWN_CHILD_EXITED:
    case G_DBUS_ERROR_SPAWN_CHILD_SIGNALED:
    case G_DBUS_ERROR_SPAWN_FAILED:
      return TRUE;
    default:
      return FALSE;
    }
}
