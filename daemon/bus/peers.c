/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Peers: who calls. A client's uid is asked of the bus once for each connection; until then, and
 * while one of its calls keeps the order, its later calls wait. */
#include "config.h"

#include "bus/bus-private.h"

static void pump (TfdPeer *peer);

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
  g_hash_table_unref (peer->jobs);
  g_object_unref (peer->ended);
  g_free (peer->name);
  g_free (peer);
}

static void
end_peer (TfdPeer *peer)
{
  peer->gone = TRUE;
  if (peer->watch != 0)
    g_dbus_connection_signal_unsubscribe (peer->bus->connection, peer->watch);
  peer->watch = 0;
  g_cancellable_cancel (peer->ended);
  for (TfdCall *call = g_queue_pop_head (&peer->calls); call != NULL;
       call = g_queue_pop_head (&peer->calls))
    tfd_call_free (call);
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
  TfdPeer *peer = user_data;
  TfdBus *bus = peer->bus;
  const char *new_owner;

  g_variant_get (parameters, "(&s&s&s)", NULL, NULL, &new_owner);
  if (*new_owner != '\0' || peer->gone)
    return;
  bus->last_busy = tfd_clock_now_boot (tfd_engine_get_clock (bus->engine));
  tfd_peer_ref (peer);
  end_peer (peer);
  g_hash_table_remove (bus->peers, peer->name);
  tfd_peer_unref (peer);
}

static void
refuse_all (TfdPeer *peer, const char *message)
{
  for (TfdCall *call = g_queue_pop_head (&peer->calls); call != NULL;
       call = g_queue_pop_head (&peer->calls))
    tfd_call_fail_code (call, TFD_ERROR_ACCESS_DENIED, "%s", message);
}

static void
credentials_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  TfdPeer *peer = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) answer =
      g_dbus_connection_call_finish (G_DBUS_CONNECTION (source), result, &error);

  if (!peer->gone && answer == NULL)
    {
      refuse_all (peer, "the bus does not say who you are");
      end_peer (peer);
      g_hash_table_remove (peer->bus->peers, peer->name);
    }
  else if (!peer->gone)
    {
      g_variant_get (answer, "(u)", &peer->uid);
      peer->known = TRUE;
      pump (peer);
    }
  tfd_peer_unref (peer);
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

static TfdPeer *
peer_new (TfdBus *bus, const char *name)
{
  TfdPeer *peer = g_new0 (TfdPeer, 1);

  g_ref_count_init (&peer->refs);
  peer->bus = bus;
  peer->name = g_strdup (name);
  peer->jobs = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_queue_init (&peer->calls);
  peer->ended = g_cancellable_new ();
  peer->watch = g_dbus_connection_signal_subscribe (
      bus->connection, "org.freedesktop.DBus", "org.freedesktop.DBus", "NameOwnerChanged",
      "/org/freedesktop/DBus", name, G_DBUS_SIGNAL_FLAGS_NONE, owner_changed_cb,
      tfd_peer_ref (peer), (GDestroyNotify) tfd_peer_unref);
  g_dbus_connection_call (bus->connection, "org.freedesktop.DBus", "/org/freedesktop/DBus",
                          "org.freedesktop.DBus", "GetConnectionUnixUser",
                          g_variant_new ("(s)", name), G_VARIANT_TYPE ("(u)"),
                          G_DBUS_CALL_FLAGS_NONE, -1, NULL, credentials_cb, tfd_peer_ref (peer));
  return peer;
}

static void
pump (TfdPeer *peer)
{
  tfd_peer_ref (peer);
  while (!peer->gone && peer->known && peer->waiting == 0 && !g_queue_is_empty (&peer->calls))
    {
      if (peer->put_back > 0)
        peer->put_back--;
      tfd_bus_handle (g_queue_pop_head (&peer->calls));
    }
  tfd_peer_unref (peer);
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
  pump (peer);
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
  pump (peer);
}
