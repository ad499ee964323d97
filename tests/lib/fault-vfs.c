/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Fault VFS: a file system for SQLite that fails when the test says so. Its files have no shared
 * memory, so that a database with a write-ahead log opens only when locked exclusively. */
#include "fault-vfs.h"

#include <sqlite3.h>
#include <string.h>

typedef struct
{
  sqlite3_file base;
  sqlite3_file *real; /* in the memory behind this */
} File;

static sqlite3_vfs *real_vfs;
static sqlite3_vfs fault_vfs;

static FaultKind armed;
static guint wait, left, done;

/* TRUE when this operation is to fail. */
static gboolean
fails (FaultKind kinds)
{
  if ((armed & kinds) == 0 || left == 0)
    return FALSE;
  if (wait > 0)
    {
      wait--;
      return FALSE;
    }
  left--;
  done++;
  return TRUE;
}

static sqlite3_file *
real_of (sqlite3_file *file)
{
  return ((File *) file)->real;
}

static int
file_close (sqlite3_file *file)
{
  return real_of (file)->pMethods->xClose (real_of (file));
}

static int
file_read (sqlite3_file *file, void *buffer, int size, sqlite3_int64 offset)
{
  return real_of (file)->pMethods->xRead (real_of (file), buffer, size, offset);
}

static int
file_write (sqlite3_file *file, const void *buffer, int size, sqlite3_int64 offset)
{
  if (fails (FAULT_DISK_FULL | FAULT_WRITE))
    {
      /* half of it arrives, as it does on a disk */
      real_of (file)->pMethods->xWrite (real_of (file), buffer, size / 2, offset);
      return armed == FAULT_DISK_FULL ? SQLITE_FULL : SQLITE_IOERR_WRITE;
    }
  return real_of (file)->pMethods->xWrite (real_of (file), buffer, size, offset);
}

static int
file_truncate (sqlite3_file *file, sqlite3_int64 size)
{
  return real_of (file)->pMethods->xTruncate (real_of (file), size);
}

static int
file_sync (sqlite3_file *file, int flags)
{
  if (fails (FAULT_SYNC))
    return SQLITE_IOERR_FSYNC;
  return real_of (file)->pMethods->xSync (real_of (file), flags);
}

static int
file_size (sqlite3_file *file, sqlite3_int64 *size)
{
  return real_of (file)->pMethods->xFileSize (real_of (file), size);
}

static int
file_lock (sqlite3_file *file, int lock)
{
  return real_of (file)->pMethods->xLock (real_of (file), lock);
}

static int
file_unlock (sqlite3_file *file, int lock)
{
  return real_of (file)->pMethods->xUnlock (real_of (file), lock);
}

static int
file_check_reserved_lock (sqlite3_file *file, int *result)
{
  return real_of (file)->pMethods->xCheckReservedLock (real_of (file), result);
}

static int
file_control (sqlite3_file *file, int operation, void *argument)
{
  return real_of (file)->pMethods->xFileControl (real_of (file), operation, argument);
}

static int
file_sector_size (sqlite3_file *file)
{
  return real_of (file)->pMethods->xSectorSize (real_of (file));
}

static int
file_device_characteristics (sqlite3_file *file)
{
  return real_of (file)->pMethods->xDeviceCharacteristics (real_of (file));
}

static const sqlite3_io_methods methods = {
  .iVersion = 1,
  .xClose = file_close,
  .xRead = file_read,
  .xWrite = file_write,
  .xTruncate = file_truncate,
  .xSync = file_sync,
  .xFileSize = file_size,
  .xLock = file_lock,
  .xUnlock = file_unlock,
  .xCheckReservedLock = file_check_reserved_lock,
  .xFileControl = file_control,
  .xSectorSize = file_sector_size,
  .xDeviceCharacteristics = file_device_characteristics,
};

static int
vfs_open (
    sqlite3_vfs *vfs G_GNUC_UNUSED, const char *name, sqlite3_file *file, int flags, int *out_flags)
{
  File *self = (File *) file;

  self->base.pMethods = NULL;
  self->real = (sqlite3_file *) (self + 1);
  memset (self->real, 0, (gsize) real_vfs->szOsFile);
  int result = real_vfs->xOpen (real_vfs, name, self->real, flags, out_flags);
  if (self->real->pMethods != NULL)
    self->base.pMethods = &methods;
  return result;
}

void
fault_vfs_install (void)
{
  real_vfs = sqlite3_vfs_find (NULL);
  fault_vfs = *real_vfs;
  fault_vfs.zName = "fault";
  fault_vfs.pNext = NULL;
  fault_vfs.szOsFile = (int) sizeof (File) + real_vfs->szOsFile;
  fault_vfs.xOpen = vfs_open;
  g_assert_cmpint (sqlite3_vfs_register (&fault_vfs, 1), ==, SQLITE_OK);
}

void
fault_vfs_arm (FaultKind kind, guint after, guint count)
{
  armed = kind;
  wait = after;
  left = count;
  done = 0;
}

guint
fault_vfs_disarm (void)
{
  armed = 0;
  return done;
}
