/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Digest: is a file the one that was promised? */
#pragma once

#include <glib.h>

#include "common/error.h"

G_BEGIN_DECLS

/* Hashes @length bytes of @fd and compares with @digest ("sha256:<hex>", also sha512, sha1, md5).
 * Blocks, ends early when *@abort is set (atomically). FALSE with @failure filled; its code is
 * DigestMismatch only when the whole file was read and is another one. */
gboolean
tfd_digest_check (int fd, guint64 length, const char *digest, gint *abort, TfdFailure *failure);

G_END_DECLS
