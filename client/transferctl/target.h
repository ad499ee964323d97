/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Target: which local file a URL is downloaded to. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* The file name in @url: the last part of its path with escapes resolved, harmless as a name of one
 * file; "index.html" when there is none. Bytes, perhaps not UTF-8. */
char *ctl_target_name (const char *url);

/* The absolute path for @url and what the user said (nullable): a file, or a directory that takes
 * the name from the URL. NULL with an error when it says a directory that is not there. */
char *ctl_target_path (const char *url, const char *said, GError **error);

G_END_DECLS
