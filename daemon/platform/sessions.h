/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Sessions: who is logged on, as systemd-logind tells. */
#pragma once

#include "engine/engine.h"

G_BEGIN_DECLS

typedef struct _TfdSessions TfdSessions;

/* Keeps @engine, which must live longer, told. Without logind, which is started if the bus knows
 * how to, nobody tells who is logged on. */
TfdSessions *tfd_sessions_watch (TfdEngine *engine);
void tfd_sessions_free (TfdSessions *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TfdSessions, tfd_sessions_free)

G_END_DECLS
