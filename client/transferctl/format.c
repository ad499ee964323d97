/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Format: numbers, times and foreign text for people. Pure. */
#include "config.h"
#include "client/transferctl/format.h"

#include <math.h>
#include <string.h>

char *
ctl_format_size (guint64 bytes)
{
  static const char units[][3] = { "kB", "MB", "GB", "TB", "PB", "EB" };
  double value = (double) bytes;
  guint unit = 0;

  if (bytes == G_MAXUINT64)
    return g_strdup ("?");
  if (bytes < 1000)
    return g_strdup_printf ("%u B", (guint) bytes);
  value /= 1000;
  /* 999.95 would be rounded to "1000.0" */
  while (value >= 999.95 && unit + 1 < G_N_ELEMENTS (units))
    {
      value /= 1000;
      unit++;
    }
  return g_strdup_printf ("%.1f %s", value, units[unit]);
}

char *
ctl_format_rate (guint64 bytes_per_second)
{
  g_autofree char *size = ctl_format_size (bytes_per_second);

  return g_strconcat (size, "/s", NULL);
}

char *
ctl_format_duration (guint64 microseconds)
{
  guint64 seconds = microseconds / G_USEC_PER_SEC + (microseconds % G_USEC_PER_SEC >= 500000);

  if (microseconds == G_MAXUINT64)
    return g_strdup ("?");
  if (seconds < 60)
    return g_strdup_printf ("%u s", (guint) seconds);
  if (seconds < 60 * 60)
    return g_strdup_printf ("%u min %02u s", (guint) seconds / 60, (guint) seconds % 60);
  if (seconds < 24 * 60 * 60)
    return g_strdup_printf ("%u h %02u min", (guint) seconds / (60 * 60),
                            (guint) seconds / 60 % 60);
  return g_strdup_printf ("%" G_GUINT64_FORMAT " d %02u h", seconds / (24 * 60 * 60),
                          (guint) (seconds / (60 * 60) % 24));
}

char *
ctl_format_clock (guint64 microseconds)
{
  guint64 seconds = microseconds / G_USEC_PER_SEC + (microseconds % G_USEC_PER_SEC != 0);
  guint minutes = (guint) (seconds / 60 % 60);

  if (seconds >= 100 * 60 * 60)
    return g_strdup_printf ("%" G_GUINT64_FORMAT " d", seconds / (24 * 60 * 60));
  if (seconds >= 60 * 60)
    return g_strdup_printf ("%u:%02u:%02u", (guint) (seconds / (60 * 60)), minutes,
                            (guint) (seconds % 60));
  return g_strdup_printf ("%u:%02u", minutes, (guint) (seconds % 60));
}

char *
ctl_format_percent (guint64 done, guint64 total)
{
  if (total == G_MAXUINT64 || total == 0)
    return g_strdup ("-");
  if (done >= total)
    return g_strdup ("100%");
  return g_strdup_printf ("%u%%", (guint) floor ((double) done / (double) total * 100.0));
}

char *
ctl_format_time (guint64 microseconds)
{
  g_autoptr (GDateTime) time = NULL;

  if (microseconds == 0 || microseconds == G_MAXUINT64)
    return g_strdup ("-");
  time = g_date_time_new_from_unix_local ((gint64) (microseconds / G_USEC_PER_SEC));
  return time != NULL ? g_date_time_format (time, "%Y-%m-%d %H:%M:%S") : g_strdup ("?");
}

char *
ctl_format_value (GVariant *value)
{
  if (g_variant_is_of_type (value, G_VARIANT_TYPE_VARIANT))
    {
      g_autoptr (GVariant) inner = g_variant_get_variant (value);

      return ctl_format_value (inner);
    }
  if (g_variant_is_of_type (value, G_VARIANT_TYPE_STRING) ||
      g_variant_is_of_type (value, G_VARIANT_TYPE_OBJECT_PATH))
    return g_variant_dup_string (value, NULL);
  if (g_variant_is_of_type (value, G_VARIANT_TYPE_UINT64) &&
      g_variant_get_uint64 (value) == G_MAXUINT64)
    return g_strdup ("unknown");
  return g_variant_print (value, FALSE);
}

char *
ctl_clean_text (const char *text)
{
  g_autofree char *valid = g_utf8_make_valid (text, -1);
  GString *clean = g_string_new (NULL);

  for (const char *at = valid; *at != '\0'; at = g_utf8_next_char (at))
    {
      gunichar c = g_utf8_get_char (at);
      GUnicodeType type = g_unichar_type (c);

      /* control characters, and those that turn the direction of writing */
      if (type == G_UNICODE_CONTROL || type == G_UNICODE_LINE_SEPARATOR ||
          type == G_UNICODE_PARAGRAPH_SEPARATOR || (c >= 0x202a && c <= 0x202e) ||
          (c >= 0x2066 && c <= 0x2069))
        g_string_append_c (clean, '?');
      else
        g_string_append_unichar (clean, c);
    }
  return g_string_free (clean, FALSE);
}

static int
char_width (gunichar c)
{
  if (g_unichar_iszerowidth (c))
    return 0;
  return g_unichar_iswide (c) ? 2 : 1;
}

int
ctl_text_width (const char *text)
{
  int width = 0;

  for (const char *at = text; *at != '\0'; at = g_utf8_next_char (at))
    width += char_width (g_utf8_get_char (at));
  return width;
}

char *
ctl_text_fit (const char *text, int width, gboolean unicode)
{
  const char *ellipsis = unicode ? "\u2026" : "..";
  int room = width - ctl_text_width (ellipsis);
  const char *at = text;

  if (ctl_text_width (text) <= width)
    return g_strdup (text);
  if (room < 0)
    return g_strnfill ((gsize) MAX (width, 0), '.');
  while (*at != '\0' && char_width (g_utf8_get_char (at)) <= room)
    {
      room -= char_width (g_utf8_get_char (at));
      at = g_utf8_next_char (at);
    }
  return g_strdup_printf ("%.*s%s", (int) (at - text), text, ellipsis);
}

void
ctl_text_pad (GString *to, const char *text, int width, gboolean right)
{
  int blanks = MAX (width - ctl_text_width (text), 0);

  if (right)
    g_string_append_printf (to, "%*s%s", blanks, "", text);
  else
    g_string_append_printf (to, "%s%*s", text, blanks, "");
}

/* Reads a number with a fraction and a unit of @units (text, factor; ended by NULL). */
typedef struct
{
  const char *text;
  double factor;
} Unit;

static gboolean
parse_with_unit (const char *text, const Unit *units, double scale, guint64 *value)
{
  char *end;
  double number = g_ascii_strtod (text, &end);

  if (end == text || !g_ascii_isdigit (*text) || !isfinite (number))
    return FALSE;
  while (*end == ' ')
    end++;
  for (; units->text != NULL; units++)
    if (g_ascii_strcasecmp (end, units->text) == 0)
      {
        number *= units->factor * scale;
        if (number >= (double) G_MAXUINT64)
          return FALSE;
        *value = (guint64) number;
        return TRUE;
      }
  return FALSE;
}

gboolean
ctl_parse_size (const char *text, guint64 *bytes)
{
  static const Unit units[] = {
    { "", 1 },         { "B", 1 },           { "k", 1e3 },      { "kB", 1e3 },     { "M", 1e6 },
    { "MB", 1e6 },     { "G", 1e9 },         { "GB", 1e9 },     { "T", 1e12 },     { "TB", 1e12 },
    { "KiB", 1024.0 }, { "MiB", 1048576.0 }, { "GiB", 0x1p30 }, { "TiB", 0x1p40 }, { NULL, 0 },
  };

  return parse_with_unit (text, units, 1, bytes);
}

gboolean
ctl_parse_duration (const char *text, guint64 *microseconds)
{
  static const Unit units[] = {
    { "", 1 },   { "s", 1 },    { "ms", 1e-3 }, { "us", 1e-6 }, { "min", 60 },
    { "m", 60 }, { "h", 3600 }, { "d", 86400 }, { NULL, 0 },
  };

  return parse_with_unit (text, units, G_USEC_PER_SEC, microseconds);
}
