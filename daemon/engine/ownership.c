/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Ownership: an administrator takes a job over.
 *
 * The job is taken from its worker, and the worker of the new owner is asked whether it can go on
 * with what is there. It copies what belongs to the old owner, under names of which it is recorded
 * first that they are to be deleted: a crash in the middle leaves the job as it was, and nothing
 * besides. One commit changes the owner, takes the copies into use, and has the worker of the old
 * owner delete what was copied. */
#include "config.h"

#include "engine/limits.h"
#include "engine/work-private.h"

#define FILES_PER_REQUEST 1000

typedef struct
{
  TfdWork *work;       /* keeps everybody else from the job; NULL when that is over */
  TfdOwner owner;      /* the new one; strings (owned) */
  TfdOwner old;        /* likewise, without sandbox */
  GPtrArray *promises; /* (owned) of TfdLeftover: copies that nobody needs yet */
  GHashTable *copies;  /* (owned) index -> (owned) part record of the copy */
  gboolean counts;     /* against the limits of the new owner */
  gboolean one_more;   /* against that of the machine, against which it did not count */
  gboolean placed;     /* there is a place for it */
  TfdTakenFunc func;
  gpointer data;
} Taking;

static void
taking_free (Taking *taking)
{
  g_ptr_array_unref (taking->promises);
  g_hash_table_unref (taking->copies);
  g_free ((char *) taking->owner.name);
  g_free ((char *) taking->owner.sandbox);
  g_free ((char *) taking->old.name);
  g_free (taking);
}

/* ---- the limits on jobs: a place is taken before anything else is done ---- */

static void
hold_place (Taking *taking, TfdEngine *self, gboolean hold)
{
  if (taking->placed != hold)
    tfd_engine_count_place (self, taking->owner.uid, taking->one_more, hold ? 1 : -1);
  taking->placed = hold;
}

/* Takes @reservation: what was reserved for the call is kept for as long as it takes. */
static gboolean
reserve (Taking *taking, TfdJob *job, TfdReservation *reservation, GError **error)
{
  g_autoptr (TfdReservation) place = reservation;

  if (place == NULL)
    place = tfd_reservation_new_takeover (job->engine, taking->owner.uid, job);
  if (!tfd_reservation_check (place, error))
    return FALSE;
  taking->counts = tfd_reservation_counts (place);
  taking->one_more = taking->counts && !job->record->counts;
  hold_place (taking, job->engine, TRUE);
  return TRUE;
}

/* Nobody but the one who asked hears of it: the job goes on as it did. Takes @error. */
static void
give_up (Taking *taking, GError *error)
{
  TfdWork *work = taking->work;
  g_autoptr (TfdJob) job = tfd_job_ref (work->job);
  TfdLogJob log = tfd_job_log (job);
  g_autoptr (GError) owned = error;

  tfd_job_message (&log, "user ‘%s’ cannot take it over: %s", taking->owner.name, error->message);
  hold_place (taking, work->engine, FALSE);
  taking->func (job, error, taking->data);
  /* copies of earlier batches */
  if (taking->promises->len > 0)
    tfd_engine_try_leftovers_later (work->engine);
  tfd_work_free (work);
  taking_free (taking);
}

/* ---- the change ---- */

/* What was only for the eyes and servers of the old owner, and how it wanted to be told. */
static void
drop_secrets (TfdJobProperties *properties)
{
  g_autoptr (TfdJobProperties) defaults = tfd_job_properties_new ();

  g_clear_pointer (&properties->credentials, g_variant_unref);
  g_clear_pointer (&properties->headers, g_variant_unref);
  properties->headers_write_only = FALSE;
  g_free (properties->client_certificate);
  properties->client_certificate = g_strdup (defaults->client_certificate);
  g_free (properties->notify_application);
  properties->notify_application = g_strdup (defaults->notify_application);
  properties->notify_files = defaults->notify_files;
  properties->notify_interval = defaults->notify_interval;
}

/* The file's temporary is @part from now on, and the one before is its old owner's to delete. */
static gboolean
change_part (Taking *taking, TfdFileRecord *file, GVariant *part, GError **error)
{
  TfdJob *job = taking->work->job;

  if (!tfd_engine_add_leftover (taking->work->engine, job, file, error))
    return FALSE;
  file->attempt++;
  g_clear_pointer (&file->part, g_variant_unref);
  file->part = part != NULL ? g_variant_ref (part) : NULL;
  return tfd_engine_save_file (taking->work->engine, job, file);
}

/* A worker of the old owner may have begun files that nobody has heard of. */
static gboolean
part_from_unrecorded (Taking *taking, GError **error)
{
  const TfdWork *work = taking->work;
  GPtrArray *files = work->job->files;
  guint left = TFD_WORK_UNRECORDED;

  for (guint i = 0; i < files->len && left > 0; i++)
    {
      TfdFileRecord *file = files->pdata[i];

      if (!tfd_work_receives (work, file) || file->part != NULL ||
          !tfd_work_may_have_part (work, file))
        continue;
      if (!change_part (taking, file, NULL, error))
        return FALSE;
      left--;
    }
  return TRUE;
}

static gboolean
change_parts (Taking *taking, GError **error)
{
  TfdStore *store = taking->work->engine->store;
  GHashTableIter iter;
  gpointer index, part;

  for (guint i = 0; i < taking->promises->len; i++)
    if (!tfd_store_remove_leftover (store, ((TfdLeftover *) taking->promises->pdata[i])->id, error))
      return FALSE;
  g_hash_table_iter_init (&iter, taking->copies);
  while (g_hash_table_iter_next (&iter, &index, &part))
    if (!change_part (taking, tfd_work_file (taking->work, GPOINTER_TO_UINT (index)), part, error))
      return FALSE;
  return part_from_unrecorded (taking, error);
}

static void
change_record (Taking *taking)
{
  TfdJob *job = taking->work->job;
  TfdJobRecord *record = job->record;

  hold_place (taking, job->engine, FALSE);
  tfd_engine_count_job (job->engine, job, -1);
  record->owner_uid = taking->owner.uid;
  g_free (record->owner_name);
  record->owner_name = g_strdup (taking->owner.name);
  g_free (record->sandbox);
  record->sandbox = g_strdup (taking->owner.sandbox);
  record->gone_since = 0;
  record->counts = taking->counts;
  drop_secrets (record->properties);
  tfd_engine_count_job (job->engine, job, 1);
}

/* What the old owner handed in is not kept any longer; it was used to delete what it left. */
static void
part_from (Taking *taking, TfdJob *job)
{
  TfdEngine *self = job->engine;
  const GPtrArray *files = job->files;
  gboolean attached = FALSE;

  tfd_engine_try_leftovers (self);
  for (guint i = 0; files != NULL && i < files->len && !attached; i++)
    attached = ((const TfdFileRecord *) files->pdata[i])->attached;
  if (attached)
    tfd_transport_request_async (self->transport, &taking->old, "Detach",
                                 g_variant_new ("(s)", job->record->id), NULL, NULL);
}

static void
taken_cb (const GError *error, gpointer data)
{
  Taking *taking = data;
  TfdWork *work = taking->work;
  g_autoptr (TfdJob) job = tfd_job_ref (work->job);

  if (error != NULL)
    {
      give_up (taking, g_error_copy (error));
      return;
    }
  taking->func (job, NULL, taking->data);
  tfd_work_free (work);
  part_from (taking, job);
  taking_free (taking);
}

static void
change_owner (Taking *taking)
{
  TfdWork *work = taking->work;
  TfdEngine *self = work->engine;
  TfdJob *job = work->job;
  TfdLogJob log = tfd_job_log (job);
  g_autoptr (GError) error = NULL;

  tfd_log (G_LOG_LEVEL_MESSAGE, TFD_MESSAGE_OWNER_CHANGED, &log, "taken over from ‘%s’ by ‘%s’",
           job->record->owner_name, taking->owner.name);
  tfd_engine_log_event (self, job, "owner-changed",
                        g_variant_new_parsed ("{'from': <%s>, 'to': <%s>}", job->record->owner_name,
                                              taking->owner.name));
  if (!change_parts (taking, &error))
    tfd_engine_doom (self, error);
  change_record (taking);
  if (error == NULL && !tfd_store_update_owner (self->store, job->record, &error))
    tfd_engine_doom (self, error);
  tfd_engine_apply (self, job, TFD_EVENT_SUSPEND, TFD_GUARD_NONE, NULL, NULL);
  tfd_engine_save_job (self, job, NULL);
  tfd_engine_tell_changed (self, job,
                           TFD_CHANGED_OWNER | TFD_CHANGED_PROPERTIES | TFD_CHANGED_TIMES);
  tfd_outbox_add (self->outbox, taken_cb, taking, NULL);
}

/* ---- can the new owner go on with it? ---- */

static void adopt_next (Taking *taking);

static gboolean
wants_adoption (const TfdJob *job, const TfdFileRecord *file)
{
  if (tfd_file_direction (job->record->type, file->index) == TFD_DIRECTION_SEND)
    return !tfd_file_is_finished (file);
  return file->part != NULL && file->state != TFD_FILE_STATE_COMPLETED;
}

static void
note_copies (Taking *taking, GVariant *answer)
{
  g_autoptr (GVariantIter) iter = NULL;
  const char *verdict;
  GVariant *details;
  guint32 index;

  g_variant_get (answer, "(a(usa{sv}))", &iter);
  while (g_variant_iter_next (iter, "(u&s@a{sv})", &index, &verdict, &details))
    {
      g_autoptr (GVariant) owned = details;
      const TfdFileRecord *file = tfd_work_file (taking->work, index);
      GVariant *part = g_variant_lookup_value (details, "part", G_VARIANT_TYPE_VARDICT);

      /* a worker that makes up what was not asked for changes nothing */
      if (part != NULL && file != NULL && wants_adoption (taking->work->job, file) &&
          file->part != NULL && g_str_equal (verdict, "copied") &&
          g_variant_get_size (part) <= TFD_MAX_PART)
        g_hash_table_replace (taking->copies, GUINT_TO_POINTER (index), part);
      else if (part != NULL)
        g_variant_unref (part);
    }
}

static void
adopted_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Taking *taking = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) answer =
      tfd_transport_request_finish (TFD_TRANSPORT (source), result, NULL, &error);

  if (answer == NULL)
    {
      TfdErrorCode code = TFD_ERROR_WORKER_LOST;

      if (error->domain == TFD_ERROR)
        code = error->code == TFD_ERROR_INSUFFICIENT_SPACE ? TFD_ERROR_INSUFFICIENT_SPACE
                                                           : TFD_ERROR_FILE_ACCESS_DENIED;
      give_up (taking, g_error_new (TFD_ERROR, (int) code, "user ‘%s’ cannot go on with it: %s",
                                    taking->owner.name, error->message));
      return;
    }
  note_copies (taking, answer);
  taking->work->cursor = taking->work->next;
  adopt_next (taking);
}

static GVariant *
adopt_options (Taking *taking)
{
  const TfdJob *job = taking->work->job;
  g_auto (GVariantDict) dict = G_VARIANT_DICT_INIT (NULL);

  g_variant_dict_insert (&dict, "type", "s",
                         tfd_enum_to_string (TFD_TYPE_JOB_TYPE, (int) job->record->type));
  g_variant_dict_insert (&dict, "keep-free", "t", taking->work->engine->config->keep_free);
  return g_variant_dict_end (&dict);
}

/* Whatever becomes of the copies is recorded: they may be made. */
static void
promised_cb (const GError *error, gpointer data)
{
  Taking *taking = data;
  TfdWork *work = taking->work;
  GVariantBuilder files;

  if (error != NULL)
    {
      give_up (taking, g_error_copy (error));
      return;
    }
  g_variant_builder_init (&files, G_VARIANT_TYPE ("a(ua{sv})"));
  for (guint32 i = work->cursor; i < work->next; i++)
    if (wants_adoption (work->job, work->job->files->pdata[i]))
      g_variant_builder_add_value (&files, tfd_request_file (work->job->files->pdata[i]));
  tfd_transport_request_async (
      work->engine->transport, &taking->owner, "Adopt",
      g_variant_new ("(s@a{sv}a(ua{sv}))", work->job->record->id, adopt_options (taking), &files),
      adopted_cb, taking);
}

/* The copy that a worker may make of @file. */
static gboolean
promise (Taking *taking, const TfdFileRecord *file, GError **error)
{
  const TfdJob *job = taking->work->job;
  g_autoptr (TfdLeftover) leftover = tfd_leftover_new ();

  leftover->owner_uid = taking->owner.uid;
  leftover->owner_name = g_strdup (taking->owner.name);
  leftover->job_id = g_strdup (job->record->id);
  leftover->index = file->index;
  leftover->attempt = file->attempt + 1;
  leftover->path = g_strdup (file->path);
  leftover->directory = file->directory != NULL ? g_bytes_ref (file->directory) : NULL;
  leftover->created = leftover->last_try = tfd_clock_now_real (job->engine->clock);
  if (!tfd_store_add_leftover (job->engine->store, leftover, error))
    return FALSE;
  g_ptr_array_add (taking->promises, g_steal_pointer (&leftover));
  return TRUE;
}

static void
adopt_next (Taking *taking)
{
  TfdWork *work = taking->work;
  TfdEngine *self = work->engine;
  GPtrArray *files = work->job->files;
  g_autoptr (GError) error = NULL;
  guint most = MIN (FILES_PER_REQUEST, self->most_at_once), wanted = 0;

  for (work->next = work->cursor; work->next < files->len && wanted < most; work->next++)
    {
      const TfdFileRecord *file = files->pdata[work->next];

      if (!wants_adoption (work->job, file))
        continue;
      wanted++;
      if (tfd_work_receives (work, file) && !promise (taking, file, &error))
        {
          tfd_engine_doom (self, error);
          break;
        }
    }
  if (wanted == 0)
    change_owner (taking);
  else
    tfd_outbox_add (self->outbox, promised_cb, taking, NULL);
}

/* ---- begin ---- */

static void
stopped_cb (TfdEngine *self, TfdJob *job, gpointer data)
{
  Taking *taking = data;
  GError *error = NULL;

  if (tfd_job_files (job, self->store, &error) == NULL)
    give_up (taking, error);
  else
    adopt_next (taking);
}

static Taking *
taking_new (const TfdOwner *owner, TfdTakenFunc func, gpointer data)
{
  Taking *taking = g_new0 (Taking, 1);

  taking->owner = (TfdOwner){ owner->uid, g_strdup (owner->name),
                              g_strdup (owner->sandbox != NULL ? owner->sandbox : "") };
  taking->promises = g_ptr_array_new_with_free_func ((GDestroyNotify) tfd_leftover_free);
  taking->copies = g_hash_table_new_full (NULL, NULL, NULL, (GDestroyNotify) g_variant_unref);
  taking->func = func;
  taking->data = data;
  return taking;
}

void
tfd_engine_take_ownership (TfdEngine *self,
                           TfdJob *job,
                           const TfdOwner *owner,
                           TfdReservation *reservation,
                           TfdTakenFunc func,
                           gpointer data)
{
  g_autoptr (TfdReservation) place = reservation;
  g_autoptr (GError) error = NULL;
  Taking *taking;

  g_return_if_fail (job->work == NULL);
  taking = taking_new (owner, func, data);
  taking->old = (TfdOwner){ job->record->owner_uid, g_strdup (job->record->owner_name), NULL };
  if (!tfd_engine_check (self, job, TFD_EVENT_SUSPEND, &error) ||
      !reserve (taking, job, g_steal_pointer (&place), &error))
    {
      func (job, error, data);
      taking_free (taking);
      return;
    }
  taking->work = tfd_work_new (self, job, TFD_OPERATION_NONE, NULL, NULL);
  tfd_engine_stop_run (self, job, stopped_cb, taking);
}
