/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Tests of how much of a worker is heard: what is not handled is kept up to a limit, what is no
 * news is not kept at all. */
#include "platform/intake.h"

#include "common/names.h"

#include <gio/gunixfdlist.h>

#include <sys/socket.h>
#include <unistd.h>

#define DEADLINE 120 /* seconds, for what takes one */
#define MIB (1 << 20)
/* Neither is near a limit of intake.c: less than half, more than one and a half. */
#define FEW 30000
#define MANY 100000
#define FEW_MIB 30
#define MANY_MIB 100

typedef struct
{
  GDBusConnection *daemon; /* (owned) ours, which listens */
  GDBusConnection *worker; /* (owned) the other end */
  TfdIntake *intake;       /* (owned) of ours */
  guint subscription;
  guint heard; /* news that came to the main loop */
} Fixture;

static void
connected_cb (GObject *source G_GNUC_UNUSED, GAsyncResult *result, gpointer user_data)
{
  GDBusConnection **connection = user_data;
  g_autoptr (GError) error = NULL;

  *connection = g_dbus_connection_new_finish (result, &error);
  g_assert_no_error (error);
}

static void
connect_end (int socket, GDBusConnectionFlags flags, const char *guid, GDBusConnection **connection)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GSocket) end = g_socket_new_from_fd (socket, &error);
  g_autoptr (GSocketConnection) stream = NULL;

  g_assert_no_error (error);
  stream = g_socket_connection_factory_create_connection (end);
  g_dbus_connection_new (G_IO_STREAM (stream), guid, flags, NULL, NULL, connected_cb, connection);
}

static void
heard_cb (GDBusConnection *connection G_GNUC_UNUSED,
          const char *sender G_GNUC_UNUSED,
          const char *path G_GNUC_UNUSED,
          const char *interface G_GNUC_UNUSED,
          const char *name G_GNUC_UNUSED,
          GVariant *parameters G_GNUC_UNUSED,
          gpointer user_data)
{
  Fixture *self = user_data;

  self->heard++;
}

static void
set_up (Fixture *self, gconstpointer data G_GNUC_UNUSED)
{
  g_autofree char *guid = g_dbus_generate_guid ();
  int sockets[2];

  /* what hangs ends the test */
  alarm (DEADLINE);
  g_assert_cmpint (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets), ==, 0);
  connect_end (sockets[0], G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT, NULL, &self->daemon);
  connect_end (sockets[1], G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_SERVER, guid, &self->worker);
  while (self->daemon == NULL || self->worker == NULL)
    g_main_context_iteration (NULL, TRUE);
  self->intake = tfd_intake_new (self->daemon);
  self->subscription = g_dbus_connection_signal_subscribe (
      self->daemon, NULL, NULL, NULL, NULL, NULL, G_DBUS_SIGNAL_FLAGS_NONE, heard_cb, self, NULL);
}

static void
tear_down (Fixture *self, gconstpointer data G_GNUC_UNUSED)
{
  g_dbus_connection_signal_unsubscribe (self->daemon, self->subscription);
  g_dbus_connection_close_sync (self->daemon, NULL, NULL);
  g_dbus_connection_close_sync (self->worker, NULL, NULL);
  tfd_intake_free (self->intake);
  g_object_unref (self->daemon);
  g_object_unref (self->worker);
  alarm (0);
}

static void
say (Fixture *self, const char *path, const char *interface, GVariant *parameters)
{
  g_autoptr (GError) error = NULL;

  g_dbus_connection_emit_signal (self->worker, NULL, path, interface, "Parts", parameters, &error);
  g_assert_no_error (error);
}

/* (transfer floating) News of @size bytes. */
static GVariant *
news_of (gsize size)
{
  g_autofree guint8 *bytes = g_malloc0 (size);

  return g_variant_new (
      "(@ay)", g_variant_new_fixed_array (G_VARIANT_TYPE_BYTE, bytes, size, sizeof *bytes));
}

static void
say_news (Fixture *self, guint messages, GVariant *parameters)
{
  g_autoptr (GVariant) news = g_variant_ref_sink (parameters);

  for (guint i = 0; i < messages; i++)
    say (self, TFD_WORKER_PATH, TFD_WORKER_INTERFACE, news);
}

/* Until all that was said has been read: an answer comes behind it. */
static void
await_reading (Fixture *self)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) answer = NULL;

  answer =
      g_dbus_connection_call_sync (self->daemon, NULL, "/", "org.freedesktop.DBus.Peer", "Ping",
                                   NULL, NULL, G_DBUS_CALL_FLAGS_NONE, -1, NULL, &error);
  g_assert_no_error (error);
}

static void
await_dispatch (Fixture *self)
{
  await_reading (self);
  while (g_main_context_iteration (NULL, FALSE))
    continue;
}

static void
test_heard (Fixture *self, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (GVariant) news = g_variant_ref_sink (g_variant_new ("(u)", 7));

  say_news (self, 3, news);
  await_dispatch (self);
  g_assert_cmpuint (self->heard, ==, 3);
  for (guint i = 0; i < 3; i++)
    g_assert_true (tfd_intake_handled (self->intake, news));
}

/* What is handled in time is no flood, whatever it comes to in the end. */
static void
test_handled_in_time (Fixture *self, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (GVariant) small = g_variant_ref_sink (g_variant_new ("(u)", 7));
  g_autoptr (GVariant) large = g_variant_ref_sink (news_of (MIB));

  for (guint rounds = 0; rounds < 4; rounds++)
    {
      say_news (self, FEW, small);
      say_news (self, FEW_MIB, large);
      await_reading (self);
      for (guint i = 0; i < FEW; i++)
        g_assert_true (tfd_intake_handled (self->intake, small));
      for (guint i = 0; i < FEW_MIB; i++)
        g_assert_true (tfd_intake_handled (self->intake, large));
    }
}

static void
test_too_many (Fixture *self, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (GVariant) news = g_variant_ref_sink (g_variant_new ("(u)", 7));

  say_news (self, MANY, news);
  await_dispatch (self);
  g_assert_cmpuint (self->heard, >, FEW);
  g_assert_cmpuint (self->heard, <, MANY);
  g_assert_false (tfd_intake_handled (self->intake, news));
}

static void
test_too_large (Fixture *self, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (GVariant) news = g_variant_ref_sink (news_of (MIB));

  say_news (self, MANY_MIB, news);
  await_dispatch (self);
  g_assert_cmpuint (self->heard, >, FEW_MIB);
  g_assert_cmpuint (self->heard, <, MANY_MIB);
  g_assert_false (tfd_intake_handled (self->intake, news));
}

/* Nothing of it is lost that was wanted. */
static void
test_not_news (Fixture *self, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (GVariant) news = g_variant_ref_sink (g_variant_new ("(u)", 7));

  say (self, "/", TFD_WORKER_INTERFACE, NULL);
  say (self, TFD_WORKER_PATH, TFD_JOB_INTERFACE, NULL);
  g_dbus_connection_call (self->worker, NULL, TFD_WORKER_PATH, TFD_WORKER_INTERFACE, "Start", NULL,
                          NULL, G_DBUS_CALL_FLAGS_NONE, -1, NULL, NULL, NULL);
  say_news (self, 1, news);
  await_dispatch (self);
  g_assert_cmpuint (self->heard, ==, 1);
  g_assert_true (tfd_intake_handled (self->intake, news));
}

static void
test_descriptors (Fixture *self, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (GDBusMessage) message =
      g_dbus_message_new_signal (TFD_WORKER_PATH, TFD_WORKER_INTERFACE, "Parts");
  g_autoptr (GUnixFDList) fds = g_unix_fd_list_new ();
  g_autoptr (GError) error = NULL;

  g_assert_cmpint (g_unix_fd_list_append (fds, STDERR_FILENO, &error), ==, 0);
  g_dbus_message_set_unix_fd_list (message, fds);
  g_assert_true (g_dbus_connection_send_message (self->worker, message,
                                                 G_DBUS_SEND_MESSAGE_FLAGS_NONE, NULL, &error));
  g_assert_no_error (error);
  await_dispatch (self);
  g_assert_cmpuint (self->heard, ==, 0);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
#define ADD(path, func) g_test_add ("/intake/" path, Fixture, NULL, set_up, func, tear_down)
  ADD ("heard", test_heard);
  ADD ("handled-in-time", test_handled_in_time);
  ADD ("too-many", test_too_many);
  ADD ("too-large", test_too_large);
  ADD ("not-news", test_not_news);
  ADD ("descriptors", test_descriptors);
#undef ADD
  return g_test_run ();
}
