/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* News: signals of the service, handed to the client and to watched jobs. Few match rules: one for
 * each watched job, so that nobody is woken by the jobs of others. */
#include "config.h"
#include "client/libtransfer/private.h"

#include "common/enums.h"
#include "common/names.h"

/* With more watched jobs than this one match rule for all is cheaper for the bus. */
#define MAX_JOB_RULES 100

#define RULE_ALL                                                                                   \
  "type='signal',sender='" TFD_BUS_NAME "',interface='" TFD_MANAGER_INTERFACE "',"                 \
  "path='" TFD_MANAGER_PATH "'"

struct _TransferNews
{
  TransferClient *client;      /* (not owned) whose part this is */
  GDBusConnection *connection; /* (owned) */
  GHashTable *jobs;   /* (owned) (element-type utf8 GPtrArray) watched, by path, not owned */
  gboolean match_all; /* the rule for all is set */
  guint manager_subscription, properties_subscription;
};

/* The jobs at @path, each with a reference: their handlers may drop them. */
static GPtrArray *
dup_jobs_at (TransferNews *self, const char *path)
{
  GPtrArray *copy = g_ptr_array_new_with_free_func (g_object_unref);
  GPtrArray *jobs = g_hash_table_lookup (self->jobs, path);

  for (guint i = 0; jobs != NULL && i < jobs->len; i++)
    g_ptr_array_add (copy, g_object_ref (g_ptr_array_index (jobs, i)));
  return copy;
}

static void
manager_signal_cb (GDBusConnection *connection,
                   const char *sender,
                   const char *object_path,
                   const char *interface,
                   const char *member,
                   GVariant *parameters,
                   gpointer user_data)
{
  TransferNews *self = user_data;
  g_autofree char *id = NULL;
  g_autoptr (GVariant) first = NULL;
  const char *path, *name = "", *context = "";

  (void) connection, (void) object_path, (void) interface;
  if (g_strcmp0 (sender, _transfer_client_get_owner (self->client)) != 0 ||
      g_variant_n_children (parameters) == 0)
    return;
  first = g_variant_get_child_value (parameters, 0);
  if (!g_variant_is_of_type (first, G_VARIANT_TYPE_OBJECT_PATH))
    return;
  path = g_variant_get_string (first, NULL);
  id = tfd_job_id_from_path (path);
  if (id == NULL)
    return;

  g_autoptr (GPtrArray) jobs = dup_jobs_at (self, path);
  if (g_str_equal (member, "JobAdded"))
    g_signal_emit_by_name (self->client, "job-added", id);
  else if (g_str_equal (member, "JobTransferred"))
    {
      for (guint i = 0; i < jobs->len; i++)
        _transfer_job_tell_transferred (g_ptr_array_index (jobs, i));
      g_signal_emit_by_name (self->client, "job-transferred", id);
    }
  else if (g_str_equal (member, "JobRemoved") &&
           g_variant_is_of_type (parameters, G_VARIANT_TYPE ("(os)")))
    {
      g_variant_get (parameters, "(&o&s)", NULL, &name);
      TransferResult ended = _transfer_enum_from_string (TFD_TYPE_RESULT, name);
      for (guint i = 0; i < jobs->len; i++)
        _transfer_job_tell_removed (g_ptr_array_index (jobs, i), ended);
      g_signal_emit_by_name (self->client, "job-removed", id, ended);
    }
  else if (g_str_equal (member, "JobError") &&
           g_variant_is_of_type (parameters, G_VARIANT_TYPE ("(oss)")))
    {
      g_variant_get (parameters, "(&o&s&s)", NULL, &name, &context);
      for (guint i = 0; i < jobs->len; i++)
        _transfer_job_tell_error (g_ptr_array_index (jobs, i), name, context);
      g_signal_emit_by_name (self->client, "job-error", id, name, context);
    }
}

static void
properties_changed_cb (GDBusConnection *connection,
                       const char *sender,
                       const char *path,
                       const char *interface,
                       const char *member,
                       GVariant *parameters,
                       gpointer user_data)
{
  TransferNews *self = user_data;
  g_autoptr (GVariant) changed = NULL;
  g_autofree char *id = NULL;
  const char *of;

  (void) connection, (void) interface, (void) member;
  if (g_strcmp0 (sender, _transfer_client_get_owner (self->client)) != 0 ||
      !g_variant_is_of_type (parameters, G_VARIANT_TYPE ("(sa{sv}as)")))
    return;
  g_variant_get (parameters, "(&s@a{sv}as)", &of, &changed, NULL);
  id = tfd_job_id_from_path (path);
  if (id == NULL || !g_str_equal (of, TFD_JOB_INTERFACE))
    return;

  g_autoptr (GPtrArray) jobs = dup_jobs_at (self, path);
  for (guint i = 0; i < jobs->len; i++)
    _transfer_job_merge (g_ptr_array_index (jobs, i), changed, FALSE);
  g_signal_emit_by_name (self->client, "job-changed", id, changed);
}

static void
call_bus (TransferNews *self, const char *method, const char *rule)
{
  g_dbus_connection_call (self->connection, "org.freedesktop.DBus", "/org/freedesktop/DBus",
                          "org.freedesktop.DBus", method, g_variant_new ("(s)", rule), NULL,
                          G_DBUS_CALL_FLAGS_NONE, -1, NULL, NULL, NULL);
}

void
_transfer_news_match_all (TransferNews *self)
{
  if (self->match_all)
    return;
  self->match_all = TRUE;
  call_bus (self, "AddMatch", RULE_ALL);
}

void
_transfer_news_watch (TransferNews *self, TransferJob *job)
{
  const char *path = transfer_job_get_object_path (job);
  GPtrArray *jobs = g_hash_table_lookup (self->jobs, path);

  if (jobs != NULL)
    {
      g_ptr_array_add (jobs, job);
      return;
    }
  jobs = g_ptr_array_new ();
  g_ptr_array_add (jobs, job);
  g_hash_table_insert (self->jobs, g_strdup (path), jobs);
  if (self->match_all)
    return;
  if (g_hash_table_size (self->jobs) > MAX_JOB_RULES)
    {
      _transfer_news_match_all (self);
      return;
    }
  g_autofree char *rule = g_strdup_printf ("%s,arg0path='%s'", RULE_ALL, path);
  call_bus (self, "AddMatch", rule);
}

void
_transfer_news_unwatch (TransferNews *self, TransferJob *job)
{
  const char *path = transfer_job_get_object_path (job);
  GPtrArray *jobs = g_hash_table_lookup (self->jobs, path);

  if (jobs == NULL || !g_ptr_array_remove_fast (jobs, job) || jobs->len > 0)
    return;
  g_autofree char *rule = g_strdup_printf ("%s,arg0path='%s'", RULE_ALL, path);
  g_hash_table_remove (self->jobs, path);
  /* one that was never set is refused by the bus, and nobody listens to that */
  if (!g_dbus_connection_is_closed (self->connection))
    call_bus (self, "RemoveMatch", rule);
}

GPtrArray *
_transfer_news_dup_jobs (TransferNews *self)
{
  GPtrArray *all = g_ptr_array_new_with_free_func (g_object_unref);
  GHashTableIter iter;
  gpointer value;

  g_hash_table_iter_init (&iter, self->jobs);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    {
      GPtrArray *jobs = value;

      for (guint i = 0; i < jobs->len; i++)
        g_ptr_array_add (all, g_object_ref (g_ptr_array_index (jobs, i)));
    }
  return all;
}

TransferNews *
_transfer_news_new (TransferClient *client)
{
  TransferNews *self = g_new0 (TransferNews, 1);

  self->client = client;
  self->connection = g_object_ref (transfer_client_get_connection (client));
  self->jobs =
      g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify) g_ptr_array_unref);
  /* match rules are ours to set; changes of properties are sent to us alone and need none */
  self->manager_subscription = g_dbus_connection_signal_subscribe (
      self->connection, NULL, TFD_MANAGER_INTERFACE, NULL, TFD_MANAGER_PATH, NULL,
      G_DBUS_SIGNAL_FLAGS_NO_MATCH_RULE, manager_signal_cb, self, NULL);
  self->properties_subscription = g_dbus_connection_signal_subscribe (
      self->connection, NULL, "org.freedesktop.DBus.Properties", "PropertiesChanged", NULL, NULL,
      G_DBUS_SIGNAL_FLAGS_NO_MATCH_RULE, properties_changed_cb, self, NULL);
  return self;
}

void
_transfer_news_free (TransferNews *self)
{
  g_dbus_connection_signal_unsubscribe (self->connection, self->manager_subscription);
  g_dbus_connection_signal_unsubscribe (self->connection, self->properties_subscription);
  /* a watched job holds a reference to the client, so there is none left */
  g_assert (g_hash_table_size (self->jobs) == 0);
  if (self->match_all && !g_dbus_connection_is_closed (self->connection))
    call_bus (self, "RemoveMatch", RULE_ALL);
  g_hash_table_unref (self->jobs);
  g_object_unref (self->connection);
  g_free (self);
}
