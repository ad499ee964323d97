/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Failure: filling in what went wrong with a file, and its form on the wire. */
#include "config.h"
#include "worker/failure.h"

#include "common/classify.h"

#include <string.h>

void
tfd_failure_set (
    TfdFailure *failure, TfdErrorCode code, TfdErrorContext context, const char *format, ...)
{
  va_list arguments;
  guint32 file = failure->file;

  tfd_failure_clear (failure);
  failure->code = code;
  failure->context = context;
  failure->transient = tfd_error_code_is_transient (code);
  failure->file = file;
  va_start (arguments, format);
  failure->message = g_strdup_vprintf (format, arguments);
  va_end (arguments);
}

void
tfd_failure_set_errno (TfdFailure *failure, int error_number, const char *doing, const char *path)
{
  g_autofree char *shown = g_filename_display_name (path);
  g_autofree char *what = g_strdup_printf ("%s ‘%s’", doing, shown);
  guint32 file = failure->file;

  tfd_failure_clear (failure);
  tfd_classify_errno (error_number, what, failure);
  failure->file = file;
}

GVariant *
tfd_failure_to_variant (const TfdFailure *failure)
{
  GVariantDict dict;

  g_variant_dict_init (&dict, NULL);
  g_variant_dict_insert (&dict, "name", "s", tfd_error_code_to_name (failure->code));
  g_variant_dict_insert (&dict, "context", "s",
                         tfd_enum_to_string (TFD_TYPE_ERROR_CONTEXT, failure->context));
  g_variant_dict_insert (&dict, "message", "s", failure->message ? failure->message : "");
  g_variant_dict_insert (&dict, "transient", "b", failure->transient);
  if (failure->http_status != 0)
    g_variant_dict_insert (&dict, "http-status", "u", failure->http_status);
  if (failure->retry_after != 0)
    g_variant_dict_insert (&dict, "retry-after", "t", failure->retry_after);

  return g_variant_dict_end (&dict);
}

void
tfd_failure_to_error (const TfdFailure *failure, GError **error)
{
  g_set_error_literal (error, TFD_ERROR, (int) failure->code,
                       failure->message ? failure->message : "unknown failure");
}

GVariant *
tfd_bytes_to_variant (GBytes *bytes)
{
  gsize length = 0;
  gconstpointer data = bytes != NULL ? g_bytes_get_data (bytes, &length) : NULL;

  return g_variant_new_fixed_array (G_VARIANT_TYPE_BYTE, data, length, 1);
}

GVariant *
tfd_path_to_variant (const char *path)
{
  return g_variant_new_fixed_array (G_VARIANT_TYPE_BYTE, path, strlen (path), 1);
}

char *
tfd_path_from_variant (GVariant *value)
{
  gsize length;
  const char *data = g_variant_get_fixed_array (value, &length, 1);

  if (length == 0 || memchr (data, '\0', length) != NULL)
    return NULL;

  return g_strndup (data, length);
}
