/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Files: entries to add, and rows of listings. */
#include "config.h"
#include "client/libtransfer/private.h"

#include <string.h>
#include <sys/stat.h>

#include "common/enums.h"
#include "common/names.h"

/* By hand, because the macro of GLib is not ISO C. */
GType
transfer_file_get_type (void)
{
  static gsize once = 0;

  if (g_once_init_enter (&once))
    g_once_init_leave (&once, g_boxed_type_register_static ("TransferFile",
                                                            (GBoxedCopyFunc) transfer_file_copy,
                                                            (GBoxedFreeFunc) transfer_file_free));
  return once;
}

TransferFile *
transfer_file_copy (const TransferFile *file)
{
  TransferFile *copy = g_new (TransferFile, 1);

  *copy = *file;
  copy->remote_url = g_strdup (file->remote_url);
  copy->local_path = g_strdup (file->local_path);
  copy->details = g_variant_ref (file->details);
  return copy;
}

void
transfer_file_free (TransferFile *file)
{
  g_free (file->remote_url);
  g_free (file->local_path);
  g_variant_unref (file->details);
  g_free (file);
}

GVariant *
transfer_file_entry (const char *remote_url, const char *local_path, GVariant *options)
{
  g_auto (GVariantDict) dict;
  g_autoptr (GVariant) sunk = options != NULL ? g_variant_ref_sink (options) : NULL;

  g_return_val_if_fail (remote_url != NULL, NULL);
  g_return_val_if_fail (local_path != NULL, NULL);

  g_variant_dict_init (&dict, sunk);
  if (!g_utf8_validate (local_path, -1, NULL))
    {
      g_variant_dict_insert_value (&dict, "path", g_variant_new_bytestring (local_path));
      local_path = "";
    }
  return g_variant_new ("(ss@a{sv})", remote_url, local_path, g_variant_dict_end (&dict));
}

/* The umask of this process. umask(2) could only tell by changing it under other threads. */
static guint32
read_umask (void)
{
  g_autofree char *status = NULL;
  const char *line;
  mode_t mask;

  if (g_file_get_contents ("/proc/self/status", &status, NULL, NULL))
    {
      line = strstr (status, "\nUmask:");
      if (line != NULL)
        return (guint32) g_ascii_strtoull (line + strlen ("\nUmask:"), NULL, 8);
    }
  mask = umask (077);
  umask (mask);
  return mask;
}

static GVariant *
with_umask (GVariant *entry, guint32 mask)
{
  const char *url, *path;
  g_autoptr (GVariant) options = NULL;
  g_auto (GVariantDict) dict;

  g_variant_get (entry, "(&s&s@a{sv})", &url, &path, &options);
  g_variant_dict_init (&dict, options);
  if (!g_variant_dict_contains (&dict, "umask") && !g_variant_dict_contains (&dict, "mode"))
    g_variant_dict_insert (&dict, "umask", "u", mask);
  return g_variant_new ("(ss@a{sv})", url, path, g_variant_dict_end (&dict));
}

GPtrArray *
_transfer_files_split (GVariant *files, TransferJobType type)
{
  g_autoptr (GPtrArray) calls = g_ptr_array_new_with_free_func ((GDestroyNotify) g_variant_unref);
  const GVariantType *array = G_VARIANT_TYPE ("a(ssa{sv})");
  guint32 mask = read_umask ();
  GVariantBuilder builder;
  gsize count = 0, bytes = 0, n = g_variant_n_children (files);

  g_variant_builder_init (&builder, array);
  for (gsize i = 0; i < n; i++)
    {
      g_autoptr (GVariant) given = g_variant_get_child_value (files, i);
      /* an upload without a reply makes none */
      g_autoptr (GVariant) entry = type == TRANSFER_JOB_TYPE_UPLOAD
                                       ? g_variant_ref (given)
                                       : g_variant_ref_sink (with_umask (given, mask));

      if (count == TFD_MAX_FILES_PER_CALL || bytes + g_variant_get_size (entry) > TFD_MAX_MESSAGE)
        {
          g_ptr_array_add (calls, g_variant_ref_sink (g_variant_builder_end (&builder)));
          g_variant_builder_init (&builder, array);
          count = bytes = 0;
        }
      bytes += g_variant_get_size (entry);
      count++;
      g_variant_builder_add_value (&builder, entry);
    }
  g_ptr_array_add (calls, g_variant_ref_sink (g_variant_builder_end (&builder)));
  return g_steal_pointer (&calls);
}

void
_transfer_files_read (GVariant *rows, GPtrArray *files)
{
  GVariantIter iter;
  guint32 index;
  const char *url, *path, *state, *bytes;
  guint64 transferred, total;
  GVariant *details;

  g_variant_iter_init (&iter, rows);
  while (g_variant_iter_loop (&iter, "(u&s&stt&s@a{sv})", &index, &url, &path, &transferred, &total,
                              &state, &details))
    {
      TransferFile *file = g_new0 (TransferFile, 1);

      file->index = index;
      file->remote_url = g_strdup (url);
      file->local_path = g_strdup (
          *path == '\0' && g_variant_lookup (details, "path", "^&ay", &bytes) ? bytes : path);
      file->bytes_transferred = transferred;
      file->bytes_total = total;
      file->state = _transfer_enum_from_string (TFD_TYPE_FILE_STATE, state);
      file->details = g_variant_ref (details);
      g_ptr_array_add (files, file);
    }
}
