/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Screen: one line on the terminal that is drawn again and again. */
#pragma once

#include "client/transferctl/ctl.h"

G_BEGIN_DECLS

typedef struct
{
  gboolean live; /* stderr is a terminal, and talk is wanted */
  int drawn;     /* columns of the line that stands there, 0 = none */
} CtlScreen;

void ctl_screen_init (CtlScreen *screen, Ctl *ctl);

/* How wide a line may be now; 0 when nothing is to be drawn: no terminal, or it belongs to another
 * program at the moment. */
int ctl_screen_width (CtlScreen *screen);

/* Puts @line, at most ctl_screen_width () wide, in the place of the last one. */
void ctl_screen_draw (CtlScreen *screen, const char *line);

/* Takes the line away. */
void ctl_screen_clear (CtlScreen *screen);

G_END_DECLS
