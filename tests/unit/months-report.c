/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Months, the report: what is known when an invariant does not hold. */
#include "months.h"

static void
show_queue (TfdEngine *engine)
{
  for (GSequenceIter *iter = g_sequence_get_begin_iter (engine->order);
       !g_sequence_iter_is_end (iter); iter = g_sequence_iter_next (iter))
    {
      const TfdJob *job = g_sequence_get (iter);

      g_test_message ("%s of %u: %s, %s%s%s%s, waits for %s", job->record->id,
                      job->record->owner_uid,
                      tfd_enum_to_string (TFD_TYPE_JOB_STATE, job->record->state),
                      tfd_enum_to_string (TFD_TYPE_PRIORITY, job->record->properties->priority),
                      job->work != NULL ? ", busy" : "",
                      job->run == NULL     ? ""
                      : job->run->stopping ? ", stopping"
                                           : ", with a run",
                      job->run != NULL && job->run->overdue ? ", overdue" : "",
                      tfd_enum_to_string (TFD_TYPE_WAIT, job->wait));
    }
}

void
months_fail (TfdJob *job, const char *condition)
{
  TfdEngine *engine = job->engine;
  gint64 now = tfd_clock_now_real (engine->clock), boot = tfd_clock_now_boot (engine->clock);
  g_autoptr (GPtrArray) events = tfd_store_load_events (engine->store, tfd_job_id (job), 20, NULL);
  g_autoptr (GVariant) properties =
      g_variant_ref_sink (tfd_job_properties_serialize (job->record->properties));
  g_autofree char *text = g_variant_print (properties, FALSE);

  show_queue (engine);
  g_test_message ("properties %s", text);
  g_test_message ("now %" G_GINT64_FORMAT ", retry at %+" G_GINT64_FORMAT
                  " µs, no progress since %+" G_GINT64_FORMAT " s, last activity %+" G_GINT64_FORMAT
                  " s, next alarm %+" G_GINT64_FORMAT " µs",
                  boot, job->record->retry_at - boot,
                  (job->record->no_progress_since - boot) / SECOND,
                  (job->record->last_activity - boot) / SECOND,
                  tfd_fake_clock_next_alarm (TFD_FAKE_CLOCK (engine->clock)) - boot);
  for (guint i = 0; events != NULL && i < events->len; i++)
    {
      const TfdEventRow *row = events->pdata[i];
      g_autofree char *details = g_variant_print (row->details, FALSE);

      g_test_message ("%.3f hours ago: %s %s", (double) (now - row->time) / (double) HOUR,
                      row->kind, details);
    }
  g_error ("job %s, %s%s%s: not so: %s", tfd_job_id (job),
           tfd_enum_to_string (TFD_TYPE_JOB_STATE, job->record->state),
           job->work != NULL ? ", busy" : "", job->run != NULL ? ", with a run" : "", condition);
}
