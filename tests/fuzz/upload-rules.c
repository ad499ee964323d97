/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Fuzz: whole conversations with servers. The first line has the protocol and the size of the file;
 * then come answers: a line with the status, lines with fields, an empty line. An answer whose
 * status ends with "i" is an informational one; "lost" instead of a status is a lost connection. */
#include "config.h"

#include "tests/fuzz/input.h"

#include "common/url.h"
#include "worker/upload-rules.h"

#include <string.h>

#define FRAGMENT 1000

static const char *
find_field (const char *name, gpointer data)
{
  char **lines = data;

  for (gsize i = 1; lines[i] != NULL; i++)
    {
      char *colon = strstr (lines[i], ": ");
      if (colon != NULL && strlen (name) == (gsize) (colon - lines[i]) &&
          g_ascii_strncasecmp (lines[i], name, strlen (name)) == 0)
        return colon + 2;
    }
  return NULL;
}

/* Nothing that a server said makes a request that cannot be sent, or two of one. */
static void
check_request (const TfdUploadRequest *request, const TfdUploadSource *source)
{
  fuzz_check (request->method != NULL);
  fuzz_check (tfd_url_check (request->url, NULL));
  fuzz_check (!g_str_has_prefix (request->url, "file:"));
  fuzz_check (request->first <= source->size);
  fuzz_check (request->length <= source->size - request->first);
  fuzz_check (request->has_body || request->length == 0);
  fuzz_check (request->digest_field == NULL || request->length <= source->fragment);
  for (guint i = 0; request->fields != NULL && i < request->fields->len; i++)
    {
      const TfdUploadField *field = request->fields->pdata[i];
      for (const char *p = field->value; *p != '\0'; p++)
        fuzz_check (*p >= 0x20 && *p <= 0x7e);
    }
}

static void
check_verdict (const TfdUploadState *state,
               const TfdUploadSource *source,
               TfdUploadVerdict verdict,
               const char *reason,
               const TfdFailure *failure)
{
  fuzz_check (state->offset <= source->size);
  fuzz_check (!state->sent || state->offset == source->size);
  fuzz_check (state->reply_url == NULL || tfd_url_check (state->reply_url, NULL));
  if (verdict == TFD_UPLOAD_FAILED)
    fuzz_check (failure->message != NULL && failure->context != TFD_ERROR_CONTEXT_NONE);
  if (verdict == TFD_UPLOAD_RESTART)
    fuzz_check (reason != NULL && state->session == NULL && state->offset == 0 && !state->sent);
  if (verdict == TFD_UPLOAD_REPLY)
    fuzz_check (state->sent && source->reply);
}

static void
lose (TfdUploadState *state)
{
  state->asked = FALSE;
  state->setbacks = 0;
  state->limit = 0;
}

/* FALSE: the conversation is over. */
static gboolean
exchange (const TfdUploadRules **rules,
          TfdUploadState *state,
          const TfdUploadSource *source,
          const char *text)
{
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  g_auto (TfdUploadRequest) request = { 0 };
  g_auto (TfdFailure) failure = { 0 };
  const char *reason = NULL;

  if (lines[0] == NULL)
    return TRUE;
  TfdUploadAnswer answer = { (guint) g_ascii_strtoull (lines[0], NULL, 10), "x", find_field,
                             lines };
  if (!(*rules)->next (state, source, &request))
    return FALSE;
  check_request (&request, source);
  if (g_str_equal (lines[0], "lost"))
    lose (state);
  else if (g_str_has_suffix (lines[0], "i"))
    {
      if ((*rules)->inform != NULL)
        (*rules)->inform (state, source, &request, &answer);
      fuzz_check (state->offset <= source->size);
    }
  else
    {
      TfdUploadVerdict verdict =
          (*rules)->judge (state, source, &request, &answer, &reason, &failure);
      check_verdict (state, source, verdict, reason, &failure);
      if (state->sent)
        state->replied = TRUE;
      if (verdict == TFD_UPLOAD_FAILED)
        lose (state);
      if ((*rules)->protocol == TFD_UPLOAD_PROTOCOL_AUTO)
        *rules = state->protocol == TFD_UPLOAD_PROTOCOL_BITS  ? &tfd_upload_bits
                 : state->protocol == TFD_UPLOAD_PROTOCOL_TUS ? &tfd_upload_tus
                                                              : &tfd_upload_resumable;
    }

  g_auto (TfdUploadRequest) forget = { 0 };
  if ((*rules)->forget != NULL && (*rules)->forget (state, source, &forget))
    check_request (&forget, source);
  if ((*rules)->forgotten != NULL)
    (*rules)->forgotten (&answer);
  return TRUE;
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  static const TfdUploadRules *const all[] = { &tfd_upload_bits, &tfd_upload_tus,
                                               &tfd_upload_resumable, &tfd_upload_auto };
  g_autofree char *text = fuzz_text (data, size);
  g_auto (GStrv) answers = g_strsplit (text, "\n\n", -1);
  g_auto (TfdUploadState) state = { .host_timeout = -1 };

  if (answers[0] == NULL)
    return 0;
  const TfdUploadRules *rules = all[(guchar) answers[0][0] % G_N_ELEMENTS (all)];
  TfdUploadSource source = {
    .url = "https://server:8080/dir/file?query",
    .name = "n\xc3\xa4me \"\\%",
    .size = g_ascii_strtoull (answers[0][0] != '\0' ? answers[0] + 1 : "", NULL, 10) & G_MAXINT64,
    .fragment = FRAGMENT,
    .key = "key",
    .digest = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
    .reply = strchr (answers[0], 'r') != NULL,
    .downgrade = strchr (answers[0], 'd') != NULL,
  };
  state.protocol = rules->protocol;
  for (gsize i = 1; answers[i] != NULL && exchange (&rules, &state, &source, answers[i]); i++)
    ;
  return 0;
}
