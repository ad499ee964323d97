/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Sleep: has running transfers save what they have before the machine sleeps. */
#include "config.h"

#include "platform/sleep.h"

#include "base/log.h"

#include <gio/gunixfdlist.h>
#include <unistd.h>

#define LOGIND_NAME "org.freedesktop.login1"
#define LOGIND_PATH "/org/freedesktop/login1"
#define MANAGER_INTERFACE "org.freedesktop.login1.Manager"

/* logind waits five seconds, unless it was told otherwise, and then sleeps all the same. */
#define HOLD_MS 4000

struct _TfdSleep
{
  TfdEngine *engine;
  guint watch;
  GDBusConnection *bus;      /* (owned) (nullable) while logind is there */
  guint signal;              /* subscription */
  GCancellable *cancellable; /* (owned) (nullable) of the call to this logind */
  gboolean going;            /* to sleep, or asleep */
  guint round;               /* counts how often */
  int inhibitor;             /* -1: none */
  guint limit;
};

/* The engine is asked to save on one such occasion. */
typedef struct
{
  TfdSleep *self; /* (owned) a reference */
  guint round;
} Checkpoint;

static void
release (TfdSleep *self)
{
  g_clear_handle_id (&self->limit, g_source_remove);
  if (self->inhibitor < 0)
    return;
  close (self->inhibitor);
  self->inhibitor = -1;
}

static void
taken_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  TfdSleep *self = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GUnixFDList) descriptors = NULL;
  g_autoptr (GVariant) reply = g_dbus_connection_call_with_unix_fd_list_finish (
      G_DBUS_CONNECTION (source), &descriptors, result, &error);
  gint32 index;

  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return;
  if (reply != NULL && descriptors != NULL)
    {
      g_variant_get (reply, "(h)", &index);
      release (self);
      self->inhibitor = g_unix_fd_list_get (descriptors, index, &error);
    }
  if (error != NULL)
    tfd_message ("sleep will not wait until transfers have saved what they have: %s",
                 error->message);
  /* too late: whoever asks now would only delay */
  if (self->going)
    release (self);
}

static void
take (TfdSleep *self)
{
  g_dbus_connection_call_with_unix_fd_list (
      self->bus, LOGIND_NAME, LOGIND_PATH, MANAGER_INTERFACE, "Inhibit",
      g_variant_new ("(ssss)", "sleep", "transferd", "Running transfers save what they have",
                     "delay"),
      G_VARIANT_TYPE ("(h)"), G_DBUS_CALL_FLAGS_NO_AUTO_START, -1, NULL, self->cancellable,
      taken_cb, self);
}

static void
clear_sleep (gpointer data)
{
  TfdSleep *self = data;

  release (self);
}

static void
checkpointed_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autofree Checkpoint *checkpoint = user_data;
  TfdSleep *self = checkpoint->self;
  g_autoptr (GError) error = NULL;

  if (!tfd_engine_checkpoint_finish (TFD_ENGINE (source), result, &error))
    tfd_warning ("not all transfers have saved what they have: %s", error->message);
  if (self->going && self->round == checkpoint->round)
    release (self);
  g_rc_box_release_full (self, clear_sleep);
}

static gboolean
limit_cb (gpointer user_data)
{
  TfdSleep *self = user_data;

  self->limit = 0;
  tfd_message ("the machine sleeps before all transfers have saved what they have");
  release (self);
  return G_SOURCE_REMOVE;
}

static void
go_to_sleep (TfdSleep *self)
{
  Checkpoint *checkpoint = g_new (Checkpoint, 1);

  self->going = TRUE;
  self->round++;
  *checkpoint = (Checkpoint){ g_rc_box_acquire (self), self->round };
  if (self->limit == 0)
    self->limit = g_timeout_add (HOLD_MS, limit_cb, self);
  tfd_engine_checkpoint_async (self->engine, checkpointed_cb, checkpoint);
}

static void
prepare_cb (GDBusConnection *connection G_GNUC_UNUSED,
            const char *sender G_GNUC_UNUSED,
            const char *path G_GNUC_UNUSED,
            const char *interface G_GNUC_UNUSED,
            const char *name G_GNUC_UNUSED,
            GVariant *parameters,
            gpointer user_data)
{
  TfdSleep *self = user_data;
  gboolean begins;

  if (!g_variant_is_of_type (parameters, G_VARIANT_TYPE ("(b)")))
    return;
  g_variant_get (parameters, "(b)", &begins);
  tfd_debug (TFD_LOG_PLAN, "sleep: the machine %s", begins ? "is about to sleep" : "has woken up");
  if (begins)
    {
      go_to_sleep (self);
      return;
    }
  self->going = FALSE;
  release (self);
  take (self);
}

static void
forget_logind (TfdSleep *self)
{
  if (self->bus != NULL)
    g_dbus_connection_signal_unsubscribe (self->bus, self->signal);
  if (self->cancellable != NULL)
    g_cancellable_cancel (self->cancellable);
  g_clear_object (&self->cancellable);
  g_clear_object (&self->bus);
  self->going = FALSE;
  release (self);
}

static void
appeared_cb (GDBusConnection *connection,
             const char *name G_GNUC_UNUSED,
             const char *owner G_GNUC_UNUSED,
             gpointer user_data)
{
  TfdSleep *self = user_data;

  forget_logind (self);
  self->bus = g_object_ref (connection);
  self->cancellable = g_cancellable_new ();
  self->signal = g_dbus_connection_signal_subscribe (
      connection, LOGIND_NAME, MANAGER_INTERFACE, "PrepareForSleep", LOGIND_PATH, NULL,
      G_DBUS_SIGNAL_FLAGS_NONE, prepare_cb, self, NULL);
  take (self);
}

static void
vanished_cb (GDBusConnection *connection G_GNUC_UNUSED,
             const char *name G_GNUC_UNUSED,
             gpointer user_data)
{
  forget_logind (user_data);
}

TfdSleep *
tfd_sleep_watch (TfdEngine *engine)
{
  TfdSleep *self = g_rc_box_new0 (TfdSleep);

  self->engine = engine;
  self->inhibitor = -1;
  self->watch = g_bus_watch_name (G_BUS_TYPE_SYSTEM, LOGIND_NAME, G_BUS_NAME_WATCHER_FLAGS_NONE,
                                  appeared_cb, vanished_cb, self, NULL);
  return self;
}

void
tfd_sleep_free (TfdSleep *self)
{
  g_bus_unwatch_name (self->watch);
  forget_logind (self);
  g_rc_box_release_full (self, clear_sleep);
}
