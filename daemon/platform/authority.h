/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Authority: asks polkit whether a client may do something. */
#pragma once

#include "base/config.h"

#include <gio/gio.h>

G_BEGIN_DECLS

#define TFD_TYPE_AUTHORITY (tfd_authority_get_type ())
G_DECLARE_FINAL_TYPE (TfdAuthority, tfd_authority, TFD, AUTHORITY, GObject)

/* Signal "changed" (): what was answered before may not be so any more. */

/* Not @enabled: everything is allowed, and nobody is asked; for a service of one user. @config must
 * live longer. */
TfdAuthority *tfd_authority_new (gboolean enabled, const TfdConfig *config);

/* From now on polkit is asked over @connection, the system bus. */
void tfd_authority_connect (TfdAuthority *self, GDBusConnection *connection);

gboolean tfd_authority_is_enabled (TfdAuthority *self);

/* The last question was answered, whatever the answer. */
gboolean tfd_authority_is_answering (TfdAuthority *self);

/* Asks whether @sender, a connection of user @uid, may do @action (of ours, without the prefix:
 * "create-job"); user 0 may. @details (nullable): a{ss} for the rules of the administrator,
 * consumed when floating. With @interactive somebody may be asked for a password, which takes its
 * time.
 *
 * Fails with ACCESS_DENIED; with INTERACTIVE_AUTHORIZATION_REQUIRED when only somebody with a
 * password could allow it; with LIMITS_EXCEEDED when there are too many questions already. When
 * polkit cannot be asked, does not answer, or @cancellable is cancelled, that is ACCESS_DENIED,
 * too: the text says why. */
void tfd_authority_check_async (TfdAuthority *self,
                                const char *sender,
                                guint32 uid,
                                const char *action,
                                GVariant *details,
                                gboolean interactive,
                                GCancellable *cancellable,
                                GAsyncReadyCallback callback,
                                gpointer user_data);
gboolean tfd_authority_check_finish (TfdAuthority *self, GAsyncResult *result, GError **error);

G_END_DECLS
