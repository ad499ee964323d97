/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Tests of what the state of the world does to jobs: who stops, who goes on, and when. */
#include "engine-fixture.h"

#define TRANSIENT(name, more)                                                                      \
  "{'name': <'org.transferd.Transfer1.Error." name "'>, 'context': <'transport'>,"                 \
  " 'transient': <true>, 'message': <'oh'>" more "}"

#define SPREAD (5 * SECOND) /* jobs that waited for the network start within */

static void
set_online (EngineFixture *self, gboolean online)
{
  tfd_engine_set_network (self->engine, online, FALSE);
  engine_settle (self);
}

static void
assert_waits (TfdJob *job, TfdErrorCode code)
{
  assert_job (job, "transient-error");
  g_assert_cmpint (tfd_job_record (job)->failure.code, ==, code);
  g_assert_cmpint (tfd_job_record (job)->retry_at, ==, 0);
  g_assert_cmpuint (tfd_job_record (job)->error_count, ==, 0);
}

/* Jobs "0", "1", …, each of them waiting for a slot or running. */
static void
create_many (EngineFixture *self, TfdJob **jobs, guint n)
{
  for (guint i = 0; i < n; i++)
    {
      g_autofree char *name = g_strdup_printf ("%u", i);

      jobs[i] = engine_create (self, name, 1, TRUE, NULL);
    }
}

/* ---- network ---- */

ENGINE_TEST (test_lost)
{
  guint64 run;
  TfdJob *running = engine_create_running (self, "a", 1, NULL, &run);
  TfdJob *suspended = engine_create (self, "b", 1, FALSE, NULL);

  engine_progress (self, run, 0, 10, 100);
  set_online (self, FALSE);
  engine_answer (self, "Stop", "([],)");
  assert_waits (running, TFD_ERROR_NETWORK_DISCONNECTED);
  assert_job (suspended, "suspended");
  /* no timer: only the network ends it */
  engine_advance (self, 30 * 24 * 3600 * SECOND);
  assert_waits (running, TFD_ERROR_NETWORK_DISCONNECTED);
  OK (tfd_engine_resume (self->engine, suspended, error));
  engine_settle (self);
  assert_waits (suspended, TFD_ERROR_NETWORK_DISCONNECTED);
  engine_assert_requests (self, "");
  set_online (self, TRUE);
  engine_take_start (self);
  assert_job (running, "connecting");
  engine_advance (self, SPREAD);
  engine_take_start (self);
  assert_job (suspended, "connecting");
  tfd_signal_log_clear (self->log);
}

/* All come back, none later than the end of the spread, not all at once. */
ENGINE_TEST (test_spread)
{
  TfdJob *jobs[60];
  guint at_once = 0;

  self->config->background_jobs = self->config->background_jobs_per_user = 100;
  set_online (self, FALSE);
  create_many (self, jobs, G_N_ELEMENTS (jobs));
  set_online (self, TRUE);
  for (guint i = 0; i < G_N_ELEMENTS (jobs); i++)
    at_once += tfd_job_record (jobs[i])->state == TFD_JOB_STATE_CONNECTING;
  g_assert_cmpuint (at_once, >=, 1);
  g_assert_cmpuint (at_once, <, G_N_ELEMENTS (jobs) / 2);
  engine_advance (self, SPREAD);
  for (guint i = 0; i < G_N_ELEMENTS (jobs); i++)
    {
      assert_job (jobs[i], "connecting");
      engine_take_start (self);
    }
  tfd_signal_log_clear (self->log);
}

/* Gone again before all have gone on. */
ENGINE_TEST (test_lost_again)
{
  TfdJob *jobs[20];

  self->config->background_jobs = self->config->background_jobs_per_user = 100;
  set_online (self, FALSE);
  create_many (self, jobs, G_N_ELEMENTS (jobs));
  set_online (self, TRUE);
  engine_take_start (self);
  set_online (self, FALSE);
  engine_answer (self, "Stop", "([],)");
  engine_advance (self, SPREAD);
  for (guint i = 0; i < G_N_ELEMENTS (jobs); i++)
    assert_waits (jobs[i], TFD_ERROR_NETWORK_DISCONNECTED);
  engine_assert_requests (self, "");
  set_online (self, TRUE);
  engine_advance (self, SPREAD);
  for (guint i = 0; i < G_N_ELEMENTS (jobs); i++)
    engine_take_start (self);
  tfd_signal_log_clear (self->log);
}

/* What failed on the way to the server just before anybody knew that the network was going need not
 * wait for its next try; what the server asked for, or has answered, keeps its time. */
ENGINE_TEST (test_failed_on_the_way)
{
  static const char *const details[] = {
    TRANSIENT ("ConnectionLost", ""),
    TRANSIENT ("NameNotResolved", ""),
    TRANSIENT ("ConnectionFailed", ""),
    TRANSIENT ("TimedOut", ""),
    TRANSIENT ("ConnectionFailed", ", 'retry-after': <uint64 3600000000>"),
    TRANSIENT ("HttpStatus", ""),
    TRANSIENT ("HttpStatus", ", 'retry-after': <uint64 3600000000>"),
  };
  const guint n_again = 4;
  TfdJob *jobs[G_N_ELEMENTS (details)];
  guint64 run;

  for (guint i = 0; i < G_N_ELEMENTS (details); i++)
    {
      g_autofree char *name = g_strdup_printf ("%u", i);

      jobs[i] = engine_create_running (self, name, 1, NULL, &run);
      engine_failed (self, run, 0, details[i]);
      engine_answer (self, "Stop", "([],)");
      assert_job (jobs[i], "transient-error");
    }
  set_online (self, FALSE);
  engine_advance (self, SECOND);
  self->config->background_jobs = self->config->background_jobs_per_user = 100;
  set_online (self, TRUE);
  engine_advance (self, SPREAD);
  for (guint i = 0; i < G_N_ELEMENTS (details); i++)
    assert_job (jobs[i], i < n_again ? "connecting" : "transient-error");
  for (guint i = 0; i < n_again; i++)
    engine_take_start (self);
  /* the error stays readable until bytes flow, and was one */
  g_assert_cmpint (tfd_job_record (jobs[0])->failure.code, ==, TFD_ERROR_CONNECTION_LOST);
  g_assert_cmpuint (tfd_job_record (jobs[0])->error_count, ==, 1);
  tfd_signal_log_clear (self->log);
}

/* A start of the service is no return of the network. */
ENGINE_TEST (test_restart_is_no_return)
{
  guint64 run;
  TfdJob *job = engine_create_running (self, "a", 1, NULL, &run);
  gint64 retry_at;

  engine_failed (self, run, 0, TRANSIENT ("ConnectionFailed", ""));
  engine_answer (self, "Stop", "([],)");
  retry_at = tfd_job_record (job)->retry_at;
  engine_restart (self);
  engine_advance (self, SPREAD);
  job = engine_find (self, "a");
  assert_job (job, "transient-error");
  g_assert_cmpint (tfd_job_record (job)->retry_at, ==, retry_at);
  tfd_signal_log_clear (self->log);
}

/* A job whose Complete fails after the network came back is let go without any other event. */
ENGINE_TEST (test_back_during_complete)
{
  TfdJob *other, *job = engine_create_done (self, "a", 2, 1, NULL);

  OK (tfd_engine_resume (self->engine, job, error));
  set_online (self, FALSE);
  other = engine_create (self, "b", 1, TRUE, NULL);
  assert_waits (job, TFD_ERROR_NETWORK_DISCONNECTED);
  engine_complete (self, job, "{}");
  set_online (self, TRUE);
  assert_job (other, "connecting");
  engine_take_start (self);
  engine_answer_each (self, "Verify", "unavailable");
  engine_advance (self, SPREAD);
  assert_job (job, "connecting");
  engine_take_start (self);
  tfd_signal_log_clear (self->log);
}

/* Neither Complete nor Cancel needs a network, nor hears that it goes. */
ENGINE_TEST (test_lost_during_end)
{
  guint64 run;
  TfdJob *job = engine_create_done (self, "a", 1, 1, NULL);
  TfdJob *cancelled = engine_create_running (self, "b", 1, NULL, &run);

  engine_complete (self, job, "{}");
  engine_cancel (self, cancelled);
  set_online (self, FALSE);
  engine_answer_each (self, "Verify", "ok");
  engine_answer_each (self, "Finalize", "renamed");
  engine_answer (self, "Stop", "([],)");
  engine_answer (self, "Discard", "([],)");
  assert_job (job, "acknowledged");
  assert_job (cancelled, "cancelled");
  tfd_signal_log_clear (self->log);
}

/* ---- cost, power, hours ---- */

static void
set_metered (EngineFixture *self, gboolean metered)
{
  tfd_engine_set_network (self->engine, TRUE, metered);
  engine_settle (self);
}

ENGINE_TEST (test_cost_by_default)
{
  static const struct
  {
    const char *properties;
    gboolean runs;
  } cases[] = {
    { "{'Priority': <'foreground'>}", TRUE },
    { "{'Priority': <'high'>}", FALSE },
    { "{'Priority': <'normal'>}", FALSE },
    { "{'Priority': <'low'>}", FALSE },
    { "{'TransferPolicy': <'always'>}", TRUE },
    { "{'TransferPolicy': <'not-roaming'>}", TRUE },
    { "{'TransferPolicy': <'no-surcharge'>}", TRUE },
    { "{'TransferPolicy': <'unrestricted'>}", FALSE },
    { "{'Priority': <'foreground'>, 'TransferPolicy': <'standard'>}", FALSE },
  };

  self->config->background_jobs = self->config->background_jobs_per_user = 100;
  set_metered (self, TRUE);
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *name = g_strdup_printf ("%u", i);
      TfdJob *job = engine_create (self, name, 1, TRUE, cases[i].properties);

      if (!cases[i].runs)
        assert_waits (job, TFD_ERROR_BLOCKED_BY_COST);
      else
        {
          engine_take_start (self);
          assert_job (job, "connecting");
          engine_cancel (self, job);
          engine_answer (self, "Stop", "([],)");
          engine_answer (self, "Discard", "([],)");
        }
    }
  tfd_signal_log_clear (self->log);
}

/* A change of the policy, or of the priority that it follows, acts at once. */
ENGINE_TEST (test_policy_of_running_job)
{
  guint64 run;
  TfdJob *job;

  set_metered (self, TRUE);
  job = engine_create_running (self, "a", 1, "{'Priority': <'foreground'>}", &run);
  OK (engine_set_properties (self, job, "{'Priority': <'normal'>}", error));
  engine_settle (self);
  engine_answer (self, "Configure", "()");
  engine_answer (self, "Stop", "([],)");
  assert_waits (job, TFD_ERROR_BLOCKED_BY_COST);
  OK (engine_set_properties (self, job, "{'TransferPolicy': <'always'>}", error));
  engine_settle (self);
  engine_take_start (self);
  assert_job (job, "connecting");
  OK (engine_set_properties (self, job, "{'TransferPolicy': <'unrestricted'>}", error));
  engine_settle (self);
  engine_answer (self, "Stop", "([],)");
  assert_waits (job, TFD_ERROR_BLOCKED_BY_COST);
  tfd_signal_log_clear (self->log);
}

/* One reason after the other: a job waits until the last of them is gone. */
ENGINE_TEST (test_all_of_them)
{
  TfdJob *job, *foreground;

  tfd_engine_set_network (self->engine, FALSE, TRUE);
  tfd_engine_set_blocked_hours (self->engine, TRUE, 0);
  tfd_engine_set_power (self->engine, TRUE, FALSE);
  tfd_engine_set_log_ons (self->engine, TFD_LOG_ONS_KNOWN);
  job = engine_create (self, "a", 1, TRUE, "{'RunWhen': <'logged-in'>}");
  foreground = engine_create (self, "b", 1, TRUE, "{'Priority': <'foreground'>}");
  assert_waits (job, TFD_ERROR_NETWORK_DISCONNECTED);
  assert_waits (foreground, TFD_ERROR_NETWORK_DISCONNECTED);
  set_metered (self, TRUE);
  assert_waits (job, TFD_ERROR_BLOCKED_BY_COST);
  engine_take_start (self); /* neither cost nor power nor hours matter to foreground */
  assert_job (foreground, "connecting");
  set_metered (self, FALSE);
  assert_waits (job, TFD_ERROR_BLOCKED_BY_POLICY);
  tfd_engine_set_blocked_hours (self->engine, FALSE, 0);
  engine_settle (self);
  assert_waits (job, TFD_ERROR_BLOCKED_BY_POWER);
  tfd_engine_set_power (self->engine, FALSE, TRUE); /* on battery: allowed by default */
  engine_settle (self);
  assert_job (job, "queued"); /* its owner is away */
  tfd_engine_set_session (self->engine, ALICE, TFD_SESSION_ACTIVE);
  engine_settle (self);
  engine_take_start (self);
  assert_job (job, "connecting");
  tfd_signal_log_clear (self->log);
}

/* The configuration counts as it is now, for what runs, too. */
ENGINE_TEST (test_configuration)
{
  guint64 run;
  TfdJob *job;

  tfd_engine_set_power (self->engine, FALSE, TRUE);
  job = engine_create_running (self, "a", 1, NULL, &run);
  self->config->battery_blocks = 1;
  tfd_engine_reconfigure (self->engine);
  engine_settle (self);
  engine_answer (self, "Stop", "([],)");
  assert_waits (job, TFD_ERROR_BLOCKED_BY_POWER);
  self->config->battery_blocks = 0;
  tfd_engine_reconfigure (self->engine);
  engine_settle (self);
  engine_take_start (self);
  assert_job (job, "connecting");
  tfd_signal_log_clear (self->log);
}

static void
assert_configured (EngineFixture *self, const char *key, const char *text)
{
  GVariant *request = tfd_fake_transport_peek (self->transport, "Configure");
  g_autoptr (GVariant) options = g_variant_get_child_value (request, 1);
  g_autoptr (GVariant) value = g_variant_lookup_value (options, key, NULL);
  g_autofree char *printed = g_variant_print (value, FALSE);

  g_assert_cmpstr (printed, ==, text);
}

/* What a worker was told with the start is told anew, and only that. */
ENGINE_TEST (test_options_of_running_job)
{
  guint64 run;
  TfdJob *job = engine_create_running (self, "a", 1, "{'MaximumSize': <uint64 1000>}", &run);

  self->config->umask = 077;
  self->config->keep_free = 5;
  tfd_engine_reconfigure (self->engine);
  engine_settle (self);
  assert_configured (self, "umask", "63");
  assert_configured (self, "keep-free", "5");
  engine_answer (self, "Configure", "()");
  self->config->max_jobs_per_user = 1;
  tfd_engine_reconfigure (self->engine);
  OK (engine_set_properties (self, job, "{'Description': <'x'>}", error));
  engine_settle (self);
  engine_assert_requests (self, "");
  OK (engine_set_properties (self, job, "{'RedirectPolicy': <'refuse'>}", error));
  engine_assert_requests (self, ""); /* not before it is recorded */
  engine_settle (self);
  assert_configured (self, "redirect-policy", "'refuse'");
  engine_answer (self, "Configure", "()");
  tfd_signal_log_clear (self->log);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ENGINE_ADD ("/engine/network/lost", test_lost);
  ENGINE_ADD ("/engine/network/spread", test_spread);
  ENGINE_ADD ("/engine/network/lost-again", test_lost_again);
  ENGINE_ADD ("/engine/network/failed-on-the-way", test_failed_on_the_way);
  ENGINE_ADD ("/engine/network/restart-is-no-return", test_restart_is_no_return);
  ENGINE_ADD ("/engine/network/back-during-complete", test_back_during_complete);
  ENGINE_ADD ("/engine/network/lost-during-end", test_lost_during_end);
  ENGINE_ADD ("/engine/conditions/cost-by-default", test_cost_by_default);
  ENGINE_ADD ("/engine/conditions/policy-of-running-job", test_policy_of_running_job);
  ENGINE_ADD ("/engine/conditions/all-of-them", test_all_of_them);
  ENGINE_ADD ("/engine/conditions/configuration", test_configuration);
  ENGINE_ADD ("/engine/conditions/options-of-running-job", test_options_of_running_job);
  return g_test_run ();
}
