/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* State: the table. Rows of one event stand together; the first row that holds the state, has the
 * guards it needs and none that it forbids, decides. Every event ends in rows that leave no state
 * open. tests/fixtures/state-table.txt shows what comes out of it, cell by cell. */
#include "config.h"

#include "common/state.h"

/* clang-format off */
G_DEFINE_ENUM_TYPE (TfdEvent, tfd_event,
  G_DEFINE_ENUM_VALUE (TFD_EVENT_RESUME, "resume"),
  G_DEFINE_ENUM_VALUE (TFD_EVENT_SUSPEND, "suspend"),
  G_DEFINE_ENUM_VALUE (TFD_EVENT_CANCEL, "cancel"),
  G_DEFINE_ENUM_VALUE (TFD_EVENT_COMPLETE, "complete"),
  G_DEFINE_ENUM_VALUE (TFD_EVENT_ADD_FILE, "add-file"),
  G_DEFINE_ENUM_VALUE (TFD_EVENT_SET_REMOTE_NAME, "set-remote-name"),
  G_DEFINE_ENUM_VALUE (TFD_EVENT_SET_PROPERTY, "set-property"),
  G_DEFINE_ENUM_VALUE (TFD_EVENT_PICKED, "picked"),
  G_DEFINE_ENUM_VALUE (TFD_EVENT_SLICE_OVER, "slice-over"),
  G_DEFINE_ENUM_VALUE (TFD_EVENT_PREEMPTED, "preempted"),
  G_DEFINE_ENUM_VALUE (TFD_EVENT_CONNECTED, "connected"),
  G_DEFINE_ENUM_VALUE (TFD_EVENT_FILE_DONE, "file-done"),
  G_DEFINE_ENUM_VALUE (TFD_EVENT_LAST_FILE_DONE, "last-file-done"),
  G_DEFINE_ENUM_VALUE (TFD_EVENT_TRANSIENT_ERROR, "transient-error"),
  G_DEFINE_ENUM_VALUE (TFD_EVENT_FATAL_ERROR, "fatal-error"),
  G_DEFINE_ENUM_VALUE (TFD_EVENT_REMOTE_FILE_CHANGED, "remote-file-changed"),
  G_DEFINE_ENUM_VALUE (TFD_EVENT_WORKER_LOST, "worker-lost"),
  G_DEFINE_ENUM_VALUE (TFD_EVENT_PART_MISSING, "part-missing"),
  G_DEFINE_ENUM_VALUE (TFD_EVENT_RETRY_DUE, "retry-due"),
  G_DEFINE_ENUM_VALUE (TFD_EVENT_NO_PROGRESS, "no-progress"),
  G_DEFINE_ENUM_VALUE (TFD_EVENT_MAXIMUM_DOWNLOAD_TIME, "maximum-download-time"),
  G_DEFINE_ENUM_VALUE (TFD_EVENT_INACTIVE, "inactive"),
  G_DEFINE_ENUM_VALUE (TFD_EVENT_NETWORK_LOST, "network-lost"),
  G_DEFINE_ENUM_VALUE (TFD_EVENT_NETWORK_BACK, "network-back"),
  G_DEFINE_ENUM_VALUE (TFD_EVENT_BLOCKED, "blocked"),
  G_DEFINE_ENUM_VALUE (TFD_EVENT_UNBLOCKED, "unblocked"),
  G_DEFINE_ENUM_VALUE (TFD_EVENT_OWNER_LOGGED_OFF, "owner-logged-off"),
  G_DEFINE_ENUM_VALUE (TFD_EVENT_OWNER_LOGGED_ON, "owner-logged-on"),
  G_DEFINE_ENUM_VALUE (TFD_EVENT_DESTINATION_BACK, "destination-back"),
  G_DEFINE_ENUM_VALUE (TFD_EVENT_VALIDATION_FAILED, "validation-failed"),
  G_DEFINE_ENUM_VALUE (TFD_EVENT_RESTARTED, "restarted"),
  G_DEFINE_ENUM_VALUE (TFD_EVENT_COMPLETE_FAILED, "complete-failed"),
  G_DEFINE_ENUM_VALUE (TFD_EVENT_COMPLETED, "completed"),
  G_DEFINE_ENUM_VALUE (TFD_EVENT_CANCELLED, "cancelled"))

/* Sets of states. */
#define S(name) (1u << TFD_JOB_STATE_##name)
#define SUSPENDED S (SUSPENDED)
#define QUEUED S (QUEUED)
#define CONNECTING S (CONNECTING)
#define TRANSFERRING S (TRANSFERRING)
#define TRANSIENT S (TRANSIENT_ERROR)
#define FAILED S (ERROR)
#define TRANSFERRED S (TRANSFERRED)
#define RUNNING (CONNECTING | TRANSFERRING)
#define FINAL (S (ACKNOWLEDGED) | S (CANCELLED))
#define OPEN (((1u << TFD_N_JOB_STATES) - 1) & ~FINAL)
#define ANY (OPEN | FINAL)

/* Next state: one of the states, or this. */
#define STAY (-1)

typedef struct
{
  TfdEvent event;
  guint states;     /* of the job before the event */
  TfdGuards needs;  /* all of them */
  TfdGuards lacks;  /* none of them */
  TfdVerdict verdict;
  int next;
  TfdEffects effects;
} Row;

/* One word per thing, so that a row fits on a line. */
#define ROW(event, states, needs, lacks, verdict, next, effects) \
  { TFD_EVENT_##event, states, needs, lacks, TFD_VERDICT_##verdict, next, effects }
#define HAS_FILES TFD_GUARD_HAS_FILES
#define ALL_THERE TFD_GUARD_ALL_TRANSFERRED
#define BY_EVENT TFD_GUARD_EVENT_DRIVEN
#define WAIT TFD_GUARD_UNCOUNTED
#define NO_RETRY TFD_GUARD_NO_RETRY
#define TO(name) TFD_JOB_STATE_##name
#define MODIFIED TFD_EFFECT_MODIFIED
#define SCHEDULE TFD_EFFECT_SCHEDULE
#define STOP TFD_EFFECT_STOP_RUN
#define SET_ERROR TFD_EFFECT_SET_ERROR
#define CLEAR_ERROR TFD_EFFECT_CLEAR_ERROR
#define COUNT TFD_EFFECT_COUNT_ERROR
#define ARM TFD_EFFECT_ARM_RETRY
#define DISARM TFD_EFFECT_DISARM_RETRY
#define TELL_DONE TFD_EFFECT_TELL_TRANSFERRED
#define TELL_ERROR TFD_EFFECT_TELL_ERROR
#define RESET TFD_EFFECT_RESET_TIMES
#define COMPLETE TFD_EFFECT_BEGIN_COMPLETE
#define CANCEL TFD_EFFECT_BEGIN_CANCEL
#define END TFD_EFFECT_END
#define FAIL (SET_ERROR | TELL_ERROR | MODIFIED)

/* The habits behind the rows, which are those of BITS:
 * - Calls are MODIFIED, those that change nothing else included: whoever asks has not left the job
 *   alone. So are news that bytes or files arrived, an end or a failure. What only
 *   moves a job between queued, connecting and transient-error is not: a job that fails for ever
 *   would count as used for ever, and never be cleaned up.
 * - The error of a job stays readable until bytes flow again (connected) or the user suspends it.
 * - A job that Complete or Cancel works on rests in a state that nothing schedules.
 * - A run that is being stopped may still report files that it finished: that is never lost, in
 *   whatever state the job is by then. Its failures are of no interest any more. */
static const Row rows[] = {
  ROW (RESUME, FINAL, 0, 0, INVALID_STATE, STAY, 0),
  ROW (RESUME, OPEN, 0, HAS_FILES, EMPTY, STAY, 0),
  ROW (RESUME, OPEN, ALL_THERE, 0, EMPTY, STAY, 0),
  ROW (RESUME, QUEUED | RUNNING, 0, 0, OK, STAY, MODIFIED),
  ROW (RESUME, TRANSIENT, 0, 0, OK, TO (QUEUED), MODIFIED | SCHEDULE | DISARM | RESET),
  ROW (RESUME, OPEN, 0, 0, OK, TO (QUEUED), MODIFIED | SCHEDULE | RESET),

  ROW (SUSPEND, FINAL, 0, 0, INVALID_STATE, STAY, 0),
  ROW (SUSPEND, SUSPENDED | FAILED | TRANSFERRED, 0, 0, OK, STAY, MODIFIED),
  ROW (SUSPEND, QUEUED, 0, 0, OK, TO (SUSPENDED), MODIFIED | CLEAR_ERROR | SCHEDULE),
  ROW (SUSPEND, RUNNING, 0, 0, OK, TO (SUSPENDED), MODIFIED | CLEAR_ERROR | SCHEDULE | STOP),
  ROW (SUSPEND, TRANSIENT, 0, 0, OK, TO (SUSPENDED), MODIFIED | CLEAR_ERROR | DISARM),

  ROW (CANCEL, FINAL, 0, 0, INVALID_STATE, STAY, 0),
  ROW (CANCEL, SUSPENDED | FAILED | TRANSFERRED, 0, 0, OK, STAY, MODIFIED | CANCEL),
  ROW (CANCEL, QUEUED, 0, 0, OK, TO (SUSPENDED), MODIFIED | CANCEL | SCHEDULE),
  ROW (CANCEL, RUNNING, 0, 0, OK, TO (SUSPENDED), MODIFIED | CANCEL | SCHEDULE | STOP),
  ROW (CANCEL, TRANSIENT, 0, 0, OK, TO (SUSPENDED), MODIFIED | CANCEL | DISARM),

  /* of downloads; uploads: see complete_of_upload () */
  ROW (COMPLETE, FINAL, 0, 0, INVALID_STATE, STAY, 0),
  ROW (COMPLETE, SUSPENDED | TRANSFERRED, 0, 0, OK, STAY, MODIFIED | COMPLETE),
  ROW (COMPLETE, FAILED, 0, 0, OK, TO (SUSPENDED), MODIFIED | COMPLETE),
  ROW (COMPLETE, QUEUED, 0, 0, OK, TO (SUSPENDED), MODIFIED | COMPLETE | SCHEDULE),
  ROW (COMPLETE, RUNNING, 0, 0, OK, TO (SUSPENDED), MODIFIED | COMPLETE | SCHEDULE | STOP),
  ROW (COMPLETE, TRANSIENT, 0, 0, OK, TO (SUSPENDED), MODIFIED | COMPLETE | DISARM),

  ROW (ADD_FILE, FINAL, 0, 0, INVALID_STATE, STAY, 0),
  ROW (ADD_FILE, QUEUED | RUNNING, 0, 0, OK, STAY, MODIFIED | SCHEDULE),
  ROW (ADD_FILE, OPEN, 0, 0, OK, STAY, MODIFIED),

  /* the new name counts from the next start of the file: it is started again at once */
  ROW (SET_REMOTE_NAME, FINAL, 0, 0, INVALID_STATE, STAY, 0),
  ROW (SET_REMOTE_NAME, RUNNING, 0, 0, OK, TO (QUEUED), MODIFIED | SCHEDULE | STOP),
  ROW (SET_REMOTE_NAME, OPEN, 0, 0, OK, STAY, MODIFIED),

  ROW (SET_PROPERTY, FINAL, 0, 0, INVALID_STATE, STAY, 0),
  ROW (SET_PROPERTY, QUEUED | RUNNING | TRANSIENT, 0, 0, OK, STAY, MODIFIED | SCHEDULE),
  ROW (SET_PROPERTY, OPEN, 0, 0, OK, STAY, MODIFIED),

  ROW (PICKED, QUEUED, 0, 0, OK, TO (CONNECTING), 0),
  ROW (PICKED, ANY, 0, 0, IGNORED, STAY, 0),

  ROW (SLICE_OVER, RUNNING, 0, 0, OK, TO (QUEUED), STOP | SCHEDULE),
  ROW (SLICE_OVER, ANY, 0, 0, IGNORED, STAY, 0),

  ROW (PREEMPTED, RUNNING, 0, 0, OK, TO (QUEUED), STOP | SCHEDULE),
  ROW (PREEMPTED, ANY, 0, 0, IGNORED, STAY, 0),

  ROW (CONNECTED, CONNECTING, 0, 0, OK, TO (TRANSFERRING), CLEAR_ERROR),
  ROW (CONNECTED, ANY, 0, 0, IGNORED, STAY, 0),

  ROW (FILE_DONE, OPEN & ~TRANSFERRED, 0, 0, OK, STAY, MODIFIED),
  ROW (FILE_DONE, ANY, 0, 0, IGNORED, STAY, 0),

  ROW (LAST_FILE_DONE, SUSPENDED | FAILED, 0, 0, OK, TO (TRANSFERRED),
       MODIFIED | CLEAR_ERROR | TELL_DONE),
  ROW (LAST_FILE_DONE, QUEUED, 0, 0, OK, TO (TRANSFERRED),
       MODIFIED | CLEAR_ERROR | TELL_DONE | SCHEDULE),
  ROW (LAST_FILE_DONE, RUNNING, 0, 0, OK, TO (TRANSFERRED),
       MODIFIED | CLEAR_ERROR | TELL_DONE | SCHEDULE | STOP),
  ROW (LAST_FILE_DONE, TRANSIENT, 0, 0, OK, TO (TRANSFERRED),
       MODIFIED | CLEAR_ERROR | TELL_DONE | DISARM),
  ROW (LAST_FILE_DONE, ANY, 0, 0, IGNORED, STAY, 0),

  ROW (TRANSIENT_ERROR, RUNNING, NO_RETRY | WAIT, 0, OK, TO (ERROR), FAIL | STOP | SCHEDULE),
  ROW (TRANSIENT_ERROR, RUNNING, NO_RETRY, 0, OK, TO (ERROR), FAIL | STOP | SCHEDULE | COUNT),
  ROW (TRANSIENT_ERROR, RUNNING, WAIT, 0, OK, TO (TRANSIENT_ERROR),
       SET_ERROR | STOP | SCHEDULE | ARM),
  ROW (TRANSIENT_ERROR, RUNNING, 0, 0, OK, TO (TRANSIENT_ERROR),
       SET_ERROR | STOP | SCHEDULE | ARM | COUNT),
  ROW (TRANSIENT_ERROR, ANY, 0, 0, IGNORED, STAY, 0),

  ROW (FATAL_ERROR, QUEUED, 0, 0, OK, TO (ERROR), FAIL | SCHEDULE | COUNT),
  ROW (FATAL_ERROR, RUNNING, 0, 0, OK, TO (ERROR), FAIL | STOP | SCHEDULE | COUNT),
  ROW (FATAL_ERROR, TRANSIENT, 0, 0, OK, TO (ERROR), FAIL | DISARM | COUNT),
  ROW (FATAL_ERROR, ANY, 0, 0, IGNORED, STAY, 0),

  ROW (REMOTE_FILE_CHANGED, RUNNING, 0, 0, OK, STAY, 0),
  ROW (REMOTE_FILE_CHANGED, ANY, 0, 0, IGNORED, STAY, 0),

  /* the worker is gone already: there is nothing to stop */
  ROW (WORKER_LOST, RUNNING, 0, 0, OK, TO (QUEUED), SCHEDULE),
  ROW (WORKER_LOST, ANY, 0, 0, IGNORED, STAY, 0),

  /* nothing is fetched a second time before the user was told why */
  ROW (PART_MISSING, TRANSFERRED, 0, 0, OK, TO (SUSPENDED), MODIFIED | SET_ERROR),
  ROW (PART_MISSING, QUEUED, 0, 0, OK, TO (SUSPENDED), MODIFIED | SET_ERROR | SCHEDULE),
  ROW (PART_MISSING, RUNNING, 0, 0, OK, TO (SUSPENDED), MODIFIED | SET_ERROR | SCHEDULE | STOP),
  ROW (PART_MISSING, TRANSIENT, 0, 0, OK, TO (SUSPENDED), MODIFIED | SET_ERROR | DISARM),
  ROW (PART_MISSING, OPEN, 0, 0, OK, STAY, 0),
  ROW (PART_MISSING, ANY, 0, 0, IGNORED, STAY, 0),

  ROW (RETRY_DUE, TRANSIENT, 0, BY_EVENT, OK, TO (QUEUED), SCHEDULE | DISARM),
  ROW (RETRY_DUE, ANY, 0, 0, IGNORED, STAY, 0),

  ROW (NO_PROGRESS, TRANSIENT, 0, 0, OK, TO (ERROR), FAIL | DISARM),
  ROW (NO_PROGRESS, ANY, 0, 0, IGNORED, STAY, 0),

  ROW (MAXIMUM_DOWNLOAD_TIME, RUNNING, 0, 0, OK, TO (ERROR), FAIL | STOP | SCHEDULE | COUNT),
  ROW (MAXIMUM_DOWNLOAD_TIME, ANY, 0, 0, IGNORED, STAY, 0),

  /* as Cancel, but by the service; what runs is not inactive */
  ROW (INACTIVE, SUSPENDED | FAILED | TRANSFERRED, 0, 0, OK, STAY, CANCEL),
  ROW (INACTIVE, QUEUED, 0, 0, OK, TO (SUSPENDED), CANCEL | SCHEDULE),
  ROW (INACTIVE, TRANSIENT, 0, 0, OK, TO (SUSPENDED), CANCEL | DISARM),
  ROW (INACTIVE, ANY, 0, 0, IGNORED, STAY, 0),

  ROW (NETWORK_LOST, QUEUED, 0, 0, OK, TO (TRANSIENT_ERROR), SET_ERROR | SCHEDULE),
  ROW (NETWORK_LOST, RUNNING, 0, 0, OK, TO (TRANSIENT_ERROR), SET_ERROR | SCHEDULE | STOP),
  ROW (NETWORK_LOST, ANY, 0, 0, IGNORED, STAY, 0),

  /* whatever the error was: a new network is a new chance */
  ROW (NETWORK_BACK, TRANSIENT, 0, 0, OK, TO (QUEUED), SCHEDULE | DISARM),
  ROW (NETWORK_BACK, ANY, 0, 0, IGNORED, STAY, 0),

  ROW (BLOCKED, QUEUED, 0, 0, OK, TO (TRANSIENT_ERROR), SET_ERROR | SCHEDULE),
  ROW (BLOCKED, RUNNING, 0, 0, OK, TO (TRANSIENT_ERROR), SET_ERROR | SCHEDULE | STOP),
  ROW (BLOCKED, ANY, 0, 0, IGNORED, STAY, 0),

  ROW (UNBLOCKED, TRANSIENT, BY_EVENT, 0, OK, TO (QUEUED), SCHEDULE | DISARM),
  ROW (UNBLOCKED, ANY, 0, 0, IGNORED, STAY, 0),

  ROW (OWNER_LOGGED_OFF, QUEUED, 0, 0, OK, STAY, SCHEDULE),
  ROW (OWNER_LOGGED_OFF, RUNNING, 0, 0, OK, TO (QUEUED), SCHEDULE | STOP),
  ROW (OWNER_LOGGED_OFF, ANY, 0, 0, IGNORED, STAY, 0),

  /* a home that was not mounted before is there now */
  ROW (OWNER_LOGGED_ON, QUEUED, 0, 0, OK, STAY, SCHEDULE),
  ROW (OWNER_LOGGED_ON, TRANSIENT, 0, 0, OK, TO (QUEUED), SCHEDULE | DISARM),
  ROW (OWNER_LOGGED_ON, ANY, 0, 0, IGNORED, STAY, 0),

  ROW (DESTINATION_BACK, TRANSIENT, 0, 0, OK, TO (QUEUED), SCHEDULE | DISARM),
  ROW (DESTINATION_BACK, ANY, 0, 0, IGNORED, STAY, 0),

  ROW (VALIDATION_FAILED, SUSPENDED | TRANSFERRED, 0, 0, OK, TO (ERROR), FAIL | COUNT),
  ROW (VALIDATION_FAILED, QUEUED, 0, 0, OK, TO (ERROR), FAIL | COUNT | SCHEDULE),
  ROW (VALIDATION_FAILED, RUNNING, 0, 0, OK, TO (ERROR), FAIL | COUNT | SCHEDULE | STOP),
  ROW (VALIDATION_FAILED, TRANSIENT, 0, 0, OK, TO (ERROR), FAIL | COUNT | DISARM),
  ROW (VALIDATION_FAILED, FAILED, 0, 0, OK, STAY, MODIFIED),
  ROW (VALIDATION_FAILED, ANY, 0, 0, IGNORED, STAY, 0),

  /* a stored deadline of a retry is still valid */
  ROW (RESTARTED, RUNNING, 0, 0, OK, TO (QUEUED), SCHEDULE),
  ROW (RESTARTED, QUEUED | TRANSIENT, 0, 0, OK, STAY, SCHEDULE),
  ROW (RESTARTED, OPEN, 0, 0, OK, STAY, 0),
  ROW (RESTARTED, ANY, 0, 0, IGNORED, STAY, 0),

  ROW (COMPLETE_FAILED, SUSPENDED, ALL_THERE, 0, OK, TO (TRANSFERRED),
       MODIFIED | CLEAR_ERROR | TELL_DONE),
  ROW (COMPLETE_FAILED, TRANSFERRED, 0, ALL_THERE, OK, TO (SUSPENDED), MODIFIED),
  ROW (COMPLETE_FAILED, SUSPENDED | TRANSFERRED, 0, 0, OK, STAY, MODIFIED),
  ROW (COMPLETE_FAILED, ANY, 0, 0, IGNORED, STAY, 0),

  ROW (COMPLETED, RUNNING, 0, 0, OK, TO (ACKNOWLEDGED), MODIFIED | END | SCHEDULE | STOP),
  ROW (COMPLETED, QUEUED, 0, 0, OK, TO (ACKNOWLEDGED), MODIFIED | END | SCHEDULE),
  ROW (COMPLETED, TRANSIENT, 0, 0, OK, TO (ACKNOWLEDGED), MODIFIED | END | DISARM),
  ROW (COMPLETED, OPEN, 0, 0, OK, TO (ACKNOWLEDGED), MODIFIED | END),
  ROW (COMPLETED, ANY, 0, 0, IGNORED, STAY, 0),

  ROW (CANCELLED, RUNNING, 0, 0, OK, TO (CANCELLED), MODIFIED | END | SCHEDULE | STOP),
  ROW (CANCELLED, QUEUED, 0, 0, OK, TO (CANCELLED), MODIFIED | END | SCHEDULE),
  ROW (CANCELLED, TRANSIENT, 0, 0, OK, TO (CANCELLED), MODIFIED | END | DISARM),
  ROW (CANCELLED, OPEN, 0, 0, OK, TO (CANCELLED), MODIFIED | END),
  ROW (CANCELLED, ANY, 0, 0, IGNORED, STAY, 0),
};
/* clang-format on */

/* An upload that is not all on the server yet has nothing to be acknowledged. */
static gboolean
complete_of_upload (TfdJobType type, TfdJobState state, TfdEvent event)
{
  return event == TFD_EVENT_COMPLETE && type != TFD_JOB_TYPE_DOWNLOAD &&
         state != TFD_JOB_STATE_TRANSFERRED;
}

TfdStep
tfd_state_step (TfdJobType type, TfdJobState state, TfdEvent event, TfdGuards guards)
{
  g_assert ((guint) state < TFD_N_JOB_STATES);
  g_assert ((guint) event < TFD_N_EVENTS);

  if (complete_of_upload (type, state, event))
    return (TfdStep){ state, TFD_VERDICT_INVALID_STATE, TFD_EFFECT_NONE };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      const Row *row = &rows[i];
      if (row->event != event || (row->states & (1u << state)) == 0)
        continue;
      if ((guards & row->needs) != row->needs || (guards & row->lacks) != 0)
        continue;
      TfdJobState next = row->next == STAY ? state : (TfdJobState) row->next;
      return (TfdStep){ next, row->verdict, row->effects };
    }
  g_assert_not_reached ();
}
