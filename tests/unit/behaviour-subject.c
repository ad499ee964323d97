/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Behaviour: a job in each of the states. */
#include "behaviour.h"

const char *const behaviour_states[N_BEHAVIOUR_STATES] = { BEHAVIOUR_STATES };

const TfdJobRecord *
subject_record (const Subject *self)
{
  return tfd_job_record (self->job);
}

gint64
subject_now_boot (const Subject *self)
{
  return tfd_clock_now_boot (TFD_CLOCK (self->engine->clock));
}

gint64
subject_now_real (const Subject *self)
{
  return tfd_clock_now_real (TFD_CLOCK (self->engine->clock));
}

/* ---- the worker ---- */

static void
serve_one (EngineFixture *engine, const char *method)
{
  if (g_str_equal (method, "Start"))
    engine_take_start (engine);
  else if (g_str_equal (method, "Verify"))
    engine_answer_each (engine, method, "ok");
  else if (g_str_equal (method, "Finalize"))
    engine_answer_each (engine, method, "renamed");
  else
    engine_answer (engine, method,
                   g_str_equal (method, "AddFiles") || g_str_equal (method, "Configure") ? "()"
                                                                                         : "([],)");
}

void
subject_serve (EngineFixture *engine)
{
  while (tfd_fake_transport_count (engine->transport) > 0)
    {
      g_autofree char *list = tfd_fake_transport_list (engine->transport);
      g_auto (GStrv) methods = g_strsplit (list, " ", 2);

      serve_one (engine, methods[0]);
    }
}

void
subject_set_slots (Subject *self, guint slots)
{
  self->engine->config->background_jobs = slots;
  self->engine->config->background_jobs_per_user = slots;
  tfd_engine_plan_later (self->engine->engine);
  engine_settle (self->engine);
}

/* ---- the states ---- */

/* A worker that stops tells what it has of the files that it was fetching. */
#define STOPPED "([(1, {'validator': <'v1'>})],)"

static void
fetch_some (Subject *self)
{
  g_autofree char *part =
      g_strdup_printf ("(%" G_GUINT64_FORMAT ", [(1, {'validator': <'v1'>})])", self->run);

  engine_connected (self->engine, self->run);
  engine_done (self->engine, self->run, 0);
  engine_progress (self->engine, self->run, 1, 40, 100);
  engine_news (self->engine, "Parts", "(ta(ua{sv}))", part);
}

static void
suspend (Subject *self)
{
  OK (tfd_engine_suspend (self->engine->engine, self->job, error));
  engine_settle (self->engine);
  engine_answer (self->engine, "Stop", STOPPED);
  self->run = 0;
}

static void
resume (Subject *self)
{
  OK (tfd_engine_resume (self->engine->engine, self->job, error));
  engine_settle (self->engine);
}

static void
fail (Subject *self, const char *details)
{
  engine_failed (self->engine, self->run, 1, details);
  engine_answer (self->engine, "Stop", STOPPED);
  self->run = 0;
}

static void
enter_suspended (Subject *self)
{
  suspend (self);
}

static void
enter_queued (Subject *self)
{
  suspend (self);
  subject_set_slots (self, 0);
  resume (self);
}

static void
enter_connecting (Subject *self)
{
  suspend (self);
  resume (self);
  self->run = engine_take_start (self->engine);
}

static void
enter_transferring (Subject *self G_GNUC_UNUSED)
{
}

static void
enter_transient_error (Subject *self)
{
  fail (self, "{'name': <'org.transferd.Transfer1.Error.TimedOut'>, 'transient': <true>,"
              " 'context': <'transport'>, 'message': <'no answer'>}");
}

static void
enter_error (Subject *self)
{
  fail (self, "{'name': <'org.transferd.Transfer1.Error.HttpStatus'>, 'http-status': <uint32 404>,"
              " 'context': <'remote-file'>, 'message': <'not found'>}");
}

static void
enter_transferred (Subject *self)
{
  engine_done (self->engine, self->run, 1);
  engine_done (self->engine, self->run, 2);
  engine_answer (self->engine, "Stop", "([],)");
  self->run = 0;
}

static void
enter_acknowledged (Subject *self)
{
  suspend (self);
  engine_complete (self->engine, self->job, "{}");
  subject_serve (self->engine);
}

static void
enter_cancelled (Subject *self)
{
  suspend (self);
  engine_cancel (self->engine, self->job);
  subject_serve (self->engine);
}

static const struct
{
  const char *state;
  void (*enter) (Subject *self);
} ways[] = {
  { "suspended", enter_suspended },
  { "queued", enter_queued },
  { "connecting", enter_connecting },
  { "transferring", enter_transferring },
  { "transient-error", enter_transient_error },
  { "error", enter_error },
  { "transferred", enter_transferred },
  { "acknowledged", enter_acknowledged },
  { "cancelled", enter_cancelled },
};

static void
changed_cb (TfdEngine *engine G_GNUC_UNUSED, TfdJob *job, guint mask, Subject *self)
{
  if (job == self->job)
    self->told |= mask;
}

void
subject_enter (Subject *self, EngineFixture *engine, const char *state, const char *properties)
{
  *self = (Subject){ .engine = engine };
  if (g_str_equal (state, "empty") || g_str_equal (state, "new"))
    self->job = tfd_job_ref (
        engine_create (engine, "a", g_str_equal (state, "new") ? 3 : 0, FALSE, properties));
  else
    {
      self->job = tfd_job_ref (engine_create_running (engine, "a", 3, properties, &self->run));
      fetch_some (self);
      for (gsize i = 0; i < G_N_ELEMENTS (ways); i++)
        if (g_str_equal (ways[i].state, state))
          ways[i].enter (self);
      assert_job (self->job, state);
    }
  g_signal_connect (engine->engine, "job-changed", G_CALLBACK (changed_cb), self);
  subject_mark (self);
}

void
subject_leave (Subject *self)
{
  if (self->engine->engine != NULL)
    g_signal_handlers_disconnect_by_data (self->engine->engine, self);
  g_clear_pointer (&self->job, tfd_job_unref);
  tfd_signal_log_clear (self->engine->log);
}

void
subject_mark (Subject *self)
{
  engine_advance (self->engine, SECOND);
  engine_settle (self->engine);
  tfd_signal_log_clear (self->engine->log);
  self->told = 0;
  self->before = *subject_record (self);
}

void
subject_find_again (Subject *self)
{
  TfdJob *job = engine_find (self->engine, "a");

  g_clear_pointer (&self->job, tfd_job_unref);
  self->job = job != NULL ? tfd_job_ref (job) : NULL;
  self->run = 0;
  g_signal_connect (self->engine->engine, "job-changed", G_CALLBACK (changed_cb), self);
}

/* ---- what is expected ---- */

void
subject_assert_used (Subject *self)
{
  const TfdJobRecord *record = subject_record (self);

  g_assert_cmpint (record->modification_time, ==, subject_now_real (self));
  g_assert_cmpint (record->last_activity, ==, subject_now_boot (self));
  g_assert_cmpint (record->modification_time, >, self->before.modification_time);
  g_assert_cmpuint (self->told & TFD_CHANGED_TIMES, !=, 0);
}

void
subject_assert_untouched (Subject *self)
{
  const TfdJobRecord *record = subject_record (self);

  g_assert_cmpint (record->state, ==, self->before.state);
  g_assert_cmpint (record->modification_time, ==, self->before.modification_time);
  g_assert_cmpint (record->last_activity, ==, self->before.last_activity);
  g_assert_cmpint (record->retry_at, ==, self->before.retry_at);
  g_assert_cmpuint (record->error_count, ==, self->before.error_count);
  g_assert_cmpuint (record->files_total, ==, self->before.files_total);
  g_assert_cmpuint (record->bytes_transferred, ==, self->before.bytes_transferred);
  g_assert_cmpint (record->failure.context, ==, self->before.failure.context);
  g_assert_cmpint (record->failure.code, ==, self->before.failure.code);
  g_assert_cmpuint (self->told & ~(guint) TFD_CHANGED_PROGRESS, ==, 0);
  tfd_signal_log_assert (self->engine->log, "");
}

/* ---- failures and waits ---- */

/* Its next try begins at @span from now, and not before. */
guint64
subject_assert_tried_after (Subject *self, gint64 span)
{
  engine_advance (self->engine, span - 1);
  engine_assert_requests (self->engine, "");
  engine_advance (self->engine, 1);
  self->run = engine_take_start (self->engine);
  return self->run;
}

gint64
subject_wait (Subject *self)
{
  assert_job (self->job, "transient-error");
  g_assert_cmpint (subject_record (self)->retry_at, !=, 0);
  return subject_record (self)->retry_at - subject_now_boot (self);
}

void
subject_fail_with (Subject *self, const char *details)
{
  engine_failed (self->engine, self->run, 1, details);
  engine_answer (self->engine, "Stop", "([],)");
}

void
subject_fail (Subject *self)
{
  subject_fail_with (self,
                     "{'name': <'org.transferd.Transfer1.Error.TimedOut'>, 'transient': <true>,"
                     " 'context': <'transport'>}");
}

void
subject_set_wall_clock (Subject *self, gint64 jump)
{
  tfd_fake_clock_set_real (self->engine->clock, subject_now_real (self) + jump);
}

void
subject_assert_failed (Subject *self, const char *name)
{
  g_autofree char *told = g_strdup_printf ("a is error\na failed %s", name);

  subject_serve (self->engine);
  assert_job (self->job, "error");
  tfd_signal_log_assert_has (self->engine->log, told);
  g_assert_cmpstr (engine_short_name (subject_record (self)->failure.code), ==, name);
}

/* ---- tests ---- */

void
behaviour_add (gconstpointer row,
               void (*test) (EngineFixture *self, gconstpointer row),
               const char *format,
               ...)
{
  g_autofree char *name = NULL;
  va_list arguments;

  va_start (arguments, format);
  name = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  g_test_add (name, EngineFixture, row, engine_set_up, test, engine_tear_down);
}
