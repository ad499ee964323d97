/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* The parts of the worker that only compute: chunks, records, files as they come over the wire. */
#include "config.h"

#include "common/names.h"
#include "tests/lib/packed-rows.h"
#include "worker/chunked.h"
#include "worker/digest.h"
#include "worker/failure.h"
#include "worker/file.h"
#include "worker/record.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

static const struct
{
  const char *wire;
  const char *body; /* NULL: broken */
  gboolean complete;
} chunked_cases[] = {
  { "5\r\nhello\r\n0\r\n\r\n", "hello", TRUE },
  { "5\nhello\n0\n\n", "hello", TRUE },
  { "1\r\na\r\n2;x=y\r\nbc\r\n00\r\n\r\n", "abc", TRUE },
  { "1 \r\na\r\n0\r\n\r\n", "a", TRUE },
  { "A\r\n0123456789\r\n0\r\nX-Trailer: 1\r\nY: 2\r\n\r\n", "0123456789", TRUE },
  { "0\r\n\r\n", "", TRUE },
  /* closed in all the places where one may take it for the end */
  { "", "", FALSE },
  { "5\r\nhello", "hello", FALSE },
  { "5\r\nhello\r", "hello", FALSE },
  { "5\r\nhello\r\n", "hello", FALSE },
  { "5\r\nhello\r\n0", "hello", FALSE },
  { "5\r\nhello\r\n0\r\n", "hello", FALSE },
  { "5\r\nhello\r\n0\r\nX: y\r\n", "hello", FALSE },
  { "5\r\nhe", "he", FALSE },
  /* nonsense */
  { "\r\nhello", NULL, FALSE },
  { "x\r\nhello", NULL, FALSE },
  { "-1\r\nhello", NULL, FALSE },
  { "5x\r\nhello", NULL, FALSE },
  { "5\r\nhellox\r\n", NULL, FALSE },
  { "5\r\nhello\r\r\n", NULL, FALSE },
  { "fffffffffffffffff\r\n", NULL, FALSE },
  { "0\r\n\r\nmore", NULL, FALSE },
};

/* Each in one piece, and cut at every place. */
static void
test_chunked (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (chunked_cases); i++)
    {
      const char *wire = chunked_cases[i].wire;
      gsize length = strlen (wire);

      for (gsize cut = 0; cut <= length; cut++)
        {
          g_autofree guint8 *data = (guint8 *) g_strdup (wire);
          g_autoptr (GString) body = g_string_new (NULL);
          TfdChunked decoder = { 0 };
          gssize n = tfd_chunked_decode (&decoder, data, cut);

          if (n > 0)
            g_string_append_len (body, (const char *) data, n);
          if (n >= 0)
            n = tfd_chunked_decode (&decoder, data + cut, length - cut);
          if (n > 0)
            g_string_append_len (body, (const char *) data + cut, n);

          g_test_message ("case %" G_GSIZE_FORMAT " cut at %" G_GSIZE_FORMAT, i, cut);
          if (chunked_cases[i].body == NULL)
            {
              g_assert_cmpint (n, ==, -1);
              continue;
            }
          g_assert_cmpint (n, >=, 0);
          g_assert_cmpstr (body->str, ==, chunked_cases[i].body);
          g_assert_cmpint (tfd_chunked_is_complete (&decoder), ==, chunked_cases[i].complete);
        }
    }
}

static void
test_chunked_floods (void)
{
  TfdChunked decoder = { 0 };
  g_autofree guint8 *line = g_malloc (100000);
  gssize n;

  memset (line, ' ', 100000);
  line[0] = '1';
  line[1] = ';';
  g_assert_cmpint (tfd_chunked_decode (&decoder, line, 100000), ==, -1);

  memset (&decoder, 0, sizeof decoder);
  memset (line, 'x', 100000);
  memcpy (line, "0\r\n", 3);
  n = tfd_chunked_decode (&decoder, line, 100000);
  g_assert_cmpint (n, ==, -1);
}

static void
test_record (void)
{
  g_autoptr (TfdRecord) record = tfd_record_new ();
  g_autoptr (TfdRecord) again = NULL;
  g_autoptr (GVariant) empty = g_variant_ref_sink (g_variant_new ("a{sv}", NULL));
  g_autoptr (GVariant) variant = NULL;
  g_autofree char *longest = g_strnfill (512, 'e');
  g_autofree char *too_long = g_strnfill (513, 'e');

  g_assert_null (tfd_record_parse (empty));

  record->identity = g_bytes_new_take (g_strnfill (400, 'i'), 400);
  record->directory = g_bytes_new_take (g_strnfill (400, 'd'), 400);
  record->checkpoint = 12345;
  record->boot = g_strdup ("01234567-89ab-cdef-0123-456789abcdef");
  record->mount = G_MAXUINT64 - 1;
  record->mtime = -5;
  record->size = 99;
  tfd_record_take_string (&record->etag, longest);
  tfd_record_take_string (&record->last_modified, longest);
  tfd_record_take_string (&record->validator, longest);

  variant = g_variant_ref_sink (tfd_record_to_variant (record));
  g_assert_cmpuint (g_variant_get_size (variant), <=, 4096);
  again = tfd_record_parse (variant);
  g_assert_nonnull (again);
  g_assert_true (g_bytes_equal (again->identity, record->identity));
  g_assert_true (g_bytes_equal (again->directory, record->directory));
  g_assert_cmpuint (again->checkpoint, ==, 12345);
  g_assert_cmpstr (again->boot, ==, record->boot);
  g_assert_cmpuint (again->mount, ==, G_MAXUINT64 - 1);
  g_assert_cmpint (again->mtime, ==, -5);
  g_assert_cmpuint (again->size, ==, 99);
  g_assert_true (again->sequential);
  g_assert_cmpstr (again->validator, ==, longest);

  /* What does not fit is forgotten, not cut: half a validator proves nothing. */
  tfd_record_take_string (&record->validator, too_long);
  g_assert_null (record->validator);
  tfd_record_take_string (&record->validator, "\xff");
  g_assert_null (record->validator);

  tfd_record_forget_source (again);
  g_assert_null (again->etag);
  g_assert_null (again->validator);
  g_assert_cmpuint (again->checkpoint, ==, 0);
  g_assert_cmpuint (again->size, ==, TFD_SIZE_UNKNOWN);
  g_assert_cmpint (again->mtime, ==, TFD_NO_TIME);
}

static TfdFile *
parse_file (const char *text, GError **error)
{
  g_autoptr (GVariant) dictionary = g_variant_ref_sink (g_variant_new_parsed (text));

  return tfd_file_new (7, dictionary, error);
}

static void
test_file (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (TfdFile) file =
      parse_file ("{'url': <'http://h/'>, 'path': <@ay [0x2f, 0x61, 0x2f, 0xff]>, "
                  "'attempt': <@u 2>, 'state': <'transferred'>, 'total': <@t 5>, "
                  "'part': <{'identity': <@ay [0x31]>}>, 'directory': <@ay [0x32]>, "
                  "'target': <@ay [0x2f, 0x61, 0x2f, 0x62]>, "
                  "'options': <{'mode': <@u 384>, 'size': <@t 6>, 'digest': <'md5:0'>}>}",
                  &error);
  g_autofree char *part = NULL;

  g_assert_no_error (error);
  g_assert_cmpstr (file->directory, ==, "/a");
  g_assert_cmpstr (file->base, ==, "\xff");
  g_assert_cmpstr (file->target, ==, "/a/b");
  g_assert_cmpuint (file->attempt, ==, 2);
  g_assert_cmpint (file->state, ==, TFD_FILE_STATE_TRANSFERRED);
  g_assert_cmpuint (file->mode, ==, 0600);
  g_assert_cmpuint (file->umask, ==, TFD_MODE_NONE);
  g_assert_cmpuint (file->size, ==, 6);
  g_assert_cmpstr (file->digest, ==, "md5:0");
  g_assert_nonnull (file->record);
  part = tfd_file_part_path (file, "0123456789abcdef0123456789abcdef");
  g_assert_cmpstr (part, ==, "/a/.transferd-0123456789abcdef0123456789abcdef-7.2.part");
}

static void
test_file_refused (void)
{
  const char *refused[] = {
    "@a{sv} {}",
    "{'path': <@ay []>}",
    "{'path': <@ay [0x61]>}",
    "{'path': <@ay [0x2f]>}",
    "{'path': <@ay [0x2f, 0x00, 0x61]>}",
    "{'path': <@ay [0x2f, 0x2e, 0x2e, 0x2f, 0x61]>}",
    "{'path': <@ay [0x2f, 0x61]>, 'state': <'nonsense'>}",
    "{'path': <@ay [0x2f, 0x61, 0x2f, 0x62]>, 'target': <@ay [0x2f, 0x62]>}",
    "{'path': <@ay [0x2f, 0x61, 0x2f, 0x62]>, 'target': <@ay [0x2f, 0x62, 0x2f, 0x62]>}",
  };

  for (gsize i = 0; i < G_N_ELEMENTS (refused); i++)
    {
      g_autoptr (GError) error = NULL;

      g_test_message ("%s", refused[i]);
      g_assert_null (parse_file (refused[i], &error));
      g_assert_nonnull (error);
    }
}

static void
test_root_directory (void)
{
  g_autoptr (TfdFile) file = parse_file ("{'path': <@ay [0x2f, 0x61]>}", NULL);
  g_autofree char *part = tfd_file_part_path (file, "0123456789abcdef0123456789abcdef");

  g_assert_cmpstr (file->directory, ==, "/");
  g_assert_true (g_str_has_prefix (part, "/.transferd-"));
}

static void
test_digest (void)
{
  g_autofree char *path = NULL;
  int fd = g_file_open_tmp ("digest-XXXXXX", &path, NULL);
  g_auto (TfdFailure) failure = { 0 };
  gint abort = 0;

  g_assert_cmpint (fd, >=, 0);
  unlink (path);
  g_assert_cmpint (write (fd, "abc", 3), ==, 3);

  g_assert_true (
      tfd_digest_check (fd, 3, "md5:900150983cd24fb0d6963f7d28e17f72", &abort, &failure));
  g_assert_true (
      tfd_digest_check (fd, 3, "sha1:A9993E364706816ABA3E25717850C26C9CD0D89D", &abort, &failure));
  g_assert_false (
      tfd_digest_check (fd, 2, "md5:900150983cd24fb0d6963f7d28e17f72", &abort, &failure));
  g_assert_cmpint (failure.code, ==, TFD_ERROR_DIGEST_MISMATCH);
  g_assert_false (failure.transient);

  /* Cut short, it is not the file that is wrong. */
  g_assert_false (
      tfd_digest_check (fd, 4, "md5:900150983cd24fb0d6963f7d28e17f72", &abort, &failure));
  g_assert_cmpint (failure.code, !=, TFD_ERROR_DIGEST_MISMATCH);
  g_assert_false (tfd_digest_check (fd, 3, "crc32:0", &abort, &failure));
  g_assert_cmpint (failure.code, !=, TFD_ERROR_DIGEST_MISMATCH);
  close (fd);
}

static const char packed_files[] =
    "[(3, {'url': <'http://h/'>, 'path': <@ay [0x2f, 0x61, 0x2f, 0xff]>, 'attempt': <@u 2>, "
    "'state': <'transferred'>, 'total': <@t 5>, 'part': <{'identity': <@ay [0x31]>}>, "
    "'directory': <@ay [0x32]>, 'target': <@ay [0x2f, 0x61, 0x2f, 0x62]>, 'attached': <true>, "
    "'options': <{'mode': <@u 384>, 'size': <@t 6>, 'digest': <'md5:0'>}>}), "
    "(4, {'path': <@ay [0x2f, 0x63]>})]";

/* What is packed says the same as the dictionaries that it was made of. */
static void
test_packed (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) files =
      g_variant_parse (G_VARIANT_TYPE ("a(ua{sv})"), packed_files, NULL, NULL, &error);
  g_assert_no_error (error);
  g_autoptr (GVariant) packed = g_variant_ref_sink (tfd_pack_rows_of_files (files));
  g_autoptr (GPtrArray) list = tfd_files_new_to_transfer (packed, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (list->len, ==, 2);

  const TfdFile *file = list->pdata[0];
  g_assert_cmpuint (file->index, ==, 3);
  g_assert_cmpuint (file->attempt, ==, 2);
  g_assert_cmpstr (file->url, ==, "http://h/");
  g_assert_cmpstr (file->path, ==, "/a/\xff");
  g_assert_cmpstr (file->directory, ==, "/a");
  g_assert_cmpstr (file->base, ==, "\xff");
  g_assert_cmpstr (file->target, ==, "/a/b");
  g_assert_cmpint (file->state, ==, TFD_FILE_STATE_TRANSFERRED);
  g_assert_cmpuint (file->total, ==, 5);
  g_assert_cmpuint (file->size, ==, 6);
  g_assert_cmpuint (file->mode, ==, 384);
  g_assert_cmpuint (file->umask, ==, TFD_MODE_NONE);
  g_assert_cmpstr (file->digest, ==, "md5:0");
  g_assert_true (file->attached);
  g_assert_nonnull (file->record);
  g_assert_cmpuint (g_bytes_get_size (file->directory_identity), ==, 1);

  file = list->pdata[1];
  g_assert_null (file->url);
  g_assert_cmpstr (file->directory, ==, "/");
  g_assert_cmpint (file->state, ==, TFD_FILE_STATE_WAITING);
  g_assert_cmpuint (file->total, ==, TFD_SIZE_UNKNOWN);
  g_assert_false (file->attached);
  g_assert_null (file->record);
  g_assert_null (file->directory_identity);
}

/* A row that was cut off, wherever, is refused as a whole. */
static void
test_packed_refused (void)
{
  g_autoptr (GVariant) files =
      g_variant_parse (G_VARIANT_TYPE ("a(ua{sv})"), packed_files, NULL, NULL, NULL);
  g_autoptr (GVariant) packed = g_variant_ref_sink (tfd_pack_rows_of_files (files));
  gsize size = g_variant_get_size (packed);
  guint whole = 0;

  for (gsize n = 1; n < size; n++)
    {
      g_autoptr (GBytes) copy = g_bytes_new (g_variant_get_data (packed), n);
      g_autoptr (GVariant) cut =
          g_variant_ref_sink (g_variant_new_from_bytes (G_VARIANT_TYPE_BYTESTRING, copy, TRUE));
      g_autoptr (GError) error = NULL;
      g_autoptr (GPtrArray) list = tfd_files_new_to_transfer (cut, &error);

      whole += list != NULL;
      if (list == NULL)
        g_assert_error (error, TFD_ERROR, TFD_ERROR_INVALID_ARGS);
    }
  g_assert_cmpuint (whole, ==, 1); /* the first row alone */
}

static void
test_failure (void)
{
  g_auto (TfdFailure) failure = { .file = 3 };
  g_autoptr (GVariant) variant = NULL;
  const char *text;
  gboolean transient;
  guint64 retry_after;

  tfd_failure_set_errno (&failure, ENOSPC, "writing in", "/some\xff/where");
  g_assert_cmpuint (failure.file, ==, 3);
  failure.retry_after = 77;
  variant = g_variant_ref_sink (tfd_failure_to_variant (&failure));
  g_assert_true (g_variant_lookup (variant, "name", "&s", &text));
  g_assert_cmpstr (text, ==, "org.transferd.Transfer1.Error.InsufficientSpace");
  g_assert_true (g_variant_lookup (variant, "context", "&s", &text));
  g_assert_cmpstr (text, ==, "local-file");
  g_assert_true (g_variant_lookup (variant, "transient", "b", &transient));
  g_assert_false (transient);
  g_assert_true (g_variant_lookup (variant, "retry-after", "t", &retry_after));
  g_assert_cmpuint (retry_after, ==, 77);
  g_assert_false (g_variant_lookup (variant, "http-status", "u", NULL));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/worker/chunked/table", test_chunked);
  g_test_add_func ("/worker/chunked/floods", test_chunked_floods);
  g_test_add_func ("/worker/record", test_record);
  g_test_add_func ("/worker/file/parse", test_file);
  g_test_add_func ("/worker/file/refused", test_file_refused);
  g_test_add_func ("/worker/file/root-directory", test_root_directory);
  g_test_add_func ("/worker/file/packed", test_packed);
  g_test_add_func ("/worker/file/packed-refused", test_packed_refused);
  g_test_add_func ("/worker/digest", test_digest);
  g_test_add_func ("/worker/failure", test_failure);

  return g_test_run ();
}
