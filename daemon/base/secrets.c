/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Secrets: sealing. Each blob has a key of its own, derived from that of the machine and a salt of
 * 256 random bits that stands before it: a nonce can then be used once only, however many are
 * made. The id of the job is authenticated with it: put into another row, a blob is worthless.
 *
 *   version (1 byte) | salt (32) | encrypted | tag (16) */
#include "base/secrets.h"

#include "base/secrets-key.h"
#include "common/error.h"

#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <string.h>

#define VERSION_BYTE 1
#define SALT_SIZE 32
#define TAG_SIZE 16
#define NONCE_SIZE 12
#define OVERHEAD (1 + SALT_SIZE + TAG_SIZE)
#define CIPHER GNUTLS_CIPHER_AES_256_GCM
#define PURPOSE "transferd secrets of a job"

struct _TfdSecrets
{
  guint8 key[TFD_SECRETS_KEY_SIZE];
};

static gboolean
fail (const char *doing, int result, GError **error)
{
  g_set_error (error, TFD_ERROR, TFD_ERROR_STORAGE_FAILED, "%s: %s", doing,
               gnutls_strerror (result));
  return FALSE;
}

/* The cipher for the blob that begins with @salt; NULL on failure. */
static gnutls_aead_cipher_hd_t
begin (TfdSecrets *secrets, const guint8 *salt, GError **error)
{
  const gnutls_datum_t machine = { secrets->key, sizeof secrets->key };
  const gnutls_datum_t salted = { (guint8 *) salt, SALT_SIZE };
  const gnutls_datum_t purpose = { (guint8 *) PURPOSE, strlen (PURPOSE) };
  guint8 middle[32], own[TFD_SECRETS_KEY_SIZE];
  const gnutls_datum_t extracted = { middle, sizeof middle };
  const gnutls_datum_t key = { own, sizeof own };
  gnutls_aead_cipher_hd_t cipher = NULL;
  int result = gnutls_hkdf_extract (GNUTLS_MAC_SHA256, &machine, &salted, middle);

  if (result == 0)
    result = gnutls_hkdf_expand (GNUTLS_MAC_SHA256, &extracted, &purpose, own, sizeof own);
  if (result == 0)
    result = gnutls_aead_cipher_init (&cipher, CIPHER, &key);
  gnutls_memset (middle, 0, sizeof middle);
  gnutls_memset (own, 0, sizeof own);
  if (result == 0)
    return cipher;
  fail ("secrets", result, error);
  return NULL;
}

typedef struct
{
  gsize size;
  guint8 data[];
} Wiped;

static void
wiped_free (gpointer data)
{
  Wiped *wiped = data;

  gnutls_memset (wiped->data, 0, wiped->size);
  g_free (wiped);
}

GBytes *
tfd_secrets_seal (TfdSecrets *secrets, GBytes *plain, const char *id, GError **error)
{
  static const guint8 nonce[NONCE_SIZE];
  gsize size = g_bytes_get_size (plain);
  gsize room = size + TAG_SIZE;
  g_autofree guint8 *blob = g_malloc (size + OVERHEAD);
  gnutls_aead_cipher_hd_t cipher;
  int result;

  blob[0] = VERSION_BYTE;
  result = gnutls_rnd (GNUTLS_RND_NONCE, blob + 1, SALT_SIZE);
  if (result < 0)
    {
      fail ("random numbers", result, error);
      return NULL;
    }
  cipher = begin (secrets, blob + 1, error);
  if (cipher == NULL)
    return NULL;
  result = gnutls_aead_cipher_encrypt (cipher, nonce, sizeof nonce, id, strlen (id), TAG_SIZE,
                                       g_bytes_get_data (plain, NULL), size, blob + 1 + SALT_SIZE,
                                       &room);
  gnutls_aead_cipher_deinit (cipher);
  if (result == 0)
    return g_bytes_new_take (g_steal_pointer (&blob), 1 + SALT_SIZE + room);
  fail ("sealing", result, error);
  return NULL;
}

GBytes *
tfd_secrets_unseal (TfdSecrets *secrets, GBytes *sealed, const char *id, GError **error)
{
  static const guint8 nonce[NONCE_SIZE];
  gsize size = 0;
  const guint8 *blob = g_bytes_get_data (sealed, &size);
  gnutls_aead_cipher_hd_t cipher;
  Wiped *plain;
  int result;

  if (size < OVERHEAD || blob[0] != VERSION_BYTE)
    {
      g_set_error (error, TFD_ERROR, TFD_ERROR_STORAGE_FAILED, "unsealing: not of this version");
      return NULL;
    }
  cipher = begin (secrets, blob + 1, error);
  if (cipher == NULL)
    return NULL;
  plain = g_malloc (sizeof (Wiped) + size);
  plain->size = size - OVERHEAD;
  result = gnutls_aead_cipher_decrypt (cipher, nonce, sizeof nonce, id, strlen (id), TAG_SIZE,
                                       blob + 1 + SALT_SIZE, size - 1 - SALT_SIZE, plain->data,
                                       &plain->size);
  gnutls_aead_cipher_deinit (cipher);
  if (result == 0)
    return g_bytes_new_with_free_func (plain->data, plain->size, wiped_free, plain);
  plain->size = size - OVERHEAD;
  wiped_free (plain);
  fail ("unsealing", result, error);
  return NULL;
}

TfdSecrets *
tfd_secrets_new (const char *state_dir, const char *credentials_directory, GError **error)
{
  g_autoptr (TfdSecrets) secrets = g_new0 (TfdSecrets, 1);

  return tfd_secrets_read_key (state_dir, credentials_directory, secrets->key, error)
             ? g_steal_pointer (&secrets)
             : NULL;
}

void
tfd_secrets_free (TfdSecrets *secrets)
{
  gnutls_memset (secrets->key, 0, sizeof secrets->key);
  g_free (secrets);
}
