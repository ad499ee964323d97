/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Trouble: the news of workers that are not good: failures, and what else is worth an entry in the
 * log of a job. As with all news, a worker is believed as far as it speaks of its user's files. */
#include "config.h"

#include "common/url.h"
#include "engine/engine-private.h"

/* A worker names its failure; what it may not decide is bounded here. */
static void
read_failure (GVariant *details, guint32 index, TfdFailure *failure)
{
  const char *name = "", *context = "", *message = "";
  gboolean transient = FALSE;
  int value;

  *failure = (TfdFailure){ .code = TFD_ERROR_INVALID_SERVER_RESPONSE,
                           .context = TFD_ERROR_CONTEXT_UNKNOWN,
                           .file = index };
  g_variant_lookup (details, "name", "&s", &name);
  g_variant_lookup (details, "context", "&s", &context);
  g_variant_lookup (details, "message", "&s", &message);
  g_variant_lookup (details, "transient", "b", &transient);
  g_variant_lookup (details, "http-status", "u", &failure->http_status);
  g_variant_lookup (details, "retry-after", "t", &failure->retry_after);
  if (tfd_error_code_from_name (name, &failure->code) &&
      failure->code < TFD_ERROR_NETWORK_DISCONNECTED && failure->code != TFD_ERROR_TOO_LARGE)
    failure->code = TFD_ERROR_INVALID_SERVER_RESPONSE;
  if (tfd_enum_from_string (TFD_TYPE_ERROR_CONTEXT, context, &value) &&
      value != TFD_ERROR_CONTEXT_NONE)
    failure->context = value;
  failure->transient = transient;
  if (*message == '\0')
    message = tfd_error_code_describe (failure->code);
  failure->retry_after = MIN (failure->retry_after, 24 * 3600 * TFD_USEC_PER_SEC);
  failure->message = tfd_transport_tame (message);
}

/* Which half failed must be clear from the words alone. */
static void
say_reply (TfdFailure *failure)
{
  g_autofree char *message = g_steal_pointer (&failure->message);

  failure->message =
      g_strdup_printf ("the file was sent, but its reply could not be had: %s", message);
}

void
tfd_engine_news_failed (TfdEngine *self, guint32 uid, GVariant *parameters)
{
  g_auto (TfdFailure) failure = { 0 };
  g_autoptr (GVariant) details = NULL;
  TfdGuards guards = TFD_GUARD_NONE;
  TfdFileRecord *file;
  guint64 number;
  guint32 index;
  TfdJob *job;

  g_variant_get (parameters, "(tu@a{sv})", &number, &index, &details);
  job = tfd_engine_job_of_run (self, uid, number);
  file = job == NULL || job->run->outdated ? NULL : tfd_job_file (job, index);
  if (file == NULL || tfd_file_is_finished (file))
    return;

  read_failure (details, index, &failure);
  if (tfd_job_is_reply (job, file))
    say_reply (&failure);
  if (!tfd_error_code_is_counted (failure.code))
    guards |= TFD_GUARD_UNCOUNTED;
  tfd_job_set_file_state (job, file,
                          failure.transient ? TFD_FILE_STATE_WAITING : TFD_FILE_STATE_ERROR);
  tfd_engine_save_file (self, job, file);
  tfd_engine_apply (self, job,
                    failure.transient ? TFD_EVENT_TRANSIENT_ERROR : TFD_EVENT_FATAL_ERROR, guards,
                    &failure, NULL);
}

static guint32
shown_index (const TfdJob *job, const TfdFileRecord *file)
{
  return tfd_file_shown_index (job->record->type, file->index);
}

/* Once the server has closed an upload it has no reply any more: only the same file, sent anew,
 * gives another one. */
static void
send_again (TfdEngine *self, TfdJob *job, TfdFileRecord *file)
{
  if (!tfd_file_is_finished (file))
    return;
  g_clear_pointer (&file->part, g_variant_unref);
  tfd_job_set_file_state (job, file, TFD_FILE_STATE_WAITING);
  tfd_job_set_file_progress (job, file, 0, file->total);
  tfd_engine_save_file (self, job, file);
}

void
tfd_engine_lose_part (TfdEngine *self, TfdJob *job, TfdFileRecord *file)
{
  tfd_job_set_file_state (job, file, TFD_FILE_STATE_MISSING);
  tfd_job_set_file_progress (job, file, 0, file->total);
  tfd_engine_save_file (self, job, file);
  if (tfd_job_is_reply (job, file))
    {
      tfd_engine_tell_changed (self, job, TFD_CHANGED_REPLY);
      send_again (self, job, job->files->pdata[file->index - 1]);
    }
  tfd_engine_log_event (self, job, "part-missing",
                        g_variant_new_parsed ("{'file': <%u>}", shown_index (job, file)));
}

static void
miss_part (TfdEngine *self, TfdJob *job, TfdFileRecord *file)
{
  g_auto (TfdFailure) failure = {
    .code = TFD_ERROR_FILE_MISSING,
    .context = TFD_ERROR_CONTEXT_LOCAL_FILE,
    .file = file->index,
    .message =
        g_strdup (tfd_job_is_reply (job, file)
                      ? "the temporary file with what had arrived of the reply is not there any "
                        "more; Resume fetches the reply again"
                      : "the temporary file with what had arrived is not there any more; Resume "
                        "fetches the file again"),
  };

  tfd_engine_lose_part (self, job, file);
  tfd_engine_tell_changed (self, job, TFD_CHANGED_PROGRESS);
  tfd_engine_apply (self, job, TFD_EVENT_PART_MISSING, TFD_GUARD_NONE, &failure, NULL);
}

typedef struct
{
  TfdJob *job; /* (owned) */
  guint32 index;
} HandIn;

static void
hand_in_free (HandIn *hand_in)
{
  tfd_job_unref (hand_in->job);
  g_free (hand_in);
}

static void
hand_in_cb (const GError *error, gpointer data)
{
  HandIn *hand_in = data;
  TfdFileRecord *file = tfd_job_file (hand_in->job, hand_in->index);

  if (error == NULL && file != NULL)
    tfd_engine_hand_in_again (hand_in->job->engine, hand_in->job, file);
}

static void
follow_redirect (TfdEngine *self, TfdJob *job, TfdFileRecord *file, GVariant *details)
{
  const char *url = NULL;
  gboolean report = FALSE;

  g_variant_lookup (details, "report", "b", &report);
  if (!report || !g_variant_lookup (details, "url", "&s", &url) || !tfd_url_check (url, NULL))
    return;
  /* where a reply is, is known to the upload that it answers */
  if (tfd_job_is_reply (job, file))
    return;
  g_free (file->url);
  file->url = g_strdup (url);
  job->local_known = FALSE;
  tfd_engine_save_file (self, job, file);
}

/* What stands under the temporary's name is not ours: it stays, the file starts under another. A
 * reply cannot do so by itself: what it answers goes on from where it is. */
static void
replace_part (TfdEngine *self, TfdJob *job, TfdFileRecord *file)
{
  HandIn *hand_in;

  file->attempt++;
  g_clear_pointer (&file->part, g_variant_unref);
  tfd_job_set_file_progress (job, file, 0, file->total);
  tfd_engine_save_file (self, job, file);
  if (tfd_job_is_reply (job, file))
    {
      tfd_engine_apply (self, job, TFD_EVENT_SET_REMOTE_NAME, TFD_GUARD_NONE, NULL, NULL);
      return;
    }
  hand_in = g_new (HandIn, 1);
  *hand_in = (HandIn){ tfd_job_ref (job), file->index };
  tfd_outbox_add (self->outbox, hand_in_cb, hand_in, (GDestroyNotify) hand_in_free);
}

/* What had arrived is of another version. */
static void
begin_anew (TfdEngine *self, TfdJob *job, TfdFileRecord *file)
{
  if (!tfd_file_is_finished (file))
    tfd_job_set_file_progress (job, file, 0, TFD_SIZE_UNKNOWN);
  tfd_engine_tell_changed (self, job,
                           tfd_job_is_reply (job, file) ? TFD_CHANGED_REPLY : TFD_CHANGED_PROGRESS);
  tfd_engine_apply (self, job, TFD_EVENT_REMOTE_FILE_CHANGED, TFD_GUARD_NONE, NULL, NULL);
}

/* The server has nothing of the file any more. */
static void
lose_session (TfdEngine *self, TfdJob *job, TfdFileRecord *file)
{
  if (!tfd_file_is_finished (file))
    tfd_job_set_file_progress (job, file, 0, file->total);
  tfd_engine_tell_changed (self, job, TFD_CHANGED_PROGRESS);
}

void
tfd_engine_news_event (TfdEngine *self, guint32 uid, GVariant *parameters)
{
  g_autoptr (GVariant) details = NULL;
  g_auto (GVariantDict) logged = G_VARIANT_DICT_INIT (NULL);
  TfdFileRecord *file;
  gboolean received;
  const char *kind;
  guint64 number;
  guint32 index;
  TfdJob *job;

  g_variant_get (parameters, "(tu&s@a{sv})", &number, &index, &kind, &details);
  job = tfd_engine_job_of_run (self, uid, number);
  file = job == NULL ? NULL : tfd_job_file (job, index);
  if (file == NULL || g_variant_get_size (details) > TFD_MAX_PART * 4)
    return;
  received = tfd_file_direction (job->record->type, index) == TFD_DIRECTION_RECEIVE;
  if (g_str_equal (kind, "part-missing"))
    {
      if (received && !tfd_file_is_finished (file))
        miss_part (self, job, file);
      return;
    }

  g_variant_dict_clear (&logged);
  g_variant_dict_init (&logged, details);
  g_variant_dict_insert (&logged, "file", "u", shown_index (job, file));
  if (received && g_str_equal (kind, "part-replaced"))
    replace_part (self, job, file);
  else if (g_str_equal (kind, "redirected") && !job->run->outdated)
    follow_redirect (self, job, file, details);
  else if (g_str_equal (kind, "restarted"))
    begin_anew (self, job, file);
  else if (!received && g_str_equal (kind, "session-lost"))
    lose_session (self, job, file);
  else if (!g_str_equal (kind, "protocol"))
    return;
  tfd_engine_log_event (self, job, kind, g_variant_dict_end (&logged));
}
