/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Credentials as a job keeps them: what is refused, what is replaced, what survives storing, and
 * that they are no property. */
#include "config.h"

#include "common/wire.h"

#include <string.h>

#define NONE (-1)

static void
test_refusals (void)
{
  g_autofree char *long_user = g_strnfill (301, 'u');
  g_autofree char *long_password = g_strnfill (65536, 'p');
  const struct
  {
    const char *target, *scheme, *user, *password;
    int code;
  } cases[] = {
    { "server", "basic", "alice", "secret", NONE },
    { "server", "digest", "a:b", "", NONE },
    { "", "basic", "alice", "secret", TFD_ERROR_INVALID_ARGS },
    { "server", "", "alice", "secret", TFD_ERROR_INVALID_ARGS },
    { "server", "Basic", "alice", "secret", TFD_ERROR_INVALID_ARGS },
    { "server", "pin", "alice", "secret", TFD_ERROR_INVALID_ARGS },
    { "certificate", "basic", "alice", "secret", TFD_ERROR_INVALID_ARGS },
    { "certificate", "pin", "alice", "secret", TFD_ERROR_NOT_SUPPORTED },
    { "proxy", "basic", "alice", "secret", TFD_ERROR_NOT_SUPPORTED },
    { "server", "ntlm", "alice", "secret", TFD_ERROR_NOT_SUPPORTED },
    { "server", "basic", "", "secret", TFD_ERROR_INVALID_ARGS },
    { "server", "basic", "a:b", "secret", TFD_ERROR_INVALID_ARGS },
    { "server", "basic", "a\nb", "secret", TFD_ERROR_INVALID_ARGS },
    { "server", "basic", "alice", "secret\r\n", TFD_ERROR_INVALID_ARGS },
    { "server", "basic", long_user, "secret", TFD_ERROR_STRING_TOO_LONG },
    { "server", "basic", "alice", long_password, TFD_ERROR_STRING_TOO_LONG },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (TfdJobProperties) properties = tfd_job_properties_new ();
      g_autoptr (GError) error = NULL;
      gboolean set = tfd_credentials_set (properties, cases[i].target, cases[i].scheme,
                                          cases[i].user, cases[i].password, &error);

      g_assert_cmpint (set, ==, cases[i].code == NONE);
      g_assert_cmpint (properties->credentials != NULL, ==, set);
      if (set)
        continue;
      g_assert_error (error, TFD_ERROR, cases[i].code);
      g_assert_null (strstr (error->message, "secret"));
    }
}

static void
assert_credentials (const TfdJobProperties *properties, const char *expected)
{
  g_autofree char *text = properties->credentials != NULL
                              ? g_variant_print (properties->credentials, FALSE)
                              : g_strdup ("");

  g_assert_cmpstr (text, ==, expected);
}

static void
test_entries (void)
{
  g_autoptr (TfdJobProperties) properties = tfd_job_properties_new ();
  gboolean removed = TRUE;

  g_assert_true (tfd_credentials_remove (properties, "server", "basic", &removed, NULL));
  g_assert_false (removed);
  g_assert_true (tfd_credentials_set (properties, "server", "basic", "a", "1", NULL));
  g_assert_true (tfd_credentials_set (properties, "server", "digest", "b", "2", NULL));
  g_assert_true (tfd_credentials_set (properties, "server", "basic", "c", "3", NULL));
  assert_credentials (properties,
                      "[('server', 'digest', 'b', '2'), ('server', 'basic', 'c', '3')]");
  g_assert_true (tfd_credentials_remove (properties, "server", "digest", &removed, NULL));
  g_assert_true (removed);
  assert_credentials (properties, "[('server', 'basic', 'c', '3')]");
  g_assert_true (tfd_credentials_remove (properties, "server", "basic", &removed, NULL));
  g_assert_true (removed);
  assert_credentials (properties, "");
}

/* Stored and copied with the properties, but none that could be read or set like one. */
static void
test_no_property (void)
{
  g_autoptr (TfdJobProperties) properties = tfd_job_properties_new ();
  g_autoptr (GVariant) changes = g_variant_ref_sink (
      g_variant_new_parsed ("{'credentials': <[('server', 'basic', 'x', 'y')]>}"));
  g_autoptr (GError) error = NULL;

  g_assert_true (tfd_credentials_set (properties, "server", "basic", "a", "1", NULL));
  g_autoptr (TfdJobProperties) copy = tfd_job_properties_copy (properties);
  g_autoptr (GVariant) stored = g_variant_ref_sink (tfd_job_properties_serialize (copy));
  g_autoptr (GVariant) secrets = g_variant_ref_sink (tfd_job_properties_serialize_secrets (copy));
  g_autoptr (TfdJobProperties) loaded = tfd_job_properties_deserialize (stored);

  g_assert_cmpuint (g_variant_n_children (stored), ==, 0);
  assert_credentials (loaded, "");
  tfd_job_properties_restore (loaded, secrets);
  assert_credentials (loaded, "[('server', 'basic', 'a', '1')]");
  g_assert_null (tfd_job_properties_get (properties, "credentials"));
  g_assert_false (tfd_job_properties_apply (properties, TFD_JOB_TYPE_DOWNLOAD, changes, FALSE,
                                            TFD_LIFE_NEW, &error));
  g_assert_error (error, TFD_ERROR, TFD_ERROR_INVALID_ARGS);
  assert_credentials (properties, "[('server', 'basic', 'a', '1')]");
}

static GVariant *
secrets_of (const TfdJobProperties *properties)
{
  GVariant *secrets = tfd_job_properties_serialize_secrets (properties);

  return secrets != NULL ? g_variant_ref_sink (secrets) : NULL;
}

/* Header fields are a secret only when nobody may read them. */
static void
test_secrets (void)
{
  g_autoptr (TfdJobProperties) properties = tfd_job_properties_new ();
  g_autoptr (GVariant) changes =
      g_variant_ref_sink (g_variant_new_parsed ("{'Headers': <[('X-Token', 'x')]>}"));
  g_autoptr (GVariant) hide =
      g_variant_ref_sink (g_variant_new_parsed ("{'HeadersWriteOnly': <true>}"));
  g_autoptr (GVariant) both = g_variant_ref_sink (
      g_variant_new_parsed ("{'HeadersWriteOnly': <true>, 'Headers': <[('X-Token', 'x')]>}"));

  g_assert_null (tfd_job_properties_serialize_secrets (properties));
  g_assert_true (tfd_job_properties_apply (properties, TFD_JOB_TYPE_DOWNLOAD, changes, FALSE,
                                           TFD_LIFE_NEW, NULL));
  g_assert_null (tfd_job_properties_serialize_secrets (properties));
  g_autoptr (GVariant) open = g_variant_ref_sink (tfd_job_properties_serialize (properties));
  g_assert_cmpvariant (open, changes);
  g_assert_false (tfd_job_properties_have_plain_secrets (open));

  g_assert_true (tfd_job_properties_apply (properties, TFD_JOB_TYPE_DOWNLOAD, hide, FALSE,
                                           TFD_LIFE_NEW, NULL));
  g_autoptr (GVariant) stored = g_variant_ref_sink (tfd_job_properties_serialize (properties));
  g_autoptr (GVariant) secrets = secrets_of (properties);
  g_assert_cmpvariant (stored, hide);
  g_assert_cmpvariant (secrets, changes);

  g_autoptr (TfdJobProperties) again = tfd_job_properties_deserialize (stored);
  g_assert_null (again->headers);
  tfd_job_properties_restore (again, secrets);
  g_autoptr (GVariant) secrets_again = secrets_of (again);
  g_assert_cmpvariant (secrets_again, secrets);
  g_assert_true (again->headers_write_only);

  /* as an older version stored them */
  g_assert_true (tfd_job_properties_have_plain_secrets (both));
  g_autoptr (TfdJobProperties) old = tfd_job_properties_deserialize (both);
  g_autoptr (GVariant) old_secrets = secrets_of (old);
  g_assert_cmpvariant (old_secrets, secrets);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/common/wire/credentials/refusals", test_refusals);
  g_test_add_func ("/common/wire/credentials/entries", test_entries);
  g_test_add_func ("/common/wire/credentials/no-property", test_no_property);
  g_test_add_func ("/common/wire/credentials/secrets", test_secrets);
  return g_test_run ();
}
