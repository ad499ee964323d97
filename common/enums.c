/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Enumerations: their types and strings, and the only two functions that translate them. */
#include "config.h"

#include "common/enums.h"

/* clang-format off */
G_DEFINE_ENUM_TYPE (TfdJobType, tfd_job_type,
  G_DEFINE_ENUM_VALUE (TFD_JOB_TYPE_DOWNLOAD, "download"),
  G_DEFINE_ENUM_VALUE (TFD_JOB_TYPE_UPLOAD, "upload"),
  G_DEFINE_ENUM_VALUE (TFD_JOB_TYPE_UPLOAD_REPLY, "upload-reply"))

G_DEFINE_ENUM_TYPE (TfdJobState, tfd_job_state,
  G_DEFINE_ENUM_VALUE (TFD_JOB_STATE_SUSPENDED, "suspended"),
  G_DEFINE_ENUM_VALUE (TFD_JOB_STATE_QUEUED, "queued"),
  G_DEFINE_ENUM_VALUE (TFD_JOB_STATE_CONNECTING, "connecting"),
  G_DEFINE_ENUM_VALUE (TFD_JOB_STATE_TRANSFERRING, "transferring"),
  G_DEFINE_ENUM_VALUE (TFD_JOB_STATE_TRANSIENT_ERROR, "transient-error"),
  G_DEFINE_ENUM_VALUE (TFD_JOB_STATE_ERROR, "error"),
  G_DEFINE_ENUM_VALUE (TFD_JOB_STATE_TRANSFERRED, "transferred"),
  G_DEFINE_ENUM_VALUE (TFD_JOB_STATE_ACKNOWLEDGED, "acknowledged"),
  G_DEFINE_ENUM_VALUE (TFD_JOB_STATE_CANCELLED, "cancelled"))

G_DEFINE_ENUM_TYPE (TfdFileState, tfd_file_state,
  G_DEFINE_ENUM_VALUE (TFD_FILE_STATE_WAITING, "waiting"),
  G_DEFINE_ENUM_VALUE (TFD_FILE_STATE_TRANSFERRING, "transferring"),
  G_DEFINE_ENUM_VALUE (TFD_FILE_STATE_TRANSFERRED, "transferred"),
  G_DEFINE_ENUM_VALUE (TFD_FILE_STATE_COMPLETED, "completed"),
  G_DEFINE_ENUM_VALUE (TFD_FILE_STATE_MISSING, "missing"),
  G_DEFINE_ENUM_VALUE (TFD_FILE_STATE_ERROR, "error"))

G_DEFINE_ENUM_TYPE (TfdPriority, tfd_priority,
  G_DEFINE_ENUM_VALUE (TFD_PRIORITY_NORMAL, "normal"),
  G_DEFINE_ENUM_VALUE (TFD_PRIORITY_FOREGROUND, "foreground"),
  G_DEFINE_ENUM_VALUE (TFD_PRIORITY_HIGH, "high"),
  G_DEFINE_ENUM_VALUE (TFD_PRIORITY_LOW, "low"))

G_DEFINE_ENUM_TYPE (TfdTransferPolicy, tfd_transfer_policy,
  G_DEFINE_ENUM_VALUE (TFD_TRANSFER_POLICY_STANDARD, "standard"),
  G_DEFINE_ENUM_VALUE (TFD_TRANSFER_POLICY_ALWAYS, "always"),
  G_DEFINE_ENUM_VALUE (TFD_TRANSFER_POLICY_NOT_ROAMING, "not-roaming"),
  G_DEFINE_ENUM_VALUE (TFD_TRANSFER_POLICY_NO_SURCHARGE, "no-surcharge"),
  G_DEFINE_ENUM_VALUE (TFD_TRANSFER_POLICY_UNRESTRICTED, "unrestricted"))

G_DEFINE_ENUM_TYPE (TfdRunWhen, tfd_run_when,
  G_DEFINE_ENUM_VALUE (TFD_RUN_WHEN_ALWAYS, "always"),
  G_DEFINE_ENUM_VALUE (TFD_RUN_WHEN_LOGGED_IN, "logged-in"),
  G_DEFINE_ENUM_VALUE (TFD_RUN_WHEN_LINGERING, "lingering"))

G_DEFINE_ENUM_TYPE (TfdUploadProtocol, tfd_upload_protocol,
  G_DEFINE_ENUM_VALUE (TFD_UPLOAD_PROTOCOL_AUTO, "auto"),
  G_DEFINE_ENUM_VALUE (TFD_UPLOAD_PROTOCOL_PUT, "put"),
  G_DEFINE_ENUM_VALUE (TFD_UPLOAD_PROTOCOL_POST, "post"),
  G_DEFINE_ENUM_VALUE (TFD_UPLOAD_PROTOCOL_TUS, "tus"),
  G_DEFINE_ENUM_VALUE (TFD_UPLOAD_PROTOCOL_RESUMABLE, "resumable"),
  G_DEFINE_ENUM_VALUE (TFD_UPLOAD_PROTOCOL_BITS, "bits"))

G_DEFINE_ENUM_TYPE (TfdRedirectPolicy, tfd_redirect_policy,
  G_DEFINE_ENUM_VALUE (TFD_REDIRECT_POLICY_ALLOW, "allow"),
  G_DEFINE_ENUM_VALUE (TFD_REDIRECT_POLICY_REPORT, "report"),
  G_DEFINE_ENUM_VALUE (TFD_REDIRECT_POLICY_REFUSE, "refuse"))

G_DEFINE_ENUM_TYPE (TfdProxyMode, tfd_proxy_mode,
  G_DEFINE_ENUM_VALUE (TFD_PROXY_MODE_SYSTEM, "system"),
  G_DEFINE_ENUM_VALUE (TFD_PROXY_MODE_NONE, "none"),
  G_DEFINE_ENUM_VALUE (TFD_PROXY_MODE_OVERRIDE, "override"),
  G_DEFINE_ENUM_VALUE (TFD_PROXY_MODE_AUTO, "auto"))

G_DEFINE_ENUM_TYPE (TfdErrorContext, tfd_error_context,
  G_DEFINE_ENUM_VALUE (TFD_ERROR_CONTEXT_NONE, "none"),
  G_DEFINE_ENUM_VALUE (TFD_ERROR_CONTEXT_UNKNOWN, "unknown"),
  G_DEFINE_ENUM_VALUE (TFD_ERROR_CONTEXT_QUEUE_MANAGER, "queue-manager"),
  G_DEFINE_ENUM_VALUE (TFD_ERROR_CONTEXT_LOCAL_FILE, "local-file"),
  G_DEFINE_ENUM_VALUE (TFD_ERROR_CONTEXT_REMOTE_FILE, "remote-file"),
  G_DEFINE_ENUM_VALUE (TFD_ERROR_CONTEXT_TRANSPORT, "transport"),
  G_DEFINE_ENUM_VALUE (TFD_ERROR_CONTEXT_REMOTE_APPLICATION, "remote-application"))

G_DEFINE_ENUM_TYPE (TfdOperation, tfd_operation,
  G_DEFINE_ENUM_VALUE (TFD_OPERATION_NONE, ""),
  G_DEFINE_ENUM_VALUE (TFD_OPERATION_COMPLETING, "completing"),
  G_DEFINE_ENUM_VALUE (TFD_OPERATION_CANCELLING, "cancelling"))

G_DEFINE_ENUM_TYPE (TfdResult, tfd_result,
  G_DEFINE_ENUM_VALUE (TFD_RESULT_COMPLETED, "completed"),
  G_DEFINE_ENUM_VALUE (TFD_RESULT_PARTIAL, "partial"),
  G_DEFINE_ENUM_VALUE (TFD_RESULT_CANCELLED, "cancelled"),
  G_DEFINE_ENUM_VALUE (TFD_RESULT_EXPIRED, "expired"))

G_DEFINE_ENUM_TYPE (TfdOverwrite, tfd_overwrite,
  G_DEFINE_ENUM_VALUE (TFD_OVERWRITE_REPLACE, "replace"),
  G_DEFINE_ENUM_VALUE (TFD_OVERWRITE_FAIL, "fail"),
  G_DEFINE_ENUM_VALUE (TFD_OVERWRITE_KEEP_BOTH, "keep-both"))
/* clang-format on */

/* Classes are never given back: the types are static, and strings of them are handed out. */
static GEnumClass *
enum_class (GType type)
{
  GEnumClass *klass = g_type_class_peek_static (type);

  return klass != NULL ? klass : g_type_class_ref (type);
}

const char *
tfd_enum_to_string (GType type, int value)
{
  const GEnumValue *entry = g_enum_get_value (enum_class (type), value);

  g_assert (entry != NULL);
  return entry->value_nick;
}

gboolean
tfd_enum_from_string (GType type, const char *string, int *value)
{
  g_return_val_if_fail (string != NULL, FALSE);
  g_return_val_if_fail (value != NULL, FALSE);

  const GEnumValue *entry = g_enum_get_value_by_nick (enum_class (type), string);
  if (entry == NULL)
    return FALSE;
  *value = entry->value;
  return TRUE;
}

gboolean
tfd_job_state_is_final (TfdJobState state)
{
  return state == TFD_JOB_STATE_ACKNOWLEDGED || state == TFD_JOB_STATE_CANCELLED;
}

gboolean
tfd_job_state_is_running (TfdJobState state)
{
  return state == TFD_JOB_STATE_CONNECTING || state == TFD_JOB_STATE_TRANSFERRING;
}

TfdDirection
tfd_file_direction (TfdJobType type, guint32 index)
{
  if (type == TFD_JOB_TYPE_DOWNLOAD || tfd_file_is_reply (type, index))
    return TFD_DIRECTION_RECEIVE;
  return TFD_DIRECTION_SEND;
}

gboolean
tfd_file_is_reply (TfdJobType type, guint32 index)
{
  return type == TFD_JOB_TYPE_UPLOAD_REPLY && index > 0;
}

guint32
tfd_file_shown_index (TfdJobType type, guint32 index)
{
  return tfd_file_is_reply (type, index) ? 0 : index;
}
