/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* The form is that of GVariant: each row begins at a multiple of its alignment, and behind the last
 * one stand the ends of all, in little-endian numbers as wide as the size of the whole needs. */
#include "config.h"

#include "bus/rows.h"

#include <string.h>

#define ALIGNMENT 8 /* of any value with a variant in it */

void
tfd_rows_init (TfdRows *rows, const char *type)
{
  g_assert (strchr (type, 'v') != NULL);
  rows->type = type;
  rows->bytes = g_byte_array_new ();
  rows->ends = g_array_new (FALSE, FALSE, sizeof (gsize));
}

/* Makes room for @size bytes at the next multiple of @alignment, which are then to be filled. */
static guint8 *
extend (GByteArray *bytes, gsize alignment, gsize size)
{
  gsize end = bytes->len, begin = (end + alignment - 1) / alignment * alignment;

  g_byte_array_set_size (bytes, (guint) (begin + size));
  if (begin > end) /* there may be no bytes at all, which is no place for memset () */
    memset (bytes->data + end, 0, begin - end);
  return bytes->data + begin;
}

gsize
tfd_rows_add (TfdRows *rows, GVariant *row)
{
  gsize size;

  g_variant_ref_sink (row);
  size = g_variant_get_size (row);
  g_variant_store (row, extend (rows->bytes, ALIGNMENT, size));
  g_variant_unref (row);
  size = rows->bytes->len;
  g_array_append_val (rows->ends, size);
  return size;
}

static gsize
width_of_ends (gsize size, gsize n_rows)
{
  if (size + n_rows <= G_MAXUINT8)
    return 1;
  if (size + 2 * n_rows <= G_MAXUINT16)
    return 2;
  return size + 4 * n_rows <= G_MAXUINT32 ? 4 : 8;
}

GVariant *
tfd_rows_end (TfdRows *rows)
{
  gsize width = width_of_ends (rows->bytes->len, rows->ends->len);
  guint8 *place = extend (rows->bytes, 1, width * rows->ends->len);

  for (guint i = 0; i < rows->ends->len; i++, place += width)
    {
      guint64 end = GUINT64_TO_LE ((guint64) g_array_index (rows->ends, gsize, i));

      memcpy (place, &end, width);
    }
  g_autoptr (GBytes) bytes = g_byte_array_free_to_bytes (g_steal_pointer (&rows->bytes));
  tfd_rows_clear (rows);
  return g_variant_new_from_bytes (G_VARIANT_TYPE (rows->type), bytes, TRUE);
}

void
tfd_rows_clear (TfdRows *rows)
{
  g_clear_pointer (&rows->bytes, g_byte_array_unref);
  g_clear_pointer (&rows->ends, g_array_unref);
}
