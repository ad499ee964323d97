/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Identity: how a file or directory is recognised later, perhaps after a reboot. */
#include "config.h"
#include "worker/identity.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

/* Linux 6.8; mount ids before it are given out again after an unmount. */
#ifndef STATX_MNT_ID_UNIQUE
#define STATX_MNT_ID_UNIQUE 0x4000U
#endif

#define MAGIC_OVERLAY 0x794c7630
#define MAGIC_FAT 0x4d44
#define MAGIC_EXFAT 0x2011bab0

#define MAX_HANDLE 128

typedef struct
{
  char kind; /* 'f' or 'd', '-' for anything else */
  guint32 uid;
  guint64 magic; /* of the file system */
  guint64 inode; /* 0 = not stable on this file system */
  gint64 birth;  /* seconds and nanoseconds; both 0 = unknown */
  guint32 birth_nsec;
  char handle[2 * MAX_HANDLE + 16]; /* "" = none */
  guint64 device;                   /* these three only mean something together */
  guint64 mount;
  char boot[40];
} Identity;

const char *
tfd_boot_id (void)
{
  static gsize once = 0;
  static char id[40];

  if (g_once_init_enter (&once))
    {
      g_autofree char *text = NULL;

      if (g_file_get_contents ("/proc/sys/kernel/random/boot_id", &text, NULL, NULL))
        g_strlcpy (id, g_strstrip (text), sizeof id);
      g_once_init_leave (&once, 1);
    }

  return id;
}

static gboolean
look (int fd, struct statx *stx)
{
  return statx (fd, "", AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW | AT_STATX_SYNC_AS_STAT,
                STATX_BASIC_STATS | STATX_BTIME | STATX_MNT_ID | STATX_MNT_ID_UNIQUE, stx) == 0;
}

guint64
tfd_mount_id (int fd)
{
  struct statx stx;

  return look (fd, &stx) ? stx.stx_mnt_id : 0;
}

static void
take_handle (int fd, Identity *identity)
{
  union
  {
    struct file_handle handle;
    char room[sizeof (struct file_handle) + MAX_HANDLE];
  } u;
  int mount_id;
  char *at = identity->handle;

  u.handle.handle_bytes = MAX_HANDLE;
  if (name_to_handle_at (fd, "", &u.handle, &mount_id, AT_EMPTY_PATH) < 0)
    return;

  at += g_snprintf (at, 12, "%x.", (guint) u.handle.handle_type);
  for (guint i = 0; i < u.handle.handle_bytes && i < MAX_HANDLE; i++)
    at += g_snprintf (at, 3, "%02x", u.handle.f_handle[i]);
}

static gboolean
take (int fd, Identity *identity)
{
  struct statx stx;
  struct statfs fs;
  gboolean unstable;

  if (!look (fd, &stx) || fstatfs (fd, &fs) < 0)
    return FALSE;

  memset (identity, 0, sizeof *identity);
  identity->kind = S_ISREG (stx.stx_mode) ? 'f' : S_ISDIR (stx.stx_mode) ? 'd' : '-';
  identity->uid = stx.stx_uid;
  identity->magic = (guint64) fs.f_type & 0xffffffff;
  identity->device = makedev (stx.stx_dev_major, stx.stx_dev_minor);
  identity->mount = stx.stx_mnt_id;
  g_strlcpy (identity->boot, tfd_boot_id (), sizeof identity->boot);

  /* A directory of an overlay is another inode once something was created in it. */
  if (identity->magic == MAGIC_OVERLAY && identity->kind == 'd')
    return TRUE;

  /* FAT has no inodes: the numbers are made up anew whenever the file is looked up. */
  unstable = identity->magic == MAGIC_FAT || identity->magic == MAGIC_EXFAT;
  if (!unstable)
    {
      identity->inode = stx.stx_ino;
      take_handle (fd, identity);
    }
  if (stx.stx_mask & STATX_BTIME)
    {
      identity->birth = stx.stx_btime.tv_sec;
      identity->birth_nsec = stx.stx_btime.tv_nsec;
    }

  return TRUE;
}

static GBytes *
encode (const Identity *identity)
{
  char *text = g_strdup_printf (
      "1 %c %u %" G_GINT64_MODIFIER "x %" G_GUINT64_FORMAT " %" G_GINT64_FORMAT
      ".%u %s %" G_GINT64_MODIFIER "x %" G_GUINT64_FORMAT " %s",
      identity->kind, identity->uid, identity->magic, identity->inode, identity->birth,
      identity->birth_nsec, identity->handle[0] ? identity->handle : "-", identity->device,
      identity->mount, identity->boot[0] ? identity->boot : "-");

  return g_bytes_new_take (text, strlen (text));
}

static gboolean
decode (GBytes *bytes, Identity *identity)
{
  gsize length = 0;
  const char *data = bytes != NULL ? g_bytes_get_data (bytes, &length) : NULL;
  g_autofree char *text = NULL;
  g_auto (GStrv) words = NULL;
  char *dot;

  if (data == NULL || length > 1024)
    return FALSE;

  text = g_strndup (data, length);
  words = g_strsplit (text, " ", -1);
  if (g_strv_length (words) != 10 || !g_str_equal (words[0], "1") || strlen (words[1]) != 1 ||
      (dot = strchr (words[5], '.')) == NULL)
    return FALSE;

  memset (identity, 0, sizeof *identity);
  identity->kind = words[1][0];
  identity->uid = (guint32) g_ascii_strtoull (words[2], NULL, 10);
  identity->magic = g_ascii_strtoull (words[3], NULL, 16);
  identity->inode = g_ascii_strtoull (words[4], NULL, 10);
  identity->birth = g_ascii_strtoll (words[5], NULL, 10);
  identity->birth_nsec = (guint32) g_ascii_strtoull (dot + 1, NULL, 10);
  if (!g_str_equal (words[6], "-"))
    g_strlcpy (identity->handle, words[6], sizeof identity->handle);
  identity->device = g_ascii_strtoull (words[7], NULL, 16);
  identity->mount = g_ascii_strtoull (words[8], NULL, 10);
  g_strlcpy (identity->boot, words[9], sizeof identity->boot);

  return TRUE;
}

GBytes *
tfd_identity_of_fd (int fd)
{
  Identity identity;

  return take (fd, &identity) ? encode (&identity) : NULL;
}

GBytes *
tfd_identity_at (int dirfd, const char *name)
{
  int fd = openat (dirfd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
  GBytes *identity;
  int saved;

  if (fd < 0)
    return NULL;

  identity = tfd_identity_of_fd (fd);
  saved = errno;
  close (fd);
  errno = saved;

  return identity;
}

static gboolean
has_birth (const Identity *identity)
{
  return identity->birth != 0 || identity->birth_nsec != 0;
}

gboolean
tfd_identity_same (GBytes *recorded, GBytes *present)
{
  Identity a, b;

  if (!decode (recorded, &a) || !decode (present, &b))
    return FALSE;
  if (a.kind != b.kind || a.kind == '-' || a.magic != b.magic)
    return FALSE;
  /* A directory may be given away; a part file never is. */
  if (a.kind == 'f' && a.uid != b.uid)
    return FALSE;
  if (a.inode != 0 && b.inode != 0 && a.inode != b.inode)
    return FALSE;
  if (a.handle[0] && b.handle[0] && !g_str_equal (a.handle, b.handle))
    return FALSE;
  if (has_birth (&a) && has_birth (&b) && (a.birth != b.birth || a.birth_nsec != b.birth_nsec))
    return FALSE;
  if (g_str_equal (a.boot, b.boot) && a.mount == b.mount && a.device != b.device)
    return FALSE;

  return TRUE;
}

char *
tfd_identity_key (GBytes *identity)
{
  Identity i;

  if (!decode (identity, &i))
    return NULL;

  return g_strdup_printf ("%c %u %" G_GINT64_MODIFIER "x %" G_GUINT64_FORMAT " %" G_GINT64_FORMAT
                          ".%u %s",
                          i.kind, i.uid, i.magic, i.inode, i.birth, i.birth_nsec, i.handle);
}
