/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* What the worker does to files: temporaries made and recognised, final names, deletion, and what a
 * crash may have left. */
#include "config.h"

#include "common/names.h"
#include "worker/discard.h"
#include "worker/failure.h"
#include "worker/finalize.h"
#include "worker/identity.h"
#include "worker/partial.h"
#include "worker/sync.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define JOB "0123456789abcdef0123456789abcdef"

typedef struct
{
  char *path;
  TfdDirectory *directory;
  TfdOwned *owned;
} Fixture;

static void
set_up (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
  g_auto (TfdFailure) failure = { 0 };

  umask (0);
  fixture->path = g_dir_make_tmp ("worker-files-XXXXXX", NULL);
  fixture->directory = tfd_directory_open (fixture->path, NULL, &failure);
  g_assert_nonnull (fixture->directory);
  fixture->owned = tfd_owned_new ();
}

static char *
path_in (Fixture *fixture, const char *name)
{
  return g_build_filename (fixture->path, name, NULL);
}

static void
remove_tree (const char *path)
{
  g_autoptr (GDir) dir = g_dir_open (path, 0, NULL);
  const char *name;

  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *child = g_build_filename (path, name, NULL);

      if (g_file_test (child, G_FILE_TEST_IS_DIR) && !g_file_test (child, G_FILE_TEST_IS_SYMLINK))
        remove_tree (child);
      else
        unlink (child);
    }
  rmdir (path);
}

static void
tear_down (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
  tfd_directory_unref (fixture->directory);
  tfd_owned_unref (fixture->owned);
  remove_tree (fixture->path);
  g_free (fixture->path);
}

/* The file @name of the job; @part: what was recorded about its temporary. */
static TfdFile *
file_new (Fixture *fixture, guint32 index, const char *name, TfdPart *part)
{
  g_autofree char *path = path_in (fixture, name);
  GVariantDict dict;
  g_autoptr (GVariant) variant = NULL;
  TfdFile *file;

  g_variant_dict_init (&dict, NULL);
  g_variant_dict_insert_value (&dict, "path", tfd_path_to_variant (path));
  g_variant_dict_insert (&dict, "url", "s", "http://localhost/");
  g_variant_dict_insert (&dict, "state", "s", part != NULL ? "transferred" : "waiting");
  if (part != NULL)
    g_variant_dict_insert_value (&dict, "part", tfd_record_to_variant (part->record));
  variant = g_variant_ref_sink (g_variant_dict_end (&dict));
  file = tfd_file_new (index, variant, NULL);
  g_assert_nonnull (file);

  return file;
}

/* A finished temporary with @content. */
static TfdFile *
finished (Fixture *fixture, guint32 index, const char *name, const char *content)
{
  g_autoptr (TfdFile) plain = file_new (fixture, index, name, NULL);
  g_autoptr (TfdPart) part = NULL;
  g_auto (TfdFailure) failure = { 0 };

  g_assert_cmpint (tfd_part_open (fixture->directory, JOB, plain, 022, &part, &failure), ==,
                   TFD_PART_CREATED);
  g_assert_true (tfd_part_write (part, content, strlen (content), &failure));
  part->record->size = part->length;

  return file_new (fixture, index, name, part);
}

static char *
part_path (Fixture *fixture, const TfdFile *file)
{
  g_autofree char *name = tfd_part_name (JOB, file->index, file->attempt);

  return path_in (fixture, name);
}

static char *
content_of (Fixture *fixture, const char *name)
{
  g_autofree char *path = path_in (fixture, name);
  char *content = NULL;

  g_file_get_contents (path, &content, NULL, NULL);
  return content;
}

static void
put (Fixture *fixture, const char *name, const char *content)
{
  g_autofree char *path = path_in (fixture, name);

  g_assert_true (g_file_set_contents (path, content, -1, NULL));
}

#define assert_content(fixture, name, expected)                                                    \
  G_STMT_START                                                                                     \
  {                                                                                                \
    g_autofree char *content_ = content_of (fixture, name);                                        \
    g_assert_cmpstr (content_, ==, expected);                                                      \
  }                                                                                                \
  G_STMT_END

/* Calls Finalize for @file alone and returns its result, owned by a static buffer. */
static const char *
finalize (Fixture *fixture, TfdFile *file, const char *options)
{
  static char result[32];
  g_autoptr (GPtrArray) files = g_ptr_array_new ();
  g_autoptr (GVariant) dictionary = g_variant_ref_sink (g_variant_new_parsed (options));
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) results = NULL;
  g_autoptr (GVariant) details = NULL;
  const char *text;
  const char *message = NULL;

  g_ptr_array_add (files, file);
  results = tfd_finalize (JOB, dictionary, files, fixture->owned, &error);
  g_assert_no_error (error);
  g_variant_ref_sink (results);
  g_assert_cmpuint (g_variant_n_children (results), ==, 1);
  g_variant_get_child (results, 0, "(u&s@a{sv})", NULL, &text, &details);
  g_strlcpy (result, text, sizeof result);
  if (g_str_equal (result, "failed"))
    {
      g_assert_true (g_variant_lookup (details, "message", "&s", &message));
      g_assert_nonnull (strstr (message, fixture->path));
    }

  return result;
}

#define REPLACE "@a{sv} {}"
#define FAIL "{'overwrite': <'fail'>}"
#define KEEP_BOTH "{'overwrite': <'keep-both'>}"
#define RECOVER "{'recovering': <true>}"

static void
test_create (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
  g_autoptr (TfdFile) file = file_new (fixture, 0, "a", NULL);
  g_autoptr (TfdFile) again = NULL;
  g_autoptr (TfdPart) part = NULL;
  g_autoptr (TfdPart) reopened = NULL;
  g_auto (TfdFailure) failure = { 0 };
  struct stat st;

  g_assert_cmpint (tfd_part_open (fixture->directory, JOB, file, 027, &part, &failure), ==,
                   TFD_PART_CREATED);
  g_assert_cmpint (fstat (part->fd, &st), ==, 0);
  g_assert_cmpuint (st.st_mode & 07777, ==, 0640);
  g_assert_true (tfd_part_write (part, "hello", 5, &failure));
  g_assert_true (tfd_part_length_counts (part));

  again = file_new (fixture, 0, "a", part);
  g_assert_cmpint (tfd_part_open (fixture->directory, JOB, again, 027, &reopened, &failure), ==,
                   TFD_PART_REOPENED);
  g_assert_cmpuint (reopened->length, ==, 5);
  g_assert_true (tfd_part_length_counts (reopened));

  g_free (reopened->record->boot);
  reopened->record->boot = g_strdup ("another");
  g_assert_false (tfd_part_length_counts (reopened));
  g_assert_true (tfd_part_truncate (reopened, 2, &failure));
  g_assert_true (tfd_part_length_counts (reopened));
  g_assert_true (tfd_part_write (reopened, "y", 1, &failure));
  g_assert_cmpint (fstat (part->fd, &st), ==, 0);
  g_assert_cmpint (st.st_size, ==, 3);
}

static void
test_modes (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
  g_autoptr (TfdFile) file = file_new (fixture, 0, "a", NULL);
  g_autoptr (TfdPart) part = NULL;
  g_autoptr (TfdFile) done = NULL;
  g_autofree char *path = path_in (fixture, "a");
  g_auto (TfdFailure) failure = { 0 };
  struct stat st;

  /* Never more open than in the end. */
  file->mode = 0640;
  g_assert_cmpint (tfd_part_open (fixture->directory, JOB, file, 0, &part, &failure), ==,
                   TFD_PART_CREATED);
  g_assert_cmpint (fstat (part->fd, &st), ==, 0);
  g_assert_cmpuint (st.st_mode & 07777, ==, 0600);

  part->record->size = 0;
  part->record->mtime = G_GINT64_CONSTANT (1500000000250000);
  done = file_new (fixture, 0, "a", part);
  done->mode = 0640;
  g_assert_cmpstr (finalize (fixture, done, REPLACE), ==, "renamed");
  g_assert_cmpint (stat (path, &st), ==, 0);
  g_assert_cmpuint (st.st_mode & 07777, ==, 0640);
  g_assert_cmpint (st.st_mtim.tv_sec, ==, 1500000000);
  g_assert_cmpint (st.st_mtim.tv_nsec, ==, 250000000);
}

/* What has come in gets its time before it is synced, and has it under its final name whatever
 * happens to it meanwhile. */
static void
test_dates (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
  static const gint64 times[] = { 1500000000250000, -1, TFD_NO_TIME };

  for (guint i = 0; i < 2 * G_N_ELEMENTS (times); i++)
    {
      gint64 mtime = times[i / 2];
      gboolean meddle = i % 2 == 1;
      g_autoptr (GPtrArray) parts =
          g_ptr_array_new_with_free_func ((GDestroyNotify) tfd_part_unref);
      g_autofree char *name = g_strdup_printf ("dated-%u", i);
      g_autofree char *path = path_in (fixture, name);
      g_autoptr (TfdFile) file = file_new (fixture, i, name, NULL);
      g_autoptr (TfdFile) done = NULL;
      g_autofree char *part_name = part_path (fixture, file);
      g_auto (TfdFailure) failure = { 0 };
      TfdPart *part = NULL;
      struct timespec before, told = { 0 };
      struct stat st;
      int error_number;

      g_assert_cmpint (tfd_part_open (fixture->directory, JOB, file, 0, &part, &failure), ==,
                       TFD_PART_CREATED);
      g_ptr_array_add (parts, part);
      g_assert_true (tfd_part_write (part, "x", 1, &failure));
      part->record->size = 1;
      part->record->mtime = mtime;
      g_assert_cmpint (fstat (part->fd, &st), ==, 0);
      before = st.st_mtim;
      tfd_sync_parts (parts, &error_number);
      g_assert_cmpint (error_number, ==, 0);
      g_assert_cmpint (fstat (part->fd, &st), ==, 0);
      if (!tfd_record_get_time (part->record, &told))
        told = before;
      if (fixture->directory->file_system.births)
        g_assert_cmpmem (&st.st_mtim, sizeof st.st_mtim, &told, sizeof told);

      done = file_new (fixture, i, name, part);
      if (meddle)
        {
          struct timespec other[2] = { { .tv_sec = 1 }, { .tv_sec = 2 } };

          g_assert_cmpint (utimensat (AT_FDCWD, part_name, other, 0), ==, 0);
          if (mtime == TFD_NO_TIME)
            told = other[1];
        }
      g_assert_cmpstr (finalize (fixture, done, REPLACE), ==, "renamed");
      g_assert_cmpint (stat (path, &st), ==, 0);
      g_assert_cmpmem (&st.st_mtim, sizeof st.st_mtim, &told, sizeof told);
    }
}

/* The disk begins with what has come when it is worth while, not twice, and again after a cut. */
static void
test_begun (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
  const gsize mib = 1 << 20;
  g_autofree char *content = g_malloc0 (3 * mib);
  g_autoptr (TfdFile) file = file_new (fixture, 0, "begun", NULL);
  g_autoptr (TfdPart) part = NULL;
  g_auto (TfdFailure) failure = { 0 };
  TfdPool *pool = tfd_pool_new (1);
  const guint64 begun[] = { 0, 6 * mib, 6 * mib, 12 * mib };

  g_assert_cmpint (tfd_part_open (fixture->directory, JOB, file, 0, &part, &failure), ==,
                   TFD_PART_CREATED);
  for (guint turn = 0; turn < 2; turn++)
    {
      for (guint i = 0; i < G_N_ELEMENTS (begun); i++)
        {
          g_assert_true (tfd_part_write (part, content, 3 * mib, &failure));
          tfd_sync_begin (pool, part);
          g_assert_cmpuint (part->begun, ==, begun[i]);
        }
      g_assert_true (tfd_part_truncate (part, 0, &failure));
    }

  part->cache = TFD_CACHE_PASSED;
  part->length = 100 * mib;
  tfd_sync_begin (pool, part);
  g_assert_cmpuint (part->begun, ==, 0);
  tfd_pool_free (pool);
}

/* What stands there without a record: ours from a crash, or not ours to touch. */
static void
test_taken_name (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
  g_autoptr (TfdFile) file = file_new (fixture, 0, "a", NULL);
  g_autofree char *path = part_path (fixture, file);
  g_autofree char *other = path_in (fixture, "other");
  g_autoptr (TfdPart) part = NULL;
  g_auto (TfdFailure) failure = { 0 };

  g_assert_true (g_file_set_contents (path, "left by a crash", -1, NULL));
  g_assert_cmpint (tfd_part_open (fixture->directory, JOB, file, 0, &part, &failure), ==,
                   TFD_PART_CREATED);
  g_assert_cmpuint (part->length, ==, 0);
  g_clear_pointer (&part, tfd_part_unref);

  g_assert_cmpint (link (path, other), ==, 0);
  g_assert_cmpint (tfd_part_open (fixture->directory, JOB, file, 0, &part, &failure), ==,
                   TFD_PART_FOREIGN);
  unlink (path);
  g_assert_cmpint (symlink (other, path), ==, 0);
  g_assert_cmpint (tfd_part_open (fixture->directory, JOB, file, 0, &part, &failure), ==,
                   TFD_PART_FOREIGN);
  unlink (path);
  g_assert_cmpint (mkfifo (path, 0600), ==, 0);
  g_assert_cmpint (tfd_part_open (fixture->directory, JOB, file, 0, &part, &failure), ==,
                   TFD_PART_FOREIGN);
  g_assert_true (g_file_test (path, G_FILE_TEST_EXISTS));
}

static void
test_another_file (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
  g_autoptr (TfdFile) file = finished (fixture, 0, "a", "hello");
  g_autofree char *path = part_path (fixture, file);
  g_autofree char *content = NULL;
  g_autoptr (TfdPart) part = NULL;
  g_auto (TfdFailure) failure = { 0 };

  /* Another file, most likely with the same inode number: the generation differs. */
  unlink (path);
  g_assert_true (g_file_set_contents (path, "hello", -1, NULL));
  g_assert_cmpint (tfd_part_open (fixture->directory, JOB, file, 0, &part, &failure), ==,
                   TFD_PART_FOREIGN);
  g_assert_cmpstr (finalize (fixture, file, REPLACE), ==, "failed");
  g_assert_cmpstr (finalize (fixture, file, RECOVER), ==, "failed");
  g_assert_true (g_file_get_contents (path, &content, NULL, NULL));
  g_assert_cmpstr (content, ==, "hello");

  /* bytes had arrived: nothing is put in their place unasked */
  unlink (path);
  file->record->size = 5;
  g_assert_cmpint (tfd_part_open (fixture->directory, JOB, file, 0, &part, &failure), ==,
                   TFD_PART_MISSING);
  g_assert_false (g_file_test (path, G_FILE_TEST_EXISTS));
  tfd_record_forget_source (file->record);
  g_assert_cmpint (tfd_part_open (fixture->directory, JOB, file, 0, &part, &failure), ==,
                   TFD_PART_CREATED);
}

/* An overlay cannot tell its directories apart: they become others when something is put there. */
static gboolean
tells_directories_apart (Fixture *fixture)
{
  g_autofree char *path = path_in (fixture, "probe");
  g_autoptr (GBytes) identity = NULL;

  g_assert_cmpint (mkdir (path, 0700), ==, 0);
  identity = tfd_identity_at (fixture->directory->fd, "probe");
  rmdir (path);

  return !tfd_identity_same (fixture->directory->identity, identity);
}

static void
test_another_directory (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
  g_autofree char *sub = path_in (fixture, "sub");
  g_autofree char *aside = path_in (fixture, "aside");
  g_autoptr (TfdDirectory) directory = NULL;
  g_autoptr (GBytes) identity = NULL;
  g_auto (TfdFailure) failure = { 0 };

  g_assert_cmpint (mkdir (sub, 0700), ==, 0);
  directory = tfd_directory_open (sub, NULL, &failure);
  g_assert_nonnull (directory);
  identity = g_bytes_ref (directory->identity);

  g_assert_cmpint (rename (sub, aside), ==, 0);
  g_assert_null (tfd_directory_open (sub, identity, &failure));
  g_assert_cmpint (failure.code, ==, TFD_ERROR_DESTINATION_UNAVAILABLE);
  g_assert_true (failure.transient);

  g_assert_cmpint (mkdir (sub, 0700), ==, 0);
  if (tells_directories_apart (fixture))
    {
      g_assert_null (tfd_directory_open (sub, identity, &failure));
      g_assert_cmpint (failure.code, ==, TFD_ERROR_DESTINATION_UNAVAILABLE);
    }

  /* It may be moved and come back. */
  g_assert_cmpint (rmdir (sub), ==, 0);
  g_assert_cmpint (rename (aside, sub), ==, 0);
  tfd_directory_unref (g_steal_pointer (&directory));
  directory = tfd_directory_open (sub, identity, &failure);
  g_assert_nonnull (directory);
}

static void
test_identity (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
  g_autoptr (GBytes) a = NULL;
  g_autoptr (GBytes) again = NULL;
  g_autoptr (GBytes) b = NULL;
  g_autoptr (GBytes) garbage = g_bytes_new_static ("1 f 0", 5);
  g_autofree char *key = NULL;
  g_autofree char *same_key = NULL;

  put (fixture, "a", "x");
  put (fixture, "b", "x");
  a = tfd_identity_at (fixture->directory->fd, "a");
  b = tfd_identity_at (fixture->directory->fd, "b");
  g_assert_true (tfd_identity_same (a, a));
  g_assert_false (tfd_identity_same (a, b));
  g_assert_false (tfd_identity_same (garbage, a));
  g_assert_false (tfd_identity_same (NULL, a));
  g_assert_false (tfd_identity_same (fixture->directory->identity, a));

  {
    g_autofree char *from = path_in (fixture, "a");
    g_autofree char *to = path_in (fixture, "c");

    g_assert_cmpint (rename (from, to), ==, 0);
  }
  again = tfd_identity_at (fixture->directory->fd, "c");
  g_assert_true (tfd_identity_same (a, again));
  key = tfd_identity_key (a);
  same_key = tfd_identity_key (again);
  g_assert_cmpstr (key, ==, same_key);
  g_assert_null (tfd_identity_at (fixture->directory->fd, "absent"));
}

static void
test_replace (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
  g_autoptr (TfdFile) first = finished (fixture, 0, "new", "0");
  g_autoptr (TfdFile) second = finished (fixture, 1, "old", "1");
  g_autoptr (TfdFile) third = finished (fixture, 2, "link", "2");
  g_autofree char *link_path = path_in (fixture, "link");

  put (fixture, "old", "before");
  put (fixture, "target", "untouched");
  g_assert_cmpint (symlink ("target", link_path), ==, 0);

  g_assert_cmpstr (finalize (fixture, first, REPLACE), ==, "renamed");
  g_assert_cmpstr (finalize (fixture, second, REPLACE), ==, "renamed");
  g_assert_cmpstr (finalize (fixture, third, REPLACE), ==, "renamed");
  assert_content (fixture, "new", "0");
  assert_content (fixture, "old", "1");
  assert_content (fixture, "link", "2");
  assert_content (fixture, "target", "untouched");
  g_assert_false (g_file_test (link_path, G_FILE_TEST_IS_SYMLINK));
}

static void
test_not_replaced (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
  g_autoptr (TfdFile) file = finished (fixture, 0, "a", "new");
  g_autofree char *path = path_in (fixture, "a");
  g_autofree char *part = part_path (fixture, file);

  g_assert_cmpint (mkfifo (path, 0600), ==, 0);
  g_assert_cmpstr (finalize (fixture, file, REPLACE), ==, "failed");
  g_assert_true (g_file_test (path, G_FILE_TEST_EXISTS));
  unlink (path);

  g_assert_cmpint (mkdir (path, 0700), ==, 0);
  g_assert_cmpstr (finalize (fixture, file, REPLACE), ==, "failed");
  g_assert_cmpstr (finalize (fixture, file, FAIL), ==, "failed");
  g_assert_true (g_file_test (part, G_FILE_TEST_IS_REGULAR));
  rmdir (path);

  put (fixture, "a", "old");
  g_assert_cmpstr (finalize (fixture, file, FAIL), ==, "failed");
  g_assert_cmpstr (finalize (fixture, file, KEEP_BOTH), ==, "taken");
  assert_content (fixture, "a", "old");
  g_assert_cmpstr (finalize (fixture, file, REPLACE), ==, "renamed");
  assert_content (fixture, "a", "new");
}

static void
test_own_file (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
  g_autoptr (TfdFile) first = finished (fixture, 0, "a", "first");
  g_autoptr (TfdFile) second = finished (fixture, 1, "b", "second");
  g_autofree char *a = path_in (fixture, "a");
  g_autofree char *b = path_in (fixture, "b");

  /* As on a file system where both names are one. */
  g_assert_cmpstr (finalize (fixture, first, REPLACE), ==, "renamed");
  g_assert_cmpint (rename (a, b), ==, 0);
  g_assert_cmpstr (finalize (fixture, second, REPLACE), ==, "failed");
  assert_content (fixture, "b", "first");
}

static void
test_missing (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
  g_autoptr (TfdFile) file = finished (fixture, 0, "a", "x");
  g_autofree char *part = part_path (fixture, file);

  unlink (part);
  g_assert_cmpstr (finalize (fixture, file, REPLACE), ==, "failed");
  g_assert_cmpstr (finalize (fixture, file, RECOVER), ==, "moved");
  put (fixture, "a", "x");
  g_assert_cmpstr (finalize (fixture, file, RECOVER), ==, "moved");
}

static void
test_recover (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
  g_autoptr (TfdFile) file = finished (fixture, 0, "a", "x");
  g_autofree char *part = part_path (fixture, file);
  g_autofree char *final = path_in (fixture, "a");

  /* Died between giving the second name and taking the first. */
  g_assert_cmpint (link (part, final), ==, 0);
  g_assert_cmpstr (finalize (fixture, file, RECOVER), ==, "renamed");
  g_assert_false (g_file_test (part, G_FILE_TEST_EXISTS));
  assert_content (fixture, "a", "x");

  /* Died after the rename. */
  g_assert_cmpstr (finalize (fixture, file, RECOVER), ==, "renamed");
}

static void
test_stops_at_failure (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
  g_autoptr (GPtrArray) files = g_ptr_array_new_with_free_func ((GDestroyNotify) tfd_file_free);
  g_autoptr (GVariant) options = g_variant_ref_sink (g_variant_new_parsed (REPLACE));
  g_autoptr (GVariant) results = NULL;
  g_autofree char *path = path_in (fixture, "b");
  const char *text;

  g_ptr_array_add (files, finished (fixture, 0, "a", "0"));
  g_ptr_array_add (files, finished (fixture, 1, "b", "1"));
  g_ptr_array_add (files, finished (fixture, 2, "c", "2"));
  g_assert_cmpint (mkdir (path, 0700), ==, 0);

  results = g_variant_ref_sink (tfd_finalize (JOB, options, files, fixture->owned, NULL));
  g_assert_cmpuint (g_variant_n_children (results), ==, 2);
  g_variant_get_child (results, 1, "(u&s@a{sv})", NULL, &text, NULL);
  g_assert_cmpstr (text, ==, "failed");
  assert_content (fixture, "a", "0");
  assert_content (fixture, "c", NULL);
}

static GVariant *
finalize_all (Fixture *fixture, GPtrArray *files)
{
  g_autoptr (GVariant) options = g_variant_ref_sink (g_variant_new_parsed (REPLACE));
  g_autoptr (GError) error = NULL;
  GVariant *results = tfd_finalize (JOB, options, files, fixture->owned, &error);

  g_assert_no_error (error);
  return g_variant_ref_sink (results);
}

static void
assert_results (GVariant *results, const char *text)
{
  g_autofree char *printed = g_variant_print (results, FALSE);

  g_assert_cmpstr (printed, ==, text);
}

/* What has gone well is told in one row. */
static void
test_several (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
  g_autoptr (GPtrArray) files = g_ptr_array_new_with_free_func ((GDestroyNotify) tfd_file_free);
  g_autoptr (GVariant) options = g_variant_ref_sink (g_variant_new_parsed (REPLACE));
  g_autoptr (GVariant) verified = NULL;
  g_autoptr (GVariant) results = NULL;

  for (guint i = 0; i < 12; i++)
    {
      g_autofree char *name = g_strdup_printf ("f%u", i);

      g_ptr_array_add (files, finished (fixture, i, name, name));
    }
  put (fixture, "f5", "old");
  verified = g_variant_ref_sink (tfd_verify (JOB, options, files, fixture->owned));
  assert_results (verified, "[]");
  results = finalize_all (fixture, files);
  assert_results (results, "[(0, 'renamed', {'last': <uint32 11>})]");
  assert_content (fixture, "f0", "f0");
  assert_content (fixture, "f5", "f5");
  assert_content (fixture, "f11", "f11");

  /* afterwards they are in place, one by one */
  g_clear_pointer (&verified, g_variant_unref);
  g_ptr_array_set_size (files, 2);
  verified = g_variant_ref_sink (tfd_verify (JOB, options, files, fixture->owned));
  assert_results (verified, "[(0, 'in-place', {}), (1, 'in-place', {})]");
}

/* Between Verify and Finalize somebody meddles with what was found in order. */
static void
test_meddled_with (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
  enum
  {
    SWAPPED,
    CUT,
    LONGER,
    LINK,
    COPY,
    N_WAYS
  };

  for (guint i = 0; i < N_WAYS; i++)
    {
      g_autoptr (GPtrArray) files = g_ptr_array_new_with_free_func ((GDestroyNotify) tfd_file_free);
      g_autoptr (GVariant) options = g_variant_ref_sink (g_variant_new_parsed (REPLACE));
      g_autoptr (GVariant) verified = NULL;
      g_autoptr (GVariant) results = NULL;
      g_autofree char *first = g_strdup_printf ("first-%u", i);
      g_autofree char *name = g_strdup_printf ("second-%u", i);
      g_autofree char *path = NULL;
      g_autofree char *other = NULL;
      const char *result;
      guint32 index;

      g_ptr_array_add (files, finished (fixture, 2 * i, first, "x"));
      g_ptr_array_add (files, finished (fixture, 2 * i + 1, name, "x"));
      verified = g_variant_ref_sink (tfd_verify (JOB, options, files, fixture->owned));
      assert_results (verified, "[]");
      path = part_path (fixture, files->pdata[1]);
      other = path_in (fixture, "other");
      put (fixture, "other", "x");
      if (i == SWAPPED)
        g_assert_cmpint (rename (other, path), ==, 0);
      else if (i == CUT || i == LONGER)
        g_assert_cmpint (truncate (path, i == CUT ? 0 : 2), ==, 0);
      else
        g_assert_cmpint (unlink (path), ==, 0);
      if (i == LINK)
        g_assert_cmpint (symlink ("other", path), ==, 0);
      else if (i == COPY)
        g_assert_true (g_file_set_contents (path, "x", 1, NULL));

      results = finalize_all (fixture, files);
      g_assert_cmpuint (g_variant_n_children (results), ==, 2);
      g_variant_get_child (results, 0, "(u&s@a{sv})", &index, &result, NULL);
      g_assert_cmpstr (result, ==, "renamed");
      g_variant_get_child (results, 1, "(u&s@a{sv})", &index, &result, NULL);
      g_assert_cmpuint (index, ==, 2 * i + 1);
      g_assert_cmpstr (result, ==, "failed");
      assert_content (fixture, name, NULL);
    }
}

/* The directory is exchanged for another while files in it are looked at one after the other. */
static void
test_other_directory (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
  g_autoptr (GPtrArray) files = g_ptr_array_new_with_free_func ((GDestroyNotify) tfd_file_free);
  g_autoptr (GVariant) options = g_variant_ref_sink (g_variant_new_parsed (RECOVER));
  g_autoptr (GVariant) results = NULL;
  g_autofree char *away = g_strconcat (fixture->path, "-away", NULL);
  const char *result;

  if (!tells_directories_apart (fixture))
    return;
  g_ptr_array_add (files, finished (fixture, 0, "a", "x"));
  g_assert_cmpint (rename (fixture->path, away), ==, 0);
  g_assert_cmpint (mkdir (fixture->path, 0700), ==, 0);
  results = g_variant_ref_sink (tfd_finalize (JOB, options, files, fixture->owned, NULL));
  g_variant_get_child (results, 0, "(u&s@a{sv})", NULL, &result, NULL);
  /* not "moved": that would be the end of it */
  g_assert_cmpstr (result, ==, "failed");
  remove_tree (away);
}

/* What versions before wrote of a temporary is understood. */
static void
test_old_record (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
  g_autoptr (TfdFile) file = finished (fixture, 0, "a", "x");
  g_autoptr (GVariant) old = NULL;
  g_autoptr (TfdRecord) record = NULL;
  g_autoptr (GVariant) packed = NULL;
  g_autoptr (TfdRecord) again = NULL;
  GVariantDict dict;

  g_variant_dict_init (&dict, NULL);
  g_variant_dict_insert_value (&dict, "identity", tfd_bytes_to_variant (file->record->identity));
  g_variant_dict_insert_value (&dict, "directory", tfd_bytes_to_variant (file->record->directory));
  g_variant_dict_insert (&dict, "checkpoint", "t", G_GUINT64_CONSTANT (5));
  g_variant_dict_insert (&dict, "boot", "s", "boot");
  g_variant_dict_insert (&dict, "mount", "t", G_GUINT64_CONSTANT (6));
  g_variant_dict_insert (&dict, "sequential", "b", TRUE);
  g_variant_dict_insert (&dict, "etag", "s", "\"e\"");
  g_variant_dict_insert (&dict, "last-modified", "s", "m");
  g_variant_dict_insert (&dict, "validator", "s", "v");
  g_variant_dict_insert (&dict, "mtime", "x", G_GINT64_CONSTANT (-7));
  g_variant_dict_insert (&dict, "size", "t", G_GUINT64_CONSTANT (8));
  old = g_variant_ref_sink (g_variant_dict_end (&dict));
  record = tfd_record_parse (old);
  packed = g_variant_ref_sink (tfd_record_to_variant (record));
  again = tfd_record_parse (packed);

  g_assert_true (g_bytes_equal (again->identity, file->record->identity));
  g_assert_true (g_bytes_equal (again->directory, file->record->directory));
  g_assert_cmpuint (again->checkpoint, ==, 5);
  g_assert_cmpstr (again->boot, ==, "boot");
  g_assert_cmpuint (again->mount, ==, 6);
  g_assert_true (again->sequential);
  g_assert_cmpstr (again->etag, ==, "\"e\"");
  g_assert_cmpstr (again->last_modified, ==, "m");
  g_assert_cmpstr (again->validator, ==, "v");
  g_assert_cmpint (again->mtime, ==, -7);
  g_assert_cmpuint (again->size, ==, 8);
  /* transferd looks whether there is one */
  g_assert_true (g_variant_lookup (packed, "validator", "s", NULL));
}

static void
test_verify (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
  const char *expected[] = { "ok", "missing", "foreign", "foreign", "ok" };
  const char *targets[] = { "a (1).tar.gz", NULL, NULL, NULL, "a (2).tar.gz" };
  g_autoptr (GPtrArray) files = g_ptr_array_new_with_free_func ((GDestroyNotify) tfd_file_free);
  g_autoptr (GVariant) options = g_variant_ref_sink (g_variant_new_parsed (KEEP_BOTH));
  g_autoptr (GVariant) results = NULL;
  g_autofree char *missing = NULL;
  g_autofree char *foreign = NULL;
  g_autofree char *longer = NULL;
  GVariantIter iter;
  GVariant *details;
  const char *text;
  guint32 index;

  put (fixture, "a.tar.gz", "there");
  g_ptr_array_add (files, finished (fixture, 0, "a.tar.gz", "0"));
  g_ptr_array_add (files, finished (fixture, 1, "b", "1"));
  g_ptr_array_add (files, finished (fixture, 2, "c", "2"));
  g_ptr_array_add (files, finished (fixture, 3, "d", "3"));
  g_ptr_array_add (files, finished (fixture, 4, "a.tar.gz", "4"));
  missing = part_path (fixture, files->pdata[1]);
  foreign = part_path (fixture, files->pdata[2]);
  longer = part_path (fixture, files->pdata[3]);
  unlink (missing);
  g_assert_cmpint (unlink (foreign) + symlink ("a", foreign), ==, 0);
  g_assert_cmpint (truncate (longer, 7), ==, 0);

  results = g_variant_ref_sink (tfd_verify (JOB, options, files, fixture->owned));
  g_assert_cmpuint (g_variant_n_children (results), ==, G_N_ELEMENTS (expected));
  g_variant_iter_init (&iter, results);
  while (g_variant_iter_next (&iter, "(u&s@a{sv})", &index, &text, &details))
    {
      g_autoptr (GVariant) target =
          g_variant_lookup_value (details, "target", G_VARIANT_TYPE_BYTESTRING);
      g_autofree char *path = target != NULL ? tfd_path_from_variant (target) : NULL;
      g_autofree char *base = path != NULL ? g_path_get_basename (path) : NULL;

      g_assert_cmpstr (text, ==, expected[index]);
      g_assert_cmpstr (base, ==, targets[index]);
      g_variant_unref (details);
    }
}

static void
test_keep_both (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
  g_autoptr (TfdFile) file = finished (fixture, 0, "a", "new");

  put (fixture, "a", "old");
  file->target = path_in (fixture, "a (1)");
  g_assert_cmpstr (finalize (fixture, file, KEEP_BOTH), ==, "renamed");
  assert_content (fixture, "a", "old");
  assert_content (fixture, "a (1)", "new");

  /* a name that another file of the job got: another one, not a failure */
  g_autoptr (TfdFile) other = finished (fixture, 1, "a (1)", "other");
  g_assert_cmpstr (finalize (fixture, other, KEEP_BOTH), ==, "taken");
  assert_content (fixture, "a (1)", "new");
}

static guint
discard (TfdFile *file)
{
  g_autoptr (GPtrArray) files = g_ptr_array_new ();
  g_autoptr (GVariant) undeleted = NULL;

  g_ptr_array_add (files, file);
  undeleted = g_variant_ref_sink (tfd_discard (JOB, files));

  return (guint) g_variant_n_children (undeleted);
}

static void
test_discard (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
  g_autoptr (TfdFile) recorded = finished (fixture, 0, "a", "x");
  g_autoptr (TfdFile) unrecorded = file_new (fixture, 1, "b", NULL);
  g_autoptr (TfdFile) replaced = finished (fixture, 2, "c", "x");
  g_autofree char *recorded_path = part_path (fixture, recorded);
  g_autofree char *unrecorded_path = part_path (fixture, unrecorded);
  g_autofree char *replaced_path = part_path (fixture, replaced);
  g_autofree char *aside = path_in (fixture, "aside");

  g_assert_cmpuint (discard (recorded), ==, 0);
  g_assert_false (g_file_test (recorded_path, G_FILE_TEST_EXISTS));
  g_assert_cmpuint (discard (recorded), ==, 0);

  g_assert_true (g_file_set_contents (unrecorded_path, "x", -1, NULL));
  g_assert_cmpuint (discard (unrecorded), ==, 0);
  g_assert_false (g_file_test (unrecorded_path, G_FILE_TEST_EXISTS));

  /* Not ours: left alone, and nothing of ours is left either. */
  g_assert_cmpint (rename (replaced_path, aside), ==, 0);
  g_assert_true (g_file_set_contents (replaced_path, "theirs", -1, NULL));
  g_assert_cmpuint (discard (replaced), ==, 0);
  g_assert_true (g_file_test (replaced_path, G_FILE_TEST_EXISTS));
  g_assert_cmpint (mkfifo (unrecorded_path, 0600), ==, 0);
  g_assert_cmpuint (discard (unrecorded), ==, 0);
  g_assert_true (g_file_test (unrecorded_path, G_FILE_TEST_EXISTS));
}

static void
test_discard_elsewhere (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
  g_autoptr (TfdFile) file = finished (fixture, 0, "a", "x");
  g_autoptr (TfdFile) never_begun = file_new (fixture, 1, "b", NULL);
  g_autofree char *aside = g_strconcat (fixture->path, ".aside", NULL);
  gboolean apart = tells_directories_apart (fixture);

  g_assert_cmpint (rename (fixture->path, aside), ==, 0);
  g_assert_cmpuint (discard (file), ==, 1);
  g_assert_cmpuint (discard (never_begun), ==, 0);
  g_assert_cmpint (mkdir (fixture->path, 0700), ==, 0);
  if (apart)
    g_assert_cmpuint (discard (file), ==, 1);
  g_assert_cmpint (rmdir (fixture->path), ==, 0);
  g_assert_cmpint (rename (aside, fixture->path), ==, 0);
  g_assert_cmpuint (discard (file), ==, 0);
}

static void
test_open_part (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
  g_autoptr (TfdFile) file = finished (fixture, 0, "a", "x");
  g_autoptr (GError) error = NULL;
  int fd = tfd_open_part (JOB, file, &error);

  g_assert_no_error (error);
  g_assert_cmpint (fcntl (fd, F_GETFL) & O_ACCMODE, ==, O_RDONLY);
  close (fd);

  g_assert_cmpstr (finalize (fixture, file, REPLACE), ==, "renamed");
  g_assert_cmpint (tfd_open_part (JOB, file, &error), ==, -1);
  g_assert_error (error, TFD_ERROR, TFD_ERROR_FILE_MISSING);
  g_clear_error (&error);
  file->state = TFD_FILE_STATE_COMPLETED;
  fd = tfd_open_part (JOB, file, &error);
  g_assert_cmpint (fd, >=, 0);
  close (fd);

  put (fixture, "a", "another");
  g_assert_cmpint (tfd_open_part (JOB, file, &error), ==, -1);
  g_assert_error (error, TFD_ERROR, TFD_ERROR_FILE_MISSING);
}

static void
test_space (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
  g_autoptr (TfdFile) file = file_new (fixture, 0, "a", NULL);
  g_autoptr (TfdPart) part = NULL;
  g_auto (TfdFailure) failure = { 0 };

  tfd_part_open (fixture->directory, JOB, file, 0, &part, &failure);
  g_assert_true (tfd_part_check_space (part, 0, G_MAXUINT64, &failure));
  g_assert_true (tfd_part_check_space (part, 1, 0, &failure));
  g_assert_false (tfd_part_check_space (part, G_MAXUINT64 - 1, 0, &failure));
  g_assert_cmpint (failure.code, ==, TFD_ERROR_INSUFFICIENT_SPACE);
  g_assert_false (failure.transient);
}

static void
test_probe (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
  const struct
  {
    const char *path;
    const char *error;
  } cases[] = {
    { fixture->path, "" },
    { "/nonexistent", "org.transferd.Transfer1.Error.InvalidPath" },
    { "/etc/passwd", "org.transferd.Transfer1.Error.InvalidPath" },
    { "relative", "org.transferd.Transfer1.Error.InvalidPath" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GVariant) result = g_variant_ref_sink (tfd_directory_probe (cases[i].path));
      g_autoptr (GVariant) identity = NULL;
      const char *error;

      g_variant_get (result, "(@ay&s&s)", &identity, &error, NULL);
      g_assert_cmpstr (error, ==, cases[i].error);
      g_assert_cmpint (g_variant_get_size (identity) > 0, ==, error[0] == '\0');
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

#define ADD(name, function) g_test_add (name, Fixture, NULL, set_up, function, tear_down)
  ADD ("/worker/part/create", test_create);
  ADD ("/worker/part/modes", test_modes);
  ADD ("/worker/part/dates", test_dates);
  ADD ("/worker/part/begun", test_begun);
  ADD ("/worker/part/taken-name", test_taken_name);
  ADD ("/worker/part/another-file", test_another_file);
  ADD ("/worker/part/space", test_space);
  ADD ("/worker/part/open", test_open_part);
  ADD ("/worker/directory/another", test_another_directory);
  ADD ("/worker/directory/probe", test_probe);
  ADD ("/worker/identity", test_identity);
  ADD ("/worker/record/old", test_old_record);
  ADD ("/worker/finalize/replace", test_replace);
  ADD ("/worker/finalize/not-replaced", test_not_replaced);
  ADD ("/worker/finalize/own-file", test_own_file);
  ADD ("/worker/finalize/missing", test_missing);
  ADD ("/worker/finalize/recover", test_recover);
  ADD ("/worker/finalize/stops-at-failure", test_stops_at_failure);
  ADD ("/worker/finalize/several", test_several);
  ADD ("/worker/finalize/meddled-with", test_meddled_with);
  ADD ("/worker/finalize/other-directory", test_other_directory);
  ADD ("/worker/finalize/keep-both", test_keep_both);
  ADD ("/worker/verify", test_verify);
  ADD ("/worker/discard/ours", test_discard);
  ADD ("/worker/discard/elsewhere", test_discard_elsewhere);

  return g_test_run ();
}
