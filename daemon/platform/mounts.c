/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Mounts: tells when a file system came or went. */
#include "config.h"

#include "platform/mounts.h"

#include <fcntl.h>
#include <glib-unix.h>
#include <unistd.h>

/* Mounts come in groups. */
#define SETTLE_MS 500

struct _TfdMounts
{
  TfdMountsFunc func;
  gpointer data;
  int fd;
  guint watch, settle;
};

static gboolean
settled_cb (gpointer user_data)
{
  TfdMounts *mounts = user_data;

  mounts->settle = 0;
  mounts->func (mounts->data);
  return G_SOURCE_REMOVE;
}

static gboolean
changed_cb (int fd, GIOCondition condition G_GNUC_UNUSED, gpointer user_data)
{
  TfdMounts *mounts = user_data;
  char buffer[4096];

  /* reading re-arms the notification; what it says does not matter */
  if (lseek (fd, 0, SEEK_SET) == 0)
    while (read (fd, buffer, sizeof buffer) > 0)
      continue;
  if (mounts->settle == 0)
    mounts->settle = g_timeout_add (SETTLE_MS, settled_cb, mounts);
  return G_SOURCE_CONTINUE;
}

TfdMounts *
tfd_mounts_watch (TfdMountsFunc func, gpointer data)
{
  int fd = open ("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);
  TfdMounts *mounts;

  if (fd < 0)
    return NULL;
  mounts = g_new0 (TfdMounts, 1);
  *mounts = (TfdMounts){ .func = func, .data = data, .fd = fd };
  mounts->watch = g_unix_fd_add (fd, G_IO_PRI | G_IO_ERR, changed_cb, mounts);
  return mounts;
}

void
tfd_mounts_free (TfdMounts *mounts)
{
  g_clear_handle_id (&mounts->watch, g_source_remove);
  g_clear_handle_id (&mounts->settle, g_source_remove);
  close (mounts->fd);
  g_free (mounts);
}
