/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Sandbox: limits of the process, and all parts together. */
#include "config.h"
#include "worker/sandbox.h"

#include "common/sanitizer.h"

#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

/* Bytes of memory that may be written. 64 connections, their buffers and the stacks of all threads
 * take about a tenth of it; a message of the daemon has 16 MiB at most. It ends a worker that a
 * server makes grow before the machine feels it. */
#define MEMORY (G_GUINT64_CONSTANT (2) << 30)

/* 64 connections, each with a part and its directory, 256 directories handed in by clients, and
 * what libraries hold; again with much to spare. */
#define DESCRIPTORS 4096

/* Never above what was given; FALSE cannot be, as limits are only lowered. */
static void
limit (int resource, rlim_t value)
{
  struct rlimit now;

  if (getrlimit (resource, &now) < 0)
    return;
  now.rlim_max = MIN (now.rlim_max, value);
  now.rlim_cur = now.rlim_max;
  setrlimit (resource, &now);
}

void
tfd_sandbox_limit_process (void)
{
  /* passwords are in this memory: not for a dump, nor for other processes of the user */
  limit (RLIMIT_CORE, 0);
  prctl (PR_SET_DUMPABLE, 0, 0, 0, 0);
  limit (RLIMIT_NOFILE, DESCRIPTORS);
  /* a sanitizer maps terabytes as the shadow of its memory */
  if (!TFD_SANITIZER)
    limit (RLIMIT_DATA, (rlim_t) MEMORY);
  /* RLIMIT_NPROC counts all threads of the user, whose other programs are none of our business:
   * that no process is started is for seccomp to see to */
  prctl (PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

guint
tfd_sandbox_enter (void)
{
  g_autoptr (GError) calls = NULL;
  g_autoptr (GError) files = NULL;
  guint parts = 0;

  tfd_sandbox_limit_process ();
  /* Landlock first: its calls are none that the filter has to know */
  if (tfd_sandbox_limit_files (geteuid () == 0, &files))
    parts |= TFD_SANDBOX_FILES;
  if (tfd_sandbox_limit_calls (&calls))
    parts |= TFD_SANDBOX_CALLS;

  if (calls != NULL)
    g_printerr ("transferd-worker: goes on without a filter of system calls: %s\n", calls->message);
  if (files != NULL)
    g_printerr ("transferd-worker: goes on without Landlock: %s\n", files->message);
  return parts;
}
