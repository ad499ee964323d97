/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* TransferClient: the connection to the service, and its jobs. */
#pragma once

#include <gio/gio.h>
#include <transfer/transfer-enums.h>

G_BEGIN_DECLS

typedef struct _TransferJob TransferJob;

/**
 * TransferClient:
 *
 * The connection to the transfer service.
 *
 * It may be used from one thread, the one in whose main context it was made. Calls are sent in the
 * order in which they are made, at most 64 at a time; more wait inside the client. A restart of the
 * service is not an error: jobs that are watched are read again when it is back.
 */
#define TRANSFER_TYPE_CLIENT (transfer_client_get_type ())
TRANSFER_API
G_DECLARE_FINAL_TYPE (TransferClient, transfer_client, TRANSFER, CLIENT, GObject)

/**
 * transfer_client_new_async:
 * @bus: (nullable): `system`, `session` or the address of a bus; %NULL takes the environment
 * variable `TRANSFERD_BUS`, and without it the system bus
 * @cancellable: (nullable): a cancellable
 * @callback: (scope async): called when ready
 * @user_data: for @callback
 *
 * Connects to a bus. The service need not run yet: the bus starts it with the first call.
 */
TRANSFER_API void transfer_client_new_async (const char *bus,
                                             GCancellable *cancellable,
                                             GAsyncReadyCallback callback,
                                             gpointer user_data);

/**
 * transfer_client_new_finish:
 * @result: the result
 * @error: a place for an error
 *
 * Returns: (transfer full): the client, or %NULL
 */
TRANSFER_API TransferClient *transfer_client_new_finish (GAsyncResult *result, GError **error);

/**
 * transfer_client_get_connection:
 * @client: a client
 *
 * Returns: (transfer none): its connection to the bus
 */
TRANSFER_API GDBusConnection *transfer_client_get_connection (TransferClient *client);

/**
 * transfer_client_is_service_running:
 * @client: a client
 *
 * Returns: %TRUE when the service is on the bus at the moment. The signals
 *   TransferClient::service-appeared and TransferClient::service-vanished tell of changes.
 */
TRANSFER_API gboolean transfer_client_is_service_running (TransferClient *client);

/**
 * transfer_client_set_interactive:
 * @client: a client
 * @interactive: whether calls may wait for somebody to authenticate; %FALSE at first
 *
 * Says whether calls may make polkit ask for a password.
 */
TRANSFER_API void transfer_client_set_interactive (TransferClient *client, gboolean interactive);

/**
 * transfer_client_create_job_async:
 * @client: a client
 * @display_name: the name of the job for people
 * @type: what it does
 * @options: (nullable): an `a{sv}` of writable job properties, `files` `a(ssa{sv})` and `start`
 * `b`; consumed when floating
 * @cancellable: (nullable): a cancellable
 * @callback: (scope async): called when done
 * @user_data: for @callback
 *
 * Makes a job. With up to 20,000 files it is created, filled and started in one step, all or
 * nothing; more files are added in several, and the job is cancelled when one of them fails. Each
 * file without a `mode` or `umask` of its own gets the umask of the calling process.
 */
TRANSFER_API void transfer_client_create_job_async (TransferClient *client,
                                                    const char *display_name,
                                                    TransferJobType type,
                                                    GVariant *options,
                                                    GCancellable *cancellable,
                                                    GAsyncReadyCallback callback,
                                                    gpointer user_data);

/**
 * transfer_client_create_job_finish:
 * @client: a client
 * @result: the result
 * @error: a place for an error
 *
 * Returns: (transfer full): the job, watched, or %NULL
 */
TRANSFER_API TransferJob *
transfer_client_create_job_finish (TransferClient *client, GAsyncResult *result, GError **error);

/**
 * transfer_client_get_job_async:
 * @client: a client
 * @id: the UUID of a job, with or without dashes
 * @cancellable: (nullable): a cancellable
 * @callback: (scope async): called when done
 * @user_data: for @callback
 *
 * Finds a job.
 */
TRANSFER_API void transfer_client_get_job_async (TransferClient *client,
                                                 const char *id,
                                                 GCancellable *cancellable,
                                                 GAsyncReadyCallback callback,
                                                 gpointer user_data);

/**
 * transfer_client_get_job_finish:
 * @client: a client
 * @result: the result
 * @error: a place for an error
 *
 * Returns: (transfer full): the job, watched, or %NULL
 */
TRANSFER_API TransferJob *
transfer_client_get_job_finish (TransferClient *client, GAsyncResult *result, GError **error);

/**
 * transfer_client_list_jobs_async:
 * @client: a client
 * @filter: (nullable): an `a{sv}` with the keys of ListJobs; consumed when floating
 * @cancellable: (nullable): a cancellable
 * @callback: (scope async): called when done
 * @user_data: for @callback
 *
 * Lists jobs, however many there are.
 */
TRANSFER_API void transfer_client_list_jobs_async (TransferClient *client,
                                                   GVariant *filter,
                                                   GCancellable *cancellable,
                                                   GAsyncReadyCallback callback,
                                                   gpointer user_data);

/**
 * transfer_client_list_jobs_finish:
 * @client: a client
 * @result: the result
 * @error: a place for an error
 *
 * The jobs know the properties that were listed, and do not follow changes before
 * [method@Job.watch_async].
 *
 * Returns: (transfer container) (element-type TransferJob): the jobs, or %NULL
 */
TRANSFER_API GPtrArray *
transfer_client_list_jobs_finish (TransferClient *client, GAsyncResult *result, GError **error);

/**
 * transfer_client_get_job_history_async:
 * @client: a client
 * @filter: (nullable): an `a{sv}` with the keys of GetJobHistory; consumed when floating
 * @cancellable: (nullable): a cancellable
 * @callback: (scope async): called when done
 * @user_data: for @callback
 *
 * Asks how jobs that are over ended.
 */
TRANSFER_API void transfer_client_get_job_history_async (TransferClient *client,
                                                         GVariant *filter,
                                                         GCancellable *cancellable,
                                                         GAsyncReadyCallback callback,
                                                         gpointer user_data);

/**
 * transfer_client_get_job_history_finish:
 * @client: a client
 * @result: the result
 * @error: a place for an error
 *
 * Returns: (transfer full): an `a(sa{sv})`: id and what is known, or %NULL
 */
TRANSFER_API GVariant *transfer_client_get_job_history_finish (TransferClient *client,
                                                               GAsyncResult *result,
                                                               GError **error);

/**
 * transfer_client_subscribe_async:
 * @client: a client
 * @all_users: also the jobs of others (administrators)
 * @cancellable: (nullable): a cancellable
 * @callback: (scope async): called when done
 * @user_data: for @callback
 *
 * Asks for news of every job that the caller may see: the signals of the client. It holds across
 * restarts of the service.
 */
TRANSFER_API void transfer_client_subscribe_async (TransferClient *client,
                                                   gboolean all_users,
                                                   GCancellable *cancellable,
                                                   GAsyncReadyCallback callback,
                                                   gpointer user_data);

/**
 * transfer_client_subscribe_finish:
 * @client: a client
 * @result: the result
 * @error: a place for an error
 *
 * Returns: %TRUE, or %FALSE with @error
 */
TRANSFER_API gboolean transfer_client_subscribe_finish (TransferClient *client,
                                                        GAsyncResult *result,
                                                        GError **error);

/**
 * transfer_client_call_async:
 * @client: a client
 * @method: a method of the interface org.transferd.Transfer1.Manager
 * @parameters: (nullable): its arguments, a tuple; consumed when floating
 * @cancellable: (nullable): a cancellable
 * @callback: (scope async): called when done
 * @user_data: for @callback
 *
 * Calls a method for which there is no function of its own.
 */
TRANSFER_API void transfer_client_call_async (TransferClient *client,
                                              const char *method,
                                              GVariant *parameters,
                                              GCancellable *cancellable,
                                              GAsyncReadyCallback callback,
                                              gpointer user_data);

/**
 * transfer_client_call_finish:
 * @client: a client
 * @result: the result
 * @error: a place for an error
 *
 * Returns: (transfer full): the answer, a tuple, or %NULL
 */
TRANSFER_API GVariant *
transfer_client_call_finish (TransferClient *client, GAsyncResult *result, GError **error);

/**
 * transfer_job_id_parse:
 * @id: text
 *
 * Returns: (transfer full) (nullable): the job id that @id is, without dashes and in lower case, or
 *   %NULL when it is none
 */
TRANSFER_API char *transfer_job_id_parse (const char *id);

/**
 * transfer_job_property_get_signature:
 * @name: the name of a job property, such as `Priority`
 *
 * Returns: (nullable): its D-Bus type when it can be written, else %NULL
 */
TRANSFER_API const char *transfer_job_property_get_signature (const char *name);

/**
 * transfer_job_list_properties:
 *
 * Returns: (transfer container) (array zero-terminated=1): the names of the writable properties
 */
TRANSFER_API const char **transfer_job_list_properties (void);

G_END_DECLS
