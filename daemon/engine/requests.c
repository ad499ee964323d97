/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Requests: records into the formats of the interface org.transferd.Transfer1.Worker. */
#include "config.h"

#include "engine/engine-private.h"

static GVariant *
bytes_of_path (const char *path)
{
  return g_variant_new_fixed_array (G_VARIANT_TYPE_BYTE, path, strlen (path), 1);
}

GVariant *
tfd_request_file (const TfdFileRecord *file)
{
  g_auto (GVariantDict) dict = G_VARIANT_DICT_INIT (NULL);

  g_variant_dict_insert (&dict, "url", "s", file->url);
  g_variant_dict_insert_value (&dict, "path", bytes_of_path (file->path));
  g_variant_dict_insert (&dict, "attempt", "u", file->attempt);
  g_variant_dict_insert (&dict, "state", "s",
                         tfd_enum_to_string (TFD_TYPE_FILE_STATE, file->state));
  g_variant_dict_insert (&dict, "total", "t", file->total);
  if (file->part != NULL)
    g_variant_dict_insert_value (&dict, "part", file->part);
  if (file->directory != NULL)
    g_variant_dict_insert_value (
        &dict, "directory",
        g_variant_new_from_bytes (G_VARIANT_TYPE_BYTESTRING, file->directory, TRUE));
  if (file->options != NULL)
    g_variant_dict_insert_value (&dict, "options", file->options);
  if (file->target != NULL)
    g_variant_dict_insert_value (&dict, "target", bytes_of_path (file->target));
  return g_variant_new ("(u@a{sv})", file->index, g_variant_dict_end (&dict));
}

/* Bytes that the unfinished files may have; 0 = any number. */
static guint64
bytes_left (const TfdJobRecord *record, guint64 finished)
{
  guint64 limit = record->properties->maximum_size;

  if (limit == 0)
    return 0;
  return limit > finished ? limit - finished : 1;
}

GVariant *
tfd_request_run_options (const TfdJobRecord *record, guint64 finished, const TfdConfig *config)
{
  const TfdJobProperties *properties = record->properties;
  g_auto (GVariantDict) dict = G_VARIANT_DICT_INIT (NULL);

  g_variant_dict_insert (&dict, "foreground", "b", properties->priority == TFD_PRIORITY_FOREGROUND);
  g_variant_dict_insert (&dict, "dynamic-content", "b", properties->dynamic_content);
  g_variant_dict_insert (&dict, "high-performance", "b", properties->high_performance);
  g_variant_dict_insert (
      &dict, "redirect-policy", "s",
      tfd_enum_to_string (TFD_TYPE_REDIRECT_POLICY, properties->redirect_policy));
  g_variant_dict_insert (&dict, "allow-downgrade", "b", properties->allow_downgrade);
  g_variant_dict_insert (&dict, "maximum-size", "t", bytes_left (record, finished));
  g_variant_dict_insert (&dict, "umask", "u", (guint32) config->umask);
  g_variant_dict_insert (&dict, "keep-free", "t", config->keep_free);
  if (properties->headers != NULL)
    g_variant_dict_insert_value (&dict, "headers", properties->headers);
  if (properties->credentials != NULL)
    g_variant_dict_insert_value (&dict, "credentials", properties->credentials);
  return g_variant_dict_end (&dict);
}
