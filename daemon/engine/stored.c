/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Stored: how much of the disk the words of one user take: URLs, paths, header fields. Added up as
 * they come; only when that seems too much is it measured what is there by now. */
#include "config.h"

#include "engine/engine-private.h"

/* A measurement may take this part of the time: whoever is at the limit cannot keep the service
 * busy with it. */
#define SHARE_OF_TIME 20

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
