/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Store: transactions, and the small table of facts about the service. */
#include "config.h"

#include "store/statement.h"

static const char begin_sql[] = "BEGIN IMMEDIATE";
static const char commit_sql[] = "COMMIT";
static const char rollback_sql[] = "ROLLBACK";

static const char set_meta_sql[] = "INSERT INTO meta (key, value) VALUES (?1, ?2)"
                                   " ON CONFLICT (key) DO UPDATE SET value = excluded.value";
static const char delete_meta_sql[] = "DELETE FROM meta WHERE key = ?1";
static const char get_meta_sql[] = "SELECT value FROM meta WHERE key = ?1";

void
tfd_store_close (TfdStore *store)
{
  tfd_store_rollback (store);
  g_clear_pointer (&store->statements, g_hash_table_unref);
  sqlite3_close (store->db);
  g_clear_pointer (&store->secrets, tfd_secrets_free);
  g_free (store->set_aside);
  g_free (store->state_dir);
  g_free (store);
}

const char *
tfd_store_get_set_aside (TfdStore *store)
{
  return store->set_aside;
}

gboolean
tfd_store_begin (TfdStore *store, GError **error)
{
  g_auto (TfdStatement) statement = TFD_STATEMENT_INIT;

  /* going on would commit the rest of the transaction without its beginning */
  if (store->lost)
    {
      g_set_error (error, TFD_ERROR, TFD_ERROR_STORAGE_FAILED,
                   "database: an earlier failure undid this transaction");
      return FALSE;
    }
  if (store->in_transaction)
    return TRUE;

  if (!tfd_statement_init (&statement, store, begin_sql, error) ||
      !tfd_statement_run (&statement, error))
    return FALSE;
  store->in_transaction = TRUE;
  return TRUE;
}

void
tfd_store_release_memory (TfdStore *store)
{
  sqlite3_db_release_memory (store->db);
}

gboolean
tfd_store_in_transaction (TfdStore *store)
{
  return store->in_transaction;
}

gboolean
tfd_store_commit (TfdStore *store, GError **error)
{
  g_auto (TfdStatement) statement = TFD_STATEMENT_INIT;

  if (!store->in_transaction)
    return TRUE;

  /* begin () tells a transaction that is lost */
  if (tfd_store_begin (store, error) && tfd_statement_init (&statement, store, commit_sql, error) &&
      tfd_statement_run (&statement, error))
    {
      store->in_transaction = FALSE;
      return TRUE;
    }

  tfd_statement_clear (&statement);
  tfd_store_rollback (store);
  return FALSE;
}

void
tfd_store_rollback (TfdStore *store)
{
  g_auto (TfdStatement) statement = TFD_STATEMENT_INIT;

  if (!store->in_transaction)
    return;

  /* its failure means that SQLite has rolled back before */
  if (!sqlite3_get_autocommit (store->db) &&
      tfd_statement_init (&statement, store, rollback_sql, NULL))
    tfd_statement_run (&statement, NULL);
  store->in_transaction = FALSE;
  store->lost = FALSE;
}

gboolean
tfd_store_set_meta (TfdStore *store, const char *key, const char *value, GError **error)
{
  g_auto (TfdStatement) statement = TFD_STATEMENT_INIT;
  const char *sql = value != NULL ? set_meta_sql : delete_meta_sql;

  if (!tfd_statement_init_write (&statement, store, sql, error))
    return FALSE;
  tfd_bind_text (&statement, key);
  if (value != NULL)
    tfd_bind_text (&statement, value);
  return tfd_statement_run (&statement, error);
}

gboolean
tfd_store_get_meta (TfdStore *store, const char *key, char **value, GError **error)
{
  g_auto (TfdStatement) statement = TFD_STATEMENT_INIT;
  gboolean row = FALSE;

  *value = NULL;
  if (!tfd_statement_init (&statement, store, get_meta_sql, error))
    return FALSE;
  tfd_bind_text (&statement, key);
  if (!tfd_statement_step (&statement, &row, error))
    return FALSE;
  if (row)
    *value = tfd_read_text (&statement);
  return TRUE;
}
