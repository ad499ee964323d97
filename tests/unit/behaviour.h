/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Behaviour: what each call, each event and each timer does to a job in each state, as tables whose
 * every cell is a test that names it. A table speaks of downloads; what another type of job does
 * otherwise is a table of its own beside it. */
#pragma once

#include "engine-fixture.h"
#include "engine/engine-private.h"

G_BEGIN_DECLS

#define MINUTE (60 * SECOND)
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)

/* The states of a job, in the order of the columns of all tables; "empty" is suspended without
 * files, "new" is suspended with files and was never resumed. */
#define BEHAVIOUR_STATES                                                                           \
  "empty", "new", "suspended", "queued", "connecting", "transferring", "transient-error", "error", \
      "transferred", "acknowledged", "cancelled"
#define N_BEHAVIOUR_STATES 11
extern const char *const behaviour_states[N_BEHAVIOUR_STATES];

/* A job "a" of three files of 100 bytes. Of the first all and of the second 40 bytes have arrived,
 * as far as its state allows. */
typedef struct
{
  EngineFixture *engine;
  TfdJob *job;         /* (owned) */
  guint64 run;         /* of its worker, 0 = none */
  guint told;          /* TfdChanged that were told since */
  TfdJobRecord before; /* (not owned) as it was when it was marked */
} Subject;

/* Brings a job into @state; nothing of that is in the log. */
void
subject_enter (Subject *self, EngineFixture *engine, const char *state, const char *properties);
void subject_leave (Subject *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Subject, subject_leave)

/* From here on: a second later, with nothing told. */
void subject_mark (Subject *self);

/* The service has been started anew: the job of the same name. */
void subject_find_again (Subject *self);

/* The worker answers all it is asked, well. */
void subject_serve (EngineFixture *engine);

/* Background jobs may run, or not. */
void subject_set_slots (Subject *self, guint slots);

const TfdJobRecord *subject_record (const Subject *self);
gint64 subject_now_boot (const Subject *self);
gint64 subject_now_real (const Subject *self);

/* Since the mark it was used (a call, progress): ModificationTime, inactivity, and that was told.
 */
void subject_assert_used (Subject *self);
/* … it was not, nor did anything else change. */
void subject_assert_untouched (Subject *self);

/* The running job fails for now, as @details say or for want of an answer. */
void subject_fail_with (Subject *self, const char *details);
void subject_fail (Subject *self);

/* How long it waits for its next try. */
gint64 subject_wait (Subject *self);

/* Its next try begins @span from now, and not before; the number of its run. */
guint64 subject_assert_tried_after (Subject *self, gint64 span);

/* It is in error, by the error of this short name, and that was told. */
void subject_assert_failed (Subject *self, const char *name);

/* Somebody sets the wall clock. */
void subject_set_wall_clock (Subject *self, gint64 jump);

/* Adds a test for a row of a table; @format names it. */
void behaviour_add (gconstpointer row,
                    void (*test) (EngineFixture *self, gconstpointer row),
                    const char *format,
                    ...) G_GNUC_PRINTF (3, 4);

/* The tables. */
void behaviour_add_methods (void);
void behaviour_add_setters (void);
void behaviour_add_events (void);
void behaviour_add_timers (void);
void behaviour_add_spans (void);
void behaviour_add_activity (void);
void behaviour_add_states (void);
void behaviour_add_signals (void);
void behaviour_add_restarts (void);

G_END_DECLS
