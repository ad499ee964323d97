/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* JSON: writes GVariants. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Appends @text as a JSON string; bytes that are not UTF-8 become U+FFFD. */
void ctl_json_append_string (GString *json, const char *text);

/* Appends @value (NULL = null): dictionaries with string keys become objects, other containers
 * arrays, unknown sizes and times null. */
void ctl_json_append_value (GString *json, GVariant *value);

G_END_DECLS
