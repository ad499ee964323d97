/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Months, the invariants: what holds whenever the engine has come to rest. */
#include "months.h"

#include "common/url.h"
#include "engine/work-private.h"

#define MOST_EVENTS 200
/* So long after a failed commit nothing is planned. */
#define SHAKEN (2 * SECOND)

static Account *
account_of (Months *self, TfdJob *job)
{
  Account *account = g_hash_table_lookup (self->by_id, tfd_job_id (job));

  g_assert_nonnull (account);
  g_assert_cmpuint (account->user->uid, ==, tfd_job_uid (job));
  return account;
}

#define WANT(job, condition)                                                                       \
  G_STMT_START                                                                                     \
  {                                                                                                \
    if (!(condition))                                                                              \
      months_fail ((job), #condition);                                                             \
  }                                                                                                \
  G_STMT_END

static gboolean
is_waiting (TfdJobState state)
{
  return state == TFD_JOB_STATE_QUEUED || state == TFD_JOB_STATE_TRANSIENT_ERROR;
}

/* ---- one job: its state and what it has ---- */

static void
check_files (TfdJob *job)
{
  const TfdJobRecord *record = job->record;
  guint finished = 0;

  for (guint i = 0; job->files != NULL && i < job->files->len; i++)
    finished += engine_file (job, i)->state == TFD_FILE_STATE_TRANSFERRED ||
                engine_file (job, i)->state == TFD_FILE_STATE_COMPLETED;
  if (job->files != NULL)
    {
      WANT (job, record->files_total == job->files->len);
      WANT (job, record->files_transferred == finished);
    }
  if (record->files_total > 0 && record->files_transferred == record->files_total)
    WANT (job, record->state == TFD_JOB_STATE_TRANSFERRED || job->work != NULL);
}

static void
check_state (Months *self, TfdJob *job)
{
  const Account *account = account_of (self, job);
  const TfdJobRecord *record = job->record;
  gboolean running = tfd_job_state_is_running (record->state);

  WANT (job, !tfd_job_state_is_final (record->state));
  WANT (job, !running || job->run != NULL || job->work != NULL);
  WANT (job, running || job->run == NULL || job->run->stopping);
  WANT (job, (record->operation == TFD_OPERATION_NONE) || job->work != NULL);
  WANT (job, record->retry_at == 0 || record->state == TFD_JOB_STATE_TRANSIENT_ERROR);
  WANT (job, record->state != TFD_JOB_STATE_TRANSIENT_ERROR ||
                 record->failure.context != TFD_ERROR_CONTEXT_NONE);
  WANT (job,
        record->state != TFD_JOB_STATE_ERROR || record->failure.context != TFD_ERROR_CONTEXT_NONE);
  WANT (job, record->state != TFD_JOB_STATE_TRANSFERRED || record->completion_time != 0);
  WANT (job, !account->resting || !(running || is_waiting (record->state)));
  WANT (job, record->files_total >= account->files_least);
  WANT (job, record->files_total <= account->files_most);
  WANT (job, account->priority < 0 || (int) record->properties->priority == account->priority);
  check_files (job);
}

/* ---- one job: its conditions ---- */

static gboolean
all_is_local (Months *self, TfdJob *job)
{
  GPtrArray *files = tfd_job_files (job, self->fixture->store, NULL);

  for (guint i = 0; i < files->len; i++)
    {
      const TfdFileRecord *file = files->pdata[i];

      if (file->state != TFD_FILE_STATE_TRANSFERRED && file->state != TFD_FILE_STATE_COMPLETED &&
          !g_str_has_prefix (file->url, "http://localhost/"))
        return FALSE;
    }
  return TRUE;
}

guint
months_judge (Months *self, TfdJob *job, TfdErrorCode codes[TFD_MAX_CONDITIONS])
{
  const TfdJobProperties *properties = job->record->properties;
  const TfdConfig *config = self->fixture->config;
  gboolean local = all_is_local (self, job);
  gboolean background = properties->priority != TFD_PRIORITY_FOREGROUND;
  TfdSession session = months_user (self, tfd_job_uid (job))->session;
  gboolean sparing = properties->transfer_policy_set
                         ? properties->transfer_policy == TFD_TRANSFER_POLICY_STANDARD ||
                               properties->transfer_policy == TFD_TRANSFER_POLICY_UNRESTRICTED
                         : background;
  guint n = 0;

  if ((!self->link || self->portal) && !local)
    codes[n++] = TFD_ERROR_NETWORK_DISCONNECTED;
  if (self->metered && sparing && !local)
    codes[n++] = TFD_ERROR_BLOCKED_BY_COST;
  if (self->hours_blocked && background)
    codes[n++] = TFD_ERROR_BLOCKED_BY_POLICY;
  if (background && ((self->power_saver && config->power_saver_blocks) ||
                     (self->on_battery && config->battery_blocks)))
    codes[n++] = TFD_ERROR_BLOCKED_BY_POWER;
  if (self->log_ons == TFD_LOG_ONS_NOT_YET)
    session = TFD_SESSION_NONE;
  if (self->log_ons != TFD_LOG_ONS_UNTOLD &&
      ((properties->run_when == TFD_RUN_WHEN_LOGGED_IN && session != TFD_SESSION_ACTIVE) ||
       (properties->run_when == TFD_RUN_WHEN_LINGERING && session == TFD_SESSION_NONE)))
    codes[n++] = TFD_ERROR_OWNER_NOT_LOGGED_IN;
  return n;
}

static gboolean
has_code (GPtrArray *conditions, const char *code)
{
  for (guint i = 0; i < conditions->len; i++)
    if (g_str_equal (((TfdCondition *) conditions->pdata[i])->code, code))
      return TRUE;
  return FALSE;
}

static gboolean
holds (const TfdErrorCode *codes, guint n, TfdErrorCode code)
{
  for (guint i = 0; i < n; i++)
    if (codes[i] == code)
      return TRUE;
  return FALSE;
}

static void
check_explained (Months *self, TfdJob *job, const TfdErrorCode *codes, guint n)
{
  g_autoptr (GPtrArray) conditions = tfd_job_explain (job, TFD_CLOCK (self->fixture->clock));
  TfdJobState state = job->record->state;

  if (tfd_job_state_is_running (state) || state == TFD_JOB_STATE_TRANSFERRED)
    {
      WANT (job, conditions->len == 0);
      return;
    }
  WANT (job, conditions->len > 0);
  if (!is_waiting (state))
    return;
  for (guint i = 0; i < n; i++)
    WANT (job, has_code (conditions, tfd_error_code_to_name (codes[i])));
  for (int code = TFD_ERROR_BLOCKED_BY_POLICY; code <= TFD_ERROR_OWNER_NOT_LOGGED_IN; code++)
    WANT (job, holds (codes, n, code) || !has_code (conditions, tfd_error_code_to_name (code)));
}

static void
check_conditions (Months *self, TfdJob *job)
{
  const TfdJobRecord *record = job->record;
  gboolean running = tfd_job_state_is_running (record->state);
  TfdErrorCode codes[TFD_MAX_CONDITIONS];
  guint n;

  if (job->work != NULL)
    return;
  n = months_judge (self, job, codes);
  WANT (job, !running || n == 0);
  if (record->state == TFD_JOB_STATE_QUEUED)
    WANT (job, n == 0 || codes[0] == TFD_ERROR_OWNER_NOT_LOGGED_IN);
  if (record->state == TFD_JOB_STATE_TRANSIENT_ERROR && record->retry_at == 0)
    WANT (job, holds (codes, n, record->failure.code));
  check_explained (self, job, codes, n);
}

/* ---- one job: its timers ---- */

static void
check_deadline (Months *self, TfdJob *job, gint64 deadline)
{
  WANT (job, deadline > months_now (self));
  WANT (job, tfd_fake_clock_next_alarm (self->fixture->clock) <= deadline);
}

static gint64
later (gint64 start, guint64 span)
{
  return start + (gint64) MIN (span, (guint64) (10000 * DAY));
}

static void
check_timers (Months *self, TfdJob *job)
{
  const Account *account = account_of (self, job);
  const TfdJobRecord *record = job->record;

  if (job->work != NULL)
    return;
  if (tfd_job_state_is_running (record->state))
    {
      gint64 now = months_now (self);
      guint64 limit = record->properties->maximum_download_time;

      if (limit == 0)
        limit = self->fixture->config->maximum_download_time;
      check_deadline (self, job,
                      later (now - (gint64) record->active_time -
                                 (job->active_since != 0 ? now - job->active_since : 0),
                             limit));
      return;
    }
  if (record->state == TFD_JOB_STATE_TRANSIENT_ERROR && record->retry_at != 0)
    check_deadline (self, job, record->retry_at);
  if (record->state == TFD_JOB_STATE_TRANSIENT_ERROR && record->no_progress_since != 0)
    check_deadline (self, job,
                    later (record->no_progress_since, record->properties->no_progress_timeout));
  /* nobody minds a minute in 90 days */
  check_deadline (self, job,
                  later (record->last_activity, self->fixture->config->job_inactivity_timeout) +
                      MINUTE);
  WANT (job, self->counted_time - account->possible <
                 (gint64) self->fixture->config->job_inactivity_timeout + 2 * MINUTE);
}

/* ---- all jobs: who runs ---- */

static guint
level_of (TfdJob *job)
{
  static const guint levels[] = { 2, 0, 1, 3 };

  return levels[job->record->properties->priority];
}

static gboolean
is_runnable (Months *self, TfdJob *job)
{
  const TfdWorkerState *worker = tfd_engine_worker_state (self->fixture->engine, tfd_job_uid (job));
  TfdErrorCode codes[TFD_MAX_CONDITIONS];

  return job->record->state == TFD_JOB_STATE_QUEUED && job->work == NULL && job->run == NULL &&
         !worker->stuck && worker->not_before <= months_now (self) &&
         months_judge (self, job, codes) == 0;
}

typedef struct
{
  guint slots, staying;
  guint user_slots[N_USERS], user_staying[N_USERS];
  guint top; /* the highest level that runs or could */
} Share;

static void
share_add (Months *self, Share *share, TfdJob *job)
{
  guint user = (guint) (months_user (self, tfd_job_uid (job)) - self->users);
  gboolean stays = job->run != NULL && !job->run->stopping && !job->run->overdue;

  if (level_of (job) == 0)
    {
      /* foreground never waits for others */
      WANT (job, !is_runnable (self, job));
      return;
    }
  share->slots += job->run != NULL;
  share->user_slots[user] += job->run != NULL;
  share->staying += stays;
  share->user_staying[user] += stays;
  if (job->run != NULL || is_runnable (self, job))
    share->top = MIN (share->top, level_of (job));
}

static void
check_share (Months *self, const Share *share, TfdJob *job)
{
  const TfdConfig *config = self->fixture->config;
  guint user = (guint) (months_user (self, tfd_job_uid (job)) - self->users);

  if (level_of (job) == 0)
    return;
  WANT (job, share->user_staying[user] <= config->background_jobs_per_user);
  /* nothing for a lower level */
  if (level_of (job) > share->top)
    WANT (job, job->run == NULL || job->run->stopping || job->run->overdue);
  /* and nothing left unused by its own */
  if (level_of (job) == share->top && is_runnable (self, job))
    WANT (job, share->slots >= config->background_jobs ||
                   share->user_slots[user] >= config->background_jobs_per_user);
}

/* ---- the database ---- */

static void
check_stored_files (Months *self, TfdJob *job)
{
  g_autoptr (GPtrArray) stored =
      tfd_store_load_files (self->fixture->store, tfd_job_id (job), NULL);
  GPtrArray *files = tfd_job_files (job, self->fixture->store, NULL);

  WANT (job, stored->len == files->len);
  for (guint i = 0; i < stored->len; i++)
    {
      const TfdFileRecord *a = stored->pdata[i], *b = files->pdata[i];

      WANT (job, a->attempt == b->attempt && g_str_equal (a->url, b->url));
      if (a->state != b->state)
        g_test_message ("file %u is stored as %s, and is %s", i,
                        tfd_enum_to_string (TFD_TYPE_FILE_STATE, a->state),
                        tfd_enum_to_string (TFD_TYPE_FILE_STATE, b->state));
      WANT (job, a->state == b->state || (a->state == TFD_FILE_STATE_WAITING &&
                                          b->state == TFD_FILE_STATE_TRANSFERRING));
      WANT (job, (a->part == NULL) == (b->part == NULL) &&
                     (a->part == NULL || g_variant_equal (a->part, b->part)));
    }
}

static void
check_stored (Months *self, TfdJob *job)
{
  g_autoptr (TfdJobRecord) stored =
      tfd_store_load_job (self->fixture->store, tfd_job_id (job), NULL);
  const TfdJobRecord *record = job->record;

  g_assert_nonnull (stored);
  /* one that was put back as nothing of it could be stored runs again as soon as it may */
  WANT (job, stored->state == record->state || (tfd_job_state_is_running (stored->state) &&
                                                record->state == TFD_JOB_STATE_QUEUED));
  WANT (job, stored->operation == record->operation);
  WANT (job, stored->failure.code == record->failure.code);
  WANT (job, stored->failure.context == record->failure.context);
  WANT (job, stored->error_count == record->error_count);
  WANT (job, stored->retry_at == record->retry_at);
  WANT (job, stored->resumed == record->resumed);
  WANT (job, stored->files_total == record->files_total);
  /* a Complete that looks records which files are missing first, and at its end what follows */
  if (job->work == NULL || job->work->intent)
    WANT (job, stored->files_transferred == record->files_transferred);
  WANT (job, stored->properties->priority == record->properties->priority);
  WANT (job, stored->completion_time == record->completion_time);
  if (months_happens (self, 4))
    check_stored_files (self, job);
  if (months_happens (self, 8))
    {
      g_autoptr (GPtrArray) events =
          tfd_store_load_events (self->fixture->store, tfd_job_id (job), 0, NULL);

      WANT (job, events->len > 0 && events->len <= MOST_EVENTS);
    }
}

/* ---- every step ---- */

static void
check_told (Months *self, Account *account)
{
  TfdJob *job = tfd_engine_get_job (self->fixture->engine, account->id);

  if (account->ended)
    return;
  if (job == NULL)
    {
      /* it could not be stored: it never was */
      g_assert_false (account->confirmed);
      account->ended = account->never = TRUE;
      return;
    }
  WANT (job, account->told == job->record->state);
  /* a state that was left within the turn is told by its signal alone */
  WANT (job, account->failures == 0 || (account->failures < 0 && !account->resting));
  WANT (job, account->arrivals == 0 || (account->arrivals < 0 && !account->resting));
  account->failures = account->arrivals = 0;
  account->stored = job->record->state;
}

static GPtrArray *
list_jobs (Months *self)
{
  GPtrArray *jobs = g_ptr_array_new ();
  GSequence *order = self->fixture->engine->order;

  for (GSequenceIter *iter = g_sequence_get_begin_iter (order); !g_sequence_iter_is_end (iter);
       iter = g_sequence_iter_next (iter))
    g_ptr_array_add (jobs, g_sequence_get (iter));
  return jobs;
}

/* Against the limit of the machine; a job that changes its owner has a place at the new one, too.
 */
static guint
places_of (Months *self, TfdJob *job)
{
  const User *taker = account_of (self, job)->taker;

  return job->record->counts || (taker != NULL && taker->uid != 0 && job->work != NULL &&
                                 job->work->kind == TFD_OPERATION_NONE)
             ? 1
             : 0;
}

void
months_check (Months *self)
{
  g_autoptr (GPtrArray) jobs = list_jobs (self);
  gboolean steady = months_now (self) > self->shaken + SHAKEN;
  Share share = { .top = G_MAXUINT };
  guint counted = 0;

  self->checks++;
  g_assert_true (tfd_outbox_is_empty (self->fixture->engine->outbox));
  for (guint i = 0; i < self->accounts->len; i++)
    check_told (self, self->accounts->pdata[i]);
  months_check_calls (self);
  for (guint i = 0; i < jobs->len; i++)
    {
      check_state (self, jobs->pdata[i]);
      counted += places_of (self, jobs->pdata[i]);
      if (!steady)
        continue;
      check_conditions (self, jobs->pdata[i]);
      check_timers (self, jobs->pdata[i]);
      share_add (self, &share, jobs->pdata[i]);
    }
  g_assert_cmpuint (counted, ==, self->fixture->engine->counted);
  if (steady)
    g_assert_cmpuint (share.staying, <=, self->fixture->config->background_jobs);
  for (guint i = 0; steady && i < jobs->len; i++)
    check_share (self, &share, jobs->pdata[i]);
  if (jobs->len > 0)
    check_stored (self, jobs->pdata[months_pick (self, jobs->len)]);
  if (self->checks % 32 == 0)
    months_check_disk (self);
}
