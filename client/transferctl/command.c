/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Command: reads the command line and runs the verb that it says. */
#include "config.h"
#include "client/transferctl/command.h"

#include <glib-unix.h>
#include <errno.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/transferctl/ctl.h"

static struct
{
  gboolean user;
  gboolean system;
  gboolean json;
  gboolean quiet;
  gboolean help;
  gboolean version;
  gboolean list_verbs;
  gboolean list_properties;
  char *list_options;
} options;

static const GOptionEntry global_entries[] = {
  { "user", 0, 0, G_OPTION_ARG_NONE, &options.user, "Talk to the service on the session bus",
    NULL },
  { "system", 0, 0, G_OPTION_ARG_NONE, &options.system,
    "Talk to the service on the system bus (default)", NULL },
  { "json", 'j', 0, G_OPTION_ARG_NONE, &options.json, "Print data as JSON", NULL },
  { "quiet", 'q', 0, G_OPTION_ARG_NONE, &options.quiet, "Print no progress and no talk", NULL },
  { "help", 'h', 0, G_OPTION_ARG_NONE, &options.help, "Show this help", NULL },
  { "version", 0, 0, G_OPTION_ARG_NONE, &options.version, "Show the version", NULL },
  { "list-verbs", 0, G_OPTION_FLAG_HIDDEN, G_OPTION_ARG_NONE, &options.list_verbs, NULL, NULL },
  { "list-properties", 0, G_OPTION_FLAG_HIDDEN, G_OPTION_ARG_NONE, &options.list_properties, NULL,
    NULL },
  { "list-options", 0, G_OPTION_FLAG_HIDDEN, G_OPTION_ARG_STRING, &options.list_options, NULL,
    NULL },
  { NULL, 0, 0, 0, NULL, NULL, NULL },
};

static void
print_options (const GOptionEntry *entries)
{
  for (; entries != NULL && entries->long_name != NULL; entries++)
    {
      g_autofree char *name = NULL;

      if (entries->flags & G_OPTION_FLAG_HIDDEN)
        continue;
      name = g_strdup_printf ("%c%c%s--%s%s%s", entries->short_name != 0 ? '-' : ' ',
                              entries->short_name != 0 ? entries->short_name : ' ',
                              entries->short_name != 0 ? ", " : "  ", entries->long_name,
                              entries->arg_description != NULL ? "=" : "",
                              entries->arg_description != NULL ? entries->arg_description : "");
      printf ("  %-28s %s\n", name, entries->description);
    }
}

static void
print_verb_help (const CtlVerb *verb)
{
  printf ("usage: transferctl %s %s\n\n%s.\n", verb->name, verb->arguments, verb->summary);
  if (verb->options != NULL)
    {
      printf ("\nOptions:\n");
      print_options (verb->options ());
    }
  printf ("\nOptions of every verb:\n");
  print_options (global_entries);
}

static void
print_help (void)
{
  const char *family = NULL;

  printf ("usage: transferctl VERB [ARGUMENTS] [OPTIONS]\n\nTransfers in the background.\n");
  for (const CtlVerb *verb = ctl_verbs; verb->name != NULL; verb++)
    {
      g_autofree char *usage = g_strdup_printf ("%s %s", verb->name, verb->arguments);

      if (g_strcmp0 (family, verb->family) != 0)
        printf ("\n%s:\n", verb->family);
      family = verb->family;
      printf ("  %-32s %s\n", usage, verb->summary);
    }
  printf ("\nA JOB is said by its id, the beginning of its id, or its name.\n\nOptions:\n");
  print_options (global_entries);
  printf ("\n\"transferctl VERB --help\" shows the options of a verb.\n");
}

int
ctl_run_help (Ctl *ctl, int n, char **arguments)
{
  const CtlVerb *verb;

  if (n == 0)
    {
      print_help ();
      return CTL_OK;
    }
  verb = ctl_find_verb (arguments[0]);
  if (verb == NULL)
    return ctl_fail_usage (ctl, "there is no verb ‘%s’", arguments[0]);
  print_verb_help (verb);
  return CTL_OK;
}

/* For the test that compares them with completions and documentation. */
static int
list_options_of (Ctl *ctl, const char *name)
{
  const CtlVerb *verb = ctl_find_verb (name);
  const GOptionEntry *entries = global_entries;

  if (verb == NULL && !g_str_equal (name, ""))
    return ctl_fail_usage (ctl, "there is no verb ‘%s’", name);
  if (verb != NULL)
    entries = verb->options != NULL ? verb->options () : NULL;
  for (; entries != NULL && entries->long_name != NULL; entries++)
    if ((entries->flags & G_OPTION_FLAG_HIDDEN) == 0)
      printf ("--%s\n", entries->long_name);
  return CTL_OK;
}

static int
list_verbs (void)
{
  for (const CtlVerb *verb = ctl_verbs; verb->name != NULL; verb++)
    puts (verb->name);
  return CTL_OK;
}

/* For completions. */
static int
list_properties (void)
{
  g_autofree const char **names = transfer_job_list_properties ();

  for (guint i = 0; names[i] != NULL; i++)
    puts (names[i]);
  return CTL_OK;
}

static gboolean
interrupt_cb (gpointer user_data)
{
  Ctl *ctl = user_data;

  ctl->interrupted = SIGINT;
  /* who asks twice does not want to wait */
  signal (SIGINT, SIG_DFL);
  return G_SOURCE_REMOVE;
}

/* Takes the verb, the first word that is no option, out of @argv. */
static const char *
take_verb (int *argc, char **argv)
{
  for (int i = 1; i < *argc; i++)
    {
      const char *word = argv[i];

      if (word[0] == '-' && word[1] != '\0')
        continue;
      memmove (&argv[i], &argv[i + 1], sizeof *argv * (gsize) (*argc - i));
      (*argc)--;
      return word;
    }
  return NULL;
}

static gboolean
connect_to_bus (Ctl *ctl, GError **error)
{
  g_autoptr (GAsyncResult) result = NULL;

  transfer_client_new_async (ctl->bus, NULL, ctl_async_cb, &result);
  ctl_await (&result);
  ctl->client = transfer_client_new_finish (result, error);
  if (ctl->client == NULL)
    return FALSE;
  g_dbus_connection_set_exit_on_close (transfer_client_get_connection (ctl->client), FALSE);
  transfer_client_set_interactive (ctl->client, isatty (STDIN_FILENO));
  return TRUE;
}

static void
bus_closed_cb (GDBusConnection *connection, gboolean vanished, GError *error, gpointer user_data)
{
  Ctl *ctl = user_data;

  (void) connection, (void) vanished;
  exit (ctl_fail (ctl, "the connection to the bus is gone%s%s; jobs go on without it",
                  error != NULL ? ": " : "", error != NULL ? error->message : ""));
}

static int
run_verb (Ctl *ctl, int n, char **arguments)
{
  const CtlVerb *verb = ctl->verb;
  g_autoptr (GError) error = NULL;
  gulong closed;
  int status;

  if (verb->run == ctl_run_help)
    return ctl_run_help (ctl, n, arguments);
  if (!connect_to_bus (ctl, &error))
    return ctl_fail (ctl, "cannot connect to the bus: %s", error->message);
  closed = g_signal_connect (transfer_client_get_connection (ctl->client), "closed",
                             G_CALLBACK (bus_closed_cb), ctl);
  g_unix_signal_add (SIGINT, interrupt_cb, ctl);
  status = verb->run (ctl, n, arguments);
  g_signal_handler_disconnect (transfer_client_get_connection (ctl->client), closed);
  g_clear_object (&ctl->client);
  return status;
}

static gboolean
parse (int *argc, char ***argv, const CtlVerb *verb, GError **error)
{
  g_autoptr (GOptionContext) context = g_option_context_new (NULL);

  g_option_context_set_help_enabled (context, FALSE);
  g_option_context_add_main_entries (context, global_entries, NULL);
  if (verb != NULL && verb->options != NULL)
    g_option_context_add_main_entries (context, verb->options (), NULL);
  return g_option_context_parse (context, argc, argv, error);
}

static int
run (Ctl *ctl, int argc, char **argv)
{
  const char *word = take_verb (&argc, argv);
  g_autoptr (GError) error = NULL;
  int n;

  ctl->verb = word != NULL ? ctl_find_verb (word) : NULL;
  if (word != NULL && ctl->verb == NULL)
    return ctl_fail_usage (ctl, "there is no verb ‘%s’", word);
  if (!parse (&argc, &argv, ctl->verb, &error))
    return ctl_fail_usage (ctl, "%s", error->message);
  n = argc - 1;
  if (n > 0 && g_str_equal (argv[1], "--"))
    {
      argv++;
      n--;
    }
  if (options.version)
    {
      printf ("transferctl %s\n", VERSION);
      return CTL_OK;
    }
  if (options.list_verbs)
    return list_verbs ();
  if (options.list_properties)
    return list_properties ();
  if (options.list_options != NULL)
    return list_options_of (ctl, options.list_options);
  if (options.help && ctl->verb != NULL)
    {
      print_verb_help (ctl->verb);
      return CTL_OK;
    }
  if (options.help)
    return ctl_run_help (ctl, 0, NULL);
  if (options.user && options.system)
    return ctl_fail_usage (ctl, "--user and --system exclude each other");
  if (ctl->verb == NULL)
    ctl->verb = ctl_find_verb ("list");
  if (n < ctl->verb->least_arguments ||
      (ctl->verb->most_arguments >= 0 && n > ctl->verb->most_arguments))
    return ctl_fail_usage (ctl, "too %s arguments",
                           n < ctl->verb->least_arguments ? "few" : "many");

  ctl->bus = options.user ? "session" : options.system ? "system" : NULL;
  ctl->json = options.json;
  ctl->quiet = options.quiet;
  return run_verb (ctl, n, argv + 1);
}

int
ctl_main (int argc, char **argv)
{
  Ctl ctl = { 0 };
  g_autofree char **words = g_memdup2 (argv, sizeof *argv * (gsize) (argc + 1));
  int status;

  setlocale (LC_ALL, "");
  ctl.unicode = g_get_charset (NULL);
  ctl.colour = isatty (STDOUT_FILENO) && g_getenv ("NO_COLOR") == NULL &&
               g_strcmp0 (g_getenv ("TERM"), "dumb") != 0;
  status = run (&ctl, argc, words);
  if (fflush (stdout) != 0)
    status = ctl_fail (&ctl, "cannot write: %s", g_strerror (errno));
  if (ctl.interrupted != 0 && status != CTL_OK)
    {
      /* a shell must see that we were told to end, or its script would go on */
      signal (ctl.interrupted, SIG_DFL);
      raise (ctl.interrupted);
    }
  return status;
}
