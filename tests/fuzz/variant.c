/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Fuzz: dictionaries from elsewhere: what is taken for normal without GLib's looking at it must be
 * so, and say the same. */
#include "config.h"

#include "tests/fuzz/input.h"

#include "common/variant.h"

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autoptr (GVariant) whole = g_variant_ref_sink (fuzz_variant (data, size, "a{sv}"));
  g_autoptr (GBytes) bytes = g_bytes_new (data, size);
  g_autoptr (GVariant) read = tfd_variant_from_bytes (G_VARIANT_TYPE_VARDICT, bytes);

  fuzz_check ((read != NULL) == g_variant_is_normal_form (whole));
  fuzz_check (read == NULL || g_variant_equal (read, whole));
  return 0;
}
