/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Tests of the store on a disk that fails at each of its operations in turn: a batch is there as a
 * whole or not at all, and never half of it under a commit that succeeded. */
#include "tests/lib/fault-vfs.h"
#include "tests/lib/store-samples.h"

#define N_JOBS 3

/* The files of each job, made once for all rounds of a case. */
static GPtrArray *sample;

/* Files with URLs so long that some hundred do not fit into the cache of SQLite (2 MB). */
static GPtrArray *
large_files (guint n_files)
{
  GPtrArray *files = sample_files (0, n_files);

  for (guint i = 0; i < n_files; i++)
    {
      TfdFileRecord *file = files->pdata[i];

      g_free (file->url);
      file->url = g_strnfill (2000, 'u');
    }
  return files;
}

/* Inserts N_JOBS jobs with the sample of files each. Goes on after a failure, as callers that
 * answer each call by itself do; TRUE when every call succeeded. */
static gboolean
insert_batch (StoreFixture *self, guint first)
{
  gboolean good = TRUE;

  for (guint i = first; i < first + N_JOBS; i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (TfdJobRecord) job = sample_job (i);

      if (tfd_store_insert_job (self->store, job, &error) &&
          tfd_store_insert_files (self->store, job->id, sample, &error))
        continue;
      g_assert_error (error, TFD_ERROR, TFD_ERROR_STORAGE_FAILED);
      good = FALSE;
    }
  return good;
}

/* The jobs that are there are 0…@n_jobs-1, with all their files. */
static void
assert_holds (StoreFixture *self, guint n_jobs)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) jobs = tfd_store_load_jobs (self->store, &error);

  g_assert_no_error (error);
  g_assert_cmpuint (jobs->len, ==, n_jobs);
  for (guint i = 0; i < n_jobs; i++)
    {
      g_autoptr (TfdJobRecord) job = sample_job (i);
      g_autoptr (GPtrArray) files = tfd_store_load_files (self->store, job->id, &error);

      g_assert_no_error (error);
      assert_same_job (jobs->pdata[i], job);
      g_assert_cmpuint (files->len, ==, sample->len);
      for (guint n = i; n < sample->len; n += 1 + sample->len / 50)
        assert_same_file (files->pdata[n], sample->pdata[n]);
    }
}

/* One batch is in; while the second is written, operation @after fails. FALSE when it has fewer. */
static gboolean
check_fault (StoreFixture *self, FaultKind kind, guint after, guint count)
{
  g_autoptr (GError) failure = NULL;

  store_reopen (self);
  g_assert_true (insert_batch (self, 0));
  OK (tfd_store_commit (self->store, error));

  fault_vfs_arm (kind, after, count);
  gboolean written = insert_batch (self, N_JOBS);
  gboolean committed = tfd_store_commit (self->store, &failure);
  guint faults = fault_vfs_disarm ();

  g_assert_false (tfd_store_in_transaction (self->store));
  g_assert_true (committed == (failure == NULL));
  if (!committed)
    g_assert_error (failure, TFD_ERROR, TFD_ERROR_STORAGE_FAILED);
  if (committed && written)
    assert_holds (self, 2 * N_JOBS);
  else if (!committed)
    assert_holds (self, N_JOBS);

  /* the disk works again, and so does the store */
  if (!committed)
    {
      g_assert_true (insert_batch (self, N_JOBS));
      OK (tfd_store_commit (self->store, error));
      assert_holds (self, 2 * N_JOBS);
      store_reopen (self);
      assert_holds (self, 2 * N_JOBS);
      g_assert_null (tfd_store_get_set_aside (self->store));
    }
  return faults > 0;
}

typedef struct
{
  FaultKind kind;
  guint n_files; /* of each job; 600 do not fit into the cache: written before the commit */
  guint count;   /* of faults in a row */
} Case;

static void
test_faults (gconstpointer data)
{
  const Case *row = data;
  guint after = 0, rounds = 0;
  gboolean happened = TRUE;

  sample = large_files (row->n_files);
  while (happened)
    {
      StoreFixture fixture = { 0 };

      store_set_up (&fixture, NULL);
      happened = check_fault (&fixture, row->kind, after, row->count);
      store_tear_down (&fixture, NULL);
      /* the first ones, then fewer and fewer of the many */
      after += 1 + (row->n_files < 100 ? after / 2 : after);
      rounds++;
    }
  g_clear_pointer (&sample, g_ptr_array_unref);
  g_test_message ("%u faults, up to operation %u", rounds - 1, after);
  g_assert_cmpuint (rounds, >, 1);
}

/* A commit that succeeds must hold what was told to succeed before a failure that did not undo it.
 */
static void
test_lost (StoreFixture *self, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (GPtrArray) many = large_files (3000);
  g_autoptr (TfdJobRecord) first = sample_job (0);
  g_autoptr (TfdJobRecord) second = sample_job (1);

  store_reopen (self);
  OK (tfd_store_insert_job (self->store, first, error));
  fault_vfs_arm (FAULT_DISK_FULL, 0, G_MAXUINT);
  FAILS (tfd_store_insert_files (self->store, first->id, many, error), TFD_ERROR_STORAGE_FAILED);
  fault_vfs_disarm ();

  /* whatever became of the transaction: no half of it */
  g_autoptr (GError) error = NULL;
  gboolean inserted = tfd_store_insert_job (self->store, second, &error);
  g_clear_error (&error);
  gboolean committed = tfd_store_commit (self->store, &error);
  g_assert_false (tfd_store_in_transaction (self->store));
  g_test_message ("second insertion %s, commit %s", inserted ? "succeeded" : "failed",
                  committed ? "succeeded" : "failed");
  g_assert_true (!committed || inserted);
  store_reopen (self);
  g_autoptr (GPtrArray) jobs = tfd_store_load_jobs (self->store, NULL);
  g_assert_cmpuint (jobs->len, ==, committed ? 2 : 0);
}

int
main (int argc, char **argv)
{
  static const Case cases[] = {
    { FAULT_DISK_FULL, 10, 1 },          { FAULT_WRITE, 10, 1 },    { FAULT_SYNC, 10, 1 },
    { FAULT_DISK_FULL, 10, 1000 },       { FAULT_WRITE, 10, 1000 }, { FAULT_SYNC, 10, 1000 },
    { FAULT_DISK_FULL, 600, 1 },         { FAULT_WRITE, 600, 1 },   { FAULT_SYNC, 600, 1 },
    { FAULT_DISK_FULL, 600, G_MAXUINT },
  };
  static const char *const names[] = {
    "/store/faults/disk-full",
    "/store/faults/write",
    "/store/faults/sync",
    "/store/faults/disk-full-for-long",
    "/store/faults/write-for-long",
    "/store/faults/sync-for-long",
    "/store/faults/disk-full-while-spilling",
    "/store/faults/write-while-spilling",
    "/store/faults/sync-of-many",
    "/store/faults/disk-full-for-long-while-spilling",
  };

  g_test_init (&argc, &argv, NULL);
  fault_vfs_install ();
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    g_test_add_data_func (names[i], &cases[i], test_faults);
  STORE_ADD ("/store/faults/lost-transaction", test_lost);
  return g_test_run ();
}
