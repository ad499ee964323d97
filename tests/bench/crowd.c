/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* The part of bench-client in which many jobs are under way at a time. */
#include "bench/caller.h"

#include <stdlib.h>
#include <string.h>

/* The system bus lets a connection wait for the replies of 128 calls. */
#define CALLS_UNDER_WAY 100

#define BUS "org.freedesktop.DBus"

static struct
{
  GHashTable *jobs;        /* (owned) ours, by path */
  GHashTable *transferred; /* (owned) those of them that are */
  GArray *creations, *transfers, *completions;
  guint awaited; /* replies of CreateJob */
  guint completed;
  gboolean and_complete;
} crowd;

static void
completed_cb (GObject *source, GAsyncResult *result, G_GNUC_UNUSED gpointer user_data)
{
  GError *error = NULL;
  g_autoptr (GVariant) reply =
      g_dbus_connection_call_finish (G_DBUS_CONNECTION (source), result, &error);

  check (error);
  check_completed (reply);
  add_time (crowd.completions, 0);
  crowd.completed++;
}

static void
is_transferred (const char *job)
{
  if (!g_hash_table_add (crowd.transferred, g_strdup (job)))
    return;
  add_time (crowd.transfers, 0);
  if (crowd.and_complete)
    g_dbus_connection_call (bus, NAME, job, JOB, "Complete", no_options (), NULL,
                            G_DBUS_CALL_FLAGS_NONE, G_MAXINT, NULL, completed_cb, NULL);
}

static void
fail (GVariant *parameters)
{
  g_autofree char *text = g_variant_print (parameters, FALSE);

  g_printerr ("bench-client: %s\n", text);
  exit (1);
}

static void
signalled (G_GNUC_UNUSED GDBusConnection *connection,
           G_GNUC_UNUSED const char *sender,
           G_GNUC_UNUSED const char *path,
           G_GNUC_UNUSED const char *interface,
           const char *signal,
           GVariant *parameters,
           G_GNUC_UNUSED gpointer user_data)
{
  const char *job;

  if (strcmp (signal, "JobError") == 0)
    fail (parameters);
  if (strcmp (signal, "JobTransferred") != 0)
    return;
  g_variant_get_child (parameters, 0, "&o", &job);
  is_transferred (job);
}

/* Of this job alone, as libtransfer does it: twenty clients that are woken for the jobs of all
 * twenty users would take as long for it as a fifth of the transfer. */
static void
listen_to (const char *job)
{
  g_autofree char *rule = g_strdup_printf (
      "type='signal',sender='" NAME "',interface='" MANAGER "',path='" ROOT "',arg0path='%s'", job);

  g_dbus_connection_call (bus, BUS, "/org/freedesktop/DBus", BUS, "AddMatch",
                          g_variant_new ("(s)", rule), NULL, G_DBUS_CALL_FLAGS_NONE, -1, NULL, NULL,
                          NULL);
}

static void
listed_cb (GObject *source, GAsyncResult *result, G_GNUC_UNUSED gpointer user_data)
{
  GError *error = NULL;
  g_autoptr (GVariant) reply =
      g_dbus_connection_call_finish (G_DBUS_CONNECTION (source), result, &error);
  g_autoptr (GVariantIter) rows = NULL;
  const char *job;

  check (error);
  g_variant_get (reply, "(a(oa{sv}))", &rows);
  while (g_variant_iter_next (rows, "(&oa{sv})", &job, NULL))
    is_transferred (job);
}

/* Those that were done before anybody listened. */
static void
look_for_transferred (void)
{
  static const char *const states[] = { "transferred", NULL }, *const none[] = { NULL };
  g_auto (GVariantBuilder) filter = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE_VARDICT);

  g_variant_builder_add (&filter, "{sv}", "states", g_variant_new_strv (states, -1));
  g_variant_builder_add (&filter, "{sv}", "properties", g_variant_new_strv (none, -1));
  g_dbus_connection_call (bus, NAME, ROOT, MANAGER, "ListJobs", g_variant_new ("(a{sv})", &filter),
                          NULL, G_DBUS_CALL_FLAGS_NONE, -1, NULL, listed_cb, NULL);
}

static void
created_cb (GObject *source, GAsyncResult *result, G_GNUC_UNUSED gpointer user_data)
{
  GError *error = NULL;
  g_autoptr (GVariant) reply =
      g_dbus_connection_call_finish (G_DBUS_CONNECTION (source), result, &error);
  char *job;

  check (error);
  add_time (crowd.creations, 0);
  g_variant_get_child (reply, 0, "o", &job);
  g_hash_table_add (crowd.jobs, job);
  listen_to (job);
  if (--crowd.awaited == 0)
    look_for_transferred ();
}

static void
begin_all (char **rows, guint count, guint each)
{
  crowd.awaited = (count + each - 1) / each;
  for (guint i = 0; i < count; i += each)
    g_dbus_connection_call (bus, NAME, ROOT, MANAGER, "CreateJob",
                            creation (rows + i, MIN (each, count - i), TRUE), NULL,
                            G_DBUS_CALL_FLAGS_NONE, G_MAXINT, NULL, created_cb, NULL);
}

static void
prepare (gboolean and_complete)
{
  crowd.jobs = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  crowd.transferred = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  crowd.creations = g_array_new (FALSE, FALSE, sizeof (double));
  crowd.transfers = g_array_new (FALSE, FALSE, sizeof (double));
  crowd.completions = g_array_new (FALSE, FALSE, sizeof (double));
  crowd.and_complete = and_complete;
  g_dbus_connection_signal_subscribe (bus, NULL, MANAGER, NULL, ROOT, NULL,
                                      G_DBUS_SIGNAL_FLAGS_NO_MATCH_RULE, signalled, NULL, NULL);
}

void
run_at_once (char **rows, guint count)
{
  guint each = (guint) bench_options.files, n_jobs = (count + each - 1) / each;
  double begin;

  prepare (TRUE);
  /* What is asked of a connection at its first call is asked before the clock starts. */
  g_free (create (rows, 0, FALSE));
  wait_at_gate ();
  begin = now ();
  begin_all (rows, count, each);
  while (crowd.completed < n_jobs)
    g_main_context_iteration (NULL, TRUE);

  g_print ("{\"begin\": %.6f, ", begin);
  print_list ("created", crowd.creations, TRUE);
  print_list ("transferred", crowd.transfers, TRUE);
  print_list ("completed", crowd.completions, FALSE);
  g_print ("}\n");
}

void
run_completes (char **rows, guint count)
{
  g_autoptr (GArray) times = g_array_new (FALSE, FALSE, sizeof (double));
  GHashTableIter iter;
  gpointer job;

  prepare (FALSE);
  for (guint i = 0; i < count; i += CALLS_UNDER_WAY)
    {
      guint end = MIN (i + CALLS_UNDER_WAY, count);

      begin_all (rows + i, end - i, 1);
      while (crowd.transfers->len < end)
        g_main_context_iteration (NULL, TRUE);
    }
  wait_at_gate ();
  g_hash_table_iter_init (&iter, crowd.jobs);
  while (g_hash_table_iter_next (&iter, &job, NULL))
    {
      double begin = now ();
      g_autoptr (GVariant) reply = call (job, JOB, "Complete", no_options ());

      add_time (times, begin);
      check_completed (reply);
    }
  g_print ("{");
  print_list ("completes", times, FALSE);
  g_print ("}\n");
}
