/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* HTTP: parsers of the header fields that decide what bytes are believed. Pure; every one of them
 * is fed by a hostile server and has a fuzz target. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Content-Range (RFC 9110 14.4) */
typedef struct
{
  gboolean satisfied;  /* FALSE: "bytes * / N" of a 416 */
  guint64 first, last; /* when satisfied, last inclusive */
  guint64 total;       /* TFD_SIZE_UNKNOWN for "*" */
} TfdContentRange;

gboolean tfd_http_parse_content_range (const char *value, TfdContentRange *range);

/* Retry-After (RFC 9110 10.2.3) in microseconds, capped at 24 h; a date is measured against @date,
 * the Date field of the same answer (nullable: then a date is ignored). 0 = not usable. */
guint64 tfd_http_parse_retry_after (const char *value, const char *date);

/* An HTTP date as microseconds since the epoch; FALSE when it is none. */
gboolean tfd_http_parse_date (const char *value, gint64 *time);

/* Content-Length: digits only; FALSE otherwise. */
gboolean tfd_http_parse_length (const char *value, guint64 *length);

/* Whether each of the values of @list, with commas in between (RFC 9110 5.6.1), is @value. */
gboolean tfd_http_is_same_in_all (const char *list, const char *value);

/* The validator for If-Range (RFC 9110 13.1.5): the strong @etag, else @last_modified when it is at
 * least one second older than @date, else NULL. Arguments may be NULL. The result belongs to the
 * caller. */
char *tfd_http_choose_validator (const char *etag, const char *last_modified, const char *date);

/* What an answer to a request means for the part of a file that we have (RFC 9110 15.3.7). */
typedef struct
{
  guint status;
  const char *content_range; /* header fields, NULL when absent */
  const char *content_length;
  const char *content_encoding;
  const char *etag;
  const char *last_modified;
} TfdAnswer;

typedef struct
{
  guint64 offset;   /* of the request: 0 = whole file */
  guint64 total;    /* known from before, or TFD_SIZE_UNKNOWN */
  const char *etag; /* known from before, nullable */
  const char *last_modified;
} TfdKnown;

typedef enum
{
  TFD_ANSWER_APPEND,  /* 206 that continues at offset: body belongs at offset */
  TFD_ANSWER_WHOLE,   /* 200: body is the whole file, the part starts at 0 */
  TFD_ANSWER_RESTART, /* do not read the body: ask again from 0 without Range */
  TFD_ANSWER_DONE,    /* 416 whose total is the offset, file not changed: nothing is missing */
  TFD_ANSWER_INVALID, /* InvalidServerResponse: *reason says why */
  TFD_ANSWER_STATUS,  /* an error status or a redirect: not for this function */
} TfdAnswerKind;

/* Decides. A part is continued only when @known has a validator (strong entity tag or date) and the
 * answer contradicts neither it nor the size; a part that ends early is fine, the caller asks for
 * the rest. A 416 to a request from 0 is an error status like others. *total is the size of the
 * file after this answer (or TFD_SIZE_UNKNOWN), *reason a static string for the log and the
 * message. */
TfdAnswerKind tfd_http_judge (const TfdKnown *known,
                              const TfdAnswer *answer,
                              guint64 *total,
                              const char **reason);

G_END_DECLS
