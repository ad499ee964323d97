/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Spawn: starts a worker process as its user. Everything that allocates or may block is prepared
 * before the fork; between fork and exec run only system calls. */
#pragma once

#include "base/identity.h"

G_BEGIN_DECLS

/* Takes the lock of @uid's worker in @runtime_dir: a descriptor that holds it as long as it or a
 * copy of it is open in any process; -1 with G_IO_ERROR_BUSY while an earlier worker has not ended.
 */
int tfd_spawn_take_lock (const char *runtime_dir, guint32 uid, GError **error);

/* Starts @program with @arguments as @identity (NULL: as ourselves). Takes @socket, which becomes
 * its descriptor 3, and @lock, which becomes 4. The process dies with us. */
GSubprocess *tfd_spawn_worker (const char *program,
                               const char *const *arguments,
                               const TfdIdentity *identity,
                               int socket,
                               int lock,
                               GError **error);

/* Starts @program with @arguments as @identity (NULL: as ourselves), with nothing but a pipe from
 * its standard output. The process dies with us. */
GSubprocess *tfd_spawn_reader (const char *program,
                               const char *const *arguments,
                               const TfdIdentity *identity,
                               GError **error);

G_END_DECLS
