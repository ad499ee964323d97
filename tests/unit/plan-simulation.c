/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Tests of the plan: queues that live on its decisions for hours of a time of their own. */
#include "plan-tests.h"

#define MAX_JOBS 60
#define MAX_WORK 900   /* seconds of running that a job needs */
#define STOP_LATENCY 4 /* seconds at most until a job has left its worker */
#define ROUNDS 300

typedef struct
{
  TfdPlanJob plan; /* what the plan is shown */
  gint64 arrives;
  gint64 work, done;
  gint64 leaves; /* stopping: when it will have stopped */
  gboolean over;
  guint others; /* slots that others of its level were given while it waited for one */
} Job;

typedef struct
{
  Job jobs[MAX_JOBS];
  gsize n, left;
  gint64 now;
  gint64 user_served[8];
  guint users;
  TfdPlanLimits limits;
  gboolean turbulent; /* priorities and limits change all the time */
} World;

static gint64
any (gint64 from, gint64 to)
{
  return g_test_rand_int_range ((gint32) from, (gint32) to + 1);
}

static TfdPriority
any_priority (void)
{
  static const TfdPriority priorities[] = { FOREGROUND, HIGH, NORMAL, NORMAL, NORMAL, LOW };

  return priorities[any (0, G_N_ELEMENTS (priorities) - 1)];
}

static void
make_world (World *world, gboolean turbulent)
{
  *world = (World){ .n = (gsize) any (1, MAX_JOBS), .users = (guint) any (1, 6) };
  world->turbulent = turbulent;
  world->left = world->n;
  world->limits = (TfdPlanLimits){ (guint) any (1, 5), (guint) any (1, 4), SLICE };
  for (gsize i = 0; i < world->n; i++)
    world->jobs[i] = (Job){
      .plan = { .order = i,
                /* the first user has most of the jobs */
                .uid = any (0, 1) ? 0 : (guint32) any (0, world->users - 1),
                .priority = any_priority (),
                .resumable = any (0, 3) > 0,
                .job = &world->jobs[i] },
      .arrives = any (0, 1) ? 0 : any (0, 3600),
      .work = any (0, 2) ? any (1, MAX_WORK) : any (1, 20),
    };
}

static gboolean
is_there (const World *world, const Job *job)
{
  return !job->over && job->arrives <= world->now;
}

static void
leave_slot (World *world, Job *job)
{
  job->plan.running = job->plan.stopping = FALSE;
  job->plan.last_served = world->now;
  if (is_background (&job->plan))
    world->user_served[job->plan.uid] = world->now;
}

/* Lets what is due happen. */
static void
live (World *world)
{
  for (gsize i = 0; i < world->n; i++)
    {
      Job *job = &world->jobs[i];

      if (job->arrives == world->now)
        job->plan.last_served = world->now;
      if (!job->plan.running)
        continue;
      if (job->done + world->now - job->plan.slice_start >= job->work)
        {
          leave_slot (world, job);
          job->over = TRUE;
          world->left--;
        }
      else if (job->plan.stopping && job->leaves <= world->now)
        {
          job->done = job->plan.resumable ? job->done + world->now - job->plan.slice_start : 0;
          leave_slot (world, job);
        }
    }
}

static void
disturb (World *world)
{
  Job *job = &world->jobs[any (0, (gint64) world->n - 1)];

  if (any (0, 9) == 0)
    job->plan.priority = any_priority ();
  if (any (0, 19) == 0)
    world->limits.background_jobs = (guint) any (1, 5);
}

static void
carry_out (World *world, const TfdPlanJob *planned)
{
  Job *job = planned->job;

  if (planned->start)
    {
      g_assert_true (is_there (world, job));
      job->plan.running = TRUE;
      job->plan.slice_start = world->now;
      job->others = 0;
    }
  if (planned->stop != TFD_STOP_NO)
    {
      g_assert_true (planned->resumable);
      job->plan.stopping = TRUE;
      job->leaves = world->now + any (0, STOP_LATENCY);
    }
}

/* A job has its turn before each user has had as many as this user has jobs that wait. */
static void
check_turns (World *world, const TfdPlanJob *planned, gsize n)
{
  guint jobs_of[8] = { 0 };
  guint most = 0;

  for (gsize i = 0; i < world->n; i++)
    most = MAX (most, ++jobs_of[world->jobs[i].plan.uid]);
  for (gsize i = 0; i < n; i++)
    {
      Job *job = planned[i].job;

      if (planned[i].wait != TFD_WAIT_SLOT)
        continue;
      for (gsize k = 0; k < n; k++)
        job->others += planned[k].start && level_of (&planned[k]) == level_of (&planned[i]);
      g_assert_cmpuint (job->others, <=, world->users * most + world->limits.background_jobs);
    }
}

static void
check_slots (const World *world, const TfdPlanJob *planned, gsize n)
{
  guint slots = 0, of_user[8] = { 0 };

  for (gsize i = 0; i < n; i++)
    {
      if (!is_background (&planned[i]) && !planned[i].running)
        g_assert_true (planned[i].start);
      if (!is_background (&planned[i]) || !(planned[i].running || planned[i].start))
        continue;
      slots++;
      of_user[planned[i].uid]++;
    }
  g_assert_cmpuint (slots, <=, world->limits.background_jobs);
  for (guint uid = 0; uid < world->users; uid++)
    g_assert_cmpuint (of_user[uid], <=, world->limits.background_jobs_per_user);
}

static gsize
snapshot (const World *world, TfdPlanJob *jobs)
{
  gsize n = 0;

  for (gsize i = 0; i < world->n; i++)
    if (is_there (world, &world->jobs[i]))
      {
        jobs[n] = world->jobs[i].plan;
        jobs[n++].user_served = world->user_served[world->jobs[i].plan.uid];
      }
  return n;
}

static void
check_settled (const World *world)
{
  TfdPlanJob jobs[MAX_JOBS];
  gsize n = snapshot (world, jobs);

  tfd_plan_compute (jobs, n, &world->limits, world->now);
  for (gsize i = 0; i < n; i++)
    g_assert_true (!jobs[i].start && jobs[i].stop == TFD_STOP_NO);
}

/* Plans once, does what the plan says; when it has to be planned again. */
static gint64
plan (World *world)
{
  TfdPlanJob jobs[MAX_JOBS];
  gsize n = snapshot (world, jobs);
  gint64 next = tfd_plan_compute (jobs, n, &world->limits, world->now);

  if (!world->turbulent)
    {
      check_slots (world, jobs, n);
      check_turns (world, jobs, n);
    }
  for (gsize i = 0; i < n; i++)
    carry_out (world, &jobs[i]);
  check_settled (world);

  for (gsize i = 0; i < world->n; i++)
    {
      const Job *job = &world->jobs[i];
      gint64 due = 0;

      if (job->over)
        continue;
      if (job->arrives > world->now)
        due = job->arrives;
      else if (job->plan.running)
        due = job->plan.slice_start + job->work - job->done;
      if (job->plan.running && job->plan.stopping)
        due = MIN (due, job->leaves);
      if (due != 0 && (next == 0 || due < next))
        next = due;
    }
  return next;
}

static void
simulate (gboolean turbulent)
{
  for (guint round = 0; round < ROUNDS; round++)
    {
      World world;
      guint turns = 0;

      make_world (&world, turbulent);
      while (world.left > 0)
        {
          gint64 next;

          live (&world);
          if (world.left == 0)
            break;
          if (turbulent)
            disturb (&world);
          next = plan (&world);
          g_assert_cmpint (next, >=, world.now);
          g_assert_cmpuint (turns++, <, 100000);
          world.now = next;
        }
      /* never idle while there is work: all of it one after the other is the longest it may take */
      g_assert_cmpint (world.now, <=,
                       3600 +
                           (gint64) world.n * (MAX_WORK + (MAX_WORK / SLICE + 2) * STOP_LATENCY));
    }
}

static void
test_queue (void)
{
  simulate (FALSE);
}

static void
test_turbulent (void)
{
  simulate (TRUE);
}

/* A user with a thousand jobs that take a moment each, and one job of somebody else. */
static void
test_crowd (void)
{
  const TfdPlanLimits limits = { 1, 1, SLICE };
  TfdPlanJob jobs[2] = {
    { .order = 1, .uid = 1, .priority = NORMAL, .resumable = TRUE },
    { .order = 2, .uid = 2, .priority = NORMAL, .resumable = TRUE },
  };
  gint64 served[3] = { 0 };
  guint turns = 0;

  for (gint64 now = 1; now <= 1000; now++)
    {
      guint32 turn;

      for (guint i = 0; i < 2; i++)
        jobs[i].user_served = served[jobs[i].uid];
      tfd_plan_compute (jobs, 2, &limits, now);
      turn = jobs[0].start ? jobs[0].uid : jobs[1].uid;
      served[turn] = now;
      /* each ends at once; another of the same user comes in its place */
      for (guint i = 0; i < 2; i++)
        if (jobs[i].uid == turn && turn == 1)
          jobs[i].order += 10;
        else if (jobs[i].uid == turn)
          jobs[i].last_served = now;
      turns += turn == 2;
    }
  g_assert_cmpuint (turns, ==, 500);
}

void
add_simulations (void)
{
  g_test_add_func ("/plan/simulation/queue", test_queue);
  g_test_add_func ("/plan/simulation/turbulent", test_turbulent);
  g_test_add_func ("/plan/simulation/crowd", test_crowd);
}
