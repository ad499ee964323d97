/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Permit: what the authority is asked about jobs of one's own: may there be such a job, one of such
 * a priority, one more than is usual? What is about to be created is reserved before that is asked,
 * so that nobody else has the same place meanwhile. */
#include "config.h"

#include "bus/bus-private.h"

/* What a call wants to create, until that is decided. */
struct _TfdPermit
{
  TfdCall *call; /* (not owned) */
  TfdJobType type;
  const TfdJobProperties *properties; /* (not owned) (nullable) of a job that is to be created */
  guint n_files;
  guint n_ranges;              /* of the file that has most */
  gboolean takeover;           /* of the job of the call */
  TfdReservation *reservation; /* (owned) (nullable) */
  TfdLimit limit;              /* the one that is decided now */
  TfdPermitFunc func;
  gpointer data;
};

static GVariant *
describe (TfdJobType type)
{
  GVariantBuilder details;

  g_variant_builder_init (&details, G_VARIANT_TYPE ("a{ss}"));
  g_variant_builder_add (&details, "{ss}", "job-type",
                         tfd_enum_to_string (TFD_TYPE_JOB_TYPE, (int) type));
  return g_variant_builder_end (&details);
}

/* Takes @error. */
static void
finish (TfdPermit *permit, GError *error)
{
  g_autofree TfdPermit *owned = permit;

  permit->call->permit = NULL;
  if (error != NULL)
    g_clear_pointer (&permit->reservation, tfd_reservation_free);
  permit->func (permit->data, permit->reservation, error);
}

/* ---- limits ---- */

static void ask_limits (TfdPermit *permit);

/* Takes @error: why nobody has allowed it. */
static GError *
explain (TfdPermit *permit, GError *error)
{
  GError *refusal = tfd_reservation_refuse (permit->reservation, permit->limit);

  if (!g_error_matches (error, TFD_ERROR, TFD_ERROR_ACCESS_DENIED))
    {
      g_prefix_error (&error, "%s; to have more, ", refusal->message);
      g_error_free (refusal);
      return error;
    }
  /* no is the usual answer; that there is none is worth to be told */
  if (!tfd_authority_is_answering (permit->call->bus->authority))
    g_prefix_error (&refusal, "%s; ", error->message);
  g_error_free (error);
  return refusal;
}

static void
limit_decided_cb (TfdCall *call, GError *error)
{
  TfdPermit *permit = call->permit;

  if (error == NULL)
    tfd_reservation_grant (permit->reservation, permit->limit);
  else if (tfd_reservation_exceeds (permit->reservation, permit->limit))
    {
      finish (permit, explain (permit, error));
      return;
    }
  else
    g_error_free (error); /* there is room now, or there was already */
  permit->limit++;
  ask_limits (permit);
}

static gboolean
is_asked (const TfdPermit *permit, gboolean exceeds)
{
  /* whoever may have more than others is asked about, too, when there is room: perhaps nothing is
   * to be taken from it */
  return exceeds || (permit->limit == TFD_LIMIT_JOBS_PER_MACHINE &&
                     tfd_reservation_exceeds (permit->reservation, TFD_LIMIT_JOBS_PER_USER));
}

static void
ask_limits (TfdPermit *permit)
{
  TfdCall *call = permit->call;

  for (; permit->limit < TFD_N_LIMITS; permit->limit++)
    {
      gboolean exceeds = tfd_reservation_exceeds (permit->reservation, permit->limit);

      if (!is_asked (permit, exceeds))
        continue;
      if (!tfd_authority_is_enabled (call->bus->authority))
        finish (permit, tfd_reservation_refuse (permit->reservation, permit->limit));
      else if (exceeds)
        tfd_call_authorize (call, "exceed-limit",
                            tfd_reservation_describe (permit->reservation, permit->limit),
                            limit_decided_cb);
      else
        tfd_call_authorize_quietly (call, "exceed-limit",
                                    tfd_reservation_describe (permit->reservation, permit->limit),
                                    limit_decided_cb);
      return;
    }
  finish (permit, NULL);
}

/* ---- jobs ---- */

/* What is still to be asked about the job, before its number matters. */
static const char *
next_action (const TfdPermit *permit)
{
  const TfdJobProperties *properties = permit->properties;
  TfdCall *call = permit->call;

  if (properties == NULL)
    return NULL;
  if (!tfd_call_is_granted (call, "create-job"))
    return "create-job";
  if (properties->priority == TFD_PRIORITY_FOREGROUND &&
      !tfd_call_is_granted (call, "use-foreground"))
    return "use-foreground";
  if (properties->transfer_policy_set &&
      properties->transfer_policy == TFD_TRANSFER_POLICY_ALWAYS &&
      !tfd_call_is_granted (call, "ignore-cost"))
    return "ignore-cost";
  return NULL;
}

static void
decided_cb (TfdCall *call, GError *error)
{
  TfdPermit *permit = call->permit;
  TfdEngine *engine = call->bus->engine;
  const char *action;

  if (error != NULL)
    {
      finish (permit, error);
      return;
    }
  action = next_action (permit);
  if (action != NULL)
    {
      tfd_call_authorize (call, action, describe (permit->type), decided_cb);
      return;
    }
  permit->reservation =
      permit->takeover ? tfd_reservation_new_takeover (engine, call->peer->uid, call->job)
      : permit->properties != NULL
          ? tfd_reservation_new_job (engine, call->peer->uid, permit->type, permit->n_files)
          : tfd_reservation_new_files (engine, call->job, permit->n_files);
  tfd_reservation_set_ranges (permit->reservation, permit->n_ranges);
  ask_limits (permit);
}

static TfdPermit *
permit_new (TfdCall *call, TfdJobType type, TfdPermitFunc func, gpointer data)
{
  TfdPermit *permit = g_new0 (TfdPermit, 1);

  permit->call = call;
  permit->type = type;
  permit->func = func;
  permit->data = data;
  call->permit = permit;
  return permit;
}

/* @files may be NULL. */
static void
count_files (TfdPermit *permit, GPtrArray *files)
{
  permit->n_files = files != NULL ? files->len : 0;
  for (guint i = 0; i < permit->n_files; i++)
    permit->n_ranges = MAX (permit->n_ranges, ((const TfdFileSpec *) files->pdata[i])->n_ranges);
}

void
tfd_permit_job (TfdCall *call,
                TfdJobType type,
                const TfdJobProperties *properties,
                GPtrArray *files,
                TfdPermitFunc func,
                gpointer data)
{
  TfdPermit *permit = permit_new (call, type, func, data);

  permit->properties = properties;
  count_files (permit, files);
  tfd_call_grant_known (call, type);
  decided_cb (call, NULL);
}

void
tfd_permit_files (TfdCall *call, GPtrArray *files, TfdPermitFunc func, gpointer data)
{
  TfdPermit *permit = permit_new (call, tfd_job_record (call->job)->type, func, data);

  count_files (permit, files);
  decided_cb (call, NULL);
}

void
tfd_permit_takeover (TfdCall *call, TfdPermitFunc func, gpointer data)
{
  TfdPermit *permit = permit_new (call, tfd_job_record (call->job)->type, func, data);

  permit->takeover = TRUE;
  decided_cb (call, NULL);
}

/* ---- properties ---- */

static const char *
action_of (TfdCall *call, GVariant *changes)
{
  const TfdJobProperties *now = tfd_job_record (call->job)->properties;
  const char *value;

  /* what is so already, because it was set, may be set again */
  if (g_variant_lookup (changes, "Priority", "&s", &value) && g_str_equal (value, "foreground") &&
      now->priority != TFD_PRIORITY_FOREGROUND && !tfd_call_is_granted (call, "use-foreground"))
    return "use-foreground";
  if (g_variant_lookup (changes, "TransferPolicy", "&s", &value) && g_str_equal (value, "always") &&
      !(now->transfer_policy_set && now->transfer_policy == TFD_TRANSFER_POLICY_ALWAYS) &&
      !tfd_call_is_granted (call, "ignore-cost"))
    return "ignore-cost";
  return NULL;
}

/* The job may be busy now, or of somebody else: the call begins anew. */
static void
handle_again_cb (TfdCall *call, GError *error)
{
  if (error != NULL)
    tfd_call_fail (call, error);
  else
    tfd_bus_handle (call);
}

void
tfd_permit_properties (TfdCall *call, GVariant *changes)
{
  GError *error = tfd_administrators_check_changes (call, changes);
  const char *action = error == NULL ? action_of (call, changes) : NULL;

  if (action != NULL)
    tfd_call_authorize (call, action, describe (tfd_job_record (call->job)->type), handle_again_cb);
  else if (error == NULL &&
           tfd_engine_set_properties (call->bus->engine, call->job, changes, &error))
    tfd_call_return (call, NULL);
  else
    tfd_call_fail (call, error);
}
