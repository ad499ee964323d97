/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Presence: has the service on the bus for as long as there is somebody or something to serve. */
#pragma once

#include "bus/bus.h"

G_BEGIN_DECLS

typedef struct _TfdPresence TfdPresence;

typedef struct
{
  TfdReloadFunc reload;
  void (*ready) (gpointer data);   /* the name is ours: clients can call */
  void (*leaving) (gpointer data); /* nobody needs the service: from now on it has to be started */
  /* The end, once: nobody to serve. @failure is NULL when that is as it should be. */
  void (*ended) (const char *failure, gpointer data);
} TfdPresenceFuncs;

typedef struct
{
  GBusType bus_type;
  TfdAuthority *authority; /* (transfer none) */
  guint32 only_uid;        /* see tfd_bus_new () */
  gboolean may_leave;      /* when idle for as long as IdleTimeout= says */
} TfdPresenceOptions;

/* Goes to the bus and takes the name of the service; everything else comes by @funcs. */
TfdPresence *tfd_presence_new (TfdEngine *engine,
                               const TfdPresenceOptions *options,
                               const TfdPresenceFuncs *funcs,
                               gpointer data);

/* The configuration has changed. */
void tfd_presence_reconfigure (TfdPresence *presence);

/* Answers what is to be answered, and leaves the bus. */
void tfd_presence_free (TfdPresence *presence);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TfdPresence, tfd_presence_free)

G_END_DECLS
