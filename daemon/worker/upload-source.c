/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Upload source: the local file that is sent. */
#include "config.h"
#include "worker/upload-source.h"

#include "worker/attached.h"
#include "worker/failure.h"
#include "worker/identity.h"
#include "worker/walk.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#define BLOCK (1024 * 1024)

struct _TfdUploadFile
{
  gatomicrefcount references;
  char *path;
  TfdDirectory *directory; /* (owned) (nullable) that was handed in */
  gboolean handed_in;      /* the file itself was */
  int fd;
  struct stat st;
  GBytes *identity; /* (owned) */
};

/* Size and time of the content, then who the file is. */
static GBytes *
identity_of (int fd, const struct stat *st)
{
  g_autoptr (GBytes) file = tfd_identity_of_fd (fd);
  gsize length;
  const char *text;
  char *whole;

  if (file == NULL)
    return NULL;

  text = g_bytes_get_data (file, &length);
  whole = g_strdup_printf ("%" G_GUINT64_FORMAT " %" G_GINT64_FORMAT ".%09ld %.*s",
                           (guint64) st->st_size, (gint64) st->st_mtim.tv_sec,
                           (long) st->st_mtim.tv_nsec, (int) length, text);

  return g_bytes_new_take (whole, strlen (whole));
}

/* Cuts an identity into what the content is (a string) and who the file is. */
static GBytes *
split (GBytes *identity, char **content)
{
  gsize length;
  const char *text = g_bytes_get_data (identity, &length);
  g_autofree char *whole = g_strndup (text != NULL ? text : "", length);
  char *blank = strchr (whole, ' ');

  blank = blank != NULL ? strchr (blank + 1, ' ') : NULL;
  if (blank == NULL)
    return NULL;

  *blank = '\0';
  *content = g_strdup (whole);
  return g_bytes_new (blank + 1, strlen (blank + 1));
}

static gboolean
same (GBytes *a, GBytes *b)
{
  g_autofree char *content_a = NULL;
  g_autofree char *content_b = NULL;
  g_autoptr (GBytes) file_a = split (a, &content_a);
  g_autoptr (GBytes) file_b = split (b, &content_b);

  return file_a != NULL && file_b != NULL && g_str_equal (content_a, content_b) &&
         tfd_identity_same (file_a, file_b);
}

static void
changed (TfdFailure *failure, const char *path, const char *how)
{
  g_autofree char *shown = g_filename_display_name (path);

  tfd_failure_set (failure, TFD_ERROR_LOCAL_FILE_CHANGED, TFD_ERROR_CONTEXT_LOCAL_FILE,
                   "the file ‘%s’ %s", shown, how);
}

/* @error_number as tfd_walk_open_regular () left it. */
static void
cannot_open (TfdFailure *failure, int error_number, const char *path)
{
  g_autofree char *shown = g_filename_display_name (path);

  if (error_number == 0)
    tfd_failure_set (failure, TFD_ERROR_FILE_ACCESS_DENIED, TFD_ERROR_CONTEXT_LOCAL_FILE,
                     "‘%s’ is no regular file", shown);
  else if (error_number == ENOENT || error_number == ENOTDIR)
    tfd_failure_set (failure, TFD_ERROR_FILE_MISSING, TFD_ERROR_CONTEXT_LOCAL_FILE,
                     "the file ‘%s’ is not there", shown);
  else
    tfd_failure_set_errno (
        failure, error_number,
        error_number == EPERM ? "following a link of another user to" : "opening", path);
}

int
tfd_upload_open_at (int directory, const char *name)
{
  const int flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
  struct stat st;
  int fd, saved = 0;

  if (fstatat (directory, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
    return -1;
  errno = 0;
  if (!S_ISREG (st.st_mode))
    return -1;

  fd = openat (directory, name, flags);
  if (fd < 0)
    return -1;
  if (fstat (fd, &st) < 0)
    saved = errno;
  else if (S_ISREG (st.st_mode))
    return fd;

  close (fd);
  errno = saved;
  return -1;
}

GBytes *
tfd_upload_identity_of_fd (int fd, guint64 *size)
{
  struct stat st;

  if (fstat (fd, &st) < 0)
    return NULL;
  errno = 0;
  if (!S_ISREG (st.st_mode))
    return NULL;
  *size = (guint64) st.st_size;
  return identity_of (fd, &st);
}

gboolean
tfd_upload_identity_is_of_file (GBytes *a, GBytes *b)
{
  g_autofree char *content_a = NULL;
  g_autofree char *content_b = NULL;
  g_autoptr (GBytes) file_a = split (a, &content_a);
  g_autoptr (GBytes) file_b = split (b, &content_b);

  return file_a != NULL && file_b != NULL && tfd_identity_same (file_a, file_b);
}

/* A file that was handed in and is not open any more, by the path that it had then: a queue or a
 * device that stands there now is not opened. */
static int
find_again (const char *path, GBytes *expected)
{
  g_autoptr (GBytes) identity = NULL;
  guint64 size;
  int at = tfd_open_plainly (path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
  int fd = -1;

  if (at >= 0)
    identity = tfd_upload_identity_of_fd (at, &size);
  if (identity != NULL && expected != NULL && tfd_upload_identity_is_of_file (expected, identity))
    {
      g_autofree char *name = g_strdup_printf ("/proc/self/fd/%d", at);

      fd = open (name, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    }
  if (at >= 0)
    close (at);
  return fd;
}

static int
open_handed_in (const TfdFile *file, GBytes *expected, TfdFailure *failure)
{
  g_autofree char *shown = g_filename_display_name (file->path);
  int fd = file->kept_fd >= 0 ? fcntl (file->kept_fd, F_DUPFD_CLOEXEC, 3)
                              : find_again (file->path, expected);

  if (fd < 0)
    tfd_failure_set (failure, TFD_ERROR_DESTINATION_UNAVAILABLE, TFD_ERROR_CONTEXT_LOCAL_FILE,
                     "the file ‘%s’ was handed in and is not found where it was: it has to be "
                     "handed in again",
                     shown);
  return fd;
}

/* The descriptor, or -1 with @failure filled. */
static int
open_source (TfdUploadFile *self, const TfdFile *file, GBytes *expected, TfdFailure *failure)
{
  int fd;

  self->handed_in = file->attached && file->attached_to == NULL;
  if (self->handed_in)
    return open_handed_in (file, expected, failure);
  if (file->attached)
    {
      self->directory = tfd_attached_directory (file, NULL, failure);
      if (self->directory == NULL)
        return -1;
    }
  fd = self->directory != NULL ? tfd_upload_open_at (self->directory->fd, file->base)
                               : tfd_walk_open_regular (file->path, &self->st);
  if (fd < 0)
    cannot_open (failure, errno, file->path);
  return fd;
}

TfdUploadFile *
tfd_upload_file_open (const TfdFile *file, GBytes *expected, TfdFailure *failure)
{
  g_autoptr (TfdUploadFile) self = g_new0 (TfdUploadFile, 1);

  g_atomic_ref_count_init (&self->references);
  self->path = g_strdup (file->path);
  self->fd = open_source (self, file, expected, failure);
  if (self->fd < 0)
    return NULL;
  if (fstat (self->fd, &self->st) == 0)
    self->identity = identity_of (self->fd, &self->st);
  if (self->identity == NULL)
    {
      cannot_open (failure, errno, file->path);
      return NULL;
    }
  if (expected != NULL && !same (expected, self->identity))
    {
      changed (failure, file->path, "is not what it was when it was added");
      return NULL;
    }

  /* Read once, from start to end. */
  posix_fadvise (self->fd, 0, 0, POSIX_FADV_SEQUENTIAL);

  return g_steal_pointer (&self);
}

TfdUploadFile *
tfd_upload_file_ref (TfdUploadFile *file)
{
  g_atomic_ref_count_inc (&file->references);
  return file;
}

void
tfd_upload_file_unref (TfdUploadFile *file)
{
  if (!g_atomic_ref_count_dec (&file->references))
    return;

  if (file->fd >= 0)
    close (file->fd);
  g_clear_pointer (&file->directory, tfd_directory_unref);
  g_clear_pointer (&file->identity, g_bytes_unref);
  g_free (file->path);
  g_free (file);
}

/* Nobody has put another one in its place. What was handed in itself has no place: its name may
 * change, but it must not go. */
static gboolean
is_in_place (TfdUploadFile *file, const struct stat *by_fd)
{
  struct stat by_path;
  int result;

  if (file->handed_in)
    return by_fd->st_nlink > 0;
  result = file->directory != NULL ? fstatat (file->directory->fd, strrchr (file->path, '/') + 1,
                                              &by_path, AT_SYMLINK_NOFOLLOW)
                                   : stat (file->path, &by_path);
  return result == 0 && by_path.st_dev == by_fd->st_dev && by_path.st_ino == by_fd->st_ino;
}

gboolean
tfd_upload_file_check (TfdUploadFile *file, TfdFailure *failure)
{
  struct stat by_fd;

  if (fstat (file->fd, &by_fd) < 0)
    {
      tfd_failure_set_errno (failure, errno, "looking at", file->path);
      return FALSE;
    }
  if (by_fd.st_size != file->st.st_size || by_fd.st_mtim.tv_sec != file->st.st_mtim.tv_sec ||
      by_fd.st_mtim.tv_nsec != file->st.st_mtim.tv_nsec)
    {
      changed (failure, file->path, "changed while it was sent");
      return FALSE;
    }
  if (!is_in_place (file, &by_fd))
    {
      changed (failure, file->path, "was moved, replaced or deleted while it was sent");
      return FALSE;
    }

  return TRUE;
}

gboolean
tfd_upload_file_read (
    TfdUploadFile *file, guint64 offset, void *buffer, gsize count, TfdFailure *failure)
{
  gsize got = 0;

  while (got < count)
    {
      gssize n = pread (file->fd, (char *) buffer + got, count - got, (off_t) (offset + got));

      if (n < 0 && errno == EINTR)
        continue;
      if (n < 0)
        {
          tfd_failure_set_errno (failure, errno, "reading", file->path);
          return FALSE;
        }
      if (n == 0)
        {
          changed (failure, file->path, "became shorter while it was sent");
          return FALSE;
        }
      got += (gsize) n;
    }

  return TRUE;
}

gssize
tfd_upload_file_send (TfdUploadFile *file, guint64 offset, int to, gsize count)
{
  off_t at = (off_t) offset;
  gssize n;

  do
    n = sendfile (to, file->fd, &at, count);
  while (n < 0 && errno == EINTR);

  return n;
}

char *
tfd_checksum_to_base64 (GChecksum *checksum, GChecksumType type)
{
  guint8 digest[64];
  gsize length = (gsize) g_checksum_type_get_length (type);

  g_assert (length <= sizeof digest);
  g_checksum_get_digest (checksum, digest, &length);

  return g_base64_encode (digest, length);
}

char *
tfd_upload_file_digest (TfdUploadFile *file,
                        GChecksumType type,
                        guint64 first,
                        guint64 length,
                        gint *abort,
                        TfdFailure *failure)
{
  g_autoptr (GChecksum) checksum = g_checksum_new (type);
  g_autofree guint8 *block = g_malloc (BLOCK);

  for (guint64 at = 0; at < length;)
    {
      gsize count = MIN (BLOCK, length - at);

      if (g_atomic_int_get (abort))
        {
          tfd_failure_set (failure, TFD_ERROR_TIMED_OUT, TFD_ERROR_CONTEXT_LOCAL_FILE, "given up");
          return NULL;
        }
      if (!tfd_upload_file_read (file, first + at, block, count, failure))
        return NULL;
      g_checksum_update (checksum, block, (gssize) count);
      at += count;
    }

  return tfd_checksum_to_base64 (checksum, type);
}

guint64
tfd_upload_file_get_size (TfdUploadFile *file)
{
  return (guint64) file->st.st_size;
}

GBytes *
tfd_upload_file_get_identity (TfdUploadFile *file)
{
  return file->identity;
}

GVariant *
tfd_upload_file_probe (const char *path)
{
  g_autofree char *shown = g_filename_display_name (path);
  g_autofree char *message = NULL;
  g_autoptr (GBytes) identity = NULL;
  TfdErrorCode code = TFD_ERROR_INVALID_PATH;
  struct stat st = { 0 };
  int fd = path[0] == '/' ? tfd_walk_open_regular (path, &st) : -1;

  if (fd >= 0)
    identity = identity_of (fd, &st);
  if (path[0] != '/')
    message = g_strdup_printf ("‘%s’ is not an absolute path", shown);
  else if (identity == NULL && errno == 0)
    message = g_strdup_printf ("‘%s’ is no regular file", shown);
  else if (identity == NULL)
    {
      gboolean absent =
          errno == ENOENT || errno == ENOTDIR || errno == ELOOP || errno == ENAMETOOLONG;

      message = g_strdup_printf ("the file ‘%s’ cannot be read: %s", shown,
                                 errno == EPERM ? "a link of another user leads there"
                                                : g_strerror (errno));
      code = absent ? TFD_ERROR_INVALID_PATH : TFD_ERROR_FILE_ACCESS_DENIED;
    }
  if (fd >= 0)
    close (fd);

  return g_variant_new ("(@aytss)", tfd_bytes_to_variant (identity), (guint64) st.st_size,
                        message != NULL ? tfd_error_code_to_name (code) : "",
                        message != NULL ? message : "");
}
