/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Screen: one line on the terminal that is drawn again and again. */
#include "config.h"
#include "client/transferctl/screen.h"

#include <stdio.h>
#include <unistd.h>

void
ctl_screen_init (CtlScreen *screen, Ctl *ctl)
{
  const char *term = g_getenv ("TERM");

  screen->drawn = 0;
  screen->live = !ctl->quiet && isatty (STDERR_FILENO) && g_strcmp0 (term, "dumb") != 0;
}

int
ctl_screen_width (CtlScreen *screen)
{
  /* in the background of a shell we would write into what the user types */
  if (!screen->live || tcgetpgrp (STDERR_FILENO) != getpgrp ())
    return 0;
  /* in the last column some terminals already begin a new line */
  return MAX (ctl_terminal_width (STDERR_FILENO) - 1, 10);
}

/* Goes to the beginning of the line that was drawn; a terminal that became narrower since has
 * broken it into several. */
static void
rewind_line (CtlScreen *screen)
{
  int width = ctl_terminal_width (STDERR_FILENO);

  if (width > 0 && screen->drawn > width)
    fprintf (stderr, "\033[%dA", (screen->drawn - 1) / width);
  fputs ("\r\033[J", stderr);
}

void
ctl_screen_draw (CtlScreen *screen, const char *line)
{
  if (ctl_screen_width (screen) == 0)
    return;
  rewind_line (screen);
  fputs (line, stderr);
  fflush (stderr);
  screen->drawn = MAX (ctl_terminal_width (STDERR_FILENO) - 1, 1);
}

void
ctl_screen_clear (CtlScreen *screen)
{
  if (screen->drawn == 0)
    return;
  rewind_line (screen);
  fflush (stderr);
  screen->drawn = 0;
}
