/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Administrators: whom polkit lets manage the jobs of others. It is asked for each call that needs
 * it; who has asked to hear of other people's jobs hears of them until polkit says otherwise. */
#include "config.h"

#include "bus/bus-private.h"

#include "base/identity.h"

/* ---- calls for all users ---- */

static void
answered_cb (TfdCall *call, GError *error)
{
  if (error != NULL)
    tfd_call_fail (call, error);
  else
    tfd_bus_handle (call);
}

gboolean
tfd_administrators_read (TfdCall *call, GVariant *options, guint32 *uid)
{
  gboolean all = FALSE;

  g_variant_lookup (options, "all-users", "b", &all);
  *uid = all ? TFD_ALL_USERS : call->peer->uid;
  if (!all || tfd_call_is_granted (call, TFD_ACTION_MANAGE_OTHER_JOBS))
    return TRUE;
  tfd_call_authorize (call, TFD_ACTION_MANAGE_OTHER_JOBS, NULL, answered_cb);
  return FALSE;
}

/* For those that are not the caller's there is an answer of their own: it goes on anyway. */
static void
go_on_cb (TfdCall *call, GError *error)
{
  g_clear_error (&error);
  call->asked = TRUE;
  tfd_bus_handle (call);
}

gboolean
tfd_administrators_ask_about (TfdCall *call, char **paths)
{
  if (call->asked || tfd_peer_is_sandboxed (call->peer))
    return FALSE;
  for (; *paths != NULL; paths++)
    if (!tfd_access_is_own (call, *paths))
      {
        tfd_call_authorize (call, TFD_ACTION_MANAGE_OTHER_JOBS, NULL, go_on_cb);
        return TRUE;
      }
  return FALSE;
}

/* ---- what is the owner's alone ---- */

GError *
tfd_administrators_check_changes (TfdCall *call, GVariant *changes)
{
  /* secrets, and names of files that the owner's worker would use */
  static const char *const own[] = { "Headers", "HeadersWriteOnly", "ClientCertificate",
                                     "ReplyFileName" };

  if (tfd_access_is_owner (call->peer, call->job))
    return NULL;
  for (gsize i = 0; i < G_N_ELEMENTS (own); i++)
    {
      g_autoptr (GVariant) value = g_variant_lookup_value (changes, own[i], NULL);

      if (value != NULL)
        return g_error_new (TFD_ERROR, TFD_ERROR_ACCESS_DENIED,
                            "only the owner of the job may change ‘%s’", own[i]);
    }
  return NULL;
}

/* ---- who hears of what ---- */

static gboolean
may_hear (const TfdPeer *peer, TfdJob *job)
{
  return tfd_access_is_owner (peer, job) || peer->manages;
}

void
tfd_administrators_forget (TfdBus *bus, TfdJob *job)
{
  GHashTableIter iter;
  TfdPeer *peer;

  g_hash_table_iter_init (&iter, bus->peers);
  while (g_hash_table_iter_next (&iter, NULL, (gpointer *) &peer))
    if (!may_hear (peer, job))
      g_hash_table_remove (peer->jobs, tfd_job_id (job));
}

static void
end_management (TfdPeer *peer)
{
  GHashTableIter iter;
  const char *id;

  peer->manages = FALSE;
  peer->all_users = FALSE;
  g_hash_table_iter_init (&iter, peer->jobs);
  while (g_hash_table_iter_next (&iter, (gpointer *) &id, NULL))
    {
      TfdJob *job = tfd_engine_get_job (peer->bus->engine, id);

      if (job == NULL || !tfd_access_is_owner (peer, job))
        g_hash_table_iter_remove (&iter);
    }
}

static void
asked_again_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  TfdPeer *peer = user_data;
  g_autoptr (GError) error = NULL;

  if (!tfd_authority_check_finish (TFD_AUTHORITY (source), result, &error) && !peer->gone)
    {
      tfd_debug (TFD_LOG_BUS, "%s hears of its own jobs only: %s", peer->name, error->message);
      end_management (peer);
    }
  tfd_peer_unref (peer);
}

void
tfd_administrators_ask_again (TfdBus *bus)
{
  GHashTableIter iter;
  TfdPeer *peer;

  g_hash_table_iter_init (&iter, bus->peers);
  while (g_hash_table_iter_next (&iter, NULL, (gpointer *) &peer))
    if (peer->manages && peer->uid != 0)
      tfd_authority_check_async (bus->authority, peer->name, peer->uid,
                                 TFD_ACTION_MANAGE_OTHER_JOBS, NULL, FALSE, peer->ended,
                                 asked_again_cb, tfd_peer_ref (peer));
}

/* ---- TakeOwnership ---- */

static void
taken_cb (TfdJob *job G_GNUC_UNUSED, const GError *error, gpointer data)
{
  TfdCall *call = data;

  if (error == NULL)
    tfd_call_return (call, NULL);
  else
    tfd_call_fail (call, g_error_copy (error));
}

/* A call that takes a job over, and in whose name. */
typedef struct
{
  TfdCall *call;               /* (owned) (nullable) */
  char *name;                  /* (owned) */
  TfdReservation *reservation; /* (owned) (nullable) */
} Takeover;

static void
takeover_free (gpointer data)
{
  Takeover *takeover = data;

  if (takeover->call != NULL)
    tfd_call_free (takeover->call);
  g_clear_pointer (&takeover->reservation, tfd_reservation_free);
  g_free (takeover->name);
  g_free (takeover);
}

static void
take_cb (TfdJob *job, gpointer data)
{
  Takeover *takeover = data;
  TfdCall *call = g_steal_pointer (&takeover->call);
  const TfdOwner owner = { call->peer->uid, takeover->name, NULL };

  if (tfd_access_is_owner (call->peer, job))
    tfd_call_return (call, NULL);
  else
    tfd_engine_take_ownership (call->bus->engine, job, &owner,
                               g_steal_pointer (&takeover->reservation), taken_cb, call);
}

static void
permitted_cb (gpointer data, TfdReservation *reservation, GError *error)
{
  Takeover *takeover = data;
  TfdCall *call = takeover->call;
  TfdEngine *engine = call->bus->engine;

  takeover->reservation = reservation;
  if (error != NULL)
    {
      takeover->call = NULL;
      tfd_call_fail (call, error);
      takeover_free (takeover);
    }
  else if (tfd_engine_is_busy (engine, call->job))
    {
      tfd_engine_when_free (engine, call->job, take_cb, takeover, takeover_free);
      tfd_call_release (call);
    }
  else
    {
      take_cb (call->job, takeover);
      takeover_free (takeover);
    }
}

static void
looked_up_cb (GObject *source G_GNUC_UNUSED, GAsyncResult *result, gpointer user_data)
{
  TfdCall *call = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (TfdIdentity) identity = tfd_identity_look_up_finish (result, &error);
  Takeover *takeover;

  if (identity == NULL)
    {
      tfd_call_fail_code (call, TFD_ERROR_ACCESS_DENIED, "your user is not known: %s",
                          error->message);
      return;
    }
  takeover = g_new0 (Takeover, 1);
  takeover->call = call;
  takeover->name = g_strdup (identity->name);
  if (tfd_access_is_owner (call->peer, call->job))
    permitted_cb (takeover, NULL, NULL);
  else
    tfd_permit_takeover (call, permitted_cb, takeover);
}

void
tfd_job_take_ownership (TfdCall *call, GVariant *parameters)
{
  g_autoptr (GVariant) options = g_variant_get_child_value (parameters, 0);
  GError *error = NULL;

  if (!tfd_options_check (options, tfd_no_options, &error))
    {
      tfd_call_fail (call, error);
      return;
    }
  tfd_call_hold (call);
  tfd_identity_look_up_async (call->peer->uid, NULL, looked_up_cb, call);
}
