/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Behaviour, restart: what a job is after the service, or the machine, has ended in each of its
 * states, and the clock has perhaps been set meanwhile. */
#include "behaviour.h"

typedef struct
{
  const char *name;
  gboolean boots;
  gint64 jump;             /* of the wall clock, as far as it is not the time that went by */
  gboolean unsynchronised; /* afterwards */
  gint64 gap;              /* what of it counts as time in which nobody used the job */
} Kind;

static const Kind kinds[] = {
  { "daemon", FALSE, 0, FALSE, 0 },
  { "daemon-clock-forth", FALSE, 1000 * DAY, FALSE, 0 },
  { "daemon-clock-back", FALSE, -1000 * DAY, FALSE, 0 },
  { "daemon-clock-unsynchronised", FALSE, 3 * DAY, TRUE, 0 },
  { "machine", TRUE, 0, FALSE, 0 },
  { "machine-off-for-days", TRUE, 3 * DAY, FALSE, 3 * DAY },
  { "machine-off-for-months", TRUE, 100 * DAY, FALSE, 7 * DAY },
  { "machine-clock-back", TRUE, -1000 * DAY, FALSE, 0 },
  { "machine-clock-unsynchronised", TRUE, 3 * DAY, TRUE, 0 },
};

typedef struct
{
  const Kind *kind;
  const char *state;
} Cell;

/* The time is noted every hour: so much of a boot may be forgotten. */
#define NOTED HOUR
#define BOOT (5 * SECOND)

#define PROPERTIES                                                                                 \
  "{'Description': <'x'>, 'MinimumRetryDelay': <uint64 172800000000>, 'Priority': <'low'>,"        \
  " 'NoProgressTimeout': <uint64 8640000000000>}"

/* What there was before, as times that mean the same in every boot. */
typedef struct
{
  gint64 retry_in;    /* until the next try */
  gint64 no_progress; /* for how long */
  gint64 unused;      /* for how long */
  guint events;
} Spans;

static Spans
spans_of (Subject *self)
{
  const TfdJobRecord *record = subject_record (self);
  gint64 now = subject_now_boot (self);

  return (Spans){
    .retry_in = record->retry_at != 0 ? record->retry_at - now : 0,
    .no_progress = record->no_progress_since != 0 ? now - record->no_progress_since : 0,
    .unused = now - record->last_activity,
    .events = engine_count_rows (self->engine, "events"),
  };
}

static void
restart (Subject *self, const Kind *kind)
{
  EngineFixture *engine = self->engine;
  gint64 now = subject_now_real (self);

  engine->config->background_jobs = 0;
  g_signal_handlers_disconnect_by_data (engine->engine, self);
  engine_crash (engine);
  tfd_signal_log_clear (engine->log);
  if (kind->boots)
    tfd_fake_clock_reboot (engine->clock, BOOT);
  tfd_fake_clock_set_real (engine->clock, now + kind->jump);
  tfd_fake_clock_set_synchronised (engine->clock, !kind->unsynchronised);
  engine_start (engine);
  engine_settle (engine);
  subject_find_again (self);
}

/* ---- what is expected ---- */

static const char *
state_after (const char *state)
{
  if (g_str_equal (state, "empty") || g_str_equal (state, "new"))
    return "suspended";
  return g_str_equal (state, "connecting") || g_str_equal (state, "transferring") ? "queued"
                                                                                  : state;
}

static void
check_row (Subject *self, const TfdJobRecord *before)
{
  const TfdJobRecord *record = subject_record (self);

  g_assert_cmpstr (record->properties->description, ==, "x");
  g_assert_cmpint (record->properties->priority, ==, TFD_PRIORITY_LOW);
  g_assert_cmpint (record->creation_time, ==, before->creation_time);
  g_assert_cmpint (record->completion_time, ==, before->completion_time);
  g_assert_cmpint (record->resumed, ==, before->resumed);
  g_assert_cmpuint (record->files_total, ==, before->files_total);
  g_assert_cmpuint (record->files_transferred, ==, before->files_transferred);
  g_assert_cmpuint (record->bytes_transferred, ==, before->bytes_transferred);
  g_assert_cmpuint (record->bytes_total, ==, before->bytes_total);
  g_assert_cmpuint (record->error_count, ==, before->error_count);
  g_assert_cmpuint (record->retry_attempt, ==, before->retry_attempt);
  if (record->state == before->state)
    g_assert_cmpint (record->modification_time, ==, before->modification_time);
}

static void
check_failure (Subject *self, const TfdJobRecord *before, const char *message)
{
  const TfdFailure *failure = &subject_record (self)->failure;

  g_assert_cmpint (failure->code, ==, before->failure.code);
  g_assert_cmpint (failure->context, ==, before->failure.context);
  g_assert_cmpint (failure->transient, ==, before->failure.transient);
  g_assert_cmpuint (failure->file, ==, before->failure.file);
  g_assert_cmpuint (failure->http_status, ==, before->failure.http_status);
  g_assert_cmpstr (failure->message, ==, message);
}

/* Within a boot nothing is lost; over a boot at most what was not noted, always to the late side.
 * One that ran may have been used just now. */
static void
check_spans (Subject *self, const Kind *kind, const TfdJobRecord *before, Spans was)
{
  Spans is = spans_of (self);
  gint64 lost = kind->boots ? NOTED : 0;

  g_assert_cmpint (is.retry_in, >=, was.retry_in);
  g_assert_cmpint (is.retry_in, <=, was.retry_in + (was.retry_in != 0 ? lost : 0));
  g_assert_cmpint (is.no_progress, <=, was.no_progress);
  g_assert_cmpint (is.no_progress, >=, MAX (was.no_progress - lost, 0));
  g_assert_cmpint (is.unused, <=, was.unused + kind->gap);
  if (tfd_job_state_is_running (before->state))
    g_assert_cmpint (is.unused, ==, 0);
  else
    g_assert_cmpint (is.unused, >=, MAX (was.unused - lost, 0) + (kind->boots ? kind->gap : 0));
  g_assert_cmpuint (is.events, >=, was.events);
  g_assert_cmpuint (is.events, <=,
                    was.events + (subject_record (self)->state != before->state ? 1 : 0));
  if (was.retry_in != 0)
    g_assert_cmpint (tfd_job_next_retry (self->job, TFD_CLOCK (self->engine->clock)), ==,
                     subject_now_real (self) + is.retry_in);
}

static void
check_times (Subject *self, const TfdJobRecord *before, gboolean ran)
{
  const TfdJobRecord *record = subject_record (self);

  g_assert_cmpuint (record->active_time, <=, before->active_time);
  g_assert_cmpuint (record->active_time, >=, before->active_time - (ran ? NOTED : 0));
}

static void
check_files (Subject *self)
{
  guint32 done = subject_record (self)->files_transferred;

  g_assert_nonnull (tfd_job_files (self->job, self->engine->store, NULL));
  for (guint32 i = 0; i < subject_record (self)->files_total; i++)
    assert_file (self->job, i,
                 i < done                                                    ? "transferred"
                 : engine_file (self->job, i)->state == TFD_FILE_STATE_ERROR ? "error"
                                                                             : "waiting");
  if (done == 1)
    {
      g_assert_cmpuint (engine_file (self->job, 1)->transferred, ==, 40);
      g_assert_nonnull (engine_file (self->job, 1)->part);
    }
}

/* A job that has ended leaves what is kept of it, for a week of the clock on the wall. */
static void
check_ended (Subject *self, const Kind *kind, const char *state)
{
  g_autoptr (GPtrArray) rows = tfd_store_load_tombstones (self->engine->store, ALICE, NULL, NULL);
  gboolean completed = g_str_equal (state, "acknowledged");

  g_assert_null (self->job);
  g_assert_cmpuint (rows->len, ==, kind->jump > 7 * DAY ? 0 : 1);
  if (rows->len == 0)
    return;
  const TfdTombstone *tombstone = rows->pdata[0];
  g_assert_cmpint (tombstone->result, ==, completed ? TFD_RESULT_PARTIAL : TFD_RESULT_CANCELLED);
  g_assert_cmpuint (tombstone->kept_count, ==, completed ? 1 : 0);
  g_assert_cmpuint (tombstone->discarded_count, ==, completed ? 2 : 3);
  g_assert_cmpstr (tombstone->display_name, ==, "a");
}

/* What was under way goes on with what is left; what rested rests. */
static void
check_goes_on (Subject *self, const char *state)
{
  subject_set_slots (self, 4);
  if (!g_str_equal (state, "queued"))
    {
      engine_assert_requests (self->engine, "");
      return;
    }
  engine_assert_asked (self->engine, "Start", "1 2");
  engine_assert_file_value (self->engine, "Start", 1, "part", "{'validator': <'v1'>}");
  engine_take_start (self->engine);
}

static void
test_cell (EngineFixture *engine, gconstpointer data)
{
  const Cell *cell = data;
  const char *after = state_after (cell->state);
  g_autofree char *message = NULL;
  g_auto (Subject) self = { 0 };
  TfdJobRecord before;
  gboolean ran;
  Spans was;

  subject_enter (&self, engine, cell->state, PROPERTIES);
  ran = tfd_job_state_is_running (subject_record (&self)->state);
  engine_advance (engine, 90 * MINUTE);
  tfd_job_account_time (self.job, subject_now_boot (&self));
  before = *subject_record (&self);
  message = g_strdup (before.failure.message);
  was = spans_of (&self);
  restart (&self, cell->kind);
  tfd_signal_log_assert (engine->log, ran ? "a is queued" : "");
  if (tfd_job_state_is_final (before.state))
    {
      check_ended (&self, cell->kind, cell->state);
      return;
    }
  assert_job (self.job, after);
  check_row (&self, &before);
  check_failure (&self, &before, message);
  check_spans (&self, cell->kind, &before, was);
  check_times (&self, &before, ran);
  check_files (&self);
  check_goes_on (&self, after);
}

void
behaviour_add_restarts (void)
{
  static Cell cells[G_N_ELEMENTS (kinds)][N_BEHAVIOUR_STATES];

  for (gsize k = 0; k < G_N_ELEMENTS (kinds); k++)
    for (guint s = 0; s < N_BEHAVIOUR_STATES; s++)
      {
        cells[k][s] = (Cell){ &kinds[k], behaviour_states[s] };
        behaviour_add (&cells[k][s], test_cell, "/behaviour/restart/%s/%s", behaviour_states[s],
                       kinds[k].name);
      }
}
