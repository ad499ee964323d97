/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Open: finds, checks and migrates the database, and sets a damaged one aside. */
#include "config.h"

#include "store/file-rows.h"
#include "store/statement.h"

#include "base/log.h"
#include "store-sql.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define RESOURCE_PREFIX "/org/transferd/Transfer1/store/sql/"
#define APPLICATION_ID 1415988273 /* in 001-initial.sql too */

/* Each brings the database from version index to index + 1. */
static const char *const migrations[] = {
  "001-initial.sql",
  "002-sessions.sql",
  "003-access.sql",
  "004-ended.sql",
};

typedef enum
{
  OPENED,
  FAILED,
  DAMAGED,
} Outcome;

/* Tells damage from other failures; sets @error for both. */
static Outcome
fail (TfdStore *store, int result, const char *doing, GError **error)
{
  tfd_store_fail (store, result, error);
  g_prefix_error (error, "%s: ", doing);
  return tfd_store_is_damage (result) ? DAMAGED : FAILED;
}

static Outcome
execute (TfdStore *store, const char *sql, const char *doing, GError **error)
{
  int result = sqlite3_exec (store->db, sql, NULL, NULL, NULL);

  return result == SQLITE_OK ? OPENED : fail (store, result, doing, error);
}

/* The first column of the first row of @sql. (transfer full) */
static Outcome
query (TfdStore *store, const char *sql, char **value, GError **error)
{
  sqlite3_stmt *stmt = NULL;
  int result = sqlite3_prepare_v2 (store->db, sql, -1, &stmt, NULL);

  *value = NULL;
  if (result == SQLITE_OK)
    result = sqlite3_step (stmt);
  if (result == SQLITE_ROW)
    *value = g_strdup ((const char *) sqlite3_column_text (stmt, 0));

  Outcome outcome = OPENED;
  if (result != SQLITE_ROW && result != SQLITE_DONE)
    outcome = fail (store, result, "checking", error);
  sqlite3_finalize (stmt);
  return outcome;
}

static Outcome
query_int (TfdStore *store, const char *sql, gint64 *value, GError **error)
{
  g_autofree char *text = NULL;
  Outcome outcome = query (store, sql, &text, error);

  *value = text != NULL ? g_ascii_strtoll (text, NULL, 10) : 0;
  return outcome;
}

/* Is it ours, and not newer than this program? Nothing is written before this is known. */
static Outcome
check_version (TfdStore *store, guint *version, GError **error)
{
  gint64 found = 0, application = 0, tables = 0;
  Outcome outcome = query_int (store, "PRAGMA user_version", &found, error);

  if (outcome == OPENED)
    outcome = query_int (store, "PRAGMA application_id", &application, error);
  if (outcome == OPENED)
    outcome = query_int (store, "SELECT count (*) FROM sqlite_schema", &tables, error);
  if (outcome != OPENED)
    return outcome;

  if (found == 0 && tables == 0)
    {
      *version = 0;
      return OPENED;
    }
  if (application != APPLICATION_ID || found < 1)
    {
      g_set_error (error, TFD_ERROR, TFD_ERROR_STORAGE_FAILED, "not a database of transferd");
      return FAILED;
    }
  if (found > (gint64) G_N_ELEMENTS (migrations))
    {
      g_set_error (error, TFD_ERROR, TFD_ERROR_STORAGE_FAILED,
                   "the database has version %" G_GINT64_FORMAT
                   ", this transferd understands versions up to %u: it was written by a newer one",
                   found, (guint) G_N_ELEMENTS (migrations));
      return FAILED;
    }
  *version = (guint) found;
  return OPENED;
}

/* Checking takes as long as there are rows, a second for a million files. So of a large database
 * that was closed as it should be only those tables are checked that are read at the start. Damage
 * in another one shows when a row of it is wanted: then that fails, the log stays at the end, and
 * the next start checks all. */
#define LARGE (16 * 1024 * 1024) /* bytes */

static gboolean
was_closed (const char *path)
{
  g_autofree char *log = g_strconcat (path, "-wal", NULL);
  g_autofree char *journal = g_strconcat (path, "-journal", NULL);

  return access (log, F_OK) < 0 && access (journal, F_OK) < 0;
}

/* To be decided before SQLite opens it. */
static gboolean
needs_whole_check (const char *path)
{
  struct stat status;

  return stat (path, &status) < 0 || status.st_size <= LARGE || !was_closed (path);
}

static Outcome
check (TfdStore *store, const char *sql, GError **error)
{
  g_autofree char *verdict = NULL;
  Outcome outcome = query (store, sql, &verdict, error);

  if (outcome != OPENED || g_strcmp0 (verdict, "ok") == 0)
    return outcome;
  g_set_error (error, TFD_ERROR, TFD_ERROR_STORAGE_FAILED, "checking: database: %s",
               g_strdelimit (verdict, "\n", ' '));
  return DAMAGED;
}

static Outcome
check_integrity (TfdStore *store, gboolean whole, GError **error)
{
  static const char *const tables[] = {
    "PRAGMA quick_check (meta)",
    "PRAGMA quick_check (jobs)",
    "PRAGMA quick_check (leftovers)",
  };
  Outcome outcome = OPENED;

  if (whole)
    return check (store, "PRAGMA quick_check (1)", error);
  for (gsize i = 0; i < G_N_ELEMENTS (tables) && outcome == OPENED; i++)
    outcome = check (store, tables[i], error);
  return outcome;
}

static Outcome
migrate_one (TfdStore *store, guint version, GError **error)
{
  g_autofree char *path = g_strconcat (RESOURCE_PREFIX, migrations[version], NULL);
  g_autoptr (GBytes) script = g_resource_lookup_data (tfd_store_sql_get_resource (), path,
                                                      G_RESOURCE_LOOKUP_FLAGS_NONE, error);

  if (script == NULL)
    return FAILED;

  Outcome outcome = execute (store, "BEGIN IMMEDIATE", "migration", error);
  if (outcome == OPENED)
    outcome = execute (store, g_bytes_get_data (script, NULL), migrations[version], error);
  if (outcome == OPENED)
    outcome = execute (store, "COMMIT", migrations[version], error);
  if (outcome == OPENED)
    tfd_debug (TFD_LOG_STORE, "brought the database to version %u", version + 1);
  return outcome;
}

static Outcome
migrate (TfdStore *store, guint version, GError **error)
{
  for (; version < G_N_ELEMENTS (migrations); version++)
    {
      Outcome outcome = migrate_one (store, version, error);

      if (outcome != OPENED)
        return outcome;
    }
  return OPENED;
}

/* Exclusive locking: nobody else writes, and no shared memory file is needed. What is deleted is
 * wiped where that costs no further page. Everything else is as safe as SQLite can be. */
static const char connection_sql[] = "PRAGMA locking_mode = EXCLUSIVE;"
                                     "PRAGMA trusted_schema = OFF;"
                                     "PRAGMA cell_size_check = ON;"
                                     "PRAGMA secure_delete = FAST;"
                                     "PRAGMA temp_store = MEMORY;";
static const char writing_sql[] = "PRAGMA journal_mode = WAL;"
                                  "PRAGMA synchronous = FULL;"
                                  "PRAGMA journal_size_limit = 16777216;";
static const char foreign_keys_sql[] = "PRAGMA foreign_keys = ON";

/* Makes the file, which SQLite would make readable for others. */
static gboolean
prepare_file (const char *path, GError **error)
{
  int fd = open (path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  struct stat status;

  if (fd >= 0 && fstat (fd, &status) == 0 &&
      ((status.st_mode & 077) == 0 || fchmod (fd, 0600) == 0))
    {
      close (fd);
      return TRUE;
    }

  g_set_error (error, TFD_ERROR, TFD_ERROR_STORAGE_FAILED, "opening database: %s",
               g_strerror (errno));
  if (fd >= 0)
    close (fd);
  return FALSE;
}

static Outcome
prepare_database (TfdStore *store, gboolean whole_check, GError **error)
{
  guint version = 0;
  Outcome outcome = execute (store, connection_sql, "opening", error);

  if (outcome == OPENED)
    outcome = check_version (store, &version, error);
  if (outcome == OPENED)
    outcome = check_integrity (store, whole_check, error);
  if (outcome == OPENED)
    outcome = execute (store, writing_sql, "opening", error);
  if (outcome == OPENED)
    outcome = migrate (store, version, error);
  if (outcome == OPENED)
    outcome = execute (store, foreign_keys_sql, "opening", error);
  return outcome;
}

static void
finalize_statement (gpointer stmt)
{
  sqlite3_finalize (stmt);
}

static Outcome
try_open (const char *path, TfdStore **opened, GError **error)
{
  g_autoptr (TfdStore) store = g_new0 (TfdStore, 1);
  gboolean whole_check = needs_whole_check (path);

  if (!prepare_file (path, error))
    return FAILED;

  store->state_dir = g_path_get_dirname (path);
  store->statements = g_hash_table_new_full (NULL, NULL, NULL, finalize_statement);
  int result = sqlite3_open_v2 (
      path, &store->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, NULL);
  if (result == SQLITE_OK)
    result = tfd_file_rows_register (store->db);
  if (result != SQLITE_OK)
    return fail (store, result, "opening", error);

  /* until it is known to be sound and ours, closing must not write to it */
  sqlite3_db_config (store->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
  sqlite3_db_config (store->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
  Outcome outcome = prepare_database (store, whole_check, error);
  if (outcome != OPENED)
    return outcome;

  sqlite3_db_config (store->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, NULL);
  if (!tfd_store_seal_old (store, error))
    return FAILED;
  *opened = g_steal_pointer (&store);
  return OPENED;
}

/* A name that is not taken. */
static char *
name_aside (const char *path)
{
  g_autoptr (GDateTime) now = g_date_time_new_now_utc ();
  g_autofree char *time = g_date_time_format (now, "%Y%m%dT%H%M%SZ");
  char *name = g_strdup_printf ("%s.corrupt-%s", path, time);

  for (guint i = 2; g_file_test (name, G_FILE_TEST_EXISTS); i++)
    {
      g_free (name);
      name = g_strdup_printf ("%s.corrupt-%s-%u", path, time, i);
    }
  return name;
}

static gboolean
move (const char *path, const char *aside, const char *suffix, GError **error)
{
  g_autofree char *from = g_strconcat (path, suffix, NULL);
  g_autofree char *to = g_strconcat (aside, suffix, NULL);

  if (g_rename (from, to) == 0 || errno == ENOENT)
    return TRUE;
  g_set_error (error, TFD_ERROR, TFD_ERROR_STORAGE_FAILED, "renaming ‘%s’: %s", from,
               g_strerror (errno));
  return FALSE;
}

/* The log goes first: beside a new database it would be taken for its own. */
static gboolean
set_aside (const char *path, const char *aside, GError **error)
{
  return move (path, aside, "-wal", error) && move (path, aside, "-journal", error) &&
         move (path, aside, "", error);
}

TfdStore *
tfd_store_open (const char *state_dir, GError **error)
{
  g_autofree char *path = g_build_filename (state_dir, TFD_STORE_FILE, NULL);
  g_autoptr (GError) damage = NULL;
  TfdStore *store = NULL;

  Outcome outcome = try_open (path, &store, &damage);
  if (outcome == DAMAGED)
    {
      g_autofree char *aside = name_aside (path);

      if (!set_aside (path, aside, error))
        return NULL;
      tfd_log (G_LOG_LEVEL_WARNING, TFD_MESSAGE_DATABASE_SET_ASIDE, NULL,
               "the database is damaged (%s): it was renamed to ‘%s’, a new one is begun",
               damage->message, aside);
      g_clear_error (&damage);
      outcome = try_open (path, &store, &damage);
      if (outcome == OPENED)
        store->set_aside = g_steal_pointer (&aside);
    }

  if (outcome == OPENED)
    return store;
  g_propagate_prefixed_error (error, g_steal_pointer (&damage), "‘%s’: ", path);
  return NULL;
}
