/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* World: what the conditions are now, and which jobs they stop or let go on. */
#include "config.h"

#include "common/url.h"
#include "engine/engine-private.h"

/* When the network comes back, jobs that waited for it start within so long of each other … */
#define SPREAD_EACH (TFD_USEC_PER_SEC / 10)
/* … but all of them within this. */
#define SPREAD_ALL (5 * TFD_USEC_PER_SEC)

static void retry_all_over_network (TfdEngine *self);

/* ---- the conditions ---- */

static void
world_changed (TfdEngine *self)
{
  self->waiting_for_network = 0;
  tfd_engine_plan_later (self);
}

/* Where it is kept since when a condition is as it is. */
static gint64 *
since_of (TfdEngine *self, TfdErrorCode code)
{
  switch ((guint) code)
    {
    case TFD_ERROR_NETWORK_DISCONNECTED:
      return &self->since[0];
    case TFD_ERROR_BLOCKED_BY_COST:
      return &self->since[1];
    case TFD_ERROR_BLOCKED_BY_POLICY:
      return &self->since[2];
    case TFD_ERROR_BLOCKED_BY_POWER:
      return &self->since[3];
    case TFD_ERROR_OWNER_NOT_LOGGED_IN:
    default:
      return &self->since[4];
    }
}

static void
note_change (TfdEngine *self, TfdErrorCode code, gboolean changed)
{
  if (changed)
    *since_of (self, code) = tfd_clock_now_real (self->clock);
}

void
tfd_engine_begin_world (TfdEngine *self)
{
  for (guint i = 0; i < TFD_MAX_CONDITIONS; i++)
    if (self->since[i] == 0)
      self->since[i] = tfd_clock_now_real (self->clock);
}

gint64
tfd_engine_condition_since (TfdEngine *self, const TfdJob *job, TfdErrorCode code)
{
  gint64 since = *since_of (self, code);

  if (code == TFD_ERROR_OWNER_GONE)
    return ABS (job->record->gone_since);
  if (code == TFD_ERROR_OWNER_NOT_LOGGED_IN && self->world.log_ons == TFD_LOG_ONS_KNOWN)
    since = MAX (since, tfd_engine_worker_state (self, job->record->owner_uid)->session_since);
  return since;
}

void
tfd_engine_set_network (TfdEngine *self, gboolean online, gboolean metered)
{
  gboolean back = online && !self->world.online && self->network_known;

  self->network_known = TRUE;
  if (self->world.online == online && self->world.metered == metered)
    return;
  if (online && !self->world.online)
    tfd_engine_end_sessions (self, TRUE);
  note_change (self, TFD_ERROR_NETWORK_DISCONNECTED, self->world.online != online);
  note_change (self, TFD_ERROR_BLOCKED_BY_COST, self->world.metered != metered);
  self->world.online = online;
  self->world.metered = metered;
  tfd_engine_tell_network (self);
  world_changed (self);
  if (back)
    retry_all_over_network (self);
}

void
tfd_engine_reconfigure (TfdEngine *self)
{
  GHashTableIter iter;
  TfdJob *job;

  g_hash_table_iter_init (&iter, self->runs);
  while (g_hash_table_iter_next (&iter, NULL, (gpointer *) &job))
    tfd_engine_configure_run (self, job);
  self->inactive_at = 0;
  /* what HistoryTime= says is forgotten; a leftover may be tried once more */
  tfd_engine_try_leftovers (self);
  tfd_engine_plan_later (self);
}

gboolean
tfd_engine_is_online (TfdEngine *self)
{
  return self->world.online;
}

gboolean
tfd_engine_is_metered (TfdEngine *self)
{
  return self->world.metered;
}

void
tfd_engine_set_power (TfdEngine *self, gboolean power_saver, gboolean on_battery)
{
  note_change (self, TFD_ERROR_BLOCKED_BY_POWER,
               self->world.power_saver != power_saver || self->world.on_battery != on_battery);
  self->world.power_saver = power_saver;
  self->world.on_battery = on_battery;
  world_changed (self);
}

void
tfd_engine_set_blocked_hours (TfdEngine *self, gboolean blocked, gint64 until)
{
  note_change (self, TFD_ERROR_BLOCKED_BY_POLICY, self->world.blocked_hours != blocked);
  self->world.blocked_hours = blocked;
  self->blocked_until = blocked ? until : 0;
  world_changed (self);
}

void
tfd_engine_set_log_ons (TfdEngine *self, TfdLogOns log_ons)
{
  note_change (self, TFD_ERROR_OWNER_NOT_LOGGED_IN, self->world.log_ons != log_ons);
  self->world.log_ons = log_ons;
  world_changed (self);
}

void
tfd_engine_set_session (TfdEngine *self, guint32 uid, TfdSession session)
{
  TfdWorkerState *user = tfd_engine_worker_state (self, uid);
  TfdSession before = user->session;

  if (before != session)
    user->session_since = tfd_clock_now_real (self->clock);
  user->session = session;
  /* a home directory may have come with the log-on */
  if (before != TFD_SESSION_ACTIVE && session == TFD_SESSION_ACTIVE)
    tfd_engine_mounts_changed (self);
  world_changed (self);
}

/* ---- what they mean for a job ---- */

/* Nothing is left to fetch from elsewhere. Only asked when it matters: it may read all files. */
static gboolean
is_local (TfdEngine *self, TfdJob *job)
{
  gboolean loaded = job->files != NULL;
  GPtrArray *files;
  gboolean local = TRUE;

  if (job->local_known)
    return job->local;
  files = tfd_job_files (job, self->store, NULL);
  for (guint i = 0; files != NULL && i < files->len && local; i++)
    {
      const TfdFileRecord *file = files->pdata[i];

      /* where a reply comes from is not known before it comes: what it answers decides */
      local = tfd_file_is_finished (file) || tfd_job_is_reply (job, file) ||
              tfd_url_is_local (file->url);
    }
  job->local = local;
  job->local_known = files != NULL;
  if (!loaded)
    g_clear_pointer (&job->files, g_ptr_array_unref);
  return local;
}

guint
tfd_engine_judge (TfdEngine *self, TfdJob *job, TfdErrorCode codes[TFD_MAX_CONDITIONS])
{
  const TfdJobProperties *properties = job->record->properties;
  TfdWorld world = self->world;
  TfdJobFacts facts = {
    .priority = properties->priority,
    .policy = tfd_job_properties_transfer_policy (properties),
    .run_when = properties->run_when,
    .session = tfd_engine_worker_state (self, job->record->owner_uid)->session,
    .owner_gone = job->record->gone_since != 0,
  };

  world.power_saver_blocks = self->config->power_saver_blocks != 0;
  world.battery_blocks = self->config->battery_blocks != 0;
  if (!world.online || world.metered)
    facts.local = is_local (self, job);
  return tfd_conditions_judge (&world, &facts, codes);
}

const char *
tfd_engine_describe_condition (const TfdJob *job, TfdErrorCode code)
{
  const TfdWorld *world = &job->engine->world;

  if (code == TFD_ERROR_BLOCKED_BY_POWER && !world->power_saver)
    return "the machine runs on battery; background transfers wait meanwhile";
  if (code != TFD_ERROR_OWNER_NOT_LOGGED_IN)
    return tfd_conditions_describe (code);
  if (world->log_ons == TFD_LOG_ONS_NOT_YET)
    return "it is not known yet whether the owner is logged on, for which RunWhen says to wait";
  if (job->record->properties->run_when == TFD_RUN_WHEN_LINGERING)
    return "RunWhen says to wait until the owner is logged on, or lingers";
  return tfd_conditions_describe (code);
}

static TfdFailure
failure_of (const TfdJob *job, TfdErrorCode code)
{
  return (TfdFailure){ .code = code,
                       .context = code == TFD_ERROR_NETWORK_DISCONNECTED
                                      ? TFD_ERROR_CONTEXT_TRANSPORT
                                      : TFD_ERROR_CONTEXT_QUEUE_MANAGER,
                       .transient = TRUE,
                       .file = G_MAXUINT32,
                       .message = g_strdup (tfd_engine_describe_condition (job, code)) };
}

static void
block (TfdEngine *self, TfdJob *job, TfdErrorCode code)
{
  g_auto (TfdFailure) failure = failure_of (job, code);

  /* whose owner is away keeps its place in the queue: the plan leaves it there */
  if (code == TFD_ERROR_OWNER_NOT_LOGGED_IN)
    {
      if (tfd_job_state_is_running (job->record->state))
        tfd_engine_apply (self, job, TFD_EVENT_OWNER_LOGGED_OFF, TFD_GUARD_NONE, NULL, NULL);
    }
  else
    tfd_engine_apply (self, job,
                      code == TFD_ERROR_NETWORK_DISCONNECTED ? TFD_EVENT_NETWORK_LOST
                                                             : TFD_EVENT_BLOCKED,
                      TFD_GUARD_UNCOUNTED, &failure, NULL);
}

/* How long the job number @n that is let go may wait. */
static guint64
spread_of (guint64 n)
{
  return MIN (n * SPREAD_EACH, SPREAD_ALL);
}

/* The job waited for the network, which is back. */
static void
let_go (TfdEngine *self, TfdJob *job)
{
  guint64 spread = spread_of (self->waiting_for_network++);
  gint64 now = tfd_clock_now_boot (self->clock);

  if (spread == 0)
    {
      tfd_engine_apply (self, job, TFD_EVENT_NETWORK_BACK, TFD_GUARD_NONE, NULL, NULL);
      return;
    }
  job->record->retry_at = now + (gint64) (g_random_double () * (double) spread) + 1;
  tfd_engine_save_job (self, job, NULL);
  tfd_engine_tell_changed (self, job, TFD_CHANGED_ERROR);
  /* the plan at work has looked at the timers of the job already */
  tfd_engine_plan_later (self);
}

/* The job waits for a condition, and for this one no more. */
static void
unblock (TfdEngine *self, TfdJob *job, const TfdErrorCode *codes, guint n)
{
  TfdJobRecord *record = job->record;

  if (n > 0 && codes[0] != TFD_ERROR_OWNER_NOT_LOGGED_IN)
    {
      TfdFailure failure = failure_of (job, codes[0]);

      tfd_failure_clear (&record->failure);
      record->failure = failure;
      tfd_engine_save_job (self, job, NULL);
      tfd_engine_tell_changed (self, job, TFD_CHANGED_ERROR);
    }
  else if (record->failure.code == TFD_ERROR_NETWORK_DISCONNECTED)
    let_go (self, job);
  else
    tfd_engine_apply (self, job, TFD_EVENT_UNBLOCKED, TFD_GUARD_NONE, NULL, NULL);
}

/* It failed on the way to the server, as happens before anybody knows that the network is gone: it
 * need not wait for its next try now. What a server asked for keeps its time. */
static gboolean
failed_on_the_way (TfdEngine *self, TfdJob *job)
{
  const TfdJobRecord *record = job->record;

  if (record->state != TFD_JOB_STATE_TRANSIENT_ERROR || job->work != NULL ||
      record->retry_at == 0 || record->failure.retry_after != 0)
    return FALSE;
  switch ((guint) record->failure.code)
    {
    case TFD_ERROR_NAME_NOT_RESOLVED:
    case TFD_ERROR_CONNECTION_FAILED:
    case TFD_ERROR_CONNECTION_LOST:
    case TFD_ERROR_TIMED_OUT:
      return !is_local (self, job);
    default:
      return FALSE;
    }
}

static void
retry_all_over_network (TfdEngine *self)
{
  g_autoptr (GPtrArray) jobs = g_ptr_array_new ();

  for (GSequenceIter *iter = g_sequence_get_begin_iter (self->order);
       !g_sequence_iter_is_end (iter); iter = g_sequence_iter_next (iter))
    if (failed_on_the_way (self, g_sequence_get (iter)))
      g_ptr_array_add (jobs, g_sequence_get (iter));
  for (guint i = 0; i < jobs->len; i++)
    let_go (self, jobs->pdata[i]);
}

static gboolean
holds (TfdErrorCode code, const TfdErrorCode *codes, guint n)
{
  for (guint i = 0; i < n; i++)
    if (codes[i] == code)
      return TRUE;
  return FALSE;
}

static gboolean
waits_for_condition (const TfdJobRecord *record)
{
  return record->state == TFD_JOB_STATE_TRANSIENT_ERROR && record->retry_at == 0 &&
         record->failure.context != TFD_ERROR_CONTEXT_NONE &&
         tfd_conditions_describe (record->failure.code) != NULL;
}

gboolean
tfd_engine_check_conditions (TfdEngine *self, TfdJob *job)
{
  TfdErrorCode codes[TFD_MAX_CONDITIONS];
  gboolean active =
      job->record->state == TFD_JOB_STATE_QUEUED || tfd_job_state_is_running (job->record->state);
  guint n;

  if (job->work != NULL || (!active && !waits_for_condition (job->record)))
    return FALSE;
  n = tfd_engine_judge (self, job, codes);
  if (active && n > 0)
    block (self, job, codes[0]);
  else if (!active && !holds (job->record->failure.code, codes, n))
    unblock (self, job, codes, n);
  return holds (TFD_ERROR_OWNER_NOT_LOGGED_IN, codes, n);
}
