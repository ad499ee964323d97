/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Transport: the port through which the engine has files moved. Its implementation runs one worker
 * process per user (platform/pool); tests bring a fake. Requests are answered once, news come as
 * the signal "news"; formats are those of the interface org.transferd.Transfer1.Worker.
 *
 * One request is not of that interface, as a worker that has confined itself could not answer it:
 * "LookAt" (u pid, t since) → (s sandbox, b no-network), where a process with the rights of the
 * owner looks at another, which was there at @since (CLOCK_BOOTTIME, microseconds): in which
 * sandbox it is (common/sandbox-id.h), and whether it has no network. The owner's name may be NULL
 * for it. Fails with OWNER_GONE, too, when there is no such user. */
#pragma once

#include <gio/gio.h>
#include <gio/gunixfdlist.h>

G_BEGIN_DECLS

/* Whose rights a request uses. */
typedef struct
{
  guint32 uid;
  const char *name; /* user name as the job remembers it */
  const char
      *sandbox; /* (nullable) of the program for which a job is made; see common/sandbox-id.h */
} TfdOwner;

#define TFD_TYPE_TRANSPORT (tfd_transport_get_type ())
G_DECLARE_INTERFACE (TfdTransport, tfd_transport, TFD, TRANSPORT, GObject)

/**
 * Signals:
 *   "news" (guint uid, const char *name, GVariant *parameters): a signal of the worker of @uid, its
 *     type checked against the interface, its content not.
 *   "lost" (guint uid): the worker of @uid ended without being told to; nothing of it writes any
 *     more. Requests under way fail first.
 *   "stuck" (guint uid, gboolean stuck): nothing of @uid can run because a worker that was killed
 * has not ended yet; told again with FALSE when it has.
 */
struct _TfdTransportInterface
{
  GTypeInterface parent_interface;

  void (*request_async) (TfdTransport *self,
                         const TfdOwner *owner,
                         const char *method,
                         GVariant *parameters,
                         GUnixFDList *fds, /* (nullable) */
                         GAsyncReadyCallback callback,
                         gpointer user_data);
};

/* What a worker says in words that people read, cut to a length that they read, on one line, and
 * without what a terminal would obey. (transfer full) */
char *tfd_transport_tame (const char *words);

/* Sends request @method with @parameters (floating is consumed) to the worker of @owner, which is
 * started when there is none. Requests of one user are sent in the order of the calls. */
void tfd_transport_request_async (TfdTransport *self,
                                  const TfdOwner *owner,
                                  const char *method,
                                  GVariant *parameters,
                                  GAsyncReadyCallback callback,
                                  gpointer user_data);

/* The same with descriptors, which are the worker's affair: nobody here looks at what they are. */
void tfd_transport_request_with_fds_async (TfdTransport *self,
                                           const TfdOwner *owner,
                                           const char *method,
                                           GVariant *parameters,
                                           GUnixFDList *fds,
                                           GAsyncReadyCallback callback,
                                           gpointer user_data);

/* The answer (transfer full), whose type is that of the interface. Fails with TFD_ERROR when
 * the worker has answered with an error, or G_IO_ERROR_CONNECTION_CLOSED when it was lost, or
 * G_IO_ERROR_TIMED_OUT when no worker could be had in time (Probe only). @fds may be NULL. */
GVariant *tfd_transport_request_finish (TfdTransport *self,
                                        GAsyncResult *result,
                                        GUnixFDList **fds,
                                        GError **error);

/* For implementations: a request is answered through a GTask of the transport that returns a
 * GVariant; descriptors that came with it are put beside it first. */
void tfd_transport_answer_set_fds (GTask *task, GUnixFDList *fds);
void
tfd_transport_emit_news (TfdTransport *self, guint32 uid, const char *name, GVariant *parameters);
void tfd_transport_emit_lost (TfdTransport *self, guint32 uid);
void tfd_transport_emit_stuck (TfdTransport *self, guint32 uid, gboolean stuck);

G_END_DECLS
