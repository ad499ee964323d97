/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Tests of the plan: what must be true of thousands of random queues. The test program prints the
 * seed of these, and repeats them with --seed. */
#include "plan-tests.h"

#define NOW 1000
#define MAX_JOBS 24
#define USERS 4
#define ROUNDS 5000

typedef struct
{
  TfdPlanJob jobs[MAX_JOBS];
  gsize n;
  TfdPlanLimits limits;
  gint64 next;
} Queue;

static gboolean
one_in (int n)
{
  return g_test_rand_int_range (0, n) == 0;
}

static TfdPlanJob
make_job (gsize i)
{
  return (TfdPlanJob){
    .order = i * 2 + 1,
    .uid = (guint32) g_test_rand_int_range (0, USERS),
    .priority = (TfdPriority) g_test_rand_int_range (0, 4),
    .running = one_in (3),
    .resumable = !one_in (4),
    .slice_start = g_test_rand_int_range (NOW - 2 * SLICE, NOW + 1),
    .last_served = one_in (3) ? 0 : g_test_rand_int_range (NOW - 3 * SLICE, NOW + 1),
    .not_before = one_in (5) ? g_test_rand_int_range (NOW - 5, NOW + 6) : 0,
    .not_before_why = g_test_rand_bit () ? TFD_WAIT_RETRY_DELAY : TFD_WAIT_WORKER_STARTING,
    .blocked = one_in (8),
    .blocked_why = g_test_rand_bit () ? TFD_WAIT_OWNER : TFD_WAIT_NONE,
    .job = GSIZE_TO_POINTER (i),
  };
}

/* Half of the queues have one level only, so that slices matter. */
static void
make_queue (Queue *queue)
{
  gint64 user_served[USERS];
  gboolean one_level = g_test_rand_bit ();

  queue->n = (gsize) g_test_rand_int_range (0, MAX_JOBS + 1);
  queue->limits = (TfdPlanLimits){ (guint) g_test_rand_int_range (0, 8),
                                   (guint) g_test_rand_int_range (0, 5), SLICE };
  for (guint uid = 0; uid < USERS; uid++)
    user_served[uid] = one_in (3) ? 0 : g_test_rand_int_range (NOW - 3 * SLICE, NOW + 1);
  for (gsize i = 0; i < queue->n; i++)
    {
      TfdPlanJob *job = &queue->jobs[i];

      *job = make_job (i);
      job->stopping = job->running && one_in (4);
      job->user_served = user_served[job->uid];
      if (one_level && is_background (job))
        job->priority = NORMAL;
    }
}

static void
compute (Queue *queue, gint64 now)
{
  queue->next = tfd_plan_compute (queue->jobs, queue->n, &queue->limits, now);
}

static void
shuffle (Queue *queue)
{
  for (gsize i = queue->n; i > 1; i--)
    {
      gsize other = (gsize) g_test_rand_int_range (0, (gint32) i);
      TfdPlanJob kept = queue->jobs[i - 1];

      queue->jobs[i - 1] = queue->jobs[other];
      queue->jobs[other] = kept;
    }
}

/* ---- counting ---- */

typedef gboolean (*Is) (const TfdPlanJob *job);

static gboolean
ran (const TfdPlanJob *job)
{
  return job->running;
}

static gboolean
has_slot (const TfdPlanJob *job)
{
  return job->running || job->start;
}

static gboolean
is_leaving (const TfdPlanJob *job)
{
  return job->running && !is_staying (job);
}

static gboolean
waits_for_slot (const TfdPlanJob *job)
{
  return job->wait == TFD_WAIT_SLOT;
}

static gboolean
slice_ends (const TfdPlanJob *job)
{
  return job->stop == TFD_STOP_SLICE_OVER;
}

#define ALL G_MAXUINT32

static guint
count (const Queue *queue, guint32 uid, Is is)
{
  guint n = 0;

  for (gsize i = 0; i < queue->n; i++)
    n += is_background (&queue->jobs[i]) && (uid == ALL || queue->jobs[i].uid == uid) &&
         is (&queue->jobs[i]);
  return n;
}

static gboolean
could_run (const TfdPlanJob *job)
{
  return job->running || (!job->blocked && job->not_before <= NOW);
}

/* A job of a higher background level runs or could. */
static gboolean
is_outranked (const Queue *queue, const TfdPlanJob *job)
{
  for (gsize i = 0; i < queue->n; i++)
    if (is_background (&queue->jobs[i]) && level_of (&queue->jobs[i]) < level_of (job) &&
        could_run (&queue->jobs[i]))
      return TRUE;
  return FALSE;
}

/* ---- invariants ---- */

static void
check_running (const Queue *queue, const TfdPlanJob *job)
{
  g_assert_false (job->start);
  g_assert_cmpint (job->wait, ==, TFD_WAIT_NONE);
  if (job->stopping || !job->resumable || !is_background (job))
    g_assert_cmpint (job->stop, ==, TFD_STOP_NO);
  if (job->stopping || job->resumable || !is_background (job))
    g_assert_false (job->overdue);
  if (job->stop == TFD_STOP_SLICE_OVER)
    {
      g_assert_cmpint (job->slice_start + SLICE, <=, NOW);
      g_assert_false (is_outranked (queue, job));
    }
  if (is_background (job) && is_staying (job) && is_outranked (queue, job))
    g_assert_true (job->overdue);
}

static void
check_waiting (const Queue *queue, const TfdPlanJob *job)
{
  gboolean full = count (queue, ALL, has_slot) >= queue->limits.background_jobs ||
                  count (queue, job->uid, has_slot) >= queue->limits.background_jobs_per_user;

  g_assert_cmpint (job->stop, ==, TFD_STOP_NO);
  g_assert_false (job->overdue);
  g_assert_true (job->start == (job->wait == TFD_WAIT_NONE));
  if (job->blocked)
    g_assert_cmpint (job->wait, ==,
                     job->blocked_why != TFD_WAIT_NONE ? job->blocked_why : TFD_WAIT_WORKER_STUCK);
  else if (job->not_before > NOW)
    g_assert_cmpint (job->wait, ==, job->not_before_why);
  else if (!is_background (job))
    g_assert_true (job->start);
  else if (is_outranked (queue, job))
    g_assert_cmpint (job->wait, ==, TFD_WAIT_HIGHER_PRIORITY);
  else if (!job->start)
    {
      g_assert_cmpint (job->wait, ==, TFD_WAIT_SLOT);
      g_assert_true (full);
    }
}

/* Nothing starts beyond the limits, and what is beyond them stays only if it cannot be resumed. */
static void
check_limit (const Queue *queue, guint32 uid, guint limit)
{
  g_assert_cmpuint (count (queue, uid, has_slot), <=, MAX (limit, count (queue, uid, ran)));
  if (count (queue, uid, is_staying) <= limit)
    return;
  for (gsize i = 0; i < queue->n; i++)
    if (is_background (&queue->jobs[i]) && (uid == ALL || queue->jobs[i].uid == uid) &&
        is_staying (&queue->jobs[i]))
      g_assert_false (queue->jobs[i].resumable);
}

/* Sorted by level, user and turn; a later turn never comes first. */
static void
check_order (const Queue *queue)
{
  for (gsize i = 1; i < queue->n; i++)
    {
      const TfdPlanJob *a = &queue->jobs[i - 1], *b = &queue->jobs[i];

      g_assert_cmpint (level_of (a), <=, level_of (b));
      if (level_of (a) != level_of (b) || a->uid != b->uid)
        continue;
      g_assert_true (a->last_served < b->last_served ||
                     (a->last_served == b->last_served && a->order < b->order));
      if (b->start)
        g_assert_cmpint (a->wait, !=, TFD_WAIT_SLOT);
    }
}

/* Whoever waits for a slot that somebody has had for too long will get one. */
static void
check_no_envy (const Queue *queue)
{
  g_assert_cmpuint (count (queue, ALL, slice_ends), <=, count (queue, ALL, waits_for_slot));
  if (count (queue, ALL, is_leaving) > 0)
    return;
  for (gsize i = 0; i < queue->n; i++)
    for (gsize k = 0; k < queue->n; k++)
      {
        const TfdPlanJob *waits = &queue->jobs[i], *has = &queue->jobs[k];

        if (waits->wait != TFD_WAIT_SLOT || level_of (waits) != level_of (has) ||
            !is_staying (has) || !has->resumable || has->slice_start + SLICE > NOW ||
            queue->limits.background_jobs == 0 || queue->limits.background_jobs_per_user == 0 ||
            count (queue, ALL, has_slot) > queue->limits.background_jobs ||
            count (queue, waits->uid, has_slot) > queue->limits.background_jobs_per_user)
          continue;
        g_assert_cmpuint (waits->uid, !=, has->uid);
        g_assert_true (count (queue, waits->uid, has_slot) >= count (queue, has->uid, has_slot) ||
                       count (queue, waits->uid, has_slot) ==
                           queue->limits.background_jobs_per_user);
      }
}

static void
check_queue (const Queue *queue)
{
  for (gsize i = 0; i < queue->n; i++)
    if (queue->jobs[i].running)
      check_running (queue, &queue->jobs[i]);
    else
      check_waiting (queue, &queue->jobs[i]);
  check_limit (queue, ALL, queue->limits.background_jobs);
  for (guint32 uid = 0; uid < USERS; uid++)
    check_limit (queue, uid, queue->limits.background_jobs_per_user);
  check_order (queue);
  check_no_envy (queue);
}

static void
test_invariants (void)
{
  for (guint round = 0; round < ROUNDS; round++)
    {
      Queue queue;

      make_queue (&queue);
      compute (&queue, NOW);
      check_queue (&queue);
    }
}

static void
assert_same (const Queue *a, const Queue *b)
{
  for (gsize i = 0; i < a->n; i++)
    {
      g_assert_true (a->jobs[i].job == b->jobs[i].job);
      g_assert_true (a->jobs[i].start == b->jobs[i].start);
      g_assert_cmpint (a->jobs[i].stop, ==, b->jobs[i].stop);
      g_assert_true (a->jobs[i].overdue == b->jobs[i].overdue);
      g_assert_cmpint (a->jobs[i].wait, ==, b->jobs[i].wait);
    }
}

/* The order in which the jobs are given makes no difference, nor what was decided before. */
static void
test_deterministic (void)
{
  for (guint round = 0; round < ROUNDS; round++)
    {
      Queue queue, again;

      make_queue (&queue);
      again = queue;
      shuffle (&again);
      for (gsize i = 0; i < again.n; i++)
        {
          again.jobs[i].start = TRUE;
          again.jobs[i].stop = TFD_STOP_PREEMPTED;
          again.jobs[i].overdue = TRUE;
          again.jobs[i].wait = TFD_WAIT_SLOT;
        }
      compute (&queue, NOW);
      compute (&again, NOW);
      g_assert_cmpint (queue.next, ==, again.next);
      assert_same (&queue, &again);
    }
}

/* What was started runs, what was stopped is on its way: then nothing more is to be done. */
static void
test_stable (void)
{
  for (guint round = 0; round < ROUNDS; round++)
    {
      Queue queue;

      make_queue (&queue);
      compute (&queue, NOW);
      for (gsize i = 0; i < queue.n; i++)
        {
          TfdPlanJob *job = &queue.jobs[i];

          if (job->start)
            job->slice_start = NOW;
          job->running |= job->start;
          job->stopping |= job->stop != TFD_STOP_NO;
        }
      compute (&queue, NOW);
      for (gsize i = 0; i < queue.n; i++)
        {
          g_assert_false (queue.jobs[i].start);
          g_assert_cmpint (queue.jobs[i].stop, ==, TFD_STOP_NO);
        }
    }
}

/* Until the moment that the plan names, time alone changes nothing; at that moment it may. */
static void
test_next_moment (void)
{
  for (guint round = 0; round < ROUNDS; round++)
    {
      Queue queue, later;

      make_queue (&queue);
      later = queue;
      compute (&queue, NOW);
      g_assert_true (queue.next == 0 || queue.next > NOW);
      compute (&later, queue.next == 0 ? NOW + 1000 * SLICE : queue.next - 1);
      assert_same (&queue, &later);
    }
}

static void
test_many (void)
{
  const TfdPlanLimits limits = { 4, 2, SLICE };
  gsize n_jobs = 100000;
  g_autofree TfdPlanJob *jobs = g_new0 (TfdPlanJob, n_jobs);
  guint started = 0;

  for (gsize i = 0; i < n_jobs; i++)
    jobs[i] = (TfdPlanJob){ .order = n_jobs - i, .uid = (guint32) (i % 1000), .priority = NORMAL };
  tfd_plan_compute (jobs, n_jobs, &limits, NOW);
  for (gsize i = 0; i < n_jobs; i++)
    started += jobs[i].start;
  g_assert_cmpuint (started, ==, limits.background_jobs);
  g_assert_true (jobs[0].start);
}

void
add_random_tests (void)
{
  g_test_add_func ("/plan/random/invariants", test_invariants);
  g_test_add_func ("/plan/random/deterministic", test_deterministic);
  g_test_add_func ("/plan/random/stable", test_stable);
  g_test_add_func ("/plan/random/next-moment", test_next_moment);
  g_test_add_func ("/plan/many", test_many);
}
