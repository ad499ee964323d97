/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Upload record: what is remembered of an upload between runs. */
#include "config.h"
#include "worker/upload-record.h"

#include "worker/failure.h"

#include <string.h>

/* The strings of these sizes and an identity stay below the 4096 bytes of a record. What is longer
 * is not remembered: the upload starts over when it is interrupted. */
#define MAX_URL 1400
#define MAX_HOST 300
#define MAX_IDENTITY 600

/* (nullable) A string that may be put into a request. */
static char *
lookup_string (GVariantDict *dict, const char *key, gsize most)
{
  const char *value = NULL;

  if (!g_variant_dict_lookup (dict, key, "&s", &value) || value[0] == '\0' || strlen (value) > most)
    return NULL;
  for (const char *at = value; *at != '\0'; at++)
    if (g_ascii_iscntrl (*at))
      return NULL;

  return g_strdup (value);
}

static void
read_session (GVariantDict *dict, guint64 size, TfdUploadState *state)
{
  state->session = lookup_string (dict, "session", MAX_URL);
  g_variant_dict_lookup (dict, "offset", "t", &state->offset);
  g_variant_dict_lookup (dict, "ranges", "b", &state->ranges);
  g_variant_dict_lookup (dict, "sent", "b", &state->sent);
  g_variant_dict_lookup (dict, "replied", "b", &state->replied);
  g_variant_dict_lookup (dict, "closed", "b", &state->closed);
  state->reply_url = lookup_string (dict, "reply-url", MAX_URL);
  if (state->session != NULL)
    {
      state->host = lookup_string (dict, "host", MAX_HOST);
      g_variant_dict_lookup (dict, "host-timeout", "x", &state->host_timeout);
      g_variant_dict_lookup (dict, "host-since", "x", &state->host_since);
    }

  /* Bytes that nobody can be asked about are not there. */
  if (!state->sent && (state->offset > size || (state->session == NULL && !state->ranges)))
    state->offset = 0;
  if (state->sent)
    state->offset = size;
  else
    state->replied = state->closed = FALSE;
}

void
tfd_upload_record_parse (GVariant *record, guint64 size, TfdUploadState *state, GBytes **source)
{
  g_auto (GVariantDict) dict = G_VARIANT_DICT_INIT (record);
  g_autoptr (GVariant) identity =
      g_variant_dict_lookup_value (&dict, "source", G_VARIANT_TYPE_BYTESTRING);
  const char *protocol = NULL;
  int value;

  state->host_timeout = -1;
  *source = NULL;
  if (identity == NULL || g_variant_get_size (identity) == 0)
    return;
  *source = g_variant_get_data_as_bytes (identity);

  if (!g_variant_dict_lookup (&dict, "protocol", "&s", &protocol) ||
      !tfd_enum_from_string (TFD_TYPE_UPLOAD_PROTOCOL, protocol, &value))
    return;
  state->protocol = (TfdUploadProtocol) value;
  g_variant_dict_lookup (&dict, "begun", "b", &state->begun);
  read_session (&dict, size, state);
}

static void
insert_string (GVariantDict *dict, const char *key, const char *value, gsize most)
{
  if (value != NULL && strlen (value) <= most && g_utf8_validate (value, -1, NULL))
    g_variant_dict_insert (dict, key, "s", value);
}

static void
insert_true (GVariantDict *dict, const char *key, gboolean value)
{
  if (value)
    g_variant_dict_insert (dict, key, "b", TRUE);
}

GVariant *
tfd_upload_record_new (const TfdUploadState *state, GBytes *source, gboolean resumable)
{
  gboolean kept = state->session != NULL && strlen (state->session) <= MAX_URL;
  GVariantDict dict;

  g_variant_dict_init (&dict, NULL);
  if (source != NULL && g_bytes_get_size (source) <= MAX_IDENTITY)
    g_variant_dict_insert_value (&dict, "source", tfd_bytes_to_variant (source));
  g_variant_dict_insert (&dict, "protocol", "s",
                         tfd_enum_to_string (TFD_TYPE_UPLOAD_PROTOCOL, state->protocol));
  if (kept && !state->closed)
    {
      insert_string (&dict, "session", state->session, MAX_URL);
      insert_string (&dict, "host", state->host, MAX_HOST);
      if (state->host != NULL && state->host_timeout >= 0)
        g_variant_dict_insert (&dict, "host-timeout", "x", state->host_timeout);
      if (state->host != NULL && state->host_since > 0)
        g_variant_dict_insert (&dict, "host-since", "x", state->host_since);
    }
  if (state->offset > 0)
    g_variant_dict_insert (&dict, "offset", "t", state->offset);
  insert_true (&dict, "begun", state->begun);
  insert_true (&dict, "ranges", state->ranges);
  insert_true (&dict, "sent", state->sent);
  insert_true (&dict, "replied", state->replied);
  insert_true (&dict, "closed", state->closed);
  insert_string (&dict, "reply-url", state->reply_url, MAX_URL);

  /* For transferd, which asks only whether it is there: this upload can be interrupted. */
  if ((resumable && kept) || (state->ranges && state->offset > 0) || state->sent)
    g_variant_dict_insert (&dict, "validator", "s", "session");

  return g_variant_dict_end (&dict);
}
