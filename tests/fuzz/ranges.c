/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Fuzz: ranges of a file, as a serialised a(tt) that nobody checked, against what the words mean,
 * byte by byte at their ends. */
#include "config.h"

#include "tests/fuzz/input.h"

#include "common/ranges.h"

/* More of them than a pair each can be looked at for. */
#define MOST 200

typedef struct
{
  guint64 first, last;
} Bytes;

/* Whether there can be such bytes of a file. */
static gboolean
bytes_of (GVariant *ranges, gsize i, Bytes *bytes)
{
  guint64 length;

  g_variant_get_child (ranges, i, "(tt)", &bytes->first, &length);
  if (length == 0 || bytes->first > (guint64) G_MAXINT64 - 1)
    return FALSE;
  bytes->last = length == TFD_RANGE_TO_END ? (guint64) G_MAXINT64 - 1 : bytes->first + length - 1;
  return bytes->last >= bytes->first && bytes->last < G_MAXINT64;
}

static int
expected (GVariant *ranges)
{
  gsize n_ranges = g_variant_n_children (ranges);
  Bytes bytes[MOST];

  if (n_ranges == 0)
    return TFD_ERROR_INVALID_ARGS;
  for (gsize i = 0; i < n_ranges; i++)
    if (!bytes_of (ranges, i, &bytes[i]))
      return TFD_ERROR_INVALID_RANGE;
  for (gsize i = 0; i < n_ranges; i++)
    for (gsize j = 0; j < i; j++)
      if (bytes[i].first <= bytes[j].last && bytes[j].first <= bytes[i].last)
        return TFD_ERROR_OVERLAPPING_RANGES;
  return -1;
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autoptr (GVariant) ranges = g_variant_ref_sink (fuzz_variant (data, size, "a(tt)"));
  g_autoptr (GError) error = NULL;
  gboolean valid;

  if (g_variant_n_children (ranges) > MOST)
    return 0;
  valid = tfd_ranges_check ("ranges", ranges, &error);
  fuzz_check (valid == (error == NULL));
  if (valid)
    fuzz_check (expected (ranges) == -1);
  else
    {
      fuzz_check (error->domain == TFD_ERROR && error->code == expected (ranges));
      fuzz_check (g_utf8_validate (error->message, -1, NULL));
    }
  return 0;
}
