/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Probe: has the owner's worker look at directories before a file is accepted, and open temporaries
 * for reading. The daemon itself opens no file of a user. */
#include "config.h"

#include "common/url.h"
#include "engine/engine-private.h"

/* What was just seen need not be looked at again for each call of a script. */
#define CACHE_TIME (10 * (gint64) TFD_USEC_PER_SEC)
#define CACHE_SIZE 4096

/* One probe: what it has to ask for, and what is known. */
typedef struct
{
  TfdOwner owner;     /* name (owned) */
  GPtrArray *asked;   /* (owned) of (owned) directories, in the order of the request */
  GPtrArray *sources; /* (owned) of (owned) files to be sent, likewise */
  GHashTable *found;  /* (owned) path -> (owned) TfdFound */
} ProbeRequest;

static void
probe_request_free (ProbeRequest *request)
{
  g_free ((char *) request->owner.name);
  g_ptr_array_unref (request->asked);
  g_ptr_array_unref (request->sources);
  g_hash_table_unref (request->found);
  g_free (request);
}

static void
found_free (gpointer data)
{
  TfdFound *found = data;

  g_bytes_unref (found->identity);
  g_free (found);
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

GHashTable *
tfd_found_new (void)
{
  return g_hash_table_new_full (g_str_hash, g_str_equal, g_free, found_free);
}

gboolean
tfd_found_add (GHashTable *found, const char *path, GVariant *identity, guint64 size)
{
  TfdFound *seen;

  if (g_variant_get_size (identity) > TFD_MAX_PART)
    return FALSE;
  seen = g_new (TfdFound, 1);
  *seen = (TfdFound){ g_bytes_new (g_variant_get_data (identity), g_variant_get_size (identity)),
                      size };
  g_hash_table_replace (found, g_strdup (path), seen);
  return TRUE;
}

/* A worker found that @path (@what, in words) cannot be used. */
static gboolean
refuse (const char *what, const char *path, const char *name, const char *message, GError **error)
{
  TfdErrorCode code = TFD_ERROR_INVALID_PATH;

  tfd_error_code_from_name (name, &code);
  g_set_error (error, TFD_ERROR,
               code == TFD_ERROR_FILE_ACCESS_DENIED ? code : TFD_ERROR_INVALID_PATH,
               "%s ‘%s’: %.1024s", what, path, message);
  return FALSE;
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

      if (*name != '\0')
        return refuse ("directory", directory, name, message, error);
      if (tfd_found_add (request->found, directory, bytes, TFD_SIZE_UNKNOWN))
        remember (self, request->owner.uid, directory);
    }
  return TRUE;
}

static gboolean
read_sources (ProbeRequest *request, GVariant *answer, GError **error)
{
  g_autoptr (GVariantIter) iter = NULL;
  const char *name, *message;
  GVariant *bytes;
  guint64 size;

  g_variant_get (answer, "(a(aytss))", &iter);
  for (guint i = 0; i < request->sources->len &&
                    g_variant_iter_next (iter, "(@ayt&s&s)", &bytes, &size, &name, &message);
       i++)
    {
      const char *path = request->sources->pdata[i];
      g_autoptr (GVariant) owned = bytes;

      if (*name != '\0')
        return refuse ("file", path, name, message, error);
      tfd_found_add (request->found, path, bytes, size);
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

static GVariant *
list_paths (GPtrArray *paths)
{
  GVariantBuilder builder;

  g_variant_builder_init (&builder, G_VARIANT_TYPE ("aay"));
  for (guint i = 0; i < paths->len; i++)
    g_variant_builder_add_value (&builder,
                                 g_variant_new_fixed_array (G_VARIANT_TYPE_BYTE, paths->pdata[i],
                                                            strlen (paths->pdata[i]), 1));
  return g_variant_new ("(aay)", &builder);
}

/* Takes @task. */
static void
probe_directories (TfdEngine *self, GTask *task)
{
  g_autoptr (GTask) owned = task;
  const ProbeRequest *request = g_task_get_task_data (task);

  if (request->asked->len == 0)
    g_task_return_pointer (task, g_hash_table_ref (request->found),
                           (GDestroyNotify) g_hash_table_unref);
  else
    tfd_transport_request_async (self->transport, &request->owner, "Probe",
                                 list_paths (request->asked), probed_cb, g_steal_pointer (&owned));
}

static void
sources_probed_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = G_TASK (user_data);
  TfdEngine *self = g_task_get_source_object (task);
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) answer =
      tfd_transport_request_finish (TFD_TRANSPORT (source), result, NULL, &error);

  if (answer != NULL && !read_sources (g_task_get_task_data (task), answer, &error))
    g_task_return_error (task, g_steal_pointer (&error));
  else
    probe_directories (self, g_steal_pointer (&task));
}

static void
want_directory (TfdEngine *self, ProbeRequest *request, GHashTable *distinct, const char *path)
{
  g_autofree char *directory = g_path_get_dirname (path);

  if (g_hash_table_contains (distinct, directory) || was_seen (self, request->owner.uid, directory))
    return;
  g_hash_table_add (distinct, directory);
  g_ptr_array_add (request->asked, g_steal_pointer (&directory));
}

/* Sorts @files into what is known and what must be asked. */
static ProbeRequest *
probe_request_new (TfdEngine *self,
                   const TfdOwner *owner,
                   TfdJobType type,
                   const TfdJobProperties *properties,
                   GPtrArray *files)
{
  ProbeRequest *request = g_new0 (ProbeRequest, 1);
  g_autoptr (GHashTable) distinct = g_hash_table_new (g_str_hash, g_str_equal);
  const char *last = NULL;

  request->owner = (TfdOwner){ owner->uid, g_strdup (owner->name), NULL };
  request->asked = g_ptr_array_new_with_free_func (g_free);
  request->sources = g_ptr_array_new_with_free_func (g_free);
  request->found = tfd_found_new ();
  for (guint i = 0; i < files->len; i++)
    {
      const char *path = ((const TfdFileSpec *) files->pdata[i])->path;

      if (tfd_file_direction (type, 0) == TFD_DIRECTION_SEND)
        g_ptr_array_add (request->sources, g_strdup (path));
      else if (last == NULL || !tfd_path_same_directory (path, last))
        want_directory (self, request, distinct, path);
      last = path;
    }
  if (tfd_file_is_reply (type, 1) && files->len == 1)
    {
      g_autofree char *path =
          tfd_reply_path (properties, ((const TfdFileSpec *) files->pdata[0])->path);

      want_directory (self, request, distinct, path);
    }
  return request;
}

void
tfd_engine_probe_async (TfdEngine *self,
                        const TfdOwner *owner,
                        TfdJobType type,
                        const TfdJobProperties *properties,
                        GPtrArray *files,
                        GAsyncReadyCallback callback,
                        gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (self, NULL, callback, user_data);
  ProbeRequest *request = probe_request_new (self, owner, type, properties, files);

  g_task_set_name (task, "probe");
  g_task_set_task_data (task, request, (GDestroyNotify) probe_request_free);
  if (request->sources->len == 0)
    probe_directories (self, g_steal_pointer (&task));
  else
    tfd_transport_request_async (self->transport, &request->owner, "ProbeSources",
                                 list_paths (request->sources), sources_probed_cb,
                                 g_steal_pointer (&task));
}

gboolean
tfd_engine_probe_is_known (TfdEngine *self, guint32 uid, TfdJobType type, GPtrArray *files)
{
  const char *last = NULL;

  if (type != TFD_JOB_TYPE_DOWNLOAD)
    return FALSE;
  for (guint i = 0; i < files->len; i++)
    {
      const char *path = ((const TfdFileSpec *) files->pdata[i])->path;
      g_autofree char *directory = NULL;

      if (last != NULL && tfd_path_same_directory (path, last))
        continue;
      directory = g_path_get_dirname (path);
      if (!was_seen (self, uid, directory))
        return FALSE;
      last = path;
    }
  return TRUE;
}

GHashTable *
tfd_engine_probe_finish (TfdEngine *self G_GNUC_UNUSED, GAsyncResult *result, GError **error)
{
  return g_task_propagate_pointer (G_TASK (result), error);
}

/* ---- OpenTemporary ---- */

TfdErrorCode
tfd_open_error_code (const GError *error)
{
  if (error != NULL && error->domain == TFD_ERROR &&
      (error->code == TFD_ERROR_FILE_ACCESS_DENIED ||
       error->code == TFD_ERROR_DESTINATION_UNAVAILABLE))
    return (TfdErrorCode) error->code;
  return TFD_ERROR_FILE_MISSING;
}

void
tfd_part_opened_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = G_TASK (user_data);
  g_autoptr (GUnixFDList) fds = NULL;
  GError *error = NULL;
  g_autoptr (GVariant) answer =
      tfd_transport_request_finish (TFD_TRANSPORT (source), result, &fds, &error);
  int fd = -1;

  if (answer != NULL && fds != NULL && g_unix_fd_list_get_length (fds) == 1)
    fd = g_unix_fd_list_get (fds, 0, &error);
  if (fd >= 0)
    g_task_return_int (task, fd);
  else
    g_task_return_new_error (task, TFD_ERROR, tfd_open_error_code (error),
                             "the temporary file cannot be opened: %s",
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
  if (file < job->record->files_total &&
      tfd_file_direction (job->record->type, file) == TFD_DIRECTION_SEND)
    {
      g_task_return_new_error (task, TFD_ERROR, TFD_ERROR_NOT_SUPPORTED,
                               "a file that is sent has no temporary");
      return;
    }
  if (file >= job->record->files_total)
    {
      g_task_return_new_error (task, TFD_ERROR, TFD_ERROR_INVALID_ARGS,
                               "the job has no file %u: it has %u", file, job->record->files_total);
      return;
    }
  record = g_variant_ref_sink (tfd_request_file (job->files->pdata[file]));
  dict = g_variant_get_child_value (record, 1);
  tfd_transport_request_async (self->transport, &owner, "OpenPart",
                               g_variant_new ("(su@a{sv})", job->record->id, file, dict),
                               tfd_part_opened_cb, g_steal_pointer (&task));
}

int
tfd_engine_open_temporary_finish (TfdEngine *self G_GNUC_UNUSED,
                                  GAsyncResult *result,
                                  GError **error)
{
  return (int) g_task_propagate_int (G_TASK (result), error);
}
