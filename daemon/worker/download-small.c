/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Download, small files: of many that come one after the other on a lane each is kept in memory
 * until it is whole. Then a thread makes its temporary and writes it, together with those of
 * others, while the next ones come in (download-work.c). Until then nothing of it is on the disk:
 * there is nothing to record, and nothing that would have to be found again. */
#include "config.h"
#include "worker/download-private.h"

#include "worker/buffer.h"

gboolean
tfd_download_may_be_small (TfdDownload *self)
{
  return self->file->record == NULL && self->given == NULL && self->url != NULL &&
         tfd_lanes_have (self->tools->lanes, self->url, self->options.login);
}

gboolean
tfd_download_many_wait (TfdDownload *self)
{
  return self->client->many_wait != NULL &&
         self->client->many_wait (TFD_TRANSFER (self), self->user_data);
}

gboolean
tfd_download_make_part (TfdDownload *self)
{
  g_auto (TfdFailure) failure = { 0 };
  TfdPartOutcome outcome;

  if (self->made)
    return TRUE;

  outcome = tfd_part_make (self->part, self->file, self->options.umask, &failure);
  if (!tfd_download_opened (self, outcome, &failure))
    return FALSE;
  tfd_download_changed (self, FALSE);

  return TRUE;
}

gboolean
tfd_download_keep (TfdDownload *self, const void *data, gsize count)
{
  if (self->made || count == 0 || count != self->total)
    return FALSE;

  self->kept = tfd_buffer_keep (data, count);
  if (self->kept == NULL)
    return FALSE;
  self->n_kept = count;
  g_atomic_int_add (&self->part->directory->coming, (int) count);
  self->part->length = count;

  return TRUE;
}

void
tfd_download_drop_kept (TfdDownload *self)
{
  if (self->kept == NULL)
    return;

  g_atomic_int_add (&self->part->directory->coming, -(int) self->n_kept);
  tfd_buffer_drop (g_steal_pointer (&self->kept), self->n_kept);
  self->part->length = 0;
}
