/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Tests of the configuration: values, files, errors, and that table, manual and sample agree. */
#include "base/config.h"

#include <glib/gstdio.h>
#include <stdlib.h>
#include <string.h>

#define SECOND ((guint64) G_USEC_PER_SEC)
#define DAY (86400 * SECOND)

typedef struct
{
  char *dir;
  char *path;
  char *drop_ins;
} Fixture;

static void
set_up (Fixture *self, gconstpointer data G_GNUC_UNUSED)
{
  self->dir = g_dir_make_tmp ("transferd-config-XXXXXX", NULL);
  self->path = g_build_filename (self->dir, "transferd.conf", NULL);
  self->drop_ins = g_strconcat (self->path, ".d", NULL);
}

static void
remove_all (const char *directory)
{
  g_autoptr (GDir) dir = g_dir_open (directory, 0, NULL);

  for (const char *name = dir != NULL ? g_dir_read_name (dir) : NULL; name != NULL;
       name = g_dir_read_name (dir))
    {
      g_autofree char *path = g_build_filename (directory, name, NULL);

      g_unlink (path);
    }
  g_rmdir (directory);
}

static void
tear_down (Fixture *self, gconstpointer data G_GNUC_UNUSED)
{
  remove_all (self->drop_ins);
  remove_all (self->dir);
  g_free (self->dir);
  g_free (self->path);
  g_free (self->drop_ins);
}

static void
write_file (const char *path, const char *text)
{
  g_autoptr (GError) error = NULL;

  g_file_set_contents (path, text, -1, &error);
  g_assert_no_error (error);
}

static void
write_drop_in (Fixture *self, const char *name, const char *text)
{
  g_autofree char *path = g_build_filename (self->drop_ins, name, NULL);

  g_mkdir (self->drop_ins, 0700);
  write_file (path, text);
}

static void
test_sizes (void)
{
  static const struct
  {
    const char *text;
    guint64 size; /* G_MAXUINT64 = refused */
  } cases[] = {
    { "0", 0 },
    { "17", 17 },
    { "1K", 1024 },
    { "256M", 268435456 },
    { "4G", G_GUINT64_CONSTANT (4294967296) },
    { "2T", G_GUINT64_CONSTANT (2199023255552) },
    { "", G_MAXUINT64 },
    { "M", G_MAXUINT64 },
    { "-1", G_MAXUINT64 },
    { "1k", G_MAXUINT64 },
    { "1 M", G_MAXUINT64 },
    { "1MB", G_MAXUINT64 },
    { "1.5M", G_MAXUINT64 },
    { "99999999999999999999", G_MAXUINT64 },
    { "18446744073709551615T", G_MAXUINT64 },
    { "20000000000000T", G_MAXUINT64 },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;
      guint64 size = G_MAXUINT64;
      gboolean good = tfd_config_parse_size (cases[i].text, &size, &error);

      g_test_message ("size ‘%s’", cases[i].text);
      g_assert_cmpuint (size, ==, cases[i].size);
      g_assert_true (good == (error == NULL));
      g_assert_true (good == (cases[i].size != G_MAXUINT64));
    }
}

static void
test_times (void)
{
  static const struct
  {
    const char *text;
    guint64 span; /* G_MAXUINT64 = refused */
  } cases[] = {
    { "30", 30 * SECOND },
    { "30s", 30 * SECOND },
    { "30 s", 30 * SECOND },
    { "500ms", SECOND / 2 },
    { "7us", 7 },
    { "5min", 300 * SECOND },
    { "90d", 90 * DAY },
    { "2w", 14 * DAY },
    { "1h 30min", 5400 * SECOND },
    { "1h30min", 5400 * SECOND },
    { "1 hour 30 minutes ", 5400 * SECOND },
    { "0", 0 },
    { "", G_MAXUINT64 },
    { "d", G_MAXUINT64 },
    { "-1s", G_MAXUINT64 },
    { "1y", G_MAXUINT64 },
    { "1.5h", G_MAXUINT64 },
    { "1h,5min", G_MAXUINT64 },
    { "forever", G_MAXUINT64 },
    { "999999999999999w", G_MAXUINT64 },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;
      guint64 span = G_MAXUINT64;
      gboolean good = tfd_config_parse_time (cases[i].text, &span, &error);

      g_test_message ("time span ‘%s’", cases[i].text);
      g_assert_cmpuint (span, ==, cases[i].span);
      g_assert_true (good == (error == NULL));
      g_assert_true (good == (cases[i].span != G_MAXUINT64));
    }
}

static void
assert_defaults (const TfdConfig *config)
{
  g_assert_cmpuint (config->umask, ==, 0022);
  g_assert_cmpuint (config->keep_free, ==, 268435456);
  g_assert_cmpuint (config->max_jobs_per_user, ==, 60);
  g_assert_cmpuint (config->max_jobs_per_machine, ==, 300);
  g_assert_cmpuint (config->max_files_per_job, ==, 200000);
  g_assert_cmpuint (config->max_ranges_per_file, ==, 500);
  g_assert_cmpuint (config->job_inactivity_timeout, ==, 90 * DAY);
  g_assert_cmpuint (config->maximum_download_time, ==, 90 * DAY);
  g_assert_cmpuint (config->background_jobs, ==, 4);
  g_assert_cmpuint (config->background_jobs_per_user, ==, 2);
  g_assert_cmpuint (config->worker_idle_timeout, ==, 30 * SECOND);
  g_assert_cmpuint (config->worker_timeout, ==, 60 * SECOND);
  g_assert_cmpuint (config->stop_timeout, ==, 5 * SECOND);
  g_assert_cmpuint (config->probe_timeout, ==, 5 * SECOND);
  g_assert_cmpuint (config->history_time, ==, 7 * DAY);
  g_assert_cmpuint (config->events_per_job, ==, 200);
}

static void
test_defaults (Fixture *self, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (TfdConfig) built_in = tfd_config_load (NULL, FALSE, &error);

  g_assert_no_error (error);
  assert_defaults (built_in);

  g_autoptr (TfdConfig) absent = tfd_config_load (self->path, FALSE, &error);
  g_assert_no_error (error);
  assert_defaults (absent);

  g_assert_null (tfd_config_load (self->path, TRUE, &error));
  g_assert_error (error, G_FILE_ERROR, G_FILE_ERROR_NOENT);
  g_assert_nonnull (strstr (error->message, self->path));
}

static void
test_drop_ins (Fixture *self, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (GError) error = NULL;

  write_file (self->path, "[Service]\nMaxJobsPerUser=1\nMaxJobsPerMachine = 1 \nUMask=077\n");
  write_drop_in (self, "20-b.conf", "[Service]\nMaxJobsPerUser=3\n");
  write_drop_in (self, "10-a.conf", "# comment\n\n[Service]\nMaxJobsPerUser=2\nKeepFree=1G\n");
  write_drop_in (self, "30-c.conf.bak", "[Service]\nMaxJobsPerUser=4\n");

  g_autoptr (TfdConfig) config = tfd_config_load (self->path, TRUE, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (config->max_jobs_per_user, ==, 3);
  g_assert_cmpuint (config->max_jobs_per_machine, ==, 1);
  g_assert_cmpuint (config->keep_free, ==, 1 << 30);
  g_assert_cmpuint (config->umask, ==, 077);
  g_assert_cmpuint (config->events_per_job, ==, 200);
}

static void
test_errors (Fixture *self, gconstpointer data G_GNUC_UNUSED)
{
  static const struct
  {
    const char *text;
    const char *told; /* besides the path */
  } cases[] = {
    { "[Service]\nMaxJobPerUser=1\n", "unknown key ‘MaxJobPerUser’ in section [Service]" },
    { "[Servce]\nMaxJobsPerUser=1\n", "unknown section [Servce]" },
    { "[Service]\nMaxJobsPerUser=many\n", "MaxJobsPerUser: ‘many’ is not a number" },
    { "[Service]\nMaxJobsPerUser=0\n", "MaxJobsPerUser: ‘0’ is not between 1 and 100000" },
    { "[Service]\nMaxJobsPerUser=\n", "MaxJobsPerUser: ‘’ is not a number" },
    { "[Service]\nUMask=0888\n", "UMask: ‘0888’ is not a file mode" },
    { "[Service]\nUMask=01777\n", "UMask: ‘01777’ is not between 0000 and 0777" },
    { "[Service]\nHistoryTime=7x\n", "HistoryTime: ‘7x’ is not a time span" },
    { "[Service]\nWorkerTimeout=1ms\n", "WorkerTimeout: ‘1ms’ is not between 1s and 1d" },
    { "[Service]\nStopTimeout=2h\n", "StopTimeout: ‘2h’ is not between 100ms and 3600s" },
    { "[Service]\nKeepFree=lots\n", "KeepFree: ‘lots’ is not a size" },
    { "MaxJobsPerUser=1\n", "" },
    { "[Service]\nMaxJobsPerUser\n", "" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;

      write_file (self->path, cases[i].text);
      g_assert_null (tfd_config_load (self->path, FALSE, &error));
      g_test_message ("%s", error->message);
      g_assert_nonnull (strstr (error->message, self->path));
      g_assert_nonnull (strstr (error->message, cases[i].told));
    }
}

static void
test_error_in_drop_in (Fixture *self, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (GError) error = NULL;

  write_drop_in (self, "bad.conf", "[Service]\nNo=1\n");
  g_assert_null (tfd_config_load (self->path, FALSE, &error));
  g_assert_nonnull (strstr (error->message, "transferd.conf.d/bad.conf"));
}

/* The rows "Key=value" of a text whose lines are @prefix, row, @suffix. */
static char **
rows_of (const char *relative, const char *prefix, const char *suffix)
{
  g_autofree char *path = g_build_filename (g_getenv ("TFD_SOURCE_ROOT"), relative, NULL);
  g_autofree char *text = NULL;
  g_autoptr (GError) error = NULL;
  GPtrArray *rows = g_ptr_array_new ();

  g_file_get_contents (path, &text, NULL, &error);
  g_assert_no_error (error);

  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  for (guint i = 0; lines[i] != NULL; i++)
    if (g_str_has_prefix (lines[i], prefix) && g_str_has_suffix (lines[i], suffix) &&
        strchr (lines[i], '=') != NULL && strchr (lines[i], ' ') == NULL)
      g_ptr_array_add (rows, g_strndup (lines[i] + strlen (prefix),
                                        strlen (lines[i]) - strlen (prefix) - strlen (suffix)));
  g_ptr_array_add (rows, NULL);
  return (char **) g_ptr_array_free (rows, FALSE);
}

static int
compare_rows (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const char *const *) a, *(const char *const *) b);
}

static void
assert_same_rows (char **documented, char **table)
{
  qsort (documented, g_strv_length (documented), sizeof *documented, compare_rows);
  qsort (table, g_strv_length (table), sizeof *table, compare_rows);
  g_assert_cmpstrv (documented, table);
}

static void
test_documentation (void)
{
  g_auto (GStrv) table = tfd_config_document ();
  g_auto (GStrv) sample = rows_of ("data/transferd.conf", "#", "");
  g_auto (GStrv) manual = rows_of ("docs/man/transferd.conf.5.rst", "``", "``");

  assert_same_rows (sample, table);
  assert_same_rows (manual, table);
}

static void
test_sample_loads (void)
{
  g_autofree char *path =
      g_build_filename (g_getenv ("TFD_SOURCE_ROOT"), "data", "transferd.conf", NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (TfdConfig) config = tfd_config_load (path, TRUE, &error);

  g_assert_no_error (error);
  assert_defaults (config);
}

#define ADD(path, function) g_test_add (path, Fixture, NULL, set_up, function, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/base/config/sizes", test_sizes);
  g_test_add_func ("/base/config/times", test_times);
  ADD ("/base/config/defaults", test_defaults);
  ADD ("/base/config/drop-ins", test_drop_ins);
  ADD ("/base/config/errors", test_errors);
  ADD ("/base/config/error-in-drop-in", test_error_in_drop_in);
  g_test_add_func ("/base/config/documentation", test_documentation);
  g_test_add_func ("/base/config/sample-loads", test_sample_loads);
  return g_test_run ();
}
