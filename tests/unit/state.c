/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* State: the table, proved three ways: by rules that every cell obeys, by the documented cells
 * written out here once more, and by golden files that show all of it (state-golden.c). */
#include "config.h"

#include "tests/unit/state-golden.h"

#define N_GUARDS (TFD_ALL_GUARDS + 1)
#define HAS(step, effect) (((step).effects & TFD_EFFECT_##effect) != 0)

typedef void (*CellFunc) (
    TfdJobType type, TfdJobState state, TfdEvent event, TfdGuards guards, TfdStep step);

static void
for_every_cell (CellFunc check)
{
  for (TfdJobType type = TFD_JOB_TYPE_DOWNLOAD; type <= TFD_JOB_TYPE_UPLOAD_REPLY; type++)
    for (TfdEvent event = 0; event < TFD_N_EVENTS; event++)
      for (TfdJobState state = 0; state < TFD_N_JOB_STATES; state++)
        for (TfdGuards guards = 0; guards < N_GUARDS; guards++)
          check (type, state, event, guards, tfd_state_step (type, state, event, guards));
}

/* An assertion that names the cell. */
#define check_that(condition)                                                                      \
  G_STMT_START                                                                                     \
  {                                                                                                \
    if (!(condition))                                                                              \
      g_error ("%s: type %d, %s in %s, guards 0x%x", #condition, type,                             \
               tfd_enum_to_string (TFD_TYPE_EVENT, event),                                         \
               tfd_enum_to_string (TFD_TYPE_JOB_STATE, state), guards);                            \
  }                                                                                                \
  G_STMT_END

static gboolean
is_call (TfdEvent event)
{
  return event <= TFD_EVENT_SET_PROPERTY;
}

static void
check_total (TfdJobType type, TfdJobState state, TfdEvent event, TfdGuards guards, TfdStep step)
{
  check_that ((guint) step.next < TFD_N_JOB_STATES);
  check_that (step.verdict <= TFD_VERDICT_IGNORED);
  if (step.verdict != TFD_VERDICT_OK)
    check_that (step.next == state && step.effects == TFD_EFFECT_NONE);
  if (is_call (event))
    check_that (step.verdict != TFD_VERDICT_IGNORED);
  else
    check_that (step.verdict == TFD_VERDICT_OK || step.verdict == TFD_VERDICT_IGNORED);
  if (step.verdict == TFD_VERDICT_EMPTY)
    check_that (event == TFD_EVENT_RESUME);
  if (is_call (event) && step.verdict == TFD_VERDICT_OK)
    check_that (HAS (step, MODIFIED));
}

static void
test_total (void)
{
  for_every_cell (check_total);
}

static void
check_final (TfdJobType type, TfdJobState state, TfdEvent event, TfdGuards guards, TfdStep step)
{
  gboolean was_final = tfd_job_state_is_final (state);
  gboolean is_final = tfd_job_state_is_final (step.next);

  if (was_final)
    {
      check_that (step.next == state);
      check_that (step.verdict ==
                  (is_call (event) ? TFD_VERDICT_INVALID_STATE : TFD_VERDICT_IGNORED));
    }
  check_that (HAS (step, END) == (is_final && !was_final));
  if (is_final && !was_final)
    check_that (event == TFD_EVENT_COMPLETED || event == TFD_EVENT_CANCELLED);
}

static void
test_final_states (void)
{
  for_every_cell (check_final);
}

static void
check_told (TfdJobType type, TfdJobState state, TfdEvent event, TfdGuards guards, TfdStep step)
{
  gboolean entered = step.next != state;
  gboolean error = entered && step.next == TFD_JOB_STATE_ERROR;
  gboolean transferred = entered && step.next == TFD_JOB_STATE_TRANSFERRED;

  check_that (HAS (step, TELL_ERROR) == error);
  check_that (HAS (step, TELL_TRANSFERRED) == transferred);
  if (error)
    check_that (HAS (step, SET_ERROR) && HAS (step, MODIFIED));
  if (transferred)
    check_that (HAS (step, CLEAR_ERROR) && HAS (step, MODIFIED));
  if (entered && step.next == TFD_JOB_STATE_TRANSIENT_ERROR)
    check_that (HAS (step, SET_ERROR));
  if (entered && step.next == TFD_JOB_STATE_TRANSFERRING)
    check_that (HAS (step, CLEAR_ERROR));
  check_that (!(HAS (step, SET_ERROR) && HAS (step, CLEAR_ERROR)));
  if (HAS (step, COUNT_ERROR))
    check_that (HAS (step, SET_ERROR));
}

static void
test_told_once (void)
{
  for_every_cell (check_told);
}

/* A worker never keeps a job that does not run, and a job that leaves makes room for another. */
static void
check_runs (TfdJobType type, TfdJobState state, TfdEvent event, TfdGuards guards, TfdStep step)
{
  gboolean left = tfd_job_state_is_running (state) && !tfd_job_state_is_running (step.next);
  gboolean worker_gone = event == TFD_EVENT_WORKER_LOST || event == TFD_EVENT_RESTARTED;
  gboolean was_planned = tfd_job_state_is_running (state) || state == TFD_JOB_STATE_QUEUED;
  gboolean is_planned = tfd_job_state_is_running (step.next) || step.next == TFD_JOB_STATE_QUEUED;

  check_that (HAS (step, STOP_RUN) == (left && !worker_gone));
  if (was_planned != is_planned || left)
    check_that (HAS (step, SCHEDULE));
  if (step.next == TFD_JOB_STATE_CONNECTING && state != step.next)
    check_that (state == TFD_JOB_STATE_QUEUED && event == TFD_EVENT_PICKED);
  if (step.next == TFD_JOB_STATE_TRANSFERRING && state != step.next)
    check_that (state == TFD_JOB_STATE_CONNECTING && event == TFD_EVENT_CONNECTED);
}

static void
test_runs (void)
{
  for_every_cell (check_runs);
}

static void
check_retry (TfdJobType type, TfdJobState state, TfdEvent event, TfdGuards guards, TfdStep step)
{
  gboolean left = state == TFD_JOB_STATE_TRANSIENT_ERROR && step.next != state;

  check_that (HAS (step, DISARM_RETRY) == left);
  if (HAS (step, ARM_RETRY))
    check_that (step.next == TFD_JOB_STATE_TRANSIENT_ERROR && event == TFD_EVENT_TRANSIENT_ERROR);
  if (event == TFD_EVENT_TRANSIENT_ERROR && step.verdict == TFD_VERDICT_OK)
    {
      check_that (HAS (step, COUNT_ERROR) == ((guards & TFD_GUARD_UNCOUNTED) == 0));
      check_that ((step.next == TFD_JOB_STATE_ERROR) == ((guards & TFD_GUARD_NO_RETRY) != 0));
      check_that (HAS (step, ARM_RETRY) == ((guards & TFD_GUARD_NO_RETRY) == 0));
    }
}

static void
test_retry (void)
{
  for_every_cell (check_retry);
}

/* While Complete or Cancel works nothing may pick the job up again. */
static void
check_operations (
    TfdJobType type, TfdJobState state, TfdEvent event, TfdGuards guards, TfdStep step)
{
  gboolean rests = step.next == TFD_JOB_STATE_SUSPENDED || step.next == TFD_JOB_STATE_TRANSFERRED ||
                   step.next == TFD_JOB_STATE_ERROR;

  if (HAS (step, BEGIN_COMPLETE) || HAS (step, BEGIN_CANCEL))
    {
      check_that (rests);
      if (state == TFD_JOB_STATE_TRANSFERRED)
        check_that (step.next == state);
      check_that (!HAS (step, TELL_TRANSFERRED) && !HAS (step, TELL_ERROR));
    }
  check_that (HAS (step, BEGIN_COMPLETE) ==
              (event == TFD_EVENT_COMPLETE && step.verdict == TFD_VERDICT_OK));
  check_that (HAS (step, BEGIN_CANCEL) ==
              ((event == TFD_EVENT_CANCEL || event == TFD_EVENT_INACTIVE) &&
               step.verdict == TFD_VERDICT_OK));
  /* and no condition moves a job out of a resting state */
  if (event >= TFD_EVENT_NETWORK_LOST && event <= TFD_EVENT_DESTINATION_BACK &&
      (state == TFD_JOB_STATE_SUSPENDED || state == TFD_JOB_STATE_TRANSFERRED ||
       state == TFD_JOB_STATE_ERROR))
    check_that (step.verdict == TFD_VERDICT_IGNORED);
}

static void
test_operations (void)
{
  for_every_cell (check_operations);
}

/* What only goes round between queued and transient-error is no use of a job: else one that fails
 * for ever would never count as inactive. */
static void
check_activity (TfdJobType type, TfdJobState state, TfdEvent event, TfdGuards guards, TfdStep step)
{
  gboolean goes_round =
      (state == TFD_JOB_STATE_QUEUED || state == TFD_JOB_STATE_TRANSIENT_ERROR ||
       tfd_job_state_is_running (state)) &&
      (step.next == TFD_JOB_STATE_QUEUED || step.next == TFD_JOB_STATE_TRANSIENT_ERROR ||
       tfd_job_state_is_running (step.next));

  if (!is_call (event) && goes_round && event != TFD_EVENT_FILE_DONE)
    check_that (!HAS (step, MODIFIED));
  if (HAS (step, RESET_TIMES))
    check_that (event == TFD_EVENT_RESUME);
}

static void
test_activity (void)
{
  for_every_cell (check_activity);
}

static void
check_type (TfdJobType type, TfdJobState state, TfdEvent event, TfdGuards guards, TfdStep step)
{
  TfdStep download = tfd_state_step (TFD_JOB_TYPE_DOWNLOAD, state, event, guards);

  if (event == TFD_EVENT_COMPLETE && type != TFD_JOB_TYPE_DOWNLOAD &&
      state != TFD_JOB_STATE_TRANSFERRED)
    check_that (step.verdict == TFD_VERDICT_INVALID_STATE && step.next == state);
  else
    check_that (step.next == download.next && step.verdict == download.verdict &&
                step.effects == download.effects);
}

static void
test_types (void)
{
  for_every_cell (check_type);
}

/* The cells that the reference documents, in one letter each. Columns: suspended, queued,
 * connecting, transferring, transient-error, error, transferred, acknowledged, cancelled.
 * Letters: the next state by the same order (S Q C T R E D), = unchanged, - ignored,
 * 0 Empty, ! InvalidState. */
#define WAITING TFD_GUARD_HAS_FILES
#define FULL (TFD_GUARD_HAS_FILES | TFD_GUARD_ALL_TRANSFERRED)

static const struct
{
  TfdEvent event;
  TfdGuards guards;
  const char *cells;
} documented[] = {
  { TFD_EVENT_RESUME, 0, "0000000!!" },
  { TFD_EVENT_RESUME, WAITING, "Q===QQQ!!" },
  { TFD_EVENT_RESUME, FULL, "0000000!!" },
  { TFD_EVENT_SUSPEND, WAITING, "=SSSS==!!" },
  { TFD_EVENT_CANCEL, WAITING, "=SSSS==!!" },
  { TFD_EVENT_COMPLETE, WAITING, "=SSSSS=!!" },
  { TFD_EVENT_COMPLETE, 0, "=SSSSS=!!" },
  { TFD_EVENT_ADD_FILE, WAITING, "=======!!" },
  { TFD_EVENT_SET_REMOTE_NAME, WAITING, "==QQ===!!" },
  { TFD_EVENT_SET_PROPERTY, WAITING, "=======!!" },
  { TFD_EVENT_PICKED, WAITING, "-C-------" },
  { TFD_EVENT_SLICE_OVER, WAITING, "--QQ-----" },
  { TFD_EVENT_PREEMPTED, WAITING, "--QQ-----" },
  { TFD_EVENT_CONNECTED, WAITING, "--T------" },
  { TFD_EVENT_FILE_DONE, WAITING, "======---" },
  { TFD_EVENT_LAST_FILE_DONE, FULL, "DDDDDD---" },
  { TFD_EVENT_TRANSIENT_ERROR, WAITING, "--RR-----" },
  { TFD_EVENT_TRANSIENT_ERROR, WAITING | TFD_GUARD_NO_RETRY, "--EE-----" },
  { TFD_EVENT_FATAL_ERROR, WAITING, "-EEEE----" },
  { TFD_EVENT_REMOTE_FILE_CHANGED, WAITING, "--==-----" },
  { TFD_EVENT_WORKER_LOST, WAITING, "--QQ-----" },
  { TFD_EVENT_PART_MISSING, WAITING, "=SSSS=S--" },
  { TFD_EVENT_RETRY_DUE, WAITING, "----Q----" },
  { TFD_EVENT_RETRY_DUE, WAITING | TFD_GUARD_EVENT_DRIVEN, "---------" },
  { TFD_EVENT_NO_PROGRESS, WAITING, "----E----" },
  { TFD_EVENT_MAXIMUM_DOWNLOAD_TIME, WAITING, "--EE-----" },
  { TFD_EVENT_INACTIVE, WAITING, "=S--S==--" },
  { TFD_EVENT_NETWORK_LOST, WAITING, "-RRR-----" },
  { TFD_EVENT_NETWORK_BACK, WAITING, "----Q----" },
  { TFD_EVENT_BLOCKED, WAITING, "-RRR-----" },
  { TFD_EVENT_UNBLOCKED, WAITING, "---------" },
  { TFD_EVENT_UNBLOCKED, WAITING | TFD_GUARD_EVENT_DRIVEN, "----Q----" },
  { TFD_EVENT_OWNER_LOGGED_OFF, WAITING, "-=QQ-----" },
  { TFD_EVENT_OWNER_LOGGED_ON, WAITING, "-=--Q----" },
  { TFD_EVENT_DESTINATION_BACK, WAITING, "----Q----" },
  { TFD_EVENT_VALIDATION_FAILED, FULL, "EEEEE=E--" },
  { TFD_EVENT_RESTARTED, WAITING, "==QQ===--" },
  { TFD_EVENT_COMPLETE_FAILED, WAITING, "=-----S--" },
  { TFD_EVENT_COMPLETE_FAILED, FULL, "D-----=--" },
  { TFD_EVENT_COMPLETED, WAITING, "AAAAAAA--" },
  { TFD_EVENT_CANCELLED, WAITING, "XXXXXXX--" },
};

static char
letter_of (TfdJobState state, TfdStep step)
{
  switch (step.verdict)
    {
    case TFD_VERDICT_OK:
      return step.next == state ? '=' : "SQCTREDAX"[step.next];
    case TFD_VERDICT_INVALID_STATE:
      return '!';
    case TFD_VERDICT_EMPTY:
      return '0';
    case TFD_VERDICT_IGNORED:
    default:
      return '-';
    }
}

static void
test_documented (void)
{
  gboolean seen[TFD_N_EVENTS] = { FALSE };

  for (gsize i = 0; i < G_N_ELEMENTS (documented); i++)
    {
      char cells[TFD_N_JOB_STATES + 1] = "";
      for (TfdJobState state = 0; state < TFD_N_JOB_STATES; state++)
        cells[state] =
            letter_of (state, tfd_state_step (TFD_JOB_TYPE_DOWNLOAD, state, documented[i].event,
                                              documented[i].guards));
      seen[documented[i].event] = TRUE;
      g_test_message ("%s", tfd_enum_to_string (TFD_TYPE_EVENT, documented[i].event));
      g_assert_cmpstr (cells, ==, documented[i].cells);
    }
  for (TfdEvent event = 0; event < TFD_N_EVENTS; event++)
    g_assert_true (seen[event]);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/common/state/total", test_total);
  g_test_add_func ("/common/state/final-states", test_final_states);
  g_test_add_func ("/common/state/told-once", test_told_once);
  g_test_add_func ("/common/state/runs", test_runs);
  g_test_add_func ("/common/state/retry", test_retry);
  g_test_add_func ("/common/state/operations", test_operations);
  g_test_add_func ("/common/state/activity", test_activity);
  g_test_add_func ("/common/state/types", test_types);
  g_test_add_func ("/common/state/documented-cells", test_documented);
  g_test_add_func ("/common/state/every-cell", test_state_golden_table);
  g_test_add_func ("/common/state/call-states", test_state_golden_calls);
  return g_test_run ();
}
