/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Behaviour, happenings: has the world, the worker and time do something to a job. */
#include "behaviour-happenings.h"

/* ---- what happens ---- */

void
no_slots (Subject *self)
{
  if (!tfd_job_state_is_running (subject_record (self)->state))
    subject_set_slots (self, 0);
  else /* … from the next plan on */
    self->engine->config->background_jobs = 0;
}

void
happen_picked (Subject *self)
{
  subject_set_slots (self, 4);
}

void
happen_connected (Subject *self)
{
  engine_connected (self->engine, self->run);
}

void
happen_connection_failed (Subject *self)
{
  engine_failed (self->engine, self->run, 1,
                 "{'name': <'org.transferd.Transfer1.Error.ConnectionFailed'>,"
                 " 'context': <'transport'>, 'transient': <true>}");
}

void
happen_transient (Subject *self)
{
  engine_failed (self->engine, self->run, 1,
                 "{'name': <'org.transferd.Transfer1.Error.HttpStatus'>,"
                 " 'context': <'remote-file'>, 'http-status': <uint32 503>, 'transient': <true>}");
}

void
happen_fatal (Subject *self)
{
  engine_failed (self->engine, self->run, 1,
                 "{'name': <'org.transferd.Transfer1.Error.HttpStatus'>,"
                 " 'context': <'remote-file'>, 'http-status': <uint32 404>}");
}

void
prepare_slice (Subject *self)
{
  self->engine->config->background_jobs = 1;
  engine_create (self->engine, "b", 1, TRUE, NULL);
}

void
happen_slice_over (Subject *self)
{
  engine_advance (self->engine, MINUTE);
}

void
prepare_higher (Subject *self)
{
  engine_create (self->engine, "b", 1, FALSE, "{'Priority': <'high'>}");
}

void
happen_higher (Subject *self)
{
  OK (tfd_engine_resume (self->engine->engine, engine_find (self->engine, "b"), error));
  engine_settle (self->engine);
}

void
happen_network_lost (Subject *self)
{
  tfd_engine_set_network (self->engine->engine, FALSE, FALSE);
  engine_settle (self->engine);
}

void
happen_network_back (Subject *self)
{
  tfd_engine_set_network (self->engine->engine, TRUE, FALSE);
  engine_advance (self->engine, 6 * SECOND);
}

void
happen_costs (Subject *self)
{
  tfd_engine_set_network (self->engine->engine, TRUE, TRUE);
  engine_settle (self->engine);
}

void
happen_hours (Subject *self)
{
  tfd_engine_set_blocked_hours (self->engine->engine, TRUE, 0);
  engine_settle (self->engine);
}

void
happen_hours_over (Subject *self)
{
  tfd_engine_set_blocked_hours (self->engine->engine, FALSE, 0);
  engine_settle (self->engine);
}

void
happen_power (Subject *self)
{
  tfd_engine_set_power (self->engine->engine, TRUE, FALSE);
  engine_settle (self->engine);
}

static void
set_session (Subject *self, TfdSession session)
{
  tfd_engine_set_log_ons (self->engine->engine, TFD_LOG_ONS_KNOWN);
  tfd_engine_set_session (self->engine->engine, ALICE, session);
  engine_settle (self->engine);
}

void
happen_log_off (Subject *self)
{
  set_session (self, TFD_SESSION_NONE);
}

void
happen_log_on (Subject *self)
{
  set_session (self, TFD_SESSION_ACTIVE);
}

void
prepare_logged_off (Subject *self)
{
  subject_set_slots (self, 0);
  happen_log_off (self);
}

void
happen_quarter (Subject *self)
{
  engine_advance (self->engine, 15 * MINUTE);
}

void
happen_hour (Subject *self)
{
  engine_advance (self->engine, HOUR);
}

void
happen_day (Subject *self)
{
  engine_advance (self->engine, DAY);
}

void
happen_ninety_days (Subject *self)
{
  engine_advance (self->engine, 90 * DAY);
}

void
happen_too_large (Subject *self)
{
  engine_progress (self->engine, self->run, 1, 450, 500);
}

void
happen_file_done (Subject *self)
{
  engine_done (self->engine, self->run, 1);
}

void
happen_last_file_done (Subject *self)
{
  g_autofree char *text =
      g_strdup_printf ("(%" G_GUINT64_FORMAT ", [(1, 100, @a{sv} {}), (2, 100, {})])", self->run);

  engine_news (self->engine, "FilesDone", "(ta(uta{sv}))", text);
}

static void
send_event (Subject *self, const char *kind)
{
  g_autofree char *text =
      g_strdup_printf ("(%" G_GUINT64_FORMAT ", 1, '%s', @a{sv} {})", self->run, kind);

  engine_news (self->engine, "Event", "(tusa{sv})", text);
}

void
happen_remote_changed (Subject *self)
{
  send_event (self, "restarted");
}

void
happen_part_missing (Subject *self)
{
  send_event (self, "part-missing");
}

void
happen_worker_lost (Subject *self)
{
  engine_lose (self->engine);
}

void
happen_mount (Subject *self)
{
  tfd_engine_mounts_changed (self->engine->engine);
  engine_settle (self->engine);
}

/* ---- … and is over ---- */

static void
rest (Subject *self)
{
  engine_settle (self->engine);
  subject_serve (self->engine);
}

void
prepare_lost (Subject *self)
{
  no_slots (self);
  happen_network_lost (self);
  rest (self);
}

void
prepare_costs (Subject *self)
{
  no_slots (self);
  happen_costs (self);
  rest (self);
}

void
prepare_hours (Subject *self)
{
  no_slots (self);
  happen_hours (self);
  rest (self);
}

void
prepare_power (Subject *self)
{
  no_slots (self);
  happen_power (self);
  rest (self);
}

void
happen_costs_over (Subject *self)
{
  tfd_engine_set_network (self->engine->engine, TRUE, FALSE);
  engine_settle (self->engine);
}

void
happen_power_over (Subject *self)
{
  tfd_engine_set_power (self->engine->engine, FALSE, FALSE);
  engine_settle (self->engine);
}
