/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Packed: rows of bytes for what there are many of. A GVariant of many small parts costs more to
 * make, to send and to read than what it speaks of; one array of bytes is only copied. Numbers are
 * in the order of this machine, which nothing packed ever leaves. */
#pragma once

#include <glib.h>

#include "common/enums.h"

G_BEGIN_DECLS

void tfd_pack_byte (GByteArray *to, guint8 value);
void tfd_pack_uint32 (GByteArray *to, guint32 value);
void tfd_pack_uint64 (GByteArray *to, guint64 value);
/* None at all when @data is NULL, which is not the same as empty. */
void tfd_pack_bytes (GByteArray *to, gconstpointer data, gsize length);
void tfd_pack_string (GByteArray *to, const char *text);

typedef struct
{
  const guint8 *at, *end;
  gboolean bad; /* it ended too early, or said something that cannot be: nothing of it counts */
} TfdUnpacker;

/* Reads @data, which has to stay. */
void tfd_unpacker_init (TfdUnpacker *from, gconstpointer data, gsize length);

guint8 tfd_unpack_byte (TfdUnpacker *from);
guint32 tfd_unpack_uint32 (TfdUnpacker *from);
guint64 tfd_unpack_uint64 (TfdUnpacker *from);
/* What was packed, in place, not aligned, and its length; NULL when there is none. */
gconstpointer tfd_unpack_bytes (TfdUnpacker *from, gsize *length);
/* The same as a copy that may be NULL. A string is UTF-8, a path anything without a NUL. */
GBytes *tfd_unpack_copy (TfdUnpacker *from);
char *tfd_unpack_string (TfdUnpacker *from);
char *tfd_unpack_path (TfdUnpacker *from);

/* What a row of the files of Start and AddFiles says of itself. */
enum
{
  TFD_PACKED_ATTACHED = 1 << 0,
  TFD_PACKED_SAME_DIRECTORY = 1 << 1, /* as the row before */
  TFD_PACKED_REPLY = 1 << 2,          /* the next row is its reply */
};

/* A file as the requests Verify, Finalize and Discard of org.transferd.Transfer1.Worker name it. */
typedef struct
{
  guint32 index;
  guint32 attempt;
  guint32 mode; /* G_MAXUINT32 = none was asked for */
  TfdFileState state;
  gboolean attached;
  const char *path;   /* (nullable) */
  const char *target; /* (nullable) */
  GBytes *directory;  /* (nullable) */
  GVariant *part;     /* (nullable) a{sv} */
  /* as they were read */
  char *owned_path, *owned_target;
} TfdPackedFile;

void tfd_pack_file (GByteArray *to, const TfdPackedFile *file);

/* FALSE at the end, and when what comes next makes no sense: then @from is bad. */
gboolean tfd_unpack_file (TfdUnpacker *from, TfdPackedFile *file);

/* Of one that was read. */
void tfd_packed_file_clear (TfdPackedFile *file);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (TfdPackedFile, tfd_packed_file_clear)

G_END_DECLS
