/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Transport: dispatch of the port. */
#include "config.h"

#include "engine/transport.h"

#include "common/error.h"

enum
{
  SIGNAL_NEWS,
  SIGNAL_LOST,
  SIGNAL_STUCK,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

#define MAX_WORDS 1024

static G_DEFINE_QUARK (tfd_transport_fds, fds)

    G_DEFINE_INTERFACE (TfdTransport, tfd_transport, G_TYPE_OBJECT)

        static void tfd_transport_default_init (TfdTransportInterface *iface)
{
  GType type = G_TYPE_FROM_INTERFACE (iface);

  signals[SIGNAL_NEWS] = g_signal_new ("news", type, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                       G_TYPE_NONE, 3, G_TYPE_UINT, G_TYPE_STRING, G_TYPE_VARIANT);
  signals[SIGNAL_LOST] = g_signal_new ("lost", type, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                       G_TYPE_NONE, 1, G_TYPE_UINT);
  signals[SIGNAL_STUCK] = g_signal_new ("stuck", type, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                        G_TYPE_NONE, 2, G_TYPE_UINT, G_TYPE_BOOLEAN);
}

void
tfd_transport_request_async (TfdTransport *self,
                             const TfdOwner *owner,
                             const char *method,
                             GVariant *parameters,
                             GAsyncReadyCallback callback,
                             gpointer user_data)
{
  tfd_transport_request_with_fds_async (self, owner, method, parameters, NULL, callback, user_data);
}

void
tfd_transport_request_with_fds_async (TfdTransport *self,
                                      const TfdOwner *owner,
                                      const char *method,
                                      GVariant *parameters,
                                      GUnixFDList *fds,
                                      GAsyncReadyCallback callback,
                                      gpointer user_data)
{
  g_return_if_fail (TFD_IS_TRANSPORT (self));

  TFD_TRANSPORT_GET_IFACE (self)->request_async (self, owner, method, parameters, fds, callback,
                                                 user_data);
}

char *
tfd_transport_tame (const char *words)
{
  char *tame = g_utf8_make_valid (words, (gssize) MIN (strlen (words), MAX_WORDS));
  GString *result = g_string_new (NULL);

  for (const char *at = tame; *at != '\0'; at = g_utf8_next_char (at))
    {
      gunichar c = g_utf8_get_char (at);
      GUnicodeType type = g_unichar_type (c);

      if (type == G_UNICODE_CONTROL || type == G_UNICODE_FORMAT ||
          type == G_UNICODE_LINE_SEPARATOR || type == G_UNICODE_PARAGRAPH_SEPARATOR)
        c = ' ';
      g_string_append_unichar (result, c);
    }
  g_free (tame);
  return g_string_free (result, FALSE);
}

/* What a worker answered: one of our errors, in words that people read. */
static void
translate (GError *error)
{
  g_autofree char *name = g_dbus_error_get_remote_error (error);
  g_autofree char *message = NULL;
  TfdErrorCode code = TFD_ERROR_PROTOCOL_MISMATCH;

  if (name == NULL)
    return;
  g_dbus_error_strip_remote_error (error);
  message = tfd_transport_tame (error->message);
  g_free (error->message);
  error->message = g_steal_pointer (&message);
  tfd_error_code_from_name (name, &code);
  error->domain = TFD_ERROR;
  error->code = (int) code;
}

GVariant *
tfd_transport_request_finish (TfdTransport *self,
                              GAsyncResult *result,
                              GUnixFDList **fds,
                              GError **error)
{
  GError *local_error = NULL;
  GVariant *answer;

  g_return_val_if_fail (g_task_is_valid (result, self), NULL);

  if (fds != NULL)
    {
      *fds = g_object_get_qdata (G_OBJECT (result), fds_quark ());
      if (*fds != NULL)
        g_object_ref (*fds);
    }
  answer = g_task_propagate_pointer (G_TASK (result), &local_error);
  if (local_error != NULL)
    {
      translate (local_error);
      g_propagate_error (error, local_error);
    }
  return answer;
}

void
tfd_transport_answer_set_fds (GTask *task, GUnixFDList *fds)
{
  if (fds != NULL)
    g_object_set_qdata_full (G_OBJECT (task), fds_quark (), g_object_ref (fds), g_object_unref);
}

void
tfd_transport_emit_news (TfdTransport *self, guint32 uid, const char *name, GVariant *parameters)
{
  g_signal_emit (self, signals[SIGNAL_NEWS], 0, uid, name, parameters);
}

void
tfd_transport_emit_lost (TfdTransport *self, guint32 uid)
{
  g_signal_emit (self, signals[SIGNAL_LOST], 0, uid);
}

void
tfd_transport_emit_stuck (TfdTransport *self, guint32 uid, gboolean stuck)
{
  g_signal_emit (self, signals[SIGNAL_STUCK], 0, uid, stuck);
}
