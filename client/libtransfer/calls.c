/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Calls: the one way to the service. Keeps order and number of outstanding calls, translates
 * errors, and repeats calls that may be repeated when the service died before it answered. */
#include "config.h"
#include "client/libtransfer/private.h"

#include "common/names.h"

struct _TransferCalls
{
  GQueue waiting; /* (element-type GTask) (owned) */
  guint outstanding;
  guint descriptors; /* that went along with these */
};

typedef struct
{
  char *path;
  const TransferMethod *method;
  GVariant *parameters; /* (owned) (nullable) */
  GUnixFDList *sent;    /* (owned) (nullable) descriptors that go along */
  guint losses;
  GUnixFDList *fds; /* (owned) (nullable) those that came back */
} Call;

static void send_call (GTask *task);

static void
call_free (Call *call)
{
  g_free (call->path);
  g_clear_pointer (&call->parameters, g_variant_unref);
  g_clear_object (&call->sent);
  g_clear_object (&call->fds);
  g_free (call);
}

TransferCalls *
_transfer_calls_new (void)
{
  return g_new0 (TransferCalls, 1);
}

void
_transfer_calls_free (TransferCalls *calls)
{
  /* a waiting call holds a reference to the client, so there is none here */
  g_assert (g_queue_is_empty (&calls->waiting));
  g_free (calls);
}

static guint
count_descriptors (GTask *task)
{
  Call *call = g_task_get_task_data (task);

  return call->sent != NULL ? (guint) g_unix_fd_list_get_length (call->sent) : 0;
}

/* The first of those that wait may go; none goes before it. */
static gboolean
has_room (TransferCalls *calls)
{
  GTask *first = g_queue_peek_head (&calls->waiting);
  guint descriptors = first != NULL ? count_descriptors (first) : 0;

  return first != NULL && calls->outstanding < TRANSFER_MAX_OUTSTANDING_CALLS &&
         (descriptors == 0 || calls->descriptors == 0 ||
          calls->descriptors + descriptors <= TRANSFER_MAX_OUTSTANDING_DESCRIPTORS);
}

static void
send_waiting (TransferClient *client)
{
  TransferCalls *calls = _transfer_client_get_calls (client);

  while (has_room (calls))
    {
      GTask *task = g_queue_pop_head (&calls->waiting);

      if (g_task_return_error_if_cancelled (task))
        g_object_unref (task);
      else
        send_call (task);
    }
}

static void
waited_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = G_TASK (user_data);
  TransferClient *client = TRANSFER_CLIENT (source);
  g_autoptr (GError) error = NULL;

  if (!_transfer_wait_service_finish (client, result, &error))
    {
      g_task_return_error (task, g_steal_pointer (&error));
      return;
    }
  g_queue_push_tail (&_transfer_client_get_calls (client)->waiting, g_steal_pointer (&task));
  send_waiting (client);
}

static gboolean
may_repeat (Call *call, const GError *error)
{
  if ((call->method->flags & TRANSFER_CALL_REPEATABLE) == 0 || call->losses >= TRANSFER_MAX_LOSSES)
    return FALSE;
  /* that it is absent is news only after it was seen to die */
  return _transfer_error_is_lost_reply (error) ||
         (call->losses > 0 && _transfer_error_is_absent_service (error));
}

static void
sent_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = G_TASK (user_data);
  TransferClient *client = g_task_get_source_object (task);
  GCancellable *cancellable = g_task_get_cancellable (task);
  Call *call = g_task_get_task_data (task);
  g_autoptr (GError) error = NULL;

  g_autoptr (GVariant) reply = g_dbus_connection_call_with_unix_fd_list_finish (
      G_DBUS_CONNECTION (source), &call->fds, result, &error);
  _transfer_client_get_calls (client)->outstanding--;
  _transfer_client_get_calls (client)->descriptors -= count_descriptors (task);
  send_waiting (client);
  if (reply != NULL)
    {
      g_task_return_pointer (task, g_steal_pointer (&reply), (GDestroyNotify) g_variant_unref);
      return;
    }
  if (may_repeat (call, error))
    {
      call->losses++;
      _transfer_wait_service_async (client, cancellable, waited_cb, g_steal_pointer (&task));
      return;
    }
  _transfer_error_translate (error);
  g_task_return_error (task, g_steal_pointer (&error));
}

/* Takes @task. */
static void
send_call (GTask *task)
{
  TransferClient *client = g_task_get_source_object (task);
  Call *call = g_task_get_task_data (task);
  const TransferMethod *method = call->method;
  gboolean no_timeout = (method->flags & TRANSFER_CALL_NO_TIMEOUT) != 0;

  _transfer_client_get_calls (client)->outstanding++;
  _transfer_client_get_calls (client)->descriptors += count_descriptors (task);
  g_dbus_connection_call_with_unix_fd_list (
      transfer_client_get_connection (client), TFD_BUS_NAME, call->path, method->interface,
      method->method, call->parameters,
      method->reply != NULL ? G_VARIANT_TYPE (method->reply) : NULL,
      _transfer_client_get_call_flags (client), no_timeout ? G_MAXINT : -1, call->sent,
      g_task_get_cancellable (task), sent_cb, task);
}

void
_transfer_call_async (TransferClient *client,
                      const char *path,
                      const TransferMethod *method,
                      GVariant *parameters,
                      GCancellable *cancellable,
                      GAsyncReadyCallback callback,
                      gpointer user_data)
{
  _transfer_call_with_fds_async (client, path, method, parameters, NULL, cancellable, callback,
                                 user_data);
}

void
_transfer_call_with_fds_async (TransferClient *client,
                               const char *path,
                               const TransferMethod *method,
                               GVariant *parameters,
                               GUnixFDList *fds,
                               GCancellable *cancellable,
                               GAsyncReadyCallback callback,
                               gpointer user_data)
{
  GTask *task = g_task_new (client, cancellable, callback, user_data);
  Call *call = g_new0 (Call, 1);

  g_task_set_source_tag (task, TRANSFER_TAG (_transfer_call_async));
  call->path = g_strdup (path);
  call->method = method;
  call->parameters = parameters != NULL ? g_variant_ref_sink (parameters) : NULL;
  call->sent = fds != NULL ? g_object_ref (fds) : NULL;
  g_task_set_task_data (task, call, (GDestroyNotify) call_free);
  g_queue_push_tail (&_transfer_client_get_calls (client)->waiting, task);
  send_waiting (client);
}

GVariant *
_transfer_call_finish (TransferClient *client,
                       GAsyncResult *result,
                       GUnixFDList **fds,
                       GError **error)
{
  Call *call = g_task_get_task_data (G_TASK (result));

  g_return_val_if_fail (g_task_is_valid (result, client), NULL);
  if (fds != NULL)
    *fds = g_steal_pointer (&call->fds);
  return g_task_propagate_pointer (G_TASK (result), error);
}
