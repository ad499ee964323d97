/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Upload body, the inside: shared by what libsoup reads (upload-body.c) and what is written past it
 * (upload-send.c). */
#pragma once

#include "worker/upload-body.h"

G_BEGIN_DECLS

#define TFD_UPLOAD_BUFFER_SIZE (256 * 1024)

/* One read of libsoup that finds the buffer empty. */
typedef struct
{
  GTask *task; /* (owned) its source is the stream */
  gpointer data;
  gsize count;
} TfdUploadRead;

struct _TfdUploadBody
{
  GInputStream parent_instance;

  TfdUploadFile *file; /* (owned) */
  TfdPool *pool;       /* (not owned) */
  guint64 next;        /* in the file, of what is not yet in the buffer */
  guint64 left;        /* likewise */
  guint8 *buffer;      /* (owned) (nullable) */
  gsize start, filled; /* what the buffer holds */
  gboolean reading;    /* the buffer belongs to a thread */
  gboolean held;       /* nothing is given away */
  TfdUploadBodyWanted wanted;
  gpointer wanted_data;
  TfdUploadRead *waiting; /* (owned) (nullable) while it is held */
  TfdFailure failure;

  GIOStream *connection; /* (owned) (nullable) what the bytes are written to by ourselves */
  int fd;                /* our own, of the same when the kernel can fill it from the file, or -1 */
  TfdUploadBodySent sent;
  gpointer sent_data;
};

/* Fills the empty buffer. Blocks. */
void tfd_upload_body_fill (TfdUploadBody *body);

/* Writes everything to the connection; @read (transfer full) finds the end of the body then. */
void tfd_upload_body_send (TfdUploadBody *body, TfdUploadRead *read);

G_END_DECLS
