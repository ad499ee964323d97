/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Fake clock: time stands still until the test moves it. Dies in teardown when an alarm is left. */
#pragma once

#include "base/clock.h"

G_BEGIN_DECLS

#define TFD_TYPE_FAKE_CLOCK (tfd_fake_clock_get_type ())
G_DECLARE_FINAL_TYPE (TfdFakeClock, tfd_fake_clock, TFD, FAKE_CLOCK, GObject)

/* A clock that shows these times, both above 0. (transfer full) */
TfdFakeClock *tfd_fake_clock_new (gint64 boot_time, gint64 real_time);

/* Moves both times on by @span, stopping at each alarm to let it go off, in order; alarms that are
 * added by those, and due within @span, too. */
void tfd_fake_clock_advance (TfdFakeClock *self, gint64 span);

/* The machine sleeps for @span: both times move on, and what was due meanwhile goes off when the
 * clock is advanced next. */
void tfd_fake_clock_sleep (TfdFakeClock *self, gint64 span);

/* Moves on to the first alarm and lets it (and others of that time) go off; FALSE when there is
 * none. */
gboolean tfd_fake_clock_advance_to_alarm (TfdFakeClock *self);

/* Somebody set the wall clock: no alarm may go off by that. */
void tfd_fake_clock_set_real (TfdFakeClock *self, gint64 real_time);

/* Another boot: boot time starts at @boot_time, with another boot id; alarms must be gone. */
void tfd_fake_clock_reboot (TfdFakeClock *self, gint64 boot_time);

guint tfd_fake_clock_count_alarms (TfdFakeClock *self);

/* The boot time of the first alarm, or G_MAXINT64. */
gint64 tfd_fake_clock_next_alarm (TfdFakeClock *self);

/* Removes alarms without letting them go off, for a test about a crash. */
void tfd_fake_clock_forget_alarms (TfdFakeClock *self);

/* Whether the wall clock claims to be right; it does at first. */
void tfd_fake_clock_set_synchronised (TfdFakeClock *self, gboolean synchronised);

G_END_DECLS
