/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Sandbox fixture: the world outside, made before the sandbox closes; and the work of a worker,
 * done inside. */
#include "config.h"

#include "sandbox-fixture.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <glib/gstdio.h>
#include <linux/fs.h>
#include <linux/openat2.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

guint sandbox_parts;
long sandbox_landlock;
pid_t sandbox_sibling;
int sandbox_dir;
char *sandbox_path;
guint16 sandbox_port;
gboolean sandbox_has_compat;

static int listener;
static int inherited; /* a file that was open before */

/* ---- outside ---- */

long
sandbox_compat_getpid (void)
{
#ifdef __x86_64__
  long result;

  __asm__ volatile("int $0x80" : "=a"(result) : "a"(20L) : "memory", "r8", "r9", "r10", "r11");
  return (int) result;
#else
  return -ENOSYS;
#endif
}

/* A kernel without it answers with a signal. */
static gboolean
has_compat (void)
{
  pid_t child = fork ();
  int status = 0;

  if (child == 0)
    _exit (sandbox_compat_getpid () == getpid () ? 0 : 1);
  return waitpid (child, &status, 0) == child && WIFEXITED (status) && WEXITSTATUS (status) == 0;
}

static void
listen_on_a_port (void)
{
  struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr = { htonl (INADDR_LOOPBACK) } };
  socklen_t length = sizeof address;

  listener = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  g_assert_cmpint (bind (listener, (struct sockaddr *) &address, sizeof address), ==, 0);
  g_assert_cmpint (listen (listener, 5), ==, 0);
  g_assert_cmpint (getsockname (listener, (struct sockaddr *) &address, &length), ==, 0);
  sandbox_port = ntohs (address.sin_port);
}

static guint
count_threads (void)
{
  DIR *tasks = opendir ("/proc/self/task");
  const struct dirent *entry;
  guint count = 0;

  while ((entry = readdir (tasks)) != NULL)
    count += entry->d_name[0] != '.';
  closedir (tasks);
  return count;
}

void
sandbox_begin (void)
{
  g_autoptr (GError) error = NULL;
  int pipes[2];

  sandbox_landlock = MAX (syscall (444, NULL, 0, 1), 0);
  sandbox_has_compat = has_compat ();
  sandbox_path = g_dir_make_tmp ("transferd-sandbox-XXXXXX", &error);
  g_assert_no_error (error);
  sandbox_dir = open (sandbox_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  inherited = openat (sandbox_dir, "inherited", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  g_assert_cmpint (mkdirat (sandbox_dir, "other", 0700), ==, 0);
  listen_on_a_port ();
  /* it ends when the other end of the pipe does: a confined process sends it no signal, not even
     by dying */
  g_assert_cmpint (pipe2 (pipes, O_CLOEXEC), ==, 0);
  sandbox_sibling = fork ();
  if (sandbox_sibling == 0)
    {
      char byte;

      close (pipes[1]);
      _exit (read (pipes[0], &byte, 1) < 0);
    }
  g_assert_cmpuint (count_threads (), ==, 1);
  sandbox_parts = tfd_sandbox_enter ();
  if (sandbox_landlock > 0)
    g_assert_true ((sandbox_parts & TFD_SANDBOX_FILES) != 0);
}

int
sandbox_end (int status)
{
  unlinkat (sandbox_dir, "inherited", 0);
  unlinkat (sandbox_dir, "other", AT_REMOVEDIR);
  rmdir (sandbox_path);
  g_free (sandbox_path);
  if (TFD_SANITIZER)
    {
      /* a search for leaks would look into this process, which hides its memory */
      fflush (stdout);
      _exit (status);
    }
  return status;
}

/* ---- inside ---- */

static void
assert_works (long result, const char *what)
{
  if (result < 0)
    g_error ("%s: %s", what, g_strerror (errno));
}

/* As a download is written, synced and put into its place. */
static void
test_files (void)
{
  int fd = openat (sandbox_dir, "part", O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  struct statx info;

  assert_works (fd, "open");
  assert_works (pwrite (fd, "hello", 5, 0), "pwrite");
  if (fallocate (fd, FALLOC_FL_KEEP_SIZE, 0, 65536) < 0)
    g_assert_cmpint (errno, ==, EOPNOTSUPP);
  assert_works (ftruncate (fd, 4), "ftruncate");
  assert_works (fchmod (fd, 0644), "fchmod");
  assert_works (futimens (fd, NULL), "futimens");
  assert_works (fdatasync (fd), "fdatasync");
  assert_works (syncfs (fd), "syncfs");
  assert_works (fsync (sandbox_dir), "fsync");
  assert_works (statx (fd, "", AT_EMPTY_PATH, STATX_ALL, &info), "statx");
  assert_works (renameat2 (sandbox_dir, "part", sandbox_dir, "final", RENAME_NOREPLACE), "rename");
  assert_works (linkat (sandbox_dir, "final", sandbox_dir, "second", 0), "link");
  assert_works (symlinkat ("final", sandbox_dir, "link"), "symlink");
  assert_works (unlinkat (sandbox_dir, "second", 0), "unlink");
  assert_works (unlinkat (sandbox_dir, "link", 0), "unlink");
  /* into another directory */
  if (sandbox_landlock != 1)
    {
      assert_works (renameat (sandbox_dir, "final", sandbox_dir, "other/final"), "rename");
      assert_works (renameat (sandbox_dir, "other/final", sandbox_dir, "final"), "rename");
    }
  assert_works (unlinkat (sandbox_dir, "final", 0), "unlink");
  assert_works (mkdirat (sandbox_dir, "directory", 0700), "mkdir");
  assert_works (unlinkat (sandbox_dir, "directory", AT_REMOVEDIR), "rmdir");
  close (fd);
}

static void
test_calls (void)
{
  union
  {
    struct file_handle handle;
    char room[sizeof (struct file_handle) + MAX_HANDLE_SZ];
  } handle = { .handle.handle_bytes = MAX_HANDLE_SZ };
  struct open_how how = { .flags = O_RDWR | O_CREAT | O_CLOEXEC,
                          .mode = 0600,
                          .resolve = RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS };
  int from = (int) syscall (SYS_openat2, sandbox_dir, "from", &how, sizeof how);
  int to = (int) syscall (SYS_openat2, sandbox_dir, "to", &how, sizeof how);
  int mount, pipes[2];
  loff_t start = 0;

  assert_works (from, "openat2");
  assert_works (write (from, "hello", 5), "write");
  if (name_to_handle_at (from, "", &handle.handle, &mount, AT_EMPTY_PATH) < 0)
    g_assert_cmpint (errno, ==, EOPNOTSUPP);
  if (copy_file_range (from, &start, to, NULL, 5, 0) < 0)
    g_assert_true (errno == EXDEV || errno == EINVAL || errno == EOPNOTSUPP);
  start = 0;
  assert_works (sendfile (to, from, &start, 5), "sendfile");
  g_assert_cmpint (pipe2 (pipes, O_CLOEXEC), ==, 0);
  start = 0;
  assert_works (splice (from, &start, pipes[1], NULL, 5, 0), "splice");
  assert_works (write (inherited, "x", 1), "a file that was open before");
  assert_works (unlinkat (sandbox_dir, "from", 0), "unlink");
  assert_works (unlinkat (sandbox_dir, "to", 0), "unlink");
  close (pipes[0]);
  close (pipes[1]);
  close (from);
  close (to);
}

static void
test_shared_memory_is_a_destination (void)
{
  g_autofree char *path = g_strdup_printf ("/dev/shm/transferd-test-%d", getpid ());
  int fd;

  if (access ("/dev/shm", W_OK) < 0)
    {
      g_test_skip ("kernel: no /dev/shm");
      return;
    }
  fd = open (path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  assert_works (fd, path);
  close (fd);
  g_assert_cmpint (g_unlink (path), ==, 0);
  fd = open ("/dev/null", O_RDWR | O_CLOEXEC);
  assert_works (fd, "/dev/null");
  close (fd);
}

static void
test_network (void)
{
  const struct addrinfo hints = { .ai_flags = AI_ADDRCONFIG, .ai_socktype = SOCK_STREAM };
  g_autoptr (GSocketClient) client = g_socket_client_new ();
  g_autoptr (GSocketConnection) connection = NULL;
  g_autoptr (GError) error = NULL;
  struct addrinfo *found = NULL;

  connection = g_socket_client_connect_to_host (client, "127.0.0.1", sandbox_port, NULL, &error);
  g_assert_no_error (error);
  /* what there is of the name service is loaded and asked; the answer depends on the machine */
  if (getaddrinfo ("localhost", "80", &hints, &found) == 0)
    freeaddrinfo (found);
}

/* Modules are loaded after the sandbox has closed. */
static void
test_modules (void)
{
  g_autoptr (GTlsDatabase) database = NULL;
  void *module = dlopen ("libresolv.so.2", RTLD_NOW);

  g_assert_nonnull (module);
  dlclose (module);
  g_assert_true (g_tls_backend_supports_tls (g_tls_backend_get_default ()));
  database = g_tls_backend_get_default_database (g_tls_backend_get_default ());
  g_assert_nonnull (database);
}

void
sandbox_add_work_tests (void)
{
  g_test_add_func ("/sandbox/needed/files", test_files);
  g_test_add_func ("/sandbox/needed/calls", test_calls);
  g_test_add_func ("/sandbox/needed/shared-memory", test_shared_memory_is_a_destination);
  g_test_add_func ("/sandbox/needed/network", test_network);
  g_test_add_func ("/sandbox/needed/modules", test_modules);
}
