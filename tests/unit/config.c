/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Tests of the configuration: values, files, errors, and that table, manual and sample agree. */
#include "base/config.h"

#include <glib/gstdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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

      if (g_file_test (path, G_FILE_TEST_IS_DIR))
        remove_all (path);
      else
        g_unlink (path);
    }
  g_rmdir (directory);
}

static void
tear_down (Fixture *self, gconstpointer data G_GNUC_UNUSED)
{
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
  g_assert_cmpuint (config->power_saver_blocks, ==, 1);
  g_assert_cmpuint (config->battery_blocks, ==, 0);
  g_autoptr (TfdCalendar) never = tfd_calendar_parse ("", NULL);
  g_assert_true (tfd_calendar_equal (config->blocked_hours, never));
}

/* What a load says. */
static GPtrArray *
new_warnings (void)
{
  return g_ptr_array_new_with_free_func (g_free);
}

static TfdConfig *
load_quietly (const char *path)
{
  g_autoptr (GPtrArray) warnings = new_warnings ();
  g_autoptr (GError) error = NULL;
  TfdConfig *config = tfd_config_load (path, warnings, &error);

  g_assert_no_error (error);
  for (guint i = 0; i < warnings->len; i++)
    g_test_message ("%s", (const char *) warnings->pdata[i]);
  g_assert_cmpuint (warnings->len, ==, 0);
  return config;
}

static void
test_defaults (Fixture *self, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) warnings = new_warnings ();
  g_autoptr (TfdConfig) built_in = tfd_config_new ();
  const char *const nowhere[] = { self->path, NULL };

  assert_defaults (built_in);
  g_autoptr (TfdConfig) absent = tfd_config_load_directories (nowhere, warnings);
  assert_defaults (absent);
  g_assert_cmpuint (warnings->len, ==, 0);

  g_assert_null (tfd_config_load (self->path, warnings, &error));
  g_assert_error (error, G_FILE_ERROR, G_FILE_ERROR_NOENT);
  g_assert_nonnull (strstr (error->message, self->path));
}

static void
test_drop_ins (Fixture *self, gconstpointer data G_GNUC_UNUSED)
{
  write_file (self->path, "[Service]\nMaxJobsPerUser=1\nMaxJobsPerMachine = 1 \nUMask=077\n"
                          "EventsPerJob=7\n");
  write_drop_in (self, "20-b.conf", "[Service]\nMaxJobsPerUser=3\nEventsPerJob=\n");
  write_drop_in (self, "10-a.conf", "# comment\n\n[Service]\nMaxJobsPerUser=2\nKeepFree=1G\n");
  write_drop_in (self, "30-c.conf.bak", "[Service]\nMaxJobsPerUser=4\n");
  write_drop_in (self, ".40-d.conf", "[Service]\nMaxJobsPerUser=5\n");

  g_autoptr (TfdConfig) config = load_quietly (self->path);
  g_assert_cmpuint (config->max_jobs_per_user, ==, 3);
  g_assert_cmpuint (config->max_jobs_per_machine, ==, 1);
  g_assert_cmpuint (config->keep_free, ==, 1 << 30);
  g_assert_cmpuint (config->umask, ==, 077);
  g_assert_cmpuint (config->events_per_job, ==, 200);
}

static void
write_at (Fixture *self, const char *name, const char *text)
{
  g_autofree char *path = g_build_filename (self->dir, name, NULL);
  g_autofree char *directory = g_path_get_dirname (path);

  g_assert_cmpint (g_mkdir_with_parents (directory, 0700), ==, 0);
  if (text != NULL)
    write_file (path, text);
  else
    g_assert_cmpint (symlink ("/dev/null", path), ==, 0);
}

static TfdConfig *
load_directories (Fixture *self)
{
  g_autoptr (GPtrArray) warnings = new_warnings ();
  g_autofree char *etc = g_build_filename (self->dir, "etc", NULL);
  g_autofree char *run = g_build_filename (self->dir, "run", NULL);
  g_autofree char *lib = g_build_filename (self->dir, "lib", NULL);
  const char *const directories[] = { etc, run, lib, NULL };
  TfdConfig *config = tfd_config_load_directories (directories, warnings);

  g_assert_cmpuint (warnings->len, ==, 0);
  return config;
}

/* As systemd does it: the first main file only, drop-ins of all directories by name, and of equal
 * names the one of the administrator. */
static void
test_precedence (Fixture *self, gconstpointer data G_GNUC_UNUSED)
{
  write_at (self, "lib/transferd.conf", "[Service]\nMaxJobsPerUser=1\nMaxJobsPerMachine=11\n");
  g_autoptr (TfdConfig) vendor = load_directories (self);
  g_assert_cmpuint (vendor->max_jobs_per_user, ==, 1);

  write_at (self, "run/transferd.conf", "[Service]\nMaxJobsPerUser=2\n");
  g_autoptr (TfdConfig) runtime = load_directories (self);
  g_assert_cmpuint (runtime->max_jobs_per_user, ==, 2);
  g_assert_cmpuint (runtime->max_jobs_per_machine, ==, 300);

  write_at (self, "etc/transferd.conf", "[Service]\nMaxJobsPerUser=3\nEventsPerJob=30\n");
  write_at (self, "lib/transferd.conf.d/50-a.conf", "[Service]\nMaxJobsPerUser=4\nUMask=01\n");
  write_at (self, "lib/transferd.conf.d/70-b.conf", "[Service]\nMaxJobsPerUser=5\n");
  write_at (self, "etc/transferd.conf.d/60-c.conf", "[Service]\nMaxJobsPerUser=6\nKeepFree=1K\n");
  g_autoptr (TfdConfig) sorted = load_directories (self);
  g_assert_cmpuint (sorted->max_jobs_per_user, ==, 5);
  g_assert_cmpuint (sorted->events_per_job, ==, 30);
  g_assert_cmpuint (sorted->keep_free, ==, 1024);
  g_assert_cmpuint (sorted->umask, ==, 1);

  write_at (self, "run/transferd.conf.d/50-a.conf", "[Service]\nUMask=02\n");
  g_autoptr (TfdConfig) replaced = load_directories (self);
  g_assert_cmpuint (replaced->umask, ==, 2);

  write_at (self, "etc/transferd.conf.d/50-a.conf", NULL);
  write_at (self, "run/transferd.conf.d/70-b.conf", "");
  g_autoptr (TfdConfig) masked = load_directories (self);
  g_assert_cmpuint (masked->umask, ==, 0022);
  g_assert_cmpuint (masked->max_jobs_per_user, ==, 6);
}

static void
test_main_file_masked (Fixture *self, gconstpointer data G_GNUC_UNUSED)
{
  write_at (self, "lib/transferd.conf", "[Service]\nMaxJobsPerUser=1\n");
  write_at (self, "etc/transferd.conf", NULL);
  g_autoptr (TfdConfig) config = load_directories (self);

  assert_defaults (config);
}

/* A mistake is told, with its place, and everything else counts. */
static void
test_warnings (Fixture *self, gconstpointer data G_GNUC_UNUSED)
{
  static const struct
  {
    const char *text;
    const char *told; /* after the path; NULL: nothing */
  } cases[] = {
    { "[Service]\nMaxJobPerUser=1\n",
      ", line 2: unknown key ‘MaxJobPerUser’ in section [Service]; it is left out" },
    { "\n\n[Servce]\nMaxJobsPerUser=1\n", ", line 3: unknown section [Servce]; it is left out" },
    { "[Service\nMaxJobsPerUser=1\n",
      ", line 1: ‘[Service’ is no section; what is in it is left out" },
    { "[Service]\nMaxJobsPerUser=many\n",
      ", line 2: MaxJobsPerUser: ‘many’ is not a number; the default applies" },
    { "[Service]\n# a\n\nMaxJobsPerUser=0\n",
      ", line 4: MaxJobsPerUser: ‘0’ is not between 1 and 100000; the default applies" },
    { "[Service]\nMaxJobsPerUser=7\nMaxJobsPerUser=-7\n",
      ", line 3: MaxJobsPerUser: ‘-7’ is not a number; the default applies" },
    { "[Service]\nUMask=0888\n",
      ", line 2: UMask: ‘0888’ is not a file mode (octal, as 0022); the default applies" },
    { "[Service]\nUMask=01777\n",
      ", line 2: UMask: ‘01777’ is not between 0000 and 0777; the default applies" },
    { "[Service]\nHistoryTime=7x\n", ", line 2: HistoryTime: ‘7x’ is not a time span (as 90d, 1h "
                                     "30min, 500ms); the default applies" },
    { "[Service]\nWorkerTimeout=1ms\n",
      ", line 2: WorkerTimeout: ‘1ms’ is not between 1s and 1d; the default applies" },
    { "[Service]\nStopTimeout=2h\n",
      ", line 2: StopTimeout: ‘2h’ is not between 100ms and 3600s; the default applies" },
    { "[Service]\nKeepFree=lots\n",
      ", line 2: KeepFree: ‘lots’ is not a size (as 500K, 256M, 4G); the default applies" },
    { "[Service]\nPowerSaverBlocks=maybe\n",
      ", line 2: PowerSaverBlocks: ‘maybe’ is not yes or no; the default applies" },
    { "[Service]\nBlockedHours=Mon 25:00-26:00\n",
      ", line 2: BlockedHours: ‘25:00’ is not between 00:00 and 24:00; the default applies" },
    { "MaxJobsPerUser=1\n", ", line 1: ‘MaxJobsPerUser=1’ is in no section; it is left out" },
    { "[Service]\nMaxJobsPerUser\n",
      ", line 2: ‘MaxJobsPerUser’ is not a line of the form Key=value; it is left out" },
    { "[Service]\n=1\n", ", line 2: ‘=1’ is not a line of the form Key=value; it is left out" },
    { "[Service]\n\xff=1\n",
      ", line 2: unknown key ‘\357\277\275’ in section [Service]; it is left out" },
    { "[X-Mine]\nMaxJobsPerUser=1\n[Service]\nX-Reason=because\n ; comment\n", NULL },
    { "[Service]\nMaxJobsPerUser=\nBlockedHours=\n", NULL },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (GPtrArray) warnings = new_warnings ();
      g_autofree char *text = g_strconcat (cases[i].text, "[Service]\nEventsPerJob=9\n", NULL);
      g_autofree char *told = g_strdup_printf ("‘%s’%s", self->path, cases[i].told);

      write_file (self->path, text);
      g_autoptr (TfdConfig) config = tfd_config_load (self->path, warnings, &error);
      g_assert_no_error (error);
      g_assert_cmpuint (warnings->len, ==, cases[i].told != NULL ? 1 : 0);
      if (cases[i].told != NULL)
        g_assert_cmpstr (warnings->pdata[0], ==, told);
      g_assert_cmpuint (config->events_per_job, ==, 9);
      config->events_per_job = 200;
      assert_defaults (config);
    }
}

static void
test_warning_in_drop_in (Fixture *self, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (GPtrArray) warnings = new_warnings ();
  g_autoptr (GError) error = NULL;

  write_file (self->path, "[Service]\nMaxJobsPerUser=7\nEventsPerJob=7\n");
  write_drop_in (self, "bad.conf", "[Service]\nMaxJobsPerUser=x\n");
  g_autoptr (TfdConfig) config = tfd_config_load (self->path, warnings, &error);

  g_assert_no_error (error);
  g_assert_cmpuint (warnings->len, ==, 1);
  g_assert_nonnull (strstr (warnings->pdata[0], "transferd.conf.d/bad.conf’, line 2: MaxJobs"));
  g_assert_cmpuint (config->max_jobs_per_user, ==, 60);
  g_assert_cmpuint (config->events_per_job, ==, 7);
}

static void
test_booleans (Fixture *self, gconstpointer data G_GNUC_UNUSED)
{
  static const char *const words[][4] = { { "no", "false", "Off", "0" },
                                          { "yes", "True", "on", "1" } };

  for (guint truth = 0; truth < 2; truth++)
    for (gsize i = 0; i < 4; i++)
      {
        g_autofree char *text = g_strdup_printf (
            "[Service]\nPowerSaverBlocks=%s\nBatteryBlocks=%s\n", words[truth][i], words[truth][i]);

        write_file (self->path, text);
        g_autoptr (TfdConfig) config = load_quietly (self->path);
        g_assert_cmpuint (config->power_saver_blocks, ==, truth);
        g_assert_cmpuint (config->battery_blocks, ==, truth);
      }
}

static void
test_assign (Fixture *self, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (TfdConfig) config = tfd_config_new ();
  g_autoptr (GError) error = NULL;
  g_autoptr (TfdCalendar) night = tfd_calendar_parse ("22:00-06:00", &error);

  write_file (self->path, "[Service]\nBlockedHours= 22:00-06:00 \nMaxJobsPerUser=7\n");
  TfdConfig *loaded = load_quietly (self->path);
  tfd_config_assign (config, loaded);
  tfd_config_assign (config, config);
  tfd_config_free (loaded);
  g_assert_true (tfd_calendar_equal (config->blocked_hours, night));
  g_assert_cmpuint (config->max_jobs_per_user, ==, 7);
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
  g_autoptr (TfdConfig) config = load_quietly (path);

  assert_defaults (config);
}

/* The defaults, uncommented, are allowed values. */
static void
test_sample_uncommented (Fixture *self, gconstpointer data G_GNUC_UNUSED)
{
  g_auto (GStrv) rows = rows_of ("data/transferd.conf", "#", "");
  g_autofree char *lines = g_strjoinv ("\n", rows);
  g_autofree char *text = g_strconcat ("[Service]\n", lines, NULL);

  write_file (self->path, text);
  g_autoptr (TfdConfig) config = load_quietly (self->path);
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
  ADD ("/base/config/precedence", test_precedence);
  ADD ("/base/config/main-file-masked", test_main_file_masked);
  ADD ("/base/config/warnings", test_warnings);
  ADD ("/base/config/warning-in-drop-in", test_warning_in_drop_in);
  ADD ("/base/config/booleans", test_booleans);
  ADD ("/base/config/assign", test_assign);
  g_test_add_func ("/base/config/documentation", test_documentation);
  g_test_add_func ("/base/config/sample-loads", test_sample_loads);
  ADD ("/base/config/sample-uncommented", test_sample_uncommented);
  return g_test_run ();
}
