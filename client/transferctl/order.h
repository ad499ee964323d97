/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Order: a transfer that one verb makes, follows and ends: what get and put share. */
#pragma once

#include "client/transferctl/ctl.h"

G_BEGIN_DECLS

/* What is wanted; nothing is owned. What options say is filled in by GOption. */
typedef struct
{
  TransferJobType type;
  const char *local; /* path of the local file */
  const char *url;   /* what messages call it */
  GVariant *files;   /* a(ssa{sv}) */
  GVariant *more;    /* (nullable) a{sv}: properties that the verb itself sets */
  gboolean background;
  char *name;          /* (nullable) of the job */
  char *priority;      /* (nullable) */
  char *user;          /* (nullable) to log in with */
  char *password_file; /* (nullable) "-" = standard input; NULL = ask */
  char **headers;      /* (nullable) "Name: value" */
  char **properties;   /* (nullable) "NAME=VALUE" */
} CtlOrder;

/* The options that stand last in the help of every such verb, and the end of the list. */
/* clang-format off */
#define CTL_ORDER_ENTRIES(order) \
  { "login", 'u', 0, G_OPTION_ARG_STRING, &(order).user, \
    "Log in as USER (Basic or Digest); asks for the password", "USER" }, \
  { "password-file", 0, 0, G_OPTION_ARG_FILENAME, &(order).password_file, \
    "Read the password from the first line of FILE, - is standard input", "FILE" }, \
  { "header", 'H', 0, G_OPTION_ARG_STRING_ARRAY, &(order).headers, \
    "Header field to send; may be repeated", "NAME: VALUE" }, \
  { "property", 'p', 0, G_OPTION_ARG_STRING_ARRAY, &(order).properties, \
    "Property of the job; may be repeated", "NAME=VALUE" }, \
  { NULL, 0, 0, 0, NULL, NULL, NULL }
/* clang-format on */

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
