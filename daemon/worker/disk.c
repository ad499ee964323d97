/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Disk: turns of threads that write and of those that sync. */
#include "config.h"
#include "worker/disk.h"

/* Who writes does so for all disks, and cannot stand still for a slow one. */
#define WAIT_USEC (50 * 1000)

typedef struct
{
  guint64 device;
  guint writing; /* threads */
  guint syncing; /* threads that do or want to */
  gint64 since;  /* that one does (0: none has begun) */
} Disk;

static GMutex mutex;
static GCond changed;
static GHashTable *disks; /* (owned) (element-type guint64 Disk) those of which a thread has or
                             wants a turn */

/* With the mutex held, as all that follow. */
static Disk *
get (guint64 device)
{
  Disk *disk;

  if (disks == NULL)
    disks = g_hash_table_new_full (g_int64_hash, g_int64_equal, NULL, g_free);
  disk = g_hash_table_lookup (disks, &device);
  if (disk == NULL)
    {
      disk = g_new0 (Disk, 1);
      disk->device = device;
      g_hash_table_insert (disks, &disk->device, disk);
    }

  return disk;
}

static void
tell (Disk *disk)
{
  g_cond_broadcast (&changed);
  if (disk->writing == 0 && disk->syncing == 0)
    g_hash_table_remove (disks, &disk->device);
}

static gboolean
may_write (const Disk *disk)
{
  return disk->syncing == 0 ||
         (disk->since != 0 && g_get_monotonic_time () >= disk->since + WAIT_USEC);
}

/* For a change, or the end of the patience with a sync that began at @since. */
static void
wait_for (gint64 since)
{
  if (since != 0)
    g_cond_wait_until (&changed, &mutex, since + WAIT_USEC);
  else
    g_cond_wait (&changed, &mutex);
}

void
tfd_disk_begin_writing (guint64 device)
{
  g_mutex_lock (&mutex);
  while (!may_write (get (device)))
    wait_for (get (device)->since);
  get (device)->writing++;
  g_mutex_unlock (&mutex);
}

void
tfd_disk_end_writing (guint64 device)
{
  Disk *disk;

  g_mutex_lock (&mutex);
  disk = get (device);
  disk->writing--;
  tell (disk);
  g_mutex_unlock (&mutex);
}

void
tfd_disk_begin_sync (guint64 device)
{
  Disk *disk;

  g_mutex_lock (&mutex);
  disk = get (device);
  disk->syncing++;
  while (disk->writing > 0)
    g_cond_wait (&changed, &mutex);
  disk->since = g_get_monotonic_time ();
  g_cond_broadcast (&changed); /* they know how long to wait now */
  g_mutex_unlock (&mutex);
}

void
tfd_disk_end_sync (guint64 device)
{
  Disk *disk;

  g_mutex_lock (&mutex);
  disk = get (device);
  disk->syncing--;
  if (disk->syncing == 0)
    disk->since = 0;
  tell (disk);
  g_mutex_unlock (&mutex);
}
