/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Progress: how fast it goes, and the one line that shows it. Pure. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* The rate over the last seconds. */
#define CTL_RATE_SAMPLES 40

typedef struct
{
  gint64 times[CTL_RATE_SAMPLES]; /* microseconds, any clock that only goes forward */
  guint64 bytes[CTL_RATE_SAMPLES];
  guint first, n;
} CtlRate;

/* At @now there were @bytes. Less than before (a file started again) begins anew. */
void ctl_rate_add (CtlRate *rate, gint64 now, guint64 bytes);

/* Bytes per second at @now; 0 when not known yet or when nothing came for long. */
guint64 ctl_rate_get (const CtlRate *rate, gint64 now);

/* What the line shows. */
typedef struct
{
  const char *name;    /* clean text */
  guint64 done, total; /* total G_MAXUINT64 = not known */
  guint64 rate;
  guint files_done, files_total; /* shown when there is more than one */
  const char *note; /* (nullable) clean text, instead of rate and time left: why it waits */
} CtlProgress;

/* One line of at most @width columns. */
char *ctl_progress_line (const CtlProgress *progress, int width, gboolean unicode);

G_END_DECLS
