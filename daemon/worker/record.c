/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Record: what is remembered of a temporary file between runs. */
#include "config.h"
#include "worker/record.h"

#include "common/names.h"
#include "worker/failure.h"

#include <string.h>

/* Three strings of this size and two identities stay below the 4096 bytes of a record. */
#define MAX_STRING 512

TfdRecord *
tfd_record_new (void)
{
  TfdRecord *record = g_new0 (TfdRecord, 1);

  record->mtime = TFD_NO_TIME;
  record->size = TFD_SIZE_UNKNOWN;
  record->sequential = TRUE;

  return record;
}

void
tfd_record_free (TfdRecord *record)
{
  g_clear_pointer (&record->identity, g_bytes_unref);
  g_clear_pointer (&record->directory, g_bytes_unref);
  g_free (record->boot);
  g_free (record->etag);
  g_free (record->last_modified);
  g_free (record->validator);
  g_free (record);
}

static GBytes *
lookup_bytes (GVariantDict *dict, const char *key)
{
  g_autoptr (GVariant) value = g_variant_dict_lookup_value (dict, key, G_VARIANT_TYPE_BYTESTRING);

  if (value == NULL || g_variant_get_size (value) == 0)
    return NULL;

  return g_variant_get_data_as_bytes (value);
}

TfdRecord *
tfd_record_parse (GVariant *dictionary)
{
  g_autoptr (TfdRecord) record = tfd_record_new ();
  g_auto (GVariantDict) dict = G_VARIANT_DICT_INIT (dictionary);

  record->identity = lookup_bytes (&dict, "identity");
  if (record->identity == NULL)
    return NULL;

  record->directory = lookup_bytes (&dict, "directory");
  g_variant_dict_lookup (&dict, "checkpoint", "t", &record->checkpoint);
  g_variant_dict_lookup (&dict, "boot", "s", &record->boot);
  g_variant_dict_lookup (&dict, "mount", "t", &record->mount);
  g_variant_dict_lookup (&dict, "sequential", "b", &record->sequential);
  g_variant_dict_lookup (&dict, "etag", "s", &record->etag);
  g_variant_dict_lookup (&dict, "last-modified", "s", &record->last_modified);
  g_variant_dict_lookup (&dict, "validator", "s", &record->validator);
  g_variant_dict_lookup (&dict, "mtime", "x", &record->mtime);
  g_variant_dict_lookup (&dict, "size", "t", &record->size);

  return g_steal_pointer (&record);
}

static void
insert_string (GVariantDict *dict, const char *key, const char *value)
{
  if (value != NULL)
    g_variant_dict_insert (dict, key, "s", value);
}

GVariant *
tfd_record_to_variant (const TfdRecord *record)
{
  GVariantDict dict;

  g_variant_dict_init (&dict, NULL);
  if (record->identity != NULL)
    g_variant_dict_insert_value (&dict, "identity", tfd_bytes_to_variant (record->identity));
  if (record->directory != NULL)
    g_variant_dict_insert_value (&dict, "directory", tfd_bytes_to_variant (record->directory));
  g_variant_dict_insert (&dict, "checkpoint", "t", record->checkpoint);
  insert_string (&dict, "boot", record->boot);
  g_variant_dict_insert (&dict, "mount", "t", record->mount);
  g_variant_dict_insert (&dict, "sequential", "b", record->sequential);
  insert_string (&dict, "etag", record->etag);
  insert_string (&dict, "last-modified", record->last_modified);
  insert_string (&dict, "validator", record->validator);
  if (record->mtime != TFD_NO_TIME)
    g_variant_dict_insert (&dict, "mtime", "x", record->mtime);
  if (record->size != TFD_SIZE_UNKNOWN)
    g_variant_dict_insert (&dict, "size", "t", record->size);

  return g_variant_dict_end (&dict);
}

gboolean
tfd_record_has_source (const TfdRecord *record)
{
  return record->checkpoint > 0 || record->size != TFD_SIZE_UNKNOWN || record->etag != NULL ||
         record->last_modified != NULL || record->validator != NULL;
}

void
tfd_record_forget_source (TfdRecord *record)
{
  g_clear_pointer (&record->etag, g_free);
  g_clear_pointer (&record->last_modified, g_free);
  g_clear_pointer (&record->validator, g_free);
  record->mtime = TFD_NO_TIME;
  record->size = TFD_SIZE_UNKNOWN;
  record->checkpoint = 0;
}

void
tfd_record_take_string (char **field, const char *value)
{
  gboolean fits =
      value != NULL && strlen (value) <= MAX_STRING && g_utf8_validate (value, -1, NULL);
  char *copy = fits ? g_strdup (value) : NULL;

  g_free (*field);
  *field = copy;
}
