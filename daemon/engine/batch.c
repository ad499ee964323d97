/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Batch: the files of one request of Complete or Cancel, as many as one may have; and the end of
 * several that are under way, when one of them has said that the work cannot go on. */
#include "config.h"

#include "engine/work-private.h"

#define BYTES_PER_REQUEST (8 * 1024 * 1024)
#define SOME_BYTES (16 * 1024)

GVariant *
tfd_work_next_batch (TfdWork *work, TfdWanted wanted, guint most)
{
  GPtrArray *files = work->job->files;
  GByteArray *rows = NULL;
  guint taken = 0;
  guint32 at;

  most = MIN (most, work->engine->most_at_once);
  for (at = work->cursor;
       at < files->len && taken < most && (rows == NULL || rows->len < BYTES_PER_REQUEST); at++)
    if (tfd_work_receives (work, files->pdata[at]) && wanted (work, files->pdata[at]))
      {
        if (rows == NULL)
          rows = g_byte_array_sized_new (SOME_BYTES);
        tfd_request_pack_file (rows, files->pdata[at]);
        taken++;
      }
  work->next = at;
  return rows != NULL ? g_variant_ref_sink (tfd_request_packed (rows)) : NULL;
}

gboolean
tfd_work_send_batch (
    TfdWork *work, const char *method, TfdWanted wanted, guint most, GAsyncReadyCallback callback)
{
  g_autoptr (GVariant) files = tfd_work_next_batch (work, wanted, most);
  TfdBatch *batch;

  if (files == NULL)
    return FALSE;
  batch = g_new (TfdBatch, 1);
  *batch = (TfdBatch){ work, work->cursor, work->next, work->step };
  work->cursor = work->next;
  work->under_way++;
  tfd_work_send (
      work, method,
      g_variant_new ("(s@a{sv}@ay)", work->job->record->id, tfd_work_request_options (work), files),
      callback, batch);
  return TRUE;
}

gboolean
tfd_work_is_halted (TfdWork *work)
{
  g_autoptr (GError) error = NULL;
  TfdHalt halt = work->halt;

  if (halt == TFD_HALT_NONE)
    return FALSE;
  if (work->under_way > 0 || work->commits > 0)
    return TRUE;

  work->halt = TFD_HALT_NONE;
  error = g_steal_pointer (&work->halt_error);
  if (halt == TFD_HALT_AGAIN)
    tfd_work_again (work);
  else if (halt == TFD_HALT_VERIFY)
    tfd_work_verify (work);
  else if (halt == TFD_HALT_ANSWER)
    tfd_work_answer_and_go_on (work, error);
  else
    tfd_work_fail (work, g_steal_pointer (&error));
  return TRUE;
}

void
tfd_work_halt (TfdWork *work, TfdHalt halt, GError *error)
{
  /* what could not be recorded has to be found again before anything else is said of the files */
  if (work->halt == TFD_HALT_NONE || halt == TFD_HALT_ANSWER)
    {
      g_clear_error (&work->halt_error);
      work->halt = halt;
      work->halt_error = error;
    }
  else
    g_clear_error (&error);
  tfd_work_is_halted (work);
}
