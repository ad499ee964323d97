/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Store samples: a state directory of one test, records with every field set, and comparisons. */
#pragma once

#include "store/store.h"

G_BEGIN_DECLS

typedef struct
{
  char *dir;
  char *database;  /* path */
  TfdStore *store; /* (nullable) */
} StoreFixture;

void store_set_up (StoreFixture *self, gconstpointer data);
void store_tear_down (StoreFixture *self, gconstpointer data);

/* Opens the store of the fixture, or opens it again: what was not committed is gone. */
void store_reopen (StoreFixture *self);

#define STORE_ADD(path, function)                                                                  \
  g_test_add (path, StoreFixture, NULL, store_set_up, function, store_tear_down)

/* @call is an expression with "error" as its GError **: it succeeds, or fails with @code. */
#define OK(call)                                                                                   \
  G_STMT_START                                                                                     \
  {                                                                                                \
    g_autoptr (GError) ok_error = NULL;                                                            \
    GError **error = &ok_error;                                                                    \
    gboolean ok_result = (call);                                                                   \
    g_assert_no_error (ok_error);                                                                  \
    g_assert_true (ok_result);                                                                     \
  }                                                                                                \
  G_STMT_END

#define FAILS(call, code)                                                                          \
  G_STMT_START                                                                                     \
  {                                                                                                \
    g_autoptr (GError) fails_error = NULL;                                                         \
    GError **error = &fails_error;                                                                 \
    gboolean fails_result = (call);                                                                \
    g_assert_error (fails_error, TFD_ERROR, code);                                                 \
    g_assert_false (fails_result);                                                                 \
  }                                                                                                \
  G_STMT_END

/* The names of the files in the state directory that begin with @prefix, sorted. (transfer full) */
char **store_list_dir (StoreFixture *self, const char *prefix);

/* Records that differ by @number in every field. (transfer full) */
TfdJobRecord *sample_job (guint number);
TfdFileRecord *sample_file (guint number);
TfdTombstone *sample_tombstone (guint number, guint32 uid);
TfdLeftover *sample_leftover (guint number, guint32 uid);

/* @count files from index @first on, element type TfdFileRecord. (transfer full) */
GPtrArray *sample_files (guint first, guint count);

void assert_same_job (const TfdJobRecord *left, const TfdJobRecord *right);
void assert_same_file (const TfdFileRecord *left, const TfdFileRecord *right);
void assert_same_files (GPtrArray *left, GPtrArray *right);
void assert_same_tombstone (const TfdTombstone *left, const TfdTombstone *right);
void assert_same_leftover (const TfdLeftover *left, const TfdLeftover *right);

G_END_DECLS
