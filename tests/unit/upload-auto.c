/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Upload by what the server understands, and the readers of header fields that uploads need. */
#include "config.h"

#include "tests/unit/upload-talk.h"

#include "worker/upload-fields.h"

static const struct
{
  const char *name;
  guint status;
  const char *fields;
  TfdUploadVerdict verdict;
  TfdUploadProtocol protocol; /* FAILED: AUTO */
} rows[] = {
  { "tus", 204, "Tus-Resumable: 1.0.0\nTus-Version: 1.0.0,0.2.2\n", TFD_UPLOAD_GO_ON,
    TFD_UPLOAD_PROTOCOL_TUS },
  { "tus-by-resumable", 200, "Tus-Resumable: 1.0.0\n", TFD_UPLOAD_GO_ON, TFD_UPLOAD_PROTOCOL_TUS },
  { "tus-first", 204, "Tus-Version: 1.0.0\nAccept-Patch: application/partial-upload\n",
    TFD_UPLOAD_GO_ON, TFD_UPLOAD_PROTOCOL_TUS },
  { "old-tus", 204, "Tus-Version: 0.2.2\nAllow: PUT\n", TFD_UPLOAD_GO_ON, TFD_UPLOAD_PROTOCOL_PUT },
  { "upload-limit", 204, "Upload-Limit: max-size=5\n", TFD_UPLOAD_GO_ON,
    TFD_UPLOAD_PROTOCOL_RESUMABLE },
  { "upload-limit-invalid", 204, "Upload-Limit: max-size=\n", TFD_UPLOAD_GO_ON,
    TFD_UPLOAD_PROTOCOL_PUT },
  { "accept-patch", 200, "Accept-Patch: text/x;a=b, application/partial-upload;q=1\n",
    TFD_UPLOAD_GO_ON, TFD_UPLOAD_PROTOCOL_RESUMABLE },
  { "accept-patch-any", 200, "Accept-Patch: */*, application/*\n", TFD_UPLOAD_GO_ON,
    TFD_UPLOAD_PROTOCOL_PUT },
  { "bits-by-allow", 200, "Allow: GET, HEAD, BITS_POST\n", TFD_UPLOAD_GO_ON,
    TFD_UPLOAD_PROTOCOL_BITS },
  { "bits-by-public", 200, "Allow: GET\nPublic: OPTIONS,BITS_POST\n", TFD_UPLOAD_GO_ON,
    TFD_UPLOAD_PROTOCOL_BITS },
  { "not-quite-bits", 200, "Allow: XBITS_POST, BITS_POSTS\n", TFD_UPLOAD_GO_ON,
    TFD_UPLOAD_PROTOCOL_PUT },
  { "nothing", 200, "", TFD_UPLOAD_GO_ON, TFD_UPLOAD_PROTOCOL_PUT },
  { "dav", 200, "DAV: 1,2\nAllow: OPTIONS,PUT\n", TFD_UPLOAD_GO_ON, TFD_UPLOAD_PROTOCOL_PUT },
  { "302", 302, "Location: /x\n", TFD_UPLOAD_GO_ON, TFD_UPLOAD_PROTOCOL_PUT },
  { "403", 403, "", TFD_UPLOAD_GO_ON, TFD_UPLOAD_PROTOCOL_PUT },
  { "404", 404, "", TFD_UPLOAD_GO_ON, TFD_UPLOAD_PROTOCOL_PUT },
  { "405", 405, "Allow: BITS_POST\n", TFD_UPLOAD_GO_ON, TFD_UPLOAD_PROTOCOL_PUT },
  { "501", 501, "", TFD_UPLOAD_GO_ON, TFD_UPLOAD_PROTOCOL_PUT },
  { "401", 401, "", TFD_UPLOAD_FAILED, TFD_UPLOAD_PROTOCOL_AUTO },
  { "407", 407, "", TFD_UPLOAD_FAILED, TFD_UPLOAD_PROTOCOL_AUTO },
  { "429", 429, "", TFD_UPLOAD_FAILED, TFD_UPLOAD_PROTOCOL_AUTO },
  { "503", 503, "Tus-Version: 1.0.0\n", TFD_UPLOAD_FAILED, TFD_UPLOAD_PROTOCOL_AUTO },
};

static void
test_row (gconstpointer data)
{
  gsize i = GPOINTER_TO_SIZE (data);
  g_auto (Talk) talk;

  talk_begin (&talk, &tfd_upload_auto, 10);
  talk_expect (&talk, "OPTIONS http://server/dir/file\n");
  g_assert_cmpint (talk_answer (&talk, rows[i].status, rows[i].fields), ==, rows[i].verdict);
  g_assert_cmpint (talk.state.protocol, ==, rows[i].protocol);
  if (rows[i].verdict == TFD_UPLOAD_FAILED)
    return;
  g_assert_nonnull (talk.reason);
  talk_expect_end (&talk);
}

/* What was learnt need not be asked again. */
static void
test_tus_learnt (void)
{
  g_auto (Talk) talk;

  talk_begin (&talk, &tfd_upload_auto, 10);
  talk_ask (&talk);
  talk_answer (&talk, 204,
               "Tus-Version: 1.0.0\nTus-Extension: creation,checksum\n"
               "Tus-Checksum-Algorithm: sha1\n");
  g_assert_true (talk.state.known);
  g_assert_cmpuint (talk.state.features, ==, TFD_UPLOAD_TUS_SHA1);
}

/* Fields */

static void
test_integers (void)
{
  static const struct
  {
    const char *text;
    gint64 number; /* -1: none */
  } cases[] = {
    { "0", 0 },
    { " 7 ", 7 },
    { "007", 7 },
    { "999999999999999", 999999999999999 },
    { "5;a;b=\"x\\\"\";c=:YQ==:;d=?1;e=tok;f=1.5", 5 },
    { "9999999999999999", -1 },
    { "-5", -1 },
    { "5.0", -1 },
    { "5 6", -1 },
    { "5,6", -1 },
    { "5;", -1 },
    { "5;A", -1 },
    { "\"5\"", -1 },
    { "?1", -1 },
    { "five", -1 },
    { "", -1 },
    { "\t5", -1 },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      guint64 number = 77;
      g_assert_cmpint (tfd_field_parse_integer (cases[i].text, &number), ==, cases[i].number >= 0);
      g_assert_cmpint ((gint64) number, ==, cases[i].number >= 0 ? cases[i].number : 77);
    }
  g_assert_false (tfd_field_parse_integer (NULL, NULL));
}

static void
test_booleans (void)
{
  gboolean yes = FALSE;

  g_assert_true (tfd_field_parse_boolean ("?1", &yes) && yes);
  g_assert_true (tfd_field_parse_boolean (" ?0;x=1 ", &yes) && !yes);
  g_assert_false (tfd_field_parse_boolean ("?2", &yes));
  g_assert_false (tfd_field_parse_boolean ("?", &yes));
  g_assert_false (tfd_field_parse_boolean ("1", &yes));
  g_assert_false (tfd_field_parse_boolean ("?1 ?1", &yes));
  g_assert_false (tfd_field_parse_boolean (NULL, &yes));
}

static void
test_limits (void)
{
  static const struct
  {
    const char *text;
    gboolean good;
    TfdUploadLimits limits;
  } cases[] = {
    { "", TRUE, { 0, 0, 0 } },
    { "max-size=5", TRUE, { 5, 0, 0 } },
    { "max-size=5,max-append-size=6 , max-age=7", TRUE, { 5, 6, 0 } },
    { "min-append-size=3, min-size=1", TRUE, { 0, 0, 3 } },
    { "max-size=5;a=b, x, y=(1 \"2\" t;q);z, w=*tok/en, v=-1.25", TRUE, { 5, 0, 0 } },
    { "max-size=5, max-size=6", TRUE, { 6, 0, 0 } },
    { "max-size=5, max-age=\"x\"", FALSE, { 0, 0, 0 } },
    { "max-size", FALSE, { 0, 0, 0 } },
    { "max-size=-5", FALSE, { 0, 0, 0 } },
    { "max-size=5,", FALSE, { 0, 0, 0 } },
    { ",max-size=5", FALSE, { 0, 0, 0 } },
    { "max-size=5 max-age=6", FALSE, { 0, 0, 0 } },
    { "Max-Size=5", FALSE, { 0, 0, 0 } },
    { "a=(1 2", FALSE, { 0, 0, 0 } },
    { "a=(1,2)", FALSE, { 0, 0, 0 } },
    { "a=\"", FALSE, { 0, 0, 0 } },
    { "a=:x", FALSE, { 0, 0, 0 } },
    { "a=\"\\n\"", FALSE, { 0, 0, 0 } },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      TfdUploadLimits limits = { 0 };
      g_assert_cmpint (tfd_field_parse_limits (cases[i].text, &limits), ==, cases[i].good);
      g_assert_cmpuint (limits.max_size, ==, cases[i].limits.max_size);
      g_assert_cmpuint (limits.max_append_size, ==, cases[i].limits.max_append_size);
      g_assert_cmpuint (limits.min_append_size, ==, cases[i].limits.min_append_size);
    }
}

static void
test_hexadecimal (void)
{
  guint32 code = 0;

  g_assert_true (tfd_field_parse_hex ("0x8020001F", &code) && code == 0x8020001f);
  g_assert_true (tfd_field_parse_hex ("0X5", &code) && code == 5);
  g_assert_true (tfd_field_parse_hex ("0x0", &code) && code == 0);
  g_assert_false (tfd_field_parse_hex ("0x", &code));
  g_assert_false (tfd_field_parse_hex ("8020001F", &code));
  g_assert_false (tfd_field_parse_hex ("0x18020001F", &code));
  g_assert_false (tfd_field_parse_hex ("0x5 ", &code));
  g_assert_false (tfd_field_parse_hex (NULL, &code));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autofree char *name = g_strconcat ("/upload/auto/", rows[i].name, NULL);
      g_test_add_data_func (name, GSIZE_TO_POINTER (i), test_row);
    }
  g_test_add_func ("/upload/auto/tus-learnt", test_tus_learnt);
  g_test_add_func ("/upload/fields/integers", test_integers);
  g_test_add_func ("/upload/fields/booleans", test_booleans);
  g_test_add_func ("/upload/fields/limits", test_limits);
  g_test_add_func ("/upload/fields/hexadecimal", test_hexadecimal);

  return g_test_run ();
}
