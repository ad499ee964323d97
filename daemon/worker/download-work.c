/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Download, what it has done in threads: syncing, reserving, checking, trimming. */
#include "config.h"
#include "worker/download-private.h"

#include "worker/buffer.h"
#include "worker/digest.h"
#include "worker/disk.h"
#include "worker/failure.h"
#include "worker/sync.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

typedef struct
{
  TfdDownload *self; /* (owned) only looked at in the main loop, but for what is marked atomic */
  TfdPart *part;     /* (owned) */
  guint64 length;
  gboolean entry;
  gboolean trim;
  guint epoch;
  const TfdFile *file; /* (not owned) lives as long as the download */
  const char *digest;  /* (not owned) of that */
  guint32 umask;
  guint8 *kept; /* (owned) (nullable) what is to be written to a part that is not made … */
  gsize n_kept;
  gsize written;          /* … how much of it was, … */
  TfdPartOutcome outcome; /* … and what became of the part */
  int error_number;
  TfdFailure failure;
} Work;

static Work *
work_new (TfdDownload *self)
{
  Work *work = g_new0 (Work, 1);

  work->self = g_object_ref (self);
  work->part = tfd_part_ref (self->part);
  work->length = self->part->length;
  work->epoch = self->epoch;
  self->pending++;

  return work;
}

static void
work_free (Work *work)
{
  tfd_failure_clear (&work->failure);
  tfd_part_unref (work->part);
  g_object_unref (work->self);
  g_free (work);
}

static void
sync_work (gpointer data)
{
  Work *work = data;

  work->error_number = tfd_sync_part (work->part, work->entry);
}

static void
resume_done (gpointer data)
{
  Work *work = data;
  TfdDownload *self = work->self;

  tfd_download_work_ended (self);
  if (self->phase == TFD_PHASE_PREPARING)
    tfd_download_resumed (self, work->error_number);
  work_free (work);
}

void
tfd_download_work_resume (TfdDownload *self)
{
  tfd_pool_push (self->tools->pool, sync_work, resume_done, work_new (self));
}

static void
checkpoint_done (gpointer data)
{
  Work *work = data;
  TfdDownload *self = work->self;

  self->checkpointing = FALSE;
  self->checkpoint_time = g_get_monotonic_time ();
  if (work->error_number == 0 && work->epoch == self->epoch)
    {
      self->checkpoint_length = work->length;
      work->part->record->checkpoint = work->length;
      work->part->entry_synced |= work->entry;
      tfd_download_changed (self, FALSE);
    }
  else if (work->error_number != 0)
    {
      tfd_download_distrust (self);
      tfd_failure_set_errno (&work->failure, work->error_number, "syncing the temporary file in",
                             work->part->directory->path);
      if (self->phase <= TFD_PHASE_FINISHING)
        tfd_download_fail (self, &work->failure);
    }
  tfd_download_work_ended (self);
  work_free (work);
}

void
tfd_download_work_checkpoint (TfdDownload *self)
{
  Work *work = work_new (self);

  work->entry = !self->part->entry_synced;
  self->checkpointing = TRUE;
  tfd_pool_push (self->tools->pool, sync_work, checkpoint_done, work);
}

static void
reserve_work (gpointer data)
{
  Work *work = data;

  if (fallocate (work->part->fd, FALLOC_FL_KEEP_SIZE, 0, (off_t) work->length) < 0)
    work->error_number = errno;
}

static void
reserve_done (gpointer data)
{
  Work *work = data;
  TfdDownload *self = work->self;
  gboolean full = work->error_number == ENOSPC || work->error_number == EDQUOT;

  /* Anything but a full disk: the file system cannot reserve, which is no reason not to write. */
  work->part->reserved = TRUE;
  if (full && self->phase == TFD_PHASE_BODY)
    {
      tfd_failure_set_errno (&work->failure, work->error_number, "reserving space in",
                             work->part->directory->path);
      tfd_download_fail (self, &work->failure);
    }
  tfd_download_work_ended (self);
  work_free (work);
}

void
tfd_download_work_reserve (TfdDownload *self)
{
  Work *work = work_new (self);

  work->length = self->total;
  tfd_pool_push (self->tools->pool, reserve_work, reserve_done, work);
}

/* TRUE when all of it was. */
static gboolean
write_kept (Work *work)
{
  guint64 device = work->part->directory->file_system.device;
  gboolean wanted = g_atomic_int_get (&work->self->abort) == 0;

  if (wanted)
    tfd_disk_begin_writing (device);
  /* What is being written counts no more: the disk has taken some of it already, and who counts it
   * twice refuses a file that fits. */
  g_atomic_int_add (&work->part->directory->coming, -(int) work->n_kept);
  if (wanted)
    {
      work->outcome = tfd_part_make (work->part, work->file, work->umask, &work->failure);
      if (work->outcome == TFD_PART_CREATED)
        work->written = tfd_part_write_at (work->part, 0, work->kept, work->n_kept, &work->failure);
      tfd_disk_end_writing (device);
    }

  return work->written == work->n_kept;
}

static void
finish_work (gpointer data)
{
  Work *work = data;

  if (work->kept != NULL && !write_kept (work))
    return;
  if (work->trim && ftruncate (work->part->fd, (off_t) work->length) < 0)
    tfd_failure_set_errno (&work->failure, errno, "trimming the temporary file in",
                           work->part->directory->path);
  else if (work->digest != NULL)
    tfd_digest_check (work->part->fd, work->length, work->digest, &work->self->abort,
                      &work->failure);
}

static void
take_written (Work *work)
{
  TfdDownload *self = work->self;

  tfd_buffer_drop (g_steal_pointer (&work->kept), work->n_kept);
  self->made = work->outcome == TFD_PART_CREATED;
  self->part->length = work->written;
  /* it may have been told that all of it is there */
  if (work->written < work->n_kept)
    self->client->progressed (TFD_TRANSFER (self), self->user_data);
}

static void
finish_done (gpointer data)
{
  Work *work = data;
  TfdDownload *self = work->self;

  if (work->kept != NULL)
    take_written (work);
  if (self->phase != TFD_PHASE_FINISHING)
    {
      tfd_download_work_ended (self);
      work_free (work);
      return;
    }

  self->pending--;
  if (!self->made)
    tfd_download_opened (self, work->outcome, &work->failure);
  else if (work->failure.context == TFD_ERROR_CONTEXT_NONE)
    {
      self->phase = TFD_PHASE_DONE;
      work->part->record->checkpoint = work->length;
      self->client->done (TFD_TRANSFER (self), self->user_data);
    }
  else
    {
      /* The wrong bytes are of no use to the next try. */
      if (work->failure.code != TFD_ERROR_DIGEST_MISMATCH || tfd_download_restart (self, NULL))
        tfd_download_fail (self, &work->failure);
    }
  work_free (work);
}

void
tfd_download_work_finish (TfdDownload *self)
{
  Work *work = work_new (self);

  work->file = self->file;
  work->digest = self->file->digest;
  work->umask = self->options.umask;
  work->trim = self->part->reserved || self->part->reopened;
  work->outcome = TFD_PART_FAILED;
  work->kept = g_steal_pointer (&self->kept);
  work->n_kept = self->n_kept;
  if (work->kept != NULL)
    tfd_batch_push (self->tools->small, finish_work, finish_done, work,
                    !tfd_download_many_wait (self));
  else if (work->digest != NULL || work->trim)
    tfd_pool_push (work->digest != NULL ? self->tools->hashers : self->tools->pool, finish_work,
                   finish_done, work);
  else
    finish_done (work);
}
