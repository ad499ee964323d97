/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Behaviour, spans: how long a job may be active, and how long it may be left alone. */
#include "behaviour.h"

#define TIMER(name) static void name (EngineFixture *engine, gconstpointer row G_GNUC_UNUSED)

/* ---- MaximumDownloadTime ---- */

#define ONE_HOUR "{'MaximumDownloadTime': <uint64 3600000000>}"

TIMER (test_maximum_default)
{
  g_auto (Subject) self = { 0 };

  g_assert_cmpuint (engine->config->maximum_download_time, ==, 90 * DAY);
  subject_enter (&self, engine, "new", NULL);
  g_assert_cmpuint (tfd_job_maximum_download_time (self.job), ==, 90 * DAY);
}

/* The job's own value wins, whichever is longer. */
TIMER (test_maximum_own)
{
  g_auto (Subject) self = { 0 };

  subject_enter (&self, engine, "new", ONE_HOUR);
  g_assert_cmpuint (tfd_job_maximum_download_time (self.job), ==, HOUR);
  engine->config->maximum_download_time = MINUTE;
  g_assert_cmpuint (tfd_job_maximum_download_time (self.job), ==, HOUR);
}

/* So much time of the hour is used up when the job comes to @state and stays there. */
static void
spend (EngineFixture *engine, const char *state, gboolean counts)
{
  g_auto (Subject) self = { 0 };
  guint64 before;

  subject_enter (&self, engine, state,
                 "{'MaximumDownloadTime': <uint64 3600000000>,"
                 " 'MinimumRetryDelay': <uint64 864000000000>}");
  before = subject_record (&self)->active_time;
  engine_advance (engine, HOUR - 10 * SECOND);
  assert_job (self.job, state);
  engine_advance (engine, 10 * SECOND);
  if (counts)
    {
      subject_assert_failed (&self, "MaximumDownloadTime");
      return;
    }
  assert_job (self.job, state);
  g_assert_cmpuint (subject_record (&self)->active_time, ==, before);
}

TIMER (test_maximum_connecting) { spend (engine, "connecting", TRUE); }

TIMER (test_maximum_transferring) { spend (engine, "transferring", TRUE); }

TIMER (test_maximum_queued) { spend (engine, "queued", FALSE); }

TIMER (test_maximum_transient) { spend (engine, "transient-error", FALSE); }

TIMER (test_maximum_suspended) { spend (engine, "suspended", FALSE); }

/* It is the sum of all runs. */
TIMER (test_maximum_sum)
{
  g_auto (Subject) self = { 0 };

  subject_enter (
      &self, engine, "transferring",
      "{'MaximumDownloadTime': <uint64 3600000000>, 'MinimumRetryDelay': <uint64 60000000>}");
  for (guint i = 0; i < 2; i++)
    {
      engine_advance (engine, 19 * MINUTE);
      subject_fail (&self);
      subject_assert_tried_after (&self, subject_wait (&self));
      engine_progress (engine, self.run, 1, 41 + i, 100);
    }
  g_assert_cmpuint (subject_record (&self)->active_time, ==, 38 * MINUTE + SECOND);
  engine_advance (engine, 22 * MINUTE - SECOND - 1);
  assert_job (self.job, "transferring");
  engine_advance (engine, 1);
  subject_assert_failed (&self, "MaximumDownloadTime");
}

TIMER (test_maximum_resume)
{
  g_auto (Subject) self = { 0 };

  subject_enter (&self, engine, "transferring", ONE_HOUR);
  engine_advance (engine, HOUR);
  subject_assert_failed (&self, "MaximumDownloadTime");
  OK (tfd_engine_resume (engine->engine, self.job, error));
  engine_settle (engine);
  g_assert_cmpuint (subject_record (&self)->active_time, ==, 0);
  engine_take_start (engine);
  engine_advance (engine, HOUR - 1);
  assert_job (self.job, "connecting");
  engine_advance (engine, 1);
  subject_assert_failed (&self, "MaximumDownloadTime");
}

TIMER (test_maximum_wall_clock)
{
  g_auto (Subject) self = { 0 };

  subject_enter (&self, engine, "connecting", ONE_HOUR);
  subject_set_wall_clock (&self, 365 * DAY);
  engine_advance (engine, MINUTE);
  assert_job (self.job, "connecting");
  subject_set_wall_clock (&self, -1000 * DAY);
  engine_advance (engine, HOUR);
  subject_assert_failed (&self, "MaximumDownloadTime");
}

/* ---- JobInactivityTimeout ---- */

static void
assert_expires_after (Subject *self, gint64 span)
{
  engine_advance (self->engine, span - 1);
  g_assert_cmpint (subject_record (self)->operation, ==, TFD_OPERATION_NONE);
  engine_advance (self->engine, 1);
  subject_serve (self->engine);
  assert_job (self->job, "cancelled");
  tfd_signal_log_assert_has (self->engine->log, "a removed expired");
}

TIMER (test_inactivity_default)
{
  g_auto (Subject) self = { 0 };

  g_assert_cmpuint (engine->config->job_inactivity_timeout, ==, 90 * DAY);
  subject_enter (&self, engine, "transferred", NULL);
  assert_expires_after (&self, 90 * DAY - SECOND);
}

TIMER (test_inactivity_configured)
{
  g_auto (Subject) self = { 0 };

  subject_enter (&self, engine, "suspended", NULL);
  engine->config->job_inactivity_timeout = 2 * DAY;
  tfd_engine_reconfigure (engine->engine);
  assert_expires_after (&self, 2 * DAY - SECOND);
}

TIMER (test_inactivity_call)
{
  g_auto (Subject) self = { 0 };

  subject_enter (&self, engine, "suspended", NULL);
  engine_advance (engine, 89 * DAY);
  OK (tfd_engine_suspend (engine->engine, self.job, error));
  assert_expires_after (&self, 90 * DAY);
}

TIMER (test_inactivity_property)
{
  g_auto (Subject) self = { 0 };

  subject_enter (&self, engine, "error", NULL);
  engine_advance (engine, 89 * DAY);
  OK (engine_set_properties (engine, self.job, "{'Description': <'x'>}", error));
  assert_expires_after (&self, 90 * DAY);
}

TIMER (test_inactivity_progress)
{
  g_auto (Subject) self = { 0 };

  subject_enter (&self, engine, "transferring", "{'MaximumDownloadTime': <uint64 31536000000000>}");
  engine_advance (engine, 80 * DAY);
  engine_progress (engine, self.run, 1, 50, 100);
  OK (tfd_engine_suspend (engine->engine, self.job, error));
  subject_serve (engine);
  assert_expires_after (&self, 90 * DAY);
}

/* A job that is tried for ever is left alone for ever. */
TIMER (test_inactivity_retries)
{
  g_auto (Subject) self = { 0 };

  subject_enter (
      &self, engine, "transient-error",
      "{'MinimumRetryDelay': <uint64 86400000000>, 'NoProgressTimeout': <uint64 31536000000000>}");
  for (guint i = 0; i < 100 && subject_record (&self)->operation == TFD_OPERATION_NONE; i++)
    {
      engine_advance (engine, DAY);
      g_autofree char *asked = tfd_fake_transport_list (engine->transport);
      if (!g_str_equal (asked, "Start"))
        continue;
      self.run = engine_take_start (engine);
      subject_fail (&self);
    }
  subject_serve (engine);
  assert_job (self.job, "cancelled");
  g_assert_cmpint (subject_now_boot (&self) - self.before.last_activity, <, 92 * DAY);
}

TIMER (test_inactivity_wall_clock)
{
  g_auto (Subject) self = { 0 };

  subject_enter (&self, engine, "suspended", NULL);
  subject_set_wall_clock (&self, 1000 * DAY);
  engine_advance (engine, DAY);
  subject_set_wall_clock (&self, -2000 * DAY);
  assert_expires_after (&self, 89 * DAY - SECOND);
}

/* ---- spacing of what is told ---- */

TIMER (test_notify_default)
{
  g_auto (Subject) self = { 0 };

  subject_enter (&self, engine, "new", NULL);
  g_assert_cmpuint (subject_record (&self)->properties->notify_interval, ==, SECOND / 2);
}

/* ---- all of them ---- */

static const struct
{
  const char *name;
  void (*test) (EngineFixture *engine, gconstpointer row);
} table[] = {
  { "maximum-download-time/default-90-days", test_maximum_default },
  { "maximum-download-time/own-value-wins", test_maximum_own },
  { "maximum-download-time/connecting-counts", test_maximum_connecting },
  { "maximum-download-time/transferring-counts", test_maximum_transferring },
  { "maximum-download-time/queued-does-not", test_maximum_queued },
  { "maximum-download-time/transient-error-does-not", test_maximum_transient },
  { "maximum-download-time/suspended-does-not", test_maximum_suspended },
  { "maximum-download-time/sum-of-all-runs", test_maximum_sum },
  { "maximum-download-time/resume-resets-it", test_maximum_resume },
  { "maximum-download-time/wall-clock-does-nothing", test_maximum_wall_clock },
  { "inactivity/default-90-days", test_inactivity_default },
  { "inactivity/as-configured", test_inactivity_configured },
  { "inactivity/call-resets-it", test_inactivity_call },
  { "inactivity/property-resets-it", test_inactivity_property },
  { "inactivity/progress-resets-it", test_inactivity_progress },
  { "inactivity/retries-do-not", test_inactivity_retries },
  { "inactivity/wall-clock-does-nothing", test_inactivity_wall_clock },
  { "notify-interval/default-500-ms", test_notify_default },
};

void
behaviour_add_spans (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (table); i++)
    behaviour_add (NULL, table[i].test, "/behaviour/timers/%s", table[i].name);
}
