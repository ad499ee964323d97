/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* list, history: many jobs at a glance. */
#include "config.h"
#include "client/transferctl/ctl.h"

#include "client/transferctl/format.h"

static struct
{
  gboolean all_users;
  gboolean full;
  char *states;
  char *name;
  int limit;
  char *since;
} options;

const GOptionEntry *
ctl_options_list (void)
{
  static const GOptionEntry entries[] = {
    { "all-users", 'a', 0, G_OPTION_ARG_NONE, &options.all_users,
      "Jobs of all users (administrators)", NULL },
    { "state", 's', 0, G_OPTION_ARG_STRING, &options.states, "Only jobs in one of these states",
      "STATE,..." },
    { "name", 'n', 0, G_OPTION_ARG_STRING, &options.name,
      "Only jobs with such a name; * and ? stand for others", "PATTERN" },
    { "full", 'l', 0, G_OPTION_ARG_NONE, &options.full, "Whole ids and names", NULL },
    { NULL, 0, 0, 0, NULL, NULL, NULL },
  };

  return entries;
}

const GOptionEntry *
ctl_options_history (void)
{
  static const GOptionEntry entries[] = {
    { "since", 0, 0, G_OPTION_ARG_STRING, &options.since,
      "Only jobs that ended within this time, e.g. 2h", "DURATION" },
    { "lines", 'n', 0, G_OPTION_ARG_INT, &options.limit, "At most so many", "N" },
    { "full", 'l', 0, G_OPTION_ARG_NONE, &options.full, "Whole ids and names", NULL },
    { NULL, 0, 0, 0, NULL, NULL, NULL },
  };

  return entries;
}

static GVariant *
list_filter (void)
{
  static const char *const properties[] = {
    "DisplayName",  "Type",      "State",      "Priority",         "BytesTransferred",
    "BytesTotal",   "Error",     "FilesTotal", "FilesTransferred", "BytesPerSecond",
    "CreationTime", "OwnerName", NULL
  };
  GVariantDict dict;

  g_variant_dict_init (&dict, NULL);
  g_variant_dict_insert (&dict, "properties", "^as", properties);
  if (options.all_users)
    g_variant_dict_insert (&dict, "all-users", "b", TRUE);
  if (options.name != NULL)
    g_variant_dict_insert (&dict, "display-name", "s", options.name);
  if (options.states != NULL)
    {
      g_auto (GStrv) states = g_strsplit (options.states, ",", -1);

      g_variant_dict_insert (&dict, "states", "^as", states);
    }
  return g_variant_dict_end (&dict);
}

static const CtlColumn list_columns[] = {
  { "id", "ID", FALSE, FALSE },
  { "owner", NULL, FALSE, FALSE },
  { "name", "NAME", FALSE, TRUE },
  { "type", "TYPE", FALSE, FALSE },
  { "state", "STATE", FALSE, FALSE },
  { "priority", "PRIORITY", FALSE, FALSE },
  { "bytes-transferred", "DONE", TRUE, FALSE },
  { "bytes-total", "SIZE", TRUE, FALSE },
  { "bytes-per-second", "RATE", TRUE, FALSE },
  { "files-transferred", NULL, TRUE, FALSE },
  { "files-total", "FILES", TRUE, FALSE },
  { "created", NULL, FALSE, FALSE },
  { "error", NULL, FALSE, FALSE },
  { NULL, NULL, FALSE, FALSE },
};

static void
add_job (CtlTable *table, TransferJob *job)
{
  const char *id = transfer_job_get_id (job);
  const char *state = transfer_job_state_to_string (transfer_job_get_state (job));
  guint64 done = transfer_job_get_bytes_transferred (job);
  guint64 total = transfer_job_get_bytes_total (job);
  guint64 rate = transfer_job_get_bytes_per_second (job);
  guint files = transfer_job_get_files_total (job);
  guint files_done = transfer_job_get_files_transferred (job);
  g_autoptr (GVariant) owner = transfer_job_dup_value (job, "OwnerName");
  g_autoptr (GVariant) failure = transfer_job_dup_value (job, "Error");
  g_autofree char *failure_name = NULL;

  if (failure != NULL)
    g_variant_lookup (failure, "name", "s", &failure_name);
  ctl_table_add (table, options.full ? NULL : ctl_short_id (id), g_variant_new_string (id),
                 CTL_STYLE_PLAIN);
  ctl_table_add (table, NULL, owner, CTL_STYLE_PLAIN);
  ctl_table_add_string (table, transfer_job_get_display_name (job));
  ctl_table_add_string (table, transfer_job_type_to_string (transfer_job_get_job_type (job)));
  ctl_table_add (table, NULL, g_variant_new_string (state), ctl_state_style (state));
  ctl_table_add_string (table, transfer_priority_to_string (transfer_job_get_priority (job)));
  ctl_table_add (table,
                 total == TRANSFER_SIZE_UNKNOWN && done > 0 ? ctl_format_size (done)
                                                            : ctl_format_percent (done, total),
                 g_variant_new_uint64 (done), CTL_STYLE_PLAIN);
  ctl_table_add (table, ctl_format_size (total), g_variant_new_uint64 (total), CTL_STYLE_PLAIN);
  ctl_table_add (table, rate > 0 ? ctl_format_rate (rate) : g_strdup ("-"),
                 g_variant_new_uint64 (rate), CTL_STYLE_PLAIN);
  ctl_table_add (table, NULL, g_variant_new_uint32 (files_done), CTL_STYLE_PLAIN);
  ctl_table_add (table, g_strdup_printf ("%u/%u", files_done, files), g_variant_new_uint32 (files),
                 CTL_STYLE_PLAIN);
  ctl_table_add (table, NULL, g_variant_new_uint64 (transfer_job_get_creation_time (job)),
                 CTL_STYLE_PLAIN);
  ctl_table_add (table, NULL, failure_name != NULL ? g_variant_new_string (failure_name) : NULL,
                 CTL_STYLE_PLAIN);
}

int
ctl_run_list (Ctl *ctl, int n, char **arguments)
{
  CtlColumn columns[G_N_ELEMENTS (list_columns)];
  g_autoptr (CtlTable) table = NULL;
  g_autoptr (GPtrArray) jobs = NULL;
  g_autoptr (GError) error = NULL;

  (void) n, (void) arguments;
  jobs = ctl_list_jobs (ctl, list_filter (), &error);
  if (jobs == NULL)
    return ctl_fail_error (ctl, NULL, g_steal_pointer (&error));
  for (guint i = 0; i < G_N_ELEMENTS (list_columns); i++)
    {
      columns[i] = list_columns[i];
      if (options.all_users && g_strcmp0 (columns[i].key, "owner") == 0)
        columns[i].title = "OWNER";
      columns[i].shrink = columns[i].shrink && !options.full;
    }
  table = ctl_table_new (columns);
  for (guint i = 0; i < jobs->len; i++)
    add_job (table, g_ptr_array_index (jobs, i));
  ctl_print_table (ctl, table);
  if (jobs->len == 0 && !ctl->json)
    ctl_say (ctl, "No jobs.");
  return CTL_OK;
}

static const CtlColumn history_columns[] = {
  { "ended", "ENDED", FALSE, FALSE },        { "id", "ID", FALSE, FALSE },
  { "name", "NAME", FALSE, TRUE },           { "type", "TYPE", FALSE, FALSE },
  { "result", "RESULT", FALSE, FALSE },      { "kept", "KEPT", TRUE, FALSE },
  { "discarded", "DISCARDED", TRUE, FALSE }, { "error", "ERROR", FALSE, TRUE },
  { "undeleted", NULL, FALSE, FALSE },       { NULL, NULL, FALSE, FALSE },
};

static void
add_tombstone (CtlTable *table, const char *id, GVariant *row)
{
  const char *result = "", *name = "", *type = "", *failure = "";
  g_autoptr (GVariant) undeleted = g_variant_lookup_value (row, "undeleted", NULL);
  guint64 ended = 0;
  guint32 kept = 0, discarded = 0;

  g_variant_lookup (row, "result", "&s", &result);
  g_variant_lookup (row, "display-name", "&s", &name);
  g_variant_lookup (row, "type", "&s", &type);
  g_variant_lookup (row, "error", "&s", &failure);
  g_variant_lookup (row, "ended", "t", &ended);
  g_variant_lookup (row, "kept-count", "u", &kept);
  g_variant_lookup (row, "discarded-count", "u", &discarded);
  ctl_table_add (table, ctl_format_time (ended), g_variant_new_uint64 (ended), CTL_STYLE_PLAIN);
  ctl_table_add (table, options.full ? NULL : ctl_short_id (id), g_variant_new_string (id),
                 CTL_STYLE_PLAIN);
  ctl_table_add_string (table, name);
  ctl_table_add_string (table, type);
  ctl_table_add (table, NULL, g_variant_new_string (result), ctl_state_style (result));
  ctl_table_add (table, NULL, g_variant_new_uint32 (kept), CTL_STYLE_PLAIN);
  ctl_table_add (table, NULL, g_variant_new_uint32 (discarded), CTL_STYLE_PLAIN);
  ctl_table_add (table, *failure != '\0' ? g_strdup (ctl_error_name (failure)) : NULL,
                 *failure != '\0' ? g_variant_new_string (failure) : NULL, CTL_STYLE_PLAIN);
  ctl_table_add (table, NULL, undeleted, CTL_STYLE_PLAIN);
}

static gboolean
history_filter (GVariantDict *dict)
{
  guint64 within;

  if (options.limit > 0)
    g_variant_dict_insert (dict, "limit", "u", (guint32) options.limit);
  if (options.since == NULL)
    return TRUE;
  if (!ctl_parse_duration (options.since, &within))
    return FALSE;
  g_variant_dict_insert (dict, "since", "t", (guint64) g_get_real_time () - within);
  return TRUE;
}

int
ctl_run_history (Ctl *ctl, int n, char **arguments)
{
  g_auto (GVariantDict) dict = G_VARIANT_DICT_INIT (NULL);
  g_autoptr (CtlTable) table = ctl_table_new (history_columns);
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GVariant) rows = NULL;
  g_autoptr (GError) error = NULL;
  GVariantIter iter;
  const char *id;
  GVariant *row;

  (void) n, (void) arguments;
  if (!history_filter (&dict))
    return ctl_fail_usage (ctl, "‘%s’ is no duration", options.since);
  transfer_client_get_job_history_async (ctl->client, g_variant_dict_end (&dict), NULL,
                                         ctl_async_cb, &result);
  ctl_await (&result);
  rows = transfer_client_get_job_history_finish (ctl->client, result, &error);
  if (rows == NULL)
    return ctl_fail_error (ctl, NULL, g_steal_pointer (&error));
  g_variant_iter_init (&iter, rows);
  while (g_variant_iter_loop (&iter, "(&s@a{sv})", &id, &row))
    add_tombstone (table, id, row);
  ctl_print_table (ctl, table);
  if (ctl_table_n_rows (table) == 0 && !ctl->json)
    ctl_say (ctl, "No job has ended lately.");
  return CTL_OK;
}
