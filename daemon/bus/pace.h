/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Pace: how often calls of a user are handled while those of another are under way. What a user
 * sends faster waits in the service: not on the one connection to the bus, which all share and
 * where nobody can be preferred. And senders who wait for replies are quiet meanwhile, so that the
 * processors are there for what is done for others. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Of each call a user has to pay the time that it took, twice more, and at least this. */
#define TFD_PACE_CALL_USEC 1000
/* So much a user may owe: some calls at once are nobody's flood. */
#define TFD_PACE_CREDIT_USEC (16 * TFD_PACE_CALL_USEC)

/* Zeros: somebody who never called. */
typedef struct
{
  gint64 paid; /* monotonic time, µs, at which all calls up to now are paid */
} TfdPace;

/* The monotonic time, µs, from which on the next call may be handled. */
gint64 tfd_pace_next (const TfdPace *pace);

/* Whether nothing of it is left to be remembered at @now. */
gboolean tfd_pace_is_paid (const TfdPace *pace, gint64 now);

/* A call was handled from @begin to @end. Also to be told where nobody waits for their turn, so
 * that it is known who is sending much when somebody comes; who was never made to wait does not owe
 * more for that. */
void tfd_pace_count (TfdPace *pace, gint64 begin, gint64 end);

G_END_DECLS
