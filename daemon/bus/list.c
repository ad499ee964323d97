/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* List: the methods that answer with rows. An answer ends before it gets too large for the bus,
 * which would throw the service off: the client goes on after the last row. */
#include "config.h"

#include "bus/bus-private.h"
#include "bus/rows.h"
#include "public-interface.h"

#define DEFAULT_PROPERTIES                                                                         \
  "DisplayName", "Type", "State", "Priority", "BytesTotal", "BytesTransferred", "FilesTotal",      \
      "FilesTransferred", "CreationTime", "StatusText"

/* As many rows of a history as fit, if each had no more than the names of its keys. */
#define MOST_TOMBSTONES (TFD_MAX_MESSAGE / 128)

/* ---- ListJobs ---- */

typedef struct
{
  TfdCall *call;
  TfdRows rows;
  const char *const *properties;
  const char *const *states; /* (nullable) */
  const char *pattern;       /* (nullable) */
  gboolean all_users;        /* not only those of the caller */
  guint32 limit;             /* 0 = none */
  guint32 count;
  gsize size;
} Listing;

static GVariant *
describe_job (Listing *listing, TfdJob *job)
{
  g_auto (GVariantDict) dict = G_VARIANT_DICT_INIT (NULL);

  for (gsize i = 0; listing->properties[i] != NULL; i++)
    g_variant_dict_insert_value (
        &dict, listing->properties[i],
        tfd_job_get_property (listing->call->peer, job, listing->properties[i]));
  return g_variant_dict_end (&dict);
}

static gboolean
list_job_cb (TfdJob *job, gpointer data)
{
  Listing *listing = data;
  const TfdJobRecord *record = tfd_job_record (job);
  g_autofree char *path = tfd_job_path (record->id);
  GVariant *row;

  if (!listing->all_users && !tfd_access_is_owner (listing->call->peer, job))
    return TRUE;
  if (listing->states != NULL &&
      !g_strv_contains (listing->states, tfd_enum_to_string (TFD_TYPE_JOB_STATE, record->state)))
    return TRUE;
  if (listing->pattern != NULL &&
      !g_pattern_match_simple (listing->pattern, record->properties->display_name))
    return TRUE;
  row = g_variant_new ("(o@a{sv})", path, describe_job (listing, job));
  listing->size = tfd_rows_add (&listing->rows, row);
  listing->count++;
  return listing->size < TFD_MAX_MESSAGE && listing->count != listing->limit;
}

static gboolean
check_properties (const char *const *names, GError **error)
{
  for (gsize i = 0; names[i] != NULL; i++)
    if (g_dbus_interface_info_lookup_property ((GDBusInterfaceInfo *) &tfd_job_interface,
                                               names[i]) == NULL)
      {
        g_set_error (error, TFD_ERROR, TFD_ERROR_INVALID_ARGS, "‘properties’: jobs have no ‘%s’",
                     names[i]);
        return FALSE;
      }
  return TRUE;
}

static gboolean
check_states (const char *const *states, GError **error)
{
  int value;

  for (gsize i = 0; states != NULL && states[i] != NULL; i++)
    if (!tfd_enum_from_string (TFD_TYPE_JOB_STATE, states[i], &value))
      {
        g_set_error (error, TFD_ERROR, TFD_ERROR_INVALID_ARGS, "‘states’: ‘%s’ is no state",
                     states[i]);
        return FALSE;
      }
  return TRUE;
}

void
tfd_manager_list_jobs (TfdCall *call, GVariant *parameters)
{
  static const char *const defaults[] = { DEFAULT_PROPERTIES, NULL };
  g_autoptr (GVariant) filter = g_variant_get_child_value (parameters, 0);
  g_autofree const char **properties = NULL;
  g_autofree const char **states = NULL;
  g_autofree char *after_id = NULL;
  Listing listing = { .call = call };
  const char *after = NULL;
  GError *error = NULL;
  guint32 uid;

  if (!tfd_options_check (filter, tfd_list_jobs_options, &error))
    {
      tfd_call_fail (call, error);
      return;
    }
  if (!tfd_administrators_read (call, filter, &uid))
    return;
  listing.all_users = uid == TFD_ALL_USERS;
  g_variant_lookup (filter, "properties", "^a&s", &properties);
  g_variant_lookup (filter, "states", "^a&s", &states);
  g_variant_lookup (filter, "display-name", "&s", &listing.pattern);
  g_variant_lookup (filter, "limit", "u", &listing.limit);
  listing.properties = properties != NULL ? properties : defaults;
  listing.states = states;
  if (g_variant_lookup (filter, "after", "&o", &after))
    {
      TfdJob *job = tfd_access_find_job (call, after, &error);

      after_id = job != NULL ? g_strdup (tfd_job_id (job)) : NULL;
    }
  if (error != NULL || !check_properties (listing.properties, &error) ||
      !check_states (listing.states, &error))
    {
      tfd_call_fail (call, error);
      return;
    }

  tfd_rows_init (&listing.rows, "a(oa{sv})");
  tfd_engine_foreach_job (call->bus->engine, uid, after_id, list_job_cb, &listing);
  tfd_call_return (call, g_variant_new ("(@a(oa{sv}))", tfd_rows_end (&listing.rows)));
}

/* ---- ListFiles ---- */

static GVariant *
describe_file (const TfdFileRecord *file)
{
  g_auto (GVariantDict) details = G_VARIANT_DICT_INIT (NULL);
  g_autofree char *url = g_utf8_make_valid (file->url, -1);
  gboolean utf8 = g_utf8_validate (file->path, -1, NULL);

  if (!utf8)
    g_variant_dict_insert_value (&details, "path", g_variant_new_bytestring (file->path));
  if (file->target != NULL && file->state == TFD_FILE_STATE_COMPLETED)
    {
      g_autofree char *target = g_filename_display_name (file->target);

      g_variant_dict_insert (&details, "final-path", "s", target);
    }
  if (tfd_file_is_validated (file))
    g_variant_dict_insert (&details, "validated", "b", TRUE);
  return g_variant_new (
      "(usstts@a{sv})", file->index, url, utf8 ? file->path : "", file->transferred, file->total,
      tfd_enum_to_string (TFD_TYPE_FILE_STATE, file->state), g_variant_dict_end (&details));
}

/* Rows that are read from the database at a time: the answer may end long before the last file. */
#define FILES_AT_A_TIME 4096

void
tfd_job_list_files (TfdCall *call, GVariant *parameters)
{
  g_auto (TfdRows) rows = { 0 };
  GError *error = NULL;
  guint32 next, left;
  gsize size = 0;

  g_variant_get (parameters, "(uu)", &next, &left);
  if (left == 0)
    left = G_MAXUINT32;
  tfd_rows_init (&rows, "a(ussttsa{sv})");
  while (left > 0 && size < TFD_MAX_MESSAGE)
    {
      guint32 want = MIN (left, FILES_AT_A_TIME);
      g_autoptr (GPtrArray) files =
          tfd_engine_list_files (call->bus->engine, call->job, next, want, &error);

      if (files == NULL)
        {
          tfd_call_fail (call, error);
          return;
        }
      for (guint i = 0; i < files->len && size < TFD_MAX_MESSAGE; i++)
        size = tfd_rows_add (&rows, describe_file (files->pdata[i]));
      next += files->len;
      left -= files->len;
      if (files->len < want)
        break;
    }
  tfd_call_return (call, g_variant_new ("(@a(ussttsa{sv}))", tfd_rows_end (&rows)));
}

/* ---- GetJobHistory ---- */

/* The rows of @list, a(us), for which a reply has room; floating. */
static GVariant *
first_rows (GVariant *list)
{
  const gsize room = TFD_MAX_MESSAGE / 2;
  GVariantBuilder builder;
  GVariantIter iter;
  GVariant *row;
  gsize size = 0;

  g_variant_builder_init (&builder, G_VARIANT_TYPE ("a(us)"));
  g_variant_iter_init (&iter, list);
  while (size < room && (row = g_variant_iter_next_value (&iter)) != NULL)
    {
      size += g_variant_get_size (row) + 8;
      g_variant_builder_add_value (&builder, row);
      g_variant_unref (row);
    }
  return g_variant_builder_end (&builder);
}

static GVariant *
describe_tombstone (const TfdTombstone *tombstone, gboolean files)
{
  static const char *const none[] = { NULL };
  g_auto (GVariantDict) dict = G_VARIANT_DICT_INIT (NULL);
  const char *const *undeleted =
      tombstone->undeleted != NULL ? (const char *const *) tombstone->undeleted : none;

  g_variant_dict_insert (&dict, "result", "s",
                         tfd_enum_to_string (TFD_TYPE_RESULT, tombstone->result));
  g_variant_dict_insert (&dict, "display-name", "s", tombstone->display_name);
  g_variant_dict_insert (&dict, "type", "s",
                         tfd_enum_to_string (TFD_TYPE_JOB_TYPE, tombstone->type));
  g_variant_dict_insert (&dict, "ended", "t", (guint64) tombstone->ended);
  g_variant_dict_insert (&dict, "error", "s",
                         tombstone->error_name != NULL ? tombstone->error_name : "");
  g_variant_dict_insert (&dict, "kept-count", "u", tombstone->kept_count);
  g_variant_dict_insert (&dict, "discarded-count", "u", tombstone->discarded_count);
  g_variant_dict_insert_value (&dict, "undeleted",
                               tfd_bus_list_paths (undeleted, g_strv_length ((char **) undeleted)));
  if (files && tombstone->kept != NULL)
    g_variant_dict_insert_value (&dict, "kept", first_rows (tombstone->kept));
  if (files && tombstone->discarded != NULL)
    g_variant_dict_insert_value (&dict, "discarded", first_rows (tombstone->discarded));
  return g_variant_new ("(s@a{sv})", tombstone->id, g_variant_dict_end (&dict));
}

static gboolean
read_history_filter (GVariant *filter,
                     TfdTombstoneFilter *wanted,
                     const char ***ids,
                     GError **error)
{
  guint64 since = 0;

  if (!tfd_options_check (filter, tfd_history_options, error))
    return FALSE;
  g_variant_lookup (filter, "ids", "^a&s", ids);
  g_variant_lookup (filter, "since", "t", &since);
  g_variant_lookup (filter, "limit", "u", &wanted->limit);
  g_variant_lookup (filter, "after", "&s", &wanted->after);
  g_variant_lookup (filter, "files", "b", &wanted->files);
  wanted->since = (gint64) MIN (since, (guint64) G_MAXINT64);
  wanted->ids = *ids;
  if (wanted->files && (*ids == NULL || g_strv_length ((char **) *ids) != 1))
    {
      g_set_error_literal (error, TFD_ERROR, TFD_ERROR_INVALID_ARGS,
                           "‘files’ needs exactly one id in ‘ids’");
      return FALSE;
    }
  return TRUE;
}

/* Ids as people write them, as they are stored; what is no id matches nothing. */
static char **
normalise_ids (const char *const *ids)
{
  GPtrArray *normal = g_ptr_array_new ();

  for (gsize i = 0; ids[i] != NULL; i++)
    {
      char *id = tfd_job_id_parse (ids[i]);

      g_ptr_array_add (normal, id != NULL ? id : g_strdup (ids[i]));
    }
  g_ptr_array_add (normal, NULL);
  return (char **) g_ptr_array_free (normal, FALSE);
}

void
tfd_manager_get_job_history (TfdCall *call, GVariant *parameters)
{
  g_autoptr (GVariant) filter = g_variant_get_child_value (parameters, 0);
  g_autofree const char **ids = NULL;
  g_auto (GStrv) normal = NULL;
  g_autofree char *after = NULL;
  TfdTombstoneFilter wanted = { 0 };
  g_autoptr (GPtrArray) tombstones = NULL;
  g_auto (TfdRows) rows = { 0 };
  GError *error = NULL;
  gsize size = 0;

  if (!read_history_filter (filter, &wanted, &ids, &error))
    {
      tfd_call_fail (call, error);
      return;
    }
  if (ids != NULL)
    wanted.ids = (const char *const *) (normal = normalise_ids (ids));
  if (wanted.after != NULL)
    wanted.after = after = tfd_job_id_parse (wanted.after);
  /* more of them than fit need not be read */
  if (wanted.limit == 0 || wanted.limit > MOST_TOMBSTONES)
    wanted.limit = MOST_TOMBSTONES;
  wanted.sandbox = tfd_peer_is_sandboxed (call->peer) ? call->peer->sandbox : NULL;
  tombstones = tfd_store_load_tombstones (tfd_engine_get_store (call->bus->engine), call->peer->uid,
                                          &wanted, &error);
  if (tombstones == NULL)
    {
      tfd_call_fail (call, error);
      return;
    }
  tfd_rows_init (&rows, "a(sa{sv})");
  for (guint i = 0; i < tombstones->len && size < TFD_MAX_MESSAGE; i++)
    size = tfd_rows_add (&rows, describe_tombstone (tombstones->pdata[i], wanted.files));
  tfd_call_return (call, g_variant_new ("(@a(sa{sv}))", tfd_rows_end (&rows)));
}
