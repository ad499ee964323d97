/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Identity: who a user id is, asked of the name service in a thread. */
#include "base/identity.h"

#include "common/error.h"

#include <grp.h>
#include <pwd.h>
#include <unistd.h>

#define LOOK_UP_SECONDS 10

void
tfd_identity_free (TfdIdentity *identity)
{
  g_clear_pointer (&identity->groups, g_array_unref);
  g_free (identity->name);
  g_free (identity->home);
  g_free (identity);
}

typedef struct
{
  guint32 uid;
  char *name;    /* (owned) (nullable) expected */
  guint timeout; /* source */
} LookUp;

static void
look_up_free (LookUp *look_up)
{
  g_free (look_up->name);
  g_free (look_up);
}

static void
add_groups (TfdIdentity *identity)
{
  int count = 64;

  identity->groups = g_array_new (FALSE, FALSE, sizeof (gid_t));
  g_array_set_size (identity->groups, (guint) count);
  while (getgrouplist (identity->name, identity->gid, (gid_t *) (gpointer) identity->groups->data,
                       &count) < 0 &&
         count < 65536)
    g_array_set_size (identity->groups, (guint) count);
  g_array_set_size (identity->groups, (guint) MAX (count, 0));
}

static void
look_up_thread (GTask *task,
                gpointer source G_GNUC_UNUSED,
                gpointer data,
                GCancellable *cancellable G_GNUC_UNUSED)
{
  const LookUp *look_up = data;
  g_autofree char *buffer = g_malloc (65536);
  g_autoptr (TfdIdentity) identity = NULL;
  struct passwd entry, *found = NULL;
  int code = getpwuid_r (look_up->uid, &entry, buffer, 65536, &found);

  if (found == NULL && code != 0)
    {
      /* whoever cannot say who somebody is has not said that it is nobody */
      g_task_return_new_error (task, G_IO_ERROR, G_IO_ERROR_FAILED,
                               "the name service does not say who user %u is: %s", look_up->uid,
                               g_strerror (code));
      return;
    }
  if (found == NULL || (look_up->name != NULL && g_strcmp0 (look_up->name, found->pw_name) != 0))
    {
      g_task_return_new_error (task, TFD_ERROR, TFD_ERROR_OWNER_GONE, "no user ‘%s’ with id %u",
                               look_up->name != NULL ? look_up->name : "", look_up->uid);
      return;
    }
  identity = g_new0 (TfdIdentity, 1);
  identity->uid = look_up->uid;
  identity->gid = found->pw_gid;
  identity->name = g_strdup (found->pw_name);
  identity->home = g_strdup (found->pw_dir);
  add_groups (identity);
  g_task_return_pointer (task, g_steal_pointer (&identity), (GDestroyNotify) tfd_identity_free);
}

static gboolean
look_up_timed_out_cb (gpointer user_data)
{
  g_cancellable_cancel (user_data);
  return G_SOURCE_REMOVE;
}

void
tfd_identity_look_up_async (guint32 uid,
                            const char *name,
                            GAsyncReadyCallback callback,
                            gpointer user_data)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GTask) task = g_task_new (NULL, cancellable, callback, user_data);
  LookUp *look_up = g_new0 (LookUp, 1);

  look_up->uid = uid;
  look_up->name = g_strdup (name);
  look_up->timeout =
      g_timeout_add_seconds_full (G_PRIORITY_DEFAULT, LOOK_UP_SECONDS, look_up_timed_out_cb,
                                  g_object_ref (cancellable), g_object_unref);
  g_task_set_name (task, "look up user");
  g_task_set_task_data (task, look_up, (GDestroyNotify) look_up_free);
  g_task_set_return_on_cancel (task, TRUE);
  g_task_run_in_thread (task, look_up_thread);
}

TfdIdentity *
tfd_identity_look_up_finish (GAsyncResult *result, GError **error)
{
  LookUp *look_up = g_task_get_task_data (G_TASK (result));
  g_autoptr (GError) local_error = NULL;
  TfdIdentity *identity = g_task_propagate_pointer (G_TASK (result), &local_error);

  if (g_error_matches (local_error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT,
                 "the name service did not answer within %d s about user %u", LOOK_UP_SECONDS,
                 look_up->uid);
  else
    {
      g_clear_handle_id (&look_up->timeout, g_source_remove);
      if (local_error != NULL)
        g_propagate_error (error, g_steal_pointer (&local_error));
    }
  return identity;
}
