/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Upload by "Resumable Uploads for HTTP", draft-ietf-httpbis-resumable-upload-11, interop version
 * 8: an upload resource is created with no content, then takes all bytes, or as many as it likes in
 * one request; it says by informational answers and on request how many it has. */
#include "config.h"
#include "worker/upload-rules.h"

#include "common/http.h"
#include "worker/failure.h"
#include "worker/upload-common.h"
#include "worker/upload-fields.h"

#define INTEROP_VERSION 8

typedef enum
{
  KIND_CREATE,
  KIND_HEAD,
  KIND_PATCH,
  KIND_DELETE,
} Kind;

/* Requests */

static void
begin (TfdUploadRequest *request, Kind kind, const char *method, const char *url)
{
  request->kind = kind;
  request->method = method;
  request->url = g_strdup (url);
  tfd_upload_request_add (request, "Upload-Draft-Interop-Version", "%u", INTEROP_VERSION);
}

static void
begin_create (TfdUploadRequest *request, const TfdUploadSource *source)
{
  g_autofree char *disposition = tfd_field_disposition (source->name);

  begin (request, KIND_CREATE, "POST", source->url);
  tfd_upload_request_add (request, "Upload-Complete", "?0");
  tfd_upload_request_add (request, "Upload-Length", "%" G_GUINT64_FORMAT, source->size);
  tfd_upload_request_add (request, "Content-Type", "application/octet-stream");
  tfd_upload_request_add (request, "Content-Disposition", "%s", disposition);
  tfd_upload_request_add (request, "Content-Length", "0");
  if (source->digest != NULL)
    tfd_upload_request_add (request, "Repr-Digest", "sha-256=:%s:", source->digest);
  else
    tfd_upload_request_add (request, "Want-Repr-Digest", "sha-256=10");
}

static void
begin_patch (TfdUploadRequest *request, const TfdUploadState *state, const TfdUploadSource *source)
{
  request->has_body = TRUE;
  request->first = state->offset;
  request->length = tfd_upload_portion (state, source);
  gboolean last = request->first + request->length == source->size;

  begin (request, KIND_PATCH, "PATCH", state->session);
  tfd_upload_request_add (request, "Upload-Complete", last ? "?1" : "?0");
  tfd_upload_request_add (request, "Upload-Offset", "%" G_GUINT64_FORMAT, request->first);
  tfd_upload_request_add (request, "Content-Type", "application/partial-upload");
}

static gboolean
resumable_next (const TfdUploadState *state,
                const TfdUploadSource *source,
                TfdUploadRequest *request)
{
  if (state->sent)
    return FALSE;
  if (state->session == NULL)
    begin_create (request, source);
  else if (!state->asked)
    begin (request, KIND_HEAD, "HEAD", state->session);
  else
    begin_patch (request, state, source);
  return TRUE;
}

/* What is complete belongs to the resource that it was sent to. */
static gboolean
resumable_forget (const TfdUploadState *state,
                  const TfdUploadSource *source,
                  TfdUploadRequest *request)
{
  (void) source;
  if (state->session == NULL || state->sent)
    return FALSE;
  begin (request, KIND_DELETE, "DELETE", state->session);
  tfd_upload_request_add (request, "Content-Length", "0");
  return TRUE;
}

/* Answers */

static TfdUploadVerdict
fail (TfdUploadState *state, const TfdUploadAnswer *answer, TfdFailure *failure)
{
  state->asked = FALSE;
  return tfd_upload_judge_status (answer, failure);
}

gboolean
tfd_upload_resumable_learn (TfdUploadState *state, const TfdUploadAnswer *answer)
{
  TfdUploadLimits limits = { 0 };

  if (!tfd_field_parse_limits (tfd_upload_answer_field (answer, "Upload-Limit"), &limits))
    return FALSE;
  state->maximum = limits.max_size;
  state->least = limits.min_append_size;
  /* a smaller one may have been found by trying */
  if (limits.max_append_size != 0 && (state->limit == 0 || limits.max_append_size < state->limit))
    state->limit = limits.max_append_size;
  return TRUE;
}

static gboolean
is_complete (const TfdUploadAnswer *answer)
{
  gboolean complete = FALSE;

  return tfd_field_parse_boolean (tfd_upload_answer_field (answer, "Upload-Complete"), &complete) &&
         complete;
}

static TfdUploadVerdict
check_limits (TfdUploadState *state,
              const TfdUploadSource *source,
              const TfdUploadAnswer *answer,
              TfdFailure *failure)
{
  tfd_upload_resumable_learn (state, answer);
  return tfd_upload_check_maximum (state, source, failure);
}

/* The URL may have come before, in an informational answer: it must be the same. */
static TfdUploadVerdict
judge_create (TfdUploadState *state,
              const TfdUploadSource *source,
              const TfdUploadRequest *request,
              const TfdUploadAnswer *answer,
              TfdFailure *failure)
{
  const char *location = tfd_upload_answer_field (answer, "Location");
  g_autofree char *url = NULL;

  if (!tfd_upload_answer_is_success (answer))
    return fail (state, answer, failure);
  if (location == NULL || is_complete (answer))
    return tfd_upload_mismatch (failure, "the server does not speak the protocol for resumable "
                                         "uploads");
  TfdUploadVerdict verdict = tfd_upload_take_location (source, request, location, &url, failure);
  if (verdict != TFD_UPLOAD_GO_ON)
    return verdict;
  if (state->session != NULL && !g_str_equal (state->session, url))
    return tfd_upload_invalid (failure, "the server names two URLs for one upload");
  g_free (state->session);
  state->session = g_steal_pointer (&url);
  state->offset = 0;
  state->asked = TRUE;
  return check_limits (state, source, answer, failure);
}

static TfdUploadVerdict
judge_head (TfdUploadState *state,
            const TfdUploadSource *source,
            const TfdUploadAnswer *answer,
            const char **reason,
            TfdFailure *failure)
{
  const char *length = tfd_upload_answer_field (answer, "Upload-Length");
  guint64 offset = 0;
  guint64 total = 0;

  if (answer->status == 404 || answer->status == 410)
    return tfd_upload_lost (state, "the server does not know the upload any more", reason, failure);
  if (!tfd_upload_answer_is_success (answer))
    return fail (state, answer, failure);
  if (!tfd_field_parse_integer (tfd_upload_answer_field (answer, "Upload-Offset"), &offset) ||
      offset > source->size)
    return tfd_upload_invalid (failure, "the server does not say what it has of the file");
  if ((tfd_field_parse_integer (length, &total) && total != source->size) ||
      (is_complete (answer) && offset != source->size))
    return tfd_upload_invalid (failure, "the server takes the file for one of another size");
  state->asked = TRUE;
  if (!is_complete (answer))
    {
      tfd_upload_confirm (state, offset);
      return check_limits (state, source, answer, failure);
    }
  if (source->reply)
    return tfd_upload_reply_lost (state, failure);
  return tfd_upload_check_digest (source, answer, failure) ? tfd_upload_finish (state, source)
                                                           : TFD_UPLOAD_FAILED;
}

/* The whole file is there, and this is what the resource that it was sent to makes of it. When it
 * is an error, nothing that the upload resource could do would help. */
static TfdUploadVerdict
judge_processed (TfdUploadState *state,
                 const TfdUploadSource *source,
                 const TfdUploadAnswer *answer,
                 TfdFailure *failure)
{
  if (tfd_upload_answer_is_success (answer))
    return tfd_upload_check_digest (source, answer, failure) ? tfd_upload_finish (state, source)
                                                             : TFD_UPLOAD_FAILED;
  tfd_upload_state_restart (state);
  tfd_upload_judge_status (answer, failure);
  failure->code = TFD_ERROR_HTTP_STATUS;
  failure->context = TFD_ERROR_CONTEXT_REMOTE_APPLICATION;
  failure->transient = FALSE;
  return TFD_UPLOAD_FAILED;
}

static TfdUploadVerdict
judge_conflict (TfdUploadState *state,
                const TfdUploadSource *source,
                const TfdUploadAnswer *answer,
                TfdFailure *failure)
{
  guint64 offset = 0;

  state->asked =
      tfd_field_parse_integer (tfd_upload_answer_field (answer, "Upload-Offset"), &offset) &&
      offset <= source->size;
  if (state->asked)
    state->offset = offset;
  return tfd_upload_set_back (state, "the server refuses the offset that it named", failure);
}

/* An answer to what should have completed the upload and does not say so leaves that open. */
static TfdUploadVerdict
judge_appended (TfdUploadState *state,
                const TfdUploadSource *source,
                const TfdUploadRequest *request,
                const TfdUploadAnswer *answer,
                TfdFailure *failure)
{
  guint64 end = request->first + request->length;
  guint64 offset = end;
  const char *value = tfd_upload_answer_field (answer, "Upload-Offset");

  if (value != NULL &&
      (!tfd_field_parse_integer (value, &offset) || offset < request->first || offset > end))
    return tfd_upload_invalid (failure, "what the server says it has cannot be");
  if (end == source->size && offset == end)
    {
      state->asked = FALSE;
      return tfd_upload_set_back (state, "the server does not complete the upload", failure);
    }
  if (offset == request->first)
    return tfd_upload_set_back (state, "the server takes no bytes", failure);
  tfd_upload_confirm (state, offset);
  return check_limits (state, source, answer, failure);
}

static TfdUploadVerdict
judge_patch (TfdUploadState *state,
             const TfdUploadSource *source,
             const TfdUploadRequest *request,
             const TfdUploadAnswer *answer,
             const char **reason,
             TfdFailure *failure)
{
  gboolean last = request->first + request->length == source->size;

  if (is_complete (answer))
    return last ? judge_processed (state, source, answer, failure)
                : tfd_upload_invalid (failure, "the server completes what was not sent");
  if (answer->status == 404 || answer->status == 410)
    return tfd_upload_lost (state, "the server does not know the upload any more", reason, failure);
  if (answer->status == 409)
    return judge_conflict (state, source, answer, failure);
  if (answer->status == 413 && tfd_upload_shrink (state, request))
    {
      state->asked = FALSE;
      return TFD_UPLOAD_GO_ON;
    }
  if (!tfd_upload_answer_is_success (answer))
    return fail (state, answer, failure);
  return judge_appended (state, source, request, answer, failure);
}

static TfdUploadVerdict
resumable_judge (TfdUploadState *state,
                 const TfdUploadSource *source,
                 const TfdUploadRequest *request,
                 const TfdUploadAnswer *answer,
                 const char **reason,
                 TfdFailure *failure)
{
  switch ((Kind) request->kind)
    {
    case KIND_CREATE:
      return judge_create (state, source, request, answer, failure);
    case KIND_HEAD:
      return judge_head (state, source, answer, reason, failure);
    default:
      return judge_patch (state, source, request, answer, reason, failure);
    }
}

/* 104 (Upload Resumption Supported): where the upload is, and how far it has come. One of another
 * version does not count. */
static gboolean
resumable_inform (TfdUploadState *state,
                  const TfdUploadSource *source,
                  const TfdUploadRequest *request,
                  const TfdUploadAnswer *answer)
{
  const char *location = tfd_upload_answer_field (answer, "Location");
  g_auto (TfdFailure) unused = { 0 };
  g_autofree char *url = NULL;
  guint64 number = 0;

  if (answer->status != 104 ||
      !tfd_field_parse_integer (tfd_upload_answer_field (answer, "Upload-Draft-Interop-Version"),
                                &number) ||
      number != INTEROP_VERSION)
    return FALSE;
  if (request->kind == KIND_CREATE && location != NULL && state->session == NULL &&
      tfd_upload_take_location (source, request, location, &url, &unused) == TFD_UPLOAD_GO_ON)
    {
      tfd_upload_resumable_learn (state, answer);
      state->session = g_steal_pointer (&url);
      return TRUE;
    }
  if (request->kind == KIND_PATCH &&
      tfd_field_parse_integer (tfd_upload_answer_field (answer, "Upload-Offset"), &number) &&
      number > state->offset && number <= request->first + request->length)
    {
      tfd_upload_confirm (state, number);
      return TRUE;
    }
  return FALSE;
}

const TfdUploadRules tfd_upload_resumable = {
  .protocol = TFD_UPLOAD_PROTOCOL_RESUMABLE,
  .resumable = TRUE,
  .next = resumable_next,
  .judge = resumable_judge,
  .inform = resumable_inform,
  .forget = resumable_forget,
  .forgotten = tfd_upload_is_forgotten,
};
