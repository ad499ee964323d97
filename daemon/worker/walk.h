/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Walk: the way to a directory, which leads over no link that some other user has laid. Whoever may
 * write a directory on the way could send the owner's files wherever the owner may write. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Opens the directory @path (absolute) with @flags; symbolic links of root and of the user are
 * followed. -1 with errno set: EPERM for a link of somebody else. */
int tfd_walk_open (const char *path, int flags);

G_END_DECLS
