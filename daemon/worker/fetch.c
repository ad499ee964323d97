/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Fetch: the worker run by hand, without a daemon: one run with one file, then its final name. */
#include "config.h"
#include "worker/fetch.h"

#include "common/names.h"
#include "common/packed.h"
#include "common/url.h"
#include "worker/discard.h"
#include "worker/failure.h"
#include "worker/finalize.h"
#include "worker/runs.h"

#include <glib-unix.h>
#include <signal.h>
#include <sys/stat.h>

#define RUN 1

typedef struct
{
  GMainLoop *loop;
  GVariant *part; /* (owned) (nullable) the record of the finished temporary */
  char *message;  /* (owned) (nullable) why not */
} Fetch;

static void
connected_cb (G_GNUC_UNUSED guint64 run, G_GNUC_UNUSED gpointer user_data)
{
}

static void
progress_cb (GVariant *runs, G_GNUC_UNUSED gpointer user_data)
{
  g_autoptr (GVariant) owner = g_variant_ref_sink (runs);
  guint64 present, total;

  for (gsize i = 0; i < g_variant_n_children (owner); i++)
    {
      g_autoptr (GVariant) run = g_variant_get_child_value (owner, i);
      g_autoptr (GVariant) files = g_variant_get_child_value (run, 1);

      if (g_variant_n_children (files) == 0)
        continue;
      g_variant_get_child (files, 0, "(utt)", NULL, &present, &total);
      g_autofree char *present_text = g_format_size (present);
      g_autofree char *total_text =
          total != TFD_SIZE_UNKNOWN ? g_format_size (total) : g_strdup ("?");
      g_printerr ("\r%s of %s    ", present_text, total_text);
    }
}

static void
parts_cb (G_GNUC_UNUSED guint64 run, GVariant *parts, G_GNUC_UNUSED gpointer user_data)
{
  g_variant_unref (g_variant_ref_sink (parts));
}

static void
files_done_cb (G_GNUC_UNUSED guint64 run, GVariant *files, gpointer user_data)
{
  g_autoptr (GVariant) owner = g_variant_ref_sink (files);
  Fetch *fetch = user_data;

  TfdUnpacker from;

  tfd_unpacker_init (&from, g_variant_get_data (owner), g_variant_get_size (owner));
  tfd_unpack_uint32 (&from);
  tfd_unpack_uint64 (&from);
  g_autoptr (GBytes) part = tfd_unpack_copy (&from);
  fetch->part = g_variant_ref_sink (g_variant_new_from_bytes (G_VARIANT_TYPE_VARDICT, part, FALSE));
  g_main_loop_quit (fetch->loop);
}

static void
failed_cb (G_GNUC_UNUSED guint64 run,
           G_GNUC_UNUSED guint32 file,
           GVariant *error,
           gpointer user_data)
{
  g_autoptr (GVariant) owner = g_variant_ref_sink (error);
  Fetch *fetch = user_data;

  g_variant_lookup (owner, "message", "s", &fetch->message);
  g_main_loop_quit (fetch->loop);
}

static void
event_cb (G_GNUC_UNUSED guint64 run,
          G_GNUC_UNUSED guint32 file,
          const char *kind,
          GVariant *details,
          gpointer user_data)
{
  Fetch *fetch = user_data;

  g_variant_unref (g_variant_ref_sink (details));
  if (g_str_equal (kind, "part-replaced") || g_str_equal (kind, "part-missing"))
    {
      fetch->message = g_strdup (g_str_equal (kind, "part-missing")
                                     ? "the temporary is gone"
                                     : "something foreign stands under the temporary's name");
      g_main_loop_quit (fetch->loop);
    }
}

static void
idle_cb (G_GNUC_UNUSED gpointer user_data)
{
}

static gboolean
interrupted_cb (gpointer user_data)
{
  Fetch *fetch = user_data;

  if (fetch->message == NULL)
    fetch->message = g_strdup ("interrupted");
  g_main_loop_quit (fetch->loop);

  return G_SOURCE_CONTINUE;
}

static const TfdNews news = {
  .connected = connected_cb,
  .progress = progress_cb,
  .parts = parts_cb,
  .files_done = files_done_cb,
  .failed = failed_cb,
  .event = event_cb,
  .idle = idle_cb,
};

static GVariant *
files_of (const char *url, const char *path, GVariant *part, const char *state)
{
  GVariantBuilder builder = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE ("a(ua{sv})"));
  GVariantDict dict;

  g_variant_dict_init (&dict, NULL);
  g_variant_dict_insert (&dict, "url", "s", url);
  g_variant_dict_insert_value (&dict, "path", tfd_path_to_variant (path));
  g_variant_dict_insert (&dict, "state", "s", state);
  if (part != NULL)
    g_variant_dict_insert_value (&dict, "part", part);
  g_variant_builder_add (&builder, "(u@a{sv})", 0, g_variant_dict_end (&dict));

  return g_variant_ref_sink (g_variant_builder_end (&builder));
}

/* Gives the finished temporary its final name, or unlinks an unfinished one. */
static char *
conclude (Fetch *fetch, const char *job, const char *url, const char *path)
{
  g_autoptr (GVariant) files =
      files_of (url, path, fetch->part, fetch->part != NULL ? "transferred" : "waiting");
  g_autoptr (GVariant) options = g_variant_ref_sink (g_variant_new ("a{sv}", NULL));
  g_autoptr (GPtrArray) list = tfd_files_new (files, NULL);
  g_autoptr (TfdOwned) owned = tfd_owned_new ();
  g_autoptr (GVariant) results = NULL;
  g_autoptr (GVariant) details = NULL;
  g_autoptr (GError) error = NULL;
  const char *result;
  char *message = NULL;

  if (fetch->part == NULL)
    {
      g_variant_unref (g_variant_ref_sink (tfd_discard (job, list)));
      return g_strdup (fetch->message);
    }

  results = tfd_finalize (job, options, list, owned, &error);
  if (results == NULL)
    return g_strdup (error->message);

  g_variant_ref_sink (results);
  g_variant_get_child (results, 0, "(u&s@a{sv})", NULL, &result, &details);
  if (!g_str_equal (result, "renamed") && !g_variant_lookup (details, "message", "s", &message))
    message = g_strdup (result);

  return message;
}

int
tfd_fetch (const char *url, const char *path)
{
  g_autofree char *absolute = g_canonicalize_filename (path, NULL);
  g_autofree char *job = tfd_job_id_new ();
  g_autoptr (GMainLoop) loop = g_main_loop_new (NULL, FALSE);
  g_autoptr (GVariant) files = NULL;
  g_autoptr (GVariant) options = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *message = NULL;
  Fetch fetch = { .loop = loop };
  mode_t mask = umask (0);
  TfdRuns *runs;

  if (!tfd_url_check (url, &error) || !tfd_path_check (absolute, &error))
    {
      g_printerr ("transferd-worker: %s\n", error->message);
      return 2;
    }

  /* No temporary stays behind: nobody would know what it was good for. */
  g_unix_signal_add (SIGINT, interrupted_cb, &fetch);
  g_unix_signal_add (SIGTERM, interrupted_cb, &fetch);
  runs = tfd_runs_new (&news, &fetch);
  files = files_of (url, absolute, NULL, "waiting");
  options = g_variant_ref_sink (
      g_variant_new_parsed ("@a{sv} {'foreground': <true>, 'umask': <%u>}", (guint32) mask));
  if (tfd_runs_start (runs, RUN, job, options, files, &error))
    g_main_loop_run (loop);
  else
    fetch.message = g_strdup (error->message);
  tfd_runs_free (runs);

  message = conclude (&fetch, job, url, absolute);
  g_printerr ("\n");
  if (message != NULL)
    g_printerr ("transferd-worker: %s\n", message);
  g_clear_pointer (&fetch.part, g_variant_unref);
  g_free (fetch.message);

  return message != NULL ? 1 : 0;
}
