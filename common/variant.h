/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Variant: serialised values that come from elsewhere. */
#pragma once

#include <glib.h>

/* The value of these bytes. (transfer full) (nullable) not floating; NULL when they are not in
 * normal form: others could read them differently. */
GVariant *tfd_variant_from_bytes (const GVariantType *type, GBytes *bytes);

/* Whether these bytes are a dictionary in normal form of values of the types s, b, u, t, x and ay.
 * FALSE may also mean that there are others. GLib looks at each byte of an ay by itself, which took
 * longer than all else that is done for a small file. */
gboolean tfd_variant_is_plain (gconstpointer data, gsize size);
