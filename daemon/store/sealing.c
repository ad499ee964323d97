/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Sealing: secrets in the database. Their plain form is written nowhere: neither to the database
 * nor to its log. */
#include "config.h"

#include "store/statement.h"

#include "base/log.h"

/* Of a run; see the interface of the worker. What headers say is known by their owner only. */
static const char *const secret_options[] = { "headers", "credentials" };

gboolean
tfd_store_prepare_secrets (TfdStore *store, GError **error)
{
  if (store->secrets == NULL)
    store->secrets = tfd_secrets_new (store->state_dir, g_getenv ("CREDENTIALS_DIRECTORY"), error);
  return store->secrets != NULL;
}

gboolean
tfd_store_seal (
    TfdStore *store, GVariant *plain, const char *job_id, GBytes **sealed, GError **error)
{
  g_autoptr (GVariant) owner = plain != NULL ? g_variant_ref_sink (plain) : NULL;
  g_autoptr (GBytes) bytes = NULL;

  *sealed = NULL;
  if (owner == NULL)
    return TRUE;
  if (!tfd_store_prepare_secrets (store, error))
    return FALSE;
  bytes = g_variant_get_data_as_bytes (owner);
  *sealed = tfd_secrets_seal (store->secrets, bytes, job_id, error);
  return *sealed != NULL;
}

GVariant *
tfd_store_unseal (TfdStore *store, GBytes *sealed, const char *job_id, gboolean *lost)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) plain = NULL;

  *lost = FALSE;
  if (!tfd_store_prepare_secrets (store, &error))
    {
      tfd_warning ("%s", error->message);
      return NULL;
    }
  plain = tfd_secrets_unseal (store->secrets, sealed, job_id, &error);
  *lost = plain == NULL;
  return plain != NULL
             ? g_variant_ref_sink (g_variant_new_from_bytes (G_VARIANT_TYPE_VARDICT, plain, FALSE))
             : NULL;
}

/* ---- options of a run ---- */

static gboolean
is_secret (const char *name)
{
  for (gsize i = 0; i < G_N_ELEMENTS (secret_options); i++)
    if (g_str_equal (name, secret_options[i]))
      return TRUE;
  return FALSE;
}

static void
add_entries (GVariantBuilder *builder, GVariant *options, gboolean secret)
{
  GVariantIter iter;
  const char *name;
  GVariant *value;

  g_variant_iter_init (&iter, options);
  while (g_variant_iter_loop (&iter, "{&sv}", &name, &value))
    if (is_secret (name) == secret)
      g_variant_builder_add (builder, "{sv}", name, value);
}

/* The entries that are secret, or those that are not. (transfer full) */
static GVariant *
pick (GVariant *options, gboolean secret)
{
  GVariantBuilder builder;

  g_variant_builder_init (&builder, G_VARIANT_TYPE_VARDICT);
  add_entries (&builder, options, secret);
  return g_variant_ref_sink (g_variant_builder_end (&builder));
}

void
tfd_store_part_options (GVariant *options, GVariant **open, GVariant **secret)
{
  *open = *secret = NULL;
  if (options == NULL)
    return;
  *open = pick (options, FALSE);
  *secret = pick (options, TRUE);
  if (g_variant_n_children (*secret) == 0)
    g_clear_pointer (secret, g_variant_unref);
}

GVariant *
tfd_store_join_options (GVariant *open, GVariant *secret)
{
  GVariantBuilder builder;

  if (secret == NULL)
    return open != NULL ? g_variant_ref (open) : NULL;
  g_variant_builder_init (&builder, G_VARIANT_TYPE_VARDICT);
  if (open != NULL)
    add_entries (&builder, open, FALSE);
  add_entries (&builder, secret, TRUE);
  return g_variant_ref_sink (g_variant_builder_end (&builder));
}

/* ---- of a version before ---- */

/* By their text first: to read the rows of all jobs would take longer. */
#define HAS(column, word) "instr (" column ", CAST ('" word "' AS BLOB)) > 0"

static const char jobs_sql[] = "SELECT id, properties FROM jobs WHERE secrets IS NULL AND (" HAS (
    "properties", "credentials") " OR " HAS ("properties", "HeadersWriteOnly") ")";
static const char leftovers_sql[] =
    "SELECT number, job_id, options FROM leftovers WHERE secrets IS NULL"
    " AND options IS NOT NULL AND (" HAS ("options", "credentials") " OR " HAS ("options",
                                                                                "headers") ")";
static const char seal_leftover_sql[] =
    "UPDATE leftovers SET options = ?2, secrets = ?3 WHERE number = ?1";

static gboolean
find_jobs (TfdStore *store, GPtrArray *ids, GError **error)
{
  g_auto (TfdStatement) statement = TFD_STATEMENT_INIT;
  gboolean row = TRUE;

  if (!tfd_statement_init (&statement, store, jobs_sql, error))
    return FALSE;
  while (tfd_statement_step (&statement, &row, error) && row)
    {
      g_autofree char *id = tfd_read_text (&statement);
      g_autoptr (GVariant) properties = tfd_read_variant (&statement, G_VARIANT_TYPE_VARDICT);

      if (id != NULL && tfd_job_properties_have_plain_secrets (properties))
        g_ptr_array_add (ids, g_steal_pointer (&id));
    }
  return !row;
}

typedef struct
{
  gint64 number;
  char *job_id;
  GVariant *options;
} Old;

static void
old_free (gpointer data)
{
  Old *old = data;

  g_free (old->job_id);
  g_clear_pointer (&old->options, g_variant_unref);
  g_free (old);
}

static gboolean
find_leftovers (TfdStore *store, GPtrArray *found, GError **error)
{
  g_auto (TfdStatement) statement = TFD_STATEMENT_INIT;
  gboolean row = TRUE;

  if (!tfd_statement_init (&statement, store, leftovers_sql, error))
    return FALSE;
  while (tfd_statement_step (&statement, &row, error) && row)
    {
      Old *old = g_new0 (Old, 1);

      old->number = tfd_read_int (&statement);
      old->job_id = tfd_read_text (&statement);
      old->options = tfd_read_variant (&statement, G_VARIANT_TYPE_VARDICT);
      if (old->job_id != NULL && old->options != NULL)
        g_ptr_array_add (found, old);
      else
        old_free (old);
    }
  return !row;
}

/* Writing it again seals it. */
static gboolean
seal_job (TfdStore *store, const char *id, GError **error)
{
  g_autoptr (GError) problem = NULL;
  g_autoptr (TfdJobRecord) job = tfd_store_load_job (store, id, &problem);

  /* what nobody understands stays what it is */
  return job == NULL || tfd_store_update_job (store, job, error);
}

static gboolean
seal_leftover (TfdStore *store, const Old *old, GError **error)
{
  g_auto (TfdStatement) statement = TFD_STATEMENT_INIT;
  g_autoptr (GVariant) open = NULL;
  g_autoptr (GVariant) secret = NULL;
  g_autoptr (GBytes) sealed = NULL;

  tfd_store_part_options (old->options, &open, &secret);
  if (secret == NULL)
    return TRUE;
  if (!tfd_store_seal (store, secret, old->job_id, &sealed, error) ||
      !tfd_statement_init_write (&statement, store, seal_leftover_sql, error))
    return FALSE;
  tfd_bind_int (&statement, old->number);
  tfd_bind_variant (&statement, open);
  tfd_bind_bytes (&statement, sealed);
  return tfd_statement_run (&statement, error);
}

/* Every page is written anew, and the log with the old ones is cut off. */
static void
wipe_traces (TfdStore *store)
{
  int result =
      sqlite3_exec (store->db, "VACUUM; PRAGMA wal_checkpoint (TRUNCATE);", NULL, NULL, NULL);

  if (result != SQLITE_OK)
    tfd_warning ("passwords of before may still stand in unused parts of the database: %s",
                 sqlite3_errmsg (store->db));
}

gboolean
tfd_store_seal_old (TfdStore *store, GError **error)
{
  g_autoptr (GPtrArray) jobs = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GPtrArray) leftovers = g_ptr_array_new_with_free_func (old_free);

  if (!find_jobs (store, jobs, error) || !find_leftovers (store, leftovers, error))
    return FALSE;
  if (jobs->len + leftovers->len == 0)
    return TRUE;

  for (guint i = 0; i < jobs->len; i++)
    if (!seal_job (store, jobs->pdata[i], error))
      return FALSE;
  for (guint i = 0; i < leftovers->len; i++)
    if (!seal_leftover (store, leftovers->pdata[i], error))
      return FALSE;
  if (!tfd_store_commit (store, error))
    return FALSE;
  wipe_traces (store);
  tfd_info ("sealed the secrets of %u jobs in the database", jobs->len + leftovers->len);
  return TRUE;
}
