/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Upload by whatever the server understands: one request without a body asks. */
#include "config.h"
#include "worker/upload-rules.h"

#include "worker/upload-common.h"
#include "worker/upload-fields.h"

static gboolean
auto_next (const TfdUploadState *state, const TfdUploadSource *source, TfdUploadRequest *request)
{
  if (state->protocol != TFD_UPLOAD_PROTOCOL_AUTO)
    return FALSE;
  request->method = "OPTIONS";
  request->url = g_strdup (source->url);
  return TRUE;
}

static TfdUploadVerdict
choose (TfdUploadState *state, TfdUploadProtocol protocol, const char *why, const char **reason)
{
  state->protocol = protocol;
  *reason = why;
  return TFD_UPLOAD_GO_ON;
}

/* A server that does not know OPTIONS may still take a PUT; only one that wants to know who is
 * calling, or is in trouble, is asked again. */
static gboolean
is_undecided (guint status)
{
  return status < 200 || status == 401 || status == 407 || status == 408 || status == 425 ||
         status == 429 || (status >= 500 && status != 501 && status != 505);
}

static TfdUploadVerdict
auto_judge (TfdUploadState *state,
            const TfdUploadSource *source,
            const TfdUploadRequest *request,
            const TfdUploadAnswer *answer,
            const char **reason,
            TfdFailure *failure)
{
  (void) source;
  (void) request;
  if (is_undecided (answer->status))
    return tfd_upload_judge_status (answer, failure);
  if (answer->status > 299)
    return choose (state, TFD_UPLOAD_PROTOCOL_PUT, "the server does not say what it understands",
                   reason);
  if (tfd_upload_tus_learn (state, answer))
    return choose (state, TFD_UPLOAD_PROTOCOL_TUS, "Tus-Version", reason);
  if (tfd_upload_resumable_learn (state, answer))
    return choose (state, TFD_UPLOAD_PROTOCOL_RESUMABLE, "Upload-Limit", reason);
  if (tfd_field_has_token (tfd_upload_answer_field (answer, "Accept-Patch"),
                           "application/partial-upload"))
    return choose (state, TFD_UPLOAD_PROTOCOL_RESUMABLE, "Accept-Patch", reason);
  if (tfd_field_has_token (tfd_upload_answer_field (answer, "Allow"), "BITS_POST"))
    return choose (state, TFD_UPLOAD_PROTOCOL_BITS, "Allow", reason);
  if (tfd_field_has_token (tfd_upload_answer_field (answer, "Public"), "BITS_POST"))
    return choose (state, TFD_UPLOAD_PROTOCOL_BITS, "Public", reason);
  tfd_upload_put_learn (state, answer);
  return choose (state, TFD_UPLOAD_PROTOCOL_PUT, "the server names no protocol that can resume",
                 reason);
}

const TfdUploadRules tfd_upload_auto = {
  .protocol = TFD_UPLOAD_PROTOCOL_AUTO,
  .resumable = FALSE,
  .next = auto_next,
  .judge = auto_judge,
};
