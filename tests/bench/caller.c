/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
#include "bench/caller.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

BenchOptions bench_options = { .clients = 1, .depth = 1, .files = 1, .repeat = 1 };
GDBusConnection *bus;

double
now (void)
{
  struct timespec time;

  clock_gettime (CLOCK_MONOTONIC, &time);
  return (double) time.tv_sec + (double) time.tv_nsec / 1e9;
}

void
check (GError *error)
{
  if (error == NULL)
    return;
  g_printerr ("bench-client: %s\n", error->message);
  exit (1);
}

GDBusConnection *
connect_to_bus (void)
{
  GError *error = NULL;
  g_autofree char *address = g_dbus_address_get_for_bus_sync (
      bench_options.system ? G_BUS_TYPE_SYSTEM : G_BUS_TYPE_SESSION, NULL, &error);
  GDBusConnection *connection;

  check (error);
  connection =
      g_dbus_connection_new_for_address_sync (address,
                                              G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT |
                                                  G_DBUS_CONNECTION_FLAGS_MESSAGE_BUS_CONNECTION,
                                              NULL, NULL, &error);
  check (error);

  return connection;
}

GVariant *
call (const char *path, const char *interface, const char *method, GVariant *arguments)
{
  const char *name = strcmp (interface, ECHO_NAME) == 0 ? ECHO_NAME : NAME;
  GError *error = NULL;
  GVariant *reply =
      g_dbus_connection_call_sync (bus, name, path, interface, method, arguments, NULL,
                                   G_DBUS_CALL_FLAGS_NONE, G_MAXINT, NULL, &error);

  check (error);
  return reply;
}

void
call_and_forget (const char *path, const char *interface, const char *method, GVariant *arguments)
{
  g_variant_unref (call (path, interface, method, arguments));
}

/* Rows */

char **
read_rows (const char *path)
{
  g_autofree char *text = NULL;
  GError *error = NULL;

  g_file_get_contents (path, &text, NULL, &error);
  check (error);
  g_strchomp (text);

  return g_strsplit (text, "\n", -1);
}

const char *
split_row (const char *row, char **url)
{
  const char *tab = strchr (row, '\t');

  if (tab == NULL)
    {
      g_printerr ("bench-client: no row: %s\n", row);
      exit (2);
    }
  *url = g_strndup (row, (gsize) (tab - row));
  return tab + 1;
}

GVariant *
files (char **rows, guint count)
{
  g_auto (GVariantBuilder) builder = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE ("a(ssa{sv})"));

  for (guint i = 0; i < count; i++)
    {
      g_autofree char *url = NULL;
      const char *path = split_row (rows[i], &url);

      g_variant_builder_add (&builder, "(ss@a{sv})", url, path,
                             g_variant_new_array (G_VARIANT_TYPE ("{sv}"), NULL, 0));
    }

  return g_variant_builder_end (&builder);
}

GVariant *
creation (char **rows, guint count, gboolean start)
{
  g_auto (GVariantBuilder) builder = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE_VARDICT);

  if (count > 0)
    g_variant_builder_add (&builder, "{sv}", "files", files (rows, count));
  if (start)
    g_variant_builder_add (&builder, "{sv}", "start", g_variant_new_boolean (TRUE));
  if (bench_options.priority != NULL)
    g_variant_builder_add (&builder, "{sv}", "Priority",
                           g_variant_new_string (bench_options.priority));
  if (bench_options.type != NULL && g_str_equal (bench_options.type, "upload"))
    g_variant_builder_add (&builder, "{sv}", "UploadProtocol", g_variant_new_string ("put"));

  return g_variant_new ("(ss@a{sv})", "bench",
                        bench_options.type != NULL ? bench_options.type : "download",
                        g_variant_builder_end (&builder));
}

char *
create (char **rows, guint count, gboolean start)
{
  g_autoptr (GVariant) reply = call (ROOT, MANAGER, "CreateJob", creation (rows, count, start));
  g_autoptr (GVariant) path = g_variant_get_child_value (reply, 0);

  return g_variant_dup_string (path, NULL);
}

GVariant *
no_options (void)
{
  return g_variant_new ("(@a{sv})", g_variant_new_array (G_VARIANT_TYPE ("{sv}"), NULL, 0));
}

/* Numbers out */

void
print_list (const char *name, GArray *times, gboolean more)
{
  g_print ("\"%s\": [", name);
  for (guint i = 0; i < times->len; i++)
    g_print ("%s%.6f", i > 0 ? ", " : "", g_array_index (times, double, i));
  g_print ("]%s", more ? ", " : "");
}

void
add_time (GArray *times, double since)
{
  double time = now () - since;

  g_array_append_val (times, time);
}

void
watch (GDBusSignalCallback changed)
{
  static const char *const awaited[] = { "JobTransferred", "JobError" };

  /* The others go to everybody as well: those of twenty users, read by twenty clients that do not
   * look at them, would take as long as the transfer of the bytes. */
  for (gsize i = 0; i < G_N_ELEMENTS (awaited); i++)
    g_dbus_connection_signal_subscribe (bus, NAME, MANAGER, awaited[i], ROOT, NULL,
                                        G_DBUS_SIGNAL_FLAGS_NONE, changed, NULL, NULL);
}

void
check_completed (GVariant *reply)
{
  const char *result;

  g_variant_get_child (reply, 0, "&s", &result);
  if (strcmp (result, "completed") != 0)
    {
      g_printerr ("bench-client: Complete: %s\n", result);
      exit (1);
    }
}

void
wait_at_gate (void)
{
  if (!bench_options.gate)
    return;
  g_print ("ready\n");
  fflush (stdout);
  if (getchar () == EOF)
    exit (1);
}
