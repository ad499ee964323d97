/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
#pragma once

#include "bus/bus-private.h"

G_BEGIN_DECLS

/* Adds @files (transfer full) to the job of @call, which is answered when that is done or cannot
 * be.
 * @fd (transfer full) is the directory that they are in, or the file itself, if that was handed in,
 * else -1. */
void tfd_create_add (TfdCall *call, GPtrArray *files, int fd);

G_END_DECLS
