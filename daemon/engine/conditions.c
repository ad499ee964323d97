/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Conditions: what of the world keeps a job from running. Pure: the world comes in as a value. */
#include "config.h"

#include "engine/conditions.h"

typedef gboolean (*Applies) (const TfdWorld *world, const TfdJobFacts *job);

static gboolean
is_disconnected (const TfdWorld *world, const TfdJobFacts *job)
{
  return !world->online && !job->local;
}

/* Nobody tells roaming from other metered networks: the policies that only refuse surcharges accept
 * a plan that costs by volume. */
static gboolean
costs_too_much (const TfdWorld *world, const TfdJobFacts *job)
{
  if (!world->metered || job->local)
    return FALSE;
  return job->policy == TFD_TRANSFER_POLICY_STANDARD ||
         job->policy == TFD_TRANSFER_POLICY_UNRESTRICTED;
}

static gboolean
is_background (const TfdJobFacts *job)
{
  return job->priority != TFD_PRIORITY_FOREGROUND;
}

static gboolean
hours_are_blocked (const TfdWorld *world, const TfdJobFacts *job)
{
  return world->blocked_hours && is_background (job);
}

static gboolean
saves_power (const TfdWorld *world, const TfdJobFacts *job)
{
  return is_background (job) && ((world->power_saver && world->power_saver_blocks) ||
                                 (world->on_battery && world->battery_blocks));
}

static gboolean
owner_is_away (const TfdWorld *world, const TfdJobFacts *job)
{
  gboolean known = world->log_ons == TFD_LOG_ONS_KNOWN;

  /* for ever would be too long where there is nobody to tell */
  if (world->log_ons == TFD_LOG_ONS_UNTOLD)
    return FALSE;
  switch (job->run_when)
    {
    case TFD_RUN_WHEN_LOGGED_IN:
      return !known || job->session != TFD_SESSION_ACTIVE;
    case TFD_RUN_WHEN_LINGERING:
      return !known || job->session == TFD_SESSION_NONE;
    case TFD_RUN_WHEN_ALWAYS:
    default:
      return FALSE;
    }
}

static gboolean
owner_is_gone (const TfdWorld *world G_GNUC_UNUSED, const TfdJobFacts *job)
{
  return job->owner_gone;
}

static const struct
{
  TfdErrorCode code;
  Applies applies;
  const char *text;
} table[] = {
  { TFD_ERROR_OWNER_GONE, owner_is_gone,
    "the user to whom it belongs is not there any more; if that stays so for seven days it is "
    "cancelled" },
  { TFD_ERROR_NETWORK_DISCONNECTED, is_disconnected,
    "there is no network; it goes on when there is one" },
  { TFD_ERROR_BLOCKED_BY_COST, costs_too_much,
    "the network costs by volume (it is metered), and TransferPolicy says to wait for another" },
  { TFD_ERROR_BLOCKED_BY_POLICY, hours_are_blocked,
    "BlockedHours= of the configuration allows no background transfers now" },
  { TFD_ERROR_BLOCKED_BY_POWER, saves_power,
    "the machine saves power; background transfers wait meanwhile" },
  { TFD_ERROR_OWNER_NOT_LOGGED_IN, owner_is_away,
    "RunWhen says to wait until the owner is logged on" },
};

G_STATIC_ASSERT (G_N_ELEMENTS (table) == TFD_MAX_CONDITIONS);

guint
tfd_conditions_judge (const TfdWorld *world,
                      const TfdJobFacts *job,
                      TfdErrorCode codes[TFD_MAX_CONDITIONS])
{
  guint n = 0;

  for (gsize i = 0; i < G_N_ELEMENTS (table); i++)
    if (table[i].applies (world, job))
      codes[n++] = table[i].code;
  return n;
}

const char *
tfd_conditions_describe (TfdErrorCode code)
{
  for (gsize i = 0; i < G_N_ELEMENTS (table); i++)
    if (table[i].code == code)
      return table[i].text;
  return NULL;
}
