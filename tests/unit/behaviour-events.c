/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Behaviour, events: what the world, its worker and time do to a job in each state. */
#include "behaviour-happenings.h"

/* The column of what is over is the state before it began.
 * A cell: the next state, and the error if there is one then, with a "+" when it is counted; "="
 * the same, "-" the event cannot come, and is ignored when it does. */
typedef struct
{
  const char *name;
  TfdEvent event;
  const char *properties;
  void (*prepare) (Subject *self); /* (nullable) before the mark */
  void (*happen) (Subject *self);
  const char *cells[N_BEHAVIOUR_STATES];
} Row;

typedef struct
{
  const Row *row;
  guint state;
} Cell;

/* ---- the table ---- */

#define LONG_WAITS                                                                                 \
  "{'MinimumRetryDelay': <uint64 17280000000000>, 'NoProgressTimeout': <uint64 34560000000000>,"   \
  " 'MaximumDownloadTime': <uint64 34560000000000>}"
#define ONE_DAY                                                                                    \
  "{'MinimumRetryDelay': <uint64 86400000000>, 'NoProgressTimeout': <uint64 86400000000>}"
#define ONE_HOUR                                                                                   \
  "{'MaximumDownloadTime': <uint64 3600000000>, 'MinimumRetryDelay': <uint64 86400000000>}"
#define LOGGED_IN "{'RunWhen': <'logged-in'>}"
#define LOST "transient-error NetworkDisconnected"
#define COST "transient-error BlockedByCost"
#define POLICY "transient-error BlockedByPolicy"
#define POWER "transient-error BlockedByPower"

/* Columns: empty, new, suspended | queued | connecting, transferring | transient-error | error,
 * transferred | acknowledged, cancelled. */
/* clang-format off */
static const Row table[] = {
  { "scheduler-picks", TFD_EVENT_PICKED, NULL, NULL, happen_picked,
    { "=", "=", "=", "connecting", "=", "=", "=", "=", "=", "-", "-" } },
  { "connection-made", TFD_EVENT_CONNECTED, NULL, NULL, happen_connected,
    { "=", "=", "=", "=", "transferring", "=", "=", "=", "=", "-", "-" } },
  { "connection-failed", TFD_EVENT_TRANSIENT_ERROR, NULL, NULL, happen_connection_failed,
    { "=", "=", "=", "=", "transient-error ConnectionFailed+", "transient-error ConnectionFailed+",
      "=", "=", "=", "-", "-" } },
  { "slice-over", TFD_EVENT_SLICE_OVER, NULL, prepare_slice, happen_slice_over,
    { "-", "-", "-", "-", "queued", "queued", "-", "-", "-", "-", "-" } },
  { "higher-priority", TFD_EVENT_PREEMPTED, NULL, prepare_higher, happen_higher,
    { "-", "-", "-", "-", "queued", "queued", "-", "-", "-", "-", "-" } },
  { "network-lost", TFD_EVENT_NETWORK_LOST, NULL, NULL, happen_network_lost,
    { "=", "=", "=", LOST, LOST, LOST, "=", "=", "=", "-", "-" } },
  { "network-back", TFD_EVENT_NETWORK_BACK, NULL, prepare_lost, happen_network_back,
    { "=", "=", "=", "queued", "queued", "queued", "queued", "=", "=", "-", "-" } },
  { "owner-logs-off", TFD_EVENT_OWNER_LOGGED_OFF, LOGGED_IN, NULL, happen_log_off,
    { "=", "=", "=", "=", "queued", "queued", "=", "=", "=", "-", "-" } },
  { "owner-logs-on", TFD_EVENT_OWNER_LOGGED_ON, LOGGED_IN, prepare_logged_off, happen_log_on,
    { "=", "=", "=", "=", "-", "-", "=", "=", "=", "-", "-" } },
  { "transient-error", TFD_EVENT_TRANSIENT_ERROR, NULL, NULL, happen_transient,
    { "=", "=", "=", "=", "transient-error HttpStatus+", "transient-error HttpStatus+",
      "=", "=", "=", "-", "-" } },
  { "fatal-error", TFD_EVENT_FATAL_ERROR, NULL, NULL, happen_fatal,
    { "=", "=", "=", "=", "error HttpStatus+", "error HttpStatus+", "=", "=", "=", "-", "-" } },
  { "retry-timer", TFD_EVENT_RETRY_DUE, NULL, no_slots, happen_quarter,
    { "=", "=", "=", "=", "-", "-", "queued", "=", "=", "-", "-" } },
  { "no-progress-timeout", TFD_EVENT_NO_PROGRESS, ONE_DAY, NULL, happen_day,
    { "=", "=", "=", "=", "=", "=", "error NoProgress", "=", "=", "-", "-" } },
  { "blocked-hours", TFD_EVENT_BLOCKED, NULL, NULL, happen_hours,
    { "=", "=", "=", POLICY, POLICY, POLICY, "=", "=", "=", "-", "-" } },
  { "blocked-hours-over", TFD_EVENT_UNBLOCKED, NULL, prepare_hours, happen_hours_over,
    { "=", "=", "=", "queued", "queued", "queued", "=", "=", "=", "-", "-" } },
  { "cost-not-allowed", TFD_EVENT_BLOCKED, NULL, NULL, happen_costs,
    { "=", "=", "=", COST, COST, COST, "=", "=", "=", "-", "-" } },
  { "cost-allowed-again", TFD_EVENT_UNBLOCKED, NULL, prepare_costs, happen_costs_over,
    { "=", "=", "=", "queued", "queued", "queued", "=", "=", "=", "-", "-" } },
  { "power-saving-over", TFD_EVENT_UNBLOCKED, NULL, prepare_power, happen_power_over,
    { "=", "=", "=", "queued", "queued", "queued", "=", "=", "=", "-", "-" } },
  { "power-saving", TFD_EVENT_BLOCKED, NULL, NULL, happen_power,
    { "=", "=", "=", POWER, POWER, POWER, "=", "=", "=", "-", "-" } },
  { "maximum-download-time", TFD_EVENT_MAXIMUM_DOWNLOAD_TIME, ONE_HOUR, NULL, happen_hour,
    { "=", "=", "=", "=", "error MaximumDownloadTime+", "error MaximumDownloadTime+",
      "=", "=", "=", "-", "-" } },
  { "maximum-size", TFD_EVENT_FATAL_ERROR, "{'MaximumSize': <uint64 400>}", NULL, happen_too_large,
    { "=", "=", "=", "=", "error MaximumSizeExceeded+", "error MaximumSizeExceeded+",
      "=", "=", "=", "-", "-" } },
  { "file-done", TFD_EVENT_FILE_DONE, NULL, NULL, happen_file_done,
    { "=", "=", "=", "=", "transferring", "=", "=", "=", "=", "-", "-" } },
  { "last-file-done", TFD_EVENT_LAST_FILE_DONE, NULL, NULL, happen_last_file_done,
    { "=", "=", "=", "=", "transferred", "transferred", "=", "=", "=", "-", "-" } },
  { "remote-file-changed", TFD_EVENT_REMOTE_FILE_CHANGED, NULL, NULL, happen_remote_changed,
    { "=", "=", "=", "=", "=", "=", "=", "=", "=", "-", "-" } },
  { "part-missing", TFD_EVENT_PART_MISSING, NULL, NULL, happen_part_missing,
    { "=", "=", "=", "=", "suspended FileMissing", "suspended FileMissing", "=", "=", "=", "-", "-" } },
  { "worker-lost", TFD_EVENT_WORKER_LOST, NULL, no_slots, happen_worker_lost,
    { "=", "=", "=", "=", "queued", "queued", "=", "=", "=", "-", "-" } },
  { "mount-changed", TFD_EVENT_DESTINATION_BACK, NULL, NULL, happen_mount,
    { "=", "=", "=", "=", "=", "=", "=", "=", "=", "-", "-" } },
  { "inactivity-timeout", TFD_EVENT_INACTIVE, LONG_WAITS, NULL, happen_ninety_days,
    { "expired", "expired", "expired", "expired", "=", "=", "expired", "expired", "expired",
      "-", "-" } },
};
/* clang-format on */

/* ---- what is expected ---- */

/* It comes all the same. */
static void
check_ignored (Subject *self, const Row *row)
{
  g_auto (TfdFailure) failure = { .code = TFD_ERROR_TIMED_OUT,
                                  .context = TFD_ERROR_CONTEXT_TRANSPORT,
                                  .message = g_strdup ("x") };

  g_assert_true (tfd_engine_apply (self->engine->engine, self->job, row->event, TFD_GUARD_NONE,
                                   &failure, NULL));
  engine_settle (self->engine);
  subject_assert_untouched (self);
}

static void
check_same (Subject *self, const Row *row)
{
  gboolean used = row->event == TFD_EVENT_FILE_DONE && self->run != 0;

  g_assert_cmpint (subject_record (self)->state, ==, self->before.state);
  tfd_signal_log_assert (self->engine->log, "");
  if (used)
    subject_assert_used (self);
  else
    g_assert_cmpint (subject_record (self)->last_activity, ==, self->before.last_activity);
  g_assert_cmpuint (subject_record (self)->error_count, ==, self->before.error_count);
  g_assert_cmpint (subject_record (self)->failure.code, ==, self->before.failure.code);
  g_assert_cmpint (subject_record (self)->failure.context, ==, self->before.failure.context);
  engine_assert_requests (self->engine, "");
}

static void
check_expired (Subject *self)
{
  const char *state =
      self->before.state == TFD_JOB_STATE_ERROR || self->before.state == TFD_JOB_STATE_TRANSFERRED
          ? tfd_enum_to_string (TFD_TYPE_JOB_STATE, self->before.state)
          : "suspended";
  g_autofree char *told =
      g_strdup_printf ("a is %s (cancelling)\na is cancelled\na removed expired", state);

  subject_serve (self->engine);
  assert_job (self->job, "cancelled");
  tfd_signal_log_assert (self->engine->log, told);
  g_assert_cmpuint (engine_count_rows (self->engine, "jobs"), ==, 0);
  g_assert_cmpuint (engine_count_rows (self->engine, "tombstones"), ==, 1);
}

static char *
expected_log (const char *next, const char *error)
{
  if (g_str_equal (next, "error"))
    return g_strdup_printf ("a is error\na failed %s", error);
  if (g_str_equal (next, "transferred"))
    return g_strdup ("a is transferred\na transferred");
  return g_strdup_printf ("a is %s", next);
}

static void
check_failure (Subject *self, const char *error, gboolean counted)
{
  const TfdJobRecord *record = subject_record (self);

  g_assert_cmpuint (record->error_count, ==, self->before.error_count + counted);
  if (error != NULL)
    {
      g_assert_cmpstr (engine_short_name (record->failure.code), ==, error);
      g_assert_cmpint (record->failure.context, !=, TFD_ERROR_CONTEXT_NONE);
      g_assert_cmpuint (self->told & TFD_CHANGED_ERROR, !=, 0);
    }
  else if (record->state == TFD_JOB_STATE_TRANSFERRING ||
           record->state == TFD_JOB_STATE_TRANSFERRED)
    g_assert_cmpint (record->failure.context, ==, TFD_ERROR_CONTEXT_NONE);
  else
    g_assert_cmpint (record->failure.code, ==, self->before.failure.code);
  if (record->state != TFD_JOB_STATE_TRANSIENT_ERROR)
    g_assert_cmpint (record->retry_at, ==, 0);
}

/* What only moves a job round is a modification, but no use of it. */
static void
check_next (Subject *self, const Row *row, const char *cell)
{
  g_auto (GStrv) words = g_strsplit (cell, " ", 2);
  gboolean counted = g_str_has_suffix (cell, "+");
  gboolean goes_round = g_str_equal (words[0], "queued") || g_str_equal (words[0], "connecting") ||
                        g_str_equal (words[0], "transient-error");
  g_autofree char *error = NULL;
  g_autofree char *log = NULL;

  if (words[1] != NULL)
    error = g_strndup (words[1], strlen (words[1]) - counted);
  log = expected_log (words[0], error);
  assert_job (self->job, words[0]);
  if (row->happen == happen_higher)
    tfd_signal_log_assert_has (self->engine->log, log);
  else
    tfd_signal_log_assert (self->engine->log, log);
  check_failure (self, error, counted);
  g_assert_cmpuint (self->told & TFD_CHANGED_STATE, !=, 0);
  g_assert_cmpint (subject_record (self)->modification_time, >, self->before.modification_time);
  if (goes_round)
    g_assert_cmpint (subject_record (self)->last_activity, ==, self->before.last_activity);
  subject_serve (self->engine);
}

static void
check_consequences (Subject *self, const Row *row)
{
  guint64 before = self->before.bytes_transferred;

  if (row->event == TFD_EVENT_LAST_FILE_DONE && self->run != 0)
    g_assert_cmpint (subject_record (self)->completion_time, ==, subject_now_real (self));
  if (row->event == TFD_EVENT_FILE_DONE && self->run != 0)
    g_assert_cmpuint (subject_record (self)->files_transferred, ==, 2);
  /* only what had arrived of the file that changed is gone */
  if (row->event == TFD_EVENT_REMOTE_FILE_CHANGED && self->run != 0)
    g_assert_cmpuint (subject_record (self)->bytes_transferred, ==, before - 40);
}

static void
test_cell (EngineFixture *engine, gconstpointer data)
{
  const Cell *cell = data;
  const Row *row = cell->row;
  const char *expected = row->cells[cell->state];
  g_auto (Subject) self = { 0 };

  subject_enter (&self, engine, behaviour_states[cell->state], row->properties);
  if (*expected == '-')
    {
      check_ignored (&self, row);
      return;
    }
  if (row->prepare != NULL)
    row->prepare (&self);
  subject_mark (&self);
  row->happen (&self);
  if (g_str_equal (expected, "="))
    check_same (&self, row);
  else if (g_str_equal (expected, "expired"))
    check_expired (&self);
  else
    check_next (&self, row, expected);
  check_consequences (&self, row);
  subject_serve (engine);
}

/* Whose owner has left does not try again before they are back. */
static void
test_no_retry_while_away (EngineFixture *engine, gconstpointer row G_GNUC_UNUSED)
{
  g_auto (Subject) self = { 0 };

  subject_enter (&self, engine, "transient-error", LOGGED_IN);
  happen_log_off (&self);
  engine_advance (engine, DAY);
  assert_job (self.job, "queued");
  engine_assert_requests (engine, "");
  happen_log_on (&self);
  assert_job (self.job, "connecting");
  engine_take_start (engine);
}

/* Files are fetched into directories that are there. */
static void
test_destination_back (EngineFixture *engine, gconstpointer row G_GNUC_UNUSED)
{
  g_auto (Subject) self = { 0 };

  subject_enter (&self, engine, "transferring", NULL);
  subject_fail_with (&self, "{'name': <'org.transferd.Transfer1.Error.DestinationUnavailable'>,"
                            " 'context': <'local-file'>, 'transient': <true>}");
  assert_job (self.job, "transient-error");
  g_assert_cmpuint (subject_record (&self)->error_count, ==, 0);
  happen_mount (&self);
  assert_job (self.job, "connecting");
  engine_take_start (engine);
}

void
behaviour_add_events (void)
{
  static Cell cells[G_N_ELEMENTS (table)][N_BEHAVIOUR_STATES];

  for (gsize i = 0; i < G_N_ELEMENTS (table); i++)
    for (guint s = 0; s < N_BEHAVIOUR_STATES; s++)
      {
        cells[i][s] = (Cell){ &table[i], s };
        behaviour_add (&cells[i][s], test_cell, "/behaviour/events/%s/%s", behaviour_states[s],
                       table[i].name);
      }
  behaviour_add (NULL, test_no_retry_while_away,
                 "/behaviour/events/transient-error/owner-stays-away");
  behaviour_add (NULL, test_destination_back, "/behaviour/events/transient-error/destination-back");
}
