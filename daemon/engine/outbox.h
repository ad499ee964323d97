/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Outbox: what may be told or done only after the commit of the change it speaks of. Holds replies,
 * signals and effects in order until the open transaction is committed, once for all calls that
 * arrived together. */
#pragma once

#include "store/store.h"

G_BEGIN_DECLS

typedef struct _TfdOutbox TfdOutbox;

/* @error is NULL when the commit succeeded; otherwise nothing of the transaction happened. */
typedef void (*TfdOutboxFunc) (const GError *error, gpointer data);

/* Called after each commit, before the held functions. With @error it failed and was rolled back:
 * read again what the transaction had touched. */
typedef void (*TfdSettledFunc) (const GError *error, gpointer data);

TfdOutbox *tfd_outbox_new (TfdStore *store, TfdSettledFunc settled, gpointer data);
void tfd_outbox_free (TfdOutbox *outbox);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TfdOutbox, tfd_outbox_free)

/* Has @func called after the commit of everything done so far, in the order of the calls of this
 * function; never before it returns. */
void tfd_outbox_add (TfdOutbox *outbox, TfdOutboxFunc func, gpointer data, GDestroyNotify destroy);

/* A transaction is open: it is committed at the end of this turn of the main loop. */
void tfd_outbox_wake (TfdOutbox *outbox);

/* Counts one call that was handled to its end: after 64 the commit does not wait for the end of the
 * turn. */
void tfd_outbox_count_call (TfdOutbox *outbox);

/* The open transaction cannot be completed: it will be rolled back instead of committed. */
void tfd_outbox_doom (TfdOutbox *outbox, const GError *error);

/* Commits now, and calls what was held. */
void tfd_outbox_flush (TfdOutbox *outbox);

/* Nothing waits for a commit. */
gboolean tfd_outbox_is_empty (TfdOutbox *outbox);

G_END_DECLS
