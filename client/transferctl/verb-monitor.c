/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* monitor: what happens to jobs, as it happens. */
#include "config.h"
#include "client/transferctl/ctl.h"

#include <stdio.h>

#include "client/transferctl/format.h"

static struct
{
  gboolean all_users;
} options;

const GOptionEntry *
ctl_options_monitor (void)
{
  static const GOptionEntry entries[] = {
    { "all-users", 'a', 0, G_OPTION_ARG_NONE, &options.all_users,
      "Jobs of all users (administrators)", NULL },
    { NULL, 0, 0, 0, NULL, NULL, NULL },
  };

  return entries;
}

typedef struct
{
  Ctl *ctl;
  GHashTable *only; /* (owned) (nullable) ids to tell of */
} Monitor;

/* Prints one event: @details is an a{sv}, consumed when floating. */
static void
print_event (Monitor *monitor, const char *id, const char *event, GVariant *details)
{
  g_autoptr (GVariant) sunk = g_variant_ref_sink (details);
  gint64 now = g_get_real_time ();
  g_autoptr (GDateTime) time = g_date_time_new_now_local ();
  g_autofree char *clock = g_date_time_format (time, "%H:%M:%S");
  g_autofree char *brief = ctl_short_id (id);
  GVariantIter iter;
  const char *key;
  GVariant *value;

  if (monitor->only != NULL && !g_hash_table_contains (monitor->only, id))
    return;
  if (monitor->ctl->json)
    {
      ctl_print_json (g_variant_new_parsed ("{'time': <%t>, 'job': <%s>, 'event': <%s>, "
                                            "'details': <%@a{sv}>}",
                                            (guint64) now, id, event, sunk));
      fflush (stdout);
      return;
    }
  printf ("%s  %s  %-11s", clock, brief, event);
  g_variant_iter_init (&iter, sunk);
  while (g_variant_iter_loop (&iter, "{&sv}", &key, &value))
    {
      g_autofree char *text = ctl_format_value (value);
      g_autofree char *clean = ctl_clean_text (text);

      printf (" %s=%s", key, clean);
    }
  putchar ('\n');
  fflush (stdout);
}

static void
added_cb (TransferClient *client, const char *id, gpointer user_data)
{
  (void) client;
  print_event (user_data, id, "added", g_variant_new ("a{sv}", NULL));
}

static void
removed_cb (TransferClient *client, const char *id, TransferResult result, gpointer user_data)
{
  (void) client;
  print_event (user_data, id, "removed",
               g_variant_new_parsed ("{'result': <%s>}", transfer_result_to_string (result)));
}

static void
transferred_cb (TransferClient *client, const char *id, gpointer user_data)
{
  (void) client;
  print_event (user_data, id, "transferred", g_variant_new ("a{sv}", NULL));
}

static void
error_cb (TransferClient *client,
          const char *id,
          const char *name,
          const char *context,
          gpointer user_data)
{
  (void) client;
  print_event (user_data, id, "error",
               g_variant_new_parsed ("{'name': <%s>, 'context': <%s>}", name, context));
}

static void
changed_cb (TransferClient *client, const char *id, GVariant *changed, gpointer user_data)
{
  (void) client;
  print_event (user_data, id, "changed", changed);
}

static void
vanished_cb (TransferClient *client, gpointer user_data)
{
  Monitor *monitor = user_data;

  (void) client;
  ctl_say (monitor->ctl, "The transfer service went away; waiting for it to come back.");
}

static void
appeared_cb (TransferClient *client, gpointer user_data)
{
  Monitor *monitor = user_data;

  (void) client;
  ctl_say (monitor->ctl, "The transfer service is back.");
}

static gboolean
find_only (Ctl *ctl, Monitor *monitor, int n, char **arguments, GError **error)
{
  g_autoptr (GPtrArray) jobs = NULL;

  if (n == 0)
    return TRUE;
  jobs = ctl_find_jobs (ctl, n, arguments, error);
  if (jobs == NULL)
    return FALSE;
  monitor->only = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  for (guint i = 0; i < jobs->len; i++)
    g_hash_table_add (monitor->only, g_strdup (transfer_job_get_id (g_ptr_array_index (jobs, i))));
  return TRUE;
}

int
ctl_run_monitor (Ctl *ctl, int n, char **arguments)
{
  Monitor monitor = { .ctl = ctl };
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) error = NULL;

  if (!find_only (ctl, &monitor, n, arguments, &error))
    return ctl_fail_error (ctl, NULL, g_steal_pointer (&error));
  g_signal_connect (ctl->client, "job-added", G_CALLBACK (added_cb), &monitor);
  g_signal_connect (ctl->client, "job-removed", G_CALLBACK (removed_cb), &monitor);
  g_signal_connect (ctl->client, "job-transferred", G_CALLBACK (transferred_cb), &monitor);
  g_signal_connect (ctl->client, "job-error", G_CALLBACK (error_cb), &monitor);
  g_signal_connect (ctl->client, "job-changed", G_CALLBACK (changed_cb), &monitor);
  transfer_client_subscribe_async (ctl->client, options.all_users, NULL, ctl_async_cb, &result);
  ctl_await (&result);
  if (!transfer_client_subscribe_finish (ctl->client, result, &error))
    {
      g_signal_handlers_disconnect_by_data (ctl->client, &monitor);
      g_clear_pointer (&monitor.only, g_hash_table_unref);
      return ctl_fail_error (ctl, NULL, g_steal_pointer (&error));
    }
  g_signal_connect (ctl->client, "service-vanished", G_CALLBACK (vanished_cb), &monitor);
  g_signal_connect (ctl->client, "service-appeared", G_CALLBACK (appeared_cb), &monitor);
  ctl_say (ctl, "Ctrl-C ends it.");
  while (ctl->interrupted == 0)
    g_main_context_iteration (NULL, TRUE);
  g_signal_handlers_disconnect_by_data (ctl->client, &monitor);
  g_clear_pointer (&monitor.only, g_hash_table_unref);
  return CTL_OK;
}
