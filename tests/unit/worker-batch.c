/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Tests of worker/batch: when pieces of work are begun, where, and in which order. */
#include "config.h"
#include "worker/batch.h"

#include <glib.h>

#define MANY 1000

typedef struct
{
  guint number;
  gboolean again; /* one more follows when it is done */
} Piece;

static TfdBatch *batch;
static GThread *main_thread;
static int at_a_time;
static guint worked, done; /* how many: the number of the next */
static GMutex held;

static void piece_done (gpointer data);

static void
piece_work (gpointer data)
{
  Piece *piece = data;

  g_assert_true (g_thread_self () != main_thread);
  g_assert_cmpint (g_atomic_int_add (&at_a_time, 1), ==, 0);
  g_assert_cmpuint (piece->number, ==, worked++);
  g_mutex_lock (&held);
  g_mutex_unlock (&held);
  g_atomic_int_add (&at_a_time, -1);
}

static void
push (guint number, gboolean again, gboolean last)
{
  Piece *piece = g_new (Piece, 1);

  *piece = (Piece){ number, again };
  tfd_batch_push (batch, piece_work, piece_done, piece, last);
}

static void
piece_done (gpointer data)
{
  g_autofree Piece *piece = data;

  g_assert_true (g_thread_self () == main_thread);
  g_assert_cmpuint (piece->number, ==, done++);
  if (piece->again)
    push (piece->number + 1, FALSE, FALSE);
}

/* Until so many are done; a piece that is forgotten makes the test hang, and time out. */
static void
wait_for (guint count)
{
  while (done < count)
    g_main_context_iteration (NULL, TRUE);
  g_assert_cmpuint (done, ==, count);
  g_assert_cmpuint (worked, ==, count);
}

static void
set_up (TfdPool **pool, G_GNUC_UNUSED gconstpointer data)
{
  worked = done = 0;
  main_thread = g_thread_self ();
  *pool = tfd_pool_new (4);
  batch = tfd_batch_new (*pool);
}

static void
tear_down (TfdPool **pool, G_GNUC_UNUSED gconstpointer data)
{
  g_assert_cmpuint (tfd_pool_get_pending (*pool), ==, 0);
  g_clear_pointer (&batch, tfd_batch_free);
  g_clear_pointer (pool, tfd_pool_free);
}

/* Fewer than are worth it, and nobody says that these are all. */
static void
test_few (G_GNUC_UNUSED TfdPool **pool, G_GNUC_UNUSED gconstpointer data)
{
  push (0, FALSE, FALSE);
  push (1, FALSE, FALSE);
  g_assert_cmpuint (worked, ==, 0);
  wait_for (2);
}

/* The turn of a thread is not waited for by a timer. */
static void
test_last (G_GNUC_UNUSED TfdPool **pool, G_GNUC_UNUSED gconstpointer data)
{
  push (0, FALSE, FALSE);
  push (1, FALSE, TRUE);
  g_assert_null (g_main_context_find_source_by_funcs_user_data (NULL, &g_timeout_funcs, batch));
  wait_for (2);
}

/* Nothing else is to come, neither now nor when the thread is done with the first. */
static void
test_last_behind_another (G_GNUC_UNUSED TfdPool **pool, G_GNUC_UNUSED gconstpointer data)
{
  g_mutex_lock (&held);
  push (0, FALSE, TRUE);
  push (1, FALSE, TRUE);
  g_mutex_unlock (&held);
  wait_for (2);
}

/* What comes while a thread is at it follows, those that say that they are the last included, and
 * nothing goes past anything. */
static void
test_behind (G_GNUC_UNUSED TfdPool **pool, G_GNUC_UNUSED gconstpointer data)
{
  g_mutex_lock (&held);
  for (guint i = 0; i < MANY; i++)
    push (i, FALSE, i == 0 || i == MANY / 2);
  g_assert_cmpuint (done, ==, 0);
  g_mutex_unlock (&held);
  wait_for (MANY);
}

static void
test_all_the_time (G_GNUC_UNUSED TfdPool **pool, G_GNUC_UNUSED gconstpointer data)
{
  for (guint i = 0; i < MANY; i++)
    {
      push (i, FALSE, i % 7 == 0);
      if (i % 3 == 0)
        g_main_context_iteration (NULL, FALSE);
    }
  wait_for (MANY);
}

/* A file that is done begins the next. */
static void
test_from_the_end_of_another (G_GNUC_UNUSED TfdPool **pool, G_GNUC_UNUSED gconstpointer data)
{
  push (0, TRUE, TRUE);
  wait_for (2);
}

int
main (int argc, char *argv[])
{
  static const struct
  {
    const char *path;
    void (*test) (TfdPool **pool, gconstpointer data);
  } tests[] = {
    { "/worker/batch/few", test_few },
    { "/worker/batch/last", test_last },
    { "/worker/batch/last-behind-another", test_last_behind_another },
    { "/worker/batch/behind", test_behind },
    { "/worker/batch/all-the-time", test_all_the_time },
    { "/worker/batch/from-the-end-of-another", test_from_the_end_of_another },
  };

  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (tests); i++)
    g_test_add (tests[i].path, TfdPool *, NULL, set_up, tests[i].test, tear_down);

  return g_test_run ();
}
