/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Variant: serialised values that come from elsewhere. */
#include "config.h"

#include "common/variant.h"

#include <string.h>

/* Entries begin where an offset from the beginning can be divided by this, and so do their values.
 */
#define ALIGNMENT 8

/* How many bytes each place has in the table at the end of a container of @size bytes, as the
 * format of GVariant says; 0 when it is larger than any dictionary here. */
static gsize
place_size (gsize size)
{
  return size <= G_MAXUINT8 ? 1 : size <= G_MAXUINT16 ? 2 : 0;
}

/* Places are as short as they can be: otherwise the same could be written in two ways. */
static gboolean
is_shortest (gsize place, gsize size, gsize n_places)
{
  return place == 1 || size - n_places > G_MAXUINT8;
}

static gsize
read_place (const guint8 *at, gsize size)
{
  return size == 1 ? at[0] : (gsize) at[0] | (gsize) at[1] << 8;
}

/* The next place where something may begin, over bytes that are 0; @end when there is none. */
static gsize
skip_padding (const guint8 *data, gsize at, gsize end)
{
  while (at < end && at % ALIGNMENT != 0)
    if (data[at++] != 0)
      return end;
  return at;
}

static gboolean
is_string (const guint8 *data, gsize size)
{
  return size > 0 && data[size - 1] == '\0' &&
         g_utf8_validate ((const char *) data, (gssize) size - 1, NULL);
}

/* The value, a byte that is 0, and its type. */
static gboolean
is_plain_value (const guint8 *data, gsize size)
{
  if (size >= 3 && memcmp (data + size - 3, "\0ay", 3) == 0)
    return TRUE;
  if (size < 2 || data[size - 2] != '\0')
    return FALSE;
  switch (data[size - 1])
    {
    case 's':
      return is_string (data, size - 2);
    case 'b':
      return size - 2 == 1 && data[0] <= 1;
    case 'u':
      return size - 2 == sizeof (guint32);
    case 't':
    case 'x':
      return size - 2 == sizeof (guint64);
    default:
      return FALSE;
    }
}

/* The key, its value, and where the key ends. */
static gboolean
is_plain_entry (const guint8 *data, gsize size)
{
  gsize place = place_size (size);
  gsize end, key, value;

  if (place == 0 || size <= place)
    return FALSE;
  end = size - place;
  key = read_place (data + end, place);
  if (key > end || !is_shortest (place, size, 1) || !is_string (data, key))
    return FALSE;
  value = skip_padding (data, key, end);
  return value < end && is_plain_value (data + value, end - value);
}

gboolean
tfd_variant_is_plain (gconstpointer data, gsize size)
{
  const guint8 *bytes = data;
  gsize place = place_size (size);
  gsize at = 0, end;

  if (size == 0)
    return TRUE;
  if (place == 0)
    return FALSE;
  /* the last entry ends where the table of ends begins */
  end = read_place (bytes + size - place, place);
  if (end >= size || (size - end) % place != 0 || !is_shortest (place, size, (size - end) / place))
    return FALSE;
  for (gsize table = end; table < size; table += place)
    {
      gsize next = read_place (bytes + table, place);

      at = skip_padding (bytes, at, end);
      if (next > end || at >= next || !is_plain_entry (bytes + at, next - at))
        return FALSE;
      at = next;
    }
  return TRUE;
}

GVariant *
tfd_variant_from_bytes (const GVariantType *type, GBytes *bytes)
{
  gsize size;
  gconstpointer data = g_bytes_get_data (bytes, &size);
  gboolean plain =
      g_variant_type_equal (type, G_VARIANT_TYPE_VARDICT) && tfd_variant_is_plain (data, size);
  g_autoptr (GVariant) value = g_variant_ref_sink (g_variant_new_from_bytes (type, bytes, plain));

  return plain || g_variant_is_normal_form (value) ? g_steal_pointer (&value) : NULL;
}
