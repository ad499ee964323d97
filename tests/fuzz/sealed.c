/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Fuzz: secrets as they were stored: whatever was not sealed with the key is refused, and so is
 * what was, once a byte of it is another. */
#include "config.h"

#include "tests/fuzz/input.h"

#include "base/secrets.h"

#include <unistd.h>

static TfdSecrets *
get_secrets (void)
{
  static TfdSecrets *secrets = NULL;
  g_autofree char *directory = NULL;
  g_autofree char *key = NULL;
  g_autoptr (GError) error = NULL;

  if (secrets != NULL)
    return secrets;
  directory = g_dir_make_tmp ("transferd-fuzz-XXXXXX", &error);
  g_assert_no_error (error);
  secrets = tfd_secrets_new (directory, NULL, &error);
  g_assert_no_error (error);
  key = g_build_filename (directory, TFD_SECRETS_KEY_FILE, NULL);
  unlink (key);
  rmdir (directory);
  return secrets;
}

static void
check_refused (GBytes *sealed)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) plain = tfd_secrets_unseal (get_secrets (), sealed, "job", &error);

  fuzz_check (plain == NULL && error != NULL);
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autoptr (GBytes) input = g_bytes_new (data, size);
  g_autoptr (GBytes) sealed = tfd_secrets_seal (get_secrets (), input, "job", NULL);
  g_autoptr (GBytes) plain = NULL;
  g_autofree guint8 *bytes = NULL;
  gsize length;

  check_refused (input);
  fuzz_check (sealed != NULL);
  plain = tfd_secrets_unseal (get_secrets (), sealed, "job", NULL);
  fuzz_check (plain != NULL && g_bytes_equal (plain, input));
  bytes = g_memdup2 (g_bytes_get_data (sealed, &length), g_bytes_get_size (sealed));
  length = g_bytes_get_size (sealed);
  bytes[size > 0 ? data[0] % length : 0] ^= 1;
  g_autoptr (GBytes) other = g_bytes_new (bytes, length);
  check_refused (other);
  return 0;
}
