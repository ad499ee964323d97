/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Discard: temporaries are unlinked; nothing else is touched. Blocks: runs in the pool. */
#pragma once

#include <gio/gio.h>

#include "worker/file.h"

G_BEGIN_DECLS

/* Request Discard of org.transferd.Transfer1.Worker: @files are TfdFile; result a(uays), floating.
 */
GVariant *tfd_discard (const char *job, GPtrArray *files);

/* Request OpenPart: a descriptor, read only, of the temporary of @file, or of the final file once
 * it is completed; -1 with @error set. */
int tfd_open_part (const char *job, const TfdFile *file, GError **error);

/* Request ReadPart: the bytes of the same, ay, floating; NULL with @error set, TooLarge when there
 * are more than @most. */
GVariant *tfd_read_part (const char *job, const TfdFile *file, guint64 most, GError **error);

G_END_DECLS
