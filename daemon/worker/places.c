/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Places: the directories of one request. */
#include "config.h"
#include "worker/places.h"

#include <errno.h>

void
tfd_places_init (TfdPlaces *places)
{
  *places = (TfdPlaces){
    .opened = tfd_directory_cache_new (),
    .touched = g_ptr_array_new_with_free_func ((GDestroyNotify) tfd_directory_unref),
  };
}

static void
forget (TfdPlaces *places)
{
  g_clear_pointer (&places->present, tfd_directory_unref);
  places->like = NULL;
  places->marked = FALSE;
}

void
tfd_places_clear (TfdPlaces *places)
{
  forget (places);
  g_clear_pointer (&places->opened, g_hash_table_unref);
  g_clear_pointer (&places->touched, g_ptr_array_unref);
}

static gboolean
is_same (GBytes *a, GBytes *b)
{
  return a == b || (a != NULL && b != NULL && g_bytes_equal (a, b));
}

/* @file says the same about its directory as the one before. */
static gboolean
is_like (const TfdFile *file, const TfdFile *like)
{
  return file->attached == like->attached && file->kept == like->kept &&
         g_str_equal (file->directory, like->directory) &&
         is_same (file->attached_to, like->attached_to) &&
         is_same (tfd_file_expected_directory (file), tfd_file_expected_directory (like));
}

TfdDirectory *
tfd_places_find (TfdPlaces *places, const TfdFile *file, TfdFailure *failure)
{
  if (places->present != NULL && is_like (file, places->like))
    return places->present;

  forget (places);
  places->present = tfd_attached_directory (file, places->opened, failure);
  places->like = file;
  return places->present;
}

int
tfd_places_look (
    TfdPlaces *places, const TfdFile *file, const char *name, TfdSight *sight, TfdFailure *failure)
{
  for (gboolean again = FALSE;; again = TRUE)
    {
      const TfdDirectory *directory = tfd_places_find (places, file, failure);
      int error_number;

      if (directory == NULL)
        return -1;
      error_number = tfd_identity_look (directory->fd, &directory->file_system, name,
                                        file->record->identity, sight);
      if (error_number != ENOENT || again)
        return error_number;
      forget (places);
    }
}

void
tfd_places_touch (TfdPlaces *places)
{
  if (places->present == NULL || places->marked)
    return;
  if (!g_ptr_array_find (places->touched, places->present, NULL))
    g_ptr_array_add (places->touched, tfd_directory_ref (places->present));
  places->marked = TRUE;
}
