/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Run, the inside: shared by its course (run.c) and what it hears and tells (run-news.c). */
#pragma once

#include "worker/run.h"

G_BEGIN_DECLS

struct _TfdRun
{
  TfdRuns *runs; /* (not owned) */
  guint64 number;
  char *job;
  TfdRunOptions options;
  GQueue waiting;       /* (owned) (element-type Waiting) */
  GPtrArray *active;    /* (owned) (element-type TfdRunItem) being fetched */
  guint syncing;        /* fetched, being put on the disk */
  GHashTable *indices;  /* (owned) of all files it has */
  GHashTable *parts;    /* (owned) index to record (a{sv}) of what is not active, to be told */
  GByteArray *done;     /* (owned) rows of FilesDone, to be told */
  gboolean connected;   /* a server has answered, and that is told, or seen from what is done */
  guint connect_source; /* a server has answered: is soon to be told */
  guint64 size;         /* of all files that it has begun: what is there, or what there will be */

  gboolean closing;
  gboolean failed; /* the failure is to be told at the end */
  TfdFailure failure;
  guint close_source;
  GVariantBuilder *final; /* (owned) a(ua{sv}), once closing */
  TfdRunStopped stopped;
  gpointer stopped_data;
};

typedef struct
{
  TfdFile *file; /* (owned) */
  TfdHost *host;
} Waiting;

typedef struct
{
  TfdRun *run;
  TfdTransfer *transfer; /* (owned) */
  TfdHost *host;         /* of the connection it holds or waits for */
  gboolean holds;        /* the connection */
  gboolean background;   /* … as one of the background */
  gboolean moved;        /* bytes came, not yet told */
  gboolean changed;      /* its record did, not yet told */
  guint64 size;          /* its share of the size of the run */
  gboolean begun;        /* it was started */
  GByteArray *held;      /* (owned) (nullable) of a file that is sent: its reply is done, to be told
                            with it */
} TfdRunItem;

extern const TfdTransferClient tfd_run_client;

/* A connection to the host it waits for; FALSE when there is none. */
gboolean tfd_run_item_take_connection (TfdRunItem *item);

/* One more transfer; @host: whose connection it @holds already. */
TfdRunItem *tfd_run_add_item (TfdRun *run, TfdHost *host, gboolean holds);

/* The reply to what @user_data (a TfdRunItem) sends: one more transfer. */
void tfd_run_fetch_reply (TfdTransfer *upload,
                          TfdFile *file,
                          SoupMessage *message,
                          GInputStream *stream,
                          gpointer user_data);

void tfd_run_item_free (TfdRunItem *item);
guint32 tfd_run_item_index (const TfdRunItem *item);

/* Says that a server has answered, if that waits to be said. */
void tfd_run_tell_connected (TfdRun *run);

/* Ends a closing run once nothing is written any more; it is gone afterwards. */
void tfd_run_end_if_settled (TfdRun *run);

G_END_DECLS
