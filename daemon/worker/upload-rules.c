/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Upload rules: what the rules of all protocols share. */
#include "config.h"
#include "worker/upload-rules.h"

#include "common/classify.h"
#include "common/http.h"
#include "common/url.h"
#include "worker/failure.h"
#include "worker/upload-common.h"
#include "worker/upload-fields.h"

#include <string.h>

#define MAXIMUM_SETBACKS 4
#define SMALLEST_FRAGMENT (64 * 1024) /* bytes */
#define SHRINK 4
#define PORTIONS 32 /* of a large file */

void
tfd_upload_state_clear (TfdUploadState *state)
{
  g_free (state->session);
  g_free (state->host);
  g_free (state->reply_url);
  memset (state, 0, sizeof *state);
}

void
tfd_upload_state_restart (TfdUploadState *state)
{
  TfdUploadState fresh = {
    .protocol = state->protocol,
    .host_timeout = -1,
    .limit = state->limit,
    .known = state->known,
    .features = state->features,
    .maximum = state->maximum,
    .reached = state->reached,
    .setbacks = state->setbacks,
    .ranges = state->ranges,
  };

  tfd_upload_state_clear (state);
  *state = fresh;
}

void
tfd_upload_host_lost (TfdUploadState *state)
{
  g_clear_pointer (&state->host, g_free);
  state->host_timeout = -1;
  state->host_since = 0;
  state->asked = FALSE;
}

static void
free_field (gpointer data)
{
  TfdUploadField *field = data;

  g_free (field->name);
  g_free (field->value);
  g_free (field);
}

void
tfd_upload_request_clear (TfdUploadRequest *request)
{
  g_free (request->url);
  if (request->fields != NULL)
    g_ptr_array_unref (request->fields);
  memset (request, 0, sizeof *request);
}

void
tfd_upload_request_add (TfdUploadRequest *request, const char *name, const char *format, ...)
{
  TfdUploadField *field = g_new0 (TfdUploadField, 1);
  va_list arguments;

  field->name = g_strdup (name);
  va_start (arguments, format);
  field->value = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  if (request->fields == NULL)
    request->fields = g_ptr_array_new_with_free_func (free_field);
  g_ptr_array_add (request->fields, field);
}

const char *
tfd_upload_answer_field (const TfdUploadAnswer *answer, const char *name)
{
  return answer->field != NULL ? answer->field (name, answer->data) : NULL;
}

gboolean
tfd_upload_answer_is_success (const TfdUploadAnswer *answer)
{
  return answer->status >= 200 && answer->status <= 299;
}

/* Where a redirect leads is the server's word: only what can be shown anywhere. */
static void
say_where (const TfdUploadAnswer *answer, TfdFailure *failure)
{
  const char *location = tfd_upload_answer_field (answer, "Location");

  if (answer->status < 300 || answer->status > 399 || location == NULL)
    return;
  g_autofree char *origin = tfd_url_check (location, NULL) ? tfd_url_origin (location) : NULL;
  g_autofree char *old = failure->message;
  failure->message = origin != NULL ? g_strdup_printf ("%s and points to %s", old, origin)
                                    : g_strdup_printf ("%s and points elsewhere", old);
}

TfdUploadVerdict
tfd_upload_judge_status (const TfdUploadAnswer *answer, TfdFailure *failure)
{
  const char *retry = tfd_upload_answer_field (answer, "Retry-After");

  tfd_classify_http_status (answer->status, answer->reason, failure);
  if (answer->status == 409) /* a conflict about where the file goes, not about when */
    failure->transient = FALSE;
  else if (answer->status == 413)
    failure->code = TFD_ERROR_TOO_LARGE;
  else if (answer->status == 423) /* locked by a request of ours that the server has not given up */
    failure->transient = TRUE;
  say_where (answer, failure);
  if (failure->transient && retry != NULL)
    failure->retry_after =
        tfd_http_parse_retry_after (retry, tfd_upload_answer_field (answer, "Date"));
  return TFD_UPLOAD_FAILED;
}

/* upload-common.h */

TfdUploadVerdict
tfd_upload_invalid (TfdFailure *failure, const char *what)
{
  tfd_failure_set (failure, TFD_ERROR_INVALID_SERVER_RESPONSE, TFD_ERROR_CONTEXT_REMOTE_FILE, "%s",
                   what);
  return TFD_UPLOAD_FAILED;
}

TfdUploadVerdict
tfd_upload_mismatch (TfdFailure *failure, const char *what)
{
  tfd_failure_set (failure, TFD_ERROR_PROTOCOL_MISMATCH, TFD_ERROR_CONTEXT_REMOTE_FILE, "%s", what);
  return TFD_UPLOAD_FAILED;
}

TfdUploadVerdict
tfd_upload_too_large (TfdFailure *failure, guint64 size, guint64 maximum)
{
  tfd_failure_set (failure, TFD_ERROR_TOO_LARGE, TFD_ERROR_CONTEXT_REMOTE_FILE,
                   "the file has %" G_GUINT64_FORMAT " bytes, the server takes %" G_GUINT64_FORMAT,
                   size, maximum);
  return TFD_UPLOAD_FAILED;
}

TfdUploadVerdict
tfd_upload_check_maximum (const TfdUploadState *state,
                          const TfdUploadSource *source,
                          TfdFailure *failure)
{
  if (state->maximum != 0 && source->size > state->maximum)
    return tfd_upload_too_large (failure, source->size, state->maximum);
  return TFD_UPLOAD_GO_ON;
}

TfdUploadVerdict
tfd_upload_reply_lost (TfdUploadState *state, TfdFailure *failure)
{
  tfd_upload_state_restart (state);
  tfd_failure_set (failure, TFD_ERROR_CONNECTION_LOST, TFD_ERROR_CONTEXT_REMOTE_FILE,
                   "the server has the whole file, but its reply was lost with the connection; "
                   "to resume is to send the file again");
  failure->transient = FALSE;
  return TFD_UPLOAD_FAILED;
}

/* One more than a lively server should need: the next try is the scheduler's, after a pause. */
static gboolean
too_many_setbacks (TfdUploadState *state, const char *what, TfdFailure *failure)
{
  if (++state->setbacks < MAXIMUM_SETBACKS)
    return FALSE;
  state->setbacks = 0;
  state->asked = FALSE;
  tfd_upload_invalid (failure, what);
  failure->transient = TRUE;
  return TRUE;
}

TfdUploadVerdict
tfd_upload_set_back (TfdUploadState *state, const char *what, TfdFailure *failure)
{
  return too_many_setbacks (state, what, failure) ? TFD_UPLOAD_FAILED : TFD_UPLOAD_GO_ON;
}

TfdUploadVerdict
tfd_upload_lost (TfdUploadState *state, const char *what, const char **reason, TfdFailure *failure)
{
  tfd_upload_state_restart (state);
  if (too_many_setbacks (state, what, failure))
    return TFD_UPLOAD_FAILED;
  *reason = what;
  return TFD_UPLOAD_RESTART;
}

void
tfd_upload_confirm (TfdUploadState *state, guint64 offset)
{
  state->offset = offset;
  if (offset <= state->reached)
    return;
  state->reached = offset;
  state->setbacks = 0;
}

TfdUploadVerdict
tfd_upload_finish (TfdUploadState *state, const TfdUploadSource *source)
{
  tfd_upload_confirm (state, source->size);
  state->sent = TRUE;
  state->closed = TRUE;
  return source->reply ? TFD_UPLOAD_REPLY : TFD_UPLOAD_GO_ON;
}

/* A body limit that nobody announced, of a proxy for instance, is found by trying. */
gboolean
tfd_upload_shrink (TfdUploadState *state, const TfdUploadRequest *request)
{
  if (request->length <= SMALLEST_FRAGMENT)
    return FALSE;
  state->limit = MAX (SMALLEST_FRAGMENT, request->length / SHRINK);
  return TRUE;
}

guint64
tfd_upload_length (const TfdUploadState *state, const TfdUploadSource *source, guint64 most)
{
  guint64 length = source->size - MIN (state->offset, source->size);

  if (most != 0)
    length = MIN (length, most);
  if (state->limit != 0)
    length = MIN (length, state->limit);
  return length;
}

guint64
tfd_upload_portion (const TfdUploadState *state, const TfdUploadSource *source)
{
  guint64 most = MAX (source->fragment, source->size / PORTIONS);

  return tfd_upload_length (state, source, MAX (most, state->least));
}

TfdUploadVerdict
tfd_upload_take_location (const TfdUploadSource *source,
                          const TfdUploadRequest *request,
                          const char *location,
                          char **url,
                          TfdFailure *failure)
{
  switch (tfd_url_redirect (request->url, 307, location, 0, TFD_REDIRECT_POLICY_ALLOW,
                            source->downgrade, url))
    {
    case TFD_REDIRECT_FOLLOW:
    case TFD_REDIRECT_FOLLOW_FOREIGN:
      return TFD_UPLOAD_GO_ON;
    case TFD_REDIRECT_REFUSED:
      tfd_failure_set (failure, TFD_ERROR_REDIRECT_REFUSED, TFD_ERROR_CONTEXT_REMOTE_FILE,
                       "the server answers over https and wants to go on over http");
      return TFD_UPLOAD_FAILED;
    default:
      return tfd_upload_invalid (failure, "the server names a URL that cannot be used");
    }
}

gboolean
tfd_upload_check_digest (const TfdUploadSource *source,
                         const TfdUploadAnswer *answer,
                         TfdFailure *failure)
{
  g_autofree char *theirs =
      tfd_field_parse_digest (tfd_upload_answer_field (answer, "Repr-Digest"));

  if (source->digest == NULL || theirs == NULL || g_str_equal (source->digest, theirs))
    return TRUE;
  tfd_failure_set (failure, TFD_ERROR_DIGEST_MISMATCH, TFD_ERROR_CONTEXT_REMOTE_FILE,
                   "the server has other bytes than those that were sent, by their SHA-256");
  return FALSE;
}

gboolean
tfd_upload_is_forgotten (const TfdUploadAnswer *answer)
{
  g_auto (TfdFailure) failure = { 0 };

  if (tfd_upload_answer_is_success (answer))
    return TRUE;
  tfd_upload_judge_status (answer, &failure);
  return !failure.transient;
}
