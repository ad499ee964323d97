/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Names: ids, object paths and temporaries, written and read back; what is nearly one is none. */
#include "config.h"

#include "common/names.h"

#include <string.h>

#define ID "0123456789abcdef0123456789abcdef"

static void
test_id_new (void)
{
  g_autoptr (GHashTable) ids = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);

  for (int i = 0; i < 200; i++)
    {
      char *id = tfd_job_id_new ();
      g_autofree char *parsed = tfd_job_id_parse (id);

      g_assert_cmpuint (strlen (id), ==, TFD_JOB_ID_LENGTH);
      g_assert_cmpstr (parsed, ==, id);
      g_assert_cmpint (id[12], ==, '4'); /* version of the UUID */
      g_assert_true (g_hash_table_add (ids, id));
    }
}

static void
test_id_parse (void)
{
  static const struct
  {
    const char *text, *id;
  } cases[] = {
    { ID, ID },
    { "01234567-89ab-cdef-0123-456789abcdef", ID },
    { "01234567-89AB-CDEF-0123-456789ABCDEF", ID },
    { "0123456789ABCDEF0123456789ABCDEF", ID },
    { "", NULL },
    { "0123456789abcdef0123456789abcde", NULL },
    { ID "0", NULL },
    { "0123456789abcdef0123456789abcdeg", NULL },
    { "012345678-9ab-cdef-0123-456789abcdef", NULL },
    { "01234567-89ab-cdef-0123456789abcdef-", NULL },
    { "01234567_89ab_cdef_0123_456789abcdef", NULL },
    { "01234567-89ab-cdef-0123-456789abcde-", NULL },
    { "{1234567-89ab-cdef-0123-456789abcde}", NULL },
    { " 123456789abcdef0123456789abcdef", NULL },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *id = tfd_job_id_parse (cases[i].text);
      g_assert_cmpstr (id, ==, cases[i].id);
    }
}

static void
test_path (void)
{
  const char *const wrong[] = {
    "",
    "/",
    TFD_MANAGER_PATH,
    TFD_JOBS_PATH,
    TFD_JOBS_PATH "/",
    TFD_JOBS_PATH "/" ID "/",
    TFD_JOBS_PATH "/" ID "0",
    TFD_JOBS_PATH "/0123456789ABCDEF0123456789ABCDEF",
    TFD_JOBS_PATH "/01234567_89ab_cdef_0123_456789abcdef",
    TFD_MANAGER_PATH "/" ID,
    ID,
  };
  g_autofree char *path = tfd_job_path (ID);
  g_autofree char *id = tfd_job_id_from_path (path);

  g_assert_cmpstr (path, ==, "/org/transferd/Transfer1/jobs/" ID);
  g_assert_true (g_variant_is_object_path (path));
  g_assert_cmpstr (id, ==, ID);
  for (gsize i = 0; i < G_N_ELEMENTS (wrong); i++)
    g_assert_null (tfd_job_id_from_path (wrong[i]));
}

static void
test_part_name (void)
{
  static const struct
  {
    guint32 index, attempt;
    const char *name;
  } cases[] = {
    { 0, 0, ".transferd-" ID "-0.part" },
    { 17, 0, ".transferd-" ID "-17.part" },
    { 17, 1, ".transferd-" ID "-17.1.part" },
    { G_MAXUINT32, G_MAXUINT32, ".transferd-" ID "-4294967295.4294967295.part" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *name = tfd_part_name (ID, cases[i].index, cases[i].attempt);
      g_autofree char *id = NULL;
      guint32 index = 0;
      guint32 attempt = 0;

      g_assert_cmpstr (name, ==, cases[i].name);
      g_assert_true (tfd_part_name_parse (name, &id, &index, &attempt));
      g_assert_cmpstr (id, ==, ID);
      g_assert_cmpuint (index, ==, cases[i].index);
      g_assert_cmpuint (attempt, ==, cases[i].attempt);
      g_assert_true (tfd_part_name_parse (name, NULL, NULL, NULL));
    }
}

/* Names that would be read as one of ours but not written as such: deleting by them would be
 * deleting somebody's file. */
static void
test_foreign_part_names (void)
{
  const char *const names[] = {
    "",
    ".",
    "file.part",
    ".transferd-",
    ".transferd-" ID,
    ".transferd-" ID "-.part",
    ".transferd-" ID "-0",
    ".transferd-" ID "-0.part ",
    ".transferd-" ID "-0.part.part",
    ".transferd-" ID "-00.part",
    ".transferd-" ID "-01.part",
    ".transferd-" ID "-+1.part",
    ".transferd-" ID "--1.part",
    ".transferd-" ID "-4294967296.part",
    ".transferd-" ID "-99999999999999999999999.part",
    ".transferd-" ID "-0.0.part",
    ".transferd-" ID "-0.01.part",
    ".transferd-" ID "-0.4294967296.part",
    ".transferd-" ID "-0.1.2.part",
    ".transferd-" ID "-0..part",
    ".transferd-0123456789ABCDEF0123456789ABCDEF-0.part",
    ".transferd-0123456789abcdef0123456789abcde-0.part",
    "transferd-" ID "-0.part",
    "x.transferd-" ID "-0.part",
  };

  for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
    if (tfd_part_name_parse (names[i], NULL, NULL, NULL))
      g_error ("‘%s’ was read as a temporary", names[i]);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/common/names/id-new", test_id_new);
  g_test_add_func ("/common/names/id-parse", test_id_parse);
  g_test_add_func ("/common/names/path", test_path);
  g_test_add_func ("/common/names/part-name", test_part_name);
  g_test_add_func ("/common/names/foreign-part-names", test_foreign_part_names);
  return g_test_run ();
}
