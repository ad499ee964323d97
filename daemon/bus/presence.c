/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Presence: has the service on the bus for as long as there is somebody or something to serve.
 *
 * When nobody and nothing has been there for a while it leaves, so that no call is lost: it gives
 * the name up; whoever calls from then on has the bus start the service anew, which waits until
 * this process has ended. Calls that the bus had handed over before that are answered as ever; and
 * if they made work, the service is started anew for it. */
#include "config.h"

#include "bus/presence.h"

#include "bus/bus-private.h"

#define BUS_NAME "org.freedesktop.DBus"
#define BUS_PATH "/org/freedesktop/DBus"

/* How often it is looked whether the last calls are answered. */
#define LOOK_MSEC 20

/* IdleTimeout=0: look now and then whether it is changed. */
#define LOOK_AGAIN (60 * (gint64) TFD_USEC_PER_SEC)

struct _TfdPresence
{
  TfdEngine *engine; /* (owned) */
  TfdClock *clock;   /* (not owned) of the engine */
  TfdPresenceOptions options;
  TfdPresenceFuncs funcs;
  gpointer data;
  TfdBus *bus; /* (owned) (nullable) until the bus is there */
  guint owner; /* of the name, 0 = given up */
  guint64 alarm;
  guint source;
  gint64 idle_since;         /* boot time */
  gboolean startable;        /* the bus knows how to start the service */
  GCancellable *cancellable; /* (owned) */
};

static void
end (TfdPresence *self, const char *failure)
{
  self->funcs.ended (failure, self->data);
}

static gboolean
is_idle (TfdPresence *self)
{
  return tfd_bus_is_idle (self->bus) && tfd_engine_is_idle (self->engine);
}

/* ---- leaving ---- */

static void own_name (TfdPresence *self);
static void check_cb (gpointer user_data);

static void
check_at (TfdPresence *self, gint64 time)
{
  tfd_clock_remove_alarm (self->clock, self->alarm);
  self->alarm = tfd_clock_add_alarm (self->clock, time, check_cb, self, NULL);
}

/* Somebody came in the last moment, and there is work for a successor. */
static void
call_successor (TfdPresence *self)
{
  g_autoptr (GDBusMessage) message =
      g_dbus_message_new_method_call (BUS_NAME, BUS_PATH, BUS_NAME, "StartServiceByName");

  /* its answer comes when the successor serves, which is after the end of this process */
  g_dbus_message_set_flags (message, G_DBUS_MESSAGE_FLAGS_NO_REPLY_EXPECTED);
  g_dbus_message_set_body (message, g_variant_new ("(su)", TFD_BUS_NAME, 0));
  g_dbus_connection_send_message (self->bus->connection, message, G_DBUS_SEND_MESSAGE_FLAGS_NONE,
                                  NULL, NULL);
}

static gboolean
last_calls_cb (gpointer user_data)
{
  TfdPresence *self = user_data;

  if (self->bus->calls > 0)
    return G_SOURCE_CONTINUE;
  self->source = 0;
  tfd_outbox_flush (tfd_engine_get_outbox (self->engine));
  if (is_idle (self))
    end (self, NULL);
  else if (self->startable)
    {
      call_successor (self);
      end (self, NULL);
    }
  else
    own_name (self);
  return G_SOURCE_REMOVE;
}

/* Everything that the bus had handed over when it took the name back has been dispatched. */
static gboolean
dispatched_cb (gpointer user_data)
{
  TfdPresence *self = user_data;

  self->source = 0;
  if (last_calls_cb (self) == G_SOURCE_CONTINUE)
    self->source = g_timeout_add (LOOK_MSEC, last_calls_cb, self);
  return G_SOURCE_REMOVE;
}

static void
leave (TfdPresence *self)
{
  tfd_debug (TFD_LOG_BUS, "nobody needs the service: it leaves the bus");
  self->funcs.leaving (self->data);
  /* this waits for the bus: calls that it sent before its answer are in our queue then */
  g_bus_unown_name (self->owner);
  self->owner = 0;
  self->source = g_idle_add_full (G_PRIORITY_LOW, dispatched_cb, self, NULL);
}

static void
check (TfdPresence *self)
{
  gint64 now = tfd_clock_now_boot (self->clock);
  gint64 timeout = (gint64) tfd_engine_get_config (self->engine)->idle_timeout;
  gint64 since = MAX (self->idle_since, self->bus->last_busy);

  if (timeout == 0)
    check_at (self, now + LOOK_AGAIN);
  else if (!is_idle (self))
    {
      self->idle_since = now;
      check_at (self, now + timeout);
    }
  else if (now < since + timeout)
    check_at (self, since + timeout);
  else
    leave (self);
}

static void
check_cb (gpointer user_data)
{
  TfdPresence *self = user_data;

  self->alarm = 0;
  check (self);
}

/* ---- coming ---- */

static void
activatable_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GVariant) answer =
      g_dbus_connection_call_finish (G_DBUS_CONNECTION (source), result, NULL);
  g_autofree const char **names = NULL;
  TfdPresence *self = user_data;

  if (answer == NULL)
    return; /* cancelled, or the bus is gone */
  g_variant_get (answer, "(^a&s)", &names);
  self->startable = g_strv_contains (names, TFD_BUS_NAME);
}

static void
bus_acquired_cb (GDBusConnection *connection, const char *name G_GNUC_UNUSED, gpointer user_data)
{
  TfdPresence *self = user_data;
  g_autoptr (GError) error = NULL;

  if (self->bus != NULL)
    return;
  self->bus = tfd_bus_new (connection, self->engine, self->options.authority,
                           self->options.only_uid, self->funcs.reload, self->data, &error);
  if (self->bus == NULL)
    {
      end (self, error->message);
      return;
    }
  g_dbus_connection_call (connection, BUS_NAME, BUS_PATH, BUS_NAME, "ListActivatableNames", NULL,
                          G_VARIANT_TYPE ("(as)"), G_DBUS_CALL_FLAGS_NONE, -1, self->cancellable,
                          activatable_cb, self);
}

static void
name_acquired_cb (GDBusConnection *connection G_GNUC_UNUSED,
                  const char *name G_GNUC_UNUSED,
                  gpointer user_data)
{
  TfdPresence *self = user_data;

  self->idle_since = tfd_clock_now_boot (self->clock);
  if (self->options.may_leave)
    check (self);
  self->funcs.ready (self->data);
}

/* Without the bus, or replaced on it, there is nobody to serve; a new bus starts anew. */
static void
name_lost_cb (GDBusConnection *connection, const char *name, gpointer user_data)
{
  g_autofree char *message =
      connection == NULL
          ? g_strdup ("there is no bus: is dbus-daemon running, and DBUS_SESSION_BUS_ADDRESS set?")
          : g_strdup_printf ("the name %s is taken, or not allowed by the policy of the bus", name);

  end (user_data, message);
}

static void
own_name (TfdPresence *self)
{
  self->owner = g_bus_own_name (self->options.bus_type, TFD_BUS_NAME, G_BUS_NAME_OWNER_FLAGS_NONE,
                                bus_acquired_cb, name_acquired_cb, name_lost_cb, self, NULL);
}

TfdPresence *
tfd_presence_new (TfdEngine *engine,
                  const TfdPresenceOptions *options,
                  const TfdPresenceFuncs *funcs,
                  gpointer data)
{
  TfdPresence *self = g_new0 (TfdPresence, 1);

  self->engine = g_object_ref (engine);
  self->clock = tfd_engine_get_clock (engine);
  self->options = *options;
  g_object_ref (self->options.authority);
  self->funcs = *funcs;
  self->data = data;
  self->cancellable = g_cancellable_new ();
  own_name (self);
  return self;
}

void
tfd_presence_reconfigure (TfdPresence *self)
{
  if (self->alarm == 0)
    return;
  tfd_clock_remove_alarm (self->clock, self->alarm);
  self->alarm = 0;
  check (self);
}

void
tfd_presence_free (TfdPresence *self)
{
  g_cancellable_cancel (self->cancellable);
  g_object_unref (self->cancellable);
  tfd_clock_remove_alarm (self->clock, self->alarm);
  g_clear_handle_id (&self->source, g_source_remove);
  tfd_outbox_flush (tfd_engine_get_outbox (self->engine));
  g_clear_handle_id (&self->owner, g_bus_unown_name);
  if (self->bus != NULL)
    g_dbus_connection_flush_sync (self->bus->connection, NULL, NULL);
  g_clear_pointer (&self->bus, tfd_bus_free);
  g_object_unref (self->options.authority);
  g_object_unref (self->engine);
  g_free (self);
}
