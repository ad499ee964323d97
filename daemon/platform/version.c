/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Version: before a worker is asked anything else it says of which version it is. */
#include "config.h"

#include "common/error.h"
#include "platform/worker-private.h"

/* The program was replaced, and the service was not started anew, or the other way round: they may
 * mean different things by the same words. */
static void
refuse_version (TfdWorker *worker, const char *version)
{
  g_autoptr (GError) error =
      g_error_new (TFD_ERROR, TFD_ERROR_WORKER_LOST,
                   "the worker program is of version %s, the service of " VERSION
                   ": the service has to be started anew",
                   version);

  tfd_warning ("worker of user %u: %s", worker->uid, error->message);
  tfd_worker_fail_run_requests (worker, error);
  error->domain = G_IO_ERROR;
  error->code = G_IO_ERROR_CONNECTION_CLOSED;
  tfd_worker_fail_queue (worker, error);
  tfd_worker_close (worker);
}

static void
version_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  TfdWorker *worker = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) answer =
      g_dbus_connection_call_finish (G_DBUS_CONNECTION (source), result, &error);
  gboolean current = G_DBUS_CONNECTION (source) == worker->connection;
  g_autoptr (GVariant) value = NULL;

  if (!tfd_worker_release (worker) || !current || worker->state != TFD_WORKER_CONNECTING)
    return;
  if (answer != NULL)
    g_variant_get (answer, "(v)", &value);
  if (value == NULL || !g_variant_is_of_type (value, G_VARIANT_TYPE_STRING))
    {
      tfd_warning ("the worker of user %u does not say its version: %s", worker->uid,
                   error != NULL ? error->message : "it says something else");
      tfd_worker_kill (worker);
      return;
    }
  worker->state = TFD_WORKER_READY;
  worker->was_ready = TRUE;
  worker->failed_starts = 0;
  if (g_strcmp0 (g_variant_get_string (value, NULL), VERSION) == 0)
    tfd_worker_pump (worker);
  else
    refuse_version (worker, g_variant_get_string (value, NULL));
}

void
tfd_worker_ask_version (TfdWorker *worker)
{
  g_dbus_connection_call (
      worker->connection, NULL, TFD_WORKER_PATH, "org.freedesktop.DBus.Properties", "Get",
      g_variant_new ("(ss)", TFD_WORKER_INTERFACE, "Version"), G_VARIANT_TYPE ("(v)"),
      G_DBUS_CALL_FLAGS_NONE, (int) (worker->setup->config->worker_timeout / 1000),
      worker->cancellable, version_cb, tfd_worker_hold (worker));
}
