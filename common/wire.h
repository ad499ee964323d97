/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Wire: records of what clients may say, read from and written to GVariant through option tables
 * {key, type, validation}. Unknown keys are INVALID_ARGS naming the key. Pure. */
#pragma once

#include "common/error.h"

G_BEGIN_DECLS

/* The writable properties of a job. Durations in microseconds. */
typedef struct
{
  char *display_name;
  char *description;
  TfdPriority priority;
  guint64 minimum_retry_delay;   /* default 600 s, never below 5 s */
  guint64 no_progress_timeout;   /* default 14 d */
  guint64 maximum_download_time; /* 0: as the configuration says */
  gboolean notify_files;
  guint64 notify_interval; /* default 500 ms */
  char *notify_application;
  TfdTransferPolicy transfer_policy;
  gboolean transfer_policy_set; /* not set: follows the priority, see
                                   tfd_job_properties_transfer_policy () */
  TfdRunWhen run_when;
  gboolean dynamic_content;
  gboolean high_performance;
  gboolean on_demand;
  guint64 maximum_size; /* 0 = none */
  guint64 maximum_rate; /* 0 = none */
  guint32 segments;     /* default 1 */
  GVariant *headers;    /* (owned) (nullable) a(ss) */
  gboolean headers_write_only;
  char *method;    /* default "GET" */
  GVariant *proxy; /* (owned) (nullable) (sasas) */
  char **tls_flags;
  char **pinned_keys;
  TfdRedirectPolicy redirect_policy;
  gboolean allow_downgrade;
  char *client_certificate;
  TfdUploadProtocol upload_protocol;
  char *reply_file_name;
  gboolean auto_complete;
  GVariant
      *credentials; /* (owned) (nullable) a(ssss) target, scheme, user, password: no property */
} TfdJobProperties;

TfdJobProperties *tfd_job_properties_new (void);
TfdJobProperties *tfd_job_properties_copy (const TfdJobProperties *from);
void tfd_job_properties_free (TfdJobProperties *properties);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TfdJobProperties, tfd_job_properties_free)

TfdTransferPolicy tfd_job_properties_transfer_policy (const TfdJobProperties *properties);

/* When a property may change (BITS page of each setter). */
typedef enum
{
  TFD_PROPERTY_ANY_TIME,
  TFD_PROPERTY_BEFORE_RESUME,   /* else ReadOnlyAfterResume */
  TFD_PROPERTY_BEFORE_ADD_FILE, /* else ReadOnlyAfterAddFile */
} TfdPropertyWhen;

typedef struct
{
  const char *name;      /* D-Bus name, "DisplayName" */
  const char *signature; /* D-Bus type, "s" */
  TfdPropertyWhen when;
  gboolean implemented; /* FALSE: any value but the default is refused with NotSupported */
} TfdPropertyInfo;

/* The table of the writable properties, ended by a NULL name. */
const TfdPropertyInfo *tfd_job_property_table (void);

/* Where the job is in its life, for the rules of TfdPropertyWhen. */
typedef enum
{
  TFD_LIFE_NEW = 0,
  TFD_LIFE_RESUMED = 1 << 0,
  TFD_LIFE_HAS_FILES = 1 << 1,
} TfdLife;

/* Applies @changes (a{sv}, keys = property names) to @properties: all or nothing, everything
 * checked first, contradictions (NotCompatible) as well. A value equal to the present one is always
 * allowed. Keys "files" and "start" are skipped when @creating. */
gboolean tfd_job_properties_apply (TfdJobProperties *properties,
                                   TfdJobType type,
                                   GVariant *changes,
                                   gboolean creating,
                                   TfdLife life,
                                   GError **error);

/* The value of property @name, floating, or NULL when there is no such property. */
GVariant *tfd_job_properties_get (const TfdJobProperties *properties, const char *name);

/* Those that differ from their default, as a{sv}, floating: the form in which they are stored,
 * without the secrets; and back, accepting whatever was once stored. */
GVariant *tfd_job_properties_serialize (const TfdJobProperties *properties);
TfdJobProperties *tfd_job_properties_deserialize (GVariant *stored);

/* Credentials and write-only headers, as a{sv}, floating; NULL when there are none. To be sealed
 * before they are stored. */
GVariant *tfd_job_properties_serialize_secrets (const TfdJobProperties *properties);

/* Sets what is in @stored, of either form. */
void tfd_job_properties_restore (TfdJobProperties *properties, GVariant *stored);

/* TRUE when @stored has secrets in it that should not be there: it was before they were sealed. */
gboolean tfd_job_properties_have_plain_secrets (GVariant *stored);

/* Credentials, one for each target and scheme; replaces what is there. InvalidArgs, StringTooLong,
 * NotSupported (only "basic" and "digest" of target "server" as yet). */
gboolean tfd_credentials_set (TfdJobProperties *properties,
                              const char *target,
                              const char *scheme,
                              const char *user,
                              const char *password,
                              GError **error);
gboolean tfd_credentials_remove (TfdJobProperties *properties,
                                 const char *target,
                                 const char *scheme,
                                 gboolean *removed,
                                 GError **error);

/* A file as a client adds it. */
typedef struct
{
  char *url;
  char *path;        /* (type filename) absolute; bytes, perhaps not UTF-8 */
  GVariant *options; /* (owned) a{sv}, checked: mode, umask, size, digest, ranges; path is taken
                        out; those of an upload are of its reply */
  guint n_ranges;    /* 0 = the whole file */
  gboolean attached; /* its directory, or what is sent, comes as a descriptor: until that was looked
                        at, path is a name in the directory, "" = the file itself */
  GBytes *attached_to; /* (owned) (nullable) the identity of that directory */
} TfdFileSpec;

void tfd_file_spec_free (TfdFileSpec *spec);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TfdFileSpec, tfd_file_spec_free)

/* Reads one file of AddFile for a job of @type: URL, path and options checked (InvalidUrl,
 * InvalidPath, StringTooLong, InvalidArgs, InvalidRange, OverlappingRanges, DownloadOnly, …).
 * mirrors is NotSupported as yet; how many ranges there may be is not decided here. */
TfdFileSpec *tfd_file_spec_new (
    TfdJobType type, const char *url, const char *path, GVariant *options, GError **error);

/* Reads a(ssa{sv}); the element type of the result is TfdFileSpec. DuplicateDestination when two
 * paths of it are equal; the message names the index of the offender. */
GPtrArray *tfd_file_specs_new (TfdJobType type, GVariant *files, GError **error);

/* The same for files in a directory that is handed in as a descriptor: @name is one component, or
 * "" where the descriptor is of the file that is sent, which only one file alone can be. */
TfdFileSpec *tfd_file_spec_new_at (
    TfdJobType type, const char *url, const char *name, GVariant *options, GError **error);
GPtrArray *tfd_file_specs_new_at (TfdJobType type, GVariant *files, GError **error);

/* Where the reply to the upload of @source goes: to ReplyFileName, or beside it. */
char *tfd_reply_path (const TfdJobProperties *properties, const char *source);

/* One entry of an option table; the table ends with a NULL key. */
typedef struct
{
  const char *key;
  const char *signature;
  gboolean (*validate) (const char *key, GVariant *value, GError **error); /* (nullable) */
} TfdOption;

/* Checks @options (a{sv}) against @table: InvalidArgs names the key that is unknown or has the
 * wrong type. */
gboolean tfd_options_check (GVariant *options, const TfdOption *table, GError **error);

extern const TfdOption tfd_complete_options[]; /* require-all b, overwrite s */
extern const TfdOption tfd_no_options[];
extern const TfdOption tfd_credentials_options[]; /* fd h */
extern const TfdOption tfd_list_jobs_options[];   /* all-users b, states as, display-name s,
                                                     properties as, limit u, after o */
extern const TfdOption tfd_history_options[];     /* ids as, since t, limit u, after s, files b */
extern const TfdOption tfd_all_users_options[];   /* all-users b */

G_END_DECLS
