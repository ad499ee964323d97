/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Tests of opening the database: versions, damage, permissions, the lock. */
#include "tests/lib/store-samples.h"

#include <glib/gstdio.h>
#include <signal.h>
#include <sqlite3.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define MESSAGE_SET_ASIDE "6f1d9d8a3b4b4c5e9a7f3f0d2c1e5b01"

/* What was logged above debug: "MESSAGE_ID message" lines. */
static GString *logged;

static GLogWriterOutput
log_writer (GLogLevelFlags level,
            const GLogField *fields,
            gsize n_fields,
            gpointer user_data G_GNUC_UNUSED)
{
  if (level >= G_LOG_LEVEL_DEBUG)
    return G_LOG_WRITER_HANDLED;

  for (gsize i = 0; i < n_fields; i++)
    if (g_str_equal (fields[i].key, "MESSAGE_ID") || g_str_equal (fields[i].key, "MESSAGE"))
      g_string_append_printf (logged, "%s ", (const char *) fields[i].value);
  return G_LOG_WRITER_HANDLED;
}

static void
set_up (StoreFixture *self, gconstpointer data)
{
  g_string_truncate (logged, 0);
  store_set_up (self, data);
}

static void
execute (StoreFixture *self, const char *sql)
{
  sqlite3 *db = NULL;
  char *message = NULL;

  g_assert_cmpint (sqlite3_open (self->database, &db), ==, SQLITE_OK);
  sqlite3_exec (db, sql, NULL, NULL, &message);
  g_assert_cmpstr (message, ==, NULL);
  sqlite3_close (db);
}

static void
fill (StoreFixture *self)
{
  g_autoptr (TfdJobRecord) job = sample_job (1);
  g_autoptr (GPtrArray) files = sample_files (0, 500);

  store_reopen (self);
  OK (tfd_store_insert_job (self->store, job, error));
  OK (tfd_store_insert_files (self->store, job->id, files, error));
  OK (tfd_store_commit (self->store, error));
}

static guint
count_jobs (StoreFixture *self)
{
  g_autoptr (GPtrArray) jobs = tfd_store_load_jobs (self->store, NULL);

  g_assert_nonnull (jobs);
  return jobs->len;
}

static guint32
mode_of (const char *path)
{
  struct stat status;

  g_assert_cmpint (g_lstat (path, &status), ==, 0);
  return status.st_mode & 07777;
}

static void
test_modes (StoreFixture *self, gconstpointer data G_GNUC_UNUSED)
{
  g_autofree char *dir = g_build_filename (self->dir, "a", NULL);
  g_autofree char *sub = g_build_filename (dir, "b", NULL);
  g_autofree char *database = g_build_filename (sub, TFD_STORE_FILE, NULL);
  g_autofree char *wal = g_strconcat (database, "-wal", NULL);
  g_autofree char *lock_path = g_build_filename (sub, TFD_STORE_LOCK_FILE, NULL);
  g_autofree char *home = g_steal_pointer (&self->dir);
  mode_t umask_before = umask (0);

  int lock = tfd_store_lock (sub, 0, NULL);
  g_assert_cmpint (lock, >=, 0);
  self->dir = g_strdup (sub);
  fill (self);
  umask (umask_before);
  g_assert_cmpuint (mode_of (dir), ==, 0700);
  g_assert_cmpuint (mode_of (sub), ==, 0700);
  g_assert_cmpuint (mode_of (database), ==, 0600);
  g_assert_cmpuint (mode_of (wal), ==, 0600);
  g_assert_cmpuint (mode_of (lock_path), ==, 0600);

  /* somebody opened it wide */
  g_clear_pointer (&self->store, tfd_store_close);
  g_assert_cmpint (g_chmod (database, 0666), ==, 0);
  store_reopen (self);
  g_assert_cmpuint (mode_of (database), ==, 0600);

  g_clear_pointer (&self->store, tfd_store_close);
  close (lock);
  g_unlink (database);
  g_unlink (lock_path);
  g_assert_cmpint (g_rmdir (sub), ==, 0);
  g_assert_cmpint (g_rmdir (dir), ==, 0);
  g_free (self->dir);
  self->dir = g_steal_pointer (&home);
}

static void
test_symlink (StoreFixture *self, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (GError) error = NULL;

  g_assert_cmpint (symlink ("elsewhere", self->database), ==, 0);
  g_assert_null (tfd_store_open (self->dir, &error));
  g_assert_error (error, TFD_ERROR, TFD_ERROR_STORAGE_FAILED);
  g_assert_nonnull (strstr (error->message, self->database));
}

static void
test_newer (StoreFixture *self, gconstpointer data G_GNUC_UNUSED)
{
  g_autofree char *before = NULL;
  g_autofree char *after = NULL;
  gsize length_before, length_after;

  fill (self);
  g_clear_pointer (&self->store, tfd_store_close);
  execute (self, "PRAGMA journal_mode = DELETE; PRAGMA user_version = 4711");
  g_assert_true (g_file_get_contents (self->database, &before, &length_before, NULL));

  g_autoptr (GError) error = NULL;
  g_assert_null (tfd_store_open (self->dir, &error));
  g_assert_error (error, TFD_ERROR, TFD_ERROR_STORAGE_FAILED);
  g_assert_nonnull (strstr (error->message, self->database));
  g_assert_nonnull (strstr (error->message, "version 4711"));
  g_assert_nonnull (strstr (error->message, "up to 4:"));

  /* it was not touched */
  g_assert_true (g_file_get_contents (self->database, &after, &length_after, NULL));
  g_assert_cmpmem (before, length_before, after, length_after);
  g_auto (GStrv) names = store_list_dir (self, "");
  g_assert_cmpuint (g_strv_length (names), ==, 1);
}

static void
test_foreign (StoreFixture *self, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (GError) error = NULL;

  execute (self, "CREATE TABLE cookies (a)");
  g_assert_null (tfd_store_open (self->dir, &error));
  g_assert_error (error, TFD_ERROR, TFD_ERROR_STORAGE_FAILED);
  g_assert_nonnull (strstr (error->message, "not a database of transferd"));
}

static void
assert_set_aside (StoreFixture *self)
{
  g_auto (GStrv) names = store_list_dir (self, TFD_STORE_FILE ".corrupt-");
  g_autofree char *aside = g_build_filename (self->dir, names[0], NULL);

  g_test_message ("%s", logged->str);
  g_assert_nonnull (names[0]);
  g_assert_cmpstr (tfd_store_get_set_aside (self->store), ==, aside);
  g_assert_true (g_str_has_prefix (names[0], TFD_STORE_FILE ".corrupt-20"));
  g_assert_nonnull (strstr (logged->str, MESSAGE_SET_ASIDE));
  g_assert_nonnull (strstr (logged->str, aside));
  g_assert_cmpuint (mode_of (aside), ==, 0600);
  g_assert_cmpuint (count_jobs (self), ==, 0);
}

static void
test_not_a_database (StoreFixture *self, gconstpointer data G_GNUC_UNUSED)
{
  g_autofree char *kept = NULL;

  g_assert_true (
      g_file_set_contents (self->database, "Dear diary, today I became a file.", -1, NULL));
  store_reopen (self);
  assert_set_aside (self);
  g_assert_true (g_file_get_contents (tfd_store_get_set_aside (self->store), &kept, NULL, NULL));
  g_assert_cmpstr (kept, ==, "Dear diary, today I became a file.");

  /* twice within a second */
  g_clear_pointer (&self->store, tfd_store_close);
  g_assert_true (g_file_set_contents (self->database, "Dear diary, it happened again.", -1, NULL));
  store_reopen (self);
  g_auto (GStrv) names = store_list_dir (self, TFD_STORE_FILE ".corrupt-");
  g_assert_cmpuint (g_strv_length (names), ==, 2);

  store_reopen (self);
  g_assert_null (tfd_store_get_set_aside (self->store));
}

/* Overwrites @size bytes of the database, from @offset on. */
static void
damage (StoreFixture *self, gsize offset, gsize size)
{
  g_autofree char *text = NULL;
  gsize length = 0;

  g_assert_true (g_file_get_contents (self->database, &text, &length, NULL));
  g_assert_cmpuint (offset + size, <=, length);
  memset (text + offset, 0x5a, size);
  g_assert_true (g_file_set_contents_full (self->database, text, (gssize) length,
                                           G_FILE_SET_CONTENTS_NONE, 0600, NULL));
}

static void
test_damaged_page (StoreFixture *self, gconstpointer data G_GNUC_UNUSED)
{
  fill (self);
  g_clear_pointer (&self->store, tfd_store_close);
  damage (self, 10 * 4096, 20 * 4096);
  store_reopen (self);
  assert_set_aside (self);
}

static void
test_damaged_schema (StoreFixture *self, gconstpointer data G_GNUC_UNUSED)
{
  fill (self);
  g_clear_pointer (&self->store, tfd_store_close);
  damage (self, 100, 3996);
  store_reopen (self);
  assert_set_aside (self);
}

static void
test_truncated (StoreFixture *self, gconstpointer data G_GNUC_UNUSED)
{
  fill (self);
  g_clear_pointer (&self->store, tfd_store_close);
  g_assert_cmpint (truncate (self->database, 20 * 4096), ==, 0);
  store_reopen (self);
  assert_set_aside (self);
}

/* A database that is too large to be checked whole each time, closed, whose @table is damaged. */
static void
make_large (StoreFixture *self, const char *table)
{
  g_autofree char *large = g_strnfill (17 << 20, 'x');
  g_autofree char *sql =
      g_strdup_printf ("SELECT rootpage FROM sqlite_schema WHERE name = '%s'", table);
  sqlite3 *db = NULL;
  sqlite3_stmt *stmt = NULL;

  fill (self);
  OK (tfd_store_set_meta (self->store, "large", large, error));
  OK (tfd_store_commit (self->store, error));
  g_clear_pointer (&self->store, tfd_store_close);

  g_assert_cmpint (sqlite3_open (self->database, &db), ==, SQLITE_OK);
  g_assert_cmpint (sqlite3_prepare_v2 (db, sql, -1, &stmt, NULL), ==, SQLITE_OK);
  g_assert_cmpint (sqlite3_step (stmt), ==, SQLITE_ROW);
  gsize page = (gsize) sqlite3_column_int (stmt, 0);
  sqlite3_finalize (stmt);
  sqlite3_close (db);
  damage (self, (page - 1) * 4096, 4096);
}

/* What is read at the start is checked at each. */
static void
test_large_damaged_jobs (StoreFixture *self, gconstpointer data G_GNUC_UNUSED)
{
  make_large (self, "jobs");
  store_reopen (self);
  assert_set_aside (self);
}

/* Damage elsewhere shows when something is wanted from there; then all is checked. */
static void
test_large_damaged_files (StoreFixture *self, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (TfdJobRecord) job = sample_job (1);

  make_large (self, "files");
  store_reopen (self);
  g_assert_null (tfd_store_get_set_aside (self->store));
  g_assert_cmpuint (count_jobs (self), ==, 1);
  store_reopen (self);
  g_assert_null (tfd_store_get_set_aside (self->store));

  FAILS (tfd_store_load_files (self->store, job->id, error) != NULL, TFD_ERROR_STORAGE_FAILED);
  store_reopen (self);
  assert_set_aside (self);
}

/* The service was killed: whatever it was that did so may have damaged the file. */
static void
test_large_not_closed (StoreFixture *self, gconstpointer data G_GNUC_UNUSED)
{
  g_autofree char *log = g_strconcat (self->database, "-wal", NULL);

  make_large (self, "files");
  g_assert_true (g_file_set_contents (log, "", 0, NULL));
  store_reopen (self);
  assert_set_aside (self);
}

/* The write-ahead log of a damaged database goes with it: a new one must not swallow it. */
static void
test_damaged_with_log (StoreFixture *self, gconstpointer data G_GNUC_UNUSED)
{
  g_autofree char *wal_path = g_strconcat (self->database, "-wal", NULL);

  g_assert_true (g_file_set_contents (self->database, "no database", -1, NULL));
  g_assert_true (g_file_set_contents (wal_path, "no log", -1, NULL));
  store_reopen (self);
  assert_set_aside (self);

  g_autofree char *aside = g_strconcat (tfd_store_get_set_aside (self->store), "-wal", NULL);
  g_autofree char *kept = NULL;
  g_assert_true (g_file_get_contents (aside, &kept, NULL, NULL));
  g_assert_cmpstr (kept, ==, "no log");
}

/* A process is killed with a commit in the log that never reached the database file. */
static void
test_recovers_log (StoreFixture *self, gconstpointer data G_GNUC_UNUSED)
{
  pid_t child = fork ();

  if (child == 0)
    {
      fill (self);
      OK (tfd_store_set_meta (self->store, "lost", "yes", error));
      raise (SIGKILL);
    }

  int status = 0;
  g_assert_cmpint (waitpid (child, &status, 0), ==, child);
  g_assert_true (WIFSIGNALED (status));
  store_reopen (self);
  g_assert_cmpuint (count_jobs (self), ==, 1);
  g_assert_null (tfd_store_get_set_aside (self->store));

  g_autofree char *value = NULL;
  OK (tfd_store_get_meta (self->store, "lost", &value, error));
  g_assert_null (value);
}

/* The store of an earlier version, brought to the present one. */
static void
load_fixture (StoreFixture *self, const char *name)
{
  g_autofree char *path =
      g_build_filename (g_getenv ("TFD_SOURCE_ROOT"), "tests", "fixtures", "databases", name, NULL);
  g_autofree char *sql = NULL;
  g_autoptr (GError) error = NULL;

  g_file_get_contents (path, &sql, NULL, &error);
  g_assert_no_error (error);
  execute (self, sql);
  store_reopen (self);
}

static void
assert_fixture_001 (StoreFixture *self)
{
  g_autoptr (GError) error = NULL;

  g_autoptr (GPtrArray) jobs = tfd_store_load_jobs (self->store, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (jobs->len, ==, 3);
  for (guint i = 0; i < jobs->len; i++)
    {
      g_autoptr (TfdJobRecord) expected = sample_job (i);
      g_autoptr (GPtrArray) files = tfd_store_load_files (self->store, expected->id, NULL);
      g_autoptr (GPtrArray) expected_files = sample_files (0, 3 * i);

      /* what came with version 3 */
      expected->gone_since = 0;
      *expected->sandbox = '\0';
      assert_same_job (jobs->pdata[i], expected);
      assert_same_files (files, expected_files);
    }

  TfdTombstoneFilter filter = { .files = TRUE };
  g_autoptr (GPtrArray) tombstones = tfd_store_load_tombstones (self->store, 1000, &filter, NULL);
  g_autoptr (TfdTombstone) tombstone = sample_tombstone (7, 1000);

  *tombstone->sandbox = '\0';
  g_assert_cmpuint (tombstones->len, ==, 1);
  assert_same_tombstone (tombstones->pdata[0], tombstone);

  g_autoptr (GPtrArray) leftovers =
      tfd_store_load_leftovers (self->store, TFD_LEFTOVER_FILE, 1000, NULL);
  g_autoptr (TfdLeftover) leftover = sample_leftover (9, 1000);
  leftover->id = 1;
  g_assert_cmpuint (leftovers->len, ==, 1);
  assert_same_leftover (leftovers->pdata[0], leftover);

  const TfdJobRecord *job = jobs->pdata[1];
  g_autoptr (GPtrArray) events = tfd_store_load_events (self->store, job->id, 0, NULL);
  g_assert_cmpuint (events->len, ==, 2);
}

/* Nothing of it is lost, and it has a place for what came later. */
static void
test_fixture_001 (StoreFixture *self, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (TfdLeftover) session = sample_leftover (101, 1000);

  load_fixture (self, "001.sql");
  assert_fixture_001 (self);
  OK (tfd_store_add_leftover (self->store, session, error));
  OK (tfd_store_commit (self->store, error));
  store_reopen (self);
  assert_fixture_001 (self);
  g_autoptr (GPtrArray) sessions =
      tfd_store_load_leftovers (self->store, TFD_LEFTOVER_SESSION, G_MAXUINT32, NULL);
  g_assert_cmpuint (sessions->len, ==, 1);
  assert_same_leftover (sessions->pdata[0], session);
}

static void
assert_fixture_session (StoreFixture *self)
{
  g_autoptr (TfdLeftover) session = sample_leftover (101, 1000);
  g_autoptr (GPtrArray) sessions =
      tfd_store_load_leftovers (self->store, TFD_LEFTOVER_SESSION, G_MAXUINT32, NULL);

  session->id = 2;
  g_assert_cmpuint (sessions->len, ==, 1);
  assert_same_leftover (sessions->pdata[0], session);
}

static void
test_fixture_002 (StoreFixture *self, gconstpointer data G_GNUC_UNUSED)
{
  load_fixture (self, "002.sql");
  assert_fixture_001 (self);
  assert_fixture_session (self);
}

static void
test_fixture_003 (StoreFixture *self, gconstpointer data G_GNUC_UNUSED)
{
  load_fixture (self, "003.sql");
  assert_fixture_001 (self);
  assert_fixture_session (self);
}

/* A row that this version cannot understand costs no other its life, and is not deleted. */
static void
test_strange_row (StoreFixture *self, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (TfdJobRecord) job = sample_job (2);
  g_autoptr (TfdJobRecord) strange = sample_job (1);

  fill (self);
  OK (tfd_store_insert_job (self->store, job, error));
  OK (tfd_store_commit (self->store, error));
  g_clear_pointer (&self->store, tfd_store_close);
  execute (self, "UPDATE jobs SET state = 'dreaming' WHERE number = 1");

  store_reopen (self);
  g_assert_cmpuint (count_jobs (self), ==, 1);
  g_assert_nonnull (strstr (logged->str, strange->id));
  FAILS (tfd_store_load_job (self->store, strange->id, error) != NULL, TFD_ERROR_STORAGE_FAILED);
  g_clear_pointer (&self->store, tfd_store_close);
  execute (self, "UPDATE jobs SET state = 'queued' WHERE number = 1");
  store_reopen (self);
  g_assert_cmpuint (count_jobs (self), ==, 2);
}

/* A process that holds the lock until its standard input, the read end of a pipe, is closed. */
static pid_t
start_holder (const char *dir, int *release)
{
  int ready[2], end[2];
  char byte = 0;

  g_assert_cmpint (pipe (ready), ==, 0);
  g_assert_cmpint (pipe (end), ==, 0);
  pid_t child = fork ();
  if (child == 0)
    {
      close (end[1]);
      if (tfd_store_lock (dir, 0, NULL) < 0 || write (ready[1], &byte, 1) != 1)
        _exit (1);
      _exit (read (end[0], &byte, 1) == 0 ? 0 : 1);
    }

  close (ready[1]);
  close (end[0]);
  g_assert_cmpint (read (ready[0], &byte, 1), ==, 1);
  close (ready[0]);
  *release = end[1];
  return child;
}

static gpointer
release_thread (gpointer data)
{
  close (GPOINTER_TO_INT (data));
  return NULL;
}

static void
test_lock (StoreFixture *self, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (GError) error = NULL;
  int release = -1;
  pid_t holder = start_holder (self->dir, &release);
  g_autofree char *named = g_strdup_printf ("process %d", (int) holder);

  g_assert_cmpint (tfd_store_lock (self->dir, 0, &error), ==, -1);
  g_assert_error (error, TFD_ERROR, TFD_ERROR_STORAGE_FAILED);
  g_test_message ("%s", error->message);
  g_assert_nonnull (strstr (error->message, named));
  g_assert_nonnull (strstr (error->message, self->dir));

  /* waits for the end of the holder */
  GThread *thread = g_thread_new ("release", release_thread, GINT_TO_POINTER (release));
  int lock = tfd_store_lock (self->dir, 20 * G_USEC_PER_SEC, NULL);
  g_thread_join (thread);
  g_assert_cmpint (lock, >=, 0);
  g_assert_cmpint (waitpid (holder, NULL, 0), ==, holder);

  g_clear_error (&error);
  named = (g_free (named), g_strdup_printf ("process %d", (int) getpid ()));
  g_assert_cmpint (tfd_store_lock (self->dir, 0, &error), ==, -1);
  g_assert_nonnull (strstr (error->message, named));
  close (lock);
}

#define ADD(path, function) g_test_add (path, StoreFixture, NULL, set_up, function, store_tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  logged = g_string_new (NULL);
  g_log_set_writer_func (log_writer, NULL, NULL);

  ADD ("/store/open/modes", test_modes);
  ADD ("/store/open/symbolic-link", test_symlink);
  ADD ("/store/open/newer", test_newer);
  ADD ("/store/open/foreign", test_foreign);
  ADD ("/store/open/not-a-database", test_not_a_database);
  ADD ("/store/open/damaged-page", test_damaged_page);
  ADD ("/store/open/damaged-schema", test_damaged_schema);
  ADD ("/store/open/large/damaged-jobs", test_large_damaged_jobs);
  ADD ("/store/open/large/damaged-files", test_large_damaged_files);
  ADD ("/store/open/large/not-closed", test_large_not_closed);
  ADD ("/store/open/damaged-with-log", test_damaged_with_log);
  ADD ("/store/open/truncated", test_truncated);
  ADD ("/store/open/recovers-log", test_recovers_log);
  ADD ("/store/open/fixture-001", test_fixture_001);
  ADD ("/store/open/fixture-002", test_fixture_002);
  ADD ("/store/open/fixture-003", test_fixture_003);
  ADD ("/store/open/strange-row", test_strange_row);
  ADD ("/store/lock", test_lock);
  return g_test_run ();
}
