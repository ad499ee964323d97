/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Errors: names both ways, and which of them a job survives. */
#include "config.h"

#include "common/error.h"
#include "common/names.h"

/* A formatter that takes the name for an expression changes it. */
static void
test_domain (void)
{
  g_assert_cmpstr (g_quark_to_string (TFD_ERROR), ==, "tfd_error");
}

static void
test_names (void)
{
  static const struct
  {
    TfdErrorCode code;
    const char *name;
  } cases[] = {
    { TFD_ERROR_NOT_FOUND, "org.transferd.Transfer1.Error.NotFound" },
    { TFD_ERROR_READ_ONLY_AFTER_ADD_FILE, "org.transferd.Transfer1.Error.ReadOnlyAfterAddFile" },
    { TFD_ERROR_INVALID_URL, "org.transferd.Transfer1.Error.InvalidUrl" },
    { TFD_ERROR_INVALID_ARGS, "org.freedesktop.DBus.Error.InvalidArgs" },
    { TFD_ERROR_ACCESS_DENIED, "org.freedesktop.DBus.Error.AccessDenied" },
    { TFD_ERROR_LIMITS_EXCEEDED, "org.freedesktop.DBus.Error.LimitsExceeded" },
    { TFD_ERROR_NOT_SUPPORTED, "org.freedesktop.DBus.Error.NotSupported" },
    { TFD_ERROR_INTERACTIVE_AUTHORIZATION_REQUIRED,
      "org.freedesktop.DBus.Error.InteractiveAuthorizationRequired" },
    { TFD_ERROR_PROTOCOL_MISMATCH, "org.transferd.Transfer1.Error.ProtocolMismatch" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    g_assert_cmpstr (tfd_error_code_to_name (cases[i].code), ==, cases[i].name);
}

static void
test_every_code (void)
{
  g_autoptr (GHashTable) names = g_hash_table_new (g_str_hash, g_str_equal);

  for (int code = 0; code < TFD_N_ERRORS; code++)
    {
      TfdErrorCode back = TFD_N_ERRORS;
      const char *name = tfd_error_code_to_name (code);
      const char *text = tfd_error_code_describe (code);

      g_assert_true (g_hash_table_add (names, (gpointer) name));
      g_assert_true (tfd_error_code_from_name (name, &back));
      g_assert_cmpint (back, ==, code);
      g_assert_true (g_str_has_suffix (name, tfd_enum_to_string (TFD_TYPE_ERROR_CODE, code)));
      g_assert_true (g_ascii_isupper (text[0]) && g_str_has_suffix (text, "."));
      /* a wait that is not counted is one that ends by itself */
      if (!tfd_error_code_is_counted (code))
        g_assert_true (tfd_error_code_is_transient (code));
    }
}

static void
test_foreign_names (void)
{
  const char *const names[] = {
    "",
    "NotFound",
    "org.transferd.Transfer1.Error.",
    "org.transferd.Transfer1.Error.InvalidArgs",
    "org.freedesktop.DBus.Error.NotFound",
    "org.transferd.Transfer1.Error.NotFoundX",
  };

  for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
    {
      TfdErrorCode code = TFD_ERROR_EMPTY;
      g_assert_false (tfd_error_code_from_name (names[i], &code));
      g_assert_cmpint (code, ==, TFD_ERROR_EMPTY);
    }
}

static void
test_classes (void)
{
  const TfdErrorCode waits[] = { TFD_ERROR_NETWORK_DISCONNECTED, TFD_ERROR_DESTINATION_UNAVAILABLE,
                                 TFD_ERROR_BLOCKED_BY_POLICY,    TFD_ERROR_BLOCKED_BY_COST,
                                 TFD_ERROR_BLOCKED_BY_POWER,     TFD_ERROR_OWNER_NOT_LOGGED_IN,
                                 TFD_ERROR_WORKER_LOST };
  const TfdErrorCode failures[] = { TFD_ERROR_NAME_NOT_RESOLVED, TFD_ERROR_CONNECTION_FAILED,
                                    TFD_ERROR_CONNECTION_LOST, TFD_ERROR_TIMED_OUT };
  guint n_transient = 0;

  for (gsize i = 0; i < G_N_ELEMENTS (waits); i++)
    {
      g_assert_true (tfd_error_code_is_transient (waits[i]));
      g_assert_false (tfd_error_code_is_counted (waits[i]));
    }
  for (gsize i = 0; i < G_N_ELEMENTS (failures); i++)
    {
      g_assert_true (tfd_error_code_is_transient (failures[i]));
      g_assert_true (tfd_error_code_is_counted (failures[i]));
    }
  for (int code = 0; code < TFD_N_ERRORS; code++)
    n_transient += tfd_error_code_is_transient (code) ? 1 : 0;
  g_assert_cmpuint (n_transient, ==, G_N_ELEMENTS (waits) + G_N_ELEMENTS (failures));
}

static void
test_failure_copy (void)
{
  g_auto (TfdFailure) from = { .code = TFD_ERROR_TIMED_OUT,
                               .context = TFD_ERROR_CONTEXT_TRANSPORT,
                               .transient = TRUE,
                               .file = 3,
                               .retry_after = 7,
                               .message = g_strdup ("slow") };
  g_auto (TfdFailure) to = { .message = g_strdup ("old") };

  tfd_failure_copy (&from, &to);
  g_assert_cmpstr (to.message, ==, "slow");
  g_assert_true (to.message != from.message);
  g_assert_cmpuint (to.file, ==, 3);
  g_assert_cmpuint (to.retry_after, ==, 7);

  tfd_failure_copy (&to, &to);
  g_assert_cmpstr (to.message, ==, "slow");

  tfd_failure_clear (&to);
  g_assert_cmpint (to.context, ==, TFD_ERROR_CONTEXT_NONE);
  g_assert_cmpuint (to.file, ==, G_MAXUINT32);
  g_assert_null (to.message);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/common/error/domain", test_domain);
  g_test_add_func ("/common/error/names", test_names);
  g_test_add_func ("/common/error/every-code", test_every_code);
  g_test_add_func ("/common/error/foreign-names", test_foreign_names);
  g_test_add_func ("/common/error/classes", test_classes);
  g_test_add_func ("/common/error/failure-copy", test_failure_copy);
  return g_test_run ();
}
