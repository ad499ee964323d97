/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Notify: tells the service manager about the life of the daemon. */
#include "base/notify.h"

#ifdef HAVE_LIBSYSTEMD

#include <systemd/sd-daemon.h>

static GSource *watchdog; /* (owned) (nullable) */

static gboolean
watchdog_cb (gpointer user_data G_GNUC_UNUSED)
{
  sd_notify (0, "WATCHDOG=1");
  return G_SOURCE_CONTINUE;
}

/* Answers twice as often as is asked for, as sd_watchdog_enabled(3) advises. */
static void
start_watchdog (void)
{
  guint64 interval = 0;

  if (watchdog != NULL || sd_watchdog_enabled (0, &interval) <= 0)
    return;

  g_autoptr (GMainContext) context = g_main_context_ref_thread_default ();
  watchdog = g_timeout_source_new ((guint) MIN (MAX (interval / 2000, 1), G_MAXUINT));
  g_source_set_callback (watchdog, watchdog_cb, NULL, NULL);
  g_source_attach (watchdog, context);
}

void
tfd_notify_ready (void)
{
  sd_notify (0, "READY=1");
  start_watchdog ();
}

void
tfd_notify_reloading (void)
{
  sd_notifyf (0, "RELOADING=1\nMONOTONIC_USEC=%" G_GINT64_FORMAT, g_get_monotonic_time ());
}

void
tfd_notify_stopping (void)
{
  sd_notify (0, "STOPPING=1");
  if (watchdog != NULL)
    g_source_destroy (watchdog);
  g_clear_pointer (&watchdog, g_source_unref);
}

#else

void
tfd_notify_ready (void)
{
}

void
tfd_notify_reloading (void)
{
}

void
tfd_notify_stopping (void)
{
}

#endif
