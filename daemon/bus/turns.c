/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Turns: whose call is handled next. Users stand in a circle, and the clients of each user in one
 * of their own; each client has one call handled at a time. So whoever sends thousands, from as
 * many connections as there are to be had, keeps nobody waiting who sends one. After some calls
 * everything else, what workers say above all, has its turn. */
#include "config.h"

#include "bus/bus-private.h"

/* Longer than a commit, shorter than anybody notices. */
#define TURN_USEC (3 * (gint64) 1000)
#define CALLS_PER_TURN 64
/* While several users have calls under way. A Complete, say, is several steps of a worker, and
 * before each the calls of others have a turn: these must not be long. */
#define SHARED_TURN_USEC (TURN_USEC / 6)

/* Those of a user's clients that have calls to be handled. */
typedef struct
{
  guint32 uid;
  GQueue peers; /* of (owned) TfdPeer, in this order */
} Line;

static void
line_free (gpointer data)
{
  Line *line = data;

  g_queue_clear_full (&line->peers, (GDestroyNotify) tfd_peer_unref);
  g_free (line);
}

void
tfd_turns_begin (TfdBus *bus)
{
  g_queue_init (&bus->turns);
  bus->lines = g_hash_table_new_full (NULL, NULL, NULL, line_free);
  bus->under_way = g_hash_table_new (NULL, NULL);
}

static gboolean
may_handle (TfdPeer *peer)
{
  return !peer->gone && peer->known && peer->waiting == 0 && !g_queue_is_empty (&peer->calls);
}

static void
count (TfdBus *bus, guint32 uid, int change)
{
  gpointer key = GUINT_TO_POINTER (uid);
  int calls = GPOINTER_TO_INT (g_hash_table_lookup (bus->under_way, key)) + change;

  if (calls > 0)
    g_hash_table_insert (bus->under_way, key, GINT_TO_POINTER (calls));
  else
    g_hash_table_remove (bus->under_way, key);
}

static void
handle_one (TfdPeer *peer)
{
  TfdCall *call;

  if (!may_handle (peer))
    return;
  if (peer->put_back > 0)
    peer->put_back--;
  call = g_queue_pop_head (&peer->calls);
  if (!call->under_way)
    {
      call->under_way = TRUE;
      count (peer->bus, peer->uid, 1);
    }
  tfd_bus_handle (call);
}

void
tfd_turns_done (TfdCall *call)
{
  if (call->under_way)
    count (call->bus, call->peer->uid, -1);
  call->under_way = FALSE;
}

/* Whether more than one user has calls that wait or are under way. */
static gboolean
is_shared (TfdBus *bus)
{
  const Line *line = g_queue_peek_head (&bus->turns);
  guint waiting = g_queue_get_length (&bus->turns);
  guint under_way = g_hash_table_size (bus->under_way);

  if (waiting != 1 || under_way != 1)
    return waiting > 1 || under_way > 1;
  return !g_hash_table_contains (bus->under_way, GUINT_TO_POINTER (line->uid));
}

/* (transfer full) (nullable) the client whose turn it is */
static TfdPeer *
next_peer (TfdBus *bus)
{
  Line *line = g_queue_pop_head (&bus->turns);
  TfdPeer *peer;

  if (line == NULL)
    return NULL;
  peer = g_queue_pop_head (&line->peers);
  if (g_queue_is_empty (&line->peers))
    g_hash_table_remove (bus->lines, GUINT_TO_POINTER (line->uid));
  else
    g_queue_push_tail (&bus->turns, line);

  return peer;
}

static gboolean
turn_cb (gpointer user_data)
{
  TfdBus *bus = user_data;
  gint64 end = g_get_monotonic_time () + (is_shared (bus) ? SHARED_TURN_USEC : TURN_USEC);

  for (guint i = 0; i < CALLS_PER_TURN && g_get_monotonic_time () < end; i++)
    {
      TfdPeer *peer = next_peer (bus);

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
  gpointer key = GUINT_TO_POINTER (peer->uid);
  Line *line = g_hash_table_lookup (bus->lines, key);

  if (line == NULL)
    {
      line = g_new0 (Line, 1);
      line->uid = peer->uid;
      g_hash_table_insert (bus->lines, key, line);
      g_queue_push_tail (&bus->turns, line);
    }
  peer->has_turn = TRUE;
  g_queue_push_tail (&line->peers, tfd_peer_ref (peer));
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
  g_queue_clear (&bus->turns);
  g_hash_table_remove_all (bus->lines);
}
