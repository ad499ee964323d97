/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* HTTP: the parsers of single header fields. */
#include "config.h"

#include "common/http.h"
#include "common/names.h"

#define S TFD_USEC_PER_SEC

static void
test_content_range (void)
{
  static const struct
  {
    const char *value;
    gboolean satisfied;
    guint64 first, last, total;
  } cases[] = {
    { "bytes 0-99/100", TRUE, 0, 99, 100 },
    { "bytes 5-5/6", TRUE, 5, 5, 6 },
    { "BYTES 5-9/20", TRUE, 5, 9, 20 },
    { "bytes 5-9/*", TRUE, 5, 9, TFD_SIZE_UNKNOWN },
    { "bytes */100", FALSE, 0, 0, 100 },
    { "bytes */0", FALSE, 0, 0, 0 },
    { "bytes 0-9223372036854775806/9223372036854775807", TRUE, 0,
      G_GUINT64_CONSTANT (9223372036854775806), G_MAXINT64 },
  };

  const char *const wrong[] = {
    "",
    "bytes",
    "bytes ",
    "bytes */*",
    "bytes *",
    "bytes */",
    "bytes 0-99",
    "bytes 0-99/",
    "bytes 0-/100",
    "bytes -99/100",
    "bytes 9-5/100",
    "bytes 0-100/100",
    "bytes 0-0/0",
    "bytes +0-99/100",
    "bytes 0-+99/100",
    "bytes 0--99/100",
    "bytes  0-99/100",
    "bytes 0 -99/100",
    "bytes 0-99 /100",
    "bytes 0-99/100 ",
    "bytes 0-99/100,0-5/100",
    "bytes=0-99/100",
    "bytes\t0-99/100",
    "items 0-99/100",
    "0-99/100",
    "bytes 0x0-0x9/0x10",
    "bytes 0-99/18446744073709551616",
    "bytes 0-99/9223372036854775808",
    "bytes 18446744073709551616-18446744073709551617/*",
    "bytes 99999999999999999999999999-99999999999999999999999999/*",
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      TfdContentRange range = { .first = 77 };
      g_assert_true (tfd_http_parse_content_range (cases[i].value, &range));
      g_assert_cmpint (range.satisfied, ==, cases[i].satisfied);
      g_assert_cmpuint (range.first, ==, cases[i].first);
      g_assert_cmpuint (range.last, ==, cases[i].last);
      g_assert_cmpuint (range.total, ==, cases[i].total);
    }
  for (gsize i = 0; i < G_N_ELEMENTS (wrong); i++)
    {
      TfdContentRange range = { .first = 77 };
      if (tfd_http_parse_content_range (wrong[i], &range))
        g_error ("‘%s’ was read as a Content-Range", wrong[i]);
      g_assert_cmpuint (range.first, ==, 77);
    }
}

static void
test_same_in_all (void)
{
  static const char *const same[] = { "5", "5, 5", "5,5", "5 ,\t5, 5" };
  static const char *const different[] = { "", "6", "5, 6", "6, 5", "5, 5, 05", "5,", ",5", "5 5" };

  for (gsize i = 0; i < G_N_ELEMENTS (same); i++)
    g_assert_true (tfd_http_is_same_in_all (same[i], "5"));
  for (gsize i = 0; i < G_N_ELEMENTS (different); i++)
    g_assert_false (tfd_http_is_same_in_all (different[i], "5"));
}

static void
test_length (void)
{
  const char *const wrong[] = { "",         " ",
                                "-1",       "+1",
                                "1 ",       " 1",
                                "0x10",     "1.0",
                                "1,1",      "1, 1",
                                "1e3",      "9223372036854775808",
                                "abc",      "18446744073709551616",
                                "\xd9\xa3", "1\n" };
  guint64 length = 0;

  g_assert_true (tfd_http_parse_length ("0", &length));
  g_assert_cmpuint (length, ==, 0);
  g_assert_true (tfd_http_parse_length ("0000123", &length));
  g_assert_cmpuint (length, ==, 123);
  g_assert_true (tfd_http_parse_length ("9223372036854775807", &length));
  g_assert_cmpuint (length, ==, G_MAXINT64);
  for (gsize i = 0; i < G_N_ELEMENTS (wrong); i++)
    if (tfd_http_parse_length (wrong[i], NULL))
      g_error ("‘%s’ was read as a length", wrong[i]);
}

static void
test_date (void)
{
  static const struct
  {
    const char *text;
    gint64 seconds; /* -1 = none */
  } cases[] = {
    { "Sun, 06 Nov 1994 08:49:37 GMT", 784111777 },
    { "Sunday, 06-Nov-94 08:49:37 GMT", 784111777 },
    { "Sun Nov  6 08:49:37 1994", 784111777 },
    { "Wed Nov 16 08:49:37 1994", 784975777 },
    { "Thu, 01 Jan 1970 00:00:00 GMT", 0 },
    { "Tue, 29 Feb 2000 12:00:00 GMT", 951825600 },
    { "Sat, 31 Dec 2016 23:59:60 GMT", 1483228800 }, /* a leap second */
    { "Tuesday, 19-Jan-38 03:14:08 GMT", G_GINT64_CONSTANT (2147483648) },
    { "", -1 },
    { "Sun", -1 },
    { "Sun, 06 Nov 1994 08:49:37", -1 },
    { "Sun, 06 Nov 1994 08:49:37 UTC", -1 },
    { "Sun, 06 Nov 1994 08:49:37 +0100", -1 },
    { "Sun, 06 Nov 1994 08:49:37 GMT ", -1 },
    { " Sun, 06 Nov 1994 08:49:37 GMT", -1 },
    { "Sun, 6 Nov 1994 08:49:37 GMT", -1 },
    { "sun, 06 nov 1994 08:49:37 gmt", -1 },
    { "Xyz, 06 Nov 1994 08:49:37 GMT", -1 },
    { "Sun, 06 Xyz 1994 08:49:37 GMT", -1 },
    { "Sun, 00 Nov 1994 08:49:37 GMT", -1 },
    { "Sun, 31 Nov 1994 08:49:37 GMT", -1 },
    { "Tue, 29 Feb 2001 12:00:00 GMT", -1 },
    { "Sun, 06 Nov 0000 08:49:37 GMT", -1 },
    { "Sun, 06 Nov 1994 24:49:37 GMT", -1 },
    { "Sun, 06 Nov 1994 08:60:37 GMT", -1 },
    { "Sun, 06 Nov 1994 08:49:61 GMT", -1 },
    { "Sun, 06 Nov 1994 08:49:-7 GMT", -1 },
    { "Sun, 06 Nov 19940 08:49:37 GMT", -1 },
    { "Sun, 06-Nov-94 08:49:37 GMT", -1 },
    { "Sun Nov 6 08:49:37 1994", -1 },
    { "784111777", -1 },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      gint64 time = 77;
      gboolean valid = cases[i].seconds >= 0;
      if (tfd_http_parse_date (cases[i].text, &time) != valid)
        g_error ("‘%s’ was read wrongly", cases[i].text);
      g_assert_cmpint (time, ==, valid ? cases[i].seconds * G_USEC_PER_SEC : 77);
    }
}

#define NOON "Sun, 06 Nov 1994 12:00:00 GMT"

static void
test_retry_after (void)
{
  static const struct
  {
    const char *value, *date;
    guint64 expected;
  } cases[] = {
    { "120", NULL, 120 * S },
    { "0", NULL, 0 },
    { "86400", NULL, 86400 * S },
    { "86401", NULL, 86400 * S },
    { "99999999999999999999999999", NULL, 86400 * S },
    { "Sun, 06 Nov 1994 12:00:30 GMT", NOON, 30 * S },
    { "Sun Nov  6 12:01:00 1994", NOON, 60 * S },
    { "Sun, 06 Nov 1994 11:59:00 GMT", NOON, 0 },
    { NOON, NOON, 0 },
    { "Sat, 06 Nov 2094 12:00:00 GMT", NOON, 86400 * S },
    { "Sun, 06 Nov 1994 12:00:30 GMT", NULL, 0 }, /* nothing to measure it by */
    { "Sun, 06 Nov 1994 12:00:30 GMT", "soon", 0 },
    { "soon", NOON, 0 },
    { "", NOON, 0 },
    { "-5", NOON, 0 },
    { "+5", NOON, 0 },
    { "5.5", NOON, 0 },
    { "5 ", NOON, 0 },
    { "0x5", NOON, 0 },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    g_assert_cmpuint (tfd_http_parse_retry_after (cases[i].value, cases[i].date), ==,
                      cases[i].expected);
}

static void
test_validator (void)
{
  static const struct
  {
    const char *etag, *modified, *date, *expected;
  } cases[] = {
    { "\"abc\"", NULL, NULL, "\"abc\"" },
    { "\"\"", NULL, NULL, "\"\"" },
    { "\"abc\"", "Sun, 06 Nov 1994 11:00:00 GMT", NOON, "\"abc\"" },
    { "\"\xe4\"", NULL, NULL, "\"\xe4\"" },
    { "W/\"abc\"", NULL, NULL, NULL },
    { "W/\"abc\"", "Sun, 06 Nov 1994 11:00:00 GMT", NOON, "Sun, 06 Nov 1994 11:00:00 GMT" },
    { "abc", NULL, NULL, NULL },
    { "\"", NULL, NULL, NULL },
    { "\"a\"b\"", NULL, NULL, NULL },
    { "\"a b\"", NULL, NULL, NULL },
    { "\"a\r\nX: y\"", NULL, NULL, NULL },
    { "\"a\x7f\"", NULL, NULL, NULL },
    { NULL, "Sun, 06 Nov 1994 11:59:59 GMT", NOON, "Sun, 06 Nov 1994 11:59:59 GMT" },
    { NULL, NOON, NOON, NULL }, /* may change again within the second */
    { NULL, "Sun, 06 Nov 1994 12:00:01 GMT", NOON, NULL },
    { NULL, "Sun, 06 Nov 1994 11:00:00 GMT", NULL, NULL },
    { NULL, "yesterday", NOON, NULL },
    { NULL, NULL, NOON, NULL },
    { NULL, NULL, NULL, NULL },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *validator =
          tfd_http_choose_validator (cases[i].etag, cases[i].modified, cases[i].date);
      g_assert_cmpstr (validator, ==, cases[i].expected);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/common/http/content-range", test_content_range);
  g_test_add_func ("/common/http/length", test_length);
  g_test_add_func ("/common/http/same-in-all", test_same_in_all);
  g_test_add_func ("/common/http/date", test_date);
  g_test_add_func ("/common/http/retry-after", test_retry_after);
  g_test_add_func ("/common/http/validator", test_validator);
  return g_test_run ();
}
