/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Engine fixture, what tests do with it: jobs, calls, requests, news, faults. */
#include "engine-fixture.h"

#include "store/statement.h"

/* ---- jobs ---- */

static GVariant *
parse (const char *type, const char *text)
{
  g_autoptr (GError) error = NULL;
  GVariant *value = g_variant_parse (G_VARIANT_TYPE (type), text, NULL, NULL, &error);

  g_assert_no_error (error);
  return value;
}

GPtrArray *
engine_specs (const char *name, guint first, guint count)
{
  GPtrArray *specs = g_ptr_array_new_with_free_func ((GDestroyNotify) tfd_file_spec_free);

  for (guint i = first; i < first + count; i++)
    {
      g_autoptr (GError) error = NULL;
      g_autofree char *url = g_strdup_printf ("http://host/%s/%u", name, i);
      g_autofree char *path = g_strdup_printf ("/home/%s/%u", name, i);

      g_ptr_array_add (specs, tfd_file_spec_new (TFD_JOB_TYPE_DOWNLOAD, url, path, NULL, &error));
      g_assert_no_error (error);
    }
  return specs;
}

TfdJob *
engine_try_create (EngineFixture *self,
                   guint32 uid,
                   const char *name,
                   guint n_files,
                   gboolean start,
                   const char *properties,
                   GError **error)
{
  const TfdOwner owner = { uid, uid == ALICE ? "alice" : uid == BOB ? "bob" : "root", NULL };
  g_autoptr (TfdJobProperties) record = tfd_job_properties_new ();
  g_autoptr (GPtrArray) specs = engine_specs (name, 0, n_files);
  g_autoptr (GVariant) changes = parse ("a{sv}", properties != NULL ? properties : "{}");
  g_autoptr (GError) local_error = NULL;

  tfd_job_properties_apply (record, self->type, changes, TRUE, TFD_LIFE_NEW, &local_error);
  g_assert_no_error (local_error);
  g_free (record->display_name);
  record->display_name = g_strdup (name);
  return tfd_engine_create_job (self->engine, &owner, self->type, g_steal_pointer (&record), specs,
                                NULL, start, NULL, error);
}

TfdJob *
engine_create (
    EngineFixture *self, const char *name, guint n_files, gboolean start, const char *properties)
{
  g_autoptr (GError) error = NULL;
  TfdJob *job = engine_try_create (self, ALICE, name, n_files, start, properties, &error);

  g_assert_no_error (error);
  engine_settle (self);
  return job;
}

static gboolean
match_name (TfdJob *job, gpointer data)
{
  gpointer *search = data;

  if (g_str_equal (engine_name_of (job), search[0]))
    search[1] = job;
  return TRUE;
}

TfdJob *
engine_find (EngineFixture *self, const char *name)
{
  gpointer search[] = { (gpointer) name, NULL };

  tfd_engine_foreach_job (self->engine, ALICE, NULL, match_name, search);
  return search[1];
}

TfdJob *
engine_create_running (
    EngineFixture *self, const char *name, guint n_files, const char *properties, guint64 *run)
{
  TfdJob *job = engine_create (self, name, n_files, TRUE, properties);

  *run = engine_take_start (self);
  assert_job (job, "connecting");
  tfd_signal_log_clear (self->log);
  return job;
}

/* With the reply, where there is one. */
static void
finish_only_file (EngineFixture *self, guint64 run)
{
  if (self->type == TFD_JOB_TYPE_UPLOAD_REPLY)
    engine_done (self, run, 1);
  engine_done (self, run, 0);
}

void
engine_put_in (EngineFixture *self, TfdJob *job, TfdJobState state, guint64 *run)
{
  *run = 0;
  /* a worker that cannot be had keeps it in the queue */
  tfd_transport_emit_stuck (TFD_TRANSPORT (self->transport), ALICE, state == TFD_JOB_STATE_QUEUED);
  if (state != TFD_JOB_STATE_SUSPENDED)
    {
      OK (tfd_engine_resume (self->engine, job, error));
      engine_settle (self);
    }
  if (state != TFD_JOB_STATE_SUSPENDED && state != TFD_JOB_STATE_QUEUED)
    *run = engine_take_start (self);
  switch (state)
    {
    case TFD_JOB_STATE_TRANSFERRING:
      engine_connected (self, *run);
      break;
    case TFD_JOB_STATE_TRANSIENT_ERROR:
    case TFD_JOB_STATE_ERROR:
      engine_failed (self, *run, 0,
                     state == TFD_JOB_STATE_ERROR
                         ? "{'name': <'org.transferd.Transfer1.Error.LocalFileChanged'>,"
                           " 'context': <'local-file'>, 'message': <'x'>, 'transient': <false>}"
                         : "{'name': <'org.transferd.Transfer1.Error.TimedOut'>,"
                           " 'context': <'transport'>, 'message': <'x'>, 'transient': <true>}");
      engine_answer (self, "Stop", "([],)");
      break;
    case TFD_JOB_STATE_TRANSFERRED:
      finish_only_file (self, *run);
      engine_answer (self, "Stop", "([],)");
      break;
    case TFD_JOB_STATE_SUSPENDED:
    case TFD_JOB_STATE_QUEUED:
    case TFD_JOB_STATE_CONNECTING:
    case TFD_JOB_STATE_ACKNOWLEDGED:
    case TFD_JOB_STATE_CANCELLED:
    default:
      break;
    }
  g_assert_cmpint (tfd_job_record (job)->state, ==, state);
  tfd_signal_log_clear (self->log);
}

TfdJob *
engine_create_in (EngineFixture *self, const char *name, TfdJobState state, guint64 *run)
{
  TfdJob *job = engine_create (self, name, 1, FALSE, NULL);

  engine_put_in (self, job, state, run);
  return job;
}

TfdJob *
engine_create_done (
    EngineFixture *self, const char *name, guint n_files, guint n_done, const char *properties)
{
  guint64 run;
  TfdJob *job = engine_create_running (self, name, n_files, properties, &run);

  for (guint i = 0; i < n_done; i++)
    engine_done (self, run, i);
  if (n_done < n_files)
    OK (tfd_engine_suspend (self->engine, job, error));
  engine_settle (self);
  engine_answer (self, "Stop", "([],)");
  assert_job (job, n_done < n_files ? "suspended" : "transferred");
  tfd_signal_log_clear (self->log);
  return job;
}

TfdFileRecord *
engine_file (TfdJob *job, guint index)
{
  GPtrArray *files = tfd_job_peek_files (job);

  g_assert_nonnull (files);
  g_assert_cmpuint (index, <, files->len);
  return files->pdata[index];
}

/* ---- calls ---- */

static void
outcome_cb (TfdJob *job, const TfdOutcome *outcome, const GError *error, gpointer data)
{
  EngineFixture *self = data;

  if (outcome == NULL)
    {
      g_assert_nonnull (error);
      g_assert_true (error->domain == TFD_ERROR);
      g_test_message ("outcome: %s", error->message);
      tfd_signal_log_add (self->log, "%s outcome %s", engine_name_of (job),
                          engine_short_name (error->code));
      return;
    }

  g_autofree char *kept = engine_print_indices (" kept", outcome->kept);
  g_autofree char *discarded = engine_print_indices (" discarded", outcome->discarded);
  g_autofree char *moved = engine_print_indices (" moved", outcome->moved);
  g_autoptr (GString) undeleted = g_string_new (outcome->undeleted->len > 0 ? " undeleted" : "");
  for (guint i = 0; i < outcome->undeleted->len; i++)
    g_string_append_printf (undeleted, " %s", (char *) outcome->undeleted->pdata[i]);
  tfd_signal_log_add (self->log, "%s outcome %s%s%s%s%s", engine_name_of (job),
                      tfd_enum_to_string (TFD_TYPE_RESULT, outcome->result), kept, discarded, moved,
                      undeleted->str);
}

void
engine_complete (EngineFixture *self, TfdJob *job, const char *options)
{
  g_autoptr (GVariant) parsed = parse ("a{sv}", options);

  tfd_engine_complete (self->engine, job, parsed, outcome_cb, self);
  engine_settle (self);
}

void
engine_cancel (EngineFixture *self, TfdJob *job)
{
  tfd_engine_cancel (self->engine, job, outcome_cb, self);
  engine_settle (self);
}

gboolean
engine_add_files (
    EngineFixture *self, TfdJob *job, guint first, guint count, guint32 *index, GError **error)
{
  g_autoptr (GPtrArray) specs =
      engine_specs (tfd_job_record (job)->properties->display_name, first, count);

  return tfd_engine_add_files (self->engine, job, specs, NULL, NULL, index, error);
}

gboolean
engine_set_properties (EngineFixture *self, TfdJob *job, const char *text, GError **error)
{
  g_autoptr (GVariant) changes = g_variant_parse (G_VARIANT_TYPE_VARDICT, text, NULL, NULL, NULL);

  g_assert_nonnull (changes);
  return tfd_engine_set_properties (self->engine, job, changes, error);
}

/* ---- requests ---- */

void
engine_assert_requests (EngineFixture *self, const char *methods)
{
  g_autofree char *list = tfd_fake_transport_list (self->transport);

  g_assert_cmpstr (list, ==, methods);
}

static GVariant *
files_of (EngineFixture *self, const char *method)
{
  return tfd_fake_transport_files (tfd_fake_transport_peek (self->transport, method));
}

void
engine_assert_asked (EngineFixture *self, const char *method, const char *indices)
{
  g_autoptr (GVariant) files = files_of (self, method);
  g_autoptr (GString) text = g_string_new (NULL);
  GVariantIter iter;
  guint32 index;

  g_variant_iter_init (&iter, files);
  while (g_variant_iter_next (&iter, "(u@a{sv})", &index, NULL))
    g_string_append_printf (text, "%s%u", text->len > 0 ? " " : "", index);
  g_assert_cmpstr (text->str, ==, indices);
}

static void
assert_value (GVariant *dict, const char *key, const char *text)
{
  g_autoptr (GVariant) value = g_variant_lookup_value (dict, key, NULL);
  g_autofree char *printed = NULL;

  if (value != NULL && g_variant_is_of_type (value, G_VARIANT_TYPE_BYTESTRING))
    printed = g_strndup (g_variant_get_data (value), g_variant_get_size (value));
  else
    printed = value != NULL ? g_variant_print (value, FALSE) : g_strdup ("");
  g_assert_cmpstr (printed, ==, text);
}

void
engine_assert_option (EngineFixture *self, const char *method, const char *key, const char *text)
{
  GVariant *parameters = tfd_fake_transport_peek (self->transport, method);
  g_autoptr (GVariant) options =
      g_variant_get_child_value (parameters, g_variant_n_children (parameters) - 2);

  assert_value (options, key, text);
}

void
engine_assert_file_value (
    EngineFixture *self, const char *method, guint32 index, const char *key, const char *text)
{
  g_autoptr (GVariant) files = files_of (self, method);
  GVariantIter iter;
  GVariant *dict;
  guint32 i;

  g_variant_iter_init (&iter, files);
  while (g_variant_iter_next (&iter, "(u@a{sv})", &i, &dict))
    {
      g_autoptr (GVariant) owned = dict;

      if (i != index)
        continue;
      assert_value (owned, key, text);
      return;
    }
  g_error ("%s does not speak of file %u", method, index);
}

void
engine_answer (EngineFixture *self, const char *method, const char *text)
{
  tfd_fake_transport_answer_text (self->transport, method, text);
  engine_settle (self);
}

void
engine_answer_each (EngineFixture *self, const char *method, const char *verdict)
{
  g_autoptr (GVariant) files = files_of (self, method);
  GVariantBuilder builder;
  GVariantIter iter;
  guint32 index;

  g_variant_builder_init (&builder, G_VARIANT_TYPE ("a(usa{sv})"));
  g_variant_iter_init (&iter, files);
  while (g_variant_iter_next (&iter, "(u@a{sv})", &index, NULL))
    g_variant_builder_add (&builder, "(usa{sv})", index, verdict, NULL);
  tfd_fake_transport_answer (self->transport, method, g_variant_new ("(a(usa{sv}))", &builder));
  engine_settle (self);
}

void
engine_fail (EngineFixture *self, const char *method, GIOErrorEnum code)
{
  tfd_fake_transport_fail (self->transport, method, code);
  engine_settle (self);
}

guint64
engine_take_start (EngineFixture *self)
{
  GVariant *parameters = tfd_fake_transport_peek (self->transport, "Start");
  guint64 run;

  g_variant_get_child (parameters, 0, "t", &run);
  engine_answer (self, "Start", "()");
  return run;
}

/* ---- news ---- */

void
engine_news (EngineFixture *self, const char *name, const char *type, const char *text)
{
  g_autoptr (GVariant) parameters = parse (type, text);

  tfd_fake_transport_news (self->transport, ALICE, name, parameters);
  engine_settle (self);
}

void
engine_connected (EngineFixture *self, guint64 run)
{
  tfd_fake_transport_news (self->transport, ALICE, "Connected", g_variant_new ("(t)", run));
  engine_settle (self);
}

void
engine_progress (
    EngineFixture *self, guint64 run, guint32 index, guint64 transferred, guint64 total)
{
  g_autofree char *text = g_strdup_printf ("([(%" G_GUINT64_FORMAT ", [(%u, %" G_GUINT64_FORMAT
                                           ", %" G_GUINT64_FORMAT ")])],)",
                                           run, index, transferred, total);

  engine_news (self, "Progress", "(a(ta(utt)))", text);
}

void
engine_done (EngineFixture *self, guint64 run, guint32 index)
{
  g_autofree char *text =
      g_strdup_printf ("(%" G_GUINT64_FORMAT ", [(%u, 100, {'done': <true>})])", run, index);

  engine_news (self, "FilesDone", "(ta(uta{sv}))", text);
}

void
engine_failed (EngineFixture *self, guint64 run, guint32 index, const char *details)
{
  g_autoptr (GVariant) parsed = parse ("a{sv}", details);

  tfd_fake_transport_news (self->transport, ALICE, "Failed",
                           g_variant_new ("(tu@a{sv})", run, index, parsed));
  engine_settle (self);
}

void
engine_lose (EngineFixture *self)
{
  tfd_fake_transport_lose (self->transport, ALICE);
  engine_settle (self);
}

/* ---- the database ---- */

static void
execute (EngineFixture *self, const char *sql)
{
  g_assert_cmpint (sqlite3_exec (self->store->db, sql, NULL, NULL, NULL), ==, SQLITE_OK);
}

void
engine_fail_writes (EngineFixture *self, const char *table, gboolean wholly)
{
  static const char *const kinds[] = { "INSERT", "UPDATE", "DELETE" };

  for (guint i = 0; i < G_N_ELEMENTS (kinds); i++)
    {
      g_autofree char *sql =
          g_strdup_printf ("CREATE TEMP TRIGGER fail_%s BEFORE %s ON %s"
                           " BEGIN SELECT RAISE (%s, 'the test has it fail'); END",
                           kinds[i], kinds[i], table, wholly ? "ROLLBACK" : "ABORT");
      execute (self, sql);
    }
}

void
engine_mend_writes (EngineFixture *self)
{
  execute (self, "DROP TRIGGER IF EXISTS fail_INSERT; DROP TRIGGER IF EXISTS fail_UPDATE;"
                 " DROP TRIGGER IF EXISTS fail_DELETE");
}

guint
engine_count_rows (EngineFixture *self, const char *table)
{
  g_autofree char *sql = g_strdup_printf ("SELECT count (*) FROM %s", table);
  sqlite3_stmt *statement = NULL;
  guint count;

  g_assert_cmpint (sqlite3_prepare_v2 (self->store->db, sql, -1, &statement, NULL), ==, SQLITE_OK);
  g_assert_cmpint (sqlite3_step (statement), ==, SQLITE_ROW);
  count = (guint) sqlite3_column_int (statement, 0);
  sqlite3_finalize (statement);
  return count;
}
