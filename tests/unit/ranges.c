/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Ranges: which parts of a file can be wanted together. */
#include "config.h"

#include "common/ranges.h"

#include <string.h>

#define NONE -1
#define END "18446744073709551615"
#define LARGEST "9223372036854775807" /* the size of the largest file that there can be */

static const struct
{
  const char *ranges;
  int code;         /* NONE = accepted */
  const char *word; /* (nullable) of the message */
} cases[] = {
  { "[(uint64 0, uint64 1)]", NONE, NULL },
  { "[(uint64 0, uint64 " END ")]", NONE, NULL },
  { "[(uint64 0, uint64 " LARGEST ")]", NONE, NULL },
  { "[(uint64 9223372036854775806, uint64 1)]", NONE, NULL },
  { "[(uint64 9223372036854775806, uint64 " END ")]", NONE, NULL },
  /* they are written in the order given, which need not be that of the file */
  { "[(uint64 100, uint64 100), (900, 100), (400, 100)]", NONE, NULL },
  { "[(uint64 900, uint64 " END "), (400, 500), (0, 400)]", NONE, NULL },
  /* touching */
  { "[(uint64 0, uint64 5), (5, 5)]", NONE, NULL },
  { "[(uint64 5, uint64 5), (0, 5)]", NONE, NULL },
  { "[(uint64 0, uint64 5), (5, " END ")]", NONE, NULL },

  { "@a(tt) []", TFD_ERROR_INVALID_ARGS, "‘ranges’" },
  { "[(uint64 0, uint32 5)]", TFD_ERROR_INVALID_ARGS, "a(tt)" },
  { "(uint64 0, uint64 5)", TFD_ERROR_INVALID_ARGS, "a(tt)" },

  { "[(uint64 7, uint64 0)]", TFD_ERROR_INVALID_RANGE, "range 0 (from 7) is empty" },
  { "[(uint64 0, uint64 5), (7, 0)]", TFD_ERROR_INVALID_RANGE, "range 1 (from 7) is empty" },
  { "[(uint64 " LARGEST ", uint64 1)]", TFD_ERROR_INVALID_RANGE, "no file" },
  { "[(uint64 " LARGEST ", uint64 " END ")]", TFD_ERROR_INVALID_RANGE, "no file" },
  { "[(uint64 1, uint64 " LARGEST ")]", TFD_ERROR_INVALID_RANGE, "no file" },
  { "[(uint64 0, uint64 9223372036854775808)]", TFD_ERROR_INVALID_RANGE, "no file" },
  { "[(uint64 1, uint64 18446744073709551614)]", TFD_ERROR_INVALID_RANGE, "no file" },
  { "[(uint64 2, uint64 18446744073709551614)]", TFD_ERROR_INVALID_RANGE, "no file" },
  { "[(uint64 " END ", uint64 1)]", TFD_ERROR_INVALID_RANGE, "no file" },
  { "[(uint64 " END ", uint64 " END ")]", TFD_ERROR_INVALID_RANGE, "no file" },

  { "[(uint64 0, uint64 5), (4, 5)]", TFD_ERROR_OVERLAPPING_RANGES, "from 0 and from 4" },
  { "[(uint64 4, uint64 5), (0, 5)]", TFD_ERROR_OVERLAPPING_RANGES, "from 0 and from 4" },
  { "[(uint64 0, uint64 5), (0, 5)]", TFD_ERROR_OVERLAPPING_RANGES, NULL },
  { "[(uint64 0, uint64 100), (900, 1), (50, 1)]", TFD_ERROR_OVERLAPPING_RANGES, NULL },
  { "[(uint64 0, uint64 " END "), (9223372036854775806, 1)]", TFD_ERROR_OVERLAPPING_RANGES, NULL },
  { "[(uint64 5, uint64 " END "), (0, " END ")]", TFD_ERROR_OVERLAPPING_RANGES, NULL },
  { "[(uint64 5, uint64 " END "), (5, " END ")]", TFD_ERROR_OVERLAPPING_RANGES, NULL },
  { "[(uint64 0, uint64 " LARGEST "), (0, 1)]", TFD_ERROR_OVERLAPPING_RANGES, NULL },
  /* an empty one is wrong by itself, wherever it is */
  { "[(uint64 100, uint64 0), (100, 5)]", TFD_ERROR_INVALID_RANGE, NULL },
  { "[(uint64 100, uint64 5), (100, 0)]", TFD_ERROR_INVALID_RANGE, NULL },
};

static void
test_cases (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (GVariant) ranges = g_variant_parse (NULL, cases[i].ranges, NULL, NULL, &error);
      gboolean valid;

      g_test_message ("%s", cases[i].ranges);
      g_assert_no_error (error);
      valid = tfd_ranges_check ("ranges", ranges, &error);
      g_assert_true (valid == (error == NULL));
      if (cases[i].code == NONE)
        g_assert_no_error (error);
      else
        g_assert_error (error, TFD_ERROR, cases[i].code);
      if (cases[i].word != NULL)
        g_assert_nonnull (strstr (error->message, cases[i].word));
    }
}

/* @count ranges of one byte, each touching the next one, the last one first. */
static GVariant *
many (gsize count)
{
  GVariantBuilder builder;

  g_variant_builder_init (&builder, G_VARIANT_TYPE ("a(tt)"));
  for (gsize i = count; i > 0; i--)
    g_variant_builder_add (&builder, "(tt)", (guint64) i - 1, G_GUINT64_CONSTANT (1));
  return g_variant_ref_sink (g_variant_builder_end (&builder));
}

static void
test_many (void)
{
  g_autoptr (GVariant) most = many (TFD_MAX_RANGES_PER_FILE);
  g_autoptr (GVariant) more = many (TFD_MAX_RANGES_PER_FILE + 1);
  g_autoptr (GError) error = NULL;

  g_assert_true (tfd_ranges_check ("ranges", most, &error));
  g_assert_no_error (error);
  g_assert_false (tfd_ranges_check ("ranges", more, &error));
  g_assert_error (error, TFD_ERROR, TFD_ERROR_TOO_MANY_RANGES_IN_FILE);
  g_assert_nonnull (strstr (error->message, "100001"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/ranges/cases", test_cases);
  g_test_add_func ("/ranges/many", test_many);
  return g_test_run ();
}
