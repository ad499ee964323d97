/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Outcome: the replies of Complete and Cancel, for one job and for many. */
#include "config.h"

#include "bus/bus-private.h"

/* @names (nullable) are those of all. */
static GVariant *
name_files (TfdJobType type, GArray *indices, GPtrArray *files, GVariant *names)
{
  GVariantBuilder builder;
  gsize size = 0;

  if (names != NULL && g_variant_get_size (names) < TFD_MAX_MESSAGE / 4)
    return names;
  g_variant_builder_init (&builder, G_VARIANT_TYPE ("a(us)"));
  /* a reply that is too large would throw the service off the bus: the history has more, and
   * right counts in any case */
  for (guint i = 0; files != NULL && i < indices->len && size < TFD_MAX_MESSAGE / 4; i++)
    {
      guint32 index = g_array_index (indices, guint32, i);
      const TfdFileRecord *file = index < files->len ? files->pdata[index] : NULL;
      g_autofree char *path = NULL;

      if (file == NULL)
        continue;
      path = g_utf8_make_valid (file->target != NULL ? file->target : file->path, -1);
      size += strlen (path) + 16;
      g_variant_builder_add (&builder, "(us)", tfd_file_shown_index (type, index), path);
    }
  return g_variant_builder_end (&builder);
}

GVariant *
tfd_bus_list_paths (const char *const *paths, gsize n_paths)
{
  gsize n = 0;

  for (gsize size = 0; n < n_paths && size < TFD_MAX_MESSAGE / 4; n++)
    size += strlen (paths[n]) + 8;
  return g_variant_new_strv (paths, (gssize) n);
}

GVariant *
tfd_bus_describe_outcome (TfdJob *job, const TfdOutcome *outcome)
{
  g_auto (GVariantDict) details = G_VARIANT_DICT_INIT (NULL);
  GPtrArray *files = tfd_job_peek_files (job);
  TfdJobType type = tfd_job_record (job)->type;

  if (outcome->result != TFD_RESULT_CANCELLED)
    {
      g_variant_dict_insert_value (&details, "kept",
                                   name_files (type, outcome->kept, files, outcome->kept_names));
      g_variant_dict_insert_value (&details, "discarded",
                                   name_files (type, outcome->discarded, files, NULL));
      g_variant_dict_insert_value (&details, "moved",
                                   name_files (type, outcome->moved, files, NULL));
    }
  g_variant_dict_insert_value (&details, "undeleted",
                               tfd_bus_list_paths ((const char *const *) outcome->undeleted->pdata,
                                                   outcome->undeleted->len));
  return g_variant_new ("(s@a{sv})", tfd_enum_to_string (TFD_TYPE_RESULT, outcome->result),
                        g_variant_dict_end (&details));
}

/* ---- CompleteJobs, CancelJobs ---- */

/* The reply has a row for each: it must stay below the size at which the bus gives up on us. */
#define MAX_BULK 20000

typedef struct
{
  TfdCall *call; /* (owned) until it is answered */
  gboolean cancel;
  GVariant *options; /* (owned) */
  char **paths;      /* (owned) */
  guint n_paths;
  guint left;
  const char **result; /* (owned), per path */
  char **error;        /* (owned) of (owned) names */
} Bulk;

typedef struct
{
  Bulk *bulk;
  guint index;
  gboolean begun;
} BulkItem;

static void
bulk_done (Bulk *bulk)
{
  GVariantBuilder rows;

  if (--bulk->left > 0)
    return;
  g_variant_builder_init (&rows, G_VARIANT_TYPE ("a(oss)"));
  for (guint i = 0; i < bulk->n_paths; i++)
    {
      g_variant_builder_add (&rows, "(oss)", bulk->paths[i],
                             bulk->result[i] != NULL ? bulk->result[i] : "",
                             bulk->error[i] != NULL ? bulk->error[i] : "");
      g_free (bulk->error[i]);
    }
  tfd_call_return (bulk->call, g_variant_new ("(a(oss))", &rows));
  g_strfreev (bulk->paths);
  g_free (bulk->result);
  g_free (bulk->error);
  g_variant_unref (bulk->options);
  g_free (bulk);
}

static void
set_error_name (Bulk *bulk, guint index, const GError *error)
{
  TfdErrorCode code =
      error->domain == TFD_ERROR ? (TfdErrorCode) error->code : TFD_ERROR_STORAGE_FAILED;

  bulk->error[index] = g_strdup (tfd_error_code_to_name (code));
}

static void
bulk_outcome_cb (TfdJob *job G_GNUC_UNUSED,
                 const TfdOutcome *outcome,
                 const GError *error,
                 gpointer data)
{
  BulkItem *item = data;
  Bulk *bulk = item->bulk;

  if (outcome != NULL)
    bulk->result[item->index] = tfd_enum_to_string (TFD_TYPE_RESULT, outcome->result);
  else
    set_error_name (bulk, item->index, error);
  g_free (item);
  bulk_done (bulk);
}

static void
bulk_begin_cb (TfdJob *job, gpointer data)
{
  BulkItem *item = data;
  TfdEngine *engine = item->bulk->call->bus->engine;
  g_autofree char *path = tfd_job_path (tfd_job_id (job));
  g_autoptr (GError) error = NULL;

  item->begun = TRUE;
  /* it may have become another's while it was waited for */
  if (tfd_access_find_job (item->bulk->call, path, &error) == NULL)
    {
      bulk_outcome_cb (job, NULL, error, item);
      return;
    }
  if (item->bulk->cancel)
    tfd_engine_cancel (engine, job, bulk_outcome_cb, item);
  else
    tfd_engine_complete (engine, job, item->bulk->options, bulk_outcome_cb, item);
}

static void
bulk_item (Bulk *bulk, guint index)
{
  g_autoptr (GError) error = NULL;
  TfdJob *job = tfd_access_find_job (bulk->call, bulk->paths[index], &error);
  BulkItem *item;

  if (job == NULL)
    {
      set_error_name (bulk, index, error);
      bulk_done (bulk);
      return;
    }
  item = g_new0 (BulkItem, 1);
  item->bulk = bulk;
  item->index = index;
  if (tfd_engine_is_busy (bulk->call->bus->engine, job))
    tfd_engine_when_free (bulk->call->bus->engine, job, bulk_begin_cb, item, NULL);
  else
    bulk_begin_cb (job, item);
}

static void
bulk_call (TfdCall *call, GVariant *parameters, gboolean cancel)
{
  g_autoptr (GVariant) options = NULL;
  g_auto (GStrv) paths = NULL;
  GError *error = NULL;
  Bulk *bulk;

  g_variant_get (parameters, "(^ao@a{sv})", &paths, &options);
  if (!tfd_options_check (options, cancel ? tfd_no_options : tfd_complete_options, &error))
    {
      tfd_call_fail (call, error);
      return;
    }
  if (g_strv_length (paths) > MAX_BULK)
    {
      tfd_call_fail_code (call, TFD_ERROR_LIMITS_EXCEEDED,
                          "%u jobs in one call, at most %d are allowed: use several calls",
                          g_strv_length (paths), MAX_BULK);
      return;
    }
  if (tfd_administrators_ask_about (call, paths))
    return;
  bulk = g_new0 (Bulk, 1);
  bulk->call = call;
  bulk->cancel = cancel;
  bulk->n_paths = g_strv_length (paths);
  bulk->paths = g_steal_pointer (&paths);
  bulk->options = g_steal_pointer (&options);
  bulk->result = g_new0 (const char *, bulk->n_paths + 1);
  bulk->error = g_new0 (char *, bulk->n_paths + 1);
  bulk->left = bulk->n_paths + 1;
  for (guint i = 0, n = bulk->n_paths; i < n; i++)
    bulk_item (bulk, i);
  bulk_done (bulk);
}

void
tfd_manager_complete_jobs (TfdCall *call, GVariant *parameters)
{
  bulk_call (call, parameters, FALSE);
}

void
tfd_manager_cancel_jobs (TfdCall *call, GVariant *parameters)
{
  bulk_call (call, parameters, TRUE);
}
