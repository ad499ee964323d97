/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Add: the calls that add files to a job, by paths or by descriptors. */
#include "config.h"

#include "bus/create.h"

void
tfd_job_add_file (TfdCall *call, GVariant *parameters)
{
  g_autoptr (GPtrArray) files =
      g_ptr_array_new_with_free_func ((GDestroyNotify) tfd_file_spec_free);
  g_autoptr (GVariant) options = NULL;
  const char *url, *path;
  GError *error = NULL;
  TfdFileSpec *spec;

  g_variant_get (parameters, "(&s&s@a{sv})", &url, &path, &options);
  spec = tfd_file_spec_new (tfd_job_record (call->job)->type, url, path, options, &error);
  if (spec == NULL)
    {
      tfd_call_fail (call, error);
      return;
    }
  g_ptr_array_add (files, spec);
  tfd_create_add (call, g_steal_pointer (&files), -1);
}

/* Takes @files (nullable: @error says why not) and the descriptor of @handle. */
static void
add_at (TfdCall *call, GPtrArray *files, gint32 handle, GError *error)
{
  gboolean good = files != NULL && tfd_access_check_urls (call->peer, files, &error);
  int fd = good ? tfd_call_take_fd (call, handle, &error) : -1;

  if (fd >= 0)
    {
      tfd_create_add (call, files, fd);
      return;
    }
  g_clear_pointer (&files, g_ptr_array_unref);
  tfd_call_fail (call, error);
}

void
tfd_job_add_file_fd (TfdCall *call, GVariant *parameters)
{
  g_autoptr (GPtrArray) files =
      g_ptr_array_new_with_free_func ((GDestroyNotify) tfd_file_spec_free);
  g_autoptr (GVariant) options = NULL;
  const char *url, *name;
  GError *error = NULL;
  TfdFileSpec *spec;
  gint32 handle;

  g_variant_get (parameters, "(&sh&s@a{sv})", &url, &handle, &name, &options);
  spec = tfd_file_spec_new_at (tfd_job_record (call->job)->type, url, name, options, &error);
  if (spec != NULL)
    g_ptr_array_add (files, spec);
  add_at (call, spec != NULL ? g_steal_pointer (&files) : NULL, handle, error);
}

static gboolean
check_any (TfdCall *call, GVariant *rows)
{
  if (g_variant_n_children (rows) > 0)
    return TRUE;
  tfd_call_fail_code (call, TFD_ERROR_INVALID_ARGS, "‘files’ is empty");
  return FALSE;
}

void
tfd_job_add_files_at (TfdCall *call, GVariant *parameters)
{
  g_autoptr (GVariant) rows = g_variant_get_child_value (parameters, 1);
  GError *error = NULL;
  GPtrArray *files;
  gint32 handle;

  if (!check_any (call, rows))
    return;
  g_variant_get_child (parameters, 0, "h", &handle);
  files = tfd_file_specs_new_at (tfd_job_record (call->job)->type, rows, &error);
  add_at (call, files, handle, error);
}

void
tfd_job_add_files (TfdCall *call, GVariant *parameters)
{
  g_autoptr (GVariant) rows = g_variant_get_child_value (parameters, 0);
  GError *error = NULL;
  GPtrArray *files;

  if (!check_any (call, rows))
    return;
  files = tfd_file_specs_new (tfd_job_record (call->job)->type, rows, &error);
  if (files == NULL)
    tfd_call_fail (call, error);
  else
    tfd_create_add (call, files, -1);
}
