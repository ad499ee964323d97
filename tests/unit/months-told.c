/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Months, what is told: signals of the engine, each once for what it speaks of, and what is there
 * after a start. */
#include "months.h"

#include "store/statement.h"

static Account *
account_of (Months *self, TfdJob *job)
{
  return g_hash_table_lookup (self->by_id, tfd_job_id (job));
}

static void
changed_cb (TfdEngine *engine G_GNUC_UNUSED, TfdJob *job, guint mask, Months *self)
{
  Account *account = account_of (self, job);
  TfdJobState state = job->record->state;

  if (self->dying)
    return;
  if ((mask & TFD_CHANGED_STATE) != 0 && state != account->told)
    {
      account->told = state;
      /* as the table of states has it: a failure or an arrival is a use of the job, a try is not */
      if (state != TFD_JOB_STATE_QUEUED && state != TFD_JOB_STATE_TRANSIENT_ERROR)
        months_used (self, account->id, FALSE);
      account->failures += state == TFD_JOB_STATE_ERROR;
      account->arrivals += state == TFD_JOB_STATE_TRANSFERRED;
    }
  if ((state == TFD_JOB_STATE_SUSPENDED || state == TFD_JOB_STATE_ERROR ||
       state == TFD_JOB_STATE_TRANSFERRED) &&
      account->resumes == 0)
    account->resting = TRUE;
}

static void
error_cb (TfdEngine *engine G_GNUC_UNUSED,
          TfdJob *job,
          guint code G_GNUC_UNUSED,
          guint context G_GNUC_UNUSED,
          Months *self)
{
  if (!self->dying)
    account_of (self, job)->failures--;
}

static void
transferred_cb (TfdEngine *engine G_GNUC_UNUSED, TfdJob *job, Months *self)
{
  if (!self->dying)
    account_of (self, job)->arrivals--;
}

/* ---- the end of a job ---- */

static void
check_list (Months *self, const Account *account, GVariant *list, gboolean kept)
{
  GVariantIter iter;
  guint32 index;

  g_variant_iter_init (&iter, list);
  while (g_variant_iter_next (&iter, "(us)", &index, NULL))
    {
      g_autofree char *key = g_strdup_printf ("%s:%u", account->id, index);

      if (g_hash_table_contains (self->renamed, key) != kept)
        g_error ("file %s is said to be %s", key, kept ? "kept" : "discarded");
    }
}

static GPtrArray *
load_tombstones (Months *self, const Account *account, const User *user)
{
  const char *ids[] = { account->id, NULL };
  const TfdTombstoneFilter filter = { .ids = ids, .files = TRUE };

  return tfd_store_load_tombstones (self->fixture->store, user->uid, &filter, NULL);
}

/* Its tombstone says what was done, or there is none. */
static gboolean
read_tombstone (Months *self, Account *account)
{
  g_autoptr (GPtrArray) rows = load_tombstones (self, account, account->user);
  const TfdTombstone *tombstone;

  if (rows->len == 0 && account->taker != NULL)
    {
      g_ptr_array_unref (rows);
      rows = load_tombstones (self, account, account->taker);
    }
  if (rows->len == 0)
    return FALSE;
  g_assert_cmpuint (rows->len, ==, 1);
  tombstone = rows->pdata[0];
  months_change_user (account, tombstone->owner_uid);
  g_assert_cmpuint (tombstone->owner_uid, ==, account->user->uid);
  check_list (self, account, tombstone->kept, TRUE);
  check_list (self, account, tombstone->discarded, FALSE);
  g_assert_cmpuint (tombstone->kept_count, ==, g_variant_n_children (tombstone->kept));
  g_assert_cmpuint (tombstone->discarded_count, ==, g_variant_n_children (tombstone->discarded));
  account->ended = TRUE;
  account->result = tombstone->result;
  account->ended_at = self->true_time;
  if (account->result == TFD_RESULT_EXPIRED)
    {
      self->expired++;
      if (self->true_time - account->sure < (gint64) self->fixture->config->job_inactivity_timeout)
        g_error ("job %s was used %" G_GINT64_FORMAT " hours ago", account->id,
                 (self->true_time - account->sure) / HOUR);
    }
  return TRUE;
}

static void
removed_cb (TfdEngine *engine G_GNUC_UNUSED, TfdJob *job, guint result, Months *self)
{
  Account *account = account_of (self, job);

  if (self->dying)
    return;
  g_assert_false (account->ended);
  g_assert_true (read_tombstone (self, account));
  g_assert_cmpint (account->result, ==, result);
}

static void
rolled_back_cb (gpointer data)
{
  Months *self = data;

  self->shaken = months_now (self);
}

void
months_watch (Months *self)
{
  TfdEngine *engine = self->fixture->engine;

  g_signal_connect (engine, "job-changed", G_CALLBACK (changed_cb), self);
  g_signal_connect (engine, "job-error", G_CALLBACK (error_cb), self);
  g_signal_connect (engine, "job-transferred", G_CALLBACK (transferred_cb), self);
  g_signal_connect (engine, "job-removed", G_CALLBACK (removed_cb), self);
  sqlite3_rollback_hook (self->fixture->store->db, rolled_back_cb, self);
}

/* ---- after a start ---- */

static TfdJobState
after_restart (TfdJobState state)
{
  return tfd_job_state_is_running (state) ? TFD_JOB_STATE_QUEUED : state;
}

static void
check_account (Months *self, Account *account, gboolean cut_short)
{
  TfdJob *job = tfd_engine_get_job (self->fixture->engine, account->id);

  /* its end may have been the first thing that was done, before anybody could hear of it */
  if (job != NULL && job->ended)
    job = NULL;
  if (account->ended)
    g_assert_null (job);
  else if (job != NULL)
    {
      months_change_user (account, tfd_job_uid (job));
      /* what was decided since the last rest may be there or not, if it died by that commit */
      if (!cut_short && job->work == NULL)
        g_assert_cmpint (job->record->state, ==, after_restart (account->stored));
      /* one that was running, or was taken from its worker as nothing could be stored, has perhaps
         got on since that was recorded */
      if (cut_short || account->stored == TFD_JOB_STATE_QUEUED ||
          tfd_job_state_is_running (account->stored))
        months_used (self, account->id, FALSE);
      /* its creation came through, though nobody heard: the list of jobs says so */
      account->confirmed = TRUE;
      account->told = job->record->state;
      account->failures = account->arrivals = 0;
      if (account->told != TFD_JOB_STATE_SUSPENDED && account->told != TFD_JOB_STATE_ERROR &&
          account->told != TFD_JOB_STATE_TRANSFERRED && cut_short)
        account->resting = FALSE;
    }
  else if (!read_tombstone (self, account))
    {
      if (account->confirmed)
        g_error ("job %s is lost", account->id);
      account->ended = account->never = TRUE;
    }
}

void
months_check_start (Months *self, gboolean cut_short)
{
  self->shaken = months_now (self);
  for (guint i = 0; i < self->accounts->len; i++)
    check_account (self, self->accounts->pdata[i], cut_short);
}
