/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Caller: which user and which process a connection is of, asked of the bus; and before its first
 * call that concerns jobs, whether that process is in a sandbox. Both once for each connection. */
#include "config.h"

#include "base/identity.h"
#include "bus/bus-private.h"
#include "common/sandbox-id.h"

#include <poll.h>
#include <unistd.h>

typedef struct
{
  TfdPeer *peer; /* (owned) */
  TfdIdentifiedFunc func;
} Question;

/* ---- who it is ---- */

static void
answer (Question *question, const GError *error)
{
  TfdPeer *peer = question->peer;

  /* root owns whatever it wants to: there is nothing to find out */
  peer->looked = error == NULL && peer->uid == 0;
  if (!peer->gone)
    question->func (peer, error);
  tfd_peer_unref (peer);
  g_free (question);
}

static void
unix_user_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Question *question = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) uid =
      g_dbus_connection_call_finish (G_DBUS_CONNECTION (source), result, &error);

  if (uid != NULL)
    g_variant_get (uid, "(u)", &question->peer->uid);
  answer (question, error);
}

static void
ask_bus (Question *question, const char *method, GAsyncReadyCallback callback)
{
  TfdPeer *peer = question->peer;

  g_dbus_connection_call_with_unix_fd_list (
      peer->bus->connection, "org.freedesktop.DBus", "/org/freedesktop/DBus",
      "org.freedesktop.DBus", method, g_variant_new ("(s)", peer->name), NULL,
      G_DBUS_CALL_FLAGS_NONE, -1, NULL, NULL, callback, question);
}

/* The label is that of the socket's other end when it was connected: nothing has to be looked at.
 */
static void
read_label (TfdPeer *peer, GVariant *credentials)
{
  g_autoptr (GVariant) label =
      g_variant_lookup_value (credentials, "LinuxSecurityLabel", G_VARIANT_TYPE_BYTESTRING);

  if (label != NULL)
    peer->labelled = tfd_sandbox_id_from_label (g_variant_get_bytestring (label));
}

static void
credentials_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Question *question = user_data;
  TfdPeer *peer = question->peer;
  g_autoptr (GUnixFDList) fds = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) reply = g_dbus_connection_call_with_unix_fd_list_finish (
      G_DBUS_CONNECTION (source), &fds, result, &error);
  g_autoptr (GVariant) credentials = NULL;
  gint32 handle;

  if (reply == NULL && !g_error_matches (error, G_DBUS_ERROR, G_DBUS_ERROR_UNKNOWN_METHOD))
    {
      answer (question, error);
      return;
    }
  if (reply != NULL && g_variant_is_of_type (reply, G_VARIANT_TYPE ("(a{sv})")))
    credentials = g_variant_get_child_value (reply, 0);
  if (credentials == NULL || !g_variant_lookup (credentials, "UnixUserID", "u", &peer->uid))
    {
      /* a bus that knows no more than that */
      ask_bus (question, "GetConnectionUnixUser", unix_user_cb);
      return;
    }
  g_variant_lookup (credentials, "ProcessID", "u", &peer->pid);
  read_label (peer, credentials);
  if (fds != NULL && g_variant_lookup (credentials, "ProcessFD", "h", &handle))
    peer->process = g_unix_fd_list_get (fds, handle, NULL);
  answer (question, NULL);
}

void
tfd_caller_forget (TfdPeer *peer)
{
  if (peer->process >= 0)
    close (peer->process);
  peer->process = -1;
  g_clear_pointer (&peer->labelled, g_free);
}

void
tfd_caller_identify (TfdPeer *peer, TfdIdentifiedFunc func)
{
  Question *question = g_new (Question, 1);

  *question = (Question){ tfd_peer_ref (peer), func };
  /* whoever has its number later than now is another process */
  peer->arrived = tfd_clock_now_boot (tfd_engine_get_clock (peer->bus->engine));
  ask_bus (question, "GetConnectionCredentials", credentials_cb);
}

/* ---- where it is ---- */

/* Calls of the manager that tell and change nothing of jobs. Whatever is not here waits for the
 * look. */
static gboolean
concerns_jobs (TfdCall *call)
{
  static const char *const methods[] = { "DescribeError", "Reload", "Unsubscribe", NULL };
  static const char *const counts[] = { "JobCount", "RunningJobs", "BytesPerSecond", NULL };
  const GDBusPropertyInfo *property = g_dbus_method_invocation_get_property_info (call->invocation);

  if (!g_str_equal (g_dbus_method_invocation_get_object_path (call->invocation), TFD_MANAGER_PATH))
    return TRUE;
  if (property != NULL)
    return g_strv_contains (counts, property->name);
  return !g_strv_contains (methods, g_dbus_method_invocation_get_method_name (call->invocation));
}

/* A sandbox without a name of its own shares nothing with another one: each connection from such a
 * place is taken for a place of its own. */
static char *
name_unknown (void)
{
  g_autofree char *uuid = g_uuid_string_random ();

  return g_strconcat (TFD_SANDBOX_UNKNOWN ":", uuid, NULL);
}

/* The process that the bus spoke of has ended, so that its number may have been another's. */
static gboolean
has_ended (const TfdPeer *peer)
{
  struct pollfd process = { .fd = peer->process, .events = POLLIN };

  return peer->process >= 0 && poll (&process, 1, 0) != 0;
}

static void
note (TfdPeer *peer, const char *seen, gboolean no_network)
{
  g_autofree char *sandbox = NULL;

  if (has_ended (peer))
    {
      seen = TFD_SANDBOX_UNKNOWN;
      no_network = TRUE;
    }
  sandbox = tfd_sandbox_id_choose (peer->labelled, seen);
  g_free (peer->sandbox);
  peer->sandbox =
      g_str_equal (sandbox, TFD_SANDBOX_UNKNOWN) ? name_unknown () : g_steal_pointer (&sandbox);
  peer->no_network = no_network;
  peer->looked = TRUE;
  tfd_caller_forget (peer);
  if (*peer->sandbox != '\0')
    tfd_debug (TFD_LOG_BUS, "%s (process %u of user %u) is in sandbox %s%s", peer->name, peer->pid,
               peer->uid, peer->sandbox, no_network ? ", without a network" : "");
}

/* Nothing is known of the caller, least of all that its jobs are not its own: what waits is told
 * so, and the next call has a look of its own. */
static void
refuse_waiting (TfdPeer *peer, const GError *error)
{
  GQueue calls = peer->calls;

  g_queue_init (&peer->calls);
  peer->put_back = 0;
  for (TfdCall *call = g_queue_pop_head (&calls); call != NULL; call = g_queue_pop_head (&calls))
    if (concerns_jobs (call))
      tfd_call_fail (call, g_error_copy (error));
    else
      g_queue_push_tail (&peer->calls, call);
}

static void
looked_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  TfdPeer *peer = user_data;
  g_autoptr (GError) error = NULL;
  gboolean no_network = TRUE;
  g_autofree char *seen =
      tfd_engine_look_at_finish (TFD_ENGINE (source), result, &no_network, &error);

  if (seen != NULL)
    note (peer, seen, no_network);
  else if (!peer->gone)
    {
      if (g_error_matches (error, TFD_ERROR, TFD_ERROR_OWNER_GONE))
        {
          error->code = TFD_ERROR_ACCESS_DENIED;
          g_prefix_error (&error, "your user is not known: ");
        }
      refuse_waiting (peer, error);
    }
  if (!peer->gone)
    tfd_peer_release (peer);
  tfd_peer_unref (peer);
}

/* Takes @peer. */
static void
look (TfdPeer *peer)
{
  const TfdOwner owner = { peer->uid, NULL, NULL };

  tfd_engine_look_at_async (peer->bus->engine, &owner, peer->pid, peer->arrived, looked_cb, peer);
}

/* Which person has the user id now: what another one has left under it is not for the caller. When
 * that cannot be found out, it is believed to be who it was. */
static void
named_cb (GObject *source G_GNUC_UNUSED, GAsyncResult *result, gpointer user_data)
{
  TfdPeer *peer = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (TfdIdentity) identity = tfd_identity_look_up_finish (result, &error);
  gboolean nobody = g_error_matches (error, TFD_ERROR, TFD_ERROR_OWNER_GONE);

  if (peer->gone)
    {
      tfd_peer_unref (peer);
      return;
    }
  if (identity != NULL || nobody)
    tfd_engine_note_owner (peer->bus->engine, peer->uid, nobody ? NULL : identity->name);
  if (!nobody)
    {
      look (peer);
      return;
    }
  error->code = TFD_ERROR_ACCESS_DENIED;
  g_prefix_error (&error, "your user is not known: ");
  refuse_waiting (peer, error);
  tfd_peer_release (peer);
  tfd_peer_unref (peer);
}

gboolean
tfd_caller_look_first (TfdCall *call)
{
  TfdPeer *peer = call->peer;

  if (peer->looked || peer->gone || !concerns_jobs (call))
    return FALSE;
  if (peer->pid == 0)
    {
      /* the bus does not say which process it is */
      note (peer, TFD_SANDBOX_UNKNOWN, TRUE);
      return FALSE;
    }
  g_queue_push_head (&peer->calls, call);
  peer->put_back++;
  tfd_peer_hold (peer);
  if (peer->bus->only_uid == G_MAXUINT32)
    tfd_identity_look_up_async (peer->uid, NULL, named_cb, tfd_peer_ref (peer));
  else
    look (tfd_peer_ref (peer));
  return TRUE;
}
