/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Complete: has temporaries renamed, batch by batch, once they are verified. */
#include "config.h"

#include "engine/work-private.h"

/* A free name for keep-both can be lost to somebody else this many times in a row. */
#define MAX_NAMES 100

/* So many requests are under way: while the worker has one, the next is on its way to it, and what
 * the one before has done is committed. */
#define REQUESTS 2

/* After each request directories are synced; the first is not to be waited for. */
#define FILES_PER_REQUEST 1000
#define FILES_OF_THE_FIRST 500

static gboolean
wants_rename (const TfdWork *work G_GNUC_UNUSED, const TfdFileRecord *file)
{
  return file->state == TFD_FILE_STATE_TRANSFERRED;
}

void
tfd_work_save_completed (TfdWork *work)
{
  if (work->completed > 0)
    tfd_engine_save_completed (work->engine, work->job, work->first_completed, work->completed);
  work->completed = 0;
}

static void
add_completed (TfdWork *work, guint32 index)
{
  if (work->completed > 0 && index != work->first_completed + work->completed)
    tfd_work_save_completed (work);
  if (work->completed++ == 0)
    work->first_completed = index;
}

gboolean
tfd_work_take_result (TfdWork *work, TfdFileRecord *file, const char *verdict)
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
take_renamed (TfdWork *work, const TfdBatch *batch, const TfdFileRecord *file, GVariant *details)
{
  guint32 last = file->index;

  g_variant_lookup (details, "last", "u", &last);
  for (guint32 i = file->index; i < batch->next && i <= last; i++)
    {
      TfdFileRecord *one = tfd_work_file (work, i);

      if (tfd_work_receives (work, one) && wants_rename (work, one))
        tfd_work_take_result (work, one, "renamed");
    }
  return file->state == TFD_FILE_STATE_COMPLETED;
}

static void finalize_go_on (TfdWork *work);

static void
batch_committed_cb (const GError *error, gpointer data)
{
  TfdWork *work = data;

  work->commits--;
  if (error != NULL)
    {
      /* the files are in place, and what is under way is recorded as such */
      tfd_work_halt (work, TFD_HALT_ANSWER, g_error_copy (error));
      return;
    }
  work->pauses = 0;
  if (!tfd_work_is_halted (work))
    finalize_go_on (work);
}

static void
commit_batch (TfdWork *work)
{
  tfd_work_save_completed (work);
  tfd_work_remember_options (work);
  tfd_engine_save_job (work->engine, work->job, NULL);
  work->commits++;
  tfd_outbox_add (work->engine->outbox, batch_committed_cb, work, NULL);
}

void
tfd_work_halt_with_words (TfdWork *work,
                          const TfdFileRecord *file,
                          TfdErrorCode code,
                          const char *words)
{
  g_autofree char *message = tfd_transport_tame (words);

  tfd_work_halt (work, TFD_HALT_FAIL, tfd_work_file_error (work, file, code, message));
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
      tfd_work_halt (work, TFD_HALT_VERIFY, NULL);
      return;
    }
  tfd_work_halt_with_words (work, file, code, message);
}

/* What is known to be in place is not looked at for each batch again. */
static gboolean
is_all_in_place (TfdWork *work)
{
  GPtrArray *files = work->job->files;

  while (work->in_place < files->len &&
         (!tfd_work_receives (work, files->pdata[work->in_place]) ||
          ((TfdFileRecord *) files->pdata[work->in_place])->state == TFD_FILE_STATE_COMPLETED))
    work->in_place++;
  return work->in_place == files->len;
}

/* The worker left some out without a word. */
static gboolean
has_left_out (TfdWork *work)
{
  for (work->cursor = 0; work->cursor < work->job->files->len; work->cursor++)
    {
      const TfdFileRecord *file = tfd_work_file (work, work->cursor);

      if (tfd_work_receives (work, file) && wants_rename (work, file))
        return TRUE;
    }
  return FALSE;
}

/* FALSE when the worker has given a reason not to go on, which is dealt with. */
static gboolean
take_answer (TfdWork *work, const TfdBatch *batch, GVariant *answer, gboolean *progress)
{
  g_autoptr (GVariantIter) iter = NULL;
  const char *verdict;
  GVariant *details;
  guint32 index;

  g_variant_get (answer, "(a(usa{sv}))", &iter);
  while (g_variant_iter_next (iter, "(u&s@a{sv})", &index, &verdict, &details))
    {
      g_autoptr (GVariant) owned = details;
      TfdFileRecord *file = tfd_work_file (work, index);

      if (file == NULL || index < batch->first || index >= batch->next ||
          !tfd_work_receives (work, file) || !wants_rename (work, file))
        continue;
      if (g_str_equal (verdict, "renamed"))
        *progress |= take_renamed (work, batch, file, details);
      else if (tfd_work_take_result (work, file, verdict))
        *progress = TRUE;
      else
        {
          /* what was renamed before it is recorded before anything is said of it */
          commit_batch (work);
          fail_or_rename_again (work, file, verdict, details);
          return FALSE;
        }
    }
  return TRUE;
}

static void
finalized_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autofree TfdBatch *batch = user_data;
  TfdWork *work = batch->work;
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) answer =
      tfd_transport_request_finish (TFD_TRANSPORT (source), result, NULL, &error);
  gboolean progress = FALSE;

  work->under_way--;
  if (tfd_work_is_halted (work))
    return;
  if (answer == NULL)
    {
      /* pauses are for a worker that is gone: one that answers has tried, and says why not */
      if (error->domain != TFD_ERROR && tfd_work_may_try_again (work))
        tfd_work_halt (work, TFD_HALT_AGAIN, NULL);
      else
        tfd_work_halt (work, TFD_HALT_FAIL,
                       g_error_new (TFD_ERROR, TFD_ERROR_COMMIT_FAILED,
                                    "the worker cannot rename the files: %s", error->message));
      return;
    }

  if (!take_answer (work, batch, answer, &progress))
    return;
  if (!progress && batch->step > 0 && tfd_work_may_try_again (work))
    {
      /* a worker that was started in the middle of the walk does not go on with it */
      tfd_work_halt (work, TFD_HALT_AGAIN, NULL);
      return;
    }
  if (!progress)
    {
      tfd_work_halt (work, TFD_HALT_FAIL,
                     g_error_new_literal (TFD_ERROR, TFD_ERROR_COMMIT_FAILED,
                                          "the worker renamed nothing and gave no reason"));
      return;
    }
  if (work->under_way > 0 || work->commits > 0 || !is_all_in_place (work))
    {
      commit_batch (work);
      return;
    }
  /* the job ends in the commit that would have said so; a crash before it is one before that */
  work->completed = 0;
  tfd_engine_touch (work->engine, work->job);
  tfd_work_end (work);
}

/* The worker goes through the requests of a walk one after the other and not past one that has
 * failed; so none is needed to have been committed before the next is sent: what a crash leaves is
 * a batch more that is in place and not recorded. */
static void
finalize_go_on (TfdWork *work)
{
  gboolean sent = TRUE;

  while (sent && work->under_way + work->commits < REQUESTS)
    {
      sent = tfd_work_send_batch (work, "Finalize", wants_rename,
                                  work->step == 0 ? FILES_OF_THE_FIRST : FILES_PER_REQUEST,
                                  finalized_cb);
      work->step += sent;
    }
  if (work->under_way > 0 || work->commits > 0)
    return;
  if (has_left_out (work))
    finalize_go_on (work);
  else
    {
      work->cursor = 0;
      tfd_work_discard_next (work);
    }
}

void
tfd_work_finalize (TfdWork *work)
{
  work->cursor = 0;
  work->in_place = 0;
  work->walk++;
  work->step = 0;
  finalize_go_on (work);
}
