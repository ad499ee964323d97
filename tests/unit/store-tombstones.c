/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Tests of the history of jobs that have ended. */
#include "tests/lib/store-samples.h"

#include "store/statement.h"

#define N 12

/* Tombstones 0…11, the even ones of user 1000, the odd ones of user 1001. */
static void
fill (StoreFixture *self)
{
  store_reopen (self);
  for (guint i = 0; i < N; i++)
    {
      g_autoptr (TfdTombstone) tombstone = sample_tombstone (i, 1000 + i % 2);

      OK (tfd_store_add_tombstone (self->store, tombstone, error));
    }
  OK (tfd_store_commit (self->store, error));
  store_reopen (self);
}

/* Loads, and compares the numbers of what came with @expected, "4 2 0". */
static void
assert_loads (StoreFixture *self, guint32 uid, TfdTombstoneFilter filter, const char *expected)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) rows = tfd_store_load_tombstones (self->store, uid, &filter, &error);
  g_autoptr (GString) numbers = g_string_new (NULL);

  g_assert_no_error (error);
  for (guint i = 0; i < rows->len; i++)
    {
      const TfdTombstone *row = rows->pdata[i];

      g_string_append_printf (numbers, "%s%" G_GINT64_MODIFIER "u", i > 0 ? " " : "",
                              g_ascii_strtoull (row->id, NULL, 16));
    }
  g_assert_cmpstr (numbers->str, ==, expected);
}

#define FILTER(...) ((TfdTombstoneFilter){ __VA_ARGS__ })
#define ID(digit) "0000000000000000000000000000000" digit

static void
test_fields (StoreFixture *self, gconstpointer data G_GNUC_UNUSED)
{
  fill (self);

  for (guint i = 0; i < N; i++)
    {
      g_autoptr (TfdTombstone) expected = sample_tombstone (i, 1000 + i % 2);
      const char *ids[] = { expected->id, NULL };
      TfdTombstoneFilter filter = FILTER (.ids = ids, .files = TRUE);
      g_autoptr (GPtrArray) rows =
          tfd_store_load_tombstones (self->store, expected->owner_uid, &filter, NULL);

      g_assert_cmpuint (rows->len, ==, 1);
      assert_same_tombstone (rows->pdata[0], expected);

      filter.files = FALSE;
      g_clear_pointer (&rows, g_ptr_array_unref);
      rows = tfd_store_load_tombstones (self->store, expected->owner_uid, &filter, NULL);
      g_clear_pointer (&expected->kept, g_variant_unref);
      g_clear_pointer (&expected->discarded, g_variant_unref);
      assert_same_tombstone (rows->pdata[0], expected);
    }
}

static void
test_filter (StoreFixture *self, gconstpointer data G_GNUC_UNUSED)
{
  const char *two[] = { ID ("4"), ID ("8"), ID ("5"), NULL };
  const char *strange[] = { "\"", "x'; DROP TABLE jobs", "", ID ("2"), "\xff", NULL };
  const char *none[] = { NULL };

  fill (self);
  assert_loads (self, 1000, FILTER (.limit = 0), "10 8 6 4 2 0");
  assert_loads (self, 1002, FILTER (.limit = 0), "");
  assert_loads (self, 1002, FILTER (.all_users = TRUE), "11 10 9 8 7 6 5 4 3 2 1 0");
  assert_loads (self, 1000, FILTER (.limit = 2), "10 8");
  assert_loads (self, 1000, FILTER (.limit = 2, .after = ID ("8")), "6 4");
  assert_loads (self, 1000, FILTER (.limit = 9, .after = ID ("4")), "2 0");
  assert_loads (self, 1000, FILTER (.after = "unknown"), "");
  assert_loads (self, 1000, FILTER (.since = 1700000000000006), "10 8 6");
  assert_loads (self, 1000, FILTER (.ids = two), "8 4");
  assert_loads (self, 1001, FILTER (.ids = two), "5");
  assert_loads (self, 1001, FILTER (.ids = two, .all_users = TRUE), "8 5 4");
  assert_loads (self, 1000, FILTER (.ids = two, .limit = 1, .after = ID ("8")), "4");
  assert_loads (self, 1000, FILTER (.ids = strange), "2");
  assert_loads (self, 1000, FILTER (.ids = none), "");
  /* of a sandbox */
  assert_loads (self, 1001, FILTER (.sandbox = "flatpak:org.example.App"), "9 5 1");
  assert_loads (self, 1001, FILTER (.sandbox = ""), "11 7 3");
  assert_loads (self, 1000, FILTER (.sandbox = "flatpak:org.example.App"), "");
  assert_loads (self, 1001,
                FILTER (.sandbox = "flatpak:org.example.App", .limit = 1, .after = ID ("9")), "5");
  assert_loads (self, 1001, FILTER (.ids = two, .sandbox = "flatpak:org.example.App"), "5");
  assert_loads (self, 1001, FILTER (.ids = two, .sandbox = "flatpak:org.example.Other"), "");
}

static void
test_replace (StoreFixture *self, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (TfdTombstone) again = sample_tombstone (7, 1000);

  fill (self);
  g_free (again->id);
  again->id = g_strdup (ID ("1"));
  OK (tfd_store_add_tombstone (self->store, again, error));
  OK (tfd_store_commit (self->store, error));
  assert_loads (self, 1000, FILTER (.limit = 0), "1 10 8 6 4 2 0");
  assert_loads (self, 1001, FILTER (.limit = 0), "11 9 7 5 3");

  const char *ids[] = { again->id, NULL };
  TfdTombstoneFilter filter = FILTER (.ids = ids, .files = TRUE);
  g_autoptr (GPtrArray) rows = tfd_store_load_tombstones (self->store, 1000, &filter, NULL);
  assert_same_tombstone (rows->pdata[0], again);
}

static void
test_prune (StoreFixture *self, gconstpointer data G_GNUC_UNUSED)
{
  guint pruned = 0;

  fill (self);
  OK (tfd_store_prune_tombstones (self->store, 1700000000000009, &pruned, error));
  OK (tfd_store_commit (self->store, error));
  g_assert_cmpuint (pruned, ==, 9);
  assert_loads (self, 0, FILTER (.all_users = TRUE), "11 10 9");
}

static guint
count_lists (StoreFixture *self)
{
  g_auto (TfdStatement) statement = TFD_STATEMENT_INIT;
  gboolean row = FALSE;

  OK (tfd_statement_init (&statement, self->store, "SELECT count(*) FROM tombstone_files", error));
  OK (tfd_statement_step (&statement, &row, error));
  return tfd_read_uint32 (&statement);
}

/* The oldest go first, of one user only; the lists by themselves, for they are long. */
static void
test_shorten (StoreFixture *self, gconstpointer data G_GNUC_UNUSED)
{
  guint lists;

  fill (self);
  lists = count_lists (self);
  OK (tfd_store_shorten_tombstones (self->store, 1001, 6 * (TFD_STORED_PER_JOB + 100), error));
  assert_loads (self, 0, FILTER (.all_users = TRUE), "11 10 9 8 7 6 5 4 3 2 1 0");
  g_assert_cmpuint (count_lists (self), ==, lists);
  /* 9 has two paths that could not be deleted */
  OK (tfd_store_shorten_tombstones (self->store, 1001, 3 * TFD_STORED_PER_JOB, error));
  assert_loads (self, 0, FILTER (.all_users = TRUE), "11 10 9 8 6 4 2 0");
  OK (tfd_store_shorten_tombstones (self->store, 1000, 2 * TFD_STORED_PER_JOB, error));
  assert_loads (self, 0, FILTER (.all_users = TRUE), "11 10 9 8");
  OK (tfd_store_shorten_tombstones (self->store, 1001, 1, error));
  assert_loads (self, 0, FILTER (.all_users = TRUE), "11 10 8");
  g_assert_cmpuint (count_lists (self), ==, 1); /* that of 10 */
  OK (tfd_store_commit (self->store, error));
}

static void
test_cut (StoreFixture *self, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (TfdTombstone) tombstone = sample_tombstone (3, 1000);
  g_autoptr (GVariantBuilder) builder = g_variant_builder_new (G_VARIANT_TYPE ("a(us)"));

  for (guint i = 0; i < TFD_MAX_TOMBSTONE_FILES + 1; i++)
    g_variant_builder_add (builder, "(us)", i, "/x");
  g_clear_pointer (&tombstone->kept, g_variant_unref);
  tombstone->kept = g_variant_ref_sink (g_variant_builder_end (builder));
  tombstone->kept_count = TFD_MAX_TOMBSTONE_FILES + 1;

  store_reopen (self);
  OK (tfd_store_add_tombstone (self->store, tombstone, error));
  TfdTombstoneFilter filter = FILTER (.files = TRUE);
  g_autoptr (GPtrArray) rows = tfd_store_load_tombstones (self->store, 1000, &filter, NULL);
  const TfdTombstone *loaded = rows->pdata[0];
  g_assert_cmpuint (loaded->kept_count, ==, TFD_MAX_TOMBSTONE_FILES + 1);
  g_assert_cmpuint (g_variant_n_children (loaded->kept), ==, TFD_MAX_TOMBSTONE_FILES);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  STORE_ADD ("/store/tombstones/fields", test_fields);
  STORE_ADD ("/store/tombstones/filter", test_filter);
  STORE_ADD ("/store/tombstones/replace", test_replace);
  STORE_ADD ("/store/tombstones/prune", test_prune);
  STORE_ADD ("/store/tombstones/shorten", test_shorten);
  STORE_ADD ("/store/tombstones/cut", test_cut);
  return g_test_run ();
}
