/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Sleep: has running transfers save what they have before the machine sleeps. */
#pragma once

#include "engine/engine.h"

G_BEGIN_DECLS

typedef struct _TfdSleep TfdSleep;

/* Holds a delay inhibitor of systemd-logind, which is not started for it, and lets it go as soon as
 * @engine, which must live longer, has saved what runs; four seconds later in any case. */
TfdSleep *tfd_sleep_watch (TfdEngine *engine);
void tfd_sleep_free (TfdSleep *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TfdSleep, tfd_sleep_free)

G_END_DECLS
