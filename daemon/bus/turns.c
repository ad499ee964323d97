/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Turns: whose call is handled next. Users stand in a circle, and the clients of each user in one
 * of their own; each client has one call handled at a time. So whoever sends thousands, from as
 * many connections as there are to be had, keeps nobody waiting who sends one. While several users
 * call, each has a pace to keep. After some calls everything else, what workers say above all, has
 * its turn. */
#include "config.h"

#include "bus/bus-private.h"
#include "bus/pace.h"

/* Longer than a commit, shorter than anybody notices. */
#define TURN_USEC (3 * (gint64) 1000)
#define CALLS_PER_TURN 64
/* While several users have calls under way. A Complete, say, is several steps of a worker, and
 * before each the calls of others have a turn: these must not be long. */
#define SHARED_TURN_USEC (TURN_USEC / 6)
/* So long after that everybody still keeps to their pace: who calls again and again has calls under
 * way most of the time only. */
#define SHARED_FOR_USEC (10 * G_USEC_PER_SEC)

/* A user who calls, or did so a moment ago. */
typedef struct
{
  GQueue peers;    /* of (owned) TfdPeer: clients that have calls to be handled, in this order */
  guint under_way; /* calls that were begun and not answered */
  TfdPace pace;
} User;

struct _TfdTurns
{
  TfdBus *bus;
  GHashTable *users;   /* (owned) uid -> (owned) User */
  GQueue circle;       /* of User with peers: of whom a call is handled next, in this order */
  guint busy;          /* users that have calls under way */
  gint64 shared_until; /* monotonic time, µs */
  gboolean in_turn;
  GSource *source; /* (owned) */
};

static void
user_free (gpointer data)
{
  User *user = data;

  g_queue_clear_full (&user->peers, (GDestroyNotify) tfd_peer_unref);
  g_free (user);
}

static User *
find (TfdTurns *turns, guint32 uid)
{
  User *user = g_hash_table_lookup (turns->users, GUINT_TO_POINTER (uid));

  if (user == NULL)
    {
      user = g_new0 (User, 1);
      g_hash_table_insert (turns->users, GUINT_TO_POINTER (uid), user);
    }
  return user;
}

static gboolean
is_over (G_GNUC_UNUSED gpointer key, gpointer value, gpointer user_data)
{
  const User *user = value;
  const gint64 *now = user_data;

  return user->under_way == 0 && user->peers.length == 0 && tfd_pace_is_paid (&user->pace, *now);
}

static gboolean
may_handle (TfdPeer *peer)
{
  return !peer->gone && peer->known && peer->waiting == 0 && !g_queue_is_empty (&peer->calls);
}

static void
handle_one (TfdTurns *turns, TfdPeer *peer)
{
  gint64 begin = g_get_monotonic_time ();
  TfdCall *call;
  User *user;

  if (!may_handle (peer))
    return;
  user = find (turns, peer->uid); /* not known yet, perhaps, when the peer was queued */
  if (peer->put_back > 0)
    peer->put_back--;
  call = g_queue_pop_head (&peer->calls);
  if (!call->under_way)
    {
      call->under_way = TRUE;
      if (user->under_way++ == 0)
        turns->busy++;
    }
  tfd_bus_handle (call);
  tfd_pace_count (&user->pace, begin, g_get_monotonic_time ());
}

void
tfd_turns_done (TfdCall *call)
{
  TfdTurns *turns = call->bus->turns;

  if (call->under_way && --find (turns, call->peer->uid)->under_way == 0)
    turns->busy--;
  call->under_way = FALSE;
}

/* Whether more than one user has calls that wait or are under way. */
static gboolean
is_shared (TfdTurns *turns)
{
  const User *user = g_queue_peek_head (&turns->circle);
  guint waiting = g_queue_get_length (&turns->circle);

  if (waiting != 1 || turns->busy != 1)
    return waiting > 1 || turns->busy > 1;
  return user->under_way == 0;
}

/* The user whose turn it is, and @ready = 0; or NULL, and when there will be one, -1 = not without
 * further calls. */
static GList *
next_user (TfdTurns *turns, gint64 now, gint64 *ready)
{
  *ready = -1;
  for (GList *link = turns->circle.head; link != NULL; link = link->next)
    {
      gint64 next = tfd_pace_next (&((User *) link->data)->pace);

      if (next <= now || now >= turns->shared_until)
        {
          *ready = 0;
          return link;
        }
      if (*ready < 0 || next < *ready)
        *ready = next;
    }
  return NULL;
}

static void
give_turn (TfdTurns *turns, GList *link)
{
  User *user = link->data;
  TfdPeer *peer = g_queue_pop_head (&user->peers);

  g_queue_delete_link (&turns->circle, link);
  if (!g_queue_is_empty (&user->peers))
    g_queue_push_tail (&turns->circle, user);
  peer->has_turn = FALSE;
  handle_one (turns, peer);
  tfd_turns_add (peer);
  tfd_peer_leave_when_done (peer);
  tfd_peer_unref (peer);
}

static gboolean
turn_cb (gpointer user_data)
{
  TfdTurns *turns = user_data;
  gint64 now = g_get_monotonic_time ();
  gboolean shared = is_shared (turns);
  gint64 end = now + (shared ? SHARED_TURN_USEC : TURN_USEC);
  gint64 ready = 0;

  if (shared)
    turns->shared_until = now + SHARED_FOR_USEC;
  turns->in_turn = TRUE;
  for (guint i = 0; i < CALLS_PER_TURN && now < end; i++)
    {
      GList *link = next_user (turns, now, &ready);

      if (link == NULL)
        break;
      give_turn (turns, link);
      now = g_get_monotonic_time ();
    }
  turns->in_turn = FALSE;
  /* no more calls may be handled now: what waits for the commit need not wait for the loop, too */
  if (g_queue_is_empty (&turns->circle) || ready > 0)
    tfd_outbox_flush (tfd_engine_get_outbox (turns->bus->engine));
  if (g_queue_is_empty (&turns->circle))
    {
      g_hash_table_foreach_remove (turns->users, is_over, &now);
      ready = -1;
    }
  g_source_set_ready_time (turns->source, ready);
  return G_SOURCE_CONTINUE;
}

static gboolean
dispatch (G_GNUC_UNUSED GSource *source, GSourceFunc func, gpointer user_data)
{
  return func (user_data);
}

TfdTurns *
tfd_turns_new (TfdBus *bus)
{
  static GSourceFuncs funcs = { .dispatch = dispatch };
  TfdTurns *turns = g_new0 (TfdTurns, 1);

  turns->bus = bus;
  turns->users = g_hash_table_new_full (NULL, NULL, NULL, user_free);
  g_queue_init (&turns->circle);
  turns->source = g_source_new (&funcs, sizeof (GSource));
  /* after GDBus has handed out all calls that it has read, and before the commit */
  g_source_set_priority (turns->source, G_PRIORITY_DEFAULT + 1);
  g_source_set_callback (turns->source, turn_cb, turns, NULL);
  g_source_set_static_name (turns->source, "turns of users");
  g_source_attach (turns->source, NULL);
  return turns;
}

static void
append (TfdPeer *peer)
{
  TfdTurns *turns = peer->bus->turns;
  User *user = find (turns, peer->uid);

  if (g_queue_is_empty (&user->peers))
    g_queue_push_tail (&turns->circle, user);
  peer->has_turn = TRUE;
  g_queue_push_tail (&user->peers, tfd_peer_ref (peer));
  if (!turns->in_turn)
    g_source_set_ready_time (turns->source, 0);
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

static void
drop_peers (G_GNUC_UNUSED gpointer key, gpointer value, G_GNUC_UNUSED gpointer user_data)
{
  User *user = value;

  g_queue_clear_full (&user->peers, (GDestroyNotify) tfd_peer_unref);
}

void
tfd_turns_end (TfdTurns *turns)
{
  g_source_destroy (turns->source);
  g_queue_clear (&turns->circle);
  g_hash_table_foreach (turns->users, drop_peers, NULL);
}

void
tfd_turns_free (TfdTurns *turns)
{
  g_source_unref (turns->source);
  g_queue_clear (&turns->circle);
  g_hash_table_unref (turns->users);
  g_free (turns);
}
