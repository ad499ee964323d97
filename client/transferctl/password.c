/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Password: from a file, from standard input, or asked for at the terminal. */
#include "config.h"
#include "client/transferctl/password.h"

#include <errno.h>
#include <gio/gio.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>

#define MAX_LINE 65537

static char *
read_line (FILE *file)
{
  g_autofree char *line = g_malloc (MAX_LINE);

  if (fgets (line, MAX_LINE, file) == NULL)
    return NULL;
  line[strcspn (line, "\r\n")] = '\0';
  return g_steal_pointer (&line);
}

static char *
ask (const char *user, GError **error)
{
  g_autofree char *password = NULL;
  struct termios before, silent;
  FILE *terminal = fopen ("/dev/tty", "r+e");

  if (terminal == NULL || tcgetattr (fileno (terminal), &before) < 0)
    {
      g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_FAILED,
                           "there is no terminal to ask for the password: use --password-file");
      g_clear_pointer (&terminal, fclose);
      return NULL;
    }
  silent = before;
  silent.c_lflag &= ~(tcflag_t) ECHO;
  fprintf (terminal, "Password for %s: ", user);
  fflush (terminal);
  tcsetattr (fileno (terminal), TCSAFLUSH, &silent);
  password = read_line (terminal);
  tcsetattr (fileno (terminal), TCSAFLUSH, &before);
  fputc ('\n', terminal);
  fclose (terminal);
  if (password == NULL)
    g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_FAILED, "no password was given");
  return g_steal_pointer (&password);
}

char *
ctl_read_password (const char *user, const char *file, GError **error)
{
  gboolean standard = g_strcmp0 (file, "-") == 0;
  g_autofree char *password = NULL;
  FILE *stream;

  if (file == NULL)
    return ask (user, error);
  stream = standard ? stdin : fopen (file, "re");
  if (stream != NULL)
    password = read_line (stream);
  if (password == NULL)
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_FAILED, "no password in ‘%s’: %s", file,
                 stream == NULL ? g_strerror (errno) : "it is empty");
  if (stream != NULL && !standard)
    fclose (stream);
  return g_steal_pointer (&password);
}
