/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Batch: pieces of work for a thread, each of which is over sooner than a thread wakes up: many are
 * handed over together, and one batch at a time. */
#pragma once

#include "worker/pool.h"

G_BEGIN_DECLS

typedef struct _TfdBatch TfdBatch;

/* Work is done by a thread of @pool, which must outlive the batch. */
TfdBatch *tfd_batch_new (TfdPool *pool);

/* Nothing may be under way any more. */
void tfd_batch_free (TfdBatch *batch);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TfdBatch, tfd_batch_free)

/* As tfd_pool_push (). It is begun when there is enough of it, or soon; with @last, at once. */
void
tfd_batch_push (TfdBatch *batch, TfdPoolFunc work, TfdPoolFunc done, gpointer data, gboolean last);

G_END_DECLS
