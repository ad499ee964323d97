/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Upload record: what is remembered of an upload between runs, stored by transferd for us. Pure. */
#pragma once

#include "worker/upload-rules.h"

G_BEGIN_DECLS

/* Reads an a{sv}, perhaps of a former version, into @state, which must be initialised; what makes
 * no sense for a file of @size bytes is as if it was not there. *@source (transfer full) (nullable)
 * is the identity of the file that the upload was begun with. */
void
tfd_upload_record_parse (GVariant *record, guint64 size, TfdUploadState *state, GBytes **source);

/* The record as a{sv} of at most 4096 bytes, floating. @resumable: an upload of this protocol can
 * be continued when there is a session. */
GVariant *tfd_upload_record_new (const TfdUploadState *state, GBytes *source, gboolean resumable);

G_END_DECLS
