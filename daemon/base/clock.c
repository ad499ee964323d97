/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Clock: the port itself; its implementations are elsewhere. */
#include "base/clock.h"

G_DEFINE_INTERFACE (TfdClock, tfd_clock, G_TYPE_OBJECT)

static void
tfd_clock_default_init (TfdClockInterface *iface G_GNUC_UNUSED)
{
}

gint64
tfd_clock_now_boot (TfdClock *self)
{
  g_return_val_if_fail (TFD_IS_CLOCK (self), 0);

  return TFD_CLOCK_GET_IFACE (self)->now_boot (self);
}

gint64
tfd_clock_now_real (TfdClock *self)
{
  g_return_val_if_fail (TFD_IS_CLOCK (self), 0);

  return TFD_CLOCK_GET_IFACE (self)->now_real (self);
}

const char *
tfd_clock_boot_id (TfdClock *self)
{
  g_return_val_if_fail (TFD_IS_CLOCK (self), NULL);

  return TFD_CLOCK_GET_IFACE (self)->boot_id (self);
}

gboolean
tfd_clock_is_synchronised (TfdClock *self)
{
  g_return_val_if_fail (TFD_IS_CLOCK (self), FALSE);

  return TFD_CLOCK_GET_IFACE (self)->is_synchronised (self);
}

guint64
tfd_clock_add_alarm (
    TfdClock *self, gint64 boot_time, TfdAlarmFunc func, gpointer user_data, GDestroyNotify destroy)
{
  g_return_val_if_fail (TFD_IS_CLOCK (self), 0);
  g_return_val_if_fail (func != NULL, 0);

  return TFD_CLOCK_GET_IFACE (self)->add_alarm (self, boot_time, func, user_data, destroy);
}

void
tfd_clock_remove_alarm (TfdClock *self, guint64 alarm)
{
  g_return_if_fail (TFD_IS_CLOCK (self));

  if (alarm != 0)
    TFD_CLOCK_GET_IFACE (self)->remove_alarm (self, alarm);
}
