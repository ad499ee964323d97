/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Upload: one file on its way to a server: its life. */
#include "config.h"
#include "worker/upload-private.h"

#include "common/names.h"
#include "worker/failure.h"
#include "worker/upload-record.h"

#include <string.h>

/* Most bytes of one request where the protocol has a choice: what is lost with a connection. */
#define FRAGMENT (G_GUINT64_CONSTANT (16) << 20)

/* Answers after which nothing more was confirmed than before. */
#define MAX_IDLE_REQUESTS 32

static void upload_transfer_init (TfdTransferInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (TfdUpload,
                               tfd_upload,
                               G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (TFD_TYPE_TRANSFER, upload_transfer_init))

static void
tfd_upload_finalize (GObject *object)
{
  TfdUpload *self = TFD_UPLOAD (object);

  tfd_upload_drop_message (self);
  tfd_upload_received_clear (&self->received);
  tfd_upload_request_clear (&self->request);
  tfd_upload_state_clear (&self->state);
  g_clear_pointer (&self->source, tfd_upload_file_unref);
  g_clear_pointer (&self->file, tfd_file_free);
  tfd_login_unref (self->options.login);
  g_free (self->name);
  g_free (self->key);
  g_free (self->digest);
  g_free (self->url);
  g_free (self->from);
  g_free (self->to);
  g_free (self->job);

  G_OBJECT_CLASS (tfd_upload_parent_class)->finalize (object);
}

static void
tfd_upload_class_init (TfdUploadClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = tfd_upload_finalize;
}

static void
tfd_upload_init (TfdUpload *self)
{
  self->state.host_timeout = -1;
}

TfdUpload *
tfd_upload_new (const char *job,
                TfdFile *file,
                const TfdRunOptions *options,
                const TfdTools *tools,
                const TfdTransferClient *client,
                gpointer user_data)
{
  TfdUpload *self = g_object_new (TFD_TYPE_UPLOAD, NULL);

  self->job = g_strdup (job);
  self->file = file;
  self->options = *options;
  tfd_login_ref (self->options.login);
  self->tools = tools;
  self->client = client;
  self->user_data = user_data;
  self->url = g_strdup (file->url);

  return self;
}

void
tfd_upload_received_clear (TfdUploadReceived *received)
{
  if (received->stream != NULL)
    tfd_body_drop_stream (received->stream);
  g_clear_object (&received->stream);
  g_clear_pointer (&received->fields, soup_message_headers_unref);
  g_clear_pointer (&received->reason, g_free);
}

static TfdTransfer *
transfer (TfdUpload *self)
{
  return TFD_TRANSFER (self);
}

/* What was under way does not count any more. */
static void
tell_progress (TfdUpload *self)
{
  if (self->source != NULL)
    self->client->progressed (transfer (self), self->user_data);
}

void
tfd_upload_fail (TfdUpload *self, const TfdFailure *failure)
{
  if (self->committing)
    tfd_upload_take_back (self);
  self->phase = TFD_UPLOAD_GIVEN_UP;
  tfd_upload_drop_message (self);
  tfd_upload_received_clear (&self->received);
  tell_progress (self);
  self->client->failed (transfer (self), failure, self->user_data);
}

void
tfd_upload_fail_with (TfdUpload *self,
                      TfdErrorCode code,
                      TfdErrorContext context,
                      const char *message)
{
  g_auto (TfdFailure) failure = { 0 };

  tfd_failure_set (&failure, code, context, "%s", message);
  tfd_upload_fail (self, &failure);
}

/* Told once. Who resumes after that wants it sent again: the record must not stand in the way. */
void
tfd_upload_fail_unclear (TfdUpload *self)
{
  g_auto (TfdFailure) failure = { 0 };

  self->state.begun = FALSE;
  self->client->changed (transfer (self), TRUE, self->user_data);
  tfd_failure_set (&failure, TFD_ERROR_CONNECTION_LOST, TFD_ERROR_CONTEXT_REMOTE_FILE,
                   "the connection was lost while the file was sent: the server may have taken it, "
                   "so it is not sent again by itself; to resume is to send it again");
  failure.transient = FALSE;
  tfd_upload_fail (self, &failure);
}

/* --- what is known --- */

/* The file name as text, whatever its bytes are. */
static char *
shown_name (const char *base)
{
  return g_utf8_validate (base, -1, NULL) ? g_strdup (base) : g_filename_display_name (base);
}

static void
describe (TfdUpload *self)
{
  self->name = shown_name (self->file->base);
  self->key = g_strdup_printf ("%s-%u", self->job, self->file->index);
  self->what = (TfdUploadSource){
    .url = self->file->url,
    .name = self->name,
    .size = tfd_upload_file_get_size (self->source),
    .digest = self->digest,
    .reply = self->file->reply != NULL,
    .fragment = FRAGMENT,
    .key = self->key,
    .downgrade = self->options.allow_downgrade,
  };
}

void
tfd_upload_opened (TfdUpload *self, TfdUploadFile *source, char *digest)
{
  g_autoptr (GBytes) begun_with = NULL;

  self->source = source;
  self->digest = digest;
  describe (self);
  if (self->file->part != NULL)
    tfd_upload_record_parse (self->file->part, self->what.size, &self->state, &begun_with);
  tfd_upload_choose_protocol (self);

  self->client->changed (transfer (self), FALSE, self->user_data);
  self->client->progressed (transfer (self), self->user_data);
  tfd_upload_work_check (self);
}

/* --- one step after the other --- */

static void
finish (TfdUpload *self)
{
  self->phase = TFD_UPLOAD_DONE;
  self->state.closed = TRUE;
  tfd_upload_drop_message (self);
  self->client->released (transfer (self), self->user_data);
  self->client->progressed (transfer (self), self->user_data);
  self->client->done (transfer (self), self->user_data);
}

void
tfd_upload_fetch_reply (TfdUpload *self, SoupMessage *message, GInputStream *stream)
{
  TfdFile *file = g_steal_pointer (&self->file->reply);

  self->phase = TFD_UPLOAD_REPLYING;
  g_free (file->url);
  file->url = message == NULL ? g_strdup (self->state.reply_url) : NULL;
  self->client->progressed (transfer (self), self->user_data);
  self->client->released (transfer (self), self->user_data);
  self->client->reply (transfer (self), file, message, stream, self->user_data);
}

static void
next_request (TfdUpload *self)
{
  tfd_upload_request_clear (&self->request);
  if (!self->rules->next (&self->state, &self->what, &self->request))
    {
      finish (self);
      return;
    }
  if (self->request.once && self->state.begun)
    {
      tfd_upload_fail_unclear (self);
      return;
    }
  if (self->idle_requests++ >= MAX_IDLE_REQUESTS)
    {
      tfd_upload_fail_with (self, TFD_ERROR_INVALID_SERVER_RESPONSE, TFD_ERROR_CONTEXT_REMOTE_FILE,
                            "the server answers again and again without taking anything");
      return;
    }

  self->redirects = 0;
  self->retried = FALSE;
  self->unheeded = FALSE;
  if (self->request.digest_field != NULL)
    tfd_upload_work_digest (self);
  else
    tfd_upload_send (self);
}

void
tfd_upload_digested (TfdUpload *self, char *digest)
{
  const TfdUploadRequest *request = &self->request;

  tfd_upload_request_add (&self->request, request->digest_field, "%s%s%s",
                          request->digest_prefix != NULL ? request->digest_prefix : "", digest,
                          request->digest_suffix != NULL ? request->digest_suffix : "");
  g_free (digest);
  tfd_upload_send (self);
}

/* The source is as it was. */
void
tfd_upload_take_digest (TfdUpload *self, char *digest)
{
  g_free (self->digest);
  self->digest = digest;
  self->what.digest = digest;
}

void
tfd_upload_checked (TfdUpload *self)
{
  if (self->phase == TFD_UPLOAD_JUDGING)
    tfd_upload_judge (self);
  else if (self->state.sent && self->file->reply != NULL)
    tfd_upload_fetch_reply (self, NULL, NULL);
  else
    next_request (self);
}

void
tfd_upload_go_on (TfdUpload *self)
{
  self->phase = TFD_UPLOAD_LOOKING;
  /* What was sent as a whole may change or go. */
  if (self->state.sent)
    tfd_upload_checked (self);
  else
    tfd_upload_work_check (self);
}

void
tfd_upload_replied (TfdUpload *self)
{
  if (self->phase != TFD_UPLOAD_REPLYING)
    return;

  self->state.replied = TRUE;
  self->redirects = 0;
  self->client->changed (transfer (self), TRUE, self->user_data);
  self->phase = TFD_UPLOAD_WAITING;
  if (self->client->moved (transfer (self), NULL, self->user_data))
    tfd_upload_go_on (self);
}

/* --- as a transfer --- */

static void
upload_start (TfdTransfer *base)
{
  TfdUpload *self = TFD_UPLOAD (base);

  self->phase = TFD_UPLOAD_LOOKING;
  tfd_upload_work_open (self);
}

static void
upload_committed (TfdTransfer *base)
{
  tfd_upload_committed (TFD_UPLOAD (base));
}

static void
upload_go (TfdTransfer *base)
{
  TfdUpload *self = TFD_UPLOAD (base);

  if (self->phase != TFD_UPLOAD_WAITING)
    return;
  if (self->redirects > 0)
    tfd_upload_send (self);
  else
    tfd_upload_go_on (self);
}

static void
settle (TfdUpload *self)
{
  self->phase = TFD_UPLOAD_STOPPED;
  self->client->stopped (transfer (self), self->user_data);
}

static void
upload_stop (TfdTransfer *base)
{
  TfdUpload *self = TFD_UPLOAD (base);

  if (self->phase >= TFD_UPLOAD_STOPPING)
    return;

  if (self->committing)
    tfd_upload_take_back (self);
  self->phase = TFD_UPLOAD_STOPPING;
  g_atomic_int_set (&self->abort, 1);
  tfd_upload_drop_message (self);
  tfd_upload_received_clear (&self->received);
  tell_progress (self);
  if (self->pending == 0)
    settle (self);
}

void
tfd_upload_work_ended (TfdUpload *self)
{
  self->pending--;
  if (self->pending == 0 && self->phase == TFD_UPLOAD_STOPPING)
    settle (self);
}

static void
upload_tick (TfdTransfer *base, gint64 now)
{
  TfdUpload *self = TFD_UPLOAD (base);

  if (self->phase == TFD_UPLOAD_ASKING)
    tfd_upload_watch (self, now);
}

static const TfdFile *
upload_get_file (TfdTransfer *base)
{
  return TFD_UPLOAD (base)->file;
}

static GVariant *
upload_get_record (TfdTransfer *base)
{
  TfdUpload *self = TFD_UPLOAD (base);

  if (self->source == NULL)
    return NULL;

  return tfd_upload_record_new (&self->state, tfd_upload_file_get_identity (self->source),
                                self->rules->resumable);
}

static guint64
upload_get_length (TfdTransfer *base)
{
  TfdUpload *self = TFD_UPLOAD (base);

  if (self->state.sent || self->phase == TFD_UPLOAD_REPLYING || self->phase == TFD_UPLOAD_DONE)
    return self->what.size;
  if (self->message != NULL && self->request.has_body)
    return MIN (self->request.first + self->written, self->what.size);

  return MIN (self->state.offset, self->what.size);
}

static guint64
upload_get_total (TfdTransfer *base)
{
  TfdUpload *self = TFD_UPLOAD (base);

  return self->source != NULL ? self->what.size : TFD_SIZE_UNKNOWN;
}

static const char *
upload_get_url (TfdTransfer *base)
{
  return TFD_UPLOAD (base)->url;
}

static void
upload_transfer_init (TfdTransferInterface *iface)
{
  iface->start = upload_start;
  iface->go = upload_go;
  iface->committed = upload_committed;
  iface->stop = upload_stop;
  iface->tick = upload_tick;
  iface->get_file = upload_get_file;
  iface->get_record = upload_get_record;
  iface->get_length = upload_get_length;
  iface->get_total = upload_get_total;
  iface->get_url = upload_get_url;
}
