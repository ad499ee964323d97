/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Upload forget: has servers forget what they hold of uploads that were given up: EndSessions. */
#include "config.h"
#include "worker/run.h"

#include "worker/body.h"
#include "worker/failure.h"
#include "worker/upload-private.h"
#include "worker/upload-record.h"

#include <string.h>

#define TIMEOUT_SECONDS 30
#define AT_A_TIME 6

typedef struct
{
  TfdRunOptions options;
  GPtrArray *files; /* (owned) (element-type TfdFile) */
  guint next;       /* file to be asked about */
  guint busy;       /* requests under way */
  GVariantBuilder results;
  TfdSessionsEnded ended;
  gpointer user_data;
} Batch;

typedef struct
{
  Batch *batch;        /* (not owned) */
  const TfdFile *file; /* (not owned) of the batch */
  TfdUploadState state;
  const TfdUploadRules *rules;
  SoupMessage *message;      /* (owned) */
  GCancellable *cancellable; /* (owned) */
  guint timeout_source;
} Ending;

static void go_on (Batch *batch);

static void
add_result (Batch *batch, const TfdFile *file, gboolean ended, const char *message)
{
  g_variant_builder_add (&batch->results, "(uss)", file->index, ended ? "ended" : "again",
                         message != NULL ? message : "");
}

static void
ending_free (Ending *ending)
{
  g_clear_handle_id (&ending->timeout_source, g_source_remove);
  tfd_upload_state_clear (&ending->state);
  g_clear_object (&ending->message);
  g_clear_object (&ending->cancellable);
  g_free (ending);
}

/* TRUE: there is no use in asking again. */
static gboolean
is_forgotten (Ending *ending, char **text)
{
  const TfdUploadAnswer answer = {
    .status = soup_message_get_status (ending->message),
    .reason = soup_message_get_reason_phrase (ending->message),
    .field = tfd_upload_field,
    .data = soup_message_get_response_headers (ending->message),
  };
  g_auto (TfdFailure) failure = { 0 };

  if (tfd_upload_answer_is_success (&answer))
    return TRUE;

  tfd_upload_judge_status (&answer, &failure);
  *text = g_strdup (failure.message);
  return ending->rules->forgotten != NULL ? ending->rules->forgotten (&answer) : !failure.transient;
}

static void
sent_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Ending *ending = user_data;
  Batch *batch = ending->batch;
  g_autoptr (GError) error = NULL;
  g_autofree char *text = NULL;
  g_autoptr (GInputStream) stream =
      soup_session_send_finish (SOUP_SESSION (source), result, &error);

  if (stream == NULL)
    {
      add_result (batch, ending->file, FALSE, error->message);
    }
  else
    {
      gboolean ended = is_forgotten (ending, &text);

      add_result (batch, ending->file, ended, text);
      tfd_body_drop_stream (stream);
    }
  ending_free (ending);
  batch->busy--;
  go_on (batch);
}

static gboolean
timeout_cb (gpointer user_data)
{
  Ending *ending = user_data;

  ending->timeout_source = 0;
  g_cancellable_cancel (ending->cancellable);

  return G_SOURCE_REMOVE;
}

static void
send_request (Ending *ending, const TfdUploadRequest *request)
{
  TfdLogin *login = ending->batch->options.login;
  SoupMessageHeaders *headers = soup_message_get_request_headers (ending->message);

  soup_message_add_flags (ending->message, SOUP_MESSAGE_NO_REDIRECT | SOUP_MESSAGE_NEW_CONNECTION);
  tfd_login_prepare (login, ending->message, ending->file->url);
  for (guint i = 0; request->fields != NULL && i < request->fields->len; i++)
    {
      const TfdUploadField *one = request->fields->pdata[i];

      soup_message_headers_replace (headers, one->name, one->value);
    }
  soup_message_headers_set_content_length (headers, 0);
  ending->cancellable = g_cancellable_new ();
  ending->timeout_source = g_timeout_add_seconds (TIMEOUT_SECONDS, timeout_cb, ending);
  ending->batch->busy++;
  soup_session_send_async (tfd_login_get_session (login), ending->message, G_PRIORITY_DEFAULT,
                           ending->cancellable, sent_cb, ending);
}

static void
end_one (Batch *batch, const TfdFile *file)
{
  g_auto (TfdUploadRequest) request = { 0 };
  g_autoptr (GBytes) source = NULL;
  Ending *ending = g_new0 (Ending, 1);
  const TfdUploadSource what = {
    .url = file->url,
    .name = file->base,
    .size = file->total,
    .key = "",
    .downgrade = batch->options.allow_downgrade,
  };

  ending->batch = batch;
  ending->file = file;
  if (file->part != NULL && file->url != NULL)
    tfd_upload_record_parse (file->part, file->total, &ending->state, &source);
  ending->rules = tfd_upload_rules (ending->state.protocol);
  if (ending->rules->forget != NULL && ending->rules->forget (&ending->state, &what, &request))
    ending->message = soup_message_new (request.method, request.url);
  if (ending->message == NULL)
    {
      add_result (batch, file, TRUE, "nothing is known of a session");
      ending_free (ending);
      return;
    }
  send_request (ending, &request);
}

static void
go_on (Batch *batch)
{
  while (batch->busy < AT_A_TIME && batch->next < batch->files->len)
    end_one (batch, batch->files->pdata[batch->next++]);
  if (batch->busy > 0)
    return;

  batch->ended (g_variant_builder_end (&batch->results), batch->user_data);
  g_ptr_array_unref (batch->files);
  tfd_login_unref (batch->options.login);
  g_free (batch);
}

gboolean
tfd_runs_end_sessions (TfdRuns *runs,
                       GVariant *options,
                       GVariant *files,
                       TfdSessionsEnded ended,
                       gpointer user_data,
                       GError **error)
{
  g_autoptr (GPtrArray) list = tfd_files_new (files, error);
  TfdRunOptions run_options = { 0 };
  Batch *batch;

  if (list == NULL || !tfd_run_options_read (runs, options, &run_options, error))
    return FALSE;

  batch = g_new0 (Batch, 1);
  batch->options = run_options;
  batch->files = g_steal_pointer (&list);
  batch->ended = ended;
  batch->user_data = user_data;
  g_variant_builder_init (&batch->results, G_VARIANT_TYPE ("a(uss)"));
  go_on (batch);

  return TRUE;
}
