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
  guint slots;     /* taken, or given in this plan */
  gint64 served;   /* when a job of it last had a slot */
  TfdPlanJob *next; /* its candidates of the present level, best first: consecutive in the array */
  TfdPlanJob *end;
} User;

typedef struct
{
  const TfdPlanLimits *limits;
  gint64 now;
  gint64 next;          /* moment */
  guint slots;          /* of all users */
  GHashTable *users;    /* (owned) uid -> (owned) User */
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

/* Waits only for the others. */
static gboolean
is_candidate (const TfdPlanJob *job)
{
  return !job->running && !job->start && job->wait == TFD_WAIT_NONE;
}

static gboolean
may_have_slot (Planning *planning, const User *user)
{
  return planning->slots < planning->limits->background_jobs &&
         user->slots < planning->limits->background_jobs_per_user;
}

/* Foreground jobs start, the rest is judged by itself; slots that are taken are counted. */
static void
judge_each (Planning *planning, TfdPlanJob *jobs, gsize n_jobs)
{
  for (gsize i = 0; i < n_jobs; i++)
    {
      TfdPlanJob *job = &jobs[i];
      gboolean background = job->priority != TFD_PRIORITY_FOREGROUND;

      job->start = FALSE;
      job->stop = TFD_STOP_NO;
      job->wait = job->running ? TFD_WAIT_NONE : own_obstacle (planning, job);
      if (!background)
        job->start = !job->running && job->wait == TFD_WAIT_NONE;
      else
        {
          User *user = user_of (planning, job->uid);

          user->served = MAX (user->served, job->running ? planning->now : job->last_served);
          user->slots += job->running;
          planning->slots += job->running;
        }
    }
}

/* The user whose turn it is, or NULL when nobody of the level may have a slot. */
static User *
whose_turn (Planning *planning, GPtrArray *users)
{
  User *best = NULL;

  for (guint i = 0; i < users->len; i++)
    {
      User *user = users->pdata[i];

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
static GPtrArray *
users_of_level (Planning *planning, TfdPlanJob *jobs, gsize n_jobs)
{
  GPtrArray *users = g_ptr_array_new ();
  User *user = NULL;

  for (gsize i = 0; i < n_jobs; i++)
    {
      if (i == 0 || jobs[i].uid != jobs[i - 1].uid)
        {
          user = user_of (planning, jobs[i].uid);
          user->next = &jobs[i];
          g_ptr_array_add (users, user);
        }
      user->end = &jobs[i] + 1;
    }
  return users;
}

static void
give_slots (Planning *planning, GPtrArray *users)
{
  for (User *user = whose_turn (planning, users); user != NULL;
       user = whose_turn (planning, users))
    {
      user->next->start = TRUE;
      user->served = planning->now;
      user->slots++;
      planning->slots++;
    }
}

/* Would somebody who waits get the slot of @job? */
static gboolean
is_wanted (Planning *planning, const TfdPlanJob *job, const TfdPlanJob *jobs, gsize n_jobs)
{
  for (gsize i = 0; i < n_jobs; i++)
    if (is_candidate (&jobs[i]) &&
        (jobs[i].uid == job->uid ||
         user_of (planning, jobs[i].uid)->slots < planning->limits->background_jobs_per_user))
      return TRUE;
  return FALSE;
}

/* Jobs whose slice is over make room, one for each that waits. */
static void
end_slices (Planning *planning, TfdPlanJob *jobs, gsize n_jobs)
{
  guint waiting = 0, leaving = 0;

  for (gsize i = 0; i < n_jobs; i++)
    {
      waiting += is_candidate (&jobs[i]);
      leaving += jobs[i].running && jobs[i].stopping;
    }
  for (gsize i = 0; i < n_jobs && leaving < waiting; i++)
    {
      TfdPlanJob *job = &jobs[i];
      gint64 over = job->slice_start + planning->limits->slice;

      if (!job->running || job->stopping || !job->resumable ||
          !is_wanted (planning, job, jobs, n_jobs))
        continue;
      if (over > planning->now)
        {
          note_moment (planning, over);
          continue;
        }
      job->stop = TFD_STOP_SLICE_OVER;
      leaving++;
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
    if (jobs[i].running && !jobs[i].stopping && jobs[i].resumable)
      jobs[i].stop = TFD_STOP_PREEMPTED;
}

static gboolean
is_busy (const TfdPlanJob *jobs, gsize n_jobs)
{
  for (gsize i = 0; i < n_jobs; i++)
    if (jobs[i].running || is_candidate (&jobs[i]))
      return TRUE;
  return FALSE;
}

gint64
tfd_plan_compute (TfdPlanJob *jobs, gsize n_jobs, const TfdPlanLimits *limits, gint64 now)
{
  g_autoptr (GHashTable) users = g_hash_table_new_full (NULL, NULL, NULL, g_free);
  Planning planning = { .limits = limits, .now = now, .users = users };
  gboolean higher = FALSE; /* a higher background level runs or could run */
  gsize end;

  if (n_jobs > 1)
    qsort (jobs, n_jobs, sizeof *jobs, compare_jobs);
  judge_each (&planning, jobs, n_jobs);

  for (gsize first = 0; first < n_jobs; first = end)
    {
      TfdPlanJob *level = jobs + first;

      for (end = first; end < n_jobs && level_of (&jobs[end]) == level_of (level); end++)
        continue;
      if (level->priority == TFD_PRIORITY_FOREGROUND)
        continue;
      if (higher)
        {
          preempt (level, end - first);
          wait_for (level, end - first, TFD_WAIT_HIGHER_PRIORITY);
        }
      else if (is_busy (level, end - first))
        {
          g_autoptr (GPtrArray) of_level = users_of_level (&planning, level, end - first);

          higher = TRUE;
          give_slots (&planning, of_level);
          end_slices (&planning, level, end - first);
          wait_for (level, end - first, TFD_WAIT_SLOT);
        }
    }
  return planning.next;
}
