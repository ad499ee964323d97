/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Download: one file on its way from a URL into its temporary: a TfdTransfer. */
#pragma once

#include <libsoup/soup.h>

#include "worker/attached.h"
#include "worker/batch.h"
#include "worker/lane.h"
#include "worker/login.h"
#include "worker/partial.h"
#include "worker/pool.h"
#include "worker/transfer.h"

G_BEGIN_DECLS

/* What a run was started with. */
typedef struct
{
  gboolean foreground;
  gboolean dynamic_content;  /* never resume */
  gboolean high_performance; /* no checkpoints */
  TfdRedirectPolicy redirect_policy;
  gboolean allow_downgrade;
  guint64 maximum_size; /* of all files of the run together, 0 = none */
  guint64 keep_free;
  guint32 umask;
  TfdJobType type;
  TfdUploadProtocol upload_protocol;
  TfdLogin *login; /* (owned) by the run */
} TfdRunOptions;

/* What all transfers share. */
typedef struct
{
  TfdLogins *logins;       /* (owned) */
  TfdPool *pool;           /* (owned) */
  TfdPool *writers;        /* (owned) for writing alone: a sync may take long */
  TfdPool *hashers;        /* (owned) for files that are read from end to end: that takes longer */
  TfdBatch *small;         /* (owned) what writes small files that were kept in memory */
  GHashTable *directories; /* (owned) see tfd_directory_cache_new () */
  GHashTable *protocols;   /* (owned) origin to TfdUploadProtocol, where that was found out */
  TfdAttached *attached;   /* what was handed in */
  TfdLanes *lanes;         /* (owned) */
} TfdTools;

#define TFD_TYPE_DOWNLOAD (tfd_download_get_type ())
G_DECLARE_FINAL_TYPE (TfdDownload, tfd_download, TFD, DOWNLOAD, GObject)

/* @file is taken over; @tools and @client must outlive the download. */
TfdDownload *tfd_download_new (const char *job,
                               TfdFile *file,
                               const TfdRunOptions *options,
                               const TfdTools *tools,
                               const TfdTransferClient *client,
                               gpointer user_data);

/* The body @stream of @message is what is to be received, and cannot be had again. Before the
 * start.
 */
void tfd_download_set_answer (TfdDownload *self, SoupMessage *message, GInputStream *stream);

G_END_DECLS
