/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Upload early: an answer that a server gives before it has read the whole request. libsoup looks
 * for an answer only when everything is sent; when the server has closed its side by then, what it
 * had to say (too large, not allowed) is lost, and seems to be a lost connection. So the connection
 * is looked into from outside. That needs one that is not encrypted. */
#pragma once

#include <libsoup/soup.h>

G_BEGIN_DECLS

typedef struct _TfdUploadEarly TfdUploadEarly;

/* Watches the connection that @message, which was not sent yet, will open. */
TfdUploadEarly *tfd_upload_early_new (SoupMessage *message);
void tfd_upload_early_free (TfdUploadEarly *early);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TfdUploadEarly, tfd_upload_early_free)

/* TRUE when a connection was opened for the message: none was used again. */
gboolean tfd_upload_early_is_fresh (const TfdUploadEarly *early);

/* TRUE when a final answer that is no success has arrived: its status, reason and fields
 * (transfer full). */
gboolean tfd_upload_early_look (TfdUploadEarly *early,
                                guint *status,
                                char **reason,
                                SoupMessageHeaders **fields);

/* The connection that the head of the message was written to; NULL when it is not known, because it
 * was there before. */
GIOStream *tfd_upload_early_get_connection (TfdUploadEarly *early);

G_END_DECLS
