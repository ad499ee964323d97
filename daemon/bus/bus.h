/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Bus: the only floor that sees bus messages. Exports the manager and the jobs, knows who calls,
 * keeps the calls of a client in order, and tells subscribers what changed. */
#pragma once

#include "engine/engine.h"
#include "platform/authority.h"

G_BEGIN_DECLS

typedef struct _TfdBus TfdBus;

/* Re-reads the configuration; called for Manager.Reload. */
typedef gboolean (*TfdReloadFunc) (gpointer data, GError **error);

/* Exports everything on @connection, over which @authority is asked from now on. In user mode
 * (@only_uid not G_MAXUINT32) callers with another uid are refused. */
TfdBus *tfd_bus_new (GDBusConnection *connection,
                     TfdEngine *engine,
                     TfdAuthority *authority,
                     guint32 only_uid,
                     TfdReloadFunc reload,
                     gpointer reload_data,
                     GError **error);
void tfd_bus_free (TfdBus *bus);

/* No call is under way, and nobody has asked to hear of changes. */
gboolean tfd_bus_is_idle (TfdBus *bus);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TfdBus, tfd_bus_free)

G_END_DECLS
