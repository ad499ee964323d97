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

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ENGINE_ADD ("/engine/stored/create", test_create);
  ENGINE_ADD ("/engine/stored/add", test_add);
  ENGINE_ADD ("/engine/stored/remote-names", test_remote_names);
  ENGINE_ADD ("/engine/stored/room-comes-back", test_room_comes_back);
  ENGINE_ADD ("/engine/stored/after-a-restart", test_after_a_restart);
  return g_test_run ();
}
