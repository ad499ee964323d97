/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Main: transferd-worker, the program that touches files and speaks HTTP, as the user whose files
 * they are. */
#include "config.h"

#include "worker/fetch.h"
#include "worker/look.h"
#include "worker/sandbox.h"
#include "worker/service.h"
#include "worker/session.h"

#include <fcntl.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define IDLE_SECONDS 30

/* The descriptor of the lock that tells transferd whether we still live: held, never passed on. */
#define LOCK_FD 4

static int daemon_fd = -1;
static int idle_timeout = IDLE_SECONDS;
static gboolean fetch = FALSE;
static gboolean show_version = FALSE;
static int look_at = -1;
static gint64 since = 0;
static char **arguments = NULL;

static const GOptionEntry entries[] = {
  { "daemon-fd", 0, 0, G_OPTION_ARG_INT, &daemon_fd,
    "Serve transferd on this descriptor, one end of a socket pair", "FD" },
  { "idle-timeout", 0, 0, G_OPTION_ARG_INT, &idle_timeout,
    "End after so many seconds without work (0: never)", "SECONDS" },
  { "fetch", 0, 0, G_OPTION_ARG_NONE, &fetch, "Fetch URL into FILE, without transferd", NULL },
  { "look-at", 0, 0, G_OPTION_ARG_INT, &look_at,
    "Tell transferd whether a process is in a sandbox, and which", "PID" },
  { "since", 0, 0, G_OPTION_ARG_INT64, &since,
    "With --look-at: the process was there at this time (CLOCK_BOOTTIME)", "MICROSECONDS" },
  { "version", 0, 0, G_OPTION_ARG_NONE, &show_version, "Print the version", NULL },
  { G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &arguments, NULL, NULL },
  G_OPTION_ENTRY_NULL,
};

static void
over_cb (G_GNUC_UNUSED gpointer user_data)
{
  /* Nothing to flush: what counts is on the disk or with transferd, and a thread that hangs in the
   * kernel must not keep the process from ending. */
  _exit (0);
}

static void
prepare_process (void)
{
  /* A write into a closed socket, or beyond a size limit, is an error to report, not an end. */
  signal (SIGPIPE, SIG_IGN);
  signal (SIGXFSZ, SIG_IGN);

  tfd_session_prepare_process ();
  tfd_sandbox_enter ();
}

static int
serve (void)
{
  g_autoptr (TfdService) service = NULL;
  g_autoptr (GMainLoop) loop = g_main_loop_new (NULL, FALSE);
  g_autoptr (GError) error = NULL;

  /* Each file is created under the umask of its own. */
  umask (0);
  fcntl (daemon_fd, F_SETFD, FD_CLOEXEC);
  if (daemon_fd != LOCK_FD)
    fcntl (LOCK_FD, F_SETFD, FD_CLOEXEC);

  service =
      tfd_service_new (daemon_fd, (guint) MAX (idle_timeout, 0) * 1000, over_cb, NULL, &error);
  if (service == NULL)
    {
      g_printerr ("transferd-worker: %s\n", error->message);
      return 1;
    }

  g_main_loop_run (loop);
  return 0;
}

int
main (int argc, char **argv)
{
  g_autoptr (GOptionContext) context = g_option_context_new ("[URL FILE]");
  g_autoptr (GError) error = NULL;

  setlocale (LC_ALL, "");
  g_option_context_set_summary (
      context, "Moves files for transferd, which starts it, with the rights of one user.\n"
               "By hand: transferd-worker --fetch URL FILE");
  g_option_context_add_main_entries (context, entries, NULL);
  if (!g_option_context_parse (context, &argc, &argv, &error))
    {
      g_printerr ("transferd-worker: %s\n", error->message);
      return 2;
    }
  if (show_version)
    {
      printf ("transferd-worker " VERSION "\n");
      return 0;
    }

  /* before anything is given up: Landlock would keep it from looking */
  if (look_at >= 0)
    tfd_look ((guint32) look_at, (guint64) since);
  prepare_process ();
  if (fetch && arguments != NULL && g_strv_length (arguments) == 2)
    return tfd_fetch (arguments[0], arguments[1]);
  if (!fetch && daemon_fd >= 0 && arguments == NULL)
    return serve ();

  g_printerr ("transferd-worker: either --fetch URL FILE or --daemon-fd=FD is needed, "
              "see --help\n");
  return 2;
}
