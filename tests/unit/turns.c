/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Tests of turns: users are served in a circle, however many connections each has. What surrounds
 * them on the bus is played here. */
#include "bus/bus-private.h"
#include "bus/pace.h"

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
  fixture->bus.turns = tfd_turns_new (&fixture->bus);
}

static void
free_calls (TfdPeer *peer)
{
  g_queue_clear_full (&peer->calls, g_free);
}

static void
tear_down (void)
{
  tfd_turns_end (fixture->bus.turns);
  g_ptr_array_foreach (fixture->peers, (GFunc) (void (*) (void)) free_calls, NULL);
  g_ptr_array_unref (fixture->peers);
  g_ptr_array_unref (fixture->calls);
  tfd_turns_free (fixture->bus.turns);
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

/* How many calls are handled before everything else has its turn. */
static gsize
one_turn (void)
{
  gsize before = fixture->handled->len;

  g_main_context_iteration (NULL, FALSE);
  return fixture->handled->len - before;
}

/* A user who comes while another has calls under way has some handled at once, in short turns, and
 * the others as they are paid; and all that the other had sent goes on before. */
static void
test_pace (void)
{
  gint64 begin, least;

  set_up ();
  /* whose pace is not that of a machine which is busy with something else just then */
  add_peer ('b', 1);
  run_all ();
  fixture->slow = TRUE;
  begin = g_get_monotonic_time ();
  add_peers ('a', 40, 20);
  for (guint i = 0; i < 5; i++)
    g_assert_cmpuint (one_turn (), <=, 3);
  add_peer ('b', 1);
  while (strchr (fixture->handled->str + 1, 'b') == NULL)
    g_assert_cmpuint (one_turn (), >, 0); /* who calls now and then never waits */
  while (fixture->handled->len < 102)
    g_main_context_iteration (NULL, TRUE);
  /* the last of a hundred does not wait for what is to be paid for it */
  least = 99 * MAX (3 * CALL_USEC, TFD_PACE_CALL_USEC) - TFD_PACE_CREDIT_USEC;
  g_assert_cmpint (g_get_monotonic_time () - begin, >=, least);
  tear_down ();
}

/* Who is alone has all to itself, from the first call to the last. */
static void
assert_alone (void)
{
  gsize end = fixture->handled->len + 800;

  add_peers ('a', 20, 40);
  while (fixture->handled->len < end)
    g_assert_cmpuint (one_turn (), >, 0);
  g_assert_cmpuint (one_turn (), ==, 0);
}

static void
test_alone (void)
{
  set_up ();
  assert_alone ();
  tear_down ();
}

static void
test_answers_are_counted (void)
{
  set_up ();
  add_peers ('b', 1, 3);
  run_all ();
  /* said twice of the same call is once */
  for (guint i = 0; i < 3; i++)
    {
      answer (i);
      answer (i);
    }
  assert_handled ("bbb");
  assert_alone ();
  tear_down ();
}

/* ---- pace.c ---- */

static void
test_pace_of_a_few (void)
{
  TfdPace pace = { 0 };
  const gint64 now = 1000 * (gint64) G_USEC_PER_SEC;

  /* a credit's worth of calls at once, then one after the other */
  for (guint i = 0; i <= TFD_PACE_CREDIT_USEC / TFD_PACE_CALL_USEC; i++)
    {
      g_assert_cmpint (tfd_pace_next (&pace), <=, now);
      tfd_pace_count (&pace, now, now + 10);
      g_assert_false (tfd_pace_is_paid (&pace, now));
    }
  g_assert_cmpint (tfd_pace_next (&pace), ==, now + TFD_PACE_CALL_USEC);
  tfd_pace_count (&pace, now + TFD_PACE_CALL_USEC, now + TFD_PACE_CALL_USEC + 10);
  g_assert_cmpint (tfd_pace_next (&pace), ==, now + 2 * TFD_PACE_CALL_USEC);
  /* after a while all is paid, and nothing is saved for later */
  g_assert_true (tfd_pace_is_paid (&pace, now + G_USEC_PER_SEC));
  tfd_pace_count (&pace, now + G_USEC_PER_SEC, now + G_USEC_PER_SEC);
  g_assert_cmpint (pace.paid, ==, now + G_USEC_PER_SEC + TFD_PACE_CALL_USEC);
}

static void
test_pace_of_long_calls (void)
{
  TfdPace pace = { 0 };
  gint64 now = 1000 * (gint64) G_USEC_PER_SEC, handled = 0;

  for (guint i = 0; i < 100; i++)
    {
      now = MAX (now, tfd_pace_next (&pace));
      tfd_pace_count (&pace, now, now + 50000);
      now += 50000;
      handled += 50000;
    }
  g_assert_cmpint (handled * 3, <=, now - 1000 * (gint64) G_USEC_PER_SEC + 150000);
}

/* A thousand calls without a pause while nobody else was there are not held against anybody. */
static void
test_pace_owes_no_more (void)
{
  TfdPace pace = { 0 };
  const gint64 now = 1000 * (gint64) G_USEC_PER_SEC;

  for (guint i = 0; i < 1000; i++)
    tfd_pace_count (&pace, now, now + 10);
  g_assert_cmpint (tfd_pace_next (&pace), ==, now + TFD_PACE_CALL_USEC);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/turns/users-in-a-circle", test_users_in_a_circle);
  g_test_add_func ("/turns/clients-in-a-circle", test_clients_in_a_circle);
  g_test_add_func ("/turns/who-waits-has-no-turn", test_who_waits_has_no_turn);
  g_test_add_func ("/turns/who-leaves", test_who_leaves);
  g_test_add_func ("/turns/pace", test_pace);
  g_test_add_func ("/turns/alone", test_alone);
  g_test_add_func ("/turns/answers-are-counted", test_answers_are_counted);
  g_test_add_func ("/pace/of-a-few", test_pace_of_a_few);
  g_test_add_func ("/pace/of-long-calls", test_pace_of_long_calls);
  g_test_add_func ("/pace/owes-no-more", test_pace_owes_no_more);

  return g_test_run ();
}
