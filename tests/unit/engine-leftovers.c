/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Tests of temporaries that cannot be deleted: they are told, remembered, and tried again. */
#include "engine-fixture.h"

/* ---- Discard ---- */

static TfdJob *
begin_discard (EngineFixture *self)
{
  guint64 run;
  TfdJob *job = engine_create_running (self, "a", 3, NULL, &run);
  g_autofree char *parts =
      g_strdup_printf ("(%" G_GUINT64_FORMAT ", [(1, {'x': <1>}), (2, {'x': <2>})])", run);

  engine_news (self, "Parts", "(ta(ua{sv}))", parts);
  engine_done (self, run, 0);
  engine_complete (self, job, "{}");
  engine_answer (self, "Stop", "([],)");
  engine_answer_each (self, "Verify", "ok");
  engine_answer_each (self, "Finalize", "renamed");
  engine_assert_asked (self, "Discard", "1 2");
  tfd_signal_log_clear (self->log);
  return job;
}

/* What cannot be deleted is told, and remembered. */
ENGINE_TEST (test_discard_undeleted)
{
  g_autoptr (GPtrArray) rows = NULL;
  const TfdLeftover *row;
  TfdJob *job = begin_discard (self);

  engine_answer (self, "Discard", "([(2, [byte 0x2f, 0x78], 'x'), (9, [byte 0x2f], 'x')],)");
  tfd_signal_log_assert (self->log, "a is acknowledged\na removed partial\n"
                                    "a outcome partial kept 0 discarded 1 2 undeleted /x");
  rows = tfd_store_load_leftovers (self->store, TFD_LEFTOVER_FILE, ALICE, NULL);
  g_assert_cmpuint (rows->len, ==, 1);
  row = rows->pdata[0];
  g_assert_cmpstr (row->job_id, ==, tfd_job_id (job));
  g_assert_cmpuint (row->index, ==, 2);
  g_assert_cmpstr (row->path, ==, "/home/a/2");
  g_assert_nonnull (row->part);
}

/* Without a worker nothing is known: all that may be there is remembered. */
ENGINE_TEST (test_discard_fails)
{
  TfdJob *job = begin_discard (self);

  for (guint i = 0; i < 5; i++)
    {
      static const gint64 pauses[] = { 0, 1, 5, 30, 0 };

      engine_fail (self, "Discard", G_IO_ERROR_CONNECTION_CLOSED);
      engine_advance (self, pauses[i] * SECOND);
      if (i < 4)
        engine_answer_each (self, "Verify", "ok");
    }
  g_assert_true (tfd_job_state_is_final (tfd_job_record (job)->state));
  g_assert_cmpuint (engine_count_rows (self, "leftovers"), ==, 2);
  tfd_signal_log_clear (self->log);
}

ENGINE_TEST (test_discard_fails_once)
{
  begin_discard (self);
  engine_fail (self, "Discard", G_IO_ERROR_CONNECTION_CLOSED);
  engine_answer_each (self, "Verify", "ok");
  engine_assert_asked (self, "Discard", "1 2");
  engine_answer (self, "Discard", "([],)");
  g_assert_cmpuint (engine_count_rows (self, "leftovers"), ==, 0);
  tfd_signal_log_assert_has (self->log, "a outcome partial kept 0 discarded 1 2");
}

/* ---- what is left over ---- */

static void
make_leftovers (EngineFixture *self)
{
  TfdJob *job = engine_create_done (self, "a", 2, 2, NULL);

  engine_cancel (self, job);
  engine_answer (self, "Discard", "([(0, [byte 0x2f, 0x78], 'x'), (1, [byte 0x2f, 0x79], 'x')],)");
  g_assert_cmpuint (engine_count_rows (self, "leftovers"), ==, 2);
  tfd_signal_log_clear (self->log);
}

/* Tried again when a mount changes, until they are gone. */
ENGINE_TEST (test_leftovers_mount)
{
  make_leftovers (self);
  tfd_engine_mounts_changed (self->engine);
  engine_settle (self);
  engine_assert_asked (self, "Discard", "0 1");
  engine_assert_file_value (self, "Discard", 0, "path", "/home/a/0");
  engine_assert_file_value (self, "Discard", 0, "part", "{'done': <true>}");
  engine_answer (self, "Discard", "([(0, [byte 0x2f, 0x78], 'x')],)");
  g_assert_cmpuint (engine_count_rows (self, "leftovers"), ==, 1);
  tfd_engine_mounts_changed (self->engine);
  engine_settle (self);
  engine_assert_asked (self, "Discard", "0");
  engine_fail (self, "Discard", G_IO_ERROR_CONNECTION_CLOSED);
  g_assert_cmpuint (engine_count_rows (self, "leftovers"), ==, 1);
  tfd_engine_mounts_changed (self->engine);
  engine_answer (self, "Discard", "([],)");
  engine_restart (self);
  g_assert_cmpuint (engine_count_rows (self, "leftovers"), ==, 0);
}

/* Containers change mounts all day: that costs a try a minute, and the last change is not lost. */
ENGINE_TEST (test_leftovers_many_mounts)
{
  const char *still_there = "([(0, [byte 0x2f], 'x'), (1, [byte 0x2f], 'x')],)";
  guint tries = 0;

  make_leftovers (self);
  for (guint i = 0; i < 600; i++)
    {
      tfd_engine_mounts_changed (self->engine);
      engine_advance (self, SECOND);
      if (tfd_fake_transport_count (self->transport) == 0)
        continue;
      engine_answer (self, "Discard", still_there);
      tries++;
    }
  g_assert_cmpuint (tries, >=, 10);
  g_assert_cmpuint (tries, <=, 15);
  tfd_engine_mounts_changed (self->engine);
  engine_settle (self);
  engine_assert_requests (self, "");
  engine_advance (self, 60 * SECOND);
  engine_answer (self, "Discard", still_there);
  engine_advance (self, 3600 * SECOND);
  engine_assert_requests (self, "");
  /* after a while without, several at a time are no burden */
  for (guint i = 0; i < 5; i++)
    {
      tfd_engine_mounts_changed (self->engine);
      engine_settle (self);
      engine_answer (self, "Discard", still_there);
    }
}

/* … when the service starts, and once a day … */
ENGINE_TEST (test_leftovers_daily)
{
  make_leftovers (self);
  engine_restart (self);
  for (guint day = 0; day < 3; day++)
    {
      engine_assert_asked (self, "Discard", "0 1");
      engine_answer (self, "Discard", "([(0, [byte 0x2f], 'x'), (1, [byte 0x2f], 'x')],)");
      engine_advance (self, 24 * 3600 * SECOND);
    }
  engine_answer (self, "Discard", "([],)");
  g_assert_cmpuint (engine_count_rows (self, "leftovers"), ==, 0);
}

/* … for 90 days. Tombstones go after 7. */
ENGINE_TEST (test_leftovers_given_up)
{
  make_leftovers (self);
  for (guint day = 1; day <= 90; day++)
    {
      engine_advance (self, 24 * 3600 * SECOND);
      engine_answer (self, "Discard", "([(0, [byte 0x2f], 'x'), (1, [byte 0x2f], 'x')],)");
      g_assert_cmpuint (engine_count_rows (self, "tombstones"), ==, day <= 7 ? 1 : 0);
    }
  engine_advance (self, 24 * 3600 * SECOND);
  engine_assert_requests (self, "");
  g_assert_cmpuint (engine_count_rows (self, "leftovers"), ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ENGINE_ADD ("/engine/complete/discard/undeleted", test_discard_undeleted);
  ENGINE_ADD ("/engine/complete/discard/fails", test_discard_fails);
  ENGINE_ADD ("/engine/complete/discard/fails-once", test_discard_fails_once);
  ENGINE_ADD ("/engine/leftovers/mount", test_leftovers_mount);
  ENGINE_ADD ("/engine/leftovers/many-mounts", test_leftovers_many_mounts);
  ENGINE_ADD ("/engine/leftovers/daily", test_leftovers_daily);
  ENGINE_ADD ("/engine/leftovers/given-up", test_leftovers_given_up);
  return g_test_run ();
}
