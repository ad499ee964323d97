/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Upload by the BITS upload protocol, as servers with IIS' extension and others speak it: a session
 * is created, takes fragments one after the other, and is closed ([MC-BUP]). */
#include "config.h"
#include "worker/upload-rules.h"

#include "common/classify.h"
#include "common/http.h"
#include "worker/failure.h"
#include "worker/upload-common.h"
#include "worker/upload-fields.h"

#define METHOD "BITS_POST"
#define PROTOCOL "{7df0354d-249b-430f-820d-3d2a9bef4931}" /* 1.5, the only one */

#define CODE_ACCESS_DENIED 0x80070005u
#define CODE_SESSION_NOT_FOUND 0x8020001fu
#define CODE_TOO_LARGE 0x80200020u
#define CODE_EXECUTE_ENABLED 0x80200023u
#define CONTEXT_APPLICATION 0x7u

typedef enum
{
  PACKET_PING,
  PACKET_CREATE,
  PACKET_FRAGMENT,
  PACKET_CLOSE,
  PACKET_CANCEL,
} Packet;

static const char *const packet_names[] = {
  [PACKET_PING] = "Ping",
  [PACKET_CREATE] = "Create-Session",
  [PACKET_FRAGMENT] = "Fragment",
  [PACKET_CLOSE] = "Close-Session",
  [PACKET_CANCEL] = "Cancel-Session",
};

/* Requests */

/* A session may be bound to one host of several; whose name was checked when it came. */
static char *
url_of (const TfdUploadState *state, const TfdUploadSource *source)
{
  char *url = state->host != NULL ? tfd_field_replace_host (source->url, state->host) : NULL;

  return url != NULL ? url : g_strdup (source->url);
}

static void
begin (TfdUploadRequest *request,
       Packet packet,
       const TfdUploadState *state,
       const TfdUploadSource *source)
{
  request->kind = packet;
  request->method = METHOD;
  request->url = url_of (state, source);
  tfd_upload_request_add (request, "BITS-Packet-Type", "%s", packet_names[packet]);
  if (packet != PACKET_FRAGMENT)
    tfd_upload_request_add (request, "Content-Length", "0");
  if (packet != PACKET_PING && packet != PACKET_CREATE)
    tfd_upload_request_add (request, "BITS-Session-Id", "%s", state->session);
}

/* Where all bytes are there but the last answer was lost, the last of them goes again: the server
 * has it already, and says again what it said then. */
static void
begin_fragment (TfdUploadRequest *request,
                const TfdUploadState *state,
                const TfdUploadSource *source)
{
  guint64 total = source->size;

  begin (request, PACKET_FRAGMENT, state, source);
  request->has_body = TRUE;
  request->first = total == 0 ? 0 : MIN (state->offset, total - 1);
  request->length = total == 0 ? 0 : MAX (1, tfd_upload_length (state, source, source->fragment));
  if (request->first == 0)
    {
      g_autofree char *name = tfd_field_escape_name (source->name);
      tfd_upload_request_add (request, "Content-Name", "%s", name);
    }
  if (total == 0)
    tfd_upload_request_add (request, "Content-Range", "bytes */0");
  else
    tfd_upload_request_add (request, "Content-Range",
                            "bytes %" G_GUINT64_FORMAT "-%" G_GUINT64_FORMAT "/%" G_GUINT64_FORMAT,
                            request->first, request->first + request->length - 1, total);
}

/* A Ping goes before the first body of a run that goes on with a session: it opens the connection
 * and proves who is calling, so that no bytes are sent in vain. Create-Session does that itself. */
static gboolean
bits_next (const TfdUploadState *state, const TfdUploadSource *source, TfdUploadRequest *request)
{
  if (state->closed)
    return FALSE;
  if (state->session == NULL)
    {
      begin (request, PACKET_CREATE, state, source);
      tfd_upload_request_add (request, "BITS-Supported-Protocols", PROTOCOL);
    }
  else if (state->sent)
    begin (request, PACKET_CLOSE, state, source);
  else if (!state->asked)
    begin (request, PACKET_PING, state, source);
  else
    begin_fragment (request, state, source);
  return TRUE;
}

static gboolean
bits_forget (const TfdUploadState *state, const TfdUploadSource *source, TfdUploadRequest *request)
{
  if (state->session == NULL || state->closed)
    return FALSE;
  begin (request, PACKET_CANCEL, state, source);
  return TRUE;
}

/* Answers */

/* The name of the field is another in the open specification than in the manual. */
static guint32
code_of (const TfdUploadAnswer *answer)
{
  guint32 code = 0;

  if (!tfd_field_parse_hex (tfd_upload_answer_field (answer, "BITS-Error-Code"), &code) &&
      !tfd_field_parse_hex (tfd_upload_answer_field (answer, "BITS-Error"), &code))
    return 0;
  return code;
}

static gboolean
is_application (const TfdUploadAnswer *answer)
{
  guint32 context = 0;

  return tfd_field_parse_hex (tfd_upload_answer_field (answer, "BITS-Error-Context"), &context) &&
         context == CONTEXT_APPLICATION;
}

static gboolean
is_ack (const TfdUploadAnswer *answer)
{
  const char *type = tfd_upload_answer_field (answer, "BITS-Packet-Type");

  if (type == NULL) /* a misprint of the open specification, which somebody may have followed */
    type = tfd_upload_answer_field (answer, "BITS-Package-Type");
  return tfd_field_has_token (type, "Ack");
}

/* What the server's application says goes by the status alone; it may well be another one at the
 * next try. */
static TfdUploadVerdict
fail_by_application (const TfdUploadAnswer *answer, TfdFailure *failure)
{
  g_autofree char *said = NULL;

  tfd_upload_judge_status (answer, failure);
  said = failure->message;
  failure->message = g_strdup_printf ("the application behind the server: %s", said);
  failure->code = TFD_ERROR_HTTP_STATUS;
  failure->context = TFD_ERROR_CONTEXT_REMOTE_APPLICATION;
  if (answer->status == 409)
    failure->transient = TRUE;
  return TFD_UPLOAD_FAILED;
}

static TfdUploadVerdict
fail (const TfdUploadAnswer *answer, TfdFailure *failure)
{
  if (is_application (answer))
    return fail_by_application (answer, failure);
  tfd_upload_judge_status (answer, failure);
  switch (code_of (answer))
    {
    case CODE_TOO_LARGE:
      failure->code = TFD_ERROR_TOO_LARGE;
      failure->transient = FALSE;
      break;
    case CODE_ACCESS_DENIED:
    case CODE_EXECUTE_ENABLED: /* scripts would run from where the file is to go */
      failure->transient = FALSE;
      break;
    default:
      break;
    }
  return TFD_UPLOAD_FAILED;
}

static TfdUploadVerdict
judge_ping (TfdUploadState *state, const TfdUploadAnswer *answer, TfdFailure *failure)
{
  /* 400: of a server that has no use for a Ping */
  if (!tfd_upload_answer_is_success (answer) && answer->status != 400)
    return fail (answer, failure);
  state->asked = TRUE;
  return TFD_UPLOAD_GO_ON;
}

/* Without a time the session is bound to its host for good. */
static gboolean
take_host (TfdUploadState *state, const TfdUploadSource *source, const TfdUploadAnswer *answer)
{
  const char *host = tfd_upload_answer_field (answer, "BITS-Host-Id");
  const char *timeout = tfd_upload_answer_field (answer, "BITS-Host-Id-Fallback-Timeout");
  guint64 seconds = 0;

  g_clear_pointer (&state->host, g_free);
  state->host_timeout = -1;
  if (host == NULL || host[0] == '\0')
    return TRUE;
  g_autofree char *url = tfd_field_replace_host (source->url, host);
  if (url == NULL)
    return FALSE;
  state->host = g_strdup (host);
  if (timeout != NULL && tfd_http_parse_length (timeout, &seconds))
    state->host_timeout = (gint64) seconds;
  return TRUE;
}

static TfdUploadVerdict
judge_create (TfdUploadState *state,
              const TfdUploadSource *source,
              const TfdUploadAnswer *answer,
              TfdFailure *failure)
{
  const char *protocol = tfd_upload_answer_field (answer, "BITS-Protocol");
  const char *session = tfd_upload_answer_field (answer, "BITS-Session-Id");

  if (answer->status == 400 && protocol == NULL && !is_application (answer))
    return tfd_upload_mismatch (failure, "the server speaks no version of the BITS upload protocol "
                                         "that transferd does");
  if (!tfd_upload_answer_is_success (answer))
    return fail (answer, failure);
  if (!is_ack (answer))
    return tfd_upload_mismatch (failure, "the server does not speak the BITS upload protocol");
  if (protocol == NULL || g_ascii_strcasecmp (protocol, PROTOCOL) != 0)
    return tfd_upload_mismatch (failure, "the server chose a version of the BITS upload protocol "
                                         "that was not offered");
  if (!tfd_field_is_session (session))
    return tfd_upload_invalid (failure, "the server gave no session of the BITS upload protocol");
  if (!take_host (state, source, answer))
    return tfd_upload_invalid (failure, "the server bound the session to a host that is none");

  g_free (state->session);
  state->session = g_strdup (session);
  state->offset = 0;
  state->asked = TRUE;
  return TFD_UPLOAD_GO_ON;
}

/* The last fragment was taken. Its answer says where the reply is; a server with nothing to say
 * leaves that out. */
static TfdUploadVerdict
finish (TfdUploadState *state,
        const TfdUploadSource *source,
        const TfdUploadRequest *request,
        const TfdUploadAnswer *answer,
        TfdFailure *failure)
{
  const char *reply = tfd_upload_answer_field (answer, "BITS-Reply-URL");

  g_clear_pointer (&state->reply_url, g_free);
  if (source->reply && reply != NULL && reply[0] != '\0' &&
      tfd_upload_take_location (source, request, reply, &state->reply_url, failure) !=
          TFD_UPLOAD_GO_ON)
    return TFD_UPLOAD_FAILED;
  tfd_upload_confirm (state, source->size);
  state->sent = TRUE;
  return TFD_UPLOAD_GO_ON;
}

/* The server misses bytes before those that came: it says which. */
static TfdUploadVerdict
judge_gap (TfdUploadState *state,
           const TfdUploadSource *source,
           const TfdUploadRequest *request,
           const TfdUploadAnswer *answer,
           const char **reason,
           TfdFailure *failure)
{
  const char *value = tfd_upload_answer_field (answer, "BITS-Received-Content-Range");
  guint64 offset = 0;

  if (value == NULL)
    return tfd_upload_lost (state, "the server does not say where to go on", reason, failure);
  if (!tfd_http_parse_length (value, &offset) || offset > source->size)
    return tfd_upload_invalid (failure, "the server says it has bytes that there are not");
  /* it has them all: of what came out of that, only the answer that was lost knew */
  if (offset == source->size && source->reply)
    return tfd_upload_lost (state, "the server has the file but its reply was lost", reason,
                            failure);
  if (offset == source->size)
    return finish (state, source, request, answer, failure);
  state->offset = offset;
  return tfd_upload_set_back (state, "the server refuses one offset after the other", failure);
}

static TfdUploadVerdict
judge_fragment (TfdUploadState *state,
                const TfdUploadSource *source,
                const TfdUploadRequest *request,
                const TfdUploadAnswer *answer,
                const char **reason,
                TfdFailure *failure)
{
  const char *value = tfd_upload_answer_field (answer, "BITS-Received-Content-Range");
  guint64 offset = 0;

  if (!tfd_upload_answer_is_success (answer) && !is_application (answer) &&
      code_of (answer) == CODE_SESSION_NOT_FOUND)
    return tfd_upload_lost (state, "the server does not know the session any more", reason,
                            failure);
  if (answer->status == 416 && !is_application (answer))
    return judge_gap (state, source, request, answer, reason, failure);
  if (answer->status == 413 && code_of (answer) == 0 && !is_application (answer) &&
      tfd_upload_shrink (state, request))
    return TFD_UPLOAD_GO_ON;
  if (!tfd_upload_answer_is_success (answer))
    {
      state->asked = FALSE;
      return fail (answer, failure);
    }
  if (value == NULL || !tfd_http_parse_length (value, &offset))
    return tfd_upload_invalid (failure, "the server does not say what it has");
  if (offset > source->size || (offset <= request->first && source->size > 0))
    return tfd_upload_invalid (failure, "what the server says it has cannot be");
  if (offset == source->size)
    return finish (state, source, request, answer, failure);
  tfd_upload_confirm (state, offset);
  return TFD_UPLOAD_GO_ON;
}

/* Of Close-Session and Cancel-Session: only an answer of a server that is in trouble is worth
 * another try; a session that is unknown is closed. */
static gboolean
is_over (const TfdUploadAnswer *answer)
{
  return answer->status < 500 || answer->status == 501 || answer->status == 505 ||
         code_of (answer) == CODE_SESSION_NOT_FOUND;
}

static TfdUploadVerdict
judge_close (TfdUploadState *state, const TfdUploadAnswer *answer, TfdFailure *failure)
{
  if (!is_over (answer))
    return fail (answer, failure);
  state->closed = TRUE;
  return TFD_UPLOAD_GO_ON;
}

static TfdUploadVerdict
bits_judge (TfdUploadState *state,
            const TfdUploadSource *source,
            const TfdUploadRequest *request,
            const TfdUploadAnswer *answer,
            const char **reason,
            TfdFailure *failure)
{
  switch ((Packet) request->kind)
    {
    case PACKET_PING:
      return judge_ping (state, answer, failure);
    case PACKET_CREATE:
      return judge_create (state, source, answer, failure);
    case PACKET_FRAGMENT:
      return judge_fragment (state, source, request, answer, reason, failure);
    default:
      return judge_close (state, answer, failure);
    }
}

const TfdUploadRules tfd_upload_bits = {
  .protocol = TFD_UPLOAD_PROTOCOL_BITS,
  .resumable = TRUE,
  .next = bits_next,
  .judge = bits_judge,
  .forget = bits_forget,
  .forgotten = is_over,
};
