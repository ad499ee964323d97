/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Tests of rows: byte for byte what GVariant makes of the same values. */
#include "config.h"

#include "bus/rows.h"

#define TYPE "a(sa{sv})"

/* Row @number, of a length of its own. */
static GVariant *
row (guint number, gsize longest)
{
  g_autofree char *text = g_strnfill (number % (longest + 1), 'x');
  g_auto (GVariantDict) dict = G_VARIANT_DICT_INIT (NULL);

  if (number % 3 > 0)
    g_variant_dict_insert (&dict, "Number", "u", number);
  if (number % 5 > 0)
    g_variant_dict_insert (&dict, "Text", "s", text);
  return g_variant_new ("(s@a{sv})", text, g_variant_dict_end (&dict));
}

static void
assert_same (guint count, gsize longest)
{
  g_autoptr (GVariant) expected = NULL;
  g_autoptr (GVariant) array = NULL;
  GVariantBuilder builder;
  TfdRows rows;
  gsize size = 0;

  g_variant_builder_init (&builder, G_VARIANT_TYPE (TYPE));
  tfd_rows_init (&rows, TYPE);
  for (guint i = 0; i < count; i++)
    {
      gsize before = size;

      g_variant_builder_add_value (&builder, row (i, longest));
      size = tfd_rows_add (&rows, row (i, longest));
      g_assert_cmpuint (size, >, before);
    }
  expected = g_variant_ref_sink (g_variant_builder_end (&builder));
  array = g_variant_ref_sink (tfd_rows_end (&rows));

  g_assert_true (g_variant_is_normal_form (array));
  g_assert_cmpmem (g_variant_get_data (array), g_variant_get_size (array),
                   g_variant_get_data (expected), g_variant_get_size (expected));
}

/* The offsets at the end are of one, two and four bytes. */
static void
test_same_bytes (void)
{
  for (guint count = 0; count < 40; count++)
    assert_same (count, 3);
  for (guint count = 2000; count < 2200; count++)
    assert_same (count, 5);
  assert_same (20000, 700);
}

/* At the edges of their widths. */
static void
test_widths (void)
{
  for (gsize longest = 100; longest < 270; longest++)
    assert_same (2, longest);
  for (gsize length = 32600; length < 32780; length++)
    {
      g_autofree char *text = g_strnfill (length, 'x');
      g_autoptr (GVariant) expected = NULL;
      g_autoptr (GVariant) array = NULL;
      TfdRows rows;

      tfd_rows_init (&rows, TYPE);
      for (guint i = 0; i < 2; i++)
        tfd_rows_add (&rows, g_variant_new ("(sa{sv})", text, NULL));
      array = g_variant_ref_sink (tfd_rows_end (&rows));
      expected = g_variant_ref_sink (
          g_variant_new_parsed ("[(%s, @a{sv} {}), (%s, @a{sv} {})]", text, text));
      g_assert_cmpmem (g_variant_get_data (array), g_variant_get_size (array),
                       g_variant_get_data (expected), g_variant_get_size (expected));
    }
}

static void
test_cleared (void)
{
  g_auto (TfdRows) rows = { 0 };

  tfd_rows_clear (&rows);
  tfd_rows_init (&rows, TYPE);
  tfd_rows_add (&rows, row (1, 1));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/bus/rows/same-bytes", test_same_bytes);
  g_test_add_func ("/bus/rows/widths", test_widths);
  g_test_add_func ("/bus/rows/cleared", test_cleared);
  return g_test_run ();
}
