/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Plan: decides which jobs run now. Pure: no I/O, no clock, no signals. */
#pragma once

#include "common/enums.h"

G_BEGIN_DECLS

/* Why a job that could run does not. */
typedef enum
{
  TFD_WAIT_NONE,
  TFD_WAIT_SLOT,            /* "slot": as many jobs run as may */
  TFD_WAIT_HIGHER_PRIORITY, /* "higher-priority" */
  TFD_WAIT_RETRY_DELAY,     /* "retry-delay" */
  TFD_WAIT_WORKER_STARTING, /* "worker-starting": its worker was lost and waits for a new start */
  TFD_WAIT_WORKER_STUCK,    /* "worker-stuck": its worker was killed and has not ended */
  TFD_WAIT_OWNER,           /* its owner is not logged on: OwnerNotLoggedIn */
} TfdWait;

#define TFD_TYPE_WAIT (tfd_wait_get_type ())
GType tfd_wait_get_type (void);

/* What to do with a job that runs. */
typedef enum
{
  TFD_STOP_NO,
  TFD_STOP_SLICE_OVER, /* others of its level wait for their turn */
  TFD_STOP_PREEMPTED,  /* a higher level has something to run, or more run than may */
} TfdStop;

/* What the plan knows of a job: one entry for each that is queued or has a run. Times are boot
 * times in microseconds. */
typedef struct
{
  guint64 order; /* position in the queue: decides between equals */
  guint32 uid;
  TfdPriority priority;
  gboolean running;   /* has a slot */
  gboolean stopping;  /* running, and being taken from its worker already */
  gboolean resumable; /* can be stopped without losing what it has; others are left alone */
  gint64 slice_start; /* running: since when */
  gint64 last_served; /* not running: when its last run ended, or when it was queued, if later */
  gint64 user_served; /* when a background job of its user last gave up a slot, 0 = never */
  gint64 not_before;  /* it must not start before, 0 = now */
  TfdWait not_before_why;
  gboolean blocked;    /* something that time alone does not change */
  TfdWait blocked_why; /* NONE = WORKER_STUCK */
  gpointer job;        /* for the caller */

  /* decided */
  gboolean start;
  TfdStop stop;
  gboolean overdue; /* it runs on only because it is not resumable: plan again when it is */
  TfdWait wait;
} TfdPlanJob;

typedef struct
{
  guint background_jobs;          /* at once, of all users */
  guint background_jobs_per_user; /* at once */
  gint64 slice;                   /* microseconds a job runs while others of its level wait */
} TfdPlanLimits;

/* Fills start, stop, overdue and wait of each of @jobs (which are sorted in place) for the moment
 * @now, and returns the next moment at which time alone changes the answer, 0 = none.
 *
 * Foreground jobs start at once, all of them, and take no slot. Background levels are strict: while
 * a job of a higher level runs or could run, none of a lower one starts, even when slots stay
 * empty, and those that run are stopped if they are resumable. Within a level slots go first to the
 * user with the fewest of them, then to the user and the job that were served longest ago; a job
 * whose slice is over gives its slot up when somebody else would get it. When more run than may,
 * because limits or priorities have changed, the lowest level yields first. */
gint64 tfd_plan_compute (TfdPlanJob *jobs, gsize n_jobs, const TfdPlanLimits *limits, gint64 now);

G_END_DECLS
