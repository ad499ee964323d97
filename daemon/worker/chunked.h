/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Chunked: decodes the chunked transfer coding (RFC 9112 7.1) in place. libsoup takes a connection
 * that is closed between two chunks for the end of the body: a file cut short would pass for whole.
 * Pure. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct
{
  guint state;
  guint64 left;  /* of the chunk */
  guint line;    /* bytes of the line that is being read */
  guint trailer; /* bytes of all trailers */
} TfdChunked;

/* Takes the framing out of @count bytes at @data: what is left of them stands at @data afterwards.
 * Returns its size, or -1 when the framing is broken. A zeroed TfdChunked is at the start. */
gssize tfd_chunked_decode (TfdChunked *self, guint8 *data, gsize count);

/* TRUE when the last chunk and the end of the trailers were seen. */
gboolean tfd_chunked_is_complete (const TfdChunked *self);

G_END_DECLS
