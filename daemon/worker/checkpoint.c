/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Checkpoint: everything that was received goes to the disk, before the machine sleeps. */
#include "config.h"
#include "worker/run.h"

#define POLL_MSEC 50

typedef struct
{
  TfdRuns *runs;
  TfdCheckpointDone done;
  gpointer user_data;
} Checkpoint;

/* Syncs run in the pool and end in any order. What comes in meanwhile is not waited for: the first
 * round asks, the others only look whether what was asked for is done. */
static gboolean
look_cb (gpointer user_data)
{
  Checkpoint *checkpoint = user_data;
  gboolean busy = FALSE;

  for (guint i = 0; i < checkpoint->runs->runs->len; i++)
    busy |= tfd_run_is_checkpointing (checkpoint->runs->runs->pdata[i]);
  if (busy)
    return G_SOURCE_CONTINUE;

  for (guint i = 0; i < checkpoint->runs->runs->len; i++)
    tfd_run_tell (checkpoint->runs->runs->pdata[i]);
  checkpoint->done (checkpoint->user_data);
  g_free (checkpoint);
  return G_SOURCE_REMOVE;
}

void
tfd_runs_checkpoint (TfdRuns *runs, TfdCheckpointDone done, gpointer user_data)
{
  Checkpoint *checkpoint = g_new0 (Checkpoint, 1);

  *checkpoint = (Checkpoint){ .runs = runs, .done = done, .user_data = user_data };
  for (guint i = 0; i < runs->runs->len; i++)
    tfd_run_checkpoint (runs->runs->pdata[i]);
  g_timeout_add (POLL_MSEC, look_cb, checkpoint);
}
