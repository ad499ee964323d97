/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Look: has a process with the rights of a user look at the program that calls. The daemon itself
 * has not the right to look into programs of others. */
#include "config.h"

#include "common/sandbox-id.h"
#include "engine/engine-private.h"

static void
looked_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = G_TASK (user_data);
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) answer =
      tfd_transport_request_finish (TFD_TRANSPORT (source), result, NULL, &error);

  if (answer != NULL)
    g_task_return_pointer (task, g_steal_pointer (&answer), (GDestroyNotify) g_variant_unref);
  else if (g_error_matches (error, TFD_ERROR, TFD_ERROR_OWNER_GONE))
    g_task_return_error (task, g_steal_pointer (&error));
  else
    g_task_return_new_error (task, TFD_ERROR, TFD_ERROR_WORKER_LOST,
                             "who calls could not be found out, try again: %s", error->message);
}

void
tfd_engine_look_at_async (TfdEngine *self,
                          const TfdOwner *owner,
                          guint32 pid,
                          gint64 since,
                          GAsyncReadyCallback callback,
                          gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (self, NULL, callback, user_data);

  g_task_set_name (task, "look at process");
  tfd_transport_request_async (self->transport, owner, "LookAt",
                               g_variant_new ("(ut)", pid, (guint64) since), looked_cb,
                               g_steal_pointer (&task));
}

char *
tfd_engine_look_at_finish (TfdEngine *self G_GNUC_UNUSED,
                           GAsyncResult *result,
                           gboolean *no_network,
                           GError **error)
{
  g_autoptr (GVariant) answer = g_task_propagate_pointer (G_TASK (result), error);
  const char *id;

  if (answer == NULL)
    return NULL;
  g_variant_get (answer, "(&sb)", &id, no_network);
  if (tfd_sandbox_id_is_valid (id))
    return g_strdup (id);
  /* a process of the user's own may say what it likes, but not that it is outside */
  *no_network = TRUE;
  return g_strdup (TFD_SANDBOX_UNKNOWN);
}
