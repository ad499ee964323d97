/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Request: a download from an HTTP server: what is asked, and what the answer means. */
#include "config.h"
#include "worker/download-private.h"

#include "common/classify.h"
#include "common/http.h"
#include "common/names.h"
#include "worker/buffer.h"
#include "worker/failure.h"
#include "worker/session.h"

typedef struct
{
  TfdDownload *self; /* (owned) */
  guint serial;
} Request;

/* What was answered is in the download; this is where its body is. */
typedef struct
{
  GInputStream *stream;         /* (nullable) that of libsoup, … */
  const TfdLaneAnswer *on_lane; /* (nullable) or this */
} Answer;

static void ask_libsoup (TfdDownload *self);

const char *
tfd_download_header (TfdDownload *self, const char *name)
{
  return soup_message_headers_get_one (self->headers, name);
}

/* That of a lane is dropped with it, when the request is. */
static void
drop_body (const Answer *answer)
{
  if (answer->stream != NULL)
    tfd_body_drop_stream (answer->stream);
}

static gboolean
is_chunked (TfdDownload *self)
{
  return soup_message_headers_get_encoding (self->headers) == SOUP_ENCODING_CHUNKED;
}

static void
network_failed (TfdDownload *self, const GError *error)
{
  g_auto (TfdFailure) failure = { 0 };

  tfd_classify_network_error (error, &failure);
  tfd_download_fail (self, &failure);
}

/* The last byte of the body was read, and no byte beyond it. */
static void
keep_lane (TfdDownload *self)
{
  if (self->lane == NULL)
    return;

  g_clear_pointer (&self->body, tfd_body_free);
  tfd_lane_give_back (g_steal_pointer (&self->lane));
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
  keep_lane (self);
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
  const char *accepts = tfd_download_header (self, "Accept-Ranges");

  if (accepts != NULL && g_ascii_strcasecmp (accepts, "none") == 0)
    return TRUE;
  /* all of it, though only the rest was asked for, and it is the same file as before */
  return self->offset > 0 &&
         (is_same (record->etag, tfd_download_header (self, "ETag")) ||
          is_same (record->last_modified, tfd_download_header (self, "Last-Modified")));
}

static void
take_validators (TfdDownload *self, gboolean without_ranges)
{
  TfdRecord *record = self->part->record;
  const char *etag = tfd_download_header (self, "ETag");
  const char *last_modified = tfd_download_header (self, "Last-Modified");
  g_autofree char *validator =
      without_ranges
          ? NULL
          : tfd_http_choose_validator (etag, last_modified, tfd_download_header (self, "Date"));

  tfd_record_take_string (&record->etag, etag);
  tfd_record_take_string (&record->last_modified, last_modified);
  tfd_record_take_string (&record->validator, validator);
  if (last_modified == NULL || !tfd_http_parse_date (last_modified, &record->mtime))
    record->mtime = TFD_NO_TIME;
}

/* What of a body follows on a lane: @length bytes, of which @count are @data. */
static void
read_lane (TfdDownload *self, guint64 total, guint64 length, const guint8 *data, gsize count)
{
  gboolean large;

  tfd_part_choose_cache (self->part, total, !self->options.foreground);
  large = self->part->cache == TFD_CACHE_PASSED;

  /* most small ones came with the head */
  if (count > 0 && (count == length || large))
    {
      if (!tfd_download_take (data, count, self))
        return;
      length -= count;
      count = 0;
    }
  if (length == 0)
    {
      body_end_cb (NULL, self);
      return;
    }

  self->body = tfd_body_new_of_length (tfd_lane_get_stream (self->lane), length, data, count,
                                       tfd_download_take, body_end_cb, self);
  if (large && !tfd_body_enlarge (self->body, self->part->length, tfd_download_take_over))
    tfd_part_use_cache (self->part);
}

static void
read_stream (TfdDownload *self, guint64 total, GInputStream *stream)
{
  self->body = tfd_body_new (stream, is_chunked (self), tfd_download_take, body_end_cb, self);
  tfd_part_choose_cache (self->part, total, !self->options.foreground);
  if (self->part->cache == TFD_CACHE_PASSED &&
      !tfd_body_enlarge (self->body, self->part->length, tfd_download_take_over))
    tfd_part_use_cache (self->part);
}

/* Only what is to be had whole, and from where the owner wanted it. */
static gboolean
is_for_lane (TfdDownload *self)
{
  return self->part->length == 0 && self->redirects == 0;
}

/* Whether more can be asked for on the connection of this answer. */
static gboolean
found_lane (TfdDownload *self, const Answer *answer)
{
  if (self->cancellable == NULL || !is_for_lane (self) || !tfd_download_many_wait (self))
    return FALSE;
  self->lane = tfd_lane_new (self->tools->lanes, self->url, self->options.login, self->message,
                             answer->stream, self->cancellable);
  if (self->lane == NULL)
    return FALSE;

  /* libsoup goes on reading, as far as it knows */
  g_clear_object (&self->message);
  g_clear_object (&self->cancellable);
  return TRUE;
}

/* In memory, see download-small.c. */
static gboolean
may_be_kept (guint64 total)
{
  return total <= TFD_BUFFER_KEEP;
}

/* The body belongs to the file, at the present end of the part. */
static void
read_body (TfdDownload *self, const Answer *answer, guint64 total, gboolean source_changed)
{
  const TfdLaneAnswer *on_lane = answer->on_lane;

  if (!may_be_kept (total) && !tfd_download_make_part (self))
    {
      drop_body (answer);
      return;
    }
  self->offset = self->part->length;
  self->phase = TFD_PHASE_BODY;
  if (!tfd_download_accept (self, total, source_changed))
    drop_body (answer);
  else if (on_lane != NULL)
    read_lane (self, total, on_lane->length, on_lane->data, on_lane->count);
  else if (found_lane (self, answer))
    read_lane (self, total, (guint64) soup_message_headers_get_content_length (self->headers), NULL,
               0);
  else
    read_stream (self, total, answer->stream);
}

static void
bad_status (TfdDownload *self, guint status)
{
  g_auto (TfdFailure) failure = { 0 };
  const char *retry_after = tfd_download_header (self, "Retry-After");
  const char *reason =
      self->message != NULL ? soup_message_get_reason_phrase (self->message) : self->reason;

  tfd_classify_http_status (status, reason, &failure);
  if (retry_after != NULL)
    failure.retry_after =
        tfd_http_parse_retry_after (retry_after, tfd_download_header (self, "Date"));
  tfd_download_fail (self, &failure);
}

/* (nullable) What was announced; lengths that differ are none (RFC 9112 6.3). */
static const char *
announced_length (TfdDownload *self)
{
  const char *all = soup_message_headers_get_list (self->headers, "Content-Length");
  const char *one = tfd_download_header (self, "Content-Length");

  /* chunks say themselves where the body ends: a length beside them is ignored */
  if (is_chunked (self))
    return NULL;
  return all == NULL || tfd_http_is_same_in_all (all, one) ? one : all;
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
  const TfdAnswer answer = {
    .status = status,
    .content_range = tfd_download_header (self, "Content-Range"),
    .content_length = announced_length (self),
    .content_encoding = tfd_download_header (self, "Content-Encoding"),
    .etag = tfd_download_header (self, "ETag"),
    .last_modified = tfd_download_header (self, "Last-Modified"),
  };

  return tfd_http_judge (&known, &answer, total, reason);
}

static void
answer_arrived (TfdDownload *self, const Answer *answer)
{
  guint status = self->status;
  guint64 total = TFD_SIZE_UNKNOWN;
  const char *reason = NULL;
  gboolean without_ranges;

  self->client->answered (TFD_TRANSFER (self), self->user_data);
  if (tfd_download_redirected (self, status))
    {
      drop_body (answer);
      return;
    }

  switch (judge (self, status, &total, &reason))
    {
    case TFD_ANSWER_APPEND:
      read_body (self, answer, total, FALSE);
      return;
    case TFD_ANSWER_WHOLE:
      without_ranges = refuses_ranges (self);
      if (!tfd_download_restart (self, reason))
        break;
      take_validators (self, without_ranges);
      read_body (self, answer, total, TRUE);
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
  drop_body (answer);
}

static void
take_answer (TfdDownload *self, guint status, const char *reason, SoupMessageHeaders *headers)
{
  self->status = status;
  self->reason = g_strdup (reason);
  self->headers = soup_message_headers_ref (headers);
}

static void
request_free (Request *request)
{
  g_object_unref (request->self);
  g_free (request);
}

static void
sent_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Request *request = user_data;
  g_autoptr (TfdDownload) self = g_object_ref (request->self);
  g_autoptr (GError) error = NULL;
  g_autoptr (GInputStream) stream =
      soup_session_send_finish (SOUP_SESSION (source), result, &error);
  gboolean current = request->serial == self->serial && self->phase == TFD_PHASE_REQUESTING;

  request_free (request);
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

  take_answer (self, soup_message_get_status (self->message), NULL,
               soup_message_get_response_headers (self->message));
  answer_arrived (self, &(Answer){ .stream = stream });
}

void
tfd_request_take_given (TfdDownload *self)
{
  g_autoptr (GInputStream) stream = g_steal_pointer (&self->given);
  guint64 total = TFD_SIZE_UNKNOWN;
  const char *length = announced_length (self);

  if (length != NULL && !tfd_http_parse_length (length, &total))
    total = TFD_SIZE_UNKNOWN;
  read_body (self, &(Answer){ .stream = stream }, total, FALSE);
}

static void
answered_cb (const TfdLaneAnswer *on_lane, gpointer user_data)
{
  g_autoptr (TfdDownload) self = g_object_ref (TFD_DOWNLOAD (user_data));

  if (on_lane == NULL)
    {
      g_clear_pointer (&self->lane, tfd_lane_drop);
      ask_libsoup (self);
      return;
    }
  take_answer (self, on_lane->status, on_lane->reason, on_lane->headers);
  answer_arrived (self, &(Answer){ .on_lane = on_lane });
}

static gboolean
ask_on_lane (TfdDownload *self)
{
  if (!is_for_lane (self))
    return FALSE;
  self->lane = tfd_lanes_take (self->tools->lanes, self->url, self->options.login);
  if (self->lane == NULL)
    return FALSE;

  self->offset = 0;
  if (tfd_lane_ask (self->lane, self->url, answered_cb, self))
    return TRUE;
  g_clear_pointer (&self->lane, tfd_lane_drop);
  return FALSE;
}

void
tfd_request_send (TfdDownload *self)
{
  if (ask_on_lane (self))
    return;
  tfd_lanes_make_room (self->tools->lanes, self->url);
  ask_libsoup (self);
}

static void
ask_libsoup (TfdDownload *self)
{
  SoupMessage *message;
  SoupMessageHeaders *headers;
  Request *request;

  if (!tfd_download_make_part (self))
    return;
  message = soup_message_new (SOUP_METHOD_GET, self->url);

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
  tfd_lanes_watch (self->tools->lanes, message);
  soup_session_send_async (tfd_login_get_session (self->options.login), message, G_PRIORITY_DEFAULT,
                           self->cancellable, sent_cb, request);
}
