/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* transferd: puts the floors together and runs the main loop. */
#include "config.h"

#include "base/log.h"
#include "base/memory.h"
#include "base/notify.h"
#include "bus/presence.h"
#include "common/names.h"
#include "common/sanitizer.h"
#include "platform/mounts.h"
#include "platform/pool.h"
#include "platform/watches.h"
#include "recover.h"

#include <glib-unix.h>
#include <locale.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOCK_WAIT (20 * (gint64) TFD_USEC_PER_SEC)

/* Whoever wants the end waits so long, at most, until running transfers have saved what they have.
 */
#define LAST_MSEC 3000

#define WORKER_PROGRAM PKGLIBEXECDIR "/transferd-worker"

typedef struct
{
  gboolean system, user, allow_root, no_idle_exit, version, recover;
  char *state_dir, *config_path, *worker;
  char **rest;
} Options;

typedef struct
{
  Options options;
  GMainLoop *loop;
  TfdConfig *config;
  TfdEngine *engine;
  TfdPool *pool; /* (owned) */
  TfdWatches *watches;
  TfdPresence *presence;
  gboolean terminating;
  int status;
} Daemon;

/* Passwords of jobs are in this memory: neither for a dump nor for other processes of the user. */
static void
hide_memory (void)
{
  const struct rlimit none = { 0, 0 };

  setrlimit (RLIMIT_CORE, &none);
  if (!TFD_SANITIZER)
    prctl (PR_SET_DUMPABLE, 0, 0, 0, 0);
}

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
      "Configuration file, with its FILE.d (default: " SYSCONFDIR "/transferd/transferd.conf)",
      "FILE" },
    { "worker", 0, 0, G_OPTION_ARG_FILENAME, &options->worker,
      "Worker program (default: " WORKER_PROGRAM ")", "FILE" },
    { "no-idle-exit", 0, 0, G_OPTION_ARG_NONE, &options->no_idle_exit,
      "Stay even when there is nothing to do for IdleTimeout=", NULL },
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

/* What is wrong in the files is told, and no reason not to serve. */
static TfdConfig *
load_config (const Options *options, GError **error)
{
  static const char *const directories[] = { SYSCONFDIR "/transferd", "/run/transferd",
                                             "/usr/local/lib/transferd", "/usr/lib/transferd",
                                             NULL };
  g_autoptr (GPtrArray) warnings = g_ptr_array_new_with_free_func (g_free);
  TfdConfig *config = options->config_path != NULL
                          ? tfd_config_load (options->config_path, warnings, error)
                          : tfd_config_load_directories (directories, warnings);

  for (guint i = 0; i < warnings->len; i++)
    tfd_warning ("%s", (const char *) warnings->pdata[i]);
  return config;
}

static gboolean
reload_cb (gpointer data, GError **error)
{
  Daemon *daemon = data;
  g_autoptr (TfdConfig) config = NULL;

  tfd_notify_reloading ();
  config = load_config (&daemon->options, error);
  if (config != NULL)
    {
      tfd_config_assign (daemon->config, config);
      tfd_watches_reload (daemon->watches);
      tfd_pool_reconfigure (daemon->pool);
      tfd_engine_reconfigure (daemon->engine);
      tfd_presence_reconfigure (daemon->presence);
    }
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
last_moment_cb (gpointer data)
{
  Daemon *daemon = data;

  g_main_loop_quit (daemon->loop);
  return G_SOURCE_REMOVE;
}

static void
saved_cb (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (GMainLoop) loop = data;

  tfd_engine_checkpoint_finish (TFD_ENGINE (source), result, NULL);
  g_main_loop_quit (loop);
}

/* Who is in a hurry asks twice. */
static gboolean
terminate_cb (gpointer data)
{
  Daemon *daemon = data;

  if (daemon->terminating)
    return last_moment_cb (daemon);
  daemon->terminating = TRUE;
  tfd_notify_stopping ();
  g_timeout_add (LAST_MSEC, last_moment_cb, daemon);
  tfd_engine_checkpoint_async (daemon->engine, saved_cb, g_main_loop_ref (daemon->loop));
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
ready_cb (gpointer data G_GNUC_UNUSED)
{
  tfd_notify_ready ();
}

/* Whoever wants the service now is to wait for its end and start it again. */
static void
leaving_cb (gpointer data G_GNUC_UNUSED)
{
  tfd_notify_stopping ();
}

static void
ended_cb (const char *failure, gpointer data)
{
  Daemon *daemon = data;

  if (failure != NULL)
    fail (daemon, failure);
  g_main_loop_quit (daemon->loop);
}

static TfdPresence *
serve (Daemon *daemon)
{
  g_autoptr (TfdAuthority) authority = tfd_authority_new (daemon->options.system, daemon->config);
  const TfdPresenceFuncs funcs = { reload_cb, ready_cb, leaving_cb, ended_cb };
  const TfdPresenceOptions options = {
    .authority = authority,
    .bus_type = daemon->options.system ? G_BUS_TYPE_SYSTEM : G_BUS_TYPE_SESSION,
    .only_uid = daemon->options.user ? geteuid () : G_MAXUINT32,
    .may_leave = !daemon->options.no_idle_exit,
  };

  return tfd_presence_new (daemon->engine, &options, &funcs, daemon);
}

/* Whether the machine has to start the service when it starts itself. */
static void
leave_stamp (Daemon *daemon, gboolean waits)
{
  g_autofree char *state_dir = state_dir_of (&daemon->options);
  g_autoptr (GError) error = NULL;

  if (!tfd_store_set_stamp (state_dir, waits, &error))
    tfd_warning ("%s", error->message);
}

static int
run (Daemon *daemon, TfdStore *store, const char *runtime_dir, GError **error)
{
  const char *program = daemon->options.worker != NULL ? daemon->options.worker : WORKER_PROGRAM;
  g_autoptr (TfdClock) clock = tfd_system_clock_new (error);
  g_autoptr (TfdMounts) mounts = NULL;

  if (clock == NULL)
    return EXIT_FAILURE;
  daemon->pool = tfd_pool_new (program, runtime_dir, daemon->options.system, daemon->config);
  daemon->engine = tfd_engine_new (store, clock, TFD_TRANSPORT (daemon->pool), daemon->config);
  if (!tfd_engine_load (daemon->engine, error))
    return EXIT_FAILURE;
  tfd_memory_give_back ();
  if (daemon->options.system)
    tfd_engine_watch_owners (daemon->engine);
  /* until the end, however it comes, nobody can be sure that there is nothing */
  leave_stamp (daemon, TRUE);
  daemon->watches = tfd_watches_new (daemon->engine, daemon->config, daemon->options.user);
  mounts = tfd_mounts_watch (mounts_changed_cb, daemon->engine);

  g_unix_signal_add (SIGTERM, terminate_cb, daemon);
  g_unix_signal_add (SIGINT, terminate_cb, daemon);
  g_unix_signal_add (SIGHUP, hangup_cb, daemon);
  daemon->presence = serve (daemon);
  g_main_loop_run (daemon->loop);

  g_clear_pointer (&daemon->presence, tfd_presence_free);
  leave_stamp (daemon, tfd_engine_has_work (daemon->engine));
  g_clear_pointer (&daemon->watches, tfd_watches_free);
  g_clear_object (&daemon->engine);
  g_clear_object (&daemon->pool);
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
  if (store == NULL || !tfd_store_prepare_secrets (store, error))
    return EXIT_FAILURE;
  return run (daemon, store, runtime_dir, error);
}

static void
clear_daemon (Daemon *daemon)
{
  g_clear_pointer (&daemon->loop, g_main_loop_unref);
  g_clear_pointer (&daemon->config, tfd_config_free);
  g_free (daemon->options.state_dir);
  g_free (daemon->options.config_path);
  g_free (daemon->options.worker);
  g_strfreev (daemon->options.rest);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Daemon, clear_daemon)

/* What is to be done instead of serving. */
static int
recover (const Options *options)
{
  g_autofree char *state_dir = state_dir_of (options);
  g_autoptr (GError) error = NULL;

  if (tfd_recover (state_dir, options->rest, &error))
    return EXIT_SUCCESS;
  g_printerr ("transferd: %s\n", error->message);
  return EXIT_FAILURE;
}

int
main (int argc, char **argv)
{
  g_auto (Daemon) daemon = { .status = EXIT_SUCCESS };
  g_autoptr (GError) error = NULL;
  g_autofree char *help = NULL;
  int status;

  tfd_memory_init ();
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
    return recover (&daemon.options);

  hide_memory ();
  daemon.loop = g_main_loop_new (NULL, FALSE);
  status = open_and_run (&daemon, &error);
  if (error != NULL)
    g_printerr ("transferd: %s\n", error->message);
  return status;
}
