/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Follow: watches jobs until nothing more happens to them by itself, and shows how far they are. */
#pragma once

#include "client/transferctl/ctl.h"

G_BEGIN_DECLS

/* How a job stands at the end. */
typedef enum
{
  CTL_FOLLOW_RUNNING,     /* time-out or signal came first */
  CTL_FOLLOW_TRANSFERRED, /* all has arrived: wants Complete */
  CTL_FOLLOW_FAILED,      /* in state error */
  CTL_FOLLOW_ENDED,       /* over: see ctl_ended () */
} CtlFollowed;

CtlFollowed ctl_followed (TransferJob *job);

/* Watches @jobs (element-type TransferJob, watched) until each of them is transferred, failed or
 * over, @timeout microseconds (0 = none) have passed, or a signal asks to end. */
void ctl_follow (Ctl *ctl, GPtrArray *jobs, guint64 timeout);

/* Why @job does not move, for people, NULL when it moves; @now in microseconds since the epoch. */
char *ctl_follow_note (TransferJob *job, guint64 now);

G_END_DECLS
