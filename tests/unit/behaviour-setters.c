/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Behaviour, setters: what may be changed about a job, and in which of its states. */
#include "behaviour.h"

/* ---- properties ---- */

typedef enum
{
  ALWAYS,          /* until the job has ended, also while it runs */
  BEFORE_RESUME,   /* … its first */
  BEFORE_ADD_FILE, /* … its first */
} When;

/* Values other than the default. Uploads: the properties that are only for downloads say so in
 * their own table. */
static const struct
{
  const char *name;
  const char *value;
  When when;
} properties[] = {
  { "DisplayName", "'b'", ALWAYS },
  { "Description", "'x'", ALWAYS },
  { "Priority", "'high'", ALWAYS },
  { "MinimumRetryDelay", "uint64 700000000", ALWAYS },
  { "NoProgressTimeout", "uint64 864000000000", ALWAYS },
  { "MaximumDownloadTime", "uint64 864000000000", ALWAYS },
  { "NotifyFiles", "true", ALWAYS },
  { "NotifyInterval", "uint64 1000000", ALWAYS },
  { "NotifyApplication", "'org.example.App'", ALWAYS },
  { "TransferPolicy", "'unrestricted'", ALWAYS },
  { "RunWhen", "'logged-in'", ALWAYS },
  { "RedirectPolicy", "'refuse'", ALWAYS },
  { "AllowDowngrade", "true", ALWAYS },
  { "AutoComplete", "true", ALWAYS },
  { "Headers", "[('X-Token', 'abc')]", ALWAYS },
  { "HeadersWriteOnly", "true", ALWAYS },
  { "DynamicContent", "true", BEFORE_RESUME },
  { "MaximumSize", "uint64 1000", BEFORE_RESUME },
  { "HighPerformance", "true", BEFORE_ADD_FILE },
};

typedef struct
{
  guint property;
  const char *state;
} Cell;

/* What only uploads have is in their tests. */
static const char *const of_uploads[] = { "UploadProtocol", "ReplyFileName", NULL };

/* Whoever lets a property be set has to say here when. */
static void
test_every_property (EngineFixture *engine G_GNUC_UNUSED, gconstpointer row G_GNUC_UNUSED)
{
  for (const TfdPropertyInfo *info = tfd_job_property_table (); info->name != NULL; info++)
    {
      gboolean found = g_strv_contains (of_uploads, info->name);

      for (gsize i = 0; i < G_N_ELEMENTS (properties); i++)
        found |= g_str_equal (properties[i].name, info->name);
      if (info->implemented && !found)
        g_test_message ("‘%s’ is missing in the table of behaviour-setters.c", info->name);
      g_assert_cmpint (found, ==, info->implemented);
    }
}

static void
assert_value (Subject *self, const char *name, const char *expected)
{
  g_autoptr (GVariant) value =
      g_variant_ref_sink (tfd_job_properties_get (subject_record (self)->properties, name));
  g_autofree char *text = g_variant_print (value, TRUE);

  g_assert_cmpstr (text, ==, expected);
}

/* 0 = it may be set. */
static TfdErrorCode
expected_error (When when, const char *state)
{
  gboolean empty = g_str_equal (state, "empty");

  if (g_str_equal (state, "acknowledged") || g_str_equal (state, "cancelled"))
    return TFD_ERROR_INVALID_STATE;
  if (when == BEFORE_ADD_FILE && !empty)
    return TFD_ERROR_READ_ONLY_AFTER_ADD_FILE;
  if (when == BEFORE_RESUME && !empty && !g_str_equal (state, "new"))
    return TFD_ERROR_READ_ONLY_AFTER_RESUME;
  return 0;
}

/* Properties that the worker was told with the start. */
static const char *const told_to_worker[] = { "RedirectPolicy", "AllowDowngrade", "Headers", NULL };

static void
check_set (Subject *self, const char *name, const char *value)
{
  g_assert_cmpint (subject_record (self)->state, ==, self->before.state);
  assert_value (self, name, value);
  subject_assert_used (self);
  g_assert_cmpuint (self->told & TFD_CHANGED_PROPERTIES, !=, 0);
  tfd_signal_log_assert (self->engine->log, "");
  /* who was waited for has said not to wait any more */
  if (g_str_equal (name, "AutoComplete") && self->before.state == TFD_JOB_STATE_TRANSFERRED)
    {
      subject_serve (self->engine);
      assert_job (self->job, "acknowledged");
    }
  /* effective on a running job */
  if (tfd_job_state_is_running (self->before.state) && g_strv_contains (told_to_worker, name))
    engine_answer (self->engine, "Configure", "()");
  engine_assert_requests (self->engine, "");
}

static void
test_property (EngineFixture *engine, gconstpointer row)
{
  const Cell *cell = row;
  const char *name = properties[cell->property].name;
  const char *value = properties[cell->property].value;
  g_autofree char *changes = g_strdup_printf ("{'%s': <%s>}", name, value);
  TfdErrorCode code = expected_error (properties[cell->property].when, cell->state);
  g_auto (Subject) self = { 0 };
  g_autoptr (GError) error = NULL;

  subject_enter (&self, engine, cell->state, NULL);
  engine_set_properties (engine, self.job, changes, &error);
  engine_settle (engine);
  if (code == 0)
    {
      g_assert_no_error (error);
      check_set (&self, name, value);
      return;
    }
  g_assert_error (error, TFD_ERROR, (int) code);
  subject_assert_untouched (&self);
  engine_assert_requests (engine, "");
}

/* ---- … that act at once ---- */

static void
test_priority_at_once (EngineFixture *engine, gconstpointer row G_GNUC_UNUSED)
{
  g_auto (Subject) self = { 0 };

  subject_enter (&self, engine, "queued", NULL);
  OK (engine_set_properties (engine, self.job, "{'Priority': <'foreground'>}", error));
  engine_settle (engine);
  assert_job (self.job, "connecting");
  engine_take_start (engine);
}

static void
test_policy_at_once (EngineFixture *engine, gconstpointer row G_GNUC_UNUSED)
{
  g_auto (Subject) self = { 0 };

  subject_enter (&self, engine, "transferring", "{'TransferPolicy': <'always'>}");
  tfd_engine_set_network (engine->engine, TRUE, TRUE);
  engine_settle (engine);
  assert_job (self.job, "transferring");
  OK (engine_set_properties (engine, self.job, "{'TransferPolicy': <'standard'>}", error));
  engine_settle (engine);
  engine_answer (engine, "Stop", "([],)");
  assert_job (self.job, "transient-error");
  g_assert_cmpint (subject_record (&self)->failure.code, ==, TFD_ERROR_BLOCKED_BY_COST);
  OK (engine_set_properties (engine, self.job, "{'TransferPolicy': <'always'>}", error));
  engine_settle (engine);
  assert_job (self.job, "connecting");
  engine_take_start (engine);
}

static void
test_run_when_at_once (EngineFixture *engine, gconstpointer row G_GNUC_UNUSED)
{
  g_auto (Subject) self = { 0 };

  subject_enter (&self, engine, "transferring", NULL);
  tfd_engine_set_log_ons (engine->engine, TFD_LOG_ONS_KNOWN);
  OK (engine_set_properties (engine, self.job, "{'RunWhen': <'logged-in'>}", error));
  engine_settle (engine);
  engine_answer (engine, "Stop", "([],)");
  assert_job (self.job, "queued");
}

static void
test_maximum_time_at_once (EngineFixture *engine, gconstpointer row G_GNUC_UNUSED)
{
  g_auto (Subject) self = { 0 };

  subject_enter (&self, engine, "transferring", NULL);
  engine_advance (engine, HOUR);
  OK (engine_set_properties (engine, self.job, "{'MaximumDownloadTime': <uint64 60000000>}",
                             error));
  engine_settle (engine);
  engine_answer (engine, "Stop", "([],)");
  assert_job (self.job, "error");
}

static void
test_no_progress_at_once (EngineFixture *engine, gconstpointer row G_GNUC_UNUSED)
{
  g_auto (Subject) self = { 0 };

  subject_enter (&self, engine, "transient-error", NULL);
  engine_advance (engine, MINUTE);
  OK (engine_set_properties (engine, self.job, "{'NoProgressTimeout': <uint64 60000000>}", error));
  engine_settle (engine);
  assert_job (self.job, "error");
}

/* ---- calls about files ---- */

typedef gboolean (*FileCall) (Subject *self, GError **error);

static gboolean
set_remote_name (Subject *self, GError **error)
{
  return tfd_engine_set_remote_name (self->engine->engine, self->job, 1, "http://mirror/1", error);
}

static gboolean
replace_remote_prefix (Subject *self, GError **error)
{
  guint32 changed = 0;

  if (!tfd_engine_replace_remote_prefix (self->engine->engine, self->job, "http://host/",
                                         "http://mirror/", &changed, error))
    return FALSE;
  g_assert_cmpuint (changed, ==, self->before.files_total);
  return TRUE;
}

static gboolean
set_valid (Subject *self, GError **error)
{
  return tfd_engine_set_validation_state (self->engine->engine, self->job, 0, TRUE, error);
}

static gboolean
set_invalid (Subject *self, GError **error)
{
  return tfd_engine_set_validation_state (self->engine->engine, self->job, 0, FALSE, error);
}

/* In the order of the states; "=" the same, "~" it begins anew with its new names, "0" the same,
 * and nothing was changed, "E" error, which is told, "e" error, in which it was, "!" InvalidState,
 * "?" InvalidArgs: there is no such file. */
static const struct
{
  const char *name;
  FileCall call;
  const char *cells;
} file_calls[] = {
  { "set-remote-name", set_remote_name, "?===~~===!!" },
  { "replace-remote-prefix", replace_remote_prefix, "0===~~===!!" },
  { "set-validation-state-true", set_valid, "?!=======!!" },
  { "set-validation-state-false", set_invalid, "?!EEEEEeE!!" },
};

typedef struct
{
  FileCall call;
  guint state;
  char cell;
} FileCell;

static void
check_anew (Subject *self)
{
  assert_job (self->job, "queued");
  engine_answer (self->engine, "Stop", "([],)");
  engine_assert_file_value (self->engine, "Start", 1, "url",
                            g_str_has_suffix (engine_file (self->job, 1)->url, "/a/1")
                                ? "'http://mirror/a/1'"
                                : "'http://mirror/1'");
  engine_take_start (self->engine);
  g_assert_cmpuint (subject_record (self)->bytes_transferred, ==, self->before.bytes_transferred);
  subject_assert_used (self);
}

static void
check_invalid (Subject *self, gboolean told)
{
  const TfdJobRecord *record = subject_record (self);

  assert_job (self->job, "error");
  subject_assert_used (self);
  tfd_signal_log_assert (self->engine->log, told ? "a is error\na failed ValidationFailed" : "");
  g_assert_cmpint (record->failure.code, ==,
                   told ? TFD_ERROR_VALIDATION_FAILED : self->before.failure.code);
  g_assert_cmpuint (record->error_count, ==, self->before.error_count + told);
  g_assert_cmpuint (record->bytes_transferred, ==, self->before.bytes_transferred - 100);
  assert_file (self->job, 0, "error");
  subject_serve (self->engine);
}

static void
check_file_cell (Subject *self, char cell, const GError *error)
{
  if (cell == '!' || cell == '?')
    {
      int code = cell == '!' ? TFD_ERROR_INVALID_STATE : TFD_ERROR_INVALID_ARGS;

      g_assert_error (error, TFD_ERROR, code);
      subject_assert_untouched (self);
      return;
    }
  g_assert_no_error (error);
  if (cell == '0')
    subject_assert_untouched (self);
  else if (cell == '~')
    check_anew (self);
  else if (cell == 'e' || cell == 'E')
    check_invalid (self, cell == 'E');
  else
    {
      g_assert_cmpint (subject_record (self)->state, ==, self->before.state);
      subject_assert_used (self);
      tfd_signal_log_assert (self->engine->log, "");
      engine_assert_requests (self->engine, "");
    }
}

static void
test_file_call (EngineFixture *engine, gconstpointer row)
{
  const FileCell *cell = row;
  g_auto (Subject) self = { 0 };
  g_autoptr (GError) error = NULL;

  subject_enter (&self, engine, behaviour_states[cell->state], NULL);
  g_assert_cmpint (cell->call (&self, &error), ==, error == NULL);
  engine_settle (engine);
  check_file_cell (&self, cell->cell, error);
}

/* ---- all of them ---- */

static void
add_properties (void)
{
  static Cell cells[G_N_ELEMENTS (properties)][N_BEHAVIOUR_STATES];

  for (guint i = 0; i < G_N_ELEMENTS (properties); i++)
    for (guint s = 0; s < N_BEHAVIOUR_STATES; s++)
      {
        cells[i][s] = (Cell){ i, behaviour_states[s] };
        behaviour_add (&cells[i][s], test_property, "/behaviour/setters/%s/%s", properties[i].name,
                       behaviour_states[s]);
      }
}

static void
add_file_calls (void)
{
  static FileCell cells[G_N_ELEMENTS (file_calls)][N_BEHAVIOUR_STATES];

  for (guint i = 0; i < G_N_ELEMENTS (file_calls); i++)
    for (guint s = 0; s < N_BEHAVIOUR_STATES; s++)
      {
        cells[i][s] = (FileCell){ file_calls[i].call, s, file_calls[i].cells[s] };
        behaviour_add (&cells[i][s], test_file_call, "/behaviour/setters/%s/%s", file_calls[i].name,
                       behaviour_states[s]);
      }
}

void
behaviour_add_setters (void)
{
  behaviour_add (NULL, test_every_property, "/behaviour/setters/every-property");
  add_properties ();
  add_file_calls ();
  behaviour_add (NULL, test_priority_at_once, "/behaviour/setters/Priority/at-once");
  behaviour_add (NULL, test_policy_at_once, "/behaviour/setters/TransferPolicy/at-once");
  behaviour_add (NULL, test_run_when_at_once, "/behaviour/setters/RunWhen/at-once");
  behaviour_add (NULL, test_maximum_time_at_once, "/behaviour/setters/MaximumDownloadTime/at-once");
  behaviour_add (NULL, test_no_progress_at_once, "/behaviour/setters/NoProgressTimeout/at-once");
}
