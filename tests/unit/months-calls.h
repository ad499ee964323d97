/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Months, calls: what somebody asked for and was not answered yet. */
#pragma once

#include "months.h"

G_BEGIN_DECLS

typedef enum
{
  CREATE,
  ADD,
  RESUME,
  SUSPEND,
  SET,
  RENAME,
  VALIDATE,
  COMPLETE,
  CANCEL,
  TAKE,
} Kind;

typedef struct
{
  Months *world;
  Account *account; /* (nullable) of what was created: NULL until it is */
  User *user;       /* for whom it is, with TAKE */
  Kind kind;
  gint64 asked;     /* true time */
  gboolean decided; /* only the answer is missing */
  gboolean probing; /* a worker looks at its directories */
  gboolean used;    /* it counts as use of the job */
  guint change;
  int value;
  GPtrArray *files;  /* (owned) (nullable) */
  GVariant *options; /* (owned) (nullable) */
} Call;

/* @account (nullable): of a job that does not exist yet. */
Call *months_call_new (Months *self, Account *account, Kind kind);
/* Asks for it, now or when the job is free; owned by the answer. */
void months_ask (Call *call);
/* It was decided: the answer waits for the commit, unless it is no. */
void months_decide (Call *call, const GError *error);
/* Nobody waits for it any more. */
void months_answered (Call *call);

G_END_DECLS
