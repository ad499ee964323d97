/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* What a durable row costs without a service: SQLite alone, with the rows of the service. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct _BenchRows BenchRows;

/* Opens a copy of a database of the service that holds one job: the model of all others. */
BenchRows *bench_rows_open (const char *path);

/* Adds a job like the model, with its file, in a transaction of its own. */
void bench_rows_add_job (BenchRows *rows);

/* Adds @count files like that of the last job in one transaction. */
void bench_rows_add_files (BenchRows *rows, guint count);

/* Those files are transferred: each by itself, as each has a record of its own, in one transaction.
 */
void bench_rows_set_transferred (BenchRows *rows, guint count);

/* Those from @first on, up to @end, have their names: in one transaction. */
void bench_rows_set_completed (BenchRows *rows, guint first, guint end);

/* The job of those files is over: in one transaction with its files. */
void bench_rows_end_job (BenchRows *rows);

G_END_DECLS
