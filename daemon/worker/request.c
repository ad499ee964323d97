/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Request: a download from an HTTP server: what is asked, and what the answer means. */
#include "config.h"
#include "worker/download-private.h"

#include "common/classify.h"
#include "common/http.h"
#include "common/names.h"
#include "common/url.h"
#include "worker/failure.h"
#include "worker/session.h"

typedef struct
{
  TfdDownload *self; /* (owned) */
  guint serial;
} Request;

static const char *
header (TfdDownload *self, const char *name)
{
  return soup_message_headers_get_one (soup_message_get_response_headers (self->message), name);
}

static gboolean
is_chunked (TfdDownload *self)
{
  SoupMessageHeaders *headers = soup_message_get_response_headers (self->message);

  return soup_message_headers_get_encoding (headers) == SOUP_ENCODING_CHUNKED;
}

static void
network_failed (TfdDownload *self, const GError *error)
{
  g_auto (TfdFailure) failure = { 0 };

  tfd_classify_network_error (error, &failure);
  tfd_download_fail (self, &failure);
}

static void
body_end_cb (const GError *error, gpointer user_data)
{
  TfdDownload *self = user_data;
  TfdPart *part = self->part;

  if (error != NULL)
    {
      network_failed (self, error);
      return;
    }
  if (self->total == TFD_SIZE_UNKNOWN || part->length >= self->total)
    {
      tfd_download_finish (self);
      return;
    }

  tfd_download_drop_request (self);
  if (part->length > self->offset)
    tfd_download_request (self); /* an answer may give less than was asked for */
  else
    tfd_download_fail_with (self, TFD_ERROR_CONNECTION_LOST, TFD_ERROR_CONTEXT_TRANSPORT,
                            "the answer ended before the file was complete");
}

static gboolean
is_same (const char *a, const char *b)
{
  return a != NULL && b != NULL && g_str_equal (a, b);
}

/* Whether the server has said, or shown, that it cannot send a part of the file. Before
 * take_validators (). */
static gboolean
refuses_ranges (TfdDownload *self)
{
  const TfdRecord *record = self->part->record;
  const char *accepts = header (self, "Accept-Ranges");

  if (accepts != NULL && g_ascii_strcasecmp (accepts, "none") == 0)
    return TRUE;
  /* all of it, though only the rest was asked for, and it is the same file as before */
  return self->offset > 0 && (is_same (record->etag, header (self, "ETag")) ||
                              is_same (record->last_modified, header (self, "Last-Modified")));
}

static void
take_validators (TfdDownload *self, gboolean without_ranges)
{
  TfdRecord *record = self->part->record;
  const char *etag = header (self, "ETag");
  const char *last_modified = header (self, "Last-Modified");
  g_autofree char *validator =
      without_ranges ? NULL
                     : tfd_http_choose_validator (etag, last_modified, header (self, "Date"));

  tfd_record_take_string (&record->etag, etag);
  tfd_record_take_string (&record->last_modified, last_modified);
  tfd_record_take_string (&record->validator, validator);
  if (last_modified == NULL || !tfd_http_parse_date (last_modified, &record->mtime))
    record->mtime = TFD_NO_TIME;
}

/* The body belongs to the file, at the present end of the part. */
static void
read_body (TfdDownload *self, GInputStream *stream, guint64 total, gboolean source_changed)
{
  self->offset = self->part->length;
  self->phase = TFD_PHASE_BODY;
  if (!tfd_download_accept (self, total, source_changed))
    {
      tfd_body_drop_stream (stream);
      return;
    }

  self->body = tfd_body_new (stream, is_chunked (self), tfd_download_take, body_end_cb, self);
  tfd_part_choose_cache (self->part, total, !self->options.foreground);
  if (self->part->cache == TFD_CACHE_PASSED &&
      !tfd_body_enlarge (self->body, self->part->length, tfd_download_take_over))
    tfd_part_use_cache (self->part);
}

static void
bad_status (TfdDownload *self, guint status)
{
  g_auto (TfdFailure) failure = { 0 };
  const char *retry_after = header (self, "Retry-After");

  tfd_classify_http_status (status, soup_message_get_reason_phrase (self->message), &failure);
  if (retry_after != NULL)
    failure.retry_after = tfd_http_parse_retry_after (retry_after, header (self, "Date"));
  tfd_download_fail (self, &failure);
}

static void
redirect_refused (TfdDownload *self, TfdRedirect decision, guint status)
{
  g_auto (TfdFailure) failure = { 0 };
  const char *location = header (self, "Location");

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

/* TRUE when the answer was a redirect and has been dealt with. */
static gboolean
redirected (TfdDownload *self, guint status)
{
  g_autofree char *target = NULL;
  TfdRedirect decision =
      tfd_url_redirect (self->url, status, header (self, "Location"), self->redirects,
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

static TfdAnswerKind
judge (TfdDownload *self, guint status, guint64 *total, const char **reason)
{
  const TfdRecord *record = self->part->record;
  const TfdKnown known = {
    .offset = self->offset,
    .total = record->size,
    .etag = record->etag,
    .last_modified = record->last_modified,
  };
  /* Chunks say themselves where the body ends: a length beside them is ignored (RFC 9112 6.3). */
  const TfdAnswer answer = {
    .status = status,
    .content_range = header (self, "Content-Range"),
    .content_length = is_chunked (self) ? NULL : header (self, "Content-Length"),
    .content_encoding = header (self, "Content-Encoding"),
    .etag = header (self, "ETag"),
    .last_modified = header (self, "Last-Modified"),
  };

  return tfd_http_judge (&known, &answer, total, reason);
}

static void
answer_arrived (TfdDownload *self, GInputStream *stream)
{
  guint status = soup_message_get_status (self->message);
  guint64 total = TFD_SIZE_UNKNOWN;
  const char *reason = NULL;
  gboolean without_ranges;

  self->client->answered (TFD_TRANSFER (self), self->user_data);
  if (redirected (self, status))
    {
      tfd_body_drop_stream (stream);
      return;
    }

  switch (judge (self, status, &total, &reason))
    {
    case TFD_ANSWER_APPEND:
      read_body (self, stream, total, FALSE);
      return;
    case TFD_ANSWER_WHOLE:
      without_ranges = refuses_ranges (self);
      if (!tfd_download_restart (self, reason))
        break;
      take_validators (self, without_ranges);
      read_body (self, stream, total, TRUE);
      return;
    case TFD_ANSWER_RESTART:
      if (tfd_download_restart (self, reason))
        {
          tfd_download_drop_request (self);
          tfd_download_request (self);
        }
      break;
    case TFD_ANSWER_DONE:
      tfd_download_finish (self);
      break;
    case TFD_ANSWER_INVALID:
      tfd_download_fail_with (self, TFD_ERROR_INVALID_SERVER_RESPONSE,
                              TFD_ERROR_CONTEXT_REMOTE_FILE, reason);
      break;
    case TFD_ANSWER_STATUS:
    default:
      bad_status (self, status);
      break;
    }
  tfd_body_drop_stream (stream);
}

static void
sent_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Request *request = user_data;
  g_autoptr (TfdDownload) self = request->self;
  g_autoptr (GError) error = NULL;
  g_autoptr (GInputStream) stream =
      soup_session_send_finish (SOUP_SESSION (source), result, &error);
  gboolean current = request->serial == self->serial && self->phase == TFD_PHASE_REQUESTING;

  g_free (request);
  if (!current)
    {
      if (stream != NULL)
        tfd_body_drop_stream (stream);
      return;
    }
  if (stream == NULL)
    {
      network_failed (self, error);
      return;
    }

  answer_arrived (self, stream);
}

void
tfd_request_take_given (TfdDownload *self)
{
  g_autoptr (GInputStream) stream = g_steal_pointer (&self->given);
  guint64 total = TFD_SIZE_UNKNOWN;
  const char *length = header (self, "Content-Length");

  if (length != NULL && !is_chunked (self) && !tfd_http_parse_length (length, &total))
    total = TFD_SIZE_UNKNOWN;
  read_body (self, stream, total, FALSE);
}

void
tfd_request_send (TfdDownload *self)
{
  SoupMessage *message = soup_message_new (SOUP_METHOD_GET, self->url);
  SoupMessageHeaders *headers;
  Request *request;

  if (message == NULL)
    {
      tfd_download_fail_with (self, TFD_ERROR_INVALID_URL, TFD_ERROR_CONTEXT_REMOTE_FILE,
                              "the URL cannot be used");
      return;
    }

  self->message = message;
  self->cancellable = g_cancellable_new ();
  self->offset = self->part->length;
  soup_message_add_flags (message, SOUP_MESSAGE_NO_REDIRECT);
  headers = soup_message_get_request_headers (message);
  tfd_login_prepare (self->options.login, message, self->file->url);
  if (soup_message_headers_get_one (headers, "Accept") == NULL)
    soup_message_headers_replace (headers, "Accept", "*/*");
  soup_message_headers_replace (headers, "Accept-Encoding", "identity");
  if (self->offset > 0)
    {
      g_autofree char *range = g_strdup_printf ("bytes=%" G_GUINT64_FORMAT "-", self->offset);

      soup_message_headers_replace (headers, "Range", range);
      soup_message_headers_replace (headers, "If-Range", self->part->record->validator);
    }

  request = g_new0 (Request, 1);
  request->self = g_object_ref (self);
  request->serial = self->serial;
  soup_session_send_async (tfd_login_get_session (self->options.login), message, G_PRIORITY_DEFAULT,
                           self->cancellable, sent_cb, request);
}
