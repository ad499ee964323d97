/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Records: rows of the database as plain structs that own their members. Times that end in _time
 * and those marked epoch are microseconds since the epoch; boot times are microseconds of
 * CLOCK_BOOTTIME within the boot that the row's boot_id names. 0 means "none". */
#pragma once

#include "common/enums.h"
#include "common/error.h"
#include "common/wire.h"

G_BEGIN_DECLS

typedef struct
{
  char *id;
  TfdJobType type;
  TfdJobState state;
  TfdOperation operation;
  GVariant *operation_options; /* (nullable) a{sv}, of the call that began the operation */
  guint32 owner_uid;
  char *owner_name;
  TfdJobProperties *properties;
  gint64 creation_time;
  gint64 modification_time;
  gint64 completion_time;
  TfdFailure failure;
  guint32 error_count;
  guint32 retry_attempt;
  gint64 retry_at;          /* boot time */
  char *boot_id;            /* of every boot time of this row */
  gint64 no_progress_since; /* boot time */
  guint64 active_time;      /* microseconds spent running */
  gint64 last_activity;     /* boot time */
  gboolean resumed;         /* Resume was called at least once */
  guint32 files_total;
  guint32 files_transferred;
  guint64 bytes_total;
  guint64 bytes_transferred;
  gboolean counts;       /* against the limits on jobs */
  gboolean secrets_lost; /* not stored: there were some that could not be unsealed */
  gint64 gone_since;     /* epoch: the owner was first found to be nobody, or another person;
                            negative by a clock that nobody had set */
  char *sandbox;         /* whose program made it, "" = none, see common/sandbox-id.h */
} TfdJobRecord;

/* (transfer full): a record with default properties and no sandbox, and everything else 0 or NULL.
 */
TfdJobRecord *tfd_job_record_new (void);
void tfd_job_record_free (TfdJobRecord *record);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TfdJobRecord, tfd_job_record_free)

#define TFD_MAX_PART 4096 /* bytes of a serialised part record */

typedef struct
{
  guint32 index;
  char *url;
  char *path;        /* (type filename) bytes, perhaps not UTF-8 */
  GVariant *options; /* (nullable) a{sv} */
  TfdFileState state;
  guint64 transferred;
  guint64 total;     /* TFD_SIZE_UNKNOWN when not known */
  guint32 attempt;   /* number in the temporary's name */
  GVariant *part;    /* (nullable) a{sv} of the worker, at most TFD_MAX_PART bytes */
  GBytes *directory; /* (nullable) identity of the destination directory */
  char *target;      /* (nullable) (type filename) final path chosen for keep-both */
  gboolean attached; /* the directory, or what is sent, was handed in as a descriptor */
} TfdFileRecord;

/* (transfer full): a waiting file of unknown size, everything else 0 or NULL. */
TfdFileRecord *tfd_file_record_new (void);
void tfd_file_record_free (TfdFileRecord *record);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TfdFileRecord, tfd_file_record_free)

#define TFD_MAX_TOMBSTONE_FILES 200000 /* rows of each of its lists; the counts stay true */

/* What remains of a job that has ended. */
typedef struct
{
  char *id;
  guint32 owner_uid;
  char *sandbox; /* as that of the job was */
  TfdJobType type;
  TfdResult result;
  char *display_name;
  gint64 ended;     /* epoch */
  char *error_name; /* (nullable) full D-Bus name of the error that the job ended with */
  guint32 kept_count;
  guint32 discarded_count;
  char **undeleted;    /* (nullable) (type filename) temporaries that could not be deleted */
  GVariant *kept;      /* (nullable) a(us); loaded on request only */
  GVariant *discarded; /* (nullable) a(us); loaded on request only */
} TfdTombstone;

/* (transfer full): without a sandbox, everything else 0 or NULL. */
TfdTombstone *tfd_tombstone_new (void);
void tfd_tombstone_free (TfdTombstone *tombstone);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TfdTombstone, tfd_tombstone_free)

/* What remains to be done of a job that has ended. */
typedef enum
{
  TFD_LEFTOVER_FILE,    /* a temporary is to be deleted */
  TFD_LEFTOVER_SESSION, /* a server is to forget what it has of an upload */
} TfdLeftoverKind;

#define TFD_TYPE_LEFTOVER_KIND (tfd_leftover_kind_get_type ())
GType tfd_leftover_kind_get_type (void);

/* What could not be done when its job ended, and is tried again. */
typedef struct
{
  TfdLeftoverKind kind;
  gint64 id; /* given by the store */
  guint32 owner_uid;
  char *owner_name;
  char *job_id;
  guint32 index;
  guint32 attempt;
  char *path;        /* (type filename) final path; the temporary lies beside it; or the source */
  GVariant *part;    /* (nullable) a{sv} */
  GBytes *directory; /* (nullable) */
  gboolean attached; /* as of the file */
  gint64 created;    /* epoch */
  gint64 last_try;   /* epoch */
  /* of sessions */
  char *url;         /* (nullable) where the upload went */
  GVariant *options; /* (nullable) a{sv} that its runs were started with */
  char *boot_id;     /* (nullable) of since */
  gint64 since;      /* boot time from which span counts */
  guint64 span;      /* microseconds after which it is given up */
} TfdLeftover;

TfdLeftover *tfd_leftover_new (void);
void tfd_leftover_free (TfdLeftover *leftover);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TfdLeftover, tfd_leftover_free)

/* A line of a job's event log. */
typedef struct
{
  gint64 time; /* epoch */
  char *kind;
  GVariant *details; /* a{sv} */
} TfdEventRow;

void tfd_event_row_free (TfdEventRow *row);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TfdEventRow, tfd_event_row_free)

G_END_DECLS
