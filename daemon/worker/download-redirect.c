/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Download, redirects: the file is somewhere else, or so the server says. */
#include "config.h"
#include "worker/download-private.h"

#include "common/url.h"
#include "worker/failure.h"
#include "worker/session.h"

static void
redirect_refused (TfdDownload *self, TfdRedirect decision, guint status)
{
  g_auto (TfdFailure) failure = { 0 };
  const char *location = tfd_download_header (self, "Location");

  if (decision == TFD_REDIRECT_TOO_MANY)
    tfd_failure_set (&failure, TFD_ERROR_TOO_MANY_REDIRECTS, TFD_ERROR_CONTEXT_REMOTE_FILE,
                     "the server redirects again and again");
  else if (decision == TFD_REDIRECT_INVALID)
    tfd_failure_set (&failure, TFD_ERROR_INVALID_SERVER_RESPONSE, TFD_ERROR_CONTEXT_REMOTE_FILE,
                     "the server redirects to “%s”, which is no place to go",
                     location != NULL ? location : "");
  else
    tfd_failure_set (&failure, TFD_ERROR_REDIRECT_REFUSED, TFD_ERROR_CONTEXT_REMOTE_FILE,
                     "the redirect to “%s” is not allowed", location != NULL ? location : "");
  failure.http_status = status;
  tfd_download_fail (self, &failure);
}

static void
follow (TfdDownload *self, char *target)
{
  g_autofree char *before = tfd_session_host (self->url);
  g_autofree char *host = tfd_session_host (target);
  gboolean report = self->options.redirect_policy == TFD_REDIRECT_POLICY_REPORT;

  g_free (self->url);
  self->url = target;
  self->redirects++;
  self->client->event (
      TFD_TRANSFER (self), "redirected",
      g_variant_new_parsed ("@a{sv} {'url': <%s>, 'report': <%b>}", target, report),
      self->user_data);
  tfd_download_drop_request (self);
  if (g_strcmp0 (before, host) != 0)
    {
      self->phase = TFD_PHASE_WAITING;
      if (!self->client->moved (TFD_TRANSFER (self), host != NULL ? host : "", self->user_data))
        return;
    }
  tfd_download_request (self);
}

gboolean
tfd_download_redirected (TfdDownload *self, guint status)
{
  g_autofree char *target = NULL;
  TfdRedirect decision =
      tfd_url_redirect (self->url, status, tfd_download_header (self, "Location"), self->redirects,
                        self->options.redirect_policy, self->options.allow_downgrade, &target);

  switch (decision)
    {
    case TFD_REDIRECT_NONE:
      return FALSE;
    case TFD_REDIRECT_FOLLOW:
    case TFD_REDIRECT_FOLLOW_FOREIGN:
      follow (self, g_steal_pointer (&target));
      return TRUE;
    case TFD_REDIRECT_REFUSED:
    case TFD_REDIRECT_INVALID:
    case TFD_REDIRECT_TOO_MANY:
    default:
      redirect_refused (self, decision, status);
      return TRUE;
    }
}
