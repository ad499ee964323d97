/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Rows: a long array that is put together as the bytes that it is sent as. As a tree of values, ten
 * thousand jobs take 50 MiB in small pieces, of which the allocator gives little back. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct
{
  const char *type;  /* of the array */
  GByteArray *bytes; /* (owned) */
  GArray *ends;      /* (owned) of gsize: where each row ends */
} TfdRows;

/* @type is that of the array, and there is a dictionary a{sv} in each row. */
void tfd_rows_init (TfdRows *rows, const char *type);

/* Appends @row, which is consumed when floating. Returns the size of all so far. */
gsize tfd_rows_add (TfdRows *rows, GVariant *row);

/* (transfer floating): the array; @rows is cleared. */
GVariant *tfd_rows_end (TfdRows *rows);

void tfd_rows_clear (TfdRows *rows);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (TfdRows, tfd_rows_clear)

G_END_DECLS
