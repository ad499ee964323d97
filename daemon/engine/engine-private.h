/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Engine, inside: the structs that only the rooms of this floor see. */
#pragma once

#include "base/log.h"
#include "common/names.h"
#include "common/state.h"
#include "engine/conditions.h"
#include "engine/engine.h"

G_BEGIN_DECLS

/* One Start of a job on a worker: until its Stop is answered its news count, afterwards none. */
typedef struct
{
  guint64 number;     /* never used twice while the service lives */
  guint32 next_file;  /* files before this index were handed to the worker or need nothing */
  guint32 in_hand;    /* files handed over and not done */
  guint32 done;       /* files that are */
  gboolean started;   /* Start was sent */
  gboolean stopping;  /* Stop is under way */
  GSList *stopped;    /* of Stopped: whom to tell when it has stopped */
  gint64 began;       /* boot time */
  gboolean overdue;   /* it would be stopped by now, were it resumable */
  gboolean outdated;  /* fetches from URLs that the owner has changed: its failures mean nothing */
  GVariant *options;  /* (owned) (nullable) what the worker was told, but for what is left of
                         MaximumSize */
  GHashTable *active; /* (owned) index of a file that bytes came for -> since when, as a boot time
                         in milliseconds cut to 32 bits */
} TfdRun;

/* Files that ran when their worker was lost: index -> TfdLoss. */
typedef struct
{
  guint32 count;
  gint64 first; /* boot time of the first loss of the last minute */
  guint32 recent;
} TfdLoss;

typedef struct _TfdWork TfdWork; /* a Complete or Cancel at work: work.c */

struct _TfdJob
{
  grefcount refs;
  TfdEngine *engine;      /* (not owned) */
  TfdJobRecord *record;   /* (owned) */
  GPtrArray *files;       /* (owned) (nullable) of TfdFileRecord by index: read when needed */
  gint64 files_used;      /* boot time of the last use of files, of a job that rests */
  guint32 files_reserved; /* files that are about to be added */
  guint32 sizes_unknown;  /* files whose size is not known, right while files != NULL */
  guint64 order;          /* position in the queue */
  GSequenceIter *place;   /* (nullable) in the order of the engine */
  GSequenceIter *live;    /* (nullable) among those that a plan has to look at */
  gboolean ended;
  gboolean attached; /* its worker keeps something that was handed in */

  TfdRun *run;                 /* (owned) (nullable) */
  GHashTable *losses;          /* (owned) (nullable) */
  gint64 active_since;         /* boot time up to which active_time is counted, 0 = does not run */
  gboolean local, local_known; /* all that is left is on this machine */
  gint64 last_served; /* boot time of the end of its last run, or when it was queued, if later */
  gint64 gone_at;     /* boot time since when its user is gone, of one whose user is */
  gint64 auto_complete_after; /* boot time before which a mount does not make it try again */
  guint untold;               /* TfdChanged that waits to be told */
  TfdWait wait;               /* why it does not run though it could */
  gint64 wait_since;          /* epoch */

  TfdWork *work;  /* (nullable) what makes it busy */
  GQueue waiting; /* of Waiting: calls that wait for the end of work */

  gint64 rate_time;   /* boot time of the last sample */
  guint64 rate_bytes; /* received since */
  guint64 rate;       /* bytes a second */
  guint64 rate_alarm; /* when nothing came for a while */
};

/* What the engine keeps about a user's worker. */
typedef struct
{
  guint losses;      /* in a row */
  gint64 last_loss;  /* boot time */
  gint64 not_before; /* boot time of the next start */
  gint64 served;     /* boot time at which a background job of the user last gave up a slot */
  guint counted;     /* jobs of the user, and places for more that are reserved */
  guint64
      stored; /* bytes of words in the database, or more: jobs that ended since are among them */
  guint64 history_room; /* bytes of history that may come until it is looked how much there is */
  gboolean measured;    /* the words that were there at the start are among them */
  gint64 measure_again; /* boot time before which it would take too much time */
  const char *name;  /* (nullable) (not owned) interned: whose the user id was last known to be */
  gboolean has_gone; /* there may be jobs of somebody who had it before */
  gboolean stuck;
  TfdSession session;   /* of the user */
  gint64 session_since; /* epoch */
} TfdWorkerState;

struct _TfdEngine
{
  GObject parent_instance;

  TfdStore *store;         /* (not owned) */
  TfdClock *clock;         /* (owned) */
  TfdTransport *transport; /* (owned) */
  const TfdConfig *config; /* (not owned) */
  TfdOutbox *outbox;       /* (owned) */

  GHashTable *jobs;    /* (owned) id -> (owned) TfdJob, those that ended lately included */
  GSequence *order;    /* (owned) of TfdJob in order of creation, those that ended not */
  GSequence *live;     /* (owned) of TfdJob in order of creation, those that a plan looks at */
  gint64 inactive_at;  /* boot time: before it none of all jobs has been left alone for too long */
  guint of_users;      /* jobs, and places reserved for more, of all users but root */
  guint64 most_stored; /* bytes of words that one user may have in the database */
  guint counted;       /* those among them that count against the limit of the machine */
  /* of one user: bytes that are kept of jobs that have ended, uploads that servers are to forget */
  guint64 most_history;
  guint most_sessions;
  guint most_at_once;  /* files that a request names, or whose rows are deleted; less in tests */
  GHashTable *touched; /* (owned) ids that the open transaction changed -> NULL */
  GHashTable *workers; /* (owned) uid -> (owned) TfdWorkerState */
  GHashTable *probes;  /* (owned) "uid:directory" -> (owned) Probe: probe.c */
  GHashTable *runs;    /* (owned) number -> (not owned) TfdJob */
  guint64 last_run;
  gint64 last_plan; /* boot time */
  guint64 last_order;
  guint plan_source; /* plan is due in this turn */
  guint64 alarm;     /* the next moment that plan named */
  guint64 leftover_alarm;
  GHashTable *sessions; /* (owned) id of a leftover -> (owned) Session: sessions.c */
  guint64 session_alarm;
  gboolean sessions_due;
  gboolean sessions_all;
  gboolean leftovers_wait; /* they are tried after the next commit */
  guint64 files_alarm;     /* when files of jobs that rest are forgotten */
  guint64 sweep_alarm;     /* when rows of jobs that have ended are deleted */
  gboolean sweep_due;      /* there may be such rows */
  gboolean sweep_fails;    /* the last try has failed */
  guint64 mounts_alarm;
  gint64 mounts_tried; /* boot time, a minute later for each try of late: mounts.c */
  TfdWorld world;
  gint64 since[TFD_MAX_CONDITIONS]; /* epoch: since when each condition is as it is: world.c */
  gboolean network_known;           /* somebody has told of it */
  gint64 blocked_until;             /* epoch: end of the blocked hours, 0 = not known */
  guint64 waiting_for_network;      /* jobs that were let go since it came back */
  guint64 mark_alarm;
  gboolean watches_owners;
  guint64 owners_alarm;
  gint64 owners_asked; /* boot time: who they are */
  guint persons;       /* how often it turned out that a user id is somebody else's */
};

/* ---- job.c ---- */
TfdJob *tfd_job_new (TfdEngine *engine, TfdJobRecord *record, guint64 order);
TfdGuards tfd_job_guards (const TfdJob *job);
/* Whether it can be stopped without losing bytes: false while a file is fetched that cannot be
 * continued. */
gboolean tfd_job_is_resumable (const TfdJob *job, gint64 now);
/* Reads the files when they are not in memory; NULL when the database cannot be read. */
GPtrArray *tfd_job_files (TfdJob *job, TfdStore *store, GError **error);
/* File @index when the files are in memory and there is one, or NULL. */
TfdFileRecord *tfd_job_file (const TfdJob *job, guint32 index);
gboolean tfd_file_is_finished (const TfdFileRecord *file);
gboolean tfd_job_is_reply (const TfdJob *job, const TfdFileRecord *file);
/* As much of a size as is believed, so that sums stay in 64 bits. */
guint64 tfd_believed_size (guint64 size);
/* Counters of the row from the files in memory. */
void tfd_job_recount (TfdJob *job);
/* Bytes of a file change: keeps the counters of the job right. */
void
tfd_job_set_file_progress (TfdJob *job, TfdFileRecord *file, guint64 transferred, guint64 total);
void tfd_job_set_file_state (TfdJob *job, TfdFileRecord *file, TfdFileState state);
void tfd_job_sample_rate (TfdJob *job, guint64 bytes, gint64 now);
/* Nothing comes any more. */
void tfd_job_reset_rate (TfdJob *job);
/* The job is not busy any more: the calls that waited are decided, in order. */
void tfd_job_serve_waiting (TfdJob *job);

/* ---- engine.c: the one door ---- */
/* What @event means for @job: refused with an error, or applied to model and transaction, with its
 * effects on their way. @failure belongs to events that carry one. */
gboolean tfd_engine_apply (TfdEngine *self,
                           TfdJob *job,
                           TfdEvent event,
                           TfdGuards more,
                           const TfdFailure *failure,
                           GError **error);
/* Whether @event would be refused. */
gboolean tfd_engine_check (TfdEngine *self, TfdJob *job, TfdEvent event, GError **error);
/* Writes the row of @job into the open transaction. */
gboolean tfd_engine_save_job (TfdEngine *self, TfdJob *job, GError **error);
gboolean tfd_engine_save_file (TfdEngine *self, TfdJob *job, const TfdFileRecord *file);
/* The same when nothing but its state, what is there of it and its part has changed. */
gboolean tfd_engine_save_progress (TfdEngine *self, TfdJob *job, const TfdFileRecord *file);
/* Writes of @count files from @first on that they are completed. */
gboolean tfd_engine_save_completed (TfdEngine *self, TfdJob *job, guint32 first, guint32 count);
/* Appends to the event log of @job; @details (nullable) is consumed when floating. */
void tfd_engine_log_event (TfdEngine *self, TfdJob *job, const char *kind, GVariant *details);
void tfd_engine_touch (TfdEngine *self, TfdJob *job);
void tfd_engine_insert_job (TfdEngine *self, TfdJob *job);
/* State or run of @job have changed: from now on plans look at it, or do not. */
void tfd_engine_update_live (TfdEngine *self, TfdJob *job);
void tfd_engine_remove_job (TfdEngine *self, TfdJob *job);
/* The job has ended: it is not listed any more, and its slot is free. */
void tfd_engine_retire_job (TfdEngine *self, TfdJob *job);

/* Something could not be written: the open transaction is given up as a whole. */
void tfd_engine_doom (TfdEngine *self, const GError *error);
/* The row as the log wants it. Valid as long as the row. */
TfdLogJob tfd_job_log (const TfdJob *job);

/* ---- stored.c ---- */
/* The words of one user take at most so many bytes of the database. */
#define TFD_MOST_STORED (G_GUINT64_CONSTANT (512) << 20)
#define TFD_MOST_HISTORY (G_GUINT64_CONSTANT (64) << 20)
#define TFD_MOST_SESSIONS 10000
/* Counts @more bytes of words that jobs of @uid are about to take, or fails with LIMITS_EXCEEDED.
 */
gboolean tfd_engine_check_stored (TfdEngine *self, guint32 uid, guint64 more, GError **error);

/* Counts @leftover, which its user has now, too; nothing is refused because of it. */
void tfd_engine_count_leftover (TfdEngine *self, const TfdLeftover *leftover);

/* Stores @tombstone; of what its user had before the oldest goes when it becomes too much. */
gboolean tfd_engine_add_tombstone (TfdEngine *self, const TfdTombstone *tombstone, GError **error);
/* What @specs (nullable) (element-type TfdFileSpec) take. */
guint64 tfd_engine_size_of_files (GPtrArray *specs);

/* ---- sweep.c ---- */
/* Deletes @job from the database, in the open transaction; the rows of many files later. */
gboolean tfd_engine_delete_job (TfdEngine *self, TfdJob *job, GError **error);
/* Such rows are deleted from now on, when there are any. */
void tfd_engine_sweep_later (TfdEngine *self);
/* They are: the service does not leave, so that nobody reads longer than is needed what the jobs
 * were about. */
gboolean tfd_engine_is_sweeping (TfdEngine *self);
/* The same for those that an earlier life of the service has left. */
void tfd_engine_sweep_rest (TfdEngine *self);

/* ---- limits.c ---- */
/* It counts against the limits (@step 1), or does not any more (-1), before its record changes. */
void tfd_engine_count_job (TfdEngine *self, const TfdJob *job, int step);
/* The same for the place of a job of @uid; @counts: against the limit of the machine, too. */
void tfd_engine_count_place (TfdEngine *self, guint32 uid, gboolean counts, int step);
/* What was reserved is within the limits as they are now, or was granted. */
gboolean tfd_reservation_check (const TfdReservation *self, GError **error);
/* The job that was reserved counts against the limit of the machine. */
gboolean tfd_reservation_counts (const TfdReservation *self);

/* ---- effects.c ---- */
void tfd_engine_execute (
    TfdEngine *self, TfdJob *job, TfdStep step, TfdJobState from, const TfdFailure *failure);

/* ---- files.c ---- */
/* Does so when the job rests. */
void tfd_engine_forget_files_later (TfdEngine *self, TfdJob *job);

/* ---- signals.c: told after the commit ---- */
void tfd_engine_install_signals (GType type);
void tfd_engine_tell_added (TfdEngine *self, TfdJob *job);
void tfd_engine_tell_changed (TfdEngine *self, TfdJob *job, TfdChanged mask);
void tfd_engine_tell_transferred (TfdEngine *self, TfdJob *job);
void tfd_engine_tell_error (TfdEngine *self, TfdJob *job);
void tfd_engine_tell_removed (TfdEngine *self, TfdJob *job, TfdResult result);
void tfd_engine_tell_network (TfdEngine *self);
void tfd_engine_tell_files (TfdEngine *self, TfdJob *job, GArray *files);

/* ---- schedule.c ---- */
void tfd_engine_plan_later (TfdEngine *self);
/* Plans again in a second: nothing could be recorded. */
void tfd_engine_pause_plan (TfdEngine *self);
TfdWorkerState *tfd_engine_worker_state (TfdEngine *self, guint32 uid);

/* ---- timers.c ---- */
/* Time that passed makes events of its own. Returns the boot time of the next, G_MAXINT64 = none.
 */
gint64 tfd_engine_check_timers (TfdEngine *self, TfdJob *job, gint64 now);
/* The same for what happens to jobs that nobody touches for a long time. */
gint64 tfd_engine_check_inactivity (TfdEngine *self, gint64 now);
/* @job is there from now on: what nobody has touched for a long time is looked for when it can be
 * due, not before. */
void tfd_engine_expect_inactivity (TfdEngine *self, const TfdJob *job);
/* Adds the time that the job was running to active_time. */
void tfd_job_account_time (TfdJob *job, gint64 now);
/* Notes what time it is, now and every hour. */
void tfd_engine_mark_time (TfdEngine *self);
/* Boot times of another boot mean nothing in this one: waits go on where the other boot last noted
 * the time, late rather than early. TRUE when @record was of another boot. */
gboolean tfd_engine_convert_times (TfdEngine *self, TfdJobRecord *record);
/* The times of @job as an earlier life left them, or late where they are not known. */
void tfd_engine_adopt_times (TfdEngine *self, TfdJob *job);

/* ---- world.c ---- */
/* Stops the job, or lets it go on, as the conditions say. TRUE = it stays in the queue because its
 * owner is away. */
gboolean tfd_engine_check_conditions (TfdEngine *self, TfdJob *job);
guint tfd_engine_judge (TfdEngine *self, TfdJob *job, TfdErrorCode codes[TFD_MAX_CONDITIONS]);
/* From now on the conditions are as they are until somebody tells otherwise. */
void tfd_engine_begin_world (TfdEngine *self);
/* The words for a condition that holds the job: the same one may do so for one reason or another.
 */
const char *tfd_engine_describe_condition (const TfdJob *job, TfdErrorCode code);
/* Since when (epoch, 0 = not known) a condition that holds the job has been as it is. */
gint64 tfd_engine_condition_since (TfdEngine *self, const TfdJob *job, TfdErrorCode code);

/* ---- runs.c ---- */
/* Files that a worker has in hand: enough that it never waits for us, refilled at half. */
#define TFD_FILES_IN_HAND 4096
void tfd_run_free (TfdRun *run);
void tfd_engine_start_run (TfdEngine *self, TfdJob *job);
/* Hands the worker the files that it has room for. */
void tfd_engine_feed_run (TfdEngine *self, TfdJob *job);
/* Its options may have changed: then the worker has to know. */
void tfd_engine_configure_run (TfdEngine *self, TfdJob *job);
/* The same once what has changed is recorded. */
void tfd_engine_configure_run_later (TfdEngine *self, TfdJob *job);
/* What the worker waits for with @file of run @run has been committed. */
void tfd_engine_tell_committed (TfdEngine *self, TfdJob *job, guint64 run, guint32 file);
/* Ends the run; @callback (nullable) when nothing is written any more. */
typedef void (*TfdStopped) (TfdEngine *self, TfdJob *job, gpointer data);
void tfd_engine_stop_run (TfdEngine *self, TfdJob *job, TfdStopped callback, gpointer data);
/* Hands a file over once more: its record has changed. */
void tfd_engine_hand_in_again (TfdEngine *self, TfdJob *job, const TfdFileRecord *file);
/* Forgets the run without asking: its worker is gone. */
void tfd_engine_drop_run (TfdEngine *self, TfdJob *job);
TfdJob *tfd_engine_job_of_run (TfdEngine *self, guint32 uid, guint64 number);

/* ---- news.c, trouble.c ---- */
void tfd_engine_connect_news (TfdEngine *self);
void tfd_engine_news_failed (TfdEngine *self, guint32 uid, GVariant *parameters);
void tfd_engine_news_event (TfdEngine *self, guint32 uid, GVariant *parameters);
void tfd_engine_connect_losses (TfdEngine *self); /* losses.c */
/* Stores part records a(ua{sv}) that a worker reported. */
void tfd_engine_store_parts (TfdEngine *self, TfdJob *job, GVariant *parts);
/* What arrived of @file is deleted some time; it begins anew under another name. */
gboolean
tfd_engine_abandon_part (TfdEngine *self, TfdJob *job, TfdFileRecord *file, GError **error);
/* The temporary of @file is gone: Resume fetches the file again. */
void tfd_engine_lose_part (TfdEngine *self, TfdJob *job, TfdFileRecord *file);

/* ---- requests.c: records to the formats of the worker interface ---- */
GVariant *tfd_request_file (const TfdFileRecord *file); /* (ua{sv}) */
/* Appends @file as Start and AddFiles want it, with the one for its @reply (nullable), after
 * @before (nullable). */
void tfd_request_pack_transfer (GByteArray *to,
                                const TfdFileRecord *file,
                                const TfdFileRecord *reply,
                                const TfdFileRecord *before);
/* Appends @file as Verify, Finalize and Discard want it. */
void tfd_request_pack_file (GByteArray *to, const TfdFileRecord *file);
/* @rows (transfer full) of these: ay, floating. */
GVariant *tfd_request_packed (GByteArray *rows);
/* The files that @rows (of TfdLeftover) speak of, likewise; as EndSessions wants them, a(ua{sv}).
 */
GVariant *tfd_request_leftovers (GPtrArray *rows);
GVariant *tfd_request_sessions (GPtrArray *rows);
/* @finished: bytes of the files that are done, which no run has to fetch any more. */
GVariant *
tfd_request_run_options (const TfdJobRecord *record, guint64 finished, const TfdConfig *config);

/* ---- outcome.c ---- */
TfdOutcome *tfd_outcome_new (void);
void tfd_outcome_free (TfdOutcome *outcome);
TfdTombstone *tfd_outcome_to_tombstone (TfdOutcome *outcome, const TfdJob *job, gint64 now);

/* ---- work.c: Complete and Cancel ---- */
/* Takes up what a crash interrupted. */
void tfd_engine_roll_forward (TfdEngine *self, TfdJob *job);
/* Nobody has touched the job for too long: as Cancel, with result "expired". */
void tfd_engine_expire (TfdEngine *self, TfdJob *job);
/* The same after a pause: the database could not be written. */
void tfd_engine_roll_forward_later (TfdEngine *self, TfdJob *job);
/* The service ends: what pauses is taken up by the next one. */
void tfd_engine_forget_alarms (TfdEngine *self);
/* AutoComplete: nobody waits for the outcome. */
void tfd_engine_auto_complete (TfdEngine *self, TfdJob *job);
/* TRUE when a Complete of the job waits for its destination to come back. */
gboolean tfd_job_awaits_destination (const TfdJob *job);

/* ---- leftovers.c ---- */
gboolean
tfd_engine_add_leftover (TfdEngine *self, TfdJob *job, const TfdFileRecord *file, GError **error);
void tfd_engine_try_leftovers (TfdEngine *self);
/* The same after the next commit. */
void tfd_engine_try_leftovers_later (TfdEngine *self);

/* ---- owners.c ---- */
/* How long the user of @job has been gone is counted on, after a start. */
void tfd_engine_adopt_owner (TfdEngine *self, TfdJob *job);

/* ---- sessions.c: what servers are to forget ---- */
/* Records what servers still hold of the files of @job, which ends. */
gboolean tfd_engine_add_sessions (TfdEngine *self, TfdJob *job, GError **error);
/* Asks again for those whose time has come, or @all, after the next commit. */
void tfd_engine_end_sessions (TfdEngine *self, gboolean all);
gboolean tfd_engine_has_sessions (TfdEngine *self);
void tfd_engine_forget_sessions (TfdEngine *self);

/* ---- attach.c ---- */
#define TFD_KEY_ATTACHED_TO                                                                        \
  "attached-to" /* option of a file that is sent: identity of its directory */
/* The worker of @owner, who has @job no more, or whose job has ended, closes what was handed in. */
void tfd_engine_detach (TfdEngine *self, const TfdOwner *owner, TfdJob *job);
/* Something was handed in for the files of @job that are in memory, or for one that it did not get.
 */
gboolean tfd_job_has_attached (const TfdJob *job);

/* ---- mounts.c ---- */
/* What @job waits for may be there again. */
void tfd_engine_try_destination (TfdEngine *self, TfdJob *job);

/* ---- probe.c ---- */
/* Remembers in @found (path -> (owned) TfdFound) what a worker saw of @path; FALSE when it is more
 * than we would store. */
gboolean tfd_found_add (GHashTable *found, const char *path, GVariant *identity, guint64 size);
GHashTable *tfd_found_new (void);
/* Answer to OpenPart: @user_data is a GTask (taken) that returns the descriptor. */
void tfd_part_opened_cb (GObject *source, GAsyncResult *result, gpointer user_data);
/* What to say when a worker could not open a temporary for reason @error (nullable). */
TfdErrorCode tfd_open_error_code (const GError *error);

/* ---- reply.c ---- */
/* The file for the reply to the upload that @spec describes. */
TfdFileRecord *tfd_reply_file_new (const TfdJobProperties *properties, const TfdFileSpec *spec);
/* The reply to the upload of @source can go where it is to go. */
gboolean tfd_reply_check (const TfdJobProperties *properties, const char *source, GError **error);
/* ReplyFileName may become what @changes (a{sv}) say. */
gboolean
tfd_engine_check_reply_name (TfdEngine *self, TfdJob *job, GVariant *changes, GError **error);
/* Has the reply go where ReplyFileName says now; TRUE = the job has to start anew for that. */
gboolean tfd_engine_move_reply (TfdEngine *self, TfdJob *job, gboolean *again, GError **error);

G_END_DECLS
