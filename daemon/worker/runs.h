/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Runs: all that is being transferred for one user: which file starts next, how many connections a
 * host gets, and when news is told. */
#pragma once

#include "worker/download.h"

G_BEGIN_DECLS

typedef struct _TfdRuns TfdRuns;

/* News, in the formats of the signals of org.transferd.Transfer1.Worker; variants are floating. */
typedef struct
{
  void (*connected) (guint64 run, gpointer user_data);
  void (*progress) (GVariant *runs, gpointer user_data);
  void (*parts) (guint64 run, GVariant *parts, gpointer user_data);
  /* floating; tfd_runs_committed () is expected */
  void (*commit) (guint64 run, guint32 file, GVariant *part, gpointer user_data);
  void (*files_done) (guint64 run, GVariant *files, gpointer user_data); /* packed */
  void (*failed) (guint64 run, guint32 file, GVariant *error, gpointer user_data);
  void (*event) (
      guint64 run, guint32 file, const char *kind, GVariant *details, gpointer user_data);
  void (*idle) (gpointer user_data); /* the last run has ended */
} TfdNews;

/* The answer to tfd_runs_stop (): a(ua{sv}), floating. */
typedef void (*TfdRunStopped) (GVariant *parts, gpointer user_data);

TfdRuns *tfd_runs_new (const TfdNews *news, gpointer user_data);

/* Stops all runs without news and waits for what is being written. */
void tfd_runs_free (TfdRuns *runs);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TfdRuns, tfd_runs_free)

/* Begins run @number of @job. InvalidArgs; InvalidState when the job has a run already: two writers
 * must never meet. */
gboolean tfd_runs_start (TfdRuns *runs,
                         guint64 number,
                         const char *job,
                         GVariant *options,
                         GVariant *files,
                         GError **error);

/* More files for a run; an unknown one is ignored. */
gboolean tfd_runs_add_files (TfdRuns *runs, guint64 number, GVariant *files, GError **error);

/* Other @options for the files that run @number begins from now on. InvalidArgs; an unknown run is
 * ignored. */
gboolean tfd_runs_configure (TfdRuns *runs, guint64 number, GVariant *options, GError **error);

/* What a file has waited for is on the disk of the daemon; unknown runs and files are ignored. */
void tfd_runs_committed (TfdRuns *runs, guint64 number, guint32 index);

/* Ends a run; @stopped is called when nothing is written any more and all news was told. */
void tfd_runs_stop (TfdRuns *runs, guint64 number, TfdRunStopped stopped, gpointer user_data);

/* Has everything that was received put on the disk; @done is called when that and its news are
 * done. The runs go on meanwhile; what comes in later is not waited for. */
typedef void (*TfdCheckpointDone) (gpointer user_data);
void tfd_runs_checkpoint (TfdRuns *runs, TfdCheckpointDone done, gpointer user_data);

/* Has servers forget what they hold of uploads that were given up: @files as in EndSessions. @ended
 * is called with a(uss), floating, unless FALSE is returned (InvalidArgs). The runs must not be
 * freed before that, except with the process. */
typedef void (*TfdSessionsEnded) (GVariant *results, gpointer user_data);
gboolean tfd_runs_end_sessions (TfdRuns *runs,
                                GVariant *options,
                                GVariant *files,
                                TfdSessionsEnded ended,
                                gpointer user_data,
                                GError **error);

gboolean tfd_runs_is_idle (TfdRuns *runs);

/* What was handed in, as other work wants it, too. */
TfdAttached *tfd_runs_get_attached (TfdRuns *runs);

G_END_DECLS
