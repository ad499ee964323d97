/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Tests of the plan: each of its rules, by hand. The rules that hold for any queue, and what comes
 * of them in the course of hours, are in plan-random.c and plan-simulation.c. */
#include "plan-tests.h"

#define NOW 1000

/* One letter a job: "+" starts, "r" runs, "o" runs though overdue, "S" and "P" are stopped because
 * the slice is over or pre-empted, otherwise why it waits. */
static char
letter_of (const TfdPlanJob *job)
{
  static const char waits[] = {
    [TFD_WAIT_NONE] = '?',
    [TFD_WAIT_SLOT] = 's',
    [TFD_WAIT_HIGHER_PRIORITY] = 'h',
    [TFD_WAIT_RETRY_DELAY] = 'd',
    [TFD_WAIT_WORKER_STARTING] = 'w',
    [TFD_WAIT_WORKER_STUCK] = 'x',
    [TFD_WAIT_OWNER] = 'a',
  };

  if (job->start)
    return '+';
  if (!job->running)
    return waits[job->wait];
  if (job->stop != TFD_STOP_NO)
    return job->stop == TFD_STOP_PREEMPTED ? 'P' : 'S';
  return job->overdue ? 'o' : 'r';
}

/* Decisions in the order of @jobs as given. */
static char *
decide (const TfdPlanJob *given, gsize n_jobs, const TfdPlanLimits *limits, gint64 *next)
{
  g_autofree TfdPlanJob *jobs = g_memdup2 (given, n_jobs * sizeof *given);
  char *text = g_strnfill (n_jobs, '-');

  for (gsize i = 0; i < n_jobs; i++)
    jobs[i].job = GSIZE_TO_POINTER (i);
  *next = tfd_plan_compute (jobs, n_jobs, limits, NOW);
  for (gsize i = 0; i < n_jobs; i++)
    text[GPOINTER_TO_SIZE (jobs[i].job)] = letter_of (&jobs[i]);
  return text;
}

#define JOB(order_, uid_, priority_, ...)                                                          \
  {                                                                                                \
    .order = order_, .uid = uid_, .priority = priority_, __VA_ARGS__                               \
  }
#define DELAY(time, why) .not_before = time, .not_before_why = TFD_WAIT_##why
#define RUNS(since) .running = TRUE, .resumable = TRUE, .slice_start = since
/* cannot be resumed */
#define HOLDS(since) .running = TRUE, .slice_start = since
#define SERVED(job_, user_) .last_served = job_, .user_served = user_
#define FRESH (NOW - 10)
#define OVER (NOW - SLICE)

typedef struct
{
  const char *name;
  const char *expected;
  gint64 next;
  guint background_jobs, per_user;
  TfdPlanJob jobs[8];
} Case;

static const Case starting[] = {
  { "nothing", "", 0, 4, 2, { { 0 } } },
  { "one", "+", 0, 4, 2, { JOB (1, 1, NORMAL, ) } },
  { "first come, first served",
    "s++",
    0,
    2,
    2,
    { JOB (3, 1, NORMAL, ), JOB (1, 1, NORMAL, ), JOB (2, 1, NORMAL, ) } },
  { "slots of a user",
    "++s+",
    0,
    4,
    2,
    { JOB (1, 1, NORMAL, ), JOB (2, 1, NORMAL, ), JOB (3, 1, NORMAL, ), JOB (4, 2, NORMAL, ) } },
  { "slots of all",
    "+++s",
    0,
    3,
    2,
    { JOB (1, 1, LOW, ), JOB (2, 2, LOW, ), JOB (3, 3, LOW, ), JOB (4, 4, LOW, ) } },
  { "what runs takes slots",
    "rs",
    1050,
    1,
    1,
    { JOB (2, 1, NORMAL, RUNS (FRESH)), JOB (1, 1, NORMAL, ) } },
  { "no slots at all", "s+", 0, 0, 0, { JOB (1, 1, NORMAL, ), JOB (2, 1, FOREGROUND, ) } },
  { "a stuck worker",
    "x",
    0,
    4,
    2,
    { JOB (1, 1, NORMAL, .blocked = TRUE, DELAY (1500, WORKER_STARTING)) } },
  { "an owner who is away",
    "a+",
    0,
    4,
    2,
    { JOB (1, 1, NORMAL, .blocked = TRUE, .blocked_why = TFD_WAIT_OWNER), JOB (2, 2, LOW, ) } },
  { "it is time", "+", 0, 4, 2, { JOB (1, 1, NORMAL, DELAY (NOW, RETRY_DELAY)) } },
  { "the next time",
    "dw+",
    1500,
    4,
    2,
    { JOB (1, 1, NORMAL, DELAY (2500, RETRY_DELAY)),
      JOB (2, 1, NORMAL, DELAY (1500, WORKER_STARTING)),
      JOB (3, 1, NORMAL, DELAY (500, RETRY_DELAY)) } },
};

static const Case fair[] = {
  { "the job that waits longest",
    "s+s",
    0,
    1,
    1,
    { JOB (1, 1, NORMAL, SERVED (30, 0)), JOB (3, 1, NORMAL, SERVED (10, 0)),
      JOB (2, 1, NORMAL, SERVED (20, 0)) } },
  { "a slot for each user first",
    "+s+s+s",
    0,
    3,
    2,
    { JOB (1, 1, NORMAL, ), JOB (2, 1, NORMAL, ), JOB (3, 2, NORMAL, ), JOB (4, 2, NORMAL, ),
      JOB (5, 3, NORMAL, ), JOB (6, 3, NORMAL, ) } },
  { "the user with fewer slots, though served later",
    "rs+",
    1050,
    2,
    2,
    { JOB (1, 1, NORMAL, RUNS (FRESH)), JOB (2, 1, NORMAL, SERVED (0, 10)),
      JOB (3, 2, NORMAL, SERVED (0, 900)) } },
  { "the user served longest ago",
    "s+",
    0,
    1,
    1,
    { JOB (1, 1, NORMAL, SERVED (0, 900)), JOB (2, 2, NORMAL, SERVED (500, 800)) } },
  { "jobs that are over count for their user",
    "ss+",
    0,
    1,
    1,
    { JOB (1, 1, NORMAL, SERVED (0, 999)), JOB (2, 1, NORMAL, SERVED (0, 999)),
      JOB (3, 2, NORMAL, SERVED (0, 0)) } },
};

static const Case levels[] = {
  { "levels are strict, even if slots stay empty",
    "h+h",
    0,
    4,
    2,
    { JOB (1, 1, NORMAL, ), JOB (2, 2, HIGH, ), JOB (3, 3, LOW, ) } },
  { "a higher one that runs",
    "hr",
    0,
    4,
    2,
    { JOB (1, 1, LOW, ), JOB (2, 2, NORMAL, RUNS (FRESH)) } },
  { "a lower one that runs",
    "P+",
    0,
    4,
    2,
    { JOB (1, 1, LOW, RUNS (FRESH)), JOB (2, 2, NORMAL, ) } },
  { "a lower one that cannot be resumed",
    "o+",
    0,
    4,
    2,
    { JOB (1, 1, LOW, HOLDS (OVER)), JOB (2, 2, NORMAL, ) } },
  { "a lower one that is stopping",
    "r+",
    0,
    4,
    2,
    { JOB (1, 1, LOW, RUNS (FRESH), .stopping = TRUE), JOB (2, 2, NORMAL, ) } },
  { "all slots are taken by lower ones",
    "PPs",
    0,
    2,
    2,
    { JOB (1, 1, LOW, RUNS (FRESH)), JOB (2, 1, NORMAL, RUNS (OVER)), JOB (3, 2, HIGH, ) } },
  { "a higher one without a slot",
    "s+h",
    0,
    4,
    1,
    { JOB (2, 1, HIGH, ), JOB (1, 1, HIGH, ), JOB (3, 2, LOW, ) } },
  { "a higher one that cannot",
    "wx+",
    2000,
    4,
    2,
    { JOB (1, 1, HIGH, DELAY (2000, WORKER_STARTING)), JOB (2, 2, HIGH, .blocked = TRUE),
      JOB (3, 3, LOW, ) } },
  { "foreground is outside",
    "+++h+",
    0,
    1,
    1,
    { JOB (1, 1, FOREGROUND, ), JOB (2, 1, FOREGROUND, ), JOB (3, 1, FOREGROUND, ),
      JOB (4, 1, LOW, ), JOB (5, 2, HIGH, ) } },
  { "foreground takes no slot",
    "r+",
    0,
    1,
    1,
    { JOB (1, 1, FOREGROUND, HOLDS (FRESH)), JOB (2, 1, NORMAL, ) } },
  { "foreground stops nobody, and nobody stops it",
    "+rr",
    0,
    1,
    1,
    { JOB (1, 1, FOREGROUND, ), JOB (2, 1, NORMAL, RUNS (OVER)),
      JOB (3, 2, FOREGROUND, RUNS (0)) } },
  { "foreground waits for its own sake only",
    "dx",
    1001,
    1,
    1,
    { JOB (1, 1, FOREGROUND, DELAY (1001, RETRY_DELAY)),
      JOB (2, 2, FOREGROUND, .blocked = TRUE) } },
};

static const Case slices[] = {
  { "not over", "rs", 1001, 1, 1, { JOB (1, 1, LOW, RUNS (OVER + 1)), JOB (2, 1, LOW, ) } },
  { "over", "Ss", 0, 1, 1, { JOB (1, 1, LOW, RUNS (OVER)), JOB (2, 1, LOW, ) } },
  { "over, for another user", "Ss", 0, 1, 1, { JOB (1, 1, LOW, RUNS (0)), JOB (2, 2, LOW, ) } },
  { "nobody waits", "r", 0, 1, 1, { JOB (1, 1, LOW, RUNS (0)) } },
  { "who waits cannot",
    "rx",
    0,
    1,
    1,
    { JOB (1, 1, LOW, RUNS (0)), JOB (2, 1, LOW, .blocked = TRUE) } },
  { "who waits is of a lower level",
    "rh",
    0,
    1,
    1,
    { JOB (1, 1, HIGH, RUNS (0)), JOB (2, 1, LOW, ) } },
  { "a slot is free", "r+", 0, 2, 2, { JOB (1, 1, LOW, RUNS (0)), JOB (2, 1, LOW, ) } },
  { "who waits has its share already",
    "rsr",
    1050,
    4,
    1,
    { JOB (1, 1, LOW, RUNS (FRESH)), JOB (2, 1, LOW, ), JOB (3, 2, LOW, RUNS (0)) } },
  { "cannot be resumed", "os", 0, 1, 1, { JOB (1, 1, LOW, HOLDS (OVER)), JOB (2, 1, LOW, ) } },
  { "one waits, one yields: who runs longest",
    "rSs",
    0,
    2,
    2,
    { JOB (1, 1, LOW, RUNS (20)), JOB (2, 2, LOW, RUNS (10)), JOB (3, 3, LOW, ) } },
  { "who has most slots yields first",
    "rrSrs",
    0,
    4,
    3,
    { JOB (1, 1, LOW, RUNS (5)), JOB (2, 2, LOW, RUNS (20)), JOB (3, 2, LOW, RUNS (10)),
      JOB (4, 2, LOW, RUNS (30)), JOB (5, 3, LOW, ) } },
  { "nobody yields to a user who has more",
    "rrrs",
    1050,
    3,
    3,
    { JOB (1, 1, LOW, RUNS (0)), JOB (2, 2, LOW, RUNS (FRESH)), JOB (3, 2, LOW, RUNS (FRESH)),
      JOB (4, 2, LOW, ) } },
  { "an odd slot goes round",
    "Srrss",
    1050,
    3,
    3,
    { JOB (1, 1, LOW, RUNS (0)), JOB (2, 1, LOW, RUNS (FRESH)), JOB (3, 2, LOW, RUNS (FRESH)),
      JOB (4, 1, LOW, ), JOB (5, 2, LOW, ) } },
  { "who leaves makes room already",
    "rrs",
    0,
    2,
    2,
    { JOB (1, 1, LOW, RUNS (0), .stopping = TRUE), JOB (2, 2, LOW, RUNS (0)), JOB (3, 3, LOW, ) } },
  { "who is pre-empted makes room already",
    "Prs",
    0,
    2,
    2,
    { JOB (1, 1, LOW, RUNS (0)), JOB (2, 2, HIGH, RUNS (0)), JOB (3, 2, HIGH, ) } },
};

static const Case limits_changed[] = {
  { "fewer slots",
    "rrP",
    0,
    2,
    2,
    { JOB (1, 1, LOW, RUNS (0)), JOB (2, 2, LOW, RUNS (0)), JOB (3, 3, LOW, RUNS (0)) } },
  { "fewer slots for a user",
    "rPr",
    0,
    4,
    1,
    { JOB (1, 1, LOW, RUNS (0)), JOB (2, 1, LOW, RUNS (0)), JOB (3, 2, LOW, RUNS (0)) } },
  { "one leaves anyhow",
    "rrr",
    0,
    2,
    2,
    { JOB (1, 1, LOW, RUNS (0)), JOB (2, 2, LOW, RUNS (0), .stopping = TRUE),
      JOB (3, 3, LOW, RUNS (0)) } },
  { "what cannot be resumed stays, the others make up for it",
    "Poo",
    0,
    1,
    2,
    { JOB (1, 1, LOW, RUNS (0)), JOB (2, 2, LOW, HOLDS (0)), JOB (3, 3, LOW, HOLDS (0)) } },
};

static void
check_cases (const Case *cases, gsize n_cases)
{
  for (gsize i = 0; i < n_cases; i++)
    {
      const TfdPlanLimits limits = { cases[i].background_jobs, cases[i].per_user, SLICE };
      gint64 next;
      g_autofree char *decisions =
          decide (cases[i].jobs, strlen (cases[i].expected), &limits, &next);

      g_test_message ("%s", cases[i].name);
      g_assert_cmpstr (decisions, ==, cases[i].expected);
      g_assert_cmpint (next, ==, cases[i].next);
    }
}

#define TEST_CASES(table)                                                                          \
  static void test_##table (void) { check_cases (table, G_N_ELEMENTS (table)); }
TEST_CASES (starting)
TEST_CASES (fair)
TEST_CASES (levels)
TEST_CASES (slices)
TEST_CASES (limits_changed)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/plan/starting", test_starting);
  g_test_add_func ("/plan/fair", test_fair);
  g_test_add_func ("/plan/levels", test_levels);
  g_test_add_func ("/plan/slices", test_slices);
  g_test_add_func ("/plan/limits-changed", test_limits_changed);
  add_random_tests ();
  add_simulations ();
  return g_test_run ();
}
