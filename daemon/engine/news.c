/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* News: what workers report. All of it is input from a process that the user controls: a run number
 * that is not this user's present run, an index that does not exist or a size that cannot be is
 * dropped or clamped; it can harm nothing but that user's own files. */
#include "config.h"

#include "engine/engine-private.h"

#include "common/packed.h"
#include "common/variant.h"

/* What belongs to a place where the reply is not to go any more. */
static gboolean
is_out_of_place (const TfdJob *job, const TfdFileRecord *file)
{
  return tfd_job_is_reply (job, file) && job->run != NULL && job->run->outdated;
}

/* Bytes came: whatever counted the time without them starts anew. */
static void
note_progress (TfdEngine *self, TfdJob *job)
{
  TfdJobRecord *record = job->record;

  record->no_progress_since = 0;
  record->retry_attempt = 0;
  record->last_activity = tfd_clock_now_boot (self->clock);
  record->modification_time = tfd_clock_now_real (self->clock);
  if (job->record->state == TFD_JOB_STATE_CONNECTING)
    tfd_engine_apply (self, job, TFD_EVENT_CONNECTED, TFD_GUARD_NONE, NULL, NULL);
}

static void
news_connected (TfdEngine *self, guint32 uid, GVariant *parameters)
{
  guint64 number;
  TfdJob *job;

  g_variant_get (parameters, "(t)", &number);
  job = tfd_engine_job_of_run (self, uid, number);
  if (job == NULL)
    return;
  tfd_engine_worker_state (self, uid)->losses = 0;
  tfd_engine_apply (self, job, TFD_EVENT_CONNECTED, TFD_GUARD_NONE, NULL, NULL);
}

/* A rate is of the last seconds: when nothing came in them it is none. */
#define STALL (5 * (gint64) TFD_USEC_PER_SEC)

static void
stalled_cb (gpointer data)
{
  TfdJob *job = data;
  TfdEngine *self = job->engine;

  job->rate_alarm = 0;
  if (tfd_clock_now_boot (self->clock) < job->rate_time + STALL)
    {
      job->rate_alarm =
          tfd_clock_add_alarm (self->clock, job->rate_time + STALL, stalled_cb, job, NULL);
      return;
    }
  tfd_job_reset_rate (job);
  tfd_engine_tell_changed (self, job, TFD_CHANGED_PROGRESS);
}

static void
note_rate (TfdEngine *self, TfdJob *job, guint64 bytes)
{
  gint64 now = tfd_clock_now_boot (self->clock);

  tfd_job_sample_rate (job, bytes, now);
  if (job->rate_alarm == 0 && tfd_job_state_is_running (job->record->state))
    job->rate_alarm = tfd_clock_add_alarm (self->clock, now + STALL, stalled_cb, job, NULL);
}

static void
fail_too_large (TfdEngine *self, TfdJob *job)
{
  g_auto (TfdFailure) failure = { .code = TFD_ERROR_MAXIMUM_SIZE_EXCEEDED,
                                  .context = TFD_ERROR_CONTEXT_REMOTE_FILE,
                                  .file = G_MAXUINT32 };

  failure.message =
      g_strdup_printf ("the files are larger than MaximumSize, %" G_GUINT64_FORMAT " bytes",
                       job->record->properties->maximum_size);
  tfd_engine_apply (self, job, TFD_EVENT_FATAL_ERROR, TFD_GUARD_NONE, &failure, NULL);
}

static void
progress_of_job (TfdEngine *self, TfdJob *job, GVariantIter *files)
{
  guint64 limit = job->record->properties->maximum_size;
  TfdChanged changed = TFD_CHANGED_PROGRESS | TFD_CHANGED_TIMES;
  guint64 transferred, total;
  gint64 gained = 0;
  guint32 index;

  while (g_variant_iter_next (files, "(utt)", &index, &transferred, &total))
    {
      TfdFileRecord *file = tfd_job_file (job, index);

      if (file == NULL || tfd_file_is_finished (file) || is_out_of_place (job, file))
        continue;
      if (tfd_job_is_reply (job, file))
        changed |= TFD_CHANGED_REPLY;
      if (file->state == TFD_FILE_STATE_WAITING)
        tfd_job_set_file_state (job, file, TFD_FILE_STATE_TRANSFERRING);
      if (!g_hash_table_contains (job->run->active, GUINT_TO_POINTER (index)))
        g_hash_table_insert (
            job->run->active, GUINT_TO_POINTER (index),
            GUINT_TO_POINTER ((guint32) (tfd_clock_now_boot (self->clock) / 1000)));
      gained -= (gint64) file->transferred;
      tfd_job_set_file_progress (job, file, transferred, total);
      gained += (gint64) file->transferred;
    }
  if (gained > 0)
    {
      note_progress (self, job);
      note_rate (self, job, (guint64) gained);
    }
  tfd_engine_tell_changed (self, job, changed);
  if (limit != 0 && tfd_job_state_is_running (job->record->state) &&
      (job->record->bytes_transferred > limit ||
       (job->record->bytes_total != TFD_SIZE_UNKNOWN && job->record->bytes_total > limit)))
    fail_too_large (self, job);
}

static void
news_progress (TfdEngine *self, guint32 uid, GVariant *parameters)
{
  g_autoptr (GVariantIter) runs = NULL;
  GVariantIter *files;
  guint64 number;

  g_variant_get (parameters, "(a(ta(utt)))", &runs);
  while (g_variant_iter_loop (runs, "(ta(utt))", &number, &files))
    {
      TfdJob *job = tfd_engine_job_of_run (self, uid, number);

      if (job != NULL)
        progress_of_job (self, job, files);
    }
}

/* Bytes that are no dictionary could not be read back from the database. */
static gboolean
set_part (TfdFileRecord *file, gconstpointer data, gsize size)
{
  g_autoptr (GBytes) copy = NULL;
  g_autoptr (GVariant) part = NULL;

  if (size > TFD_MAX_PART)
    return FALSE;
  /* a copy of its own: the part would keep the whole message in memory */
  copy = g_bytes_new (data, size);
  part = tfd_variant_from_bytes (G_VARIANT_TYPE_VARDICT, copy);
  if (part == NULL)
    return FALSE;
  g_clear_pointer (&file->part, g_variant_unref);
  file->part = g_steal_pointer (&part);
  return TRUE;
}

void
tfd_engine_store_parts (TfdEngine *self, TfdJob *job, GVariant *parts)
{
  GVariantIter iter;
  GVariant *part;
  guint32 index;

  g_variant_iter_init (&iter, parts);
  while (g_variant_iter_next (&iter, "(u@a{sv})", &index, &part))
    {
      TfdFileRecord *file = tfd_job_file (job, index);

      if (file != NULL && !tfd_file_is_finished (file) && !is_out_of_place (job, file) &&
          set_part (file, g_variant_get_data (part), g_variant_get_size (part)))
        tfd_engine_save_progress (self, job, file);
      g_variant_unref (part);
    }
  tfd_engine_save_job (self, job, NULL);
}

static void
news_parts (TfdEngine *self, guint32 uid, GVariant *parameters)
{
  g_autoptr (GVariant) parts = NULL;
  guint64 number;
  TfdJob *job;

  g_variant_get (parameters, "(t@a(ua{sv}))", &number, &parts);
  job = tfd_engine_job_of_run (self, uid, number);
  if (job == NULL)
    return;
  tfd_engine_store_parts (self, job, parts);
  if (job->run->overdue)
    tfd_engine_plan_later (self);
}

typedef struct
{
  TfdJob *job; /* (owned) */
  guint64 run;
  guint32 file;
} Commit;

static void
commit_free (gpointer data)
{
  Commit *commit = data;

  tfd_job_unref (commit->job);
  g_free (commit);
}

static void
committed_cb (const GError *error, gpointer data)
{
  const Commit *commit = data;

  if (error == NULL)
    tfd_engine_tell_committed (commit->job->engine, commit->job, commit->run, commit->file);
}

/* What the worker is about to do must not be forgotten: it waits until it is told that it will not
 * be. When the commit fails it waits in vain, and the file fails. */
static void
news_commit (TfdEngine *self, guint32 uid, GVariant *parameters)
{
  g_autoptr (GVariant) part = NULL;
  GVariantBuilder parts;
  Commit *commit;
  guint64 number;
  guint32 index;
  TfdJob *job;

  g_variant_get (parameters, "(tu@a{sv})", &number, &index, &part);
  job = tfd_engine_job_of_run (self, uid, number);
  if (job == NULL)
    return;
  g_variant_builder_init (&parts, G_VARIANT_TYPE ("a(ua{sv})"));
  g_variant_builder_add (&parts, "(u@a{sv})", index, part);
  {
    g_autoptr (GVariant) all = g_variant_ref_sink (g_variant_builder_end (&parts));

    tfd_engine_store_parts (self, job, all);
  }
  commit = g_new (Commit, 1);
  *commit = (Commit){ tfd_job_ref (job), number, index };
  tfd_outbox_add (self->outbox, committed_cb, commit, commit_free);
}

/* A file that asks for a reply is not done without it, whatever a worker says. */
static gboolean
can_finish (TfdJob *job, const TfdFileRecord *file)
{
  const TfdFileRecord *next = tfd_job_file (job, file->index + 1);

  return !tfd_file_is_finished (file) && !is_out_of_place (job, file) &&
         (next == NULL || !tfd_job_is_reply (job, next) || tfd_file_is_finished (next));
}

static gboolean
finish_file (TfdEngine *self, TfdJob *job, TfdUnpacker *from, guint32 index)
{
  TfdFileRecord *file = tfd_job_file (job, index);
  guint64 size = tfd_unpack_uint64 (from);
  gsize length;
  gconstpointer part = tfd_unpack_bytes (from, &length);

  if (part == NULL || file == NULL || !can_finish (job, file) || !set_part (file, part, length))
    return FALSE;
  tfd_job_set_file_progress (job, file, size, size);
  tfd_job_set_file_state (job, file, TFD_FILE_STATE_TRANSFERRED);
  if (job->losses != NULL)
    g_hash_table_remove (job->losses, GUINT_TO_POINTER (index));
  g_hash_table_remove (job->run->active, GUINT_TO_POINTER (index));
  if (tfd_job_is_reply (job, file))
    {
      tfd_engine_tell_changed (self, job, TFD_CHANGED_REPLY);
      return tfd_engine_save_progress (self, job, file);
    }
  job->run->done++;
  if (job->run->in_hand > 0)
    job->run->in_hand--;
  return tfd_engine_save_progress (self, job, file);
}

static void
news_files_done (TfdEngine *self, guint32 uid, GVariant *parameters)
{
  g_autoptr (GArray) done = g_array_new (FALSE, FALSE, sizeof (guint32));
  g_autoptr (GVariant) files = NULL;
  guint64 number, before;
  TfdUnpacker from;
  TfdJob *job;

  g_variant_get (parameters, "(t@ay)", &number, &files);
  job = tfd_engine_job_of_run (self, uid, number);
  if (job == NULL)
    return;

  before = job->record->bytes_transferred;
  tfd_unpacker_init (&from, g_variant_get_data (files), g_variant_get_size (files));
  while (!from.bad && from.at < from.end)
    {
      guint32 index = tfd_unpack_uint32 (&from);

      if (finish_file (self, job, &from, index) && !tfd_file_is_reply (job->record->type, index))
        g_array_append_val (done, index);
    }
  if (done->len == 0)
    {
      tfd_engine_save_job (self, job, NULL);
      return;
    }
  note_progress (self, job);
  if (job->record->bytes_transferred > before)
    note_rate (self, job, job->record->bytes_transferred - before);
  tfd_engine_save_job (self, job, NULL);
  tfd_engine_tell_changed (self, job, TFD_CHANGED_PROGRESS | TFD_CHANGED_TIMES);
  if (job->record->properties->notify_files)
    tfd_engine_tell_files (self, job, done);
  if (job->record->files_transferred == job->record->files_total)
    tfd_engine_apply (self, job, TFD_EVENT_LAST_FILE_DONE, TFD_GUARD_NONE, NULL, NULL);
  else
    {
      tfd_engine_feed_run (self, job);
      if (job->run->overdue)
        tfd_engine_plan_later (self);
    }
}

static const struct
{
  const char *name;
  const char *type;
  void (*handle) (TfdEngine *self, guint32 uid, GVariant *parameters);
} news_table[] = {
  { "Connected", "(t)", news_connected },
  { "Progress", "(a(ta(utt)))", news_progress },
  { "Parts", "(ta(ua{sv}))", news_parts },
  { "Commit", "(tua{sv})", news_commit },
  { "FilesDone", "(tay)", news_files_done },
  { "Failed", "(tua{sv})", tfd_engine_news_failed },
  { "Event", "(tusa{sv})", tfd_engine_news_event },
};

static void
news_cb (TfdTransport *transport G_GNUC_UNUSED,
         guint uid,
         const char *name,
         GVariant *parameters,
         gpointer user_data)
{
  for (gsize i = 0; i < G_N_ELEMENTS (news_table); i++)
    if (g_str_equal (name, news_table[i].name) &&
        g_variant_is_of_type (parameters, G_VARIANT_TYPE (news_table[i].type)))
      {
        news_table[i].handle (TFD_ENGINE (user_data), uid, parameters);
        return;
      }
  tfd_debug (TFD_LOG_WORKER, "worker of %u: news ‘%s’ of an unknown kind", uid, name);
}

void
tfd_engine_connect_news (TfdEngine *self)
{
  g_signal_connect (self->transport, "news", G_CALLBACK (news_cb), self);
}
