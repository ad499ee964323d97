/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Fuzz: dates, Retry-After and the choice of a validator. Lines: value, date, entity tag. */
#include "config.h"

#include "tests/fuzz/input.h"

#include "common/http.h"
#include "common/names.h"

#include <string.h>

#define N_LINES 3
#define LATEST (G_GINT64_CONSTANT (253402300800) * G_USEC_PER_SEC)

static void
check_date (const char *text)
{
  gint64 time = 0;
  gint64 again = 0;

  if (!tfd_http_parse_date (text, &time))
    return;
  fuzz_check (time % G_USEC_PER_SEC == 0 && time <= LATEST);
  if (time == LATEST)
    return; /* a leap second at the end of 9999: GLib cannot write it down */
  g_autoptr (GDateTime) date = g_date_time_new_from_unix_utc (time / G_USEC_PER_SEC);
  /* %Y does not fill up years before 1000 */
  g_autofree char *day = g_date_time_format (date, "%a, %d %b");
  g_autofree char *hour = g_date_time_format (date, "%T GMT");
  g_autofree char *written = g_strdup_printf ("%s %04d %s", day, g_date_time_get_year (date), hour);
  fuzz_check (tfd_http_parse_date (written, &again) && again == time);
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  char **lines = fuzz_lines (data, size, N_LINES);

  if (lines[0] != NULL)
    {
      check_date (lines[0]);
      fuzz_check (tfd_http_parse_retry_after (lines[0], lines[1]) <= 86400 * TFD_USEC_PER_SEC);
    }
  g_autofree char *validator = tfd_http_choose_validator (lines[2], lines[0], lines[1]);
  if (validator != NULL)
    {
      /* it goes into a request */
      fuzz_check (strpbrk (validator, "\r\n") == NULL && validator[0] != '\0');
      fuzz_check (validator[0] == '"' || tfd_http_parse_date (validator, NULL));
    }
  fuzz_lines_free (lines, N_LINES);
  return 0;
}
