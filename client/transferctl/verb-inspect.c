/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* files, why, log: what a job consists of, waits for and went through. */
#include "config.h"
#include "client/transferctl/ctl.h"

#include "client/transferctl/format.h"

static struct
{
  int lines;
} options;

const GOptionEntry *
ctl_options_log (void)
{
  static const GOptionEntry entries[] = {
    { "lines", 'n', 0, G_OPTION_ARG_INT, &options.lines, "Only the last N events", "N" },
    CTL_OPTION_ALL_USERS,
    { NULL, 0, 0, 0, NULL, NULL, NULL },
  };

  return entries;
}

static const CtlColumn files_columns[] = {
  { "index", "INDEX", TRUE, FALSE },
  { "state", "STATE", FALSE, FALSE },
  { "bytes-transferred", "DONE", TRUE, FALSE },
  { "bytes-total", "SIZE", TRUE, FALSE },
  { "local-path", "FILE", FALSE, TRUE },
  { "remote-url", "URL", FALSE, TRUE },
  { "details", NULL, FALSE, FALSE },
  { NULL, NULL, FALSE, FALSE },
};

static void
add_file (CtlTable *table, const TransferFile *file)
{
  const char *state = transfer_file_state_to_string (file->state);
  g_autofree char *path = g_utf8_make_valid (file->local_path, -1);

  ctl_table_add (table, NULL, g_variant_new_uint32 (file->index), CTL_STYLE_PLAIN);
  ctl_table_add (table, NULL, g_variant_new_string (state), ctl_state_style (state));
  ctl_table_add (table, ctl_format_percent (file->bytes_transferred, file->bytes_total),
                 g_variant_new_uint64 (file->bytes_transferred), CTL_STYLE_PLAIN);
  ctl_table_add (table, ctl_format_size (file->bytes_total),
                 g_variant_new_uint64 (file->bytes_total), CTL_STYLE_PLAIN);
  ctl_table_add_string (table, path);
  ctl_table_add_string (table, file->remote_url);
  ctl_table_add (table, g_strdup (""), file->details, CTL_STYLE_PLAIN);
}

int
ctl_run_files (Ctl *ctl, int n, char **arguments)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (TransferJob) job = ctl_find_job (ctl, arguments[0], &error);
  g_autoptr (CtlTable) table = ctl_table_new (files_columns);
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GPtrArray) files = NULL;

  (void) n;
  if (job == NULL)
    return ctl_fail_error (ctl, NULL, g_steal_pointer (&error));
  transfer_job_list_files_async (job, NULL, ctl_async_cb, &result);
  ctl_await (&result);
  files = transfer_job_list_files_finish (job, result, &error);
  if (files == NULL)
    return ctl_fail_error (ctl, NULL, g_steal_pointer (&error));
  for (guint i = 0; i < files->len; i++)
    add_file (table, g_ptr_array_index (files, i));
  ctl_print_table (ctl, table);
  if (files->len == 0 && !ctl->json)
    ctl_say (ctl, "The job has no files yet: \"transferctl add JOB URL FILE\".");
  return CTL_OK;
}

static const CtlColumn why_columns[] = {
  { "code", "REASON", FALSE, FALSE },
  { "since", "SINCE", FALSE, FALSE },
  { "next-check", "NEXT CHECK", FALSE, FALSE },
  { "text", "EXPLANATION", FALSE, FALSE },
  { NULL, NULL, FALSE, FALSE },
};

/* What can be done about it, for people. */
static void
say_what_helps (Ctl *ctl, TransferJob *job, gboolean reasons)
{
  switch (transfer_job_get_state (job))
    {
    case TRANSFER_JOB_STATE_SUSPENDED:
      if (transfer_job_get_files_total (job) == 0)
        ctl_say (ctl, "\"transferctl add JOB URL FILE\" gives it files.");
      else
        ctl_say (ctl, "\"transferctl resume JOB\" lets it run.");
      break;
    case TRANSFER_JOB_STATE_ERROR:
      ctl_say (ctl, "It does not go on by itself: \"transferctl resume JOB\" tries again.");
      ctl_say (ctl, "\"transferctl complete JOB\" keeps the files that have arrived, \"transferctl "
                    "cancel JOB\" gives the job up.");
      break;
    case TRANSFER_JOB_STATE_TRANSFERRED:
      ctl_say (ctl,
               "All its files have arrived: \"transferctl complete JOB\" puts them into place.");
      break;
    default:
      if (!reasons)
        ctl_say (ctl, "Nothing keeps the job from running; its state is %s.",
                 transfer_job_state_to_string (transfer_job_get_state (job)));
    }
}

static void
add_reason (CtlTable *table, GVariant *reason)
{
  const char *code = "", *text = "";
  guint64 since = 0, next = 0;

  g_variant_lookup (reason, "code", "&s", &code);
  g_variant_lookup (reason, "text", "&s", &text);
  g_variant_lookup (reason, "since", "t", &since);
  g_variant_lookup (reason, "next-check", "t", &next);
  ctl_table_add (table, g_strdup (ctl_error_name (code)), g_variant_new_string (code),
                 CTL_STYLE_WARN);
  ctl_table_add (table, ctl_format_time (since), g_variant_new_uint64 (since), CTL_STYLE_PLAIN);
  ctl_table_add (table, ctl_format_time (next), g_variant_new_uint64 (next), CTL_STYLE_PLAIN);
  ctl_table_add_string (table, text);
}

int
ctl_run_why (Ctl *ctl, int n, char **arguments)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (TransferJob) job = ctl_find_job (ctl, arguments[0], &error);
  g_autoptr (CtlTable) table = ctl_table_new (why_columns);
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GVariant) reasons = NULL;

  (void) n;
  if (job == NULL)
    return ctl_fail_error (ctl, NULL, g_steal_pointer (&error));
  transfer_job_explain_async (job, NULL, ctl_async_cb, &result);
  ctl_await (&result);
  reasons = transfer_job_explain_finish (job, result, &error);
  if (reasons == NULL)
    return ctl_fail_error (ctl, NULL, g_steal_pointer (&error));
  for (gsize i = 0; i < g_variant_n_children (reasons); i++)
    {
      g_autoptr (GVariant) reason = g_variant_get_child_value (reasons, i);

      add_reason (table, reason);
    }
  ctl_print_table (ctl, table);
  if (!ctl->json)
    say_what_helps (ctl, job, ctl_table_n_rows (table) > 0);
  return CTL_OK;
}

static const CtlColumn log_columns[] = {
  { "time", "TIME", FALSE, FALSE },
  { "kind", "EVENT", FALSE, FALSE },
  { "details", "DETAILS", FALSE, FALSE },
  { NULL, NULL, FALSE, FALSE },
};

/* "queued → connecting (picked)", or nothing when the details say nothing of the kind. */
static void
begin_with_change (GString *text, GVariant *details, gboolean unicode)
{
  const char *from, *to, *event;

  if (g_variant_lookup (details, "from", "&s", &from) &&
      g_variant_lookup (details, "to", "&s", &to) &&
      g_variant_lookup (details, "event", "&s", &event))
    {
      g_string_append_printf (text, "%s %s %s", from, unicode ? "→" : "->", to);
      if (!g_str_equal (event, to))
        g_string_append_printf (text, " (%s)", event);
    }
}

/* "key: value, key: value". */
static char *
format_details (GVariant *details, gboolean unicode)
{
  GString *text = g_string_new (NULL);
  GVariantIter iter;
  const char *key;
  GVariant *value;

  begin_with_change (text, details, unicode);
  const gboolean change = text->len > 0;
  g_variant_iter_init (&iter, details);
  while (g_variant_iter_loop (&iter, "{&sv}", &key, &value))
    {
      g_autofree char *shown = ctl_format_value (value);

      if (change &&
          (g_str_equal (key, "from") || g_str_equal (key, "to") || g_str_equal (key, "event")))
        continue;
      g_string_append_printf (text, "%s%s: %s", text->len > 0 ? ", " : "", key,
                              g_str_equal (key, "error") ? ctl_error_name (shown) : shown);
    }
  return g_string_free (text, FALSE);
}

int
ctl_run_log (Ctl *ctl, int n, char **arguments)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (TransferJob) job = ctl_find_job (ctl, arguments[0], &error);
  g_autoptr (CtlTable) table = ctl_table_new (log_columns);
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GVariant) events = NULL;
  GVariantIter iter;
  guint64 time;
  const char *kind;
  GVariant *details;

  (void) n;
  if (job == NULL)
    return ctl_fail_error (ctl, NULL, g_steal_pointer (&error));
  transfer_job_get_events_async (job, (guint) MAX (options.lines, 0), NULL, ctl_async_cb, &result);
  ctl_await (&result);
  events = transfer_job_get_events_finish (job, result, &error);
  if (events == NULL)
    return ctl_fail_error (ctl, NULL, g_steal_pointer (&error));
  g_variant_iter_init (&iter, events);
  while (g_variant_iter_loop (&iter, "(t&s@a{sv})", &time, &kind, &details))
    {
      ctl_table_add (table, ctl_format_time (time), g_variant_new_uint64 (time), CTL_STYLE_PLAIN);
      ctl_table_add_string (table, kind);
      ctl_table_add (table, format_details (details, ctl->unicode), details, CTL_STYLE_PLAIN);
    }
  ctl_print_table (ctl, table);
  return CTL_OK;
}
