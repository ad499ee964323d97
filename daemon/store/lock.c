/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Lock: one daemon per state directory. */
#include "config.h"

#include "store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#define TRY_EVERY (G_USEC_PER_SEC / 20)

static gboolean
fail (GError **error, const char *doing, const char *path)
{
  g_set_error (error, TFD_ERROR, TFD_ERROR_STORAGE_FAILED, "%s ‘%s’: %s", doing, path,
               g_strerror (errno));
  return FALSE;
}

/* Takes the lock at once, or after waiting: blocking is right here, nothing else can be done. */
static gboolean
take (int fd, gint64 wait)
{
  gint64 until = g_get_monotonic_time () + wait;

  while (flock (fd, LOCK_EX | LOCK_NB) != 0)
    {
      if (errno != EWOULDBLOCK && errno != EINTR)
        return FALSE;
      if (g_get_monotonic_time () >= until)
        {
          errno = EWOULDBLOCK;
          return FALSE;
        }
      g_usleep (TRY_EVERY);
    }
  return TRUE;
}

/* Says who has the lock. */
static void
fail_held (int fd, const char *path, GError **error)
{
  char holder[32] = { 0 };
  ssize_t length = pread (fd, holder, sizeof holder - 1, 0);

  if (length > 0 && g_ascii_isdigit (holder[0]))
    g_set_error (error, TFD_ERROR, TFD_ERROR_STORAGE_FAILED,
                 "‘%s’ is held by another transferd, process %s", path, g_strchomp (holder));
  else
    g_set_error (error, TFD_ERROR, TFD_ERROR_STORAGE_FAILED,
                 "‘%s’ is held by another process, which has not written its number", path);
}

static gboolean
write_holder (int fd)
{
  char text[32];
  int length = g_snprintf (text, sizeof text, "%d\n", (int) getpid ());

  return ftruncate (fd, 0) == 0 && pwrite (fd, text, (size_t) length, 0) == length;
}

int
tfd_store_lock (const char *state_dir, gint64 wait, GError **error)
{
  g_autofree char *path = g_build_filename (state_dir, TFD_STORE_LOCK_FILE, NULL);

  if (g_mkdir_with_parents (state_dir, 0700) != 0)
    {
      fail (error, "making directory", state_dir);
      return -1;
    }

  int fd = open (path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0)
    {
      fail (error, "opening", path);
      return -1;
    }

  if (take (fd, wait))
    {
      /* the number is a help for people only: a full disk must not keep the daemon from starting */
      if (!write_holder (fd))
        g_debug ("writing ‘%s’: %s", path, g_strerror (errno));
      return fd;
    }

  if (errno == EWOULDBLOCK)
    fail_held (fd, path, error);
  else
    fail (error, "locking", path);
  close (fd);
  return -1;
}
