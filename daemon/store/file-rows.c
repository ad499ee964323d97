/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* File rows: a virtual table of SQLite (https://sqlite.org/vtab.html) that exists only in
 * statements, as a function of the pointer that is bound. */
#include "config.h"

#include "store/file-rows.h"

#include <string.h>

#define POINTER_TYPE "tfd-file-rows"

/* The columns of TFD_FILE_COLUMNS, and behind them the argument. */
enum
{
  COLUMN_NUMBER,
  COLUMN_URL,
  COLUMN_PATH,
  COLUMN_OPTIONS,
  COLUMN_STATE,
  COLUMN_TRANSFERRED,
  COLUMN_TOTAL,
  COLUMN_ATTEMPT,
  COLUMN_PART,
  COLUMN_DIRECTORY,
  COLUMN_TARGET,
  COLUMN_ATTACHED,
  COLUMN_ROWS,
};

typedef struct
{
  sqlite3_vtab_cursor parent;
  TfdFileRows *rows;
} Cursor;

void
tfd_bind_file_rows (TfdStatement *statement, TfdFileRows *rows)
{
  tfd_bind_pointer (statement, rows, POINTER_TYPE);
}

static int
table_connect (sqlite3 *db,
               void *data G_GNUC_UNUSED,
               int argc G_GNUC_UNUSED,
               const char *const *argv G_GNUC_UNUSED,
               sqlite3_vtab **table,
               char **error G_GNUC_UNUSED)
{
  int result = sqlite3_declare_vtab (db, "CREATE TABLE x (" TFD_FILE_COLUMNS ", rows HIDDEN)");

  if (result == SQLITE_OK)
    *table = g_new0 (sqlite3_vtab, 1);
  return result;
}

static int
table_disconnect (sqlite3_vtab *table)
{
  g_free (table);
  return SQLITE_OK;
}

/* Read from the first to the last, when it is known what. */
static int
table_plan (sqlite3_vtab *table G_GNUC_UNUSED, sqlite3_index_info *info)
{
  for (int i = 0; i < info->nConstraint; i++)
    if (info->aConstraint[i].iColumn == COLUMN_ROWS && info->aConstraint[i].usable &&
        info->aConstraint[i].op == SQLITE_INDEX_CONSTRAINT_EQ)
      {
        info->aConstraintUsage[i].argvIndex = 1;
        info->aConstraintUsage[i].omit = TRUE;
        info->estimatedCost = 1;
        return SQLITE_OK;
      }
  return SQLITE_CONSTRAINT;
}

static int
cursor_open (sqlite3_vtab *table G_GNUC_UNUSED, sqlite3_vtab_cursor **cursor)
{
  Cursor *self = g_new0 (Cursor, 1);

  *cursor = &self->parent;
  return SQLITE_OK;
}

static int
cursor_close (sqlite3_vtab_cursor *cursor)
{
  g_free (cursor);
  return SQLITE_OK;
}

static int
cursor_begin (sqlite3_vtab_cursor *cursor,
              int plan G_GNUC_UNUSED,
              const char *name G_GNUC_UNUSED,
              int argc G_GNUC_UNUSED,
              sqlite3_value **argv)
{
  TfdFileRows *rows = sqlite3_value_pointer (argv[0], POINTER_TYPE);

  if (rows == NULL)
    return SQLITE_MISUSE;
  rows->at = 0;
  ((Cursor *) cursor)->rows = rows;
  return SQLITE_OK;
}

static int
cursor_next (sqlite3_vtab_cursor *cursor)
{
  ((Cursor *) cursor)->rows->at++;
  return SQLITE_OK;
}

static int
cursor_is_at_end (sqlite3_vtab_cursor *cursor)
{
  const TfdFileRows *rows = ((const Cursor *) cursor)->rows;

  return rows->at >= rows->files->len;
}

static int
cursor_row (sqlite3_vtab_cursor *cursor, sqlite3_int64 *row)
{
  *row = ((const Cursor *) cursor)->rows->at;
  return SQLITE_OK;
}

static void
return_blob (sqlite3_context *context, gconstpointer data, gsize size)
{
  /* a NULL pointer would be NULL, but an empty dictionary is not the same as none */
  sqlite3_result_blob64 (context, data != NULL ? data : "", size, SQLITE_STATIC);
}

static void
return_path (sqlite3_context *context, const char *path)
{
  if (path != NULL)
    return_blob (context, path, strlen (path));
}

static void
return_variant (sqlite3_context *context, GVariant *value)
{
  if (value != NULL)
    return_blob (context, g_variant_get_data (value), g_variant_get_size (value));
}

static void
return_bytes (sqlite3_context *context, GBytes *bytes)
{
  if (bytes != NULL)
    return_blob (context, g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes));
}

static void
return_column (const TfdFileRecord *file, sqlite3_context *context, int column)
{
  switch (column)
    {
    case COLUMN_NUMBER:
      sqlite3_result_int64 (context, file->index);
      break;
    case COLUMN_URL:
      sqlite3_result_text (context, file->url, -1, SQLITE_STATIC);
      break;
    case COLUMN_PATH:
      return_path (context, file->path);
      break;
    case COLUMN_OPTIONS:
      return_variant (context, file->options);
      break;
    case COLUMN_STATE:
      sqlite3_result_text (context, tfd_enum_to_string (TFD_TYPE_FILE_STATE, (int) file->state), -1,
                           SQLITE_STATIC);
      break;
    case COLUMN_TRANSFERRED:
      sqlite3_result_int64 (context, (gint64) file->transferred);
      break;
    case COLUMN_TOTAL:
      sqlite3_result_int64 (context, (gint64) file->total);
      break;
    case COLUMN_ATTEMPT:
      sqlite3_result_int64 (context, file->attempt);
      break;
    case COLUMN_PART:
      return_variant (context, file->part);
      break;
    case COLUMN_DIRECTORY:
      return_bytes (context, file->directory);
      break;
    case COLUMN_TARGET:
      return_path (context, file->target);
      break;
    case COLUMN_ATTACHED:
      sqlite3_result_int64 (context, file->attached);
      break;
    default:
      break;
    }
}

static int
cursor_column (sqlite3_vtab_cursor *cursor, sqlite3_context *context, int column)
{
  const TfdFileRows *rows = ((const Cursor *) cursor)->rows;

  return_column (rows->files->pdata[rows->at], context, column);
  return SQLITE_OK;
}

int
tfd_file_rows_register (sqlite3 *db)
{
  /* without xCreate: there is nothing of it in the database */
  static const sqlite3_module module = {
    .xConnect = table_connect,
    .xBestIndex = table_plan,
    .xDisconnect = table_disconnect,
    .xOpen = cursor_open,
    .xClose = cursor_close,
    .xFilter = cursor_begin,
    .xNext = cursor_next,
    .xEof = cursor_is_at_end,
    .xColumn = cursor_column,
    .xRowid = cursor_row,
  };

  return sqlite3_create_module (db, "file_rows", &module, NULL);
}
