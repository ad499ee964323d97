/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Tests of requests that come before those ahead of them are answered. */
#include "worker/series.h"

static int a, b, c, d;

/* @request has its turn; or it is refused. */
static void
assert_taken (TfdSeries *series, gpointer request, gboolean expected)
{
  gboolean refused = !expected;

  g_assert_true (tfd_series_take (series, &refused) == request);
  g_assert_cmpint (refused, ==, expected);
}

static void
assert_none (TfdSeries *series)
{
  gboolean refused;

  g_assert_null (tfd_series_take (series, &refused));
}

/* In the order in which they came, however early they come. */
static void
test_order (void)
{
  g_autoptr (TfdSeries) series = tfd_series_new ();

  assert_none (series);
  tfd_series_add (series, 1, 0, &a);
  tfd_series_add (series, 1, 1, &b);
  assert_taken (series, &a, FALSE);
  assert_none (series);
  tfd_series_add (series, 1, 2, &c);
  tfd_series_done (series, FALSE);
  assert_taken (series, &b, FALSE);
  tfd_series_done (series, FALSE);
  assert_taken (series, &c, FALSE);
  assert_none (series);
  tfd_series_done (series, FALSE);
  assert_none (series);
  tfd_series_add (series, 1, 3, &d);
  assert_taken (series, &d, FALSE);
}

/* Nothing is done after a failure, whether it was here by then or comes later; until a new walk
 * begins. */
static void
test_failure (void)
{
  g_autoptr (TfdSeries) series = tfd_series_new ();

  tfd_series_add (series, 1, 0, &a);
  tfd_series_add (series, 1, 1, &b);
  assert_taken (series, &a, FALSE);
  tfd_series_done (series, TRUE);
  assert_taken (series, &b, TRUE);
  assert_none (series);
  tfd_series_add (series, 1, 2, &c);
  assert_taken (series, &c, TRUE);
  tfd_series_add (series, 2, 0, &a);
  tfd_series_add (series, 1, 3, &d);
  tfd_series_add (series, 2, 1, &b);
  assert_taken (series, &a, FALSE);
  tfd_series_done (series, FALSE);
  /* of the walk before, which is over */
  assert_taken (series, &d, TRUE);
  assert_taken (series, &b, FALSE);
}

/* A worker that was started in the middle of a walk has not done what was before. */
static void
test_middle (void)
{
  g_autoptr (TfdSeries) series = tfd_series_new ();

  tfd_series_add (series, 1, 1, &a);
  assert_taken (series, &a, TRUE);
  tfd_series_add (series, 1, 0, &b);
  assert_taken (series, &b, FALSE);
  tfd_series_done (series, FALSE);
  tfd_series_add (series, 1, 2, &c);
  assert_taken (series, &c, TRUE);
  tfd_series_add (series, 0, 1, &d);
  assert_taken (series, &d, TRUE);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/worker/series/order", test_order);
  g_test_add_func ("/worker/series/failure", test_failure);
  g_test_add_func ("/worker/series/middle", test_middle);
  return g_test_run ();
}
