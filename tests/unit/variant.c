/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Variant: what is believed of a dictionary without asking GLib is what GLib would say. */
#include "config.h"

#include "common/variant.h"

#include <string.h>

/* All types, and strings and bytes of so many bytes. */
static GVariant *
some (gsize length)
{
  g_autofree char *text = g_strnfill (length, 'x');
  g_auto (GVariantDict) dict = G_VARIANT_DICT_INIT (NULL);

  g_variant_dict_insert_value (&dict, "bytes",
                               g_variant_new_fixed_array (G_VARIANT_TYPE_BYTE, text, length, 1));
  g_variant_dict_insert (&dict, "text", "s", text);
  g_variant_dict_insert (&dict, "number", "t", G_GUINT64_CONSTANT (0x0123456789abcdef));
  g_variant_dict_insert (&dict, "negative", "x", (gint64) -1);
  g_variant_dict_insert (&dict, "small", "u", 7u);
  g_variant_dict_insert (&dict, "é", "b", TRUE);
  return g_variant_ref_sink (g_variant_dict_end (&dict));
}

static gboolean
is_plain (GVariant *dictionary)
{
  return tfd_variant_is_plain (g_variant_get_data (dictionary), g_variant_get_size (dictionary));
}

/* Also where the places in it begin to need another byte. */
static void
test_plain (void)
{
  g_assert_true (tfd_variant_is_plain (NULL, 0));
  for (gsize length = 0; length < 700; length++)
    {
      g_autoptr (GVariant) dictionary = some (length);
      g_autoptr (GBytes) bytes = g_variant_get_data_as_bytes (dictionary);
      g_autoptr (GVariant) read = tfd_variant_from_bytes (G_VARIANT_TYPE_VARDICT, bytes);

      g_assert_true (is_plain (dictionary));
      g_assert_true (g_variant_equal (read, dictionary));
      g_assert_true (g_variant_is_normal_form (read));
    }
}

/* Those of other types are left to GLib. */
static void
test_others (void)
{
  g_autoptr (GVariant) dictionary =
      g_variant_ref_sink (g_variant_new_parsed ("{'list': <['a', 'b']>, 'text': <'c'>}"));
  g_autoptr (GBytes) bytes = g_variant_get_data_as_bytes (dictionary);
  g_autoptr (GVariant) read = tfd_variant_from_bytes (G_VARIANT_TYPE_VARDICT, bytes);

  g_assert_false (is_plain (dictionary));
  g_assert_true (g_variant_equal (read, dictionary));
}

static gboolean
is_normal (const guint8 *data, gsize size)
{
  g_autoptr (GBytes) bytes = g_bytes_new (data, size);
  g_autoptr (GVariant) read =
      g_variant_ref_sink (g_variant_new_from_bytes (G_VARIANT_TYPE_VARDICT, bytes, FALSE));

  return g_variant_is_normal_form (read);
}

/* Each byte is made each other, and the end is missing. */
static void
test_damaged (void)
{
  g_autoptr (GVariant) dictionary = some (3);
  gsize size = g_variant_get_size (dictionary);
  g_autofree guint8 *data = g_memdup2 (g_variant_get_data (dictionary), size);
  guint believed = 0;

  for (gsize i = 0; i < size; i++)
    {
      guint8 before = data[i];

      for (guint value = 0; value <= G_MAXUINT8; value++)
        {
          data[i] = (guint8) value;
          if (!tfd_variant_is_plain (data, size))
            continue;
          g_assert_true (is_normal (data, size));
          believed++;
        }
      data[i] = before;
      g_assert_true (!tfd_variant_is_plain (data, i) || is_normal (data, i));
    }
  /* numbers, bytes and letters may be others */
  g_assert_cmpuint (believed, >, 20 * 256);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/variant/plain", test_plain);
  g_test_add_func ("/variant/others", test_others);
  g_test_add_func ("/variant/damaged", test_damaged);
  return g_test_run ();
}
