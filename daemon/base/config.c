/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Configuration: the table of keys, and what they are set to. */
#include "base/config.h"

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
  KEY ("IdleTimeout", TIME, idle_timeout, "60s", 0, 3660 * DAY),
  KEY ("WorkerIdleTimeout", TIME, worker_idle_timeout, "30s", 0, DAY),
  KEY ("WorkerTimeout", TIME, worker_timeout, "60s", SECOND, DAY),
  KEY ("StopTimeout", TIME, stop_timeout, "5s", SECOND / 10, 3600 * SECOND),
  KEY ("ProbeTimeout", TIME, probe_timeout, "5s", SECOND / 10, 3600 * SECOND),
  KEY ("AuthorizationTimeout", TIME, authorization_timeout, "25s", SECOND / 10, 3600 * SECOND),
  KEY ("HistoryTime", TIME, history_time, "7d", 0, 3660 * DAY),
  KEY ("EventsPerJob", NUMBER, events_per_job, "200", 1, 100000),
  KEY ("PowerSaverBlocks", BOOLEAN, power_saver_blocks, "yes", 0, 1),
  KEY ("BatteryBlocks", BOOLEAN, battery_blocks, "no", 0, 1),
  KEY ("BlockedHours", HOURS, blocked_hours, "", 0, 0),
  { NULL, NULL, 0, 0, NULL, 0, 0 },
};

/* No member without a row; the calendar is the last of them. */
G_STATIC_ASSERT (G_N_ELEMENTS (table) - 1 ==
                 G_STRUCT_OFFSET (TfdConfig, blocked_hours) / sizeof (guint64) + 1);

static gboolean
parse_number (const char *text, guint base, const char *expected, guint64 *number, GError **error)
{
  if (g_ascii_string_to_unsigned (text, base, 0, G_MAXUINT64, number, NULL))
    return TRUE;
  g_set_error (error, G_KEY_FILE_ERROR, G_KEY_FILE_ERROR_INVALID_VALUE, "‘%s’ is not %s", text,
               expected);
  return FALSE;
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
    case TFD_CONFIG_BOOLEAN:
      return tfd_config_parse_boolean (text, value, error);
    case TFD_CONFIG_HOURS:
    default:
      g_assert_not_reached ();
    }
}

static gboolean
set_number (TfdConfig *self, const TfdConfigKey *key, const char *text, GError **error)
{
  guint64 value;

  if (!parse_value (key, text, &value, error))
    return FALSE;
  if (value < key->minimum || value > key->maximum)
    {
      g_autofree char *minimum = tfd_config_format (key->type, key->minimum);
      g_autofree char *maximum = tfd_config_format (key->type, key->maximum);

      g_set_error (error, G_KEY_FILE_ERROR, G_KEY_FILE_ERROR_INVALID_VALUE,
                   "‘%s’ is not between %s and %s", text, minimum, maximum);
      return FALSE;
    }

  G_STRUCT_MEMBER (guint64, self, key->offset) = value;
  return TRUE;
}

static gboolean
set_hours (TfdConfig *self, const TfdConfigKey *key, const char *text, GError **error)
{
  TfdCalendar **member = &G_STRUCT_MEMBER (TfdCalendar *, self, key->offset);
  TfdCalendar *calendar = tfd_calendar_parse (text, error);

  if (calendar == NULL)
    return FALSE;
  g_clear_pointer (member, tfd_calendar_free);
  *member = calendar;
  return TRUE;
}

gboolean
tfd_config_set (TfdConfig *self, const TfdConfigKey *key, const char *text, GError **error)
{
  if (*text == '\0')
    text = key->default_value;
  return key->type == TFD_CONFIG_HOURS ? set_hours (self, key, text, error)
                                       : set_number (self, key, text, error);
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

      tfd_config_set (self, key, key->default_value, &error);
      g_assert_no_error (error); /* the table is wrong */
    }
  return self;
}

void
tfd_config_free (TfdConfig *config)
{
  tfd_calendar_free (config->blocked_hours);
  g_free (config);
}

void
tfd_config_assign (TfdConfig *to, const TfdConfig *from)
{
  TfdCalendar *blocked_hours = tfd_calendar_copy (from->blocked_hours);

  tfd_calendar_free (to->blocked_hours);
  *to = *from;
  to->blocked_hours = blocked_hours;
}
