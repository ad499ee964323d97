/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Retry: how long to wait before trying again. */
#include "config.h"

#include "common/retry.h"

#include "common/names.h"

#define GROWTH_LIMIT 4

guint64
tfd_retry_delay (guint64 minimum_delay, guint attempt, guint64 retry_after, double random)
{
  /* so long that neither growth nor jitter matters, and that both would overflow */
  if (minimum_delay > G_MAXUINT64 / (2 * GROWTH_LIMIT))
    return MAX (minimum_delay, retry_after);

  guint64 growth = 1;
  for (guint i = 1; i < attempt && growth < GROWTH_LIMIT; i++)
    growth *= 2;

  /* jitter keeps the jobs that one dead server stopped from coming back all at once */
  double jitter = 0.9 + 0.2 * CLAMP (random, 0.0, 1.0);
  guint64 delay = (guint64) ((double) (minimum_delay * growth) * jitter);
  return MAX (CLAMP (delay, minimum_delay, minimum_delay * GROWTH_LIMIT), retry_after);
}

guint64
tfd_retry_worker_delay (guint loss)
{
  static const guint seconds[] = { 0, 0, 1, 5, 30 };

  return seconds[MIN (loss, G_N_ELEMENTS (seconds) - 1)] * TFD_USEC_PER_SEC;
}
