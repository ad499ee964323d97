/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Conditions: what of the world keeps a job from running. Pure: the world comes in as a value. */
#pragma once

#include "common/error.h"

G_BEGIN_DECLS

/* Whether a user is logged on, as far as it matters. */
typedef enum
{
  TFD_SESSION_NONE,
  TFD_SESSION_LINGERING, /* the user's services run though nobody is logged on */
  TFD_SESSION_ACTIVE,    /* logged on */
} TfdSession;

/* What is known about who is logged on. */
typedef enum
{
  TFD_LOG_ONS_NOT_YET, /* it is being found out */
  TFD_LOG_ONS_KNOWN,
  TFD_LOG_ONS_UNTOLD, /* nobody will tell: there is no such service here */
} TfdLogOns;

/* What is the same for all jobs. */
typedef struct
{
  gboolean online;  /* a network that leads anywhere: a captive portal does not */
  gboolean metered; /* data costs by volume */
  gboolean power_saver;
  gboolean on_battery;
  gboolean blocked_hours; /* the calendar says no */
  TfdLogOns log_ons;
  gboolean power_saver_blocks, battery_blocks; /* configuration */
} TfdWorld;

/* What matters of a job. */
typedef struct
{
  TfdPriority priority;
  TfdTransferPolicy policy; /* effective */
  TfdRunWhen run_when;
  TfdSession session;  /* of its owner */
  gboolean owner_gone; /* its owner is nobody, or another person */
  gboolean local;      /* all that is left to fetch is on this machine */
} TfdJobFacts;

#define TFD_MAX_CONDITIONS 6

/* Fills @codes with the errors that stand for the conditions that keep the job from running, the
 * one that weighs most first, and returns how many there are: OWNER_GONE, NETWORK_DISCONNECTED,
 * BLOCKED_BY_COST, BLOCKED_BY_POLICY, BLOCKED_BY_POWER, OWNER_NOT_LOGGED_IN. */
guint tfd_conditions_judge (const TfdWorld *world,
                            const TfdJobFacts *job,
                            TfdErrorCode codes[TFD_MAX_CONDITIONS]);

/* The words for such an error. */
const char *tfd_conditions_describe (TfdErrorCode code);

G_END_DECLS
