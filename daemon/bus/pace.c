/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
#include "config.h"

#include "bus/pace.h"

/* Of the time that a call takes: so all calls of one user leave others two thirds of it. */
#define PRICE 3

gint64
tfd_pace_next (const TfdPace *pace)
{
  return pace->paid - TFD_PACE_CREDIT_USEC;
}

gboolean
tfd_pace_is_paid (const TfdPace *pace, gint64 now)
{
  return pace->paid <= now;
}

void
tfd_pace_count (TfdPace *pace, gint64 begin, gint64 end)
{
  gint64 price = MAX (PRICE * (end - begin), TFD_PACE_CALL_USEC);

  pace->paid = MIN (MAX (pace->paid, begin), begin + TFD_PACE_CREDIT_USEC) + price;
}
