/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* get: downloads a URL, in the foreground or in the background. */
#include "config.h"
#include "client/transferctl/ctl.h"

#include <glib/gstdio.h>
#include <stdio.h>
#include <sys/stat.h>

#include "client/transferctl/follow.h"
#include "client/transferctl/format.h"
#include "client/transferctl/target.h"
#include "client/transferctl/value.h"

/* Somebody waits: a failed try is repeated soon. */
#define FOREGROUND_RETRY_DELAY (5 * (guint64) G_USEC_PER_SEC)

static struct
{
  gboolean background;
  gboolean force;
  char *name;
  char *priority;
  char *digest;
  char **properties;
} options;

const GOptionEntry *
ctl_options_get (void)
{
  static const GOptionEntry entries[] = {
    { "background", 'b', 0, G_OPTION_ARG_NONE, &options.background,
      "Return at once; the service completes the job by itself", NULL },
    { "force", 'f', 0, G_OPTION_ARG_NONE, &options.force, "Replace an existing file", NULL },
    { "name", 'n', 0, G_OPTION_ARG_STRING, &options.name, "Name of the job", "NAME" },
    { "priority", 0, 0, G_OPTION_ARG_STRING, &options.priority, "foreground, high, normal or low",
      "PRIORITY" },
    { "digest", 'd', 0, G_OPTION_ARG_STRING, &options.digest,
      "What the file must be, e.g. sha256:HEX", "DIGEST" },
    { "property", 'p', 0, G_OPTION_ARG_STRING_ARRAY, &options.properties,
      "Property of the job; may be repeated", "NAME=VALUE" },
    { NULL, 0, 0, 0, NULL, NULL, NULL },
  };

  return entries;
}

static GVariant *
make_file (const char *url, const char *path)
{
  GVariantDict dict;
  GVariant *entry;

  g_variant_dict_init (&dict, NULL);
  if (options.digest != NULL)
    g_variant_dict_insert (&dict, "digest", "s", options.digest);
  entry = transfer_file_entry (url, path, g_variant_dict_end (&dict));
  return g_variant_new_array (NULL, &entry, 1);
}

/* The options of CreateJob, @priority being the one to ask for. */
static GVariant *
make_options (const char *url, const char *path, const char *priority, GError **error)
{
  GVariantDict dict;

  g_variant_dict_init (&dict, NULL);
  g_variant_dict_insert (&dict, "Priority", "s", priority);
  if (options.background)
    g_variant_dict_insert (&dict, "AutoComplete", "b", TRUE);
  else
    g_variant_dict_insert (&dict, "MinimumRetryDelay", "t", FOREGROUND_RETRY_DELAY);
  for (guint i = 0; options.properties != NULL && options.properties[i] != NULL; i++)
    if (!ctl_property_assign (&dict, options.properties[i], error))
      {
        g_variant_dict_clear (&dict);
        return NULL;
      }
  g_variant_dict_insert_value (&dict, "files", make_file (url, path));
  g_variant_dict_insert (&dict, "start", "b", TRUE);
  return g_variant_dict_end (&dict);
}

static TransferJob *
create (Ctl *ctl, const char *url, const char *path, const char *priority, GError **error)
{
  g_autoptr (GAsyncResult) result = NULL;
  g_autofree char *base = g_path_get_basename (path);
  g_autofree char *name = ctl_clean_text (options.name != NULL ? options.name : base);
  GVariant *given = make_options (url, path, priority, error);

  if (given == NULL)
    return NULL;
  transfer_client_create_job_async (ctl->client, name, TRANSFER_JOB_TYPE_DOWNLOAD, given, NULL,
                                    ctl_async_cb, &result);
  ctl_await (&result);
  return transfer_client_create_job_finish (ctl->client, result, error);
}

/* Foreground is a privilege in some places; without it the job is as important as can be. */
static TransferJob *
create_as_allowed (Ctl *ctl, const char *url, const char *path, GError **error)
{
  g_autoptr (GError) refused = NULL;
  const char *priority = options.background ? "normal" : "foreground";
  TransferJob *job;

  if (options.priority != NULL)
    return create (ctl, url, path, options.priority, error);
  job = create (ctl, url, path, priority, &refused);
  if (job != NULL || options.background ||
      !(g_error_matches (refused, TRANSFER_ERROR, TRANSFER_ERROR_ACCESS_DENIED) ||
        g_error_matches (refused, TRANSFER_ERROR,
                         TRANSFER_ERROR_INTERACTIVE_AUTHORIZATION_REQUIRED)))
    {
      if (refused != NULL)
        g_propagate_error (error, g_steal_pointer (&refused));
      return job;
    }
  ctl_say (ctl, "Foreground transfers are not allowed here; this one waits among the others.");
  return create (ctl, url, path, "high", error);
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

/* The job failed for good. With nothing to keep it goes; what has arrived of a large file does not.
 */
static int
report_failure (Ctl *ctl, TransferJob *job, const char *url)
{
  g_autoptr (GError) failure = transfer_job_dup_error (job);
  g_autofree char *id = ctl_short_id (transfer_job_get_id (job));
  guint64 arrived = transfer_job_get_bytes_transferred (job);
  g_autofree char *size = ctl_format_size (arrived);

  ctl_fail (ctl, "%s: %s", url, failure != NULL ? failure->message : "failed");
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
report_success (Ctl *ctl, TransferJob *job, const char *path, gint64 begun)
{
  guint64 bytes = transfer_job_get_bytes_transferred (job);
  gint64 took = g_get_monotonic_time () - begun;
  g_autofree char *size = ctl_format_size (bytes);
  g_autofree char *duration = took < 10 * G_USEC_PER_SEC
                                  ? g_strdup_printf ("%.1f s", (double) took / G_USEC_PER_SEC)
                                  : ctl_format_duration ((guint64) took);

  ctl_say (ctl, "%s in %s", size, duration);
  if (ctl->json)
    {
      GVariantDict dict;
      g_autofree char *shown = g_utf8_make_valid (path, -1);

      g_variant_dict_init (&dict, NULL);
      g_variant_dict_insert (&dict, "id", "s", transfer_job_get_id (job));
      g_variant_dict_insert (&dict, "path", "s", shown);
      g_variant_dict_insert (&dict, "bytes", "t", bytes);
      ctl_print_json (g_variant_dict_end (&dict));
    }
  else
    puts (path);
  return CTL_OK;
}

static int
complete (Ctl *ctl, TransferJob *job, const char *path, gint64 begun)
{
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) error = NULL;
  GVariantDict dict;
  TransferResult ended;

  g_variant_dict_init (&dict, NULL);
  g_variant_dict_insert (&dict, "overwrite", "s", options.force ? "replace" : "fail");
  transfer_job_complete_async (job, g_variant_dict_end (&dict), NULL, ctl_async_cb, &result);
  ctl_await (&result);
  if (!transfer_job_complete_finish (job, result, &ended, NULL, &error))
    return ctl_fail_error (ctl, path, g_steal_pointer (&error));
  if (ended != TRANSFER_RESULT_COMPLETED)
    return ctl_fail (ctl, "%s: the job ended otherwise: %s", path,
                     transfer_result_to_string (ended));
  return report_success (ctl, job, path, begun);
}

static int
follow (Ctl *ctl, TransferJob *job, const char *url, const char *path)
{
  g_autoptr (GPtrArray) jobs = g_ptr_array_new ();
  g_autofree char *id = ctl_short_id (transfer_job_get_id (job));
  gint64 begun = g_get_monotonic_time ();
  TransferResult ended;

  g_ptr_array_add (jobs, job);
  ctl_follow (ctl, jobs, 0);
  switch (ctl_followed (job))
    {
    case CTL_FOLLOW_TRANSFERRED:
      return complete (ctl, job, path, begun);
    case CTL_FOLLOW_FAILED:
      return report_failure (ctl, job, url);
    case CTL_FOLLOW_ENDED:
      ended = ctl_ended (ctl, job);
      if (ended == TRANSFER_RESULT_COMPLETED)
        return report_success (ctl, job, path, begun);
      return ctl_fail (ctl, "%s: somebody else ended the job: %s", url,
                       transfer_result_to_string (ended));
    case CTL_FOLLOW_RUNNING:
    default:
      ctl_say (ctl, "The download goes on in the background.");
      ctl_say (ctl, "\"transferctl wait --complete %s\" comes back to it,", id);
      ctl_say (ctl, "\"transferctl cancel %s\" gives it up.", id);
      return CTL_FAILED;
    }
}

static int
leave_alone (Ctl *ctl, TransferJob *job, const char *path)
{
  const char *id = transfer_job_get_id (job);
  g_autofree char *brief = ctl_short_id (id);

  ctl_say (ctl, "Downloading in the background: \"transferctl status %s\" shows how far it is.",
           brief);
  if (ctl->json)
    {
      GVariantDict dict;
      g_autofree char *shown = g_utf8_make_valid (path, -1);

      g_variant_dict_init (&dict, NULL);
      g_variant_dict_insert (&dict, "id", "s", id);
      g_variant_dict_insert (&dict, "path", "s", shown);
      ctl_print_json (g_variant_dict_end (&dict));
    }
  else
    puts (id);
  return CTL_OK;
}

int
ctl_run_get (Ctl *ctl, int n, char **arguments)
{
  const char *url = arguments[0];
  g_autoptr (GError) error = NULL;
  g_autofree char *path = ctl_target_path (url, n > 1 ? arguments[1] : NULL, &error);
  g_autoptr (TransferJob) job = NULL;
  struct stat info;

  if (path == NULL)
    return ctl_fail (ctl, "%s", error->message);
  if (!options.force && g_lstat (path, &info) == 0)
    return ctl_fail (ctl, "‘%s’ exists already; --force replaces it", path);
  job = create_as_allowed (ctl, url, path, &error);
  if (job == NULL)
    return ctl_fail_error (ctl, url, g_steal_pointer (&error));
  if (options.background)
    return leave_alone (ctl, job, path);
  return follow (ctl, job, url, path);
}
