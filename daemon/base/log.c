/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Log: structured messages with the job as fields, and debug messages by category. */
#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define LOG_DOMAIN "transferd"
#define SHORT_ID 8 /* digits of a job id that make it recognisable for people */

static TfdLogCategory enabled;

static const struct
{
  const char *name;
  TfdLogCategory category;
  const char *help;
} categories_table[] = {
  { "plan", TFD_LOG_PLAN, "why jobs start, wait and stop" },
  { "bus", TFD_LOG_BUS, "calls and signals" },
  { "worker", TFD_LOG_WORKER, "processes that transfer files" },
  { "store", TFD_LOG_STORE, "the database" },
  { "http", TFD_LOG_HTTP, "requests and answers" },
  { "all", TFD_LOG_ALL, "all of these" },
};

static const char *
category_name (TfdLogCategory category)
{
  for (gsize i = 0; i < G_N_ELEMENTS (categories_table); i++)
    if (categories_table[i].category == category)
      return categories_table[i].name;
  return "all";
}

static char *
make_help (const char *unknown)
{
  GString *help = g_string_new (NULL);

  if (unknown != NULL)
    g_string_append_printf (help, "Unknown debug category ‘%s’.\n", unknown);
  g_string_append (help, "Debug categories, separated by commas:\n");
  for (gsize i = 0; i < G_N_ELEMENTS (categories_table); i++)
    g_string_append_printf (help, "  %-8s%s\n", categories_table[i].name, categories_table[i].help);
  return g_string_free (help, FALSE);
}

gboolean
tfd_log_set_categories (const char *categories, char **help)
{
  TfdLogCategory wanted = 0;
  g_auto (GStrv) names = g_strsplit (categories != NULL ? categories : "", ",", -1);

  for (guint i = 0; names[i] != NULL; i++)
    {
      const char *name = g_strstrip (names[i]);
      gsize row = 0;

      if (*name == '\0')
        continue;
      while (row < G_N_ELEMENTS (categories_table) &&
             !g_str_equal (categories_table[row].name, name))
        row++;
      if (row == G_N_ELEMENTS (categories_table))
        {
          if (help != NULL)
            *help = make_help (g_str_equal (name, "help") ? NULL : name);
          return FALSE;
        }
      wanted |= categories_table[row].category;
    }

  enabled = wanted;
  return TRUE;
}

gboolean
tfd_log_is_enabled (TfdLogCategory category)
{
  return (enabled & category) != 0;
}

/* Ours are filtered before they come here; messages of libraries follow G_MESSAGES_DEBUG. */
static GLogWriterOutput
write_message (GLogLevelFlags level,
               const GLogField *fields,
               gsize n_fields,
               gpointer user_data G_GNUC_UNUSED)
{
  const char *domain = NULL;
  gboolean ours = FALSE;

  for (gsize i = 0; i < n_fields; i++)
    if (g_str_equal (fields[i].key, "GLIB_DOMAIN") && fields[i].length < 0)
      domain = fields[i].value;
    else if (g_str_equal (fields[i].key, "TFD_CATEGORY"))
      ours = TRUE;

  if (!ours && g_log_writer_default_would_drop (level, domain))
    return G_LOG_WRITER_HANDLED;
  if (g_log_writer_is_journald (fileno (stderr)) &&
      g_log_writer_journald (level, fields, n_fields, NULL) == G_LOG_WRITER_HANDLED)
    return G_LOG_WRITER_HANDLED;
  return g_log_writer_standard_streams (level, fields, n_fields, NULL);
}

void
tfd_log_init (void)
{
  g_log_writer_default_set_use_stderr (TRUE);
  g_log_set_writer_func (write_message, NULL, NULL);
}

/* syslog(3) priority, which the journal wants in decimal. */
static const char *
priority_of (GLogLevelFlags level)
{
  switch (level & G_LOG_LEVEL_MASK)
    {
    case G_LOG_LEVEL_ERROR:
    case G_LOG_LEVEL_CRITICAL:
      return "3";
    case G_LOG_LEVEL_WARNING:
      return "4";
    case G_LOG_LEVEL_MESSAGE:
      return "5";
    case G_LOG_LEVEL_INFO:
      return "6";
    default:
      return "7";
    }
}

typedef struct
{
  GLogField fields[9];
  gsize n;
} Fields;

/* A NULL @value leaves the field out. */
static void
add_field (Fields *self, const char *key, const char *value)
{
  if (value == NULL)
    return;
  g_assert (self->n < G_N_ELEMENTS (self->fields));
  self->fields[self->n++] = (GLogField){ key, value, -1 };
}

G_GNUC_PRINTF (5, 0)
static void
log_valist (GLogLevelFlags level,
            const char *category,
            const char *message_id,
            const TfdLogJob *job,
            const char *format,
            va_list arguments)
{
  Fields self = { .n = 0 };
  g_autofree char *text = g_strdup_vprintf (format, arguments);
  g_autofree char *message = NULL;
  char uid[16];

  if (job != NULL)
    message = g_strdup_printf ("job %.*s: %s", SHORT_ID, job->id, text);
  else
    message = g_steal_pointer (&text);

  add_field (&self, "MESSAGE", message);
  add_field (&self, "PRIORITY", priority_of (level));
  add_field (&self, "GLIB_DOMAIN", LOG_DOMAIN);
  add_field (&self, "TFD_CATEGORY", category);
  add_field (&self, "MESSAGE_ID", message_id);
  if (job != NULL)
    {
      g_snprintf (uid, sizeof uid, "%" G_GUINT32_FORMAT, job->owner_uid);
      add_field (&self, "JOB_ID", job->id);
      add_field (&self, "UID", uid);
      add_field (&self, "STATE", job->state);
      add_field (&self, "ORIGIN", job->origin);
    }

  g_log_structured_array (level, self.fields, self.n);
}

void
tfd_log_debug (TfdLogCategory category, const TfdLogJob *job, const char *format, ...)
{
  va_list arguments;

  va_start (arguments, format);
  log_valist (G_LOG_LEVEL_DEBUG, category_name (category), NULL, job, format, arguments);
  va_end (arguments);
}

void
tfd_log (
    GLogLevelFlags level, const char *message_id, const TfdLogJob *job, const char *format, ...)
{
  va_list arguments;

  va_start (arguments, format);
  log_valist (level, "life", message_id, job, format, arguments);
  va_end (arguments);
}
