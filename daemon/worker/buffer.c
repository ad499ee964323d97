/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Buffer: memory for bytes on their way. */
#include "config.h"
#include "worker/buffer.h"

#include <string.h>
#include <sys/mman.h>

/* Emptied buffers kept for the next file. */
#define SPARE_BUFFERS 8

/* Bytes that are kept for later in all. */
#define KEPT_BYTES ((gsize) 8 * 1024 * 1024)

static gsize n_kept;
static guint8 *spare[SPARE_BUFFERS];
static guint n_spare, n_large;

guint8 *
tfd_buffer_take (void)
{
  return n_spare > 0 ? spare[--n_spare] : g_malloc (TFD_BUFFER_SIZE);
}

void
tfd_buffer_give (guint8 *buffer)
{
  if (n_spare < SPARE_BUFFERS)
    spare[n_spare++] = buffer;
  else
    g_free (buffer);
}

/* Not from the heap, which would keep it. */
guint8 *
tfd_buffer_take_large (void)
{
  const int protection = PROT_READ | PROT_WRITE;
  guint8 *memory;
  gsize before;

  if (n_large == TFD_LARGE_BUFFERS)
    return NULL;
  memory = mmap (NULL, 2 * TFD_BUFFER_LARGE, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED)
    return NULL;

  before = (TFD_BUFFER_LARGE - GPOINTER_TO_SIZE (memory) % TFD_BUFFER_LARGE) % TFD_BUFFER_LARGE;
  if (before > 0)
    munmap (memory, before);
  munmap (memory + before + TFD_BUFFER_LARGE, TFD_BUFFER_LARGE - before);
  memory += before;
  /* Where there are no large pages small ones do, too. */
  madvise (memory, TFD_BUFFER_LARGE, MADV_HUGEPAGE);
  n_large++;

  return memory;
}

void
tfd_buffer_give_large (guint8 *buffer)
{
  munmap (buffer, TFD_BUFFER_LARGE);
  n_large--;
}

guint8 *
tfd_buffer_keep (const void *data, gsize count)
{
  guint8 *kept;

  if (count > TFD_BUFFER_KEEP || n_kept + count > KEPT_BYTES)
    return NULL;

  kept = g_malloc (count);
  memcpy (kept, data, count);
  n_kept += count;

  return kept;
}

void
tfd_buffer_drop (guint8 *kept, gsize count)
{
  g_free (kept);
  n_kept -= count;
}
