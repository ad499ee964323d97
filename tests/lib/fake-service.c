/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Fake service: owns the name of the service on a bus and answers by a script. */
#include "config.h"

#include "tests/lib/fake-service.h"

#include "common/names.h"

struct _FakeService
{
  char *address;
  FakeHandler handler;
  gpointer user_data;
  GDBusConnection *connection; /* (owned) (nullable) while alive */
  GHashTable *counts;          /* (owned) (element-type utf8 guint) calls by method */
  GQueue kept;                 /* (element-type GDBusMessage) (owned) */
};

/* The calls of one message, answered in the main loop, not in the thread of the filter. */
typedef struct
{
  FakeService *service; /* (not owned) outlives all calls */
  GDBusMessage *message;
} Delivery;

static void
reply_with (FakeService *service, GDBusMessage *call, GVariant *reply, const char *error)
{
  g_autoptr (GDBusMessage) answer = NULL;

  if (error != NULL)
    answer = g_dbus_message_new_method_error_literal (call, error, "the fake says no");
  else
    {
      answer = g_dbus_message_new_method_reply (call);
      g_dbus_message_set_body (answer, reply);
    }
  g_dbus_connection_send_message (service->connection, answer, G_DBUS_SEND_MESSAGE_FLAGS_NONE, NULL,
                                  NULL);
}

static gboolean
deliver_cb (gpointer user_data)
{
  Delivery *delivery = user_data;
  FakeService *service = delivery->service;
  g_autoptr (GDBusMessage) message = delivery->message;
  const char *method = g_dbus_message_get_member (message);
  const char *error = NULL;
  GVariant *body = g_dbus_message_get_body (message);
  GVariant *reply;
  guint count;

  g_free (delivery);
  count = GPOINTER_TO_UINT (g_hash_table_lookup (service->counts, method));
  g_hash_table_insert (service->counts, g_strdup (method), GUINT_TO_POINTER (count + 1));
  if (service->connection == NULL)
    return G_SOURCE_REMOVE;
  reply = service->handler (service, g_dbus_message_get_path (message), method, body, &error,
                            service->user_data);
  if (service->connection == NULL) /* it died of this call */
    {
      if (reply != NULL)
        g_variant_unref (g_variant_ref_sink (reply));
    }
  else if (reply == NULL && error == NULL)
    g_queue_push_tail (&service->kept, g_steal_pointer (&message));
  else
    reply_with (service, message, reply, error);
  return G_SOURCE_REMOVE;
}

static GDBusMessage *
filter_cb (GDBusConnection *connection,
           GDBusMessage *message,
           gboolean incoming,
           gpointer user_data)
{
  Delivery *delivery;

  (void) connection;
  if (!incoming || g_dbus_message_get_message_type (message) != G_DBUS_MESSAGE_TYPE_METHOD_CALL)
    return message;
  delivery = g_new (Delivery, 1);
  delivery->service = user_data;
  delivery->message = message;
  g_main_context_invoke (NULL, deliver_cb, delivery);
  return NULL;
}

void
fake_service_revive (FakeService *service)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) reply = NULL;

  g_assert_null (service->connection);
  service->connection =
      g_dbus_connection_new_for_address_sync (service->address,
                                              G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT |
                                                  G_DBUS_CONNECTION_FLAGS_MESSAGE_BUS_CONNECTION,
                                              NULL, NULL, &error);
  g_assert_no_error (error);
  g_dbus_connection_add_filter (service->connection, filter_cb, service, NULL);
  reply = g_dbus_connection_call_sync (service->connection, "org.freedesktop.DBus",
                                       "/org/freedesktop/DBus", "org.freedesktop.DBus",
                                       "RequestName", g_variant_new ("(su)", TFD_BUS_NAME, 4), NULL,
                                       G_DBUS_CALL_FLAGS_NONE, -1, NULL, &error);
  g_assert_no_error (error);
}

void
fake_service_die (FakeService *service)
{
  g_autoptr (GDBusConnection) connection = g_steal_pointer (&service->connection);

  g_queue_clear_full (&service->kept, g_object_unref);
  g_assert_true (g_dbus_connection_close_sync (connection, NULL, NULL));
}

FakeService *
fake_service_new (const char *address, FakeHandler handler, gpointer user_data)
{
  FakeService *service = g_new0 (FakeService, 1);

  service->address = g_strdup (address);
  service->handler = handler;
  service->user_data = user_data;
  service->counts = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  fake_service_revive (service);
  return service;
}

void
fake_service_free (FakeService *service)
{
  g_assert_cmpuint (service->kept.length, ==, 0);
  if (service->connection != NULL)
    fake_service_die (service);
  g_hash_table_unref (service->counts);
  g_free (service->address);
  g_free (service);
}

void
fake_service_answer_all (FakeService *service, GVariant *reply)
{
  g_autoptr (GVariant) sunk = g_variant_ref_sink (reply);

  while (!g_queue_is_empty (&service->kept))
    {
      g_autoptr (GDBusMessage) call = g_queue_pop_head (&service->kept);

      reply_with (service, call, sunk, NULL);
    }
}

guint
fake_service_count (FakeService *service, const char *method)
{
  return GPOINTER_TO_UINT (g_hash_table_lookup (service->counts, method));
}

guint
fake_service_kept (FakeService *service)
{
  return service->kept.length;
}

void
fake_service_emit (FakeService *service, const char *member, GVariant *parameters)
{
  g_assert_true (g_dbus_connection_emit_signal (service->connection, NULL, TFD_MANAGER_PATH,
                                                TFD_MANAGER_INTERFACE, member, parameters, NULL));
}

void
fake_service_change (FakeService *service,
                     const char *receiver,
                     const char *path,
                     GVariant *changed)
{
  g_assert_true (g_dbus_connection_emit_signal (
      service->connection, receiver, path, "org.freedesktop.DBus.Properties", "PropertiesChanged",
      g_variant_new ("(s@a{sv}as)", TFD_JOB_INTERFACE, changed, NULL), NULL));
}
