/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Attached: what was handed in and is kept, by job. */
#include "config.h"
#include "worker/attached.h"

#include "worker/identity.h"
#include "worker/upload-source.h"

#include <fcntl.h>
#include <unistd.h>

struct _TfdAttached
{
  GHashTable *jobs; /* (owned) job id to (owned) GPtrArray of Kept */
  guint in_all;
};

typedef struct
{
  TfdDirectory *directory; /* (owned) (nullable) */
  int fd;                  /* of a file that is sent, or -1 */
  GBytes *identity;        /* (owned) */
} Kept;

static void
kept_free (gpointer data)
{
  Kept *kept = data;

  g_clear_pointer (&kept->directory, tfd_directory_unref);
  if (kept->fd >= 0)
    close (kept->fd);
  g_bytes_unref (kept->identity);
  g_free (kept);
}

TfdAttached *
tfd_attached_new (void)
{
  TfdAttached *attached = g_new0 (TfdAttached, 1);

  attached->jobs =
      g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify) g_ptr_array_unref);
  return attached;
}

void
tfd_attached_free (TfdAttached *attached)
{
  g_hash_table_unref (attached->jobs);
  g_free (attached);
}

static gboolean
is_same (const Kept *kept, GBytes *identity)
{
  if (g_bytes_equal (kept->identity, identity))
    return TRUE;
  return kept->directory != NULL ? tfd_identity_same (identity, kept->identity)
                                 : tfd_upload_identity_is_of_file (identity, kept->identity);
}

static Kept *
find (GPtrArray *of_job, GBytes *identity)
{
  for (guint i = 0; of_job != NULL && identity != NULL && i < of_job->len; i++)
    {
      Kept *kept = of_job->pdata[i];

      if (is_same (kept, identity))
        return kept;
    }
  return NULL;
}

static gboolean
check_limits (TfdAttached *attached, const GPtrArray *of_job, GError **error)
{
  if (of_job->len >= TFD_ATTACHED_PER_JOB)
    {
      g_set_error (error, TFD_ERROR, TFD_ERROR_LIMITS_EXCEEDED,
                   "%u directories and files were handed in for this job, at most %d are kept",
                   of_job->len, TFD_ATTACHED_PER_JOB);
      return FALSE;
    }
  if (attached->in_all >= TFD_ATTACHED_IN_ALL)
    {
      g_set_error (error, TFD_ERROR, TFD_ERROR_LIMITS_EXCEEDED,
                   "%u directories and files were handed in for your jobs, at most %d are kept",
                   attached->in_all, TFD_ATTACHED_IN_ALL);
      return FALSE;
    }
  return TRUE;
}

gboolean
tfd_attached_keep (TfdAttached *attached, const char *job, TfdHandedIn *handed_in, GError **error)
{
  GPtrArray *of_job = g_hash_table_lookup (attached->jobs, job);
  Kept *kept;

  if (of_job == NULL)
    {
      of_job = g_ptr_array_new_with_free_func (kept_free);
      g_hash_table_insert (attached->jobs, g_strdup (job), of_job);
    }
  kept = find (of_job, handed_in->identity);
  if (kept != NULL)
    {
      /* the newer one is as good, and whoever handed it in knows it by its present path */
      g_ptr_array_remove (of_job, kept);
      attached->in_all--;
    }
  if (!check_limits (attached, of_job, error))
    return FALSE;

  kept = g_new0 (Kept, 1);
  kept->fd = -1;
  kept->identity = g_bytes_ref (handed_in->identity);
  if (handed_in->regular)
    kept->fd = handed_in->fd;
  else
    kept->directory =
        tfd_directory_new_for_fd (handed_in->fd, handed_in->path, handed_in->identity);
  handed_in->fd = -1;
  g_ptr_array_add (of_job, kept);
  attached->in_all++;
  return TRUE;
}

/* What @file is in, or for a file that was handed in itself, what it is. */
static GBytes *
place_of (const TfdFile *file)
{
  return file->attached_to != NULL ? file->attached_to : tfd_file_expected_directory (file);
}

static void
resolve_one (GPtrArray *of_job, TfdFile *file)
{
  const Kept *kept = file->attached ? find (of_job, place_of (file)) : NULL;

  if (kept != NULL && kept->directory != NULL)
    file->kept = tfd_directory_ref (kept->directory);
  else if (kept != NULL)
    file->kept_fd = fcntl (kept->fd, F_DUPFD_CLOEXEC, 3);
  if (file->reply != NULL)
    resolve_one (of_job, file->reply);
}

void
tfd_attached_resolve (TfdAttached *attached, const char *job, GPtrArray *files)
{
  GPtrArray *of_job = g_hash_table_lookup (attached->jobs, job);

  for (guint i = 0; of_job != NULL && i < files->len; i++)
    resolve_one (of_job, files->pdata[i]);
}

void
tfd_attached_forget (TfdAttached *attached, const char *job)
{
  GPtrArray *of_job = g_hash_table_lookup (attached->jobs, job);

  if (of_job == NULL)
    return;
  attached->in_all -= of_job->len;
  g_hash_table_remove (attached->jobs, job);
}

TfdDirectory *
tfd_attached_directory (const TfdFile *file, GHashTable *cache, TfdFailure *failure)
{
  GBytes *expected = place_of (file);
  TfdDirectory *directory;
  g_autofree char *key = NULL;

  if (file->kept != NULL && tfd_directory_exists (file->kept))
    return tfd_directory_ref (file->kept);
  if (!file->attached)
    return cache != NULL ? tfd_directory_cache_get (cache, file->directory, expected, failure)
                         : tfd_directory_open (file->directory, expected, failure);
  if (cache == NULL)
    return tfd_directory_find_again (file->directory, expected, failure);

  /* a path begins with a slash: this is none */
  key = g_strconcat ("attached:", file->directory, NULL);
  directory = g_hash_table_lookup (cache, key);
  if (directory != NULL && expected != NULL && tfd_directory_exists (directory) &&
      tfd_identity_same (expected, directory->identity))
    return tfd_directory_ref (directory);
  directory = tfd_directory_find_again (file->directory, expected, failure);
  if (directory != NULL)
    g_hash_table_replace (cache, g_steal_pointer (&key), tfd_directory_ref (directory));
  return directory;
}
