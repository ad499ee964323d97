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

#include <errno.h>
#include <nettle/gcm.h>
#include <nettle/hkdf.h>
#include <nettle/hmac.h>
#include <nettle/memops.h>
#include <string.h>
#include <sys/random.h>

#define VERSION_BYTE 1
#define SALT_SIZE 32
#define TAG_SIZE GCM_DIGEST_SIZE
#define OVERHEAD (1 + SALT_SIZE + TAG_SIZE)
#define PURPOSE "transferd secrets of a job"

struct _TfdSecrets
{
  guint8 key[TFD_SECRETS_KEY_SIZE];
};

G_STATIC_ASSERT (TFD_SECRETS_KEY_SIZE == AES256_KEY_SIZE);
G_STATIC_ASSERT (TFD_SECRETS_KEY_SIZE == SHA256_DIGEST_SIZE);

void
tfd_secrets_extract (
    const guint8 *salt, gsize salt_size, const guint8 *secret, gsize size, guint8 *key)
{
  struct hmac_sha256_ctx hmac;

  hmac_sha256_set_key (&hmac, salt_size, salt);
  hkdf_extract (&hmac, (nettle_hash_update_func *) hmac_sha256_update,
                (nettle_hash_digest_func *) hmac_sha256_digest, SHA256_DIGEST_SIZE, size, secret,
                key);
  explicit_bzero (&hmac, sizeof hmac);
}

gboolean
tfd_secrets_fill_random (guint8 *data, gsize size)
{
  gssize got;

  /* as few as these come whole, once the kernel has any */
  do
    got = getrandom (data, size, 0);
  while (got < 0 && errno == EINTR);
  return got == (gssize) size;
}

/* The cipher for the blob of @id that begins with @salt. Each has a key of its own, so that all
 * have the same nonce. */
static void
begin (TfdSecrets *secrets, const guint8 *salt, const char *id, struct gcm_aes256_ctx *cipher)
{
  static const guint8 nonce[GCM_IV_SIZE];
  struct hmac_sha256_ctx hmac;
  guint8 middle[SHA256_DIGEST_SIZE], own[AES256_KEY_SIZE];

  tfd_secrets_extract (salt, SALT_SIZE, secrets->key, sizeof secrets->key, middle);
  hmac_sha256_set_key (&hmac, sizeof middle, middle);
  hkdf_expand (&hmac, (nettle_hash_update_func *) hmac_sha256_update,
               (nettle_hash_digest_func *) hmac_sha256_digest, SHA256_DIGEST_SIZE, strlen (PURPOSE),
               (const guint8 *) PURPOSE, sizeof own, own);
  gcm_aes256_set_key (cipher, own);
  gcm_aes256_set_iv (cipher, sizeof nonce, nonce);
  gcm_aes256_update (cipher, strlen (id), (const guint8 *) id);
  explicit_bzero (&hmac, sizeof hmac);
  explicit_bzero (middle, sizeof middle);
  explicit_bzero (own, sizeof own);
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

  explicit_bzero (wiped->data, wiped->size);
  g_free (wiped);
}

GBytes *
tfd_secrets_seal (TfdSecrets *secrets, GBytes *plain, const char *id, GError **error)
{
  gsize size = 0;
  const guint8 *data = g_bytes_get_data (plain, &size);
  g_autofree guint8 *blob = g_malloc (size + OVERHEAD);
  guint8 *sealed = blob + 1 + SALT_SIZE;
  struct gcm_aes256_ctx cipher;

  blob[0] = VERSION_BYTE;
  if (!tfd_secrets_fill_random (blob + 1, SALT_SIZE))
    {
      g_set_error (error, TFD_ERROR, TFD_ERROR_STORAGE_FAILED, "random numbers: %s",
                   g_strerror (errno));
      return NULL;
    }
  begin (secrets, blob + 1, id, &cipher);
  gcm_aes256_encrypt (&cipher, size, sealed, data);
  gcm_aes256_digest (&cipher, TAG_SIZE, sealed + size);
  explicit_bzero (&cipher, sizeof cipher);
  return g_bytes_new_take (g_steal_pointer (&blob), size + OVERHEAD);
}

GBytes *
tfd_secrets_unseal (TfdSecrets *secrets, GBytes *sealed, const char *id, GError **error)
{
  gsize size = 0;
  const guint8 *blob = g_bytes_get_data (sealed, &size);
  struct gcm_aes256_ctx cipher;
  guint8 tag[TAG_SIZE];
  Wiped *plain;

  if (size < OVERHEAD || blob[0] != VERSION_BYTE)
    {
      g_set_error (error, TFD_ERROR, TFD_ERROR_STORAGE_FAILED, "unsealing: not of this version");
      return NULL;
    }
  plain = g_malloc (sizeof (Wiped) + size);
  plain->size = size - OVERHEAD;
  begin (secrets, blob + 1, id, &cipher);
  gcm_aes256_decrypt (&cipher, plain->size, plain->data, blob + 1 + SALT_SIZE);
  gcm_aes256_digest (&cipher, sizeof tag, tag);
  explicit_bzero (&cipher, sizeof cipher);
  if (memeql_sec (tag, blob + size - TAG_SIZE, sizeof tag))
    return g_bytes_new_with_free_func (plain->data, plain->size, wiped_free, plain);
  wiped_free (plain);
  g_set_error (error, TFD_ERROR, TFD_ERROR_STORAGE_FAILED,
               "unsealing: made with another key or for another job, or damaged");
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
  explicit_bzero (secrets->key, sizeof secrets->key);
  g_free (secrets);
}
