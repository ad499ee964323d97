/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* File: one file as transferd hands it to the worker: (index, dictionary). Pure. */
#pragma once

#include <gio/gio.h>

#include "common/enums.h"
#include "worker/directory.h"
#include "worker/record.h"

G_BEGIN_DECLS

#define TFD_MODE_NONE G_MAXUINT32

/* The index of the reply to an upload. */
#define TFD_REPLY_INDEX 1

typedef struct _TfdFile TfdFile;

struct _TfdFile
{
  guint32 index;
  guint32 attempt;
  char *url;       /* (nullable) */
  char *path;      /* (type filename) final path */
  char *directory; /* (type filename) its directory */
  char *base;      /* (type filename) its last component */
  char *target;    /* (nullable) (type filename) chosen final path, in the same directory */
  TfdFileState state;
  guint64 total;              /* TFD_SIZE_UNKNOWN */
  GVariant *part;             /* (nullable) what was last reported, as it is */
  TfdRecord *record;          /* (nullable) the same of a temporary, read */
  GBytes *directory_identity; /* (nullable) as Probe gave it; of the source as ProbeSources did */
  guint32 mode;               /* TFD_MODE_NONE */
  guint32 umask;              /* TFD_MODE_NONE */
  guint64 size;               /* demanded by the client, TFD_SIZE_UNKNOWN */
  char *digest;               /* (nullable) "sha256:<hex>" */
  gboolean attached;          /* its directory, or what is sent, was handed in as a descriptor */
  GBytes *attached_to;        /* (nullable) of what is sent: identity of that directory */
  TfdDirectory *kept;         /* (nullable) that directory, if it is still open */
  int kept_fd;                /* what is sent, if that was handed in and is still open, or -1 */
  TfdFile *reply;             /* (nullable) the file that takes the server's reply */
};

/* Reads (ua{sv}); InvalidArgs when it makes no sense. */
TfdFile *tfd_file_new (guint32 index, GVariant *dictionary, GError **error);

void tfd_file_free (TfdFile *file);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TfdFile, tfd_file_free)

/* Reads a(ua{sv}), or the rows ay of common/packed.h: elements are TfdFile. */
GPtrArray *tfd_files_new (GVariant *files, GError **error);

/* The same of the rows of Start and AddFiles, which say more of a file. */
GPtrArray *tfd_files_new_to_transfer (GVariant *files, GError **error);

/* The identity that the directory must have: recorded with the temporary, else as probed; NULL when
 * there is none. */
GBytes *tfd_file_expected_directory (const TfdFile *file);

/* The full path of the temporary of @file in @job. */
char *tfd_file_part_path (const TfdFile *file, const char *job);

G_END_DECLS
