/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Retry: growth, its limit, jitter, and what the server asked for. */
#include "config.h"

#include "common/names.h"
#include "common/retry.h"

#define S TFD_USEC_PER_SEC

static void
test_delay (void)
{
  static const struct
  {
    guint64 minimum;
    guint attempt;
    guint64 retry_after;
    double random;
    guint64 expected;
  } cases[] = {
    { 600 * S, 1, 0, 0.5, 600 * S },
    { 600 * S, 2, 0, 0.5, 1200 * S },
    { 600 * S, 3, 0, 0.5, 2400 * S },
    { 600 * S, 4, 0, 0.5, 2400 * S },
    { 600 * S, G_MAXUINT, 0, 0.5, 2400 * S },
    { 600 * S, 4, 0, 1.0, 2400 * S }, /* jitter never goes beyond the limit */
    { 600 * S, 0, 0, 0.5, 600 * S },
    { 600 * S, 1, 0, 0.0, 600 * S }, /* jitter never goes below the minimum */
    { 600 * S, 1, 0, 1.0, 660 * S },
    { 600 * S, 2, 0, 0.0, 1080 * S },
    { 600 * S, 2, 0, 1.0, 1320 * S },
    { 600 * S, 1, 3600 * S, 1.0, 3600 * S },
    { 600 * S, 1, 5 * S, 0.5, 600 * S },
    { 600 * S, 1, 0, 99.0, 660 * S }, /* out of range: clamped */
    { 600 * S, 1, 0, -99.0, 600 * S },
    { 0, 5, 0, 0.5, 0 },
    { G_MAXUINT64, 3, 0, 1.0, G_MAXUINT64 },
    { G_MAXUINT64 / 4, 3, 0, 1.0, G_MAXUINT64 / 4 },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      guint64 delay = tfd_retry_delay (cases[i].minimum, cases[i].attempt, cases[i].retry_after,
                                       cases[i].random);
      /* jitter goes through a double */
      guint64 difference =
          delay > cases[i].expected ? delay - cases[i].expected : cases[i].expected - delay;
      if (difference > 1)
        g_error ("case %" G_GSIZE_FORMAT ": %" G_GUINT64_FORMAT, i, delay);
    }
}

static void
test_bounds (void)
{
  for (int i = 0; i < 20000; i++)
    {
      guint64 minimum = ((guint64) g_test_rand_int () << 32 | (guint32) g_test_rand_int ()) >>
                        g_test_rand_int_range (0, 64);
      guint64 after = (guint64) (guint32) g_test_rand_int ();
      guint attempt = (guint) g_test_rand_int_range (1, 40);
      guint64 delay = tfd_retry_delay (minimum, attempt, after, g_test_rand_double ());

      g_assert_cmpuint (delay, >=, minimum);
      g_assert_cmpuint (delay, >=, after);
      if (minimum < G_MAXUINT64 / 100)
        g_assert_cmpuint (delay, <=, MAX (after, minimum * 4));
    }
}

static void
test_worker (void)
{
  g_assert_cmpuint (tfd_retry_worker_delay (1), ==, 0);
  g_assert_cmpuint (tfd_retry_worker_delay (2), ==, S);
  g_assert_cmpuint (tfd_retry_worker_delay (3), ==, 5 * S);
  g_assert_cmpuint (tfd_retry_worker_delay (4), ==, 30 * S);
  g_assert_cmpuint (tfd_retry_worker_delay (G_MAXUINT), ==, 30 * S);
  g_assert_cmpuint (tfd_retry_worker_delay (0), ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/common/retry/delay", test_delay);
  g_test_add_func ("/common/retry/bounds", test_bounds);
  g_test_add_func ("/common/retry/worker", test_worker);
  return g_test_run ();
}
