/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Verify: are the finished temporaries present and ours? Looks, changes nothing. */
#include "config.h"
#include "worker/finalize.h"

#include "common/names.h"
#include "worker/failure.h"
#include "worker/identity.h"
#include "worker/partial.h"
#include "worker/places.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Where the extension of @name begins: ".tar.gz" is one. */
static gsize
stem_length (const char *name)
{
  const char *dot = strrchr (name, '.');
  const char *tar;

  if (dot == NULL || dot == name)
    return strlen (name);

  tar = g_strrstr_len (name, dot - name, ".tar");
  if (tar != NULL && tar != name && tar + 4 == dot)
    dot = tar;

  return (gsize) (dot - name);
}

/* "name (2).txt", its stem cut so that it stays a possible name. */
static char *
numbered_name (const char *name, guint number)
{
  gsize stem = stem_length (name);
  g_autofree char *mark = g_strdup_printf (" (%u)", number);
  gsize rest = strlen (mark) + strlen (name + stem);

  if (stem + rest > NAME_MAX && rest < NAME_MAX)
    {
      stem = NAME_MAX - rest;
      while (stem > 0 && ((guchar) name[stem] & 0xc0) == 0x80)
        stem--;
    }

  return g_strdup_printf ("%.*s%s%s", (int) stem, name, mark, name + stem_length (name));
}

/* A path beside @file that is free now and not promised to another file of this call. */
static char *
free_path (TfdDirectory *directory, const TfdFile *file, GHashTable *promised)
{
  for (guint i = 0; i < 10000; i++)
    {
      g_autofree char *name = i == 0 ? g_strdup (file->base) : numbered_name (file->base, i);
      g_autofree char *path =
          g_strconcat (file->directory[1] != '\0' ? file->directory : "", "/", name, NULL);
      struct stat st;

      if (fstatat (directory->fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 || errno != ENOENT ||
          g_hash_table_contains (promised, path))
        continue;

      g_hash_table_add (promised, g_strdup (path));
      return g_steal_pointer (&path);
    }

  return NULL;
}

/* The temporary is gone; an earlier Complete whose end nobody heard of may have renamed it. */
static gboolean
is_in_place (const TfdFile *file, TfdDirectory *directory)
{
  const char *name = file->target != NULL ? strrchr (file->target, '/') + 1 : file->base;
  gboolean same = FALSE;
  guint64 size;

  return tfd_part_look (directory, name, file->record, FALSE, &same, &size) == 0 && same;
}

/* The temporary is there. */
static const char *
judge (const TfdFile *file, const TfdSight *sight)
{
  return sight->same && sight->links == 1 &&
                 (file->record->size == TFD_SIZE_UNKNOWN || file->record->size == sight->size)
             ? "ok"
             : "foreign";
}

static char *
explain (const char *job, const TfdFile *file, const char *result, int error_number)
{
  g_autofree char *path = tfd_file_part_path (file, job);
  g_autofree char *shown = g_filename_display_name (path);

  if (file->record == NULL)
    return g_strdup_printf ("nothing is known about the temporary file ‘%s’", shown);
  if (g_str_equal (result, "missing"))
    return g_strdup_printf ("the temporary file ‘%s’ is not there any more", shown);
  if (g_str_equal (result, "foreign"))
    return g_strdup_printf ("‘%s’ is not the temporary file that was written", shown);
  return g_strdup_printf ("looking at ‘%s’: %s", shown, g_strerror (error_number));
}

static const char *
verify_one (const char *job, const TfdFile *file, TfdPlaces *places, char **message)
{
  g_autofree char *name = tfd_part_name (job, file->index, file->attempt);
  g_auto (TfdFailure) failure = { 0 };
  const char *result;
  TfdSight sight;
  int error_number = -1;

  if (file->record != NULL)
    error_number = tfd_places_look (places, file, name, &sight, &failure);
  else if (tfd_places_find (places, file, &failure) != NULL)
    error_number = ENOENT;

  if (error_number == 0)
    result = judge (file, &sight);
  else if (error_number == ENOENT)
    result = file->record != NULL && is_in_place (file, places->present) ? "in-place" : "missing";
  else
    result = "unavailable";
  if (error_number < 0)
    *message = g_strdup (failure.message);
  else if (!g_str_equal (result, "ok") && !g_str_equal (result, "in-place"))
    *message = explain (job, file, result, error_number);
  return result;
}

/* Whoever renamed it may have died before this. */
static const char *
sync_in_place (TfdDirectory *directory, char **message)
{
  int error_number = tfd_directory_sync (directory, -1);

  if (error_number == 0)
    return "in-place";
  *message = g_strdup_printf ("syncing ‘%s’: %s", directory->path, g_strerror (error_number));
  return "unavailable";
}

static void
add_result (GVariantBuilder *builder,
            const TfdFile *file,
            const char *result,
            const char *target,
            const char *message)
{
  g_auto (GVariantDict) details = G_VARIANT_DICT_INIT (NULL);

  if (target != NULL)
    g_variant_dict_insert_value (&details, "target", tfd_path_to_variant (target));
  if (message != NULL)
    g_variant_dict_insert (&details, "message", "s", message);
  g_variant_builder_add (builder, "(us@a{sv})", file->index, result, g_variant_dict_end (&details));
}

GVariant *
tfd_verify (const char *job, GVariant *options, GPtrArray *files, TfdOwned *owned)
{
  GVariantBuilder builder = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE ("a(usa{sv})"));
  g_auto (TfdPlaces) places = { 0 };
  g_autoptr (GHashTable) promised = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  const char *overwrite = "";
  gboolean keep_both;

  g_variant_lookup (options, "overwrite", "&s", &overwrite);
  keep_both =
      g_str_equal (overwrite, tfd_enum_to_string (TFD_TYPE_OVERWRITE, TFD_OVERWRITE_KEEP_BOTH));
  tfd_places_init (&places);

  for (guint i = 0; i < files->len; i++)
    {
      const TfdFile *file = files->pdata[i];
      g_autofree char *message = NULL;
      g_autofree char *target = NULL;
      const char *result;

      if (file->state == TFD_FILE_STATE_COMPLETED)
        {
          if (file->record != NULL)
            tfd_owned_add (owned, file->record->identity);
          continue;
        }

      result = verify_one (job, file, &places, &message);
      if (g_str_equal (result, "in-place"))
        {
          tfd_owned_add (owned, file->record->identity);
          result = sync_in_place (places.present, &message);
        }
      if (keep_both && g_str_equal (result, "ok"))
        target = free_path (places.present, file, promised);
      if (keep_both || !g_str_equal (result, "ok"))
        add_result (&builder, file, result, target, message);
    }

  return g_variant_builder_end (&builder);
}
