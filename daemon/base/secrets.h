/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Secrets: what nobody may read in a copy of the database is sealed before it is stored, with
 * AES-256-GCM of GnuTLS and a key of this machine. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct _TfdSecrets TfdSecrets;

#define TFD_SECRETS_CREDENTIAL "transferd.key"
#define TFD_SECRETS_KEY_FILE "secrets.key"
#define TFD_SECRETS_KEY_SIZE 32 /* bytes */

/* The key is the credential "transferd.key" of the service manager (@credentials_directory,
 * nullable, is $CREDENTIALS_DIRECTORY); without one the file "secrets.key" in @state_dir, which is
 * made when it is absent. Fails when there is one that cannot be read, is not our own or is too
 * short: a new one in its place would make what is sealed useless. */
TfdSecrets *
tfd_secrets_new (const char *state_dir, const char *credentials_directory, GError **error);
void tfd_secrets_free (TfdSecrets *secrets);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TfdSecrets, tfd_secrets_free)

/* Seals @plain for the job @id; two results are never the same. (transfer full) */
GBytes *tfd_secrets_seal (TfdSecrets *secrets, GBytes *plain, const char *id, GError **error);

/* What was sealed for @id with this key; fails for anything else. The memory of the result is wiped
 * when it is freed. (transfer full) */
GBytes *tfd_secrets_unseal (TfdSecrets *secrets, GBytes *sealed, const char *id, GError **error);

G_END_DECLS
