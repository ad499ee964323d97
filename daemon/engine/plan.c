/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Plan: decides which jobs may run now. Pure: no I/O, no clock, no signals. */
#include "config.h"

#include "engine/plan.h"

G_DEFINE_ENUM_TYPE (TfdWait,
                    tfd_wait,
                    G_DEFINE_ENUM_VALUE (TFD_WAIT_NONE, "none"),
                    G_DEFINE_ENUM_VALUE (TFD_WAIT_SLOT, "slot"),
                    G_DEFINE_ENUM_VALUE (TFD_WAIT_HIGHER_PRIORITY, "higher-priority"),
                    G_DEFINE_ENUM_VALUE (TFD_WAIT_RETRY_DELAY, "retry-delay"),
                    G_DEFINE_ENUM_VALUE (TFD_WAIT_WORKER_STARTING, "worker-starting"),
                    G_DEFINE_ENUM_VALUE (TFD_WAIT_WORKER_STUCK, "worker-stuck"))

typedef struct
{
  guint total;
  GHashTable *per_user; /* (owned) uid -> number of background jobs that run */
} Slots;

/* Foreground first, then high, normal, low. */
static int
level_of (TfdPriority priority)
{
  static const int levels[] = {
    [TFD_PRIORITY_FOREGROUND] = 0,
    [TFD_PRIORITY_HIGH] = 1,
    [TFD_PRIORITY_NORMAL] = 2,
    [TFD_PRIORITY_LOW] = 3,
  };

  return levels[priority];
}

static int
compare_jobs (gconstpointer a, gconstpointer b)
{
  const TfdPlanJob *x = a, *y = b;
  int difference = level_of (x->priority) - level_of (y->priority);

  if (difference != 0)
    return difference;
  return (x->order > y->order) - (x->order < y->order);
}

static guint
slots_of_user (Slots *slots, guint32 uid)
{
  return GPOINTER_TO_UINT (g_hash_table_lookup (slots->per_user, GUINT_TO_POINTER (uid)));
}

static void
take_slot (Slots *slots, guint32 uid)
{
  slots->total++;
  g_hash_table_insert (slots->per_user, GUINT_TO_POINTER (uid),
                       GUINT_TO_POINTER (slots_of_user (slots, uid) + 1));
}

/* What keeps @job from running whatever the others do. */
static TfdWait
own_obstacle (const TfdPlanJob *job, gint64 now)
{
  if (job->blocked)
    return TFD_WAIT_WORKER_STUCK;
  if (job->not_before > now)
    return job->not_before_why;
  return TFD_WAIT_NONE;
}

static TfdWait
decide_background (const TfdPlanJob *job, int busy_level, Slots *slots, const TfdPlanLimits *limits)
{
  if (level_of (job->priority) > busy_level)
    return TFD_WAIT_HIGHER_PRIORITY;
  if (slots->total >= limits->background_jobs ||
      slots_of_user (slots, job->uid) >= limits->background_jobs_per_user)
    return TFD_WAIT_SLOT;
  return TFD_WAIT_NONE;
}

gint64
tfd_plan_compute (TfdPlanJob *jobs, gsize n_jobs, const TfdPlanLimits *limits, gint64 now)
{
  g_autoptr (GHashTable) per_user = g_hash_table_new (NULL, NULL);
  Slots slots = { 0, per_user };
  int busy_level = G_MAXINT; /* the highest background level with a job that runs or could */
  gint64 next = 0;

  if (n_jobs > 1)
    qsort (jobs, n_jobs, sizeof *jobs, compare_jobs);
  for (gsize i = 0; i < n_jobs; i++)
    if (jobs[i].running && jobs[i].priority != TFD_PRIORITY_FOREGROUND)
      take_slot (&slots, jobs[i].uid);

  for (gsize i = 0; i < n_jobs; i++)
    {
      TfdPlanJob *job = &jobs[i];
      gboolean background = job->priority != TFD_PRIORITY_FOREGROUND;

      job->start = FALSE;
      job->wait = job->running ? TFD_WAIT_NONE : own_obstacle (job, now);
      if (job->wait != TFD_WAIT_NONE)
        {
          if (!job->blocked && (next == 0 || job->not_before < next))
            next = job->not_before;
          continue;
        }

      if (!job->running)
        {
          if (background)
            job->wait = decide_background (job, busy_level, &slots, limits);
          job->start = job->wait == TFD_WAIT_NONE;
          if (job->start && background)
            take_slot (&slots, job->uid);
        }
      if (background)
        busy_level = MIN (busy_level, level_of (job->priority));
    }
  return next;
}
