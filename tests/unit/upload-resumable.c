/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Upload by "Resumable Uploads for HTTP": the examples of draft 11, and what servers make of it. */
#include "config.h"

#include "tests/unit/upload-talk.h"

#define UPLOAD "https://example.com/upload/b530ce8ff"
#define VERSION_8 "Upload-Draft-Interop-Version: 8\n"
#define LOCATION "Location: " UPLOAD "\n"
#define REMOTE TFD_ERROR_CONTEXT_REMOTE_FILE

#define CREATE                                                                                     \
  "POST https://example.com/project/123/files\n" VERSION_8                                         \
  "Upload-Complete: ?0\nUpload-Length: 123456789\nContent-Type: application/octet-stream\n"        \
  "Content-Disposition: inline; filename=\"file name.jpg\"\nContent-Length: 0\n"                   \
  "Want-Repr-Digest: sha-256=10\n"
#define HEAD "HEAD " UPLOAD "\n" VERSION_8
#define PATCH(offset, complete)                                                                    \
  "PATCH " UPLOAD "\n" VERSION_8 "Upload-Complete: " complete "\nUpload-Offset: " offset           \
  "\nContent-Type: application/partial-upload\n"

static void
begin (Talk *talk)
{
  talk_begin (talk, &tfd_upload_resumable, 123456789);
  talk->source.url = "https://example.com/project/123/files";
  talk->source.name = "file name.jpg";
  talk->source.fragment = 200000000;
}

static void
begin_upload (Talk *talk)
{
  begin (talk);
  talk_expect (talk, CREATE);
  g_assert_cmpint (talk_answer (talk, 201, LOCATION), ==, TFD_UPLOAD_GO_ON);
}

static void
begin_again (Talk *talk)
{
  begin_upload (talk);
  talk_interrupt (talk);
  talk_expect (talk, HEAD);
}

/* The server has 23456789 bytes and gets the rest. */
static void
begin_last (Talk *talk)
{
  begin_again (talk);
  g_assert_cmpint (talk_answer (talk, 204, "Upload-Complete: ?0\nUpload-Offset: 23456789\n"), ==,
                   TFD_UPLOAD_GO_ON);
  talk_expect (talk, PATCH ("23456789", "?1") "[23456789+100000000]\n");
}

/* Likewise, but gets 1000000 bytes at a time. */
static void
begin_middle (Talk *talk)
{
  begin_again (talk);
  g_assert_cmpint (talk_answer (talk, 204,
                                "Upload-Complete: ?0\nUpload-Offset: 23456789\n"
                                "Upload-Limit: max-append-size=1000000, max-age=3600\n"),
                   ==, TFD_UPLOAD_GO_ON);
  talk_expect (talk, PATCH ("23456789", "?0") "[23456789+1000000]\n");
}

/* The examples of the draft, which begins with content or without */

static void
test_example_creation (void)
{
  g_auto (Talk) talk;

  begin (&talk);
  talk_expect (&talk, CREATE);
  g_assert_true (
      talk_inform (&talk, 104, VERSION_8 LOCATION "Upload-Limit: max-size=1234567890\n"));
  g_assert_cmpstr (talk.state.session, ==, UPLOAD);
  g_assert_cmpuint (talk.state.maximum, ==, 1234567890);
  g_assert_cmpint (talk_answer (&talk, 201, LOCATION "Upload-Limit: max-size=1234567890\n"), ==,
                   TFD_UPLOAD_GO_ON);
  talk_expect (&talk, PATCH ("0", "?1") "[0+123456789]\n");
  g_assert_true (talk_inform (&talk, 104, VERSION_8 "Upload-Offset: 23456789\n"));
  g_assert_cmpuint (talk.state.offset, ==, 23456789);
  g_assert_cmpint (talk_answer (&talk, 200,
                                "Upload-Complete: ?1\n" LOCATION
                                "Upload-Limit: max-size=1234567890\n"),
                   ==, TFD_UPLOAD_GO_ON);
  g_assert_true (talk.state.sent);
  talk_expect_end (&talk);
  talk_expect_forget (&talk, NULL);
}

/* Thanks to the 104 the upload goes on after a 5xx. */
static void
test_example_creation_fails (void)
{
  g_auto (Talk) talk;

  begin (&talk);
  talk_expect (&talk, CREATE);
  g_assert_true (talk_inform (&talk, 104, VERSION_8 LOCATION));
  g_assert_cmpint (talk_answer (&talk, 500, ""), ==, TFD_UPLOAD_FAILED);
  g_assert_true (talk.failure.transient);
  talk_expect (&talk, HEAD);
}

static void
test_example_not_allowed (void)
{
  g_auto (Talk) talk;

  begin (&talk);
  talk_ask (&talk);
  g_assert_cmpint (talk_answer (&talk, 405, ""), ==, TFD_UPLOAD_FAILED);
  g_assert_false (talk.failure.transient);
}

static void
test_example_offset (void)
{
  g_auto (Talk) talk;

  begin_again (&talk);
  talk.source.size = 100000000;
  g_assert_cmpint (talk_answer (&talk, 204,
                                "Upload-Complete: ?0\nUpload-Offset: 25000000\n"
                                "Upload-Length: 100000000\nUpload-Limit: max-age=3600\n"
                                "Cache-Control: no-store\n"),
                   ==, TFD_UPLOAD_GO_ON);
  talk_expect (&talk, PATCH ("25000000", "?1") "[25000000+75000000]\n");
}

static void
test_example_complete (void)
{
  g_auto (Talk) talk;

  begin_again (&talk);
  talk.source.size = 100000000;
  g_assert_cmpint (talk_answer (&talk, 204,
                                "Upload-Complete: ?1\nUpload-Offset: 100000000\n"
                                "Upload-Length: 100000000\nCache-Control: no-store\n"),
                   ==, TFD_UPLOAD_GO_ON);
  talk_expect_end (&talk);
}

static void
test_example_append (void)
{
  g_auto (Talk) talk;

  begin_middle (&talk);
  g_assert_true (talk_inform (&talk, 104, VERSION_8 "Upload-Offset: 23999999\n"));
  g_assert_cmpint (talk_answer (&talk, 204, "Upload-Complete: ?0\n"), ==, TFD_UPLOAD_GO_ON);
  g_assert_cmpuint (talk.state.offset, ==, 24456789);
  talk_expect (&talk, PATCH ("24456789", "?0") "[24456789+1000000]\n");
}

static void
test_example_append_last (void)
{
  g_auto (Talk) talk;

  begin_last (&talk);
  talk.source.reply = TRUE;
  g_assert_cmpint (
      talk_answer (&talk, 200, "Upload-Complete: ?1\nContent-Type: application/json\n"), ==,
      TFD_UPLOAD_REPLY);
  talk_expect_end (&talk);
}

static void
test_example_cancellation (void)
{
  g_auto (Talk) talk;

  begin_upload (&talk);
  talk_expect_forget (&talk, "DELETE " UPLOAD "\n" VERSION_8 "Content-Length: 0\n");
  g_assert_true (talk_forgotten (&talk, 204, ""));
  g_assert_true (talk_forgotten (&talk, 404, ""));
  g_assert_false (talk_forgotten (&talk, 503, ""));
}

static void
test_example_mismatching_offset (void)
{
  g_auto (Talk) talk;

  begin_last (&talk);
  g_assert_cmpint (talk_answer (&talk, 409,
                                "Content-Type: application/problem+json\nUpload-Offset: 12500000\n"
                                "Upload-Complete: ?0\n"),
                   ==, TFD_UPLOAD_GO_ON);
  talk_expect (&talk, PATCH ("12500000", "?1") "[12500000+110956789]\n");
  g_assert_cmpint (talk_answer (&talk, 409, "Content-Type: application/problem+json\n"), ==,
                   TFD_UPLOAD_GO_ON);
  talk_expect (&talk, HEAD);
}

/* 104 */

static void
test_inform_ignored (void)
{
  static const char *const answers[] = {
    LOCATION,
    "Upload-Draft-Interop-Version: 7\n" LOCATION,
    "Upload-Draft-Interop-Version: \"8\"\n" LOCATION,
    VERSION_8,
    VERSION_8 "Location: file:///etc/passwd\n",
    VERSION_8 "Location: http://example.com/less-safe\n",
    VERSION_8 "Upload-Offset: 5\n",
  };
  g_auto (Talk) talk;

  begin (&talk);
  talk_ask (&talk);
  for (gsize i = 0; i < G_N_ELEMENTS (answers); i++)
    g_assert_false (talk_inform (&talk, 104, answers[i]));
  g_assert_false (talk_inform (&talk, 103, VERSION_8 LOCATION));
  g_assert_null (talk.state.session);
  g_assert_cmpuint (talk.state.offset, ==, 0);
}

static void
test_inform_offset_ignored (void)
{
  static const char *const answers[] = {
    "Upload-Offset: 30000000\n",           VERSION_8 "Upload-Offset: 123456790\n",
    VERSION_8 "Upload-Offset: 23456788\n", VERSION_8 "Upload-Offset: -1\n",
    VERSION_8 "Upload-Offset: 3e7\n",      VERSION_8 "Location: /other\n",
  };
  g_auto (Talk) talk;

  begin_last (&talk);
  for (gsize i = 0; i < G_N_ELEMENTS (answers); i++)
    g_assert_false (talk_inform (&talk, 104, answers[i]));
  g_assert_cmpuint (talk.state.offset, ==, 23456789);
  g_assert_cmpstr (talk.state.session, ==, UPLOAD);
}

static void
test_inform_two_urls (void)
{
  g_auto (Talk) talk;

  begin (&talk);
  talk_ask (&talk);
  talk_inform (&talk, 104, VERSION_8 LOCATION);
  g_assert_cmpint (talk_answer (&talk, 201, "Location: /upload/another\n"), ==, TFD_UPLOAD_FAILED);
  g_assert_cmpint (talk.failure.code, ==, TFD_ERROR_INVALID_SERVER_RESPONSE);
  g_assert_cmpstr (talk.state.session, ==, UPLOAD);
}

/* More of them */

static void
test_zero_bytes (void)
{
  g_auto (Talk) talk;

  begin (&talk);
  talk.source.size = 0;
  talk_ask (&talk);
  talk_answer (&talk, 201, LOCATION);
  talk_expect (&talk, PATCH ("0", "?1") "[0+0]\n");
  g_assert_cmpint (talk_answer (&talk, 200, "Upload-Complete: ?1\n"), ==, TFD_UPLOAD_GO_ON);
  g_assert_true (talk.state.sent);
}

static void
test_names (void)
{
  g_auto (Talk) talk;

  begin (&talk);
  talk.source.name = "\"ä\\100%\".jpg";
  talk_ask (&talk);
  const TfdUploadField *field = talk.request.fields->pdata[4];
  g_assert_cmpstr (
      field->value, ==,
      "inline; filename=\"____100__.jpg\"; filename*=UTF-8''%22%C3%A4%5C100%25%22.jpg");
}

/* All bytes are there, and the upload is not complete: an empty request completes it. */
static void
test_complete_without_content (void)
{
  g_auto (Talk) talk;

  begin_again (&talk);
  talk_answer (&talk, 204, "Upload-Complete: ?0\nUpload-Offset: 123456789\n");
  talk_expect (&talk, PATCH ("123456789", "?1") "[123456789+0]\n");
  g_assert_cmpint (talk_answer (&talk, 200, "Upload-Complete: ?1\n"), ==, TFD_UPLOAD_GO_ON);
}

static void
test_limit_for_last (void)
{
  g_auto (Talk) talk;

  begin_middle (&talk);
  talk.source.size = 24456790;
  talk_answer (&talk, 204, "Upload-Complete: ?0\nUpload-Offset: 24456789\n");
  talk_expect (&talk, PATCH ("24456789", "?1") "[24456789+1]\n");
}

static void
test_portions (void)
{
  g_auto (Talk) talk;

  begin_upload (&talk);
  talk.source.fragment = 100000000;
  talk_expect (&talk, PATCH ("0", "?0") "[0+100000000]\n");
  talk_answer (&talk, 204, "Upload-Complete: ?0\n");
  talk_expect (&talk, PATCH ("100000000", "?1") "[100000000+23456789]\n");
  talk_interrupt (&talk);
  talk_ask (&talk);
  talk.source.fragment = 1000;
  talk_answer (&talk, 204, "Upload-Complete: ?0\nUpload-Offset: 0\n");
  talk_expect (&talk, PATCH ("0", "?0") "[0+3858024]\n");
}

static void
test_least_portion (void)
{
  g_auto (Talk) talk;

  begin (&talk);
  talk.source.fragment = 1000;
  talk_ask (&talk);
  talk_answer (&talk, 201, LOCATION "Upload-Limit: min-append-size=50000000\n");
  talk_expect (&talk, PATCH ("0", "?0") "[0+50000000]\n");
}

static void
test_never_completes (void)
{
  g_auto (Talk) talk;

  begin_last (&talk);
  for (guint i = 0; i < 4; i++)
    {
      TfdUploadVerdict verdict = talk_answer (&talk, 204, "");
      g_assert_cmpint (verdict, ==, i == 3 ? TFD_UPLOAD_FAILED : TFD_UPLOAD_GO_ON);
      talk_expect (&talk, HEAD);
      talk_answer (&talk, 204, "Upload-Complete: ?0\nUpload-Offset: 23456789\n");
      talk_ask (&talk);
    }
}

static void
test_conflicts_without_end (void)
{
  g_auto (Talk) talk;

  begin_last (&talk);
  talk_expect_patience (&talk, 409, "Upload-Offset: 23456789\n", 5);
  g_assert_true (talk.failure.transient);
}

static void
test_processing_fails (void)
{
  g_auto (Talk) talk;

  begin_last (&talk);
  g_assert_cmpint (talk_answer (&talk, 500, "Upload-Complete: ?1\n"), ==, TFD_UPLOAD_FAILED);
  g_assert_cmpint (talk.failure.context, ==, TFD_ERROR_CONTEXT_REMOTE_APPLICATION);
  g_assert_cmpuint (talk.failure.http_status, ==, 500);
  g_assert_false (talk.failure.transient);
  talk_expect (&talk, CREATE);
}

static void
test_reply_lost (void)
{
  g_auto (Talk) talk;

  begin_again (&talk);
  talk.source.reply = TRUE;
  g_assert_cmpint (talk_answer (&talk, 204, "Upload-Complete: ?1\nUpload-Offset: 123456789\n"), ==,
                   TFD_UPLOAD_FAILED);
  g_assert_cmpint (talk.failure.code, ==, TFD_ERROR_CONNECTION_LOST);
  g_assert_false (talk.failure.transient);
}

static void
test_digest (void)
{
  g_auto (Talk) talk;

  begin (&talk);
  talk.source.digest = "RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=";
  talk_ask (&talk);
  const TfdUploadField *field = talk.request.fields->pdata[6];
  g_assert_cmpstr (field->name, ==, "Repr-Digest");
  g_assert_cmpstr (field->value, ==, "sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:");
  talk_answer (&talk, 201, LOCATION);
  talk_ask (&talk);
  g_assert_cmpint (talk_answer (&talk, 200,
                                "Upload-Complete: ?1\nRepr-Digest: sha-512=:AA==:, "
                                "sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:\n"),
                   ==, TFD_UPLOAD_GO_ON);
}

static void
test_digest_mismatch (void)
{
  g_auto (Talk) talk;

  begin_last (&talk);
  talk.source.digest = "RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=";
  g_assert_cmpint (talk_answer (&talk, 200,
                                "Upload-Complete: ?1\n"
                                "Repr-Digest: sha-256=:"
                                "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:\n"),
                   ==, TFD_UPLOAD_FAILED);
  g_assert_cmpint (talk.failure.code, ==, TFD_ERROR_DIGEST_MISMATCH);
}

/* clang-format off */
static const TalkRow create_rows[] = {
  { "/upload/resumable/create/201", 201, LOCATION, TFD_UPLOAD_GO_ON, 0, 0, FALSE },
  { "/upload/resumable/create/200", 200, LOCATION "Upload-Complete: ?0\n",
    TFD_UPLOAD_GO_ON, 0, 0, FALSE },
  { "/upload/resumable/create/no-location", 201, "",
    TFD_UPLOAD_FAILED, TFD_ERROR_PROTOCOL_MISMATCH, REMOTE, FALSE },
  { "/upload/resumable/create/complete", 201, LOCATION "Upload-Complete: ?1\n",
    TFD_UPLOAD_FAILED, TFD_ERROR_PROTOCOL_MISMATCH, REMOTE, FALSE },
  { "/upload/resumable/create/bad-location", 201, "Location: ftp://example.com/x\n",
    TFD_UPLOAD_FAILED, TFD_ERROR_INVALID_SERVER_RESPONSE, REMOTE, FALSE },
  { "/upload/resumable/create/downgraded", 201, "Location: http://example.com/x\n",
    TFD_UPLOAD_FAILED, TFD_ERROR_REDIRECT_REFUSED, REMOTE, FALSE },
  { "/upload/resumable/create/too-large", 201, LOCATION "Upload-Limit: max-size=123456788\n",
    TFD_UPLOAD_FAILED, TFD_ERROR_TOO_LARGE, REMOTE, FALSE },
  { "/upload/resumable/create/limit-of-wrong-type", 201, LOCATION "Upload-Limit: max-size=1, max-age=?1\n",
    TFD_UPLOAD_GO_ON, 0, 0, FALSE },
  { "/upload/resumable/create/400", 400, "",
    TFD_UPLOAD_FAILED, TFD_ERROR_HTTP_STATUS, REMOTE, FALSE },
  { "/upload/resumable/create/401", 401, "",
    TFD_UPLOAD_FAILED, TFD_ERROR_AUTHENTICATION_REQUIRED, REMOTE, FALSE },
  { "/upload/resumable/create/413", 413, "",
    TFD_UPLOAD_FAILED, TFD_ERROR_TOO_LARGE, REMOTE, FALSE },
  { "/upload/resumable/create/503", 503, "",
    TFD_UPLOAD_FAILED, TFD_ERROR_HTTP_STATUS, REMOTE, TRUE },
};

static const TalkRow head_rows[] = {
  { "/upload/resumable/head/200", 200, "Upload-Offset: 0\nUpload-Complete: ?0\n",
    TFD_UPLOAD_GO_ON, 0, 0, FALSE },
  { "/upload/resumable/head/no-offset", 204, "Upload-Complete: ?0\n",
    TFD_UPLOAD_FAILED, TFD_ERROR_INVALID_SERVER_RESPONSE, REMOTE, FALSE },
  { "/upload/resumable/head/offset-of-wrong-type", 204, "Upload-Offset: \"7\"\n",
    TFD_UPLOAD_FAILED, TFD_ERROR_INVALID_SERVER_RESPONSE, REMOTE, FALSE },
  { "/upload/resumable/head/beyond-total", 204, "Upload-Offset: 123456790\nUpload-Complete: ?0\n",
    TFD_UPLOAD_FAILED, TFD_ERROR_INVALID_SERVER_RESPONSE, REMOTE, FALSE },
  { "/upload/resumable/head/complete-too-early", 204, "Upload-Offset: 5\nUpload-Complete: ?1\n",
    TFD_UPLOAD_FAILED, TFD_ERROR_INVALID_SERVER_RESPONSE, REMOTE, FALSE },
  { "/upload/resumable/head/other-length", 204, "Upload-Offset: 5\nUpload-Length: 6\n",
    TFD_UPLOAD_FAILED, TFD_ERROR_INVALID_SERVER_RESPONSE, REMOTE, FALSE },
  { "/upload/resumable/head/too-large", 204, "Upload-Offset: 5\nUpload-Limit: max-size=7\n",
    TFD_UPLOAD_FAILED, TFD_ERROR_TOO_LARGE, REMOTE, FALSE },
  { "/upload/resumable/head/403", 403, "",
    TFD_UPLOAD_FAILED, TFD_ERROR_HTTP_STATUS, REMOTE, FALSE },
  { "/upload/resumable/head/404", 404, "", TFD_UPLOAD_RESTART, 0, 0, FALSE },
  { "/upload/resumable/head/410", 410, "", TFD_UPLOAD_RESTART, 0, 0, FALSE },
  { "/upload/resumable/head/500", 500, "",
    TFD_UPLOAD_FAILED, TFD_ERROR_HTTP_STATUS, REMOTE, TRUE },
};

/* to a request for 1000000 bytes of more */
static const TalkRow middle_rows[] = {
  { "/upload/resumable/append/204", 204, "Upload-Complete: ?0\n", TFD_UPLOAD_GO_ON, 0, 0, FALSE },
  { "/upload/resumable/append/no-complete", 201, "", TFD_UPLOAD_GO_ON, 0, 0, FALSE },
  { "/upload/resumable/append/less", 204, "Upload-Complete: ?0\nUpload-Offset: 23456790\n",
    TFD_UPLOAD_GO_ON, 0, 0, FALSE },
  { "/upload/resumable/append/backwards", 204, "Upload-Offset: 23456788\n",
    TFD_UPLOAD_FAILED, TFD_ERROR_INVALID_SERVER_RESPONSE, REMOTE, FALSE },
  { "/upload/resumable/append/beyond", 204, "Upload-Offset: 24456790\n",
    TFD_UPLOAD_FAILED, TFD_ERROR_INVALID_SERVER_RESPONSE, REMOTE, FALSE },
  { "/upload/resumable/append/complete-too-early", 200, "Upload-Complete: ?1\n",
    TFD_UPLOAD_FAILED, TFD_ERROR_INVALID_SERVER_RESPONSE, REMOTE, FALSE },
  { "/upload/resumable/append/400", 400, "",
    TFD_UPLOAD_FAILED, TFD_ERROR_HTTP_STATUS, REMOTE, FALSE },
  { "/upload/resumable/append/404", 404, "", TFD_UPLOAD_RESTART, 0, 0, FALSE },
  { "/upload/resumable/append/409", 409, "", TFD_UPLOAD_GO_ON, 0, 0, FALSE },
  { "/upload/resumable/append/410", 410, "", TFD_UPLOAD_RESTART, 0, 0, FALSE },
  { "/upload/resumable/append/413", 413, "", TFD_UPLOAD_GO_ON, 0, 0, FALSE },
  { "/upload/resumable/append/500", 500, "",
    TFD_UPLOAD_FAILED, TFD_ERROR_HTTP_STATUS, REMOTE, TRUE },
};

/* to the request with the rest */
static const TalkRow last_rows[] = {
  { "/upload/resumable/complete/200", 200, "Upload-Complete: ?1\n", TFD_UPLOAD_GO_ON, 0, 0, FALSE },
  { "/upload/resumable/complete/silent", 200, "", TFD_UPLOAD_GO_ON, 0, 0, FALSE },
  { "/upload/resumable/complete/less", 204, "Upload-Complete: ?0\nUpload-Offset: 30000000\n",
    TFD_UPLOAD_GO_ON, 0, 0, FALSE },
  { "/upload/resumable/complete/422", 422, "Upload-Complete: ?1\n",
    TFD_UPLOAD_FAILED, TFD_ERROR_HTTP_STATUS, TFD_ERROR_CONTEXT_REMOTE_APPLICATION, FALSE },
  { "/upload/resumable/complete/502", 502, "",
    TFD_UPLOAD_FAILED, TFD_ERROR_HTTP_STATUS, REMOTE, TRUE },
};
/* clang-format on */

static void
test_create_row (gconstpointer data)
{
  g_auto (Talk) talk;

  begin (&talk);
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
test_middle_row (gconstpointer data)
{
  g_auto (Talk) talk;

  begin_middle (&talk);
  talk_check_row (&talk, data);
  g_assert_false (talk.state.sent);
}

static void
test_last_row (gconstpointer data)
{
  g_auto (Talk) talk;

  begin_last (&talk);
  talk_check_row (&talk, data);
}

#define add_rows(rows, function)                                                                   \
  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++)                                                  \
  g_test_add_data_func (rows[i].name, &rows[i], function)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/upload/resumable/example/creation", test_example_creation);
  g_test_add_func ("/upload/resumable/example/creation-fails", test_example_creation_fails);
  g_test_add_func ("/upload/resumable/example/not-allowed", test_example_not_allowed);
  g_test_add_func ("/upload/resumable/example/offset", test_example_offset);
  g_test_add_func ("/upload/resumable/example/complete", test_example_complete);
  g_test_add_func ("/upload/resumable/example/append", test_example_append);
  g_test_add_func ("/upload/resumable/example/append-last", test_example_append_last);
  g_test_add_func ("/upload/resumable/example/cancellation", test_example_cancellation);
  g_test_add_func ("/upload/resumable/example/mismatching-offset", test_example_mismatching_offset);
  add_rows (create_rows, test_create_row);
  add_rows (head_rows, test_head_row);
  add_rows (middle_rows, test_middle_row);
  add_rows (last_rows, test_last_row);
  g_test_add_func ("/upload/resumable/104/ignored", test_inform_ignored);
  g_test_add_func ("/upload/resumable/104/offset-ignored", test_inform_offset_ignored);
  g_test_add_func ("/upload/resumable/104/two-urls", test_inform_two_urls);
  g_test_add_func ("/upload/resumable/create/zero-bytes", test_zero_bytes);
  g_test_add_func ("/upload/resumable/create/names", test_names);
  g_test_add_func ("/upload/resumable/complete/without-content", test_complete_without_content);
  g_test_add_func ("/upload/resumable/complete/within-limit", test_limit_for_last);
  g_test_add_func ("/upload/resumable/append/portions", test_portions);
  g_test_add_func ("/upload/resumable/append/least-portion", test_least_portion);
  g_test_add_func ("/upload/resumable/complete/never", test_never_completes);
  g_test_add_func ("/upload/resumable/complete/processing-fails", test_processing_fails);
  g_test_add_func ("/upload/resumable/append/conflicts-without-end", test_conflicts_without_end);
  g_test_add_func ("/upload/resumable/reply/lost", test_reply_lost);
  g_test_add_func ("/upload/resumable/digest/same", test_digest);
  g_test_add_func ("/upload/resumable/digest/mismatch", test_digest_mismatch);

  return g_test_run ();
}
