/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Retry: when to try again. Pure: randomness and time come in as arguments. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* The delay before try number @attempt (1 = first retry) in microseconds: @minimum_delay grows
 * exponentially up to 4 times, then jitter of +-10 % by @random (0..1), never below @minimum_delay
 * nor below @retry_after (0 = none). */
guint64 tfd_retry_delay (guint64 minimum_delay, guint attempt, guint64 retry_after, double random);

/* The delay before a worker that was lost is started anew, for its @loss-th loss (1 = first):
 * 0, 1, 5, then 30 s. */
guint64 tfd_retry_worker_delay (guint loss);

G_END_DECLS
