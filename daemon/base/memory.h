/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Memory: what is not needed any more goes back to the machine. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* To be called first of all: what is large goes back as soon as it is freed. */
void tfd_memory_init (void);

/* Gives back what is free at present, after something that needed much of it. Takes some
 * milliseconds: not for every call. */
void tfd_memory_give_back (void);

G_END_DECLS
