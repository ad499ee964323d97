/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Download: one file on its way from a URL into its temporary. */
#pragma once

#include <libsoup/soup.h>

#include "worker/login.h"
#include "worker/partial.h"
#include "worker/pool.h"

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
  TfdLogin *login; /* (owned) by the run */
} TfdRunOptions;

/* What all downloads share. */
typedef struct
{
  TfdLogins *logins;       /* (owned) */
  TfdPool *pool;           /* (owned) */
  GHashTable *directories; /* (owned) see tfd_directory_cache_new () */
} TfdTools;

#define TFD_TYPE_DOWNLOAD (tfd_download_get_type ())
G_DECLARE_FINAL_TYPE (TfdDownload, tfd_download, TFD, DOWNLOAD, GObject)

/* Whom a download tells. */
typedef struct
{
  /* a server answered, or the local source was opened */
  void (*answered) (TfdDownload *self, gpointer user_data);
  /* its record changed; @at_once: it must be stored before the bytes that follow */
  void (*changed) (TfdDownload *self, gboolean at_once, gpointer user_data);
  /* the number of bytes present changed; FALSE: too many for the job */
  gboolean (*progressed) (TfdDownload *self, gpointer user_data);
  /* may the file have @total bytes? */
  gboolean (*allows) (TfdDownload *self, guint64 total, gpointer user_data);
  /* it was sent to @host; TRUE: go on; FALSE: it waits for tfd_download_go () */
  gboolean (*moved) (TfdDownload *self, const char *host, gpointer user_data);
  /* it needs no connection any more */
  void (*released) (TfdDownload *self, gpointer user_data);
  /* all bytes are there and right; nothing is synced yet */
  void (*done) (TfdDownload *self, gpointer user_data);
  /* it cannot go on; to be stopped by the receiver */
  void (*failed) (TfdDownload *self, const TfdFailure *failure, gpointer user_data);
  /* something foreign stands under the name of the temporary; to be stopped by the receiver */
  void (*replaced) (TfdDownload *self, gpointer user_data);
  /* the temporary is gone, with bytes in it; to be stopped by the receiver */
  void (*missing) (TfdDownload *self, gpointer user_data);
  /* after tfd_download_stop (): nothing is written any more, the record is final */
  void (*stopped) (TfdDownload *self, gpointer user_data);
  /* something for the log; @details is floating */
  void (*event) (TfdDownload *self, const char *kind, GVariant *details, gpointer user_data);
} TfdDownloadClient;

/* @file is taken over; @tools and @client must outlive the download. */
TfdDownload *tfd_download_new (const char *job,
                               TfdFile *file,
                               const TfdRunOptions *options,
                               const TfdTools *tools,
                               const TfdDownloadClient *client,
                               gpointer user_data);

/* Opens the temporary and asks for what is missing. */
void tfd_download_start (TfdDownload *self);

/* Goes on after "moved" was answered by FALSE. */
void tfd_download_go (TfdDownload *self);

/* Ends it, done or not; "stopped" follows, perhaps at once. */
void tfd_download_stop (TfdDownload *self);

/* Has what was received put on the disk now. */
void tfd_download_checkpoint (TfdDownload *self);
gboolean tfd_download_is_checkpointing (TfdDownload *self);

/* Called several times a second: stalls, checkpoints, trickles. */
void tfd_download_tick (TfdDownload *self, gint64 now);

const TfdFile *tfd_download_get_file (TfdDownload *self);

/* (nullable): before it was opened. */
TfdPart *tfd_download_get_part (TfdDownload *self);

/* Bytes present and size (TFD_SIZE_UNKNOWN). */
guint64 tfd_download_get_length (TfdDownload *self);
guint64 tfd_download_get_total (TfdDownload *self);

/* The URL that is asked now, after redirects. */
const char *tfd_download_get_url (TfdDownload *self);

G_END_DECLS
