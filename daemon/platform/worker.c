/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Worker: one user's worker process: its life from the first request to its end. */
#include "config.h"

#include "platform/worker.h"

#include "base/log.h"
#include "common/names.h"
#include "platform/spawn.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* While a killed process has not ended: ask its lock again this often. */
#define STUCK_RETRY_MS 1000

/* After its connection was closed a process ends by itself within this time, or is killed. */
#define GRACE_SECONDS 5

typedef enum
{
  ABSENT,     /* no process; nothing is under way */
  LOOKING_UP, /* who the user is */
  STUCK,      /* an earlier process holds the lock */
  CONNECTING, /* the process runs, authentication is under way */
  READY,
  ENDING, /* closed or killed, not ended */
} State;

typedef struct
{
  TfdWorker *worker;
  GTask *task; /* (owned) */
  char *method;
  GVariant *parameters; /* (owned) */
  guint64 run;          /* of Start and Stop */
  guint timeout;        /* source of Stop and Probe */
  gboolean answered;    /* the task has returned: too late an answer is dropped */
} Request;

struct _TfdWorker
{
  const TfdWorkerSetup *setup;
  TfdTransport *transport; /* (not owned) */
  guint32 uid;
  char *owner_name;

  State state;
  GQueue queue;                /* of Request: waiting for a process */
  GPtrArray *in_flight;        /* (owned) of (not owned) Request */
  GHashTable *runs;            /* (owned) set of run numbers that were started and not stopped */
  TfdIdentity *identity;       /* (owned) (nullable) */
  GSubprocess *process;        /* (owned) (nullable) */
  GDBusConnection *connection; /* (owned) (nullable) */
  GCancellable *cancellable;   /* (owned) of the present process */
  guint timer;                 /* idle, stuck, grace: one at a time, by state */
  guint heartbeat;
  guint subscription;
  gboolean orderly; /* it was told to end: its end is no loss */
  gboolean stuck_told;
  gboolean freed;
  guint references; /* callbacks under way */
};

static void pump (TfdWorker *worker);
static void kill_process (TfdWorker *worker);

/* ---- lifetime of the struct: callbacks of processes may come after the pool is gone ---- */

static TfdWorker *
hold (TfdWorker *worker)
{
  worker->references++;
  return worker;
}

static gboolean
release (TfdWorker *worker)
{
  gboolean alive = !worker->freed;

  if (--worker->references == 0 && worker->freed)
    {
      g_ptr_array_unref (worker->in_flight);
      g_hash_table_unref (worker->runs);
      g_clear_pointer (&worker->identity, tfd_identity_free);
      g_clear_object (&worker->cancellable);
      g_clear_object (&worker->process);
      g_free (worker->owner_name);
      g_free (worker);
    }
  return alive;
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
  g_queue_init (&worker->queue);
  return hold (worker);
}

static void
request_free (Request *request)
{
  g_clear_handle_id (&request->timeout, g_source_remove);
  g_object_unref (request->task);
  g_variant_unref (request->parameters);
  g_free (request->method);
  g_free (request);
}

static void
fail_request (Request *request, const GError *error)
{
  g_task_return_error (request->task, g_error_copy (error));
  request_free (request);
}

static void
fail_queue (TfdWorker *worker, const GError *error)
{
  for (Request *request = g_queue_pop_head (&worker->queue); request != NULL;
       request = g_queue_pop_head (&worker->queue))
    fail_request (request, error);
}

static void
drop_connection (TfdWorker *worker)
{
  if (worker->connection == NULL)
    return;
  g_signal_handlers_disconnect_by_data (worker->connection, worker);
  g_dbus_connection_signal_unsubscribe (worker->connection, worker->subscription);
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
  fail_queue (worker, error);
  if (worker->process != NULL)
    g_subprocess_force_exit (worker->process);
  if (worker->connection != NULL)
    g_dbus_connection_close (worker->connection, NULL, NULL, NULL);
  if (worker->cancellable != NULL)
    g_cancellable_cancel (worker->cancellable);
  drop_connection (worker);
  release (worker);
}

/* ---- time ---- */

static void
set_timer (TfdWorker *worker, guint milliseconds, GSourceFunc func)
{
  g_clear_handle_id (&worker->timer, g_source_remove);
  worker->timer = g_timeout_add (milliseconds, func, worker);
}

static gboolean
is_idle (TfdWorker *worker)
{
  return worker->in_flight->len == 0 && g_hash_table_size (worker->runs) == 0 &&
         g_queue_is_empty (&worker->queue);
}

static gboolean
grace_over_cb (gpointer user_data)
{
  TfdWorker *worker = user_data;

  worker->timer = 0;
  kill_process (worker);
  return G_SOURCE_REMOVE;
}

static gboolean
idle_over_cb (gpointer user_data)
{
  TfdWorker *worker = user_data;

  worker->timer = 0;
  if (worker->state != READY || !is_idle (worker))
    return G_SOURCE_REMOVE;
  tfd_debug (TFD_LOG_WORKER, "worker of %u: idle, told to end", worker->uid);
  worker->orderly = TRUE;
  worker->state = ENDING;
  g_clear_handle_id (&worker->heartbeat, g_source_remove);
  g_dbus_connection_close (worker->connection, NULL, NULL, NULL);
  set_timer (worker, GRACE_SECONDS * 1000, grace_over_cb);
  return G_SOURCE_REMOVE;
}

static void
pong_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  TfdWorker *worker = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) answer =
      g_dbus_connection_call_finish (G_DBUS_CONNECTION (source), result, &error);
  gboolean current = G_DBUS_CONNECTION (source) == worker->connection;

  if (!release (worker) || !current || answer != NULL)
    return;
  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT))
    {
      tfd_warning ("the worker of user %u has not answered for %" G_GUINT64_FORMAT
                   " s: it is ended and its files start again",
                   worker->uid, worker->setup->config->worker_timeout / TFD_USEC_PER_SEC);
      kill_process (worker);
    }
}

static gboolean
heartbeat_cb (gpointer user_data)
{
  TfdWorker *worker = user_data;

  if (worker->state == READY)
    g_dbus_connection_call (worker->connection, NULL, TFD_WORKER_PATH, TFD_WORKER_INTERFACE, "Ping",
                            NULL, G_VARIANT_TYPE_UNIT, G_DBUS_CALL_FLAGS_NONE,
                            (int) (worker->setup->config->worker_timeout / 1000),
                            worker->cancellable, pong_cb, hold (worker));
  return G_SOURCE_CONTINUE;
}

/* Watched while it has something to do, told to end when it had nothing to do for a while: an idle
 * service wakes nobody up. */
static void
watch (TfdWorker *worker)
{
  const TfdConfig *config = worker->setup->config;

  if (worker->state != READY)
    return;
  if (is_idle (worker))
    {
      g_clear_handle_id (&worker->heartbeat, g_source_remove);
      set_timer (worker, (guint) (config->worker_idle_timeout / 1000), idle_over_cb);
      return;
    }
  g_clear_handle_id (&worker->timer, g_source_remove);
  if (worker->heartbeat == 0)
    worker->heartbeat =
        g_timeout_add ((guint) MAX (config->worker_timeout / 3000, 100), heartbeat_cb, worker);
}

/* ---- requests ---- */

static gboolean
request_timed_out_cb (gpointer user_data)
{
  Request *request = user_data;
  TfdWorker *worker = request->worker;

  request->timeout = 0;
  if (g_str_equal (request->method, "Stop"))
    {
      /* it may still write: only its end makes sure that it does not */
      tfd_warning ("the worker of user %u does not stop: it is ended", worker->uid);
      kill_process (worker);
      return G_SOURCE_REMOVE;
    }
  request->answered = TRUE;
  g_task_return_new_error (request->task, G_IO_ERROR, G_IO_ERROR_TIMED_OUT,
                           "the worker did not answer in time");
  if (g_queue_remove (&worker->queue, request))
    request_free (request);
  return G_SOURCE_REMOVE;
}

static void
forget_run (TfdWorker *worker, const Request *request)
{
  if (g_str_equal (request->method, "Stop"))
    g_hash_table_remove (worker->runs, &request->run);
}

static void
answered_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Request *request = user_data;
  TfdWorker *worker = request->worker;
  g_autoptr (GUnixFDList) fds = NULL;
  GError *error = NULL;
  GVariant *answer = g_dbus_connection_call_with_unix_fd_list_finish (G_DBUS_CONNECTION (source),
                                                                      &fds, result, &error);

  g_ptr_array_remove_fast (worker->in_flight, request);
  forget_run (worker, request);
  if (!request->answered && answer != NULL)
    {
      tfd_transport_answer_set_fds (request->task, fds);
      g_task_return_pointer (request->task, g_steal_pointer (&answer),
                             (GDestroyNotify) g_variant_unref);
    }
  else if (!request->answered)
    {
      /* what the worker said stays; whatever else went wrong means that there is none any more */
      if (!g_dbus_error_is_remote_error (error))
        {
          error->domain = G_IO_ERROR;
          error->code = G_IO_ERROR_CONNECTION_CLOSED;
        }
      g_task_return_error (request->task, g_steal_pointer (&error));
    }
  g_clear_error (&error);
  g_clear_pointer (&answer, g_variant_unref);
  request_free (request);
  if (release (worker))
    watch (worker);
}

static void
send_request (TfdWorker *worker, Request *request)
{
  g_ptr_array_add (worker->in_flight, request);
  if (g_str_equal (request->method, "Start"))
    g_hash_table_add (worker->runs, g_memdup2 (&request->run, sizeof request->run));
  hold (worker);
  g_dbus_connection_call_with_unix_fd_list (
      worker->connection, NULL, TFD_WORKER_PATH, TFD_WORKER_INTERFACE, request->method,
      request->parameters, NULL, G_DBUS_CALL_FLAGS_NONE, G_MAXINT, NULL, worker->cancellable,
      answered_cb, request);
}

void
tfd_worker_request (TfdWorker *worker, GTask *task, const char *method, GVariant *parameters)
{
  const TfdConfig *config = worker->setup->config;
  Request *request = g_new0 (Request, 1);
  guint64 limit = 0;

  request->worker = worker;
  request->task = g_object_ref (task);
  request->method = g_strdup (method);
  request->parameters = g_variant_ref_sink (parameters);
  if (g_str_equal (method, "Start") || g_str_equal (method, "Stop"))
    g_variant_get_child (parameters, 0, "t", &request->run);
  if (g_str_equal (method, "Stop"))
    limit = config->stop_timeout;
  else if (g_str_equal (method, "Probe"))
    limit = config->probe_timeout;
  if (limit != 0)
    request->timeout = g_timeout_add ((guint) (limit / 1000), request_timed_out_cb, request);
  g_queue_push_tail (&worker->queue, request);
  pump (worker);
}

/* ---- the end of a process ---- */

static void
kill_process (TfdWorker *worker)
{
  if (worker->process == NULL)
    return;
  worker->state = ENDING;
  g_subprocess_force_exit (worker->process);
}

/* What was to be sent about runs means nothing to another process: the engine starts them anew. */
static void
fail_run_requests (TfdWorker *worker)
{
  g_autoptr (GError) error =
      g_error_new_literal (G_IO_ERROR, G_IO_ERROR_CONNECTION_CLOSED, "the worker was lost");
  GList *next;

  for (GList *l = worker->queue.head; l != NULL; l = next)
    {
      Request *request = l->data;

      next = l->next;
      if (!g_str_equal (request->method, "Start") && !g_str_equal (request->method, "AddFiles") &&
          !g_str_equal (request->method, "Stop"))
        continue;
      g_queue_delete_link (&worker->queue, l);
      fail_request (request, error);
    }
}

static void
ended (TfdWorker *worker)
{
  gboolean lost = !worker->orderly;

  g_clear_handle_id (&worker->timer, g_source_remove);
  g_clear_handle_id (&worker->heartbeat, g_source_remove);
  if (worker->cancellable != NULL)
    g_cancellable_cancel (worker->cancellable);
  g_clear_object (&worker->cancellable);
  drop_connection (worker);
  g_clear_object (&worker->process);
  g_hash_table_remove_all (worker->runs);
  worker->orderly = FALSE;
  worker->state = ABSENT;
  if (lost)
    {
      fail_run_requests (worker);
      tfd_transport_emit_lost (worker->transport, worker->uid);
    }
  pump (worker);
}

static gboolean
ended_idle_cb (gpointer user_data)
{
  TfdWorker *worker = user_data;

  /* requests under way hear of the end first */
  if (worker->in_flight->len > 0)
    return G_SOURCE_CONTINUE;
  if (release (worker))
    ended (worker);
  return G_SOURCE_REMOVE;
}

static void
waited_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  TfdWorker *worker = user_data;

  g_subprocess_wait_finish (G_SUBPROCESS (source), result, NULL);
  tfd_debug (TFD_LOG_WORKER, "worker of %u: process ended", worker->uid);
  worker->state = ENDING;
  if (worker->connection != NULL && !g_dbus_connection_is_closed (worker->connection))
    g_dbus_connection_close (worker->connection, NULL, NULL, NULL);
  if (worker->freed)
    {
      release (worker);
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

  if (worker->freed || connection != worker->connection || worker->state != READY)
    return;
  /* the process ends, or has a defect: it must not live on without a connection */
  worker->state = ENDING;
  set_timer (worker, GRACE_SECONDS * 1000, grace_over_cb);
}

/* ---- the start of a process ---- */

static void
give_up_start (TfdWorker *worker, GError *error)
{
  tfd_warning ("cannot start the worker of user %u: %s", worker->uid, error->message);
  worker->state = ABSENT;
  error->domain = G_IO_ERROR;
  error->code = G_IO_ERROR_CONNECTION_CLOSED;
  fail_queue (worker, error);
  g_error_free (error);
  tfd_transport_emit_lost (worker->transport, worker->uid);
}

static void
news_cb (GDBusConnection *connection G_GNUC_UNUSED,
         const char *sender G_GNUC_UNUSED,
         const char *path G_GNUC_UNUSED,
         const char *interface G_GNUC_UNUSED,
         const char *name,
         GVariant *parameters,
         gpointer user_data)
{
  TfdWorker *worker = user_data;

  if (!worker->freed)
    tfd_transport_emit_news (worker->transport, worker->uid, name, parameters);
}

static void
connected_cb (GObject *source G_GNUC_UNUSED, GAsyncResult *result, gpointer user_data)
{
  TfdWorker *worker = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GDBusConnection) connection = g_dbus_connection_new_finish (result, &error);

  if (!release (worker))
    return;
  if (connection == NULL)
    {
      tfd_warning ("the worker of user %u does not answer: %s", worker->uid, error->message);
      kill_process (worker);
      return;
    }
  if (worker->state != CONNECTING)
    return;
  worker->connection = g_steal_pointer (&connection);
  worker->state = READY;
  g_dbus_connection_set_exit_on_close (worker->connection, FALSE);
  g_signal_connect (worker->connection, "closed", G_CALLBACK (closed_cb), worker);
  worker->subscription = g_dbus_connection_signal_subscribe (
      worker->connection, NULL, TFD_WORKER_INTERFACE, NULL, TFD_WORKER_PATH, NULL,
      G_DBUS_SIGNAL_FLAGS_NONE, news_cb, worker, NULL);
  g_dbus_connection_start_message_processing (worker->connection);
  pump (worker);
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
  int lock = tfd_spawn_take_lock (worker->setup->runtime_dir, worker->uid, &error);

  if (lock < 0 && g_error_matches (error, G_IO_ERROR, G_IO_ERROR_BUSY))
    {
      g_error_free (error);
      worker->state = STUCK;
      set_timer (worker, STUCK_RETRY_MS, stuck_retry_cb);
      fail_run_requests (worker);
      tell_stuck (worker, TRUE);
      return;
    }
  tell_stuck (worker, FALSE);
  if (lock >= 0 && g_queue_is_empty (&worker->queue))
    {
      /* it was only waited for the end of the old one: who needs a new one asks now */
      close (lock);
      worker->state = ABSENT;
      return;
    }
  if (lock >= 0)
    worker->process = spawn (worker, lock, &stream, &error);
  if (worker->process == NULL)
    {
      give_up_start (worker, error);
      return;
    }

  worker->state = CONNECTING;
  worker->cancellable = g_cancellable_new ();
  tfd_debug (TFD_LOG_WORKER, "worker of %u: process %s", worker->uid,
             g_subprocess_get_identifier (worker->process));
  g_subprocess_wait_async (worker->process, NULL, waited_cb, hold (worker));
  g_dbus_connection_new (stream, NULL,
                         G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT |
                             G_DBUS_CONNECTION_FLAGS_DELAY_MESSAGE_PROCESSING,
                         NULL, worker->cancellable, connected_cb, hold (worker));
}

static void
looked_up_cb (GObject *source G_GNUC_UNUSED, GAsyncResult *result, gpointer user_data)
{
  TfdWorker *worker = user_data;
  GError *error = NULL;
  g_autoptr (TfdIdentity) identity = tfd_identity_look_up_finish (result, &error);

  if (!release (worker))
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
static void
pump (TfdWorker *worker)
{
  if (worker->state == ABSENT && !g_queue_is_empty (&worker->queue))
    {
      g_clear_pointer (&worker->identity, tfd_identity_free);
      if (worker->setup->change_user)
        {
          worker->state = LOOKING_UP;
          tfd_identity_look_up_async (worker->uid, worker->owner_name, looked_up_cb, hold (worker));
        }
      else
        start (worker);
    }
  else if (worker->state == READY)
    {
      while (!g_queue_is_empty (&worker->queue))
        send_request (worker, g_queue_pop_head (&worker->queue));
      watch (worker);
    }
}
