/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* HTTP, the judgement: which answers continue a file, and which must never be spliced to it. */
#include "config.h"

#include "common/http.h"
#include "common/names.h"

#define UNKNOWN TFD_SIZE_UNKNOWN
#define ETAG "\"v1\""
#define OTHER "\"v2\""
#define DATE "Sun, 06 Nov 1994 08:49:37 GMT"
#define SAME_DATE "Sunday, 06-Nov-94 08:49:37 GMT"
#define LATER "Sun, 06 Nov 1994 08:49:38 GMT"

typedef struct
{
  const char *name;
  TfdKnown known;   /* offset, total, etag, last_modified */
  TfdAnswer answer; /* status, content_range, _length, _encoding, etag, last_modified */
  TfdAnswerKind kind;
  guint64 total;
} Case;

/* clang-format off */
static const Case cases[] = {
  { "new", { 0, UNKNOWN, NULL, NULL }, { 200, NULL, "1000", NULL, ETAG, DATE },
    TFD_ANSWER_WHOLE, 1000 },
  { "new-empty", { 0, UNKNOWN, NULL, NULL }, { 200, NULL, "0", NULL, NULL, NULL },
    TFD_ANSWER_WHOLE, 0 },
  { "new-unknown-length", { 0, UNKNOWN, NULL, NULL }, { 200, NULL, NULL, NULL, NULL, NULL },
    TFD_ANSWER_WHOLE, UNKNOWN },
  { "new-identity", { 0, UNKNOWN, NULL, NULL }, { 200, NULL, "5", "Identity", NULL, NULL },
    TFD_ANSWER_WHOLE, 5 },
  { "new-gzip", { 0, UNKNOWN, NULL, NULL }, { 200, NULL, "5", "gzip", NULL, NULL },
    TFD_ANSWER_INVALID, UNKNOWN },
  { "new-two-codings", { 0, UNKNOWN, NULL, NULL }, { 200, NULL, "5", "identity, br", NULL, NULL },
    TFD_ANSWER_INVALID, UNKNOWN },
  { "new-bad-length", { 0, UNKNOWN, NULL, NULL }, { 200, NULL, "-5", NULL, NULL, NULL },
    TFD_ANSWER_INVALID, UNKNOWN },
  { "new-part", { 0, UNKNOWN, NULL, NULL }, { 206, "bytes 0-9/10", "10", NULL, ETAG, NULL },
    TFD_ANSWER_INVALID, UNKNOWN },
  { "new-416", { 0, UNKNOWN, NULL, NULL }, { 416, "bytes */0", NULL, NULL, NULL, NULL },
    TFD_ANSWER_STATUS, UNKNOWN },
  { "again-other-size", { 0, 1000, ETAG, NULL }, { 200, NULL, "900", NULL, OTHER, NULL },
    TFD_ANSWER_WHOLE, 900 },

  { "resume", { 400, 1000, ETAG, DATE }, { 206, "bytes 400-999/1000", "600", NULL, ETAG, DATE },
    TFD_ANSWER_APPEND, 1000 },
  { "resume-no-length", { 400, 1000, ETAG, NULL },
    { 206, "bytes 400-999/1000", NULL, NULL, ETAG, NULL }, TFD_ANSWER_APPEND, 1000 },
  { "resume-silent-validators", { 400, 1000, ETAG, DATE },
    { 206, "bytes 400-999/1000", "600", NULL, NULL, NULL }, TFD_ANSWER_APPEND, 1000 },
  { "resume-other-spelling", { 400, 1000, NULL, DATE },
    { 206, "bytes 400-999/1000", "600", NULL, NULL, SAME_DATE }, TFD_ANSWER_APPEND, 1000 },
  { "resume-short", { 400, 1000, ETAG, NULL }, { 206, "bytes 400-499/1000", "100", NULL, ETAG, NULL },
    TFD_ANSWER_APPEND, 1000 },
  { "resume-learns-size", { 400, UNKNOWN, ETAG, NULL },
    { 206, "bytes 400-999/1000", "600", NULL, ETAG, NULL }, TFD_ANSWER_APPEND, 1000 },
  { "resume-star", { 400, 1000, ETAG, NULL }, { 206, "bytes 400-999/*", "600", NULL, ETAG, NULL },
    TFD_ANSWER_APPEND, 1000 },
  { "resume-star-too-far", { 400, 1000, ETAG, NULL },
    { 206, "bytes 400-1000/*", "601", NULL, ETAG, NULL }, TFD_ANSWER_RESTART, 1000 },
  { "resume-star-unknown", { 400, UNKNOWN, ETAG, NULL },
    { 206, "bytes 400-999/*", "600", NULL, ETAG, NULL }, TFD_ANSWER_APPEND, UNKNOWN },
  { "resume-200", { 400, 1000, ETAG, NULL }, { 200, NULL, "1000", NULL, ETAG, NULL },
    TFD_ANSWER_WHOLE, 1000 },
  { "resume-200-changed", { 400, 1000, ETAG, NULL }, { 200, NULL, "77", NULL, OTHER, NULL },
    TFD_ANSWER_WHOLE, 77 },

  { "changed-etag", { 400, 1000, ETAG, DATE },
    { 206, "bytes 400-999/1000", "600", NULL, OTHER, DATE }, TFD_ANSWER_RESTART, 1000 },
  { "weakened-etag", { 400, 1000, ETAG, NULL },
    { 206, "bytes 400-999/1000", "600", NULL, "W/" ETAG, NULL }, TFD_ANSWER_RESTART, 1000 },
  { "changed-date", { 400, 1000, NULL, DATE },
    { 206, "bytes 400-999/1000", "600", NULL, NULL, LATER }, TFD_ANSWER_RESTART, 1000 },
  { "changed-date-same-etag", { 400, 1000, ETAG, DATE },
    { 206, "bytes 400-999/1000", "600", NULL, ETAG, LATER }, TFD_ANSWER_RESTART, 1000 },
  { "changed-odd-date", { 400, 1000, NULL, "monday" },
    { 206, "bytes 400-999/1000", "600", NULL, NULL, "tuesday" }, TFD_ANSWER_RESTART, 1000 },
  { "changed-size", { 400, 1000, ETAG, NULL },
    { 206, "bytes 400-1999/2000", "1600", NULL, ETAG, NULL }, TFD_ANSWER_RESTART, 1000 },
  { "shrunk", { 400, 1000, ETAG, NULL }, { 206, "bytes 400-499/500", "100", NULL, ETAG, NULL },
    TFD_ANSWER_RESTART, 1000 },
  { "no-validator", { 400, 1000, NULL, NULL },
    { 206, "bytes 400-999/1000", "600", NULL, ETAG, DATE }, TFD_ANSWER_RESTART, 1000 },
  { "weak-validator", { 400, 1000, "W/" ETAG, NULL },
    { 206, "bytes 400-999/1000", "600", NULL, "W/" ETAG, NULL }, TFD_ANSWER_RESTART, 1000 },

  { "no-content-range", { 400, 1000, ETAG, NULL }, { 206, NULL, "600", NULL, ETAG, NULL },
    TFD_ANSWER_INVALID, 1000 },
  { "bad-content-range", { 400, 1000, ETAG, NULL },
    { 206, "bytes 400-/1000", "600", NULL, ETAG, NULL }, TFD_ANSWER_INVALID, 1000 },
  { "unsatisfied-206", { 400, 1000, ETAG, NULL }, { 206, "bytes */1000", "600", NULL, ETAG, NULL },
    TFD_ANSWER_INVALID, 1000 },
  { "from-the-start", { 400, 1000, ETAG, NULL },
    { 206, "bytes 0-999/1000", "1000", NULL, ETAG, NULL }, TFD_ANSWER_INVALID, 1000 },
  { "one-too-late", { 400, 1000, ETAG, NULL },
    { 206, "bytes 401-999/1000", "599", NULL, ETAG, NULL }, TFD_ANSWER_INVALID, 1000 },
  { "one-too-early", { 400, 1000, ETAG, NULL },
    { 206, "bytes 399-999/1000", "601", NULL, ETAG, NULL }, TFD_ANSWER_INVALID, 1000 },
  { "last-beyond-total", { 400, UNKNOWN, ETAG, NULL },
    { 206, "bytes 400-1000/1000", "601", NULL, ETAG, NULL }, TFD_ANSWER_INVALID, UNKNOWN },
  { "length-contradicts", { 400, 1000, ETAG, NULL },
    { 206, "bytes 400-999/1000", "601", NULL, ETAG, NULL }, TFD_ANSWER_INVALID, 1000 },
  { "length-malformed", { 400, 1000, ETAG, NULL },
    { 206, "bytes 400-999/1000", "600,600", NULL, ETAG, NULL }, TFD_ANSWER_INVALID, 1000 },
  { "part-gzip", { 400, 1000, ETAG, NULL },
    { 206, "bytes 400-999/1000", "600", "gzip", ETAG, NULL }, TFD_ANSWER_INVALID, 1000 },

  { "done", { 1000, 1000, ETAG, NULL }, { 416, "bytes */1000", NULL, NULL, NULL, NULL },
    TFD_ANSWER_DONE, 1000 },
  { "done-unknown", { 1000, UNKNOWN, NULL, DATE }, { 416, "bytes */1000", NULL, NULL, NULL, DATE },
    TFD_ANSWER_DONE, 1000 },
  { "done-error-page", { 1000, 1000, ETAG, NULL }, { 416, "bytes */1000", "512", "gzip", NULL, NULL },
    TFD_ANSWER_DONE, 1000 },
  { "416-shorter", { 1000, 2000, ETAG, NULL }, { 416, "bytes */900", NULL, NULL, ETAG, NULL },
    TFD_ANSWER_RESTART, 2000 },
  { "416-known-total-differs", { 1000, 2000, ETAG, NULL },
    { 416, "bytes */1000", NULL, NULL, ETAG, NULL }, TFD_ANSWER_RESTART, 2000 },
  { "416-changed", { 1000, 1000, ETAG, NULL }, { 416, "bytes */1000", NULL, NULL, OTHER, NULL },
    TFD_ANSWER_RESTART, 1000 },
  { "416-no-range", { 1000, 1000, ETAG, NULL }, { 416, NULL, NULL, NULL, ETAG, NULL },
    TFD_ANSWER_RESTART, 1000 },
  { "416-satisfied", { 1000, 1000, ETAG, NULL },
    { 416, "bytes 0-999/1000", NULL, NULL, ETAG, NULL }, TFD_ANSWER_RESTART, 1000 },
  { "416-no-validator", { 1000, 1000, NULL, NULL }, { 416, "bytes */1000", NULL, NULL, NULL, NULL },
    TFD_ANSWER_RESTART, 1000 },

  { "status-404", { 400, 1000, ETAG, NULL }, { 404, NULL, NULL, NULL, NULL, NULL },
    TFD_ANSWER_STATUS, 1000 },
  { "status-302", { 400, 1000, ETAG, NULL }, { 302, NULL, NULL, NULL, NULL, NULL },
    TFD_ANSWER_STATUS, 1000 },
  { "status-304", { 400, 1000, ETAG, NULL }, { 304, NULL, NULL, NULL, ETAG, NULL },
    TFD_ANSWER_STATUS, 1000 },
  { "status-204", { 0, UNKNOWN, NULL, NULL }, { 204, NULL, NULL, NULL, NULL, NULL },
    TFD_ANSWER_STATUS, UNKNOWN },
  { "status-203", { 0, UNKNOWN, NULL, NULL }, { 203, NULL, "5", NULL, NULL, NULL },
    TFD_ANSWER_STATUS, UNKNOWN },
};
/* clang-format on */

static void
test_case (gconstpointer data)
{
  const Case *one = data;
  guint64 total = 77;
  const char *reason = NULL;

  g_assert_cmpint (tfd_http_judge (&one->known, &one->answer, &total, &reason), ==, one->kind);
  g_assert_cmpuint (total, ==, one->total);
  g_assert_nonnull (reason);
  g_test_message ("%s", reason);
  g_assert_cmpint (tfd_http_judge (&one->known, &one->answer, NULL, NULL), ==, one->kind);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *path = g_strconcat ("/common/http/judge/", cases[i].name, NULL);
      g_test_add_data_func (path, &cases[i], test_case);
    }
  return g_test_run ();
}
