/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Traffic: how much callers may have under way. */
#include "config.h"

#include "bus/traffic.h"

#define MIB (G_GUINT64_CONSTANT (1) << 20)

/* The bus lets a user have twice as many. */
#define MAX_CONNECTIONS 128

typedef struct
{
  guint64 calls, bytes, fds;
} Load;

/* A well-behaved client has 64 calls under way. One user alone cannot take what all users have
 * together, nor one connection what its user has. */
static const Load most_of_connection = { 256, 32 * MIB, 64 };
static const Load most_of_user = { 8192, 128 * MIB, 256 };
static const Load most_of_all = { 65536, 256 * MIB, 512 };

typedef struct
{
  guint32 uid;
  guint references; /* connections and calls */
  guint connections;
  Load load;
} User;

typedef struct
{
  char *name;
  User *user; /* (owned) (nullable) while it is not known whose connection it is, or has gone */
  guint calls;
  Load load;
} Connection;

/* Calls are read in one thread and handled in another: a lock, which nobody holds for longer than
 * it takes to add some numbers. */
struct _TfdTraffic
{
  gatomicrefcount references;
  GMutex lock;
  GHashTable *connections; /* (owned) unique name -> (owned) Connection */
  GHashTable *users;       /* (owned) uid -> (owned) User */
  Load load;               /* of all */
};

/* What one message counts for, and where. */
typedef struct
{
  TfdTraffic *traffic; /* (owned) */
  Connection *connection;
  User *user; /* (owned) (nullable) */
  Load load;
} Ticket;

static void
connection_free (gpointer data)
{
  Connection *connection = data;

  g_free (connection->name);
  g_free (connection);
}

TfdTraffic *
tfd_traffic_new (void)
{
  TfdTraffic *self = g_new0 (TfdTraffic, 1);

  g_atomic_ref_count_init (&self->references);
  g_mutex_init (&self->lock);
  self->connections = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, connection_free);
  self->users = g_hash_table_new_full (NULL, NULL, NULL, g_free);
  return self;
}

TfdTraffic *
tfd_traffic_ref (TfdTraffic *self)
{
  g_atomic_ref_count_inc (&self->references);
  return self;
}

void
tfd_traffic_unref (TfdTraffic *self)
{
  if (!g_atomic_ref_count_dec (&self->references))
    return;
  g_hash_table_unref (self->connections);
  g_hash_table_unref (self->users);
  g_mutex_clear (&self->lock);
  g_free (self);
}

static void
drop_user (TfdTraffic *self, User *user)
{
  if (--user->references == 0)
    g_hash_table_remove (self->users, GUINT_TO_POINTER (user->uid));
}

/* Neither a known client nor any call of it is left. */
static void
drop_connection (TfdTraffic *self, Connection *connection)
{
  if (connection->calls == 0 && connection->user == NULL)
    g_hash_table_remove (self->connections, connection->name);
}

static Connection *
connection_of (TfdTraffic *self, const char *name)
{
  Connection *connection = g_hash_table_lookup (self->connections, name);

  if (connection == NULL)
    {
      connection = g_new0 (Connection, 1);
      connection->name = g_strdup (name);
      g_hash_table_insert (self->connections, connection->name, connection);
    }
  return connection;
}

static User *
user_of (TfdTraffic *self, guint32 uid)
{
  User *user = g_hash_table_lookup (self->users, GUINT_TO_POINTER (uid));

  if (user == NULL)
    {
      user = g_new0 (User, 1);
      user->uid = uid;
      g_hash_table_insert (self->users, GUINT_TO_POINTER (uid), user);
    }
  user->references++;
  return user;
}

/* ---- one call ---- */

static void
add (Load *load, const Load *more)
{
  load->calls += more->calls;
  load->bytes += more->bytes;
  load->fds += more->fds;
}

static void
subtract (Load *load, const Load *less)
{
  load->calls -= less->calls;
  load->bytes -= less->bytes;
  load->fds -= less->fds;
}

static gboolean
has_room (const char *whose, const Load *load, const Load *more, const Load *most, GError **error)
{
  const struct
  {
    const char *what;
    guint64 count, most;
  } limits[] = {
    { "calls", load->calls + more->calls, most->calls },
    { "bytes of calls", load->bytes + more->bytes, most->bytes },
    { "descriptors", load->fds + more->fds, most->fds },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (limits); i++)
    if (limits[i].count > limits[i].most)
      {
        g_set_error (error, TFD_ERROR, TFD_ERROR_LIMITS_EXCEEDED,
                     "this would be %" G_GUINT64_FORMAT " %s of %s that are not answered yet, at "
                     "most %" G_GUINT64_FORMAT " are allowed: wait for answers",
                     limits[i].count, limits[i].what, whose, limits[i].most);
        return FALSE;
      }
  return TRUE;
}

static void
ticket_free (gpointer data)
{
  Ticket *ticket = data;
  TfdTraffic *self = ticket->traffic;

  g_mutex_lock (&self->lock);
  subtract (&self->load, &ticket->load);
  subtract (&ticket->connection->load, &ticket->load);
  if (ticket->user != NULL)
    {
      subtract (&ticket->user->load, &ticket->load);
      drop_user (self, ticket->user);
    }
  ticket->connection->calls--;
  drop_connection (self, ticket->connection);
  g_mutex_unlock (&self->lock);
  tfd_traffic_unref (self);
  g_free (ticket);
}

static Load
load_of (GDBusMessage *message)
{
  GVariant *body = g_dbus_message_get_body (message);
  GUnixFDList *fds = g_dbus_message_get_unix_fd_list (message);
  const char *path = g_dbus_message_get_path (message);

  return (Load){
    1,
    (body != NULL ? g_variant_get_size (body) : 0) + (path != NULL ? strlen (path) : 0),
    fds != NULL ? (guint64) g_unix_fd_list_get_length (fds) : 0,
  };
}

static Ticket *
admit (TfdTraffic *self, const char *sender, const Load *load, GError **error)
{
  Connection *connection = connection_of (self, sender);
  User *user = connection->user;
  Ticket *ticket;

  if (!has_room ("your connection", &connection->load, load, &most_of_connection, error) ||
      (user != NULL && !has_room ("your user", &user->load, load, &most_of_user, error)) ||
      !has_room ("all users", &self->load, load, &most_of_all, error))
    {
      drop_connection (self, connection);
      return NULL;
    }
  ticket = g_new (Ticket, 1);
  *ticket = (Ticket){ tfd_traffic_ref (self), connection, user, *load };
  add (&self->load, load);
  add (&connection->load, load);
  connection->calls++;
  if (user != NULL)
    {
      add (&user->load, load);
      user->references++;
    }
  return ticket;
}

gboolean
tfd_traffic_admit (TfdTraffic *self, GDBusMessage *message, GError **error)
{
  const char *sender = g_dbus_message_get_sender (message);
  Load load = load_of (message);
  Ticket *ticket;

  g_mutex_lock (&self->lock);
  ticket = admit (self, sender != NULL ? sender : "", &load, error);
  g_mutex_unlock (&self->lock);
  /* whoever answers it, and also when nobody does: the message goes last of all */
  if (ticket != NULL)
    g_object_set_data_full (G_OBJECT (message), "tfd-traffic", ticket, ticket_free);
  return ticket != NULL;
}

/* ---- whose connection it is ---- */

static void
disown (TfdTraffic *self, Connection *connection)
{
  if (connection->user == NULL)
    return;
  connection->user->connections--;
  drop_user (self, connection->user);
  connection->user = NULL;
}

gboolean
tfd_traffic_know (TfdTraffic *self, const char *sender, guint32 uid, GError **error)
{
  Connection *connection;
  User *user;

  g_mutex_lock (&self->lock);
  connection = connection_of (self, sender);
  disown (self, connection);
  user = user_of (self, uid);
  if (user->connections >= MAX_CONNECTIONS)
    {
      g_set_error (error, TFD_ERROR, TFD_ERROR_LIMITS_EXCEEDED,
                   "this would be connection %u of your user, at most %u are allowed",
                   user->connections + 1, MAX_CONNECTIONS);
      drop_user (self, user);
      drop_connection (self, connection);
      g_mutex_unlock (&self->lock);
      return FALSE;
    }
  user->connections++;
  connection->user = user;
  g_mutex_unlock (&self->lock);
  return TRUE;
}

void
tfd_traffic_forget (TfdTraffic *self, const char *sender)
{
  Connection *connection;

  g_mutex_lock (&self->lock);
  connection = g_hash_table_lookup (self->connections, sender);
  if (connection != NULL)
    {
      disown (self, connection);
      drop_connection (self, connection);
    }
  g_mutex_unlock (&self->lock);
}
