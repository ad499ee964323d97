/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Directory: an opened destination directory. */
#include "config.h"
#include "worker/directory.h"

#include "worker/failure.h"
#include "worker/identity.h"
#include "worker/walk.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* So long it is taken for granted that a path leads where it led. */
#define LOOK_USEC (10 * 1000)

TfdDirectory *
tfd_directory_ref (TfdDirectory *directory)
{
  g_atomic_ref_count_inc (&directory->references);
  return directory;
}

void
tfd_directory_unref (TfdDirectory *directory)
{
  if (!g_atomic_ref_count_dec (&directory->references))
    return;

  close (directory->fd);
  g_bytes_unref (directory->identity);
  g_free (directory->path);
  g_free (directory);
}

/* Opens @name, which is no link. */
static int
open_step (int directory, const char *name, int flags)
{
  struct stat st;

  if (fstatat (directory, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
    return -1;
  if (S_ISLNK (st.st_mode))
    {
      errno = ELOOP;
      return -1;
    }
  return openat (directory, name, flags | O_NOFOLLOW);
}

/* One component after the other. */
static int
open_by_steps (const char *path, int flags)
{
  g_auto (GStrv) names = g_strsplit (path, "/", -1);
  int fd = open ("/", O_PATH | O_DIRECTORY | O_CLOEXEC);

  for (gsize i = 0; names[i] != NULL && fd >= 0; i++)
    {
      gboolean last = names[i + 1] == NULL;
      int next, error_number;

      if (*names[i] == '\0' && !last)
        continue;
      next = open_step (fd, *names[i] != '\0' ? names[i] : ".",
                        last ? flags : O_PATH | O_DIRECTORY | O_CLOEXEC);
      error_number = errno;
      close (fd);
      errno = error_number;
      fd = next;
    }
  return fd;
}

int
tfd_open_plainly (const char *path, int flags)
{
  struct open_how how = {
    .flags = (guint64) flags,
    .resolve = RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
  };
  int fd = (int) syscall (SYS_openat2, AT_FDCWD, path, &how, sizeof how);

  /* an older kernel, or something that stands in for one (valgrind) */
  return fd < 0 && errno == ENOSYS ? open_by_steps (path, flags) : fd;
}

static int
open_directory (const char *path, gboolean *path_only)
{
  int fd = tfd_walk_open (path, O_RDONLY | O_CLOEXEC | O_NOCTTY);

  *path_only = FALSE;
  if (fd < 0 && errno == EACCES)
    {
      /* A drop box: one may create files there, but not list them. */
      fd = tfd_walk_open (path, O_PATH | O_CLOEXEC);
      *path_only = fd >= 0;
      if (fd >= 0 && faccessat (fd, ".", X_OK, AT_EACCESS) < 0)
        {
          close (fd);
          fd = -1;
          errno = EACCES;
        }
    }

  return fd;
}

/* What is wrong with the home directory of the user, in which @path lies; NULL: nothing. Some homes
 * are there, or may be entered, only while their owner is logged on: that is no mistake. */
static const char *
trouble_at_home (const char *path)
{
  const char *home = g_getenv ("HOME");
  gsize length = home != NULL ? strlen (home) : 0;

  while (length > 0 && home[length - 1] == '/')
    length--;
  if (length == 0 || strncmp (path, home, length) != 0 ||
      (path[length] != '\0' && path[length] != '/') || access (home, X_OK) == 0)
    return NULL;
  switch (errno)
    {
    case ENOENT:
    case ENOTDIR:
      return "is in a home directory that is not there: it may come when the owner logs on";
    case EACCES:
    case ENOKEY:
      return "is in a home directory that is locked: it may be opened when the owner logs on";
    default:
      return NULL;
    }
}

static void
unavailable (TfdFailure *failure, const char *path, const char *why)
{
  g_autofree char *shown = g_filename_display_name (path);

  tfd_failure_set (failure, TFD_ERROR_DESTINATION_UNAVAILABLE, TFD_ERROR_CONTEXT_LOCAL_FILE,
                   "the directory ‘%s’ %s", shown, why);
}

TfdDirectory *
tfd_directory_open (const char *path, GBytes *expected, TfdFailure *failure)
{
  g_autoptr (GBytes) identity = NULL;
  TfdDirectory *directory;
  gboolean path_only;
  int fd = open_directory (path, &path_only);
  int error_number = errno;
  const char *trouble = fd < 0 ? trouble_at_home (path) : NULL;

  errno = error_number;
  if (trouble != NULL)
    unavailable (failure, path, trouble);
  else if (fd < 0 && (errno == ENOENT || errno == ENOTDIR || errno == ENODEV || errno == ESTALE))
    unavailable (failure, path, "is not there: is its disk or share mounted?");
  else if (fd < 0)
    tfd_failure_set_errno (failure, errno,
                           errno == EPERM ? "following a link of another user to the directory"
                                          : "opening the directory",
                           path);
  if (fd < 0)
    return NULL;

  identity = tfd_identity_of_fd (fd);
  if (identity == NULL || (expected != NULL && !tfd_identity_same (expected, identity)))
    {
      unavailable (failure, path, "is another one than before: is its disk or share mounted?");
      close (fd);
      return NULL;
    }

  directory = tfd_directory_new_for_fd (fd, path, identity);
  directory->path_only = path_only;

  return directory;
}

TfdDirectory *
tfd_directory_new_for_fd (int fd, const char *path, GBytes *identity)
{
  TfdDirectory *directory = g_new0 (TfdDirectory, 1);

  g_atomic_ref_count_init (&directory->references);
  directory->path = g_strdup (path);
  directory->fd = fd;
  directory->identity = g_bytes_ref (identity);
  /* when nobody knows, each file is asked */
  if (!tfd_file_system_of_fd (fd, &directory->file_system))
    directory->file_system = (TfdFileSystem){ 0 };

  return directory;
}

TfdDirectory *
tfd_directory_find_again (const char *path, GBytes *expected, TfdFailure *failure)
{
  g_autoptr (GBytes) identity = NULL;
  int fd = tfd_open_plainly (path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOCTTY);

  if (fd >= 0)
    identity = tfd_identity_of_fd (fd);
  if (identity != NULL && expected != NULL && tfd_identity_same (expected, identity))
    return tfd_directory_new_for_fd (fd, path, identity);
  if (fd >= 0)
    close (fd);
  unavailable (failure, path,
               "was handed in and is not found where it was: it has to be handed in again");
  return NULL;
}

gboolean
tfd_directory_exists (const TfdDirectory *directory)
{
  struct stat st;

  return fstat (directory->fd, &st) == 0 && st.st_nlink > 0;
}

int
tfd_directory_sync (TfdDirectory *directory, int member_fd)
{
  if (!directory->path_only)
    return fsync (directory->fd) < 0 && errno != EINVAL && errno != EROFS ? errno : 0;
  if (member_fd >= 0)
    return syncfs (member_fd) < 0 ? errno : 0;

  sync ();
  return 0;
}

GVariant *
tfd_directory_probe (const char *path)
{
  g_autoptr (GBytes) identity = NULL;
  g_autofree char *shown = g_filename_display_name (path);
  g_autofree char *message = NULL;
  const char *name = "";
  gboolean path_only;
  int fd = path[0] == '/' ? open_directory (path, &path_only) : -1;

  if (fd >= 0 && faccessat (fd, ".", W_OK | X_OK, AT_EACCESS) == 0)
    identity = tfd_identity_of_fd (fd);

  if (path[0] != '/')
    {
      name = tfd_error_code_to_name (TFD_ERROR_INVALID_PATH);
      message = g_strdup_printf ("‘%s’ is not an absolute path", shown);
    }
  else if (identity == NULL)
    {
      int error_number = errno;
      gboolean absent = error_number == ENOENT || error_number == ENOTDIR ||
                        error_number == ELOOP || error_number == ENAMETOOLONG;

      name =
          tfd_error_code_to_name (absent ? TFD_ERROR_INVALID_PATH : TFD_ERROR_FILE_ACCESS_DENIED);
      message = g_strdup_printf ("the directory ‘%s’ cannot be written to: %s", shown,
                                 error_number == EPERM ? "a link of another user leads there"
                                                       : g_strerror (error_number));
    }
  if (fd >= 0)
    close (fd);

  return g_variant_new ("(@ayss)", tfd_bytes_to_variant (identity), name,
                        message != NULL ? message : "");
}

GHashTable *
tfd_directory_cache_new (void)
{
  return g_hash_table_new_full (g_str_hash, g_str_equal, g_free,
                                (GDestroyNotify) tfd_directory_unref);
}

/* Whoever exchanges a directory cannot tell whether the file was there a moment before. */
static gboolean
is_current (TfdDirectory *directory)
{
  gint64 now = g_get_monotonic_time ();
  struct stat by_path, by_fd;

  if (directory->looked != 0 && now - directory->looked < LOOK_USEC)
    return TRUE;
  directory->looked = now;
  return stat (directory->path, &by_path) == 0 && fstat (directory->fd, &by_fd) == 0 &&
         by_path.st_dev == by_fd.st_dev && by_path.st_ino == by_fd.st_ino && by_fd.st_nlink > 0;
}

TfdDirectory *
tfd_directory_cache_get (GHashTable *cache, const char *path, GBytes *expected, TfdFailure *failure)
{
  TfdDirectory *directory = g_hash_table_lookup (cache, path);

  if (directory != NULL && is_current (directory) &&
      (expected == NULL || tfd_identity_same (expected, directory->identity)))
    return tfd_directory_ref (directory);

  directory = tfd_directory_open (path, expected, failure);
  if (directory == NULL)
    {
      g_hash_table_remove (cache, path);
      return NULL;
    }

  /* Open directories keep a file system from being unmounted: hold few of them. */
  if (g_hash_table_size (cache) >= 64)
    g_hash_table_remove_all (cache);
  g_hash_table_replace (cache, g_strdup (path), tfd_directory_ref (directory));

  return directory;
}
