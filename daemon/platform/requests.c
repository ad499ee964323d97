/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Requests: what one worker process is asked, and whether it still answers. */
#include "config.h"

#include "platform/worker-private.h"

static void
request_free (TfdWorkerRequest *request)
{
  g_clear_handle_id (&request->timeout, g_source_remove);
  g_object_unref (request->task);
  g_variant_unref (request->parameters);
  g_clear_object (&request->fds);
  g_free (request->method);
  g_free (request);
}

static void
fail_request (TfdWorkerRequest *request, const GError *error)
{
  g_task_return_error (request->task, g_error_copy (error));
  request_free (request);
}

void
tfd_worker_fail_queue (TfdWorker *worker, const GError *error)
{
  GQueue queue = worker->queue;

  /* whoever hears of it may ask anew */
  g_queue_init (&worker->queue);
  for (TfdWorkerRequest *request = g_queue_pop_head (&queue); request != NULL;
       request = g_queue_pop_head (&queue))
    fail_request (request, error);
}

static gboolean
is_idle (TfdWorker *worker)
{
  return worker->in_flight->len == 0 && g_hash_table_size (worker->runs) == 0 &&
         g_queue_is_empty (&worker->queue);
}

static gboolean
idle_over_cb (gpointer user_data)
{
  TfdWorker *worker = user_data;

  worker->timer = 0;
  if (worker->state != TFD_WORKER_READY || !is_idle (worker))
    return G_SOURCE_REMOVE;
  tfd_debug (TFD_LOG_WORKER, "worker of %u: idle, told to end", worker->uid);
  tfd_worker_close (worker);
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

  if (!tfd_worker_release (worker) || !current || answer != NULL)
    return;
  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT))
    {
      tfd_warning ("the worker of user %u has not answered for %" G_GUINT64_FORMAT
                   " s: it is ended and its files start again",
                   worker->uid, worker->setup->config->worker_timeout / TFD_USEC_PER_SEC);
      tfd_worker_kill (worker);
    }
}

static gboolean
heartbeat_cb (gpointer user_data)
{
  TfdWorker *worker = user_data;

  if (worker->state == TFD_WORKER_READY)
    g_dbus_connection_call (worker->connection, NULL, TFD_WORKER_PATH, TFD_WORKER_INTERFACE, "Ping",
                            NULL, G_VARIANT_TYPE_UNIT, G_DBUS_CALL_FLAGS_NONE,
                            (int) (worker->setup->config->worker_timeout / 1000),
                            worker->cancellable, pong_cb, tfd_worker_hold (worker));
  return G_SOURCE_CONTINUE;
}

void
tfd_worker_watch (TfdWorker *worker)
{
  const TfdConfig *config = worker->setup->config;

  if (worker->state != TFD_WORKER_READY)
    return;
  if (is_idle (worker))
    {
      g_clear_handle_id (&worker->heartbeat, g_source_remove);
      /* what was handed in would have to be handed in again */
      if (g_hash_table_size (worker->attached) > 0)
        g_clear_handle_id (&worker->timer, g_source_remove);
      else
        tfd_worker_set_timer (worker, (guint) (config->worker_idle_timeout / 1000), idle_over_cb);
      return;
    }
  g_clear_handle_id (&worker->timer, g_source_remove);
  if (worker->heartbeat == 0)
    worker->heartbeat =
        g_timeout_add ((guint) MAX (config->worker_timeout / 3000, 100), heartbeat_cb, worker);
}

void
tfd_worker_reconfigure (TfdWorker *worker)
{
  g_clear_handle_id (&worker->heartbeat, g_source_remove);
  tfd_worker_watch (worker);
}

/* Answers of a worker are believed only when they have the type that the interface says: any user
 * can put a program of their own in its place. */
static const struct
{
  const char *method;
  const char *reply;
} replies[] = {
  { "Probe", "(a(ayss))" },
  { "ProbeSources", "(a(aytss))" },
  { "Start", "()" },
  { "AddFiles", "()" },
  { "Stop", "(a(ua{sv}))" },
  { "Verify", "(a(usa{sv}))" },
  { "Finalize", "(a(usa{sv}))" },
  { "Discard", "(a(uays))" },
  { "OpenPart", "(h)" },
  { "ReadPart", "(ay)" },
  { "EndSessions", "(a(uss))" },
  { "Checkpoint", "()" },
  { "Adopt", "(a(usa{sv}))" },
  { "Configure", "()" },
  { "Committed", "()" },
  { "Attach", "(ayaya(aytss))" },
  { "AttachAgain", "(ayau)" },
  { "Detach", "()" },
};

static const GVariantType *
reply_type (const char *method)
{
  for (gsize i = 0; i < G_N_ELEMENTS (replies); i++)
    if (g_str_equal (replies[i].method, method))
      return G_VARIANT_TYPE (replies[i].reply);
  g_assert_not_reached ();
}

static gboolean
request_timed_out_cb (gpointer user_data)
{
  TfdWorkerRequest *request = user_data;
  TfdWorker *worker = request->worker;

  request->timeout = 0;
  if (g_str_equal (request->method, "Stop"))
    {
      /* it may still write: only its end makes sure that it does not */
      tfd_warning ("the worker of user %u does not stop: it is ended", worker->uid);
      tfd_worker_kill (worker);
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
forget_run (TfdWorker *worker, const TfdWorkerRequest *request)
{
  if (g_str_equal (request->method, "Stop"))
    g_hash_table_remove (worker->runs, &request->run);
}

/* Remembers for which jobs the worker keeps descriptors. */
static void
note_attached (TfdWorker *worker, const TfdWorkerRequest *request, gboolean good)
{
  const char *job;

  if (good && g_str_has_prefix (request->method, "Attach"))
    {
      g_variant_get_child (request->parameters, 0, "&s", &job);
      g_hash_table_add (worker->attached, g_strdup (job));
    }
  else if (g_str_equal (request->method, "Detach"))
    {
      g_variant_get_child (request->parameters, 0, "&s", &job);
      g_hash_table_remove (worker->attached, job);
    }
}

static void
answered_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  TfdWorkerRequest *request = user_data;
  TfdWorker *worker = request->worker;
  g_autoptr (GUnixFDList) fds = NULL;
  GError *error = NULL;
  GVariant *answer = g_dbus_connection_call_with_unix_fd_list_finish (G_DBUS_CONNECTION (source),
                                                                      &fds, result, &error);

  g_ptr_array_remove_fast (worker->in_flight, request);
  forget_run (worker, request);
  note_attached (worker, request, answer != NULL);
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
          if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT) &&
              G_DBUS_CONNECTION (source) == worker->connection)
            tfd_worker_kill (worker);
          error->domain = G_IO_ERROR;
          error->code = G_IO_ERROR_CONNECTION_CLOSED;
        }
      g_task_return_error (request->task, g_steal_pointer (&error));
    }
  g_clear_error (&error);
  g_clear_pointer (&answer, g_variant_unref);
  request_free (request);
  if (tfd_worker_release (worker))
    tfd_worker_watch (worker);
}

static void
send_request (TfdWorker *worker, TfdWorkerRequest *request)
{
  g_ptr_array_add (worker->in_flight, request);
  if (g_str_equal (request->method, "Start"))
    g_hash_table_add (worker->runs, g_memdup2 (&request->run, sizeof request->run));
  tfd_worker_hold (worker);
  g_dbus_connection_call_with_unix_fd_list (
      worker->connection, NULL, TFD_WORKER_PATH, TFD_WORKER_INTERFACE, request->method,
      request->parameters, reply_type (request->method), G_DBUS_CALL_FLAGS_NONE, G_MAXINT,
      request->fds, worker->cancellable, answered_cb, request);
  g_clear_object (&request->fds);
}

void
tfd_worker_request (
    TfdWorker *worker, GTask *task, const char *method, GVariant *parameters, GUnixFDList *fds)
{
  static const char *const quick[] = { "Probe",  "ProbeSources", "OpenPart", "ReadPart",
                                       "Attach", "AttachAgain",  NULL };
  const TfdConfig *config = worker->setup->config;
  TfdWorkerRequest *request = g_new0 (TfdWorkerRequest, 1);
  guint64 limit = 0;

  request->worker = worker;
  request->task = g_object_ref (task);
  request->method = g_strdup (method);
  request->parameters = g_variant_ref_sink (parameters);
  request->fds = fds != NULL ? g_object_ref (fds) : NULL;
  if (g_str_equal (method, "Start") || g_str_equal (method, "Stop"))
    g_variant_get_child (parameters, 0, "t", &request->run);
  if (g_str_equal (method, "Stop"))
    limit = config->stop_timeout;
  else if (g_strv_contains (quick, method))
    limit = config->probe_timeout;
  if (limit != 0)
    request->timeout = g_timeout_add ((guint) (limit / 1000), request_timed_out_cb, request);
  g_queue_push_tail (&worker->queue, request);
  tfd_worker_pump (worker);
}

static gboolean
is_about_run (const char *method)
{
  static const char *const methods[] = {
    "Start", "AddFiles", "Configure", "Committed", "Stop", NULL
  };

  return g_strv_contains (methods, method);
}

void
tfd_worker_lose_run_requests (TfdWorker *worker)
{
  g_autoptr (GError) error =
      g_error_new_literal (G_IO_ERROR, G_IO_ERROR_CONNECTION_CLOSED, "the worker was lost");

  tfd_worker_fail_run_requests (worker, error);
}

void
tfd_worker_fail_run_requests (TfdWorker *worker, const GError *error)
{
  GList *next;

  for (GList *l = worker->queue.head; l != NULL; l = next)
    {
      TfdWorkerRequest *request = l->data;

      next = l->next;
      if (!is_about_run (request->method))
        continue;
      g_queue_delete_link (&worker->queue, l);
      fail_request (request, error);
    }
}

void
tfd_worker_send_queue (TfdWorker *worker)
{
  while (!g_queue_is_empty (&worker->queue))
    send_request (worker, g_queue_pop_head (&worker->queue));
  tfd_worker_watch (worker);
}
