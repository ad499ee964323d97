/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Handed in: what a descriptor is that a program gave away, and what it proves. Whoever has opened
 * a directory or a file was allowed to; what may be done in it beyond that is for the rights of the
 * user, and of the mount that the descriptor was opened through, to say. */
#include "config.h"
#include "worker/attached.h"

#include "common/names.h"
#include "common/url.h"
#include "worker/failure.h"
#include "worker/identity.h"
#include "worker/upload-source.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

void
tfd_handed_in_free (TfdHandedIn *handed_in)
{
  if (handed_in->fd >= 0)
    close (handed_in->fd);
  g_clear_pointer (&handed_in->identity, g_bytes_unref);
  g_free (handed_in->path);
  g_free (handed_in);
}

static gboolean
refuse (GError **error, TfdErrorCode code, const char *why)
{
  g_set_error (error, TFD_ERROR, (int) code, "the descriptor that was handed in %s", why);
  return FALSE;
}

/* A descriptor by O_PATH can be had of what may not be opened, and one for writing of what may not
 * be read. */
static gboolean
check_rights (int fd, const struct stat *st, GError **error)
{
  int flags = fcntl (fd, F_GETFL);

  if (flags < 0 || (flags & O_PATH) != 0)
    return refuse (error, TFD_ERROR_FILE_ACCESS_DENIED,
                   "was opened by O_PATH, which proves no right: open it for reading");
  if (S_ISREG (st->st_mode) && (flags & O_ACCMODE) == O_WRONLY)
    return refuse (error, TFD_ERROR_FILE_ACCESS_DENIED, "is not open for reading");
  return TRUE;
}

/* The path by which it is found after this process has ended. */
static char *
path_of (int fd, const struct stat *st, GError **error)
{
  g_autofree char *link = g_strdup_printf ("/proc/self/fd/%d", fd);
  char path[PATH_MAX];
  ssize_t length = readlink (link, path, sizeof path);

  if (st->st_nlink == 0)
    {
      refuse (error, TFD_ERROR_INVALID_PATH,
              "is of something that was deleted: it could not be found again");
      return NULL;
    }
  if (length <= 0 || length >= (ssize_t) sizeof path || path[0] != '/')
    {
      refuse (error, TFD_ERROR_INVALID_PATH, "leads to no path by which it could be found again");
      return NULL;
    }
  path[length] = '\0';
  if (length > 1 && !tfd_path_check (path, error))
    {
      g_prefix_error (error, "where the descriptor leads to: ");
      return NULL;
    }
  return g_strdup (path);
}

static GBytes *
identity_of (int fd, gboolean regular)
{
  guint64 size;

  return regular ? tfd_upload_identity_of_fd (fd, &size) : tfd_identity_of_fd (fd);
}

TfdHandedIn *
tfd_handed_in_new (int fd, GError **error)
{
  g_autoptr (TfdHandedIn) handed_in = g_new0 (TfdHandedIn, 1);
  struct stat st;

  handed_in->fd = fd;
  if (fstat (fd, &st) < 0)
    {
      refuse (error, TFD_ERROR_FILE_ACCESS_DENIED, g_strerror (errno));
      return NULL;
    }
  if (!S_ISDIR (st.st_mode) && !S_ISREG (st.st_mode))
    {
      refuse (error, TFD_ERROR_INVALID_PATH, "is of neither a directory nor a regular file");
      return NULL;
    }
  handed_in->regular = S_ISREG (st.st_mode);
  if (!check_rights (fd, &st, error))
    return NULL;
  handed_in->path = path_of (fd, &st, error);
  if (handed_in->path == NULL)
    return NULL;
  handed_in->identity = identity_of (fd, handed_in->regular);
  if (handed_in->identity == NULL)
    {
      refuse (error, TFD_ERROR_FILE_ACCESS_DENIED, g_strerror (errno));
      return NULL;
    }
  return g_steal_pointer (&handed_in);
}

/* A file that never has a name, or where there are none of these, one that loses it at once. */
static int
try_to_create (int directory)
{
  g_autofree char *job = NULL;
  g_autofree char *name = NULL;
  int fd = openat (directory, ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);

  if (fd < 0 && (errno == EOPNOTSUPP || errno == EISDIR || errno == EINVAL || errno == ENOENT))
    {
      job = tfd_job_id_new ();
      name = tfd_part_name (job, 0, 0);
      fd = openat (directory, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
      if (fd >= 0)
        unlinkat (directory, name, 0);
    }
  return fd;
}

gboolean
tfd_handed_in_prove_write (const TfdHandedIn *handed_in, GError **error)
{
  g_autofree char *shown = g_filename_display_name (handed_in->path);
  int fd = try_to_create (handed_in->fd);

  if (fd >= 0)
    {
      close (fd);
      return TRUE;
    }
  g_set_error (error, TFD_ERROR, TFD_ERROR_FILE_ACCESS_DENIED,
               "no file can be created in the directory ‘%s’ that was handed in: %s", shown,
               g_strerror (errno));
  return FALSE;
}

/* Why @name cannot be sent; @error_number as tfd_upload_open_at () left it. */
static char *
why_not (const char *name, int error_number, TfdErrorCode *code)
{
  g_autofree char *shown = g_filename_display_name (name);

  *code = error_number == 0 || error_number == ENOENT || error_number == ENOTDIR ||
                  error_number == ELOOP || error_number == ENAMETOOLONG
              ? TFD_ERROR_INVALID_PATH
              : TFD_ERROR_FILE_ACCESS_DENIED;
  return error_number == 0 ? g_strdup_printf ("‘%s’ is no regular file", shown)
                           : g_strdup_printf ("the file ‘%s’ cannot be read: %s", shown,
                                              g_strerror (error_number));
}

GVariant *
tfd_handed_in_describe (const TfdHandedIn *handed_in, const char *name, gboolean send)
{
  g_autoptr (GBytes) identity = NULL;
  g_autofree char *message = NULL;
  TfdErrorCode code = TFD_ERROR_INVALID_PATH;
  guint64 size = TFD_SIZE_UNKNOWN;
  int fd = -1;

  if (handed_in->regular)
    identity = tfd_upload_identity_of_fd (handed_in->fd, &size);
  else if (send)
    {
      fd = tfd_upload_open_at (handed_in->fd, name);
      if (fd >= 0)
        identity = tfd_upload_identity_of_fd (fd, &size);
    }
  if (identity == NULL && send)
    message = why_not (*name != '\0' ? name : handed_in->path, errno, &code);
  if (fd >= 0)
    close (fd);

  return g_variant_new ("(@aytss)", tfd_bytes_to_variant (identity), size,
                        message != NULL ? tfd_error_code_to_name (code) : "",
                        message != NULL ? message : "");
}

gboolean
tfd_handed_in_is (const TfdHandedIn *handed_in, GBytes *identity)
{
  return handed_in->regular ? tfd_upload_identity_is_of_file (identity, handed_in->identity)
                            : tfd_identity_same (identity, handed_in->identity);
}
