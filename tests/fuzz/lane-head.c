/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Fuzz: the head of an answer on a lane. */
#include "config.h"

#include "tests/fuzz/input.h"

#include "worker/lane-head.h"

#include <string.h>

/* What is there already does not change its meaning by what comes later, and any shorter piece is
 * incomplete. */
static void
check_pieces (const guint8 *data, const TfdLaneHead *whole)
{
  TfdLaneHead head;

  for (gsize size = whole->size > 8 ? whole->size - 8 : 0; size < whole->size; size++)
    {
      g_autofree guint8 *piece = g_memdup2 (data, size); /* so that reading behind it is noticed */

      fuzz_check (tfd_lane_head_parse (piece, size, &head) == TFD_LANE_HEAD_MORE);
    }
  g_autofree guint8 *exact = g_memdup2 (data, whole->size);
  fuzz_check (tfd_lane_head_parse (exact, whole->size, &head) == TFD_LANE_HEAD_WHOLE);
  fuzz_check (head.size == whole->size && head.status == whole->status &&
              head.length == whole->length && head.last == whole->last);
  tfd_lane_head_clear (&head);
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  TfdLaneHead head;
  TfdLaneHeadState state = tfd_lane_head_parse (data, size, &head);

  if (state == TFD_LANE_HEAD_MORE)
    fuzz_check (size <= TFD_LANE_MAX_HEAD);
  if (state != TFD_LANE_HEAD_WHOLE)
    {
      fuzz_check (head.headers == NULL && head.reason == NULL);
      return 0;
    }
  fuzz_check (head.size <= size && head.size <= TFD_LANE_MAX_HEAD && data[head.size - 1] == '\n');
  fuzz_check (head.status >= 200 && head.headers != NULL);
  fuzz_check (head.length <= G_MAXINT64);
  if (head.status == SOUP_STATUS_OK)
    fuzz_check (soup_message_headers_get_one (head.headers, "Transfer-Encoding") == NULL);
  if (!head.last)
    fuzz_check ((guint64) soup_message_headers_get_content_length (head.headers) == head.length);
  check_pieces (data, &head);
  tfd_lane_head_clear (&head);
  return 0;
}
