/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Names: bus names, object paths, environment variables, files, log fields, message ids. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define TFD_BUS_NAME "org.transferd.Transfer1"
#define TFD_MANAGER_PATH "/org/transferd/Transfer1"
#define TFD_JOBS_PATH TFD_MANAGER_PATH "/jobs"
#define TFD_MANAGER_INTERFACE TFD_BUS_NAME ".Manager"
#define TFD_JOB_INTERFACE TFD_BUS_NAME ".Job"
#define TFD_WORKER_INTERFACE TFD_BUS_NAME ".Worker"
#define TFD_WORKER_PATH TFD_MANAGER_PATH "/Worker"
#define TFD_ERROR_PREFIX TFD_BUS_NAME ".Error."
#define TFD_STANDARD_ERROR_PREFIX "org.freedesktop.DBus.Error."
#define TFD_ACTION_PREFIX "org.transferd.transfer1." /* of polkit */
#define TFD_ACCESS_ANNOTATION TFD_BUS_NAME ".Access"

#define TFD_SIZE_UNKNOWN G_MAXUINT64
#define TFD_JOB_ID_LENGTH 32
#define TFD_USEC_PER_SEC G_GUINT64_CONSTANT (1000000)

#define TFD_MAX_DISPLAY_NAME 256 /* characters */
#define TFD_MAX_DESCRIPTION 1024 /* characters */
#define TFD_MAX_URL 8192         /* bytes */
#define TFD_MAX_FILES_PER_CALL 20000
#define TFD_MAX_MESSAGE (8 * 1024 * 1024) /* bytes of a reply: see rule on paging in the manual */

/* A new random job id: 32 lower-case hexadecimal digits (a UUID version 4 without dashes). */
char *tfd_job_id_new (void);

/* Normalises @id, a UUID with or without dashes in any case; NULL when it is none. */
char *tfd_job_id_parse (const char *id);

/* The object path of job @id, and back (NULL when @path is no job's path). */
char *tfd_job_path (const char *id);
char *tfd_job_id_from_path (const char *path);

/* The name of the temporary of a file: ".transferd-<id>-<index>.part", and from the second attempt
 * (the first being 0) ".transferd-<id>-<index>.<attempt>.part". */
char *tfd_part_name (const char *id, guint32 index, guint32 attempt);

/* Reads such a name; FALSE when @name is none. Out arguments may be NULL. */
gboolean tfd_part_name_parse (const char *name, char **id, guint32 *index, guint32 *attempt);

G_END_DECLS
