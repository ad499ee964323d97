/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Jobs: the table of jobs. bind_job () and read_job () follow the order of JOB_COLUMNS. */
#include "config.h"

#include "store/statement.h"

#include "base/log.h"

/* clang-format off */
#define JOB_COLUMNS                                                                                \
  "id, type, state, operation, operation_options, owner_uid, owner_name, properties,"              \
  " creation_time, modification_time, completion_time,"                                            \
  " failure_name, failure_context, failure_transient, failure_file, failure_http_status,"          \
  " failure_retry_after, failure_message, error_count, retry_attempt, retry_at, boot_id,"          \
  " no_progress_since, active_time, last_activity, resumed, files_total, files_transferred,"       \
  " bytes_total, bytes_transferred, counts, gone_since, sandbox, secrets"
#define JOB_VALUES                                                                                 \
  "(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20,"    \
  " ?21, ?22, ?23, ?24, ?25, ?26, ?27, ?28, ?29, ?30, ?31, ?32, ?33, ?34)"
/* clang-format on */

static const char insert_sql[] = "INSERT INTO jobs (" JOB_COLUMNS ") VALUES " JOB_VALUES;
/* Without those that are in an index: SQLite would write its entries anew, each on another page. */
static const char update_sql[] =
    "UPDATE jobs SET (type, state, operation, operation_options, owner_name, properties,"
    " creation_time, modification_time, completion_time,"
    " failure_name, failure_context, failure_transient, failure_file, failure_http_status,"
    " failure_retry_after, failure_message, error_count, retry_attempt, retry_at, boot_id,"
    " no_progress_since, active_time, last_activity, resumed, files_total, files_transferred,"
    " bytes_total, bytes_transferred, gone_since, sandbox, secrets)"
    " = (?2, ?3, ?4, ?5, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21,"
    " ?22, ?23, ?24, ?25, ?26, ?27, ?28, ?29, ?30, ?32, ?33, ?34) WHERE id = ?1";
static const char owner_sql[] = "UPDATE jobs SET (owner_uid, counts) = (?2, ?3) WHERE id = ?1";
static const char delete_sql[] = "DELETE FROM jobs WHERE id = ?1";
static const char load_sql[] = "SELECT " JOB_COLUMNS " FROM jobs WHERE id = ?1";
static const char load_all_sql[] =
    "SELECT " JOB_COLUMNS " FROM jobs WHERE ended = 0 ORDER BY number";

static void
bind_failure (TfdStatement *statement, const TfdFailure *failure)
{
  tfd_bind_text (statement, tfd_error_code_to_name (failure->code));
  tfd_bind_enum (statement, TFD_TYPE_ERROR_CONTEXT, (int) failure->context);
  tfd_bind_int (statement, failure->transient != FALSE);
  tfd_bind_int (statement, failure->file);
  tfd_bind_int (statement, failure->http_status);
  tfd_bind_int (statement, (gint64) failure->retry_after);
  tfd_bind_text (statement, failure->message);
}

static void
read_failure (TfdStatement *statement, TfdFailure *failure)
{
  g_autofree char *name = tfd_read_text (statement);

  if (name == NULL || !tfd_error_code_from_name (name, &failure->code))
    statement->bad++;
  failure->context = (TfdErrorContext) tfd_read_enum (statement, TFD_TYPE_ERROR_CONTEXT);
  failure->transient = tfd_read_int (statement) != 0;
  failure->file = tfd_read_uint32 (statement);
  failure->http_status = tfd_read_uint32 (statement);
  failure->retry_after = (guint64) tfd_read_int (statement);
  failure->message = tfd_read_text (statement);
}

static void
bind_job (TfdStatement *statement, const TfdJobRecord *job, GVariant *properties, GBytes *secrets)
{
  tfd_bind_text (statement, job->id);
  tfd_bind_enum (statement, TFD_TYPE_JOB_TYPE, (int) job->type);
  tfd_bind_enum (statement, TFD_TYPE_JOB_STATE, (int) job->state);
  tfd_bind_enum (statement, TFD_TYPE_OPERATION, (int) job->operation);
  tfd_bind_variant (statement, job->operation_options);
  tfd_bind_int (statement, job->owner_uid);
  tfd_bind_text (statement, job->owner_name);
  tfd_bind_variant (statement, properties);
  tfd_bind_int (statement, job->creation_time);
  tfd_bind_int (statement, job->modification_time);
  tfd_bind_int (statement, job->completion_time);
  bind_failure (statement, &job->failure);
  tfd_bind_int (statement, job->error_count);
  tfd_bind_int (statement, job->retry_attempt);
  tfd_bind_int (statement, job->retry_at);
  tfd_bind_text (statement, job->boot_id);
  tfd_bind_int (statement, job->no_progress_since);
  tfd_bind_int (statement, (gint64) job->active_time);
  tfd_bind_int (statement, job->last_activity);
  tfd_bind_int (statement, job->resumed != FALSE);
  tfd_bind_int (statement, job->files_total);
  tfd_bind_int (statement, job->files_transferred);
  tfd_bind_int (statement, (gint64) job->bytes_total);
  tfd_bind_int (statement, (gint64) job->bytes_transferred);
  tfd_bind_int (statement, job->counts != FALSE);
  tfd_bind_int (statement, job->gone_since);
  tfd_bind_text (statement, job->sandbox);
  tfd_bind_bytes (statement, secrets);
}

/* Without a key at present the row is left alone: with one it can be understood again. */
static void
read_secrets (TfdStatement *statement, TfdJobRecord *job)
{
  g_autoptr (GBytes) sealed = tfd_read_bytes (statement);
  g_autoptr (GVariant) secrets = NULL;

  if (sealed == NULL || statement->bad > 0)
    return;
  secrets = tfd_store_unseal (statement->store, sealed, job->id, &job->secrets_lost);
  if (secrets != NULL)
    tfd_job_properties_restore (job->properties, secrets);
  else if (!job->secrets_lost)
    statement->bad++;
}

/* NULL when this version cannot understand the row. */
static TfdJobRecord *
read_job (TfdStatement *statement)
{
  g_autoptr (TfdJobRecord) job = g_new0 (TfdJobRecord, 1);

  job->id = tfd_read_text (statement);
  job->type = (TfdJobType) tfd_read_enum (statement, TFD_TYPE_JOB_TYPE);
  job->state = (TfdJobState) tfd_read_enum (statement, TFD_TYPE_JOB_STATE);
  job->operation = (TfdOperation) tfd_read_enum (statement, TFD_TYPE_OPERATION);
  job->operation_options = tfd_read_variant (statement, G_VARIANT_TYPE_VARDICT);
  job->owner_uid = tfd_read_uint32 (statement);
  job->owner_name = tfd_read_text (statement);
  g_autoptr (GVariant) properties = tfd_read_variant (statement, G_VARIANT_TYPE_VARDICT);
  job->creation_time = tfd_read_int (statement);
  job->modification_time = tfd_read_int (statement);
  job->completion_time = tfd_read_int (statement);
  read_failure (statement, &job->failure);
  job->error_count = tfd_read_uint32 (statement);
  job->retry_attempt = tfd_read_uint32 (statement);
  job->retry_at = tfd_read_int (statement);
  job->boot_id = tfd_read_text (statement);
  job->no_progress_since = tfd_read_int (statement);
  job->active_time = (guint64) tfd_read_int (statement);
  job->last_activity = tfd_read_int (statement);
  job->resumed = tfd_read_int (statement) != 0;
  job->files_total = tfd_read_uint32 (statement);
  job->files_transferred = tfd_read_uint32 (statement);
  job->bytes_total = (guint64) tfd_read_int (statement);
  job->bytes_transferred = (guint64) tfd_read_int (statement);
  job->counts = tfd_read_int (statement) != 0;
  job->gone_since = tfd_read_int (statement);
  job->sandbox = tfd_read_text (statement);

  if (statement->bad == 0 && properties != NULL)
    job->properties = tfd_job_properties_deserialize (properties);
  if (job->properties != NULL)
    read_secrets (statement, job);
  return job->properties != NULL && statement->bad == 0 ? g_steal_pointer (&job) : NULL;
}

static gboolean
write_job (TfdStore *store, const char *sql, const TfdJobRecord *job, GError **error)
{
  g_auto (TfdStatement) statement = TFD_STATEMENT_INIT;
  g_autoptr (GVariant) properties = tfd_job_properties_serialize (job->properties);
  g_autoptr (GBytes) secrets = NULL;

  g_variant_ref_sink (properties);
  if (!tfd_store_seal (store, tfd_job_properties_serialize_secrets (job->properties), job->id,
                       &secrets, error))
    return FALSE;
  if (!tfd_statement_init_write (&statement, store, sql, error))
    return FALSE;
  bind_job (&statement, job, properties, secrets);
  gboolean written = tfd_statement_run (&statement, error);
  tfd_statement_clear (&statement);
  return written;
}

static gboolean
not_found (const char *job_id, GError **error)
{
  g_set_error (error, TFD_ERROR, TFD_ERROR_NOT_FOUND, "no job ‘%s’ in the database", job_id);
  return FALSE;
}

gboolean
tfd_store_insert_job (TfdStore *store, const TfdJobRecord *job, GError **error)
{
  return write_job (store, insert_sql, job, error);
}

gboolean
tfd_store_update_job (TfdStore *store, const TfdJobRecord *job, GError **error)
{
  if (!write_job (store, update_sql, job, error))
    return FALSE;
  return sqlite3_changes (store->db) == 1 || not_found (job->id, error);
}

gboolean
tfd_store_update_owner (TfdStore *store, const TfdJobRecord *job, GError **error)
{
  g_auto (TfdStatement) statement = TFD_STATEMENT_INIT;

  if (!tfd_statement_init_write (&statement, store, owner_sql, error))
    return FALSE;
  tfd_bind_text (&statement, job->id);
  tfd_bind_int (&statement, job->owner_uid);
  tfd_bind_int (&statement, job->counts != FALSE);
  return tfd_statement_run (&statement, error) &&
         (sqlite3_changes (store->db) == 1 || not_found (job->id, error));
}

gboolean
tfd_store_delete_job (TfdStore *store, const char *job_id, GError **error)
{
  g_auto (TfdStatement) statement = TFD_STATEMENT_INIT;

  if (!tfd_statement_init_write (&statement, store, delete_sql, error))
    return FALSE;
  tfd_bind_text (&statement, job_id);
  return tfd_statement_run (&statement, error);
}

GPtrArray *
tfd_store_load_jobs (TfdStore *store, GError **error)
{
  g_autoptr (GPtrArray) jobs =
      g_ptr_array_new_with_free_func ((GDestroyNotify) tfd_job_record_free);
  g_auto (TfdStatement) statement = TFD_STATEMENT_INIT;
  gboolean row = FALSE;

  if (!tfd_statement_init (&statement, store, load_all_sql, error))
    return NULL;

  while (TRUE)
    {
      if (!tfd_statement_step (&statement, &row, error))
        return NULL;
      if (!row)
        break;

      TfdJobRecord *job = read_job (&statement);
      if (job != NULL)
        g_ptr_array_add (jobs, job);
      else
        tfd_warning ("job ‘%s’ in the database cannot be understood and is left alone",
                     (const char *) sqlite3_column_text (statement.stmt, 0));
    }
  /* pages of which all has been read now */
  tfd_statement_clear (&statement);
  tfd_store_release_memory (store);
  return g_steal_pointer (&jobs);
}

TfdJobRecord *
tfd_store_load_job (TfdStore *store, const char *job_id, GError **error)
{
  g_auto (TfdStatement) statement = TFD_STATEMENT_INIT;
  gboolean row = FALSE;

  if (!tfd_statement_init (&statement, store, load_sql, error))
    return NULL;
  tfd_bind_text (&statement, job_id);
  if (!tfd_statement_step (&statement, &row, error))
    return NULL;
  if (!row)
    {
      not_found (job_id, error);
      return NULL;
    }

  TfdJobRecord *job = read_job (&statement);
  if (job == NULL)
    g_set_error (error, TFD_ERROR, TFD_ERROR_STORAGE_FAILED,
                 "job ‘%s’ in the database cannot be understood", job_id);
  return job;
}
