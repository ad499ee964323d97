/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Series: requests of a job that are made before those ahead of them are answered. One works at a
 * time, in the order in which they came, and none after one that has failed. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct _TfdSeries TfdSeries;

TfdSeries *tfd_series_new (void);
TfdSeries *tfd_series_ref (TfdSeries *self);
void tfd_series_unref (TfdSeries *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TfdSeries, tfd_series_unref)

/* @request, the @step-th of walk @walk, has come. */
void tfd_series_add (TfdSeries *self, guint32 walk, guint32 step, gpointer request);

/* The request whose turn it is, NULL while one works or when there is none. *@refused = it must not
 * be done, as one before it has failed or never came; else it works until tfd_series_done (). */
gpointer tfd_series_take (TfdSeries *self, gboolean *refused);

/* The one that worked has ended. @failed: the rest of its walk is refused. */
void tfd_series_done (TfdSeries *self, gboolean failed);

G_END_DECLS
