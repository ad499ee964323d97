/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Worker: one user's worker process: its life from the first request to its end. */
#include "config.h"

#include "platform/worker-private.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* While a killed process has not ended: ask its lock again this often. */
#define STUCK_RETRY_MS 1000

/* So many processes in a row that cannot even be asked are enough: who waits hears of it. */
#define MAX_FAILED_STARTS 3

/* ---- lifetime of the struct: callbacks of processes may come after the pool is gone ---- */

TfdWorker *
tfd_worker_hold (TfdWorker *worker)
{
  worker->references++;
  return worker;
}

gboolean
tfd_worker_release (TfdWorker *worker)
{
  gboolean alive = !worker->freed;

  if (--worker->references == 0 && worker->freed)
    {
      g_ptr_array_unref (worker->in_flight);
      g_hash_table_unref (worker->runs);
      g_hash_table_unref (worker->attached);
      g_clear_pointer (&worker->identity, tfd_identity_free);
      g_clear_object (&worker->cancellable);
      g_clear_object (&worker->process);
      g_free (worker->owner_name);
      g_free (worker);
    }
  return alive;
}

gboolean
tfd_worker_is_of (const TfdWorker *worker, const TfdOwner *owner)
{
  return g_strcmp0 (worker->owner_name, owner->name) == 0;
}

gboolean
tfd_worker_is_absent (TfdWorker *worker)
{
  return worker->state == TFD_WORKER_ABSENT && g_queue_is_empty (&worker->queue);
}

TfdWorker *
tfd_worker_new (const TfdWorkerSetup *setup, TfdTransport *transport, const TfdOwner *owner)
{
  TfdWorker *worker = g_new0 (TfdWorker, 1);

  worker->setup = setup;
  worker->transport = transport;
  worker->uid = owner->uid;
  worker->owner_name = g_strdup (owner->name);
  worker->in_flight = g_ptr_array_new ();
  worker->runs = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, NULL);
  worker->attached = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_queue_init (&worker->queue);
  return tfd_worker_hold (worker);
}

static void
drop_connection (TfdWorker *worker)
{
  if (worker->connection == NULL)
    return;
  g_signal_handlers_disconnect_by_data (worker->connection, worker);
  g_dbus_connection_signal_unsubscribe (worker->connection, worker->subscription);
  g_clear_pointer (&worker->intake, tfd_intake_free);
  g_clear_object (&worker->connection);
}

void
tfd_worker_free (TfdWorker *worker)
{
  g_autoptr (GError) error =
      g_error_new_literal (G_IO_ERROR, G_IO_ERROR_CONNECTION_CLOSED, "the service ends");

  worker->freed = TRUE;
  g_clear_handle_id (&worker->timer, g_source_remove);
  g_clear_handle_id (&worker->heartbeat, g_source_remove);
  tfd_worker_fail_queue (worker, error);
  if (worker->process != NULL)
    g_subprocess_force_exit (worker->process);
  if (worker->connection != NULL)
    g_dbus_connection_close (worker->connection, NULL, NULL, NULL);
  if (worker->cancellable != NULL)
    g_cancellable_cancel (worker->cancellable);
  drop_connection (worker);
  tfd_worker_release (worker);
}

/* ---- the end of a process ---- */

void
tfd_worker_kill (TfdWorker *worker)
{
  if (worker->process == NULL)
    return;
  worker->state = TFD_WORKER_ENDING;
  g_subprocess_force_exit (worker->process);
}

void
tfd_worker_set_timer (TfdWorker *worker, guint milliseconds, GSourceFunc func)
{
  g_clear_handle_id (&worker->timer, g_source_remove);
  worker->timer = g_timeout_add (milliseconds, func, worker);
}

static gboolean
grace_over_cb (gpointer user_data)
{
  TfdWorker *worker = user_data;

  worker->timer = 0;
  tfd_worker_kill (worker);
  return G_SOURCE_REMOVE;
}

void
tfd_worker_close (TfdWorker *worker)
{
  worker->orderly = TRUE;
  worker->state = TFD_WORKER_ENDING;
  g_clear_handle_id (&worker->heartbeat, g_source_remove);
  g_dbus_connection_close (worker->connection, NULL, NULL, NULL);
  tfd_worker_set_timer (worker, TFD_WORKER_GRACE_MS, grace_over_cb);
}

static void
ended (TfdWorker *worker)
{
  gboolean lost = !worker->orderly;
  gboolean ready = worker->was_ready;

  g_clear_handle_id (&worker->timer, g_source_remove);
  g_clear_handle_id (&worker->heartbeat, g_source_remove);
  if (worker->cancellable != NULL)
    g_cancellable_cancel (worker->cancellable);
  g_clear_object (&worker->cancellable);
  drop_connection (worker);
  g_clear_object (&worker->process);
  g_hash_table_remove_all (worker->runs);
  g_hash_table_remove_all (worker->attached);
  worker->orderly = worker->was_ready = FALSE;
  worker->state = TFD_WORKER_ABSENT;
  if (lost)
    {
      tfd_worker_lose_run_requests (worker);
      tfd_transport_emit_lost (worker->transport, worker->uid);
    }
  if (!ready && ++worker->failed_starts >= MAX_FAILED_STARTS)
    {
      g_autoptr (GError) error =
          g_error_new_literal (G_IO_ERROR, G_IO_ERROR_CONNECTION_CLOSED,
                               "the worker ends before it can be asked anything");

      tfd_worker_fail_queue (worker, error);
      return;
    }
  tfd_worker_pump (worker);
}

static gboolean
ended_idle_cb (gpointer user_data)
{
  TfdWorker *worker = user_data;

  /* requests under way hear of the end first */
  if (worker->in_flight->len > 0)
    return G_SOURCE_CONTINUE;
  if (tfd_worker_release (worker))
    ended (worker);
  return G_SOURCE_REMOVE;
}

static void
waited_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  TfdWorker *worker = user_data;

  g_subprocess_wait_finish (G_SUBPROCESS (source), result, NULL);
  tfd_debug (TFD_LOG_WORKER, "worker of %u: process ended", worker->uid);
  worker->state = TFD_WORKER_ENDING;
  if (worker->connection != NULL && !g_dbus_connection_is_closed (worker->connection))
    g_dbus_connection_close (worker->connection, NULL, NULL, NULL);
  if (worker->freed)
    {
      tfd_worker_release (worker);
      return;
    }
  g_cancellable_cancel (worker->cancellable);
  g_idle_add (ended_idle_cb, worker);
}

static void
closed_cb (GDBusConnection *connection,
           gboolean vanished G_GNUC_UNUSED,
           GError *error G_GNUC_UNUSED,
           gpointer user_data)
{
  TfdWorker *worker = user_data;

  if (worker->freed || connection != worker->connection || worker->state != TFD_WORKER_READY)
    return;
  /* the process ends, or has a defect: it must not live on without a connection */
  worker->state = TFD_WORKER_ENDING;
  tfd_worker_set_timer (worker, TFD_WORKER_GRACE_MS, grace_over_cb);
}

/* ---- the start of a process ---- */

static void
give_up_start (TfdWorker *worker, GError *error)
{
  tfd_warning ("cannot start the worker of user %u: %s", worker->uid, error->message);
  worker->state = TFD_WORKER_ABSENT;
  error->domain = G_IO_ERROR;
  error->code = G_IO_ERROR_CONNECTION_CLOSED;
  tfd_worker_fail_queue (worker, error);
  g_error_free (error);
  tfd_transport_emit_lost (worker->transport, worker->uid);
}

static void
news_cb (GDBusConnection *connection,
         const char *sender G_GNUC_UNUSED,
         const char *path G_GNUC_UNUSED,
         const char *interface G_GNUC_UNUSED,
         const char *name,
         GVariant *parameters,
         gpointer user_data)
{
  TfdWorker *worker = user_data;

  if (worker->freed || connection != worker->connection)
    return;
  if (tfd_intake_handled (worker->intake, parameters))
    tfd_transport_emit_news (worker->transport, worker->uid, name, parameters);
  else if (worker->state != TFD_WORKER_ENDING)
    {
      tfd_warning ("the worker of user %u says more than anybody can hear: it is ended",
                   worker->uid);
      tfd_worker_kill (worker);
    }
}

/* The answer to a connection attempt, and for which process it was made. */
typedef struct
{
  TfdWorker *worker;
  GCancellable *process; /* (owned) that process's own */
} Attempt;

static void
connected_cb (GObject *source G_GNUC_UNUSED, GAsyncResult *result, gpointer user_data)
{
  g_autofree Attempt *attempt = user_data;
  TfdWorker *worker = attempt->worker;
  g_autoptr (GCancellable) process = attempt->process;
  g_autoptr (GError) error = NULL;
  g_autoptr (GDBusConnection) connection = g_dbus_connection_new_finish (result, &error);

  if (!tfd_worker_release (worker) || process != worker->cancellable)
    return;
  if (connection == NULL)
    {
      tfd_warning ("the worker of user %u does not answer: %s", worker->uid, error->message);
      tfd_worker_kill (worker);
      return;
    }
  if (worker->state != TFD_WORKER_CONNECTING)
    return;
  worker->connection = g_steal_pointer (&connection);
  worker->intake = tfd_intake_new (worker->connection);
  g_dbus_connection_set_exit_on_close (worker->connection, FALSE);
  g_signal_connect (worker->connection, "closed", G_CALLBACK (closed_cb), worker);
  worker->subscription = g_dbus_connection_signal_subscribe (
      worker->connection, NULL, TFD_WORKER_INTERFACE, NULL, TFD_WORKER_PATH, NULL,
      G_DBUS_SIGNAL_FLAGS_NONE, news_cb, worker, NULL);
  g_dbus_connection_start_message_processing (worker->connection);
  tfd_worker_ask_version (worker);
}

static GIOStream *
stream_of (int fd, GError **error)
{
  g_autoptr (GSocket) socket = g_socket_new_from_fd (fd, error);

  if (socket == NULL)
    {
      close (fd);
      return NULL;
    }
  return G_IO_STREAM (g_socket_connection_factory_create_connection (socket));
}

static GSubprocess *
spawn (TfdWorker *worker, int lock, GIOStream **stream, GError **error)
{
  static const char *const arguments[] = { "--daemon-fd=3", "--idle-timeout=0", NULL };
  int sockets[2];

  if (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets) < 0)
    {
      g_set_error (error, G_IO_ERROR, g_io_error_from_errno (errno), "socketpair: %s",
                   g_strerror (errno));
      close (lock);
      return NULL;
    }
  *stream = stream_of (sockets[0], error);
  if (*stream == NULL)
    {
      close (sockets[1]);
      close (lock);
      return NULL;
    }
  return tfd_spawn_worker (worker->setup->program, arguments, worker->identity, sockets[1], lock,
                           error);
}

static void start (TfdWorker *worker);

static gboolean
stuck_retry_cb (gpointer user_data)
{
  TfdWorker *worker = user_data;

  worker->timer = 0;
  start (worker);
  return G_SOURCE_REMOVE;
}

static void
tell_stuck (TfdWorker *worker, gboolean stuck)
{
  if (worker->stuck_told == stuck)
    return;
  worker->stuck_told = stuck;
  if (stuck)
    tfd_warning (
        "an earlier worker of user %u has not ended: nothing of that user runs until it has",
        worker->uid);
  tfd_transport_emit_stuck (worker->transport, worker->uid, stuck);
}

/* Two workers of one user never live at the same time: the lock is free when the last process that
 * inherited it has ended, however it was killed. */
static void
start (TfdWorker *worker)
{
  g_autoptr (GIOStream) stream = NULL;
  GError *error = NULL;
  Attempt *attempt;
  int lock = tfd_spawn_take_lock (worker->setup->runtime_dir, worker->uid, &error);

  if (lock < 0 && g_error_matches (error, G_IO_ERROR, G_IO_ERROR_BUSY))
    {
      g_error_free (error);
      worker->state = TFD_WORKER_STUCK;
      tfd_worker_set_timer (worker, STUCK_RETRY_MS, stuck_retry_cb);
      tfd_worker_lose_run_requests (worker);
      tell_stuck (worker, TRUE);
      return;
    }
  tell_stuck (worker, FALSE);
  if (lock >= 0 && g_queue_is_empty (&worker->queue))
    {
      /* it was only waited for the end of the old one: who needs a new one asks now */
      close (lock);
      worker->state = TFD_WORKER_ABSENT;
      return;
    }
  if (lock >= 0)
    worker->process = spawn (worker, lock, &stream, &error);
  if (worker->process == NULL)
    {
      give_up_start (worker, error);
      return;
    }

  worker->state = TFD_WORKER_CONNECTING;
  worker->cancellable = g_cancellable_new ();
  tfd_debug (TFD_LOG_WORKER, "worker of %u: process %s", worker->uid,
             g_subprocess_get_identifier (worker->process));
  attempt = g_new (Attempt, 1);
  *attempt = (Attempt){ tfd_worker_hold (worker), g_object_ref (worker->cancellable) };
  g_subprocess_wait_async (worker->process, NULL, waited_cb, tfd_worker_hold (worker));
  g_dbus_connection_new (stream, NULL,
                         G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT |
                             G_DBUS_CONNECTION_FLAGS_DELAY_MESSAGE_PROCESSING,
                         NULL, worker->cancellable, connected_cb, attempt);
}

static void
looked_up_cb (GObject *source G_GNUC_UNUSED, GAsyncResult *result, gpointer user_data)
{
  TfdWorker *worker = user_data;
  GError *error = NULL;
  g_autoptr (TfdIdentity) identity = tfd_identity_look_up_finish (result, &error);

  if (!tfd_worker_release (worker))
    {
      g_clear_error (&error);
      return;
    }
  if (identity == NULL)
    {
      give_up_start (worker, error);
      return;
    }
  worker->identity = g_steal_pointer (&identity);
  start (worker);
}

/* Carries the queue as far as the state allows. */
void
tfd_worker_pump (TfdWorker *worker)
{
  if (worker->state == TFD_WORKER_ABSENT && !g_queue_is_empty (&worker->queue))
    {
      g_clear_pointer (&worker->identity, tfd_identity_free);
      if (worker->setup->change_user)
        {
          worker->state = TFD_WORKER_LOOKING_UP;
          tfd_identity_look_up_async (worker->uid, worker->owner_name, looked_up_cb,
                                      tfd_worker_hold (worker));
        }
      else
        start (worker);
    }
  else if (worker->state == TFD_WORKER_READY)
    {
      tfd_worker_send_queue (worker);
    }
}
