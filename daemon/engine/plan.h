/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Plan: decides which jobs may run now. Pure: no I/O, no clock, no signals. */
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
} TfdWait;

#define TFD_TYPE_WAIT (tfd_wait_get_type ())
GType tfd_wait_get_type (void);

/* What the plan knows of a job: one entry for each that is queued, running or waits for a retry. */
typedef struct
{
  guint64 order; /* position in the queue: lower first */
  guint32 uid;
  TfdPriority priority;
  gboolean running;
  gint64 not_before;      /* boot time before which it must not start, 0 = now */
  TfdWait not_before_why; /* why */
  gboolean blocked;       /* its user's worker cannot be had: TFD_WAIT_WORKER_STUCK */
  gpointer job;           /* for the caller */

  /* decided */
  gboolean start;
  TfdWait wait;
} TfdPlanJob;

typedef struct
{
  guint background_jobs;          /* at once, of all users */
  guint background_jobs_per_user; /* at once */
} TfdPlanLimits;

/* Fills start and wait of each of @jobs (sorted in place: by level, then order) for the moment @now
 * and returns the boot time of the next moment at which time alone changes the answer, 0 = none.
 *
 * Foreground jobs start at once, all of them. Background levels are strict: while a job of a higher
 * level runs or could run, none of a lower one starts, even when slots stay empty. */
gint64 tfd_plan_compute (TfdPlanJob *jobs, gsize n_jobs, const TfdPlanLimits *limits, gint64 now);

G_END_DECLS
