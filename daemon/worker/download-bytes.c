/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Download, its bytes: what may come, what came, and when it is all. */
#include "config.h"
#include "worker/download-private.h"

#include "common/names.h"
#include "worker/failure.h"
#include "worker/sync.h"

/* The client of the job named a size: anything else is refused. */
static gboolean
has_demanded_size (TfdDownload *self, guint64 total)
{
  g_autofree char *message = NULL;

  if (self->file->size == TFD_SIZE_UNKNOWN || total == self->file->size)
    return TRUE;

  message = g_strdup_printf ("the remote file has %" G_GUINT64_FORMAT
                             " bytes, demanded are %" G_GUINT64_FORMAT,
                             total, self->file->size);
  tfd_download_fail_with (self, TFD_ERROR_INVALID_SERVER_RESPONSE, TFD_ERROR_CONTEXT_REMOTE_FILE,
                          message);
  return FALSE;
}

gboolean
tfd_download_accept (TfdDownload *self, guint64 total, gboolean source_changed)
{
  g_auto (TfdFailure) failure = { 0 };
  TfdPart *part = self->part;

  if (total != TFD_SIZE_UNKNOWN)
    {
      if (!has_demanded_size (self, total))
        return FALSE;
      if (!self->client->allows (TFD_TRANSFER (self), total, self->user_data))
        {
          tfd_download_fail_with (self, TFD_ERROR_MAXIMUM_SIZE_EXCEEDED,
                                  TFD_ERROR_CONTEXT_REMOTE_FILE,
                                  "the file would exceed the maximum size of the job");
          return FALSE;
        }
      if (!tfd_part_check_space (part, total, self->options.keep_free, &failure))
        {
          tfd_download_fail (self, &failure);
          return FALSE;
        }
    }

  self->total = total;
  part->record->size = total;
  /* A record with another source may be stored: the new one has to be there before its bytes. */
  tfd_download_changed (self, source_changed && self->source_told);
  self->source_told = part->record->validator != NULL;
  if (total != TFD_SIZE_UNKNOWN && !part->reserved && tfd_part_should_reserve (part, total))
    tfd_download_work_reserve (self);

  return TRUE;
}

/* How many of @count more bytes belong to the file. */
static gsize
belonging (TfdDownload *self, gsize count)
{
  guint64 present = self->part->length + self->queued;
  guint64 limit = MIN (self->total, self->file->size);

  return (gsize) MIN (count, limit - MIN (present, limit));
}

static void
fail_with_too_much (TfdDownload *self)
{
  tfd_download_fail_with (self, TFD_ERROR_INVALID_SERVER_RESPONSE, TFD_ERROR_CONTEXT_REMOTE_FILE,
                          "the server sent more bytes than it had announced");
}

gboolean
tfd_download_wrote (TfdDownload *self, const TfdFailure *failure)
{
  gboolean allowed = self->client->progressed (TFD_TRANSFER (self), self->user_data);

  if (failure->context != TFD_ERROR_CONTEXT_NONE)
    tfd_download_fail (self, failure);
  else if (!allowed)
    tfd_download_fail_with (self, TFD_ERROR_MAXIMUM_SIZE_EXCEEDED, TFD_ERROR_CONTEXT_REMOTE_FILE,
                            "the job would exceed its maximum size");
  else
    return TRUE;

  return FALSE;
}

gboolean
tfd_download_take (const void *data, gsize count, gpointer user_data)
{
  TfdDownload *self = user_data;
  g_auto (TfdFailure) failure = { 0 };
  gsize mine = belonging (self, count);

  if (!tfd_download_keep (self, data, mine))
    {
      if (!tfd_download_make_part (self))
        return FALSE;
      tfd_part_write (self->part, data, mine, &failure);
      tfd_sync_begin (self->tools->pool, self->part);
    }
  if (!tfd_download_wrote (self, &failure))
    return FALSE;
  if (mine < count)
    fail_with_too_much (self);

  return mine == count;
}

gboolean
tfd_download_take_over (guint8 *buffer, gsize start, gsize count, gpointer user_data)
{
  TfdDownload *self = user_data;
  gsize mine = belonging (self, count);

  tfd_download_write_behind (self, buffer, start, mine);
  if (mine < count)
    fail_with_too_much (self);

  return mine == count;
}

void
tfd_download_finish (TfdDownload *self)
{
  tfd_download_drop_request (self);
  if (self->kept == NULL && !tfd_download_make_part (self)) /* of an empty file nothing came */
    return;
  self->client->released (TFD_TRANSFER (self), self->user_data);
  if (!has_demanded_size (self, self->part->length))
    return;

  self->total = self->part->length;
  self->part->record->size = self->total;
  self->phase = TFD_PHASE_FINISHING;
  if (self->pending == 0)
    tfd_download_work_finish (self);
}

void
tfd_download_ask_nobody (TfdDownload *self)
{
  guint64 size = self->total != TFD_SIZE_UNKNOWN ? self->total : 0;

  if (self->part->length == size)
    tfd_download_finish (self);
  else
    tfd_download_fail_with (self, TFD_ERROR_FILE_MISSING, TFD_ERROR_CONTEXT_LOCAL_FILE,
                            "the reply is gone, and the server does not give it a second time");
}
