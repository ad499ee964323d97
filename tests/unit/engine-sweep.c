/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Tests of the rows of jobs with many files, which go after the end of the job. */
#include "engine-fixture.h"

#define MANY 600 /* three turns */
#define TURN (SECOND / 200)
#define LONG (60 * SECOND)

static void
assert_rows (EngineFixture *self, guint jobs, guint files)
{
  g_assert_cmpuint (engine_count_rows (self, "jobs"), ==, jobs);
  g_assert_cmpuint (engine_count_rows (self, "files"), ==, files);
}

/* Its files were never handed to a worker: there is nothing else to do. */
static void
end_large_job (EngineFixture *self)
{
  engine_cancel (self, engine_create (self, "a", MANY, FALSE, NULL));
  tfd_signal_log_assert_has (self->log, "a is cancelled\na removed cancelled");
  tfd_signal_log_clear (self->log);
}

/* In two requests each. */
static void
complete (EngineFixture *self, TfdJob *job)
{
  engine_complete (self, job, "{}");
  for (guint i = 0; i < 2; i++)
    engine_answer_each (self, "Verify", "ok");
  for (guint i = 0; i < 2; i++)
    engine_answer_each (self, "Finalize", "renamed");
}

ENGINE_TEST (test_complete)
{
  TfdJob *job = engine_create_done (self, "a", MANY, MANY, NULL);

  complete (self, job);
  /* it has been told, and nothing of it was deleted */
  tfd_signal_log_assert_has (self->log, "a is acknowledged\na removed completed");
  tfd_signal_log_clear (self->log);
  assert_rows (self, 1, MANY);
  engine_advance (self, TURN);
  assert_rows (self, 1, MANY - 256);
  engine_advance (self, TURN);
  assert_rows (self, 1, MANY - 512);
  engine_advance (self, TURN);
  assert_rows (self, 0, 0);
}

ENGINE_TEST (test_cancel)
{
  guint jobs, running;
  guint64 rate;

  end_large_job (self);
  assert_rows (self, 1, MANY);
  tfd_engine_count (self->engine, ALICE, NULL, &jobs, &running, &rate);
  g_assert_cmpuint (jobs, ==, 0);
  engine_advance (self, 3 * TURN);
  assert_rows (self, 0, 0);
}

/* There is nothing to wait for. */
ENGINE_TEST (test_small)
{
  engine_cancel (self, engine_create (self, "a", 256, FALSE, NULL));
  assert_rows (self, 0, 0);
  tfd_signal_log_clear (self->log);
}

/* Jobs that end meanwhile have their turns, others stay what they are. */
ENGINE_TEST (test_several)
{
  engine_create (self, "b", 3, FALSE, NULL);
  end_large_job (self);
  engine_advance (self, TURN);
  end_large_job (self);
  engine_advance (self, 20 * TURN);
  assert_rows (self, 1, 3);
}

/* The service dies before it has begun, and between two turns. */
ENGINE_TEST (test_crash)
{
  end_large_job (self);
  engine_restart (self);
  tfd_signal_log_assert (self->log, "");
  g_assert_null (engine_find (self, "a"));
  assert_rows (self, 1, MANY);
  engine_advance (self, TURN);
  assert_rows (self, 1, MANY - 256);
  engine_restart (self);
  g_assert_null (engine_find (self, "a"));
  engine_advance (self, TURN);
  g_assert_false (tfd_engine_is_idle (self->engine));
  engine_advance (self, TURN);
  assert_rows (self, 0, 0);
  g_assert_true (tfd_engine_is_idle (self->engine));
  engine_restart (self);
  tfd_signal_log_assert (self->log, "");
}

/* The end cannot be recorded: the job is still there, with all its rows. */
ENGINE_TEST (test_end_fails)
{
  TfdJob *job = engine_create_done (self, "a", MANY, MANY, NULL);

  engine_complete (self, job, "{}");
  for (guint i = 0; i < 2; i++)
    engine_answer_each (self, "Verify", "ok");
  engine_answer_each (self, "Finalize", "renamed");
  self->failing_commits = 1;
  engine_answer_each (self, "Finalize", "renamed");
  tfd_signal_log_assert_has (self->log, "warning\na outcome StorageFailed");
  engine_advance (self, SECOND);
  assert_rows (self, 1, MANY);
  for (guint i = 0; i < 2; i++)
    engine_answer_each (self, "Verify", "ok");
  engine_answer_each (self, "Finalize", "renamed");
  tfd_signal_log_assert (self->log, "a is acknowledged\na removed completed");
  assert_rows (self, 1, MANY);
  for (guint i = 0; i < 4; i++)
    engine_advance (self, TURN);
  assert_rows (self, 0, 0);
}

/* A turn that cannot be recorded is tried again, after a while. */
ENGINE_TEST (test_commit_fails)
{
  end_large_job (self);
  g_assert_false (tfd_engine_is_idle (self->engine));
  self->failing_commits = 1;
  engine_advance (self, TURN);
  /* nobody waits for a disk that is full */
  g_assert_true (tfd_engine_is_idle (self->engine));
  assert_rows (self, 1, MANY);
  tfd_signal_log_assert (self->log, "warning");
  engine_advance (self, TURN);
  assert_rows (self, 1, MANY);
  engine_advance (self, LONG);
  for (guint i = 0; i < 4; i++)
    engine_advance (self, TURN);
  assert_rows (self, 0, 0);
}

/* Those who have changed something in the same moment lose nothing by it. */
ENGINE_TEST (test_write_fails)
{
  end_large_job (self);
  engine_fail_writes (self, "files", FALSE);
  engine_create (self, "b", 0, FALSE, NULL);
  engine_advance (self, TURN);
  tfd_signal_log_assert_has (self->log, "b added");
  assert_rows (self, 2, MANY);
  tfd_signal_log_clear (self->log);
  engine_mend_writes (self);
  engine_advance (self, LONG);
  for (guint i = 0; i < 4; i++)
    engine_advance (self, TURN);
  assert_rows (self, 1, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ENGINE_ADD ("/engine/sweep/complete", test_complete);
  ENGINE_ADD ("/engine/sweep/cancel", test_cancel);
  ENGINE_ADD ("/engine/sweep/small", test_small);
  ENGINE_ADD ("/engine/sweep/several", test_several);
  ENGINE_ADD ("/engine/sweep/crash", test_crash);
  ENGINE_ADD ("/engine/sweep/end-fails", test_end_fails);
  ENGINE_ADD ("/engine/sweep/commit-fails", test_commit_fails);
  ENGINE_ADD ("/engine/sweep/write-fails", test_write_fails);
  return g_test_run ();
}
