/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Checkpoint: running transfers put on the disk what they have, before the machine sleeps. */
#include "config.h"

#include "engine/engine-private.h"

static void
checkpointed_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = G_TASK (user_data);
  guint *left = g_task_get_task_data (task);
  g_autoptr (GVariant) answer G_GNUC_UNUSED =
      tfd_transport_request_finish (TFD_TRANSPORT (source), result, NULL, NULL);

  /* a worker that is lost meanwhile has nothing more to sync */
  if (--*left == 0)
    g_task_return_boolean (task, TRUE);
}

static void
ask_worker (TfdEngine *self, TfdJob *job, GTask *task)
{
  TfdOwner owner = tfd_job_owner (job);
  guint *left = g_task_get_task_data (task);

  ++*left;
  tfd_transport_request_async (self->transport, &owner, "Checkpoint", g_variant_new ("()"),
                               checkpointed_cb, g_object_ref (task));
}

void
tfd_engine_checkpoint_async (TfdEngine *self, GAsyncReadyCallback callback, gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (self, NULL, callback, user_data);
  g_autoptr (GHashTable) users = g_hash_table_new (NULL, NULL);
  GHashTableIter iter;
  TfdJob *job;
  guint *left = g_new0 (guint, 1);

  g_task_set_name (task, "checkpoint");
  g_task_set_task_data (task, left, g_free);
  *left = 1; /* ourselves, until everybody is asked */
  g_hash_table_iter_init (&iter, self->runs);
  while (g_hash_table_iter_next (&iter, NULL, (gpointer *) &job))
    if (job->run->started && !job->run->stopping &&
        g_hash_table_add (users, GUINT_TO_POINTER (job->record->owner_uid)))
      ask_worker (self, job, task);
  tfd_outbox_flush (self->outbox);
  if (--*left == 0)
    g_task_return_boolean (task, TRUE);
}

gboolean
tfd_engine_checkpoint_finish (TfdEngine *self G_GNUC_UNUSED, GAsyncResult *result, GError **error)
{
  return g_task_propagate_boolean (G_TASK (result), error);
}
