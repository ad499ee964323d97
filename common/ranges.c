/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Ranges: which parts of a remote file somebody wants. */
#include "config.h"

#include "common/ranges.h"

#include <stdlib.h>

/* As in the memory of a(tt). */
typedef struct
{
  guint64 offset;
  guint64 length;
} Range;
G_STATIC_ASSERT (sizeof (Range) == 2 * sizeof (guint64));

/* The first byte behind it. */
static guint64
end_of (const Range *range)
{
  return range->length == TFD_RANGE_TO_END ? (guint64) G_MAXINT64 : range->offset + range->length;
}

static gboolean
is_possible (const Range *range)
{
  if (range->length == 0 || range->offset >= G_MAXINT64)
    return FALSE;
  return range->length == TFD_RANGE_TO_END || range->length <= G_MAXINT64 - range->offset;
}

/* Not by the offset alone, as the original of this interface does it: whether two overlap must not
 * depend on which of them is named first. */
static int
compare (gconstpointer first, gconstpointer second)
{
  const Range *a = first;
  const Range *b = second;

  if (a->offset != b->offset)
    return a->offset < b->offset ? -1 : 1;
  return (a->length > b->length) - (a->length < b->length);
}

static gboolean
check_each (const char *key, const Range *ranges, gsize n_ranges, GError **error)
{
  for (gsize i = 0; i < n_ranges; i++)
    if (!is_possible (&ranges[i]))
      {
        g_set_error (error, TFD_ERROR, TFD_ERROR_INVALID_RANGE,
                     ranges[i].length == 0
                         ? "‘%s’: range %" G_GSIZE_FORMAT " (from %" G_GUINT64_FORMAT ") is empty"
                         : "‘%s’: range %" G_GSIZE_FORMAT " (from %" G_GUINT64_FORMAT
                           ") lies where no file can be",
                     key, i, ranges[i].offset);
        return FALSE;
      }
  return TRUE;
}

static gboolean
check_together (const char *key, const Range *ranges, gsize n_ranges, GError **error)
{
  g_autofree Range *sorted = g_memdup2 (ranges, n_ranges * sizeof *ranges);

  qsort (sorted, n_ranges, sizeof *sorted, compare);
  for (gsize i = 1; i < n_ranges; i++)
    if (end_of (&sorted[i - 1]) > sorted[i].offset)
      {
        g_set_error (error, TFD_ERROR, TFD_ERROR_OVERLAPPING_RANGES,
                     "‘%s’: the ranges from %" G_GUINT64_FORMAT " and from %" G_GUINT64_FORMAT
                     " overlap",
                     key, sorted[i - 1].offset, sorted[i].offset);
        return FALSE;
      }
  return TRUE;
}

gboolean
tfd_ranges_check (const char *key, GVariant *ranges, GError **error)
{
  gsize n_ranges = 0;
  const Range *elements;

  g_return_val_if_fail (key != NULL && ranges != NULL, FALSE);

  if (!g_variant_is_of_type (ranges, G_VARIANT_TYPE ("a(tt)")) ||
      g_variant_n_children (ranges) == 0)
    {
      g_set_error (error, TFD_ERROR, TFD_ERROR_INVALID_ARGS,
                   "‘%s’ must be of type a(tt), and at least one", key);
      return FALSE;
    }
  elements = g_variant_get_fixed_array (ranges, &n_ranges, sizeof *elements);
  if (n_ranges > TFD_MAX_RANGES_PER_FILE)
    {
      g_set_error (error, TFD_ERROR, TFD_ERROR_TOO_MANY_RANGES_IN_FILE,
                   "‘%s’: %" G_GSIZE_FORMAT " ranges of a file, at most %d are allowed", key,
                   n_ranges, TFD_MAX_RANGES_PER_FILE);
      return FALSE;
    }
  return check_each (key, elements, n_ranges, error) &&
         check_together (key, elements, n_ranges, error);
}
