/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Job: the model of one job as the bus and the engine see it: its row, its files, its run. */
#pragma once

#include "base/clock.h"
#include "engine/plan.h"
#include "engine/transport.h"
#include "store/store.h"

G_BEGIN_DECLS

typedef struct _TfdJob TfdJob;

/* Groups of properties that change together: the mask of the signal "job-changed". */
typedef enum
{
  TFD_CHANGED_STATE = 1 << 0,      /* State, Operation, StatusText */
  TFD_CHANGED_PROGRESS = 1 << 1,   /* Bytes*, Files* */
  TFD_CHANGED_ERROR = 1 << 2,      /* Error, ErrorCount, NextRetryTime */
  TFD_CHANGED_PROPERTIES = 1 << 3, /* the writable ones */
  TFD_CHANGED_TIMES = 1 << 4,      /* ModificationTime, TransferCompletionTime */
  TFD_CHANGED_REPLY = 1 << 5,      /* ReplyBytes* */
  TFD_CHANGED_OWNER = 1 << 6,      /* OwnerUID, OwnerName: and who may hear of it */
} TfdChanged;

/* One condition that keeps a job from running. Times in microseconds since the epoch, 0 = unknown.
 */
typedef struct
{
  char *code;
  char *text;
  gint64 since;
  gint64 next_check;
} TfdCondition;

void tfd_condition_free (TfdCondition *condition);

TfdJob *tfd_job_ref (TfdJob *job);
void tfd_job_unref (TfdJob *job);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TfdJob, tfd_job_unref)

const char *tfd_job_id (const TfdJob *job);
guint32 tfd_job_uid (const TfdJob *job);
TfdOwner tfd_job_owner (const TfdJob *job);

/* The row: state, properties, times, counters. Valid until the main loop runs again. */
const TfdJobRecord *tfd_job_record (const TfdJob *job);

/* Its files when they are in memory (element-type TfdFileRecord), or NULL. (transfer none) */
GPtrArray *tfd_job_peek_files (TfdJob *job);

/* The owner has said that what has arrived of @file is valid. */
gboolean tfd_file_is_validated (const TfdFileRecord *file);

/* How long it may be active: its own MaximumDownloadTime, or that of the configuration as it is
 * now. */
guint64 tfd_job_maximum_download_time (const TfdJob *job);

/* Bytes a second while the job runs, 0 otherwise. */
guint64 tfd_job_rate (const TfdJob *job);

/* When a job in transient-error is tried again, microseconds since the epoch; 0 = no time is set.
 */
gint64 tfd_job_next_retry (const TfdJob *job, TfdClock *clock);

/* What keeps the job from running now (element-type TfdCondition), empty when it runs or is over.
 */
GPtrArray *tfd_job_explain (const TfdJob *job, TfdClock *clock);

/* The first of these in words, or what the job does: property StatusText. */
char *tfd_job_status_text (const TfdJob *job, TfdClock *clock);

G_END_DECLS
