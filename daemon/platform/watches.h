/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Watches: those who tell the engine what the world is like. */
#pragma once

#include "engine/engine.h"

G_BEGIN_DECLS

typedef struct _TfdWatches TfdWatches;

/* Starts all of them. @engine and @config must live longer. With @outlive_bus the process goes on
 * when the system bus ends, for which it is not there. */
TfdWatches *tfd_watches_new (TfdEngine *engine, const TfdConfig *config, gboolean outlive_bus);

/* The configuration was read anew. */
void tfd_watches_reload (TfdWatches *self);

void tfd_watches_free (TfdWatches *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TfdWatches, tfd_watches_free)

G_END_DECLS
