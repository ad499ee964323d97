/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Chunked: decodes the chunked transfer coding (RFC 9112 7.1) in place. */
#include "config.h"
#include "worker/chunked.h"

#include <string.h>

#define MAX_LINE 4096
#define MAX_TRAILER 65536

enum
{
  SIZE,
  EXTENSION,
  DATA,
  DATA_END,
  TRAILER,
  COMPLETE,
};

/* One character of a line that gives the size of a chunk. */
static gboolean
take_size (TfdChunked *self, guint8 c)
{
  int digit = g_ascii_xdigit_value ((char) c);

  if (self->state == SIZE && digit >= 0)
    {
      if (self->left >> 59 != 0)
        return FALSE;
      self->left = self->left * 16 + (guint) digit;
      self->line++;
      return self->line <= 16;
    }
  if (self->line == 0)
    return FALSE;
  if (c == '\n')
    {
      self->line = 0;
      self->state = self->left > 0 ? DATA : TRAILER;
      return TRUE;
    }
  if (self->state == SIZE && c != ';' && c != ' ' && c != '\t' && c != '\r')
    return FALSE;

  self->state = EXTENSION;
  return ++self->line <= MAX_LINE;
}

/* One character of the empty line after a chunk. */
static gboolean
take_data_end (TfdChunked *self, guint8 c)
{
  if (c == '\n')
    {
      self->state = SIZE;
      self->line = 0;
      return TRUE;
    }

  return c == '\r' && self->line++ == 0;
}

/* One character of the trailers, which an empty line ends. */
static gboolean
take_trailer (TfdChunked *self, guint8 c)
{
  if (c == '\n')
    {
      if (self->line == 0)
        self->state = COMPLETE;
      self->line = 0;
    }
  else if (c != '\r')
    {
      self->line++;
    }

  return ++self->trailer <= MAX_TRAILER;
}

gssize
tfd_chunked_decode (TfdChunked *self, guint8 *data, gsize count)
{
  gsize in = 0, out = 0;

  while (in < count)
    {
      gboolean good = TRUE;

      switch (self->state)
        {
        case SIZE:
        case EXTENSION:
          good = take_size (self, data[in++]);
          break;
        case DATA:
          {
            gsize n = (gsize) MIN (self->left, (guint64) (count - in));

            memmove (data + out, data + in, n);
            in += n;
            out += n;
            self->left -= n;
            if (self->left == 0)
              self->state = DATA_END;
            break;
          }
        case DATA_END:
          good = take_data_end (self, data[in++]);
          break;
        case TRAILER:
          good = take_trailer (self, data[in++]);
          break;
        default: /* bytes after the end */
          return -1;
        }
      if (!good)
        return -1;
    }

  return (gssize) out;
}

gboolean
tfd_chunked_is_complete (const TfdChunked *self)
{
  return self->state == COMPLETE;
}
