/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Upload rules: what each protocol asks of a server and what the answers mean. Pure: a protocol is
 * a table of functions from what is known to the next request, and from an answer to what is known
 * then. Sending the requests is upload.c's work, for all protocols alike. Every field of an answer
 * is hostile until a rule has checked it. */
#pragma once

#include "common/enums.h"
#include "common/error.h"

G_BEGIN_DECLS

/* What is to be sent. */
typedef struct
{
  const char *url;  /* as the user gave it */
  const char *name; /* of the file, without directories, UTF-8 */
  guint64 size;
  const char *digest; /* (nullable) SHA-256 of the whole, base64, once it is known */
  gboolean reply;     /* the server's reply is wanted */
  guint64 fragment; /* most bytes that one request should carry, where the protocol has a choice */
  const char *key;  /* names this upload the same in every try: for Idempotency-Key */
  gboolean downgrade; /* a server may send us from https to http */
} TfdUploadSource;

/* What a server said it can do, by the answer to OPTIONS. */
typedef enum
{
  TFD_UPLOAD_TUS_SHA1 = 1 << 0, /* tus: a digest of each request is checked */
  TFD_UPLOAD_TUS_SHA256 = 1 << 1,
  TFD_UPLOAD_PUT_JOINS = 1 << 2, /* put: parts were put together; seen, not said */
} TfdUploadFeatures;

/* What is known of an upload between requests, and from one run to the next. */
typedef struct
{
  TfdUploadProtocol protocol; /* AUTO: not decided yet */
  char *session; /* (owned) (nullable) BITS: the session id; tus, resumable: URL of the upload */
  char *host;    /* (owned) (nullable) BITS-Host-Id: host[:port] that later requests go to */
  gint64 host_timeout; /* seconds after which an unreachable host is given up, -1 = never */
  gint64 host_since;   /* seconds of the clock since when it could not be reached, 0 = it was;
                          upload.c   counts them */
  guint64 offset;      /* bytes that the server has confirmed */
  gboolean asked; /* the server has said so since this run began, and no request was lost since; not
                     stored: who loses an answer takes it back */
  gboolean begun; /* bytes of a request that must not be repeated blindly were sent */
  guint64 limit;  /* most bytes of one request that the server takes, 0 = any; not stored */
  guint64 least;  /* fewest bytes of one request that is not the last one; not stored */
  gboolean known; /* features and maximum are known; not stored with the file, but may be
                     remembered for the origin */
  guint features; /* TfdUploadFeatures */
  guint64 maximum;  /* most bytes of a file that the server takes, 0 = any */
  guint64 reached;  /* most bytes ever confirmed; not stored */
  guint setbacks;   /* lost sessions and refused bytes since; not stored */
  gboolean ranges;  /* put: the server takes Content-Range */
  gboolean sent;    /* the server has the whole file */
  gboolean replied; /* the reply is here; set by upload.c. One that is wanted, with neither a URL
                       nor TFD_UPLOAD_REPLY, is an empty one */
  gboolean closed;  /* nothing is left of the session at the server */
  char *reply_url;  /* (owned) (nullable) where the reply is, absolute */
} TfdUploadState;

void tfd_upload_state_clear (TfdUploadState *state);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (TfdUploadState, tfd_upload_state_clear)

/* The session is gone: all begins anew, but for the protocol, what is known of the server, and the
 * number of setbacks. */
void tfd_upload_state_restart (TfdUploadState *state);

typedef struct
{
  char *name;  /* (owned) */
  char *value; /* (owned) */
} TfdUploadField;

/* One request. */
typedef struct
{
  guint kind;         /* the protocol's own name for it */
  const char *method; /* static */
  char *url;          /* (owned) absolute */
  GPtrArray *fields;  /* (owned) (element-type TfdUploadField) */
  gboolean has_body;  /* bytes of the file follow, perhaps none */
  guint64 first;      /* of the body, in the file */
  guint64 length;
  gboolean expect; /* ask with Expect: 100-continue before the body is sent */
  gboolean once;   /* must not be repeated after bytes of it were sent */
  /* (nullable) static: this field is to hold the digest of the body, in base64 between prefix and
   * suffix; asked for only with a @length of at most the source's fragment */
  const char *digest_field;
  const char *digest_prefix;
  const char *digest_suffix;
  GChecksumType digest_type;
} TfdUploadRequest;

void tfd_upload_request_clear (TfdUploadRequest *request);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (TfdUploadRequest, tfd_upload_request_clear)
void tfd_upload_request_add (TfdUploadRequest *request, const char *name, const char *format, ...)
    G_GNUC_PRINTF (3, 4);

/* An answer; @field gives a header field (NULL = absent). */
typedef struct
{
  guint status;
  const char *reason;
  const char *(*field) (const char *name, gpointer data);
  gpointer data;
} TfdUploadAnswer;

const char *tfd_upload_answer_field (const TfdUploadAnswer *answer, const char *name);

/* Any 2xx. */
gboolean tfd_upload_answer_is_success (const TfdUploadAnswer *answer);

typedef enum
{
  TFD_UPLOAD_GO_ON,   /* the state says what comes next */
  TFD_UPLOAD_REPLY,   /* likewise, and the body of this answer is the reply */
  TFD_UPLOAD_RESTART, /* the session is lost, the state was restarted; *reason (static) says why */
  TFD_UPLOAD_FAILED,  /* the failure says why */
} TfdUploadVerdict;

typedef struct
{
  TfdUploadProtocol protocol;
  gboolean resumable; /* an interrupted upload can go on */
  /* The next request; FALSE: nothing is left to ask. Never asked between "sent" and "replied". */
  gboolean (*next) (const TfdUploadState *state,
                    const TfdUploadSource *source,
                    TfdUploadRequest *request);
  /* The final answer to @request. */
  TfdUploadVerdict (*judge) (TfdUploadState *state,
                             const TfdUploadSource *source,
                             const TfdUploadRequest *request,
                             const TfdUploadAnswer *answer,
                             const char **reason,
                             TfdFailure *failure);
  /* (nullable) an informational answer (1xx) to @request; TRUE: the state changed */
  gboolean (*inform) (TfdUploadState *state,
                      const TfdUploadSource *source,
                      const TfdUploadRequest *request,
                      const TfdUploadAnswer *answer);
  /* (nullable) The request that makes the server forget what it has of an upload that was given
   * up; FALSE: there is nothing to forget. */
  gboolean (*forget) (const TfdUploadState *state,
                      const TfdUploadSource *source,
                      TfdUploadRequest *request);
  /* (nullable) TRUE: the answer to that means that there is no use in asking again */
  gboolean (*forgotten) (const TfdUploadAnswer *answer);
} TfdUploadRules;

/* The rules of @protocol; AUTO has rules, too: one request that decides. */
const TfdUploadRules *tfd_upload_rules (TfdUploadProtocol protocol);

/* BITS: the host that a session was bound to could not be reached for host_timeout: later requests
 * go to the host of the URL, which may know nothing of the session. */
void tfd_upload_host_lost (TfdUploadState *state);

/* For rules: what an error status means where the protocol says nothing of its own; always
 * TFD_UPLOAD_FAILED. */
TfdUploadVerdict tfd_upload_judge_status (const TfdUploadAnswer *answer, TfdFailure *failure);

/* upload-bits.c, upload-tus.c, upload-resumable.c, upload-plain.c, upload-auto.c */
extern const TfdUploadRules tfd_upload_bits;
extern const TfdUploadRules tfd_upload_tus;
extern const TfdUploadRules tfd_upload_resumable;
extern const TfdUploadRules tfd_upload_put;
extern const TfdUploadRules tfd_upload_post;
extern const TfdUploadRules tfd_upload_auto;

G_END_DECLS
