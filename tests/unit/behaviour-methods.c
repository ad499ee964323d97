/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Behaviour, methods: what the five calls that change a job do in each state. */
#include "behaviour.h"

typedef enum
{
  RESUME,
  SUSPEND,
  CANCEL,
  COMPLETE,
  ADD_FILE,
  N_CALLS
} Call;

static const char *const call_names[] = { "resume", "suspend", "cancel", "complete", "add-file" };
G_STATIC_ASSERT (G_N_ELEMENTS (call_names) == N_CALLS);

/* A cell: the next state, "=" for the same, the result of what ends the job, "!" and the error of
 * what is refused. "transferred+" has a file that was added since. */
static const struct
{
  const char *state;
  const char *cells[N_CALLS];
} table[] = {
  { "empty", { "!Empty", "=", "cancelled", "completed", "=" } },
  { "new", { "queued", "=", "cancelled", "partial", "=" } },
  { "suspended", { "queued", "=", "cancelled", "partial", "=" } },
  { "queued", { "=", "suspended", "cancelled", "partial", "=" } },
  { "connecting", { "=", "suspended", "cancelled", "partial", "=" } },
  { "transferring", { "=", "suspended", "cancelled", "partial", "=" } },
  { "transient-error", { "queued", "suspended", "cancelled", "partial", "=" } },
  { "error", { "queued", "=", "cancelled", "partial", "=" } },
  { "transferred", { "!Empty", "=", "cancelled", "completed", "=" } },
  { "transferred+", { "queued", "=", "cancelled", "partial", "=" } },
  { "acknowledged",
    { "!InvalidState", "!InvalidState", "!InvalidState", "!InvalidState", "!InvalidState" } },
  { "cancelled",
    { "!InvalidState", "!InvalidState", "!InvalidState", "!InvalidState", "!InvalidState" } },
};

typedef struct
{
  const char *state;
  Call call;
  const char *cell;
} Cell;

/* ---- the calls ---- */

static gboolean
ends_job (Call call)
{
  return call == CANCEL || call == COMPLETE;
}

static gboolean
add_file (Subject *self, GError **error)
{
  guint32 index = G_MAXUINT32;
  guint32 expected = subject_record (self)->files_total;

  if (!engine_add_files (self->engine, self->job, expected, 1, &index, error))
    return FALSE;
  g_assert_cmpuint (index, ==, expected);
  return TRUE;
}

static gboolean
make_call (Subject *self, Call call, GError **error)
{
  switch (call)
    {
    case RESUME:
      return tfd_engine_resume (self->engine->engine, self->job, error);
    case SUSPEND:
      return tfd_engine_suspend (self->engine->engine, self->job, error);
    case ADD_FILE:
      return add_file (self, error);
    case CANCEL:
      engine_cancel (self->engine, self->job);
      return TRUE;
    case COMPLETE:
      engine_complete (self->engine, self->job, "{}");
      return TRUE;
    case N_CALLS:
    default:
      g_assert_not_reached ();
    }
}

/* ---- what is expected ---- */

static void
check_refused (Subject *self, Call call, const char *name)
{
  g_autofree char *outcome = g_strdup_printf ("a outcome %s", name);
  g_autoptr (GError) error = NULL;

  if (ends_job (call))
    {
      make_call (self, call, NULL);
      tfd_signal_log_assert (self->engine->log, outcome);
    }
  else
    {
      g_assert_false (make_call (self, call, &error));
      g_assert_true (error->domain == TFD_ERROR);
      g_assert_cmpstr (engine_short_name (error->code), ==, name);
    }
  engine_settle (self->engine);
  subject_assert_untouched (self);
  engine_assert_requests (self->engine, "");
}

/* The files that had arrived before are kept, by Complete alone. */
static char *
expected_outcome (const Subject *self, Call call, const char *result)
{
  guint32 total = self->before.files_total;
  guint32 kept = call == COMPLETE ? self->before.files_transferred : 0;
  g_autoptr (GString) text = g_string_new (result);

  for (guint32 i = 0; i < total; i++)
    {
      if (i == 0 || i == kept)
        g_string_append (text, i < kept ? " kept" : " discarded");
      g_string_append_printf (text, " %u", i);
    }
  return g_strdup (text->str);
}

/* The job rests while it is worked on; its end is told before the answer. */
static void
check_ended (Subject *self, Call call, const char *result)
{
  gboolean rests = self->before.state == TFD_JOB_STATE_TRANSFERRED ||
                   (call == CANCEL && self->before.state == TFD_JOB_STATE_ERROR);
  const char *final = call == CANCEL ? "cancelled" : "acknowledged";
  const char *rest =
      rests ? tfd_enum_to_string (TFD_TYPE_JOB_STATE, self->before.state) : "suspended";
  g_autofree char *outcome = expected_outcome (self, call, result);
  g_autofree char *told =
      g_strdup_printf ("a is %s (%s)\na is %s\na removed %s\na outcome %s", rest,
                       call == CANCEL ? "cancelling" : "completing", final, result, outcome);

  g_assert_true (make_call (self, call, NULL));
  if (self->run != 0)
    engine_assert_requests (self->engine, "Stop");
  subject_serve (self->engine);
  assert_job (self->job, final);
  tfd_signal_log_assert_has (self->engine->log, told);
  subject_assert_used (self);
  g_assert_null (engine_find (self->engine, "a"));
}

static void
check_stays (Subject *self, Call call)
{
  g_assert_cmpint (subject_record (self)->state, ==, self->before.state);
  tfd_signal_log_assert (self->engine->log, "");
  engine_assert_requests (self->engine, self->run != 0 && call == ADD_FILE ? "AddFiles" : "");
  subject_serve (self->engine);
  g_assert_cmpuint (self->told & (TFD_CHANGED_STATE | TFD_CHANGED_ERROR), ==, 0);
  g_assert_cmpint (subject_record (self)->failure.context, ==, self->before.failure.context);
  g_assert_cmpint (subject_record (self)->retry_at, ==, self->before.retry_at);
  if (call == ADD_FILE)
    {
      g_assert_cmpuint (subject_record (self)->files_total, ==, self->before.files_total + 1);
      g_assert_nonnull (tfd_job_files (self->job, self->engine->store, NULL));
      assert_file (self->job, self->before.files_total, "waiting");
    }
}

static void
check_suspended (Subject *self)
{
  engine_assert_requests (self->engine, self->run != 0 ? "Stop" : "");
  subject_serve (self->engine);
  g_assert_cmpint (subject_record (self)->failure.context, ==, TFD_ERROR_CONTEXT_NONE);
  g_assert_cmpint (subject_record (self)->retry_at, ==, 0);
  g_assert_cmpuint (subject_record (self)->bytes_transferred, ==, self->before.bytes_transferred);
}

/* Resume waits for nothing, and counts the time of the job anew. The error stays readable until
 * bytes flow. */
static void
check_queued (Subject *self)
{
  const TfdJobRecord *record = subject_record (self);

  g_assert_cmpint (record->failure.context, ==, self->before.failure.context);
  g_assert_cmpint (record->retry_at, ==, 0);
  g_assert_cmpuint (record->active_time, ==, 0);
  g_assert_cmpint (record->no_progress_since, ==, 0);
  g_assert_cmpuint (record->error_count, ==, self->before.error_count);
  g_assert_cmpuint (record->bytes_transferred, ==, self->before.bytes_transferred);
  subject_set_slots (self, 4);
  engine_assert_requests (self->engine, "Start");
  engine_take_start (self->engine);
  assert_job (self->job, "connecting");
}

static void
check_next (Subject *self, Call call, const char *next)
{
  g_autofree char *told = g_strdup_printf ("a is %s", next);
  g_autoptr (GError) error = NULL;

  if (!tfd_job_state_is_running (self->before.state))
    subject_set_slots (self, 0);
  g_assert_true (make_call (self, call, &error));
  g_assert_no_error (error);
  engine_settle (self->engine);
  subject_assert_used (self);
  if (g_str_equal (next, "="))
    {
      check_stays (self, call);
      return;
    }
  assert_job (self->job, next);
  tfd_signal_log_assert (self->engine->log, told);
  if (g_str_equal (next, "suspended"))
    check_suspended (self);
  else
    check_queued (self);
}

static void
enter (Subject *self, EngineFixture *engine, const char *state)
{
  guint32 index;

  if (!g_str_equal (state, "transferred+"))
    {
      subject_enter (self, engine, state, NULL);
      return;
    }
  subject_enter (self, engine, "transferred", NULL);
  OK (engine_add_files (engine, self->job, 3, 1, &index, error));
  subject_mark (self);
  assert_job (self->job, "transferred");
}

static void
test_cell (EngineFixture *engine, gconstpointer row)
{
  const Cell *cell = row;
  g_auto (Subject) self = { 0 };

  enter (&self, engine, cell->state);
  if (cell->cell[0] == '!')
    check_refused (&self, cell->call, cell->cell + 1);
  else if (ends_job (cell->call))
    check_ended (&self, cell->call, cell->cell);
  else
    check_next (&self, cell->call, cell->cell);
}

/* ---- what follows from a call ---- */

/* A job that was told to be transferred is so again when what was added has arrived. */
static void
test_transferred_again (EngineFixture *engine, gconstpointer row G_GNUC_UNUSED)
{
  g_auto (Subject) self = { 0 };
  gint64 completed;
  guint64 run;

  enter (&self, engine, "transferred+");
  completed = subject_record (&self)->completion_time;
  OK (tfd_engine_resume (engine->engine, self.job, error));
  engine_settle (engine);
  engine_assert_asked (engine, "Start", "3");
  run = engine_take_start (engine);
  engine_connected (engine, run);
  engine_done (engine, run, 3);
  engine_answer (engine, "Stop", "([],)");
  tfd_signal_log_assert (
      engine->log,
      "a is queued\na is connecting\na is transferring\na is transferred\na transferred");
  g_assert_cmpint (subject_record (&self)->completion_time, >, completed);
}

/* What is added to a job that runs goes to its worker at once. */
static void
test_added_while_running (EngineFixture *engine, gconstpointer row G_GNUC_UNUSED)
{
  g_auto (Subject) self = { 0 };
  guint32 index;

  subject_enter (&self, engine, "transferring", NULL);
  engine_done (engine, self.run, 1);
  OK (engine_add_files (engine, self.job, 3, 1, &index, error));
  engine_settle (engine);
  engine_assert_asked (engine, "AddFiles", "3");
  engine_answer (engine, "AddFiles", "()");
  engine_done (engine, self.run, 2);
  assert_job (self.job, "transferring");
  engine_done (engine, self.run, 3);
  assert_job (self.job, "transferred");
  engine_answer (engine, "Stop", "([],)");
}

void
behaviour_add_methods (void)
{
  static Cell cells[G_N_ELEMENTS (table)][N_CALLS];

  for (gsize i = 0; i < G_N_ELEMENTS (table); i++)
    for (Call call = 0; call < N_CALLS; call++)
      {
        cells[i][call] = (Cell){ table[i].state, call, table[i].cells[call] };
        behaviour_add (&cells[i][call], test_cell, "/behaviour/methods/%s/%s", table[i].state,
                       call_names[call]);
      }
  behaviour_add (NULL, test_transferred_again, "/behaviour/methods/transferred+/resume-and-arrive");
  behaviour_add (NULL, test_added_while_running, "/behaviour/methods/transferring/add-and-arrive");
}
