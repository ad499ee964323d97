/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Power: whether the machine saves power, and whether it runs on battery. */
#include "config.h"

#include "platform/power.h"

#include "base/log.h"

#define UPOWER_NAME "org.freedesktop.UPower"
#define UPOWER_PATH "/org/freedesktop/UPower"
#define UPOWER_INTERFACE "org.freedesktop.UPower"

struct _TfdPower
{
  TfdEngine *engine;
  GPowerProfileMonitor *monitor; /* (owned) */
  GDBusProxy *upower;            /* (owned) (nullable) until it is there */
  GCancellable *cancellable;     /* (owned) */
  gboolean saver, battery;       /* as the engine knows it */
};

/* FALSE when UPower does not run: its properties are then unknown. */
static gboolean
is_on_battery (TfdPower *self)
{
  g_autoptr (GVariant) value = NULL;

  if (self->upower != NULL)
    value = g_dbus_proxy_get_cached_property (self->upower, "OnBattery");
  return value != NULL && g_variant_is_of_type (value, G_VARIANT_TYPE_BOOLEAN) &&
         g_variant_get_boolean (value);
}

static void
look (TfdPower *self)
{
  gboolean saver = g_power_profile_monitor_get_power_saver_enabled (self->monitor);
  gboolean battery = is_on_battery (self);

  if (saver == self->saver && battery == self->battery)
    return;
  self->saver = saver;
  self->battery = battery;
  tfd_debug (TFD_LOG_PLAN, "power: saver %s, %s", saver ? "on" : "off",
             battery ? "on battery" : "on mains");
  tfd_engine_set_power (self->engine, saver, battery);
}

static void
upower_ready_cb (GObject *source G_GNUC_UNUSED, GAsyncResult *result, gpointer user_data)
{
  TfdPower *self = user_data;
  g_autoptr (GError) error = NULL;
  GDBusProxy *upower = g_dbus_proxy_new_for_bus_finish (result, &error);

  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return;
  if (upower == NULL)
    {
      tfd_debug (TFD_LOG_PLAN, "power: nobody tells about the battery: %s", error->message);
      return;
    }
  self->upower = upower;
  /* the properties are read before the owner of the name is announced */
  g_signal_connect_swapped (upower, "g-properties-changed", G_CALLBACK (look), self);
  g_signal_connect_swapped (upower, "notify::g-name-owner", G_CALLBACK (look), self);
  look (self);
}

TfdPower *
tfd_power_watch (TfdEngine *engine)
{
  TfdPower *self = g_new0 (TfdPower, 1);

  self->engine = engine;
  self->cancellable = g_cancellable_new ();
  self->monitor = g_power_profile_monitor_dup_default ();
  g_signal_connect_swapped (self->monitor, "notify::power-saver-enabled", G_CALLBACK (look), self);
  g_dbus_proxy_new_for_bus (G_BUS_TYPE_SYSTEM, G_DBUS_PROXY_FLAGS_DO_NOT_AUTO_START, NULL,
                            UPOWER_NAME, UPOWER_PATH, UPOWER_INTERFACE, self->cancellable,
                            upower_ready_cb, self);
  look (self);
  return self;
}

void
tfd_power_free (TfdPower *self)
{
  g_cancellable_cancel (self->cancellable);
  g_signal_handlers_disconnect_by_data (self->monitor, self);
  if (self->upower != NULL)
    g_signal_handlers_disconnect_by_data (self->upower, self);
  g_clear_object (&self->upower);
  g_object_unref (self->monitor);
  g_object_unref (self->cancellable);
  g_free (self);
}
