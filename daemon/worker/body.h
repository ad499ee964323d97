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

/* Takes the large @buffer with the @count bytes from @start on, until tfd_body_give_back (); FALSE
 * as above, then the buffer is taken all the same, and is not given back. */
typedef gboolean (*TfdBodyHandOver) (guint8 *buffer, gsize start, gsize count, gpointer user_data);

/* The body is over, and nothing is handed over any more: @error is NULL at a clean end. The last
 * call; the body may be freed in it. */
typedef void (*TfdBodyEnd) (const GError *error, gpointer user_data);

/* Reads the body of an answer of libsoup. @chunked: the answer is sent in chunks. */
TfdBody *tfd_body_new (
    GInputStream *stream, gboolean chunked, TfdBodyWrite write, TfdBodyEnd end, gpointer user_data);

/* Reads @length bytes from @stream, and no more; it is not closed. The first @count are @data. */
TfdBody *tfd_body_new_of_length (GPollableInputStream *stream,
                                 guint64 length,
                                 const guint8 *data,
                                 gsize count,
                                 TfdBodyWrite write,
                                 TfdBodyEnd end,
                                 gpointer user_data);

/* Reads the local file @fd, which is closed in the end. */
TfdBody *tfd_body_new_for_fd (int fd, TfdBodyWrite write, TfdBodyEnd end, gpointer user_data);

/* Reads @body, of which nothing has been read, into two large buffers in turn: one is filled while
 * the other is handed over. In memory the bytes lie as those from @offset on will lie in a file
 * that is written in aligned blocks. FALSE: there are no such buffers left, and all is as before.
 */
gboolean tfd_body_enlarge (TfdBody *body, guint64 offset, TfdBodyHandOver hand_over);

/* A large buffer can be filled again. May be the end. */
void tfd_body_give_back (TfdBody *body, guint8 *buffer);

/* TRUE while a large buffer is not given back. */
gboolean tfd_body_has_handed_over (TfdBody *body);

/* Drops the connection, unless the body was read to its end. */
void tfd_body_free (TfdBody *body);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TfdBody, tfd_body_free)

/* Hands on, or over, what is in the buffer. FALSE when the writer wanted no more. */
gboolean tfd_body_flush (TfdBody *body);

/* Monotonic time of the last byte. */
gint64 tfd_body_get_last_read (TfdBody *body);

/* The stream of the connection, below the one that tells libsoup of the end of @stream and the one
 * that knows where that is. It starts with what was read together with the headers. */
GInputStream *tfd_body_below_decoder (GInputStream *stream);

/* Closes @stream without waiting for what the server may still send. */
void tfd_body_drop_stream (GInputStream *stream);

G_END_DECLS
