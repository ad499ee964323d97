/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Progress: how fast it goes, and the one line that shows it. Pure. */
#include "config.h"
#include "client/transferctl/progress.h"

#include "client/transferctl/format.h"

/* The rate is that of this many microseconds, and samples are at least this far apart. */
#define RATE_WINDOW (8 * G_USEC_PER_SEC)
#define RATE_STEP (RATE_WINDOW / CTL_RATE_SAMPLES)

/* The bar is this wide at most, and left out when there is less room than the least. */
#define MOST_BAR 40
#define LEAST_BAR 8

/* Columns of the time that is left, most of the time. */
#define LEFT_WIDTH 10

static guint
sample_at (const CtlRate *rate, guint i)
{
  return (rate->first + i) % CTL_RATE_SAMPLES;
}

void
ctl_rate_add (CtlRate *rate, gint64 now, guint64 bytes)
{
  guint last;

  if (rate->n > 0)
    {
      last = sample_at (rate, rate->n - 1);
      /* the first bytes may be those of an earlier run, which nobody has transferred now */
      if (bytes < rate->bytes[last] || now < rate->times[last] ||
          (rate->bytes[last] == 0 && bytes > 0))
        rate->n = rate->first = 0;
      else if (rate->n > 1 && now - rate->times[sample_at (rate, rate->n - 2)] < RATE_STEP)
        {
          /* too close: the newest sample moves */
          rate->times[last] = now;
          rate->bytes[last] = bytes;
          return;
        }
    }
  if (rate->n == CTL_RATE_SAMPLES)
    {
      rate->first = sample_at (rate, 1);
      rate->n--;
    }
  last = sample_at (rate, rate->n++);
  rate->times[last] = now;
  rate->bytes[last] = bytes;
}

guint64
ctl_rate_get (const CtlRate *rate, gint64 now)
{
  guint last, i = 0;
  gint64 elapsed;

  if (rate->n < 2)
    return 0;
  last = sample_at (rate, rate->n - 1);
  /* the oldest sample within the window, but at least the one before the last */
  while (i + 2 < rate->n && now - rate->times[sample_at (rate, i)] > RATE_WINDOW)
    i++;
  elapsed = now - rate->times[sample_at (rate, i)];
  if (elapsed <= 0)
    return 0;
  return (guint64) ((double) (rate->bytes[last] - rate->bytes[sample_at (rate, i)]) *
                    G_USEC_PER_SEC / (double) elapsed);
}

/* A bar of @width columns, ends included. */
static char *
format_bar (double part, int width, gboolean unicode)
{
  static const char *const eighths[] = { "",       "\u258f", "\u258e", "\u258d",
                                         "\u258c", "\u258b", "\u258a", "\u2589" };
  GString *bar = g_string_new (unicode ? "\u2595" : "[");
  int steps = unicode ? 8 : 1;
  int filled = (int) (part * (width - 2) * steps + 0.5);
  int cells = width - 2;

  for (; filled >= steps && cells > 0; filled -= steps, cells--)
    g_string_append (bar, unicode ? "\u2588" : "#");
  if (unicode && filled > 0 && cells > 0)
    {
      g_string_append (bar, eighths[filled]);
      cells--;
    }
  g_string_append_printf (bar, "%*s%s", cells, "", unicode ? "\u258f" : "]");
  return g_string_free (bar, FALSE);
}

/* Takes @text; padded, so that the bar keeps its place while numbers grow. */
static void
add_fact (GPtrArray *facts, char *text, int width, gboolean right)
{
  GString *padded = g_string_new (NULL);

  ctl_text_pad (padded, text, width, right);
  g_free (text);
  g_ptr_array_add (facts, g_string_free (padded, FALSE));
}

/* "1:23 left", empty when that is not known. */
static char *
format_left (const CtlProgress *progress)
{
  g_autofree char *clock = NULL;
  double seconds;

  if (progress->rate == 0 || progress->done >= progress->total)
    return g_strdup ("");
  seconds = (double) (progress->total - progress->done) / (double) progress->rate;
  clock = ctl_format_clock ((guint64) (MIN (seconds, 1e9) * G_USEC_PER_SEC));
  return g_strdup_printf ("%s left", clock);
}

/* What stands right of the bar, least important last. */
static GPtrArray *
list_facts (const CtlProgress *progress)
{
  GPtrArray *facts = g_ptr_array_new_with_free_func (g_free);
  g_autofree char *done = ctl_format_size (progress->done);
  gboolean known = progress->total != G_MAXUINT64;

  if (known)
    add_fact (facts, ctl_format_percent (progress->done, progress->total), 4, TRUE);
  if (progress->note != NULL)
    {
      add_fact (facts, g_strdup (progress->note), 0, FALSE);
      return facts;
    }
  if (known)
    {
      g_autofree char *total = ctl_format_size (progress->total);

      add_fact (facts, g_strdup_printf ("%8s of %s", done, total), 0, FALSE);
    }
  else
    add_fact (facts, g_strdup (done), 8, TRUE);
  /* blank while it is not known: the bar keeps its place */
  add_fact (facts, progress->rate > 0 ? ctl_format_rate (progress->rate) : g_strdup (""), 10, TRUE);
  if (known)
    add_fact (facts, format_left (progress), LEFT_WIDTH, FALSE);
  if (progress->files_total > 1)
    add_fact (facts,
              g_strdup_printf ("%u of %u files", progress->files_done, progress->files_total), 0,
              FALSE);
  return facts;
}

char *
ctl_progress_line (const CtlProgress *progress, int width, gboolean unicode)
{
  g_autoptr (GPtrArray) facts = list_facts (progress);
  g_autoptr (GString) right = g_string_new (NULL);
  g_autoptr (GString) line = g_string_new (NULL);
  gboolean bar = progress->total != G_MAXUINT64 && progress->note == NULL;
  int name_width, room;

  for (guint i = 0; i < facts->len; i++)
    {
      const char *fact = g_ptr_array_index (facts, i);

      /* a note is cut, other facts are left out when there is no room */
      if (i > 0 && progress->note == NULL &&
          ctl_text_width (right->str) + 2 + ctl_text_width (fact) > width)
        break;
      g_string_append_printf (right, "%s%s", i > 0 ? "  " : "", fact);
    }
  room = width - ctl_text_width (right->str) - 2;
  name_width = MIN (ctl_text_width (progress->name), MAX (room * 2 / 5, MIN (room, 12)));
  if (progress->note != NULL)
    name_width = MIN (ctl_text_width (progress->name), MIN (24, width / 3));
  if (name_width >= 4)
    {
      g_autofree char *name = ctl_text_fit (progress->name, name_width, unicode);

      g_string_append_printf (line, "%s  ", name);
      room -= name_width + 2;
    }
  if (bar && room >= LEAST_BAR)
    {
      double part = progress->total > 0 ? (double) progress->done / (double) progress->total : 1.0;
      g_autofree char *drawn = format_bar (CLAMP (part, 0.0, 1.0), MIN (room, MOST_BAR), unicode);

      g_string_append_printf (line, "%s  ", drawn);
    }
  g_string_append (line, right->str);
  return ctl_text_fit (line->str, width, unicode);
}
