/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Configuration: the table of keys, and the files that are read through it. */
#include "base/config.h"

#include <string.h>

#define DAY (G_GUINT64_CONSTANT (86400) * G_USEC_PER_SEC)
#define SECOND ((guint64) G_USEC_PER_SEC)

#define KEY(name, type, member, default_value, minimum, maximum)                                   \
  {                                                                                                \
    "Service", name, TFD_CONFIG_##type, G_STRUCT_OFFSET (TfdConfig, member), default_value,        \
        minimum, maximum                                                                           \
  }

static const TfdConfigKey table[] = {
  KEY ("UMask", MODE, umask, "0022", 0, 0777),
  KEY ("KeepFree", SIZE, keep_free, "256M", 0, G_MAXINT64),
  KEY ("MaxJobsPerUser", NUMBER, max_jobs_per_user, "60", 1, 100000),
  KEY ("MaxJobsPerMachine", NUMBER, max_jobs_per_machine, "300", 1, 1000000),
  KEY ("MaxFilesPerJob", NUMBER, max_files_per_job, "200000", 1, 10000000),
  KEY ("MaxRangesPerFile", NUMBER, max_ranges_per_file, "500", 1, 100000),
  KEY ("JobInactivityTimeout", TIME, job_inactivity_timeout, "90d", 60 * SECOND, 3660 * DAY),
  KEY ("MaximumDownloadTime", TIME, maximum_download_time, "90d", 60 * SECOND, 3660 * DAY),
  KEY ("BackgroundJobs", NUMBER, background_jobs, "4", 1, 100),
  KEY ("BackgroundJobsPerUser", NUMBER, background_jobs_per_user, "2", 1, 100),
  KEY ("TimeSlice", TIME, time_slice, "60s", SECOND, DAY),
  KEY ("WorkerIdleTimeout", TIME, worker_idle_timeout, "30s", 0, DAY),
  KEY ("WorkerTimeout", TIME, worker_timeout, "60s", SECOND, DAY),
  KEY ("StopTimeout", TIME, stop_timeout, "5s", SECOND / 10, 3600 * SECOND),
  KEY ("ProbeTimeout", TIME, probe_timeout, "5s", SECOND / 10, 3600 * SECOND),
  KEY ("HistoryTime", TIME, history_time, "7d", 0, 3660 * DAY),
  KEY ("EventsPerJob", NUMBER, events_per_job, "200", 1, 100000),
  { NULL, NULL, 0, 0, NULL, 0, 0 },
};

G_STATIC_ASSERT (G_N_ELEMENTS (table) - 1 == sizeof (TfdConfig) / sizeof (guint64));

/* Multiplies and adds without wrapping around. */
static gboolean
accumulate (guint64 *sum, guint64 number, guint64 unit)
{
  guint64 product;

  return g_uint64_checked_mul (&product, number, unit) && g_uint64_checked_add (sum, *sum, product);
}

static gboolean
bad_value (const char *text, const char *expected, GError **error)
{
  g_set_error (error, G_KEY_FILE_ERROR, G_KEY_FILE_ERROR_INVALID_VALUE, "‘%s’ is not %s", text,
               expected);
  return FALSE;
}

/* Reads digits at *@text and moves it behind them. */
static gboolean
read_digits (const char **text, guint64 *number)
{
  char *end = NULL;

  if (!g_ascii_isdigit (**text))
    return FALSE;
  *number = g_ascii_strtoull (*text, &end, 10);
  *text = end;
  return *number != G_MAXUINT64; /* what g_ascii_strtoull () gives when it is too large */
}

gboolean
tfd_config_parse_size (const char *text, guint64 *size, GError **error)
{
  static const char suffixes[] = "KMGT";
  const char *expected = "a size (as 500K, 256M, 4G)";
  const char *rest = text;
  guint64 number, unit = 1, result = 0;

  if (!read_digits (&rest, &number))
    return bad_value (text, expected, error);

  if (*rest != '\0')
    {
      const char *suffix = strchr (suffixes, *rest);

      if (suffix == NULL || rest[1] != '\0')
        return bad_value (text, expected, error);
      unit <<= 10 * (suffix - suffixes + 1);
    }
  if (!accumulate (&result, number, unit))
    return bad_value (text, expected, error);

  *size = result;
  return TRUE;
}

/* Microseconds of the unit of @length bytes at @name, 0 when there is no such unit. */
static guint64
time_unit (const char *name, gsize length)
{
  static const struct
  {
    const char *name;
    guint64 unit;
  } units[] = {
    { "", SECOND },
    { "us", 1 },
    { "usec", 1 },
    { "ms", SECOND / 1000 },
    { "msec", SECOND / 1000 },
    { "s", SECOND },
    { "sec", SECOND },
    { "second", SECOND },
    { "seconds", SECOND },
    { "m", 60 * SECOND },
    { "min", 60 * SECOND },
    { "minute", 60 * SECOND },
    { "minutes", 60 * SECOND },
    { "h", 3600 * SECOND },
    { "hr", 3600 * SECOND },
    { "hour", 3600 * SECOND },
    { "hours", 3600 * SECOND },
    { "d", DAY },
    { "day", DAY },
    { "days", DAY },
    { "w", 7 * DAY },
    { "week", 7 * DAY },
    { "weeks", 7 * DAY },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (units); i++)
    if (strlen (units[i].name) == length && strncmp (units[i].name, name, length) == 0)
      return units[i].unit;
  return 0;
}

gboolean
tfd_config_parse_time (const char *text, guint64 *span, GError **error)
{
  const char *expected = "a time span (as 90d, 1h 30min, 500ms)";
  const char *rest = text;
  guint64 result = 0;

  do
    {
      guint64 number;

      if (!read_digits (&rest, &number))
        return bad_value (text, expected, error);
      while (*rest == ' ')
        rest++;

      gsize length = 0;
      while (g_ascii_isalpha (rest[length]))
        length++;
      guint64 unit = time_unit (rest, length);
      if (unit == 0 || !accumulate (&result, number, unit))
        return bad_value (text, expected, error);

      rest += length;
      while (*rest == ' ')
        rest++;
    }
  while (*rest != '\0');

  *span = result;
  return TRUE;
}

static gboolean
parse_number (const char *text, guint base, const char *expected, guint64 *number, GError **error)
{
  return g_ascii_string_to_unsigned (text, base, 0, G_MAXUINT64, number, NULL) ||
         bad_value (text, expected, error);
}

static gboolean
parse_value (const TfdConfigKey *key, const char *text, guint64 *value, GError **error)
{
  switch (key->type)
    {
    case TFD_CONFIG_NUMBER:
      return parse_number (text, 10, "a number", value, error);
    case TFD_CONFIG_SIZE:
      return tfd_config_parse_size (text, value, error);
    case TFD_CONFIG_TIME:
      return tfd_config_parse_time (text, value, error);
    case TFD_CONFIG_MODE:
      return parse_number (text, 8, "a file mode (octal, as 0022)", value, error);
    default:
      g_assert_not_reached ();
    }
}

/* A limit of @key as one would write it: octal, microseconds with a unit, or a plain number. */
static char *
format_limit (const TfdConfigKey *key, guint64 limit)
{
  switch (key->type)
    {
    case TFD_CONFIG_MODE:
      return g_strdup_printf ("%04" G_GINT64_MODIFIER "o", limit);
    case TFD_CONFIG_TIME:
      if (limit % DAY == 0 && limit != 0)
        return g_strdup_printf ("%" G_GUINT64_FORMAT "d", limit / DAY);
      if (limit % SECOND == 0)
        return g_strdup_printf ("%" G_GUINT64_FORMAT "s", limit / SECOND);
      return g_strdup_printf ("%" G_GUINT64_FORMAT "ms", limit * 1000 / SECOND);
    case TFD_CONFIG_NUMBER:
    case TFD_CONFIG_SIZE:
    default:
      return g_strdup_printf ("%" G_GUINT64_FORMAT, limit);
    }
}

static gboolean
set_value (TfdConfig *self, const TfdConfigKey *key, const char *text, GError **error)
{
  guint64 value;

  if (!parse_value (key, text, &value, error))
    return FALSE;
  if (value < key->minimum || value > key->maximum)
    {
      g_autofree char *minimum = format_limit (key, key->minimum);
      g_autofree char *maximum = format_limit (key, key->maximum);

      g_set_error (error, G_KEY_FILE_ERROR, G_KEY_FILE_ERROR_INVALID_VALUE,
                   "‘%s’ is not between %s and %s", text, minimum, maximum);
      return FALSE;
    }

  G_STRUCT_MEMBER (guint64, self, key->offset) = value;
  return TRUE;
}

static const TfdConfigKey *
find_key (const char *group, const char *name)
{
  for (const TfdConfigKey *key = table; key->key != NULL; key++)
    if (g_str_equal (key->group, group) && g_str_equal (key->key, name))
      return key;
  return NULL;
}

static gboolean
is_group (const char *group)
{
  for (const TfdConfigKey *key = table; key->key != NULL; key++)
    if (g_str_equal (key->group, group))
      return TRUE;
  return FALSE;
}

static gboolean
load_group (TfdConfig *self, GKeyFile *file, const char *group, GError **error)
{
  if (!is_group (group))
    {
      g_set_error (error, G_KEY_FILE_ERROR, G_KEY_FILE_ERROR_GROUP_NOT_FOUND,
                   "unknown section [%s]", group);
      return FALSE;
    }

  g_auto (GStrv) names = g_key_file_get_keys (file, group, NULL, NULL);
  for (guint i = 0; names[i] != NULL; i++)
    {
      const TfdConfigKey *key = find_key (group, names[i]);
      g_autofree char *value = g_key_file_get_value (file, group, names[i], NULL);

      if (key == NULL)
        {
          g_set_error (error, G_KEY_FILE_ERROR, G_KEY_FILE_ERROR_KEY_NOT_FOUND,
                       "unknown key ‘%s’ in section [%s]", names[i], group);
          return FALSE;
        }
      if (!set_value (self, key, g_strstrip (value), error))
        {
          g_prefix_error (error, "%s: ", key->key);
          return FALSE;
        }
    }
  return TRUE;
}

static gboolean
load_file (TfdConfig *self, const char *path, GError **error)
{
  g_autoptr (GKeyFile) file = g_key_file_new ();

  if (!g_key_file_load_from_file (file, path, G_KEY_FILE_NONE, error))
    {
      g_prefix_error (error, "‘%s’: ", path);
      return FALSE;
    }

  g_auto (GStrv) groups = g_key_file_get_groups (file, NULL);
  for (guint i = 0; groups[i] != NULL; i++)
    if (!load_group (self, file, groups[i], error))
      {
        g_prefix_error (error, "‘%s’: ", path);
        return FALSE;
      }
  return TRUE;
}

static int
compare_names (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const char *const *) a, *(const char *const *) b);
}

static gboolean
load_drop_ins (TfdConfig *self, const char *directory, GError **error)
{
  g_autoptr (GError) local_error = NULL;
  g_autoptr (GDir) dir = g_dir_open (directory, 0, &local_error);

  if (dir == NULL)
    {
      if (g_error_matches (local_error, G_FILE_ERROR, G_FILE_ERROR_NOENT))
        return TRUE;
      g_propagate_error (error, g_steal_pointer (&local_error));
      return FALSE;
    }

  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);
  for (const char *name = g_dir_read_name (dir); name != NULL; name = g_dir_read_name (dir))
    if (g_str_has_suffix (name, ".conf") && name[0] != '.')
      g_ptr_array_add (names, g_strdup (name));
  g_ptr_array_sort (names, compare_names);

  for (guint i = 0; i < names->len; i++)
    {
      g_autofree char *path = g_build_filename (directory, names->pdata[i], NULL);

      if (!load_file (self, path, error))
        return FALSE;
    }
  return TRUE;
}

const TfdConfigKey *
tfd_config_table (void)
{
  return table;
}

char **
tfd_config_document (void)
{
  GPtrArray *rows = g_ptr_array_new ();

  for (const TfdConfigKey *key = table; key->key != NULL; key++)
    g_ptr_array_add (rows, g_strdup_printf ("%s=%s", key->key, key->default_value));
  g_ptr_array_add (rows, NULL);
  return (char **) g_ptr_array_free (rows, FALSE);
}

TfdConfig *
tfd_config_new (void)
{
  TfdConfig *self = g_new0 (TfdConfig, 1);

  for (const TfdConfigKey *key = table; key->key != NULL; key++)
    {
      g_autoptr (GError) error = NULL;

      set_value (self, key, key->default_value, &error);
      g_assert_no_error (error); /* the table is wrong */
    }
  return self;
}

void
tfd_config_free (TfdConfig *config)
{
  g_free (config);
}

TfdConfig *
tfd_config_load (const char *path, gboolean required, GError **error)
{
  g_autoptr (TfdConfig) self = tfd_config_new ();
  g_autoptr (GError) local_error = NULL;

  if (path == NULL)
    return g_steal_pointer (&self);

  if (!load_file (self, path, &local_error) &&
      (required || !g_error_matches (local_error, G_FILE_ERROR, G_FILE_ERROR_NOENT)))
    {
      g_propagate_error (error, g_steal_pointer (&local_error));
      return NULL;
    }

  g_autofree char *directory = g_strconcat (path, ".d", NULL);
  if (!load_drop_ins (self, directory, error))
    return NULL;
  return g_steal_pointer (&self);
}
