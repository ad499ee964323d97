/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Hours: whether the configuration keeps background jobs from running at this time of day. */
#pragma once

#include "engine/engine.h"

G_BEGIN_DECLS

typedef struct _TfdHours TfdHours;

/* Keeps @engine told when hours of BlockedHours= in @config begin and end, also when the wall clock
 * or the time zone is changed. Both must live longer. */
TfdHours *tfd_hours_watch (TfdEngine *engine, const TfdConfig *config);

/* The configuration was read anew: tells the engine in any case. */
void tfd_hours_reload (TfdHours *self);

void tfd_hours_free (TfdHours *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TfdHours, tfd_hours_free)

G_END_DECLS
