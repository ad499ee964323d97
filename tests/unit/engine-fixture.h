/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Engine fixture: an engine on a real database, a clock that the test moves, and workers that say
 * what the test has them say. What the engine tells is in the log, as lines:
 *   "a added", "a is queued" (state, when it or the operation changed), "a is suspended
 *   (completing)", "a transferred", "a failed HttpStatus", "a files 0 1", "a removed completed",
 *   "a outcome completed" (then what is not empty: " kept 0 1", " discarded …", " moved …",
 *   " undeleted …"), "a outcome CommitFailed"; "warning"
 * where a is the display name of the job. */
#pragma once

#include "engine/engine.h"
#include "tests/lib/fake-clock.h"
#include "tests/lib/fake-transport.h"
#include "tests/lib/signal-log.h"

G_BEGIN_DECLS

#define SECOND ((gint64) G_USEC_PER_SEC)
#define ALICE 1000
#define BOB 1001

typedef struct
{
  char *dir;                   /* (owned) of the database */
  TfdStore *store;             /* (owned) */
  TfdFakeClock *clock;         /* (owned) */
  TfdFakeTransport *transport; /* (owned) */
  TfdConfig *config;           /* (owned) may be changed by the test */
  TfdEngine *engine;           /* (owned) */
  TfdSignalLog *log;           /* (owned) */
  TfdJobType type;             /* of the jobs that are created */
  GHashTable *told;            /* (owned) job id -> state and operation told last */
  guint failing_commits;       /* so many of the next commits fail */
} EngineFixture;

void engine_set_up (EngineFixture *self, gconstpointer data);
void engine_tear_down (EngineFixture *self, gconstpointer data);

#define ENGINE_ADD(path, function)                                                                 \
  g_test_add (path, EngineFixture, NULL, engine_set_up, function, engine_tear_down)
#define ENGINE_TEST(name) static void name (EngineFixture *self, gconstpointer data G_GNUC_UNUSED)

/* As in the log. */
const char *engine_name_of (TfdJob *job);
const char *engine_short_name (TfdErrorCode code);
/* @word and the numbers of @indices (of guint32); "" when there are none. (transfer full) */
char *engine_print_indices (const char *word, GArray *indices);

/* ---- life ---- */

/* Runs the main loop until nothing is to be done at this time. */
void engine_settle (EngineFixture *self);

/* Time goes on, and what is due then is done. */
void engine_advance (EngineFixture *self, gint64 span);

/* The service dies: what is not committed is lost, what was asked is never answered. */
void engine_crash (EngineFixture *self);

/* The service starts; what it does then is in the log. */
void engine_start (EngineFixture *self);

/* Both, and settles. */
void engine_restart (EngineFixture *self);

/* ---- jobs ---- */

/* A job of @uid named @name with @n_files files http://host/<name>/<index> ->
 * /home/<name>/<index>; @properties (nullable) is an a{sv} as text. Not committed yet. NULL when it
 * is refused. */
TfdJob *engine_try_create (EngineFixture *self,
                           guint32 uid,
                           const char *name,
                           guint n_files,
                           gboolean start,
                           const char *properties,
                           GError **error);

/* The same for ALICE, which succeeds; it is committed. */
TfdJob *engine_create (
    EngineFixture *self, const char *name, guint n_files, gboolean start, const char *properties);

/* @count files from number @first on, as they are added (element-type TfdFileSpec). (transfer full)
 */
GPtrArray *engine_specs (const char *name, guint first, guint count);

/* The job named @name after a restart. (transfer none) */
TfdJob *engine_find (EngineFixture *self, const char *name);

/* A job that a worker has, and the number of its run. The log is cleared. */
TfdJob *engine_create_running (
    EngineFixture *self, const char *name, guint n_files, const char *properties, guint64 *run);

/* Brings @job, which is suspended and has one file, into @state: the run that it has or had is in
 * *run. What is told meanwhile is cleared from the log. */
void engine_put_in (EngineFixture *self, TfdJob *job, TfdJobState state, guint64 *run);

/* The same with a new job of the type of the fixture. */
TfdJob *engine_create_in (EngineFixture *self, const char *name, TfdJobState state, guint64 *run);

/* A job of which @n_done of @n_files files are transferred: suspended when they are not all. */
TfdJob *engine_create_done (
    EngineFixture *self, const char *name, guint n_files, guint n_done, const char *properties);

TfdFileRecord *engine_file (TfdJob *job, guint index);

/* In what state is @job, and file @index of it? */
#define assert_job(job, nick)                                                                      \
  g_assert_cmpstr (tfd_enum_to_string (TFD_TYPE_JOB_STATE, tfd_job_record (job)->state), ==, nick)
#define assert_file(job, index, nick)                                                              \
  g_assert_cmpstr (tfd_enum_to_string (TFD_TYPE_FILE_STATE, engine_file (job, index)->state), ==,  \
                   nick)

/* ---- calls ---- */

/* Their outcome comes into the log. @options is an a{sv} as text. */
void engine_complete (EngineFixture *self, TfdJob *job, const char *options);
void engine_cancel (EngineFixture *self, TfdJob *job);

/* Adds @count files from number @first on. */
gboolean engine_add_files (
    EngineFixture *self, TfdJob *job, guint first, guint count, guint32 *index, GError **error);

/* @text is an a{sv}. */
gboolean engine_set_properties (EngineFixture *self, TfdJob *job, const char *text, GError **error);

/* @call is an expression with "error" as its GError **: it succeeds, or fails with @code. */
#define OK(call)                                                                                   \
  G_STMT_START                                                                                     \
  {                                                                                                \
    g_autoptr (GError) ok_error = NULL;                                                            \
    GError **error = &ok_error;                                                                    \
    gboolean ok_result = (call);                                                                   \
    g_assert_no_error (ok_error);                                                                  \
    g_assert_true (ok_result);                                                                     \
  }                                                                                                \
  G_STMT_END

#define FAILS(call, code)                                                                          \
  G_STMT_START                                                                                     \
  {                                                                                                \
    g_autoptr (GError) fails_error = NULL;                                                         \
    GError **error = &fails_error;                                                                 \
    gboolean fails_result = (call);                                                                \
    g_assert_error (fails_error, TFD_ERROR, code);                                                 \
    g_assert_false (fails_result);                                                                 \
  }                                                                                                \
  G_STMT_END

/* ---- requests ---- */

/* The methods of requests without an answer, "Start Stop". */
void engine_assert_requests (EngineFixture *self, const char *methods);

/* The indices of the files in the oldest request for @method, "0 1 2". */
void engine_assert_asked (EngineFixture *self, const char *method, const char *indices);

/* The value of @key in the options of the request, or of file @index of it, as text; "" = absent.
 */
void
engine_assert_option (EngineFixture *self, const char *method, const char *key, const char *text);
void engine_assert_file_value (
    EngineFixture *self, const char *method, guint32 index, const char *key, const char *text);

/* Answers the oldest request for @method and settles. */
void engine_answer (EngineFixture *self, const char *method, const char *text);

/* Answers Verify or Finalize with @verdict for each file. */
void engine_answer_each (EngineFixture *self, const char *method, const char *verdict);

/* Has it fail and settles. */
void engine_fail (EngineFixture *self, const char *method, GIOErrorEnum code);

/* Answers Start: the number of the run. */
guint64 engine_take_start (EngineFixture *self);

/* ---- news, of ALICE's worker; each settles ---- */

void engine_news (EngineFixture *self, const char *name, const char *type, const char *text);
void engine_connected (EngineFixture *self, guint64 run);
void engine_progress (
    EngineFixture *self, guint64 run, guint32 index, guint64 transferred, guint64 total);
/* File @index is on disk, 100 bytes. */
void engine_done (EngineFixture *self, guint64 run, guint32 index);
/* @details is an a{sv} as text. */
void engine_failed (EngineFixture *self, guint64 run, guint32 index, const char *details);
void engine_lose (EngineFixture *self);

/* ---- the database ---- */

/* From now on each write to @table fails; with @wholly it throws the transaction away. */
void engine_fail_writes (EngineFixture *self, const char *table, gboolean wholly);
void engine_mend_writes (EngineFixture *self);

/* The rows that an independent reader would find. */

/* Rows of @table, those that are not committed included. */
guint engine_count_rows (EngineFixture *self, const char *table);

G_END_DECLS
