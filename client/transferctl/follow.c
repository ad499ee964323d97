/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Follow: watches jobs until nothing more happens to them by itself, and shows how far they are. */
#include "config.h"
#include "client/transferctl/follow.h"

#include <string.h>

#include "client/transferctl/format.h"
#include "client/transferctl/progress.h"
#include "client/transferctl/screen.h"

/* How often the line is drawn, and the bus asked to start a service that stays away. */
#define DRAW_MILLISECONDS 200
#define START_MILLISECONDS 2000

/* Without a terminal a line is said whenever so many percent more have arrived. */
#define SAID_PERCENT 10

/* How long the service may take to begin completing a job by itself. */
#define AUTO_COMPLETE_MICROSECONDS (10 * G_USEC_PER_SEC)

typedef struct
{
  Ctl *ctl;
  GPtrArray *jobs; /* (not owned) */
  CtlScreen screen;
  CtlRate rate;
  GHashTable *said; /* (owned) what was last said of each job, by job */
  guint percent;    /* last said */
  gboolean away;    /* the service is not there */
  gboolean timed_out;
} Follow;

static gboolean
completes_itself (TransferJob *job)
{
  g_autoptr (GVariant) automatic = transfer_job_dup_value (job, "AutoComplete");
  g_autoptr (GVariant) since = transfer_job_dup_value (job, "TransferCompletionTime");
  g_autoptr (GError) failure = transfer_job_dup_error (job);

  if (automatic == NULL || !g_variant_get_boolean (automatic) || failure != NULL)
    return FALSE;
  if (*transfer_job_get_operation (job) != '\0' || since == NULL)
    return TRUE;
  return (guint64) g_get_real_time () < g_variant_get_uint64 (since) + AUTO_COMPLETE_MICROSECONDS;
}

CtlFollowed
ctl_followed (TransferJob *job)
{
  /* the state tells first; the result follows, see ctl_ended () */
  if (transfer_job_is_ended (job) || transfer_job_state_is_final (transfer_job_get_state (job)))
    return CTL_FOLLOW_ENDED;
  switch (transfer_job_get_state (job))
    {
    case TRANSFER_JOB_STATE_TRANSFERRED:
      return completes_itself (job) ? CTL_FOLLOW_RUNNING : CTL_FOLLOW_TRANSFERRED;
    case TRANSFER_JOB_STATE_ERROR:
      return CTL_FOLLOW_FAILED;
    default:
      return CTL_FOLLOW_RUNNING;
    }
}

char *
ctl_follow_note (TransferJob *job, guint64 now)
{
  TransferJobState state = transfer_job_get_state (job);
  guint64 next = transfer_job_get_next_retry_time (job);
  g_autoptr (GError) failure = transfer_job_dup_error (job);
  g_autofree char *text = NULL;
  g_autofree char *wait = NULL;

  if (*transfer_job_get_operation (job) != '\0')
    return g_strdup (transfer_job_get_operation (job));
  switch (state)
    {
    case TRANSFER_JOB_STATE_TRANSFERRING:
    case TRANSFER_JOB_STATE_TRANSFERRED:
    case TRANSFER_JOB_STATE_ACKNOWLEDGED:
      return NULL;
    case TRANSFER_JOB_STATE_SUSPENDED:
      return g_strdup ("suspended");
    default:
      break;
    }
  text = ctl_clean_text (transfer_job_get_status_text (job));
  if (*text == '\0' || state == TRANSFER_JOB_STATE_ERROR)
    {
      g_free (text);
      text = failure != NULL ? ctl_clean_text (failure->message)
                             : g_strdup (transfer_job_state_to_string (state));
    }
  if (next == 0 || next == G_MAXUINT64 || state != TRANSFER_JOB_STATE_TRANSIENT_ERROR)
    return g_steal_pointer (&text);
  if (next <= now)
    return g_strdup_printf ("trying again now: %s", text);
  wait = ctl_format_duration (next - now);
  return g_strdup_printf ("next try in %s: %s", wait, text);
}

/* The sum of all jobs, as one. */
static void
add_up (Follow *follow, CtlProgress *progress)
{
  memset (progress, 0, sizeof *progress);
  for (guint i = 0; i < follow->jobs->len; i++)
    {
      TransferJob *job = g_ptr_array_index (follow->jobs, i);
      guint64 total = transfer_job_get_bytes_total (job);

      progress->done += transfer_job_get_bytes_transferred (job);
      if (total == TRANSFER_SIZE_UNKNOWN || progress->total == TRANSFER_SIZE_UNKNOWN)
        progress->total = TRANSFER_SIZE_UNKNOWN;
      else
        progress->total += total;
      progress->files_done += transfer_job_get_files_transferred (job);
      progress->files_total += transfer_job_get_files_total (job);
    }
}

/* Why the one job does not move; of several, only when none of them moves. */
static char *
find_note (Follow *follow)
{
  g_autofree char *note = NULL;

  if (follow->away)
    return g_strdup ("waiting for the transfer service to come back");
  for (guint i = 0; i < follow->jobs->len; i++)
    {
      TransferJob *job = g_ptr_array_index (follow->jobs, i);
      char *one;

      if (ctl_followed (job) != CTL_FOLLOW_RUNNING)
        continue;
      one = ctl_follow_note (job, (guint64) g_get_real_time ());
      if (one == NULL)
        return NULL;
      g_free (note);
      note = one;
    }
  return g_steal_pointer (&note);
}

static char *
name_all (Follow *follow)
{
  if (follow->jobs->len != 1)
    return g_strdup_printf ("%u jobs", follow->jobs->len);
  return ctl_clean_text (transfer_job_get_display_name (g_ptr_array_index (follow->jobs, 0)));
}

static void
draw (Follow *follow)
{
  CtlProgress progress;
  g_autofree char *note = find_note (follow);
  g_autofree char *name = name_all (follow);
  g_autofree char *line = NULL;
  gint64 now = g_get_monotonic_time ();
  int width;

  add_up (follow, &progress);
  /* waiting is not slowness */
  if (note != NULL)
    memset (&follow->rate, 0, sizeof follow->rate);
  ctl_rate_add (&follow->rate, now, progress.done);
  width = ctl_screen_width (&follow->screen);
  if (width == 0)
    return;
  progress.name = name;
  progress.note = note;
  progress.rate = ctl_rate_get (&follow->rate, now);
  line = ctl_progress_line (&progress, width, follow->ctl->unicode);
  ctl_screen_draw (&follow->screen, line);
}

static gboolean
draw_cb (gpointer user_data)
{
  draw (user_data);
  return G_SOURCE_CONTINUE;
}

static gboolean
timeout_cb (gpointer user_data)
{
  Follow *follow = user_data;

  follow->timed_out = TRUE;
  return G_SOURCE_REMOVE;
}

/* Says @text of @job in a line of its own, once. */
static void
say_of (Follow *follow, TransferJob *job, const char *text)
{
  g_autofree char *id = NULL;

  if (g_strcmp0 (g_hash_table_lookup (follow->said, job), text) == 0)
    return;
  g_hash_table_replace (follow->said, job, g_strdup (text));
  ctl_screen_clear (&follow->screen);
  id = ctl_short_id (transfer_job_get_id (job));
  ctl_say (follow->ctl, "%s (%s): %s", transfer_job_get_display_name (job), id, text);
}

static void
say_percent (Follow *follow)
{
  CtlProgress progress;
  guint percent;

  add_up (follow, &progress);
  if (progress.total == TRANSFER_SIZE_UNKNOWN || progress.total == 0)
    return;
  percent = (guint) ((double) progress.done / (double) progress.total * 100.0);
  if (percent < follow->percent + SAID_PERCENT)
    return;
  follow->percent = percent - percent % SAID_PERCENT;

  g_autofree char *done = ctl_format_size (progress.done);
  g_autofree char *total = ctl_format_size (progress.total);
  guint64 speed = ctl_rate_get (&follow->rate, g_get_monotonic_time ());
  g_autofree char *rate = speed > 0 ? ctl_format_rate (speed) : g_strdup ("");
  ctl_say (follow->ctl, "%u%%  %s of %s%s%s", follow->percent, done, total, speed > 0 ? "  " : "",
           rate);
}

static void
changed_cb (TransferJob *job, GVariant *changed, gpointer user_data)
{
  Follow *follow = user_data;
  g_autoptr (GError) failure = NULL;

  (void) changed;
  if (!follow->screen.live)
    say_percent (follow);
  switch (transfer_job_get_state (job))
    {
    case TRANSFER_JOB_STATE_TRANSIENT_ERROR:
      failure = transfer_job_dup_error (job);
      if (failure != NULL)
        say_of (follow, job, failure->message);
      break;
    case TRANSFER_JOB_STATE_SUSPENDED:
      say_of (follow, job, "suspended; \"transferctl resume\" lets it go on");
      break;
    default:
      break;
    }
}

static gboolean
start_cb (gpointer user_data)
{
  Follow *follow = user_data;

  /* any call makes the bus start the service, if it can; news come by themselves when it is there
   */
  if (follow->away)
    transfer_job_refresh_async (g_ptr_array_index (follow->jobs, 0), NULL, NULL, NULL);
  return G_SOURCE_CONTINUE;
}

static void
vanished_cb (TransferClient *client, gpointer user_data)
{
  Follow *follow = user_data;

  (void) client;
  follow->away = TRUE;
  if (!follow->screen.live)
    ctl_say (follow->ctl, "The transfer service went away; waiting for it to come back.");
}

static void
appeared_cb (TransferClient *client, gpointer user_data)
{
  Follow *follow = user_data;

  (void) client;
  follow->away = FALSE;
  if (!follow->screen.live)
    ctl_say (follow->ctl, "The transfer service is back.");
}

static gboolean
is_over (Follow *follow)
{
  if (follow->ctl->interrupted != 0 || follow->timed_out)
    return TRUE;
  for (guint i = 0; i < follow->jobs->len; i++)
    if (ctl_followed (g_ptr_array_index (follow->jobs, i)) == CTL_FOLLOW_RUNNING)
      return FALSE;
  return TRUE;
}

/* Reads failed jobs again when the reason did not come with the state. */
static void
learn_reason (TransferJob *job)
{
  g_autoptr (GError) failure = transfer_job_dup_error (job);
  g_autoptr (GAsyncResult) result = NULL;

  if (ctl_followed (job) != CTL_FOLLOW_FAILED || failure != NULL)
    return;
  transfer_job_refresh_async (job, NULL, ctl_async_cb, &result);
  ctl_await (&result);
  transfer_job_refresh_finish (job, result, NULL);
}

void
ctl_follow (Ctl *ctl, GPtrArray *jobs, guint64 timeout)
{
  Follow follow = { .ctl = ctl, .jobs = jobs };
  guint timeout_source = 0;
  guint draw_source = g_timeout_add (DRAW_MILLISECONDS, draw_cb, &follow);
  guint start_source = g_timeout_add (START_MILLISECONDS, start_cb, &follow);
  gulong vanished =
      g_signal_connect (ctl->client, "service-vanished", G_CALLBACK (vanished_cb), &follow);
  gulong appeared =
      g_signal_connect (ctl->client, "service-appeared", G_CALLBACK (appeared_cb), &follow);

  ctl_screen_init (&follow.screen, ctl);
  follow.said = g_hash_table_new_full (NULL, NULL, NULL, g_free);
  follow.away = !transfer_client_is_service_running (ctl->client);
  if (timeout > 0)
    timeout_source = g_timeout_add ((guint) MIN (timeout / 1000, G_MAXUINT), timeout_cb, &follow);
  for (guint i = 0; i < jobs->len; i++)
    {
      TransferJob *job = g_ptr_array_index (jobs, i);

      g_signal_connect (job, "changed", G_CALLBACK (changed_cb), &follow);
      changed_cb (job, NULL, &follow);
    }
  draw (&follow);
  while (!is_over (&follow))
    g_main_context_iteration (NULL, TRUE);

  ctl_screen_clear (&follow.screen);
  for (guint i = 0; i < jobs->len; i++)
    {
      g_signal_handlers_disconnect_by_data (g_ptr_array_index (jobs, i), &follow);
      learn_reason (g_ptr_array_index (jobs, i));
    }
  g_signal_handler_disconnect (ctl->client, vanished);
  g_signal_handler_disconnect (ctl->client, appeared);
  g_source_remove (draw_source);
  g_source_remove (start_source);
  if (timeout_source != 0 && !follow.timed_out)
    g_source_remove (timeout_source);
  g_hash_table_unref (follow.said);
}
