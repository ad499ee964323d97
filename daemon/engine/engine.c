/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Engine: the jobs there are, and the transaction in which they change. */
#include "config.h"

#include "engine/engine-private.h"

static void settled_cb (const GError *error, gpointer data);

G_DEFINE_FINAL_TYPE (TfdEngine, tfd_engine, G_TYPE_OBJECT)

static void
tfd_engine_finalize (GObject *object)
{
  TfdEngine *self = TFD_ENGINE (object);

  g_clear_handle_id (&self->plan_source, g_source_remove);
  tfd_clock_remove_alarm (self->clock, self->alarm);
  tfd_clock_remove_alarm (self->clock, self->leftover_alarm);
  tfd_clock_remove_alarm (self->clock, self->files_alarm);
  tfd_clock_remove_alarm (self->clock, self->sweep_alarm);
  tfd_clock_remove_alarm (self->clock, self->mounts_alarm);
  tfd_clock_remove_alarm (self->clock, self->mark_alarm);
  tfd_clock_remove_alarm (self->clock, self->owners_alarm);
  tfd_engine_forget_sessions (self);
  tfd_engine_forget_alarms (self);
  g_signal_handlers_disconnect_by_data (self->transport, self);
  g_clear_pointer (&self->outbox, tfd_outbox_free);
  g_clear_pointer (&self->live, g_sequence_free);
  g_clear_pointer (&self->order, g_sequence_free);
  g_clear_pointer (&self->runs, g_hash_table_unref);
  g_clear_pointer (&self->jobs, g_hash_table_unref);
  g_clear_pointer (&self->touched, g_hash_table_unref);
  g_clear_pointer (&self->workers, g_hash_table_unref);
  g_clear_pointer (&self->probes, g_hash_table_unref);
  g_clear_object (&self->transport);
  g_clear_object (&self->clock);
  G_OBJECT_CLASS (tfd_engine_parent_class)->finalize (object);
}

static void
tfd_engine_class_init (TfdEngineClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = tfd_engine_finalize;
  tfd_engine_install_signals (G_TYPE_FROM_CLASS (klass));
}

static void
tfd_engine_init (TfdEngine *self)
{
  self->jobs =
      g_hash_table_new_full (g_str_hash, g_str_equal, NULL, (GDestroyNotify) tfd_job_unref);
  self->order = g_sequence_new (NULL);
  self->live = g_sequence_new (NULL);
  self->runs = g_hash_table_new (g_int64_hash, g_int64_equal);
  self->touched = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  self->workers = g_hash_table_new_full (NULL, NULL, NULL, g_free);
}

TfdEngine *
tfd_engine_new (TfdStore *store, TfdClock *clock, TfdTransport *transport, const TfdConfig *config)
{
  TfdEngine *self = g_object_new (TFD_TYPE_ENGINE, NULL);

  self->store = store;
  self->clock = g_object_ref (clock);
  self->transport = g_object_ref (transport);
  self->config = config;
  self->most_stored = TFD_MOST_STORED;
  self->most_history = TFD_MOST_HISTORY;
  self->most_sessions = TFD_MOST_SESSIONS;
  self->most_at_once = G_MAXUINT;
  self->outbox = tfd_outbox_new (store, settled_cb, self);
  /* runs of an earlier life of the daemon must never be taken for ours */
  self->last_run = (guint64) tfd_clock_now_real (clock);
  tfd_engine_connect_news (self);
  tfd_engine_connect_losses (self);
  return self;
}

TfdClock *
tfd_engine_get_clock (TfdEngine *self)
{
  return self->clock;
}

const TfdConfig *
tfd_engine_get_config (TfdEngine *self)
{
  return self->config;
}

TfdStore *
tfd_engine_get_store (TfdEngine *self)
{
  return self->store;
}

TfdOutbox *
tfd_engine_get_outbox (TfdEngine *self)
{
  return self->outbox;
}

TfdJob *
tfd_engine_get_job (TfdEngine *self, const char *id)
{
  return g_hash_table_lookup (self->jobs, id);
}

static int
compare_order (gconstpointer a, gconstpointer b, gpointer data G_GNUC_UNUSED)
{
  const TfdJob *x = a, *y = b;

  return (x->order > y->order) - (x->order < y->order);
}

void
tfd_engine_update_live (TfdEngine *self, TfdJob *job)
{
  TfdJobState state = job->record->state;
  gboolean live = job->place != NULL &&
                  (job->run != NULL || state == TFD_JOB_STATE_QUEUED ||
                   tfd_job_state_is_running (state) || state == TFD_JOB_STATE_TRANSIENT_ERROR);

  if (live && job->live == NULL)
    job->live = g_sequence_insert_sorted (self->live, job, compare_order, NULL);
  else if (!live && job->live != NULL)
    g_clear_pointer (&job->live, g_sequence_remove);
}

void
tfd_engine_insert_job (TfdEngine *self, TfdJob *job)
{
  g_hash_table_insert (self->jobs, job->record->id, job);
  job->place = g_sequence_append (self->order, job);
  tfd_engine_update_live (self, job);
  tfd_engine_expect_inactivity (self, job);
  tfd_engine_count_job (self, job, 1);
}

void
tfd_engine_retire_job (TfdEngine *self, TfdJob *job)
{
  if (job->place == NULL)
    return;
  g_clear_pointer (&job->place, g_sequence_remove);
  tfd_engine_update_live (self, job);
  tfd_engine_count_job (self, job, -1);
}

void
tfd_engine_remove_job (TfdEngine *self, TfdJob *job)
{
  tfd_engine_retire_job (self, job);
  g_hash_table_remove (self->jobs, job->record->id);
}

/* A job whose user is gone is not of the one who has the number now. */
static gboolean
is_for (const TfdJob *job, guint32 uid)
{
  return uid == TFD_ALL_USERS || (job->record->owner_uid == uid && job->record->gone_since == 0);
}

void
tfd_engine_foreach_job (
    TfdEngine *self, guint32 uid, const char *after, TfdJobFunc func, gpointer data)
{
  GSequenceIter *iter = g_sequence_get_begin_iter (self->order);

  if (after != NULL)
    {
      TfdJob *job = tfd_engine_get_job (self, after);

      if (job == NULL)
        return;
      /* it may have ended since it was listed: go on where it was */
      while (!g_sequence_iter_is_end (iter) &&
             ((TfdJob *) g_sequence_get (iter))->order <= job->order)
        iter = g_sequence_iter_next (iter);
    }

  while (!g_sequence_iter_is_end (iter))
    {
      TfdJob *job = g_sequence_get (iter);

      iter = g_sequence_iter_next (iter);
      if (!is_for (job, uid) || tfd_job_state_is_final (job->record->state))
        continue;
      if (!func (job, data))
        return;
    }
}

typedef struct
{
  const char *sandbox; /* (nullable) */
  guint jobs, running;
  guint64 rate;
} Count;

static gboolean
count_job (TfdJob *job, gpointer data)
{
  Count *count = data;

  if (count->sandbox != NULL && !g_str_equal (count->sandbox, job->record->sandbox))
    return TRUE;
  count->jobs++;
  count->running += tfd_job_state_is_running (job->record->state);
  count->rate += tfd_job_rate (job);
  return TRUE;
}

void
tfd_engine_count (
    TfdEngine *self, guint32 uid, const char *sandbox, guint *jobs, guint *running, guint64 *rate)
{
  Count count = { .sandbox = sandbox };

  tfd_engine_foreach_job (self, uid, NULL, count_job, &count);
  *jobs = count.jobs;
  *running = count.running;
  *rate = count.rate;
}

static gboolean
has_work (TfdJob *job)
{
  const TfdJobRecord *record = job->record;

  return record->state == TFD_JOB_STATE_QUEUED || tfd_job_state_is_running (record->state) ||
         record->state == TFD_JOB_STATE_TRANSIENT_ERROR || job->work != NULL || job->run != NULL ||
         record->operation != TFD_OPERATION_NONE || tfd_job_awaits_destination (job);
}

gboolean
tfd_engine_has_work (TfdEngine *self)
{
  for (GSequenceIter *iter = g_sequence_get_begin_iter (self->order);
       !g_sequence_iter_is_end (iter); iter = g_sequence_iter_next (iter))
    if (has_work (g_sequence_get (iter)))
      return TRUE;
  return tfd_engine_has_sessions (self);
}

gboolean
tfd_engine_is_idle (TfdEngine *self)
{
  return tfd_outbox_is_empty (self->outbox) && !tfd_engine_has_work (self) &&
         !tfd_engine_is_sweeping (self);
}

TfdLogJob
tfd_job_log (const TfdJob *job)
{
  return (TfdLogJob){ job->record->id, job->record->owner_uid,
                      tfd_enum_to_string (TFD_TYPE_JOB_STATE, job->record->state), NULL };
}

/* ---- the open transaction ---- */

void
tfd_engine_touch (TfdEngine *self, TfdJob *job)
{
  tfd_outbox_wake (self->outbox);
  if (!g_hash_table_contains (self->touched, job->record->id))
    g_hash_table_add (self->touched, g_strdup (job->record->id));
}

void
tfd_engine_doom (TfdEngine *self, const GError *error)
{
  tfd_outbox_doom (self->outbox, error);
}

gboolean
tfd_engine_save_job (TfdEngine *self, TfdJob *job, GError **error)
{
  g_autoptr (GError) local_error = NULL;

  tfd_engine_touch (self, job);
  tfd_job_account_time (job, tfd_clock_now_boot (self->clock));
  if (tfd_store_update_job (self->store, job->record, &local_error))
    return TRUE;
  tfd_engine_doom (self, local_error);
  g_propagate_error (error, g_steal_pointer (&local_error));
  return FALSE;
}

static gboolean
save_file (TfdEngine *self,
           TfdJob *job,
           const TfdFileRecord *file,
           gboolean (*save) (TfdStore *, const char *, const TfdFileRecord *, GError **))
{
  g_autoptr (GError) error = NULL;
  TfdFileRecord row = *file;

  /* that it is at work is true of a run, and no row is written when that ends */
  if (row.state == TFD_FILE_STATE_TRANSFERRING)
    row.state = TFD_FILE_STATE_WAITING;
  tfd_engine_touch (self, job);
  if (save (self->store, job->record->id, &row, &error))
    return TRUE;
  tfd_engine_doom (self, error);
  return FALSE;
}

gboolean
tfd_engine_save_file (TfdEngine *self, TfdJob *job, const TfdFileRecord *file)
{
  return save_file (self, job, file, tfd_store_update_file);
}

gboolean
tfd_engine_save_progress (TfdEngine *self, TfdJob *job, const TfdFileRecord *file)
{
  return save_file (self, job, file, tfd_store_update_progress);
}

gboolean
tfd_engine_save_completed (TfdEngine *self, TfdJob *job, guint32 first, guint32 count)
{
  g_autoptr (GError) error = NULL;

  tfd_engine_touch (self, job);
  if (tfd_store_complete_files (self->store, job->record->id, first, count, &error))
    return TRUE;
  tfd_engine_doom (self, error);
  return FALSE;
}

void
tfd_engine_log_event (TfdEngine *self, TfdJob *job, const char *kind, GVariant *details)
{
  g_autoptr (GError) error = NULL;

  tfd_engine_touch (self, job);
  if (!tfd_store_append_event (self->store, job->record->id, tfd_clock_now_real (self->clock), kind,
                               details, self->config->events_per_job, &error))
    tfd_engine_doom (self, error);
}

/* What was told last is what is recorded: that it waits again was neither. */
static void
tell_waits_cb (const GError *error G_GNUC_UNUSED, gpointer data)
{
  TfdJob *job = data;

  tfd_engine_tell_changed (job->engine, job, TFD_CHANGED_STATE | TFD_CHANGED_PROGRESS);
}

static void
put_back (TfdEngine *self, TfdJob *job)
{
  job->record->state = TFD_JOB_STATE_QUEUED;
  /* after those that are told now that they were undone */
  tfd_outbox_add (self->outbox, tell_waits_cb, tfd_job_ref (job), (GDestroyNotify) tfd_job_unref);
}

/* A worker reports each thing once: what it said since the commit before is lost, so that it has to
 * begin anew with what is recorded. */
static void
reload_run (TfdEngine *self, TfdJob *job)
{
  g_autoptr (GError) error = NULL;
  GPtrArray *files =
      job->files == NULL ? NULL : tfd_store_load_files (self->store, job->record->id, &error);

  /* a Complete at work cannot go on without: what it remembers is what it has done */
  if (files != NULL || job->work == NULL)
    g_clear_pointer (&job->files, g_ptr_array_unref);
  if (files != NULL)
    job->files = files;
  if (job->files != NULL)
    tfd_job_recount (job);
  job->local_known = FALSE;
  if (job->work == NULL && tfd_job_state_is_running (job->record->state))
    put_back (self, job);
  tfd_engine_update_live (self, job);
  if (job->run != NULL)
    tfd_engine_stop_run (self, job, NULL, NULL);
}

/* A job as the database has it: the change that was rolled back never happened. */
static void
reload_job (TfdEngine *self, const char *id)
{
  g_autoptr (GError) error = NULL;
  TfdJob *job = tfd_engine_get_job (self, id);
  TfdJobRecord *record = tfd_store_load_job (self->store, id, &error);

  if (job == NULL || job->ended)
    {
      g_clear_pointer (&record, tfd_job_record_free);
      return;
    }
  if (record == NULL)
    {
      if (g_error_matches (error, TFD_ERROR, TFD_ERROR_NOT_FOUND))
        tfd_engine_remove_job (self, job);
      else
        tfd_warning ("cannot read job %s again: %s", id, error->message);
      return;
    }

  tfd_engine_convert_times (self, record);
  /* bytes may have come that the row does not speak of: rather too late than too early */
  record->last_activity = MAX (record->last_activity, job->record->last_activity);

  /* the table's key is the id inside the record: steal, exchange, insert */
  g_hash_table_steal (self->jobs, id);
  if (job->place != NULL)
    tfd_engine_count_job (self, job, -1);
  tfd_job_record_free (job->record);
  job->record = record;
  if (job->place != NULL)
    tfd_engine_count_job (self, job, 1);
  /* whether its user is gone is asked anew */
  tfd_engine_worker_state (self, record->owner_uid)->name = NULL;
  g_hash_table_insert (self->jobs, record->id, job);
  if (job->run != NULL)
    job->run->outdated = FALSE;
  reload_run (self, job);
  if (job->work == NULL && record->operation != TFD_OPERATION_NONE)
    tfd_engine_roll_forward_later (self, job);
}

/* Everything about the jobs of this transaction is recorded. */
static void
rest_jobs (TfdEngine *self)
{
  GHashTableIter iter;
  const char *id;

  g_hash_table_iter_init (&iter, self->touched);
  while (g_hash_table_iter_next (&iter, (gpointer *) &id, NULL))
    {
      TfdJob *job = tfd_engine_get_job (self, id);

      if (job != NULL)
        tfd_engine_forget_files_later (self, job);
    }
}

static void
settled_cb (const GError *commit_error, gpointer data)
{
  TfdEngine *self = data;
  g_autoptr (GHashTable) touched = NULL;
  GHashTableIter iter;
  const char *id;

  if (commit_error == NULL)
    {
      rest_jobs (self);
      g_hash_table_remove_all (self->touched);
      return;
    }

  touched = g_steal_pointer (&self->touched);
  self->touched = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_hash_table_iter_init (&iter, touched);
  while (g_hash_table_iter_next (&iter, (gpointer *) &id, NULL))
    reload_job (self, id);
  /* one that was to end is there still */
  self->inactive_at = 0;
  tfd_engine_pause_plan (self);
}
