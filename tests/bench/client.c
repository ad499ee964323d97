/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* A client of the service that measures how long the service takes, and takes little itself.
 *
 *     jobs ROWS           a job of all files in ROWS (lines of URL, tab, path)
 *     each ROWS           a job for each of them, one after the other
 *     create ROWS         a suspended job for each, --clients and --depth at a time
 *     create-add ROWS     likewise, each in two calls
 *     add-files ROWS      one job, and one call that adds them all; --repeat times
 *     at-once ROWS        a job for each --files of them, all at a time, completed
 *     completes ROWS      a job for each, completed in turn when all are there
 *     list                all jobs of the caller
 *     list-echo           as many rows from bench-echo
 *     echo METHOD COUNT   calls of bench-echo, --clients and --depth at a time
 *     steps ROWS          the life of a job for each, call by call
 *     aria2 PORT COUNT    aria2.addUri, --clients at a time
 *     lomiri - COUNT      createDownload of Lomiri, --clients and --depth at a time
 *
 * With --gate, at-once and completes print "ready" and wait for a line before they begin; create
 * prints it when all of its clients are under way, and goes on until it is done or gets SIGTERM.
 * Prints numbers and lists of seconds as JSON. */
#include "bench/caller.h"

#include <glib-unix.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const GOptionEntry options[] = {
  { "type", 0, 0, G_OPTION_ARG_STRING, &bench_options.type, NULL, NULL },
  { "priority", 0, 0, G_OPTION_ARG_STRING, &bench_options.priority, NULL, NULL },
  { "clients", 0, 0, G_OPTION_ARG_INT, &bench_options.clients, NULL, NULL },
  { "depth", 0, 0, G_OPTION_ARG_INT, &bench_options.depth, NULL, NULL },
  { "files", 0, 0, G_OPTION_ARG_INT, &bench_options.files, NULL, NULL },
  { "repeat", 0, 0, G_OPTION_ARG_INT, &bench_options.repeat, NULL, NULL },
  { "system", 0, 0, G_OPTION_ARG_NONE, &bench_options.system, NULL, NULL },
  { "no-complete", 0, 0, G_OPTION_ARG_NONE, &bench_options.no_complete, NULL, NULL },
  { "gate", 0, 0, G_OPTION_ARG_NONE, &bench_options.gate, NULL, NULL },
  G_OPTION_ENTRY_NULL,
};

static const char *awaited; /* (nullable) the job whose end is waited for */

/* Jobs that run */

static void
signalled (G_GNUC_UNUSED GDBusConnection *connection,
           G_GNUC_UNUSED const char *sender,
           G_GNUC_UNUSED const char *path,
           G_GNUC_UNUSED const char *interface,
           const char *signal,
           GVariant *parameters,
           G_GNUC_UNUSED gpointer user_data)
{
  g_autoptr (GVariant) job = g_variant_get_child_value (parameters, 0);

  if (strcmp (signal, "JobError") == 0)
    {
      g_autofree char *text = g_variant_print (parameters, FALSE);

      g_printerr ("bench-client: %s\n", text);
      exit (1);
    }
  if (strcmp (signal, "JobTransferred") == 0)
    {
      if (g_strcmp0 (awaited, g_variant_get_string (job, NULL)) == 0)
        awaited = NULL;
    }
}

static void
wait_until_transferred (const char *job)
{
  awaited = job;
  while (awaited != NULL)
    g_main_context_iteration (NULL, TRUE);
}

static void
complete (const char *job)
{
  g_autoptr (GVariant) reply = call (job, JOB, "Complete", no_options ());

  check_completed (reply);
}

static void
run_jobs (char **rows, guint count, guint each)
{
  g_autoptr (GArray) created = g_array_new (FALSE, FALSE, sizeof (double));
  g_autoptr (GArray) arrived = g_array_new (FALSE, FALSE, sizeof (double));
  g_autoptr (GArray) completed = g_array_new (FALSE, FALSE, sizeof (double));

  watch (signalled);
  for (guint i = 0; i < count; i += each)
    {
      double begin = now ();
      g_autofree char *job = create (rows + i, each, TRUE);

      add_time (created, begin);
      wait_until_transferred (job);
      add_time (arrived, begin);
      if (!bench_options.no_complete)
        complete (job);
      add_time (completed, begin);
    }
  g_print ("{");
  print_list ("created", created, TRUE);
  print_list ("transferred", arrived, TRUE);
  print_list ("completed", completed, FALSE);
  g_print ("}\n");
}

/* Jobs that are only made */

static struct
{
  BenchBegin begin;
  guint next, answered, count;
  GArray *times;
  gboolean stopped;
} calling;

static void
begin_next (GDBusConnection *connection)
{
  BenchCall *call;

  if (calling.next == calling.count)
    return;
  call = g_new (BenchCall, 1);
  *call = (BenchCall){ connection, calling.next++, now () };
  calling.begin (call);
}

void
call_done (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autofree BenchCall *call = user_data;
  GError *error = NULL;

  g_variant_unref (g_dbus_connection_call_finish (G_DBUS_CONNECTION (source), result, &error));
  check (error);
  add_time (calling.times, call->begin);
  calling.answered++;
  if (bench_options.gate &&
      calling.answered == (guint) (bench_options.clients * bench_options.depth))
    {
      g_print ("ready\n");
      fflush (stdout);
    }
  begin_next (call->connection);
}

static gboolean
stop_cb (G_GNUC_UNUSED gpointer user_data)
{
  calling.stopped = TRUE;
  return G_SOURCE_REMOVE;
}

void
keep_calling (guint count, BenchBegin begin)
{
  g_autoptr (GPtrArray) connections = g_ptr_array_new ();
  double since;

  calling.begin = begin;
  calling.count = count;
  calling.times = g_array_new (FALSE, FALSE, sizeof (double));
  for (int i = 0; i < bench_options.clients; i++)
    g_ptr_array_add (connections, i == 0 ? bus : connect_to_bus ());
  if (bench_options.gate)
    g_unix_signal_add (SIGTERM, stop_cb, NULL);
  since = now ();
  for (guint i = 0; i < connections->len; i++)
    for (int j = 0; j < bench_options.depth; j++)
      begin_next (connections->pdata[i]);
  while (calling.answered < count && !calling.stopped)
    g_main_context_iteration (NULL, TRUE);
  g_print ("{\"seconds\": %.6f, ", now () - since);
  print_list ("calls", calling.times, FALSE);
  g_print ("}\n");
}

static char **rows_to_create;

static void
begin_create (BenchCall *one)
{
  g_dbus_connection_call (one->connection, NAME, ROOT, MANAGER, "CreateJob",
                          creation (rows_to_create + one->number, 1, FALSE), NULL,
                          G_DBUS_CALL_FLAGS_NONE, G_MAXINT, NULL, call_done, one);
}

static void
add_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  BenchCall *one = user_data;
  GError *error = NULL;
  g_autoptr (GVariant) reply =
      g_dbus_connection_call_finish (G_DBUS_CONNECTION (source), result, &error);
  g_autofree char *url = NULL;
  const char *path = split_row (rows_to_create[one->number], &url), *job;

  check (error);
  g_variant_get (reply, "(&o)", &job);
  g_dbus_connection_call (one->connection, NAME, job, JOB, "AddFile",
                          g_variant_new ("(ss@a{sv})", url, path,
                                         g_variant_new_array (G_VARIANT_TYPE ("{sv}"), NULL, 0)),
                          NULL, G_DBUS_CALL_FLAGS_NONE, G_MAXINT, NULL, call_done, one);
}

static void
begin_create_and_add (BenchCall *one)
{
  g_dbus_connection_call (one->connection, NAME, ROOT, MANAGER, "CreateJob",
                          creation (NULL, 0, FALSE), NULL, G_DBUS_CALL_FLAGS_NONE, G_MAXINT, NULL,
                          add_cb, one);
}

static void
add_files (char **rows, guint count)
{
  double seconds = 0;

  for (int i = 0; i < bench_options.repeat; i++)
    {
      g_autofree char *job = create (rows, 1, FALSE);
      GVariant *list = files (rows + 1, count - 1);
      double begin = now ();

      call_and_forget (job, JOB, "AddFiles", g_variant_new ("(@a(ssa{sv}))", list));
      seconds += now () - begin;
    }
  g_print ("{\"seconds\": %.6f}\n", seconds);
}

/* Listings */

/* Page after page. (transfer full) the replies */
static GPtrArray *
list_pages (guint *n_jobs)
{
  GPtrArray *pages = g_ptr_array_new_with_free_func ((GDestroyNotify) g_variant_unref);
  g_autofree char *after = NULL;

  *n_jobs = 0;
  while (TRUE)
    {
      g_auto (GVariantBuilder) filter = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE_VARDICT);
      g_autoptr (GVariant) reply = NULL;
      g_autoptr (GVariant) jobs = NULL;
      gsize count;

      if (after != NULL)
        g_variant_builder_add (&filter, "{sv}", "after", g_variant_new_object_path (after));
      reply = call (ROOT, MANAGER, "ListJobs", g_variant_new ("(a{sv})", &filter));
      jobs = g_variant_get_child_value (reply, 0);
      count = g_variant_n_children (jobs);
      if (count == 0)
        return pages;

      *n_jobs += (guint) count;
      g_free (after);
      g_variant_get_child (jobs, count - 1, "(o@a{sv})", &after, NULL);
      g_ptr_array_add (pages, g_steal_pointer (&reply));
    }
}

static void
list_jobs (gboolean echo)
{
  guint n_jobs;
  double begin = now ();
  g_autoptr (GPtrArray) pages = list_pages (&n_jobs);
  double seconds = now () - begin;

  if (echo)
    {
      seconds = 0;
      for (guint i = 0; i < pages->len; i++)
        {
          call_and_forget ("/", ECHO_NAME, "Fill", pages->pdata[i]);
          begin = now ();
          call_and_forget ("/", ECHO_NAME, "List", NULL);
          seconds += now () - begin;
        }
    }
  g_print ("{\"seconds\": %.6f, \"jobs\": %u, \"pages\": %u}\n", seconds, n_jobs, pages->len);
}

static const char *method_to_echo;

static void
begin_echo (BenchCall *one)
{
  g_dbus_connection_call (one->connection, ECHO_NAME, "/", ECHO_NAME, method_to_echo, NULL, NULL,
                          G_DBUS_CALL_FLAGS_NONE, G_MAXINT, NULL, call_done, one);
}

/* The life of a job */

enum
{
  CREATE,
  ADD_FILE,
  GET,
  GET_ALL,
  SET,
  LIST_FILES,
  EXPLAIN,
  GET_JOB,
  RESUME,
  TRANSFER,
  COMPLETE,
  CREATE_AND_CANCEL,
  N_STEPS,
};

static const char *const steps[] = { "CreateJob",     "AddFile",
                                     "Get",           "GetAll",
                                     "SetProperties", "ListFiles",
                                     "Explain",       "GetJob",
                                     "Resume",        "Resume to JobTransferred",
                                     "Complete",      "CreateJob and Cancel" };

static void
walk (char **rows, guint i, GArray **times)
{
  g_autofree char *url = NULL;
  g_autofree char *job = NULL;
  g_autofree char *other = NULL;
  const char *path = split_row (rows[i], &url);
  double begin = now (), resumed;
#define STEP(what, ...)                                                                            \
  begin = now ();                                                                                  \
  __VA_ARGS__;                                                                                     \
  add_time (times[what], begin)

  STEP (CREATE, job = create (rows, 0, FALSE));
  STEP (ADD_FILE,
        call_and_forget (job, JOB, "AddFile",
                         g_variant_new ("(ss@a{sv})", url, path,
                                        g_variant_new_array (G_VARIANT_TYPE ("{sv}"), NULL, 0))));
  STEP (GET, call_and_forget (job, "org.freedesktop.DBus.Properties", "Get",
                              g_variant_new ("(ss)", JOB, "State")));
  STEP (GET_ALL, call_and_forget (job, "org.freedesktop.DBus.Properties", "GetAll",
                                  g_variant_new ("(s)", JOB)));
  STEP (SET, call_and_forget (job, JOB, "SetProperties",
                              g_variant_new_parsed ("({'Description': <'changed'>},)")));
  STEP (LIST_FILES, call_and_forget (job, JOB, "ListFiles", g_variant_new ("(uu)", 0, 0)));
  STEP (EXPLAIN, call_and_forget (job, JOB, "Explain", NULL));
  STEP (GET_JOB,
        call_and_forget (ROOT, MANAGER, "GetJob", g_variant_new ("(s)", strrchr (job, '/') + 1)));
  STEP (RESUME, call_and_forget (job, JOB, "Resume", NULL));
  resumed = begin;
  wait_until_transferred (job);
  add_time (times[TRANSFER], resumed);
  STEP (COMPLETE, complete (job));
  STEP (CREATE_AND_CANCEL, other = create (rows, 0, FALSE);
        call_and_forget (other, JOB, "Cancel", no_options ()));
#undef STEP
}

static void
run_steps (char **rows, guint count)
{
  GArray *times[N_STEPS];

  for (guint i = 0; i < N_STEPS; i++)
    times[i] = g_array_new (FALSE, FALSE, sizeof (double));
  watch (signalled);
  for (guint i = 0; i < count; i++)
    walk (rows, i, times);
  g_print ("{");
  for (guint i = 0; i < N_STEPS; i++)
    {
      print_list (steps[i], times[i], i + 1 < N_STEPS);
      g_array_unref (times[i]);
    }
  g_print ("}\n");
}

static gboolean
run (int argc, char **argv)
{
  const char *verb = argc > 1 ? argv[1] : "";
  g_auto (GStrv) rows = NULL;
  guint count;

  if (argc == 2 && (strcmp (verb, "list") == 0 || strcmp (verb, "list-echo") == 0))
    {
      list_jobs (strcmp (verb, "list-echo") == 0);
      return TRUE;
    }
  if (argc == 4 && strcmp (verb, "echo") == 0)
    {
      method_to_echo = argv[2];
      keep_calling ((guint) g_ascii_strtoull (argv[3], NULL, 10), begin_echo);
      return TRUE;
    }
  if (argc == 4 && strcmp (verb, "aria2") == 0)
    {
      add_to_aria2 (argv[2], g_ascii_strtoull (argv[3], NULL, 10));
      return TRUE;
    }
  if (argc == 4 && strcmp (verb, "lomiri") == 0)
    {
      add_to_lomiri (g_ascii_strtoull (argv[3], NULL, 10));
      return TRUE;
    }
  if (argc != 3)
    return FALSE;

  rows = rows_to_create = read_rows (argv[2]);
  count = g_strv_length (rows);
  if (strcmp (verb, "jobs") == 0)
    run_jobs (rows, count, count);
  else if (strcmp (verb, "each") == 0)
    run_jobs (rows, count, 1);
  else if (strcmp (verb, "create") == 0)
    keep_calling (count, begin_create);
  else if (strcmp (verb, "create-add") == 0)
    keep_calling (count, begin_create_and_add);
  else if (strcmp (verb, "add-files") == 0)
    add_files (rows, count);
  else if (strcmp (verb, "at-once") == 0)
    run_at_once (rows, count);
  else if (strcmp (verb, "completes") == 0)
    run_completes (rows, count);
  else if (strcmp (verb, "steps") == 0)
    run_steps (rows, count);
  else
    return FALSE;

  return TRUE;
}

int
main (int argc, char **argv)
{
  g_autoptr (GOptionContext) context = g_option_context_new ("VERB …");
  GError *error = NULL;

  g_option_context_add_main_entries (context, options, NULL);
  g_option_context_parse (context, &argc, &argv, &error);
  check (error);
  if (argc < 2 || strcmp (argv[1], "aria2") != 0)
    bus = connect_to_bus ();
  if (!run (argc, argv))
    {
      g_printerr ("usage: bench-client VERB …: see its source\n");
      return 2;
    }

  return 0;
}
