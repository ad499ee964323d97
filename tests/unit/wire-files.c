/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Wire, files: what may be said about a file, and that one wrong file spoils the whole call. */
#include "config.h"

#include "common/names.h"
#include "common/wire.h"

#include <string.h>

#define URL "http://example.org/x"
#define SHA256 "0123456789abcdef0123456789ABCDEF0123456789abcdef0123456789abcdef"
#define NONE -1

static GVariant *
parse (const char *type, const char *text)
{
  g_autoptr (GError) error = NULL;
  GVariant *value = g_variant_parse (G_VARIANT_TYPE (type), text, NULL, NULL, &error);

  g_assert_no_error (error);
  return value;
}

static const struct
{
  const char *url, *path, *options;
  int code;         /* NONE = accepted */
  const char *word; /* of the message, or the options that are kept */
} cases[] = {
  { URL, "/srv/x", "@a{sv} {}", NONE, "@a{sv} {}" },
  { "file:///srv/y", "/srv/x", "@a{sv} {}", NONE, "@a{sv} {}" },
  { URL, "/srv/x", "{'mode': <uint32 0640>, 'umask': <uint32 027>, 'size': <uint64 5>}", NONE,
    "{'mode': <uint32 416>, 'umask': <uint32 23>, 'size': <uint64 5>}" },
  { URL, "/srv/x", "{'digest': <'sha256:" SHA256 "'>}", NONE,
    "{'digest': <'sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef'>}" },
  { URL, "/srv/x", "{'digest': <'sha512:" SHA256 SHA256 "'>}", NONE, NULL },
  { URL, "/srv/x", "{'digest': <'sha1:0123456789012345678901234567890123456789'>}", NONE, NULL },
  { URL, "/srv/x", "{'digest': <'md5:01234567890123456789012345678901'>}", NONE, NULL },
  { URL, "", "{'path': <b'/srv/x'>}", NONE, "@a{sv} {}" },
  { URL, "", "{'path': <[byte 0x2f, 0xff]>, 'size': <uint64 1>}", NONE, "{'size': <uint64 1>}" },

  { "ftp://example.org/x", "/srv/x", "@a{sv} {}", TFD_ERROR_INVALID_URL, "http://" },
  { "", "/srv/x", "@a{sv} {}", TFD_ERROR_INVALID_URL, "" },
  { URL, "", "@a{sv} {}", TFD_ERROR_INVALID_PATH, "absolute" },
  { URL, "x", "@a{sv} {}", TFD_ERROR_INVALID_PATH, "absolute" },
  { URL, "/srv/../x", "@a{sv} {}", TFD_ERROR_INVALID_PATH, ".." },
  { URL, "/srv/x/", "@a{sv} {}", TFD_ERROR_INVALID_PATH, "slash" },
  { URL, "/srv/x", "{'nonsense': <1>}", TFD_ERROR_INVALID_ARGS, "‘nonsense’" },
  { URL, "/srv/x", "{'size': <5>}", TFD_ERROR_INVALID_ARGS, "‘size’" },
  { URL, "/srv/x", "{'size': <uint64 18446744073709551615>}", TFD_ERROR_INVALID_ARGS, "‘size’" },
  { URL, "/srv/x", "{'mode': <uint32 04755>}", TFD_ERROR_INVALID_ARGS, "‘mode’" },
  { URL, "/srv/x", "{'umask': <uint32 4096>}", TFD_ERROR_INVALID_ARGS, "‘umask’" },
  { URL, "/srv/x", "{'size': <uint64 5>, 'size': <uint64 6>}", TFD_ERROR_INVALID_ARGS, "twice" },
  { URL, "/srv/x", "{'digest': <'" SHA256 "'>}", TFD_ERROR_INVALID_ARGS, "‘digest’" },
  { URL, "/srv/x", "{'digest': <'sha256:'>}", TFD_ERROR_INVALID_ARGS, "‘digest’" },
  { URL, "/srv/x", "{'digest': <'sha256:" SHA256 "0'>}", TFD_ERROR_INVALID_ARGS, "‘digest’" },
  { URL, "/srv/x", "{'digest': <'md5:0123456789012345678901234567890x'>}", TFD_ERROR_INVALID_ARGS,
    "‘digest’" },
  { URL, "/srv/x", "{'digest': <'crc32:01234567'>}", TFD_ERROR_INVALID_ARGS, "‘digest’" },
  { URL, "/srv/x", "{'digest': <'SHA256:" SHA256 "'>}", TFD_ERROR_INVALID_ARGS, "‘digest’" },
  { URL, "/srv/x", "{'path': <b'/srv/y'>}", TFD_ERROR_INVALID_ARGS, "‘path’" },
  { URL, "/srv/x", "{'path': <'/srv/y'>}", TFD_ERROR_INVALID_ARGS, "‘path’" },
  { URL, "", "{'path': <@ay []>}", TFD_ERROR_INVALID_PATH, "absolute" },
  { URL, "", "{'path': <[byte 0x00]>}", TFD_ERROR_INVALID_PATH, "absolute" },
  { URL, "", "{'path': <[byte 0x2f, 0x61, 0x00, 0x62]>}", TFD_ERROR_INVALID_PATH, "0x00" },
  { URL, "", "{'path': <[byte 0x2f, 0x61, 0x00, 0x00]>}", TFD_ERROR_INVALID_PATH, "0x00" },
  { URL, "", "{'path': <b'/srv/../y'>}", TFD_ERROR_INVALID_PATH, ".." },
  { URL, "/srv/x", "{'ranges': <[(uint64 0, uint64 5)]>}", NONE,
    "{'ranges': <[(uint64 0, uint64 5)]>}" },
  { URL, "/srv/x", "{'ranges': <[(uint64 0, uint64 0)]>}", TFD_ERROR_INVALID_RANGE, "‘ranges’" },
  { URL, "/srv/x", "{'ranges': <[(uint64 0, uint64 5), (4, 5)]>}", TFD_ERROR_OVERLAPPING_RANGES,
    "‘ranges’" },
  { URL, "/srv/x", "{'ranges': <@a(tt) []>}", TFD_ERROR_INVALID_ARGS, "‘ranges’" },
  { URL, "/srv/x", "{'ranges': <[(uint64 0, 5)]>}", TFD_ERROR_INVALID_ARGS, "‘ranges’" },
  { URL, "/srv/x", "{'mirrors': <['http://b.example/']>}", TFD_ERROR_NOT_SUPPORTED, "‘mirrors’" },
};

static void
test_spec (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GVariant) options = parse ("a{sv}", cases[i].options);
      g_autoptr (GError) error = NULL;
      g_autoptr (TfdFileSpec) spec =
          tfd_file_spec_new (TFD_JOB_TYPE_DOWNLOAD, cases[i].url, cases[i].path, options, &error);

      g_test_message ("%s %s %s", cases[i].url, cases[i].path, cases[i].options);
      if (cases[i].code != NONE)
        {
          g_assert_error (error, TFD_ERROR, cases[i].code);
          g_assert_null (spec);
          g_assert_nonnull (strstr (error->message, cases[i].word));
          continue;
        }
      g_assert_no_error (error);
      g_assert_cmpstr (spec->url, ==, cases[i].url);
      if (cases[i].path[0] != '\0')
        g_assert_cmpstr (spec->path, ==, cases[i].path);
      if (cases[i].word != NULL)
        {
          g_autoptr (GVariant) expected = parse ("a{sv}", cases[i].word);
          g_assert_cmpvariant (spec->options, expected);
        }
    }
}

static void
test_bytes (void)
{
  g_autoptr (GVariant) options = parse ("a{sv}", "{'path': <[byte 0x2f, 0xff, 0xfe]>}");
  g_autoptr (GVariant) terminated = parse ("a{sv}", "{'path': <[byte 0x2f, 0xff, 0xfe, 0x00]>}");
  g_autoptr (TfdFileSpec) spec = tfd_file_spec_new (TFD_JOB_TYPE_DOWNLOAD, URL, "", options, NULL);
  g_autoptr (TfdFileSpec) same =
      tfd_file_spec_new (TFD_JOB_TYPE_DOWNLOAD, URL, "", terminated, NULL);
  g_autoptr (TfdFileSpec) plain = tfd_file_spec_new (TFD_JOB_TYPE_DOWNLOAD, URL, "/x", NULL, NULL);

  g_assert_cmpstr (spec->path, ==, "/\xff\xfe");
  g_assert_cmpstr (same->path, ==, "/\xff\xfe");
  g_assert_true (g_variant_is_of_type (plain->options, G_VARIANT_TYPE_VARDICT));
  g_assert_cmpuint (g_variant_n_children (plain->options), ==, 0);
  g_assert_false (g_variant_is_floating (plain->options));
}

/* What is said of a file that is received means nothing for one that is sent. */
static void
test_types (void)
{
  static const struct
  {
    TfdJobType type;
    const char *url, *options;
    int code;
  } types[] = {
    { TFD_JOB_TYPE_UPLOAD, URL, "@a{sv} {}", NONE },
    { TFD_JOB_TYPE_UPLOAD, "HTTPS://example.org/x", "@a{sv} {}", NONE },
    { TFD_JOB_TYPE_UPLOAD, "file:///srv/y", "@a{sv} {}", TFD_ERROR_INVALID_URL },
    { TFD_JOB_TYPE_UPLOAD_REPLY, "file:///srv/y", "@a{sv} {}", TFD_ERROR_INVALID_URL },
    { TFD_JOB_TYPE_UPLOAD, URL, "{'mode': <uint32 0640>}", TFD_ERROR_DOWNLOAD_ONLY },
    { TFD_JOB_TYPE_UPLOAD, URL, "{'umask': <uint32 022>}", TFD_ERROR_DOWNLOAD_ONLY },
    { TFD_JOB_TYPE_UPLOAD, URL, "{'size': <uint64 5>}", TFD_ERROR_DOWNLOAD_ONLY },
    { TFD_JOB_TYPE_UPLOAD, URL, "{'nonsense': <5>}", TFD_ERROR_INVALID_ARGS },
    { TFD_JOB_TYPE_UPLOAD_REPLY, URL, "{'mode': <uint32 0640>, 'umask': <uint32 022>}", NONE },
    { TFD_JOB_TYPE_UPLOAD_REPLY, URL, "{'digest': <'md5:01234567890123456789012345678901'>}",
      TFD_ERROR_DOWNLOAD_ONLY },
    { TFD_JOB_TYPE_UPLOAD, URL, "{'ranges': <[(uint64 0, uint64 1)]>}", TFD_ERROR_DOWNLOAD_ONLY },
    { TFD_JOB_TYPE_UPLOAD_REPLY, URL, "{'ranges': <[(uint64 0, uint64 1)]>}",
      TFD_ERROR_DOWNLOAD_ONLY },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (types); i++)
    {
      g_autoptr (GVariant) options = parse ("a{sv}", types[i].options);
      g_autoptr (GError) error = NULL;
      g_autoptr (TfdFileSpec) spec =
          tfd_file_spec_new (types[i].type, types[i].url, "/srv/x", options, &error);

      g_test_message ("%s %s", types[i].url, types[i].options);
      if (types[i].code == NONE)
        g_assert_no_error (error);
      else
        g_assert_error (error, TFD_ERROR, types[i].code);
    }
  g_autoptr (GVariant) bytes = parse ("a{sv}", "{'path': <[byte 0x2f, 0xff]>}");
  g_autoptr (TfdFileSpec) spec = tfd_file_spec_new (TFD_JOB_TYPE_UPLOAD, URL, "", bytes, NULL);
  g_assert_cmpstr (spec->path, ==, "/\xff");
}

static void
test_reply_path (void)
{
  g_autoptr (TfdJobProperties) properties = tfd_job_properties_new ();
  g_autofree char *beside = tfd_reply_path (properties, "/a/\xff");

  g_assert_cmpstr (beside, ==, "/a/\xff.reply");
  g_free (properties->reply_file_name);
  properties->reply_file_name = g_strdup ("/b/answer");
  g_autofree char *named = tfd_reply_path (properties, "/a/x");
  g_assert_cmpstr (named, ==, "/b/answer");
}

static void
test_specs (void)
{
  g_autoptr (GVariant) files =
      parse ("a(ssa{sv})", "[('" URL "', '/a', {}), ('" URL "', '/b', {'size': <uint64 "
                           "1>}), ('" URL "', '', {'path': <b'/c'>})]");
  g_autoptr (GVariant) none = parse ("a(ssa{sv})", "[]");
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) specs = tfd_file_specs_new (TFD_JOB_TYPE_DOWNLOAD, files, &error);

  g_assert_no_error (error);
  g_assert_cmpuint (specs->len, ==, 3);
  g_assert_cmpstr (((TfdFileSpec *) specs->pdata[0])->path, ==, "/a");
  g_assert_cmpstr (((TfdFileSpec *) specs->pdata[2])->path, ==, "/c");

  g_autoptr (GPtrArray) empty = tfd_file_specs_new (TFD_JOB_TYPE_DOWNLOAD, none, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (empty->len, ==, 0);
}

/* Names in a directory that is handed in. */
static void
test_names (void)
{
  static const struct
  {
    TfdJobType type;
    const char *name, *options;
    int code;
  } names[] = {
    { TFD_JOB_TYPE_DOWNLOAD, "a", "@a{sv} {}", NONE },
    { TFD_JOB_TYPE_DOWNLOAD, ".hidden", "@a{sv} {}", NONE },
    { TFD_JOB_TYPE_DOWNLOAD, "...", "@a{sv} {}", NONE },
    { TFD_JOB_TYPE_DOWNLOAD, "", "{'path': <[byte 0xff]>}", NONE },
    { TFD_JOB_TYPE_UPLOAD, "", "@a{sv} {}", NONE },
    { TFD_JOB_TYPE_UPLOAD_REPLY, "", "@a{sv} {}", NONE },
    { TFD_JOB_TYPE_DOWNLOAD, "", "@a{sv} {}", TFD_ERROR_INVALID_PATH },
    { TFD_JOB_TYPE_DOWNLOAD, ".", "@a{sv} {}", TFD_ERROR_INVALID_PATH },
    { TFD_JOB_TYPE_DOWNLOAD, "..", "@a{sv} {}", TFD_ERROR_INVALID_PATH },
    { TFD_JOB_TYPE_DOWNLOAD, "/", "@a{sv} {}", TFD_ERROR_INVALID_PATH },
    { TFD_JOB_TYPE_DOWNLOAD, "/a", "@a{sv} {}", TFD_ERROR_INVALID_PATH },
    { TFD_JOB_TYPE_DOWNLOAD, "a/", "@a{sv} {}", TFD_ERROR_INVALID_PATH },
    { TFD_JOB_TYPE_UPLOAD, "../a", "@a{sv} {}", TFD_ERROR_INVALID_PATH },
    { TFD_JOB_TYPE_UPLOAD, "..", "@a{sv} {}", TFD_ERROR_INVALID_PATH },
    { TFD_JOB_TYPE_DOWNLOAD, "a\n", "@a{sv} {}", TFD_ERROR_INVALID_PATH },
    { TFD_JOB_TYPE_DOWNLOAD, "", "{'path': <b'a/b'>}", TFD_ERROR_INVALID_PATH },
    { TFD_JOB_TYPE_DOWNLOAD, "a", "{'path': <b'a'>}", TFD_ERROR_INVALID_ARGS },
    /* nobody says by an option in which directory it is */
    { TFD_JOB_TYPE_UPLOAD, "a", "{'attached-to': <b'x'>}", TFD_ERROR_INVALID_ARGS },
    { TFD_JOB_TYPE_UPLOAD, "a", "{'mode': <uint32 0640>}", TFD_ERROR_DOWNLOAD_ONLY },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_autoptr (GVariant) options = parse ("a{sv}", names[i].options);
      g_autoptr (GError) error = NULL;
      g_autoptr (TfdFileSpec) spec =
          tfd_file_spec_new_at (names[i].type, URL, names[i].name, options, &error);

      g_test_message ("“%s” %s", names[i].name, names[i].options);
      if (names[i].code == NONE)
        {
          g_assert_no_error (error);
          g_assert_true (spec->attached);
        }
      else
        g_assert_error (error, TFD_ERROR, names[i].code);
    }

  g_autofree char *longest = g_strnfill (255, 'x');
  g_autofree char *longer = g_strnfill (256, 'x');
  g_autoptr (TfdFileSpec) good =
      tfd_file_spec_new_at (TFD_JOB_TYPE_DOWNLOAD, URL, longest, NULL, NULL);
  g_assert_nonnull (good);
  g_assert_null (tfd_file_spec_new_at (TFD_JOB_TYPE_DOWNLOAD, URL, longer, NULL, NULL));
}

static void
test_specs_at (void)
{
  g_autoptr (GVariant) files = parse ("a(ssa{sv})", "[('" URL "', 'a', {}), ('" URL "', 'b', {})]");
  g_autoptr (GVariant) twice = parse ("a(ssa{sv})", "[('" URL "', 'a', {}), ('" URL "', 'a', {})]");
  g_autoptr (GVariant) whole = parse ("a(ssa{sv})", "[('" URL "', '', {})]");
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) specs = tfd_file_specs_new_at (TFD_JOB_TYPE_UPLOAD, files, &error);

  g_assert_no_error (error);
  g_assert_cmpuint (specs->len, ==, 2);
  g_assert_cmpstr (((TfdFileSpec *) specs->pdata[1])->path, ==, "b");
  g_assert_true (((TfdFileSpec *) specs->pdata[1])->attached);
  g_assert_null (tfd_file_specs_new_at (TFD_JOB_TYPE_UPLOAD, twice, &error));
  g_assert_error (error, TFD_ERROR, TFD_ERROR_DUPLICATE_DESTINATION);
  g_clear_error (&error);
  g_assert_null (tfd_file_specs_new_at (TFD_JOB_TYPE_UPLOAD, whole, &error));
  g_assert_error (error, TFD_ERROR, TFD_ERROR_INVALID_PATH);
}

static void
expect_specs_error (const char *files, int code, const char *word)
{
  g_autoptr (GVariant) value = parse ("a(ssa{sv})", files);
  g_autoptr (GError) error = NULL;

  g_assert_null (tfd_file_specs_new (TFD_JOB_TYPE_DOWNLOAD, value, &error));
  g_assert_error (error, TFD_ERROR, code);
  g_assert_nonnull (strstr (error->message, word));
}

static void
test_specs_name_the_offender (void)
{
  expect_specs_error ("[('" URL "', '/a', {}), ('ftp:x', '/b', {})]", TFD_ERROR_INVALID_URL,
                      "file 1 ");
  expect_specs_error ("[('" URL "', 'a', {}), ('ftp:x', '/b', {})]", TFD_ERROR_INVALID_PATH,
                      "file 0 ");
  expect_specs_error ("[('" URL "', '/a', {}), ('" URL "', '/b', {}), ('" URL "', '/a', {})]",
                      TFD_ERROR_DUPLICATE_DESTINATION, "file 2 ");
  expect_specs_error ("[('" URL "', '/a', {}), ('" URL "', '', {'path': <b'/a'>})]",
                      TFD_ERROR_DUPLICATE_DESTINATION, "file 0,");
}

static void
test_too_many (void)
{
  GVariantBuilder builder;
  g_autoptr (GError) error = NULL;

  g_variant_builder_init (&builder, G_VARIANT_TYPE ("a(ssa{sv})"));
  for (int i = 0; i <= TFD_MAX_FILES_PER_CALL; i++)
    {
      g_autofree char *path = g_strdup_printf ("/%d", i);
      g_variant_builder_add (&builder, "(ssa{sv})", URL, path, NULL);
    }
  g_autoptr (GVariant) files = g_variant_ref_sink (g_variant_builder_end (&builder));
  g_assert_null (tfd_file_specs_new (TFD_JOB_TYPE_DOWNLOAD, files, &error));
  g_assert_error (error, TFD_ERROR, TFD_ERROR_TOO_MANY_FILES);
  g_assert_nonnull (strstr (error->message, "20001"));
  g_assert_nonnull (strstr (error->message, "20000"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/common/wire/files/spec", test_spec);
  g_test_add_func ("/common/wire/files/bytes", test_bytes);
  g_test_add_func ("/common/wire/files/types", test_types);
  g_test_add_func ("/common/wire/files/reply-path", test_reply_path);
  g_test_add_func ("/common/wire/files/names", test_names);
  g_test_add_func ("/common/wire/files/specs", test_specs);
  g_test_add_func ("/common/wire/files/specs-at", test_specs_at);
  g_test_add_func ("/common/wire/files/specs-name-the-offender", test_specs_name_the_offender);
  g_test_add_func ("/common/wire/files/too-many", test_too_many);
  return g_test_run ();
}
