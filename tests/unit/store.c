/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Tests of the store: what goes in comes out, and transactions are all or nothing. */
#include "tests/lib/store-samples.h"

#define N_JOBS 80 /* more than there are error codes, states, types */

static void
insert_job (StoreFixture *self, guint number)
{
  g_autoptr (TfdJobRecord) job = sample_job (number);

  OK (tfd_store_insert_job (self->store, job, error));
}

static const char *
id_of (guint number)
{
  static char id[33];

  g_snprintf (id, sizeof id, "%032x", number);
  return id;
}

static guint
count_all_jobs (StoreFixture *self)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) jobs = tfd_store_load_jobs (self->store, &error);

  g_assert_no_error (error);
  return jobs->len;
}

static guint
count_files (StoreFixture *self, guint job)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) files = tfd_store_load_files (self->store, id_of (job), &error);

  g_assert_no_error (error);
  return files->len;
}

static void
test_job_fields (StoreFixture *self, gconstpointer data G_GNUC_UNUSED)
{
  store_reopen (self);
  for (guint i = 0; i < N_JOBS; i++)
    insert_job (self, i);
  OK (tfd_store_commit (self->store, error));
  store_reopen (self);

  g_autoptr (GPtrArray) jobs = tfd_store_load_jobs (self->store, NULL);
  g_assert_cmpuint (jobs->len, ==, N_JOBS);
  for (guint i = 0; i < N_JOBS; i++)
    {
      g_autoptr (TfdJobRecord) expected = sample_job (i);
      g_autoptr (TfdJobRecord) alone = tfd_store_load_job (self->store, expected->id, NULL);

      assert_same_job (jobs->pdata[i], expected);
      assert_same_job (alone, expected);
    }
}

static void
test_job_update (StoreFixture *self, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (TfdJobRecord) other = sample_job (8);

  store_reopen (self);
  insert_job (self, 7);
  insert_job (self, 9);
  FAILS (tfd_store_update_job (self->store, other, error), TFD_ERROR_NOT_FOUND);
  FAILS (tfd_store_update_owner (self->store, other, error), TFD_ERROR_NOT_FOUND);
  g_free (other->id);
  other->id = g_strdup (id_of (7));
  OK (tfd_store_update_job (self->store, other, error));
  OK (tfd_store_update_owner (self->store, other, error));
  OK (tfd_store_commit (self->store, error));
  store_reopen (self);

  g_autoptr (GPtrArray) jobs = tfd_store_load_jobs (self->store, NULL);
  g_autoptr (TfdJobRecord) untouched = sample_job (9);
  g_assert_cmpuint (jobs->len, ==, 2);
  assert_same_job (jobs->pdata[0], other);
  assert_same_job (jobs->pdata[1], untouched);
}

static void
test_job_unknown (StoreFixture *self, gconstpointer data G_GNUC_UNUSED)
{
  store_reopen (self);
  g_autoptr (GPtrArray) files = sample_files (0, 3);

  FAILS (tfd_store_load_job (self->store, id_of (1), error) != NULL, TFD_ERROR_NOT_FOUND);
  FAILS (tfd_store_insert_files (self->store, id_of (1), files, error), TFD_ERROR_NOT_FOUND);
  FAILS (tfd_store_append_event (self->store, id_of (1), 1, "x", NULL, 5, error),
         TFD_ERROR_NOT_FOUND);
  OK (tfd_store_delete_job (self->store, id_of (1), error));
  g_assert_cmpuint (count_files (self, 1), ==, 0);

  insert_job (self, 1);
  FAILS (tfd_store_update_file (self->store, id_of (1), files->pdata[0], error),
         TFD_ERROR_NOT_FOUND);
  g_autoptr (TfdJobRecord) again = sample_job (1);
  FAILS (tfd_store_insert_job (self->store, again, error), TFD_ERROR_STORAGE_FAILED);
  OK (tfd_store_commit (self->store, error));
  g_assert_cmpuint (count_all_jobs (self), ==, 1);
}

static void
test_job_delete (StoreFixture *self, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (GPtrArray) files = sample_files (0, 20);

  store_reopen (self);
  for (guint i = 1; i <= 2; i++)
    {
      insert_job (self, i);
      OK (tfd_store_insert_files (self->store, id_of (i), files, error));
      OK (tfd_store_append_event (self->store, id_of (i), 1, "x", NULL, 5, error));
    }
  OK (tfd_store_delete_job (self->store, id_of (1), error));
  OK (tfd_store_commit (self->store, error));

  g_assert_cmpuint (count_all_jobs (self), ==, 1);
  g_assert_cmpuint (count_files (self, 1), ==, 0);
  g_assert_cmpuint (count_files (self, 2), ==, 20);

  /* a job that takes the id anew inherits nothing */
  insert_job (self, 1);
  g_autoptr (GPtrArray) events = tfd_store_load_events (self->store, id_of (1), 0, NULL);
  g_assert_cmpuint (events->len, ==, 0);
  g_assert_cmpuint (count_files (self, 1), ==, 0);
}

static void
test_file_fields (StoreFixture *self, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (GPtrArray) files = sample_files (0, 60);

  store_reopen (self);
  insert_job (self, 1);
  OK (tfd_store_insert_files (self->store, id_of (1), files, error));
  OK (tfd_store_commit (self->store, error));
  store_reopen (self);

  g_autoptr (GPtrArray) loaded = tfd_store_load_files (self->store, id_of (1), NULL);
  assert_same_files (loaded, files);

  /* every field changes; only this file does */
  g_autoptr (TfdFileRecord) other = sample_file (67);
  other->index = 5;
  OK (tfd_store_update_file (self->store, id_of (1), other, error));
  OK (tfd_store_commit (self->store, error));
  store_reopen (self);
  g_clear_pointer (&loaded, g_ptr_array_unref);
  loaded = tfd_store_load_files (self->store, id_of (1), NULL);
  assert_same_file (loaded->pdata[5], other);
  assert_same_file (loaded->pdata[4], files->pdata[4]);
  assert_same_file (loaded->pdata[6], files->pdata[6]);
}

static void
test_file_range (StoreFixture *self, gconstpointer data G_GNUC_UNUSED)
{
  static const struct
  {
    guint32 first, count, expected_first, expected_count;
  } cases[] = {
    { 0, 0, 0, 30 },  { 0, 10, 0, 10 }, { 25, 10, 25, 5 },
    { 29, 0, 29, 1 }, { 30, 10, 0, 0 }, { G_MAXUINT32, G_MAXUINT32, 0, 0 },
  };
  g_autoptr (GPtrArray) late = sample_files (10, 20);
  g_autoptr (GPtrArray) early = sample_files (0, 10);

  store_reopen (self);
  insert_job (self, 1);
  OK (tfd_store_insert_files (self->store, id_of (1), late, error));
  OK (tfd_store_insert_files (self->store, id_of (1), early, error));

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GPtrArray) expected =
          sample_files (cases[i].expected_first, cases[i].expected_count);
      g_autoptr (GPtrArray) loaded =
          tfd_store_load_file_range (self->store, id_of (1), cases[i].first, cases[i].count, NULL);

      assert_same_files (loaded, expected);
    }
}

/* Whether one or many are written, it is told which of them it was. */
static void
assert_refused_for (StoreFixture *self, GPtrArray *files, const char *message)
{
  g_autoptr (GError) error = NULL;

  g_assert_false (tfd_store_insert_files (self->store, id_of (1), files, &error));
  g_assert_error (error, TFD_ERROR, TFD_ERROR_DUPLICATE_DESTINATION);
  g_assert_nonnull (strstr (error->message, message));
}

static void
test_file_duplicate (StoreFixture *self, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (GPtrArray) files = sample_files (0, 10);
  g_autoptr (GPtrArray) more = sample_files (10, 10);
  TfdFileRecord *offender = more->pdata[9];
  gboolean found = FALSE;
  guint32 index = 0;

  store_reopen (self);
  insert_job (self, 1);
  insert_job (self, 2);
  OK (tfd_store_insert_files (self->store, id_of (1), files, error));
  OK (tfd_store_insert_files (self->store, id_of (2), files, error));

  g_free (offender->path);
  offender->path = g_strdup ("/home/user/\xfe\xff/3");
  assert_refused_for (self, more, "file 19: ");
  /* in the middle, one that another of the same call has, and as one of few */
  g_ptr_array_insert (more, 5, g_ptr_array_steal_index (more, 9));
  assert_refused_for (self, more, "file 19: ");
  g_free (offender->path);
  offender->path = g_strdup (((const TfdFileRecord *) more->pdata[7])->path);
  assert_refused_for (self, more, "file 16: ");
  g_free (offender->path);
  offender->path = g_strdup ("/home/user/\xfe\xff/3");
  g_ptr_array_remove_range (more, 6, 4);
  g_ptr_array_remove_range (more, 0, 2);
  assert_refused_for (self, more, "file 19: ");
  g_ptr_array_remove_range (more, 0, 2);
  assert_refused_for (self, more, "file 19: ");
  offender->index = 4;
  FAILS (tfd_store_update_file (self->store, id_of (1), offender, error),
         TFD_ERROR_DUPLICATE_DESTINATION);

  /* none of them is there, and the transaction goes on */
  g_autoptr (GPtrArray) loaded = tfd_store_load_files (self->store, id_of (1), NULL);
  assert_same_files (loaded, files);
  OK (tfd_store_find_file_by_path (self->store, id_of (1), offender->path, &found, &index, error));
  g_assert_true (found);
  g_assert_cmpuint (index, ==, 3);
  OK (tfd_store_find_file_by_path (self->store, id_of (1), "/home/user/\xfe\xff/12", &found, NULL,
                                   error));
  g_assert_false (found);
  OK (tfd_store_commit (self->store, error));
}

static void
test_file_part_size (StoreFixture *self, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (GPtrArray) files = sample_files (0, 2);
  TfdFileRecord *file = files->pdata[1];
  g_autofree char *text = g_strnfill (TFD_MAX_PART, 'x');
  GVariantDict dict;

  g_variant_dict_init (&dict, NULL);
  g_variant_dict_insert (&dict, "text", "s", text);
  g_clear_pointer (&file->part, g_variant_unref);
  file->part = g_variant_ref_sink (g_variant_dict_end (&dict));

  store_reopen (self);
  insert_job (self, 1);
  FAILS (tfd_store_insert_files (self->store, id_of (1), files, error), TFD_ERROR_TOO_LARGE);
  FAILS (tfd_store_update_file (self->store, id_of (1), file, error), TFD_ERROR_TOO_LARGE);
  g_assert_cmpuint (count_files (self, 1), ==, 0);
}

static void
test_rollback (StoreFixture *self, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (GPtrArray) files = sample_files (0, 5);
  g_autoptr (TfdTombstone) tombstone = sample_tombstone (1, 1000);
  g_autoptr (TfdLeftover) leftover = sample_leftover (1, 1000);
  g_autofree char *value = NULL;

  store_reopen (self);
  insert_job (self, 1);
  OK (tfd_store_commit (self->store, error));
  g_assert_false (tfd_store_in_transaction (self->store));

  insert_job (self, 2);
  g_assert_true (tfd_store_in_transaction (self->store));
  OK (tfd_store_begin (self->store, error));
  OK (tfd_store_insert_files (self->store, id_of (1), files, error));
  OK (tfd_store_append_event (self->store, id_of (1), 1, "x", NULL, 5, error));
  OK (tfd_store_add_tombstone (self->store, tombstone, error));
  OK (tfd_store_add_leftover (self->store, leftover, error));
  OK (tfd_store_set_meta (self->store, "key", "value", error));
  OK (tfd_store_delete_job (self->store, id_of (1), error));
  g_assert_cmpuint (count_all_jobs (self), ==, 1);
  tfd_store_rollback (self->store);
  g_assert_false (tfd_store_in_transaction (self->store));
  tfd_store_rollback (self->store);

  for (guint round = 0; round < 2; round++)
    {
      g_autoptr (GPtrArray) events = tfd_store_load_events (self->store, id_of (1), 0, NULL);
      g_autoptr (GPtrArray) tombstones = tfd_store_load_tombstones (self->store, 1000, NULL, NULL);
      g_autoptr (GPtrArray) leftovers =
          tfd_store_load_leftovers (self->store, TFD_LEFTOVER_FILE, G_MAXUINT32, NULL);
      g_autoptr (TfdJobRecord) job = tfd_store_load_job (self->store, id_of (1), NULL);

      g_assert_nonnull (job);
      g_assert_cmpuint (count_all_jobs (self), ==, 1);
      g_assert_cmpuint (count_files (self, 1), ==, 0);
      g_assert_cmpuint (events->len + tombstones->len + leftovers->len, ==, 0);
      OK (tfd_store_get_meta (self->store, "key", &value, error));
      g_assert_null (value);
      store_reopen (self);
    }
}

/* Calls that arrive together share one commit; what was not committed at the end is gone. */
static void
test_group_commit (StoreFixture *self, gconstpointer data G_GNUC_UNUSED)
{
  store_reopen (self);
  OK (tfd_store_commit (self->store, error));
  for (guint i = 0; i < 64; i++)
    insert_job (self, i);
  OK (tfd_store_commit (self->store, error));
  insert_job (self, 64);
  g_assert_cmpuint (count_all_jobs (self), ==, 65);
  store_reopen (self);
  g_assert_cmpuint (count_all_jobs (self), ==, 64);
}

static void
test_events (StoreFixture *self, gconstpointer data G_GNUC_UNUSED)
{
  store_reopen (self);
  insert_job (self, 1);
  insert_job (self, 2);
  for (guint i = 0; i < 25; i++)
    {
      g_autofree char *kind = g_strdup_printf ("kind-%u", i);
      GVariantDict dict;

      g_variant_dict_init (&dict, NULL);
      g_variant_dict_insert (&dict, "number", "u", i);
      OK (tfd_store_append_event (self->store, id_of (1), 100 - i, kind, g_variant_dict_end (&dict),
                                  10, error));
      OK (tfd_store_append_event (self->store, id_of (2), i, kind, NULL, 100, error));
    }
  OK (tfd_store_commit (self->store, error));
  store_reopen (self);

  g_autoptr (GPtrArray) events = tfd_store_load_events (self->store, id_of (1), 0, NULL);
  g_assert_cmpuint (events->len, ==, 10);
  for (guint i = 0; i < 10; i++)
    {
      const TfdEventRow *event = events->pdata[i];
      g_autofree char *kind = g_strdup_printf ("kind-%u", 15 + i);
      guint32 number = 0;

      g_assert_cmpstr (event->kind, ==, kind);
      g_assert_cmpint (event->time, ==, 85 - (gint64) i);
      g_assert_true (g_variant_lookup (event->details, "number", "u", &number));
      g_assert_cmpuint (number, ==, 15 + i);
    }

  g_autoptr (GPtrArray) last = tfd_store_load_events (self->store, id_of (2), 3, NULL);
  const TfdEventRow *first = last->pdata[0];
  g_assert_cmpuint (last->len, ==, 3);
  g_assert_cmpstr (first->kind, ==, "kind-22");
  g_assert_cmpuint (g_variant_n_children (first->details), ==, 0);
}

static void
test_leftovers (StoreFixture *self, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (TfdLeftover) first = sample_leftover (1, 1000);
  g_autoptr (TfdLeftover) second = sample_leftover (2, 1000);
  g_autoptr (TfdLeftover) foreign = sample_leftover (3, 0);
  guint pruned = 0;

  store_reopen (self);
  OK (tfd_store_add_leftover (self->store, first, error));
  OK (tfd_store_add_leftover (self->store, second, error));
  OK (tfd_store_add_leftover (self->store, foreign, error));
  g_assert_cmpint (first->id, <, second->id);
  second->last_try = 42;
  OK (tfd_store_touch_leftover (self->store, second->id, 42, error));
  OK (tfd_store_commit (self->store, error));
  store_reopen (self);

  g_autoptr (GPtrArray) own = tfd_store_load_leftovers (self->store, TFD_LEFTOVER_FILE, 1000, NULL);
  g_assert_cmpuint (own->len, ==, 2);
  assert_same_leftover (own->pdata[0], first);
  assert_same_leftover (own->pdata[1], second);
  g_autoptr (GPtrArray) all =
      tfd_store_load_leftovers (self->store, TFD_LEFTOVER_FILE, G_MAXUINT32, NULL);
  g_assert_cmpuint (all->len, ==, 3);
  assert_same_leftover (all->pdata[2], foreign);

  OK (tfd_store_remove_leftover (self->store, first->id, error));
  OK (tfd_store_prune_leftovers (self->store, second->created + 1, &pruned, error));
  g_assert_cmpuint (pruned, ==, 1);
  g_clear_pointer (&all, g_ptr_array_unref);
  all = tfd_store_load_leftovers (self->store, TFD_LEFTOVER_FILE, G_MAXUINT32, NULL);
  g_assert_cmpuint (all->len, ==, 1);
}

/* What servers are to forget is apart from what is to be deleted. */
static void
test_sessions (StoreFixture *self, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (TfdLeftover) file = sample_leftover (1, 1000);
  g_autoptr (TfdLeftover) first = sample_leftover (101, 1000);
  g_autoptr (TfdLeftover) second = sample_leftover (102, 1001);

  store_reopen (self);
  OK (tfd_store_add_leftover (self->store, first, error));
  OK (tfd_store_add_leftover (self->store, file, error));
  OK (tfd_store_add_leftover (self->store, second, error));
  OK (tfd_store_restart_leftover (self->store, second->id, "another", 77, error));
  OK (tfd_store_commit (self->store, error));
  store_reopen (self);

  g_free (second->boot_id);
  second->boot_id = g_strdup ("another");
  second->since = 77;
  g_autoptr (GPtrArray) sessions =
      tfd_store_load_leftovers (self->store, TFD_LEFTOVER_SESSION, G_MAXUINT32, NULL);
  g_assert_cmpuint (sessions->len, ==, 2);
  assert_same_leftover (sessions->pdata[0], first);
  assert_same_leftover (sessions->pdata[1], second);
  g_autoptr (GPtrArray) files =
      tfd_store_load_leftovers (self->store, TFD_LEFTOVER_FILE, G_MAXUINT32, NULL);
  g_assert_cmpuint (files->len, ==, 1);
  assert_same_leftover (files->pdata[0], file);
}

static void
test_meta (StoreFixture *self, gconstpointer data G_GNUC_UNUSED)
{
  g_autofree char *value = NULL;

  store_reopen (self);
  OK (tfd_store_get_meta (self->store, "boot-id", &value, error));
  g_assert_null (value);
  OK (tfd_store_set_meta (self->store, "boot-id", "a", error));
  OK (tfd_store_set_meta (self->store, "boot-id", "b", error));
  OK (tfd_store_commit (self->store, error));
  store_reopen (self);
  OK (tfd_store_get_meta (self->store, "boot-id", &value, error));
  g_assert_cmpstr (value, ==, "b");
  g_clear_pointer (&value, g_free);
  OK (tfd_store_set_meta (self->store, "boot-id", NULL, error));
  OK (tfd_store_get_meta (self->store, "boot-id", &value, error));
  g_assert_null (value);
}

/* Many files in one call: a bound on the work, not on the time. */
static void
test_many_files (StoreFixture *self, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (GPtrArray) files = sample_files (0, 10000);

  store_reopen (self);
  insert_job (self, 1);
  gint64 start = g_get_monotonic_time ();
  OK (tfd_store_insert_files (self->store, id_of (1), files, error));
  OK (tfd_store_commit (self->store, error));
  g_test_message ("10,000 files inserted in %" G_GINT64_FORMAT " ms",
                  (g_get_monotonic_time () - start) / 1000);

  start = g_get_monotonic_time ();
  g_autoptr (GPtrArray) loaded = tfd_store_load_files (self->store, id_of (1), NULL);
  g_test_message ("… loaded in %" G_GINT64_FORMAT " ms", (g_get_monotonic_time () - start) / 1000);
  assert_same_files (loaded, files);

  start = g_get_monotonic_time ();
  for (guint i = 0; i < files->len; i++)
    OK (tfd_store_update_file (self->store, id_of (1), files->pdata[i], error));
  OK (tfd_store_commit (self->store, error));
  g_test_message ("… updated in %" G_GINT64_FORMAT " ms", (g_get_monotonic_time () - start) / 1000);

  start = g_get_monotonic_time ();
  OK (tfd_store_delete_job (self->store, id_of (1), error));
  OK (tfd_store_commit (self->store, error));
  g_test_message ("… deleted in %" G_GINT64_FORMAT " ms", (g_get_monotonic_time () - start) / 1000);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  STORE_ADD ("/store/jobs/fields", test_job_fields);
  STORE_ADD ("/store/jobs/update", test_job_update);
  STORE_ADD ("/store/jobs/unknown", test_job_unknown);
  STORE_ADD ("/store/jobs/delete", test_job_delete);
  STORE_ADD ("/store/files/fields", test_file_fields);
  STORE_ADD ("/store/files/range", test_file_range);
  STORE_ADD ("/store/files/duplicate", test_file_duplicate);
  STORE_ADD ("/store/files/part-size", test_file_part_size);
  STORE_ADD ("/store/files/many", test_many_files);
  STORE_ADD ("/store/transaction/rollback", test_rollback);
  STORE_ADD ("/store/transaction/group-commit", test_group_commit);
  STORE_ADD ("/store/events", test_events);
  STORE_ADD ("/store/leftovers", test_leftovers);
  STORE_ADD ("/store/leftovers/sessions", test_sessions);
  STORE_ADD ("/store/meta", test_meta);
  return g_test_run ();
}
