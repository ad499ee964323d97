/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Fuzz: what a worker may say: news of any kind about any run, answers to what it was asked, its
 * end, in any order. The bytes choose, so that types are right more often than not and numbers are
 * those that exist. Whatever alice's worker says, bob's job is not touched, and alice's can be
 * cancelled. */
#include "config.h"

#include "tests/fuzz/input.h"
#include "tests/lib/packed-rows.h"
#include "tests/unit/engine-fixture.h"

#include "common/packed.h"
#include "worker-interface.h"

#include <string.h>

#define MAX_STEPS 24
#define MAX_DEPTH 4

typedef struct
{
  const guint8 *data;
  gsize size;
  guint64 runs[5]; /* this one, the one before, bob's, none, any */
} Input;

static EngineFixture fixture;
static TfdJob *theirs; /* bob's */
static guint64 their_run, last_run;

static guint8
take (Input *input)
{
  if (input->size == 0)
    return 0;
  input->size--;
  return *input->data++;
}

/* ---- values ---- */

static GVariant *make (Input *input, const GVariantType *type, guint depth);

static const char *
take_word (Input *input)
{
  static const char *const words[] = {
    "ok",
    "renamed",
    "moved",
    "taken",
    "failed",
    "missing",
    "foreign",
    "unavailable",
    "in-place",
    "ended",
    "again",
    "restarted",
    "redirected",
    "part-replaced",
    "part-missing",
    "protocol",
    "session-lost",
    "http://host/other",
    "file:///etc/passwd",
    "a\nb",
    "org.transferd.Transfer1.Error.HttpStatus",
    "org.transferd.Transfer1.Error.DestinationUnavailable",
    "org.transferd.Transfer1.Error.LocalFileChanged",
    "org.transferd.Transfer1.Error.TimedOut",
    "transport",
    "local-file",
    "name",
    "context",
    "message",
    "transient",
    "http-status",
    "retry-after",
    "url",
    "report",
    "reason",
    "validator",
    "session",
    "last",
    "packed",
    "target",
    "error",
    "",
  };

  return words[take (input) % G_N_ELEMENTS (words)];
}

static guint64
take_number (Input *input)
{
  static const guint64 numbers[] = {
    0,
    1,
    2,
    3,
    99,
    100,
    101,
    404,
    G_MAXINT32,
    1u << 31,
    G_MAXUINT32,
    (guint64) 1 << 45,
    G_MAXINT64,
    (guint64) 1 << 63,
    G_MAXUINT64 - 1,
    G_MAXUINT64,
  };
  guint8 choice = take (input);

  return choice < 128 ? numbers[choice % G_N_ELEMENTS (numbers)]
                      : input->runs[choice % G_N_ELEMENTS (input->runs)];
}

static GVariant *
make_array (Input *input, const GVariantType *type, guint depth)
{
  const GVariantType *element = g_variant_type_element (type);
  g_autoptr (GPtrArray) children = g_ptr_array_new ();

  for (guint n = depth < MAX_DEPTH ? take (input) % 5 : 0; n > 0; n--)
    g_ptr_array_add (children, make (input, element, depth + 1));
  return g_variant_new_array (element, (GVariant *const *) children->pdata, children->len);
}

/* Rows of bytes, as those that are packed are: of numbers, and of bytes behind their length. */
static GVariant *
make_bytes (Input *input, guint depth)
{
  g_autoptr (GByteArray) to = g_byte_array_new ();

  for (guint n = depth < MAX_DEPTH ? take (input) % 5 : 0; n > 0; n--)
    {
      guint8 kind = take (input) % 16;
      g_autoptr (GVariant) part = NULL;

      if (kind == 0)
        tfd_pack_byte (to, take (input));
      else if (kind == 1)
        tfd_pack_string (to, take_word (input));
      if (kind < 3)
        continue;
      tfd_pack_uint32 (to, (guint32) take_number (input));
      tfd_pack_uint64 (to, take_number (input));
      if (kind == 3) /* a length that may be wrong */
        tfd_pack_uint32 (to, (guint32) take_number (input));
      if (kind < 6)
        continue;
      part = g_variant_ref_sink (make (input, G_VARIANT_TYPE_VARDICT, depth + 1));
      tfd_pack_bytes (to, g_variant_get_size (part) > 0 ? g_variant_get_data (part) : "",
                      g_variant_get_size (part));
    }
  if (to->len > 0 && take (input) % 8 == 7)
    g_byte_array_set_size (to, take (input) % to->len);
  return g_variant_new_fixed_array (G_VARIANT_TYPE_BYTE, to->data, to->len, 1);
}

static GVariant *
make_tuple (Input *input, const GVariantType *type, guint depth)
{
  g_autoptr (GPtrArray) children = g_ptr_array_new ();

  for (const GVariantType *item = g_variant_type_first (type); item != NULL;
       item = g_variant_type_next (item))
    g_ptr_array_add (children, make (input, item, depth + 1));
  if (g_variant_type_is_dict_entry (type))
    return g_variant_new_dict_entry (children->pdata[0], children->pdata[1]);
  return g_variant_new_tuple ((GVariant *const *) children->pdata, children->len);
}

static GVariant *
make_variant (Input *input, guint depth)
{
  static const char *const types[] = { "s", "u", "t", "b", "ay", "as", "a{sv}", "(ss)" };
  const char *type = types[take (input) % (depth < MAX_DEPTH ? G_N_ELEMENTS (types) : 4)];

  return g_variant_new_variant (make (input, G_VARIANT_TYPE (type), depth + 1));
}

static GVariant *
make (Input *input, const GVariantType *type, guint depth)
{
  if (g_variant_type_is_variant (type))
    return make_variant (input, depth);
  if (g_variant_type_equal (type, G_VARIANT_TYPE_BYTESTRING))
    return make_bytes (input, depth);
  if (g_variant_type_is_array (type))
    return make_array (input, type, depth);
  if (g_variant_type_is_tuple (type) || g_variant_type_is_dict_entry (type))
    return make_tuple (input, type, depth);
  switch (*g_variant_type_peek_string (type))
    {
    case 's':
      return g_variant_new_string (take_word (input));
    case 'u':
      return g_variant_new_uint32 ((guint32) take_number (input));
    case 't':
      return g_variant_new_uint64 (take_number (input));
    case 'b':
      return g_variant_new_boolean (take (input) & 1);
    case 'h':
      return g_variant_new_handle ((gint32) take_number (input));
    case 'y':
      return g_variant_new_byte (take (input));
    default:
      g_assert_not_reached ();
    }
}

static GVariant *
make_arguments (Input *input, GDBusArgInfo **arguments)
{
  g_autoptr (GPtrArray) children = g_ptr_array_new ();

  for (guint i = 0; arguments != NULL && arguments[i] != NULL; i++)
    g_ptr_array_add (children, make (input, G_VARIANT_TYPE (arguments[i]->signature), 0));
  return g_variant_new_tuple ((GVariant *const *) children->pdata, children->len);
}

/* ---- what happens ---- */

static guint
count_signals (void)
{
  guint n = 0;

  while (tfd_worker_interface.signals[n] != NULL)
    n++;
  return n;
}

/* FilesDone with rows that are right, the last of which may be cut off. */
static void
say_done (Input *input)
{
  g_autoptr (GVariant) files =
      g_variant_ref_sink (make_array (input, G_VARIANT_TYPE ("a(uta{sv})"), 0));
  g_autoptr (GVariant) packed = g_variant_ref_sink (tfd_pack_rows_done (files));
  gsize size = g_variant_get_size (packed);
  gsize missing = take (input) % 4 == 0 ? take (input) : 0;

  tfd_fake_transport_news (
      fixture.transport, ALICE, "FilesDone",
      g_variant_new ("(t@ay)", take_number (input),
                     g_variant_new_fixed_array (G_VARIANT_TYPE_BYTE, g_variant_get_data (packed),
                                                size - MIN (size, missing), 1)));
}

static void
say (Input *input)
{
  const GDBusSignalInfo *info = tfd_worker_interface.signals[take (input) % count_signals ()];
  const GDBusSignalInfo *other = info;

  if (g_str_equal (info->name, "FilesDone") && take (input) % 8 != 0)
    {
      say_done (input);
      return;
    }

  if (take (input) % 16 == 0)
    other = tfd_worker_interface.signals[take (input) % count_signals ()];
  tfd_fake_transport_news (fixture.transport, ALICE, info->name,
                           make_arguments (input, other->args));
}

/* Answers the oldest question of alice's worker; FALSE when there is none. @input NULL: with as
 * little as the type allows. */
static gboolean
answer (Input *input)
{
  Input empty = { 0 };
  GVariant *parameters;
  const char *method = tfd_fake_transport_next (fixture.transport, ALICE, &parameters);
  const GDBusMethodInfo *info;

  if (method == NULL)
    return FALSE;
  if (g_str_equal (method, "Start"))
    {
      g_variant_get_child (parameters, 0, "t", &last_run);
      if (input != NULL)
        {
          input->runs[1] = input->runs[0];
          input->runs[0] = last_run;
        }
    }
  info = g_dbus_interface_info_lookup_method ((GDBusInterfaceInfo *) &tfd_worker_interface, method);
  tfd_fake_transport_answer_next (fixture.transport, ALICE,
                                  make_arguments (input != NULL ? input : &empty, info->out_args));
  return TRUE;
}

static void
outcome_cb (TfdJob *job G_GNUC_UNUSED,
            const TfdOutcome *outcome G_GNUC_UNUSED,
            const GError *error G_GNUC_UNUSED,
            gpointer data)
{
  if (data != NULL)
    *(gboolean *) data = TRUE;
}

static void
call (Input *input, TfdJob *job)
{
  g_autoptr (GVariant) options = g_variant_ref_sink (g_variant_new ("a{sv}", NULL));

  if (tfd_engine_is_busy (fixture.engine, job))
    return;
  switch (take (input) % 4)
    {
    case 0:
      tfd_engine_suspend (fixture.engine, job, NULL);
      break;
    case 1:
      tfd_engine_complete (fixture.engine, job, options, outcome_cb, NULL);
      break;
    default:
      tfd_engine_resume (fixture.engine, job, NULL);
      break;
    }
}

static void
step (Input *input, TfdJob *job)
{
  switch (take (input) % 8)
    {
    case 0:
    case 1:
      answer (input);
      break;
    case 2:
      call (input, job);
      break;
    case 3:
      if (take (input) % 4 == 0)
        tfd_fake_transport_lose (fixture.transport, ALICE);
      else
        tfd_fake_clock_advance (fixture.clock, (gint64) take (input) * SECOND / 8);
      break;
    default:
      say (input);
      break;
    }
  engine_settle (&fixture);
}

/* ---- what must hold ---- */

static void
check_job (TfdJob *job)
{
  const TfdJobRecord *record = tfd_job_record (job);

  fuzz_check (record->files_transferred <= record->files_total);
  fuzz_check (record->files_total == 3);
  if (record->state == TFD_JOB_STATE_TRANSFERRED)
    fuzz_check (record->files_transferred == record->files_total);
}

static void
check_theirs (void)
{
  const TfdJobRecord *record = tfd_job_record (theirs);

  fuzz_check (record->state == TFD_JOB_STATE_CONNECTING);
  fuzz_check (record->files_transferred == 0 && record->bytes_transferred == 0);
  fuzz_check (record->failure.context == TFD_ERROR_CONTEXT_NONE);
}

/* However it was treated, its owner gets rid of it. */
static void
end_job (TfdJob *job)
{
  gboolean ended = FALSE;
  guint tries = 0;

  while (tfd_engine_is_busy (fixture.engine, job) && tries++ < 1000)
    if (answer (NULL))
      engine_settle (&fixture);
    else
      engine_advance (&fixture, 10 * SECOND);
  if (!tfd_job_state_is_final (tfd_job_record (job)->state))
    tfd_engine_cancel (fixture.engine, job, outcome_cb, &ended);
  else
    ended = TRUE;
  engine_settle (&fixture);
  for (; !ended && tries < 2000; tries++)
    if (answer (NULL))
      engine_settle (&fixture);
    else
      engine_advance (&fixture, 10 * SECOND);
  fuzz_check (ended);
  fuzz_check (tfd_job_state_is_final (tfd_job_record (job)->state));
  /* its sessions and leftovers, and the object itself */
  for (tries = 0; tries < 100 && (answer (NULL) || tries < 2); tries++)
    engine_advance (&fixture, 10 * SECOND);
}

static void
end_fixture (void)
{
  tfd_fake_transport_abandon (fixture.transport);
  tfd_job_unref (theirs);
  engine_tear_down (&fixture, NULL);
}

static void
begin_fixture (void)
{
  GVariant *parameters;

  engine_set_up (&fixture, NULL);
  /* all inputs together take years of its time */
  fixture.config->job_inactivity_timeout = (guint64) G_MAXINT64 / 4;
  theirs = tfd_job_ref (engine_try_create (
      &fixture, BOB, "theirs", 3, TRUE, "{'NoProgressTimeout': <uint64 1000000000000000>}", NULL));
  engine_settle (&fixture);
  g_assert_cmpstr (tfd_fake_transport_next (fixture.transport, BOB, &parameters), ==, "Start");
  g_variant_get_child (parameters, 0, "t", &their_run);
  tfd_fake_transport_answer_next (fixture.transport, BOB, g_variant_new_tuple (NULL, 0));
  engine_settle (&fixture);
  atexit (end_fixture);
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  Input input = { data, size, { 0 } };
  g_autoptr (TfdJob) job = NULL;

  if (theirs == NULL)
    begin_fixture ();
  job = engine_try_create (&fixture, ALICE, "alice", 3, TRUE, NULL, NULL);
  fuzz_check (job != NULL);
  job = tfd_job_ref (job);
  engine_settle (&fixture);
  input.runs[1] = last_run;
  input.runs[2] = their_run;
  input.runs[4] = 123456;
  for (guint i = 0; i < MAX_STEPS && input.size > 0; i++)
    {
      step (&input, job);
      if (tfd_job_state_is_final (tfd_job_record (job)->state))
        break;
      check_job (job);
      check_theirs ();
    }
  end_job (job);
  check_theirs ();
  tfd_signal_log_clear (fixture.log);
  return 0;
}
