/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Failure: filling in what went wrong with a file, and its form on the wire. */
#pragma once

#include <gio/gio.h>

#include "common/error.h"

G_BEGIN_DECLS

/* Replaces what @failure says; whether it is transient follows from @code. */
void tfd_failure_set (TfdFailure *failure,
                      TfdErrorCode code,
                      TfdErrorContext context,
                      const char *format,
                      ...) G_GNUC_PRINTF (4, 5);

/* A system call failed with @error_number while @doing; @path is added to the message. */
void
tfd_failure_set_errno (TfdFailure *failure, int error_number, const char *doing, const char *path);

/* The dictionary that signal Failed carries, floating. */
GVariant *tfd_failure_to_variant (const TfdFailure *failure);

/* Sets @error from @failure, in the domain TFD_ERROR. */
void tfd_failure_to_error (const TfdFailure *failure, GError **error);

/* Bytes as a "ay" of the wire, floating; @bytes may be NULL (empty). */
GVariant *tfd_bytes_to_variant (GBytes *bytes);

/* A file name as "ay" without its NUL, floating. */
GVariant *tfd_path_to_variant (const char *path);

/* The text of an "ay"; NULL when it is empty or holds a NUL. */
char *tfd_path_from_variant (GVariant *value);

G_END_DECLS
