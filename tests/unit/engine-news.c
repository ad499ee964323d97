/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Tests of news from workers that lie: a worker belongs to its user, and may say anything. */
#include "engine-fixture.h"

#include "common/names.h"

#define BELIEVED (G_GUINT64_CONSTANT (1) << 45)

typedef struct
{
  TfdJob *job;
  guint64 run;
} Running;

static Running
start (EngineFixture *self, guint n_files, const char *properties)
{
  Running running;

  running.job = engine_create_running (self, "a", n_files, properties, &running.run);
  return running;
}

static void
assert_untouched (EngineFixture *self, TfdJob *job)
{
  engine_settle (self);
  assert_job (job, "connecting");
  assert_file (job, 0, "waiting");
  g_assert_cmpuint (tfd_job_record (job)->bytes_transferred, ==, 0);
  g_assert_cmpuint (tfd_job_record (job)->files_transferred, ==, 0);
  tfd_signal_log_assert (self->log, "");
}

/* ---- who and what ---- */

ENGINE_TEST (test_unknown_run)
{
  Running a = start (self, 1, NULL);
  static const guint64 runs[] = { 0, 1, G_MAXUINT64 };

  for (guint i = 0; i < G_N_ELEMENTS (runs); i++)
    {
      engine_connected (self, runs[i]);
      engine_progress (self, runs[i], 0, 1, 2);
      engine_done (self, runs[i], 0);
      engine_failed (self, runs[i], 0, "{}");
      engine_news (self, "Parts", "(ta(ua{sv}))", "(0, [(0, {'x': <1>})])");
      engine_news (self, "Event", "(tusa{sv})", "(0, 0, 'restarted', {})");
    }
  assert_untouched (self, a.job);
}

/* The number is right, but it is not this user's run. */
ENGINE_TEST (test_wrong_user)
{
  Running a = start (self, 1, NULL);
  GVariantBuilder builder;

  tfd_fake_transport_news (self->transport, BOB, "Connected", g_variant_new ("(t)", a.run));
  g_variant_builder_init (&builder, G_VARIANT_TYPE ("a(uta{sv})"));
  g_variant_builder_add (&builder, "(uta{sv})", 0, G_GUINT64_CONSTANT (7), NULL);
  tfd_fake_transport_news (self->transport, BOB, "FilesDone",
                           g_variant_new ("(ta(uta{sv}))", a.run, &builder));
  tfd_fake_transport_news (self->transport, BOB, "Failed",
                           g_variant_new ("(tu@a{sv})", a.run, 0,
                                          g_variant_new_array (G_VARIANT_TYPE ("{sv}"), NULL, 0)));
  tfd_fake_transport_lose (self->transport, BOB);
  assert_untouched (self, a.job);
}

ENGINE_TEST (test_wrong_types)
{
  Running a = start (self, 1, NULL);
  static const struct
  {
    const char *name, *type, *text;
  } cases[] = {
    { "Connected", "(u)", "(1,)" },
    { "Connected", "()", "()" },
    { "Progress", "(a(ta(utu)))", "([],)" },
    { "Parts", "(ta(us))", "(1, [])" },
    { "FilesDone", "(ta(ua{sv}))", "(1, [])" },
    { "FilesDone", "s", "'x'" },
    { "Failed", "(tus)", "(1, 0, 'x')" },
    { "Event", "(tua{sv})", "(1, 0, {})" },
    { "Nonsense", "(t)", "(1,)" },
    { "", "(t)", "(1,)" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    engine_news (self, cases[i].name, cases[i].type, cases[i].text);
  assert_untouched (self, a.job);
}

ENGINE_TEST (test_wrong_index)
{
  Running a = start (self, 1, NULL);
  static const guint32 indices[] = { 1, 1000, G_MAXUINT32 };

  for (guint i = 0; i < G_N_ELEMENTS (indices); i++)
    {
      g_autofree char *event =
          g_strdup_printf ("(%" G_GUINT64_FORMAT ", %u, 'part-replaced', {})", a.run, indices[i]);
      g_autofree char *parts =
          g_strdup_printf ("(%" G_GUINT64_FORMAT ", [(%u, {})])", a.run, indices[i]);

      engine_progress (self, a.run, indices[i], 1, 2);
      engine_done (self, a.run, indices[i]);
      engine_failed (self, a.run, indices[i], "{}");
      engine_news (self, "Event", "(tusa{sv})", event);
      engine_news (self, "Parts", "(ta(ua{sv}))", parts);
    }
  assert_untouched (self, a.job);
}

/* A temporary that is gone with what had arrived: nothing is fetched twice unasked. */
ENGINE_TEST (test_part_missing)
{
  Running a = start (self, 2, NULL);
  g_autofree char *finished =
      g_strdup_printf ("(%" G_GUINT64_FORMAT ", 0, 'part-missing', {})", a.run);
  g_autofree char *event =
      g_strdup_printf ("(%" G_GUINT64_FORMAT ", 1, 'part-missing', {})", a.run);

  engine_done (self, a.run, 0);
  engine_progress (self, a.run, 1, 40, 100);
  engine_news (self, "Event", "(tusa{sv})", finished);
  assert_job (a.job, "transferring");
  engine_news (self, "Event", "(tusa{sv})", event);
  assert_job (a.job, "suspended");
  assert_file (a.job, 0, "transferred");
  assert_file (a.job, 1, "missing");
  g_assert_cmpuint (tfd_job_record (a.job)->bytes_transferred, ==, 100);
  g_assert_cmpint (tfd_job_record (a.job)->failure.code, ==, TFD_ERROR_FILE_MISSING);
  g_assert_cmpuint (tfd_job_record (a.job)->failure.file, ==, 1);
  engine_answer (self, "Stop", "([],)");
  engine_advance (self, 3600 * SECOND);
  engine_assert_requests (self, "");

  OK (tfd_engine_resume (self->engine, a.job, error));
  engine_settle (self);
  engine_assert_asked (self, "Start", "1");
  engine_assert_file_value (self, "Start", 1, "attempt", "1");
  engine_take_start (self);
  tfd_signal_log_clear (self->log);
}

/* ---- sizes ---- */

ENGINE_TEST (test_sizes)
{
  Running a = start (self, 3, NULL);
  const TfdJobRecord *record = tfd_job_record (a.job);

  /* more than there is */
  engine_progress (self, a.run, 0, 500, 100);
  g_assert_cmpuint (record->bytes_transferred, ==, 100);
  engine_progress (self, a.run, 0, G_MAXUINT64, TFD_SIZE_UNKNOWN);
  g_assert_cmpuint (record->bytes_transferred, ==, BELIEVED);
  engine_progress (self, a.run, 0, G_MAXUINT64, G_MAXUINT64 - 1);
  engine_progress (self, a.run, 1, G_MAXUINT64, G_MAXUINT64 - 1);
  engine_progress (self, a.run, 2, G_MAXUINT64, G_MAXUINT64 - 1);
  g_assert_cmpuint (record->bytes_transferred, ==, 3 * BELIEVED);
  g_assert_cmpuint (record->bytes_total, ==, 3 * BELIEVED);
  engine_progress (self, a.run, 0, 1, 0);
  g_assert_cmpuint (record->bytes_transferred, ==, 2 * BELIEVED);
  g_assert_cmpuint (record->bytes_total, ==, 2 * BELIEVED);
  tfd_signal_log_clear (self->log);
}

/* Bytes that are there no more, as after a restart of the file. */
ENGINE_TEST (test_shrinking)
{
  Running a = start (self, 2, NULL);
  const TfdJobRecord *record = tfd_job_record (a.job);

  engine_progress (self, a.run, 0, 80, 100);
  engine_progress (self, a.run, 1, 10, 10);
  g_assert_cmpuint (record->bytes_total, ==, 110);
  engine_progress (self, a.run, 0, 0, 50);
  g_assert_cmpuint (record->bytes_transferred, ==, 10);
  g_assert_cmpuint (record->bytes_total, ==, 60);
  engine_progress (self, a.run, 0, 0, TFD_SIZE_UNKNOWN);
  g_assert_cmpuint (record->bytes_total, ==, TFD_SIZE_UNKNOWN);
  engine_progress (self, a.run, 0, 5, 20);
  g_assert_cmpuint (record->bytes_total, ==, 30);
  g_assert_cmpuint (record->bytes_transferred, ==, 15);
  tfd_signal_log_clear (self->log);
}

/* Random news: the sums are always those of the files. */
ENGINE_TEST (test_random_progress)
{
  Running a = start (self, 5, NULL);
  const TfdJobRecord *record = tfd_job_record (a.job);

  for (guint round = 0; round < 300; round++)
    {
      guint32 index = (guint32) g_test_rand_int_range (0, 6);
      guint64 total = g_test_rand_bit () ? (guint64) g_test_rand_int () : TFD_SIZE_UNKNOWN;
      guint64 sum = 0, transferred = 0;

      engine_progress (self, a.run, index, (guint64) g_test_rand_int (), total);
      for (guint i = 0; i < 5; i++)
        {
          const TfdFileRecord *file = engine_file (a.job, i);

          transferred += file->transferred;
          sum = sum == TFD_SIZE_UNKNOWN || file->total == TFD_SIZE_UNKNOWN ? TFD_SIZE_UNKNOWN
                                                                           : sum + file->total;
        }
      g_assert_cmpuint (record->bytes_transferred, ==, transferred);
      g_assert_cmpuint (record->bytes_total, ==, sum);
    }
  tfd_signal_log_clear (self->log);
}

/* What is finished stays finished. */
ENGINE_TEST (test_after_done)
{
  Running a = start (self, 2, NULL);
  g_autofree char *parts = g_strdup_printf ("(%" G_GUINT64_FORMAT ", [(0, {'y': <2>})])", a.run);

  engine_done (self, a.run, 0);
  engine_progress (self, a.run, 0, 1, 2);
  engine_failed (self, a.run, 0, "{}");
  engine_done (self, a.run, 0);
  engine_news (self, "Parts", "(ta(ua{sv}))", parts);
  assert_file (a.job, 0, "transferred");
  assert_job (a.job, "transferring");
  g_assert_cmpuint (engine_file (a.job, 0)->transferred, ==, 100);
  g_assert_cmpuint (tfd_job_record (a.job)->files_transferred, ==, 1);
  g_assert_true (g_variant_lookup (engine_file (a.job, 0)->part, "done", "b", NULL));
  tfd_signal_log_assert (self->log, "a is transferring");
}

/* One file many times in a message is one file. */
ENGINE_TEST (test_done_twice)
{
  Running a = start (self, 2, NULL);
  g_autofree char *text = g_strdup_printf (
      "(%" G_GUINT64_FORMAT ", [(0, 10, {}), (0, 10, {}), (7, 1, {}), (0, 20, {})])", a.run);

  engine_news (self, "FilesDone", "(ta(uta{sv}))", text);
  g_assert_cmpuint (tfd_job_record (a.job)->files_transferred, ==, 1);
  g_assert_cmpuint (tfd_job_record (a.job)->bytes_transferred, ==, 10);
  assert_job (a.job, "transferring");
  tfd_signal_log_clear (self->log);
}

ENGINE_TEST (test_maximum_size)
{
  Running a = start (self, 2, "{'MaximumSize': <uint64 150>}");

  engine_progress (self, a.run, 0, 100, 100);
  assert_job (a.job, "transferring");
  engine_progress (self, a.run, 1, 51, TFD_SIZE_UNKNOWN);
  assert_job (a.job, "error");
  g_assert_cmpint (tfd_job_record (a.job)->failure.code, ==, TFD_ERROR_MAXIMUM_SIZE_EXCEEDED);
  engine_answer (self, "Stop", "([],)");
  tfd_signal_log_assert (self->log, "a is transferring\na is error\na failed MaximumSizeExceeded");
}

/* Known before the bytes come. */
ENGINE_TEST (test_maximum_size_announced)
{
  Running a = start (self, 1, "{'MaximumSize': <uint64 150>}");

  engine_progress (self, a.run, 0, 0, 151);
  assert_job (a.job, "error");
  engine_answer (self, "Stop", "([],)");
  tfd_signal_log_clear (self->log);
}

/* ---- part records ---- */

static void
send_part (EngineFixture *self, guint64 run, gsize length)
{
  g_autofree char *filler = g_strnfill (length, 'x');
  GVariantBuilder builder;
  GVariantDict dict;

  g_variant_dict_init (&dict, NULL);
  g_variant_dict_insert (&dict, "x", "s", filler);
  g_variant_builder_init (&builder, G_VARIANT_TYPE ("a(ua{sv})"));
  g_variant_builder_add (&builder, "(u@a{sv})", 0, g_variant_dict_end (&dict));
  tfd_fake_transport_news (self->transport, ALICE, "Parts",
                           g_variant_new ("(ta(ua{sv}))", run, &builder));
  engine_settle (self);
}

/* A record is stored as it came, unless it is too large: then the one before stays. */
ENGINE_TEST (test_parts)
{
  Running a = start (self, 1, NULL);
  GVariant *part;

  send_part (self, a.run, 4000);
  part = engine_file (a.job, 0)->part;
  g_assert_nonnull (part);
  g_assert_cmpuint (g_variant_get_size (part), >, 4000);
  send_part (self, a.run, 4096);
  g_assert_true (engine_file (a.job, 0)->part == part);
  send_part (self, a.run, 1000000);
  g_assert_true (engine_file (a.job, 0)->part == part);
  engine_restart (self);
  engine_settle (self);
  g_assert_cmpuint (g_variant_get_size (engine_file (engine_find (self, "a"), 0)->part), >, 4000);
  engine_take_start (self);
  tfd_signal_log_clear (self->log);
}

/* A file whose record cannot be stored is not done. */
ENGINE_TEST (test_done_with_large_part)
{
  Running a = start (self, 1, NULL);
  g_autofree char *filler = g_strnfill (5000, 'x');
  g_autofree char *text =
      g_strdup_printf ("(%" G_GUINT64_FORMAT ", [(0, 10, {'x': <'%s'>})])", a.run, filler);

  engine_news (self, "FilesDone", "(ta(uta{sv}))", text);
  assert_job (a.job, "connecting");
  assert_file (a.job, 0, "waiting");
}

/* ---- events ---- */

static void
send_event (EngineFixture *self, guint64 run, const char *kind, const char *details)
{
  g_autofree char *text =
      g_strdup_printf ("(%" G_GUINT64_FORMAT ", 0, '%s', %s)", run, kind, details);

  engine_news (self, "Event", "(tusa{sv})", text);
}

static guint
count_events (EngineFixture *self, TfdJob *job, const char *kind)
{
  g_autoptr (GPtrArray) events = tfd_store_load_events (self->store, tfd_job_id (job), 0, NULL);
  guint count = 0;

  for (guint i = 0; i < events->len; i++)
    count += g_str_equal (((TfdEventRow *) events->pdata[i])->kind, kind);
  return count;
}

/* What stands under the temporary's name is not ours: the file starts under another one. */
ENGINE_TEST (test_part_replaced)
{
  Running a = start (self, 1, NULL);

  send_part (self, a.run, 10);
  engine_progress (self, a.run, 0, 50, 100);
  send_event (self, a.run, "part-replaced", "{}");
  g_assert_cmpuint (tfd_job_record (a.job)->bytes_transferred, ==, 0);
  engine_assert_asked (self, "AddFiles", "0");
  engine_assert_file_value (self, "AddFiles", 0, "attempt", "1");
  engine_assert_file_value (self, "AddFiles", 0, "part", "");
  engine_answer (self, "AddFiles", "()");
  g_assert_cmpuint (count_events (self, a.job, "part-replaced"), ==, 1);
  tfd_signal_log_clear (self->log);
}

ENGINE_TEST (test_redirected)
{
  Running a = start (self, 1, NULL);
  g_autofree char *filler = g_strnfill (9000, 'x');
  g_autofree char *too_long = g_strdup_printf ("{'url': <'http://%s'>, 'report': <true>}", filler);

  send_event (self, a.run, "redirected", "{'url': <'http://elsewhere/1'>}");
  g_assert_cmpstr (engine_file (a.job, 0)->url, ==, "http://host/a/0");
  send_event (self, a.run, "redirected", "{'url': <'http://elsewhere/2'>, 'report': <true>}");
  g_assert_cmpstr (engine_file (a.job, 0)->url, ==, "http://elsewhere/2");
  send_event (self, a.run, "redirected", "{'url': <7>, 'report': <true>}");
  send_event (self, a.run, "redirected", too_long);
  g_assert_cmpstr (engine_file (a.job, 0)->url, ==, "http://elsewhere/2");
  tfd_signal_log_assert (self->log, "");
}

/* A worker may not change what is fetched into something that a client could not have asked for. */
ENGINE_TEST (test_redirected_to_nonsense)
{
  Running a = start (self, 1, NULL);
  static const char *const urls[] = { "", "nonsense", "ftp://host/x", "http://user:pw@host/x" };

  for (guint i = 0; i < G_N_ELEMENTS (urls); i++)
    {
      g_autofree char *details = g_strdup_printf ("{'url': <'%s'>, 'report': <true>}", urls[i]);

      send_event (self, a.run, "redirected", details);
      g_assert_cmpstr (engine_file (a.job, 0)->url, ==, "http://host/a/0");
    }
}

ENGINE_TEST (test_events)
{
  Running a = start (self, 1, NULL);
  g_autofree char *filler = g_strnfill (TFD_MAX_PART * 4, 'x');
  g_autofree char *large = g_strdup_printf ("{'x': <'%s'>}", filler);

  send_event (self, a.run, "restarted", "{'reason': <'x'>}");
  g_assert_cmpuint (count_events (self, a.job, "restarted"), ==, 1);
  send_event (self, a.run, "restarted", large);
  g_assert_cmpuint (count_events (self, a.job, "restarted"), ==, 1);
  send_event (self, a.run, "nonsense", "{}");
  g_assert_cmpuint (count_events (self, a.job, "nonsense"), ==, 0);
  assert_job (a.job, "connecting");
}

/* ---- rate ---- */

static void
count_cb (TfdEngine *engine G_GNUC_UNUSED, TfdJob *job G_GNUC_UNUSED, guint mask, guint *count)
{
  *count += (mask & TFD_CHANGED_PROGRESS) != 0;
}

/* When nothing comes any more the rate is none, which is told once. */
ENGINE_TEST (test_rate)
{
  Running a = start (self, 1, NULL);
  guint64 rate;
  guint told = 0;

  engine_connected (self, a.run);
  for (guint i = 1; i <= 20; i++)
    {
      engine_progress (self, a.run, 0, i * 1000, 100000);
      engine_advance (self, SECOND / 2);
    }
  rate = tfd_job_rate (a.job);
  g_assert_cmpuint (rate, >, 1900);
  g_assert_cmpuint (rate, <, 2100);
  g_signal_connect (self->engine, "job-changed", G_CALLBACK (count_cb), &told);
  engine_advance (self, 3 * SECOND);
  g_assert_cmpuint (tfd_job_rate (a.job), ==, rate);
  engine_advance (self, 2 * SECOND);
  g_assert_cmpuint (tfd_job_rate (a.job), ==, 0);
  engine_advance (self, 600 * SECOND);
  g_assert_cmpuint (told, ==, 1);
  engine_progress (self, a.run, 0, 30000, 100000);
  g_assert_cmpuint (tfd_job_rate (a.job), ==, 0);
  engine_advance (self, SECOND);
  engine_progress (self, a.run, 0, 31000, 100000);
  g_assert_cmpuint (tfd_job_rate (a.job), >, 0);
  tfd_signal_log_clear (self->log);
}

/* They come into logs and onto the terminals of others. */
ENGINE_TEST (test_words)
{
  guint64 run;
  TfdJob *job = engine_create_running (self, "a", 1, NULL, &run);

  engine_failed (self, run, 0,
                 "{'name': <'org.transferd.Transfer1.Error.HttpStatus'>, 'transient': <false>,"
                 " 'context': <'remote-file'>, 'message': <'a\\n\\u001b[31mé\\u2028\\u202eb'>}");
  g_assert_cmpstr (tfd_job_record (job)->failure.message, ==, "a  [31mé  b");
  engine_answer (self, "Stop", "([],)");
  tfd_signal_log_clear (self->log);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ENGINE_ADD ("/engine/news/unknown-run", test_unknown_run);
  ENGINE_ADD ("/engine/news/wrong-user", test_wrong_user);
  ENGINE_ADD ("/engine/news/wrong-types", test_wrong_types);
  ENGINE_ADD ("/engine/news/wrong-index", test_wrong_index);
  ENGINE_ADD ("/engine/news/part-missing", test_part_missing);
  ENGINE_ADD ("/engine/news/sizes", test_sizes);
  ENGINE_ADD ("/engine/news/shrinking", test_shrinking);
  ENGINE_ADD ("/engine/news/random-progress", test_random_progress);
  ENGINE_ADD ("/engine/news/after-done", test_after_done);
  ENGINE_ADD ("/engine/news/done-twice", test_done_twice);
  ENGINE_ADD ("/engine/news/maximum-size", test_maximum_size);
  ENGINE_ADD ("/engine/news/maximum-size-announced", test_maximum_size_announced);
  ENGINE_ADD ("/engine/news/parts", test_parts);
  ENGINE_ADD ("/engine/news/large-part", test_done_with_large_part);
  ENGINE_ADD ("/engine/news/part-replaced", test_part_replaced);
  ENGINE_ADD ("/engine/news/redirected", test_redirected);
  ENGINE_ADD ("/engine/news/redirected-to-nonsense", test_redirected_to_nonsense);
  ENGINE_ADD ("/engine/news/events", test_events);
  ENGINE_ADD ("/engine/news/rate", test_rate);
  ENGINE_ADD ("/engine/news/words", test_words);
  return g_test_run ();
}
