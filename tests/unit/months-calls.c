/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Months, calls: what has to come of a call at once, and what its caller may rely on once it was
 * answered. */
#include "months-calls.h"

void
months_account_free (gpointer data)
{
  Account *account = data;

  g_free (account->id);
  g_free (account);
}

void
months_call_free (gpointer data)
{
  Call *call = data;

  g_clear_pointer (&call->files, g_ptr_array_unref);
  g_clear_pointer (&call->options, g_variant_unref);
  g_free (call);
}

Call *
months_call_new (Months *self, Account *account, Kind kind)
{
  Call *call = g_new0 (Call, 1);

  *call = (Call){ .world = self, .account = account, .kind = kind, .asked = self->true_time };
  if (account != NULL)
    call->user = account->user;
  g_hash_table_add (self->calls, call);
  return call;
}

void
months_used (Months *self, const char *job, gboolean sure)
{
  Account *account = g_hash_table_lookup (self->by_id, job);

  account->possible = self->counted_time;
  if (sure)
    account->sure = self->true_time;
}

/* ---- answers ---- */

static void
confirm (Call *call)
{
  Account *account = call->account;

  if (call->kind == CREATE)
    account->confirmed = TRUE;
  if (call->kind == ADD || call->kind == CREATE)
    account->files_least += call->files->len;
  if (call->kind == SET && call->value >= 0 && account->changes == call->change)
    account->priority = call->value;
  if (call->used)
    account->sure = MAX (account->sure, call->asked);
}

void
months_answered (Call *call)
{
  if (call->kind == RESUME)
    call->account->resumes--;
  g_hash_table_remove (call->world->calls, call);
}

static void
reply_cb (const GError *error, gpointer data)
{
  Call *call = data;

  if (call->world->dying)
    return;
  if (error == NULL)
    confirm (call);
  months_answered (call);
}

void
months_decide (Call *call, const GError *error)
{
  call->decided = TRUE;
  if (error == NULL)
    tfd_outbox_add (tfd_engine_get_outbox (call->world->fixture->engine), reply_cb, call, NULL);
  else
    months_answered (call);
}

static void
check_outcome (Call *call, const TfdOutcome *outcome)
{
  const Account *account = call->account;

  /* it was told before */
  g_assert_true (account->ended);
  g_assert_cmpint (outcome->result, ==, account->result);
  if (call->kind == CANCEL)
    g_assert_cmpint (outcome->result, ==, TFD_RESULT_CANCELLED);
  else
    g_assert_cmpint (outcome->result, ==,
                     outcome->discarded->len > 0 ? TFD_RESULT_PARTIAL : TFD_RESULT_COMPLETED);
}

static void
outcome_cb (TfdJob *job, const TfdOutcome *outcome, const GError *error, gpointer data)
{
  Call *call = data;

  if (call->world->dying)
    return;
  if (outcome != NULL)
    check_outcome (call, outcome);
  else if (error->code == TFD_ERROR_INVALID_STATE)
    g_assert_true (tfd_job_state_is_final (tfd_job_record (job)->state));
  else
    g_assert_true (error->code == TFD_ERROR_COMMIT_FAILED ||
                   error->code == TFD_ERROR_STORAGE_FAILED ||
                   error->code == TFD_ERROR_NOT_TRANSFERRED);
  call->decided = TRUE;
  months_answered (call);
}

void
months_change_user (Account *account, guint32 uid)
{
  if (account->taker != NULL && account->taker->uid == uid)
    account->user = account->taker;
  account->taker = NULL;
}

static void
taken_cb (TfdJob *job, const GError *error, gpointer data)
{
  Call *call = data;

  if (call->world->dying)
    return;
  months_change_user (call->account, error == NULL ? call->user->uid : G_MAXUINT32);
  months_used (call->world, tfd_job_id (job), FALSE);
  if (error != NULL)
    g_assert_true (error->code == TFD_ERROR_FILE_ACCESS_DENIED ||
                   error->code == TFD_ERROR_WORKER_LOST || error->code == TFD_ERROR_INVALID_STATE ||
                   error->code == TFD_ERROR_STORAGE_FAILED ||
                   error->code == TFD_ERROR_TOO_MANY_JOBS_PER_USER);
  call->decided = TRUE;
  months_answered (call);
}

static void
take (Call *call, TfdJob *job)
{
  const TfdOwner owner = { call->user->uid, call->user->name, NULL };

  call->account->taker = call->user;
  tfd_engine_take_ownership (call->world->fixture->engine, job, &owner, NULL, taken_cb, call);
}

void
months_forget_calls (Months *self)
{
  GHashTableIter iter;
  Call *call;

  g_hash_table_iter_init (&iter, self->calls);
  while (g_hash_table_iter_next (&iter, (gpointer *) &call, NULL))
    {
      if (call->kind == RESUME)
        {
          call->account->resumes--;
          call->account->resting = FALSE;
        }
      g_hash_table_iter_remove (&iter);
    }
}

void
months_check_calls (Months *self)
{
  GHashTableIter iter;
  Call *call;

  g_hash_table_iter_init (&iter, self->calls);
  while (g_hash_table_iter_next (&iter, (gpointer *) &call, NULL))
    {
      TfdJob *job = call->account == NULL
                        ? NULL
                        : tfd_engine_get_job (self->fixture->engine, call->account->id);

      if (!call->probing && (call->decided || job == NULL || job->work == NULL))
        g_error ("a call of kind %d is never answered", call->kind);
    }
}

/* ---- what must come of a call at once ---- */

static void
check_resume (const TfdJobRecord *before, const TfdJobRecord *after, const GError *error)
{
  if (tfd_job_state_is_final (before->state))
    g_assert_error (error, TFD_ERROR, TFD_ERROR_INVALID_STATE);
  else if (before->files_transferred == before->files_total)
    g_assert_error (error, TFD_ERROR, TFD_ERROR_EMPTY);
  else
    {
      g_assert_no_error (error);
      g_assert_cmpint (after->state, ==,
                       tfd_job_state_is_running (before->state) ? before->state
                                                                : TFD_JOB_STATE_QUEUED);
    }
}

static void
check_suspend (const TfdJobRecord *before, const TfdJobRecord *after, const GError *error)
{
  if (tfd_job_state_is_final (before->state))
    {
      g_assert_error (error, TFD_ERROR, TFD_ERROR_INVALID_STATE);
      return;
    }
  g_assert_no_error (error);
  g_assert_cmpint (after->state, ==,
                   before->state == TFD_JOB_STATE_ERROR ||
                           before->state == TFD_JOB_STATE_TRANSFERRED
                       ? before->state
                       : TFD_JOB_STATE_SUSPENDED);
}

static void
check_change (const TfdJobRecord *before, const TfdJobRecord *after, const GError *error)
{
  if (tfd_job_state_is_final (before->state))
    g_assert_error (error, TFD_ERROR, TFD_ERROR_INVALID_STATE);
  else if (error == NULL)
    g_assert_cmpint (after->state, ==, before->state);
  else
    g_assert_true (error->code == TFD_ERROR_DUPLICATE_DESTINATION ||
                   error->code == TFD_ERROR_READ_ONLY_AFTER_RESUME ||
                   error->code == TFD_ERROR_READ_ONLY_AFTER_ADD_FILE ||
                   error->code == TFD_ERROR_NOT_COMPATIBLE);
}

static void
check_rename (const TfdJobRecord *before, const TfdJobRecord *after, const GError *error)
{
  if (error == NULL && tfd_job_state_is_running (before->state))
    g_assert_true (after->state == before->state || after->state == TFD_JOB_STATE_QUEUED);
  else
    check_change (before, after, error);
}

static void
check_validation (Call *call, const TfdJobRecord *before, const TfdJobRecord *after, GError *error)
{
  if (error != NULL)
    g_assert_true (error->code == TFD_ERROR_INVALID_STATE || error->code == TFD_ERROR_INVALID_ARGS);
  else
    g_assert_cmpint (after->state, ==, call->value ? before->state : TFD_JOB_STATE_ERROR);
}

/* ---- doing it ---- */

static void
add (Call *call, TfdJob *job, GError **error)
{
  guint32 before = tfd_job_record (job)->files_total, first;

  call->account->files_most += call->files->len;
  if (tfd_engine_add_files (call->world->fixture->engine, job, call->files, NULL, NULL, &first,
                            error))
    {
      g_assert_cmpuint (first, ==, before);
      g_assert_cmpuint (tfd_job_record (job)->files_total, ==, before + call->files->len);
    }
}

static void
rename_files (Call *call, TfdJob *job, GError **error)
{
  TfdEngine *engine = call->world->fixture->engine;
  guint n = tfd_job_record (job)->files_total;
  guint32 changed;

  if (n > 0 && call->value)
    {
      g_autofree char *url = months_url (call->world, "moved");

      tfd_engine_set_remote_name (engine, job, months_pick (call->world, n), url, error);
    }
  else
    tfd_engine_replace_remote_prefix (engine, job, "http://dead.example/", "http://good.example/",
                                      &changed, error);
}

static void
perform (TfdJob *job, gpointer data)
{
  Call *call = data;
  TfdEngine *engine = call->world->fixture->engine;
  TfdJobRecord before = *tfd_job_record (job);
  const TfdJobRecord *after;
  g_autoptr (GError) error = NULL;

  months_used (call->world, tfd_job_id (job), FALSE);
  if (call->kind == TAKE)
    {
      take (call, job); /* may be answered already */
      return;
    }
  call->used = TRUE;
  if (call->kind == COMPLETE)
    tfd_engine_complete (engine, job, call->options, outcome_cb, call);
  else if (call->kind == CANCEL)
    tfd_engine_cancel (engine, job, outcome_cb, call);
  if (call->kind == COMPLETE || call->kind == CANCEL)
    return;

  if (call->kind == RESUME)
    tfd_engine_resume (engine, job, &error);
  else if (call->kind == SUSPEND)
    tfd_engine_suspend (engine, job, &error);
  else if (call->kind == ADD)
    add (call, job, &error);
  else if (call->kind == SET)
    tfd_engine_set_properties (engine, job, call->options, &error);
  else if (call->kind == RENAME)
    rename_files (call, job, &error);
  else
    tfd_engine_set_validation_state (engine, job, months_pick (call->world, 4), call->value,
                                     &error);
  after = tfd_job_record (job);
  call->used = after->last_activity == months_now (call->world);
  if (g_error_matches (error, TFD_ERROR, TFD_ERROR_STORAGE_FAILED))
    ;
  else if (call->kind == RESUME)
    check_resume (&before, after, error);
  else if (call->kind == SUSPEND)
    check_suspend (&before, after, error);
  else if (call->kind == VALIDATE)
    check_validation (call, &before, after, error);
  else if (call->kind == RENAME)
    check_rename (&before, after, error);
  else
    check_change (&before, after, error);
  months_decide (call, error);
}

void
months_ask (Call *call)
{
  TfdEngine *engine = call->world->fixture->engine;
  TfdJob *job = tfd_engine_get_job (engine, call->account->id);

  if (call->kind == RESUME)
    {
      call->account->resumes++;
      call->account->resting = FALSE;
    }
  if (job == NULL)
    months_answered (call);
  else if (tfd_engine_is_busy (engine, job))
    tfd_engine_when_free (engine, job, perform, call, NULL);
  else
    perform (job, call);
}
