/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Tests of what transferctl prints: numbers, times, foreign text, tables, JSON, the progress line.
 */
#include "config.h"

#include <locale.h>
#include <string.h>

#include "client/transferctl/format.h"
#include "client/transferctl/json.h"
#include "client/transferctl/progress.h"
#include "client/transferctl/table.h"

#define SECOND ((guint64) G_USEC_PER_SEC)
#define MINUTE (60 * SECOND)
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)

/* Compares @got (taken) with @wanted. */
static void
assert_text (char *got, const char *wanted)
{
  g_autofree char *text = got;

  g_assert_cmpstr (text, ==, wanted);
}

static void
test_size (void)
{
  assert_text (ctl_format_size (0), "0 B");
  assert_text (ctl_format_size (999), "999 B");
  assert_text (ctl_format_size (1000), "1.0 kB");
  assert_text (ctl_format_size (999949), "999.9 kB");
  assert_text (ctl_format_size (999950), "1.0 MB");
  assert_text (ctl_format_size (12345678), "12.3 MB");
  assert_text (ctl_format_size (G_GUINT64_CONSTANT (5000000000)), "5.0 GB");
  assert_text (ctl_format_size (G_MAXUINT64 - 1), "18.4 EB");
  assert_text (ctl_format_size (G_MAXUINT64), "?");
  assert_text (ctl_format_rate (1500), "1.5 kB/s");
}

static void
test_duration (void)
{
  assert_text (ctl_format_duration (0), "0 s");
  assert_text (ctl_format_duration (1400000), "1 s");
  assert_text (ctl_format_duration (59 * SECOND), "59 s");
  assert_text (ctl_format_duration (MINUTE - 1), "1 min 00 s");
  assert_text (ctl_format_duration (3 * MINUTE + 5 * SECOND), "3 min 05 s");
  assert_text (ctl_format_duration (HOUR - 1), "1 h 00 min");
  assert_text (ctl_format_duration (2 * HOUR + 7 * MINUTE), "2 h 07 min");
  assert_text (ctl_format_duration (14 * DAY + 4 * HOUR), "14 d 04 h");
  assert_text (ctl_format_duration (G_MAXUINT64), "?");
  assert_text (ctl_format_clock (0), "0:00");
  assert_text (ctl_format_clock (1), "0:01");
  assert_text (ctl_format_clock (185 * SECOND), "3:05");
  assert_text (ctl_format_clock (2 * HOUR + 7 * MINUTE + 9 * SECOND), "2:07:09");
  assert_text (ctl_format_clock (101 * HOUR), "4 d");
}

static void
test_percent (void)
{
  assert_text (ctl_format_percent (0, 100), "0%");
  assert_text (ctl_format_percent (999999, 1000000), "99%");
  assert_text (ctl_format_percent (100, 100), "100%");
  assert_text (ctl_format_percent (5, 0), "-");
  assert_text (ctl_format_percent (5, G_MAXUINT64), "-");
}

static void
test_parse (void)
{
  static const struct
  {
    const char *text;
    gboolean good;
    guint64 value;
  } sizes[] = {
    { "0", TRUE, 0 },          { "500", TRUE, 500 },     { "10k", TRUE, 10000 },
    { "1.5 MB", TRUE, 1500000 }, { "2GiB", TRUE, G_GUINT64_CONSTANT (2147483648) },
    { "", FALSE, 0 },          { "x", FALSE, 0 },        { "-1", FALSE, 0 },
    { "1 apple", FALSE, 0 },   { "inf", FALSE, 0 },      { "1e300", FALSE, 0 },
    { "99999999 TB", FALSE, 0 },
  },
    durations[] = {
      { "90", TRUE, 90 * SECOND }, { "90s", TRUE, 90 * SECOND }, { "5min", TRUE, 5 * MINUTE },
      { "1.5h", TRUE, 90 * MINUTE }, { "14d", TRUE, 14 * DAY },  { "500ms", TRUE, SECOND / 2 },
      { "", FALSE, 0 },            { "h", FALSE, 0 },            { "1 year", FALSE, 0 },
    };

  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++)
    {
      guint64 value = 0;

      g_assert_cmpint (ctl_parse_size (sizes[i].text, &value), ==, sizes[i].good);
      g_assert_cmpuint (value, ==, sizes[i].value);
    }
  for (guint i = 0; i < G_N_ELEMENTS (durations); i++)
    {
      guint64 value = 0;

      g_assert_cmpint (ctl_parse_duration (durations[i].text, &value), ==, durations[i].good);
      g_assert_cmpuint (value, ==, durations[i].value);
    }
}

static void
test_foreign_text (void)
{
  assert_text (ctl_clean_text ("plain ä 日本"), "plain ä 日本");
  assert_text (ctl_clean_text ("a\033[31mb\nc\x7f"), "a?[31mb?c?");
  assert_text (ctl_clean_text ("a\xc2\x9b"
                               "b"),
               "a?b");                                        /* CSI of C1 */
  assert_text (ctl_clean_text ("x\xe2\x80\xaetxt"), "x?txt"); /* right-to-left override */
  assert_text (ctl_clean_text ("bad \xff byte"), "bad \xef\xbf\xbd byte");
}

static void
test_width (void)
{
  g_assert_cmpint (ctl_text_width ("abc"), ==, 3);
  g_assert_cmpint (ctl_text_width ("äöü"), ==, 3);
  g_assert_cmpint (ctl_text_width ("日本"), ==, 4);
  g_assert_cmpint (ctl_text_width ("e\xcc\x81"), ==, 1); /* combining accent */
  assert_text (ctl_text_fit ("abcdef", 6, TRUE), "abcdef");
  assert_text (ctl_text_fit ("abcdef", 5, TRUE), "abcd…");
  assert_text (ctl_text_fit ("abcdef", 5, FALSE), "abc..");
  /* half of a wide character does not fit */
  assert_text (ctl_text_fit ("日本語", 4, TRUE), "日…");
  assert_text (ctl_text_fit ("abcdef", 1, FALSE), ".");
  assert_text (ctl_text_fit ("abcdef", 0, TRUE), "");
}

static const CtlColumn columns[] = {
  { "name", "NAME", FALSE, TRUE },
  { "size", "SIZE", TRUE, FALSE },
  { "extra", NULL, FALSE, FALSE },
  { NULL, NULL, FALSE, FALSE },
};

static CtlTable *
make_table (void)
{
  CtlTable *table = ctl_table_new (columns);

  ctl_table_add_string (table, "日本");
  ctl_table_add (table, g_strdup ("1.0 kB"), g_variant_new_uint64 (1000), CTL_STYLE_PLAIN);
  ctl_table_add (table, NULL, NULL, CTL_STYLE_PLAIN);
  ctl_table_add_string (table, "a rather \"long\" name");
  ctl_table_add (table, g_strdup ("?"), g_variant_new_uint64 (G_MAXUINT64), CTL_STYLE_BAD);
  ctl_table_add (table, NULL, g_variant_new_boolean (TRUE), CTL_STYLE_PLAIN);
  return table;
}

static void
test_table_for_people (void)
{
  g_autoptr (CtlTable) table = make_table ();
  g_autoptr (CtlTable) empty = ctl_table_new (columns);
  CtlLook look = { .unicode = TRUE };

  assert_text (ctl_table_format (empty, &look), "");
  assert_text (ctl_table_format (table, &look), "NAME                    SIZE\n"
                                                "日本                  1.0 kB\n"
                                                "a rather \"long\" name       ?\n");
  look.width = 20;
  assert_text (ctl_table_format (table, &look), "NAME            SIZE\n"
                                                "日本          1.0 kB\n"
                                                "a rather \"l…       ?\n");
  look.width = 3; /* hopeless: cut as far as it goes */
  assert_text (ctl_table_format (table, &look), "NAME        SIZE\n"
                                                "日本      1.0 kB\n"
                                                "a rathe…       ?\n");
}

static void
test_table_in_colour (void)
{
  g_autoptr (CtlTable) table = make_table ();
  CtlLook look = { .unicode = TRUE, .colour = TRUE };
  g_autofree char *text = ctl_table_format (table, &look);

  g_assert_nonnull (strstr (text, "\033[31m     ?\033[0m"));
}

static void
test_table_as_json (void)
{
  g_autoptr (CtlTable) table = make_table ();
  g_autoptr (CtlTable) empty = ctl_table_new (columns);
  CtlLook look = { .json = TRUE, .colour = TRUE, .width = 10 };

  assert_text (ctl_table_format (empty, &look), "[]\n");
  assert_text (ctl_table_format (table, &look),
               "[\n"
               "  {\"name\": \"日本\", \"size\": 1000, \"extra\": null},\n"
               "  {\"name\": \"a rather \\\"long\\\" name\", \"size\": null, \"extra\": true}\n"
               "]\n");
}

static void
test_json (void)
{
  static const struct
  {
    const char *value;
    const char *json;
  } cases[] = {
    { "'a\\n\\t\\\\\\u0001'", "\"a\\n\\t\\\\\\u0001\"" },
    { "@a{sv} {}", "{}" },
    { "{'a': <1>, 'b': <@as []>}", "{\"a\": 1, \"b\": []}" },
    { "[('a', 1.5), ('b', -2)]", "[[\"a\", 1.5], [\"b\", -2]]" },
    { "@ay b'x'", "\"x\"" },
    { "(true, byte 7, int16 -3, uint16 3, uint32 4, int64 -5, uint64 6)",
      "[true, 7, -3, 3, 4, -5, 6]" },
    { "objectpath '/a'", "\"/a\"" },
    { "inf", "null" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GVariant) value = g_variant_parse (NULL, cases[i].value, NULL, NULL, NULL);
      g_autoptr (GString) json = g_string_new (NULL);

      g_assert_nonnull (value);
      ctl_json_append_value (json, value);
      g_assert_cmpstr (json->str, ==, cases[i].json);
    }
}

static void
test_rate (void)
{
  CtlRate rate = { 0 };
  gint64 now = 1000;

  g_assert_cmpuint (ctl_rate_get (&rate, now), ==, 0);
  for (guint i = 0; i <= 100; i++, now += G_USEC_PER_SEC / 10)
    ctl_rate_add (&rate, now, i * 100000);
  now -= G_USEC_PER_SEC / 10;
  g_assert_cmpuint (ctl_rate_get (&rate, now), >, 990000);
  g_assert_cmpuint (ctl_rate_get (&rate, now), <, 1010000);
  /* nothing comes any more: it sinks to nothing */
  for (guint i = 0; i < 200; i++, now += G_USEC_PER_SEC / 10)
    ctl_rate_add (&rate, now, 100 * 100000);
  g_assert_cmpuint (ctl_rate_get (&rate, now), ==, 0);
  /* the file began anew */
  ctl_rate_add (&rate, now, 5);
  g_assert_cmpuint (ctl_rate_get (&rate, now), ==, 0);
  /* the clock never goes back, but if it did, nothing bad comes of it */
  ctl_rate_add (&rate, 0, 10);
  g_assert_cmpuint (ctl_rate_get (&rate, 0), ==, 0);
}

static void
test_progress (void)
{
  CtlProgress progress = {
    .name = "image.iso", .done = 25000000, .total = 100000000, .rate = 5000000
  };

  assert_text (ctl_progress_line (&progress, 100, FALSE),
               "image.iso  [#########                          ]   25%   25.0 MB of 100.0 MB"
               "    5.0 MB/s  0:15 left ");
  assert_text (ctl_progress_line (&progress, 30, FALSE), " 25%   25.0 MB of 100.0 MB");
  progress.total = G_MAXUINT64;
  assert_text (ctl_progress_line (&progress, 60, TRUE), "image.iso   25.0 MB    5.0 MB/s");
  progress.note = "next try in 4 s: the server answered 503 Service Unavailable";
  assert_text (ctl_progress_line (&progress, 40, TRUE), "image.iso  next try in 4 s: the server …");
}

/* Whatever is shown, and however narrow the terminal is: never more than a line. */
static void
test_progress_fits (void)
{
  static const char *const names[] = { "", "a", "日本語のとても長い名前のファイル.iso" };
  static const char *const notes[] = { NULL, "", "waiting for 日本語" };

  for (int width = 1; width < 130; width++)
    for (guint name = 0; name < G_N_ELEMENTS (names); name++)
      for (guint note = 0; note < G_N_ELEMENTS (notes); note++)
        for (guint part = 0; part <= 4; part++)
          {
            CtlProgress progress = { .name = names[name],
                                     .note = notes[note],
                                     .done = part * 1000,
                                     .total = part == 4 ? G_MAXUINT64 : 3000,
                                     .rate = part,
                                     .files_total = part };
            g_autofree char *glyphs = ctl_progress_line (&progress, width, TRUE);
            g_autofree char *plain = ctl_progress_line (&progress, width, FALSE);

            g_assert_cmpint (ctl_text_width (glyphs), <=, width);
            g_assert_cmpint (ctl_text_width (plain), <=, width);
          }
}

int
main (int argc, char **argv)
{
  setlocale (LC_ALL, "C.UTF-8");
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/client/format/size", test_size);
  g_test_add_func ("/client/format/duration", test_duration);
  g_test_add_func ("/client/format/percent", test_percent);
  g_test_add_func ("/client/format/parse", test_parse);
  g_test_add_func ("/client/format/foreign-text", test_foreign_text);
  g_test_add_func ("/client/format/width", test_width);
  g_test_add_func ("/client/table/for-people", test_table_for_people);
  g_test_add_func ("/client/table/in-colour", test_table_in_colour);
  g_test_add_func ("/client/table/as-json", test_table_as_json);
  g_test_add_func ("/client/json/values", test_json);
  g_test_add_func ("/client/progress/rate", test_rate);
  g_test_add_func ("/client/progress/line", test_progress);
  g_test_add_func ("/client/progress/fits", test_progress_fits);
  return g_test_run ();
}
