/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Store: the database of jobs. Every function that writes begins a transaction by itself when none
 * is open; nothing is durable, and nothing may be told to anybody, before tfd_store_commit ()
 * returned TRUE. Reads see what the open transaction has written.
 *
 * Each write is all or nothing by itself: when one fails (STORAGE_FAILED, or what its comment
 * says), it has changed nothing and the transaction may go on, with one exception: when the
 * database threw the whole transaction away (disk full, I/O error), every further write and the
 * commit fail until tfd_store_rollback () is called. */
#pragma once

#include "store/records.h"

G_BEGIN_DECLS

typedef struct _TfdStore TfdStore;

#define TFD_STORE_FILE "transferd.db"
#define TFD_STORE_LOCK_FILE "lock"
#define TFD_STORE_STAMP_FILE "work-waits"

/* Makes @state_dir (0700) when it is absent and takes its lock, to be done before
 * tfd_store_open (). While somebody else has it, tries again for @wait microseconds, blocking;
 * then fails, naming the holder's process id. Returns a descriptor that holds the lock until it is
 * closed, or -1. */
int tfd_store_lock (const char *state_dir, gint64 wait, GError **error);

/* Makes or deletes the stamp in @state_dir: as long as it is there the service has something to go
 * on with, or may have, and should be started when the machine is. */
gboolean tfd_store_set_stamp (const char *state_dir, gboolean waits, GError **error);

/* Opens the database in @state_dir, creating it or bringing it to the present version. One of a
 * newer version is refused; a damaged one is renamed to "transferd.db.corrupt-<time>" and a new one
 * begun (see tfd_store_get_set_aside). */
TfdStore *tfd_store_open (const char *state_dir, GError **error);

/* Throws away what was not committed. */
void tfd_store_close (TfdStore *store);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TfdStore, tfd_store_close)

/* The path to which a damaged database was renamed by tfd_store_open (), or NULL. (transfer none)
 */
const char *tfd_store_get_set_aside (TfdStore *store);

/* Reads the key for secrets, or makes one; else that is done when it is needed. */
gboolean tfd_store_prepare_secrets (TfdStore *store, GError **error);

/* Begins a transaction; nothing to do when one is open. */
gboolean tfd_store_begin (TfdStore *store, GError **error);
gboolean tfd_store_in_transaction (TfdStore *store);

/* Makes everything since begin () durable; TRUE when no transaction is open. On failure everything
 * since begin () is undone, and no transaction is open any more. */
gboolean tfd_store_commit (TfdStore *store, GError **error);

/* Undoes everything since begin (); nothing to do when no transaction is open. */
void tfd_store_rollback (TfdStore *store);

/* Gives back the memory of what was read, which is read again when it is needed. */
void tfd_store_release_memory (TfdStore *store);

/* --- jobs --- */

gboolean tfd_store_insert_job (TfdStore *store, const TfdJobRecord *job, GError **error);

/* Writes the row, but for owner_uid and counts; NOT_FOUND when there is none with this id. */
gboolean tfd_store_update_job (TfdStore *store, const TfdJobRecord *job, GError **error);

/* Writes these two. */
gboolean tfd_store_update_owner (TfdStore *store, const TfdJobRecord *job, GError **error);

/* Deletes a job with its files and events; TRUE as well when there is none. */
gboolean tfd_store_delete_job (TfdStore *store, const char *job_id, GError **error);

/* The same for a job with many files: it is gone for everybody, and its rows are left to
 * tfd_store_sweep (). */
gboolean tfd_store_retire_job (TfdStore *store, const char *job_id, GError **error);

/* Deletes about @rows rows of jobs that were retired. *@more = whether there are others. */
gboolean tfd_store_sweep (TfdStore *store, guint rows, gboolean *more, GError **error);

/* Whether there are rows to sweep. */
gboolean tfd_store_needs_sweep (TfdStore *store, gboolean *needed, GError **error);

/* All jobs in the order of their creation, element type TfdJobRecord. A row that this version
 * cannot understand is left alone, left out, and logged. (transfer full) */
GPtrArray *tfd_store_load_jobs (TfdStore *store, GError **error);

/* (transfer full), NOT_FOUND when there is none. */
TfdJobRecord *tfd_store_load_job (TfdStore *store, const char *job_id, GError **error);

/* --- files --- */

/* Adds files (element type TfdFileRecord) to a job: all or none. DUPLICATE_DESTINATION when a path
 * is in the job already, TOO_LARGE when a part record is over TFD_MAX_PART. */
gboolean
tfd_store_insert_files (TfdStore *store, const char *job_id, GPtrArray *files, GError **error);

/* Writes the whole row; NOT_FOUND when there is none, TOO_LARGE as above. A file that is
 * stored as transferring is read as one that waits: nobody has it in hand any more. */
gboolean tfd_store_update_file (TfdStore *store,
                                const char *job_id,
                                const TfdFileRecord *file,
                                GError **error);

/* The same of what changes while a file is transferred: its state, what is there of it, its part.
 */
gboolean tfd_store_update_progress (TfdStore *store,
                                    const char *job_id,
                                    const TfdFileRecord *file,
                                    GError **error);

/* @count files from index @first on are completed; NOT_FOUND when not all of them are there, and
 * then nothing has changed. */
gboolean tfd_store_complete_files (
    TfdStore *store, const char *job_id, guint32 first, guint32 count, GError **error);

/* All files of a job by index, element type TfdFileRecord. (transfer full) */
GPtrArray *tfd_store_load_files (TfdStore *store, const char *job_id, GError **error);

/* At most @count (0 = all) files from index @first on. (transfer full) */
GPtrArray *tfd_store_load_file_range (
    TfdStore *store, const char *job_id, guint32 first, guint32 count, GError **error);

/* What is counted for each besides its words. */
#define TFD_STORED_PER_FILE 64
#define TFD_STORED_PER_JOB 1024

/* How many bytes the words of all jobs of a user take: URLs, paths, properties; and what jobs that
 * have ended have left to be done. */
gboolean tfd_store_measure_user (TfdStore *store, guint32 uid, guint64 *bytes, GError **error);

/* The file of a job with exactly this local path. *@found tells whether there is one, *@index
 * (nullable) which. FALSE only when the database failed. */
gboolean tfd_store_find_file_by_path (TfdStore *store,
                                      const char *job_id,
                                      const char *path,
                                      gboolean *found,
                                      guint32 *index,
                                      GError **error);

/* --- tombstones --- */

/* Which tombstones; zero-initialised: all of the user. */
typedef struct
{
  gboolean all_users;
  gint64 since;           /* epoch: ended at or after it */
  guint limit;            /* 0 = no limit */
  const char *after;      /* (nullable) id of the last row of the page before */
  const char *const *ids; /* (nullable) only these */
  gboolean files;         /* load kept and discarded too */
  const char *sandbox;    /* (nullable) only of jobs that were made in this one */
} TfdTombstoneFilter;

/* Adds a tombstone; replaces one with the same id. Lists longer than TFD_MAX_TOMBSTONE_FILES are
 * cut there. */
gboolean tfd_store_add_tombstone (TfdStore *store, const TfdTombstone *tombstone, GError **error);

/* Those of user @uid that pass @filter (nullable), the latest first, element type TfdTombstone.
 * Nothing follows an @after that is unknown. (transfer full) */
GPtrArray *tfd_store_load_tombstones (TfdStore *store,
                                      guint32 uid,
                                      const TfdTombstoneFilter *filter,
                                      GError **error);

/* Deletes those of user @uid: that is another person now. */
gboolean tfd_store_forget_tombstones (TfdStore *store, guint32 uid, GError **error);

/* Deletes the oldest of user @uid, until those that are left, each counted with TFD_STORED_PER_JOB,
 * take at most @most bytes, and their lists as much; the latest of all stays in any case. */
gboolean tfd_store_shorten_tombstones (TfdStore *store, guint32 uid, guint64 most, GError **error);

/* Deletes those that ended before @before (epoch); *@pruned (nullable) = how many. */
gboolean tfd_store_prune_tombstones (TfdStore *store, gint64 before, guint *pruned, GError **error);

/* --- leftovers --- */

/* Adds a leftover and sets its id. */
gboolean tfd_store_add_leftover (TfdStore *store, TfdLeftover *leftover, GError **error);

/* Those of @kind of user @uid, or of everybody with G_MAXUINT32; oldest first, element type
 * TfdLeftover. (transfer full) */
GPtrArray *
tfd_store_load_leftovers (TfdStore *store, TfdLeftoverKind kind, guint32 uid, GError **error);

/* Notes that leftover @id was tried at @last_try (epoch). */
gboolean tfd_store_touch_leftover (TfdStore *store, gint64 id, gint64 last_try, GError **error);

/* The span of leftover @id counts from @since, a boot time of boot @boot_id. */
gboolean tfd_store_restart_leftover (
    TfdStore *store, gint64 id, const char *boot_id, gint64 since, GError **error);
gboolean tfd_store_remove_leftover (TfdStore *store, gint64 id, GError **error);

/* Deletes those created before @before (epoch); *@pruned (nullable) = how many. */
gboolean tfd_store_prune_leftovers (TfdStore *store, gint64 before, guint *pruned, GError **error);

/* --- events --- */

/* Adds a line to the log of a job, of which the last @keep lines are kept. @details (nullable): a
 * floating one is consumed. */
gboolean tfd_store_append_event (TfdStore *store,
                                 const char *job_id,
                                 gint64 time,
                                 const char *kind,
                                 GVariant *details,
                                 guint keep,
                                 GError **error);

/* The last @limit (0 = all) lines of a job, the newest last, element type TfdEventRow.
 * (transfer full) */
GPtrArray *tfd_store_load_events (TfdStore *store, const char *job_id, guint limit, GError **error);

/* --- facts about the service --- */

/* Remembers @value (NULL: forgets it) under @key. */
gboolean tfd_store_set_meta (TfdStore *store, const char *key, const char *value, GError **error);

/* *@value = what is remembered under @key, or NULL. (transfer full) FALSE only when the database
 * failed. */
gboolean tfd_store_get_meta (TfdStore *store, const char *key, char **value, GError **error);

G_END_DECLS
