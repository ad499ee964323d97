/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Sweep: the rows of a job that is over. Deleting those of many files takes longer than anybody
 * should wait for, so that the job only becomes nobody's, and they go a few at a time. */
#include "config.h"

#include "store/statement.h"

/* Whatever finds a job by its id, its owner or what it counts for does not find it any more, and
 * nothing is kept that was secret. */
static const char retire_sql[] =
    "UPDATE jobs SET id = 'ended ' || number, ended = 1, counts = 0, owner_uid = -1,"
    " owner_name = NULL, properties = x'', secrets = NULL, operation_options = NULL,"
    " failure_message = NULL, sandbox = '' WHERE id = ?1";
static const char find_sql[] = "SELECT number FROM jobs WHERE ended = 1 LIMIT 1";
static const char files_sql[] =
    "DELETE FROM files WHERE job = ?1"
    " AND number IN (SELECT number FROM files WHERE job = ?1 ORDER BY number LIMIT ?2)";
/* with its events, which are few */
static const char job_sql[] = "DELETE FROM jobs WHERE number = ?1";

gboolean
tfd_store_retire_job (TfdStore *store, const char *job_id, GError **error)
{
  g_auto (TfdStatement) statement = TFD_STATEMENT_INIT;

  if (!tfd_statement_init_write (&statement, store, retire_sql, error))
    return FALSE;
  tfd_bind_text (&statement, job_id);
  return tfd_statement_run (&statement, error);
}

/* Any job that is over; *@number = 0 when there is none. */
static gboolean
find (TfdStore *store, gint64 *number, GError **error)
{
  g_auto (TfdStatement) statement = TFD_STATEMENT_INIT;
  gboolean row = FALSE;

  *number = 0;
  if (!tfd_statement_init (&statement, store, find_sql, error) ||
      !tfd_statement_step (&statement, &row, error))
    return FALSE;
  if (row)
    *number = tfd_read_int (&statement);
  return TRUE;
}

gboolean
tfd_store_needs_sweep (TfdStore *store, gboolean *needed, GError **error)
{
  gint64 number = 0;

  if (!find (store, &number, error))
    return FALSE;
  *needed = number != 0;
  return TRUE;
}

static gboolean
delete_files (TfdStore *store, gint64 job, guint rows, gboolean *all, GError **error)
{
  g_auto (TfdStatement) statement = TFD_STATEMENT_INIT;

  if (!tfd_statement_init_write (&statement, store, files_sql, error))
    return FALSE;
  tfd_bind_int (&statement, job);
  tfd_bind_int (&statement, rows);
  if (!tfd_statement_run (&statement, error))
    return FALSE;
  *all = (guint) sqlite3_changes (store->db) < rows;
  return TRUE;
}

static gboolean
delete_job (TfdStore *store, gint64 job, GError **error)
{
  g_auto (TfdStatement) statement = TFD_STATEMENT_INIT;

  if (!tfd_statement_init_write (&statement, store, job_sql, error))
    return FALSE;
  tfd_bind_int (&statement, job);
  return tfd_statement_run (&statement, error);
}

gboolean
tfd_store_sweep (TfdStore *store, guint rows, gboolean *more, GError **error)
{
  gboolean all = FALSE;
  gint64 job = 0;

  *more = FALSE;
  if (!find (store, &job, error))
    return FALSE;
  if (job == 0)
    return TRUE;
  /* each statement by itself is all or nothing, and what the first has done the second needs not */
  if (!delete_files (store, job, rows, &all, error) || (all && !delete_job (store, job, error)))
    return FALSE;
  return tfd_store_needs_sweep (store, more, error);
}
