/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Months: a machine with several users, their disks, servers and workers, on which months pass in
 * seconds. The engine and its database are the real ones. Rooms: months-world (time, crashes,
 * conditions), months-disk (files), months-worker (transfers), months-operations and -calls (what
 * people ask for), months-told (signals, what a start finds),
 * months-invariants (what must hold after every step). */
#pragma once

#include "engine-fixture.h"
#include "engine/engine-private.h"

G_BEGIN_DECLS

#define MINUTE (60 * SECOND)
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)

#define N_USERS 4
#define N_PLACES 5
#define N_HOSTS 8

typedef struct
{
  guint32 uid;
  const char *name;
  gint64 ready;   /* boot time before which its worker answers no request */
  gboolean stuck; /* a worker of it hangs in the kernel */
  TfdSession session;
} User;

/* What is known for certain of a job, from what was answered and told. */
typedef struct
{
  char *id;           /* (owned) */
  User *user;         /* (not owned) */
  User *taker;        /* (not owned) (nullable) whose it may be, as nobody has heard */
  gboolean confirmed; /* its creation was answered: it can never be as if it had not been */
  gboolean forgotten; /* nobody asks anything of it */
  gboolean resting;   /* told to be suspended, failed or transferred, and not resumed since */
  guint resumes;      /* Resume without an answer */
  guint files_least, files_most; /* as was answered, and as was asked for */
  gint64 sure;                   /* true time of its last use that is certain */
  gint64 possible;               /* counted time of the last that there may have been */
  TfdJobState stored;            /* at the last commit */
  TfdJobState told;
  int failures, arrivals; /* signals that are due for states that were told */
  int priority;           /* as was answered, -1 = not certain */
  guint changes;          /* of the priority */
  gboolean ended;
  gboolean never;   /* it could not be stored, nobody was told of it */
  TfdResult result; /* right when ended, unless never */
  gint64 ended_at;  /* true time */
} Account;

typedef struct
{
  EngineFixture *fixture;
  GRand *rand; /* (owned) */
  User users[N_USERS];
  GPtrArray *accounts; /* (owned) of (owned) Account, every job that ever was */
  GHashTable *by_id;   /* (owned) id -> (not owned) Account */
  GHashTable *calls;   /* (owned) of (owned) Call that have no answer: months-calls.h */
  GHashTable *parts;   /* (owned) path of a temporary -> (owned) Part: months-disk.c */
  GHashTable *finals;  /* (owned) path -> (owned) whose file it is: "id:index", or "" */
  GHashTable *renamed; /* (owned) of "id:index" that were renamed once */
  GHashTable *runs;    /* (owned) number -> (owned) Run: months-worker.c */
  GHashTable *walks;   /* (owned) job id -> (owned) Walk: months-requests.c */
  guint64 inodes;      /* given out */
  guint serial;        /* of names */
  gboolean calm;       /* nothing bad happens any more */
  gboolean dying;      /* the commit just now was the last: the rest of this life never happened */
  guint lives_left;    /* commits until that, 0 = no plan to die */
  gboolean disk_full;
  gboolean hurried; /* the database does not sync */

  gboolean link, portal, metered, power_saver, on_battery;
  TfdLogOns log_ons;
  gboolean absent[N_PLACES];
  gboolean down[N_HOSTS];
  gboolean hours_blocked; /* as the engine knows it */
  gint64 hours_until;     /* boot time at which that is looked at again */

  gint64 true_time;    /* since the beginning, whatever the clocks say */
  gint64 counted_time; /* the part of it that is certain to count from boot to boot */
  gint64 woke,
      slept;    /* boot time of the last sleep's end, and how long nothing was noted by then */
  gint64 epoch; /* true wall clock at the beginning */
  gint64 synced_since; /* true time */
  gint64 shaken;       /* boot time of the last start, or commit that failed */
  gboolean synced;

  guint checks, operations, deaths, boots, expired; /* how much there was of it */
} Months;

/* ---- months-world.c ---- */
Months *months_new (EngineFixture *fixture, guint32 seed);
void months_free (Months *self);
/* TRUE once in @in times. */
gboolean months_happens (Months *self, guint in);
/* 0 … @n - 1 */
guint months_pick (Months *self, guint n);
/* From @least to @most, short ones as often as long ones. */
gint64 months_span (Months *self, gint64 least, gint64 most);
gint64 months_now (Months *self);
/* Time passes, and what happens by itself happens. */
void months_pass (Months *self, gint64 span);
/* What is due now happens. */
void months_rest (Months *self);
/* The service dies and starts again after a while. */
void months_crash (Months *self, gint64 down);
void months_stop (Months *self);
void months_start (Months *self);
/* Tells the engine what the world is like. */
void months_tell_conditions (Months *self);
void months_tell_hours (Months *self);
User *months_user (Months *self, guint32 uid);

/* ---- months-faults.c ---- */
/* Something happens to the machine. */
void months_strike (Months *self);
/* Everything is well from now on. */
void months_calm (Months *self);

/* ---- months-disk.c ---- */
typedef struct
{
  char *job;                   /* (owned) */
  guint32 index, attempt, uid; /* whose it is */
  guint64 inode, have;
} Part;

/* What a request or a run says of a file. */
typedef struct
{
  guint32 index, attempt, uid; /* of whose worker */
  char *url, *path, *target;   /* (owned) target (nullable) */
  gboolean transferred, completed;
  gboolean recorded; /* it has a part record, which says: */
  gboolean source;
  guint64 inode, have;
} WorkFile;

extern const char *const months_places[N_PLACES];

void months_part_free (gpointer part);
WorkFile *months_read_file (const User *user, GVariant *file);
void months_file_free (WorkFile *file);
gboolean months_is_absent (Months *self, const char *path);
char *months_part_path (const char *job, const WorkFile *file);
/* The temporary of @file, if it is there and the recorded one, or one of the same user's. */
Part *months_find_part (Months *self, const char *job, const WorkFile *file, gboolean *foreign);
Part *months_create_part (Months *self, const char *job, const WorkFile *file);
/* Does what Probe, Verify, Finalize, Adopt or Discard asks the worker of @user for, up to file
 * number
 * @limit: the answer, or NULL when @method is none of them. */
GVariant *months_work_on_disk (
    Months *self, const User *user, const char *method, GVariant *parameters, guint limit);
/* Somebody meddles with the files. */
void months_meddle (Months *self);
/* Every temporary belongs to a job or is to be deleted later. */
void months_check_disk (Months *self);

/* ---- months-worker.c ---- */
/* One run of a job. */
typedef struct
{
  guint64 number;
  User *user;
  char *job;     /* (owned) */
  GQueue files;  /* (owned) of (owned) WorkFile, the first is at work */
  gboolean open; /* the temporary of the first is */
  gboolean connected;
  gboolean over; /* it failed: nothing more comes of it */
  gint64 due;    /* when it moves on */
} Run;

void months_run_free (gpointer run);
Run *months_find_run (Months *self, const char *job);
/* What is known of a file that is at work: news, and as it is reported. */
GVariant *months_part_record (const WorkFile *file);
void months_tell_part (Months *self, const Run *run, const WorkFile *file);
/* Transfers move on. */
void months_transfer (Months *self);
/* The boot time at which one does next; G_MAXINT64 = none. */
gint64 months_next_transfer (Months *self);
/* Where files come from. */
char *months_url (Months *self, const char *name);

/* ---- months-requests.c ---- */
/* The Finalize requests of a job, as its worker knows them. */
typedef struct
{
  User *user;
  guint32 walk, next; /* the present one, and the step that may come */
  gboolean broken;    /* one of it has failed, or it began with another worker */
} Walk;

/* Answers what is due; TRUE when there was something. */
gboolean months_serve (Months *self);
/* The workers die, perhaps in the middle of a request. */
void months_kill_workers (Months *self, User *user);
/* The boot time of what they do next. */
gint64 months_next_work (Months *self);

/* ---- months-operations.c, months-calls.c ---- */
/* Somebody asks for something. */
void months_operate (Months *self);
/* Nobody answers any more: what was asked may have been done or not. */
void months_forget_calls (Months *self);
/* Nobody waits for ever. */
void months_check_calls (Months *self);
void months_account_free (gpointer account);
void months_call_free (gpointer call);
/* Everybody resumes all their jobs, or ends them. */
void months_resume_all (Months *self);
void months_end_all (Months *self);
/* Whose it is, when it was not heard. */
void months_change_user (Account *account, guint32 uid);
/* It is used: in any case that may count, and it does when it is @sure. */
void months_used (Months *self, const char *job, gboolean sure);

/* ---- months-told.c ---- */
void months_watch (Months *self);
/* After a start: what was committed is there. */
void months_check_start (Months *self, gboolean cut_short);

/* ---- months-invariants.c ---- */
void months_check (Months *self);
/* The conditions that keep @job from running. */
guint months_judge (Months *self, TfdJob *job, TfdErrorCode codes[TFD_MAX_CONDITIONS]);

/* ---- months-report.c ---- */
/* The end of the test, with all that is known of @job. */
G_NORETURN void months_fail (TfdJob *job, const char *condition);

G_END_DECLS
