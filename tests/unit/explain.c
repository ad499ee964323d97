/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Tests of what a job says about why it does not run. */
#include "engine-fixture.h"

/* The codes of all conditions, and the text of the status, which is never empty. */
static void
assert_explained (EngineFixture *self, TfdJob *job, const char *codes)
{
  g_autoptr (GPtrArray) conditions = tfd_job_explain (job, TFD_CLOCK (self->clock));
  g_autofree char *status = tfd_job_status_text (job, TFD_CLOCK (self->clock));
  g_autoptr (GString) text = g_string_new (NULL);

  for (guint i = 0; i < conditions->len; i++)
    {
      const TfdCondition *condition = conditions->pdata[i];
      const char *dot = strrchr (condition->code, '.');

      g_assert_cmpstr (condition->text, !=, "");
      g_string_append_printf (text, "%s%s", i > 0 ? " " : "",
                              dot != NULL ? dot + 1 : condition->code);
    }
  g_assert_cmpstr (text->str, ==, codes);
  g_assert_cmpstr (status, !=, "");
  if (conditions->len > 0 && tfd_job_record (job)->operation == TFD_OPERATION_NONE)
    g_assert_cmpstr (status, ==, ((TfdCondition *) conditions->pdata[0])->text);
}

static const TfdCondition *
first_condition (EngineFixture *self, TfdJob *job, GPtrArray **conditions)
{
  *conditions = tfd_job_explain (job, TFD_CLOCK (self->clock));
  return (*conditions)->pdata[0];
}

ENGINE_TEST (test_suspended)
{
  TfdJob *empty = engine_create (self, "a", 0, FALSE, NULL);
  TfdJob *job = engine_create (self, "b", 1, FALSE, NULL);
  g_autoptr (GPtrArray) conditions = NULL;

  assert_explained (self, empty, "suspended no-files");
  assert_explained (self, job, "suspended");
  g_assert_cmpint (first_condition (self, job, &conditions)->since, ==, 1700000000 * SECOND);
  tfd_signal_log_clear (self->log);
}

ENGINE_TEST (test_running)
{
  guint64 run;
  TfdJob *job = engine_create_running (self, "a", 1, NULL, &run);

  assert_explained (self, job, "");
  engine_connected (self, run);
  assert_explained (self, job, "");
  engine_done (self, run, 0);
  engine_answer (self, "Stop", "([],)");
  assert_explained (self, job, "");
  tfd_signal_log_clear (self->log);
}

ENGINE_TEST (test_queued)
{
  TfdJob *high, *slot, *low;
  guint64 run;

  self->config->background_jobs = 1;
  high = engine_create_running (self, "a", 1, "{'Priority': <'high'>}", &run);
  slot = engine_create (self, "b", 1, TRUE, "{'Priority': <'high'>}");
  low = engine_create (self, "c", 1, TRUE, NULL);
  assert_explained (self, slot, "slot");
  assert_explained (self, low, "higher-priority");
  engine_done (self, run, 0);
  engine_answer (self, "Stop", "([],)");
  assert_explained (self, high, "");
  assert_explained (self, slot, "");
  assert_explained (self, low, "higher-priority");
  engine_take_start (self);
  tfd_signal_log_clear (self->log);
}

ENGINE_TEST (test_worker)
{
  guint64 run;
  TfdJob *job = engine_create_running (self, "a", 1, NULL, &run);
  g_autoptr (GPtrArray) conditions = NULL;

  engine_lose (self);
  engine_take_start (self);
  engine_advance (self, SECOND);
  engine_lose (self);
  assert_explained (self, job, "worker-starting");
  g_assert_cmpint (first_condition (self, job, &conditions)->since, ==, 1700000001 * SECOND);
  tfd_transport_emit_stuck (TFD_TRANSPORT (self->transport), ALICE, TRUE);
  engine_settle (self);
  assert_explained (self, job, "worker-stuck");
  engine_advance (self, SECOND);
  assert_explained (self, job, "worker-stuck");
  tfd_transport_emit_stuck (TFD_TRANSPORT (self->transport), ALICE, FALSE);
  engine_settle (self);
  engine_take_start (self);
  assert_explained (self, job, "");
  tfd_signal_log_clear (self->log);
}

ENGINE_TEST (test_transient)
{
  guint64 run;
  TfdJob *job = engine_create_running (self, "a", 1, NULL, &run);
  g_autoptr (GPtrArray) conditions = NULL;
  const TfdCondition *condition;

  engine_failed (self, run, 0,
                 "{'name': <'org.transferd.Transfer1.Error.TimedOut'>, 'transient': <true>,"
                 " 'message': <'it took too long'>}");
  engine_answer (self, "Stop", "([],)");
  assert_explained (self, job, "TimedOut retry-delay");
  condition = first_condition (self, job, &conditions);
  g_assert_cmpstr (condition->code, ==, "org.transferd.Transfer1.Error.TimedOut");
  g_assert_cmpstr (condition->text, ==, "it took too long");
  g_assert_cmpint (condition->next_check, ==, tfd_job_next_retry (job, TFD_CLOCK (self->clock)));
  tfd_signal_log_clear (self->log);
}

/* A property that is changed meanwhile does not make the job wait since then. */
ENGINE_TEST (test_since)
{
  guint64 run;
  TfdJob *job = engine_create_running (self, "a", 1, NULL, &run);
  g_autoptr (GPtrArray) conditions = NULL;
  const TfdCondition *condition;

  engine_failed (self, run, 0,
                 "{'name': <'org.transferd.Transfer1.Error.TimedOut'>, 'transient': <true>}");
  engine_answer (self, "Stop", "([],)");
  engine_advance (self, 2 * SECOND);
  g_assert_true (engine_set_properties (self, job, "{'DisplayName': <'b'>}", NULL));
  condition = first_condition (self, job, &conditions);
  g_assert_cmpint (condition->since, ==, 1700000000 * SECOND);
  g_assert_cmpint (tfd_job_record (job)->modification_time, ==, 1700000002 * SECOND);
  tfd_signal_log_clear (self->log);
}

static void
assert_first (EngineFixture *self, TfdJob *job, const char *code, const char *text, gint64 since)
{
  g_autoptr (GPtrArray) conditions = NULL;
  const TfdCondition *condition = first_condition (self, job, &conditions);

  g_assert_true (g_str_has_suffix (condition->code, code));
  g_assert_nonnull (strstr (condition->text, text));
  g_assert_cmpint (condition->since, ==, (1700000000 + since) * SECOND);
}

/* Each condition in its own words, and since when it holds. */
ENGINE_TEST (test_world)
{
  TfdJob *job, *other;

  tfd_engine_set_log_ons (self->engine, TFD_LOG_ONS_NOT_YET);
  job = engine_create (self, "a", 1, TRUE, "{'RunWhen': <'logged-in'>}");
  other = engine_create (self, "b", 1, TRUE, "{'RunWhen': <'lingering'>}");
  assert_first (self, job, ".OwnerNotLoggedIn", "not known yet", 0);
  engine_advance (self, SECOND);
  tfd_engine_set_log_ons (self->engine, TFD_LOG_ONS_KNOWN);
  assert_first (self, job, ".OwnerNotLoggedIn", "is logged on", 1);
  assert_first (self, other, ".OwnerNotLoggedIn", "or lingers", 1);
  engine_advance (self, SECOND);
  self->config->battery_blocks = 1;
  tfd_engine_set_power (self->engine, FALSE, TRUE);
  engine_settle (self);
  assert_first (self, job, ".BlockedByPower", "runs on battery", 2);
  tfd_engine_set_power (self->engine, TRUE, TRUE);
  engine_advance (self, SECOND);
  assert_first (self, job, ".BlockedByPower", "", 2);
  assert_explained (self, job, "BlockedByPower OwnerNotLoggedIn");
  tfd_signal_log_clear (self->log);
}

ENGINE_TEST (test_error)
{
  guint64 run;
  TfdJob *job = engine_create_running (self, "a", 1, NULL, &run);

  engine_failed (self, run, 0, "{'name': <'org.transferd.Transfer1.Error.HttpStatus'>}");
  engine_answer (self, "Stop", "([],)");
  assert_explained (self, job, "HttpStatus");
  tfd_signal_log_clear (self->log);
}

/* A finished temporary that went away stopped the job: it says so, besides being suspended. */
ENGINE_TEST (test_missing)
{
  TfdJob *job = engine_create_done (self, "a", 1, 1, NULL);

  engine_complete (self, job, "{}");
  engine_answer_each (self, "Verify", "missing");
  assert_explained (self, job, "suspended FileMissing");
  tfd_signal_log_clear (self->log);
}

ENGINE_TEST (test_operation)
{
  TfdJob *job = engine_create_done (self, "a", 1, 0, NULL);
  g_autofree char *status = NULL;

  engine_cancel (self, job);
  assert_explained (self, job, "");
  status = tfd_job_status_text (job, TFD_CLOCK (self->clock));
  g_assert_cmpstr (status, ==, "cancelling");
  engine_answer (self, "Discard", "([],)");
  assert_explained (self, job, "");
  tfd_signal_log_clear (self->log);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ENGINE_ADD ("/explain/suspended", test_suspended);
  ENGINE_ADD ("/explain/running", test_running);
  ENGINE_ADD ("/explain/queued", test_queued);
  ENGINE_ADD ("/explain/worker", test_worker);
  ENGINE_ADD ("/explain/transient-error", test_transient);
  ENGINE_ADD ("/explain/since", test_since);
  ENGINE_ADD ("/explain/world", test_world);
  ENGINE_ADD ("/explain/error", test_error);
  ENGINE_ADD ("/explain/missing", test_missing);
  ENGINE_ADD ("/explain/operation", test_operation);
  return g_test_run ();
}
