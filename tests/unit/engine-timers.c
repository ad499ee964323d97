/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Tests of what time alone does to jobs: MaximumDownloadTime and JobInactivityTimeout. */
#include "engine-fixture.h"

#define TIMED_OUT                                                                                  \
  "{'name': <'org.transferd.Transfer1.Error.TimedOut'>, 'transient': <true>, 'message': <'oh'>}"

/* MaximumDownloadTime of jobs that do not say it is that of the configuration as it is now. */
ENGINE_TEST (test_maximum_download_time)
{
  guint64 run;
  TfdJob *job, *own;

  self->config->maximum_download_time = 1000 * SECOND;
  job = engine_create_running (self, "a", 1, NULL, &run);
  own = engine_create_running (self, "b", 1, "{'MaximumDownloadTime': <uint64 900000000>}", &run);
  g_assert_cmpuint (tfd_job_maximum_download_time (job), ==, 1000 * SECOND);
  engine_advance (self, 400 * SECOND);
  self->config->maximum_download_time = 500 * SECOND;
  tfd_engine_reconfigure (self->engine);
  engine_advance (self, 100 * SECOND - 1);
  assert_job (job, "connecting");
  engine_advance (self, 1);
  assert_job (job, "error");
  g_assert_cmpint (tfd_job_record (job)->failure.code, ==, TFD_ERROR_MAXIMUM_DOWNLOAD_TIME);
  engine_answer (self, "Stop", "([],)");
  assert_job (own, "connecting");
  OK (engine_set_properties (self, own, "{'MaximumDownloadTime': <uint64 0>}", error));
  engine_settle (self);
  assert_job (own, "error");
  engine_answer (self, "Stop", "([],)");
  tfd_signal_log_clear (self->log);
}

/* It counts while the job is connecting or transferring, over interruptions and restarts; Resume
 * counts anew. */
ENGINE_TEST (test_active_time)
{
  guint64 run;
  TfdJob *job =
      engine_create_running (self, "a", 1, "{'MaximumDownloadTime': <uint64 1000000000>}", &run);

  engine_advance (self, 200 * SECOND);
  engine_progress (self, run, 0, 10, 100);
  engine_advance (self, 100 * SECOND);
  tfd_engine_set_network (self->engine, FALSE, FALSE);
  engine_settle (self);
  engine_answer (self, "Stop", "([],)");
  engine_advance (self, 5000 * SECOND); /* waiting is free */
  tfd_engine_set_network (self->engine, TRUE, FALSE);
  engine_settle (self);
  run = engine_take_start (self);
  engine_advance (self, 300 * SECOND);
  engine_progress (self, run, 0, 20, 100);
  engine_restart (self);
  job = engine_find (self, "a");
  engine_take_start (self);
  g_assert_cmpuint (tfd_job_record (job)->active_time, >=, 300 * SECOND);
  g_assert_cmpuint (tfd_job_record (job)->active_time, <=, 600 * SECOND);
  engine_advance (self, 700 * SECOND);
  assert_job (job, "error");
  engine_answer (self, "Stop", "([],)");
  OK (tfd_engine_resume (self->engine, job, error));
  engine_settle (self);
  engine_take_start (self);
  engine_advance (self, 1000 * SECOND - 1);
  assert_job (job, "connecting");
  engine_advance (self, 1);
  assert_job (job, "error");
  engine_answer (self, "Stop", "([],)");
  tfd_signal_log_clear (self->log);
}

/* ---- inactivity ---- */

#define DAY (24 * 3600 * SECOND)

ENGINE_TEST (test_expires)
{
  TfdJob *job = engine_create_done (self, "a", 2, 1, NULL);
  TfdJob *done = engine_create_done (self, "b", 1, 1, NULL);

  engine_advance (self, 89 * DAY);
  OK (engine_set_properties (self, done, "{'Description': <'x'>}", error));
  engine_advance (self, DAY - 1);
  g_autoptr (GPtrArray) conditions G_GNUC_UNUSED = tfd_job_explain (job, TFD_CLOCK (self->clock));
  g_autoptr (GPtrArray) files G_GNUC_UNUSED = tfd_engine_list_files (self->engine, job, 0, 0, NULL);
  tfd_fake_clock_set_real (self->clock, 1); /* nobody is younger by that */
  tfd_signal_log_clear (self->log);
  engine_advance (self, 1);
  engine_assert_asked (self, "Discard", "0 1");
  engine_answer (self, "Discard", "([],)");
  tfd_signal_log_assert (self->log, "a is suspended (cancelling)\na is cancelled\n"
                                    "a removed expired");
  assert_job (job, "cancelled");
  assert_job (done, "transferred");
  engine_advance (self, 89 * DAY);
  engine_assert_asked (self, "Discard", "0");
  engine_answer (self, "Discard", "([],)");
  tfd_signal_log_clear (self->log);
}

/* A crash on the way does not make it one that its owner has cancelled. */
ENGINE_TEST (test_expires_over_crash)
{
  engine_create_done (self, "a", 1, 1, NULL);
  engine_advance (self, 90 * DAY);
  engine_assert_asked (self, "Discard", "0");
  engine_restart (self);
  tfd_signal_log_clear (self->log);
  engine_answer (self, "Discard", "([],)");
  tfd_signal_log_assert (self->log, "a is cancelled\na removed expired");
}

/* A job that fails again and again is not used; one that gets on is. */
ENGINE_TEST (test_failing_expires)
{
  guint64 run;
  TfdJob *job = engine_create_running (self, "a", 1,
                                       "{'MinimumRetryDelay': <uint64 86400000000>,"
                                       " 'NoProgressTimeout': <uint64 86400000000000>}",
                                       &run);

  engine_progress (self, run, 0, 10, 100);
  for (guint i = 0; i < 200 && tfd_job_record (job)->state == TFD_JOB_STATE_CONNECTING + (i == 0);
       i++)
    {
      engine_failed (self, run, 0, TIMED_OUT);
      engine_answer (self, "Stop", "([],)");
      engine_advance (self, tfd_job_record (job)->retry_at -
                                tfd_clock_now_boot (TFD_CLOCK (self->clock)));
      if (tfd_job_record (job)->state == TFD_JOB_STATE_CONNECTING)
        run = engine_take_start (self);
    }
  g_assert_cmpint (tfd_clock_now_boot (TFD_CLOCK (self->clock)), >=, 90 * DAY);
  g_assert_cmpint (tfd_clock_now_boot (TFD_CLOCK (self->clock)), <, 95 * DAY);
  engine_answer (self, "Discard", "([],)");
  assert_job (job, "cancelled");
  tfd_signal_log_clear (self->log);
}

/* A shorter JobInactivityTimeout= holds at once. */
ENGINE_TEST (test_inactivity_of_configuration)
{
  TfdJob *job = engine_create_done (self, "a", 1, 1, NULL);

  engine_advance (self, 2 * DAY);
  self->config->job_inactivity_timeout = DAY;
  tfd_engine_reconfigure (self->engine);
  engine_settle (self);
  engine_answer (self, "Discard", "([],)");
  assert_job (job, "cancelled");
  tfd_signal_log_clear (self->log);
}

/* ---- what is a use, over crashes and boots ---- */

#define MINUTE (60 * SECOND)

static gint64
now_boot (EngineFixture *self)
{
  return tfd_clock_now_boot (TFD_CLOCK (self->clock));
}

static gint64
unused_for (EngineFixture *self, const char *name)
{
  return now_boot (self) - tfd_job_record (engine_find (self, name))->last_activity;
}

static void
use (EngineFixture *self, const char *name)
{
  OK (engine_set_properties (self, engine_find (self, name), "{'Description': <'x'>}", error));
  engine_settle (self);
}

static void
reboot (EngineFixture *self, gint64 off)
{
  gint64 now = tfd_clock_now_real (TFD_CLOCK (self->clock));

  engine_crash (self);
  tfd_fake_clock_reboot (self->clock, 20 * SECOND);
  tfd_fake_clock_set_real (self->clock, now + off);
  engine_start (self);
  engine_settle (self);
  tfd_signal_log_clear (self->log);
}

static void
assert_expires_in (EngineFixture *self, gint64 span)
{
  engine_advance (self, span - 1);
  engine_assert_requests (self, "");
  engine_advance (self, 1);
  engine_answer (self, "Discard", "([],)");
  tfd_signal_log_assert (self->log, "a is suspended (cancelling)\na is cancelled\n"
                                    "a removed expired");
}

/* The time is noted every hour: what was before the use does not count because of that. */
ENGINE_TEST (test_use_after_note)
{
  engine_create_done (self, "a", 2, 1, NULL);
  engine_advance (self, 40 * MINUTE);
  use (self, "a");
  reboot (self, 5 * MINUTE);
  g_assert_cmpint (unused_for (self, "a"), ==, 5 * MINUTE);
  engine_advance (self, 30 * MINUTE);
  reboot (self, DAY);
  assert_expires_in (self, 89 * DAY - 35 * MINUTE);
}

/* The disk was full when the time was to be noted: nothing is known of the days before. */
ENGINE_TEST (test_use_without_note)
{
  engine_create_done (self, "a", 2, 1, NULL);
  self->failing_commits = 1;
  reboot (self, 6 * DAY);
  use (self, "a");
  engine_advance (self, MINUTE);
  reboot (self, 5 * MINUTE);
  g_assert_cmpint (unused_for (self, "a"), ==, 0);
  assert_expires_in (self, 90 * DAY);
}

/* That bytes come is written down now and then. */
ENGINE_TEST (test_bytes_before_crash)
{
  guint64 run;

  engine_create_running (self, "a", 1, NULL, &run);
  engine_connected (self, run);
  engine_advance (self, 50 * MINUTE);
  engine_progress (self, run, 0, 10, 100);
  self->config->background_jobs = 0;
  engine_restart (self);
  g_assert_cmpint (unused_for (self, "a"), ==, 0);
  engine_advance (self, MINUTE);
  engine_restart (self);
  g_assert_cmpint (unused_for (self, "a"), ==, MINUTE);
  tfd_signal_log_clear (self->log);
}

ENGINE_TEST (test_bytes_before_failed_commit)
{
  guint64 run;

  engine_create_running (self, "a", 1, NULL, &run);
  engine_connected (self, run);
  engine_advance (self, 50 * MINUTE);
  engine_progress (self, run, 0, 10, 100);
  engine_advance (self, MINUTE);
  self->config->background_jobs = 0;
  self->failing_commits = 1;
  engine_done (self, run, 0);
  engine_answer (self, "Stop", "([],)");
  assert_job (engine_find (self, "a"), "queued");
  g_assert_cmpint (unused_for (self, "a"), <=, MINUTE);
  tfd_signal_log_clear (self->log);
}

/* What was not stored at the start is of the boot that is, all the same. */
ENGINE_TEST (test_wait_without_note)
{
  guint64 run;
  TfdJob *job;

  engine_advance (self, 30 * DAY);
  job = engine_create_running (self, "a", 1, NULL, &run);
  engine_failed (self, run, 0, TIMED_OUT);
  engine_answer (self, "Stop", "([],)");
  assert_job (job, "transient-error");
  self->failing_commits = 1;
  reboot (self, MINUTE);
  assert_job (engine_find (self, "a"), "transient-error");
  engine_advance (self, 3600 * SECOND);
  engine_take_start (self);
  tfd_signal_log_clear (self->log);
}

/* Nobody is asked to go on with what a boot interrupted before the times of the job are of this
 * boot, on the disk. */
ENGINE_TEST (test_cancel_over_boot)
{
  engine_cancel (self, engine_create_done (self, "a", 2, 1, NULL));
  engine_assert_requests (self, "Discard");
  reboot (self, MINUTE);
  engine_assert_requests (self, "Discard");
  self->failing_commits = 1;
  reboot (self, MINUTE);
  engine_advance (self, 40 * SECOND);
  engine_answer (self, "Discard", "([],)");
  tfd_signal_log_assert (self->log, "a is cancelled\na removed cancelled");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ENGINE_ADD ("/engine/maximum-download-time/configuration", test_maximum_download_time);
  ENGINE_ADD ("/engine/maximum-download-time/active", test_active_time);
  ENGINE_ADD ("/engine/inactivity/expires", test_expires);
  ENGINE_ADD ("/engine/inactivity/over-crash", test_expires_over_crash);
  ENGINE_ADD ("/engine/inactivity/failing", test_failing_expires);
  ENGINE_ADD ("/engine/inactivity/configuration", test_inactivity_of_configuration);
  ENGINE_ADD ("/engine/use/after-note", test_use_after_note);
  ENGINE_ADD ("/engine/use/without-note", test_use_without_note);
  ENGINE_ADD ("/engine/use/bytes-before-crash", test_bytes_before_crash);
  ENGINE_ADD ("/engine/use/bytes-before-failed-commit", test_bytes_before_failed_commit);
  ENGINE_ADD ("/engine/use/wait-without-note", test_wait_without_note);
  ENGINE_ADD ("/engine/use/cancel-over-boot", test_cancel_over_boot);
  return g_test_run ();
}
