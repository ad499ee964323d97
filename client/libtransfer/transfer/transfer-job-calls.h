/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* What can be done with a TransferJob: one pair of functions for each method of its interface. */
#pragma once

#include <transfer/transfer-job.h>

G_BEGIN_DECLS

/**
 * transfer_job_watch_async:
 * @job: a job
 * @cancellable: (nullable): a cancellable
 * @callback: (scope async): called when done
 * @user_data: for @callback
 *
 * Makes the job follow the service. Jobs from create_job and get_job do so already.
 */
TRANSFER_API void transfer_job_watch_async (TransferJob *job,
                                            GCancellable *cancellable,
                                            GAsyncReadyCallback callback,
                                            gpointer user_data);

/**
 * transfer_job_watch_finish:
 * @job: a job
 * @result: the result
 * @error: a place for an error
 *
 * Returns: %TRUE, or %FALSE with @error
 */
TRANSFER_API gboolean transfer_job_watch_finish (TransferJob *job,
                                                 GAsyncResult *result,
                                                 GError **error);

/**
 * transfer_job_refresh_async:
 * @job: a job
 * @cancellable: (nullable): a cancellable
 * @callback: (scope async): called when done
 * @user_data: for @callback
 *
 * Reads all properties anew.
 */
TRANSFER_API void transfer_job_refresh_async (TransferJob *job,
                                              GCancellable *cancellable,
                                              GAsyncReadyCallback callback,
                                              gpointer user_data);

/**
 * transfer_job_refresh_finish:
 * @job: a job
 * @result: the result
 * @error: a place for an error
 *
 * Returns: %TRUE, or %FALSE with @error
 */
TRANSFER_API gboolean transfer_job_refresh_finish (TransferJob *job,
                                                   GAsyncResult *result,
                                                   GError **error);

/**
 * transfer_job_add_file_async:
 * @job: a job
 * @remote_url: where the file comes from
 * @local_path: (type filename): where it goes to, absolute
 * @options: (nullable): an `a{sv}` of file options; consumed when floating
 * @cancellable: (nullable): a cancellable
 * @callback: (scope async): called when done
 * @user_data: for @callback
 *
 * Adds a file. Without `mode` or `umask` it gets the umask of the calling process.
 */
TRANSFER_API void transfer_job_add_file_async (TransferJob *job,
                                               const char *remote_url,
                                               const char *local_path,
                                               GVariant *options,
                                               GCancellable *cancellable,
                                               GAsyncReadyCallback callback,
                                               gpointer user_data);

/**
 * transfer_job_add_file_finish:
 * @job: a job
 * @result: the result
 * @index: (out) (optional): the number of the file in the job
 * @error: a place for an error
 *
 * Returns: %TRUE, or %FALSE with @error
 */
TRANSFER_API gboolean transfer_job_add_file_finish (TransferJob *job,
                                                    GAsyncResult *result,
                                                    guint *index,
                                                    GError **error);

/**
 * transfer_job_add_files_async:
 * @job: a job
 * @files: an `a(ssa{sv})`, see [func@File.entry]; consumed when floating
 * @cancellable: (nullable): a cancellable
 * @callback: (scope async): called when done
 * @user_data: for @callback
 *
 * Adds files, however many: more than 20,000 go in several calls, each of them all or nothing; the
 * first that fails ends it.
 */
TRANSFER_API void transfer_job_add_files_async (TransferJob *job,
                                                GVariant *files,
                                                GCancellable *cancellable,
                                                GAsyncReadyCallback callback,
                                                gpointer user_data);

/**
 * transfer_job_add_files_finish:
 * @job: a job
 * @result: the result
 * @first: (out) (optional): the number of the first file in the job
 * @error: a place for an error
 *
 * Returns: %TRUE, or %FALSE with @error
 */
TRANSFER_API gboolean transfer_job_add_files_finish (TransferJob *job,
                                                     GAsyncResult *result,
                                                     guint *first,
                                                     GError **error);

/**
 * transfer_job_suspend_async:
 * @job: a job
 * @cancellable: (nullable): a cancellable
 * @callback: (scope async): called when done
 * @user_data: for @callback
 *
 * Stops the job until it is resumed.
 */
TRANSFER_API void transfer_job_suspend_async (TransferJob *job,
                                              GCancellable *cancellable,
                                              GAsyncReadyCallback callback,
                                              gpointer user_data);

/**
 * transfer_job_suspend_finish:
 * @job: a job
 * @result: the result
 * @error: a place for an error
 *
 * Returns: %TRUE, or %FALSE with @error
 */
TRANSFER_API gboolean transfer_job_suspend_finish (TransferJob *job,
                                                   GAsyncResult *result,
                                                   GError **error);

/**
 * transfer_job_resume_async:
 * @job: a job
 * @cancellable: (nullable): a cancellable
 * @callback: (scope async): called when done
 * @user_data: for @callback
 *
 * Starts the job, or starts it again.
 */
TRANSFER_API void transfer_job_resume_async (TransferJob *job,
                                             GCancellable *cancellable,
                                             GAsyncReadyCallback callback,
                                             gpointer user_data);

/**
 * transfer_job_resume_finish:
 * @job: a job
 * @result: the result
 * @error: a place for an error
 *
 * Returns: %TRUE, or %FALSE with @error
 */
TRANSFER_API gboolean transfer_job_resume_finish (TransferJob *job,
                                                  GAsyncResult *result,
                                                  GError **error);

/**
 * transfer_job_complete_async:
 * @job: a job
 * @options: (nullable): an `a{sv}`: `require-all` `b`, `overwrite` `s`; consumed when floating
 * @cancellable: (nullable): a cancellable
 * @callback: (scope async): called when done
 * @user_data: for @callback
 *
 * Puts the files that have arrived in place and ends the job. There is no time-out. When the
 * service dies meanwhile it goes on by itself once it is back, and so does this call.
 */
TRANSFER_API void transfer_job_complete_async (TransferJob *job,
                                               GVariant *options,
                                               GCancellable *cancellable,
                                               GAsyncReadyCallback callback,
                                               gpointer user_data);

/**
 * transfer_job_complete_finish:
 * @job: a job
 * @result: the result
 * @job_result: (out) (optional): how the job ended
 * @details: (out) (optional) (transfer full): an `a{sv}`: `kept` and others
 * @error: a place for an error
 *
 * Returns: %TRUE, or %FALSE with @error
 */
TRANSFER_API gboolean transfer_job_complete_finish (TransferJob *job,
                                                    GAsyncResult *result,
                                                    TransferResult *job_result,
                                                    GVariant **details,
                                                    GError **error);

/**
 * transfer_job_cancel_async:
 * @job: a job
 * @options: (nullable): an `a{sv}`; consumed when floating
 * @cancellable: (nullable): a cancellable
 * @callback: (scope async): called when done
 * @user_data: for @callback
 *
 * Ends the job and removes what has arrived. There is no time-out, see
 * [method@Job.complete_async].
 */
TRANSFER_API void transfer_job_cancel_async (TransferJob *job,
                                             GVariant *options,
                                             GCancellable *cancellable,
                                             GAsyncReadyCallback callback,
                                             gpointer user_data);

/**
 * transfer_job_cancel_finish:
 * @job: a job
 * @result: the result
 * @job_result: (out) (optional): how the job ended
 * @details: (out) (optional) (transfer full): an `a{sv}`: `undeleted`
 * @error: a place for an error
 *
 * Returns: %TRUE, or %FALSE with @error
 */
TRANSFER_API gboolean transfer_job_cancel_finish (TransferJob *job,
                                                  GAsyncResult *result,
                                                  TransferResult *job_result,
                                                  GVariant **details,
                                                  GError **error);

/**
 * transfer_job_take_ownership_async:
 * @job: a job of somebody else
 * @cancellable: (nullable): a cancellable
 * @callback: (scope async): called when done
 * @user_data: for @callback
 *
 * Makes the job one of the caller, who has to be an administrator. It is suspended then, and its
 * credentials, header fields and client certificate are gone. What has arrived is copied: this may
 * take long. When the caller may not use the files of the job it fails with
 * %TRANSFER_ERROR_FILE_ACCESS_DENIED, and nothing has changed.
 *
 * See [method@Client.set_interactive].
 */
TRANSFER_API void transfer_job_take_ownership_async (TransferJob *job,
                                                     GCancellable *cancellable,
                                                     GAsyncReadyCallback callback,
                                                     gpointer user_data);

/**
 * transfer_job_take_ownership_finish:
 * @job: a job
 * @result: the result
 * @error: a place for an error
 *
 * Returns: %TRUE, or %FALSE with @error
 */
TRANSFER_API gboolean transfer_job_take_ownership_finish (TransferJob *job,
                                                          GAsyncResult *result,
                                                          GError **error);

/**
 * transfer_job_set_properties_async:
 * @job: a job
 * @properties: an `a{sv}` of writable properties; consumed when floating
 * @cancellable: (nullable): a cancellable
 * @callback: (scope async): called when done
 * @user_data: for @callback
 *
 * Changes properties, all or none.
 */
TRANSFER_API void transfer_job_set_properties_async (TransferJob *job,
                                                     GVariant *properties,
                                                     GCancellable *cancellable,
                                                     GAsyncReadyCallback callback,
                                                     gpointer user_data);

/**
 * transfer_job_set_properties_finish:
 * @job: a job
 * @result: the result
 * @error: a place for an error
 *
 * Returns: %TRUE, or %FALSE with @error
 */
TRANSFER_API gboolean transfer_job_set_properties_finish (TransferJob *job,
                                                          GAsyncResult *result,
                                                          GError **error);

/**
 * transfer_job_list_files_async:
 * @job: a job
 * @cancellable: (nullable): a cancellable
 * @callback: (scope async): called when done
 * @user_data: for @callback
 *
 * Lists the files, however many there are.
 */
TRANSFER_API void transfer_job_list_files_async (TransferJob *job,
                                                 GCancellable *cancellable,
                                                 GAsyncReadyCallback callback,
                                                 gpointer user_data);

/**
 * transfer_job_list_files_finish:
 * @job: a job
 * @result: the result
 * @error: a place for an error
 *
 * Returns: (transfer full) (element-type TransferFile): the files, or %NULL
 */
TRANSFER_API GPtrArray *
transfer_job_list_files_finish (TransferJob *job, GAsyncResult *result, GError **error);

/**
 * transfer_job_get_events_async:
 * @job: a job
 * @limit: how many of the last ones, 0 = as many as fit
 * @cancellable: (nullable): a cancellable
 * @callback: (scope async): called when done
 * @user_data: for @callback
 *
 * Reads the log of the job.
 */
TRANSFER_API void transfer_job_get_events_async (TransferJob *job,
                                                 guint limit,
                                                 GCancellable *cancellable,
                                                 GAsyncReadyCallback callback,
                                                 gpointer user_data);

/**
 * transfer_job_get_events_finish:
 * @job: a job
 * @result: the result
 * @error: a place for an error
 *
 * Returns: (transfer full): an `a(tsa{sv})`: time, kind, details; or %NULL
 */
TRANSFER_API GVariant *
transfer_job_get_events_finish (TransferJob *job, GAsyncResult *result, GError **error);

/**
 * transfer_job_explain_async:
 * @job: a job
 * @cancellable: (nullable): a cancellable
 * @callback: (scope async): called when done
 * @user_data: for @callback
 *
 * Asks for every condition that keeps the job from running now.
 */
TRANSFER_API void transfer_job_explain_async (TransferJob *job,
                                              GCancellable *cancellable,
                                              GAsyncReadyCallback callback,
                                              gpointer user_data);

/**
 * transfer_job_explain_finish:
 * @job: a job
 * @result: the result
 * @error: a place for an error
 *
 * Returns: (transfer full): an `aa{sv}`: `code`, `text`, `since`, `next-check`; or %NULL
 */
TRANSFER_API GVariant *
transfer_job_explain_finish (TransferJob *job, GAsyncResult *result, GError **error);

/**
 * transfer_job_open_temporary_async:
 * @job: a job
 * @file: the number of a file
 * @cancellable: (nullable): a cancellable
 * @callback: (scope async): called when done
 * @user_data: for @callback
 *
 * Opens what has arrived so far of a file, for reading.
 */
TRANSFER_API void transfer_job_open_temporary_async (TransferJob *job,
                                                     guint file,
                                                     GCancellable *cancellable,
                                                     GAsyncReadyCallback callback,
                                                     gpointer user_data);

/**
 * transfer_job_open_temporary_finish:
 * @job: a job
 * @result: the result
 * @error: a place for an error
 *
 * Returns: a file descriptor that belongs to the caller, or -1
 */
TRANSFER_API int
transfer_job_open_temporary_finish (TransferJob *job, GAsyncResult *result, GError **error);

/**
 * transfer_job_set_credentials_async:
 * @job: a job
 * @target: `server`
 * @scheme: `basic` or `digest`
 * @user: the name to log in with
 * @password: the password; it goes through a pipe, not in a message
 * @cancellable: (nullable): a cancellable
 * @callback: (scope async): called when done
 * @user_data: for @callback
 *
 * Says what the job answers when a server asks for a log-in. Counts from the next start of the job
 * on: call it before the job is resumed.
 */
TRANSFER_API void transfer_job_set_credentials_async (TransferJob *job,
                                                      const char *target,
                                                      const char *scheme,
                                                      const char *user,
                                                      const char *password,
                                                      GCancellable *cancellable,
                                                      GAsyncReadyCallback callback,
                                                      gpointer user_data);

/**
 * transfer_job_set_credentials_finish:
 * @job: a job
 * @result: the result
 * @error: a place for an error
 *
 * Returns: %TRUE when done
 */
TRANSFER_API gboolean transfer_job_set_credentials_finish (TransferJob *job,
                                                           GAsyncResult *result,
                                                           GError **error);

/**
 * transfer_job_remove_credentials_async:
 * @job: a job
 * @target: as in transfer_job_set_credentials_async()
 * @scheme: as in transfer_job_set_credentials_async()
 * @cancellable: (nullable): a cancellable
 * @callback: (scope async): called when done
 * @user_data: for @callback
 *
 * Forgets what the job answers when a server asks for a log-in.
 */
TRANSFER_API void transfer_job_remove_credentials_async (TransferJob *job,
                                                         const char *target,
                                                         const char *scheme,
                                                         GCancellable *cancellable,
                                                         GAsyncReadyCallback callback,
                                                         gpointer user_data);

/**
 * transfer_job_remove_credentials_finish:
 * @job: a job
 * @result: the result
 * @removed: (out) (optional): whether there were any
 * @error: a place for an error
 *
 * Returns: %TRUE when done
 */
TRANSFER_API gboolean transfer_job_remove_credentials_finish (TransferJob *job,
                                                              GAsyncResult *result,
                                                              gboolean *removed,
                                                              GError **error);

/**
 * transfer_job_get_reply_data_async:
 * @job: a job of type upload-reply in state transferred
 * @cancellable: (nullable): a cancellable
 * @callback: (scope async): called when done
 * @user_data: for @callback
 *
 * Asks for the reply of the server, when it has at most 1 MiB.
 */
TRANSFER_API void transfer_job_get_reply_data_async (TransferJob *job,
                                                     GCancellable *cancellable,
                                                     GAsyncReadyCallback callback,
                                                     gpointer user_data);

/**
 * transfer_job_get_reply_data_finish:
 * @job: a job
 * @result: the result
 * @error: a place for an error
 *
 * Returns: (transfer full): the reply, or %NULL
 */
TRANSFER_API GBytes *
transfer_job_get_reply_data_finish (TransferJob *job, GAsyncResult *result, GError **error);

/**
 * transfer_job_open_reply_async:
 * @job: a job of type upload-reply
 * @cancellable: (nullable): a cancellable
 * @callback: (scope async): called when done
 * @user_data: for @callback
 *
 * Opens the reply of the server for reading, whatever its size.
 */
TRANSFER_API void transfer_job_open_reply_async (TransferJob *job,
                                                 GCancellable *cancellable,
                                                 GAsyncReadyCallback callback,
                                                 gpointer user_data);

/**
 * transfer_job_open_reply_finish:
 * @job: a job
 * @result: the result
 * @error: a place for an error
 *
 * Returns: a file descriptor that belongs to the caller, or -1
 */
TRANSFER_API int
transfer_job_open_reply_finish (TransferJob *job, GAsyncResult *result, GError **error);

/**
 * transfer_job_call_async:
 * @job: a job
 * @method: a method of the interface org.transferd.Transfer1.Job
 * @parameters: (nullable): its arguments, a tuple; consumed when floating
 * @cancellable: (nullable): a cancellable
 * @callback: (scope async): called when done
 * @user_data: for @callback
 *
 * Calls a method for which there is no function of its own.
 */
TRANSFER_API void transfer_job_call_async (TransferJob *job,
                                           const char *method,
                                           GVariant *parameters,
                                           GCancellable *cancellable,
                                           GAsyncReadyCallback callback,
                                           gpointer user_data);

/**
 * transfer_job_call_finish:
 * @job: a job
 * @result: the result
 * @error: a place for an error
 *
 * Returns: (transfer full): the answer, a tuple, or %NULL
 */
TRANSFER_API GVariant *
transfer_job_call_finish (TransferJob *job, GAsyncResult *result, GError **error);

G_END_DECLS
