/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Walk: the way to a directory, or to a file that is read, which leads over no link that some other
 * user has laid. Whoever may write a directory on the way could send the owner's files wherever the
 * owner may write, and have any of them sent that the owner may read. */
#pragma once

#include <glib.h>
#include <sys/stat.h>

G_BEGIN_DECLS

/* Opens the directory @path (absolute) with @flags; symbolic links of root and of the user are
 * followed. -1 with errno set: EPERM for a link of somebody else. */
int tfd_walk_open (const char *path, int flags);

/* Opens the regular file @path (absolute) for reading, and fills @st; the last component may be a
 * link, too, of root or of the user. Nothing else is ever opened: to open a queue or a device could
 * wait, or do something. -1 with errno set: EPERM for a link of somebody else, 0 for what is no
 * regular file. */
int tfd_walk_open_regular (const char *path, struct stat *st);

G_END_DECLS
