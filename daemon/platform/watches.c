/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Watches: those who tell the engine what the world is like. */
#include "config.h"

#include "platform/watches.h"

#include "platform/hours.h"
#include "platform/network.h"
#include "platform/power.h"
#include "platform/sessions.h"
#include "platform/sleep.h"

struct _TfdWatches
{
  TfdHours *hours;
  TfdNetwork *network;
  TfdPower *power;
  TfdSessions *sessions;
  TfdSleep *sleep;
};

static void
outlive_cb (GObject *source G_GNUC_UNUSED, GAsyncResult *result, gpointer user_data G_GNUC_UNUSED)
{
  g_autoptr (GDBusConnection) bus = g_bus_get_finish (result, NULL);

  /* everybody in this process shares this connection */
  if (bus != NULL)
    g_dbus_connection_set_exit_on_close (bus, FALSE);
}

TfdWatches *
tfd_watches_new (TfdEngine *engine, const TfdConfig *config, gboolean outlive_bus)
{
  TfdWatches *self = g_new0 (TfdWatches, 1);

  if (outlive_bus)
    g_bus_get (G_BUS_TYPE_SYSTEM, NULL, outlive_cb, NULL);
  self->hours = tfd_hours_watch (engine, config);
  self->network = tfd_network_watch (engine);
  self->power = tfd_power_watch (engine);
  self->sessions = tfd_sessions_watch (engine);
  self->sleep = tfd_sleep_watch (engine);
  return self;
}

void
tfd_watches_reload (TfdWatches *self)
{
  tfd_hours_reload (self->hours);
}

void
tfd_watches_free (TfdWatches *self)
{
  tfd_sleep_free (self->sleep);
  tfd_sessions_free (self->sessions);
  tfd_power_free (self->power);
  tfd_network_free (self->network);
  tfd_hours_free (self->hours);
  g_free (self);
}
