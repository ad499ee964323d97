/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Tests of the model of one job: its counters, its rate, what it tells the state table. */
#include "engine/engine-private.h"
#include "tests/lib/fake-clock.h"

#define SECOND ((gint64) TFD_USEC_PER_SEC)

/* A job with @n_files files of unknown size. */
static TfdJob *
make_job (guint n_files)
{
  TfdJob *job = tfd_job_new (NULL, tfd_job_record_new (), 1);

  job->files = g_ptr_array_new_with_free_func ((GDestroyNotify) tfd_file_record_free);
  for (guint i = 0; i < n_files; i++)
    {
      TfdFileRecord *file = tfd_file_record_new ();

      file->index = i;
      g_ptr_array_add (job->files, file);
    }
  tfd_job_recount (job);
  return job;
}

static void
assert_bytes (TfdJob *job, guint64 transferred, guint64 total)
{
  g_assert_cmpuint (job->record->bytes_transferred, ==, transferred);
  g_assert_cmpuint (job->record->bytes_total, ==, total);
}

static void
test_empty (void)
{
  g_autoptr (TfdJob) job = make_job (0);

  assert_bytes (job, 0, 0);
  g_assert_cmpint (tfd_job_guards (job), ==, TFD_GUARD_NONE);
}

static void
test_progress (void)
{
  g_autoptr (TfdJob) job = make_job (2);
  TfdFileRecord *first = job->files->pdata[0], *second = job->files->pdata[1];

  assert_bytes (job, 0, TFD_SIZE_UNKNOWN);
  tfd_job_set_file_progress (job, first, 10, TFD_SIZE_UNKNOWN);
  assert_bytes (job, 10, TFD_SIZE_UNKNOWN);
  tfd_job_set_file_progress (job, first, 20, 100);
  assert_bytes (job, 20, TFD_SIZE_UNKNOWN);
  tfd_job_set_file_progress (job, second, 0, 50);
  assert_bytes (job, 20, 150);
  tfd_job_set_file_progress (job, second, 5, 40);
  assert_bytes (job, 25, 140);
  tfd_job_set_file_progress (job, second, 5, TFD_SIZE_UNKNOWN);
  assert_bytes (job, 25, TFD_SIZE_UNKNOWN);
  tfd_job_set_file_progress (job, second, 0, 0);
  assert_bytes (job, 20, 100);
}

/* 200,000 files of any size stay far from the end of 64 bits. */
static void
test_believed (void)
{
  g_autoptr (TfdJob) job = make_job (1);
  TfdFileRecord *file = job->files->pdata[0];

  tfd_job_set_file_progress (job, file, G_MAXUINT64, G_MAXUINT64 - 1);
  g_assert_cmpuint (file->transferred, ==, file->total);
  g_assert_cmpuint (file->total, <=, G_MAXUINT64 / 400000);
  tfd_job_set_file_progress (job, file, G_MAXUINT64, TFD_SIZE_UNKNOWN);
  g_assert_cmpuint (file->transferred, <=, G_MAXUINT64 / 400000);
  tfd_job_set_file_progress (job, file, 10, 5);
  g_assert_cmpuint (file->transferred, ==, 5);
}

/* Whatever happens to the files one by one, the counters are those of a new count. */
static void
test_counters (void)
{
  g_autoptr (TfdJob) job = make_job (7);

  for (guint round = 0; round < 5000; round++)
    {
      TfdFileRecord *file = job->files->pdata[g_test_rand_int_range (0, 7)];
      TfdJobRecord before;

      if (g_test_rand_bit ())
        tfd_job_set_file_state (job, file, (TfdFileState) g_test_rand_int_range (0, 6));
      else
        tfd_job_set_file_progress (job, file, (guint64) g_test_rand_int_range (0, 1000),
                                   g_test_rand_bit () ? TFD_SIZE_UNKNOWN
                                                      : (guint64) g_test_rand_int_range (0, 1000));
      before = *job->record;
      tfd_job_recount (job);
      g_assert_cmpuint (job->record->bytes_total, ==, before.bytes_total);
      g_assert_cmpuint (job->record->bytes_transferred, ==, before.bytes_transferred);
      g_assert_cmpuint (job->record->files_transferred, ==, before.files_transferred);
      g_assert_cmpuint (job->record->files_total, ==, before.files_total);
    }
}

static void
test_guards (void)
{
  g_autoptr (TfdJob) job = make_job (2);
  TfdJobRecord *record = job->record;

  g_assert_cmpint (tfd_job_guards (job), ==, TFD_GUARD_HAS_FILES);
  tfd_job_set_file_state (job, job->files->pdata[0], TFD_FILE_STATE_TRANSFERRED);
  g_assert_cmpint (tfd_job_guards (job), ==, TFD_GUARD_HAS_FILES);
  tfd_job_set_file_state (job, job->files->pdata[1], TFD_FILE_STATE_COMPLETED);
  g_assert_cmpint (tfd_job_guards (job), ==, TFD_GUARD_HAS_FILES | TFD_GUARD_ALL_TRANSFERRED);
  record->files_total = record->files_transferred = 0;
  record->failure.context = TFD_ERROR_CONTEXT_TRANSPORT;
  g_assert_cmpint (tfd_job_guards (job), ==, TFD_GUARD_EVENT_DRIVEN);
  record->retry_at = 1;
  g_assert_cmpint (tfd_job_guards (job), ==, TFD_GUARD_NONE);
  record->properties->no_progress_timeout = record->properties->minimum_retry_delay;
  g_assert_cmpint (tfd_job_guards (job), ==, TFD_GUARD_NONE);
  record->properties->no_progress_timeout--;
  g_assert_cmpint (tfd_job_guards (job), ==, TFD_GUARD_NO_RETRY);
}

/* A rate is of at least a second, and shown only while bytes come. */
static void
test_rate (void)
{
  g_autoptr (TfdJob) job = make_job (1);

  job->record->state = TFD_JOB_STATE_TRANSFERRING;
  tfd_job_sample_rate (job, 0, 10 * SECOND);
  g_assert_cmpuint (tfd_job_rate (job), ==, 0);
  tfd_job_sample_rate (job, 1000, 10 * SECOND + SECOND / 2);
  g_assert_cmpuint (tfd_job_rate (job), ==, 0);
  tfd_job_sample_rate (job, 1000, 11 * SECOND);
  g_assert_cmpuint (tfd_job_rate (job), ==, 2000);
  tfd_job_sample_rate (job, 2000, 13 * SECOND);
  g_assert_cmpuint (tfd_job_rate (job), ==, 1500);
  job->record->state = TFD_JOB_STATE_SUSPENDED;
  g_assert_cmpuint (tfd_job_rate (job), ==, 0);
}

static void
test_next_retry (void)
{
  g_autoptr (TfdJob) job = make_job (0);
  g_autoptr (TfdFakeClock) clock = tfd_fake_clock_new (100 * SECOND, 5000 * SECOND);

  job->record->retry_at = 130 * SECOND;
  g_assert_cmpint (tfd_job_next_retry (job, TFD_CLOCK (clock)), ==, 0);
  job->record->state = TFD_JOB_STATE_TRANSIENT_ERROR;
  g_assert_cmpint (tfd_job_next_retry (job, TFD_CLOCK (clock)), ==, 5030 * SECOND);
  tfd_fake_clock_advance (clock, 10 * SECOND);
  g_assert_cmpint (tfd_job_next_retry (job, TFD_CLOCK (clock)), ==, 5030 * SECOND);
  job->record->retry_at = 0;
  g_assert_cmpint (tfd_job_next_retry (job, TFD_CLOCK (clock)), ==, 0);
}

/* ---- calls that wait ---- */

static void
call_cb (TfdJob *job G_GNUC_UNUSED, gpointer data)
{
  g_string_append_c (data, 'c');
}

static void
busy_cb (TfdJob *job, gpointer data)
{
  g_string_append_c (data, 'b');
  job->work = data;
}

static void
free_cb (gpointer data)
{
  g_string_append_c (data, 'f');
}

static void
test_waiting (void)
{
  g_autoptr (TfdJob) job = make_job (0);
  g_autoptr (GString) trace = g_string_new (NULL);

  tfd_engine_when_free (NULL, job, call_cb, trace, free_cb);
  tfd_engine_when_free (NULL, job, busy_cb, trace, free_cb);
  tfd_engine_when_free (NULL, job, call_cb, trace, free_cb);
  g_assert_cmpstr (trace->str, ==, "");
  /* the second makes the job busy: the rest waits on */
  tfd_job_serve_waiting (job);
  g_assert_cmpstr (trace->str, ==, "cfbf");
  job->work = NULL;
  tfd_engine_when_free (NULL, job, busy_cb, trace, free_cb);
  tfd_job_serve_waiting (job);
  g_assert_cmpstr (trace->str, ==, "cfbfcfbf");
  tfd_engine_when_free (NULL, job, call_cb, trace, free_cb);
  g_clear_pointer (&job, tfd_job_unref);
  g_assert_cmpstr (trace->str, ==, "cfbfcfbff");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/job/empty", test_empty);
  g_test_add_func ("/job/progress", test_progress);
  g_test_add_func ("/job/believed", test_believed);
  g_test_add_func ("/job/counters", test_counters);
  g_test_add_func ("/job/guards", test_guards);
  g_test_add_func ("/job/rate", test_rate);
  g_test_add_func ("/job/next-retry", test_next_retry);
  g_test_add_func ("/job/waiting", test_waiting);
  return g_test_run ();
}
