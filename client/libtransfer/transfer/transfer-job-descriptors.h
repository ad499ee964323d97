/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Files of a TransferJob in directories that the program has opened, or that it has opened
 * themselves: the only ones that a program in a sandbox can add. */
#pragma once

#include <transfer/transfer-job.h>

G_BEGIN_DECLS

/**
 * transfer_job_add_file_fd_async:
 * @job: a job
 * @remote_url: where the file comes from, or goes to
 * @directory: a descriptor of its directory, open for reading; of an upload also one of the file
 *   itself, with an empty @name
 * @name: (type filename): its name in there: one component
 * @options: (nullable): an `a{sv}` of file options; consumed when floating
 * @cancellable: (nullable): a cancellable
 * @callback: (scope async): called when done
 * @user_data: for @callback
 *
 * Adds a file in a directory that the program has opened. The service keeps a descriptor of its own
 * until the job ends: @directory may be closed when this returns. Without `mode` or `umask` the
 * file gets the umask of the calling process.
 */
TRANSFER_API void transfer_job_add_file_fd_async (TransferJob *job,
                                                  const char *remote_url,
                                                  int directory,
                                                  const char *name,
                                                  GVariant *options,
                                                  GCancellable *cancellable,
                                                  GAsyncReadyCallback callback,
                                                  gpointer user_data);

/**
 * transfer_job_add_file_fd_finish:
 * @job: a job
 * @result: the result
 * @index: (out) (optional): the number of the file in the job
 * @error: a place for an error
 *
 * Returns: %TRUE, or %FALSE with @error
 */
TRANSFER_API gboolean transfer_job_add_file_fd_finish (TransferJob *job,
                                                       GAsyncResult *result,
                                                       guint *index,
                                                       GError **error);

/**
 * transfer_job_add_files_at_async:
 * @job: a job
 * @directory: a descriptor of the directory of all of them, open for reading
 * @files: an `a(ssa{sv})`, see [func@File.entry], with names in place of paths; consumed when
 *   floating
 * @cancellable: (nullable): a cancellable
 * @callback: (scope async): called when done
 * @user_data: for @callback
 *
 * Adds files in a directory that the program has opened, however many: more than 20,000 go in
 * several calls, each of them all or nothing; the first that fails ends it. @directory may be
 * closed when this returns.
 */
TRANSFER_API void transfer_job_add_files_at_async (TransferJob *job,
                                                   int directory,
                                                   GVariant *files,
                                                   GCancellable *cancellable,
                                                   GAsyncReadyCallback callback,
                                                   gpointer user_data);

/**
 * transfer_job_add_files_at_finish:
 * @job: a job
 * @result: the result
 * @first: (out) (optional): the number of the first file in the job
 * @error: a place for an error
 *
 * Returns: %TRUE, or %FALSE with @error
 */
TRANSFER_API gboolean transfer_job_add_files_at_finish (TransferJob *job,
                                                        GAsyncResult *result,
                                                        guint *first,
                                                        GError **error);

/**
 * transfer_job_attach_directory_async:
 * @job: a job
 * @file: the number of a file that was added through a descriptor
 * @directory: a descriptor of its directory, or of the file if that was handed in itself, open for
 *   reading
 * @cancellable: (nullable): a cancellable
 * @callback: (scope async): called when done
 * @user_data: for @callback
 *
 * Hands in again what the service could not find by itself after a restart: the job has
 * %TRANSFER_ERROR_DESTINATION_UNAVAILABLE, and goes on. @directory may be closed when this returns.
 */
TRANSFER_API void transfer_job_attach_directory_async (TransferJob *job,
                                                       guint file,
                                                       int directory,
                                                       GCancellable *cancellable,
                                                       GAsyncReadyCallback callback,
                                                       gpointer user_data);

/**
 * transfer_job_attach_directory_finish:
 * @job: a job
 * @result: the result
 * @changed: (out) (optional): how many files of the job are in the directory
 * @error: a place for an error
 *
 * Returns: %TRUE, or %FALSE with @error
 */
TRANSFER_API gboolean transfer_job_attach_directory_finish (TransferJob *job,
                                                            GAsyncResult *result,
                                                            guint *changed,
                                                            GError **error);

G_END_DECLS
