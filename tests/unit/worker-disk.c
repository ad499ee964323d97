/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Tests of worker/disk: turns of writing and syncing. */
#include "config.h"
#include "worker/disk.h"

#include <glib.h>

static void
test_slow_sync (void)
{
  gint64 begin = g_get_monotonic_time ();

  tfd_disk_begin_sync (1);
  tfd_disk_begin_writing (2); /* not its business */
  tfd_disk_end_writing (2);
  tfd_disk_begin_writing (1); /* its patience ends */
  g_assert_cmpint (g_get_monotonic_time () - begin, >=, 50 * 1000);
  tfd_disk_end_writing (1);
  tfd_disk_end_sync (1);
}

static int written;

static gpointer
sync_thread (G_GNUC_UNUSED gpointer data)
{
  tfd_disk_begin_sync (1);
  g_assert_true (g_atomic_int_get (&written));
  tfd_disk_end_sync (1);

  return NULL;
}

static void
test_sync_waits_for_the_file (void)
{
  GThread *thread;

  g_atomic_int_set (&written, FALSE);
  tfd_disk_begin_writing (1);
  thread = g_thread_new ("sync", sync_thread, NULL);
  g_thread_yield ();
  g_atomic_int_set (&written, TRUE);
  tfd_disk_end_writing (1);
  g_thread_join (thread);
}

static gpointer
turns_thread (gpointer data)
{
  for (guint i = 0; i < 300; i++)
    if (data != NULL)
      {
        tfd_disk_begin_sync (1);
        tfd_disk_end_sync (1);
      }
    else
      {
        tfd_disk_begin_writing (1);
        tfd_disk_end_writing (1);
      }

  return NULL;
}

/* Everybody has a turn. */
static void
test_turns (void)
{
  GThread *writer = g_thread_new ("writer", turns_thread, NULL);
  GThread *one = g_thread_new ("one", turns_thread, &written);
  GThread *other = g_thread_new ("other", turns_thread, &written);

  g_thread_join (writer);
  g_thread_join (one);
  g_thread_join (other);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/worker/disk/slow-sync", test_slow_sync);
  g_test_add_func ("/worker/disk/sync-waits-for-the-file", test_sync_waits_for_the_file);
  g_test_add_func ("/worker/disk/turns", test_turns);

  return g_test_run ();
}
