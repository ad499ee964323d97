/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Wire, options: every key that is unknown, twice or of the wrong type is refused by name. */
#include "config.h"

#include "common/wire.h"

#include <string.h>

#define ID "0123456789abcdef0123456789abcdef"

static const struct
{
  const TfdOption *table;
  const char *options; /* text form of a GVariant */
  const char *culprit; /* key that the message names; NULL = accepted */
} cases[] = {
  { tfd_no_options, "@a{sv} {}", NULL },
  { tfd_no_options, "{'x': <1>}", "‘x’" },
  { tfd_no_options, "{'': <1>}", "‘’" },
  { tfd_complete_options, "@a{sv} {}", NULL },
  { tfd_complete_options, "{'require-all': <true>, 'overwrite': <'keep-both'>}", NULL },
  { tfd_complete_options, "{'overwrite': <'replace'>}", NULL },
  { tfd_complete_options, "{'overwrite': <'fail'>}", NULL },
  { tfd_complete_options, "{'overwrite': <'keep_both'>}", "‘overwrite’" },
  { tfd_complete_options, "{'overwrite': <true>}", "‘overwrite’" },
  { tfd_complete_options, "{'Overwrite': <'fail'>}", "‘Overwrite’" },
  { tfd_complete_options, "{'require-all': <'true'>}", "‘require-all’" },
  { tfd_complete_options, "{'require-all': <true>, 'require-all': <false>}", "‘require-all’" },
  { tfd_complete_options, "{'require-all': <<true>>}", "‘require-all’" },
  { tfd_complete_options, "{'require-all': <true>, 'other': <1>}", "‘other’" },
  { tfd_all_users_options, "{'all-users': <true>}", NULL },
  { tfd_all_users_options, "{'all-users': <uint32 1>}", "‘all-users’" },
  { tfd_list_jobs_options,
    "{'all-users': <false>, 'states': <['queued', 'error']>, 'display-name': <'a*'>,"
    " 'properties': <['State']>, 'limit': <uint32 5>,"
    " 'after': <objectpath '/org/transferd/Transfer1/jobs/" ID "'>}",
    NULL },
  { tfd_list_jobs_options, "{'states': <@as []>}", NULL },
  { tfd_list_jobs_options, "{'states': <['queued', 'nonsense']>}", "‘states’" },
  { tfd_list_jobs_options, "{'states': <'queued'>}", "‘states’" },
  { tfd_list_jobs_options, "{'limit': <5>}", "‘limit’" },
  { tfd_list_jobs_options, "{'after': <objectpath '/'>}", "‘after’" },
  { tfd_list_jobs_options, "{'after': <'/org/transferd/Transfer1/jobs/" ID "'>}", "‘after’" },
  { tfd_history_options,
    "{'ids': <['" ID "', '01234567-89AB-cdef-0123-456789abcdef']>, 'since': <uint64 5>,"
    " 'limit': <uint32 1>, 'after': <'" ID "'>, 'files': <true>}",
    NULL },
  { tfd_history_options, "{'ids': <['nonsense']>}", "‘ids’" },
  { tfd_history_options, "{'after': <'nonsense'>}", "‘after’" },
  { tfd_history_options, "{'since': <int64 5>}", "‘since’" },
};

static void
test_check (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (GVariant) options =
          g_variant_parse (G_VARIANT_TYPE ("a{sv}"), cases[i].options, NULL, NULL, &error);
      g_assert_no_error (error);

      gboolean valid = tfd_options_check (options, cases[i].table, &error);
      if (valid != (cases[i].culprit == NULL))
        g_error ("%s: %s", cases[i].options, valid ? "accepted" : error->message);
      if (!valid)
        {
          g_assert_error (error, TFD_ERROR, TFD_ERROR_INVALID_ARGS);
          g_assert_nonnull (strstr (error->message, cases[i].culprit));
        }
    }
}

static void
test_other_types (void)
{
  g_autoptr (GVariant) string = g_variant_ref_sink (g_variant_new_string ("x"));
  g_autoptr (GError) error = NULL;

  g_assert_true (tfd_options_check (NULL, tfd_no_options, &error));
  g_assert_false (tfd_options_check (string, tfd_no_options, &error));
  g_assert_error (error, TFD_ERROR, TFD_ERROR_INVALID_ARGS);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/common/wire/options/check", test_check);
  g_test_add_func ("/common/wire/options/other-types", test_other_types);
  return g_test_run ();
}
