/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Bus, inside: the structs that the rooms of this floor share. */
#pragma once

#include "base/log.h"
#include "bus/bus.h"
#include "bus/traffic.h"
#include "common/names.h"
#include "engine/limits.h"

/* Actions of polkit whose answers are remembered. */
#define TFD_N_REMEMBERED 3

G_BEGIN_DECLS

typedef struct _TfdPeer TfdPeer;
typedef struct _TfdEmit TfdEmit;
typedef struct _TfdPermit TfdPermit;
typedef struct _TfdTurns TfdTurns;

struct _TfdBus
{
  GDBusConnection *connection; /* (owned) */
  TfdEngine *engine;           /* (owned) */
  TfdAuthority *authority;     /* (owned) */
  guint32 only_uid;
  TfdReloadFunc reload;
  gpointer reload_data;
  gulong authority_changed; /* handler */
  guint changes;            /* of the authority: how often it said so */
  guint registrations[2];
  guint guard;         /* filter of the connection */
  TfdTraffic *traffic; /* (owned) what callers have under way */
  guint watch;         /* subscription to the end of anybody */
  guint unwatched;     /* peers that have no subscription of their own */
  TfdTurns *turns;     /* (owned) */
  GHashTable *peers;   /* (owned) unique name -> (owned) TfdPeer */
  TfdEmit *emit;       /* (owned) */
  guint calls;         /* that have arrived and are not handled yet */
  gint64 last_busy;    /* boot time of the last call, end of a client, or change of a job */
};

/* One connection of a client. */
struct _TfdPeer
{
  grefcount refs;
  TfdBus *bus;
  char *name;       /* unique name on the bus */
  gboolean known;   /* uid was asked and answered */
  gboolean leaving; /* has left the bus; its calls have their turn yet */
  gboolean gone;
  guint32 uid;
  guint watch;         /* subscription to its end, 0 = the common one */
  GQueue calls;        /* of TfdCall: not yet handled */
  guint put_back;      /* so many at the head of these had their turn before */
  guint waiting;       /* calls under way that keep the order */
  gboolean has_turn;   /* stands among those whose calls are handled next */
  GCancellable *ended; /* (owned) cancelled at its end */
  /* types of jobs, one bit each, that it may create, for which it may ask for the foreground, and
   * that may ignore what they cost: in the order of authorize.c */
  guint may[TFD_N_REMEMBERED];
  guint changes; /* of the authority, when that was asked */
  gboolean subscribed;
  gboolean manages;   /* was allowed to see other people's jobs, and hears of some of them: */
  gboolean all_users; /* of all of them */
  GHashTable *jobs;   /* (owned) set of ids that it asked GetAll for */

  guint32 pid;     /* 0: the bus does not say */
  int process;     /* descriptor of it, where the bus gives one, until it was looked at; or -1 */
  char *labelled;  /* (owned) (nullable) sandbox that its security label names, until then */
  char *person;    /* (owned) (nullable) the name of its user, */
  gint64 named;    /* boot time: asked of the name service then, */
  guint persons;   /* and how often the engine had heard of changes by then */
  gint64 arrived;  /* boot time at which the connection was there */
  gboolean looked; /* at the process: what follows is known */
  char *sandbox;   /* (owned) common/sandbox-id.h: "" = in none */
  gboolean no_network; /* nothing may be transferred for it */
};

/* One method call on its way. */
typedef struct
{
  TfdBus *bus;
  TfdPeer *peer;                     /* (owned) */
  GDBusMethodInvocation *invocation; /* (owned) until it is answered */
  TfdJob *job;                       /* (owned) (nullable) */
  gboolean held;                     /* keeps the order of its peer */
  gboolean under_way;                /* counts as that */
  gboolean asked;                    /* whether it may use other people's jobs */
  guint granted;                     /* one bit for each action that was allowed for it */
  TfdPermit *permit;                 /* (nullable) (not owned) what is asked of it now */
} TfdCall;

/* ---- peers.c ---- */
TfdPeer *tfd_peer_ref (TfdPeer *peer);
void tfd_peer_unref (TfdPeer *peer);
/* The calls of a client that were not handled yet wait until it is released as often as held. */
void tfd_peer_hold (TfdPeer *peer);
void tfd_peer_release (TfdPeer *peer);
/* Queues the call of a client; handled when its uid is known and its earlier calls were, and those
 * of others had their turn. */
void tfd_peers_dispatch (TfdBus *bus, GDBusMethodInvocation *invocation);
/* Drops what is left of a client. */
void tfd_peer_leave (TfdPeer *peer);
/* The same when it has left the bus, and nothing that it sent is to be handled yet. */
void tfd_peer_leave_when_done (TfdPeer *peer);
/* All clients are as good as gone. */
void tfd_peers_end (TfdBus *bus);

/* ---- call.c ---- */
void tfd_call_free (TfdCall *call);
GVariant *tfd_call_parameters (TfdCall *call);
/* Answers after the commit of everything done so far, and frees the call. @value is consumed when
 * floating; NULL = no arguments. */
void tfd_call_return (TfdCall *call, GVariant *value);
void tfd_call_return_fds (TfdCall *call, GVariant *value, GUnixFDList *fds);
/* The same with an error, which is taken. */
void tfd_call_fail (TfdCall *call, GError *error);
void tfd_call_fail_code (TfdCall *call, TfdErrorCode code, const char *format, ...)
    G_GNUC_PRINTF (3, 4);
/* A descriptor of one's own of the one that came with the call as @handle: what it is of is not
 * looked at here. -1 and INVALID_ARGS when there is none. */
int tfd_call_take_fd (TfdCall *call, gint32 handle, GError **error);
/* Later calls of the same client wait until this one is answered or released. */
void tfd_call_hold (TfdCall *call);
void tfd_call_release (TfdCall *call);
/* The call had waited for its job and now waits for an earlier call of its client: it goes before
 * those that were never handled, behind others that were put back. */
void tfd_call_put_back (TfdCall *call);

/* ---- authorize.c ---- */
/* @error (transfer full): NULL = the call may. */
typedef void (*TfdAuthorizedFunc) (TfdCall *call, GError *error);
/* Asks whether the client may do @action ("create-job"), with @details (nullable) a{ss}, consumed
 * when floating; then @func, once: perhaps before this returns, perhaps long after. Until then the
 * call is not answered, and later ones of the client wait, unless somebody is asked for a password.
 * Meanwhile the job of the call may have changed, become busy, or ended. */
void
tfd_call_authorize (TfdCall *call, const char *action, GVariant *details, TfdAuthorizedFunc func);
/* The same, but nobody is asked for a password: without is no. */
void tfd_call_authorize_quietly (TfdCall *call,
                                 const char *action,
                                 GVariant *details,
                                 TfdAuthorizedFunc func);
/* What nobody is asked about when the client wants a job of @type, or was asked before, is granted
 * without a question being made. */
void tfd_call_grant_known (TfdCall *call, TfdJobType type);
/* That was asked for this call, and allowed. */
gboolean tfd_call_is_granted (TfdCall *call, const char *action);

/* ---- caller.c ---- */
typedef void (*TfdIdentifiedFunc) (TfdPeer *peer, const GError *error);
/* Asks the bus who @peer is; then @func, unless it has gone meanwhile. */
void tfd_caller_identify (TfdPeer *peer, TfdIdentifiedFunc func);
void tfd_caller_forget (TfdPeer *peer);
/* TRUE: it has to be known first whether the client is in a sandbox; the call has been put back
 * and has its turn again when that is known. When it cannot be found out the call fails, and the
 * next one tries again. */
gboolean tfd_caller_look_first (TfdCall *call);

/* ---- sandboxed.c ---- */
gboolean tfd_peer_is_sandboxed (const TfdPeer *peer);
/* What a client in a sandbox may not ask for: the error SANDBOXED to answer, or NULL. */
GError *tfd_sandboxed_check (TfdCall *call);
/* FALSE with SANDBOXED when one of @files (of TfdFileSpec) is not for @peer to name by its URL. */
gboolean tfd_access_check_urls (const TfdPeer *peer, GPtrArray *files, GError **error);

/* ---- permit.c ---- */
/* With @reservation (transfer full) the call may create what it wants to, with @error (transfer
 * full) it may not. */
typedef void (*TfdPermitFunc) (gpointer data, TfdReservation *reservation, GError *error);
/* Asks whether the client may have a job of @type with @properties, which must stay until @func is
 * called, and @files (nullable) (element-type TfdFileSpec), and has it reserved. */
void tfd_permit_job (TfdCall *call,
                     TfdJobType type,
                     const TfdJobProperties *properties,
                     GPtrArray *files,
                     TfdPermitFunc func,
                     gpointer data);
/* The same for @files more of the job of the call. */
void tfd_permit_files (TfdCall *call, GPtrArray *files, TfdPermitFunc func, gpointer data);
/* The same for the job of the call, which the client is about to take over. */
void tfd_permit_takeover (TfdCall *call, TfdPermitFunc func, gpointer data);
/* Sets properties of the job of the call as @changes (a{sv}) say, if it may, and answers. */
void tfd_permit_properties (TfdCall *call, GVariant *changes);

/* ---- access.c ---- */
/* Whether @job is @peer's own. The programs of a user that are in no sandbox own all jobs of the
 * user; one in a sandbox owns those that were made from there. */
gboolean tfd_access_is_owner (const TfdPeer *peer, TfdJob *job);
/* Whether the caller may do what it asks for; decided by the annotations of the interface, denied
 * where there is none. Sets call->job for calls on jobs. Otherwise the error to answer. When that
 * is for polkit to say, *action is what to ask; with its grant the call is checked again. */
GError *tfd_access_check (TfdCall *call, const char **action);
/* The job @path of the caller, or NULL with NOT_FOUND. */
TfdJob *tfd_access_find_job (TfdCall *call, const char *path, GError **error);
/* Whether @path is a job of the caller. */
gboolean tfd_access_is_own (TfdCall *call, const char *path);
/* Handles the call again when the caller may use jobs of others. If not, nobody tells it whether
 * there is such a job: NOT_FOUND. */
void tfd_access_foreign_cb (TfdCall *call, GError *error);
GError *tfd_access_not_found (void);

/* ---- turns.c ---- */
TfdTurns *tfd_turns_new (TfdBus *bus);
/* The first call of @peer, if it has one that may be handled now, is handled when its turn comes.
 */
void tfd_turns_add (TfdPeer *peer);
/* @peer has left the bus: it goes when what it sent has had its turn. */
void tfd_turns_leave (TfdPeer *peer);
/* @call has been answered, or will not be. */
void tfd_turns_done (TfdCall *call);
/* From now on nobody has a turn. */
void tfd_turns_end (TfdTurns *turns);
/* After the last call and the last client. */
void tfd_turns_free (TfdTurns *turns);

/* ---- administrators.c ---- */
#define TFD_ACTION_MANAGE_OTHER_JOBS "manage-other-jobs"
/* Whose jobs a call with @options (all-users b) is about: *@uid is the caller's own or
 * TFD_ALL_USERS. FALSE: somebody has to be asked first, and the call is handled again after that,
 * or answered. */
gboolean tfd_administrators_read (TfdCall *call, GVariant *options, guint32 *uid);
/* TRUE: one of @paths is not the caller's, and it has to be asked first whether it may manage other
 * people's jobs; then the call is handled again, whatever the answer is. */
gboolean tfd_administrators_ask_about (TfdCall *call, char **paths);
/* The job has another owner: whoever may not hear of it any more does not. */
void tfd_administrators_forget (TfdBus *bus, TfdJob *job);
/* The rules of polkit have changed: who hears of other people's jobs is asked about again. */
void tfd_administrators_ask_again (TfdBus *bus);
/* NULL, or why only the owner of the job may change what @changes (a{sv}) say. */
GError *tfd_administrators_check_changes (TfdCall *call, GVariant *changes);

/* ---- guard.c ---- */
/* Refuses calls that could not be answered safely, or are too many; the number of the filter. */
guint tfd_guard_add (GDBusConnection *connection, TfdTraffic *traffic);

/* ---- registration.c ---- */
gboolean tfd_bus_register (TfdBus *bus, GError **error);

/* ---- dispatch.c ---- */
/* Handles a call whose turn it is. */
void tfd_bus_handle (TfdCall *call);

/* ---- manager.c, manager-create.c, manager-list.c, job.c ---- */
typedef void (*TfdHandler) (TfdCall *call, GVariant *parameters);
typedef struct
{
  const char *name;
  TfdHandler handle;
  gboolean mutates; /* of a job: waits while a Complete or Cancel works */
} TfdMethod;
const TfdMethod *tfd_manager_methods (void);
const TfdMethod *tfd_job_methods (void);
void tfd_manager_create_job (TfdCall *call, GVariant *parameters);
void tfd_manager_list_jobs (TfdCall *call, GVariant *parameters);
void tfd_manager_get_job_history (TfdCall *call, GVariant *parameters);
void tfd_manager_complete_jobs (TfdCall *call, GVariant *parameters);
void tfd_manager_cancel_jobs (TfdCall *call, GVariant *parameters);
void tfd_job_list_files (TfdCall *call, GVariant *parameters);
void tfd_job_add_file (TfdCall *call, GVariant *parameters);
void tfd_job_add_files (TfdCall *call, GVariant *parameters);
void tfd_job_take_ownership (TfdCall *call, GVariant *parameters);
void tfd_job_add_file_fd (TfdCall *call, GVariant *parameters);
void tfd_job_add_files_at (TfdCall *call, GVariant *parameters);

/* ---- attach.c ---- */
void tfd_job_attach_directory (TfdCall *call, GVariant *parameters);

/* ---- credentials.c ---- */
void tfd_job_set_credentials (TfdCall *call, GVariant *parameters);
void tfd_job_remove_credentials (TfdCall *call, GVariant *parameters);

/* ---- properties.c, manager-properties.c, job-properties.c ---- */
void tfd_properties_handle (TfdCall *call, const char *method, GVariant *parameters);
GVariant *tfd_manager_get_property (TfdCall *call, const char *name);
/* As @peer may see it: floating, or NULL when there is no such property. */
GVariant *tfd_job_get_property (const TfdPeer *peer, TfdJob *job, const char *name);
/* The properties that @mask (TfdChanged) speaks of are added to @changed (a{sv}), or where their
 * value is for those only who ask for it, to @invalidated (as). */
void tfd_job_add_changed (
    TfdBus *bus, TfdJob *job, guint mask, GVariantBuilder *changed, GVariantBuilder *invalidated);

/* ---- outcome.c ---- */
/* As many of @paths as a reply has room for, as; floating. */
GVariant *tfd_bus_list_paths (const char *const *paths, gsize n_paths);
/* The reply of Complete and Cancel: (sa{sv}). */
GVariant *tfd_bus_describe_outcome (TfdJob *job, const TfdOutcome *outcome);

/* ---- emit.c ---- */
TfdEmit *tfd_emit_new (TfdBus *bus);
void tfd_emit_free (TfdEmit *emit);

G_END_DECLS
