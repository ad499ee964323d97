/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Emit: tells what changed. The manager's signals go to everybody and carry nothing but a random
 * id; what a job is and does goes to its owner's connections that asked for it, one by one, and not
 * more often than the job's NotifyInterval. */
#include "config.h"

#include "bus/bus-private.h"

/* With the one that comes before the job is done there are never more than four in a second. */
#define FILES_INTERVAL_MS 340

/* What waits to be told of one job. */
typedef struct
{
  TfdEmit *emit;
  TfdJob *job; /* (owned) */
  guint mask;
  guint timer;
  gint64 last;   /* monotonic time of the last PropertiesChanged */
  GArray *files; /* (owned) of guint32 */
  guint files_timer;
} Pending;

struct _TfdEmit
{
  TfdBus *bus;
  GHashTable *pending; /* (owned) id -> (owned) Pending */
};

static void
pending_free (Pending *pending)
{
  g_clear_handle_id (&pending->timer, g_source_remove);
  g_clear_handle_id (&pending->files_timer, g_source_remove);
  g_array_unref (pending->files);
  tfd_job_unref (pending->job);
  g_free (pending);
}

static gboolean
is_subscribed (const TfdPeer *peer, TfdJob *job)
{
  gboolean own;

  if (peer->gone)
    return FALSE;
  own = tfd_access_is_owner (peer, job);
  if (own ? peer->subscribed : peer->all_users)
    return TRUE;
  return (own || peer->manages) && g_hash_table_contains (peer->jobs, tfd_job_id (job));
}

static gboolean
has_subscriber (TfdEmit *emit, TfdJob *job)
{
  GHashTableIter iter;
  TfdPeer *peer;

  g_hash_table_iter_init (&iter, emit->bus->peers);
  while (g_hash_table_iter_next (&iter, NULL, (gpointer *) &peer))
    if (is_subscribed (peer, job))
      return TRUE;
  return FALSE;
}

/* Consumes a floating @parameters. */
static void
send_to_subscribers (TfdEmit *emit,
                     TfdJob *job,
                     const char *path,
                     const char *interface,
                     const char *signal,
                     GVariant *parameters)
{
  g_autoptr (GVariant) owned = g_variant_ref_sink (parameters);
  GHashTableIter iter;
  TfdPeer *peer;

  g_hash_table_iter_init (&iter, emit->bus->peers);
  while (g_hash_table_iter_next (&iter, NULL, (gpointer *) &peer))
    if (is_subscribed (peer, job))
      g_dbus_connection_emit_signal (emit->bus->connection, peer->name, path, interface, signal,
                                     owned, NULL);
}

static void
broadcast (TfdEmit *emit, const char *signal, GVariant *parameters)
{
  g_dbus_connection_emit_signal (emit->bus->connection, NULL, TFD_MANAGER_PATH,
                                 TFD_MANAGER_INTERFACE, signal, parameters, NULL);
}

static Pending *
pending_of (TfdEmit *emit, TfdJob *job)
{
  Pending *pending = g_hash_table_lookup (emit->pending, tfd_job_id (job));

  if (pending == NULL)
    {
      pending = g_new0 (Pending, 1);
      pending->emit = emit;
      pending->job = tfd_job_ref (job);
      pending->files = g_array_new (FALSE, FALSE, sizeof (guint32));
      g_hash_table_insert (emit->pending, g_strdup (tfd_job_id (job)), pending);
    }
  return pending;
}

static void
tell_properties (Pending *pending)
{
  TfdEmit *emit = pending->emit;
  g_autofree char *path = tfd_job_path (tfd_job_id (pending->job));
  GVariantBuilder changed, invalidated;

  g_clear_handle_id (&pending->timer, g_source_remove);
  if (pending->mask == 0)
    return;
  g_variant_builder_init (&changed, G_VARIANT_TYPE_VARDICT);
  g_variant_builder_init (&invalidated, G_VARIANT_TYPE_STRING_ARRAY);
  tfd_job_add_changed (emit->bus, pending->job, pending->mask, &changed, &invalidated);
  pending->mask = 0;
  pending->last = g_get_monotonic_time ();
  send_to_subscribers (emit, pending->job, path, "org.freedesktop.DBus.Properties",
                       "PropertiesChanged",
                       g_variant_new ("(sa{sv}as)", TFD_JOB_INTERFACE, &changed, &invalidated));
}

/* The model may hold what is not committed yet: what a timer tells goes through the outbox, too. */
static void
tell_properties_cb (const GError *error G_GNUC_UNUSED, gpointer data)
{
  TfdEmit *emit = ((gpointer *) data)[0];
  Pending *pending = g_hash_table_lookup (emit->pending, ((gpointer *) data)[1]);

  /* a commit that failed was somebody else's: what is there now is told all the same */
  if (pending != NULL)
    tell_properties (pending);
}

static void
free_pair (gpointer data)
{
  g_free (((gpointer *) data)[1]);
  g_free (data);
}

static gboolean
interval_over_cb (gpointer user_data)
{
  Pending *pending = user_data;
  gpointer *pair = g_new (gpointer, 2);

  pending->timer = 0;
  pair[0] = pending->emit;
  pair[1] = g_strdup (tfd_job_id (pending->job));
  tfd_outbox_add (tfd_engine_get_outbox (pending->emit->bus->engine), tell_properties_cb, pair,
                  free_pair);
  return G_SOURCE_REMOVE;
}

static void
job_changed_cb (TfdEngine *engine, TfdJob *job, guint mask, gpointer user_data)
{
  const guint at_once =
      TFD_CHANGED_STATE | TFD_CHANGED_ERROR | TFD_CHANGED_PROPERTIES | TFD_CHANGED_OWNER;
  TfdEmit *emit = user_data;
  Pending *pending;
  gint64 interval, due;

  emit->bus->last_busy = tfd_clock_now_boot (tfd_engine_get_clock (engine));
  if (mask & TFD_CHANGED_OWNER)
    tfd_administrators_forget (emit->bus, job);
  if (!has_subscriber (emit, job))
    return;
  pending = pending_of (emit, job);
  pending->mask |= mask;
  interval = (gint64) MIN (tfd_job_record (job)->properties->notify_interval,
                           (guint64) 3600 * TFD_USEC_PER_SEC);
  due = pending->last + interval - g_get_monotonic_time ();
  if (mask & at_once || due <= 0)
    tell_properties (pending);
  else if (pending->timer == 0)
    pending->timer = g_timeout_add ((guint) (due / 1000 + 1), interval_over_cb, pending);
}

static void
tell_files (Pending *pending)
{
  g_autofree char *path = tfd_job_path (tfd_job_id (pending->job));

  g_clear_handle_id (&pending->files_timer, g_source_remove);
  if (pending->files->len == 0)
    return;
  send_to_subscribers (
      pending->emit, pending->job, TFD_MANAGER_PATH, TFD_MANAGER_INTERFACE, "FilesTransferred",
      g_variant_new ("(o@au)", path,
                     g_variant_new_fixed_array (G_VARIANT_TYPE_UINT32, pending->files->data,
                                                pending->files->len, sizeof (guint32))));
  g_array_set_size (pending->files, 0);
}

static gboolean
files_interval_over_cb (gpointer user_data)
{
  Pending *pending = user_data;

  pending->files_timer = 0;
  tell_files (pending);
  return G_SOURCE_REMOVE;
}

static void
files_transferred_cb (TfdEngine *engine G_GNUC_UNUSED,
                      TfdJob *job,
                      GArray *files,
                      gpointer user_data)
{
  TfdEmit *emit = user_data;
  Pending *pending;

  if (!has_subscriber (emit, job))
    return;
  pending = pending_of (emit, job);
  g_array_append_vals (pending->files, files->data, files->len);
  if (pending->files_timer == 0)
    pending->files_timer = g_timeout_add (FILES_INTERVAL_MS, files_interval_over_cb, pending);
}

/* What is known of single files comes before what is said of the whole job. */
static void
tell_files_now (TfdEmit *emit, TfdJob *job)
{
  Pending *pending = g_hash_table_lookup (emit->pending, tfd_job_id (job));

  if (pending != NULL)
    tell_files (pending);
}

static void
job_added_cb (TfdEngine *engine G_GNUC_UNUSED, TfdJob *job, gpointer user_data)
{
  g_autofree char *path = tfd_job_path (tfd_job_id (job));

  broadcast (user_data, "JobAdded", g_variant_new ("(o)", path));
}

static void
job_transferred_cb (TfdEngine *engine G_GNUC_UNUSED, TfdJob *job, gpointer user_data)
{
  g_autofree char *path = tfd_job_path (tfd_job_id (job));

  tell_files_now (user_data, job);
  broadcast (user_data, "JobTransferred", g_variant_new ("(o)", path));
}

static void
job_error_cb (
    TfdEngine *engine G_GNUC_UNUSED, TfdJob *job, guint code, guint context, gpointer user_data)
{
  g_autofree char *path = tfd_job_path (tfd_job_id (job));

  tell_files_now (user_data, job);
  broadcast (user_data, "JobError",
             g_variant_new ("(oss)", path, tfd_error_code_to_name ((TfdErrorCode) code),
                            tfd_enum_to_string (TFD_TYPE_ERROR_CONTEXT, (int) context)));
}

static void
job_removed_cb (TfdEngine *engine G_GNUC_UNUSED, TfdJob *job, guint result, gpointer user_data)
{
  g_autofree char *path = tfd_job_path (tfd_job_id (job));
  TfdEmit *emit = user_data;
  GHashTableIter iter;
  TfdPeer *peer;

  broadcast (emit, "JobRemoved",
             g_variant_new ("(os)", path, tfd_enum_to_string (TFD_TYPE_RESULT, (int) result)));
  g_hash_table_remove (emit->pending, tfd_job_id (job));
  g_hash_table_iter_init (&iter, emit->bus->peers);
  while (g_hash_table_iter_next (&iter, NULL, (gpointer *) &peer))
    g_hash_table_remove (peer->jobs, tfd_job_id (job));
}

static void
network_changed_cb (TfdEngine *engine, gpointer user_data)
{
  TfdEmit *emit = user_data;
  GVariantBuilder changed;

  g_variant_builder_init (&changed, G_VARIANT_TYPE_VARDICT);
  g_variant_builder_add (&changed, "{sv}", "Online",
                         g_variant_new_boolean (tfd_engine_is_online (engine)));
  g_variant_builder_add (&changed, "{sv}", "Metered",
                         g_variant_new_boolean (tfd_engine_is_metered (engine)));
  g_dbus_connection_emit_signal (
      emit->bus->connection, NULL, TFD_MANAGER_PATH, "org.freedesktop.DBus.Properties",
      "PropertiesChanged", g_variant_new ("(sa{sv}as)", TFD_MANAGER_INTERFACE, &changed, NULL),
      NULL);
}

TfdEmit *
tfd_emit_new (TfdBus *bus)
{
  TfdEmit *emit = g_new0 (TfdEmit, 1);

  emit->bus = bus;
  emit->pending =
      g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify) pending_free);
  g_signal_connect (bus->engine, "job-added", G_CALLBACK (job_added_cb), emit);
  g_signal_connect (bus->engine, "job-changed", G_CALLBACK (job_changed_cb), emit);
  g_signal_connect (bus->engine, "job-transferred", G_CALLBACK (job_transferred_cb), emit);
  g_signal_connect (bus->engine, "job-error", G_CALLBACK (job_error_cb), emit);
  g_signal_connect (bus->engine, "job-removed", G_CALLBACK (job_removed_cb), emit);
  g_signal_connect (bus->engine, "files-transferred", G_CALLBACK (files_transferred_cb), emit);
  g_signal_connect (bus->engine, "network-changed", G_CALLBACK (network_changed_cb), emit);
  return emit;
}

void
tfd_emit_free (TfdEmit *emit)
{
  g_signal_handlers_disconnect_by_data (emit->bus->engine, emit);
  g_hash_table_unref (emit->pending);
  g_free (emit);
}
