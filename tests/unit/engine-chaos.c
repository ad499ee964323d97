/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Chaos: crashes, lost workers and failed commits at random moments, with a worker that is honest
 * about a small disk. Whatever happens, no file is lost, none is there twice, and never do two runs
 * write to one. The seed is printed by the test program, which repeats it with --seed. */
#include "engine-fixture.h"

#include <string.h>

#define N_FILES 6
#define ROUNDS 60
#define MAX_STEPS 2000

/* What is on the disk: temporaries and files under their final names. */
typedef struct
{
  gboolean part[N_FILES], final[N_FILES];
} Disk;

static gboolean
happens (guint in)
{
  return g_test_rand_int_range (0, (gint32) in) == 0;
}

/* The files of a request. */
static guint
read_files (EngineFixture *self, const char *method, guint32 *indices, gboolean *transferred)
{
  GVariant *parameters = tfd_fake_transport_peek (self->transport, method);
  g_autoptr (GVariant) files = tfd_fake_transport_files (parameters);
  guint n_files = (guint) g_variant_n_children (files);

  g_assert_cmpuint (n_files, <=, N_FILES);
  for (guint i = 0; i < n_files; i++)
    {
      g_autoptr (GVariant) dict = NULL;
      const char *state = "";

      g_variant_get_child (files, i, "(u@a{sv})", &indices[i], &dict);
      g_variant_lookup (dict, "state", "&s", &state);
      transferred[i] = g_str_equal (state, "transferred");
    }
  return n_files;
}

/* ---- Complete ---- */

typedef struct
{
  EngineFixture *fixture;
  Disk disk;
  guint n_done; /* files before this one are finished */
} World;

static const char *
verify_one (const Disk *disk, guint32 index)
{
  return disk->part[index] ? "ok" : disk->final[index] ? "in-place" : "missing";
}

static const char *
finalize_one (Disk *disk, guint32 index, gboolean recovering)
{
  if (disk->part[index])
    {
      disk->part[index] = FALSE;
      disk->final[index] = TRUE;
      return "renamed";
    }
  if (!recovering)
    return "failed";
  return disk->final[index] ? "renamed" : "moved";
}

static void
discard_one (World *world, guint32 index)
{
  /* rule: nothing unfinished is deleted before everything finished is in place */
  for (guint i = 0; i < world->n_done; i++)
    g_assert_true (world->disk.final[i]);
  g_assert_cmpuint (index, >=, world->n_done);
  world->disk.part[index] = FALSE;
}

/* Does what the request asks for, up to file number @limit of it: the answer. */
static GVariant *
work (World *world, const char *method, guint limit)
{
  guint32 indices[N_FILES];
  gboolean transferred[N_FILES], recovering = FALSE;
  guint n_files = read_files (world->fixture, method, indices, transferred);
  GVariantBuilder builder;

  if (g_str_equal (method, "Finalize"))
    {
      g_autoptr (GVariant) options = g_variant_get_child_value (
          tfd_fake_transport_peek (world->fixture->transport, method), 1);

      g_variant_lookup (options, "recovering", "b", &recovering);
    }
  g_variant_builder_init (
      &builder, G_VARIANT_TYPE (g_str_equal (method, "Discard") ? "a(uays)" : "a(usa{sv})"));
  for (guint i = 0; i < MIN (n_files, limit); i++)
    if (g_str_equal (method, "Discard"))
      discard_one (world, indices[i]);
    else if (g_str_equal (method, "Verify") && transferred[i])
      g_variant_builder_add (&builder, "(usa{sv})", indices[i],
                             verify_one (&world->disk, indices[i]), NULL);
    else if (g_str_equal (method, "Finalize"))
      g_variant_builder_add (&builder, "(usa{sv})", indices[i],
                             finalize_one (&world->disk, indices[i], recovering), NULL);
  return g_variant_ref_sink (g_variant_new ("(@*)", g_variant_builder_end (&builder)));
}

/* One request is worked on, or half of it, and somebody may die meanwhile. */
static void
serve (World *world, const char *method)
{
  EngineFixture *self = world->fixture;
  gboolean whole = !happens (4);
  g_autoptr (GVariant) answer =
      work (world, method, whole ? N_FILES : (guint) g_test_rand_int_range (0, N_FILES));

  if (happens (6))
    self->failing_commits = 1;
  g_test_message ("%s%s%s", method, whole ? "" : ", half done",
                  self->failing_commits > 0 ? ", not stored" : "");
  if (whole && !happens (6))
    tfd_fake_transport_answer (self->transport, method, answer);
  else if (happens (2))
    {
      g_test_message ("the worker dies");
      tfd_fake_transport_lose (self->transport, ALICE);
    }
  else
    {
      g_test_message ("the service dies");
      engine_restart (self);
    }
  engine_settle (self);
  self->failing_commits = 0;
}

/* Until the job has ended; a caller that hears of a failure asks again. */
static void
complete (World *world)
{
  EngineFixture *self = world->fixture;

  for (guint step = 0; step < MAX_STEPS; step++)
    {
      g_autofree char *methods = tfd_fake_transport_list (self->transport);
      TfdJob *job = engine_find (self, "a");

      if (job == NULL && *methods == '\0')
        {
          if (engine_count_rows (self, "leftovers") == 0)
            return;
          /* so many workers died that the job ended without them: the next start tidies up */
          engine_restart (self);
        }
      else if (*methods != '\0')
        serve (world, methods);
      else if (happens (6))
        engine_restart (self);
      else if (tfd_engine_is_busy (self->engine, job))
        engine_advance (self, 5 * SECOND);
      else
        engine_complete (self, job, "{}");
    }
  g_error ("the job never ends");
}

static void
check_completed (World *world)
{
  g_autoptr (GPtrArray) rows = tfd_store_load_tombstones (world->fixture->store, ALICE, NULL, NULL);
  const TfdTombstone *tombstone = rows->pdata[0];

  for (guint i = 0; i < N_FILES; i++)
    {
      g_assert_true (world->disk.final[i] == (i < world->n_done));
      g_assert_false (world->disk.part[i]);
    }
  g_assert_cmpuint (tombstone->kept_count, ==, world->n_done);
  g_assert_cmpuint (tombstone->discarded_count, ==, N_FILES - world->n_done);
  g_assert_cmpuint (engine_count_rows (world->fixture, "jobs"), ==, 0);
  g_assert_cmpuint (engine_count_rows (world->fixture, "leftovers"), ==, 0);
}

/* A job of which some files are finished, and of the others some begun. */
static void
make_job (World *world)
{
  EngineFixture *self = world->fixture;
  guint64 run;
  TfdJob *job = engine_create_running (self, "a", N_FILES, NULL, &run);

  world->n_done = (guint) g_test_rand_int_range (0, N_FILES + 1);
  for (guint i = 0; i < N_FILES; i++)
    {
      g_autofree char *part =
          g_strdup_printf ("(%" G_GUINT64_FORMAT ", [(%u, {'x': <1>})])", run, i);

      world->disk.part[i] = i < world->n_done || g_test_rand_bit ();
      world->disk.final[i] = FALSE;
      if (i < world->n_done)
        engine_done (self, run, i);
      else if (world->disk.part[i])
        engine_news (self, "Parts", "(ta(ua{sv}))", part);
    }
  OK (tfd_engine_suspend (self->engine, job, error));
  engine_settle (self);
  engine_answer (self, "Stop", "([],)");
}

ENGINE_TEST (test_complete)
{
  for (guint round = 1; round <= ROUNDS; round++)
    {
      World world = { .fixture = self };

      g_test_message ("round %u", round);
      make_job (&world);
      complete (&world);
      /* the worker's losses are forgotten */
      engine_advance (self, 100 * SECOND);
      g_assert_cmpuint (engine_count_rows (self, "tombstones"), ==, round);
      check_completed (&world);
      tfd_signal_log_clear (self->log);
    }
}

/* ---- runs ---- */

/* The worker's side: the run that it works on, and what it has. */
typedef struct
{
  EngineFixture *fixture;
  guint64 run;             /* 0 = none */
  gboolean hand[N_FILES];  /* given to it by this run */
  gboolean known[N_FILES]; /* committed as transferred: must never be given again */
} Worker;

static void
take_files (Worker *worker, const char *method)
{
  guint32 indices[N_FILES];
  gboolean transferred[N_FILES];
  guint n_files = read_files (worker->fixture, method, indices, transferred);

  for (guint i = 0; i < n_files; i++)
    {
      g_assert_false (worker->known[indices[i]]);
      g_assert_false (worker->hand[indices[i]]);
      worker->hand[indices[i]] = TRUE;
    }
}

static void
begin_run (Worker *worker)
{
  /* never two writers */
  g_assert_cmpuint (worker->run, ==, 0);
  memset (worker->hand, 0, sizeof worker->hand);
  take_files (worker, "Start");
  worker->run = engine_take_start (worker->fixture);
}

static void
end_run (Worker *worker)
{
  worker->run = 0;
  engine_answer (worker->fixture, "Stop", "([],)");
}

static void
finish_file (Worker *worker, gboolean sane)
{
  EngineFixture *self = worker->fixture;
  guint32 index = (guint32) g_test_rand_int_range (0, N_FILES);

  if (!worker->hand[index])
    return;
  if (!sane && happens (3))
    self->failing_commits = 1;
  worker->hand[index] = FALSE;
  engine_done (self, worker->run, index);
  if (self->failing_commits == 0 && !sane)
    return; /* undone, or the failure hit something later: not known */
  self->failing_commits = 0;
  worker->known[index] = TRUE;
}

/* What people and fate do. */
static void
disturb (Worker *worker)
{
  EngineFixture *self = worker->fixture;
  TfdJob *job = engine_find (self, "a");

  switch (g_test_rand_int_range (0, 8))
    {
    case 0:
      worker->run = 0;
      engine_lose (self);
      break;
    case 1:
      worker->run = 0;
      engine_restart (self);
      break;
    case 2:
      tfd_engine_suspend (self->engine, job, NULL);
      break;
    case 3:
      self->failing_commits = 1;
      tfd_engine_suspend (self->engine, job, NULL);
      break;
    case 4:
      if (worker->run != 0)
        engine_failed (self, worker->run, (guint32) g_test_rand_int_range (0, N_FILES),
                       happens (2) ? "{'transient': <true>}" : "{}");
      break;
    case 5:
      if (worker->run != 0)
        engine_progress (self, worker->run, (guint32) g_test_rand_int_range (0, N_FILES), 1, 100);
      break;
    case 6:
      tfd_engine_suspend (self->engine, job, NULL);
      tfd_engine_resume (self->engine, job, NULL);
      break;
    default:
      engine_advance (self, SECOND * g_test_rand_int_range (1, 2000));
      break;
    }
  engine_settle (self);
  self->failing_commits = 0;
}

/* The counters are those of the files, and what runs has a worker. */
static void
check_job (Worker *worker)
{
  TfdJob *job = engine_find (worker->fixture, "a");
  const TfdJobRecord *record = tfd_job_record (job);
  GPtrArray *files = tfd_job_peek_files (job);
  guint32 transferred = 0;

  for (guint i = 0; files != NULL && i < files->len; i++)
    transferred += engine_file (job, i)->state == TFD_FILE_STATE_TRANSFERRED;
  if (files != NULL)
    g_assert_cmpuint (record->files_transferred, ==, transferred);
  g_assert_true ((record->state == TFD_JOB_STATE_TRANSFERRED) ==
                 (record->files_transferred == N_FILES));
  if (tfd_job_state_is_running (record->state))
    g_assert_true (worker->run != 0 || tfd_fake_transport_count (worker->fixture->transport) > 0);
}

/* What the service asks for is done, one request at a time. */
static gboolean
obey (Worker *worker)
{
  g_autofree char *methods = tfd_fake_transport_list (worker->fixture->transport);

  if (g_str_has_prefix (methods, "Start"))
    begin_run (worker);
  else if (g_str_has_prefix (methods, "Stop"))
    end_run (worker);
  else
    {
      g_assert_cmpstr (methods, ==, "");
      return FALSE;
    }
  return TRUE;
}

ENGINE_TEST (test_runs)
{
  for (guint round = 0; round < ROUNDS; round++)
    {
      Worker worker = { .fixture = self };
      guint steps = 0;
      TfdJob *job;

      /* which way the bytes go makes no difference to any of this */
      self->type = round % 2 == 0 ? TFD_JOB_TYPE_DOWNLOAD : TFD_JOB_TYPE_UPLOAD;
      job = engine_create (self, "a", N_FILES, TRUE, "{'MinimumRetryDelay': <uint64 5000000>}");

      for (guint i = 0; i < 60; i++)
        {
          if (obey (&worker))
            continue;
          if (worker.run != 0 && happens (2))
            finish_file (&worker, happens (2));
          else
            disturb (&worker);
          check_job (&worker);
        }

      /* peace: it comes to its end */
      for (job = engine_find (self, "a"); tfd_job_record (job)->state != TFD_JOB_STATE_TRANSFERRED;
           job = engine_find (self, "a"))
        {
          g_assert_cmpuint (steps++, <, MAX_STEPS);
          if (obey (&worker))
            continue;
          if (worker.run != 0)
            finish_file (&worker, TRUE);
          else if (!tfd_engine_resume (self->engine, job, NULL))
            g_assert_not_reached ();
          else
            engine_advance (self, 40 * SECOND);
          check_job (&worker);
        }
      while (obey (&worker))
        ;
      engine_cancel (self, job);
      if (self->type == TFD_JOB_TYPE_DOWNLOAD)
        engine_answer (self, "Discard", "([],)");
      engine_advance (self, 100 * SECOND);
      tfd_signal_log_clear (self->log);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ENGINE_ADD ("/engine/chaos/complete", test_complete);
  ENGINE_ADD ("/engine/chaos/runs", test_runs);
  return g_test_run ();
}
