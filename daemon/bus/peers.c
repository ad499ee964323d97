/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Peers: who calls. A client's uid is asked of the bus once for each connection; until then, and
 * while one of its calls keeps the order, its later calls wait. */
#include "config.h"

#include "bus/bus-private.h"

/* The bus lets a connection have 512 match rules. */
#define MAX_WATCHES 256

TfdPeer *
tfd_peer_ref (TfdPeer *peer)
{
  g_ref_count_inc (&peer->refs);
  return peer;
}

void
tfd_peer_unref (TfdPeer *peer)
{
  if (!g_ref_count_dec (&peer->refs))
    return;
  tfd_caller_forget (peer);
  g_hash_table_unref (peer->jobs);
  g_free (peer->sandbox);
  g_free (peer->person);
  g_object_unref (peer->ended);
  g_free (peer->name);
  g_free (peer);
}

static void
unwatch (TfdPeer *peer)
{
  TfdBus *bus = peer->bus;

  if (peer->watch == 0 && --bus->unwatched > 0)
    return;
  g_dbus_connection_signal_unsubscribe (bus->connection,
                                        peer->watch != 0 ? peer->watch : bus->watch);
  peer->watch = 0;
}

static void
end_peer (TfdPeer *peer)
{
  peer->gone = TRUE;
  unwatch (peer);
  tfd_traffic_forget (peer->bus->traffic, peer->name);
  g_cancellable_cancel (peer->ended);
  for (TfdCall *call = g_queue_pop_head (&peer->calls); call != NULL;
       call = g_queue_pop_head (&peer->calls))
    tfd_call_free (call);
}

void
tfd_peer_leave (TfdPeer *peer)
{
  TfdBus *bus = peer->bus;

  tfd_peer_ref (peer);
  end_peer (peer);
  g_hash_table_remove (bus->peers, peer->name);
  tfd_peer_unref (peer);
}

/* What it sent before it left is done all the same, also when it has to wait for something now. */
void
tfd_peer_leave_when_done (TfdPeer *peer)
{
  gboolean waits = peer->waiting > 0 && !g_queue_is_empty (&peer->calls);

  if (peer->leaving && !peer->gone && !peer->has_turn && !waits)
    tfd_peer_leave (peer);
}

static void
owner_changed_cb (GDBusConnection *connection G_GNUC_UNUSED,
                  const char *sender G_GNUC_UNUSED,
                  const char *path G_GNUC_UNUSED,
                  const char *interface G_GNUC_UNUSED,
                  const char *signal G_GNUC_UNUSED,
                  GVariant *parameters,
                  gpointer user_data)
{
  TfdBus *bus = user_data;
  const char *name, *new_owner;
  TfdPeer *peer;

  g_variant_get (parameters, "(&s&s&s)", &name, NULL, &new_owner);
  peer = g_hash_table_lookup (bus->peers, name);
  if (*new_owner != '\0' || peer == NULL)
    return;
  bus->last_busy = tfd_clock_now_boot (tfd_engine_get_clock (bus->engine));
  /* its last calls are on their way through GDBus, which takes longer than this signal */
  tfd_turns_leave (peer);
}

static void
refuse_and_end (TfdPeer *peer, const GError *error)
{
  for (TfdCall *call = g_queue_pop_head (&peer->calls); call != NULL;
       call = g_queue_pop_head (&peer->calls))
    tfd_call_fail (call, g_error_copy (error));
  tfd_peer_leave (peer);
}

static void
identified_cb (TfdPeer *peer, const GError *error)
{
  g_autoptr (GError) refusal = NULL;

  if (error != NULL)
    refusal = g_error_new_literal (TFD_ERROR, TFD_ERROR_ACCESS_DENIED,
                                   "the bus does not say who you are");
  else
    tfd_traffic_know (peer->bus->traffic, peer->name, peer->uid, &refusal);
  if (refusal != NULL)
    {
      refuse_and_end (peer, refusal);
      return;
    }
  peer->known = TRUE;
  tfd_turns_add (peer);
}

gboolean
tfd_bus_is_idle (TfdBus *bus)
{
  GHashTableIter iter;
  TfdPeer *peer;

  if (bus->calls > 0)
    return FALSE;
  g_hash_table_iter_init (&iter, bus->peers);
  while (g_hash_table_iter_next (&iter, NULL, (gpointer *) &peer))
    if (peer->subscribed || g_hash_table_size (peer->jobs) > 0)
      return FALSE;
  return TRUE;
}

static guint
subscribe (TfdBus *bus, const char *name)
{
  return g_dbus_connection_signal_subscribe (
      bus->connection, "org.freedesktop.DBus", "org.freedesktop.DBus", "NameOwnerChanged",
      "/org/freedesktop/DBus", name, G_DBUS_SIGNAL_FLAGS_NONE, owner_changed_cb, bus, NULL);
}

/* To hear of its end. Many of them are not watched one by one: we hear of the end of anybody. */
static void
watch (TfdPeer *peer)
{
  TfdBus *bus = peer->bus;

  if (g_hash_table_size (bus->peers) < MAX_WATCHES)
    peer->watch = subscribe (bus, peer->name);
  else if (bus->unwatched++ == 0)
    bus->watch = subscribe (bus, NULL);
}

static TfdPeer *
peer_new (TfdBus *bus, const char *name)
{
  TfdPeer *peer = g_new0 (TfdPeer, 1);

  g_ref_count_init (&peer->refs);
  peer->bus = bus;
  peer->name = g_strdup (name);
  peer->process = -1;
  peer->sandbox = g_strdup ("");
  peer->jobs = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_queue_init (&peer->calls);
  peer->ended = g_cancellable_new ();
  watch (peer);
  tfd_caller_identify (peer, identified_cb);
  return peer;
}

void
tfd_peer_hold (TfdPeer *peer)
{
  peer->waiting++;
}

void
tfd_peer_release (TfdPeer *peer)
{
  peer->waiting--;
  tfd_turns_add (peer);
  tfd_peer_leave_when_done (peer);
}

void
tfd_call_hold (TfdCall *call)
{
  call->held = TRUE;
  tfd_peer_hold (call->peer);
}

void
tfd_call_put_back (TfdCall *call)
{
  TfdPeer *peer = call->peer;

  g_queue_push_nth (&peer->calls, call, (gint) peer->put_back++);
  tfd_turns_add (peer);
}

void
tfd_call_release (TfdCall *call)
{
  if (!call->held)
    return;
  call->held = FALSE;
  tfd_peer_release (call->peer);
}

void
tfd_peers_end (TfdBus *bus)
{
  GHashTableIter iter;
  TfdPeer *peer;

  g_hash_table_iter_init (&iter, bus->peers);
  while (g_hash_table_iter_next (&iter, NULL, (gpointer *) &peer))
    end_peer (peer);
  g_hash_table_remove_all (bus->peers);
}

void
tfd_peers_dispatch (TfdBus *bus, GDBusMethodInvocation *invocation)
{
  const char *sender = g_dbus_method_invocation_get_sender (invocation);
  TfdPeer *peer = g_hash_table_lookup (bus->peers, sender);
  TfdCall *call;

  if (peer == NULL)
    {
      peer = peer_new (bus, sender);
      g_hash_table_insert (bus->peers, peer->name, peer);
    }
  call = g_new0 (TfdCall, 1);
  call->bus = bus;
  call->peer = tfd_peer_ref (peer);
  call->invocation = invocation;
  bus->calls++;
  g_queue_push_tail (&peer->calls, call);
  tfd_turns_add (peer);
}
