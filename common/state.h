/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* State: THE table of what each event means for a job in each state. Pure. */
#pragma once

#include "common/enums.h"
#include "common/error.h"

G_BEGIN_DECLS

typedef enum
{
  /* calls */
  TFD_EVENT_RESUME,
  TFD_EVENT_SUSPEND,
  TFD_EVENT_CANCEL,
  TFD_EVENT_COMPLETE,
  TFD_EVENT_ADD_FILE,
  TFD_EVENT_SET_REMOTE_NAME, /* of a file that the worker has in hand, when the job runs */
  TFD_EVENT_SET_PROPERTY,
  /* the scheduler */
  TFD_EVENT_PICKED, /* handed to a worker */
  TFD_EVENT_SLICE_OVER,
  TFD_EVENT_PREEMPTED,
  /* news of the worker */
  TFD_EVENT_CONNECTED, /* first byte of an answer */
  TFD_EVENT_FILE_DONE,
  TFD_EVENT_LAST_FILE_DONE,
  TFD_EVENT_TRANSIENT_ERROR, /* counted or not: guard UNCOUNTED */
  TFD_EVENT_FATAL_ERROR,
  TFD_EVENT_REMOTE_FILE_CHANGED,
  TFD_EVENT_WORKER_LOST,
  TFD_EVENT_PART_MISSING, /* a finished temporary is not there any more */
  /* timers */
  TFD_EVENT_RETRY_DUE,
  TFD_EVENT_NO_PROGRESS,
  TFD_EVENT_MAXIMUM_DOWNLOAD_TIME,
  TFD_EVENT_INACTIVE,
  /* conditions */
  TFD_EVENT_NETWORK_LOST,
  TFD_EVENT_NETWORK_BACK,
  TFD_EVENT_BLOCKED, /* policy, cost, power, bandwidth zero */
  TFD_EVENT_UNBLOCKED,
  TFD_EVENT_OWNER_LOGGED_OFF,
  TFD_EVENT_OWNER_LOGGED_ON,
  TFD_EVENT_DESTINATION_BACK, /* a mount changed */
  TFD_EVENT_VALIDATION_FAILED,
  /* life of the service */
  TFD_EVENT_RESTARTED,
  TFD_EVENT_COMPLETE_FAILED, /* a rename failed: CommitFailed */
  TFD_EVENT_COMPLETED,       /* Complete has done all its work */
  TFD_EVENT_CANCELLED,       /* Cancel has */
  TFD_N_EVENTS,
} TfdEvent;

#define TFD_TYPE_EVENT (tfd_event_get_type ())
GType tfd_event_get_type (void); /* nicks like "resume", "last-file-done": event log, golden file */

/* What the table needs to know of the job besides its state. */
typedef enum
{
  TFD_GUARD_NONE = 0,
  TFD_GUARD_HAS_FILES = 1 << 0,
  TFD_GUARD_ALL_TRANSFERRED = 1 << 1, /* has files, every one transferred or completed */
  TFD_GUARD_EVENT_DRIVEN = 1 << 2,    /* its transient error waits for an event, not for a timer */
  TFD_GUARD_UNCOUNTED = 1 << 3,       /* the transient error of this event is not counted */
  TFD_GUARD_NO_RETRY = 1 << 4, /* NoProgressTimeout < MinimumRetryDelay: transient is fatal */
} TfdGuards;
#define TFD_ALL_GUARDS 0x1f

typedef enum
{
  TFD_VERDICT_OK,
  TFD_VERDICT_INVALID_STATE, /* refuse: InvalidState */
  TFD_VERDICT_EMPTY,         /* refuse: Empty */
  TFD_VERDICT_IGNORED,       /* an environment event that means nothing here */
} TfdVerdict;

typedef enum
{
  TFD_EFFECT_NONE = 0,
  TFD_EFFECT_MODIFIED = 1 << 0,  /* ModificationTime, inactivity starts anew */
  TFD_EFFECT_SCHEDULE = 1 << 1,  /* plan again */
  TFD_EFFECT_STOP_RUN = 1 << 2,  /* take the job from its worker, keep its bytes */
  TFD_EFFECT_SET_ERROR = 1 << 3, /* property Error = failure of the event */
  TFD_EFFECT_CLEAR_ERROR = 1 << 4,
  TFD_EFFECT_COUNT_ERROR = 1 << 5,
  TFD_EFFECT_ARM_RETRY = 1 << 6, /* next try after the retry delay */
  TFD_EFFECT_DISARM_RETRY = 1 << 7,
  TFD_EFFECT_TELL_TRANSFERRED = 1 << 8, /* JobTransferred, TransferCompletionTime */
  TFD_EFFECT_TELL_ERROR = 1 << 9,       /* JobError */
  TFD_EFFECT_RESET_TIMES = 1 << 10,     /* active time, no-progress time, back-off */
  TFD_EFFECT_BEGIN_COMPLETE = 1 << 11,
  TFD_EFFECT_BEGIN_CANCEL = 1 << 12,
  TFD_EFFECT_END = 1 << 13, /* the job is over: tombstone, JobRemoved */
} TfdEffects;

typedef struct
{
  TfdJobState next;
  TfdVerdict verdict;
  TfdEffects effects;
} TfdStep;

/* What @event means for a job of @type in @state. Total: every cell has an answer. */
TfdStep tfd_state_step (TfdJobType type, TfdJobState state, TfdEvent event, TfdGuards guards);

G_END_DECLS
