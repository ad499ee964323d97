/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Every enumeration: strings both ways, no two alike, and the ones that the interface names. */
#include "config.h"

#include "common/enums.h"
#include "common/error.h"
#include "common/state.h"

#include <string.h>

typedef GType (*TypeFunc) (void);

static const struct
{
  TypeFunc type;
  const char *values; /* in order, separated by blanks; the empty string is written as - */
} cases[] = {
  { tfd_job_type_get_type, "download upload upload-reply" },
  { tfd_job_state_get_type,
    "suspended queued connecting transferring transient-error error transferred acknowledged "
    "cancelled" },
  { tfd_file_state_get_type, "waiting transferring transferred completed missing error" },
  { tfd_priority_get_type, "normal foreground high low" },
  { tfd_transfer_policy_get_type, "standard always not-roaming no-surcharge unrestricted" },
  { tfd_run_when_get_type, "always logged-in lingering" },
  { tfd_upload_protocol_get_type, "auto put post tus resumable bits" },
  { tfd_redirect_policy_get_type, "allow report refuse" },
  { tfd_proxy_mode_get_type, "system none override auto" },
  { tfd_error_context_get_type,
    "none unknown queue-manager local-file remote-file transport remote-application" },
  { tfd_operation_get_type, "- completing cancelling" },
  { tfd_result_get_type, "completed partial cancelled expired" },
  { tfd_overwrite_get_type, "replace fail keep-both" },
};

static void
test_strings (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_auto (GStrv) values = g_strsplit (cases[i].values, " ", -1);
      g_autoptr (GEnumClass) klass = g_type_class_ref (cases[i].type ());

      g_assert_cmpuint (klass->n_values, ==, g_strv_length (values));
      for (int value = 0; values[value] != NULL; value++)
        {
          const char *expected = g_str_equal (values[value], "-") ? "" : values[value];
          g_assert_cmpstr (tfd_enum_to_string (cases[i].type (), value), ==, expected);
        }
    }
}

/* For the types made of tables as well: what is written is read back, and nothing else is. */
static void
test_round_trip (void)
{
  TypeFunc more[] = { tfd_error_code_get_type, tfd_event_get_type };

  for (gsize i = 0; i < G_N_ELEMENTS (cases) + G_N_ELEMENTS (more); i++)
    {
      gsize n_cases = G_N_ELEMENTS (cases);
      GType type = i < n_cases ? cases[i].type () : more[i - n_cases]();
      g_autoptr (GEnumClass) klass = g_type_class_ref (type);

      for (guint j = 0; j < klass->n_values; j++)
        {
          int value = -1;
          g_assert_cmpint (klass->values[j].value, ==, (int) j);
          g_assert_true (tfd_enum_from_string (type, tfd_enum_to_string (type, (int) j), &value));
          g_assert_cmpint (value, ==, (int) j);
        }

      const char *wrong[] = { "nonsense", "QUEUED", " queued", "TFD_JOB_STATE_QUEUED", "\xff" };
      for (gsize j = 0; j < G_N_ELEMENTS (wrong); j++)
        {
          int value = 77;
          g_assert_false (tfd_enum_from_string (type, wrong[j], &value));
          g_assert_cmpint (value, ==, 77);
        }
    }
}

static void
test_out_of_range (void)
{
  if (g_test_subprocess ())
    {
      tfd_enum_to_string (TFD_TYPE_PRIORITY, 99);
      return;
    }
  g_test_trap_subprocess (NULL, 0, G_TEST_SUBPROCESS_DEFAULT);
  g_test_trap_assert_failed ();
}

static void
test_predicates (void)
{
  for (int state = 0; state < TFD_N_JOB_STATES; state++)
    {
      const char *name = tfd_enum_to_string (TFD_TYPE_JOB_STATE, state);
      g_assert_cmpint (tfd_job_state_is_final (state), ==,
                       strstr ("acknowledged cancelled", name) != NULL);
      g_assert_cmpint (tfd_job_state_is_running (state), ==,
                       strstr ("connecting transferring", name) != NULL);
    }
}

/* Of a job that sends, the first file goes there; what comes behind it comes back. */
static void
test_directions (void)
{
  static const struct
  {
    TfdJobType type;
    guint32 index;
    TfdDirection direction;
    gboolean reply;
  } files[] = {
    { TFD_JOB_TYPE_DOWNLOAD, 0, TFD_DIRECTION_RECEIVE, FALSE },
    { TFD_JOB_TYPE_DOWNLOAD, 7, TFD_DIRECTION_RECEIVE, FALSE },
    { TFD_JOB_TYPE_UPLOAD, 0, TFD_DIRECTION_SEND, FALSE },
    { TFD_JOB_TYPE_UPLOAD, 7, TFD_DIRECTION_SEND, FALSE },
    { TFD_JOB_TYPE_UPLOAD_REPLY, 0, TFD_DIRECTION_SEND, FALSE },
    { TFD_JOB_TYPE_UPLOAD_REPLY, 1, TFD_DIRECTION_RECEIVE, TRUE },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (files); i++)
    {
      g_assert_cmpint (tfd_file_direction (files[i].type, files[i].index), ==, files[i].direction);
      g_assert_cmpint (tfd_file_is_reply (files[i].type, files[i].index), ==, files[i].reply);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/common/enums/strings", test_strings);
  g_test_add_func ("/common/enums/round-trip", test_round_trip);
  g_test_add_func ("/common/enums/out-of-range", test_out_of_range);
  g_test_add_func ("/common/enums/predicates", test_predicates);
  g_test_add_func ("/common/enums/directions", test_directions);
  return g_test_run ();
}
