/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Probe: has the owner's worker look at directories before a file is accepted, and open temporaries
 * for reading. The daemon itself opens no file of a user. */
#include "config.h"

#include "engine/engine-private.h"

/* What was just seen need not be looked at again for each call of a script. */
#define CACHE_TIME (10 * (gint64) TFD_USEC_PER_SEC)
#define CACHE_SIZE 4096

/* One probe: what it asked for, and what is known. */
typedef struct
{
  guint32 uid;
  GPtrArray *asked;  /* (owned) of (owned) directories, in the order of the request */
  GHashTable *found; /* (owned) directory -> (owned) GBytes */
} ProbeRequest;

static void
probe_request_free (ProbeRequest *request)
{
  g_ptr_array_unref (request->asked);
  g_hash_table_unref (request->found);
  g_free (request);
}

static char *
cache_key (guint32 uid, const char *directory)
{
  return g_strdup_printf ("%u:%s", uid, directory);
}

/* What is remembered is that the directory may be used, not which one it was: it can be another by
 * the same name a moment later. */
static gboolean
was_seen (TfdEngine *self, guint32 uid, const char *directory)
{
  g_autofree char *key = cache_key (uid, directory);
  const gint64 *time = self->probes == NULL ? NULL : g_hash_table_lookup (self->probes, key);

  return time != NULL && tfd_clock_now_boot (self->clock) - *time < CACHE_TIME;
}

static void
remember (TfdEngine *self, guint32 uid, const char *directory)
{
  gint64 now = tfd_clock_now_boot (self->clock);

  if (self->probes == NULL)
    self->probes = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  if (g_hash_table_size (self->probes) >= CACHE_SIZE)
    g_hash_table_remove_all (self->probes);
  g_hash_table_replace (self->probes, cache_key (uid, directory), g_memdup2 (&now, sizeof now));
}

static gboolean
read_results (TfdEngine *self, ProbeRequest *request, GVariant *answer, GError **error)
{
  g_autoptr (GVariantIter) iter = NULL;
  const char *name, *message;
  GVariant *bytes;

  g_variant_get (answer, "(a(ayss))", &iter);
  for (guint i = 0;
       i < request->asked->len && g_variant_iter_next (iter, "(@ay&s&s)", &bytes, &name, &message);
       i++)
    {
      const char *directory = request->asked->pdata[i];
      g_autoptr (GVariant) owned = bytes;
      g_autoptr (GBytes) identity = NULL;
      TfdErrorCode code = TFD_ERROR_INVALID_PATH;

      if (*name != '\0')
        {
          tfd_error_code_from_name (name, &code);
          g_set_error (error, TFD_ERROR,
                       code == TFD_ERROR_FILE_ACCESS_DENIED ? code : TFD_ERROR_INVALID_PATH,
                       "directory ‘%s’: %.1024s", directory, message);
          return FALSE;
        }
      if (g_variant_get_size (bytes) > TFD_MAX_PART)
        continue;
      identity = g_bytes_new (g_variant_get_data (bytes), g_variant_get_size (bytes));
      remember (self, request->uid, directory);
      g_hash_table_insert (request->found, g_strdup (directory), g_steal_pointer (&identity));
    }
  return TRUE;
}

static void
probed_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = G_TASK (user_data);
  TfdEngine *self = g_task_get_source_object (task);
  ProbeRequest *request = g_task_get_task_data (task);
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) answer =
      tfd_transport_request_finish (TFD_TRANSPORT (source), result, NULL, &error);

  /* no answer: the files are looked at when they start */
  if (answer != NULL && !read_results (self, request, answer, &error))
    {
      g_task_return_error (task, g_steal_pointer (&error));
      return;
    }
  g_task_return_pointer (task, g_hash_table_ref (request->found),
                         (GDestroyNotify) g_hash_table_unref);
}

/* Sorts the directories of @files into what is known and what must be asked. */
static ProbeRequest *
probe_request_new (TfdEngine *self, guint32 uid, GPtrArray *files)
{
  ProbeRequest *request = g_new0 (ProbeRequest, 1);
  g_autoptr (GHashTable) distinct = g_hash_table_new (g_str_hash, g_str_equal);

  request->uid = uid;
  request->asked = g_ptr_array_new_with_free_func (g_free);
  request->found =
      g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify) g_bytes_unref);
  for (guint i = 0; i < files->len; i++)
    {
      g_autofree char *directory = g_path_get_dirname (((TfdFileSpec *) files->pdata[i])->path);

      if (g_hash_table_contains (distinct, directory) || was_seen (self, uid, directory))
        continue;
      g_hash_table_add (distinct, directory);
      g_ptr_array_add (request->asked, g_steal_pointer (&directory));
    }
  return request;
}

void
tfd_engine_probe_async (TfdEngine *self,
                        const TfdOwner *owner,
                        GPtrArray *files,
                        GAsyncReadyCallback callback,
                        gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (self, NULL, callback, user_data);
  ProbeRequest *request = probe_request_new (self, owner->uid, files);
  GVariantBuilder builder;

  g_task_set_name (task, "probe");
  g_task_set_task_data (task, request, (GDestroyNotify) probe_request_free);
  if (request->asked->len == 0)
    {
      g_task_return_pointer (task, g_hash_table_ref (request->found),
                             (GDestroyNotify) g_hash_table_unref);
      return;
    }

  g_variant_builder_init (&builder, G_VARIANT_TYPE ("aay"));
  for (guint i = 0; i < request->asked->len; i++)
    g_variant_builder_add_value (
        &builder, g_variant_new_fixed_array (G_VARIANT_TYPE_BYTE, request->asked->pdata[i],
                                             strlen (request->asked->pdata[i]), 1));
  tfd_transport_request_async (self->transport, owner, "Probe", g_variant_new ("(aay)", &builder),
                               probed_cb, g_steal_pointer (&task));
}

GHashTable *
tfd_engine_probe_finish (TfdEngine *self G_GNUC_UNUSED, GAsyncResult *result, GError **error)
{
  return g_task_propagate_pointer (G_TASK (result), error);
}

/* ---- OpenTemporary ---- */

static void
opened_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = G_TASK (user_data);
  g_autoptr (GUnixFDList) fds = NULL;
  GError *error = NULL;
  g_autoptr (GVariant) answer =
      tfd_transport_request_finish (TFD_TRANSPORT (source), result, &fds, &error);
  TfdErrorCode code = TFD_ERROR_FILE_MISSING;
  int fd = -1;

  if (answer != NULL && fds != NULL && g_unix_fd_list_get_length (fds) == 1)
    fd = g_unix_fd_list_get (fds, 0, &error);
  if (error != NULL && error->domain == TFD_ERROR &&
      (error->code == TFD_ERROR_FILE_ACCESS_DENIED ||
       error->code == TFD_ERROR_DESTINATION_UNAVAILABLE))
    code = (TfdErrorCode) error->code;
  if (fd >= 0)
    g_task_return_int (task, fd);
  else
    g_task_return_new_error (task, TFD_ERROR, code, "the temporary file cannot be opened: %s",
                             error != NULL ? error->message : "nothing has arrived yet");
  g_clear_error (&error);
}

void
tfd_engine_open_temporary_async (
    TfdEngine *self, TfdJob *job, guint32 file, GAsyncReadyCallback callback, gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (self, NULL, callback, user_data);
  TfdOwner owner = tfd_job_owner (job);
  g_autoptr (GVariant) record = NULL;
  g_autoptr (GVariant) dict = NULL;
  GError *error = NULL;

  g_task_set_name (task, "open temporary");
  if (tfd_job_state_is_final (job->record->state))
    {
      g_task_return_new_error (task, TFD_ERROR, TFD_ERROR_INVALID_STATE,
                               "the job has ended: its temporary files are gone");
      return;
    }
  if (tfd_job_files (job, self->store, &error) == NULL)
    {
      g_task_return_error (task, error);
      return;
    }
  if (file >= job->files->len)
    {
      g_task_return_new_error (task, TFD_ERROR, TFD_ERROR_INVALID_ARGS,
                               "the job has no file %u: it has %u", file, job->files->len);
      return;
    }
  record = g_variant_ref_sink (tfd_request_file (job->files->pdata[file]));
  dict = g_variant_get_child_value (record, 1);
  tfd_transport_request_async (self->transport, &owner, "OpenPart",
                               g_variant_new ("(su@a{sv})", job->record->id, file, dict), opened_cb,
                               g_steal_pointer (&task));
}

int
tfd_engine_open_temporary_finish (TfdEngine *self G_GNUC_UNUSED,
                                  GAsyncResult *result,
                                  GError **error)
{
  return (int) g_task_propagate_int (G_TASK (result), error);
}
