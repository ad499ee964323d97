/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Sessions: who is logged on, as systemd-logind tells.
 *
 * The state of a user changes without a signal of its own (logind declares it so), but hardly
 * without any signal of logind. So each of them is a reason to look again at all users, a moment
 * later, as they come in groups. Only that the services of somebody who lingers are up is told by
 * no signal at all: as long as a user's are being started, it is looked again and again.
 *
 * Before logind has answered nobody knows, and those who want their owner logged on wait. It is
 * started when it is not there; where that fails nobody will ever tell, and nobody waits. When it
 * goes it is most often back in a moment, and what it has said counts that long. */
#include "config.h"

#include "platform/sessions.h"

#include "base/log.h"

#define LOGIND_NAME "org.freedesktop.login1"
#define LOGIND_PATH "/org/freedesktop/login1"
#define MANAGER_INTERFACE "org.freedesktop.login1.Manager"
#define USER_INTERFACE "org.freedesktop.login1.User"
#define PROPERTIES_INTERFACE "org.freedesktop.DBus.Properties"

#define SETTLE_MS 100
#define OPENING_MS 1000
#define CALL_MS 10000
#define AWAY_MS 5000

struct _TfdSessions
{
  TfdEngine *engine;
  guint watch;
  GDBusConnection *bus;      /* (owned) (nullable) while logind is there */
  guint signals[2];          /* subscriptions */
  GCancellable *cancellable; /* (owned) (nullable) of the calls to this logind */
  guint settle;
  guint away;           /* how long logind may be away */
  TfdLogOns log_ons;    /* as the engine knows it */
  gboolean opening;     /* somebody's state is about to change */
  GHashTable *told;     /* (owned) uid → TfdSession, as the engine knows it */
  GHashTable *answered; /* (owned) (nullable) the same, being gathered */
  guint pending;        /* answers that are missing */
  gboolean again;       /* there was a reason to look meanwhile */
};

/* A question about one user. */
typedef struct
{
  TfdSessions *self;
  guint32 uid;
} Question;

static void look_later (TfdSessions *self, guint msec);

static TfdSession
session_of (const char *state)
{
  if (g_str_equal (state, "active") || g_str_equal (state, "online"))
    return TFD_SESSION_ACTIVE;
  if (g_str_equal (state, "lingering"))
    return TFD_SESSION_LINGERING;
  return TFD_SESSION_NONE; /* offline, opening, closing */
}

static void
tell (TfdSessions *self, gpointer uid, TfdSession session)
{
  static const char *const names[] = { "not logged on", "lingering", "logged on" };

  tfd_debug (TFD_LOG_PLAN, "sessions: user %u is %s", GPOINTER_TO_UINT (uid), names[session]);
  tfd_engine_set_session (self->engine, GPOINTER_TO_UINT (uid), session);
}

/* Tells the engine what is different from what it knows. */
static void
tell_all (TfdSessions *self, GHashTable *now)
{
  GHashTableIter iter;
  gpointer uid, session;

  g_hash_table_iter_init (&iter, self->told);
  while (g_hash_table_iter_next (&iter, &uid, &session))
    if (!g_hash_table_contains (now, uid) && GPOINTER_TO_INT (session) != TFD_SESSION_NONE)
      tell (self, uid, TFD_SESSION_NONE);
  g_hash_table_iter_init (&iter, now);
  while (g_hash_table_iter_next (&iter, &uid, &session))
    if (g_hash_table_lookup (self->told, uid) != session)
      tell (self, uid, GPOINTER_TO_INT (session));
  g_hash_table_unref (self->told);
  self->told = g_hash_table_ref (now);
}

static void
set_log_ons (TfdSessions *self, TfdLogOns log_ons)
{
  if (self->log_ons == log_ons)
    return;
  self->log_ons = log_ons;
  if (log_ons == TFD_LOG_ONS_UNTOLD)
    tfd_message ("nobody tells who is logged on: no job waits for its owner to be");
  tfd_engine_set_log_ons (self->engine, log_ons);
}

static void
answer_came (TfdSessions *self)
{
  g_autoptr (GHashTable) answered = NULL;

  if (--self->pending > 0)
    return;
  answered = g_steal_pointer (&self->answered);
  tell_all (self, answered);
  set_log_ons (self, TFD_LOG_ONS_KNOWN);
  if (self->again)
    look_later (self, SETTLE_MS);
  else if (self->opening)
    look_later (self, OPENING_MS);
}

static void
state_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autofree Question *question = user_data;
  TfdSessions *self = question->self;
  const char *state;
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) value = NULL;
  g_autoptr (GVariant) reply =
      g_dbus_connection_call_finish (G_DBUS_CONNECTION (source), result, &error);

  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return; /* self may be gone */
  if (reply != NULL)
    g_variant_get (reply, "(v)", &value);
  /* an error: the user went while we asked */
  if (value != NULL && g_variant_is_of_type (value, G_VARIANT_TYPE_STRING))
    {
      state = g_variant_get_string (value, NULL);
      self->opening |= g_str_equal (state, "opening");
      g_hash_table_insert (self->answered, GUINT_TO_POINTER (question->uid),
                           GINT_TO_POINTER (session_of (state)));
    }
  answer_came (self);
}

static void
ask_state (TfdSessions *self, guint32 uid, const char *path)
{
  Question *question = g_new (Question, 1);

  *question = (Question){ self, uid };
  self->pending++;
  g_dbus_connection_call (self->bus, LOGIND_NAME, path, PROPERTIES_INTERFACE, "Get",
                          g_variant_new ("(ss)", USER_INTERFACE, "State"), G_VARIANT_TYPE ("(v)"),
                          G_DBUS_CALL_FLAGS_NO_AUTO_START, CALL_MS, self->cancellable, state_cb,
                          question);
}

static void
users_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  TfdSessions *self = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariantIter) users = NULL;
  const char *name, *path;
  guint32 uid;
  g_autoptr (GVariant) reply =
      g_dbus_connection_call_finish (G_DBUS_CONNECTION (source), result, &error);

  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return;
  if (reply == NULL)
    {
      tfd_warning ("systemd-logind does not tell who is logged on: %s", error->message);
      self->pending = 0;
      g_clear_pointer (&self->answered, g_hash_table_unref);
      if (self->log_ons == TFD_LOG_ONS_NOT_YET)
        set_log_ons (self, TFD_LOG_ONS_UNTOLD);
      return;
    }
  g_variant_get (reply, "(a(uso))", &users);
  while (g_variant_iter_next (users, "(u&s&o)", &uid, &name, &path))
    ask_state (self, uid, path);
  answer_came (self);
}

static gboolean
look_cb (gpointer user_data)
{
  TfdSessions *self = user_data;

  self->settle = 0;
  self->again = self->pending > 0;
  if (self->again)
    return G_SOURCE_REMOVE;
  self->answered = g_hash_table_new (NULL, NULL);
  self->opening = FALSE;
  self->pending = 1;
  g_dbus_connection_call (self->bus, LOGIND_NAME, LOGIND_PATH, MANAGER_INTERFACE, "ListUsers", NULL,
                          G_VARIANT_TYPE ("(a(uso))"), G_DBUS_CALL_FLAGS_NO_AUTO_START, CALL_MS,
                          self->cancellable, users_cb, self);
  return G_SOURCE_REMOVE;
}

static void
look_later (TfdSessions *self, guint msec)
{
  g_clear_handle_id (&self->settle, g_source_remove);
  self->settle = g_timeout_add (msec, look_cb, self);
}

static void
signal_cb (GDBusConnection *connection G_GNUC_UNUSED,
           const char *sender G_GNUC_UNUSED,
           const char *path G_GNUC_UNUSED,
           const char *interface G_GNUC_UNUSED,
           const char *name G_GNUC_UNUSED,
           GVariant *parameters G_GNUC_UNUSED,
           gpointer user_data)
{
  TfdSessions *self = user_data;

  /* not from the beginning again for each signal of many */
  if (self->settle != 0 && !self->opening)
    return;
  self->opening = FALSE;
  look_later (self, SETTLE_MS);
}

static void
forget_logind (TfdSessions *self)
{
  for (gsize i = 0; i < G_N_ELEMENTS (self->signals) && self->bus != NULL; i++)
    g_dbus_connection_signal_unsubscribe (self->bus, self->signals[i]);
  if (self->cancellable != NULL)
    g_cancellable_cancel (self->cancellable);
  g_clear_object (&self->cancellable);
  g_clear_object (&self->bus);
  g_clear_handle_id (&self->settle, g_source_remove);
  g_clear_pointer (&self->answered, g_hash_table_unref);
  g_clear_handle_id (&self->away, g_source_remove);
  self->pending = 0;
  self->again = FALSE;
  self->opening = FALSE;
}

static void
appeared_cb (GDBusConnection *connection,
             const char *name G_GNUC_UNUSED,
             const char *owner G_GNUC_UNUSED,
             gpointer user_data)
{
  static const char *const interfaces[] = { MANAGER_INTERFACE, PROPERTIES_INTERFACE };
  TfdSessions *self = user_data;

  forget_logind (self);
  self->bus = g_object_ref (connection);
  self->cancellable = g_cancellable_new ();
  for (gsize i = 0; i < G_N_ELEMENTS (self->signals); i++)
    self->signals[i] =
        g_dbus_connection_signal_subscribe (connection, LOGIND_NAME, interfaces[i], NULL, NULL,
                                            NULL, G_DBUS_SIGNAL_FLAGS_NONE, signal_cb, self, NULL);
  look_cb (self);
}

static gboolean
away_cb (gpointer user_data)
{
  TfdSessions *self = user_data;

  self->away = 0;
  set_log_ons (self, TFD_LOG_ONS_UNTOLD);
  return G_SOURCE_REMOVE;
}

static void
vanished_cb (GDBusConnection *connection G_GNUC_UNUSED,
             const char *name G_GNUC_UNUSED,
             gpointer user_data)
{
  TfdSessions *self = user_data;

  forget_logind (self);
  if (self->log_ons == TFD_LOG_ONS_NOT_YET)
    set_log_ons (self, TFD_LOG_ONS_UNTOLD); /* it could not be started either */
  else
    self->away = g_timeout_add (AWAY_MS, away_cb, self);
}

TfdSessions *
tfd_sessions_watch (TfdEngine *engine)
{
  TfdSessions *self = g_new0 (TfdSessions, 1);

  self->engine = engine;
  self->told = g_hash_table_new (NULL, NULL);
  self->watch =
      g_bus_watch_name (G_BUS_TYPE_SYSTEM, LOGIND_NAME, G_BUS_NAME_WATCHER_FLAGS_AUTO_START,
                        appeared_cb, vanished_cb, self, NULL);
  return self;
}

void
tfd_sessions_free (TfdSessions *self)
{
  g_bus_unwatch_name (self->watch);
  forget_logind (self);
  g_hash_table_unref (self->told);
  g_free (self);
}
