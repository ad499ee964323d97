/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Access: who may call what. The rules are data: an annotation on every method and property of the
 * interface; what has none is denied. Jobs of others and jobs that do not exist are the same. */
#include "config.h"

#include "bus/bus-private.h"
#include "public-interface.h"

/* Of the rules that name what polkit is asked. */
#define POLKIT_RULE "polkit:"

GError *
tfd_access_not_found (void)
{
  return g_error_new_literal (TFD_ERROR, TFD_ERROR_NOT_FOUND, "you have no such job");
}

gboolean
tfd_access_is_owner (const TfdPeer *peer, TfdJob *job)
{
  const TfdJobRecord *record = tfd_job_record (job);

  return peer->looked && record->owner_uid == peer->uid && record->gone_since == 0 &&
         (!tfd_peer_is_sandboxed (peer) || g_str_equal (peer->sandbox, record->sandbox));
}

/* The job @path whoever's it is; NULL when there is none. */
static TfdJob *
job_of_path (TfdCall *call, const char *path)
{
  g_autofree char *id = tfd_job_id_from_path (path);

  return id == NULL ? NULL : tfd_engine_get_job (call->bus->engine, id);
}

gboolean
tfd_access_is_own (TfdCall *call, const char *path)
{
  TfdJob *job = job_of_path (call, path);

  return job != NULL && tfd_access_is_owner (call->peer, job);
}

TfdJob *
tfd_access_find_job (TfdCall *call, const char *path, GError **error)
{
  TfdJob *job = job_of_path (call, path);

  if (job != NULL && (tfd_access_is_owner (call->peer, job) ||
                      tfd_call_is_granted (call, TFD_ACTION_MANAGE_OTHER_JOBS)))
    return job;
  g_propagate_error (error, tfd_access_not_found ());
  return NULL;
}

void
tfd_access_foreign_cb (TfdCall *call, GError *error)
{
  if (error == NULL)
    tfd_bus_handle (call);
  else if (g_error_matches (error, TFD_ERROR, TFD_ERROR_LIMITS_EXCEEDED))
    tfd_call_fail (call, error);
  else
    {
      g_error_free (error);
      tfd_call_fail (call, tfd_access_not_found ());
    }
}

static const GDBusInterfaceInfo *
interface_of (GDBusMethodInvocation *invocation)
{
  const char *path = g_dbus_method_invocation_get_object_path (invocation);

  return g_str_equal (path, TFD_MANAGER_PATH) ? &tfd_manager_interface : &tfd_job_interface;
}

/* The rule for what is called: a method's, a property's, or for GetAll the interface's. */
static const char *
rule_of (GDBusMethodInvocation *invocation)
{
  const GDBusMethodInfo *method = g_dbus_method_invocation_get_method_info (invocation);
  const GDBusPropertyInfo *property = g_dbus_method_invocation_get_property_info (invocation);
  GDBusAnnotationInfo **annotations = NULL;

  if (method != NULL)
    annotations = method->annotations;
  else if (property != NULL)
    annotations = property->annotations;
  else if (g_strcmp0 (g_dbus_method_invocation_get_method_name (invocation), "GetAll") == 0)
    annotations = interface_of (invocation)->annotations;
  return g_dbus_annotation_info_lookup (annotations, TFD_ACCESS_ANNOTATION);
}

/* Sets call->job, if the caller may know of it. A job of somebody else and one that does not exist
 * go the same way: first it is asked whether the caller may manage other people's jobs, or take
 * them over, then it is looked for. */
static GError *
find_called (TfdCall *call, const char *path, const char *rule, const char **action)
{
  const char *wanted = g_str_has_prefix (rule, POLKIT_RULE) ? rule + strlen (POLKIT_RULE)
                                                            : TFD_ACTION_MANAGE_OTHER_JOBS;
  TfdJob *job = NULL;

  if (!tfd_access_is_own (call, path))
    {
      if (tfd_peer_is_sandboxed (call->peer))
        return tfd_access_not_found ();
      if (!tfd_call_is_granted (call, wanted))
        {
          *action = wanted;
          return NULL;
        }
    }
  job = job_of_path (call, path);
  if (job == NULL)
    return tfd_access_not_found ();
  call->job = tfd_job_ref (job);
  return NULL;
}

static GError *
denied (TfdCall *call, const char *who)
{
  return g_error_new (TFD_ERROR, TFD_ERROR_ACCESS_DENIED, "‘%s’ is for %s",
                      g_dbus_method_invocation_get_method_name (call->invocation), who);
}

GError *
tfd_access_check (TfdCall *call, const char **action)
{
  const char *path = g_dbus_method_invocation_get_object_path (call->invocation);
  const char *rule = rule_of (call->invocation);
  gboolean on_job = !g_str_equal (path, TFD_MANAGER_PATH);
  GError *error = NULL;

  if (call->bus->only_uid != G_MAXUINT32 && call->peer->uid != call->bus->only_uid)
    return g_error_new_literal (TFD_ERROR, TFD_ERROR_ACCESS_DENIED,
                                "this service serves one user only");
  if (rule == NULL)
    return denied (call, "nobody");
  if (on_job)
    {
      error = find_called (call, path, rule, action);
      if (error != NULL || *action != NULL)
        return error;
    }
  error = tfd_sandboxed_check (call);
  if (error != NULL)
    return error;
  if (g_str_equal (rule, "public") || g_str_equal (rule, "owner"))
    return NULL;
  if (g_str_equal (rule, "owner-only"))
    return call->job != NULL && tfd_access_is_owner (call->peer, call->job)
               ? NULL
               : denied (call, "the owner of the job, and for nobody else");
  if (g_str_has_prefix (rule, POLKIT_RULE))
    {
      if (!tfd_call_is_granted (call, rule + strlen (POLKIT_RULE)))
        *action = rule + strlen (POLKIT_RULE);
      return NULL;
    }
  return denied (call, "nobody");
}
