/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Tests of sealing, and of the key of the machine: made once, found again, never replaced. */
#include "config.h"

#include "base/secrets.h"
#include "common/error.h"

#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct
{
  char *dir;
  char *key_path;
} Fixture;

static void
set_up (Fixture *self, gconstpointer data G_GNUC_UNUSED)
{
  self->dir = g_dir_make_tmp ("transferd-secrets-XXXXXX", NULL);
  self->key_path = g_build_filename (self->dir, TFD_SECRETS_KEY_FILE, NULL);
}

static void
tear_down (Fixture *self, gconstpointer data G_GNUC_UNUSED)
{
  g_autofree char *credential = g_build_filename (self->dir, TFD_SECRETS_CREDENTIAL, NULL);

  g_unlink (self->key_path);
  g_unlink (credential);
  g_assert_cmpint (g_rmdir (self->dir), ==, 0);
  g_free (self->key_path);
  g_free (self->dir);
}

static TfdSecrets *
open_secrets (const char *state_dir, const char *credentials)
{
  g_autoptr (GError) error = NULL;
  TfdSecrets *secrets = tfd_secrets_new (state_dir, credentials, &error);

  g_assert_no_error (error);
  g_assert_nonnull (secrets);
  return secrets;
}

static GBytes *
seal (TfdSecrets *secrets, const char *text, const char *id)
{
  g_autoptr (GBytes) plain = g_bytes_new_static (text, strlen (text));
  g_autoptr (GError) error = NULL;
  GBytes *sealed = tfd_secrets_seal (secrets, plain, id, &error);

  g_assert_no_error (error);
  return sealed;
}

static void
assert_opens (TfdSecrets *secrets, GBytes *sealed, const char *id, const char *text)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) plain = tfd_secrets_unseal (secrets, sealed, id, &error);

  g_assert_no_error (error);
  g_assert_cmpmem (g_bytes_get_data (plain, NULL), g_bytes_get_size (plain), text, strlen (text));
}

static void
assert_refuses (TfdSecrets *secrets, GBytes *sealed, const char *id)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (tfd_secrets_unseal (secrets, sealed, id, &error));
  g_assert_error (error, TFD_ERROR, TFD_ERROR_STORAGE_FAILED);
}

static void
test_round_trip (Fixture *self, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (TfdSecrets) secrets = open_secrets (self->dir, NULL);
  g_autoptr (GBytes) sealed = seal (secrets, "open sesame", "job");
  g_autoptr (GBytes) empty = seal (secrets, "", "job");
  g_autofree char *large = g_strnfill (1 << 20, 'x');
  g_autoptr (GBytes) sealed_large = seal (secrets, large, "job");

  assert_opens (secrets, sealed, "job", "open sesame");
  assert_opens (secrets, empty, "job", "");
  assert_opens (secrets, sealed_large, "job", large);
  g_assert_null (memmem (g_bytes_get_data (sealed, NULL), g_bytes_get_size (sealed), "sesame", 6));
}

static void
test_bound_to_its_job (Fixture *self, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (TfdSecrets) secrets = open_secrets (self->dir, NULL);
  g_autoptr (GBytes) sealed = seal (secrets, "open sesame", "job");

  assert_refuses (secrets, sealed, "another");
  assert_refuses (secrets, sealed, "");
}

/* Each bit counts, and so does the length. */
static void
test_tampering (Fixture *self, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (TfdSecrets) secrets = open_secrets (self->dir, NULL);
  g_autoptr (GBytes) sealed = seal (secrets, "open sesame", "job");
  gsize size = g_bytes_get_size (sealed);

  for (gsize i = 0; i < size * 8; i++)
    {
      guint8 *copy = g_memdup2 (g_bytes_get_data (sealed, NULL), size);
      g_autoptr (GBytes) changed = g_bytes_new_take (copy, size);

      copy[i / 8] ^= (guint8) (1 << (i % 8));
      assert_refuses (secrets, changed, "job");
    }
  for (gsize length = 0; length < size; length++)
    {
      g_autoptr (GBytes) part = g_bytes_new_from_bytes (sealed, 0, length);

      assert_refuses (secrets, part, "job");
    }
}

/* What makes a key and nonce of each is new each time. */
static void
test_never_the_same (Fixture *self, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (TfdSecrets) secrets = open_secrets (self->dir, NULL);
  g_autoptr (GHashTable) seen =
      g_hash_table_new_full (g_bytes_hash, g_bytes_equal, (GDestroyNotify) g_bytes_unref, NULL);

  for (guint i = 0; i < 5000; i++)
    {
      g_autoptr (GBytes) sealed = seal (secrets, "the same", "job");

      g_assert_true (g_hash_table_add (seen, g_bytes_new_from_bytes (sealed, 1, 32)));
    }
}

static void
test_key_file (Fixture *self, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (GBytes) sealed = NULL;
  struct stat status;

  {
    g_autoptr (TfdSecrets) secrets = open_secrets (self->dir, NULL);
    sealed = seal (secrets, "open sesame", "job");
  }
  g_assert_cmpint (g_stat (self->key_path, &status), ==, 0);
  g_assert_cmpint (status.st_mode & 07777, ==, 0600);
  g_assert_cmpint (status.st_size, ==, TFD_SECRETS_KEY_SIZE);

  /* a copy that was readable is so no more */
  g_assert_cmpint (g_chmod (self->key_path, 0644), ==, 0);
  g_autoptr (TfdSecrets) again = open_secrets (self->dir, NULL);
  assert_opens (again, sealed, "job", "open sesame");
  g_assert_cmpint (g_stat (self->key_path, &status), ==, 0);
  g_assert_cmpint (status.st_mode & 07777, ==, 0600);
}

static void
test_lost_key (Fixture *self, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (TfdSecrets) before = open_secrets (self->dir, NULL);
  g_autoptr (GBytes) sealed = seal (before, "open sesame", "job");

  g_assert_cmpint (g_unlink (self->key_path), ==, 0);
  g_autoptr (TfdSecrets) after = open_secrets (self->dir, NULL);
  assert_refuses (after, sealed, "job");
}

/* A key that is there and cannot be used is for somebody to put right, not to be replaced. */
static void
test_unusable_key (Fixture *self, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *text = NULL;

  g_assert_true (g_file_set_contents (self->key_path, "short", -1, NULL));
  g_assert_null (tfd_secrets_new (self->dir, NULL, &error));
  g_assert_error (error, TFD_ERROR, TFD_ERROR_STORAGE_FAILED);
  g_assert_nonnull (strstr (error->message, self->key_path));
  g_assert_true (g_file_get_contents (self->key_path, &text, NULL, NULL));
  g_assert_cmpstr (text, ==, "short");

  g_clear_error (&error);
  g_assert_cmpint (g_unlink (self->key_path), ==, 0);
  g_assert_cmpint (symlink ("elsewhere", self->key_path), ==, 0);
  g_assert_null (tfd_secrets_new (self->dir, NULL, &error));
  g_assert_error (error, TFD_ERROR, TFD_ERROR_STORAGE_FAILED);
}

static void
test_unfinished_key (Fixture *self, gconstpointer data G_GNUC_UNUSED)
{
  g_autofree char *unfinished = g_strconcat (self->key_path, ".new", NULL);

  g_assert_true (g_file_set_contents (unfinished, "half", -1, NULL));
  g_autoptr (TfdSecrets) secrets = open_secrets (self->dir, NULL);
  g_assert_false (g_file_test (unfinished, G_FILE_TEST_EXISTS));
}

/* The directory of credentials is there, with or without ours. */
static void
test_credential (Fixture *self, gconstpointer data G_GNUC_UNUSED)
{
  g_autofree char *path = g_build_filename (self->dir, TFD_SECRETS_CREDENTIAL, NULL);
  g_autoptr (TfdSecrets) none = open_secrets (self->dir, self->dir);
  g_autoptr (GBytes) sealed = seal (none, "open sesame", "job");
  g_autoptr (GError) error = NULL;

  g_assert_true (g_file_test (self->key_path, G_FILE_TEST_EXISTS));
  g_assert_true (g_file_set_contents (path, "a sentence of enough characters for a key", -1, NULL));
  g_autoptr (TfdSecrets) credential = open_secrets (self->dir, self->dir);
  g_autoptr (TfdSecrets) again = open_secrets (self->dir, self->dir);
  assert_refuses (credential, sealed, "job");
  g_autoptr (GBytes) other = seal (credential, "open sesame", "job");
  assert_opens (again, other, "job", "open sesame");
  assert_refuses (none, other, "job");

  g_assert_true (g_file_set_contents (path, "too short", -1, NULL));
  g_assert_null (tfd_secrets_new (self->dir, self->dir, &error));
  g_assert_error (error, TFD_ERROR, TFD_ERROR_STORAGE_FAILED);
}

static GBytes *
from_hex (const char *hex)
{
  gsize size = strlen (hex) / 2;
  guint8 *bytes = g_malloc (size);

  for (gsize i = 0; i < size; i++)
    bytes[i] =
        (guint8) (g_ascii_xdigit_value (hex[2 * i]) << 4 | g_ascii_xdigit_value (hex[2 * i + 1]));
  return g_bytes_new_take (bytes, size);
}

/* What another library (GnuTLS) once sealed: that is how it lies in databases. */
static void
test_stays_readable (Fixture *self, gconstpointer data G_GNUC_UNUSED)
{
  static const char id[] = "0123456789abcdef0123456789abcdef";
  static const guint8 text[] = "secret\0of a job";
  g_autofree char *path = g_build_filename (self->dir, TFD_SECRETS_CREDENTIAL, NULL);
  g_autoptr (GBytes) by_file =
      from_hex ("0129e6f3ea5b2c89dccad4f579ffcd29c4af30032cd8ffd36085cc8e1f750b5f67"
                "2a5fca9b1b5e7ee525e34c2c1e786d0421aaf34492364ae47ca56f1a2cbf50");
  g_autoptr (GBytes) by_credential =
      from_hex ("01da9e5a5687b194b9a041c092b2551bb55c3d0ce02c5b63142dbf29c028e6041d"
                "9d5d0b4f0fd1bdd61396a3752bbfe109413b318fa4398069fe3811cf6752ed");

  g_assert_true (
      g_file_set_contents (self->key_path, "0123456789ABCDEFGHIJKLMNOPQRSTUV", -1, NULL));
  g_assert_true (g_file_set_contents (path, "a credential of more than thirty-two bytes, as text\n",
                                      -1, NULL));
  g_autoptr (TfdSecrets) file = open_secrets (self->dir, NULL);
  g_autoptr (TfdSecrets) credential = open_secrets (self->dir, self->dir);
  g_autoptr (GBytes) plain = tfd_secrets_unseal (file, by_file, id, NULL);
  g_autoptr (GBytes) same = tfd_secrets_unseal (credential, by_credential, id, NULL);

  g_assert_nonnull (plain);
  g_assert_nonnull (same);
  g_assert_cmpmem (g_bytes_get_data (plain, NULL), g_bytes_get_size (plain), text, sizeof text - 1);
  g_assert_true (g_bytes_equal (plain, same));
}

#define ADD(path, func) g_test_add (path, Fixture, NULL, set_up, func, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("/secrets/round-trip", test_round_trip);
  ADD ("/secrets/bound-to-its-job", test_bound_to_its_job);
  ADD ("/secrets/tampering", test_tampering);
  ADD ("/secrets/never-the-same", test_never_the_same);
  ADD ("/secrets/key-file", test_key_file);
  ADD ("/secrets/lost-key", test_lost_key);
  ADD ("/secrets/unusable-key", test_unusable_key);
  ADD ("/secrets/unfinished-key", test_unfinished_key);
  ADD ("/secrets/credential", test_credential);
  ADD ("/secrets/stays-readable", test_stays_readable);
  return g_test_run ();
}
