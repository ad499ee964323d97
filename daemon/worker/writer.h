/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Writer: writes a part in a thread, which takes what waits by itself: if the main loop had to be
 * asked for each write, the disk would wait for it. */
#pragma once

#include "worker/partial.h"
#include "worker/pool.h"

G_BEGIN_DECLS

typedef struct _TfdWriter TfdWriter;

/* So much was written; less than all with @failure filled, or, after a write that has failed,
 * nothing without. */
typedef void (*TfdWriterDone) (gsize written, const TfdFailure *failure, gpointer user_data);

/* A thread of @pool is used while there is something to write. */
TfdWriter *tfd_writer_new (TfdPool *pool, TfdPart *part);

/* What was given to it is still written and told. */
void tfd_writer_unref (TfdWriter *writer);

/* Writes @count bytes, which stay until @done, after all that came before, unless some of that
 * could not be written: what follows missing bytes is of no use, and as long as the file is, it has
 * no holes. @done is called in the main context, in the same order. */
void tfd_writer_write (TfdWriter *writer,
                       guint64 offset,
                       const guint8 *data,
                       gsize count,
                       TfdWriterDone done,
                       gpointer user_data);

G_END_DECLS
