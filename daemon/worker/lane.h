/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Lane: a connection on which libsoup has asked for a file, and on which more files of the same
 * server are asked for without libsoup, to which a request costs more than a small file does. Only
 * the ordinary case goes on it: a whole file, an answer that says how long it is. libsoup makes the
 * connection, and parses what the server says; whatever is out of the ordinary is asked again by
 * libsoup. */
#pragma once

#include <libsoup/soup.h>

#include "worker/login.h"

G_BEGIN_DECLS

typedef struct _TfdLane TfdLane;

/* Those of a worker. */
typedef struct _TfdLanes TfdLanes;

typedef struct
{
  guint status;
  const char *reason;
  SoupMessageHeaders *headers;
  const guint8 *data; /* the beginning of the body … */
  gsize count;        /* … as far as it is there */
  guint64 length;     /* of the body */
} TfdLaneAnswer;

/* @answer is valid during the call; NULL: it is for libsoup to ask, and the lane is to be dropped.
 */
typedef void (*TfdLaneAnswered) (const TfdLaneAnswer *answer, gpointer user_data);

TfdLanes *tfd_lanes_new (void);

/* No lane may be in use any more. */
void tfd_lanes_free (TfdLanes *lanes);

/* Remembers the connection that libsoup makes for @message, if it does: this answer or a later one
 * on it may found a lane. */
void tfd_lanes_watch (TfdLanes *lanes, SoupMessage *message);

/* The lane on the connection on which @message was answered and @stream is the body, if that can be
 * one, else NULL. Its body is to be read from tfd_lane_get_stream (), to its end and no further.
 * @url, @login: what was asked, and how; @cancellable: that of the request. */
TfdLane *tfd_lane_new (TfdLanes *lanes,
                       const char *url,
                       TfdLogin *login,
                       SoupMessage *message,
                       GInputStream *stream,
                       GCancellable *cancellable);

/* (nullable) One that nobody uses, for @url. */
TfdLane *tfd_lanes_take (TfdLanes *lanes, const char *url, TfdLogin *login);

/* Whether tfd_lanes_take () would give one. */
gboolean tfd_lanes_have (TfdLanes *lanes, const char *url, TfdLogin *login);

/* libsoup is going to have one more connection to the server of @url: if there is a lane that
 * nobody uses, it is dropped. */
void tfd_lanes_make_room (TfdLanes *lanes, const char *url);

/* Asks for @url. FALSE: it cannot be asked, see TfdLaneAnswered. */
gboolean
tfd_lane_ask (TfdLane *lane, const char *url, TfdLaneAnswered answered, gpointer user_data);

/* What is left of the body is read from here, by whoever calls this. */
GPollableInputStream *tfd_lane_get_stream (TfdLane *lane);

/* The body was read, all of it: the lane is free for others. */
void tfd_lane_give_back (TfdLane *lane);

/* Ends the connection. */
void tfd_lane_drop (TfdLane *lane);

G_END_DECLS
