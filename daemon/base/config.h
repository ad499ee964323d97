/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Configuration: transferd.conf and its drop-ins, read through one table of keys. */
#pragma once

#include "common/calendar.h"

#include <glib.h>

G_BEGIN_DECLS

/* What the administrator may set; section [Service]. Sizes in bytes, durations in microseconds, yes
 * is 1. To copy it use tfd_config_assign (). */
typedef struct
{
  guint64 umask;     /* for files whose creator gave neither mode nor umask */
  guint64 keep_free; /* bytes that must stay free on a destination */
  guint64 max_jobs_per_user;
  guint64 max_jobs_per_machine;
  guint64 max_files_per_job;
  guint64 max_ranges_per_file;
  guint64 job_inactivity_timeout;
  guint64 maximum_download_time; /* of jobs that do not say it */
  guint64 background_jobs;       /* background jobs that run at a time */
  guint64 background_jobs_per_user;
  guint64 time_slice;   /* a background job runs so long while others of its level wait */
  guint64 idle_timeout; /* without anything to do for so long the daemon leaves; 0 = never */
  guint64 worker_idle_timeout;
  guint64 worker_timeout; /* heartbeat unanswered for so long: the worker hangs */
  guint64 stop_timeout;   /* a worker that does not stop a run within it is killed */
  guint64 probe_timeout;
  guint64 authorization_timeout; /* polkit has so long to answer */
  guint64 history_time;          /* how long tombstones are kept */
  guint64 events_per_job;
  guint64 power_saver_blocks; /* power saver stops background jobs */
  guint64 battery_blocks;     /* so does running on battery */
  TfdCalendar *blocked_hours; /* (owned) when background jobs do not run; never NULL */
} TfdConfig;

typedef enum
{
  TFD_CONFIG_NUMBER,  /* 60 */
  TFD_CONFIG_SIZE,    /* 256M */
  TFD_CONFIG_TIME,    /* 1h 30min */
  TFD_CONFIG_MODE,    /* 0022, octal */
  TFD_CONFIG_BOOLEAN, /* yes */
  TFD_CONFIG_HOURS,   /* Mon..Fri 08:00-17:00 */
} TfdConfigType;

/* One key of the file. */
typedef struct
{
  const char *group;
  const char *key;
  TfdConfigType type;
  gsize offset;              /* of the guint64, for hours of the TfdCalendar *, in TfdConfig */
  const char *default_value; /* as one would write it */
  guint64 minimum, maximum;  /* both allowed; 0 and 0 where there is no order */
} TfdConfigKey;

/* The table of all keys, ended by a NULL key: the manual page and data/transferd.conf are checked
 * against it. */
const TfdConfigKey *tfd_config_table (void);

/* The table as it must appear in the manual: one "Key=default" string a row. (transfer full) */
char **tfd_config_document (void);

/* (transfer full): a configuration with every default. */
TfdConfig *tfd_config_new (void);
void tfd_config_free (TfdConfig *config);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TfdConfig, tfd_config_free)

/* Makes @to equal to @from, which may be the same. */
void tfd_config_assign (TfdConfig *to, const TfdConfig *from);

/* Sets @key from @text; an empty text is the default. Fails, and changes nothing, when it is not
 * allowed: the message says what was expected. */
gboolean
tfd_config_set (TfdConfig *self, const TfdConfigKey *key, const char *text, GError **error);

/* Reads the first transferd.conf that there is in @directories (NULL-terminated), then the *.conf
 * of all their transferd.conf.d in the order of their names; of several with one name only that of
 * the first directory counts, so that an empty file or a link to /dev/null takes one away. A later
 * value wins. Whatever is wrong adds a text that names file, line and key to @warnings
 * (element-type utf8), and a value that is not allowed stands for the default. (transfer full) */
TfdConfig *tfd_config_load_directories (const char *const *directories, GPtrArray *warnings);

/* The same with the file @path, which must be there, and the *.conf of the directory "@path.d".
 * (transfer full); fails when the file cannot be read. */
TfdConfig *tfd_config_load (const char *path, GPtrArray *warnings, GError **error);

/* Reads a size in bytes: digits, then nothing, K, M, G or T (powers of 1024). */
gboolean tfd_config_parse_size (const char *text, guint64 *size, GError **error);

/* Reads a time span as systemd writes it: numbers with units us, ms, s, min, h, d, w (or none:
 * seconds), added up: "1h 30min"; into microseconds. */
gboolean tfd_config_parse_time (const char *text, guint64 *span, GError **error);

/* Reads yes, true, on or 1, or no, false, off or 0, as 1 or 0. */
gboolean tfd_config_parse_boolean (const char *text, guint64 *value, GError **error);

/* Writes a size, time span, mode or number as it would be read again. (transfer full) */
char *tfd_config_format (TfdConfigType type, guint64 value);

G_END_DECLS
