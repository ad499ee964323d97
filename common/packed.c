/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Packed: rows of bytes for what there are many of. */
#include "config.h"

#include "common/packed.h"

#include <string.h>

#define NONE G_MAXUINT32

void
tfd_pack_byte (GByteArray *to, guint8 value)
{
  g_byte_array_append (to, &value, sizeof value);
}

void
tfd_pack_uint32 (GByteArray *to, guint32 value)
{
  g_byte_array_append (to, (const guint8 *) &value, sizeof value);
}

void
tfd_pack_uint64 (GByteArray *to, guint64 value)
{
  g_byte_array_append (to, (const guint8 *) &value, sizeof value);
}

void
tfd_pack_bytes (GByteArray *to, gconstpointer data, gsize length)
{
  guint32 n = data != NULL ? (guint32) length : NONE;
  gsize size = sizeof n + (data != NULL ? length : 0);
  guint begin = to->len;

  g_return_if_fail (length < NONE && size < G_MAXUINT - begin);

  g_byte_array_set_size (to, begin + (guint) size);
  memcpy (to->data + begin, &n, sizeof n);
  if (size > sizeof n)
    memcpy (to->data + begin + sizeof n, data, length);
}

void
tfd_pack_string (GByteArray *to, const char *text)
{
  tfd_pack_bytes (to, text, text != NULL ? strlen (text) : 0);
}

void
tfd_unpacker_init (TfdUnpacker *from, gconstpointer data, gsize length)
{
  *from = (TfdUnpacker){ data, data != NULL ? (const guint8 *) data + length : NULL, FALSE };
}

/* The next @length bytes; NULL when there are not so many. */
static const guint8 *
take (TfdUnpacker *from, gsize length)
{
  const guint8 *at = from->at;

  if (from->bad || (gsize) (from->end - at) < length)
    {
      from->bad = TRUE;
      return NULL;
    }
  from->at += length;
  return at;
}

guint8
tfd_unpack_byte (TfdUnpacker *from)
{
  const guint8 *at = take (from, 1);

  return at != NULL ? *at : 0;
}

guint32
tfd_unpack_uint32 (TfdUnpacker *from)
{
  const guint8 *at = take (from, sizeof (guint32));
  guint32 value = 0;

  if (at != NULL)
    memcpy (&value, at, sizeof value);
  return value;
}

guint64
tfd_unpack_uint64 (TfdUnpacker *from)
{
  const guint8 *at = take (from, sizeof (guint64));
  guint64 value = 0;

  if (at != NULL)
    memcpy (&value, at, sizeof value);
  return value;
}

gconstpointer
tfd_unpack_bytes (TfdUnpacker *from, gsize *length)
{
  guint32 n = tfd_unpack_uint32 (from);

  *length = 0;
  if (from->bad || n == NONE)
    return NULL;
  *length = n;
  return take (from, n);
}

GBytes *
tfd_unpack_copy (TfdUnpacker *from)
{
  gsize length;
  gconstpointer data = tfd_unpack_bytes (from, &length);

  return data != NULL ? g_bytes_new (data, length) : NULL;
}

char *
tfd_unpack_string (TfdUnpacker *from)
{
  gsize length;
  const char *data = tfd_unpack_bytes (from, &length);

  if (data != NULL && !g_utf8_validate (data, (gssize) length, NULL))
    from->bad = TRUE;
  return data != NULL && !from->bad ? g_strndup (data, length) : NULL;
}

char *
tfd_unpack_path (TfdUnpacker *from)
{
  gsize length;
  const char *data = tfd_unpack_bytes (from, &length);

  if (data != NULL && memchr (data, 0, length) != NULL)
    from->bad = TRUE;
  return data != NULL && !from->bad ? g_strndup (data, length) : NULL;
}

/* ---- files ---- */

void
tfd_pack_file (GByteArray *to, const TfdPackedFile *file)
{
  guint begin = to->len;
  guint32 length;

  tfd_pack_uint32 (to, 0);
  tfd_pack_uint32 (to, file->index);
  tfd_pack_uint32 (to, file->attempt);
  tfd_pack_uint32 (to, file->mode);
  tfd_pack_byte (to, (guint8) file->state);
  tfd_pack_byte (to, file->attached != FALSE);
  tfd_pack_string (to, file->path);
  tfd_pack_string (to, file->target);
  tfd_pack_bytes (to, file->directory != NULL ? g_bytes_get_data (file->directory, NULL) : NULL,
                  file->directory != NULL ? g_bytes_get_size (file->directory) : 0);
  tfd_pack_bytes (to, file->part != NULL ? g_variant_get_data (file->part) : NULL,
                  file->part != NULL ? g_variant_get_size (file->part) : 0);
  length = to->len - begin - (guint) sizeof length;
  memcpy (to->data + begin, &length, sizeof length);
}

static GVariant *
unpack_part (TfdUnpacker *from)
{
  g_autoptr (GBytes) copy = tfd_unpack_copy (from);

  return copy != NULL
             ? g_variant_ref_sink (g_variant_new_from_bytes (G_VARIANT_TYPE_VARDICT, copy, FALSE))
             : NULL;
}

gboolean
tfd_unpack_file (TfdUnpacker *from, TfdPackedFile *file)
{
  TfdUnpacker row;
  gsize length;
  gconstpointer data;

  *file = (TfdPackedFile){ 0 };
  if (from->bad || from->at == from->end)
    return FALSE;
  data = tfd_unpack_bytes (from, &length);
  tfd_unpacker_init (&row, data, length);
  file->index = tfd_unpack_uint32 (&row);
  file->attempt = tfd_unpack_uint32 (&row);
  file->mode = tfd_unpack_uint32 (&row);
  file->state = (TfdFileState) tfd_unpack_byte (&row);
  file->attached = tfd_unpack_byte (&row) != 0;
  file->path = file->owned_path = tfd_unpack_path (&row);
  file->target = file->owned_target = tfd_unpack_path (&row);
  file->directory = tfd_unpack_copy (&row);
  file->part = unpack_part (&row);
  if (!from->bad && !row.bad && row.at == row.end && file->state <= TFD_FILE_STATE_ERROR)
    return TRUE;
  from->bad = TRUE;
  tfd_packed_file_clear (file);
  return FALSE;
}

void
tfd_packed_file_clear (TfdPackedFile *file)
{
  g_free (file->owned_path);
  g_free (file->owned_target);
  g_clear_pointer (&file->directory, g_bytes_unref);
  g_clear_pointer (&file->part, g_variant_unref);
  *file = (TfdPackedFile){ 0 };
}
