/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Sync: puts finished files on the disk, data and directory entry, in groups. */
#include "config.h"
#include "worker/sync.h"

#include "worker/disk.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define GROUP_FILES 256
#define GROUP_MSEC 250

/* From so many on, one syncfs () is cheaper than fsync () for each. */
#define SYNCFS_FROM 8

/* So much is worth a call in a thread while more comes in. */
#define BEGIN_BYTES (G_GUINT64_CONSTANT (4) << 20)

/* Files of one file system: one group of them is being synced, another is forming. Two syncfs () at
 * a time would wait for each other. */
typedef struct
{
  TfdSync *sync;     /* (not owned) */
  guint64 device;    /* whose they are */
  GPtrArray *parts;  /* (owned) (element-type TfdPart) the group that is forming */
  GPtrArray *owners; /* (owned) one for each part */
  GPtrArray *begun;  /* (owned) (nullable) (element-type TfdPart) what a thread has … */
  GPtrArray *theirs; /* (owned) (nullable) … and its owners … */
  int *errors;       /* (owned) (nullable) … and what has become of it */
  gboolean due;      /* the group that is forming follows at once */
  guint timer;
} Disk;

struct _TfdSync
{
  TfdPool *pool; /* (not owned) */
  TfdSyncDone done;
  gpointer user_data;
  GHashTable *disks; /* (owned) (element-type guint64 Disk), those that have files */
};

typedef struct
{
  TfdPart *part; /* (owned) */
  guint64 offset, count;
} Range;

/* What goes wrong here is told by the sync that follows. */
static void
begin_work (gpointer data)
{
  Range *range = data;

  sync_file_range (range->part->fd, (off_t) range->offset, (off_t) range->count,
                   SYNC_FILE_RANGE_WRITE);
}

static void
begin_done (gpointer data)
{
  Range *range = data;

  tfd_part_unref (range->part);
  g_free (range);
}

void
tfd_sync_begin (TfdPool *pool, TfdPart *part)
{
  Range *range;

  if (part->cache != TFD_CACHE_USED || part->length - part->begun < BEGIN_BYTES)
    return;

  range = g_new (Range, 1);
  *range = (Range){ tfd_part_ref (part), part->begun, part->length - part->begun };
  part->begun = part->length;
  tfd_pool_push (pool, begin_work, begin_done, range);
}

int
tfd_sync_part (TfdPart *part, gboolean entry)
{
  if (fdatasync (part->fd) < 0)
    return errno;

  return entry ? tfd_directory_sync (part->directory, part->fd) : 0;
}

/* One syncfs () for each file system; the first error of one is that of all its files. */
static void
sync_file_systems (GPtrArray *parts, int *errors)
{
  g_autoptr (GHashTable) done = g_hash_table_new (g_direct_hash, g_direct_equal);

  for (guint i = 0; i < parts->len; i++)
    {
      TfdPart *part = parts->pdata[i];
      struct stat st;
      gpointer known;

      if (fstat (part->fd, &st) < 0)
        {
          errors[i] = errno;
          continue;
        }
      if (!g_hash_table_lookup_extended (done, GSIZE_TO_POINTER (st.st_dev), NULL, &known))
        {
          known = GINT_TO_POINTER (syncfs (part->fd) < 0 ? errno : 0);
          g_hash_table_insert (done, GSIZE_TO_POINTER (st.st_dev), known);
        }
      errors[i] = GPOINTER_TO_INT (known);
    }
}

void
tfd_sync_parts (GPtrArray *parts, int *errors)
{
  g_autoptr (GHashTable) directories = g_hash_table_new (g_direct_hash, g_direct_equal);

  for (guint i = 0; i < parts->len; i++)
    tfd_part_date (parts->pdata[i]);
  if (parts->len >= SYNCFS_FROM)
    sync_file_systems (parts, errors);
  else
    for (guint i = 0; i < parts->len; i++)
      errors[i] = fsync (((TfdPart *) parts->pdata[i])->fd) < 0 ? errno : 0;

  for (guint i = 0; i < parts->len; i++)
    {
      TfdPart *part = parts->pdata[i];
      gpointer known;

      if (!g_hash_table_lookup_extended (directories, part->directory, NULL, &known))
        {
          known = GINT_TO_POINTER (tfd_directory_sync (part->directory, part->fd));
          g_hash_table_insert (directories, part->directory, known);
        }
      if (errors[i] == 0)
        errors[i] = GPOINTER_TO_INT (known);
    }
}

static void begin (Disk *disk);

static void
disk_free (Disk *disk)
{
  g_clear_handle_id (&disk->timer, g_source_remove);
  g_ptr_array_unref (disk->parts);
  g_ptr_array_unref (disk->owners);
  g_free (disk);
}

static Disk *
disk_new (TfdSync *sync, guint64 device)
{
  Disk *disk = g_new0 (Disk, 1);

  disk->sync = sync;
  disk->device = device;
  disk->parts = g_ptr_array_new_with_free_func ((GDestroyNotify) tfd_part_unref);
  disk->owners = g_ptr_array_new ();

  return disk;
}

static void
group_work (gpointer data)
{
  Disk *disk = data;

  tfd_disk_begin_sync (disk->device);
  tfd_sync_parts (disk->begun, disk->errors);
  tfd_disk_end_sync (disk->device);
  for (guint i = 0; i < disk->begun->len; i++)
    tfd_part_close (disk->begun->pdata[i]);
}

static void
group_done (gpointer data)
{
  Disk *disk = data;
  TfdSync *sync = disk->sync;
  g_autoptr (GPtrArray) parts = g_steal_pointer (&disk->begun);
  g_autoptr (GPtrArray) owners = g_steal_pointer (&disk->theirs);
  g_autofree int *errors = g_steal_pointer (&disk->errors);

  if (disk->parts->len == 0)
    g_hash_table_remove (sync->disks, &disk->device);
  else if (disk->due || disk->parts->len >= GROUP_FILES)
    begin (disk);

  for (guint i = 0; i < owners->len; i++)
    sync->done (owners->pdata[i], errors[i], sync->user_data);
}

static void
begin (Disk *disk)
{
  g_clear_handle_id (&disk->timer, g_source_remove);
  disk->due = disk->begun != NULL;
  if (disk->due || disk->parts->len == 0)
    return;

  disk->begun = g_steal_pointer (&disk->parts);
  disk->theirs = g_steal_pointer (&disk->owners);
  disk->errors = g_new0 (int, disk->begun->len);
  disk->parts = g_ptr_array_new_with_free_func ((GDestroyNotify) tfd_part_unref);
  disk->owners = g_ptr_array_new ();

  tfd_pool_push (disk->sync->pool, group_work, group_done, disk);
}

void
tfd_sync_flush (TfdSync *sync)
{
  GHashTableIter iter;
  gpointer disk;

  g_hash_table_iter_init (&iter, sync->disks);
  while (g_hash_table_iter_next (&iter, NULL, &disk))
    begin (disk);
}

static gboolean
timer_cb (gpointer user_data)
{
  Disk *disk = user_data;

  disk->timer = 0;
  begin (disk);

  return G_SOURCE_REMOVE;
}

void
tfd_sync_add (TfdSync *sync, TfdPart *part, gpointer owner)
{
  guint64 device = part->directory->file_system.device;
  Disk *disk = g_hash_table_lookup (sync->disks, &device);

  if (disk == NULL)
    {
      disk = disk_new (sync, device);
      g_hash_table_insert (sync->disks, &disk->device, disk);
    }
  g_ptr_array_add (disk->parts, tfd_part_ref (part));
  g_ptr_array_add (disk->owners, owner);

  if (disk->parts->len >= GROUP_FILES && disk->begun == NULL)
    begin (disk);
  else if (disk->timer == 0 && !disk->due)
    disk->timer = g_timeout_add (GROUP_MSEC, timer_cb, disk);
}

TfdSync *
tfd_sync_new (TfdPool *pool, TfdSyncDone done, gpointer user_data)
{
  TfdSync *sync = g_new0 (TfdSync, 1);

  sync->pool = pool;
  sync->done = done;
  sync->user_data = user_data;
  sync->disks =
      g_hash_table_new_full (g_int64_hash, g_int64_equal, NULL, (GDestroyNotify) disk_free);

  return sync;
}

void
tfd_sync_free (TfdSync *sync)
{
  g_hash_table_unref (sync->disks);
  g_free (sync);
}
