/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Months, the workers and their requests: answered in order, each when they come to it. */
#include "months.h"

static void
take_files (Run *run, GVariant *files)
{
  for (guint i = 0; i < g_variant_n_children (files); i++)
    {
      g_autoptr (GVariant) row = g_variant_get_child_value (files, i);
      WorkFile *file = months_read_file (run->user, row);

      /* what is on the disk is not fetched again */
      g_assert_false (file->transferred || file->completed);
      g_queue_push_tail (&run->files, file);
    }
}

static void
begin (Months *self, User *user, GVariant *parameters)
{
  g_autoptr (GVariant) files = g_variant_get_child_value (parameters, 3);
  Run *run = g_new0 (Run, 1);

  g_variant_get_child (parameters, 0, "t", &run->number);
  g_variant_get_child (parameters, 1, "s", &run->job);
  run->user = user;
  run->due = months_now (self) + months_span (self, SECOND / 100, MINUTE);
  /* never two writers */
  g_assert_null (months_find_run (self, run->job));
  take_files (run, files);
  g_assert_false (g_queue_is_empty (&run->files));
  g_hash_table_insert (self->runs, &run->number, run);
}

static GVariant *
end (Months *self, guint64 number)
{
  Run *run = g_hash_table_lookup (self->runs, &number);
  GVariantBuilder parts;

  g_variant_builder_init (&parts, G_VARIANT_TYPE ("a(ua{sv})"));
  if (run != NULL && run->open && !g_queue_is_empty (&run->files))
    g_variant_builder_add (&parts, "(u@a{sv})",
                           ((WorkFile *) g_queue_peek_head (&run->files))->index,
                           months_part_record (g_queue_peek_head (&run->files)));
  g_hash_table_remove (self->runs, &number);
  return g_variant_new ("(a(ua{sv}))", &parts);
}

static void
checkpoint (Months *self, User *user)
{
  GHashTableIter iter;
  Run *run;

  g_hash_table_iter_init (&iter, self->runs);
  while (g_hash_table_iter_next (&iter, NULL, (gpointer *) &run))
    if (run->user == user && run->open && !run->over && !g_queue_is_empty (&run->files))
      months_tell_part (self, run, g_queue_peek_head (&run->files));
}

/* Requests about runs. */
static GVariant *
work_on_runs (Months *self, User *user, const char *method, GVariant *parameters)
{
  guint64 number;

  if (g_str_equal (method, "Checkpoint"))
    checkpoint (self, user);
  if (g_str_equal (method, "Checkpoint") || g_str_equal (method, "Configure") ||
      g_str_equal (method, "Committed"))
    return g_variant_new ("()");
  g_variant_get_child (parameters, 0, "t", &number);
  if (g_str_equal (method, "Stop"))
    return end (self, number);
  if (g_str_equal (method, "Start"))
    begin (self, user, parameters);
  else
    {
      Run *run = g_hash_table_lookup (self->runs, &number);
      g_autoptr (GVariant) files = g_variant_get_child_value (parameters, 1);

      g_assert_cmpstr (method, ==, "AddFiles");
      if (run != NULL && !run->over)
        take_files (run, files);
    }
  return g_variant_new ("()");
}

/* ---- the walk of Complete: one request after the other, and none behind one that has failed ----
 */

static Walk *
find_walk (Months *self, User *user, const char *job)
{
  Walk *walk = g_hash_table_lookup (self->walks, job);

  if (walk == NULL)
    {
      walk = g_new0 (Walk, 1);
      g_hash_table_insert (self->walks, g_strdup (job), walk);
      walk->broken = TRUE;
    }
  walk->user = user;
  return walk;
}

static gboolean
has_failed (GVariant *answer)
{
  g_autoptr (GVariant) rows = g_variant_get_child_value (answer, 0);
  gsize n = g_variant_n_children (rows);
  const char *verdict = "";

  if (n > 0)
    g_variant_get_child (rows, n - 1, "(u&sa{sv})", NULL, &verdict, NULL);
  return g_str_equal (verdict, "failed") || g_str_equal (verdict, "taken");
}

static GVariant *
walk_on (Months *self, User *user, GVariant *parameters, guint limit)
{
  g_autoptr (GVariant) options = g_variant_get_child_value (parameters, 1);
  guint32 number = 0, step = 0;
  GVariant *answer;
  const char *job;
  Walk *walk;

  g_variant_get_child (parameters, 0, "&s", &job);
  g_variant_lookup (options, "walk", "u", &number);
  g_variant_lookup (options, "step", "u", &step);
  walk = find_walk (self, user, job);
  if (step == 0)
    {
      walk->walk = number;
      walk->next = 0;
      walk->broken = FALSE;
    }
  if (walk->broken || walk->walk != number || walk->next != step)
    return g_variant_new ("(a(usa{sv}))", NULL);
  walk->next++;
  answer = months_work_on_disk (self, user, "Finalize", parameters, limit);
  walk->broken = has_failed (answer);
  return answer;
}

static GVariant *
work (Months *self, User *user, const char *method, GVariant *parameters, guint limit)
{
  if (g_str_equal (method, "Finalize"))
    return walk_on (self, user, parameters, limit);
  return months_work_on_disk (self, user, method, parameters, limit);
}

static gboolean
is_walk_of (gpointer job G_GNUC_UNUSED, gpointer walk, gpointer user)
{
  return ((Walk *) walk)->user == user;
}

/* ---- all requests ---- */

static void
serve (Months *self, User *user, const char *name, GVariant *parameters)
{
  g_autofree char *method = g_strdup (name);
  GVariant *answer = work (self, user, method, parameters, G_MAXUINT);

  if (answer == NULL)
    answer = work_on_runs (self, user, method, parameters);
  user->ready = months_now (self) +
                (months_happens (self, 3) ? months_span (self, SECOND / 1000, 5 * SECOND) : 0);
  tfd_fake_transport_answer_next (self->fixture->transport, user->uid, answer);
}

gboolean
months_serve (Months *self)
{
  for (guint i = 0; i < N_USERS; i++)
    {
      User *user = &self->users[i];
      GVariant *parameters;
      const char *method;

      if (user->stuck || user->ready > months_now (self))
        continue;
      method = tfd_fake_transport_next (self->fixture->transport, user->uid, &parameters);
      if (method != NULL)
        {
          serve (self, user, method, parameters);
          return TRUE;
        }
    }
  return FALSE;
}

static gboolean
is_of (gpointer number G_GNUC_UNUSED, gpointer run, gpointer user)
{
  return ((Run *) run)->user == user;
}

void
months_kill_workers (Months *self, User *user)
{
  guint n = 0;

  /* in the middle of what it was asked for, or when it has done that and is not heard any more,
     unless nobody ever asked */
  while (!self->dying && !user->stuck && months_happens (self, 2))
    {
      GVariant *parameters, *answer;
      const char *method =
          tfd_fake_transport_nth (self->fixture->transport, user->uid, n++, &parameters);
      gboolean wholly = months_happens (self, 2);

      if (method == NULL)
        break;
      answer = work (self, user, method, parameters, wholly ? G_MAXUINT : months_pick (self, 4));
      if (answer != NULL)
        g_variant_unref (g_variant_ref_sink (answer));
      if (!wholly)
        break;
    }
  g_hash_table_foreach_remove (self->runs, is_of, user);
  g_hash_table_foreach_remove (self->walks, is_walk_of, user);
}

gint64
months_next_work (Months *self)
{
  gint64 next = months_next_transfer (self);

  for (guint i = 0; i < N_USERS; i++)
    {
      GVariant *parameters;

      if (!self->users[i].stuck &&
          tfd_fake_transport_next (self->fixture->transport, self->users[i].uid, &parameters))
        next = MIN (next, MAX (self->users[i].ready, months_now (self)));
    }
  return next;
}
