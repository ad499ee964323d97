/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Digest: is a file the one that was promised? */
#include "config.h"
#include "worker/digest.h"

#include "common/classify.h"
#include "worker/failure.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define BLOCK (1024 * 1024)

static const struct
{
  const char *prefix;
  GChecksumType type;
} algorithms[] = {
  { "sha256:", G_CHECKSUM_SHA256 },
  { "sha512:", G_CHECKSUM_SHA512 },
  { "sha1:", G_CHECKSUM_SHA1 },
  { "md5:", G_CHECKSUM_MD5 },
};

static GChecksum *
checksum_for (const char *digest, const char **hex)
{
  for (gsize i = 0; i < G_N_ELEMENTS (algorithms); i++)
    {
      gsize length = strlen (algorithms[i].prefix);

      if (g_ascii_strncasecmp (digest, algorithms[i].prefix, length) == 0)
        {
          *hex = digest + length;
          return g_checksum_new (algorithms[i].type);
        }
    }

  return NULL;
}

gboolean
tfd_digest_check (int fd, guint64 length, const char *digest, gint *abort, TfdFailure *failure)
{
  const char *hex = NULL;
  g_autoptr (GChecksum) checksum = checksum_for (digest, &hex);
  g_autofree guint8 *block = g_malloc (BLOCK);
  guint64 at = 0;

  if (checksum == NULL)
    {
      tfd_failure_set (failure, TFD_ERROR_INVALID_ARGS, TFD_ERROR_CONTEXT_LOCAL_FILE,
                       "the digest “%s” is of an unknown kind", digest);
      return FALSE;
    }

  while (at < length)
    {
      gssize n = pread (fd, block, MIN (BLOCK, length - at), (off_t) at);

      if (n < 0 && errno == EINTR)
        continue;
      if (n <= 0 || g_atomic_int_get (abort))
        {
          tfd_classify_errno (n < 0 ? errno : EIO, "reading the file to check its digest", failure);
          return FALSE;
        }
      g_checksum_update (checksum, block, n);
      at += (guint64) n;
    }

  if (g_ascii_strcasecmp (g_checksum_get_string (checksum), hex) == 0)
    return TRUE;

  tfd_failure_set (failure, TFD_ERROR_DIGEST_MISMATCH, TFD_ERROR_CONTEXT_REMOTE_FILE,
                   "the file has the digest %s instead of %s", g_checksum_get_string (checksum),
                   hex);
  return FALSE;
}
