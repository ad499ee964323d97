/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Configuration: values as one writes them, sizes, time spans, yes and no. */
#include "base/config.h"

#include <string.h>

#define DAY (G_GUINT64_CONSTANT (86400) * G_USEC_PER_SEC)
#define SECOND ((guint64) G_USEC_PER_SEC)

/* Multiplies and adds without wrapping around. */
static gboolean
accumulate (guint64 *sum, guint64 number, guint64 unit)
{
  guint64 product;

  return g_uint64_checked_mul (&product, number, unit) && g_uint64_checked_add (sum, *sum, product);
}

static gboolean
bad_value (const char *text, const char *expected, GError **error)
{
  g_set_error (error, G_KEY_FILE_ERROR, G_KEY_FILE_ERROR_INVALID_VALUE, "‘%s’ is not %s", text,
               expected);
  return FALSE;
}

/* Reads digits at *@text and moves it behind them. */
static gboolean
read_digits (const char **text, guint64 *number)
{
  char *end = NULL;

  if (!g_ascii_isdigit (**text))
    return FALSE;
  *number = g_ascii_strtoull (*text, &end, 10);
  *text = end;
  return *number != G_MAXUINT64; /* what g_ascii_strtoull () gives when it is too large */
}

gboolean
tfd_config_parse_size (const char *text, guint64 *size, GError **error)
{
  static const char suffixes[] = "KMGT";
  const char *expected = "a size (as 500K, 256M, 4G)";
  const char *rest = text;
  guint64 number, unit = 1, result = 0;

  if (!read_digits (&rest, &number))
    return bad_value (text, expected, error);

  if (*rest != '\0')
    {
      const char *suffix = strchr (suffixes, *rest);

      if (suffix == NULL || rest[1] != '\0')
        return bad_value (text, expected, error);
      unit <<= 10 * (suffix - suffixes + 1);
    }
  if (!accumulate (&result, number, unit))
    return bad_value (text, expected, error);

  *size = result;
  return TRUE;
}

/* Microseconds of the unit of @length bytes at @name, 0 when there is no such unit. */
static guint64
time_unit (const char *name, gsize length)
{
  static const struct
  {
    const char *name;
    guint64 unit;
  } units[] = {
    { "", SECOND },
    { "us", 1 },
    { "usec", 1 },
    { "ms", SECOND / 1000 },
    { "msec", SECOND / 1000 },
    { "s", SECOND },
    { "sec", SECOND },
    { "second", SECOND },
    { "seconds", SECOND },
    { "m", 60 * SECOND },
    { "min", 60 * SECOND },
    { "minute", 60 * SECOND },
    { "minutes", 60 * SECOND },
    { "h", 3600 * SECOND },
    { "hr", 3600 * SECOND },
    { "hour", 3600 * SECOND },
    { "hours", 3600 * SECOND },
    { "d", DAY },
    { "day", DAY },
    { "days", DAY },
    { "w", 7 * DAY },
    { "week", 7 * DAY },
    { "weeks", 7 * DAY },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (units); i++)
    if (strlen (units[i].name) == length && strncmp (units[i].name, name, length) == 0)
      return units[i].unit;
  return 0;
}

gboolean
tfd_config_parse_time (const char *text, guint64 *span, GError **error)
{
  const char *expected = "a time span (as 90d, 1h 30min, 500ms)";
  const char *rest = text;
  guint64 result = 0;

  do
    {
      guint64 number;

      if (!read_digits (&rest, &number))
        return bad_value (text, expected, error);
      while (*rest == ' ')
        rest++;

      gsize length = 0;
      while (g_ascii_isalpha (rest[length]))
        length++;
      guint64 unit = time_unit (rest, length);
      if (unit == 0 || !accumulate (&result, number, unit))
        return bad_value (text, expected, error);

      rest += length;
      while (*rest == ' ')
        rest++;
    }
  while (*rest != '\0');

  *span = result;
  return TRUE;
}

gboolean
tfd_config_parse_boolean (const char *text, guint64 *value, GError **error)
{
  static const char *const words[][4] = { { "no", "false", "off", "0" },
                                          { "yes", "true", "on", "1" } };

  for (guint truth = 0; truth < G_N_ELEMENTS (words); truth++)
    for (gsize i = 0; i < G_N_ELEMENTS (words[truth]); i++)
      if (g_ascii_strcasecmp (words[truth][i], text) == 0)
        {
          *value = truth;
          return TRUE;
        }
  return bad_value (text, "yes or no", error);
}

char *
tfd_config_format (TfdConfigType type, guint64 value)
{
  switch (type)
    {
    case TFD_CONFIG_MODE:
      return g_strdup_printf ("%04" G_GINT64_MODIFIER "o", value);
    case TFD_CONFIG_TIME:
      if (value % DAY == 0 && value != 0)
        return g_strdup_printf ("%" G_GUINT64_FORMAT "d", value / DAY);
      if (value % SECOND == 0)
        return g_strdup_printf ("%" G_GUINT64_FORMAT "s", value / SECOND);
      if (value % (SECOND / 1000) == 0)
        return g_strdup_printf ("%" G_GUINT64_FORMAT "ms", value / (SECOND / 1000));
      return g_strdup_printf ("%" G_GUINT64_FORMAT "us", value);
    case TFD_CONFIG_BOOLEAN:
      return g_strdup (value != 0 ? "yes" : "no");
    case TFD_CONFIG_NUMBER:
    case TFD_CONFIG_SIZE:
    case TFD_CONFIG_HOURS:
    default:
      return g_strdup_printf ("%" G_GUINT64_FORMAT, value);
    }
}
