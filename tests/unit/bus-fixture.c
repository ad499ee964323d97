/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Bus fixture: an authority, and as much of a bus as those who ask it need. */
#include "bus-fixture.h"

/* ---- the authority ---- */

G_DEFINE_FINAL_TYPE (TfdAuthority, tfd_authority, G_TYPE_OBJECT)

static void
tfd_authority_finalize (GObject *object)
{
  g_queue_free (TFD_AUTHORITY (object)->questions);
  G_OBJECT_CLASS (tfd_authority_parent_class)->finalize (object);
}

static void
tfd_authority_class_init (TfdAuthorityClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = tfd_authority_finalize;
}

static void
tfd_authority_init (TfdAuthority *self)
{
  self->questions = g_queue_new ();
}

gboolean
tfd_authority_is_enabled (TfdAuthority *self)
{
  return !self->disabled;
}

gboolean
tfd_authority_is_answering (TfdAuthority *self)
{
  return !self->silent;
}

void
tfd_authority_check_async (TfdAuthority *self,
                           const char *sender,
                           guint32 uid,
                           const char *action,
                           GVariant *details,
                           gboolean interactive,
                           GCancellable *cancellable,
                           GAsyncReadyCallback callback,
                           gpointer user_data)
{
  GTask *task = g_task_new (self, cancellable, callback, user_data);
  g_autofree char *words = g_variant_print (details, FALSE);

  g_assert_cmpstr (sender, ==, ":1.7");
  g_assert_cmpuint (uid, !=, 0);
  g_task_set_task_data (task, g_strdup_printf ("%s%s %s", action, interactive ? "!" : "", words),
                        g_free);
  g_queue_push_tail (self->questions, task);
}

gboolean
tfd_authority_check_finish (TfdAuthority *self, GAsyncResult *result, GError **error)
{
  g_assert_true (g_task_is_valid (result, self));
  return g_task_propagate_boolean (G_TASK (result), error);
}

/* ---- the bus ---- */

GDBusMessage *bus_message;
GString *bus_said;

TfdPeer *
tfd_peer_ref (TfdPeer *peer)
{
  g_ref_count_inc (&peer->refs);
  return peer;
}

void
tfd_peer_unref (TfdPeer *peer)
{
  g_assert_false (g_ref_count_dec (&peer->refs));
}

void
tfd_peer_hold (TfdPeer *peer)
{
  peer->waiting++;
}

void
tfd_peer_release (TfdPeer *peer)
{
  g_assert_cmpuint (peer->waiting, >, 0);
  peer->waiting--;
}

void
tfd_call_release (TfdCall *call)
{
  call->held = FALSE;
}

void
tfd_call_return (TfdCall *call G_GNUC_UNUSED, GVariant *value)
{
  g_assert_null (value);
  g_string_append (bus_said, "done. ");
}

void
tfd_call_fail (TfdCall *call G_GNUC_UNUSED, GError *error)
{
  g_string_append_printf (bus_said, "%s. ", error->message);
  g_error_free (error);
}

void
tfd_bus_handle (TfdCall *call G_GNUC_UNUSED)
{
  g_string_append (bus_said, "again. ");
}

GError *
tfd_administrators_check_changes (TfdCall *call G_GNUC_UNUSED, GVariant *changes G_GNUC_UNUSED)
{
  return NULL;
}

GDBusMessage *
g_dbus_method_invocation_get_message (GDBusMethodInvocation *invocation G_GNUC_UNUSED)
{
  return bus_message;
}

/* ---- what a test does ---- */

void
bus_set_up (BusFixture *self, gconstpointer data)
{
  engine_set_up (&self->engine, data);
  bus_message = g_dbus_message_new ();
  bus_said = g_string_new (NULL);
  self->bus.engine = self->engine.engine;
  self->bus.authority = g_object_new (TFD_TYPE_AUTHORITY, NULL);
  g_ref_count_init (&self->peer.refs);
  self->peer.bus = &self->bus;
  self->peer.name = g_strdup (":1.7");
  self->peer.uid = ALICE;
  self->peer.ended = g_cancellable_new ();
  for (guint i = 0; i < G_N_ELEMENTS (self->calls); i++)
    self->calls[i] = (TfdCall){ .bus = &self->bus, .peer = &self->peer, .held = TRUE };
}

void
bus_tear_down (BusFixture *self, gconstpointer data)
{
  g_assert_true (g_queue_is_empty (self->bus.authority->questions));
  g_assert_cmpuint (self->peer.waiting, ==, 0);
  g_assert_true (g_ref_count_compare (&self->peer.refs, 1));
  g_assert_cmpstr (bus_said->str, ==, "");
  for (guint i = 0; i < G_N_ELEMENTS (self->calls); i++)
    g_assert_null (self->calls[i].permit);
  g_string_free (bus_said, TRUE);
  g_object_unref (bus_message);
  g_object_unref (self->bus.authority);
  g_object_unref (self->peer.ended);
  g_free (self->peer.name);
  engine_tear_down (&self->engine, data);
}

void
assert_said (const char *expected)
{
  while (g_main_context_iteration (NULL, FALSE))
    ;
  g_assert_cmpstr (bus_said->str, ==, expected);
  g_string_truncate (bus_said, 0);
}

void
assert_asked (BusFixture *self, const char *const *questions)
{
  guint i = 0;

  for (GList *link = self->bus.authority->questions->head; link != NULL; link = link->next, i++)
    {
      const char *words = g_task_get_task_data (link->data);

      g_test_message ("%s", words);
      g_assert_true (questions[i] != NULL && g_str_has_prefix (words, questions[i]));
    }
  g_assert_null (questions[i]);
}

void
answer (BusFixture *self, guint n, int code)
{
  g_autoptr (GTask) task = g_queue_pop_nth (self->bus.authority->questions, n);

  if (code == BUS_YES)
    g_task_return_boolean (task, TRUE);
  else
    g_task_return_new_error (task, TFD_ERROR, code, "it says");
  while (g_main_context_iteration (NULL, FALSE))
    ;
}
