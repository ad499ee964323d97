/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Tests of what a call has to wait for that the authority is asked about: granted,
 * refused, with a password only, late, and of rules that have changed meanwhile. */
#include "bus-fixture.h"

#include "engine/engine-private.h"

static GVariant *
download (void)
{
  return g_variant_new_parsed ("{'job-type': 'download'}");
}

static void
authorized_cb (TfdCall *call, GError *error)
{
  g_string_append_printf (bus_said, "%d ", tfd_call_is_granted (call, "create-job"));
  g_string_append_printf (bus_said, "%s. ", error != NULL ? error->message : "yes");
  g_clear_error (&error);
}

static void
ask (BusFixture *self, guint call, const char *action)
{
  tfd_call_authorize (&self->calls[call], action, download (), authorized_cb);
}

#define PREFIX "org.transferd.transfer1."
#define TEST(name) static void name (BusFixture *self, gconstpointer data G_GNUC_UNUSED)

/* ---- authorize ---- */

TEST (test_answers)
{
  ask (self, 0, "create-job");
  assert_said ("");
  g_assert_cmpuint (self->peer.waiting, ==, 1);
  ASKED ("create-job {'job-type': 'download'}");
  answer (self, 0, TFD_ERROR_ACCESS_DENIED);
  assert_said ("0 " PREFIX "create-job: it says. ");
  ask (self, 0, "create-job");
  answer (self, 0, BUS_YES);
  assert_said ("1 yes. ");
}

/* Later answers to earlier questions: each call has its own. */
TEST (test_late)
{
  ask (self, 0, "create-job");
  ask (self, 1, "reload");
  ask (self, 2, "use-foreground");
  ASKED ("create-job ", "reload ", "use-foreground ");
  answer (self, 2, TFD_ERROR_LIMITS_EXCEEDED);
  assert_said ("0 " PREFIX "use-foreground: it says. ");
  answer (self, 1, BUS_YES);
  assert_said ("0 yes. ");
  g_assert_true (tfd_call_is_granted (&self->calls[1], "reload"));
  g_assert_cmpuint (self->peer.waiting, ==, 1);
  answer (self, 0, BUS_YES);
  assert_said ("1 yes. ");
  g_assert_false (tfd_call_is_granted (&self->calls[0], "reload"));
}

TEST (test_nobody_is_asked)
{
  self->peer.uid = 0;
  ask (self, 0, "manage-other-jobs");
  assert_said ("0 yes. ");
  self->peer.uid = ALICE;
  self->bus.authority->disabled = TRUE;
  ask (self, 0, "create-job");
  assert_said ("1 yes. ");
}

TEST (test_remembered)
{
  for (guint i = 0; i < 2; i++)
    {
      ask (self, 0, "create-job");
      answer (self, 0, BUS_YES);
      ask (self, 1, "create-job");
      assert_said ("1 yes. 1 yes. ");
      /* another type, and what has numbers in it, is another question */
      tfd_call_authorize (&self->calls[2], "create-job",
                          g_variant_new_parsed ("{'job-type': 'upload'}"), authorized_cb);
      ask (self, 1, "exceed-limit");
      ASKED ("create-job {'job-type': 'upload'}", "exceed-limit");
      answer (self, 0, TFD_ERROR_ACCESS_DENIED);
      answer (self, 0, BUS_YES);
      assert_said ("0 " PREFIX "create-job: it says. 1 yes. ");
      ask (self, 1, "exceed-limit");
      ASKED ("exceed-limit");
      answer (self, 0, BUS_YES);
      assert_said ("1 yes. ");
      self->bus.changes++;
    }
}

/* Likewise what may be asked about besides; each answer for itself. */
TEST (test_remembered_apart)
{
  static const char *const asked[] = { "use-foreground", "ignore-cost" };

  for (guint i = 0; i < 2 * G_N_ELEMENTS (asked); i++)
    {
      const char *action = asked[i % G_N_ELEMENTS (asked)];

      ask (self, 0, action);
      ASKED (action);
      answer (self, 0, TFD_ERROR_ACCESS_DENIED);
      ask (self, 0, action);
      ASKED (action);
      answer (self, 0, BUS_YES);
      g_string_truncate (bus_said, 0);
      ask (self, 1, action);
      ASKED_NOTHING ();
      assert_said ("0 yes. ");
      g_assert_true (tfd_call_is_granted (&self->calls[1], action));
      tfd_call_authorize (&self->calls[2], action, g_variant_new_parsed ("{'job-type': 'upload'}"),
                          authorized_cb);
      ASKED (action);
      answer (self, 0, TFD_ERROR_ACCESS_DENIED);
      g_string_truncate (bus_said, 0);
      if (i + 1 == G_N_ELEMENTS (asked))
        self->bus.changes++;
    }
}

/* What was answered before the rules changed holds for the call, and for no later one. */
TEST (test_changed_while_asked)
{
  ask (self, 0, "create-job");
  self->bus.changes++;
  answer (self, 0, BUS_YES);
  assert_said ("1 yes. ");
  ask (self, 1, "create-job");
  ASKED ("create-job");
  answer (self, 0, TFD_ERROR_ACCESS_DENIED);
  assert_said ("0 " PREFIX "create-job: it says. ");
}

TEST (test_challenge)
{
  ask (self, 0, "create-job");
  answer (self, 0, TFD_ERROR_INTERACTIVE_AUTHORIZATION_REQUIRED);
  assert_said ("0 " PREFIX "create-job: it says. ");
  g_dbus_message_set_flags (bus_message, G_DBUS_MESSAGE_FLAGS_ALLOW_INTERACTIVE_AUTHORIZATION);
  tfd_call_authorize_quietly (&self->calls[0], "create-job", download (), authorized_cb);
  answer (self, 0, TFD_ERROR_INTERACTIVE_AUTHORIZATION_REQUIRED);
  assert_said ("0 " PREFIX "create-job: it says. ");
  g_assert_true (self->calls[0].held);
  ask (self, 0, "create-job");
  answer (self, 0, TFD_ERROR_INTERACTIVE_AUTHORIZATION_REQUIRED);
  /* nobody knows how long somebody types: others go on, and are asked about anew after it */
  ASKED ("create-job! {'job-type': 'download'}");
  assert_said ("");
  g_assert_false (self->calls[0].held);
  g_assert_cmpuint (self->peer.waiting, ==, 0);
  ask (self, 1, "create-job");
  answer (self, 0, BUS_YES);
  assert_said ("1 yes. ");
  answer (self, 0, TFD_ERROR_ACCESS_DENIED);
  assert_said ("0 " PREFIX "create-job: it says. ");
  ask (self, 2, "create-job");
  ASKED ("create-job");
  answer (self, 0, BUS_YES);
  assert_said ("1 yes. ");
}

/* The client leaves: the question goes with it, and what is told of it finds everything there. */
TEST (test_leaves)
{
  ask (self, 0, "create-job");
  g_cancellable_cancel (self->peer.ended);
  g_assert_false (g_ref_count_compare (&self->peer.refs, 1));
  answer (self, 0, BUS_YES);
  g_assert_nonnull (strstr (bus_said->str, "0 " PREFIX "create-job: "));
  g_string_truncate (bus_said, 0);
}

/* ---- permit ---- */

static void
permitted_cb (gpointer data G_GNUC_UNUSED, TfdReservation *reservation, GError *error)
{
  g_assert_true ((reservation == NULL) == (error != NULL));
  g_string_append_printf (bus_said, "%s. ", error != NULL ? error->message : "yes");
  g_clear_pointer (&reservation, tfd_reservation_free);
  g_clear_error (&error);
}

static guint
counted (BusFixture *self)
{
  return tfd_engine_worker_state (self->engine.engine, ALICE)->counted;
}

static void
permit (BusFixture *self, guint call, const TfdJobProperties *properties, GPtrArray *files)
{
  tfd_permit_job (&self->calls[call], TFD_JOB_TYPE_DOWNLOAD, properties, files, permitted_cb, NULL);
}

TEST (test_actions)
{
  g_autoptr (TfdJobProperties) properties = tfd_job_properties_new ();

  properties->priority = TFD_PRIORITY_FOREGROUND;
  properties->transfer_policy = TFD_TRANSFER_POLICY_ALWAYS;
  properties->transfer_policy_set = TRUE;
  permit (self, 0, properties, NULL);
  ASKED ("create-job ");
  answer (self, 0, BUS_YES);
  ASKED ("use-foreground ");
  answer (self, 0, BUS_YES);
  ASKED ("ignore-cost ");
  answer (self, 0, TFD_ERROR_ACCESS_DENIED);
  assert_said (PREFIX "ignore-cost: it says. ");
  g_assert_cmpuint (counted (self), ==, 0);
}

/* Reserved while it is asked: nobody else has the place, and whoever is refused gives it back. */
TEST (test_limit)
{
  g_autoptr (TfdJobProperties) properties = tfd_job_properties_new ();

  self->engine.config->max_jobs_per_user = 1;
  self->peer.may[0] = 1u << TFD_JOB_TYPE_DOWNLOAD;
  engine_create (&self->engine, "a", 1, FALSE, NULL);
  permit (self, 0, properties, NULL);
  permit (self, 1, properties, NULL);
  ASKED ("exceed-limit {'limit': 'MaxJobsPerUser', 'base': '1', 'job-type': 'download', "
         "'user-count': '1', 'machine-count': '1'}",
         "exceed-limit {'limit': 'MaxJobsPerUser', 'base': '1', 'job-type': 'download', "
         "'user-count': '2', 'machine-count': '2'}");
  g_assert_cmpuint (counted (self), ==, 3);
  answer (self, 1, TFD_ERROR_ACCESS_DENIED);
  assert_said ("you have 2 jobs, MaxJobsPerUser allows 1: complete or cancel some. ");
  g_assert_cmpuint (counted (self), ==, 2);
  self->bus.authority->silent = TRUE;
  answer (self, 0, TFD_ERROR_ACCESS_DENIED);
  assert_said (PREFIX
               "exceed-limit: it says; you have 1 jobs, MaxJobsPerUser allows 1: complete or "
               "cancel some. ");
  /* there is room when the answer comes: it does not matter what it is */
  permit (self, 0, properties, NULL);
  self->engine.config->max_jobs_per_user = 2;
  answer (self, 0, TFD_ERROR_ACCESS_DENIED);
  assert_said ("yes. ");
  g_assert_cmpuint (counted (self), ==, 1);
  tfd_signal_log_clear (self->engine.log);
}

/* One limit after the other; too many questions are another answer than no. */
TEST (test_limits)
{
  g_autoptr (TfdJobProperties) properties = tfd_job_properties_new ();
  g_autoptr (GPtrArray) files = engine_specs ("a", 0, 3);

  ((TfdFileSpec *) files->pdata[1])->n_ranges = 7;
  self->engine.config->max_files_per_job = 2;
  self->engine.config->max_ranges_per_file = 6;
  self->peer.may[0] = 1u << TFD_JOB_TYPE_DOWNLOAD;
  permit (self, 0, properties, files);
  ASKED ("exceed-limit {'limit': 'MaxFilesPerJob', 'base': '2', 'job-type': 'download', "
         "'count': '3'}");
  answer (self, 0, BUS_YES);
  ASKED ("exceed-limit {'limit': 'MaxRangesPerFile', 'base': '6', 'job-type': 'download', "
         "'count': '7'}");
  answer (self, 0, TFD_ERROR_LIMITS_EXCEEDED);
  assert_said ("a file has 7 ranges, MaxRangesPerFile allows 6; to have more, " PREFIX
               "exceed-limit: it says. ");
  g_assert_cmpuint (counted (self), ==, 0);
}

TEST (test_properties)
{
  TfdJob *job = engine_create (&self->engine, "a", 1, FALSE, NULL);
  g_autoptr (GVariant) changes =
      g_variant_ref_sink (g_variant_new_parsed ("{'Priority': <'foreground'>}"));

  self->calls[0].job = job;
  tfd_permit_properties (&self->calls[0], changes);
  ASKED ("use-foreground ");
  answer (self, 0, TFD_ERROR_ACCESS_DENIED);
  assert_said (PREFIX "use-foreground: it says. ");
  tfd_permit_properties (&self->calls[0], changes);
  answer (self, 0, BUS_YES);
  assert_said ("again. ");
  tfd_permit_properties (&self->calls[0], changes);
  assert_said ("done. ");
  /* it is so already */
  self->calls[1].job = job;
  tfd_permit_properties (&self->calls[1], changes);
  ASKED_NOTHING ();
  assert_said ("done. ");
  engine_settle (&self->engine);
  tfd_signal_log_clear (self->engine.log);
}

#define ADD(path, function) g_test_add (path, BusFixture, NULL, bus_set_up, function, bus_tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("/bus/authorize/answers", test_answers);
  ADD ("/bus/authorize/late", test_late);
  ADD ("/bus/authorize/nobody-is-asked", test_nobody_is_asked);
  ADD ("/bus/authorize/remembered", test_remembered);
  ADD ("/bus/authorize/remembered-apart", test_remembered_apart);
  ADD ("/bus/authorize/changed-while-asked", test_changed_while_asked);
  ADD ("/bus/authorize/challenge", test_challenge);
  ADD ("/bus/authorize/leaves", test_leaves);
  ADD ("/bus/permit/actions", test_actions);
  ADD ("/bus/permit/limit", test_limit);
  ADD ("/bus/permit/limits", test_limits);
  ADD ("/bus/permit/properties", test_properties);
  return g_test_run ();
}
