/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Fuzz: a configuration file, and single values of each kind. */
#include "config.h"

#include "tests/fuzz/input.h"

#include "base/config.h"

#include <unistd.h>

/* What is accepted is within its bounds, and is read as the same when it is written. */
static void
check_value (const TfdConfigKey *key, const char *text)
{
  g_autoptr (TfdConfig) config = tfd_config_new ();
  g_autoptr (GError) error = NULL;

  fuzz_check (tfd_config_set (config, key, text, &error) == (error == NULL));
  if (error != NULL)
    fuzz_check (g_utf8_validate (error->message, -1, NULL));
}

static void
check_number (gboolean parsed, TfdConfigType type, guint64 value)
{
  g_autofree char *text = NULL;
  guint64 again = 0;

  if (!parsed)
    return;
  text = tfd_config_format (type, value);
  fuzz_check (type == TFD_CONFIG_SIZE ? tfd_config_parse_size (text, &again, NULL)
                                      : tfd_config_parse_time (text, &again, NULL));
  fuzz_check (again == value);
}

static void
check_file (const guint8 *data, gsize size)
{
  static char *path = NULL;
  g_autoptr (GPtrArray) warnings = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GError) error = NULL;

  if (path == NULL)
    {
      int fd = g_file_open_tmp ("transferd-fuzz-XXXXXX.conf", &path, &error);

      g_assert_no_error (error);
      close (fd);
    }
  g_file_set_contents_full (path, (const char *) data, (gssize) size, G_FILE_SET_CONTENTS_NONE,
                            0600, &error);
  g_assert_no_error (error);
  g_autoptr (TfdConfig) config = tfd_config_load (path, warnings, &error);
  unlink (path);
  fuzz_check (config != NULL);
  for (guint i = 0; i < warnings->len; i++)
    fuzz_check (g_utf8_validate (warnings->pdata[i], -1, NULL));
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autofree char *text = fuzz_text (data, size);
  g_autofree char *valid = g_utf8_make_valid (text, -1);
  guint64 value = 0;

  check_number (tfd_config_parse_size (valid, &value, NULL), TFD_CONFIG_SIZE, value);
  check_number (tfd_config_parse_time (valid, &value, NULL), TFD_CONFIG_TIME, value);
  tfd_config_parse_boolean (valid, &value, NULL);
  for (const TfdConfigKey *key = tfd_config_table (); key->key != NULL; key++)
    check_value (key, valid);
  check_file (data, size);
  return 0;
}
