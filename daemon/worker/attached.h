/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Attached: directories, and files that are sent, that programs handed in as descriptors. They are
 * kept for their job as long as this process lives, so that the job does not depend on their names;
 * after that they are found again by the path that they had, if it still leads to them without a
 * symbolic link. */
#pragma once

#include "worker/file.h"

G_BEGIN_DECLS

/* So many descriptors are kept: of one job, and in all. */
#define TFD_ATTACHED_PER_JOB 64
#define TFD_ATTACHED_IN_ALL 256

/* What a descriptor was found to be. */
typedef struct
{
  int fd;           /* (owned) */
  gboolean regular; /* a file that is sent; else a directory */
  char *path;       /* (type filename) that leads to it now */
  GBytes *identity; /* of a directory as of its descriptor, of a file as of its content, too */
} TfdHandedIn;

void tfd_handed_in_free (TfdHandedIn *handed_in);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TfdHandedIn, tfd_handed_in_free)

/* Looks at @fd, which is taken: a directory, or a regular file that is open for reading. Blocks.
 * InvalidPath, FileAccessDenied. */
TfdHandedIn *tfd_handed_in_new (int fd, GError **error);

/* Files can be created in the directory. Blocks. FileAccessDenied. */
gboolean tfd_handed_in_prove_write (const TfdHandedIn *handed_in, GError **error);

/* What Attach says of file @name in it, or with "" of the file itself: (aytss), floating. @send: it
 * is to be sent, and thus looked at. Blocks. */
GVariant *tfd_handed_in_describe (const TfdHandedIn *handed_in, const char *name, gboolean send);

/* TRUE when it is what @identity was taken from, whatever became of a file's content. */
gboolean tfd_handed_in_is (const TfdHandedIn *handed_in, GBytes *identity);

typedef struct _TfdAttached TfdAttached;

TfdAttached *tfd_attached_new (void);
void tfd_attached_free (TfdAttached *attached);

/* Keeps @handed_in, whose descriptor is taken, for @job: one for each directory or file.
 * LimitsExceeded. */
gboolean
tfd_attached_keep (TfdAttached *attached, const char *job, TfdHandedIn *handed_in, GError **error);

/* Has @files (of TfdFile) of @job use what is kept for them. */
void tfd_attached_resolve (TfdAttached *attached, const char *job, GPtrArray *files);

/* Closes what is kept for @job. */
void tfd_attached_forget (TfdAttached *attached, const char *job);

/* The directory of @file, wherever it comes from: what was handed in, or by its path, from @cache
 * (nullable). It must be the one that the file began in. NULL with @failure filled. */
TfdDirectory *tfd_attached_directory (const TfdFile *file, GHashTable *cache, TfdFailure *failure);

G_END_DECLS
