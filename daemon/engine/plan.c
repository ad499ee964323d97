/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Plan: decides which jobs run now. Pure: no I/O, no clock, no signals. */
#include "config.h"

#include "engine/plan.h"

G_DEFINE_ENUM_TYPE (TfdWait,
                    tfd_wait,
                    G_DEFINE_ENUM_VALUE (TFD_WAIT_NONE, "none"),
                    G_DEFINE_ENUM_VALUE (TFD_WAIT_SLOT, "slot"),
                    G_DEFINE_ENUM_VALUE (TFD_WAIT_HIGHER_PRIORITY, "higher-priority"),
                    G_DEFINE_ENUM_VALUE (TFD_WAIT_RETRY_DELAY, "retry-delay"),
                    G_DEFINE_ENUM_VALUE (TFD_WAIT_WORKER_STARTING, "worker-starting"),
                    G_DEFINE_ENUM_VALUE (TFD_WAIT_WORKER_STUCK, "worker-stuck"),
                    G_DEFINE_ENUM_VALUE (TFD_WAIT_OWNER, "owner"))

/* One user's share of the background. */
typedef struct
{
  guint slots;      /* taken, given in this plan, or promised */
  guint staying;    /* of those taken, without the jobs that leave */
  gint64 served;    /* when a job of it last gave up a slot */
  TfdPlanJob *next; /* its candidates of the present level, best first: consecutive in the array */
  TfdPlanJob *end;
} User;

typedef struct
{
  const TfdPlanLimits *limits;
  gint64 now;
  gint64 next;         /* moment */
  guint slots;         /* of all users */
  GHashTable *users;   /* (owned) uid -> (owned) User */
  GPtrArray *of_level; /* (owned) of User: those that have jobs of the level that is planned */
} Planning;

/* Foreground first, then high, normal, low. */
static int
level_of (const TfdPlanJob *job)
{
  static const int levels[] = {
    [TFD_PRIORITY_FOREGROUND] = 0,
    [TFD_PRIORITY_HIGH] = 1,
    [TFD_PRIORITY_NORMAL] = 2,
    [TFD_PRIORITY_LOW] = 3,
  };

  return levels[job->priority];
}

#define COMPARE(a, b) (((a) > (b)) - ((a) < (b)))

/* By level, then user, then who waits longest for a turn. */
static int
compare_jobs (gconstpointer a, gconstpointer b)
{
  const TfdPlanJob *x = a, *y = b;
  int by;

  by = COMPARE (level_of (x), level_of (y));
  if (by == 0)
    by = COMPARE (x->uid, y->uid);
  if (by == 0)
    by = COMPARE (x->last_served, y->last_served);
  return by != 0 ? by : COMPARE (x->order, y->order);
}

static User *
user_of (Planning *planning, guint32 uid)
{
  User *user = g_hash_table_lookup (planning->users, GUINT_TO_POINTER (uid));

  if (user == NULL)
    {
      user = g_new0 (User, 1);
      g_hash_table_insert (planning->users, GUINT_TO_POINTER (uid), user);
    }
  return user;
}

static void
note_moment (Planning *planning, gint64 moment)
{
  if (moment > planning->now && (planning->next == 0 || moment < planning->next))
    planning->next = moment;
}

/* What keeps @job from running whatever the others do. */
static TfdWait
own_obstacle (Planning *planning, const TfdPlanJob *job)
{
  if (job->blocked)
    return job->blocked_why != TFD_WAIT_NONE ? job->blocked_why : TFD_WAIT_WORKER_STUCK;
  if (job->not_before <= planning->now)
    return TFD_WAIT_NONE;
  note_moment (planning, job->not_before);
  return job->not_before_why;
}

static gboolean
is_background (const TfdPlanJob *job)
{
  return job->priority != TFD_PRIORITY_FOREGROUND;
}

/* Waits only for the others. */
static gboolean
is_candidate (const TfdPlanJob *job)
{
  return !job->running && !job->start && job->wait == TFD_WAIT_NONE;
}

static gboolean
is_leaving (const TfdPlanJob *job)
{
  return job->running && (job->stopping || job->stop != TFD_STOP_NO);
}

static void
take_slot (Planning *planning, User *user)
{
  user->slots++;
  planning->slots++;
}

static void
give_back_slot (Planning *planning, User *user)
{
  user->slots--;
  planning->slots--;
  user->served = planning->now + 1; /* behind all those that gave one up before this plan */
}

/* Foreground jobs start, the rest is judged by itself; slots that are taken are counted. */
static void
judge_each (Planning *planning, TfdPlanJob *jobs, gsize n_jobs)
{
  User *user = NULL;

  for (gsize i = 0; i < n_jobs; i++)
    {
      TfdPlanJob *job = &jobs[i];

      job->start = FALSE;
      job->stop = TFD_STOP_NO;
      job->overdue = FALSE;
      job->wait = job->running ? TFD_WAIT_NONE : own_obstacle (planning, job);
      if (!is_background (job))
        {
          job->start = is_candidate (job);
          continue;
        }
      if (user == NULL || job->uid != jobs[i - 1].uid)
        user = user_of (planning, job->uid);
      user->served = MAX (user->served, job->user_served);
      if (job->running)
        take_slot (planning, user);
    }
}

/* Has a job that runs leave its slot for @reason, when that costs nothing. */
static gboolean
stop (TfdPlanJob *job, TfdStop reason)
{
  if (job->resumable)
    job->stop = reason;
  else
    job->overdue = TRUE;
  return job->resumable;
}

/* More run than may: the last in the order of the levels yield. */
static void
enforce_limits (Planning *planning, TfdPlanJob *jobs, gsize n_jobs)
{
  guint staying = planning->slots;

  for (gsize i = 0; i < n_jobs; i++)
    if (jobs[i].running)
      {
        user_of (planning, jobs[i].uid)->staying += !is_leaving (&jobs[i]);
        staying -= is_leaving (&jobs[i]);
      }
  for (gsize i = n_jobs; i > 0; i--)
    {
      TfdPlanJob *job = &jobs[i - 1];
      User *user;

      if (!job->running || is_leaving (job))
        continue;
      user = user_of (planning, job->uid);
      if ((staying > planning->limits->background_jobs ||
           user->staying > planning->limits->background_jobs_per_user) &&
          stop (job, TFD_STOP_PREEMPTED))
        {
          user->staying--;
          staying--;
        }
    }
}

static gboolean
may_have_slot (Planning *planning, const User *user)
{
  return planning->slots < planning->limits->background_jobs &&
         user->slots < planning->limits->background_jobs_per_user;
}

/* The user whose turn it is, or NULL when nobody of the level may have a slot. */
static User *
whose_turn (Planning *planning)
{
  User *best = NULL;

  for (guint i = 0; i < planning->of_level->len; i++)
    {
      User *user = planning->of_level->pdata[i];

      while (user->next < user->end && !is_candidate (user->next))
        user->next++;
      if (user->next == user->end || !may_have_slot (planning, user))
        continue;
      if (best == NULL || user->slots < best->slots ||
          (user->slots == best->slots && user->served < best->served))
        best = user;
    }
  return best;
}

/* The jobs of a level are consecutive, those of a user within it as well. */
static void
find_users_of_level (Planning *planning, TfdPlanJob *jobs, gsize n_jobs)
{
  User *user = NULL;

  g_ptr_array_set_size (planning->of_level, 0);
  for (gsize i = 0; i < n_jobs; i++)
    {
      if (i == 0 || jobs[i].uid != jobs[i - 1].uid)
        {
          user = user_of (planning, jobs[i].uid);
          user->next = &jobs[i];
          g_ptr_array_add (planning->of_level, user);
        }
      user->end = &jobs[i] + 1;
    }
}

static void
give_slots (Planning *planning)
{
  for (User *user = whose_turn (planning); user != NULL; user = whose_turn (planning))
    {
      user->next->start = TRUE;
      take_slot (planning, user);
    }
}

/* Whoever is first in line will have the slot that was just given back; nobody counts on it twice.
 * FALSE = it stays free. */
static gboolean
promise_slot (Planning *planning)
{
  User *user = whose_turn (planning);

  if (user == NULL)
    return FALSE;
  user->next++;
  take_slot (planning, user);
  return TRUE;
}

/* Slots that become free anyhow. */
static void
promise_leaving (Planning *planning, const TfdPlanJob *jobs, gsize n_jobs)
{
  guint leaving = 0;

  for (gsize i = 0; i < n_jobs; i++)
    if (is_leaving (&jobs[i]))
      {
        give_back_slot (planning, user_of (planning, jobs[i].uid));
        leaving++;
      }
  while (leaving-- > 0 && promise_slot (planning))
    continue;
}

/* If @job stopped, would somebody else go on? It would be the last of its user to have a turn, and
 * its user the last of those with as many slots. */
static gboolean
is_wanted (Planning *planning, const User *its_user)
{
  const User *first = whose_turn (planning);

  return first != NULL && (first == its_user || first->slots <= its_user->slots);
}

static int
compare_victims (gconstpointer a, gconstpointer b, gpointer data)
{
  const TfdPlanJob *x = *(const TfdPlanJob *const *) a, *y = *(const TfdPlanJob *const *) b;
  Planning *planning = data;
  int by = COMPARE (user_of (planning, y->uid)->slots, user_of (planning, x->uid)->slots);

  if (by == 0)
    by = COMPARE (x->slice_start, y->slice_start);
  return by != 0 ? by : COMPARE (x->order, y->order);
}

/* Those that could make room for others, first who has had most: the user with most slots, then the
 * longest slice. */
static GPtrArray *
find_victims (Planning *planning, TfdPlanJob *jobs, gsize n_jobs)
{
  GPtrArray *victims = g_ptr_array_new ();

  for (gsize i = 0; i < n_jobs; i++)
    if (jobs[i].running && !is_leaving (&jobs[i]))
      g_ptr_array_add (victims, &jobs[i]);
  g_ptr_array_sort_with_data (victims, compare_victims, planning);
  return victims;
}

/* Jobs whose slice is over make room for others. */
static void
end_slices (Planning *planning, TfdPlanJob *jobs, gsize n_jobs)
{
  g_autoptr (GPtrArray) victims = find_victims (planning, jobs, n_jobs);

  for (guint i = 0; i < victims->len; i++)
    {
      TfdPlanJob *job = victims->pdata[i];
      User *user = user_of (planning, job->uid);
      gint64 over = job->slice_start + planning->limits->slice;
      gint64 served = user->served;

      give_back_slot (planning, user);
      if (is_wanted (planning, user))
        {
          if (over > planning->now)
            note_moment (planning, over);
          else if (stop (job, TFD_STOP_SLICE_OVER))
            {
              promise_slot (planning);
              continue;
            }
        }
      take_slot (planning, user);
      user->served = served;
    }
}

static void
wait_for (TfdPlanJob *jobs, gsize n_jobs, TfdWait wait)
{
  for (gsize i = 0; i < n_jobs; i++)
    if (is_candidate (&jobs[i]))
      jobs[i].wait = wait;
}

static void
preempt (TfdPlanJob *jobs, gsize n_jobs)
{
  for (gsize i = 0; i < n_jobs; i++)
    if (jobs[i].running && !is_leaving (&jobs[i]))
      stop (&jobs[i], TFD_STOP_PREEMPTED);
}

static gboolean
is_busy (const TfdPlanJob *jobs, gsize n_jobs)
{
  for (gsize i = 0; i < n_jobs; i++)
    if (jobs[i].running || is_candidate (&jobs[i]))
      return TRUE;
  return FALSE;
}

/* The jobs of the highest background level that has something to run share the slots, all of the
 * lower ones wait. */
static void
plan_background (Planning *planning, TfdPlanJob *jobs, gsize n_jobs)
{
  gsize end = 0;

  for (gsize first = 0; first < n_jobs; first = end)
    {
      for (end = first; end < n_jobs && level_of (&jobs[end]) == level_of (&jobs[first]); end++)
        continue;
      if (!is_busy (jobs + first, end - first))
        continue;

      find_users_of_level (planning, jobs + first, end - first);
      give_slots (planning);
      preempt (jobs + end, n_jobs - end);
      wait_for (jobs + end, n_jobs - end, TFD_WAIT_HIGHER_PRIORITY);
      promise_leaving (planning, jobs, n_jobs);
      end_slices (planning, jobs + first, end - first);
      wait_for (jobs + first, end - first, TFD_WAIT_SLOT);
      return;
    }
}

gint64
tfd_plan_compute (TfdPlanJob *jobs, gsize n_jobs, const TfdPlanLimits *limits, gint64 now)
{
  g_autoptr (GHashTable) users = g_hash_table_new_full (NULL, NULL, NULL, g_free);
  g_autoptr (GPtrArray) of_level = g_ptr_array_new ();
  Planning planning = { .limits = limits, .now = now, .users = users, .of_level = of_level };
  gsize foreground = 0;

  if (n_jobs == 0)
    return 0;
  qsort (jobs, n_jobs, sizeof *jobs, compare_jobs);
  judge_each (&planning, jobs, n_jobs);
  while (foreground < n_jobs && !is_background (&jobs[foreground]))
    foreground++;
  enforce_limits (&planning, jobs + foreground, n_jobs - foreground);
  plan_background (&planning, jobs + foreground, n_jobs - foreground);
  return planning.next;
}
