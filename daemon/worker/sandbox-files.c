/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Sandbox, files: Landlock. A rule allows something below a directory, and what is mounted later is
 * below the directory that it is mounted in. Destinations are not known when the worker starts: no
 * rule can say which files it writes, only what it never does. */
#include "config.h"
#include "worker/sandbox.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The same numbers on all architectures. The headers of the machine that builds may be older than
 * the kernel that runs. */
#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset 444
#define SYS_landlock_add_rule 445
#define SYS_landlock_restrict_self 446
#endif

#define QUERY_VERSION (1u << 0)
#define RULE_PATH_BENEATH 1

#define EXECUTE (G_GUINT64_CONSTANT (1) << 0)
#define WRITE_FILE (G_GUINT64_CONSTANT (1) << 1)
#define MAKE_CHAR (G_GUINT64_CONSTANT (1) << 6)
#define MAKE_SOCK (G_GUINT64_CONSTANT (1) << 9)
#define MAKE_FIFO (G_GUINT64_CONSTANT (1) << 10)
#define MAKE_BLOCK (G_GUINT64_CONSTANT (1) << 11)
#define REFER (G_GUINT64_CONSTANT (1) << 13)    /* from version 2 on */
#define TRUNCATE (G_GUINT64_CONSTANT (1) << 14) /* 3 */
#define BIND_TCP (G_GUINT64_CONSTANT (1) << 0)  /* 4 */
#define SCOPE_ABSTRACT_UNIX_SOCKET (G_GUINT64_CONSTANT (1) << 0)
#define SCOPE_SIGNAL (G_GUINT64_CONSTANT (1) << 1) /* 6 */

/* What is 0 may be longer than what the kernel knows. */
typedef struct
{
  guint64 files;
  guint64 net;
  guint64 scoped;
} Ruleset;

typedef struct
{
  guint64 allowed;
  gint32 fd;
} __attribute__ ((packed)) Beneath;

static int
allow (int ruleset, const char *path, guint64 what)
{
  Beneath rule = { what, open (path, O_PATH | O_NOFOLLOW | O_CLOEXEC) };
  long result = -1;

  if (rule.fd < 0)
    return -1;
  result = syscall (SYS_landlock_add_rule, ruleset, RULE_PATH_BENEATH, &rule, 0);
  close (rule.fd);
  return (int) result;
}

static gboolean
is_of_the_kernel (const char *name)
{
  return strcmp (name, "proc") == 0 || strcmp (name, "sys") == 0 || strcmp (name, "dev") == 0;
}

/* There is no rule against something: everything else is allowed by its name. */
static void
allow_writing (int ruleset, guint64 writing)
{
  DIR *root = opendir ("/");
  const struct dirent *entry;

  while (root != NULL && (entry = readdir (root)) != NULL)
    {
      g_autofree char *path = g_strconcat ("/", entry->d_name, NULL);

      if (entry->d_name[0] != '.' && !is_of_the_kernel (entry->d_name) &&
          g_file_test (path, G_FILE_TEST_IS_DIR))
        allow (ruleset, path, writing);
    }
  if (root != NULL)
    closedir (root);
  /* a file system like others; and what libraries write to, to be rid of it */
  allow (ruleset, "/dev/shm", writing);
  allow (ruleset, "/dev/null", writing);
}

static Ruleset
ruleset_for (long version, gboolean kernel_files)
{
  Ruleset rules = { EXECUTE | MAKE_CHAR | MAKE_BLOCK | MAKE_FIFO | MAKE_SOCK, 0, 0 };

  if (kernel_files)
    rules.files |= WRITE_FILE | (version >= 3 ? TRUNCATE : 0);
  /* without being handled it is denied */
  if (version >= 2)
    rules.files |= REFER;
  if (version >= 4)
    rules.net = BIND_TCP;
  if (version >= 6)
    rules.scoped = SCOPE_ABSTRACT_UNIX_SOCKET | SCOPE_SIGNAL;
  return rules;
}

static gboolean
fail (const char *doing, GError **error)
{
  int code = errno;

  g_set_error (error, G_IO_ERROR, g_io_error_from_errno (code), "%s: %s", doing, g_strerror (code));
  return FALSE;
}

gboolean
tfd_sandbox_limit_files (gboolean kernel_files, GError **error)
{
  long version = syscall (SYS_landlock_create_ruleset, NULL, 0, QUERY_VERSION);
  Ruleset rules;
  long ruleset;
  gboolean done;

  if (version < 1)
    return fail ("the kernel has none", error);
  rules = ruleset_for (version, kernel_files);
  ruleset = syscall (SYS_landlock_create_ruleset, &rules, sizeof rules, 0);
  if (ruleset < 0)
    return fail ("rules", error);

  if (version >= 2)
    allow ((int) ruleset, "/", REFER);
  if (kernel_files)
    allow_writing ((int) ruleset, rules.files & (WRITE_FILE | TRUNCATE));
  done = prctl (PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         syscall (SYS_landlock_restrict_self, ruleset, 0) == 0;
  if (!done)
    fail ("confining", error);
  close ((int) ruleset);
  return done;
}
