/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Record: what is remembered of a temporary file between runs. */
#include "config.h"
#include "worker/record.h"

#include "common/names.h"
#include "common/packed.h"
#include "worker/failure.h"

#include <string.h>

/* Four strings of this size and two identities stay below the 4096 bytes of a record. */
#define MAX_STRING 512

#define KEY_PACKED "packed"
#define SOME_BYTES 512

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

/* Versions before this one wrote an entry for each. */
static TfdRecord *
parse_entries (GVariant *dictionary)
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

static TfdRecord *
parse_packed (GVariant *packed)
{
  g_autoptr (TfdRecord) record = tfd_record_new ();
  TfdUnpacker from;

  tfd_unpacker_init (&from, g_variant_get_data (packed), g_variant_get_size (packed));
  record->identity = tfd_unpack_copy (&from);
  record->directory = tfd_unpack_copy (&from);
  record->checkpoint = tfd_unpack_uint64 (&from);
  record->mount = tfd_unpack_uint64 (&from);
  record->mtime = (gint64) tfd_unpack_uint64 (&from);
  record->size = tfd_unpack_uint64 (&from);
  record->sequential = tfd_unpack_byte (&from) != 0;
  record->boot = tfd_unpack_string (&from);
  record->etag = tfd_unpack_string (&from);
  record->last_modified = tfd_unpack_string (&from);
  record->validator = tfd_unpack_string (&from);

  return !from.bad && record->identity != NULL ? g_steal_pointer (&record) : NULL;
}

TfdRecord *
tfd_record_parse (GVariant *dictionary)
{
  g_autoptr (GVariant) packed =
      g_variant_lookup_value (dictionary, KEY_PACKED, G_VARIANT_TYPE_BYTESTRING);

  return packed != NULL ? parse_packed (packed) : parse_entries (dictionary);
}

static void
pack_bytes (GByteArray *to, GBytes *bytes)
{
  tfd_pack_bytes (to, bytes != NULL ? g_bytes_get_data (bytes, NULL) : NULL,
                  bytes != NULL ? g_bytes_get_size (bytes) : 0);
}

GVariant *
tfd_record_to_variant (const TfdRecord *record)
{
  GVariantBuilder builder = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE_VARDICT);
  GByteArray *packed = g_byte_array_sized_new (SOME_BYTES);

  pack_bytes (packed, record->identity);
  pack_bytes (packed, record->directory);
  tfd_pack_uint64 (packed, record->checkpoint);
  tfd_pack_uint64 (packed, record->mount);
  tfd_pack_uint64 (packed, (guint64) record->mtime);
  tfd_pack_uint64 (packed, record->size);
  tfd_pack_byte (packed, record->sequential != FALSE);
  tfd_pack_string (packed, record->boot);
  tfd_pack_string (packed, record->etag);
  tfd_pack_string (packed, record->last_modified);
  tfd_pack_string (packed, record->validator);

  g_variant_builder_add (&builder, "{sv}", KEY_PACKED,
                         g_variant_new_from_data (G_VARIANT_TYPE_BYTESTRING, packed->data,
                                                  packed->len, TRUE,
                                                  (GDestroyNotify) g_byte_array_unref, packed));
  /* transferd looks whether there is one */
  if (record->validator != NULL)
    g_variant_builder_add (&builder, "{sv}", "validator", g_variant_new_string (record->validator));

  return g_variant_builder_end (&builder);
}

gboolean
tfd_record_get_time (const TfdRecord *record, struct timespec *time)
{
  gint64 mtime = record->mtime;

  if (mtime == TFD_NO_TIME)
    return FALSE;
  time->tv_sec = (time_t) (mtime / G_USEC_PER_SEC - (mtime % G_USEC_PER_SEC < 0));
  time->tv_nsec = (long) ((mtime - time->tv_sec * G_USEC_PER_SEC) * 1000);
  return TRUE;
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
