/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Engine: the heart. Keeps the jobs, asks the state table what each event means, changes model and
 * open transaction together, and has the consequences carried out after the commit. Knows neither
 * D-Bus nor processes: those are behind ports. */
#pragma once

#include "base/config.h"
#include "engine/conditions.h"
#include "engine/job.h"
#include "engine/outbox.h"

G_BEGIN_DECLS

#define TFD_TYPE_ENGINE (tfd_engine_get_type ())
G_DECLARE_FINAL_TYPE (TfdEngine, tfd_engine, TFD, ENGINE, GObject)

/**
 * Signals, each after the commit of what it tells:
 *   "job-added" (TfdJob *), "job-changed" (TfdJob *, guint mask of TfdChanged),
 *   "job-transferred" (TfdJob *), "job-error" (TfdJob *, guint TfdErrorCode, guint
 * TfdErrorContext), "job-removed" (TfdJob *, guint
 * TfdResult), "files-transferred" (TfdJob *, GArray of guint32): indices of files that are on disk
 * now.
 */
TfdEngine *
tfd_engine_new (TfdStore *store, TfdClock *clock, TfdTransport *transport, const TfdConfig *config);

/* Reads all jobs and takes up what was under way. Call once, before anybody can call. */
gboolean tfd_engine_load (TfdEngine *self, GError **error);

TfdClock *tfd_engine_get_clock (TfdEngine *self);
const TfdConfig *tfd_engine_get_config (TfdEngine *self);
TfdStore *tfd_engine_get_store (TfdEngine *self);

/* Where replies wait for the commit. */
TfdOutbox *tfd_engine_get_outbox (TfdEngine *self);

/* The job @id, or NULL. Jobs that ended stay for five seconds (their state is final). */
TfdJob *tfd_engine_get_job (TfdEngine *self, const char *id);

#define TFD_ALL_USERS G_MAXUINT32

/* Calls @func for each job of @uid, or of TFD_ALL_USERS, that has not ended, in order of creation,
 * until it returns FALSE. Jobs whose user is gone are of no user.
 * @after (nullable): begin after this job id. */
typedef gboolean (*TfdJobFunc) (TfdJob *job, gpointer data);
void tfd_engine_foreach_job (
    TfdEngine *self, guint32 uid, const char *after, TfdJobFunc func, gpointer data);

/* How many jobs of @uid there are, all of them or those made in one @sandbox (nullable), how many
 * of them run, and how fast. */
void tfd_engine_count (
    TfdEngine *self, guint32 uid, const char *sandbox, guint *jobs, guint *running, guint64 *rate);

/* There is something to do without anybody asking: a job is queued, runs, or is tried again, or a
 * Complete or Cancel works or waits for its destination, or a server is to forget an upload. */
gboolean tfd_engine_has_work (TfdEngine *self);

/* There is not, and nothing waits for a commit. */
gboolean tfd_engine_is_idle (TfdEngine *self);

/* Has a process of the owner look whether process @pid of the same user, which was there at @since
 * (boot time), is in a sandbox. The answer, (transfer full), is the name of the sandbox (see
 * common/sandbox-id.h); *no_network when nothing may be transferred for it. Fails with OWNER_GONE
 * when the user is not known, with WORKER_LOST when nobody could look in time: that says nothing
 * about the process. */
void tfd_engine_look_at_async (TfdEngine *self,
                               const TfdOwner *owner,
                               guint32 pid,
                               gint64 since,
                               GAsyncReadyCallback callback,
                               gpointer user_data);
char *tfd_engine_look_at_finish (TfdEngine *self,
                                 GAsyncResult *result,
                                 gboolean *no_network,
                                 GError **error);

/* What a worker saw of a path. */
typedef struct
{
  GBytes *identity; /* (owned) */
  guint64 size;     /* of a file to be sent, else TFD_SIZE_UNKNOWN */
} TfdFound;

/* Where something that was handed in again is now. */
typedef struct
{
  char *path;            /* (type filename) of the directory, or of the file that is sent */
  GPtrArray *identities; /* (owned) of GBytes: by these it is known in the job */
  gboolean file;         /* it is the file itself */
} TfdFoundAgain;

void tfd_found_again_free (TfdFoundAgain *found);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TfdFoundAgain, tfd_found_again_free)

/* Has the owner's worker look at what a job of @type with @properties needs for @files (of
 * TfdFileSpec): that directories are there and may be written, and that what is to be sent is a
 * file that may be read. The answer, path -> TfdFound, goes to tfd_engine_create_job() and
 * tfd_engine_add_files(); it is empty when no worker could be had in time, as files are looked at
 * again when they start. Fails with INVALID_PATH or FILE_ACCESS_DENIED. */
void tfd_engine_probe_async (TfdEngine *self,
                             const TfdOwner *owner,
                             TfdJobType type,
                             const TfdJobProperties *properties,
                             GPtrArray *files,
                             GAsyncReadyCallback callback,
                             gpointer user_data);
GHashTable *tfd_engine_probe_finish (TfdEngine *self, GAsyncResult *result, GError **error);
/* Whether all of it was seen a moment ago: the same probe asks no worker, and finds nothing. */
gboolean
tfd_engine_probe_is_known (TfdEngine *self, guint32 uid, TfdJobType type, GPtrArray *files);

/* What is about to be created, see engine/limits.h. */
typedef struct _TfdReservation TfdReservation;

/* Hands @fd, which is taken, to the worker of @job's owner: the directory of @specs (made by
 * tfd_file_specs_new_at ()), or the file itself that the one of them sends. The worker keeps it for
 * the job. Paths and identities come into @specs, and the answer is for tfd_engine_add_files (), as
 * that of a probe. Fails with INVALID_PATH, INVALID_ARGS, FILE_ACCESS_DENIED or LIMITS_EXCEEDED. */
void tfd_engine_attach_async (TfdEngine *self,
                              TfdJob *job,
                              int fd,
                              GPtrArray *specs,
                              GAsyncReadyCallback callback,
                              gpointer user_data);
GHashTable *tfd_engine_attach_finish (TfdEngine *self, GAsyncResult *result, GError **error);

/* Hands in again, with @fd (taken), what file @index of @job is in, or the file itself if that was
 * handed in. The answer, for tfd_engine_attach_again (), says where it is now. */
void tfd_engine_find_again_async (TfdEngine *self,
                                  TfdJob *job,
                                  guint32 index,
                                  int fd,
                                  GAsyncReadyCallback callback,
                                  gpointer user_data);
TfdFoundAgain *tfd_engine_find_again_finish (TfdEngine *self, GAsyncResult *result, GError **error);

/* The files of @job that are there are there from now on; *changed is how many. What waited for
 * them goes on. */
gboolean tfd_engine_attach_again (
    TfdEngine *self, TfdJob *job, const TfdFoundAgain *found, guint32 *changed, GError **error);

/* Creates a job, adds @files (nullable) and starts it when @start, all or nothing. @found is what
 * the probe found (nullable), @reservation (nullable) what was reserved for it. Takes @properties,
 * and the strings of @files. */
TfdJob *tfd_engine_create_job (TfdEngine *self,
                               const TfdOwner *owner,
                               TfdJobType type,
                               TfdJobProperties *properties,
                               GPtrArray *files,
                               GHashTable *found,
                               gboolean start,
                               const TfdReservation *reservation,
                               GError **error);

/* Whether @n_files could be appended to @job as it is, apart from limits on their number. */
gboolean tfd_engine_check_add_files (TfdEngine *self, TfdJob *job, guint n_files, GError **error);

/* Appends @files, for which there is @reservation (nullable); *first is the index of the first of
 * them. Takes their strings. */
gboolean tfd_engine_add_files (TfdEngine *self,
                               TfdJob *job,
                               GPtrArray *files,
                               GHashTable *found,
                               const TfdReservation *reservation,
                               guint32 *first,
                               GError **error);

gboolean tfd_engine_suspend (TfdEngine *self, TfdJob *job, GError **error);
gboolean tfd_engine_resume (TfdEngine *self, TfdJob *job, GError **error);
gboolean
tfd_engine_set_properties (TfdEngine *self, TfdJob *job, GVariant *changes, GError **error);
/* See tfd_credentials_set () and its neighbour. */
gboolean tfd_engine_set_credentials (TfdEngine *self,
                                     TfdJob *job,
                                     const char *target,
                                     const char *scheme,
                                     const char *user,
                                     const char *password,
                                     GError **error);
gboolean tfd_engine_remove_credentials (TfdEngine *self,
                                        TfdJob *job,
                                        const char *target,
                                        const char *scheme,
                                        gboolean *removed,
                                        GError **error);

/* Where file @index comes from: counts from its next start on, and a file that is being fetched
 * starts anew with what it has; of one that has arrived only the name changes. */
gboolean tfd_engine_set_remote_name (
    TfdEngine *self, TfdJob *job, guint32 index, const char *url, GError **error);

/* The same for every file whose URL begins with @prefix; *changed is how many there were. */
gboolean tfd_engine_replace_remote_prefix (TfdEngine *self,
                                           TfdJob *job,
                                           const char *prefix,
                                           const char *replacement,
                                           guint32 *changed,
                                           GError **error);

/* The owner's verdict on file @index, which has arrived. One that is not @valid is fetched again
 * after a Resume; until then the job is in error. */
gboolean tfd_engine_set_validation_state (
    TfdEngine *self, TfdJob *job, guint32 index, gboolean valid, GError **error);

/* How a Complete or Cancel ended. Arrays of guint32 are file indices. */
typedef struct
{
  TfdResult result;
  GVariant *kept_names; /* (owned) (nullable) a(us): what kept says, when the job has ended */
  GArray *kept, *discarded, *moved;
  GPtrArray *undeleted; /* paths */
} TfdOutcome;

typedef void (*TfdOutcomeFunc) (TfdJob *job,
                                const TfdOutcome *outcome,
                                const GError *error,
                                gpointer data);

/* Begins Complete with @options (checked a{sv}) or Cancel. @func is called once, through the
 * outbox: with an outcome when the job has ended, with an error when it was refused or failed. The
 * job must not be busy. */
void tfd_engine_complete (
    TfdEngine *self, TfdJob *job, GVariant *options, TfdOutcomeFunc func, gpointer data);
void tfd_engine_cancel (TfdEngine *self, TfdJob *job, TfdOutcomeFunc func, gpointer data);

/* Gives @job to @owner, an administrator, for whom there is @reservation (transfer full) (nullable)
 * by tfd_reservation_new_takeover (): suspended, without the secrets of its present owner, and
 * only when the new owner's worker can go on with what is there. @func is called once, when that is
 * recorded or with the reason why nothing has changed: FILE_ACCESS_DENIED, INSUFFICIENT_SPACE,
 * WORKER_LOST, INVALID_STATE, or that the new owner has too many jobs. The job must not be busy. */
typedef void (*TfdTakenFunc) (TfdJob *job, const GError *error, gpointer data);
void tfd_engine_take_ownership (TfdEngine *self,
                                TfdJob *job,
                                const TfdOwner *owner,
                                TfdReservation *reservation,
                                TfdTakenFunc func,
                                gpointer data);

/* TRUE while a Complete or Cancel of the job works: every other call that changes the job waits. */
gboolean tfd_engine_is_busy (TfdEngine *self, TfdJob *job);

/* Has @func called when the job is not busy any more, in the order of the calls of this function.
 * @destroy is called in any case. */
typedef void (*TfdFreeFunc) (TfdJob *job, gpointer data);
void tfd_engine_when_free (
    TfdEngine *self, TfdJob *job, TfdFreeFunc func, gpointer data, GDestroyNotify destroy);

/* Rows @first … of the files (element-type TfdFileRecord), at most @count (0 = all). */
GPtrArray *
tfd_engine_list_files (TfdEngine *self, TfdJob *job, guint32 first, guint32 count, GError **error);

/* A descriptor, read only, of what has arrived of a file. */
void tfd_engine_open_temporary_async (
    TfdEngine *self, TfdJob *job, guint32 file, GAsyncReadyCallback callback, gpointer user_data);
int tfd_engine_open_temporary_finish (TfdEngine *self, GAsyncResult *result, GError **error);

/* How much of the reply to an upload has arrived, and how much there is of it (TFD_SIZE_UNKNOWN);
 * 0 for jobs without one. */
void
tfd_engine_get_reply_progress (TfdEngine *self, TfdJob *job, guint64 *transferred, guint64 *total);

/* The reply of a job that is transferred: as bytes (ay, transfer full) if there are not more than
 * @most (TOO_LARGE), and as a descriptor, read only, which tfd_engine_open_temporary_finish ()
 * gives. NOT_SUPPORTED for jobs without a reply, INVALID_STATE before it is there. */
void tfd_engine_read_reply_async (
    TfdEngine *self, TfdJob *job, guint64 most, GAsyncReadyCallback callback, gpointer user_data);
GVariant *tfd_engine_read_reply_finish (TfdEngine *self, GAsyncResult *result, GError **error);
void tfd_engine_open_reply_async (TfdEngine *self,
                                  TfdJob *job,
                                  GAsyncReadyCallback callback,
                                  gpointer user_data);

/* What is known of the network: properties of the manager. Signal "network-changed" () tells. */
void tfd_engine_set_network (TfdEngine *self, gboolean online, gboolean metered);
gboolean tfd_engine_is_online (TfdEngine *self);
gboolean tfd_engine_is_metered (TfdEngine *self);

/* The configuration has changed: it holds at once, for what runs, too. */
void tfd_engine_reconfigure (TfdEngine *self);

/* The other conditions, told by those who watch them; each acts at once. Who waits for a log-on
 * waits also for tfd_engine_set_log_ons(). @until: epoch, 0 = not known. */
void tfd_engine_set_power (TfdEngine *self, gboolean power_saver, gboolean on_battery);
void tfd_engine_set_blocked_hours (TfdEngine *self, gboolean blocked, gint64 until);
void tfd_engine_set_log_ons (TfdEngine *self, TfdLogOns log_ons);
void tfd_engine_set_session (TfdEngine *self, guint32 uid, TfdSession session);

/* Has running transfers put on the disk what they have, before the machine sleeps. */
void
tfd_engine_checkpoint_async (TfdEngine *self, GAsyncReadyCallback callback, gpointer user_data);
gboolean tfd_engine_checkpoint_finish (TfdEngine *self, GAsyncResult *result, GError **error);

/* Whose the user id @uid is now, as the name service has it; @name NULL: nobody's. Jobs that were
 * made under another name are held: OWNER_GONE. */
void tfd_engine_note_owner (TfdEngine *self, guint32 uid, const char *name);
/* A number that is another one after a user id has turned out to be somebody else's, or nobody's.
 */
guint tfd_engine_get_persons (TfdEngine *self);

/* From now on the name service is asked who the owners of the jobs are: at once, daily, and when
 * the worker of one of them is lost. */
void tfd_engine_watch_owners (TfdEngine *self);

/* A mount came or went: what waits for a destination tries again. */
void tfd_engine_mounts_changed (TfdEngine *self);

G_END_DECLS
