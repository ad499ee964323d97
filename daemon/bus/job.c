/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Job: the methods of a job. */
#include "config.h"

#include "bus/bus-private.h"

typedef gboolean (*Change) (TfdEngine *engine, TfdJob *job, GError **error);

static void
change_job (TfdCall *call, Change change)
{
  GError *error = NULL;

  if (change (call->bus->engine, call->job, &error))
    tfd_call_return (call, NULL);
  else
    tfd_call_fail (call, error);
}

static void
job_suspend (TfdCall *call, GVariant *parameters G_GNUC_UNUSED)
{
  change_job (call, tfd_engine_suspend);
}

static void
job_resume (TfdCall *call, GVariant *parameters G_GNUC_UNUSED)
{
  change_job (call, tfd_engine_resume);
}

static void
job_set_properties (TfdCall *call, GVariant *parameters)
{
  g_autoptr (GVariant) changes = g_variant_get_child_value (parameters, 0);

  tfd_permit_properties (call, changes);
}

static void
job_set_remote_name (TfdCall *call, GVariant *parameters)
{
  GError *error = NULL;
  const char *url;
  guint32 file;

  g_variant_get (parameters, "(u&s)", &file, &url);
  if (tfd_engine_set_remote_name (call->bus->engine, call->job, file, url, &error))
    tfd_call_return (call, NULL);
  else
    tfd_call_fail (call, error);
}

static void
job_replace_remote_prefix (TfdCall *call, GVariant *parameters)
{
  const char *prefix, *replacement;
  GError *error = NULL;
  guint32 changed = 0;

  g_variant_get (parameters, "(&s&s)", &prefix, &replacement);
  if (tfd_engine_replace_remote_prefix (call->bus->engine, call->job, prefix, replacement, &changed,
                                        &error))
    tfd_call_return (call, g_variant_new ("(u)", changed));
  else
    tfd_call_fail (call, error);
}

static void
job_set_validation_state (TfdCall *call, GVariant *parameters)
{
  GError *error = NULL;
  gboolean valid;
  guint32 file;

  g_variant_get (parameters, "(ub)", &file, &valid);
  if (tfd_engine_set_validation_state (call->bus->engine, call->job, file, valid, &error))
    tfd_call_return (call, NULL);
  else
    tfd_call_fail (call, error);
}

static void
outcome_cb (TfdJob *job, const TfdOutcome *outcome, const GError *error, gpointer data)
{
  TfdCall *call = data;

  if (outcome != NULL)
    tfd_call_return (call, tfd_bus_describe_outcome (job, outcome));
  else
    tfd_call_fail (call, g_error_copy (error));
}

static void
job_complete (TfdCall *call, GVariant *parameters)
{
  g_autoptr (GVariant) options = g_variant_get_child_value (parameters, 0);
  GError *error = NULL;

  if (tfd_options_check (options, tfd_complete_options, &error))
    tfd_engine_complete (call->bus->engine, call->job, options, outcome_cb, call);
  else
    tfd_call_fail (call, error);
}

static void
job_cancel (TfdCall *call, GVariant *parameters)
{
  g_autoptr (GVariant) options = g_variant_get_child_value (parameters, 0);
  GError *error = NULL;

  if (tfd_options_check (options, tfd_no_options, &error))
    tfd_engine_cancel (call->bus->engine, call->job, outcome_cb, call);
  else
    tfd_call_fail (call, error);
}

static void
job_get_events (TfdCall *call, GVariant *parameters)
{
  g_autoptr (GPtrArray) events = NULL;
  GVariantBuilder rows;
  GError *error = NULL;
  gsize size = 0;
  guint32 limit;
  guint first;

  g_variant_get (parameters, "(u)", &limit);
  events = tfd_store_load_events (tfd_engine_get_store (call->bus->engine), tfd_job_id (call->job),
                                  limit, &error);
  if (events == NULL)
    {
      tfd_call_fail (call, error);
      return;
    }
  /* the newest are what is asked for: those for which a reply has room */
  for (first = events->len; first > 0 && size < TFD_MAX_MESSAGE; first--)
    {
      const TfdEventRow *row = events->pdata[first - 1];

      size += g_variant_get_size (row->details) + strlen (row->kind) + 32;
    }
  g_variant_builder_init (&rows, G_VARIANT_TYPE ("a(tsa{sv})"));
  for (guint i = first; i < events->len; i++)
    {
      const TfdEventRow *row = events->pdata[i];

      g_variant_builder_add (&rows, "(ts@a{sv})", (guint64) row->time, row->kind, row->details);
    }
  tfd_call_return (call, g_variant_new ("(a(tsa{sv}))", &rows));
}

static void
opened_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  TfdCall *call = user_data;
  GError *error = NULL;
  int fd = tfd_engine_open_temporary_finish (TFD_ENGINE (source), result, &error);
  g_autoptr (GUnixFDList) fds = NULL;

  if (fd < 0)
    {
      tfd_call_fail (call, error);
      return;
    }
  fds = g_unix_fd_list_new_from_array (&fd, 1);
  tfd_call_return_fds (call, g_variant_new ("(h)", 0), fds);
}

static void
job_open_temporary (TfdCall *call, GVariant *parameters)
{
  guint32 file;

  g_variant_get (parameters, "(u)", &file);
  tfd_engine_open_temporary_async (call->bus->engine, call->job, file, opened_cb, call);
}

/* ---- the reply to an upload ---- */

/* BITS gives as much at once; who wants more opens it. */
#define MAX_REPLY_DATA (1024 * 1024)

static void
reply_read_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  TfdCall *call = user_data;
  GError *error = NULL;
  GVariant *bytes = tfd_engine_read_reply_finish (TFD_ENGINE (source), result, &error);

  if (bytes == NULL)
    {
      tfd_call_fail (call, error);
      return;
    }
  tfd_call_return (call, g_variant_new ("(@ay)", bytes));
  g_variant_unref (bytes);
}

static void
job_get_reply_data (TfdCall *call, GVariant *parameters G_GNUC_UNUSED)
{
  tfd_engine_read_reply_async (call->bus->engine, call->job, MAX_REPLY_DATA, reply_read_cb, call);
}

static void
job_open_reply (TfdCall *call, GVariant *parameters G_GNUC_UNUSED)
{
  tfd_engine_open_reply_async (call->bus->engine, call->job, opened_cb, call);
}

static void
job_explain (TfdCall *call, GVariant *parameters G_GNUC_UNUSED)
{
  g_autoptr (GPtrArray) conditions =
      tfd_job_explain (call->job, tfd_engine_get_clock (call->bus->engine));
  GVariantBuilder rows;

  g_variant_builder_init (&rows, G_VARIANT_TYPE ("aa{sv}"));
  for (guint i = 0; i < conditions->len; i++)
    {
      const TfdCondition *condition = conditions->pdata[i];
      g_auto (GVariantDict) row = G_VARIANT_DICT_INIT (NULL);

      g_variant_dict_insert (&row, "code", "s", condition->code);
      g_variant_dict_insert (&row, "text", "s", condition->text);
      if (condition->since > 0)
        g_variant_dict_insert (&row, "since", "t", (guint64) condition->since);
      if (condition->next_check > 0)
        g_variant_dict_insert (&row, "next-check", "t", (guint64) condition->next_check);
      g_variant_builder_add_value (&rows, g_variant_dict_end (&row));
    }
  tfd_call_return (call, g_variant_new ("(aa{sv})", &rows));
}

static const TfdMethod methods[] = {
  { "AddFile", tfd_job_add_file, TRUE },
  { "AddFiles", tfd_job_add_files, TRUE },
  { "AddFileFd", tfd_job_add_file_fd, TRUE },
  { "AddFilesAt", tfd_job_add_files_at, TRUE },
  { "AttachDirectory", tfd_job_attach_directory, TRUE },
  { "Suspend", job_suspend, TRUE },
  { "Resume", job_resume, TRUE },
  { "Complete", job_complete, TRUE },
  { "Cancel", job_cancel, TRUE },
  { "ListFiles", tfd_job_list_files, FALSE },
  { "GetEvents", job_get_events, FALSE },
  { "SetRemoteName", job_set_remote_name, TRUE },
  { "ReplaceRemotePrefix", job_replace_remote_prefix, TRUE },
  { "SetValidationState", job_set_validation_state, TRUE },
  { "OpenTemporary", job_open_temporary, FALSE },
  { "GetReplyData", job_get_reply_data, FALSE },
  { "OpenReply", job_open_reply, FALSE },
  { "SetProperties", job_set_properties, TRUE },
  { "SetCredentials", tfd_job_set_credentials, TRUE },
  { "RemoveCredentials", tfd_job_remove_credentials, TRUE },
  { "TakeOwnership", tfd_job_take_ownership, TRUE },
  { "Explain", job_explain, FALSE },
  { NULL, NULL, FALSE },
};

const TfdMethod *
tfd_job_methods (void)
{
  return methods;
}
