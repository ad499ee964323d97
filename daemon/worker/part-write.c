/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Partial, writing: what goes on in the background leaves the page cache to others, who have put
 * there what they want to use again. */
#include "config.h"
#include "worker/partial.h"

#include "common/names.h"
#include "worker/failure.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

/* What is smaller is not worth the trouble. */
#define SPARE_FROM (G_GUINT64_CONSTANT (16) << 20)

/* Where the disk cannot be written past the cache, it is written from there and dropped, so much at
 * a time. */
#define DROP_BYTES (G_GUINT64_CONSTANT (8) << 20)

void
tfd_part_spare_cache (TfdPart *part, guint64 total)
{
  gboolean large =
      total != TFD_SIZE_UNKNOWN && total > part->length && total - part->length >= SPARE_FROM;

  part->cache = large ? TFD_CACHE_PASSED : TFD_CACHE_USED;
  part->dropped = part->length;
}

/* Only for the time of a call: what else uses the descriptor knows nothing of it. */
static gboolean
pass_cache (TfdPart *part, gboolean pass)
{
  int flags = fcntl (part->fd, F_GETFL);

  return flags >= 0 && fcntl (part->fd, F_SETFL, pass ? flags | O_DIRECT : flags & ~O_DIRECT) == 0;
}

static void
drop_behind (TfdPart *part)
{
  guint64 count = part->length - part->dropped;

  if (part->cache != TFD_CACHE_DROPPED || count < 2 * DROP_BYTES)
    return;

  /* The older half has had the time to be written. */
  count -= DROP_BYTES;
  sync_file_range (part->fd, (off_t) part->dropped, (off_t) count,
                   SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE |
                       SYNC_FILE_RANGE_WAIT_AFTER);
  posix_fadvise (part->fd, (off_t) part->dropped, (off_t) count, POSIX_FADV_DONTNEED);
  part->dropped += count;
  sync_file_range (part->fd, (off_t) part->dropped, (off_t) DROP_BYTES, SYNC_FILE_RANGE_WRITE);
}

/* One pwrite (). Past the cache goes what is aligned; the rest, and up to where alignment begins,
 * goes through it. */
static gssize
write_once (TfdPart *part, const char *at, gsize count)
{
  gsize beyond = (gsize) (part->length % TFD_PART_ALIGNMENT);
  gboolean aligned = beyond == 0 && GPOINTER_TO_SIZE (at) % TFD_PART_ALIGNMENT == 0;
  gssize written;

  if (part->cache != TFD_CACHE_PASSED || (beyond == 0 && !aligned) ||
      (aligned && count < TFD_PART_ALIGNMENT))
    return pwrite (part->fd, at, count, (off_t) part->length);
  if (!aligned)
    return pwrite (part->fd, at, MIN (count, TFD_PART_ALIGNMENT - beyond), (off_t) part->length);

  count -= count % TFD_PART_ALIGNMENT;
  if (pass_cache (part, TRUE))
    {
      int saved;

      written = pwrite (part->fd, at, count, (off_t) part->length);
      saved = errno;
      pass_cache (part, FALSE);
      if (written >= 0 || saved != EINVAL)
        {
          errno = saved;
          return written;
        }
    }

  part->cache = TFD_CACHE_DROPPED;
  part->dropped = part->length;
  return pwrite (part->fd, at, count, (off_t) part->length);
}

gboolean
tfd_part_write (TfdPart *part, const void *data, gsize count, TfdFailure *failure)
{
  const char *at = data;

  while (count > 0)
    {
      gssize written = write_once (part, at, count);

      if (written < 0 && errno == EINTR)
        continue;
      if (written <= 0)
        {
          tfd_failure_set_errno (failure, written < 0 ? errno : ENOSPC, "writing in",
                                 part->directory->path);
          return FALSE;
        }
      at += written;
      count -= (gsize) written;
      part->length += (guint64) written;
    }
  drop_behind (part);

  return TRUE;
}
