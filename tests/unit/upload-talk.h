/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Upload talk: a conversation with a server that is written down, for tests of upload rules. */
#pragma once

#include "worker/upload-rules.h"

typedef struct
{
  const TfdUploadRules *rules;
  TfdUploadSource source;
  TfdUploadState state;
  TfdUploadRequest request; /* the last one */
  TfdFailure failure;       /* of the last answer */
  const char *reason;       /* likewise */
} Talk;

/* A file "report.pdf" of @size bytes for http://server/dir/file. */
void talk_begin (Talk *talk, const TfdUploadRules *rules, guint64 size);
void talk_end (Talk *talk);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Talk, talk_end)

/* The rules ask for @request next: a line with method and URL, lines with fields, and last, when it
 * has a body, "[FIRST+LENGTH]". */
#define talk_expect(talk, request) talk_check (__FILE__, __LINE__, talk, request)
void talk_check (const char *file, int line, Talk *talk, const char *request);

/* Nothing is left to ask. */
void talk_expect_end (Talk *talk);

/* What the rules ask for, whatever it is. */
void talk_ask (Talk *talk);

/* What the rules send when the upload is given up; NULL: nothing. */
void talk_expect_forget (Talk *talk, const char *request);

/* The server answers the last request; @fields are lines. */
TfdUploadVerdict talk_answer (Talk *talk, guint status, const char *fields);
gboolean talk_inform (Talk *talk, guint status, const char *fields);
gboolean talk_forgotten (Talk *talk, guint status, const char *fields);

/* The daemon or the connection went away: what is not stored is forgotten. */
void talk_interrupt (Talk *talk);

/* A row of a table: an answer and what must come of it. */
typedef struct
{
  const char *name;
  guint status;
  const char *fields;
  TfdUploadVerdict verdict;
  TfdErrorCode code; /* FAILED: what the failure says */
  TfdErrorContext context;
  gboolean transient;
} TalkRow;

void talk_check_row (Talk *talk, const TalkRow *row);

/* A server whose answers the rules may loop on: GO_ON and RESTART at most @most times in a row. */
void talk_expect_patience (Talk *talk, guint status, const char *fields, guint most);
