/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Packed rows: those of org.transferd.Transfer1.Worker as values that a test can write and read. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* The files of Start and AddFiles (ay) as a(ua{sv}), floating. Dies when they make no sense. */
GVariant *tfd_unpack_rows_of_files (GVariant *packed);

/* The other way round, floating, without replies. */
GVariant *tfd_pack_rows_of_files (GVariant *files);

/* The files of FilesDone, ay, of a(uta{sv}); floating. */
GVariant *tfd_pack_rows_done (GVariant *files);

/* The other way round. */
GVariant *tfd_unpack_rows_done (GVariant *packed);

G_END_DECLS
