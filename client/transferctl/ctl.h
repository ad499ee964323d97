/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* transferctl: what all verbs share. */
#pragma once

#include "client/transferctl/table.h"
#include "transfer/transfer.h"

G_BEGIN_DECLS

/* Exit statuses; usage errors are 2, as in most programs. */
#define CTL_OK 0
#define CTL_FAILED 1
#define CTL_USAGE 2

typedef struct _Ctl Ctl;
typedef struct _CtlVerb CtlVerb;

struct _Ctl
{
  TransferClient *client; /* (owned) */
  const char *bus;        /* (nullable) "system", "session": from the command line */
  const CtlVerb *verb;
  gboolean json;
  gboolean quiet;
  gboolean colour;  /* stdout is a terminal that may be painted */
  gboolean unicode; /* the locale can show glyphs */
  int interrupted;  /* number of the signal that asked to end, 0 = none */
};

/* Options of a verb, for GOption; the functions of a verb read the variables that they fill. */
typedef const GOptionEntry *(*CtlOptions) (void);

struct _CtlVerb
{
  const char *name;
  const char *arguments; /* for the help, "JOB..." */
  const char *summary;
  const char *family; /* heading of the help; NULL = hidden */
  CtlOptions options; /* (nullable) */
  int least_arguments;
  int most_arguments;                             /* -1 = any number */
  int (*run) (Ctl *ctl, int n, char **arguments); /* the exit status */
};

/* The verbs, ended by a NULL name; help, completions and documentation follow it. */
extern const CtlVerb ctl_verbs[];
const CtlVerb *ctl_find_verb (const char *name);

/* verb-*.c */
int ctl_run_help (Ctl *ctl, int n, char **arguments);
int ctl_run_get (Ctl *ctl, int n, char **arguments);
int ctl_run_create (Ctl *ctl, int n, char **arguments);
int ctl_run_add (Ctl *ctl, int n, char **arguments);
int ctl_run_suspend (Ctl *ctl, int n, char **arguments);
int ctl_run_resume (Ctl *ctl, int n, char **arguments);
int ctl_run_complete (Ctl *ctl, int n, char **arguments);
int ctl_run_cancel (Ctl *ctl, int n, char **arguments);
int ctl_run_list (Ctl *ctl, int n, char **arguments);
int ctl_run_history (Ctl *ctl, int n, char **arguments);
int ctl_run_status (Ctl *ctl, int n, char **arguments);
int ctl_run_show (Ctl *ctl, int n, char **arguments);
int ctl_run_files (Ctl *ctl, int n, char **arguments);
int ctl_run_why (Ctl *ctl, int n, char **arguments);
int ctl_run_log (Ctl *ctl, int n, char **arguments);
int ctl_run_monitor (Ctl *ctl, int n, char **arguments);
int ctl_run_wait (Ctl *ctl, int n, char **arguments);
int ctl_run_set_property (Ctl *ctl, int n, char **arguments);
int ctl_run_take_ownership (Ctl *ctl, int n, char **arguments);
int ctl_run_put (Ctl *ctl, int n, char **arguments);
int ctl_run_reply (Ctl *ctl, int n, char **arguments);
int ctl_run_set_credentials (Ctl *ctl, int n, char **arguments);
int ctl_run_remove_credentials (Ctl *ctl, int n, char **arguments);
const GOptionEntry *ctl_options_get (void);
const GOptionEntry *ctl_options_put (void);
const GOptionEntry *ctl_options_set_credentials (void);
const GOptionEntry *ctl_options_remove_credentials (void);
const GOptionEntry *ctl_options_create (void);
const GOptionEntry *ctl_options_add (void);
const GOptionEntry *ctl_options_all (void);
const GOptionEntry *ctl_options_everybody (void);
const GOptionEntry *ctl_options_complete (void);
const GOptionEntry *ctl_options_list (void);
const GOptionEntry *ctl_options_history (void);
const GOptionEntry *ctl_options_show (void);
const GOptionEntry *ctl_options_log (void);
const GOptionEntry *ctl_options_monitor (void);
const GOptionEntry *ctl_options_wait (void);

/* Talk. */

/* Prints to stderr, unless quiet. */
void ctl_say (Ctl *ctl, const char *format, ...) G_GNUC_PRINTF (2, 3);
/* Prints "transferctl: …" to stderr; gives CTL_FAILED. */
int ctl_fail (Ctl *ctl, const char *format, ...) G_GNUC_PRINTF (2, 3);
/* The same with the message of @error (taken) behind @about (nullable), and what can be done. */
int ctl_fail_error (Ctl *ctl, const char *about, GError *error);
/* The same with a hint at the help; gives CTL_USAGE. */
int ctl_fail_usage (Ctl *ctl, const char *format, ...) G_GNUC_PRINTF (2, 3);
/* What can be done about @error, NULL when there is nothing to say. */
const char *ctl_hint (const GError *error, gboolean session_bus);

/* Data. */

/* Prints @table to stdout. */
void ctl_print_table (Ctl *ctl, CtlTable *table);
/* Prints @value as one line of JSON to stdout; consumed when floating. */
void ctl_print_json (GVariant *value);
/* How this run prints to stdout. */
CtlLook ctl_look (Ctl *ctl);
/* The columns of the terminal behind @fd, 0 when it is none. */
int ctl_terminal_width (int fd);

/* Calls: ctl_async_cb with a GAsyncResult ** as user data, then ctl_await. */
void ctl_async_cb (GObject *source, GAsyncResult *result, gpointer user_data);
void ctl_await (GAsyncResult **result);

/* Jobs. */

/* A verb looks for its jobs among those of all users; an entry for its options. */
extern gboolean ctl_everybody;
#define CTL_OPTION_ALL_USERS                                                                       \
  {                                                                                                \
    "all-users", 'a', 0, G_OPTION_ARG_NONE, &ctl_everybody, "Jobs of all users (administrators)",  \
        NULL                                                                                       \
  }

/* The first digits of the id of @job that tell it from others in daily life. */
char *ctl_short_id (const char *id);

/* The last part of an error's name, which says enough to people; other names as they are. */
const char *ctl_error_name (const char *name);
/* The (transfer full) watched job that @name says: its id, the beginning of its id if no other
 * begins so, or its display name. */
TransferJob *ctl_find_job (Ctl *ctl, const char *name, GError **error);
/* The same for many (element-type TransferJob), with one listing; they are not watched. */
GPtrArray *ctl_find_jobs (Ctl *ctl, int n, char **names, GError **error);
/* Jobs (element-type TransferJob): own ones, or what @filter (nullable) says. */
GPtrArray *ctl_list_jobs (Ctl *ctl, GVariant *filter, GError **error);
/* All jobs that a verb may be about, with no more than it takes to match them. */
GPtrArray *ctl_list_names (Ctl *ctl, GError **error);
/* The tombstone of an ended job, a{sv}, or NULL. @id may be the beginning of its id. */
GVariant *ctl_find_tombstone (Ctl *ctl, const char *name, char **id);
/* How @job, which is over, ended; asks the service when it has not said so yet. */
TransferResult ctl_ended (Ctl *ctl, TransferJob *job);
/* The result that the tombstone @row names. */
TransferResult ctl_tombstone_result (GVariant *row);
/* The colour of a state. */
CtlStyle ctl_state_style (const char *state);

G_END_DECLS
