/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Intake: how much one worker may say before it is heard. */
#include "config.h"

#include "platform/intake.h"

#include "common/names.h"

#include <gio/gunixfdlist.h>

/* Much more than a worker says while a disk hangs for a minute. */
#define MAX_MESSAGES 65536
#define MAX_BYTES (64 << 20)

/* Shared by our thread and that of GDBus. */
struct _TfdIntake
{
  gatomicrefcount references;
  gint messages; /* (atomic) read and not handled */
  gssize bytes;  /* (atomic) in their bodies */
  gint flooded;  /* (atomic) */
};

static void
unref (gpointer data)
{
  TfdIntake *self = data;

  if (g_atomic_ref_count_dec (&self->references))
    g_free (self);
}

static gssize
size_of (GVariant *body)
{
  return body != NULL ? (gssize) g_variant_get_size (body) : 0;
}

/* One descriptor is what we ever ask for. A process has not many: whoever sends more wants to have
 * them all. */
static gboolean
is_laden (GDBusMessage *message, int most)
{
  GUnixFDList *fds = g_dbus_message_get_unix_fd_list (message);

  return fds != NULL && g_unix_fd_list_get_length (fds) > most;
}

static gboolean
admit (TfdIntake *self, GDBusMessage *message)
{
  gssize size = size_of (g_dbus_message_get_body (message));

  if (g_strcmp0 (g_dbus_message_get_path (message), TFD_WORKER_PATH) != 0 ||
      g_strcmp0 (g_dbus_message_get_interface (message), TFD_WORKER_INTERFACE) != 0 ||
      g_atomic_int_get (&self->flooded) || is_laden (message, 0))
    return FALSE;
  if (g_atomic_int_add (&self->messages, 1) < MAX_MESSAGES &&
      g_atomic_pointer_add (&self->bytes, size) + size <= MAX_BYTES)
    return TRUE;
  g_atomic_int_set (&self->flooded, TRUE);
  return FALSE;
}

/* In the thread of GDBus. */
static GDBusMessage *
filter_cb (GDBusConnection *connection G_GNUC_UNUSED,
           GDBusMessage *message,
           gboolean incoming,
           gpointer user_data)
{
  GDBusMessageType type = g_dbus_message_get_message_type (message);

  if (!incoming ||
      ((type == G_DBUS_MESSAGE_TYPE_METHOD_RETURN || type == G_DBUS_MESSAGE_TYPE_ERROR) &&
       !is_laden (message, 1)) ||
      (type == G_DBUS_MESSAGE_TYPE_SIGNAL && admit (user_data, message)))
    return message;
  /* a worker is asked, it does not ask */
  g_object_unref (message);
  return NULL;
}

TfdIntake *
tfd_intake_new (GDBusConnection *connection)
{
  TfdIntake *self = g_new0 (TfdIntake, 1);

  g_atomic_ref_count_init (&self->references);
  g_atomic_ref_count_inc (&self->references);
  g_dbus_connection_add_filter (connection, filter_cb, self, unref);
  return self;
}

void
tfd_intake_free (TfdIntake *self)
{
  unref (self);
}

gboolean
tfd_intake_handled (TfdIntake *self, GVariant *parameters)
{
  g_atomic_int_add (&self->messages, -1);
  g_atomic_pointer_add (&self->bytes, -size_of (parameters));
  return !g_atomic_int_get (&self->flooded);
}
