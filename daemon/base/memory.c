/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
#include "base/memory.h"

#include <malloc.h>

/* Bytes, from which on an allocation is pages of its own; and of free memory at the end of the
 * heap, from which on it is given back. That is what the C library begins with: said aloud, it
 * stays so. Else the first answer of some megabytes raises both above its size, for good. */
#define LARGE (128 * 1024)

void
tfd_memory_init (void)
{
#ifdef __GLIBC__
  mallopt (M_MMAP_THRESHOLD, LARGE);
  mallopt (M_TRIM_THRESHOLD, LARGE);
#endif
}

void
tfd_memory_give_back (void)
{
#ifdef __GLIBC__
  malloc_trim (0);
#endif
}
