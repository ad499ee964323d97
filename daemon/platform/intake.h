/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Intake: how much one worker may say before it is heard. GDBus reads as fast as anybody sends and
 * keeps what it has read; whoever replaces their worker could fill the memory of the service. */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

typedef struct _TfdIntake TfdIntake;

/* Watches @connection: only news of the worker interface and answers come through. (transfer full)
 */
TfdIntake *tfd_intake_new (GDBusConnection *connection);

/* The connection may go on without us. */
void tfd_intake_free (TfdIntake *self);

/* News with @parameters was handled. FALSE when more had come than could be kept: some is lost. */
gboolean tfd_intake_handled (TfdIntake *self, GVariant *parameters);

G_END_DECLS
