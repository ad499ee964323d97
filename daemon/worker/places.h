/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Places: the directories of one request. Files come in the order in which they were added, mostly
 * one directory after the other: a directory is found, and looked at, once for all that follow. */
#pragma once

#include "worker/attached.h"

G_BEGIN_DECLS

typedef struct
{
  GHashTable *opened;    /* (owned) see tfd_directory_cache_new () */
  GPtrArray *touched;    /* (owned) (element-type TfdDirectory) in which something was changed */
  TfdDirectory *present; /* (owned) (nullable) of the last file */
  const TfdFile *like;   /* (nullable) the file that it was found for */
  gboolean marked;       /* it is among the touched */
} TfdPlaces;

void tfd_places_init (TfdPlaces *places);
void tfd_places_clear (TfdPlaces *places);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (TfdPlaces, tfd_places_clear)

/* The directory of @file, which has to stay until the next call, as does what is returned. NULL
 * with @failure filled. */
TfdDirectory *tfd_places_find (TfdPlaces *places, const TfdFile *file, TfdFailure *failure);

/* Looks at @name in the directory of @file, which has a record: 0, an errno, or -1 with @failure
 * filled when the directory is not there. What is absent is looked for twice: since its directory
 * was found, that may have gone as a whole. */
int tfd_places_look (
    TfdPlaces *places, const TfdFile *file, const char *name, TfdSight *sight, TfdFailure *failure);

/* In the directory that was found last, if there is one, something was changed. */
void tfd_places_touch (TfdPlaces *places);

G_END_DECLS
