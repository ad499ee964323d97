/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* put: uploads a file, in the foreground or in the background, and fetches the server's reply;
 * reply: prints that of a job. */
#include "config.h"
#include "client/transferctl/ctl.h"

#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/transferctl/order.h"

static struct
{
  CtlOrder order;
  gboolean force;
  char *protocol;
  char *reply;
} options;

const GOptionEntry *
ctl_options_put (void)
{
  static const GOptionEntry entries[] = {
    { "background", 'b', 0, G_OPTION_ARG_NONE, &options.order.background,
      "Return at once; the service completes the job by itself", NULL },
    { "reply", 'r', 0, G_OPTION_ARG_FILENAME, &options.reply,
      "Put what the server replies into FILE", "FILE" },
    { "force", 'f', 0, G_OPTION_ARG_NONE, &options.force, "Replace an existing file by the reply",
      NULL },
    { "protocol", 0, 0, G_OPTION_ARG_STRING, &options.protocol,
      "auto (default), put, post, tus, resumable or bits", "PROTOCOL" },
    { "name", 'n', 0, G_OPTION_ARG_STRING, &options.order.name, "Name of the job", "NAME" },
    { "priority", 0, 0, G_OPTION_ARG_STRING, &options.order.priority,
      "foreground, high, normal or low", "PRIORITY" },
    CTL_ORDER_ENTRIES (options.order),
  };

  return entries;
}

/* A URL that ends like a directory takes the name of the file. */
static char *
remote_name (const char *url, const char *path)
{
  g_autofree char *base = g_path_get_basename (path);
  g_autofree char *escaped = g_uri_escape_bytes ((const guint8 *) base, strlen (base), NULL);

  return g_str_has_suffix (url, "/") ? g_strconcat (url, escaped, NULL) : g_strdup (url);
}

static GVariant *
make_file (const char *url, const char *path)
{
  GVariant *entry = transfer_file_entry (url, path, NULL);

  return g_variant_ref_sink (g_variant_new_array (NULL, &entry, 1));
}

static GVariant *
make_properties (const char *reply)
{
  GVariantDict dict;

  g_variant_dict_init (&dict, NULL);
  if (options.protocol != NULL)
    g_variant_dict_insert (&dict, "UploadProtocol", "s", options.protocol);
  if (reply != NULL)
    g_variant_dict_insert (&dict, "ReplyFileName", "s", reply);
  return g_variant_ref_sink (g_variant_dict_end (&dict));
}

static int
report_success (Ctl *ctl, const CtlOrder *order, TransferJob *job, gint64 begun)
{
  guint64 bytes = transfer_job_get_bytes_transferred (job);

  ctl_order_say_done (ctl, bytes, begun);
  if (ctl->json)
    {
      GVariantDict dict;

      g_variant_dict_init (&dict, NULL);
      g_variant_dict_insert (&dict, "id", "s", transfer_job_get_id (job));
      g_variant_dict_insert (&dict, "url", "s", order->url);
      g_variant_dict_insert (&dict, "bytes", "t", bytes);
      ctl_print_json (g_variant_dict_end (&dict));
    }
  else if (options.reply != NULL)
    puts (options.reply);
  return CTL_OK;
}

static int
complete (Ctl *ctl, const CtlOrder *order, TransferJob *job, gint64 begun)
{
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) error = NULL;
  GVariantDict dict;

  g_variant_dict_init (&dict, NULL);
  if (options.reply != NULL)
    g_variant_dict_insert (&dict, "overwrite", "s", options.force ? "replace" : "fail");
  transfer_job_complete_async (job, g_variant_dict_end (&dict), NULL, ctl_async_cb, &result);
  ctl_await (&result);
  if (!transfer_job_complete_finish (job, result, NULL, NULL, &error))
    return ctl_fail_error (ctl, options.reply != NULL ? options.reply : order->url,
                           g_steal_pointer (&error));
  return report_success (ctl, order, job, begun);
}

int
ctl_run_put (Ctl *ctl, int n, char **arguments)
{
  CtlOrder *order = &options.order;
  g_autofree char *path = g_canonicalize_filename (arguments[0], NULL);
  g_autofree char *url = remote_name (arguments[1], path);
  g_autofree char *reply =
      options.reply != NULL ? g_canonicalize_filename (options.reply, NULL) : NULL;
  g_autoptr (GVariant) files = make_file (url, path);
  g_autoptr (GVariant) properties = make_properties (reply);
  g_autoptr (TransferJob) job = NULL;
  g_autoptr (GError) error = NULL;
  struct stat info;

  (void) n;
  if (reply != NULL && !options.force && g_lstat (reply, &info) == 0)
    return ctl_fail (ctl, "‘%s’ exists already; --force replaces it", reply);
  order->type = reply != NULL ? TRANSFER_JOB_TYPE_UPLOAD_REPLY : TRANSFER_JOB_TYPE_UPLOAD;
  order->local = path;
  order->url = url;
  order->files = files;
  order->more = properties;
  job = ctl_order_begin (ctl, order, &error);
  if (job == NULL)
    return ctl_fail_error (ctl, url, g_steal_pointer (&error));
  if (order->background)
    return ctl_order_leave (ctl, order, job);
  return ctl_order_follow (ctl, order, job, complete, report_success);
}

/* ---- reply ---- */

static gboolean
copy_out (int fd, GError **error)
{
  char buffer[65536];
  ssize_t count;

  while ((count = read (fd, buffer, sizeof buffer)) > 0)
    if (fwrite (buffer, 1, (gsize) count, stdout) != (gsize) count)
      break;
  if (count == 0 && fflush (stdout) == 0)
    return TRUE;
  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_FAILED, "the reply could not be copied");
  return FALSE;
}

int
ctl_run_reply (Ctl *ctl, int n, char **arguments)
{
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (TransferJob) job = NULL;
  g_autoptr (GError) error = NULL;
  gboolean copied;
  int fd;

  (void) n;
  job = ctl_find_job (ctl, arguments[0], &error);
  if (job == NULL)
    return ctl_fail_error (ctl, NULL, g_steal_pointer (&error));
  transfer_job_open_reply_async (job, NULL, ctl_async_cb, &result);
  ctl_await (&result);
  fd = transfer_job_open_reply_finish (job, result, &error);
  if (fd < 0)
    return ctl_fail_error (ctl, arguments[0], g_steal_pointer (&error));
  copied = copy_out (fd, &error);
  g_close (fd, NULL);
  return copied ? CTL_OK : ctl_fail (ctl, "%s: %s", arguments[0], error->message);
}
