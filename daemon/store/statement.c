/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Statement: one use of a prepared statement. */
#include "config.h"

#include "store/statement.h"

#include "common/variant.h"

#include <string.h>

gboolean
tfd_store_is_damage (int result)
{
  return (result & 0xff) == SQLITE_CORRUPT || (result & 0xff) == SQLITE_NOTADB;
}

gboolean
tfd_store_fail (TfdStore *store, int result, GError **error)
{
  const char *text = sqlite3_errcode (store->db) != SQLITE_OK ? sqlite3_errmsg (store->db)
                                                              : sqlite3_errstr (result);

  g_set_error (error, TFD_ERROR, TFD_ERROR_STORAGE_FAILED, "database: %s", text);

  /* the log stays, by which the next start knows that all is to be checked: open.c */
  if (tfd_store_is_damage (result))
    sqlite3_db_config (store->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);

  /* after a full disk or an I/O error SQLite may have rolled back everything */
  if (store->in_transaction && sqlite3_get_autocommit (store->db))
    store->lost = TRUE;
  return FALSE;
}

gboolean
tfd_statement_init (TfdStatement *self, TfdStore *store, const char *sql, GError **error)
{
  sqlite3_stmt *stmt = g_hash_table_lookup (store->statements, sql);

  tfd_statement_clear (self);
  if (stmt == NULL)
    {
      int result = sqlite3_prepare_v3 (store->db, sql, -1, SQLITE_PREPARE_PERSISTENT, &stmt, NULL);

      if (result != SQLITE_OK)
        return tfd_store_fail (store, result, error);
      g_hash_table_insert (store->statements, (gpointer) sql, stmt);
    }

  g_assert (!sqlite3_stmt_busy (stmt)); /* two uses at a time would read each other's rows */
  *self = (TfdStatement){ store, stmt, 0, SQLITE_OK, 0 };
  return TRUE;
}

gboolean
tfd_statement_init_write (TfdStatement *self, TfdStore *store, const char *sql, GError **error)
{
  return tfd_store_begin (store, error) && tfd_statement_init (self, store, sql, error);
}

void
tfd_statement_clear (TfdStatement *self)
{
  if (self->stmt == NULL)
    return;

  sqlite3_reset (self->stmt);
  sqlite3_clear_bindings (self->stmt);
  self->stmt = NULL;
}

/* Notes the result of a bind; a failure comes out of the next step or run. */
static void
bound (TfdStatement *self, int result)
{
  if (self->result == SQLITE_OK)
    self->result = result;
}

static void
bind_blob (TfdStatement *self, gconstpointer data, gsize size)
{
  int parameter = ++self->next;

  /* a NULL pointer would bind NULL, but an empty dictionary is not the same as none */
  bound (self, sqlite3_bind_blob64 (self->stmt, parameter, data != NULL ? data : "", size,
                                    SQLITE_STATIC));
}

static void
bind_null (TfdStatement *self)
{
  bound (self, sqlite3_bind_null (self->stmt, ++self->next));
}

void
tfd_bind_int (TfdStatement *self, gint64 value)
{
  bound (self, sqlite3_bind_int64 (self->stmt, ++self->next, value));
}

void
tfd_bind_enum (TfdStatement *self, GType type, int value)
{
  tfd_bind_text (self, tfd_enum_to_string (type, value));
}

void
tfd_bind_text (TfdStatement *self, const char *text)
{
  bound (self, sqlite3_bind_text (self->stmt, ++self->next, text, -1, SQLITE_STATIC));
}

void
tfd_bind_path (TfdStatement *self, const char *path)
{
  if (path == NULL)
    bind_null (self);
  else
    bind_blob (self, path, strlen (path));
}

void
tfd_bind_bytes (TfdStatement *self, GBytes *bytes)
{
  if (bytes == NULL)
    bind_null (self);
  else
    bind_blob (self, g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes));
}

void
tfd_bind_variant (TfdStatement *self, GVariant *value)
{
  if (value == NULL)
    bind_null (self);
  else
    bind_blob (self, g_variant_get_data (value), g_variant_get_size (value));
}

void
tfd_bind_pointer (TfdStatement *self, gpointer data, const char *kind)
{
  bound (self, sqlite3_bind_pointer (self->stmt, ++self->next, data, kind, NULL));
}

gboolean
tfd_statement_step (TfdStatement *self, gboolean *row, GError **error)
{
  int result = self->result;

  if (result == SQLITE_OK)
    result = sqlite3_step (self->stmt);
  if (result != SQLITE_ROW && result != SQLITE_DONE)
    return tfd_store_fail (self->store, result, error);

  *row = result == SQLITE_ROW;
  self->next = 0;
  self->bad = 0;
  return TRUE;
}

gboolean
tfd_statement_run (TfdStatement *self, GError **error)
{
  gboolean row = FALSE;

  if (!tfd_statement_step (self, &row, error))
    return FALSE;
  g_assert (!row);
  sqlite3_reset (self->stmt);
  return TRUE;
}

gint64
tfd_read_int (TfdStatement *self)
{
  return sqlite3_column_int64 (self->stmt, self->next++);
}

guint32
tfd_read_uint32 (TfdStatement *self)
{
  gint64 value = tfd_read_int (self);

  if (value >= 0 && value <= G_MAXUINT32)
    return (guint32) value;
  self->bad++;
  return 0;
}

int
tfd_read_enum (TfdStatement *self, GType type)
{
  const char *text = (const char *) sqlite3_column_text (self->stmt, self->next++);
  int value = 0;

  if (text == NULL || !tfd_enum_from_string (type, text, &value))
    self->bad++;
  return value;
}

char *
tfd_read_text (TfdStatement *self)
{
  return g_strdup ((const char *) sqlite3_column_text (self->stmt, self->next++));
}

/* The blob of the next column; FALSE when it is NULL. */
static gboolean
read_blob (TfdStatement *self, gconstpointer *data, gsize *size)
{
  int column = self->next++;

  *data = sqlite3_column_blob (self->stmt, column);
  *size = (gsize) sqlite3_column_bytes (self->stmt, column);
  return sqlite3_column_type (self->stmt, column) != SQLITE_NULL;
}

char *
tfd_read_path (TfdStatement *self)
{
  gconstpointer data;
  gsize size;

  return read_blob (self, &data, &size) ? g_strndup (size > 0 ? data : "", size) : NULL;
}

GBytes *
tfd_read_bytes (TfdStatement *self)
{
  gconstpointer data;
  gsize size;

  return read_blob (self, &data, &size) ? g_bytes_new (data, size) : NULL;
}

GVariant *
tfd_read_variant (TfdStatement *self, const GVariantType *type)
{
  g_autoptr (GBytes) bytes = tfd_read_bytes (self);
  GVariant *value = bytes != NULL ? tfd_variant_from_bytes (type, bytes) : NULL;

  if (bytes != NULL && value == NULL)
    self->bad++;
  return value;
}

static gboolean
execute (TfdStore *store, const char *sql, GError **error)
{
  g_auto (TfdStatement) statement = TFD_STATEMENT_INIT;

  return tfd_statement_init (&statement, store, sql, error) &&
         tfd_statement_run (&statement, error);
}

static const char mark_sql[] = "SAVEPOINT several";
static const char keep_sql[] = "RELEASE several";
static const char undo_sql[] = "ROLLBACK TO several";

gboolean
tfd_store_mark (TfdStore *store, GError **error)
{
  return tfd_store_begin (store, error) && execute (store, mark_sql, error);
}

gboolean
tfd_store_keep (TfdStore *store, GError **error)
{
  return execute (store, keep_sql, error);
}

void
tfd_store_undo (TfdStore *store)
{
  g_autoptr (GError) error = NULL;

  /* a transaction that is lost has no savepoint any more */
  if (store->lost)
    return;
  if (!execute (store, undo_sql, &error) || !execute (store, keep_sql, &error))
    store->lost = TRUE;
}
