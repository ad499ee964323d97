/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Format: numbers, times and foreign text for people. Pure. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* "12.3 MB", at most 8 columns; "?" for an unknown size. */
char *ctl_format_size (guint64 bytes);

/* "1.2 MB/s". */
char *ctl_format_rate (guint64 bytes_per_second);

/* "45 s", "3 min 05 s", "2 h 07 min", "3 d 04 h" of @microseconds. */
char *ctl_format_duration (guint64 microseconds);

/* "0:45", "3:05", "2:07:30", "4 d" of @microseconds: short, for a line that changes all the time.
 */
char *ctl_format_clock (guint64 microseconds);

/* "45%", never "100%" before all is there, and "-" when @total is 0 or not known. */
char *ctl_format_percent (guint64 done, guint64 total);

/* Local date and time of @microseconds since the epoch; "-" for 0 and for the unknown. */
char *ctl_format_time (guint64 microseconds);

/* @value for people: strings as they are, everything else in GVariant's notation. */
char *ctl_format_value (GVariant *value);

/* A copy of @text that is valid UTF-8 and has no control characters: what others chose must not
 * steer our terminal. */
char *ctl_clean_text (const char *text);

/* How many columns of a terminal @text (UTF-8) takes. */
int ctl_text_width (const char *text);

/* @text cut to @width columns, with an ellipsis (@unicode: a single character) when cut. */
char *ctl_text_fit (const char *text, int width, gboolean unicode);

/* Appends @text to @to and blanks up to @width columns, before it when @right. */
void ctl_text_pad (GString *to, const char *text, int width, gboolean right);

/* Reads "500", "10k", "1.5 MB", "2GiB" into bytes; FALSE when it is none. */
gboolean ctl_parse_size (const char *text, guint64 *bytes);

/* Reads "90" or "90s", "5min", "2h", "14d" into microseconds; FALSE when it is none. */
gboolean ctl_parse_duration (const char *text, guint64 *microseconds);

G_END_DECLS
