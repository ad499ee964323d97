/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Alarms: the queue inside a clock, in the order in which alarms go off. Knows no time itself. */
#pragma once

#include "base/clock.h"

G_BEGIN_DECLS

typedef struct _TfdAlarms TfdAlarms;

TfdAlarms *tfd_alarms_new (void);

/* Frees the queue and, with their destroy functions, the alarms still in it. */
void tfd_alarms_free (TfdAlarms *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TfdAlarms, tfd_alarms_free)

/* Adds an alarm; the arguments and the id are those of tfd_clock_add_alarm (). */
guint64 tfd_alarms_add (
    TfdAlarms *self, gint64 time, TfdAlarmFunc func, gpointer user_data, GDestroyNotify destroy);
void tfd_alarms_remove (TfdAlarms *self, guint64 alarm);

guint tfd_alarms_count (TfdAlarms *self);

/* The time of the first alarm, or G_MAXINT64 when there is none. */
gint64 tfd_alarms_next (TfdAlarms *self);

/* The id that the next alarm will get. */
guint64 tfd_alarms_next_id (TfdAlarms *self);

/* Takes the first alarm that is due at @now and older than id @before out of the queue and calls
 * it; FALSE when there is none. */
gboolean tfd_alarms_fire_one (TfdAlarms *self, gint64 now, guint64 before);

G_END_DECLS
