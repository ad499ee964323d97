/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Tests of the plan: what its files share. */
#pragma once

#include "engine/plan.h"

#define FOREGROUND TFD_PRIORITY_FOREGROUND
#define HIGH TFD_PRIORITY_HIGH
#define NORMAL TFD_PRIORITY_NORMAL
#define LOW TFD_PRIORITY_LOW

#define SLICE 60

static inline gboolean
is_background (const TfdPlanJob *job)
{
  return job->priority != FOREGROUND;
}

static inline int
level_of (const TfdPlanJob *job)
{
  return job->priority == FOREGROUND ? 0
         : job->priority == HIGH     ? 1
         : job->priority == NORMAL   ? 2
                                     : 3;
}

/* Runs, and goes on to. */
static inline gboolean
is_staying (const TfdPlanJob *job)
{
  return job->running && !job->stopping && job->stop == TFD_STOP_NO;
}

/* plan-random.c, plan-simulation.c */
void add_random_tests (void);
void add_simulations (void);
