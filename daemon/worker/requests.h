/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Requests: those that look at or change files (Probe, ProbeSources, Verify, Finalize, Discard,
 * OpenPart, ReadPart, Attach, AttachAgain), answered from a thread, because any of them may wait
 * for a disk. */
#pragma once

#include <gio/gio.h>

#include "worker/attached.h"

G_BEGIN_DECLS

typedef struct _TfdRequests TfdRequests;

/* @changed is called whenever the number of pending requests has changed. */
TfdRequests *
tfd_requests_new (TfdAttached *attached, void (*changed) (gpointer user_data), gpointer user_data);
/* Waits for those that are pending. */
void tfd_requests_free (TfdRequests *self);

/* Takes @invocation of @method with @parameters, whose type is that of the interface. */
void tfd_requests_answer (TfdRequests *self,
                          const char *method,
                          GVariant *parameters,
                          GDBusMethodInvocation *invocation);

/* @job has ended: what is remembered of it, and was handed in for it, is let go. */
void tfd_requests_detach (TfdRequests *self, const char *job);

guint tfd_requests_get_pending (TfdRequests *self);

/* Answers by @error: TFD_ERROR goes by its full name. */
void tfd_requests_answer_error (GDBusMethodInvocation *invocation, const GError *error);

G_END_DECLS
