/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Remote: what owners say of the files at the other end: that they are elsewhere, or that what came
 * from there is not what it should be. */
#include "config.h"

#include "common/url.h"
#include "engine/engine-private.h"

static gboolean
check_job (TfdEngine *self, TfdJob *job, GError **error)
{
  if (!tfd_engine_check (self, job, TFD_EVENT_SET_REMOTE_NAME, error))
    return FALSE;
  if (job->record->type == TFD_JOB_TYPE_DOWNLOAD)
    return tfd_job_files (job, self->store, error) != NULL;
  g_set_error_literal (error, TFD_ERROR, TFD_ERROR_NOT_SUPPORTED,
                       "only files of downloads have a name that can be changed");
  return FALSE;
}

static TfdFileRecord *
find_file (TfdJob *job, guint32 index, GError **error)
{
  if (index < job->files->len)
    return job->files->pdata[index];
  g_set_error (error, TFD_ERROR, TFD_ERROR_INVALID_ARGS,
               "the job has %u files, and none of index %u", job->files->len, index);
  return NULL;
}

/* ---- SetRemoteName, ReplaceRemotePrefix ---- */

/* The worker fetches the file from where it was, or is about to. */
static gboolean
is_in_hand (const TfdJob *job, const TfdFileRecord *file)
{
  return job->run != NULL && file->index < job->run->next_file && !tfd_file_is_finished (file);
}

/* What has arrived is kept: the next request asks for the rest on condition that it is of the same
 * version. Takes @url; TRUE = the worker has to be told. */
static gboolean
rename_file (TfdEngine *self, TfdJob *job, TfdFileRecord *file, char *url)
{
  g_free (file->url);
  file->url = url;
  tfd_engine_save_file (self, job, file);
  return is_in_hand (job, file);
}

static gboolean
apply_rename (TfdEngine *self, TfdJob *job, gboolean in_hand, GVariant *details, GError **error)
{
  job->local_known = FALSE; /* elsewhere may be on this machine, or not any more */
  if (in_hand)
    job->run->outdated = TRUE;
  tfd_engine_log_event (self, job, "renamed", details);
  if (!tfd_engine_apply (self, job, in_hand ? TFD_EVENT_SET_REMOTE_NAME : TFD_EVENT_SET_PROPERTY,
                         TFD_GUARD_NONE, NULL, error))
    return FALSE;
  tfd_engine_tell_changed (self, job, TFD_CHANGED_TIMES);
  return TRUE;
}

gboolean
tfd_engine_set_remote_name (
    TfdEngine *self, TfdJob *job, guint32 index, const char *url, GError **error)
{
  TfdFileRecord *file;
  gboolean in_hand;

  if (!check_job (self, job, error))
    return FALSE;
  file = find_file (job, index, error);
  if (file == NULL || !tfd_url_check (url, error) ||
      !tfd_engine_check_stored (self, tfd_job_uid (job), strlen (url), error))
    return FALSE;
  in_hand = !g_str_equal (file->url, url) && rename_file (self, job, file, g_strdup (url));
  return apply_rename (self, job, in_hand, g_variant_new_parsed ("{'file': <%u>}", index), error);
}

/* The new URLs of the files that begin with @prefix, in their order; NULL when one is no URL. */
static GPtrArray *
replace_prefix (TfdJob *job, const char *prefix, const char *replacement, GError **error)
{
  g_autoptr (GPtrArray) urls = g_ptr_array_new_with_free_func (g_free);
  gsize length = strlen (prefix);

  for (guint i = 0; i < job->files->len; i++)
    {
      const TfdFileRecord *file = job->files->pdata[i];
      char *url;

      if (!g_str_has_prefix (file->url, prefix))
        continue;
      url = g_strconcat (replacement, file->url + length, NULL);
      g_ptr_array_add (urls, url);
      if (!tfd_url_check (url, error))
        {
          g_prefix_error (error, "file %u: ", i);
          return NULL;
        }
    }
  return g_steal_pointer (&urls);
}

gboolean
tfd_engine_replace_remote_prefix (TfdEngine *self,
                                  TfdJob *job,
                                  const char *prefix,
                                  const char *replacement,
                                  guint32 *changed,
                                  GError **error)
{
  g_autoptr (GPtrArray) urls = NULL;
  gboolean in_hand = FALSE;
  guint32 n = 0;

  if (*prefix == '\0')
    {
      g_set_error_literal (error, TFD_ERROR, TFD_ERROR_INVALID_ARGS, "the old prefix is empty");
      return FALSE;
    }
  if (!check_job (self, job, error))
    return FALSE;
  urls = replace_prefix (job, prefix, replacement, error);
  if (urls == NULL || !tfd_engine_check_stored (self, tfd_job_uid (job),
                                                urls->len * (guint64) strlen (replacement), error))
    return FALSE;

  for (guint i = 0; n < urls->len; i++)
    {
      TfdFileRecord *file = job->files->pdata[i];

      if (g_str_has_prefix (file->url, prefix))
        in_hand |= rename_file (self, job, file, g_steal_pointer (&urls->pdata[n++]));
    }
  *changed = n;
  return n == 0 ||
         apply_rename (self, job, in_hand, g_variant_new_parsed ("{'changed': <%u>}", n), error);
}

/* ---- SetValidationState ---- */

/* The verdict is one on the bytes that have arrived, and is kept and lost with what is known of
 * them. */
static void
set_validated (TfdFileRecord *file, gboolean valid)
{
  g_auto (GVariantDict) part = G_VARIANT_DICT_INIT (file->part);

  g_variant_dict_insert (&part, "validated", "b", valid);
  g_clear_pointer (&file->part, g_variant_unref);
  file->part = g_variant_ref_sink (g_variant_dict_end (&part));
}

gboolean
tfd_file_is_validated (const TfdFileRecord *file)
{
  gboolean valid = FALSE;

  return file->part != NULL && g_variant_lookup (file->part, "validated", "b", &valid) && valid;
}

static void
try_leftovers_cb (const GError *error, gpointer data)
{
  TfdJob *job = data;

  if (error == NULL)
    tfd_engine_try_leftovers (job->engine);
}

gboolean
tfd_engine_abandon_part (TfdEngine *self, TfdJob *job, TfdFileRecord *file, GError **error)
{
  g_autoptr (GError) local_error = NULL;

  tfd_engine_touch (self, job);
  if (!tfd_engine_add_leftover (self, job, file, &local_error))
    {
      tfd_engine_doom (self, local_error);
      g_propagate_error (error, g_steal_pointer (&local_error));
      return FALSE;
    }
  tfd_outbox_add (self->outbox, try_leftovers_cb, tfd_job_ref (job),
                  (GDestroyNotify) tfd_job_unref);
  file->attempt++;
  g_clear_pointer (&file->part, g_variant_unref);
  tfd_job_set_file_progress (job, file, 0, TFD_SIZE_UNKNOWN);
  return TRUE;
}

static gboolean
reject_file (TfdEngine *self, TfdJob *job, TfdFileRecord *file, GError **error)
{
  g_auto (TfdFailure) failure = { .code = TFD_ERROR_VALIDATION_FAILED,
                                  .context = TFD_ERROR_CONTEXT_REMOTE_FILE,
                                  .file = file->index };

  failure.message = g_strdup ("the file was found not to be valid; Resume fetches it again");
  if (!tfd_engine_abandon_part (self, job, file, error))
    return FALSE;
  tfd_job_set_file_state (job, file, TFD_FILE_STATE_ERROR);
  if (!tfd_engine_save_file (self, job, file) ||
      !tfd_engine_apply (self, job, TFD_EVENT_VALIDATION_FAILED, TFD_GUARD_NONE, &failure, error))
    return FALSE;
  tfd_engine_tell_changed (self, job, TFD_CHANGED_PROGRESS | TFD_CHANGED_TIMES);
  return TRUE;
}

gboolean
tfd_engine_set_validation_state (
    TfdEngine *self, TfdJob *job, guint32 index, gboolean valid, GError **error)
{
  TfdFileRecord *file;

  if (!check_job (self, job, error))
    return FALSE;
  file = find_file (job, index, error);
  if (file == NULL)
    return FALSE;
  if (!tfd_file_is_finished (file) || (file->state == TFD_FILE_STATE_COMPLETED && !valid))
    {
      g_set_error (error, TFD_ERROR, TFD_ERROR_INVALID_STATE, "file %u %s", index,
                   tfd_file_is_finished (file) ? "is in place already" : "has not arrived yet");
      return FALSE;
    }
  if (!valid)
    return reject_file (self, job, file, error);

  set_validated (file, TRUE);
  tfd_engine_save_file (self, job, file);
  if (!tfd_engine_apply (self, job, TFD_EVENT_SET_PROPERTY, TFD_GUARD_NONE, NULL, error))
    return FALSE;
  tfd_engine_tell_changed (self, job, TFD_CHANGED_TIMES);
  return TRUE;
}
