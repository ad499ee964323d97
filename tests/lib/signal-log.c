/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Signal log: what was told, in order, as lines of text. */
#include "signal-log.h"

struct _TfdSignalLog
{
  GString *text; /* (owned) lines, each but the last with its end */
};

/* The log that catches warnings: writers cannot be changed once set. */
static TfdSignalLog *catcher;

TfdSignalLog *
tfd_signal_log_new (void)
{
  TfdSignalLog *self = g_new0 (TfdSignalLog, 1);

  self->text = g_string_new (NULL);
  return self;
}

void
tfd_signal_log_free (TfdSignalLog *self)
{
  g_assert_cmpstr (self->text->str, ==, "");
  if (catcher == self)
    catcher = NULL;
  g_string_free (self->text, TRUE);
  g_free (self);
}

void
tfd_signal_log_add (TfdSignalLog *self, const char *format, ...)
{
  va_list arguments;

  if (self->text->len > 0)
    g_string_append_c (self->text, '\n');
  va_start (arguments, format);
  g_string_append_vprintf (self->text, format, arguments);
  va_end (arguments);
}

static GLogWriterOutput
writer (GLogLevelFlags level, const GLogField *fields, gsize n_fields, gpointer data)
{
  if (level == G_LOG_LEVEL_WARNING && catcher != NULL)
    tfd_signal_log_add (catcher, "warning");
  else if (level == G_LOG_LEVEL_MESSAGE || level == G_LOG_LEVEL_INFO)
    return G_LOG_WRITER_HANDLED;
  else
    return g_log_writer_default (level, fields, n_fields, data);
  return g_log_writer_standard_streams (level, fields, n_fields, data);
}

void
tfd_signal_log_catch_warnings (TfdSignalLog *self)
{
  static gboolean set;

  catcher = self;
  if (set)
    return;
  set = TRUE;
  g_log_set_writer_func (writer, NULL, NULL);
}

void
tfd_signal_log_assert (TfdSignalLog *self, const char *expected)
{
  g_assert_cmpstr (self->text->str, ==, expected);
  tfd_signal_log_clear (self);
}

void
tfd_signal_log_assert_has (TfdSignalLog *self, const char *expected)
{
  g_auto (GStrv) wanted = g_strsplit (expected, "\n", -1);
  g_auto (GStrv) lines = g_strsplit (self->text->str, "\n", -1);
  guint found = 0;

  for (guint i = 0; lines[i] != NULL && wanted[found] != NULL; i++)
    found += g_str_equal (lines[i], wanted[found]);
  if (wanted[found] != NULL)
    g_error ("‘%s’ is not told, or not in this order:\n%s", wanted[found], self->text->str);
  tfd_signal_log_clear (self);
}

void
tfd_signal_log_clear (TfdSignalLog *self)
{
  g_string_truncate (self->text, 0);
}
