/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Network: whether there is one, and whether it costs by volume. Never makes a connection. */
#pragma once

#include "engine/engine.h"

G_BEGIN_DECLS

/* Keeps @engine told, until it is gone. */
void tfd_network_watch (TfdEngine *engine);

G_END_DECLS
