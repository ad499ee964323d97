/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Sandbox, system calls: a list of what is refused, not of what is allowed. Modules that we do not
 * know (name service, PKCS#11, proxies, TLS) run in this process, and libraries begin to use new
 * calls: what they need would be missing one day. */
#include "config.h"
#include "worker/sandbox.h"

#include "common/sanitizer.h"

#include <errno.h>
#include <gio/gio.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#ifdef HAVE_SECCOMP

#include <linux/netlink.h>
#include <seccomp.h>

typedef void *Filter;

static void
filter_release (Filter filter)
{
  if (filter != NULL)
    seccomp_release (filter);
}
G_DEFINE_AUTO_CLEANUP_FREE_FUNC (Filter, filter_release, NULL)

/* By name: a call that this machine does not have is none to refuse. */
static const char *const refused[] = {
  /* programs and processes; clone is judged by its flags */
  "execve",
  "execveat",
  "fork",
  "vfork",
  "uselib",
  /* other processes of the user */
  "process_vm_readv",
  "process_vm_writev",
  "process_madvise",
  "pidfd_getfd",
  "kcmp",
  "move_pages",
  "migrate_pages",
  /* mounts, roots, namespaces */
  "mount",
  "mount_setattr",
  "umount",
  "umount2",
  "fsopen",
  "fsconfig",
  "fsmount",
  "fspick",
  "move_mount",
  "open_tree",
  "pivot_root",
  "chroot",
  "unshare",
  "setns",
  "open_by_handle_at",
  /* special files; a FIFO would be one */
  "mknod",
  "mknodat",
  /* what makes the kernel do things for us, and has often done too much */
  "bpf",
  "perf_event_open",
  "userfaultfd",
  "io_uring_setup",
  "io_uring_enter",
  "io_uring_register",
  "fanotify_init",
  "lookup_dcookie",
  "modify_ldt",
  "personality",
  "remap_file_pages",
  "vmsplice",
  /* keys of the user */
  "keyctl",
  "add_key",
  "request_key",
  /* the machine */
  "init_module",
  "finit_module",
  "delete_module",
  "kexec_load",
  "kexec_file_load",
  "reboot",
  "swapon",
  "swapoff",
  "acct",
  "quotactl",
  "quotactl_fd",
  "syslog",
  "sysfs",
  "_sysctl",
  "nfsservctl",
  "ioperm",
  "iopl",
  "vm86",
  "vm86old",
  "vhangup",
  "settimeofday",
  "clock_settime",
  "clock_adjtime",
  "sethostname",
  "setdomainname",
};

/* Families of sockets below the highest that is allowed, AF_NETLINK, without those that are. */
static const guint families[] = { AF_UNSPEC,  AF_AX25,     AF_IPX, AF_APPLETALK, AF_NETROM,
                                  AF_BRIDGE,  AF_ATMPVC,   AF_X25, AF_ROSE,      AF_DECnet,
                                  AF_NETBEUI, AF_SECURITY, AF_KEY };

/* The argument of clone that has the flags. */
#if defined(__s390__) || defined(__CRIS__)
#define CLONE_FLAGS 1
#else
#define CLONE_FLAGS 0
#endif

static gboolean
refuse (Filter filter, const char *name, guint n, const struct scmp_arg_cmp *arguments)
{
  int call = seccomp_syscall_resolve_name (name);
  int result;

  if (call == __NR_SCMP_ERROR)
    return TRUE;
  result = seccomp_rule_add_array (filter, SCMP_ACT_ERRNO (EPERM), call, n, arguments);
  /* -EDOM: a call of other architectures */
  return result == 0 || result == -EDOM;
}

static gboolean
refuse_sockets (Filter filter)
{
  const struct scmp_arg_cmp above = SCMP_CMP (0, SCMP_CMP_GT, AF_NETLINK, 0);
  const struct scmp_arg_cmp netlink[] = { SCMP_CMP (0, SCMP_CMP_EQ, AF_NETLINK, 0),
                                          SCMP_CMP (2, SCMP_CMP_NE, NETLINK_ROUTE, 0) };

  for (gsize i = 0; i < G_N_ELEMENTS (families); i++)
    {
      const struct scmp_arg_cmp family = SCMP_CMP (0, SCMP_CMP_EQ, families[i], 0);

      if (!refuse (filter, "socket", 1, &family))
        return FALSE;
    }
  return refuse (filter, "socket", 1, &above) &&
         refuse (filter, "socket", G_N_ELEMENTS (netlink), netlink);
}

/* The kernel reads 32 bits of these arguments, whatever stands above them. */
static gboolean
refuse_value (Filter filter, const char *name, guint argument, guint32 value)
{
  const struct scmp_arg_cmp same =
      SCMP_CMP (argument, SCMP_CMP_MASKED_EQ, G_MAXUINT32, (scmp_datum_t) value);

  return refuse (filter, name, 1, &same);
}

static gboolean
refuse_processes (Filter filter)
{
  const struct scmp_arg_cmp no_thread = SCMP_CMP (CLONE_FLAGS, SCMP_CMP_MASKED_EQ, CLONE_THREAD, 0);

  if (TFD_SANITIZER)
    return TRUE;
  return refuse (filter, "ptrace", 0, NULL) && refuse (filter, "clone", 1, &no_thread);
}

static gboolean
fill (Filter filter)
{
  for (gsize i = 0; i < G_N_ELEMENTS (refused); i++)
    if (!refuse (filter, refused[i], 0, NULL))
      return FALSE;
  return refuse_processes (filter) &&
         refuse_sockets (filter)
         /* typing into a terminal */
         && refuse_value (filter, "ioctl", 1, TIOCSTI) &&
         refuse_value (filter, "ioctl", 1, TIOCLINUX)
         /* what tfd_sandbox_limit_process () and transferd have set */
         && refuse_value (filter, "prctl", 0, PR_SET_DUMPABLE) &&
         refuse_value (filter, "prctl", 0, PR_SET_PDEATHSIG);
}

static gboolean
load (Filter filter, GError **error)
{
  int result;

  /* a call in the manner of another architecture is refused, too, not an end of the process */
  seccomp_attr_set (filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_ERRNO (EPERM));
  /* a tree of numbers instead of a list: each call is looked up */
  seccomp_attr_set (filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
  result = seccomp_load (filter);
  if (result < 0)
    g_set_error_literal (error, G_IO_ERROR, g_io_error_from_errno (-result), g_strerror (-result));
  return result == 0;
}

gboolean
tfd_sandbox_limit_calls (GError **error)
{
  g_auto (Filter) told = seccomp_init (SCMP_ACT_ALLOW);
  g_auto (Filter) silent = seccomp_init (SCMP_ACT_ALLOW);

  if (told == NULL || silent == NULL ||
      !fill (told)
      /* its flags are out of sight: the C library goes on with clone */
      || seccomp_rule_add (silent, SCMP_ACT_ERRNO (ENOSYS), SCMP_SYS (clone3), 0) < 0)
    {
      g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_FAILED, "the filter cannot be made");
      return FALSE;
    }
  /* whatever is refused is a line of the kernel's log; not so what each new thread tries first */
  seccomp_attr_set (told, SCMP_FLTATR_CTL_LOG, 1);
  return load (silent, error) && load (told, error);
}

#else

gboolean
tfd_sandbox_limit_calls (GError **error)
{
  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED, "built without libseccomp");
  return FALSE;
}

#endif
