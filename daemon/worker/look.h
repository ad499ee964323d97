/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Look: whether a process of our user is in a sandbox, and in which. Only a process with the rights
 * of that user may look, and only one that is not confined itself: this is the whole task of a
 * process of its own, which transferd starts and reads one line from. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* The id of the sandbox of process @pid (see common/sandbox-id.h), (transfer full). What cannot be
 * looked at is in an unknown sandbox without a network, and so is a process that began after
 * @since, in microseconds of CLOCK_BOOTTIME: then another one had that number. */
char *tfd_look_at (guint32 pid, guint64 since, gboolean *no_network);

/* Does that, writes "0 id" or, without a network, "1 id", and a newline, to the standard output,
 * and ends the program: within a few seconds, whatever the process may have put in our way. */
G_NORETURN void tfd_look (guint32 pid, guint64 since);

G_END_DECLS
