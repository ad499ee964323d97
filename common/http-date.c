/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* HTTP dates (RFC 9110 5.6.7): the three forms, read strictly, and Retry-After that uses them. */
#include "config.h"

#include "common/http.h"

#include "common/names.h"

#include <string.h>

#define MAXIMUM_RETRY_AFTER (24 * 3600 * TFD_USEC_PER_SEC)

static const char *const months[] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
static const char *const short_days[] = { "Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun" };
static const char *const long_days[] = { "Monday", "Tuesday",  "Wednesday", "Thursday",
                                         "Friday", "Saturday", "Sunday" };

typedef struct
{
  int year, month, day, hour, minute, second;
} Fields;

/* Moves @cursor past @word; FALSE when it does not stand there. */
static gboolean
read_word (const char **cursor, const char *word)
{
  gsize length = strlen (word);

  if (strncmp (*cursor, word, length) != 0)
    return FALSE;
  *cursor += length;
  return TRUE;
}

static gboolean
read_one_of (const char **cursor, const char *const *words, gsize n_words, int *which)
{
  for (gsize i = 0; i < n_words; i++)
    if (read_word (cursor, words[i]))
      {
        *which = (int) i;
        return TRUE;
      }
  return FALSE;
}

/* Exactly @n_digits digits. */
static gboolean
read_digits (const char **cursor, int n_digits, int *number)
{
  int value = 0;

  for (int i = 0; i < n_digits; i++)
    {
      char c = (*cursor)[i];
      if (!g_ascii_isdigit (c))
        return FALSE;
      value = value * 10 + (c - '0');
    }
  *cursor += n_digits;
  *number = value;
  return TRUE;
}

static gboolean
read_month (const char **cursor, Fields *fields)
{
  if (!read_one_of (cursor, months, G_N_ELEMENTS (months), &fields->month))
    return FALSE;
  fields->month++;
  return TRUE;
}

static gboolean
read_time (const char **cursor, Fields *fields)
{
  return read_digits (cursor, 2, &fields->hour) && read_word (cursor, ":") &&
         read_digits (cursor, 2, &fields->minute) && read_word (cursor, ":") &&
         read_digits (cursor, 2, &fields->second);
}

/* "Sun, 06 Nov 1994 08:49:37 GMT" */
static gboolean
read_fixed_date (const char *cursor, Fields *fields)
{
  int day = 0;

  return read_one_of (&cursor, short_days, G_N_ELEMENTS (short_days), &day) &&
         read_word (&cursor, ", ") && read_digits (&cursor, 2, &fields->day) &&
         read_word (&cursor, " ") && read_month (&cursor, fields) && read_word (&cursor, " ") &&
         read_digits (&cursor, 4, &fields->year) && read_word (&cursor, " ") &&
         read_time (&cursor, fields) && read_word (&cursor, " GMT") && *cursor == '\0';
}

/* "Sunday, 06-Nov-94 08:49:37 GMT": the century is the one in which HTTP lives, as there is no
 * clock here to count fifty years from. */
static gboolean
read_rfc850_date (const char *cursor, Fields *fields)
{
  int day = 0;

  if (!(read_one_of (&cursor, long_days, G_N_ELEMENTS (long_days), &day) &&
        read_word (&cursor, ", ") && read_digits (&cursor, 2, &fields->day) &&
        read_word (&cursor, "-") && read_month (&cursor, fields) && read_word (&cursor, "-") &&
        read_digits (&cursor, 2, &fields->year) && read_word (&cursor, " ") &&
        read_time (&cursor, fields) && read_word (&cursor, " GMT") && *cursor == '\0'))
    return FALSE;
  fields->year += fields->year >= 70 ? 1900 : 2000;
  return TRUE;
}

/* "Sun Nov  6 08:49:37 1994" */
static gboolean
read_asctime_date (const char *cursor, Fields *fields)
{
  int day = 0;

  if (!(read_one_of (&cursor, short_days, G_N_ELEMENTS (short_days), &day) &&
        read_word (&cursor, " ") && read_month (&cursor, fields) && read_word (&cursor, " ")))
    return FALSE;
  int n_digits = read_word (&cursor, " ") ? 1 : 2;
  return read_digits (&cursor, n_digits, &fields->day) && read_word (&cursor, " ") &&
         read_time (&cursor, fields) && read_word (&cursor, " ") &&
         read_digits (&cursor, 4, &fields->year) && *cursor == '\0';
}

gboolean
tfd_http_parse_date (const char *value, gint64 *time)
{
  g_return_val_if_fail (value != NULL, FALSE);

  Fields fields = { 0 };
  if (!read_fixed_date (value, &fields) && !read_rfc850_date (value, &fields) &&
      !read_asctime_date (value, &fields))
    return FALSE;

  /* a leap second is a legal 60 */
  int second = MIN (fields.second, 59);
  if (fields.year < 1 || fields.second > 60)
    return FALSE;
  g_autoptr (GDateTime) date = g_date_time_new_utc (fields.year, fields.month, fields.day,
                                                    fields.hour, fields.minute, second);
  if (date == NULL)
    return FALSE;
  if (time != NULL)
    *time = (g_date_time_to_unix (date) + fields.second - second) * G_USEC_PER_SEC;
  return TRUE;
}

/* Digits that are too many for a number mean very long all the same. */
static guint64
retry_after_of_seconds (const char *digits)
{
  guint64 length = 0;

  if (!tfd_http_parse_length (digits, &length))
    return MAXIMUM_RETRY_AFTER;
  return MIN (length, MAXIMUM_RETRY_AFTER / TFD_USEC_PER_SEC) * TFD_USEC_PER_SEC;
}

guint64
tfd_http_parse_retry_after (const char *value, const char *date)
{
  g_return_val_if_fail (value != NULL, 0);

  if (value[0] != '\0' && value[strspn (value, "0123456789")] == '\0')
    return retry_after_of_seconds (value);

  gint64 then = 0;
  gint64 now = 0;
  if (date == NULL || !tfd_http_parse_date (value, &then) || !tfd_http_parse_date (date, &now))
    return 0;
  if (then <= now)
    return 0;
  return MIN ((guint64) (then - now), MAXIMUM_RETRY_AFTER);
}
