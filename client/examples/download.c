/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Downloads URL to FILE with libtransfer: create, wait, complete.
 *
 *   cc download.c $(pkg-config --cflags --libs libtransfer-1) -o download
 *
 * The job belongs to the service: when this program is killed, it goes on. */
#include <transfer/transfer.h>

typedef struct
{
  const char *url;
  char *file;
  GMainLoop *loop;
  TransferJob *job;
  gboolean completing;
  int status;
} Download;

static void
finish (Download *download, GError *error)
{
  if (error != NULL)
    g_printerr ("%s: %s\n", download->url, error->message);
  download->status = error != NULL;
  g_clear_error (&error);
  g_main_loop_quit (download->loop);
}

static void
completed_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  GError *error = NULL;

  transfer_job_complete_finish (TRANSFER_JOB (source), result, NULL, NULL, &error);
  finish (user_data, error);
}

static void
changed_cb (TransferJob *job, GVariant *changed, gpointer user_data)
{
  Download *download = user_data;

  (void) changed;
  g_print ("%s: %" G_GUINT64_FORMAT " bytes\n",
           transfer_job_state_to_string (transfer_job_get_state (job)),
           transfer_job_get_bytes_transferred (job));
  if (transfer_job_get_state (job) == TRANSFER_JOB_STATE_TRANSFERRED && !download->completing)
    {
      download->completing = TRUE;
      transfer_job_complete_async (job, NULL, NULL, completed_cb, download);
    }
  else if (transfer_job_get_state (job) == TRANSFER_JOB_STATE_ERROR)
    finish (download, transfer_job_dup_error (job));
}

static void
created_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Download *download = user_data;
  GError *error = NULL;

  download->job = transfer_client_create_job_finish (TRANSFER_CLIENT (source), result, &error);
  if (download->job == NULL)
    {
      finish (download, error);
      return;
    }
  g_signal_connect (download->job, "changed", G_CALLBACK (changed_cb), download);
  changed_cb (download->job, NULL, download);
}

static void
connected_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Download *download = user_data;
  GError *error = NULL;
  g_autoptr (TransferClient) client = transfer_client_new_finish (result, &error);
  GVariantDict options;
  GVariant *entry;

  (void) source;
  if (client == NULL)
    {
      finish (download, error);
      return;
    }
  entry = transfer_file_entry (download->url, download->file, NULL);
  g_variant_dict_init (&options, NULL);
  g_variant_dict_insert_value (&options, "files", g_variant_new_array (NULL, &entry, 1));
  g_variant_dict_insert (&options, "start", "b", TRUE);
  transfer_client_create_job_async (client, "Example", TRANSFER_JOB_TYPE_DOWNLOAD,
                                    g_variant_dict_end (&options), NULL, created_cb, download);
}

int
main (int argc, char **argv)
{
  Download download = { .status = 1 };

  if (argc != 3)
    {
      g_printerr ("usage: %s URL FILE\n", argv[0]);
      return 2;
    }
  download.url = argv[1];
  download.file = g_canonicalize_filename (argv[2], NULL);
  download.loop = g_main_loop_new (NULL, FALSE);
  transfer_client_new_async (NULL, NULL, connected_cb, &download);
  g_main_loop_run (download.loop);
  g_clear_object (&download.job);
  g_main_loop_unref (download.loop);
  g_free (download.file);
  return download.status;
}
