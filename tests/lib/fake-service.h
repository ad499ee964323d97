/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Fake service: owns the name of the service on a bus, records calls, and answers by a script. It
 * can die between a call and its answer, and come back. */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

typedef struct _FakeService FakeService;

/* What to do with a call: a reply (floating tuple) with *error NULL, or NULL with *error set to a
 * D-Bus error name; NULL with *error NULL keeps the call unanswered, see fake_service_answer_all
 * (). */
typedef GVariant *(*FakeHandler) (FakeService *service,
                                  const char *path,
                                  const char *method,
                                  GVariant *parameters,
                                  const char **error,
                                  gpointer user_data);

/* A service on the bus at @address. */
FakeService *fake_service_new (const char *address, FakeHandler handler, gpointer user_data);
void fake_service_free (FakeService *service);

/* Leaves the bus with all unanswered calls, as a crash does; and comes back. */
void fake_service_die (FakeService *service);
void fake_service_revive (FakeService *service);

/* Answers the calls that were kept with @reply (consumed when floating). */
void fake_service_answer_all (FakeService *service, GVariant *reply);

/* How often @method was called so far, and how many calls are kept unanswered now. */
guint fake_service_count (FakeService *service, const char *method);
guint fake_service_kept (FakeService *service);

/* Emits a signal of the manager to everybody, and a change of properties to @receiver alone. */
void fake_service_emit (FakeService *service, const char *member, GVariant *parameters);
void fake_service_change (FakeService *service,
                          const char *receiver,
                          const char *path,
                          GVariant *changed);

G_END_DECLS
