/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Upload, the inside: shared by its life (upload.c), its requests (upload-request.c,
 * upload-redirect.c), what their answers mean (upload-answer.c) and the work that it has done in
 * threads (upload-work.c). */
#pragma once

#include "worker/body.h"
#include "worker/upload-body.h"
#include "worker/upload-early.h"
#include "worker/upload-rules.h"
#include "worker/upload.h"

G_BEGIN_DECLS

typedef enum
{
  TFD_UPLOAD_NEW,
  TFD_UPLOAD_LOOKING, /* at the source, in a thread, before the next request or the end */
  TFD_UPLOAD_WAITING, /* for a connection */
  TFD_UPLOAD_ASKING,  /* a request is under way */
  TFD_UPLOAD_JUDGING, /* its answer is here; the source is looked at once more */
  TFD_UPLOAD_REPLYING,
  TFD_UPLOAD_DONE,
  TFD_UPLOAD_GIVEN_UP,
  TFD_UPLOAD_STOPPING, /* a thread is still at work */
  TFD_UPLOAD_STOPPED,
} TfdUploadPhase;

/* An answer that waits to be judged. */
typedef struct
{
  guint status;
  char *reason;               /* (owned) (nullable) */
  SoupMessageHeaders *fields; /* (owned) */
  GInputStream *stream;       /* (owned) (nullable) its body */
} TfdUploadReceived;

struct _TfdUpload
{
  GObject parent_instance;

  char *job;     /* (owned) */
  TfdFile *file; /* (owned) */
  TfdRunOptions options;
  const TfdTools *tools;           /* (not owned) */
  const TfdTransferClient *client; /* (not owned) */
  gpointer user_data;

  TfdUploadPhase phase;
  guint pending; /* pieces of work in threads */
  gint abort;    /* atomic: they shall end early */

  TfdUploadFile *source; /* (owned) (nullable) */
  TfdUploadSource what;  /* its strings belong to the members below */
  char *name, *key, *digest;

  const TfdUploadRules *rules;
  TfdUploadState state;
  guint idle_requests; /* since something was confirmed */

  TfdUploadRequest request;
  char *url;                 /* (owned) (nullable) asked now */
  char *from, *to;           /* (owned) (nullable) the last redirect */
  guint redirects;           /* followed for this request */
  gboolean retried;          /* this request */
  gboolean unheeded;         /* the server does not know Expect */
  gboolean committing;       /* not a byte is sent before the daemon knows that it may be */
  gboolean new_session;      /* the daemon may not have it on the disk yet */
  SoupMessage *message;      /* (owned) (nullable) under way */
  GCancellable *cancellable; /* (owned) (nullable) */
  guint serial;              /* of the message: answers of older ones are not ours */
  TfdUploadBody *body;       /* (owned) (nullable) */
  TfdUploadEarly *early;     /* (owned) (nullable) */
  guint64 written;           /* bytes of the body */
  gboolean expecting;        /* the body waits for 100 Continue */
  gboolean asked;            /* the head of the request is out */
  gint64 last_activity;
  TfdUploadReceived received;
};

/* upload.c */

/* Tells the client of a failure and ends the request. */
void tfd_upload_fail (TfdUpload *self, const TfdFailure *failure);
void tfd_upload_fail_with (TfdUpload *self,
                           TfdErrorCode code,
                           TfdErrorContext context,
                           const char *message);

/* The request was sent perhaps, and must not be repeated without the user. */
void tfd_upload_fail_unclear (TfdUpload *self);

/* The next step, whatever the state says it is. */
void tfd_upload_go_on (TfdUpload *self);

/* Has the reply fetched, or taken from the body @stream (nullable) of @message. */
void tfd_upload_fetch_reply (TfdUpload *self, SoupMessage *message, GInputStream *stream);

void tfd_upload_received_clear (TfdUploadReceived *received);

/* upload-answer.c */

/* Finds out what is known of the protocol. */
void tfd_upload_choose_protocol (TfdUpload *self);

/* Judges what was received. */
void tfd_upload_judge (TfdUpload *self);

/* A field of an answer, whose data are SoupMessageHeaders. */
const char *tfd_upload_field (const char *name, gpointer data);

/* upload-request.c */

/* Sends self->request. */
void tfd_upload_send (TfdUpload *self);

/* The daemon knows that bytes are about to be sent. */
void tfd_upload_committed (TfdUpload *self);

/* They were not, and will not be. */
void tfd_upload_take_back (TfdUpload *self);

/* Ends the message under way without waiting for anything. */
void tfd_upload_drop_message (TfdUpload *self);

/* Called several times a second while a request is under way. */
void tfd_upload_watch (TfdUpload *self, gint64 now);

/* upload-redirect.c: TRUE when what was received is a redirect and has been dealt with */
gboolean tfd_upload_redirected (TfdUpload *self);

/* upload-work.c: each runs in a thread and comes back to the named function, unless the upload was
 * stopped by then; a failure goes to tfd_upload_fail (). */
void tfd_upload_work_open (TfdUpload *self);   /* _opened (): opens the source */
void tfd_upload_work_check (TfdUpload *self);  /* _checked (): is it unchanged? And its digest,
                                                * when the answer that waits brings one */
void tfd_upload_work_digest (TfdUpload *self); /* _digested (): digest of the request's body */
void tfd_upload_opened (TfdUpload *self, TfdUploadFile *source, char *digest);
void tfd_upload_take_digest (TfdUpload *self, char *digest); /* before _checked () */
void tfd_upload_checked (TfdUpload *self);
void tfd_upload_digested (TfdUpload *self, char *digest);
void tfd_upload_work_ended (TfdUpload *self); /* one piece less is pending */

G_END_DECLS
