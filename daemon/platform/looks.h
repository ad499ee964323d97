/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Looks: has short-lived processes of a user look at the user's other processes. Not the worker:
 * that is confined and cannot, it may be stuck, and it must not wait for what a hostile program has
 * put in the way of whoever looks. */
#pragma once

#include "platform/worker.h"

G_BEGIN_DECLS

typedef struct _TfdLooks TfdLooks;

TfdLooks *tfd_looks_new (const TfdWorkerSetup *setup);
/* Looks under way fail. */
void tfd_looks_free (TfdLooks *looks);

/* Answers the request "LookAt" with @parameters: @task is returned what
 * tfd_transport_request_finish () takes. */
void tfd_looks_request (TfdLooks *looks, const TfdOwner *owner, GTask *task, GVariant *parameters);

G_END_DECLS
