/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Tests of the limit on what the words of one user take. */
#include "engine-fixture.h"

#include "engine/engine-private.h"

/* Room for some jobs of one file. */
#define ROOM 10000

static guint
fill (EngineFixture *self)
{
  g_autoptr (GError) error = NULL;
  guint n = 0;

  while (engine_try_create (self, ALICE, "a", 1, FALSE, NULL, &error) != NULL)
    {
      engine_settle (self);
      n++;
    }
  g_assert_error (error, TFD_ERROR, TFD_ERROR_LIMITS_EXCEEDED);
  g_assert_nonnull (strstr (error->message, "10000"));
  return n;
}

ENGINE_TEST (test_create)
{
  g_autoptr (GError) error = NULL;
  guint n;

  self->engine->most_stored = ROOM;
  n = fill (self);
  g_assert_cmpuint (n, >, 3);
  g_assert_cmpuint (n, <, 10);
  g_assert_cmpuint (engine_count_rows (self, "jobs"), ==, n);
  /* others do not notice */
  g_assert_nonnull (engine_try_create (self, BOB, "b", 1, FALSE, NULL, &error));
  g_assert_no_error (error);
  engine_settle (self);
  tfd_signal_log_clear (self->log);
}

ENGINE_TEST (test_add)
{
  TfdJob *job = engine_create (self, "a", 1, FALSE, NULL);
  guint32 first;

  self->engine->most_stored = ROOM;
  OK (engine_add_files (self, job, 1, 10, &first, error));
  FAILS (engine_add_files (self, job, 11, 200, &first, error), TFD_ERROR_LIMITS_EXCEEDED);
  g_assert_cmpuint (tfd_job_record (job)->files_total, ==, 11);
  engine_settle (self);
  g_assert_cmpuint (engine_count_rows (self, "files"), ==, 11);
  engine_settle (self);
  tfd_signal_log_clear (self->log);
}

ENGINE_TEST (test_remote_names)
{
  TfdJob *job = engine_create (self, "a", 20, FALSE, NULL);
  g_autofree char *word = g_strnfill (1000, 'x');
  g_autofree char *longer = g_strconcat ("http://host/", word, NULL);
  guint32 changed = 0;

  self->engine->most_stored = ROOM;
  OK (tfd_engine_set_remote_name (self->engine, job, 0, longer, error));
  FAILS (tfd_engine_replace_remote_prefix (self->engine, job, "http://host/a", longer, &changed,
                                           error),
         TFD_ERROR_LIMITS_EXCEEDED);
  g_assert_cmpstr (engine_file (job, 1)->url, ==, "http://host/a/1");
  engine_settle (self);
  tfd_signal_log_clear (self->log);
}

ENGINE_TEST (test_room_comes_back)
{
  self->engine->most_stored = ROOM;
  fill (self);
  engine_cancel (self, engine_find (self, "a"));
  engine_settle (self);
  engine_advance (self, SECOND);
  g_assert_nonnull (engine_create (self, "again", 1, FALSE, NULL));
  engine_settle (self);
  tfd_signal_log_clear (self->log);
}

ENGINE_TEST (test_after_a_restart)
{
  self->engine->most_stored = ROOM;
  fill (self);
  engine_restart (self);
  self->engine->most_stored = ROOM;
  g_assert_cmpuint (fill (self), ==, 0);
  engine_settle (self);
  tfd_signal_log_clear (self->log);
}

/* Whoever makes and ends jobs without end fills no disk: the oldest of them is forgotten. */
ENGINE_TEST (test_history)
{
  guint n_rows = 0;
  TfdJob *of_other;

  self->engine->most_history = 20 * TFD_STORED_PER_JOB;
  of_other = engine_try_create (self, BOB, "b", 1, FALSE, NULL, NULL);
  engine_settle (self);
  engine_cancel (self, of_other);
  for (guint i = 0; i < 50; i++)
    {
      engine_cancel (self, engine_create (self, "a", 3, FALSE, NULL));
      engine_settle (self);
      engine_advance (self, 6 * SECOND);
      n_rows = engine_count_rows (self, "tombstones");
      g_assert_cmpuint (n_rows, >=, MIN (i + 2, 18));
      g_assert_cmpuint (n_rows, <=, 1 + 20 + 2);
    }
  g_autoptr (GPtrArray) of_bob = tfd_store_load_tombstones (self->store, BOB, NULL, NULL);
  g_assert_cmpuint (of_bob->len, ==, 1);
  tfd_signal_log_clear (self->log);
}

/* … and not with what could not be deleted. */
ENGINE_TEST (test_leftovers)
{
  g_autoptr (GError) refusal = NULL;
  g_autoptr (TfdLeftover) leftover = tfd_leftover_new ();

  self->engine->most_stored = ROOM;
  leftover->owner_uid = ALICE;
  leftover->job_id = g_strnfill (32, '0');
  leftover->path = g_strnfill (ROOM, 'x');
  leftover->created = tfd_clock_now_real (TFD_CLOCK (self->clock));
  OK (tfd_store_add_leftover (self->store, leftover, error));
  OK (tfd_store_commit (self->store, error));
  tfd_engine_count_leftover (self->engine, leftover);
  for (guint i = 0; i < 2; i++)
    {
      g_assert_null (engine_try_create (self, ALICE, "a", 1, FALSE, NULL, &refusal));
      g_assert_error (refusal, TFD_ERROR, TFD_ERROR_LIMITS_EXCEEDED);
      g_clear_error (&refusal);
      engine_restart (self);
      self->engine->most_stored = ROOM;
    }
  engine_answer (self, "Discard", "([],)");
  engine_advance (self, SECOND);
  g_assert_nonnull (engine_try_create (self, ALICE, "a", 1, FALSE, NULL, &refusal));
  engine_settle (self);
  tfd_signal_log_clear (self->log);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ENGINE_ADD ("/engine/stored/create", test_create);
  ENGINE_ADD ("/engine/stored/add", test_add);
  ENGINE_ADD ("/engine/stored/remote-names", test_remote_names);
  ENGINE_ADD ("/engine/stored/room-comes-back", test_room_comes_back);
  ENGINE_ADD ("/engine/stored/after-a-restart", test_after_a_restart);
  ENGINE_ADD ("/engine/stored/history", test_history);
  ENGINE_ADD ("/engine/stored/leftovers", test_leftovers);
  return g_test_run ();
}
