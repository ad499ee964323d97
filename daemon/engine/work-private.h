/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Work, inside: what the rooms of Complete and Cancel share. */
#pragma once

#include "engine/engine-private.h"

G_BEGIN_DECLS

/* Pauses of 0, 1, 5 and 30 s: longer nobody waits for an answer. */
#define TFD_WORK_PAUSES 4

typedef gboolean (*TfdWanted) (const TfdWork *work, const TfdFileRecord *file);

/* Why the work does not go on with the next request: what was heard first, or that a commit failed.
 */
typedef enum
{
  TFD_HALT_NONE,
  TFD_HALT_AGAIN,  /* after a pause */
  TFD_HALT_VERIFY, /* with other names */
  TFD_HALT_ANSWER, /* the caller hears of the error, the work goes on after a pause */
  TFD_HALT_FAIL,
} TfdHalt;

/* A request that is under way, and the files that it speaks of. */
typedef struct
{
  TfdWork *work;
  guint32 first, next;
  guint32 step; /* of Finalize */
} TfdBatch;

struct _TfdWork
{
  TfdEngine *engine;
  TfdJob *job; /* (owned) */
  TfdOperation kind;
  TfdOverwrite overwrite;
  gboolean keep_newer; /* AutoComplete: leave a destination that is newer than what was fetched */
  gboolean expired;    /* nobody cancelled: the job was left alone for too long */
  gboolean intent;     /* committed */
  gboolean recovering; /* an earlier life began this */
  guint32 cursor;   /* files before this index need nothing in the present step, or are asked for */
  guint32 next;     /* the cursor after the request that was packed last */
  guint32 in_place; /* files before this index are known to be */
  guint under_way;  /* requests of Verify or Finalize that have no answer yet */
  guint commits;    /* of batches, that are not decided yet */
  guint32 walk,
      step;     /* of the Finalize requests: in how many-th series they are, and where in it */
  TfdHalt halt; /* what is done when nothing is under way any more, … */
  GError *halt_error;                 /* (owned) (nullable) … and why */
  guint32 first_completed, completed; /* files that are in place, which is not yet written */
  guint names;                        /* that were lost to somebody else */
  guint pauses;                       /* since something was achieved */
  guint64 alarm;                      /* end of the pause */
  gboolean missing;                   /* a finished temporary is not there */
  gboolean foreign;      /* something stands in its place: not ours, or not ours alone */
  GHashTable *undeleted; /* (owned) index -> (owned) path of a temporary that is still there */
  TfdOutcome *outcome;   /* (owned) */
  TfdOutcomeFunc func;
  gpointer data;
};

/* ---- work.c ---- */
/* Has @job for itself from now on. TFD_OPERATION_NONE: for somebody who changes its owner. */
TfdWork *
tfd_work_new (TfdEngine *self, TfdJob *job, TfdOperation kind, TfdOutcomeFunc func, gpointer data);
/* Sends @method with (s@a{sv}@ay) or (s@ay) parameters to the owner's worker. */
void tfd_work_send (TfdWork *work,
                    const char *method,
                    GVariant *parameters,
                    GAsyncReadyCallback callback,
                    gpointer data);
/* The user's own files, which are sent, are none of Complete's and Cancel's business. */
gboolean tfd_work_receives (const TfdWork *work, const TfdFileRecord *file);

/* ---- batch.c ---- */
/* (transfer full) The next files that are wanted, at most @most, packed, and the cursor after them
 * in next; NULL when there are none. */
GVariant *tfd_work_next_batch (TfdWork *work, TfdWanted wanted, guint most);
/* Asks for them, and moves the cursor; FALSE when there are none. @callback owns its TfdBatch. */
gboolean tfd_work_send_batch (
    TfdWork *work, const char *method, TfdWanted wanted, guint most, GAsyncReadyCallback callback);
/* The work goes on otherwise as soon as all that is under way is answered and decided, which may be
 * now: nobody may use @work after this. Takes @error (nullable). */
void tfd_work_halt (TfdWork *work, TfdHalt halt, GError *error);
/* TRUE when it was halted: what was heard does not count, and @work may be gone. */
gboolean tfd_work_is_halted (TfdWork *work);

/* ---- work.c ---- */
GVariant *tfd_work_request_options (TfdWork *work);
TfdFileRecord *tfd_work_file (TfdWork *work, guint32 index);
/* A path as a worker sends it; NULL when it is none. */
char *tfd_work_path_from_bytes (GVariant *bytes);
void tfd_work_set_operation (TfdWork *work, TfdOperation operation);
void tfd_work_remember_options (TfdWork *work);
/* The work is given up and the job stays: transferred when all of it is there, else suspended.
 * Takes
 * @error. */
void tfd_work_fail (TfdWork *work, GError *error);
/* (transfer full) */
GError *tfd_work_file_error (const TfdWork *work,
                             const TfdFileRecord *file,
                             TfdErrorCode code,
                             const char *message);
/* Frees @work; the calls that waited for its end are decided. */
void tfd_work_free (TfdWork *work);
/* Commits that the work will be done, whatever happens, and begins to do it. */
void tfd_work_commit_intent (TfdWork *work);

/* ---- again.c ---- */
/* Goes on after a pause that grows with each, from what is recorded. */
void tfd_work_again (TfdWork *work);
/* FALSE when whoever waits for the answer has waited long enough. */
gboolean tfd_work_may_try_again (TfdWork *work);
/* The caller hears @error now; the work goes on without. */
void tfd_work_answer_and_go_on (TfdWork *work, const GError *error);

/* ---- verify.c ---- */
/* From the cursor on. */
void tfd_work_verify (TfdWork *work);

/* ---- complete.c ---- */
/* What became of one file: FALSE when it is not in place. */
gboolean tfd_work_take_result (TfdWork *work, TfdFileRecord *file, const char *verdict);
/* Of files one after the other the last column changes in one statement. */
void tfd_work_save_completed (TfdWork *work);
/* It fails because of @file; the words are a worker's. */
void tfd_work_halt_with_words (TfdWork *work,
                               const TfdFileRecord *file,
                               TfdErrorCode code,
                               const char *words);
/* All that are not in place. */
void tfd_work_finalize (TfdWork *work);

/* ---- discard.c ---- */
/* Workers begin files in their order and have so many in hand: temporaries without a record are of
 * the first so many files without one, if there are any. */
#define TFD_WORK_UNRECORDED TFD_FILES_IN_HAND
/* A temporary of @file may be there. A worker may have made it without our having heard of it, but
 * only if the job was ever started. */
gboolean tfd_work_may_have_part (const TfdWork *work, const TfdFileRecord *file);
void tfd_work_discard_next (TfdWork *work);

/* ---- end.c ---- */
void tfd_work_end (TfdWork *work);

G_END_DECLS
