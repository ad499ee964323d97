/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* TransferClient: connects, knows whether the service is there, hands news to jobs. */
#include "config.h"
#include "client/libtransfer/private.h"

#include "common/names.h"

struct _TransferClient
{
  GObject parent_instance;

  char *bus;                   /* (nullable) as given */
  GDBusConnection *connection; /* (owned) */
  char *owner;                 /* (nullable) unique name of the service */
  gboolean was_there;          /* the service had been seen before */
  gboolean interactive;
  GTask *init;          /* (owned) (nullable) while it initialises */
  TransferCalls *calls; /* (owned) */
  TransferNews *news;   /* (owned) */
  gboolean subscribed, all_users;
  guint watch;
};

static void async_initable_init (GAsyncInitableIface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (TransferClient,
                               transfer_client,
                               G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (G_TYPE_ASYNC_INITABLE, async_initable_init))

enum
{
  PROP_BUS = 1,
  PROP_CONNECTION,
  N_PROPS,
};
static GParamSpec *props[N_PROPS];

enum
{
  SERVICE_APPEARED,
  SERVICE_VANISHED,
  N_SIGNALS,
};
static guint signals[N_SIGNALS];

static const TransferMethod method_subscribe = { TFD_MANAGER_INTERFACE, "Subscribe", "()",
                                                 TRANSFER_CALL_REPEATABLE };

TransferCalls *
_transfer_client_get_calls (TransferClient *self)
{
  return self->calls;
}

TransferNews *
_transfer_client_get_news (TransferClient *self)
{
  return self->news;
}

const char *
_transfer_client_get_owner (TransferClient *self)
{
  return self->owner;
}

GDBusCallFlags
_transfer_client_get_call_flags (TransferClient *self)
{
  return self->interactive ? G_DBUS_CALL_FLAGS_ALLOW_INTERACTIVE_AUTHORIZATION
                           : G_DBUS_CALL_FLAGS_NONE;
}

static void
subscribed_again_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  /* a service that refuses now has forgotten who we are: nothing to be done */
  g_autoptr (GVariant) reply = _transfer_call_finish (TRANSFER_CLIENT (source), result, NULL, NULL);

  (void) user_data, (void) reply;
}

static void
call_subscribe (TransferClient *self,
                GCancellable *cancellable,
                GAsyncReadyCallback callback,
                gpointer user_data)
{
  GVariantDict options;

  g_variant_dict_init (&options, NULL);
  if (self->all_users)
    g_variant_dict_insert (&options, "all-users", "b", TRUE);
  _transfer_call_async (self, TFD_MANAGER_PATH, &method_subscribe,
                        g_variant_new ("(@a{sv})", g_variant_dict_end (&options)), cancellable,
                        callback, user_data);
}

/* The service is there again: everything it knew of us is forgotten. */
static void
read_all_again (TransferClient *self)
{
  g_autoptr (GPtrArray) jobs = _transfer_news_dup_jobs (self->news);

  if (self->subscribed)
    call_subscribe (self, NULL, subscribed_again_cb, NULL);
  for (guint i = 0; i < jobs->len; i++)
    transfer_job_refresh_async (g_ptr_array_index (jobs, i), NULL, NULL, NULL);
}

static void
init_done (TransferClient *self)
{
  g_autoptr (GTask) task = g_steal_pointer (&self->init);

  if (task != NULL)
    g_task_return_boolean (task, TRUE);
}

static void
name_appeared_cb (GDBusConnection *connection,
                  const char *name,
                  const char *owner,
                  gpointer user_data)
{
  TransferClient *self = user_data;

  (void) connection, (void) name;
  g_free (self->owner);
  self->owner = g_strdup (owner);
  if (self->was_there)
    read_all_again (self);
  self->was_there = TRUE;
  if (self->init == NULL)
    g_signal_emit (self, signals[SERVICE_APPEARED], 0);
  init_done (self);
}

static void
name_vanished_cb (GDBusConnection *connection, const char *name, gpointer user_data)
{
  TransferClient *self = user_data;

  (void) connection, (void) name;
  g_clear_pointer (&self->owner, g_free);
  if (self->init == NULL)
    g_signal_emit (self, signals[SERVICE_VANISHED], 0);
  init_done (self);
}

static void
take_connection (TransferClient *self, GDBusConnection *connection)
{
  self->connection = connection;
  self->news = _transfer_news_new (self);
  self->watch =
      g_bus_watch_name_on_connection (connection, TFD_BUS_NAME, G_BUS_NAME_WATCHER_FLAGS_NONE,
                                      name_appeared_cb, name_vanished_cb, self, NULL);
}

static void
bus_got_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = G_TASK (user_data);
  g_autoptr (GError) error = NULL;
  GDBusConnection *connection;
  TransferClient *self = g_task_get_source_object (task);

  (void) source;
  connection = g_bus_get_finish (result, &error);
  if (connection == NULL)
    {
      g_task_return_error (task, g_steal_pointer (&error));
      return;
    }
  self->init = g_steal_pointer (&task);
  take_connection (self, connection);
}

static void
address_got_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = G_TASK (user_data);
  g_autoptr (GError) error = NULL;
  GDBusConnection *connection;
  TransferClient *self = g_task_get_source_object (task);

  (void) source;
  connection = g_dbus_connection_new_for_address_finish (result, &error);
  if (connection == NULL)
    {
      g_task_return_error (task, g_steal_pointer (&error));
      return;
    }
  self->init = g_steal_pointer (&task);
  take_connection (self, connection);
}

static void
init_async (GAsyncInitable *initable,
            int io_priority,
            GCancellable *cancellable,
            GAsyncReadyCallback callback,
            gpointer user_data)
{
  TransferClient *self = TRANSFER_CLIENT (initable);
  GTask *task = g_task_new (self, cancellable, callback, user_data);
  const char *bus = self->bus;

  g_task_set_source_tag (task, TRANSFER_TAG (init_async));
  g_task_set_priority (task, io_priority);
  if (bus == NULL)
    bus = g_getenv (TRANSFER_BUS_VARIABLE);
  if (self->connection != NULL)
    {
      self->init = task;
      take_connection (self, self->connection);
    }
  else if (bus == NULL || *bus == '\0' || g_str_equal (bus, "system"))
    g_bus_get (G_BUS_TYPE_SYSTEM, cancellable, bus_got_cb, task);
  else if (g_str_equal (bus, "session"))
    g_bus_get (G_BUS_TYPE_SESSION, cancellable, bus_got_cb, task);
  else
    g_dbus_connection_new_for_address (bus,
                                       G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT |
                                           G_DBUS_CONNECTION_FLAGS_MESSAGE_BUS_CONNECTION,
                                       NULL, cancellable, address_got_cb, task);
}

static gboolean
init_finish (GAsyncInitable *initable, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, initable), FALSE);
  return g_task_propagate_boolean (G_TASK (result), error);
}

static void
async_initable_init (GAsyncInitableIface *iface)
{
  iface->init_async = init_async;
  iface->init_finish = init_finish;
}

static void
transfer_client_set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  TransferClient *self = TRANSFER_CLIENT (object);

  switch (id)
    {
    case PROP_BUS:
      self->bus = g_value_dup_string (value);
      break;
    case PROP_CONNECTION:
      self->connection = g_value_dup_object (value);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
transfer_client_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  TransferClient *self = TRANSFER_CLIENT (object);

  switch (id)
    {
    case PROP_BUS:
      g_value_set_string (value, self->bus);
      break;
    case PROP_CONNECTION:
      g_value_set_object (value, self->connection);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
transfer_client_dispose (GObject *object)
{
  TransferClient *self = TRANSFER_CLIENT (object);

  g_clear_handle_id (&self->watch, g_bus_unwatch_name);
  g_clear_pointer (&self->news, _transfer_news_free);
  g_clear_object (&self->connection);
  G_OBJECT_CLASS (transfer_client_parent_class)->dispose (object);
}

static void
transfer_client_finalize (GObject *object)
{
  TransferClient *self = TRANSFER_CLIENT (object);

  g_free (self->bus);
  g_free (self->owner);
  _transfer_calls_free (self->calls);
  G_OBJECT_CLASS (transfer_client_parent_class)->finalize (object);
}

#define SIGNAL(name, n, ...)                                                                       \
  g_signal_new (name, type, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, n, __VA_ARGS__,   \
                G_TYPE_NONE)

static void
install_signals (GType type)
{
  /**
   * TransferClient::service-appeared:
   * @client: the client
   *
   * The service came to the bus.
   */
  signals[SERVICE_APPEARED] = SIGNAL ("service-appeared", 0, G_TYPE_NONE);
  /**
   * TransferClient::service-vanished:
   * @client: the client
   *
   * The service left the bus. Its jobs are safe; it may be back any time.
   */
  signals[SERVICE_VANISHED] = SIGNAL ("service-vanished", 0, G_TYPE_NONE);
  /**
   * TransferClient::job-added:
   * @client: the client
   * @id: the job
   *
   * A job was made. This and the following signals need [method@Client.subscribe_async].
   */
  SIGNAL ("job-added", 1, G_TYPE_STRING);
  /**
   * TransferClient::job-removed:
   * @client: the client
   * @id: the job
   * @result: how it ended
   *
   * A job is over.
   */
  SIGNAL ("job-removed", 2, G_TYPE_STRING, TRANSFER_TYPE_RESULT);
  /**
   * TransferClient::job-transferred:
   * @client: the client
   * @id: the job
   *
   * All files of a job have arrived.
   */
  SIGNAL ("job-transferred", 1, G_TYPE_STRING);
  /**
   * TransferClient::job-error:
   * @client: the client
   * @id: the job
   * @name: the full D-Bus name of the error
   * @context: where it happened
   *
   * A job failed and waits for somebody.
   */
  SIGNAL ("job-error", 3, G_TYPE_STRING, G_TYPE_STRING, G_TYPE_STRING);
  /**
   * TransferClient::job-changed:
   * @client: the client
   * @id: the job
   * @changed: an `a{sv}` of the properties that changed
   *
   * Properties of a job changed.
   */
  SIGNAL ("job-changed", 2, G_TYPE_STRING, G_TYPE_VARIANT);
}

static void
transfer_client_class_init (TransferClientClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GParamFlags flags = G_PARAM_READWRITE | G_PARAM_CONSTRUCT_ONLY | G_PARAM_STATIC_STRINGS;

  object_class->set_property = transfer_client_set_property;
  object_class->get_property = transfer_client_get_property;
  object_class->dispose = transfer_client_dispose;
  object_class->finalize = transfer_client_finalize;

  /**
   * TransferClient:bus:
   *
   * `system`, `session` or the address of a bus; %NULL: see [func@Client.new_async].
   */
  props[PROP_BUS] = g_param_spec_string ("bus", NULL, NULL, NULL, flags);
  /**
   * TransferClient:connection:
   *
   * The connection to the bus. One that is given is used instead of a new one.
   */
  props[PROP_CONNECTION] =
      g_param_spec_object ("connection", NULL, NULL, G_TYPE_DBUS_CONNECTION, flags);
  g_object_class_install_properties (object_class, N_PROPS, props);

  install_signals (G_TYPE_FROM_CLASS (klass));
}

static void
transfer_client_init (TransferClient *self)
{
  self->calls = _transfer_calls_new ();
}

void
transfer_client_new_async (const char *bus,
                           GCancellable *cancellable,
                           GAsyncReadyCallback callback,
                           gpointer user_data)
{
  g_async_initable_new_async (TRANSFER_TYPE_CLIENT, G_PRIORITY_DEFAULT, cancellable, callback,
                              user_data, "bus", bus, NULL);
}

TransferClient *
transfer_client_new_finish (GAsyncResult *result, GError **error)
{
  g_autoptr (GObject) source = g_async_result_get_source_object (result);

  return (TransferClient *) g_async_initable_new_finish (G_ASYNC_INITABLE (source), result, error);
}

GDBusConnection *
transfer_client_get_connection (TransferClient *client)
{
  g_return_val_if_fail (TRANSFER_IS_CLIENT (client), NULL);
  return client->connection;
}

gboolean
transfer_client_is_service_running (TransferClient *client)
{
  g_return_val_if_fail (TRANSFER_IS_CLIENT (client), FALSE);
  return client->owner != NULL;
}

void
transfer_client_set_interactive (TransferClient *client, gboolean interactive)
{
  g_return_if_fail (TRANSFER_IS_CLIENT (client));
  client->interactive = interactive;
}

static void
subscribed_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = G_TASK (user_data);
  TransferClient *self = TRANSFER_CLIENT (source);
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) reply = _transfer_call_finish (self, result, NULL, &error);

  if (reply == NULL)
    {
      g_task_return_error (task, g_steal_pointer (&error));
      return;
    }
  self->subscribed = TRUE;
  g_task_return_boolean (task, TRUE);
}

void
transfer_client_subscribe_async (TransferClient *client,
                                 gboolean all_users,
                                 GCancellable *cancellable,
                                 GAsyncReadyCallback callback,
                                 gpointer user_data)
{
  GTask *task;

  g_return_if_fail (TRANSFER_IS_CLIENT (client));
  task = g_task_new (client, cancellable, callback, user_data);
  g_task_set_source_tag (task, TRANSFER_TAG (transfer_client_subscribe_async));
  client->all_users = all_users;
  _transfer_news_match_all (client->news);
  call_subscribe (client, cancellable, subscribed_cb, task);
}

gboolean
transfer_client_subscribe_finish (TransferClient *client, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, client), FALSE);
  return g_task_propagate_boolean (G_TASK (result), error);
}
