/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Fuzz: the record of a temporary file as it was stored, perhaps by another version or by nobody's
 * good will: a serialised a{sv}. And identities, which are a part of it. */
#include "config.h"

#include "tests/fuzz/input.h"

#include "worker/identity.h"
#include "worker/record.h"

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autoptr (GVariant) stored = g_variant_ref_sink (fuzz_variant (data, size, "a{sv}"));
  g_autoptr (TfdRecord) record = tfd_record_parse (stored);
  g_autoptr (TfdRecord) again = NULL;
  g_autoptr (GVariant) written = NULL;
  g_autoptr (GBytes) identity = g_bytes_new (data, size);
  g_autofree char *key = tfd_identity_key (identity);

  fuzz_check (tfd_identity_same (identity, identity) == (key != NULL));
  if (record == NULL)
    return 0;
  fuzz_check (record->identity != NULL);
  g_free (tfd_identity_key (record->identity));
  if (g_bytes_get_size (record->identity) > 512 ||
      (record->directory != NULL && g_bytes_get_size (record->directory) > 512))
    return 0; /* longer than any that was ever written */
  written = g_variant_ref_sink (tfd_record_to_variant (record));
  again = tfd_record_parse (written);
  fuzz_check (g_variant_get_size (written) <= 4096);
  fuzz_check (again != NULL && g_bytes_equal (again->identity, record->identity));
  fuzz_check (again->checkpoint == record->checkpoint && again->size == record->size);
  fuzz_check (again->mount == record->mount && again->mtime == record->mtime);
  fuzz_check (g_strcmp0 (again->validator, record->validator) == 0);
  fuzz_check (tfd_record_has_source (again) == tfd_record_has_source (record));
  return 0;
}
