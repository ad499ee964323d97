/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Download, the inside: shared by its life (download.c), its two kinds of source (request.c for
 * HTTP, file-url.c for local files) and the work that it has done in threads (download-work.c). */
#pragma once

#include "worker/body.h"
#include "worker/download.h"
#include "worker/writer.h"

G_BEGIN_DECLS

typedef enum
{
  TFD_PHASE_NEW,
  TFD_PHASE_PREPARING,  /* what is there is being judged */
  TFD_PHASE_WAITING,    /* for a connection to another host */
  TFD_PHASE_REQUESTING, /* no answer yet */
  TFD_PHASE_BODY,
  TFD_PHASE_FINISHING, /* checked and trimmed in a thread */
  TFD_PHASE_DONE,
  TFD_PHASE_FAILED,
  TFD_PHASE_STOPPING,
  TFD_PHASE_STOPPED,
} TfdPhase;

struct _TfdDownload
{
  GObject parent_instance;

  char *job;     /* (owned) */
  TfdFile *file; /* (owned) */
  TfdRunOptions options;
  const TfdTools *tools;           /* (not owned) */
  const TfdTransferClient *client; /* (not owned) */
  gpointer user_data;

  TfdPhase phase;
  TfdPart *part; /* (owned) (nullable) */
  gboolean made; /* its file is there */
  guint64 total; /* TFD_SIZE_UNKNOWN */
  guint8 *kept;  /* (owned) (nullable) all of the file, while the part is to be made … */
  gsize n_kept;  /* … of so many bytes */

  char *url;            /* (owned) asked now */
  guint redirects;      /* followed for this request */
  guint restarts;       /* since the start */
  gboolean source_told; /* a record with a validator may be stored */
  guint64 offset;       /* where the body of this answer begins */
  SoupMessage *message; /* (owned) (nullable) of the request under way */
  TfdLane *lane;        /* (owned) (nullable) that it is under way on, without a message … */
  guint status;         /* … or the body is read from; of the answer: its status, */
  char *reason;         /* (owned) (nullable) what that is, */
  SoupMessageHeaders *headers; /* (owned) (nullable) and the fields */
  GCancellable *cancellable;   /* (owned) (nullable) of the request under way */
  guint serial;                /* of the request: answers of older ones are not ours */
  TfdBody *body;               /* (owned) (nullable) */
  GInputStream *given;         /* (owned) (nullable) the body of the message, before it is read */
  int source_fd;               /* (not owned) of a local source while its body is read, else -1 */
  gint64 last_activity;

  guint pending;          /* pieces of work in threads */
  gboolean checkpointing; /* one of them is a checkpoint */
  guint epoch;            /* raised whenever bytes are thrown away */
  gint64 checkpoint_time;
  guint64 checkpoint_length;
  gboolean settled;  /* the last checkpoint was tried */
  TfdWriter *writer; /* (owned) (nullable) of write-behind.c, which has given it … */
  guint64 queued;    /* … so many bytes that it has not told as written */
  gboolean asked;    /* for a checkpoint after them */
  gint abort;        /* atomic: work in threads shall end early */
};

/* Tells the client of a failure and ends the request. */
void tfd_download_fail (TfdDownload *self, const TfdFailure *failure);
void tfd_download_fail_with (TfdDownload *self,
                             TfdErrorCode code,
                             TfdErrorContext context,
                             const char *message);

/* The temporary was opened or made, or not: see TfdPartOutcome. FALSE when the download failed
 * (told), and may be gone. */
gboolean tfd_download_opened (TfdDownload *self, TfdPartOutcome outcome, const TfdFailure *failure);

/* Its record changed, see TfdTransferClient: nothing to tell before there is a temporary. */
void tfd_download_changed (TfdDownload *self, gboolean at_once);

/* A sync failed: the next one would succeed although bytes were lost. The length counts no more,
 * only the last checkpoint does. */
void tfd_download_distrust (TfdDownload *self);

/* Asks the source for what is missing. */
void tfd_download_request (TfdDownload *self);

/* Throws away what is there and forgets where it came from; FALSE when that failed (told). @reason
 * (nullable) goes into the event log when something was thrown away. */
gboolean tfd_download_restart (TfdDownload *self, const char *reason);

/* The source is known to hold @total bytes (TFD_SIZE_UNKNOWN): checks limits and room, tells the
 * new record. FALSE when the download failed (told). */
gboolean tfd_download_accept (TfdDownload *self, guint64 total, gboolean source_changed);

/* Bytes came in: a TfdBodyWrite. */
gboolean tfd_download_take (const void *data, gsize count, gpointer user_data);

/* A large buffer of bytes came in: a TfdBodyHandOver. */
gboolean tfd_download_take_over (guint8 *buffer, gsize start, gsize count, gpointer user_data);

/* Bytes were written, or not all of them: @failure says why. FALSE when the download failed (told).
 */
gboolean tfd_download_wrote (TfdDownload *self, const TfdFailure *failure);

/* There is no URL: a reply that came with the answer to an upload, in a run before this, or not at
 * all. */
void tfd_download_ask_nobody (TfdDownload *self);

/* All bytes of the file are there. */
void tfd_download_finish (TfdDownload *self);

/* Ends the request under way without waiting for anything. */
void tfd_download_drop_request (TfdDownload *self);

/* request.c */
void tfd_request_send (TfdDownload *self);
void tfd_request_take_given (TfdDownload *self);

/* (nullable) A field of the answer. */
const char *tfd_download_header (TfdDownload *self, const char *name);

/* download-redirect.c: TRUE when the answer was a redirect and has been dealt with. */
gboolean tfd_download_redirected (TfdDownload *self, guint status);

/* download-small.c */

/* It may have its temporary made later, by tfd_download_make_part () or when it is all there. */
gboolean tfd_download_may_be_small (TfdDownload *self);

/* Whether so many others wait that it is one of many. */
gboolean tfd_download_many_wait (TfdDownload *self);

/* Makes the temporary, if it is not there: what comes is to be written to it. FALSE when the
 * download failed (told), and may be gone. */
gboolean tfd_download_make_part (TfdDownload *self);

/* Keeps the @count bytes that came in memory, if they are the whole file; else FALSE. */
gboolean tfd_download_keep (TfdDownload *self, const void *data, gsize count);
void tfd_download_drop_kept (TfdDownload *self);

/* file-url.c */
void tfd_file_url_read (TfdDownload *self);

/* download-work.c: each runs in a thread and comes back to the named function. */
void tfd_download_work_resume (TfdDownload *self);     /* sync what is there: _resumed () */
void tfd_download_work_checkpoint (TfdDownload *self); /* sync: record and "changed" */
void tfd_download_work_reserve (TfdDownload *self);    /* reserve blocks */
void tfd_download_work_finish (TfdDownload *self);     /* what was kept, digest, trim: "done" */
void tfd_download_work_ended (TfdDownload *self);      /* one piece less is pending */
void tfd_download_resumed (TfdDownload *self, int error_number);

/* write-behind.c: writes the @count bytes from @start on of the large @buffer, which it takes, in a
 * thread, after those that came before; gives the buffer back to the body. */
void tfd_download_write_behind (TfdDownload *self, guint8 *buffer, gsize start, gsize count);

G_END_DECLS
