/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Complete: verifies finished temporaries and renames them, batch by batch. */
#include "config.h"

#include "engine/work-private.h"

/* A free name for keep-both can be lost to somebody else this many times in a row. */
#define MAX_NAMES 100

/* A name that an earlier Complete chose is forgotten, unless the file got it. */
static void
set_target (TfdWork *work, TfdFileRecord *file, GVariant *details)
{
  g_autoptr (GVariant) target =
      g_variant_lookup_value (details, "target", G_VARIANT_TYPE_BYTESTRING);
  g_autofree char *before = g_steal_pointer (&file->target);

  if (target != NULL && work->overwrite == TFD_OVERWRITE_KEEP_BOTH)
    file->target = tfd_work_path_from_bytes (target);
  if (g_strcmp0 (before, file->target) != 0)
    tfd_engine_save_file (work->engine, work->job, file);
}

/* ---- finalize ---- */

static gboolean
wants_rename (const TfdWork *work G_GNUC_UNUSED, const TfdFileRecord *file)
{
  return file->state == TFD_FILE_STATE_TRANSFERRED;
}

/* Of files one after the other the last column changes in one statement. */
static void
save_completed (TfdWork *work)
{
  if (work->completed > 0)
    tfd_engine_save_completed (work->engine, work->job, work->first_completed, work->completed);
  work->completed = 0;
}

static void
add_completed (TfdWork *work, guint32 index)
{
  if (work->completed > 0 && index != work->first_completed + work->completed)
    save_completed (work);
  if (work->completed++ == 0)
    work->first_completed = index;
}

/* What became of one file. TRUE = go on; otherwise *failed is the file that stopped the walk. */
static gboolean
take_result (TfdWork *work, TfdFileRecord *file, const char *verdict)
{
  if (g_str_equal (verdict, "moved"))
    g_array_append_val (work->outcome->moved, file->index);
  else if (!g_str_equal (verdict, "renamed"))
    return FALSE;
  tfd_job_set_file_state (work->job, file, TFD_FILE_STATE_COMPLETED);
  add_completed (work, file->index);
  return TRUE;
}

/* @file, and those up to the one that the worker names: all that it was asked for in between. Only
 * what it was asked for counts. FALSE when that is nothing. */
static gboolean
take_renamed (TfdWork *work, const TfdFileRecord *file, GVariant *details)
{
  guint32 last = file->index;

  g_variant_lookup (details, "last", "u", &last);
  for (guint32 i = file->index; i < work->next && i <= last; i++)
    {
      TfdFileRecord *one = tfd_work_file (work, i);

      if (tfd_work_receives (work, one) && wants_rename (work, one))
        take_result (work, one, "renamed");
    }
  return file->state == TFD_FILE_STATE_COMPLETED;
}

static void
batch_committed_cb (const GError *error, gpointer data)
{
  TfdWork *work = data;

  if (error != NULL)
    {
      /* the files are in place, and what is under way is recorded as such */
      tfd_work_answer_and_go_on (work, error);
      return;
    }
  work->pauses = 0;
  tfd_work_finalize_next (work);
}

/* Nothing is achieved by that alone: a worker that dies each time it renames is given pauses. */
static void
names_committed_cb (const GError *error, gpointer data)
{
  TfdWork *work = data;

  if (error != NULL)
    tfd_work_answer_and_go_on (work, error);
  else
    tfd_work_finalize_next (work);
}

/* The words are a worker's. */
static void
fail_with_words (TfdWork *work, const TfdFileRecord *file, TfdErrorCode code, const char *words)
{
  g_autofree char *message = tfd_transport_tame (words);

  tfd_work_fail_file (work, file, code, message);
}

static void
fail_or_rename_again (TfdWork *work, TfdFileRecord *file, const char *verdict, GVariant *details)
{
  const char *message = "the worker gave no reason", *name = "";
  TfdErrorCode code = TFD_ERROR_COMMIT_FAILED;

  g_variant_lookup (details, "message", "&s", &message);
  g_variant_lookup (details, "error", "&s", &name);
  if (tfd_error_code_from_name (name, &code) && code != TFD_ERROR_DESTINATION_UNAVAILABLE)
    code = TFD_ERROR_COMMIT_FAILED;
  if (g_str_equal (verdict, "taken") && work->names++ < MAX_NAMES)
    {
      /* somebody took the name since it was chosen: choose another and commit it first */
      g_clear_pointer (&file->target, g_free);
      work->cursor = file->index;
      tfd_work_verify_next (work);
      return;
    }
  fail_with_words (work, file, code, message);
}

/* Moves the cursor past what is in place: it is not looked at for each batch again. */
static gboolean
is_all_in_place (TfdWork *work)
{
  GPtrArray *files = work->job->files;

  while (work->cursor < files->len &&
         (!tfd_work_receives (work, files->pdata[work->cursor]) ||
          ((TfdFileRecord *) files->pdata[work->cursor])->state == TFD_FILE_STATE_COMPLETED))
    work->cursor++;
  return work->cursor == files->len;
}

static void
finalized_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  TfdWork *work = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) answer =
      tfd_transport_request_finish (TFD_TRANSPORT (source), result, NULL, &error);
  g_autoptr (GVariantIter) iter = NULL;
  gboolean progress = FALSE;
  const char *verdict;
  GVariant *details;
  guint32 index;

  if (answer == NULL)
    {
      /* pauses are for a worker that is gone: one that answers has tried, and says why not */
      if (error->domain != TFD_ERROR && tfd_work_may_try_again (work))
        tfd_work_again (work);
      else
        tfd_work_fail (work,
                       g_error_new (TFD_ERROR, TFD_ERROR_COMMIT_FAILED,
                                    "the worker cannot rename the files: %s", error->message));
      return;
    }

  g_variant_get (answer, "(a(usa{sv}))", &iter);
  while (g_variant_iter_next (iter, "(u&s@a{sv})", &index, &verdict, &details))
    {
      g_autoptr (GVariant) owned = details;
      TfdFileRecord *file = tfd_work_file (work, index);

      if (file == NULL || index >= work->next || !tfd_work_receives (work, file) ||
          !wants_rename (work, file))
        continue;
      if (g_str_equal (verdict, "renamed"))
        progress |= take_renamed (work, file, details);
      else if (!take_result (work, file, verdict))
        {
          save_completed (work);
          tfd_work_remember_options (work);
          fail_or_rename_again (work, file, verdict, details);
          return;
        }
      else
        progress = TRUE;
    }
  if (!progress)
    {
      tfd_work_fail (work, g_error_new_literal (TFD_ERROR, TFD_ERROR_COMMIT_FAILED,
                                                "the worker renamed nothing and gave no reason"));
      return;
    }
  if (is_all_in_place (work))
    {
      /* the job ends in the commit that would have said so; a crash before it is one before that */
      work->completed = 0;
      tfd_engine_touch (work->engine, work->job);
      tfd_work_end (work);
      return;
    }
  save_completed (work);
  tfd_work_remember_options (work);
  tfd_engine_save_job (work->engine, work->job, NULL);
  tfd_outbox_add (work->engine->outbox, batch_committed_cb, work, NULL);
}

void
tfd_work_finalize_next (TfdWork *work)
{
  g_autoptr (GVariant) files =
      is_all_in_place (work) ? NULL : tfd_work_next_batch (work, wants_rename);

  if (files == NULL)
    {
      work->cursor = 0;
      tfd_work_discard_next (work);
      return;
    }
  tfd_work_send (
      work, "Finalize",
      g_variant_new ("(s@a{sv}@ay)", work->job->record->id, tfd_work_request_options (work), files),
      finalized_cb);
  tfd_work_pack_ahead (work, wants_rename);
}

/* ---- verify ---- */

/* Files in place are shown to a worker too, so that it never replaces one of them by another. */
static gboolean
wants_verify (const TfdWork *work, const TfdFileRecord *file)
{
  if (file->state == TFD_FILE_STATE_COMPLETED)
    return TRUE;
  return file->state == TFD_FILE_STATE_TRANSFERRED && (!work->intent || file->target == NULL);
}

static void
lose_part (TfdWork *work, TfdFileRecord *file, gboolean foreign)
{
  if (!work->missing)
    work->foreign = foreign;
  work->missing = TRUE;
  tfd_engine_lose_part (work->engine, work->job, file);
}

static void
fail_missing (TfdWork *work)
{
  g_auto (TfdFailure) failure = {
    .code = TFD_ERROR_FILE_MISSING,
    .context = TFD_ERROR_CONTEXT_LOCAL_FILE,
    .file = G_MAXUINT32,
  };
  gboolean reply = work->job->record->type != TFD_JOB_TYPE_DOWNLOAD;

  failure.message = g_strdup_printf (
      "its temporary file %s; Resume %s",
      work->foreign ? "was replaced, or has a second name, and is left alone"
                    : "is not there any more",
      reply ? "sends the file again, to have another reply" : "fetches the file again");
  for (guint i = 0; i < work->job->files->len && failure.file == G_MAXUINT32; i++)
    if (((TfdFileRecord *) work->job->files->pdata[i])->state == TFD_FILE_STATE_MISSING)
      failure.file = i;
  if (failure.file == G_MAXUINT32)
    {
      /* that it is missing could not be recorded */
      work->missing = FALSE;
      tfd_work_fail (work,
                     g_error_new_literal (TFD_ERROR, TFD_ERROR_COMMIT_FAILED, failure.message));
      return;
    }
  tfd_engine_apply (work->engine, work->job, TFD_EVENT_PART_MISSING, TFD_GUARD_NONE, &failure,
                    NULL);
  tfd_work_fail_file (work, work->job->files->pdata[failure.file], TFD_ERROR_COMMIT_FAILED,
                      failure.message);
}

static void
verified (TfdWork *work)
{
  if (work->missing)
    fail_missing (work);
  else if (!work->intent)
    tfd_work_commit_intent (work);
  else
    {
      /* recovering, or a name was chosen anew: that has to be durable before it is used */
      work->cursor = 0;
      tfd_engine_save_job (work->engine, work->job, NULL);
      tfd_outbox_add (work->engine->outbox, names_committed_cb, work, NULL);
    }
}

/* Files that are in order are not named. Those that are not in place lose a name that was chosen
 * for a Complete before this one, when this one wants no such names. */
static void
forget_targets (TfdWork *work)
{
  for (guint32 i = work->cursor; i < work->next && work->overwrite != TFD_OVERWRITE_KEEP_BOTH; i++)
    {
      TfdFileRecord *file = tfd_work_file (work, i);

      if (file->target == NULL || file->state != TFD_FILE_STATE_TRANSFERRED ||
          !tfd_work_receives (work, file))
        continue;
      g_clear_pointer (&file->target, g_free);
      tfd_engine_save_file (work->engine, work->job, file);
    }
}

static void
verified_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  TfdWork *work = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) answer =
      tfd_transport_request_finish (TFD_TRANSPORT (source), result, NULL, &error);
  g_autoptr (GVariantIter) iter = NULL;
  const char *status;
  GVariant *details;
  guint32 index;

  if (answer == NULL)
    {
      if (tfd_work_may_try_again (work))
        tfd_work_again (work);
      else
        tfd_work_fail (work,
                       g_error_new (TFD_ERROR, TFD_ERROR_COMMIT_FAILED,
                                    "the worker cannot look at the files: %s", error->message));
      return;
    }

  g_variant_get (answer, "(a(usa{sv}))", &iter);
  while (g_variant_iter_next (iter, "(u&s@a{sv})", &index, &status, &details))
    {
      g_autoptr (GVariant) owned = details;
      TfdFileRecord *file = tfd_work_file (work, index);
      const char *message = "its directory is not there: is it mounted?";

      if (file == NULL || file->state != TFD_FILE_STATE_TRANSFERRED)
        continue;
      g_variant_lookup (details, "message", "&s", &message);
      if (g_str_equal (status, "ok"))
        set_target (work, file, details);
      else if (g_str_equal (status, "in-place"))
        take_result (work, file, "renamed");
      else if (work->intent)
        continue; /* Finalize judges it, knowing that a crash may lie in between */
      else if (g_str_equal (status, "unavailable"))
        {
          save_completed (work);
          fail_with_words (work, file, TFD_ERROR_DESTINATION_UNAVAILABLE, message);
          return;
        }
      else
        lose_part (work, file, g_str_equal (status, "foreign"));
    }
  save_completed (work);
  forget_targets (work);
  work->cursor = work->next;
  tfd_work_verify_next (work);
}

void
tfd_work_verify_next (TfdWork *work)
{
  g_autoptr (GVariant) files = tfd_work_next_batch (work, wants_verify);

  if (files == NULL)
    {
      verified (work);
      return;
    }
  tfd_work_send (
      work, "Verify",
      g_variant_new ("(s@a{sv}@ay)", work->job->record->id, tfd_work_request_options (work), files),
      verified_cb);
  tfd_work_pack_ahead (work, wants_verify);
}
