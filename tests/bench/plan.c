/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* How long it takes to plan. */
#include "engine/plan.h"

#define ROUNDS 51

/* A queue of some users, shuffled as it is never in life: the worst case for sorting. */
static TfdPlanJob *
make_queue (gsize n_jobs, guint users, gboolean slices_over)
{
  TfdPlanJob *jobs = g_new0 (TfdPlanJob, n_jobs);

  for (gsize i = 0; i < n_jobs; i++)
    jobs[i] = (TfdPlanJob){
      .order = i,
      .uid = (guint32) g_test_rand_int_range (0, (gint32) users),
      .priority = (TfdPriority) g_test_rand_int_range (1, 4),
      .running = i % (n_jobs / 4) == 0,
      .resumable = TRUE,
      .slice_start = slices_over ? 0 : 1000,
      .last_served = g_test_rand_int_range (0, 1000),
    };
  return jobs;
}

static int
compare_times (gconstpointer a, gconstpointer b)
{
  const gint64 x = *(const gint64 *) a, y = *(const gint64 *) b;

  return (x > y) - (x < y);
}

static void
measure (gsize n_jobs, guint users, gboolean slices_over)
{
  const TfdPlanLimits limits = { 4, 2, 60 };
  g_autofree TfdPlanJob *queue = make_queue (n_jobs, users, slices_over);
  gint64 times[ROUNDS];

  for (guint round = 0; round < ROUNDS; round++)
    {
      g_autofree TfdPlanJob *jobs = g_memdup2 (queue, n_jobs * sizeof *queue);
      gint64 begin = g_get_monotonic_time ();

      tfd_plan_compute (jobs, n_jobs, &limits, 1001);
      times[round] = g_get_monotonic_time () - begin;
    }
  qsort (times, ROUNDS, sizeof *times, compare_times);
  g_test_message (
      "%6" G_GSIZE_FORMAT " jobs of %4u users, slices %s: %.2f ms (best %.2f, worst %.2f)", n_jobs,
      users, slices_over ? "over    " : "not over", (double) times[ROUNDS / 2] / 1000,
      (double) times[0] / 1000, (double) times[ROUNDS - 1] / 1000);
}

static void
bench_plan (void)
{
  for (gsize n_jobs = 1000; n_jobs <= 100000; n_jobs *= 10)
    for (guint users = 1; users <= 1000; users *= 1000)
      {
        measure (n_jobs, users, FALSE);
        measure (n_jobs, users, TRUE);
      }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/bench/plan", bench_plan);
  return g_test_run ();
}
