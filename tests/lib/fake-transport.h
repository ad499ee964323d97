/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Fake transport: records requests until the test answers them, and tells what the test has workers
 * say. Requests and answers have the types of the worker's interface, which is checked. Dies in
 * teardown when a request is left without an answer. */
#pragma once

#include "engine/transport.h"

G_BEGIN_DECLS

#define TFD_TYPE_FAKE_TRANSPORT (tfd_fake_transport_get_type ())
G_DECLARE_FINAL_TYPE (TfdFakeTransport, tfd_fake_transport, TFD, FAKE_TRANSPORT, GObject)

TfdFakeTransport *tfd_fake_transport_new (void);

/* Has @guard look at each request when it is made. */
typedef void (*TfdFakeTransportGuard) (const char *method, GVariant *parameters, gpointer data);
void
tfd_fake_transport_set_guard (TfdFakeTransport *self, TfdFakeTransportGuard guard, gpointer data);

/* Requests that have no answer yet. */
guint tfd_fake_transport_count (TfdFakeTransport *self);

/* The methods of these in the order in which they came, "Start Stop". (transfer full) */
char *tfd_fake_transport_list (TfdFakeTransport *self);

/* The parameters of the oldest request for @method that has no answer yet; dies when there is none.
 * (transfer none), valid until it is answered. Packed files of Start and AddFiles are a(ua{sv}). */
GVariant *tfd_fake_transport_peek (TfdFakeTransport *self, const char *method);

/* The files that a request with @parameters names, its last argument: a(ua{sv}), also of one that
 * has them packed. (transfer full) */
GVariant *tfd_fake_transport_files (GVariant *parameters);

/* For whom it was made. (transfer none) */
const char *tfd_fake_transport_peek_owner (TfdFakeTransport *self, const char *method);

/* The descriptors that came with it. (transfer none) (nullable) */
GUnixFDList *tfd_fake_transport_peek_fds (TfdFakeTransport *self, const char *method);

/* The oldest request for @uid that has no answer yet: its method, and its parameters (transfer
 * none), both valid until it is answered. NULL when there is none. */
const char *tfd_fake_transport_next (TfdFakeTransport *self, guint32 uid, GVariant **parameters);

/* The same of the one that came after @n others. */
const char *
tfd_fake_transport_nth (TfdFakeTransport *self, guint32 uid, guint n, GVariant **parameters);

/* Answers the oldest for @uid with @answer (floating is consumed). */
void tfd_fake_transport_answer_next (TfdFakeTransport *self, guint32 uid, GVariant *answer);

/* Answers the oldest request for @method with @answer (floating is consumed). */
void tfd_fake_transport_answer (TfdFakeTransport *self, const char *method, GVariant *answer);

/* The same, @answer being the tuple of the answer as text. */
void
tfd_fake_transport_answer_text (TfdFakeTransport *self, const char *method, const char *answer);

/* The same with descriptors. */
void tfd_fake_transport_answer_with_fds (TfdFakeTransport *self,
                                         const char *method,
                                         GVariant *answer,
                                         GUnixFDList *fds);

/* Has the oldest request for @method fail. */
void tfd_fake_transport_fail (TfdFakeTransport *self, const char *method, GIOErrorEnum code);

/* Has the worker answer the oldest request for @method with the error @name. */
void tfd_fake_transport_refuse (TfdFakeTransport *self,
                                const char *method,
                                const char *name,
                                const char *message);

/* The worker of @uid ends unexpectedly: its requests fail, then it is told. */
void tfd_fake_transport_lose (TfdFakeTransport *self, guint32 uid);

/* News @name of the worker of @uid (floating @parameters are consumed), not checked. Those of
 * FilesDone may be (ta(uta{sv})). */
void tfd_fake_transport_news (TfdFakeTransport *self,
                              guint32 uid,
                              const char *name,
                              GVariant *parameters);

/* Nobody will ever hear of the requests under way: for a test about a crash. */
void tfd_fake_transport_abandon (TfdFakeTransport *self);

G_END_DECLS
