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

/* A property of a job, as a service has it. */
typedef struct
{
  char *key;
  char *text;      /* (nullable) a string, */
  guint64 number;  /* or a number, */
  GVariant *other; /* (nullable) or something else */
} Property;

typedef struct
{
  char *path;
  GArray *properties;
} Job;

typedef struct
{
  BenchRows *rows;
  GArray *jobs; /* what the service has listed */
} Echo;

static void
property_clear (gpointer data)
{
  Property *property = data;

  g_free (property->key);
  g_free (property->text);
  g_clear_pointer (&property->other, g_variant_unref);
}

static void
job_clear (gpointer data)
{
  Job *job = data;

  g_free (job->path);
  g_array_unref (job->properties);
}

static void
fill (Echo *echo, GVariant *rows)
{
  GVariantIter all;
  GVariant *properties;
  Job job;

  g_array_set_size (echo->jobs, 0);
  g_variant_iter_init (&all, rows);
  while (g_variant_iter_next (&all, "(o@a{sv})", &job.path, &properties))
    {
      GVariantIter iter;
      Property property = { 0 };

      job.properties = g_array_new (FALSE, FALSE, sizeof (Property));
      g_array_set_clear_func (job.properties, property_clear);
      g_variant_iter_init (&iter, properties);
      while (g_variant_iter_next (&iter, "{sv}", &property.key, &property.other))
        {
          if (g_variant_is_of_type (property.other, G_VARIANT_TYPE_STRING))
            property.text = g_variant_dup_string (property.other, NULL);
          else if (g_variant_is_of_type (property.other, G_VARIANT_TYPE_UINT64))
            property.number = g_variant_get_uint64 (property.other);
          if (property.text != NULL || g_variant_is_of_type (property.other, G_VARIANT_TYPE_UINT64))
            g_clear_pointer (&property.other, g_variant_unref);
          g_array_append_val (job.properties, property);
          property = (Property){ 0 };
        }
      g_array_append_val (echo->jobs, job);
      g_variant_unref (properties);
    }
}

/* The same rows, put together value by value. */
static GVariant *
list (const Echo *echo)
{
  GVariantBuilder builder = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE ("a(oa{sv})"));

  for (guint i = 0; i < echo->jobs->len; i++)
    {
      const Job *job = &g_array_index (echo->jobs, Job, i);

      g_variant_builder_open (&builder, G_VARIANT_TYPE ("(oa{sv})"));
      g_variant_builder_add (&builder, "o", job->path);
      g_variant_builder_open (&builder, G_VARIANT_TYPE_VARDICT);
      for (guint j = 0; j < job->properties->len; j++)
        {
          const Property *one = &g_array_index (job->properties, Property, j);

          g_variant_builder_add (&builder, "{sv}", one->key,
                                 one->text != NULL    ? g_variant_new_string (one->text)
                                 : one->other != NULL ? one->other
                                                      : g_variant_new_uint64 (one->number));
        }
      g_variant_builder_close (&builder);
      g_variant_builder_close (&builder);
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
      g_autoptr (GVariant) rows = g_variant_get_child_value (parameters, 0);

      fill (echo, rows);
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
  echo.jobs = g_array_new (FALSE, FALSE, sizeof (Job));
  g_array_set_clear_func (echo.jobs, job_clear);
  if (argc > 1)
    echo.rows = bench_rows_open (argv[1]);
  g_dbus_connection_register_object (bus, "/", node->interfaces[0], &vtable, &echo, NULL, NULL);
  g_bus_own_name_on_connection (bus, "org.transferd.Bench", G_BUS_NAME_OWNER_FLAGS_NONE, NULL, NULL,
                                NULL, NULL);
  g_main_loop_run (loop);

  return 0;
}
