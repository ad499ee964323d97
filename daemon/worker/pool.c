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
told_cb (gpointer user_data)
{
  g_autofree Job *job = user_data;

  job->done (job->data);

  return G_SOURCE_REMOVE;
}

static gboolean
job_done_cb (gpointer user_data)
{
  Job *job = user_data;

  job->pool->pending--;

  return told_cb (job);
}

static void
call_in_main_context (TfdPool *pool, GSourceFunc func, Job *job)
{
  g_autoptr (GSource) source = g_idle_source_new ();

  g_source_set_priority (source, G_PRIORITY_DEFAULT);
  g_source_set_callback (source, func, job, NULL);
  g_source_attach (source, pool->context);
}

static void
run_job (gpointer data, gpointer user_data)
{
  Job *job = data;

  job->work (job->data);
  call_in_main_context (user_data, job_done_cb, job);
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

void
tfd_pool_tell (TfdPool *pool, TfdPoolFunc func, gpointer data)
{
  Job *job = g_new0 (Job, 1);

  job->done = func;
  job->data = data;

  call_in_main_context (pool, told_cb, job);
}

guint
tfd_pool_get_pending (TfdPool *pool)
{
  return pool->pending;
}
