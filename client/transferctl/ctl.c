/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* transferctl: what all verbs share. */
#include "config.h"
#include "client/transferctl/ctl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "client/transferctl/format.h"
#include "client/transferctl/json.h"

void
ctl_say (Ctl *ctl, const char *format, ...)
{
  g_autofree char *text = NULL;
  g_autofree char *clean = NULL;
  va_list arguments;

  if (ctl->quiet)
    return;
  va_start (arguments, format);
  text = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  clean = ctl_clean_text (text);
  fprintf (stderr, "%s\n", clean);
}

static void
complain (const char *text)
{
  g_autofree char *clean = ctl_clean_text (text);

  fprintf (stderr, "transferctl: %s\n", clean);
}

int
ctl_fail (Ctl *ctl, const char *format, ...)
{
  g_autofree char *text = NULL;
  va_list arguments;

  (void) ctl;
  va_start (arguments, format);
  text = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  complain (text);
  return CTL_FAILED;
}

int
ctl_fail_usage (Ctl *ctl, const char *format, ...)
{
  g_autofree char *text = NULL;
  va_list arguments;

  va_start (arguments, format);
  text = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  complain (text);
  if (ctl->verb != NULL)
    fprintf (stderr, "usage: transferctl %s %s\nTry \"transferctl %s --help\".\n", ctl->verb->name,
             ctl->verb->arguments, ctl->verb->name);
  else
    fprintf (stderr, "Try \"transferctl --help\".\n");
  return CTL_USAGE;
}

static gboolean
is_session_bus (Ctl *ctl)
{
  const char *bus = ctl->bus != NULL ? ctl->bus : g_getenv ("TRANSFERD_BUS");

  return g_strcmp0 (bus, "session") == 0;
}

int
ctl_fail_error (Ctl *ctl, const char *about, GError *error)
{
  const char *hint = ctl_hint (error, is_session_bus (ctl));

  if (about != NULL)
    ctl_fail (ctl, "%s: %s", about, error->message);
  else
    ctl_fail (ctl, "%s", error->message);
  if (hint != NULL)
    fprintf (stderr, "%s\n", hint);
  g_error_free (error);
  return CTL_FAILED;
}

int
ctl_terminal_width (int fd)
{
  struct winsize size;
  const char *columns;

  if (!isatty (fd))
    return 0;
  if (ioctl (fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
    return size.ws_col;
  columns = g_getenv ("COLUMNS");
  return columns != NULL && atoi (columns) > 0 ? atoi (columns) : 80;
}

CtlLook
ctl_look (Ctl *ctl)
{
  CtlLook look = { .json = ctl->json,
                   .colour = ctl->colour,
                   .unicode = ctl->unicode,
                   .width = ctl_terminal_width (STDOUT_FILENO) };

  return look;
}

void
ctl_print_table (Ctl *ctl, CtlTable *table)
{
  CtlLook look = ctl_look (ctl);
  g_autofree char *text = ctl_table_format (table, &look);

  fputs (text, stdout);
}

void
ctl_print_json (GVariant *value)
{
  g_autoptr (GVariant) sunk = g_variant_ref_sink (value);
  g_autoptr (GString) json = g_string_new (NULL);

  ctl_json_append_value (json, sunk);
  puts (json->str);
}

void
ctl_async_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  GAsyncResult **place = user_data;

  (void) source;
  *place = g_object_ref (result);
}

void
ctl_await (GAsyncResult **result)
{
  while (*result == NULL)
    g_main_context_iteration (NULL, TRUE);
}

char *
ctl_short_id (const char *id)
{
  return g_strndup (id, 8);
}

const char *
ctl_error_name (const char *name)
{
  const char *dot = strrchr (name, '.');

  return dot != NULL ? dot + 1 : name;
}

CtlStyle
ctl_state_style (const char *state)
{
  static const struct
  {
    const char *state;
    CtlStyle style;
  } styles[] = {
    { "connecting", CTL_STYLE_BUSY },
    { "transferring", CTL_STYLE_BUSY },
    { "transferred", CTL_STYLE_GOOD },
    { "acknowledged", CTL_STYLE_GOOD },
    { "completed", CTL_STYLE_GOOD },
    { "partial", CTL_STYLE_WARN },
    { "transient-error", CTL_STYLE_WARN },
    { "missing", CTL_STYLE_WARN },
    { "error", CTL_STYLE_BAD },
    { "expired", CTL_STYLE_BAD },
    { "suspended", CTL_STYLE_DIM },
    { "cancelled", CTL_STYLE_DIM },
  };

  for (guint i = 0; i < G_N_ELEMENTS (styles); i++)
    if (g_str_equal (styles[i].state, state))
      return styles[i].style;
  return CTL_STYLE_PLAIN;
}
