/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Verify: the first step of Complete: are all finished temporaries there, before any is renamed? */
#include "config.h"

#include "engine/work-private.h"

/* So many requests are under way, of so many files: looks do not wait for each other, two
 * processors have one each, and the next is on its way. */
#define REQUESTS 3
#define FILES_PER_REQUEST 500

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

/* A crash in the middle of looking: what was missing is recorded, that the job is not whole is not.
 */
static gboolean
was_interrupted (TfdWork *work)
{
  GPtrArray *files = work->job->files;

  if (work->intent || work->job->record->state != TFD_JOB_STATE_TRANSFERRED)
    return FALSE;
  for (guint i = 0; i < files->len; i++)
    if (((TfdFileRecord *) files->pdata[i])->state == TFD_FILE_STATE_MISSING)
      return TRUE;
  return FALSE;
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
  tfd_work_fail (work, tfd_work_file_error (work, work->job->files->pdata[failure.file],
                                            TFD_ERROR_COMMIT_FAILED, failure.message));
}

/* Nothing is achieved by that alone: a worker that dies each time it renames is given pauses. */
static void
names_committed_cb (const GError *error, gpointer data)
{
  TfdWork *work = data;

  if (error != NULL)
    tfd_work_answer_and_go_on (work, error);
  else
    tfd_work_finalize (work);
}

static void
verified (TfdWork *work)
{
  work->missing |= was_interrupted (work);
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
forget_targets (TfdWork *work, const TfdBatch *batch)
{
  for (guint32 i = batch->first; i < batch->next && work->overwrite != TFD_OVERWRITE_KEEP_BOTH; i++)
    {
      TfdFileRecord *file = tfd_work_file (work, i);

      if (file->target == NULL || file->state != TFD_FILE_STATE_TRANSFERRED ||
          !tfd_work_receives (work, file))
        continue;
      g_clear_pointer (&file->target, g_free);
      tfd_engine_save_file (work->engine, work->job, file);
    }
}

/* FALSE when the worker has given a reason not to go on, which is dealt with. */
static gboolean
take_looks (TfdWork *work, const TfdBatch *batch, GVariant *answer)
{
  g_autoptr (GVariantIter) iter = NULL;
  const char *status;
  GVariant *details;
  guint32 index;

  g_variant_get (answer, "(a(usa{sv}))", &iter);
  while (g_variant_iter_next (iter, "(u&s@a{sv})", &index, &status, &details))
    {
      g_autoptr (GVariant) owned = details;
      TfdFileRecord *file = tfd_work_file (work, index);
      const char *message = "its directory is not there: is it mounted?";

      if (file == NULL || index < batch->first || index >= batch->next ||
          file->state != TFD_FILE_STATE_TRANSFERRED)
        continue;
      g_variant_lookup (details, "message", "&s", &message);
      if (g_str_equal (status, "ok"))
        set_target (work, file, details);
      else if (g_str_equal (status, "in-place"))
        tfd_work_take_result (work, file, "renamed");
      else if (work->intent)
        continue; /* Finalize judges it, knowing that a crash may lie in between */
      else if (g_str_equal (status, "unavailable"))
        {
          tfd_work_save_completed (work);
          tfd_work_halt_with_words (work, file, TFD_ERROR_DESTINATION_UNAVAILABLE, message);
          return FALSE;
        }
      else
        lose_part (work, file, g_str_equal (status, "foreign"));
    }
  tfd_work_save_completed (work);
  forget_targets (work, batch);
  return TRUE;
}

static void
verified_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autofree TfdBatch *batch = user_data;
  TfdWork *work = batch->work;
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) answer =
      tfd_transport_request_finish (TFD_TRANSPORT (source), result, NULL, &error);

  work->under_way--;
  if (tfd_work_is_halted (work))
    return;
  if (answer != NULL)
    {
      if (take_looks (work, batch, answer))
        tfd_work_verify (work);
    }
  else if (tfd_work_may_try_again (work))
    tfd_work_halt (work, TFD_HALT_AGAIN, NULL);
  else
    tfd_work_halt (work, TFD_HALT_FAIL,
                   g_error_new (TFD_ERROR, TFD_ERROR_COMMIT_FAILED,
                                "the worker cannot look at the files: %s", error->message));
}

void
tfd_work_verify (TfdWork *work)
{
  while (work->under_way < REQUESTS &&
         tfd_work_send_batch (work, "Verify", wants_verify, FILES_PER_REQUEST, verified_cb))
    continue;
  if (work->under_way == 0)
    verified (work);
}
