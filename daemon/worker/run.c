/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Run: one job being transferred, from Start to Stop or the first failure. */
#include "config.h"
#include "worker/run-private.h"

#include "common/names.h"
#include "worker/failure.h"
#include "worker/upload.h"

#include <string.h>

/* How far ahead a file is looked for whose host has a connection free. */
#define LOOK_AHEAD 1024

static void
waiting_free (Waiting *waiting)
{
  g_clear_pointer (&waiting->file, tfd_file_free);
  g_free (waiting);
}

void
tfd_run_item_free (TfdRunItem *item)
{
  g_object_unref (item->transfer);
  g_clear_pointer (&item->held, g_byte_array_unref);
  g_free (item);
}

TfdRun *
tfd_run_new (TfdRuns *runs, guint64 number, const char *job, const TfdRunOptions *options)
{
  TfdRun *run = g_new0 (TfdRun, 1);

  run->runs = runs;
  run->number = number;
  run->job = g_strdup (job);
  run->options = *options;
  g_queue_init (&run->waiting);
  run->active = g_ptr_array_new_with_free_func ((GDestroyNotify) tfd_run_item_free);
  run->indices = g_hash_table_new (g_direct_hash, g_direct_equal);
  run->parts =
      g_hash_table_new_full (g_direct_hash, g_direct_equal, NULL, (GDestroyNotify) g_variant_unref);
  run->done = g_byte_array_new ();

  return run;
}

void
tfd_run_configure (TfdRun *run, const TfdRunOptions *options)
{
  guint64 maximum_size = run->options.maximum_size;

  tfd_login_unref (run->options.login);
  run->options = *options;
  run->options.maximum_size = maximum_size;
}

void
tfd_run_committed (TfdRun *run, guint32 index)
{
  for (guint i = 0; i < run->active->len; i++)
    if (tfd_run_item_index (run->active->pdata[i]) == index)
      {
        tfd_transfer_committed (((TfdRunItem *) run->active->pdata[i])->transfer);
        return;
      }
}

void
tfd_run_free (TfdRun *run)
{
  g_clear_handle_id (&run->close_source, g_source_remove);
  g_clear_handle_id (&run->connect_source, g_source_remove);
  g_queue_clear_full (&run->waiting, (GDestroyNotify) waiting_free);
  g_ptr_array_unref (run->active);
  g_hash_table_unref (run->indices);
  g_hash_table_unref (run->parts);
  g_byte_array_unref (run->done);
  g_clear_pointer (&run->final, g_variant_builder_unref);
  tfd_login_unref (run->options.login);
  tfd_failure_clear (&run->failure);
  g_free (run->job);
  g_free (run);
}

guint64
tfd_run_get_number (TfdRun *run)
{
  return run->number;
}

const char *
tfd_run_get_job (TfdRun *run)
{
  return run->job;
}

guint32
tfd_run_item_index (const TfdRunItem *item)
{
  return tfd_transfer_get_file (item->transfer)->index;
}

void
tfd_run_add_files (TfdRun *run, GPtrArray *files)
{
  if (run->closing)
    return;

  g_ptr_array_set_free_func (files, NULL);
  for (guint i = 0; i < files->len; i++)
    {
      TfdFile *file = files->pdata[i];
      Waiting *waiting;

      /* Never two writers on one temporary. */
      if (file->url == NULL || !g_hash_table_add (run->indices, GUINT_TO_POINTER (file->index)))
        {
          tfd_file_free (file);
          continue;
        }
      waiting = g_new0 (Waiting, 1);
      waiting->file = file;
      waiting->host = tfd_runs_get_host (run->runs, file->url);
      g_queue_push_tail (&run->waiting, waiting);
    }
  tfd_runs_pump_later (run->runs);
}

TfdRunItem *
tfd_run_add_item (TfdRun *run, TfdHost *host, gboolean holds)
{
  TfdRunItem *item = g_new0 (TfdRunItem, 1);

  item->run = run;
  item->host = host;
  item->holds = holds;
  item->background = !run->options.foreground;
  g_ptr_array_add (run->active, item);
  run->runs->open_files++;

  return item;
}

static TfdTransfer *
transfer_new (TfdRun *run, TfdFile *file, TfdRunItem *item)
{
  const TfdTools *tools = &run->runs->tools;

  if (tfd_file_direction (run->options.type, file->index) == TFD_DIRECTION_SEND)
    return TFD_TRANSFER (
        tfd_upload_new (run->job, file, &run->options, tools, &tfd_run_client, item));

  return TFD_TRANSFER (
      tfd_download_new (run->job, file, &run->options, tools, &tfd_run_client, item));
}

void
tfd_run_fetch_reply (G_GNUC_UNUSED TfdTransfer *upload,
                     TfdFile *file,
                     SoupMessage *message,
                     GInputStream *stream,
                     gpointer user_data)
{
  TfdRun *run = ((TfdRunItem *) user_data)->run;
  TfdHost *host = file->url != NULL ? tfd_runs_get_host (run->runs, file->url) : NULL;
  TfdRunItem *item = tfd_run_add_item (run, host, FALSE);
  TfdDownload *download =
      tfd_download_new (run->job, file, &run->options, &run->runs->tools, &tfd_run_client, item);

  item->transfer = TFD_TRANSFER (download);
  if (stream != NULL)
    tfd_download_set_answer (download, message, stream);
  if (host != NULL)
    {
      tfd_runs_pump_later (run->runs);
      return;
    }
  item->begun = TRUE;
  tfd_transfer_start (item->transfer);
}

static void
begin (TfdRunItem *item)
{
  if (item->begun)
    {
      tfd_transfer_go (item->transfer);
      return;
    }
  item->begun = TRUE;
  tfd_transfer_start (item->transfer);
}

static gboolean
start_waiting (TfdRun *run, GList *link)
{
  Waiting *waiting = link->data;
  TfdRunItem *item;

  g_queue_delete_link (&run->waiting, link);
  item = tfd_run_add_item (run, waiting->host, TRUE);
  item->transfer = transfer_new (run, g_steal_pointer (&waiting->file), item);
  waiting_free (waiting);
  begin (item);

  return TRUE;
}

gboolean
tfd_run_start_one (TfdRun *run)
{
  guint looked = 0;

  if (run->closing || run->close_source != 0 ||
      !tfd_runs_may_connect (run->runs, !run->options.foreground))
    return FALSE;

  /* Those that were sent to another host have been waiting longest. */
  for (guint i = 0; i < run->active->len; i++)
    {
      TfdRunItem *item = run->active->pdata[i];

      if (item->holds || item->host == NULL || !tfd_run_item_take_connection (item))
        continue;
      begin (item);
      return TRUE;
    }

  for (GList *l = run->waiting.head; l != NULL && looked < LOOK_AHEAD; l = l->next, looked++)
    {
      Waiting *waiting = l->data;

      if (tfd_runs_take_connection (run->runs, waiting->host, !run->options.foreground))
        return start_waiting (run, l);
    }

  return FALSE;
}

gboolean
tfd_run_is_fetching (TfdRun *run)
{
  return run->active->len > 0 || (run->waiting.length > 0 && !run->closing);
}

void
tfd_run_checkpoint (TfdRun *run)
{
  g_autoptr (GPtrArray) items = g_ptr_array_copy (run->active, NULL, NULL);

  g_ptr_array_set_free_func (items, NULL);
  for (guint i = 0; i < items->len; i++)
    tfd_transfer_checkpoint (((TfdRunItem *) items->pdata[i])->transfer);
}

gboolean
tfd_run_is_checkpointing (TfdRun *run)
{
  for (guint i = 0; i < run->active->len; i++)
    if (tfd_transfer_is_checkpointing (((TfdRunItem *) run->active->pdata[i])->transfer))
      return TRUE;
  return FALSE;
}

void
tfd_run_tick (TfdRun *run, gint64 now)
{
  g_autoptr (GPtrArray) items = g_ptr_array_copy (run->active, NULL, NULL);

  g_ptr_array_set_free_func (items, NULL);
  for (guint i = 0; i < items->len; i++)
    {
      TfdRunItem *item = items->pdata[i];

      tfd_transfer_tick (item->transfer, now);
    }
}

/* Nothing is written any more: the last news, then the end. */
void
tfd_run_end_if_settled (TfdRun *run)
{
  TfdRuns *runs = run->runs;
  g_autoptr (GVariant) parts = NULL;

  if (!run->closing || run->active->len > 0 || run->syncing > 0)
    return;

  tfd_run_tell_connected (run);
  tfd_runs_tell_progress (runs, run);
  tfd_run_tell (run);
  if (run->failed)
    runs->news->failed (run->number, run->failure.file, tfd_failure_to_variant (&run->failure),
                        runs->user_data);
  parts = g_variant_ref_sink (g_variant_builder_end (run->final));
  if (run->stopped != NULL)
    run->stopped (parts, run->stopped_data);

  tfd_runs_remove (runs, run);
}

void
tfd_run_close (TfdRun *run, TfdRunStopped stopped, gpointer user_data)
{
  g_autoptr (GPtrArray) items = NULL;

  if (stopped != NULL)
    {
      run->stopped = stopped;
      run->stopped_data = user_data;
    }
  if (run->closing)
    return;

  g_clear_handle_id (&run->close_source, g_source_remove);
  run->closing = TRUE;
  run->final = g_variant_builder_new (G_VARIANT_TYPE ("a(ua{sv})"));
  g_queue_clear_full (&run->waiting, (GDestroyNotify) waiting_free);

  /* Held once more, so that the run stays while its transfers end. */
  run->syncing++;
  items = g_ptr_array_copy (run->active, NULL, NULL);
  g_ptr_array_set_free_func (items, NULL);
  for (guint i = 0; i < items->len; i++)
    tfd_transfer_stop (((TfdRunItem *) items->pdata[i])->transfer);
  tfd_sync_flush (run->runs->sync);
  run->syncing--;

  tfd_run_end_if_settled (run);
}
