/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Signals of the engine: each is told after the commit of what it speaks of. */
#include "config.h"

#include "engine/engine-private.h"

enum
{
  JOB_ADDED,
  JOB_CHANGED,
  JOB_TRANSFERRED,
  JOB_ERROR,
  JOB_REMOVED,
  FILES_TRANSFERRED,
  NETWORK_CHANGED,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

typedef struct
{
  TfdEngine *engine;
  TfdJob *job; /* (owned) */
  guint signal;
  guint argument;
  GArray *files; /* (owned) (nullable) */
  TfdErrorCode code;
  TfdErrorContext context;
} Telling;

void
tfd_engine_install_signals (GType type)
{
  signals[JOB_ADDED] = g_signal_new ("job-added", type, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                     G_TYPE_NONE, 1, G_TYPE_POINTER);
  signals[JOB_CHANGED] = g_signal_new ("job-changed", type, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                       G_TYPE_NONE, 2, G_TYPE_POINTER, G_TYPE_UINT);
  signals[JOB_TRANSFERRED] = g_signal_new ("job-transferred", type, G_SIGNAL_RUN_LAST, 0, NULL,
                                           NULL, NULL, G_TYPE_NONE, 1, G_TYPE_POINTER);
  signals[JOB_ERROR] = g_signal_new ("job-error", type, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                     G_TYPE_NONE, 3, G_TYPE_POINTER, G_TYPE_UINT, G_TYPE_UINT);
  signals[JOB_REMOVED] = g_signal_new ("job-removed", type, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                       G_TYPE_NONE, 2, G_TYPE_POINTER, G_TYPE_UINT);
  signals[FILES_TRANSFERRED] =
      g_signal_new ("files-transferred", type, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE,
                    2, G_TYPE_POINTER, G_TYPE_POINTER);
  signals[NETWORK_CHANGED] = g_signal_new ("network-changed", type, G_SIGNAL_RUN_LAST, 0, NULL,
                                           NULL, NULL, G_TYPE_NONE, 0);
}

static void
telling_free (Telling *telling)
{
  tfd_job_unref (telling->job);
  g_clear_pointer (&telling->files, g_array_unref);
  g_free (telling);
}

static void
tell_cb (const GError *error, gpointer data)
{
  Telling *telling = data;

  if (telling->signal == JOB_CHANGED)
    {
      telling->argument = telling->job->untold;
      telling->job->untold = 0;
    }
  /* what failed was undone: everybody has heard already how it is */
  if (error != NULL)
    return;
  if (telling->signal == JOB_CHANGED)
    g_signal_emit (telling->engine, signals[JOB_CHANGED], 0, telling->job, telling->argument);
  else if (telling->signal == JOB_REMOVED)
    g_signal_emit (telling->engine, signals[telling->signal], 0, telling->job, telling->argument);
  else if (telling->signal == JOB_ERROR)
    g_signal_emit (telling->engine, signals[JOB_ERROR], 0, telling->job, (guint) telling->code,
                   (guint) telling->context);
  else if (telling->signal == FILES_TRANSFERRED)
    g_signal_emit (telling->engine, signals[telling->signal], 0, telling->job, telling->files);
  else
    g_signal_emit (telling->engine, signals[telling->signal], 0, telling->job);
}

static void
tell (TfdEngine *self, TfdJob *job, guint signal, guint argument, GArray *files)
{
  const TfdFailure *failure = &job->record->failure;
  Telling *telling = g_new (Telling, 1);

  /* a failure as it is now: by the commit the last file may have come after all */
  *telling = (Telling){ self,  tfd_job_ref (job), signal,          argument,
                        files, failure->code,     failure->context };
  tfd_outbox_add (self->outbox, tell_cb, telling, (GDestroyNotify) telling_free);
}

void
tfd_engine_tell_added (TfdEngine *self, TfdJob *job)
{
  tell (self, job, JOB_ADDED, 0, NULL);
}

/* What changed since the last commit is told at once, with the values it has then. */
void
tfd_engine_tell_changed (TfdEngine *self, TfdJob *job, TfdChanged mask)
{
  gboolean waits = job->untold != 0;

  job->untold |= mask;
  if (!waits)
    tell (self, job, JOB_CHANGED, 0, NULL);
}

void
tfd_engine_tell_transferred (TfdEngine *self, TfdJob *job)
{
  tell (self, job, JOB_TRANSFERRED, 0, NULL);
}

void
tfd_engine_tell_error (TfdEngine *self, TfdJob *job)
{
  tell (self, job, JOB_ERROR, 0, NULL);
}

void
tfd_engine_tell_removed (TfdEngine *self, TfdJob *job, TfdResult result)
{
  tell (self, job, JOB_REMOVED, result, NULL);
}

void
tfd_engine_tell_files (TfdEngine *self, TfdJob *job, GArray *files)
{
  tell (self, job, FILES_TRANSFERRED, 0, g_array_ref (files));
}

void
tfd_engine_tell_network (TfdEngine *self)
{
  g_signal_emit (self, signals[NETWORK_CHANGED], 0);
}
