/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Runs: hands jobs to workers and takes them back. A run is one Start of a job; its number is never
 * used again, so that news of an old run can always be told from news of the present one. */
#include "config.h"

#include "engine/engine-private.h"

/* So many bytes are handed over at a time, and one file more. */
#define BATCH_BYTES (4u << 20)

typedef struct
{
  TfdStopped callback;
  gpointer data;
} Stopped;

/* A request about a run, until it is answered. */
typedef struct
{
  TfdJob *job; /* (owned) */
  guint64 number;
} RunRequest;

static RunRequest *
run_request_new (TfdJob *job)
{
  RunRequest *request = g_new (RunRequest, 1);

  *request = (RunRequest){ tfd_job_ref (job), job->run->number };
  return request;
}

static void
run_request_free (RunRequest *request)
{
  tfd_job_unref (request->job);
  g_free (request);
}

TfdJob *
tfd_engine_job_of_run (TfdEngine *self, guint32 uid, guint64 number)
{
  TfdJob *job = g_hash_table_lookup (self->runs, &number);

  return job != NULL && job->record->owner_uid == uid ? job : NULL;
}

/* Files that were being fetched wait again. */
static void
rest_files (TfdEngine *self, TfdJob *job)
{
  GHashTableIter iter;
  gpointer index;

  g_hash_table_iter_init (&iter, job->run->active);
  while (g_hash_table_iter_next (&iter, &index, NULL))
    {
      TfdFileRecord *file = job->files != NULL && GPOINTER_TO_UINT (index) < job->files->len
                                ? job->files->pdata[GPOINTER_TO_UINT (index)]
                                : NULL;

      if (file != NULL && file->state == TFD_FILE_STATE_TRANSFERRING)
        {
          tfd_job_set_file_state (job, file, TFD_FILE_STATE_WAITING);
          tfd_engine_save_file (self, job, file);
        }
    }
}

void
tfd_run_free (TfdRun *run)
{
  g_hash_table_unref (run->active);
  g_clear_pointer (&run->options, g_variant_unref);
  g_free (run);
}

void
tfd_engine_drop_run (TfdEngine *self, TfdJob *job)
{
  GSList *stopped;

  if (job->run == NULL)
    return;
  rest_files (self, job);
  stopped = g_steal_pointer (&job->run->stopped);
  g_hash_table_remove (self->runs, &job->run->number);
  tfd_run_free (g_steal_pointer (&job->run));
  tfd_engine_update_live (self, job);
  job->last_served = tfd_clock_now_boot (self->clock);
  if (job->record->properties->priority != TFD_PRIORITY_FOREGROUND)
    tfd_engine_worker_state (self, job->record->owner_uid)->served = job->last_served;
  for (GSList *l = stopped; l != NULL; l = l->next)
    {
      const Stopped *s = l->data;

      s->callback (self, job, s->data);
    }
  g_slist_free_full (stopped, g_free);
  tfd_engine_forget_files_later (self, job);
  tfd_engine_plan_later (self);
}

/* A reply comes with the file that it answers. */
static gboolean
needs_transfer (const TfdJob *job, const TfdFileRecord *file)
{
  if (tfd_file_is_reply (job->record->type, file->index))
    return FALSE;
  return file->state == TFD_FILE_STATE_WAITING || file->state == TFD_FILE_STATE_TRANSFERRING;
}

static const TfdFileRecord *
reply_of (const TfdJob *job, const TfdFileRecord *file)
{
  const TfdFileRecord *next = tfd_job_file (job, file->index + 1);

  return next != NULL && tfd_job_is_reply (job, next) ? next : NULL;
}

/* The next files to hand over, packed, floating; NULL when there are none. */
static GVariant *
take_batch (TfdJob *job)
{
  g_autoptr (GByteArray) packed = g_byte_array_new ();
  const TfdFileRecord *before = NULL;

  while (job->run->next_file < job->files->len && job->run->in_hand < TFD_FILES_IN_HAND &&
         packed->len < BATCH_BYTES)
    {
      const TfdFileRecord *file = job->files->pdata[job->run->next_file++];

      if (!needs_transfer (job, file))
        continue;
      tfd_request_pack_transfer (packed, file, reply_of (job, file), before);
      before = file;
      job->run->in_hand++;
    }
  return before != NULL ? tfd_request_packed (g_steal_pointer (&packed)) : NULL;
}

/* The worker refused a run, which is a fault of ours or of its: as if it had been lost. */
static void
handed_over_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  RunRequest *request = user_data;
  TfdEngine *self = request->job->engine;
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) answer =
      tfd_transport_request_finish (TFD_TRANSPORT (source), result, NULL, &error);

  if (answer == NULL && !g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CONNECTION_CLOSED) &&
      tfd_engine_job_of_run (self, request->job->record->owner_uid, request->number) != NULL)
    {
      TfdLogJob log = tfd_job_log (request->job);
      g_auto (TfdFailure) failure = { .code = TFD_ERROR_WORKER_LOST,
                                      .context = TFD_ERROR_CONTEXT_QUEUE_MANAGER,
                                      .transient = TRUE,
                                      .file = G_MAXUINT32,
                                      .message = g_strdup (error->message) };

      tfd_job_warning (&log, "its worker refused it: %s", error->message);
      tfd_engine_apply (self, request->job, TFD_EVENT_TRANSIENT_ERROR, TFD_GUARD_UNCOUNTED,
                        &failure, NULL);
    }
  run_request_free (request);
}

static void
hand_over (TfdEngine *self, TfdJob *job, const char *method, GVariant *parameters)
{
  TfdOwner owner = tfd_job_owner (job);

  tfd_transport_request_async (self->transport, &owner, method, parameters, handed_over_cb,
                               run_request_new (job));
}

/* What a run throws away and fetches again must not count twice: only whole files count here. */
static guint64
finished_bytes (const TfdJob *job)
{
  guint64 sum = 0;

  for (guint i = 0; i < job->files->len; i++)
    {
      const TfdFileRecord *file = job->files->pdata[i];

      if (file->state == TFD_FILE_STATE_TRANSFERRED || file->state == TFD_FILE_STATE_COMPLETED)
        sum += file->transferred;
    }
  return sum;
}

static GVariant *
options_of (TfdEngine *self, TfdJob *job)
{
  return g_variant_ref_sink (tfd_request_run_options (job->record, 0, self->config));
}

/* "connecting" is durable: the worker may begin. */
static void
send_start_cb (const GError *error, gpointer data)
{
  TfdJob *job = data;
  TfdEngine *self = job->engine;
  GVariant *files;

  if (job->run == NULL || job->run->started || job->run->stopping)
    return;
  if (error != NULL)
    {
      tfd_engine_drop_run (self, job);
      return;
    }
  files = take_batch (job);
  if (files == NULL)
    {
      TfdLogJob log = tfd_job_log (job);

      /* nothing to fetch would be nothing to wait for, for ever */
      tfd_job_warning (&log, "none of its files can be transferred");
      tfd_engine_apply (self, job, TFD_EVENT_SUSPEND, TFD_GUARD_NONE, NULL, NULL);
      tfd_engine_drop_run (self, job);
      return;
    }
  job->run->started = TRUE;
  job->run->options = options_of (self, job);
  hand_over (self, job, "Start",
             g_variant_new (
                 "(ts@a{sv}@ay)", job->run->number, job->record->id,
                 tfd_request_run_options (job->record, finished_bytes (job), self->config), files));
}

void
tfd_engine_start_run (TfdEngine *self, TfdJob *job)
{
  g_autoptr (GError) error = NULL;

  if (tfd_job_files (job, self->store, &error) == NULL)
    {
      TfdLogJob log = tfd_job_log (job);

      tfd_job_warning (&log, "cannot read its files: %s", error->message);
      return;
    }

  job->run = g_new0 (TfdRun, 1);
  job->run->number = ++self->last_run;
  job->run->began = tfd_clock_now_boot (self->clock);
  job->run->active = g_hash_table_new (NULL, NULL);
  g_hash_table_insert (self->runs, &job->run->number, job);
  job->wait = TFD_WAIT_NONE;
  if (!tfd_engine_apply (self, job, TFD_EVENT_PICKED, TFD_GUARD_NONE, NULL, NULL) ||
      !tfd_job_state_is_running (job->record->state))
    {
      tfd_engine_drop_run (self, job);
      return;
    }
  tfd_outbox_add (self->outbox, send_start_cb, tfd_job_ref (job), (GDestroyNotify) tfd_job_unref);
}

void
tfd_engine_feed_run (TfdEngine *self, TfdJob *job)
{
  GVariant *files;

  if (job->run == NULL || !job->run->started || job->run->stopping || job->files == NULL ||
      job->run->in_hand > TFD_FILES_IN_HAND / 2)
    return;
  files = take_batch (job);
  if (files != NULL)
    hand_over (self, job, "AddFiles", g_variant_new ("(t@ay)", job->run->number, files));
}

void
tfd_engine_hand_in_again (TfdEngine *self, TfdJob *job, const TfdFileRecord *file)
{
  GByteArray *packed;

  if (job->run == NULL || job->run->stopping)
    return;
  packed = g_byte_array_new ();
  tfd_request_pack_transfer (packed, file, NULL, NULL);
  hand_over (self, job, "AddFiles",
             g_variant_new ("(t@ay)", job->run->number, tfd_request_packed (packed)));
}

void
tfd_engine_configure_run (TfdEngine *self, TfdJob *job)
{
  g_autoptr (GVariant) options = NULL;

  if (job->run == NULL || !job->run->started || job->run->stopping)
    return;
  options = options_of (self, job);
  if (g_variant_equal (options, job->run->options))
    return;
  hand_over (self, job, "Configure", g_variant_new ("(t@a{sv})", job->run->number, options));
  g_variant_unref (job->run->options);
  job->run->options = g_steal_pointer (&options);
}

void
tfd_engine_tell_committed (TfdEngine *self, TfdJob *job, guint64 run, guint32 file)
{
  if (job->run != NULL && job->run->number == run && !job->run->stopping)
    hand_over (self, job, "Committed", g_variant_new ("(tu)", run, file));
}

static void
configure_cb (const GError *error, gpointer data)
{
  TfdJob *job = data;

  if (error == NULL)
    tfd_engine_configure_run (job->engine, job);
}

void
tfd_engine_configure_run_later (TfdEngine *self, TfdJob *job)
{
  if (job->run != NULL)
    tfd_outbox_add (self->outbox, configure_cb, tfd_job_ref (job), (GDestroyNotify) tfd_job_unref);
}

static void
run_stopped_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  RunRequest *request = user_data;
  TfdJob *job = request->job;
  TfdEngine *self = job->engine;
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) answer =
      tfd_transport_request_finish (TFD_TRANSPORT (source), result, NULL, &error);

  /* no answer means that the worker has ended: nothing is written any more either way */
  if (job->run != NULL && job->run->number == request->number)
    {
      if (answer != NULL)
        {
          g_autoptr (GVariant) parts = g_variant_get_child_value (answer, 0);

          /* nothing is left when a run ends after its last file: no commit for nothing */
          if (g_variant_n_children (parts) > 0)
            tfd_engine_store_parts (self, job, parts);
        }
      tfd_engine_drop_run (self, job);
    }
  run_request_free (request);
}

void
tfd_engine_stop_run (TfdEngine *self, TfdJob *job, TfdStopped callback, gpointer data)
{
  TfdOwner owner = tfd_job_owner (job);

  if (job->run == NULL)
    {
      if (callback != NULL)
        callback (self, job, data);
      return;
    }
  if (callback != NULL)
    {
      Stopped *stopped = g_new (Stopped, 1);

      *stopped = (Stopped){ callback, data };
      job->run->stopped = g_slist_append (job->run->stopped, stopped);
    }
  if (job->run->stopping)
    return;
  job->run->stopping = TRUE;
  if (!job->run->started)
    {
      tfd_engine_drop_run (self, job);
      return;
    }
  tfd_transport_request_async (self->transport, &owner, "Stop",
                               g_variant_new ("(t)", job->run->number), run_stopped_cb,
                               run_request_new (job));
}
