/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Fuzz: blocked hours. Lines: the hours, a time in seconds, a time zone. */
#include "config.h"

#include "tests/fuzz/input.h"

#include "common/calendar.h"

#include <string.h>

#define N_LINES 3
#define CENTURY (G_GINT64_CONSTANT (3155760000))

static void
check_time (const TfdCalendar *calendar, gint64 now, GTimeZone *zone)
{
  gint64 until = -1;
  gboolean blocked = tfd_calendar_is_blocked (calendar, now, zone, &until);

  if (until == 0)
    {
      /* never, unless it is the epoch itself */
      if (now > 0)
        fuzz_check (tfd_calendar_is_blocked (calendar, now + G_USEC_PER_SEC, zone, NULL) ==
                    blocked);
      return;
    }
  fuzz_check (until > now);
  fuzz_check (tfd_calendar_is_blocked (calendar, until - 1, zone, NULL) == blocked);
  fuzz_check (tfd_calendar_is_blocked (calendar, now + (until - now) / 2, zone, NULL) == blocked);
  fuzz_check (tfd_calendar_is_blocked (calendar, until, zone, NULL) != blocked);
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  char **lines = fuzz_lines (data, size, N_LINES);
  g_autoptr (GError) error = NULL;
  g_autoptr (TfdCalendar) calendar = tfd_calendar_parse (lines[0] != NULL ? lines[0] : "", &error);

  fuzz_check ((calendar == NULL) == (error != NULL));
  if (error != NULL)
    fuzz_check (g_utf8_validate (error->message, -1, NULL));
  else
    {
      gint64 seconds = lines[1] != NULL ? g_ascii_strtoll (lines[1], NULL, 10) : 0;
      /* other names would be looked for among the files of the machine */
      gboolean rule = lines[2] != NULL && strpbrk (lines[2], "/.") == NULL;
      g_autoptr (GTimeZone) zone = g_time_zone_new_identifier (rule ? lines[2] : "UTC");

      if (zone != NULL)
        check_time (calendar, CLAMP (seconds, -CENTURY, CENTURY) * G_USEC_PER_SEC + 1, zone);
    }
  fuzz_lines_free (lines, N_LINES);
  return 0;
}
