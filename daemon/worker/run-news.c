/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Run, its news: what a run hears from its transfers and what it tells transferd, in batches. */
#include "config.h"
#include "worker/run-private.h"

#include "common/names.h"
#include "common/packed.h"
#include "worker/failure.h"
#include "worker/upload.h"

/* Until a run says that a server has answered. */
#define CONNECTED_MSEC 20

/* Files that wait, from which on a connection of their own is worth its making. */
#define MANY 8

/* Bytes of rows of files that are done, with which transferd has enough to do: what is left to do
 * after the last file is waited for. */
#define MANY_DONE (64 * 1024)

void
tfd_run_add_progress (TfdRun *run, GVariantBuilder *builder, gboolean *any)
{
  g_auto (GVariantBuilder) files = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE ("a(utt)"));
  gboolean moved = FALSE;

  for (guint i = 0; i < run->active->len; i++)
    {
      TfdRunItem *item = run->active->pdata[i];

      if (!item->moved)
        continue;
      item->moved = FALSE;
      moved = TRUE;
      g_variant_builder_add (&files, "(utt)", tfd_run_item_index (item),
                             tfd_transfer_get_length (item->transfer),
                             tfd_transfer_get_total (item->transfer));
    }
  if (!moved)
    return;

  *any = TRUE;
  g_variant_builder_add (builder, "(ta(utt))", run->number, &files);
}

void
tfd_run_tell_connected (TfdRun *run)
{
  if (run->connect_source == 0)
    return;

  g_clear_handle_id (&run->connect_source, g_source_remove);
  run->connected = TRUE;
  run->runs->news->connected (run->number, run->runs->user_data);
}

static void
tell_parts (TfdRun *run)
{
  GVariantBuilder builder = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE ("a(ua{sv})"));
  gboolean any = g_hash_table_size (run->parts) > 0;
  GHashTableIter iter;
  gpointer index, record;

  g_hash_table_iter_init (&iter, run->parts);
  while (g_hash_table_iter_next (&iter, &index, &record))
    g_variant_builder_add (&builder, "(u@a{sv})", GPOINTER_TO_UINT (index), record);
  g_hash_table_remove_all (run->parts);

  /* After those: a file may have been handed in again meanwhile. */
  for (guint i = 0; i < run->active->len; i++)
    {
      TfdRunItem *item = run->active->pdata[i];

      if (!item->changed)
        continue;
      any = TRUE;
      item->changed = FALSE;
      g_variant_builder_add (&builder, "(u@a{sv})", tfd_run_item_index (item),
                             tfd_transfer_get_record (item->transfer));
    }
  if (!any)
    {
      g_variant_builder_clear (&builder);
      return;
    }

  run->runs->news->parts (run->number, g_variant_builder_end (&builder), run->runs->user_data);
}

static void
tell_files_done (TfdRun *run)
{
  g_autoptr (GBytes) done = NULL;

  if (run->done->len == 0)
    return;

  tfd_run_tell_connected (run);
  done = g_byte_array_free_to_bytes (g_steal_pointer (&run->done));
  run->done = g_byte_array_new ();
  run->runs->news->files_done (run->number,
                               g_variant_new_from_bytes (G_VARIANT_TYPE_BYTESTRING, done, TRUE),
                               run->runs->user_data);
}

void
tfd_run_tell (TfdRun *run)
{
  tell_parts (run);
  tell_files_done (run);
}

static gboolean
connected_cb (gpointer user_data)
{
  tfd_run_tell_connected (user_data);

  return G_SOURCE_REMOVE;
}

/* Not at once: a small file, if it is all there is, is done before anybody could have looked, and
 * says as much. */
static void
tell_connected_soon (TfdRun *run)
{
  if (!run->connected && run->connect_source == 0)
    run->connect_source = g_timeout_add (CONNECTED_MSEC, connected_cb, run);
}

static gboolean
close_cb (gpointer user_data)
{
  TfdRun *run = user_data;

  run->close_source = 0;
  tfd_run_close (run, NULL, NULL);

  return G_SOURCE_REMOVE;
}

/* One failure ends the run, but not from within the transfer that met it. */
static void
fail (TfdRun *run, guint32 index, const TfdFailure *failure)
{
  if (run->failed)
    return;

  run->failed = TRUE;
  tfd_failure_copy (failure, &run->failure);
  run->failure.file = index;
  if (!run->closing && run->close_source == 0)
    run->close_source = g_idle_add_full (G_PRIORITY_DEFAULT, close_cb, run, NULL);
}

gboolean
tfd_run_item_take_connection (TfdRunItem *item)
{
  item->background = !item->run->options.foreground;
  item->holds = tfd_runs_take_connection (item->run->runs, item->host, item->background);

  return item->holds;
}

static void
release (TfdRunItem *item)
{
  if (item->holds)
    tfd_runs_give_connection (item->run->runs, item->host, item->background);
  item->holds = FALSE;
  item->host = NULL;
}

static void
answered_cb (G_GNUC_UNUSED TfdTransfer *transfer, gpointer user_data)
{
  tell_connected_soon (((TfdRunItem *) user_data)->run);
}

static void
changed_cb (G_GNUC_UNUSED TfdTransfer *transfer, gboolean at_once, gpointer user_data)
{
  TfdRunItem *item = user_data;
  TfdRun *run = item->run;

  /* What it is then is told: a small file may be done before. */
  item->changed = TRUE;
  if (at_once)
    tell_parts (run);
  else
    tfd_runs_tell_soon (run->runs);
}

static void
commit_cb (TfdTransfer *transfer, gpointer user_data)
{
  TfdRunItem *item = user_data;
  TfdRun *run = item->run;
  guint32 index = tfd_run_item_index (item);

  item->changed = FALSE;
  g_hash_table_remove (run->parts, GUINT_TO_POINTER (index));
  run->runs->news->commit (run->number, index, tfd_transfer_get_record (transfer),
                           run->runs->user_data);
}

/* A file counts with what it will have, once that is known: what was thrown away does not count. */
static void
set_size (TfdRunItem *item, guint64 size)
{
  item->run->size -= item->size;
  item->size = MIN (size, G_MAXUINT64 - item->run->size);
  item->run->size += item->size;
}

static gboolean
fits (const TfdRun *run)
{
  return run->options.maximum_size == 0 || run->size <= run->options.maximum_size;
}

/* The limit is one of what is received. */
static void
count (TfdRunItem *item)
{
  guint64 length = tfd_transfer_get_length (item->transfer);
  guint64 total = tfd_transfer_get_total (item->transfer);

  if (!TFD_IS_UPLOAD (item->transfer))
    set_size (item, total == TFD_SIZE_UNKNOWN ? length : MAX (length, total));
}

static gboolean
allows_cb (G_GNUC_UNUSED TfdTransfer *transfer, guint64 total, gpointer user_data)
{
  TfdRunItem *item = user_data;

  set_size (item, total);

  return fits (item->run);
}

static gboolean
progressed_cb (G_GNUC_UNUSED TfdTransfer *transfer, gpointer user_data)
{
  TfdRunItem *item = user_data;

  item->moved = TRUE;
  count (item);

  return fits (item->run);
}

static gboolean
moved_cb (TfdTransfer *transfer, G_GNUC_UNUSED const char *host, gpointer user_data)
{
  TfdRunItem *item = user_data;
  TfdRuns *runs = item->run->runs;

  release (item);
  item->host = tfd_runs_get_host (runs, tfd_transfer_get_url (transfer));

  return tfd_run_item_take_connection (item);
}

static gboolean
many_wait_cb (G_GNUC_UNUSED TfdTransfer *transfer, gpointer user_data)
{
  return ((TfdRunItem *) user_data)->run->waiting.length >= MANY;
}

static void
released_cb (G_GNUC_UNUSED TfdTransfer *transfer, gpointer user_data)
{
  release (user_data);
}

/* Takes it out of those under way without freeing it. */
static void
take_out (TfdRunItem *item)
{
  GPtrArray *active = item->run->active;
  guint at;

  if (!g_ptr_array_find (active, item, &at))
    return;
  g_ptr_array_set_free_func (active, NULL);
  g_ptr_array_remove_index_fast (active, at);
  g_ptr_array_set_free_func (active, (GDestroyNotify) tfd_run_item_free);
}

/* Nothing is to be done for it any more. */
static void
finished (TfdRunItem *item)
{
  TfdRun *run = item->run;

  run->runs->open_files--;
  tfd_runs_pump_later (run->runs);
  tfd_run_item_free (item);
  tfd_run_end_if_settled (run);
}

static void
pack_done (GByteArray *to, TfdRunItem *item)
{
  g_autoptr (GVariant) record = g_variant_ref_sink (tfd_transfer_get_record (item->transfer));
  gsize size = g_variant_get_size (record);

  tfd_pack_uint32 (to, tfd_run_item_index (item));
  tfd_pack_uint64 (to, tfd_transfer_get_length (item->transfer));
  tfd_pack_bytes (to, size > 0 ? g_variant_get_data (record) : "", size);
}

/* Nothing else of the run is under way: transferd waits for this. */
static gboolean
is_last (const TfdRun *run)
{
  return run->active->len == 0 && run->waiting.length == 0 && run->syncing <= 1;
}

static void
tell_done (TfdRunItem *item)
{
  TfdRun *run = item->run;
  gpointer index = GUINT_TO_POINTER (tfd_run_item_index (item));

  if (item->held != NULL)
    {
      g_hash_table_remove (run->parts, GUINT_TO_POINTER (TFD_REPLY_INDEX));
      g_byte_array_append (run->done, item->held->data, item->held->len);
      g_clear_pointer (&item->held, g_byte_array_unref);
    }
  g_hash_table_remove (run->parts, index);
  g_hash_table_remove (run->indices, index);
  pack_done (run->done, item);
  if (is_last (run))
    {
      g_clear_handle_id (&run->connect_source, g_source_remove);
      run->connected = TRUE;
      tfd_run_tell (run);
    }
  else if (run->done->len >= MANY_DONE)
    tell_files_done (run);
  else
    tfd_runs_tell_soon (run->runs);
}

static void
done_cb (TfdTransfer *transfer, gpointer user_data)
{
  TfdRunItem *item = user_data;
  TfdRun *run = item->run;
  TfdPart *part = tfd_transfer_get_part (transfer);

  tell_connected_soon (run);
  count (item);
  take_out (item);
  if (part == NULL)
    {
      tell_done (item);
      finished (item);
      return;
    }

  /* The group sync has it now. What it is there is told together with its being done: who dies
   * before that leaves a temporary whose name alone is known, which is enough to find it. */
  run->syncing++;
  tfd_sync_add (run->runs->sync, part, item);
  /* The last of its job is what somebody waits for. Others join the group while one is synced. */
  if (run->active->len == 0 && run->waiting.length == 0)
    tfd_sync_flush (run->runs->sync);
  tfd_runs_pump_later (run->runs);
}

/* The upload that waits for this reply; NULL when @item is no reply, or the run is being closed. */
static TfdRunItem *
replied_to (TfdRunItem *item)
{
  TfdRun *run = item->run;

  if (!tfd_file_is_reply (run->options.type, tfd_run_item_index (item)))
    return NULL;
  for (guint i = 0; i < run->active->len; i++)
    {
      TfdRunItem *other = run->active->pdata[i];

      if (TFD_IS_UPLOAD (other->transfer))
        return other;
    }

  return NULL;
}

/* The record is stored at once: a server may be told next that it can forget the reply. */
static void
reply_is_here (TfdRunItem *item)
{
  TfdRun *run = item->run;
  TfdRunItem *upload = replied_to (item);

  g_hash_table_insert (run->parts, GUINT_TO_POINTER (tfd_run_item_index (item)),
                       g_variant_ref_sink (tfd_transfer_get_record (item->transfer)));
  if (upload == NULL)
    return;

  g_clear_pointer (&upload->held, g_byte_array_unref);
  upload->held = g_byte_array_new ();
  pack_done (upload->held, item);
  tfd_upload_replied (TFD_UPLOAD (upload->transfer));
}

static void
sync_failed (TfdRunItem *item, int error_number)
{
  TfdRun *run = item->run;
  TfdPart *part = tfd_transfer_get_part (item->transfer);
  guint32 index = tfd_run_item_index (item);
  g_auto (TfdFailure) failure = { 0 };

  /* The next sync would succeed although bytes were lost: nothing of the file counts. */
  g_clear_pointer (&part->record->boot, g_free);
  part->record->checkpoint = 0;
  g_hash_table_insert (run->parts, GUINT_TO_POINTER (index),
                       g_variant_ref_sink (tfd_record_to_variant (part->record)));
  tfd_failure_set_errno (&failure, error_number, "syncing a temporary file in",
                         part->directory->path);
  fail (run, index, &failure);
}

void
tfd_run_synced (gpointer data, int error_number, G_GNUC_UNUSED gpointer user_data)
{
  TfdRunItem *item = data;

  if (error_number != 0)
    sync_failed (item, error_number);
  else if (tfd_file_is_reply (item->run->options.type, tfd_run_item_index (item)))
    reply_is_here (item);
  else
    tell_done (item);
  item->run->syncing--;
  finished (item);
}

static void
failed_cb (G_GNUC_UNUSED TfdTransfer *transfer, const TfdFailure *failure, gpointer user_data)
{
  TfdRunItem *item = user_data;

  release (item);
  fail (item->run, tfd_run_item_index (item), failure);
}

static void
stopped_cb (TfdTransfer *transfer, gpointer user_data)
{
  TfdRunItem *item = user_data;
  TfdRun *run = item->run;
  GVariant *last = tfd_transfer_get_record (transfer);
  g_autoptr (GVariant) record = last != NULL ? g_variant_ref_sink (last) : NULL;
  guint32 index = tfd_run_item_index (item);

  release (item);
  set_size (item, 0);
  if (record != NULL && run->closing)
    {
      g_variant_builder_add (run->final, "(u@a{sv})", index, record);
      g_hash_table_insert (run->parts, GUINT_TO_POINTER (index), g_steal_pointer (&record));
    }
  if (run->closing)
    tfd_runs_tell_progress (run->runs, run);
  run->runs->open_files--;
  g_hash_table_remove (run->indices, GUINT_TO_POINTER (index));
  g_ptr_array_remove_fast (run->active, item);
  tfd_run_end_if_settled (run);
}

/* It is for transferd to say how the file goes on: it may be handed in again. */
static void
give_back (TfdRunItem *item, const char *kind)
{
  TfdRun *run = item->run;

  run->runs->news->event (run->number, tfd_run_item_index (item), kind,
                          g_variant_new_array (G_VARIANT_TYPE ("{sv}"), NULL, 0),
                          run->runs->user_data);
  tfd_transfer_stop (item->transfer);
}

static void
replaced_cb (G_GNUC_UNUSED TfdTransfer *transfer, gpointer user_data)
{
  give_back (user_data, "part-replaced");
}

static void
missing_cb (G_GNUC_UNUSED TfdTransfer *transfer, gpointer user_data)
{
  give_back (user_data, "part-missing");
}

static void
event_cb (G_GNUC_UNUSED TfdTransfer *transfer,
          const char *kind,
          GVariant *details,
          gpointer user_data)
{
  TfdRunItem *item = user_data;
  TfdRun *run = item->run;

  run->runs->news->event (run->number, tfd_run_item_index (item), kind, details,
                          run->runs->user_data);
}

const TfdTransferClient tfd_run_client = {
  .answered = answered_cb,
  .changed = changed_cb,
  .commit = commit_cb,
  .progressed = progressed_cb,
  .allows = allows_cb,
  .moved = moved_cb,
  .many_wait = many_wait_cb,
  .released = released_cb,
  .done = done_cb,
  .failed = failed_cb,
  .replaced = replaced_cb,
  .missing = missing_cb,
  .stopped = stopped_cb,
  .reply = tfd_run_fetch_reply,
  .event = event_cb,
};
