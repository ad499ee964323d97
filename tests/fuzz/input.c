/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Fuzz input: bytes, made into what targets want. */
#include "config.h"

#include "tests/fuzz/input.h"

#include <string.h>

char *
fuzz_text (const guint8 *data, gsize size)
{
  return g_strndup (size > 0 ? (const char *) data : "", size);
}

char **
fuzz_lines (const guint8 *data, gsize size, gsize n_lines)
{
  g_autofree char *text = fuzz_text (data, size);
  char **lines = g_new0 (char *, n_lines);
  char *cursor = text;

  for (gsize i = 0; i < n_lines && cursor != NULL; i++)
    {
      char *line = strsep (&cursor, "\n");
      lines[i] = g_str_equal (line, "-") ? NULL : g_strdup (line);
    }
  return lines;
}

void
fuzz_lines_free (char **lines, gsize n_lines)
{
  for (gsize i = 0; i < n_lines; i++)
    g_free (lines[i]);
  g_free (lines);
}

GVariant *
fuzz_variant (const guint8 *data, gsize size, const char *type)
{
  g_autoptr (GBytes) bytes = g_bytes_new (data, size);

  return g_variant_new_from_bytes (G_VARIANT_TYPE (type), bytes, FALSE);
}
