/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Stamp: a file that says, to those who do not read databases, that work waits. */
#include "config.h"

#include "store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <unistd.h>

/* Is it there after a power cut, too? */
static gboolean
sync_directory (const char *path)
{
  int fd = open (path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  gboolean synced = fd >= 0 && fsync (fd) == 0;

  if (fd >= 0)
    close (fd);
  return synced;
}

gboolean
tfd_store_set_stamp (const char *state_dir, gboolean waits, GError **error)
{
  g_autofree char *path = g_build_filename (state_dir, TFD_STORE_STAMP_FILE, NULL);
  int fd;

  if (!waits)
    {
      if (g_unlink (path) == 0 || errno == ENOENT)
        return TRUE;
    }
  else
    {
      fd = open (path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
      if (fd >= 0 && close (fd) == 0 && sync_directory (state_dir))
        return TRUE;
    }
  g_set_error (error, TFD_ERROR, TFD_ERROR_STORAGE_FAILED, "%s ‘%s’: %s",
               waits ? "writing" : "deleting", path, g_strerror (errno));
  return FALSE;
}
