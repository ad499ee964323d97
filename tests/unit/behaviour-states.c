/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Behaviour, states: what each state means, what holds in all of them, and what is particular to a
 * type of job. */
#include "behaviour.h"

#define RULE(name) static void name (EngineFixture *engine, gconstpointer row G_GNUC_UNUSED)

/* ---- each state ---- */

typedef struct
{
  const char *state;
  gboolean lives;    /* it is listed and takes of the owner's jobs */
  gboolean readable; /* its error */
  gboolean rests;    /* nothing happens by itself */
} State;

/* "+" is the state of a job that has failed before, and in which bytes have not come again yet. */
static const State states[] = {
  { "empty", TRUE, FALSE, TRUE },          { "new", TRUE, FALSE, TRUE },
  { "suspended", TRUE, FALSE, TRUE },      { "queued", TRUE, FALSE, FALSE },
  { "queued+", TRUE, TRUE, FALSE },        { "connecting", TRUE, FALSE, FALSE },
  { "connecting+", TRUE, TRUE, FALSE },    { "transferring", TRUE, FALSE, FALSE },
  { "transferring+", TRUE, FALSE, FALSE }, { "transient-error", TRUE, TRUE, FALSE },
  { "error", TRUE, TRUE, TRUE },           { "transferred", TRUE, FALSE, TRUE },
  { "acknowledged", FALSE, FALSE, TRUE },  { "cancelled", FALSE, FALSE, TRUE },
};

static void
enter (Subject *self, EngineFixture *engine, const char *state)
{
  g_autofree char *plain = g_strndup (state, strlen (state) - g_str_has_suffix (state, "+"));

  if (g_str_equal (plain, state))
    {
      subject_enter (self, engine, state, NULL);
      return;
    }
  subject_enter (self, engine, "transient-error", NULL);
  subject_set_slots (self, 0);
  OK (tfd_engine_resume (engine->engine, self->job, error));
  engine_settle (engine);
  if (g_str_has_prefix (state, "queued"))
    return;
  subject_set_slots (self, 4);
  self->run = engine_take_start (engine);
  if (g_str_has_prefix (state, "transferring"))
    engine_connected (engine, self->run);
  assert_job (self->job, plain);
}

static void
test_listed (EngineFixture *engine, gconstpointer row)
{
  const State *state = row;
  g_auto (Subject) self = { 0 };

  enter (&self, engine, state->state);
  g_assert_true ((engine_find (engine, "a") != NULL) == state->lives);
}

static void
test_quota (EngineFixture *engine, gconstpointer row)
{
  const State *state = row;
  g_autoptr (GError) error = NULL;
  g_auto (Subject) self = { 0 };

  enter (&self, engine, state->state);
  engine->config->max_jobs_per_user = 1;
  engine_try_create (engine, ALICE, "b", 0, FALSE, NULL, &error);
  engine_settle (engine);
  if (state->lives)
    g_assert_error (error, TFD_ERROR, TFD_ERROR_TOO_MANY_JOBS_PER_USER);
  else
    g_assert_no_error (error);
}

static void
test_error (EngineFixture *engine, gconstpointer row)
{
  const State *state = row;
  g_auto (Subject) self = { 0 };

  enter (&self, engine, state->state);
  g_assert_true ((subject_record (&self)->failure.context != TFD_ERROR_CONTEXT_NONE) ==
                 state->readable);
}

static void
test_rests (EngineFixture *engine, gconstpointer row)
{
  const State *state = row;
  g_auto (Subject) self = { 0 };

  enter (&self, engine, state->state);
  g_assert_cmpint (tfd_engine_has_work (engine->engine), ==, !state->rests);
  if (!state->rests)
    return;
  engine_advance (engine, 80 * DAY);
  assert_job (self.job, g_str_equal (state->state, "empty") || g_str_equal (state->state, "new")
                            ? "suspended"
                            : state->state);
  engine_assert_requests (engine, "");
}

/* ---- all states ---- */

/* One file that fails stops the job, which keeps all its files. */
RULE (test_one_fails)
{
  g_auto (Subject) self = { 0 };

  subject_enter (&self, engine, "transferring", NULL);
  engine_failed (engine, self.run, 2, "{'name': <'org.transferd.Transfer1.Error.HttpStatus'>}");
  engine_assert_requests (engine, "Stop");
  engine_answer (engine, "Stop", "([],)");
  assert_job (self.job, "error");
  g_assert_cmpuint (subject_record (&self)->failure.file, ==, 2);
  g_assert_cmpuint (subject_record (&self)->files_total, ==, 3);
  assert_file (self.job, 0, "transferred");
  assert_file (self.job, 1, "waiting");
  assert_file (self.job, 2, "error");
}

RULE (test_in_order)
{
  TfdJob *job = engine_create (engine, "a", 5, TRUE, NULL);

  engine_assert_asked (engine, "Start", "0 1 2 3 4");
  engine_take_start (engine);
  assert_job (job, "connecting");
  tfd_signal_log_clear (engine->log);
}

/* For some seconds a job that has ended can be read. */
RULE (test_readable_after_the_end)
{
  g_auto (Subject) self = { 0 };
  g_autofree char *id = NULL;

  subject_enter (&self, engine, "acknowledged", NULL);
  id = g_strdup (tfd_job_id (self.job));
  g_assert_true (tfd_engine_get_job (engine->engine, id) == self.job);
  g_assert_cmpuint (subject_record (&self)->files_total, ==, 3);
  engine_advance (engine, 5 * SECOND);
  g_assert_null (tfd_engine_get_job (engine->engine, id));
}

/* ---- types ---- */

RULE (test_any_number)
{
  TfdJob *job = engine_create (engine, "a", 1000, FALSE, NULL);
  guint32 index;

  OK (engine_add_files (engine, job, 1000, 1000, &index, error));
  engine_settle (engine);
  g_assert_cmpuint (tfd_job_record (job)->files_total, ==, 2000);
  tfd_signal_log_clear (engine->log);
}

/* Nothing is renamed before Complete, whatever has arrived. */
RULE (test_visible_at_complete)
{
  g_auto (Subject) self = { 0 };

  subject_enter (&self, engine, "transferred", NULL);
  engine_advance (engine, 80 * DAY);
  engine_assert_requests (engine, "");
  engine_complete (engine, self.job, "{}");
  engine_answer_each (engine, "Verify", "ok");
  engine_assert_asked (engine, "Finalize", "0 1 2");
  subject_serve (engine);
}

RULE (test_cancel_after_the_last)
{
  g_auto (Subject) self = { 0 };

  subject_enter (&self, engine, "transferred", NULL);
  engine_cancel (engine, self.job);
  engine_assert_asked (engine, "Discard", "0 1 2");
  subject_serve (engine);
}

/* What has changed at the other end begins again; what has arrived is not fetched once more. */
RULE (test_changed_source)
{
  g_auto (Subject) self = { 0 };
  g_autofree char *text = NULL;

  subject_enter (&self, engine, "transferring", NULL);
  text = g_strdup_printf ("(%" G_GUINT64_FORMAT ", 1, 'restarted', @a{sv} {})", self.run);
  engine_news (engine, "Event", "(tusa{sv})", text);
  assert_job (self.job, "transferring");
  g_assert_cmpuint (engine_file (self.job, 1)->transferred, ==, 0);
  g_assert_cmpuint (engine_file (self.job, 0)->transferred, ==, 100);
  OK (tfd_engine_suspend (engine->engine, self.job, error));
  OK (tfd_engine_resume (engine->engine, self.job, error));
  engine_settle (engine);
  engine_answer (engine, "Stop", "([],)");
  engine_assert_asked (engine, "Start", "1 2");
  engine_take_start (engine);
}

/* A call that the state allows a job of one type, and not of another. */
typedef struct
{
  TfdJobType type;
  TfdJobState state;
  TfdVerdict verdict;
} TypeCell;

static void
test_complete_of_type (EngineFixture *engine G_GNUC_UNUSED, gconstpointer row)
{
  const TypeCell *cell = row;
  TfdStep step = tfd_state_step (
      cell->type, cell->state, TFD_EVENT_COMPLETE,
      TFD_GUARD_HAS_FILES |
          (cell->state == TFD_JOB_STATE_TRANSFERRED ? TFD_GUARD_ALL_TRANSFERRED : 0));

  g_assert_cmpint (step.verdict, ==, cell->verdict);
}

static TfdVerdict
expected_verdict (TfdJobType type, TfdJobState state)
{
  if (tfd_job_state_is_final (state))
    return TFD_VERDICT_INVALID_STATE;
  return type == TFD_JOB_TYPE_DOWNLOAD || state == TFD_JOB_STATE_TRANSFERRED
             ? TFD_VERDICT_OK
             : TFD_VERDICT_INVALID_STATE;
}

static void
add_types (void)
{
  static TypeCell cells[3][TFD_N_JOB_STATES];

  for (TfdJobType type = TFD_JOB_TYPE_DOWNLOAD; type <= TFD_JOB_TYPE_UPLOAD_REPLY; type++)
    for (TfdJobState state = 0; state < TFD_N_JOB_STATES; state++)
      {
        cells[type][state] = (TypeCell){ type, state, expected_verdict (type, state) };
        behaviour_add (&cells[type][state], test_complete_of_type,
                       "/behaviour/types/%s/complete/%s",
                       tfd_enum_to_string (TFD_TYPE_JOB_TYPE, (int) type),
                       tfd_enum_to_string (TFD_TYPE_JOB_STATE, (int) state));
      }
}

void
behaviour_add_states (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (states); i++)
    {
      behaviour_add (&states[i], test_listed, "/behaviour/states/%s/listed", states[i].state);
      behaviour_add (&states[i], test_quota, "/behaviour/states/%s/quota", states[i].state);
      behaviour_add (&states[i], test_error, "/behaviour/states/%s/error", states[i].state);
      behaviour_add (&states[i], test_rests, "/behaviour/states/%s/rests", states[i].state);
    }
  behaviour_add (NULL, test_one_fails, "/behaviour/states/all/one-file-fails");
  behaviour_add (NULL, test_in_order, "/behaviour/states/all/files-in-order");
  behaviour_add (NULL, test_readable_after_the_end, "/behaviour/states/final/readable-for-a-while");
  add_types ();
  behaviour_add (NULL, test_any_number, "/behaviour/types/download/any-number-of-files");
  behaviour_add (NULL, test_visible_at_complete, "/behaviour/types/download/visible-at-complete");
  behaviour_add (NULL, test_cancel_after_the_last,
                 "/behaviour/types/download/cancel-deletes-what-arrived");
  behaviour_add (NULL, test_changed_source, "/behaviour/types/download/changed-source");
}
