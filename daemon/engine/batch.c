/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Batch: the files of one request of Complete or Cancel, as many as one may have. */
#include "config.h"

#include "engine/work-private.h"

#define FILES_PER_REQUEST 1000
#define BYTES_PER_REQUEST (8 * 1024 * 1024)
#define SOME_BYTES (16 * 1024)

/* (transfer full) (nullable) Those from @first on, up to @next. */
static GVariant *
pack_batch (TfdWork *work, TfdWanted wanted, guint32 first, guint32 *next)
{
  GPtrArray *files = work->job->files;
  GByteArray *rows = NULL;
  guint taken = 0;
  guint32 at;

  for (at = first; at < files->len && taken < FILES_PER_REQUEST &&
                   (rows == NULL || rows->len < BYTES_PER_REQUEST);
       at++)
    if (tfd_work_receives (work, files->pdata[at]) && wanted (work, files->pdata[at]))
      {
        if (rows == NULL)
          rows = g_byte_array_sized_new (SOME_BYTES);
        tfd_request_pack_file (rows, files->pdata[at]);
        taken++;
      }
  *next = at;
  return rows != NULL ? g_variant_ref_sink (tfd_request_packed (rows)) : NULL;
}

void
tfd_work_forget_ahead (TfdWork *work)
{
  g_clear_pointer (&work->ahead, g_variant_unref);
  work->ahead_wanted = NULL;
}

GVariant *
tfd_work_next_batch (TfdWork *work, TfdWanted wanted)
{
  if (work->ahead_wanted == wanted && work->ahead_first == work->cursor)
    {
      work->next = work->ahead_next;
      work->ahead_wanted = NULL;
      return g_steal_pointer (&work->ahead);
    }
  tfd_work_forget_ahead (work);
  return pack_batch (work, wanted, work->cursor, &work->next);
}

void
tfd_work_pack_ahead (TfdWork *work, TfdWanted wanted)
{
  tfd_work_forget_ahead (work);
  work->ahead = pack_batch (work, wanted, work->next, &work->ahead_next);
  if (work->ahead == NULL)
    return;
  work->ahead_wanted = wanted;
  work->ahead_first = work->next;
}
