/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Power: whether the machine saves power, and whether it runs on battery. */
#pragma once

#include "engine/engine.h"

G_BEGIN_DECLS

typedef struct _TfdPower TfdPower;

/* Keeps @engine, which must live longer, told, as far as power-profiles-daemon and UPower run.
 * UPower is not started; GLib's monitor starts power-profiles-daemon where it is installed. */
TfdPower *tfd_power_watch (TfdEngine *engine);
void tfd_power_free (TfdPower *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TfdPower, tfd_power_free)

G_END_DECLS
