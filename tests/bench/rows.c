/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* What a durable row costs without a service: SQLite alone, with the rows of the service. */
#include "bench/rows.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

typedef struct
{
  sqlite3_stmt *insert; /* (owned) */
  GPtrArray *rows;      /* (owned) (element-type GPtrArray of sqlite3_value) */
} Table;

/* The number of the first file that is added. */
#define FIRST 1000
/* Of the record of a transferred file: its size. */
#define RECORD 120

struct _BenchRows
{
  sqlite3 *db;
  Table jobs, files, events;
  gint64 number;
};

static void
check (sqlite3 *db, int result)
{
  if (result == SQLITE_OK || result == SQLITE_DONE || result == SQLITE_ROW)
    return;
  g_printerr ("bench: SQLite: %s\n", sqlite3_errmsg (db));
  exit (1);
}

static void
execute (BenchRows *rows, const char *sql)
{
  check (rows->db, sqlite3_exec (rows->db, sql, NULL, NULL, NULL));
}

static void
value_free (gpointer value)
{
  sqlite3_value_free (value);
}

static void
row_free (gpointer row)
{
  g_ptr_array_unref (row);
}

/* Takes the rows of the model job out of the table, and prepares to insert others like them. */
static void
load (BenchRows *rows, Table *table, const char *name)
{
  g_autofree char *select = g_strdup_printf ("SELECT * FROM %s", name);
  g_autoptr (GString) insert = g_string_new (NULL);
  sqlite3_stmt *statement;
  int columns;

  table->rows = g_ptr_array_new_with_free_func (row_free);
  check (rows->db, sqlite3_prepare_v2 (rows->db, select, -1, &statement, NULL));
  columns = sqlite3_column_count (statement);
  while (sqlite3_step (statement) == SQLITE_ROW)
    {
      GPtrArray *row = g_ptr_array_new_with_free_func (value_free);

      for (int i = 0; i < columns; i++)
        g_ptr_array_add (row, sqlite3_value_dup (sqlite3_column_value (statement, i)));
      g_ptr_array_add (table->rows, row);
    }
  sqlite3_finalize (statement);

  g_string_append_printf (insert, "INSERT INTO %s VALUES (?", name);
  for (int i = 1; i < columns; i++)
    g_string_append (insert, ", ?");
  g_string_append (insert, ")");
  check (rows->db, sqlite3_prepare_v2 (rows->db, insert->str, -1, &table->insert, NULL));
}

BenchRows *
bench_rows_open (const char *path)
{
  BenchRows *rows = g_new0 (BenchRows, 1);

  check (NULL, sqlite3_open (path, &rows->db));
  execute (rows, "PRAGMA journal_mode = WAL");
  execute (rows, "PRAGMA synchronous = FULL");
  execute (rows, "PRAGMA foreign_keys = ON");
  load (rows, &rows->jobs, "jobs");
  load (rows, &rows->files, "files");
  load (rows, &rows->events, "events");
  if (rows->jobs.rows->len == 0)
    {
      g_printerr ("bench: there is no job in %s\n", path);
      exit (1);
    }
  rows->number = 1000000;

  return rows;
}

static void
insert (BenchRows *rows, Table *table, GPtrArray *row, const char *id, gint64 second)
{
  check (rows->db, sqlite3_reset (table->insert));
  for (guint i = 0; i < row->len; i++)
    check (rows->db, sqlite3_bind_value (table->insert, (int) i + 1, row->pdata[i]));
  check (rows->db, sqlite3_bind_int64 (table->insert, 1, rows->number));
  if (id != NULL)
    check (rows->db, sqlite3_bind_text (table->insert, 2, id, -1, SQLITE_TRANSIENT));
  else if (second >= 0)
    check (rows->db, sqlite3_bind_int64 (table->insert, 2, second));
  if (table == &rows->files && second >= 0)
    {
      g_autofree char *path = g_strdup_printf ("/var/tmp/bench/%" G_GINT64_FORMAT, second);

      check (rows->db,
             sqlite3_bind_blob (table->insert, 4, path, (int) strlen (path), SQLITE_TRANSIENT));
    }
  check (rows->db, sqlite3_step (table->insert));
}

void
bench_rows_add_job (BenchRows *rows)
{
  g_autofree char *id = g_uuid_string_random ();

  execute (rows, "BEGIN IMMEDIATE");
  rows->number++;
  insert (rows, &rows->jobs, rows->jobs.rows->pdata[0], id, -1);
  for (guint i = 0; i < rows->files.rows->len; i++)
    insert (rows, &rows->files, rows->files.rows->pdata[i], NULL, -1);
  for (guint i = 0; i < rows->events.rows->len; i++)
    insert (rows, &rows->events, rows->events.rows->pdata[i], NULL, -1);
  execute (rows, "COMMIT");
}

void
bench_rows_add_files (BenchRows *rows, guint count)
{
  if (rows->files.rows->len == 0)
    {
      g_printerr ("bench: the job has no file\n");
      exit (1);
    }
  execute (rows, "BEGIN IMMEDIATE");
  for (guint i = 0; i < count; i++)
    insert (rows, &rows->files, rows->files.rows->pdata[0], NULL, (gint64) i + FIRST);
  execute (rows, "COMMIT");
}

void
bench_rows_set_transferred (BenchRows *rows, guint count)
{
  sqlite3_stmt *update;

  check (rows->db, sqlite3_prepare_v2 (rows->db,
                                       "UPDATE files SET (state, transferred, total, part) ="
                                       " ('transferred', 10240, 10240, zeroblob (?3))"
                                       " WHERE job = ?1 AND number = ?2",
                                       -1, &update, NULL));
  execute (rows, "BEGIN IMMEDIATE");
  for (guint i = 0; i < count; i++)
    {
      check (rows->db, sqlite3_reset (update));
      check (rows->db, sqlite3_bind_int64 (update, 1, rows->number));
      check (rows->db, sqlite3_bind_int64 (update, 2, (gint64) i + FIRST));
      check (rows->db, sqlite3_bind_int (update, 3, RECORD));
      check (rows->db, sqlite3_step (update));
    }
  sqlite3_finalize (update);
  execute (rows, "COMMIT");
}

void
bench_rows_set_completed (BenchRows *rows, guint first, guint end)
{
  g_autofree char *sql =
      g_strdup_printf ("UPDATE files SET state = 'completed' WHERE job = %" G_GINT64_FORMAT
                       " AND number >= %u AND number < %u",
                       rows->number, first + FIRST, end + FIRST);

  execute (rows, sql);
}

void
bench_rows_end_job (BenchRows *rows)
{
  g_autofree char *sql =
      g_strdup_printf ("DELETE FROM jobs WHERE number = %" G_GINT64_FORMAT, rows->number);

  execute (rows, sql);
}
