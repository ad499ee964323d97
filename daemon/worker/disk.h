/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Disk: turns of threads that write many small files and of those that sync them. A syncfs () waits
 * for what begins after it, too: while others go on writing it takes ten times as long as without,
 * and so does the next commit of the daemon on that disk. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Waits until nobody syncs the file system with the number @device, or waits for that; but not
 * longer than 50 ms for a sync that has begun. */
void tfd_disk_begin_writing (guint64 device);
void tfd_disk_end_writing (guint64 device);

/* Waits until those that write there have done a file. */
void tfd_disk_begin_sync (guint64 device);
void tfd_disk_end_sync (guint64 device);

G_END_DECLS
