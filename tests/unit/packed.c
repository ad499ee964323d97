/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Packed: what was packed comes out again, and what is torn does not. */
#include "config.h"

#include "common/packed.h"

#include <string.h>

static void
test_values (void)
{
  g_autoptr (GByteArray) packed = g_byte_array_new ();
  g_autoptr (GBytes) copy = NULL;
  g_autofree char *text = NULL;
  g_autofree char *path = NULL;
  g_autofree char *nothing = NULL;
  TfdUnpacker from;
  gsize length;

  tfd_pack_byte (packed, 7);
  tfd_pack_uint32 (packed, G_MAXUINT32);
  tfd_pack_uint64 (packed, G_MAXUINT64 - 1);
  tfd_pack_bytes (packed, "a\0b", 3);
  tfd_pack_bytes (packed, "", 0);
  tfd_pack_bytes (packed, NULL, 0);
  tfd_pack_string (packed, "é");
  tfd_pack_string (packed, "/\xff");
  tfd_pack_string (packed, NULL);

  tfd_unpacker_init (&from, packed->data, packed->len);
  g_assert_cmpuint (tfd_unpack_byte (&from), ==, 7);
  g_assert_cmpuint (tfd_unpack_uint32 (&from), ==, G_MAXUINT32);
  g_assert_cmpuint (tfd_unpack_uint64 (&from), ==, G_MAXUINT64 - 1);
  copy = tfd_unpack_copy (&from);
  g_assert_cmpmem (g_bytes_get_data (copy, NULL), g_bytes_get_size (copy), "a\0b", 3);
  g_assert_nonnull (tfd_unpack_bytes (&from, &length));
  g_assert_cmpuint (length, ==, 0);
  g_assert_null (tfd_unpack_bytes (&from, &length));
  text = tfd_unpack_string (&from);
  g_assert_cmpstr (text, ==, "é");
  path = tfd_unpack_path (&from);
  g_assert_cmpstr (path, ==, "/\xff");
  nothing = tfd_unpack_string (&from);
  g_assert_null (nothing);
  g_assert_false (from.bad);
  g_assert_true (from.at == from.end);
}

/* Text is UTF-8, a path has no NUL. */
static void
test_wrong_text (void)
{
  g_autoptr (GByteArray) text = g_byte_array_new ();
  g_autoptr (GByteArray) path = g_byte_array_new ();
  TfdUnpacker from;

  tfd_pack_bytes (text, "\xff", 1);
  tfd_unpacker_init (&from, text->data, text->len);
  g_assert_null (tfd_unpack_string (&from));
  g_assert_true (from.bad);

  tfd_pack_bytes (path, "/\0", 2);
  tfd_unpacker_init (&from, path->data, path->len);
  g_assert_null (tfd_unpack_path (&from));
  g_assert_true (from.bad);
  g_assert_cmpuint (tfd_unpack_byte (&from), ==, 0);
}

static void
pack_files (GByteArray *packed)
{
  g_autoptr (GBytes) directory = g_bytes_new_static ("identity", 8);
  g_autoptr (GVariant) part = g_variant_ref_sink (g_variant_new_parsed ("{'x': <uint64 7>}"));
  const TfdPackedFile one = { .index = 3,
                              .attempt = 2,
                              .mode = 0640,
                              .state = TFD_FILE_STATE_TRANSFERRED,
                              .attached = TRUE,
                              .path = "/d/a",
                              .target = "/d/a (1)",
                              .directory = directory,
                              .part = part };
  const TfdPackedFile other = {
    .index = 4, .mode = G_MAXUINT32, .state = TFD_FILE_STATE_WAITING, .path = "/d/b"
  };

  tfd_pack_file (packed, &one);
  tfd_pack_file (packed, &other);
}

static void
test_files (void)
{
  g_autoptr (GByteArray) packed = g_byte_array_new ();
  TfdPackedFile file;
  TfdUnpacker from;
  guint64 seven = 0;

  pack_files (packed);
  tfd_unpacker_init (&from, packed->data, packed->len);
  g_assert_true (tfd_unpack_file (&from, &file));
  g_assert_cmpuint (file.index, ==, 3);
  g_assert_cmpuint (file.attempt, ==, 2);
  g_assert_cmpuint (file.mode, ==, 0640);
  g_assert_cmpint (file.state, ==, TFD_FILE_STATE_TRANSFERRED);
  g_assert_true (file.attached);
  g_assert_cmpstr (file.path, ==, "/d/a");
  g_assert_cmpstr (file.target, ==, "/d/a (1)");
  g_assert_cmpuint (g_bytes_get_size (file.directory), ==, 8);
  g_assert_true (g_variant_lookup (file.part, "x", "t", &seven));
  g_assert_cmpuint (seven, ==, 7);
  tfd_packed_file_clear (&file);
  g_assert_true (tfd_unpack_file (&from, &file));
  g_assert_cmpuint (file.index, ==, 4);
  g_assert_null (file.target);
  g_assert_null (file.part);
  tfd_packed_file_clear (&file);
  g_assert_false (tfd_unpack_file (&from, &file));
  g_assert_false (from.bad);
}

/* Wherever it is torn, somebody notices. */
static void
test_torn_files (void)
{
  g_autoptr (GByteArray) packed = g_byte_array_new ();
  guint32 first;

  pack_files (packed);
  memcpy (&first, packed->data, sizeof first);
  for (guint length = 1; length < packed->len; length++)
    {
      g_autofree guint8 *torn = g_memdup2 (packed->data, length);
      TfdPackedFile file;
      TfdUnpacker from;
      guint read = 0;

      tfd_unpacker_init (&from, torn, length);
      while (tfd_unpack_file (&from, &file))
        {
          tfd_packed_file_clear (&file);
          read++;
        }
      g_assert_true (from.bad == (length != first + sizeof first));
      g_assert_cmpuint (read, ==, length >= first + sizeof first ? 1 : 0);
    }
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/packed/values", test_values);
  g_test_add_func ("/packed/wrong-text", test_wrong_text);
  g_test_add_func ("/packed/files", test_files);
  g_test_add_func ("/packed/torn-files", test_torn_files);

  return g_test_run ();
}
