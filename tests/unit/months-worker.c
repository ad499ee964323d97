/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Months, the workers at work: they fetch file after file, and fail as servers and networks do. */
#include "months.h"

static const char *const hosts[N_HOSTS] = { "good.example", "good.example",  "flaky.example",
                                            "busy.example", "whole.example", "fatal.example",
                                            "dead.example", "localhost" };

#define LARGEST 1000

void
months_run_free (gpointer data)
{
  Run *run = data;

  g_queue_clear_full (&run->files, (GDestroyNotify) months_file_free);
  g_free (run->job);
  g_free (run);
}

char *
months_url (Months *self, const char *name)
{
  /* the dead one is rare: it costs many tries */
  guint host = months_pick (self, months_happens (self, 5) ? N_HOSTS : N_HOSTS - 2);

  return g_strdup_printf ("http://%s/%s",
                          months_happens (self, 12) ? hosts[N_HOSTS - 1] : hosts[host], name);
}

static gboolean
is_from (const WorkFile *file, const char *host)
{
  g_autofree char *prefix = g_strdup_printf ("http://%s/", host);

  return g_str_has_prefix (file->url, prefix);
}

static guint64
size_of (const WorkFile *file)
{
  return 1 + g_str_hash (file->url) % LARGEST;
}

Run *
months_find_run (Months *self, const char *job)
{
  GHashTableIter iter;
  Run *run;

  g_hash_table_iter_init (&iter, self->runs);
  while (g_hash_table_iter_next (&iter, NULL, (gpointer *) &run))
    if (g_str_equal (run->job, job))
      return run;
  return NULL;
}

/* ---- news ---- */

static void
tell (Months *self, const Run *run, const char *name, GVariant *parameters)
{
  tfd_fake_transport_news (self->fixture->transport, run->user->uid, name, parameters);
}

GVariant *
months_part_record (const WorkFile *file)
{
  g_auto (GVariantDict) dict = G_VARIANT_DICT_INIT (NULL);

  g_variant_dict_insert (&dict, "inode", "t", file->inode);
  g_variant_dict_insert (&dict, "have", "t", file->have);
  g_variant_dict_insert (&dict, "source", "b", file->source);
  if (file->source && !is_from (file, "whole.example"))
    g_variant_dict_insert (&dict, "validator", "s", "x");
  return g_variant_dict_end (&dict);
}

void
months_tell_part (Months *self, const Run *run, const WorkFile *file)
{
  tell (self, run, "Parts",
        g_variant_new_parsed ("(%t, [(%u, %@a{sv})])", run->number, file->index,
                              months_part_record (file)));
}

static void
tell_event (Months *self, const Run *run, const WorkFile *file, const char *kind)
{
  tell (self, run, "Event",
        g_variant_new_parsed ("(%t, %u, %s, @a{sv} {})", run->number, file->index, kind));
}

/* Bytes that came are a use of the job, if they came in time for the engine to hear of it. */
static void
note_bytes (Months *self, const Run *run)
{
  TfdJob *job = tfd_engine_get_job (self->fixture->engine, run->job);

  months_used (self, run->job,
               job != NULL && !self->dying && tfd_job_state_is_running (job->record->state) &&
                   job->record->last_activity == months_now (self));
}

static void
tell_progress (Months *self, const Run *run, const WorkFile *file)
{
  tell (self, run, "Progress",
        g_variant_new_parsed ("([(%t, [(%u, %t, %t)])],)", run->number, file->index, file->have,
                              size_of (file)));
  note_bytes (self, run);
}

/* It stops by itself. */
static void
fail (Months *self,
      Run *run,
      const WorkFile *file,
      TfdErrorCode code,
      TfdErrorContext context,
      gboolean transient,
      gint64 retry_after)
{
  run->over = TRUE;
  months_used (self, run->job, FALSE);
  tell (self, run, "Failed",
        g_variant_new_parsed (
            "(%t, %u, {'name': <%s>, 'context': <%s>, 'transient': <%b>, 'retry-after': <%t>})",
            run->number, file->index, tfd_error_code_to_name (code),
            tfd_enum_to_string (TFD_TYPE_ERROR_CONTEXT, context), transient,
            (guint64) retry_after));
}

static void
fail_passing (Months *self, Run *run, const WorkFile *file)
{
  static const TfdErrorCode codes[] = { TFD_ERROR_NAME_NOT_RESOLVED, TFD_ERROR_CONNECTION_FAILED,
                                        TFD_ERROR_CONNECTION_LOST, TFD_ERROR_TIMED_OUT,
                                        TFD_ERROR_NETWORK_DISCONNECTED };

  fail (self, run, file, codes[months_pick (self, G_N_ELEMENTS (codes))],
        TFD_ERROR_CONTEXT_TRANSPORT, TRUE, 0);
}

static void
fail_for_good (Months *self, Run *run, const WorkFile *file)
{
  static const TfdErrorCode codes[] = { TFD_ERROR_HTTP_STATUS, TFD_ERROR_CERTIFICATE_INVALID,
                                        TFD_ERROR_INSUFFICIENT_SPACE, TFD_ERROR_DIGEST_MISMATCH,
                                        TFD_ERROR_FILE_ACCESS_DENIED };

  fail (self, run, file, codes[months_pick (self, G_N_ELEMENTS (codes))],
        TFD_ERROR_CONTEXT_REMOTE_FILE, FALSE, 0);
}

/* ---- one file ---- */

/* It waits for the file to be handed in again, if ever. */
static void
give_back (Months *self, Run *run, const char *kind)
{
  WorkFile *file = g_queue_pop_head (&run->files);

  tell_event (self, run, file, kind);
  months_file_free (file);
}

static void
open_part (Months *self, Run *run, WorkFile *file)
{
  gboolean foreign;
  Part *part = months_find_part (self, run->job, file, &foreign);

  if (months_is_absent (self, file->path))
    fail (self, run, file, TFD_ERROR_DESTINATION_UNAVAILABLE, TFD_ERROR_CONTEXT_LOCAL_FILE, TRUE,
          0);
  else if (foreign)
    give_back (self, run, "part-replaced");
  else if (part == NULL && file->recorded && file->source)
    give_back (self, run, "part-missing");
  else
    {
      /* one without a record is an orphan of our own */
      if (part == NULL || !file->recorded)
        part = months_create_part (self, run->job, file);
      file->inode = part->inode;
      file->have = part->have;
      file->recorded = TRUE;
      run->open = TRUE;
      months_tell_part (self, run, file);
    }
}

/* Nothing goes wrong: TRUE. */
static gboolean
connect_to_server (Months *self, Run *run, WorkFile *file)
{
  gboolean local = is_from (file, "localhost");

  if (!local && (!self->link || self->portal))
    fail_passing (self, run, file);
  else if (self->calm)
    return TRUE;
  else if (is_from (file, "dead.example") || (self->down[2] && is_from (file, "good.example")) ||
           (is_from (file, "flaky.example") && months_happens (self, 3)))
    fail_passing (self, run, file);
  else if (is_from (file, "busy.example") && months_happens (self, 2))
    fail (self, run, file, TFD_ERROR_HTTP_STATUS, TFD_ERROR_CONTEXT_REMOTE_FILE, TRUE,
          months_span (self, SECOND, 2 * HOUR));
  else if (is_from (file, "fatal.example") && months_happens (self, 3))
    fail_for_good (self, run, file);
  else
    return TRUE;
  return FALSE;
}

static void
finish (Months *self, Run *run)
{
  WorkFile *file = g_queue_pop_head (&run->files);

  tell (self, run, "FilesDone",
        g_variant_new_parsed ("(%t, [(%u, %t, %@a{sv})])", run->number, file->index, file->have,
                              months_part_record (file)));
  note_bytes (self, run);
  run->open = FALSE;
  months_file_free (file);
}

static void
fetch (Months *self, Run *run, WorkFile *file)
{
  gboolean foreign;
  Part *part = months_find_part (self, run->job, file, &foreign);

  if (!connect_to_server (self, run, file))
    return;
  if (!run->connected)
    {
      run->connected = TRUE;
      tell (self, run, "Connected", g_variant_new ("(t)", run->number));
    }
  if (!file->source)
    {
      file->source = TRUE;
      months_tell_part (self, run, file);
    }
  if (months_happens (self, 15))
    {
      tell_event (self, run, file, "restarted");
      file->have = 0;
    }
  file->have = MIN (file->have + 1 + months_pick (self, LARGEST), size_of (file));
  /* whoever deletes an open file takes only its name */
  if (part != NULL)
    part->have = file->have;
  if (file->have == size_of (file) && part != NULL)
    {
      finish (self, run);
      return;
    }
  tell_progress (self, run, file);
  if (months_happens (self, 3))
    months_tell_part (self, run, file);
  if (part == NULL && file->have == size_of (file))
    fail (self, run, file, TFD_ERROR_FILE_MISSING, TFD_ERROR_CONTEXT_LOCAL_FILE, FALSE, 0);
}

static void
move_on (Months *self, Run *run)
{
  WorkFile *file = g_queue_peek_head (&run->files);

  run->due = months_now (self) + months_span (self, SECOND / 10, 5 * MINUTE);
  if (run->open)
    fetch (self, run, file);
  else
    open_part (self, run, file);
}

static gint64
due_of (const Run *run)
{
  return run->over || g_queue_is_empty ((GQueue *) &run->files) ? G_MAXINT64 : run->due;
}

static Run *
next_run (Months *self)
{
  GHashTableIter iter;
  Run *run, *next = NULL;

  g_hash_table_iter_init (&iter, self->runs);
  while (g_hash_table_iter_next (&iter, NULL, (gpointer *) &run))
    if (next == NULL || due_of (run) < due_of (next) ||
        (due_of (run) == due_of (next) && run->number < next->number))
      next = run;
  return next;
}

void
months_transfer (Months *self)
{
  Run *run = next_run (self);

  if (run != NULL && due_of (run) <= months_now (self))
    move_on (self, run);
}

gint64
months_next_transfer (Months *self)
{
  const Run *run = next_run (self);

  return run != NULL ? due_of (run) : G_MAXINT64;
}
