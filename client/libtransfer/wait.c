/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Wait: until the service is on the bus again. */
#include "config.h"
#include "client/libtransfer/private.h"

#include "common/names.h"

/* How long a service that died may take to come back before the bus is asked to start it. */
#define START_AFTER_MILLISECONDS 500

typedef struct
{
  gulong appeared; /* signal handlers and sources, 0 = none */
  gulong cancelled;
  guint start_source;
  guint limit_source;
} Wait;

static void
wait_stop (GTask *task)
{
  Wait *wait = g_task_get_task_data (task);
  GCancellable *cancellable = g_task_get_cancellable (task);

  g_clear_signal_handler (&wait->appeared, g_task_get_source_object (task));
  if (wait->cancelled != 0)
    g_signal_handler_disconnect (cancellable, wait->cancelled);
  wait->cancelled = 0;
  g_clear_handle_id (&wait->start_source, g_source_remove);
  g_clear_handle_id (&wait->limit_source, g_source_remove);
}

static void
appeared_cb (TransferClient *client, gpointer user_data)
{
  g_autoptr (GTask) task = G_TASK (user_data);

  (void) client;
  wait_stop (task);
  g_task_return_boolean (task, TRUE);
}

static void
cancelled_cb (GCancellable *cancellable, gpointer user_data)
{
  g_autoptr (GTask) task = G_TASK (user_data);

  (void) cancellable;
  wait_stop (task);
  g_task_return_error_if_cancelled (task);
}

static gboolean
limit_cb (gpointer user_data)
{
  g_autoptr (GTask) task = G_TASK (user_data);
  Wait *wait = g_task_get_task_data (task);

  wait->limit_source = 0;
  wait_stop (task);
  g_task_return_new_error (task, G_DBUS_ERROR, G_DBUS_ERROR_NAME_HAS_NO_OWNER,
                           "the transfer service died and did not come back");
  return G_SOURCE_REMOVE;
}

static gboolean
start_cb (gpointer user_data)
{
  GTask *task = user_data;
  Wait *wait = g_task_get_task_data (task);
  TransferClient *client = g_task_get_source_object (task);

  wait->start_source = 0;
  /* whether that works is seen by the name appearing */
  g_dbus_connection_call (transfer_client_get_connection (client), "org.freedesktop.DBus",
                          "/org/freedesktop/DBus", "org.freedesktop.DBus", "StartServiceByName",
                          g_variant_new ("(su)", TFD_BUS_NAME, 0), NULL, G_DBUS_CALL_FLAGS_NONE, -1,
                          NULL, NULL, NULL);
  return G_SOURCE_REMOVE;
}

void
_transfer_wait_service_async (TransferClient *client,
                              GCancellable *cancellable,
                              GAsyncReadyCallback callback,
                              gpointer user_data)
{
  GTask *task = g_task_new (client, cancellable, callback, user_data);
  Wait *wait = g_new0 (Wait, 1);

  g_task_set_source_tag (task, TRANSFER_TAG (_transfer_wait_service_async));
  g_task_set_task_data (task, wait, g_free);
  if (transfer_client_is_service_running (client))
    {
      /* perhaps it is gone and we have not heard so yet: then the next call tells */
      g_task_return_boolean (task, TRUE);
      g_object_unref (task);
      return;
    }
  if (g_task_return_error_if_cancelled (task))
    {
      g_object_unref (task);
      return;
    }
  wait->appeared = g_signal_connect (client, "service-appeared", G_CALLBACK (appeared_cb), task);
  if (cancellable != NULL)
    wait->cancelled = g_signal_connect (cancellable, "cancelled", G_CALLBACK (cancelled_cb), task);
  wait->start_source = g_timeout_add (START_AFTER_MILLISECONDS, start_cb, task);
  wait->limit_source = g_timeout_add_seconds (TRANSFER_SERVICE_WAIT_SECONDS, limit_cb, task);
}

gboolean
_transfer_wait_service_finish (TransferClient *client, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, client), FALSE);
  return g_task_propagate_boolean (G_TASK (result), error);
}
