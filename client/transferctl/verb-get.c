/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* get: downloads a URL, in the foreground or in the background. */
#include "config.h"
#include "client/transferctl/ctl.h"

#include <glib/gstdio.h>
#include <stdio.h>
#include <sys/stat.h>

#include "client/transferctl/order.h"
#include "client/transferctl/target.h"

static struct
{
  CtlOrder order;
  gboolean force;
  char *digest;
} options;

const GOptionEntry *
ctl_options_get (void)
{
  static const GOptionEntry entries[] = {
    { "background", 'b', 0, G_OPTION_ARG_NONE, &options.order.background,
      "Return at once; the service completes the job by itself", NULL },
    { "force", 'f', 0, G_OPTION_ARG_NONE, &options.force, "Replace an existing file", NULL },
    { "name", 'n', 0, G_OPTION_ARG_STRING, &options.order.name, "Name of the job", "NAME" },
    { "priority", 0, 0, G_OPTION_ARG_STRING, &options.order.priority,
      "foreground, high, normal or low", "PRIORITY" },
    { "digest", 'd', 0, G_OPTION_ARG_STRING, &options.digest,
      "What the file must be, e.g. sha256:HEX", "DIGEST" },
    CTL_ORDER_ENTRIES (options.order),
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
  return g_variant_ref_sink (g_variant_new_array (NULL, &entry, 1));
}

static int
report_success (Ctl *ctl, const CtlOrder *order, TransferJob *job, gint64 begun)
{
  guint64 bytes = transfer_job_get_bytes_transferred (job);

  ctl_order_say_done (ctl, bytes, begun);
  if (ctl->json)
    {
      GVariantDict dict;
      g_autofree char *shown = g_utf8_make_valid (order->local, -1);

      g_variant_dict_init (&dict, NULL);
      g_variant_dict_insert (&dict, "id", "s", transfer_job_get_id (job));
      g_variant_dict_insert (&dict, "path", "s", shown);
      g_variant_dict_insert (&dict, "bytes", "t", bytes);
      ctl_print_json (g_variant_dict_end (&dict));
    }
  else
    puts (order->local);
  return CTL_OK;
}

static int
complete (Ctl *ctl, const CtlOrder *order, TransferJob *job, gint64 begun)
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
    return ctl_fail_error (ctl, order->local, g_steal_pointer (&error));
  if (ended != TRANSFER_RESULT_COMPLETED)
    return ctl_fail (ctl, "%s: the job ended otherwise: %s", order->local,
                     transfer_result_to_string (ended));
  return report_success (ctl, order, job, begun);
}

int
ctl_run_get (Ctl *ctl, int n, char **arguments)
{
  CtlOrder *order = &options.order;
  const char *url = arguments[0];
  g_autoptr (GError) error = NULL;
  g_autofree char *path = ctl_target_path (url, n > 1 ? arguments[1] : NULL, &error);
  g_autoptr (GVariant) files = NULL;
  g_autoptr (TransferJob) job = NULL;
  struct stat info;

  if (path == NULL)
    return ctl_fail (ctl, "%s", error->message);
  if (!options.force && g_lstat (path, &info) == 0)
    return ctl_fail (ctl, "‘%s’ exists already; --force replaces it", path);
  files = make_file (url, path);
  order->type = TRANSFER_JOB_TYPE_DOWNLOAD;
  order->local = path;
  order->url = url;
  order->files = files;
  job = ctl_order_begin (ctl, order, &error);
  if (job == NULL)
    return ctl_fail_error (ctl, url, g_steal_pointer (&error));
  if (order->background)
    return ctl_order_leave (ctl, order, job);
  return ctl_order_follow (ctl, order, job, complete, report_success);
}
