/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Secrets, key: a credential of the service manager, which may be sealed by the TPM or come from
 * the hypervisor, or else a file beside the database that only we can read. */
#include "base/secrets-key.h"

#include "base/log.h"
#include "common/error.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LONGEST 4096 /* bytes of a credential */

static gboolean
fail (const char *path, const char *what, GError **error)
{
  g_set_error (error, TFD_ERROR, TFD_ERROR_STORAGE_FAILED, "key ‘%s’: %s", path, what);
  return FALSE;
}

/* The first bytes of @fd, as many as there are up to @room. */
static gssize
read_all (int fd, guint8 *data, gsize room)
{
  gsize got = 0;
  gssize n = 0;

  while (got < room && ((n = read (fd, data + got, room - got)) > 0 || (n < 0 && errno == EINTR)))
    got += n > 0 ? (gsize) n : 0;
  return n < 0 ? -1 : (gssize) got;
}

static gboolean
write_all (int fd, const guint8 *data, gsize size)
{
  gsize done = 0;
  gssize n = 0;

  while (done < size && ((n = write (fd, data + done, size - done)) > 0 || errno == EINTR))
    done += n > 0 ? (gsize) n : 0;
  return done == size;
}

/* ---- of the service manager ---- */

/* Any secret of 32 bytes and more will do, a text as well: all of it makes the key. */
static gboolean
read_credential (const char *path, int fd, guint8 *key, GError **error)
{
  guint8 content[LONGEST];
  gssize size = read_all (fd, content, sizeof content);

  if (size < 0)
    return fail (path, g_strerror (errno), error);
  if (size >= TFD_SECRETS_KEY_SIZE)
    tfd_secrets_extract ((const guint8 *) TFD_SECRETS_CREDENTIAL, strlen (TFD_SECRETS_CREDENTIAL),
                         content, (gsize) size, key);
  explicit_bzero (content, sizeof content);
  return size >= TFD_SECRETS_KEY_SIZE || fail (path, "has fewer than 32 bytes", error);
}

/* ---- of our own ---- */

static gboolean
read_file (const char *path, int fd, guint8 *key, GError **error)
{
  struct stat status;

  if (fstat (fd, &status) < 0)
    return fail (path, g_strerror (errno), error);
  if (!S_ISREG (status.st_mode) || status.st_uid != geteuid ())
    return fail (path, "is not a file of our own", error);
  /* a copy from a backup may be readable for more */
  if ((status.st_mode & 077) != 0 && fchmod (fd, 0600) < 0)
    return fail (path, g_strerror (errno), error);
  if (read_all (fd, key, TFD_SECRETS_KEY_SIZE) != TFD_SECRETS_KEY_SIZE)
    return fail (path,
                 "has fewer than 32 bytes: put back a copy of it, or delete it to give up "
                 "the credentials of all jobs",
                 error);
  return TRUE;
}

static gboolean
sync_directory (const char *path)
{
  int fd = open (path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  gboolean synced = fd >= 0 && fsync (fd) == 0;

  if (fd >= 0)
    close (fd);
  return synced;
}

/* It is there whole and on the disk, or not at all: what is sealed with it must not outlive it. */
static gboolean
make_file (const char *state_dir, const char *path, guint8 *key, GError **error)
{
  g_autofree char *unfinished = g_strconcat (path, ".new", NULL);
  gboolean made;
  int fd;

  if (!tfd_secrets_fill_random (key, TFD_SECRETS_KEY_SIZE))
    return fail (path, g_strerror (errno), error);
  /* of a start that ended here; the lock of the directory is ours */
  unlink (unfinished);
  fd = open (unfinished, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  made = fd >= 0 && write_all (fd, key, TFD_SECRETS_KEY_SIZE) && fsync (fd) == 0 &&
         renameat2 (AT_FDCWD, unfinished, AT_FDCWD, path, RENAME_NOREPLACE) == 0 &&
         sync_directory (state_dir);
  if (!made)
    fail (path, g_strerror (errno), error);
  if (fd >= 0)
    close (fd);
  if (made)
    tfd_debug (TFD_LOG_STORE, "made a key for secrets");
  return made;
}

gboolean
tfd_secrets_read_key (const char *state_dir,
                      const char *credentials_directory,
                      guint8 key[TFD_SECRETS_KEY_SIZE],
                      GError **error)
{
  gboolean credential = credentials_directory != NULL;
  g_autofree char *path =
      g_build_filename (credential ? credentials_directory : state_dir,
                        credential ? TFD_SECRETS_CREDENTIAL : TFD_SECRETS_KEY_FILE, NULL);
  int fd = open (path, O_RDONLY | O_CLOEXEC | (credential ? 0 : O_NOFOLLOW));
  gboolean done;

  if (fd < 0 && errno == ENOENT)
    return credential ? tfd_secrets_read_key (state_dir, NULL, key, error)
                      : make_file (state_dir, path, key, error);
  if (fd < 0)
    return fail (path, g_strerror (errno), error);
  done = credential ? read_credential (path, fd, key, error) : read_file (path, fd, key, error);
  close (fd);
  return done;
}
