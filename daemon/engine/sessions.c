/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Sessions: what servers keep of uploads that were given up. The job has ended and its slot is
 * free; servers are asked to forget what they have of it at once, later with longer and longer
 * pauses, and whenever a network or the service comes back, until they have or a day is over. */
#include "config.h"

#include "common/url.h"
#include "engine/engine-private.h"

#define FIRST_PAUSE (60 * (gint64) TFD_USEC_PER_SEC)
#define LONGEST_PAUSE (60 * FIRST_PAUSE)
#define LONGEST_SPAN (24 * 3600 * TFD_USEC_PER_SEC)
#define ROWS_PER_REQUEST 1000

/* What is known of a row while the service lives; times are boot times. */
typedef struct
{
  gint64 next;
  gint64 give_up;
  gint64 pause;   /* before the last question */
  gboolean asked; /* no answer yet */
} Session;

/* Sessions of one job in one request. */
typedef struct
{
  TfdEngine *engine;
  GPtrArray *rows; /* (owned) of TfdLeftover */
} Question;

/* ---- recording ---- */

static gboolean
has_session (const TfdJob *job, const TfdFileRecord *file)
{
  g_autoptr (GVariant) session = NULL;

  if (file->part != NULL &&
      tfd_file_direction (job->record->type, file->index) == TFD_DIRECTION_SEND)
    session = g_variant_lookup_value (file->part, "session", NULL);
  return session != NULL;
}

static gboolean
add_session (TfdEngine *self, TfdJob *job, const TfdFileRecord *file, GError **error)
{
  const TfdJobRecord *record = job->record;
  g_autoptr (TfdLeftover) leftover = tfd_leftover_new ();

  leftover->kind = TFD_LEFTOVER_SESSION;
  leftover->owner_uid = record->owner_uid;
  leftover->owner_name = g_strdup (record->owner_name);
  leftover->job_id = g_strdup (record->id);
  leftover->index = file->index;
  leftover->attempt = file->attempt;
  leftover->url = g_strdup (file->url);
  leftover->path = g_strdup (file->path);
  leftover->part = g_variant_ref (file->part);
  leftover->directory = file->directory != NULL ? g_bytes_ref (file->directory) : NULL;
  leftover->options = g_variant_ref_sink (tfd_request_run_options (record, 0, self->config));
  leftover->created = leftover->last_try = tfd_clock_now_real (self->clock);
  leftover->boot_id = g_strdup (tfd_clock_boot_id (self->clock));
  leftover->since = tfd_clock_now_boot (self->clock);
  leftover->span = MIN (LONGEST_SPAN, record->properties->no_progress_timeout);
  tfd_engine_count_leftover (self, leftover);
  return tfd_store_add_leftover (self->store, leftover, error);
}

gboolean
tfd_engine_add_sessions (TfdEngine *self, TfdJob *job, GError **error)
{
  for (guint i = 0; i < job->files->len; i++)
    {
      if (!has_session (job, job->files->pdata[i]))
        continue;
      if (!add_session (self, job, job->files->pdata[i], error))
        return FALSE;
      tfd_engine_end_sessions (self, FALSE);
    }
  return TRUE;
}

/* ---- answers ---- */

static Session *
session_of (TfdEngine *self, const TfdLeftover *row)
{
  return self->sessions == NULL ? NULL : g_hash_table_lookup (self->sessions, &row->id);
}

static void
forget (TfdEngine *self, const TfdLeftover *row)
{
  g_autoptr (GError) error = NULL;

  if (tfd_store_remove_leftover (self->store, row->id, &error))
    g_hash_table_remove (self->sessions, &row->id);
  else
    tfd_warning ("cannot forget a session: %s", error->message);
}

static void
ask_later (TfdEngine *self, const TfdLeftover *row, Session *session)
{
  session->asked = FALSE;
  session->pause = CLAMP (2 * session->pause, FIRST_PAUSE, LONGEST_PAUSE);
  session->next = tfd_clock_now_boot (self->clock) + session->pause;
  tfd_store_touch_leftover (self->store, row->id, tfd_clock_now_real (self->clock), NULL);
}

static gboolean
is_ended (GVariant *answer, guint32 index)
{
  g_autoptr (GVariantIter) iter = NULL;
  const char *result, *message;
  guint32 i;

  if (answer == NULL)
    return FALSE;
  g_variant_get (answer, "(a(uss))", &iter);
  while (g_variant_iter_next (iter, "(u&s&s)", &i, &result, &message))
    if (i == index)
      return g_str_equal (result, "ended");
  return FALSE;
}

static void
answered_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Question *question = user_data;
  TfdEngine *self = question->engine;
  g_autoptr (GVariant) answer =
      tfd_transport_request_finish (TFD_TRANSPORT (source), result, NULL, NULL);

  for (guint i = 0; i < question->rows->len; i++)
    {
      const TfdLeftover *row = question->rows->pdata[i];
      Session *session = session_of (self, row);

      if (session == NULL)
        continue;
      if (is_ended (answer, row->index))
        forget (self, row);
      else
        ask_later (self, row, session);
    }
  tfd_outbox_wake (self->outbox);
  g_ptr_array_unref (question->rows);
  g_free (question);
  tfd_engine_end_sessions (self, FALSE);
}

/* ---- questions ---- */

/* Takes @rows, which are of one job. */
static void
ask (TfdEngine *self, GPtrArray *rows)
{
  const TfdLeftover *first = rows->pdata[0];
  const TfdOwner owner = { first->owner_uid, first->owner_name, NULL };
  Question *question = g_new (Question, 1);

  *question = (Question){ self, rows };
  tfd_transport_request_async (
      self->transport, &owner, "EndSessions",
      g_variant_new ("(s@a{sv}@a(ua{sv}))", first->job_id,
                     first->options != NULL
                         ? first->options
                         : g_variant_new_array (G_VARIANT_TYPE ("{sv}"), NULL, 0),
                     tfd_request_sessions (rows)),
      answered_cb, question);
}

/* A boot time of another boot means nothing in this one: the day begins anew, which is late rather
 * than early. */
static Session *
take_up (TfdEngine *self, const TfdLeftover *row)
{
  gint64 now = tfd_clock_now_boot (self->clock);
  gint64 since = row->since;
  Session *session = session_of (self, row);

  if (session != NULL)
    return session;
  if (g_strcmp0 (row->boot_id, tfd_clock_boot_id (self->clock)) != 0)
    {
      since = now;
      tfd_store_restart_leftover (self->store, row->id, tfd_clock_boot_id (self->clock), since,
                                  NULL);
    }
  session = g_new0 (Session, 1);
  session->next = now;
  session->give_up = since + (gint64) MIN (row->span, LONGEST_SPAN);
  g_hash_table_insert (self->sessions, g_memdup2 (&row->id, sizeof row->id), session);
  return session;
}

static void
give_up (TfdEngine *self, const TfdLeftover *row)
{
  g_autofree char *origin = tfd_url_origin (row->url != NULL ? row->url : "");
  TfdLogJob log = { row->job_id, row->owner_uid, "cancelled", origin };

  tfd_log (G_LOG_LEVEL_MESSAGE, TFD_MESSAGE_SESSION_LEFT, &log,
           "job %s: its server could not be told that the upload was given up; what it has of it "
           "stays there until it forgets it by itself",
           row->job_id);
  forget (self, row);
}

/* Whoever begins uploads and gives them up, without end, keeps the service busy with the latest of
 * them only: the rest is forgotten, as after a day. */
static void
shed (TfdEngine *self, GPtrArray *rows)
{
  g_autoptr (GHashTable) counts = g_hash_table_new (NULL, NULL); /* uid -> how many */

  for (guint i = rows->len; i > 0; i--)
    {
      TfdLeftover *row = rows->pdata[i - 1];
      gpointer uid = GUINT_TO_POINTER (row->owner_uid);
      guint count = GPOINTER_TO_UINT (g_hash_table_lookup (counts, uid)) + 1;

      g_hash_table_replace (counts, uid, GUINT_TO_POINTER (count));
      if (count <= self->most_sessions)
        continue;
      if (count == self->most_sessions + 1)
        tfd_message (
            "user %u has given up so many uploads that servers are not told of all of them",
            row->owner_uid);
      forget (self, row);
      tfd_leftover_free (row);
      rows->pdata[i - 1] = NULL;
    }
}

/* Sorts @rows, some of which are NULL, by what is to be done; returns those to ask about, an array
 * for each request. */
static GPtrArray *
sort (TfdEngine *self, GPtrArray *rows, gboolean all)
{
  GPtrArray *questions = g_ptr_array_new ();
  gint64 now = tfd_clock_now_boot (self->clock);
  GPtrArray *present = NULL;

  for (guint i = 0; i < rows->len; i++)
    {
      TfdLeftover *row = rows->pdata[i];
      Session *session = row != NULL ? take_up (self, row) : NULL;

      if (session == NULL || session->asked ||
          (now < session->give_up && !all && now < session->next))
        continue;
      if (now >= session->give_up)
        {
          give_up (self, row);
          continue;
        }
      session->asked = TRUE;
      if (present == NULL || present->len == ROWS_PER_REQUEST ||
          !g_str_equal (((TfdLeftover *) present->pdata[0])->job_id, row->job_id))
        {
          present = g_ptr_array_new_with_free_func ((GDestroyNotify) tfd_leftover_free);
          g_ptr_array_add (questions, present);
        }
      g_ptr_array_add (present, row);
      rows->pdata[i] = NULL;
    }
  return questions;
}

static void
due_cb (gpointer user_data)
{
  TfdEngine *self = user_data;

  self->session_alarm = 0;
  tfd_engine_end_sessions (self, FALSE);
}

static void
set_alarm (TfdEngine *self)
{
  gint64 next = G_MAXINT64;
  GHashTableIter iter;
  Session *session;

  g_hash_table_iter_init (&iter, self->sessions);
  while (g_hash_table_iter_next (&iter, NULL, (gpointer *) &session))
    if (!session->asked)
      next = MIN (next, MIN (session->next, session->give_up));
  tfd_clock_remove_alarm (self->clock, self->session_alarm);
  self->session_alarm =
      next == G_MAXINT64 ? 0 : tfd_clock_add_alarm (self->clock, next, due_cb, self, NULL);
}

static void
leftover_free (gpointer row)
{
  if (row != NULL)
    tfd_leftover_free (row);
}

/* What is not committed yet is not asked about: the rows are read after the commit. */
static void
ask_all_cb (const GError *error G_GNUC_UNUSED, gpointer data)
{
  TfdEngine *self = data;
  gboolean all = self->sessions_all;
  g_autoptr (GPtrArray) rows =
      tfd_store_load_leftovers (self->store, TFD_LEFTOVER_SESSION, G_MAXUINT32, NULL);
  g_autoptr (GPtrArray) questions = NULL;

  self->sessions_due = self->sessions_all = FALSE;
  if (rows == NULL || (rows->len == 0 && self->sessions == NULL))
    return;
  if (self->sessions == NULL)
    self->sessions = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, g_free);
  g_ptr_array_set_free_func (rows, leftover_free);
  shed (self, rows);
  questions = sort (self, rows, all);
  for (guint i = 0; i < questions->len; i++)
    ask (self, questions->pdata[i]);
  tfd_outbox_wake (self->outbox);
  set_alarm (self);
}

void
tfd_engine_end_sessions (TfdEngine *self, gboolean all)
{
  self->sessions_all |= all;
  if (self->sessions_due)
    return;
  self->sessions_due = TRUE;
  tfd_outbox_add (self->outbox, ask_all_cb, self, NULL);
}

gboolean
tfd_engine_has_sessions (TfdEngine *self)
{
  return self->sessions != NULL && g_hash_table_size (self->sessions) > 0;
}

void
tfd_engine_forget_sessions (TfdEngine *self)
{
  tfd_clock_remove_alarm (self->clock, self->session_alarm);
  g_clear_pointer (&self->sessions, g_hash_table_unref);
}
