/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Clock: the port through which the daemon learns the time and is woken up. The system clock
 * survives suspend and is deaf to changes of the wall clock; tests have one they move by hand. */
#pragma once

#include <glib-object.h>

G_BEGIN_DECLS

#define TFD_TYPE_CLOCK (tfd_clock_get_type ())
G_DECLARE_INTERFACE (TfdClock, tfd_clock, TFD, CLOCK, GObject)

/* Called once, from the main loop, when its alarm is due; the alarm is gone by then, so that the
 * callback may add the next one. */
typedef void (*TfdAlarmFunc) (gpointer user_data);

struct _TfdClockInterface
{
  GTypeInterface parent;

  gint64 (*now_boot) (TfdClock *self);
  gint64 (*now_real) (TfdClock *self);
  const char *(*boot_id) (TfdClock *self);
  gboolean (*is_synchronised) (TfdClock *self);
  guint64 (*add_alarm) (TfdClock *self,
                        gint64 boot_time,
                        TfdAlarmFunc func,
                        gpointer user_data,
                        GDestroyNotify destroy);
  void (*remove_alarm) (TfdClock *self, guint64 alarm);
};

/* Microseconds since the machine started, suspend included (CLOCK_BOOTTIME). Never 0. */
gint64 tfd_clock_now_boot (TfdClock *self);

/* Microseconds since the epoch; may jump in either direction. */
gint64 tfd_clock_now_real (TfdClock *self);

/* The kernel's id of this boot, 32 hexadecimal digits: which boot a value of now_boot () means. */
const char *tfd_clock_boot_id (TfdClock *self);

/* TRUE when the kernel says that now_real () follows a source of time (NTP): only then are its
 * differences over a reboot worth anything. */
gboolean tfd_clock_is_synchronised (TfdClock *self);

/* Calls @func once, from the main loop, when now_boot () has reached @boot_time (at once, but never
 * from inside this call, when it has already). Alarms go off in the order of their times, equal
 * ones in the order of addition. @destroy (nullable) frees @user_data after the alarm went off or
 * was removed. Returns an id, never 0. */
guint64 tfd_clock_add_alarm (TfdClock *self,
                             gint64 boot_time,
                             TfdAlarmFunc func,
                             gpointer user_data,
                             GDestroyNotify destroy);

/* Takes an alarm back. 0, and alarms that have gone off already, are ignored. */
void tfd_clock_remove_alarm (TfdClock *self, guint64 alarm);

#define TFD_TYPE_SYSTEM_CLOCK (tfd_system_clock_get_type ())
G_DECLARE_FINAL_TYPE (TfdSystemClock, tfd_system_clock, TFD, SYSTEM_CLOCK, GObject)

/* The clock of the machine: one timerfd in the thread-default main context of the caller, which
 * wakes nobody while no alarm is due. (transfer full); fails when the kernel gives no timerfd or no
 * boot id. */
TfdClock *tfd_system_clock_new (GError **error);

G_END_DECLS
