/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Behaviour: all the tables of what happens to jobs (behaviour-*.c). */
#include "behaviour.h"

int
main (int argc, char **argv)
{
  /* hundreds of databases: in memory, where nothing waits for a disk */
  if (g_getenv ("TMPDIR") == NULL && g_file_test ("/dev/shm", G_FILE_TEST_IS_DIR))
    g_setenv ("TMPDIR", "/dev/shm", TRUE);
  g_test_init (&argc, &argv, NULL);
  behaviour_add_methods ();
  behaviour_add_setters ();
  behaviour_add_events ();
  behaviour_add_timers ();
  behaviour_add_spans ();
  behaviour_add_activity ();
  behaviour_add_states ();
  behaviour_add_signals ();
  behaviour_add_restarts ();
  return g_test_run ();
}
