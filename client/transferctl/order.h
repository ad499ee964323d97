/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Order: a transfer that one verb makes, follows and ends: what get and put share. */
#pragma once

#include "client/transferctl/ctl.h"

G_BEGIN_DECLS

/* What is wanted; nothing is owned. */
typedef struct
{
  TransferJobType type;
  const char *local;         /* path of the local file */
  const char *url;           /* what messages call it */
  GVariant *files;           /* a(ssa{sv}) */
  GVariant *more;            /* (nullable) a{sv}: properties that the verb itself sets */
  const char *name;          /* (nullable) of the job */
  const char *priority;      /* (nullable) */
  char **properties;         /* (nullable) "NAME=VALUE" */
  char **headers;            /* (nullable) "Name: value" */
  const char *user;          /* (nullable) to log in with */
  const char *password_file; /* (nullable) "-" = standard input; NULL = ask */
  gboolean background;
} CtlOrder;

/* Makes the job and starts it; NULL with an error. */
TransferJob *ctl_order_begin (Ctl *ctl, const CtlOrder *order, GError **error);

/* Says that it goes on without us, and prints the id; the exit status. */
int ctl_order_leave (Ctl *ctl, const CtlOrder *order, TransferJob *job);

/* Once the job is transferred: ends it; gives the exit status. @data is that of the call. */
typedef int (*CtlOrderEnd) (Ctl *ctl, const CtlOrder *order, TransferJob *job, gint64 begun);

/* Shows how far the job is until nothing more happens by itself. @complete is called when all is
 * transferred, @completed when the job was completed by somebody else; the exit status. */
int ctl_order_follow (
    Ctl *ctl, const CtlOrder *order, TransferJob *job, CtlOrderEnd complete, CtlOrderEnd completed);

/* "12.3 MB in 0.4 s", with @bytes. */
void ctl_order_say_done (Ctl *ctl, guint64 bytes, gint64 begun);

G_END_DECLS
