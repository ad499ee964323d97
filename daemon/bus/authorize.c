/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Authorize: a call for which polkit has to be asked. The later calls of its client wait for the
 * answer, those of others do not. Only when a password is needed, and the call allows to ask for
 * it, does it leave the order: nobody knows how long somebody types. So the first question is
 * always without. */
#include "config.h"

#include "bus/bus-private.h"

/* The bit of each in TfdCall.granted; first those whose answers are remembered. */
static const char *const actions[] = { "create-job",       "use-foreground", "ignore-cost",
                                       "exceed-limit",     "take-ownership", "reload",
                                       "manage-other-jobs" };

typedef struct
{
  TfdCall *call; /* (not owned) answered by func at the latest */
  TfdPeer *peer; /* (owned) */
  guint action;
  GVariant *details; /* (owned) (nullable) */
  TfdAuthorizedFunc func;
  guint changes;     /* of the authority, when it was asked */
  guint types;       /* what the answer is remembered for */
  gboolean quiet;    /* nobody is asked for a password */
  gboolean in_order; /* later calls of the client wait */
} Question;

static void
question_free (Question *question)
{
  g_clear_pointer (&question->details, g_variant_unref);
  tfd_peer_unref (question->peer);
  g_free (question);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Question, question_free)

static guint
number_of (const char *action)
{
  for (guint i = 0; i < G_N_ELEMENTS (actions); i++)
    if (g_str_equal (actions[i], action))
      return i;
  g_assert_not_reached ();
}

gboolean
tfd_call_is_granted (TfdCall *call, const char *action)
{
  return (call->granted & 1u << number_of (action)) != 0;
}

/* ---- what is remembered ---- */

/* The types of jobs that the answer is remembered for: to ask takes longer than to create a job,
 * much longer when many ask at a time, and no number is in the question. */
static guint
types_to_remember (guint action, GVariant *details)
{
  const char *name;
  int type;

  if (action >= TFD_N_REMEMBERED || details == NULL ||
      !g_variant_lookup (details, "job-type", "&s", &name) ||
      !tfd_enum_from_string (TFD_TYPE_JOB_TYPE, name, &type))
    return 0;
  return 1u << type;
}

static void
forget_if_changed (TfdPeer *peer)
{
  if (peer->changes != peer->bus->changes)
    memset (peer->may, 0, sizeof peer->may);
  peer->changes = peer->bus->changes;
}

static gboolean
is_remembered (TfdPeer *peer, guint action, guint types)
{
  forget_if_changed (peer);
  return types != 0 && (peer->may[action] & types) == types;
}

static void
remember (Question *question)
{
  TfdPeer *peer = question->peer;

  if (question->types == 0 || question->changes != peer->bus->changes)
    return; /* the answer may be older than the rules */
  forget_if_changed (peer);
  peer->may[question->action] |= question->types;
}

static gboolean
is_never_asked (const TfdCall *call)
{
  return call->peer->uid == 0 || !tfd_authority_is_enabled (call->bus->authority);
}

void
tfd_call_grant_known (TfdCall *call, TfdJobType type)
{
  for (guint i = 0; i < TFD_N_REMEMBERED; i++)
    if (is_never_asked (call) || is_remembered (call->peer, i, 1u << type))
      call->granted |= 1u << i;
}

/* ---- asking ---- */

static void ask (Question *question, gboolean interactive);

static gboolean
may_interact (TfdCall *call)
{
  GDBusMessage *message = g_dbus_method_invocation_get_message (call->invocation);

  return (g_dbus_message_get_flags (message) &
          G_DBUS_MESSAGE_FLAGS_ALLOW_INTERACTIVE_AUTHORIZATION) != 0;
}

/* The next calls of its client have their turn. */
static void
leave_order (Question *question)
{
  question->in_order = FALSE;
  tfd_call_release (question->call);
  tfd_peer_release (question->peer);
}

static void
finish (Question *question, GError *error)
{
  TfdCall *call = question->call;

  if (error == NULL)
    call->granted |= 1u << question->action;
  else
    g_prefix_error (&error, "%s%s: ", TFD_ACTION_PREFIX, actions[question->action]);
  question->func (call, error); /* the call may be gone */
  if (question->in_order)
    tfd_peer_release (question->peer);
}

static void
answered_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (Question) question = user_data;
  GError *error = NULL;

  if (tfd_authority_check_finish (TFD_AUTHORITY (source), result, &error))
    {
      remember (question);
      finish (question, NULL);
    }
  else if (g_error_matches (error, TFD_ERROR, TFD_ERROR_INTERACTIVE_AUTHORIZATION_REQUIRED) &&
           question->in_order && !question->quiet && may_interact (question->call))
    {
      g_error_free (error);
      leave_order (question);
      /* who gave a password for one job did not give it for the next one */
      question->types = 0;
      ask (g_steal_pointer (&question), TRUE);
    }
  else
    finish (question, error);
}

static void
ask (Question *question, gboolean interactive)
{
  TfdPeer *peer = question->peer;

  question->changes = peer->bus->changes;
  tfd_authority_check_async (peer->bus->authority, peer->name, peer->uid, actions[question->action],
                             question->details, interactive, peer->ended, answered_cb, question);
}

static void
authorize (
    TfdCall *call, const char *name, GVariant *details, gboolean quiet, TfdAuthorizedFunc func)
{
  guint action = number_of (name);
  g_autoptr (GVariant) owned = details != NULL ? g_variant_ref_sink (details) : NULL;
  guint types = types_to_remember (action, owned);
  Question *question;

  if (is_never_asked (call) || is_remembered (call->peer, action, types))
    {
      call->granted |= 1u << action;
      func (call, NULL);
      return;
    }
  question = g_new0 (Question, 1);
  question->call = call;
  question->peer = tfd_peer_ref (call->peer);
  question->action = action;
  question->details = g_steal_pointer (&owned);
  question->func = func;
  question->types = types;
  question->quiet = quiet;
  question->in_order = TRUE;
  tfd_peer_hold (call->peer);
  ask (question, FALSE);
}

void
tfd_call_authorize (TfdCall *call, const char *action, GVariant *details, TfdAuthorizedFunc func)
{
  authorize (call, action, details, FALSE, func);
}

void
tfd_call_authorize_quietly (TfdCall *call,
                            const char *action,
                            GVariant *details,
                            TfdAuthorizedFunc func)
{
  authorize (call, action, details, TRUE, func);
}
