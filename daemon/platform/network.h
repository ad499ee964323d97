/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Network: whether there is one, and whether it costs by volume. Never makes a connection. */
#pragma once

#include "engine/engine.h"

G_BEGIN_DECLS

typedef struct _TfdNetwork TfdNetwork;

/* Keeps @engine, which must live longer, told. A network that is gone for less than five seconds
 * was not gone; one that leads to a captive portal only is none. */
TfdNetwork *tfd_network_watch (TfdEngine *engine);
void tfd_network_free (TfdNetwork *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TfdNetwork, tfd_network_free)

G_END_DECLS
