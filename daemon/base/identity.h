/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Identity: who a user id is, asked of the name service in a thread. */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* A user as the name service has it. */
typedef struct
{
  guint32 uid;
  guint32 gid;
  GArray *groups; /* (owned) of gid_t, the supplementary ones */
  char *name;     /* (owned) */
  char *home;     /* (owned) */
} TfdIdentity;

void tfd_identity_free (TfdIdentity *identity);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TfdIdentity, tfd_identity_free)

/* Looks @uid up in a thread, as name services may take their time: after ten seconds it fails with
 * G_IO_ERROR_TIMED_OUT. Fails with OWNER_GONE when there is no such user, or when @name (nullable)
 * is not that user's name any more, and with another error when that cannot be found out. */
void tfd_identity_look_up_async (guint32 uid,
                                 const char *name,
                                 GAsyncReadyCallback callback,
                                 gpointer user_data);
TfdIdentity *tfd_identity_look_up_finish (GAsyncResult *result, GError **error);

G_END_DECLS
