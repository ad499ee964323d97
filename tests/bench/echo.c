/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* The limit of whoever serves over D-Bus with GDBus: a service that does nothing but answer.
 *
 *     bench-echo [DATABASE]
 *
 * Owns org.transferd.Bench on the session bus. At any path, interface org.transferd.Bench:
 * Ping answers an empty tuple; Commit does so after one job was committed to DATABASE; List
 * answers as many rows, built from memory, as the service lists for as many jobs. */
#include "bench/rows.h"

#include <gio/gio.h>
#include <stdlib.h>
#include <string.h>

static const char xml[] = "<node><interface name='org.transferd.Bench'>"
                          "<method name='Ping'/><method name='Commit'/>"
                          "<method name='Fill'><arg type='a(oa{sv})' direction='in'/></method>"
                          "<method name='List'><arg type='a(oa{sv})' direction='out'/></method>"
                          "</interface></node>";

typedef struct
{
  BenchRows *rows;
  GVariant *model; /* (owned) (nullable) rows of the service */
} Echo;

/* The same rows, put together value by value as a service has to. */
static GVariant *
list (const Echo *echo)
{
  GVariantBuilder builder = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE ("a(oa{sv})"));
  GVariantIter rows;
  const char *path;
  GVariant *properties;

  g_variant_iter_init (&rows, echo->model);
  while (g_variant_iter_next (&rows, "(&o@a{sv})", &path, &properties))
    {
      GVariantIter iter;
      const char *key;
      GVariant *value;

      g_variant_builder_open (&builder, G_VARIANT_TYPE ("(oa{sv})"));
      g_variant_builder_add (&builder, "o", path);
      g_variant_builder_open (&builder, G_VARIANT_TYPE_VARDICT);
      g_variant_iter_init (&iter, properties);
      while (g_variant_iter_next (&iter, "{&sv}", &key, &value))
        {
          if (g_variant_is_of_type (value, G_VARIANT_TYPE_STRING))
            g_variant_builder_add (&builder, "{sv}", key,
                                   g_variant_new_string (g_variant_get_string (value, NULL)));
          else if (g_variant_is_of_type (value, G_VARIANT_TYPE_UINT64))
            g_variant_builder_add (&builder, "{sv}", key,
                                   g_variant_new_uint64 (g_variant_get_uint64 (value)));
          else
            g_variant_builder_add (&builder, "{sv}", key, value);
          g_variant_unref (value);
        }
      g_variant_builder_close (&builder);
      g_variant_builder_close (&builder);
      g_variant_unref (properties);
    }

  return g_variant_new ("(a(oa{sv}))", &builder);
}

static void
called (G_GNUC_UNUSED GDBusConnection *connection,
        G_GNUC_UNUSED const char *sender,
        G_GNUC_UNUSED const char *path,
        G_GNUC_UNUSED const char *interface,
        const char *method,
        GVariant *parameters,
        GDBusMethodInvocation *invocation,
        gpointer user_data)
{
  Echo *echo = user_data;

  if (strcmp (method, "Commit") == 0)
    {
      bench_rows_add_job (echo->rows);
    }
  else if (strcmp (method, "Fill") == 0)
    {
      g_clear_pointer (&echo->model, g_variant_unref);
      echo->model = g_variant_get_child_value (parameters, 0);
    }
  g_dbus_method_invocation_return_value (invocation,
                                         strcmp (method, "List") == 0 ? list (echo) : NULL);
}

int
main (int argc, char **argv)
{
  const GDBusInterfaceVTable vtable = { .method_call = called };
  g_autoptr (GDBusNodeInfo) node = g_dbus_node_info_new_for_xml (xml, NULL);
  g_autoptr (GMainLoop) loop = g_main_loop_new (NULL, FALSE);
  g_autoptr (GError) error = NULL;
  g_autoptr (GDBusConnection) bus = g_bus_get_sync (G_BUS_TYPE_SESSION, NULL, &error);
  Echo echo = { 0 };

  if (bus == NULL)
    {
      g_printerr ("bench-echo: %s\n", error->message);
      return 1;
    }
  if (argc > 1)
    echo.rows = bench_rows_open (argv[1]);
  g_dbus_connection_register_object (bus, "/", node->interfaces[0], &vtable, &echo, NULL, NULL);
  g_bus_own_name_on_connection (bus, "org.transferd.Bench", G_BUS_NAME_OWNER_FLAGS_NONE, NULL, NULL,
                                NULL, NULL);
  g_main_loop_run (loop);

  return 0;
}
