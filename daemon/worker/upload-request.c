/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Upload, its requests: how they are sent, and how their answers are received. */
#include "config.h"
#include "worker/upload-private.h"

#include "common/classify.h"
#include "worker/failure.h"

#include <string.h>

#define STALL_USEC (60 * G_USEC_PER_SEC)

/* What a server does with a file that it has just received may take as long as this. */
#define ANSWER_USEC (330 * G_USEC_PER_SEC)

/* A server that was asked whether it wants the body and says nothing does not know the question
 * (RFC 9110 10.1.1: not to be waited for without end). */
#define CONTINUE_USEC (3 * G_USEC_PER_SEC)

/* Below this a connection may be used again. */
#define SMALL_BODY (1024 * 1024)

typedef struct
{
  TfdUpload *self; /* (owned) */
  guint serial;
} Sent;

void
tfd_upload_drop_message (TfdUpload *self)
{
  self->serial++;
  self->expecting = FALSE;
  if (self->cancellable != NULL)
    g_cancellable_cancel (self->cancellable);
  g_clear_object (&self->cancellable);
  g_clear_pointer (&self->early, tfd_upload_early_free);
  /* who waits for bytes of it waits no longer */
  if (self->body != NULL)
    {
      tfd_upload_body_release (self->body);
      tfd_upload_body_forget (self->body);
    }
  g_clear_object (&self->body);
  if (self->message != NULL)
    g_signal_handlers_disconnect_by_data (self->message, self);
  g_clear_object (&self->message);
}

static gboolean
sends_bytes (TfdUpload *self)
{
  return self->request.has_body && self->request.length > 0;
}

static gboolean
body_is_out (TfdUpload *self)
{
  return !sends_bytes (self) || self->written >= self->request.length;
}

/* Before the first byte of what must not be sent twice, or that goes to a new session: nobody may
 * forget that it was sent, or where, whatever crashes. */
static void
commit (gpointer user_data)
{
  TfdUpload *self = user_data;

  /* an earlier try of the same request has asked */
  if (self->committing)
    return;
  if (self->request.once)
    self->state.begun = TRUE;
  self->new_session = FALSE;
  self->committing = TRUE;
  self->client->commit (TFD_TRANSFER (self), self->user_data);
}

static gboolean
must_commit (TfdUpload *self)
{
  return self->request.once && !self->state.begun;
}

void
tfd_upload_committed (TfdUpload *self)
{
  if (!self->committing || self->phase != TFD_UPLOAD_ASKING)
    return;

  self->committing = FALSE;
  if (self->message == NULL)
    tfd_upload_send (self);
  else if (self->body != NULL)
    tfd_upload_body_release (self->body);
}

void
tfd_upload_take_back (TfdUpload *self)
{
  self->committing = FALSE;
  self->state.begun = FALSE;
  self->client->changed (TFD_TRANSFER (self), TRUE, self->user_data);
}

/* --- failing --- */

static gboolean
is_about_connecting (const TfdFailure *failure)
{
  return failure->code == TFD_ERROR_NAME_NOT_RESOLVED ||
         failure->code == TFD_ERROR_CONNECTION_FAILED || failure->code == TFD_ERROR_TIMED_OUT;
}

/* A session may be bound to a host that is gone for good: after the time that the server has named
 * the host of the URL is asked again. */
static gboolean
host_is_lost (TfdUpload *self, const TfdFailure *failure)
{
  gint64 now = g_get_real_time () / G_USEC_PER_SEC;

  if (self->state.host == NULL || !is_about_connecting (failure))
    return FALSE;
  if (self->state.host_since == 0 || self->state.host_since > now)
    self->state.host_since = now;
  if (self->state.host_timeout < 0 || now - self->state.host_since < self->state.host_timeout)
    {
      self->client->changed (TFD_TRANSFER (self), FALSE, self->user_data);
      return FALSE;
    }

  tfd_upload_host_lost (&self->state);
  self->state.host_since = 0;
  self->client->changed (TFD_TRANSFER (self), TRUE, self->user_data);
  return TRUE;
}

static void
network_failed (TfdUpload *self, const GError *error)
{
  const TfdFailure *local = self->body != NULL ? tfd_upload_body_get_failure (self->body) : NULL;
  g_auto (TfdFailure) failure = { 0 };
  gboolean stale = self->early != NULL && !tfd_upload_early_is_fresh (self->early);

  tfd_classify_network_error (error, &failure);
  if (local != NULL)
    {
      tfd_failure_copy (local, &failure);
      tfd_upload_fail (self, &failure);
      return;
    }

  /* What the server has of a request that was lost is for the server to say. */
  self->state.asked = FALSE;
  if (self->committing || (self->state.begun && !sends_bytes (self) && !self->asked))
    tfd_upload_take_back (self);
  if (self->request.once && self->state.begun)
    {
      tfd_upload_fail_unclear (self);
      return;
    }
  /* The server may just have closed an old connection. */
  if (stale && !self->retried && failure.code == TFD_ERROR_CONNECTION_LOST)
    {
      self->retried = TRUE;
      tfd_upload_send (self);
      return;
    }
  host_is_lost (self, &failure);
  tfd_upload_fail (self, &failure);
}

static void
timed_out (TfdUpload *self, const char *message)
{
  g_autoptr (GError) error = g_error_new_literal (G_IO_ERROR, G_IO_ERROR_TIMED_OUT, message);

  network_failed (self, error);
}

/* --- answers --- */

static void
received (TfdUpload *self)
{
  self->client->answered (TFD_TRANSFER (self), self->user_data);
  self->state.host_since = 0;
  if (tfd_upload_redirected (self))
    return;
  if (self->received.status == SOUP_STATUS_EXPECTATION_FAILED && !self->unheeded)
    {
      self->unheeded = TRUE;
      tfd_upload_received_clear (&self->received);
      tfd_upload_send (self);
      return;
    }

  self->phase = TFD_UPLOAD_JUDGING;
  if (sends_bytes (self) && self->received.status < 300)
    tfd_upload_work_check (self);
  else
    tfd_upload_judge (self);
}

static void
sent_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Sent *sent = user_data;
  g_autoptr (TfdUpload) self = sent->self;
  g_autoptr (GError) error = NULL;
  g_autoptr (GInputStream) stream =
      soup_session_send_finish (SOUP_SESSION (source), result, &error);
  gboolean current = sent->serial == self->serial && self->phase == TFD_UPLOAD_ASKING;
  TfdUploadReceived *answer = &self->received;

  g_free (sent);
  if (!current)
    {
      if (stream != NULL)
        tfd_body_drop_stream (stream);
      return;
    }

  if (stream != NULL)
    {
      answer->status = soup_message_get_status (self->message);
      answer->reason = g_strdup (soup_message_get_reason_phrase (self->message));
      answer->fields = soup_message_headers_ref (soup_message_get_response_headers (self->message));
      answer->stream = g_steal_pointer (&stream);
    }
  else if (body_is_out (self) || self->early == NULL ||
           !tfd_upload_early_look (self->early, &answer->status, &answer->reason, &answer->fields))
    {
      network_failed (self, error);
      return;
    }
  received (self);
}

/* 1xx */
static void
informed_cb (SoupMessage *message, gpointer user_data)
{
  TfdUpload *self = user_data;
  SoupMessageHeaders *fields = soup_message_get_response_headers (message);

  self->last_activity = g_get_monotonic_time ();
  if (soup_message_get_status (message) == SOUP_STATUS_CONTINUE)
    {
      self->expecting = FALSE;
    }
  else if (self->rules->inform != NULL)
    {
      const TfdUploadAnswer answer = {
        .status = soup_message_get_status (message),
        .field = tfd_upload_field,
        .data = fields,
      };

      if (self->rules->inform (&self->state, &self->what, &self->request, &answer))
        self->client->changed (TFD_TRANSFER (self), TRUE, self->user_data);
    }
}

/* A body that was announced and not sent: the next bytes on this connection might be taken for
 * it. */
static void
got_headers_cb (SoupMessage *message, gpointer user_data)
{
  TfdUpload *self = user_data;

  if (!self->expecting)
    return;
  self->expecting = FALSE;
  soup_message_headers_replace (soup_message_get_request_headers (message), "Connection", "close");
}

static void
body_sent_cb (guint64 count, gpointer user_data)
{
  TfdUpload *self = user_data;

  self->written += count;
  self->last_activity = g_get_monotonic_time ();
  self->client->progressed (TFD_TRANSFER (self), self->user_data);
}

static void
wrote_body_data_cb (G_GNUC_UNUSED SoupMessage *message, guint count, gpointer user_data)
{
  body_sent_cb (count, user_data);
}

static void
wrote_headers_cb (G_GNUC_UNUSED SoupMessage *message, gpointer user_data)
{
  TfdUpload *self = user_data;
  GIOStream *connection = self->body != NULL ? tfd_upload_early_get_connection (self->early) : NULL;

  self->asked = TRUE;
  self->last_activity = g_get_monotonic_time ();
  if (connection != NULL)
    tfd_upload_body_connect (self->body, connection, body_sent_cb, self);
}

/* --- asking --- */

static void
put_body (TfdUpload *self, SoupMessage *message)
{
  const TfdUploadRequest *request = &self->request;
  SoupMessageHeaders *headers = soup_message_get_request_headers (message);

  if (self->body != NULL)
    tfd_upload_body_forget (self->body);
  g_clear_object (&self->body);
  self->body =
      tfd_upload_body_new (self->source, self->tools->pool, request->first, request->length);
  if (request->length > 0 && (must_commit (self) || self->committing))
    tfd_upload_body_hold (self->body, commit, self);
  self->written = 0;
  soup_message_set_request_body (message, NULL, G_INPUT_STREAM (self->body),
                                 (gssize) request->length);

  self->expecting = FALSE;
  if (request->length == 0 || self->unheeded ||
      !(request->expect || tfd_login_has_credentials (self->options.login)))
    {
      soup_message_headers_set_expectations (headers, 0);
      return;
    }
  self->expecting = TRUE;
  soup_message_headers_set_expectations (headers, SOUP_EXPECTATION_CONTINUE);
}

/* libsoup sends it again by itself: with credentials, or because an old connection was closed. */
static void
restarted_cb (SoupMessage *message, gpointer user_data)
{
  TfdUpload *self = user_data;

  soup_message_headers_remove (soup_message_get_request_headers (message), "Connection");
  self->asked = FALSE;
  self->last_activity = g_get_monotonic_time ();
  if (self->request.has_body)
    put_body (self, message);
}

static void
put_fields (TfdUpload *self, SoupMessage *message)
{
  SoupMessageHeaders *headers = soup_message_get_request_headers (message);
  GPtrArray *fields = self->request.fields;

  tfd_login_prepare (self->options.login, message, self->file->url);
  for (guint i = 0; fields != NULL && i < fields->len; i++)
    {
      const TfdUploadField *field = fields->pdata[i];

      /* What kind of file it is the owner knows better. */
      if (g_ascii_strcasecmp (field->name, "Content-Type") != 0 ||
          soup_message_headers_get_one (headers, "Content-Type") == NULL)
        soup_message_headers_replace (headers, field->name, field->value);
    }
  soup_message_headers_replace (headers, "Accept-Encoding", "identity");
  if (self->request.has_body)
    put_body (self, message);
  else if (!g_str_equal (self->request.method, "OPTIONS") &&
           !g_str_equal (self->request.method, "HEAD") &&
           !g_str_equal (self->request.method, "GET"))
    soup_message_headers_set_content_length (headers, 0);
}

/* Where the last redirect led is where it would lead again. */
static void
find_url (TfdUpload *self)
{
  const char *url = self->request.url;

  if (self->to != NULL && g_str_equal (url, self->from))
    url = self->to;
  if (g_strcmp0 (url, self->url) == 0)
    return;
  g_free (self->url);
  self->url = g_strdup (url);
}

void
tfd_upload_send (TfdUpload *self)
{
  SoupMessage *message;
  Sent *sent;

  tfd_upload_drop_message (self);
  find_url (self);
  message = soup_message_new (self->request.method, self->url);
  if (message == NULL)
    {
      tfd_upload_fail_with (self, TFD_ERROR_INVALID_URL, TFD_ERROR_CONTEXT_REMOTE_FILE,
                            "the URL cannot be used");
      return;
    }

  self->phase = TFD_UPLOAD_ASKING;
  self->asked = FALSE;
  self->last_activity = g_get_monotonic_time ();
  if (sends_bytes (self) ? self->new_session : must_commit (self))
    {
      g_object_unref (message);
      commit (self);
      return;
    }
  self->message = message;
  self->cancellable = g_cancellable_new ();
  self->early = tfd_upload_early_new (message);
  soup_message_add_flags (message, SOUP_MESSAGE_NO_REDIRECT);
  if (self->request.once || self->retried ||
      (self->request.has_body && self->request.length >= SMALL_BODY))
    soup_message_add_flags (message, SOUP_MESSAGE_NEW_CONNECTION);
  put_fields (self, message);
  g_signal_connect (message, "got-informational", G_CALLBACK (informed_cb), self);
  g_signal_connect (message, "got-headers", G_CALLBACK (got_headers_cb), self);
  g_signal_connect (message, "wrote-headers", G_CALLBACK (wrote_headers_cb), self);
  g_signal_connect (message, "wrote-body-data", G_CALLBACK (wrote_body_data_cb), self);
  g_signal_connect (message, "restarted", G_CALLBACK (restarted_cb), self);

  sent = g_new0 (Sent, 1);
  sent->self = g_object_ref (self);
  sent->serial = self->serial;
  soup_session_send_async (tfd_login_get_session (self->options.login), message, G_PRIORITY_DEFAULT,
                           self->cancellable, sent_cb, sent);
}

void
tfd_upload_watch (TfdUpload *self, gint64 now)
{
  TfdUploadReceived *answer = &self->received;
  gboolean out = body_is_out (self);
  gint64 patience = out && sends_bytes (self) ? ANSWER_USEC : STALL_USEC;

  if (!out && self->written > 0 &&
      tfd_upload_early_look (self->early, &answer->status, &answer->reason, &answer->fields))
    {
      tfd_upload_drop_message (self);
      received (self);
      return;
    }
  if (self->body != NULL && tfd_upload_body_is_reading (self->body))
    return;
  if (self->expecting && self->asked && now - self->last_activity >= CONTINUE_USEC)
    {
      self->unheeded = TRUE;
      tfd_upload_send (self);
      return;
    }
  if (now - self->last_activity >= patience)
    timed_out (self, !out                 ? "the server took nothing for 60 seconds"
                     : sends_bytes (self) ? "the server did not answer within 330 seconds"
                                          : "the server did not answer within 60 seconds");
}
