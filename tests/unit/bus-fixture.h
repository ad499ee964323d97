/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Bus fixture: calls of one client on a bus of which only what asks the authority is real. The
 * authority answers what the test wants it to, when the test wants it to; the rest are counters. */
#pragma once

#include "engine-fixture.h"

#include "bus/bus-private.h"

G_BEGIN_DECLS

struct _TfdAuthority
{
  GObject parent_instance;
  gboolean disabled;
  gboolean silent;   /* there is nobody who answers */
  GQueue *questions; /* of (owned) GTask, with the words of the question */
};

typedef struct
{
  EngineFixture engine;
  TfdBus bus;
  TfdPeer peer;
  TfdCall calls[3];
} BusFixture;

extern GDBusMessage *bus_message; /* of all calls */
extern GString *bus_said;         /* what was answered since that was looked at */

void bus_set_up (BusFixture *self, gconstpointer data);
void bus_tear_down (BusFixture *self, gconstpointer data);

/* What was answered is exactly that, and is looked at now. */
void assert_said (const char *expected);

/* The open questions, the oldest first: how each begins. */
void assert_asked (BusFixture *self, const char *const *questions);
#define ASKED(...) assert_asked (self, (const char *const[]){ __VA_ARGS__, NULL })
#define ASKED_NOTHING() assert_asked (self, (const char *const[]){ NULL })

/* Answers question @n, the oldest is 0: BUS_YES, or an error. */
void answer (BusFixture *self, guint n, int code);
#define BUS_YES -1

G_END_DECLS
