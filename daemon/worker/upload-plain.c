/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Upload by PUT and by POST: one request with the whole file, that any server understands and
 * hardly one can continue: by PUT with Content-Range, when it says that it can. A PUT may be
 * repeated as often as one likes (RFC 9110 9.2.2). A POST may do something each time: once bytes of
 * it have been sent it is repeated only when the server has said that it did nothing, or when the
 * user says so. */
#include "config.h"
#include "worker/upload-rules.h"

#include "common/http.h"
#include "worker/failure.h"
#include "worker/upload-common.h"
#include "worker/upload-fields.h"

/* A smaller body costs less than waiting for the server to want it. */
#define EXPECT_FROM (64 * 1024)

static void
whole (const TfdUploadSource *source, TfdUploadRequest *request)
{
  request->url = g_strdup (source->url);
  request->has_body = TRUE;
  request->first = 0;
  request->length = source->size;
  request->expect = source->size >= EXPECT_FROM;
  tfd_upload_request_add (request, "Content-Type", "application/octet-stream");
  if (source->digest != NULL)
    tfd_upload_request_add (request, "Repr-Digest", "sha-256=:%s:", source->digest);
  tfd_upload_request_add (request, "Want-Repr-Digest", "sha-256=5");
}

static TfdUploadVerdict
complete (TfdUploadState *state, const TfdUploadSource *source)
{
  state->begun = FALSE;

  return tfd_upload_finish (state, source);
}

static gboolean
is_success (guint status)
{
  return status == 200 || status == 201 || status == 202 || status == 204 || status == 205;
}

/* --- PUT --- */

enum
{
  KIND_WHOLE,
  KIND_ASK,
  KIND_PART,
  KIND_SIZE,
};

/* The reply to a file that comes in parts is nobody's. */
static gboolean
may_have_parts (const TfdUploadSource *source)
{
  return source->fragment > 0 && source->size > source->fragment && !source->reply;
}

/* A server that ignores Content-Range takes a part for the whole (RFC 9110 14.4): parts are for
 * those that offer ranges together with PUT, and what has become of them is looked at. */
void
tfd_upload_put_learn (TfdUploadState *state, const TfdUploadAnswer *answer)
{
  state->known = TRUE;
  state->ranges = tfd_upload_answer_is_success (answer) &&
                  tfd_field_has_token (tfd_upload_answer_field (answer, "Allow"), "PUT") &&
                  tfd_field_has_token (tfd_upload_answer_field (answer, "Accept-Ranges"), "bytes");
}

static void
part (const TfdUploadState *state, const TfdUploadSource *source, TfdUploadRequest *request)
{
  request->kind = KIND_PART;
  request->method = "PUT";
  request->url = g_strdup (source->url);
  request->has_body = TRUE;
  request->first = state->offset;
  request->length = tfd_upload_length (state, source, source->fragment);
  request->expect = TRUE;
  tfd_upload_request_add (request, "Content-Type", "application/octet-stream");
  tfd_upload_request_add (request, "Content-Range",
                          "bytes %" G_GUINT64_FORMAT "-%" G_GUINT64_FORMAT "/%" G_GUINT64_FORMAT,
                          request->first, request->first + request->length - 1, source->size);
}

static gboolean
put_next (const TfdUploadState *state, const TfdUploadSource *source, TfdUploadRequest *request)
{
  gboolean parts = may_have_parts (source);

  if (state->sent)
    return FALSE;

  if (parts && !state->known && !state->ranges)
    {
      request->kind = KIND_ASK;
      request->method = "OPTIONS";
      request->url = g_strdup (source->url);
    }
  else if (parts && state->ranges && state->offset > 0 &&
           (!state->asked || state->offset == source->size))
    {
      request->kind = KIND_SIZE;
      request->method = "HEAD";
      request->url = g_strdup (source->url);
    }
  else if (parts && state->ranges)
    {
      part (state, source, request);
    }
  else
    {
      request->kind = KIND_WHOLE;
      request->method = "PUT";
      whole (source, request);
    }

  return TRUE;
}

static TfdUploadVerdict
judge_ask (TfdUploadState *state, const TfdUploadAnswer *answer, TfdFailure *failure)
{
  g_auto (TfdFailure) trouble = { 0 };

  if (answer->status < 200 || answer->status > 299)
    {
      tfd_upload_judge_status (answer, &trouble);
      if (trouble.transient || answer->status == 401 || answer->status == 407)
        return tfd_upload_judge_status (answer, failure);
    }
  tfd_upload_put_learn (state, answer);
  return TFD_UPLOAD_GO_ON;
}

/* Back to one request for all. */
static TfdUploadVerdict
give_up_parts (TfdUploadState *state, const char **reason, TfdFailure *failure)
{
  gboolean begun = state->offset > 0;

  state->ranges = FALSE;
  state->known = TRUE;
  return begun ? tfd_upload_lost (state, "the server does not put parts of a file together", reason,
                                  failure)
               : TFD_UPLOAD_GO_ON;
}

static TfdUploadVerdict
judge_part (TfdUploadState *state,
            const TfdUploadRequest *request,
            const TfdUploadAnswer *answer,
            const char **reason,
            TfdFailure *failure)
{
  if (answer->status == 200 || answer->status == 201 || answer->status == 204)
    {
      tfd_upload_confirm (state, request->first + request->length);
      state->asked = (state->features & TFD_UPLOAD_PUT_JOINS) != 0;
      return TFD_UPLOAD_GO_ON;
    }
  if (answer->status == 400 || answer->status == 405 || answer->status == 411 ||
      answer->status == 416 || answer->status == 501)
    return give_up_parts (state, reason, failure);

  return tfd_upload_judge_status (answer, failure);
}

/* What is there must be what was sent, or more of it; the second part shows whether it has been put
 * behind the first. */
static TfdUploadVerdict
judge_size (TfdUploadState *state,
            const TfdUploadSource *source,
            const TfdUploadAnswer *answer,
            const char **reason,
            TfdFailure *failure)
{
  const char *value = tfd_upload_answer_field (answer, "Content-Length");
  guint64 length = 0;

  if (answer->status == 401 || answer->status == 407 || answer->status == 429 ||
      (answer->status >= 500 && answer->status != 501))
    return tfd_upload_judge_status (answer, failure);
  if (answer->status != 200 || value == NULL || !tfd_http_parse_length (value, &length) ||
      length < state->offset || length > source->size)
    return give_up_parts (state, reason, failure);

  state->asked = TRUE;
  if (state->offset > source->fragment)
    state->features |= TFD_UPLOAD_PUT_JOINS;
  if (state->offset == source->size)
    complete (state, source);
  return TFD_UPLOAD_GO_ON;
}

/* A digest is one of what the answer holds (RFC 9530 3.1); only an answer without content speaks of
 * the file. */
static gboolean
has_no_content (const TfdUploadAnswer *answer)
{
  const char *value = tfd_upload_answer_field (answer, "Content-Length");
  guint64 length = 1;

  return answer->status == 204 ||
         (value != NULL && tfd_http_parse_length (value, &length) && length == 0);
}

static TfdUploadVerdict
put_judge (TfdUploadState *state,
           const TfdUploadSource *source,
           const TfdUploadRequest *request,
           const TfdUploadAnswer *answer,
           const char **reason,
           TfdFailure *failure)
{
  if (request->kind == KIND_ASK)
    return judge_ask (state, answer, failure);
  if (request->kind == KIND_PART)
    return judge_part (state, request, answer, reason, failure);
  if (request->kind == KIND_SIZE)
    return judge_size (state, source, answer, reason, failure);

  if (!is_success (answer->status))
    return tfd_upload_judge_status (answer, failure);
  if (has_no_content (answer) && !tfd_upload_check_digest (source, answer, failure))
    return TFD_UPLOAD_FAILED;

  return complete (state, source);
}

/* --- POST --- */

static gboolean
post_next (const TfdUploadState *state, const TfdUploadSource *source, TfdUploadRequest *request)
{
  g_autofree char *disposition = tfd_field_disposition (source->name);

  if (state->sent)
    return FALSE;

  request->method = "POST";
  request->once = TRUE;
  whole (source, request);
  tfd_upload_request_add (request, "Content-Disposition", "%s", disposition);
  tfd_upload_request_add (request, "Idempotency-Key", "\"%s\"", source->key);
  return TRUE;
}

/* These say that nothing was done; other failures of a server may come after it was. */
static gboolean
did_nothing (guint status)
{
  return status < 500 || status == 501 || status == 503 || status == 505;
}

static TfdUploadVerdict
post_judge (TfdUploadState *state,
            const TfdUploadSource *source,
            const TfdUploadRequest *request,
            const TfdUploadAnswer *answer,
            G_GNUC_UNUSED const char **reason,
            TfdFailure *failure)
{
  gboolean begun = state->begun;

  if (is_success (answer->status))
    return complete (state, source);

  /* “See other”: it was done, and the result is there (RFC 9110 15.4.4). */
  if (answer->status == 303)
    {
      const char *location = tfd_upload_answer_field (answer, "Location");

      if (source->reply && tfd_upload_take_location (source, request, location, &state->reply_url,
                                                     failure) != TFD_UPLOAD_GO_ON)
        return TFD_UPLOAD_FAILED;
      complete (state, source);
      return TFD_UPLOAD_GO_ON;
    }

  state->begun = FALSE;
  tfd_upload_judge_status (answer, failure);
  if (begun && !did_nothing (answer->status))
    {
      g_autofree char *old = failure->message;

      failure->message = g_strdup_printf (
          "%s, after the file was sent: the server may have taken it, so it is not "
          "sent again by itself; to resume is to send it again",
          old);
      failure->transient = FALSE;
    }

  return TFD_UPLOAD_FAILED;
}

const TfdUploadRules tfd_upload_put = {
  .protocol = TFD_UPLOAD_PROTOCOL_PUT,
  .next = put_next,
  .judge = put_judge,
};

const TfdUploadRules tfd_upload_post = {
  .protocol = TFD_UPLOAD_PROTOCOL_POST,
  .next = post_next,
  .judge = post_judge,
};
