/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Secrets, key: where the key of this machine comes from. */
#pragma once

#include "base/secrets.h"

G_BEGIN_DECLS

/* See tfd_secrets_new (). */
gboolean tfd_secrets_read_key (const char *state_dir,
                               const char *credentials_directory,
                               guint8 key[TFD_SECRETS_KEY_SIZE],
                               GError **error);

/* The first half of HKDF with SHA-256 (RFC 5869): @key, of 32 bytes, from a secret of any size. */
void tfd_secrets_extract (
    const guint8 *salt, gsize salt_size, const guint8 *secret, gsize size, guint8 *key);

/* Fills @data, at most 256 bytes, with random ones; FALSE with errno. */
gboolean tfd_secrets_fill_random (guint8 *data, gsize size);

G_END_DECLS
