/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Packed rows: those of org.transferd.Transfer1.Worker as values that a test can write and read. */
#include "packed-rows.h"

#include "common/packed.h"

static GVariant *
variant_of (GBytes *bytes, const char *type)
{
  return g_variant_new_from_bytes (G_VARIANT_TYPE (type), bytes, FALSE);
}

static void
insert_bytes (GVariantDict *dict, const char *key, GBytes *bytes, const char *type)
{
  if (bytes != NULL)
    g_variant_dict_insert_value (dict, key, variant_of (bytes, type));
}

/* One row; *@directory is that of the row before. */
static GVariant *
unpack_row (TfdUnpacker *from, GBytes **directory, guint32 *index, guint8 *flags)
{
  g_auto (GVariantDict) dict = G_VARIANT_DICT_INIT (NULL);
  g_autofree char *url = NULL;
  g_autoptr (GBytes) path = NULL;
  g_autoptr (GBytes) part = NULL;
  g_autoptr (GBytes) options = NULL;
  g_autoptr (GBytes) target = NULL;

  *index = tfd_unpack_uint32 (from);
  g_variant_dict_insert (&dict, "attempt", "u", tfd_unpack_uint32 (from));
  g_variant_dict_insert (&dict, "state", "s",
                         tfd_enum_to_string (TFD_TYPE_FILE_STATE, tfd_unpack_byte (from)));
  *flags = tfd_unpack_byte (from);
  if (*flags & TFD_PACKED_ATTACHED)
    g_variant_dict_insert (&dict, "attached", "b", TRUE);
  g_variant_dict_insert (&dict, "total", "t", tfd_unpack_uint64 (from));
  url = tfd_unpack_string (from);
  if (url != NULL)
    g_variant_dict_insert (&dict, "url", "s", url);
  path = tfd_unpack_copy (from);
  if ((*flags & TFD_PACKED_SAME_DIRECTORY) == 0)
    {
      g_clear_pointer (directory, g_bytes_unref);
      *directory = tfd_unpack_copy (from);
    }
  part = tfd_unpack_copy (from);
  options = tfd_unpack_copy (from);
  target = tfd_unpack_copy (from);
  g_assert_false (from->bad);
  insert_bytes (&dict, "path", path, "ay");
  insert_bytes (&dict, "directory", *directory, "ay");
  insert_bytes (&dict, "part", part, "a{sv}");
  insert_bytes (&dict, "options", options, "a{sv}");
  insert_bytes (&dict, "target", target, "ay");
  return g_variant_dict_end (&dict);
}

GVariant *
tfd_unpack_rows_of_files (GVariant *packed)
{
  GVariantBuilder builder = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE ("a(ua{sv})"));
  g_autoptr (GBytes) directory = NULL;
  TfdUnpacker from;

  tfd_unpacker_init (&from, g_variant_get_data (packed), g_variant_get_size (packed));
  while (from.at < from.end)
    {
      guint32 index, reply;
      guint8 flags;
      g_autoptr (GVariant) file =
          g_variant_ref_sink (unpack_row (&from, &directory, &index, &flags));
      g_auto (GVariantDict) dict = G_VARIANT_DICT_INIT (file);

      if (flags & TFD_PACKED_REPLY)
        {
          g_autoptr (GBytes) none = NULL;

          g_variant_dict_insert_value (&dict, "reply", unpack_row (&from, &none, &reply, &flags));
        }
      g_variant_builder_add (&builder, "(u@a{sv})", index, g_variant_dict_end (&dict));
    }
  return g_variant_builder_end (&builder);
}

static void
pack_value (GByteArray *to, GVariant *file, const char *key, const char *type)
{
  g_autoptr (GVariant) value = g_variant_lookup_value (file, key, G_VARIANT_TYPE (type));
  gsize size = value != NULL ? g_variant_get_size (value) : 0;

  tfd_pack_bytes (to, value == NULL ? NULL : size > 0 ? g_variant_get_data (value) : "", size);
}

GVariant *
tfd_pack_rows_of_files (GVariant *files)
{
  g_autoptr (GVariant) owned = g_variant_ref_sink (files);
  GByteArray *to = g_byte_array_new ();
  GVariantIter iter;
  GVariant *file;
  guint32 index;

  g_variant_iter_init (&iter, owned);
  while (g_variant_iter_next (&iter, "(u@a{sv})", &index, &file))
    {
      guint64 total = G_MAXUINT64;
      guint32 attempt = 0;
      gboolean attached = FALSE;
      const char *url = NULL, *word = NULL;
      int state = 0;

      g_variant_lookup (file, "attempt", "u", &attempt);
      g_variant_lookup (file, "total", "t", &total);
      g_variant_lookup (file, "attached", "b", &attached);
      g_variant_lookup (file, "url", "&s", &url);
      if (g_variant_lookup (file, "state", "&s", &word))
        g_assert_true (tfd_enum_from_string (TFD_TYPE_FILE_STATE, word, &state));
      tfd_pack_uint32 (to, index);
      tfd_pack_uint32 (to, attempt);
      tfd_pack_byte (to, (guint8) state);
      tfd_pack_byte (to, attached ? TFD_PACKED_ATTACHED : 0);
      tfd_pack_uint64 (to, total);
      tfd_pack_string (to, url);
      pack_value (to, file, "path", "ay");
      pack_value (to, file, "directory", "ay");
      pack_value (to, file, "part", "a{sv}");
      pack_value (to, file, "options", "a{sv}");
      pack_value (to, file, "target", "ay");
      g_variant_unref (file);
    }
  g_autoptr (GBytes) bytes = g_byte_array_free_to_bytes (to);
  return variant_of (bytes, "ay");
}

GVariant *
tfd_pack_rows_done (GVariant *files)
{
  g_autoptr (GVariant) owned = g_variant_ref_sink (files);
  GByteArray *to = g_byte_array_new ();
  GVariantIter iter;
  GVariant *part;
  guint64 size;
  guint32 index;

  g_variant_iter_init (&iter, owned);
  while (g_variant_iter_next (&iter, "(ut@a{sv})", &index, &size, &part))
    {
      gsize length = g_variant_get_size (part);

      tfd_pack_uint32 (to, index);
      tfd_pack_uint64 (to, size);
      tfd_pack_bytes (to, length > 0 ? g_variant_get_data (part) : "", length);
      g_variant_unref (part);
    }
  g_autoptr (GBytes) bytes = g_byte_array_free_to_bytes (to);
  return variant_of (bytes, "ay");
}

GVariant *
tfd_unpack_rows_done (GVariant *packed)
{
  GVariantBuilder builder = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE ("a(uta{sv})"));
  g_autoptr (GVariant) owned = g_variant_ref_sink (packed);
  TfdUnpacker from;

  tfd_unpacker_init (&from, g_variant_get_data (owned), g_variant_get_size (owned));
  while (from.at < from.end)
    {
      guint32 index = tfd_unpack_uint32 (&from);
      guint64 size = tfd_unpack_uint64 (&from);
      g_autoptr (GBytes) part = tfd_unpack_copy (&from);

      g_assert_false (from.bad);
      g_variant_builder_add (&builder, "(ut@a{sv})", index, size, variant_of (part, "a{sv}"));
    }
  return g_variant_builder_end (&builder);
}
