/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* File URL: a download from a local file, with the rights of the user and the rules of HTTP: what
 * is continued must be the same file, unchanged. */
#include "config.h"
#include "worker/download-private.h"

#include "common/names.h"
#include "worker/failure.h"
#include "worker/walk.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Plays the part of a strong entity tag. */
static char *
tag_of (const struct stat *st)
{
  return g_strdup_printf ("\"%" G_GINT64_MODIFIER "x-%" G_GINT64_MODIFIER "x-%" G_GINT64_MODIFIER
                          "x-%" G_GINT64_MODIFIER "x.%lx\"",
                          (guint64) st->st_dev, (guint64) st->st_ino, (guint64) st->st_size,
                          (guint64) st->st_mtim.tv_sec, (gulong) st->st_mtim.tv_nsec);
}

static void
local_failed (TfdDownload *self, int error_number, const char *doing, const char *path)
{
  g_auto (TfdFailure) failure = { 0 };

  tfd_failure_set_errno (&failure, error_number, doing, path);
  failure.context = TFD_ERROR_CONTEXT_REMOTE_FILE;
  if (error_number == ENOENT || error_number == ENOTDIR)
    {
      failure.code = TFD_ERROR_FILE_MISSING;
      failure.transient = FALSE;
    }
  tfd_download_fail (self, &failure);
}

static void
body_end_cb (const GError *error, gpointer user_data)
{
  TfdDownload *self = user_data;
  g_autofree char *tag = NULL;
  struct stat st;
  gboolean changed;

  if (error != NULL)
    {
      tfd_download_fail_with (self, TFD_ERROR_FILE_ACCESS_DENIED, TFD_ERROR_CONTEXT_REMOTE_FILE,
                              error->message);
      return;
    }

  if (fstat (self->source_fd, &st) == 0)
    tag = tag_of (&st);
  changed = g_strcmp0 (tag, self->part->record->etag) != 0 || self->part->length != self->total;
  if (!changed)
    {
      tfd_download_finish (self);
      return;
    }

  tfd_download_drop_request (self);
  if (tfd_download_restart (self, "the local file changed while it was read"))
    tfd_download_request (self);
}

/* The source is open: is it the one that the part comes from? */
static void
begin (TfdDownload *self, int fd, const struct stat *st)
{
  TfdRecord *record = self->part->record;
  g_autofree char *tag = tag_of (st);
  gboolean changed = g_strcmp0 (tag, record->etag) != 0;

  self->client->answered (TFD_TRANSFER (self), self->user_data);
  if (changed)
    {
      if (!tfd_download_restart (self, "the local file changed"))
        {
          close (fd);
          return;
        }
      tfd_record_take_string (&record->etag, tag);
      tfd_record_take_string (&record->validator, tag);
      record->mtime = (gint64) st->st_mtim.tv_sec * G_USEC_PER_SEC + st->st_mtim.tv_nsec / 1000;
    }

  self->offset = self->part->length;
  self->phase = TFD_PHASE_BODY;
  if (!tfd_download_accept (self, (guint64) st->st_size, changed) ||
      lseek (fd, (off_t) self->offset, SEEK_SET) < 0)
    {
      close (fd);
      return;
    }
  self->source_fd = fd;
  self->body = tfd_body_new_for_fd (fd, tfd_download_take, body_end_cb, self);
}

void
tfd_file_url_read (TfdDownload *self)
{
  g_autofree char *host = NULL;
  g_autofree char *path = g_filename_from_uri (self->url, &host, NULL);
  struct stat st;
  int fd;

  if (path == NULL || (host != NULL && host[0] != '\0' && g_strcmp0 (host, "localhost") != 0))
    {
      tfd_download_fail_with (self, TFD_ERROR_INVALID_URL, TFD_ERROR_CONTEXT_REMOTE_FILE,
                              "the URL names no local file");
      return;
    }

  fd = tfd_walk_open_regular (path, &st);
  if (fd >= 0)
    begin (self, fd, &st);
  else if (errno == 0)
    tfd_download_fail_with (self, TFD_ERROR_FILE_ACCESS_DENIED, TFD_ERROR_CONTEXT_REMOTE_FILE,
                            "the URL names no regular file");
  else
    local_failed (self, errno, errno == EPERM ? "following a link of another user to" : "opening",
                  path);
}
