/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Limit: a disk that takes no more, for this process. */
#pragma once

#include <glib.h>
#include <sys/resource.h>

G_BEGIN_DECLS

/* No file grows beyond @most bytes, writing fails with EFBIG. The limit that there was: to be set
 * again. */
rlim_t tfd_file_limit_set (rlim_t most);

G_END_DECLS
