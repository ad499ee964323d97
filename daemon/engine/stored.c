/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Stored: how much of the disk the words of one user take: URLs, paths, header fields; and what is
 * kept of jobs that have ended. Added up as they come; only when that seems too much is it measured
 * what is there by now. */
#include "config.h"

#include "engine/engine-private.h"

/* A measurement may take this part of the time: whoever is at the limit cannot keep the service
 * busy with it. */
#define SHARE_OF_TIME 20

/* This part of the history may come before it is looked how much there is. */
#define SHARE_OF_HISTORY 16

static gboolean
measure (TfdEngine *self, guint32 uid, TfdWorkerState *state, GError **error)
{
  gint64 begin = tfd_clock_now_boot (self->clock), end;

  if (!tfd_store_measure_user (self->store, uid, &state->stored, error))
    return FALSE;
  end = tfd_clock_now_boot (self->clock);
  state->measured = TRUE;
  state->measure_again = end + (end - begin) * SHARE_OF_TIME;
  return TRUE;
}

gboolean
tfd_engine_check_stored (TfdEngine *self, guint32 uid, guint64 more, GError **error)
{
  TfdWorkerState *state = tfd_engine_worker_state (self, uid);

  if (!state->measured || (state->stored + more > self->most_stored &&
                           tfd_clock_now_boot (self->clock) >= state->measure_again))
    if (!measure (self, uid, state, error))
      return FALSE;
  if (state->stored + more > self->most_stored)
    {
      g_set_error (error, TFD_ERROR, TFD_ERROR_LIMITS_EXCEEDED,
                   "your jobs would take %" G_GUINT64_FORMAT " bytes for URLs, paths and the like, "
                   "at most %" G_GUINT64_FORMAT " are allowed",
                   state->stored + more, self->most_stored);
      return FALSE;
    }
  state->stored += more;
  return TRUE;
}

void
tfd_engine_count_leftover (TfdEngine *self, const TfdLeftover *leftover)
{
  TfdWorkerState *state = tfd_engine_worker_state (self, leftover->owner_uid);

  state->stored += TFD_STORED_PER_FILE + strlen (leftover->path) +
                   (leftover->part != NULL ? g_variant_get_size (leftover->part) : 0) +
                   (leftover->url != NULL ? strlen (leftover->url) : 0) +
                   (leftover->options != NULL ? g_variant_get_size (leftover->options) : 0);
}

/* ---- history ---- */

static guint64
size_of_tombstone (const TfdTombstone *tombstone)
{
  guint64 size = TFD_STORED_PER_JOB + g_variant_get_size (tombstone->kept) +
                 g_variant_get_size (tombstone->discarded);

  for (guint i = 0; tombstone->undeleted[i] != NULL; i++)
    size += strlen (tombstone->undeleted[i]) + 1;
  return size;
}

gboolean
tfd_engine_add_tombstone (TfdEngine *self, const TfdTombstone *tombstone, GError **error)
{
  TfdWorkerState *state = tfd_engine_worker_state (self, tombstone->owner_uid);
  guint64 size = size_of_tombstone (tombstone);

  if (!tfd_store_add_tombstone (self->store, tombstone, error))
    return FALSE;
  /* the administrator is not limited */
  if (tombstone->owner_uid == 0)
    return TRUE;
  if (state->history_room >= size)
    {
      state->history_room -= size;
      return TRUE;
    }
  state->history_room = self->most_history / SHARE_OF_HISTORY;
  return tfd_store_shorten_tombstones (self->store, tombstone->owner_uid, self->most_history,
                                       error);
}

guint64
tfd_engine_size_of_files (GPtrArray *specs)
{
  guint64 size = 0;

  for (guint i = 0; specs != NULL && i < specs->len; i++)
    {
      const TfdFileSpec *spec = specs->pdata[i];

      size += TFD_STORED_PER_FILE + strlen (spec->url) + strlen (spec->path) +
              (spec->options != NULL ? g_variant_get_size (spec->options) : 0);
    }
  return size;
}
