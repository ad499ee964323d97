/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Golden files of the state table, written from the table and compared with what is in
 * tests/fixtures. A change of the table shows as a change of them, for people to judge. */
#include "config.h"

#include "tests/unit/state-golden.h"

#include <string.h>

static const char *const guard_names[] = { "has-files", "all-transferred", "event-driven",
                                           "uncounted", "no-retry" };
static const char *const verdict_names[] = { "ok", "InvalidState", "Empty", "ignored" };
static const char *const effect_names[] = { "modified",   "schedule",     "stop-run",
                                            "set-error",  "clear-error",  "count-error",
                                            "arm-retry",  "disarm-retry", "tell-transferred",
                                            "tell-error", "reset-times",  "complete",
                                            "cancel",     "end" };

/* Where the fixtures are in the source: the build tells. */
static void
compare (const char *name, const char *contents)
{
  const char *source = g_getenv ("TFD_SOURCE_ROOT");
  g_assert_nonnull (source);
  g_autofree char *path = g_build_filename (source, "tests", "fixtures", name, NULL);
  g_autofree char *golden = NULL;
  g_autoptr (GError) error = NULL;

  if (g_getenv ("TFD_UPDATE_FIXTURES") != NULL)
    {
      g_file_set_contents (path, contents, -1, &error);
      g_assert_no_error (error);
    }
  g_file_get_contents (path, &golden, NULL, &error);
  g_assert_no_error (error);

  g_auto (GStrv) expected = g_strsplit (golden, "\n", -1);
  g_auto (GStrv) found = g_strsplit (contents, "\n", -1);
  for (gsize i = 0; expected[i] != NULL && found[i] != NULL; i++)
    if (!g_str_equal (expected[i], found[i]))
      g_error ("%s, line %" G_GSIZE_FORMAT " should be\n  %s\nbut the table says\n  %s\n"
               "if the table is right, run the test with TFD_UPDATE_FIXTURES=1",
               name, i + 1, expected[i], found[i]);
  g_assert_cmpuint (g_strv_length (found), ==, g_strv_length (expected));
}

/* A job cannot have all of no files. */
static gboolean
is_possible (TfdGuards guards)
{
  return (guards & TFD_GUARD_ALL_TRANSFERRED) == 0 || (guards & TFD_GUARD_HAS_FILES) != 0;
}

static gboolean
is_same (TfdStep a, TfdStep b)
{
  return a.next == b.next && a.verdict == b.verdict && a.effects == b.effects;
}

/* The one step of all combinations that agree with @known on the guards in @fixed; FALSE when there
 * are several. */
static gboolean
find_step (TfdJobState state, TfdEvent event, guint fixed, guint known, TfdStep *step)
{
  gboolean found = FALSE;

  for (guint guards = 0; guards <= TFD_ALL_GUARDS; guards++)
    {
      if (!is_possible (guards) || (guards & fixed) != known)
        continue;
      TfdStep one = tfd_state_step (TFD_JOB_TYPE_DOWNLOAD, state, event, guards);
      if (found && !is_same (one, *step))
        return FALSE;
      *step = one;
      found = TRUE;
    }
  return found;
}

/* Does guard @bit make a difference among those combinations? */
static gboolean
matters (TfdJobState state, TfdEvent event, guint fixed, guint known, guint bit)
{
  for (guint guards = 0; guards <= TFD_ALL_GUARDS; guards++)
    {
      if ((guards & bit) != 0 || (guards & fixed) != known)
        continue;
      if (!is_possible (guards) || !is_possible (guards | bit))
        continue;
      if (!is_same (tfd_state_step (TFD_JOB_TYPE_DOWNLOAD, state, event, guards),
                    tfd_state_step (TFD_JOB_TYPE_DOWNLOAD, state, event, guards | bit)))
        return TRUE;
    }
  return FALSE;
}

static char *
describe_guards (guint fixed, guint known)
{
  g_autoptr (GPtrArray) words = g_ptr_array_new_with_free_func (g_free);

  for (gsize i = 0; i < G_N_ELEMENTS (guard_names); i++)
    if ((fixed & (1u << i)) != 0)
      {
        const char *no = (known & (1u << i)) != 0 ? "" : "not ";
        g_ptr_array_add (words, g_strconcat (no, guard_names[i], NULL));
      }
  g_ptr_array_add (words, NULL);
  return g_strjoinv (", ", (char **) words->pdata);
}

static char *
describe_effects (TfdEffects effects)
{
  g_autoptr (GPtrArray) words = g_ptr_array_new ();

  for (gsize i = 0; i < G_N_ELEMENTS (effect_names); i++)
    if ((effects & (1u << i)) != 0)
      g_ptr_array_add (words, (gpointer) effect_names[i]);
  g_ptr_array_add (words, NULL);
  return g_strjoinv (" ", (char **) words->pdata);
}

static void
append_line (GString *text, TfdJobState state, guint fixed, guint known, TfdStep step)
{
  g_autofree char *guards = describe_guards (fixed, known);
  g_autofree char *effects = describe_effects (step.effects);
  const char *next =
      step.next == state ? "=" : tfd_enum_to_string (TFD_TYPE_JOB_STATE, (int) step.next);

  g_string_append_printf (text, "  %-16s %-32s %-16s %-13s %s",
                          tfd_enum_to_string (TFD_TYPE_JOB_STATE, (int) state), guards, next,
                          verdict_names[step.verdict], effects);
  while (text->len > 0 && text->str[text->len - 1] == ' ')
    g_string_truncate (text, text->len - 1);
  g_string_append_c (text, '\n');
}

static void
append_cell (GString *text, TfdJobState state, TfdEvent event, guint fixed, guint known)
{
  TfdStep step = { 0 };

  if (find_step (state, event, fixed, known, &step))
    {
      append_line (text, state, fixed, known, step);
      return;
    }
  for (gsize i = 0; i < G_N_ELEMENTS (guard_names); i++)
    {
      guint bit = 1u << i;
      if ((fixed & bit) != 0 || !matters (state, event, fixed, known, bit))
        continue;
      append_cell (text, state, event, fixed | bit, known);
      append_cell (text, state, event, fixed | bit, known | bit);
      return;
    }
  g_assert_not_reached ();
}

void
test_state_golden_table (void)
{
  g_autoptr (GString) text = g_string_new (
      "# What every event means for a download in every state. Written by the test of the state\n"
      "# table (TFD_UPDATE_FIXTURES=1 writes it anew); \"=\" is the same state. Of uploads only\n"
      "# \"complete\" differs: it is InvalidState in every state but transferred.\n"
      "#\n"
      "# state            only when                        next             verdict       "
      "effects\n");

  G_STATIC_ASSERT (1u << (G_N_ELEMENTS (guard_names) - 1) == TFD_GUARD_NO_RETRY);
  G_STATIC_ASSERT (1u << (G_N_ELEMENTS (effect_names) - 1) == TFD_EFFECT_END);
  G_STATIC_ASSERT (G_N_ELEMENTS (verdict_names) == TFD_VERDICT_IGNORED + 1);
  for (TfdEvent event = 0; event < TFD_N_EVENTS; event++)
    {
      g_string_append_printf (text, "\n%s\n", tfd_enum_to_string (TFD_TYPE_EVENT, (int) event));
      for (TfdJobState state = 0; state < TFD_N_JOB_STATES; state++)
        append_cell (text, state, event, 0, 0);
    }
  compare ("state-table.txt", text->str);
}

/* The states in which @event is refused as such: whatever the guards are. */
static void
append_refusals (GString *text, const char *prefix, TfdJobType type, TfdEvent event)
{
  const char *separator = ": ";

  g_string_append_printf (text, "%s%s", prefix, tfd_enum_to_string (TFD_TYPE_EVENT, (int) event));
  for (TfdJobState state = 0; state < TFD_N_JOB_STATES; state++)
    {
      guint n_refused = 0;
      for (guint guards = 0; guards <= TFD_ALL_GUARDS; guards++)
        if (tfd_state_step (type, state, event, guards).verdict == TFD_VERDICT_INVALID_STATE)
          n_refused++;
      if (n_refused == 0)
        continue;
      g_assert_cmpuint (n_refused, ==, TFD_ALL_GUARDS + 1);
      g_string_append_printf (text, "%s%s", separator,
                              tfd_enum_to_string (TFD_TYPE_JOB_STATE, (int) state));
      separator = ", ";
    }
  g_string_append_c (text, '\n');
}

void
test_state_golden_calls (void)
{
  g_autoptr (GString) text = g_string_new (
      "# The states in which a call is refused with InvalidState: the prose of the interface says\n"
      "# the same. Written by the test of the state table (TFD_UPDATE_FIXTURES=1 writes it anew).\n"
      "# Besides, resume is refused with Empty, in every other state, when the job has no files "
      "or\n"
      "# has transferred all of them.\n");

  for (TfdEvent event = 0; event <= TFD_EVENT_SET_PROPERTY; event++)
    append_refusals (text, "", TFD_JOB_TYPE_DOWNLOAD, event);
  g_string_append (text, "# Of uploads and uploads with a reply:\n");
  append_refusals (text, "# ", TFD_JOB_TYPE_UPLOAD, TFD_EVENT_COMPLETE);
  compare ("call-states.txt", text->str);
}
