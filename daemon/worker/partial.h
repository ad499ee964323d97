/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Partial: the temporary of a file, hidden beside its destination: created so that nothing else can
 * be meant, recognised when it is opened again, written from start to end. */
#pragma once

#include "worker/directory.h"
#include "worker/file.h"

G_BEGIN_DECLS

/* What is written past the page cache begins at multiples of this, in the file and in memory. */
#define TFD_PART_ALIGNMENT 4096

typedef enum
{
  TFD_CACHE_USED,
  TFD_CACHE_PASSED,  /* written past it */
  TFD_CACHE_DROPPED, /* written through it, and dropped soon */
} TfdCache;

typedef struct
{
  grefcount references;
  TfdDirectory *directory; /* (owned) */
  char *name;              /* (owned) */
  int fd;
  guint64 length;        /* bytes present, all of them from the start */
  gboolean entry_synced; /* its entry in the directory is on the disk */
  gboolean reserved;     /* blocks beyond the length were asked for */
  gboolean reopened;     /* an earlier run may have asked for some */
  TfdCache cache;        /* how it is written; this and the next two are those of who writes */
  gboolean spare;        /* others shall keep what they have in the cache */
  guint64 dropped;       /* up to here it is not in the page cache any more */
  guint64 begun;         /* up to here the kernel was told to write it to the disk */
  TfdRecord *record;     /* (owned) */
} TfdPart;

typedef enum
{
  TFD_PART_CREATED,  /* empty and new */
  TFD_PART_REOPENED, /* the one that was recorded */
  TFD_PART_FOREIGN,  /* something else stands there: left untouched */
  TFD_PART_MISSING,  /* nothing stands there, though bytes had arrived */
  TFD_PART_FAILED,   /* the failure says why */
} TfdPartOutcome;

/* Creates or opens the temporary of @file in @directory. @default_umask counts when the file brings
 * none. *@part is set for the first two outcomes. */
TfdPartOutcome tfd_part_open (TfdDirectory *directory,
                              const char *job,
                              const TfdFile *file,
                              guint32 default_umask,
                              TfdPart **part,
                              TfdFailure *failure);

/* The temporary that a new @file is to have, of which nothing is there yet: fd is -1. */
TfdPart *tfd_part_new (TfdDirectory *directory, const char *job, const TfdFile *file);

/* Makes it, also in a thread: CREATED, and its record says what it is, FOREIGN or FAILED. */
TfdPartOutcome
tfd_part_make (TfdPart *part, const TfdFile *file, guint32 default_umask, TfdFailure *failure);

/* Nothing is written to it or read from it any more. */
void tfd_part_close (TfdPart *part);

TfdPart *tfd_part_ref (TfdPart *part);
void tfd_part_unref (TfdPart *part);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TfdPart, tfd_part_unref)

/* Whether the length of a file that was opened again counts (same boot, same mount, and then only
 * after one fdatasync); if not, the last checkpoint does. */
gboolean tfd_part_length_counts (const TfdPart *part);

/* Cuts the file to @length, which becomes the position. FALSE with @failure filled. */
gboolean tfd_part_truncate (TfdPart *part, guint64 length, TfdFailure *failure);

/* Writes at the end. FALSE with @failure filled; what was written by then counts. */
gboolean tfd_part_write (TfdPart *part, const void *data, gsize count, TfdFailure *failure);

/* The same at @offset, for a thread: the length stays. Returns how much was written; less than
 * @count with @failure filled. Only one thread writes at a time. */
gsize tfd_part_write_at (
    TfdPart *part, guint64 offset, const void *data, gsize count, TfdFailure *failure);

/* Decides how the rest of @total bytes is written: past the page cache, if it is much. @spare: the
 * cache is left to others in any case. */
void tfd_part_choose_cache (TfdPart *part, guint64 total, gboolean spare);

/* Writing past the cache is not possible. */
void tfd_part_use_cache (TfdPart *part);

/* Gives it the time that the server told, before it is synced for the last time: then there is
 * nothing left to do but to rename it. Where that cannot be, it is done with the renaming. */
void tfd_part_date (const TfdPart *part);

/* Is there room for @total bytes in all, with @keep_free (but at most 5 %) left on the file system?
 */
gboolean
tfd_part_check_space (TfdPart *part, guint64 total, guint64 keep_free, TfdFailure *failure);

/* TRUE when reserving @total bytes is worth while on this file system. */
gboolean tfd_part_should_reserve (const TfdPart *part, guint64 total);

/* Is the entry @stx_fd or name of a temporary with @record what was recorded? For others rooms:
 * looks at @name in @directory. Returns 0 and sets *@same, or an errno. @links_matter: also wants
 * exactly one link. */
int tfd_part_look (TfdDirectory *directory,
                   const char *name,
                   const TfdRecord *record,
                   gboolean links_matter,
                   gboolean *same,
                   guint64 *size);

G_END_DECLS
