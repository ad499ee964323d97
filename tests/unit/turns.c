/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Tests of turns: users are served in a circle, however many connections each has. What surrounds
 * them on the bus is played here. */
#include "bus/bus-private.h"

#define CALL_USEC 200

typedef struct
{
  TfdBus bus;
  GPtrArray *peers; /* (owned) */
  GString *handled; /* a letter for each call, that of its user */
  GPtrArray *calls; /* (owned) that have been handled */
  gboolean slow;    /* a call takes CALL_USEC */
} Fixture;

static Fixture *fixture;

TfdPeer *
tfd_peer_ref (TfdPeer *peer)
{
  g_ref_count_inc (&peer->refs);
  return peer;
}

void
tfd_peer_unref (TfdPeer *peer)
{
  if (g_ref_count_dec (&peer->refs))
    g_free (peer);
}

void
tfd_peer_leave_when_done (TfdPeer *peer)
{
  if (peer->leaving && !peer->has_turn)
    g_string_append_c (fixture->handled, '.');
}

void
tfd_bus_handle (TfdCall *call)
{
  gint64 end = g_get_monotonic_time () + CALL_USEC;

  g_string_append_c (fixture->handled, (char) call->peer->uid);
  g_ptr_array_add (fixture->calls, call);
  while (fixture->slow && g_get_monotonic_time () < end)
    continue;
}

TfdOutbox *
tfd_engine_get_outbox (G_GNUC_UNUSED TfdEngine *engine)
{
  return NULL;
}

void
tfd_outbox_flush (G_GNUC_UNUSED TfdOutbox *outbox)
{
}

/* The answer of the call that was handled as the @i-th. */
static void
answer (guint i)
{
  tfd_turns_done (g_ptr_array_index (fixture->calls, i));
}

static TfdPeer *
add_peer (char user, guint n_calls)
{
  TfdPeer *peer = g_new0 (TfdPeer, 1);

  g_ref_count_init (&peer->refs);
  peer->bus = &fixture->bus;
  peer->uid = (guint32) user;
  peer->known = TRUE;
  g_queue_init (&peer->calls);
  for (guint i = 0; i < n_calls; i++)
    {
      TfdCall *call = g_new0 (TfdCall, 1);

      call->bus = &fixture->bus;
      call->peer = peer;
      g_queue_push_tail (&peer->calls, call);
    }
  g_ptr_array_add (fixture->peers, peer);
  tfd_turns_add (peer);
  return peer;
}

static void
add_peers (char user, guint count, guint n_calls)
{
  for (guint i = 0; i < count; i++)
    add_peer (user, n_calls);
}

static void
run_all (void)
{
  while (g_main_context_iteration (NULL, FALSE))
    continue;
}

static void
assert_handled (const char *users)
{
  g_assert_cmpstr (fixture->handled->str, ==, users);
}

static void
set_up (void)
{
  fixture = g_new0 (Fixture, 1);
  fixture->peers = g_ptr_array_new_with_free_func ((GDestroyNotify) tfd_peer_unref);
  fixture->calls = g_ptr_array_new_with_free_func (g_free);
  fixture->handled = g_string_new (NULL);
  tfd_turns_begin (&fixture->bus);
}

static void
free_calls (TfdPeer *peer)
{
  g_queue_clear_full (&peer->calls, g_free);
}

static void
tear_down (void)
{
  tfd_turns_end (&fixture->bus);
  g_hash_table_unref (fixture->bus.lines);
  g_hash_table_unref (fixture->bus.under_way);
  g_ptr_array_foreach (fixture->peers, (GFunc) (void (*) (void)) free_calls, NULL);
  g_ptr_array_unref (fixture->peers);
  g_ptr_array_unref (fixture->calls);
  g_string_free (fixture->handled, TRUE);
  g_clear_pointer (&fixture, g_free);
}

static void
test_users_in_a_circle (void)
{
  set_up ();
  add_peers ('a', 5, 2);
  add_peers ('b', 1, 3);
  add_peers ('c', 2, 1);
  run_all ();
  assert_handled ("abcabcab"
                  "aaaaaaa");
  tear_down ();
}

/* The clients of one user have their turn one after the other, too. */
static void
test_clients_in_a_circle (void)
{
  TfdPeer *first, *second;

  set_up ();
  first = add_peer ('a', 2);
  second = add_peer ('a', 2);
  run_all ();
  for (guint i = 0; i < 4; i++)
    g_assert_true (((TfdCall *) g_ptr_array_index (fixture->calls, i))->peer ==
                   (i % 2 == 0 ? first : second));
  tear_down ();
}

static void
test_who_waits_has_no_turn (void)
{
  TfdPeer *peer;

  set_up ();
  peer = add_peer ('a', 2);
  add_peer ('b', 2);
  peer->waiting++;
  run_all ();
  assert_handled ("bb");
  peer->waiting--;
  tfd_turns_add (peer);
  run_all ();
  assert_handled ("bbaa");
  tear_down ();
}

static void
test_who_leaves (void)
{
  TfdPeer *peer;

  set_up ();
  peer = add_peer ('a', 2);
  tfd_turns_leave (peer);
  run_all ();
  assert_handled ("aa.");
  tear_down ();
}

/* How many calls of user a are handled before everything else has its turn. */
static gsize
one_turn (void)
{
  gsize before = fixture->handled->len;

  g_main_context_iteration (NULL, FALSE);
  return fixture->handled->len - before;
}

static void
test_turns_are_short_for_others (void)
{
  set_up ();
  fixture->slow = TRUE;
  add_peer ('b', 1);
  run_all ();
  g_assert_cmpuint (g_hash_table_size (fixture->bus.under_way), ==, 1);
  add_peers ('a', 40, 20);
  /* b's call is under way all the time */
  for (guint i = 0; i < 5; i++)
    g_assert_cmpuint (one_turn (), <=, 3);
  /* and now a has all to itself: but for the calls that it waits for, nobody else's matter */
  answer (0);
  g_assert_false (g_hash_table_contains (fixture->bus.under_way, GUINT_TO_POINTER ((guint) 'b')));
  for (gsize most = 0; most <= 3; most = MAX (most, one_turn ()))
    g_assert_cmpuint (fixture->handled->len, <, 800);
  tear_down ();
}

static void
test_answers_are_counted (void)
{
  set_up ();
  add_peers ('a', 3, 1);
  run_all ();
  g_assert_cmpuint (g_hash_table_size (fixture->bus.under_way), ==, 1);
  for (guint i = 0; i < 3; i++)
    {
      g_assert_cmpuint (g_hash_table_size (fixture->bus.under_way), ==, 1);
      answer (i);
      answer (i);
    }
  g_assert_cmpuint (g_hash_table_size (fixture->bus.under_way), ==, 0);
  tear_down ();
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/turns/users-in-a-circle", test_users_in_a_circle);
  g_test_add_func ("/turns/clients-in-a-circle", test_clients_in_a_circle);
  g_test_add_func ("/turns/who-waits-has-no-turn", test_who_waits_has_no_turn);
  g_test_add_func ("/turns/who-leaves", test_who_leaves);
  g_test_add_func ("/turns/short-for-others", test_turns_are_short_for_others);
  g_test_add_func ("/turns/answers-are-counted", test_answers_are_counted);

  return g_test_run ();
}
