/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* transferd: puts the floors together and runs the main loop. */
#include "config.h"

#include "base/log.h"
#include "base/notify.h"
#include "bus/bus.h"
#include "common/names.h"
#include "platform/mounts.h"
#include "platform/network.h"
#include "platform/pool.h"
#include "recover.h"

#include <glib-unix.h>
#include <locale.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOCK_WAIT (20 * (gint64) TFD_USEC_PER_SEC)
#define WORKER_PROGRAM PKGLIBEXECDIR "/transferd-worker"

typedef struct
{
  gboolean system, user, allow_root, version, recover;
  char *state_dir, *config_path, *worker;
  char **rest;
} Options;

typedef struct
{
  Options options;
  GMainLoop *loop;
  TfdConfig *config;
  TfdEngine *engine;
  TfdBus *bus;
  int status;
} Daemon;

static gboolean
read_options (Options *options, int argc, char **argv, GError **error)
{
  const GOptionEntry entries[] = {
    { "system", 0, 0, G_OPTION_ARG_NONE, &options->system,
      "Serve all users on the system bus (needs root)", NULL },
    { "user", 0, 0, G_OPTION_ARG_NONE, &options->user, "Serve the calling user on the session bus",
      NULL },
    { "allow-root", 0, 0, G_OPTION_ARG_NONE, &options->allow_root, "Let --user run as root", NULL },
    { "state-dir", 0, 0, G_OPTION_ARG_FILENAME, &options->state_dir,
      "Where jobs are remembered (default: " LOCALSTATEDIR "/lib/transferd, or "
      "$XDG_STATE_HOME/transferd with --user)",
      "DIRECTORY" },
    { "config", 0, 0, G_OPTION_ARG_FILENAME, &options->config_path,
      "Configuration file (default: " SYSCONFDIR "/transferd/transferd.conf)", "FILE" },
    { "worker", 0, 0, G_OPTION_ARG_FILENAME, &options->worker,
      "Worker program (default: " WORKER_PROGRAM ")", "FILE" },
    { "recover", 0, 0, G_OPTION_ARG_NONE, &options->recover,
      "List temporary files below DIRECTORY… that no job knows any more, and end", NULL },
    { "version", 0, 0, G_OPTION_ARG_NONE, &options->version, "Show the version", NULL },
    { G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &options->rest, NULL, NULL },
    { NULL, 0, 0, G_OPTION_ARG_NONE, NULL, NULL, NULL },
  };
  g_autoptr (GOptionContext) context = g_option_context_new ("— the background transfer service");

  g_option_context_add_main_entries (context, entries, NULL);
  if (!g_option_context_parse (context, &argc, &argv, error))
    return FALSE;
  if (options->version || (options->recover && options->state_dir != NULL))
    return TRUE;
  if (options->rest != NULL && !options->recover)
    g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_FAILED, "unknown argument ‘%s’",
                 options->rest[0]);
  else if (options->system == options->user)
    g_set_error_literal (error, G_OPTION_ERROR, G_OPTION_ERROR_FAILED,
                         "say either --system or --user");
  else if (options->system && geteuid () != 0)
    g_set_error_literal (error, G_OPTION_ERROR, G_OPTION_ERROR_FAILED,
                         "--system needs root; --user serves just you");
  else if (options->user && geteuid () == 0 && !options->allow_root)
    g_set_error_literal (error, G_OPTION_ERROR, G_OPTION_ERROR_FAILED,
                         "--user as root is refused: it would work with all of root's rights; "
                         "--allow-root if that is what you want");
  else
    return TRUE;
  return FALSE;
}

static char *
state_dir_of (const Options *options)
{
  if (options->state_dir != NULL)
    return g_canonicalize_filename (options->state_dir, NULL);
  if (options->system)
    return g_strdup (LOCALSTATEDIR "/lib/transferd");
  return g_build_filename (g_get_user_state_dir (), "transferd", NULL);
}

/* Where the locks of the workers lie: a state directory given by hand is a world of its own. */
static char *
runtime_dir_of (const Options *options, const char *state_dir)
{
  if (options->system && options->state_dir == NULL)
    return g_strdup ("/run/transferd");
  return g_strdup (state_dir);
}

static TfdConfig *
load_config (const Options *options, GError **error)
{
  const char *path = options->config_path;

  return tfd_config_load (path != NULL ? path : SYSCONFDIR "/transferd/transferd.conf",
                          path != NULL, error);
}

static gboolean
reload_cb (gpointer data, GError **error)
{
  Daemon *daemon = data;
  g_autoptr (TfdConfig) config = NULL;

  tfd_notify_reloading ();
  config = load_config (&daemon->options, error);
  if (config != NULL)
    *daemon->config = *config;
  tfd_notify_ready ();
  return config != NULL;
}

static gboolean
hangup_cb (gpointer data)
{
  g_autoptr (GError) error = NULL;

  if (!reload_cb (data, &error))
    tfd_warning ("the configuration stays as it was: %s", error->message);
  return G_SOURCE_CONTINUE;
}

static gboolean
terminate_cb (gpointer data)
{
  Daemon *daemon = data;

  tfd_notify_stopping ();
  g_main_loop_quit (daemon->loop);
  return G_SOURCE_CONTINUE;
}

static void
mounts_changed_cb (gpointer data)
{
  tfd_engine_mounts_changed (data);
}

static void
fail (Daemon *daemon, const char *message)
{
  g_printerr ("transferd: %s\n", message);
  daemon->status = EXIT_FAILURE;
  g_main_loop_quit (daemon->loop);
}

static void
bus_acquired_cb (GDBusConnection *connection, const char *name G_GNUC_UNUSED, gpointer user_data)
{
  Daemon *daemon = user_data;
  g_autoptr (GError) error = NULL;
  guint32 only_uid = daemon->options.user ? geteuid () : G_MAXUINT32;

  daemon->bus = tfd_bus_new (connection, daemon->engine, only_uid, reload_cb, daemon, &error);
  if (daemon->bus == NULL)
    fail (daemon, error->message);
}

static void
name_acquired_cb (GDBusConnection *connection G_GNUC_UNUSED,
                  const char *name G_GNUC_UNUSED,
                  gpointer user_data G_GNUC_UNUSED)
{
  tfd_notify_ready ();
}

/* Without the bus, or replaced on it, there is nobody to serve; a new bus starts anew. */
static void
name_lost_cb (GDBusConnection *connection, const char *name, gpointer user_data)
{
  g_autofree char *message =
      connection == NULL
          ? g_strdup ("there is no bus: is dbus-daemon running, and DBUS_SESSION_BUS_ADDRESS set?")
          : g_strdup_printf ("the name %s is taken, or not allowed by the policy of the bus", name);

  fail (user_data, message);
}

static int
run (Daemon *daemon, TfdStore *store, const char *runtime_dir, GError **error)
{
  const char *program = daemon->options.worker != NULL ? daemon->options.worker : WORKER_PROGRAM;
  g_autoptr (TfdClock) clock = tfd_system_clock_new (error);
  g_autoptr (TfdPool) pool = NULL;
  g_autoptr (TfdMounts) mounts = NULL;
  guint owner;

  if (clock == NULL)
    return EXIT_FAILURE;
  pool = tfd_pool_new (program, runtime_dir, daemon->options.system, daemon->config);
  daemon->engine = tfd_engine_new (store, clock, TFD_TRANSPORT (pool), daemon->config);
  if (!tfd_engine_load (daemon->engine, error))
    return EXIT_FAILURE;
  tfd_network_watch (daemon->engine);
  mounts = tfd_mounts_watch (mounts_changed_cb, daemon->engine);

  g_unix_signal_add (SIGTERM, terminate_cb, daemon);
  g_unix_signal_add (SIGINT, terminate_cb, daemon);
  g_unix_signal_add (SIGHUP, hangup_cb, daemon);
  owner = g_bus_own_name (daemon->options.system ? G_BUS_TYPE_SYSTEM : G_BUS_TYPE_SESSION,
                          TFD_BUS_NAME, G_BUS_NAME_OWNER_FLAGS_NONE, bus_acquired_cb,
                          name_acquired_cb, name_lost_cb, daemon, NULL);
  g_main_loop_run (daemon->loop);

  tfd_outbox_flush (tfd_engine_get_outbox (daemon->engine));
  g_bus_unown_name (owner);
  g_clear_pointer (&daemon->bus, tfd_bus_free);
  g_clear_object (&daemon->engine);
  return daemon->status;
}

static int
open_and_run (Daemon *daemon, GError **error)
{
  g_autofree char *state_dir = state_dir_of (&daemon->options);
  g_autofree char *runtime_dir = runtime_dir_of (&daemon->options, state_dir);
  g_autoptr (TfdStore) store = NULL;
  int lock;

  if (g_mkdir_with_parents (runtime_dir, 0700) < 0)
    {
      g_set_error (error, G_IO_ERROR, g_io_error_from_errno (errno), "cannot make ‘%s’: %s",
                   runtime_dir, g_strerror (errno));
      return EXIT_FAILURE;
    }
  daemon->config = load_config (&daemon->options, error);
  if (daemon->config == NULL)
    return EXIT_FAILURE;
  /* before a row is read: another daemon may still be writing */
  lock = tfd_store_lock (state_dir, LOCK_WAIT, error);
  if (lock < 0)
    return EXIT_FAILURE;
  store = tfd_store_open (state_dir, error);
  if (store == NULL)
    return EXIT_FAILURE;
  return run (daemon, store, runtime_dir, error);
}

int
main (int argc, char **argv)
{
  Daemon daemon = { .status = EXIT_SUCCESS };
  g_autoptr (GError) error = NULL;
  g_autofree char *help = NULL;
  int status;

  setlocale (LC_ALL, "");
  tfd_log_init ();
  umask (0077);
  if (!read_options (&daemon.options, argc, argv, &error))
    {
      g_printerr ("transferd: %s\n", error->message);
      return 2;
    }
  if (daemon.options.version)
    {
      g_print ("transferd %s\n", VERSION);
      return EXIT_SUCCESS;
    }
  if (!tfd_log_set_categories (g_getenv ("TFD_DEBUG"), &help))
    {
      g_printerr ("%s\n", help);
      return 2;
    }

  if (daemon.options.recover)
    {
      g_autofree char *state_dir = state_dir_of (&daemon.options);

      if (tfd_recover (state_dir, daemon.options.rest, &error))
        return EXIT_SUCCESS;
      g_printerr ("transferd: %s\n", error->message);
      return EXIT_FAILURE;
    }

  daemon.loop = g_main_loop_new (NULL, FALSE);
  status = open_and_run (&daemon, &error);
  if (error != NULL)
    g_printerr ("transferd: %s\n", error->message);
  g_main_loop_unref (daemon.loop);
  g_clear_pointer (&daemon.config, tfd_config_free);
  g_free (daemon.options.state_dir);
  g_free (daemon.options.config_path);
  g_free (daemon.options.worker);
  g_strfreev (daemon.options.rest);
  return status;
}
