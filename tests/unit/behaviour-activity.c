/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Behaviour, activity: what counts as progress, as use of a job, as a modification and as an error.
 */
#include "behaviour.h"

typedef enum
{
  NOTHING = 0,
  MODIFIED = 1 << 0, /* ModificationTime */
  USED = 1 << 1,     /* the time of inactivity begins anew */
  PROGRESS = 1 << 2, /* the time without progress begins anew */
  COUNTED = 1 << 3,  /* ErrorCount */
} Counts;

typedef struct
{
  const char *name;
  const char *state;
  void (*happen) (Subject *self);
  Counts counts;
} Row;

/* ---- reading ---- */

static void
read_properties (Subject *self)
{
  TfdEngine *engine = self->engine->engine;
  guint jobs, running;
  guint64 rate;

  g_assert_true (tfd_engine_get_job (engine, tfd_job_id (self->job)) == self->job);
  tfd_engine_count (engine, ALICE, NULL, &jobs, &running, &rate);
  g_assert_cmpuint (jobs, ==, 1);
  tfd_job_next_retry (self->job, TFD_CLOCK (self->engine->clock));
  g_ptr_array_unref (tfd_job_explain (self->job, TFD_CLOCK (self->engine->clock)));
}

static void
read_files (Subject *self)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) files =
      tfd_engine_list_files (self->engine->engine, self->job, 0, 0, &error);

  g_assert_no_error (error);
  g_assert_cmpuint (files->len, ==, 3);
}

static void
opened_cb (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (GError) error = NULL;

  g_assert_cmpint (tfd_engine_open_temporary_finish (TFD_ENGINE (source), result, &error), ==, -1);
  g_assert_nonnull (error);
  *(gboolean *) data = TRUE;
}

static void
read_temporary (Subject *self)
{
  gboolean opened = FALSE;

  tfd_engine_open_temporary_async (self->engine->engine, self->job, 0, opened_cb, &opened);
  engine_settle (self->engine);
  engine_fail (self->engine, "OpenPart", G_IO_ERROR_FAILED);
  g_assert_true (opened);
}

/* ---- calls ---- */

static void
add_file (Subject *self)
{
  guint32 index;

  OK (engine_add_files (self->engine, self->job, 3, 1, &index, error));
}

static void
set_property (Subject *self)
{
  OK (engine_set_properties (self->engine, self->job, "{'Description': <'x'>}", error));
}

static void
suspend (Subject *self)
{
  OK (tfd_engine_suspend (self->engine->engine, self->job, error));
}

static void
resume (Subject *self)
{
  OK (tfd_engine_resume (self->engine->engine, self->job, error));
}

static void
cancel (Subject *self)
{
  engine_cancel (self->engine, self->job);
}

static void
complete (Subject *self)
{
  engine_complete (self->engine, self->job, "{}");
  subject_serve (self->engine);
}

static void
set_remote_name (Subject *self)
{
  OK (tfd_engine_set_remote_name (self->engine->engine, self->job, 2, "http://mirror/2", error));
}

static void
set_valid (Subject *self)
{
  OK (tfd_engine_set_validation_state (self->engine->engine, self->job, 0, TRUE, error));
}

static void
refused (Subject *self)
{
  FAILS (engine_set_properties (self->engine, self->job, "{'Description': <1>}", error),
         TFD_ERROR_INVALID_ARGS);
}

/* ---- the worker ---- */

static void
bytes (Subject *self)
{
  engine_progress (self->engine, self->run, 1, 50, 100);
}

static void
no_bytes (Subject *self)
{
  engine_progress (self->engine, self->run, 1, 40, 100);
}

static void
size_alone (Subject *self)
{
  engine_progress (self->engine, self->run, 2, 0, 100);
}

static void
file_done (Subject *self)
{
  engine_done (self->engine, self->run, 1);
}

static void
connected (Subject *self)
{
  engine_connected (self->engine, self->run);
}

static void
picked (Subject *self)
{
  subject_set_slots (self, 4);
}

static void
retried (Subject *self)
{
  engine_advance (self->engine, subject_wait (self));
}

static void
lost_worker (Subject *self)
{
  engine_lose (self->engine);
}

static void
redirected (Subject *self)
{
  g_autofree char *text = g_strdup_printf (
      "(%" G_GUINT64_FORMAT ", 1, 'redirected', {'url': <'http://other/1'>})", self->run);

  engine_news (self->engine, "Event", "(tusa{sv})", text);
}

/* ---- errors ---- */

static void
fail (Subject *self, const char *name, gboolean transient)
{
  g_autofree char *details = g_strdup_printf (
      "{'name': <'org.transferd.Transfer1.Error.%s'>, 'transient': <%s>, 'context': <'transport'>}",
      name, transient ? "true" : "false");

  engine_failed (self->engine, self->run, 1, details);
}

static void
timed_out (Subject *self)
{
  fail (self, "TimedOut", TRUE);
}

static void
failed_for_good (Subject *self)
{
  fail (self, "HttpStatus", FALSE);
}

static void
failed_again (Subject *self)
{
  subject_assert_tried_after (self, subject_wait (self));
  timed_out (self);
}

static void
away (Subject *self)
{
  fail (self, "DestinationUnavailable", TRUE);
}

static void
network_lost (Subject *self)
{
  tfd_engine_set_network (self->engine->engine, FALSE, FALSE);
}

static void
costs (Subject *self)
{
  tfd_engine_set_network (self->engine->engine, TRUE, TRUE);
}

static void
hours (Subject *self)
{
  tfd_engine_set_blocked_hours (self->engine->engine, TRUE, 0);
}

static void
power (Subject *self)
{
  tfd_engine_set_power (self->engine->engine, TRUE, FALSE);
}

static void
lost_thrice (Subject *self)
{
  for (guint i = 0; i < 3; i++)
    {
      engine_progress (self->engine, self->run, 1, 40, 100);
      engine_lose (self->engine);
      engine_advance (self->engine, SECOND);
      if (i < 2)
        self->run = engine_take_start (self->engine);
    }
  assert_job (self->job, "transient-error");
}

/* ---- the table ---- */

static const Row table[] = {
  { "reading-is-none/properties", "suspended", read_properties, NOTHING },
  { "reading-is-none/files", "suspended", read_files, NOTHING },
  { "reading-is-none/temporary", "suspended", read_temporary, NOTHING },
  { "reading-is-none/running", "transferring", read_files, NOTHING },
  { "refused-call-is-none", "suspended", refused, NOTHING },
  { "added-file", "suspended", add_file, MODIFIED | USED },
  { "property", "suspended", set_property, MODIFIED | USED },
  { "remote-name", "suspended", set_remote_name, MODIFIED | USED },
  { "validation-state", "suspended", set_valid, MODIFIED | USED },
  { "suspend", "queued", suspend, MODIFIED | USED },
  { "suspend-again", "suspended", suspend, MODIFIED | USED },
  { "resume", "suspended", resume, MODIFIED | USED },
  { "resume-again", "queued", resume, MODIFIED | USED },
  { "cancel", "suspended", cancel, MODIFIED | USED },
  { "complete", "suspended", complete, MODIFIED | USED },
  { "bytes", "transferring", bytes, MODIFIED | USED | PROGRESS },
  { "file-done", "transferring", file_done, MODIFIED | USED | PROGRESS },
  { "news-without-bytes", "transferring", no_bytes, NOTHING },
  { "size-of-a-file", "transferring", size_alone, NOTHING },
  { "redirect", "transferring", redirected, NOTHING },
  { "connected", "connecting", connected, MODIFIED },
  { "picked", "queued", picked, MODIFIED },
  { "retried", "transient-error", retried, MODIFIED },
  { "worker-lost", "transferring", lost_worker, MODIFIED },
  { "error-count/transient-error", "transferring", timed_out, MODIFIED | COUNTED },
  { "error-count/error", "transferring", failed_for_good, MODIFIED | USED | COUNTED },
  { "error-count/retry-failed", "transient-error", failed_again, MODIFIED | COUNTED },
  { "error-count/not-destination", "transferring", away, MODIFIED },
  { "error-count/not-network", "transferring", network_lost, MODIFIED },
  { "error-count/not-cost", "transferring", costs, MODIFIED },
  { "error-count/not-policy", "transferring", hours, MODIFIED },
  { "error-count/not-power", "transferring", power, MODIFIED },
  { "error-count/not-worker-lost", "transferring", lost_thrice, MODIFIED },
};

/* The job was without progress for a while: is it still? */
static void
test_row (EngineFixture *engine, gconstpointer data)
{
  const Row *row = data;
  g_auto (Subject) self = { 0 };
  const TfdJobRecord *record;
  gboolean is_set = !g_str_has_prefix (row->name, "resume"); /* which begins anew in any case */
  gint64 since;

  subject_enter (&self, engine, row->state, NULL);
  since = subject_now_boot (&self) - HOUR;
  if (is_set)
    self.job->record->no_progress_since = since;
  row->happen (&self);
  engine_settle (engine);
  record = subject_record (&self);
  g_assert_cmpint (record->modification_time > self.before.modification_time, ==,
                   (row->counts & MODIFIED) != 0);
  g_assert_cmpint (record->last_activity > self.before.last_activity, ==,
                   (row->counts & USED) != 0);
  if (is_set)
    g_assert_cmpint (record->no_progress_since, ==, (row->counts & PROGRESS) != 0 ? 0 : since);
  g_assert_cmpuint (record->error_count - self.before.error_count, ==,
                    (row->counts & COUNTED) != 0);
  if ((row->counts & MODIFIED) != 0)
    g_assert_cmpuint (self.told & TFD_CHANGED_TIMES, !=, 0);
  subject_serve (engine);
}

/* The count is of the whole life of the job. */
static void
test_never_reset (EngineFixture *engine, gconstpointer row G_GNUC_UNUSED)
{
  g_auto (Subject) self = { 0 };

  subject_enter (&self, engine, "transient-error", NULL);
  g_assert_cmpuint (subject_record (&self)->error_count, ==, 1);
  resume (&self);
  engine_settle (engine);
  self.run = engine_take_start (engine);
  bytes (&self);
  g_assert_cmpuint (subject_record (&self)->error_count, ==, 1);
  file_done (&self);
  engine_done (engine, self.run, 2);
  subject_serve (engine);
  assert_job (self.job, "transferred");
  g_assert_cmpuint (subject_record (&self)->error_count, ==, 1);
}

void
behaviour_add_activity (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (table); i++)
    behaviour_add (&table[i], test_row, "/behaviour/activity/%s", table[i].name);
  behaviour_add (NULL, test_never_reset, "/behaviour/activity/error-count/never-reset");
}
