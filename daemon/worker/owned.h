/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Owned: the files of a job that have their final names already, by identity: none of them is
 * replaced by another file of the same job, whatever way its path is spelled. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct _TfdOwned TfdOwned;

TfdOwned *tfd_owned_new (void);
TfdOwned *tfd_owned_ref (TfdOwned *owned);
void tfd_owned_unref (TfdOwned *owned);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TfdOwned, tfd_owned_unref)

/* Threads may call these. */
void tfd_owned_add (TfdOwned *owned, GBytes *identity);
gboolean tfd_owned_contains (TfdOwned *owned, GBytes *identity);

G_END_DECLS
