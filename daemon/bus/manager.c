/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Manager: the methods of the manager that need only a few lines. */
#include "config.h"

#include "bus/bus-private.h"

static void
get_job (TfdCall *call, GVariant *parameters)
{
  g_autofree char *id = NULL;
  g_autofree char *path = NULL;
  GError *error = NULL;
  const char *text;

  g_variant_get (parameters, "(&s)", &text);
  id = tfd_job_id_parse (text);
  path = id != NULL ? tfd_job_path (id) : NULL;
  if (path == NULL)
    tfd_call_fail_code (call, TFD_ERROR_INVALID_ARGS,
                        "‘%s’ is no job id: give 32 hexadecimal digits", text);
  else if (!tfd_access_is_own (call, path) && !tfd_peer_is_sandboxed (call->peer) &&
           !tfd_call_is_granted (call, TFD_ACTION_MANAGE_OTHER_JOBS))
    tfd_call_authorize (call, TFD_ACTION_MANAGE_OTHER_JOBS, NULL, tfd_access_foreign_cb);
  else if (tfd_access_find_job (call, path, &error) == NULL)
    tfd_call_fail (call, error);
  else
    tfd_call_return (call, g_variant_new ("(o)", path));
}

static void
subscribe (TfdCall *call, GVariant *parameters)
{
  g_autoptr (GVariant) options = g_variant_get_child_value (parameters, 0);
  GError *error = NULL;
  guint32 uid;

  if (!tfd_options_check (options, tfd_all_users_options, &error))
    {
      tfd_call_fail (call, error);
      return;
    }
  if (!tfd_administrators_read (call, options, &uid))
    return;
  call->peer->subscribed = TRUE;
  call->peer->all_users = uid == TFD_ALL_USERS;
  call->peer->manages |= call->peer->all_users;
  tfd_call_return (call, NULL);
}

static void
unsubscribe (TfdCall *call, GVariant *parameters G_GNUC_UNUSED)
{
  call->peer->subscribed = FALSE;
  call->peer->all_users = FALSE;
  call->peer->manages = FALSE;
  g_hash_table_remove_all (call->peer->jobs);
  tfd_call_return (call, NULL);
}

/* ---- all jobs at once ---- */

typedef gboolean (*Change) (TfdEngine *engine, TfdJob *job, GError **error);

static gboolean
collect_cb (TfdJob *job, gpointer data)
{
  g_ptr_array_add (data, tfd_job_ref (job));
  return TRUE;
}

typedef struct
{
  TfdEngine *engine; /* (not owned) */
  Change change;
  guint32 uid; /* whose it is to be, or TFD_ALL_USERS */
} Later;

/* A Complete or Cancel works on it: if that fails, the job is as it would have been. */
static void
change_later_cb (TfdJob *job, gpointer data)
{
  const Later *later = data;
  g_autoptr (GError) error = NULL;

  if ((later->uid == TFD_ALL_USERS || later->uid == tfd_job_uid (job)) &&
      !later->change (later->engine, job, &error))
    tfd_debug (TFD_LOG_BUS, "job %s: %s", tfd_job_id (job), error->message);
}

static void
change_all (TfdCall *call, GVariant *parameters, Change change)
{
  g_autoptr (GVariant) options = g_variant_get_child_value (parameters, 0);
  g_autoptr (GPtrArray) jobs = g_ptr_array_new_with_free_func ((GDestroyNotify) tfd_job_unref);
  TfdEngine *engine = call->bus->engine;
  GError *error = NULL;
  guint32 uid;

  if (!tfd_options_check (options, tfd_all_users_options, &error))
    {
      tfd_call_fail (call, error);
      return;
    }
  if (!tfd_administrators_read (call, options, &uid))
    return;
  tfd_engine_foreach_job (engine, uid, NULL, collect_cb, jobs);
  for (guint i = 0; i < jobs->len; i++)
    {
      g_autoptr (GError) local_error = NULL;

      if (uid != TFD_ALL_USERS && !tfd_access_is_owner (call->peer, jobs->pdata[i]))
        continue;
      if (tfd_engine_is_busy (engine, jobs->pdata[i]))
        {
          Later *later = g_new (Later, 1);

          *later = (Later){ engine, change, uid };
          tfd_engine_when_free (engine, jobs->pdata[i], change_later_cb, later, g_free);
        }
      /* one that cannot be resumed is passed over */
      else if (!change (engine, jobs->pdata[i], &local_error) &&
               g_error_matches (local_error, TFD_ERROR, TFD_ERROR_STORAGE_FAILED))
        {
          tfd_call_fail (call, g_steal_pointer (&local_error));
          return;
        }
    }
  tfd_call_return (call, NULL);
}

static void
suspend_all (TfdCall *call, GVariant *parameters)
{
  change_all (call, parameters, tfd_engine_suspend);
}

static gboolean
resume_suspended (TfdEngine *engine, TfdJob *job, GError **error)
{
  return tfd_job_record (job)->state != TFD_JOB_STATE_SUSPENDED ||
         tfd_engine_resume (engine, job, error);
}

static void
resume_all (TfdCall *call, GVariant *parameters)
{
  change_all (call, parameters, resume_suspended);
}

static void
describe_error (TfdCall *call, GVariant *parameters)
{
  TfdErrorCode code;
  const char *name;

  g_variant_get (parameters, "(&s&s)", &name, NULL);
  if (tfd_error_code_from_name (name, &code))
    tfd_call_return (call, g_variant_new ("(s)", tfd_error_code_describe (code)));
  else
    tfd_call_fail_code (call, TFD_ERROR_INVALID_ARGS, "‘%s’ is no error of this service", name);
}

static void
reload (TfdCall *call, GVariant *parameters G_GNUC_UNUSED)
{
  GError *error = NULL;

  if (call->bus->reload (call->bus->reload_data, &error))
    tfd_call_return (call, NULL);
  else
    {
      tfd_call_fail_code (call, TFD_ERROR_INVALID_ARGS, "%s", error->message);
      g_error_free (error);
    }
}

static const TfdMethod methods[] = {
  { "CreateJob", tfd_manager_create_job, FALSE },
  { "GetJob", get_job, FALSE },
  { "ListJobs", tfd_manager_list_jobs, FALSE },
  { "CompleteJobs", tfd_manager_complete_jobs, FALSE },
  { "CancelJobs", tfd_manager_cancel_jobs, FALSE },
  { "SuspendAll", suspend_all, FALSE },
  { "ResumeAll", resume_all, FALSE },
  { "Subscribe", subscribe, FALSE },
  { "Unsubscribe", unsubscribe, FALSE },
  { "GetJobHistory", tfd_manager_get_job_history, FALSE },
  { "DescribeError", describe_error, FALSE },
  { "Reload", reload, FALSE },
  { NULL, NULL, FALSE },
};

const TfdMethod *
tfd_manager_methods (void)
{
  return methods;
}
