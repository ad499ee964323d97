/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Adopt: can this user go on with what another one has begun? Blocks: runs in the pool. */
#pragma once

#include <gio/gio.h>

#include "worker/file.h"

G_BEGIN_DECLS

/* Request Adopt of org.transferd.Transfer1.Worker: @files are TfdFile; result a(usa{sv}), floating.
 * NULL with @error set (FileAccessDenied, InsufficientSpace) when one of them cannot be had; then
 * nothing of this call is left. */
GVariant *tfd_adopt (const char *job, GVariant *options, GPtrArray *files, GError **error);

G_END_DECLS
