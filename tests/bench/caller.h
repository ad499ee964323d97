/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* What every part of bench-client needs: calls, rows of files, and numbers out. Whatever fails ends
 * the program with a message. */
#pragma once

#include <gio/gio.h>

#define NAME "org.transferd.Transfer1"
#define ROOT "/org/transferd/Transfer1"
#define MANAGER NAME ".Manager"
#define JOB NAME ".Job"
#define ECHO_NAME "org.transferd.Bench"

/* What the command line says. */
typedef struct
{
  char *type, *priority;
  int clients, depth, files, repeat;
  gboolean system, no_complete, gate;
} BenchOptions;

extern BenchOptions bench_options;
extern GDBusConnection *bus;

/* Seconds of the monotonic clock. */
double now (void);

/* Ends the program if there is an @error. */
void check (GError *error);

GDBusConnection *connect_to_bus (void);

/* Calls and waits. (transfer full) */
GVariant *call (const char *path, const char *interface, const char *method, GVariant *arguments);

void
call_and_forget (const char *path, const char *interface, const char *method, GVariant *arguments);

/* With option --gate: says that all is prepared, and waits until somebody says to go on. */
void wait_at_gate (void);

/* The lines of a file. (transfer full) */
char **read_rows (const char *path);

/* The path of a row; its URL into @url. */
const char *split_row (const char *row, char **url);

/* The argument "files" of that many rows. (transfer floating) */
GVariant *files (char **rows, guint count);

/* The arguments of CreateJob for them. (transfer floating) */
GVariant *creation (char **rows, guint count, gboolean start);

/* CreateJob; the path of the job. */
char *create (char **rows, guint count, gboolean start);

/* (transfer floating) The arguments of a call that has only options, and none of them. */
GVariant *no_options (void);

/* Calls @changed when a job is transferred or in error: with JobTransferred and JobError. */
void watch (GDBusSignalCallback changed);

/* Ends the program if a call of Complete has not completed everything. */
void check_completed (GVariant *reply);

/* "name": [numbers], as JSON. */
void print_list (const char *name, GArray *times, gboolean more);

/* Adds how long ago @since was. */
void add_time (GArray *times, double since);

/* Many jobs at a time: a job for each --files of @rows, until all are complete; the moments. */
void run_at_once (char **rows, guint count);

/* Jobs that are transferred when the gate opens, and are completed then, one by one. */
void run_completes (char **rows, guint count);

/* One of the calls that are under way. */
typedef struct
{
  GDBusConnection *connection;
  guint number;
  double begin;
} BenchCall;

/* Begins one, which goes to call_done () in the end. */
typedef void (*BenchBegin) (BenchCall *one);
void call_done (GObject *source, GAsyncResult *result, gpointer one);

/* Keeps as many calls under way as --clients and --depth say until there were @count, and prints
 * how long that took, and each. */
void keep_calling (guint count, BenchBegin begin);

/* As many downloads added to aria2 at @port, on --clients connections. */
void add_to_aria2 (const char *port, guint64 count);

/* The same for the download manager of Lomiri. */
void add_to_lomiri (guint64 count);
