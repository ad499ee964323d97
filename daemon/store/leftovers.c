/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Leftovers: what jobs that have ended left to be done. */
#include "config.h"

#include "store/statement.h"

#include "base/log.h"

#define LEFTOVER_COLUMNS                                                                           \
  "owner_uid, owner_name, job_id, file, attempt, path, part, directory, created, last_try, kind, " \
  "url, options, boot_id, since, span, attached, secrets"

static const char insert_sql[] = "INSERT INTO leftovers (" LEFTOVER_COLUMNS ")"
                                 " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10,"
                                 " ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18)";
static const char load_sql[] = "SELECT number, " LEFTOVER_COLUMNS " FROM leftovers"
                               " WHERE kind = ?1 AND owner_uid = ?2 ORDER BY number";
static const char load_all_sql[] = "SELECT number, " LEFTOVER_COLUMNS " FROM leftovers"
                                   " WHERE kind = ?1 ORDER BY number";
static const char touch_sql[] = "UPDATE leftovers SET last_try = ?2 WHERE number = ?1";
static const char restart_sql[] = "UPDATE leftovers SET boot_id = ?2, since = ?3 WHERE number = ?1";
static const char remove_sql[] = "DELETE FROM leftovers WHERE number = ?1";
static const char prune_sql[] = "DELETE FROM leftovers WHERE created < ?1";

gboolean
tfd_store_add_leftover (TfdStore *store, TfdLeftover *leftover, GError **error)
{
  g_auto (TfdStatement) statement = TFD_STATEMENT_INIT;
  g_autoptr (GVariant) options = NULL;
  g_autoptr (GVariant) secrets = NULL;
  g_autoptr (GBytes) sealed = NULL;

  tfd_store_part_options (leftover->options, &options, &secrets);
  if (!tfd_store_seal (store, secrets, leftover->job_id, &sealed, error) ||
      !tfd_statement_init_write (&statement, store, insert_sql, error))
    return FALSE;
  tfd_bind_int (&statement, leftover->owner_uid);
  tfd_bind_text (&statement, leftover->owner_name);
  tfd_bind_text (&statement, leftover->job_id);
  tfd_bind_int (&statement, leftover->index);
  tfd_bind_int (&statement, leftover->attempt);
  tfd_bind_path (&statement, leftover->path);
  tfd_bind_variant (&statement, leftover->part);
  tfd_bind_bytes (&statement, leftover->directory);
  tfd_bind_int (&statement, leftover->created);
  tfd_bind_int (&statement, leftover->last_try);
  tfd_bind_enum (&statement, TFD_TYPE_LEFTOVER_KIND, (int) leftover->kind);
  tfd_bind_text (&statement, leftover->url);
  tfd_bind_variant (&statement, options);
  tfd_bind_text (&statement, leftover->boot_id);
  tfd_bind_int (&statement, leftover->since);
  tfd_bind_int (&statement, (gint64) leftover->span);
  tfd_bind_int (&statement, leftover->attached);
  tfd_bind_bytes (&statement, sealed);
  if (!tfd_statement_run (&statement, error))
    return FALSE;
  leftover->id = sqlite3_last_insert_rowid (store->db);
  return TRUE;
}

/* Without them the server is asked all the same: it may not want to know who asks. */
static void
read_secrets (TfdStatement *statement, TfdLeftover *leftover)
{
  g_autoptr (GBytes) sealed = tfd_read_bytes (statement);
  g_autoptr (GVariant) open = g_steal_pointer (&leftover->options);
  g_autoptr (GVariant) secrets = NULL;
  gboolean lost;

  if (sealed != NULL)
    secrets = tfd_store_unseal (statement->store, sealed, leftover->job_id, &lost);
  leftover->options = tfd_store_join_options (open, secrets);
}

/* NULL when this version cannot understand the row. */
static TfdLeftover *
read_leftover (TfdStatement *statement)
{
  g_autoptr (TfdLeftover) leftover = tfd_leftover_new ();

  leftover->id = tfd_read_int (statement);
  leftover->owner_uid = tfd_read_uint32 (statement);
  leftover->owner_name = tfd_read_text (statement);
  leftover->job_id = tfd_read_text (statement);
  leftover->index = tfd_read_uint32 (statement);
  leftover->attempt = tfd_read_uint32 (statement);
  leftover->path = tfd_read_path (statement);
  leftover->part = tfd_read_variant (statement, G_VARIANT_TYPE_VARDICT);
  leftover->directory = tfd_read_bytes (statement);
  leftover->created = tfd_read_int (statement);
  leftover->last_try = tfd_read_int (statement);
  leftover->kind = (TfdLeftoverKind) tfd_read_enum (statement, TFD_TYPE_LEFTOVER_KIND);
  leftover->url = tfd_read_text (statement);
  leftover->options = tfd_read_variant (statement, G_VARIANT_TYPE_VARDICT);
  leftover->boot_id = tfd_read_text (statement);
  leftover->since = tfd_read_int (statement);
  leftover->span = (guint64) tfd_read_int (statement);
  leftover->attached = tfd_read_int (statement) != 0;
  if (statement->bad == 0)
    read_secrets (statement, leftover);
  return statement->bad == 0 ? g_steal_pointer (&leftover) : NULL;
}

GPtrArray *
tfd_store_load_leftovers (TfdStore *store, TfdLeftoverKind kind, guint32 uid, GError **error)
{
  g_autoptr (GPtrArray) leftovers =
      g_ptr_array_new_with_free_func ((GDestroyNotify) tfd_leftover_free);
  g_auto (TfdStatement) statement = TFD_STATEMENT_INIT;
  gboolean all = uid == G_MAXUINT32;
  gboolean row = FALSE;

  if (!tfd_statement_init (&statement, store, all ? load_all_sql : load_sql, error))
    return NULL;
  tfd_bind_enum (&statement, TFD_TYPE_LEFTOVER_KIND, (int) kind);
  if (!all)
    tfd_bind_int (&statement, uid);

  while (TRUE)
    {
      if (!tfd_statement_step (&statement, &row, error))
        return NULL;
      if (!row)
        return g_steal_pointer (&leftovers);

      TfdLeftover *leftover = read_leftover (&statement);
      if (leftover != NULL)
        g_ptr_array_add (leftovers, leftover);
      else
        tfd_warning ("leftover %" G_GINT64_FORMAT " in the database cannot be understood",
                     (gint64) sqlite3_column_int64 (statement.stmt, 0));
    }
}

gboolean
tfd_store_touch_leftover (TfdStore *store, gint64 id, gint64 last_try, GError **error)
{
  g_auto (TfdStatement) statement = TFD_STATEMENT_INIT;

  if (!tfd_statement_init_write (&statement, store, touch_sql, error))
    return FALSE;
  tfd_bind_int (&statement, id);
  tfd_bind_int (&statement, last_try);
  return tfd_statement_run (&statement, error);
}

gboolean
tfd_store_restart_leftover (
    TfdStore *store, gint64 id, const char *boot_id, gint64 since, GError **error)
{
  g_auto (TfdStatement) statement = TFD_STATEMENT_INIT;

  if (!tfd_statement_init_write (&statement, store, restart_sql, error))
    return FALSE;
  tfd_bind_int (&statement, id);
  tfd_bind_text (&statement, boot_id);
  tfd_bind_int (&statement, since);
  return tfd_statement_run (&statement, error);
}

/* Runs a deleting statement with one parameter, and counts the rows. */
static gboolean
delete_rows (TfdStore *store, const char *sql, gint64 parameter, guint *count, GError **error)
{
  g_auto (TfdStatement) statement = TFD_STATEMENT_INIT;

  if (!tfd_statement_init_write (&statement, store, sql, error))
    return FALSE;
  tfd_bind_int (&statement, parameter);
  if (!tfd_statement_run (&statement, error))
    return FALSE;
  if (count != NULL)
    *count = (guint) sqlite3_changes (store->db);
  return TRUE;
}

gboolean
tfd_store_remove_leftover (TfdStore *store, gint64 id, GError **error)
{
  return delete_rows (store, remove_sql, id, NULL, error);
}

gboolean
tfd_store_prune_leftovers (TfdStore *store, gint64 before, guint *pruned, GError **error)
{
  return delete_rows (store, prune_sql, before, pruned, error);
}
