/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Worker, inside: what the process and its requests share. */
#pragma once

#include "base/log.h"
#include "common/names.h"
#include "platform/intake.h"
#include "platform/spawn.h"
#include "platform/worker.h"

G_BEGIN_DECLS

/* After its connection was closed a process ends by itself within this time, or is killed. */
#define TFD_WORKER_GRACE_MS 5000

typedef enum
{
  TFD_WORKER_ABSENT,     /* no process; nothing is under way */
  TFD_WORKER_LOOKING_UP, /* who the user is */
  TFD_WORKER_STUCK,      /* an earlier process holds the lock */
  TFD_WORKER_CONNECTING, /* the process runs, authentication is under way */
  TFD_WORKER_READY,
  TFD_WORKER_ENDING, /* closed or killed, not ended */
} TfdWorkerPhase;

typedef struct
{
  TfdWorker *worker;
  GTask *task; /* (owned) */
  char *method;
  GVariant *parameters; /* (owned) */
  GUnixFDList *fds;     /* (owned) (nullable) until it is sent */
  guint64 run;          /* of Start and Stop */
  guint timeout;        /* source of Stop and Probe */
  gboolean answered;    /* the task has returned: too late an answer is dropped */
} TfdWorkerRequest;

struct _TfdWorker
{
  const TfdWorkerSetup *setup;
  TfdTransport *transport; /* (not owned) */
  guint32 uid;
  char *owner_name;

  TfdWorkerPhase state;
  GQueue queue;                /* of TfdWorkerRequest: waiting for a process */
  GPtrArray *in_flight;        /* (owned) of (not owned) TfdWorkerRequest */
  GHashTable *runs;            /* (owned) set of run numbers that were started and not stopped */
  GHashTable *attached;        /* (owned) set of ids of jobs for which it keeps descriptors */
  TfdIdentity *identity;       /* (owned) (nullable) */
  GSubprocess *process;        /* (owned) (nullable) */
  GDBusConnection *connection; /* (owned) (nullable) */
  GCancellable *cancellable;   /* (owned) of the present process */
  guint timer;                 /* idle, stuck, grace: one at a time, by state */
  TfdIntake *intake;           /* (owned) (nullable) of the connection */
  guint heartbeat;
  guint subscription;
  gboolean orderly;   /* it was told to end: its end is no loss */
  gboolean was_ready; /* this process could be asked */
  gboolean stuck_told;
  gboolean freed;
  guint failed_starts; /* processes in a row that could not be asked anything */
  guint references;    /* callbacks under way */
};

/* ---- worker.c: the process ---- */
TfdWorker *tfd_worker_hold (TfdWorker *worker);
/* FALSE when the pool has let go of the worker: nothing may be touched any more. */
gboolean tfd_worker_release (TfdWorker *worker);
void tfd_worker_kill (TfdWorker *worker);
/* Carries the queue as far as the state allows: starts a process, or sends. */
void tfd_worker_pump (TfdWorker *worker);
/* One timer at a time, by state. */
void tfd_worker_set_timer (TfdWorker *worker, guint milliseconds, GSourceFunc func);
/* The process shall end by itself, which is no loss. */
void tfd_worker_close (TfdWorker *worker);

/* ---- version.c ---- */
/* The worker is ready when it is of our version, and is ended otherwise. */
void tfd_worker_ask_version (TfdWorker *worker);

/* ---- requests.c ---- */
void tfd_worker_send_queue (TfdWorker *worker);
void tfd_worker_fail_queue (TfdWorker *worker, const GError *error);
/* What was to be sent about runs means nothing to another process: the engine starts them anew. */
void tfd_worker_fail_run_requests (TfdWorker *worker, const GError *error);
/* The same because the worker was lost. */
void tfd_worker_lose_run_requests (TfdWorker *worker);
/* Watched while it has something to do, told to end when it had nothing to do for a while: an idle
 * service wakes nobody up. */
void tfd_worker_watch (TfdWorker *worker);

G_END_DECLS
