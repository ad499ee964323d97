/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Months of random operations by several users on a machine on which everything that can go wrong
 * does. After every step the invariants hold; at the end, when all is well again, every job that
 * ever was is accounted for, every file is where it was promised to be, and no other is left.
 *
 * TFD_MONTHS_SEED=n runs only that seed, TFD_MONTHS_SEEDS=n so many new ones, TFD_MONTHS_DAYS=n so
 * many days each. */
#include "months.h"

#include <stdlib.h>

#define SEEDS 4
#define DAYS 130

static guint
number_from (const char *variable, guint otherwise)
{
  const char *text = g_getenv (variable);

  return text != NULL ? (guint) strtoul (text, NULL, 10) : otherwise;
}

/* ---- the end ---- */

static guint
count_states (Months *self, guint states)
{
  guint n = 0;

  for (guint i = 0; i < self->accounts->len; i++)
    {
      const Account *account = self->accounts->pdata[i];

      n += !account->ended && !account->forgotten && (states & (1u << account->told)) != 0;
    }
  return n;
}

static void
check_nobody_starves (Months *self)
{
  const guint moving = 1u << TFD_JOB_STATE_QUEUED | 1u << TFD_JOB_STATE_CONNECTING |
                       1u << TFD_JOB_STATE_TRANSFERRING | 1u << TFD_JOB_STATE_TRANSIENT_ERROR;

  months_calm (self);
  for (guint i = 0; i < 3; i++)
    {
      months_resume_all (self);
      months_pass (self, 2 * DAY);
      g_assert_cmpuint (count_states (self, moving), ==, 0);
    }
}

static void
end_everything (Months *self)
{
  for (guint i = 0; i < 20 && count_states (self, G_MAXUINT) > 0; i++)
    {
      months_end_all (self);
      months_pass (self, HOUR);
      g_assert_cmpuint (g_hash_table_size (self->calls), ==, 0);
    }
  g_assert_cmpuint (count_states (self, G_MAXUINT), ==, 0);
}

/* Those that nobody asks about any more go by themselves. */
static void
check_expiry (Months *self)
{
  months_pass (self, 92 * DAY);
  for (guint i = 0; i < self->accounts->len; i++)
    g_assert_true (((Account *) self->accounts->pdata[i])->ended);
  g_assert_cmpuint (engine_count_rows (self->fixture, "jobs"), ==, 0);
  g_assert_cmpuint (engine_count_rows (self->fixture, "files"), ==, 0);
  g_assert_cmpuint (engine_count_rows (self->fixture, "events"), ==, 0);
  g_assert_cmpuint (self->fixture->engine->counted, ==, 0);
  /* history is kept for a week, and no longer */
  months_pass (self, 9 * DAY);
  g_assert_cmpuint (engine_count_rows (self->fixture, "tombstones"), ==, 0);
  g_assert_cmpuint (engine_count_rows (self->fixture, "leftovers"), ==, 0);
  months_check_disk (self);
  g_assert_cmpuint (g_hash_table_size (self->parts), ==, 0);
}

/* ---- the months ---- */

static void
live (Months *self, gint64 span)
{
  while (self->true_time < span)
    {
      guint n = months_happens (self, 4) ? 1 + months_pick (self, 4) : 1;

      while (n-- > 0)
        if (months_happens (self, 3))
          months_strike (self);
        else
          months_operate (self);
      /* somebody pulls the plug before anything of it is stored */
      if (months_happens (self, 100))
        months_crash (self, SECOND);
      months_pass (self, months_span (self, SECOND / 1000, 2 * DAY));
    }
}

static void
test_months (gconstpointer data)
{
  guint32 seed = GPOINTER_TO_UINT (data);
  EngineFixture fixture = { 0 };
  Months *months;

  g_test_message ("TFD_MONTHS_SEED=%u", seed);
  engine_set_up (&fixture, NULL);
  months = months_new (&fixture, seed);
  live (months, number_from ("TFD_MONTHS_DAYS", DAYS) * DAY);
  check_nobody_starves (months);
  end_everything (months);
  check_expiry (months);
  g_test_message ("%u jobs, %u calls, %u lives, %u boots, %u expired, %u checks",
                  months->accounts->len, months->operations, months->deaths, months->boots,
                  months->expired, months->checks);
  engine_tear_down (&fixture, NULL);
  months_free (months);
}

static void
add_test (guint32 seed)
{
  g_autofree char *path = g_strdup_printf ("/engine/months/%u", seed);

  g_test_add_data_func (path, GUINT_TO_POINTER (seed), test_months);
}

int
main (int argc, char **argv)
{
  guint seeds;

  g_test_init (&argc, &argv, NULL);
  seeds = number_from ("TFD_MONTHS_SEEDS", 0);
  if (g_getenv ("TFD_MONTHS_SEED") != NULL)
    add_test (number_from ("TFD_MONTHS_SEED", 1));
  else if (seeds > 0)
    for (guint i = 0; i < seeds; i++)
      add_test (g_random_int () & 0x7fffffff);
  else
    for (guint32 seed = 1; seed <= SEEDS; seed++)
      add_test (seed);
  return g_test_run ();
}
