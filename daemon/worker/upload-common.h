/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Upload common: what the rules of several protocols need; for them alone. */
#pragma once

#include "worker/upload-rules.h"

G_BEGIN_DECLS

/* Failures; @what is for people. */
TfdUploadVerdict tfd_upload_invalid (TfdFailure *failure, const char *what);
TfdUploadVerdict tfd_upload_mismatch (TfdFailure *failure, const char *what);
TfdUploadVerdict tfd_upload_too_large (TfdFailure *failure, guint64 size, guint64 maximum);

/* GO_ON unless the server has said that it takes no file so large. */
TfdUploadVerdict tfd_upload_check_maximum (const TfdUploadState *state,
                                           const TfdUploadSource *source,
                                           TfdFailure *failure);

/* The server has the whole file, and its reply, which is wanted, cannot be had again. What comes
 * next is the user's decision: the state is restarted. */
TfdUploadVerdict tfd_upload_reply_lost (TfdUploadState *state, TfdFailure *failure);

/* The server refused bytes or an offset: GO_ON, or FAILED (transient) when that happens again and
 * again. */
TfdUploadVerdict tfd_upload_set_back (TfdUploadState *state, const char *what, TfdFailure *failure);

/* The session is lost (@what is static): restarts, likewise. */
TfdUploadVerdict
tfd_upload_lost (TfdUploadState *state, const char *what, const char **reason, TfdFailure *failure);

/* The server has @offset bytes. */
void tfd_upload_confirm (TfdUploadState *state, guint64 offset);

/* The server has the whole file, and nothing of a session is left: the answer that says so is the
 * reply, if one is wanted. */
TfdUploadVerdict tfd_upload_finish (TfdUploadState *state, const TfdUploadSource *source);

/* The body of @request was too large for the server: FALSE when there is no use in smaller ones. */
gboolean tfd_upload_shrink (TfdUploadState *state, const TfdUploadRequest *request);

/* Bytes of the next body; @most: of one request, 0 = any. */
guint64
tfd_upload_length (const TfdUploadState *state, const TfdUploadSource *source, guint64 most);

/* Likewise, for servers that keep what comes of a request of any length: so much that waiting for
 * answers hardly counts, and so little that what was confirmed is never far behind. */
guint64 tfd_upload_portion (const TfdUploadState *state, const TfdUploadSource *source);

/* Resolves @location, which came as answer to @request; @url belongs to the caller. */
TfdUploadVerdict tfd_upload_take_location (const TfdUploadSource *source,
                                           const TfdUploadRequest *request,
                                           const char *location,
                                           char **url,
                                           TfdFailure *failure);

/* FALSE, and a failure, when the server says what it has and that is not what was sent. */
gboolean tfd_upload_check_digest (const TfdUploadSource *source,
                                  const TfdUploadAnswer *answer,
                                  TfdFailure *failure);

/* Of a DELETE: there is no use in asking again. */
gboolean tfd_upload_is_forgotten (const TfdUploadAnswer *answer);

/* What an answer to OPTIONS says of tus: FALSE when it says nothing. */
gboolean tfd_upload_tus_learn (TfdUploadState *state, const TfdUploadAnswer *answer);

/* Whether the answer to OPTIONS says that a PUT may be of a part. */
void tfd_upload_put_learn (TfdUploadState *state, const TfdUploadAnswer *answer);

/* Upload-Limit of an answer: FALSE when there is none. */
gboolean tfd_upload_resumable_learn (TfdUploadState *state, const TfdUploadAnswer *answer);

G_END_DECLS
