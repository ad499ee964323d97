/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* The golden files of the state table: every cell, and what the prose of the interface must say. */
#pragma once

#include "common/state.h"

void test_state_golden_table (void);
void test_state_golden_calls (void);
