/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Tests of Cancel, of calls that come while a Complete or Cancel works, and of what is left over.
 */
#include "engine-fixture.h"

/* ---- Cancel ---- */

ENGINE_TEST (test_suspended)
{
  TfdJob *job = engine_create_done (self, "a", 2, 1, NULL);

  engine_cancel (self, job);
  engine_assert_asked (self, "Discard", "0 1");
  tfd_signal_log_assert (self->log, "a is suspended (cancelling)");
  engine_answer (self, "Discard", "([],)");
  tfd_signal_log_assert (self->log, "a is cancelled\na removed cancelled\n"
                                    "a outcome cancelled discarded 0 1");
  g_assert_cmpuint (engine_count_rows (self, "jobs"), ==, 0);
  g_assert_cmpuint (engine_count_rows (self, "tombstones"), ==, 1);
}

ENGINE_TEST (test_running)
{
  guint64 run;
  TfdJob *job = engine_create_running (self, "a", 1, NULL, &run);

  engine_cancel (self, job);
  /* never two writers: deleted only when the worker has let go */
  engine_assert_requests (self, "Stop");
  engine_answer (self, "Stop", "([],)");
  engine_answer (self, "Discard", "([],)");
  tfd_signal_log_assert_has (self->log, "a removed cancelled\na outcome cancelled discarded 0");
}

ENGINE_TEST (test_empty)
{
  engine_cancel (self, engine_create (self, "a", 0, FALSE, NULL));
  tfd_signal_log_assert_has (self->log, "a removed cancelled\na outcome cancelled");
}

ENGINE_TEST (test_waiting_for_retry)
{
  guint64 run;
  TfdJob *job = engine_create_running (self, "a", 1, NULL, &run);

  engine_failed (self, run, 0, "{'transient': <true>}");
  engine_answer (self, "Stop", "([],)");
  engine_cancel (self, job);
  engine_advance (self, 10000 * SECOND);
  engine_assert_requests (self, "Discard");
  engine_answer (self, "Discard", "([],)");
  tfd_signal_log_assert_has (self->log, "a outcome cancelled discarded 0");
}

/* Cancel succeeds though the destination is away; the temporary is remembered. */
ENGINE_TEST (test_undeleted)
{
  TfdJob *job = engine_create_done (self, "a", 1, 1, NULL);

  engine_cancel (self, job);
  engine_answer (self, "Discard", "([(0, [byte 0x2f, 0x78], 'x')],)");
  tfd_signal_log_assert_has (self->log, "a removed cancelled\n"
                                        "a outcome cancelled discarded 0 undeleted /x");
  g_assert_cmpuint (engine_count_rows (self, "leftovers"), ==, 1);
}

/* What an earlier Complete has put in place stays there, and is told as kept. */
ENGINE_TEST (test_after_half_a_complete)
{
  TfdJob *job = engine_create_done (self, "a", 3, 3, NULL);

  engine_complete (self, job, "{}");
  engine_answer_each (self, "Verify", "ok");
  engine_answer (self, "Finalize", "([(0, 'renamed', {}), (1, 'failed', {})],)");
  engine_cancel (self, job);
  engine_assert_asked (self, "Discard", "1 2");
  engine_answer (self, "Discard", "([],)");
  tfd_signal_log_assert_has (self->log, "a outcome CommitFailed\na removed cancelled\n"
                                        "a outcome cancelled kept 0 discarded 1 2");
}

ENGINE_TEST (test_crash)
{
  TfdJob *job = engine_create_done (self, "a", 1, 1, NULL);

  engine_cancel (self, job);
  for (guint i = 0; i < 3; i++)
    {
      engine_restart (self);
      engine_assert_asked (self, "Discard", "0");
      g_assert_cmpint (tfd_job_record (engine_find (self, "a"))->operation, ==,
                       TFD_OPERATION_CANCELLING);
    }
  engine_answer (self, "Discard", "([],)");
  tfd_signal_log_assert_has (self->log, "a is cancelled\na removed cancelled");
  g_assert_cmpuint (engine_count_rows (self, "jobs"), ==, 0);
}

/* ---- while it works ---- */

typedef struct
{
  EngineFixture *fixture;
  const char *call;
} Waiter;

static void
note_outcome (TfdJob *job G_GNUC_UNUSED,
              const TfdOutcome *outcome G_GNUC_UNUSED,
              const GError *error,
              gpointer data)
{
  EngineFixture *self = data;

  tfd_signal_log_add (self->log, "second %s", error != NULL ? "refused" : "done");
}

static void
call_cb (TfdJob *job, gpointer data)
{
  const Waiter *waiter = data;
  EngineFixture *self = waiter->fixture;
  g_autoptr (GVariant) options =
      g_variant_ref_sink (g_variant_new_array (G_VARIANT_TYPE ("{sv}"), NULL, 0));
  gboolean done = TRUE;

  if (g_str_equal (waiter->call, "complete"))
    tfd_engine_complete (self->engine, job, options, note_outcome, self);
  else if (g_str_equal (waiter->call, "cancel"))
    tfd_engine_cancel (self->engine, job, note_outcome, self);
  else if (g_str_equal (waiter->call, "suspend"))
    done = tfd_engine_suspend (self->engine, job, NULL);
  else
    done = tfd_engine_resume (self->engine, job, NULL);
  tfd_signal_log_add (self->log, "%s%s", waiter->call, done ? "" : " refused");
}

/* As the bus does with a call that changes a busy job. */
static void
wait_with (EngineFixture *self, TfdJob *job, const char *call)
{
  Waiter *waiter = g_new (Waiter, 1);

  g_assert_true (tfd_engine_is_busy (self->engine, job));
  *waiter = (Waiter){ self, call };
  tfd_engine_when_free (self->engine, job, call_cb, waiter, g_free);
}

/* They are decided afterwards, in the order of arrival. */
ENGINE_TEST (test_order)
{
  TfdJob *job = engine_create_done (self, "a", 2, 1, NULL);

  engine_complete (self, job, "{}");
  wait_with (self, job, "resume");
  wait_with (self, job, "suspend");
  engine_answer_each (self, "Verify", "ok");
  wait_with (self, job, "resume");
  tfd_signal_log_assert (self->log, "a is suspended (completing)");
  engine_answer_each (self, "Finalize", "failed");
  assert_job (job, "connecting");
  tfd_signal_log_assert_has (self->log, "resume\nsuspend\nresume\na outcome CommitFailed");
  engine_take_start (self);
  tfd_signal_log_clear (self->log);
}

/* After the end all of them hear that it is over. */
ENGINE_TEST (test_order_after_end)
{
  TfdJob *job = engine_create_done (self, "a", 1, 1, NULL);

  engine_complete (self, job, "{}");
  wait_with (self, job, "resume");
  wait_with (self, job, "cancel");
  engine_answer_each (self, "Verify", "ok");
  engine_answer_each (self, "Finalize", "renamed");
  tfd_signal_log_assert_has (self->log, "a removed completed\na outcome completed kept 0\n"
                                        "resume refused\ncancel\nsecond refused");
}

ENGINE_TEST (test_two_completes)
{
  TfdJob *job = engine_create_done (self, "a", 1, 1, NULL);

  engine_complete (self, job, "{}");
  wait_with (self, job, "complete");
  engine_answer_each (self, "Verify", "ok");
  engine_answer_each (self, "Finalize", "failed");
  /* the first failed: the second has its own try */
  tfd_signal_log_assert_has (self->log, "complete\na outcome CommitFailed");
  wait_with (self, job, "complete");
  engine_answer_each (self, "Verify", "ok");
  engine_answer_each (self, "Finalize", "renamed");
  tfd_signal_log_assert_has (self->log, "a removed completed\nsecond done\ncomplete\n"
                                        "second refused");
}

/* A Cancel that waited for a Complete which failed. */
ENGINE_TEST (test_complete_then_cancel)
{
  TfdJob *job = engine_create_done (self, "a", 1, 1, NULL);

  engine_complete (self, job, "{}");
  wait_with (self, job, "cancel");
  wait_with (self, job, "resume");
  engine_answer_each (self, "Verify", "missing");
  engine_assert_requests (self, "Discard");
  g_assert_true (tfd_engine_is_busy (self->engine, job));
  engine_answer (self, "Discard", "([],)");
  tfd_signal_log_assert_has (self->log, "cancel\na outcome CommitFailed\na removed cancelled\n"
                                        "second done\nresume refused");
}

/* A busy job rests, whatever time it is and whatever is mounted. */
ENGINE_TEST (test_rests)
{
  TfdJob *job = engine_create_done (self, "a", 1, 1, "{'AutoComplete': <false>}");

  engine_complete (self, job, "{}");
  engine_advance (self, 100000 * SECOND);
  tfd_engine_mounts_changed (self->engine);
  engine_settle (self);
  engine_assert_requests (self, "Verify");
  engine_answer_each (self, "Verify", "ok");
  tfd_engine_mounts_changed (self->engine);
  engine_settle (self);
  engine_assert_requests (self, "Finalize");
  engine_answer_each (self, "Finalize", "renamed");
  tfd_signal_log_clear (self->log);
}

/* Others go on. */
ENGINE_TEST (test_others)
{
  guint64 run;
  TfdJob *job = engine_create_done (self, "a", 1, 1, NULL), *other;

  engine_complete (self, job, "{}");
  other = engine_create_running (self, "b", 1, NULL, &run);
  engine_done (self, run, 0);
  engine_answer (self, "Stop", "([],)");
  assert_job (other, "transferred");
  engine_answer_each (self, "Verify", "ok");
  engine_answer_each (self, "Finalize", "renamed");
  tfd_signal_log_clear (self->log);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ENGINE_ADD ("/engine/cancel/suspended", test_suspended);
  ENGINE_ADD ("/engine/cancel/running", test_running);
  ENGINE_ADD ("/engine/cancel/empty", test_empty);
  ENGINE_ADD ("/engine/cancel/waiting-for-retry", test_waiting_for_retry);
  ENGINE_ADD ("/engine/cancel/undeleted", test_undeleted);
  ENGINE_ADD ("/engine/cancel/after-half-a-complete", test_after_half_a_complete);
  ENGINE_ADD ("/engine/cancel/crash", test_crash);
  ENGINE_ADD ("/engine/busy/order", test_order);
  ENGINE_ADD ("/engine/busy/order-after-end", test_order_after_end);
  ENGINE_ADD ("/engine/busy/two-completes", test_two_completes);
  ENGINE_ADD ("/engine/busy/complete-then-cancel", test_complete_then_cancel);
  ENGINE_ADD ("/engine/busy/rests", test_rests);
  ENGINE_ADD ("/engine/busy/others", test_others);
  return g_test_run ();
}
