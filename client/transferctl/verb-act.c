/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* suspend, resume, complete, cancel, set-property, take-ownership: what is done to jobs. */
#include "config.h"
#include "client/transferctl/ctl.h"

#include <stdio.h>

#include "client/transferctl/format.h"
#include "client/transferctl/value.h"

static struct
{
  gboolean all;
  gboolean require_all;
  char *overwrite;
} options;

const GOptionEntry *
ctl_options_all (void)
{
  static const GOptionEntry entries[] = {
    { "all", 0, 0, G_OPTION_ARG_NONE, &options.all, "All of your jobs", NULL },
    CTL_OPTION_ALL_USERS,
    { NULL, 0, 0, 0, NULL, NULL, NULL },
  };

  return entries;
}

const GOptionEntry *
ctl_options_complete (void)
{
  static const GOptionEntry entries[] = {
    { "all", 0, 0, G_OPTION_ARG_NONE, &options.all, "All of your jobs that are transferred", NULL },
    CTL_OPTION_ALL_USERS,
    { "require-all", 0, 0, G_OPTION_ARG_NONE, &options.require_all,
      "Refuse to keep only a part of the files", NULL },
    { "overwrite", 0, 0, G_OPTION_ARG_STRING, &options.overwrite,
      "With existing files: replace (default), fail or keep-both", "HOW" },
    { NULL, 0, 0, 0, NULL, NULL, NULL },
  };

  return entries;
}

/* The jobs of the command line; NULL with *status set when that failed. */
static GPtrArray *
find_jobs (Ctl *ctl, int n, char **arguments, int *status)
{
  GError *error = NULL;
  GPtrArray *jobs;

  if (options.all != (n == 0))
    {
      *status = ctl_fail_usage (ctl, "say either a job or --all");
      return NULL;
    }
  jobs = options.all ? ctl_list_names (ctl, &error) : ctl_find_jobs (ctl, n, arguments, &error);
  if (jobs == NULL)
    *status = ctl_fail_error (ctl, NULL, error);
  return jobs;
}

static int
fail_job (Ctl *ctl, TransferJob *job, GError *error)
{
  const char *name = transfer_job_get_display_name (job);
  g_autofree char *id = ctl_short_id (transfer_job_get_id (job));

  return ctl_fail_error (ctl, *name != '\0' ? name : id, error);
}

typedef gboolean (*Finish) (TransferJob *job, GAsyncResult *result, GError **error);
typedef void (*Start) (TransferJob *job,
                       GCancellable *cancellable,
                       GAsyncReadyCallback callback,
                       gpointer user_data);

static int
run_simple (Ctl *ctl, int n, char **arguments, Start start, Finish finish)
{
  int status = CTL_OK;
  g_autoptr (GPtrArray) jobs = find_jobs (ctl, n, arguments, &status);

  for (guint i = 0; jobs != NULL && i < jobs->len; i++)
    {
      TransferJob *job = g_ptr_array_index (jobs, i);
      g_autoptr (GAsyncResult) result = NULL;
      g_autoptr (GError) error = NULL;

      start (job, NULL, ctl_async_cb, &result);
      ctl_await (&result);
      /* with --all, jobs that need no resume are not failures */
      if (!finish (job, result, &error) &&
          !(options.all && g_error_matches (error, TRANSFER_ERROR, TRANSFER_ERROR_EMPTY)))
        status = fail_job (ctl, job, g_steal_pointer (&error));
    }
  return status;
}

int
ctl_run_suspend (Ctl *ctl, int n, char **arguments)
{
  return run_simple (ctl, n, arguments, transfer_job_suspend_async, transfer_job_suspend_finish);
}

int
ctl_run_resume (Ctl *ctl, int n, char **arguments)
{
  return run_simple (ctl, n, arguments, transfer_job_resume_async, transfer_job_resume_finish);
}

int
ctl_run_take_ownership (Ctl *ctl, int n, char **arguments)
{
  ctl_everybody = TRUE;
  return run_simple (ctl, n, arguments, transfer_job_take_ownership_async,
                     transfer_job_take_ownership_finish);
}

#define END_COLUMNS(kept_title, discarded_title)                                                   \
  { "id", "ID", FALSE, FALSE }, { "name", "NAME", FALSE, TRUE },                                   \
      { "result", "RESULT", FALSE, FALSE }, { "kept", kept_title, TRUE, FALSE },                   \
      { "discarded", discarded_title, TRUE, FALSE }, { "moved", NULL, FALSE, FALSE },              \
      { "undeleted", NULL, FALSE, FALSE },                                                         \
  {                                                                                                \
    NULL, NULL, FALSE, FALSE                                                                       \
  }

static const CtlColumn complete_columns[] = { END_COLUMNS ("KEPT", "DISCARDED") };
static const CtlColumn cancel_columns[] = { END_COLUMNS (NULL, NULL) };

static gsize
count (GVariant *list)
{
  return list != NULL ? g_variant_n_children (list) : 0;
}

/* Adds the row of a job that ended. */
static void
add_end (Ctl *ctl, CtlTable *table, TransferJob *job, TransferResult ended, GVariant *details)
{
  const char *id = transfer_job_get_id (job);
  const char *result = transfer_result_to_string (ended);
  g_autoptr (GVariant) kept = g_variant_lookup_value (details, "kept", NULL);
  g_autoptr (GVariant) discarded = g_variant_lookup_value (details, "discarded", NULL);
  g_autoptr (GVariant) moved = g_variant_lookup_value (details, "moved", NULL);
  g_autoptr (GVariant) undeleted =
      g_variant_lookup_value (details, "undeleted", G_VARIANT_TYPE_STRING_ARRAY);

  ctl_table_add (table, ctl_short_id (id), g_variant_new_string (id), CTL_STYLE_PLAIN);
  ctl_table_add_string (table, transfer_job_get_display_name (job));
  ctl_table_add (table, NULL, g_variant_new_string (result), ctl_state_style (result));
  ctl_table_add (table, g_strdup_printf ("%" G_GSIZE_FORMAT, count (kept)), kept, CTL_STYLE_PLAIN);
  ctl_table_add (table, g_strdup_printf ("%" G_GSIZE_FORMAT, count (discarded)), discarded,
                 CTL_STYLE_PLAIN);
  ctl_table_add (table, NULL, moved, CTL_STYLE_PLAIN);
  ctl_table_add (table, NULL, undeleted, CTL_STYLE_PLAIN);
  for (gsize i = 0; i < count (undeleted); i++)
    {
      const char *path;

      g_variant_get_child (undeleted, i, "&s", &path);
      ctl_say (ctl, "‘%s’ could not be removed; the service will try again.", path);
    }
}

static gboolean
end_job (
    TransferJob *job, gboolean cancel, TransferResult *ended, GVariant **details, GError **error)
{
  g_autoptr (GAsyncResult) result = NULL;
  GVariantDict dict;

  g_variant_dict_init (&dict, NULL);
  if (cancel)
    {
      transfer_job_cancel_async (job, g_variant_dict_end (&dict), NULL, ctl_async_cb, &result);
      ctl_await (&result);
      return transfer_job_cancel_finish (job, result, ended, details, error);
    }
  if (options.require_all)
    g_variant_dict_insert (&dict, "require-all", "b", TRUE);
  if (options.overwrite != NULL)
    g_variant_dict_insert (&dict, "overwrite", "s", options.overwrite);
  transfer_job_complete_async (job, g_variant_dict_end (&dict), NULL, ctl_async_cb, &result);
  ctl_await (&result);
  return transfer_job_complete_finish (job, result, ended, details, error);
}

static int
run_end (Ctl *ctl, int n, char **arguments, gboolean cancel)
{
  int status = CTL_OK;
  g_autoptr (GPtrArray) jobs = find_jobs (ctl, n, arguments, &status);
  g_autoptr (CtlTable) table = ctl_table_new (cancel ? cancel_columns : complete_columns);

  if (jobs == NULL)
    return status;
  for (guint i = 0; i < jobs->len; i++)
    {
      TransferJob *job = g_ptr_array_index (jobs, i);
      g_autoptr (GVariant) details = NULL;
      g_autoptr (GError) error = NULL;
      TransferResult ended;

      if (options.all && !cancel && transfer_job_get_state (job) != TRANSFER_JOB_STATE_TRANSFERRED)
        continue;
      if (options.all && transfer_job_state_is_final (transfer_job_get_state (job)))
        continue;
      if (end_job (job, cancel, &ended, &details, &error))
        add_end (ctl, table, job, ended, details);
      else
        status = fail_job (ctl, job, g_steal_pointer (&error));
    }
  if (!ctl->quiet || ctl->json)
    ctl_print_table (ctl, table);
  return status;
}

int
ctl_run_complete (Ctl *ctl, int n, char **arguments)
{
  return run_end (ctl, n, arguments, FALSE);
}

int
ctl_run_cancel (Ctl *ctl, int n, char **arguments)
{
  return run_end (ctl, n, arguments, TRUE);
}

int
ctl_run_set_property (Ctl *ctl, int n, char **arguments)
{
  g_auto (GVariantDict) dict = G_VARIANT_DICT_INIT (NULL);
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (TransferJob) job = NULL;
  g_autoptr (GError) error = NULL;

  for (int i = 1; i < n; i++)
    if (!ctl_property_assign (&dict, arguments[i], &error))
      return ctl_fail_usage (ctl, "%s", error->message);
  job = ctl_find_job (ctl, arguments[0], &error);
  if (job == NULL)
    return ctl_fail_error (ctl, NULL, g_steal_pointer (&error));
  transfer_job_set_properties_async (job, g_variant_dict_end (&dict), NULL, ctl_async_cb, &result);
  ctl_await (&result);
  if (!transfer_job_set_properties_finish (job, result, &error))
    return fail_job (ctl, job, g_steal_pointer (&error));
  return CTL_OK;
}
