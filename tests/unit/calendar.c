/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Tests of the calendar: what is read, and when it changes, also while clocks are changed. */
#include "common/calendar.h"

#include <string.h>

/* Rules instead of names: the tests need no database of zones. */
#define BERLIN "CET-1CEST,M3.5.0,M10.5.0/3"
#define NEW_YORK "EST5EDT,M3.2.0,M11.1.0"

#define MINUTE (60 * (gint64) G_USEC_PER_SEC)
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)

static GTimeZone *
zone_of (const char *identifier)
{
  GTimeZone *zone = g_time_zone_new_identifier (identifier);

  g_assert_nonnull (zone);
  return zone;
}

/* Microseconds of "2026-03-29T01:59:59+01:00". */
static gint64
time_of (const char *text)
{
  g_autoptr (GDateTime) time = g_date_time_new_from_iso8601 (text, NULL);

  g_assert_nonnull (time);
  return g_date_time_to_unix (time) * G_USEC_PER_SEC;
}

static TfdCalendar *
calendar_of (const char *text)
{
  g_autoptr (GError) error = NULL;
  TfdCalendar *calendar = tfd_calendar_parse (text, &error);

  g_assert_no_error (error);
  return calendar;
}

static void
test_same (void)
{
  static const struct
  {
    const char *text, *same;
  } cases[] = {
    { "", "   " },
    { "Mon..Fri 08:00-17:00", "mon..FRI 8:00 - 17:00" },
    { "Mon..Fri 08:00-17:00", "Monday..Friday 08:00-12:00,Mon..Fri 12:00-17:00" },
    { "Sat,Sun 10:00-12:00", "Sat 10:00-12:00, Sun 10:00-12:00" },
    { "Sat , Sun 10:00-12:00 ", "Sat..Sun 10:00-12:00" },
    { "Sat..Tue 10:00-12:00", "Sat,Sun,Mon,Tue 10:00-12:00" },
    { "Mon..Sun 22:00-06:00", "22:00-06:00" },
    { "22:00-06:00", "22:00-24:00, 00:00-06:00" },
    { "22:00-00:00", "22:00-24:00" },
    { "Sun 22:00-06:00", "Sun 22:00-24:00, Mon 00:00-06:00" },
    { "00:00-24:00", "00:00-12:00, 12:00-00:00" },
    { "Mon 08:00-17:00", "Mon..Mon 08:00-17:00" },
    { "08:00-17:00, 16:00-18:00", "08:00-18:00" },
    { "08:00-17:00,", "08:00-17:00" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (TfdCalendar) calendar = calendar_of (cases[i].text);
      g_autoptr (TfdCalendar) same = calendar_of (cases[i].same);
      g_autoptr (TfdCalendar) copy = tfd_calendar_copy (calendar);
      g_autoptr (TfdCalendar) other = calendar_of ("Thu 03:33-03:34");

      g_test_message ("‘%s’ and ‘%s’", cases[i].text, cases[i].same);
      g_assert_true (tfd_calendar_equal (calendar, same));
      g_assert_true (tfd_calendar_equal (calendar, copy));
      g_assert_false (tfd_calendar_equal (calendar, other));
    }
  g_assert_null (tfd_calendar_copy (NULL));
}

static void
test_errors (void)
{
  static const struct
  {
    const char *text, *message;
  } cases[] = {
    { "Mo 08:00-17:00", "‘Mo’ is not a day of the week (as Mon, or Mon..Fri)" },
    { "Mon..Fry 08:00-17:00", "‘Fry’ is not a day of the week (as Mon, or Mon..Fri)" },
    { "Mon.. 08:00-17:00", "‘ 08:00-17:00’ is not a day of the week (as Mon, or Mon..Fri)" },
    { "Mon-Fri 08:00-17:00", "‘-Fri 08:00-17:00’ is not a time of day (as 08:00)" },
    { "Mon", "‘Mon’ needs hours (as Sat 10:00-12:00)" },
    { "Mon,", "‘Mon,’ ends with a day that has no hours" },
    { "Mon, 22:00-06:00", "‘22:00-06:00’ follows a day that has no hours" },
    { "Mon 08:00", "‘Mon 08:00’ needs a time to end (as 08:00-17:00)" },
    { "08:00-17:00-18:00", "‘-18:00’ follows the hours without a comma" },
    { "08:00-17:00 Mon", "‘Mon’ follows the hours without a comma" },
    { "08:00-25:00", "‘25:00’ is not between 00:00 and 24:00" },
    { "08:00-24:01", "‘24:01’ is not between 00:00 and 24:00" },
    { "08:60-17:00", "‘08:60’ is not between 00:00 and 24:00" },
    { "24:00-06:00", "‘24:00-06:00’ begins when the day is over" },
    { "08:00-08:00", "‘08:00-08:00’ ends when it begins; all day is 00:00-24:00" },
    { "8-17", "‘8’ is not a time of day (as 08:00)" },
    { "08:0-17:00", "‘08:0’ is not a time of day (as 08:00)" },
    { "08:000-17:00", "‘08:000’ is not a time of day (as 08:00)" },
    { "008:00-17:00", "‘008:00’ is not a time of day (as 08:00)" },
    { "-17:00", "‘-17:00’ is not a time of day (as 08:00)" },
    { ",", "‘,’ is not a time of day (as 08:00)" },
    { "08:00-17:00,, 18:00-19:00", "‘, 18:00-19:00’ is not a time of day (as 08:00)" },
    { "\xff", "‘\357\277\275’ is not a time of day (as 08:00)" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;

      g_assert_null (tfd_calendar_parse (cases[i].text, &error));
      g_assert_error (error, G_CONVERT_ERROR, G_CONVERT_ERROR_ILLEGAL_SEQUENCE);
      g_assert_cmpstr (error->message, ==, cases[i].message);
    }
}

static void
test_changes (void)
{
  static const struct
  {
    const char *text, *zone, *now;
    gboolean blocked;
    const char *until; /* NULL: never */
  } cases[] = {
    { "", BERLIN, "2026-01-05T12:00:00Z", FALSE, NULL },
    { "00:00-24:00", BERLIN, "2026-01-05T12:00:00Z", TRUE, NULL },
    /* a Monday in winter */
    { "Mon..Fri 08:00-17:00", BERLIN, "2026-01-05T07:59:59+01", FALSE, "2026-01-05T08:00:00+01" },
    { "Mon..Fri 08:00-17:00", BERLIN, "2026-01-05T08:00:00+01", TRUE, "2026-01-05T17:00:00+01" },
    { "Mon..Fri 08:00-17:00", BERLIN, "2026-01-05T16:59:59+01", TRUE, "2026-01-05T17:00:00+01" },
    { "Mon..Fri 08:00-17:00", BERLIN, "2026-01-05T17:00:00+01", FALSE, "2026-01-06T08:00:00+01" },
    /* over a weekend */
    { "Mon..Fri 08:00-17:00", BERLIN, "2026-01-09T17:00:00+01", FALSE, "2026-01-12T08:00:00+01" },
    /* over midnight, and over the end of the week */
    { "22:00-06:00", "UTC", "2026-01-05T23:00:00Z", TRUE, "2026-01-06T06:00:00Z" },
    { "22:00-06:00", "UTC", "2026-01-06T05:59:00Z", TRUE, "2026-01-06T06:00:00Z" },
    { "Sun 22:00-06:00", "UTC", "2026-01-11T22:00:00Z", TRUE, "2026-01-12T06:00:00Z" },
    { "Sun 22:00-06:00", "UTC", "2026-01-12T06:00:00Z", FALSE, "2026-01-18T22:00:00Z" },
    /* the clock goes from 02:00 to 03:00 on 2026-03-29 */
    { "22:00-06:00", BERLIN, "2026-03-28T22:00:00+01", TRUE, "2026-03-29T06:00:00+02" },
    { "06:00-22:00", BERLIN, "2026-03-28T22:00:00+01", FALSE, "2026-03-29T06:00:00+02" },
    { "02:15-02:45", BERLIN, "2026-03-29T01:59:59+01", FALSE, "2026-03-30T02:15:00+02" },
    { "01:00-02:30", BERLIN, "2026-03-29T01:30:00+01", TRUE, "2026-03-29T03:00:00+02" },
    { "02:30-04:00", BERLIN, "2026-03-29T01:30:00+01", FALSE, "2026-03-29T03:00:00+02" },
    { "02:30-04:00", BERLIN, "2026-03-29T03:00:00+02", TRUE, "2026-03-29T04:00:00+02" },
    { "Sun 02:15-02:45", BERLIN, "2026-03-28T12:00:00+01", FALSE, "2026-04-05T02:15:00+02" },
    /* it goes from 03:00 to 02:00 on 2026-10-25 */
    { "22:00-06:00", BERLIN, "2026-10-24T22:00:00+02", TRUE, "2026-10-25T06:00:00+01" },
    { "02:15-02:45", BERLIN, "2026-10-25T02:00:00+02", FALSE, "2026-10-25T02:15:00+02" },
    { "02:15-02:45", BERLIN, "2026-10-25T02:45:00+02", FALSE, "2026-10-25T02:15:00+01" },
    { "02:15-02:45", BERLIN, "2026-10-25T02:45:00+01", FALSE, "2026-10-26T02:15:00+01" },
    { "02:30-03:30", BERLIN, "2026-10-25T02:30:00+02", TRUE, "2026-10-25T02:00:00+01" },
    { "02:30-03:30", BERLIN, "2026-10-25T02:30:00+01", TRUE, "2026-10-25T03:30:00+01" },
    { "00:00-01:30", NEW_YORK, "2026-11-01T00:00:00-04", TRUE, "2026-11-01T01:30:00-04" },
    { "00:00-01:30", NEW_YORK, "2026-11-01T01:30:00-04", FALSE, "2026-11-01T01:00:00-05" },
    /* before the epoch, and where the offset has seconds */
    { "Wed 08:00-17:00", "UTC", "1969-12-31T08:00:00Z", TRUE, "1969-12-31T17:00:00Z" },
    { "12:00-13:00", "+00:00:30", "2026-01-05T11:59:29Z", FALSE, "2026-01-05T11:59:30Z" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (TfdCalendar) calendar = calendar_of (cases[i].text);
      g_autoptr (GTimeZone) zone = zone_of (cases[i].zone);
      gint64 now = time_of (cases[i].now);
      gint64 until = -1;

      g_test_message ("‘%s’ in %s at %s", cases[i].text, cases[i].zone, cases[i].now);
      g_assert_true (tfd_calendar_is_blocked (calendar, now, zone, &until) == cases[i].blocked);
      g_assert_true (tfd_calendar_is_blocked (calendar, now, zone, NULL) == cases[i].blocked);
      g_assert_cmpint (until, ==, cases[i].until != NULL ? time_of (cases[i].until) : 0);
    }
}

/* The same by another way: what a date says of itself. */
static gboolean
is_blocked_by_date (gint64 time, GTimeZone *zone, guint days, int from, int to)
{
  g_autoptr (GDateTime) utc = g_date_time_new_from_unix_utc (time / G_USEC_PER_SEC);
  g_autoptr (GDateTime) local = g_date_time_to_timezone (utc, zone);
  int minute = g_date_time_get_hour (local) * 60 + g_date_time_get_minute (local);
  int today = g_date_time_get_day_of_week (local) - 1;
  int yesterday = (today + 6) % 7;

  if (to > from)
    return (days & (1u << today)) != 0 && minute >= from && minute < to;
  return ((days & (1u << today)) != 0 && minute >= from) ||
         ((days & (1u << yesterday)) != 0 && minute < to);
}

/* A random calendar of one stretch of hours, written down. */
static char *
random_hours (GRand *rand, guint *days, int *from, int *to)
{
  static const char *const names[] = { "Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun" };
  GString *text = g_string_new (NULL);

  *days = (guint) g_rand_int_range (rand, 1, 128);
  *from = g_rand_int_range (rand, 0, 1440);
  do
    *to = g_rand_int_range (rand, 0, 1440);
  while (*to == *from);
  for (guint day = 0; day < 7; day++)
    if ((*days & (1u << day)) != 0)
      g_string_append_printf (text, "%s%s", text->len > 0 ? "," : "", names[day]);
  g_string_append_printf (text, " %d:%02d-%d:%02d", *from / 60, *from % 60, *to / 60, *to % 60);
  return g_string_free (text, FALSE);
}

/* In the weeks around a change of the clocks every minute is as the date says, and the next change
 * is the first minute that differs. */
static void
test_every_minute (void)
{
  static const struct
  {
    const char *zone, *start;
  } places[] = {
    { BERLIN, "2026-03-22T00:00:00Z" },
    { BERLIN, "2026-10-18T00:00:00Z" },
    { NEW_YORK, "2026-03-01T00:00:00Z" },
    { NEW_YORK, "2026-10-25T00:00:00Z" },
    { "+05:45", "2026-01-01T00:00:00Z" },
    { "<+1030>-10:30<+11>-11,M10.1.0,M4.1.0", "2026-03-29T00:00:00Z" },
  };
  g_autoptr (GRand) rand = g_rand_new_with_seed (20260329);

  for (guint round = 0; round < 60; round++)
    {
      const gsize place = round % G_N_ELEMENTS (places);
      guint days;
      int from, to;
      g_autofree char *text = random_hours (rand, &days, &from, &to);
      g_autoptr (TfdCalendar) calendar = calendar_of (text);
      g_autoptr (GTimeZone) zone = zone_of (places[place].zone);
      gint64 start = time_of (places[place].start), until = 0;
      gint64 expected = 0; /* the change that was announced */

      for (gint64 now = start; now < start + 16 * DAY; now += MINUTE)
        {
          gboolean blocked = is_blocked_by_date (now, zone, days, from, to);

          if (tfd_calendar_is_blocked (calendar, now, zone, NULL) != blocked)
            g_error ("‘%s’ in %s: wrong %" G_GINT64_FORMAT " minutes after %s", text,
                     places[place].zone, (now - start) / MINUTE, places[place].start);
          if (now == start || now == expected || now % (7 * HOUR) == 0)
            {
              g_assert_true (tfd_calendar_is_blocked (calendar, now, zone, &until) == blocked);
              g_assert_true (now == expected || expected == 0 || until == expected);
              expected = until;
            }
          g_assert_cmpint (now, <, expected);
          g_assert_true (is_blocked_by_date (expected, zone, days, from, to) != blocked);
        }
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/common/calendar/same", test_same);
  g_test_add_func ("/common/calendar/errors", test_errors);
  g_test_add_func ("/common/calendar/changes", test_changes);
  g_test_add_func ("/common/calendar/every-minute", test_every_minute);
  return g_test_run ();
}
