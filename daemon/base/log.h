/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Log: structured messages with the job as fields, and debug messages by category. URLs and paths
 * belong into debug messages only; above debug a server is named by its origin (tfd_url_origin). */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* What TFD_DEBUG switches on: names in lower case, separated by commas. */
typedef enum
{
  TFD_LOG_PLAN = 1 << 0,
  TFD_LOG_BUS = 1 << 1,
  TFD_LOG_WORKER = 1 << 2,
  TFD_LOG_STORE = 1 << 3,
  TFD_LOG_HTTP = 1 << 4,
} TfdLogCategory;
#define TFD_LOG_ALL 0x1f

/* Messages that have an entry in the journal catalog. */
#define TFD_MESSAGE_DATABASE_SET_ASIDE "6f1d9d8a3b4b4c5e9a7f3f0d2c1e5b01"
#define TFD_MESSAGE_JOB_TRANSFERRED "6f1d9d8a3b4b4c5e9a7f3f0d2c1e5b02"
#define TFD_MESSAGE_JOB_ERROR "6f1d9d8a3b4b4c5e9a7f3f0d2c1e5b03"
#define TFD_MESSAGE_JOB_ENDED "6f1d9d8a3b4b4c5e9a7f3f0d2c1e5b04"
#define TFD_MESSAGE_WORKER_LOST "6f1d9d8a3b4b4c5e9a7f3f0d2c1e5b05"
#define TFD_MESSAGE_STORAGE_FAILED "6f1d9d8a3b4b4c5e9a7f3f0d2c1e5b06"
#define TFD_MESSAGE_SESSION_LEFT "6f1d9d8a3b4b4c5e9a7f3f0d2c1e5b07"
#define TFD_MESSAGE_OWNER_GONE "6f1d9d8a3b4b4c5e9a7f3f0d2c1e5b0a"
#define TFD_MESSAGE_OWNER_CHANGED "6f1d9d8a3b4b4c5e9a7f3f0d2c1e5b0b"
#define TFD_MESSAGE_SECRETS_LOST "6f1d9d8a3b4b4c5e9a7f3f0d2c1e5b09"

/* The job that a message is about. */
typedef struct
{
  const char *id;
  guint32 owner_uid;
  const char *state;  /* (nullable) nick */
  const char *origin; /* (nullable) scheme, host and port of the server */
} TfdLogJob;

/* Sends messages to the journal when standard error is connected to it, else to standard error, and
 * shows those of level INFO always. Call it once, first thing in main (). */
void tfd_log_init (void);

/* Reads categories as TFD_DEBUG has them ("plan,bus", "all", NULL or "" for none) and switches them
 * on; FALSE when a name is unknown or "help" is asked for: @help (nullable) is then the text to
 * show, (transfer full). */
gboolean tfd_log_set_categories (const char *categories, char **help);

/* TRUE when debug messages of @category are wanted: ask before preparing an expensive one. */
gboolean tfd_log_is_enabled (TfdLogCategory category);

/* A debug message of @category; costs nothing but the test when it is switched off. */
#define tfd_debug(category, ...)                                                                   \
  G_STMT_START                                                                                     \
  {                                                                                                \
    if (tfd_log_is_enabled (category))                                                             \
      tfd_log_debug (category, NULL, __VA_ARGS__);                                                 \
  }                                                                                                \
  G_STMT_END

/* The same about a job (const TfdLogJob *). */
#define tfd_job_debug(category, job, ...)                                                          \
  G_STMT_START                                                                                     \
  {                                                                                                \
    if (tfd_log_is_enabled (category))                                                             \
      tfd_log_debug (category, job, __VA_ARGS__);                                                  \
  }                                                                                                \
  G_STMT_END

void tfd_log_debug (TfdLogCategory category, const TfdLogJob *job, const char *format, ...)
    G_GNUC_PRINTF (3, 4);

/* A message above debug: @level is G_LOG_LEVEL_INFO (life of a job), MESSAGE (the operator should
 * see it), WARNING (bug or broken environment) or CRITICAL. @message_id (nullable) is one of
 * TFD_MESSAGE_…; @job (nullable). */
void tfd_log (GLogLevelFlags level,
              const char *message_id,
              const TfdLogJob *job,
              const char *format,
              ...) G_GNUC_PRINTF (4, 5);

#define tfd_info(...) tfd_log (G_LOG_LEVEL_INFO, NULL, NULL, __VA_ARGS__)
#define tfd_message(...) tfd_log (G_LOG_LEVEL_MESSAGE, NULL, NULL, __VA_ARGS__)
#define tfd_warning(...) tfd_log (G_LOG_LEVEL_WARNING, NULL, NULL, __VA_ARGS__)

#define tfd_job_info(job, ...) tfd_log (G_LOG_LEVEL_INFO, NULL, job, __VA_ARGS__)
#define tfd_job_message(job, ...) tfd_log (G_LOG_LEVEL_MESSAGE, NULL, job, __VA_ARGS__)
#define tfd_job_warning(job, ...) tfd_log (G_LOG_LEVEL_WARNING, NULL, job, __VA_ARGS__)

G_END_DECLS
