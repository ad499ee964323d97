/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Dispatch: a call whose turn it is: may it, must it wait, who handles it. */
#include "config.h"

#include "bus/bus-private.h"

static void
authority_changed_cb (TfdAuthority *authority G_GNUC_UNUSED, gpointer data)
{
  TfdBus *bus = data;

  bus->changes++;
  tfd_administrators_ask_again (bus);
}

TfdBus *
tfd_bus_new (GDBusConnection *connection,
             TfdEngine *engine,
             TfdAuthority *authority,
             guint32 only_uid,
             TfdReloadFunc reload,
             gpointer reload_data,
             GError **error)
{
  g_autoptr (TfdBus) bus = g_new0 (TfdBus, 1);

  bus->connection = g_object_ref (connection);
  bus->engine = g_object_ref (engine);
  bus->authority = g_object_ref (authority);
  bus->only_uid = only_uid;
  bus->reload = reload;
  bus->reload_data = reload_data;
  bus->peers =
      g_hash_table_new_full (g_str_hash, g_str_equal, NULL, (GDestroyNotify) tfd_peer_unref);
  tfd_authority_connect (authority, connection);
  bus->authority_changed =
      g_signal_connect (authority, "changed", G_CALLBACK (authority_changed_cb), bus);
  bus->emit = tfd_emit_new (bus);
  bus->turns = tfd_turns_new (bus);
  bus->traffic = tfd_traffic_new ();
  bus->guard = tfd_guard_add (connection, bus->traffic);
  return tfd_bus_register (bus, error) ? g_steal_pointer (&bus) : NULL;
}

void
tfd_bus_free (TfdBus *bus)
{
  /* replies to what is committed are on their way */
  g_dbus_connection_flush_sync (bus->connection, NULL, NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (bus->registrations); i++)
    if (bus->registrations[i] != 0)
      g_dbus_connection_unregister_subtree (bus->connection, bus->registrations[i]);
  g_dbus_connection_remove_filter (bus->connection, bus->guard);
  tfd_turns_end (bus->turns);
  tfd_peers_end (bus);
  tfd_emit_free (bus->emit);
  g_hash_table_unref (bus->peers);
  tfd_turns_free (bus->turns);
  tfd_traffic_unref (bus->traffic);
  g_object_unref (bus->engine);
  g_signal_handler_disconnect (bus->authority, bus->authority_changed);
  g_object_unref (bus->authority);
  g_object_unref (bus->connection);
  g_free (bus);
}

static const TfdMethod *
find_method (const TfdMethod *methods, const char *name)
{
  for (; methods->name != NULL; methods++)
    if (g_str_equal (methods->name, name))
      return methods;
  return NULL;
}

static void
decide_again_cb (TfdJob *job G_GNUC_UNUSED, gpointer data)
{
  TfdCall *call = *(TfdCall **) data;

  *(TfdCall **) data = NULL;
  /* an earlier call of the same client keeps the order: it is under way, or was put back, too */
  if ((call->peer->waiting > 0 || call->peer->put_back > 0) && !call->peer->gone)
    tfd_call_put_back (call);
  else
    tfd_bus_handle (call);
}

static void
drop_waiting (gpointer data)
{
  TfdCall **call = data;

  if (*call != NULL)
    tfd_call_free (*call);
  g_free (call);
}

/* While a Complete or Cancel works, whatever changes the job waits for its end, in order of
 * arrival. */
static gboolean
must_wait (TfdCall *call, gboolean mutates)
{
  TfdCall **waiting;

  if (!mutates || call->job == NULL || !tfd_engine_is_busy (call->bus->engine, call->job))
    return FALSE;
  waiting = g_new (TfdCall *, 1);
  *waiting = call;
  tfd_engine_when_free (call->bus->engine, call->job, decide_again_cb, waiting, drop_waiting);
  return TRUE;
}

static void
handle (TfdCall *call)
{
  const char *interface = g_dbus_method_invocation_get_interface_name (call->invocation);
  const char *name = g_dbus_method_invocation_get_method_name (call->invocation);
  GVariant *parameters = tfd_call_parameters (call);
  const TfdMethod *method;

  if (g_str_equal (interface, "org.freedesktop.DBus.Properties"))
    {
      if (!must_wait (call, g_str_equal (name, "Set")))
        tfd_properties_handle (call, name, parameters);
      return;
    }
  method = find_method (call->job != NULL ? tfd_job_methods () : tfd_manager_methods (), name);
  if (method == NULL)
    tfd_call_fail_code (call, TFD_ERROR_NOT_SUPPORTED, "‘%s’ is not supported by this version",
                        name);
  else if (!must_wait (call, method->mutates))
    method->handle (call, parameters);
}

static void
authorized_cb (TfdCall *call, GError *error)
{
  if (error != NULL)
    tfd_call_fail (call, error);
  else
    tfd_bus_handle (call);
}

static gboolean
is_foreign (TfdCall *call)
{
  const char *path = g_dbus_method_invocation_get_object_path (call->invocation);

  return !g_str_equal (path, TFD_MANAGER_PATH) && !tfd_access_is_own (call, path);
}

void
tfd_bus_handle (TfdCall *call)
{
  TfdOutbox *outbox = tfd_engine_get_outbox (call->bus->engine);
  const char *action = NULL;
  GError *error;

  if (tfd_caller_look_first (call))
    return;
  g_clear_pointer (&call->job, tfd_job_unref);
  error = tfd_access_check (call, &action);
  if (error != NULL)
    tfd_call_fail (call, error);
  else if (action != NULL)
    tfd_call_authorize (call, action, NULL,
                        is_foreign (call) ? tfd_access_foreign_cb : authorized_cb);
  else
    handle (call);
  tfd_outbox_count_call (outbox);
}
