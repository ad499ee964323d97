/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Turns: whose call is handled next. Each client has one call handled at a time, in a circle, so
 * that whoever sends thousands keeps nobody waiting who sends one; and after some calls everything
 * else, what workers say above all, has its turn. */
#include "config.h"

#include "bus/bus-private.h"

/* Longer than a commit, shorter than anybody notices. */
#define TURN_USEC (3 * (gint64) 1000)
#define CALLS_PER_TURN 64

static gboolean
may_handle (TfdPeer *peer)
{
  return !peer->gone && peer->known && peer->waiting == 0 && !g_queue_is_empty (&peer->calls);
}

static void
handle_one (TfdPeer *peer)
{
  if (!may_handle (peer))
    return;
  if (peer->put_back > 0)
    peer->put_back--;
  tfd_bus_handle (g_queue_pop_head (&peer->calls));
}

static gboolean
turn_cb (gpointer user_data)
{
  TfdBus *bus = user_data;
  gint64 end = g_get_monotonic_time () + TURN_USEC;

  for (guint i = 0; i < CALLS_PER_TURN && g_get_monotonic_time () < end; i++)
    {
      TfdPeer *peer = g_queue_pop_head (&bus->turns);

      if (peer == NULL)
        break;
      peer->has_turn = FALSE;
      handle_one (peer);
      tfd_turns_add (peer);
      tfd_peer_leave_when_done (peer);
      tfd_peer_unref (peer);
    }
  /* no more calls are here: what waits for the commit need not wait for the loop as well */
  if (g_queue_is_empty (&bus->turns))
    tfd_outbox_flush (tfd_engine_get_outbox (bus->engine));
  if (!g_queue_is_empty (&bus->turns))
    return G_SOURCE_CONTINUE;
  bus->turn_source = 0;
  return G_SOURCE_REMOVE;
}

static void
append (TfdPeer *peer)
{
  TfdBus *bus = peer->bus;

  peer->has_turn = TRUE;
  g_queue_push_tail (&bus->turns, tfd_peer_ref (peer));
  /* after GDBus has handed out all calls that it has read, and before the commit */
  if (bus->turn_source == 0)
    bus->turn_source = g_idle_add_full (G_PRIORITY_DEFAULT + 1, turn_cb, bus, NULL);
}

void
tfd_turns_add (TfdPeer *peer)
{
  if (!peer->has_turn && may_handle (peer))
    append (peer);
}

void
tfd_turns_leave (TfdPeer *peer)
{
  peer->leaving = TRUE;
  if (!peer->has_turn)
    append (peer);
}

void
tfd_turns_end (TfdBus *bus)
{
  g_clear_handle_id (&bus->turn_source, g_source_remove);
  g_queue_clear_full (&bus->turns, (GDestroyNotify) tfd_peer_unref);
}
