/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Buffer: memory for bytes on their way, kept for the next file where that saves anything. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define TFD_BUFFER_SIZE ((gsize) 256 * 1024)

/* The large kind consists of pages of the largest size: looking up small ones, to write from them
 * past the page cache, would cost as much as all the rest of writing. With half of this each GiB
 * takes a tenth more processor time, with twice as much no less. There are two for each of the
 * files that are asked of one server at once: 48 MiB. */
#define TFD_BUFFER_LARGE ((gsize) 4 * 1024 * 1024)
#define TFD_LARGE_BUFFERS 12

/* One of TFD_BUFFER_SIZE. */
guint8 *tfd_buffer_take (void);
void tfd_buffer_give (guint8 *buffer);

/* One of TFD_BUFFER_LARGE; NULL when there are many already, or no memory. */
guint8 *tfd_buffer_take_large (void);
void tfd_buffer_give_large (guint8 *buffer);

/* The content of a file that is written later: no more than TFD_BUFFER_KEEP bytes. NULL when so
 * much is kept already that it is better written now. */
#define TFD_BUFFER_KEEP ((gsize) 64 * 1024)
guint8 *tfd_buffer_keep (const void *data, gsize count);
void tfd_buffer_drop (guint8 *kept, gsize count);

G_END_DECLS
