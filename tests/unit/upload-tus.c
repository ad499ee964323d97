/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Upload by tus 1.0: the examples of its specification, and what servers make of it. */
#include "config.h"

#include "tests/unit/upload-talk.h"

#define UPLOAD "https://tus.example.org/files/24e533e02ec3bc40c387f1a0e460e216"
#define TUS "Tus-Resumable: 1.0.0\n"
#define CREATED TUS "Location: " UPLOAD "\n"
#define REMOTE TFD_ERROR_CONTEXT_REMOTE_FILE

#define OPTIONS "OPTIONS https://tus.example.org/files\n"
#define CREATE                                                                                     \
  "POST https://tus.example.org/files\n" TUS "Content-Length: 0\nUpload-Length: 100\n"             \
  "Upload-Metadata: filename d29ybGRfZG9taW5hdGlvbl9wbGFuLnBkZg==\n"
#define HEAD "HEAD " UPLOAD "\n" TUS
#define PATCH(offset)                                                                              \
  "PATCH " UPLOAD "\n" TUS "Content-Type: application/offset+octet-stream\n"                       \
  "Upload-Offset: " offset "\n"

static void
begin (Talk *talk)
{
  talk_begin (talk, &tfd_upload_tus, 100);
  talk->source.url = "https://tus.example.org/files";
  talk->source.name = "world_domination_plan.pdf";
}

/* The server's answer to OPTIONS was @options. */
static void
begin_known (Talk *talk, const char *options)
{
  begin (talk);
  talk_expect (talk, OPTIONS);
  g_assert_cmpint (talk_answer (talk, 204, options), ==, TFD_UPLOAD_GO_ON);
}

static void
begin_upload (Talk *talk)
{
  begin_known (talk, TUS "Tus-Version: 1.0.0\nTus-Extension: creation,expiration\n");
  talk_expect (talk, CREATE);
  g_assert_cmpint (talk_answer (talk, 201, CREATED), ==, TFD_UPLOAD_GO_ON);
}

/* In a later run, with 70 bytes at the server. */
static void
begin_again (Talk *talk)
{
  begin_upload (talk);
  talk_interrupt (talk);
  talk->state.known = TRUE;
  talk_expect (talk, HEAD);
}

static void
begin_patch (Talk *talk)
{
  begin_again (talk);
  g_assert_cmpint (talk_answer (talk, 200, TUS "Upload-Offset: 70\nUpload-Length: 100\n"), ==,
                   TFD_UPLOAD_GO_ON);
  talk_expect (talk, PATCH ("70") "[70+30]\n");
}

/* The examples of the specification */

static void
test_example_options (void)
{
  g_auto (Talk) talk;

  begin_known (&talk, TUS "Tus-Version: 1.0.0,0.2.2,0.2.1\nTus-Max-Size: 1073741824\n"
                          "Tus-Extension: creation,expiration\n");
  g_assert_cmpuint (talk.state.maximum, ==, 1073741824);
  g_assert_cmpuint (talk.state.features, ==, 0);
}

static void
test_example_creation (void)
{
  g_auto (Talk) talk;

  begin_upload (&talk);
  g_assert_cmpstr (talk.state.session, ==, UPLOAD);
  talk_expect (&talk, PATCH ("0") "[0+100]\n");
  g_assert_cmpint (talk_answer (&talk, 204, TUS "Upload-Offset: 100\n"), ==, TFD_UPLOAD_GO_ON);
  g_assert_true (talk.state.sent);
  talk_expect_end (&talk);
  talk_expect_forget (&talk, NULL);
}

static void
test_example_resumption (void)
{
  g_auto (Talk) talk;

  begin_again (&talk);
  g_assert_cmpint (talk_answer (&talk, 200, "Upload-Offset: 70\n" TUS), ==, TFD_UPLOAD_GO_ON);
  g_assert_cmpuint (talk.state.offset, ==, 70);
  talk_expect (&talk, PATCH ("70") "[70+30]\n");
  g_assert_cmpint (talk_answer (&talk, 204, TUS "Upload-Offset: 100\n"), ==, TFD_UPLOAD_GO_ON);
  talk_expect_end (&talk);
}

static void
test_example_expiration (void)
{
  g_auto (Talk) talk;

  begin_patch (&talk);
  g_assert_cmpint (talk_answer (&talk, 204,
                                "Upload-Expires: Wed, 25 Jun 2014 16:00:00 GMT\n" TUS
                                "Upload-Offset: 100\n"),
                   ==, TFD_UPLOAD_GO_ON);
  g_assert_true (talk.state.sent);
}

static void
test_example_checksum (void)
{
  g_auto (Talk) talk;

  begin_known (&talk, TUS "Tus-Version: 1.0.0\nTus-Extension: checksum\n"
                          "Tus-Checksum-Algorithm: md5,sha1,crc32\n");
  talk_ask (&talk);
  talk_answer (&talk, 201, CREATED);
  talk.source.fragment = 11;
  talk_expect (&talk, PATCH ("0") "[0+11]\n");
  g_assert_cmpstr (talk.request.digest_field, ==, "Upload-Checksum");
  g_assert_cmpstr (talk.request.digest_prefix, ==, "sha1 ");
  g_assert_cmpstr (talk.request.digest_suffix, ==, "");
  g_assert_cmpint (talk.request.digest_type, ==, G_CHECKSUM_SHA1);
  g_assert_cmpint (talk_answer (&talk, 204, TUS "Upload-Offset: 11\n"), ==, TFD_UPLOAD_GO_ON);
  talk_expect (&talk, PATCH ("11") "[11+11]\n");
}

static void
test_example_termination (void)
{
  g_auto (Talk) talk;

  begin_upload (&talk);
  talk_expect_forget (&talk, "DELETE " UPLOAD "\n" TUS "Content-Length: 0\n");
  g_assert_true (talk_forgotten (&talk, 204, TUS));
  g_assert_true (talk_forgotten (&talk, 404, TUS));
  g_assert_true (talk_forgotten (&talk, 410, TUS));
  g_assert_true (talk_forgotten (&talk, 405, ""));
  g_assert_false (talk_forgotten (&talk, 423, ""));
  g_assert_false (talk_forgotten (&talk, 429, ""));
  g_assert_false (talk_forgotten (&talk, 500, ""));
}

/* More of them */

static void
test_better_checksum (void)
{
  g_auto (Talk) talk;

  begin_known (&talk, TUS "Tus-Version: 1.0.0\nTus-Extension: creation, checksum\n"
                          "Tus-Checksum-Algorithm: sha1, sha256\n");
  talk_ask (&talk);
  talk_answer (&talk, 201, CREATED);
  talk_ask (&talk);
  g_assert_cmpstr (talk.request.digest_prefix, ==, "sha256 ");
  g_assert_cmpint (talk.request.digest_type, ==, G_CHECKSUM_SHA256);
}

static void
test_unknown_checksum (void)
{
  g_auto (Talk) talk;

  begin_known (&talk, TUS "Tus-Version: 1.0.0\nTus-Extension: checksum\n"
                          "Tus-Checksum-Algorithm: md5,crc32\n");
  talk_ask (&talk);
  talk_answer (&talk, 201, CREATED);
  talk_ask (&talk);
  g_assert_null (talk.request.digest_field);
}

static void
test_zero_bytes (void)
{
  g_auto (Talk) talk;

  begin_known (&talk, "");
  talk.source.size = 0;
  talk_ask (&talk);
  g_assert_cmpint (talk_answer (&talk, 201, CREATED), ==, TFD_UPLOAD_GO_ON);
  g_assert_true (talk.state.sent);
  talk_expect_end (&talk);
}

static void
test_relative_location (void)
{
  g_auto (Talk) talk;

  begin_known (&talk, "");
  talk_ask (&talk);
  talk_answer (&talk, 201, TUS "Location: /files/1\n");
  g_assert_cmpstr (talk.state.session, ==, "https://tus.example.org/files/1");
}

static void
test_part_taken (void)
{
  g_auto (Talk) talk;

  begin_patch (&talk);
  g_assert_cmpint (talk_answer (&talk, 204, TUS "Upload-Offset: 80\n"), ==, TFD_UPLOAD_GO_ON);
  talk_expect (&talk, PATCH ("80") "[80+20]\n");
}

/* The server has lost some bytes: progress goes back. */
static void
test_offset_backwards (void)
{
  g_auto (Talk) talk;

  begin_patch (&talk);
  talk_interrupt (&talk);
  talk.state.known = TRUE;
  talk_expect (&talk, HEAD);
  g_assert_cmpint (talk_answer (&talk, 200, TUS "Upload-Offset: 20\n"), ==, TFD_UPLOAD_GO_ON);
  g_assert_cmpuint (talk.state.offset, ==, 20);
  talk_expect (&talk, PATCH ("20") "[20+80]\n");
}

static void
test_conflict (void)
{
  g_auto (Talk) talk;

  begin_patch (&talk);
  g_assert_cmpint (talk_answer (&talk, 409, TUS), ==, TFD_UPLOAD_GO_ON);
  talk_expect (&talk, HEAD);
  g_assert_cmpint (talk_answer (&talk, 204, TUS "Upload-Offset: 40\n"), ==, TFD_UPLOAD_GO_ON);
  talk_expect (&talk, PATCH ("40") "[40+60]\n");
}

/* A lock of a request that the server has not given up yet. */
static void
test_locked (void)
{
  g_auto (Talk) talk;

  begin_patch (&talk);
  g_assert_cmpint (talk_answer (&talk, 423, TUS), ==, TFD_UPLOAD_FAILED);
  g_assert_true (talk.failure.transient);
  talk_expect (&talk, HEAD);
}

static void
test_too_large_for_one_request (void)
{
  g_auto (Talk) talk;

  begin_upload (&talk);
  talk.source.size = 10 << 20;
  talk.source.fragment = 20 << 20;
  talk_expect (&talk, PATCH ("0") "[0+10485760]\n");
  g_assert_cmpint (talk_answer (&talk, 413, ""), ==, TFD_UPLOAD_GO_ON);
  talk_expect (&talk, HEAD);
  talk_answer (&talk, 200, TUS "Upload-Offset: 0\n");
  talk_expect (&talk, PATCH ("0") "[0+2621440]\n");
}

static void
test_portions (void)
{
  g_auto (Talk) talk;

  begin_upload (&talk);
  talk.source.fragment = 60;
  talk_expect (&talk, PATCH ("0") "[0+60]\n");
  talk_answer (&talk, 204, TUS "Upload-Offset: 60\n");
  talk_expect (&talk, PATCH ("60") "[60+40]\n");
}

static void
test_expired (void)
{
  g_auto (Talk) talk;

  begin_again (&talk);
  g_assert_cmpint (talk_answer (&talk, 410, TUS), ==, TFD_UPLOAD_RESTART);
  talk_expect (&talk, CREATE);
}

static void
test_expired_without_end (void)
{
  g_auto (Talk) talk;
  guint losses = 0;

  begin_upload (&talk);
  talk_ask (&talk);
  while (talk_answer (&talk, 404, TUS) == TFD_UPLOAD_RESTART)
    {
      g_assert_cmpuint (++losses, <, 5);
      talk_ask (&talk);
      talk_answer (&talk, 201, CREATED);
      talk_ask (&talk);
    }
  g_assert_true (talk.failure.transient);
}

static void
test_nothing_taken (void)
{
  g_auto (Talk) talk;

  begin_patch (&talk);
  talk_expect_patience (&talk, 204, TUS "Upload-Offset: 70\n", 5);
}

/* All is there, as HEAD says, but what the server said to that was lost. */
static void
test_reply_lost (void)
{
  g_auto (Talk) talk;

  begin_again (&talk);
  talk.source.reply = TRUE;
  g_assert_cmpint (talk_answer (&talk, 200, TUS "Upload-Offset: 100\n"), ==, TFD_UPLOAD_FAILED);
  g_assert_cmpint (talk.failure.code, ==, TFD_ERROR_CONNECTION_LOST);
  g_assert_false (talk.failure.transient);
  talk_expect (&talk, CREATE);
}

static void
test_complete_by_head (void)
{
  g_auto (Talk) talk;

  begin_again (&talk);
  g_assert_cmpint (talk_answer (&talk, 200, TUS "Upload-Offset: 100\n"), ==, TFD_UPLOAD_GO_ON);
  talk_expect_end (&talk);
}

static void
test_reply (void)
{
  g_auto (Talk) talk;

  begin_patch (&talk);
  talk.source.reply = TRUE;
  g_assert_cmpint (talk_answer (&talk, 200, TUS "Upload-Offset: 100\n"), ==, TFD_UPLOAD_REPLY);
  g_assert_true (talk.state.sent);
}

/* clang-format off */
static const TalkRow options_rows[] = {
  { "/upload/tus/options/200", 200, "Tus-Version: 1.0.0\n", TFD_UPLOAD_GO_ON, 0, 0, FALSE },
  { "/upload/tus/options/silent", 200, "Allow: GET\n", TFD_UPLOAD_GO_ON, 0, 0, FALSE },
  { "/upload/tus/options/404", 404, "", TFD_UPLOAD_GO_ON, 0, 0, FALSE },
  { "/upload/tus/options/501", 501, "", TFD_UPLOAD_GO_ON, 0, 0, FALSE },
  { "/upload/tus/options/401", 401, "",
    TFD_UPLOAD_FAILED, TFD_ERROR_AUTHENTICATION_REQUIRED, REMOTE, FALSE },
  { "/upload/tus/options/503", 503, "", TFD_UPLOAD_FAILED, TFD_ERROR_HTTP_STATUS, REMOTE, TRUE },
  { "/upload/tus/options/other-version", 204, "Tus-Version: 2.0.0,0.2.2\n",
    TFD_UPLOAD_FAILED, TFD_ERROR_PROTOCOL_MISMATCH, REMOTE, FALSE },
  { "/upload/tus/options/too-large", 204, "Tus-Version: 1.0.0\nTus-Max-Size: 99\n",
    TFD_UPLOAD_FAILED, TFD_ERROR_TOO_LARGE, REMOTE, FALSE },
  { "/upload/tus/options/just-large-enough", 204, "Tus-Version: 1.0.0\nTus-Max-Size: 100\n",
    TFD_UPLOAD_GO_ON, 0, 0, FALSE },
};

static const TalkRow create_rows[] = {
  { "/upload/tus/create/201", 201, CREATED, TFD_UPLOAD_GO_ON, 0, 0, FALSE },
  { "/upload/tus/create/no-tus", 201, "Location: /x\n",
    TFD_UPLOAD_FAILED, TFD_ERROR_PROTOCOL_MISMATCH, REMOTE, FALSE },
  { "/upload/tus/create/no-location", 201, TUS,
    TFD_UPLOAD_FAILED, TFD_ERROR_INVALID_SERVER_RESPONSE, REMOTE, FALSE },
  { "/upload/tus/create/bad-location", 201, TUS "Location: file:///etc/passwd\n",
    TFD_UPLOAD_FAILED, TFD_ERROR_INVALID_SERVER_RESPONSE, REMOTE, FALSE },
  { "/upload/tus/create/downgraded", 201, TUS "Location: http://tus.example.org/files/1\n",
    TFD_UPLOAD_FAILED, TFD_ERROR_REDIRECT_REFUSED, REMOTE, FALSE },
  { "/upload/tus/create/400", 400, TUS,
    TFD_UPLOAD_FAILED, TFD_ERROR_HTTP_STATUS, REMOTE, FALSE },
  { "/upload/tus/create/404", 404, "",
    TFD_UPLOAD_FAILED, TFD_ERROR_HTTP_STATUS, REMOTE, FALSE },
  { "/upload/tus/create/409", 409, "",
    TFD_UPLOAD_FAILED, TFD_ERROR_HTTP_STATUS, REMOTE, FALSE },
  { "/upload/tus/create/412", 412, "Tus-Version: 0.2.2\n",
    TFD_UPLOAD_FAILED, TFD_ERROR_PROTOCOL_MISMATCH, REMOTE, FALSE },
  { "/upload/tus/create/413", 413, TUS, TFD_UPLOAD_FAILED, TFD_ERROR_TOO_LARGE, REMOTE, FALSE },
  { "/upload/tus/create/500", 500, "", TFD_UPLOAD_FAILED, TFD_ERROR_HTTP_STATUS, REMOTE, TRUE },
};

static const TalkRow head_rows[] = {
  { "/upload/tus/head/200", 200, TUS "Upload-Offset: 0\n", TFD_UPLOAD_GO_ON, 0, 0, FALSE },
  { "/upload/tus/head/204", 204, TUS "Upload-Offset: 99\n", TFD_UPLOAD_GO_ON, 0, 0, FALSE },
  { "/upload/tus/head/no-offset", 200, TUS,
    TFD_UPLOAD_FAILED, TFD_ERROR_INVALID_SERVER_RESPONSE, REMOTE, FALSE },
  { "/upload/tus/head/negative", 200, TUS "Upload-Offset: -1\n",
    TFD_UPLOAD_FAILED, TFD_ERROR_INVALID_SERVER_RESPONSE, REMOTE, FALSE },
  { "/upload/tus/head/beyond-total", 200, TUS "Upload-Offset: 101\n",
    TFD_UPLOAD_FAILED, TFD_ERROR_INVALID_SERVER_RESPONSE, REMOTE, FALSE },
  { "/upload/tus/head/other-length", 200, TUS "Upload-Offset: 70\nUpload-Length: 99\n",
    TFD_UPLOAD_FAILED, TFD_ERROR_INVALID_SERVER_RESPONSE, REMOTE, FALSE },
  { "/upload/tus/head/401", 401, "",
    TFD_UPLOAD_FAILED, TFD_ERROR_AUTHENTICATION_REQUIRED, REMOTE, FALSE },
  { "/upload/tus/head/403", 403, TUS, TFD_UPLOAD_RESTART, 0, 0, FALSE },
  { "/upload/tus/head/404", 404, TUS, TFD_UPLOAD_RESTART, 0, 0, FALSE },
  { "/upload/tus/head/410", 410, TUS, TFD_UPLOAD_RESTART, 0, 0, FALSE },
  { "/upload/tus/head/412", 412, "Tus-Version: 2.0.0\n",
    TFD_UPLOAD_FAILED, TFD_ERROR_PROTOCOL_MISMATCH, REMOTE, FALSE },
  { "/upload/tus/head/423", 423, TUS, TFD_UPLOAD_FAILED, TFD_ERROR_HTTP_STATUS, REMOTE, TRUE },
  { "/upload/tus/head/503", 503, "", TFD_UPLOAD_FAILED, TFD_ERROR_HTTP_STATUS, REMOTE, TRUE },
};

static const TalkRow patch_rows[] = {
  { "/upload/tus/patch/204", 204, TUS "Upload-Offset: 100\n", TFD_UPLOAD_GO_ON, 0, 0, FALSE },
  { "/upload/tus/patch/200", 200, TUS "Upload-Offset: 100\n", TFD_UPLOAD_GO_ON, 0, 0, FALSE },
  { "/upload/tus/patch/no-offset", 204, TUS,
    TFD_UPLOAD_FAILED, TFD_ERROR_INVALID_SERVER_RESPONSE, REMOTE, FALSE },
  { "/upload/tus/patch/backwards", 204, TUS "Upload-Offset: 69\n",
    TFD_UPLOAD_FAILED, TFD_ERROR_INVALID_SERVER_RESPONSE, REMOTE, FALSE },
  { "/upload/tus/patch/beyond-total", 204, TUS "Upload-Offset: 101\n",
    TFD_UPLOAD_FAILED, TFD_ERROR_INVALID_SERVER_RESPONSE, REMOTE, FALSE },
  { "/upload/tus/patch/403", 403, TUS,
    TFD_UPLOAD_FAILED, TFD_ERROR_HTTP_STATUS, REMOTE, FALSE },
  { "/upload/tus/patch/404", 404, TUS, TFD_UPLOAD_RESTART, 0, 0, FALSE },
  { "/upload/tus/patch/409", 409, TUS, TFD_UPLOAD_GO_ON, 0, 0, FALSE },
  { "/upload/tus/patch/410", 410, TUS, TFD_UPLOAD_RESTART, 0, 0, FALSE },
  { "/upload/tus/patch/413", 413, TUS, TFD_UPLOAD_FAILED, TFD_ERROR_TOO_LARGE, REMOTE, FALSE },
  { "/upload/tus/patch/415", 415, TUS,
    TFD_UPLOAD_FAILED, TFD_ERROR_HTTP_STATUS, REMOTE, FALSE },
  { "/upload/tus/patch/460", 460, TUS, TFD_UPLOAD_GO_ON, 0, 0, FALSE },
  { "/upload/tus/patch/500", 500, "", TFD_UPLOAD_FAILED, TFD_ERROR_HTTP_STATUS, REMOTE, TRUE },
};
/* clang-format on */

static void
test_options_row (gconstpointer data)
{
  g_auto (Talk) talk;

  begin (&talk);
  talk_ask (&talk);
  talk_check_row (&talk, data);
}

static void
test_create_row (gconstpointer data)
{
  g_auto (Talk) talk;

  begin_known (&talk, "");
  talk_ask (&talk);
  talk_check_row (&talk, data);
}

static void
test_head_row (gconstpointer data)
{
  g_auto (Talk) talk;

  begin_again (&talk);
  talk_check_row (&talk, data);
}

static void
test_patch_row (gconstpointer data)
{
  g_auto (Talk) talk;

  begin_patch (&talk);
  talk_check_row (&talk, data);
}

#define add_rows(rows, function)                                                                   \
  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++)                                                  \
  g_test_add_data_func (rows[i].name, &rows[i], function)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/upload/tus/example/options", test_example_options);
  g_test_add_func ("/upload/tus/example/creation", test_example_creation);
  g_test_add_func ("/upload/tus/example/resumption", test_example_resumption);
  g_test_add_func ("/upload/tus/example/expiration", test_example_expiration);
  g_test_add_func ("/upload/tus/example/checksum", test_example_checksum);
  g_test_add_func ("/upload/tus/example/termination", test_example_termination);
  add_rows (options_rows, test_options_row);
  add_rows (create_rows, test_create_row);
  add_rows (head_rows, test_head_row);
  add_rows (patch_rows, test_patch_row);
  g_test_add_func ("/upload/tus/checksum/better", test_better_checksum);
  g_test_add_func ("/upload/tus/checksum/unknown", test_unknown_checksum);
  g_test_add_func ("/upload/tus/create/zero-bytes", test_zero_bytes);
  g_test_add_func ("/upload/tus/create/relative-location", test_relative_location);
  g_test_add_func ("/upload/tus/patch/portions", test_portions);
  g_test_add_func ("/upload/tus/patch/part-taken", test_part_taken);
  g_test_add_func ("/upload/tus/patch/nothing-taken", test_nothing_taken);
  g_test_add_func ("/upload/tus/patch/conflict", test_conflict);
  g_test_add_func ("/upload/tus/patch/locked", test_locked);
  g_test_add_func ("/upload/tus/patch/too-large-for-one-request", test_too_large_for_one_request);
  g_test_add_func ("/upload/tus/head/offset-backwards", test_offset_backwards);
  g_test_add_func ("/upload/tus/head/complete", test_complete_by_head);
  g_test_add_func ("/upload/tus/expired/once", test_expired);
  g_test_add_func ("/upload/tus/expired/without-end", test_expired_without_end);
  g_test_add_func ("/upload/tus/reply/in-answer", test_reply);
  g_test_add_func ("/upload/tus/reply/lost", test_reply_lost);

  return g_test_run ();
}
