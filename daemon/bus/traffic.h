/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Traffic: how much callers may have under way. GDBus reads as fast as anybody sends and keeps what
 * it has read: whoever sends faster than calls can be handled would fill the memory of the service.
 * A call counts from the moment in which it is read until it is answered, or its client has gone.
 */
#pragma once

#include "common/error.h"

#include <gio/gio.h>

G_BEGIN_DECLS

typedef struct _TfdTraffic TfdTraffic;

TfdTraffic *tfd_traffic_new (void);
TfdTraffic *tfd_traffic_ref (TfdTraffic *self);
/* Calls that are under way hold it, too. */
void tfd_traffic_unref (TfdTraffic *self);

/* Counts @message until it is freed; from any thread. Fails with LIMITS_EXCEEDED. */
gboolean tfd_traffic_admit (TfdTraffic *self, GDBusMessage *message, GError **error);

/* The connection @sender is one of @uid, whose connections have a limit together, too. Fails with
 * LIMITS_EXCEEDED when @uid has too many of them. */
gboolean tfd_traffic_know (TfdTraffic *self, const char *sender, guint32 uid, GError **error);

/* The connection @sender has gone. */
void tfd_traffic_forget (TfdTraffic *self, const char *sender);

G_END_DECLS
