/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Sync: puts finished files on the disk, data and directory entry, in groups: one call for the
 * whole file system costs less than one for each of many small files. */
#pragma once

#include "worker/partial.h"
#include "worker/pool.h"

G_BEGIN_DECLS

typedef struct _TfdSync TfdSync;

/* @owner's part is on the disk (@error_number 0) or cannot be put there. */
typedef void (*TfdSyncDone) (gpointer owner, int error_number, gpointer user_data);

TfdSync *tfd_sync_new (TfdPool *pool, TfdSyncDone done, gpointer user_data);
void tfd_sync_free (TfdSync *sync);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TfdSync, tfd_sync_free)

/* Adds a finished part to the group that is forming; it is closed when it is on the disk. */
void tfd_sync_add (TfdSync *sync, TfdPart *part, gpointer owner);

/* Does not wait for groups to grow. */
void tfd_sync_flush (TfdSync *sync);

/* Has a thread tell the kernel to begin with what has come to @part, when it is worth while: the
 * disk has something to do while more comes in. Nothing is known to be there by that. */
void tfd_sync_begin (TfdPool *pool, TfdPart *part);

/* One part alone, at once: its data, and with @entry its directory entry. Blocks; 0 or an errno. */
int tfd_sync_part (TfdPart *part, gboolean entry);

/* All of @parts (of TfdPart), to which no more is written. Blocks; fills @errors, one for each. */
void tfd_sync_parts (GPtrArray *parts, int *errors);

G_END_DECLS
