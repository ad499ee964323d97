/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Look: what /proc tells of a process that may have arranged it to deceive us. */
#include "config.h"
#include "worker/look.h"

#include "common/names.h"
#include "common/sandbox-id.h"
#include "worker/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A file system of the caller's own making may keep its reader for ever. */
#define PATIENCE_SECONDS 3

#define MAX_PROC_FILE 16384

typedef enum
{
  SAME,
  OTHER,
  UNREADABLE,
} Likeness;

/* At most @size bytes of what can be read from @fd; -1 on failure. */
static gssize
read_all (int fd, char *buffer, gsize size)
{
  gsize length = 0;

  while (length < size)
    {
      gssize count = read (fd, buffer + length, size - length);

      if (count < 0 && errno == EINTR)
        continue;
      if (count < 0)
        return -1;
      if (count == 0)
        break;
      length += (gsize) count;
    }
  return (gssize) length;
}

/* A file below /proc/PID, as text. */
static char *
read_proc (int process, const char *name)
{
  g_autofree char *text = g_malloc0 (MAX_PROC_FILE + 1);
  int fd = openat (process, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  gssize length;

  if (fd < 0)
    return NULL;
  length = read_all (fd, text, MAX_PROC_FILE);
  close (fd);
  return length < 0 ? NULL : g_steal_pointer (&text);
}

/* When the process began, in microseconds since the boot; G_MAXUINT64 when that is not known. */
static guint64
start_of (int process)
{
  g_autofree char *text = read_proc (process, "stat");
  /* the name of the program, in brackets, may have brackets itself */
  const char *rest = text != NULL ? strrchr (text, ')') : NULL;
  long ticks_per_second = sysconf (_SC_CLK_TCK);
  g_auto (GStrv) fields = NULL;

  if (rest == NULL || ticks_per_second <= 0)
    return G_MAXUINT64;
  /* state is field 3 of proc(5), starttime is field 22 */
  fields = g_strsplit (rest + 1, " ", 22);
  if (g_strv_length (fields) < 21)
    return G_MAXUINT64;
  return g_ascii_strtoull (fields[20], NULL, 10) * TFD_USEC_PER_SEC / (guint64) ticks_per_second;
}

static Likeness
compare_stats (const struct stat *theirs, const char *ours)
{
  struct stat own;

  if (stat (ours, &own) < 0)
    return UNREADABLE;
  return own.st_dev == theirs->st_dev && own.st_ino == theirs->st_ino ? SAME : OTHER;
}

static Likeness
compare_namespace (int process, const char *name)
{
  g_autofree char *theirs = g_strconcat ("ns/", name, NULL);
  g_autofree char *ours = g_strconcat ("/proc/self/ns/", name, NULL);
  struct stat status;

  return fstatat (process, theirs, &status, 0) < 0 ? UNREADABLE : compare_stats (&status, ours);
}

/* Looks at it without opening it first: to open a device or a FIFO may do something. */
static char *
read_info (int file, gsize *length)
{
  g_autofree char *path = g_strdup_printf ("/proc/self/fd/%d", file);
  g_autofree char *data = NULL;
  struct stat status;
  gssize count;
  int fd;

  if (fstat (file, &status) < 0 || !S_ISREG (status.st_mode))
    return NULL;
  fd = open (path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
  if (fd < 0)
    return NULL;
  data = g_malloc (TFD_FLATPAK_INFO_MAX + 1);
  count = read_all (fd, data, TFD_FLATPAK_INFO_MAX + 1);
  close (fd);
  if (count < 0)
    return NULL;
  *length = (gsize) count;
  return g_steal_pointer (&data);
}

/* What Flatpak has put into the root of its applications, and of the proxies that speak to the bus
 * for them. NULL: the process is none of these. */
static char *
look_for_flatpak (int root, gboolean *network)
{
  int file = openat (root, ".flatpak-info", O_PATH | O_NOFOLLOW | O_CLOEXEC);
  g_autofree char *data = NULL;
  char *id = NULL;
  gsize length = 0;

  *network = FALSE;
  if (file < 0)
    return errno == ENOENT ? NULL : g_strdup (TFD_SANDBOX_UNKNOWN);
  data = read_info (file, &length);
  close (file);
  if (data != NULL)
    id = tfd_sandbox_id_from_flatpak_info (data, length, network);
  return id != NULL ? id : g_strdup (TFD_SANDBOX_UNKNOWN);
}

static char *
look_for_snap (int process)
{
  g_autofree char *cgroups = read_proc (process, "cgroup");

  return cgroups != NULL ? tfd_sandbox_id_from_cgroups (cgroups) : NULL;
}

/* What the namespaces tell. Where they cannot be read, nothing else can be believed. */
static char *
look_at_namespaces (int process, int root, gboolean *no_network)
{
  struct stat status;
  Likeness roots =
      fstat (root, &status) < 0 ? UNREADABLE : compare_stats (&status, "/proc/self/root/");
  Likeness users = compare_namespace (process, "user");
  Likeness networks = compare_namespace (process, "net");
  char *snap;

  *no_network = networks != SAME;
  if (roots == SAME && users == SAME && networks == SAME)
    return g_strdup ("");
  if (roots == UNREADABLE || users == UNREADABLE || networks == UNREADABLE)
    *no_network = TRUE;
  /* a snap that sees the root that we see is not confined */
  snap = roots == OTHER ? look_for_snap (process) : NULL;
  return snap != NULL ? snap : g_strdup (TFD_SANDBOX_UNKNOWN);
}

static char *
look_at_root (int process, int root, gboolean *no_network)
{
  g_autofree char *among = look_at_namespaces (process, root, no_network);
  gboolean network = FALSE;
  char *flatpak = look_for_flatpak (root, &network);

  if (flatpak == NULL)
    return g_steal_pointer (&among);
  /* who speaks for an application may have a network that the application has not */
  *no_network = *no_network || !network;
  return flatpak;
}

static char *
look_at_process (int process, guint64 since, gboolean *no_network)
{
  guint64 start = start_of (process);
  struct stat status;
  char *id;
  int root;

  /* the number may be another's by now; and what is not ours, or hides, cannot be looked into */
  if (start > since || fstat (process, &status) < 0 || status.st_uid != geteuid ())
    return NULL;
  root = openat (process, "root", O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (root < 0)
    return NULL;
  id = look_at_root (process, root, no_network);
  close (root);
  /* it has to be there still: of one that ended meanwhile only half was seen */
  if (start_of (process) != start)
    g_clear_pointer (&id, g_free);
  return id;
}

char *
tfd_look_at (guint32 pid, guint64 since, gboolean *no_network)
{
  g_autofree char *path = g_strdup_printf ("/proc/%u", pid);
  /* whatever is opened below it is of the very process that this is opened of */
  int process = open (path, O_PATH | O_DIRECTORY | O_CLOEXEC);
  char *id = NULL;

  *no_network = TRUE;
  if (process >= 0)
    {
      id = look_at_process (process, since, no_network);
      close (process);
    }
  if (id == NULL)
    {
      *no_network = TRUE;
      id = g_strdup (TFD_SANDBOX_UNKNOWN);
    }
  return id;
}

/* ---- the program ---- */

static GMutex said_lock;

/* The first who has something to say says it, and ends the process with its threads. */
G_NORETURN static void
say (const char *id, gboolean no_network)
{
  g_autofree char *line = g_strdup_printf ("%d %s\n", no_network ? 1 : 0, id);

  g_mutex_lock (&said_lock);
  _exit (write (STDOUT_FILENO, line, strlen (line)) == (gssize) strlen (line) ? 0 : 1);
}

static gpointer
watch_thread (gpointer data G_GNUC_UNUSED)
{
  g_usleep (PATIENCE_SECONDS * G_USEC_PER_SEC);
  say (TFD_SANDBOX_UNKNOWN, TRUE);
}

void
tfd_look (guint32 pid, guint64 since)
{
  g_autoptr (GThread) watch = NULL;
  g_autofree char *id = NULL;
  gboolean no_network;

  tfd_sandbox_limit_process ();
  tfd_sandbox_limit_calls (NULL);
  watch = g_thread_new ("watch", watch_thread, NULL);
  id = tfd_look_at (pid, since, &no_network);
  say (id, no_network);
}
