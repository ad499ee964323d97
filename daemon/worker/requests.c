/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Requests: those that look at or change files, answered from a thread. */
#include "config.h"
#include "worker/requests.h"

#include "common/error.h"
#include "worker/adopt.h"
#include "worker/directory.h"
#include "worker/discard.h"
#include "worker/failure.h"
#include "worker/finalize.h"
#include "worker/upload-source.h"

#include <gio/gunixfdlist.h>
#include <unistd.h>

struct _TfdRequests
{
  TfdPool *pool;     /* (not owned) */
  GHashTable *owned; /* (owned) job id to TfdOwned */
  guint pending;     /* not yet answered */
  void (*changed) (gpointer user_data);
  gpointer user_data;
};

/* A request that is answered in a thread. */
typedef struct
{
  TfdRequests *self;                 /* (not owned) only looked at in the main loop */
  GDBusMethodInvocation *invocation; /* (owned) until it is answered */
  const char *method;
  char *job;
  GVariant *options; /* (owned) (nullable) */
  GPtrArray *files;  /* (owned) (nullable) */
  char **paths;
  guint64 most; /* bytes that are wanted */
  TfdOwned *owned;
  GVariant *result; /* (owned) (nullable) the out arguments */
  int fd;
  GError *error;
} Request;

/* TFD_ERROR goes by its full name; anything else cannot happen here. */
void
tfd_requests_answer_error (GDBusMethodInvocation *invocation, const GError *error)
{
  TfdErrorCode code = TFD_ERROR_INVALID_ARGS;

  if (error->domain == TFD_ERROR)
    code = (TfdErrorCode) error->code;
  g_dbus_method_invocation_return_dbus_error (invocation, tfd_error_code_to_name (code),
                                              error->message);
}

static void
request_free (Request *request)
{
  g_clear_pointer (&request->options, g_variant_unref);
  g_clear_pointer (&request->files, g_ptr_array_unref);
  g_clear_pointer (&request->owned, tfd_owned_unref);
  g_clear_pointer (&request->result, g_variant_unref);
  g_clear_error (&request->error);
  if (request->fd >= 0)
    close (request->fd);
  g_strfreev (request->paths);
  g_free (request->job);
  g_free (request);
}

static GVariant *
probe (char **paths)
{
  GVariantBuilder builder = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE ("a(ayss)"));

  for (char **path = paths; *path != NULL; path++)
    g_variant_builder_add_value (&builder, tfd_directory_probe (*path));

  return g_variant_builder_end (&builder);
}

static GVariant *
probe_sources (char **paths)
{
  GVariantBuilder builder = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE ("a(aytss)"));

  for (char **path = paths; *path != NULL; path++)
    g_variant_builder_add_value (&builder, tfd_upload_file_probe (*path));

  return g_variant_builder_end (&builder);
}

/* In a thread. */
static void
request_work (gpointer data)
{
  Request *request = data;
  GVariant *result = NULL;

  if (g_str_equal (request->method, "Probe"))
    result = probe (request->paths);
  else if (g_str_equal (request->method, "ProbeSources"))
    result = probe_sources (request->paths);
  else if (g_str_equal (request->method, "Verify"))
    result = tfd_verify (request->job, request->options, request->files, request->owned);
  else if (g_str_equal (request->method, "Finalize"))
    result = tfd_finalize (request->job, request->options, request->files, request->owned,
                           &request->error);
  else if (g_str_equal (request->method, "Discard"))
    result = tfd_discard (request->job, request->files);
  else if (g_str_equal (request->method, "Adopt"))
    result = tfd_adopt (request->job, request->options, request->files, &request->error);
  else if (g_str_equal (request->method, "ReadPart"))
    result = tfd_read_part (request->job, request->files->pdata[0], request->most, &request->error);
  else
    request->fd = tfd_open_part (request->job, request->files->pdata[0], &request->error);

  if (result != NULL)
    request->result = g_variant_ref_sink (g_variant_new_tuple (&result, 1));
}

static void
answer_fd (Request *request)
{
  g_autoptr (GUnixFDList) fds = g_unix_fd_list_new_from_array (&request->fd, 1);

  request->fd = -1;
  g_dbus_method_invocation_return_value_with_unix_fd_list (g_steal_pointer (&request->invocation),
                                                           g_variant_new ("(h)", 0), fds);
}

static void
request_done (gpointer data)
{
  Request *request = data;
  TfdRequests *self = request->self;

  if (request->error != NULL)
    tfd_requests_answer_error (g_steal_pointer (&request->invocation), request->error);
  else if (request->fd >= 0)
    answer_fd (request);
  else
    g_dbus_method_invocation_return_value (g_steal_pointer (&request->invocation), request->result);

  self->pending--;
  self->changed (self->user_data);
  request_free (request);
}

static TfdOwned *
owned_of_job (TfdRequests *self, const char *job)
{
  TfdOwned *owned = g_hash_table_lookup (self->owned, job);

  if (owned == NULL)
    {
      owned = tfd_owned_new ();
      g_hash_table_insert (self->owned, g_strdup (job), owned);
    }

  return tfd_owned_ref (owned);
}

static char **
read_paths (GVariant *directories, GError **error)
{
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();

  for (gsize i = 0; i < g_variant_n_children (directories); i++)
    {
      g_autoptr (GVariant) child = g_variant_get_child_value (directories, i);
      g_autofree char *path = tfd_path_from_variant (child);

      if (path == NULL)
        {
          g_set_error_literal (error, TFD_ERROR, TFD_ERROR_INVALID_ARGS, "not a path");
          return NULL;
        }
      g_strv_builder_add (builder, path);
    }

  return g_strv_builder_end (builder);
}

/* Reads the arguments of the requests that are answered in a thread. */
static gboolean
request_read (Request *request, GVariant *parameters, GError **error)
{
  g_autoptr (GVariant) files = NULL;

  if (g_str_has_prefix (request->method, "Probe"))
    {
      g_autoptr (GVariant) directories = g_variant_get_child_value (parameters, 0);

      request->paths = read_paths (directories, error);
      return request->paths != NULL;
    }

  g_variant_get_child (parameters, 0, "s", &request->job);
  if (g_str_has_suffix (request->method, "Part"))
    {
      g_autoptr (GVariant) dictionary = g_variant_get_child_value (parameters, 2);
      TfdFile *file;
      guint32 index;

      g_variant_get_child (parameters, 1, "u", &index);
      if (g_variant_n_children (parameters) == 4)
        g_variant_get_child (parameters, 3, "t", &request->most);
      file = tfd_file_new (index, dictionary, error);
      if (file == NULL)
        return FALSE;
      request->files = g_ptr_array_new_with_free_func ((GDestroyNotify) tfd_file_free);
      g_ptr_array_add (request->files, file);
      return TRUE;
    }

  files = g_variant_get_child_value (parameters, g_variant_n_children (parameters) - 1);
  request->files = tfd_files_new (files, error);
  if (g_variant_n_children (parameters) == 3)
    request->options = g_variant_get_child_value (parameters, 1);

  return request->files != NULL;
}

void
tfd_requests_answer (TfdRequests *self,
                     const char *method,
                     GVariant *parameters,
                     GDBusMethodInvocation *invocation)
{
  Request *request = g_new0 (Request, 1);
  g_autoptr (GError) error = NULL;

  request->self = self;
  request->invocation = invocation;
  request->method = g_intern_string (method);
  request->fd = -1;
  if (!request_read (request, parameters, &error))
    {
      tfd_requests_answer_error (g_steal_pointer (&request->invocation), error);
      request_free (request);
      return;
    }

  if (request->options != NULL)
    request->owned = owned_of_job (self, request->job);
  self->pending++;
  self->changed (self->user_data);
  tfd_pool_push (self->pool, request_work, request_done, request);
}

guint
tfd_requests_get_pending (TfdRequests *self)
{
  return self->pending;
}

TfdRequests *
tfd_requests_new (TfdPool *pool, void (*changed) (gpointer user_data), gpointer user_data)
{
  TfdRequests *self = g_new0 (TfdRequests, 1);

  self->pool = pool;
  self->owned =
      g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify) tfd_owned_unref);
  self->changed = changed;
  self->user_data = user_data;

  return self;
}

void
tfd_requests_free (TfdRequests *self)
{
  g_hash_table_unref (self->owned);
  g_free (self);
}
