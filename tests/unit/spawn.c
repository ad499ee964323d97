/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Tests of how worker processes are started: with which rights, what they inherit, when they die,
 * and that a second one of a user cannot run beside the first. */
#include "platform/spawn.h"

#include <glib/gstdio.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <unistd.h>

#define DEADLINE 120 /* seconds, for what takes milliseconds */
#define UID 1234

typedef struct
{
  char *dir;            /* (owned) of the locks */
  int socket;           /* to the child; -1 = closed */
  GSubprocess *process; /* (owned) (nullable) */
} Fixture;

static void
set_up (Fixture *self, gconstpointer data G_GNUC_UNUSED)
{
  self->dir = g_dir_make_tmp ("transferd-spawn-XXXXXX", NULL);
  g_assert_nonnull (self->dir);
  self->socket = -1;
  /* what hangs ends the test */
  alarm (DEADLINE);
}

static void
close_socket (Fixture *self)
{
  if (self->socket >= 0)
    close (self->socket);
  self->socket = -1;
}

static void
tear_down (Fixture *self, gconstpointer data G_GNUC_UNUSED)
{
  g_autofree char *lock = g_strdup_printf ("%s/worker-%u.lock", self->dir, UID);

  close_socket (self);
  if (self->process != NULL)
    g_subprocess_wait (self->process, NULL, NULL);
  g_clear_object (&self->process);
  g_unlink (lock);
  g_assert_cmpint (g_rmdir (self->dir), ==, 0);
  g_free (self->dir);
  alarm (0);
}

static int
take_lock (Fixture *self)
{
  g_autoptr (GError) error = NULL;
  int fd = tfd_spawn_take_lock (self->dir, UID, &error);

  g_assert_no_error (error);
  g_assert_cmpint (fd, >=, 0);
  return fd;
}

static void
assert_locked (Fixture *self)
{
  g_autoptr (GError) error = NULL;

  g_assert_cmpint (tfd_spawn_take_lock (self->dir, UID, &error), ==, -1);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_BUSY);
}

/* Starts a shell that runs @script; its standard output goes to us. */
static void
spawn (Fixture *self, const TfdIdentity *identity, const char *script)
{
  g_autofree char *redirected = g_strconcat ("exec >&3; ", script, NULL);
  const char *arguments[] = { "-c", redirected, NULL };
  g_autoptr (GError) error = NULL;
  int sockets[2];

  g_assert_cmpint (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets), ==, 0);
  self->socket = sockets[0];
  self->process =
      tfd_spawn_worker ("/bin/sh", arguments, identity, sockets[1], take_lock (self), &error);
  g_assert_no_error (error);
}

/* All that the child says until it ends. */
static char *
read_all (Fixture *self)
{
  GString *text = g_string_new (NULL);
  char buffer[256];

  for (gssize n = read (self->socket, buffer, sizeof buffer); n > 0;
       n = read (self->socket, buffer, sizeof buffer))
    g_string_append_len (text, buffer, n);
  return g_string_free (text, FALSE);
}

static void
assert_says (Fixture *self, const TfdIdentity *identity, const char *script, const char *expected)
{
  g_autofree char *text = NULL;

  spawn (self, identity, script);
  text = read_all (self);
  g_assert_cmpstr (text, ==, expected);
  close_socket (self);
  g_assert_true (g_subprocess_wait_check (self->process, NULL, NULL));
  g_clear_object (&self->process);
}

/* ---- the lock ---- */

static void
test_lock (Fixture *self, gconstpointer data G_GNUC_UNUSED)
{
  int fd = take_lock (self), other;
  g_autofree char *path = g_strdup_printf ("%s/worker-77.lock", self->dir);

  assert_locked (self);
  g_assert_cmpint (fcntl (fd, F_GETFD) & FD_CLOEXEC, !=, 0);
  other = tfd_spawn_take_lock (self->dir, 77, NULL);
  g_assert_cmpint (other, >=, 0);
  close (other);
  g_unlink (path);
  close (fd);
  close (take_lock (self));
}

static void
test_lock_fails (Fixture *self, gconstpointer data G_GNUC_UNUSED)
{
  g_autofree char *path = g_strdup_printf ("%s/worker-%u.lock", self->dir, UID);
  g_autoptr (GError) error = NULL;

  g_assert_cmpint (tfd_spawn_take_lock ("/nonexistent", UID, &error), ==, -1);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND);
  g_clear_error (&error);
  /* nobody is led elsewhere */
  g_assert_cmpint (symlink ("/dev/null", path), ==, 0);
  g_assert_cmpint (tfd_spawn_take_lock (self->dir, UID, &error), ==, -1);
  g_assert_nonnull (error);
}

/* It is free when the last process that has it has ended, not when the first is told to. */
static void
test_lock_inherited (Fixture *self, gconstpointer data G_GNUC_UNUSED)
{
  char byte;

  spawn (self, NULL, "echo x; read line <&3");
  g_assert_cmpint (read (self->socket, &byte, 1), ==, 1);
  assert_locked (self);
  close_socket (self);
  g_subprocess_wait (self->process, NULL, NULL);
  close (take_lock (self));
}

static void
test_lock_killed (Fixture *self, gconstpointer data G_GNUC_UNUSED)
{
  char byte;

  spawn (self, NULL, "echo x; read line <&3");
  g_assert_cmpint (read (self->socket, &byte, 1), ==, 1);
  g_subprocess_force_exit (self->process);
  g_subprocess_wait (self->process, NULL, NULL);
  g_assert_cmpint (g_subprocess_get_term_sig (self->process), ==, SIGKILL);
  close (take_lock (self));
}

/* A program that is not there: the lock is not lost with it. */
static void
test_no_program (Fixture *self, gconstpointer data G_GNUC_UNUSED)
{
  const char *arguments[] = { NULL };
  g_autoptr (GError) error = NULL;
  int sockets[2];
  char byte;

  g_assert_cmpint (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets), ==, 0);
  g_assert_null (tfd_spawn_worker ("/nonexistent/worker", arguments, NULL, sockets[1],
                                   take_lock (self), &error));
  g_assert_nonnull (error);
  g_assert_cmpint (read (sockets[0], &byte, 1), ==, 0);
  close (sockets[0]);
  close (take_lock (self));
}

/* ---- what it inherits ---- */

static void
test_arguments (Fixture *self, gconstpointer data G_GNUC_UNUSED)
{
  assert_says (self, NULL, "pwd; grep NoNewPrivs /proc/self/status", "/\nNoNewPrivs:\t1\n");
}

/* The socket, the lock, nothing else. */
static void
test_descriptors (Fixture *self, gconstpointer data G_GNUC_UNUSED)
{
  g_autofree char *script = NULL;
  int leak = open ("/dev/null", O_RDONLY);

  g_assert_cmpint (leak, >=, 0);
  /* high enough that no shell uses it for itself */
  leak = fcntl (leak, F_DUPFD, 100);
  script = g_strdup_printf ("test -S /proc/$$/fd/3 && echo socket;"
                            " readlink /proc/$$/fd/4 | grep -c worker-%u.lock;"
                            " test -e /proc/$$/fd/%d || echo clean",
                            UID, leak);
  assert_says (self, NULL, script, "socket\n1\nclean\n");
  close (leak);
}

/* As ourselves the environment stays. */
static void
test_environment (Fixture *self, gconstpointer data G_GNUC_UNUSED)
{
  g_setenv ("TFD_TEST_SPAWN", "x", TRUE);
  assert_says (self, NULL, "echo $TFD_TEST_SPAWN", "x\n");
  g_unsetenv ("TFD_TEST_SPAWN");
}

/* ---- as somebody else: only root can ---- */

static TfdIdentity *
make_identity (guint32 uid, guint32 gid, guint32 group)
{
  TfdIdentity *identity = g_new0 (TfdIdentity, 1);
  gid_t groups[] = { gid, group };

  identity->uid = uid;
  identity->gid = gid;
  identity->name = g_strdup ("somebody");
  identity->home = g_strdup ("/home/somebody");
  identity->groups = g_array_new (FALSE, FALSE, sizeof (gid_t));
  g_array_append_vals (identity->groups, groups, G_N_ELEMENTS (groups));
  return identity;
}

static void
test_identity (Fixture *self, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (TfdIdentity) identity = make_identity (54321, 54322, 54323);

  g_setenv ("TFD_TEST_SPAWN", "x", TRUE);
  assert_says (self, identity,
               "grep -E '^(Uid|Gid|Groups|CapPrm|CapEff|NoNewPrivs):' /proc/self/status;"
               " echo $HOME $USER $LOGNAME $TFD_TEST_SPAWN",
               "Uid:\t54321\t54321\t54321\t54321\nGid:\t54322\t54322\t54322\t54322\n"
               "Groups:\t54322 54323 \nCapPrm:\t0000000000000000\nCapEff:\t0000000000000000\n"
               "NoNewPrivs:\t1\n/home/somebody somebody somebody\n");
  g_unsetenv ("TFD_TEST_SPAWN");
}

/* Even root's worker has only what the owner of a file may do. */
static void
test_identity_root (Fixture *self, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (TfdIdentity) identity = make_identity (0, 0, 0);

  assert_says (self, identity, "grep -E '^(Uid|CapPrm|CapEff):' /proc/self/status",
               "Uid:\t0\t0\t0\t0\nCapPrm:\t0000000000000000\nCapEff:\t0000000000000000\n");
}

/* ---- when it dies ---- */

/* The daemon of the test below: it starts a worker that would go on, and is killed. */
static void
run_daemon (const char *dir)
{
  Fixture fixture = { .dir = (char *) dir, .socket = -1 };
  char byte;

  spawn (&fixture, NULL, "echo x; exec sleep 1000");
  g_assert_cmpint (read (fixture.socket, &byte, 1), ==, 1);
  kill (getpid (), SIGKILL);
}

/* A worker dies with the daemon, however that went: who comes next gets the lock. */
static void
test_dies_with_daemon (Fixture *self, gconstpointer data G_GNUC_UNUSED)
{
  g_autofree char *path = g_strdup_printf ("%s/worker-%u.lock", self->dir, UID);
  int fd;

  g_setenv ("TFD_TEST_SPAWN", self->dir, TRUE);
  g_test_trap_subprocess ("/spawn/daemon/subprocess", 0, G_TEST_SUBPROCESS_DEFAULT);
  g_unsetenv ("TFD_TEST_SPAWN");
  g_test_trap_assert_failed ();
  fd = open (path, O_RDWR | O_CLOEXEC);
  g_assert_cmpint (fd, >=, 0);
  g_assert_cmpint (flock (fd, LOCK_EX), ==, 0);
  close (fd);
}

static void
test_daemon (void)
{
  if (g_test_subprocess ())
    run_daemon (g_getenv ("TFD_TEST_SPAWN"));
}

#define ADD(path, function) g_test_add (path, Fixture, NULL, set_up, function, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("/spawn/lock/taken", test_lock);
  ADD ("/spawn/lock/fails", test_lock_fails);
  ADD ("/spawn/lock/inherited", test_lock_inherited);
  ADD ("/spawn/lock/killed", test_lock_killed);
  ADD ("/spawn/no-program", test_no_program);
  ADD ("/spawn/arguments", test_arguments);
  ADD ("/spawn/descriptors", test_descriptors);
  ADD ("/spawn/environment", test_environment);
  if (geteuid () == 0)
    {
      ADD ("/spawn/identity/user", test_identity);
      ADD ("/spawn/identity/root", test_identity_root);
    }
  ADD ("/spawn/dies-with-daemon", test_dies_with_daemon);
  g_test_add_func ("/spawn/daemon/subprocess", test_daemon);
  return g_test_run ();
}
