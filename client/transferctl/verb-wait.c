/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* wait: until jobs are transferred, over, or have failed. */
#include "config.h"
#include "client/transferctl/ctl.h"

#include "client/transferctl/follow.h"
#include "client/transferctl/format.h"

static struct
{
  gboolean complete;
  char *timeout;
} options;

const GOptionEntry *
ctl_options_wait (void)
{
  static const GOptionEntry entries[] = {
    { "complete", 'c', 0, G_OPTION_ARG_NONE, &options.complete,
      "Complete each job whose files have all arrived", NULL },
    { "timeout", 't', 0, G_OPTION_ARG_STRING, &options.timeout, "Wait no longer than this",
      "DURATION" },
    { NULL, 0, 0, 0, NULL, NULL, NULL },
  };

  return entries;
}

/* One argument. A job that was over before we came is known by its tombstone only. */
typedef struct
{
  TransferJob *job; /* (owned) (nullable) */
  char *id;
  char *name;
  TransferResult ended; /* UNKNOWN while it is not over */
} Waited;

static void
waited_free (Waited *waited)
{
  g_clear_object (&waited->job);
  g_free (waited->id);
  g_free (waited->name);
  g_free (waited);
}

/* NULL when there is no such job and was none, *status then being set. */
static Waited *
find_waited (Ctl *ctl, const char *word, int *status)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) row = NULL;
  Waited *waited = g_new0 (Waited, 1);

  waited->ended = TRANSFER_RESULT_UNKNOWN;
  waited->job = ctl_find_job (ctl, word, &error);
  if (waited->job != NULL)
    {
      waited->id = g_strdup (transfer_job_get_id (waited->job));
      waited->name = g_strdup (transfer_job_get_display_name (waited->job));
      return waited;
    }
  if (g_error_matches (error, TRANSFER_ERROR, TRANSFER_ERROR_NOT_FOUND))
    row = ctl_find_tombstone (ctl, word, &waited->id);
  if (row == NULL)
    {
      waited_free (waited);
      *status = ctl_fail_error (ctl, NULL, g_steal_pointer (&error));
      return NULL;
    }
  waited->ended = ctl_tombstone_result (row);
  if (!g_variant_lookup (row, "display-name", "s", &waited->name))
    waited->name = ctl_short_id (waited->id);
  return waited;
}

/* The exit status for a job that is over. */
static int
judge_end (Ctl *ctl, const Waited *waited)
{
  if (waited->ended == TRANSFER_RESULT_COMPLETED || waited->ended == TRANSFER_RESULT_PARTIAL)
    return CTL_OK;
  return ctl_fail (ctl, "%s: %s", waited->name, transfer_result_to_string (waited->ended));
}

static int
complete (Ctl *ctl, Waited *waited)
{
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) error = NULL;

  transfer_job_complete_async (waited->job, NULL, NULL, ctl_async_cb, &result);
  ctl_await (&result);
  if (!transfer_job_complete_finish (waited->job, result, &waited->ended, NULL, &error))
    return ctl_fail_error (ctl, waited->name, g_steal_pointer (&error));
  return CTL_OK;
}

/* Completes the job if that was asked for; the exit status of waiting for it. */
static int
settle (Ctl *ctl, Waited *waited)
{
  g_autoptr (GError) failure = NULL;

  if (waited->job == NULL)
    return judge_end (ctl, waited);
  switch (ctl_followed (waited->job))
    {
    case CTL_FOLLOW_TRANSFERRED:
      return options.complete ? complete (ctl, waited) : CTL_OK;
    case CTL_FOLLOW_ENDED:
      waited->ended = ctl_ended (ctl, waited->job);
      return judge_end (ctl, waited);
    case CTL_FOLLOW_FAILED:
      failure = transfer_job_dup_error (waited->job);
      return ctl_fail (ctl, "%s: %s", waited->name, failure != NULL ? failure->message : "failed");
    case CTL_FOLLOW_RUNNING:
    default:
      if (ctl->interrupted == 0)
        ctl_fail (ctl, "%s: not transferred in time", waited->name);
      return CTL_FAILED;
    }
}

static const CtlColumn columns[] = {
  { "id", "ID", FALSE, FALSE },       { "name", "NAME", FALSE, TRUE },
  { "state", "STATE", FALSE, FALSE }, { "result", "RESULT", FALSE, FALSE },
  { NULL, NULL, FALSE, FALSE },
};

static void
add_waited (CtlTable *table, const Waited *waited)
{
  const char *result = transfer_result_to_string (waited->ended);
  const char *state = NULL;

  if (waited->job != NULL)
    state = transfer_job_state_to_string (transfer_job_get_state (waited->job));
  ctl_table_add_string (table, waited->id);
  ctl_table_add_string (table, waited->name);
  ctl_table_add (table, NULL, state != NULL ? g_variant_new_string (state) : NULL, CTL_STYLE_PLAIN);
  ctl_table_add (table, NULL,
                 waited->ended != TRANSFER_RESULT_UNKNOWN ? g_variant_new_string (result) : NULL,
                 CTL_STYLE_PLAIN);
}

int
ctl_run_wait (Ctl *ctl, int n, char **arguments)
{
  int status = CTL_OK;
  guint64 timeout = 0;
  g_autoptr (GPtrArray) all = g_ptr_array_new_with_free_func ((GDestroyNotify) waited_free);
  g_autoptr (GPtrArray) jobs = g_ptr_array_new ();
  g_autoptr (CtlTable) table = ctl_table_new (columns);

  if (options.timeout != NULL && !ctl_parse_duration (options.timeout, &timeout))
    return ctl_fail_usage (ctl, "‘%s’ is no duration", options.timeout);
  for (int i = 0; i < n; i++)
    {
      Waited *waited = find_waited (ctl, arguments[i], &status);

      if (waited == NULL)
        return status;
      g_ptr_array_add (all, waited);
      if (waited->job != NULL)
        g_ptr_array_add (jobs, waited->job);
    }
  if (jobs->len > 0)
    ctl_follow (ctl, jobs, timeout);
  for (guint i = 0; i < all->len; i++)
    {
      int settled = settle (ctl, g_ptr_array_index (all, i));

      status = MAX (status, settled);
      add_waited (table, g_ptr_array_index (all, i));
    }
  if (ctl->json)
    ctl_print_table (ctl, table);
  return status;
}
