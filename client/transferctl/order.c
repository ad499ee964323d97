/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Order: a transfer that one verb makes, follows and ends: what get and put share. */
#include "config.h"
#include "client/transferctl/order.h"

#include <stdio.h>

#include "client/transferctl/follow.h"
#include "client/transferctl/format.h"
#include "client/transferctl/password.h"
#include "client/transferctl/value.h"

/* Somebody waits: a failed try is repeated soon. */
#define FOREGROUND_RETRY_DELAY (5 * (guint64) G_USEC_PER_SEC)

static gboolean
add_headers (GVariantDict *dict, char **headers, GError **error)
{
  g_autofree char *lines = g_strjoinv ("\n", headers);
  g_autoptr (GVariant) value = ctl_property_parse ("Headers", lines, error);

  if (value != NULL)
    g_variant_dict_insert_value (dict, "Headers", value);
  return value != NULL;
}

static void
add_more (GVariantDict *dict, GVariant *more)
{
  GVariantIter iter;
  const char *name;
  GVariant *value;

  if (more == NULL)
    return;
  g_variant_iter_init (&iter, more);
  while (g_variant_iter_loop (&iter, "{&sv}", &name, &value))
    g_variant_dict_insert_value (dict, name, value);
}

/* The options of CreateJob, @priority being the one to ask for. (transfer floating) */
static GVariant *
make_options (const CtlOrder *order, const char *priority, GError **error)
{
  g_auto (GVariantDict) dict = G_VARIANT_DICT_INIT (NULL);

  g_variant_dict_insert (&dict, "Priority", "s", priority);
  if (order->background)
    g_variant_dict_insert (&dict, "AutoComplete", "b", TRUE);
  else
    g_variant_dict_insert (&dict, "MinimumRetryDelay", "t", FOREGROUND_RETRY_DELAY);
  add_more (&dict, order->more);
  if (order->headers != NULL && !add_headers (&dict, order->headers, error))
    return NULL;
  for (guint i = 0; order->properties != NULL && order->properties[i] != NULL; i++)
    if (!ctl_property_assign (&dict, order->properties[i], error))
      return NULL;
  g_variant_dict_insert_value (&dict, "files", order->files);
  g_variant_dict_insert (&dict, "start", "b", order->user == NULL);
  return g_variant_dict_end (&dict);
}

static TransferJob *
create (Ctl *ctl, const CtlOrder *order, const char *priority, GError **error)
{
  g_autoptr (GAsyncResult) result = NULL;
  g_autofree char *base = g_path_get_basename (order->local);
  g_autofree char *name = ctl_clean_text (order->name != NULL ? order->name : base);
  GVariant *options = make_options (order, priority, error);

  if (options == NULL)
    return NULL;
  transfer_client_create_job_async (ctl->client, name, order->type, options, NULL, ctl_async_cb,
                                    &result);
  ctl_await (&result);
  return transfer_client_create_job_finish (ctl->client, result, error);
}

/* Foreground is a privilege in some places; without it the job is as important as can be. */
static TransferJob *
create_as_allowed (Ctl *ctl, const CtlOrder *order, GError **error)
{
  const char *priority = order->background ? "normal" : "foreground";
  GError *refused = NULL;
  TransferJob *job;

  if (order->priority != NULL)
    return create (ctl, order, order->priority, error);
  job = create (ctl, order, priority, &refused);
  if (job != NULL)
    return job;
  if (order->background ||
      !(g_error_matches (refused, TRANSFER_ERROR, TRANSFER_ERROR_ACCESS_DENIED) ||
        g_error_matches (refused, TRANSFER_ERROR,
                         TRANSFER_ERROR_INTERACTIVE_AUTHORIZATION_REQUIRED)))
    {
      g_propagate_error (error, refused);
      return NULL;
    }
  g_error_free (refused);
  ctl_say (ctl, "Foreground transfers are not allowed here; this one waits among the others.");
  return create (ctl, order, "high", error);
}

static void
cancel (Ctl *ctl, TransferJob *job)
{
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) error = NULL;

  transfer_job_cancel_async (job, NULL, NULL, ctl_async_cb, &result);
  ctl_await (&result);
  if (!transfer_job_cancel_finish (job, result, NULL, NULL, &error))
    ctl_fail_error (ctl, "the job could not be cancelled", g_steal_pointer (&error));
}

/* Both schemes: which one the server wants is not known before it is asked. */
static gboolean
log_in (TransferJob *job, const char *user, const char *password, GError **error)
{
  const char *schemes[] = { "basic", "digest" };

  for (gsize i = 0; i < G_N_ELEMENTS (schemes); i++)
    {
      g_autoptr (GAsyncResult) result = NULL;

      transfer_job_set_credentials_async (job, "server", schemes[i], user, password, NULL,
                                          ctl_async_cb, &result);
      ctl_await (&result);
      if (!transfer_job_set_credentials_finish (job, result, error))
        return FALSE;
    }
  return TRUE;
}

static gboolean
start (TransferJob *job, GError **error)
{
  g_autoptr (GAsyncResult) result = NULL;

  transfer_job_resume_async (job, NULL, ctl_async_cb, &result);
  ctl_await (&result);
  return transfer_job_resume_finish (job, result, error);
}

TransferJob *
ctl_order_begin (Ctl *ctl, const CtlOrder *order, GError **error)
{
  g_autofree char *password = NULL;
  g_autoptr (TransferJob) job = NULL;

  if (order->user != NULL)
    {
      password = ctl_read_password (order->user, order->password_file, error);
      if (password == NULL)
        return NULL;
    }
  job = create_as_allowed (ctl, order, error);
  if (job == NULL || order->user == NULL)
    return g_steal_pointer (&job);
  if (log_in (job, order->user, password, error) && start (job, error))
    return g_steal_pointer (&job);
  cancel (ctl, job);
  return NULL;
}

int
ctl_order_leave (Ctl *ctl, const CtlOrder *order, TransferJob *job)
{
  const char *id = transfer_job_get_id (job);
  g_autofree char *brief = ctl_short_id (id);

  ctl_say (ctl, "%s in the background: \"transferctl status %s\" shows how far it is.",
           order->type == TRANSFER_JOB_TYPE_DOWNLOAD ? "Downloading" : "Uploading", brief);
  if (ctl->json)
    {
      GVariantDict dict;
      g_autofree char *shown = g_utf8_make_valid (order->local, -1);

      g_variant_dict_init (&dict, NULL);
      g_variant_dict_insert (&dict, "id", "s", id);
      g_variant_dict_insert (&dict, "path", "s", shown);
      ctl_print_json (g_variant_dict_end (&dict));
    }
  else
    puts (id);
  return CTL_OK;
}

/* The job failed for good. With nothing to keep it goes; what has arrived of a large file does not.
 */
static int
report_failure (Ctl *ctl, const CtlOrder *order, TransferJob *job)
{
  g_autoptr (GError) failure = transfer_job_dup_error (job);
  g_autofree char *id = ctl_short_id (transfer_job_get_id (job));
  guint64 arrived = transfer_job_get_bytes_transferred (job);
  g_autofree char *size = ctl_format_size (arrived);

  ctl_fail (ctl, "%s: %s", order->url, failure != NULL ? failure->message : "failed");
  if (arrived == 0)
    cancel (ctl, job);
  else
    ctl_say (
        ctl,
        "%s are kept: \"transferctl resume %s\" tries again, \"transferctl cancel %s\" gives up.",
        size, id, id);
  return CTL_FAILED;
}

static int
report_end (Ctl *ctl, const CtlOrder *order, TransferJob *job, gint64 begun, CtlOrderEnd completed)
{
  TransferResult ended = ctl_ended (ctl, job);

  if (ended == TRANSFER_RESULT_COMPLETED)
    return completed (ctl, order, job, begun);
  return ctl_fail (ctl, "%s: somebody else ended the job: %s", order->url,
                   transfer_result_to_string (ended));
}

int
ctl_order_follow (
    Ctl *ctl, const CtlOrder *order, TransferJob *job, CtlOrderEnd complete, CtlOrderEnd completed)
{
  g_autoptr (GPtrArray) jobs = g_ptr_array_new ();
  g_autofree char *id = ctl_short_id (transfer_job_get_id (job));
  gint64 begun = g_get_monotonic_time ();

  g_ptr_array_add (jobs, job);
  ctl_follow (ctl, jobs, 0);
  switch (ctl_followed (job))
    {
    case CTL_FOLLOW_TRANSFERRED:
      return complete (ctl, order, job, begun);
    case CTL_FOLLOW_FAILED:
      return report_failure (ctl, order, job);
    case CTL_FOLLOW_ENDED:
      return report_end (ctl, order, job, begun, completed);
    case CTL_FOLLOW_RUNNING:
    default:
      ctl_say (ctl, "The %s goes on in the background.",
               order->type == TRANSFER_JOB_TYPE_DOWNLOAD ? "download" : "upload");
      ctl_say (ctl, "\"transferctl wait --complete %s\" comes back to it,", id);
      ctl_say (ctl, "\"transferctl cancel %s\" gives it up.", id);
      return CTL_FAILED;
    }
}

void
ctl_order_say_done (Ctl *ctl, guint64 bytes, gint64 begun)
{
  gint64 took = g_get_monotonic_time () - begun;
  g_autofree char *size = ctl_format_size (bytes);
  g_autofree char *duration = took < 10 * G_USEC_PER_SEC
                                  ? g_strdup_printf ("%.1f s", (double) took / G_USEC_PER_SEC)
                                  : ctl_format_duration ((guint64) took);

  ctl_say (ctl, "%s in %s", size, duration);
}
