/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Tests of both clocks: the order of alarms, and that the real one wakes up. */
#include "tests/lib/fake-clock.h"

#include <string.h>

#define DEADLINE (120 * G_USEC_PER_SEC)

/* What went off, as "abc". */
static GString *trace;
static guint freed;

static TfdClock *clock_of_callbacks;

static void
note_cb (gpointer user_data)
{
  g_string_append (trace, user_data);
}

static void
free_cb (gpointer user_data G_GNUC_UNUSED)
{
  freed++;
}

/* Adds an alarm that is due already. */
static void
chain_cb (gpointer user_data)
{
  g_string_append (trace, user_data);
  tfd_clock_add_alarm (clock_of_callbacks, tfd_clock_now_boot (clock_of_callbacks) - 1, note_cb,
                       (gpointer) "+", free_cb);
}

static void
add (TfdClock *clock, gint64 time, const char *name)
{
  tfd_clock_add_alarm (clock, time, note_cb, (gpointer) name, free_cb);
}

static void
set_up (gpointer *fixture G_GNUC_UNUSED, gconstpointer data G_GNUC_UNUSED)
{
  trace = g_string_new (NULL);
  freed = 0;
}

static void
tear_down (gpointer *fixture G_GNUC_UNUSED, gconstpointer data G_GNUC_UNUSED)
{
  g_string_free (trace, TRUE);
}

static void
test_fake_order (gpointer *fixture G_GNUC_UNUSED, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (TfdFakeClock) fake = tfd_fake_clock_new (1000, 5000);
  TfdClock *clock = TFD_CLOCK (fake);

  add (clock, 1300, "c");
  add (clock, 1100, "a");
  add (clock, 1100, "b");
  add (clock, 900, "0");
  g_assert_cmpstr (trace->str, ==, "");

  tfd_fake_clock_advance (fake, 0);
  g_assert_cmpstr (trace->str, ==, "0");
  tfd_fake_clock_advance (fake, 299);
  g_assert_cmpstr (trace->str, ==, "0ab");
  g_assert_cmpint (tfd_fake_clock_next_alarm (fake), ==, 1300);
  g_assert_true (tfd_fake_clock_advance_to_alarm (fake));
  g_assert_cmpstr (trace->str, ==, "0abc");
  g_assert_false (tfd_fake_clock_advance_to_alarm (fake));
  g_assert_cmpint (tfd_clock_now_boot (clock), ==, 1300);
  g_assert_cmpint (tfd_clock_now_real (clock), ==, 5300);
  g_assert_cmpuint (freed, ==, 4);
}

static void
test_fake_remove (gpointer *fixture G_GNUC_UNUSED, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (TfdFakeClock) fake = tfd_fake_clock_new (1, 1);
  TfdClock *clock = TFD_CLOCK (fake);

  add (clock, 10, "a");
  guint64 alarm = tfd_clock_add_alarm (clock, 10, note_cb, (gpointer) "b", free_cb);
  g_assert_cmpuint (alarm, !=, 0);
  tfd_clock_remove_alarm (clock, alarm);
  g_assert_cmpuint (freed, ==, 1);
  tfd_clock_remove_alarm (clock, alarm);
  tfd_clock_remove_alarm (clock, 0);
  tfd_fake_clock_advance (fake, 100);
  g_assert_cmpstr (trace->str, ==, "a");
}

static void
test_fake_chain (gpointer *fixture G_GNUC_UNUSED, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (TfdFakeClock) fake = tfd_fake_clock_new (100, 1);

  clock_of_callbacks = TFD_CLOCK (fake);
  tfd_clock_add_alarm (clock_of_callbacks, 150, chain_cb, (gpointer) "a", NULL);
  tfd_fake_clock_advance (fake, 50);
  g_assert_cmpstr (trace->str, ==, "a+");
  g_assert_cmpint (tfd_clock_now_boot (clock_of_callbacks), ==, 150);
}

static void
test_fake_jumps (gpointer *fixture G_GNUC_UNUSED, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (TfdFakeClock) fake = tfd_fake_clock_new (100, 1000);
  TfdClock *clock = TFD_CLOCK (fake);
  g_autofree char *boot_id = g_strdup (tfd_clock_boot_id (clock));

  add (clock, 200, "a");
  tfd_fake_clock_set_real (fake, G_MAXINT64 / 2);
  g_assert_cmpstr (trace->str, ==, "");
  tfd_fake_clock_set_real (fake, 1);
  tfd_fake_clock_advance (fake, 100);
  g_assert_cmpstr (trace->str, ==, "a");

  tfd_fake_clock_reboot (fake, 7);
  g_assert_cmpint (tfd_clock_now_boot (clock), ==, 7);
  g_assert_cmpstr (tfd_clock_boot_id (clock), !=, boot_id);
}

static void
test_fake_left (gpointer *fixture G_GNUC_UNUSED, gconstpointer data G_GNUC_UNUSED)
{
  if (g_test_subprocess ())
    {
      TfdFakeClock *fake = tfd_fake_clock_new (100, 1000);

      add (TFD_CLOCK (fake), 200, "a");
      g_object_unref (fake);
      return;
    }
  g_test_trap_subprocess (NULL, 0, 0);
  g_test_trap_assert_failed ();
}

static gboolean
stop_cb (gpointer user_data)
{
  *(gboolean *) user_data = TRUE;
  return G_SOURCE_REMOVE;
}

/* Runs the main loop until the trace has @length characters, but not for ever. */
static void
run_until (gsize length)
{
  gboolean late = FALSE;
  guint deadline = g_timeout_add (DEADLINE / 1000, stop_cb, &late);

  while (trace->len < length && !late)
    g_main_context_iteration (NULL, TRUE);
  g_assert_false (late);
  g_source_remove (deadline);
}

static void
test_system_times (gpointer *fixture G_GNUC_UNUSED, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (TfdClock) clock = tfd_system_clock_new (&error);

  g_assert_no_error (error);
  gint64 before = tfd_clock_now_boot (clock);
  g_assert_cmpint (before, >, 0);
  g_assert_cmpint (before, <=, tfd_clock_now_boot (clock));
  g_assert_cmpint (ABS (tfd_clock_now_real (clock) - g_get_real_time ()), <, 60 * G_USEC_PER_SEC);
  g_assert_cmpuint (strlen (tfd_clock_boot_id (clock)), ==, 32);
  g_assert_cmpuint (strspn (tfd_clock_boot_id (clock), "0123456789abcdef"), ==, 32);
}

static void
test_system_alarms (gpointer *fixture G_GNUC_UNUSED, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (TfdClock) clock = tfd_system_clock_new (NULL);
  gint64 now = tfd_clock_now_boot (clock);

  /* the last one becomes the first: the timer must be set anew */
  add (clock, now + 40000, "c");
  add (clock, now + 20000, "b");
  add (clock, -5, "a");
  guint64 gone = tfd_clock_add_alarm (clock, now + 30000, note_cb, (gpointer) "x", free_cb);
  tfd_clock_remove_alarm (clock, gone);
  g_assert_cmpstr (trace->str, ==, "");

  run_until (3);
  g_assert_cmpstr (trace->str, ==, "abc");
  g_assert_cmpint (tfd_clock_now_boot (clock), >=, now + 40000);
  g_assert_cmpuint (freed, ==, 4);
}

static void
test_system_chain (gpointer *fixture G_GNUC_UNUSED, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (TfdClock) clock = tfd_system_clock_new (NULL);

  clock_of_callbacks = clock;
  tfd_clock_add_alarm (clock, 1, chain_cb, (gpointer) "a", free_cb);
  run_until (1);
  g_assert_cmpstr (trace->str, ==, "a");
  run_until (2);
  g_assert_cmpstr (trace->str, ==, "a+");
}

/* No alarm due: the main loop has nothing to wake up for. */
static void
test_system_idle (gpointer *fixture G_GNUC_UNUSED, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (TfdClock) clock = tfd_system_clock_new (NULL);
  GMainContext *context = g_main_context_default ();
  GPollFD fds[8];
  int priority, timeout;

  add (clock, tfd_clock_now_boot (clock) + (gint64) 3600 * G_USEC_PER_SEC, "a");
  while (g_main_context_iteration (context, FALSE))
    ;

  g_assert_true (g_main_context_acquire (context));
  g_assert_false (g_main_context_prepare (context, &priority));
  g_main_context_query (context, G_MAXINT, &timeout, fds, G_N_ELEMENTS (fds));
  g_main_context_release (context);
  g_assert_cmpint (timeout, ==, -1);
  g_assert_cmpuint (freed, ==, 0);
  g_clear_object (&clock);
  g_assert_cmpuint (freed, ==, 1);
}

#define ADD(path, function) g_test_add (path, gpointer, NULL, set_up, function, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("/base/clock/fake/order", test_fake_order);
  ADD ("/base/clock/fake/remove", test_fake_remove);
  ADD ("/base/clock/fake/chain", test_fake_chain);
  ADD ("/base/clock/fake/jumps", test_fake_jumps);
  ADD ("/base/clock/fake/alarm-left", test_fake_left);
  ADD ("/base/clock/system/times", test_system_times);
  ADD ("/base/clock/system/alarms", test_system_alarms);
  ADD ("/base/clock/system/chain", test_system_chain);
  ADD ("/base/clock/system/idle", test_system_idle);
  return g_test_run ();
}
