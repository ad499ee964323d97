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
#include "worker/pool.h"
#include "worker/series.h"
#include "worker/upload-source.h"

#include <gio/gunixfdlist.h>
#include <string.h>
#include <unistd.h>

/* Of their own: Complete and Cancel do not wait until files of other jobs are hashed or synced. */
#define REQUEST_THREADS 4

struct _TfdRequests
{
  TfdPool *pool;         /* (owned) */
  TfdAttached *attached; /* (not owned) */
  GHashTable *owned;     /* (owned) job id to TfdOwned */
  GHashTable *series;    /* (owned) job id to TfdSeries, of Finalize */
  guint pending;         /* not yet answered */
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
  guint64 most;           /* bytes that are wanted */
  TfdHandedIn *handed_in; /* (owned) (nullable) by Attach and AttachAgain */
  TfdJobType type;        /* of Attach */
  GVariant *known;        /* (owned) (nullable) of AttachAgain: identities that it may be of */
  TfdOwned *owned;
  TfdSeries *series; /* (owned) (nullable) of Finalize */
  GVariant *result;  /* (owned) (nullable) the out arguments */
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
  g_clear_pointer (&request->series, tfd_series_unref);
  g_clear_pointer (&request->result, g_variant_unref);
  g_clear_error (&request->error);
  g_clear_pointer (&request->handed_in, tfd_handed_in_free);
  g_clear_pointer (&request->known, g_variant_unref);
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

/* A download, and a reply, needs a directory that may be written. */
static gboolean
check_use (const TfdHandedIn *handed_in, const Request *request, GError **error)
{
  gboolean whole = request->paths[0] != NULL && *request->paths[0] == '\0';

  if (handed_in->regular != whole)
    {
      g_set_error_literal (error, TFD_ERROR, TFD_ERROR_INVALID_PATH,
                           whole ? "a directory was handed in without the name of a file in it"
                                 : "what was handed in is no directory");
      return FALSE;
    }
  return handed_in->regular || request->type == TFD_JOB_TYPE_UPLOAD ||
         tfd_handed_in_prove_write (handed_in, error);
}

/* In a thread. */
static void
attach (Request *request)
{
  GVariantBuilder files = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE ("a(aytss)"));
  gboolean send = tfd_file_direction (request->type, 0) == TFD_DIRECTION_SEND;
  int fd = request->fd;

  request->fd = -1;
  request->handed_in = tfd_handed_in_new (fd, &request->error);
  if (request->handed_in == NULL || !check_use (request->handed_in, request, &request->error))
    return;
  for (char **name = request->paths; *name != NULL; name++)
    g_variant_builder_add_value (&files, tfd_handed_in_describe (request->handed_in, *name, send));
  request->result = g_variant_ref_sink (
      g_variant_new ("(@ay@aya(aytss))", tfd_path_to_variant (request->handed_in->path),
                     tfd_bytes_to_variant (request->handed_in->identity), &files));
}

/* In a thread. */
static void
attach_again (Request *request)
{
  GVariantBuilder same = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE ("au"));
  gboolean any = FALSE;
  int fd = request->fd;

  request->fd = -1;
  request->handed_in = tfd_handed_in_new (fd, &request->error);
  if (request->handed_in == NULL)
    return;
  for (guint i = 0; i < g_variant_n_children (request->known); i++)
    {
      g_autoptr (GVariant) child = g_variant_get_child_value (request->known, i);
      g_autoptr (GBytes) identity = g_variant_get_data_as_bytes (child);

      if (!tfd_handed_in_is (request->handed_in, identity))
        continue;
      g_variant_builder_add (&same, "u", i);
      any = TRUE;
    }
  request->result = g_variant_ref_sink (
      g_variant_new ("(@ayau)", tfd_path_to_variant (request->handed_in->path), &same));
  /* what nobody asked for is not kept */
  if (!any)
    g_clear_pointer (&request->handed_in, tfd_handed_in_free);
}

/* In a thread. */
static void
request_work (gpointer data)
{
  Request *request = data;
  GVariant *result = NULL;

  if (g_str_equal (request->method, "Attach"))
    attach (request);
  else if (g_str_equal (request->method, "AttachAgain"))
    attach_again (request);
  else if (g_str_equal (request->method, "Probe"))
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

static void finalize_next (TfdRequests *self, TfdSeries *series);

static void
answer (TfdRequests *self, Request *request)
{
  if (request->error == NULL && request->handed_in != NULL)
    tfd_attached_keep (self->attached, request->job, request->handed_in, &request->error);
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

/* Whether Finalize has stopped before the last of its files. */
static gboolean
has_stopped (const Request *request)
{
  g_autoptr (GVariant) rows =
      request->result != NULL ? g_variant_get_child_value (request->result, 0) : NULL;
  gsize n = rows != NULL ? g_variant_n_children (rows) : 0;
  const char *verdict;

  if (rows == NULL)
    return TRUE;
  if (n == 0)
    return FALSE;
  g_variant_get_child (rows, n - 1, "(u&sa{sv})", NULL, &verdict, NULL);
  return tfd_finalize_stops (verdict);
}

static void
request_done (gpointer data)
{
  Request *request = data;
  TfdRequests *self = request->self;
  g_autoptr (TfdSeries) series = g_steal_pointer (&request->series);

  if (series != NULL)
    tfd_series_done (series, has_stopped (request));
  answer (self, request);
  if (series != NULL)
    finalize_next (self, series);
}

/* Those of a job work one after the other. */
static void
finalize_next (TfdRequests *self, TfdSeries *series)
{
  gboolean refused = FALSE;

  for (Request *request = tfd_series_take (series, &refused); request != NULL;
       request = tfd_series_take (series, &refused))
    if (!refused)
      tfd_pool_push (self->pool, request_work, request_done, request);
    else
      {
        request->result = g_variant_ref_sink (g_variant_new ("(a(usa{sv}))", NULL));
        answer (self, request);
      }
}

/* What is asked for before the answer to what was asked for before waits for it. */
static void
finalize_in_turn (TfdRequests *self, Request *request)
{
  TfdSeries *series = g_hash_table_lookup (self->series, request->job);
  guint32 walk = 0, step = 0;

  if (series == NULL)
    {
      series = tfd_series_new ();
      g_hash_table_insert (self->series, g_strdup (request->job), series);
    }
  g_variant_lookup (request->options, "walk", "u", &walk);
  g_variant_lookup (request->options, "step", "u", &step);
  request->series = tfd_series_ref (series);
  tfd_series_add (series, walk, step, request);
  finalize_next (self, series);
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

/* The one descriptor of a request. -1 when there is none. */
static int
take_fd (GDBusMethodInvocation *invocation, GError **error)
{
  GUnixFDList *fds =
      g_dbus_message_get_unix_fd_list (g_dbus_method_invocation_get_message (invocation));
  int fd =
      fds != NULL && g_unix_fd_list_get_length (fds) == 1 ? g_unix_fd_list_get (fds, 0, error) : -1;

  if (fd < 0 && (error == NULL || *error == NULL))
    g_set_error_literal (error, TFD_ERROR, TFD_ERROR_INVALID_ARGS, "there is no descriptor");
  return fd;
}

static char **
read_names (GVariant *names, GError **error)
{
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();

  for (gsize i = 0; i < g_variant_n_children (names); i++)
    {
      g_autoptr (GVariant) child = g_variant_get_child_value (names, i);
      g_autofree char *name =
          g_variant_get_size (child) > 0 ? tfd_path_from_variant (child) : g_strdup ("");

      if (name == NULL || strchr (name, '/') != NULL)
        {
          g_set_error_literal (error, TFD_ERROR, TFD_ERROR_INVALID_ARGS, "not a name");
          return NULL;
        }
      g_strv_builder_add (builder, name);
    }

  return g_strv_builder_end (builder);
}

/* Attach and AttachAgain. */
static gboolean
read_attach (Request *request, GVariant *parameters, GError **error)
{
  g_autoptr (GVariant) names = NULL;
  const char *type;
  int value;

  g_variant_get_child (parameters, 0, "s", &request->job);
  if (g_str_equal (request->method, "AttachAgain"))
    request->known = g_variant_get_child_value (parameters, 2);
  else
    {
      g_variant_get_child (parameters, 2, "&s", &type);
      names = g_variant_get_child_value (parameters, 3);
      if (!tfd_enum_from_string (TFD_TYPE_JOB_TYPE, type, &value))
        {
          g_set_error (error, TFD_ERROR, TFD_ERROR_INVALID_ARGS, "type “%s”", type);
          return FALSE;
        }
      request->type = (TfdJobType) value;
      request->paths = read_names (names, error);
      if (request->paths == NULL)
        return FALSE;
    }
  request->fd = take_fd (request->invocation, error);
  return request->fd >= 0;
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

  if (g_str_has_prefix (request->method, "Attach"))
    return read_attach (request, parameters, error);
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
tfd_requests_detach (TfdRequests *self, const char *job)
{
  tfd_attached_forget (self->attached, job);
  g_hash_table_remove (self->owned, job);
  g_hash_table_remove (self->series, job);
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

  if (request->files != NULL)
    tfd_attached_resolve (self->attached, request->job, request->files);
  if (request->options != NULL)
    request->owned = owned_of_job (self, request->job);
  self->pending++;
  self->changed (self->user_data);
  if (g_str_equal (method, "Finalize"))
    finalize_in_turn (self, request);
  else
    tfd_pool_push (self->pool, request_work, request_done, request);
}

guint
tfd_requests_get_pending (TfdRequests *self)
{
  return self->pending;
}

TfdRequests *
tfd_requests_new (TfdAttached *attached, void (*changed) (gpointer user_data), gpointer user_data)
{
  TfdRequests *self = g_new0 (TfdRequests, 1);

  self->pool = tfd_pool_new (REQUEST_THREADS);
  self->attached = attached;
  self->owned =
      g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify) tfd_owned_unref);
  self->series =
      g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify) tfd_series_unref);
  self->changed = changed;
  self->user_data = user_data;

  return self;
}

void
tfd_requests_free (TfdRequests *self)
{
  tfd_pool_free (self->pool);
  g_hash_table_unref (self->owned);
  g_hash_table_unref (self->series);
  g_free (self);
}
