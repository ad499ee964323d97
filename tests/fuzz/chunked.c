/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Fuzz: the framing of a body that a server sends in chunks. However it is cut into pieces on the
 * way, it is the same. The first byte chooses where. */
#include "config.h"

#include "tests/fuzz/input.h"

#include "worker/chunked.h"

#include <string.h>

typedef struct
{
  GByteArray *body; /* (owned) */
  gboolean broken, complete;
} Result;

static Result
decode (const guint8 *data, gsize size, gsize step)
{
  Result result = { g_byte_array_new (), FALSE, FALSE };
  TfdChunked decoder = { 0 };

  for (gsize at = 0; at < size && !result.broken; at += step)
    {
      gsize count = MIN (step, size - at);
      g_autofree guint8 *piece = g_memdup2 (data + at, count);
      gssize left = tfd_chunked_decode (&decoder, piece, count);

      fuzz_check (left <= (gssize) count);
      result.broken = left < 0;
      if (left > 0)
        g_byte_array_append (result.body, piece, (guint) left);
    }
  result.complete = tfd_chunked_is_complete (&decoder);
  return result;
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  Result whole, pieces;

  if (size < 2)
    return 0;
  whole = decode (data + 1, size - 1, size);
  pieces = decode (data + 1, size - 1, data[0] % 7 + 1u);
  fuzz_check (whole.broken == pieces.broken);
  if (!whole.broken)
    {
      fuzz_check (whole.complete == pieces.complete);
      fuzz_check (whole.body->len == pieces.body->len);
      fuzz_check (whole.body->len == 0 ||
                  memcmp (whole.body->data, pieces.body->data, whole.body->len) == 0);
    }
  g_byte_array_unref (whole.body);
  g_byte_array_unref (pieces.body);
  return 0;
}
