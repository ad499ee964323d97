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
#define MAX_TEXT 1024
#define WORDS 10

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

static const guint LOOK_AT = STATX_BASIC_STATS | STATX_BTIME | STATX_MNT_ID | STATX_MNT_ID_UNIQUE;

static gboolean
look (int fd, struct statx *stx)
{
  return statx (fd, "", AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW | AT_STATX_SYNC_AS_STAT, LOOK_AT,
                stx) == 0;
}

static guint64
device_of (const struct statx *stx)
{
  return makedev (stx->stx_dev_major, stx->stx_dev_minor);
}

guint64
tfd_mount_id (int fd)
{
  struct statx stx;

  return look (fd, &stx) ? stx.stx_mnt_id : 0;
}

/* Of @name below @fd, or of @fd itself if that is empty. */
static void
take_handle (int fd, const char *name, Identity *identity)
{
  static const char digits[] = "0123456789abcdef";
  union
  {
    struct file_handle handle;
    char room[sizeof (struct file_handle) + MAX_HANDLE];
  } u;
  int mount_id;
  char *at = identity->handle;

  u.handle.handle_bytes = MAX_HANDLE;
  if (name_to_handle_at (fd, name, &u.handle, &mount_id, *name == '\0' ? AT_EMPTY_PATH : 0) < 0)
    return;

  at += g_snprintf (at, 12, "%x.", (guint) u.handle.handle_type);
  for (guint i = 0; i < u.handle.handle_bytes && i < MAX_HANDLE; i++)
    {
      *at++ = digits[u.handle.f_handle[i] >> 4];
      *at++ = digits[u.handle.f_handle[i] & 15];
    }
  *at = '\0';
}

/* What @stx has shown of @name below @fd, or of @fd itself, on a file system of the kind @magic. */
static void
take (int fd, const char *name, const struct statx *stx, guint64 magic, Identity *identity)
{
  memset (identity, 0, sizeof *identity);
  identity->kind = S_ISREG (stx->stx_mode) ? 'f' : S_ISDIR (stx->stx_mode) ? 'd' : '-';
  identity->uid = stx->stx_uid;
  identity->magic = magic;
  identity->device = device_of (stx);
  identity->mount = stx->stx_mnt_id;
  g_strlcpy (identity->boot, tfd_boot_id (), sizeof identity->boot);

  /* A directory of an overlay is another inode once something was created in it. */
  if (magic == MAGIC_OVERLAY && identity->kind == 'd')
    return;

  /* FAT has no inodes: the numbers are made up anew whenever the file is looked up. */
  if (magic != MAGIC_FAT && magic != MAGIC_EXFAT)
    {
      identity->inode = stx->stx_ino;
      take_handle (fd, name, identity);
    }
  if (stx->stx_mask & STATX_BTIME)
    {
      identity->birth = stx->stx_btime.tv_sec;
      identity->birth_nsec = stx->stx_btime.tv_nsec;
    }
}

static gboolean
take_fd (int fd, struct statx *stx, Identity *identity)
{
  struct statfs fs;

  if (!look (fd, stx) || fstatfs (fd, &fs) < 0)
    return FALSE;

  take (fd, "", stx, (guint64) fs.f_type & 0xffffffff, identity);
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

/* Cuts @text at each space. */
static gboolean
split (char *text, char *words[WORDS])
{
  for (guint i = 0; i < WORDS; i++)
    {
      char *space = strchr (text, ' ');

      words[i] = text;
      if ((space == NULL) != (i == WORDS - 1))
        return FALSE;
      if (space != NULL)
        {
          *space = '\0';
          text = space + 1;
        }
    }
  return TRUE;
}

static gboolean
decode (GBytes *bytes, Identity *identity)
{
  gsize length = 0;
  const char *data = bytes != NULL ? g_bytes_get_data (bytes, &length) : NULL;
  char text[MAX_TEXT + 1];
  char *words[WORDS];
  char *dot;

  if (data == NULL || length > MAX_TEXT)
    return FALSE;

  memcpy (text, data, length);
  text[length] = '\0';
  if (!split (text, words) || !g_str_equal (words[0], "1") || strlen (words[1]) != 1 ||
      (dot = strchr (words[5], '.')) == NULL)
    return FALSE;

  identity->kind = words[1][0];
  identity->uid = (guint32) g_ascii_strtoull (words[2], NULL, 10);
  identity->magic = g_ascii_strtoull (words[3], NULL, 16);
  identity->inode = g_ascii_strtoull (words[4], NULL, 10);
  identity->birth = g_ascii_strtoll (words[5], NULL, 10);
  identity->birth_nsec = (guint32) g_ascii_strtoull (dot + 1, NULL, 10);
  g_strlcpy (identity->handle, g_str_equal (words[6], "-") ? "" : words[6],
             sizeof identity->handle);
  identity->device = g_ascii_strtoull (words[7], NULL, 16);
  identity->mount = g_ascii_strtoull (words[8], NULL, 10);
  g_strlcpy (identity->boot, words[9], sizeof identity->boot);

  return TRUE;
}

GBytes *
tfd_identity_of_fd (int fd)
{
  struct statx stx;
  Identity identity;

  return take_fd (fd, &stx, &identity) ? encode (&identity) : NULL;
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

static gboolean
is_same (const Identity *a, const Identity *b)
{
  if (a->kind != b->kind || a->kind == '-' || a->magic != b->magic)
    return FALSE;
  /* A directory may be given away; a part file never is. */
  if (a->kind == 'f' && a->uid != b->uid)
    return FALSE;
  if (a->inode != 0 && b->inode != 0 && a->inode != b->inode)
    return FALSE;
  if (a->handle[0] && b->handle[0] && !g_str_equal (a->handle, b->handle))
    return FALSE;
  if (has_birth (a) && has_birth (b) && (a->birth != b->birth || a->birth_nsec != b->birth_nsec))
    return FALSE;
  if (g_str_equal (a->boot, b->boot) && a->mount == b->mount && a->device != b->device)
    return FALSE;

  return TRUE;
}

gboolean
tfd_identity_same (GBytes *recorded, GBytes *present)
{
  Identity a, b;

  return decode (recorded, &a) && decode (present, &b) && is_same (&a, &b);
}

gboolean
tfd_file_system_of_fd (int fd, TfdFileSystem *file_system)
{
  struct statx stx;
  struct statfs fs;

  if (!look (fd, &stx) || fstatfs (fd, &fs) < 0)
    return FALSE;
  *file_system = (TfdFileSystem){ .device = device_of (&stx),
                                  .mount = stx.stx_mnt_id,
                                  .magic = (guint64) fs.f_type & 0xffffffff,
                                  .births = (stx.stx_mask & STATX_BTIME) != 0 };
  return TRUE;
}

/* Something may be mounted over the name, or the file system be one of several. */
static gboolean
is_on (const TfdFileSystem *file_system, const struct statx *stx)
{
  return (stx->stx_mask & (STATX_MNT_ID | STATX_MNT_ID_UNIQUE)) != 0 && stx->stx_mnt_id != 0 &&
         stx->stx_mnt_id == file_system->mount && device_of (stx) == file_system->device;
}

static int
take_opened (int dirfd, const char *name, struct statx *stx, Identity *identity)
{
  int fd = openat (dirfd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
  int error_number = fd < 0 || !take_fd (fd, stx, identity) ? errno : 0;

  if (fd >= 0)
    close (fd);
  return error_number;
}

int
tfd_identity_look (int dirfd,
                   const TfdFileSystem *file_system,
                   const char *name,
                   GBytes *recorded,
                   TfdSight *sight)
{
  Identity known, present;
  struct statx stx;

  if (statx (dirfd, name, AT_SYMLINK_NOFOLLOW | AT_STATX_SYNC_AS_STAT, LOOK_AT, &stx) < 0)
    return errno;

  /* Between the two looks at the name it may come to mean another file; but both have to show what
   * was recorded, and whatever else is told comes from the first. */
  if (!S_ISREG (stx.stx_mode))
    present.kind = '-';
  else if (is_on (file_system, &stx))
    take (dirfd, name, &stx, file_system->magic, &present);
  else
    {
      int error_number = take_opened (dirfd, name, &stx, &present);

      if (error_number != 0)
        return error_number;
    }

  *sight = (TfdSight){
    .same = present.kind == 'f' && decode (recorded, &known) && is_same (&known, &present),
    .links = stx.stx_nlink,
    .mode = stx.stx_mode,
    .size = stx.stx_size,
    .mtime = { stx.stx_mtime.tv_sec, stx.stx_mtime.tv_nsec },
  };
  return 0;
}

GBytes *
tfd_identity_of_new (int fd, const TfdFileSystem *file_system, guint64 *mount)
{
  struct statx stx;
  Identity identity;

  if (!look (fd, &stx))
    return NULL;
  if (is_on (file_system, &stx))
    take (fd, "", &stx, file_system->magic, &identity);
  else if (!take_fd (fd, &stx, &identity))
    return NULL;
  *mount = stx.stx_mnt_id;

  return encode (&identity);
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
