/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Behaviour, happenings: what may happen to a job, and what has to be so before it can. */
#pragma once

#include "behaviour.h"

G_BEGIN_DECLS

void no_slots (Subject *self);
void happen_picked (Subject *self);
void happen_connected (Subject *self);
void happen_connection_failed (Subject *self);
void happen_transient (Subject *self);
void happen_fatal (Subject *self);
void prepare_slice (Subject *self);
void happen_slice_over (Subject *self);
void prepare_higher (Subject *self);
void happen_higher (Subject *self);
void happen_network_lost (Subject *self);
void happen_network_back (Subject *self);
void happen_costs (Subject *self);
void happen_hours (Subject *self);
void happen_hours_over (Subject *self);
void happen_power (Subject *self);
void happen_log_off (Subject *self);
void happen_log_on (Subject *self);
void prepare_logged_off (Subject *self);
void happen_quarter (Subject *self);
void happen_hour (Subject *self);
void happen_day (Subject *self);
void happen_ninety_days (Subject *self);
void happen_too_large (Subject *self);
void happen_file_done (Subject *self);
void happen_last_file_done (Subject *self);
void happen_remote_changed (Subject *self);
void happen_part_missing (Subject *self);
void happen_worker_lost (Subject *self);
void happen_mount (Subject *self);
void prepare_lost (Subject *self);
void prepare_costs (Subject *self);
void prepare_hours (Subject *self);
void prepare_power (Subject *self);
void happen_costs_over (Subject *self);
void happen_power_over (Subject *self);

G_END_DECLS
