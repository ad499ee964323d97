/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Password: from a file, from standard input, or asked for at the terminal; never an argument,
 * which everybody on the machine could read. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* The first line of @file ("-" = standard input), or what is typed at the terminal when @file is
 * NULL. */
char *ctl_read_password (const char *user, const char *file, GError **error);

G_END_DECLS
