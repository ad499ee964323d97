/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Sandbox: what the worker gives up before it reads the first byte from anybody. It has the rights
 * of its user and needs few of them: whoever takes it over by a mistake in a parser shall not even
 * start a program.
 *
 * All of it binds the calling thread, and those that it starts later: to be called while there is
 * no other. What the kernel or a container does not allow is told in the log, and done without. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* The parts that hold. */
typedef enum
{
  TFD_SANDBOX_CALLS = 1 << 0, /* seccomp */
  TFD_SANDBOX_FILES = 1 << 1, /* Landlock */
} TfdSandboxParts;

/* Resource limits, no core dump, not to be looked into by other processes, no new privileges. */
void tfd_sandbox_limit_process (void);

/* System calls that moving files never needs fail with EPERM: starting programs and processes,
 * looking into others, mounting, namespaces, keys, special files, sockets of other families than
 * UNIX, INET, INET6 and NETLINK_ROUTE. FALSE when the kernel does not take the filter. */
gboolean tfd_sandbox_limit_calls (GError **error);

/* Landlock: nothing is executed, no special file is made, nobody outside is sent a signal, no TCP
 * port is listened on; and with @kernel_files (for the user who owns them) nothing below /proc,
 * /sys and /dev is written. As far as the kernel knows of it; FALSE when it has no Landlock. */
gboolean tfd_sandbox_limit_files (gboolean kernel_files, GError **error);

/* All of these; what is missing is told on the standard error. Returns the TfdSandboxParts. */
guint tfd_sandbox_enter (void);

G_END_DECLS
