/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Behaviour, signals: what is told of each change; and how we read what can be read in two ways. */
#include "behaviour.h"

#define RULE(name) static void name (EngineFixture *engine, gconstpointer row G_GNUC_UNUSED)
#define HAS(self, what) g_assert_cmpuint ((self).told &TFD_CHANGED_##what, !=, 0)
#define HAS_NOT(self, what) g_assert_cmpuint ((self).told &TFD_CHANGED_##what, ==, 0)

static void
fail_for_good (Subject *self, guint32 index)
{
  engine_failed (self->engine, self->run, index,
                 "{'name': <'org.transferd.Transfer1.Error.HttpStatus'>}");
}

static void
start_again (Subject *self)
{
  OK (tfd_engine_resume (self->engine->engine, self->job, error));
  engine_settle (self->engine);
  self->run = engine_take_start (self->engine);
  tfd_signal_log_clear (self->engine->log);
}

/* ---- what is told ---- */

RULE (test_property)
{
  g_auto (Subject) self = { 0 };

  subject_enter (&self, engine, "suspended", NULL);
  OK (engine_set_properties (engine, self.job, "{'Description': <'x'>}", error));
  engine_settle (engine);
  HAS (self, PROPERTIES);
  HAS (self, TIMES);
  HAS_NOT (self, STATE);
}

RULE (test_state)
{
  g_auto (Subject) self = { 0 };

  subject_enter (&self, engine, "connecting", NULL);
  engine_connected (engine, self.run);
  HAS (self, STATE);
  HAS (self, TIMES);
  tfd_signal_log_assert (engine->log, "a is transferring");
}

RULE (test_progress)
{
  g_auto (Subject) self = { 0 };

  subject_enter (&self, engine, "transferring", NULL);
  engine_progress (engine, self.run, 1, 50, 100);
  HAS (self, PROGRESS);
  HAS_NOT (self, STATE);
  tfd_signal_log_assert (engine->log, "");
}

RULE (test_transferred)
{
  g_auto (Subject) self = { 0 };

  subject_enter (&self, engine, "transferring", "{'NotifyFiles': <true>}");
  engine_done (engine, self.run, 1);
  tfd_signal_log_assert (engine->log, "a files 1");
  engine_done (engine, self.run, 2);
  HAS (self, STATE);
  tfd_signal_log_assert (engine->log, "a is transferred\na files 2\na transferred");
  subject_serve (engine);
}

RULE (test_files_not_asked_for)
{
  g_auto (Subject) self = { 0 };

  subject_enter (&self, engine, "transferring", NULL);
  engine_done (engine, self.run, 1);
  engine_done (engine, self.run, 2);
  tfd_signal_log_assert (engine->log, "a is transferred\na transferred");
  subject_serve (engine);
}

/* What has arrived is told before the failure, and state and error in one. */
RULE (test_error)
{
  g_auto (Subject) self = { 0 };

  subject_enter (&self, engine, "transferring", "{'NotifyFiles': <true>}");
  tfd_fake_transport_news (
      engine->transport, ALICE, "FilesDone",
      g_variant_new_parsed ("(%t, [(%u, %t, @a{sv} {})])", self.run, 1u, (guint64) 100));
  fail_for_good (&self, 2);
  HAS (self, STATE);
  HAS (self, ERROR);
  tfd_signal_log_assert (engine->log, "a is error\na files 1\na failed HttpStatus");
  subject_serve (engine);
}

/* Once for each time that the job comes into the state. */
RULE (test_error_again)
{
  g_auto (Subject) self = { 0 };

  subject_enter (&self, engine, "error", NULL);
  for (guint i = 0; i < 2; i++)
    {
      engine_restart (engine);
      subject_find_again (&self);
      tfd_signal_log_assert (engine->log, "");
      start_again (&self);
      fail_for_good (&self, 1);
      subject_serve (engine);
      tfd_signal_log_assert (engine->log, "a is error\na failed HttpStatus");
    }
}

RULE (test_transient)
{
  g_auto (Subject) self = { 0 };

  subject_enter (&self, engine, "transferring", NULL);
  subject_fail (&self);
  HAS (self, STATE);
  HAS (self, ERROR);
  tfd_signal_log_assert (engine->log, "a is transient-error");
}

RULE (test_acknowledged)
{
  g_auto (Subject) self = { 0 };

  subject_enter (&self, engine, "transferred", NULL);
  engine_complete (engine, self.job, "{}");
  subject_serve (engine);
  tfd_signal_log_assert (engine->log,
                         "a is transferred (completing)\na is acknowledged\na removed completed\n"
                         "a outcome completed kept 0 1 2");
}

RULE (test_partial)
{
  g_auto (Subject) self = { 0 };

  subject_enter (&self, engine, "suspended", NULL);
  engine_complete (engine, self.job, "{}");
  subject_serve (engine);
  tfd_signal_log_assert (engine->log,
                         "a is suspended (completing)\na is acknowledged\na removed partial\n"
                         "a outcome partial kept 0 discarded 1 2");
}

RULE (test_cancelled)
{
  g_auto (Subject) self = { 0 };

  subject_enter (&self, engine, "transferred", NULL);
  engine_cancel (engine, self.job);
  subject_serve (engine);
  tfd_signal_log_assert (engine->log,
                         "a is transferred (cancelling)\na is cancelled\na removed cancelled\n"
                         "a outcome cancelled discarded 0 1 2");
}

RULE (test_expired)
{
  g_auto (Subject) self = { 0 };

  subject_enter (&self, engine, "transferred", NULL);
  engine_advance (engine, 90 * DAY);
  subject_serve (engine);
  tfd_signal_log_assert (engine->log,
                         "a is transferred (cancelling)\na is cancelled\na removed expired");
}

/* ---- readings ---- */

/* Whose owner leaves waits its turn; whom the owner has suspended stays so. */
RULE (test_log_off)
{
  g_auto (Subject) self = { 0 };

  subject_enter (&self, engine, "transferring", "{'RunWhen': <'logged-in'>}");
  tfd_engine_set_log_ons (engine->engine, TFD_LOG_ONS_KNOWN);
  engine_settle (engine);
  subject_serve (engine);
  assert_job (self.job, "queued");
  OK (tfd_engine_suspend (engine->engine, self.job, error));
  tfd_engine_set_session (engine->engine, ALICE, TFD_SESSION_ACTIVE);
  engine_settle (engine);
  assert_job (self.job, "suspended");
}

/* Complete needs no network: everything is here already. */
RULE (test_complete_is_local)
{
  g_auto (Subject) self = { 0 };

  subject_enter (&self, engine, "transferred", NULL);
  tfd_engine_set_network (engine->engine, FALSE, FALSE);
  engine_complete (engine, self.job, "{}");
  subject_serve (engine);
  assert_job (self.job, "acknowledged");
}

RULE (test_long_name)
{
  g_autofree char *name = g_strnfill (257, 'x');
  g_autofree char *changes = g_strdup_printf ("{'DisplayName': <'%s'>}", name);
  g_auto (Subject) self = { 0 };

  subject_enter (&self, engine, "suspended", NULL);
  FAILS (engine_set_properties (engine, self.job, changes, error), TFD_ERROR_STRING_TOO_LONG);
  name[256] = '\0';
  g_free (changes);
  changes = g_strdup_printf ("{'DisplayName': <'%s'>}", name);
  OK (engine_set_properties (engine, self.job, changes, error));
}

RULE (test_default_limits)
{
  g_assert_cmpuint (engine->config->max_jobs_per_user, ==, 60);
  g_assert_cmpuint (engine->config->max_jobs_per_machine, ==, 300);
}

/* Errors of both kinds can be read until bytes flow, whoever ended and began meanwhile. */
RULE (test_error_readable)
{
  static const char *const kinds[] = { "transient-error", "error" };

  for (gsize i = 0; i < G_N_ELEMENTS (kinds); i++)
    {
      g_auto (Subject) self = { 0 };
      int code;

      subject_enter (&self, engine, kinds[i], NULL);
      code = (int) subject_record (&self)->failure.code;
      engine_restart (engine);
      subject_find_again (&self);
      g_assert_cmpint (subject_record (&self)->failure.code, ==, code);
      start_again (&self);
      g_assert_cmpint (subject_record (&self)->failure.code, ==, code);
      g_assert_cmpint (subject_record (&self)->failure.context, !=, TFD_ERROR_CONTEXT_NONE);
      engine_connected (engine, self.run);
      g_assert_cmpint (subject_record (&self)->failure.context, ==, TFD_ERROR_CONTEXT_NONE);
      engine_cancel (engine, self.job);
      subject_serve (engine);
      engine_advance (engine, 10 * SECOND);
    }
}

/* Who does not say so pays for nothing, but what somebody waits for. */
RULE (test_cost)
{
  guint64 run;
  TfdJob *background = engine_create_running (engine, "a", 1, NULL, &run);
  TfdJob *foreground = engine_create_running (engine, "b", 1, "{'Priority': <'foreground'>}", &run);

  tfd_engine_set_network (engine->engine, TRUE, TRUE);
  engine_settle (engine);
  subject_serve (engine);
  assert_job (background, "transient-error");
  g_assert_cmpint (tfd_job_record (background)->failure.code, ==, TFD_ERROR_BLOCKED_BY_COST);
  assert_job (foreground, "connecting");
  tfd_signal_log_clear (engine->log);
}

static const struct
{
  const char *name;
  void (*test) (EngineFixture *engine, gconstpointer row);
} table[] = {
  { "signals/property", test_property },
  { "signals/state", test_state },
  { "signals/progress", test_progress },
  { "signals/to-transferred", test_transferred },
  { "signals/file-done-not-asked-for", test_files_not_asked_for },
  { "signals/to-error", test_error },
  { "signals/to-error-again", test_error_again },
  { "signals/to-transient-error", test_transient },
  { "signals/to-acknowledged", test_acknowledged },
  { "signals/to-acknowledged-partial", test_partial },
  { "signals/to-cancelled", test_cancelled },
  { "signals/expired", test_expired },
  { "readings/log-off-queues", test_log_off },
  { "readings/complete-is-local", test_complete_is_local },
  { "readings/long-display-name", test_long_name },
  { "readings/default-limits", test_default_limits },
  { "readings/error-readable-until-bytes-flow", test_error_readable },
  { "readings/metered-networks", test_cost },
};

void
behaviour_add_signals (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (table); i++)
    behaviour_add (NULL, table[i].test, "/behaviour/%s", table[i].name);
}
