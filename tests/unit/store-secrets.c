/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Tests of secrets in the database: no file has them in the plain, a database of before is sealed
 * and wiped, and a job outlives the loss of the key. */
#include "config.h"

#include "tests/lib/store-samples.h"

#include "common/wire.h"

#include <glib/gstdio.h>
#include <sqlite3.h>
#include <string.h>

#define PASSWORD "open-sesame-7f3a"
#define TOKEN "very-secret-token-91c2"

/* How often @word stands in any file of the state directory. */
static guint
count_in_files (StoreFixture *self, const char *word)
{
  g_auto (GStrv) names = store_list_dir (self, "");
  guint count = 0;

  for (guint i = 0; names[i] != NULL; i++)
    {
      g_autofree char *path = g_build_filename (self->dir, names[i], NULL);
      g_autofree char *content = NULL;
      gsize size;

      g_assert_true (g_file_get_contents (path, &content, &size, NULL));
      for (const char *at = content;
           (at = memmem (at, size - (gsize) (at - content), word, strlen (word))) != NULL; at++)
        count++;
    }
  return count;
}

static void
assert_nothing_plain (StoreFixture *self)
{
  g_assert_cmpuint (count_in_files (self, PASSWORD), ==, 0);
  g_assert_cmpuint (count_in_files (self, TOKEN), ==, 0);
}

static TfdJobRecord *
secret_job (guint number)
{
  TfdJobRecord *job = sample_job (number);

  g_assert_true (tfd_credentials_set (job->properties, "server", "basic", "alice", PASSWORD, NULL));
  g_clear_pointer (&job->properties->headers, g_variant_unref);
  job->properties->headers = g_variant_ref_sink (g_variant_new_parsed ("[('X-Token', %s)]", TOKEN));
  job->properties->headers_write_only = TRUE;
  return job;
}

static void
insert_and_commit (StoreFixture *self, const TfdJobRecord *job)
{
  g_autoptr (GError) error = NULL;

  g_assert_true (tfd_store_insert_job (self->store, job, &error));
  g_assert_true (tfd_store_commit (self->store, &error));
  g_assert_no_error (error);
}

static void
assert_has_secrets (const TfdJobRecord *job)
{
  g_autoptr (GVariant) expected =
      g_variant_ref_sink (g_variant_new_parsed ("[('server', 'basic', 'alice', %s)]", PASSWORD));
  g_autoptr (GVariant) headers =
      g_variant_ref_sink (g_variant_new_parsed ("[('X-Token', %s)]", TOKEN));

  g_assert_false (job->secrets_lost);
  g_assert_cmpvariant (job->properties->credentials, expected);
  g_assert_cmpvariant (job->properties->headers, headers);
}

static void
test_job (StoreFixture *self, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (TfdJobRecord) job = secret_job (3);

  store_reopen (self);
  insert_and_commit (self, job);
  assert_nothing_plain (self);
  g_assert_true (tfd_store_update_job (self->store, job, NULL));
  g_assert_true (tfd_store_commit (self->store, NULL));
  assert_nothing_plain (self);

  store_reopen (self);
  assert_nothing_plain (self);
  g_autoptr (GPtrArray) jobs = tfd_store_load_jobs (self->store, NULL);
  g_assert_cmpuint (jobs->len, ==, 1);
  assert_same_job (jobs->pdata[0], job);
  assert_has_secrets (jobs->pdata[0]);
}

static void
test_leftover (StoreFixture *self, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (TfdLeftover) leftover = sample_leftover (101, 1000);
  g_autoptr (GPtrArray) found = NULL;
  g_autoptr (GError) error = NULL;

  g_clear_pointer (&leftover->options, g_variant_unref);
  leftover->options = g_variant_ref_sink (
      g_variant_new_parsed ("{'umask': <@u 18>, 'headers': <[('X-Token', %s)]>,"
                            " 'credentials': <[('server', 'basic', 'alice', %s)]>}",
                            TOKEN, PASSWORD));
  store_reopen (self);
  g_assert_true (tfd_store_add_leftover (self->store, leftover, &error));
  g_assert_true (tfd_store_commit (self->store, &error));
  assert_nothing_plain (self);
  store_reopen (self);
  found = tfd_store_load_leftovers (self->store, TFD_LEFTOVER_SESSION, 1000, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (found->len, ==, 1);
  assert_same_leftover (found->pdata[0], leftover);
}

static void
change_database (StoreFixture *self, const char *sql)
{
  sqlite3 *db = NULL;

  g_clear_pointer (&self->store, tfd_store_close);
  g_assert_cmpint (sqlite3_open (self->database, &db), ==, SQLITE_OK);
  g_assert_cmpint (sqlite3_exec (db, sql, NULL, NULL, NULL), ==, SQLITE_OK);
  g_assert_cmpint (sqlite3_close (db), ==, SQLITE_OK);
}

/* As a version before has stored them: with the properties. */
static char *
plain_blob (GVariant *value)
{
  const guint8 *bytes = g_variant_get_data (value);
  GString *hex = g_string_new ("X'");

  for (gsize i = 0; i < g_variant_get_size (value); i++)
    g_string_append_printf (hex, "%02x", bytes[i]);
  g_string_append_c (hex, '\'');
  return g_string_free (hex, FALSE);
}

static void
test_database_of_before (StoreFixture *self, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (TfdJobRecord) other = sample_job (4);
  g_autoptr (TfdJobRecord) job = sample_job (3);
  g_autoptr (TfdLeftover) leftover = sample_leftover (101, 1000);
  g_autoptr (GVariant) properties = g_variant_ref_sink (
      g_variant_new_parsed ("{'HeadersWriteOnly': <true>, 'Headers': <[('X-Token', %s)]>,"
                            " 'credentials': <[('server', 'basic', 'alice', %s)]>}",
                            TOKEN, PASSWORD));
  g_autoptr (GVariant) options = g_variant_ref_sink (
      g_variant_new_parsed ("{'headers': <[('X-Token', %s)]>, 'umask': <@u 18>}", TOKEN));
  g_autofree char *blob = plain_blob (properties);
  g_autofree char *options_blob = plain_blob (options);
  g_autofree char *sql = g_strdup_printf ("PRAGMA secure_delete = OFF;"
                                          "UPDATE jobs SET properties = %s WHERE id = '%s';"
                                          "UPDATE leftovers SET options = %s",
                                          blob, job->id, options_blob);

  store_reopen (self);
  insert_and_commit (self, job);
  insert_and_commit (self, other);
  g_assert_true (tfd_store_add_leftover (self->store, leftover, NULL));
  g_assert_true (tfd_store_commit (self->store, NULL));
  change_database (self, sql);
  g_assert_cmpuint (count_in_files (self, PASSWORD), >=, 1);
  g_assert_cmpuint (count_in_files (self, TOKEN), >=, 2);

  store_reopen (self);
  assert_nothing_plain (self);
  g_autoptr (GPtrArray) jobs = tfd_store_load_jobs (self->store, NULL);
  g_assert_cmpuint (jobs->len, ==, 2);
  assert_has_secrets (jobs->pdata[0]);
  assert_same_job (jobs->pdata[1], other);
  g_autoptr (GPtrArray) leftovers =
      tfd_store_load_leftovers (self->store, TFD_LEFTOVER_SESSION, 1000, NULL);
  const TfdLeftover *loaded = leftovers->pdata[0];
  g_autoptr (GVariant) headers =
      g_variant_lookup_value (loaded->options, "headers", G_VARIANT_TYPE ("a(ss)"));
  g_assert_nonnull (headers);
}

/* Sealed for one job, put into the row of another. */
static void
test_swapped (StoreFixture *self, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (TfdJobRecord) job = secret_job (3);
  g_autoptr (TfdJobRecord) thief = sample_job (4);
  g_autofree char *sql = g_strdup_printf (
      "UPDATE jobs SET secrets = (SELECT secrets FROM jobs WHERE id = '%s') WHERE id = '%s'",
      job->id, thief->id);

  store_reopen (self);
  insert_and_commit (self, job);
  insert_and_commit (self, thief);
  change_database (self, sql);
  store_reopen (self);
  g_autoptr (TfdJobRecord) loaded = tfd_store_load_job (self->store, thief->id, NULL);
  g_assert_true (loaded->secrets_lost);
  g_assert_null (loaded->properties->credentials);
}

static void
test_lost_key (StoreFixture *self, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (TfdJobRecord) job = secret_job (3);
  g_autofree char *key = g_build_filename (self->dir, "secrets.key", NULL);
  const TfdJobRecord *loaded;

  store_reopen (self);
  insert_and_commit (self, job);
  g_clear_pointer (&self->store, tfd_store_close);
  g_assert_cmpint (g_unlink (key), ==, 0);
  store_reopen (self);
  g_autoptr (GPtrArray) jobs = tfd_store_load_jobs (self->store, NULL);
  g_assert_cmpuint (jobs->len, ==, 1);
  loaded = jobs->pdata[0];
  g_assert_true (loaded->secrets_lost);
  g_assert_null (loaded->properties->credentials);
  g_assert_null (loaded->properties->headers);
  g_assert_cmpstr (loaded->properties->display_name, ==, job->properties->display_name);
}

/* A key that cannot be read today may be tomorrow: nothing is thrown away. */
static void
test_no_key_at_present (StoreFixture *self, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (TfdJobRecord) job = secret_job (3);
  g_autofree char *key = g_build_filename (self->dir, "secrets.key", NULL);
  g_autofree char *content = NULL;
  g_autoptr (GError) error = NULL;
  gsize size;

  store_reopen (self);
  insert_and_commit (self, job);
  g_clear_pointer (&self->store, tfd_store_close);
  g_assert_true (g_file_get_contents (key, &content, &size, NULL));
  g_assert_true (g_file_set_contents (key, "x", 1, NULL));
  store_reopen (self);
  g_assert_false (tfd_store_prepare_secrets (self->store, &error));
  g_assert_error (error, TFD_ERROR, TFD_ERROR_STORAGE_FAILED);
  g_assert_false (tfd_store_insert_job (self->store, job, NULL));

  g_clear_pointer (&self->store, tfd_store_close);
  g_assert_true (g_file_set_contents (key, content, (gssize) size, NULL));
  store_reopen (self);
  g_autoptr (TfdJobRecord) loaded = tfd_store_load_job (self->store, job->id, NULL);
  assert_has_secrets (loaded);
}

static void
test_without_secrets_no_key (StoreFixture *self, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (TfdJobRecord) job = sample_job (3);
  g_auto (GStrv) names = NULL;

  store_reopen (self);
  insert_and_commit (self, job);
  names = store_list_dir (self, "secrets");
  g_assert_cmpuint (g_strv_length (names), ==, 0);
}

#define ADD(path, func) g_test_add (path, StoreFixture, NULL, store_set_up, func, store_tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("/store/secrets/job", test_job);
  ADD ("/store/secrets/leftover", test_leftover);
  ADD ("/store/secrets/database-of-before", test_database_of_before);
  ADD ("/store/secrets/swapped", test_swapped);
  ADD ("/store/secrets/lost-key", test_lost_key);
  ADD ("/store/secrets/no-key-at-present", test_no_key_at_present);
  ADD ("/store/secrets/without-secrets-no-key", test_without_secrets_no_key);
  return g_test_run ();
}
