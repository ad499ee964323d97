/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Value: job properties as they are written on the command line. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* The D-Bus name of the writable property that @name says: "Priority", "priority",
 * "minimum-retry-delay"; NULL when there is none. */
const char *ctl_property_name (const char *name);

/* (transfer full) @text as a value of property @name (a D-Bus name): durations as "90s" or "2h",
 * sizes as "10MB", lists with commas, headers as "Name: value" lines. */
GVariant *ctl_property_parse (const char *name, const char *text, GError **error);

/* Reads NAME=VALUE into @properties. */
gboolean ctl_property_assign (GVariantDict *properties, const char *assignment, GError **error);

G_END_DECLS
