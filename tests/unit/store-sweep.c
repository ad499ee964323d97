/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Tests of the rows of jobs that are over: nobody sees them, and they go a few at a time. */
#include "tests/lib/store-samples.h"

#include <sqlite3.h>
#include <string.h>

/* What stands in the database, whoever may see it. The store must be closed. */
static gint64
ask (StoreFixture *self, const char *sql)
{
  sqlite3 *db = NULL;
  sqlite3_stmt *statement = NULL;
  gint64 value;

  g_assert_null (self->store);
  g_assert_cmpint (sqlite3_open (self->database, &db), ==, SQLITE_OK);
  g_assert_cmpint (sqlite3_prepare_v2 (db, sql, -1, &statement, NULL), ==, SQLITE_OK);
  g_assert_cmpint (sqlite3_step (statement), ==, SQLITE_ROW);
  value = sqlite3_column_int64 (statement, 0);
  sqlite3_finalize (statement);
  sqlite3_close (db);
  return value;
}

static gint64
ask_closed (StoreFixture *self, const char *sql)
{
  gint64 value;

  g_clear_pointer (&self->store, tfd_store_close);
  value = ask (self, sql);
  store_reopen (self);
  return value;
}

static void
add_job (StoreFixture *self, TfdJobRecord *job, guint n_files)
{
  g_autoptr (GPtrArray) files = sample_files (0, n_files);

  OK (tfd_store_insert_job (self->store, job, error));
  OK (tfd_store_insert_files (self->store, job->id, files, error));
  OK (tfd_store_append_event (self->store, job->id, 1, "x", NULL, 5, error));
  OK (tfd_store_commit (self->store, error));
}

static gboolean
sweep (StoreFixture *self, guint rows)
{
  gboolean more = FALSE;

  OK (tfd_store_sweep (self->store, rows, &more, error));
  OK (tfd_store_commit (self->store, error));
  return more;
}

/* At once it is as if the job had never been, for whoever asks whatever. */
static void
test_hidden (StoreFixture *self, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (TfdJobRecord) job = sample_job (1);
  g_autoptr (TfdJobRecord) other = sample_job (2);
  guint64 before = 0, after = 0;
  gboolean found = TRUE, needed = TRUE;

  store_reopen (self);
  other->owner_uid = job->owner_uid;
  add_job (self, other, 3);
  OK (tfd_store_measure_user (self->store, job->owner_uid, &before, error));
  add_job (self, job, 20);
  OK (tfd_store_needs_sweep (self->store, &needed, error));
  g_assert_false (needed);
  OK (tfd_store_retire_job (self->store, job->id, error));
  OK (tfd_store_commit (self->store, error));
  store_reopen (self);

  g_autoptr (GPtrArray) jobs = tfd_store_load_jobs (self->store, NULL);
  g_autoptr (GPtrArray) files = tfd_store_load_files (self->store, job->id, NULL);
  g_autoptr (GPtrArray) events = tfd_store_load_events (self->store, job->id, 0, NULL);
  g_autoptr (TfdFileRecord) file = sample_file (0);
  g_assert_cmpuint (jobs->len, ==, 1);
  assert_same_job (jobs->pdata[0], other);
  g_assert_cmpuint (files->len + events->len, ==, 0);
  FAILS (tfd_store_load_job (self->store, job->id, error) != NULL, TFD_ERROR_NOT_FOUND);
  FAILS (tfd_store_update_job (self->store, job, error), TFD_ERROR_NOT_FOUND);
  FAILS (tfd_store_update_file (self->store, job->id, file, error), TFD_ERROR_NOT_FOUND);
  OK (tfd_store_find_file_by_path (self->store, job->id, file->path, &found, NULL, error));
  g_assert_false (found);
  OK (tfd_store_measure_user (self->store, job->owner_uid, &after, error));
  g_assert_cmpuint (after, ==, before);
  OK (tfd_store_needs_sweep (self->store, &needed, error));
  g_assert_true (needed);

  /* nor does anything stay that was secret; and its id is free */
  g_assert_cmpint (ask_closed (self, "SELECT count (*) FROM jobs WHERE ended = 1 AND"
                                     " (secrets IS NOT NULL OR length (properties) > 0)"),
                   ==, 0);
  add_job (self, job, 1);
  OK (tfd_store_retire_job (self->store, job->id, error));
  OK (tfd_store_commit (self->store, error));
  g_assert_cmpint (ask_closed (self, "SELECT count (*) FROM jobs WHERE ended = 1"), ==, 2);
}

/* Slice by slice, over restarts, until nothing is left but what belongs to others. */
static void
test_slices (StoreFixture *self, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (TfdJobRecord) job = sample_job (1);
  g_autoptr (TfdJobRecord) second = sample_job (2);
  g_autoptr (TfdJobRecord) other = sample_job (3);
  g_autoptr (GPtrArray) expected = sample_files (0, 30);

  store_reopen (self);
  add_job (self, job, 25);
  add_job (self, other, 30);
  add_job (self, second, 10);
  OK (tfd_store_retire_job (self->store, job->id, error));
  OK (tfd_store_retire_job (self->store, second->id, error));
  OK (tfd_store_commit (self->store, error));

  g_assert_true (sweep (self, 10));
  g_assert_cmpint (ask_closed (self, "SELECT count (*) FROM files"), ==, 55);
  g_assert_true (sweep (self, 10));
  g_assert_true (sweep (self, 10));
  g_assert_cmpint (ask_closed (self, "SELECT count (*) FROM files"), ==, 40);
  g_assert_cmpint (ask_closed (self, "SELECT count (*) FROM jobs"), ==, 2);
  /* exactly as many as a slice has: the job itself goes with the next */
  g_assert_true (sweep (self, 10));
  g_assert_false (sweep (self, 10));
  g_assert_false (sweep (self, 10));
  g_assert_cmpint (ask_closed (self, "SELECT count (*) FROM jobs"), ==, 1);
  g_assert_cmpint (ask_closed (self, "SELECT count (*) FROM events"), ==, 1);

  g_autoptr (GPtrArray) files = tfd_store_load_files (self->store, other->id, NULL);
  assert_same_files (files, expected);
}

/* What was not committed has not happened, neither the end nor a slice. */
static void
test_rolled_back (StoreFixture *self, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (TfdJobRecord) job = sample_job (1);
  gboolean more = FALSE;

  store_reopen (self);
  add_job (self, job, 20);
  OK (tfd_store_retire_job (self->store, job->id, error));
  store_reopen (self);
  g_autoptr (TfdJobRecord) loaded = tfd_store_load_job (self->store, job->id, NULL);
  assert_same_job (loaded, job);

  OK (tfd_store_retire_job (self->store, job->id, error));
  OK (tfd_store_commit (self->store, error));
  OK (tfd_store_sweep (self->store, 15, &more, error));
  tfd_store_rollback (self->store);
  g_assert_cmpint (ask_closed (self, "SELECT count (*) FROM files"), ==, 20);
  g_assert_true (sweep (self, 15));
  g_assert_false (sweep (self, 15));
  g_assert_cmpint (ask_closed (self, "SELECT count (*) FROM jobs"), ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  STORE_ADD ("/store/sweep/hidden", test_hidden);
  STORE_ADD ("/store/sweep/slices", test_slices);
  STORE_ADD ("/store/sweep/rolled-back", test_rolled_back);
  return g_test_run ();
}
