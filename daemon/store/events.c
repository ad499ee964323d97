/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Events: the log of each job, of bounded length. */
#include "config.h"

#include "store/statement.h"

#define JOB_NUMBER "(SELECT number FROM jobs WHERE id = ?1)"

static const char last_sql[] =
    "SELECT j.number, (SELECT max (e.number) FROM events e WHERE e.job = j.number)"
    " FROM jobs j WHERE j.id = ?1";
static const char append_sql[] =
    "INSERT INTO events (job, number, time, kind, details) VALUES (?1, ?2, ?3, ?4, ?5)";
static const char trim_sql[] = "DELETE FROM events WHERE job = ?1 AND number <= ?2";
static const char load_sql[] =
    "SELECT time, kind, details FROM ("
    "SELECT number, time, kind, details FROM events WHERE job = " JOB_NUMBER
    " ORDER BY number DESC LIMIT ?2) ORDER BY number";

/* An event, and where it goes. */
typedef struct
{
  gint64 job, number;
  gint64 time;
  const char *kind;
  GVariant *details;
} Event;

/* Of which job it is, by the number that the tables use, and the next number of its events. */
static gboolean
find_place (TfdStore *store, const char *job_id, Event *event, GError **error)
{
  g_auto (TfdStatement) statement = TFD_STATEMENT_INIT;
  gboolean row = FALSE;

  if (!tfd_statement_init_write (&statement, store, last_sql, error))
    return FALSE;
  tfd_bind_text (&statement, job_id);
  if (!tfd_statement_step (&statement, &row, error))
    return FALSE;
  if (!row)
    {
      g_set_error (error, TFD_ERROR, TFD_ERROR_NOT_FOUND, "no job ‘%s’ in the database", job_id);
      return FALSE;
    }
  event->job = tfd_read_int (&statement);
  event->number = tfd_read_int (&statement) + 1; /* 0 is none */
  return TRUE;
}

static gboolean
append (TfdStore *store, const Event *event, GError **error)
{
  g_auto (TfdStatement) statement = TFD_STATEMENT_INIT;

  if (!tfd_statement_init (&statement, store, append_sql, error))
    return FALSE;
  tfd_bind_int (&statement, event->job);
  tfd_bind_int (&statement, event->number);
  tfd_bind_int (&statement, event->time);
  tfd_bind_text (&statement, event->kind);
  tfd_bind_variant (&statement, event->details);
  return tfd_statement_run (&statement, error);
}

static gboolean
trim (TfdStore *store, const Event *event, guint keep, GError **error)
{
  g_auto (TfdStatement) statement = TFD_STATEMENT_INIT;

  if (!tfd_statement_init (&statement, store, trim_sql, error))
    return FALSE;
  tfd_bind_int (&statement, event->job);
  tfd_bind_int (&statement, event->number - keep);
  return tfd_statement_run (&statement, error);
}

gboolean
tfd_store_append_event (TfdStore *store,
                        const char *job_id,
                        gint64 time,
                        const char *kind,
                        GVariant *details,
                        guint keep,
                        GError **error)
{
  g_autoptr (GVariant) owned =
      g_variant_ref_sink (details != NULL ? details : g_variant_new ("a{sv}", NULL));
  Event event = { .time = time, .kind = kind, .details = owned };

  if (!find_place (store, job_id, &event, error))
    return FALSE;
  if (event.number <= keep)
    return append (store, &event, error);
  if (!tfd_store_mark (store, error))
    return FALSE;
  if (append (store, &event, error) && trim (store, &event, keep, error) &&
      tfd_store_keep (store, error))
    return TRUE;
  tfd_store_undo (store);
  return FALSE;
}

GPtrArray *
tfd_store_load_events (TfdStore *store, const char *job_id, guint limit, GError **error)
{
  g_autoptr (GPtrArray) events =
      g_ptr_array_new_with_free_func ((GDestroyNotify) tfd_event_row_free);
  g_auto (TfdStatement) statement = TFD_STATEMENT_INIT;
  gboolean row = FALSE;

  if (!tfd_statement_init (&statement, store, load_sql, error))
    return NULL;
  tfd_bind_text (&statement, job_id);
  tfd_bind_int (&statement, limit > 0 ? (gint64) limit : -1);

  while (TRUE)
    {
      if (!tfd_statement_step (&statement, &row, error))
        return NULL;
      if (!row)
        return g_steal_pointer (&events);

      TfdEventRow *event = g_new0 (TfdEventRow, 1);
      event->time = tfd_read_int (&statement);
      event->kind = tfd_read_text (&statement);
      event->details = tfd_read_variant (&statement, G_VARIANT_TYPE_VARDICT);
      if (event->details == NULL)
        event->details = g_variant_ref_sink (g_variant_new ("a{sv}", NULL));
      g_ptr_array_add (events, event);
    }
}
