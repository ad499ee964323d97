/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Pool: a few threads for calls that may block for long. */
#include "config.h"
#include "worker/pool.h"

struct _TfdPool
{
  GThreadPool *threads;
  GMainContext *context;
  guint pending; /* counted in the main context only */
};

typedef struct
{
  TfdPool *pool;
  TfdPoolFunc work;
  TfdPoolFunc done;
  gpointer data;
} Job;

static gboolean
job_done_cb (gpointer user_data)
{
  Job *job = user_data;

  job->pool->pending--;
  job->done (job->data);
  g_free (job);

  return G_SOURCE_REMOVE;
}

static void
run_job (gpointer data, gpointer user_data)
{
  Job *job = data;
  TfdPool *pool = user_data;
  g_autoptr (GSource) source = g_idle_source_new ();

  job->work (job->data);

  g_source_set_priority (source, G_PRIORITY_DEFAULT);
  g_source_set_callback (source, job_done_cb, job, NULL);
  g_source_attach (source, pool->context);
}

TfdPool *
tfd_pool_new (guint threads)
{
  TfdPool *pool = g_new0 (TfdPool, 1);

  pool->threads = g_thread_pool_new (run_job, pool, (int) threads, FALSE, NULL);
  pool->context = g_main_context_ref_thread_default ();

  return pool;
}

void
tfd_pool_free (TfdPool *pool)
{
  while (pool->pending > 0)
    g_main_context_iteration (pool->context, TRUE);

  g_thread_pool_free (pool->threads, FALSE, TRUE);
  g_main_context_unref (pool->context);
  g_free (pool);
}

void
tfd_pool_push (TfdPool *pool, TfdPoolFunc work, TfdPoolFunc done, gpointer data)
{
  Job *job = g_new0 (Job, 1);

  job->pool = pool;
  job->work = work;
  job->done = done;
  job->data = data;
  pool->pending++;

  g_thread_pool_push (pool->threads, job, NULL);
}

guint
tfd_pool_get_pending (TfdPool *pool)
{
  return pool->pending;
}
