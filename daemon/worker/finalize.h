/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Finalize: temporaries get their final names, durably, or stay what they are. All functions here
 * block: they run in the pool. */
#pragma once

#include <gio/gio.h>

#include "worker/file.h"
#include "worker/owned.h"

G_BEGIN_DECLS

/* Requests Verify and Finalize of org.transferd.Transfer1.Worker: @files (of TfdFile) in order;
 * results a(usa{sv}), floating. @owned: the job's files that have their final names. */
GVariant *tfd_verify (const char *job, GVariant *options, GPtrArray *files, TfdOwned *owned);

/* Whether nothing is done after a file with this result. */
gboolean tfd_finalize_stops (const char *verdict);

/* NULL with @error when what was done could not be put on the disk. */
GVariant *tfd_finalize (
    const char *job, GVariant *options, GPtrArray *files, TfdOwned *owned, GError **error);

G_END_DECLS
