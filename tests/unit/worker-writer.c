/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* The thread that writes large files. */
#include "config.h"

#include "tests/lib/file-limit.h"
#include "worker/failure.h"
#include "worker/writer.h"

#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define JOB "0123456789abcdef0123456789abcdef"
#define BLOCK ((gsize) 64 * 1024)
#define BLOCKS 16
#define DEADLINE_USEC (120 * G_USEC_PER_SEC)

typedef struct
{
  char *path;
  TfdPool *pool;
  TfdPart *part;
  guint8 *blocks;
  guint told;
  gsize written;
  guint failures;
} Fixture;

static void
set_up (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
  g_auto (TfdFailure) failure = { 0 };
  g_autoptr (TfdDirectory) directory = NULL;
  g_autoptr (TfdFile) file = NULL;
  g_autoptr (GVariant) dictionary = NULL;
  g_autofree char *path = NULL;
  GVariantDict dict;

  fixture->path = g_dir_make_tmp ("worker-writer-XXXXXX", NULL);
  path = g_build_filename (fixture->path, "final", NULL);
  g_variant_dict_init (&dict, NULL);
  g_variant_dict_insert (&dict, "url", "s", "http://localhost/");
  g_variant_dict_insert_value (&dict, "path", tfd_path_to_variant (path));
  dictionary = g_variant_ref_sink (g_variant_dict_end (&dict));
  file = tfd_file_new (0, dictionary, NULL);
  directory = tfd_directory_open (fixture->path, NULL, &failure);
  g_assert_cmpint (tfd_part_open (directory, JOB, file, 022, &fixture->part, &failure), ==,
                   TFD_PART_CREATED);

  fixture->pool = tfd_pool_new (2);
  fixture->blocks = g_malloc (BLOCKS * BLOCK);
  for (gsize i = 0; i < BLOCKS * BLOCK; i++)
    fixture->blocks[i] = (guint8) (i * 31 + i / BLOCK * 7);
}

static void
tear_down (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
  g_autofree char *name = g_build_filename (fixture->path, fixture->part->name, NULL);

  tfd_pool_free (fixture->pool);
  tfd_part_unref (fixture->part);
  g_unlink (name);
  g_rmdir (fixture->path);
  g_free (fixture->path);
  g_free (fixture->blocks);
}

static guint64
size_of (Fixture *fixture)
{
  struct stat st;

  g_assert_cmpint (fstat (fixture->part->fd, &st), ==, 0);
  return (guint64) st.st_size;
}

static void
assert_content (Fixture *fixture, gsize size)
{
  g_autofree guint8 *content = g_malloc (size + 1);

  g_assert_cmpuint (size_of (fixture), ==, size);
  g_assert_cmpint (pread (fixture->part->fd, content, size, 0), ==, (gssize) size);
  g_assert_true (memcmp (content, fixture->blocks, size) == 0);
}

/* In the order in which they were given. */
static void
done_cb (gsize written, const TfdFailure *failure, gpointer user_data)
{
  Fixture *fixture = user_data;

  fixture->told++;
  fixture->written += written;
  if (failure->context != TFD_ERROR_CONTEXT_NONE)
    {
      fixture->failures++;
      g_assert_cmpuint (fixture->told, ==, 1);
    }
}

static void
write_block (Fixture *fixture, TfdWriter *writer, guint number, guint64 offset)
{
  tfd_writer_write (writer, offset, fixture->blocks + number * BLOCK, BLOCK, done_cb, fixture);
}

static void
wait_until_told (Fixture *fixture, guint count)
{
  while (fixture->told < count)
    g_main_context_iteration (NULL, TRUE);
}

/* All is written while nobody listens. */
static void
test_alone (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
  TfdWriter *writer = tfd_writer_new (fixture->pool, fixture->part);
  gint64 deadline = g_get_monotonic_time () + DEADLINE_USEC;

  for (guint i = 0; i < BLOCKS; i++)
    write_block (fixture, writer, i, i * BLOCK);
  tfd_writer_unref (writer);
  while (size_of (fixture) < BLOCKS * BLOCK && g_get_monotonic_time () < deadline)
    g_thread_yield ();
  g_assert_cmpuint (fixture->told, ==, 0);
  assert_content (fixture, BLOCKS * BLOCK);

  wait_until_told (fixture, BLOCKS);
  g_assert_cmpuint (fixture->written, ==, BLOCKS * BLOCK);
  g_assert_cmpuint (fixture->failures, ==, 0);
}

/* One after the other: each time a thread has ended, or is about to. */
static void
test_again (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
  TfdWriter *writer = tfd_writer_new (fixture->pool, fixture->part);

  for (guint i = 0; i < BLOCKS; i++)
    {
      write_block (fixture, writer, i, i * BLOCK);
      wait_until_told (fixture, i + 1);
      assert_content (fixture, (i + 1) * BLOCK);
    }
  tfd_writer_unref (writer);
}

/* What comes after a write that has failed is not written, even if it could be: neither what waits
 * then, nor what comes before that was heard, or later. */
static void
test_failure (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
  TfdWriter *writer = tfd_writer_new (fixture->pool, fixture->part);
  rlim_t before;

  before = tfd_file_limit_set (BLOCKS * BLOCK);
  write_block (fixture, writer, 0, BLOCKS * BLOCK);
  for (guint i = 1; i < BLOCKS / 2; i++)
    write_block (fixture, writer, i, i * BLOCK);
  wait_until_told (fixture, BLOCKS / 2);
  tfd_file_limit_set (before);
  write_block (fixture, writer, 0, 0);
  wait_until_told (fixture, BLOCKS / 2 + 1);
  tfd_writer_unref (writer);

  g_assert_cmpuint (fixture->failures, ==, 1);
  g_assert_cmpuint (fixture->written, ==, 0);
  assert_content (fixture, 0);
}

/* The first bytes of a write that has failed are there. */
static void
test_part_of_it (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
  TfdWriter *writer = tfd_writer_new (fixture->pool, fixture->part);
  rlim_t before;

  before = tfd_file_limit_set (BLOCK / 2);
  for (guint i = 0; i < 3; i++)
    write_block (fixture, writer, i, i * BLOCK);
  wait_until_told (fixture, 3);
  tfd_file_limit_set (before);
  tfd_writer_unref (writer);

  g_assert_cmpuint (fixture->failures, ==, 1);
  g_assert_cmpuint (fixture->written, ==, BLOCK / 2);
  assert_content (fixture, BLOCK / 2);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

#define ADD(name, function) g_test_add (name, Fixture, NULL, set_up, function, tear_down)
  ADD ("/worker/writer/alone", test_alone);
  ADD ("/worker/writer/again", test_again);
  ADD ("/worker/writer/failure", test_failure);
  ADD ("/worker/writer/part-of-it", test_part_of_it);

  return g_test_run ();
}
