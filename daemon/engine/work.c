/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Work: Complete and Cancel, the transaction for which everything else exists.
 *
 * Complete: stop the run; verify that every finished temporary is there and ours; commit the
 * intent; rename batch by batch, each batch synced by the worker before it is committed here, while
 * the worker has the next; discard what is unfinished; commit the end together with the tombstone;
 * tell. Until the intent is committed nothing has happened and the job goes on as before; after it,
 * a crash at any point is rolled forward from what is committed. Cancel has the same shape with
 * only the discard. */
#include "config.h"

#include "engine/work-private.h"

#define MAX_WORDS 2048 /* bytes */

TfdWork *
tfd_work_new (TfdEngine *self, TfdJob *job, TfdOperation kind, TfdOutcomeFunc func, gpointer data)
{
  TfdWork *work = g_new0 (TfdWork, 1);

  work->engine = self;
  work->job = tfd_job_ref (job);
  work->kind = kind;
  work->undeleted = g_hash_table_new_full (NULL, NULL, NULL, g_free);
  work->outcome = tfd_outcome_new ();
  work->func = func;
  work->data = data;
  job->work = work;
  return work;
}

/* The job is free again; what waited for that is decided now. */
void
tfd_work_free (TfdWork *work)
{
  g_autoptr (TfdJob) job = work->job;

  job->work = NULL;
  tfd_clock_remove_alarm (job->engine->clock, work->alarm);
  /* it was taken from its worker and nothing came of it: it runs on */
  if (job->run == NULL && tfd_job_state_is_running (job->record->state))
    tfd_engine_apply (job->engine, job, TFD_EVENT_WORKER_LOST, TFD_GUARD_NONE, NULL, NULL);
  g_hash_table_unref (work->undeleted);
  tfd_outcome_free (work->outcome);
  g_clear_error (&work->halt_error);
  g_free (work);
  tfd_job_serve_waiting (job);
  tfd_engine_forget_files_later (job->engine, job);
  tfd_engine_plan_later (job->engine);
}

void
tfd_work_set_operation (TfdWork *work, TfdOperation operation)
{
  work->job->record->operation = operation;
  tfd_engine_tell_changed (work->engine, work->job, TFD_CHANGED_STATE);
}

static GVariant *
operation_options (TfdWork *work)
{
  g_auto (GVariantDict) dict = G_VARIANT_DICT_INIT (NULL);
  const GArray *moved = work->outcome->moved;

  g_variant_dict_insert (&dict, "overwrite", "s",
                         tfd_enum_to_string (TFD_TYPE_OVERWRITE, work->overwrite));
  g_variant_dict_insert (&dict, "keep-newer", "b", work->keep_newer);
  g_variant_dict_insert (&dict, "expired", "b", work->expired);
  g_variant_dict_insert_value (
      &dict, "moved",
      g_variant_new_fixed_array (G_VARIANT_TYPE_UINT32, moved->data, moved->len, sizeof (guint32)));
  return g_variant_ref_sink (g_variant_dict_end (&dict));
}

void
tfd_work_remember_options (TfdWork *work)
{
  g_clear_pointer (&work->job->record->operation_options, g_variant_unref);
  work->job->record->operation_options = operation_options (work);
}

/* ---- failure ---- */

typedef struct
{
  TfdJob *job; /* (owned) */
  TfdOutcomeFunc func;
  gpointer data;
  GError *error; /* (owned) (nullable) */
} Report;

static void
report_free (Report *report)
{
  tfd_job_unref (report->job);
  g_clear_error (&report->error);
  g_free (report);
}

static void
report_failure_cb (const GError *error, gpointer data)
{
  Report *report = data;

  report->func (report->job, NULL, error != NULL ? error : report->error, report->data);
}

/* A worker may have chosen the words: they go into the log, the journal and a reply. */
static void
shorten (GError *error)
{
  char *message =
      g_utf8_make_valid (error->message, (gssize) MIN (strlen (error->message), MAX_WORDS));

  g_free (error->message);
  error->message = message;
}

/* Whatever mounts come: somebody must do something about it before AutoComplete is worth a try. */
#define AUTO_COMPLETE_PAUSE (3600 * (gint64) TFD_USEC_PER_SEC)

/* The job stays: transferred when all of it is there, else suspended. Takes @error. */
void
tfd_work_fail (TfdWork *work, GError *error)
{
  TfdEngine *self = work->engine;
  TfdJob *job = work->job;
  TfdLogJob log = tfd_job_log (job);
  /* when nobody hears of the failure, as its caller is gone, it must not be one yet */
  gboolean wait = work->func == NULL && work->recovering &&
                  g_error_matches (error, TFD_ERROR, TFD_ERROR_DESTINATION_UNAVAILABLE);

  shorten (error);
  tfd_job_message (&log, "could not be completed: %s", error->message);
  tfd_engine_log_event (self, job, "complete-failed",
                        g_variant_new_parsed ("{'message': <%s>}", error->message));
  if (!wait)
    g_clear_pointer (&job->record->operation_options, g_variant_unref);
  tfd_work_set_operation (work, TFD_OPERATION_NONE);
  /* before the intent nothing has happened: only what lost a file does not go on as it did */
  if (work->missing && !work->intent)
    tfd_engine_apply (self, job, TFD_EVENT_COMPLETE, TFD_GUARD_NONE, NULL, NULL);
  if (work->missing || work->intent)
    tfd_engine_apply (self, job, TFD_EVENT_COMPLETE_FAILED, TFD_GUARD_NONE, NULL, NULL);
  tfd_engine_save_job (self, job, NULL);
  tfd_engine_tell_changed (self, job, TFD_CHANGED_PROGRESS);
  if (work->func == NULL && !g_error_matches (error, TFD_ERROR, TFD_ERROR_DESTINATION_UNAVAILABLE))
    job->auto_complete_after = tfd_clock_now_boot (self->clock) + AUTO_COMPLETE_PAUSE;

  if (error->domain == TFD_ERROR && error->code != TFD_ERROR_COMMIT_FAILED)
    error->code = TFD_ERROR_COMMIT_FAILED;
  if (work->func != NULL)
    {
      Report *report = g_new (Report, 1);

      *report = (Report){ tfd_job_ref (job), work->func, work->data, error };
      tfd_outbox_add (self->outbox, report_failure_cb, report, (GDestroyNotify) report_free);
    }
  else
    g_error_free (error);
  tfd_work_free (work);
}

GError *
tfd_work_file_error (const TfdWork *work,
                     const TfdFileRecord *file,
                     TfdErrorCode code,
                     const char *message)
{
  g_autofree char *path = g_filename_display_name (file->target ? file->target : file->path);

  if (tfd_file_is_reply (work->job->record->type, file->index))
    return g_error_new (TFD_ERROR, code, "the reply ‘%s’: %s", path, message);
  return g_error_new (TFD_ERROR, code, "file %u ‘%s’: %s", file->index, path, message);
}

gboolean
tfd_job_awaits_destination (const TfdJob *job)
{
  return job->work == NULL && job->record->operation == TFD_OPERATION_NONE &&
         job->record->operation_options != NULL && !tfd_job_state_is_final (job->record->state);
}

/* ---- requests ---- */

void
tfd_work_send (TfdWork *work,
               const char *method,
               GVariant *parameters,
               GAsyncReadyCallback callback,
               gpointer data)
{
  TfdOwner owner = tfd_job_owner (work->job);

  tfd_transport_request_async (work->engine->transport, &owner, method, parameters, callback, data);
}

gboolean
tfd_work_receives (const TfdWork *work, const TfdFileRecord *file)
{
  return tfd_file_direction (work->job->record->type, file->index) == TFD_DIRECTION_RECEIVE;
}

GVariant *
tfd_work_request_options (TfdWork *work)
{
  g_auto (GVariantDict) dict = G_VARIANT_DICT_INIT (NULL);

  g_variant_dict_insert (&dict, "overwrite", "s",
                         tfd_enum_to_string (TFD_TYPE_OVERWRITE, work->overwrite));
  g_variant_dict_insert (&dict, "keep-newer", "b", work->keep_newer);
  g_variant_dict_insert (&dict, "recovering", "b", work->recovering);
  g_variant_dict_insert (&dict, "walk", "u", work->walk);
  g_variant_dict_insert (&dict, "step", "u", work->step);
  return g_variant_dict_end (&dict);
}

TfdFileRecord *
tfd_work_file (TfdWork *work, guint32 index)
{
  return work->job->files != NULL && index < work->job->files->len ? work->job->files->pdata[index]
                                                                   : NULL;
}

char *
tfd_work_path_from_bytes (GVariant *bytes)
{
  gsize length;
  const char *data = g_variant_get_fixed_array (bytes, &length, 1);

  return length > 0 && length < PATH_MAX && memchr (data, 0, length) == NULL
             ? g_strndup (data, length)
             : NULL;
}

/* ---- intent ---- */

static void
intent_committed_cb (const GError *error, gpointer data)
{
  TfdWork *work = data;

  if (error != NULL)
    {
      if (work->func != NULL)
        work->func (work->job, NULL, error, work->data);
      tfd_work_free (work);
      return;
    }
  work->intent = TRUE;
  work->cursor = 0;
  work->pauses = 0;
  if (work->kind == TFD_OPERATION_CANCELLING)
    tfd_work_discard_next (work);
  else
    tfd_work_finalize (work);
}

void
tfd_work_commit_intent (TfdWork *work)
{
  tfd_work_remember_options (work);
  tfd_work_set_operation (work, work->kind);
  tfd_engine_apply (work->engine, work->job,
                    work->expired                            ? TFD_EVENT_INACTIVE
                    : work->kind == TFD_OPERATION_CANCELLING ? TFD_EVENT_CANCEL
                                                             : TFD_EVENT_COMPLETE,
                    TFD_GUARD_NONE, NULL, NULL);
  tfd_engine_save_job (work->engine, work->job, NULL);
  tfd_outbox_add (work->engine->outbox, intent_committed_cb, work, NULL);
}

/* ---- begin ---- */

static void
stopped_cb (TfdEngine *self, TfdJob *job, gpointer data)
{
  TfdWork *work = data;
  g_autoptr (GError) error = NULL;

  if (tfd_job_files (job, self->store, &error) == NULL)
    {
      if (work->func != NULL)
        work->func (job, NULL, error, work->data);
      tfd_work_free (work);
    }
  else if (work->kind == TFD_OPERATION_CANCELLING)
    tfd_work_commit_intent (work);
  else
    tfd_work_verify (work);
}

/* Refused before anything was touched. */
static gboolean
is_allowed (TfdEngine *self, TfdJob *job, TfdEvent event, gboolean require_all, GError **error)
{
  const TfdJobRecord *record = job->record;

  if (!tfd_engine_check (self, job, event, error))
    return FALSE;
  if (require_all && record->files_transferred < record->files_total)
    {
      g_set_error (error, TFD_ERROR, TFD_ERROR_NOT_TRANSFERRED,
                   "%u of %u files are transferred; without ‘require-all’ these would be kept",
                   record->files_transferred, record->files_total);
      return FALSE;
    }
  return TRUE;
}

static void
refuse (TfdEngine *self, TfdJob *job, TfdOutcomeFunc func, gpointer data, GError *error)
{
  Report *report;

  if (func == NULL)
    {
      g_error_free (error);
      return;
    }
  report = g_new (Report, 1);
  *report = (Report){ tfd_job_ref (job), func, data, error };
  tfd_outbox_add (self->outbox, report_failure_cb, report, (GDestroyNotify) report_free);
}

static void
read_options (TfdWork *work, GVariant *options)
{
  g_autoptr (GVariant) moved = g_variant_lookup_value (options, "moved", G_VARIANT_TYPE ("au"));
  const char *overwrite = "replace";
  int value = TFD_OVERWRITE_REPLACE;

  g_variant_lookup (options, "overwrite", "&s", &overwrite);
  tfd_enum_from_string (TFD_TYPE_OVERWRITE, overwrite, &value);
  work->overwrite = value;
  g_variant_lookup (options, "keep-newer", "b", &work->keep_newer);
  g_variant_lookup (options, "expired", "b", &work->expired);
  if (moved != NULL)
    {
      gsize length;
      const guint32 *indices = g_variant_get_fixed_array (moved, &length, sizeof (guint32));

      g_array_append_vals (work->outcome->moved, indices, (guint) length);
    }
}

void
tfd_engine_complete (
    TfdEngine *self, TfdJob *job, GVariant *options, TfdOutcomeFunc func, gpointer data)
{
  gboolean require_all = FALSE;
  GError *error = NULL;
  TfdWork *work;

  g_return_if_fail (job->work == NULL);
  g_variant_lookup (options, "require-all", "b", &require_all);
  if (!is_allowed (self, job, TFD_EVENT_COMPLETE, require_all, &error))
    {
      refuse (self, job, func, data, error);
      return;
    }
  work = tfd_work_new (self, job, TFD_OPERATION_COMPLETING, func, data);
  read_options (work, options);
  tfd_engine_stop_run (self, job, stopped_cb, work);
}

void
tfd_engine_auto_complete (TfdEngine *self, TfdJob *job)
{
  g_autoptr (GVariant) options =
      g_variant_ref_sink (g_variant_new_parsed ("{'keep-newer': <true>}"));

  if (job->work == NULL && job->record->state == TFD_JOB_STATE_TRANSFERRED &&
      job->record->gone_since == 0)
    tfd_engine_complete (self, job, options, NULL, NULL);
}

void
tfd_engine_cancel (TfdEngine *self, TfdJob *job, TfdOutcomeFunc func, gpointer data)
{
  GError *error = NULL;

  g_return_if_fail (job->work == NULL);
  if (!is_allowed (self, job, TFD_EVENT_CANCEL, FALSE, &error))
    refuse (self, job, func, data, error);
  else
    tfd_engine_stop_run (self, job, stopped_cb,
                         tfd_work_new (self, job, TFD_OPERATION_CANCELLING, func, data));
}

void
tfd_engine_expire (TfdEngine *self, TfdJob *job)
{
  TfdWork *work;

  if (job->work != NULL || tfd_job_state_is_running (job->record->state))
    return;
  work = tfd_work_new (self, job, TFD_OPERATION_CANCELLING, NULL, NULL);
  work->expired = TRUE;
  tfd_engine_stop_run (self, job, stopped_cb, work);
}

void
tfd_engine_roll_forward (TfdEngine *self, TfdJob *job)
{
  gboolean waited = tfd_job_awaits_destination (job);
  TfdWork *work = tfd_work_new (
      self, job, waited ? TFD_OPERATION_COMPLETING : job->record->operation, NULL, NULL);

  if (waited)
    tfd_work_set_operation (work, TFD_OPERATION_COMPLETING);
  work->intent = TRUE;
  work->recovering = TRUE;
  if (job->record->operation_options != NULL)
    read_options (work, job->record->operation_options);
  if (tfd_job_files (job, self->store, NULL) == NULL)
    tfd_work_again (work);
  else if (work->kind == TFD_OPERATION_CANCELLING)
    tfd_work_discard_next (work);
  else
    tfd_work_verify (work);
}

void
tfd_engine_roll_forward_later (TfdEngine *self, TfdJob *job)
{
  TfdWork *work = tfd_work_new (self, job, job->record->operation, NULL, NULL);

  work->intent = TRUE;
  work->pauses = 1;
  if (job->record->operation_options != NULL)
    read_options (work, job->record->operation_options);
  tfd_work_again (work);
}
