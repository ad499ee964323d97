/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Tests of what transferctl reads: URLs and paths, job names, property values; and that help,
 * completions and the manual page know every verb and option. */
#include "config.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <limits.h>
#include <string.h>

#include "client/transferctl/command.h"
#include "client/transferctl/ctl.h"
#include "client/transferctl/find.h"
#include "client/transferctl/target.h"
#include "client/transferctl/value.h"

static void
test_target_name (void)
{
  static const struct
  {
    const char *url;
    const char *name;
  } cases[] = {
    { "http://a/b/c.iso", "c.iso" },     { "http://a/b/c.iso?x=/y#z", "c.iso" },
    { "http://a/b%20c.iso", "b c.iso" }, { "http://a/%e6%97%a5", "日" },
    { "http://a/%ff", "\xff" },          { "http://a/100%", "100%" },
    { "http://a/%zz", "%zz" },           { "http://a", "index.html" },
    { "http://a?b/c", "index.html" },    { "http://a/", "index.html" },
    { "http://a/b/", "index.html" },     { "http://a/..", "index.html" },
    { "http://a/%2e%2E", "index.html" }, { "http://a/..%2f..%2fetc%2fpasswd", ".._.._etc_passwd" },
    { "http://a/a%00b%0ac", "a_b_c" },   { "file:///etc/hostname", "hostname" },
    { "nonsense", "index.html" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *name = ctl_target_name (cases[i].url);

      g_assert_cmpstr (name, ==, cases[i].name);
    }
}

static void
test_target_name_too_long (void)
{
  g_autofree char *wide = g_strnfill (600, 'x');
  g_autofree char *url = g_strconcat ("http://a/ä", wide, ".tar.gz", NULL);
  g_autofree char *name = ctl_target_name (url);
  GString *many = g_string_new ("http://a/");
  g_autofree char *split = NULL;

  g_assert_cmpuint (strlen (name), ==, NAME_MAX);
  g_assert_true (g_str_has_suffix (name, ".gz"));
  for (guint i = 0; i < 200; i++)
    g_string_append (many, "日");
  split = ctl_target_name (many->str);
  g_assert_cmpuint (strlen (split), <=, NAME_MAX);
  g_assert_true (g_utf8_validate (split, -1, NULL));
  g_string_free (many, TRUE);
}

static void
test_target_path (void)
{
  g_autofree char *directory = g_dir_make_tmp ("client-XXXXXX", NULL);
  g_autofree char *file = g_build_filename (directory, "file", NULL);
  g_autofree char *missing = g_build_filename (directory, "none", "file", NULL);
  g_autofree char *slash = g_strconcat (directory, "/none/", NULL);
  g_autofree char *dotted = g_strconcat (directory, "/./x/../file", NULL);
  g_autofree char *here = g_get_current_dir ();
  g_autofree char *wanted_here = g_build_filename (here, "a.iso", NULL);
  g_autofree char *wanted_there = g_build_filename (directory, "a.iso", NULL);
  const struct
  {
    const char *said;
    const char *path; /* NULL: refused */
  } cases[] = {
    { NULL, wanted_here }, { ".", wanted_here }, { directory, wanted_there },
    { file, file },        { missing, NULL },    { slash, NULL },
    { dotted, file },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autofree char *path = ctl_target_path ("http://h/a.iso", cases[i].said, &error);

      g_assert_cmpstr (path, ==, cases[i].path);
      g_assert_cmpint (error != NULL, ==, cases[i].path == NULL);
    }
  g_assert_cmpint (g_rmdir (directory), ==, 0);
}

static void
test_match (void)
{
  static const char *const ids[] = { "11112222333344445555666677778888",
                                     "1111222233334444aaaabbbbccccdddd",
                                     "abcdef00000000000000000000000000",
                                     "99990000000000000000000000000000" };
  static const char *const names[] = { "iso", "twin", "twin", "1111" };
  static const struct
  {
    const char *word;
    int index;
  } cases[] = {
    { "iso", 0 },       { "twin", -1 },  { "11112222333344445", 0 },
    { "11112222", -1 }, { "ABCDEF", 2 }, { "abcdef00-0000", 2 },
    { "1111", 3 },      { "", -1 },      { "nothing", -1 },
    { "9", 3 },         { "-9", -1 },    { "abcdef000000000000000000000000000", -1 },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;
      int index = ctl_match (cases[i].word, G_N_ELEMENTS (ids), ids, names, &error);

      g_assert_cmpint (index, ==, cases[i].index);
      g_assert_cmpint (error != NULL, ==, index < 0);
    }
}

static void
test_property_names (void)
{
  g_assert_cmpstr (ctl_property_name ("Priority"), ==, "Priority");
  g_assert_cmpstr (ctl_property_name ("priority"), ==, "Priority");
  g_assert_cmpstr (ctl_property_name ("minimum-retry-delay"), ==, "MinimumRetryDelay");
  g_assert_null (ctl_property_name ("State"));
  g_assert_null (ctl_property_name ("Priorit"));
  g_assert_null (ctl_property_name ("Priorityy"));
  g_assert_null (ctl_property_name (""));
}

static void
test_property_values (void)
{
  static const struct
  {
    const char *name, *text, *value; /* value NULL: refused */
  } cases[] = {
    { "DisplayName", "a = b", "'a = b'" },
    { "DisplayName", "\xff", NULL },
    { "AutoComplete", "yes", "true" },
    { "AutoComplete", "OFF", "false" },
    { "AutoComplete", "maybe", NULL },
    { "MinimumRetryDelay", "2min", "120000000" },
    { "MaximumSize", "1.5MB", "1500000" },
    { "MaximumRate", "-1", NULL },
    { "Segments", "4", "4" },
    { "Segments", "4.5", NULL },
    { "TlsFlags", "ignore-dates, ignore-host-name", "['ignore-dates', 'ignore-host-name']" },
    { "TlsFlags", "", "[]" },
    { "Headers", "A: b:c\nD:e\n", "[('A', 'b:c'), ('D', 'e')]" },
    { "Headers", "no colon", NULL },
    { "Proxy", "('none', [], [])", "('none', [], [])" },
    { "Proxy", "none", NULL },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (GVariant) value = ctl_property_parse (cases[i].name, cases[i].text, &error);
      g_autofree char *text = value != NULL ? g_variant_print (value, FALSE) : NULL;

      g_assert_cmpstr (text, ==, cases[i].value);
      g_assert_cmpint (error != NULL, ==, value == NULL);
      if (value != NULL)
        g_assert_cmpstr (g_variant_get_type_string (value), ==,
                         transfer_job_property_get_signature (cases[i].name));
    }
}

static void
test_assignments (void)
{
  GVariantDict dict;
  g_autoptr (GVariant) value = NULL;

  g_variant_dict_init (&dict, NULL);
  g_assert_true (ctl_property_assign (&dict, "display-name=a=b", NULL));
  g_assert_false (ctl_property_assign (&dict, "display-name", NULL));
  g_assert_false (ctl_property_assign (&dict, "State=error", NULL));
  g_assert_false (ctl_property_assign (&dict, "=x", NULL));
  value = g_variant_dict_lookup_value (&dict, "DisplayName", NULL);
  g_assert_cmpstr (g_variant_get_string (value, NULL), ==, "a=b");
  g_variant_dict_clear (&dict);
}

/* The text of @path of the sources. */
static char *
read_source (const char *path)
{
  g_autofree char *whole = g_build_filename (g_getenv ("TFD_SOURCE_ROOT"), path, NULL);
  g_autoptr (GError) error = NULL;
  char *text = NULL;

  g_file_get_contents (whole, &text, NULL, &error);
  g_assert_no_error (error);
  return text;
}

static gboolean
has_word (const char *text, const char *word)
{
  g_autofree char *escaped = g_regex_escape_string (word, -1);
  g_autofree char *pattern = g_strdup_printf ("(?<![\\w-])%s(?![\\w-])", escaped);

  return g_regex_match_simple (pattern, text, 0, 0);
}

static void
assert_word (const char *path, const char *text, const char *word)
{
  if (!has_word (text, word))
    {
      g_test_message ("%s does not know ‘%s’", path, word);
      g_test_fail ();
    }
}

static void
test_documented (gconstpointer data)
{
  const char *path = data;
  g_autofree char *text = read_source (path);

  for (const CtlVerb *verb = ctl_verbs; verb->name != NULL; verb++)
    {
      const GOptionEntry *entries = verb->options != NULL ? verb->options () : NULL;

      assert_word (path, text, verb->name);
      for (; entries != NULL && entries->long_name != NULL; entries++)
        {
          g_autofree char *option = g_strconcat ("--", entries->long_name, NULL);

          assert_word (path, text, option);
        }
    }
}

/* The verbs that the completion of bash offers are those of the table. */
static void
test_no_verb_too_many (void)
{
  g_autofree char *text = read_source ("client/completions/transferctl.bash");
  const char *begin = strstr (text, "verbs='") + strlen ("verbs='");
  g_autofree char *list = g_strndup (begin, strcspn (begin, "'"));
  g_auto (GStrv) words = g_strsplit_set (list, " \n", -1);

  for (guint i = 0; words[i] != NULL; i++)
    if (*words[i] != '\0')
      g_assert_nonnull (ctl_find_verb (words[i]));
}

static void
test_hints (void)
{
  g_autoptr (GError) absent =
      g_error_new_literal (G_DBUS_ERROR, G_DBUS_ERROR_SERVICE_UNKNOWN, "not there");
  g_autoptr (GError) missing =
      g_error_new_literal (TRANSFER_ERROR, TRANSFER_ERROR_NOT_FOUND, "not found");
  g_autoptr (GError) other = g_error_new_literal (G_IO_ERROR, G_IO_ERROR_FAILED, "other");

  g_assert_nonnull (strstr (ctl_hint (absent, FALSE), "systemctl"));
  g_assert_nonnull (strstr (ctl_hint (absent, TRUE), "transferd --user"));
  g_assert_nonnull (strstr (ctl_hint (missing, FALSE), "transferctl list"));
  g_assert_null (ctl_hint (other, FALSE));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/client/target/name", test_target_name);
  g_test_add_func ("/client/target/name-too-long", test_target_name_too_long);
  g_test_add_func ("/client/target/path", test_target_path);
  g_test_add_func ("/client/find/match", test_match);
  g_test_add_func ("/client/value/names", test_property_names);
  g_test_add_func ("/client/value/values", test_property_values);
  g_test_add_func ("/client/value/assignments", test_assignments);
  g_test_add_func ("/client/hints", test_hints);
  g_test_add_data_func ("/client/verbs/in-manual", "docs/man/transferctl.1.rst", test_documented);
  g_test_add_data_func ("/client/verbs/in-bash", "client/completions/transferctl.bash",
                        test_documented);
  g_test_add_data_func ("/client/verbs/in-zsh", "client/completions/_transferctl", test_documented);
  g_test_add_func ("/client/verbs/none-too-many", test_no_verb_too_many);
  return g_test_run ();
}
