/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Upload, its protocol: which one it is, and what becomes of what the rules make of an answer. */
#include "config.h"
#include "worker/upload-private.h"

#include "common/url.h"

#include <string.h>

static void
adopt_protocol (TfdUpload *self, TfdUploadProtocol protocol)
{
  self->state.protocol = protocol;
  self->rules = tfd_upload_rules (protocol);
}

static void
tell_protocol (TfdUpload *self, const char *reason)
{
  const char *name = tfd_enum_to_string (TFD_TYPE_UPLOAD_PROTOCOL, self->state.protocol);

  self->client->event (
      TFD_TRANSFER (self), "protocol",
      g_variant_new_parsed ("@a{sv} {'protocol': <%s>, 'reason': <%s>}", name, reason),
      self->user_data);
}

/* What a server said it speaks is asked once for each origin, as long as the worker lives. */
static void
remember_protocol (TfdUpload *self)
{
  g_hash_table_insert (self->tools->protocols, tfd_url_origin (self->file->url),
                       GUINT_TO_POINTER (self->state.protocol));
}

void
tfd_upload_choose_protocol (TfdUpload *self)
{
  TfdUploadProtocol wanted = self->options.upload_protocol;
  TfdUploadProtocol known = self->state.protocol;

  /* The owner may have changed their mind since. */
  if (wanted != TFD_UPLOAD_PROTOCOL_AUTO && known != wanted)
    {
      tfd_upload_state_clear (&self->state);
      self->state.host_timeout = -1;
      known = wanted;
    }
  if (known == TFD_UPLOAD_PROTOCOL_AUTO)
    {
      g_autofree char *origin = tfd_url_origin (self->file->url);

      known = GPOINTER_TO_UINT (g_hash_table_lookup (self->tools->protocols, origin));
      adopt_protocol (self, known);
      if (known != TFD_UPLOAD_PROTOCOL_AUTO)
        tell_protocol (self, "the server was asked before");
      return;
    }
  adopt_protocol (self, known);
}

const char *
tfd_upload_field (const char *name, gpointer data)
{
  return soup_message_headers_get_one (data, name);
}

static void
judged (TfdUpload *self, TfdUploadVerdict verdict, const char *reason, const TfdFailure *failure)
{
  if (self->rules->protocol != self->state.protocol)
    {
      adopt_protocol (self, self->state.protocol);
      remember_protocol (self);
      tell_protocol (self, reason != NULL ? reason : "the server says so");
    }
  self->client->changed (TFD_TRANSFER (self), TRUE, self->user_data);
  self->client->progressed (TFD_TRANSFER (self), self->user_data);
  if (verdict == TFD_UPLOAD_FAILED)
    {
      tfd_upload_fail (self, failure);
      return;
    }
  if (verdict == TFD_UPLOAD_RESTART)
    self->client->event (
        TFD_TRANSFER (self), "session-lost",
        g_variant_new_parsed ("@a{sv} {'reason': <%s>}",
                              reason != NULL ? reason : "the server has forgotten the upload"),
        self->user_data);
  tfd_upload_go_on (self);
}

void
tfd_upload_judge (TfdUpload *self)
{
  g_auto (TfdFailure) failure = { 0 };
  TfdUploadReceived received = self->received;
  g_autoptr (SoupMessage) message = g_steal_pointer (&self->message);
  const char *reason = NULL;
  guint64 before = self->state.offset;
  g_autofree char *session = g_strdup (self->state.session);
  TfdUploadAnswer answer = {
    .status = received.status,
    .reason = received.reason,
    .field = tfd_upload_field,
    .data = received.fields,
  };
  TfdUploadVerdict verdict;

  memset (&self->received, 0, sizeof self->received);
  self->phase = TFD_UPLOAD_LOOKING;
  verdict =
      self->rules->judge (&self->state, &self->what, &self->request, &answer, &reason, &failure);
  if (self->state.offset > before || self->state.sent)
    self->idle_requests = 0;
  if (g_strcmp0 (self->state.session, session) != 0)
    self->new_session = self->state.session != NULL;

  if (verdict == TFD_UPLOAD_REPLY && self->file->reply != NULL && received.stream != NULL)
    {
      /* Not remembered before it is here: a reply that comes with the answer comes once. */
      g_autoptr (GInputStream) stream = g_steal_pointer (&received.stream);

      g_clear_object (&self->cancellable);
      tfd_upload_drop_message (self);
      tfd_upload_received_clear (&received);
      tfd_upload_fetch_reply (self, message, stream);
      return;
    }
  tfd_upload_received_clear (&received);
  tfd_upload_drop_message (self);
  judged (self, verdict, reason, &failure);
}
