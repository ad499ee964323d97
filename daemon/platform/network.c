/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Network: whether there is one, and whether it costs by volume. */
#include "config.h"

#include "platform/network.h"

static void
network_changed_cb (GNetworkMonitor *monitor, gpointer unused G_GNUC_UNUSED, TfdEngine *engine)
{
  tfd_engine_set_network (engine, g_network_monitor_get_network_available (monitor),
                          g_network_monitor_get_network_metered (monitor));
}

void
tfd_network_watch (TfdEngine *engine)
{
  GNetworkMonitor *monitor = g_network_monitor_get_default ();

  g_signal_connect_object (monitor, "notify::network-available", G_CALLBACK (network_changed_cb),
                           engine, 0);
  g_signal_connect_object (monitor, "notify::network-metered", G_CALLBACK (network_changed_cb),
                           engine, 0);
  network_changed_cb (monitor, NULL, engine);
}
