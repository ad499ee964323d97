/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Files of a job: rows of a listing, and entries to add. */
#pragma once

#include <transfer/transfer-enums.h>

G_BEGIN_DECLS

/**
 * TRANSFER_SIZE_UNKNOWN:
 *
 * A size that is not known (yet).
 */
#define TRANSFER_SIZE_UNKNOWN G_MAXUINT64

/**
 * TransferFile:
 * @index: its number in the job, 0 first
 * @remote_url: where it comes from, or goes to
 * @local_path: (type filename): where it goes to, or comes from; bytes, perhaps not UTF-8
 * @bytes_transferred: how much has arrived
 * @bytes_total: its size, or %TRANSFER_SIZE_UNKNOWN
 * @state: its state
 * @details: an `a{sv}` with more
 *
 * A file of a job, as it was when the job was asked.
 */
typedef struct
{
  guint index;
  char *remote_url;
  char *local_path;
  guint64 bytes_transferred;
  guint64 bytes_total;
  TransferFileState state;
  GVariant *details;
} TransferFile;

#define TRANSFER_TYPE_FILE (transfer_file_get_type ())
TRANSFER_API GType transfer_file_get_type (void);

/**
 * transfer_file_copy:
 * @file: a file
 *
 * Returns: (transfer full): a copy of it
 */
TRANSFER_API TransferFile *transfer_file_copy (const TransferFile *file);

/**
 * transfer_file_free:
 * @file: (transfer full): a file
 *
 * Frees it.
 */
TRANSFER_API void transfer_file_free (TransferFile *file);

/**
 * transfer_file_entry:
 * @remote_url: where the file comes from
 * @local_path: (type filename): where it goes to, absolute
 * @options: (nullable): an `a{sv}` of file options; consumed when floating
 *
 * Makes an entry for the `files` of [method@Client.create_job_async] and for
 * [method@Job.add_files_async]: a `(ssa{sv})`.
 *
 * Returns: (transfer floating): the entry
 */
TRANSFER_API GVariant *
transfer_file_entry (const char *remote_url, const char *local_path, GVariant *options);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (TransferFile, transfer_file_free)

G_END_DECLS
