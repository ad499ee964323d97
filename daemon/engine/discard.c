/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Discard: has temporaries deleted, the last step of Complete and the only one of Cancel. */
#include "config.h"

#include "engine/work-private.h"

#define FILES_PER_REQUEST 1000

/* ---- discard ---- */

gboolean
tfd_work_may_have_part (const TfdWork *work, const TfdFileRecord *file)
{
  return file->state != TFD_FILE_STATE_COMPLETED &&
         (work->job->record->resumed || file->part != NULL);
}

static gboolean
wants_discard (const TfdWork *work, const TfdFileRecord *file)
{
  return tfd_work_may_have_part (work, file) &&
         !g_hash_table_contains (work->undeleted, GUINT_TO_POINTER (file->index));
}

static void
note_undeleted (TfdWork *work, GVariant *answer)
{
  g_autoptr (GVariantIter) iter = NULL;
  const char *message;
  GVariant *bytes;
  guint32 index;

  g_variant_get (answer, "(a(uays))", &iter);
  while (g_variant_iter_next (iter, "(u@ay&s)", &index, &bytes, &message))
    {
      g_autofree char *path = tfd_work_path_from_bytes (bytes);

      if (path != NULL && tfd_work_file (work, index) != NULL)
        g_hash_table_insert (work->undeleted, GUINT_TO_POINTER (index),
                             g_utf8_make_valid (path, -1));
      g_variant_unref (bytes);
    }
}

/* No worker can be had: what may be there is tried again later. */
static void
note_all_undeleted (TfdWork *work)
{
  guint unrecorded = 0;

  for (guint32 i = work->cursor; i < work->job->files->len; i++)
    {
      const TfdFileRecord *file = work->job->files->pdata[i];
      g_autofree char *directory = NULL;
      g_autofree char *name = NULL;
      g_autofree char *path = NULL;

      if (!tfd_work_receives (work, file) || !wants_discard (work, file) ||
          (file->part == NULL && unrecorded++ >= TFD_WORK_UNRECORDED))
        continue;
      directory = g_path_get_dirname (file->path);
      name = tfd_part_name (work->job->record->id, file->index, file->attempt);
      path = g_build_filename (directory, name, NULL);
      g_hash_table_insert (work->undeleted, GUINT_TO_POINTER (i), g_utf8_make_valid (path, -1));
    }
}

static void
discarded_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  TfdWork *work = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) answer =
      tfd_transport_request_finish (TFD_TRANSPORT (source), result, NULL, &error);

  if (answer == NULL && work->pauses < TFD_WORK_PAUSES)
    {
      tfd_work_again (work);
      return;
    }
  if (answer == NULL)
    {
      note_all_undeleted (work);
      tfd_work_end (work);
      return;
    }
  note_undeleted (work, answer);
  work->cursor = work->next;
  tfd_work_discard_next (work);
}

void
tfd_work_discard_next (TfdWork *work)
{
  g_autoptr (GVariant) files = NULL;

  /* nobody has the right to touch them */
  if (work->job->record->gone_since != 0)
    {
      note_all_undeleted (work);
      tfd_work_end (work);
      return;
    }
  files = tfd_work_next_batch (work, wants_discard, FILES_PER_REQUEST);
  if (files == NULL)
    tfd_work_end (work);
  else
    tfd_work_send (work, "Discard", g_variant_new ("(s@ay)", work->job->record->id, files),
                   discarded_cb, work);
}
