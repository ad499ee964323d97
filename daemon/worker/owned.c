/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Owned: the files of a job that have their final names already. */
#include "config.h"
#include "worker/owned.h"

#include "worker/identity.h"

struct _TfdOwned
{
  gatomicrefcount references;
  GMutex mutex;
  GHashTable *keys; /* (owned) set of identity keys */
};

TfdOwned *
tfd_owned_new (void)
{
  TfdOwned *owned = g_new0 (TfdOwned, 1);

  g_atomic_ref_count_init (&owned->references);
  g_mutex_init (&owned->mutex);
  owned->keys = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);

  return owned;
}

TfdOwned *
tfd_owned_ref (TfdOwned *owned)
{
  g_atomic_ref_count_inc (&owned->references);
  return owned;
}

void
tfd_owned_unref (TfdOwned *owned)
{
  if (!g_atomic_ref_count_dec (&owned->references))
    return;

  g_hash_table_unref (owned->keys);
  g_mutex_clear (&owned->mutex);
  g_free (owned);
}

void
tfd_owned_add (TfdOwned *owned, GBytes *identity)
{
  char *key = tfd_identity_key (identity);

  if (key == NULL)
    return;

  g_mutex_lock (&owned->mutex);
  g_hash_table_add (owned->keys, key);
  g_mutex_unlock (&owned->mutex);
}

gboolean
tfd_owned_contains (TfdOwned *owned, GBytes *identity)
{
  g_autofree char *key = tfd_identity_key (identity);
  gboolean found;

  if (key == NULL)
    return FALSE;

  g_mutex_lock (&owned->mutex);
  found = g_hash_table_contains (owned->keys, key);
  g_mutex_unlock (&owned->mutex);

  return found;
}
