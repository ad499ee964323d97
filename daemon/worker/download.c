/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Download: one file on its way from a URL into its temporary: its life. */
#include "config.h"
#include "worker/download-private.h"

#include "common/names.h"
#include "worker/attached.h"
#include "worker/failure.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define STALL_USEC (60 * G_USEC_PER_SEC)

/* A power loss shall cost at most 64 MiB or 5 s of a file, whichever is more: half of both leaves
 * time for the sync itself. A slow file is synced now and then all the same. */
#define CHECKPOINT_BYTES (G_GUINT64_CONSTANT (32) << 20)
#define CHECKPOINT_USEC (G_USEC_PER_SEC * 5 / 2)
#define CHECKPOINT_SLOW_USEC (60 * G_USEC_PER_SEC)

/* A source that changes faster than it can be read. */
#define MAX_RESTARTS 5

static void download_transfer_init (TfdTransferInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (TfdDownload,
                               tfd_download,
                               G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (TFD_TYPE_TRANSFER, download_transfer_init))

static void
tfd_download_finalize (GObject *object)
{
  TfdDownload *self = TFD_DOWNLOAD (object);

  tfd_download_drop_request (self);
  if (self->given != NULL)
    tfd_body_drop_stream (self->given);
  g_clear_object (&self->given);
  tfd_download_drop_kept (self);
  g_clear_pointer (&self->part, tfd_part_unref);
  g_clear_pointer (&self->file, tfd_file_free);
  g_clear_pointer (&self->writer, tfd_writer_unref);
  tfd_login_unref (self->options.login);
  g_free (self->url);
  g_free (self->job);

  G_OBJECT_CLASS (tfd_download_parent_class)->finalize (object);
}

static void
tfd_download_class_init (TfdDownloadClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = tfd_download_finalize;
}

static void
tfd_download_init (TfdDownload *self)
{
  self->total = TFD_SIZE_UNKNOWN;
  self->source_fd = -1;
}

TfdDownload *
tfd_download_new (const char *job,
                  TfdFile *file,
                  const TfdRunOptions *options,
                  const TfdTools *tools,
                  const TfdTransferClient *client,
                  gpointer user_data)
{
  TfdDownload *self = g_object_new (TFD_TYPE_DOWNLOAD, NULL);

  self->job = g_strdup (job);
  self->file = file;
  self->options = *options;
  tfd_login_ref (self->options.login);
  self->tools = tools;
  self->client = client;
  self->user_data = user_data;
  self->url = g_strdup (file->url);

  return self;
}

void
tfd_download_set_answer (TfdDownload *self, SoupMessage *message, GInputStream *stream)
{
  self->message = g_object_ref (message);
  self->headers = soup_message_headers_ref (soup_message_get_response_headers (message));
  self->given = g_object_ref (stream);
}

void
tfd_download_drop_request (TfdDownload *self)
{
  self->serial++;
  self->source_fd = -1;
  g_clear_pointer (&self->body, tfd_body_free);
  if (self->cancellable != NULL)
    g_cancellable_cancel (self->cancellable);
  g_clear_object (&self->cancellable);
  g_clear_object (&self->message);
  g_clear_pointer (&self->lane, tfd_lane_drop);
  g_clear_pointer (&self->headers, soup_message_headers_unref);
  g_clear_pointer (&self->reason, g_free);
}

void
tfd_download_fail (TfdDownload *self, const TfdFailure *failure)
{
  self->phase = TFD_PHASE_FAILED;
  tfd_download_drop_request (self);
  tfd_download_drop_kept (self);
  self->client->failed (TFD_TRANSFER (self), failure, self->user_data);
}

void
tfd_download_fail_with (TfdDownload *self,
                        TfdErrorCode code,
                        TfdErrorContext context,
                        const char *message)
{
  g_auto (TfdFailure) failure = { 0 };

  tfd_failure_set (&failure, code, context, "%s", message);
  tfd_download_fail (self, &failure);
}

gboolean
tfd_download_restart (TfdDownload *self, const char *reason)
{
  g_auto (TfdFailure) failure = { 0 };
  gboolean had_bytes = self->part->length > 0;

  self->epoch++;
  self->checkpoint_length = 0;
  tfd_record_forget_source (self->part->record);
  self->total = TFD_SIZE_UNKNOWN;
  if (had_bytes && !tfd_part_truncate (self->part, 0, &failure))
    {
      tfd_download_fail (self, &failure);
      return FALSE;
    }
  if (had_bytes && reason != NULL)
    {
      self->client->event (TFD_TRANSFER (self), "restarted",
                           g_variant_new_parsed ("@a{sv} {'reason': <%s>}", reason),
                           self->user_data);
      if (++self->restarts > MAX_RESTARTS)
        {
          tfd_download_fail_with (self, TFD_ERROR_REMOTE_FILE_CHANGED,
                                  TFD_ERROR_CONTEXT_REMOTE_FILE,
                                  "the remote file changes again and again");
          return FALSE;
        }
    }
  self->client->progressed (TFD_TRANSFER (self), self->user_data);

  return TRUE;
}

void
tfd_download_changed (TfdDownload *self, gboolean at_once)
{
  if (self->made)
    self->client->changed (TFD_TRANSFER (self), at_once, self->user_data);
}

void
tfd_download_distrust (TfdDownload *self)
{
  self->settled = TRUE;
  g_clear_pointer (&self->part->record->boot, g_free);
  tfd_download_changed (self, FALSE);
}

void
tfd_download_request (TfdDownload *self)
{
  self->last_activity = g_get_monotonic_time ();
  self->phase = TFD_PHASE_REQUESTING;
  if (self->given != NULL)
    tfd_request_take_given (self);
  else if (self->url == NULL)
    tfd_download_ask_nobody (self);
  else if (g_ascii_strncasecmp (self->url, "file:", 5) == 0)
    tfd_file_url_read (self);
  else
    tfd_request_send (self);
}

static void
download_go (TfdTransfer *transfer)
{
  TfdDownload *self = TFD_DOWNLOAD (transfer);
  if (self->phase == TFD_PHASE_WAITING)
    tfd_download_request (self);
}

/* What is there is settled: the part ends where it may be continued. */
static void
proceed (TfdDownload *self)
{
  const TfdRecord *record = self->part->record;
  gboolean complete = record->size != TFD_SIZE_UNKNOWN && record->size == self->part->length;

  self->checkpoint_time = g_get_monotonic_time ();
  self->checkpoint_length = record->checkpoint;
  self->total = record->size;

  if (complete && self->part->length > 0)
    {
      self->client->answered (TFD_TRANSFER (self), self->user_data);
      self->client->progressed (TFD_TRANSFER (self), self->user_data);
      tfd_download_finish (self);
      return;
    }
  if (self->options.dynamic_content || record->validator == NULL ||
      self->part->length > record->size)
    {
      if (!tfd_download_restart (self, self->options.dynamic_content || record->validator == NULL
                                           ? "it cannot be continued"
                                           : "the temporary file is longer than it may be"))
        return;
    }
  tfd_download_changed (self, FALSE);
  self->client->progressed (TFD_TRANSFER (self), self->user_data);
  tfd_download_request (self);
}

void
tfd_download_resumed (TfdDownload *self, int error_number)
{
  g_auto (TfdFailure) failure = { 0 };

  if (error_number != 0)
    {
      tfd_download_distrust (self);
      tfd_failure_set_errno (&failure, error_number, "syncing the temporary file in",
                             self->part->directory->path);
      tfd_download_fail (self, &failure);
      return;
    }

  self->part->record->checkpoint = self->part->length;
  proceed (self);
}

/* A part that was opened again: how much of it counts? */
static void
judge_length (TfdDownload *self)
{
  g_auto (TfdFailure) failure = { 0 };
  TfdPart *part = self->part;
  guint64 checkpoint = part->record->checkpoint;

  if (part->length > 0 && tfd_part_length_counts (part))
    {
      tfd_download_work_resume (self);
      return;
    }

  /* Shorter than what was once on the disk: somebody has been at it. */
  if (part->length < checkpoint)
    checkpoint = 0;
  if (!tfd_part_truncate (part, checkpoint, &failure))
    tfd_download_fail (self, &failure);
  else
    proceed (self);
}

gboolean
tfd_download_opened (TfdDownload *self, TfdPartOutcome outcome, const TfdFailure *failure)
{
  self->made = outcome == TFD_PART_CREATED || outcome == TFD_PART_REOPENED;
  if (self->made)
    return TRUE;

  if (outcome == TFD_PART_FAILED)
    {
      tfd_download_fail (self, failure);
      return FALSE;
    }
  self->phase = TFD_PHASE_FAILED;
  if (outcome == TFD_PART_FOREIGN)
    self->client->replaced (TFD_TRANSFER (self), self->user_data);
  else
    self->client->missing (TFD_TRANSFER (self), self->user_data);
  return FALSE;
}

static void
download_start (TfdTransfer *transfer)
{
  TfdDownload *self = TFD_DOWNLOAD (transfer);
  g_auto (TfdFailure) failure = { 0 };
  g_autoptr (TfdDirectory) directory = NULL;
  TfdPartOutcome outcome;

  self->phase = TFD_PHASE_PREPARING;
  directory = tfd_attached_directory (self->file, self->tools->directories, &failure);
  if (directory == NULL)
    {
      tfd_download_fail (self, &failure);
      return;
    }
  if (tfd_download_may_be_small (self))
    {
      self->part = tfd_part_new (directory, self->job, self->file);
      proceed (self);
      return;
    }

  outcome =
      tfd_part_open (directory, self->job, self->file, self->options.umask, &self->part, &failure);
  if (!tfd_download_opened (self, outcome, &failure))
    return;
  self->source_told = outcome == TFD_PART_REOPENED;
  if (outcome == TFD_PART_REOPENED)
    judge_length (self);
  else
    proceed (self);
}

/* Nothing runs any more for a download that is being stopped. */
static void
settle (TfdDownload *self)
{
  TfdPart *part = self->part;

  if (self->made && part->length > self->checkpoint_length && !self->options.high_performance &&
      !self->settled)
    {
      self->settled = TRUE; /* a sync that fails is not tried again */
      tfd_download_work_checkpoint (self);
      return;
    }

  self->phase = TFD_PHASE_STOPPED;
  self->client->stopped (TFD_TRANSFER (self), self->user_data);
}

void
tfd_download_work_ended (TfdDownload *self)
{
  self->pending--;
  if (self->pending > 0)
    return;

  if (self->phase == TFD_PHASE_STOPPING)
    settle (self);
  else if (self->phase == TFD_PHASE_FINISHING)
    tfd_download_work_finish (self);
}

static void
download_stop (TfdTransfer *transfer)
{
  g_autoptr (TfdDownload) self = g_object_ref (TFD_DOWNLOAD (transfer));

  /* What has arrived is kept; whatever the flush runs into does not matter any more, even if that
   * is a reason to be stopped. */
  if (self->phase == TFD_PHASE_BODY && self->body != NULL)
    tfd_body_flush (self->body);
  if (self->phase >= TFD_PHASE_STOPPING)
    return;

  self->phase = TFD_PHASE_STOPPING;
  g_atomic_int_set (&self->abort, 1);
  tfd_download_drop_request (self);
  if (self->pending > 0)
    return;

  settle (self);
}

static void
download_checkpoint (TfdTransfer *transfer)
{
  TfdDownload *self = TFD_DOWNLOAD (transfer);
  if (self->checkpointing || self->phase != TFD_PHASE_BODY || self->body == NULL ||
      !tfd_body_flush (self->body))
    return;

  if (self->queued > 0)
    self->asked = TRUE;
  else if (self->part->length > self->checkpoint_length)
    tfd_download_work_checkpoint (self);
}

static gboolean
download_is_checkpointing (TfdTransfer *transfer)
{
  return TFD_DOWNLOAD (transfer)->checkpointing || TFD_DOWNLOAD (transfer)->asked;
}

static void
download_tick (TfdTransfer *transfer, gint64 now)
{
  TfdDownload *self = TFD_DOWNLOAD (transfer);
  gint64 last = self->body != NULL ? tfd_body_get_last_read (self->body) : self->last_activity;
  guint64 fresh;

  if (self->phase != TFD_PHASE_REQUESTING && self->phase != TFD_PHASE_BODY)
    return;

  if (now - last >= STALL_USEC)
    {
      tfd_download_fail_with (self, TFD_ERROR_TIMED_OUT, TFD_ERROR_CONTEXT_TRANSPORT,
                              self->body != NULL ? "the server sent nothing for 60 seconds"
                                                 : "the server did not answer within 60 seconds");
      return;
    }
  /* What is being handed over moves by itself. */
  if (self->body == NULL ||
      (!tfd_body_has_handed_over (self->body) && !tfd_body_flush (self->body)))
    return;

  fresh = self->part->length - MIN (self->checkpoint_length, self->part->length);
  if (self->options.high_performance || self->checkpointing || fresh == 0)
    return;
  if ((fresh >= CHECKPOINT_BYTES && now - self->checkpoint_time >= CHECKPOINT_USEC) ||
      now - self->checkpoint_time >= CHECKPOINT_SLOW_USEC)
    tfd_download_work_checkpoint (self);
}

static const TfdFile *
download_get_file (TfdTransfer *transfer)
{
  return TFD_DOWNLOAD (transfer)->file;
}

static TfdPart *
download_get_part (TfdTransfer *transfer)
{
  return TFD_DOWNLOAD (transfer)->part;
}

static GVariant *
download_get_record (TfdTransfer *transfer)
{
  TfdDownload *self = TFD_DOWNLOAD (transfer);

  return self->made ? tfd_record_to_variant (self->part->record) : NULL;
}

static guint64
download_get_length (TfdTransfer *transfer)
{
  TfdPart *part = TFD_DOWNLOAD (transfer)->part;

  return part != NULL ? part->length : 0;
}

static guint64
download_get_total (TfdTransfer *transfer)
{
  return TFD_DOWNLOAD (transfer)->total;
}

static const char *
download_get_url (TfdTransfer *transfer)
{
  return TFD_DOWNLOAD (transfer)->url;
}

static void
download_transfer_init (TfdTransferInterface *iface)
{
  iface->start = download_start;
  iface->go = download_go;
  iface->stop = download_stop;
  iface->checkpoint = download_checkpoint;
  iface->is_checkpointing = download_is_checkpointing;
  iface->tick = download_tick;
  iface->get_file = download_get_file;
  iface->get_part = download_get_part;
  iface->get_record = download_get_record;
  iface->get_length = download_get_length;
  iface->get_total = download_get_total;
  iface->get_url = download_get_url;
}
