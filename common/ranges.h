/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Ranges: which parts of a remote file somebody wants. Pure. */
#pragma once

#include "common/error.h"

G_BEGIN_DECLS

/* The length of a range that ends where the file does. */
#define TFD_RANGE_TO_END G_MAXUINT64

/* Nobody is asked about more than that: to look at them would keep others waiting. */
#define TFD_MAX_RANGES_PER_FILE 100000

/* Checks @ranges (a(tt): offset and length of each, in any order, as the value of option @key), as
 * far as that can be done without the file: InvalidArgs when there is none or the type is another,
 * InvalidRange when one is empty or lies where no file can be, OverlappingRanges when two of them
 * have a byte in common (that they touch is allowed), TooManyRangesInFile above
 * TFD_MAX_RANGES_PER_FILE. */
gboolean tfd_ranges_check (const char *key, GVariant *ranges, GError **error);

G_END_DECLS
