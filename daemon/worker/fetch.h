/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Fetch: the worker run by hand, without a daemon. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Fetches @url into @path, telling how it goes on standard error. Returns the exit status. */
int tfd_fetch (const char *url, const char *path);

G_END_DECLS
