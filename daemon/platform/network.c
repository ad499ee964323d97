/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Network: whether there is one, and whether it costs by volume. Never makes a connection. */
#include "config.h"

#include "platform/network.h"

#include "base/log.h"

/* Changing from one access point to the next, or renewing a lease, is not being offline. */
#define LOST_MS 5000

struct _TfdNetwork
{
  TfdEngine *engine;
  GNetworkMonitor *monitor; /* (owned) */
  gboolean online;          /* as the engine knows it */
  guint lost;               /* runs while the monitor says offline and the engine does not know */
};

/* Behind a captive portal every download is the portal's login page. */
static gboolean
is_online (GNetworkMonitor *monitor)
{
  GNetworkConnectivity connectivity = g_network_monitor_get_connectivity (monitor);

  return g_network_monitor_get_network_available (monitor) &&
         connectivity != G_NETWORK_CONNECTIVITY_LOCAL &&
         connectivity != G_NETWORK_CONNECTIVITY_PORTAL;
}

static void
tell (TfdNetwork *self, gboolean online)
{
  gboolean metered = g_network_monitor_get_network_metered (self->monitor);

  g_clear_handle_id (&self->lost, g_source_remove);
  self->online = online;
  tfd_debug (TFD_LOG_PLAN, "network: %s%s", online ? "online" : "offline",
             metered ? ", metered" : "");
  tfd_engine_set_network (self->engine, online, metered);
}

static gboolean
lost_cb (gpointer user_data)
{
  TfdNetwork *self = user_data;

  self->lost = 0;
  tell (self, FALSE);
  return G_SOURCE_REMOVE;
}

static void
changed_cb (GNetworkMonitor *monitor, GParamSpec *property G_GNUC_UNUSED, TfdNetwork *self)
{
  gboolean online = is_online (monitor);

  if (online || !self->online)
    tell (self, online);
  else if (self->lost == 0)
    self->lost = g_timeout_add (LOST_MS, lost_cb, self);
}

TfdNetwork *
tfd_network_watch (TfdEngine *engine)
{
  TfdNetwork *self = g_new0 (TfdNetwork, 1);

  self->engine = engine;
  self->monitor = g_object_ref (g_network_monitor_get_default ());
  g_signal_connect (self->monitor, "notify::network-available", G_CALLBACK (changed_cb), self);
  g_signal_connect (self->monitor, "notify::network-metered", G_CALLBACK (changed_cb), self);
  g_signal_connect (self->monitor, "notify::connectivity", G_CALLBACK (changed_cb), self);
  tell (self, is_online (self->monitor));
  return self;
}

void
tfd_network_free (TfdNetwork *self)
{
  g_clear_handle_id (&self->lost, g_source_remove);
  g_signal_handlers_disconnect_by_data (self->monitor, self);
  g_object_unref (self->monitor);
  g_free (self);
}
