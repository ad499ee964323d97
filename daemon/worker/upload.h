/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Upload: one file on its way to a server: a TfdTransfer. What is asked of the server is for the
 * rules of the protocol to say (upload-rules.h). */
#pragma once

#include "worker/download.h"

G_BEGIN_DECLS

#define TFD_TYPE_UPLOAD (tfd_upload_get_type ())
G_DECLARE_FINAL_TYPE (TfdUpload, tfd_upload, TFD, UPLOAD, GObject)

/* @file is taken over; @tools and @client must outlive the upload. */
TfdUpload *tfd_upload_new (const char *job,
                           TfdFile *file,
                           const TfdRunOptions *options,
                           const TfdTools *tools,
                           const TfdTransferClient *client,
                           gpointer user_data);

/* The reply that "reply" asked for is on the disk. */
void tfd_upload_replied (TfdUpload *self);

G_END_DECLS
