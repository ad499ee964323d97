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

G_END_DECLS
