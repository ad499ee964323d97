/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Tests of what servers keep of uploads that are given up: the job ends at once, and they are asked
 * to forget it for a day. */
#include "engine-fixture.h"

#include "engine/engine-private.h"

static const TfdJobState open_states[] = {
  TFD_JOB_STATE_SUSPENDED,       TFD_JOB_STATE_QUEUED, TFD_JOB_STATE_CONNECTING,
  TFD_JOB_STATE_TRANSFERRING,    TFD_JOB_STATE_ERROR,  TFD_JOB_STATE_TRANSFERRED,
  TFD_JOB_STATE_TRANSIENT_ERROR,
};

#define MINUTE (60 * SECOND)
#define HOUR (60 * MINUTE)
#define AGAIN "([(0, 'again', 'no route')],)"
#define ENDED "([(0, 'ended', '')],)"

/* The server has told the worker what it calls the upload of file @index. */
static void
give_session (EngineFixture *self, guint64 run, guint index)
{
  g_autofree char *text = g_strdup_printf ("(%" G_GUINT64_FORMAT ", [(%u, {'session': <'s%u'>,"
                                           " 'validator': <'v'>})])",
                                           run, index, index);

  engine_news (self, "Parts", "(ta(ua{sv}))", text);
}

/* A job with a session in @state; where no run can have had one, it comes from the one before. */
static TfdJob *
create_with_session (EngineFixture *self, const char *name, TfdJobState state)
{
  guint64 run;
  TfdJob *job;

  tfd_transport_emit_stuck (TFD_TRANSPORT (self->transport), ALICE, FALSE);
  job = engine_create (self, name, 1, TRUE, NULL);
  run = engine_take_start (self);
  give_session (self, run, 0);
  OK (tfd_engine_suspend (self->engine, job, error));
  engine_settle (self);
  engine_answer (self, "Stop", "([],)");
  if (state != TFD_JOB_STATE_SUSPENDED)
    engine_put_in (self, job, state, &run);
  if (state == TFD_JOB_STATE_TRANSFERRED)
    g_assert_cmpuint (tfd_job_record (job)->files_transferred, ==, 1);
  tfd_signal_log_clear (self->log);
  return job;
}

/* What Cancel has to do before it can end, and that the job ends by it. */
static void
cancel (EngineFixture *self, TfdJob *job, TfdJobState state)
{
  engine_cancel (self, job);
  if (tfd_job_state_is_running (state))
    engine_answer (self, "Stop", "([],)");
  if (self->type == TFD_JOB_TYPE_UPLOAD_REPLY)
    {
      engine_assert_asked (self, "Discard", "1");
      engine_answer (self, "Discard", "([],)");
    }
  assert_job (job, "cancelled");
}

/* Cancel in every state: over at once, the server is told. What it has done with the file is its
 * own affair: after the end there is nothing to take back. */
ENGINE_TEST (test_cancel)
{
  static const TfdJobType types[] = { TFD_JOB_TYPE_UPLOAD, TFD_JOB_TYPE_UPLOAD_REPLY };

  for (gsize t = 0; t < G_N_ELEMENTS (types); t++)
    for (gsize s = 0; s < G_N_ELEMENTS (open_states); s++)
      {
        g_autofree char *name = g_strdup_printf ("%u%u", (guint) t, (guint) s);
        g_autofree char *outcome =
            g_strdup_printf ("%s outcome cancelled%s", name,
                             types[t] == TFD_JOB_TYPE_UPLOAD_REPLY ? " discarded 1" : "");
        TfdJob *job;

        self->type = types[t];
        job = create_with_session (self, name, open_states[s]);
        cancel (self, job, open_states[s]);
        tfd_signal_log_assert_has (self->log, outcome);
        g_assert_cmpuint (engine_count_rows (self, "jobs"), ==, 0);
        if (open_states[s] == TFD_JOB_STATE_TRANSFERRED)
          engine_assert_requests (self, "");
        else
          {
            engine_assert_asked (self, "EndSessions", "0");
            engine_answer (self, "EndSessions", ENDED);
          }
        g_assert_cmpuint (engine_count_rows (self, "leftovers"), ==, 0);
        engine_advance (self, MINUTE);
        engine_assert_requests (self, "");
      }
}

/* Without a session there is nobody to tell. */
ENGINE_TEST (test_no_session)
{
  guint64 run;
  TfdJob *job;

  self->type = TFD_JOB_TYPE_UPLOAD;
  job = engine_create_in (self, "a", TFD_JOB_STATE_TRANSFERRING, &run);
  cancel (self, job, TFD_JOB_STATE_TRANSFERRING);
  engine_assert_requests (self, "");
  g_assert_cmpuint (engine_count_rows (self, "leftovers"), ==, 0);
  g_assert_false (tfd_engine_has_sessions (self->engine));
}

/* The last words of a run that is stopped count, too. */
ENGINE_TEST (test_last_words)
{
  guint64 run;
  TfdJob *job;

  self->type = TFD_JOB_TYPE_UPLOAD;
  job = engine_create_in (self, "a", TFD_JOB_STATE_TRANSFERRING, &run);
  engine_cancel (self, job);
  engine_answer (self, "Stop", "([(0, {'session': <'x'>})],)");
  engine_assert_asked (self, "EndSessions", "0");
  engine_answer (self, "EndSessions", ENDED);
}

/* What the worker needs to talk to the server is kept apart from the job, which is gone. */
ENGINE_TEST (test_own_copy)
{
  guint64 run;
  TfdJob *job;

  self->type = TFD_JOB_TYPE_UPLOAD;
  job = engine_create_running (self, "a", 2,
                               "{'UploadProtocol': <'bits'>, 'Headers': <[('X-Key', 'k')]>}", &run);
  give_session (self, run, 0);
  give_session (self, run, 1);
  cancel (self, job, TFD_JOB_STATE_CONNECTING);
  for (guint i = 0; i < 2; i++)
    {
      engine_assert_asked (self, "EndSessions", "0 1");
      engine_assert_option (self, "EndSessions", "type", "'upload'");
      engine_assert_option (self, "EndSessions", "upload-protocol", "'bits'");
      engine_assert_option (self, "EndSessions", "headers", "[('X-Key', 'k')]");
      engine_assert_file_value (self, "EndSessions", 1, "url", "'http://host/a/1'");
      engine_assert_file_value (self, "EndSessions", 1, "path", "/home/a/1");
      engine_assert_file_value (self, "EndSessions", 1, "part",
                                "{'session': <'s1'>, 'validator': <'v'>}");
      if (i == 0)
        engine_restart (self);
    }
  /* each by itself */
  engine_answer (self, "EndSessions", "([(1, 'ended', ''), (0, 'again', 'x')],)");
  g_assert_cmpuint (engine_count_rows (self, "leftovers"), ==, 1);
  engine_advance (self, 2 * MINUTE);
  engine_assert_asked (self, "EndSessions", "0");
  engine_answer (self, "EndSessions", ENDED);
  g_assert_cmpuint (engine_count_rows (self, "leftovers"), ==, 0);
}

static void
leave_session (EngineFixture *self, const char *properties)
{
  guint64 run;
  TfdJob *job;

  self->type = TFD_JOB_TYPE_UPLOAD;
  job = engine_create_running (self, "a", 1, properties, &run);
  give_session (self, run, 0);
  cancel (self, job, TFD_JOB_STATE_CONNECTING);
}

/* The time until the next question, in seconds. */
static gint64
wait_for_question (EngineFixture *self)
{
  gint64 before = tfd_clock_now_boot (TFD_CLOCK (self->clock));

  for (guint i = 0; i < 1000 && tfd_fake_transport_count (self->transport) == 0; i++)
    {
      gint64 next = tfd_fake_clock_next_alarm (self->clock);

      engine_advance (self, next - tfd_clock_now_boot (TFD_CLOCK (self->clock)));
    }
  engine_assert_requests (self, "EndSessions");
  return (tfd_clock_now_boot (TFD_CLOCK (self->clock)) - before) / SECOND;
}

/* Asked again after a minute, two, four … and at least once an hour; whatever goes wrong. */
ENGINE_TEST (test_pauses)
{
  leave_session (self, NULL);
  for (guint i = 0; i < 12; i++)
    {
      gint64 expected = MIN (60 << i, 3600);
      gint64 pause;

      g_assert_true (tfd_engine_has_work (self->engine));
      if (i % 3 == 0)
        engine_fail (self, "EndSessions", G_IO_ERROR_CONNECTION_CLOSED);
      else
        engine_answer (self, "EndSessions", i % 3 == 1 ? AGAIN : "([],)");
      pause = wait_for_question (self);
      g_assert_cmpint (pause, ==, expected);
    }
  engine_answer (self, "EndSessions", ENDED);
  g_assert_false (tfd_engine_has_work (self->engine));
  g_assert_cmpuint (engine_count_rows (self, "leftovers"), ==, 0);
}

/* Answers each question until nobody asks any more; how long that took, in hours. */
static gint64
refuse_for_ever (EngineFixture *self)
{
  gint64 begin = tfd_clock_now_boot (TFD_CLOCK (self->clock));
  gint64 last = begin;

  while (engine_count_rows (self, "leftovers") > 0)
    {
      if (tfd_fake_transport_count (self->transport) > 0)
        engine_answer (self, "EndSessions", AGAIN);
      else
        engine_advance (self, 10 * SECOND);
      last = tfd_clock_now_boot (TFD_CLOCK (self->clock));
    }
  engine_advance (self, 3 * HOUR);
  engine_assert_requests (self, "");
  g_assert_false (tfd_engine_has_sessions (self->engine));
  return (last - begin + 30 * SECOND) / HOUR;
}

ENGINE_TEST (test_gives_up)
{
  leave_session (self, NULL);
  g_assert_cmpint (refuse_for_ever (self), ==, 24);
}

ENGINE_TEST (test_gives_up_early)
{
  leave_session (self, "{'NoProgressTimeout': <uint64 10800000000>}");
  g_assert_cmpint (refuse_for_ever (self), ==, 3);
}

/* The wall clock has nothing to do with it. */
ENGINE_TEST (test_wall_clock)
{
  leave_session (self, NULL);
  engine_answer (self, "EndSessions", AGAIN);
  tfd_fake_clock_set_real (self->clock, (1700000000 + 3 * 24 * 3600) * SECOND);
  engine_advance (self, 2 * MINUTE);
  engine_answer (self, "EndSessions", AGAIN);
  g_assert_cmpuint (engine_count_rows (self, "leftovers"), ==, 1);
  g_assert_cmpint (refuse_for_ever (self), ==, 23);
}

/* A network that comes back is a new chance, as is a service that starts. */
ENGINE_TEST (test_chances)
{
  leave_session (self, NULL);
  for (guint i = 0; i < 6; i++)
    {
      engine_answer (self, "EndSessions", AGAIN);
      wait_for_question (self);
    }
  engine_answer (self, "EndSessions", AGAIN);
  tfd_engine_set_network (self->engine, FALSE, FALSE);
  engine_settle (self);
  engine_assert_requests (self, "");
  tfd_engine_set_network (self->engine, TRUE, FALSE);
  engine_settle (self);
  engine_assert_requests (self, "EndSessions");
  /* one question at a time */
  tfd_engine_set_network (self->engine, FALSE, FALSE);
  tfd_engine_set_network (self->engine, TRUE, FALSE);
  engine_settle (self);
  engine_assert_requests (self, "EndSessions");
  engine_answer (self, "EndSessions", AGAIN);
  engine_restart (self);
  g_assert_true (tfd_engine_has_work (self->engine));
  engine_assert_requests (self, "EndSessions");
  engine_answer (self, "EndSessions", AGAIN);
  /* of the day a good hour has gone */
  g_assert_cmpint (refuse_for_ever (self), ==, 22);
}

/* In another boot nobody knows how much of the day is left: it begins anew, once. */
ENGINE_TEST (test_boot)
{
  leave_session (self, NULL);
  engine_answer (self, "EndSessions", AGAIN);
  engine_advance (self, 20 * MINUTE);
  while (tfd_fake_transport_count (self->transport) > 0)
    engine_answer (self, "EndSessions", AGAIN);
  engine_crash (self);
  tfd_fake_clock_reboot (self->clock, 50 * SECOND);
  engine_start (self);
  engine_settle (self);
  engine_answer (self, "EndSessions", AGAIN);
  engine_restart (self);
  engine_answer (self, "EndSessions", AGAIN);
  g_assert_cmpint (refuse_for_ever (self), ==, 24);
}

/* Servers are told of the latest uploads only when there are too many; nobody else's are among
 * those. */
ENGINE_TEST (test_too_many)
{
  self->type = TFD_JOB_TYPE_UPLOAD;
  self->engine->most_sessions = 3;
  for (guint i = 0; i < 2; i++)
    {
      guint64 run;
      TfdJob *job = engine_create_running (self, i == 0 ? "a" : "b", 5, NULL, &run);

      for (guint file = 0; file < 5; file++)
        give_session (self, run, file);
      cancel (self, job, TFD_JOB_STATE_CONNECTING);
      g_assert_cmpuint (engine_count_rows (self, "leftovers"), ==, 3);
      engine_assert_asked (self, "EndSessions", "2 3 4");
      engine_answer (self, "EndSessions",
                     i == 0 ? "([(2, 'again', ''), (3, 'again', ''), (4, 'again', '')],)"
                            : "([(2, 'ended', ''), (3, 'ended', ''), (4, 'ended', '')],)");
    }
  g_assert_cmpuint (engine_count_rows (self, "leftovers"), ==, 0);
  engine_advance (self, 2 * MINUTE);
  engine_assert_requests (self, "");
  g_assert_false (tfd_engine_has_sessions (self->engine));
}

/* The slot of the job is free while the server is still away. */
ENGINE_TEST (test_slot)
{
  self->config->max_jobs_per_user = 1;
  leave_session (self, NULL);
  OK (engine_try_create (self, ALICE, "b", 1, FALSE, NULL, error) != NULL);
  engine_answer (self, "EndSessions", ENDED);
}

/* A crash at any point of a Cancel: in the end the job is gone and the server knows. */
ENGINE_TEST (test_crashes)
{
  for (guint crash = 0; crash < 6; crash++)
    {
      TfdJob *job;

      self->type = TFD_JOB_TYPE_UPLOAD_REPLY;
      job = create_with_session (self, "a", TFD_JOB_STATE_TRANSFERRING);
      tfd_engine_cancel (self->engine, job, NULL, NULL);
      engine_settle (self);
      for (guint step = 0; step < 20; step++)
        {
          g_autofree char *list = NULL;

          if (step == crash)
            engine_restart (self);
          list = tfd_fake_transport_list (self->transport);
          if (g_str_equal (list, ""))
            break;
          if (!g_str_equal (list, "Start"))
            {
              engine_answer (self, list, g_str_equal (list, "EndSessions") ? ENDED : "([],)");
              continue;
            }
          /* the Cancel was not recorded yet: nobody heard that it was */
          engine_take_start (self);
          tfd_engine_cancel (self->engine, engine_find (self, "a"), NULL, NULL);
          engine_settle (self);
        }
      g_assert_cmpuint (engine_count_rows (self, "jobs"), ==, 0);
      g_assert_cmpuint (engine_count_rows (self, "leftovers"), ==, 0);
      engine_assert_requests (self, "");
      engine_advance (self, MINUTE);
    }
}

/* Commits of a Cancel fail: the server is asked once the end is recorded, not before. */
ENGINE_TEST (test_commits_fail)
{
  self->type = TFD_JOB_TYPE_UPLOAD;
  for (guint n = 1; n < 5; n++)
    {
      create_with_session (self, "a", TFD_JOB_STATE_SUSPENDED);
      self->failing_commits = n;
      for (guint i = 0; i < 10 && engine_count_rows (self, "jobs") > 0; i++)
        {
          TfdJob *job = engine_find (self, "a");

          engine_assert_requests (self, "");
          if (!tfd_engine_is_busy (self->engine, job))
            engine_cancel (self, job);
          engine_advance (self, SECOND);
        }
      g_assert_cmpuint (engine_count_rows (self, "jobs"), ==, 0);
      engine_answer (self, "EndSessions", ENDED);
      engine_advance (self, MINUTE);
      g_assert_cmpuint (engine_count_rows (self, "leftovers"), ==, 0);
    }
}

/* A job that nobody cares for goes as if it were cancelled. */
ENGINE_TEST (test_expiry)
{
  self->type = TFD_JOB_TYPE_UPLOAD;
  self->config->job_inactivity_timeout = 10 * (guint64) MINUTE;
  create_with_session (self, "a", TFD_JOB_STATE_SUSPENDED);
  engine_advance (self, 11 * MINUTE);
  tfd_signal_log_assert_has (self->log, "a removed expired");
  engine_assert_asked (self, "EndSessions", "0");
  engine_answer (self, "EndSessions", ENDED);
}

/* Temporaries that cannot be deleted and sessions that cannot be ended do not get mixed up. */
ENGINE_TEST (test_both_kinds)
{
  guint64 run;
  TfdJob *job;

  self->type = TFD_JOB_TYPE_UPLOAD_REPLY;
  job = engine_create_running (self, "a", 1, NULL, &run);
  give_session (self, run, 0);
  engine_cancel (self, job);
  engine_answer (self, "Stop", "([],)");
  engine_answer (self, "Discard", "([(1, [byte 0x2f, 0x78], 'x')],)");
  engine_answer (self, "EndSessions", AGAIN);
  g_assert_cmpuint (engine_count_rows (self, "leftovers"), ==, 2);
  tfd_engine_mounts_changed (self->engine);
  engine_settle (self);
  engine_assert_requests (self, "Discard");
  engine_assert_asked (self, "Discard", "1");
  engine_answer (self, "Discard", "([],)");
  g_assert_cmpuint (engine_count_rows (self, "leftovers"), ==, 1);
  engine_advance (self, 2 * MINUTE);
  engine_answer (self, "EndSessions", ENDED);
  g_assert_cmpuint (engine_count_rows (self, "leftovers"), ==, 0);
}

/* What is told is asserted where it matters here. */
static void
tear_down (EngineFixture *self, gconstpointer data)
{
  engine_settle (self);
  tfd_signal_log_clear (self->log);
  engine_tear_down (self, data);
}

#define ADD(path, function)                                                                        \
  g_test_add (path, EngineFixture, NULL, engine_set_up, function, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("/engine/sessions/cancel", test_cancel);
  ADD ("/engine/sessions/none", test_no_session);
  ADD ("/engine/sessions/last-words", test_last_words);
  ADD ("/engine/sessions/own-copy", test_own_copy);
  ADD ("/engine/sessions/pauses", test_pauses);
  ADD ("/engine/sessions/gives-up", test_gives_up);
  ADD ("/engine/sessions/gives-up/early", test_gives_up_early);
  ADD ("/engine/sessions/wall-clock", test_wall_clock);
  ADD ("/engine/sessions/chances", test_chances);
  ADD ("/engine/sessions/boot", test_boot);
  ADD ("/engine/sessions/slot", test_slot);
  ADD ("/engine/sessions/too-many", test_too_many);
  ADD ("/engine/sessions/crashes", test_crashes);
  ADD ("/engine/sessions/commits-fail", test_commits_fail);
  ADD ("/engine/sessions/expiry", test_expiry);
  ADD ("/engine/sessions/both-kinds", test_both_kinds);
  return g_test_run ();
}
