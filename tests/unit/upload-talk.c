/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Upload talk: a conversation with a server that is written down, for tests of upload rules. */
#include "config.h"
#include "tests/unit/upload-talk.h"

#include <string.h>

#define FRAGMENT 1000

void
talk_begin (Talk *talk, const TfdUploadRules *rules, guint64 size)
{
  *talk = (Talk){
    .rules = rules,
    .source = {
      .url = "http://server/dir/file",
      .name = "report.pdf",
      .size = size,
      .fragment = FRAGMENT,
      .key = "key",
    },
    .state = { .protocol = rules->protocol, .host_timeout = -1 },
  };
}

void
talk_end (Talk *talk)
{
  tfd_upload_state_clear (&talk->state);
  tfd_upload_request_clear (&talk->request);
  tfd_failure_clear (&talk->failure);
}

static char *
text_of (const TfdUploadRequest *request)
{
  GString *text = g_string_new (NULL);

  g_string_append_printf (text, "%s %s\n", request->method, request->url);
  for (guint i = 0; request->fields != NULL && i < request->fields->len; i++)
    {
      const TfdUploadField *field = request->fields->pdata[i];
      g_string_append_printf (text, "%s: %s\n", field->name, field->value);
    }
  if (request->has_body)
    g_string_append_printf (text, "[%" G_GUINT64_FORMAT "+%" G_GUINT64_FORMAT "]\n", request->first,
                            request->length);
  else
    g_assert_cmpuint (request->length, ==, 0);
  return g_string_free (text, FALSE);
}

void
talk_ask (Talk *talk)
{
  tfd_upload_request_clear (&talk->request);
  g_assert_true (talk->rules->next (&talk->state, &talk->source, &talk->request));
}

void
talk_check (const char *file, int line, Talk *talk, const char *request)
{
  talk_ask (talk);
  g_autofree char *text = text_of (&talk->request);
  if (!g_str_equal (text, request))
    g_error ("%s:%d: expected\n%sgot\n%s", file, line, request, text);
}

void
talk_expect_end (Talk *talk)
{
  tfd_upload_request_clear (&talk->request);
  g_assert_false (talk->rules->next (&talk->state, &talk->source, &talk->request));
}

void
talk_expect_forget (Talk *talk, const char *request)
{
  tfd_upload_request_clear (&talk->request);
  gboolean asks = talk->rules->forget (&talk->state, &talk->source, &talk->request);

  g_assert_cmpint (asks, ==, request != NULL);
  if (!asks)
    return;
  g_autofree char *text = text_of (&talk->request);
  g_assert_cmpstr (text, ==, request);
}

/* Names of fields have no case. */
static const char *
find_field (const char *name, gpointer data)
{
  char **lines = data;

  for (gsize i = 0; lines[i] != NULL; i++)
    {
      char *colon = strstr (lines[i], ": ");
      if (colon != NULL && strlen (name) == (gsize) (colon - lines[i]) &&
          g_ascii_strncasecmp (lines[i], name, strlen (name)) == 0)
        return colon + 2;
    }
  return NULL;
}

TfdUploadVerdict
talk_answer (Talk *talk, guint status, const char *fields)
{
  g_auto (GStrv) lines = g_strsplit (fields, "\n", -1);
  TfdUploadAnswer answer = { status, "Phrase", find_field, lines };

  tfd_failure_clear (&talk->failure);
  talk->reason = NULL;
  TfdUploadVerdict verdict = talk->rules->judge (&talk->state, &talk->source, &talk->request,
                                                 &answer, &talk->reason, &talk->failure);
  if (verdict == TFD_UPLOAD_FAILED)
    g_assert_nonnull (talk->failure.message);
  if (verdict == TFD_UPLOAD_RESTART)
    {
      g_assert_nonnull (talk->reason);
      g_assert_null (talk->state.session);
      g_assert_cmpuint (talk->state.offset, ==, 0);
    }
  return verdict;
}

gboolean
talk_inform (Talk *talk, guint status, const char *fields)
{
  g_auto (GStrv) lines = g_strsplit (fields, "\n", -1);
  TfdUploadAnswer answer = { status, "Phrase", find_field, lines };

  return talk->rules->inform (&talk->state, &talk->source, &talk->request, &answer);
}

gboolean
talk_forgotten (Talk *talk, guint status, const char *fields)
{
  g_auto (GStrv) lines = g_strsplit (fields, "\n", -1);
  TfdUploadAnswer answer = { status, "Phrase", find_field, lines };

  return talk->rules->forgotten (&answer);
}

void
talk_interrupt (Talk *talk)
{
  talk->state.asked = FALSE;
  talk->state.known = FALSE;
  talk->state.features = 0;
  talk->state.limit = 0;
  talk->state.maximum = 0;
  talk->state.setbacks = 0;
  talk->state.reached = 0;
}

void
talk_check_row (Talk *talk, const TalkRow *row)
{
  TfdUploadVerdict verdict = talk_answer (talk, row->status, row->fields);

  g_assert_cmpint (verdict, ==, row->verdict);
  if (verdict != TFD_UPLOAD_FAILED)
    return;
  g_assert_cmpint (talk->failure.code, ==, row->code);
  g_assert_cmpint (talk->failure.context, ==, row->context);
  g_assert_cmpint (talk->failure.transient, ==, row->transient);
}

void
talk_expect_patience (Talk *talk, guint status, const char *fields, guint most)
{
  for (guint i = 0; i <= most; i++)
    {
      talk_ask (talk);
      if (talk_answer (talk, status, fields) == TFD_UPLOAD_FAILED)
        return;
    }
  g_assert_not_reached ();
}
