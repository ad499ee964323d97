/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Guard: refuses what GDBus itself would answer by quoting it. An answer that is longer than its
 * call can be longer than the bus allows, and then the bus ends the connection of the service. And
 * what is more than callers may have under way, before it can fill the memory. */
#include "config.h"

#include "bus/bus-private.h"

/* Longer than the path of any job and the name of any property. */
#define MAX_NAME 1024

static gboolean
is_long (GVariant *body, gsize child)
{
  g_autoptr (GVariant) value =
      child < g_variant_n_children (body) ? g_variant_get_child_value (body, child) : NULL;

  return value != NULL && g_variant_is_of_type (value, G_VARIANT_TYPE_STRING) &&
         g_variant_get_size (value) > MAX_NAME;
}

static gboolean
is_acceptable (GDBusMessage *message)
{
  const char *path = g_dbus_message_get_path (message);
  const char *interface = g_dbus_message_get_interface (message);
  GVariant *body = g_dbus_message_get_body (message);

  if (path != NULL && strlen (path) > MAX_NAME)
    return FALSE;
  /* the names of an interface and of a property, in front of a value that may be large */
  return body == NULL || g_strcmp0 (interface, "org.freedesktop.DBus.Properties") != 0 ||
         (!is_long (body, 0) && !is_long (body, 1));
}

static void
refuse (GDBusConnection *connection, GDBusMessage *message, TfdErrorCode code, const char *text)
{
  g_autoptr (GDBusMessage) reply =
      g_dbus_message_new_method_error_literal (message, tfd_error_code_to_name (code), text);

  g_dbus_connection_send_message (connection, reply, G_DBUS_SEND_MESSAGE_FLAGS_NONE, NULL, NULL);
}

static gboolean
admit (GDBusConnection *connection, GDBusMessage *message, TfdTraffic *traffic)
{
  g_autoptr (GError) error = NULL;

  if (g_dbus_message_get_message_type (message) != G_DBUS_MESSAGE_TYPE_METHOD_CALL)
    return TRUE;
  /* nobody to answer to, and nobody to ask the bus about once it has gone */
  if (g_dbus_message_get_flags (message) & G_DBUS_MESSAGE_FLAGS_NO_REPLY_EXPECTED)
    return FALSE;
  if (!is_acceptable (message))
    {
      refuse (connection, message, TFD_ERROR_INVALID_ARGS, "there is nothing with so long a name");
      return FALSE;
    }
  if (tfd_traffic_admit (traffic, message, &error))
    return TRUE;
  refuse (connection, message, (TfdErrorCode) error->code, error->message);
  return FALSE;
}

/* Runs in the thread that reads from the bus: it looks at the message and at nothing else. */
static GDBusMessage *
guard_cb (GDBusConnection *connection, GDBusMessage *message, gboolean incoming, gpointer user_data)
{
  if (!incoming || admit (connection, message, user_data))
    return message;
  g_object_unref (message);
  return NULL;
}

guint
tfd_guard_add (GDBusConnection *connection, TfdTraffic *traffic)
{
  return g_dbus_connection_add_filter (connection, guard_cb, tfd_traffic_ref (traffic),
                                       (GDestroyNotify) tfd_traffic_unref);
}
