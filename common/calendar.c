/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Calendar: hours of the week, by the clock on the wall. Pure: time and time zone come in. */
#include "config.h"

#include "common/calendar.h"

#include <string.h>

#define DAY_MINUTES (24 * 60)
#define WEEK_MINUTES (7 * DAY_MINUTES)
#define WEEK_SECONDS (WEEK_MINUTES * 60)
#define EPOCH_WEEKDAY 3     /* 1970-01-01 was a Thursday; Monday is 0 */
#define MAX_TRANSITIONS 100 /* of the zone, looked at before giving up */
#define ALL_DAYS 0x7f

struct _TfdCalendar
{
  guint8 minutes[(WEEK_MINUTES + 7) / 8]; /* of the week, Monday 00:00 first */
};

static const char *const day_names[] = { "Monday", "Tuesday",  "Wednesday", "Thursday",
                                         "Friday", "Saturday", "Sunday" };

static gboolean
is_set (const TfdCalendar *self, gint64 minute)
{
  return (self->minutes[minute / 8] & (1 << (minute % 8))) != 0;
}

/* ---- reading ---- */

static gboolean
wrong (GError **error, const char *text, gsize length, const char *what)
{
  g_autofree char *quoted = g_utf8_make_valid (text, (gssize) length);

  g_set_error (error, G_CONVERT_ERROR, G_CONVERT_ERROR_ILLEGAL_SEQUENCE, "‘%s’ %s", quoted, what);
  return FALSE;
}

/* Bytes up to what may follow a word; all that is left when nothing comes before it. */
static gsize
quote_length (const char *text, const char *ends)
{
  gsize length = strcspn (text, ends);

  return length > 0 ? length : strlen (text);
}

static void
skip_blanks (const char **text)
{
  while (g_ascii_isspace (**text))
    (*text)++;
}

static gsize
word_length (const char *text)
{
  gsize length = 0;

  while (g_ascii_isalpha (text[length]))
    length++;
  return length;
}

/* Reads the name of a day, three letters of it or all, and moves *@text behind it. */
static gboolean
read_day (const char **text, guint *day, GError **error)
{
  gsize length = word_length (*text);

  for (guint i = 0; i < G_N_ELEMENTS (day_names); i++)
    if ((length == 3 || length == strlen (day_names[i])) &&
        g_ascii_strncasecmp (*text, day_names[i], length) == 0)
      {
        *day = i;
        *text += length;
        return TRUE;
      }
  return wrong (error, *text, quote_length (*text, ", \t-."),
                "is not a day of the week (as Mon, or Mon..Fri)");
}

/* Reads a day or a range of days into *@days, a bit for each. */
static gboolean
read_days (const char **text, guint *days, GError **error)
{
  guint first, last;

  if (!read_day (text, &first, error))
    return FALSE;
  last = first;
  if (g_str_has_prefix (*text, ".."))
    {
      *text += 2;
      if (!read_day (text, &last, error))
        return FALSE;
    }
  for (guint day = first;; day = (day + 1) % 7)
    {
      *days |= 1u << day;
      if (day == last)
        return TRUE;
    }
}

/* Reads "17:30" into minutes since midnight. */
static gboolean
read_time (const char **text, guint *minutes, GError **error)
{
  const char *start = *text;
  const char *p = start;
  guint hour = 0, minute = 0;

  for (; g_ascii_isdigit (*p) && p - start < 2; p++)
    hour = hour * 10 + (guint) g_ascii_digit_value (*p);
  if (p == start || p[0] != ':' || !g_ascii_isdigit (p[1]) || !g_ascii_isdigit (p[2]) ||
      g_ascii_isdigit (p[3]))
    return wrong (error, start, quote_length (start, ", \t-"), "is not a time of day (as 08:00)");
  minute = (guint) (g_ascii_digit_value (p[1]) * 10 + g_ascii_digit_value (p[2]));
  p += 3;
  if (minute > 59 || hour * 60 + minute > DAY_MINUTES)
    return wrong (error, start, (gsize) (p - start), "is not between 00:00 and 24:00");
  *minutes = hour * 60 + minute;
  *text = p;
  return TRUE;
}

/* Puts the hours that begin on each of @days into the calendar. */
static void
add_hours (TfdCalendar *self, guint days, guint from, guint to)
{
  guint length = to > from ? to - from : to + DAY_MINUTES - from;

  for (guint day = 0; day < 7; day++)
    for (guint i = 0; (days & (1u << day)) != 0 && i < length; i++)
      {
        guint minute = (day * DAY_MINUTES + from + i) % WEEK_MINUTES;

        self->minutes[minute / 8] |= (guint8) (1 << (minute % 8));
      }
}

/* Reads the hours of one item of the list, which begins at @item for messages. */
static gboolean
read_hours (TfdCalendar *self, const char **text, const char *item, guint days, GError **error)
{
  guint from, to;

  if (!read_time (text, &from, error))
    return FALSE;
  skip_blanks (text);
  if (**text != '-')
    return wrong (error, item, (gsize) (*text - item), "needs a time to end (as 08:00-17:00)");
  (*text)++;
  skip_blanks (text);
  if (!read_time (text, &to, error))
    return FALSE;
  if (from == DAY_MINUTES)
    return wrong (error, item, (gsize) (*text - item), "begins when the day is over");
  if (from == to)
    return wrong (error, item, (gsize) (*text - item),
                  "ends when it begins; all day is 00:00-24:00");
  add_hours (self, days == 0 ? ALL_DAYS : days, from, to);
  return TRUE;
}

/* Reads up to and including a comma. @days are those of items before it that were days only. */
static gboolean
read_item (TfdCalendar *self, const char **text, guint *days, GError **error)
{
  const char *item = *text;

  if (g_ascii_isalpha (**text))
    {
      if (!read_days (text, days, error))
        return FALSE;
      skip_blanks (text);
      if (**text == ',')
        {
          (*text)++; /* Sat,Sun 10:00-12:00 */
          return TRUE;
        }
      if (**text == '\0')
        return wrong (error, item, (gsize) (*text - item), "needs hours (as Sat 10:00-12:00)");
    }
  else if (*days != 0)
    return wrong (error, item, strcspn (item, ","), "follows a day that has no hours");

  if (!read_hours (self, text, item, *days, error))
    return FALSE;
  *days = 0;
  skip_blanks (text);
  if (**text != ',' && **text != '\0')
    return wrong (error, *text, strlen (*text), "follows the hours without a comma");
  if (**text == ',')
    (*text)++;
  return TRUE;
}

TfdCalendar *
tfd_calendar_parse (const char *text, GError **error)
{
  g_autoptr (TfdCalendar) self = g_new0 (TfdCalendar, 1);
  const char *p = text;
  guint days = 0;

  skip_blanks (&p);
  while (*p != '\0')
    {
      if (!read_item (self, &p, &days, error))
        return NULL;
      skip_blanks (&p);
    }
  if (days != 0)
    {
      wrong (error, text, strlen (text), "ends with a day that has no hours");
      return NULL;
    }
  return g_steal_pointer (&self);
}

TfdCalendar *
tfd_calendar_copy (const TfdCalendar *self)
{
  return self != NULL ? g_memdup2 (self, sizeof *self) : NULL;
}

void
tfd_calendar_free (TfdCalendar *self)
{
  g_free (self);
}

gboolean
tfd_calendar_equal (const TfdCalendar *a, const TfdCalendar *b)
{
  return memcmp (a->minutes, b->minutes, sizeof a->minutes) == 0;
}

/* ---- asking ---- */

/* x / y and what is left of it, for negative x, too. */
static gint64
floor_divide (gint64 x, gint64 y)
{
  return x / y - (x % y < 0);
}

/* A stretch of time in which the clocks of a zone are not changed. */
typedef struct
{
  int interval;  /* as GLib numbers them */
  gint64 offset; /* seconds east of Greenwich */
} Stretch;

static Stretch
stretch_at (GTimeZone *zone, gint64 seconds)
{
  int interval = g_time_zone_find_interval (zone, G_TIME_TYPE_UNIVERSAL, seconds);

  return (Stretch){ interval, g_time_zone_get_offset (zone, interval) };
}

/* The second after @from, not after @to, at which the clocks are changed; @to when they are not. */
static gint64
end_of_stretch (GTimeZone *zone, gint64 from, gint64 to)
{
  const int interval = stretch_at (zone, from).interval;

  if (stretch_at (zone, to).interval == interval)
    return to;
  while (to - from > 1)
    {
      gint64 middle = from + (to - from) / 2;

      if (stretch_at (zone, middle).interval == interval)
        from = middle;
      else
        to = middle;
    }
  return to;
}

/* The second of the week that the clock on the wall shows. */
static gint64
second_of_week (gint64 seconds, gint64 offset)
{
  gint64 wall = seconds + offset + EPOCH_WEEKDAY * DAY_MINUTES * 60;

  return wall - floor_divide (wall, WEEK_SECONDS) * WEEK_SECONDS;
}

static gboolean
is_blocked_at (const TfdCalendar *self, GTimeZone *zone, gint64 seconds)
{
  return is_set (self, second_of_week (seconds, stretch_at (zone, seconds).offset) / 60);
}

/* Seconds from @second of the week until the calendar changes; 0 when it never does. */
static gint64
seconds_to_change (const TfdCalendar *self, gint64 second)
{
  gint64 first = second / 60;
  gboolean set = is_set (self, first);

  for (gint64 i = 1; i <= WEEK_MINUTES; i++)
    if (is_set (self, (first + i) % WEEK_MINUTES) != set)
      return i * 60 - second % 60;
  return 0;
}

gboolean
tfd_calendar_is_blocked (const TfdCalendar *self, gint64 real_time, GTimeZone *zone, gint64 *until)
{
  gint64 now = floor_divide (real_time, G_USEC_PER_SEC);
  gboolean blocked = is_blocked_at (self, zone, now);
  gint64 change = now;

  if (until == NULL)
    return blocked;
  *until = 0;
  for (guint i = 0; i < MAX_TRANSITIONS; i++)
    {
      gint64 rest =
          seconds_to_change (self, second_of_week (change, stretch_at (zone, change).offset));

      if (rest == 0)
        return blocked;
      change = end_of_stretch (zone, change, change + rest);
      if (is_blocked_at (self, zone, change) != blocked)
        break;
    }
  *until = change * G_USEC_PER_SEC;
  return blocked;
}
