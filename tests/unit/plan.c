/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Tests of the plan: some by hand, and what must be true of thousands of random queues. The seed of
 * these is printed by the test program, which repeats them with --seed. */
#include "engine/plan.h"

#define NOW 1000
#define MAX_JOBS 24
#define ROUNDS 4000

#define FOREGROUND TFD_PRIORITY_FOREGROUND
#define HIGH TFD_PRIORITY_HIGH
#define NORMAL TFD_PRIORITY_NORMAL
#define LOW TFD_PRIORITY_LOW

static const TfdPlanLimits usual = { 4, 2 };

/* Decisions in the order of @jobs as given, "+" = starts, "r" = runs, otherwise why it waits. */
static char *
decide (const TfdPlanJob *given, gsize n_jobs, const TfdPlanLimits *limits, gint64 *next)
{
  static const char letters[] = {
    [TFD_WAIT_NONE] = '?',
    [TFD_WAIT_SLOT] = 's',
    [TFD_WAIT_HIGHER_PRIORITY] = 'h',
    [TFD_WAIT_RETRY_DELAY] = 'd',
    [TFD_WAIT_WORKER_STARTING] = 'w',
    [TFD_WAIT_WORKER_STUCK] = 'x',
  };
  g_autofree TfdPlanJob *jobs = g_memdup2 (given, n_jobs * sizeof *given);
  char *text = g_strnfill (n_jobs, '-');

  for (gsize i = 0; i < n_jobs; i++)
    jobs[i].job = GSIZE_TO_POINTER (i);
  *next = tfd_plan_compute (jobs, n_jobs, limits, NOW);
  for (gsize i = 0; i < n_jobs; i++)
    text[GPOINTER_TO_SIZE (jobs[i].job)] = jobs[i].start     ? '+'
                                           : jobs[i].running ? 'r'
                                                             : letters[jobs[i].wait];
  return text;
}

#define JOB(order_, uid_, priority_, ...)                                                          \
  {                                                                                                \
    .order = order_, .uid = uid_, .priority = priority_, __VA_ARGS__                               \
  }
#define DELAY(time, why) .not_before = time, .not_before_why = TFD_WAIT_##why

static const struct
{
  const char *name;
  const char *expected;
  gint64 next;
  TfdPlanLimits limits;
  TfdPlanJob jobs[8];
} cases[] = {
  { "nothing", "", 0, { 4, 2 }, { { 0 } } },
  { "one", "+", 0, { 4, 2 }, { JOB (1, 1, NORMAL, ) } },
  { "first come, first served",
    "s++",
    0,
    { 2, 2 },
    { JOB (3, 1, NORMAL, ), JOB (1, 1, NORMAL, ), JOB (2, 1, NORMAL, ) } },
  { "slots of a user",
    "++s+",
    0,
    { 4, 2 },
    { JOB (1, 1, NORMAL, ), JOB (2, 1, NORMAL, ), JOB (3, 1, NORMAL, ), JOB (4, 2, NORMAL, ) } },
  { "slots of all",
    "+++s",
    0,
    { 3, 2 },
    { JOB (1, 1, LOW, ), JOB (2, 2, LOW, ), JOB (3, 3, LOW, ), JOB (4, 4, LOW, ) } },
  { "what runs takes slots",
    "rs",
    0,
    { 1, 1 },
    { JOB (2, 1, NORMAL, .running = TRUE), JOB (1, 1, NORMAL, ) } },
  { "levels are strict",
    "h+h",
    0,
    { 4, 2 },
    { JOB (1, 1, NORMAL, ), JOB (2, 2, HIGH, ), JOB (3, 3, LOW, ) } },
  { "a higher one that runs",
    "hr",
    0,
    { 4, 2 },
    { JOB (1, 1, LOW, ), JOB (2, 2, NORMAL, .running = TRUE) } },
  { "a lower one that runs",
    "r+",
    0,
    { 4, 2 },
    { JOB (1, 1, LOW, .running = TRUE), JOB (2, 2, NORMAL, ) } },
  { "a higher one without a slot",
    "s+h",
    0,
    { 4, 1 },
    { JOB (2, 1, HIGH, ), JOB (1, 1, HIGH, ), JOB (3, 2, LOW, ) } },
  { "a higher one that cannot",
    "wx+",
    2000,
    { 4, 2 },
    { JOB (1, 1, HIGH, DELAY (2000, WORKER_STARTING)), JOB (2, 2, HIGH, .blocked = TRUE),
      JOB (3, 3, LOW, ) } },
  { "foreground is outside",
    "+++h+",
    0,
    { 1, 1 },
    { JOB (1, 1, FOREGROUND, ), JOB (2, 1, FOREGROUND, ), JOB (3, 1, FOREGROUND, ),
      JOB (4, 1, LOW, ), JOB (5, 2, HIGH, ) } },
  { "foreground takes no slot",
    "r+",
    0,
    { 1, 1 },
    { JOB (1, 1, FOREGROUND, .running = TRUE), JOB (2, 1, NORMAL, ) } },
  { "foreground has to wait, too",
    "dx",
    1001,
    { 1, 1 },
    { JOB (1, 1, FOREGROUND, DELAY (1001, RETRY_DELAY)),
      JOB (2, 2, FOREGROUND, .blocked = TRUE) } },
  { "it is time", "+", 0, { 4, 2 }, { JOB (1, 1, NORMAL, DELAY (NOW, RETRY_DELAY)) } },
  { "the next time",
    "dw+",
    1500,
    { 4, 2 },
    { JOB (1, 1, NORMAL, DELAY (2500, RETRY_DELAY)),
      JOB (2, 1, NORMAL, DELAY (1500, WORKER_STARTING)),
      JOB (3, 1, NORMAL, DELAY (500, RETRY_DELAY)) } },
  { "time does not free a stuck worker",
    "x",
    0,
    { 4, 2 },
    { JOB (1, 1, NORMAL, .blocked = TRUE, DELAY (1500, WORKER_STARTING)) } },
  { "no slots at all", "s+", 0, { 0, 0 }, { JOB (1, 1, NORMAL, ), JOB (2, 1, FOREGROUND, ) } },
};

static void
test_cases (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      gint64 next;
      g_autofree char *decisions =
          decide (cases[i].jobs, strlen (cases[i].expected), &cases[i].limits, &next);

      g_test_message ("%s", cases[i].name);
      g_assert_cmpstr (decisions, ==, cases[i].expected);
      g_assert_cmpint (next, ==, cases[i].next);
    }
}

/* ---- random queues ---- */

static int
level_of (const TfdPlanJob *job)
{
  return job->priority == FOREGROUND ? 0
         : job->priority == HIGH     ? 1
         : job->priority == NORMAL   ? 2
                                     : 3;
}

static gboolean
is_background (const TfdPlanJob *job)
{
  return job->priority != FOREGROUND;
}

static gboolean
can_run (const TfdPlanJob *job)
{
  return job->running || (!job->blocked && job->not_before <= NOW);
}

static gsize
make_queue (TfdPlanJob *jobs, TfdPlanLimits *limits)
{
  gsize n_jobs = (gsize) g_test_rand_int_range (0, MAX_JOBS + 1);

  *limits =
      (TfdPlanLimits){ (guint) g_test_rand_int_range (0, 7), (guint) g_test_rand_int_range (0, 5) };
  for (gsize i = 0; i < n_jobs; i++)
    {
      guint32 uid = (guint32) g_test_rand_int_range (0, 4);

      jobs[i] = (TfdPlanJob){
        .order = i * 2 + 1,
        .uid = uid,
        .priority = (TfdPriority) g_test_rand_int_range (0, 4),
        .running = g_test_rand_int_range (0, 4) == 0,
        .not_before =
            g_test_rand_int_range (0, 4) == 0 ? g_test_rand_int_range (NOW - 5, NOW + 6) : 0,
        .not_before_why = g_test_rand_bit () ? TFD_WAIT_RETRY_DELAY : TFD_WAIT_WORKER_STARTING,
        .blocked = g_test_rand_int_range (0, 8) == 0,
        .job = GSIZE_TO_POINTER (i),
      };
    }
  return n_jobs;
}

static void
shuffle (TfdPlanJob *jobs, gsize n_jobs)
{
  for (gsize i = n_jobs; i > 1; i--)
    {
      gsize other = (gsize) g_test_rand_int_range (0, (gint32) i);
      TfdPlanJob kept = jobs[i - 1];

      jobs[i - 1] = jobs[other];
      jobs[other] = kept;
    }
}

/* Background jobs that run after the plan: of @uid, or of all with G_MAXUINT32. */
static guint
count_running (const TfdPlanJob *jobs, gsize n_jobs, guint32 uid, gboolean before)
{
  guint count = 0;

  for (gsize i = 0; i < n_jobs; i++)
    count += is_background (&jobs[i]) && (uid == G_MAXUINT32 || jobs[i].uid == uid) &&
             (jobs[i].running || (jobs[i].start && !before));
  return count;
}

/* A job of a higher background level runs or could. */
static gboolean
is_outranked (const TfdPlanJob *jobs, gsize n_jobs, const TfdPlanJob *job)
{
  for (gsize i = 0; i < n_jobs; i++)
    if (is_background (&jobs[i]) && level_of (&jobs[i]) < level_of (job) && can_run (&jobs[i]))
      return TRUE;
  return FALSE;
}

static void
check_job (const TfdPlanJob *jobs, gsize n_jobs, const TfdPlanJob *job, const TfdPlanLimits *limits)
{
  gboolean full = count_running (jobs, n_jobs, G_MAXUINT32, FALSE) >= limits->background_jobs ||
                  count_running (jobs, n_jobs, job->uid, FALSE) >= limits->background_jobs_per_user;

  if (job->running)
    {
      g_assert_false (job->start);
      g_assert_cmpint (job->wait, ==, TFD_WAIT_NONE);
      return;
    }
  g_assert_true (job->start == (job->wait == TFD_WAIT_NONE));
  if (job->blocked)
    g_assert_cmpint (job->wait, ==, TFD_WAIT_WORKER_STUCK);
  else if (job->not_before > NOW)
    g_assert_cmpint (job->wait, ==, job->not_before_why);
  else if (!is_background (job))
    g_assert_true (job->start);
  else if (is_outranked (jobs, n_jobs, job))
    g_assert_cmpint (job->wait, ==, TFD_WAIT_HIGHER_PRIORITY);
  else if (!job->start)
    {
      g_assert_cmpint (job->wait, ==, TFD_WAIT_SLOT);
      g_assert_true (full);
    }
}

static void
check_limits (const TfdPlanJob *jobs, gsize n_jobs, const TfdPlanLimits *limits)
{
  g_assert_cmpuint (count_running (jobs, n_jobs, G_MAXUINT32, FALSE), <=,
                    MAX (limits->background_jobs, count_running (jobs, n_jobs, G_MAXUINT32, TRUE)));
  for (guint32 uid = 0; uid < 4; uid++)
    g_assert_cmpuint (
        count_running (jobs, n_jobs, uid, FALSE), <=,
        MAX (limits->background_jobs_per_user, count_running (jobs, n_jobs, uid, TRUE)));
}

/* Sorted by level and order; a later job of the same user and level never overtakes. */
static void
check_order (const TfdPlanJob *jobs, gsize n_jobs)
{
  for (gsize i = 0; i < n_jobs; i++)
    for (gsize k = i + 1; k < n_jobs; k++)
      {
        g_assert_cmpint (level_of (&jobs[i]), <=, level_of (&jobs[k]));
        if (level_of (&jobs[i]) != level_of (&jobs[k]))
          continue;
        g_assert_cmpuint (jobs[i].order, <, jobs[k].order);
        if (jobs[i].uid == jobs[k].uid && jobs[k].start)
          g_assert_cmpint (jobs[i].wait, !=, TFD_WAIT_SLOT);
      }
}

static void
check_next (const TfdPlanJob *jobs, gsize n_jobs, gint64 next)
{
  gint64 expected = 0;

  for (gsize i = 0; i < n_jobs; i++)
    if (!jobs[i].running && !jobs[i].blocked && jobs[i].not_before > NOW)
      expected = expected == 0 ? jobs[i].not_before : MIN (expected, jobs[i].not_before);
  g_assert_cmpint (next, ==, expected);
}

static void
test_random (void)
{
  for (guint round = 0; round < ROUNDS; round++)
    {
      TfdPlanJob jobs[MAX_JOBS];
      TfdPlanLimits limits;
      gsize n_jobs = make_queue (jobs, &limits);

      shuffle (jobs, n_jobs);
      gint64 next = tfd_plan_compute (jobs, n_jobs, &limits, NOW);
      for (gsize i = 0; i < n_jobs; i++)
        check_job (jobs, n_jobs, &jobs[i], &limits);
      check_limits (jobs, n_jobs, &limits);
      check_order (jobs, n_jobs);
      check_next (jobs, n_jobs, next);
    }
}

/* The order in which the jobs are given makes no difference, nor what was decided before. */
static void
test_deterministic (void)
{
  for (guint round = 0; round < ROUNDS; round++)
    {
      TfdPlanJob jobs[MAX_JOBS], again[MAX_JOBS];
      TfdPlanLimits limits;
      gsize n_jobs = make_queue (jobs, &limits);

      memcpy (again, jobs, sizeof again);
      shuffle (again, n_jobs);
      for (gsize i = 0; i < n_jobs; i++)
        {
          again[i].start = TRUE;
          again[i].wait = TFD_WAIT_SLOT;
        }
      g_assert_cmpint (tfd_plan_compute (jobs, n_jobs, &limits, NOW), ==,
                       tfd_plan_compute (again, n_jobs, &limits, NOW));
      for (gsize i = 0; i < n_jobs; i++)
        {
          g_assert_true (jobs[i].job == again[i].job);
          g_assert_true (jobs[i].start == again[i].start);
          g_assert_cmpint (jobs[i].wait, ==, again[i].wait);
        }
    }
}

/* What was started runs: then nothing more is to be done. */
static void
test_stable (void)
{
  for (guint round = 0; round < ROUNDS; round++)
    {
      TfdPlanJob jobs[MAX_JOBS];
      TfdPlanLimits limits;
      gsize n_jobs = make_queue (jobs, &limits);

      tfd_plan_compute (jobs, n_jobs, &limits, NOW);
      for (gsize i = 0; i < n_jobs; i++)
        jobs[i].running |= jobs[i].start;
      tfd_plan_compute (jobs, n_jobs, &limits, NOW);
      for (gsize i = 0; i < n_jobs; i++)
        g_assert_false (jobs[i].start);
    }
}

static void
test_many (void)
{
  gsize n_jobs = 100000;
  g_autofree TfdPlanJob *jobs = g_new0 (TfdPlanJob, n_jobs);
  guint started = 0;

  for (gsize i = 0; i < n_jobs; i++)
    jobs[i] = (TfdPlanJob){ .order = n_jobs - i, .uid = (guint32) (i % 1000), .priority = NORMAL };
  gint64 begin = g_get_monotonic_time ();
  tfd_plan_compute (jobs, n_jobs, &usual, NOW);
  g_test_message ("100,000 jobs in %" G_GINT64_FORMAT " ms",
                  (g_get_monotonic_time () - begin) / 1000);
  for (gsize i = 0; i < n_jobs; i++)
    started += jobs[i].start;
  g_assert_cmpuint (started, ==, usual.background_jobs);
  g_assert_true (jobs[0].start);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/plan/cases", test_cases);
  g_test_add_func ("/plan/random/invariants", test_random);
  g_test_add_func ("/plan/random/deterministic", test_deterministic);
  g_test_add_func ("/plan/random/stable", test_stable);
  g_test_add_func ("/plan/many", test_many);
  return g_test_run ();
}
