/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Tests of the formats in which workers are asked. */
#include "engine/engine-private.h"

static void
assert_value (GVariant *dict, const char *key, const char *expected)
{
  g_autoptr (GVariant) value = g_variant_lookup_value (dict, key, NULL);
  g_autofree char *text = value != NULL ? g_variant_print (value, TRUE) : NULL;

  g_assert_cmpstr (text, ==, expected);
}

/* What is not known is left out; a size that is not known is not. */
static void
test_file_bare (void)
{
  g_autoptr (TfdFileRecord) file = tfd_file_record_new ();
  g_autoptr (GVariant) request = NULL, dict = NULL;
  guint32 index;

  file->index = 7;
  file->url = g_strdup ("http://host/x");
  file->path = g_strdup ("/x");
  request = g_variant_ref_sink (tfd_request_file (file));
  g_assert_true (g_variant_is_of_type (request, G_VARIANT_TYPE ("(ua{sv})")));
  g_variant_get (request, "(u@a{sv})", &index, &dict);
  g_assert_cmpuint (index, ==, 7);
  assert_value (dict, "url", "'http://host/x'");
  assert_value (dict, "path", "[byte 0x2f, 0x78]");
  assert_value (dict, "attempt", "uint32 0");
  assert_value (dict, "state", "'waiting'");
  assert_value (dict, "total", "uint64 18446744073709551615");
  g_assert_cmpuint (g_variant_n_children (dict), ==, 5);
}

static void
test_file_full (void)
{
  g_autoptr (TfdFileRecord) file = tfd_file_record_new ();
  g_autoptr (GVariant) request = NULL, dict = NULL;

  file->url = g_strdup ("http://host/x");
  file->path = g_strdup ("/\xff");
  file->target = g_strdup ("/\xfe");
  file->attempt = 3;
  file->total = 12;
  file->state = TFD_FILE_STATE_TRANSFERRED;
  file->part = g_variant_ref_sink (g_variant_new_parsed ("{'a': <1>}"));
  file->options = g_variant_ref_sink (g_variant_new_parsed ("{'mode': <uint32 384>}"));
  file->directory = g_bytes_new_static ("\x00\x01", 2);
  request = g_variant_ref_sink (tfd_request_file (file));
  g_variant_get (request, "(u@a{sv})", NULL, &dict);
  assert_value (dict, "path", "[byte 0x2f, 0xff]");
  assert_value (dict, "target", "[byte 0x2f, 0xfe]");
  assert_value (dict, "attempt", "uint32 3");
  assert_value (dict, "total", "uint64 12");
  assert_value (dict, "state", "'transferred'");
  assert_value (dict, "part", "{'a': <1>}");
  assert_value (dict, "options", "{'mode': <uint32 384>}");
  assert_value (dict, "directory", "[byte 0x00, 0x01]");
}

static void
test_run_options (void)
{
  g_autoptr (TfdJobRecord) record = tfd_job_record_new ();
  g_autoptr (TfdConfig) config = tfd_config_new ();
  TfdJobProperties *properties = record->properties;
  g_autoptr (GVariant) usual = NULL, other = NULL;

  config->umask = 022;
  config->keep_free = 100;
  usual = g_variant_ref_sink (tfd_request_run_options (record, 0, config));
  assert_value (usual, "foreground", "false");
  assert_value (usual, "dynamic-content", "false");
  assert_value (usual, "high-performance", "false");
  assert_value (usual, "redirect-policy", "'allow'");
  assert_value (usual, "allow-downgrade", "false");
  assert_value (usual, "maximum-size", "uint64 0");
  assert_value (usual, "umask", "uint32 18");
  assert_value (usual, "keep-free", "uint64 100");
  g_assert_cmpuint (g_variant_n_children (usual), ==, 8);

  properties->priority = TFD_PRIORITY_FOREGROUND;
  properties->dynamic_content = properties->high_performance = TRUE;
  properties->allow_downgrade = TRUE;
  properties->redirect_policy = TFD_REDIRECT_POLICY_REPORT;
  other = g_variant_ref_sink (tfd_request_run_options (record, 0, config));
  assert_value (other, "foreground", "true");
  assert_value (other, "dynamic-content", "true");
  assert_value (other, "high-performance", "true");
  assert_value (other, "redirect-policy", "'report'");
  assert_value (other, "allow-downgrade", "true");
}

/* 0 means no limit, so that a job that has all it may have is given one byte. */
static void
test_maximum_size (void)
{
  static const struct
  {
    guint64 limit, have;
    const char *left;
  } cases[] = {
    { 0, 0, "uint64 0" },    { 0, 50, "uint64 0" },    { 100, 0, "uint64 100" },
    { 100, 99, "uint64 1" }, { 100, 100, "uint64 1" }, { 100, G_MAXUINT64, "uint64 1" },
  };
  g_autoptr (TfdConfig) config = tfd_config_new ();

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (TfdJobRecord) record = tfd_job_record_new ();
      g_autoptr (GVariant) options = NULL;

      record->properties->maximum_size = cases[i].limit;
      record->bytes_transferred = 77;
      options = g_variant_ref_sink (tfd_request_run_options (record, cases[i].have, config));
      assert_value (options, "maximum-size", cases[i].left);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/requests/file/bare", test_file_bare);
  g_test_add_func ("/requests/file/full", test_file_full);
  g_test_add_func ("/requests/run/options", test_run_options);
  g_test_add_func ("/requests/run/maximum-size", test_maximum_size);
  return g_test_run ();
}
