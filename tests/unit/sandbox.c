/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Tests of the sandbox from inside: this program confines itself as the worker does, and then tries
 * to get out, and to do what moving files needs. Run by any user, root without capabilities too. */
#include "config.h"

#include "sandbox-fixture.h"

#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <linux/netlink.h>
#include <netdb.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

/* ---- the process ---- */

static void
test_process (void)
{
  struct rlimit limit;

  g_assert_cmpint (prctl (PR_GET_DUMPABLE), ==, 0);
  g_assert_cmpint (prctl (PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), ==, 1);
  g_assert_cmpint (getrlimit (RLIMIT_CORE, &limit), ==, 0);
  g_assert_cmpuint (limit.rlim_max, ==, 0);
  g_assert_cmpint (getrlimit (RLIMIT_NOFILE, &limit), ==, 0);
  g_assert_cmpuint (limit.rlim_max, <=, 4096);
  g_assert_cmpuint (limit.rlim_cur, >=, 512);
  g_assert_cmpint (getrlimit (RLIMIT_DATA, &limit), ==, 0);
  if (!TFD_SANITIZER)
    g_assert_cmpuint (limit.rlim_max, <=, G_GUINT64_CONSTANT (1) << 32);
}

static void
test_cannot_be_undone (void)
{
  const struct rlimit more = { 4096, 4096 };

  sandbox_needs (TFD_SANDBOX_CALLS);
  assert_refused (prctl (PR_SET_DUMPABLE, 1, 0, 0, 0));
  assert_refused (syscall (SYS_prctl, G_GUINT64_CONSTANT (1) << 32 | PR_SET_DUMPABLE, 1, 0, 0, 0));
  assert_refused (prctl (PR_SET_PDEATHSIG, 0, 0, 0, 0));
  if (getuid () != 0)
    assert_refused (setrlimit (RLIMIT_CORE, &more));
  g_assert_cmpint (prctl (PR_GET_DUMPABLE), ==, 0);
}

/* More than is allowed is an answer of malloc, not the end of the machine. */
static void
test_memory (void)
{
  if (TFD_SANITIZER)
    return;
  g_assert_true (mmap (NULL, (gsize) 5 << 30, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
                       -1, 0) == MAP_FAILED);
  g_assert_cmpint (errno, ==, ENOMEM);
}

static void
test_programs (void)
{
  char *const words[] = { (char *) "true", NULL };
  pid_t pid;

  sandbox_needs (TFD_SANDBOX_CALLS);
  assert_refused (execve ("/bin/true", words, words));
  assert_refused (syscall (SYS_execveat, AT_FDCWD, "/bin/true", words, words, 0));
#ifdef SYS_fork
  if (!TFD_SANITIZER)
    assert_refused (syscall (SYS_fork));
#endif
  if (TFD_SANITIZER)
    return;
  assert_refused (fork ());
  assert_refused (syscall (SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL));
  assert_refused (syscall (SYS_clone, CLONE_VM | SIGCHLD, NULL, NULL, NULL, NULL));
  g_assert_cmpint (posix_spawn (&pid, "/bin/true", NULL, NULL, words, words), ==, EPERM);
}

static gpointer
answer_cb (gpointer data)
{
  return data;
}

static void
test_threads (void)
{
  GThread *thread = g_thread_new ("one", answer_cb, GINT_TO_POINTER (42));

  g_assert_cmpint (GPOINTER_TO_INT (g_thread_join (thread)), ==, 42);
}

/* The sandbox holds in threads that begin later. */
static gpointer
escape_cb (gpointer data G_GNUC_UNUSED)
{
  assert_refused (unshare (CLONE_NEWUSER));
  return NULL;
}

static void
test_threads_are_confined (void)
{
  sandbox_needs (TFD_SANDBOX_CALLS);
  g_thread_join (g_thread_new ("two", escape_cb, NULL));
}

/* ---- other processes ---- */

static void
test_others (void)
{
  char byte = 0;
  struct iovec here = { &byte, 1 };
  int self = (int) syscall (SYS_pidfd_open, sandbox_sibling, 0);

  sandbox_needs (TFD_SANDBOX_CALLS);
  if (!TFD_SANITIZER)
    {
      assert_refused (ptrace (PTRACE_ATTACH, sandbox_sibling, NULL, NULL));
      assert_refused (ptrace (PTRACE_SEIZE, sandbox_sibling, NULL, NULL));
      assert_refused (ptrace (PTRACE_TRACEME, 0, NULL, NULL));
    }
  assert_refused (process_vm_readv (sandbox_sibling, &here, 1, &here, 1, 0));
  assert_refused (process_vm_writev (sandbox_sibling, &here, 1, &here, 1, 0));
  assert_refused (syscall (SYS_pidfd_getfd, self, 0, 0));
  assert_refused (syscall (SYS_kcmp, getpid (), sandbox_sibling, 0, 0, 0));
  g_assert_cmpint (self, >=, 0);
  close (self);
}

static void
test_others_by_files (void)
{
  g_autofree char *memory = g_strdup_printf ("/proc/%d/mem", sandbox_sibling);
  g_autofree char *root = g_strdup_printf ("/proc/%d/root", sandbox_sibling);

  sandbox_needs (TFD_SANDBOX_FILES);
  assert_refused (open (memory, O_RDWR | O_CLOEXEC));
  assert_refused (open (root, O_PATH | O_CLOEXEC));
  if (sandbox_landlock >= 6)
    assert_refused (kill (sandbox_sibling, SIGTERM));
}

/* ---- files ---- */

static void
test_special_files (void)
{
  struct sockaddr_un address = { .sun_family = AF_UNIX };
  int fd = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

  sandbox_needs (TFD_SANDBOX_CALLS);
  assert_refused (mkfifoat (sandbox_dir, "fifo", 0600));
  assert_refused (mknodat (sandbox_dir, "null", S_IFCHR | 0600, 0x103));
  assert_refused (mknodat (sandbox_dir, "disk", S_IFBLK | 0600, 0x800));
  assert_refused (mknodat (sandbox_dir, "socket", S_IFSOCK | 0600, 0));
  sandbox_needs (TFD_SANDBOX_FILES);
  g_strlcpy (address.sun_path, sandbox_path, sizeof address.sun_path);
  g_strlcat (address.sun_path, "/socket", sizeof address.sun_path);
  assert_refused (bind (fd, (struct sockaddr *) &address, sizeof address));
  close (fd);
}

static void
test_kernel_files (void)
{
  static const char *const files[] = {
    "/proc/self/mem",
    "/proc/self/comm",
    "/proc/self/oom_score_adj",
    "/proc/self/clear_refs",
    "/proc/sys/kernel/core_pattern",
    "/proc/sys/kernel/modprobe",
    "/proc/sysrq-trigger",
    "/sys/kernel/mm/transparent_hugepage/enabled",
    "/sys/power/state",
    "/dev/sda",
    "/dev/vda",
    "/dev/nvme0n1",
    "/dev/loop-control",
    "/dev/mem",
    "/dev/kmsg",
    "/dev/mapper/control",
  };

  sandbox_needs (TFD_SANDBOX_FILES);
  for (gsize i = 0; i < G_N_ELEMENTS (files); i++)
    {
      assert_refused_or_absent (open (files[i], O_WRONLY | O_CLOEXEC));
      assert_refused_or_absent (open (files[i], O_RDWR | O_CLOEXEC));
    }
  if (getuid () == 0)
    assert_refused_or_absent (truncate ("/proc/sys/kernel/core_pattern", 0));
  g_assert_cmpint (creat ("/proc/a", 0600), <, 0);
  g_assert_cmpint (creat ("/sys/a", 0600), <, 0);
  g_assert_cmpint (creat ("/dev/transferd-test", 0600), <, 0);
}

/* ---- the kernel ---- */

static void
test_namespaces (void)
{
  int fd = open ("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
  char handle[64] = { 8 };

  sandbox_needs (TFD_SANDBOX_CALLS);
  assert_refused (unshare (CLONE_NEWUSER));
  assert_refused (unshare (CLONE_NEWNET));
  assert_refused (setns (fd, CLONE_NEWNET));
  assert_refused (chroot ("/"));
  assert_refused (syscall (SYS_mount, "none", "/mnt", "tmpfs", 0, NULL));
  assert_refused (syscall (SYS_umount2, "/nowhere", 0));
  assert_refused (syscall (SYS_pivot_root, ".", "."));
  assert_refused (syscall (SYS_open_tree, AT_FDCWD, "/", 0));
  assert_refused (syscall (SYS_move_mount, -1, "", -1, "", 0));
  assert_refused (syscall (SYS_fsopen, "tmpfs", 0));
  assert_refused (syscall (SYS_open_by_handle_at, sandbox_dir, handle, O_RDONLY));
  close (fd);
}

static void
test_kernel (void)
{
  sandbox_needs (TFD_SANDBOX_CALLS);
  assert_refused (syscall (SYS_bpf, 0, NULL, 0));
  assert_refused (syscall (SYS_perf_event_open, NULL, 0, -1, -1, 0));
  assert_refused (syscall (SYS_userfaultfd, 0));
  assert_refused (syscall (SYS_io_uring_setup, 1, NULL));
  assert_refused (syscall (SYS_keyctl, 0, -3, 0));
  assert_refused (syscall (SYS_add_key, "user", "a", "b", 1, -3));
  assert_refused (syscall (SYS_request_key, "user", "a", NULL, -3));
  assert_refused (syscall (SYS_init_module, NULL, 0, ""));
  assert_refused (syscall (SYS_finit_module, -1, "", 0));
  assert_refused (syscall (SYS_delete_module, "nothing", 0));
  assert_refused (syscall (SYS_kexec_load, 0, 0, NULL, 0));
  assert_refused (syscall (SYS_reboot, 1, 2, 3, NULL));
  assert_refused (syscall (SYS_swapon, "/nowhere", 0));
  assert_refused (syscall (SYS_acct, "/nowhere"));
  assert_refused (syscall (SYS_personality, 0xffffffff));
  assert_refused (syscall (SYS_quotactl, 0, "/nowhere", 0, NULL));
  assert_refused (syscall (SYS_syslog, 10, NULL, 0));
  assert_refused (syscall (SYS_fanotify_init, 0, 0));
  assert_refused (syscall (SYS_ioctl, 0, 0x5412 /* TIOCSTI */, "a"));
  assert_refused (syscall (SYS_ioctl, 0, G_GUINT64_CONSTANT (1) << 32 | 0x5412, "a"));
}

/* A second door to the same calls, with other numbers. */
static void
test_other_architecture (void)
{
  sandbox_needs (TFD_SANDBOX_CALLS);
  if (!sandbox_has_compat)
    {
      g_test_skip ("kernel: no calls of another architecture");
      return;
    }
  g_assert_cmpint (sandbox_compat_getpid (), ==, -EPERM);
}

/* ---- sockets ---- */

static int
try_socket (guint64 family, int protocol)
{
  int fd = (int) syscall (SYS_socket, family, SOCK_DGRAM | SOCK_CLOEXEC, protocol);

  if (fd >= 0)
    close (fd);
  return fd;
}

static void
test_sockets (void)
{
  static const guint refused[] = { AF_UNSPEC,    AF_PACKET,    AF_KEY,       AF_ALG, AF_VSOCK,
                                   AF_BLUETOOTH, AF_CAN,       AF_TIPC,      AF_RDS, AF_XDP,
                                   AF_QIPCRTR,   AF_AX25,      AF_APPLETALK, AF_X25, AF_SMC,
                                   AF_NFC,       AF_IEEE802154 };

  sandbox_needs (TFD_SANDBOX_CALLS);
  for (gsize i = 0; i < G_N_ELEMENTS (refused); i++)
    assert_refused (try_socket (refused[i], 0));
  assert_refused (try_socket (G_GUINT64_CONSTANT (1) << 32 | AF_PACKET, 0));
  assert_refused (try_socket (AF_NETLINK, NETLINK_GENERIC));
  assert_refused (try_socket (AF_NETLINK, 12 /* netfilter */));
  g_assert_cmpint (try_socket (AF_UNIX, 0), >=, 0);
  g_assert_cmpint (try_socket (AF_INET, 0), >=, 0);
  g_assert_cmpint (try_socket (AF_NETLINK, NETLINK_ROUTE), >=, 0);
}

static void
test_listening (void)
{
  const struct sockaddr_in address = { .sin_family = AF_INET };
  int fd = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

  if (sandbox_landlock >= 4)
    assert_refused (bind (fd, (const struct sockaddr *) &address, sizeof address));
  else
    g_test_skip ("kernel: Landlock of a version without network");
  close (fd);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  sandbox_begin ();
  g_test_add_func ("/sandbox/process", test_process);
  g_test_add_func ("/sandbox/cannot-be-undone", test_cannot_be_undone);
  g_test_add_func ("/sandbox/memory", test_memory);
  g_test_add_func ("/sandbox/programs", test_programs);
  g_test_add_func ("/sandbox/threads", test_threads);
  g_test_add_func ("/sandbox/threads/confined", test_threads_are_confined);
  g_test_add_func ("/sandbox/others", test_others);
  g_test_add_func ("/sandbox/others/files", test_others_by_files);
  g_test_add_func ("/sandbox/special-files", test_special_files);
  g_test_add_func ("/sandbox/kernel-files", test_kernel_files);
  g_test_add_func ("/sandbox/namespaces", test_namespaces);
  g_test_add_func ("/sandbox/kernel", test_kernel);
  g_test_add_func ("/sandbox/other-architecture", test_other_architecture);
  g_test_add_func ("/sandbox/sockets", test_sockets);
  g_test_add_func ("/sandbox/listening", test_listening);
  sandbox_add_work_tests ();
  return sandbox_end (g_test_run ());
}
