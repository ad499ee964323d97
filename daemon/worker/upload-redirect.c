/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Upload, its redirects: whether it is sent to somewhere else. */
#include "config.h"
#include "worker/upload-private.h"

#include "common/url.h"
#include "worker/failure.h"
#include "worker/session.h"

static void
redirect_refused (TfdUpload *self, TfdRedirect decision)
{
  g_auto (TfdFailure) failure = { 0 };

  if (decision == TFD_REDIRECT_TOO_MANY)
    tfd_failure_set (&failure, TFD_ERROR_TOO_MANY_REDIRECTS, TFD_ERROR_CONTEXT_REMOTE_FILE,
                     "the server redirects again and again");
  else if (decision == TFD_REDIRECT_INVALID)
    tfd_failure_set (&failure, TFD_ERROR_INVALID_SERVER_RESPONSE, TFD_ERROR_CONTEXT_REMOTE_FILE,
                     "the server redirects to what is no place to go");
  else
    tfd_failure_set (&failure, TFD_ERROR_REDIRECT_REFUSED, TFD_ERROR_CONTEXT_REMOTE_FILE,
                     "the server redirects to where it is not allowed to go");
  failure.http_status = self->received.status;
  tfd_upload_fail (self, &failure);
}

static void
follow (TfdUpload *self, char *target)
{
  g_autofree char *before = tfd_session_host (self->url);
  g_autofree char *host = tfd_session_host (target);

  /* The same for the requests that follow, or each body would be sent twice. */
  g_free (self->from);
  g_free (self->to);
  self->from = g_strdup (self->request.url);
  self->to = target;
  g_free (self->url);
  self->url = g_strdup (target);
  self->redirects++;
  self->client->event (TFD_TRANSFER (self), "redirected",
                       g_variant_new_parsed ("@a{sv} {'url': <%s>, 'report': <%b>}", target, FALSE),
                       self->user_data);
  tfd_upload_received_clear (&self->received);
  tfd_upload_drop_message (self);
  if (g_strcmp0 (before, host) != 0)
    {
      self->phase = TFD_UPLOAD_WAITING;
      if (!self->client->moved (TFD_TRANSFER (self), host, self->user_data))
        return;
    }
  tfd_upload_send (self);
}

/* Only 307 and 308 say that the same request, with its body, is to be sent to somewhere else; the
 * others would make a GET of it. Those are for the rules to judge. */
gboolean
tfd_upload_redirected (TfdUpload *self)
{
  const char *location = soup_message_headers_get_one (self->received.fields, "Location");
  g_autofree char *target = NULL;
  TfdRedirect decision;

  if ((self->received.status != 307 && self->received.status != 308) || location == NULL)
    return FALSE;

  decision =
      tfd_url_redirect (self->url, self->received.status, location, self->redirects,
                        self->options.redirect_policy, self->options.allow_downgrade, &target);
  if (decision == TFD_REDIRECT_FOLLOW || decision == TFD_REDIRECT_FOLLOW_FOREIGN)
    follow (self, g_steal_pointer (&target));
  else
    redirect_refused (self, decision);

  return TRUE;
}
