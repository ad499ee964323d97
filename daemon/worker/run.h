/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Run: one job being transferred, from Start to Stop or the first failure. For runs.c only. */
#pragma once

#include "worker/runs.h"
#include "worker/sync.h"

G_BEGIN_DECLS

/* Connections in use to one host. */
typedef struct
{
  char *name;
  guint used;
  guint in_background; /* so many of these */
} TfdHost;

struct _TfdRuns
{
  const TfdNews *news;
  gpointer user_data;
  TfdTools tools;
  TfdSync *sync;        /* (owned) */
  GPtrArray *runs;      /* (owned) (element-type TfdRun) in the order of their turns */
  GHashTable *hosts;    /* (owned) name to TfdHost */
  char *last_origin;    /* (owned) (nullable) of a URL, scheme to port, … */
  TfdHost *last_host;   /* (not owned) (nullable) … and whose it is */
  guint connections;    /* in use, over all hosts */
  guint in_background;  /* so many of these */
  guint open_files;     /* temporaries that are open, or to be made, … */
  guint max_open_files; /* … of at most so many */
  guint pump_source;    /* starts files when the loop is idle */
  guint tick_source;    /* four times a second while anything moves */
  guint news_source;    /* at most 100 ms after something happened */
  gint64 news_time;     /* when news was last told */
};

typedef struct _TfdRun TfdRun;

/* The login of @options is taken over. */
TfdRun *tfd_run_new (TfdRuns *runs, guint64 number, const char *job, const TfdRunOptions *options);
void tfd_run_free (TfdRun *run);

guint64 tfd_run_get_number (TfdRun *run);
const char *tfd_run_get_job (TfdRun *run);

/* What is begun from now on is begun with @options, whose login is taken over; MaximumSize counts
 * on as it did. */
void tfd_run_configure (TfdRun *run, const TfdRunOptions *options);

/* File @index goes on after what it had committed. */
void tfd_run_committed (TfdRun *run, guint32 index);

/* Queues @files (of TfdFile), which it takes out of the array. Those it has already are dropped. */
void tfd_run_add_files (TfdRun *run, GPtrArray *files);

/* Starts one file for which there is a connection; FALSE when there is none. */
gboolean tfd_run_start_one (TfdRun *run);

/* TRUE while files are being fetched or wait for it. */
gboolean tfd_run_is_fetching (TfdRun *run);

/* Has everything that was received put on the disk. */
void tfd_run_checkpoint (TfdRun *run);
gboolean tfd_run_is_checkpointing (TfdRun *run);

/* Stalls, checkpoints. */
void tfd_run_tick (TfdRun *run, gint64 now);

/* Adds (t, a(utt)) to @builder, if anything moved. */
void tfd_run_add_progress (TfdRun *run, GVariantBuilder *builder, gboolean *any);

/* Tells what there is to tell. */
void tfd_run_tell (TfdRun *run);

/* Ends the run; @stopped (nullable) is called at the end. The run frees itself. */
void tfd_run_close (TfdRun *run, TfdRunStopped stopped, gpointer user_data);

/* The answer of the group sync for a file (an opaque pointer that the run gave). */
void tfd_run_synced (gpointer item, int error_number, gpointer user_data);

/* runs.c, for runs */

/* Reads the options of Start; InvalidArgs. The login belongs to the caller. */
gboolean
tfd_run_options_read (TfdRuns *runs, GVariant *options, TfdRunOptions *result, GError **error);
TfdHost *tfd_runs_get_host (TfdRuns *runs, const char *url);
/* FALSE: no connection can be had, to whatever host. TRUE may be wrong. */
gboolean tfd_runs_may_connect (TfdRuns *runs, gboolean background);
gboolean tfd_runs_take_connection (TfdRuns *runs, TfdHost *host, gboolean background);
void tfd_runs_give_connection (TfdRuns *runs, TfdHost *host, gboolean background);
void tfd_runs_pump_later (TfdRuns *runs);
void tfd_runs_tell_soon (TfdRuns *runs);
void tfd_runs_tell_progress (TfdRuns *runs, TfdRun *only);
void tfd_runs_remove (TfdRuns *runs, TfdRun *run);

G_END_DECLS
