/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Properties: org.freedesktop.DBus.Properties of both interfaces. GLib has checked already that the
 * property exists, may be written and has the right type. */
#include "config.h"

#include "bus/bus-private.h"
#include "public-interface.h"

/* Jobs whose changes are told to one connection, and to all of one user, for their GetAll. */
#define MAX_OF_CONNECTION 4096
#define MAX_OF_USER 16384

static GVariant *
get_property (TfdCall *call, const char *name)
{
  return call->job != NULL ? tfd_job_get_property (call->peer, call->job, name)
                           : tfd_manager_get_property (call, name);
}

static void
get_one (TfdCall *call, GVariant *parameters)
{
  const char *name;
  GVariant *value;

  g_variant_get (parameters, "(&s&s)", NULL, &name);
  value = get_property (call, name);
  if (value != NULL)
    tfd_call_return (call, g_variant_new ("(v)", value));
  else
    tfd_call_fail_code (call, TFD_ERROR_INVALID_ARGS, "there is no property ‘%s’", name);
}

static gboolean
check_room (const char *whose, guint count, guint most, GError **error)
{
  if (count <= most)
    return TRUE;
  g_set_error (error, TFD_ERROR, TFD_ERROR_LIMITS_EXCEEDED,
               "changes of %u jobs would be told to %s, at most %u are allowed: use Subscribe",
               count, whose, most);
  return FALSE;
}

/* Whoever asks for everything wants to hear what changes. */
static gboolean
subscribe (TfdCall *call, GError **error)
{
  GHashTable *jobs = call->peer->jobs;
  GHashTableIter iter;
  TfdPeer *peer;
  guint of_user = 0;

  if (tfd_job_state_is_final (tfd_job_record (call->job)->state) ||
      g_hash_table_contains (jobs, tfd_job_id (call->job)))
    return TRUE;
  g_hash_table_iter_init (&iter, call->bus->peers);
  while (g_hash_table_iter_next (&iter, NULL, (gpointer *) &peer))
    of_user += peer->uid == call->peer->uid ? g_hash_table_size (peer->jobs) : 0;
  if (!check_room ("your connection", g_hash_table_size (jobs) + 1, MAX_OF_CONNECTION, error) ||
      !check_room ("your connections", of_user + 1, MAX_OF_USER, error))
    return FALSE;
  g_hash_table_add (jobs, g_strdup (tfd_job_id (call->job)));
  call->peer->manages |= !tfd_access_is_owner (call->peer, call->job);
  return TRUE;
}

static void
get_all (TfdCall *call)
{
  const GDBusInterfaceInfo *info = call->job != NULL ? &tfd_job_interface : &tfd_manager_interface;
  GVariantBuilder values;
  GError *error = NULL;

  /* from before the snapshot on */
  if (call->job != NULL && !subscribe (call, &error))
    {
      tfd_call_fail (call, error);
      return;
    }
  g_variant_builder_init (&values, G_VARIANT_TYPE_VARDICT);
  for (gsize i = 0; info->properties[i] != NULL; i++)
    {
      GVariant *value = get_property (call, info->properties[i]->name);

      if (value != NULL)
        g_variant_builder_add (&values, "{sv}", info->properties[i]->name, value);
    }
  tfd_call_return (call, g_variant_new ("(a{sv})", &values));
}

static void
set_one (TfdCall *call, GVariant *parameters)
{
  g_autoptr (GVariant) changes = NULL;
  g_autoptr (GVariant) value = NULL;
  GVariantBuilder builder;
  const char *name;

  g_variant_get (parameters, "(&s&sv)", NULL, &name, &value);
  if (call->job == NULL)
    {
      tfd_call_fail_code (call, TFD_ERROR_INVALID_ARGS, "property ‘%s’ is read-only", name);
      return;
    }
  g_variant_builder_init (&builder, G_VARIANT_TYPE_VARDICT);
  g_variant_builder_add (&builder, "{sv}", name, value);
  changes = g_variant_ref_sink (g_variant_builder_end (&builder));
  tfd_permit_properties (call, changes);
}

void
tfd_properties_handle (TfdCall *call, const char *method, GVariant *parameters)
{
  if (g_str_equal (method, "Get"))
    get_one (call, parameters);
  else if (g_str_equal (method, "Set"))
    set_one (call, parameters);
  else
    get_all (call);
}

/* ---- of the manager ---- */

static GVariant *
get_count (TfdCall *call, const char *name)
{
  guint jobs, running;
  guint64 rate;

  tfd_engine_count (call->bus->engine, call->peer->uid,
                    tfd_peer_is_sandboxed (call->peer) ? call->peer->sandbox : NULL, &jobs,
                    &running, &rate);
  if (g_str_equal (name, "JobCount"))
    return g_variant_new_uint32 (jobs);
  if (g_str_equal (name, "RunningJobs"))
    return g_variant_new_uint32 (running);
  return g_variant_new_uint64 (rate);
}

static GVariant *
get_limit (const TfdConfig *config, const char *name)
{
  const struct
  {
    const char *name;
    guint64 value;
    gboolean wide;
  } limits[] = {
    { "BandwidthLimit", 0, TRUE },
    { "MaxJobsPerUser", config->max_jobs_per_user, FALSE },
    { "MaxJobsPerMachine", config->max_jobs_per_machine, FALSE },
    { "MaxFilesPerJob", config->max_files_per_job, FALSE },
    { "MaxRangesPerFile", config->max_ranges_per_file, FALSE },
    { "JobInactivityTimeout", config->job_inactivity_timeout, TRUE },
    { "MaximumDownloadTime", config->maximum_download_time, TRUE },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (limits); i++)
    if (g_str_equal (name, limits[i].name))
      return limits[i].wide ? g_variant_new_uint64 (limits[i].value)
                            : g_variant_new_uint32 ((guint32) limits[i].value);
  return NULL;
}

GVariant *
tfd_manager_get_property (TfdCall *call, const char *name)
{
  static const char *const features[] = { "download", "upload", "file-url", "descriptors",
                                          "history",  "events", NULL };
  TfdEngine *engine = call->bus->engine;

  if (g_str_equal (name, "Version"))
    return g_variant_new_string (VERSION);
  if (g_str_equal (name, "Features"))
    return g_variant_new_strv (features, -1);
  if (g_str_equal (name, "Online"))
    return g_variant_new_boolean (tfd_engine_is_online (engine));
  if (g_str_equal (name, "Metered"))
    return g_variant_new_boolean (tfd_engine_is_metered (engine));
  if (g_str_equal (name, "JobCount") || g_str_equal (name, "RunningJobs") ||
      g_str_equal (name, "BytesPerSecond"))
    return get_count (call, name);
  return get_limit (tfd_engine_get_config (engine), name);
}
