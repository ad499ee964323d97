/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Record: what is remembered of a temporary file between runs, stored by transferd for us. Pure. */
#pragma once

#include <glib.h>
#include <time.h>

G_BEGIN_DECLS

#define TFD_NO_TIME G_MININT64

typedef struct
{
  GBytes *identity;    /* (owned) (nullable) of the temporary */
  GBytes *directory;   /* (owned) (nullable) of the directory it lies in */
  guint64 checkpoint;  /* so many bytes are known to be on the disk */
  char *boot;          /* (owned) (nullable) boot and mount in which bytes were last written: */
  guint64 mount;       /* within them, the length of the file counts */
  gboolean sequential; /* filled from the start without holes */
  char *etag;          /* (owned) (nullable) of the answer that the bytes come from */
  char *last_modified; /* (owned) (nullable) */
  char *validator;     /* (owned) (nullable) fit for If-Range */
  gint64 mtime;        /* microseconds, TFD_NO_TIME = not known */
  guint64 size;        /* TFD_SIZE_UNKNOWN */
} TfdRecord;

TfdRecord *tfd_record_new (void);
void tfd_record_free (TfdRecord *record);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TfdRecord, tfd_record_free)

/* Reads an a{sv}; NULL when it holds no identity. */
TfdRecord *tfd_record_parse (GVariant *dictionary);

/* The record as a{sv} of at most 4096 bytes, floating. */
GVariant *tfd_record_to_variant (const TfdRecord *record);

/* The time that the server told, as a file has it; FALSE when it told none. */
gboolean tfd_record_get_time (const TfdRecord *record, struct timespec *time);

/* TRUE when a server had answered, so that bytes were there or about to be. */
gboolean tfd_record_has_source (const TfdRecord *record);

/* Forgets where the bytes came from: the file starts anew. */
void tfd_record_forget_source (TfdRecord *record);

/* Replaces *@field by a copy of @value, or NULL when it is NULL or longer than the record may keep.
 */
void tfd_record_take_string (char **field, const char *value);

G_END_DECLS
