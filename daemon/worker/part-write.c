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

/* In the background: what is smaller is not worth the trouble. In the foreground somebody waits for
 * the file, and finds it in the cache, unless it is so large that writing it there first takes
 * longer. */
#define SPARE_FROM (G_GUINT64_CONSTANT (16) << 20)
#define PASS_FROM (G_GUINT64_CONSTANT (128) << 20)

/* Where the disk cannot be written past the cache, it is written from there and dropped, so much at
 * a time. */
#define DROP_BYTES (G_GUINT64_CONSTANT (8) << 20)

void
tfd_part_choose_cache (TfdPart *part, guint64 total, gboolean spare)
{
  guint64 left = total != TFD_SIZE_UNKNOWN && total > part->length ? total - part->length : 0;

  part->cache = left >= (spare ? SPARE_FROM : PASS_FROM) ? TFD_CACHE_PASSED : TFD_CACHE_USED;
  part->spare = spare;
  part->dropped = part->length;
}

void
tfd_part_use_cache (TfdPart *part)
{
  part->cache = part->spare ? TFD_CACHE_DROPPED : TFD_CACHE_USED;
}

/* Only for the time of a call: what else uses the descriptor knows nothing of it. */
static gboolean
pass_cache (TfdPart *part, gboolean pass)
{
  int flags = fcntl (part->fd, F_GETFL);

  return flags >= 0 && fcntl (part->fd, F_SETFL, pass ? flags | O_DIRECT : flags & ~O_DIRECT) == 0;
}

static void
drop_behind (TfdPart *part, guint64 length)
{
  guint64 count = length - part->dropped;

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
write_once (TfdPart *part, guint64 offset, const char *at, gsize count)
{
  gsize beyond = (gsize) (offset % TFD_PART_ALIGNMENT);
  gboolean aligned = beyond == 0 && GPOINTER_TO_SIZE (at) % TFD_PART_ALIGNMENT == 0;
  gssize written;

  if (part->cache != TFD_CACHE_PASSED || (beyond == 0 && !aligned) ||
      (aligned && count < TFD_PART_ALIGNMENT))
    return pwrite (part->fd, at, count, (off_t) offset);
  if (!aligned)
    return pwrite (part->fd, at, MIN (count, TFD_PART_ALIGNMENT - beyond), (off_t) offset);

  count -= count % TFD_PART_ALIGNMENT;
  if (pass_cache (part, TRUE))
    {
      int saved;

      written = pwrite (part->fd, at, count, (off_t) offset);
      saved = errno;
      pass_cache (part, FALSE);
      if (written >= 0 || saved != EINVAL)
        {
          errno = saved;
          return written;
        }
    }

  tfd_part_use_cache (part);
  part->dropped = offset;
  return pwrite (part->fd, at, count, (off_t) offset);
}

gsize
tfd_part_write_at (
    TfdPart *part, guint64 offset, const void *data, gsize count, TfdFailure *failure)
{
  const char *at = data;
  gsize done = 0;

  while (done < count)
    {
      gssize written = write_once (part, offset + done, at + done, count - done);

      if (written < 0 && errno == EINTR)
        continue;
      if (written <= 0)
        {
          tfd_failure_set_errno (failure, written < 0 ? errno : ENOSPC, "writing in",
                                 part->directory->path);
          return done;
        }
      done += (gsize) written;
    }
  drop_behind (part, offset + done);

  return done;
}

gboolean
tfd_part_write (TfdPart *part, const void *data, gsize count, TfdFailure *failure)
{
  gsize written = tfd_part_write_at (part, part->length, data, count, failure);

  part->length += written;
  return written == count;
}
