/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Engine fixture: an engine between a real database, a fake clock and a fake transport. */
#include "engine-fixture.h"

#include "engine/engine-private.h"
#include "store/statement.h"

#include <glib/gstdio.h>

/* Nothing takes so many turns: it goes in circles. */
#define MAX_PLANS 2000

/* ---- what is told ---- */

const char *
engine_name_of (TfdJob *job)
{
  return tfd_job_record (job)->properties->display_name;
}

static void
added_cb (TfdEngine *engine G_GNUC_UNUSED, TfdJob *job, EngineFixture *self)
{
  tfd_signal_log_add (self->log, "%s added", engine_name_of (job));
}

static void
changed_cb (TfdEngine *engine G_GNUC_UNUSED, TfdJob *job, guint mask, EngineFixture *self)
{
  const TfdJobRecord *record = tfd_job_record (job);
  guint now = (guint) record->state * 16 + (guint) record->operation + 1;
  guint told = GPOINTER_TO_UINT (g_hash_table_lookup (self->told, record->id));

  if (told == now || (mask & TFD_CHANGED_STATE) == 0)
    return;
  g_hash_table_insert (self->told, g_strdup (record->id), GUINT_TO_POINTER (now));
  tfd_signal_log_add (self->log, "%s is %s%s%s%s", engine_name_of (job),
                      tfd_enum_to_string (TFD_TYPE_JOB_STATE, record->state),
                      record->operation != TFD_OPERATION_NONE ? " (" : "",
                      tfd_enum_to_string (TFD_TYPE_OPERATION, record->operation),
                      record->operation != TFD_OPERATION_NONE ? ")" : "");
}

static void
transferred_cb (TfdEngine *engine G_GNUC_UNUSED, TfdJob *job, EngineFixture *self)
{
  tfd_signal_log_add (self->log, "%s transferred", engine_name_of (job));
}

const char *
engine_short_name (TfdErrorCode code)
{
  const char *name = tfd_error_code_to_name (code);

  return strrchr (name, '.') + 1;
}

static void
error_cb (TfdEngine *engine G_GNUC_UNUSED,
          TfdJob *job,
          guint code,
          guint context G_GNUC_UNUSED,
          EngineFixture *self)
{
  tfd_signal_log_add (self->log, "%s failed %s", engine_name_of (job),
                      engine_short_name ((int) code));
}

static void
removed_cb (TfdEngine *engine G_GNUC_UNUSED, TfdJob *job, guint result, EngineFixture *self)
{
  tfd_signal_log_add (self->log, "%s removed %s", engine_name_of (job),
                      tfd_enum_to_string (TFD_TYPE_RESULT, (int) result));
}

char *
engine_print_indices (const char *word, GArray *indices)
{
  GString *text = g_string_new (NULL);

  if (indices->len > 0)
    g_string_append (text, word);
  for (guint i = 0; i < indices->len; i++)
    g_string_append_printf (text, " %u", g_array_index (indices, guint32, i));
  return g_string_free (text, FALSE);
}

static void
files_cb (TfdEngine *engine G_GNUC_UNUSED, TfdJob *job, GArray *files, EngineFixture *self)
{
  g_autofree char *text = engine_print_indices ("files", files);

  tfd_signal_log_add (self->log, "%s %s", engine_name_of (job), text);
}

/* ---- life ---- */

void
engine_settle (EngineFixture *self)
{
  for (guint plans = 0; plans < MAX_PLANS; plans++)
    {
      while (g_main_context_iteration (NULL, FALSE))
        ;
      if (tfd_fake_clock_next_alarm (self->clock) <= tfd_clock_now_boot (TFD_CLOCK (self->clock)))
        {
          tfd_fake_clock_advance (self->clock, 0);
          continue;
        }
      if (self->engine == NULL || self->engine->plan_source == 0)
        return;
      /* plans are spaced out in real time: need not be waited for */
      g_source_set_ready_time (g_main_context_find_source_by_id (NULL, self->engine->plan_source),
                               0);
    }
  g_error ("the engine never comes to rest");
}

void
engine_advance (EngineFixture *self, gint64 span)
{
  gint64 until = tfd_clock_now_boot (TFD_CLOCK (self->clock)) + span;

  engine_settle (self);
  while (tfd_fake_clock_next_alarm (self->clock) <= until)
    {
      tfd_fake_clock_advance_to_alarm (self->clock);
      engine_settle (self);
    }
  tfd_fake_clock_advance (self->clock, until - tfd_clock_now_boot (TFD_CLOCK (self->clock)));
}

static int
commit_cb (gpointer data)
{
  EngineFixture *self = data;

  if (self->failing_commits == 0)
    return 0;
  self->failing_commits--;
  return 1;
}

/* Nobody writes to a disk for what is not recorded: nothing of the job waits for a commit. */
static void
guard_cb (const char *method, GVariant *parameters, gpointer data)
{
  EngineFixture *self = data;
  gboolean starts = g_str_equal (method, "Start");
  const char *id;
  TfdJob *job;

  if (!starts && !g_str_equal (method, "Discard") && !g_str_equal (method, "Finalize"))
    return;
  g_variant_get_child (parameters, starts ? 1 : 0, "&s", &id);
  job = tfd_engine_get_job (self->engine, id);
  /* what is left over of a job that ended is deleted without ceremony */
  if (job != NULL && !job->ended)
    g_assert_false (g_hash_table_contains (self->engine->touched, id));
}

void
engine_start (EngineFixture *self)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (self->engine);
  self->store = tfd_store_open (self->dir, &error);
  g_assert_no_error (error);
  sqlite3_commit_hook (self->store->db, commit_cb, self);
  self->transport = tfd_fake_transport_new ();
  tfd_fake_transport_set_guard (self->transport, guard_cb, self);
  self->engine = tfd_engine_new (self->store, TFD_CLOCK (self->clock),
                                 TFD_TRANSPORT (self->transport), self->config);
  g_signal_connect (self->engine, "job-added", G_CALLBACK (added_cb), self);
  g_signal_connect (self->engine, "job-changed", G_CALLBACK (changed_cb), self);
  g_signal_connect (self->engine, "job-transferred", G_CALLBACK (transferred_cb), self);
  g_signal_connect (self->engine, "job-error", G_CALLBACK (error_cb), self);
  g_signal_connect (self->engine, "job-removed", G_CALLBACK (removed_cb), self);
  g_signal_connect (self->engine, "files-transferred", G_CALLBACK (files_cb), self);
  tfd_engine_set_network (self->engine, TRUE, FALSE);
  tfd_engine_set_log_ons (self->engine, TFD_LOG_ONS_UNTOLD);
  g_assert_true (tfd_engine_load (self->engine, &error));
  g_assert_no_error (error);
}

/* Alarms that may be left: objects of jobs that ended stay for a while. */
static guint
count_lingering (EngineFixture *self)
{
  GHashTableIter iter;
  TfdJob *job;
  guint count = 0;

  g_hash_table_iter_init (&iter, self->engine->jobs);
  while (g_hash_table_iter_next (&iter, NULL, (gpointer *) &job))
    count += job->ended;
  return count;
}

static void
stop (EngineFixture *self)
{
  guint lingering = count_lingering (self);

  g_assert_finalize_object (g_steal_pointer (&self->engine));
  g_assert_cmpuint (tfd_fake_clock_count_alarms (self->clock), ==, lingering);
  tfd_fake_clock_forget_alarms (self->clock);
  g_clear_object (&self->transport);
  g_clear_pointer (&self->store, tfd_store_close);
}

void
engine_crash (EngineFixture *self)
{
  tfd_fake_transport_abandon (self->transport);
  stop (self);
}

void
engine_restart (EngineFixture *self)
{
  engine_crash (self);
  engine_start (self);
  engine_settle (self);
}

void
engine_set_up (EngineFixture *self, gconstpointer data G_GNUC_UNUSED)
{
  self->dir = g_dir_make_tmp ("transferd-engine-XXXXXX", NULL);
  g_assert_nonnull (self->dir);
  self->clock = tfd_fake_clock_new (1000 * SECOND, 1700000000 * SECOND);
  self->config = tfd_config_new ();
  self->log = tfd_signal_log_new ();
  tfd_signal_log_catch_warnings (self->log);
  self->told = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  engine_start (self);
  engine_settle (self);
}

static void
remove_dir (const char *path)
{
  g_autoptr (GDir) dir = g_dir_open (path, 0, NULL);

  for (const char *name = g_dir_read_name (dir); name != NULL; name = g_dir_read_name (dir))
    {
      g_autofree char *child = g_build_filename (path, name, NULL);

      g_assert_cmpint (g_unlink (child), ==, 0);
    }
  g_assert_cmpint (g_rmdir (path), ==, 0);
}

void
engine_tear_down (EngineFixture *self, gconstpointer data G_GNUC_UNUSED)
{
  engine_settle (self);
  engine_assert_requests (self, "");
  stop (self);
  tfd_signal_log_free (self->log);
  g_hash_table_unref (self->told);
  g_assert_finalize_object (self->clock);
  tfd_config_free (self->config);
  remove_dir (self->dir);
  g_free (self->dir);
}
