/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Owners: a user id is not a person. Ids are given out again, so a job remembers the name of its
 * user, too. When the two do not belong together any more the job is held: it does not run, only
 * administrators see it, and its credentials are deleted. It goes on when its user comes back, and
 * is cancelled after a week; its files are left alone, as nobody has the right to touch them. */
#include "config.h"

#include "base/identity.h"
#include "engine/work-private.h"

#define DAY (24 * 3600 * (gint64) TFD_USEC_PER_SEC)
#define GIVE_UP (7 * DAY)

static void daily_cb (gpointer user_data);

/* ---- one job ---- */

static void
tell (TfdEngine *self, TfdJob *job, const char *kind, const char *name)
{
  tfd_engine_log_event (
      self, job, kind,
      g_variant_new_parsed ("{'uid': <%u>, 'name': <%s>}", job->record->owner_uid, name));
  tfd_engine_save_job (self, job, NULL);
  tfd_engine_tell_changed (self, job, TFD_CHANGED_OWNER | TFD_CHANGED_STATE | TFD_CHANGED_TIMES);
  tfd_engine_plan_later (self);
}

static void
hold (TfdEngine *self, TfdJob *job, const char *name)
{
  TfdJobRecord *record = job->record;
  TfdLogJob log = tfd_job_log (job);

  if (name != NULL)
    tfd_log (G_LOG_LEVEL_MESSAGE, TFD_MESSAGE_OWNER_GONE, &log,
             "held: user ‘%s’ is gone, its id is the one of ‘%s’ now", record->owner_name, name);
  else
    tfd_log (G_LOG_LEVEL_MESSAGE, TFD_MESSAGE_OWNER_GONE, &log, "held: user ‘%s’ is gone",
             record->owner_name);
  tfd_engine_count_job (self, job, -1);
  record->gone_since = MAX (tfd_clock_now_real (self->clock), 1);
  if (!tfd_clock_is_synchronised (self->clock))
    record->gone_since = -record->gone_since;
  tfd_engine_count_job (self, job, 1);
  job->gone_at = tfd_clock_now_boot (self->clock);
  tfd_engine_worker_state (self, record->owner_uid)->has_gone = TRUE;
  g_clear_pointer (&record->properties->credentials, g_variant_unref);
  tell (self, job, "owner-gone", name != NULL ? name : "");
}

static void
release (TfdEngine *self, TfdJob *job)
{
  TfdLogJob log = tfd_job_log (job);

  tfd_job_message (&log, "user ‘%s’ is back", job->record->owner_name);
  tfd_engine_count_job (self, job, -1);
  job->record->gone_since = 0;
  tfd_engine_count_job (self, job, 1);
  tell (self, job, "owner-back", job->record->owner_name);
}

void
tfd_engine_adopt_owner (TfdEngine *self, TfdJob *job)
{
  gint64 since = job->record->gone_since;
  gint64 gone = 0;

  /* a clock that nobody sets, or had set then, may say anything: rather late than early */
  if (since > 0 && tfd_clock_is_synchronised (self->clock))
    gone = CLAMP (tfd_clock_now_real (self->clock) - since, 0, GIVE_UP);
  else if (since < 0 && tfd_clock_is_synchronised (self->clock))
    {
      job->record->gone_since = tfd_clock_now_real (self->clock);
      tfd_engine_save_job (self, job, NULL);
    }
  job->gone_at = tfd_clock_now_boot (self->clock) - gone;
  if (since != 0)
    tfd_engine_worker_state (self, job->record->owner_uid)->has_gone = TRUE;
}

/* ---- whose an id is ---- */

/* What is kept of jobs that have ended speaks of a number only: it goes with the person. */
static void
note_person (TfdEngine *self, guint32 uid, const char *name)
{
  g_autofree char *key = g_strdup_printf ("user-%u", uid);
  g_autofree char *before = NULL;
  g_autoptr (GError) error = NULL;

  if (!tfd_store_get_meta (self->store, key, &before, &error) ||
      (before != NULL && !g_str_equal (before, name) &&
       !tfd_store_forget_tombstones (self->store, uid, &error)) ||
      (g_strcmp0 (before, name) != 0 && !tfd_store_set_meta (self->store, key, name, &error)))
    tfd_warning ("cannot note that user %u is ‘%s’: %s", uid, name, error->message);
  tfd_outbox_wake (self->outbox);
}

/* The jobs that were made by @uid, under whatever name: what happens next changes the order. */
static GPtrArray *
jobs_of (TfdEngine *self, guint32 uid)
{
  GPtrArray *jobs = g_ptr_array_new_with_free_func ((GDestroyNotify) tfd_job_unref);

  for (GSequenceIter *iter = g_sequence_get_begin_iter (self->order);
       !g_sequence_iter_is_end (iter); iter = g_sequence_iter_next (iter))
    {
      TfdJob *job = g_sequence_get (iter);

      if (job->record->owner_uid == uid)
        g_ptr_array_add (jobs, tfd_job_ref (job));
    }
  return jobs;
}

static void
cancel_if_due (TfdEngine *self, TfdJob *job, gint64 now)
{
  TfdLogJob log = tfd_job_log (job);

  if (job->work != NULL || now < job->gone_at + GIVE_UP)
    return;
  tfd_job_message (&log, "cancelled: user ‘%s’ has been gone for seven days",
                   job->record->owner_name);
  tfd_engine_cancel (self, job, NULL, NULL);
}

/* Asked just now, the user is not there: jobs of which that has been true for long enough go. */
static void
cancel_due (TfdEngine *self, guint32 uid)
{
  g_autoptr (GPtrArray) jobs = jobs_of (self, uid);
  gint64 now = tfd_clock_now_boot (self->clock);
  gboolean gone = FALSE;

  for (guint i = 0; i < jobs->len; i++)
    if (((TfdJob *) jobs->pdata[i])->record->gone_since != 0)
      {
        cancel_if_due (self, jobs->pdata[i], now);
        gone = TRUE;
      }
  tfd_engine_worker_state (self, uid)->has_gone = gone;
}

static void watch (TfdEngine *self);

static void
change_person (TfdEngine *self, guint32 uid, const char *name)
{
  TfdWorkerState *user = tfd_engine_worker_state (self, uid);
  g_autoptr (GPtrArray) jobs = NULL;

  user->name = name != NULL ? g_intern_string (name) : NULL;
  self->persons++;
  if (name != NULL)
    note_person (self, uid, name);
  jobs = jobs_of (self, uid);
  for (guint i = 0; i < jobs->len; i++)
    {
      TfdJob *job = jobs->pdata[i];
      gboolean same = g_strcmp0 (job->record->owner_name, name) == 0;

      if (!same && job->record->gone_since == 0)
        hold (self, job, name);
      else if (same && job->record->gone_since != 0)
        release (self, job);
    }
  if (self->watches_owners)
    watch (self);
}

void
tfd_engine_note_owner (TfdEngine *self, guint32 uid, const char *name)
{
  TfdWorkerState *user = tfd_engine_worker_state (self, uid);

  if (name == NULL || g_strcmp0 (user->name, name) != 0)
    change_person (self, uid, name);
  if (user->has_gone)
    cancel_due (self, uid);
}

guint
tfd_engine_get_persons (TfdEngine *self)
{
  return self->persons;
}

/* Who asked, if there is still an engine when the answer comes. */
typedef struct
{
  GWeakRef engine;
  guint32 uid;
} Question;

static void
looked_up_cb (GObject *source G_GNUC_UNUSED, GAsyncResult *result, gpointer user_data)
{
  Question *question = user_data;
  g_autoptr (TfdEngine) self = g_weak_ref_get (&question->engine);
  g_autoptr (GError) error = NULL;
  g_autoptr (TfdIdentity) identity = tfd_identity_look_up_finish (result, &error);

  if (self != NULL && identity != NULL)
    tfd_engine_note_owner (self, question->uid, identity->name);
  else if (self != NULL && g_error_matches (error, TFD_ERROR, TFD_ERROR_OWNER_GONE))
    tfd_engine_note_owner (self, question->uid, NULL);
  else if (self != NULL)
    tfd_message ("whether user %u is still the same: %s", question->uid, error->message);
  g_weak_ref_clear (&question->engine);
  g_free (question);
}

static void
look_up (TfdEngine *self, guint32 uid)
{
  Question *question = g_new0 (Question, 1);

  g_weak_ref_init (&question->engine, self);
  question->uid = uid;
  tfd_identity_look_up_async (uid, NULL, looked_up_cb, question);
}

/* ---- time ---- */

/* When the first of the jobs whose user is gone is given up, or it is to be asked again. */
static void
watch (TfdEngine *self)
{
  gint64 now = tfd_clock_now_boot (self->clock);
  gint64 next = MAX (self->owners_asked + DAY, now + 1);

  for (GSequenceIter *iter = g_sequence_get_begin_iter (self->order);
       !g_sequence_iter_is_end (iter); iter = g_sequence_iter_next (iter))
    {
      const TfdJob *job = g_sequence_get (iter);

      if (job->record->gone_since != 0 && job->gone_at + GIVE_UP > now)
        next = MIN (next, job->gone_at + GIVE_UP);
    }
  tfd_clock_remove_alarm (self->clock, self->owners_alarm);
  self->owners_alarm = tfd_clock_add_alarm (self->clock, next, daily_cb, self, NULL);
}

static void
check_all (TfdEngine *self)
{
  g_autoptr (GHashTable) users = g_hash_table_new (NULL, NULL);

  self->owners_asked = tfd_clock_now_boot (self->clock);
  for (GSequenceIter *iter = g_sequence_get_begin_iter (self->order);
       !g_sequence_iter_is_end (iter); iter = g_sequence_iter_next (iter))
    {
      const TfdJob *job = g_sequence_get (iter);

      if (g_hash_table_add (users, GUINT_TO_POINTER (job->record->owner_uid)))
        look_up (self, job->record->owner_uid);
    }
  watch (self);
}

static void
daily_cb (gpointer user_data)
{
  TfdEngine *self = user_data;

  self->owners_alarm = 0;
  check_all (self);
}

/* Perhaps it could not be started because its user is gone. */
static void
lost_cb (TfdTransport *transport G_GNUC_UNUSED, guint uid, gpointer user_data)
{
  look_up (user_data, uid);
}

void
tfd_engine_watch_owners (TfdEngine *self)
{
  self->watches_owners = TRUE;
  /* the engine disconnects all of its handlers when it goes */
  g_signal_connect (self->transport, "lost", G_CALLBACK (lost_cb), self);
  check_all (self);
}
