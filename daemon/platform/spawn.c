/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Spawn: starts a worker process as its user. */
#include "config.h"

#include "platform/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* ---- the lock ---- */

int
tfd_spawn_take_lock (const char *runtime_dir, guint32 uid, GError **error)
{
  g_autofree char *path = g_strdup_printf ("%s/worker-%u.lock", runtime_dir, uid);
  int fd = open (path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

  if (fd < 0)
    {
      g_set_error (error, G_IO_ERROR, g_io_error_from_errno (errno), "cannot open ‘%s’: %s", path,
                   g_strerror (errno));
      return -1;
    }
  if (flock (fd, LOCK_EX | LOCK_NB) < 0)
    {
      g_set_error (error, G_IO_ERROR,
                   errno == EWOULDBLOCK ? G_IO_ERROR_BUSY : g_io_error_from_errno (errno),
                   "cannot lock ‘%s’: %s", path, g_strerror (errno));
      close (fd);
      return -1;
    }
  return fd;
}

/* ---- starting ---- */

typedef struct
{
  gboolean change;
  uid_t uid;
  gid_t gid;
  const gid_t *groups;
  gsize n_groups;
  pid_t parent;
} Become;

/* Runs in the child between fork and exec: system calls on prepared data, nothing else. The raw
 * calls change this process only; those of the C library would try to reach threads. */
static void
become_cb (gpointer user_data)
{
  static const struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3];
  struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
  const Become *become = user_data;

  if (become->change && (syscall (SYS_setgroups, become->n_groups, become->groups) < 0 ||
                         syscall (SYS_setresgid, become->gid, become->gid, become->gid) < 0 ||
                         syscall (SYS_setresuid, become->uid, become->uid, become->uid) < 0 ||
                         /* even a worker of root has only the rights of a file's owner; together
                            with NO_NEW_PRIVS exec does not give them back */
                         syscall (SYS_capset, &header, none) < 0))
    _exit (126);
  if (prctl (PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl (PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0)
    _exit (126);
  /* the parent may have died before the line above */
  if (getppid () != become->parent)
    _exit (126);
}

static void
set_environment (GSubprocessLauncher *launcher, const TfdIdentity *identity)
{
  static const char *const passed[] = { "TFD_DEBUG",     "G_MESSAGES_DEBUG",     "ASAN_OPTIONS",
                                        "UBSAN_OPTIONS", "LSAN_OPTIONS",         "SSL_CERT_FILE",
                                        "SSL_CERT_DIR",  "TFD_WAIT_FOR_DEBUGGER" };
  g_auto (GStrv) environment = NULL;

  if (identity == NULL)
    return;
  environment = g_environ_setenv (environment, "PATH", "/usr/bin:/bin", TRUE);
  environment = g_environ_setenv (environment, "LANG", "C.UTF-8", TRUE);
  environment = g_environ_setenv (environment, "HOME", identity->home, TRUE);
  environment = g_environ_setenv (environment, "USER", identity->name, TRUE);
  environment = g_environ_setenv (environment, "LOGNAME", identity->name, TRUE);
  for (gsize i = 0; i < G_N_ELEMENTS (passed); i++)
    if (g_getenv (passed[i]) != NULL)
      environment = g_environ_setenv (environment, passed[i], g_getenv (passed[i]), TRUE);
  g_subprocess_launcher_set_environ (launcher, environment);
}

static GSubprocess *
spawn (GSubprocessLauncher *launcher,
       const char *program,
       const char *const *arguments,
       const TfdIdentity *identity,
       GError **error)
{
  g_autoptr (GPtrArray) argv = g_ptr_array_new ();
  Become become = { .parent = getpid () };

  if (identity != NULL)
    {
      become.change = TRUE;
      become.uid = identity->uid;
      become.gid = identity->gid;
      become.groups = (const gid_t *) (gpointer) identity->groups->data;
      become.n_groups = identity->groups->len;
    }
  g_ptr_array_add (argv, (gpointer) program);
  for (gsize i = 0; arguments[i] != NULL; i++)
    g_ptr_array_add (argv, (gpointer) arguments[i]);
  g_ptr_array_add (argv, NULL);

  g_subprocess_launcher_set_cwd (launcher, "/");
  set_environment (launcher, identity);
  g_subprocess_launcher_set_child_setup (launcher, become_cb, &become, NULL);
  return g_subprocess_launcher_spawnv (launcher, (const char *const *) argv->pdata, error);
}

GSubprocess *
tfd_spawn_worker (const char *program,
                  const char *const *arguments,
                  const TfdIdentity *identity,
                  int socket,
                  int lock,
                  GError **error)
{
  g_autoptr (GSubprocessLauncher) launcher = g_subprocess_launcher_new (G_SUBPROCESS_FLAGS_NONE);

  g_subprocess_launcher_take_fd (launcher, socket, 3);
  g_subprocess_launcher_take_fd (launcher, lock, 4);
  return spawn (launcher, program, arguments, identity, error);
}

GSubprocess *
tfd_spawn_reader (const char *program,
                  const char *const *arguments,
                  const TfdIdentity *identity,
                  GError **error)
{
  g_autoptr (GSubprocessLauncher) launcher =
      g_subprocess_launcher_new (G_SUBPROCESS_FLAGS_STDOUT_PIPE);

  return spawn (launcher, program, arguments, identity, error);
}
