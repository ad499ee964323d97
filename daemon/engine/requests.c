/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Requests: records into the formats of the interface org.transferd.Transfer1.Worker. */
#include "config.h"

#include "common/packed.h"
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
  if (file->attached)
    g_variant_dict_insert (&dict, "attached", "b", TRUE);
  if (file->options != NULL)
    g_variant_dict_insert_value (&dict, "options", file->options);
  if (file->target != NULL)
    g_variant_dict_insert_value (&dict, "target", bytes_of_path (file->target));
  return g_variant_new ("(u@a{sv})", file->index, g_variant_dict_end (&dict));
}

/* None and an empty one are not the same. */
static void
pack_data (GByteArray *to, gboolean any, gconstpointer data, gsize size)
{
  tfd_pack_bytes (to, any && data == NULL ? "" : data, size);
}

static void
pack_variant (GByteArray *to, GVariant *value)
{
  if (value == NULL)
    pack_data (to, FALSE, NULL, 0);
  else
    pack_data (to, TRUE, g_variant_get_data (value), g_variant_get_size (value));
}

static void
pack_directory (GByteArray *to, GBytes *directory)
{
  gsize size = 0;
  gconstpointer data = directory != NULL ? g_bytes_get_data (directory, &size) : NULL;

  pack_data (to, directory != NULL, data, size);
}

void
tfd_request_pack_transfer (GByteArray *to,
                           const TfdFileRecord *file,
                           const TfdFileRecord *reply,
                           const TfdFileRecord *before)
{
  gboolean same = before != NULL && before->directory != NULL && file->directory != NULL &&
                  g_bytes_equal (before->directory, file->directory);

  tfd_pack_uint32 (to, file->index);
  tfd_pack_uint32 (to, file->attempt);
  tfd_pack_byte (to, (guint8) file->state);
  tfd_pack_byte (to, (guint8) ((file->attached ? TFD_PACKED_ATTACHED : 0) |
                               (same ? TFD_PACKED_SAME_DIRECTORY : 0) |
                               (reply != NULL ? TFD_PACKED_REPLY : 0)));
  tfd_pack_uint64 (to, file->total);
  tfd_pack_string (to, file->url);
  tfd_pack_string (to, file->path);
  if (!same)
    pack_directory (to, file->directory);
  pack_variant (to, file->part);
  pack_variant (to, file->options);
  tfd_pack_string (to, file->target);
  if (reply != NULL)
    tfd_request_pack_transfer (to, reply, NULL, NULL);
}

void
tfd_request_pack_file (GByteArray *to, const TfdFileRecord *file)
{
  TfdPackedFile packed = {
    .index = file->index,
    .attempt = file->attempt,
    .mode = G_MAXUINT32,
    .state = file->state,
    .attached = file->attached,
    .path = file->path,
    .target = file->target,
    .directory = file->directory,
    .part = file->part,
  };

  /* most have none */
  if (file->options != NULL && g_variant_get_size (file->options) > 0)
    g_variant_lookup (file->options, "mode", "u", &packed.mode);
  tfd_pack_file (to, &packed);
}

GVariant *
tfd_request_packed (GByteArray *rows)
{
  return g_variant_new_from_data (G_VARIANT_TYPE_BYTESTRING, rows->data, rows->len, TRUE,
                                  (GDestroyNotify) g_byte_array_unref, rows);
}

static TfdFileRecord
file_of_leftover (const TfdLeftover *row)
{
  return (TfdFileRecord){ .index = row->index,
                          .url = row->url != NULL ? row->url : (char *) "",
                          .path = row->path,
                          .state = TFD_FILE_STATE_WAITING,
                          .total = TFD_SIZE_UNKNOWN,
                          .attempt = row->attempt,
                          .part = row->part,
                          .directory = row->directory,
                          .attached = row->attached };
}

GVariant *
tfd_request_leftovers (GPtrArray *rows)
{
  GByteArray *files = g_byte_array_new ();

  for (guint i = 0; i < rows->len; i++)
    {
      const TfdFileRecord file = file_of_leftover (rows->pdata[i]);

      tfd_request_pack_file (files, &file);
    }
  return tfd_request_packed (files);
}

GVariant *
tfd_request_sessions (GPtrArray *rows)
{
  GVariantBuilder files;

  g_variant_builder_init (&files, G_VARIANT_TYPE ("a(ua{sv})"));
  for (guint i = 0; i < rows->len; i++)
    {
      const TfdFileRecord file = file_of_leftover (rows->pdata[i]);

      g_variant_builder_add_value (&files, tfd_request_file (&file));
    }
  return g_variant_builder_end (&files);
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
  if (record->type != TFD_JOB_TYPE_DOWNLOAD)
    {
      g_variant_dict_insert (&dict, "type", "s",
                             tfd_enum_to_string (TFD_TYPE_JOB_TYPE, (int) record->type));
      g_variant_dict_insert (
          &dict, "upload-protocol", "s",
          tfd_enum_to_string (TFD_TYPE_UPLOAD_PROTOCOL, (int) properties->upload_protocol));
    }
  if (properties->headers != NULL)
    g_variant_dict_insert_value (&dict, "headers", properties->headers);
  if (properties->credentials != NULL)
    g_variant_dict_insert_value (&dict, "credentials", properties->credentials);
  return g_variant_dict_end (&dict);
}
