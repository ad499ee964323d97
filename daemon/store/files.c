/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Files: the table of files. bind_file () and read_file () follow the order of TFD_FILE_COLUMNS. */
#include "config.h"

#include "store/file-rows.h"
#include "store/statement.h"

/* Fewer are written one by one. */
#define MANY 4

#define FILE_VALUES "?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13"
#define JOB_NUMBER "(SELECT number FROM jobs WHERE id = ?1)"

static const char job_number_sql[] = "SELECT number FROM jobs WHERE id = ?1";
static const char insert_sql[] =
    "INSERT INTO files (job, " TFD_FILE_COLUMNS ") VALUES (?1, " FILE_VALUES ")";
static const char insert_many_sql[] = "INSERT INTO files (job, " TFD_FILE_COLUMNS ")"
                                      " SELECT ?1, " TFD_FILE_COLUMNS " FROM file_rows (?2)";
static const char update_sql[] = "UPDATE files SET (" TFD_FILE_COLUMNS ") = (" FILE_VALUES ")"
                                 " WHERE job = " JOB_NUMBER " AND number = ?2";
static const char progress_sql[] =
    "UPDATE files SET (state, transferred, total, part) = (?3, ?4, ?5, ?6)"
    " WHERE job = " JOB_NUMBER " AND number = ?2";
static const char complete_sql[] = "UPDATE files SET state = ?4"
                                   " WHERE job = " JOB_NUMBER " AND number >= ?2 AND number < ?3";
static const char load_sql[] = "SELECT " TFD_FILE_COLUMNS " FROM files"
                               " WHERE job = " JOB_NUMBER " AND number >= ?2"
                               " ORDER BY number LIMIT ?3";
static const char measure_sql[] =
    "SELECT coalesce ((SELECT sum (length (CAST (url AS BLOB)) + length (path) +"
    " coalesce (length (options), 0) + ?2) FROM files"
    " WHERE job IN (SELECT number FROM jobs WHERE owner_uid = ?1)), 0) +"
    " coalesce ((SELECT sum (length (properties) + ?3) FROM jobs WHERE owner_uid = ?1), 0) +"
    " coalesce ((SELECT sum (length (path) + coalesce (length (part), 0) + ?2 +"
    " coalesce (length (CAST (url AS BLOB)), 0) + coalesce (length (options), 0))"
    " FROM leftovers WHERE owner_uid = ?1), 0)";
static const char find_sql[] = "SELECT number FROM files WHERE job = " JOB_NUMBER " AND path = ?2";

static void
bind_file (TfdStatement *statement, const TfdFileRecord *file)
{
  tfd_bind_int (statement, file->index);
  tfd_bind_text (statement, file->url);
  tfd_bind_path (statement, file->path);
  tfd_bind_variant (statement, file->options);
  tfd_bind_enum (statement, TFD_TYPE_FILE_STATE, (int) file->state);
  tfd_bind_int (statement, (gint64) file->transferred);
  tfd_bind_int (statement, (gint64) file->total);
  tfd_bind_int (statement, file->attempt);
  tfd_bind_variant (statement, file->part);
  tfd_bind_bytes (statement, file->directory);
  tfd_bind_path (statement, file->target);
  tfd_bind_int (statement, file->attached);
}

/* What a worker had in hand when this was written is in nobody's hand when it is read. */
static TfdFileState
lasting_state (TfdFileState state)
{
  return state == TFD_FILE_STATE_TRANSFERRING ? TFD_FILE_STATE_WAITING : state;
}

/* NULL when this version cannot understand the row. */
static TfdFileRecord *
read_file (TfdStatement *statement)
{
  g_autoptr (TfdFileRecord) file = tfd_file_record_new ();

  file->index = tfd_read_uint32 (statement);
  file->url = tfd_read_text (statement);
  file->path = tfd_read_path (statement);
  file->options = tfd_read_variant (statement, G_VARIANT_TYPE_VARDICT);
  file->state = lasting_state ((TfdFileState) tfd_read_enum (statement, TFD_TYPE_FILE_STATE));
  file->transferred = (guint64) tfd_read_int (statement);
  file->total = (guint64) tfd_read_int (statement);
  file->attempt = tfd_read_uint32 (statement);
  file->part = tfd_read_variant (statement, G_VARIANT_TYPE_VARDICT);
  file->directory = tfd_read_bytes (statement);
  file->target = tfd_read_path (statement);
  file->attached = tfd_read_int (statement) != 0;
  return statement->bad == 0 ? g_steal_pointer (&file) : NULL;
}

/* The number by which the tables know a job: NOT_FOUND when there is none. */
static gboolean
find_job_number (TfdStore *store, const char *job_id, gint64 *number, GError **error)
{
  g_auto (TfdStatement) statement = TFD_STATEMENT_INIT;
  gboolean row = FALSE;

  if (!tfd_statement_init (&statement, store, job_number_sql, error))
    return FALSE;
  tfd_bind_text (&statement, job_id);
  if (!tfd_statement_step (&statement, &row, error))
    return FALSE;
  if (!row)
    {
      g_set_error (error, TFD_ERROR, TFD_ERROR_NOT_FOUND, "no job ‘%s’ in the database", job_id);
      return FALSE;
    }
  *number = tfd_read_int (&statement);
  return TRUE;
}

static gboolean
check_part (const TfdFileRecord *file, GError **error)
{
  if (file->part == NULL || g_variant_get_size (file->part) <= TFD_MAX_PART)
    return TRUE;

  g_set_error (error, TFD_ERROR, TFD_ERROR_TOO_LARGE,
               "part record of file %u has %" G_GSIZE_FORMAT " bytes, more than %d", file->index,
               g_variant_get_size (file->part), TFD_MAX_PART);
  return FALSE;
}

/* Writing @file failed: takes @failure, and tells whether it did for the path. */
static gboolean
fail_write (TfdStore *store, const TfdFileRecord *file, GError *failure, GError **error)
{
  g_autofree char *path = NULL;

  if (sqlite3_extended_errcode (store->db) != SQLITE_CONSTRAINT_UNIQUE)
    {
      g_propagate_error (error, failure);
      return FALSE;
    }
  path = g_filename_display_name (file->path);
  g_set_error (error, TFD_ERROR, TFD_ERROR_DUPLICATE_DESTINATION,
               "file %u: ‘%s’ is the destination of another file of this job", file->index, path);
  g_error_free (failure);
  return FALSE;
}

/* Runs a statement that writes @file. */
static gboolean
run_write (TfdStatement *statement, const TfdFileRecord *file, GError **error)
{
  GError *failure = NULL;

  return tfd_statement_run (statement, &failure) ||
         fail_write (statement->store, file, failure, error);
}

static gboolean
insert_few (TfdStore *store, gint64 job_number, GPtrArray *files, GError **error)
{
  g_auto (TfdStatement) statement = TFD_STATEMENT_INIT;

  if (!tfd_statement_init (&statement, store, insert_sql, error))
    return FALSE;

  for (guint i = 0; i < files->len; i++)
    {
      tfd_bind_int (&statement, job_number);
      bind_file (&statement, files->pdata[i]);
      if (!run_write (&statement, files->pdata[i], error))
        return FALSE;
    }
  return TRUE;
}

static gboolean
insert_many (TfdStore *store, gint64 job_number, GPtrArray *files, GError **error)
{
  g_auto (TfdStatement) statement = TFD_STATEMENT_INIT;
  TfdFileRows rows = { files, 0 };
  GError *failure = NULL;

  if (!tfd_statement_init (&statement, store, insert_many_sql, error))
    return FALSE;

  tfd_bind_int (&statement, job_number);
  tfd_bind_file_rows (&statement, &rows);
  return tfd_statement_run (&statement, &failure) ||
         fail_write (store, files->pdata[MIN (rows.at, files->len - 1)], failure, error);
}

static gboolean
insert_all (TfdStore *store, gint64 job_number, GPtrArray *files, GError **error)
{
  for (guint i = 0; i < files->len; i++)
    if (!check_part (files->pdata[i], error))
      return FALSE;
  return files->len < MANY ? insert_few (store, job_number, files, error)
                           : insert_many (store, job_number, files, error);
}

gboolean
tfd_store_insert_files (TfdStore *store, const char *job_id, GPtrArray *files, GError **error)
{
  gint64 job_number = 0;

  if (!tfd_store_mark (store, error))
    return FALSE;
  if (find_job_number (store, job_id, &job_number, error) &&
      insert_all (store, job_number, files, error) && tfd_store_keep (store, error))
    return TRUE;
  tfd_store_undo (store);
  return FALSE;
}

/* Runs a statement that writes a row that is there. */
static gboolean
run_update (TfdStatement *statement, const char *job_id, const TfdFileRecord *file, GError **error)
{
  TfdStore *store = statement->store;

  if (!run_write (statement, file, error))
    return FALSE;
  if (sqlite3_changes (store->db) == 1)
    return TRUE;

  g_set_error (error, TFD_ERROR, TFD_ERROR_NOT_FOUND, "no file %u of job ‘%s’ in the database",
               file->index, job_id);
  return FALSE;
}

gboolean
tfd_store_update_file (TfdStore *store,
                       const char *job_id,
                       const TfdFileRecord *file,
                       GError **error)
{
  g_auto (TfdStatement) statement = TFD_STATEMENT_INIT;

  if (!check_part (file, error) || !tfd_statement_init_write (&statement, store, update_sql, error))
    return FALSE;

  tfd_bind_text (&statement, job_id);
  bind_file (&statement, file);
  return run_update (&statement, job_id, file, error);
}

gboolean
tfd_store_update_progress (TfdStore *store,
                           const char *job_id,
                           const TfdFileRecord *file,
                           GError **error)
{
  g_auto (TfdStatement) statement = TFD_STATEMENT_INIT;

  if (!check_part (file, error) ||
      !tfd_statement_init_write (&statement, store, progress_sql, error))
    return FALSE;

  tfd_bind_text (&statement, job_id);
  tfd_bind_int (&statement, file->index);
  tfd_bind_enum (&statement, TFD_TYPE_FILE_STATE, (int) file->state);
  tfd_bind_int (&statement, (gint64) file->transferred);
  tfd_bind_int (&statement, (gint64) file->total);
  tfd_bind_variant (&statement, file->part);
  return run_update (&statement, job_id, file, error);
}

static gboolean
complete_all (TfdStore *store, const char *job_id, guint32 first, guint32 count, GError **error)
{
  g_auto (TfdStatement) statement = TFD_STATEMENT_INIT;

  if (!tfd_statement_init (&statement, store, complete_sql, error))
    return FALSE;
  tfd_bind_text (&statement, job_id);
  tfd_bind_int (&statement, first);
  tfd_bind_int (&statement, (gint64) first + count);
  tfd_bind_enum (&statement, TFD_TYPE_FILE_STATE, TFD_FILE_STATE_COMPLETED);
  if (!tfd_statement_run (&statement, error))
    return FALSE;
  if ((guint) sqlite3_changes (store->db) == count)
    return TRUE;
  g_set_error (error, TFD_ERROR, TFD_ERROR_NOT_FOUND,
               "not all of the files %u to %u of job ‘%s’ are in the database", first,
               first + count - 1, job_id);
  return FALSE;
}

gboolean
tfd_store_complete_files (
    TfdStore *store, const char *job_id, guint32 first, guint32 count, GError **error)
{
  if (!tfd_store_mark (store, error))
    return FALSE;
  if (complete_all (store, job_id, first, count, error) && tfd_store_keep (store, error))
    return TRUE;
  tfd_store_undo (store);
  return FALSE;
}

GPtrArray *
tfd_store_load_files (TfdStore *store, const char *job_id, GError **error)
{
  return tfd_store_load_file_range (store, job_id, 0, 0, error);
}

GPtrArray *
tfd_store_load_file_range (
    TfdStore *store, const char *job_id, guint32 first, guint32 count, GError **error)
{
  g_autoptr (GPtrArray) files =
      g_ptr_array_new_with_free_func ((GDestroyNotify) tfd_file_record_free);
  g_auto (TfdStatement) statement = TFD_STATEMENT_INIT;
  gboolean row = FALSE;

  if (!tfd_statement_init (&statement, store, load_sql, error))
    return NULL;
  tfd_bind_text (&statement, job_id);
  tfd_bind_int (&statement, first);
  tfd_bind_int (&statement, count > 0 ? (gint64) count : -1);

  while (TRUE)
    {
      if (!tfd_statement_step (&statement, &row, error))
        return NULL;
      if (!row)
        return g_steal_pointer (&files);

      TfdFileRecord *file = read_file (&statement);
      if (file == NULL)
        {
          g_set_error (error, TFD_ERROR, TFD_ERROR_STORAGE_FAILED,
                       "file %d of job ‘%s’ in the database cannot be understood",
                       sqlite3_column_int (statement.stmt, 0), job_id);
          return NULL;
        }
      g_ptr_array_add (files, file);
    }
}

gboolean
tfd_store_find_file_by_path (TfdStore *store,
                             const char *job_id,
                             const char *path,
                             gboolean *found,
                             guint32 *index,
                             GError **error)
{
  g_auto (TfdStatement) statement = TFD_STATEMENT_INIT;

  if (!tfd_statement_init (&statement, store, find_sql, error))
    return FALSE;
  tfd_bind_text (&statement, job_id);
  tfd_bind_path (&statement, path);
  if (!tfd_statement_step (&statement, found, error))
    return FALSE;
  if (*found && index != NULL)
    *index = tfd_read_uint32 (&statement);
  return TRUE;
}

gboolean
tfd_store_measure_user (TfdStore *store, guint32 uid, guint64 *bytes, GError **error)
{
  g_auto (TfdStatement) statement = TFD_STATEMENT_INIT;
  gboolean row = FALSE;

  if (!tfd_statement_init (&statement, store, measure_sql, error))
    return FALSE;
  tfd_bind_int (&statement, uid);
  tfd_bind_int (&statement, TFD_STORED_PER_FILE);
  tfd_bind_int (&statement, TFD_STORED_PER_JOB);
  if (!tfd_statement_step (&statement, &row, error))
    return FALSE;
  *bytes = row ? (guint64) tfd_read_int (&statement) : 0;
  return TRUE;
}
