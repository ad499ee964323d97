/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Discard: temporaries are unlinked; nothing else is touched. */
#include "config.h"
#include "worker/discard.h"

#include "common/names.h"
#include "worker/failure.h"
#include "worker/identity.h"
#include "worker/partial.h"
#include "worker/places.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Is what stands under @name ours to unlink? Without a record: what a crash left before there was
 * one, a regular file of ours with one name. */
static int
is_ours (TfdDirectory *directory, const char *name, const TfdFile *file, gboolean *ours)
{
  struct stat st;
  guint64 size;

  *ours = FALSE;
  if (file->record != NULL)
    return tfd_part_look (directory, name, file->record, FALSE, ours, &size);
  if (fstatat (directory->fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
    return errno;

  *ours = S_ISREG (st.st_mode) && st.st_uid == geteuid () && st.st_nlink == 1;
  return 0;
}

/* NULL when the temporary is gone, else why it is not. */
static char *
discard_one (const char *job, const TfdFile *file, TfdPlaces *places)
{
  TfdDirectory *directory;
  g_autofree char *name = tfd_part_name (job, file->index, file->attempt);
  g_auto (TfdFailure) failure = { 0 };
  gboolean ours;
  int error_number;

  directory = tfd_places_find (places, file, &failure);
  if (directory == NULL)
    /* where nothing was ever begun, nothing is left over */
    return file->record != NULL || file->attempt > 0 ? g_strdup (failure.message) : NULL;

  error_number = is_ours (directory, name, file, &ours);
  if (error_number == 0 && ours && unlinkat (directory->fd, name, 0) < 0)
    error_number = errno;
  if (error_number != 0 && error_number != ENOENT)
    return g_strdup (g_strerror (error_number));

  tfd_places_touch (places);
  return NULL;
}

GVariant *
tfd_discard (const char *job, GPtrArray *files)
{
  GVariantBuilder builder = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE ("a(uays)"));
  g_auto (TfdPlaces) places = { 0 };

  tfd_places_init (&places);
  for (guint i = 0; i < files->len; i++)
    {
      const TfdFile *file = files->pdata[i];
      g_autofree char *message = discard_one (job, file, &places);

      if (message != NULL)
        {
          g_autofree char *path = tfd_file_part_path (file, job);

          g_variant_builder_add (&builder, "(u@ays)", file->index, tfd_path_to_variant (path),
                                 message);
        }
    }

  /* Nothing is lost when this fails: a temporary that comes back after a power cut is no loss. */
  for (guint i = 0; i < places.touched->len; i++)
    tfd_directory_sync (places.touched->pdata[i], -1);

  return g_variant_builder_end (&builder);
}

int
tfd_open_part (const char *job, const TfdFile *file, GError **error)
{
  g_autoptr (TfdDirectory) directory = NULL;
  g_auto (TfdFailure) failure = { 0 };
  g_autofree char *part = tfd_part_name (job, file->index, file->attempt);
  const char *name = part;
  gboolean same = FALSE;
  guint64 size;
  int fd = -1;
  int error_number;

  if (file->state == TFD_FILE_STATE_COMPLETED)
    name = file->target != NULL ? strrchr (file->target, '/') + 1 : file->base;

  directory = tfd_attached_directory (file, NULL, &failure);
  if (directory == NULL)
    {
      tfd_failure_to_error (&failure, error);
      return -1;
    }

  error_number = file->record != NULL
                     ? tfd_part_look (directory, name, file->record, FALSE, &same, &size)
                     : ENOENT;
  if (same)
    {
      fd = openat (directory->fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
      error_number = fd < 0 ? errno : 0;
    }
  if (fd < 0)
    g_set_error (error, TFD_ERROR,
                 error_number == EACCES ? TFD_ERROR_FILE_ACCESS_DENIED : TFD_ERROR_FILE_MISSING,
                 "the file is not there: %s",
                 error_number != 0 ? g_strerror (error_number) : "something else stands there");

  return fd;
}

#define MOST_BYTES (8 * 1024 * 1024) /* that a message may have, whoever asks */

/* As much as there is, but not more than @size bytes; -1 with errno set. */
static gssize
read_all (int fd, char *buffer, gsize size)
{
  gsize length = 0;
  gssize n;

  do
    {
      n = read (fd, buffer + length, size - length);
      if (n > 0)
        length += (gsize) n;
    }
  while ((n > 0 && length < size) || (n < 0 && errno == EINTR));

  return n < 0 ? -1 : (gssize) length;
}

GVariant *
tfd_read_part (const char *job, const TfdFile *file, guint64 most, GError **error)
{
  gsize size = (gsize) MIN (most, MOST_BYTES) + 1;
  g_autofree char *buffer = NULL;
  gssize length;
  int error_number;
  int fd = tfd_open_part (job, file, error);

  if (fd < 0)
    return NULL;

  buffer = g_malloc (size);
  length = read_all (fd, buffer, size);
  error_number = errno;
  close (fd);
  if (length >= 0 && (gsize) length < size)
    return g_variant_new_fixed_array (G_VARIANT_TYPE_BYTE, buffer, (gsize) length, 1);

  if (length < 0)
    g_set_error (error, TFD_ERROR, TFD_ERROR_FILE_ACCESS_DENIED, "the file cannot be read: %s",
                 g_strerror (error_number));
  else
    g_set_error (error, TFD_ERROR, TFD_ERROR_TOO_LARGE,
                 "the file has more than %" G_GSIZE_FORMAT " bytes", size - 1);
  return NULL;
}
