/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Wire, properties: what may be set, when, and that it is kept as it was. */
#include "config.h"

#include "common/names.h"
#include "common/wire.h"

#include <string.h>

#define NONE -1
#define UNCHANGED -2
#define NEW TFD_LIFE_NEW
#define RESUMED TFD_LIFE_RESUMED
#define FILES TFD_LIFE_HAS_FILES
#define DOWNLOAD TFD_JOB_TYPE_DOWNLOAD
#define UPLOAD TFD_JOB_TYPE_UPLOAD
#define REPLY TFD_JOB_TYPE_UPLOAD_REPLY

static GVariant *
parse (const char *text)
{
  g_autoptr (GError) error = NULL;
  GVariant *value = g_variant_parse (G_VARIANT_TYPE_VARDICT, text, NULL, NULL, &error);

  g_assert_no_error (error);
  return value;
}

static void
assert_value (const TfdJobProperties *properties, const char *name, const char *expected)
{
  g_autoptr (GVariant) value = tfd_job_properties_get (properties, name);
  g_assert_nonnull (value);
  g_assert_true (g_variant_is_floating (value));
  g_variant_ref_sink (value);
  g_autofree char *text = g_variant_print (value, TRUE);

  g_assert_cmpstr (text, ==, expected);
}

static const struct
{
  const char *name, *value;
} defaults[] = {
  { "DisplayName", "''" },
  { "Description", "''" },
  { "Priority", "'normal'" },
  { "MinimumRetryDelay", "uint64 600000000" },
  { "NoProgressTimeout", "uint64 1209600000000" },
  { "MaximumDownloadTime", "uint64 0" },
  { "NotifyFiles", "false" },
  { "NotifyInterval", "uint64 500000" },
  { "NotifyApplication", "''" },
  { "TransferPolicy", "'standard'" },
  { "RunWhen", "'always'" },
  { "DynamicContent", "false" },
  { "HighPerformance", "false" },
  { "OnDemand", "false" },
  { "MaximumSize", "uint64 0" },
  { "MaximumRate", "uint64 0" },
  { "Segments", "uint32 1" },
  { "Headers", "@a(ss) []" },
  { "HeadersWriteOnly", "false" },
  { "Method", "'GET'" },
  { "Proxy", "('system', @as [], @as [])" },
  { "TlsFlags", "@as []" },
  { "PinnedKeys", "@as []" },
  { "RedirectPolicy", "'allow'" },
  { "AllowDowngrade", "false" },
  { "ClientCertificate", "''" },
  { "UploadProtocol", "'auto'" },
  { "ReplyFileName", "''" },
  { "AutoComplete", "false" },
};

static void
test_defaults (void)
{
  g_autoptr (TfdJobProperties) properties = tfd_job_properties_new ();
  const TfdPropertyInfo *table = tfd_job_property_table ();

  for (gsize i = 0; i < G_N_ELEMENTS (defaults); i++)
    {
      g_autoptr (GVariant) value =
          g_variant_ref_sink (tfd_job_properties_get (properties, defaults[i].name));
      assert_value (properties, defaults[i].name, defaults[i].value);
      g_assert_cmpstr (table[i].name, ==, defaults[i].name);
      g_assert_cmpstr (table[i].signature, ==, g_variant_get_type_string (value));

      /* what is there may always be set, implemented or not, and at any time */
      g_autofree char *text = g_strdup_printf ("{'%s': <%s>}", table[i].name, defaults[i].value);
      g_autoptr (GVariant) changes = parse (text);
      g_autoptr (GError) error = NULL;
      tfd_job_properties_apply (properties, UPLOAD, changes, FALSE, RESUMED | FILES, &error);
      g_assert_no_error (error);
    }
  g_assert_null (table[G_N_ELEMENTS (defaults)].name);
  g_assert_null (tfd_job_properties_get (properties, "State"));
  g_assert_null (tfd_job_properties_get (properties, ""));
}

static const struct
{
  TfdJobType type;
  TfdLife life;
  const char *changes;
  int code;
  const char *word; /* of the message */
} changes_cases[] = {
  { DOWNLOAD, NEW, "@a{sv} {}", NONE, NULL },
  { DOWNLOAD, RESUMED | FILES, "{'DisplayName': <'Grüße'>, 'Priority': <'high'>}", NONE, NULL },
  { DOWNLOAD, RESUMED | FILES, "{'Description': <'two\\nlines'>}", NONE, NULL },
  { DOWNLOAD, RESUMED | FILES,
    "{'RunWhen': <'lingering'>, 'TransferPolicy': <'unrestricted'>, 'NotifyFiles': <true>,"
    " 'NotifyApplication': <'org.example.App.desktop'>, 'AutoComplete': <true>,"
    " 'RedirectPolicy': <'report'>, 'AllowDowngrade': <true>, 'NotifyInterval': <uint64 1>}",
    NONE, NULL },
  { DOWNLOAD, FILES, "{'DynamicContent': <true>, 'MaximumSize': <uint64 5>}", NONE, NULL },
  { DOWNLOAD, NEW, "{'HighPerformance': <true>}", NONE, NULL },
  { DOWNLOAD, RESUMED, "{'HighPerformance': <true>}", NONE, NULL },

  { DOWNLOAD, NEW, "{'State': <'queued'>}", TFD_ERROR_INVALID_ARGS, "‘State’" },
  { DOWNLOAD, NEW, "{'displayname': <'x'>}", TFD_ERROR_INVALID_ARGS, "‘displayname’" },
  { DOWNLOAD, NEW, "{'files': <1>}", TFD_ERROR_INVALID_ARGS, "‘files’" },
  { DOWNLOAD, NEW, "{'Priority': <uint32 1>}", TFD_ERROR_INVALID_ARGS, "‘Priority’" },
  { DOWNLOAD, NEW, "{'Priority': <'urgent'>}", TFD_ERROR_INVALID_ARGS, "‘urgent’" },
  { DOWNLOAD, NEW, "{'Priority': <'low'>, 'Priority': <'high'>}", TFD_ERROR_INVALID_ARGS, "twice" },
  { DOWNLOAD, NEW, "{'DisplayName': <'a\\tb'>}", TFD_ERROR_INVALID_ARGS, "U+0009" },
  { DOWNLOAD, NEW, "{'DisplayName': <'a\\nb'>}", TFD_ERROR_INVALID_ARGS, "U+000A" },
  { DOWNLOAD, NEW, "{'DisplayName': <'a\\u0085b'>}", TFD_ERROR_INVALID_ARGS, "U+0085" },
  { DOWNLOAD, NEW, "{'Description': <'a\\u001b[m'>}", TFD_ERROR_INVALID_ARGS, "U+001B" },
  { DOWNLOAD, NEW, "{'NotifyApplication': <'../x'>}", TFD_ERROR_INVALID_ARGS,
    "‘NotifyApplication’" },
  { DOWNLOAD, NEW, "{'MinimumRetryDelay': <-5>}", TFD_ERROR_INVALID_ARGS, "‘MinimumRetryDelay’" },
  { DOWNLOAD, NEW, "{'Headers': <[('a b', 'c')]>}", TFD_ERROR_INVALID_ARGS, "‘a b’" },
  { DOWNLOAD, NEW, "{'Headers': <[('', 'c')]>}", TFD_ERROR_INVALID_ARGS, "‘’" },
  { DOWNLOAD, NEW, "{'Headers': <[('A', 'b\\r\\nC: d')]>}", TFD_ERROR_INVALID_ARGS, "‘A’" },
  { DOWNLOAD, NEW, "{'Method': <'GET /'>}", TFD_ERROR_INVALID_ARGS, "‘Method’" },
  { DOWNLOAD, NEW, "{'Method': <''>}", TFD_ERROR_INVALID_ARGS, "‘Method’" },
  { DOWNLOAD, NEW, "{'Segments': <uint32 0>}", TFD_ERROR_INVALID_ARGS, "‘Segments’" },

  { DOWNLOAD, RESUMED, "{'DynamicContent': <true>}", TFD_ERROR_READ_ONLY_AFTER_RESUME,
    "‘DynamicContent’" },
  { DOWNLOAD, RESUMED | FILES, "{'MaximumSize': <uint64 5>}", TFD_ERROR_READ_ONLY_AFTER_RESUME,
    "‘MaximumSize’" },
  { DOWNLOAD, FILES, "{'HighPerformance': <true>}", TFD_ERROR_READ_ONLY_AFTER_ADD_FILE,
    "‘HighPerformance’" },
  { UPLOAD, NEW, "{'DynamicContent': <true>}", TFD_ERROR_DOWNLOAD_ONLY, "‘DynamicContent’" },
  { UPLOAD, NEW, "{'HighPerformance': <true>}", TFD_ERROR_DOWNLOAD_ONLY, "‘HighPerformance’" },
  { UPLOAD, NEW, "{'MaximumSize': <uint64 5>}", TFD_ERROR_DOWNLOAD_ONLY, "‘MaximumSize’" },
  { UPLOAD, NEW, "{'Priority': <'low'>}", NONE, NULL },

  { DOWNLOAD, NEW, "{'Headers': <[('X-A', 'b')]>}", NONE, NULL },
  { DOWNLOAD, NEW, "{'HeadersWriteOnly': <true>}", NONE, NULL },
  { DOWNLOAD, NEW, "{'Headers': <[('content-length', '3')]>}", TFD_ERROR_INVALID_ARGS,
    "‘content-length’" },
  { DOWNLOAD, NEW, "{'Method': <'POST'>}", TFD_ERROR_NOT_SUPPORTED, "‘Method’" },
  { DOWNLOAD, NEW, "{'Proxy': <('none', @as [], @as [])>}", TFD_ERROR_NOT_SUPPORTED, "‘Proxy’" },
  { DOWNLOAD, NEW, "{'TlsFlags': <['ignore-dates']>}", TFD_ERROR_NOT_SUPPORTED, "‘TlsFlags’" },
  { DOWNLOAD, NEW, "{'PinnedKeys': <['sha256:x']>}", TFD_ERROR_NOT_SUPPORTED, "‘PinnedKeys’" },
  { DOWNLOAD, NEW, "{'ClientCertificate': <'/x'>}", TFD_ERROR_NOT_SUPPORTED,
    "‘ClientCertificate’" },
  { DOWNLOAD, NEW, "{'OnDemand': <true>}", TFD_ERROR_NOT_SUPPORTED, "‘OnDemand’" },
  { DOWNLOAD, NEW, "{'MaximumRate': <uint64 5>}", TFD_ERROR_NOT_SUPPORTED, "‘MaximumRate’" },
  { DOWNLOAD, NEW, "{'Segments': <uint32 4>}", TFD_ERROR_NOT_SUPPORTED, "‘Segments’" },

  { UPLOAD, FILES, "{'UploadProtocol': <'tus'>}", NONE, NULL },
  { UPLOAD, NEW, "{'UploadProtocol': <'gopher'>}", TFD_ERROR_INVALID_ARGS, "‘gopher’" },
  { UPLOAD, RESUMED, "{'UploadProtocol': <'tus'>}", TFD_ERROR_READ_ONLY_AFTER_RESUME,
    "‘UploadProtocol’" },
  { DOWNLOAD, NEW, "{'UploadProtocol': <'auto'>}", UNCHANGED, NULL },
  { DOWNLOAD, NEW, "{'UploadProtocol': <'tus'>}", TFD_ERROR_NOT_COMPATIBLE, "‘UploadProtocol’" },
  { REPLY, NEW, "{'UploadProtocol': <'bits'>, 'ReplyFileName': <'/x'>}", NONE, NULL },
  { REPLY, RESUMED | FILES, "{'ReplyFileName': <'/x'>}", NONE, NULL },
  { REPLY, NEW, "{'ReplyFileName': <'x'>}", TFD_ERROR_INVALID_PATH, "absolute" },
  { REPLY, NEW, "{'ReplyFileName': <'/a/../x'>}", TFD_ERROR_INVALID_PATH, ".." },
  { REPLY, NEW, "{'MaximumSize': <uint64 5>}", TFD_ERROR_DOWNLOAD_ONLY, "‘MaximumSize’" },
  { UPLOAD, NEW, "{'ReplyFileName': <'/x'>}", TFD_ERROR_NOT_COMPATIBLE, "‘ReplyFileName’" },
  { DOWNLOAD, NEW, "{'ReplyFileName': <'/x'>}", TFD_ERROR_NOT_COMPATIBLE, "‘ReplyFileName’" },
};

/* Everything of a change happens, or nothing does. */
static void
test_apply (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (changes_cases); i++)
    {
      g_autoptr (TfdJobProperties) properties = tfd_job_properties_new ();
      g_autoptr (GVariant) changes = parse (changes_cases[i].changes);
      g_autoptr (GVariant) before = g_variant_ref_sink (tfd_job_properties_serialize (properties));
      g_autoptr (GError) error = NULL;

      g_test_message ("%s", changes_cases[i].changes);
      gboolean applied = tfd_job_properties_apply (properties, changes_cases[i].type, changes,
                                                   FALSE, changes_cases[i].life, &error);
      g_autoptr (GVariant) after = g_variant_ref_sink (tfd_job_properties_serialize (properties));
      if (changes_cases[i].code == NONE || changes_cases[i].code == UNCHANGED)
        {
          g_assert_no_error (error);
          g_assert_true (applied);
          g_assert_cmpuint (g_variant_n_children (after), ==,
                            changes_cases[i].code == NONE ? g_variant_n_children (changes) : 0);
          continue;
        }
      g_assert_false (applied);
      g_assert_error (error, TFD_ERROR, changes_cases[i].code);
      g_assert_nonnull (strstr (error->message, changes_cases[i].word));
      g_assert_cmpvariant (before, after);
    }
}

static void
test_all_or_nothing (void)
{
  g_autoptr (TfdJobProperties) properties = tfd_job_properties_new ();
  g_autoptr (GVariant) changes = parse ("{'DisplayName': <'new'>, 'Priority': <'nonsense'>}");
  g_autoptr (GError) error = NULL;

  g_assert_false (tfd_job_properties_apply (properties, DOWNLOAD, changes, FALSE, NEW, &error));
  g_assert_cmpstr (properties->display_name, ==, "");
}

static void
test_creating (void)
{
  g_autoptr (TfdJobProperties) properties = tfd_job_properties_new ();
  g_autoptr (GVariant) options =
      parse ("{'files': <@a(ssa{sv}) []>, 'start': <true>, 'Priority': <'low'>}");
  g_autoptr (GError) error = NULL;

  tfd_job_properties_apply (properties, DOWNLOAD, options, TRUE, NEW, &error);
  g_assert_no_error (error);
  g_assert_cmpint (properties->priority, ==, TFD_PRIORITY_LOW);
}

static void
set_text (const char *name, glong n_characters, int code)
{
  g_autoptr (TfdJobProperties) properties = tfd_job_properties_new ();
  g_autoptr (GString) text = g_string_new (NULL);
  g_autoptr (GError) error = NULL;
  GVariantBuilder builder;

  for (glong i = 0; i < n_characters; i++)
    g_string_append (text, "€");
  g_variant_builder_init (&builder, G_VARIANT_TYPE_VARDICT);
  g_variant_builder_add (&builder, "{sv}", name, g_variant_new_string (text->str));
  g_autoptr (GVariant) changes = g_variant_ref_sink (g_variant_builder_end (&builder));

  tfd_job_properties_apply (properties, DOWNLOAD, changes, FALSE, NEW, &error);
  if (code == NONE)
    g_assert_no_error (error);
  else
    {
      g_assert_error (error, TFD_ERROR, code);
      g_assert_nonnull (strstr (error->message, name));
    }
}

/* Limits are characters, not bytes. */
static void
test_text_length (void)
{
  set_text ("DisplayName", TFD_MAX_DISPLAY_NAME, NONE);
  set_text ("DisplayName", TFD_MAX_DISPLAY_NAME + 1, TFD_ERROR_STRING_TOO_LONG);
  set_text ("Description", TFD_MAX_DESCRIPTION, NONE);
  set_text ("Description", TFD_MAX_DESCRIPTION + 1, TFD_ERROR_STRING_TOO_LONG);
}

static void
apply (TfdJobProperties *properties, const char *text)
{
  g_autoptr (GVariant) changes = parse (text);
  g_autoptr (GError) error = NULL;

  tfd_job_properties_apply (properties, DOWNLOAD, changes, FALSE, NEW, &error);
  g_assert_no_error (error);
}

static void
test_retry_floor (void)
{
  g_autoptr (TfdJobProperties) properties = tfd_job_properties_new ();

  apply (properties, "{'MinimumRetryDelay': <uint64 0>}");
  assert_value (properties, "MinimumRetryDelay", "uint64 5000000");
  apply (properties, "{'MinimumRetryDelay': <uint64 4999999>}");
  assert_value (properties, "MinimumRetryDelay", "uint64 5000000");
  apply (properties, "{'MinimumRetryDelay': <uint64 5000001>}");
  assert_value (properties, "MinimumRetryDelay", "uint64 5000001");
  apply (properties, "{'NoProgressTimeout': <uint64 0>}");
  assert_value (properties, "NoProgressTimeout", "uint64 0");
}

/* Follows the priority until it is set, even to what it follows to. */
static void
test_transfer_policy (void)
{
  g_autoptr (TfdJobProperties) properties = tfd_job_properties_new ();

  apply (properties, "{'Priority': <'foreground'>}");
  assert_value (properties, "TransferPolicy", "'always'");
  apply (properties, "{'Priority': <'low'>}");
  assert_value (properties, "TransferPolicy", "'standard'");
  apply (properties, "{'TransferPolicy': <'standard'>}");
  apply (properties, "{'Priority': <'foreground'>}");
  assert_value (properties, "TransferPolicy", "'standard'");

  /* a set one is kept as such */
  g_autoptr (GVariant) stored = g_variant_ref_sink (tfd_job_properties_serialize (properties));
  g_autoptr (TfdJobProperties) again = tfd_job_properties_deserialize (stored);
  g_assert_true (again->transfer_policy_set);
  assert_value (again, "TransferPolicy", "'standard'");
}

/* What this version cannot set may have been stored by another one. */
#define EVERYTHING                                                                                 \
  "{'DisplayName': <'n'>, 'Description': <'d'>, 'Priority': <'high'>,"                             \
  " 'MinimumRetryDelay': <uint64 7000000>, 'NoProgressTimeout': <uint64 1>,"                       \
  " 'MaximumDownloadTime': <uint64 2>, 'NotifyFiles': <true>, 'NotifyInterval': <uint64 3>,"       \
  " 'NotifyApplication': <'a'>, 'TransferPolicy': <'always'>, 'RunWhen': <'logged-in'>,"           \
  " 'DynamicContent': <true>, 'HighPerformance': <true>, 'OnDemand': <true>,"                      \
  " 'MaximumSize': <uint64 4>, 'MaximumRate': <uint64 5>, 'Segments': <uint32 6>,"                 \
  " 'Headers': <[('A', 'b')]>, 'HeadersWriteOnly': <true>, 'Method': <'POST'>,"                    \
  " 'Proxy': <('none', @as [], ['x'])>, 'TlsFlags': <['ignore-dates']>,"                           \
  " 'PinnedKeys': <['sha256:x']>, 'RedirectPolicy': <'refuse'>, 'AllowDowngrade': <true>,"         \
  " 'ClientCertificate': <'/c'>, 'UploadProtocol': <'tus'>, 'ReplyFileName': <'/r'>,"              \
  " 'AutoComplete': <true>}"

static void
test_round_trip (void)
{
  g_autoptr (GVariant) everything = parse (EVERYTHING);
  g_autoptr (TfdJobProperties) properties = tfd_job_properties_deserialize (everything);
  g_autoptr (TfdJobProperties) copy = tfd_job_properties_copy (properties);
  g_autoptr (GVariant) kept = g_variant_ref_sink (tfd_job_properties_serialize (copy));
  g_autoptr (GVariant) secrets = g_variant_ref_sink (tfd_job_properties_serialize_secrets (copy));
  g_autoptr (TfdJobProperties) usual = tfd_job_properties_new ();
  g_autoptr (GVariant) nothing = g_variant_ref_sink (tfd_job_properties_serialize (usual));

  /* write-only headers are apart; everything else is there, and as it was */
  g_assert_cmpuint (g_variant_n_children (kept), ==, G_N_ELEMENTS (defaults) - 1);
  g_assert_cmpuint (g_variant_n_children (secrets), ==, 1);
  g_autoptr (TfdJobProperties) again = tfd_job_properties_deserialize (kept);
  tfd_job_properties_restore (again, secrets);
  g_assert_cmpvariant (again->headers, properties->headers);
  again->headers_write_only = copy->headers_write_only = FALSE;
  g_autoptr (GVariant) left = g_variant_ref_sink (tfd_job_properties_serialize (again));
  g_autoptr (GVariant) right = g_variant_ref_sink (tfd_job_properties_serialize (copy));
  g_assert_cmpvariant (left, right);
  copy->headers_write_only = TRUE;
  g_assert_cmpuint (g_variant_n_children (nothing), ==, 0);

  /* write-only headers are kept, but not shown */
  assert_value (copy, "Headers", "@a(ss) []");
  assert_value (copy, "Proxy", "('none', @as [], ['x'])");
}

static void
test_odd_storage (void)
{
  g_autoptr (GVariant) odd =
      parse ("{'FromTheFuture': <1>, 'Priority': <'urgent'>, 'NotifyFiles': <'yes'>,"
             " 'MinimumRetryDelay': <uint64 1>, 'DisplayName': <'kept'>}");
  g_autoptr (GVariant) other = g_variant_ref_sink (g_variant_new_string ("x"));
  g_autoptr (TfdJobProperties) properties = tfd_job_properties_deserialize (odd);
  g_autoptr (TfdJobProperties) from_other = tfd_job_properties_deserialize (other);
  g_autoptr (TfdJobProperties) from_nothing = tfd_job_properties_deserialize (NULL);

  assert_value (properties, "DisplayName", "'kept'");
  assert_value (properties, "Priority", "'normal'");
  assert_value (properties, "NotifyFiles", "false");
  assert_value (properties, "MinimumRetryDelay", "uint64 5000000");
  assert_value (from_other, "DisplayName", "''");
  assert_value (from_nothing, "DisplayName", "''");
}

static void
expect_refused (const char *stored_text, const char *changes_text, int code)
{
  g_autoptr (GVariant) stored = parse (stored_text);
  g_autoptr (GVariant) changes = parse (changes_text);
  g_autoptr (TfdJobProperties) properties = tfd_job_properties_deserialize (stored);
  g_autoptr (GError) error = NULL;

  g_assert_false (tfd_job_properties_apply (properties, DOWNLOAD, changes, FALSE, NEW, &error));
  g_assert_error (error, TFD_ERROR, code);
}

static void
test_contradictions (void)
{
  expect_refused ("{'OnDemand': <true>}", "{'DynamicContent': <true>}", TFD_ERROR_NOT_COMPATIBLE);
  expect_refused ("{'OnDemand': <true>}", "{'HighPerformance': <true>}", TFD_ERROR_NOT_COMPATIBLE);
  expect_refused ("{'Method': <'POST'>}", "{'DynamicContent': <true>}", TFD_ERROR_NOT_COMPATIBLE);
  expect_refused ("{'HeadersWriteOnly': <true>}", "{'HeadersWriteOnly': <false>}",
                  TFD_ERROR_INVALID_ARGS);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/common/wire/properties/defaults", test_defaults);
  g_test_add_func ("/common/wire/properties/apply", test_apply);
  g_test_add_func ("/common/wire/properties/all-or-nothing", test_all_or_nothing);
  g_test_add_func ("/common/wire/properties/creating", test_creating);
  g_test_add_func ("/common/wire/properties/text-length", test_text_length);
  g_test_add_func ("/common/wire/properties/retry-floor", test_retry_floor);
  g_test_add_func ("/common/wire/properties/transfer-policy", test_transfer_policy);
  g_test_add_func ("/common/wire/properties/round-trip", test_round_trip);
  g_test_add_func ("/common/wire/properties/odd-storage", test_odd_storage);
  g_test_add_func ("/common/wire/properties/contradictions", test_contradictions);
  return g_test_run ();
}
