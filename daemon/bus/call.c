/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Call: one method call and its answer, which waits for the commit. */
#include "config.h"

#include "bus/bus-private.h"

#define MAX_ERROR_TEXT 2048

typedef struct
{
  GDBusMethodInvocation *invocation; /* (owned) */
  GVariant *value;                   /* (owned) (nullable) */
  GUnixFDList *fds;                  /* (owned) (nullable) */
  GError *error;                     /* (owned) (nullable) */
} Answer;

void
tfd_call_free (TfdCall *call)
{
  tfd_call_release (call);
  tfd_turns_done (call);
  call->bus->calls--;
  call->bus->last_busy = tfd_clock_now_boot (tfd_engine_get_clock (call->bus->engine));
  g_clear_object (&call->invocation);
  g_clear_pointer (&call->job, tfd_job_unref);
  tfd_peer_unref (call->peer);
  g_free (call);
}

GVariant *
tfd_call_parameters (TfdCall *call)
{
  return g_dbus_method_invocation_get_parameters (call->invocation);
}

static void
answer_free (Answer *answer)
{
  g_clear_object (&answer->invocation);
  g_clear_pointer (&answer->value, g_variant_unref);
  g_clear_object (&answer->fds);
  g_clear_error (&answer->error);
  g_free (answer);
}

static void
return_error (GDBusMethodInvocation *invocation, const GError *error)
{
  TfdErrorCode code =
      error->domain == TFD_ERROR ? (TfdErrorCode) error->code : TFD_ERROR_STORAGE_FAILED;
  /* it may quote what the client sent: an answer that is too large ends the service */
  g_autofree char *message =
      g_utf8_make_valid (error->message, (gssize) MIN (strlen (error->message), MAX_ERROR_TEXT));

  g_dbus_method_invocation_return_dbus_error (invocation, tfd_error_code_to_name (code), message);
}

static void
answer_cb (const GError *commit_error, gpointer data)
{
  Answer *answer = data;
  GDBusMethodInvocation *invocation = g_steal_pointer (&answer->invocation);

  if (answer->error != NULL)
    return_error (invocation, answer->error);
  else if (commit_error != NULL)
    g_dbus_method_invocation_return_dbus_error (
        invocation, tfd_error_code_to_name (TFD_ERROR_STORAGE_FAILED), commit_error->message);
  else if (answer->value != NULL && g_variant_get_size (answer->value) > 2 * TFD_MAX_MESSAGE)
    g_dbus_method_invocation_return_dbus_error (invocation,
                                                tfd_error_code_to_name (TFD_ERROR_LIMITS_EXCEEDED),
                                                "the answer would be too large: ask for less");
  else
    g_dbus_method_invocation_return_value_with_unix_fd_list (invocation, answer->value,
                                                             answer->fds);
}

static void
answer (TfdCall *call, GVariant *value, GUnixFDList *fds, GError *error)
{
  Answer *answer = g_new0 (Answer, 1);
  TfdOutbox *outbox = tfd_engine_get_outbox (call->bus->engine);

  answer->invocation = g_steal_pointer (&call->invocation);
  answer->value = value != NULL ? g_variant_ref_sink (value) : NULL;
  answer->fds = fds != NULL ? g_object_ref (fds) : NULL;
  answer->error = error;
  tfd_outbox_add (outbox, answer_cb, answer, (GDestroyNotify) answer_free);
  tfd_call_free (call);
}

void
tfd_call_return (TfdCall *call, GVariant *value)
{
  answer (call, value, NULL, NULL);
}

void
tfd_call_return_fds (TfdCall *call, GVariant *value, GUnixFDList *fds)
{
  answer (call, value, fds, NULL);
}

void
tfd_call_fail (TfdCall *call, GError *error)
{
  answer (call, NULL, NULL, error);
}

void
tfd_call_fail_code (TfdCall *call, TfdErrorCode code, const char *format, ...)
{
  va_list arguments;

  va_start (arguments, format);
  tfd_call_fail (call, g_error_new_valist (TFD_ERROR, code, format, arguments));
  va_end (arguments);
}

int
tfd_call_take_fd (TfdCall *call, gint32 handle, GError **error)
{
  GDBusMessage *message = g_dbus_method_invocation_get_message (call->invocation);
  GUnixFDList *fds = g_dbus_message_get_unix_fd_list (message);
  int fd = -1;

  if (fds != NULL && handle >= 0 && handle < g_unix_fd_list_get_length (fds))
    fd = g_unix_fd_list_get (fds, handle, NULL);
  if (fd < 0)
    g_set_error_literal (error, TFD_ERROR, TFD_ERROR_INVALID_ARGS,
                         "no descriptor came with the call");
  return fd;
}
