/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Fuzz: the judgement on answers. Lines: status, offset, known size, known entity tag, known date,
 * Content-Range, Content-Length, Content-Encoding, entity tag, date. */
#include "config.h"

#include "tests/fuzz/input.h"

#include "common/http.h"
#include "common/names.h"

#define N_LINES 10

static guint64
number_of (const char *text, guint64 otherwise)
{
  guint64 number = 0;

  return text != NULL && tfd_http_parse_length (text, &number) ? number : otherwise;
}

/* What a splice would need to go wrong must be excluded. */
static void
check_append (const TfdKnown *known, const TfdAnswer *answer, guint64 total)
{
  TfdContentRange range = { 0 };

  fuzz_check (answer->status == 206 && known->offset > 0);
  fuzz_check (tfd_http_parse_content_range (answer->content_range, &range) && range.satisfied);
  fuzz_check (range.first == known->offset);
  fuzz_check (known->total == TFD_SIZE_UNKNOWN || total == known->total);
  fuzz_check (total == TFD_SIZE_UNKNOWN || range.last < total);
  fuzz_check (answer->content_length == NULL ||
              number_of (answer->content_length, 0) == range.last - range.first + 1);
  fuzz_check (known->etag != NULL || known->last_modified != NULL);
  fuzz_check (known->etag == NULL || answer->etag == NULL ||
              g_str_equal (known->etag, answer->etag));
}

static void
check_verdict (const TfdKnown *known, const TfdAnswer *answer)
{
  guint64 total = 0;
  const char *reason = NULL;
  TfdAnswerKind kind = tfd_http_judge (known, answer, &total, &reason);

  fuzz_check (reason != NULL);
  switch (kind)
    {
    case TFD_ANSWER_APPEND:
      check_append (known, answer, total);
      break;
    case TFD_ANSWER_WHOLE:
      fuzz_check (answer->status == 200);
      fuzz_check (total == number_of (answer->content_length, TFD_SIZE_UNKNOWN));
      break;
    case TFD_ANSWER_RESTART:
      /* else the next request would be the same one */
      fuzz_check (known->offset > 0);
      break;
    case TFD_ANSWER_DONE:
      fuzz_check (answer->status == 416 && total == known->offset && known->offset > 0);
      fuzz_check (known->total == TFD_SIZE_UNKNOWN || known->total == known->offset);
      break;
    case TFD_ANSWER_INVALID:
      fuzz_check (answer->status == 200 || answer->status == 206);
      break;
    case TFD_ANSWER_STATUS:
      fuzz_check (answer->status != 200 && answer->status != 206);
      break;
    default:
      g_assert_not_reached ();
    }
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  char **lines = fuzz_lines (data, size, N_LINES);
  TfdKnown known = {
    .offset = number_of (lines[1], 0),
    .total = number_of (lines[2], TFD_SIZE_UNKNOWN),
    .etag = lines[3],
    .last_modified = lines[4],
  };
  TfdAnswer answer = {
    .status = (guint) number_of (lines[0], 206),
    .content_range = lines[5],
    .content_length = lines[6],
    .content_encoding = lines[7],
    .etag = lines[8],
    .last_modified = lines[9],
  };

  check_verdict (&known, &answer);
  fuzz_lines_free (lines, N_LINES);
  return 0;
}
