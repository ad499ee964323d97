/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Worker: one user's worker process as the daemon sees it: started on demand, asked, watched,
 * ended. Whatever it says is passed on only when its type is that of the interface. */
#pragma once

#include "base/config.h"
#include "engine/transport.h"

G_BEGIN_DECLS

typedef struct _TfdWorker TfdWorker;

/* What all workers share. Valid longer than any of them. */
typedef struct
{
  const char *program;     /* path of transferd-worker */
  const char *runtime_dir; /* of the locks */
  gboolean change_user;    /* become the user (system mode) or stay who we are (user mode) */
  const TfdConfig *config;
} TfdWorkerSetup;

/* @transport is told news, loss and being stuck, and is not referenced. */
TfdWorker *
tfd_worker_new (const TfdWorkerSetup *setup, TfdTransport *transport, const TfdOwner *owner);

/* Whether it was made for @owner by that name: a user id can be given to somebody else. */
gboolean tfd_worker_is_of (const TfdWorker *worker, const TfdOwner *owner);

/* TRUE while there is no process and nothing waits for one. */
gboolean tfd_worker_is_absent (TfdWorker *worker);

/* Kills the process, if there is one. */
void tfd_worker_free (TfdWorker *worker);

/* Sends a request, with @fds (nullable), as soon as there is a process; @task is returned what
 * tfd_transport_request_finish () takes. */
void tfd_worker_request (
    TfdWorker *worker, GTask *task, const char *method, GVariant *parameters, GUnixFDList *fds);

/* The configuration has changed. */
void tfd_worker_reconfigure (TfdWorker *worker);

G_END_DECLS
