/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Directory: an opened destination directory, so that everything that is done to a file happens in
 * the very directory that was looked at. */
#pragma once

#include <gio/gio.h>

#include "common/error.h"
#include "worker/identity.h"

G_BEGIN_DECLS

typedef struct
{
  gatomicrefcount references; /* threads may hold one */
  char *path;
  int fd;
  gboolean path_only; /* may be searched but not read: cannot be synced by itself */
  GBytes *identity;
  TfdFileSystem file_system;
  int coming;    /* atomic: so many bytes are kept in memory that will be written here */
  gint64 looked; /* when its path was last seen to lead to it: for its cache */
} TfdDirectory;

/* Opens @path, which must be the directory that @expected (nullable) was taken from, else
 * DestinationUnavailable: what is not mounted is not gone. NULL with @failure filled. */
TfdDirectory *tfd_directory_open (const char *path, GBytes *expected, TfdFailure *failure);

TfdDirectory *tfd_directory_ref (TfdDirectory *directory);
void tfd_directory_unref (TfdDirectory *directory);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TfdDirectory, tfd_directory_unref)

/* Opens @path, in which nothing may be a symbolic link. -1 with errno set. */
int tfd_open_plainly (const char *path, int flags);

/* Puts the entries of @directory on the disk; @member_fd is some file in it (or -1). Blocks.
 * Returns 0 or an errno. */
int tfd_directory_sync (TfdDirectory *directory, int member_fd);

/* One result of Probe: a floating (ayss). Blocks. */
GVariant *tfd_directory_probe (const char *path);

/* Opens the directory that @expected was taken from by the path @path that it had, without a
 * symbolic link in it: for a directory that was handed in as a descriptor, by somebody who may not
 * have the right to name another. Whatever is not as it was is DestinationUnavailable. */
TfdDirectory *tfd_directory_find_again (const char *path, GBytes *expected, TfdFailure *failure);

/* A directory that was handed in: @fd is taken. */
TfdDirectory *tfd_directory_new_for_fd (int fd, const char *path, GBytes *identity);

/* FALSE when it was deleted. */
gboolean tfd_directory_exists (const TfdDirectory *directory);

/* Directories in use, by path: a GHashTable of path to TfdDirectory. */
GHashTable *tfd_directory_cache_new (void);

/* As tfd_directory_open (), but gives one that is open already while its path still leads to it. */
TfdDirectory *tfd_directory_cache_get (GHashTable *cache,
                                       const char *path,
                                       GBytes *expected,
                                       TfdFailure *failure);

G_END_DECLS
