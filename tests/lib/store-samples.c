/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Store samples: a state directory of one test, records with every field set, and comparisons. */
#include "store-samples.h"

#include <glib/gstdio.h>
#include <stdlib.h>
#include <string.h>

void
store_set_up (StoreFixture *self, gconstpointer data G_GNUC_UNUSED)
{
  self->dir = g_dir_make_tmp ("transferd-store-XXXXXX", NULL);
  self->database = g_build_filename (self->dir, TFD_STORE_FILE, NULL);
  g_assert_nonnull (self->dir);
}

void
store_tear_down (StoreFixture *self, gconstpointer data G_GNUC_UNUSED)
{
  g_clear_pointer (&self->store, tfd_store_close);

  g_auto (GStrv) names = store_list_dir (self, "");
  for (guint i = 0; names[i] != NULL; i++)
    {
      g_autofree char *path = g_build_filename (self->dir, names[i], NULL);

      g_assert_cmpint (g_unlink (path), ==, 0);
    }
  g_assert_cmpint (g_rmdir (self->dir), ==, 0);
  g_free (self->dir);
  g_free (self->database);
}

void
store_reopen (StoreFixture *self)
{
  g_autoptr (GError) error = NULL;

  g_clear_pointer (&self->store, tfd_store_close);
  self->store = tfd_store_open (self->dir, &error);
  g_assert_no_error (error);
  g_assert_nonnull (self->store);
}

static int
compare_names (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const char *const *) a, *(const char *const *) b);
}

char **
store_list_dir (StoreFixture *self, const char *prefix)
{
  g_autoptr (GDir) dir = g_dir_open (self->dir, 0, NULL);
  GPtrArray *names = g_ptr_array_new ();

  for (const char *name = g_dir_read_name (dir); name != NULL; name = g_dir_read_name (dir))
    if (g_str_has_prefix (name, prefix))
      g_ptr_array_add (names, g_strdup (name));
  g_ptr_array_sort (names, compare_names);
  g_ptr_array_add (names, NULL);
  return (char **) g_ptr_array_free (names, FALSE);
}

/* A dictionary that holds @number. */
static GVariant *
sample_dictionary (guint number)
{
  GVariantDict dict;

  g_variant_dict_init (&dict, NULL);
  g_variant_dict_insert (&dict, "number", "u", number);
  g_variant_dict_insert (&dict, "path", "^ay", "/b\xff");
  return g_variant_ref_sink (g_variant_dict_end (&dict));
}

TfdJobRecord *
sample_job (guint number)
{
  TfdJobRecord *job = tfd_job_record_new ();

  job->id = g_strdup_printf ("%032x", number);
  job->type = (TfdJobType) (number % 3);
  job->state = (TfdJobState) (number % TFD_N_JOB_STATES);
  job->operation = (TfdOperation) (number % 3);
  job->operation_options = number % 2 == 1 ? sample_dictionary (number) : NULL;
  job->owner_uid = number % 5 == 0 ? G_MAXUINT32 - 1 : 1000 + number % 2;
  job->owner_name = g_strdup_printf ("user%u", number);
  g_free (job->properties->display_name);
  job->properties->display_name = g_strdup_printf ("Job %u ‘ü’", number);
  job->properties->maximum_size = G_MAXUINT64 - number;
  job->properties->priority = (TfdPriority) (number % 4);
  job->creation_time = 1700000000000000 + number;
  job->modification_time = 1700000001000000 + number;
  job->completion_time = number % 2 == 1 ? 1700000002000000 + number : 0;
  job->failure.code = (TfdErrorCode) (number % TFD_N_ERRORS);
  job->failure.context = (TfdErrorContext) (number % 7);
  job->failure.transient = number % 2 == 1;
  job->failure.file = G_MAXUINT32 - number % 2;
  job->failure.http_status = 500 + number;
  job->failure.retry_after = G_MAXUINT64 - number;
  job->failure.message = number % 2 == 1 ? g_strdup_printf ("message %u", number) : NULL;
  job->error_count = number + 1;
  job->retry_attempt = number + 2;
  job->retry_at = number + 3;
  job->boot_id = number % 3 != 0 ? g_strdup_printf ("%032x", number + 77) : NULL;
  job->no_progress_since = number + 4;
  job->active_time = number + 5;
  job->last_activity = number + 6;
  job->resumed = number % 2 == 1;
  job->files_total = G_MAXUINT32 - number;
  job->files_transferred = number + 7;
  job->bytes_total = G_MAXUINT64 - number % 2;
  job->bytes_transferred = number + 8;
  job->counts = number % 3 != 2;
  job->gone_since = number % 2 == 1 ? 1700000003000000 + number : 0;
  g_free (job->sandbox);
  job->sandbox = g_strdup (number % 2 == 1 ? "flatpak:org.example.App" : "");
  return job;
}

TfdFileRecord *
sample_file (guint number)
{
  TfdFileRecord *file = tfd_file_record_new ();

  file->index = number;
  file->url = g_strdup_printf ("https://example.org/%u", number);
  file->path = g_strdup_printf ("/home/user/\xfe\xff/%u", number); /* no UTF-8 */
  file->options = number % 4 == 3 ? NULL : sample_dictionary (number);
  if (number % 4 == 2)
    {
      /* an empty dictionary is not the same as none */
      g_variant_unref (file->options);
      file->options = g_variant_ref_sink (g_variant_new ("a{sv}", NULL));
    }
  file->state = (TfdFileState) (number % 6);
  file->transferred = number * G_GUINT64_CONSTANT (5000000000);
  file->total = number % 2 == 0 ? G_MAXUINT64 : number;
  file->attempt = number % 3;
  file->part = number % 2 == 1 ? sample_dictionary (number + 9) : NULL;
  file->directory = number % 2 == 1 ? g_bytes_new (&number, sizeof number) : NULL;
  if (number % 6 == 4)
    file->directory = g_bytes_new (NULL, 0);
  file->target = number % 3 == 1 ? g_strdup_printf ("/home/\xff (%u)", number) : NULL;
  return file;
}

GPtrArray *
sample_files (guint first, guint count)
{
  GPtrArray *files = g_ptr_array_new_with_free_func ((GDestroyNotify) tfd_file_record_free);

  for (guint i = 0; i < count; i++)
    g_ptr_array_add (files, sample_file (first + i));
  return files;
}

TfdTombstone *
sample_tombstone (guint number, guint32 uid)
{
  TfdTombstone *tombstone = tfd_tombstone_new ();

  tombstone->id = g_strdup_printf ("%032x", number);
  tombstone->owner_uid = uid;
  g_free (tombstone->sandbox);
  tombstone->sandbox = g_strdup (number % 4 == 1 ? "flatpak:org.example.App" : "");
  tombstone->type = (TfdJobType) (number % 3);
  tombstone->result = (TfdResult) (number % 4);
  tombstone->display_name = g_strdup_printf ("Job %u", number);
  tombstone->ended = 1700000000000000 + number;
  tombstone->error_name = number % 2 == 1 ? g_strdup ("org.example.Error") : NULL;
  tombstone->kept_count = number + 1;
  tombstone->discarded_count = number + 2;
  if (number % 2 == 1)
    tombstone->undeleted = g_strsplit ("/a\xff:/b", ":", -1);
  if (number % 2 == 1)
    tombstone->kept = g_variant_ref_sink (g_variant_new_parsed ("[(@u 0, '/a'), (1, '/b')]"));
  if (number % 3 == 1)
    tombstone->discarded = g_variant_ref_sink (g_variant_new ("a(us)", NULL));
  return tombstone;
}

TfdLeftover *
sample_leftover (guint number, guint32 uid)
{
  TfdLeftover *leftover = tfd_leftover_new ();

  leftover->owner_uid = uid;
  leftover->owner_name = g_strdup_printf ("user%u", uid);
  leftover->job_id = g_strdup_printf ("%032x", number);
  leftover->index = number;
  leftover->attempt = number + 1;
  leftover->path = g_strdup_printf ("/home/\xff/%u", number);
  leftover->part = number % 2 == 1 ? sample_dictionary (number) : NULL;
  leftover->directory = number % 2 == 0 ? g_bytes_new (&number, sizeof number) : NULL;
  leftover->created = 1700000000000000 + number;
  leftover->last_try = 1700000001000000 + number;
  if (number >= 100)
    {
      leftover->kind = TFD_LEFTOVER_SESSION;
      leftover->url = g_strdup_printf ("https://example.org/%u", number);
      leftover->options = number % 2 == 1 ? sample_dictionary (number) : NULL;
      leftover->boot_id = g_strdup_printf ("boot%u", number);
      leftover->since = 5000000000 + number;
      leftover->span = 6000000000 + number;
    }
  return leftover;
}

static void
assert_same_variant (GVariant *left, GVariant *right)
{
  g_assert_true ((left == NULL) == (right == NULL));
  if (left != NULL)
    g_assert_cmpvariant (left, right);
}

static void
assert_same_bytes (GBytes *left, GBytes *right)
{
  g_assert_true ((left == NULL) == (right == NULL));
  if (left != NULL)
    g_assert_true (g_bytes_equal (left, right));
}

static void
assert_same_failure (const TfdFailure *left, const TfdFailure *right)
{
  g_assert_cmpint (left->code, ==, right->code);
  g_assert_cmpint (left->context, ==, right->context);
  g_assert_cmpint (left->transient, ==, right->transient);
  g_assert_cmpuint (left->file, ==, right->file);
  g_assert_cmpuint (left->http_status, ==, right->http_status);
  g_assert_cmpuint (left->retry_after, ==, right->retry_after);
  g_assert_cmpstr (left->message, ==, right->message);
}

void
assert_same_job (const TfdJobRecord *left, const TfdJobRecord *right)
{
  GVariant *secrets = tfd_job_properties_serialize_secrets (left->properties);
  GVariant *other_secrets = tfd_job_properties_serialize_secrets (right->properties);
  g_autoptr (GVariant) properties =
      g_variant_ref_sink (tfd_job_properties_serialize (left->properties));
  g_autoptr (GVariant) other =
      g_variant_ref_sink (tfd_job_properties_serialize (right->properties));

  assert_same_variant (secrets, other_secrets);
  g_clear_pointer (&secrets, g_variant_unref);
  g_clear_pointer (&other_secrets, g_variant_unref);
  g_assert_cmpstr (left->id, ==, right->id);
  g_assert_cmpint (left->type, ==, right->type);
  g_assert_cmpint (left->state, ==, right->state);
  g_assert_cmpint (left->operation, ==, right->operation);
  assert_same_variant (left->operation_options, right->operation_options);
  g_assert_cmpuint (left->owner_uid, ==, right->owner_uid);
  g_assert_cmpstr (left->owner_name, ==, right->owner_name);
  assert_same_variant (properties, other);
  g_assert_cmpint (left->creation_time, ==, right->creation_time);
  g_assert_cmpint (left->modification_time, ==, right->modification_time);
  g_assert_cmpint (left->completion_time, ==, right->completion_time);
  assert_same_failure (&left->failure, &right->failure);
  g_assert_cmpuint (left->error_count, ==, right->error_count);
  g_assert_cmpuint (left->retry_attempt, ==, right->retry_attempt);
  g_assert_cmpint (left->retry_at, ==, right->retry_at);
  g_assert_cmpstr (left->boot_id, ==, right->boot_id);
  g_assert_cmpint (left->no_progress_since, ==, right->no_progress_since);
  g_assert_cmpuint (left->active_time, ==, right->active_time);
  g_assert_cmpint (left->last_activity, ==, right->last_activity);
  g_assert_cmpint (left->resumed, ==, right->resumed);
  g_assert_cmpuint (left->files_total, ==, right->files_total);
  g_assert_cmpuint (left->files_transferred, ==, right->files_transferred);
  g_assert_cmpuint (left->bytes_total, ==, right->bytes_total);
  g_assert_cmpuint (left->bytes_transferred, ==, right->bytes_transferred);
  g_assert_cmpint (left->counts, ==, right->counts);
  g_assert_cmpint (left->gone_since, ==, right->gone_since);
  g_assert_cmpstr (left->sandbox, ==, right->sandbox);
}

void
assert_same_file (const TfdFileRecord *left, const TfdFileRecord *right)
{
  g_assert_cmpuint (left->index, ==, right->index);
  g_assert_cmpstr (left->url, ==, right->url);
  g_assert_cmpstr (left->path, ==, right->path);
  assert_same_variant (left->options, right->options);
  /* what is being fetched is so only while somebody fetches it */
  g_assert_cmpint (left->state, ==,
                   right->state == TFD_FILE_STATE_TRANSFERRING ? TFD_FILE_STATE_WAITING
                                                               : right->state);
  g_assert_cmpuint (left->transferred, ==, right->transferred);
  g_assert_cmpuint (left->total, ==, right->total);
  g_assert_cmpuint (left->attempt, ==, right->attempt);
  assert_same_variant (left->part, right->part);
  assert_same_bytes (left->directory, right->directory);
  g_assert_cmpstr (left->target, ==, right->target);
}

void
assert_same_files (GPtrArray *left, GPtrArray *right)
{
  g_assert_cmpuint (left->len, ==, right->len);
  for (guint i = 0; i < left->len; i++)
    assert_same_file (left->pdata[i], right->pdata[i]);
}

void
assert_same_tombstone (const TfdTombstone *left, const TfdTombstone *right)
{
  g_assert_cmpstr (left->id, ==, right->id);
  g_assert_cmpuint (left->owner_uid, ==, right->owner_uid);
  g_assert_cmpstr (left->sandbox, ==, right->sandbox);
  g_assert_cmpint (left->type, ==, right->type);
  g_assert_cmpint (left->result, ==, right->result);
  g_assert_cmpstr (left->display_name, ==, right->display_name);
  g_assert_cmpint (left->ended, ==, right->ended);
  g_assert_cmpstr (left->error_name, ==, right->error_name);
  g_assert_cmpuint (left->kept_count, ==, right->kept_count);
  g_assert_cmpuint (left->discarded_count, ==, right->discarded_count);
  g_assert_true ((left->undeleted == NULL) == (right->undeleted == NULL));
  if (left->undeleted != NULL)
    g_assert_cmpstrv (left->undeleted, right->undeleted);
  assert_same_variant (left->kept, right->kept);
  assert_same_variant (left->discarded, right->discarded);
}

void
assert_same_leftover (const TfdLeftover *left, const TfdLeftover *right)
{
  g_assert_cmpint (left->id, ==, right->id);
  g_assert_cmpuint (left->owner_uid, ==, right->owner_uid);
  g_assert_cmpstr (left->owner_name, ==, right->owner_name);
  g_assert_cmpstr (left->job_id, ==, right->job_id);
  g_assert_cmpuint (left->index, ==, right->index);
  g_assert_cmpuint (left->attempt, ==, right->attempt);
  g_assert_cmpstr (left->path, ==, right->path);
  assert_same_variant (left->part, right->part);
  assert_same_bytes (left->directory, right->directory);
  g_assert_cmpint (left->created, ==, right->created);
  g_assert_cmpint (left->last_try, ==, right->last_try);
  g_assert_cmpint (left->kind, ==, right->kind);
  g_assert_cmpstr (left->url, ==, right->url);
  assert_same_variant (left->options, right->options);
  g_assert_cmpstr (left->boot_id, ==, right->boot_id);
  g_assert_cmpint (left->since, ==, right->since);
  g_assert_cmpuint (left->span, ==, right->span);
}
