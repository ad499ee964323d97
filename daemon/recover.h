/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Recover: finds temporaries that no job knows any more, as after a database was lost. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Prints the path of each temporary at or below @directories that belongs to no job of the database
 * in
 * @state_dir, one a line, with its job and size, and changes nothing. Does not follow symbolic
 * links nor enter other file systems. Fails when the service runs, or the database cannot be read;
 * what cannot be looked into is reported on standard error and passed over. */
gboolean tfd_recover (const char *state_dir, char **directories, GError **error);

G_END_DECLS
