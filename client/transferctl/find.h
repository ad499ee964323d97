/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Find: which job a word on the command line means. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* What is compared: ids and names of the same index. Returns the index that @word means: the one
 * display name that is equal to it, else the one id that begins with it (dashes and case do not
 * count). -1 with an error when there is none, or more than one. */
int ctl_match (
    const char *word, guint n, const char *const *ids, const char *const *names, GError **error);

G_END_DECLS
