/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Upload source: the local file that is sent. It is opened with the rights of the user, and has to
 * stay what it was when it was added to the job: the same file with the same size and modification
 * time. A server that got the first half of one version and the second of another would never
 * know. */
#pragma once

#include <gio/gio.h>

#include "common/error.h"
#include "worker/file.h"

G_BEGIN_DECLS

typedef struct _TfdUploadFile TfdUploadFile;

/* Opens what @file sends. With @expected (nullable) it must be that file, unchanged. One that was
 * handed in is read through its descriptor, or its directory's; when neither is open any more, and
 * it is not found again where it was, that is DestinationUnavailable. Blocks. NULL with @failure
 * filled. */
TfdUploadFile *tfd_upload_file_open (const TfdFile *file, GBytes *expected, TfdFailure *failure);

TfdUploadFile *tfd_upload_file_ref (TfdUploadFile *file);
void tfd_upload_file_unref (TfdUploadFile *file);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TfdUploadFile, tfd_upload_file_unref)

/* Has nobody touched it since? Blocks. FALSE with @failure (LocalFileChanged) filled. */
gboolean tfd_upload_file_check (TfdUploadFile *file, TfdFailure *failure);

/* Reads exactly @count bytes at @offset. Blocks. FALSE with @failure filled: LocalFileChanged when
 * there are fewer. */
gboolean tfd_upload_file_read (
    TfdUploadFile *file, guint64 offset, void *buffer, gsize count, TfdFailure *failure);

/* Has the kernel write bytes of the file to the socket @to, as many as it takes. Blocks for as long
 * as reading takes; how many, 0 at the end of the file, or -1 with errno set. */
gssize tfd_upload_file_send (TfdUploadFile *file, guint64 offset, int to, gsize count);

/* The digest of @length bytes from @first in base64; ends early when *@abort is set (atomically).
 * Blocks. NULL with @failure filled. */
char *tfd_upload_file_digest (TfdUploadFile *file,
                              GChecksumType type,
                              guint64 first,
                              guint64 length,
                              gint *abort,
                              TfdFailure *failure);

guint64 tfd_upload_file_get_size (TfdUploadFile *file);

/* Opaque bytes by which it is recognised. */
GBytes *tfd_upload_file_get_identity (TfdUploadFile *file);

/* Who and what the file is that @fd is of; NULL with errno set, which is 0 for what is no regular
 * file. */
GBytes *tfd_upload_identity_of_fd (int fd, guint64 *size);

/* TRUE when @a and @b are of the same file, whatever its content was. */
gboolean tfd_upload_identity_is_of_file (GBytes *a, GBytes *b);

/* Opens regular file @name in a directory, not through a symbolic link. -1 with errno set, which is
 * 0 for what is no regular file. */
int tfd_upload_open_at (int directory, const char *name);

/* What ProbeSources says of @path: (aytss), floating. Blocks. */
GVariant *tfd_upload_file_probe (const char *path);

/* The digest that @checksum has come to, in base64. */
char *tfd_checksum_to_base64 (GChecksum *checksum, GChecksumType type);

G_END_DECLS
