/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Lane head: the head of an answer on a lane (worker/lane.h), as far as it has come. Where it ends
 * is found here; libsoup parses what it says. */
#pragma once

#include <libsoup/soup.h>

G_BEGIN_DECLS

/* What does not fit is asked by libsoup. */
#define TFD_LANE_MAX_HEAD (16 * 1024)

typedef enum
{
  TFD_LANE_HEAD_MORE,  /* is to come */
  TFD_LANE_HEAD_WHOLE, /* all is there */
  TFD_LANE_HEAD_ODD    /* for libsoup to ask again */
} TfdLaneHeadState;

typedef struct
{
  gsize size; /* of the head: the body begins there */
  guint status;
  char *reason;                /* (owned) */
  SoupMessageHeaders *headers; /* (owned) */
  guint64 length;              /* of the body, 0 where the answer does not say it */
  gboolean last; /* on this connection: where its body ends is not known, or it says so */
} TfdLaneHead;

void tfd_lane_head_clear (TfdLaneHead *head);

/* Parses the first @size bytes that came. Only of a whole one is there something in @head (to be
 * cleared by the caller). ODD are heads that are too long or are none, informational answers, and
 * 200 without one Content-Length that is a number. */
TfdLaneHeadState tfd_lane_head_parse (const guint8 *data, gsize size, TfdLaneHead *head);

/* Whether the body ends where @headers (RFC 9112, 6.3) say, @length bytes on, and is sent as it
 * is. */
gboolean tfd_lane_head_is_ordinary (SoupMessageHeaders *headers, guint64 *length);

/* Whether the connection may be used after this answer (RFC 9112, 9.3). */
gboolean tfd_lane_head_stays_open (SoupMessageHeaders *headers, SoupHTTPVersion version);

G_END_DECLS
