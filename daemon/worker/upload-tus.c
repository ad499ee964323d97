/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Upload by tus 1.0 (https://tus.io/protocols/resumable-upload): the core and the extensions
 * creation, expiration, checksum and termination. */
#include "config.h"
#include "worker/upload-rules.h"

#include "common/http.h"
#include "worker/failure.h"
#include "worker/upload-common.h"
#include "worker/upload-fields.h"

#include <string.h>

#define TUS_VERSION "1.0.0"

typedef enum
{
  KIND_OPTIONS,
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
  if (kind != KIND_OPTIONS)
    tfd_upload_request_add (request, "Tus-Resumable", TUS_VERSION);
  if (kind == KIND_CREATE || kind == KIND_DELETE)
    tfd_upload_request_add (request, "Content-Length", "0");
}

static void
begin_create (TfdUploadRequest *request, const TfdUploadSource *source)
{
  g_autofree char *name = g_base64_encode ((const guchar *) source->name, strlen (source->name));

  begin (request, KIND_CREATE, "POST", source->url);
  tfd_upload_request_add (request, "Upload-Length", "%" G_GUINT64_FORMAT, source->size);
  tfd_upload_request_add (request, "Upload-Metadata", "filename %s", name);
}

/* Less goes in one request when its digest has to be known before. */
static void
begin_patch (TfdUploadRequest *request, const TfdUploadState *state, const TfdUploadSource *source)
{
  gboolean digested = (state->features & (TFD_UPLOAD_TUS_SHA1 | TFD_UPLOAD_TUS_SHA256)) != 0;

  begin (request, KIND_PATCH, "PATCH", state->session);
  tfd_upload_request_add (request, "Content-Type", "application/offset+octet-stream");
  tfd_upload_request_add (request, "Upload-Offset", "%" G_GUINT64_FORMAT, state->offset);
  request->has_body = TRUE;
  request->first = state->offset;
  request->length = digested ? tfd_upload_length (state, source, source->fragment)
                             : tfd_upload_portion (state, source);
  if (!digested)
    return;
  gboolean better = (state->features & TFD_UPLOAD_TUS_SHA256) != 0;
  request->digest_field = "Upload-Checksum";
  request->digest_type = better ? G_CHECKSUM_SHA256 : G_CHECKSUM_SHA1;
  request->digest_prefix = better ? "sha256 " : "sha1 ";
  request->digest_suffix = "";
}

static gboolean
tus_next (const TfdUploadState *state, const TfdUploadSource *source, TfdUploadRequest *request)
{
  if (state->sent)
    return FALSE;
  if (!state->known)
    begin (request, KIND_OPTIONS, "OPTIONS", source->url);
  else if (state->session == NULL)
    begin_create (request, source);
  else if (!state->asked)
    begin (request, KIND_HEAD, "HEAD", state->session);
  else
    begin_patch (request, state, source);
  return TRUE;
}

/* What was sent to the end is no upload any more but a file of the server's. */
static gboolean
tus_forget (const TfdUploadState *state, const TfdUploadSource *source, TfdUploadRequest *request)
{
  (void) source;
  if (state->session == NULL || state->sent)
    return FALSE;
  begin (request, KIND_DELETE, "DELETE", state->session);
  return TRUE;
}

/* Answers */

static gboolean
read_field (const TfdUploadAnswer *answer, const char *name, guint64 *number)
{
  const char *value = tfd_upload_answer_field (answer, name);

  return value != NULL && tfd_http_parse_length (value, number);
}

static TfdUploadVerdict
fail (TfdUploadState *state,
      const TfdUploadSource *source,
      const TfdUploadAnswer *answer,
      TfdFailure *failure)
{
  state->asked = FALSE;
  if (answer->status == 412)
    return tfd_upload_mismatch (failure, "the server does not speak version 1.0.0 of tus");
  tfd_upload_judge_status (answer, failure);
  if (answer->status == 413 && state->maximum != 0)
    return tfd_upload_too_large (failure, source->size, state->maximum);
  return TFD_UPLOAD_FAILED;
}

gboolean
tfd_upload_tus_learn (TfdUploadState *state, const TfdUploadAnswer *answer)
{
  const char *versions = tfd_upload_answer_field (answer, "Tus-Version");
  const char *extensions = tfd_upload_answer_field (answer, "Tus-Extension");
  const char *digests = tfd_upload_answer_field (answer, "Tus-Checksum-Algorithm");

  if (versions == NULL)
    versions = tfd_upload_answer_field (answer, "Tus-Resumable");
  if (!tfd_field_has_token (versions, TUS_VERSION))
    return FALSE;
  state->known = TRUE;
  state->features = 0;
  state->maximum = 0;
  read_field (answer, "Tus-Max-Size", &state->maximum);
  if (tfd_field_has_token (extensions, "checksum"))
    {
      if (tfd_field_has_token (digests, "sha256"))
        state->features |= TFD_UPLOAD_TUS_SHA256;
      if (tfd_field_has_token (digests, "sha1"))
        state->features |= TFD_UPLOAD_TUS_SHA1;
    }
  return TRUE;
}

/* Servers need not answer; what they cannot do shows later. */
static TfdUploadVerdict
judge_options (TfdUploadState *state,
               const TfdUploadSource *source,
               const TfdUploadAnswer *answer,
               TfdFailure *failure)
{
  gboolean spoken = tfd_upload_answer_field (answer, "Tus-Version") != NULL;

  if (answer->status == 401 || answer->status == 407 ||
      (answer->status >= 500 && answer->status != 501 && answer->status != 505))
    return fail (state, source, answer, failure);
  if (tfd_upload_answer_is_success (answer) && !tfd_upload_tus_learn (state, answer) && spoken)
    return tfd_upload_mismatch (failure, "the server does not speak version 1.0.0 of tus");
  state->known = TRUE;
  return tfd_upload_check_maximum (state, source, failure);
}

static TfdUploadVerdict
judge_create (TfdUploadState *state,
              const TfdUploadSource *source,
              const TfdUploadRequest *request,
              const TfdUploadAnswer *answer,
              TfdFailure *failure)
{
  g_autofree char *url = NULL;

  if (!tfd_upload_answer_is_success (answer))
    return fail (state, source, answer, failure);
  if (tfd_upload_answer_field (answer, "Tus-Resumable") == NULL)
    return tfd_upload_mismatch (failure, "the server does not speak tus");
  TfdUploadVerdict verdict = tfd_upload_take_location (
      source, request, tfd_upload_answer_field (answer, "Location"), &url, failure);
  if (verdict != TFD_UPLOAD_GO_ON)
    return verdict;
  g_free (state->session);
  state->session = g_steal_pointer (&url);
  state->offset = 0;
  state->asked = TRUE;
  return source->size == 0 ? tfd_upload_finish (state, source) : TFD_UPLOAD_GO_ON;
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

  if (answer->status == 404 || answer->status == 410 || answer->status == 403)
    return tfd_upload_lost (state, "the server does not know the upload any more", reason, failure);
  if (!tfd_upload_answer_is_success (answer))
    return fail (state, source, answer, failure);
  if (!read_field (answer, "Upload-Offset", &offset) || offset > source->size)
    return tfd_upload_invalid (failure, "the server does not say what it has of the file");
  if (length != NULL && (!tfd_http_parse_length (length, &total) || total != source->size))
    return tfd_upload_invalid (failure, "the server takes the file for one of another size");
  state->asked = TRUE;
  if (offset < source->size)
    {
      tfd_upload_confirm (state, offset);
      return TFD_UPLOAD_GO_ON;
    }
  if (source->reply)
    return tfd_upload_reply_lost (state, failure);
  return tfd_upload_finish (state, source);
}

static TfdUploadVerdict
judge_patch (TfdUploadState *state,
             const TfdUploadSource *source,
             const TfdUploadRequest *request,
             const TfdUploadAnswer *answer,
             const char **reason,
             TfdFailure *failure)
{
  guint64 offset = 0;

  if (answer->status == 404 || answer->status == 410)
    return tfd_upload_lost (state, "the server does not know the upload any more", reason, failure);
  if (answer->status == 409 || answer->status == 460)
    {
      state->asked = FALSE;
      return tfd_upload_set_back (state,
                                  answer->status == 409
                                      ? "the server refuses the offset that it named"
                                      : "the server finds other bytes than those that were sent",
                                  failure);
    }
  if (answer->status == 413 && tfd_upload_shrink (state, request))
    {
      state->asked = FALSE;
      return TFD_UPLOAD_GO_ON;
    }
  if (!tfd_upload_answer_is_success (answer))
    return fail (state, source, answer, failure);
  if (!read_field (answer, "Upload-Offset", &offset) || offset < request->first ||
      offset > request->first + request->length)
    return tfd_upload_invalid (failure, "what the server says it has cannot be");
  if (offset == source->size)
    return tfd_upload_check_digest (source, answer, failure) ? tfd_upload_finish (state, source)
                                                             : TFD_UPLOAD_FAILED;
  if (offset == request->first)
    return tfd_upload_set_back (state, "the server takes no bytes", failure);
  tfd_upload_confirm (state, offset);
  return TFD_UPLOAD_GO_ON;
}

static TfdUploadVerdict
tus_judge (TfdUploadState *state,
           const TfdUploadSource *source,
           const TfdUploadRequest *request,
           const TfdUploadAnswer *answer,
           const char **reason,
           TfdFailure *failure)
{
  switch ((Kind) request->kind)
    {
    case KIND_OPTIONS:
      return judge_options (state, source, answer, failure);
    case KIND_CREATE:
      return judge_create (state, source, request, answer, failure);
    case KIND_HEAD:
      return judge_head (state, source, answer, reason, failure);
    default:
      return judge_patch (state, source, request, answer, reason, failure);
    }
}

const TfdUploadRules tfd_upload_tus = {
  .protocol = TFD_UPLOAD_PROTOCOL_TUS,
  .resumable = TRUE,
  .next = tus_next,
  .judge = tus_judge,
  .forget = tus_forget,
  .forgotten = tfd_upload_is_forgotten,
};
