/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Fuzz input: what targets share. A target fails by aborting. */
#pragma once

#include <glib.h>

int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);

/* @data as text, up to its first NUL. The result belongs to the caller. */
char *fuzz_text (const guint8 *data, gsize size);

/* The first @n_lines lines of @data; a line that is absent or "-" is NULL. Free it with
 * fuzz_lines_free (). */
char **fuzz_lines (const guint8 *data, gsize size, gsize n_lines);
void fuzz_lines_free (char **lines, gsize n_lines);

/* @data as an untrusted GVariant of @type; floating. */
GVariant *fuzz_variant (const guint8 *data, gsize size, const char *type);

/* As g_assert (), also where those are compiled out. */
#define fuzz_check(condition)                                                                      \
  G_STMT_START                                                                                     \
  {                                                                                                \
    if (!(condition))                                                                              \
      g_error ("%s:%d: %s", __FILE__, __LINE__, #condition);                                       \
  }                                                                                                \
  G_STMT_END
