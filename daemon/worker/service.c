/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Service: org.transferd.Transfer1.Worker on the connection to transferd. */
#include "config.h"
#include "worker/service.h"

#include "common/names.h"
#include "worker-interface.h"
#include "worker/requests.h"
#include "worker/runs.h"

#include <unistd.h>

struct _TfdService
{
  GObject parent_instance;

  GDBusConnection *connection; /* (owned) */
  TfdRuns *runs;               /* (owned) */
  TfdRequests *requests;       /* (owned) */
  guint idle_msec;
  guint idle_source;
  guint endings; /* EndSessions that are not answered yet */
  void (*over) (gpointer user_data);
  gpointer user_data;
};

G_DEFINE_FINAL_TYPE (TfdService, tfd_service, G_TYPE_OBJECT)

static gboolean
idle_cb (gpointer user_data)
{
  TfdService *self = user_data;

  self->idle_source = 0;
  self->over (self->user_data);

  return G_SOURCE_REMOVE;
}

static void
watch_idle (TfdService *self)
{
  g_clear_handle_id (&self->idle_source, g_source_remove);
  if (self->runs != NULL && self->idle_msec > 0 && self->endings == 0 &&
      tfd_requests_get_pending (self->requests) == 0 && tfd_runs_is_idle (self->runs))
    self->idle_source = g_timeout_add (self->idle_msec, idle_cb, self);
}

static void
emit (TfdService *self, const char *signal, GVariant *parameters)
{
  g_dbus_connection_emit_signal (self->connection, NULL, TFD_WORKER_PATH, TFD_WORKER_INTERFACE,
                                 signal, parameters, NULL);
}

static void
connected_cb (guint64 run, gpointer user_data)
{
  emit (user_data, "Connected", g_variant_new ("(t)", run));
}

static void
progress_cb (GVariant *runs, gpointer user_data)
{
  emit (user_data, "Progress", g_variant_new ("(@a(ta(utt)))", runs));
}

static void
commit_cb (guint64 run, guint32 file, GVariant *part, gpointer user_data)
{
  emit (user_data, "Commit", g_variant_new ("(tu@a{sv})", run, file, part));
}

static void
parts_cb (guint64 run, GVariant *parts, gpointer user_data)
{
  emit (user_data, "Parts", g_variant_new ("(t@a(ua{sv}))", run, parts));
}

static void
files_done_cb (guint64 run, GVariant *files, gpointer user_data)
{
  emit (user_data, "FilesDone", g_variant_new ("(t@ay)", run, files));
}

static void
failed_cb (guint64 run, guint32 file, GVariant *error, gpointer user_data)
{
  emit (user_data, "Failed", g_variant_new ("(tu@a{sv})", run, file, error));
}

static void
event_cb (guint64 run, guint32 file, const char *kind, GVariant *details, gpointer user_data)
{
  emit (user_data, "Event", g_variant_new ("(tus@a{sv})", run, file, kind, details));
}

static void
changed_cb (gpointer user_data)
{
  watch_idle (user_data);
}

static const TfdNews news = {
  .connected = connected_cb,
  .progress = progress_cb,
  .parts = parts_cb,
  .commit = commit_cb,
  .files_done = files_done_cb,
  .failed = failed_cb,
  .event = event_cb,
  .idle = changed_cb,
};

static void
stopped_cb (GVariant *parts, gpointer user_data)
{
  g_dbus_method_invocation_return_value (user_data, g_variant_new ("(@a(ua{sv}))", parts));
}

/* The requests about runs, which the main loop handles itself. */
static void
handle_run (TfdService *self,
            const char *method,
            GVariant *parameters,
            GDBusMethodInvocation *invocation)
{
  g_autoptr (GVariant) options = NULL;
  g_autoptr (GVariant) files = NULL;
  g_autoptr (GError) error = NULL;
  const char *job;
  guint64 run;
  guint32 file;
  gboolean good = TRUE;

  if (g_str_equal (method, "Stop"))
    {
      g_variant_get (parameters, "(t)", &run);
      tfd_runs_stop (self->runs, run, stopped_cb, invocation);
      return;
    }
  if (g_str_equal (method, "Start"))
    {
      g_variant_get (parameters, "(t&s@a{sv}@ay)", &run, &job, &options, &files);
      good = tfd_runs_start (self->runs, run, job, options, files, &error);
    }
  else if (g_str_equal (method, "Committed"))
    {
      g_variant_get (parameters, "(tu)", &run, &file);
      tfd_runs_committed (self->runs, run, file);
    }
  else if (g_str_equal (method, "Configure"))
    {
      g_variant_get (parameters, "(t@a{sv})", &run, &options);
      good = tfd_runs_configure (self->runs, run, options, &error);
    }
  else
    {
      g_variant_get (parameters, "(t@ay)", &run, &files);
      good = tfd_runs_add_files (self->runs, run, files, &error);
    }

  if (good)
    g_dbus_method_invocation_return_value (invocation, NULL);
  else
    tfd_requests_answer_error (invocation, error);
  watch_idle (self);
}

typedef struct
{
  TfdService *self;                  /* (not owned) it lives as long as the process */
  GDBusMethodInvocation *invocation; /* (owned) */
} Ending;

static void
ended_cb (GVariant *results, gpointer user_data)
{
  g_autofree Ending *ending = user_data;

  g_dbus_method_invocation_return_value (ending->invocation, g_variant_new ("(@a(uss))", results));
  ending->self->endings--;
  watch_idle (ending->self);
}

static void
end_sessions (TfdService *self, GVariant *parameters, GDBusMethodInvocation *invocation)
{
  g_autoptr (GVariant) options = g_variant_get_child_value (parameters, 1);
  g_autoptr (GVariant) files = g_variant_get_child_value (parameters, 2);
  g_autoptr (GError) error = NULL;
  Ending *ending = g_new0 (Ending, 1);

  ending->self = self;
  ending->invocation = invocation;
  self->endings++;
  if (!tfd_runs_end_sessions (self->runs, options, files, ended_cb, ending, &error))
    {
      self->endings--;
      g_free (ending);
      tfd_requests_answer_error (invocation, error);
    }
  watch_idle (self);
}

static void
detach (TfdService *self, GVariant *parameters, GDBusMethodInvocation *invocation)
{
  const char *job;

  g_variant_get (parameters, "(&s)", &job);
  tfd_requests_detach (self->requests, job);
  g_dbus_method_invocation_return_value (invocation, NULL);
}

static void
checkpointed_cb (gpointer user_data)
{
  g_dbus_method_invocation_return_value (user_data, NULL);
}

static void
method_call (G_GNUC_UNUSED GDBusConnection *connection,
             G_GNUC_UNUSED const char *sender,
             G_GNUC_UNUSED const char *object_path,
             G_GNUC_UNUSED const char *interface_name,
             const char *method,
             GVariant *parameters,
             GDBusMethodInvocation *invocation,
             gpointer user_data)
{
  TfdService *self = user_data;

  if (g_str_equal (method, "Ping"))
    g_dbus_method_invocation_return_value (invocation, NULL);
  else if (g_str_equal (method, "Checkpoint"))
    tfd_runs_checkpoint (self->runs, checkpointed_cb, invocation);
  else if (g_str_equal (method, "Detach"))
    detach (self, parameters, invocation);
  else if (g_str_equal (method, "EndSessions"))
    end_sessions (self, parameters, invocation);
  else if (g_str_equal (method, "Start") || g_str_equal (method, "AddFiles") ||
           g_str_equal (method, "Configure") || g_str_equal (method, "Committed") ||
           g_str_equal (method, "Stop"))
    handle_run (self, method, parameters, invocation);
  else
    tfd_requests_answer (self->requests, method, parameters, invocation);
}

static GVariant *
get_property (G_GNUC_UNUSED GDBusConnection *connection,
              G_GNUC_UNUSED const char *sender,
              G_GNUC_UNUSED const char *object_path,
              G_GNUC_UNUSED const char *interface_name,
              G_GNUC_UNUSED const char *property_name,
              G_GNUC_UNUSED GError **error,
              G_GNUC_UNUSED gpointer user_data)
{
  return g_variant_new_string (VERSION);
}

static const GDBusInterfaceVTable vtable = {
  .method_call = method_call,
  .get_property = get_property,
};

/* A socket pair names the process that made it: root's daemon, or one of our own user. */
static gboolean
authorize_cb (G_GNUC_UNUSED GDBusAuthObserver *observer,
              G_GNUC_UNUSED GIOStream *stream,
              GCredentials *credentials,
              G_GNUC_UNUSED gpointer user_data)
{
  uid_t uid = credentials != NULL ? g_credentials_get_unix_user (credentials, NULL) : (uid_t) -1;

  return uid == 0 || uid == geteuid ();
}

static GDBusConnection *
connection_new (int fd, GError **error)
{
  g_autoptr (GDBusAuthObserver) observer = g_dbus_auth_observer_new ();
  g_autoptr (GSocket) socket = g_socket_new_from_fd (fd, error);
  g_autoptr (GSocketConnection) stream = NULL;
  g_autofree char *guid = g_dbus_generate_guid ();

  if (socket == NULL)
    return NULL;

  stream = g_socket_connection_factory_create_connection (socket);
  g_signal_connect (observer, "authorize-authenticated-peer", G_CALLBACK (authorize_cb), NULL);

  return g_dbus_connection_new_sync (G_IO_STREAM (stream), guid,
                                     G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_SERVER |
                                         G_DBUS_CONNECTION_FLAGS_DELAY_MESSAGE_PROCESSING,
                                     observer, NULL, error);
}

static void
closed_cb (G_GNUC_UNUSED GDBusConnection *connection,
           G_GNUC_UNUSED gboolean remote_peer_vanished,
           G_GNUC_UNUSED GError *error,
           gpointer user_data)
{
  TfdService *self = user_data;

  self->over (self->user_data);
}

TfdService *
tfd_service_new (
    int fd, guint idle_msec, void (*over) (gpointer user_data), gpointer user_data, GError **error)
{
  g_autoptr (TfdService) self = g_object_new (TFD_TYPE_SERVICE, NULL);

  self->idle_msec = idle_msec;
  self->over = over;
  self->user_data = user_data;
  self->connection = connection_new (fd, error);
  if (self->connection == NULL)
    return NULL;

  g_signal_connect_object (self->connection, "closed", G_CALLBACK (closed_cb), self, 0);
  if (g_dbus_connection_register_object (self->connection, TFD_WORKER_PATH,
                                         (GDBusInterfaceInfo *) &tfd_worker_interface, &vtable,
                                         self, NULL, error) == 0)
    return NULL;

  g_dbus_connection_start_message_processing (self->connection);
  watch_idle (self);

  return g_steal_pointer (&self);
}

static void
tfd_service_finalize (GObject *object)
{
  TfdService *self = TFD_SERVICE (object);

  g_clear_handle_id (&self->idle_source, g_source_remove);
  g_clear_pointer (&self->requests, tfd_requests_free);
  g_clear_pointer (&self->runs, tfd_runs_free);
  g_clear_object (&self->connection);

  G_OBJECT_CLASS (tfd_service_parent_class)->finalize (object);
}

static void
tfd_service_class_init (TfdServiceClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = tfd_service_finalize;
}

static void
tfd_service_init (TfdService *self)
{
  self->runs = tfd_runs_new (&news, self);
  self->requests = tfd_requests_new (tfd_runs_get_attached (self->runs), changed_cb, self);
}
