/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Fault VFS: a file system for SQLite that fails when the test says so. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef enum
{
  FAULT_DISK_FULL = 1 << 0, /* writes fail with SQLITE_FULL */
  FAULT_WRITE = 1 << 1,     /* writes fail with SQLITE_IOERR_WRITE */
  FAULT_SYNC = 1 << 2,      /* syncs fail with SQLITE_IOERR_FSYNC */
} FaultKind;

/* Makes it the default of this process, over the real file system. */
void fault_vfs_install (void);

/* After @after more operations that @kind speaks of, the next @count of them fail. */
void fault_vfs_arm (FaultKind kind, guint after, guint count);

/* Ends the faults; returns how many there were. */
guint fault_vfs_disarm (void);

G_END_DECLS
