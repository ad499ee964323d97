/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Attach: what both ways of handing in have in common. */
#pragma once

#include "engine/engine-private.h"

G_BEGIN_DECLS

typedef struct
{
  TfdJob *job;      /* (owned) */
  TfdOwner owner;   /* whose worker is asked; strings (owned) */
  GUnixFDList *fds; /* (owned) of one descriptor */
  GPtrArray *specs; /* (owned) of TfdFileSpec; of Attach */
  GPtrArray *known; /* (owned) of GBytes; of AttachAgain: what it may be */
  gboolean file;    /* it is the file itself */
  guint tries;
} TfdAttachment;

/* What is asked about @fd, for the job's owner of this moment. (transfer full) */
TfdAttachment *tfd_attachment_new (TfdJob *job, int fd);

void tfd_attachment_free (TfdAttachment *attachment);

/* What the client hears of @error. A descriptor that was looked at cannot be looked at later, as a
 * path can: no answer is a refusal. Of what a worker says these are the errors that are its affair.
 * (transfer full) */
GError *tfd_attachment_refusal (const GError *error);

/* Whether @error is the end of the worker, and the first one: counts. */
gboolean tfd_attachment_may_try_again (TfdAttachment *attachment, const GError *error);

/* Tells the worker to forget it when the job has ended, or has another owner, since it was handed
 * in. */
void tfd_attachment_let_go_if_late (TfdEngine *self, TfdAttachment *attachment);

/* The path in an answer, with @name in it unless that is empty; NULL when it is none that we would
 * take from a client. (transfer full) (nullable) */
char *tfd_attachment_read_path (GVariant *bytes, const char *name);

G_END_DECLS
