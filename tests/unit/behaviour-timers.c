/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Behaviour, timers: when each begins, what resets it, what it does in the end, and that nobody who
 * sets the wall clock shortens or lengthens it. */
#include "behaviour.h"

#define TIMER(name) static void name (EngineFixture *engine, gconstpointer row G_GNUC_UNUSED)

/* ---- waits ---- */

/* The wait after one more failure of the next try. */
static gint64
fail_again (Subject *self)
{
  subject_assert_tried_after (self, subject_wait (self));
  subject_fail (self);
  return subject_wait (self);
}

/* Waits are spread a little, so that not all come at once. */
static void
assert_about (gint64 wait, gint64 expected)
{
  g_assert_cmpint (wait, >=, expected * 9 / 10);
  g_assert_cmpint (wait, <=, expected * 11 / 10);
}

/* ---- MinimumRetryDelay ---- */

TIMER (test_retry_default)
{
  g_auto (Subject) self = { 0 };

  subject_enter (&self, engine, "new", NULL);
  g_assert_cmpuint (subject_record (&self)->properties->minimum_retry_delay, ==, 600 * SECOND);
}

/* What is less is raised without a word. */
TIMER (test_retry_minimum)
{
  g_auto (Subject) self = { 0 };

  subject_enter (&self, engine, "new", "{'MinimumRetryDelay': <uint64 0>}");
  g_assert_cmpuint (subject_record (&self)->properties->minimum_retry_delay, ==, 5 * SECOND);
  OK (engine_set_properties (engine, self.job, "{'MinimumRetryDelay': <uint64 4999999>}", error));
  g_assert_cmpuint (subject_record (&self)->properties->minimum_retry_delay, ==, 5 * SECOND);
}

TIMER (test_retry_starts)
{
  g_auto (Subject) self = { 0 };
  gint64 wait;

  subject_enter (&self, engine, "transferring", NULL);
  subject_fail (&self);
  wait = subject_wait (&self);
  g_assert_cmpint (wait, >=, 600 * SECOND);
  assert_about (wait, 600 * SECOND);
  g_assert_cmpint (tfd_job_next_retry (self.job, TFD_CLOCK (engine->clock)), ==,
                   subject_now_real (&self) + wait);
  subject_assert_tried_after (&self, wait);
  assert_job (self.job, "connecting");
}

TIMER (test_retry_grows)
{
  g_auto (Subject) self = { 0 };

  subject_enter (&self, engine, "transient-error", "{'MinimumRetryDelay': <uint64 100000000>}");
  assert_about (fail_again (&self), 200 * SECOND);
  assert_about (fail_again (&self), 400 * SECOND);
  assert_about (fail_again (&self), 400 * SECOND);
}

TIMER (test_retry_after_bytes)
{
  g_auto (Subject) self = { 0 };

  subject_enter (&self, engine, "transient-error", "{'MinimumRetryDelay': <uint64 100000000>}");
  fail_again (&self);
  subject_assert_tried_after (&self, subject_wait (&self));
  engine_progress (engine, self.run, 1, 50, 100);
  subject_fail (&self);
  assert_about (subject_wait (&self), 100 * SECOND);
}

TIMER (test_retry_resume)
{
  g_auto (Subject) self = { 0 };

  subject_enter (&self, engine, "transient-error", NULL);
  OK (tfd_engine_resume (engine->engine, self.job, error));
  engine_settle (engine);
  self.run = engine_take_start (engine);
  subject_fail (&self);
  assert_about (subject_wait (&self), 600 * SECOND);
}

/* What a server asks for counts when it is longer; a network that comes back does not shorten it.
 */
TIMER (test_retry_server)
{
  g_auto (Subject) self = { 0 };

  subject_enter (&self, engine, "transferring", NULL);
  subject_fail_with (&self,
                     "{'name': <'org.transferd.Transfer1.Error.HttpStatus'>, 'transient': <true>,"
                     " 'http-status': <uint32 503>, 'retry-after': <uint64 7200000000>}");
  g_assert_cmpint (subject_wait (&self), ==, 2 * HOUR);
  tfd_engine_set_network (engine->engine, FALSE, FALSE);
  engine_advance (engine, MINUTE);
  tfd_engine_set_network (engine->engine, TRUE, FALSE);
  engine_settle (engine);
  subject_assert_tried_after (&self, 2 * HOUR - MINUTE);
}

TIMER (test_retry_network)
{
  g_auto (Subject) self = { 0 };

  subject_enter (&self, engine, "transient-error", NULL);
  tfd_engine_set_network (engine->engine, FALSE, FALSE);
  engine_advance (engine, MINUTE);
  tfd_engine_set_network (engine->engine, TRUE, FALSE);
  engine_advance (engine, 5 * SECOND);
  engine_take_start (engine);
}

TIMER (test_retry_wall_clock)
{
  g_auto (Subject) self = { 0 };
  gint64 wait;

  subject_enter (&self, engine, "transient-error", NULL);
  wait = subject_wait (&self);
  subject_set_wall_clock (&self, 365 * DAY);
  g_assert_cmpint (tfd_job_next_retry (self.job, TFD_CLOCK (engine->clock)), ==,
                   subject_now_real (&self) + wait);
  engine_advance (engine, wait / 2);
  subject_set_wall_clock (&self, -1000 * DAY);
  subject_assert_tried_after (&self, wait - wait / 2);
}

/* What waits for an event is not tried by time. */
static void
assert_waits (Subject *self, TfdErrorCode code)
{
  subject_serve (self->engine);
  assert_job (self->job, "transient-error");
  g_assert_cmpint (subject_record (self)->failure.code, ==, (int) code);
  g_assert_cmpint (subject_record (self)->retry_at, ==, 0);
  engine_advance (self->engine, 30 * DAY);
  assert_job (self->job, "transient-error");
  engine_assert_requests (self->engine, "");
}

TIMER (test_retry_not_network)
{
  g_auto (Subject) self = { 0 };

  subject_enter (&self, engine, "transferring", NULL);
  tfd_engine_set_network (engine->engine, FALSE, FALSE);
  engine_settle (engine);
  assert_waits (&self, TFD_ERROR_NETWORK_DISCONNECTED);
}

TIMER (test_retry_not_hours)
{
  g_auto (Subject) self = { 0 };

  subject_enter (&self, engine, "transferring", NULL);
  tfd_engine_set_blocked_hours (engine->engine, TRUE, 0);
  engine_settle (engine);
  assert_waits (&self, TFD_ERROR_BLOCKED_BY_POLICY);
}

/* ---- NoProgressTimeout ---- */

#define NO_PROGRESS_DAY                                                                            \
  "{'MinimumRetryDelay': <uint64 40000000000>, 'NoProgressTimeout': <uint64 86400000000>}"

TIMER (test_no_progress_default)
{
  g_auto (Subject) self = { 0 };

  subject_enter (&self, engine, "new", NULL);
  g_assert_cmpuint (subject_record (&self)->properties->no_progress_timeout, ==, 14 * DAY);
}

/* Of several tries the first failure counts; what comes between is no progress. */
TIMER (test_no_progress_starts)
{
  g_auto (Subject) self = { 0 };
  gint64 first;

  subject_enter (&self, engine, "transferring", NO_PROGRESS_DAY);
  subject_fail (&self);
  first = subject_now_boot (&self);
  g_assert_cmpint (subject_record (&self)->no_progress_since, ==, first);
  subject_assert_tried_after (&self, subject_wait (&self));
  engine_connected (engine, self.run);
  engine_advance (engine, HOUR);
  g_assert_cmpint (subject_record (&self)->no_progress_since, ==, first);
  subject_fail (&self);
  g_assert_cmpint (subject_record (&self)->no_progress_since, ==, first);
  engine_advance (engine, first + DAY - subject_now_boot (&self) - 1);
  assert_job (self.job, "transient-error");
  engine_advance (engine, 1);
  subject_assert_failed (&self, "NoProgress");
}

TIMER (test_no_progress_reset)
{
  g_auto (Subject) self = { 0 };

  subject_enter (&self, engine, "transient-error", NO_PROGRESS_DAY);
  subject_assert_tried_after (&self, subject_wait (&self));
  engine_progress (engine, self.run, 1, 41, 100);
  g_assert_cmpint (subject_record (&self)->no_progress_since, ==, 0);
  engine_advance (engine, 2 * DAY);
  subject_fail (&self);
  g_assert_cmpint (subject_record (&self)->no_progress_since, ==, subject_now_boot (&self));
}

TIMER (test_no_progress_resume)
{
  g_auto (Subject) self = { 0 };

  subject_enter (&self, engine, "transient-error", NO_PROGRESS_DAY);
  engine_advance (engine, HOUR);
  OK (tfd_engine_resume (engine->engine, self.job, error));
  engine_settle (engine);
  self.run = engine_take_start (engine);
  subject_fail (&self);
  g_assert_cmpint (subject_record (&self)->no_progress_since, ==, subject_now_boot (&self));
}

/* No time at all: each error is fatal. */
TIMER (test_no_progress_zero)
{
  g_auto (Subject) self = { 0 };

  subject_enter (&self, engine, "transferring", "{'NoProgressTimeout': <uint64 0>}");
  subject_fail (&self);
  subject_assert_failed (&self, "TimedOut");
  g_assert_cmpuint (subject_record (&self)->error_count, ==, 1);
}

/* The try would come too late: there is none. */
TIMER (test_no_progress_shorter)
{
  g_auto (Subject) self = { 0 };

  subject_enter (&self, engine, "transferring", "{'NoProgressTimeout': <uint64 599000000>}");
  subject_fail (&self);
  subject_assert_failed (&self, "TimedOut");
}

/* … but for those that wait for an event, which is no failure. */
TIMER (test_no_progress_event)
{
  g_auto (Subject) self = { 0 };

  subject_enter (&self, engine, "transferring", "{'NoProgressTimeout': <uint64 0>}");
  tfd_engine_set_network (engine->engine, FALSE, FALSE);
  engine_settle (engine);
  assert_waits (&self, TFD_ERROR_NETWORK_DISCONNECTED);
}

TIMER (test_no_progress_wall_clock)
{
  g_auto (Subject) self = { 0 };

  subject_enter (
      &self, engine, "transferring",
      "{'MinimumRetryDelay': <uint64 86400000000>, 'NoProgressTimeout': <uint64 86400000000>}");
  subject_fail (&self);
  subject_set_wall_clock (&self, 100 * DAY);
  engine_advance (engine, DAY - 1);
  assert_job (self.job, "transient-error");
  subject_set_wall_clock (&self, -1000 * DAY);
  engine_advance (engine, 1);
  subject_assert_failed (&self, "NoProgress");
}

/* ---- all of them ---- */

static const struct
{
  const char *name;
  void (*test) (EngineFixture *engine, gconstpointer row);
} table[] = {
  { "minimum-retry-delay/default-600-s", test_retry_default },
  { "minimum-retry-delay/at-least-5-s", test_retry_minimum },
  { "minimum-retry-delay/starts-with-the-error", test_retry_starts },
  { "minimum-retry-delay/grows-to-four-times", test_retry_grows },
  { "minimum-retry-delay/begins-anew-after-bytes", test_retry_after_bytes },
  { "minimum-retry-delay/resume-ends-it", test_retry_resume },
  { "minimum-retry-delay/server-may-ask-for-more", test_retry_server },
  { "minimum-retry-delay/network-back-ends-it", test_retry_network },
  { "minimum-retry-delay/wall-clock-does-nothing", test_retry_wall_clock },
  { "minimum-retry-delay/not-after-network-loss", test_retry_not_network },
  { "minimum-retry-delay/not-in-blocked-hours", test_retry_not_hours },
  { "no-progress/default-14-days", test_no_progress_default },
  { "no-progress/starts-with-the-first-error-and-fires", test_no_progress_starts },
  { "no-progress/bytes-reset-it", test_no_progress_reset },
  { "no-progress/resume-resets-it", test_no_progress_resume },
  { "no-progress/zero-makes-errors-fatal", test_no_progress_zero },
  { "no-progress/shorter-than-the-retry-delay", test_no_progress_shorter },
  { "no-progress/not-for-what-waits-for-an-event", test_no_progress_event },
  { "no-progress/wall-clock-does-nothing", test_no_progress_wall_clock },
};

void
behaviour_add_timers (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (table); i++)
    behaviour_add (NULL, table[i].test, "/behaviour/timers/%s", table[i].name);
}
