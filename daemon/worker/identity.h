/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Identity: how a file or directory is recognised later, perhaps after a reboot. Inode numbers
 * alone are used again at once on many file systems, and device numbers change when a disk is
 * mounted again: what counts is the file handle (inode and generation) and the birth time, as far
 * as the file system has them. Opaque bytes for everybody else. */
#pragma once

#include <glib.h>
#include <sys/types.h>
#include <time.h>

G_BEGIN_DECLS

/* Where the files of a directory are, as long as nothing is mounted over them. */
typedef struct
{
  guint64 device, mount;
  guint64 magic;   /* the kind of file system */
  gboolean births; /* it keeps when files were made */
} TfdFileSystem;

/* The identity of what @fd (may be O_PATH) is; NULL with errno set when it cannot be looked at. */
GBytes *tfd_identity_of_fd (int fd);

/* The same of a file that was just made in a directory on @file_system; *@mount: tfd_mount_id ().
 */
GBytes *tfd_identity_of_new (int fd, const TfdFileSystem *file_system, guint64 *mount);

/* The same for @name below @dirfd, without following a symbolic link. */
GBytes *tfd_identity_at (int dirfd, const char *name);

/* TRUE when @present is the file that @recorded was taken from. Unreadable bytes are never the
 * same. */
gboolean tfd_identity_same (GBytes *recorded, GBytes *present);

gboolean tfd_file_system_of_fd (int fd, TfdFileSystem *file_system);

/* What stands under a name. */
typedef struct
{
  gboolean same; /* the regular file that was recorded; only then the rest means anything */
  guint32 links;
  guint32 mode;
  guint64 size;
  struct timespec mtime;
} TfdSight;

/* Looks at @name in the directory @dirfd, which is on @file_system, without opening it. 0 or an
 * errno. */
int tfd_identity_look (int dirfd,
                       const TfdFileSystem *file_system,
                       const char *name,
                       GBytes *recorded,
                       TfdSight *sight);

/* The lasting part of an identity, for hash tables; NULL when @identity is unreadable. */
char *tfd_identity_key (GBytes *identity);

/* The id of this boot of the kernel ("" when unknown). */
const char *tfd_boot_id (void);

/* The mount that @fd belongs to; never used again within a boot where the kernel can say so. */
guint64 tfd_mount_id (int fd);

G_END_DECLS
