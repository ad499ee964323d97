/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Tombstones: what remains of jobs that have ended. Their order is that of insertion: the clock of
 * the wall may jump between two ends. */
#include "config.h"

#include "store/statement.h"

#include "base/log.h"

#define TOMBSTONE_COLUMNS                                                                          \
  "id, owner_uid, type, result, display_name, ended, error_name, kept_count, discarded_count,"     \
  " undeleted, sandbox"

/* ?1 uid, ?2 since, ?3 after, ?4 limit, ?5 with files, ?6 of a sandbox; of ids: ?7 ids, ?8 of all
 * users */
#define SELECT_WHERE(condition)                                                                    \
  "SELECT " TOMBSTONE_COLUMNS ", kept, discarded FROM tombstones t"                                \
  " LEFT JOIN tombstone_files f ON f.number = t.number AND ?5"                                     \
  " WHERE " condition " AND ended >= ?2 AND (?6 IS NULL OR sandbox = ?6)"                          \
  " AND (?3 IS NULL OR t.number < (SELECT number FROM tombstones WHERE id = ?3))"                  \
  " ORDER BY t.number DESC LIMIT ?4"

static const char insert_sql[] = "INSERT OR REPLACE INTO tombstones (" TOMBSTONE_COLUMNS ")"
                                 " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)";
static const char insert_files_sql[] =
    "INSERT INTO tombstone_files (number, kept, discarded) VALUES (last_insert_rowid (), ?1, ?2)";
static const char load_of_user_sql[] = SELECT_WHERE ("owner_uid = ?1");
static const char load_all_sql[] = SELECT_WHERE ("?1 IS NOT NULL");
static const char load_ids_sql[] =
    SELECT_WHERE ("id IN (SELECT value FROM json_each (?7)) AND (owner_uid = ?1 OR ?8)");
static const char forget_sql[] = "DELETE FROM tombstones WHERE owner_uid = ?1";
/* Of user ?1: what is behind the latest ?2 bytes. How long a list is can be told without reading
 * it.
 */
static const char shorten_lists_sql[] =
    "DELETE FROM tombstone_files WHERE number IN (SELECT number FROM ("
    "SELECT f.number AS number, sum (coalesce (length (kept), 0) + coalesce (length (discarded), "
    "0))"
    " OVER (ORDER BY f.number DESC) AS size"
    " FROM tombstones t JOIN tombstone_files f ON f.number = t.number WHERE owner_uid = ?1)"
    " WHERE size > ?2)";
static const char shorten_sql[] =
    "DELETE FROM tombstones WHERE number IN (SELECT number FROM ("
    "SELECT number, sum (?3 + coalesce (length (undeleted), 0)) OVER (ORDER BY number DESC) AS size"
    " FROM tombstones WHERE owner_uid = ?1)"
    " WHERE size > ?2 AND number < (SELECT max (number) FROM tombstones))";
static const char prune_sql[] = "DELETE FROM tombstones WHERE ended < ?1";

/* The first TFD_MAX_TOMBSTONE_FILES children of @list. */
static GVariant *
cut (GVariant *list)
{
  if (list == NULL || g_variant_n_children (list) <= TFD_MAX_TOMBSTONE_FILES)
    return list != NULL ? g_variant_ref (list) : NULL;

  GVariantBuilder builder;
  g_variant_builder_init (&builder, g_variant_get_type (list));
  for (gsize i = 0; i < TFD_MAX_TOMBSTONE_FILES; i++)
    {
      g_autoptr (GVariant) child = g_variant_get_child_value (list, i);

      g_variant_builder_add_value (&builder, child);
    }
  return g_variant_ref_sink (g_variant_builder_end (&builder));
}

static gboolean
insert_row (TfdStore *store, const TfdTombstone *tombstone, GError **error)
{
  g_auto (TfdStatement) statement = TFD_STATEMENT_INIT;
  g_autoptr (GVariant) undeleted = NULL;

  if (tombstone->undeleted != NULL)
    undeleted = g_variant_ref_sink (
        g_variant_new_bytestring_array ((const char *const *) tombstone->undeleted, -1));

  if (!tfd_statement_init (&statement, store, insert_sql, error))
    return FALSE;
  tfd_bind_text (&statement, tombstone->id);
  tfd_bind_int (&statement, tombstone->owner_uid);
  tfd_bind_enum (&statement, TFD_TYPE_JOB_TYPE, (int) tombstone->type);
  tfd_bind_enum (&statement, TFD_TYPE_RESULT, (int) tombstone->result);
  tfd_bind_text (&statement, tombstone->display_name);
  tfd_bind_int (&statement, tombstone->ended);
  tfd_bind_text (&statement, tombstone->error_name);
  tfd_bind_int (&statement, tombstone->kept_count);
  tfd_bind_int (&statement, tombstone->discarded_count);
  tfd_bind_variant (&statement, undeleted);
  tfd_bind_text (&statement, tombstone->sandbox);
  gboolean inserted = tfd_statement_run (&statement, error);
  tfd_statement_clear (&statement);
  return inserted;
}

static gboolean
insert_lists (TfdStore *store, const TfdTombstone *tombstone, GError **error)
{
  g_auto (TfdStatement) statement = TFD_STATEMENT_INIT;

  if (tombstone->kept == NULL && tombstone->discarded == NULL)
    return TRUE;

  g_autoptr (GVariant) kept = cut (tombstone->kept);
  g_autoptr (GVariant) discarded = cut (tombstone->discarded);
  if (!tfd_statement_init (&statement, store, insert_files_sql, error))
    return FALSE;
  tfd_bind_variant (&statement, kept);
  tfd_bind_variant (&statement, discarded);
  gboolean inserted = tfd_statement_run (&statement, error);
  tfd_statement_clear (&statement);
  return inserted;
}

gboolean
tfd_store_add_tombstone (TfdStore *store, const TfdTombstone *tombstone, GError **error)
{
  if (!tfd_store_mark (store, error))
    return FALSE;
  if (insert_row (store, tombstone, error) && insert_lists (store, tombstone, error) &&
      tfd_store_keep (store, error))
    return TRUE;
  tfd_store_undo (store);
  return FALSE;
}

/* NULL when this version cannot understand the row. */
static TfdTombstone *
read_tombstone (TfdStatement *statement)
{
  g_autoptr (TfdTombstone) tombstone = g_new0 (TfdTombstone, 1);

  tombstone->id = tfd_read_text (statement);
  tombstone->owner_uid = tfd_read_uint32 (statement);
  tombstone->type = (TfdJobType) tfd_read_enum (statement, TFD_TYPE_JOB_TYPE);
  tombstone->result = (TfdResult) tfd_read_enum (statement, TFD_TYPE_RESULT);
  tombstone->display_name = tfd_read_text (statement);
  tombstone->ended = tfd_read_int (statement);
  tombstone->error_name = tfd_read_text (statement);
  tombstone->kept_count = tfd_read_uint32 (statement);
  tombstone->discarded_count = tfd_read_uint32 (statement);
  g_autoptr (GVariant) undeleted = tfd_read_variant (statement, G_VARIANT_TYPE_BYTESTRING_ARRAY);
  tombstone->sandbox = tfd_read_text (statement);
  tombstone->kept = tfd_read_variant (statement, G_VARIANT_TYPE ("a(us)"));
  tombstone->discarded = tfd_read_variant (statement, G_VARIANT_TYPE ("a(us)"));

  if (undeleted != NULL)
    tombstone->undeleted = g_variant_dup_bytestring_array (undeleted, NULL);
  return statement->bad == 0 ? g_steal_pointer (&tombstone) : NULL;
}

/* @ids as a JSON array. What is not a plain id is left out: no row has it. */
static char *
ids_to_json (const char *const *ids)
{
  GString *json = g_string_new ("[");

  for (guint i = 0; ids[i] != NULL; i++)
    {
      const char *end = ids[i];

      while (g_ascii_isalnum (*end) || *end == '-')
        end++;
      if (*end == '\0')
        g_string_append_printf (json, "%s\"%s\"", json->len > 1 ? "," : "", ids[i]);
    }
  g_string_append_c (json, ']');
  return g_string_free (json, FALSE);
}

static const char *
choose_select (const TfdTombstoneFilter *filter)
{
  if (filter->ids != NULL)
    return load_ids_sql;
  return filter->all_users ? load_all_sql : load_of_user_sql;
}

GPtrArray *
tfd_store_load_tombstones (TfdStore *store,
                           guint32 uid,
                           const TfdTombstoneFilter *filter,
                           GError **error)
{
  static const TfdTombstoneFilter everything = { 0 };
  g_autoptr (GPtrArray) tombstones =
      g_ptr_array_new_with_free_func ((GDestroyNotify) tfd_tombstone_free);
  g_autofree char *ids = NULL;
  g_auto (TfdStatement) statement = TFD_STATEMENT_INIT;
  gboolean row = FALSE;

  if (filter == NULL)
    filter = &everything;
  if (filter->ids != NULL)
    ids = ids_to_json (filter->ids);

  if (!tfd_statement_init (&statement, store, choose_select (filter), error))
    return NULL;
  tfd_bind_int (&statement, uid);
  tfd_bind_int (&statement, filter->since);
  tfd_bind_text (&statement, filter->after);
  tfd_bind_int (&statement, filter->limit > 0 ? (gint64) filter->limit : -1);
  tfd_bind_int (&statement, filter->files != FALSE);
  tfd_bind_text (&statement, filter->sandbox);
  if (ids != NULL)
    {
      tfd_bind_text (&statement, ids);
      tfd_bind_int (&statement, filter->all_users != FALSE);
    }

  while (TRUE)
    {
      if (!tfd_statement_step (&statement, &row, error))
        return NULL;
      if (!row)
        return g_steal_pointer (&tombstones);

      TfdTombstone *tombstone = read_tombstone (&statement);
      if (tombstone != NULL)
        g_ptr_array_add (tombstones, tombstone);
      else
        tfd_warning ("tombstone ‘%s’ in the database cannot be understood",
                     (const char *) sqlite3_column_text (statement.stmt, 0));
    }
}

gboolean
tfd_store_forget_tombstones (TfdStore *store, guint32 uid, GError **error)
{
  g_auto (TfdStatement) statement = TFD_STATEMENT_INIT;

  if (!tfd_statement_init_write (&statement, store, forget_sql, error))
    return FALSE;
  tfd_bind_int (&statement, uid);
  return tfd_statement_run (&statement, error);
}

static gboolean
shorten (TfdStore *store, const char *sql, guint32 uid, guint64 most, GError **error)
{
  g_auto (TfdStatement) statement = TFD_STATEMENT_INIT;

  if (!tfd_statement_init_write (&statement, store, sql, error))
    return FALSE;
  tfd_bind_int (&statement, uid);
  tfd_bind_int (&statement, (gint64) most);
  if (sql == shorten_sql)
    tfd_bind_int (&statement, TFD_STORED_PER_JOB);
  return tfd_statement_run (&statement, error);
}

gboolean
tfd_store_shorten_tombstones (TfdStore *store, guint32 uid, guint64 most, GError **error)
{
  return shorten (store, shorten_lists_sql, uid, most, error) &&
         shorten (store, shorten_sql, uid, most, error);
}

gboolean
tfd_store_prune_tombstones (TfdStore *store, gint64 before, guint *pruned, GError **error)
{
  g_auto (TfdStatement) statement = TFD_STATEMENT_INIT;

  if (!tfd_statement_init_write (&statement, store, prune_sql, error))
    return FALSE;
  tfd_bind_int (&statement, before);
  if (!tfd_statement_run (&statement, error))
    return FALSE;
  if (pruned != NULL)
    *pruned = (guint) sqlite3_changes (store->db);
  return TRUE;
}
