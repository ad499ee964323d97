/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Sync: puts finished files on the disk, data and directory entry, in groups. */
#include "config.h"
#include "worker/sync.h"

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

struct _TfdSync
{
  TfdPool *pool; /* (not owned) */
  TfdSyncDone done;
  gpointer user_data;
  GPtrArray *parts;  /* (owned) (element-type TfdPart) the group that is forming */
  GPtrArray *owners; /* (owned) one for each part */
  guint timer;
};

typedef struct
{
  TfdSync *sync;
  GPtrArray *parts;
  GPtrArray *owners;
  int *errors;
} Group;

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

static void
group_work (gpointer data)
{
  Group *group = data;

  tfd_sync_parts (group->parts, group->errors);
  for (guint i = 0; i < group->parts->len; i++)
    tfd_part_close (group->parts->pdata[i]);
}

static void
group_done (gpointer data)
{
  Group *group = data;
  TfdSync *sync = group->sync;

  for (guint i = 0; i < group->owners->len; i++)
    sync->done (group->owners->pdata[i], group->errors[i], sync->user_data);

  g_ptr_array_unref (group->parts);
  g_ptr_array_unref (group->owners);
  g_free (group->errors);
  g_free (group);
}

void
tfd_sync_flush (TfdSync *sync)
{
  Group *group;

  g_clear_handle_id (&sync->timer, g_source_remove);
  if (sync->parts->len == 0)
    return;

  group = g_new0 (Group, 1);
  group->sync = sync;
  group->parts = g_steal_pointer (&sync->parts);
  group->owners = g_steal_pointer (&sync->owners);
  group->errors = g_new0 (int, group->parts->len);
  sync->parts = g_ptr_array_new_with_free_func ((GDestroyNotify) tfd_part_unref);
  sync->owners = g_ptr_array_new ();

  tfd_pool_push (sync->pool, group_work, group_done, group);
}

static gboolean
timer_cb (gpointer user_data)
{
  TfdSync *sync = user_data;

  sync->timer = 0;
  tfd_sync_flush (sync);

  return G_SOURCE_REMOVE;
}

void
tfd_sync_add (TfdSync *sync, TfdPart *part, gpointer owner)
{
  g_ptr_array_add (sync->parts, tfd_part_ref (part));
  g_ptr_array_add (sync->owners, owner);

  if (sync->parts->len >= GROUP_FILES)
    tfd_sync_flush (sync);
  else if (sync->timer == 0)
    sync->timer = g_timeout_add (GROUP_MSEC, timer_cb, sync);
}

TfdSync *
tfd_sync_new (TfdPool *pool, TfdSyncDone done, gpointer user_data)
{
  TfdSync *sync = g_new0 (TfdSync, 1);

  sync->pool = pool;
  sync->done = done;
  sync->user_data = user_data;
  sync->parts = g_ptr_array_new_with_free_func ((GDestroyNotify) tfd_part_unref);
  sync->owners = g_ptr_array_new ();

  return sync;
}

void
tfd_sync_free (TfdSync *sync)
{
  g_clear_handle_id (&sync->timer, g_source_remove);
  g_ptr_array_unref (sync->parts);
  g_ptr_array_unref (sync->owners);
  g_free (sync);
}
