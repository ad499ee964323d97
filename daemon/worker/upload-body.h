/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Upload body: a range of the source as the stream that libsoup sends. It is read in large pieces
 * by threads, because the disk of a user may be a slow or a dead one, and the main loop must not
 * wait for it. */
#pragma once

#include "worker/pool.h"
#include "worker/upload-source.h"

G_BEGIN_DECLS

#define TFD_TYPE_UPLOAD_BODY (tfd_upload_body_get_type ())
G_DECLARE_FINAL_TYPE (TfdUploadBody, tfd_upload_body, TFD, UPLOAD_BODY, GInputStream)

/* @length bytes of @file from @first. */
TfdUploadBody *
tfd_upload_body_new (TfdUploadFile *file, TfdPool *pool, guint64 first, guint64 length);

/* Nothing of @body is given away before tfd_upload_body_release (): @wanted is called when the
 * first byte could be sent. */
typedef void (*TfdUploadBodyWanted) (gpointer user_data);
void tfd_upload_body_hold (TfdUploadBody *body, TfdUploadBodyWanted wanted, gpointer user_data);
void tfd_upload_body_release (TfdUploadBody *body);

/* The bytes need not go through libsoup, which carries them in pieces of 8 KiB: when it asks for
 * the first of them the body writes all of them to @connection by itself, and is at its end then.
 * @sent is told of those that were written. */
typedef void (*TfdUploadBodySent) (guint64 count, gpointer user_data);
void tfd_upload_body_connect (TfdUploadBody *body,
                              GIOStream *connection,
                              TfdUploadBodySent sent,
                              gpointer user_data);

/* Nobody listens to @body any more. */
void tfd_upload_body_forget (TfdUploadBody *body);

/* TRUE while a thread reads: it is not the server that is slow. */
gboolean tfd_upload_body_is_reading (TfdUploadBody *body);

/* (nullable) Why the source could not be read; valid as long as the body. */
const TfdFailure *tfd_upload_body_get_failure (TfdUploadBody *body);

G_END_DECLS
