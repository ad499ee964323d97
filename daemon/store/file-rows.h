/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* File rows: files that are in memory, as a table that SQL can read, so that one statement writes
 * many: SQLite begins each statement by finding its place in the tables, which took more than the
 * rows did. */
#pragma once

#include "store/statement.h"

/* The columns of the table of files that a file has, and those of file_rows (?). */
#define TFD_FILE_COLUMNS                                                                           \
  "number, url, path, options, state, transferred, total, attempt, part, directory, target, "      \
  "attached"

/* What file_rows (?) reads. */
typedef struct
{
  GPtrArray *files; /* of TfdFileRecord */
  guint at;         /* the one that is being read: when a statement fails, it did for this one */
} TfdFileRows;

/* Makes file_rows (?) known to @db; an SQLite result. */
int tfd_file_rows_register (sqlite3 *db);

/* Binds @rows, which must live until the statement is cleared. */
void tfd_bind_file_rows (TfdStatement *statement, TfdFileRows *rows);
