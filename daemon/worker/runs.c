/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Runs: all that is being transferred for one user. */
#include "config.h"
#include "worker/run.h"

#include "common/names.h"
#include "worker/buffer.h"
#include "worker/login.h"
#include "worker/session.h"

#include <string.h>
#include <sys/resource.h>

#define MAX_CONNECTIONS 64
#define MAX_CONNECTIONS_PER_HOST 6
#define MAX_OPEN_FILES 1536
#define POOL_THREADS 4
#define WRITER_THREADS (TFD_LARGE_BUFFERS / 2 + 1) /* each large file has one; the small ones */
#define HASHER_THREADS 8
#define TICK_MSEC 250
#define FEW_HOSTS 16
#define NEWS_MSEC 100

/* What comes before the path of @url. */
static gsize
origin_length (const char *url)
{
  const char *authority = strstr (url, "://");

  return authority != NULL ? (gsize) (authority + 3 - url) + strcspn (authority + 3, "/?#") : 0;
}

TfdHost *
tfd_runs_get_host (TfdRuns *runs, const char *url)
{
  gsize length = origin_length (url);
  g_autofree char *name = NULL;
  const char *key;
  TfdHost *host;

  /* Files that come together are mostly of one server. */
  if (length > 0 && runs->last_host != NULL && strncmp (runs->last_origin, url, length) == 0 &&
      runs->last_origin[length] == '\0')
    return runs->last_host;

  name = tfd_session_host (url);
  key = name != NULL ? name : "";
  host = g_hash_table_lookup (runs->hosts, key);
  if (host == NULL)
    {
      host = g_new0 (TfdHost, 1);
      host->name = g_strdup (key);
      g_hash_table_insert (runs->hosts, host->name, host);
    }
  g_free (runs->last_origin);
  runs->last_origin = g_strndup (url, length);
  runs->last_host = host;

  return host;
}

static void
host_free (TfdHost *host)
{
  g_free (host->name);
  g_free (host);
}

/* The background never has all of them, neither to a host nor in all: nobody waits in the
 * foreground for a file of the background to end. */
static gboolean
has_room (const TfdRuns *runs, const TfdHost *host, gboolean background)
{
  return runs->connections < MAX_CONNECTIONS && host->used < MAX_CONNECTIONS_PER_HOST &&
         runs->open_files < runs->max_open_files &&
         !(background && (runs->in_background >= MAX_CONNECTIONS - 1 ||
                          host->in_background >= MAX_CONNECTIONS_PER_HOST - 1));
}

gboolean
tfd_runs_may_connect (TfdRuns *runs, gboolean background)
{
  GHashTableIter iter;
  gpointer host;

  /* so many would take longer than looking at the files */
  if (g_hash_table_size (runs->hosts) > FEW_HOSTS)
    return TRUE;

  g_hash_table_iter_init (&iter, runs->hosts);
  while (g_hash_table_iter_next (&iter, NULL, &host))
    if (has_room (runs, host, background))
      return TRUE;
  return FALSE;
}

gboolean
tfd_runs_take_connection (TfdRuns *runs, TfdHost *host, gboolean background)
{
  if (!has_room (runs, host, background))
    return FALSE;

  host->used++;
  runs->connections++;
  host->in_background += background != FALSE;
  runs->in_background += background != FALSE;

  return TRUE;
}

void
tfd_runs_give_connection (TfdRuns *runs, TfdHost *host, gboolean background)
{
  host->used--;
  runs->connections--;
  host->in_background -= background != FALSE;
  runs->in_background -= background != FALSE;
  tfd_runs_pump_later (runs);
}

static gboolean
tick_cb (gpointer user_data)
{
  TfdRuns *runs = user_data;
  gint64 now = g_get_monotonic_time ();
  gboolean fetching = FALSE;

  for (guint i = 0; i < runs->runs->len; i++)
    {
      tfd_run_tick (runs->runs->pdata[i], now);
      fetching |= tfd_run_is_fetching (runs->runs->pdata[i]);
    }
  tfd_runs_tell_progress (runs, NULL);

  if (fetching)
    return G_SOURCE_CONTINUE;

  runs->tick_source = 0;
  return G_SOURCE_REMOVE;
}

/* The runs stand in a row: the first for which there is room starts one file, and goes to the end
 * of it. FALSE when there is no room for any. */
static gboolean
start_next (TfdRuns *runs)
{
  guint at;

  for (guint i = 0; i < runs->runs->len; i++)
    {
      TfdRun *run = runs->runs->pdata[i];

      if (!tfd_run_start_one (run))
        continue;
      if (g_ptr_array_find (runs->runs, run, &at))
        g_ptr_array_add (runs->runs, g_ptr_array_steal_index (runs->runs, at));
      return TRUE;
    }
  return FALSE;
}

static gboolean
pump_cb (gpointer user_data)
{
  TfdRuns *runs = user_data;
  gboolean fetching = FALSE;

  runs->pump_source = 0;
  while (start_next (runs))
    ;

  for (guint i = 0; i < runs->runs->len; i++)
    fetching |= tfd_run_is_fetching (runs->runs->pdata[i]);
  if (fetching && runs->tick_source == 0)
    runs->tick_source = g_timeout_add (TICK_MSEC, tick_cb, runs);

  /* Nobody else will join the group, or nobody can before it is done. */
  if (!fetching || runs->open_files >= runs->max_open_files)
    tfd_sync_flush (runs->sync);

  return G_SOURCE_REMOVE;
}

void
tfd_runs_pump_later (TfdRuns *runs)
{
  if (runs->pump_source == 0)
    runs->pump_source = g_idle_add_full (G_PRIORITY_DEFAULT, pump_cb, runs, NULL);
}

static gboolean
news_cb (gpointer user_data)
{
  TfdRuns *runs = user_data;

  runs->news_source = 0;
  runs->news_time = g_get_monotonic_time ();
  for (guint i = 0; i < runs->runs->len; i++)
    tfd_run_tell (runs->runs->pdata[i]);

  return G_SOURCE_REMOVE;
}

void
tfd_runs_tell_soon (TfdRuns *runs)
{
  gint64 due = runs->news_time / 1000 + NEWS_MSEC - g_get_monotonic_time () / 1000;

  if (runs->news_source == 0)
    runs->news_source = g_timeout_add ((guint) CLAMP (due, 0, NEWS_MSEC), news_cb, runs);
}

void
tfd_runs_tell_progress (TfdRuns *runs, TfdRun *only)
{
  g_auto (GVariantBuilder) builder = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE ("a(ta(utt))"));
  gboolean any = FALSE;

  for (guint i = 0; i < runs->runs->len; i++)
    if (only == NULL || only == runs->runs->pdata[i])
      tfd_run_add_progress (runs->runs->pdata[i], &builder, &any);

  if (any)
    runs->news->progress (g_variant_builder_end (&builder), runs->user_data);
}

static TfdRun *
find (TfdRuns *runs, guint64 number)
{
  for (guint i = 0; i < runs->runs->len; i++)
    if (tfd_run_get_number (runs->runs->pdata[i]) == number)
      return runs->runs->pdata[i];

  return NULL;
}

void
tfd_runs_remove (TfdRuns *runs, TfdRun *run)
{
  g_ptr_array_remove (runs->runs, run);
  if (runs->runs->len > 0)
    return;

  /* An open directory keeps its file system from being unmounted. */
  g_hash_table_remove_all (runs->tools.directories);
  if (runs->connections == 0)
    {
      runs->last_host = NULL;
      g_hash_table_remove_all (runs->hosts);
    }
  runs->news->idle (runs->user_data);
}

/* (transfer full) */
static TfdLogin *
read_login (TfdRuns *runs, GVariant *options)
{
  g_autoptr (GVariant) headers =
      g_variant_lookup_value (options, "headers", G_VARIANT_TYPE ("a(ss)"));
  g_autoptr (GVariant) credentials =
      g_variant_lookup_value (options, "credentials", G_VARIANT_TYPE ("a(ssss)"));

  return tfd_login_new (runs->tools.logins, headers, credentials);
}

/* An option that is a word of @type; absent: @value stays. */
static gboolean
read_word (GVariantDict *dict, const char *key, GType type, int *value, GError **error)
{
  const char *word = NULL;

  if (!g_variant_dict_lookup (dict, key, "&s", &word) || tfd_enum_from_string (type, word, value))
    return TRUE;

  g_set_error (error, TFD_ERROR, TFD_ERROR_INVALID_ARGS, "%s “%s”", key, word);
  return FALSE;
}

gboolean
tfd_run_options_read (TfdRuns *runs, GVariant *options, TfdRunOptions *result, GError **error)
{
  g_auto (GVariantDict) dict = G_VARIANT_DICT_INIT (options);
  int policy = TFD_REDIRECT_POLICY_ALLOW;
  int type = TFD_JOB_TYPE_DOWNLOAD;
  int protocol = TFD_UPLOAD_PROTOCOL_AUTO;

  result->umask = 022;
  g_variant_dict_lookup (&dict, "foreground", "b", &result->foreground);
  g_variant_dict_lookup (&dict, "dynamic-content", "b", &result->dynamic_content);
  g_variant_dict_lookup (&dict, "high-performance", "b", &result->high_performance);
  g_variant_dict_lookup (&dict, "allow-downgrade", "b", &result->allow_downgrade);
  g_variant_dict_lookup (&dict, "maximum-size", "t", &result->maximum_size);
  g_variant_dict_lookup (&dict, "keep-free", "t", &result->keep_free);
  g_variant_dict_lookup (&dict, "umask", "u", &result->umask);
  if (!read_word (&dict, "redirect-policy", TFD_TYPE_REDIRECT_POLICY, &policy, error) ||
      !read_word (&dict, "type", TFD_TYPE_JOB_TYPE, &type, error) ||
      !read_word (&dict, "upload-protocol", TFD_TYPE_UPLOAD_PROTOCOL, &protocol, error))
    return FALSE;

  result->redirect_policy = (TfdRedirectPolicy) policy;
  result->type = (TfdJobType) type;
  result->upload_protocol = (TfdUploadProtocol) protocol;
  result->login = read_login (runs, options);

  return TRUE;
}

static gboolean
check_new (TfdRuns *runs, guint64 number, const char *job, GError **error)
{
  g_autofree char *id = tfd_job_id_parse (job);

  if (g_strcmp0 (id, job) != 0)
    {
      g_set_error (error, TFD_ERROR, TFD_ERROR_INVALID_ARGS, "“%s” is no job id", job);
      return FALSE;
    }
  for (guint i = 0; i < runs->runs->len; i++)
    {
      TfdRun *other = runs->runs->pdata[i];

      if (tfd_run_get_number (other) != number && strcmp (tfd_run_get_job (other), job) != 0)
        continue;
      g_set_error (error, TFD_ERROR, TFD_ERROR_INVALID_STATE, "the job runs already");
      return FALSE;
    }

  return TRUE;
}

gboolean
tfd_runs_start (TfdRuns *runs,
                guint64 number,
                const char *job,
                GVariant *options,
                GVariant *files,
                GError **error)
{
  g_autoptr (GPtrArray) list = tfd_files_new_to_transfer (files, error);
  TfdRunOptions run_options = { 0 };
  TfdRun *run;

  if (list == NULL || !check_new (runs, number, job, error) ||
      !tfd_run_options_read (runs, options, &run_options, error))
    return FALSE;

  tfd_attached_resolve (runs->tools.attached, job, list);
  run = tfd_run_new (runs, number, job, &run_options);
  g_ptr_array_add (runs->runs, run);
  tfd_run_add_files (run, list);

  return TRUE;
}

gboolean
tfd_runs_add_files (TfdRuns *runs, guint64 number, GVariant *files, GError **error)
{
  g_autoptr (GPtrArray) list = tfd_files_new_to_transfer (files, error);
  TfdRun *run = find (runs, number);

  if (list == NULL)
    return FALSE;
  if (run != NULL)
    {
      tfd_attached_resolve (runs->tools.attached, tfd_run_get_job (run), list);
      tfd_run_add_files (run, list);
    }

  return TRUE;
}

gboolean
tfd_runs_configure (TfdRuns *runs, guint64 number, GVariant *options, GError **error)
{
  TfdRunOptions run_options = { 0 };
  TfdRun *run = find (runs, number);

  if (!tfd_run_options_read (runs, options, &run_options, error))
    return FALSE;
  if (run != NULL)
    tfd_run_configure (run, &run_options);
  else
    tfd_login_unref (run_options.login);

  return TRUE;
}

void
tfd_runs_committed (TfdRuns *runs, guint64 number, guint32 index)
{
  TfdRun *run = find (runs, number);

  if (run != NULL)
    tfd_run_committed (run, index);
}

void
tfd_runs_stop (TfdRuns *runs, guint64 number, TfdRunStopped stopped, gpointer user_data)
{
  TfdRun *run = find (runs, number);

  if (run != NULL)
    tfd_run_close (run, stopped, user_data);
  else
    stopped (g_variant_new_array (G_VARIANT_TYPE ("(ua{sv})"), NULL, 0), user_data);
}

gboolean
tfd_runs_is_idle (TfdRuns *runs)
{
  return runs->runs->len == 0;
}

TfdAttached *
tfd_runs_get_attached (TfdRuns *runs)
{
  return runs->tools.attached;
}

/* Most of the descriptors that the process may have. */
static guint
max_open_files (void)
{
  struct rlimit limit;

  if (getrlimit (RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur / 4 * 3 >= MAX_OPEN_FILES)
    return MAX_OPEN_FILES;

  return (guint) limit.rlim_cur / 4 * 3;
}

TfdRuns *
tfd_runs_new (const TfdNews *news, gpointer user_data)
{
  TfdRuns *runs = g_new0 (TfdRuns, 1);

  runs->news = news;
  runs->user_data = user_data;
  runs->max_open_files = max_open_files ();
  runs->tools.logins = tfd_logins_new ();
  runs->tools.pool = tfd_pool_new (POOL_THREADS);
  runs->tools.writers = tfd_pool_new (WRITER_THREADS);
  runs->tools.hashers = tfd_pool_new (HASHER_THREADS);
  runs->tools.small = tfd_batch_new (runs->tools.writers);
  runs->tools.directories = tfd_directory_cache_new ();
  runs->tools.attached = tfd_attached_new ();
  runs->tools.lanes = tfd_lanes_new ();
  runs->tools.protocols = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  runs->sync = tfd_sync_new (runs->tools.pool, tfd_run_synced, runs);
  runs->runs = g_ptr_array_new_with_free_func ((GDestroyNotify) tfd_run_free);
  runs->hosts = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, (GDestroyNotify) host_free);

  return runs;
}

void
tfd_runs_free (TfdRuns *runs)
{
  while (runs->runs->len > 0)
    {
      tfd_run_close (runs->runs->pdata[0], NULL, NULL);
      if (runs->runs->len > 0)
        g_main_context_iteration (NULL, TRUE);
    }
  g_clear_handle_id (&runs->pump_source, g_source_remove);
  g_clear_handle_id (&runs->tick_source, g_source_remove);
  g_clear_handle_id (&runs->news_source, g_source_remove);
  tfd_lanes_free (runs->tools.lanes);
  tfd_logins_abort (runs->tools.logins);
  g_clear_pointer (&runs->tools.small, tfd_batch_free);
  g_clear_pointer (&runs->tools.writers, tfd_pool_free);
  g_clear_pointer (&runs->tools.hashers, tfd_pool_free);
  g_clear_pointer (&runs->tools.pool, tfd_pool_free);
  g_clear_pointer (&runs->sync, tfd_sync_free);
  g_ptr_array_unref (runs->runs);
  g_hash_table_unref (runs->hosts);
  g_free (runs->last_origin);
  g_hash_table_unref (runs->tools.directories);
  tfd_attached_free (runs->tools.attached);
  g_hash_table_unref (runs->tools.protocols);
  tfd_logins_free (runs->tools.logins);
  g_free (runs);
}
