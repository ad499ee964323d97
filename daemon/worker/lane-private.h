/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Lane, inside. */
#pragma once

#include "worker/lane-head.h"
#include "worker/lane.h"

G_BEGIN_DECLS

#define TFD_LANE_BUFFER (2 * TFD_LANE_MAX_HEAD)

struct _TfdLanes
{
  GQueue free;      /* (owned) (element-type TfdLane) the last that was given back first */
  GHashTable *odd;  /* (owned) origins whose answers are not for lanes */
  GHashTable *made; /* (owned) (element-type guint64 GWeakRef) connections of libsoup, by its ids */
  guint timer;
};

struct _TfdLane
{
  grefcount refs;
  TfdLanes *lanes;              /* (not owned) */
  char *origin;                 /* (owned) scheme to port, as it stands in the URL */
  TfdLogin *login;              /* (owned) whose header fields these are: */
  char *fields;                 /* (owned) of each request */
  SoupMessage *message;         /* (owned) what libsoup asked: it thinks that it still reads */
  GCancellable *cancellable;    /* (owned) of that */
  GInputStream *body;           /* (owned) of that */
  GPollableInputStream *stream; /* (not owned) what lies below it */
  GIOStream *connection;        /* (owned) */
  int fd;                       /* (not owned) of the socket */
  GSource *source;              /* (owned) (nullable) what comes is read here */
  gboolean spent;               /* nothing can be asked on it any more */
  gint64 since;                 /* that it is free */
  TfdLaneAnswered answered;     /* (nullable) who waits */
  gpointer user_data;
  gsize filled;
  guint8 *buffer; /* (owned) */
};

/* How much of @url is its origin: scheme to port. */
gsize tfd_lane_origin_length (const char *url);

/* From now on what comes on @lane is read. */
void tfd_lane_arm (TfdLane *lane);

/* The server of @origin gives answers that are not for lanes, … */
void tfd_lanes_refuse (TfdLanes *lanes, const char *origin);

/* … and so none are made to it. */
gboolean tfd_lanes_refused (TfdLanes *lanes, const char *origin);

G_END_DECLS
