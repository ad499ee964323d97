/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Credentials: SetCredentials and RemoveCredentials. A password may come through a pipe, so that it
 * is in nobody's argv and in no copy of a message. */
#include "config.h"

#include "bus/bus-private.h"

#include <gio/gunixinputstream.h>
#include <glib-unix.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>

#define MAX_PASSWORD 65536 /* bytes, with a line feed at the end */
#define PATIENCE 10        /* seconds that somebody has for writing it */

/* A password on its way through a pipe. */
typedef struct
{
  TfdCall *call; /* (nullable) taken when it is answered */
  GInputStream *stream;
  GCancellable *cancellable;
  guint timeout;
  gsize length;
  char password[MAX_PASSWORD + 1];
} Reading;

static void
reading_free (Reading *reading)
{
  g_clear_handle_id (&reading->timeout, g_source_remove);
  g_object_unref (reading->stream);
  g_object_unref (reading->cancellable);
  explicit_bzero (reading->password, sizeof reading->password);
  g_free (reading);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Reading, reading_free)

static void
set (TfdCall *call, const char *password)
{
  const char *target, *scheme, *user;
  GError *error = NULL;

  /* somebody else has taken it over meanwhile */
  if (!tfd_access_is_owner (call->peer, call->job))
    {
      tfd_call_fail (call, tfd_access_not_found ());
      return;
    }
  g_variant_get_child (tfd_call_parameters (call), 0, "&s", &target);
  g_variant_get_child (tfd_call_parameters (call), 1, "&s", &scheme);
  g_variant_get_child (tfd_call_parameters (call), 2, "&s", &user);
  if (tfd_engine_set_credentials (call->bus->engine, call->job, target, scheme, user, password,
                                  &error))
    tfd_call_return (call, NULL);
  else
    tfd_call_fail (call, error);
}

/* The pipe was read while others may have called: a Complete that works now is decided first. */
typedef struct
{
  TfdCall *call; /* (nullable) */
  char *password;
} Waiting;

static void
waiting_free (gpointer data)
{
  Waiting *waiting = data;

  if (waiting->call != NULL)
    tfd_call_free (waiting->call);
  explicit_bzero (waiting->password, strlen (waiting->password));
  g_free (waiting->password);
  g_free (waiting);
}

static void
free_again_cb (TfdJob *job G_GNUC_UNUSED, gpointer data)
{
  Waiting *waiting = data;

  set (g_steal_pointer (&waiting->call), waiting->password);
}

static void
finish (TfdCall *call, const char *password)
{
  Waiting *waiting;

  if (!g_utf8_validate (password, -1, NULL))
    tfd_call_fail_code (call, TFD_ERROR_INVALID_ARGS, "the password is not UTF-8");
  else if (!tfd_engine_is_busy (call->bus->engine, call->job))
    set (call, password);
  else
    {
      waiting = g_new (Waiting, 1);
      *waiting = (Waiting){ call, g_strdup (password) };
      tfd_engine_when_free (call->bus->engine, call->job, free_again_cb, waiting, waiting_free);
      tfd_call_release (call);
    }
}

static void read_more (Reading *reading);

static void
read_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (Reading) reading = user_data;
  g_autoptr (GError) error = NULL;
  gssize count = g_input_stream_read_finish (G_INPUT_STREAM (source), result, &error);

  if (count < 0)
    tfd_call_fail_code (reading->call, TFD_ERROR_INVALID_ARGS,
                        "the password could not be read from the descriptor within %d s: %s",
                        PATIENCE, error->message);
  else if (count > 0 && reading->length + (gsize) count >= MAX_PASSWORD)
    tfd_call_fail_code (reading->call, TFD_ERROR_STRING_TOO_LONG, "the password is too long");
  else if (count > 0)
    {
      reading->length += (gsize) count;
      read_more (g_steal_pointer (&reading));
    }
  else
    {
      if (reading->length > 0 && reading->password[reading->length - 1] == '\n')
        reading->length--;
      reading->password[reading->length] = '\0';
      finish (reading->call, reading->password);
    }
}

static void
read_more (Reading *reading)
{
  g_input_stream_read_async (reading->stream, reading->password + reading->length,
                             MAX_PASSWORD - reading->length, G_PRIORITY_DEFAULT,
                             reading->cancellable, read_cb, reading);
}

static gboolean
too_late_cb (gpointer user_data)
{
  Reading *reading = user_data;

  reading->timeout = 0;
  g_cancellable_cancel (reading->cancellable);
  return G_SOURCE_REMOVE;
}

/* Only what can be polled: a file on a dead server would block whoever reads it. */
static int
take_pipe (TfdCall *call, gint32 handle, GError **error)
{
  GDBusMessage *message = g_dbus_method_invocation_get_message (call->invocation);
  GUnixFDList *fds = g_dbus_message_get_unix_fd_list (message);
  struct stat status;
  int fd = -1;

  if (fds != NULL && handle >= 0 && handle < g_unix_fd_list_get_length (fds))
    fd = g_unix_fd_list_get (fds, handle, NULL);
  if (fd >= 0 && fstat (fd, &status) == 0 &&
      (S_ISFIFO (status.st_mode) || S_ISSOCK (status.st_mode)) &&
      g_unix_set_fd_nonblocking (fd, TRUE, NULL))
    return fd;
  if (fd >= 0)
    g_close (fd, NULL);
  g_set_error_literal (error, TFD_ERROR, TFD_ERROR_INVALID_ARGS,
                       "‘fd’ must be the end of a pipe from which the password can be read");
  return -1;
}

static void
read_password (TfdCall *call, gint32 handle)
{
  GError *error = NULL;
  int fd = take_pipe (call, handle, &error);
  Reading *reading;

  if (fd < 0)
    {
      tfd_call_fail (call, error);
      return;
    }
  reading = g_new0 (Reading, 1);
  reading->call = call;
  reading->stream = g_unix_input_stream_new (fd, TRUE);
  reading->cancellable = g_cancellable_new ();
  reading->timeout = g_timeout_add_seconds (PATIENCE, too_late_cb, reading);
  tfd_call_hold (call);
  read_more (reading);
}

void
tfd_job_set_credentials (TfdCall *call, GVariant *parameters)
{
  g_autoptr (GVariant) options = g_variant_get_child_value (parameters, 4);
  GError *error = NULL;
  const char *password;
  gint32 handle;

  g_variant_get_child (parameters, 3, "&s", &password);
  if (!tfd_options_check (options, tfd_credentials_options, &error))
    tfd_call_fail (call, error);
  else if (!g_variant_lookup (options, "fd", "h", &handle))
    set (call, password);
  else if (password[0] != '\0')
    tfd_call_fail_code (call, TFD_ERROR_INVALID_ARGS,
                        "with ‘fd’, the argument ‘password’ must be empty");
  else
    read_password (call, handle);
}

void
tfd_job_remove_credentials (TfdCall *call, GVariant *parameters)
{
  const char *target, *scheme;
  gboolean removed = FALSE;
  GError *error = NULL;

  g_variant_get (parameters, "(&s&s)", &target, &scheme);
  if (tfd_engine_remove_credentials (call->bus->engine, call->job, target, scheme, &removed,
                                     &error))
    tfd_call_return (call, g_variant_new ("(b)", removed));
  else
    tfd_call_fail (call, error);
}
