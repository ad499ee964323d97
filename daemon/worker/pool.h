/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Pool: a few threads for calls that may block for long (syncing, hashing, renaming, unlinking), so
 * that the main loop goes on answering. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct _TfdPool TfdPool;

typedef void (*TfdPoolFunc) (gpointer data);

TfdPool *tfd_pool_new (guint threads);

/* Waits for the work that was pushed; what it has not told yet is told on the way. */
void tfd_pool_free (TfdPool *pool);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TfdPool, tfd_pool_free)

/* Runs @work in a thread, then @done in the main context that the pool was made in. */
void tfd_pool_push (TfdPool *pool, TfdPoolFunc work, TfdPoolFunc done, gpointer data);

/* For work that goes on: calls @func in that context, before the work is told as done. */
void tfd_pool_tell (TfdPool *pool, TfdPoolFunc func, gpointer data);

/* How many pieces of work have not been told as done. */
guint tfd_pool_get_pending (TfdPool *pool);

G_END_DECLS
