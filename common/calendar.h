/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Calendar: hours of the week, by the clock on the wall. Pure: time and time zone come in. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* A set of minutes of the week. */
typedef struct _TfdCalendar TfdCalendar;

/* Reads a list of hours, as "Mon..Fri 08:00-17:00, Sat,Sun 10:00-12:00, 22:00-06:00": days (none:
 * every day; a range may go over the end of the week), then from and to, hours and minutes from
 * 00:00 to 24:00. When "to" is not after "from" the hours end on the next day. An empty text is a
 * calendar that never blocks. Fails with G_CONVERT_ERROR_ILLEGAL_SEQUENCE and a message that quotes
 * what is wrong. (transfer full) */
TfdCalendar *tfd_calendar_parse (const char *text, GError **error);

TfdCalendar *tfd_calendar_copy (const TfdCalendar *self);
void tfd_calendar_free (TfdCalendar *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TfdCalendar, tfd_calendar_free)

gboolean tfd_calendar_equal (const TfdCalendar *a, const TfdCalendar *b);

/* Whether @real_time (µs since the epoch) is in the calendar, and in @until (nullable) when that
 * changes the next time; 0 when it never does. Hours that a change to summer time leaves out do not
 * occur, hours that it repeats occur twice, as the clock on the wall of @zone shows them. */
gboolean
tfd_calendar_is_blocked (const TfdCalendar *self, gint64 real_time, GTimeZone *zone, gint64 *until);

G_END_DECLS
