/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Tests of what the worker keeps of what was handed in, and for how long. */
#include "config.h"

#include "worker/attached.h"
#include "worker/failure.h"
#include "worker/identity.h"
#include "worker/upload-source.h"

#include <dirent.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define JOB "0123456789abcdef0123456789abcdef"
#define OTHER "fedcba9876543210fedcba9876543210"

typedef struct
{
  char *path;
  TfdAttached *attached;
  guint open; /* descriptors before the test */
} Fixture;

static guint
count_open (void)
{
  DIR *dir = opendir ("/proc/self/fd");
  guint count = 0;

  while (readdir (dir) != NULL)
    count++;
  closedir (dir);
  return count;
}

static void
set_up (Fixture *self, gconstpointer data G_GNUC_UNUSED)
{
  self->path = g_dir_make_tmp ("worker-attached-XXXXXX", NULL);
  self->open = count_open ();
  self->attached = tfd_attached_new ();
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

/* Whatever a test did, nothing stays open. */
static void
tear_down (Fixture *self, gconstpointer data G_GNUC_UNUSED)
{
  tfd_attached_free (self->attached);
  g_assert_cmpuint (count_open (), ==, self->open);
  remove_tree (self->path);
  g_free (self->path);
}

static char *
path_of (Fixture *self, const char *name)
{
  return g_build_filename (self->path, name, NULL);
}

static char *
make_directory (Fixture *self, const char *name)
{
  char *path = path_of (self, name);

  g_assert_cmpint (mkdir (path, 0755), ==, 0);
  return path;
}

static char *
make_file (Fixture *self, const char *name, const char *content)
{
  char *path = path_of (self, name);

  g_assert_true (g_file_set_contents (path, content, -1, NULL));
  return path;
}

static TfdHandedIn *
look (const char *path, int flags, GError **error)
{
  return tfd_handed_in_new (open (path, flags | O_CLOEXEC), error);
}

static TfdHandedIn *
handed_in (const char *path)
{
  g_autoptr (GError) error = NULL;
  TfdHandedIn *result = look (path, O_RDONLY, &error);

  g_assert_no_error (error);
  return result;
}

/* Keeps @path; the bytes by which it is known. */
static GBytes *
keep (Fixture *self, const char *job, const char *path)
{
  g_autoptr (TfdHandedIn) what = handed_in (path);
  g_autoptr (GError) error = NULL;

  tfd_attached_keep (self->attached, job, what, &error);
  g_assert_no_error (error);
  return g_bytes_ref (what->identity);
}

/* File @path, handed in; @to (nullable): in a directory, of a file that is sent. */
static GPtrArray *
files_of (const char *path, GBytes *identity, GBytes *to)
{
  GVariantBuilder rows = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE ("a(ua{sv})"));
  g_autoptr (GVariant) variant = NULL;
  g_autoptr (GError) error = NULL;
  GVariantDict dict, options;
  GPtrArray *files;

  g_variant_dict_init (&dict, NULL);
  g_variant_dict_init (&options, NULL);
  g_variant_dict_insert_value (&dict, "path", tfd_path_to_variant (path));
  g_variant_dict_insert (&dict, "attached", "b", TRUE);
  g_variant_dict_insert_value (&dict, "directory", tfd_bytes_to_variant (identity));
  if (to != NULL)
    g_variant_dict_insert_value (&options, "attached-to", tfd_bytes_to_variant (to));
  g_variant_dict_insert_value (&dict, "options", g_variant_dict_end (&options));
  g_variant_builder_add (&rows, "(u@a{sv})", 0, g_variant_dict_end (&dict));
  variant = g_variant_ref_sink (g_variant_builder_end (&rows));
  files = tfd_files_new (variant, &error);
  g_assert_no_error (error);
  return files;
}

static void
test_directory (Fixture *self, gconstpointer data G_GNUC_UNUSED)
{
  g_autofree char *place = make_directory (self, "place");
  g_autofree char *moved = path_of (self, "moved");
  g_autofree char *file = path_of (self, "place/file");
  g_autoptr (GBytes) identity = keep (self, JOB, place);
  g_autoptr (GPtrArray) files = files_of (file, identity, NULL);
  g_autoptr (TfdDirectory) directory = NULL;
  g_autoptr (TfdDirectory) again = NULL;
  g_auto (TfdFailure) failure = { 0 };
  TfdFile *first = files->pdata[0];

  tfd_attached_resolve (self->attached, OTHER, files);
  g_assert_null (first->kept);
  tfd_attached_resolve (self->attached, JOB, files);
  g_assert_nonnull (first->kept);

  /* it may be moved, and a link may come in its place */
  g_assert_cmpint (rename (place, moved), ==, 0);
  g_assert_cmpint (symlink (moved, place), ==, 0);
  directory = tfd_attached_directory (first, NULL, &failure);
  g_assert_nonnull (directory);
  g_assert_true (tfd_identity_same (identity, directory->identity));

  /* by its path it is not found then, until it is back */
  g_clear_pointer (&first->kept, tfd_directory_unref);
  g_assert_null (tfd_attached_directory (first, NULL, &failure));
  g_assert_cmpint (failure.code, ==, TFD_ERROR_DESTINATION_UNAVAILABLE);
  g_assert_true (failure.transient);
  unlink (place);
  g_assert_cmpint (rename (moved, place), ==, 0);
  again = tfd_attached_directory (first, NULL, &failure);
  g_assert_nonnull (again);
}

static void
test_cache (Fixture *self, gconstpointer data G_GNUC_UNUSED)
{
  g_autofree char *place = make_directory (self, "place");
  g_autofree char *file = path_of (self, "place/file");
  g_autoptr (GBytes) identity = keep (self, JOB, place);
  g_autoptr (GPtrArray) files = files_of (file, identity, NULL);
  g_autoptr (GHashTable) cache = tfd_directory_cache_new ();
  g_auto (TfdFailure) failure = { 0 };
  g_autoptr (TfdDirectory) one = tfd_attached_directory (files->pdata[0], cache, &failure);
  g_autoptr (TfdDirectory) two = tfd_attached_directory (files->pdata[0], cache, &failure);

  g_assert_nonnull (one);
  g_assert_true (one == two);
  rmdir (place);
  g_assert_null (tfd_attached_directory (files->pdata[0], cache, &failure));
}

static void
test_limits (Fixture *self, gconstpointer data G_GNUC_UNUSED)
{
  guint before = count_open ();

  for (guint i = 0; i < TFD_ATTACHED_IN_ALL; i++)
    {
      g_autofree char *name = g_strdup_printf ("%u", i);
      g_autofree char *job = g_strdup_printf ("%032x", i / TFD_ATTACHED_PER_JOB);
      g_autofree char *place = make_directory (self, name);
      g_autoptr (GBytes) identity = keep (self, job, place);

      /* the same again is no other */
      g_clear_pointer (&identity, g_bytes_unref);
      identity = keep (self, job, place);
    }
  g_assert_cmpuint (count_open (), ==, before + TFD_ATTACHED_IN_ALL);

  g_autofree char *more = make_directory (self, "more");
  for (guint i = 0; i < 2; i++)
    {
      g_autoptr (TfdHandedIn) what = handed_in (more);
      g_autoptr (GError) error = NULL;

      g_assert_false (tfd_attached_keep (
          self->attached, i == 0 ? "00000000000000000000000000000000" : JOB, what, &error));
      g_assert_error (error, TFD_ERROR, TFD_ERROR_LIMITS_EXCEEDED);
    }
  tfd_attached_forget (self->attached, "00000000000000000000000000000000");
  g_assert_cmpuint (count_open (), ==, before + TFD_ATTACHED_IN_ALL - TFD_ATTACHED_PER_JOB);
  g_bytes_unref (keep (self, JOB, more));
  tfd_attached_forget (self->attached, "unknown");
}

static void
test_source (Fixture *self, gconstpointer data G_GNUC_UNUSED)
{
  g_autofree char *path = make_file (self, "source", "hello");
  g_autofree char *moved = path_of (self, "moved");
  g_autoptr (GBytes) identity = keep (self, JOB, path);
  g_autoptr (GPtrArray) files = files_of (path, identity, NULL);
  TfdFile *file = files->pdata[0];
  g_autoptr (TfdUploadFile) source = NULL;
  g_auto (TfdFailure) failure = { 0 };
  char text[5];

  tfd_attached_resolve (self->attached, JOB, files);
  g_assert_cmpint (file->kept_fd, >=, 0);
  tfd_attached_forget (self->attached, JOB);
  g_assert_cmpint (rename (path, moved), ==, 0);
  source = tfd_upload_file_open (file, identity, &failure);
  g_assert_nonnull (source);
  g_assert_true (tfd_upload_file_read (source, 0, text, 5, &failure));
  g_assert_cmpmem (text, 5, "hello", 5);
  g_assert_true (tfd_upload_file_check (source, &failure));
  unlink (moved);
  g_assert_false (tfd_upload_file_check (source, &failure));
  g_assert_cmpint (failure.code, ==, TFD_ERROR_LOCAL_FILE_CHANGED);
}

/* What stands where it was is not opened unless it is the same: opening a queue would wait. */
static void
test_source_found_again (Fixture *self, gconstpointer data G_GNUC_UNUSED)
{
  g_autofree char *path = make_file (self, "source", "hello");
  g_autofree char *moved = path_of (self, "moved");
  g_autoptr (TfdHandedIn) what = handed_in (path);
  g_autoptr (GPtrArray) files = files_of (path, what->identity, NULL);
  g_autoptr (TfdUploadFile) source = NULL;

  for (guint i = 0; i < 4; i++)
    {
      g_auto (TfdFailure) failure = { 0 };
      g_autofree char *other = NULL;

      if (i > 0)
        g_assert_cmpint (rename (path, moved), ==, 0);
      if (i == 1)
        g_assert_cmpint (mkfifo (path, 0600), ==, 0);
      else if (i == 2)
        g_assert_cmpint (symlink (moved, path), ==, 0);
      else if (i == 3)
        other = make_file (self, "source", "hello");
      source = tfd_upload_file_open (files->pdata[0], what->identity, &failure);
      if (i == 0)
        {
          g_assert_nonnull (source);
          g_clear_pointer (&source, tfd_upload_file_unref);
          continue;
        }
      g_assert_null (source);
      g_assert_cmpint (failure.code, ==, TFD_ERROR_DESTINATION_UNAVAILABLE);
      unlink (path);
      g_assert_cmpint (rename (moved, path), ==, 0);
    }
}

static void
test_in_directory (Fixture *self, gconstpointer data G_GNUC_UNUSED)
{
  g_autofree char *place = make_directory (self, "place");
  g_autofree char *moved = path_of (self, "moved");
  g_autofree char *path = make_file (self, "place/source", "hello");
  g_autofree char *link = path_of (self, "moved/source");
  g_autofree char *away = path_of (self, "moved/away");
  g_autoptr (GBytes) identity = keep (self, JOB, place);
  g_autoptr (TfdHandedIn) own = handed_in (path);
  g_autoptr (GPtrArray) files = files_of (path, own->identity, identity);
  g_autoptr (TfdUploadFile) source = NULL;
  g_auto (TfdFailure) failure = { 0 };

  tfd_attached_resolve (self->attached, JOB, files);
  g_assert_cmpint (rename (place, moved), ==, 0);
  source = tfd_upload_file_open (files->pdata[0], own->identity, &failure);
  g_assert_nonnull (source);
  g_assert_true (tfd_upload_file_check (source, &failure));

  /* no link is followed, not even to the same file */
  g_assert_cmpint (rename (link, away), ==, 0);
  g_assert_cmpint (symlink ("away", link), ==, 0);
  g_assert_false (tfd_upload_file_check (source, &failure));
  g_clear_pointer (&source, tfd_upload_file_unref);
  tfd_failure_clear (&failure);
  g_assert_null (tfd_upload_file_open (files->pdata[0], own->identity, &failure));
}

static void
test_refused (Fixture *self, gconstpointer data G_GNUC_UNUSED)
{
  g_autofree char *file = make_file (self, "file", "x");
  g_autofree char *fifo = path_of (self, "fifo");
  g_autofree char *gone = make_directory (self, "gone");
  g_autoptr (GError) error = NULL;
  int sockets[2], fd;

  g_assert_cmpint (mkfifo (fifo, 0600), ==, 0);
  g_assert_null (look (fifo, O_RDWR, &error));
  g_assert_error (error, TFD_ERROR, TFD_ERROR_INVALID_PATH);
  g_clear_error (&error);
  g_assert_null (look ("/dev/null", O_RDONLY, &error));
  g_assert_error (error, TFD_ERROR, TFD_ERROR_INVALID_PATH);
  g_clear_error (&error);
  g_assert_null (look (file, O_WRONLY, &error));
  g_assert_error (error, TFD_ERROR, TFD_ERROR_FILE_ACCESS_DENIED);
  g_clear_error (&error);
  g_assert_null (look (self->path, O_PATH, &error));
  g_assert_error (error, TFD_ERROR, TFD_ERROR_FILE_ACCESS_DENIED);
  g_clear_error (&error);

  g_assert_cmpint (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets), ==, 0);
  close (sockets[1]);
  g_assert_null (tfd_handed_in_new (sockets[0], &error));
  g_assert_error (error, TFD_ERROR, TFD_ERROR_INVALID_PATH);
  g_clear_error (&error);

  fd = open (gone, O_RDONLY | O_CLOEXEC);
  rmdir (gone);
  g_assert_null (tfd_handed_in_new (fd, &error));
  g_assert_error (error, TFD_ERROR, TFD_ERROR_INVALID_PATH);
}

static void
test_write (Fixture *self, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (TfdHandedIn) good = handed_in (self->path);
  g_autoptr (TfdHandedIn) bad = handed_in ("/proc/self");
  g_autoptr (GError) error = NULL;
  g_autoptr (GDir) dir = NULL;

  g_assert_true (tfd_handed_in_prove_write (good, &error));
  dir = g_dir_open (self->path, 0, NULL);
  g_assert_null (g_dir_read_name (dir));
  g_assert_false (tfd_handed_in_prove_write (bad, &error));
  g_assert_error (error, TFD_ERROR, TFD_ERROR_FILE_ACCESS_DENIED);
}

#define ADD(path, function) g_test_add (path, Fixture, NULL, set_up, function, tear_down)

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);

  ADD ("/worker/attached/directory", test_directory);
  ADD ("/worker/attached/cache", test_cache);
  ADD ("/worker/attached/limits", test_limits);
  ADD ("/worker/attached/source", test_source);
  ADD ("/worker/attached/source-found-again", test_source_found_again);
  ADD ("/worker/attached/in-directory", test_in_directory);
  ADD ("/worker/attached/refused", test_refused);
  ADD ("/worker/attached/write", test_write);

  return g_test_run ();
}
