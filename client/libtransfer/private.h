/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Private parts of the library: the one way of calls, and what client and job know of each other.
 */
#pragma once

#include <gio/gunixfdlist.h>

#include "transfer/transfer.h"

G_BEGIN_DECLS

/* Which bus: "system", "session" or an address. */
#define TRANSFER_BUS_VARIABLE "TRANSFERD_BUS"

/* The bus and the service allow a client 128 calls at a time; we keep to half of it. */
#define TRANSFER_MAX_OUTSTANDING_CALLS 64

/* The bus lets 64 descriptors of a connection be under way. */
#define TRANSFER_MAX_OUTSTANDING_DESCRIPTORS 16

/* How often, and how long each time, a lost service is waited for. */
#define TRANSFER_MAX_LOSSES 10
#define TRANSFER_SERVICE_WAIT_SECONDS 60

/* ISO C has no conversion of functions to pointers to data; every platform of GLib has. */
#define TRANSFER_TAG(function) ((gpointer) (gsize) (function))

typedef enum
{
  TRANSFER_CALL_NONE = 0,
  TRANSFER_CALL_NO_TIMEOUT = 1 << 0,
  TRANSFER_CALL_REPEATABLE =
      1 << 1, /* doing it twice is doing it once: repeated after a lost reply */
} TransferCallFlags;

/* A method and how to call it. */
typedef struct
{
  const char *interface;
  const char *method;
  const char *reply; /* type of the reply, NULL = any */
  TransferCallFlags flags;
} TransferMethod;

/* Calls @method at @path with @parameters (a tuple; consumed when floating; NULL = none). Errors
 * come translated into TRANSFER_ERROR. */
void _transfer_call_async (TransferClient *client,
                           const char *path,
                           const TransferMethod *method,
                           GVariant *parameters,
                           GCancellable *cancellable,
                           GAsyncReadyCallback callback,
                           gpointer user_data);

/* The same with descriptors for the handles in @parameters. */
void _transfer_call_with_fds_async (TransferClient *client,
                                    const char *path,
                                    const TransferMethod *method,
                                    GVariant *parameters,
                                    GUnixFDList *fds,
                                    GCancellable *cancellable,
                                    GAsyncReadyCallback callback,
                                    gpointer user_data);

/* (transfer full) the reply; @fds may be NULL. */
GVariant *_transfer_call_finish (TransferClient *client,
                                 GAsyncResult *result,
                                 GUnixFDList **fds,
                                 GError **error);

/* The queue of calls, a part of every client. */
typedef struct _TransferCalls TransferCalls;
TransferCalls *_transfer_calls_new (void);
void _transfer_calls_free (TransferCalls *calls);
TransferCalls *_transfer_client_get_calls (TransferClient *client);
GDBusCallFlags _transfer_client_get_call_flags (TransferClient *client);

/* Waits until the service is on the bus; asks the bus to start it when it stays away. Fails after
 * TRANSFER_SERVICE_WAIT_SECONDS. */
void _transfer_wait_service_async (TransferClient *client,
                                   GCancellable *cancellable,
                                   GAsyncReadyCallback callback,
                                   gpointer user_data);
gboolean
_transfer_wait_service_finish (TransferClient *client, GAsyncResult *result, GError **error);

/* News from the bus, a part of every client. */
typedef struct _TransferNews TransferNews;
TransferNews *_transfer_news_new (TransferClient *client);
void _transfer_news_free (TransferNews *news);
TransferNews *_transfer_client_get_news (TransferClient *client);
/* Who the service is at the moment, NULL when it is not there. */
const char *_transfer_client_get_owner (TransferClient *client);
/* Begins and ends telling @job (not owned) what happens to it. */
void _transfer_news_watch (TransferNews *news, TransferJob *job);
void _transfer_news_unwatch (TransferNews *news, TransferJob *job);
/* (transfer full) all watched jobs. */
GPtrArray *_transfer_news_dup_jobs (TransferNews *news);
/* Asks the bus for all signals of the manager; once is enough. */
void _transfer_news_match_all (TransferNews *news);

/* A job that knows @values (a{sv}, nullable) and is not watched yet. */
TransferJob *_transfer_job_new (TransferClient *client, const char *path, GVariant *values);

/* Begins or ends following the news of the service. */
void _transfer_job_set_watched (TransferJob *job, gboolean watched);

/* News for a job. */
void _transfer_job_merge (TransferJob *job, GVariant *changed, gboolean replace);
void _transfer_job_tell_transferred (TransferJob *job);
void _transfer_job_tell_error (TransferJob *job, const char *name, const char *context);
void _transfer_job_tell_removed (TransferJob *job, TransferResult result);

/* Translates an error of the bus into TRANSFER_ERROR where it is one of the service. */
void _transfer_error_translate (GError *error);
/* The service died between call and reply: nobody knows what it did. */
gboolean _transfer_error_is_lost_reply (const GError *error);
/* The service is not there, and the bus could not start it. */
gboolean _transfer_error_is_absent_service (const GError *error);

/* -1 when there is no such value. */
int _transfer_enum_from_string (GType common_type, const char *string);

/* Splits @files (a(ssa{sv})) into as many calls as it takes: the elements are a(ssa{sv}). Files
 * that a job of type @type makes get the umask of this process when they have neither mode nor
 * umask. */
GPtrArray *_transfer_files_split (GVariant *files, TransferJobType type);

/* (transfer floating) the filter of GetJobHistory for @job alone, with its files. */
GVariant *_transfer_history_filter (TransferJob *job);

/* Calls @method of @job; its task, tagged @tag, is finished by _transfer_job_finish (). @fds
 * (nullable) go along. */
void _transfer_job_call (TransferJob *job,
                         const TransferMethod *method,
                         GVariant *parameters,
                         GUnixFDList *fds,
                         gpointer tag,
                         GCancellable *cancellable,
                         GAsyncReadyCallback callback,
                         gpointer user_data);
/* (transfer full) the reply, or its only child when @unpack; NULL with an error. */
GVariant *
_transfer_job_finish (TransferJob *job, GAsyncResult *result, gboolean unpack, GError **error);
/* The descriptor that came with the handle in the reply, or -1. */
int _transfer_job_finish_fd (TransferJob *job, GAsyncResult *result, GError **error);

/* (transfer full) a list of a descriptor of our own of @fd; NULL with an error. */
GUnixFDList *_transfer_fd_list (int fd, GError **error);

/* Reads rows of ListFiles, a(ussttsa{sv}), into @files. */
void _transfer_files_read (GVariant *rows, GPtrArray *files);

G_END_DECLS
