/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Fuzz: Content-Range and Content-Length. */
#include "config.h"

#include "tests/fuzz/input.h"

#include "common/http.h"
#include "common/names.h"

/* What was understood, written as RFC 9110 has it, must be what was said, but for zeros in front
 * and the case of the unit. */
static void
check_meaning (const TfdContentRange *range)
{
  g_autofree char *total = range->total == TFD_SIZE_UNKNOWN
                               ? g_strdup ("*")
                               : g_strdup_printf ("%" G_GUINT64_FORMAT, range->total);
  g_autofree char *bounds =
      range->satisfied
          ? g_strdup_printf ("%" G_GUINT64_FORMAT "-%" G_GUINT64_FORMAT, range->first, range->last)
          : g_strdup ("*");
  g_autofree char *text = g_strdup_printf ("bytes %s/%s", bounds, total);
  TfdContentRange again = { 0 };

  fuzz_check (tfd_http_parse_content_range (text, &again));
  fuzz_check (again.satisfied == range->satisfied && again.total == range->total);
  fuzz_check (again.first == range->first && again.last == range->last);
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autofree char *text = fuzz_text (data, size);
  TfdContentRange range = { 0 };
  guint64 length = 0;

  if (tfd_http_parse_content_range (text, &range))
    {
      if (range.satisfied)
        {
          fuzz_check (range.first <= range.last && range.last <= G_MAXINT64);
          fuzz_check (range.total == TFD_SIZE_UNKNOWN || range.last < range.total);
        }
      else
        fuzz_check (range.total != TFD_SIZE_UNKNOWN);
      fuzz_check (range.total == TFD_SIZE_UNKNOWN || range.total <= G_MAXINT64);
      check_meaning (&range);
    }
  if (tfd_http_parse_length (text, &length))
    {
      fuzz_check (length <= G_MAXINT64);
      fuzz_check (g_ascii_isdigit (text[0]) && length == g_ascii_strtoull (text, NULL, 10));
    }
  return 0;
}
