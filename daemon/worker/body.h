/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Body: reads what a server sends into large buffers without blocking, and hands it on when a
 * buffer is full. Reading small pieces, not the network, is what costs time. */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

typedef struct _TfdBody TfdBody;

/* Takes @count bytes; FALSE when it wants no more (then nothing is called any more). */
typedef gboolean (*TfdBodyWrite) (const void *data, gsize count, gpointer user_data);

/* The body is over: @error is NULL at a clean end. The last call; the body may be freed in it. */
typedef void (*TfdBodyEnd) (const GError *error, gpointer user_data);

/* Reads the body of an answer of libsoup. @chunked: the answer is sent in chunks. */
TfdBody *tfd_body_new (
    GInputStream *stream, gboolean chunked, TfdBodyWrite write, TfdBodyEnd end, gpointer user_data);

/* Reads the local file @fd, which is closed in the end. */
TfdBody *tfd_body_new_for_fd (int fd, TfdBodyWrite write, TfdBodyEnd end, gpointer user_data);

/* Reads @body, of which nothing has been read, into a buffer that is larger, and that lies in
 * memory as the bytes from @offset on will lie in a file that is written in aligned blocks. */
void tfd_body_align (TfdBody *body, guint64 offset);

/* Drops the connection, unless the body was read to its end. */
void tfd_body_free (TfdBody *body);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TfdBody, tfd_body_free)

/* Hands on what is in the buffer. FALSE when the writer wanted no more. */
gboolean tfd_body_flush (TfdBody *body);

/* Monotonic time of the last byte. */
gint64 tfd_body_get_last_read (TfdBody *body);

/* Closes @stream without waiting for what the server may still send. */
void tfd_body_drop_stream (GInputStream *stream);

G_END_DECLS
