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

G_END_DECLS
