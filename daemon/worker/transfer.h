/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Transfer: one file under way, in either direction, as a run sees it: what can be asked of it and
 * whom it tells. */
#pragma once

#include <libsoup/soup.h>

#include "worker/partial.h"

G_BEGIN_DECLS

#define TFD_TYPE_TRANSFER (tfd_transfer_get_type ())
G_DECLARE_INTERFACE (TfdTransfer, tfd_transfer, TFD, TRANSFER, GObject)

struct _TfdTransferInterface
{
  GTypeInterface parent;

  void (*start) (TfdTransfer *self);
  void (*go) (TfdTransfer *self);
  void (*committed) (TfdTransfer *self); /* (nullable) */
  void (*stop) (TfdTransfer *self);
  void (*checkpoint) (TfdTransfer *self);           /* (nullable) */
  gboolean (*is_checkpointing) (TfdTransfer *self); /* (nullable) */
  void (*tick) (TfdTransfer *self, gint64 now);
  const TfdFile *(*get_file) (TfdTransfer *self);
  TfdPart *(*get_part) (TfdTransfer *self); /* (nullable) */
  GVariant *(*get_record) (TfdTransfer *self);
  guint64 (*get_length) (TfdTransfer *self);
  guint64 (*get_total) (TfdTransfer *self);
  const char *(*get_url) (TfdTransfer *self);
};

/* Whom a transfer tells. */
typedef struct
{
  /* a server answered, or the local source was opened */
  void (*answered) (TfdTransfer *self, gpointer user_data);
  /* its record changed; @at_once: it must be stored before the bytes that follow */
  void (*changed) (TfdTransfer *self, gboolean at_once, gpointer user_data);
  /* its record must be on the disk of the daemon before it goes on: tfd_transfer_committed () */
  void (*commit) (TfdTransfer *self, gpointer user_data);
  /* the number of bytes present changed; FALSE: too many for the job */
  gboolean (*progressed) (TfdTransfer *self, gpointer user_data);
  /* may the file have @total bytes? */
  gboolean (*allows) (TfdTransfer *self, guint64 total, gpointer user_data);
  /* it was sent to @host; TRUE: go on; FALSE: it waits for tfd_transfer_go () */
  gboolean (*moved) (TfdTransfer *self, const char *host, gpointer user_data);
  /* (nullable) do so many files wait that its connection should be kept for them? */
  gboolean (*many_wait) (TfdTransfer *self, gpointer user_data);
  /* it needs no connection any more */
  void (*released) (TfdTransfer *self, gpointer user_data);
  /* all bytes are there and right; nothing is synced yet */
  void (*done) (TfdTransfer *self, gpointer user_data);
  /* it cannot go on; to be stopped by the receiver */
  void (*failed) (TfdTransfer *self, const TfdFailure *failure, gpointer user_data);
  /* something foreign stands under the name of the temporary; to be stopped by the receiver */
  void (*replaced) (TfdTransfer *self, gpointer user_data);
  /* the temporary is gone, with bytes in it; to be stopped by the receiver */
  void (*missing) (TfdTransfer *self, gpointer user_data);
  /* after tfd_transfer_stop (): nothing is written any more, the record is final */
  void (*stopped) (TfdTransfer *self, gpointer user_data);
  /* the server has the whole of what is sent, and @file (transfer full) is to take its reply: from
   * its URL, or from the body @stream (nullable) of @message; it needs no connection meanwhile */
  void (*reply) (TfdTransfer *self,
                 TfdFile *file,
                 SoupMessage *message,
                 GInputStream *stream,
                 gpointer user_data);
  /* something for the log; @details is floating */
  void (*event) (TfdTransfer *self, const char *kind, GVariant *details, gpointer user_data);
} TfdTransferClient;

/* Opens what is local and asks the server for what is missing, here or there. */
void tfd_transfer_start (TfdTransfer *self);

/* Goes on after "moved" was answered by FALSE. */
void tfd_transfer_go (TfdTransfer *self);

/* Goes on after "commit". */
void tfd_transfer_committed (TfdTransfer *self);

/* Ends it, done or not; "stopped" follows, perhaps at once. */
void tfd_transfer_stop (TfdTransfer *self);

/* Has what was received put on the disk now. */
void tfd_transfer_checkpoint (TfdTransfer *self);
gboolean tfd_transfer_is_checkpointing (TfdTransfer *self);

/* Called several times a second: stalls, checkpoints, trickles. */
void tfd_transfer_tick (TfdTransfer *self, gint64 now);

const TfdFile *tfd_transfer_get_file (TfdTransfer *self);

/* (nullable) The temporary, once it is open; what is sent has none. */
TfdPart *tfd_transfer_get_part (TfdTransfer *self);

/* (nullable) What is to be remembered of it, a{sv} of at most 4096 bytes, floating; NULL before
 * there is anything. */
GVariant *tfd_transfer_get_record (TfdTransfer *self);

/* Bytes present and size (TFD_SIZE_UNKNOWN). */
guint64 tfd_transfer_get_length (TfdTransfer *self);
guint64 tfd_transfer_get_total (TfdTransfer *self);

/* The URL that is asked now, after redirects. */
const char *tfd_transfer_get_url (TfdTransfer *self);

G_END_DECLS
