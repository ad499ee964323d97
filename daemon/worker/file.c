/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* File: one file as transferd hands it to the worker. */
#include "config.h"
#include "worker/file.h"

#include "common/names.h"
#include "common/packed.h"
#include "common/url.h"
#include "worker/failure.h"

#include <string.h>
#include <unistd.h>

void
tfd_file_free (TfdFile *file)
{
  g_free (file->url);
  g_free (file->path);
  g_free (file->directory);
  g_free (file->base);
  g_free (file->target);
  g_clear_pointer (&file->part, g_variant_unref);
  g_clear_pointer (&file->record, tfd_record_free);
  g_clear_pointer (&file->directory_identity, g_bytes_unref);
  g_free (file->digest);
  g_clear_pointer (&file->attached_to, g_bytes_unref);
  g_clear_pointer (&file->kept, tfd_directory_unref);
  if (file->kept_fd >= 0)
    close (file->kept_fd);
  g_clear_pointer (&file->reply, tfd_file_free);
  g_free (file);
}

static char *
lookup_path (GVariantDict *dict, const char *key)
{
  g_autoptr (GVariant) value = g_variant_dict_lookup_value (dict, key, G_VARIANT_TYPE_BYTESTRING);

  return value != NULL ? tfd_path_from_variant (value) : NULL;
}

static void
read_options (TfdFile *file, GVariant *options)
{
  g_auto (GVariantDict) inner = G_VARIANT_DICT_INIT (options);
  g_autoptr (GVariant) attached_to = NULL;

  g_variant_dict_lookup (&inner, "mode", "u", &file->mode);
  g_variant_dict_lookup (&inner, "umask", "u", &file->umask);
  g_variant_dict_lookup (&inner, "size", "t", &file->size);
  g_variant_dict_lookup (&inner, "digest", "s", &file->digest);
  attached_to = g_variant_dict_lookup_value (&inner, "attached-to", G_VARIANT_TYPE_BYTESTRING);
  if (attached_to != NULL)
    file->attached_to = g_variant_get_data_as_bytes (attached_to);
}

static gboolean
set_path (TfdFile *file, GError **error)
{
  const char *slash;

  if (file->path == NULL)
    {
      g_set_error (error, TFD_ERROR, TFD_ERROR_INVALID_ARGS, "file %u has no path", file->index);
      return FALSE;
    }
  if (!tfd_path_check (file->path, error))
    return FALSE;

  slash = strrchr (file->path, '/');
  file->directory =
      slash == file->path ? g_strdup ("/") : g_strndup (file->path, slash - file->path);
  file->base = g_strdup (slash + 1);

  if (file->target == NULL)
    return TRUE;

  /* Both names are used relative to one directory. */
  if (!tfd_path_check (file->target, error))
    return FALSE;
  if (strrchr (file->target, '/') - file->target != slash - file->path ||
      strncmp (file->target, file->path, slash - file->path) != 0)
    {
      g_set_error (error, TFD_ERROR, TFD_ERROR_INVALID_ARGS,
                   "the target of file %u is in another directory", file->index);
      return FALSE;
    }

  return TRUE;
}

static TfdFile *
new_empty (guint32 index)
{
  TfdFile *file = g_new0 (TfdFile, 1);

  file->index = index;
  file->kept_fd = -1;
  file->total = TFD_SIZE_UNKNOWN;
  file->size = TFD_SIZE_UNKNOWN;
  file->mode = TFD_MODE_NONE;
  file->umask = TFD_MODE_NONE;
  return file;
}

TfdFile *
tfd_file_new (guint32 index, GVariant *dictionary, GError **error)
{
  g_auto (GVariantDict) dict = G_VARIANT_DICT_INIT (dictionary);
  g_autoptr (TfdFile) file = new_empty (index);
  g_autoptr (GVariant) identity = NULL;
  g_autoptr (GVariant) options = NULL;
  g_autoptr (GVariant) reply = NULL;
  const char *state = NULL;

  file->path = lookup_path (&dict, "path");
  file->target = lookup_path (&dict, "target");
  if (!set_path (file, error))
    return NULL;

  g_variant_dict_lookup (&dict, "url", "s", &file->url);
  g_variant_dict_lookup (&dict, "attempt", "u", &file->attempt);
  g_variant_dict_lookup (&dict, "attached", "b", &file->attached);
  g_variant_dict_lookup (&dict, "total", "t", &file->total);
  if (g_variant_dict_lookup (&dict, "state", "&s", &state))
    {
      int value;

      if (!tfd_enum_from_string (TFD_TYPE_FILE_STATE, state, &value))
        {
          g_set_error (error, TFD_ERROR, TFD_ERROR_INVALID_ARGS, "file state “%s”", state);
          return NULL;
        }
      file->state = (TfdFileState) value;
    }

  file->part = g_variant_dict_lookup_value (&dict, "part", G_VARIANT_TYPE_VARDICT);
  if (file->part != NULL)
    file->record = tfd_record_parse (file->part);

  identity = g_variant_dict_lookup_value (&dict, "directory", G_VARIANT_TYPE_BYTESTRING);
  if (identity != NULL && g_variant_get_size (identity) > 0)
    file->directory_identity = g_variant_get_data_as_bytes (identity);

  options = g_variant_dict_lookup_value (&dict, "options", G_VARIANT_TYPE_VARDICT);
  if (options != NULL)
    read_options (file, options);

  reply = g_variant_dict_lookup_value (&dict, "reply", G_VARIANT_TYPE_VARDICT);
  if (reply != NULL && index != TFD_REPLY_INDEX)
    {
      file->reply = tfd_file_new (TFD_REPLY_INDEX, reply, error);
      if (file->reply == NULL)
        return NULL;
    }

  return g_steal_pointer (&file);
}

/* Takes the paths of @packed. */
static TfdFile *
new_from_packed (TfdPackedFile *packed, GError **error)
{
  g_autoptr (TfdFile) file = new_empty (packed->index);

  file->path = g_steal_pointer (&packed->owned_path);
  file->target = g_steal_pointer (&packed->owned_target);
  if (!set_path (file, error))
    return NULL;

  file->attempt = packed->attempt;
  file->attached = packed->attached;
  file->mode = packed->mode;
  file->state = packed->state;
  if (packed->part != NULL)
    file->record = tfd_record_parse (packed->part);
  if (packed->directory != NULL && g_bytes_get_size (packed->directory) > 0)
    file->directory_identity = g_bytes_ref (packed->directory);
  return g_steal_pointer (&file);
}

static GPtrArray *
unpack_all (GVariant *rows, GError **error)
{
  g_autoptr (GPtrArray) result = g_ptr_array_new_with_free_func ((GDestroyNotify) tfd_file_free);
  g_auto (TfdPackedFile) packed = { 0 };
  TfdUnpacker from;

  tfd_unpacker_init (&from, g_variant_get_data (rows), g_variant_get_size (rows));
  while (tfd_unpack_file (&from, &packed))
    {
      TfdFile *file = new_from_packed (&packed, error);

      tfd_packed_file_clear (&packed);
      if (file == NULL)
        return NULL;
      g_ptr_array_add (result, file);
    }
  if (!from.bad)
    return g_steal_pointer (&result);
  g_set_error_literal (error, TFD_ERROR, TFD_ERROR_INVALID_ARGS, "files that cannot be read");
  return NULL;
}

GPtrArray *
tfd_files_new (GVariant *files, GError **error)
{
  g_autoptr (GPtrArray) result = NULL;
  GVariantIter iter;
  GVariant *dictionary;
  guint32 index;

  if (g_variant_is_of_type (files, G_VARIANT_TYPE_BYTESTRING))
    return unpack_all (files, error);

  result = g_ptr_array_new_with_free_func ((GDestroyNotify) tfd_file_free);
  g_variant_iter_init (&iter, files);
  while (g_variant_iter_next (&iter, "(u@a{sv})", &index, &dictionary))
    {
      TfdFile *file = tfd_file_new (index, dictionary, error);

      g_variant_unref (dictionary);
      if (file == NULL)
        return NULL;
      g_ptr_array_add (result, file);
    }

  return g_steal_pointer (&result);
}

/* (nullable) (transfer full) */
static GVariant *
unpack_dictionary (TfdUnpacker *from)
{
  g_autoptr (GBytes) copy = tfd_unpack_copy (from);

  return copy != NULL
             ? g_variant_ref_sink (g_variant_new_from_bytes (G_VARIANT_TYPE_VARDICT, copy, FALSE))
             : NULL;
}

/* One row, without its reply. */
static TfdFile *
unpack_row (TfdUnpacker *from, const TfdFile *before, guint8 *flags, GError **error)
{
  g_autoptr (TfdFile) file = new_empty (tfd_unpack_uint32 (from));
  g_autoptr (GVariant) options = NULL;

  file->attempt = tfd_unpack_uint32 (from);
  file->state = (TfdFileState) tfd_unpack_byte (from);
  *flags = tfd_unpack_byte (from);
  file->attached = (*flags & TFD_PACKED_ATTACHED) != 0;
  file->total = tfd_unpack_uint64 (from);
  file->url = tfd_unpack_string (from);
  file->path = tfd_unpack_path (from);
  if ((*flags & TFD_PACKED_SAME_DIRECTORY) == 0)
    file->directory_identity = tfd_unpack_copy (from);
  else if (before != NULL && before->directory_identity != NULL)
    file->directory_identity = g_bytes_ref (before->directory_identity);
  file->part = unpack_dictionary (from);
  options = unpack_dictionary (from);
  file->target = tfd_unpack_path (from);
  if (from->bad || file->state > TFD_FILE_STATE_ERROR)
    {
      g_set_error_literal (error, TFD_ERROR, TFD_ERROR_INVALID_ARGS, "files that cannot be read");
      return NULL;
    }

  if (file->directory_identity != NULL && g_bytes_get_size (file->directory_identity) == 0)
    g_clear_pointer (&file->directory_identity, g_bytes_unref);
  if (file->part != NULL)
    file->record = tfd_record_parse (file->part);
  if (options != NULL)
    read_options (file, options);

  return set_path (file, error) ? g_steal_pointer (&file) : NULL;
}

static TfdFile *
unpack_transfer (TfdUnpacker *from, const TfdFile *before, GError **error)
{
  guint8 flags;
  g_autoptr (TfdFile) file = unpack_row (from, before, &flags, error);

  if (file == NULL || (flags & TFD_PACKED_REPLY) == 0)
    return g_steal_pointer (&file);

  file->reply = unpack_row (from, NULL, &flags, error);
  if (file->reply == NULL)
    return NULL;
  file->reply->index = TFD_REPLY_INDEX;

  return g_steal_pointer (&file);
}

GPtrArray *
tfd_files_new_to_transfer (GVariant *files, GError **error)
{
  g_autoptr (GPtrArray) result = NULL;
  const TfdFile *before = NULL;
  TfdUnpacker from;

  if (!g_variant_is_of_type (files, G_VARIANT_TYPE_BYTESTRING))
    return tfd_files_new (files, error);

  result = g_ptr_array_new_with_free_func ((GDestroyNotify) tfd_file_free);
  tfd_unpacker_init (&from, g_variant_get_data (files), g_variant_get_size (files));
  while (from.at < from.end)
    {
      TfdFile *file = unpack_transfer (&from, before, error);

      if (file == NULL)
        return NULL;
      g_ptr_array_add (result, file);
      before = file;
    }

  return g_steal_pointer (&result);
}

GBytes *
tfd_file_expected_directory (const TfdFile *file)
{
  if (file->record != NULL && file->record->directory != NULL)
    return file->record->directory;

  return file->directory_identity;
}

char *
tfd_file_part_path (const TfdFile *file, const char *job)
{
  g_autofree char *name = tfd_part_name (job, file->index, file->attempt);

  return g_strconcat (file->directory[1] != '\0' ? file->directory : "", "/", name, NULL);
}
