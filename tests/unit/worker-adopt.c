/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Tests of Adopt: what another user has begun is copied, or nothing is left of the call. Only root
 * can make files of another user: the tests about them prove nothing for others. */
#include "config.h"

#include "common/names.h"
#include "worker/adopt.h"
#include "worker/failure.h"
#include "worker/identity.h"
#include "worker/partial.h"

#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define JOB "0123456789abcdef0123456789abcdef"
#define NOBODY 65534

typedef struct
{
  char *path;
  TfdDirectory *directory;
} Fixture;

static void
set_up (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  g_auto (TfdFailure) failure = { 0 };

  fixture->path = g_dir_make_tmp ("worker-adopt-XXXXXX", NULL);
  fixture->directory = tfd_directory_open (fixture->path, NULL, &failure);
  g_assert_nonnull (fixture->directory);
}

static void
tear_down (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (GDir) dir = g_dir_open (fixture->path, 0, NULL);
  const char *name;

  while ((name = g_dir_read_name (dir)) != NULL)
    g_assert_cmpint (unlinkat (fixture->directory->fd, name, 0), ==, 0);
  tfd_directory_unref (fixture->directory);
  g_assert_cmpint (g_rmdir (fixture->path), ==, 0);
  g_free (fixture->path);
}

static TfdFile *
file_new (const char *directory, guint32 index, TfdPart *part)
{
  g_autofree char *path = g_strdup_printf ("%s/%u", directory, index);
  g_auto (GVariantDict) dict = G_VARIANT_DICT_INIT (NULL);
  g_autoptr (GVariant) variant = NULL;
  TfdFile *file;

  g_variant_dict_insert_value (&dict, "path", tfd_path_to_variant (path));
  g_variant_dict_insert (&dict, "url", "s", "http://localhost/");
  g_variant_dict_insert (&dict, "state", "s", "waiting");
  if (part != NULL)
    g_variant_dict_insert_value (&dict, "part", tfd_record_to_variant (part->record));
  variant = g_variant_ref_sink (g_variant_dict_end (&dict));
  file = tfd_file_new (index, variant, NULL);
  g_assert_nonnull (file);
  return file;
}

/* A temporary of @owner in the middle of its file. */
static TfdFile *
begun (Fixture *fixture, guint32 index, uid_t owner)
{
  g_autoptr (TfdFile) plain = file_new (fixture->path, index, NULL);
  g_autoptr (TfdPart) part = NULL;
  g_auto (TfdFailure) failure = { 0 };

  g_assert_cmpint (tfd_part_open (fixture->directory, JOB, plain, 022, &part, &failure), ==,
                   TFD_PART_CREATED);
  g_assert_true (tfd_part_write (part, "hello", 5, &failure));
  part->record->validator = g_strdup ("\"v\"");
  if (owner != geteuid ())
    g_assert_cmpint (fchown (part->fd, owner, (gid_t) -1), ==, 0);
  g_bytes_unref (part->record->identity);
  part->record->identity = tfd_identity_of_fd (part->fd);
  return file_new (fixture->path, index, part);
}

static GVariant *
adopt (GPtrArray *files, GError **error)
{
  g_autoptr (GVariant) options = g_variant_ref_sink (g_variant_new ("a{sv}", NULL));
  GVariant *results = tfd_adopt (JOB, options, files, error);

  return results != NULL ? g_variant_ref_sink (results) : NULL;
}

static void
assert_result (GVariant *results, gsize row, const char *expected, GVariant **details)
{
  const char *result;

  g_variant_get_child (results, row, "(u&s@a{sv})", NULL, &result, details);
  g_assert_cmpstr (result, ==, expected);
}

static char *
part_path (Fixture *fixture, guint32 index, guint32 attempt)
{
  g_autofree char *name = tfd_part_name (JOB, index, attempt);

  return g_build_filename (fixture->path, name, NULL);
}

/* Files of one's own, and those that nobody has begun, are as they are. */
static void
test_own (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (GPtrArray) files = g_ptr_array_new_with_free_func ((GDestroyNotify) tfd_file_free);
  g_autofree char *gone = part_path (fixture, 1, 0);
  g_autoptr (GVariant) results = NULL;
  g_autoptr (GError) error = NULL;

  g_ptr_array_add (files, begun (fixture, 0, geteuid ()));
  g_ptr_array_add (files, begun (fixture, 1, geteuid ()));
  g_ptr_array_add (files, file_new (fixture->path, 2, NULL));
  g_assert_cmpint (g_unlink (gone), ==, 0);
  results = adopt (files, &error);
  g_assert_no_error (error);
  assert_result (results, 0, "ok", NULL);
  assert_result (results, 1, "absent", NULL);
  assert_result (results, 2, "ok", NULL);
}

/* The copy has the same bytes, another owner, and a record by which it is known again. */
static void
test_copied (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (GPtrArray) files = g_ptr_array_new_with_free_func ((GDestroyNotify) tfd_file_free);
  g_autofree char *before = part_path (fixture, 0, 0);
  g_autofree char *after = part_path (fixture, 0, 1);
  g_autoptr (GVariant) results = NULL;
  g_autoptr (GVariant) details = NULL;
  g_autoptr (GVariant) part = NULL;
  g_autoptr (TfdRecord) record = NULL;
  g_autofree char *content = NULL;
  gboolean same = FALSE;
  guint64 size = 0;
  struct stat st;

  if (geteuid () != 0)
    return;
  g_ptr_array_add (files, begun (fixture, 0, NOBODY));
  /* what an Adopt that died has left */
  g_assert_true (g_file_set_contents (after, "other", -1, NULL));
  results = adopt (files, NULL);
  assert_result (results, 0, "copied", &details);
  part = g_variant_lookup_value (details, "part", G_VARIANT_TYPE_VARDICT);
  record = tfd_record_parse (part);
  g_assert_cmpint (stat (after, &st), ==, 0);
  g_assert_cmpuint (st.st_uid, ==, 0);
  g_assert_true (g_file_get_contents (after, &content, NULL, NULL));
  g_assert_cmpstr (content, ==, "hello");
  g_assert_cmpstr (record->validator, ==, "\"v\"");
  g_assert_cmpuint (record->checkpoint, ==, 5);
  g_assert_cmpint (
      tfd_part_look (fixture->directory, strrchr (after, '/') + 1, record, TRUE, &same, &size), ==,
      0);
  g_assert_true (same);
  /* the other user's is the other user's business */
  g_assert_cmpint (stat (before, &st), ==, 0);
  g_assert_cmpuint (st.st_uid, ==, NOBODY);
}

/* What cannot be had takes back what was copied before. */
static void
test_refused (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (GPtrArray) files = g_ptr_array_new_with_free_func ((GDestroyNotify) tfd_file_free);
  g_autofree char *copy = part_path (fixture, 0, 1);
  g_autofree char *elsewhere = g_strconcat (fixture->path, "/absent", NULL);
  g_autoptr (TfdPart) part = NULL;
  g_autoptr (TfdFile) plain = file_new (fixture->path, 7, NULL);
  g_auto (TfdFailure) failure = { 0 };
  g_autoptr (GError) error = NULL;

  g_ptr_array_add (files, begun (fixture, 0, geteuid () == 0 ? NOBODY : geteuid ()));
  g_assert_cmpint (tfd_part_open (fixture->directory, JOB, plain, 022, &part, &failure), ==,
                   TFD_PART_CREATED);
  g_ptr_array_add (files, file_new (elsewhere, 1, part));
  g_assert_null (adopt (files, &error));
  g_assert_error (error, TFD_ERROR, TFD_ERROR_FILE_ACCESS_DENIED);
  g_assert_false (g_file_test (copy, G_FILE_TEST_EXISTS));
}

/* What stands under the name of the copy and is not ours stays. */
static void
test_in_the_way (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (GPtrArray) files = g_ptr_array_new_with_free_func ((GDestroyNotify) tfd_file_free);
  g_autofree char *copy = part_path (fixture, 0, 1);
  g_autofree char *target = g_strconcat (fixture->path, "/target", NULL);
  g_autofree char *content = NULL;
  g_autoptr (GError) error = NULL;

  if (geteuid () != 0)
    return;
  g_ptr_array_add (files, begun (fixture, 0, NOBODY));
  g_assert_true (g_file_set_contents (target, "mine", -1, NULL));
  g_assert_cmpint (symlink (target, copy), ==, 0);
  g_assert_null (adopt (files, &error));
  g_assert_error (error, TFD_ERROR, TFD_ERROR_FILE_ACCESS_DENIED);
  g_assert_true (g_file_get_contents (target, &content, NULL, NULL));
  g_assert_cmpstr (content, ==, "mine");
  g_assert_true (g_file_test (copy, G_FILE_TEST_IS_SYMLINK));
}

/* What is sent must be a file that can be read. */
static void
test_sources (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (GVariant) options = g_variant_ref_sink (g_variant_new_parsed ("{'type': <'upload'>}"));
  g_autoptr (GPtrArray) files = g_ptr_array_new_with_free_func ((GDestroyNotify) tfd_file_free);
  g_autofree char *path = g_strconcat (fixture->path, "/0", NULL);
  g_autoptr (GVariant) results = NULL;
  g_autoptr (GError) error = NULL;

  g_ptr_array_add (files, file_new (fixture->path, 0, NULL));
  g_assert_null (tfd_adopt (JOB, options, files, &error));
  g_assert_error (error, TFD_ERROR, TFD_ERROR_FILE_ACCESS_DENIED);
  g_assert_true (g_file_set_contents (path, "x", -1, NULL));
  results = g_variant_ref_sink (tfd_adopt (JOB, options, files, NULL));
  assert_result (results, 0, "ok", NULL);
}

#define ADD(path, function) g_test_add (path, Fixture, NULL, set_up, function, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("/worker/adopt/own", test_own);
  ADD ("/worker/adopt/copied", test_copied);
  ADD ("/worker/adopt/refused", test_refused);
  ADD ("/worker/adopt/in-the-way", test_in_the_way);
  ADD ("/worker/adopt/sources", test_sources);
  return g_test_run ();
}
