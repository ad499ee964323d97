/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Statement: one use of a prepared statement, for the files of this directory. Values are bound,
 * and columns read, in the order of the SQL text. */
#pragma once

#include "base/secrets.h"
#include "store/store.h"

#include <sqlite3.h>

G_BEGIN_DECLS

struct _TfdStore
{
  sqlite3 *db;
  GHashTable *statements;  /* (owned) of sqlite3_stmt, keyed by the address of the SQL text */
  gboolean in_transaction; /* what callers believe */
  gboolean lost;           /* the database threw the transaction away by itself */
  char *set_aside;         /* (nullable) */
  char *state_dir;
  TfdSecrets *secrets; /* (owned) (nullable) from their first use on */
};

typedef struct
{
  TfdStore *store;
  sqlite3_stmt *stmt;
  int next;   /* parameter to bind or column to read */
  int result; /* of the first bind that failed */
  guint bad;  /* values of the present row that could not be understood */
} TfdStatement;

#define TFD_STATEMENT_INIT                                                                         \
  {                                                                                                \
    NULL, NULL, 0, SQLITE_OK, 0                                                                    \
  }

/* A result that says that the file is damaged. */
gboolean tfd_store_is_damage (int result);

/* Takes the statement of @sql, a constant of the program, preparing it at its first use. */
gboolean tfd_statement_init (TfdStatement *self, TfdStore *store, const char *sql, GError **error);

/* The same for a statement that writes: begins a transaction when none is open. */
gboolean
tfd_statement_init_write (TfdStatement *self, TfdStore *store, const char *sql, GError **error);

/* Ends the use; a second init would too. */
void tfd_statement_clear (TfdStatement *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (TfdStatement, tfd_statement_clear)

/* The values stay the caller's and must live until the statement is cleared or run again. */
void tfd_bind_int (TfdStatement *self, gint64 value);
void tfd_bind_enum (TfdStatement *self, GType type, int value);
void tfd_bind_text (TfdStatement *self, const char *text);   /* (nullable) */
void tfd_bind_path (TfdStatement *self, const char *path);   /* (nullable), as BLOB */
void tfd_bind_bytes (TfdStatement *self, GBytes *bytes);     /* (nullable) */
void tfd_bind_variant (TfdStatement *self, GVariant *value); /* (nullable) */

/* For a virtual table, which knows it by @kind, a constant. */
void tfd_bind_pointer (TfdStatement *self, gpointer data, const char *kind);

/* Steps to the next row; *@row tells whether there is one. */
gboolean tfd_statement_step (TfdStatement *self, gboolean *row, GError **error);

/* Runs a statement that gives no rows, and makes it ready to be bound and run again. */
gboolean tfd_statement_run (TfdStatement *self, GError **error);

/* Columns of the present row; pointers are (transfer full) and NULL for NULL. What cannot be
 * understood gives 0 or NULL and is counted in @bad. */
gint64 tfd_read_int (TfdStatement *self);
guint32 tfd_read_uint32 (TfdStatement *self);
int tfd_read_enum (TfdStatement *self, GType type);
char *tfd_read_text (TfdStatement *self);
char *tfd_read_path (TfdStatement *self);
GBytes *tfd_read_bytes (TfdStatement *self);
GVariant *tfd_read_variant (TfdStatement *self, const GVariantType *type);

/* Sets @error to STORAGE_FAILED with what the database says, and notes whether the transaction is
 * lost. Always FALSE. */
gboolean tfd_store_fail (TfdStore *store, int result, GError **error);

/* ---- sealing.c ---- */

/* *@sealed = @plain (nullable, a floating one is consumed) as it is stored with job @job_id, or
 * NULL when there is none. */
gboolean tfd_store_seal (
    TfdStore *store, GVariant *plain, const char *job_id, GBytes **sealed, GError **error);

/* An a{sv}, or NULL: then *@lost tells whether that is for good, because it was sealed with another
 * key or is damaged, or there is no key at all at present. */
GVariant *tfd_store_unseal (TfdStore *store, GBytes *sealed, const char *job_id, gboolean *lost);

/* Parts the @options of a run from the secrets in them; either may be NULL. (transfer full) */
void tfd_store_part_options (GVariant *options, GVariant **open, GVariant **secret);

/* The opposite. (transfer full) */
GVariant *tfd_store_join_options (GVariant *open, GVariant *secret);

/* Seals what a version before has stored as it was, and leaves no trace of it. */
gboolean tfd_store_seal_old (TfdStore *store, GError **error);

/* Several statements as one: undo () takes back what was done since mark (). */
gboolean tfd_store_mark (TfdStore *store, GError **error);
gboolean tfd_store_keep (TfdStore *store, GError **error);
void tfd_store_undo (TfdStore *store);

G_END_DECLS
